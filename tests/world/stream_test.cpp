// Streams as TCP gives them to a program (RFC 9293): in order, no gaps, no duplicates, until they break.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

TEST(Stream, DeliversInTheOrderSent) {
  WorldOptions o = plain_options();
  o.link = {.latency = 1_ms, .spread = 10_ms, .shape = LatencyShape::exponential};
  Stage s(2, o);
  const ConnId c = s.connect(A, B);
  std::string sent;
  for (int i = 0; i < 50; ++i) {
    s.send(A, c, std::to_string(i));
    sent += (i ? " " : "") + std::to_string(i);
    s.run(100_us);
  }
  s.quiet();
  EXPECT_EQ(s.heard(B), sent);
}

// The opener sends on before it knows that the other end accepted; nothing may overtake what waited.
TEST(Stream, WhatIsSentDuringTheHandshakeKeepsItsOrder) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.send(A, c, "1");
  s.run(1'500_us);  // B has accepted, A does not know yet
  s.send(A, c, "2");
  s.run(600_us);  // now it does
  s.send(A, c, "3");
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 2 3");
}

TEST(Stream, AnswersGoBackOnTheSameConnection) {
  Stage s(2);
  s.peer(B).answer = "yes";
  const ConnId c = s.connect(A, B);
  s.send(A, c, "well?");
  s.quiet();
  EXPECT_EQ(s.heard(A), "yes");
  EXPECT_EQ(s.peer(A).last, c);
  EXPECT_EQ(s.world.now(), 4_ms);  // open, opened, question, answer
}

// RFC 6298: what is lost is sent again after at least 200 ms (Linux TCP_RTO_MIN), and what follows waits.
TEST(Stream, LossIsDelay) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault loss = fault(FaultKind::loss, {{"A"}, {"B"}}, 100_ms);
  loss.ratio = {1, 1};
  const std::size_t f = s.inject(loss);
  const Time begin = s.world.now();
  s.send(A, c, "1");
  s.send(A, c, "2");
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 2");
  EXPECT_EQ(s.when(B, "1"), begin + 201_ms);
  EXPECT_EQ(s.bites(f), 1U);
}

TEST(Stream, AllLostForLongEnoughIsATimeout) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault loss = fault(FaultKind::loss);
  loss.ratio = {1, 1};
  s.inject(loss);
  const Time begin = s.world.now();
  s.send(A, c, "1");
  s.quiet();
  EXPECT_EQ(s.heard(A), "timeout");
  EXPECT_EQ(s.when(A, "timeout"), begin + StreamOptions{}.timeout);
  EXPECT_EQ(s.heard(B), "");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// A cut is silence; after the heal all comes, in order, what was on the wire at the time included.
TEST(Stream, ACutDelaysAndLosesNothing) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.send(A, c, "on the wire");
  s.run(500_us);
  const std::size_t cut = s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.send(A, c, "behind the cut");
  s.run(5_s);
  EXPECT_EQ(s.heard(B), "");
  s.inject(fault(FaultKind::heal));
  s.send(A, c, "after the heal");
  s.quiet();
  EXPECT_EQ(s.heard(B), "on the wire behind the cut after the heal");
  EXPECT_GE(s.bites(cut), 1U);
  // The retransmission timer has doubled up to 2 s meanwhile.
  EXPECT_LE(s.when(B, "after the heal"), 5_s + 2_s + 10_ms);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// The first of two comes back from a cut, the second is still on the way when the first is sent again.
TEST(Stream, WhatComesBackIsNotOvertakenByWhatIsStillUnderWay) {
  WorldOptions o = plain_options();
  Stage s(2, o);
  const ConnId c = s.connect(A, B);
  s.quiet();
  const Time begin = s.world.now();
  s.send(A, c, "1");  // due after 1 ms
  Fault slow = fault(FaultKind::latency, {{"A"}, {"B"}}, 400_us);
  slow.amount = 300_ms;
  s.inject(slow);
  s.send(A, c, "2");  // due after 300 ms
  s.run(500_us);
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}, 10_ms));  // 1 meets it, 2 does not
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 2");
  EXPECT_GE(s.when(B, "1"), begin + 300_ms);
}

