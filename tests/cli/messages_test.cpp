// What a person meets who types something wrong, or nothing at all.
#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(CommandLine, AloneItSaysWhatToTry) {
  const Outcome o = mqlab({});
  EXPECT_EQ(o.code, 0);
  EXPECT_TRUE(says(o.out, "mqlab scenarios"));
  EXPECT_TRUE(says(o.out, "mqlab run scenarios/"));
  EXPECT_EQ(o.err, "");
}

TEST(CommandLine, HelpTeachesWithExamples) {
  const Outcome all = mqlab({"--help"});
  EXPECT_EQ(all.code, 0);
  for (const char* command : {"run", "show", "check", "models", "scenarios", "anomalies", "conformance", "bench", "reference"}) {
    EXPECT_TRUE(says(all.out, command)) << command;
    const Outcome one = mqlab({command, "--help"});
    EXPECT_EQ(one.code, 0) << command;
    EXPECT_TRUE(says(one.out, "Example")) << command;
  }
}

TEST(CommandLine, AWrongCommandGetsTheNearestRightOne) {
  const Outcome o = mqlab({"scenarois"});
  EXPECT_EQ(o.code, 2);
  EXPECT_EQ(o.out, "");
  EXPECT_TRUE(says(o.err, "did you mean `scenarios`?")) << o.err;
}

TEST(CommandLine, AWrongOptionGetsTheNearestRightOne) {
  const Outcome o = mqlab({"run", "x.lua", "--sed", "1"});
  EXPECT_EQ(o.code, 2);
  EXPECT_TRUE(says(o.err, "`--sed`; did you mean `--seed`?")) << o.err;
  EXPECT_EQ(mqlab({"anomalies", "--jsno"}).code, 2);
}

TEST(CommandLine, MissingAndStrayArgumentsAreRefused) {
  EXPECT_EQ(mqlab({"run"}).code, 2);
  EXPECT_EQ(mqlab({"check"}).code, 2);
  EXPECT_EQ(mqlab({"anomalies", "lost-message", "twice"}).code, 2);
  EXPECT_EQ(mqlab({"run", "x.lua", "--format", "perfetto"}).code, 2);
  EXPECT_EQ(mqlab({"run", "x.lua", "--queue", "wheel"}).code, 2);
}

TEST(CommandLine, FilesThatAreNoFiles) {
  const Scratch scratch;
  const Outcome missing = mqlab({"run", scratch.file("nowhere.lua")});
  EXPECT_EQ(missing.code, 2);
  EXPECT_TRUE(says(missing.err, "there is no such file")) << missing.err;

  const Outcome folder = mqlab({"check", scratch.file("")});
  EXPECT_EQ(folder.code, 2);
  EXPECT_TRUE(says(folder.err, "directory")) << folder.err;

  const Outcome binary = mqlab({"check", scratch.write("binary", std::string("\x7f" "ELF\0\1\2", 7))});
  EXPECT_EQ(binary.code, 2);
  EXPECT_TRUE(says(binary.err, "binary file")) << binary.err;

  const std::string huge = scratch.write("huge.jsonl", "x");
  std::filesystem::resize_file(huge, 65ULL << 20);
  const Outcome big = mqlab({"check", huge});
  EXPECT_EQ(big.code, 2);
  EXPECT_TRUE(says(big.err, "64 MiB")) << big.err;
}

