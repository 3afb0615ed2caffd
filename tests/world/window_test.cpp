// A receiver that takes no more: what is sent waits at its sender, as behind a closed TCP window (RFC 9293, 3.8.6).
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

TEST(Window, WhatIsSentWaitsAtTheSenderUntilTheReceiverTakesAgain) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.send(A, c, "1");
  s.as(B).take(c, false);
  s.run(500_us);
  EXPECT_TRUE(s.as(A).writable(c));  // it has not heard of it yet, so this still goes out, and arrives
  s.send(A, c, "2");
  s.quiet();
  EXPECT_FALSE(s.as(A).writable(c));
  s.send(A, c, "3");
  s.send(A, c, "4");
  s.run(10_s);
  EXPECT_EQ(s.heard(B), "1 2");
  const Time again = s.world.now();
  s.as(B).take(c, true);
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 2 3 4");
  EXPECT_EQ(s.heard(A), "writable");
  EXPECT_EQ(s.when(A, "writable"), again + 1_ms);
  EXPECT_EQ(s.when(B, "4"), again + 2_ms);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// A window is not a fault: nothing is sent again meanwhile, and nobody gives up, however long it takes.
TEST(Window, NobodyGivesUp) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.as(B).take(c, false);
  s.quiet();
  s.send(A, c, "late");
  s.run(StreamOptions{}.timeout * 3);
  EXPECT_EQ(s.heard(A), "");
  s.as(B).take(c, true);
  s.quiet();
  EXPECT_EQ(s.heard(B), "late");
}

// Each end closes its own window; that one of them does holds up neither the other direction nor its own word.
TEST(Window, BothWays) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.as(A).take(c, false);
  s.as(B).take(c, false);
  s.quiet();
  s.send(A, c, "to B");
  s.send(B, c, "to A");
  s.quiet();
  s.as(A).take(c, true);
  s.quiet();
  EXPECT_EQ(s.heard(A), "to A");
  EXPECT_EQ(s.heard(B), "writable");
  s.as(B).take(c, true);
  s.quiet();
  EXPECT_EQ(s.heard(B), "writable to B");
}

TEST(Window, ACutHoldsUpTheWordToo) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.as(B).take(c, false);
  s.quiet();
  s.send(A, c, "1");
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.as(B).take(c, true);
  s.run(5_s);
  EXPECT_EQ(s.heard(B), "");
  s.inject(fault(FaultKind::heal));
  s.quiet();
  EXPECT_EQ(s.heard(B), "1");
}

TEST(Window, AnEndWhileItIsClosedForgetsWhatWaits) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.as(B).take(c, false);
  s.quiet();
  s.send(A, c, "1");
  s.as(B).close(c);
  s.quiet();
  EXPECT_EQ(s.heard(B), "");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// Whatever is sent when, and however the receiver opens and closes: all of it arrives in order once it takes again.
RC_GTEST_PROP(Window, KeepsTheOrderAndLosesNothing, ()) {
  WorldOptions o = plain_options();
  o.link = {.latency = 1_ms, .spread = 5_ms, .shape = LatencyShape::exponential, .loss = {1, 20}};
  Stage s(2, o);
  const ConnId c = s.connect(A, B);
  s.quiet();
  std::string sent;
  const int n = *rc::gen::inRange(1, 40);
  for (int i = 0; i < n; ++i) {
    switch (*rc::gen::inRange(0, 5)) {
      case 0: s.as(B).take(c, false); break;
      case 1: s.as(B).take(c, true); break;
      case 2: s.run(*rc::gen::inRange(1, 50) * 1_ms); break;
      default:
        s.send(A, c, std::to_string(i));
        sent += (sent.empty() ? "" : " ") + std::to_string(i);
    }
  }
  s.as(B).take(c, true);
  s.quiet();
  RC_ASSERT(s.heard(B) == sent);
  RC_ASSERT(s.world.payloads_in_use() == 0U);
}
