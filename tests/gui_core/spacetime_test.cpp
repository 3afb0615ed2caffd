// Lines, arrows, bands and the witness of a verdict, over recordings.
#include "gui/core/spacetime.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include <set>

#include "gui/core/filter.h"
#include "gui/core/labels.h"
#include "sim/record/event_text.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
using namespace testing;
const FixedMeasure measure;

struct Stage {
  const testing::Recorded& r;
  SpacetimeFacts facts;
  SpacetimeView view;
  Focus focus;

  explicit Stage(const std::string& name = "showcase.lua") : r(recorded(name)), facts(spacetime_facts(*r.index)) {
    view.lanes = facts.lanes;
    view.time.range = {0, r.recording->end()};
  }
  Scene scene(float w = 1'000, float h = 500) const {
    Scene s = spacetime(*r.index, facts, view, focus, w, h, measure);
    check(s);
    return s;
  }
  NodeId node(const std::string& name) const { return r.recording->result().world->find(name); }
  // Arrows by event: from where to where.
  static std::map<std::uint64_t, std::pair<Point, Point>> arrows(const Scene& s) {
    std::map<std::uint64_t, std::pair<Point, Point>> out;
    for (const Shape& x : s.shapes())
      if (x.kind == ShapeKind::line && x.entity.kind == EntityId::Kind::event) out[x.entity.a] = {x.from, x.to};
    return out;
  }
};

TEST(Spacetime, ClientsAreAboveAndBelowTheServers) {
  const Stage st;
  std::vector<std::string> names;
  for (const Lane& l : st.facts.lanes) names.push_back(l.name);
  EXPECT_EQ(names, (std::vector<std::string>{"P1", "B1", "B2", "B3", "C1", "C", "R"}));
}

TEST(Spacetime, AnArrowForEachMessageInSight) {
  Stage st;
  st.view.time.range = {9_s, 11_s};
  std::set<std::uint64_t> expected;
  for (const Flight& f : st.r.index->flights())
    if (f.from != f.to && f.sent <= st.view.time.range.to && f.arrived >= st.view.time.range.from) expected.insert(f.event);
  ASSERT_GT(expected.size(), 10U);
  const auto arrows = Stage::arrows(st.scene());
  std::set<std::uint64_t> drawn;
  for (const auto& [event, line] : arrows) {
    drawn.insert(event);
    EXPECT_LE(line.first.x, line.second.x + 0.01F) << "no arrow goes back in time";
  }
  EXPECT_EQ(drawn, expected);
}

TEST(Spacetime, ByOrderStepsAreEqualAndArrowsStillGoForward) {
  Stage st;
  st.view.time = {{9_s, 11_s}, true, {}};
  const Scene s = st.scene();
  const auto arrows = Stage::arrows(s);
  ASSERT_GT(arrows.size(), 10U);
  std::vector<float> x;
  for (const auto& [event, line] : arrows) {
    if (st.r.recording->time_of(event) > 11_s) continue;  // on its way out of the picture
    EXPECT_LT(line.first.x, line.second.x) << st.r.recording->time_of(event);
    x.push_back(line.second.x);
  }
  for (std::size_t i = 1; i < x.size(); ++i) EXPECT_GT(x[i], x[i - 1]) << "each event has a step of its own";
  EXPECT_TRUE(remarks(s, "by order"));
}

TEST(Spacetime, AboveTheLimitDensityStandsForMessages) {
  Stage st;
  st.view.arrows_most = 50;
  const Scene s = st.scene();
  EXPECT_EQ(Stage::arrows(s).size(), 0U);
  const auto total = static_cast<std::size_t>(std::count_if(st.r.index->flights().begin(), st.r.index->flights().end(), [&](const Flight& f) { return f.sent <= st.view.time.range.to; }));
  EXPECT_TRUE(remarks(s, fmt::format("{} messages as density", with_commas(total)))) << s.remarks().front();
  EXPECT_GT(count(s, ShapeKind::rectangle, Ink::hue4), 20U);
}

