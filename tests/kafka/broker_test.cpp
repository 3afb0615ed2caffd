// A broker's life and its in-sync replicas, rule by rule: who leaves, who joins, what the controller's answers change;
// registration, shutdown, and what a restart finds.
#include <gtest/gtest.h>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

using Ids = std::vector<BrokerId>;

// --- the ISR: who leaves (Partition.getOutOfSyncReplicas) ---

TEST(KafkaIsr, FollowerThatHasAllStaysHoweverLongItIsSilent) {
  QuietFollowers lab({{"replica_lag_max", "1s"}});
  lab.run(10_s);
  EXPECT_EQ(lab.partition().isr, (Ids{1, 2, 3}));
}

TEST(KafkaIsr, FollowerThatLagsForTooLongLeaves) {
  QuietFollowers lab({{"replica_lag_max", "10s"}});
  lab.run(6_s);
  const Time caught_up = lab.world.now();
  lab.ask("B1", lab.fetch_as(3, 0));
  lab.append(1);
  lab.ask("B1", lab.fetch_as(2, 1));
  lab.run_until([&] { return lab.partition().isr != Ids{1, 2, 3}; });
  EXPECT_EQ(lab.partition().isr, (Ids{1, 2}));
  EXPECT_GT(lab.world.now() - caught_up, 10_s);
  EXPECT_LT(lab.world.now() - caught_up, 16_s) << "looked for every half of the limit";
}

// What counts is to have reached, at some fetch, the end that the leader had at the fetch before.
TEST(KafkaIsr, FollowerThatKeepsUpStaysThoughItIsNeverAtTheEnd) {
  QuietFollowers lab({{"replica_lag_max", "1s"}});
  for (int i = 0; i < 10; ++i) {
    const Offset before = lab.log(1).end();
    lab.append(1);
    lab.ask("B1", lab.fetch_as(2, before));
    lab.ask("B1", lab.fetch_as(3, 0));
    lab.run(500_ms);
  }
  EXPECT_EQ(lab.partition().isr, (Ids{1, 2})) << "B3 fetched as often, and never came further";
}

// --- the ISR: who joins (Partition.isFollowerInSync, isReplicaIsrEligible) ---

// KAFKA-7128: B2 leads from offset 2 on, while its high watermark is still 1. Who has only that much lacks a committed
// record and must not be electable.
TEST(KafkaIsr, FollowerJoinsNotBelowTheStartOfTheLeadersEpoch) {
  for (const char* rule : {"leader_epoch_start", "hw"}) {
    Lab lab({.cluster = {{"replica_lag_max", "1s"}, {"replica_fetch_wait", "10s"}, {"isr_join", rule}}});
    lab.cut_replication("B3");
    lab.ask("B1", produce(1));
    ASSERT_TRUE(lab.run_until([&] { return lab.partition().isr == Ids{1, 2}; }));
    lab.run(100_ms);
    lab.ask("B1", produce(1));
    lab.run(100_ms);
    ASSERT_EQ(lab.replica(1).high_watermark, 2);
    lab.cut_replication("B1");
    lab.command("elect", "t/0 B2");
    lab.run(200_ms);
    ASSERT_EQ(lab.led(), "B2@1 {1,2}");
    ASSERT_EQ(lab.replica(2).epoch_start, 2);
    ASSERT_EQ(lab.replica(2).high_watermark, 1);
    EXPECT_EQ(lab.marks("follower_at_lagging_mark"), 0u);
    lab.ask("B2", lab.fetch_as(3, 1, 0));
    EXPECT_EQ(lab.marks("follower_at_lagging_mark"), 1u) << "whatever the rule says of it";
    EXPECT_EQ(lab.replica(2).proposed, std::string(rule) == "hw" ? (Ids{1, 2, 3}) : Ids{});
    lab.ask("B2", lab.fetch_as(3, 2, 0));
    EXPECT_EQ(lab.replica(2).proposed, (Ids{1, 2, 3}));
  }
}

TEST(KafkaIsr, FollowerJoinsNotBelowTheHighWatermark) {
  QuietFollowers lab({{"replica_lag_max", "1s"}});
  lab.lose_both();
  lab.append(2);
  ASSERT_EQ(lab.high_watermark(), 3);
  lab.ask("B1", lab.fetch_as(3, 2));
  EXPECT_EQ(lab.replica(1).proposed, Ids{});
  lab.ask("B1", lab.fetch_as(3, 3));
  lab.run(100_ms);
  EXPECT_EQ(lab.partition().isr, (Ids{1, 3}));
}

