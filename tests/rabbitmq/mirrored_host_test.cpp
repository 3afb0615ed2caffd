// Mirrors of classic queues on the nodes of a cluster, and what nodes of 3.x do about partitions. Source: docs 3.13 ha,
// partitions; rabbit_mirror_queue_misc, rabbit_node_monitor, rabbit_autoheal.
#include <gtest/gtest.h>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/model_parts.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"

namespace mqlab::rabbitmq {
namespace {

class RabbitMirrors : public testing::Test {
 protected:
  RabbitMirrors() { models.add(make_model()); }

  struct Story {
    std::string cluster{};            // options beside profile and net_ticktime
    std::string topic = "ha_mode = \"all\"";
    std::string faults{};
    std::string consumer{};
    int brokers = 3;
    std::string profile = "3.13";
    int records = 20;
    int run_for = 90;
  };
  std::string text(const Story& s) {
    return "return scenario { title = \"t\", cluster = rabbitmq { profile = \"" + s.profile + "\", brokers = " + std::to_string(s.brokers) + ", net_ticktime = seconds(8)" + s.cluster +
           " }, topics = { orders = { " + s.topic + " } }, clients = { producer \"P\" { topic = \"orders\", records = " + std::to_string(s.records) +
           ", every = ms(500), start_at = seconds(5), connects_to = \"B1\", recovery_interval = seconds(1), confirm_timeout = seconds(25) }, "
           "consumer \"C\" { topics = { \"orders\" }, group = \"g\", recovery_interval = seconds(1)" + s.consumer + " } }, faults = { " + s.faults + " }, run_for = seconds(" + std::to_string(s.run_for) + ") }";
  }
  RunResult run(const Story& s, std::uint64_t seed = 1) {
    const Scenario scenario = load_scenario(text(s), "t.lua", models);
    return run_scenario(scenario, *models.find("rabbitmq"), nullptr, {.seed = seed});
  }
  static std::uint64_t marks(const RunResult& r, const char* name) { return r.world->mark_count(name); }
  static Verdict lost(const RunResult& r) {
    EXPECT_TRUE(r.drained) << r.not_drained_because;
    return r.verdict("lost-message")->report.verdict;
  }
  static const Broker& broker(const RunResult& r, std::size_t i) { return r.world->node_as<Broker>(brokers_of(*r.world)[i]); }
  static std::size_t leaders(const RunResult& r, const char* queue = "orders.g") {
    std::size_t n = 0;
    for (std::size_t i = 0; i < brokers_of(*r.world).size(); ++i) n += broker(r, i).leads(queue);
    return n;
  }

