// sim/record/trace.h: what happened inside, in the forms that other tools read.
//
// All need a journal recorded at the full level to show events; marks alone come from the spans
// level. docs/internals/record.md says how each form is laid out and what opens it.
//
// Always true: the same journal gives the same bytes; text from a model or a scenario is escaped
// for the form it goes to.
//
//     std::string text;
//     write_chrome_trace(journal, append_to(text));
#pragma once

#include "sim/record/text.h"
#include "sim/world/journal.h"

namespace mqlab {

inline constexpr std::string_view trace_format = "mqlab-trace/1";

// JSON Lines: a header, then every event and mark in the order they happened, and after an event what it changed in
// nodes' states, if that was recorded (the state level). state_read.h reads it back.
void write_trace(const Journal& journal, const Sink& sink);

// Chrome's Trace Event Format, for ui.perfetto.dev and chrome://tracing.
void write_chrome_trace(const Journal& journal, const Sink& sink);

// A log with vector clocks for ShiViz. The first line is the regular expression that parses it.
inline constexpr std::string_view shiviz_expression = "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})";
void write_shiviz(const Journal& journal, const Sink& sink);

struct MermaidOptions {
  std::size_t arrows_max = 150;     // what a page can show and a reader can follow
  std::size_t notes_max = 60;
  std::size_t bytes_max = 45'000;   // Mermaid refuses texts above its maxTextSize of 50,000
  bool heartbeats = false;
};
// A sequenceDiagram: messages as arrows when they arrive, marks and faults as notes.
void write_mermaid(const Journal& journal, const Sink& sink, const MermaidOptions& options = {});
// The text of a message or a note, as such a diagram takes it; what is long is cut.
std::string mermaid_text(std::string_view text);

}  // namespace mqlab
