// A leader, rule by rule: how far its high watermark goes, what a produce is told and when, what a fetch may read. Its
// followers are the probe (cluster.h).
#include <gtest/gtest.h>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

constexpr std::int32_t all = -1;

// --- the high watermark (Partition.maybeIncrementLeaderHW) ---

TEST(KafkaLeader, HighWatermarkIsTheLeastLogEndOfTheIsr) {
  QuietFollowers lab;
  lab.append(3);
  EXPECT_EQ(lab.high_watermark(), 0);
  lab.ask("B1", lab.fetch_as(2, 3));
  EXPECT_EQ(lab.high_watermark(), 0) << "B3 has nothing yet";
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 1)), "#0 records=1..2 hw=1");
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 3)), "#0 hw=3");
}

TEST(KafkaLeader, HighWatermarkOfALeaderNeverGoesBack) {
  QuietFollowers lab;
  lab.append(3);
  lab.ask("B1", lab.fetch_as(2, 3));
  lab.ask("B1", lab.fetch_as(3, 3));
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 1)), "#0 records=1..2 hw=3") << "a follower that was cut back moves its own end only";
  EXPECT_EQ(lab.follower(1, 3).end, 1);
}

// KAFKA-15583: whatever acks were asked for, nothing is committed while too few are in sync.
TEST(KafkaLeader, HighWatermarkStandsWhileTheIsrIsBelowMinInsync) {
  for (const bool strict : {true, false}) {
    QuietFollowers lab({{"min_insync", "2"}, {"replica_lag_max", "1s"}, {"strict_min_isr", strict ? "true" : "false"}});
    lab.lose_both();
    EXPECT_EQ(lab.high_watermark(), strict ? 0 : 1);
    lab.ask("B1", produce(1));
    EXPECT_EQ(lab.high_watermark(), strict ? 0 : 2);
  }
}

// KIP-497: while B3's joining is under way the high watermark already waits for it, and for one who leaves it still does.
TEST(KafkaLeader, HighWatermarkWaitsForTheMaximalIsr) {
  QuietFollowers lab({{"replica_lag_max", "1s"}});
  lab.append(1);
  lab.run_until([&] {
    lab.ask("B1", lab.fetch_as(2, 1));
    return lab.partition().isr == std::vector<BrokerId>{1, 2};
  });
  lab.cut_control("B1");
  lab.ask("B1", lab.fetch_as(3, 1));
  ASSERT_EQ(lab.replica(1).proposed, (std::vector<BrokerId>{1, 2, 3}));
  ASSERT_EQ(lab.replica(1).isr, (std::vector<BrokerId>{1, 2}));
  lab.append(1);
  lab.ask("B1", lab.fetch_as(2, 2));
  EXPECT_EQ(lab.high_watermark(), 1) << "B3 may be in the ISR already, as far as the leader knows";
  lab.run(2_s);
  lab.append(1);
  lab.ask("B1", lab.fetch_as(2, 3));
  EXPECT_EQ(lab.high_watermark(), 1) << "... and that does not end when it lags for too long";
  lab.ask("B1", lab.fetch_as(3, 2));
  EXPECT_EQ(lab.high_watermark(), 2);
}

TEST(KafkaLeader, HighWatermarkWaitsForOneWhoseRemovalIsNotCommitted) {
  for (const char* rule : {"maximal", "eager"}) {
    QuietFollowers lab({{"replica_lag_max", "1s"}, {"hw_isr", rule}});
    lab.cut_control("B1");
    lab.append(1);
    const bool proposed = lab.run_until([&] {
      lab.ask("B1", lab.fetch_as(2, 1));
      return lab.replica(1).proposed == std::vector<BrokerId>{1, 2};
    });
    ASSERT_TRUE(proposed);
    EXPECT_EQ(lab.high_watermark(), std::string(rule) == "eager" ? 1 : 0);
  }
}

