// Disk faults, kind by kind, through a node's eyes: what the node is told, what a loss of power leaves, how long it
// lasts, and how often it bit; and the same faults where no disk operation meets them. The ladder: disk_test.cpp.
#include <set>

#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

// What lasts until something ends it.
constexpr FaultKind lasting[] = {FaultKind::sync_lies, FaultKind::sync_fails, FaultKind::torn_write,
                                 FaultKind::disk_full, FaultKind::disk_slow,  FaultKind::disk_stall};

struct Machine : Stage {
  Machine() : Stage(2, plain_options(), {.disk = {.write_latency = 1_ms, .sync_latency = 5_ms}}) {
    world.set_file_finder([](const World&, NodeId, std::string_view place, FileId& out) {
      out = 3;
      return place == "orders/0";
    });
  }
  // So many units more, and a sync that is answered.
  void write(std::int64_t units, FileId file = 0) { as(A).write(file, world.disk(A).written(file) + units); }
  void sync() {
    as(A).sync_later(0);
    quiet();
  }
  std::string told() { return peer(A).heard.back(); }
  // What A finds after a loss of power.
  std::string after_power() {
    inject(fault(FaultKind::power, {{"A"}}));
    const std::string found = told();
    world.start(A);
    run(0);
    return found;
  }
  std::size_t on_a(FaultKind kind, Duration duration = 0, Ratio r = {0, 1}) {
    Fault f = fault(kind, {{"A"}}, duration);
    f.ratio = r;
    return inject(f);
  }
  // How long a write and a sync take their handler.
  Duration takes() {
    Context c = as(A);
    c.write(0, world.disk(A).written(0) + 1);
    c.sync(0);
    return c.cost();
  }
};

}  // namespace

TEST(DiskFault, ASyncThatLiesIsAnsweredOkAndLost) {
  Machine s;
  s.write(2);
  s.sync();
  const std::size_t i = s.on_a(FaultKind::sync_lies);
  s.write(3);
  s.sync();
  EXPECT_EQ(s.told(), "disk:0:5:ok");
  EXPECT_EQ(s.bites(i), 1U);
  EXPECT_EQ(s.after_power(), "dark,0:2");
}

TEST(DiskFault, ASyncThatFailsIsAnsweredSoAndThePagesNeverArrive) {
  Machine s;
  s.write(2);
  s.sync();
  const std::size_t i = s.on_a(FaultKind::sync_fails, 10_ms);
  s.write(3);
  s.sync();
  EXPECT_EQ(s.told(), "disk:0:5:failed");
  s.run(10_ms);
  s.write(1);
  s.sync();
  EXPECT_EQ(s.told(), "disk:0:6:ok");  // fsyncgate: the next sync knows nothing of it
  EXPECT_EQ(s.bites(i), 1U);
  EXPECT_EQ(s.after_power(), "dark,0:2");
}

// Each ends with its duration, to the nanosecond, and with a disk_heal; then the disk is as good as before.
TEST(DiskFault, EndsWithItsDurationAndWithAHeal) {
  for (FaultKind kind : lasting) {
    for (bool healed : {true, false}) {
      Machine s;
      const std::size_t i = s.on_a(kind, healed ? 0 : 10_ms, {3, 1});
      const std::size_t of_another = s.inject(fault(FaultKind::disk_heal, {{"B"}}));
      s.run(10_ms - 1);
      EXPECT_TRUE(s.world.faults()[i].active);
      const std::size_t heal = healed ? s.on_a(FaultKind::disk_heal) : i;
      s.run(1);
      EXPECT_FALSE(s.world.faults()[i].active);
      EXPECT_EQ(s.takes(), 6_ms) << fault_decl(kind).name;
      s.quiet();
      s.run(6_ms);
      s.write(1);
      EXPECT_EQ(s.after_power(), "dark,0:1") << fault_decl(kind).name;
      EXPECT_EQ(s.bites(i), 0U) << fault_decl(kind).name;
      EXPECT_EQ(s.bites(of_another), 0U);
      EXPECT_EQ(s.bites(heal), healed ? 1U : 0U);
      EXPECT_EQ(s.world.faults()[i].complaint, "");
    }
  }
}

