// Faults as rows: whom they name, when they come due, how long they last, and whether they bit.
#include "sim/world/fault.h"

#include <set>

#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

// Who hears a datagram of whom: "AB" means B heard A.
std::set<std::string> sees(Stage& s) {
  std::set<std::string> out;
  const std::size_t n = s.world.node_count();
  std::vector<std::size_t> before;
  for (NodeId a = 0; a < n; ++a) before.push_back(s.peer(a).heard.size());
  for (NodeId a = 0; a < n; ++a)
    for (NodeId b = 0; b < n; ++b)
      if (a != b) s.tell(a, b, s.world.name(a));
  s.run(20_ms);
  for (NodeId b = 0; b < n; ++b)
    for (std::size_t i = before[b]; i < s.peer(b).heard.size(); ++i) out.insert(s.peer(b).heard[i] + s.world.name(b));
  return out;
}

std::set<std::string> pairs(const std::string& text) {
  std::set<std::string> out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 3) out.insert(text.substr(i, 2));
  return out;
}

Trigger on(Trigger::On what, std::string name) {
  Trigger t;
  t.on = what;
  t.name = std::move(name);
  return t;
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// Whom.

TEST(Partition, TwoSides) {
  Stage s(4);
  s.inject(fault(FaultKind::partition, {{"A", "B"}, {"C"}}));
  EXPECT_EQ(sees(s), pairs("AB BA AD BD CD DA DB DC"));  // D is in no group: it talks to all
}

TEST(Partition, OneSideAgainstTheRest) {
  Stage s(4);
  s.inject(fault(FaultKind::partition, {{"A", "B"}}));
  EXPECT_EQ(sees(s), pairs("AB BA CD DC"));
}

TEST(Partition, RestByName) {
  Stage s(4);
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}, {"rest"}}));
  EXPECT_EQ(sees(s), pairs("CD DC"));
}

TEST(Partition, ANodeOnBothSidesSeesBoth) {
  Stage s(3);
  s.inject(fault(FaultKind::partition, {{"A", "B"}, {"B", "C"}}));
  EXPECT_EQ(sees(s), pairs("AB BA BC CB"));
}

TEST(Partition, OneWayIsolateBridge) {
  Stage s(3);
  s.inject(fault(FaultKind::one_way, {{"A"}, {"B"}}, 100_ms));
  EXPECT_EQ(sees(s), pairs("BA AC CA BC CB"));
  s.run(100_ms);
  s.inject(fault(FaultKind::one_way, {{"A"}}, 100_ms));  // no other side named: to everybody
  EXPECT_EQ(sees(s), pairs("BA CA BC CB"));
  s.run(100_ms);
  s.inject(fault(FaultKind::isolate, {{"B"}}, 100_ms));
  EXPECT_EQ(sees(s), pairs("AC CA"));
  s.run(100_ms);
  s.inject(fault(FaultKind::bridge, {{"A"}, {"B"}}, 100_ms));
  EXPECT_EQ(sees(s), pairs("AC CA BC CB"));
  s.run(100_ms);
  EXPECT_EQ(sees(s).size(), 6U);
}

// Each sees a majority, itself included, both ways, and no two see the same.
TEST(Partition, RingGivesEachItsOwnMajority) {
  for (std::size_t n = 3; n <= 7; ++n) {
    Stage s(static_cast<int>(n));
    s.inject(fault(FaultKind::ring, {{"all node"}}));
    const std::set<std::string> seen = sees(s);
    EXPECT_LT(seen.size(), n * (n - 1));
    std::set<std::set<char>> views;
    for (NodeId a = 0; a < n; ++a) {
      std::set<char> view{s.world.name(a)[0]};
      for (NodeId b = 0; b < n; ++b)
        if (seen.contains(s.world.name(a) + s.world.name(b)) && seen.contains(s.world.name(b) + s.world.name(a))) view.insert(s.world.name(b)[0]);
      EXPECT_GT(view.size() * 2, n);
      views.insert(view);
    }
    EXPECT_EQ(views.size(), n);
  }
}