// isReplicaIsrEligible and caught up: B3 is about to join, so it counts even before it is proposed.
TEST(KafkaLeader, HighWatermarkWaitsForWhoHasCaughtUpOutsideTheIsr) {
  QuietFollowers lab({{"replica_lag_max", "1s"}});
  lab.append(1);
  lab.lose_both();
  ASSERT_EQ(lab.high_watermark(), 2);
  lab.cut_control("B1");
  lab.ask("B1", lab.fetch_as(2, 2));  // joining {1,2} is under way, so B3 cannot be proposed
  lab.ask("B1", lab.fetch_as(3, 2));
  ASSERT_EQ(lab.replica(1).proposed, (std::vector<BrokerId>{1, 2}));
  lab.append(1);
  lab.ask("B1", lab.fetch_as(2, 3));
  EXPECT_EQ(lab.high_watermark(), 2);
  lab.run(2_s);
  lab.ask("B1", lab.fetch_as(2, 3));
  lab.append(1);
  lab.ask("B1", lab.fetch_as(2, 4));
  EXPECT_EQ(lab.high_watermark(), 4) << "B3 was not heard of for longer than the lag limit";
}

// --- produce ---

TEST(KafkaLeader, AcksZeroIsNotAnsweredAndHangsUpOnAnError) {
  QuietFollowers lab;
  EXPECT_EQ(lab.ask("B1", produce(0)), "");
  EXPECT_EQ(lab.log(1).end(), 1);
  EXPECT_EQ(lab.ask("B2", produce(0)), "closed");
}

TEST(KafkaLeader, AcksOneIsAnsweredByTheLeaderAlone) {
  QuietFollowers lab;
  EXPECT_EQ(lab.ask("B1", produce(1)), "#0 offset=0");
  EXPECT_EQ(lab.ask("B2", produce(1)), "#0  error=NOT_LEADER_OR_FOLLOWER");
}

TEST(KafkaLeader, AcksAllIsAnsweredOnceTheHighWatermarkHasPassed) {
  QuietFollowers lab;
  const ConnId sent = lab.post("B1", produce(all, 2));
  lab.run(1_s);
  lab.ask("B1", lab.fetch_as(2, 2));
  EXPECT_EQ(lab.answer(sent), "");
  lab.ask("B1", lab.fetch_as(3, 2));
  EXPECT_EQ(lab.answer(sent), "#0 offset=0");
}

TEST(KafkaLeader, AcksAllIsRefusedBeforeTheAppendWhenTheIsrIsTooSmall) {
  QuietFollowers lab({{"min_insync", "2"}, {"replica_lag_max", "1s"}});
  lab.lose_both();
  EXPECT_EQ(lab.ask("B1", produce(all)), "#0  error=NOT_ENOUGH_REPLICAS");
  EXPECT_EQ(lab.log(1).end(), 1) << "nothing was written";
  EXPECT_EQ(lab.ask("B1", produce(1)), "#0 offset=1") << "min.insync binds acks=all only";
}

// The ISR shrinks while a produce waits. The record is in the log and stays there, whatever the answer says.
TEST(KafkaLeader, IsrThatShrinksMeanwhileIsToldAfterTheAppend) {
  QuietFollowers lab({{"min_insync", "2"}, {"replica_lag_max", "1s"}, {"strict_min_isr", "false"}});
  const ConnId sent = lab.post("B1", produce(all));
  lab.run(3_s);
  EXPECT_EQ(lab.answer(sent), "#0  error=NOT_ENOUGH_REPLICAS_AFTER_APPEND");
  EXPECT_EQ(lab.log(1).end(), 1);
}

TEST(KafkaLeader, ProduceThatIsNotReplicatedInTimeTimesOutAndStays) {
  QuietFollowers lab({{"min_insync", "2"}, {"replica_lag_max", "1s"}});
  const ConnId sent = lab.post("B1", produce(all, 1, 0, 2_s));
  lab.run(1990_ms);
  EXPECT_EQ(lab.answer(sent), "");
  lab.run(20_ms);
  EXPECT_EQ(lab.answer(sent), "#0  error=REQUEST_TIMED_OUT");
  EXPECT_EQ(lab.log(1).end(), 1);
  lab.run(2_s);
  lab.heal();
  EXPECT_TRUE(lab.run_until([&] { return lab.high_watermark() == 1; })) << "what timed out may still be committed";
}

