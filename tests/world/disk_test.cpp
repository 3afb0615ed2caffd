// The ladder: page cache, device cache, platter; and what its faults do to each rung.
#include "sim/world/disk.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

std::int64_t kept(Disk& d, Time now, FileId file = 0) {
  for (const Survivor& s : d.power_loss(now))
    if (s.file == file) return s.kept;
  return 0;
}

}  // namespace

TEST(Disk, PowerKeepsWhatWasSynced) {
  Disk d;
  d.write(0, 5, 0);
  d.sync(0, 1_ms, 0);
  d.write(0, 8, 2_ms);
  EXPECT_EQ(d.rung(0, 4, 2_ms), Rung::platter);
  EXPECT_EQ(d.rung(0, 7, 2_ms), Rung::page_cache);
  EXPECT_EQ(d.rung(0, 8, 2_ms), Rung::nowhere);
  EXPECT_TRUE(d.dirty(2_ms));
  EXPECT_EQ(kept(d, 3_ms), 5);
  EXPECT_EQ(d.written(0), 5);
  EXPECT_FALSE(d.dirty(3_ms));
}

TEST(Disk, ASyncUnderWayIsNotYetDone) {
  Disk d;
  d.write(0, 5, 0);
  d.sync(0, 10_ms, 0);
  Disk early = d, late = d;
  EXPECT_EQ(kept(early, 9_ms), 0);
  EXPECT_EQ(kept(late, 10_ms), 5);
}

// A new sync does not take back what an older one had made durable.
TEST(Disk, WhatWasDurableStaysSoWhileTheNextSyncRuns) {
  Disk d;
  d.write(0, 5, 0);
  d.sync(0, 1_ms, 0);
  d.write(0, 8, 2_ms);
  d.sync(0, 20_ms, 2_ms);
  EXPECT_EQ(d.durable(0, 10_ms), 5);
  EXPECT_EQ(d.durable(0, 20_ms), 8);
  // A second one that is faster than the first.
  d.write(0, 9, 3_ms);
  d.sync(0, 5_ms, 3_ms);
  EXPECT_EQ(d.durable(0, 4_ms), 5);
  EXPECT_EQ(d.durable(0, 5_ms), 9);
}

// Linux dirty_expire_centisecs: what lies in the page cache for 30 s is flushed, also under steady writing.
TEST(Disk, PagesAreWrittenBackByAge) {
  Disk d;
  for (int i = 1; i <= 200; ++i) {
    d.write(0, i, i * 500_ms);
    // On the next whole second after 30 s: between 30 and 31 s of writing, two units each, are in the cache.
    if (i <= 60) {
      EXPECT_EQ(d.durable(0, i * 500_ms), 0);
    } else if (i > 62) {
      EXPECT_GE(d.durable(0, i * 500_ms), i - 62);
      EXPECT_LE(d.durable(0, i * 500_ms), i - 60);
    }
  }
  EXPECT_EQ(d.durable(0, 131_s), 200);
}

TEST(Disk, ALyingSyncFlushesNothingByItself) {
  Disk d;
  d.sync_lies = true;
  d.write(0, 5, 0);
  EXPECT_EQ(d.sync(0, 1_ms, 0), DiskResult::ok);
  EXPECT_EQ(d.durable(0, 1_s), 0);
  EXPECT_EQ(d.durable(0, 31_s), 5);
}

