// What never arrives: each message that nobody takes is told once, with who, when and why.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "sim/record/event_text.h"
#include "tests/world/gossip.h"
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

WorldOptions recorded() {
  WorldOptions o = plain_options();
  o.trace = TraceLevel::full;
  return o;
}

std::string short_time(Time t) {
  std::string out = format_duration(t);
  std::erase(out, ' ');
  return out;
}

// "A->B 1 2ms..3ms: it was lost on the way": from, to, text, sent, over, why; a line each.
std::string drops(const World& w) {
  std::string out;
  for (const Drop& d : w.journal.drops)
    out += (out.empty() ? "" : "\n") + w.journal.process_name(d.event.source) + "->" + (d.event.target == nobody ? "?" : w.journal.process_name(d.event.target)) + " " +
           payload_as<Text>(d.payload).text + " " + short_time(sent_at(d)) + ".." + short_time(d.time) + ": " + drop_reason_text(d.why);
  return out;
}

}  // namespace

TEST(Drops, ADatagramThatMeetsACut) {
  Stage s(2, recorded());
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.tell(A, B, "1");  // never leaves
  s.quiet();
  EXPECT_EQ(drops(s.world), "A->B 1 0s..0s: the link is cut");
  s.inject(fault(FaultKind::heal));
  s.tell(A, B, "2");
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.quiet();  // is cut off on its way
  EXPECT_EQ(drops(s.world), "A->B 1 0s..0s: the link is cut\nA->B 2 0s..1ms: the link is cut");
  EXPECT_EQ(s.heard(B), "");
}

TEST(Drops, ADatagramIsLostAndSoIsNoPartOfAStream) {
  Stage s(2, recorded());
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault loss = fault(FaultKind::loss, {{"A"}, {"B"}}, 10_ms);
  loss.ratio = {1, 1};
  s.inject(loss);
  s.tell(A, B, "by itself");
  s.send(A, c, "in a stream");
  s.quiet();
  EXPECT_EQ(drops(s.world), "A->B by itself 2ms..2ms: it was lost on the way");
  EXPECT_EQ(s.heard(B), "in a stream");
}

TEST(Drops, AFaultTakesOneOutAndWhatFollowsOnItsConnectionIsStuck) {
  Stage s(2, recorded());
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault f = fault(FaultKind::drop, {{"A"}, {"B"}});
  f.message = "Say";
  s.inject(f);
  s.send(A, c, "1");
  s.send(A, c, "2");
  s.run(1_s);
  EXPECT_EQ(drops(s.world), "A->B 1 2ms..2ms: a fault dropped it\nA->B 2 2ms..2ms: a fault dropped one before it on its connection, on which nothing passes since");
}

