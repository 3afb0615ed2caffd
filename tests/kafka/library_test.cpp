// Every scenario of the library, every case: it shows what it says, and shows it again.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/kafka/kafka.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/run.h"
#include "sim/script/lua_model.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

std::vector<std::string> library() {
  std::vector<std::string> out;
  for (const auto& e : std::filesystem::recursive_directory_iterator(std::string(MQLAB_SOURCE_DIR) + "/scenarios"))
    if (e.path().extension() == ".lua") out.push_back(e.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Library : public testing::TestWithParam<std::string> {
 protected:
  Library() {
    models.add(kafka::make_model());
    models.add(rabbitmq::make_model());
    models.add(script::make_lua_model());
  }
  Models models;
};

// The catalogue names, for an anomaly, the scenario to begin with: it must show just that.
TEST(LibraryItself, ShowsTheAnomaliesItIsNamedFor) {
  Models models;
  models.add(kafka::make_model());
  models.add(rabbitmq::make_model());
  int named = 0;
  for (const Anomaly& anomaly : all_anomalies()) {
    if (!*anomaly.scenario) continue;
    ++named;
    const std::string path = std::string(MQLAB_SOURCE_DIR) + "/" + anomaly.scenario;
    ASSERT_TRUE(std::filesystem::exists(path)) << anomaly.name << ": " << path;
    const Scenario s = load_scenario(read(path), path, models);
    bool shown = false;
    for (const ScenarioCase& c : s.cases) {
      const RunResult r = run_scenario(s, *models.find(s.model), &c, {.seed = 1});
      const VerdictRow* v = r.verdict(anomaly.name);
      shown = shown || (v && v->report.verdict == Verdict::violated);
    }
    EXPECT_TRUE(shown) << anomaly.scenario << " does not show " << anomaly.name;
  }
  EXPECT_GE(named, 14);
}

// The scenario on each of its designs, or as it is when it has one cluster.
std::vector<Scenario> on_each_design(const std::string& path, const Models& models) {
  std::vector<Scenario> all;
  all.push_back(load_scenario(read(path), path, models));
  const std::vector<DesignDecl> designs = all.front().designs;
  for (std::size_t i = 1; i < designs.size(); ++i) all.push_back(load_scenario(read(path), path, models, {}, designs[i].name));
  return all;
}

// The ways to run it: its cases, or itself.
std::vector<const ScenarioCase*> ways(const Scenario& s) {
  std::vector<const ScenarioCase*> all;
  for (const ScenarioCase& c : s.cases) all.push_back(&c);
  if (all.empty()) all.push_back(nullptr);
  return all;
}

std::string name_of(const Scenario& s, const ScenarioCase* c) { return s.design + (c ? " " + c->name : ""); }

TEST(LibraryItself, IsNotEmpty) { EXPECT_FALSE(library().empty()); }

TEST_P(Library, EachCaseShowsWhatItSays) {
  for (const Scenario& s : on_each_design(GetParam(), models)) {
    const Model* model = models.find(s.model);
    if (!model) GTEST_SKIP() << "the scenario runs on `" << s.model << "`, which is no model of this folder";
    const bool hunted = GetParam().find("/hunt/") != std::string::npos;  // `mqlab hunt` brings the faults, and compares
    ASSERT_FALSE(s.cases.empty() && s.designs.size() < 2 && !hunted) << "a scenario without cases or designs compares nothing";
    const bool drawn = std::any_of(s.faults.begin(), s.faults.end(), [](const PlannedFault& f) { return f.until >= 0; });
    for (const ScenarioCase* c : ways(s))
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const RunResult r = run_scenario(s, *model, c, {.seed = seed});
        for (const ExpectationResult& e : r.expectations)
          EXPECT_TRUE(e.met) << name_of(s, c) << " seed " << seed << ": " << expectation_name(e.expectation.kind) << " " << e.expectation.name << ": " << e.why;
        // What chance brings may come when there is nothing to bite: a process that is dead already.
        EXPECT_TRUE(drawn || r.idle_faults.empty()) << name_of(s, c) << " seed " << seed << ": a fault never bit";
      }
  }
}

// What a case `finds`, some seed finds: a mistake that no run shows would be a claim without evidence.
TEST_P(Library, WhatChanceIsToShowIsFound) {
  const Scenario s = load_scenario(read(GetParam()), GetParam(), models);
  const Model* model = models.find(s.model);
  if (!model) GTEST_SKIP() << "the scenario runs on `" << s.model << "`, which is no model of this folder";
  for (const ScenarioCase& c : s.cases) {
    std::vector<std::string> open;
    for (const Expectation& e : c.expect)
      if (e.kind == Expectation::Kind::finds) open.push_back(e.name);
    for (std::uint64_t seed = 1; seed <= 200 && !open.empty(); ++seed) {
      const RunResult r = run_scenario(s, *model, &c, {.seed = seed});
      std::erase_if(open, [&](const std::string& name) { return r.verdict(name)->report.verdict == Verdict::violated; });
    }
    EXPECT_TRUE(open.empty()) << c.name << ": none of 200 seeds finds " << open.front();
  }
}

// A run is (build, scenario, options, seed); which of the two queues carries it must not show.
TEST_P(Library, RunsTheSameTwiceAndOnBothQueues) {
  for (const Scenario& s : on_each_design(GetParam(), models)) {
    const Model* model = models.find(s.model);
    if (!model) GTEST_SKIP() << "the scenario runs on `" << s.model << "`, which is no model of this folder";
    for (const ScenarioCase* c : ways(s)) {
      const RunResult first = run_scenario(s, *model, c, {.seed = 1});
      EXPECT_EQ(first.fingerprint.text(), run_scenario(s, *model, c, {.seed = 1}).fingerprint.text()) << name_of(s, c);
      EXPECT_EQ(first.fingerprint.text(), run_scenario(s, *model, c, {.seed = 1, .queue = QueueKind::radix}).fingerprint.text()) << name_of(s, c);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Library, testing::ValuesIn(library()), [](const auto& p) {
  std::string name = std::filesystem::path(p.param).stem().string();
  std::replace_if(name.begin(), name.end(), [](unsigned char ch) { return !std::isalnum(ch); }, '_');
  return name;
});

}  // namespace
}  // namespace mqlab