// While they are in force, and no write, no sync, no loss of power comes; or one that has nothing to lose.
TEST(DiskFault, NeverBitesWhatDoesNotMeetIt) {
  for (FaultKind kind : lasting) {
    Machine s;
    s.write(1);
    s.sync();
    const std::size_t i = s.on_a(kind, 0, {3, 1});
    const std::size_t rest = s.on_a(FaultKind::write_back);  // all is clean
    s.as(B).write(0, 1);
    s.as(B).sync_later(0);
    s.quiet();
    if (kind != FaultKind::sync_fails && kind != FaultKind::disk_slow && kind != FaultKind::disk_stall) s.as(A).sync(0);
    if (kind == FaultKind::torn_write || kind == FaultKind::sync_lies) {
      s.write(1);
      s.inject(fault(FaultKind::kill, {{"A"}}));
      EXPECT_EQ(s.told(), "killed,0:2");  // the page cache outlives the process
    } else {
      EXPECT_EQ(s.after_power(), "dark,0:1");
    }
    EXPECT_EQ(s.bites(i), 0U) << fault_decl(kind).name;
    EXPECT_EQ(s.bites(rest), 0U);
    EXPECT_TRUE(s.world.faults()[i].active);
  }
}

TEST(DiskFault, HealOfNothingNeverBites) {
  Machine s;
  s.on_a(FaultKind::bit_rot);  // an empty file
  s.on_a(FaultKind::sync_lies, 1_ms);
  s.run(1_ms);
  EXPECT_EQ(s.bites(s.on_a(FaultKind::disk_heal)), 0U);
}

TEST(DiskFault, AHealEndsEveryKindAtOnceAndRotStays) {
  Machine s;
  s.write(3);
  s.on_a(FaultKind::bit_rot);
  for (FaultKind kind : lasting)
    s.on_a(kind, 0, {3, 1});
  const std::size_t heal = s.on_a(FaultKind::disk_heal);
  EXPECT_EQ(s.bites(heal), 1U);  // a node's disk
  EXPECT_EQ(s.takes(), 6_ms);
  s.quiet();
  s.run(6_ms);
  EXPECT_EQ(s.after_power(), "dark,0:4!2");
}

// One tear: at the next loss of power, and not at the one after.
TEST(DiskFault, ATornWriteTearsOnce) {
  Machine s;
  s.write(2);
  s.sync();
  s.write(5);
  const std::size_t i = s.on_a(FaultKind::torn_write);
  EXPECT_EQ(s.after_power(), "dark,0:3!2");
  s.as(A).truncate(0, 2);
  s.write(5);
  EXPECT_EQ(s.after_power(), "dark,0:2");
  EXPECT_EQ(s.bites(i), 1U);
  EXPECT_FALSE(s.world.faults()[i].active);
}

// The power went when all was synced: nothing to tear, and the chance is gone.
TEST(DiskFault, WhatIsSyncedIsNotTorn) {
  Machine s;
  s.write(2);
  s.sync();
  const std::size_t i = s.on_a(FaultKind::torn_write);
  EXPECT_EQ(s.after_power(), "dark,0:2");
  s.write(1);
  EXPECT_EQ(s.after_power(), "dark,0:2");
  EXPECT_EQ(s.bites(i), 0U);
}

TEST(DiskFault, AFullDiskRefusesEachWriteUntilItIsNot) {
  Machine s;
  s.write(2);
  const std::size_t i = s.on_a(FaultKind::disk_full, 10_ms);
  EXPECT_EQ(s.as(A).write(0, 3), DiskResult::full);
  EXPECT_EQ(s.as(A).write(1, 1), DiskResult::full);
  EXPECT_EQ(s.as(B).write(0, 1), DiskResult::ok);
  s.sync();
  EXPECT_EQ(s.told(), "disk:0:2:ok");  // what is there can be synced
  s.run(10_ms);
  EXPECT_EQ(s.as(A).write(0, 3), DiskResult::ok);
  EXPECT_EQ(s.bites(i), 2U);
  s.on_a(FaultKind::disk_full);
  const std::size_t of_b = s.inject(fault(FaultKind::disk_full, {{"B"}}));
  s.write(1);
  EXPECT_EQ(s.bites(of_b - 1), 1U);
  EXPECT_EQ(s.bites(of_b), 0U);  // A's write is not B's
}

