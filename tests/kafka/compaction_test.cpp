// cleanup.policy=compact: what stays, what goes and when.
#include "models/kafka/compaction.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "models/kafka/log.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka {
namespace {

using namespace literals;

struct Put {
  char key;  // '-' is no key
  int value;  // 0 is a tombstone
};
// Batches of one record of 100 bytes in all, two to a segment, unless told otherwise.
struct Table {
  PartitionLog log;
  Time now = 100_s;

  explicit Table(CompactionOptions o = {.delete_retention = 50_s, .dirty_percent = 0}, std::int64_t segment = 200)
      : log{{.segments = {.bytes = segment}, .compaction = o, .compacts = true}} {}

  void put(std::vector<Put> puts, ProducerId id = no_producer_id, Sequence first = no_sequence) {
    std::vector<Record> records;
    for (const Put& p : puts)
      records.push_back({.message = static_cast<std::uint64_t>(p.value), .key = p.key == '-' ? 0 : static_cast<std::uint64_t>(p.key), .timestamp = now, .size = 100 - batch_header_bytes, .tombstone = p.value == 0});
    Batch b = make_batch(std::move(records));
    b.producer_id = id;
    b.base_sequence = first;
    if (id != no_producer_id) b.producer_epoch = 0;
    EXPECT_EQ(log.append_as_leader(std::move(b), 0, now).error, Error::none);
  }
  void put(char key, int value) { put({{key, value}}); }
  // A record of producer `id`'s transaction, and the marker that ends it.
  void put_in_txn(char key, int value, ProducerId id, Sequence sequence) {
    Batch b = make_batch({{.message = static_cast<std::uint64_t>(value), .key = static_cast<std::uint64_t>(key), .timestamp = now, .size = 100 - batch_header_bytes}});
    b.producer_id = id;
    b.producer_epoch = 0;
    b.base_sequence = sequence;
    b.transactional = true;
    EXPECT_EQ(log.append_as_leader(std::move(b), 0, now).error, Error::none);
  }
  void end(ProducerId id, Control how) { EXPECT_EQ(log.append_as_leader(make_marker(how, id, 0, now, 0), 0, now).error, Error::none); }
  // "2C 5A": the markers that are left.
  std::string markers() const {
    std::string out;
    for (const Batch& b : log.batches())
      if (b.control != Control::none) out += fmt::format("{}{}{}", out.empty() ? "" : " ", b.base_offset, b.control == Control::commit ? 'C' : 'A');
    return out;
  }
  // What a reader of committed records has of each key, "a3 b5", by the list of aborted transactions.
  std::string committed() const {
    std::map<char, std::uint64_t> last;
    const std::vector<AbortedRange> list = log.aborted_between(log.start(), log.end());
    std::size_t next = 0;
    std::set<ProducerId> aborting;
    for (const Batch& b : log.view(log.start(), log.last_stable(log.end()))) {
      for (; next < list.size() && list[next].first <= b.last_offset(); ++next) aborting.insert(list[next].id);
      if (b.control == Control::abort) aborting.erase(b.producer_id);
      if (b.transactional && aborting.contains(b.producer_id)) continue;
      for (std::int32_t i = 0; i < b.held(); ++i) last[static_cast<char>(b.record(i).key)] = b.record(i).message;
    }
    std::string out;
    for (const auto& [key, value] : last) out += fmt::format("{}{}{}", out.empty() ? "" : " ", key, value);
    return out;
  }
  CompactionPlan plan() const { return log.plan_compaction(now, log.end()); }
  // "0a 3b" : what was taken.
  std::string compact() {
    std::string out;
    for (const TakenRecord& t : log.compact(plan(), now)) out += fmt::format("{}{}{}", out.empty() ? "" : " ", t.offset, static_cast<char>(t.record.key));
    EXPECT_EQ(log.broken_rule(), nullptr);
    return out;
  }
  // "0:a1 2:b3 ..."; a tombstone is "a0".
  std::string text() const { return text(log); }
  static std::string text(const PartitionLog& log) {
    std::string out;
    for (const Batch& b : log.batches())
      for (std::int32_t i = 0; i < b.held(); ++i)
        out += fmt::format("{}{}:{}{}", out.empty() ? "" : " ", b.offset_of(i), static_cast<char>(b.record(i).key), b.record(i).message);
    return out;
  }
};

TEST(KafkaCompaction, KeepsTheLastRecordOfEachKeyAtItsOffset) {
  Table t;
  t.put('a', 1);
  t.put('b', 2);
  t.put('a', 3);
  t.put('c', 4);
  t.put('b', 5);
  EXPECT_EQ(t.compact(), "0a");
  EXPECT_EQ(t.text(), "1:b2 2:a3 3:c4 4:b5") << "the active segment is not looked at, so b2 is still the last";
  EXPECT_EQ(t.log.first_dirty(), 4);
  t.put('a', 6);
  t.put('c', 7);
  EXPECT_EQ(t.compact(), "1b 2a");
  EXPECT_EQ(t.text(), "3:c4 4:b5 5:a6 6:c7");
  EXPECT_EQ(t.log.start(), 0) << "the start does not move: offsets are missing, none is out of range";
  EXPECT_EQ(t.log.view(0, 7).front().base_offset, 3);
}

// Records go out of a batch one by one; the batch keeps its offsets and sequences.
TEST(KafkaCompaction, ABatchKeepsItsBoundsWhenRecordsGo) {
  Table t({.dirty_percent = 0}, 300);
  t.put({{'a', 1}, {'b', 2}, {'c', 3}}, 7, 40);
  t.put({{'b', 4}});
  t.put({{'x', 5}});
  t.put({{'y', 6}});
  t.put({{'z', 7}});
  EXPECT_EQ(t.compact(), "1b");
  const Batch& b = t.log.batches().front();
  EXPECT_EQ(b.base_offset, 0);
  EXPECT_EQ(b.last_offset(), 2);
  EXPECT_EQ(b.last_sequence(), 42);
  EXPECT_EQ(b.held(), 2);
  EXPECT_EQ(b.offset_of(1), 2);
  EXPECT_EQ(b.bytes, batch_header_bytes + 2 * 39u);
  EXPECT_EQ(t.log.batch_at(1), &b) << "a reader that asks for a missing offset gets this batch";
}

// LogValidator, InvalidRecordException: with it the whole batch is refused.
TEST(KafkaCompaction, ARecordWithoutAKeyIsRefused) {
  Table t;
  Batch b = make_batch({{.message = 1, .key = 5}, {.message = 2}});
  EXPECT_EQ(t.log.append_as_leader(b, 0, 0).error, Error::invalid_record);
  EXPECT_TRUE(t.log.empty());
  EXPECT_FALSE(retriable(Error::invalid_record));
  EXPECT_FALSE(indeterminate(Error::invalid_record));
  EXPECT_STREQ(name(Error::invalid_record), "INVALID_RECORD");
}

// Those from before the topic was compacted go (stats.invalidMessage).
TEST(KafkaCompaction, RecordsWithoutAKeyFromOlderTimesGo) {
  Table t;
  Batch old = make_batch({{.message = 1, .timestamp = 1_s, .size = 39}});
  old.leader_epoch = 0;
  t.log.append_as_follower(old);
  t.put('a', 1);
  t.put('b', 1);
  EXPECT_EQ(t.compact().substr(0, 1), "0");
  EXPECT_EQ(t.text(), "1:a1 2:b1");
}

// KIP-534: the clock of a tombstone starts with the first cleaning that sees it, not when it is written.
TEST(KafkaCompaction, ATombstoneStaysForDeleteRetentionAfterItWasFirstSeen) {
  Table t;
  t.put('a', 1);
  t.put('a', 0);
  t.put('b', 1);
  t.now += 1'000_s;
  EXPECT_EQ(t.compact(), "0a");
  EXPECT_EQ(t.text(), "1:a0 2:b1");
  EXPECT_EQ(t.log.batches().front().cleaned->delete_horizon, t.now + 50_s);
  t.now += 50_s - 1;
  t.put('b', 2);
  t.put('b', 3);
  EXPECT_EQ(t.compact(), "2b");
  EXPECT_EQ(t.text(), "1:a0 3:b2 4:b3") << "a moment too early";
  t.now += 1;
  t.put('c', 2);
  t.put('c', 3);
  EXPECT_EQ(t.compact(), "1a 3b");
  EXPECT_EQ(t.text(), "4:b3 5:c2 6:c3");
}

// A key that is written again is no longer deleted: the tombstone is only an older record of it.
TEST(KafkaCompaction, ATombstoneIsSupersededLikeAnyRecord) {
  Table t;
  t.put('a', 0);
  t.put('a', 1);
  t.put('b', 1);
  EXPECT_EQ(t.compact(), "0a");
  EXPECT_EQ(t.text(), "1:a1 2:b1");
}

// Cleaner.isBatchLastRecordOfProducer: the numbers of a producer live in its last batch, which so stays without records.
TEST(KafkaCompaction, TheLastBatchOfAProducerStaysEmpty) {
  Table t;
  t.put({{'a', 1}}, 7, 0);
  t.put({{'a', 2}}, 7, 1);
  t.put({{'b', 1}}, 8, 0);
  t.put('a', 3);
  t.put('z', 1);
  EXPECT_EQ(t.compact(), "0a 1a");
  EXPECT_EQ(t.text(), "2:b1 3:a3 4:z1");
  ASSERT_EQ(t.log.batches().front().held(), 0);
  EXPECT_EQ(t.log.batches().front().last_sequence(), 1);
  PartitionLog restarted = t.log;
  restarted.recover();
  EXPECT_EQ(restarted.producers().find(7)->last_sequence, 1);
  Batch again = make_batch({{.message = 2, .key = 'a'}});
  again.producer_id = 7, again.producer_epoch = 0, again.base_sequence = 1;
  EXPECT_TRUE(restarted.append_as_leader(again, 0, 0).duplicate);
}

// Cleaner.checkBatchRetention: so that it is known where the cleaned part ended.
TEST(KafkaCompaction, TheLastBatchLookedAtStaysEmpty) {
  Table t;
  t.put('a', 1);
  Batch old = make_batch({{.message = 1, .timestamp = 1_s, .size = 39}});
  old.base_offset = 1;
  old.leader_epoch = 0;
  t.log.append_as_follower(old);
  t.put('b', 1);
  EXPECT_EQ(t.compact().substr(0, 1), "1");
  EXPECT_EQ(t.text(), "0:a1 2:b1");
  ASSERT_EQ(t.log.batches().size(), 3U);
  EXPECT_EQ(t.log.batches()[1].held(), 0);
}

// --- what may be cleaned, and when it is worth it ---

TEST(KafkaCompaction, NotTheActiveSegmentNorWhatReadersCannotSee) {
  Table t;
  for (int i = 0; i < 7; ++i) t.put('a', i + 1);
  EXPECT_EQ(t.plan().to, 6);
  EXPECT_EQ(t.log.plan_compaction(t.now, 5).to, 4) << "a segment that reaches above the high watermark";
  EXPECT_EQ(t.log.plan_compaction(t.now, 1).to, 0);
  EXPECT_FALSE(t.log.plan_compaction(t.now, 1).due);
}

TEST(KafkaCompaction, BeginsWhenMoreThanHalfIsDirty) {
  Table t({.dirty_percent = 50});
  for (char k : {'a', 'b', 'c', 'd', 'e'}) t.put(k, 1);
  EXPECT_TRUE(t.plan().due) << "nothing is clean yet";
  t.compact();
  t.put('a', 2);
  t.put('b', 2);
  t.put('c', 2);
  t.put('d', 2);
  EXPECT_EQ(t.plan().clean_bytes, 400);
  EXPECT_EQ(t.plan().dirty_bytes, 400);
  EXPECT_FALSE(t.plan().due) << "half is not more than half";
  t.put('f', 2);
  t.put('g', 2);
  EXPECT_TRUE(t.plan().due);
}

// KIP-58: young records stay as they are.
TEST(KafkaCompaction, MinCompactionLagProtectsYoungSegments) {
  Table t({.dirty_percent = 0, .min_lag = 60_s});
  t.put('a', 1);
  t.put('a', 2);
  t.now += 30_s;
  t.put('a', 3);
  t.put('a', 4);
  t.put('a', 5);
  t.now += 30_s;
  EXPECT_EQ(t.plan().to, 2);
  EXPECT_EQ(t.compact(), "0a");
  EXPECT_EQ(t.text(), "1:a2 2:a3 3:a4 4:a5");
}

// The range ends at the first segment that must stay, even if an older one follows (times need not rise).
TEST(KafkaCompaction, AYoungSegmentEndsTheRange) {
  Table t({.dirty_percent = 0, .min_lag = 60_s});
  for (const Time at : {0_s, 0_s, 50_s, 50_s, 0_s, 0_s, 0_s}) {
    t.now = 100_s + at;
    t.put('a', 1);
  }
  t.now = 170_s;
  EXPECT_EQ(t.plan().to, 2);
}

// KIP-354: old ones are cleaned however little there is.
TEST(KafkaCompaction, MaxCompactionLagOverrulesTheRatio) {
  Table t({.dirty_percent = 90, .max_lag = 100_s});
  for (char k : {'a', 'b', 'c', 'd', 'e'}) t.put(k, 1);
  t.compact();
  t.put('a', 2);
  t.put('b', 2);
  EXPECT_FALSE(t.plan().due);
  t.now += 101_s;
  EXPECT_TRUE(t.plan().overdue);
  EXPECT_TRUE(t.plan().due);
  EXPECT_EQ(t.compact(), "0a");
}

// LogCleanerManager.maybeTruncateCheckpoint.
TEST(KafkaCompaction, WhatIsCutOffAndWrittenAgainIsDirtyAgain) {
  Table t;
  for (int i = 0; i < 5; ++i) t.put('a', i + 1);
  t.compact();
  EXPECT_EQ(t.log.first_dirty(), 4);
  t.log.truncate_to(3);
  EXPECT_EQ(t.log.first_dirty(), 3);
}

// CorruptRecordException: LogCleanerManager.markPartitionUncleanable.
TEST(KafkaCompaction, ACorruptBatchEndsIt) {
  Table t;
  for (int i = 0; i < 5; ++i) t.put('a', i + 1);
  t.log.corrupt_at(1);
  EXPECT_FALSE(t.plan().due);
}

// Cleaner.groupSegmentsBySize.
TEST(KafkaCompaction, SmallSegmentsBecomeOne) {
  Table t;
  for (int i = 0; i < 4; ++i) t.put(static_cast<char>('a' + i), 1);
  for (int i = 0; i < 5; ++i) t.put('z', i + 1);
  EXPECT_EQ(t.log.segments().count(), 5U);
  t.compact();  // 2 of 200 bytes, then one of 0 and one of 100
  t.put('y', 1);
  t.put('x', 1);
  t.compact();
  EXPECT_EQ(t.log.segments().count(), 5U);
  EXPECT_EQ(t.text(), "0:a1 1:b1 2:c1 3:d1 8:z5 9:y1 10:x1");
}

// A replica gets from its leader what the leader's cleaner left, and goes on with the same offsets.
TEST(KafkaCompaction, AFollowerCopiesTheHoles) {
  Table t;
  for (int i = 0; i < 5; ++i) t.put('a', i + 1);
  t.compact();
  PartitionLog follower{t.log.options()};
  for (const Batch& b : t.log.read(0, t.log.end())) EXPECT_EQ(follower.append_as_follower(b), Error::none);
  EXPECT_EQ(Table::text(follower), t.text());
  EXPECT_EQ(follower.end(), t.log.end());
  EXPECT_EQ(follower.broken_rule(), nullptr);
}

// The promise: who reads the log from the beginning into a table gets the same table, whatever was cleaned and when;
// and no offset that is left has another record than before.
RC_GTEST_PROP(KafkaCompaction, LeavesTheTableAsItWas, ()) {
  Table t({.delete_retention = 20_s, .dirty_percent = *rc::gen::inRange<std::int64_t>(0, 100)}, 250);
  std::map<std::uint64_t, std::uint64_t> table;
  std::map<Offset, std::uint64_t> written;
  const auto steps = *rc::gen::scale(6, rc::gen::arbitrary<std::vector<std::tuple<unsigned char, unsigned char>>>());
  for (const auto& [what, a] : steps) {
    t.now += 1_s;
    if (what % 8 == 0) {
      if (t.plan().due) t.compact();
      RC_ASSERT(std::string(t.log.broken_rule() ? t.log.broken_rule() : "") == "");
    } else {
      std::vector<Put> puts;
      for (int i = 0; i <= what % 3; ++i) puts.push_back({static_cast<char>('a' + (a + i) % 5), (a + i) % 4});
      for (std::size_t i = 0; i < puts.size(); ++i) {
        written[t.log.end() + static_cast<Offset>(i)] = static_cast<std::uint64_t>(puts[i].value);
        if (puts[i].value == 0) table.erase(static_cast<std::uint64_t>(puts[i].key));
        else table[static_cast<std::uint64_t>(puts[i].key)] = static_cast<std::uint64_t>(puts[i].value);
      }
      t.put(puts);
    }
    std::map<std::uint64_t, std::uint64_t> read;
    Offset last = -1;
    for (const Batch& b : t.log.view(0, t.log.end()))
      for (std::int32_t i = 0; i < b.held(); ++i) {
        RC_ASSERT(b.offset_of(i) > last);
        last = b.offset_of(i);
        RC_ASSERT(written.at(last) == b.record(i).message);
        if (b.record(i).tombstone) read.erase(b.record(i).key);
        else read[b.record(i).key] = b.record(i).message;
      }
    RC_ASSERT(read == table);
  }
}

// ---------------------------------------------------------------------------------------------
// Transactions (CleanedTransactionMetadata).

// An aborted record neither stays nor supersedes.
TEST(KafkaCompaction, WhatWasAbortedGoesAndStandsForNoKey) {
  Table t;
  t.put('a', 1);
  t.put_in_txn('a', 2, 7, 0);
  t.end(7, Control::abort);
  t.put('b', 3);
  t.put('c', 4);
  EXPECT_EQ(t.compact(), "1a");
  EXPECT_EQ(t.text(), "0:a1 3:b3 4:c4");
  EXPECT_EQ(t.committed(), "a1 b3 c4");
  EXPECT_EQ(t.log.batch_at(1)->held(), 0) << "producer 7's last numbers live in it";
}

// The marker must outlive the records that it decides, and then some, for readers that are in the middle of them.
TEST(KafkaCompaction, AMarkerGoesWhenNothingOfItsTransactionIsLeftAndDeleteRetentionIsOver) {
  Table t;
  t.put_in_txn('a', 1, 7, 0);
  t.end(7, Control::abort);
  t.put_in_txn('a', 2, 7, 1);
  t.end(7, Control::commit);
  t.put('b', 3);
  t.put('c', 4);
  t.put('d', 5);
  EXPECT_EQ(t.compact(), "0a") << "up to the segment of c";
  EXPECT_EQ(t.markers(), "1A 3C") << "that round has read the aborted record";
  t.put('e', 6);
  t.put('f', 7);
  t.put('g', 8);
  t.compact();
  EXPECT_EQ(t.markers(), "1A 3C") << "its time begins now";
  t.now += 49_s;
  t.put('h', 9);
  t.put('i', 9);
  t.compact();
  EXPECT_EQ(t.markers(), "1A 3C");
  t.now += 2_s;
  t.put('j', 9);
  t.put('k', 9);
  t.compact();
  EXPECT_EQ(t.markers(), "3C") << "of the committed one a2 is still there";
}

// A cleaner that went beyond an open transaction would have to guess how it ends.
TEST(KafkaCompaction, AnOpenTransactionStopsTheCleaner) {
  Table t;
  t.put('a', 1);
  t.put('a', 2);
  t.put_in_txn('b', 3, 7, 0);
  for (int i = 0; i < 6; ++i) t.put('a', 4);
  EXPECT_EQ(t.log.plan_compaction(t.now, t.log.last_stable(t.log.end())).to, 2);
  t.end(7, Control::commit);
  t.put('c', 5);
  EXPECT_GT(t.log.plan_compaction(t.now, t.log.last_stable(t.log.end())).to, 2);
}

// Whoever reads committed records finds the same last value of each key before and after, and so in a copy of the log.
RC_GTEST_PROP(KafkaCompaction, CommittedValuesAreTheSameAfterIt, ()) {
  Table t({.delete_retention = 20_s, .dirty_percent = 0});
  std::map<ProducerId, Sequence> next;
  std::set<ProducerId> open;
  int value = 0;
  const auto steps = *rc::gen::scale(6, rc::gen::arbitrary<std::vector<std::pair<unsigned char, unsigned char>>>());
  for (const auto& [what, how] : steps) {
    const ProducerId id = 1 + how % 3;
    t.now += 1_s;
    switch (what % 8) {
      case 0:
      case 1:
      case 2:
        t.put_in_txn(static_cast<char>('a' + how % 5), ++value, id, next[id]++);
        open.insert(id);
        break;
      case 3:
      case 4:
        t.end(id, how % 2 ? Control::abort : Control::commit);
        open.erase(id);
        break;
      case 5: t.put(static_cast<char>('a' + how % 5), ++value); break;
      default: {
        const std::string before = t.committed();
        const Offset stable = t.log.last_stable(t.log.end());
        t.log.compact(t.log.plan_compaction(t.now, stable), t.now);
        RC_ASSERT(std::string(t.log.broken_rule() ? t.log.broken_rule() : "") == "");
        RC_ASSERT(t.log.last_stable(t.log.end()) == stable);
        RC_ASSERT(t.committed() == before);
        Table copy;
        for (const Batch& b : t.log.batches()) RC_ASSERT(copy.log.append_as_follower(b, t.now) == Error::none);
        RC_ASSERT(copy.committed() == before);
        RC_ASSERT(copy.log.producers().open().size() == open.size());
      }
    }
  }
}

}  // namespace

