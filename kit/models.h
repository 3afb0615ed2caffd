// kit/models.h: every model of the house, and scenarios read from files.
//
// What a C++ program needs besides sim/ and models/ to begin: the models registered once, a Lua file as a Scenario.
//
//     Scenario s = scenario_file("orders.lua");
//     PlanGenerator plans = plans_around("orders.lua");
#pragma once

#include <string>

#include "sim/hunt/plan_generator.h"

namespace mqlab {

const Models& all_models();

// Throws InputError with file, line, and what was expected there. Of a file with several designs: the first.
Scenario scenario_file(const std::string& path);
Scenario scenario_text(const std::string& text, const std::string& name = "scenario.lua");

// Plans around a scenario, within the space that it names (`hunt = { ... }`). Of a scenario with cases one must be named.
// Throws InputError.
PlanGenerator plans_around(const Scenario& s, const std::string& scenario_case = "");
PlanGenerator plans_around(const std::string& path, const std::string& scenario_case = "");

}  // namespace mqlab
