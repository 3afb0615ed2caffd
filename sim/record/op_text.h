// sim/record/op_text.h: one row of the history in words, shared by all that tells a run.
#pragma once

#include <string>

#include "sim/world/journal.h"

namespace mqlab {

// "P1 sends P1-1 to orders"
std::string op_text(const Journal& j, const Op& op);

}  // namespace mqlab
