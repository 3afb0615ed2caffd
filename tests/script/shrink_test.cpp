// The smallest run that shows an anomaly: that it still does, that nothing can be left out, that it is the same anomaly.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "models/kafka/kafka.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/one_run.h"
#include "sim/lab/shrink.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = [] {
    Models m;
    m.add(kafka::make_model());
    m.add(rabbitmq::make_model());
    return m;
  }();
  return all;
}

Scenario from_text(const std::string& text) { return load_scenario(text, "test.lua", models()); }

bool shows(const Scenario& s, const std::string& anomaly) {
  const RunResult r = run_scenario(s, *models().find(s.model), nullptr, {.seed = *s.seed});
  const VerdictRow* row = r.verdict(anomaly);
  return row && row->report.verdict == Verdict::violated;
}

// A cut that loses what only the old leader had, among faults and clients that have nothing to do with it.
constexpr const char* noisy = R"(return scenario {
  seed = 3,
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 1 },
  topics = { orders = { partitions = 1, replicas = 3 }, other = { partitions = 3, replicas = 2 } },
  clients = {
    producer "P1" { topic = "orders", records = 200, every = ms(20), acks = 1, linger = ms(3), start_at = seconds(3) },
    producer "P2" { topic = "other", records = 100, every = ms(30), start_at = seconds(3) },
    consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest" },
    consumer "K2" { topics = { "other" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(ms(3217), pause "K2" { duration = seconds(2) }),
    at(ms(3901), partition { { "leader orders/0", "P1" }, { "rest" }, duration = seconds(20) }),
    at(ms(4412), reset_streams { from = "K1" }),
    at(ms(5300), pause "K1" { duration = ms(700) }),
    at(ms(6000), latency { from = "P2", amount = ms(50), duration = seconds(5) }),
  },
  run_for = seconds(60),
})";

TEST(Shrink, LeavesWhatItTakesAndNothingElse) {
  const Scenario one = from_text(noisy);
  ASSERT_TRUE(shows(one, "lost-message"));
  std::uint64_t told = 0;
  ShrinkOptions o;
  o.told = [&](const std::string&, const Scenario&) { ++told; };
  const Shrunk s = shrink(one, *models().find("kafka"), "lost-message", o);
  EXPECT_TRUE(s.shown);
  EXPECT_TRUE(s.minimal);
  EXPECT_GT(told, 5U);
  EXPECT_TRUE(shows(s.scenario, "lost-message"));
  ASSERT_EQ(s.scenario.faults.size(), 1U);
  EXPECT_EQ(s.scenario.faults[0].fault.kind, FaultKind::partition);
  EXPECT_EQ(s.scenario.faults[0].trigger.after % 100'000'000, 0) << "a round time does as well";
  EXPECT_EQ(s.scenario.deployment.topics.size(), 1U);
  EXPECT_LT(size_of(s.scenario).operations, 200);
  // 1-minimal: without the fault, any client, or any given option it is gone, or another thing.
  const Model& model = *models().find("kafka");
  const std::vector<OptionDecl> decls = all_options(model.decl());
  Scenario without = s.scenario;
  without.faults.clear();
  EXPECT_FALSE(shows(without, "lost-message"));
  for (std::size_t i = 0; i < s.scenario.deployment.clients.size() && s.scenario.deployment.clients.size() > 1; ++i) {
    without = s.scenario;
    without.deployment.clients.erase(without.deployment.clients.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(shows(without, "lost-message")) << s.scenario.deployment.clients[i].name;
  }
  // Printed and read back it is the same.
  EXPECT_TRUE(shows(from_text(print_scenario(s.scenario, model)), "lost-message"));
}

// The same steps from the same run: the way there holds no chance of its own.
TEST(Shrink, TwiceIsTheSame) {
  const Model& model = *models().find("kafka");
  const Shrunk a = shrink(from_text(noisy), model, "lost-message");
  const Shrunk b = shrink(from_text(noisy), model, "lost-message");
  EXPECT_EQ(print_scenario(a.scenario, model), print_scenario(b.scenario, model));
  EXPECT_EQ(a.runs, b.runs);
}

// acks=0 loses as well, and is no answer where the claim's reason was another; a broken rule stays where it is.
TEST(Shrink, ARuleThatIsSwitchedStays) {
  std::string text = noisy;
  text.replace(text.find("min_insync = 1"), 14, "min_insync = 1, unclean_election = true, dedup_window = 1");
  const Scenario one = from_text(text);
  const Model& model = *models().find("kafka");
  const std::vector<OptionDecl> decls = all_options(model.decl());
  const Shrunk s = shrink(one, model, "lost-message");
  ASSERT_TRUE(s.shown);
  for (const auto& [name, v] : one.deployment.cluster.values())
    if (const OptionDecl* d = find_option(decls, "cluster", name); d && d->is_switch && one.deployment.cluster.given(name)) {
      EXPECT_TRUE(s.scenario.deployment.cluster.given(name)) << name;
    }
}

// A loop has options of three scopes in one table: what is left of them is still said.
TEST(Shrink, ALoopKeepsItsOwnOptions) {
  const std::string path = std::string(MQLAB_SOURCE_DIR) + "/scenarios/search/transform.lua";
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  const Scenario all = load_scenario(text.str(), path, models());
  const Model& model = *models().find("kafka");
  const auto c = std::find_if(all.cases.begin(), all.cases.end(), [](const ScenarioCase& x) { return x.name == "positions without the generation"; });
  ASSERT_NE(c, all.cases.end());
  const Scenario one = one_run(all, model, &*c, {.seed = 61});
  const Shrunk s = shrink(one, model, "effect-duplicate");
  ASSERT_TRUE(s.shown);
  EXPECT_TRUE(s.minimal);
  const std::string printed = print_scenario(s.scenario, model);
  EXPECT_NE(printed.find("positions = \"in_transaction\""), std::string::npos) << printed;
  EXPECT_TRUE(shows(from_text(printed), "effect-duplicate")) << printed;
}

TEST(Shrink, ARunThatShowsNothingStaysAsItIs) {
  const Scenario one = from_text(noisy);
  const Model& model = *models().find("kafka");
  const Shrunk s = shrink(one, model, "duplicate");
  EXPECT_FALSE(s.shown);
  EXPECT_FALSE(s.minimal);
  EXPECT_EQ(s.runs, 1U);
  EXPECT_EQ(print_scenario(s.scenario, model), print_scenario(one, model));
}

TEST(Shrink, StopsWhenItIsToldTo) {
  const Model& model = *models().find("kafka");
  ShrinkOptions o;
  o.runs = 5;
  const Shrunk s = shrink(from_text(noisy), model, "lost-message", o);
  EXPECT_LE(s.runs, 5U);
  EXPECT_FALSE(s.minimal);
  EXPECT_TRUE(shows(s.scenario, "lost-message"));
}

}  // namespace
}  // namespace mqlab
