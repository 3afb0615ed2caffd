// sim/record/exporters.h: every form that a journal can be written in, by name.
//
// The one table behind `--format NAME` and its help.
//
//     if (const Exporter* e = find_exporter("chrome")) e->write(journal, sink);
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sim/record/text.h"
#include "sim/world/journal.h"

namespace mqlab {

struct Exporter {
  const char* name;       // as --format takes it
  const char* extension;  // of a file, with its dot
  const char* doc;        // one sentence
  TraceLevel level;       // at which a run is to be recorded for it
  void (*write)(const Journal&, const Sink&);
};

std::span<const Exporter> exporters();
// Null when there is none of that name.
const Exporter* find_exporter(std::string_view name);
// The name that `name` most likely meant, or nothing.
std::string nearest_exporter(std::string_view name);
std::string export_text(const Exporter& exporter, const Journal& journal);

}  // namespace mqlab
