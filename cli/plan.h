// cli/plan.h: which runs a command line asks for: cases x combinations of a sweep x seeds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/face.h"
#include "sim/lab/run.h"

namespace mqlab::cli {

// What `mqlab run` was told.
struct RunRequest {
  std::string scenario;
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 1;
  bool many_seeds = false;
  bool seed_given = false;
  std::string case_name;
  std::string on;  // MODEL or MODEL:PROFILE
  std::vector<std::string> set;
  bool twice = false;
  bool json = false;
  std::string history;
  std::string trace;
  std::string format;
  std::string html;
  std::vector<std::string> measure;  // sim/lab/measured.h
  bool steps = false;
  std::string queue = "heap";
  bool verbose = false;
};

// One way to run the scenario.
struct PlannedRun {
  const ScenarioCase* scenario_case = nullptr;
  std::vector<Setting> sweep{};
  std::string label{};  // "fixed, acks=all"; empty when there is only one way
};

struct Plan {
  Scenario scenario;
  const Model* model = nullptr;
  std::vector<Setting> settings;  // of the command line
  std::string profile;
  QueueKind queue = QueueKind::heap;
  std::vector<PlannedRun> runs;   // point into `scenario`

  RunOptions options(const PlannedRun& run, std::uint64_t seed) const;
  // The command that repeats this one run.
  std::string command(const RunRequest& request, const PlannedRun& run, std::uint64_t seed) const;
};

// Declares what all subcommands that run a scenario have in common: SCENARIO, --seed, --seeds, --case, --on, --set,
// --json. What it returns gives the whole request, once the command line is parsed; it throws BadInput.
std::function<RunRequest()> add_run_options(CLI::App& app, std::shared_ptr<RunRequest> request, const std::string& seeds, const std::string& setting);

// Throws BadInput, InputError, ScriptError. The plan may not move once made: runs point into it.
std::unique_ptr<Plan> make_plan(const RunRequest& request);

// "acks=all", as --set has it. Throws BadInput.
Setting parse_setting(const std::string& text);

// The one way to run it that was asked for. Throws BadInput when there are several, or several seeds.
const PlannedRun& only_run(const Plan& plan, const RunRequest& request);

// The seed that the scenario names, where the command line named none.
RunRequest with_seed_of(RunRequest request, const Scenario& s);

// "7" or "1..100" (both ends included).
std::pair<std::uint64_t, std::uint64_t> parse_seeds(const std::string& text);

// As expected, and no promise of the model was broken that the scenario did not announce.
bool is_right(const RunResult& r);
// Promised, violated, and not announced by the scenario.
std::vector<const VerdictRow*> broken_claims(const RunResult& r);

}  // namespace mqlab::cli
