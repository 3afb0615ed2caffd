#include "sim/record/exporters.h"

#include <vector>

#include "sim/record/history.h"
#include "sim/record/jepsen.h"
#include "sim/record/trace.h"

namespace mqlab {

std::span<const Exporter> exporters() {
  static constexpr Exporter table[] = {
      {"history", ".jsonl", "What clients did and saw, with marks, as JSON Lines; `mqlab check` reads it back.", TraceLevel::spans,
       [](const Journal& j, const Sink& sink) { write_history(j, sink, {.marks = true}); }},
      {"jepsen", ".edn", "What clients did and saw in the form of Jepsen's kafka workload; `mqlab check` reads it back.", TraceLevel::spans,
       write_jepsen},
      {"trace", ".trace.jsonl", "Every event and mark with its cause, and every message that never arrived, as JSON Lines.", TraceLevel::full, write_trace},
      {"states", ".states.jsonl", "The same with what each event changed in the states of nodes; `mqlab show` reads it back.", TraceLevel::state,
       write_trace},
      {"chrome", ".trace.json", "A timeline with arrows for ui.perfetto.dev and chrome://tracing.", TraceLevel::full, write_chrome_trace},
      {"shiviz", ".shiviz.log", "Events with vector clocks for bestchai.bitbucket.io/shiviz.", TraceLevel::full, write_shiviz},
      {"mermaid", ".mmd", "The first messages and marks as a Mermaid sequence diagram.", TraceLevel::full,
       [](const Journal& j, const Sink& sink) { write_mermaid(j, sink); }},
  };
  return table;
}

const Exporter* find_exporter(std::string_view name) {
  for (const Exporter& e : exporters())
    if (name == e.name) return &e;
  return nullptr;
}

std::string nearest_exporter(std::string_view name) {
  std::vector<const char*> names;
  for (const Exporter& e : exporters()) names.push_back(e.name);
  return nearest_word(name, names.data(), names.size());
}

std::string export_text(const Exporter& exporter, const Journal& journal) {
  std::string text;
  exporter.write(journal, append_to(text));
  return text;
}

}  // namespace mqlab
