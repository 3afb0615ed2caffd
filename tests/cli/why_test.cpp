// mqlab why, the forms of mqlab shrink, and mqlab replay.
#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string quorum = std::string(MQLAB_SOURCE_DIR) + "/scenarios/search/quorum.lua";

std::vector<std::string> two(std::vector<std::string> command, const std::vector<std::string>& more) {
  command.insert(command.end(), {quorum, "--case", "4.3", "--seed", "2", "--anomaly", "fifo-violation"});
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

TEST(Why, SaysWhatStandsBehindIt) {
  NEEDS_KAFKA();
  const Outcome o = mqlab(two({"why"}, {"--seeds-each", "3"}));
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(says(o.out, "Not promised: ")) << o.out;
  EXPECT_TRUE(says(o.out, "FAULT 1: kill one broker for 4 s (here B2)")) << o.out;
  EXPECT_TRUE(says(o.out, "* fifo-violation is certain")) << o.out;
  EXPECT_TRUE(says(o.out, "In the slice: ")) << o.out;
  EXPECT_TRUE(says(o.out, "as it is")) << o.out;
  EXPECT_TRUE(says(o.out, "without kill one broker for 4 s")) << o.out;
}

TEST(Why, NamesTheAnswerThatNeverArrived) {
  NEEDS_KAFKA();
  const std::string story = std::string(MQLAB_SOURCE_DIR) + "/scenarios/museum/kafka/p01-retry-duplicate.lua";
  const nlohmann::json j = mqlab_json({"why", story, "--case", "idempotence=false", "--anomaly", "duplicate", "--seeds-each", "0"});
  std::string lost;
  for (const auto& step : j["steps"])
    if (step["kind"] == "lost") lost += step["text"].get<std::string>() + "\n";
  EXPECT_TRUE(says(lost, "->P1 ProduceReply") && says(lost, "never arrived: a fault dropped it")) << lost;
}

TEST(Why, AsJson) {
  NEEDS_KAFKA();
  const nlohmann::json j = mqlab_json(two({"why"}, {"--seeds-each", "2", "--what-if", "brokers=1", "--steps", "12"}));
  EXPECT_EQ(j["format"], "mqlab-why/1");
  EXPECT_EQ(j["anomaly"], "fifo-violation");
  EXPECT_LE(j["steps"].size(), 12U);
  EXPECT_EQ(j["faults"].size(), 5U);
  EXPECT_TRUE(j["alone"]["shown"]);
  EXPECT_EQ(j["what_if"][0]["what"], "as it is");
  EXPECT_EQ(j["what_if"].back()["what"], "with brokers=1");
  for (const auto& w : j["what_if"]) {
    if (w["runs"] == 0) continue;
    EXPECT_LE(w["low"], w["high"]);
  }
}

TEST(Why, BadQuestionsAreRefusedBeforeAnybodyWaits) {
  NEEDS_KAFKA();
  const Outcome o = mqlab(two({"why"}, {"--what-if", "brokerz=1"}));
  EXPECT_EQ(o.code, 2);
  EXPECT_TRUE(says(o.err, "brokerz")) << o.err;
}

TEST(Shrink, InEveryForm) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string lua = scratch.file("s.lua"), mermaid = scratch.file("s.mmd"), html = scratch.file("s.html"), capsule = scratch.file("s.capsule");
  ASSERT_EQ(mqlab(two({"shrink"}, {"--out", lua, "--mermaid", mermaid, "--html", html, "--capsule", capsule})).code, 0);
  const std::string text = slurp(lua);
  EXPECT_TRUE(says(text, "-- 1. at 16.000000 s: power B3 for ")) << text;
  EXPECT_TRUE(slurp(mermaid).starts_with("sequenceDiagram\n"));
  const std::string page = slurp(html);
  EXPECT_TRUE(says(page, "<svg ")) << page;
  EXPECT_TRUE(says(page, "return scenario {")) << page;
  EXPECT_FALSE(says(page, "<script")) << page;
  EXPECT_FALSE(says(page, "src=")) << page;

  const Outcome same = mqlab({"replay", capsule});
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_TRUE(says(same.out, "same: fingerprint ")) << same.out;
  // Another fault: the run is another one, and shows it no more.
  std::string other = slurp(capsule);
  const std::size_t at = other.find("power { who");
  ASSERT_NE(at, std::string::npos) << other;
  other.replace(at, 5, "slow");
  other.replace(other.find("duration"), 8, "ratio = 2, duration");
  const Outcome differs = mqlab({"replay", scratch.write("other.capsule", other)});
  EXPECT_EQ(differs.code, 1) << differs.out << differs.err;
  EXPECT_TRUE(says(differs.out, "not shown any more")) << differs.out;
  const Outcome broken = mqlab({"replay", scratch.write("broken.capsule", slurp(capsule).substr(0, 200))});
  EXPECT_EQ(broken.code, 2);
  EXPECT_TRUE(says(broken.err, "this is no capsule: it is not JSON")) << broken.err;
  EXPECT_EQ(mqlab({"replay", scratch.file("nothing")}).code, 2);
}

}  // namespace
}  // namespace mqlab::cli_test