TEST(Stream, SilenceForTooLongIsATimeout) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.send(A, c, "1");
  s.quiet();
  EXPECT_EQ(s.heard(A), "timeout");
  // The other end learns of it when it speaks itself: its machine gets no answer either while the cut lasts.
  s.inject(fault(FaultKind::heal));
  ASSERT_TRUE(s.as(B).is_open(c));
  s.send(B, c, "anybody there?");
  s.quiet();
  EXPECT_EQ(s.heard(B), "reset");
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

TEST(Stream, ConnectBehindACutTimesOut) {
  Stage s(2);
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  const ConnId c = s.connect(A, B);
  s.send(A, c, "1");
  s.quiet();
  EXPECT_EQ(s.heard(A), "timeout");
  EXPECT_EQ(s.world.now(), StreamOptions{}.connect_timeout);
  EXPECT_EQ(s.world.connections_in_use(), 0U);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// The way there is open and the way back is cut: the opener hears nothing all the same.
TEST(Stream, ConnectWithoutAWayBackTimesOutToo) {
  Stage s(2);
  s.inject(fault(FaultKind::one_way, {{"B"}, {"A"}}, 20_s));
  const ConnId c = s.connect(A, B);
  s.quiet();
  EXPECT_EQ(s.heard(A), "timeout");
  EXPECT_EQ(s.when(A, "timeout"), 10_s);
  // B had accepted; once its answer gets through, it learns that nobody waits for it.
  EXPECT_EQ(s.heard(B), "reset");
  EXPECT_FALSE(s.as(B).is_open(c));
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

TEST(Stream, ConnectGoesThroughWhenTheCutHealsInTime) {
  Stage s(2);
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}, 3_s));
  const ConnId c = s.connect(A, B);
  s.send(A, c, "1");
  s.run(30_s);
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_EQ(s.heard(A), "");
}

TEST(Stream, NobodyListensIsRefused) {
  Stage s(2);
  s.inject(fault(FaultKind::kill, {{"B"}}));
  s.connect(A, B);
  s.quiet();
  EXPECT_EQ(s.heard(A), "refused");
  EXPECT_EQ(s.world.now(), 2_ms);
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

TEST(Stream, AKilledProcessClosesAfterWhatItHadSent) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.send(A, c, "last words");
  s.inject(fault(FaultKind::kill, {{"A"}}));
  s.quiet();
  EXPECT_EQ(s.heard(B), "last words closed");
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

TEST(Stream, LossOfPowerIsSilenceAndLaterAReset) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.inject(fault(FaultKind::power, {{"B"}}, 5_s));
  s.send(A, c, "1");
  s.run(4_s);
  EXPECT_EQ(s.heard(A), "");
  s.quiet();
  EXPECT_EQ(s.heard(A), "reset");  // B's machine is back and does not know the connection
  EXPECT_GT(s.when(A, "reset"), 5_s);
  EXPECT_EQ(s.heard(B), "dark");
}

TEST(Stream, ARestartedProcessRefusesTheOldConnection) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.run(1_ms);
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.inject(fault(FaultKind::restart, {{"B"}}));
  s.run(1_s);
  s.inject(fault(FaultKind::heal));
  s.send(A, c, "hello?");
  s.run(10_s);
  // B's old process is gone: A hears that, and the new process hears nothing of it.
  EXPECT_TRUE(s.heard(A) == "closed" || s.heard(A) == "reset") << s.heard(A);
  EXPECT_EQ(s.heard(B), "killed");
  EXPECT_FALSE(s.as(A).is_open(c));
}

TEST(Stream, HalfOpen) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  const std::size_t f = s.inject(fault(FaultKind::half_open, {{"A"}}));
  s.run(1_s);
  EXPECT_EQ(s.heard(A), "reset");
  EXPECT_EQ(s.heard(B), "");
  EXPECT_TRUE(s.as(B).is_open(c));
  EXPECT_EQ(s.bites(f), 1U);
  s.send(B, c, "hello?");
  s.quiet();
  EXPECT_EQ(s.heard(B), "reset");
  EXPECT_EQ(s.heard(A), "reset");
}

