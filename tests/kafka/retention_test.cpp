// cleanup.policy=delete: which segments go, when a broker looks, and what readers and the history are told.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "models/kafka/log.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka {
namespace {

using namespace literals;

// One record a batch, 100 bytes in all; two to a segment.
PartitionLog six(const std::vector<Time>& times, LogOptions o) {
  o.segments.bytes = 200;
  PartitionLog log{o};
  for (const Time t : times) log.append_as_leader(make_batch({{.message = 10 + static_cast<std::uint64_t>(log.end()), .key = 1, .timestamp = t, .size = 39}}), 0, 0);
  return log;
}
std::string gone(const std::vector<DeletedSegment>& deleted) {
  std::string out;
  for (const DeletedSegment& d : deleted) {
    out += fmt::format("{}{}..{}", out.empty() ? "" : " ", d.segment.base, d.next - 1);
    for (const TakenRecord& t : d.taken) out += fmt::format(" {}@{}", t.record.message, t.offset);
  }
  return out;
}

// deleteRetentionMsBreachedSegments: now - largestTimestamp > retention.ms.
TEST(KafkaRetention, ASegmentGoesWhenItsNewestRecordIsTooOld) {
  PartitionLog log = six({1_s, 10_s, 11_s, 12_s, 50_s, 51_s}, {.retention = 60_s});
  EXPECT_EQ(gone(log.delete_old_segments(70_s, 6)), "") << "exactly that old may stay";
  EXPECT_EQ(gone(log.delete_old_segments(70_s + 1, 6)), "0..1 10@0 11@1") << "the first record is far older: no matter";
  EXPECT_EQ(log.start(), 2);
  EXPECT_EQ(log.batches().front().base_offset, 2);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// The look ends with the first segment that may stay: one record from the future keeps all behind it.
TEST(KafkaRetention, OldestFirstUpToTheFirstThatStays) {
  PartitionLog log = six({1_s, 900_s, 2_s, 3_s, 4_s, 5_s}, {.retention = 60_s});
  EXPECT_EQ(gone(log.delete_old_segments(500_s, 6)), "");
  EXPECT_EQ(gone(log.delete_old_segments(961_s, 6)), "0..1 10@0 11@1 2..3 12@2 13@3 4..5 14@4 15@5");
}

// deletableSegments: highWatermark >= the segment's end.
TEST(KafkaRetention, OnlyWhatLiesWhollyBelowTheHighWatermark) {
  PartitionLog log = six({1_s, 1_s, 1_s, 1_s, 1_s, 1_s}, {.retention = 60_s});
  EXPECT_EQ(gone(log.delete_old_segments(500_s, 3)), "0..1 10@0 11@1");
}

// deleteSegments: "if we are going to delete all the segments, create a new one first".
TEST(KafkaRetention, TheActiveSegmentGoesTooWhenAllOfItIsOld) {
  PartitionLog log = six({1_s, 2_s, 3_s}, {.retention = 60_s});
  EXPECT_EQ(gone(log.delete_old_segments(64_s, 3)), "0..1 10@0 11@1 2..2 12@2");
  EXPECT_EQ(log.start(), 3);
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(log.segments().count(), 1U);
  EXPECT_EQ(log.append_as_leader(make_batch({{.message = 1, .timestamp = 64_s}}), 0, 0).base_offset, 3);
  EXPECT_EQ(log.broken_rule(), nullptr);
  EXPECT_EQ(gone(log.delete_old_segments(64_s, 4)), "");
}

// deleteRetentionSizeBreachedSegments: only as much as is too much, in whole segments.
TEST(KafkaRetention, BySizeNeverBelowTheLimit) {
  PartitionLog log = six({1_s, 1_s, 1_s, 1_s, 1_s, 1_s}, {.retention = 0, .retention_bytes = 401});
  EXPECT_EQ(gone(log.delete_old_segments(900_s, 6)), "");
  PartitionLog other = six({1_s, 1_s, 1_s, 1_s, 1_s, 1_s}, {.retention = 0, .retention_bytes = 400});
  EXPECT_EQ(gone(other.delete_old_segments(900_s, 6)), "0..1 10@0 11@1");
}

TEST(KafkaRetention, ACompactedTopicDeletesOnlyIfItsPolicySaysSo) {
  PartitionLog table = six({1_s, 1_s, 1_s}, {.compacts = true, .deletes = false, .retention = 60_s});
  EXPECT_EQ(gone(table.delete_old_segments(900_s, 3)), "");
  PartitionLog both = six({1_s, 1_s, 1_s}, {.compacts = true, .deletes = true, .retention = 60_s});
  EXPECT_EQ(gone(both.delete_old_segments(900_s, 3)), "0..1 10@0 11@1 2..2 12@2");
}

}  // namespace

namespace testing {
namespace {

// A topic that keeps its records for a minute, one record (161 bytes) to a segment; brokers look every 10 s.
struct Short : Lab {
  explicit Short(Settings cluster = {}, const Settings& topic = {{"retention", "60s"}, {"segment_bytes", "161"}})
      : Lab({.cluster = [&] {
               cluster.emplace_back("retention_check_interval", "10s");
               return cluster;
             }(),
             .topic = topic,
             .producer = {{"linger", "0"}},
             .consumer = {{"auto_offset_reset", "earliest"}}}) {}
  void send(std::int64_t timestamp = -1) {
    Call c;
    c.kind = CallKind::send;
    c.place = world.journal.names.id("t");
    c.message = ++messages_;
    c.timestamp = timestamp;
    const CallId id = client().call(c);
    run_until([&] { return !client().answer(id).empty(); });
    EXPECT_EQ(client().answer(id).substr(0, 2), "ok");
  }
  // "1@0 RETENTION": the rows that say what a policy took.
  std::string taken() {
    std::string out;
    for (const Op& op : world.journal.ops)
      if (op.kind == OpKind::ack && op.flags & op_flag::by_policy)
        out += fmt::format("{}{}@{} {}", out.empty() ? "" : ", ", op.message, op.position, world.journal.names.text(op.error));
    return out;
  }
  std::uint64_t messages_ = 0;
};

TEST(KafkaRetention, ABrokerLooksFromTimeToTimeAndSaysWhatItTook) {
  Short lab;
  lab.send();
  lab.send();
  lab.run(59_s);
  EXPECT_EQ(lab.log(1).start(), 0);
  lab.run(16_s);
  EXPECT_EQ(lab.log(1).start(), 2);
  EXPECT_EQ(lab.taken(), "1@0 RETENTION, 2@1 RETENTION") << "the leader tells, and it alone";
  EXPECT_EQ(lab.marks("segment_deleted"), 6u);
  EXPECT_EQ(lab.ask("B1", list_offsets(earliest_timestamp)), "#0 offset=2");
}

// LogManager.InitialTaskDelay and the interval: the look comes to whoever is old enough by then.
TEST(KafkaRetention, ByTheBrokersWallClock) {
  Short lab;
  lab.send();
  Fault jump;
  jump.kind = FaultKind::clock_jump;
  jump.groups = {{"B1"}};
  jump.duration = 0;
  jump.amount = 100_s;
  lab.world.inject(jump);
  lab.run(16_s);
  EXPECT_EQ(lab.log(1).start(), 1) << "its clock is ahead";
  EXPECT_EQ(lab.log(2).start(), 1) << "... and its followers begin where it does";
}

// A follower deletes by its own clock; readers notice when it leads.
TEST(KafkaRetention, WhatAFollowerDeletedIsGoneWhenItLeads) {
  Short lab;
  lab.send();
  Fault jump;
  jump.kind = FaultKind::clock_jump;
  jump.groups = {{"B2"}};
  jump.amount = 100_s;
  lab.world.inject(jump);
  lab.run(16_s);
  EXPECT_EQ(lab.log(2).start(), 1);
  EXPECT_EQ(lab.log(1).start(), 0);
  EXPECT_EQ(lab.taken(), "");
  lab.command("elect", "t/0 B2");
  lab.run_until([&] { return lab.replica(2).role == Role::leader; });
  EXPECT_EQ(lab.taken(), "1@0 RETENTION");
}

// What the leader deleted later by itself it told itself: not once more when the follower leads.
TEST(KafkaRetention, WhatBothDeletedIsToldOnce) {
  Short lab;
  lab.send();
  Fault jump;
  jump.kind = FaultKind::clock_jump;
  jump.groups = {{"B2"}};
  jump.amount = 100_s;
  lab.world.inject(jump);
  lab.run(80_s);
  ASSERT_EQ(lab.log(1).start(), 1);
  EXPECT_EQ(lab.taken(), "1@0 RETENTION");
  lab.command("elect", "t/0 B2");
  lab.run_until([&] { return lab.replica(2).role == Role::leader; });
  EXPECT_EQ(lab.taken(), "1@0 RETENTION");
}

// A reader that was too slow is out of range, and goes on where auto.offset.reset says.
TEST(KafkaRetention, ASlowReaderIsReset) {
  Short lab;
  lab.send();
  lab.client().ask(CallKind::assign, "t/0", 0);
  lab.run(100_ms);
  const CallId first = lab.client().poll(1_s);
  lab.run(1_s);
  EXPECT_EQ(lab.client().answer(first), "1@0");
  lab.fault(FaultKind::isolate, {{"K"}}, traffic_bit(Traffic::client));
  lab.run(1_s);
  lab.ask("B1", produce(1));
  lab.ask("B1", produce(1));
  lab.run(90_s);
  lab.ask("B1", produce(1));
  lab.heal();
  lab.run(40_s);
  EXPECT_EQ(lab.marks("position_reset"), 1u);
}

// --- whose clock ---

// message.timestamp.type of the topic overrules the cluster's.
TEST(KafkaRetention, ATopicHasItsOwnTimestampType) {
  Short create({{"timestamp_type", "append"}}, {{"timestamp_type", "create"}});
  create.send(5_s);
  EXPECT_EQ(create.log(1).batches().front().timestamp_of(0), 5_s);
  Short append({{"timestamp_type", "create"}}, {{"timestamp_type", "append"}});
  append.send(5_s);
  EXPECT_NE(append.log(1).batches().front().timestamp_of(0), 5_s);
  Short cluster({{"timestamp_type", "append"}}, Settings{});
  cluster.send(5_s);
  EXPECT_NE(cluster.log(1).batches().front().timestamp_of(0), 5_s);
}

// KIP-937: too old is refused as too new is, and the producer is told for certain.
TEST(KafkaRetention, ATimeTooFarBackIsRefused) {
  Short lab(Settings{{"timestamp_before_max", "10s"}});
  Call c;
  c.kind = CallKind::send;
  c.place = lab.world.journal.names.id("t");
  c.message = 1;
  Context context(lab.world, lab.world.find("B1"));
  c.timestamp = context.wall() - 11_s;
  const CallId id = lab.client().call(c);
  lab.run(1_s);
  EXPECT_EQ(lab.client().answer(id), "fail INVALID_TIMESTAMP");
  EXPECT_EQ(lab.marks("invalid_timestamp"), 1u);
}

// --- DeleteRecords, crashes and where a log starts ---

TEST(KafkaRetention, DeleteRecordsIsForgottenByACrashWithinAMinute) {
  Short lab({}, {{"segment_bytes", "100000"}});
  for (int i = 0; i < 4; ++i) lab.send();
  lab.run(65_s - lab.world.now() % 60_s);  // just after a checkpoint
  lab.command("delete_records", "t/0 3", "B1");
  lab.run(1_s);
  ASSERT_EQ(lab.log(2).start(), 3);
  EXPECT_EQ(lab.taken(), "1@0 DELETE_RECORDS, 2@1 DELETE_RECORDS, 3@2 DELETE_RECORDS");
  for (const char* b : {"B1", "B2", "B3"}) lab.kill(b);
  lab.run(1_s);
  for (const char* b : {"B1", "B2", "B3"}) lab.restart(b);
  ASSERT_TRUE(lab.run_until([&] { return lab.replica(1).role == Role::leader || lab.replica(2).role == Role::leader || lab.replica(3).role == Role::leader; }));
  EXPECT_EQ(lab.marks("log_start_fell_back"), 3u);
  EXPECT_EQ(lab.log(1).start(), 0) << "deleted records reappear";
}

TEST(KafkaRetention, DeleteRecordsIsWrittenDownAfterAMinute) {
  Short lab({}, {{"segment_bytes", "100000"}});
  for (int i = 0; i < 4; ++i) lab.send();
  lab.command("delete_records", "t/0 3", "B1");
  lab.run(66_s);
  for (const char* b : {"B1", "B2", "B3"}) lab.kill(b);
  lab.run(1_s);
  for (const char* b : {"B1", "B2", "B3"}) lab.restart(b);
  lab.run(10_s);
  EXPECT_EQ(lab.marks("log_start_fell_back"), 0u);
  for (BrokerId b : {1, 2, 3}) EXPECT_EQ(lab.log(b).start(), 3) << b;
}

// One copy that kept it is enough: the others learn it with a fetch.
TEST(KafkaRetention, AReplicaThatFellBackLearnsTheStartFromItsLeader) {
  Short lab({}, {{"segment_bytes", "100000"}});
  for (int i = 0; i < 4; ++i) lab.send();
  lab.command("delete_records", "t/0 3", "B1");
  lab.run(1_s);
  lab.kill("B3");
  lab.run(1_s);
  lab.restart("B3");
  lab.run_until([&] { return lab.marks("log_start_fell_back") == 1; });
  ASSERT_TRUE(lab.run_until([&] { return lab.log(3).start() == 3; }, 20_s));
}

TEST(KafkaRetention, AGoodEndWritesDownWhereLogsStart) {
  Short lab({}, {{"segment_bytes", "100000"}});
  for (int i = 0; i < 4; ++i) lab.send();
  lab.command("delete_records", "t/0 3", "B1");
  lab.run(1_s);
  lab.fault(FaultKind::stop, {{"B3"}});
  lab.run(5_s);
  lab.restart("B3");
  lab.run(5_s);
  EXPECT_EQ(lab.marks("log_start_fell_back"), 0u);
}

// UnifiedLog.roll: what lies before the new segment is flushed, so power takes no more than the active one.
TEST(KafkaRetention, AClosedSegmentIsOnTheDisk) {
  Short lab({}, {{"segment_bytes", "322"}});
  for (int i = 0; i < 5; ++i) lab.send();
  lab.run(100_ms);
  lab.fault(FaultKind::power, {{"B1", "B2"}});
  lab.run(1_ms);
  EXPECT_EQ(lab.log(1).end(), 4) << "two segments of two are whole, the fifth record is not";
  EXPECT_EQ(lab.log(2).end(), 4) << "a follower flushes too";
}

}  // namespace
}  // namespace testing
}  // namespace mqlab::kafka
