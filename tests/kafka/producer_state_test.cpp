// Deduplication: what a leader answers to a producer's sequence numbers, rule by rule, and why it survives a failover.
#include "models/kafka/producer_state.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <tuple>
#include <vector>

#include "models/kafka/log.h"

namespace mqlab::kafka {
namespace {

using namespace literals;
using Kind = ProducerVerdict::Kind;

constexpr ProducerId pid = 7;

Batch sequenced(Sequence first, int count, ProducerEpoch epoch = 0, ProducerId id = pid, Time at = 0) {
  Batch b = make_batch(std::vector<Record>(static_cast<std::size_t>(count), Record{.timestamp = at, .size = 10}));
  b.producer_id = id;
  b.producer_epoch = epoch;
  b.base_sequence = first;
  return b;
}

Batch placed(Batch b, Offset at) {
  b.base_offset = at;
  return b;
}

// Sequences 0..9 in two batches, at offsets 100..109.
ProducerStates after_ten() {
  ProducerStates p;
  p.update(placed(sequenced(0, 5), 100));
  p.update(placed(sequenced(5, 5), 105));
  return p;
}

ProducerVerdict refused(Error e) { return {.kind = Kind::refuse, .error = e}; }

// KIP-98: a retry of a batch whose answer was lost is answered with the offset of the first copy.
TEST(KafkaProducerState, ExactRetryIsADuplicateWithTheFirstOffset) {
  EXPECT_EQ(after_ten().check(sequenced(0, 5)),
            (ProducerVerdict{.kind = Kind::duplicate, .base_offset = 100, .last_offset = 104}));
}

// ProducerStateEntry.findDuplicateBatch compares first and last sequence: a batch split on retry is not recognised.
TEST(KafkaProducerState, SplitRetryIsNotRecognised) {
  EXPECT_EQ(after_ten().check(sequenced(0, 3)), refused(Error::out_of_order_sequence_number));
  EXPECT_EQ(after_ten().check(sequenced(0, 10)), refused(Error::out_of_order_sequence_number));
}

// NUM_BATCHES_TO_RETAIN = 5: the sixth batch back is an error, though it is in the log (KAFKA-5494).
TEST(KafkaProducerState, WindowHoldsFiveBatches) {
  ProducerStates p;
  for (int i = 0; i < 6; ++i) p.update(placed(sequenced(i, 1), i));
  EXPECT_EQ(p.check(sequenced(0, 1)), refused(Error::out_of_order_sequence_number));
  EXPECT_EQ(p.check(sequenced(1, 1)).kind, Kind::duplicate);
  EXPECT_EQ(p.check(sequenced(5, 1)).base_offset, 5);
  EXPECT_EQ(p.check(sequenced(6, 1)).kind, Kind::accept);
}

// A narrower window is a lesson; order is checked even with none.
TEST(KafkaProducerState, WindowIsAnOption) {
  ProducerStates none{{.window = 0}};
  none.update(placed(sequenced(0, 1), 0));
  EXPECT_EQ(none.check(sequenced(0, 1)), refused(Error::out_of_order_sequence_number));
  EXPECT_EQ(none.check(sequenced(1, 1)).kind, Kind::accept);
}

// checkProducerEpoch: a zombie of an older session is fenced, whatever its sequence.
TEST(KafkaProducerState, OlderEpochIsFenced) {
  ProducerStates p;
  p.update(placed(sequenced(0, 5, 3), 0));
  EXPECT_EQ(p.check(sequenced(5, 1, 2)), refused(Error::invalid_producer_epoch));
  EXPECT_EQ(p.check(sequenced(0, 5, 2)), refused(Error::invalid_producer_epoch)) << "no duplicate across epochs";
}

// checkSequence: a new epoch begins at 0, and the batches of the old one are no longer duplicates.
TEST(KafkaProducerState, NewerEpochBeginsAtZeroAndClearsTheWindow) {
  ProducerStates p = after_ten();
  EXPECT_EQ(p.check(sequenced(10, 1, 1)), refused(Error::out_of_order_sequence_number));
  EXPECT_EQ(p.check(sequenced(0, 5, 1)).kind, Kind::accept);
  p.update(placed(sequenced(0, 5, 1), 110));
  EXPECT_EQ(p.find(pid)->batches.size(), 1U);
  EXPECT_EQ(p.check(sequenced(5, 5, 0)), refused(Error::invalid_producer_epoch));
}

TEST(KafkaProducerState, SameEpochContinuesWithoutAGap) {
  EXPECT_EQ(after_ten().check(sequenced(10, 1)).kind, Kind::accept);
  EXPECT_EQ(after_ten().check(sequenced(11, 1)), refused(Error::out_of_order_sequence_number));
  EXPECT_EQ(after_ten().check(sequenced(9, 1)), refused(Error::out_of_order_sequence_number));
}

// DefaultRecordBatch.incrementSequence: after 2^31-1 comes 0, also in the middle of a batch.
TEST(KafkaProducerState, SequencesWrapToZero) {
  constexpr Sequence last = 0x7fffffff;
  EXPECT_EQ(add_sequence(last, 1), 0);
  EXPECT_EQ(sequenced(last - 1, 4).last_sequence(), 1);
  ProducerStates p;
  p.update(placed(sequenced(last - 1, 2), 0));
  EXPECT_EQ(p.check(sequenced(0, 1)).kind, Kind::accept);
  p.update(placed(sequenced(0, 1), 2));
  EXPECT_EQ(p.check(sequenced(last - 1, 2)).kind, Kind::duplicate);
  EXPECT_EQ(p.check(sequenced(1, 1)).kind, Kind::accept);

  ProducerStates across;
  across.update(placed(sequenced(last - 1, 4), 0));
  EXPECT_EQ(across.check(sequenced(2, 1)).kind, Kind::accept);
  EXPECT_EQ(across.check(sequenced(1, 1)), refused(Error::out_of_order_sequence_number));
}

// KIP-360: no state, no check. A batch that overtakes a refused first one is taken, and the first one is then late.
TEST(KafkaProducerState, FirstWriteHoleAcceptsAnySequence) {
  ProducerStates p;
  EXPECT_EQ(p.check(sequenced(10, 10)).kind, Kind::accept);
  p.update(placed(sequenced(10, 10), 0));
  EXPECT_EQ(p.check(sequenced(0, 10)), refused(Error::out_of_order_sequence_number));
}

// KAFKA-15591 (4.5): a log that never held a record has lost no memory either, so it waits for sequence 0. Once there was a
// record, of anybody, any first sequence is taken again, even after all of them are deleted.
TEST(KafkaProducerState, AnEmptyLogWaitsForTheFirstSequence) {
  PartitionLog log{{.producers = {.first_sequence_zero = true}}};
  EXPECT_EQ(log.append_as_leader(sequenced(10, 10), 0, 0).error, Error::out_of_order_sequence_number);
  EXPECT_EQ(log.append_as_leader(sequenced(0, 10), 0, 0).error, Error::none);
  EXPECT_EQ(log.append_as_leader(sequenced(10, 10), 0, 0).error, Error::none);
  log.delete_records_before(log.end());
  EXPECT_EQ(log.append_as_leader(sequenced(3, 1, 0, pid + 1), 0, 0).error, Error::none);
}

// appendEndTxnMarker: a marker with a bumped epoch fences the session before it and leaves no batch to repeat.
TEST(KafkaProducerState, MarkerRaisesTheEpoch) {
  ProducerStates p = after_ten();
  p.update(placed(make_marker(Control::abort, pid, 1, 5_ms), 110));
  EXPECT_EQ(p.check(sequenced(10, 1)), refused(Error::invalid_producer_epoch));
  EXPECT_EQ(p.check(sequenced(3, 1, 1)), refused(Error::out_of_order_sequence_number));
  EXPECT_EQ(p.check(sequenced(0, 1, 1)).kind, Kind::accept);
}

TEST(KafkaProducerState, TransactionIsOpenUntilItsMarker) {
  ProducerStates p;
  Batch b = placed(sequenced(0, 2), 40);
  b.transactional = true;
  p.update(b);
  EXPECT_EQ(p.find(pid)->open_transaction, 40);
  p.expire(Duration{90'000} * 1_s);
  EXPECT_NE(p.find(pid), nullptr) << "a producer with an open transaction does not expire";
  p.update(placed(make_marker(Control::commit, pid, 0, 1_ms), 42));
  EXPECT_EQ(p.find(pid)->open_transaction, no_offset);
}

// producer.id.expiration.ms counts from the batch's own timestamp: then the retry meets no state and is a duplicate.
TEST(KafkaProducerState, ExpiredProducerIsForgotten) {
  ProducerStates p{{.expiration = 10_s}};
  p.update(placed(sequenced(0, 1, 0, pid, 5_s), 0));
  p.expire(15_s - 1);
  EXPECT_EQ(p.check(sequenced(0, 1)).kind, Kind::duplicate);
  p.expire(15_s);
  EXPECT_EQ(p.check(sequenced(0, 1)).kind, Kind::accept);
}

// Before KAFKA-7190 (2.4) a producer went with its records; since then it stays until it expires.
TEST(KafkaProducerState, DeletedRecordsTookTheProducerAlongBefore24) {
  for (const bool evict : {false, true}) {
    PartitionLog log{{.producers = {.evict_with_records = evict}}};
    log.append_as_leader(sequenced(0, 2), 0, 0);
    log.append_as_leader(sequenced(2, 2), 0, 0);
    log.delete_records_before(3);
    EXPECT_EQ(log.append_as_leader(sequenced(2, 2), 0, 0).duplicate, true) << "one record of it is left";
    log.delete_records_before(4);
    EXPECT_EQ(log.append_as_leader(sequenced(2, 2), 0, 0).duplicate, !evict);
  }
}

TEST(KafkaProducerState, BatchesWithoutProducerIdAreNeverChecked) {
  ProducerStates p;
  p.update(make_batch({Record{}}));
  EXPECT_TRUE(p.entries().empty());
  EXPECT_EQ(p.check(make_batch({Record{}})).kind, Kind::accept);
  ProducerStates off{{.enabled = false}};
  off.update(placed(sequenced(0, 1), 0));
  EXPECT_EQ(off.check(sequenced(0, 1)).kind, Kind::accept) << "a broker that knows no producers appends the retry";
}

// KIP-98: the state is in the log, so the follower that becomes leader answers the retry as the old leader would have.
TEST(KafkaProducerState, FollowerRecognisesTheRetryAfterFailover) {
  for (const bool replicated : {true, false}) {
    const LogOptions options{.producers = {.replicated = replicated}};
    PartitionLog leader{options};
    PartitionLog follower{options};
    leader.append_as_leader(sequenced(0, 3), 0, 0);
    for (const Batch& b : leader.read(0, leader.end())) follower.append_as_follower(b);
    follower.begin_epoch(1);
    const AppendResult retry = follower.append_as_leader(sequenced(0, 3), 1, 0);
    EXPECT_EQ(retry.duplicate, replicated);
    EXPECT_EQ(retry.base_offset, replicated ? 0 : 3) << "with memory of the leader alone the batch is there twice";
  }
}

// What was truncated is unknown again, what was kept is known: else a refused retry would be lost for ever.
TEST(KafkaProducerState, TruncationForgetsExactlyWhatItCuts) {
  PartitionLog log;
  for (int i = 0; i < 8; ++i) log.append_as_leader(sequenced(i, 1), 0, 0);
  log.truncate_to(6);
  EXPECT_EQ(log.producers().find(pid)->batches.front().first_sequence, 1) << "the window reaches back again";
  EXPECT_EQ(log.append_as_leader(sequenced(7, 1), 0, 0).error, Error::out_of_order_sequence_number);
  EXPECT_EQ(log.append_as_leader(sequenced(6, 1), 0, 0).base_offset, 6);
  EXPECT_TRUE(log.append_as_leader(sequenced(2, 1), 0, 0).duplicate);
}

// A conforming client has at most five batches from the oldest unanswered one on, and never changes a batch that it
// sends again. Then, through any repetition, late copy and failover: nothing is appended twice, nothing is refused that
// was appended and is unanswered, and order within an epoch is kept.
RC_GTEST_PROP(KafkaProducerState, ConformingProducerIsAppendedOnceAndInOrder, ()) {
  struct Sent {
    Batch batch;
    Offset appended = no_offset;
    bool answered = false;
  };
  std::map<ProducerId, std::vector<Sent>> producers{{3, {}}, {9, {}}};
  PartitionLog leader;
  PartitionLog follower;
  LeaderEpoch epoch = 0;
  leader.begin_epoch(epoch);
  const auto steps = *rc::gen::scale(
      4, rc::gen::arbitrary<std::vector<std::tuple<unsigned char, unsigned char, bool>>>());
  for (const auto& [what, which, other] : steps) {
    std::vector<Sent>& sent = producers[other ? 9 : 3];
    std::size_t oldest = 0;
    while (oldest < sent.size() && sent[oldest].answered) ++oldest;
    if (what % 16 == 0) {  // failover to a follower that has everything (acks=all)
      for (const Batch& b : leader.read(follower.end(), leader.end())) {
        RC_ASSERT(follower.append_as_follower(b) == Error::none);
      }
      RC_ASSERT(follower.producers() == leader.producers());
      std::swap(leader, follower);
      leader.begin_epoch(++epoch);
    } else if (what % 4 == 0 && sent.size() - oldest < 5) {
      const Sequence beginning = other ? 0x7ffffff8 : 0;  // one of the two meets the wrap
      const Sequence first = sent.empty() ? beginning : add_sequence(sent.back().batch.last_sequence(), 1);
      sent.push_back({.batch = sequenced(first, 1 + which % 3, 0, other ? 9 : 3)});
    } else if (!sent.empty()) {  // any copy arrives; late ones of answered batches too
      const std::size_t i = which % 5 == 0 ? which % sent.size() : std::min(sent.size() - 1, oldest + which % 5);
      if (i > 0 && sent[0].appended == no_offset) continue;  // without the first-write hole
      const AppendResult r = leader.append_as_leader(sent[i].batch, epoch, 0);
      if (r.written()) {
        RC_ASSERT(sent[i].appended == no_offset);
        const Offset before = i == 0 ? no_offset : sent[i - 1].appended;  // RC_ASSERT evaluates both sides of ||
        RC_ASSERT(before < r.base_offset);
        RC_ASSERT((i == 0 || before != no_offset));
        sent[i].appended = r.base_offset;
      } else if (sent[i].appended != no_offset && i >= oldest) {
        RC_ASSERT(r.duplicate);
        RC_ASSERT(r.base_offset == sent[i].appended);
      }
      if (sent[i].appended != no_offset && i == oldest && what % 2 == 0) sent[i].answered = true;
    }
  }
  std::map<std::pair<ProducerId, Sequence>, int> copies;
  for (const Batch& b : leader.batches()) {
    for (int i = 0; i < b.count(); ++i) {
      const int copy = ++copies[{b.producer_id, add_sequence(b.base_sequence, i)}];
      RC_ASSERT(copy == 1);
    }
  }
}

// Whatever happened to the log, the memory is what a scan of it gives (with eviction, also after deletions).
RC_GTEST_PROP(KafkaProducerState, IncrementalStateEqualsAScanOfTheLog, ()) {
  PartitionLog log{{.producers = {.evict_with_records = true}}};
  const auto steps = *rc::gen::scale(
      4, rc::gen::arbitrary<std::vector<std::tuple<unsigned char, unsigned char, unsigned char>>>());
  for (const auto& [what, a, b] : steps) {
    const Offset length = log.end() - log.start();
    if (what % 16 == 0) {
      log.truncate_to(log.start() + a % (length + 1));
    } else if (what % 16 == 1) {
      log.delete_records_before(log.start() + a % (length + 1));
    } else {
      const ProducerId id = 1 + a % 3;
      const ProducerEntry* known = log.producers().find(id);
      const auto epoch = static_cast<ProducerEpoch>((known != nullptr ? known->epoch : 0) + (what % 16 == 2 ? 1 : 0));
      const bool continues = known != nullptr && known->epoch == epoch && known->last_sequence != no_sequence;
      const Sequence first = continues ? add_sequence(known->last_sequence, 1) : 0;
      log.append_as_leader(sequenced(first, 1 + b % 3, epoch, id, a), 0, 0);
    }
    ProducerStates scanned{log.options().producers};
    scanned.rebuild(log.batches());
    RC_ASSERT(scanned == log.producers());
    RC_ASSERT(log.broken_rule() == nullptr);
  }
}

}  // namespace
}  // namespace mqlab::kafka
