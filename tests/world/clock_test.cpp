// Wall clocks lie; timers do not notice.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

Fault of_clock(FaultKind kind, Duration amount, Duration duration = 0) {
  Fault f = fault(kind, {{"A"}}, duration);
  f.amount = amount;
  return f;
}

Duration off(Stage& s, NodeId n) { return s.world.wall(n) - WorldOptions{}.wall_epoch - s.world.now(); }

}  // namespace

TEST(Clock, IsRightByDefaultAndOffAsConfigured) {
  Stage s(1);
  s.run(5_s);
  EXPECT_EQ(off(s, A), 0);
  Stage t(1, plain_options(), {.clock = {.offset = 30_ms, .drift_ppb = 1'000'000}});
  t.run(10_s);
  EXPECT_EQ(off(t, A), 30_ms + 10_ms);
}

TEST(Clock, OffsetIsUndone) {
  Stage s(2);
  const std::size_t f = s.inject(of_clock(FaultKind::clock_offset, -3_s, 10_s));
  EXPECT_EQ(off(s, A), -3_s);
  EXPECT_EQ(off(s, B), 0);
  s.run(11_s);
  EXPECT_EQ(off(s, A), 0);
  EXPECT_EQ(s.bites(f), 1U);
}

TEST(Clock, JumpStays) {
  Stage s(1);
  s.inject(of_clock(FaultKind::clock_jump, 1'000_s));
  s.inject(of_clock(FaultKind::clock_jump, -1_s));
  s.run(1_s);
  EXPECT_EQ(off(s, A), 999_s);
}

TEST(Clock, DriftGathersAndItsEndKeepsWhatWasGathered) {
  Stage s(1);
  s.inject(of_clock(FaultKind::clock_drift, 100'000'000, 10_s));  // a tenth too fast
  s.run(5_s);
  EXPECT_EQ(off(s, A), 500_ms);
  s.run(15_s);
  EXPECT_EQ(off(s, A), 1_s);
}

TEST(Clock, StrobeGoesThereAndBack) {
  Stage s(1);
  Fault f = of_clock(FaultKind::clock_strobe, 200_ms, 50_ms);
  f.spread = 10_ms;
  const std::size_t i = s.inject(f);
  std::string seen;
  for (int k = 0; k < 8; ++k) {
    seen += off(s, A) == 0 ? "-" : off(s, A) == 200_ms ? "+" : "?";
    s.run(10_ms);
  }
  EXPECT_EQ(seen, "+-+-+---");
  EXPECT_EQ(s.bites(i), 6U);
  EXPECT_FALSE(s.world.faults()[i].active);
}

// "one node" is drawn once, not at each jump.
TEST(Clock, AStrobeStaysWithItsNode) {
  Stage s(5);
  Fault f = of_clock(FaultKind::clock_strobe, 200_ms, 40_ms);
  f.groups = {{"one node"}};
  f.spread = 10_ms;
  s.inject(f);
  s.quiet();
  for (NodeId n = 0; n < 5; ++n) EXPECT_EQ(off(s, n), 0);
}

TEST(Clock, TimersUseTheMonotonicClock) {
  Stage s(1);
  s.as(A).set_timer(1_s, 1, 1);
  s.inject(of_clock(FaultKind::clock_jump, 1'000_s));
  s.inject(of_clock(FaultKind::clock_drift, 500'000'000));
  s.quiet();
  EXPECT_EQ(s.when(A, "timer1"), 1_s);
}

// An offset that comes due again while in force is not counted twice, and not taken back twice.
TEST(Clock, ARepeatedOffsetIsTheSameOffset) {
  Stage s(1);
  Trigger each;
  each.on = Trigger::On::mark;
  each.name = "tick";
  each.every = true;
  s.world.arm(of_clock(FaultKind::clock_offset, 1_s, 10_ms), each);
  for (int i = 0; i < 3; ++i) {
    s.as(A).mark("tick");
    s.run(5_ms);
    EXPECT_EQ(off(s, A), 1_s);
  }
  s.run(20_ms);
  EXPECT_EQ(off(s, A), 0);
}

TEST(Clock, ExtremesAreHeldAtTheEnds) {
  Stage s(1);
  for (Duration amount : {time_max, time_max, time_min, time_min, time_min})
    for (FaultKind kind : {FaultKind::clock_jump, FaultKind::clock_offset, FaultKind::clock_drift, FaultKind::clock_strobe}) {
      s.inject(of_clock(kind, amount, 1_ms));
      s.run(1'000_s);
      s.world.wall(A);
    }
}
