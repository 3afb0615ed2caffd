// sim/lab/run.h: one run of a scenario, from nothing to verdicts.
//
// The rule: a run is (build, scenario, case, options, seed), and the same give the same bytes. The
// world runs, its checkers read along, the drain follows, and each expectation is compared with
// what was found. A claim of the model stands beside each verdict; where it leaves some clients out and
// the anomaly is seen, it stays a claim only if what the others sent shows it as well.
//
//     RunResult r = run_scenario(scenario, model, &scenario.cases[0], {.seed = 1});
//     r.as_expected;  r.verdicts;  r.fingerprint.text();
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/check/checker.h"
#include "sim/lab/scenario.h"

namespace mqlab {

struct RunOptions {
  std::uint64_t seed = 1;
  TraceLevel trace = TraceLevel::spans;
  QueueKind queue = QueueKind::heap;
  std::vector<Setting> settings{};          // after those of the case
  std::string profile{};                    // overrides the scenario's
  std::uint64_t event_limit = 200'000'000;  // a run that needs more has gone wrong
  // Called now and then; false ends the run early (Ctrl-C, a time budget). Its only effect is to stop.
  std::function<bool()> keep_going{};
};

// One line of the verdict table.
struct VerdictRow {
  Report report;
  Claim claim;
};

struct ExpectationResult {
  Expectation expectation;
  bool met = false;
  std::string why;     // when not met, or not found
  bool found = false;  // of `finds`: this run shows it
};

struct RunResult {
  std::unique_ptr<World> world;
  Deployment deployment;             // as it was really run
  std::vector<VerdictRow> verdicts;  // of every checked anomaly
  std::vector<ExpectationResult> expectations;
  bool as_expected = false;
  bool drained = false;
  std::string not_drained_because;
  bool interrupted = false;
  Fingerprint fingerprint;
  Time workload_ended{};
  Time ended{};
  std::uint64_t events{};
  std::vector<std::size_t> idle_faults;  // armed, and never bit

  const VerdictRow* verdict(std::string_view anomaly) const;
};

// Builds the world of a scenario and arms its faults, without running it.
// Throws InputError when the settings do not fit.
std::unique_ptr<World> build_world(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options, Deployment& out);

RunResult run_scenario(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options);

}  // namespace mqlab