namespace testing {
namespace {

// One whole cluster with a compacted topic: keys k1, k2 by turns, each in a batch and a segment of its own.
struct Compacted : Lab {
  explicit Compacted(Settings topic = {})
      : Lab({.cluster = {{"min_insync", "1"}},
             .topic = [&] {
               topic.insert(topic.end(), {{"cleanup_policy", "compact"}, {"segment_bytes", "161"}, {"min_cleanable_dirty_ratio", "0"}});
               return topic;
             }(),
             .producer = {{"linger", "0"}},
             .consumer = {{"auto_offset_reset", "earliest"}}}) {}
  CallId put(const std::string& key, bool tombstone = false) {
    Call c;
    c.kind = CallKind::send;
    c.place = world.journal.names.id("t");
    c.key = key.empty() ? 0 : world.journal.names.id(key);
    c.message = ++messages_;
    c.tombstone = tombstone;
    const CallId id = client().call(c);
    run_until([&] { return !client().answer(id).empty(); });
    return id;
  }
  std::uint64_t messages_ = 0;
};

TEST(KafkaCompaction, EveryBrokerCleansItsOwnCopyWithinTheInterval) {
  Compacted lab;
  for (int i = 0; i < 3; ++i) lab.put("k1");
  lab.put("k2");
  lab.run(16_s);
  EXPECT_EQ(lab.marks("log_compacted"), 3u);
  for (BrokerId b : {1, 2, 3}) EXPECT_EQ(lab.log(b).batches().front().offset_of(0), 2) << b;
  // The leader told the history; the followers would, if they led.
  std::uint64_t rows = 0;
  for (const Op& op : lab.world.journal.ops)
    if (op.flags & op_flag::by_policy && op.kind == OpKind::ack) ++rows;
  EXPECT_EQ(rows, 2u);
}

TEST(KafkaCompaction, AReaderJumpsOverTheHolesAndItsPositionReachesTheEnd) {
  Compacted lab;
  for (int i = 0; i < 3; ++i) lab.put("k1");
  lab.put("k2");
  lab.run(16_s);
  lab.client().ask(CallKind::assign, "t/0", 0);
  lab.run(100_ms);
  const CallId all = lab.client().poll(1_s);
  lab.run(2_s);
  EXPECT_EQ(lab.client().answer(all), "3@2 4@3");
  EXPECT_EQ(lab.client_node().assigned().front().position, 4);
}

// CompletedFetch.nextFetchOffset: a batch without records moves the position all the same.
TEST(KafkaCompaction, AReaderPassesABatchThatIsEmpty) {
  Compacted lab(Settings{{"delete_retention", "0"}});
  lab.put("k1", true);
  lab.put("k2");
  lab.run(16_s);
  lab.put("k2");
  lab.run(16_s);
  ASSERT_EQ(lab.log(1).batches().front().base_offset, 1);
  lab.put("k3");
  lab.run(16_s);
  // K's first batches are gone or empty; of k2 the second is the last.
  lab.client().ask(CallKind::assign, "t/0", 0);
  lab.run(100_ms);
  const CallId all = lab.client().poll(1_s);
  lab.run(2_s);
  EXPECT_EQ(lab.client().answer(all), "3@2 4@3");
}

TEST(KafkaCompaction, AProducerLearnsThatARecordWithoutAKeyIsRefused) {
  Compacted lab;
  EXPECT_EQ(lab.client().answer(lab.put("")), "fail INVALID_RECORD");
  EXPECT_EQ(lab.client().answer(lab.put("k")), "ok@0");
}

}  // namespace
}  // namespace testing
}  // namespace mqlab::kafka
