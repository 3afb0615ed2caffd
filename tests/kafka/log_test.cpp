// One replica's log: appending, cutting, deleting, losing, recovering; and the errors a client may meet.
#include "models/kafka/log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace mqlab::kafka {
namespace {

using namespace literals;

Batch messages(std::uint64_t first, int count, Time at = 0) {
  std::vector<Record> records;
  for (int i = 0; i < count; ++i) records.push_back({.message = first + i, .timestamp = at + i, .size = 100});
  return make_batch(std::move(records));
}

// Batches of two: [0,1] [2,3] in epoch 0, [4,5] in epoch 2; messages 10, 11, ...
PartitionLog six() {
  PartitionLog log;
  log.begin_epoch(0);
  log.append_as_leader(messages(10, 2, 100), 0, 0);
  log.append_as_leader(messages(12, 2, 50), 0, 0);
  log.begin_epoch(2);
  log.append_as_leader(messages(14, 2, 200), 2, 0);
  return log;
}

// "0:10/e0 1:11/e0 ...": every record that a reader of this log may see.
std::string text(const PartitionLog& log) {
  std::string s;
  for (const Batch& b : log.view(log.start(), log.end())) {
    for (int i = 0; i < b.count(); ++i) {
      if (b.base_offset + i < log.start()) continue;
      if (!s.empty()) s += ' ';
      s += std::to_string(b.base_offset + i) + ":" + std::to_string((*b.records)[static_cast<std::size_t>(i)].message) +
           "/e" + std::to_string(b.leader_epoch);
    }
  }
  return s;
}

TEST(KafkaLog, LeaderGivesOffsetsAndEpoch) {
  PartitionLog log = six();
  EXPECT_EQ(text(log), "0:10/e0 1:11/e0 2:12/e0 3:13/e0 4:14/e2 5:15/e2");
  EXPECT_EQ(log.end(), 6);
  const AppendResult r = log.append_as_leader(messages(16, 3), 2, 0);
  EXPECT_EQ(r, (AppendResult{.base_offset = 6, .last_offset = 8}));
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// The replicas of a batch share its records and differ only in what each has of its own.
TEST(KafkaLog, FollowerTakesBatchesVerbatim) {
  const PartitionLog leader = six();
  PartitionLog follower;
  for (const Batch& b : leader.read(0, leader.end())) EXPECT_EQ(follower.append_as_follower(b), Error::none);
  EXPECT_EQ(follower, leader);
  EXPECT_EQ(follower.batches()[0].records.get(), leader.batches()[0].records.get());
}

// UnexpectedAppendOffsetException and the checksum: what doesn't fit is refused and changes nothing.
TEST(KafkaLog, FollowerRefusesWhatItHasAndWhatIsCorrupt) {
  const PartitionLog leader = six();
  PartitionLog follower = six();
  EXPECT_EQ(follower.append_as_follower(leader.batches()[2]), Error::offset_out_of_range);
  Batch rotten = messages(16, 1);
  rotten.base_offset = 6;
  rotten.corrupt = true;
  EXPECT_EQ(follower.append_as_follower(rotten), Error::corrupt_message);
  EXPECT_EQ(follower, leader);
}

// Compaction leaves holes; a follower copies them, and a read in one goes on with the next batch.
TEST(KafkaLog, OffsetsMaySkip) {
  PartitionLog log;
  Batch b = messages(10, 2);
  b.base_offset = 5;
  b.leader_epoch = 1;
  EXPECT_EQ(log.append_as_follower(b), Error::none);
  EXPECT_EQ(log.end(), 7);
  EXPECT_EQ(log.view(2, 7).front().base_offset, 5);
  EXPECT_EQ(log.batch_at(2), nullptr);
  EXPECT_EQ(log.batch_at(6)->base_offset, 5);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// A fetch returns whole batches, the one that holds the offset first, and none that reaches the limit.
TEST(KafkaLog, ReadReturnsWholeBatchesBelowTheLimit) {
  const PartitionLog log = six();
  EXPECT_EQ(log.view(1, 6).size(), 3U);
  EXPECT_EQ(log.view(1, 6).front().base_offset, 0);
  EXPECT_EQ(log.view(2, 4).size(), 1U);
  EXPECT_EQ(log.view(2, 5).size(), 1U) << "a batch is visible as a whole or not at all";
  EXPECT_TRUE(log.view(6, 6).empty());
  EXPECT_TRUE(log.view(4, 4).empty());
}

// KIP-74: the first batch comes whatever its size, or a large one would stop its readers for ever.
TEST(KafkaLog, FirstBatchIsReturnedEvenAboveTheLimits) {
  const PartitionLog log = six();
  EXPECT_EQ(log.view(0, 6, 1).size(), 1U);
  EXPECT_EQ(log.view(0, 6, 4).size(), 2U);
  EXPECT_EQ(log.view(0, 6, offset_max, 1).size(), 1U);
  EXPECT_EQ(log.view(0, 6, offset_max, 2 * 261).size(), 2U);
  EXPECT_EQ(log.read(0, 6, 4).size(), 2U);
}

// KIP-101: what a newer leader does not have goes, and the epochs that began there with it.
TEST(KafkaLog, TruncationCutsRecordsAndEpochs) {
  PartitionLog log = six();
  log.truncate_to(4);
  EXPECT_EQ(text(log), "0:10/e0 1:11/e0 2:12/e0 3:13/e0");
  EXPECT_EQ(log.epochs().latest(), 0);
  EXPECT_EQ(log.broken_rule(), nullptr);
  log.truncate_to(100);
  EXPECT_EQ(log.end(), 4);
}

TEST(KafkaLog, TruncationInsideABatchDropsTheBatch) {
  PartitionLog log = six();
  log.truncate_to(3);
  EXPECT_EQ(log.end(), 2);
  EXPECT_EQ(text(log), "0:10/e0 1:11/e0");
}

// UnifiedLog.truncateTo: a deposed leader that wrote nothing must not keep its epoch, another's begins there.
TEST(KafkaLog, TruncationAtTheEndForgetsAnEpochWithoutRecords) {
  PartitionLog log = six();
  log.begin_epoch(3);
  EXPECT_EQ(log.epochs().latest(), 3);
  log.truncate_to(6);
  EXPECT_EQ(log.epochs().latest(), 2);
}

// A leader enters its epoch although it wrote nothing in it, or KIP-279's answer would be wrong.
TEST(KafkaLog, LeaderEntersItsEpochBeforeItWrites) {
  PartitionLog log = six();
  log.begin_epoch(5);
  EXPECT_EQ(log.epochs().end_offset_for(2, log.end()), (EpochEnd{2, 6}));
  EXPECT_EQ(log.epochs().end_offset_for(4, log.end()), (EpochEnd{2, 6}));
}

// OFFSET_OUT_OF_RANGE below the leader's start: the follower drops all and begins there.
TEST(KafkaLog, FollowerFarBehindStartsAnew) {
  PartitionLog log = six();
  log.truncate_fully_and_start_at(50);
  EXPECT_EQ(log.start(), 50);
  EXPECT_EQ(log.end(), 50);
  EXPECT_TRUE(log.epochs().empty());
  log.begin_epoch(3);
  EXPECT_EQ(log.append_as_leader(messages(1, 1), 3, 0).base_offset, 50);
}

// DeleteRecords may begin the log in the middle of a batch; a new replica is sent that batch whole.
TEST(KafkaLog, DeletedRecordsAreNotSeenAndANewReplicaCanFollow) {
  PartitionLog log = six();
  EXPECT_EQ(log.delete_records_before(7), Error::offset_out_of_range);
  EXPECT_EQ(log.delete_records_before(3), Error::none);
  EXPECT_EQ(text(log), "3:13/e0 4:14/e2 5:15/e2");
  EXPECT_EQ(log.delete_records_before(1), Error::none) << "the start never goes back";
  EXPECT_EQ(log.start(), 3);

  PartitionLog replica;
  replica.truncate_fully_and_start_at(3);
  for (const Batch& b : log.read(3, log.end())) EXPECT_EQ(replica.append_as_follower(b), Error::none);
  EXPECT_EQ(text(replica), text(log));
  EXPECT_EQ(replica.epochs(), log.epochs());
  EXPECT_EQ(replica.broken_rule(), nullptr);
}

TEST(KafkaLog, EverythingDeletedLeavesAnEmptyLogThatGoesOn) {
  PartitionLog log = six();
  EXPECT_EQ(log.delete_records_before(6), Error::none);
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(log.append_as_leader(messages(1, 1), 2, 0).base_offset, 6);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// No fsync on the append path: the power takes what the system had not yet written back.
TEST(KafkaLog, PowerLossTakesTheUnflushedTail) {
  PartitionLog log = six();
  log.begin_epoch(3);
  log.lose_tail(5);
  EXPECT_EQ(text(log), "0:10/e0 1:11/e0 2:12/e0 3:13/e0") << "a torn batch is no batch";
  EXPECT_EQ(log.epochs().latest(), 0);
  log.delete_records_before(2);
  log.lose_tail(0);
  EXPECT_EQ(log.start(), 2);
  EXPECT_TRUE(log.empty()) << "LogLoader: an end below the start empties the log at the start";
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// LogLoader.recoverLog: a bad checksum ends the log, good records behind it included.
TEST(KafkaLog, RecoveryStopsAtTheFirstCorruptBatch) {
  PartitionLog log = six();
  EXPECT_TRUE(log.corrupt_at(3));
  EXPECT_FALSE(log.corrupt_at(6));
  EXPECT_EQ(log.append_as_leader(messages(16, 1), 2, 0).base_offset, 6) << "nobody has noticed yet";
  EXPECT_EQ(log.recover(), 2);
  EXPECT_EQ(text(log), "0:10/e0 1:11/e0");
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// Below the recovery point nothing is read again: the corrupt batch stays, and a fetch will stumble over it.
TEST(KafkaLog, RecoveryDoesNotLookBelowTheRecoveryPoint) {
  PartitionLog log = six();
  log.corrupt_at(1);
  EXPECT_EQ(log.recover(4), 6);
  EXPECT_TRUE(log.view(0, 6).front().corrupt);
}

// ListOffsets by time: the first record in offset order that is late enough; times may go back (CreateTime).
TEST(KafkaLog, FirstRecordAtOrAfterATime) {
  const PartitionLog log = six();  // times 100 101 50 51 200 201
  EXPECT_EQ(log.first_at_or_after(60, 6), (OffsetAtTime{0, 100}));
  EXPECT_EQ(log.first_at_or_after(101, 6), (OffsetAtTime{1, 101}));
  EXPECT_EQ(log.first_at_or_after(102, 6), (OffsetAtTime{4, 200}));
  EXPECT_EQ(log.first_at_or_after(102, 4), std::nullopt);
  EXPECT_EQ(log.first_at_or_after(202, 6), std::nullopt);
}

// message.timestamp.type=LogAppendTime: the leader's clock overrules the producers'.
TEST(KafkaLog, LogAppendTimeOverrulesTheProducer) {
  PartitionLog log{{.log_append_time = true}};
  log.append_as_leader(messages(1, 2, 900_s), 0, 5_s);
  EXPECT_EQ(log.batches()[0].max_timestamp, 5_s);
  EXPECT_EQ(log.batches()[0].timestamp_of(1), 5_s);
  EXPECT_EQ(log.first_at_or_after(6_s, log.end()), std::nullopt);
}

// KIP-937, KIP-1030: a record that claims to come from far ahead is refused, and nothing of its batch is written.
TEST(KafkaLog, TimestampTooFarAheadIsRefused) {
  PartitionLog log{{.timestamp_before_max = 10_s, .timestamp_after_max = 60_min}};
  EXPECT_EQ(log.append_as_leader(messages(1, 1, 60_min + 21_s), 0, 20_s).error, Error::invalid_timestamp);
  EXPECT_EQ(log.append_as_leader(messages(1, 1, 9_s), 0, 20_s).error, Error::invalid_timestamp);
  EXPECT_TRUE(log.empty());
  EXPECT_TRUE(log.append_as_leader(messages(1, 1, 60_min + 20_s), 0, 20_s).written());
}

// A copy of a world shares nothing that can change.
TEST(KafkaLog, CopiesAreIndependent) {
  PartitionLog one = six();
  PartitionLog two = one;
  two.corrupt_at(0);
  two.truncate_to(2);
  EXPECT_EQ(text(one), text(six()));
  EXPECT_FALSE(one.batches()[0].corrupt);
}

// ... and costs nothing: what both hold lies once, and a run that is run again writes what lies there already.
TEST(KafkaLog, CopiesShareTheirBatches) {
  PartitionLog one = six();
  PartitionLog two = one, three = one;
  const auto write = [](PartitionLog& log, std::uint64_t message) { log.append_as_leader(messages(message, 2, 300), 2, 0); };
  write(one, 16);
  write(two, 16);
  EXPECT_EQ(one.batches().data(), two.batches().data());
  EXPECT_EQ(one, two);
  write(three, 17);
  EXPECT_NE(three.batches().data(), one.batches().data());
  EXPECT_EQ(text(one), text(two));
  EXPECT_EQ(text(three), text(six()) + " 6:17/e2 7:18/e2");
}

// Errors whose write may still appear are unknown, not failed; the rejection before the append is definite.
TEST(KafkaErrors, IndeterminateOnesMayStillBecomeVisible) {
  for (const Error e : {Error::not_leader_or_follower, Error::request_timed_out,
                        Error::not_enough_replicas_after_append, Error::network_exception}) {
    EXPECT_TRUE(indeterminate(e)) << name(e);
    EXPECT_TRUE(retriable(e)) << name(e);
  }
  for (const Error e : {Error::none, Error::not_enough_replicas, Error::out_of_order_sequence_number,
                        Error::invalid_producer_epoch, Error::unknown_topic_or_partition}) {
    EXPECT_FALSE(indeterminate(e)) << name(e);
  }
  EXPECT_FALSE(retriable(Error::invalid_producer_epoch));
  EXPECT_STREQ(name(Error::not_enough_replicas_after_append), "NOT_ENOUGH_REPLICAS_AFTER_APPEND");
  EXPECT_EQ(static_cast<int>(Error::ineligible_replica), 107);
}

// The obvious log: one row a record, everything by walking through all of them.
struct PlainLog {
  struct Row {
    Offset offset;
    std::uint64_t message;
    LeaderEpoch epoch;
    Offset batch;  // first offset of its batch
    bool corrupt;
  };
  std::vector<Row> rows;
  Offset start = 0;
  Offset end = 0;

  void append(Offset at, std::uint64_t first, int count, LeaderEpoch epoch) {
    for (int i = 0; i < count; ++i) rows.push_back({at + i, first + i, epoch, at, false});
    end = at + count;
  }
  void cut(Offset offset) {
    if (offset >= end) return;
    for (const Row& r : rows) {
      if (r.offset == offset && r.batch < offset) offset = std::max(r.batch, start);
    }
    std::erase_if(rows, [&](const Row& r) { return r.offset >= offset; });
    end = offset;
  }
  void remove(Offset before) {
    start = std::max(start, before);
    std::erase_if(rows, [&](const Row& r) { return r.offset < start; });
  }
  void recover() {
    for (const Row& r : rows) {
      if (r.corrupt) return cut(std::max(r.batch, start));
    }
  }
  std::string text() const {
    std::string s;
    for (const Row& r : rows) {
      if (!s.empty()) s += ' ';
      s += std::to_string(r.offset) + ":" + std::to_string(r.message) + "/e" + std::to_string(r.epoch);
    }
    return s;
  }
};

RC_GTEST_PROP(KafkaLog, AgreesWithAPlainListUnderAnyTreatment, ()) {
  PartitionLog log;
  PlainLog plain;
  LeaderEpoch epoch = 0;
  std::uint64_t next_message = 1;
  const auto steps = *rc::gen::scale(
      4, rc::gen::arbitrary<std::vector<std::tuple<unsigned char, unsigned char, unsigned char>>>());
  for (const auto& [what, a, b] : steps) {
    const int count = 1 + b % 4;
    const Offset somewhere = log.start() + a % (log.end() - log.start() + 3) - 1;
    switch (what % 16) {
      case 0: log.begin_epoch(++epoch); break;
      case 1:
        if (somewhere < log.start()) break;
        log.truncate_to(somewhere);
        plain.cut(somewhere);
        break;
      case 2:
        if (somewhere > log.end()) {
          RC_ASSERT(log.delete_records_before(somewhere) == Error::offset_out_of_range);
          break;
        }
        RC_ASSERT(log.delete_records_before(somewhere) == Error::none);
        plain.remove(somewhere);
        break;
      case 3:
        log.lose_tail(somewhere);
        plain.cut(std::max(somewhere, plain.start));
        break;
      case 4: {
        const bool there = log.corrupt_at(somewhere);
        Offset batch = no_offset;
        for (const auto& r : plain.rows) batch = r.offset == somewhere ? r.batch : batch;
        RC_ASSERT(there == (batch != no_offset));
        for (auto& r : plain.rows) r.corrupt = r.corrupt || (there && r.batch == batch);
        break;
      }
      case 5:
        RC_ASSERT(log.recover() <= plain.end);
        plain.recover();
        break;
      case 6: {  // as a follower, after a hole
        Batch batch = messages(next_message, count);
        batch.base_offset = log.end() + a % 3;
        batch.leader_epoch = epoch;
        RC_ASSERT(log.append_as_follower(batch) == Error::none);
        plain.append(batch.base_offset, next_message, count, epoch);
        next_message += static_cast<std::uint64_t>(count);
        break;
      }
      case 7:
        if (a > 8) break;  // seldom: it clears everything
        log.truncate_fully_and_start_at(log.end() + a);
        plain.rows.clear();
        plain.start = plain.end = log.end();
        break;
      default: {
        const AppendResult r = log.append_as_leader(messages(next_message, count), epoch, 0);
        RC_ASSERT(r.base_offset == plain.end);
        plain.append(r.base_offset, next_message, count, epoch);
        next_message += static_cast<std::uint64_t>(count);
      }
    }
    RC_ASSERT(text(log) == plain.text());
    RC_ASSERT(log.start() == plain.start);
    RC_ASSERT(log.end() == plain.end);
    RC_ASSERT(std::string(log.broken_rule() != nullptr ? log.broken_rule() : "") == "");

    // A read gives the batches that hold or follow `from` and lie wholly below `up_to`, without one left out.
    const Offset from = std::max(somewhere, log.start());
    const Offset up_to = log.start() + b % (log.end() - log.start() + 2);
    std::string expected;
    std::string got;
    for (const auto& r : plain.rows) {
      Offset last = r.offset;
      for (const auto& s : plain.rows) last = s.batch == r.batch ? s.offset : last;
      if (last >= from && last < up_to) expected += std::to_string(r.message) + " ";
    }
    for (const Batch& x : log.view(from, up_to)) {
      for (int i = 0; i < x.count(); ++i) {
        if (x.base_offset + i < log.start()) continue;
        got += std::to_string((*x.records)[static_cast<std::size_t>(i)].message) + " ";
      }
    }
    RC_ASSERT(got == expected);
  }
}

}  // namespace
}  // namespace mqlab::kafka
