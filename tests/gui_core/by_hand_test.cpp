// What was done by hand is read back from its Lua, and a knob of the links is such a fault.
#include "gui/core/by_hand.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "gui/core/knobs.h"
#include "gui/core/session.h"
#include "gui/core/write_back.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using testing::scenario_of;

constexpr Time s = 1'000'000'000;

RunSpec showcase(std::vector<Intervention> by_hand = {}) {
  RunSpec spec;
  spec.text = scenario_of("showcase.lua");
  spec.path = "showcase.lua";
  spec.case_name = "acks=all";
  spec.interventions = std::move(by_hand);
  return spec;
}

std::vector<std::string> lines_of(const std::vector<Intervention>& all) {
  std::vector<std::string> out;
  for (const Intervention& i : all) out.push_back(i.lua());
  return out;
}

Intervention by_hand(Time at, FaultKind kind, std::vector<std::vector<Target>> whom, Duration duration = 0) {
  Fault f;
  f.kind = kind;
  f.groups = std::move(whom);
  f.duration = duration;
  return right_after(at, std::move(f));
}

KnobScope all_links() {
  const auto r = testing::recorded("showcase.lua").recording;
  return knob_scope(*r, {}, everyone_of(*r));
}

// --- read back ---

TEST(ByHand, ReadBackItIsTheSameRun) {
  const std::vector<Intervention> hands = {by_hand(12 * s + 34'567, FaultKind::kill, {{"B2"}}, 3 * s), by_hand(15 * s, FaultKind::partition, {{"B1", "P1"}, {"B2", "B3"}}), by_hand(20 * s, FaultKind::heal, {}),
                                           right_after(22 * s, knob_fault(KnobKind::loss, {{"B1"}, {"B2"}, ""}, 3)), right_after(23 * s, knob_fault(KnobKind::latency, all_links(), 5)), right_after(24 * s, knob_fault(KnobKind::loss, {{"P1"}, {"rest"}, ""}, 2))};
  const auto again = read_interventions(lines_of(hands), showcase(), all_models());
  ASSERT_EQ(again.size(), hands.size());
  EXPECT_EQ(lines_of(again), lines_of(hands));
  const auto a = Recording::make(showcase(hands), all_models()), b = Recording::make(showcase(again), all_models());
  EXPECT_EQ(a->result().fingerprint, b->result().fingerprint);
  EXPECT_NE(a->result().fingerprint, Recording::make(showcase(), all_models())->result().fingerprint) << "they did something";
}

TEST(ByHand, WhatIsNoFaultAtATimeIsNamedByItsLine) {
  const auto complaint = [](const std::vector<std::string>& lines) -> std::pair<int, std::string> {
    try {
      read_interventions(lines, showcase(), all_models());
    } catch (const InputError& e) {
      return {e.line, e.message};
    }
    return {0, "it was taken"};
  };
  EXPECT_EQ(complaint({"at(seconds(1), kill \"B1\" {})", "at(seconds(1), kil \"B1\" {})"}).first, 2);
  EXPECT_EQ(complaint({"when(op \"send ok\" {}, kill \"B1\" {})"}).first, 1);
  EXPECT_EQ(complaint({"at(seconds(1), kill \"B1\" {}), at(seconds(2), kill \"B2\" {})"}).first, 1) << "one a line";
  EXPECT_EQ(complaint({"at(seconds(1), kill \"B1\" {}) }, cases = { case \"x\" {} "}).second, "it was taken") << "harmless: the fault is all that is read";
  EXPECT_EQ(complaint({}).second, "it was taken");
}

// --- knobs ---

TEST(Knob, IsAFaultFromTheMomentInFocusOn) {
  const KnobScope all = all_links();
  const auto hands = turn_knob({}, 8 * s, KnobKind::latency, all, 6);
  ASSERT_EQ(hands.size(), 1U);
  EXPECT_EQ(hands[0].fault.fault.kind, FaultKind::latency);
  EXPECT_EQ(hands[0].fault.fault.amount, 200'000'000);
  EXPECT_EQ(knob_stands_at(hands, 8 * s, KnobKind::latency, all), 6U);
  EXPECT_EQ(knob_stands_at(hands, 30 * s, KnobKind::latency, all), 6U);
  EXPECT_EQ(knob_stands_at(hands, 8 * s - 1'000, KnobKind::latency, all), 0U) << "before it was turned";
  EXPECT_EQ(knob_stands_at(hands, 8 * s, KnobKind::loss, all), 0U);
  EXPECT_EQ(knob_stands_at(hands, 8 * s, KnobKind::latency, {{"B1"}, {"rest"}, ""}), 0U) << "another knob: other links";
}

// Read back from a note, it is the knob's still.
TEST(Knob, KnowsItsFaultWhenItIsReadBack) {
  for (const KnobScope& scope : {all_links(), KnobScope{{"B1"}, {"rest"}, ""}, KnobScope{{"B1"}, {"B2"}, ""}}) {
    const auto hands = turn_knob(turn_knob({}, 8 * s, KnobKind::latency, scope, 3), 9 * s, KnobKind::loss, scope, 5);
    const auto again = read_interventions(lines_of(hands), showcase(), all_models());
    EXPECT_EQ(knob_stands_at(again, 10 * s, KnobKind::latency, scope), 3U);
    EXPECT_EQ(knob_stands_at(again, 10 * s, KnobKind::loss, scope), 5U);
  }
}

TEST(Knob, TurnedAgainItEndsItsFaultBefore) {
  const KnobScope all = all_links();
  auto hands = turn_knob({}, 8 * s, KnobKind::loss, all, 4);
  hands = turn_knob(hands, 10 * s, KnobKind::loss, all, 2);
  ASSERT_EQ(hands.size(), 2U);
  EXPECT_EQ(hands[0].fault.fault.duration, 2 * s);
  EXPECT_EQ(knob_stands_at(hands, 9 * s, KnobKind::loss, all), 4U);
  EXPECT_EQ(knob_stands_at(hands, 10 * s, KnobKind::loss, all), 2U);
  hands = turn_knob(hands, 12 * s, KnobKind::loss, all, 0);
  EXPECT_EQ(hands.size(), 2U) << "as it is: nothing is added";
  EXPECT_EQ(knob_stands_at(hands, 12 * s, KnobKind::loss, all), 0U);
  EXPECT_EQ(knob_stands_at(hands, 11 * s, KnobKind::loss, all), 2U);
  // At the same moment it is another stop, not another fault; what it was later is forgotten, other faults stay.
  hands.push_back(by_hand(11 * s, FaultKind::kill, {{"B1"}}));
  hands = turn_knob(hands, 8 * s, KnobKind::loss, all, 1);
  ASSERT_EQ(hands.size(), 2U);
  EXPECT_EQ(hands[0].fault.fault.kind, FaultKind::kill);
  EXPECT_EQ(knob_stands_at(hands, 20 * s, KnobKind::loss, all), 1U);
}

TEST(Knob, IsOfWhatIsInFocus) {
  const auto r = testing::recorded("showcase.lua").recording;
  NodeId b1 = nobody, b2 = nobody;
  for (NodeId n = 0; n < r->journal().processes.size(); ++n) {
    if (r->line_name(n) == "B1") b1 = n;
    if (r->line_name(n) == "B2") b2 = n;
  }
  const auto everyone = everyone_of(*r);
  EXPECT_EQ(std::count(everyone.begin(), everyone.end(), "B1"), 1);
  EXPECT_EQ(std::count(everyone.begin(), everyone.end(), "R"), 0) << "who reads at the end is not there before";
  EXPECT_EQ(knob_scope(*r, {}, everyone).words, "all links");
  EXPECT_EQ(knob_scope(*r, {}, everyone).to, everyone);
  EXPECT_EQ(knob_scope(*r, EntityId::node(b1), everyone).words, "from B1");
  EXPECT_EQ(knob_scope(*r, EntityId::link(b1, b2), everyone).words, "B1 to B2");
}

// What the knob makes is a run like any other: up to there as it was, and the text with it written back gives it again.
TEST(Knob, TheRunUpToThereIsAsItWasAndCanBeWrittenBack) {
  const auto before = Recording::make(showcase(), all_models());
  const Time here = before->time_of(before->event_before(8 * s));
  const auto after = Recording::make(showcase(turn_knob({}, here, KnobKind::latency, all_links(), 7)), all_models());
  const Parting p = where_they_part(*after, *before);
  ASSERT_LT(p.a, after->events());
  EXPECT_GT(after->time_of(p.a), here);
  EXPECT_GT(p.a, before->event_before(8 * s));
  const WrittenBack w = write_back(*after, all_models());
  EXPECT_FALSE(w.whole);
  EXPECT_NE(w.text.find("amount = ms(500)"), std::string::npos) << w.text;
  const auto& faults = after->result().world->faults();
  EXPECT_TRUE(std::any_of(faults.begin(), faults.end(), [](const ArmedFault& f) { return f.fault.kind == FaultKind::latency && f.bites > 0; })) << "it is felt";
}

// Whatever is turned, wherever: one value at a time, and that of the last turn at or before.
RC_GTEST_PROP(Knob, StandsWhereItWasTurnedTo, ()) {
  std::vector<Intervention> hands;
  std::vector<std::pair<Time, std::size_t>> turns;
  for (int i = *rc::gen::inRange(1, 8); i > 0; --i) {
    const Time at = *rc::gen::inRange<Time>(0, 20) * s;
    const std::size_t stop = *rc::gen::inRange<std::size_t>(0, knob_stops(KnobKind::loss).size());
    hands = turn_knob(hands, at, KnobKind::loss, {}, stop);
    turns.erase(std::remove_if(turns.begin(), turns.end(), [&](const auto& t) { return t.first >= at; }), turns.end());
    turns.emplace_back(at, stop);
    for (Time t = 0; t < 21 * s; t += s / 2) {
      std::size_t expected = 0;
      for (const auto& [when, what] : turns)
        if (when <= t) expected = what;
      RC_ASSERT(knob_stands_at(hands, t, KnobKind::loss, {}) == expected);
    }
  }
}

}  // namespace
}  // namespace mqlab::gui