// A device with a volatile cache: synced, answered, and lost with power; a little later on the platter.
TEST(Disk, ADishonestDeviceKeepsItInItsCache) {
  DiskOptions o;
  o.honest_device = false;
  Disk d(o);
  d.write(0, 5, 0);
  EXPECT_EQ(d.sync(0, 1_ms, 0), DiskResult::ok);
  EXPECT_EQ(d.rung(0, 4, 2_ms), Rung::device_cache);
  Disk early = d;
  EXPECT_EQ(kept(early, 2_ms), 0);
  EXPECT_EQ(d.durable(0, 1'200_ms), 5);
  // Syncs without a break do not postpone that for ever.
  for (int i = 6; i < 2'000; ++i) {
    d.write(0, i, i * 10_ms);
    d.sync(0, i * 10_ms + 1_ms, i * 10_ms);
  }
  EXPECT_GE(d.durable(0, 19'990_ms), 1'850);
  EXPECT_LE(d.durable(0, 19'990_ms), 1'900);
}

// fsyncgate (PostgreSQL, 2018): the failed sync marks the pages clean, the next one succeeds without them.
TEST(Disk, AFailedSyncLosesThePagesForGood) {
  Disk d;
  d.write(0, 3, 0);
  d.sync(0, 1_ms, 0);
  d.write(0, 5, 2_ms);
  d.sync_fails = true;
  EXPECT_EQ(d.sync(0, 3_ms, 2_ms), DiskResult::failed);
  d.sync_fails = false;
  d.write(0, 9, 4_ms);
  EXPECT_EQ(d.sync(0, 5_ms, 4_ms), DiskResult::ok);
  EXPECT_EQ(d.durable(0, 3600_s), 3);
  EXPECT_EQ(d.written(0), 9);  // a read still finds it in the page cache
  d.truncate(0, 3);
  d.write(0, 6, 6_ms);
  d.sync(0, 7_ms, 6_ms);
  EXPECT_EQ(d.durable(0, 8_ms), 6);
}

TEST(Disk, AFailedSyncOfACleanFileLosesNothing) {
  Disk d;
  d.write(0, 3, 0);
  d.sync(0, 1_ms, 0);
  d.sync_fails = true;
  d.sync(0, 3_ms, 2_ms);
  d.sync_fails = false;
  d.write(0, 5, 4_ms);
  d.sync(0, 5_ms, 4_ms);
  EXPECT_EQ(d.durable(0, 6_ms), 5);
}

TEST(Disk, ATornWriteSurvivesInPart) {
  Disk d;
  d.write(0, 3, 0);
  d.sync(0, 1_ms, 0);
  d.write(0, 6, 2_ms);
  d.torn = true;
  const std::vector<Survivor> s = d.power_loss(3_ms);
  ASSERT_EQ(s.size(), 1U);
  EXPECT_EQ(s[0].kept, 4);
  EXPECT_EQ(s[0].corrupt, (std::vector<std::int64_t>{3}));
  EXPECT_TRUE(d.is_corrupt(0, 3));
  EXPECT_EQ(d.torn_units, 1U);
  d.truncate(0, 3);
  EXPECT_FALSE(d.is_corrupt(0, 3));
}

TEST(Disk, FullRefusesAndKeepsWhatWasThere) {
  Disk d;
  d.write(0, 3, 0);
  d.full = true;
  EXPECT_EQ(d.write(0, 5, 1), DiskResult::full);
  EXPECT_EQ(d.written(0), 3);
}

TEST(Disk, TruncateThenPower) {
  Disk d;
  d.write(0, 5, 0);
  d.sync(0, 1_ms, 0);
  d.truncate(0, 3);
  d.write(0, 6, 2_ms);
  EXPECT_EQ(d.durable(0, 3_ms), 3);
  EXPECT_EQ(kept(d, 3_ms), 3);
  d.remove(0);
  EXPECT_EQ(d.written(0), 0);
  EXPECT_TRUE(d.power_loss(4_ms).empty());
}

TEST(Disk, TheListOfStepsStaysShort) {
  Disk d;
  std::int64_t n = 0;
  for (int i = 0; i < 100'000; ++i) {
    d.write(0, ++n, i * 1_ms);
    if (i % 3 == 0) d.sync(0, i * 1_ms + 5_ms, i * 1_ms);
  }
  EXPECT_LT(d.step_count(0), 200U);
  EXPECT_EQ(d.durable(0, 100'010_ms), n - 0 - (n - 1) % 3);
}

// Whatever the order of writes, syncs, truncations and losses: durable never exceeds written, what was durable
// stays so until truncated, and power leaves exactly that.
RC_GTEST_PROP(Disk, DurableOnlyGrowsUntilTruncated, (std::uint64_t seed)) {
  Random r(seed, Stream::disk);
  DiskOptions o;
  o.honest_device = r.chance({1, 2});
  o.writeback_after = r.chance({1, 2}) ? 30_s : 1_s;
  Disk d(o);
  Time now = 0;
  std::int64_t floor = 0;
  for (int i = 0; i < 300; ++i) {
    now += static_cast<Time>(r.below(200'000'000));
    const std::int64_t durable = d.durable(0, now);
    RC_ASSERT(durable <= d.written(0));
    RC_ASSERT(durable >= floor);
    floor = durable;
    switch (r.below(8)) {
      case 0:
      case 1:
      case 2: d.write(0, d.written(0) + static_cast<std::int64_t>(r.below(4)), now); break;
      case 3: d.sync(0, now + static_cast<Time>(r.below(50'000'000)), now); break;
      case 4:
        d.truncate(0, d.written(0) - static_cast<std::int64_t>(r.below(3)));
        floor = std::min(floor, d.written(0));
        break;
      case 5: {
        Disk lost = d;
        RC_ASSERT(kept(lost, now) == durable);
        if (r.chance({1, 4})) {
          d.power_loss(now);
          floor = d.written(0);
        }
        break;
      }
      case 6:
        if (r.chance({1, 4})) d.write_back(now);
        break;
      case 7: d.sync_lies = r.chance({1, 2}); break;
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Through a node's eyes.

TEST(DiskOfANode, KillKeepsThePageCachePowerDoesNot) {
  for (FaultKind kind : {FaultKind::kill, FaultKind::power, FaultKind::wipe}) {
    Stage s(1);
    s.as(A).write(1, 4);
    s.as(A).sync(1);
    s.run(10_ms);
    s.as(A).write(1, 7);
    s.inject(fault(kind, {{"A"}}));
    EXPECT_EQ(s.heard(A), kind == FaultKind::kill ? "killed,1:7" : kind == FaultKind::power ? "dark,1:4" : "wiped");
    EXPECT_EQ(s.world.disk(A).written(1), kind == FaultKind::kill ? 7 : kind == FaultKind::power ? 4 : 0);
  }
}

// The answer of a handler that syncs leaves after the sync; that of one that syncs later does not wait.
TEST(DiskOfANode, SyncHoldsUpTheHandlerAndSyncLaterDoesNot) {
  Stage s(2, plain_options(), {.disk = {.sync_latency = 5_ms}});
  s.peer(B).then = [](Context& c, const std::string& what) {
    if (what == "sync" || what == "later") {
      c.write(0, what == "sync" ? 1 : 2);
      if (what == "sync") c.sync(0);
      else c.sync_later(0);
      c.datagram(A, say, make_payload<Text>("ack " + what));
    }
  };
  s.tell(A, B, "sync");
  s.quiet();
  EXPECT_EQ(s.when(A, "ack sync"), 7_ms);
  const Time begin = s.world.now();
  s.tell(A, B, "later");
  s.quiet();
  EXPECT_EQ(s.when(A, "ack later"), begin + 2_ms);
  EXPECT_EQ(s.when(B, "disk:0:2:ok"), begin + 6_ms);
}

TEST(DiskOfANode, PowerDuringASyncLosesWhatItWasToKeep) {
  Stage s(1, plain_options(), {.disk = {.sync_latency = 5_ms}});
  s.as(A).write(0, 3);
  s.as(A).sync_later(0);
  s.run(4_ms);
  s.inject(fault(FaultKind::power, {{"A"}}, 10_ms));
  s.quiet();
  EXPECT_EQ(s.peer(A).all(), "start dark,0:0 start");  // and the old sync is never answered
}

TEST(DiskOfANode, SlowAndStalled) {
  Stage s(1, plain_options(), {.disk = {.sync_latency = 1_ms}});
  Fault slow = fault(FaultKind::disk_slow, {{"A"}}, 1_s);
  slow.ratio = {20, 1};
  const std::size_t f = s.inject(slow);
  EXPECT_EQ(s.bites(f), 0U);
  s.as(A).sync_later(0);
  s.quiet();
  EXPECT_EQ(s.when(A, "disk:0:0:ok"), 20_ms);
  EXPECT_EQ(s.bites(f), 1U);
  EXPECT_EQ(s.world.disk(A).slow.part, 1U);
  const std::size_t g = s.inject(fault(FaultKind::disk_stall, {{"A"}}, 1_s));
  const Time begin = s.world.now();
  s.as(A).sync_later(0);
  s.quiet();
  EXPECT_EQ(s.peer(A).when.back(), begin + 10_s);
  EXPECT_EQ(s.bites(g), 1U);
}

TEST(DiskOfANode, FaultsThatOverlapDoNotEndEachOther) {
  Stage s(1);
  s.inject(fault(FaultKind::sync_lies, {{"A"}}, 100_ms));
  s.inject(fault(FaultKind::sync_lies, {{"A"}}, 10_ms));
  s.run(20_ms);
  EXPECT_TRUE(s.world.disk(A).sync_lies);
  s.inject(fault(FaultKind::disk_full, {{"A"}}));
  const std::size_t f = s.inject(fault(FaultKind::disk_heal, {{"A"}}));
  EXPECT_FALSE(s.world.disk(A).sync_lies);
  EXPECT_FALSE(s.world.disk(A).full);
  EXPECT_EQ(s.bites(f), 1U);
}

TEST(DiskOfANode, RotAndMisdirectedWrites) {
  Stage s(1);
  s.world.set_file_finder([](const World&, NodeId, std::string_view place, FileId& out) {
    out = 3;
    return place == "orders/0";
  });
  s.as(A).write(3, 10);
  Fault rot = fault(FaultKind::bit_rot, {{"A"}});
  rot.file = "orders/0";
  rot.unit = 4;
  s.inject(rot);
  EXPECT_TRUE(s.as(A).is_corrupt(3, 4));
  rot.kind = FaultKind::misdirected_write;
  rot.unit = -1;
  s.inject(rot);
  int wrong = 0;
  for (int u = 0; u < 10; ++u) wrong += s.as(A).is_corrupt(3, u);
  EXPECT_TRUE(s.as(A).is_corrupt(3, 9));
  EXPECT_GE(wrong, 2);
  rot.file = "nothing";
  const std::size_t f = s.inject(rot);
  EXPECT_EQ(s.bites(f), 0U);
  EXPECT_NE(s.world.faults()[f].complaint, "");
}
