// What is demanded of a run: which runs break it, which decide nothing.
#include <gtest/gtest.h>

#include "sim/hunt/property.h"
#include "tests/hunt/plans.h"

namespace mqlab {
namespace {

// The leader is cut off with its producer: what it acknowledged alone is lost.
Scenario cut_off_leader(const std::string& acks, const std::string& expect = "") {
  return scenario_of(R"(return scenario {
    seed = 1,
    cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
    topics = { orders = { partitions = 1, replicas = 3 } },
    clients = {
      producer "P1" { topic = "orders", records = 60, every = ms(50), start_at = seconds(3), acks = ")" + acks + R"(" },
      consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest" },
    },
    faults = { at(seconds(4), partition { { "leader orders/0", "P1" }, { "rest" }, duration = seconds(30) }) },
    run_for = seconds(60),
    expect = { )" + expect + R"( },
  })");
}

RunResult run_of(const Scenario& s) { return run_scenario(s, *all_models().find(s.model), nullptr, {.seed = s.seed.value_or(1)}); }

std::vector<std::string> broken(const std::string& property, const RunResult& r) {
  std::vector<std::string> all;
  for (const Breach& b : breaches(parse_property(property), r)) all.push_back(b.anomaly);
  return all;
}

bool contains(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

TEST(Property, AnAnomalyByNameCountsPromisedOrNot) {
  const RunResult r = run_of(cut_off_leader("1"));
  const auto found = breaches(parse_property("lost-message"), r);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].anomaly, "lost-message");
  ASSERT_NE(found[0].row, nullptr);
  EXPECT_FALSE(found[0].row->claim.claimed);
  EXPECT_FALSE(found[0].sentence.empty());
  EXPECT_TRUE(broken("duplicate", r).empty());
}

TEST(Property, PromisesAreOnlyWhatTheModelPromises) {
  EXPECT_FALSE(contains(broken("promises", run_of(cut_off_leader("1"))), "lost-message"));
  EXPECT_TRUE(broken("promises", run_of(cut_off_leader("all"))).empty());
  // A rule that is broken on purpose is promised to be right as deployed by a profile; here the claim itself is turned round.
  RunResult r = run_of(cut_off_leader("1"));
  for (VerdictRow& v : r.verdicts) v.claim.claimed = true;
  EXPECT_TRUE(contains(broken("promises", r), "lost-message"));
}

TEST(Property, WhatTheScenarioAnnouncesBreaksNoPromise) {
  RunResult r = run_of(cut_off_leader("1", "finds \"lost-message\""));
  for (VerdictRow& v : r.verdicts) v.claim.claimed = true;
  EXPECT_FALSE(contains(broken("promises", r), "lost-message"));
  EXPECT_TRUE(contains(broken("lost-message", r), "lost-message")) << "asked for by name, it counts all the same";
}

TEST(Property, ExpectedIsWhatTheScenarioExpects) {
  EXPECT_TRUE(broken("expected", run_of(cut_off_leader("1", "violates \"lost-message\", reaches \"leader_elected\""))).empty());
  EXPECT_EQ(broken("expected", run_of(cut_off_leader("1", "holds \"lost-message\", reaches \"transaction_timed_out\""))), (std::vector<std::string>{"lost-message", "transaction_timed_out"}));
}

TEST(Property, SettlesIsLiveness) {
  Scenario s = cut_off_leader("all");
  EXPECT_TRUE(broken("settles", run_of(s)).empty());
  EXPECT_TRUE(tested(parse_property("settles"), run_of(s)));
  s.drain.limit = 1'000'000;  // nothing comes to rest so fast
  s.run_for = 5'000'000'000;
  const RunResult r = run_of(s);
  const auto found = breaches(parse_property("settles"), r);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].anomaly, "not-settled");
  EXPECT_EQ(found[0].row, nullptr);
  s.drain.enabled = false;
  EXPECT_FALSE(tested(parse_property("settles"), run_of(s))) << "without a drain nothing is asked";
  EXPECT_TRUE(broken("settles", run_of(s)).empty());
}

// A controller quorum of one whose disk is emptied: nobody knows any more what the cluster was.
TEST(Property, SettlesIsNotAskedOfThoseWhoForgotAll) {
  Scenario s = cut_off_leader("all");
  const auto wipe = [&](const char* whom) {
    Scenario with = s;
    PlannedFault p;
    p.fault.kind = FaultKind::wipe;
    p.fault.groups = {{whom}};
    p.fault.duration = 1'000'000'000;
    p.trigger.after = 3'000'000'000;
    with.faults = {p};
    return run_of(with);
  };
  const RunResult forgot = wipe("C1");
  EXPECT_FALSE(forgot.drained);
  EXPECT_TRUE(broken("settles", forgot).empty());
  EXPECT_FALSE(tested(parse_property("settles"), forgot));
  EXPECT_TRUE(tested(parse_property("settles"), wipe("B3"))) << "one of three is not half of them";
}

TEST(Property, ARunThatDecidesNothingIsNotTested) {
  Scenario s = cut_off_leader("all");
  s.deployment.clients.erase(s.deployment.clients.begin());  // nobody sends
  s.faults.clear();
  const RunResult r = run_of(s);
  EXPECT_FALSE(tested(parse_property("lost-message"), r));
  EXPECT_TRUE(tested(parse_property("lost-message"), run_of(cut_off_leader("all"))));
}

std::string complaint(const std::string& text) {
  try {
    (void)parse_property(text);
  } catch (const InputError& e) {
    return e.what();
  }
  return "nothing";
}

TEST(Property, TextsAreChecked) {
  EXPECT_EQ(parse_property("promises, settles ,lost-message").anomalies, std::vector<std::string>{"lost-message"});
  EXPECT_TRUE(parse_property("promises, settles").settles);
  EXPECT_NE(complaint("promisses").find("did you mean `promises`?"), std::string::npos);
  EXPECT_NE(complaint("lost-mesage").find("did you mean `lost-message`?"), std::string::npos);
  EXPECT_NE(complaint("").find("here is nothing"), std::string::npos);
  EXPECT_NE(complaint("promises,,").find("is no property"), std::string::npos);
}

}  // namespace
}  // namespace mqlab
