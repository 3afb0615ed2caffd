// Datagrams: loss, duplication and reordering as such; and the links that both kinds of traffic use.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

Fault with_ratio(Fault f, Ratio r) {
  f.ratio = r;
  return f;
}

// How many of a thousand reach B.
std::size_t of_a_thousand(Stage& s) {
  const std::size_t before = s.peer(B).heard.size();
  for (int i = 0; i < 1'000; ++i) s.tell(A, B, std::to_string(i));
  s.quiet();
  return s.peer(B).heard.size() - before;
}

}  // namespace

TEST(Datagram, ArrivesOnceAfterTheLatency) {
  Stage s(2);
  s.tell(A, B, "hello");
  s.quiet();
  EXPECT_EQ(s.heard(B), "hello");
  EXPECT_EQ(s.when(B, "hello"), 1_ms);
}

TEST(Datagram, LossLoses) {
  Stage s(2);
  const std::size_t f = s.inject(with_ratio(fault(FaultKind::loss, {{"A"}, {"B"}}), {1, 4}));
  const std::size_t got = of_a_thousand(s);
  EXPECT_NEAR(static_cast<double>(got), 750, 60);
  EXPECT_EQ(s.bites(f), 1'000 - got);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

TEST(Datagram, DuplicationDeliversTwice) {
  Stage s(2);
  const std::size_t f = s.inject(with_ratio(fault(FaultKind::duplicate_datagrams), {1, 4}));
  const std::size_t got = of_a_thousand(s);
  EXPECT_NEAR(static_cast<double>(got), 1'250, 60);
  EXPECT_EQ(s.bites(f), got - 1'000);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

TEST(Datagram, ReorderingOvertakes) {
  Stage s(2);
  const std::size_t f = s.inject(with_ratio(fault(FaultKind::reorder_datagrams), {1, 4}));
  EXPECT_EQ(of_a_thousand(s), 1'000U);
  const std::vector<std::string>& heard = s.peer(B).heard;
  int falls = 0;
  for (std::size_t i = 2; i < heard.size(); ++i) falls += std::stoi(heard[i]) < std::stoi(heard[i - 1]);
  EXPECT_GT(falls, 100);
  EXPECT_NEAR(static_cast<double>(s.bites(f)), 250, 60);
}

TEST(Datagram, ACutStopsItWhenItIsSentAndWhenItArrives) {
  Stage s(2);
  s.tell(A, B, "met the cut on its way");
  s.run(500_us);
  const std::size_t f = s.inject(fault(FaultKind::partition, {{"A"}}, 100_us));
  s.tell(A, B, "sent into the cut");
  s.run(700_us);
  s.tell(A, B, "after it");
  s.quiet();
  EXPECT_EQ(s.heard(B), "met the cut on its way after it");
  EXPECT_EQ(s.bites(f), 1U);
  s.tell(A, B, "x");
  s.run(500_us);
  const std::size_t g = s.inject(fault(FaultKind::partition, {{"A"}}));
  s.quiet();
  EXPECT_EQ(s.bites(g), 1U);
  EXPECT_EQ(s.peer(B).heard.back(), "after it");
}

// Turning a fault on or off moves no draw of the network: each send draws as often as before, so every other
// datagram takes as long as before.
TEST(Datagram, AFaultShiftsNoOtherDraw) {
  const auto times = [](bool faulty) {
    WorldOptions o = plain_options();
    o.link.shape = LatencyShape::exponential;
    o.link.spread = 1_ms;
    Stage s(3, o);
    const ConnId c = s.connect(A, B);
    s.quiet();
    if (faulty) {
      s.inject(with_ratio(fault(FaultKind::loss, {{"A"}, {"B"}}), {1, 2}));
      s.inject(with_ratio(fault(FaultKind::duplicate_datagrams, {{"A"}, {"B"}}), {1, 2}));
      s.inject(fault(FaultKind::one_way, {{"A"}, {"B"}}, 3_ms));
    }
    for (int i = 0; i < 200; ++i) {
      s.tell(A, B, "x");
      s.send(A, c, "y");
      s.tell(A, C, "z");
      s.run(100_us);
    }
    s.quiet();
    return s.peer(C).when;
  };
  EXPECT_EQ(times(false), times(true));
}

TEST(Link, LatencyShapes) {
  for (LatencyShape shape : {LatencyShape::constant, LatencyShape::uniform, LatencyShape::exponential, LatencyShape::bimodal}) {
    Stage s(2);
    Fault f = fault(FaultKind::latency, {{"A"}, {"B"}});
    f.amount = 10_ms;
    f.spread = shape == LatencyShape::bimodal ? 500_ms : 10_ms;
    f.shape = shape;
    f.ratio = {1, 10};
    const std::size_t i = s.inject(f);
    EXPECT_EQ(s.bites(i), 0U);
    double sum = 0;
    for (int k = 0; k < 2'000; ++k) {
      const Time begin = s.world.now();
      s.tell(A, B, std::to_string(k));
      s.quiet();
      sum += static_cast<double>(s.world.now() - begin) / 1e6;
    }
    const double expected = shape == LatencyShape::constant ? 10 : shape == LatencyShape::uniform ? 15 : shape == LatencyShape::exponential ? 20 : 59;
    EXPECT_NEAR(sum / 2'000, expected, expected / 10);
    EXPECT_EQ(s.bites(i), 1U);
    s.inject(fault(FaultKind::heal));
    const Time begin = s.world.now();
    s.tell(A, B, "healed");
    s.quiet();
    EXPECT_EQ(s.world.now() - begin, 1_ms);
  }
}

TEST(Link, TrafficClassesAreCutApart) {
  Stage s(2);
  Fault cut = fault(FaultKind::partition, {{"A"}, {"B"}});
  cut.traffic = traffic_bit(Traffic::replication);
  s.inject(cut);
  s.tell(A, B, "fetch", Traffic::replication);
  s.tell(A, B, "produce", Traffic::client);
  s.tell(A, B, "beat", Traffic::heartbeat);
  const ConnId c = s.connect(A, B, Traffic::control);
  s.send(A, c, "elect");
  s.quiet();
  EXPECT_EQ(s.heard(B), "produce beat elect");
}

TEST(Link, RegionsAreFarApart) {
  World world(1, plain_options());
  const auto add = [&](const char* name, const char* region) {
    NodeOptions o;
    o.name = name;
    o.region = region;
    return world.add_node(std::make_unique<Peer>(), o);
  };
  const NodeId e1 = add("e1", "eu"), e2 = add("e2", "eu"), u = add("u", "us"), a = add("a", "asia");
  world.set_region_link("eu", "asia", {.latency = 100_ms, .spread = 0, .shape = LatencyShape::constant});
  world.set_region_link("asia", "eu", {.latency = 120_ms, .spread = 0, .shape = LatencyShape::constant});
  world.set_region_link("us", "asia", {.latency = 80_ms, .spread = 0, .shape = LatencyShape::constant});
  world.set_link(e1, e2, {.latency = 7_ms, .spread = 0, .shape = LatencyShape::constant});
  world.run_until(0);
  const auto takes = [&](NodeId from, NodeId to) {
    const Time begin = world.now();
    Context(world, from).datagram(to, say, nullptr);
    while (world.step()) {
    }
    return world.now() - begin;
  };
  EXPECT_EQ(takes(e1, e2), 7_ms);
  EXPECT_EQ(takes(e2, e1), 1_ms);
  EXPECT_EQ(takes(e1, u), 40_ms);
  EXPECT_EQ(takes(e1, a), 100_ms);
  EXPECT_EQ(takes(a, e2), 120_ms);
  EXPECT_EQ(takes(a, u), 80_ms);  // set one way, good for both
}

// A node that joins while the world runs, inside a handler of another.
TEST(Link, ANodeMayJoinAtAnyTime) {
  Stage s(2);
  s.peer(A).then = [](Context& c, const std::string& what) {
    if (what != "join") return;
    NodeOptions o;
    o.name = "late";
    const NodeId late = c.world().add_node(std::make_unique<Peer>(), o);
    c.datagram(late, say, make_payload<Text>("welcome"));
    c.work(1_ms);
  };
  s.tell(B, A, "join");
  s.quiet();
  EXPECT_EQ(s.heard(2), "welcome");
}
