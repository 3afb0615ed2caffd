// Properties of any world: it forks anywhere, repeats itself, keeps the promise of streams and leaks nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include "tests/world/gossip.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

constexpr Time end = 3_s;

std::string run(std::uint64_t seed, GossipOptions o = {}) {
  World w = gossip_world(seed, o);
  w.run_until(end);
  return summary(w);
}

}  // namespace

RC_GTEST_PROP(World, RepeatsItself, (std::uint64_t seed)) {
  RC_ASSERT(run(seed) == run(seed));
}

RC_GTEST_PROP(World, HeapAndRadixGiveOneRun, (std::uint64_t seed)) {
  RC_ASSERT(run(seed) == run(seed, {.queue = QueueKind::radix}));
}

// What is written down changes nothing that happens.
RC_GTEST_PROP(World, TraceLevelsGiveOneRun, (std::uint64_t seed)) {
  World off = gossip_world(seed, {.trace = TraceLevel::off});
  off.run_until(end);
  for (const TraceLevel level : {TraceLevel::spans, TraceLevel::full, TraceLevel::state}) {
    World other = gossip_world(seed, {.trace = level});
    other.run_until(end);
    RC_ASSERT(summary(off).substr(0, summary(off).find(" marks")) == summary(other).substr(0, summary(other).find(" marks")));
  }
}

RC_GTEST_PROP(World, ForksAnywhere, (std::uint64_t seed, bool radix)) {
  const GossipOptions o{.queue = radix ? QueueKind::radix : QueueKind::heap};
  World never = gossip_world(seed, o);
  never.run_until(end);

  World w = gossip_world(seed, o);
  const std::uint64_t at = never.steps() == 0 ? 0 : splitmix64(seed) % never.steps();
  while (w.steps() < at) w.step(end);
  World fork = w;
  World untouched = fork;
  // One runs on by itself, and a fault is thrown into a third; neither shows in the others.
  World other = w;
  other.inject(fault(FaultKind::power, {{"all node"}}, 10_ms));
  other.run_until(end);
  fork.run_until(end);
  w.run_until(end);
  RC_ASSERT(summary(fork) == summary(never));
  RC_ASSERT(summary(w) == summary(never));
  World assigned(1);
  assigned = untouched;
  const World moved = std::move(untouched);
  assigned.run_until(end);
  RC_ASSERT(summary(assigned) == summary(never));
  RC_ASSERT(moved.steps() == at);
}

// At every receiver, per connection and direction: 0, 1, 2 ... and nothing else, whatever the faults.
RC_GTEST_PROP(Streams, ReceivedIsAPrefixOfSent, (std::uint64_t seed)) {
  World w = gossip_world(seed, {.faults = 12, .duplicates = false});
  w.run_until(end);
  for (NodeId n = 0; n < w.node_count(); ++n) RC_ASSERT(w.node_as<Gossip>(n).wrong == "");
}

// Once all is healed, released and gone, nothing is left.
RC_GTEST_PROP(World, NoSlotLeaks, (std::uint64_t seed)) {
  World w = gossip_world(seed, {.faults = 12});
  w.run_until(end);
  w.inject(fault(FaultKind::heal));
  w.inject(fault(FaultKind::release));
  w.inject(fault(FaultKind::resume, {{"all node"}}));
  w.run_until(end + 100_s);
  for (NodeId n = 0; n < w.node_count(); ++n) w.kill(n, true);
  w.run_until(end + 3'000_s);
  for (NodeId n = 0; n < w.node_count(); ++n)
    if (w.running(n)) w.kill(n, true);  // a restart armed for later
  w.run_until(end + 6'000_s);
  w.inject(fault(FaultKind::heal));
  w.inject(fault(FaultKind::release));
  w.run_until(end + 9'000_s);
  RC_ASSERT(w.payloads_in_use() == 0U);
  RC_ASSERT(w.connections_in_use() == 0U);
}

// A test that tested nothing is no test: over some seeds every message kind and every end is met.
TEST(World, TheGossipIsAlive) {
  std::uint64_t received = 0, bites = 0, kinds = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World w = gossip_world(seed);
    w.run_until(end);
    for (NodeId n = 0; n < w.node_count(); ++n) received += w.node_as<Gossip>(n).received;
    for (const ArmedFault& f : w.faults()) {
      bites += f.bites;
      if (f.bites) kinds |= std::uint64_t{1} << static_cast<unsigned>(f.fault.kind);
    }
  }
  EXPECT_GT(received, 50'000U);
  EXPECT_GT(bites, 1'000U);
  EXPECT_GE(std::popcount(kinds), 35);
}

TEST(World, LongRunsWithReconnectsKeepFewSlots) {
  World w = gossip_world(3, {.until = 200'000'000'000, .faults = 0});
  for (int i = 0; i < 190; ++i) {
    w.inject(fault(i % 2 ? FaultKind::restart : FaultKind::reset_streams, {{i % 3 ? "A" : "B"}}));
    w.run_until(w.now() + 1_s);
  }
  EXPECT_LT(w.connections().size(), 200U);
  EXPECT_LT(w.payloads_in_use(), 200U);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(World, AThousandSmallRunsDoNotGrowTheMemory) {
  const auto peak_kib = [] {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
  };
  const auto runs = [](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t seed = from; seed < to; ++seed) {
      World w = gossip_world(seed % 50, {.until = 200'000'000});
      w.run_until(300_ms);
    }
  };
  runs(0, 100);
  const auto before = peak_kib();
  runs(100, 1'100);
  EXPECT_LE(peak_kib() - before, 1'024);
}
#endif
