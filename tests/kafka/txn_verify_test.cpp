// KIP-890 over the wire: a transaction begins in a partition with its coordinator's knowledge, or not at all.
// The probe is the producer; coordinator and leader are real, and on different brokers.
#include <gtest/gtest.h>

#include "models/kafka/txn_coordinator.h"
#include "models/kafka/txn_messages.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

struct Verified : Lab {
  ProducerId pid = no_producer_id;
  ProducerEpoch epoch = 0;

  explicit Verified(const std::string& version, std::initializer_list<Settings::value_type> cluster = {}) : Lab(setup(version, cluster)) {
    if (leader() == 1) command("elect", place() + " B2");
    run_until([&] { return leader() != 1 && coordinator() != nullptr; });
    run(2_s);
    begin();
  }
  static Setup setup(const std::string& version, Settings cluster) {
    for (const auto& more : Settings{{"transactions", version}, {"transaction_partitions", "1"}, {"leader_rebalance_interval", "0s"}}) cluster.push_back(more);
    return {.cluster = std::move(cluster), .producer = {{"transactional_id", "unused"}}};
  }
  PartitionId state() { return *broker(1).cluster()->internal_partition(transaction_topic, "T"); }
  std::string place() { return broker(1).cluster()->partitions[state()].place; }
  BrokerId leader() { return partition(state()).leader; }
  std::string home() { return fmt::format("B{}", leader()); }
  const TxnCoordinator* coordinator() { return leader() == no_broker ? nullptr : broker(leader()).transactions(state()); }
  const TransactionRecord& now() { return coordinator()->ids().at("T").now; }

  // A session of T: a new epoch.
  void begin() {
    InitProducerId m;
    m.transactional_id = "T";
    m.timeout = 60_s;
    for (int i = 0; i < 50; ++i) {
      if (ask(home(), m, 1_s).find("error") == std::string::npos) break;
      run(20_ms);
    }
    pid = now().id;
    epoch = now().epoch;
  }
  std::string add() {
    AddPartitionsToTxn m;
    m.from = {"T", pid, epoch};
    m.partitions = {0};
    return ask(home(), m, 1_s);
  }
  EndTxn end(bool commit, TxnVersion version) {
    EndTxn m;
    m.from = {"T", pid, epoch};
    m.commit = commit;
    m.version = version;
    return m;
  }
  ProduceRequest batch(Sequence first, TxnVersion version) {
    ProduceRequest r;
    r.acks = -1;
    r.timeout = 30_s;
    r.transactional_id = "T";
    r.version = version;
    Batch b = one_batch(1, pid, first, epoch);
    b.transactional = true;
    r.batches = {{0, b}};
    return r;
  }
  std::string send(Sequence first, TxnVersion version) { return ask("B1", batch(first, version), 5_s); }
  std::string latest_committed() {
    ListOffsets r = list_offsets(latest_timestamp);
    r.read_committed = true;
    return ask("B1", r);
  }
  void hold(const std::string& message) {
    Fault f;
    f.kind = FaultKind::hold;
    f.message = message;
    world.inject(f);
  }
  void release() { fault(FaultKind::release, {}); }
};

// ---------------------------------------------------------------------------------------------
// TV1: the leader asks whether the partition is in the transaction.

TEST(KafkaTxnVerify, WhatWasAddedMayBeWritten) {
  Verified lab("tv1");
  EXPECT_EQ(lab.add(), "");
  EXPECT_EQ(lab.send(0, TxnVersion::tv1), "#0 offset=0");
  EXPECT_EQ(lab.send(1, TxnVersion::tv1), "#0 offset=1");
  EXPECT_EQ(lab.marks("transaction_not_verified"), 0U);
}

// Clients before 3.8 do not know TRANSACTION_ABORTABLE.
TEST(KafkaTxnVerify, WhatWasNotAddedIsRefused) {
  Verified lab("tv1");
  EXPECT_EQ(lab.send(0, TxnVersion::tv1), "#0  error=TRANSACTION_ABORTABLE");
  EXPECT_EQ(lab.send(0, TxnVersion::tv0), "#0  error=INVALID_TXN_STATE");
  EXPECT_EQ(lab.log(1).end(), 0);
}

// The first batch asks, and what follows it does not: the transaction is open here.
TEST(KafkaTxnVerify, OnlyTheFirstBatchAsks) {
  Verified lab("tv1");
  lab.add();
  lab.send(0, TxnVersion::tv1);
  lab.kill(lab.home());
  EXPECT_EQ(lab.ask("B1", lab.batch(1, TxnVersion::tv1), 30_s), "#0 offset=1");
}

