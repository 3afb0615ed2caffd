// Clock faults, kind by kind: by how much the wall clock of whom is off, when, and what is left when the fault is
// over; and the same faults where there is nothing to move. Timers, extremes, renewals: clock_test.cpp.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

Fault on_a(FaultKind kind, Duration amount, Duration duration = 0, Duration spread = 0) {
  Fault f = fault(kind, {{"A"}}, duration);
  f.amount = amount;
  f.spread = spread;
  return f;
}

Duration off(Stage& s, NodeId n) { return s.world.wall(n) - WorldOptions{}.wall_epoch - s.world.now(); }

constexpr FaultKind clock_kinds[] = {FaultKind::clock_offset, FaultKind::clock_jump, FaultKind::clock_drift,
                                     FaultKind::clock_strobe};

}  // namespace

// An offset is there from its first nanosecond to its last, and takes back what it gave and nothing else.
TEST(TimeFault, AnOffsetTakesBackWhatItGave) {
  Stage s(2);
  const std::size_t i = s.inject(on_a(FaultKind::clock_offset, 3_s, 100_ms));
  const std::size_t other = s.inject(on_a(FaultKind::clock_offset, -1_s, 50_ms));
  EXPECT_EQ(off(s, A), 2_s);
  s.run(10_ms);
  s.inject(on_a(FaultKind::clock_jump, 70_ms));
  s.run(40_ms - 1);
  EXPECT_EQ(off(s, A), 2'070_ms);
  s.run(1);
  EXPECT_EQ(off(s, A), 3'070_ms);
  s.run(50_ms - 1);
  EXPECT_EQ(off(s, A), 3'070_ms);
  s.run(1);
  EXPECT_EQ(off(s, A), 70_ms);
  EXPECT_EQ(off(s, B), 0);
  EXPECT_EQ(s.bites(i), 1U);
  EXPECT_EQ(s.bites(other), 1U);
}

TEST(TimeFault, WithoutADurationAnOffsetStays) {
  Stage s(1);
  s.inject(on_a(FaultKind::clock_offset, -3_s));
  s.run(3600_s);
  EXPECT_EQ(off(s, A), -3_s);
}

TEST(TimeFault, AJumpIsOnceForEachThatItNames) {
  Stage s(3);
  Fault f = on_a(FaultKind::clock_jump, -5_s, 1_ms);
  f.groups = {{"A", "C", "A"}};
  const std::size_t i = s.inject(f);
  s.run(1_s);
  EXPECT_EQ(off(s, A), -5_s);
  EXPECT_EQ(off(s, B), 0);
  EXPECT_EQ(off(s, C), -5_s);
  EXPECT_EQ(s.bites(i), 2U);
  EXPECT_FALSE(s.world.faults()[i].active);
}

// Two drifts add up; each ends by itself, and what was gathered stays.
TEST(TimeFault, DriftsAddUp) {
  Stage s(2);
  s.run(100_s);  // it drifts from now on, not from the beginning
  const std::size_t i = s.inject(on_a(FaultKind::clock_drift, 1'000'000, 10_s));  // a thousandth
  const std::size_t other = s.inject(on_a(FaultKind::clock_drift, -4'000'000, 20_s));
  s.run(10_s);
  EXPECT_EQ(off(s, A), -30_ms);
  s.run(10_s);
  EXPECT_EQ(off(s, A), -70_ms);
  s.run(10_s);
  EXPECT_EQ(off(s, A), -70_ms);
  EXPECT_EQ(off(s, B), 0);
  EXPECT_EQ(s.bites(i), 1U);
  EXPECT_EQ(s.bites(other), 1U);
}

// As many jumps as periods fit, one more where that would leave the clock off; each jump of each node is a bite.
TEST(TimeFault, AStrobeEndsWhereItBegan) {
  for (Duration duration : {0_ms, 19_ms, 20_ms, 30_ms, 40_ms}) {
    Stage s(2);
    Fault f = on_a(FaultKind::clock_strobe, 200_ms, duration, 10_ms);
    f.groups = {{"A", "B"}};
    const std::size_t i = s.inject(f);
    std::string seen;
    for (int k = 0; k < 6; ++k) {
      EXPECT_EQ(off(s, A), off(s, B));
      seen += off(s, A) == 200_ms ? "+" : off(s, A) == 0 ? "-" : "?";
      s.run(10_ms);
    }
    EXPECT_EQ(seen, duration < 30_ms ? "+-----" : "+-+---") << duration;
    EXPECT_EQ(s.bites(i), duration < 30_ms ? 4U : 8U);
  }
}

// A strobe that jumps among other faults takes nothing of theirs.
TEST(TimeFault, AStrobeBesideAJump) {
  Stage s(1);
  s.inject(on_a(FaultKind::clock_strobe, 200_ms, 40_ms, 10_ms));
  s.run(5_ms);
  s.inject(on_a(FaultKind::clock_jump, 7_s));
  EXPECT_EQ(off(s, A), 7'200_ms);
  s.run(1_s);
  EXPECT_EQ(off(s, A), 7_s);
}

// The clock is the machine's: who is dead finds it moved when it comes back.
TEST(TimeFault, TheClockOfADeadProcessMovesToo) {
  Stage s(1);
  s.inject(fault(FaultKind::power, {{"A"}}, 1_s));
  const std::size_t i = s.inject(on_a(FaultKind::clock_jump, 9_s));
  s.run(2_s);
  EXPECT_EQ(off(s, A), 9_s);
  EXPECT_EQ(s.bites(i), 1U);
}

TEST(TimeFault, NothingToMoveIsNoBite) {
  for (FaultKind kind : clock_kinds) {
    Stage s(2);
    const std::size_t zero = s.inject(on_a(kind, 0, 50_ms, 10_ms));
    Fault f = on_a(kind, 1_s, 50_ms, 10_ms);
    f.groups = {{"nobody of that name"}};
    const std::size_t nobody = s.inject(f);
    f.groups = {{}};
    const std::size_t unsaid = s.inject(f);
    s.world.arm(on_a(kind, 1_s), when_mark("never"));
    for (int k = 0; k < 10; ++k) {
      s.run(10_ms);
      EXPECT_EQ(off(s, A), 0) << fault_decl(kind).name;
      EXPECT_EQ(off(s, B), 0);
    }
    for (std::size_t i : {zero, nobody, unsaid, unsaid + 1}) EXPECT_EQ(s.bites(i), 0U) << fault_decl(kind).name;
    EXPECT_EQ(s.world.faults()[zero].complaint, "");
    EXPECT_EQ(s.world.faults()[nobody].complaint, "nobody is `nobody of that name` at this time");
    EXPECT_EQ(s.world.faults()[unsaid].complaint, "it names nobody");
    EXPECT_EQ(s.world.faults()[unsaid + 1].fired, 0U);
  }
}

// In force already: the same offset, the same drift, the same strobe; only its end moves.
TEST(TimeFault, RenewedIsNoFurtherBite) {
  for (FaultKind kind : {FaultKind::clock_offset, FaultKind::clock_drift, FaultKind::clock_strobe}) {
    Stage s(1);
    Trigger each = when_mark("tick");
    each.every = true;
    s.world.arm(on_a(kind, 1'000'000'000, 100_ms, 1_s), each);
    s.as(A).mark("tick");
    s.run(60_ms);
    const Duration once = off(s, A);
    EXPECT_EQ(once, kind == FaultKind::clock_drift ? 60_ms : 1_s);
    s.as(A).mark("tick");
    s.run(60_ms);
    EXPECT_EQ(off(s, A), kind == FaultKind::clock_drift ? 120_ms : 1_s);
    EXPECT_EQ(s.world.faults()[0].fired, 2U);
    EXPECT_EQ(s.bites(0), 1U) << fault_decl(kind).name;
    s.run(10_s);
    EXPECT_EQ(off(s, A), kind == FaultKind::clock_drift ? 160_ms : 0);
  }
}
