// cli/library.h: where scenarios are found, and how one is loaded.
#pragma once

#include <string>
#include <vector>

#include "sim/lab/scenario.h"

namespace mqlab::cli {

// Loads a scenario file, given as a path or as its name in the library ("museum/kafka/unclean-election").
// Throws BadInput, InputError or ScriptError.
// `design`: which of several; empty = the first.
Scenario load_scenario_file(const std::string& path, const std::string& design = {});

// The folders that hold scenarios, nearest first: ./scenarios, the source's, the installed ones.
std::vector<std::string> library_folders();

// Every scenario of the first folder that has some: shown as a path that `mqlab run` takes, in order.
std::vector<std::string> library_files();

}  // namespace mqlab::cli
