// A follower, rule by rule: what its fetches confirm, whose high watermark it believes, where it cuts its log, and when
// it stops or rests.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

// It confirms what it has by its next fetch, and hears of the high watermark with the answer after that.
TEST(KafkaFollower, ConfirmsByTheNextFetchAndLearnsTheHighWatermarkLater) {
  Lab lab({.cluster = {{"replica_fetch_wait", "10s"}}});
  lab.post("B1", produce(1));
  ASSERT_TRUE(lab.run_until([&] { return lab.log(2).end() == 1; }));
  EXPECT_EQ(lab.follower(1, 2).end, 0);
  EXPECT_EQ(lab.replica(1).high_watermark, 0);
  lab.run(5_ms);
  EXPECT_EQ(lab.follower(1, 2).end, 1);
  EXPECT_EQ(lab.replica(1).high_watermark, 1);
  EXPECT_EQ(lab.replica(2).high_watermark, 0);
  lab.post("B1", produce(1));
  lab.run(20_ms);
  EXPECT_EQ(lab.replica(2).high_watermark, 1);
}

// B3 has heard of more than B2, which leads next: a follower's high watermark is the leader's, even if that is lower.
TEST(KafkaFollower, HighWatermarkMayGoBackAfterAChangeOfLeader) {
  Lab lab({.cluster = {{"replica_fetch_wait", "10s"}}});
  lab.ask("B1", produce(1));
  lab.run(20_ms);
  lab.cut_replication("B2");
  lab.ask("B1", produce(1));
  lab.run(20_ms);
  ASSERT_EQ(lab.replica(3).high_watermark, 1);
  ASSERT_EQ(lab.replica(2).high_watermark, 0);
  lab.heal();
  lab.cut_replication("B1");
  lab.command("elect", "t/0 B2");
  ASSERT_TRUE(lab.run_until([&] { return lab.replica(3).leader == 2 && lab.log(3).end() == 1; }, 10_s));
  lab.run(11_s);
  EXPECT_EQ(lab.replica(3).high_watermark, 0);
}

// B1 leads alone and writes, B2 is elected and writes: the logs part. Every rule finds where.
struct Parted : Lab {
  explicit Parted(const char* rule) : Lab({.cluster = {{"truncation", rule}}}) {
    ask("B1", produce(-1));
    run(1_s);  // the followers know that it is committed
    cut_replication("B1");
    ask("B1", produce(1, 3));
    command("elect", "t/0 B2");
    run(200_ms);
    ask("B2", produce(1));
  }
};

TEST(KafkaFollower, LogsThatPartedAreOneAgain) {
  for (const char* rule : {"hw", "kip101", "kip279", "fetch"}) {
    Parted lab(rule);
    ASSERT_EQ(lab.log(1).end(), std::string(rule) == "hw" ? 1 : 4) << rule << ": the first asks nobody";
    ASSERT_EQ(lab.log(2).end(), 2) << rule;
    lab.heal();
    EXPECT_TRUE(lab.run_until([&] { return lab.replica(2).high_watermark == 2; }, 10_s)) << rule;
    for (BrokerId b : {1, 3}) EXPECT_TRUE(std::ranges::equal(lab.log(b).batches(), lab.log(2).batches())) << rule << " B" << b;
    EXPECT_EQ(lab.marks("log_truncated"), 1u) << rule;
  }
}

// KIP-101: the own high watermark lags, so cutting there throws away what is committed.
TEST(KafkaFollower, CuttingToTheHighWatermarkLosesWhatWasCommitted) {
  for (const char* rule : {"hw", "kip101", "kip279", "fetch"}) {
    Lab lab({.cluster = {{"replica_fetch_wait", "10s"}, {"truncation", rule}}});
    lab.ask("B1", produce(-1));
    ASSERT_EQ(lab.replica(1).high_watermark, 1);
    ASSERT_EQ(lab.replica(3).high_watermark, 0);
    lab.command("elect", "t/0 B2");
    lab.run(200_ms);
    EXPECT_EQ(lab.marks("log_truncated"), std::string(rule) == "hw" ? 1u : 0u) << rule;
  }
}

// Nobody replicates while B1 and B2 lead in turn and write; then all is well, and B1 leads.
void quick_elections(Lab& lab, int rounds) {
  lab.ask("B1", produce(-1));
  lab.run(1_s);
  for (const char* b : {"B1", "B2", "B3"}) lab.cut_replication(b);
  for (int i = 0; i < 2; ++i) lab.ask("B1", produce(1));
  for (int i = 0; i < rounds; ++i) {
    for (const char* b : {"B2", "B1"}) {
      lab.command("elect", std::string("t/0 ") + b);
      lab.run(200_ms);
      lab.ask(b, produce(1));
    }
  }
  lab.heal();
}