TEST(KafkaLeader, WaitingProduceLearnsThatLeadershipIsLost) {
  QuietFollowers lab;
  const ConnId sent = lab.post("B1", produce(all));
  lab.run(5_ms);
  lab.command("elect", "t/0 B2");
  lab.run(200_ms);
  EXPECT_EQ(lab.answer(sent), "#0  error=NOT_LEADER_OR_FOLLOWER");
}

TEST(KafkaLeader, FullDiskRefusesWhatComes) {
  QuietFollowers lab;
  lab.fault(FaultKind::disk_full, {{"B1"}});
  EXPECT_EQ(lab.ask("B1", produce(1)), "#0  error=KAFKA_STORAGE_ERROR");
  EXPECT_EQ(lab.log(1).end(), 0);
}

// SocketServer: a channel is muted until its request is answered, so the second waits for the first.
TEST(KafkaLeader, RequestsOfOneConnectionAreWorkedOffInTurn) {
  QuietFollowers lab;
  const ConnId sent = lab.post("B1", produce(all));
  lab.post("B1", produce(1), sent);
  lab.run(100_ms);
  EXPECT_EQ(lab.log(1).end(), 1);
  lab.ask("B1", lab.fetch_as(2, 1));
  lab.ask("B1", lab.fetch_as(3, 1));
  lab.run(10_ms);
  EXPECT_EQ(lab.answer(sent, 0), "#0 offset=0");
  EXPECT_EQ(lab.answer(sent, 1), "#0 offset=1");

  const ConnId idle = lab.post("B1", consume(1, 0, 500_ms));
  lab.post("B1", produce(1), idle);
  lab.run(400_ms);
  EXPECT_EQ(lab.log(1).end(), 2) << "a fetch that waits is no different";
  lab.run(200_ms);
  EXPECT_EQ(lab.answer(idle, 1), "#0 offset=2");
}

// --- fetch ---

// KIP-320: both sides must be in the same epoch before any offset means anything.
TEST(KafkaLeader, EveryQuestionIsCheckedByLeaderEpoch) {
  QuietFollowers lab;
  lab.command("elect", "t/0 B2");
  lab.run(200_ms);
  lab.command("elect", "t/0 B1");
  lab.run(200_ms);
  ASSERT_EQ(lab.led(), "B1@2 {1,2,3}");
  EXPECT_EQ(lab.ask("B1", consume(0, 1)), "#0 error=FENCED_LEADER_EPOCH");
  EXPECT_EQ(lab.ask("B1", consume(0, 3)), "#0 error=UNKNOWN_LEADER_EPOCH");
  EXPECT_EQ(lab.ask("B1", consume(0, 2)), "#0 hw=0");
  EXPECT_EQ(lab.ask("B1", end_of_epoch(0, 1)), "#0 epoch=-1 end=-1 error=FENCED_LEADER_EPOCH");
  EXPECT_EQ(lab.ask("B1", end_of_epoch(0, 3)), "#0 epoch=-1 end=-1 error=UNKNOWN_LEADER_EPOCH");
  EXPECT_EQ(lab.ask("B1", list_offsets(earliest_timestamp, 1)), "#0 offset=-1 error=FENCED_LEADER_EPOCH");
  EXPECT_EQ(lab.ask("B1", consume(0)), "#0 hw=0") << "who names no epoch is not checked";
  EXPECT_EQ(lab.ask("B1", end_of_epoch(2, 2)), "#0 epoch=2 end=0") << "a leader knows its own epoch before it has written anything";
  EXPECT_EQ(lab.ask("B2", consume(0, 2)), "#0 error=NOT_LEADER_OR_FOLLOWER");
}

// Truncation on fetch: the answer says where to cut, and nothing of that fetch counts (KIP-320, KAFKA-8264).
TEST(KafkaLeader, FetchOfADivergingFollowerMovesNothing) {
  QuietFollowers lab;
  lab.append(2);
  lab.command("elect", "t/0 B2");
  lab.run(200_ms);
  lab.command("elect", "t/0 B1");
  lab.run(200_ms);
  lab.append(3);  // epoch 0 ends at 2, epoch 2 at 5
  lab.ask("B1", lab.fetch_as(2, 5, 2));
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 4, 0)), "#0 diverging epoch=0 end=2 hw=0");
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 5, 1)), "#0 diverging epoch=0 end=2 hw=0");
  EXPECT_EQ(lab.follower(1, 3).end, no_offset);
  EXPECT_EQ(lab.high_watermark(), 0);
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 1, 7)), "#0 error=OFFSET_OUT_OF_RANGE") << "an epoch that the leader never heard of";
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 4, 2)), "#0 records=4..4 hw=4");
}

