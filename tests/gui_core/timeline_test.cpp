// What lasts: faults until they end, are healed, or the run is over; nodes that are down or stand still.
#include "gui/core/timeline.h"

#include <gtest/gtest.h>

#include "gui/core/labels.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;

struct Story {
  Journal journal;
  std::vector<ArmedFault> faults;

  std::size_t arm(FaultKind kind, std::vector<std::vector<NodeId>> nodes, const std::string& label = "", Duration amount = 0) {
    ArmedFault f;
    f.fault.kind = kind;
    f.fault.label = label;
    f.fault.amount = amount;
    f.nodes = std::move(nodes);
    for (const auto& group : f.nodes) {
      auto& targets = f.fault.groups.emplace_back();
      for (const NodeId n : group) targets.push_back("B" + std::to_string(n));
    }
    faults.push_back(std::move(f));
    return faults.size() - 1;
  }
  void mark(Time t, const char* name, NodeId node = nobody, std::string text = {}) {
    Mark m;
    m.time = t;
    m.name = journal.names.id(name);
    m.node = node;
    m.text = std::move(text);
    journal.marks.push_back(std::move(m));
  }
  void fires(Time t, std::size_t fault) { mark(t, "fault", nobody, describe(faults[fault].fault)); }
  void ends(Time t, std::size_t fault) { mark(t, "fault_ended", nobody, describe(faults[fault].fault)); }
  Timeline timeline(Time end = 100_s) const { return timeline_of(journal, faults, 4, end); }
};

TEST(Timeline, AFaultLastsUntilItEndsOrTheRunIsOver) {
  Story s;
  const auto slow = s.arm(FaultKind::slow, {{1}}), cut = s.arm(FaultKind::isolate, {{2}}), kill = s.arm(FaultKind::kill, {{3}});
  s.fires(10_s, slow);
  s.fires(12_s, cut);
  s.fires(13_s, kill);
  s.ends(15_s, slow);
  const Timeline t = s.timeline();
  ASSERT_EQ(t.faults.size(), 3U);
  EXPECT_EQ(t.faults[0].to, 15_s);
  EXPECT_EQ(t.faults[0].nodes, (std::vector<NodeId>{1}));
  EXPECT_EQ(t.faults[1].to, 100_s) << "nobody ended it";
  EXPECT_TRUE(t.faults[2].at_once());
}

TEST(Timeline, AHealEndsLinkFaultsOfItsLabelAndNoOthers) {
  Story s;
  const auto a = s.arm(FaultKind::isolate, {{1}}, "a"), b = s.arm(FaultKind::isolate, {{2}}, "b"), slow = s.arm(FaultKind::slow, {{3}});
  const auto heal_a = s.arm(FaultKind::heal, {}, "a"), heal = s.arm(FaultKind::heal, {});
  s.fires(1_s, a);
  s.fires(2_s, b);
  s.fires(3_s, slow);
  s.fires(4_s, heal_a);
  s.fires(5_s, heal);
  const Timeline t = s.timeline();
  EXPECT_EQ(t.faults[0].to, 4_s);
  EXPECT_EQ(t.faults[1].to, 5_s);
  EXPECT_EQ(t.faults[2].to, 100_s) << "a slow node is no matter of links";
  EXPECT_TRUE(t.faults[3].at_once());
}

TEST(Timeline, FaultsThatReadTheSameHaveEachTheirTurn) {
  Story s;
  const auto first = s.arm(FaultKind::kill, {{1}}), second = s.arm(FaultKind::kill, {{1}});
  s.fires(1_s, first);
  s.fires(2_s, second);
  s.fires(3_s, second);
  const Timeline t = s.timeline();
  ASSERT_EQ(t.faults.size(), 3U);
  EXPECT_EQ(t.faults[0].fault, first);
  EXPECT_EQ(t.faults[1].fault, second);
  EXPECT_EQ(t.faults[2].fault, second) << "it came again";
}

