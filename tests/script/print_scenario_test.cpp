// A scenario written as Lua and read back is the same scenario, and a run written down is the same run.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "kit/models.h"
#include "sim/lab/one_run.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> library() {
  std::vector<std::filesystem::path> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(MQLAB_SOURCE_DIR) + "/scenarios"))
    if (entry.path().extension() == ".lua") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

// Every case of every file of the library: written, read back, written again, and run.
TEST(PrintScenario, EachRunOfTheLibraryIsTheSameWhenReadBack) {
  int runs = 0;
  int with_programs = 0;
  for (const auto& path : library()) {
    const std::string text = read(path);
    const Scenario s = load_scenario(text, path.string(), all_models());
    ASSERT_EQ(why_not_printed(s), std::nullopt) << path;
    const Model& model = *all_models().find(s.model);
    std::vector<const ScenarioCase*> cases;
    for (const ScenarioCase& c : s.cases) cases.push_back(&c);
    if (cases.empty()) cases.push_back(nullptr);
    for (const ScenarioCase* c : cases) {
      RunOptions options;
      options.seed = 7;
      options.settings = combinations(s.sweep).back();
      SCOPED_TRACE(path.string() + (c ? " | " + c->name : ""));
      const Scenario one = one_run(s, model, c, options);
      const std::string printed = print_scenario(one, model);
      const Scenario again = load_scenario(printed, "printed.lua", all_models());
      EXPECT_EQ(print_scenario(again, model), printed);
      ASSERT_EQ(again.seed, options.seed);
      if (printed.find("based_on = file") != std::string::npos) ++with_programs;
      // One in four is run: the library is long.
      if (runs++ % 4 != 0) continue;
      const RunResult first = run_scenario(s, model, c, options);
      const RunResult second = run_scenario(again, model, nullptr, {.seed = 7});
      EXPECT_EQ(second.fingerprint.text(), first.fingerprint.text()) << printed;
      EXPECT_EQ(second.as_expected, first.as_expected);
    }
  }
  EXPECT_GT(runs, 250);
  EXPECT_GT(with_programs, 100);
}

Fault drawn_fault() {
  Fault f;
  const auto& kinds = fault_kinds();
  const auto name = [] { return *rc::gen::element<std::string>("B1", "B2", "leader orders/0", "one broker", "a \"quoted\\name\"\n"); };
  const FaultDecl& decl = *rc::gen::elementOf(kinds);
  f.kind = decl.kind;
  std::istringstream fields(decl.fields);
  const auto nanoseconds = [] { return *rc::gen::inRange<Duration>(1, 10'000'000'000'000); };
  for (std::string field; fields >> field;) {
    const auto group = [&](std::size_t i) {
      if (f.groups.size() <= i) f.groups.resize(i + 1);
      f.groups[i] = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(rc::gen::exec(name)));
    };
    if (field == "who" || field == "from") group(0);
    else if (field == "groups") group(0), group(1);
    else if (field == "to") group(1);
    else if (field == "traffic") f.traffic = *rc::gen::elementOf(std::vector<std::uint16_t>{all_traffic, traffic_bit(Traffic::client), static_cast<std::uint16_t>(traffic_bit(Traffic::replication) | traffic_bit(Traffic::heartbeat))});
    else if (field == "duration") f.duration = nanoseconds();
    else if (field == "amount") f.amount = f.kind == FaultKind::clock_drift ? *rc::gen::inRange<Duration>(1, 1'000'000'000) : nanoseconds();
    else if (field == "spread") f.spread = nanoseconds();
    else if (field == "shape") f.shape = *rc::gen::element(LatencyShape::constant, LatencyShape::uniform, LatencyShape::exponential, LatencyShape::bimodal);
    else if (field == "ratio") f.ratio = f.kind == FaultKind::slow || f.kind == FaultKind::disk_slow ? Ratio{*rc::gen::inRange<std::uint64_t>(2, 1000), 1} : Ratio{*rc::gen::inRange<std::uint64_t>(1, 100), 100};
    else if (field == "message") f.message = *rc::gen::element<std::string>("Produce", "Fetch");
    else if (field == "nth") f.nth = *rc::gen::inRange<std::uint64_t>(1, 100);
    else if (field == "count") f.count = *rc::gen::inRange<std::uint64_t>(1, 100);
    else if (field == "unit") f.unit = *rc::gen::inRange<std::int64_t>(-1, 100);
    else if (field == "file") f.file = *rc::gen::element<std::string>("", "orders/0");
    else if (field == "verb") f.verb = "elect";
    else if (field == "argument") f.argument = *rc::gen::element<std::string>("", "orders/0 B1");
    else if (field == "label") f.label = *rc::gen::element<std::string>("", "cut 1");
  }
  if (f.kind == FaultKind::bandwidth) f.amount = 1 + f.amount % 1'000'000;
  if (f.kind == FaultKind::rolling_restart) f.amount %= 86'400'000'000'000;
  return f;
}

