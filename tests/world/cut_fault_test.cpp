// Cuts and breaks: exactly whom they part, for how long, how they end, and how often they bit.
#include "tests/world/link_faults.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

// Everybody speaks to everybody; the pairs that got nothing through, "AB" for A's word to B.
std::string cut_off(Stage& s, Traffic t = Traffic::client) {
  const auto n = static_cast<NodeId>(s.world.node_count());
  std::vector<std::size_t> before;
  for (NodeId a = 0; a < n; ++a) before.push_back(s.peer(a).heard.size());
  for (NodeId a = 0; a < n; ++a)
    for (NodeId b = 0; b < n; ++b)
      if (a != b) s.tell(a, b, s.world.name(a), t);
  s.run(50_ms);
  std::string out;
  for (NodeId a = 0; a < n; ++a)
    for (NodeId b = 0; b < n; ++b) {
      const std::vector<std::string>& heard = s.peer(b).heard;
      const auto since = heard.begin() + static_cast<std::ptrdiff_t>(before[b]);
      const bool got = std::find(since, heard.end(), s.world.name(a)) != heard.end();
      if (a != b && !got) out += (out.empty() ? "" : " ") + s.world.name(a) + s.world.name(b);
    }
  return out;
}

}  // namespace

// One datagram each way between each two of four: as many are lost as pairs are cut, and each is one bite.
TEST(CutFault, CutsTheseAndNobodyElseUntilItEnds) {
  using K = FaultKind;
  const struct {
    Fault fault;
    const char* cut;
  } all[] = {
      {fault(K::partition, {{"A", "B"}, {"C"}}), "AC BC CA CB"},
      {fault(K::partition, {{"A"}}), "AB AC AD BA CA DA"},
      {fault(K::one_way, {{"A"}, {"B", "C"}}), "AB AC"},
      {fault(K::one_way, {{}, {"D"}}), "AD BD CD"},
      {fault(K::isolate, {{"B"}}), "AB BA BC BD CB DB"},
      {fault(K::bridge, {{"A"}, {"B", "C"}}), "AB AC BA CA"},
      {fault(K::ring, {{"A", "B", "C", "D"}}), "AC BD CA DB"},
      {fault(K::ring, {{"B", "A", "C"}}), "BC CB"},
  };
  for (const auto& each : all) {
    const std::uint64_t pairs = (std::string(each.cut).size() + 1) / 3;
    for (bool healed : {true, false}) {
      Stage s(4);
      Fault f = each.fault;
      f.label = "x";
      f.duration = healed ? 0 : 60_ms;
      f.traffic = traffic_bit(Traffic::client) | traffic_bit(Traffic::control);
      const std::size_t i = s.inject(f);
      EXPECT_EQ(cut_off(s), each.cut) << describe(f);
      EXPECT_EQ(s.bites(i), pairs) << describe(f);
      EXPECT_EQ(cut_off(s, Traffic::replication), "");  // 50 ms later; a class that it does not name
      s.run(9_ms);
      EXPECT_EQ(s.bites(i), pairs);
      if (healed) {
        EXPECT_EQ(cut_off(s, Traffic::control), each.cut);
        Fault heal = fault(K::heal);
        heal.label = "y";
        const std::size_t wrong = s.inject(heal);
        EXPECT_TRUE(s.world.faults()[i].active);
        heal.label = "x";
        const std::size_t right = s.inject(heal);
        EXPECT_EQ(s.bites(wrong), 0U);
        EXPECT_EQ(s.bites(right), 1U);
      }
      EXPECT_FALSE(s.world.faults()[i].active);
      EXPECT_EQ(cut_off(s), "");
      EXPECT_EQ(s.bites(i), healed ? 2 * pairs : pairs);
    }
  }
}

TEST(CutFault, ItsDurationIsExact) {
  for (FaultKind kind : link_kinds()) {
    if (!is_cut_fault(kind)) continue;
    Stage s(3);
    Fault f = link_fault(kind);
    f.duration = 10_ms;
    const std::size_t i = s.inject(f);
    s.run(10_ms - 1);
    s.tell(A, B, "a nanosecond before its end");
    s.run(1);
    s.tell(A, B, "at its end");
    s.quiet();
    EXPECT_EQ(s.heard(B), "at its end") << fault_decl(kind).name;
    EXPECT_EQ(s.bites(i), 1U);
  }
}

// On a stream a cut is one bite, however much piles up behind it.
TEST(CutFault, AStreamBehindItLosesNothing) {
  for (FaultKind kind : link_kinds()) {
    if (!is_cut_fault(kind)) continue;
    Stage s(3);
    const ConnId c = s.connect(A, B);
    s.quiet();
    const Time begin = s.world.now();
    Fault f = link_fault(kind);
    f.duration = 300_ms;
    const std::size_t i = s.inject(f);
    for (const char* text : {"1", "2", "3"}) s.send(A, c, text);
    s.quiet();
    EXPECT_EQ(s.heard(B), "1 2 3") << fault_decl(kind).name;
    EXPECT_EQ(s.when(B, "1"), begin + 601_ms);  // the retransmission timer: 200 ms, and 400 ms more
    EXPECT_EQ(s.bites(i), 1U);
  }
}

