// sim/lab/scenario.h: a scenario as data: cluster, load, faults, expectations, cases.
//
// Lua files become one of these (sim/script/scenario_api.h); so could a form in the window, or a
// generator. A museum piece carries its anomaly and its fix as two cases of one file.
//
// Always true of a loaded scenario: options are checked, names are known, times are not negative.
//
//     Scenario s = load_scenario(text, path, models);
//     RunResult r = run_scenario(s, model, &s.cases[0], {.seed = 7});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/check/checker.h"
#include "sim/lab/model.h"
#include "sim/lab/plan_space.h"

namespace mqlab {

struct Expectation {
  // finds: the anomaly depends on chance. A single run may show it or not; of many seeds at least one must.
  enum class Kind : std::uint8_t { reaches, holds, violates, finds };
  Kind kind{};
  std::string name;  // a mark, or an anomaly
  int line = 0;
};
const char* expectation_name(Expectation::Kind k);

struct PlannedFault {
  Fault fault;
  Trigger trigger;
  // Drawn by the run's seed: a time from trigger.after to here, and one of the fault and these.
  Time until = -1;
  std::vector<Fault> others{};
};

// Changes an option: "acks" (wherever such an option is: all producers), "P1.acks" (one client),
// "orders.min_insync" (one topic), "bank.durability" (one service), a knob of the scenario's own, "profile".
struct Setting {
  std::string name;
  Value value;
  bool from_text = false;  // the value came as text from a command line and is parsed by the option's type
  int line = 0;
};
std::string describe(const Setting& s);

// One way to run the scenario: settings that differ, and what must be seen then.
struct ScenarioCase {
  std::string name;
  std::string sentence{};
  std::vector<Setting> set{};
  std::vector<PlannedFault> faults{};  // added to the scenario's
  bool own_faults = false;             // ... or instead of them
  std::vector<Expectation> expect{};
  int line = 0;
};

// Every combination of these is run.
struct Sweep {
  std::string name;
  std::vector<Value> values;
  int line = 0;
};

// One of several systems that the same story is told on.
struct DesignDecl {
  std::string name;      // "rabbitmq:quorum"
  std::string sentence{};
  std::string model;
  int line = 0;
};

// How a run ends: faults are healed, processes restarted, a reader reads every place from its
// beginning, and all may catch up; only then is `late` called `lost`.
struct DrainPlan {
  bool enabled = true;
  bool restart = true;
  Duration limit = 300'000'000'000;
};

struct Scenario {
  std::string path;
  std::string title;
  std::string lesson;   // the comment at the head of the file
  std::string chapter;
  std::string model;    // "kafka"
  std::vector<DesignDecl> designs;          // of a file that compares; else empty
  std::string design;                       // ... the one that this is
  Deployment deployment;
  std::vector<PlannedFault> faults;
  Duration run_for = 60'000'000'000;
  std::optional<std::uint64_t> seed;        // the run that the file tells of, where nobody asks for another
  DrainPlan drain;
  LinkOptions link{};                       // between nodes, when `has_link`
  bool has_link = false;
  std::vector<std::tuple<std::string, std::string, LinkOptions>> regions;
  std::vector<Expectation> expect;          // of every case, and of a run without cases
  std::vector<ScenarioCase> cases;
  std::vector<Sweep> sweep;
  PlanSpace hunt;                           // what a hunt may vary
  std::shared_ptr<const Extension> programs;  // what the Lua programs need; cloned into each world
};

// What a scenario or a command line got wrong; `line` 0 when there is none to name.
struct InputError : std::runtime_error {
  InputError(std::string file_name, int line_number, std::string text);
  std::string file;
  int line;
  std::string message;
};

// Applies settings to a deployment; the error says which and why, with the nearest right word.
std::optional<std::string> apply_setting(const Model& model, Deployment& d, const Setting& s);
// Puts the deployment on another profile: values that were given stay.
std::optional<std::string> apply_profile(const Model& model, Deployment& d, const std::string& profile);

// The combinations of a sweep as settings, in order; one empty list when there is no sweep.
std::vector<std::vector<Setting>> combinations(const std::vector<Sweep>& sweep);

}  // namespace mqlab