// KIP-279: B2 led in epoch 1, of which B1, who leads again, never heard. It is told the end of B1's epoch 0, and only if
// it is also told that this is epoch 0 it sees that its own record of epoch 1 must go.
TEST(KafkaFollower, TwoQuickElectionsNeedTheEpochInTheAnswer) {
  for (const char* rule : {"kip101", "kip279", "fetch"}) {
    Lab lab({.cluster = {{"truncation", rule}}});
    quick_elections(lab, 1);
    ASSERT_TRUE(lab.run_until([&] { return lab.log(2).end() == 4 && lab.log(3).end() == 4; }, 10_s)) << rule;
    EXPECT_EQ(std::ranges::equal(lab.log(1).batches(), lab.log(2).batches()), std::string(rule) != "kip101") << rule;
  }
}

// Two such rounds: the first answer names an epoch that B2 does not know either, so it cuts and asks once more.
TEST(KafkaFollower, ItAsksAgainWhileTheEpochOfTheAnswerIsUnknown) {
  for (const char* rule : {"kip279", "fetch"}) {
    Lab lab({.cluster = {{"truncation", rule}}});
    quick_elections(lab, 2);
    ASSERT_TRUE(lab.run_until([&] { return lab.log(2).end() == 5 && lab.log(3).end() == 5; }, 10_s)) << rule;
    EXPECT_TRUE(std::ranges::equal(lab.log(1).batches(), lab.log(2).batches())) << rule;
  }
}

// The answer to a fetch comes when another epoch has begun, and the records by another way: it answers an old question.
TEST(KafkaFollower, AnswerOfAnEarlierEpochIsLeftAlone) {
  Lab lab;
  Fault hold;
  hold.kind = FaultKind::hold;
  hold.groups = {{"B1"}, {"B3"}};
  hold.message = "FetchReply";
  lab.world.inject(hold);
  lab.ask("B1", produce(1));
  lab.command("elect", "t/0 B2");
  ASSERT_TRUE(lab.run_until([&] { return lab.log(3).end() == 1; }, 5_s));
  lab.command("elect", "t/0 B1");
  lab.run(200_ms);
  ASSERT_EQ(lab.replica(3).leader, 1);
  lab.fault(FaultKind::release, {});
  lab.run(1_s);
  EXPECT_EQ(lab.marks("corrupt_batch"), 0u);
  EXPECT_EQ(lab.log(3).end(), 1);
}

