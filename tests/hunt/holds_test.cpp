// EXPECT_HOLDS: that it passes, fails with a small story, and does not pass when nothing was tested.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "kit/rapidcheck.h"
#include "kit/testing.h"
#include "sim/script/print_scenario.h"

namespace mqlab {
namespace {

constexpr const char* orders = R"(return scenario {
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(50), start_at = seconds(3), acks = "all" },
    consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  run_for = seconds(20),
  hunt = { faults_max = 4 },
  cases = { case "all" {}, case "one" { set = { ["P1.acks"] = "1" } } },
})";

const PlanGenerator& plans_of(const std::string& name) {
  static const PlanGenerator all = plans_around(scenario_text(orders), "all"), one = plans_around(scenario_text(orders), "one");
  return name == "all" ? all : one;
}

TEST(Holds, APropertyThatHoldsPasses) {
  EXPECT_HOLDS(plans_of("all"), "lost-message, settles", {.runs = 100});
  const HoldsResult r = check_holds(plans_of("all"), "promises", {.runs = 50});
  EXPECT_TRUE(r.holds) << r.message;
  EXPECT_EQ(r.runs, 50U);
  EXPECT_EQ(r.tested, 50U);
}

TEST(Holds, OneThatDoesNotFailsWithAStoryThatRuns) {
  const HoldsResult r = check_holds(plans_of("one"), "lost-message");
  ASSERT_FALSE(r.holds);
  EXPECT_EQ(r.anomaly, "lost-message");
  EXPECT_LE(r.story.faults.size(), 2U);
  // The story in the message is a scenario of its own, and shows it.
  const std::size_t lua = r.message.find("-- lost-message");
  ASSERT_NE(lua, std::string::npos) << r.message;
  const Scenario story = scenario_text(r.message.substr(lua));
  const RunResult run = run_scenario(story, *all_models().find(story.model), nullptr, {.seed = *story.seed});
  EXPECT_TRUE(run.as_expected) << r.message;
  // The seed shows it again, alone.
  const HoldsResult again = check_holds(plans_of("one"), "lost-message", {.runs = 1, .first_seed = r.seed});
  EXPECT_FALSE(again.holds);
  EXPECT_EQ(again.seed, r.seed);
  EXPECT_NONFATAL_FAILURE(EXPECT_HOLDS(plans_of("one"), "lost-message"), "MQLAB_RUNS=1, with --gtest_filter=Holds.OneThatDoesNotFailsWithAStoryThatRuns");
}

TEST(Holds, LivenessFailsWithAStoryToo) {
  static Scenario impatient = scenario_text(orders);
  impatient.cases.clear();
  impatient.drain.limit = 1'000'000;
  impatient.run_for = 4'000'000'000;
  impatient.seed = 3;
  impatient.faults.push_back({Fault{.kind = FaultKind::pause, .groups = {{"K1"}}, .duration = 1'000'000}, at(1'000'000'000)});
  const HoldsResult r = check_holds(impatient, "settles");
  ASSERT_FALSE(r.holds);
  EXPECT_EQ(r.anomaly, "not-settled");
  EXPECT_EQ(r.runs, 1U);
  EXPECT_TRUE(r.story.faults.empty()) << "the pause has nothing to do with it";
  EXPECT_EQ(r.story.deployment.clients.size(), 1U);
}

TEST(Holds, WhatWasNotTestedDoesNotPass) {
  static Scenario silent = scenario_text(orders);
  silent.cases.clear();
  silent.deployment.clients.erase(silent.deployment.clients.begin());
  EXPECT_NONFATAL_FAILURE(EXPECT_HOLDS(silent, "lost-message"), "was not tested: none of 1 runs decides it");
  EXPECT_THROW((void)check_holds(silent, "lost-mesage"), InputError);
}

TEST(Holds, TheEnvironmentSaysHowManyRuns) {
  ASSERT_EQ(setenv("MQLAB_RUNS", "7", 1), 0);
  ASSERT_EQ(setenv("MQLAB_SEED", "100", 1), 0);
  const HoldsResult r = check_holds(plans_of("all"), "lost-message");
  ASSERT_EQ(setenv("MQLAB_RUNS", "seven", 1), 0);
  EXPECT_THROW((void)check_holds(plans_of("all"), "lost-message"), InputError);
  unsetenv("MQLAB_RUNS");
  unsetenv("MQLAB_SEED");
  EXPECT_EQ(r.runs, 7U);
  EXPECT_EQ(r.seed, 106U);
}

TEST(Holds, ACaseMustBeNamedRightly) {
  EXPECT_THROW((void)plans_around(scenario_text(orders)), InputError);
  try {
    (void)plans_around(scenario_text(orders), "on");
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean `one`?"), std::string::npos) << e.what();
  }
}

RC_GTEST_PROP(Holds, PlansAreRapidChecksValues, ()) {
  const Scenario plan = *plans(plans_of("all"));
  RC_ASSERT(plan.seed.has_value());
  RC_ASSERT(check_holds(plan, "lost-message").holds);
}

// RapidCheck's own shrinking ends with few elements.
TEST(Holds, RapidCheckShrinksByOneElementLess) {
  const rc::Gen<Scenario> gen = plans(plans_of("one"));
  const auto loses = [](const Scenario& s) { return !check_holds(s, "lost-message", {.shrink_runs = 0}).holds; };
  for (std::uint64_t seed = 1; seed < 500; ++seed) {
    const rc::Shrinkable<Scenario> first = gen(rc::Random(seed), rc::kNominalSize);
    if (first.value().faults.size() < 2 || !loses(first.value())) continue;
    const auto [smallest, path] = rc::shrinkable::findLocalMin(first, loses);
    EXPECT_LE(smallest.faults.size(), first.value().faults.size());
    for (const Scenario& less : smaller_plans(smallest)) EXPECT_FALSE(loses(less)) << story_text(smallest) << "\n and less: " << story_text(less);
    return;
  }
  FAIL() << "no plan with two faults loses a message";
}

TEST(Holds, AGeneratorMayBeChangedOnTheWay) {
  const auto slower = [](Scenario s) {
    s.faults.push_back({Fault{.kind = FaultKind::disk_slow, .groups = {{"B2"}}, .ratio = {50, 1}}, at(0)});
    return s;
  };
  EXPECT_HOLDS(rc::gen::map(plans(plans_of("all")), slower), "lost-message", {.runs = 20});
}

}  // namespace
}  // namespace mqlab
