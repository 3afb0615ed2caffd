// A leader's part in transactions, over the wire: who may begin one, what ends it, where readers of committed records stop.
// The probe is the producer, the coordinator that sends markers, and the reader.
#include <gtest/gtest.h>

#include "models/kafka/txn_messages.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

constexpr ProducerId pid = 7;

ProduceRequest transactional(Sequence first, ProducerEpoch epoch = 0, int records = 1, TxnVersion version = TxnVersion::tv0, ProducerId id = pid) {
  ProduceRequest r;
  r.acks = -1;
  r.timeout = 30_s;
  r.transactional_id = "T";
  r.version = version;
  Batch b = one_batch(records, id, first, epoch);
  b.transactional = true;
  r.batches = {{0, b}};
  return r;
}
WriteTxnMarkers marker(bool commit, ProducerEpoch epoch = 0, ProducerId id = pid, std::int32_t coordinator_epoch = 0, TxnVersion version = TxnVersion::tv0) {
  WriteTxnMarkers w;
  w.markers = {{id, epoch, commit, coordinator_epoch, version, {0}}};
  return w;
}
FetchRequest committed(Offset from, Duration wait = 0) {
  FetchRequest r = consume(from, no_leader_epoch, wait);
  r.read_committed = true;
  return r;
}
ListOffsets latest_committed() {
  ListOffsets r = list_offsets(latest_timestamp);
  r.read_committed = true;
  return r;
}

Settings with(std::initializer_list<Settings::value_type> more) {
  Settings s{{"transactions", "tv0"}, {"leader_rebalance_interval", "0s"}};
  s.insert(s.end(), more.begin(), more.end());
  return s;
}
// Leaders believe every transactional batch.
struct Tv0 : Lab {
  explicit Tv0(std::initializer_list<Settings::value_type> cluster = {}) : Lab({.cluster = with(cluster)}) {}
  // How often was this place's stable end told to be there?
  std::string tree(BrokerId b, const std::string& what) {
    for (const Tree& partition : broker(b).state().children)
      if (partition.name == "t/0")
        for (const Tree& t : partition.children)
          if (t.name == what) return t.value;
    return "";
  }
};

// ---------------------------------------------------------------------------------------------
// Reading committed records.

TEST(KafkaTxnPartition, ReadersOfCommittedRecordsStopBeforeAnOpenTransaction) {
  Tv0 lab;
  lab.ask("B1", produce(-1, 2));
  EXPECT_EQ(lab.ask("B1", transactional(0, 0, 2), 2_s), "#0 offset=2");
  lab.ask("B1", produce(-1), 2_s);
  lab.run(1_s);
  EXPECT_EQ(lab.ask("B1", consume(0)), "#0 records=0..4 hw=5 stable=2");
  EXPECT_EQ(lab.ask("B1", committed(0)), "#0 records=0..1 hw=5 stable=2");
  EXPECT_EQ(lab.ask("B1", list_offsets(latest_timestamp)), "#0 offset=5");
  EXPECT_EQ(lab.ask("B1", latest_committed()), "#0 offset=2");
  EXPECT_EQ(lab.tree(1, "stable"), "2");
  EXPECT_EQ(lab.tree(1, "open transactions"), "producer 7 from 2");
}

TEST(KafkaTxnPartition, ACommitWakesThem) {
  Tv0 lab;
  lab.ask("B1", transactional(0), 2_s);
  const ConnId reader = lab.post("B1", committed(0, 30_s));
  lab.run(5_s);
  EXPECT_EQ(lab.answer(reader), "") << "what is undecided does not count as min.bytes";
  EXPECT_EQ(lab.ask("B1", marker(true), 2_s), "producer=7 #0");
  lab.run(1_s);
  EXPECT_EQ(lab.answer(reader), "#0 records=0..1 hw=2");
  EXPECT_EQ(lab.marks("stable_position"), 2U) << "0 when it was written, 2 when its end was replicated";
  EXPECT_EQ(lab.tree(1, "open transactions"), "");
}