TEST(KafkaIsr, FencedBrokerDoesNotJoin) {
  QuietFollowers lab;
  lab.kill("B3");
  lab.run(12_s);
  ASSERT_EQ(lab.led(), "B1@0 {1,2}");
  lab.ask("B1", lab.fetch_as(3, 0));
  EXPECT_EQ(lab.replica(1).proposed, Ids{});
}

// KIP-903: what a process fetched that the controller has replaced meanwhile says nothing about the present one.
TEST(KafkaIsr, FetchOfAnEarlierProcessDoesNotCount) {
  for (const char* rule : {"true", "false"}) {
    QuietFollowers lab({{"isr_broker_epoch", rule}});
    lab.append(1);
    const FetchRequest old = lab.fetch_as(3, 1);
    lab.kill("B3");
    lab.run(12_s);
    lab.restart("B3");
    ASSERT_TRUE(lab.run_until([&] { return lab.broker(3).unfenced(); }));
    ASSERT_GT(lab.epoch_of(3), old.replica_epoch);
    ASSERT_EQ(lab.partition().isr, (Ids{1, 2}));
    lab.ask("B1", old);
    EXPECT_EQ(lab.follower(1, 3).end, std::string(rule) == "true" ? 0 : 1);
    lab.run(200_ms);
    EXPECT_EQ(lab.partition().isr, std::string(rule) == "true" ? (Ids{1, 2}) : (Ids{1, 2, 3}));
    lab.ask("B1", lab.fetch_as(3, 1));
    lab.run(200_ms);
    EXPECT_EQ(lab.partition().isr, (Ids{1, 2, 3}));
  }
}

// ... nor that of a process of which this leader has not heard yet: it cannot say whether that one is in service.
TEST(KafkaIsr, FetchOfAProcessNotHeardOfDoesNotJoin) {
  QuietFollowers lab({{"replica_lag_max", "1s"}});
  lab.lose_both();
  lab.cut_control("B1");
  lab.kill("B3");
  lab.run(12_s);
  lab.restart("B3");
  ASSERT_TRUE(lab.run_until([&] { return lab.broker(3).unfenced(); }));
  ASSERT_GT(lab.epoch_of(3), lab.broker(1).image().broker(3).epoch);
  lab.ask("B1", lab.fetch_as(3, 1));
  EXPECT_EQ(lab.replica(1).proposed, Ids{});
}

// Partition.makeLeader: members of the ISR count as caught up when a leader begins; others have to show it first.
TEST(KafkaIsr, NewLeaderWaitsForMembersAndNotForOthers) {
  QuietFollowers lab({{"replica_lag_max", "2s"}});
  lab.append(2);
  ASSERT_TRUE(lab.run_until([&] {
    lab.ask("B1", lab.fetch_as(2, 2));
    return lab.partition().isr == Ids{1, 2};
  }));
  lab.command("elect", "t/0 B2");
  lab.run(200_ms);
  lab.command("elect", "t/0 B1");
  lab.run(200_ms);
  lab.append(1);
  lab.ask("B1", lab.fetch_as(3, 0));
  lab.ask("B1", lab.fetch_as(2, 3, 2));
  EXPECT_EQ(lab.high_watermark(), 3);
}

// --- the ISR: what the controller answers (Partition.submitAlterPartition) ---

struct Proposing : QuietFollowers {  // B1 asks for B2 in the ISR, and nobody hears it
  Proposing() : QuietFollowers({{"replica_lag_max", "1s"}}) {
    lose_both();
    cut_control("B1");
    ask("B1", fetch_as(2, log(1).end()));
    EXPECT_EQ(replica(1).proposed, (Ids{1, 2}));
  }
  void tell(Error error, std::int32_t partition_epoch, Ids isr = {}) {
    AlterPartitionReply r;
    r.error = error;
    r.leader_epoch = replica(1).epoch;
    r.partition_epoch = partition_epoch;
    r.isr = std::move(isr);
    post("B1", r);
    run(5_ms);
  }
};

