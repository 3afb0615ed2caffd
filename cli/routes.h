// cli/routes.h: the routes that a scenario's deployment declares, as text, DOT or SVG.
#pragma once

#include <string>

#include "cli/plan.h"

namespace mqlab::cli {

enum class RouteForm : unsigned char { text, dot, svg };

// Throws BadInput when the model has no routes. Of the first way to run it that was asked for.
std::string routes_text(const Plan& plan, RouteForm form);

// The loops in which a message may travel by itself, one a line; empty when there is none, or no routes.
std::string loop_warnings(const Plan& plan, const PlannedRun& run);

}  // namespace mqlab::cli
