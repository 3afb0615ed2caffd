// What links do while a fault is on them: exactly what is lost, what comes later and by how much, how it ends, and
// how often it bit; and the same faults where nothing meets them.
// Elsewhere: cuts and breaks (cut_fault_test.cpp), single messages (message_fault_test.cpp), streams (stream_test.cpp).
#include <map>
#include <set>

#include "tests/world/link_faults.h"

using namespace mqlab;
using namespace mqlab::test;

TEST(LinkFault, HealEndsEveryKindAndCountsThem) {
  Stage s(3);
  for (FaultKind kind : link_kinds()) s.inject(link_fault(kind));
  s.tell(A, B, "cut off");
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "");
  const std::size_t heal = s.inject(fault(FaultKind::heal));
  EXPECT_EQ(s.bites(heal), link_kinds().size());
  const Time begin = s.world.now();
  s.tell(A, B, "free");
  s.quiet();
  EXPECT_EQ(s.heard(B), "free");
  EXPECT_EQ(s.when(B, "free"), begin + 1_ms);
  EXPECT_EQ(s.bites(s.inject(fault(FaultKind::heal))), 0U);
}

// The other way, another pair, after its heal, after its end: nothing has met it, and it says so.
TEST(LinkFault, NothingThatDoesNotMeetItIsABite) {
  for (FaultKind kind : link_kinds()) {
    Stage s(4);
    const std::string name = fault_decl(kind).name;
    const auto passes = [&](NodeId from, NodeId to, const std::string& text) {
      const Time begin = s.world.now();
      s.tell(from, to, text);
      s.quiet();
      EXPECT_EQ(s.when(to, text), begin + 1_ms) << name;
      EXPECT_EQ(s.peer(to).heard.back(), text) << name;
    };
    const std::size_t healed = s.inject(link_fault(kind));
    passes(C, 3, "another pair");
    if (kind == FaultKind::one_way || !is_cut_fault(kind)) passes(B, A, "the other way");
    s.inject(fault(FaultKind::heal));
    passes(A, B, "after its heal");
    Fault f = link_fault(kind);
    f.duration = 5_ms;
    const std::size_t ended = s.inject(f);
    s.run(5_ms);
    passes(A, B, "after its end");
    for (std::size_t i : {healed, ended}) {
      EXPECT_EQ(s.bites(i), 0U) << name;
      EXPECT_EQ(s.world.faults()[i].fired, 1U);
      EXPECT_FALSE(s.world.faults()[i].active);
      EXPECT_FALSE(complains(s, i));
    }
    // One end exists and the other does not: it holds for nobody, not for everybody.
    f = link_fault(kind);
    f.groups = {{"nobody of that name"}, {"B"}};
    if (kind == FaultKind::isolate || kind == FaultKind::ring) f.groups.pop_back();
    const std::size_t unknown = s.inject(f);
    passes(A, B, "to one that it names");
    EXPECT_EQ(s.bites(unknown), 0U) << name;
    EXPECT_TRUE(complains(s, unknown)) << name;
  }
}

TEST(LinkFault, LatencyIsOfOneWayAndOfItsShape) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  using S = LatencyShape;
  std::map<S, std::set<Duration>> took;
  for (S shape : {S::constant, S::uniform, S::exponential, S::bimodal}) {
    Fault f = fault(FaultKind::latency, {{"A"}, {"B"}}, 20_s);
    f.amount = 10_ms;
    f.spread = 30_ms;
    f.shape = shape;
    f.ratio = {1, 3};
    const std::size_t i = s.inject(f);
    for (int k = 0; k < 100; ++k) {
      const Time begin = s.world.now();
      const std::string text = std::to_string(static_cast<int>(shape)) + "/" + std::to_string(k);
      if (k % 2) s.tell(A, B, text);
      else s.send(A, c, text);
      s.tell(B, A, text);
      s.run(150_ms);
      took[shape].insert(s.when(B, text) - begin);
      EXPECT_EQ(s.when(A, text), begin + 1_ms);
    }
    EXPECT_EQ(s.bites(i), 1U);  // once a link
    s.run(5_s);
    const Time begin = s.world.now();
    s.tell(A, B, "over" + std::to_string(static_cast<int>(shape)));
    s.run(1_s);
    EXPECT_EQ(s.when(B, "over" + std::to_string(static_cast<int>(shape))), begin + 1_ms);
  }
  EXPECT_EQ(took[S::constant], (std::set<Duration>{10_ms}));
  EXPECT_EQ(took[S::bimodal], (std::set<Duration>{10_ms, 30_ms}));
  EXPECT_GE(*took[S::uniform].begin(), 10_ms);
  EXPECT_LE(*took[S::uniform].rbegin(), 40_ms);
  EXPECT_GE(*took[S::exponential].begin(), 10_ms);
  EXPECT_GT(*took[S::exponential].rbegin(), 40_ms);
}

