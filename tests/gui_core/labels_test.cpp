#include "gui/core/labels.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "gui/core/time_axis.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
const FixedMeasure measure;  // 8 pixels a character

TEST(Labels, ATextThatDoesNotFitIsCutWithAnEllipsis) {
  EXPECT_EQ(fit("producer", 64, measure), "producer");
  EXPECT_EQ(fit("producer", 63, measure), "produc…");
  EXPECT_EQ(fit("two words", 48, measure), "two w…");
  EXPECT_EQ(fit("two words", 40, measure), "two…") << "no blank before it";
  EXPECT_EQ(fit("producer", 8, measure), "…");
  EXPECT_EQ(fit("producer", 7, measure), "");
  EXPECT_EQ(fit("µµµµ", 24, measure), "µµ…") << "characters are not cut";
  EXPECT_EQ(fit("", 0, measure), "");
}

RC_GTEST_PROP(Labels, WhatIsCutFitsAndBeginsAsTheText, (const std::string& text, unsigned width)) {
  std::string ascii;
  for (const char c : text) ascii += static_cast<char>(' ' + (static_cast<unsigned char>(c) % 90));
  const auto w = static_cast<float>(width % 400);
  const std::string cut = fit(ascii, w, measure);
  RC_ASSERT(measure.width(cut) <= w);
  if (cut != ascii && !cut.empty()) RC_ASSERT(ascii.compare(0, cut.size() - 3, cut.substr(0, cut.size() - 3)) == 0);
}

TEST(Labels, NamesThatBeginAlikeAreStillToldApart) {
  EXPECT_EQ(fit_name("gateway-west-01", 72, measure), "gate…t-01");
  EXPECT_EQ(fit_name("gateway-west-02", 72, measure), "gate…t-02");
  EXPECT_EQ(fit_name("B1", 72, measure), "B1");
  EXPECT_EQ(fit_name("B1", 8, measure), "…");
  EXPECT_EQ(fit_name("µµµµµ", 32, measure), "µµ…µ") << "characters are not cut";
}

TEST(Labels, ASentenceTooLongForItsLineGoesOnBelow) {
  EXPECT_EQ(wrap("run a scenario", 80, measure), (std::vector<std::string>{"run a", "scenario"}));
  EXPECT_EQ(wrap("run a scenario", 112, measure), (std::vector<std::string>{"run a scenario"}));
  EXPECT_EQ(wrap("a scenario", 40, measure), (std::vector<std::string>{"a", "scen…"})) << "a word wider than the line is cut";
  EXPECT_TRUE(wrap("", 40, measure).empty());
}

TEST(Labels, RemarksShareALineWhereThereIsRoom) {
  EXPECT_EQ(flow({"one", "two", "three"}, 72, measure), (std::vector<std::string>{"one · two", "three"}));
  EXPECT_EQ(flow({"one and two", "three"}, 64, measure), (std::vector<std::string>{"one and", "two", "three"})) << "what goes on below shares its last line too, if it can";
  EXPECT_EQ(flow({"one and two", "three"}, 88, measure), (std::vector<std::string>{"one and two", "three"}));
}

RC_GTEST_PROP(Labels, NoLineIsWiderThanAskedFor, (const std::vector<std::string>& said, unsigned width)) {
  const auto w = static_cast<float>(width % 400);
  std::vector<std::string> remarks;
  for (const std::string& s : said) {
    std::string& r = remarks.emplace_back();
    for (const char c : s) r += static_cast<char>(' ' + (static_cast<unsigned char>(c) % 90));
  }
  for (const std::string& l : flow(remarks, w, measure)) RC_ASSERT(measure.width(l) <= w);
}

TEST(Labels, APlaceIsTakenOnce) {
  Occupancy o(100, 100);
  EXPECT_TRUE(o.take({10, 10, 30, 12}));
  EXPECT_FALSE(o.take({20, 15, 30, 12}));
  EXPECT_TRUE(o.take({50, 10, 30, 12}));
  EXPECT_FALSE(o.take({80, 90, 30, 12})) << "it would leave the picture";
  EXPECT_FALSE(o.take({-1, 50, 10, 10}));
}

RC_GTEST_PROP(Labels, WhatIsTakenDoesNotOverlap, (const std::vector<std::pair<std::pair<std::uint8_t, std::uint8_t>, std::pair<std::uint8_t, std::uint8_t>>>& wanted)) {
  Occupancy o(300, 300);
  std::vector<Rect> taken;
  for (const auto& [at, size] : wanted) {
    const Rect r{static_cast<float>(at.first), static_cast<float>(at.second), static_cast<float>(size.first % 60 + 1), static_cast<float>(size.second % 20 + 1)};
    if (!o.take(r)) continue;
    for (const Rect& t : taken) RC_ASSERT(r.right() <= t.x || t.right() <= r.x || r.bottom() <= t.y || t.bottom() <= r.y);
    taken.push_back(r);
  }
}

