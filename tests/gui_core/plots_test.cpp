// Series say what measure_run says; a picture loses no spike.
#include "gui/core/plots.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include <set>

#include "sim/check/measure.h"
#include "sim/check/measure_run.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
using namespace testing;
const FixedMeasure measure;

TEST(Plots, SeriesSayWhatTheMeasureOfTheRunSays) {
  for (const char* name : {"showcase.lua", "museum/rabbitmq/r20-before-or-after-the-work.lua"}) {
    SCOPED_TRACE(name);
    const auto& r = recorded(name);
    const RunSeries series = run_series(*r.index);
    const RunCost cost = measure_run(r.recording->journal(), time_max);
    EXPECT_EQ(series.acknowledged.size(), cost.acknowledged);
    EXPECT_EQ(series.delivered.size(), cost.delivered);
    EXPECT_GT(series.delivered.size(), 0U);
    std::vector<Duration> latencies;
    for (const Sample& s : series.delivery_latency.samples()) latencies.push_back(s.value);
    std::sort(latencies.begin(), latencies.end());
    EXPECT_EQ(percentile(latencies, 50), cost.latency_p50);
    EXPECT_EQ(percentile(latencies, 99), cost.latency_p99);
    EXPECT_EQ(series.waiting.empty() ? 0 : series.waiting.samples().back().value, static_cast<std::int64_t>(cost.lost));
  }
}

TEST(Plots, InFlightIsWhatTheIndexSees) {
  const auto& r = recorded("showcase.lua");
  const RunSeries series = run_series(*r.index);
  for (Time t = 0; t < r.recording->end(); t += 1'370'000'001) {
    std::int64_t n = 0;
    r.index->in_flight(t, [&](const Flight& f) { n += f.traffic != Traffic::heartbeat && f.arrived > f.sent; });
    EXPECT_EQ(series.in_flight.range(t, t + 1).first, n) << t;
  }
}

// A message is told twice, and delivered to two groups and again: each counts once.
TEST(Plots, WhatIsCountedIsCountedOnce) {
  Journal j;
  j.processes = {"P", "C"};
  const auto add = [&](Time t, OpKind k, Outcome o, MessageId m, std::uint32_t subscription = 0) {
    Op op;
    op.time = t;
    op.kind = k;
    op.outcome = o;
    op.message = m;
    op.subscription = subscription;
    j.ops.push_back(op);
  };
  add(1_s, OpKind::send, Outcome::invoke, 5);
  add(2_s, OpKind::send, Outcome::invoke, 5);
  add(3_s, OpKind::send, Outcome::ok, 5);
  add(4_s, OpKind::send, Outcome::ok, 5);
  add(5_s, OpKind::deliver, Outcome::ok, 5, 1);
  add(6_s, OpKind::deliver, Outcome::ok, 5, 1);
  add(7_s, OpKind::deliver, Outcome::ok, 5, 2);
  const RunSeries s = run_series(j, {}, 10_s);
  EXPECT_EQ(s.acknowledged, (std::vector<Time>{3_s}));
  EXPECT_EQ(s.delivered, (std::vector<Time>{5_s, 7_s}));
  EXPECT_EQ(s.send_latency.samples(), (std::vector<Sample>{{3_s, 2_s}}));
  EXPECT_EQ(s.delivery_latency.samples(), (std::vector<Sample>{{5_s, 4_s}, {7_s, 6_s}}));
  EXPECT_EQ(s.waiting.samples(), (std::vector<Sample>{{3_s, 1}, {5_s, 0}}));
}

RC_GTEST_PROP(Plots, TheRangeOfAStretchIsThatOfALoop, (const std::vector<std::pair<std::uint8_t, std::int8_t>>& raw, std::uint8_t from, std::uint8_t length)) {
  std::vector<Sample> steps;
  Time t = 0;
  for (const auto& [after, value] : raw) steps.push_back({t += 1 + after % 7, value});
  const Time to = from + 1 + length % 40;
  std::int64_t now = 0, least = 0, most = 0;
  bool first = true;
  for (Time x = 0; x < to; ++x) {
    for (const Sample& s : steps)
      if (s.at == x) now = s.value;
    if (x < from) continue;
    least = first ? now : std::min(least, now);
    most = first ? now : std::max(most, now);
    first = false;
  }
  RC_ASSERT(Steps(steps).range(from, to) == std::pair(least, most));
}

