// mqlab measure: a row a case, medians over seeds, and what is told when there is nothing to measure.
#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Two members share two places; K2 comes late. `more` goes into scenario { ... }.
std::string group_with(const std::string& more) {
  return "-- A small group.\nreturn scenario {\n  title = \"A small group\",\n  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },\n"
         "  topics = { orders = { partitions = 2, replicas = 3 } },\n  clients = {\n"
         "    producer \"P\" { topic = \"orders\", records = 200, every = ms(100), start_at = seconds(15), keys = 20 },\n"
         "    consumer \"K1\" { topics = { \"orders\" }, group = \"readers\", auto_offset_reset = \"earliest\" },\n"
         "    consumer \"K2\" { topics = { \"orders\" }, group = \"readers\", auto_offset_reset = \"earliest\", start_at = seconds(20) },\n  },\n"
         "  run_for = seconds(60),\n" +
         more + "\n}\n";
}

const char* cases =
    "  expect = { holds \"lost-message\" },\n"
    "  cases = { case \"eager\" { set = { assignors = \"range\" } }, case \"cooperative\" { set = { assignors = \"cooperative-sticky\" } } },";

TEST(Measure, ARowACaseAndALegend) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const Outcome o = mqlab({"measure", scratch.write("group.lua", group_with(cases))});
  EXPECT_EQ(o.code, 0) << o.out << o.err;
  EXPECT_EQ(o.err, "");
  for (const char* part : {"A small group", "1 min, seed 1", "rounds", "stopped", "\n  eager ", "\n  cooperative ", "rebalances that began"})
    EXPECT_TRUE(says(o.out, part)) << part << "\n" << o.out;
  EXPECT_FALSE(says(o.out, "median")) << "one seed has no median\n" << o.out;
}

// What is known of the two protocols without measuring: eager takes everything, cooperative what moves, in two rounds.
TEST(Measure, TheNumbersAreOfTheRunAndDifferByProtocol) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const auto j = mqlab_json({"measure", scratch.write("group.lua", group_with(cases))});
  EXPECT_EQ(j.at("format"), "mqlab-measure/1");
  EXPECT_TRUE(j.at("as_expected").get<bool>());
  ASSERT_EQ(j.at("cases").size(), 2U);
  const auto& eager = j.at("cases").at(0).at("groups").at(0);
  const auto& cooperative = j.at("cases").at(1).at("groups").at(0);
  EXPECT_EQ(eager.at("group"), "readers");
  const auto value = [](const auto& group, const char* field) { return group.at(field).at("median").template get<std::int64_t>(); };
  EXPECT_EQ(value(eager, "rounds"), 2);
  EXPECT_EQ(value(cooperative, "rounds"), 3);
  EXPECT_EQ(value(eager, "revoked"), 2);
  EXPECT_EQ(value(cooperative, "revoked"), 1);
  EXPECT_EQ(value(eager, "moved"), 1);
  EXPECT_EQ(value(cooperative, "moved"), 1);
  EXPECT_GT(value(eager, "all_stopped_ns"), 0);
  EXPECT_EQ(value(cooperative, "all_stopped_ns"), 0);
  for (const auto* group : {&eager, &cooperative}) {
    EXPECT_EQ(value(*group, "delivered"), 200);
    EXPECT_GE(value(*group, "stopped_ns"), value(*group, "longest_ns"));
    EXPECT_GE(value(*group, "latency_p99_ns"), value(*group, "latency_p50_ns"));
    EXPECT_TRUE(says(group->at("longest_gap").at("place").template get<std::string>(), "orders/"));
  }
}

TEST(Measure, ManySeedsGiveMediansAndRanges) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("group.lua", group_with(cases));
  const Outcome o = mqlab({"measure", file, "--seeds", "3", "--case", "eager"});
  EXPECT_EQ(o.code, 0) << o.out << o.err;
  for (const char* part : {"seeds 1 to 3", "median", "least", "most"}) EXPECT_TRUE(says(o.out, part)) << part << "\n" << o.out;
  EXPECT_FALSE(says(o.out, "cooperative")) << o.out;
  const auto j = mqlab_json({"measure", file, "--seeds", "4..6", "--case", "eager"});
  EXPECT_EQ(j.at("cases").at(0).at("runs"), 3);
  const auto& stopped = j.at("cases").at(0).at("groups").at(0).at("stopped_ns");
  EXPECT_LT(stopped.at("least").get<std::int64_t>(), stopped.at("most").get<std::int64_t>());
  EXPECT_LE(stopped.at("least").get<std::int64_t>(), stopped.at("median").get<std::int64_t>());
}

TEST(Measure, WithoutAGroupThereIsNothingToMeasure) {
  NEEDS_KAFKA();
  const Outcome o = mqlab({"measure", "scenarios/showcase.lua"});
  EXPECT_EQ(o.code, 2) << o.out;
  EXPECT_EQ(o.out, "");
  EXPECT_TRUE(says(o.err, "nothing to measure")) << o.err;
  EXPECT_TRUE(says(o.err, "group = ")) << o.err;
}

// A case without a group has no row, and is not passed over in silence.
TEST(Measure, ACaseWithoutAGroupIsNamed) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const Outcome o = mqlab({"measure", scratch.write("group.lua", group_with("  expect = { holds \"lost-message\" },\n  cases = { case \"group\" {}, case \"each alone\" { set = { group = \"\" } } },"))});
  EXPECT_TRUE(says(o.out, "\n  group ")) << o.out;
  EXPECT_FALSE(says(o.out, "each alone")) << o.out;
  EXPECT_TRUE(says(o.err, "each alone: no consumer was given a place")) << o.err;
}

// A table of runs that went wrong says so.
TEST(Measure, ARunThatWasNotAsExpectedIsNamed) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const Outcome o = mqlab({"measure", scratch.write("group.lua", group_with("  expect = { violates \"lost-message\" },"))});
  EXPECT_EQ(o.code, 1) << o.out << o.err;
  EXPECT_TRUE(says(o.err, "not as the scenario expects")) << o.err;
  EXPECT_TRUE(says(o.err, "--seed 1")) << o.err;
}

TEST(Measure, WrongInputIsRefused) {
  EXPECT_EQ(mqlab({"measure"}).code, 2);
  EXPECT_EQ(mqlab({"measure", "x.lua", "--seed", "1", "--seeds", "3"}).code, 2);
  EXPECT_EQ(mqlab({"measure", "scenarios/showcase.lua", "--seed", "1..3"}).code, 2);
  EXPECT_TRUE(says(mqlab({"measure", "x.lua", "--sede", "1"}).err, "did you mean `--seed`?"));
  const Outcome help = mqlab({"measure", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_TRUE(says(help.out, "Example"));
}

}  // namespace
}  // namespace mqlab::cli_test