TEST(KafkaIsr, ProposalEndsWithTheAnswer) {
  Proposing lab;
  const std::int32_t before = lab.replica(1).partition_epoch;
  lab.tell(Error::none, before, {1, 2});
  EXPECT_EQ(lab.replica(1).isr, Ids{1}) << "an answer to something older";
  lab.tell(Error::none, before + 1, {1, 2});
  EXPECT_EQ(lab.replica(1).isr, (Ids{1, 2}));
  EXPECT_EQ(lab.replica(1).proposed, Ids{});
}

TEST(KafkaIsr, RefusedReplicaIsGivenUpAndOtherErrorsStayOpen) {
  Proposing lab;
  lab.tell(Error::invalid_update_version, 0);
  EXPECT_EQ(lab.replica(1).proposed, (Ids{1, 2})) << "the controller may have done it: it counts until metadata tells";
  lab.tell(Error::ineligible_replica, 0);
  EXPECT_EQ(lab.replica(1).proposed, Ids{});
  EXPECT_EQ(lab.replica(1).isr, Ids{1});
}

TEST(KafkaIsr, NewerMetadataEndsAProposal) {
  Proposing lab;
  lab.kill("B2");
  lab.run(15_s);
  lab.heal();
  ASSERT_TRUE(lab.run_until([&] { return lab.replica(1).proposed.empty(); }));
  EXPECT_EQ(lab.replica(1).isr, Ids{1});
}

TEST(KafkaIsr, ProposalIsAskedAgainWhenTheControllerMoves) {
  QuietFollowers lab({{"replica_lag_max", "1s"}});
  lab.lose_both();
  const FetchRequest fetch = lab.fetch_as(2, 1);
  lab.kill(lab.controller_name());
  lab.ask("B1", fetch);
  ASSERT_EQ(lab.replica(1).proposed, (Ids{1, 2}));
  ASSERT_TRUE(lab.run_until([&] { return lab.controller_name() != "" && lab.replica(1).proposed.empty(); }));
  EXPECT_EQ(lab.replica(1).isr, (Ids{1, 2}));
}

// --- life ---

// BrokerLifecycleManager: a new process is a new incarnation with an epoch of its own, fenced until it has caught up.
TEST(KafkaBroker, RestartedBrokerRegistersWithANewEpoch) {
  Lab lab;
  const BrokerEpoch before = lab.epoch_of(3);
  lab.kill("B3");
  lab.run(500_ms);
  lab.restart("B3");
  lab.run(5_s);
  EXPECT_EQ(lab.epoch_of(3), before) << "the session of its old process is not over";
  EXPECT_FALSE(lab.broker(3).unfenced());
  ASSERT_TRUE(lab.run_until([&] { return lab.broker(3).unfenced(); }));
  EXPECT_GT(lab.epoch_of(3), before);
  ASSERT_TRUE(lab.run_until([&] { return lab.partition().isr == Ids{1, 2, 3}; }));
}

// BrokerServer.startup: no metadata is acted upon and no request served before the registration is through.
TEST(KafkaBroker, LeaderThatComesBackDoesNotLeadByOldMetadata) {
  Lab lab({.cluster = {{"session_timeout", "20s"}}});
  lab.kill("B1");
  lab.run(100_ms);
  lab.restart("B1");
  lab.run(3_s);
  EXPECT_EQ(lab.led(), "B1@0 {1,2,3}");
  EXPECT_EQ(lab.replica(1).role, Role::none);
  EXPECT_EQ(lab.ask("B1", produce(1)), "closed");
}

// A clean shutdown hands leadership over first, and what is written is on the platter before the process ends.
TEST(KafkaBroker, CleanShutdownHandsOverAndSyncs) {
  Lab lab;
  lab.ask("B1", produce(-1, 3));
  const Time asked = lab.world.now();
  lab.fault(FaultKind::stop, {{"B1"}});
  ASSERT_TRUE(lab.run_until([&] { return !lab.world.running(lab.world.find("B1")); }));
  EXPECT_LT(lab.world.now() - asked, 5_s);  // two heartbeats, until the others have read who leads
  EXPECT_EQ(lab.led(), "B2@1 {2,3}");
  lab.cut_replication("B1");
  lab.fault(FaultKind::power, {{"B1"}});
  lab.restart("B1");
  lab.run(1_s);
  EXPECT_EQ(lab.log(1).end(), 3);
}

