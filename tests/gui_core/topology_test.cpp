// Where nodes stand, what is between them, and what a screen reader hears of it.
#include "gui/core/topology.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include "gui/core/timeline.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
using namespace testing;
const FixedMeasure measure;

// P, B1, B2, B3, C1 (controller), C: everybody talks to the brokers.
struct Stage {
  TopologyFacts facts;
  Journal journal;
  Moment moment;
  std::vector<Flight> flights;
  Time now = 0;
  Focus focus;

  Stage() {
    for (const auto& [name, role] : {std::pair("P", "producer"), {"B1", "broker"}, {"B2", "broker"}, {"B3", "broker"}, {"C1", "controller"}, {"C", "consumer"}}) {
      facts.nodes.push_back({name, role, "", ""});
      moment.nodes.push_back(node(name, role));
      journal.processes.push_back(name);
    }
    facts.links = {{0, 1}, {0, 2}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {2, 3}};
    journal.messages = {{0, "Produce", Traffic::client, nullptr}, {1, "Fetch", Traffic::replication, nullptr}, {2, "Beat", Traffic::heartbeat, nullptr}};
    for (const MessageKind k : {0, 1, 2}) {
      Delivery d;
      d.event.kind = static_cast<std::uint8_t>(EventKind::data);
      d.event.type = k;
      journal.deliveries.push_back(d);
    }
    facts.looks = MessageLooks(journal);
  }
  Scene scene(float w = 800, float h = 600) const {
    TopologyInput in{facts, journal, moment, now, flights, focus};
    Scene s = topology(in, w, h, measure);
    check(s);
    return s;
  }
};

TEST(Topology, ClientsStandOutsideAndControllersBelow) {
  const Stage st;
  const auto boxes = lay_out(st.facts.nodes, {0, 0, 800, 600});
  EXPECT_LT(boxes[0].right(), boxes[1].x) << "the producer is left of the brokers";
  EXPECT_LT(boxes[0].right(), boxes[3].x);
  EXPECT_GT(boxes[5].x, boxes[2].right()) << "the consumer is right of them";
  for (const NodeId b : {1, 2, 3}) EXPECT_GT(boxes[4].y, boxes[b].bottom());
  EXPECT_LT(boxes[1].y, boxes[2].y) << "three brokers are a triangle: no link lies on another";
}

