// gui/core/by_hand.h: what was done to a run by hand, read back from the Lua that Intervention::lua() writes.
//
// The rule: each line read gives the intervention that wrote it, so a run made with them is the run that was kept.
//
//     spec.interventions = read_interventions({"at(ns(8005000001), kill \"B1\" {})"}, spec, all_models());
#pragma once

#include <string>
#include <vector>

#include "gui/core/recording.h"

namespace mqlab::gui {

// `spec`: the run that they are done to; its model knows the verbs. Throws InputError, with the number of the line, when one is no fault at
// a time of its own.
std::vector<Intervention> read_interventions(const std::vector<std::string>& lines, const RunSpec& spec, const Models& models);

}  // namespace mqlab::gui
