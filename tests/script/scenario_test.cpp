// The form of a scenario: what each part of the file becomes.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "sim/lab/run.h"
#include "sim/script/lua_model.h"
#include "sim/script/scenario_api.h"
#include "tests/script/toy_model.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = toy::models();
  return all;
}

Scenario load(const std::string& text) { return load_scenario(text, "t.lua", models()); }

constexpr const char* whole = R"(-- With acks=1 a cut-off leader
-- acknowledges too much.
-- Chapter: docs/x.md
return scenario {
  title = "A title",
  cluster = toy { profile = "1", brokers = 1 },
  topics = { orders = { partitions = 2, min_insync = 2 }, audit = {} },
  clients = {
    producer "P1" { topic = "orders", records = 3, every = ms(5), acks = 1, zone = "a" },
    consumer "C1" { topics = { "orders", "audit/0" }, poll_timeout = ms(0.5) },
  },
  faults = {
    at(ms(40), partition { { "B1", "P1" }, { "rest" } }),
    at(seconds(4), { kill "B1" { duration = seconds(3) }, power { "B1", duration = ms(1) } }, pause("P1", "C1")),
    when(mark "broker_up" { place = "orders/0", nth = 2 }, after(ms(5), power "leader orders/0")),
    when(sent "Produce" { from = "P1", nth = 2, every = true }, hold "Fetch" { from = "C1", to = "B1", nth = 3, count = 4, label = "h1" }),
    when(op "send ok" { from = "P1" }, release "h1", heal()),
    at(seconds(2), command("B1", "elect", "orders/0 B2")),
    at(0, latency { from = "B1", amount = ms(9), shape = "uniform" }, loss { from = "B1", to = { "P1" }, ratio = 0.01 },
       slow "B1" { ratio = 10 }, isolate { "B1", traffic = { "replication", "control" } }, duplicate_datagrams { from = "B1", ratio = { 1, 100 } },
       clock_jump "B1" { amount = -seconds(5) }),
  },
  run_for = seconds(6), drain = { limit = minutes(5), restart = false },
  links = { latency = ms(1), spread = us(100), shape = "exponential" },
  regions = { { "eu", "us", latency = ms(40) } },
  expect = { reaches "broker_up", holds "lost-message", violates "duplicate" },
  cases = {
    case "acks=1" { why = "because", set = { acks = 1, ["P1.linger"] = ms(0), profile = "2" }, faults = { at(ms(1), heal()) } },
    case "calm" { only_faults = {}, expect = { holds "duplicate" } },
  },
  sweep = { profile = { "1", "2" }, acks = { 0, 1, "all" } },
}
)";