TEST(Partition, HealByLabelAndAll) {
  Stage s(3);
  Fault a = fault(FaultKind::isolate, {{"A"}}), b = fault(FaultKind::isolate, {{"B"}}), heal = fault(FaultKind::heal);
  a.label = "a";
  b.label = "b";
  s.inject(a);
  s.inject(b);
  heal.label = "a";
  const std::size_t h = s.inject(heal);
  EXPECT_EQ(sees(s), pairs("AC CA"));
  heal.label.clear();
  s.inject(heal);
  EXPECT_EQ(sees(s).size(), 6U);
  EXPECT_EQ(s.bites(h), 1U);
  const std::size_t again = s.inject(heal);
  EXPECT_EQ(s.bites(again), 0U);
}

// Healed, and set again: the end of the first one's duration is not the end of the second.
TEST(Partition, AnOldEndDoesNotEndANewBeginning) {
  Stage s(2);
  Trigger each = on(Trigger::On::mark, "go");
  each.every = true;
  s.world.arm(fault(FaultKind::isolate, {{"A"}}, 100_ms), each);
  s.as(A).mark("go");
  s.run(50_ms);
  s.inject(fault(FaultKind::heal));
  s.as(A).mark("go");
  s.run(70_ms);  // the first would have ended by now
  EXPECT_EQ(sees(s).size(), 0U);
  s.run(100_ms);
  EXPECT_EQ(sees(s).size(), 2U);
}

TEST(Target, PlacesAndQuantifiers) {
  World world(3, plain_options());
  for (int i = 0; i < 5; ++i) {
    NodeOptions o;
    o.name = "b" + std::to_string(i);
    o.role = "broker";
    o.zone = i < 2 ? "a" : "b";
    o.rack = i < 1 ? "r1" : "r2";
    o.region = i == 4 ? "us" : "eu";
    o.machine = "m" + std::to_string(i / 2);
    world.add_node(std::make_unique<Peer>(), o);
  }
  std::string complaint;
  const auto count = [&](const char* target) { return world.resolve(target, &complaint).size(); };
  EXPECT_EQ(count("b3"), 1U);
  EXPECT_EQ(count("zone a"), 2U);
  EXPECT_EQ(count("rack r2"), 4U);
  EXPECT_EQ(count("region us"), 1U);
  EXPECT_EQ(count("machine m0"), 2U);
  EXPECT_EQ(count("one broker"), 1U);
  EXPECT_EQ(count("minority broker"), 2U);
  EXPECT_EQ(count("majority broker"), 3U);
  EXPECT_EQ(count("all broker"), 5U);
  EXPECT_EQ(complaint, "");
  EXPECT_EQ(count("one client"), 0U);
  EXPECT_NE(complaint, "");
  EXPECT_TRUE(world.knows_target("zone a"));
  EXPECT_TRUE(world.knows_target("leader x"));
  EXPECT_TRUE(world.knows_target("rest"));
  EXPECT_FALSE(world.knows_target("zone z"));
  EXPECT_FALSE(world.knows_target("one client"));
  EXPECT_FALSE(world.knows_target("b9"));
  // Drawn anew each time, and over time everybody.
  std::set<NodeId> drawn;
  for (int i = 0; i < 100; ++i) drawn.insert(world.resolve("one broker", nullptr)[0]);
  EXPECT_EQ(drawn.size(), 5U);
}

TEST(Target, ARoleIsWhoHasItWhenTheFaultComesDue) {
  Stage s(3);
  s.world.set_resolver([](const World& w, std::string_view role, std::string_view argument) {
    std::vector<NodeId> out;
    if (role == "leader" && argument == "orders/0") out.push_back(w.now() < 1_s ? A : B);
    if (role == "broken") out = {77, A};
    return out;
  });
  s.world.arm(fault(FaultKind::kill, {{"leader orders/0"}}), at(2_s));
  s.run(3_s);
  EXPECT_TRUE(s.world.running(A));
  EXPECT_FALSE(s.world.running(B));
  const std::size_t f = s.inject(fault(FaultKind::kill, {{"leader nothing"}}));
  EXPECT_EQ(s.bites(f), 0U);
  EXPECT_NE(s.world.faults()[f].complaint, "");
  s.inject(fault(FaultKind::kill, {{"broken x"}}));
  EXPECT_FALSE(s.world.running(A));
}

// ---------------------------------------------------------------------------------------------
// When.

