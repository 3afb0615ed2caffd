// sim/script/scenario_api.h: from a Lua file to a Scenario.
//
// The file runs in a sandbox and returns `scenario { ... }`. Every word in it is checked: fields, options
// (against their declarations), verbs, anomalies, marks, profiles, times. What is wrong becomes an
// InputError with the file, the line, what was expected and the nearest right word.
//
// Always true: 1. the same text gives the same Scenario. 2. whatever the text does, the answer is a
// Scenario or an InputError, within bounded steps and memory.
// Elsewhere: the sandbox (sandbox.h), how programs run (script_host.h), the form (docs/reference/scenario.md).
//
//     Scenario s = load_scenario(text, "scenarios/museum/kafka/x.lua", models);
//     RunResult r = run_scenario(s, *models.find(s.model), nullptr, {.seed = 1});
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/lab/model.h"
#include "sim/lab/scenario.h"

namespace mqlab {

// Requires: `models` lives as long as the scenario and its worlds. `print` gets what the file prints while
// it is loaded; what programs print becomes marks named "log". `design`: which of several; empty = the first.
Scenario load_scenario(std::string_view text, const std::string& path, const Models& models,
                       const std::function<void(std::string_view)>& print = {}, const std::string& design = {});

// One word that a scenario can use, for the reference page and for completion.
struct VerbDoc {
  std::string name;
  std::string group;      // form, time, client, fault group ..., trigger, expectation, program, node
  std::string arguments;  // as it is written: "\"B1\" { duration = }"
  std::string sentence;
};

// All of them, in reading order; cluster verbs are the models' names and stand in Models.
const std::vector<VerbDoc>& scenario_verbs();

// The fields of scenario { ... } and what each wants.
const std::vector<VerbDoc>& scenario_fields();
// ... and those of its `hunt`.
const std::vector<VerbDoc>& hunt_fields();

}  // namespace mqlab