// The duplicate of every retry: the answer is held back until its reader has closed.
TEST(Drops, AnAnswerComesToAConnectionThatItsReaderHasClosed) {
  Stage s(2, recorded());
  s.peer(B).answer = "yes";
  const ConnId c = s.connect(A, B);
  s.send(A, c, "well?");
  s.run(3'500_us);  // B has answered
  s.as(A).close(c);
  s.quiet();
  EXPECT_EQ(drops(s.world), "B->A yes 3ms..4ms: its receiver has closed the connection");
}

TEST(Drops, ACutHoldsTheAnswerBackUntilTheConnectionEnds) {
  Stage s(2, recorded());
  s.peer(B).answer = "yes";
  const ConnId c = s.connect(A, B);
  s.send(A, c, "well?");
  s.run(2'500_us);
  s.inject(fault(FaultKind::one_way, {{"B"}, {"A"}}));
  s.quiet();  // B's transport gives up after a quarter of an hour
  const Time sent = 3_ms;
  ASSERT_EQ(s.world.journal.drops.size(), 1U);
  EXPECT_EQ(s.world.journal.drops[0].why, DropReason::cut_off);
  EXPECT_EQ(sent_at(s.world.journal.drops[0]), sent);
  EXPECT_GE(s.world.journal.drops[0].time, sent + StreamOptions{}.timeout);
}

TEST(Drops, TheReceiverIsDownOrAnotherProcess) {
  Stage s(2, recorded());
  s.inject(fault(FaultKind::kill, {{"B"}}));
  s.tell(A, B, "1");
  s.quiet();
  EXPECT_EQ(drops(s.world), "A->B 1 0s..1ms: its receiver is down");
  s.world.start(B);
  s.quiet();
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.send(A, c, "2");
  s.inject(fault(FaultKind::restart, {{"B"}}));
  s.quiet();
  ASSERT_EQ(s.world.journal.drops.size(), 2U);
  EXPECT_EQ(s.world.journal.drops[1].why, DropReason::receiver_new);
}

TEST(Drops, ItHadArrivedAndTheReceiverNeverCameToIt) {
  Stage s(2, recorded());
  s.inject(fault(FaultKind::pause, {{"B"}}));
  s.tell(A, B, "1");
  s.quiet();
  EXPECT_EQ(drops(s.world), "");
  s.inject(fault(FaultKind::kill, {{"B"}}));
  EXPECT_EQ(drops(s.world), "A->B 1 0s..1ms: its receiver ended before it came to it");
}

TEST(Drops, TheSenderEndsBeforeItsHandlerIsOver) {
  Stage s(2, recorded());
  s.peer(B).work = 5_ms;
  s.peer(B).answer = "yes";
  s.tell(A, B, "1");
  s.run(2_ms);  // B is at it, and its answer leaves at 6 ms
  s.inject(fault(FaultKind::kill, {{"B"}}));
  s.quiet();
  EXPECT_EQ(drops(s.world), "B->A yes 6ms..7ms: its sender ended before it got through");
}

TEST(Drops, AWriteToAClosedConnection) {
  Stage s(2, recorded());
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.as(A).close(c);
  s.send(A, c, "1");
  s.quiet();
  s.send(A, c, "2");
  EXPECT_EQ(drops(s.world), "A->B 1 2ms..2ms: its connection was closed already\nA->B 2 3ms..3ms: its connection was closed already");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

TEST(Drops, WhatStillWaitsAtTheEnd) {
  Stage s(2, recorded());
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.send(A, c, "1");
  s.run(1_s);
  EXPECT_EQ(drops(s.world), "");
  s.world.close_record();
  EXPECT_EQ(drops(s.world), "A->B 1 2ms..1.002s: it still waited when the run ended");
}

TEST(Drops, WhatAFaultHoldsBackAtTheEnd) {
  Stage s(2, recorded());
  Fault hold = fault(FaultKind::hold, {{"A"}, {"B"}});
  hold.message = "Say";
  s.inject(hold);
  s.tell(A, B, "1");
  s.run(1_s);
  EXPECT_EQ(drops(s.world), "");
  s.world.close_record();
  EXPECT_EQ(drops(s.world), "A->B 1 0s..1s: it still waited when the run ended");
}

TEST(Drops, WhatANodeHasNotComeToAtTheEnd) {
  Stage s(2, recorded());
  s.inject(fault(FaultKind::pause, {{"B"}}));
  s.tell(A, B, "1");
  s.run(1_s);
  s.world.close_record();
  EXPECT_EQ(drops(s.world), "A->B 1 0s..1s: it still waited when the run ended");
}

// The copy of a datagram waits for a node that stands still, and goes with it: nothing was lost that had not been there before.
TEST(Drops, ASecondCopyThatWaitsIsNobodysLossEither) {
  for (const bool killed : {false, true}) {
    Stage s(2, recorded());
    const ConnId c = s.connect(A, B);
    s.quiet();
    Fault f = fault(FaultKind::duplicate, {{"A"}, {"B"}});
    f.message = "Say";
    f.amount = 5_ms;
    s.inject(f);
    s.send(A, c, "1");
    s.run(2_ms);
    EXPECT_EQ(s.heard(B), "1");
    s.inject(fault(FaultKind::pause, {{"B"}}));
    s.run(20_ms);
    if (killed) s.inject(fault(FaultKind::kill, {{"B"}}));
    s.world.close_record();
    EXPECT_EQ(drops(s.world), "") << killed;
  }
}

TEST(Drops, ASecondCopyIsNobodysLoss) {
  Stage s(2, recorded());
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault f = fault(FaultKind::duplicate, {{"A"}, {"B"}});
  f.message = "Say";
  f.amount = 5_ms;
  s.inject(f);
  s.send(A, c, "1");
  s.run(2_ms);
  s.as(B).close(c);  // the copy comes later
  s.quiet();
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_EQ(drops(s.world), "");
}

TEST(Drops, AreToldOfRecordedRunsOnly) {
  Stage s(2);
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.tell(A, B, "1");
  s.quiet();
  s.world.close_record();
  EXPECT_TRUE(s.world.journal.drops.empty());
}

TEST(Drops, TheSentenceNamesSenderReceiverAndWhy) {
  Stage s(2, recorded());
  s.inject(fault(FaultKind::kill, {{"B"}}));
  s.tell(A, B, "1");
  s.quiet();
  EXPECT_EQ(drop_text(s.world.journal, s.world.journal.drops.at(0)), "A->B Say never arrived: its receiver is down");
}

// The balance of a recorded world: of what was sent on a connection, each message is handled, told as dropped, or still on its
// way, and never two of these. What is on its way comes after all else of its direction, so that the numbers have no gap.
RC_GTEST_PROP(DropsProperty, EachMessageOfAConnectionIsTakenOrToldOnce, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  World w = gossip_world(seed, {.duplicates = false, .trace = TraceLevel::full});
  w.run_until(2'000'000'000);
  w.close_record();
  std::map<std::pair<ConnId, NodeId>, std::multiset<std::uint64_t>> numbers;
  const auto add = [&](const Event& e, const PayloadRef& payload) {
    if (e.type != say) return;
    const auto& n = payload_as<Numbered>(payload);
    numbers[{n.connection, n.from}].insert(n.number);
  };
  for (const Delivery& d : w.journal.deliveries)
    if (is_message(d.event)) add(d.event, d.payload);
  std::size_t after = 0;
  for (const Drop& d : w.journal.drops) {
    RC_ASSERT(is_message(d.event));
    RC_ASSERT(static_cast<Time>(d.event.body[2]) <= d.time);  // sent_at would say so of any
    RC_ASSERT(d.after >= after);
    after = d.after;
    RC_ASSERT(after <= w.journal.deliveries.size());
    if (after > 0) RC_ASSERT(w.journal.deliveries[after - 1].time <= d.time);
    if (after < w.journal.deliveries.size() && d.time == sent_at(d)) RC_ASSERT(d.event.cause != no_event);
    add(d.event, d.payload);
  }
  for (const auto& [who, all] : numbers) {
    std::uint64_t next = 0;
    for (const std::uint64_t n : all) RC_ASSERT(n == next++);
  }
  RC_CLASSIFY(!w.journal.drops.empty(), "something was dropped");
}
