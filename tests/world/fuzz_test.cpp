// Nothing that a row says may crash the world, hang it, or overflow a number.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/world/gossip.h"

using namespace mqlab;
using namespace mqlab::test;

RC_GTEST_PROP(Fuzz, AnyFaultRowIsEndured, (std::uint64_t seed)) {
  World w = gossip_world(seed, {.until = 200'000'000, .faults = 15, .wild = true});
  // Bounded work a row: not more than the strobes and repetitions that fault.h allows.
  constexpr std::uint64_t limit = 3'000'000;
  while (w.steps() < limit && w.step(2_s)) {
  }
  RC_ASSERT(w.steps() < limit);
  for (const ArmedFault& f : w.faults()) {
    RC_ASSERT(!describe(f.fault).empty());
    RC_ASSERT(!describe(f.trigger).empty());
  }
  World fork = w;
  w.run_until(4_s);
  fork.run_until(4_s);
  RC_ASSERT(summary(w) == summary(fork));
}

// The end of time itself: nothing is later than time_max, and sums are held there.
RC_GTEST_PROP(Fuzz, TheEndOfTimeIsReached, (std::uint64_t seed)) {
  World w = gossip_world(seed, {.until = 50'000'000, .faults = 8, .wild = true});
  for (int i = 0; i < 20'000 && w.step(); ++i) {
  }
  w.run_until(std::max(w.now(), time_max - 1'000'000'000));
}

TEST(Fuzz, AStrobeOfAHundredYearsByTheNanosecondIsBounded) {
  Stage s(1);
  Fault f = fault(FaultKind::clock_strobe, {{"A"}}, time_max);
  f.spread = 1;
  f.amount = 1_s;
  const std::size_t i = s.inject(f);
  s.run(3600_s);
  EXPECT_LE(s.bites(i), strobe_jumps_max);
  EXPECT_NE(s.world.faults()[i].complaint, "");
  EXPECT_EQ(s.world.wall(A) - WorldOptions{}.wall_epoch, s.world.now());
}

TEST(Fuzz, OptionsOfLinksNodesAndStreams) {
  Random r(5, Stream::scenario);
  for (int round = 0; round < 300; ++round) {
    WorldOptions o;
    o.link.latency = wild_number(r);
    o.link.spread = wild_number(r);
    o.link.shape = static_cast<LatencyShape>(r.below(4));
    o.link.loss = {static_cast<std::uint64_t>(wild_number(r)) % 3, static_cast<std::uint64_t>(wild_number(r))};
    o.link.duplicate = {1, static_cast<std::uint64_t>(wild_number(r))};
    o.link.reorder = {1, static_cast<std::uint64_t>(wild_number(r))};
    o.link.bytes_per_second = static_cast<std::uint64_t>(wild_number(r));
    o.stream.retransmit_min = wild_number(r);
    o.stream.retransmit_max = wild_number(r);
    o.stream.timeout = wild_number(r);
    o.stream.connect_timeout = wild_number(r);
    NodeOptions n;
    n.workers = static_cast<std::uint32_t>(r.below(3));
    n.service = wild_number(r);
    n.service_ps_per_byte = static_cast<std::uint32_t>(r.next());
    n.disk.write_latency = wild_number(r);
    n.disk.sync_latency = wild_number(r);
    n.disk.sync_latency_tail = wild_number(r);
    n.disk.nanoseconds_per_byte = static_cast<std::uint32_t>(r.next());
    n.disk.writeback_after = wild_number(r);
    n.disk.device_flush_after = wild_number(r);
    n.disk.honest_device = r.chance({1, 2});
    n.clock.offset = wild_number(r);
    n.clock.drift_ppb = wild_number(r);
    Stage s(2, o, n);
    const ConnId c = s.connect(A, B);
    for (int i = 0; i < 5; ++i) {
      s.send(A, c, "x");
      s.tell(B, A, "y");
      s.as(A).write(0, i, 0xffffffff);
      s.as(A).sync(0);
      s.as(A).sync_later(0);
      s.as(A).set_timer(wild_number(r), 1);
      s.world.wall(A);
      s.run(1_s);
    }
    s.inject(fault(FaultKind::power, {{"A"}}, wild_number(r)));
    s.run(1'000_s);
  }
}