// A leader's high watermark may lie beyond what one answer brings: it is held within the own log.
TEST(KafkaFollower, HighWatermarkIsHeldWithinTheOwnLog) {
  Lab lab({.cluster = {{"replica_lag_max", "1s"}}});
  lab.cut_replication("B3");
  for (int i = 0; i < 3; ++i) {
    ProduceRequest large = produce(1);
    large.batches[0].batch = make_batch({{.message = 1, .size = 600'000}});
    lab.ask("B1", large);
  }
  ASSERT_TRUE(lab.run_until([&] { return lab.replica(1).high_watermark == 3; }));
  lab.kill("B3");
  lab.heal();
  lab.restart("B3");
  ASSERT_TRUE(lab.run_until([&] { return lab.log(3).end() > 0; }, 20_s));
  ASSERT_LT(lab.log(3).end(), 3);
  EXPECT_EQ(lab.replica(3).high_watermark, lab.log(3).end());
}

// After an unclean election what was committed goes, and the high watermark of those who had it goes with it.
TEST(KafkaFollower, CutBelowTheHighWatermarkTakesItDown) {
  QuietFollowers lab({{"replica_lag_max", "1s"}, {"hw_checkpoint_interval", "1s"}, {"elr", "false"}, {"unclean_election", "true"}});
  lab.lose_both();
  lab.append(1);
  lab.run(2_s);
  ASSERT_EQ(lab.high_watermark(), 2);
  lab.kill("B1");
  ASSERT_TRUE(lab.run_until([&] { return lab.led() == "B2@1 {2}"; }));
  lab.heal();
  lab.restart("B1");
  lab.run(1_ms);
  ASSERT_EQ(lab.high_watermark(), 2);
  ASSERT_TRUE(lab.run_until([&] { return lab.log(1).end() == 0; }));
  EXPECT_EQ(lab.high_watermark(), 0);
}

// AbstractFetcherThread.fetchOffsetAndTruncate: the leader no longer has what the follower asks for.
TEST(KafkaFollower, BeginsAnewWhereTheLeadersLogBegins) {
  Lab lab({.cluster = {{"replica_lag_max", "1s"}}});
  lab.cut_replication("B3");
  for (int i = 0; i < 4; ++i) lab.ask("B1", produce(1));
  ASSERT_TRUE(lab.run_until([&] { return lab.replica(1).high_watermark == 4; }));
  lab.command("delete_records", "t/0 3", "B1");
  lab.heal();
  ASSERT_TRUE(lab.run_until([&] { return lab.log(3).end() == 4; }, 20_s));
  EXPECT_EQ(lab.log(3).start(), 3);
  EXPECT_EQ(lab.marks("log_restarted"), 1u);
  lab.run(1_s);
  EXPECT_EQ(lab.log(2).start(), 3) << "the other one was told with a fetch";
}

// A follower that is fenced does not ask on: newer metadata must be on its way.
TEST(KafkaFollower, FencedFollowerWaitsForNewerMetadata) {
  Lab lab;
  lab.cut_control("B3");
  lab.command("elect", "t/0 B2");
  lab.run(500_ms);
  lab.command("elect", "t/0 B1");
  lab.run(2_s);
  ASSERT_EQ(lab.replica(1).epoch, 2);
  ASSERT_EQ(lab.replica(3).epoch, 0);
  EXPECT_TRUE(lab.replica(3).stopped);
  lab.heal();
  lab.ask("B1", produce(1));
  EXPECT_TRUE(lab.run_until([&] { return lab.log(3).end() == 1; }, 10_s));
  EXPECT_FALSE(lab.replica(3).stopped);
}

// UNKNOWN_LEADER_EPOCH and NOT_LEADER: the leader may not know yet; ask again after replica.fetch.backoff.ms.
TEST(KafkaFollower, RestsAfterAnErrorAndAsksAgain) {
  Lab lab({.cluster = {{"replica_fetch_backoff", "1s"}}});
  lab.cut_control("B2");
  lab.command("elect", "t/0 B2");
  lab.run(100_ms);
  ASSERT_EQ(lab.replica(3).leader, 2);
  ASSERT_EQ(lab.replica(2).role, Role::follower);
  EXPECT_GT(lab.replica(3).retry_at, lab.world.now() + 800_ms);
  lab.run(3_s);
  EXPECT_GT(lab.replica(3).retry_at, lab.world.now()) << "and again";
  lab.heal();
  ASSERT_TRUE(lab.run_until([&] { return lab.replica(2).role == Role::leader; }, 10_s));
  lab.ask("B2", produce(1));
  EXPECT_TRUE(lab.run_until([&] { return lab.log(3).end() == 1; }, 3_s));
  lab.kill("B2");
  lab.run(10_ms);
  EXPECT_GT(lab.replica(3).retry_at, lab.world.now() + 800_ms) << "a connection that breaks is an error, too";
}

// A leader's rotten batch is handed to followers as it is; they see the checksum and do not take it.
TEST(KafkaFollower, DoesNotTakeARottenBatch) {
  Lab lab;
  lab.kill("B3");
  lab.ask("B1", produce(1));
  ASSERT_TRUE(const_cast<PartitionLog&>(lab.log(1)).corrupt_at(0));
  lab.restart("B3");
  lab.run(15_s);
  EXPECT_EQ(lab.log(3).end(), 0);
  EXPECT_GE(lab.marks("corrupt_batch"), 2u) << "it is asked for again, for ever";
}

// A leader that is silent: the request is given up after the socket's timeout, and another is made.
TEST(KafkaFollower, GivesUpASilentLeader) {
  Lab lab({.cluster = {{"request_timeout", "2s"}, {"session_timeout", "60s"}}});
  lab.run(100_ms);
  Fault f;
  f.kind = FaultKind::drop;
  f.groups = {{"B1"}, {"B3"}};
  f.message = "FetchReply";
  lab.world.inject(f);
  lab.ask("B1", produce(1));
  lab.run(1_s);
  EXPECT_EQ(lab.log(3).end(), 0);
  EXPECT_TRUE(lab.run_until([&] { return lab.log(3).end() == 1; }, 4_s));
}

// What holds of every replica at every moment, whatever happens: log start <= high watermark <= log end.
TEST(KafkaFollower, HighWatermarkIsAlwaysWithinTheLog) {
  for (const char* rule : {"hw", "kip101", "kip279", "fetch"}) {
    Lab lab({.cluster = {{"replica_lag_max", "2s"}, {"session_timeout", "3s"}, {"heartbeat_interval", "500ms"}, {"unclean_election", "true"}, {"elr", "false"}, {"truncation", rule}}, .seed = 5});
    Random random(9, Stream::scenario);
    for (int step = 0; step < 40; ++step) {
      const std::string b = fmt::format("B{}", random.between(1, 3));
      lab.post(b, produce(random.chance({1, 2}) ? 1 : -1));
      switch (random.below(6)) {
        case 0: lab.cut_replication(b); break;
        case 1: lab.heal(); break;
        case 2: lab.kill(b); break;
        case 3: lab.fault(FaultKind::power, {{b}}); break;
        default: lab.restart(b); break;
      }
      for (int i = 0; i < 50; ++i) {
        lab.run(10_ms);
        for (BrokerId n : {1, 2, 3}) {
          if (lab.replica(n).role == Role::none) continue;
          ASSERT_LE(lab.log(n).start(), lab.replica(n).high_watermark) << rule << " B" << n;
          ASSERT_LE(lab.replica(n).high_watermark, lab.log(n).end()) << rule << " B" << n;
        }
      }
    }
  }
}

}  // namespace
}  // namespace mqlab::kafka::testing