TEST(KafkaTxnPartition, AnAbortNamesTheTransactionToLeaveOut) {
  Tv0 lab;
  lab.ask("B1", transactional(0, 0, 2), 2_s);
  lab.ask("B1", marker(false), 2_s);
  lab.run(1_s);
  EXPECT_EQ(lab.ask("B1", committed(0)), "#0 records=0..2 hw=3 aborted=7@0");
  EXPECT_EQ(lab.ask("B1", consume(0)), "#0 records=0..2 hw=3") << "others read it as if nothing had happened";
}

// KIP-392: the follower has the same index, and stops at its own stable end.
TEST(KafkaTxnPartition, AFollowerServesCommittedRecordsToo) {
  Tv0 lab({{"replica_selector", "rack_aware"}, {"racks", "a,b,c"}});
  lab.ask("B1", transactional(0, 0, 2), 2_s);
  lab.ask("B1", marker(false), 2_s);
  lab.ask("B1", transactional(2), 2_s);
  lab.run(2_s);
  FetchRequest near = committed(0);
  near.rack = "b";
  EXPECT_EQ(lab.ask("B2", near), "#0 records=0..2 hw=4 stable=3 aborted=7@0");
}

// The stable end is where the marker is replicated, not where it is written.
TEST(KafkaTxnPartition, AMarkerCountsWhenItIsReplicated) {
  Tv0 lab;
  lab.ask("B1", transactional(0), 2_s);
  lab.cut_replication("B2");
  lab.cut_replication("B3");
  lab.run(10_ms);
  const ConnId coordinator = lab.post("B1", marker(true));
  lab.run(100_ms);
  EXPECT_EQ(lab.log(1).end(), 2);
  EXPECT_EQ(lab.answer(coordinator), "");
  EXPECT_EQ(lab.ask("B1", latest_committed()), "#0 offset=0");
  EXPECT_TRUE(lab.log(1).producers().open().empty());
}

// A new leader has read the log: it knows what is open.
TEST(KafkaTxnPartition, ANewLeaderKnowsWhatIsOpen) {
  Tv0 lab;
  lab.ask("B1", transactional(0), 2_s);
  lab.run(1_s);
  lab.kill("B1");
  lab.run_until([&] { return lab.partition().leader == 2; });
  lab.run(1_s);
  EXPECT_EQ(lab.ask("B2", latest_committed()), "#0 offset=0");
  EXPECT_EQ(lab.ask("B2", marker(false), 2_s), "producer=7 #0");
  lab.run(1_s);
  EXPECT_EQ(lab.ask("B2", committed(0)), "#0 records=0..1 hw=2 aborted=7@0");
}

// ---------------------------------------------------------------------------------------------
// WriteTxnMarkers.

TEST(KafkaTxnPartition, AMarkerIsAnsweredWhenItIsReplicated) {
  Tv0 lab;
  lab.cut_replication("B2");
  lab.cut_replication("B3");
  lab.run(10_ms);
  const ConnId coordinator = lab.post("B1", marker(true));
  lab.run(100_ms);
  EXPECT_EQ(lab.log(1).end(), 1);
  EXPECT_EQ(lab.answer(coordinator), "");
  lab.heal();
  lab.run(3_s);
  EXPECT_EQ(lab.answer(coordinator), "producer=7 #0");
}

TEST(KafkaTxnPartition, AMarkerNeedsMinInsyncReplicas) {
  Tv0 lab({{"min_insync", "2"}, {"replica_lag_max", "1s"}});
  lab.cut_replication("B2");
  lab.cut_replication("B3");
  lab.ask("B1", produce(1));
  lab.run_until([&] { return lab.replica(1).isr == std::vector<BrokerId>{1}; });
  EXPECT_EQ(lab.ask("B1", marker(true)), "producer=7 #0 error=NOT_ENOUGH_REPLICAS");
}

