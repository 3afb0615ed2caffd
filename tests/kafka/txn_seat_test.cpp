// The transaction coordinator in its broker: where it is found, what it waits for, what becomes of it when the lead moves.
// Sources: TransactionStateManager, TransactionMarkerChannelManager, KafkaApis (4.x).
#include <gtest/gtest.h>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

InitProducerId init(const std::string& id) {
  InitProducerId m;
  m.transactional_id = id;
  m.timeout = 60_s;
  return m;
}
AddPartitionsToTxn add(const std::string& id, ProducerId producer, ProducerEpoch epoch, std::vector<PartitionId> partitions) {
  AddPartitionsToTxn m;
  m.from = {id, producer, epoch};
  m.partitions = std::move(partitions);
  return m;
}
EndTxn end(const std::string& id, ProducerId producer, ProducerEpoch epoch, bool commit) {
  EndTxn m;
  m.from = {id, producer, epoch};
  m.commit = commit;
  m.version = TxnVersion::tv2;
  return m;
}

// A cluster whose client has a transactional id, so that there is a __transaction_state with one partition.
struct Transactional : Lab {
  explicit Transactional(std::initializer_list<Settings::value_type> cluster = {}) : Lab(with_ids(cluster)) {
    run_until([&] { return coordinator() != nullptr; });
  }
  static Setup with_ids(Settings cluster) {
    cluster.emplace_back("transaction_partitions", "1");
    return {.cluster = std::move(cluster), .producer = {{"transactional_id", "unused"}}};
  }
  PartitionId state() { return *broker(1).cluster()->internal_partition(transaction_topic, "x"); }
  BrokerId leader() { return partition(state()).leader; }
  std::string leader_name() { return fmt::format("B{}", leader()); }
  const TxnCoordinator* coordinator() { return leader() == no_broker ? nullptr : broker(leader()).transactions(state()); }
  ProducerId pid(const std::string& id) { return coordinator()->ids().at(id).now.id; }
  TxnState state_of(const std::string& id) { return coordinator()->ids().at(id).now.state; }
  // Asks until there is a producer id: the first of a broker's block comes from the controller.
  std::string begin(const std::string& id) {
    std::string said;
    for (int i = 0; i < 20; ++i) {
      said = ask(leader_name(), init(id));
      if (said.find("COORDINATOR_LOAD_IN_PROGRESS") == std::string::npos) break;
      run(10_ms);
    }
    return said;
  }
};

TEST(KafkaTxnSeat, AnyBrokerTellsWhoCoordinatesAnId) {
  Transactional lab;
  FindCoordinator find;
  find.group = "x";
  find.transactional = true;
  for (const char* b : {"B1", "B2", "B3"}) EXPECT_NE(lab.ask(b, find).find(lab.leader_name()), std::string::npos) << lab.ask(b, find);
}

TEST(KafkaTxnSeat, AnotherBrokerIsNotTheCoordinator) {
  Transactional lab;
  for (BrokerId b = 1; b <= 3; ++b) {
    if (b == lab.leader()) continue;
    EXPECT_EQ(lab.ask(fmt::format("B{}", b), init("x")), "pid=-1 epoch=-1 error=NOT_COORDINATOR");
    EXPECT_EQ(lab.ask(fmt::format("B{}", b), end("x", 7, 0, true)), "error=NOT_COORDINATOR");
  }
}

// The producer ids come from the block of the coordinator's broker; while it has none, nobody waits for the controller.
TEST(KafkaTxnSeat, TheFirstProducerIsToldToComeAgain) {
  Transactional lab;
  EXPECT_EQ(lab.ask(lab.leader_name(), init("x")), "pid=-1 epoch=-1 error=COORDINATOR_LOAD_IN_PROGRESS");
  lab.begin("x");
  const ProducerId first = lab.pid("x");
  EXPECT_EQ(lab.begin("x"), fmt::format("pid={} epoch=1", first));
  EXPECT_EQ(lab.begin("y"), fmt::format("pid={} epoch=0", first + 1));
}

// acks=all on __transaction_state: no answer before every in-sync replica has the record.
TEST(KafkaTxnSeat, NothingIsToldBeforeAllInSyncReplicasHaveIt) {
  Transactional lab({{"replica_lag_max", "5s"}});
  lab.begin("x");
  for (BrokerId b = 1; b <= 3; ++b)
    if (b != lab.leader()) lab.cut_replication(fmt::format("B{}", b));
  lab.run(10_ms);
  EXPECT_EQ(lab.ask(lab.leader_name(), init("x"), 1_s), "");
  EXPECT_EQ(lab.ask(lab.leader_name(), init("x"), 1_s), "pid=-1 epoch=-1 error=CONCURRENT_TRANSACTIONS");
  lab.heal();
  lab.run(2_s);
  EXPECT_EQ(lab.begin("x"), fmt::format("pid={} epoch=2", lab.pid("x")));
}

