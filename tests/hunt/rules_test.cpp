// Rules broken one at a time, and what the museum has on each.
#include "sim/hunt/rule_hunt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/face.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

namespace fs = std::filesystem;

std::vector<Scenario> museum(const std::string& family) {
  std::vector<std::string> files;
  for (const auto& f : fs::directory_iterator(std::string(MQLAB_SOURCE_DIR) + "/scenarios/museum/" + family)) files.push_back(f.path().string());
  std::sort(files.begin(), files.end());
  std::vector<Scenario> all;
  for (const std::string& file : files) {
    std::ifstream in(file);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    all.push_back(load_scenario(text, file, cli::all_models()));
  }
  return all;
}

const RuleCase* find(const std::vector<RuleCase>& all, const std::string& text) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const RuleCase& c) { return c.rule.text() == text; });
  return it == all.end() ? nullptr : &*it;
}

TEST(Rules, EachIsBrokenInEachWay) {
  const Model* kafka = cli::all_models().find("kafka");
  std::vector<std::string> all;
  for (const BrokenRule& r : broken_rules(kafka->decl())) all.push_back(r.text());
  const auto count = [&](const std::string& text) { return std::count(all.begin(), all.end(), text); };
  EXPECT_EQ(count("transactions=tv0"), 1);
  EXPECT_EQ(count("transactions=tv1"), 1);
  EXPECT_EQ(count("transactions=tv2"), 0);  // the right one
  EXPECT_EQ(count("fetch_epoch_check=false"), 1);
  EXPECT_EQ(count("client_honours_throttle=false"), 1);  // of producers and of consumers
}

TEST(Rules, TheMuseumSaysWhatARuleIsThereToPrevent) {
  const Model* kafka = cli::all_models().find("kafka");
  const std::vector<RuleCase> all = rule_cases(museum("kafka"), *kafka);
  const RuleCase* epoch = find(all, "fetch_epoch_check=false");
  ASSERT_TRUE(epoch);
  EXPECT_TRUE(std::any_of(epoch->exhibits.begin(), epoch->exhibits.end(), [](const Exhibit& x) { return x.anomaly == "lost-message"; }));
  for (const Exhibit& x : epoch->exhibits) EXPECT_GT(x.size.faults, 0U) << x.file;
  // Neither of the two is today's rule.
  const RuleCase* truncation = find(all, "truncation=kip101");
  ASSERT_TRUE(truncation);
  EXPECT_EQ(to_text(truncation->right), "kip279");
  // Today's rule is the one that hurts: Kafka 4.5 has the other one.
  const RuleCase* first = find(all, "first_sequence_zero=false");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->right, Value{true});
}

TEST(Rules, WhoHasNoSuchOptionIsNotAsked) {
  const Model* kafka = cli::all_models().find("kafka");
  const Scenario s = load_scenario("return scenario { cluster = kafka {}, topics = { t = {} }, clients = { producer \"P\" { topic = \"t\" } } }", "one.lua", cli::all_models());
  for (const BrokenRule& r : broken_rules(kafka->decl())) EXPECT_EQ(applies(*kafka, s.deployment, r), r.rule->scope != "consumer") << r.text();
}

Scenario hunted(const std::string& name) {
  const std::string file = std::string(MQLAB_SOURCE_DIR) + "/scenarios/hunt/" + name + ".lua";
  std::ifstream in(file);
  return load_scenario(std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()), file, cli::all_models());
}

bool shows_with(Scenario plan, const Model& model, const RuleCase& c, const Value& value, const std::string& anomaly) {
  EXPECT_FALSE(apply_setting(model, plan.deployment, {c.rule.rule->name, value, false, 0}));
  return shows(run_scenario(plan, model, nullptr, {.seed = plan.seed.value_or(1)}), anomaly);
}

