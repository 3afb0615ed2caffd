// mqlab run: exit codes, hostile scenarios, files written, and the same run twice.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

// A calm little cluster; `more` goes into scenario { ... }.
std::string scenario_with(const std::string& more) {
  return "-- A calm cluster.\nreturn scenario {\n  title = \"Calm\",\n  cluster = kafka { brokers = 3, min_insync = 2 },\n  topics = { orders = {} },\n"
         "  clients = { producer \"P1\" { topic = \"orders\", records = 5, start_at = seconds(5) }, consumer \"Reader\" { topics = { \"orders\" } } },\n"
         "  run_for = seconds(10),\n" +
         more + "\n}\n";
}

const char* good_end = "  expect = { holds \"lost-message\" },";

TEST(Run, ZeroWhenAsExpectedOneWhenNot) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const Outcome good = mqlab({"run", scratch.write("good.lua", scenario_with(good_end))});
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  for (const char* part : {"Calm", "Story", "Verdicts", "lost-message", "as promised", "fingerprint", "--trace trace.json --format perfetto"})
    EXPECT_NE(good.out.find(part), std::string::npos) << part << "\n" << good.out;
  EXPECT_EQ(good.err, "");

  const Outcome bad = mqlab({"run", scratch.write("bad.lua", scenario_with("  expect = { violates \"lost-message\" },"))});
  EXPECT_EQ(bad.code, 1) << bad.out << bad.err;
  EXPECT_NE(bad.out.find("NOT MET"), std::string::npos) << bad.out;
}

TEST(Run, JsonIsValidAndComplete) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const auto j = mqlab_json({"run", scratch.write("good.lua", scenario_with(good_end))});
  EXPECT_EQ(j.at("format"), "mqlab-run/1");
  EXPECT_TRUE(j.at("as_expected").get<bool>());
  const auto& run = j.at("runs").at(0);
  EXPECT_EQ(run.at("fingerprint").get<std::string>().size(), 32U);
  EXPECT_TRUE(run.at("drained").get<bool>()) << run.at("not_drained_because");
  EXPECT_FALSE(run.at("verdicts").empty());
  for (const auto& v : run.at("verdicts")) EXPECT_FALSE(v.at("square").get<std::string>().empty());
}

TEST(Run, TwiceIsTheSameAndSoIsTheOtherQueue) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("good.lua", scenario_with(good_end));
  const Outcome twice = mqlab({"run", file, "--twice"});
  EXPECT_EQ(twice.code, 0) << twice.err;
  EXPECT_NE(twice.out.find("the same fingerprint"), std::string::npos) << twice.out;
  const auto print = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", file});
    return mqlab_json(more).at("runs").at(0).at("fingerprint");
  };
  EXPECT_EQ(print({"--queue", "heap"}), print({"--queue", "radix"}));
  EXPECT_EQ(print({"--seed", "7"}), print({"--seed", "7", "--trace", scratch.file("t.json")})) << "looking changes nothing";
  EXPECT_NE(print({"--seed", "7"}), print({"--seed", "8"}));
  EXPECT_EQ(print({"--seed", "16"}), print({"--seed", "0x10"})) << "as a scenario prints a large one";
  for (const char* bad : {"0x", "0xg", "0x1 ", "x10"}) EXPECT_EQ(mqlab({"run", file, "--seed", bad}).code, 2) << bad;
}

TEST(Run, AHistoryComesBackThroughCheck) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("good.lua", scenario_with(good_end));
  for (const char* name : {"history.jsonl", "history.edn"}) {
    const std::string history = scratch.file(name);
    ASSERT_EQ(mqlab({"run", file, "--history", history}).code, 0);
    const Outcome o = mqlab({"check", history});
    EXPECT_EQ(o.code, 0) << name << o.out << o.err;
  }
  const auto live = mqlab_json({"run", file}).at("runs").at(0).at("verdicts");
  const auto read = mqlab_json({"check", scratch.file("history.jsonl")}).at("verdicts");
  ASSERT_EQ(live.size(), read.size());
  for (std::size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(live[i].at("anomaly"), read[i].at("anomaly"));
    EXPECT_EQ(live[i].at("verdict"), read[i].at("verdict")) << live[i].at("anomaly");
    EXPECT_EQ(live[i].at("count"), read[i].at("count")) << live[i].at("anomaly");
  }
}

TEST(Run, TracesAreWrittenInEveryForm) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("good.lua", scenario_with(good_end));
  for (const char* form : {"perfetto", "chrome", "trace", "shiviz", "mermaid", "jepsen", "history"}) {
    const std::string to = scratch.file(std::string("trace-") + form);
    const Outcome o = mqlab({"run", file, "--trace", to, "--format", form});
    EXPECT_EQ(o.code, 0) << form << o.err;
    EXPECT_GT(slurp(to).size(), 100U) << form;
  }
  EXPECT_TRUE(nlohmann::json::accept(slurp(scratch.file("trace-perfetto"))));
  EXPECT_EQ(mqlab({"run", file, "--trace", scratch.file("x"), "--format", "perfeto"}).code, 2);
  EXPECT_EQ(mqlab({"run", file, "--trace", scratch.file("no/such/folder/x.json")}).code, 2);
  for (const auto& entry : std::filesystem::directory_iterator(scratch.file("")))
    EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << "a temporary file was left behind";
}