TEST(ScenarioForm, EveryPartIsRead) {
  const Scenario s = load(whole);
  EXPECT_EQ(s.title, "A title");
  EXPECT_EQ(s.lesson, "With acks=1 a cut-off leader\nacknowledges too much.");
  EXPECT_EQ(s.chapter, "docs/x.md");
  EXPECT_EQ(s.model, "toy");
  EXPECT_EQ(s.deployment.profile, "1");
  ASSERT_EQ(s.deployment.topics.size(), 2u);
  EXPECT_EQ(s.deployment.topics[0].name, "audit");
  EXPECT_EQ(s.deployment.topics[1].options.integer("min_insync"), 2);
  EXPECT_EQ(s.deployment.topics[1].line, 7);
  ASSERT_EQ(s.deployment.clients.size(), 2u);
  const ClientSpec& p = s.deployment.clients[0];
  EXPECT_EQ(p.name, "P1");
  EXPECT_EQ(p.line, 9);
  EXPECT_EQ(p.zone, "a");
  EXPECT_EQ(p.options.text("acks"), "1");
  EXPECT_EQ(p.options.duration("every"), 5'000'000);
  EXPECT_EQ(p.options.duration("linger"), 7'000'000) << "the profile's default";
  EXPECT_EQ(s.deployment.clients[1].options.list("topics"), (std::vector<std::string>{"orders", "audit/0"}));
  EXPECT_EQ(s.deployment.clients[1].options.duration("poll_timeout"), 500'000);
  EXPECT_EQ(s.run_for, 6'000'000'000);
  EXPECT_FALSE(s.drain.restart);
  EXPECT_EQ(s.drain.limit, 300'000'000'000);
  EXPECT_TRUE(s.has_link);
  EXPECT_EQ(s.link.spread, 100'000);
  EXPECT_EQ(s.regions.size(), 2u);
  ASSERT_EQ(s.expect.size(), 3u);
  EXPECT_EQ(s.expect[2].line, 26);
  ASSERT_EQ(s.cases.size(), 2u);
  EXPECT_EQ(s.cases[0].set[0].name, "profile") << "it comes first: it changes what was not said";
  EXPECT_FALSE(s.cases[0].own_faults);
  EXPECT_TRUE(s.cases[1].own_faults);
  ASSERT_EQ(s.sweep.size(), 2u);
  EXPECT_EQ(s.sweep[0].name, "profile");
  EXPECT_EQ(s.sweep[1].values.size(), 3u);
}

TEST(ScenarioForm, FaultsSayWhatWasWritten) {
  const Scenario s = load(whole);
  std::string all;
  for (const PlannedFault& f : s.faults) all += std::to_string(f.fault.line) + " " + describe(f.trigger) + ": " + describe(f.fault) + "\n";
  EXPECT_EQ(all,
            "13 at 40 ms: partition B1, P1 | rest\n"
            "14 at 4 s: kill B1 for 3 s\n"
            "14 at 4 s: power B1 for 1 ms\n"
            "14 at 4 s: pause P1, C1\n"
            "15 when #2 broker_up on orders/0, after 5 ms: power leader orders/0\n"
            "16 each time #2 Produce is sent from P1: hold Fetch #3 C1 | B1 [h1]\n"
            "17 when send ok from P1: release [h1]\n"
            "17 when send ok from P1: heal\n"
            "18 at 2 s: elect B1 orders/0 B2\n"
            "19 at 0 s: latency B1 | rest 9 ms\n"
            "19 at 0 s: loss B1 | P1 10000/1000000\n"
            "20 at 0 s: slow B1 x10\n"
            "20 at 0 s: isolate B1 (replication, control)\n"
            "20 at 0 s: duplicate_datagrams B1 | rest 1/100\n"
            "21 at 0 s: clock_jump B1 -5 s\n");
  EXPECT_EQ(s.faults[5].fault.count, 4u);
}

TEST(ScenarioForm, RunsAsWritten) {
  const Scenario s = load(R"(return scenario { cluster = toy {}, topics = { orders = {} },
    clients = { producer "P1" { topic = "orders", records = 5 }, consumer "C1" { topics = { "orders" } } },
    run_for = seconds(3), expect = { reaches "broker_up", holds "lost-message" } })");
  const RunResult r = run_scenario(s, *models().find("toy"), nullptr, {});
  for (const auto& e : r.expectations) EXPECT_TRUE(e.met) << e.expectation.name << ": " << e.why;
  EXPECT_TRUE(r.drained) << r.not_drained_because;
}

TEST(ScenarioForm, EveryWordIsDocumentedOnce) {
  std::map<std::string, int> seen;
  for (const VerbDoc& v : scenario_verbs()) {
    ++seen[v.name];
    EXPECT_FALSE(v.sentence.empty()) << v.name;
    EXPECT_FALSE(v.group.empty()) << v.name;
  }
  for (const auto& [name, count] : seen) EXPECT_EQ(count, 1) << name;
  for (const FaultDecl& f : fault_kinds()) EXPECT_EQ(seen[f.name], 1) << f.name;
  for (const char* word : {"scenario", "at", "when", "client", "node", "reaches", "ms", "c:send", "self:sync"}) EXPECT_EQ(seen[word], 1) << word;
  EXPECT_EQ(scenario_fields().size(), 22u);
}

// The examples of the reference page are run as they stand there.
TEST(ScenarioForm, ThePageOfTheReferenceIsTrue) {
  std::ifstream in(MQLAB_SOURCE_DIR "/docs/reference/scenario.md");
  std::stringstream page;
  page << in.rdbuf();
  const std::string text = page.str();
  const std::size_t from = text.find("return scenario {\n  nodes");
  ASSERT_NE(from, std::string::npos);
  Models all;
  all.add(script::make_lua_model());
  const std::string example = text.substr(from, text.find("```", from) - from);
  const Scenario s = load_scenario(example, "page.lua", all);
  const RunResult r = run_scenario(s, *all.find("lua"), nullptr, {});
  EXPECT_TRUE(r.as_expected) << (r.expectations.empty() ? "" : r.expectations[0].why);
  std::string unsafe = example;
  unsafe.replace(unsafe.find("self:sync()"), 11, "");
  const Scenario without = load_scenario(unsafe, "page.lua", all);
  EXPECT_FALSE(run_scenario(without, *all.find("lua"), nullptr, {}).as_expected);
}

TEST(ScenarioForm, ANameIsOneNodesAlone) {
  for (const char* name : {"B1", "R"}) {
    const Scenario s = load(std::string("return scenario { cluster = toy {}, topics = { orders = {} },\n  clients = { consumer \"") + name +
                            "\" { topics = { \"orders\" } } } }");
    try {
      run_scenario(s, *models().find("toy"), nullptr, {});
      ADD_FAILURE() << name << " was taken";
    } catch (const InputError& e) {
      EXPECT_EQ(e.line, 2);
      EXPECT_NE(e.message.find(name), std::string::npos) << e.message;
    }
  }
}

TEST(ScenarioForm, DurationsAddAndMultiplyAndNeverMixWithNumbers) {
  const Scenario s = load("return scenario { cluster = toy {}, run_for = 2 * seconds(1) + ms(500) - us(1) / 2 }");
  EXPECT_EQ(s.run_for, 2'499'999'500);
  EXPECT_THROW(load("return scenario { cluster = toy {}, run_for = seconds(1) + 5 }"), InputError);
}

}  // namespace
}  // namespace mqlab