TEST(Triggers, AtATime) {
  Stage s(1);
  s.world.arm(fault(FaultKind::kill, {{"A"}}), at(5_s));
  s.run(4'999_ms);
  EXPECT_TRUE(s.world.running(A));
  s.run(1_ms);
  EXPECT_FALSE(s.world.running(A));
}

TEST(Triggers, AtAMarkByPlaceAndNumber) {
  Stage s(3);
  Trigger t = when_mark("elected", 10_ms);
  t.place = "orders/0";
  t.from = "B";
  t.nth = 2;
  s.world.arm(fault(FaultKind::kill, {{"C"}}), t);
  s.as(B).mark("elected", "orders/1");
  s.as(A).mark("elected", "orders/0");
  s.as(B).mark("elected", "orders/0");
  s.run(1_s);
  EXPECT_TRUE(s.world.running(C));
  s.as(B).mark("elected", "orders/0");
  s.run(9_ms);
  EXPECT_TRUE(s.world.running(C));
  s.run(1_ms);
  EXPECT_FALSE(s.world.running(C));
  s.world.start(C);
  s.run(1_ms);
  s.as(B).mark("elected", "orders/0");  // the third: it was for the second only
  s.run(1_s);
  EXPECT_TRUE(s.world.running(C));
}

TEST(Triggers, AtAMessageSentAndDelivered) {
  Stage s(3);
  Trigger sent = on(Trigger::On::message_sent, "Say"), delivered = on(Trigger::On::message_delivered, "Say");
  sent.from = "A";
  sent.to = "node";  // a role
  delivered.to = "B";
  const Fault mark_c = fault(FaultKind::pause, {{"C"}}), mark_a = fault(FaultKind::pause, {{"A"}});
  s.world.arm(mark_c, sent);
  s.world.arm(mark_a, delivered);
  s.tell(B, A, "other way");
  s.tell(A, B, "other kind", Traffic::client, fetch);
  s.run(10_ms);
  EXPECT_FALSE(s.world.paused(C));
  s.tell(A, B, "this one");
  s.run(500_us);
  EXPECT_TRUE(s.world.paused(C));
  EXPECT_FALSE(s.world.paused(A));
  s.run(1_ms);
  EXPECT_TRUE(s.world.paused(A));
}

TEST(Triggers, AtAnOperation) {
  Stage s(2);
  Trigger t = on(Trigger::On::op, "send ok");
  t.place = "orders/0";
  t.from = "A";
  s.world.arm(fault(FaultKind::kill, {{"B"}}), t);
  Op op;
  op.kind = OpKind::send;
  op.outcome = Outcome::ok;
  op.place = s.world.journal.names.id("orders/1");
  s.as(A).record(op);
  op.place = s.world.journal.names.id("orders/0");
  op.outcome = Outcome::fail;
  s.as(A).record(op);
  s.run(1_ms);
  EXPECT_TRUE(s.world.running(B));
  op.outcome = Outcome::ok;
  s.as(A).record(op);
  s.run(1_ms);
  EXPECT_FALSE(s.world.running(B));
}

TEST(Triggers, EveryTimeFromTheNthOn) {
  Stage s(2);
  Trigger t = when_mark("tick");
  t.every = true;
  t.nth = 2;
  s.world.arm(fault(FaultKind::restart, {{"B"}}), t);
  for (int i = 0; i < 5; ++i) {
    s.as(A).mark("tick");
    s.run(1_ms);
  }
  EXPECT_EQ(s.world.faults()[0].fired, 4U);
  EXPECT_EQ(s.world.incarnation(B), 4U);
}

// A fault that causes what it waits for.
TEST(Triggers, AFaultThatFeedsItselfDoesNotHangTheWorld) {
  Stage s(2);
  for (const char* name : {"fault", "restarted", "fault_ended", "killed"}) {
    Trigger t = when_mark(name);
    t.every = true;
    s.world.arm(fault(FaultKind::restart, {{"A"}}), t);
    s.world.arm(fault(FaultKind::slow, {{"A"}}, 1), t);
    s.world.arm(fault(FaultKind::swizzle_clog, {{"A", "B"}}, 1), t);
  }
  s.inject(fault(FaultKind::kill, {{"A"}}, 1_ms));
  for (int i = 0; i < 300'000 && s.world.step(s.world.now() + 1_s); ++i) {
  }
  EXPECT_LE(s.world.faults().size(), fault_rows_max + 20);
}

// ---------------------------------------------------------------------------------------------
// Composite faults.

TEST(Composite, RollingRestartTakesOneAfterTheOther) {
  Stage s(3);
  Fault f = fault(FaultKind::rolling_restart, {{"all node"}}, 1_s);
  f.amount = 5_s;
  const std::size_t i = s.inject(f);
  std::string down;
  for (int k = 0; k < 14; ++k) {
    s.run(500_ms);
    down += !s.world.running(A) ? 'A' : !s.world.running(B) ? 'B' : !s.world.running(C) ? 'C' : '.';
    s.run(500_ms);
  }
  EXPECT_EQ(down, "A....B....C...");
  EXPECT_EQ(s.bites(i), 3U);
  EXPECT_EQ(s.world.faults()[i + 1].parent, i);
}

TEST(Composite, SwizzleClogsAndFreesEverybody) {
  Stage s(4);
  const std::size_t i = s.inject(fault(FaultKind::swizzle_clog, {{"all node"}}, 1_s));
  std::vector<ConnId> c;
  for (NodeId n = 1; n < 4; ++n) c.push_back(s.connect(A, n));
  for (int k = 0; k < 300; ++k) {
    for (NodeId n = 1; n < 4; ++n) s.send(A, c[n - 1], std::to_string(k));
    s.run(10_ms);
  }
  s.quiet();
  for (NodeId n = 1; n < 4; ++n) EXPECT_EQ(s.peer(n).heard.size(), 301U);
  EXPECT_GT(s.bites(i), 0U);
}

TEST(Composite, HealEndsASwizzleThatIsUnderWay) {
  Stage s(4);
  Fault f = fault(FaultKind::swizzle_clog, {{"all node"}}, 10_s);
  f.label = "x";
  s.inject(f);
  s.run(2_s);
  Fault heal = fault(FaultKind::heal);
  heal.label = "x";
  s.inject(heal);
  for (int k = 0; k < 20; ++k) {
    EXPECT_EQ(sees(s).size(), 12U);
    s.run(1_s);
  }
}

TEST(Composite, ACommandReachesTheNode) {
  Stage s(2);
  Fault f = fault(FaultKind::command, {{"A", "B"}});
  f.verb = "elect";
  f.argument = "orders/0";
  s.inject(fault(FaultKind::kill, {{"B"}}));
  const std::size_t i = s.inject(f);
  EXPECT_EQ(s.heard(A), "elect:orders/0");
  EXPECT_EQ(s.bites(i), 1U);
}

// ---------------------------------------------------------------------------------------------
// Bites: a fault that changed something, and the same fault with nothing to change.

namespace {

// A world in which something of everything goes on: streams, datagrams, disks.
struct Busy : Stage {
  Busy() : Stage(3) {
    c = connect(A, B);
    quiet();
  }
  void live() {
    for (int i = 0; i < 40; ++i) {
      if (world.running(A)) {
        if (!as(A).is_open(c)) c = connect(A, B);
        send(A, c, "s");
        tell(A, B, "d");
      }
      if (world.running(B)) {
        as(B).write(0, world.disk(B).written(0) + 1);
        if (i % 4 == 3) as(B).sync(0);
      }
      run(10_ms);
    }
  }
  ConnId c;
};

Fault example(FaultKind kind, const std::string& whom) {
  Fault f = fault(kind, {{whom}, {"rest"}}, kind == FaultKind::torn_write ? 0 : 300_ms);
  f.ratio = kind == FaultKind::slow || kind == FaultKind::disk_slow ? Ratio{3, 1} : Ratio{1, 2};
  f.amount = kind == FaultKind::bandwidth ? 10'000 : 5_ms;
  f.spread = 10_ms;
  f.message = "Say";
  f.label = kind == FaultKind::heal || kind == FaultKind::release ? "" : "x";
  f.verb = "do";
  switch (kind) {
    case FaultKind::partition:
    case FaultKind::bridge:
    case FaultKind::one_way:
    case FaultKind::hold:
    case FaultKind::drop:
    case FaultKind::delay:
    case FaultKind::duplicate:
    case FaultKind::reset_streams:
      break;
    default:
      if (!is_link_fault(kind)) f.groups = {{whom}};
      if (kind == FaultKind::isolate || kind == FaultKind::ring) f.groups = {{whom}};
      break;
  }
  if (kind == FaultKind::ring) f.groups = {{whom, whom == "A" ? "C" : "nobody", whom == "A" ? "B" : "nobody"}};
  return f;
}

// What must be the case before the fault, so that there is something to end.
void prepare(Busy& s, FaultKind kind) {
  if (kind == FaultKind::heal) s.inject(fault(FaultKind::isolate, {{"C"}}));
  if (kind == FaultKind::release) {
    Fault hold = fault(FaultKind::hold, {{"A"}, {"B"}});
    hold.message = "Say";
    s.inject(hold);
    s.tell(A, B, "kept");
  }
  if (kind == FaultKind::slow) s.peer(B).work = 1_ms;
  if (kind == FaultKind::resume) s.inject(fault(FaultKind::pause, {{"A"}, {"B"}}));
  if (kind == FaultKind::disk_heal) s.inject(fault(FaultKind::disk_full, {{"B"}}));
  if (kind == FaultKind::write_back || kind == FaultKind::bit_rot || kind == FaultKind::misdirected_write) s.as(B).write(0, 3);
}

}  // namespace

TEST(Bites, EveryKindBitesWhenItMeetsSomething) {
  for (const FaultDecl& d : fault_kinds()) {
    Busy s;
    prepare(s, d.kind);
    const bool on_b = std::string_view(d.group) == "disk" || d.kind == FaultKind::slow;
    const std::size_t f = s.inject(example(d.kind, on_b ? "B" : "A"));
    s.live();
    if (d.kind == FaultKind::torn_write) {
      s.as(B).write(0, s.world.disk(B).written(0) + 1);
      s.inject(fault(FaultKind::power, {{"B"}}));
    }
    EXPECT_GT(s.bites(f), 0U) << d.name;
    EXPECT_EQ(s.world.faults()[f].fired, 1U);
    EXPECT_NE(describe(s.world.faults()[f].fault), "");
  }
}

TEST(Bites, EveryKindIsReportedWhenItMeetsNothing) {
  for (const FaultDecl& d : fault_kinds()) {
    Busy s;
    Fault f = example(d.kind, "nobody of that name");
    // All sides unknown; heal and release find nothing in force.
    for (std::vector<Target>& g : f.groups) g = {"nobody of that name"};
    const std::size_t i = s.inject(f);
    s.live();
    EXPECT_EQ(s.bites(i), 0U) << d.name;
    if (d.kind != FaultKind::heal && d.kind != FaultKind::release) {
      EXPECT_NE(s.world.faults()[i].complaint, "") << d.name;
    }
    EXPECT_EQ(s.heard(C), "");
  }
}

TEST(Bites, OneThatNamesNobodyAtAllComplains) {
  for (FaultKind kind : {FaultKind::kill, FaultKind::disk_full, FaultKind::clock_jump, FaultKind::command}) {
    Stage s(1);
    const std::size_t i = s.inject(fault(kind));
    EXPECT_EQ(s.bites(i), 0U);
    EXPECT_EQ(s.world.faults()[i].complaint, "it names nobody");
  }
}

TEST(Bites, ALinkFaultThatNothingCrossesNeverBit) {
  for (FaultKind kind : {FaultKind::partition, FaultKind::latency, FaultKind::loss, FaultKind::clog, FaultKind::bandwidth}) {
    Busy s;
    Fault f = example(kind, "C");
    f.groups = {{"C"}, {"B"}};
    const std::size_t i = s.inject(f);
    s.live();
    EXPECT_EQ(s.bites(i), 0U) << fault_decl(kind).name;
  }
}

TEST(Describe, SaysItInOneLine) {
  Fault f = fault(FaultKind::partition, {{"B1"}, {"B2", "B3"}}, 2_s);
  f.traffic = traffic_bit(Traffic::replication);
  f.label = "split";
  EXPECT_EQ(describe(f), "partition B1 | B2, B3 (replication) for 2 s [split]");
  Trigger t = when_mark("leader_elected", 5_ms);
  t.place = "orders/0";
  EXPECT_EQ(describe(t), "when leader_elected on orders/0, after 5 ms");
  EXPECT_EQ(describe(at(3_s)), "at 3 s");
}