TEST(Labels, NumbersInNamesCountAsNumbers) {
  EXPECT_TRUE(natural_less("orders/2", "orders/10"));
  EXPECT_FALSE(natural_less("orders/10", "orders/2"));
  EXPECT_TRUE(natural_less("orders", "orders/0"));
  EXPECT_FALSE(natural_less("a", "a"));
  EXPECT_TRUE(natural_less("a9b2", "a10b1"));
}

RC_GTEST_PROP(Labels, NaturalOrderIsAnOrder, (const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b, const std::vector<std::uint8_t>& c)) {
  const auto text = [](const std::vector<std::uint8_t>& v) {
    std::string out;
    for (const std::uint8_t x : v) out += "0012a/"[x % 6];
    return out;
  };
  const std::string x = text(a), y = text(b), z = text(c);
  RC_ASSERT(natural_less(x, y) + natural_less(y, x) == (x == y ? 0 : 1));
  if (natural_less(x, y) && natural_less(y, z)) RC_ASSERT(natural_less(x, z));
}

TEST(Labels, NumbersHaveCommas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(20'000), "20,000");
  EXPECT_EQ(with_commas(1'234'567), "1,234,567");
}

TEST(TimeAxis, TimesAreToldInTheUnitThatNeedsFewPlaces) {
  EXPECT_EQ(time_label(12'500_ms, 100_ms), "12.5 s");
  EXPECT_EQ(time_label(12'500_ms, 1_s), "12.5 s") << "a place that is not nothing is told";
  EXPECT_EQ(time_label(130_ms, 10_ms), "130 ms");
  EXPECT_EQ(time_label(0, 10_ms), "0 ms");
  EXPECT_EQ(time_label(90_s, 30_s), "90 s");
  EXPECT_EQ(time_label(120_s, 60_s), "2 min");
  EXPECT_EQ(time_label(9_ms, 1_ms, 7_ms), "+2 ms");
  EXPECT_EQ(time_label(5_ms, 1_ms, 7_ms), "-2 ms");
  EXPECT_EQ(time_label(7_ms, 1_ms, 7_ms), "0");
}

TEST(TimeAxis, TicksAreRoundAndAsManyAsFit) {
  EXPECT_EQ(tick_step(60_s, 10), 10_s);
  EXPECT_EQ(tick_step(61_s, 6), 15_s);
  EXPECT_EQ(tick_step(3'600_s, 8), 600_s);
  EXPECT_EQ(tick_step(1'000, 10), 100);
  EXPECT_EQ(tick_step(0, 5), 1);
  const TimeAxis axis({{0, 10_s}, false, {}}, 100, 1'000);
  const auto ticks = axis.ticks(measure);
  ASSERT_EQ(ticks.size(), 6U);
  EXPECT_EQ(ticks[0].label, "0 s");
  EXPECT_EQ(ticks[0].x, 100);
  EXPECT_EQ(ticks[1].label, "2 s");
}

RC_GTEST_PROP(TimeAxis, ThereAndBack, (std::uint32_t from, std::uint32_t length, std::uint32_t part)) {
  const TimeRange range{from, static_cast<Time>(from) + 1 + length};
  const TimeAxis axis({range, false, {}}, 50, 1'000);
  const Time t = range.from + static_cast<Time>(part) % range.length();
  const auto pixel = static_cast<double>(range.length()) / 1'000;
  RC_ASSERT(std::abs(static_cast<double>(axis.at(axis.x(t)) - t)) <= pixel + 1);
  RC_ASSERT(axis.x(t) >= axis.left());
  RC_ASSERT(axis.x(t) <= axis.right());
}

RC_GTEST_PROP(TimeAxis, TicksDoNotFallAndDoNotCrowd, (std::uint64_t from, std::uint64_t length)) {
  const TimeRange range{static_cast<Time>(from % 1'000'000'000'000'000), static_cast<Time>(from % 1'000'000'000'000'000 + 1 + length % 1'000'000'000'000'000)};
  const TimeAxis axis({range, false, {}}, 50, 900);
  float last = -1e9F;
  for (const Tick& t : axis.ticks(measure)) {
    RC_ASSERT(t.at >= range.from);
    RC_ASSERT(t.at <= range.to);
    RC_ASSERT(t.x - last > 20);
    RC_ASSERT(!t.label.empty());
    last = t.x;
  }
}

TEST(TimeAxis, ByOrderEachEventIsAStep) {
  const TimeAxis axis({{0, 100_s}, true, {}}, 0, 300, {1_s, 2_s, 90_s});
  EXPECT_EQ(axis.x_of_event(0, 1_s), 50);
  EXPECT_EQ(axis.x_of_event(2, 90_s), 250);
  EXPECT_EQ(axis.x(89_s), 150) << "the last event before";
  EXPECT_EQ(axis.at(160), 2_s);
  EXPECT_EQ(axis.at(1e9F), 90_s);
}

}  // namespace
}  // namespace mqlab::gui