RC_GTEST_PROP(Topology, BoxesDoNotOverlapAndStayInside, (std::uint8_t producers, std::uint8_t brokers, std::uint8_t controllers, std::uint8_t consumers, std::uint8_t zones)) {
  std::vector<TopologyNode> nodes;
  const auto add = [&](int n, const char* role) {
    for (int i = 0; i < n; ++i) nodes.push_back({fmt::format("{}{}", role, i), role, zones % 4 > 1 ? fmt::format("z{}", i % (zones % 4)) : "", ""});
  };
  add(producers % 13, "producer");
  add(1 + brokers % 12, "broker");
  add(controllers % 4, "controller");
  add(consumers % 13, "consumer");
  const Rect area{0, 30, 1'280, 720};
  const auto boxes = lay_out(nodes, area);
  RC_ASSERT(boxes.size() == nodes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Rect& b = boxes[i];
    RC_ASSERT(b.w > 20 && b.h > 15);
    RC_ASSERT(b.x >= area.x - 0.5F && b.right() <= area.right() + 0.5F && b.y >= area.y - 0.5F && b.bottom() <= area.bottom() + 0.5F);
    for (std::size_t k = 0; k < i; ++k) {
      const Rect& o = boxes[k];
      RC_ASSERT(b.right() <= o.x + 0.5F || o.right() <= b.x + 0.5F || b.bottom() <= o.y + 0.5F || o.bottom() <= b.y + 0.5F);
    }
  }
}

TEST(Topology, AMessageStandsAtThePartOfItsWayThatIsOver) {
  Stage st;
  st.flights.push_back({7, 0, 1, 10_ms, 20_ms, 0, Traffic::client});
  std::vector<float> x;
  for (const Time t : {10_ms, 15_ms, 19_ms}) {
    st.now = t;
    const Scene s = st.scene();
    for (const Shape& shape : s.shapes())
      if (shape.entity == EntityId::event(7) && shape.kind == ShapeKind::circle) x.push_back(shape.from.x);
    EXPECT_EQ(said(s, EntityId::event(7)), "Produce from P to B1, under way");
  }
  ASSERT_EQ(x.size(), 3U);
  EXPECT_NEAR(x[1] - x[0], (x[2] - x[0]) * 5 / 9, 0.5F);
  EXPECT_GT(x[2], x[1]);
}

TEST(Topology, KindsDifferByShapeAndHue) {
  const Stage st;
  const MessageLook produce = st.facts.looks.of(0), fetch = st.facts.looks.of(1), beat = st.facts.looks.of(2);
  EXPECT_NE(produce.shape, fetch.shape);
  EXPECT_NE(produce.ink, fetch.ink);
  EXPECT_TRUE(beat.small);
  EXPECT_EQ(conversation_of("ProduceReply"), "Produce");
  EXPECT_EQ(conversation_of("queue.declare-ok"), "queue.declare");
  EXPECT_EQ(conversation_of("basic.ack"), "basic.ack") << "no answer";
}

TEST(Topology, ACutIsABrokenLinkWithACross) {
  Stage st;
  EXPECT_EQ(count(st.scene(), ShapeKind::cross, Ink::fault), 0U);
  st.moment.faults.push_back({0, "partition {B1} | {B2, B3}", FaultKind::partition, {{1}, {2, 3}}, true});
  const Scene s = st.scene();
  EXPECT_EQ(count(s, ShapeKind::cross, Ink::fault), 3U) << "two links, and the line that names the fault";
  EXPECT_EQ(said(s, EntityId::link(1, 2)), "B1 and B2 do not see each other: partition {B1} | {B2, B3}");
  EXPECT_EQ(said(s, EntityId::link(2, 3)), "") << "not cut";
  EXPECT_TRUE(shows(s, "partition {B1}"));
  st.moment.faults[0] = {0, "one_way B1 to B2", FaultKind::one_way, {{1}, {2}}, true};
  EXPECT_EQ(said(st.scene(), EntityId::link(1, 2)), "B1 does not reach B2: one_way B1 to B2");
}

// A cut of some classes of traffic leaves the others through: the link stays whole, and the cross says what does not pass.
TEST(Topology, ACutOfOneClassOfTrafficSaysWhichAndLeavesTheLinkWhole) {
  Stage st;
  const auto link_is_broken = [&](const Scene& s) {
    for (const Shape& x : s.shapes())
      if (x.kind == ShapeKind::line && x.entity == EntityId::link(1, 2)) return x.dashed;
    return false;
  };
  st.facts.carried.assign(st.facts.links.size(), traffic_bit(Traffic::client) | traffic_bit(Traffic::replication));
  st.facts.traffic = {traffic_bit(Traffic::replication), traffic_bit(Traffic::client), traffic_bit(Traffic::heartbeat)};
  st.moment.faults.push_back({0, "partition B1 | B2 (replication)", FaultKind::partition, {{1}, {2}}, true});
  const Scene part = st.scene();
  EXPECT_FALSE(link_is_broken(part));
  EXPECT_TRUE(shows(part, "replication"));
  EXPECT_EQ(count(part, ShapeKind::cross, Ink::fault), 2U) << "the link, and the line that names the fault";
  EXPECT_EQ(said(part, EntityId::link(1, 2)), "B1 and B2 do not see each other for replication: partition B1 | B2 (replication)");
  st.moment.faults.push_back({1, "partition B1 | B2 (client)", FaultKind::partition, {{1}, {2}}, true});
  EXPECT_TRUE(link_is_broken(st.scene())) << "two cuts stop all that the link carries";
  EXPECT_EQ(said(st.scene(), EntityId::link(1, 2)), "B1 and B2 do not see each other: partition B1 | B2 (replication)");
  st.moment.faults = {{2, "partition B1 | B2 (heartbeat)", FaultKind::partition, {{1}, {2}}, true}};
  EXPECT_EQ(said(st.scene(), EntityId::link(1, 2)), "") << "no heartbeat ever goes over this link: nothing is cut";
  EXPECT_EQ(traffic_words(all_traffic), "everything");
  EXPECT_EQ(traffic_words(traffic_bit(Traffic::client) | traffic_bit(Traffic::heartbeat)), "client and heartbeat");
}

TEST(Topology, ALowPictureHasControllersBesideTheServersAndAllNames) {
  const Stage st;
  for (const auto& [w, h] : {std::pair(455.0F, 190.0F), {640.0F, 170.0F}, {313.0F, 180.0F}}) {
    const Scene s = st.scene(w, h);
    for (const TopologyNode& n : st.facts.nodes) EXPECT_TRUE(shows(s, n.name)) << n.name << " in " << w << " x " << h;
    EXPECT_EQ(overlap(s, measure), "") << w << " x " << h;
  }
}

TEST(Topology, FaultsThatHaveNoRoomAreCounted) {
  Stage st;
  for (std::size_t i = 0; i < 6; ++i) st.moment.faults.push_back({i, fmt::format("slow B{}", i), FaultKind::slow, {{1}}, false});
  EXPECT_TRUE(shows(st.scene(800, 700), "slow B2"));
  EXPECT_TRUE(shows(st.scene(800, 700), "3 more faults in force"));
  EXPECT_TRUE(shows(st.scene(500, 200), "slow B0, and 5 more"));
  EXPECT_EQ(overlap(st.scene(500, 200), measure), "");
}

TEST(Topology, ANodeThatIsDownLooksSoWithoutColour) {
  Stage st;
  st.moment.nodes[1] = node("B1", "broker", false);
  st.moment.nodes[2] = node("B2", "broker", true, true);
  const Scene s = st.scene();
  EXPECT_EQ(said(s, EntityId::node(1)), "broker B1, down");
  EXPECT_EQ(said(s, EntityId::node(2)), "broker B2, paused");
  EXPECT_TRUE(shows(s, "down"));
  EXPECT_TRUE(shows(s, "paused"));
  bool dashed = false;
  for (const Shape& shape : s.shapes()) dashed |= shape.kind == ShapeKind::rectangle && shape.dashed && shape.entity == EntityId::node(1);
  EXPECT_TRUE(dashed);
  EXPECT_EQ(count(s, ShapeKind::cross, Ink::down), 1U);
}

TEST(Topology, ALeaderHasAStarAndThePlacesItLeads) {
  Stage st;
  st.moment.places.push_back({.place = "orders/0", .node = 2, .leads = true});
  st.moment.places.push_back({.place = "__consumer_offsets/0", .node = 3, .leads = true});
  const Scene s = st.scene();
  EXPECT_EQ(count(s, ShapeKind::star, Ink::leader), 1U);
  EXPECT_TRUE(shows(s, "orders/0"));
  EXPECT_NE(said(s, EntityId::node(2)).find("leads orders/0"), std::string::npos);
}

TEST(Topology, NothingMovesWhenAFaultBeginsOrANodeDies) {
  Stage st;
  const auto boxes = [](const Scene& s) {
    std::map<std::uint64_t, Rect> out;
    for (const Named& n : s.named())
      if (n.entity.kind == EntityId::Kind::node) out[n.entity.a] = n.bounds;
    return out;
  };
  const auto before = boxes(st.scene());
  st.moment.nodes[1].running = false;
  st.moment.faults.push_back({0, "isolate B3", FaultKind::isolate, {{3}}, true});
  st.moment.faults.push_back({1, "slow B2", FaultKind::slow, {{2}}, false});
  EXPECT_EQ(boxes(st.scene()), before);
}

TEST(Topology, EmptyTinyAndHugeWorldsLookSensible) {
  {
    const TopologyFacts facts;
    const Journal journal;
    const Moment moment;
    const Scene s = topology({facts, journal, moment}, 640, 480, measure);
    check(s);
    EXPECT_TRUE(shows(s, "no nodes yet"));
  }
  Stage st;
  for (const auto& [w, h] : {std::pair(1.0F, 1.0F), {60.0F, 40.0F}, {200.0F, 120.0F}, {3'000.0F, 2'000.0F}}) st.scene(w, h);
  Stage huge;
  for (int i = 0; i < 40; ++i) {
    huge.facts.nodes.push_back({fmt::format("B{}", i + 10), "broker", "", ""});
    huge.moment.nodes.push_back(node(fmt::format("B{}", i + 10), "broker"));
    huge.journal.processes.push_back(fmt::format("B{}", i + 10));
  }
  for (std::uint32_t i = 0; i < 400; ++i) huge.flights.push_back({i, i % 40, (i + 7) % 40, 0, 10_ms, static_cast<MessageKind>(i % 3), Traffic::client});
  huge.now = 5_ms;
  const Scene s = huge.scene(1'280, 800);
  EXPECT_TRUE(remarks(s, "400 messages under way"));
}

TEST(Topology, WhatACutHoldsUpWaitsNearItsSender) {
  Stage st;
  st.flights.push_back({7, 1, 2, 10_ms, 20_ms, 1, Traffic::replication});
  st.now = 19_ms;
  const auto way = [&] {
    const Scene s = st.scene();
    for (const Shape& x : s.shapes())
      if (x.kind == ShapeKind::diamond && x.entity == EntityId::event(7)) return x.from.y;
    return -1.0F;
  };
  const float free = way();
  st.moment.faults.push_back({0, "isolate B2", FaultKind::isolate, {{2}}, true});
  st.facts.traffic = {all_traffic};
  EXPECT_LT(way(), free - 50);
  EXPECT_EQ(said(st.scene(), EntityId::event(7)), "Fetch from B1 to B2, held up by a cut");
  st.facts.traffic = {traffic_bit(Traffic::heartbeat)};
  EXPECT_EQ(way(), free) << "a cut for heartbeats alone";
}

// Against World::cuts, which is not open: what is sent and handled while a cut is in force does not cross it.
TEST(Topology, WhatIsShownAsCutLetsNothingThrough) {
  const auto& [recording, index] = recorded("showcase.lua");
  const TopologyFacts facts = topology_facts(*index);
  const Timeline timeline = timeline_of(*recording->result().world, recording->end());
  std::size_t looked = 0;
  for (const Flight& f : index->flights())
    for (const FaultBand& band : timeline.faults) {
      if (band.at_once() || f.sent <= band.from || f.arrived >= band.to) continue;
      const auto& fault = recording->result().world->faults()[band.fault];
      ++looked;
      EXPECT_FALSE(cuts({band.fault, "", band.kind, fault.nodes, true}, f.from, f.to)) << f.from << " to " << f.to << " at " << f.arrived;
    }
  EXPECT_GT(looked, 100U);
  for (std::size_t e = 0; e < recording->events(); e += 37) {
    const auto moment = recording->moment(e);
    check(topology(*index, facts, *moment, moment->time, {}, 900, 600, measure));
  }
}

}  // namespace
}  // namespace mqlab::gui