TEST(Stream, ResetTellsBothEnds) {
  Stage s(3);
  s.connect(A, B);
  const ConnId other = s.connect(A, C);
  s.quiet();
  const std::size_t f = s.inject(fault(FaultKind::reset_streams, {{"A"}, {"B"}}));
  EXPECT_EQ(s.heard(A), "reset");
  EXPECT_EQ(s.heard(B), "reset");
  EXPECT_TRUE(s.as(A).is_open(other));
  EXPECT_EQ(s.bites(f), 1U);
}

// A node that connects again at once, inside the notice of the reset.
TEST(Stream, ResetWhileTheEndsConnectAgain) {
  Stage s(2);
  s.peer(A).then = [](Context& c, const std::string& what) {
    if (what != "reset") return;
    for (int i = 0; i < 3; ++i) c.send(c.connect(B, Traffic::client), say, make_payload<Text>("again"));
  };
  for (int i = 0; i < 5; ++i) s.connect(A, B);
  s.quiet();
  s.inject(fault(FaultKind::reset_streams, {{"A"}}));
  s.quiet();
  EXPECT_EQ(s.world.connections_in_use(), 15U);
  EXPECT_EQ(s.peer(B).heard.size(), 1U + 5U + 15U);
}

TEST(Stream, CloseStillDeliversWhatWasSent) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.send(A, c, "1");
  s.as(A).close(c);  // the handshake has not even begun
  s.send(A, c, "never");
  EXPECT_FALSE(s.as(A).is_open(c));
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 closed");
  EXPECT_EQ(s.heard(A), "");
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

TEST(Stream, DataToOneThatClosedIsAnsweredWithAReset) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.as(B).close(c);
  s.send(A, c, "too late");
  s.quiet();
  EXPECT_EQ(s.heard(B), "");
  EXPECT_EQ(s.heard(A), "closed");  // the close comes first
  EXPECT_EQ(s.world.connections_in_use(), 0U);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// The opener dies while its request is under way: the other end must not keep a connection to nobody.
TEST(Stream, AnOpenerThatDiedLeavesNothingBehind) {
  for (Duration after : {500_us, 1'500_us}) {
    Stage s(2);
    const ConnId c = s.connect(A, B);
    s.send(A, c, "1");
    s.run(after);
    s.inject(fault(FaultKind::kill, {{"A"}}, 1_s));
    s.quiet();
    EXPECT_FALSE(s.as(B).is_open(c));
    EXPECT_EQ(s.world.connections_in_use(), 0U);
    EXPECT_EQ(s.world.payloads_in_use(), 0U);
  }
}

TEST(Stream, TheEndIsToldAfterWhatCameBeforeIt) {
  Stage s(2, plain_options(), {.service = 10_ms});
  const ConnId c = s.connect(A, B);
  s.quiet();
  for (const char* text : {"1", "2", "3"}) s.send(A, c, text);
  s.as(A).close(c);
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 2 3 closed");
}

TEST(Stream, AfterItsOwnCloseANodeHearsNoMore) {
  Stage s(2, plain_options(), {.service = 10_ms});
  s.peer(B).then = [](Context& c, const std::string& what) {
    if (what == "1") c.close(c.world().node_as<Peer>(B).last);
  };
  const ConnId c = s.connect(A, B);
  s.quiet();
  for (const char* text : {"1", "2", "3"}) s.send(A, c, text);
  s.as(A).close(c);
  s.quiet();
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

TEST(Stream, BandwidthQueues) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault narrow = fault(FaultKind::bandwidth, {{"A"}, {"B"}});
  narrow.amount = 6'400;  // bytes a second: a message of 64 takes 10 ms
  const std::size_t f = s.inject(narrow);
  const Time begin = s.world.now();
  for (const char* text : {"1", "2", "3"}) s.send(A, c, text);
  s.quiet();
  EXPECT_EQ(s.when(B, "1"), begin + 11_ms);
  EXPECT_EQ(s.when(B, "3"), begin + 31_ms);
  EXPECT_EQ(s.bites(f), 1U);
}

// What has queued does not crawl on when the limit is gone, and what is sent then does not wait for it.
TEST(Stream, AWireThatIsWideAgainTakesWhatHasQueued) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault narrow = fault(FaultKind::bandwidth, {{"A"}, {"B"}}, 15_ms);
  narrow.amount = 6'400;
  s.inject(narrow);
  const Time begin = s.world.now();
  for (const char* text : {"1", "2", "3", "4"}) s.send(A, c, text);
  s.run(20_ms);
  s.send(A, c, "5");
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 2 3 4 5");
  EXPECT_EQ(s.when(B, "1"), begin + 11_ms);
  EXPECT_EQ(s.when(B, "2"), begin + 16_ms);
  EXPECT_EQ(s.when(B, "4"), begin + 16_ms);
  EXPECT_EQ(s.when(B, "5"), begin + 21_ms);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

TEST(Stream, AClogKeepsAndThenLetsGoAtOnce) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  const Time begin = s.world.now();
  const std::size_t f = s.inject(fault(FaultKind::clog, {{"A"}, {"B"}}, 700_ms));
  s.send(A, c, "1");
  s.tell(A, B, "datagram");
  s.run(100_ms);
  s.send(A, c, "2");
  s.send(B, c, "the other way");
  s.quiet();
  EXPECT_EQ(s.when(B, "1"), begin + 701_ms);
  EXPECT_EQ(s.when(B, "2"), begin + 701_ms);
  EXPECT_EQ(s.when(B, "datagram"), begin + 701_ms);
  EXPECT_EQ(s.when(A, "the other way"), begin + 101_ms);
  EXPECT_GE(s.bites(f), 2U);
}