TEST(Spacetime, HiddenLinesTakeTheirMessagesAlong) {
  Stage st;
  st.view.time.range = {9_s, 11_s};
  st.view.lanes = hide(st.facts.lanes, {st.node("B2")});
  EXPECT_EQ(st.view.lanes.size(), st.facts.lanes.size() - 1);
  for (const auto& [event, line] : Stage::arrows(st.scene())) {
    const Event& e = st.r.recording->journal().deliveries[event].event;
    EXPECT_TRUE(e.source != st.node("B2") && e.target != st.node("B2"));
  }
  st.view.lanes = fold(st.facts.lanes, {st.node("B1"), st.node("B2"), st.node("B3")}, "3 brokers");
  ASSERT_EQ(st.view.lanes.size(), st.facts.lanes.size() - 2);
  EXPECT_EQ(st.view.lanes[1].name, "3 brokers");
  EXPECT_EQ(st.view.lanes[1].nodes.size(), 3U);
  const Scene s = st.scene();
  EXPECT_TRUE(shows(s, "3 brokers"));
  EXPECT_TRUE(remarks(s, "within folded lines"));
}

TEST(Spacetime, WhatTheFilterTakesAwayIsNotDrawn) {
  Stage st;
  st.view.time.range = {9_s, 11_s};
  const std::vector<bool> passing = Filter{{Chip::hide(Traffic::heartbeat)}}.passing(*st.r.recording);
  st.view.passing = &passing;
  for (const auto& [event, line] : Stage::arrows(st.scene())) EXPECT_TRUE(passing[event]);
}

TEST(Spacetime, FaultsShadeTheTimeInWhichTheyAreInForce) {
  const Stage st;
  ASSERT_GE(st.facts.timeline.faults.size(), 2U);
  EXPECT_EQ(st.facts.timeline.faults[0].from, 10_s);
  EXPECT_EQ(st.facts.timeline.faults[0].to, 40_s) << "healed";
  const Scene s = st.scene();
  Rect band{};
  for (const Shape& x : s.shapes())
    if (x.kind == ShapeKind::rectangle && x.ink == Ink::fault_band) band = {x.from.x, x.from.y, x.to.x - x.from.x, x.to.y - x.from.y};
  const TimeAxis axis(st.view.time, spacetime_area(1'000, 500, measure).x, spacetime_area(1'000, 500, measure).w);
  EXPECT_NEAR(band.x, axis.x(10_s), 0.5F);
  EXPECT_NEAR(band.right(), axis.x(40_s), 0.5F);
  EXPECT_NE(said(s, EntityId::fault(0)).find("fault from 10.000000 s to 40.000000 s: partition"), std::string::npos);
}