// PRODUCER_FENCED is for who speaks to a coordinator; who produces knows INVALID_PRODUCER_EPOCH (AddPartitionsToTxnManager).
TEST(KafkaTxnVerify, AnOlderSessionIsFenced) {
  Verified lab("tv1");
  const ProduceRequest late = lab.batch(0, TxnVersion::tv1);
  lab.begin();
  EXPECT_EQ(lab.ask("B1", late, 1_s), "#0  error=INVALID_PRODUCER_EPOCH");
}

// T03: a batch that was under way while its transaction was aborted opens one that nobody ends, unless it is verified.
TEST(KafkaTxnVerify, ALateBatchDoesNotHangAPartition) {
  for (const std::string version : {"tv0", "tv1"}) {
    Verified lab(version);
    lab.add();
    EXPECT_EQ(lab.ask(lab.home(), lab.end(false, TxnVersion::tv1), 1_s), "");
    lab.run(1_s);
    ASSERT_EQ(lab.now().state, TxnState::complete_abort);
    const std::string late = lab.send(0, TxnVersion::tv1);
    EXPECT_EQ(late, version == "tv0" ? "#0 offset=1" : "#0  error=TRANSACTION_ABORTABLE");
    lab.run(100_s);
    EXPECT_EQ(lab.log(1).producers().open().size(), version == "tv0" ? 1U : 0U) << "the coordinator does not know of it";
  }
}

// The guard: yes was said of a transaction that has ended since. VerificationGuard, and its test with the same name.
TEST(KafkaTxnVerify, AnAnswerFromBeforeTheMarkerDoesNotCount) {
  Verified lab("tv1");
  lab.add();
  lab.hold("AddPartitionsToTxnReply");
  const ConnId waits = lab.post("B1", lab.batch(0, TxnVersion::tv1));
  lab.run(100_ms);
  EXPECT_EQ(lab.answer(waits), "");
  lab.ask(lab.home(), lab.end(false, TxnVersion::tv1), 1_s);
  lab.run(1_s);
  ASSERT_EQ(lab.now().state, TxnState::complete_abort);
  lab.release();
  lab.run(1_s);
  EXPECT_EQ(lab.answer(waits), "#0  error=INVALID_TXN_STATE");
  EXPECT_EQ(lab.log(1).end(), 1) << "the marker alone";
}

// It is the same even if the next transaction has begun, and has the partition: the answer was of the one before.
TEST(KafkaTxnVerify, NotEvenForTheNextTransaction) {
  Verified lab("tv1");
  lab.add();
  lab.hold("AddPartitionsToTxnReply");
  const ConnId waits = lab.post("B1", lab.batch(0, TxnVersion::tv1));
  lab.run(100_ms);
  lab.ask(lab.home(), lab.end(false, TxnVersion::tv1), 1_s);
  lab.run(1_s);
  lab.add();
  lab.release();
  lab.run(1_s);
  EXPECT_EQ(lab.answer(waits), "#0  error=INVALID_TXN_STATE");
}

// T04: TV1 cannot tell a late batch from one of the next transaction of the same epoch. TV2 can.
TEST(KafkaTxnVerify, ALateBatchJoinsTheNextTransactionOfItsEpoch) {
  Verified lab("tv1");
  lab.add();
  const ProduceRequest late = lab.batch(0, TxnVersion::tv1);
  lab.ask(lab.home(), lab.end(false, TxnVersion::tv1), 1_s);
  lab.run(1_s);
  lab.add();
  EXPECT_EQ(lab.ask("B1", late, 1_s), "#0 offset=1");

  Verified newer("tv2");
  EXPECT_EQ(newer.send(0, TxnVersion::tv2), "#0 offset=0");
  const ProduceRequest later = newer.batch(1, TxnVersion::tv2);
  newer.ask(newer.home(), newer.end(false, TxnVersion::tv2), 1_s);
  newer.run(1_s);
  EXPECT_EQ(newer.ask("B1", later, 1_s), "#0  error=INVALID_PRODUCER_EPOCH");
}

// What an old producer would not retry is told as what it does retry.
TEST(KafkaTxnVerify, ASilentCoordinatorIsToldAsTooFewReplicas) {
  Verified lab("tv1", {{"request_timeout", "2s"}});
  lab.add();
  lab.hold("AddPartitionsToTxn");
  const ConnId waits = lab.post("B1", lab.batch(0, TxnVersion::tv1));
  lab.run(1_s);
  EXPECT_EQ(lab.answer(waits), "");
  lab.run(2_s);
  EXPECT_EQ(lab.answer(waits), "#0  error=NOT_ENOUGH_REPLICAS");
}

// KAFKA-14904: the first batch is to be sent again; until then the second one must wait as well.
TEST(KafkaTxnVerify, TheSecondBatchDoesNotOvertakeTheFirst) {
  Verified lab("tv1", {{"request_timeout", "2s"}});
  lab.add();
  lab.hold("AddPartitionsToTxn");
  EXPECT_EQ(lab.send(0, TxnVersion::tv1), "#0  error=NOT_ENOUGH_REPLICAS");
  EXPECT_EQ(lab.send(1, TxnVersion::tv1), "#0  error=OUT_OF_ORDER_SEQUENCE_NUMBER");
  EXPECT_EQ(lab.send(0, TxnVersion::tv1), "#0 offset=0");
  EXPECT_EQ(lab.send(1, TxnVersion::tv1), "#0 offset=1");
}