TEST(Stream, BurstLossDelaysUntilTheBurstIsOver) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  Fault burst = fault(FaultKind::burst_loss, {{"A"}, {"B"}}, 900_ms);
  burst.ratio = {1, 1};
  burst.spread = 100_ms;
  const std::size_t f = s.inject(burst);
  s.send(A, c, "1");
  s.tell(A, B, "gone");
  s.quiet();
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_GT(s.when(B, "1"), 900_ms);
  EXPECT_GE(s.bites(f), 2U);
}

TEST(Stream, SlotsAreUsedAgainAndIdsAreNot) {
  Stage s(2);
  std::vector<ConnId> ids;
  for (int i = 0; i < 10'000; ++i) {
    const ConnId c = s.connect(A, B);
    s.send(A, c, "x");
    s.quiet();
    s.as(A).close(c);
    s.quiet();
    ids.push_back(c);
  }
  EXPECT_EQ(s.world.connections_in_use(), 0U);
  EXPECT_LE(s.world.connections().size(), 5U);  // a slot is given up after 4,095 uses
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

TEST(Stream, NobodyCanConnectToItselfOrToNobody) {
  Stage s(1);
  EXPECT_EQ(s.connect(A, A), no_connection);
  EXPECT_EQ(s.connect(A, 99), no_connection);
  s.tell(A, 99, "x");
  s.send(A, no_connection, "x");
  s.as(A).close(no_connection);
  s.quiet();
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// However long the queue in front of a slow reader was: what it had not looked at when it closed, it never looks at. A queue is
// packed now and then; whenever that is, nothing is passed over.
TEST(Stream, WhoClosesLooksAtNothingMoreOfALongBacklog) {
  NodeOptions slow;
  slow.service = 1_ms;
  for (Duration after = 55_ms; after <= 80_ms; after += 1_ms) {
    Stage s(3, plain_options(), slow);
    const ConnId c = s.connect(A, B), other = s.connect(C, B);
    s.quiet();
    for (int i = 0; i < 100; ++i) s.send(A, c, std::to_string(i));
    for (int i = 0; i < 40; ++i) s.send(C, other, "o");
    s.run(after);
    const std::size_t looked_at = s.peer(B).heard.size();
    s.as(B).close(c);
    s.quiet();
    std::size_t more = 0, others = 0;
    for (std::size_t i = 0; i < s.peer(B).heard.size(); ++i) {
      if (s.peer(B).heard[i] == "o") ++others;
      else more += i >= looked_at;
    }
    EXPECT_EQ(more, 0U) << "closed after " << format_duration(after);
    EXPECT_EQ(others, 40U);
  }
}