TEST(Spacetime, TheWitnessOfAVerdictIsLitWhateverTheNumber) {
  Stage st;
  const auto& verdicts = st.r.recording->result().verdicts;
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    if (verdicts[i].report.anomaly->name == std::string("lost-message")) st.focus.entity = {EntityId::Kind::verdict, i, 0};
  ASSERT_TRUE(st.focus.entity);
  const Finding& f = verdicts[st.focus.entity.a].report.worst.at(0);
  for (const std::size_t most : {std::size_t{1'500}, std::size_t{10}}) {
    st.view.arrows_most = most;
    const Scene s = st.scene();
    for (const OpIndex op : f.witness) {
      if (st.r.recording->journal().ops[op].process == nobody) continue;  // "drained": on no line
      bool lit = false;
      for (const Shape& x : s.shapes()) lit |= x.ink == Ink::witness && x.entity == EntityId::op(op);
      EXPECT_TRUE(lit) << op;
    }
  }
  EXPECT_EQ(count(Stage().scene(), ShapeKind::circle, Ink::witness), 0U);
}

TEST(Spacetime, TheCursorStandsAtTheEventInFocus) {
  Stage st;
  st.focus.event = st.r.recording->event_before(12_s);
  const Scene s = st.scene();
  const Rect area = spacetime_area(1'000, 500, measure);
  const TimeAxis axis(st.view.time, area.x, area.w);
  float x = -1;
  for (const Shape& shape : s.shapes())
    if (shape.kind == ShapeKind::line && shape.ink == Ink::cursor) x = shape.from.x;
  EXPECT_NEAR(x, axis.x(st.r.recording->time_of(st.focus.event)), 0.5F);
}

TEST(Spacetime, APointOfThePictureIsAnEvent) {
  Stage st;
  st.view.time.range = {9_s, 11_s};
  for (const bool order : {false, true}) {
    st.view.time.by_order = order;
    for (const auto& [event, line] : Stage::arrows(st.scene())) {
      if (st.r.recording->time_of(event) > 11_s) continue;
      const std::size_t at = event_at(*st.r.index, st.view, 1'000, 500, line.second.x + (order ? 0 : 0.6F), measure);
      if (order) EXPECT_EQ(at, event);
      else EXPECT_GE(at, event);
    }
  }
  EXPECT_EQ(event_at(*st.r.index, st.view, 1'000, 500, 1e9F, measure), st.r.recording->event_before(11_s));
}

TEST(Spacetime, TheWitnessHasATimeToLookAt) {
  const Stage st;
  const auto& verdicts = st.r.recording->result().verdicts;
  std::size_t found = 0;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto range = witness_range(*st.r.recording, i);
    ASSERT_EQ(range.has_value(), !verdicts[i].report.worst.empty()) << verdicts[i].report.anomaly->name;
    if (!range) continue;
    ++found;
    for (const OpIndex op : verdicts[i].report.worst[0].witness)
      if (st.r.recording->journal().ops[op].process != nobody) {
        EXPECT_TRUE(range->contains(st.r.recording->journal().ops[op].time));
      }
  }
  EXPECT_GT(found, 0U);
  EXPECT_FALSE(witness_range(*st.r.recording, 10'000));
}

TEST(Spacetime, LabelsDoNotLieOnEachOther) {
  for (const Time to : {11_s, 9'200_ms}) {
    Stage st;
    st.view.time.range = {9_s, to};
    EXPECT_EQ(overlap(st.scene(), measure, 3), "");
  }
}

TEST(Spacetime, ADownNodeHasADashedLine) {
  const auto r = record(R"lua(return scenario { title = "t", cluster = kafka { brokers = 3, controllers = 1 }, topics = { orders = {} },
    clients = { producer "P" { topic = "orders", records = 5, every = ms(500) } }, faults = { at(seconds(3), kill "B2" {}), at(seconds(6), restart "B2" {}), at(seconds(7), pause "B3" { duration = seconds(2) }) }, run_for = seconds(12) })lua");
  const Timeline t = timeline_of(*r.recording->result().world, r.recording->end());
  const NodeId b2 = r.recording->result().world->find("B2"), b3 = r.recording->result().world->find("B3");
  ASSERT_EQ(t.nodes[b2].down.size(), 1U);
  EXPECT_EQ(t.nodes[b2].down[0].from, 3_s);
  EXPECT_EQ(t.nodes[b2].down[0].to, 6_s);
  EXPECT_TRUE(t.nodes[b2].is_down(4_s));
  EXPECT_FALSE(t.nodes[b2].is_down(6_s));
  ASSERT_EQ(t.nodes[b3].paused.size(), 1U);
  EXPECT_EQ(t.nodes[b3].paused[0], (TimeRange{7_s, 9_s}));
  const SpacetimeFacts facts = spacetime_facts(*r.index);
  const Scene s = spacetime(*r.index, facts, {{{0, 12_s}, false, {}}, facts.lanes, nullptr, 1'500, 0}, {}, 1'000, 500, measure);
  bool dashed = false;
  std::size_t doubled = 0;
  for (const Shape& x : s.shapes()) {
    dashed |= x.kind == ShapeKind::line && x.ink == Ink::down && x.dashed && x.entity == EntityId::node(b2);
    doubled += x.kind == ShapeKind::line && x.ink == Ink::paused && x.entity == EntityId::node(b3);
  }
  EXPECT_TRUE(dashed);
  EXPECT_EQ(doubled, 2U);
}

// Any part of any size: nothing is drawn that is not in sight, and nothing falls over.
RC_GTEST_PROP(Spacetime, AnyPartOfARunLooksSensible, (std::uint32_t from, std::uint32_t length, bool order, std::uint16_t w, std::uint16_t h)) {
  static Stage st;
  const Time end = st.r.recording->end();
  const Time begin = static_cast<Time>(from) * 17'000 % end;
  st.view.time = {{begin, begin + 1 + static_cast<Time>(length) * 20}, order, {}};
  const Scene s = st.scene(static_cast<float>(1 + w % 1'500), static_cast<float>(1 + h % 800));
  RC_ASSERT(s.shapes().size() < 30'000U);
  std::size_t total = 0;
  for (const Flight& f : st.r.index->flights()) total += f.from != f.to && f.sent <= st.view.time.range.to && f.arrived >= st.view.time.range.from;
  if (total <= st.view.arrows_most) RC_ASSERT(Stage::arrows(s).size() == total);
}

TEST(Spacetime, ARunInWhichNothingHappensSaysSo) {
  const Stage st;
  const Scene s = spacetime(*st.r.index, st.facts, {st.view.time, {}, nullptr, 1'500, 0}, {}, 400, 300, measure);
  EXPECT_TRUE(shows(s, "All lines are hidden"));
}

}  // namespace
}  // namespace mqlab::gui
