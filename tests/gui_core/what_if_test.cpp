// What could be otherwise in a run, and what another future made of it.
#include "gui/core/what_if.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gui/core/spacetime.h"
#include "kit/models.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

std::shared_ptr<const Recording> run(std::vector<std::size_t> without = {}, std::string case_name = "acks=1", std::vector<Intervention> by_hand = {}) {
  return Recording::make({.text = testing::scenario_of("showcase.lua"), .path = "showcase.lua", .case_name = std::move(case_name), .interventions = std::move(by_hand), .without = std::move(without)}, all_models());
}

std::shared_ptr<const Recording> showcase() {
  static const auto r = run();
  return r;
}

Intervention kill_b3() {
  Fault f;
  f.kind = FaultKind::kill;
  f.groups = {{"B3"}};
  return right_after(12'000'000'000, f);
}

TEST(WhatIf, OffersEachFaultEachInterventionAndEachOtherCase) {
  std::vector<std::string> texts;
  for (const WhatIf& w : what_ifs(*run({}, "acks=1", {kill_b3()}))) texts.push_back(w.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"without fault 1: partition B1, P1 | B2, B3, C1, C", "without fault 2: heal", "without what was done by hand: kill B3", "with acks=all"}));
}

TEST(WhatIf, TheNumbersAreThoseOfTheWorldsFaults) {
  const auto r = run({}, "acks=1", {kill_b3()});
  const auto& faults = r->result().world->faults();
  const auto all = what_ifs(*r);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NE(all[i].text.find(describe(faults[i].fault)), std::string::npos) << all[i].text;
}

