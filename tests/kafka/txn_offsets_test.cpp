// Positions that transactions commit, over the wire: what the coordinator of a group writes, what a marker in its
// partition does, who is told. The probe is the producer, the transaction coordinator and the consumer. The rules without
// a world: group_positions_test.cpp.
#include <gtest/gtest.h>

#include "models/kafka/txn_messages.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

constexpr ProducerId pid = 7;

Settings with(std::initializer_list<Settings::value_type> more) {
  Settings s{{"offsets_partitions", "1"}, {"transactions", "tv0"}, {"leader_rebalance_interval", "0s"}};
  s.insert(s.end(), more.begin(), more.end());
  return s;
}

// The group g, of which nobody is a member; leaders believe every transactional batch.
struct OffsetsLab : Lab {
  explicit OffsetsLab(std::initializer_list<Settings::value_type> cluster = {}) : Lab({.cluster = with(cluster), .consumer = {{"group", "g"}}}) {}

  PartitionId home() { return *broker(1).cluster()->internal_partition(offsets_topic, "g"); }
  std::string leader() { return fmt::format("B{}", partition(home()).leader); }
  std::string follower_of_home(int nth) {
    for (const BrokerId b : broker(1).cluster()->partitions[home()].assignment)
      if (b != partition(home()).leader && --nth == 0) return fmt::format("B{}", b);
    return "";
  }

  std::string commit_in(Offset offset, ProducerEpoch epoch = 0, bool adds = false) { return say(ask(leader(), in_transaction(offset, epoch, adds), 2_s)); }
  static TxnOffsetCommit in_transaction(Offset offset, ProducerEpoch epoch = 0, bool adds = false) {
    TxnOffsetCommit m;
    m.from = {"T", pid, epoch};
    m.group = "g";
    m.adds_group = adds;
    m.offsets = {{0, offset, no_leader_epoch, {}}};
    return m;
  }
  std::string commit(Offset offset) {
    OffsetCommit m;
    m.group = "g";
    m.offsets = {{0, offset, no_leader_epoch, {}}};
    return say(ask(leader(), std::move(m), 2_s));
  }
  static OffsetFetch where(bool require_stable = true) {
    OffsetFetch m;
    m.group = "g";
    m.require_stable = require_stable;
    m.partitions = {0};
    return m;
  }
  std::string fetch(bool require_stable = true) { return ask(leader(), where(require_stable), 2_s); }
  WriteTxnMarkers marker(bool commit, ProducerEpoch epoch = 0) {
    WriteTxnMarkers w;
    w.markers = {{pid, epoch, commit, 0, TxnVersion::tv0, {home()}}};
    return w;
  }
  std::string end(bool commit, ProducerEpoch epoch = 0) { return ask(leader(), marker(commit, epoch), 2_s); }
  std::string shown() {
    std::string out;
    for (const Tree& seat : world.node_as<Broker>(world.find(leader())).state().children)
      for (const Tree& t : seat.children)
        if (t.value == "committed" || t.value.rfind("pending", 0) == 0)
          for (const Tree& p : t.children) out += fmt::format("{}{} {} -> {}", out.empty() ? "" : "; ", t.value, p.name, p.value);
    return out;
  }
  // "" is the answer without an error.
  static std::string say(const std::string& answer) { return answer.empty() ? "ok" : answer; }
};

TEST(KafkaTxnOffsetsWire, PositionCountsWhenItsMarkerIsReplicated) {
  OffsetsLab lab;
  lab.commit(3);
  lab.commit_in(10);
  EXPECT_EQ(lab.shown(), "committed t/0 -> 3; pending, producer 7 t/0 -> 10");
  EXPECT_EQ(lab.fetch(), "error=UNSTABLE_OFFSET_COMMIT");
  EXPECT_EQ(lab.fetch(false), "#0=3");
  EXPECT_EQ(lab.end(true), fmt::format("producer=7 #{}", lab.home()));
  EXPECT_EQ(lab.fetch(), "#0=10");
  EXPECT_EQ(lab.shown(), "committed t/0 -> 10");
}

TEST(KafkaTxnOffsetsWire, AbortDropsIt) {
  OffsetsLab lab;
  lab.commit(3);
  lab.commit_in(10);
  lab.commit_in(11);
  lab.end(false);
  EXPECT_EQ(lab.fetch(), "#0=3");
  EXPECT_EQ(lab.marks("position_dropped"), 1U);
}

