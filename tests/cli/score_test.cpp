// mqlab score: which scenarios notice a broken rule, and whether a hunt would.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

using Json = nlohmann::json;

const std::string scenarios = std::string(MQLAB_SOURCE_DIR) + "/scenarios/";
const std::string rebooted = scenarios + "museum/kafka/r13-a-rebooted-replica-in-the-isr.lua";

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Score, AScenarioNoticesItsRuleAndNoOther) {
  NEEDS_KAFKA();
  const Outcome o = mqlab({"score", rebooted, "--case", "a name and a life", "--rule", "isr_broker_epoch", "--rule", "list_offsets_kip207", "--json"});
  EXPECT_EQ(o.code, 0) << o.err;
  const Json j = Json::parse(o.out);
  EXPECT_EQ(j["rules"], 2);
  EXPECT_EQ(j["caught"], 1);
  for (const Json& s : j["scores"]) EXPECT_EQ(s["caught_by"].size(), s["rule"] == "isr_broker_epoch" ? 1U : 0U) << s;
  for (const Json& s : j["scores"])
    for (const Json& c : s["caught_by"]) EXPECT_TRUE(says(c["why"], "lost-message") || says(c["why"], "inconsistent-offsets")) << c;
}

TEST(Score, AScenarioThatFailsAnywayTellsNothing) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("wrong.lua", "return scenario { cluster = kafka {}, topics = { t = {} }, clients = { producer \"P\" { topic = \"t\", records = 1 } }, run_for = seconds(5), expect = { violates \"lost-message\" } }\n");
  const Outcome o = mqlab({"score", file, "--rule", "isr_join"});
  EXPECT_EQ(o.code, 1);
  EXPECT_TRUE(says(o.out, "is not as expected with every rule right")) << o.out;
}

TEST(Score, AnUnknownRuleIsNamed) {
  NEEDS_KAFKA();
  const Outcome o = mqlab({"score", rebooted, "--rule", "isr_broker_epok"});
  EXPECT_EQ(o.code, 2);
  EXPECT_TRUE(says(o.err, "isr_broker_epoch")) << o.err;
  const Outcome hunt = mqlab({"score", scenarios + "hunt/writers.lua", "--hunt", "5", "--rule", "stable_befor_open"});
  EXPECT_EQ(hunt.code, 2);
  EXPECT_TRUE(says(hunt.err, "did you mean `stable_before_open`")) << hunt.err;
}

// The story that a hunt writes shows the anomaly as it stands, and does not with the rule right.
TEST(Score, AHuntFindsWhatARuleWasThereToPrevent) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::vector<std::string> command{"score", scenarios + "hunt/writers.lua", "--hunt", "30", "--rule", "stable_before_open", "--stories", scratch.file("stories"), "--json"};
  const Outcome o = mqlab(command);
  ASSERT_EQ(o.code, 0) << o.err;
  const Json row = Json::parse(o.out)["rows"][0];
  EXPECT_EQ(row["found"], true);
  EXPECT_LE(row["percent_of_museum"], 150);
  const std::string story = row["story"];
  EXPECT_EQ(mqlab({"run", story}).code, 0);
  EXPECT_EQ(mqlab({"run", story, "--set", "stable_before_open=true"}).code, 1);
  std::vector<std::string> one_job = command;
  one_job.insert(one_job.end(), {"--jobs", "1"});
  EXPECT_EQ(mqlab(one_job).out, o.out);
}

TEST(Score, WhatIsNotFoundIsSaid) {
  NEEDS_KAFKA();
  const Outcome o = mqlab({"score", scenarios + "hunt/log.lua", "--hunt", "3", "--rule", "group_metadata"});
  EXPECT_EQ(o.code, 1);
  EXPECT_TRUE(says(o.out, "not found")) << o.out;
}

}  // namespace
}  // namespace mqlab::cli_test