// Writes and syncs, by the exact factor; of two that overlap the slower counts.
TEST(DiskFault, ASlowDiskStretchesWritesAndSyncs) {
  Machine s;
  const std::size_t half = s.on_a(FaultKind::disk_slow, 0, {3, 2});
  EXPECT_EQ(s.takes(), 9_ms);
  EXPECT_EQ(s.bites(half), 2U);
  const std::size_t stall = s.on_a(FaultKind::disk_stall, 10_ms);
  s.on_a(FaultKind::disk_slow, 0, {2, 1});
  EXPECT_EQ(s.takes(), 60_s);
  EXPECT_EQ(s.bites(stall), 2U);
  s.run(10_ms);
  EXPECT_EQ(s.takes(), 12_ms);
  EXPECT_EQ(s.bites(stall), 2U);
  s.on_a(FaultKind::disk_heal);
  const std::size_t none = s.on_a(FaultKind::disk_slow, 0, {1, 1}), faster = s.on_a(FaultKind::disk_slow, 0, {1, 3});
  EXPECT_EQ(s.takes(), 6_ms);
  EXPECT_EQ(s.bites(none) + s.bites(faster), 0U);
}

TEST(DiskFault, WriteBackSavesWhatWasNotSynced) {
  Machine s;
  s.write(3);
  const std::size_t i = s.on_a(FaultKind::write_back);
  s.write(2);
  EXPECT_EQ(s.bites(i), 1U);
  EXPECT_EQ(s.after_power(), "dark,0:3");
}

// The unit that it names, or the last; it stays wrong until truncated, whoever dies meanwhile.
TEST(DiskFault, RotIsOfOneUnit) {
  Machine s;
  s.write(5, 3);
  Fault f = fault(FaultKind::bit_rot, {{"A"}});
  f.file = "orders/0";
  f.unit = 1;
  const std::size_t one = s.inject(f);
  f.unit = 99;
  const std::size_t last = s.inject(f);
  s.inject(fault(FaultKind::kill, {{"A"}}));
  EXPECT_EQ(s.told(), "killed,3:5!1!4");
  EXPECT_EQ(s.bites(one), 1U);
  EXPECT_EQ(s.bites(last), 1U);
  s.as(A).truncate(3, 4);
  s.write(1, 3);
  EXPECT_FALSE(s.as(A).is_corrupt(3, 4));
  EXPECT_TRUE(s.as(A).is_corrupt(3, 1));
}

// Two units are wrong, the one that was meant and the one that was hit, never the same.
TEST(DiskFault, AMisdirectedWriteSpoilsTwo) {
  std::set<std::int64_t> hit;
  for (int round = 0; round < 40; ++round) {
    Machine s;
    s.run(round);
    for (int k = 0; k <= round; ++k) {
      s.as(A).remove(0);
      s.write(4);
      const std::size_t i = s.on_a(FaultKind::misdirected_write);
      EXPECT_EQ(s.bites(i), 1U);
    }
    std::vector<std::int64_t> wrong;
    for (std::int64_t unit = 0; unit < 4; ++unit)
      if (s.as(A).is_corrupt(0, unit)) wrong.push_back(unit);
    ASSERT_EQ(wrong.size(), 2U);
    EXPECT_EQ(wrong[1], 3);
    hit.insert(wrong[0]);
  }
  EXPECT_EQ(hit.size(), 3U);  // any of the others
}

TEST(DiskFault, RotNeedsSomethingToRot) {
  for (FaultKind kind : {FaultKind::bit_rot, FaultKind::misdirected_write}) {
    Machine s;
    s.write(1, 7);
    Fault f = fault(kind, {{"A"}});
    const std::size_t empty = s.inject(f);
    f.file = "orders/0";
    const std::size_t named = s.inject(f);
    f.file = "orders/7";
    const std::size_t unknown = s.inject(f);
    for (std::size_t i : {empty, named, unknown}) EXPECT_EQ(s.bites(i), 0U);
    EXPECT_EQ(s.world.faults()[empty].complaint, "the file is empty");
    EXPECT_EQ(s.world.faults()[named].complaint, "the file is empty");
    EXPECT_EQ(s.world.faults()[unknown].complaint, "A has no file `orders/7`");
    EXPECT_FALSE(s.as(A).is_corrupt(7, 0));
  }
}
