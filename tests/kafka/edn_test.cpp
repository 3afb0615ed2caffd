// Runs of real scenarios, written in Jepsen's form and read back: the same anomalies by the same names.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "models/kafka/kafka.h"
#include "sim/lab/run.h"
#include "sim/record/history.h"
#include "sim/record/jepsen.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

struct Told {
  const char* scenario;
  const char* name;                    // of the case
  std::set<std::string> shows;         // at least these, in the run and in what is read back
};

class Edn : public testing::TestWithParam<Told> {};

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::set<std::string> violated(const Journal& journal) {
  CheckSet checks;
  checks.advance(journal);
  std::set<std::string> out;
  for (const Report& r : checks.report(journal))
    if (r.verdict == Verdict::violated) out.insert(r.anomaly->name);
  return out;
}

TEST_P(Edn, CarriesTheClassesOfTheRun) {
  const Told& run = GetParam();
  Models models;
  models.add(kafka::make_model());
  const std::string path = std::string(MQLAB_SOURCE_DIR) + "/scenarios/" + run.scenario;
  const Scenario s = load_scenario(read(path), path, models);
  const ScenarioCase* found = nullptr;
  for (const ScenarioCase& c : s.cases)
    if (c.name == run.name) found = &c;
  ASSERT_NE(found, nullptr) << run.scenario << " has no case " << run.name;
  const RunResult r = run_scenario(s, *models.find(s.model), found, {.seed = 1});

  const std::set<std::string> here = violated(r.world->journal);
  Journal again;
  const auto error = read_any_history(jepsen_text(r.world->journal), again);
  ASSERT_FALSE(error) << error->line << ": " << error->message;
  EXPECT_EQ(violated(again), here);
  for (const std::string& name : run.shows) EXPECT_TRUE(here.contains(name)) << name;
  const bool worst = here.contains("G1a") || here.contains("torn-transaction") || here.contains("lost-message");
  EXPECT_FALSE(run.shows.empty() && worst);
}

INSTANTIATE_TEST_SUITE_P(
    Runs, Edn,
    testing::Values(Told{"showcase.lua", "acks=1", {"lost-message"}}, Told{"showcase.lua", "acks=all", {}},
                    Told{"museum/kafka/t05-a-late-endtxn-ends-the-next-transaction.lua", "late commit, then abort, TV1", {"G1a", "torn-transaction"}},
                    Told{"museum/kafka/t05-a-late-endtxn-ends-the-next-transaction.lua", "late commit, then abort, TV2", {}},
                    Told{"museum/kafka/t03-a-transaction-nobody-will-end.lua", "TV0", {"hung-transaction", "lost-message"}}),
    [](const auto& p) { return "run" + std::to_string(p.index + 1); });

}  // namespace
}  // namespace mqlab