  Models models;
};

// --- mirrors ---

TEST_F(RabbitMirrors, MirrorsAreRefusedWhereThereAreNone) {
  try {
    run({.profile = "4.2"});
    FAIL() << "4.2 has no mirrors";
  } catch (const std::exception& e) {
    EXPECT_NE(std::string(e.what()).find("classic queues have no mirrors since 4.0"), std::string::npos) << e.what();
  }
  EXPECT_ANY_THROW(run({.topic = "ha_mode = \"all\", queue_type = \"quorum\""}));
}

TEST_F(RabbitMirrors, AllNodesOrExactlySoMany) {
  const RunResult all = run({});
  EXPECT_EQ(broker(all, 0).queues().at("orders.g").copies.mirrors, (std::vector<std::size_t>{1, 2}));
  const RunResult two = run({.topic = "ha_mode = \"exactly\", ha_params = 2"});
  EXPECT_EQ(broker(two, 0).queues().at("orders.g").copies.mirrors, std::vector<std::size_t>{1});
  EXPECT_EQ(lost(two), Verdict::holds);
}

// A mirror that does not answer holds up confirms until it is taken for down, and no longer than that.
TEST_F(RabbitMirrors, NobodyWaitsForAMirrorThatIsDown) {
  const RunResult r = run({.faults = "at(seconds(8), isolate \"B3\" { duration = seconds(40) })"});
  EXPECT_GE(marks(r, "mirror_lost"), 1u);
  EXPECT_EQ(lost(r), Verdict::holds);
}

TEST_F(RabbitMirrors, TheOldestMirrorLeadsWhenTheLeaderIsGone) {
  const RunResult r = run({.faults = "at(seconds(8), kill \"B1\" { duration = seconds(10) })"});
  EXPECT_EQ(marks(r, "mirror_promoted"), 1u);
  EXPECT_TRUE(broker(r, 1).leads("orders.g"));
  EXPECT_EQ(broker(r, 1).queues().at("orders.g").copies.mirrors, (std::vector<std::size_t>{2, 0}));  // B1 came back last
  EXPECT_EQ(lost(r), Verdict::holds);
  EXPECT_EQ(leaders(r), 1u);
}

// Consumers of other nodes consume again from the new leader, on the channel that they have.
TEST_F(RabbitMirrors, ConsumersGoOnWithTheNewLeader) {
  const RunResult r = run({.faults = "at(seconds(8), kill \"B1\" { duration = seconds(10) })", .consumer = ", connects_to = \"B3\""});
  EXPECT_EQ(marks(r, "consumer_cancelled"), 0u);
  EXPECT_EQ(broker(r, 1).consumer_count("orders.g"), 1);
  EXPECT_EQ(lost(r), Verdict::holds);
}

// What was out when the leader went comes again, flagged.
TEST_F(RabbitMirrors, WhatWasNotSettledComesAgain) {
  const RunResult r = run({.faults = "at(seconds(8), kill \"B1\" { duration = seconds(10) })", .consumer = ", connects_to = \"B3\", work = seconds(2), max_poll = 1, prefetch = 5"});
  EXPECT_EQ(lost(r), Verdict::holds);
  EXPECT_EQ(r.verdict("duplicate-delivery")->report.verdict, Verdict::violated);
}

TEST_F(RabbitMirrors, AMirrorThatComesBackIsEmptyUntilItIsSynchronised) {
  const char* const stays_away = ", start_at = seconds(60)";
  const char* const two_crashes = "at(seconds(20), kill \"B2\" { duration = seconds(2) }), at(seconds(30), kill \"B1\" { duration = seconds(5) })";
  EXPECT_EQ(lost(run({.faults = two_crashes, .consumer = stays_away, .brokers = 2})), Verdict::violated);
  EXPECT_EQ(lost(run({.topic = "ha_mode = \"all\", ha_sync_mode = \"automatic\"", .faults = two_crashes, .consumer = stays_away, .brokers = 2})), Verdict::holds);
  for (const char* whom : {"B1", "B2"})  // of any node
    EXPECT_EQ(lost(run({.faults = std::string(two_crashes) + ", at(seconds(25), command(\"" + whom + "\", \"sync_queue\", \"orders.g\"))", .consumer = stays_away, .brokers = 2})), Verdict::holds);
}

TEST_F(RabbitMirrors, WithoutASynchronisedMirrorTheQueueMayWait) {
  const RunResult r = run({.topic = "ha_mode = \"all\", ha_promote_on_failure = \"when-synced\"",
                           .faults = "at(seconds(20), kill \"B2\" { duration = seconds(2) }), at(seconds(30), kill \"B1\" { duration = seconds(5) })", .consumer = ", start_at = seconds(60)", .brokers = 2});
  EXPECT_EQ(lost(r), Verdict::holds);
  EXPECT_EQ(marks(r, "mirror_not_promoted"), 1u);
  EXPECT_EQ(marks(r, "mirror_promoted"), 0u);
  EXPECT_TRUE(broker(r, 0).leads("orders.g"));
}

// A stop in good order: no mirror leads that lacks something, unless the policy says so.
TEST_F(RabbitMirrors, AStopKeepsTheQueueForItsLeader) {
  const std::string faults = "at(seconds(20), kill \"B2\" { duration = seconds(2) }), at(seconds(30), stop \"B1\" { duration = seconds(5) })";
  EXPECT_EQ(lost(run({.faults = faults, .consumer = ", start_at = seconds(60)", .brokers = 2})), Verdict::holds);
  EXPECT_EQ(lost(run({.topic = "ha_mode = \"all\", ha_promote_on_shutdown = \"always\"", .faults = faults, .consumer = ", start_at = seconds(60)", .brokers = 2})), Verdict::violated);
}

TEST_F(RabbitMirrors, ANodeThatIsLostIsReplacedWhereThereAreMore) {
  const RunResult r = run({.topic = "ha_mode = \"exactly\", ha_params = 2, ha_sync_mode = \"automatic\"",
                           .faults = "at(seconds(20), kill \"B2\" { duration = seconds(2) }), at(seconds(30), kill \"B1\" { duration = seconds(5) })", .consumer = ", start_at = seconds(60)"});
  EXPECT_EQ(lost(r), Verdict::holds);
  EXPECT_TRUE(broker(r, 2).leads("orders.g"));
}

// All nodes at once: each waits for the others, and who led last leads with its file.
TEST_F(RabbitMirrors, AfterAPowerCutOfAllTheLastLeaderLeads) {
  const RunResult r = run({.cluster = ", classic_fsync = true, shared_power = true", .faults = "at(seconds(8), kill \"B1\" { duration = seconds(3) }), at(seconds(20), power \"B2\" { duration = seconds(3) })", .consumer = ", start_at = seconds(60)"});
  EXPECT_EQ(lost(r), Verdict::holds);
  EXPECT_TRUE(broker(r, 1).leads("orders.g"));
  EXPECT_EQ(leaders(r), 1u);
}

// One node dies, of any number of seeds and whenever: with automatic synchronisation nothing that was confirmed is lost.
TEST_F(RabbitMirrors, OneCrashCostsNoConfirmedMessage) {
  for (const char* fault : {"kill \"one broker\" { duration = seconds(4) }", "power \"one broker\" { duration = seconds(4) }", "stop \"one broker\" { duration = seconds(4) }"})
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(std::string(fault) + ", seed " + std::to_string(seed));
      const RunResult r = run({.cluster = ", classic_fsync = true", .topic = "ha_mode = \"all\", ha_sync_mode = \"automatic\"", .faults = std::string("between(seconds(6), seconds(14), ") + fault + ")"}, seed);
      EXPECT_EQ(lost(r), Verdict::holds);
      EXPECT_EQ(leaders(r), 1u);
      for (const VerdictRow& v : r.verdicts)
        EXPECT_FALSE(v.claim.claimed && v.report.verdict == Verdict::violated) << v.report.anomaly->name << ": " << v.report.worst.front().sentence;
    }
}

// --- partitions ---

const char* const cut = "at(seconds(8), partition { { \"B1\", \"P\" }, { \"rest\" }, duration = seconds(25) })";

TEST_F(RabbitMirrors, IgnoreLeavesTwoLeadersUntilAnOperatorRestartsOne) {
  const RunResult r = run({.faults = cut, .consumer = ", connects_to = \"B2\"", .records = 60});
  EXPECT_EQ(leaders(r), 2u);
  EXPECT_EQ(broker(r, 0).split_from(), (std::set<std::size_t>{1, 2}));
  EXPECT_EQ(broker(r, 1).split_from(), std::set<std::size_t>{0});
  EXPECT_EQ(lost(r), Verdict::holds);  // both still have theirs: the last reader looked at each
  const RunResult restarted = run({.faults = std::string(cut) + ", at(seconds(45), restart \"B1\" { duration = seconds(1) })", .consumer = ", connects_to = \"B2\"", .records = 60});
  EXPECT_EQ(leaders(restarted), 1u);
  EXPECT_TRUE(broker(restarted, 0).split_from().empty());
  EXPECT_EQ(lost(restarted), Verdict::violated);
}

TEST_F(RabbitMirrors, AutohealRestartsTheSideWithFewerClients) {
  const RunResult r = run({.cluster = ", cluster_partition_handling = \"autoheal\"", .faults = cut, .consumer = ", connects_to = \"B2\"", .records = 60});
  EXPECT_GE(marks(r, "healing"), 1u);
  EXPECT_EQ(leaders(r), 1u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(broker(r, i).split_from().empty());
  EXPECT_EQ(lost(r), Verdict::violated);
  // Where all clients are with one node, that is the side that stays, and nothing is lost.
  const RunResult together = run({.cluster = ", cluster_partition_handling = \"autoheal\"", .faults = "at(seconds(8), partition { { \"B1\", \"P\", \"C\" }, { \"rest\" }, duration = seconds(25) })", .consumer = ", connects_to = \"B1\"", .records = 60});
  EXPECT_TRUE(broker(together, 0).leads("orders.g"));
  EXPECT_EQ(lost(together), Verdict::holds);
}

TEST_F(RabbitMirrors, PauseMinorityStopsTheSmallerSide) {
  const RunResult r = run({.cluster = ", cluster_partition_handling = \"pause_minority\"", .faults = cut, .consumer = ", connects_to = \"B2\"", .records = 60});
  EXPECT_EQ(marks(r, "paused_in_minority"), 1u);
  EXPECT_EQ(marks(r, "pause_over"), 1u);
  EXPECT_EQ(marks(r, "partitioned"), 0u);
  EXPECT_TRUE(broker(r, 1).leads("orders.g"));
  EXPECT_EQ(lost(r), Verdict::holds);
}

TEST_F(RabbitMirrors, OfTwoNodesBothPause) {
  const RunResult r = run({.cluster = ", cluster_partition_handling = \"pause_minority\"", .faults = cut, .consumer = ", connects_to = \"B2\"", .brokers = 2, .records = 60});
  EXPECT_EQ(marks(r, "paused_in_minority"), 2u);
  EXPECT_EQ(leaders(r), 1u);
  EXPECT_EQ(lost(r), Verdict::holds);
}

TEST_F(RabbitMirrors, ASuspendedNodeDoesNotPause) {
  const RunResult r = run({.cluster = ", cluster_partition_handling = \"pause_minority\"", .faults = "at(seconds(8), pause \"B1\" { duration = seconds(30) })", .consumer = ", connects_to = \"B2\"", .records = 60});
  EXPECT_EQ(marks(r, "paused_in_minority"), 0u);
  EXPECT_EQ(leaders(r), 2u);
}

// Two nodes are cut off from each other, a third sees both. The partition is made a whole one; pause_minority pauses instead,
// until all are back.
TEST_F(RabbitMirrors, APartialPartitionIsMadeWhole) {
  const std::string partial = "at(seconds(8), one_way { from = \"B1\", to = \"B2\", duration = seconds(30) }, one_way { from = \"B2\", to = \"B1\", duration = seconds(30) })";
  const RunResult r = run({.faults = partial, .consumer = ", connects_to = \"B3\"", .records = 60});
  EXPECT_GE(marks(r, "partial_partition"), 1u);
  EXPECT_EQ(leaders(r), 2u);
  std::size_t together = 0;
  for (std::size_t i = 0; i < 3; ++i) together += broker(r, i).split_from().size() < 2;
  EXPECT_EQ(together, 2u);  // one of them is alone
  const RunResult paused = run({.cluster = ", cluster_partition_handling = \"pause_minority\"", .faults = partial, .consumer = ", connects_to = \"B3\"", .records = 60});
  EXPECT_GE(marks(paused, "paused_in_minority"), 1u);
  EXPECT_EQ(leaders(paused), 1u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(broker(paused, i).split_from().empty());
}

// From 4.2 on the key means nothing: metadata is in Raft, and a cut leaves nobody apart.
TEST_F(RabbitMirrors, KheprisNodesKnowNoPartitions) {
  const RunResult r = run({.cluster = ", cluster_partition_handling = \"pause_minority\"", .topic = "", .faults = cut, .profile = "4.3", .records = 60});
  EXPECT_EQ(marks(r, "paused_in_minority"), 0u);
  EXPECT_EQ(marks(r, "partitioned"), 0u);
}

// A plain classic queue follows the same metadata: on the other side it cannot be reached before one of both restarts.
TEST_F(RabbitMirrors, MetadataOfTwoSidesIsNotMerged) {
  const RunResult r = run({.topic = "", .faults = std::string(cut) + ", at(seconds(45), restart \"B1\" { duration = seconds(1) })", .consumer = ", connects_to = \"B2\"", .records = 60});
  EXPECT_EQ(lost(r), Verdict::holds);
  EXPECT_TRUE(broker(r, 0).split_from().empty());
}

}  // namespace
}  // namespace mqlab::rabbitmq