TEST(WhatIf, WithoutThePartitionTheLossIsGone) {
  const auto r = run({0});
  const FutureDifference d = difference(*showcase(), *r);
  EXPECT_EQ(d.gone, std::vector<std::string>{"lost-message"});
  EXPECT_TRUE(d.still.empty());
  ASSERT_TRUE(d.parts_at);
  EXPECT_GE(*d.parts_at, 10'000'000'000);
  EXPECT_LT(*d.parts_at, 11'000'000'000);
  // And the other way round it is new.
  EXPECT_EQ(difference(*r, *showcase()).fresh, d.gone);
  EXPECT_EQ(difference(*r, *showcase()).parts_at, d.parts_at);
}

TEST(WhatIf, ARunDoesNotPartFromItself) {
  const FutureDifference d = difference(*showcase(), *showcase());
  EXPECT_FALSE(d.parts_at);
  EXPECT_TRUE(d.gone.empty() && d.fresh.empty());
  EXPECT_EQ(d.still, std::vector<std::string>{"lost-message"});
}

// A run that already goes without a fault counts those that it has.
TEST(WhatIf, WithoutOneThatWasLeftBehindIsAnotherOne) {
  Session s(all_models(), [] {});
  const auto ready = [&](int id) {
    while (s.branch(id).state == Branch::State::recording) s.pump();
    return s.branch(id);
  };
  const int a = s.open(showcase()->spec());
  ready(a);
  const int b = s.fork_without(a, 0);
  ASSERT_EQ(ready(b).state, Branch::State::ready);
  const int c = s.fork_without(b, 0);
  ASSERT_EQ(ready(c).state, Branch::State::ready);
  EXPECT_EQ(s.branch(c).spec.without, (std::vector<std::size_t>{0, 1}));
  // What was done by hand is left out as if it had not been done.
  const int d = s.fork_with(b, kill_b3());
  ASSERT_EQ(ready(d).state, Branch::State::ready);
  const int e = s.fork_without(d, 1);
  ASSERT_EQ(ready(e).state, Branch::State::ready);
  EXPECT_TRUE(s.branch(e).spec.interventions.empty());
  EXPECT_EQ(s.branch(e).recorded.recording->result().fingerprint, s.branch(b).recorded.recording->result().fingerprint);
}

TEST(WhatIf, AnotherCaseIsAnotherRun) {
  Session s(all_models(), [] {});
  const int a = s.open(showcase()->spec());
  while (s.branch(a).state == Branch::State::recording) s.pump();
  const auto all = what_ifs(*s.branch(a).recorded.recording);
  const int b = s.fork_what_if(a, all.back());
  while (s.branch(b).state == Branch::State::recording) s.pump();
  ASSERT_EQ(s.branch(b).state, Branch::State::ready);
  EXPECT_EQ(s.branch(b).recorded.recording->result().fingerprint, run({}, "acks=all")->result().fingerprint);
}

TEST(CauseChain, EachIsTheCauseOfTheNext) {
  const EventIndex index(showcase());
  for (std::size_t e = 500; e < 560; ++e) {
    const CauseChain chain = causes_of(index, e, 12);
    ASSERT_FALSE(chain.events.empty());
    EXPECT_LE(chain.events.size(), 12U);
    EXPECT_EQ(chain.events.back(), e);
    for (std::size_t i = 1; i < chain.events.size(); ++i) EXPECT_EQ(index.cause_of(chain.events[i]), chain.events[i - 1]);
    if (chain.left_out == 0) {
      EXPECT_GE(index.cause_of(chain.events.front()), showcase()->events());
    }
    EXPECT_EQ(causes_of(index, e, 1'000'000).events.size(), chain.events.size() + chain.left_out);
  }
}

// --- two pictures that are compared ---

TEST(Spacetime, ALineStandsWhereTheRunsPartAndTheCursorAtATime) {
  const EventIndex index(showcase());
  const SpacetimeFacts facts = spacetime_facts(index);
  const FixedMeasure measure;
  SpacetimeView v{.time = {.range = {10'000'000'000, 20'000'000'000}}, .lanes = facts.lanes};
  v.cursor = 12'500'000'000;
  v.parts = 15'000'000'000;
  const Scene s = spacetime(index, facts, v, {}, 1000, 300, measure);
  const Rect area = spacetime_area(1000, 300, measure);
  const auto line = std::find_if(s.shapes().begin(), s.shapes().end(), [](const Shape& x) { return x.kind == ShapeKind::line && x.ink == Ink::pin; });
  ASSERT_NE(line, s.shapes().end());
  EXPECT_NEAR(line->from.x, area.x + area.w / 2, 0.5);
  const auto cursor = std::find_if(s.shapes().begin(), s.shapes().end(), [](const Shape& x) { return x.kind == ShapeKind::line && x.ink == Ink::cursor; });
  ASSERT_NE(cursor, s.shapes().end());
  EXPECT_NEAR(cursor->from.x, area.x + area.w / 4, 0.5);
  EXPECT_TRUE(std::any_of(s.shapes().begin(), s.shapes().end(), [](const Shape& x) { return x.label == "the runs part here: 15.000000 s"; }));
  EXPECT_TRUE(std::any_of(s.named().begin(), s.named().end(), [](const Named& n) { return n.entity.kind == EntityId::Kind::time && n.entity.a == 15'000'000'000; }));
  // Out of sight it is said.
  v.parts = 9'000'000'000;
  const Scene later = spacetime(index, facts, v, {}, 1000, 300, measure);
  EXPECT_NE(std::find(later.remarks().begin(), later.remarks().end(), "the runs part before what is shown, at 9.000000 s"), later.remarks().end());
  EXPECT_FALSE(std::any_of(later.shapes().begin(), later.shapes().end(), [](const Shape& x) { return x.ink == Ink::pin; }));
}

TEST(MessageLooks, TwoFuturesShareTheirColours) {
  const auto other = run({}, "acks=all", {kill_b3()});
  const MessageLooks here(showcase()->journal());
  MessageLooks there(other->journal());
  there.look_like(here);
  std::size_t both = 0;
  for (const auto& a : here.rows())
    for (const auto& b : there.rows())
      if (a.kind == b.kind) {
        ++both;
        EXPECT_EQ(here.of(a.kind).ink, there.of(b.kind).ink) << a.name;
      }
  EXPECT_GT(both, 5U);
}

}  // namespace
}  // namespace mqlab::gui