RC_GTEST_PROP(Plots, APercentileOfAStretchIsThatOfASortedLoop, (const std::vector<std::pair<std::uint8_t, std::int16_t>>& raw, std::uint8_t from, std::uint8_t length)) {
  std::vector<Sample> samples;
  Time t = 0;
  for (const auto& [after, value] : raw) samples.push_back({t += after % 4, value});
  const Values values(samples);
  std::vector<Duration> inside;
  for (const Sample& s : samples)
    if (s.at >= from && s.at < from + length) inside.push_back(s.value);
  std::sort(inside.begin(), inside.end());
  for (const unsigned percent : {1U, 50U, 99U, 100U}) {
    const auto p = values.percentile(from, from + length, percent);
    RC_ASSERT(p.has_value() == !inside.empty());
    if (p) RC_ASSERT(*p == percentile(inside, percent));
  }
}

TEST(Plots, ASpikeOfOneEventIsSeenInALongRun) {
  RunSeries s;
  s.acknowledged = {500_s};
  s.delivered = {500_s};
  s.waiting = std::vector<Sample>{{500_s, 9}, {500_s + 1, 0}};
  s.end = 1'000_s;
  const Scene scene = plots(s, {}, {{0, 1'000_s}, false, {}}, 0, 700, 400, measure);
  check(scene);
  float top = 1e9F, base = 0;
  for (const Shape& x : scene.shapes())
    if (x.kind == ShapeKind::polyline && x.entity.a == static_cast<std::uint64_t>(SeriesId::waiting))
      for (std::uint32_t i = 0; i < x.count; ++i) top = std::min(top, scene.points()[x.first + i].y), base = std::max(base, scene.points()[x.first + i].y);
  EXPECT_GT(base - top, 30.0F);
}

TEST(Plots, ARegularLoadLooksRegular) {
  RunSeries s;
  for (int i = 0; i < 60; ++i) s.acknowledged.push_back((5 + i) * 1_s);
  s.end = 70_s;
  const Scene scene = plots(s, {}, {{3_s, 68_s}, false, {}}, 0, 700, 400, measure);
  std::vector<float> ys;
  for (const Shape& x : scene.shapes())
    if (x.kind == ShapeKind::polyline && x.entity.a == static_cast<std::uint64_t>(SeriesId::acknowledged))
      for (std::uint32_t i = 0; i < x.count; ++i) ys.push_back(scene.points()[x.first + i].y);
  ASSERT_GT(ys.size(), 30U);
  std::sort(ys.begin(), ys.end());
  EXPECT_EQ(ys[ys.size() / 4], ys[ys.size() / 2]) << "one a second, in each of them";
}

TEST(Plots, StandUnderTheSpaceTimePicture) {
  const auto& r = recorded("showcase.lua");
  const RunSeries series = run_series(*r.index);
  for (const auto& [w, h] : {std::pair(1.0F, 1.0F), {120.0F, 60.0F}, {1'280.0F, 240.0F}, {1'920.0F, 1'000.0F}})
    check(plots(series, timeline_of(*r.recording->result().world, r.recording->end()), {{0, r.recording->end()}, false, {}}, 12_s, w, h, measure));
  const Scene none = plots({}, {}, {{0, 1}, false, {}}, 0, 300, 200, measure);
  EXPECT_TRUE(shows(none, "Nothing was sent"));
}

// --- how far groups are behind ---

// A short run is looked at after every event: the series is what the window's moments say.
TEST(Plots, LagsOfAShortRunAreThoseOfTheMoments) {
  const auto& r = recorded("hunt/queue.lua");
  const RunSeries series = run_series(*r.index);
  ASSERT_EQ(series.lag_spacing, 1U);
  ASSERT_FALSE(series.lags.empty());
  std::size_t behind = 0;
  MomentWish wish;
  wish.states = wish.faults = wish.contents.records = wish.contents.all_places = false;
  r.recording->moments(0, r.recording->events() - 1, wish, [&](const Moment& m) {
    // What is true at the end of an instant.
    if (m.event + 1 < r.recording->events() && r.recording->time_of(m.event + 1) == m.time) return true;
    for (const GroupLag& l : series.lags) {
      const auto g = std::find_if(m.groups.begin(), m.groups.end(), [&](const GroupContents& x) { return x.name == l.group; });
      const auto expected = g == m.groups.end() ? std::nullopt : lag_of(*g);
      EXPECT_EQ(value_at(l.steps, m.time), expected) << l.group << " at " << m.event;
      behind += expected.value_or(0) > 0;
    }
    return true;
  });
  EXPECT_GT(behind, 10U) << "somebody is behind";
}

// A long one is looked at now and then: what it says was so at that instant.
TEST(Plots, LagsOfALongRunWereSoWhenTheyWereLookedAt) {
  const auto& r = recorded("lessons/two-readers.lua");
  const Recording& rec = *r.recording;
  const RunSeries series = run_series(*r.index);
  ASSERT_GT(series.lag_spacing, 1U);
  ASSERT_FALSE(series.lags.empty());
  std::size_t compared = 0;
  for (const GroupLag& l : series.lags) {
    const auto& steps = l.steps.samples();
    EXPECT_LE(steps.size(), 2'048U);
    for (std::size_t i = 0; i < steps.size(); i += steps.size() / 20 + 1) {
      bool was = false;
      const Time t = steps[i].at;
      for (std::size_t e = rec.event_before(t); e < rec.events() && !was; --e) {
        const auto m = rec.moment(e);
        const auto g = std::find_if(m->groups.begin(), m->groups.end(), [&](const GroupContents& x) { return x.name == l.group; });
        was = (g == m->groups.end() ? std::nullopt : lag_of(*g)).value_or(-1) == steps[i].value;
        if (e == 0 || m->time < t) break;
      }
      EXPECT_TRUE(was) << l.group << " at " << format_time(t);
      ++compared;
    }
  }
  EXPECT_GT(compared, 5U);
}

// So many groups, each a straight line upward at its own pace.
RunSeries with_groups(std::size_t n) {
  RunSeries s;
  s.acknowledged = {1'000'000'000};
  s.end = 10'000'000'000;
  for (std::size_t g = 0; g < n; ++g) {
    std::vector<Sample> steps;
    for (Time t = 1; t < 10; ++t) steps.push_back({t * 1'000'000'000, static_cast<std::int64_t>((g + 1) * static_cast<std::size_t>(t))});
    s.lags.push_back({fmt::format("group-{:02}", g), std::move(steps)});
  }
  return s;
}

Scene lags_of(const RunSeries& series, Time now, float w = 1'100, float h = 560) {
  TimeView v;
  v.range = {0, series.end};
  Scene s = plots(series, {}, v, now, w, h, measure);
  check(s);
  return s;
}

TEST(Plots, UpToTwelveGroupsCanBeToldApart) {
  for (std::size_t n = 1; n <= 12; ++n) {
    const Scene s = lags_of(with_groups(n), 5'500'000'000);
    std::set<std::uint64_t> groups;
    std::set<std::pair<Ink, bool>> looks;
    for (const Shape& x : s.shapes())
      if (x.kind == ShapeKind::polyline && x.entity.kind == EntityId::Kind::series && x.entity.a == static_cast<std::uint64_t>(SeriesId::lag)) {
        groups.insert(x.entity.b);
        looks.insert({x.ink, x.dashed});
      }
    EXPECT_EQ(groups.size(), n);
    EXPECT_EQ(looks.size(), n) << "each has a hue, or a dash, of its own";
    // The key names each, with how far it is behind at the cursor.
    for (std::size_t g = 0; g < n; ++g) EXPECT_TRUE(shows(s, fmt::format("group-{:02} {}", g, (g + 1) * 5))) << g << " of " << n;
    EXPECT_EQ(overlap(s, measure), "");
    EXPECT_FALSE(remarks(s, "groups drawn"));
  }
}

TEST(Plots, OfMoreGroupsThoseMostBehindAreDrawn) {
  const Scene s = lags_of(with_groups(20), 5'500'000'000);
  EXPECT_TRUE(remarks(s, "12 of 20 groups drawn: those most behind"));
  EXPECT_TRUE(shows(s, "group-19 100"));
  EXPECT_FALSE(shows(s, "group-03"));
}

TEST(Plots, WhereAGroupIsNotThereItsLineHasAGap) {
  RunSeries series = with_groups(1);
  series.lags[0].steps = std::vector<Sample>{{1'000'000'000, 3}, {3'000'000'000, -1}, {6'000'000'000, 2}};
  std::size_t lines = 0;
  const Scene scene = lags_of(series, 4'000'000'000);
  for (const Shape& x : scene.shapes()) lines += x.kind == ShapeKind::polyline && x.entity.kind == EntityId::Kind::series && x.entity.a == static_cast<std::uint64_t>(SeriesId::lag);
  EXPECT_EQ(lines, 2U);
  EXPECT_TRUE(shows(lags_of(series, 4'000'000'000), "group-00 –"));
  EXPECT_TRUE(shows(lags_of(series, 7'000'000'000), "group-00 2"));
}

TEST(Plots, WithoutGroupsThereAreFourAndALowPaneSaysWhatIsMissing) {
  EXPECT_FALSE(shows(lags_of(with_groups(0), 0), "behind, by group"));
  EXPECT_FALSE(remarks(lags_of(with_groups(0), 0), "make the pane higher"));
  EXPECT_TRUE(remarks(lags_of(with_groups(2), 0, 800, 330), "4 of 5 plots: make the pane higher"));
  for (const float h : {20.0F, 60.0F, 120.0F, 230.0F, 400.0F}) (void)lags_of(with_groups(12), 0, 300, h);
}

}  // namespace
}  // namespace mqlab::gui