// SocketServer: what else has come on the connection is not read before the produce is answered.
TEST(KafkaTxnVerify, TheConnectionWaitsMeanwhile) {
  Verified lab("tv1");
  lab.add();
  lab.hold("AddPartitionsToTxnReply");
  const ConnId c = lab.post("B1", lab.batch(0, TxnVersion::tv1));
  lab.post("B1", list_offsets(latest_timestamp), c);
  lab.run(1_s);
  EXPECT_EQ(lab.answer(c), "");
  lab.release();
  lab.run(1_s);
  EXPECT_EQ(lab.answer(c, 0), "#0 offset=0");
  EXPECT_EQ(lab.answer(c, 1), "#0 offset=1");
}

// A client that has gone does not take its request with it.
TEST(KafkaTxnVerify, ARequestOutlivesItsConnection) {
  Verified lab("tv1");
  lab.add();
  lab.hold("AddPartitionsToTxnReply");
  const ConnId c = lab.post("B1", lab.batch(0, TxnVersion::tv1));
  lab.run(100_ms);
  Context x(lab.world, lab.world.find("X"));
  x.close(c);
  lab.run(100_ms);
  lab.release();
  lab.run(1_s);
  EXPECT_EQ(lab.log(1).end(), 1);
}

// ---------------------------------------------------------------------------------------------
// TV2: the leader adds the partition.

TEST(KafkaTxnVerify, TheLeaderAddsItsPartition) {
  Verified lab("tv2");
  EXPECT_EQ(lab.send(0, TxnVersion::tv2), "#0 offset=0");
  EXPECT_EQ(lab.now().state, TxnState::ongoing);
  EXPECT_EQ(lab.now().partitions, std::vector<PartitionId>{0});
}

TEST(KafkaTxnVerify, EachTransactionHasItsEpochAndBeginsAtZero) {
  Verified lab("tv2");
  lab.send(0, TxnVersion::tv2);
  lab.ask(lab.home(), lab.end(true, TxnVersion::tv2), 1_s);
  lab.run(1_s);
  lab.epoch += 1;
  EXPECT_EQ(lab.send(1, TxnVersion::tv2), "#0  error=OUT_OF_ORDER_SEQUENCE_NUMBER");
  EXPECT_EQ(lab.send(0, TxnVersion::tv2), "#0 offset=2");
  EXPECT_EQ(lab.latest_committed(), "#0 offset=2");
}

// The next transaction may begin while the markers of the one before are under way: the leader asks until it may.
TEST(KafkaTxnVerify, TheLeaderWaitsForTheTransactionBefore) {
  Verified lab("tv2");
  lab.send(0, TxnVersion::tv2);
  lab.hold("WriteTxnMarkers");
  lab.ask(lab.home(), lab.end(true, TxnVersion::tv2), 1_s);
  lab.epoch += 1;
  const ConnId soon = lab.post("B1", lab.batch(0, TxnVersion::tv2));
  lab.run(50_ms);
  EXPECT_EQ(lab.answer(soon), "");
  lab.release();
  lab.run(1_s);
  EXPECT_EQ(lab.answer(soon), "#0 offset=2");
}

// ... but not for longer than add.partitions.to.txn.retry.backoff.max.ms.
TEST(KafkaTxnVerify, NotForEver) {
  Verified lab("tv2");
  lab.send(0, TxnVersion::tv2);
  lab.hold("WriteTxnMarkers");
  lab.ask(lab.home(), lab.end(true, TxnVersion::tv2), 1_s);
  lab.epoch += 1;
  EXPECT_EQ(lab.send(0, TxnVersion::tv2), "#0  error=CONCURRENT_TRANSACTIONS");
  lab.release();
  lab.run(1_s);
  EXPECT_EQ(lab.send(0, TxnVersion::tv2), "#0 offset=2");
}

// At TV1 the same is told as too few replicas, at once.
TEST(KafkaTxnVerify, AtTv1TheProducerWaitsByItself) {
  Verified lab("tv1");
  lab.add();
  lab.send(0, TxnVersion::tv1);
  lab.hold("WriteTxnMarkers");
  lab.ask(lab.home(), lab.end(true, TxnVersion::tv1), 1_s);
  ProduceRequest next = lab.batch(1, TxnVersion::tv1);
  EXPECT_EQ(lab.ask("B1", next, 1_s), "#0 offset=1") << "here the transaction is open still, and takes a late batch";
  lab.release();
}

}  // namespace
}  // namespace mqlab::kafka::testing
