// cli/outcome_json.h: runs and reports as JSON. The fields are described in json_reference() and, from it,
// in docs/reference/json.md: a field that is added here is added there.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/plan.h"

namespace mqlab::cli {

using Json = nlohmann::ordered_json;

Json report_json(const Journal& journal, const Report& report);
Json run_json(const Plan& plan, const RunRequest& request, const PlannedRun& run, const RunResult& r);
Json scenario_json(const Plan& plan);

// What the commands print with --json, as Markdown.
std::string json_reference();

// The text of a JSON value, whatever bytes are in its strings, and a line end.
std::string json_text(const Json& j);

}  // namespace mqlab::cli
