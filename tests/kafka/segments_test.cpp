// How a log is cut into segments: when one is closed, and what cutting and deleting leave of them.
#include "models/kafka/segments.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "models/kafka/log.h"

namespace mqlab::kafka {
namespace {

using namespace literals;

// One record of `size` bytes in all, its header included, stamped `at`.
Batch of_bytes(std::uint32_t size, Time at = 1_s, std::uint64_t key = 1) {
  return make_batch({{.message = 1, .key = key, .timestamp = at, .size = size - batch_header_bytes}});
}
PartitionLog log_with(SegmentOptions s) { return PartitionLog{{.segments = s}}; }

// "0:200 2:100*": base and bytes of each segment, the active one starred.
std::string text(const Segments& s) {
  std::string out;
  for (std::size_t i = 0; i < s.count(); ++i) out += fmt::format("{}{}:{}", i == 0 ? "" : " ", s.at(i).base, s.at(i).bytes);
  return out + "*";
}

// LogSegment.shouldRoll: size > maxSegmentBytes - messagesSize.
TEST(KafkaSegments, ASegmentIsClosedBeforeItWouldBeTooLarge) {
  PartitionLog log = log_with({.bytes = 300});
  EXPECT_FALSE(log.append_as_leader(of_bytes(150), 0, 7_s).rolled);
  EXPECT_FALSE(log.append_as_leader(of_bytes(150), 0, 8_s).rolled) << "exactly full is not too large";
  EXPECT_TRUE(log.append_as_leader(of_bytes(100), 0, 9_s).rolled);
  EXPECT_EQ(text(log.segments()), "0:300 2:100*");
  EXPECT_EQ(log.segments().closed()[0].rolled_at, 9_s);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// RecordBatchTooLargeException: it would fit into no segment.
TEST(KafkaSegments, ABatchLargerThanASegmentIsRefused) {
  PartitionLog log = log_with({.bytes = 300});
  EXPECT_EQ(log.append_as_leader(of_bytes(301), 0, 0).error, Error::message_too_large);
  EXPECT_TRUE(log.empty());
}

// LogSegment.timeWaitedForRoll: the new batch's largest time less that of the first batch, not the clock.
TEST(KafkaSegments, ASegmentIsClosedWhenTheRecordsSayThatTimeHasPassed) {
  PartitionLog log = log_with({.time = 10_s});
  log.append_as_leader(of_bytes(100, 5_s), 0, 1'000_s);
  log.append_as_leader(of_bytes(100, 15_s), 0, 9'000_s);
  EXPECT_EQ(text(log.segments()), "0:200*") << "an hour on the broker's clock is nothing";
  log.append_as_leader(of_bytes(100, 2_s), 0, 9'000_s);
  log.append_as_leader(of_bytes(100, 15_s + 1), 0, 9'000_s);
  EXPECT_EQ(text(log.segments()), "0:300 3:100*") << "the first batch counts, not the newest";
  EXPECT_EQ(log.segments().closed()[0].first_timestamp, 5_s);
  EXPECT_EQ(log.segments().closed()[0].largest_timestamp, 15_s);
}

// LogAppendTime: the batch's time is the leader's, and so is the segment's.
TEST(KafkaSegments, WithLogAppendTimeTheLeadersClockClosesThem) {
  PartitionLog log{{.segments = {.time = 10_s}, .log_append_time = true}};
  log.append_as_leader(of_bytes(100, 900'000_s), 0, 100_s);
  log.append_as_leader(of_bytes(100, 0_s), 0, 111_s);
  EXPECT_EQ(text(log.segments()), "0:100 1:100*");
  EXPECT_EQ(log.segments().closed()[0].largest_timestamp, 100_s);
}

// Nobody tells a follower where to cut: the same batches give the same segments.
TEST(KafkaSegments, AFollowerClosesItsSegmentsByItself) {
  PartitionLog leader = log_with({.bytes = 300});
  PartitionLog follower = log_with({.bytes = 300});
  for (int i = 0; i < 8; ++i) leader.append_as_leader(of_bytes(100 + 10U * static_cast<unsigned>(i)), 0, 5_s);
  for (const Batch& b : leader.read(0, leader.end())) follower.append_as_follower(b, 5_s);
  EXPECT_EQ(text(follower.segments()), text(leader.segments()));
  EXPECT_EQ(follower, leader);
}

// LocalLog.truncateTo: segments that began later are gone, and the last one left is written to again.
TEST(KafkaSegments, TruncationReopensTheLastSegment) {
  PartitionLog log = log_with({.bytes = 200});
  for (Time t = 1; t <= 6; ++t) log.append_as_leader(of_bytes(100, t * 1_s), 0, 0);
  ASSERT_EQ(text(log.segments()), "0:200 2:200 4:200*");
  log.truncate_to(3);
  EXPECT_EQ(text(log.segments()), "0:200 2:100*");
  EXPECT_EQ(log.segments().active().largest_timestamp, 3_s);
  EXPECT_EQ(log.segments().active().rolled_at, no_timestamp);
  log.append_as_leader(of_bytes(100), 0, 0);
  EXPECT_EQ(text(log.segments()), "0:200 2:200*");
  log.truncate_to(2);
  EXPECT_EQ(text(log.segments()), "0:200 2:0*") << "an empty one stays where it began";
  log.truncate_fully_and_start_at(50);
  EXPECT_EQ(text(log.segments()), "50:0*");
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// DeleteRecords moves the start alone; files go when the broker next looks for old ones.
TEST(KafkaSegments, DeletedRecordsStayInTheirSegmentForAWhile) {
  PartitionLog log = log_with({.bytes = 200});
  for (int i = 0; i < 6; ++i) log.append_as_leader(of_bytes(100), 0, 0);
  log.delete_records_before(3);
  EXPECT_EQ(text(log.segments()), "0:200 2:200 4:200*");
  EXPECT_EQ(log.batches().size(), 3U);
  EXPECT_EQ(log.stored().size(), 6U);
  const auto deleted = log.delete_old_segments(0, log.end());
  ASSERT_EQ(deleted.size(), 1U);
  EXPECT_EQ(deleted[0].why, Deletion::log_start);
  EXPECT_TRUE(deleted[0].taken.empty()) << "readers had lost them before";
  EXPECT_EQ(text(log.segments()), "2:200 4:200*");
  EXPECT_EQ(log.start(), 3);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// UnifiedLog.maybeIncrementLogStartOffset: "the deleteRecordsOffset may be lost".
TEST(KafkaSegments, AStartThatWasNotWrittenDownFallsBack) {
  PartitionLog log = log_with({.bytes = 200});
  log.begin_epoch(1);
  for (int i = 0; i < 3; ++i) log.append_as_leader(of_bytes(100), 1, 0);
  log.begin_epoch(4);
  for (int i = 0; i < 3; ++i) log.append_as_leader(of_bytes(100), 4, 0);
  const PartitionLog before = log;
  log.delete_records_before(5);
  EXPECT_EQ(log.epochs().entries().size(), 1U);
  PartitionLog checkpointed = log;
  checkpointed.fall_back_to_start(5);
  EXPECT_EQ(checkpointed, log);
  log.fall_back_to_start(0);
  EXPECT_EQ(log, before) << "records, segments and epochs are as if nobody had deleted anything";

  // Not below the oldest file.
  log.delete_records_before(5);
  log.delete_old_segments(0, log.end());
  log.fall_back_to_start(0);
  EXPECT_EQ(log.start(), 4);
  EXPECT_EQ(log.epochs().epoch_at(4), 4);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// Whatever happens to a log, its segments fit it (broken_rule looks at each one's bytes and times).
RC_GTEST_PROP(KafkaSegments, FitTheLogUnderAnyTreatment, ()) {
  const bool compacts = *rc::gen::arbitrary<bool>();
  PartitionLog log{{.segments = {.bytes = 500, .time = 50_s}, .compaction = {.delete_retention = 30_s, .dirty_percent = 1}, .compacts = compacts, .retention = 60_s, .retention_bytes = 4'000}};
  Time now = 100_s;
  const auto steps = *rc::gen::scale(6, rc::gen::arbitrary<std::vector<std::tuple<unsigned char, unsigned char, unsigned char>>>());
  for (const auto& [what, a, b] : steps) {
    now += a * 1_s / 10;
    const Offset somewhere = log.start() + a % (log.end() - log.start() + 1);
    switch (what % 16) {
      case 0: log.truncate_to(somewhere); break;
      case 1: log.delete_records_before(somewhere); break;
      case 2: log.lose_tail(log.end() - a % 5); break;
      case 3:
      case 4: {
        const Offset before = log.start();
        for (const DeletedSegment& d : log.delete_old_segments(now, somewhere)) RC_ASSERT(d.next <= somewhere);
        RC_ASSERT(log.start() >= before);
        break;
      }
      case 5: log.fall_back_to_start(somewhere); break;
      case 6:
        if (compacts) log.compact(log.plan_compaction(now, somewhere), now);
        break;
      default: {
        std::vector<Record> records;
        for (int i = 0; i <= b % 3; ++i) records.push_back({.message = b, .key = 1 + static_cast<std::uint64_t>(a + i) % 4, .timestamp = now - b * 1_s / 10, .size = b % 100U, .tombstone = b % 5 == 0});
        log.append_as_leader(make_batch(std::move(records)), 0, now);
      }
    }
    const char* rule = log.broken_rule();
    RC_ASSERT(std::string(rule ? rule : "") == "");
  }
}

}  // namespace
}  // namespace mqlab::kafka