// BrokerHeartbeatManager: it serves on until every other broker has heard where its partitions went.
TEST(KafkaBroker, ShutdownWaitsForTheSlowestToHear) {
  Lab lab;
  lab.cut_control("B3");
  lab.fault(FaultKind::stop, {{"B1"}});
  lab.run(15_s);
  EXPECT_TRUE(lab.world.running(lab.world.find("B1")));
  EXPECT_EQ(lab.led(), "B2@1 {2,3}");
  lab.heal();
  EXPECT_TRUE(lab.run_until([&] { return !lab.world.running(lab.world.find("B1")); }, 10_s));
}

TEST(KafkaBroker, PowerTakesWhatWasNotSyncedAndAKillDoesNot) {
  for (const char* flush : {"0", "1"}) {
    QuietFollowers lab({{"flush_messages", flush}});
    lab.append(2);
    lab.kill("B1");
    lab.restart("B1");
    lab.run(10_ms);
    EXPECT_EQ(lab.log(1).end(), 2);
    lab.fault(FaultKind::power, {{"B1"}});
    lab.restart("B1");
    lab.run(10_ms);
    EXPECT_EQ(lab.log(1).end(), std::string(flush) == "1" ? 2 : 0);
  }
}

// The high watermark of a restarted replica is the one of the last checkpoint, held within its log.
TEST(KafkaBroker, RestartBeginsAtTheHighWatermarkOfTheCheckpoint) {
  Lab lab({.cluster = {{"hw_checkpoint_interval", "5s"}}});
  lab.ask("B1", produce(-1, 2));
  lab.run(6_s);
  ASSERT_EQ(lab.replica(3).high_watermark, 2);
  lab.ask("B1", produce(-1, 2));
  lab.run(1_s);
  ASSERT_EQ(lab.replica(3).high_watermark, 4);
  World other = lab.world;
  lab.kill("B3");
  lab.restart("B3");
  lab.run(10_ms);
  EXPECT_EQ(lab.replica(3).high_watermark, 2);
  lab.world = other;
  lab.fault(FaultKind::power, {{"B3"}});
  lab.restart("B3");
  lab.run(10_ms);
  EXPECT_EQ(lab.log(3).end(), 0);
  EXPECT_EQ(lab.replica(3).high_watermark, 0);
}

// LogLoader.recoverLog: what was not known to be on the platter is read again, up to the first batch that is rotten.
TEST(KafkaBroker, RecoveryEndsTheLogBeforeARottenBatch) {
  QuietFollowers lab;
  lab.append(3);
  Fault rot;
  rot.kind = FaultKind::bit_rot;
  rot.groups = {{"B1"}};
  rot.file = "t/0";
  rot.unit = 1;
  lab.world.inject(rot);
  lab.kill("B1");
  lab.restart("B1");
  lab.run(10_ms);
  EXPECT_EQ(lab.log(1).end(), 1);
  EXPECT_EQ(lab.marks("log_recovered"), 1u);
}

// ProducerIdManager: each broker hands out a block that the controller gave to it alone.
TEST(KafkaBroker, ProducerIdsAreGivenOnce) {
  Lab lab;
  EXPECT_EQ(lab.ask("B1", InitProducerId{}, 1_s), "pid=1 epoch=0");
  EXPECT_EQ(lab.ask("B2", InitProducerId{}, 1_s), "pid=1001 epoch=0");
  EXPECT_EQ(lab.ask("B1", InitProducerId{}, 1_s), "pid=2 epoch=0");
  EXPECT_EQ(lab.ask("B1", InitProducerId{}, 1_s), "pid=3 epoch=0");
}

TEST(KafkaBroker, DeletedRecordsAreGoneBelowTheHighWatermarkOnly) {
  QuietFollowers lab;
  lab.append(3);
  lab.ask("B1", lab.fetch_as(2, 2));
  lab.ask("B1", lab.fetch_as(3, 2));
  lab.command("delete_records", "t/0 3", "B1");
  EXPECT_EQ(lab.log(1).start(), 2);
  EXPECT_EQ(lab.ask("B1", consume(1)), "#0 error=OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(lab.ask("B1", list_offsets(earliest_timestamp)), "#0 offset=2");
}

}  // namespace
}  // namespace mqlab::kafka::testing
