// Transactions in one replica's log: what opens and ends them, where committed readers stop, what they must leave out.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "models/kafka/log.h"

namespace mqlab::kafka {
namespace {

using namespace literals;

constexpr ProducerId pid = 7;

Batch batch_of(int count, bool transactional, ProducerId id, Sequence first, ProducerEpoch epoch) {
  static std::uint64_t message = 0;
  std::vector<Record> records;
  for (int i = 0; i < count; ++i) records.push_back({.message = ++message, .size = 10});
  Batch b = make_batch(std::move(records));
  b.producer_id = id;
  b.producer_epoch = epoch;
  b.base_sequence = first;
  b.transactional = transactional;
  return b;
}
Batch txn(Sequence first, int count = 1, ProducerEpoch epoch = 0, ProducerId id = pid) { return batch_of(count, true, id, first, epoch); }
Batch plain(Sequence first, int count = 1, ProducerEpoch epoch = 0, ProducerId id = pid) { return batch_of(count, false, id, first, epoch); }
Batch commit(ProducerEpoch epoch = 0, ProducerId id = pid, std::int32_t coordinator = 0) { return make_marker(Control::commit, id, epoch, 0, coordinator); }
Batch abort(ProducerEpoch epoch = 0, ProducerId id = pid, std::int32_t coordinator = 0) { return make_marker(Control::abort, id, epoch, 0, coordinator); }

PartitionLog log_of(std::vector<Batch> batches) {
  PartitionLog log;
  log.begin_epoch(0);
  for (Batch& b : batches) EXPECT_EQ(log.append_as_leader(std::move(b), 0, 0).error, Error::none);
  EXPECT_EQ(log.broken_rule(), nullptr);
  return log;
}
Error append(PartitionLog& log, Batch b, const Admission& a = {}) { return log.append_as_leader(std::move(b), 0, 0, a).error; }

// "7@0 9@4": the aborted transactions that a reader of this range must leave out.
std::string aborted(const PartitionLog& log, Offset from, Offset up_to) {
  std::string out;
  for (const AbortedRange& a : log.aborted_between(from, up_to)) out += fmt::format("{}{}@{}", out.empty() ? "" : " ", a.id, a.first);
  return out;
}

// ---------------------------------------------------------------------------------------------
// What opens a transaction, and what may be written during it.

TEST(KafkaTxnLog, ATransactionIsOpenFromItsFirstBatch) {
  const PartitionLog log = log_of({plain(0, 2, 0, 9), txn(0, 2), txn(2, 1)});
  EXPECT_EQ(log.producers().find(pid)->open_transaction, 2);
  EXPECT_EQ(log.last_stable(5), 2);
  EXPECT_EQ(log.last_stable(1), 1) << "never above the high watermark";
}

// ProducerAppendInfo.appendDataBatch.
TEST(KafkaTxnLog, WhatIsNotTransactionalIsRefusedDuringATransaction) {
  PartitionLog log = log_of({txn(0)});
  EXPECT_EQ(append(log, plain(1)), Error::invalid_txn_state);
  EXPECT_EQ(append(log, txn(1)), Error::none);
  EXPECT_EQ(append(log, commit()), Error::none);
  EXPECT_EQ(append(log, plain(2)), Error::none) << "the sequence goes on over the marker";
}

// A group coordinator writes positions without a sequence: it is their only writer, and may write the same twice.
TEST(KafkaTxnLog, ACoordinatorsBatchHasNoSequenceAndOpensATransaction) {
  PartitionLog log = log_of({txn(no_sequence), txn(no_sequence)});
  EXPECT_EQ(log.end(), 2);
  EXPECT_EQ(log.last_stable(2), 0);
  EXPECT_EQ(append(log, txn(no_sequence, 1, -1)), Error::invalid_producer_epoch) << "its epoch is looked at";
}

// ---------------------------------------------------------------------------------------------
// Markers.

TEST(KafkaTxnLog, ACommitIsStableWhenItIsReplicated) {
  const PartitionLog log = log_of({txn(0, 2), commit()});
  EXPECT_EQ(log.last_stable(2), 0);
  EXPECT_EQ(log.last_stable(3), 3) << "its marker, at 2, is below the high watermark";
  EXPECT_EQ(aborted(log, 0, 3), "");
}

TEST(KafkaTxnLog, TheOldestUndecidedTransactionHoldsAllBack) {
  PartitionLog log = log_of({txn(0, 1, 0, 7), txn(0, 1, 0, 9), commit(0, 9)});
  EXPECT_EQ(log.last_stable(3), 0);
  EXPECT_EQ(append(log, abort(0, 7)), Error::none);
  EXPECT_EQ(log.last_stable(3), 0) << "decided, not replicated";
  EXPECT_EQ(log.last_stable(4), 4);
  EXPECT_EQ(aborted(log, 0, 4), "7@0");
}

TEST(KafkaTxnLog, WhatIsSettledIsForgotten) {
  PartitionLog log = log_of({txn(0), commit(), txn(1), commit()});
  EXPECT_EQ(log.producers().ended().size(), 2U);
  log.settle(3);
  EXPECT_EQ(log.producers().ended().size(), 1U);
  EXPECT_EQ(log.last_stable(3), 2);
}

// A marker without a transaction is written, and changes nothing but the epoch.
TEST(KafkaTxnLog, AMarkerOfAnEmptyTransactionMovesNothing) {
  PartitionLog log = log_of({txn(0), commit(), abort(3)});
  EXPECT_EQ(log.last_stable(3), 3);
  EXPECT_EQ(aborted(log, 0, 3), "");
  EXPECT_EQ(append(log, txn(1, 1, 0)), Error::invalid_producer_epoch) << "it fences the older epoch all the same";
  EXPECT_EQ(append(log, txn(1, 1, 3)), Error::out_of_order_sequence_number);
  EXPECT_EQ(append(log, txn(0, 1, 3)), Error::none) << "its epoch begins at 0";
}

TEST(KafkaTxnLog, AMarkerOfAnOlderEpochIsRefused) {
  PartitionLog log = log_of({txn(0, 1, 2)});
  EXPECT_EQ(append(log, abort(1)), Error::invalid_producer_epoch);
  EXPECT_EQ(append(log, abort(2)), Error::none);
}

// KAFKA-9144's kin: a coordinator that has been replaced must not end anything.
TEST(KafkaTxnLog, AMarkerOfAnOlderCoordinatorIsRefused) {
  PartitionLog log = log_of({txn(0), commit(0, pid, 5), txn(1)});
  EXPECT_EQ(append(log, abort(0, pid, 4)), Error::transaction_coordinator_fenced);
  EXPECT_EQ(append(log, abort(0, pid, 5)), Error::none);
}

// KIP-1228: at TV2 a marker is of the next epoch. One that comes late must not end the transaction after.
TEST(KafkaTxnLog, ALateMarkerEndsTheNextTransactionUnlessEpochsAreStrict) {
  const std::vector<Batch> next_has_begun = {txn(0, 1, 0), commit(1), txn(0, 1, 1)};
  PartitionLog strict = log_of(next_has_begun);
  EXPECT_EQ(append(strict, commit(1), {.strict_epoch = true}), Error::invalid_producer_epoch);
  EXPECT_EQ(strict.last_stable(4), 2);
  PartitionLog lax = log_of(next_has_begun);
  EXPECT_EQ(append(lax, commit(1)), Error::none);
  EXPECT_EQ(lax.last_stable(4), 4) << "half of the next transaction counts as committed";
}

// KAFKA-19999: the coordinator sends a marker until it is confirmed; the second copy must not be an error.
TEST(KafkaTxnLog, AStrictMarkerMayComeAgain) {
  PartitionLog log = log_of({txn(0, 1, 0), commit(1)});
  EXPECT_EQ(append(log, commit(1), {.strict_epoch = true}), Error::none);
  EXPECT_EQ(log.end(), 3) << "it is written once more";
  EXPECT_EQ(log.last_stable(3), 3);
  EXPECT_EQ(append(log, abort(0), {.strict_epoch = true}), Error::invalid_producer_epoch);
}

// ---------------------------------------------------------------------------------------------
// KIP-890: with whose knowledge a transaction begins.

TEST(KafkaTxnLog, ATransactionThatIsNotVerifiedDoesNotBegin) {
  PartitionLog log = log_of({});
  EXPECT_EQ(append(log, txn(0), {.verified = false}), Error::invalid_txn_state);
  EXPECT_EQ(append(log, txn(0)), Error::none);
  EXPECT_EQ(append(log, txn(1), {.verified = false}), Error::none) << "it is open already";
  EXPECT_EQ(append(log, txn(0, 1, 1), {.verified = false}), Error::invalid_txn_state) << "in another epoch it may have ended";
  EXPECT_TRUE(log.append_as_leader(txn(1), 0, 0, {.verified = false}).duplicate) << "a duplicate begins nothing";
}

// KAFKA-14904: the first batch failed to be verified and is sent again; the second one must not overtake it.
TEST(KafkaTxnLog, WhatWaitsForVerificationIsNotOvertaken) {
  PartitionLog log = log_of({});
  EXPECT_EQ(append(log, txn(5), {.lowest = 0}), Error::out_of_order_sequence_number);
  EXPECT_EQ(append(log, txn(0), {.lowest = 0}), Error::none);
}

// TV2: without any memory of the producer, a sequence above 0 tells that a record before was lost on the way.
TEST(KafkaTxnLog, AProducerOfTv2BeginsAtZero) {
  PartitionLog log = log_of({});
  EXPECT_EQ(append(log, txn(3), {.first_is_zero = true}), Error::out_of_order_sequence_number);
  EXPECT_EQ(append(log, txn(3)), Error::none) << "others may begin anywhere (KIP-360)";
}

// ---------------------------------------------------------------------------------------------
// The index of aborted transactions.

TEST(KafkaTxnLog, TheIndexTellsWhatARangeTouches) {
  // 7: 0..1, ends at 2. 9: 3, ends at 5. 7: 4, ends at 6. 8: 7, committed at 8.
  const PartitionLog log = log_of({txn(0, 2, 0, 7), abort(0, 7), txn(0, 1, 0, 9), txn(2, 1, 0, 7), abort(0, 9), abort(0, 7), txn(0, 1, 0, 8), commit(0, 8)});
  EXPECT_EQ(aborted(log, 0, 9), "7@0 9@3 7@4");
  EXPECT_EQ(aborted(log, 2, 4), "7@0 9@3") << "it reads the marker of the first";
  EXPECT_EQ(aborted(log, 3, 4), "9@3");
  EXPECT_EQ(aborted(log, 6, 9), "7@4");
  EXPECT_EQ(aborted(log, 7, 9), "");
}

TEST(KafkaTxnLog, WhatBeginsBeyondTheRangeIsNotTold) {
  const PartitionLog log = log_of({txn(0, 1, 0, 5), txn(0, 1, 0, 7), abort(0, 7), txn(0, 1, 0, 9), abort(0, 9), abort(0, 5)});
  EXPECT_EQ(aborted(log, 0, 1), "5@0") << "while 5 is open the search must go on, past 7 and 9";
  EXPECT_EQ(aborted(log, 0, 2), "5@0 7@1");
}

// Ordered by where they begin, as readers take them off a heap; the index has them by where they end.
TEST(KafkaTxnLog, TheAnswerIsAscendingInTheFirstOffset) {
  const PartitionLog log = log_of({txn(0, 1, 0, 7), txn(0, 1, 0, 9), abort(0, 9), abort(0, 7)});
  EXPECT_EQ(log.aborted()[0].id, 9);
  EXPECT_EQ(aborted(log, 0, 4), "7@0 9@1");
}

// ---------------------------------------------------------------------------------------------
// All of it is a function of the log.

TEST(KafkaTxnLog, AFollowerKnowsWhatItsLeaderKnows) {
  const PartitionLog leader = log_of({txn(0, 2, 0, 7), txn(0, 1, 0, 9), abort(0, 9, 3), txn(0, 1, 0, 8), commit(0, 8)});
  PartitionLog follower;
  for (const Batch& b : leader.read(0, leader.end())) EXPECT_EQ(follower.append_as_follower(b), Error::none);
  EXPECT_EQ(follower, leader);
  EXPECT_EQ(follower.last_stable(6), 0);
  EXPECT_EQ(aborted(follower, 0, 6), "9@2");
}

TEST(KafkaTxnLog, ACutMarkerLeavesItsTransactionOpen) {
  PartitionLog log = log_of({txn(0), abort(0), plain(0, 1, 0, 9)});
  log.truncate_to(1);
  EXPECT_EQ(log.last_stable(1), 0);
  EXPECT_EQ(aborted(log, 0, 1), "");
  EXPECT_EQ(log.broken_rule(), nullptr);
  log.truncate_to(0);
  EXPECT_TRUE(log.producers().open().empty());
}

TEST(KafkaTxnLog, ARestartReadsItFromTheLog) {
  PartitionLog log = log_of({txn(0), txn(0, 1, 0, 9), abort(0, 9, 2)});
  const PartitionLog before = log;
  log.lose_tail(100);
  EXPECT_EQ(log, before);
}

// UnifiedLog.maybeIncrementFirstUnstableOffset: readers begin at the start of the log at the earliest.
TEST(KafkaTxnLog, DeletedRecordsDoNotHoldReadersBelowTheStart) {
  PartitionLog log = log_of({txn(0, 4), plain(0, 2, 0, 9)});
  EXPECT_EQ(log.delete_records_before(3), Error::none);
  EXPECT_EQ(log.last_stable(6), 3);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

TEST(KafkaTxnLog, TheIndexForgetsWhatLiesBelowTheStart) {
  PartitionLog log = log_of({txn(0), abort(), txn(1), abort()});
  EXPECT_EQ(log.delete_records_before(2), Error::none);
  EXPECT_EQ(aborted(log, 2, 4), "7@2");
  EXPECT_EQ(log.aborted().size(), 1U);
  EXPECT_EQ(log.broken_rule(), nullptr);
}

// removeExpiredProducers: whoever has a transaction open is remembered, however long it is silent.
TEST(KafkaTxnLog, AProducerWithAnOpenTransactionDoesNotExpire) {
  PartitionLog log = log_of({txn(0), txn(0, 1, 0, 9), commit(0, 9)});
  log.expire_producers(time_max);
  EXPECT_NE(log.producers().find(7), nullptr);
  EXPECT_EQ(log.producers().find(9), nullptr);
}

// ---------------------------------------------------------------------------------------------
// Against an oracle that reads the whole log each time, under random transactions, cuts and restarts.

// What a reader of committed records may have of [start, hw): by reading all that is written, markers included.
struct Oracle {
  Offset stable = 0;
  std::set<Offset> hidden;  // of aborted transactions
  std::map<ProducerId, Offset> open;

  Oracle(const std::vector<Batch>& log, Offset start, Offset hw) : stable(hw) {
    std::map<ProducerId, std::vector<Offset>> written;
    const auto hold = [&](Offset o) { stable = std::min(stable, std::max(o, start)); };
    for (const Batch& b : log) {
      if (b.control != Control::none) {
        std::vector<Offset>& all = written[b.producer_id];
        if (b.control == Control::abort) hidden.insert(all.begin(), all.end());
        if (!all.empty() && b.base_offset >= hw) hold(all.front());
        all.clear();
      } else if (b.transactional) {
        for (Offset o = b.base_offset; o < b.next_offset(); ++o) written[b.producer_id].push_back(o);
      }
    }
    for (const auto& [id, all] : written)
      if (!all.empty()) {
        hold(all.front());
        open[id] = all.front();
      }
  }
};

// The reader's part of it, as clients do it: aborted producers by the list, until their marker.
std::set<Offset> left_out(const PartitionLog& log, Offset from, Offset up_to) {
  std::set<Offset> hidden;
  const auto view = log.view(from, up_to);
  if (view.empty()) return hidden;
  const std::vector<AbortedRange> list = log.aborted_between(from, view.back().next_offset());
  std::size_t next = 0;
  std::set<ProducerId> aborting;
  for (const Batch& b : view) {
    for (; next < list.size() && list[next].first <= b.last_offset(); ++next) aborting.insert(list[next].id);
    if (b.control == Control::abort) aborting.erase(b.producer_id);
    else if (b.control == Control::none && b.transactional && aborting.contains(b.producer_id))
      for (Offset o = b.base_offset; o < b.next_offset(); ++o) hidden.insert(o);
  }
  return hidden;
}

RC_GTEST_PROP(KafkaTxnLog, StableEndAndAbortedRecordsAreThoseOfTheWholeLog, ()) {
  PartitionLog log;
  LeaderEpoch epoch = 0;
  log.begin_epoch(epoch);
  Offset hw = 0;
  std::vector<Batch> all;  // the oracle's copy
  const auto steps = *rc::gen::scale(5, rc::gen::arbitrary<std::vector<std::tuple<unsigned char, unsigned char, unsigned char>>>());
  for (const auto& [what, who, how] : steps) {
    const ProducerId id = 1 + who % 4;
    const ProducerEntry* known = log.producers().find(id);
    const auto known_epoch = static_cast<ProducerEpoch>(known ? known->epoch : 0);
    const auto next_epoch = static_cast<ProducerEpoch>(known_epoch + (how % 8 == 0 ? 1 : 0));
    const Sequence next = known && known->epoch == next_epoch && known->last_sequence != no_sequence ? add_sequence(known->last_sequence, 1) : 0;
    const auto write = [&](Batch b) {
      const AppendResult r = log.append_as_leader(std::move(b), epoch, 0);
      if (r.written()) all.push_back(log.batches().back());
      return r.error;
    };
    const bool in_transaction = known && known->open_transaction != no_offset;
    switch (what % 16) {
      case 0: {  // a new leader cuts what was not replicated, and more
        const Offset to = std::max<Offset>(log.start(), log.end() - how % 6);
        log.truncate_to(to);
        std::erase_if(all, [&](const Batch& b) { return b.next_offset() > log.end(); });
        hw = std::min(hw, log.end());
        log.begin_epoch(++epoch);
        break;
      }
      case 1: log.lose_tail(log.end()); break;  // a restart
      case 2: {  // another replica leads: it has read all that this one wrote
        PartitionLog other;
        for (const Batch& b : log.read(log.start(), log.end())) RC_ASSERT(other.append_as_follower(b) == Error::none);
        other.begin_epoch(epoch);
        other.settle(hw);
        log = std::move(other);
        break;
      }
      case 3:
      case 4:
      case 5:
      case 6:
        hw = std::max(hw, log.start() + (log.end() - log.start()) * (how % 5) / 4);
        log.settle(hw);
        break;
      case 7:
      case 8:
      case 9: RC_ASSERT(write(plain(next, 1 + how % 3, next_epoch, id)) == (in_transaction ? Error::invalid_txn_state : Error::none)); break;
      case 10:
      case 11: RC_ASSERT(write(make_marker(how % 2 ? Control::abort : Control::commit, id, next_epoch, 0, 0)) == Error::none); break;
      default: RC_ASSERT(write(txn(next, 1 + how % 3, next_epoch, id)) == Error::none); break;
    }
    const Oracle oracle(all, log.start(), hw);
    RC_ASSERT(std::string(log.broken_rule() ? log.broken_rule() : "") == "");
    RC_ASSERT(log.last_stable(hw) == oracle.stable);
    RC_ASSERT(log.producers().open().size() == oracle.open.size());
    for (const OpenTxn& o : log.producers().open()) RC_ASSERT(oracle.open.at(o.id) == o.first);

    // From anywhere, as far as is stable or less: exactly the aborted records are left out.
    const Offset from = log.start() + (log.end() - log.start()) * (who % 7) / 7;
    const Offset up_to = std::max(from, log.last_stable(hw) - how % 3);
    std::set<Offset> expected;
    const auto view = log.view(from, up_to);
    for (const Offset o : oracle.hidden)
      if (!view.empty() && o >= view.front().base_offset && o < view.back().next_offset()) expected.insert(o);
    RC_ASSERT(left_out(log, from, up_to) == expected);
  }
}

}  // namespace
}  // namespace mqlab::kafka
