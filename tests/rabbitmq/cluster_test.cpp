// Several nodes: queues that live elsewhere, nodes that come and go, and quorum queues among them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/rabbitmq/model_parts.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"

namespace mqlab::rabbitmq {
namespace {

class RabbitCluster : public testing::Test {
 protected:
  RabbitCluster() { models.add(make_model()); }

  // A producer at B1 and a consumer at B3; the queue lives on `home`, which decides what else stands in the file.
  RunResult run(const std::string& topic, const std::string& faults, std::uint64_t seed = 1, const std::string& consumer = "") {
    const std::string text = "return scenario { title = \"t\", cluster = rabbitmq { brokers = 3, classic_fsync = true, net_ticktime = seconds(20) }, topics = { " + topic +
                             " }, clients = { producer \"P\" { topic = \"orders\", records = 20, every = ms(500), start_at = seconds(15), connects_to = \"B1\", "
                             "resend = true, resend_limit = 100, recovery_interval = seconds(1) }, "
                             "consumer \"C\" { topics = { \"orders\" }, connects_to = \"B3\", recovery_interval = seconds(1)" +
                             consumer + " } }, faults = { " +
                             faults + " }, run_for = seconds(90) }";
    const Scenario s = load_scenario(text, "t.lua", models);
    return run_scenario(s, *models.find("rabbitmq"), nullptr, {.seed = seed});
  }
  static void expect_nothing_lost(const RunResult& r) {
    EXPECT_TRUE(r.drained) << r.not_drained_because;
    EXPECT_EQ(r.verdict("lost-message")->report.verdict, Verdict::holds);
    for (const VerdictRow& v : r.verdicts)
      EXPECT_FALSE(v.claim.claimed && v.report.verdict == Verdict::violated) << v.report.anomaly->name << ": " << v.report.worst.front().sentence;
  }
  static std::uint64_t marks(const RunResult& r, const char* name) { return r.world->mark_count(name); }

