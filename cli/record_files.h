// cli/record_files.h: histories and traces as files, and the first difference of two runs.
#pragma once

#include <optional>
#include <string>

#include "sim/record/exporters.h"
#include "sim/world/journal.h"

namespace mqlab::cli {

// Throws BadInput when there is no such form, or the file's ending names none. `perfetto` is another name of `chrome`.
const Exporter& trace_form(const std::string& name, const std::string& path);
// "history, jepsen, trace, chrome ..."
std::string trace_form_names();

void write_history_file(const std::string& path, const Journal& journal);
void write_trace_file(const Exporter& form, const std::string& path, const Journal& journal);

// Where two runs part, in words. Requires: both recorded at the full level.
std::string first_difference(const Journal& a, const Journal& b);

}  // namespace mqlab::cli
