// sim/lab/one_run.h: one run of a scenario as a scenario of its own.
//
// A scenario stands for many runs: cases, sweeps, and faults that the seed draws. Of one of them nothing is left to
// choose but the seed of the world: the case's settings are in place, its faults and expectations are the scenario's,
// and each fault has a time. Run with the same seed it gives the same bytes.
// Elsewhere: written as Lua (sim/script/print_scenario.h).
//
//     Scenario one = one_run(scenario, model, &scenario.cases[0], {.seed = 24});
//     run_scenario(one, model, nullptr, {.seed = 24}).fingerprint  // as before
#pragma once

#include <vector>

#include "sim/lab/run.h"

namespace mqlab {

// The faults of a run, in the order in which they are armed, with all that the seed draws of them.
std::vector<PlannedFault> drawn_faults(const Scenario& s, const ScenarioCase* c, std::uint64_t seed);

// The deployment with the settings of profile, case and options in place. Throws InputError when they do not fit.
Deployment with_settings(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options);

// One case of a scenario as a scenario of its own: its settings are in place, and what its seed draws is still to be drawn.
// Throws InputError as with_settings does.
Scenario one_case(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options);

// Throws InputError as with_settings does.
Scenario one_run(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options);

}  // namespace mqlab