TEST(CommandLine, ResultsGoToStdoutMessagesToStderr) {
  const Outcome good = mqlab({"anomalies", "lost-message"});
  EXPECT_EQ(good.code, 0);
  EXPECT_NE(good.out, "");
  EXPECT_EQ(good.err, "");
  EXPECT_EQ(good.out.find('\033'), std::string::npos) << "colour is for terminals";
  const Outcome bad = mqlab({"anomalies", "lost-mesage"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(bad.out, "");
  EXPECT_TRUE(says(bad.err, "did you mean `lost-message`?")) << bad.err;
}

TEST(CommandLine, LinesStayWithinTheWidth) {
  setenv("MQLAB_WIDTH", "60", 1);
  const Outcome o = mqlab({"anomalies"});
  unsetenv("MQLAB_WIDTH");
  std::istringstream lines(o.out);
  for (std::string l; std::getline(lines, l);) EXPECT_LE(l.size(), 80U) << l;  // long names stand alone
}

TEST(Catalogue, AnomaliesAsJson) {
  const auto j = mqlab_json({"anomalies"});
  EXPECT_EQ(j.at("format"), "mqlab-anomalies/1");
  EXPECT_GT(j.at("anomalies").size(), 40U);
  for (const auto& a : j.at("anomalies")) EXPECT_NE(a.at("predicate"), "") << a.at("name");
  EXPECT_EQ(mqlab_json({"anomalies", "duplicate"}).at("anomalies").size(), 1U);
}

TEST(Catalogue, ModelsAsJson) {
  NEEDS_KAFKA();
  const auto j = mqlab_json({"models", "kafka"});
  EXPECT_EQ(j.at("models").size(), 1U);
  EXPECT_GT(j.at("models")[0].at("options").size(), 20U);
  EXPECT_FALSE(j.at("models")[0].at("not_modelled").empty());
  EXPECT_EQ(mqlab({"models", "kafak"}).code, 2);
  EXPECT_EQ(mqlab({"models"}).code, 0);
}

TEST(Catalogue, ScenariosAreFoundFromAnyFolder) {
  NEEDS_KAFKA();
  const auto here = mqlab_json({"scenarios"});
  if (here.is_discarded() || here.at("scenarios").empty()) GTEST_SKIP() << "the library is empty";
  const Scratch scratch;
  const Outcome there = mqlab({"scenarios", "--json"}, scratch.file(""));
  EXPECT_EQ(there.code, 0) << there.err;
  EXPECT_EQ(nlohmann::json::parse(there.out).at("scenarios").size(), here.at("scenarios").size());
  for (const auto& s : here.at("scenarios")) EXPECT_FALSE(s.contains("error")) << s.dump();
  EXPECT_EQ(mqlab({"scenarios", "zzzzzz"}).code, 2);
}

TEST(Conformance, RecordedPartitionsAgree) {
  const Outcome o = mqlab({"conformance", "tests/conformance/kafka-partitioners.json"});
  EXPECT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(o.out.ends_with("40 passed, 0 failed\n")) << o.out;
}

TEST(Conformance, ADifferenceIsNamed) {
  const Scratch scratch;
  std::string text = slurp(std::string(MQLAB_SOURCE_DIR) + "/tests/conformance/kafka-partitioners.json");
  const std::string right = "\"key\": \"ab\", \"murmur2\": [0, 0, 2,";
  ASSERT_NE(text.find(right), std::string::npos);
  text.replace(text.find(right), right.size(), "\"key\": \"ab\", \"murmur2\": [0, 0, 1,");
  const Outcome o = mqlab({"conformance", scratch.write("wrong.json", text)});
  EXPECT_EQ(o.code, 1);
  EXPECT_TRUE(says(o.out, "kafka-partition-003")) << o.out;
  EXPECT_TRUE(o.out.ends_with("39 passed, 1 failed\n")) << o.out;
}

TEST(Conformance, OtherSystemsAndOtherFilesAreRefused) {
  const Scratch scratch;
  const Outcome nats = mqlab({"conformance", scratch.write("nats.json", R"({"format":"mqlab-conformance/1","system":"nats","cases":[]})")});
  EXPECT_EQ(nats.code, 2);
  EXPECT_TRUE(says(nats.err, "no model for system `nats` yet")) << nats.err;
  for (const char* text : {"", "{", "[]", "{\"format\":1}", "{\"format\":\"mqlab-vectors/1\",\"system\":\"kafka-partitioners\"}",
                           R"({"format":"mqlab-vectors/1","system":"kafka-partitioners","partition_counts":[0],"cases":[]})",
                           R"({"format":"mqlab-vectors/1","system":"kafka-partitioners","partition_counts":["a"],"cases":[]})"})
    EXPECT_EQ(mqlab({"conformance", scratch.write("bad.json", text)}).code, 2) << text;
}

// The work of the speed comparison: the checksums are those of the naive event loop, on either queue.
TEST(Bench, ChecksumsAreThoseOfTheNaiveLoop) {
  const auto checksum = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    return mqlab_json(arguments).at("checksum").get<std::string>();
  };
  for (const char* queue : {"heap", "radix"}) {
    EXPECT_EQ(checksum({"ring", "5000000", "--queue", queue}), "9a891b849dc06600");
    EXPECT_EQ(checksum({"phold", "5000000", "--queue", queue}), "d03886ddeebe6d6f");
    EXPECT_EQ(checksum({"tandem", "300000", "--queue", queue}), "0000034615a2dd3f");
  }
  EXPECT_EQ(checksum({"hop", "100000"}), checksum({"hop", "100000", "--queue", "radix"}));
  EXPECT_EQ(checksum({"rpc", "50000"}), checksum({"rpc", "50000", "--queue", "radix"}));
}

TEST(Bench, TheLineIsTheOneThatIsRead) {
  const Outcome o = mqlab({"bench", "ring", "1000"});
  EXPECT_EQ(o.code, 0);
  EXPECT_TRUE(o.out.starts_with("peer=mqlab bench=ring units=1000 run_s=")) << o.out;
  const Outcome w = mqlab({"bench", "window", "2000"});
  for (const char* part : {"peer=mqlab bench=window", " index_s=", " seek_median_ms=", " seek_worst_ms=", " topology_ms=", " spacetime_ms=", " logs_ms=", " groups_ms=", " plots_ms="})
    EXPECT_NE(w.out.find(part), std::string::npos) << part << w.out;
  EXPECT_EQ(std::count(w.out.begin(), w.out.end(), '\n'), 1);
  EXPECT_EQ(mqlab_json({"bench", "window", "2000"}).at("checksum"), mqlab_json({"bench", "window", "2000"}).at("checksum"));
  EXPECT_EQ(mqlab({"bench", "rung"}).code, 2);
  for (const char* size : {"0", "-1", "x", "1e6"}) EXPECT_EQ(mqlab({"bench", "ring", size}).code, 2) << size;
}

}  // namespace
}  // namespace mqlab::cli_test