// A burst is a window of time: all in it is lost, or nothing.
TEST(LinkFault, BurstsTakeAllOrNothing) {
  Stage s(3);
  Fault f = fault(FaultKind::burst_loss, {{"A"}, {"B"}});
  f.ratio = {1, 4};
  f.spread = 10_ms;
  const std::size_t i = s.inject(f);
  std::size_t bursts = 0;
  for (int window = 0; window < 400; ++window) {
    const std::size_t before = s.peer(B).heard.size();
    for (int k = 0; k < 5; ++k) {
      s.tell(A, B, "x");
      s.tell(A, C, "x");
      s.run(2_ms);
    }
    const std::size_t got = s.peer(B).heard.size() - before;
    EXPECT_TRUE(got == 0 || got == 5) << got;
    bursts += got == 0;
  }
  EXPECT_NEAR(static_cast<double>(bursts), 100, 30);
  EXPECT_EQ(s.bites(i), 5 * bursts);
  EXPECT_EQ(s.peer(C).heard.size(), 1U + 2'000U);
}

// Duplication and reordering are of datagrams: a stream knows neither (RFC 9293).
TEST(LinkFault, StreamsAreNeitherDoubledNorReordered) {
  for (FaultKind kind : {FaultKind::duplicate_datagrams, FaultKind::reorder_datagrams}) {
    Stage s(2);
    const ConnId c = s.connect(A, B);
    s.quiet();
    const std::size_t i = s.inject(link_fault(kind));
    for (const char* text : {"1", "2", "3", "4", "5"}) s.send(A, c, text);
    s.quiet();
    EXPECT_EQ(s.heard(B), "1 2 3 4 5");
    EXPECT_EQ(s.bites(i), 0U);
  }
}

// 64,000 bytes a second: a millisecond for 64 bytes, in the order sent, and the other way is as wide as before.
TEST(LinkFault, BandwidthCountsBytes) {
  Stage s(2);
  const std::size_t i = s.inject(link_fault(FaultKind::bandwidth));
  s.as(A).datagram(B, say, make_payload<Text>("big"), 640);
  s.tell(A, B, "small");
  s.tell(B, A, "back");
  s.run(2_ms);
  EXPECT_EQ(s.heard(B), "");
  s.inject(fault(FaultKind::heal));
  s.tell(A, B, "wide");
  s.inject(link_fault(FaultKind::bandwidth));
  s.tell(A, B, "again");  // does not queue behind what was sent before
  s.quiet();
  EXPECT_EQ(s.heard(B), "big small wide again");
  EXPECT_EQ(s.when(B, "big"), 3_ms) << "a wire that is wide again takes what has queued";
  EXPECT_EQ(s.when(B, "wide"), 3_ms);
  EXPECT_EQ(s.when(B, "again"), 4_ms);
  EXPECT_EQ(s.when(A, "back"), 1_ms);
  EXPECT_EQ(s.bites(i), 1U);
}

// Each datagram is a bite, a stream is one; a heal lets go as the end of the duration does.
TEST(LinkFault, AClogLetsGoInTheOrderSentWhenItIsHealed) {
  for (bool healed : {true, false}) {
    Stage s(2);
    const ConnId c = s.connect(A, B);
    s.quiet();
    const Time begin = s.world.now();
    const std::size_t i = s.inject(fault(FaultKind::clog, {{"A"}, {"B"}}, healed ? 0 : 30_ms));
    for (const char* text : {"1", "2"}) {
      s.tell(A, B, "d" + std::string(text));
      s.send(A, c, text);
      s.run(10_ms);
    }
    s.run(10_ms);
    EXPECT_EQ(s.heard(B), "");
    if (healed) s.inject(fault(FaultKind::heal));
    s.quiet();
    for (const char* text : {"1", "2", "d1", "d2"}) EXPECT_EQ(s.when(B, text), begin + 31_ms) << text;
    EXPECT_EQ(s.peer(B).heard.size(), 5U);
    EXPECT_LT(s.heard(B).find("d1"), s.heard(B).find("d2"));
    EXPECT_EQ(s.bites(i), 3U);
  }
}

// Two links, a fault on each: what happens on one is no bite of the other, and no end of it.
TEST(LinkFault, EachLinkCountsAndEndsByItself) {
  for (FaultKind kind : {FaultKind::loss, FaultKind::clog, FaultKind::duplicate_datagrams, FaultKind::latency}) {
    Stage s(3);
    Fault f = link_fault(kind);
    f.label = "B";
    const std::size_t to_b = s.inject(f);
    f.groups[1] = {"C"};
    f.label = "C";
    const std::size_t to_c = s.inject(f);
    s.tell(A, B, "1");
    s.run(20_ms);
    EXPECT_EQ(s.bites(to_b), 1U) << fault_decl(kind).name;
    EXPECT_EQ(s.bites(to_c), 0U);
    s.tell(A, C, "2");
    Fault heal = fault(FaultKind::heal);
    heal.label = "C";
    s.inject(heal);
    s.run(20_ms);
    EXPECT_EQ(s.bites(to_b), 1U) << fault_decl(kind).name;
    EXPECT_EQ(s.bites(to_c), 1U);
    EXPECT_EQ(s.heard(C), kind == FaultKind::loss ? "" : kind == FaultKind::duplicate_datagrams ? "2 2" : "2");
    if (kind == FaultKind::clog) {
      EXPECT_EQ(s.heard(B), "");  // still clogged
    }
  }
}

// ---------------------------------------------------------------------------------------------

// Each node is clogged once, both ways, at a time of its own, and they are not freed in the order clogged.
TEST(Swizzle, ClogsEachOnceAndFreesThemInAnotherOrder) {
  Stage s(5);
  const std::size_t i = s.inject(fault(FaultKind::swizzle_clog, {{"A", "B", "C", "D"}}, 1_s));
  ASSERT_EQ(s.world.faults().size(), i + 1 + 8);
  std::vector<std::pair<Time, Time>> spans;
  for (std::size_t k = i + 1; k < s.world.faults().size(); k += 2) {
    const ArmedFault& out = s.world.faults()[k];
    const ArmedFault& in = s.world.faults()[k + 1];
    EXPECT_EQ(out.fault.groups[0], in.fault.groups[1]);
    EXPECT_EQ(out.fault.groups[1], in.fault.groups[0]);
    EXPECT_EQ(out.trigger.after, in.trigger.after);
    EXPECT_EQ(out.fault.duration, in.fault.duration);
    EXPECT_LE(out.fault.duration, 1_s);
    spans.emplace_back(out.trigger.after, out.trigger.after + out.fault.duration);
  }
  std::sort(spans.begin(), spans.end());
  EXPECT_LT(spans.back().first, 1_s);
  const auto ends_before = [](const auto& a, const auto& b) { return a.second < b.second; };
  EXPECT_FALSE(std::is_sorted(spans.begin(), spans.end(), ends_before));
  for (int k = 0; k < 200; ++k) {
    s.tell(A, B, std::to_string(k));
    s.run(10_ms);
  }
  EXPECT_EQ(s.peer(B).heard.size(), 201U);
  std::uint64_t of_children = 0;
  for (std::size_t k = i + 1; k < s.world.faults().size(); ++k) of_children += s.bites(k);
  EXPECT_EQ(s.bites(i), of_children);
  EXPECT_GT(of_children, 0U);
}

TEST(Swizzle, AmongTheSilentItNeverBites) {
  Stage s(4);
  const std::size_t i = s.inject(fault(FaultKind::swizzle_clog, {{"A", "B"}}, 1_s));
  for (int k = 0; k < 200; ++k) {
    s.tell(C, 3, "elsewhere");
    s.run(10_ms);
  }
  EXPECT_EQ(s.peer(3).heard.size(), 201U);
  EXPECT_EQ(s.bites(i), 0U);
  const std::size_t nobody = s.inject(fault(FaultKind::swizzle_clog, {{"nobody of that name"}}, 1_s));
  EXPECT_TRUE(complains(s, nobody));
  EXPECT_EQ(s.world.faults().size(), nobody + 1);
}
