// Groups on streams, in runs: members share a super stream, and one goes on where another has stored that it is.
#include <gtest/gtest.h>

#include <map>

#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"

namespace mqlab::rabbitmq {
namespace {

class RabbitStreamGroup : public testing::Test {
 protected:
  RabbitStreamGroup() { models.add(make_model()); }

  // A producer, and two members of a group on a super stream of two partitions.
  RunResult run(const std::string& faults, const std::string& member = "", std::uint64_t seed = 1) {
    const std::string each = " { topics = { \"orders\" }, group = \"g\", recovery_interval = seconds(1)" + member + " }";
    const std::string text = "return scenario { title = \"t\", cluster = rabbitmq {}, topics = { orders = { queue_type = \"stream\", partitions = 2 } }, clients = { "
                             "producer \"P\" { topic = \"orders\", records = 100, every = ms(100), start_at = seconds(2), keys = 10, resend = true, resend_limit = 100, "
                             "recovery_interval = seconds(1) }, consumer \"C1\"" + each + ", consumer \"C2\"" + each + " }, faults = { " + faults + " }, run_for = seconds(40) }";
    const Scenario s = load_scenario(text, "t.lua", models);
    return run_scenario(s, *models.find("rabbitmq"), nullptr, {.seed = seed});
  }
  static std::map<std::string, int> got(const RunResult& r) {
    std::map<std::string, int> out;
    for (const Op& op : r.world->journal.ops)
      if (op.kind == OpKind::deliver) ++out[r.world->journal.process_name(op.process)];
    return out;
  }
  static void expect_as_promised(const RunResult& r) {
    EXPECT_TRUE(r.drained) << r.not_drained_because;
    EXPECT_EQ(r.verdict("lost-message")->report.verdict, Verdict::holds);
    for (const VerdictRow& v : r.verdicts)
      EXPECT_FALSE(v.claim.claimed && v.report.verdict == Verdict::violated) << v.report.anomaly->name << ": " << v.report.worst.front().sentence;
  }

  Models models;
};

TEST_F(RabbitStreamGroup, MembersShareThePartitions) {
  const RunResult r = run("");
  expect_as_promised(r);
  auto n = got(r);
  EXPECT_GT(n["C1"], 10);
  EXPECT_GT(n["C2"], 10);
  EXPECT_EQ(n["C1"] + n["C2"], 100);
}

// Stored with each message, so that whoever follows begins behind it.
TEST_F(RabbitStreamGroup, WhoFollowsBeginsAtTheStoredOffset) {
  const RunResult r = run("at(seconds(6), kill \"C1\")", ", commit = \"each\", max_poll = 1");
  expect_as_promised(r);
  auto n = got(r);
  EXPECT_GE(n["C1"] + n["C2"], 100);
  EXPECT_LE(n["C1"] + n["C2"], 104);
}

// The library stores every five seconds: what came since comes again, and nothing is left out.
TEST_F(RabbitStreamGroup, WhatWasNotStoredComesAgain) {
  const RunResult r = run("at(ms(6500), kill \"C1\")");
  expect_as_promised(r);
  EXPECT_EQ(r.verdict("duplicate-delivery")->report.verdict, Verdict::violated);
}

// A member that comes or goes, or a broker that does: nothing is left out, whoever reads.
TEST_F(RabbitStreamGroup, ComingsAndGoings) {
  for (const char* fault : {"kill \"C1\" { duration = seconds(3) }", "reset_streams { from = \"C1\", to = \"B1\" }", "kill \"B1\" { duration = seconds(2) }",
                            "stop \"C2\" { duration = seconds(3) }", "pause \"C1\" { duration = seconds(8) }", "isolate \"C2\" { duration = seconds(5) }"})
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(std::string(fault) + ", seed " + std::to_string(seed));
      expect_as_promised(run(std::string("at(ms(6100), ") + fault + ")", ", max_poll = 2, work = ms(30)", seed));
    }
}

}  // namespace
}  // namespace mqlab::rabbitmq
