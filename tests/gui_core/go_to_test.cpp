#include "gui/core/go_to.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "kit/models.h"

namespace mqlab::gui {
namespace {

const Recording& showcase() {
  static const std::shared_ptr<const Recording> r = [] {
    std::stringstream text;
    text << std::ifstream(MQLAB_SOURCE_DIR "/scenarios/showcase.lua").rdbuf();
    return Recording::make({.text = text.str(), .path = "showcase.lua", .case_name = "acks=1"}, all_models());
  }();
  return *r;
}

std::size_t at(const std::string& words, std::size_t now = 100) {
  const GoTo to = go_to(showcase(), words, now);
  EXPECT_EQ(to.complaint, "") << words;
  return to.event;
}

TEST(GoTo, TimesAreTheLastEventAtOrBefore) {
  const std::size_t e = at("12s");
  EXPECT_LE(showcase().time_of(e), 12'000'000'000);
  EXPECT_GT(showcase().time_of(e + 1), 12'000'000'000);
  EXPECT_EQ(at(" 12000ms "), e);
  EXPECT_EQ(at("12000"), e) << "a number alone counts milliseconds";
  EXPECT_EQ(at("0ms"), at("0"));
  EXPECT_EQ(at("9h"), showcase().events() - 1);
}

TEST(GoTo, DistancesAreFromWhereOneIs) {
  const Time here = showcase().time_of(100);
  EXPECT_LE(showcase().time_of(at("+2s")), here + 2'000'000'000);
  EXPECT_GT(showcase().time_of(at("+2s") + 1), here + 2'000'000'000);
  EXPECT_LT(at("-1s"), 100U);
  EXPECT_EQ(at("-9h"), 0U);
}

TEST(GoTo, EventsViolationsAndFaultsHaveNames) {
  EXPECT_EQ(at("#87"), 87U);
  EXPECT_EQ(at("first"), 0U);
  EXPECT_EQ(at("last"), showcase().events() - 1);
  EXPECT_EQ(at("next violation", 0), violations_of(showcase()).front());
  const auto faults = fault_events_of(showcase());
  ASSERT_EQ(faults.size(), 2U) << "the cut and its end";
  EXPECT_EQ(showcase().time_of(faults[0]), 10'000'000'000);
  EXPECT_EQ(at("next fault", 0), faults[0]);
  EXPECT_EQ(at("next fault", faults[0]), faults[1]);
  EXPECT_EQ(at("previous fault", faults[1]), faults[0]);
}

// From each event, by a look at all of them.
TEST(GoTo, NextIsTheFirstBehindAndPreviousTheLastBefore) {
  const auto faults = fault_events_of(showcase()), violations = violations_of(showcase());
  ASSERT_FALSE(violations.empty());
  for (const auto& [what, places] : {std::pair(std::string("fault"), faults), {"violation", violations}})
    for (const std::size_t place : places)
      for (std::size_t now = place - 1; now <= std::min(place + 1, showcase().events() - 1); ++now) {
        std::optional<std::size_t> next, previous;
        for (const std::size_t p : places) {
          if (p > now && !next) next = p;
          if (p < now) previous = p;
        }
        const GoTo on = go_to(showcase(), "next " + what, now), back = go_to(showcase(), "previous " + what, now);
        EXPECT_EQ(on.complaint.empty(), next.has_value()) << what << " " << now;
        EXPECT_EQ(on.event, next.value_or(now)) << what << " " << now;
        EXPECT_EQ(back.complaint.empty(), previous.has_value()) << what << " " << now;
        EXPECT_EQ(back.event, previous.value_or(now)) << what << " " << now;
      }
}

// What the lab heals at the end is no fault of the story.
TEST(GoTo, FaultsAreThoseOfTheStory) {
  for (const std::size_t e : fault_events_of(showcase())) EXPECT_LT(showcase().time_of(e), showcase().result().workload_ended);
}

TEST(GoTo, SaysWhyAPlaceIsNone) {
  const auto complaint = [](const char* words, std::size_t now = 100) {
    const GoTo to = go_to(showcase(), words, now);
    EXPECT_EQ(to.event, now) << "one stays where one was";
    return to.complaint;
  };
  EXPECT_NE(complaint("next violatoin").find("did you mean `next violation`"), std::string::npos);
  EXPECT_NE(complaint("#99999999").find("the last event is #"), std::string::npos);
  EXPECT_NE(complaint("#x").find("no number"), std::string::npos);
  EXPECT_NE(complaint("").find("expected"), std::string::npos);
  EXPECT_NE(complaint("previous fault", 0).find("no fault before"), std::string::npos);
  EXPECT_NE(complaint("next violation", showcase().events() - 1).find("no further"), std::string::npos);
}

}  // namespace
}  // namespace mqlab::gui