Trigger drawn_trigger() {
  Trigger t;
  t.on = *rc::gen::element(Trigger::On::time, Trigger::On::mark, Trigger::On::message_sent, Trigger::On::message_delivered, Trigger::On::op);
  t.after = *rc::gen::inRange<Duration>(0, 100'000'000'000);
  if (t.on == Trigger::On::time) return t;
  const bool message = t.on == Trigger::On::message_sent || t.on == Trigger::On::message_delivered;
  t.name = message ? "Produce" : t.on == Trigger::On::op ? "send ok" : "leader_elected";
  t.from = *rc::gen::element<std::string>("", "P1");
  if (message) t.to = *rc::gen::element<std::string>("", "B1");
  else t.place = *rc::gen::element<std::string>("", "orders/0");
  t.nth = *rc::gen::inRange<std::uint64_t>(1, 20);
  t.every = *rc::gen::arbitrary<bool>();
  return t;
}

RC_GTEST_PROP(PrintScenario, AnyFaultIsTheSameWhenReadBack, ()) {
  Scenario s;
  s.model = "kafka";
  const Model& model = *all_models().find("kafka");
  s.deployment.profile = model.decl().default_profile;
  s.deployment.cluster = *profile_defaults(model.decl(), s.deployment.profile, "cluster");
  s.faults.push_back({drawn_fault(), drawn_trigger()});
  s.seed = *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 100), rc::gen::map<std::uint64_t>([](std::uint64_t n) { return ~n; }));
  const std::string printed = print_scenario(s, model);
  const Scenario again = load_scenario(printed, "printed.lua", all_models());
  RC_ASSERT(again.seed == s.seed);
  RC_ASSERT(again.faults.size() == 1U);
  const Fault& before = s.faults[0].fault;
  const Fault& after = again.faults[0].fault;
  RC_ASSERT(after.kind == before.kind);
  RC_ASSERT(after.groups == before.groups);
  RC_ASSERT(after.duration == before.duration);
  RC_ASSERT(after.amount == before.amount);
  RC_ASSERT(after.spread == before.spread);
  RC_ASSERT(after.traffic == before.traffic);
  RC_ASSERT(print_scenario(again, model) == printed);
}

TEST(PrintScenario, WhatAHuntMayVaryIsSaid) {
  constexpr const char* text = R"(return scenario {
  cluster = kafka { brokers = 3 },
  topics = {
    orders = { partitions = 2 },
  },
  clients = {
    producer "P1" { topic = "orders" },
  },
  run_for = minutes(1),
  hunt = { faults = "minority", faults_max = 9, from = seconds(1), to = seconds(50), kinds = { "kill", "elect" }, messages = { "Fetch" }, options = { ["P1.linger"] = { 0, ms(5) }, acks = { "1", "all" }, brokers = { 3, 5 } }, own_faults = false },
}
)";
  const Scenario s = load_scenario(text, "t.lua", all_models());
  EXPECT_EQ(s.hunt.budget, FaultBudget::minority);
  EXPECT_EQ(s.hunt.faults_max, 9U);
  EXPECT_EQ(s.hunt.from, 1'000'000'000);
  EXPECT_EQ(s.hunt.until, 50'000'000'000);
  EXPECT_EQ(s.hunt.kinds, (std::vector<std::string>{"kill", "elect"}));
  EXPECT_EQ(s.hunt.messages, std::vector<std::string>{"Fetch"});
  ASSERT_EQ(s.hunt.options.size(), 3U);
  EXPECT_EQ(s.hunt.options[1].values, (std::vector<Value>{std::string("1"), std::string("all")}));
  EXPECT_EQ(s.hunt.options[1].line, 10);
  EXPECT_FALSE(s.hunt.own_faults);
  EXPECT_EQ(print_scenario(s, *all_models().find("kafka")), text);
}

}  // namespace
}  // namespace mqlab
