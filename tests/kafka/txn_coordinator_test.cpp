// The transaction coordinator without a world: what each request does in each state, what is written before what is
// said, and what another coordinator makes of it. Sources: TransactionCoordinator, TransactionMetadata,
// TransactionStateManager, TransactionMarkerChannelManager (4.x); KIP-98, KIP-360, KIP-890.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "tests/kafka/txn_room.h"

namespace mqlab::kafka::testing {
namespace {

constexpr TxnVersion tv0 = TxnVersion::tv0;
constexpr TxnVersion tv1 = TxnVersion::tv1;
constexpr TxnVersion tv2 = TxnVersion::tv2;

// Producer 100 has begun as "x".
struct Begun : TxnRoom {
  explicit Begun(TxnVersion v = tv2, ProducerEpoch epoch_max = 32766) : TxnRoom(v, epoch_max) { init("x"); }
};
// ... and has t/0 and t/1 in its transaction.
struct Open : Begun {
  explicit Open(TxnVersion v = tv2, ProducerEpoch epoch_max = 32766) : Begun(v, epoch_max) { add("x", 100, 0, {0, 1}); }
};

// --- InitProducerId ---

TEST(KafkaTxnInit, EachNewProducerOfAnIdGetsTheNextEpoch) {
  TxnRoom r(tv2);
  EXPECT_EQ(r.init("x"), "100/0");
  EXPECT_EQ(r.init("y"), "101/0");
  EXPECT_EQ(r.init("x"), "100/1");
  EXPECT_EQ(r.state("x"), "Empty 100/1");
}

TEST(KafkaTxnInit, ATimeoutAboveTheMaximumIsRefused) {
  TxnRoom r(tv2);
  EXPECT_EQ(r.init("x", no_producer_id, no_producer_epoch, 901_s), "INVALID_TRANSACTION_TIMEOUT");
  EXPECT_EQ(r.init("x", no_producer_id, no_producer_epoch, 0), "INVALID_TRANSACTION_TIMEOUT");
  EXPECT_EQ(r.init("x", no_producer_id, no_producer_epoch, 900_s), "100/0");
}

// RPCProducerIdManager: it does not wait for the controller; the producer comes again.
TEST(KafkaTxnInit, WithoutAProducerIdAtHandItIsToldToComeAgain) {
  TxnRoom r(tv2);
  r.ids.left = 0;
  EXPECT_EQ(r.init("x"), "COORDINATOR_LOAD_IN_PROGRESS");
  EXPECT_TRUE(r.wants_ids);
  EXPECT_EQ(r.state("x"), "");
  r.ids = {500, 1};
  EXPECT_EQ(r.init("x"), "500/0");
}

TEST(KafkaTxnInit, NothingIsToldBeforeItIsWritten) {
  TxnRoom r(tv2);
  r.hold = true;
  EXPECT_EQ(r.init("x"), "");
  EXPECT_EQ(r.init("x"), "CONCURRENT_TRANSACTIONS");
  r.commit();
  EXPECT_EQ(r.answers[1], "100/0");
}

TEST(KafkaTxnInit, WhatCouldNotBeWrittenWasNot) {
  Begun r;
  r.hold = true;
  r.init("x");
  r.fail();
  EXPECT_EQ(r.answers[r.last], "COORDINATOR_NOT_AVAILABLE");
  EXPECT_EQ(r.state("x"), "Empty 100/0");
  r.hold = false;
  EXPECT_EQ(r.init("x"), "100/1");
}

// KIP-360: who says who it is goes on in a newer epoch; again, it is the same request; and a third epoch is a zombie's.
TEST(KafkaTxnInit, AProducerThatSaysWhoItIsGoesOnUnlessAnotherTookItsPlace) {
  Begun r;
  EXPECT_EQ(r.init("x", 100, 0), "100/1");
  EXPECT_EQ(r.init("x", 100, 0), "100/1");
  EXPECT_EQ(r.init("x", 100, 1), "100/2");
  EXPECT_EQ(r.init("x", 100, 0), "PRODUCER_FENCED");
  EXPECT_EQ(r.init("x", 99, 2), "PRODUCER_FENCED");
  EXPECT_EQ(r.init("x"), "100/3");
  EXPECT_EQ(r.init("x", 100, 2), "PRODUCER_FENCED");
}

// The open transaction is aborted first. The epoch that this takes is nobody's; the producer's own comes with its retry.
TEST(KafkaTxnInit, AnOpenTransactionIsAbortedAndTheProducerComesAgain) {
  for (const TxnVersion v : {tv0, tv1, tv2}) {
    Open r(v);
    EXPECT_EQ(r.init("x"), "CONCURRENT_TRANSACTIONS");
    EXPECT_EQ(r.state("x"), "PrepareAbort 100/1 t/0 t/1");
    EXPECT_EQ(r.out(), "abort 100/1 t/0 t/1");
    EXPECT_EQ(r.init("x"), "CONCURRENT_TRANSACTIONS");
    r.answer_markers();
    EXPECT_EQ(r.state("x"), "CompleteAbort 100/1");
    EXPECT_EQ(r.init("x"), "100/2");
    EXPECT_EQ(r.end("x", 100, 0, true), "PRODUCER_FENCED");
  }
}

// hasFailedEpochFence: TV1 counts the new epoch before it is written, and does not bump it a second time.
TEST(KafkaTxnInit, AFenceThatCouldNotBeWrittenIsTriedAgainInTheSameEpoch) {
  for (const TxnVersion v : {tv1, tv2}) {
    Open r(v);
    r.hold = true;
    r.init("x");
    r.fail();
    EXPECT_EQ(r.answers[r.last], "COORDINATOR_NOT_AVAILABLE");
    EXPECT_EQ(r.state("x"), v == tv1 ? "Ongoing 100/1 t/0 t/1" : "Ongoing 100/0 t/0 t/1");
    r.hold = false;
    r.init("x");
    EXPECT_EQ(r.out(), "abort 100/1 t/0 t/1");
  }
}

TEST(KafkaTxnInit, WhenTheEpochsAreUsedUpTheIdChanges) {
  Begun r(tv1, 2);
  EXPECT_EQ(r.init("x"), "100/1");
  EXPECT_EQ(r.init("x"), "100/2");
  EXPECT_EQ(r.init("x", 100, 2), "101/0");
  EXPECT_EQ(r.init("x", 100, 2), "101/0");  // the answer was lost: it comes with the id before
  EXPECT_EQ(r.init("x", 100, 1), "PRODUCER_FENCED");
}

// --- AddPartitionsToTxn, AddOffsetsToTxn ---

TEST(KafkaTxnAdd, TheFirstPartitionOpensTheTransaction) {
  Begun r;
  r.wall = 1234_s;
  EXPECT_EQ(r.add("x", 100, 0, {1}), "ok");
  EXPECT_EQ(r.coordinator.ids().at("x").now.started, 1234_s);
  r.wall = 1300_s;
  EXPECT_EQ(r.add("x", 100, 0, {0, 1}), "ok");
  EXPECT_EQ(r.state("x"), "Ongoing 100/0 t/0 t/1");
  EXPECT_EQ(r.coordinator.ids().at("x").now.started, 1234_s);
}

TEST(KafkaTxnAdd, WhatIsInAlreadyIsNotWrittenAgain) {
  Open r;
  const std::size_t records = r.log.size();
  EXPECT_EQ(r.add("x", 100, 0, {1}), "ok");
  EXPECT_EQ(r.log.size(), records);
}

TEST(KafkaTxnAdd, OnlyTheProducerOfTheIdMay) {
  Begun r;
  EXPECT_EQ(r.add("nobody", 100, 0, {0}), "INVALID_PRODUCER_ID_MAPPING");
  EXPECT_EQ(r.add("x", 99, 0, {0}), "INVALID_PRODUCER_ID_MAPPING");
  r.init("x");
  EXPECT_EQ(r.add("x", 100, 0, {0}), "PRODUCER_FENCED");
  EXPECT_EQ(r.add("x", 100, 2, {0}), "PRODUCER_FENCED");
  EXPECT_EQ(r.marks.back(), "producer_fenced x: AddPartitionsToTxn of producer 100 epoch 2 is refused: it is at epoch 1 of producer 100");
}

// While the transaction before completes, the next one has to wait, though its producer was told that it is committed.
TEST(KafkaTxnAdd, TheNextTransactionWaitsForTheMarkersOfTheOneBefore) {
  Open r;
  EXPECT_EQ(r.end("x", 100, 0, true), "ok 100/1");
  EXPECT_EQ(r.add("x", 100, 1, {2}), "CONCURRENT_TRANSACTIONS");
  r.answer_markers();
  EXPECT_EQ(r.add("x", 100, 1, {2}), "ok");
  EXPECT_EQ(r.state("x"), "Ongoing 100/1 t/2");
}

TEST(KafkaTxnAdd, AGroupTakesPartWithItsPartition) {
  Begun r(tv1);
  EXPECT_EQ(r.add_offsets("x", 100, 0, "g"), "ok");
  EXPECT_EQ(r.state("x"), "Ongoing 100/0 __consumer_offsets/0");
  EXPECT_EQ(r.add_offsets("x", 100, 1, "g"), "PRODUCER_FENCED");
}

// KIP-890, part 1: a leader asks whether its partition is in.
TEST(KafkaTxnAdd, VerifyingChangesNothing) {
  Open r(tv1);
  const std::size_t records = r.log.size();
  EXPECT_EQ(r.verify("x", 100, 0, {0, 2}), "t/0 ok, t/2 TRANSACTION_ABORTABLE");
  EXPECT_EQ(r.verify("x", 99, 0, {0}), "INVALID_PRODUCER_ID_MAPPING");
  EXPECT_EQ(r.verify("x", 100, 1, {0}), "PRODUCER_FENCED");
  r.hold = true;
  r.add("x", 100, 0, {2});
  EXPECT_EQ(r.verify("x", 100, 0, {1, 2}), "t/1 ok, t/2 TRANSACTION_ABORTABLE");  // pending does not count
  r.commit();
  EXPECT_EQ(r.verify("x", 100, 0, {2}), "t/2 ok");
  r.end("x", 100, 0, true);
  r.commit();
  EXPECT_EQ(r.verify("x", 100, 0, {0}), "CONCURRENT_TRANSACTIONS");
  r.answer_markers();
  r.commit();
  EXPECT_EQ(r.verify("x", 100, 0, {0}), "t/0 TRANSACTION_ABORTABLE");
  EXPECT_EQ(r.log.size(), records + 3);
}

// --- EndTxn ---

TEST(KafkaTxnEnd, IsAnsweredWhenTheDecisionIsWrittenAndBeforeAnyMarkerIs) {
  for (const bool commit : {true, false}) {
    Open r;
    r.hold = true;
    EXPECT_EQ(r.end("x", 100, 0, commit), "");
    EXPECT_EQ(r.out(), "");
    r.commit();
    EXPECT_EQ(r.answers[r.last], "ok 100/1");
    EXPECT_EQ(r.out(), commit ? "commit 100/1 t/0 t/1" : "abort 100/1 t/0 t/1");
    EXPECT_EQ(r.state("x"), commit ? "PrepareCommit 100/1 t/0 t/1" : "PrepareAbort 100/1 t/0 t/1");
    r.hold = false;
    r.answer_markers();
    EXPECT_EQ(r.state("x"), commit ? "CompleteCommit 100/1" : "CompleteAbort 100/1");
  }
}

TEST(KafkaTxnEnd, BeforeTv2AllTransactionsOfASessionHaveItsEpoch) {
  for (const TxnVersion v : {tv0, tv1}) {
    Open r(v);
    EXPECT_EQ(r.end("x", 100, 0, true), "ok");
    EXPECT_EQ(r.out(), "commit 100/0 t/0 t/1");
    r.answer_markers();
    EXPECT_EQ(r.add("x", 100, 0, {2}), "ok");
    EXPECT_EQ(r.end("x", 100, 0, false), "ok");
    EXPECT_EQ(r.out(), "abort 100/0 t/2");
  }
}

// What an EndTxn gets in each state: first of the epoch that the producer has now, then of the one before.
struct EndRow {
  const char* state;
  TxnVersion version;
  const char* commit_now;
  const char* abort_now;
  const char* commit_before;
  const char* abort_before;
};
void PrintTo(const EndRow& r, std::ostream* os) { *os << r.state << (r.version == tv2 ? " TV2" : " TV1"); }

// "x" in this state, and its present epoch.
std::unique_ptr<TxnRoom> in_state(const EndRow& row, ProducerEpoch& epoch) {
  auto r = std::make_unique<TxnRoom>(row.version);
  r->init("x");
  r->init("x");  // so that there is an epoch before
  epoch = 1;
  const std::string state = row.state;
  if (state == "Empty") return r;
  r->add("x", 100, 1, {0, 1});
  if (state == "Ongoing") return r;
  r->end("x", 100, 1, state.find("Commit") != std::string::npos);
  if (row.version == tv2) epoch = 2;
  if (state.rfind("Complete", 0) == 0) r->answer_markers();
  return r;
}

class KafkaTxnEndTable : public ::testing::TestWithParam<EndRow> {};
TEST_P(KafkaTxnEndTable, EachStateHasItsAnswer) {
  const EndRow& row = GetParam();
  const std::array<std::pair<const char*, std::pair<bool, bool>>, 4> cases = {
      {{row.commit_now, {true, false}}, {row.abort_now, {false, false}}, {row.commit_before, {true, true}}, {row.abort_before, {false, true}}}};
  for (const auto& [expected, which] : cases) {
    ProducerEpoch epoch = 0;
    const auto r = in_state(row, epoch);
    ASSERT_EQ(r->state("x").substr(0, r->state("x").find(' ')), row.state);
    EXPECT_EQ(r->end("x", 100, static_cast<ProducerEpoch>(epoch - (which.second ? 1 : 0)), which.first), expected)
        << (which.first ? "commit" : "abort") << (which.second ? " of the epoch before" : "");
  }
}
// TransactionCoordinator.endTransactionWithTV1; endTransaction and the table above it (4.x).
constexpr const char* fenced = "PRODUCER_FENCED";
constexpr const char* wrong = "INVALID_TXN_STATE";
constexpr const char* busy = "CONCURRENT_TRANSACTIONS";
INSTANTIATE_TEST_SUITE_P(All, KafkaTxnEndTable,
                         ::testing::Values(EndRow{"Empty", tv1, wrong, wrong, fenced, fenced}, EndRow{"Ongoing", tv1, "ok", "ok", fenced, fenced},
                                           EndRow{"PrepareCommit", tv1, busy, busy, fenced, fenced}, EndRow{"PrepareAbort", tv1, busy, busy, fenced, fenced},
                                           EndRow{"CompleteCommit", tv1, "ok", wrong, fenced, fenced}, EndRow{"CompleteAbort", tv1, wrong, "ok", fenced, fenced},
                                           EndRow{"Empty", tv2, wrong, "ok 100/2", fenced, fenced}, EndRow{"Ongoing", tv2, "ok 100/2", "ok 100/2", fenced, fenced},
                                           EndRow{"PrepareCommit", tv2, fenced, fenced, busy, busy}, EndRow{"PrepareAbort", tv2, fenced, fenced, busy, busy},
                                           EndRow{"CompleteCommit", tv2, wrong, "ok 100/3", "ok 100/2", wrong},
                                           EndRow{"CompleteAbort", tv2, wrong, "ok 100/3", wrong, "ok 100/2"}));

// T05, KAFKA-17754: an EndTxn that comes late ends whatever transaction is open then, if nothing tells the two apart.
TEST(KafkaTxnEnd, ALateEndTxnEndsTheNextTransactionUnlessEachHasItsEpoch) {
  Open before(tv1);
  before.end("x", 100, 0, true);
  before.answer_markers();
  before.add("x", 100, 0, {2});
  EXPECT_EQ(before.end("x", 100, 0, true), "ok");  // the copy that was held
  EXPECT_EQ(before.out(), "commit 100/0 t/2");

  Open now(tv2);
  now.end("x", 100, 0, true);
  now.answer_markers();
  now.add("x", 100, 1, {2});
  EXPECT_EQ(now.end("x", 100, 0, true), "PRODUCER_FENCED");
  EXPECT_EQ(now.state("x"), "Ongoing 100/1 t/2");
}

TEST(KafkaTxnEnd, OnlyTheProducerOfTheIdMay) {
  Open r;
  EXPECT_EQ(r.end("nobody", 100, 0, true), "INVALID_PRODUCER_ID_MAPPING");
  EXPECT_EQ(r.end("x", 99, 0, true), "INVALID_PRODUCER_ID_MAPPING");
  EXPECT_EQ(r.end("x", 100, 1, true), "PRODUCER_FENCED");
}

// A client that does not speak TV2 has TV1 from a cluster that does; a cluster at TV1 has it for all.
TEST(KafkaTxnEnd, TheOlderOfTheTwoVersionsCounts) {
  Open cluster(tv2);
  EXPECT_EQ(cluster.end_as(tv0, "x", 100, 0, true), "ok");
  EXPECT_EQ(cluster.out(), "commit 100/0 t/0 t/1");
  Open client(tv1);
  EXPECT_EQ(client.end_as(tv2, "x", 100, 0, true), "ok");
  EXPECT_EQ(client.out(), "commit 100/0 t/0 t/1");
}

// T17, KAFKA-18660: the marker has the last epoch there is; the next transaction has a new id.
TEST(KafkaTxnEnd, WhenTheEpochsAreUsedUpTheIdChangesWithTheTransaction) {
  Open r(tv2, 0);
  EXPECT_EQ(r.end("x", 100, 0, true), "ok 101/0");
  EXPECT_EQ(r.out(), "commit 100/1 t/0 t/1");
  EXPECT_EQ(r.add("x", 101, 0, {2}), "CONCURRENT_TRANSACTIONS");
  r.answer_markers();
  EXPECT_EQ(r.state("x"), "CompleteCommit 101/0");
  EXPECT_EQ(r.end("x", 100, 0, true), "ok 101/0");  // repeated
  EXPECT_EQ(r.end("x", 100, 0, false), "INVALID_TXN_STATE");
  EXPECT_EQ(r.add("x", 101, 0, {2}), "ok");
  EXPECT_EQ(r.end("x", 100, 0, true), "INVALID_PRODUCER_ID_MAPPING");
}

TEST(KafkaTxnEnd, WithoutAProducerIdToGoOnWithNothingEnds) {
  Open r(tv2, 0);
  r.ids.left = 0;
  EXPECT_EQ(r.end("x", 100, 0, true), "COORDINATOR_LOAD_IN_PROGRESS");
  EXPECT_EQ(r.state("x"), "Ongoing 100/0 t/0 t/1");
}

TEST(KafkaTxnEnd, WhatCouldNotBeWrittenIsNotDecided) {
  Open r;
  r.hold = true;
  r.end("x", 100, 0, true);
  r.fail();
  EXPECT_EQ(r.answers[r.last], "COORDINATOR_NOT_AVAILABLE");
  EXPECT_EQ(r.out(), "");
  r.hold = false;
  EXPECT_EQ(r.end("x", 100, 0, false), "ok 100/1");
  EXPECT_EQ(r.out(), "abort 100/1 t/0 t/1");
}

// --- markers ---

TEST(KafkaTxnMarkers, AllMustBeThereBeforeTheTransactionIsComplete) {
  Open r;
  r.end("x", 100, 0, true);
  TxnMarkersOf one = r.markers.front();
  TxnMarkersOf other = one;
  one.marker.partitions = {0};
  other.marker.partitions = {1};
  r.answer_marker(one, Error::none);
  r.answer_marker(one, Error::none);  // twice is once
  EXPECT_EQ(r.state("x"), "PrepareCommit 100/1 t/0 t/1");
  r.answer_marker(other, Error::none);
  EXPECT_EQ(r.state("x"), "CompleteCommit 100/1");
}

// T10: for as long as a partition can't take it, whatever was told to the client.
TEST(KafkaTxnMarkers, GoAgainUntilTheyAreThere) {
  for (const Error e : {Error::unknown_topic_or_partition, Error::not_leader_or_follower, Error::not_enough_replicas, Error::not_enough_replicas_after_append,
                        Error::request_timed_out, Error::kafka_storage_error}) {
    Open r;
    r.end("x", 100, 0, true);
    for (int i = 0; i < 3; ++i) {
      r.answer_markers(e);
      EXPECT_EQ(r.state("x"), "PrepareCommit 100/1 t/0 t/1");
      r.send_rests();
      EXPECT_EQ(r.out(), "commit 100/1 t/0 t/1");
    }
    r.answer_markers();
    EXPECT_EQ(r.state("x"), "CompleteCommit 100/1");
  }
}

TEST(KafkaTxnMarkers, WhoIsFencedGivesUpAndTheIdWaitsForAnotherCoordinator) {
  for (const Error e : {Error::invalid_producer_epoch, Error::transaction_coordinator_fenced}) {
    Open r;
    r.end("x", 100, 0, true);
    r.answer_markers(e);
    EXPECT_TRUE(r.rests.empty());
    EXPECT_EQ(r.init("x"), "CONCURRENT_TRANSACTIONS");
    r.move();
    EXPECT_EQ(r.out(), "commit 100/1 t/0 t/1");
    r.answer_markers();
    EXPECT_EQ(r.init("x"), "100/2");
  }
}

TEST(KafkaTxnMarkers, CarryTheEpochOfTheirCoordinator) {
  Open r;
  r.end("x", 100, 0, true);
  EXPECT_EQ(r.markers.front().marker.coordinator_epoch, 1);
  r.move();
  EXPECT_EQ(r.markers.front().marker.coordinator_epoch, 2);
  EXPECT_EQ(r.markers.front().marker.version, tv2);
}

// txnLogAppendRetryQueue: the markers are there; that it is complete is written until it is.
TEST(KafkaTxnMarkers, ACompletionThatCannotBeWrittenIsTriedAgain) {
  Open r;
  r.end("x", 100, 0, true);
  r.hold = true;
  r.answer_markers();
  r.fail();
  EXPECT_TRUE(r.again);
  EXPECT_EQ(r.add("x", 100, 1, {0}), "CONCURRENT_TRANSACTIONS");
  r.write_again();
  r.commit();
  EXPECT_EQ(r.state("x"), "CompleteCommit 100/1");
}

// An answer to markers of the transaction before, which went to a broker twice, says nothing of this one.
TEST(KafkaTxnMarkers, OfAnotherTransactionSayNothing) {
  Open r;
  r.end("x", 100, 0, true);
  const TxnMarkersOf first = r.markers.front();
  r.answer_markers();
  r.add("x", 100, 1, {0, 1});
  r.end("x", 100, 1, false);
  r.answer_marker(first, Error::none);
  EXPECT_EQ(r.state("x"), "PrepareAbort 100/2 t/0 t/1");
}

// --- time ---

TEST(KafkaTxnTime, ATransactionThatIsOpenForTooLongIsAbortedAndItsProducerFenced) {
  for (const TxnVersion v : {tv1, tv2}) {
    Open r(v);
    r.wall += 60_s;
    r.look();
    EXPECT_EQ(r.state("x"), "Ongoing 100/0 t/0 t/1");
    r.wall += 1;
    r.look();
    EXPECT_EQ(r.state("x"), "PrepareAbort 100/1 t/0 t/1");
    EXPECT_EQ(r.out(), "abort 100/1 t/0 t/1");
    EXPECT_EQ(r.add("x", 100, 0, {2}), "CONCURRENT_TRANSACTIONS");
    r.answer_markers();
    EXPECT_EQ(r.add("x", 100, 0, {2}), "PRODUCER_FENCED");
  }
}

// T11: a commit that comes too late. TV2 takes it for a commit of what was aborted (until KAFKA-20785).
TEST(KafkaTxnTime, ACommitThatComesAfterTheTimeoutIsRefused) {
  for (const auto& [v, said] : std::vector<std::pair<TxnVersion, std::string>>{{tv1, "PRODUCER_FENCED"}, {tv2, "INVALID_TXN_STATE"}}) {
    Open r(v);
    r.wall += 61_s;
    r.look();
    r.answer_markers();
    EXPECT_EQ(r.end("x", 100, 0, true), said);
  }
}

// KAFKA-20090: a fence at the last epoch brings a new id as well.
TEST(KafkaTxnTime, AFenceAtTheLastEpochChangesTheId) {
  Open r(tv2, 0);
  r.wall += 61_s;
  r.look();
  EXPECT_EQ(r.out(), "abort 100/1 t/0 t/1");
  r.answer_markers();
  EXPECT_EQ(r.state("x"), "CompleteAbort 101/0");
}

// Before it the producer, which asks for the abort itself, was told the epoch behind the last one, and no other comes after it:
// the transaction that it begins there nobody can end, neither it nor the clock nor a new producer.
TEST(KafkaTxnTime, InAnEpochBehindTheLastOneNothingCanBeEnded) {
  TxnRoom r(tv2, 0, false);
  r.init("x");
  r.add("x", 100, 0, {0});
  r.wall += 61_s;
  r.look();
  r.answer_markers();
  EXPECT_EQ(r.end("x", 100, 0, false), "ok 100/1");
  EXPECT_EQ(r.add("x", 100, 1, {0}), "ok");
  EXPECT_EQ(r.end("x", 100, 1, true), "UNKNOWN_SERVER_ERROR");
  EXPECT_EQ(r.init("x"), "UNKNOWN_SERVER_ERROR");
  r.wall += 61_s;
  r.look();
  EXPECT_EQ(r.state("x"), "Ongoing 100/1 t/0");
}

TEST(KafkaTxnTime, AnIdThatNobodyUsesIsForgotten) {
  Open r;
  r.end("x", 100, 0, true);
  r.answer_markers();
  r.init("y");
  r.add("y", 101, 0, {0});  // open: it stays
  r.wall += 3600_s;
  r.hold = true;
  r.expire();
  EXPECT_EQ(r.init("x"), "CONCURRENT_TRANSACTIONS");
  r.commit();
  EXPECT_EQ(r.state("x"), "");
  EXPECT_TRUE(r.log.back().gone);
  EXPECT_EQ(r.state("y"), "Ongoing 101/0 t/0");
  r.hold = false;
  EXPECT_EQ(r.add("x", 100, 1, {0}), "INVALID_PRODUCER_ID_MAPPING");
  EXPECT_EQ(r.init("x"), "102/0");  // T14: no partition learns that 100 is over
}

TEST(KafkaTxnTime, ATombstoneThatCannotBeWrittenForgetsNothing) {
  Begun r;
  r.wall += 3600_s;
  r.hold = true;
  r.expire();
  r.fail();
  EXPECT_EQ(r.state("x"), "Empty 100/0");
}

// --- another coordinator ---

TEST(KafkaTxnMove, WhatIsDecidedIsCompletedAndWhatIsOpenStaysOpen) {
  Open r;
  r.init("y");
  r.add("y", 101, 0, {2});
  r.end("x", 100, 0, true);
  r.move();
  EXPECT_EQ(r.state("y"), "Ongoing 101/0 t/2");
  EXPECT_EQ(r.out(), "commit 100/1 t/0 t/1");
  EXPECT_EQ(r.end("x", 100, 0, true), "CONCURRENT_TRANSACTIONS");
  r.answer_markers();
  EXPECT_EQ(r.state("x"), "CompleteCommit 100/1");
  r.wall += 61_s;
  r.look();
  EXPECT_EQ(r.out(), "abort 101/1 t/2");
}

TEST(KafkaTxnMove, WhoWaitsIsToldAndTheDecisionMayCountAllTheSame) {
  for (const bool replicated : {true, false}) {
    Open r;
    r.hold = true;
    r.end("x", 100, 0, true);
    r.move(replicated);
    EXPECT_EQ(r.answers[r.last], "NOT_COORDINATOR");
    EXPECT_EQ(r.state("x"), replicated ? "PrepareCommit 100/1 t/0 t/1" : "Ongoing 100/0 t/0 t/1");
    EXPECT_EQ(r.end("x", 100, 0, true), replicated ? "CONCURRENT_TRANSACTIONS" : "");
  }
}

// ---------------------------------------------------------------------------------------------
// Any order of requests, failures, markers, clocks and moves.

// What an id may do next is a function of its last record, of whether something is under way, and of the request: said
// again here, by tables, without the coordinator.
struct Known {
  bool exists = false;
  TransactionRecord record{};
  bool busy = false;
};

std::string add_answer(const Known& k, ProducerId id, ProducerEpoch epoch, const std::vector<PartitionId>& partitions) {
  if (!k.exists) return "INVALID_PRODUCER_ID_MAPPING";
  if (k.busy) return busy;
  if (k.record.id != id) return "INVALID_PRODUCER_ID_MAPPING";
  if (k.record.epoch != epoch) return fenced;
  const bool in = std::includes(k.record.partitions.begin(), k.record.partitions.end(), partitions.begin(), partitions.end());
  return k.record.state == TxnState::ongoing && in ? "ok" : "";
}

std::string end_answer(const Known& k, TxnVersion v, ProducerEpoch epoch_max, ProducerId id, ProducerEpoch epoch, bool commit) {
  if (!k.exists) return "INVALID_PRODUCER_ID_MAPPING";
  const bool was_commit = k.record.state == TxnState::complete_commit;
  const bool over = was_commit || k.record.state == TxnState::complete_abort;
  if (v != tv2) {
    if (k.record.id != id) return "INVALID_PRODUCER_ID_MAPPING";
    if (k.record.epoch != epoch) return fenced;
    if (k.busy) return busy;
    if (over) return commit == was_commit ? "ok" : wrong;
    return k.record.state == TxnState::ongoing ? "" : wrong;
  }
  const bool rotated = over && id == k.record.previous_id && epoch == epoch_max && k.record.epoch == 0;
  if (k.record.id != id && !rotated) return "INVALID_PRODUCER_ID_MAPPING";
  const bool current = k.record.id == id && k.record.epoch == epoch;
  const bool repeated = rotated || k.record.epoch == epoch + 1;
  const bool decided = k.record.state == TxnState::prepare_commit || k.record.state == TxnState::prepare_abort;
  if (decided ? !repeated : over ? !current && !repeated : !current) return fenced;
  if (k.busy) return busy;
  if (over && repeated) return commit == was_commit ? fmt::format("ok {}/{}", k.record.id, k.record.epoch) : wrong;
  if (k.record.state == TxnState::ongoing) return "";
  return commit ? wrong : "";
}

RC_GTEST_PROP(KafkaTxnCoordinator, IsAFunctionOfItsRecordsAndEachTransactionHasOneOutcome, ()) {
  const TxnVersion version = *rc::gen::element(tv0, tv1, tv2);
  const ProducerEpoch epoch_max = *rc::gen::element<ProducerEpoch>(2, 5, 32766);
  TxnRoom r(version, epoch_max);
  r.hold = true;
  const std::vector<std::string> names = {"x", "y"};
  // What producers were told, the newest last; any of them may speak at any time.
  std::map<std::string, std::vector<std::pair<ProducerId, ProducerEpoch>>> told;
  std::map<std::string, ProducerEpoch> bumped;  // TV1: by a fence that could not be written
  struct Asked {
    std::string id;
    ProducerId producer{};
    ProducerEpoch epoch{};
    bool init = false;
    bool commit = false;
    bool counted = false;
  };
  std::map<std::uint64_t, Asked> asked;
  std::map<std::string, std::size_t> ends;                      // of transactions in the log so far, by id
  std::map<std::pair<ProducerId, ProducerEpoch>, bool> outcome;  // TV2: of markers, by (producer id, epoch)

  const auto known = [&](const std::string& id) {
    Known k;
    for (const GroupRecord& g : r.log)
      if (g.group == id) {
        k.exists = !g.gone;
        k.record = std::get<TransactionRecord>(g.value);
      }
    const auto it = r.coordinator.ids().find(id);
    // An id that was begun and not written yet is known to this coordinator alone.
    if (it != r.coordinator.ids().end() && !k.exists) {
      k.exists = true;
      k.record = it->second.now;
    }
    k.busy = it != r.coordinator.ids().end() && it->second.pending;
    if (const auto b = bumped.find(id); b != bumped.end()) k.record.epoch = b->second;
    return k;
  };
  const auto look_at_markers = [&] {
    for (const TxnMarkersOf& m : r.markers) {
      // Nothing is sent that is not decided in the log.
      const Known k = known(m.transactional_id);
      RC_ASSERT(k.record.state == (m.marker.commit ? TxnState::prepare_commit : TxnState::prepare_abort));
      RC_ASSERT(k.record.id == m.marker.id && k.record.epoch == m.marker.epoch);
      if (version != tv2) continue;
      const auto [it, first] = outcome.try_emplace({m.marker.id, m.marker.epoch}, m.marker.commit);
      RC_ASSERT(first || it->second == m.marker.commit);
    }
  };
  const auto look_at_answers = [&] {
    for (auto& [word, a] : asked) {
      const std::string& answer = r.answers[word];
      if (answer.empty() || a.counted) continue;
      a.counted = true;
      const Known k = known(a.id);
      if (a.init) {
        if (answer.find('/') == std::string::npos) continue;
        // It is told what the log has.
        RC_ASSERT(k.record.state == TxnState::empty && answer == fmt::format("{}/{}", k.record.id, k.record.epoch));
        told[a.id].emplace_back(k.record.id, k.record.epoch);
      } else if (answer.rfind("ok ", 0) == 0) {
        const std::size_t slash = answer.find('/');
        told[a.id].emplace_back(std::stoll(answer.substr(3, slash - 3)), static_cast<ProducerEpoch>(std::stoi(answer.substr(slash + 1))));
      }
    }
  };

  for (int step = *rc::gen::inRange(1, 120); step > 0; --step) {
    const std::string id = *rc::gen::elementOf(names);
    const auto& mine = told[id];
    const auto one = mine.empty() ? std::pair<ProducerId, ProducerEpoch>{55, 0}
                                  : mine[mine.size() - 1 - static_cast<std::size_t>(*rc::gen::weightedElement<int>({{6, 0}, {2, 1}, {1, 2}})) % mine.size()];
    const Known k = known(id);
    switch (*rc::gen::weightedElement<int>({{3, 0}, {6, 1}, {4, 2}, {10, 3}, {1, 4}, {5, 5}, {1, 6}, {1, 7}, {1, 8}, {1, 9}})) {
      case 0: {
        const bool says = *rc::gen::arbitrary<bool>() && !mine.empty();
        const std::string answer = says ? r.init(id, one.first, one.second) : r.init(id);
        asked[r.last] = {id, one.first, one.second, true};
        if (k.exists && k.busy) RC_ASSERT(answer == busy);
        break;
      }
      case 1: {
        const std::vector<PartitionId> partitions = {*rc::gen::inRange<PartitionId>(0, 3)};
        RC_ASSERT(r.add(id, one.first, one.second, partitions) == add_answer(k, one.first, one.second, partitions));
        break;
      }
      case 2: {
        const bool commit = *rc::gen::arbitrary<bool>();
        RC_ASSERT(r.end(id, one.first, one.second, commit) == end_answer(k, version, epoch_max, one.first, one.second, commit));
        asked[r.last] = {id, one.first, one.second, false, commit};
        break;
      }
      case 3:
        if (r.writing.empty()) break;
        bumped.erase(r.writing.front().group);
        r.commit();
        break;
      case 4: {
        if (r.writing.empty()) break;
        const std::string of = r.writing.front().group;
        r.fail();
        const auto it = r.coordinator.ids().find(of);
        if (it != r.coordinator.ids().end() && it->second.failed_fence) bumped[of] = it->second.now.epoch;
        break;
      }
      case 5: {
        if (r.markers.empty()) break;
        const TxnMarkersOf m = r.markers.front();
        r.markers.erase(r.markers.begin());
        r.answer_marker(m, *rc::gen::weightedElement<Error>({{5, Error::none}, {1, Error::not_leader_or_follower}}));
        break;
      }
      case 6: r.send_rests(); break;
      case 7: r.write_again(); break;
      case 8:
        r.wall += 61_s;
        r.look();
        // TV1: what is being aborted counts as fenced already.
        for (const auto& [name, entry] : r.coordinator.ids())
          if (version != tv2 && entry.pending && (entry.pending->step == TxnStep::time_out || entry.pending->step == TxnStep::fence)) bumped[name] = entry.now.epoch;
        break;
      case 9:
        r.move(*rc::gen::arbitrary<bool>());
        bumped.clear();
        break;
    }
    // A new producer fences at once, too.
    for (const auto& [name, entry] : r.coordinator.ids())
      if (version != tv2 && entry.pending && entry.pending->step == TxnStep::fence) bumped[name] = entry.now.epoch;
    look_at_markers();
    look_at_answers();
  }

  // Each id went from state to state as it may, and no transaction has two ends.
  std::map<std::string, TransactionRecord> last;
  for (const GroupRecord& g : r.log) {
    const auto& now = std::get<TransactionRecord>(g.value);
    const auto before = last.find(g.group);
    const TxnState was = before == last.end() ? TxnState::empty : before->second.state;
    switch (now.state) {
      case TxnState::empty:
      case TxnState::ongoing: RC_ASSERT(was != TxnState::prepare_commit && was != TxnState::prepare_abort); break;
      case TxnState::prepare_commit: RC_ASSERT(was == TxnState::ongoing); break;
      case TxnState::prepare_abort: RC_ASSERT(was != TxnState::prepare_commit && was != TxnState::prepare_abort); break;
      case TxnState::complete_commit: RC_ASSERT(was == TxnState::prepare_commit); break;
      case TxnState::complete_abort: RC_ASSERT(was == TxnState::prepare_abort); break;
    }
    // Epochs of one producer id never go back, and an id that was left never comes again.
    if (before != last.end()) RC_ASSERT(now.id > before->second.id || (now.id == before->second.id && now.epoch >= before->second.epoch));
    last[g.group] = now;
  }
  // Whoever reads the log knows what this one does, but for what is under way.
  TxnCoordinator next(r.cluster, 99);
  for (const GroupRecord& g : r.log) next.replay(g);
  for (const auto& [id, entry] : next.ids())
    if (!bumped.contains(id)) RC_ASSERT(r.coordinator.ids().at(id).now == entry.now);
}

}  // namespace
}  // namespace mqlab::kafka::testing