// Words of faults that begin together stand below each other, but not in the lines of nodes.
TEST(Timeline, WordsOfFaultsEndWhereTheLinesBegin) {
  Story s;
  for (const NodeId n : {NodeId{1}, NodeId{2}, NodeId{3}}) s.fires(10_s, s.arm(FaultKind::kill, {{n}}));
  const Timeline t = s.timeline();
  ASSERT_EQ(t.faults.size(), 3U);
  const FixedMeasure measure;
  const TimeAxis axis({.range = {0, 100_s}}, 100, 600);
  const auto rows = [&](float until) {
    Scene scene(800, 300);
    Occupancy taken(800, 300);
    draw_fault_bands(scene, t, axis, 20, 280, &measure, &taken, until);
    std::vector<float> out;
    for (const Shape& x : scene.shapes())
      if (x.kind == ShapeKind::text) out.push_back(x.from.y);
    return out;
  };
  EXPECT_GE(rows(1e9F).size(), 2U);
  EXPECT_EQ(rows(36).size(), 1U);
  for (const float until : {20.0F, 40.0F, 55.0F, 80.0F})
    for (std::size_t i = 1; i < rows(until).size(); ++i) EXPECT_LE(rows(until)[i] + measure.line_height(0.85F), until);
}

TEST(Timeline, ANodeIsDownFromItsDeathToItsStart) {
  Story s;
  s.mark(1_s, "paused", 1);
  s.mark(2_s, "killed", 1);
  s.mark(3_s, "restarted", 1);
  s.mark(4_s, "stopped", 1);
  s.mark(5_s, "power_lost", 1);
  s.mark(6_s, "paused", 2);
  const Timeline t = s.timeline(10_s);
  EXPECT_EQ(t.nodes[1].paused, (std::vector<TimeRange>{{1_s, 2_s}})) << "the dead do not stand still";
  EXPECT_EQ(t.nodes[1].down, (std::vector<TimeRange>{{2_s, 3_s}, {4_s, 10_s}}));
  EXPECT_TRUE(t.nodes[1].is_down(4_s));
  EXPECT_FALSE(t.nodes[1].is_down(3_s));
  EXPECT_EQ(t.nodes[2].paused, (std::vector<TimeRange>{{6_s, 10_s}}));
  EXPECT_TRUE(t.nodes[3].down.empty());
}

// Against the world itself: who is down at a moment, by the timeline and by the moment.
TEST(Timeline, AgreesWithTheMoments) {
  const auto r = testing::record(R"lua(return scenario { title = "t", cluster = kafka { brokers = 3, controllers = 1 }, topics = { orders = {} },
    clients = { producer "P" { topic = "orders", records = 5, every = ms(500) } },
    faults = { at(seconds(2), kill "B2" { duration = seconds(2) }), at(seconds(5), stop "B3" {}), at(seconds(8), restart "B3" {}), at(seconds(9), power "B1" {}), at(seconds(9.5), pause "B2" { duration = seconds(1) }) }, run_for = seconds(12) })lua");
  const Timeline t = timeline_of(*r.recording->result().world, r.recording->end());
  std::size_t down = 0, paused = 0;
  for (std::size_t e = 0; e < r.recording->events(); e += 3) {
    const auto m = r.recording->moment(e);
    if (e + 1 < r.recording->events() && r.recording->time_of(e + 1) == m->time) continue;  // the instant is not over
    for (NodeId n = 0; n < m->nodes.size(); ++n) {
      if (m->nodes[n].name == "R") continue;  // comes later
      EXPECT_EQ(!m->nodes[n].running, t.nodes[n].is_down(m->time)) << m->nodes[n].name << " at " << m->time;
      down += !m->nodes[n].running;
      if (!m->nodes[n].running) continue;
      const bool stands = std::any_of(t.nodes[n].paused.begin(), t.nodes[n].paused.end(), [&](const TimeRange& x) { return x.contains(m->time); });
      EXPECT_EQ(m->nodes[n].paused, stands) << m->nodes[n].name << " at " << m->time;
      paused += stands;
    }
  }
  EXPECT_GT(down, 10U);
  EXPECT_GT(paused, 0U);
}

}  // namespace
}  // namespace mqlab::gui