  Models models;
};

TEST_F(RabbitCluster, ClientsOfAnyNodeReachAQueue) {
  const RunResult r = run("orders = {}", "");
  expect_nothing_lost(r);
  EXPECT_GT(marks(r, "node_up"), 5u);
  EXPECT_EQ(marks(r, "node_down"), 0u);
}

// amqp-client, automaticRecoveryEnabled=false: a closed channel throws AlreadyClosedException, and nobody opens another.
TEST_F(RabbitCluster, APublisherWithoutRecoveryEndsWithItsChannel) {
  const auto story = [&](bool recovers, const std::string& faults) {
    const std::string text = "return scenario { title = \"t\", cluster = rabbitmq { brokers = 3 }, topics = { orders = { queue_type = \"quorum\", single_active_consumer = true } }, "
                             "clients = { producer \"P\" { topic = \"orders\", records = 20, every = ms(500), start_at = seconds(15), connects_to = \"B1\", automatic_recovery = " +
                             std::string(recovers ? "true" : "false") + " }, consumer \"C\" { topics = { \"orders\" }, connects_to = \"B3\" } }, faults = { " + faults + " }, run_for = seconds(60) }";
    const Scenario s = load_scenario(text, "t.lua", models);
    return run_scenario(s, *models.find("rabbitmq"), nullptr, {.seed = 1});
  };
  const auto refused = [](const RunResult& r) {
    std::size_t n = 0;
    for (const Op& op : r.world->journal.ops)
      n += op.kind == OpKind::send && op.outcome == Outcome::fail && r.world->journal.names.text(op.error) == "ALREADY_CLOSED";
    return n;
  };
  const std::string kill = "at(seconds(18), kill \"B1\" { duration = seconds(2) })";
  const RunResult ends = story(false, kill);
  expect_nothing_lost(ends);
  EXPECT_GE(refused(ends), 10U);
  EXPECT_EQ(refused(story(true, kill)), 0U);
  EXPECT_EQ(refused(story(false, "")), 0U);
  // It has had one channel only, so even after a loss the queue's order is promised.
  const auto claims_order = [](const RunResult& r) { return r.verdict("fifo-violation")->claim.claimed; };
  EXPECT_TRUE(claims_order(ends));
  EXPECT_FALSE(claims_order(story(true, kill)));
  EXPECT_EQ(ends.verdict("fifo-violation")->report.verdict, Verdict::holds);
}

TEST_F(RabbitCluster, NobodyPromisesToKeepWhatAnOperatorTakesAway) {
  const auto claim = [&](const std::string& verb) {
    return run("orders = {}", verb.empty() ? "" : "at(seconds(18), command(\"B1\", \"" + verb + "\", \"orders/0\"))").verdict("lost-message")->claim;
  };
  EXPECT_TRUE(claim("").claimed);
  for (const char* verb : {"purge", "delete_queue"}) {
    EXPECT_FALSE(claim(verb).claimed) << verb;
    EXPECT_NE(claim(verb).reason.find(verb), std::string::npos) << claim(verb).reason;
  }
}

// Who had lost his connection when it was deleted may ask for it for ever; and who was to delete it may be lost himself.
TEST_F(RabbitCluster, AQueueThatAnOperatorDeletedIsNotWaitedFor) {
  const auto story = [&](const std::string& faults) {
    const std::string text = "return scenario { title = \"t\", cluster = rabbitmq { brokers = 3 }, topics = { orders = { queue_type = \"quorum\" } }, "
                             "clients = { producer \"P\" { topic = \"orders\", records = 20, every = ms(200), start_at = seconds(5) }, "
                             "consumer \"C\" { topics = { \"orders\" }, group = \"g\", recovery_interval = ms(500) } }, faults = { " + faults + " }, run_for = seconds(20) }";
    const Scenario s = load_scenario(text, "t.lua", models);
    return run_scenario(s, *models.find("rabbitmq"), nullptr, {.seed = 1});
  };
  const std::string gone = "at(seconds(8), command(\"B1\", \"delete_queue\", \"orders/0\"))";
  const RunResult asks = story("at(ms(7900), reset_streams { from = \"C\", to = \"all broker\" }), " + gone);
  EXPECT_TRUE(asks.drained) << asks.not_drained_because;
  for (const char* how : {"wipe \"B1\" { duration = ms(200) }", "power \"B1\" { duration = ms(200) }", "isolate \"B1\" { duration = ms(900) }", "wipe \"B2\" { duration = ms(200) }"})
    for (const char* when : {"ms(7990)", "ms(8000)", "ms(8001)", "ms(8002)"}) {
      const RunResult lost = story(gone + fmt::format(", at({}, {})", when, how));
      EXPECT_TRUE(lost.drained) << lost.not_drained_because << how << when;
    }
}

TEST_F(RabbitCluster, AQueueWhoseNodeIsDownRefusesAndComesBack) {
  const RunResult r = run("orders = {}", "at(seconds(18), kill \"B1\" { duration = seconds(5) })");
  expect_nothing_lost(r);
  EXPECT_GT(marks(r, "node_down"), 0u);
}

TEST_F(RabbitCluster, AQuorumQueueOutlivesItsLeader) {
  const RunResult r = run("orders = { queue_type = \"quorum\" }", "at(seconds(18), power \"leader orders/0\" { duration = seconds(30) })");
  expect_nothing_lost(r);
  EXPECT_GT(marks(r, "leader_elected"), 1u);
}

TEST_F(RabbitCluster, ACutLongerThanNetTicktimeIsNoticedOnBothSides) {
  const RunResult r = run("orders = {}", "at(seconds(16), isolate \"B2\" { duration = seconds(40) })");
  expect_nothing_lost(r);
  EXPECT_GE(marks(r, "node_down"), 2u);
}

// What lay in the library when the connection broke is read again.
TEST_F(RabbitCluster, AStreamIsReadOnFromWhatTheApplicationHasNotGot) {
  const RunResult r = run("orders = { queue_type = \"stream\" }", "at(seconds(22), reset_streams { from = \"C\", to = \"all broker\" })", 1, ", max_poll = 1, work = seconds(2)");
  expect_nothing_lost(r);
  EXPECT_GT(marks(r, "connection_lost"), 0u);
}

// Whatever happens to one node at a time, nothing that was confirmed is lost, and all comes to rest.
TEST_F(RabbitCluster, OneNodeAtATimeCostsNoConfirmedMessage) {
  for (const char* type : {"classic", "quorum", "stream"})
    for (const char* fault : {"kill \"one broker\" { duration = seconds(4) }", "stop \"one broker\" { duration = seconds(4) }", "pause \"one broker\" { duration = seconds(20) }",
                              "isolate \"one broker\" { duration = seconds(20) }", "reset_streams { from = \"all broker\", to = \"all broker\" }"})
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE(std::string(type) + ", " + fault + ", seed " + std::to_string(seed));
        expect_nothing_lost(run(std::string("orders = { queue_type = \"") + type + "\" }", std::string("at(seconds(17), ") + fault + ")", seed));
      }
}

}  // namespace
}  // namespace mqlab::rabbitmq
