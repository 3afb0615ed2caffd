// sim/script/print_scenario.h: a scenario written as the Lua file that it could have been read from.
//
// Read back it is the same scenario: what is a default is left out, all else is said. Programs and nodes are functions of the
// file that they stand in, so that file is carried along (sim/script/original.h).
//
//     if (!why_not_printed(one)) out << print_scenario(one, model);
#pragma once

#include <optional>
#include <string>

#include "sim/lab/scenario.h"

namespace mqlab {

// Why it can't be written, for people; nothing when it can.
std::optional<std::string> why_not_printed(const Scenario& s);

// Requires: why_not_printed() is empty. Throws std::invalid_argument otherwise.
std::string print_scenario(const Scenario& s, const Model& model);

// One fault with its time, as it stands in the list `faults`.
std::string print_fault(const PlannedFault& f);

}  // namespace mqlab