// What is found is the rule's doing, and is told by anybody who hunts with the same words.
TEST(Rules, AHuntFindsWhatABrokenRuleLeadsToWithoutTheMuseumsSchedule) {
  const Model* rabbitmq = cli::all_models().find("rabbitmq");
  const std::vector<RuleCase> all = rule_cases(museum("rabbitmq"), *rabbitmq);
  const RuleCase* twice = find(all, "acks_twice=true");
  ASSERT_TRUE(twice);
  const std::vector<Scenario> bases{hunted("work-queue"), hunted("cut-quorum")};
  for (const char* search : {"random", "mix"}) {
    const RuleFind f = hunt_rule(*twice, bases, *rabbitmq, {.search = search, .runs = 400, .shrink_runs = 200});
    ASSERT_TRUE(f.found) << search;
    EXPECT_TRUE(shows_with(f.shrunk.scenario, *rabbitmq, *twice, twice->rule.value, f.anomaly));
    EXPECT_FALSE(shows_with(f.shrunk.scenario, *rabbitmq, *twice, twice->right, f.anomaly));
    EXPECT_LT(size_of(f.shrunk.scenario).elements(), f.before.elements());
    const RuleFind again = hunt_rule(*twice, bases, *rabbitmq, {.search = search, .runs = 400, .shrink_runs = 1});
    EXPECT_EQ(again.runs, f.runs);
    EXPECT_EQ(again.seed, f.seed);
  }
}

// Where a dozen plans run the same with the rule broken and right, it has no say, and time is better spent elsewhere.
TEST(Rules, ABaseInWhichTheRuleHasNoSayHasFewerTurns) {
  const Model* kafka = cli::all_models().find("kafka");
  const std::vector<RuleCase> all = rule_cases(museum("kafka"), *kafka);
  const RuleCase* join = find(all, "isr_join=hw");
  ASSERT_TRUE(join);
  const RuleFind f = hunt_rule(*join, {hunted("log"), hunted("in-sync")}, *kafka, {.search = "random", .runs = 250, .shrink_runs = 1});
  ASSERT_FALSE(f.found);
  EXPECT_GE(f.units[0], 12U) << "it had its dozen";
  EXPECT_GT(f.units[1], 2 * f.units[0]);
  EXPECT_EQ(hunt_rule(*join, {hunted("in-sync")}, *kafka, {.search = "random", .runs = 50, .shrink_runs = 1}).units[0], 50U) << "alone it has all turns, and nothing is compared";
}

// Where no dozen plans tell, one looks where the museum tells of the rule: it keeps all of its turns.
TEST(Rules, WhereARuleHasNoSayAnywhereItsChapterHasMoreTurns) {
  const Model* kafka = cli::all_models().find("kafka");
  const std::vector<RuleCase> all = rule_cases(museum("kafka"), *kafka);
  const RuleCase* marker = find(all, "strict_marker_epoch=false");
  ASSERT_TRUE(marker);
  const std::vector<Scenario> bases{hunted("log"), hunted("writers"), hunted("lost-answers")};
  ASSERT_EQ(marker->exhibits.front().chapter, bases[1].chapter);
  const RuleFind f = hunt_rule(*marker, bases, *kafka, {.search = "random", .runs = 250, .shrink_runs = 1});
  ASSERT_FALSE(f.found);
  EXPECT_GE(f.units[0], 12U);
  EXPECT_GT(f.units[1], 2 * f.units[0]);
  EXPECT_EQ(f.units[0], f.units[2]);
}

// Who varies the rule that is broken would mend it in half of the runs.
TEST(Rules, NoPlanOfAHuntMendsTheRule) {
  const Model* rabbitmq = cli::all_models().find("rabbitmq");
  const std::vector<RuleCase> all = rule_cases(museum("rabbitmq"), *rabbitmq);
  const RuleCase* twice = find(all, "acks_twice=true");
  ASSERT_TRUE(twice);
  Scenario varied = hunted("work-queue");
  varied.hunt.options = {{"acks_twice", {false}, 0}};
  EXPECT_TRUE(hunt_rule(*twice, {varied}, *rabbitmq, {.search = "random", .runs = 400, .shrink_runs = 1}).found);
}

}  // namespace
}  // namespace mqlab