// The records are the coordinator's own: of the producer's transaction, and without a sequence.
TEST(KafkaTxnOffsetsWire, RecordsOpenATransactionInThePartitionOfTheGroup) {
  OffsetsLab lab;
  lab.commit_in(10);
  const PartitionLog& log = lab.world.node_as<Broker>(lab.world.find(lab.leader())).log(lab.home());
  const Batch& last = log.batches().back();
  EXPECT_TRUE(last.transactional);
  EXPECT_EQ(last.producer_id, pid);
  EXPECT_EQ(last.base_sequence, no_sequence);
  ASSERT_EQ(log.producers().open().size(), 1U);
  lab.end(true);
  EXPECT_TRUE(log.producers().open().empty());
}

// The state has changed with the marker, so who requires a stable position waits for it; others are told the old one.
TEST(KafkaTxnOffsetsWire, AnswersWaitForTheMarker) {
  OffsetsLab lab;
  lab.commit(3);
  lab.commit_in(10);
  lab.cut_replication(lab.follower_of_home(1));
  lab.cut_replication(lab.follower_of_home(2));
  lab.run(10_ms);
  const ConnId marker = lab.post(lab.leader(), lab.marker(true));
  lab.run(5_ms);
  const ConnId stable = lab.post(lab.leader(), OffsetsLab::where());
  EXPECT_EQ(lab.fetch(false), "#0=3");
  lab.run(200_ms);
  EXPECT_EQ(lab.answer(marker) + lab.answer(stable), "");
  lab.heal();
  lab.run_until([&] { return !lab.answer(stable).empty(); });
  EXPECT_EQ(lab.answer(stable), "#0=10");
  EXPECT_EQ(lab.fetch(false), "#0=10");
}

// The next coordinator finds the open transaction in its log, and the marker goes to it.
TEST(KafkaTxnOffsetsWire, NextCoordinatorKnowsWhatIsOpen) {
  for (const bool commits : {true, false}) {
    OffsetsLab lab;
    lab.commit(3);
    lab.commit_in(10);
    lab.run(1_s);
    const std::string old = lab.leader();
    lab.kill(old);
    lab.run_until([&] { return lab.leader() != "B-1" && lab.leader() != old; });
    lab.run_until([&] { return lab.fetch().find("NOT_COORDINATOR") == std::string::npos && lab.fetch().find("LOAD") == std::string::npos; });
    EXPECT_EQ(lab.fetch(), "error=UNSTABLE_OFFSET_COMMIT");
    lab.end(commits);
    EXPECT_EQ(lab.fetch(), commits ? "#0=10" : "#0=3");
    EXPECT_EQ(lab.shown(), commits ? "committed t/0 -> 10" : "committed t/0 -> 3");
  }
}

// ... and one that reads its log after the marker knows the outcome.
TEST(KafkaTxnOffsetsWire, NextCoordinatorReadsTheMarker) {
  for (const bool commits : {true, false}) {
    OffsetsLab lab;
    lab.commit(3);
    lab.commit_in(10);
    lab.end(commits);
    lab.run(1_s);
    const std::string old = lab.leader();
    lab.kill(old);
    lab.run_until([&] { return lab.leader() != "B-1" && lab.leader() != old; });
    lab.run_until([&] { return lab.fetch().rfind("#0=", 0) == 0; });
    EXPECT_EQ(lab.fetch(), commits ? "#0=10" : "#0=3");
  }
}

// A marker of a higher epoch has fenced the producer: the log takes nothing of it, and the coordinator knows of nothing.
TEST(KafkaTxnOffsetsWire, FencedProducerCommitsNothing) {
  OffsetsLab lab;
  lab.commit(3);
  lab.commit_in(10);
  lab.end(false, 1);
  EXPECT_EQ(lab.commit_in(11), "error=INVALID_PRODUCER_EPOCH");
  EXPECT_EQ(lab.fetch(), "#0=3");
  EXPECT_EQ(lab.commit_in(12, 1), "ok");
}

// KIP-890: the leader asks the coordinator of the transaction, here nobody, before it opens one.
TEST(KafkaTxnOffsetsWire, TransactionIsLookedUpFirst) {
  for (const char* version : {"tv1", "tv2"}) {
    OffsetsLab lab({{"transactions", version}});
    EXPECT_EQ(lab.commit_in(10, 0, version == std::string("tv2")), "error=COORDINATOR_NOT_AVAILABLE");
    EXPECT_EQ(lab.fetch(), "#0=-1");
    EXPECT_EQ(lab.commit(4), "ok");
  }
}

}  // namespace
}  // namespace mqlab::kafka::testing