// Of several in force only the one that stands in the way has bitten.
TEST(CutFault, EachCountsItsOwn) {
  Stage s(3);
  Fault f = fault(FaultKind::partition, {{"A"}, {"B"}});
  f.traffic = traffic_bit(Traffic::client);
  const std::size_t client = s.inject(f);
  f.traffic = traffic_bit(Traffic::heartbeat);
  const std::size_t heartbeat = s.inject(f);
  const std::size_t elsewhere = s.inject(fault(FaultKind::partition, {{"B"}, {"C"}}));
  s.tell(A, B, "x", Traffic::client);
  s.tell(A, B, "y", Traffic::heartbeat);
  s.tell(B, A, "z", Traffic::heartbeat);
  s.quiet();
  EXPECT_EQ(s.heard(A) + s.heard(B), "");
  EXPECT_EQ(s.bites(client), 1U);
  EXPECT_EQ(s.bites(heartbeat), 2U);
  EXPECT_EQ(s.bites(elsewhere), 0U);
}

// ---------------------------------------------------------------------------------------------

// Both ends of every connection between the two, whoever opened it; and no other connection.
TEST(BreakFault, AResetIsOfEveryConnectionBetweenTheTwo) {
  Stage s(3);
  s.connect(A, B);
  s.connect(B, A, Traffic::replication);
  const ConnId third = s.connect(A, C), other = s.connect(B, C);
  s.quiet();
  const std::size_t i = s.inject(fault(FaultKind::reset_streams, {{"A"}, {"B"}}));
  s.quiet();
  EXPECT_EQ(s.heard(A), "reset reset");
  EXPECT_EQ(s.heard(B), "reset reset");
  EXPECT_EQ(s.heard(C), "");
  EXPECT_EQ(s.bites(i), 2U);
  EXPECT_TRUE(s.as(C).is_open(third));
  const std::size_t all = s.inject(fault(FaultKind::reset_streams, {{"C"}}));
  EXPECT_FALSE(s.as(C).is_open(third));
  EXPECT_FALSE(s.as(C).is_open(other));
  EXPECT_EQ(s.bites(all), 2U);
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

// What was on the wire at the reset is lost with it.
TEST(BreakFault, AResetLosesWhatIsUnderWay) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.send(A, c, "arrives");
  s.run(1_ms);
  s.send(A, c, "under way");
  s.inject(fault(FaultKind::reset_streams, {{"A"}}));
  s.quiet();
  EXPECT_EQ(s.heard(B), "arrives reset");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

TEST(BreakFault, WithoutAConnectionThereIsNothingToBreak) {
  for (FaultKind kind : {FaultKind::reset_streams, FaultKind::half_open}) {
    Stage s(3);
    const ConnId c = s.connect(A, B);
    const std::size_t early = s.inject(fault(kind, {{"A"}}));  // the handshake is under way
    s.quiet();
    const std::size_t elsewhere = s.inject(fault(kind, {{"C"}}));
    Fault f = fault(kind, {{"A"}, {"nobody of that name"}});
    const std::size_t unknown = s.inject(f);
    f.groups = {{"nobody of that name"}, {"B"}};
    const std::size_t unknown_too = s.inject(f);
    s.send(A, c, "still open");
    s.quiet();
    EXPECT_EQ(s.heard(A), "");
    EXPECT_EQ(s.heard(B), "still open");
    for (std::size_t i : {early, elsewhere, unknown, unknown_too})
      EXPECT_EQ(s.bites(i), 0U) << fault_decl(kind).name << i;
    EXPECT_FALSE(complains(s, early));
    EXPECT_TRUE(complains(s, unknown));
    EXPECT_TRUE(complains(s, unknown_too));
  }
}

// The other ends find out when they speak, each by itself.
TEST(BreakFault, HalfOpenIsNoticedByWhoSpeaks) {
  Stage s(3);
  const ConnId b = s.connect(A, B), c = s.connect(C, A);
  s.quiet();
  const std::size_t i = s.inject(fault(FaultKind::half_open, {{"A"}}));
  s.run(10_s);
  EXPECT_EQ(s.heard(A), "reset reset");
  EXPECT_EQ(s.bites(i), 2U);
  EXPECT_EQ(s.heard(B) + s.heard(C), "");
  const Time begin = s.world.now();
  s.send(B, b, "lost");
  s.quiet();
  EXPECT_EQ(s.heard(B), "reset");
  EXPECT_EQ(s.when(B, "reset"), begin + 2_ms);
  EXPECT_TRUE(s.as(C).is_open(c));
  EXPECT_EQ(s.heard(A), "reset reset");
}