// min.insync.replicas of __transaction_state is 2: alone, a coordinator decides nothing.
TEST(KafkaTxnSeat, WithoutEnoughReplicasNothingIsWritten) {
  Transactional lab({{"replica_lag_max", "1s"}});
  lab.begin("x");
  for (BrokerId b = 1; b <= 3; ++b)
    if (b != lab.leader()) lab.cut_replication(fmt::format("B{}", b));
  lab.ask(lab.leader_name(), init("x"));
  ASSERT_TRUE(lab.run_until([&] { return lab.partition(lab.state()).isr.size() == 1; }));
  lab.run(10_ms);
  const Offset before = lab.log(lab.leader(), lab.state()).end();
  EXPECT_EQ(lab.ask(lab.leader_name(), init("y")), "pid=-1 epoch=-1 error=COORDINATOR_NOT_AVAILABLE");
  EXPECT_EQ(lab.log(lab.leader(), lab.state()).end(), before);
}

// TransactionStateManager.appendTransactionToLog: the transaction's timeout is how long its states wait for replicas.
TEST(KafkaTxnSeat, WhatIsNotReplicatedInTimeIsGivenUp) {
  Transactional lab({{"replica_lag_max", "600s"}});
  lab.begin("x");
  for (BrokerId b = 1; b <= 3; ++b)
    if (b != lab.leader()) lab.cut_replication(fmt::format("B{}", b));
  lab.run(10_ms);
  EXPECT_EQ(lab.ask(lab.leader_name(), init("x"), 59_s), "");
  lab.run(2_s);
  EXPECT_EQ(lab.coordinator()->ids().at("x").pending.has_value(), false);
}

TEST(KafkaTxnSeat, TheNextCoordinatorGoesOnFromTheLog) {
  Transactional lab;
  lab.begin("x");
  lab.begin("y");
  EXPECT_EQ(lab.ask(lab.leader_name(), add("y", lab.pid("y"), 0, {0})), "");
  lab.run(100_ms);
  const BrokerId first = lab.leader();
  const ConnId waits = lab.post(lab.leader_name(), init("x"));
  lab.run(1_ms);
  lab.kill(fmt::format("B{}", first));
  ASSERT_TRUE(lab.run_until([&] { return lab.leader() != first && lab.leader() != no_broker && lab.coordinator(); }));
  EXPECT_EQ(lab.answer(waits), "closed");
  EXPECT_EQ(lab.coordinator()->epoch(), lab.partition(lab.state()).leader_epoch);
  EXPECT_EQ(lab.state_of("y"), TxnState::ongoing);
  EXPECT_GE(lab.coordinator()->ids().at("x").now.epoch, 0);
  EXPECT_EQ(lab.ask(lab.leader_name(), add("y", lab.pid("y"), 7, {1})), "error=PRODUCER_FENCED");
}

TEST(KafkaTxnSeat, WhileItReadsItsLogACoordinatorSaysSo) {
  Transactional lab({{"group_load_time", "3s"}});
  lab.begin("x");
  const BrokerId first = lab.leader();
  lab.kill(fmt::format("B{}", first));
  ASSERT_TRUE(lab.run_until([&] { return lab.leader() != first && lab.leader() != no_broker; }));
  lab.run(200_ms);
  EXPECT_EQ(lab.ask(lab.leader_name(), end("x", 7, 0, true)), "error=COORDINATOR_LOAD_IN_PROGRESS");
  lab.run(3_s);
  EXPECT_EQ(lab.ask(lab.leader_name(), end("x", lab.pid("x"), 0, true)), "error=INVALID_TXN_STATE");
}

// TV2: an abort that no partition knows of takes an epoch, and no marker.
TEST(KafkaTxnSeat, AnEmptyAbortIsCompleteAtOnce) {
  Transactional lab;
  lab.begin("x");
  EXPECT_EQ(lab.ask(lab.leader_name(), end("x", lab.pid("x"), 0, false)), fmt::format("producer={} epoch=1", lab.pid("x")));
  lab.run(100_ms);
  EXPECT_EQ(lab.state_of("x"), TxnState::complete_abort);
  EXPECT_GE(lab.marks("transaction_state"), 3U);
}

TEST(KafkaTxnSeat, AnOpenTransactionIsAbortedByTheClock) {
  Transactional lab({{"transaction_timeout_check", "1s"}});
  lab.begin("x");
  lab.ask(lab.leader_name(), add("x", lab.pid("x"), 0, {0}));
  lab.run(59_s);
  EXPECT_EQ(lab.state_of("x"), TxnState::ongoing);
  lab.run(3_s);
  EXPECT_NE(lab.state_of("x"), TxnState::ongoing);
  EXPECT_EQ(lab.marks("transaction_timed_out"), 1U);
}

TEST(KafkaTxnSeat, TheBrokerTellsOfItsTransactionalIds) {
  Transactional lab;
  lab.begin("x");
  lab.ask(lab.leader_name(), add("x", lab.pid("x"), 0, {0}));
  const Tree all = lab.broker(lab.leader()).state();
  const auto node = std::find_if(all.children.begin(), all.children.end(), [](const Tree& t) { return t.name == "transactions"; });
  ASSERT_NE(node, all.children.end());
  ASSERT_EQ(node->children.size(), 1U);
  EXPECT_EQ(node->children[0].name, "x");
  EXPECT_EQ(node->children[0].value, "Ongoing");
}

}  // namespace
}  // namespace mqlab::kafka::testing