TEST(KafkaLeader, ConsumersReadBelowTheHighWatermarkAndFollowersToTheEnd) {
  QuietFollowers lab;
  lab.append(3);
  lab.ask("B1", lab.fetch_as(2, 3));
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 1)), "#0 records=1..2 hw=1");
  EXPECT_EQ(lab.ask("B1", consume(0)), "#0 records=0..0 hw=1");
  EXPECT_EQ(lab.ask("B1", consume(1)), "#0 hw=1") << "above it: nothing yet, and no error up to the log's end";
  EXPECT_EQ(lab.ask("B1", consume(4)), "#0 error=OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(lab.ask("B1", end_of_epoch(0, 0)), "#0 epoch=0 end=3") << "an epoch's end is not held to the high watermark";
  EXPECT_EQ(lab.ask("B1", list_offsets(latest_timestamp)), "#0 offset=1");
}

TEST(KafkaLeader, RottenBatchIsNotHandedToConsumers) {
  Lab lab;
  lab.ask("B1", produce(all));
  lab.run(1_s);
  ASSERT_TRUE(const_cast<PartitionLog&>(lab.log(1)).corrupt_at(0));
  EXPECT_EQ(lab.ask("B1", consume(0)), "#0 error=CORRUPT_MESSAGE");
}

// KIP-207: the new leader's high watermark lags, so the end that it knows may lie before what others have read.
TEST(KafkaLeader, NewLeaderNamesNoEndBeforeItsHighWatermarkHasReachedItsEpoch) {
  for (const char* rule : {"true", "false"}) {
    Lab lab({.cluster = {{"replica_fetch_wait", "10s"}, {"list_offsets_kip207", rule}}});
    lab.ask("B1", produce(all));
    lab.cut_replication("B2");
    lab.command("elect", "t/0 B2");
    lab.run(200_ms);
    ASSERT_EQ(lab.replica(2).high_watermark, 0);
    EXPECT_EQ(lab.ask("B2", list_offsets(latest_timestamp)), std::string(rule) == "true" ? "#0 offset=-1 error=OFFSET_NOT_AVAILABLE" : "#0 offset=0");
    lab.ask("B2", lab.fetch_as(1, 1, 0));
    lab.ask("B2", lab.fetch_as(3, 1, 0));
    EXPECT_EQ(lab.ask("B2", list_offsets(latest_timestamp)), "#0 offset=1");
  }
}

// DelayedFetch: who finds nothing is kept for max_wait, or until there is something for it to read.
TEST(KafkaLeader, FetchWithoutNewsWaits) {
  QuietFollowers lab;
  const ConnId idle = lab.post("B1", consume(0, 0, 500_ms));
  lab.run(495_ms);
  EXPECT_EQ(lab.answer(idle), "");
  lab.run(10_ms);
  EXPECT_EQ(lab.answer(idle), "#0 hw=0");

  FetchRequest as_two = lab.fetch_as(2, 0);
  as_two.max_wait = 10_s;
  const ConnId follower = lab.post("B1", as_two);
  const ConnId consumer = lab.post("B1", consume(0, 0, 10_s));
  lab.run(5_ms);
  lab.append(1);
  lab.run(5_ms);
  EXPECT_EQ(lab.answer(follower), "#0 records=0..0 hw=0") << "a follower is woken by the append";
  EXPECT_EQ(lab.answer(consumer), "");
  lab.ask("B1", lab.fetch_as(2, 1));
  lab.ask("B1", lab.fetch_as(3, 1));
  lab.run(5_ms);
  EXPECT_EQ(lab.answer(consumer), "#0 records=0..0 hw=1") << "a consumer by the high watermark";

  FetchRequest much = consume(0, 0, 1_s);
  much.min_bytes = 1'000;
  const ConnId greedy = lab.post("B1", much);
  lab.run(990_ms);
  EXPECT_EQ(lab.answer(greedy), "");
}

}  // namespace
}  // namespace mqlab::kafka::testing