TEST(Run, SeedsAreCountedAndTheFirstFailureNamed) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const auto good = mqlab_json({"run", scratch.write("good.lua", scenario_with(good_end)), "--seeds", "1..5"});
  EXPECT_EQ(good.at("format"), "mqlab-seeds/1");
  EXPECT_EQ(good.at("runs"), 5);
  EXPECT_EQ(good.at("as_expected_runs"), 5);
  const std::string bad_file = scratch.write("bad.lua", scenario_with("  expect = { violates \"lost-message\" },"));
  const Outcome bad = mqlab({"run", bad_file, "--seeds", "3..4"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_NE(bad.out.find("first failure: seed 3"), std::string::npos) << bad.out;
  EXPECT_NE(bad.out.find("--seed 3"), std::string::npos) << bad.out;
  for (const char* range : {"5..1", "a..b", "1..", "-1..2"}) EXPECT_EQ(mqlab({"run", bad_file, std::string("--seeds=") + range}).code, 2) << range;
}

TEST(Run, CasesProfilesAndSettingsAreChecked) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write(
      "cases.lua", scenario_with(std::string(good_end) + "\n  cases = { case \"weak\" { set = { acks = 1 } }, case \"strong\" { set = { acks = \"all\" } } },"));
  const Outcome all = mqlab({"run", file});
  EXPECT_EQ(all.code, 0) << all.out << all.err;
  EXPECT_NE(all.out.find("Summary"), std::string::npos);
  EXPECT_EQ(mqlab({"run", file, "--case", "strong"}).code, 0);
  const auto near = [&](std::vector<std::string> more, const char* meant) {
    more.insert(more.begin(), {"run", file});
    const Outcome o = mqlab(more);
    EXPECT_EQ(o.code, 2);
    EXPECT_NE(o.err.find(meant), std::string::npos) << o.err;
  };
  near({"--case", "stron"}, "did you mean `strong`?");
  near({"--set", "ackss=1"}, "did you mean `acks`?");
  near({"--set", "acks=2"}, "all");
  near({"--set", "acks"}, "key=value");
  near({"--on", "kafak"}, "did you mean `kafka`?");
  near({"--on", "kafka:3.8"}, "profile");
  near({"--history", scratch.file("h")}, "choose one with --case");
}

struct Hostile {
  const char* name;
  std::string text;
  const char* line;  // "file.lua:LINE:", or empty when only the file can be named
};

// Each ends with code 2 and a message that names the line; none hurts the lab.
TEST(Run, HostileScenariosEndInAClearError) {
  NEEDS_KAFKA();
  const std::vector<Hostile> corpus = {
      {"endless loop", "\nwhile true do end", ":2:"},
      {"a string of a gigabyte", "\nlocal s = string.rep('x', 1 << 30)\nreturn s", ":2:"},
      {"doubling strings", "local s = 'xxxxxxxxxxxxxxxx'\nwhile true do s = s .. s end", ":2:"},
      {"a table without end", "local t = {}\nlocal i = 0\nwhile true do i = i + 1; t[i] = { i } end", ":3:"},
      {"deep recursion", "local function f(n)\n  return 1 + f(n + 1)\nend\nf(1)", ":2:"},
      {"pcall around a loop", "pcall(function()\n  while true do end\nend)\nwhile true do end", ":"},
      {"a syntax error", "return scenario {\n  cluster = = 1\n}", ":2:"},
      {"no scenario", "return 42", ":"},
      {"a wrong type", "return scenario { cluster = kafka {},\n  run_for = \"soon\" }", ":"},
      {"an unknown field", "return scenario { cluster = kafka {},\n  run_forr = seconds(1) }", ":"},
      {"an unknown option", "return scenario { cluster = kafka {\n  broker = 3 } }", ":"},
      {"a negative time", "return scenario { cluster = kafka {},\n  faults = { at(-seconds(1), heal()) } }", ":2:"},
      {"a million topics", "local t = {}\nfor i = 1, 1000000 do t['t' .. i] = {} end\nreturn scenario { cluster = kafka {}, topics = t }", ":"},
      {"a million partitions", "return scenario { cluster = kafka {},\n  topics = { orders = { partitions = 1000000 } } }", ":2:"},
      {"an unknown verb", "return scenario { cluster = kafka {},\n  faults = { at(seconds(1), isolte \"B1\") } }", ":2:"},
      {"an unknown node", "return scenario { cluster = kafka {},\n  faults = { at(seconds(1), isolate \"B9\") } }", ":2:"},
      {"an unknown anomaly", "return scenario { cluster = kafka {},\n  expect = { holds \"lost-mesage\" } }", ":2:"},
      {"the world outside", "os.execute('true')", ":1:"},
      {"bytecode", std::string("\x1bLua") + "T", ""},
      {"an endless program", "return scenario { cluster = kafka {}, topics = { orders = {} },\n  clients = { client(\"X\", function(c)\n    while true do end\n  end) } }", ":"},
      {"an empty file", "", ":"},
  };
  const Scratch scratch;
  for (const Hostile& h : corpus) {
    const std::string file = scratch.write("hostile.lua", h.text);
    const auto begun = std::chrono::steady_clock::now();
    const Outcome o = mqlab({"run", file});
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    EXPECT_EQ(o.code, 2) << h.name << "\n" << o.out << o.err;
    EXPECT_NE(o.err.find("hostile.lua" + std::string(h.line)), std::string::npos) << h.name << "\n" << o.err;
    EXPECT_LT(o.err.size(), 4000U) << h.name;
    EXPECT_LT(seconds, 60) << h.name;
  }
}

}  // namespace
}  // namespace mqlab::cli_test