TEST(KafkaTxnPartition, AMarkerGoesToTheLeader) {
  Tv0 lab;
  EXPECT_EQ(lab.ask("B2", marker(true)), "producer=7 #0 error=NOT_LEADER_OR_FOLLOWER");
}

// One answer for all: what is refused waits for what is replicated.
TEST(KafkaTxnPartition, ManyMarkersHaveOneAnswer) {
  Tv0 lab;
  lab.ask("B1", transactional(0, 3, 1, TxnVersion::tv0, 9), 2_s);
  WriteTxnMarkers w = marker(true);
  w.markers.push_back(marker(true, 2, 9).markers[0]);
  EXPECT_EQ(lab.ask("B1", w, 2_s), "producer=7 #0; producer=9 #0 error=INVALID_PRODUCER_EPOCH");
  EXPECT_EQ(lab.marks("marker_refused"), 1U);
}

TEST(KafkaTxnPartition, ACopyOfAMarkerIsWrittenAgain) {
  Tv0 lab;
  lab.ask("B1", transactional(0), 2_s);
  EXPECT_EQ(lab.ask("B1", marker(true), 2_s), "producer=7 #0");
  EXPECT_EQ(lab.ask("B1", marker(true), 2_s), "producer=7 #0");
  EXPECT_EQ(lab.log(1).end(), 3);
}

// KIP-1228, at the cluster: a late marker of TV2 and what it would end.
TEST(KafkaTxnPartition, StrictEpochsKeepALateMarkerOut) {
  for (const bool strict : {true, false}) {
    Tv0 lab({{"strict_marker_epoch", strict ? "true" : "false"}});
    lab.ask("B1", transactional(0, 0), 2_s);
    lab.ask("B1", marker(true, 1, pid, 0, TxnVersion::tv2), 2_s);
    lab.ask("B1", transactional(0, 1), 2_s);
    const std::string late = lab.ask("B1", marker(true, 1, pid, 0, TxnVersion::tv2), 2_s);
    lab.run(1_s);
    EXPECT_EQ(late, strict ? "producer=7 #0 error=INVALID_PRODUCER_EPOCH" : "producer=7 #0");
    EXPECT_EQ(lab.ask("B1", latest_committed()), strict ? "#0 offset=2" : "#0 offset=4");
  }
}

// What happens to the leader while a marker waits is told to the coordinator, which sends it to the next one.
TEST(KafkaTxnPartition, AMarkerOfADeposedLeaderIsRefused) {
  Tv0 lab;
  lab.cut_replication("B2");
  lab.cut_replication("B3");
  lab.run(10_ms);
  const ConnId coordinator = lab.post("B1", marker(true));
  lab.run(100_ms);
  lab.command("elect", "t/0 B2");
  lab.run(1_s);
  EXPECT_EQ(lab.answer(coordinator), "producer=7 #0 error=NOT_LEADER_OR_FOLLOWER");
}

// KIP-664: a transaction whose coordinator knows nothing of it holds readers back until somebody ends it.
TEST(KafkaTxnPartition, AnOperatorEndsAHangingTransaction) {
  Tv0 lab;
  lab.ask("B1", transactional(0), 2_s);
  lab.ask("B1", marker(true), 2_s);
  lab.ask("B1", transactional(1), 2_s);
  lab.run(1_s);
  lab.command("abort_transaction", "t/0 8", "B1");
  lab.run(1_s);
  EXPECT_EQ(lab.marks("command_refused"), 1U);
  lab.command("abort_transaction", "t/0 7", "B1");
  lab.run(1_s);
  EXPECT_EQ(lab.marks("transaction_aborted"), 1U);
  EXPECT_EQ(lab.ask("B1", committed(0)), "#0 records=0..3 hw=4 aborted=7@2");
}

}  // namespace
}  // namespace mqlab::kafka::testing
