#include <map>

#include "sim/record/event_text.h"
#include "sim/record/trace.h"

namespace mqlab {

// Mermaid ends a statement at ';' and a comment begins at '#', and the page shows the text as HTML: such characters go as
// entity codes (mermaid.js.org, sequence diagrams).
std::string mermaid_text(std::string_view text) {
  constexpr std::size_t text_max = 120;
  std::string out;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (shown >= text_max) {
      out += "...";
      break;
    }
    const std::size_t n = utf8_length(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    switch (c) {
      case ';': out += "#59;"; break;
      case '#': out += "#35;"; break;
      case '<': out += "#lt;"; break;
      case '>': out += "#gt;"; break;
      case '&': out += "#amp;"; break;
      case '"': out += "#quot;"; break;
      case '%': out += "#37;"; break;  // "%%" begins a comment, "%%{" a directive
      case '\\': out += "#92;"; break;
      case '{': out += "#123;"; break;
      case '}': out += "#125;"; break;
      case ':': out += "#58;"; break;  // ":wrap:" would be a directive
      default:
        if (n == 0 || c < 0x20 || c == 0x7f) out += ' ';
        else out.append(text.substr(i, n));
    }
    i += n == 0 ? 1 : n;
    ++shown;
  }
  return out.empty() ? " " : out;
}

namespace {

struct Picture {
  std::string body;
  std::map<NodeId, bool> seen;  // lines that take part
  std::size_t arrows = 0, notes = 0;
  std::size_t more_arrows = 0, more_notes = 0, heartbeats = 0;
};

}  // namespace

void write_mermaid(const Journal& journal, const Sink& sink, const MermaidOptions& options) {
  Picture p;
  const auto id = [](NodeId line) { return line == nobody ? std::string("world") : "n" + std::to_string(line); };
  const auto participant = [&](NodeId line) { return "  participant " + id(line) + " as " + mermaid_text(line_name(journal, line)) + "\n"; };
  std::size_t names = 0;  // bytes that the participants take
  const auto take_part = [&](NodeId line) {
    if (p.seen.emplace(line, true).second) names += participant(line).size();
  };
  const auto full = [&] { return p.body.size() + names > options.bytes_max; };
  // After the first thing left out nothing is added, so that the picture has no hole inside.
  const auto note = [&](NodeId line, const std::string& text, Time time) {
    if (p.more_arrows + p.more_notes > 0 || p.notes >= options.notes_max || full()) {
      ++p.more_notes;
      return;
    }
    ++p.notes;
    take_part(line);
    p.body += "  Note over " + id(line) + ": " + mermaid_text(text) + " (" + format_time(time) + ")\n";
  };
  // Whether there is room for one more; after the first without, there is none.
  const auto arrow = [&](const Event& e) {
    const bool heartbeat = e.type < journal.messages.size() && journal.messages[e.type].traffic == Traffic::heartbeat;
    if (heartbeat && !options.heartbeats) return ++p.heartbeats, false;
    if (p.more_arrows + p.more_notes > 0 || p.arrows >= options.arrows_max || full()) return ++p.more_arrows, false;
    ++p.arrows;
    take_part(e.source);
    if (e.target != nobody) take_part(e.target);
    return true;
  };
  visit_trace(journal, {.delivery =
                            [&](const Delivery& d, std::size_t) {
                              const Event& e = d.event;
                              if (static_cast<EventKind>(e.kind) == EventKind::fault) return note(nobody, event_text(journal, d), d.time);
                              if (!is_message(e) || !arrow(e)) return;
                              std::string text = event_name(journal, d);
                              if (const std::string details = event_details(journal, d); !details.empty()) text += " " + details;
                              const bool stream = static_cast<EventKind>(e.kind) == EventKind::data;
                              p.body += "  " + id(e.source) + (stream ? "->>" : "-)") + id(e.target) + ": " + mermaid_text(text) + " (" +
                                        format_time(d.time) + ")\n";
                            },
                        .mark = [&](const Mark& m) { note(m.node, mark_text(journal, m), m.time); },
                        .drop =
                            [&](const Drop& d) {
                              const Event& e = d.event;
                              if (!arrow(e)) return;
                              const std::string when = " (" + format_time(d.time) + ")\n";
                              if (e.target == nobody) p.body += "  Note over " + id(e.source) + ": " + mermaid_text(drop_words(journal, d)) + when;
                              else p.body += "  " + id(e.source) + "-x" + id(e.target) + ": " + mermaid_text(drop_words(journal, d)) + when;
                            }});

  TextOut out(sink);
  out << "sequenceDiagram\n";
  if (p.seen.empty()) take_part(nobody);
  for (const auto& [line, _] : p.seen) out << participant(line);
  const NodeId first = p.seen.begin()->first;
  const NodeId last = p.seen.rbegin()->first;
  const std::string over = first == last ? id(first) : id(first) + "," + id(last);
  if (p.arrows + p.notes + p.more_arrows + p.more_notes == 0)
    out << "  Note over " << over << ": nothing was recorded (trace level full records events)\n";
  out << p.body;
  if (p.more_arrows + p.more_notes > 0)
    out << "  Note over " << over << ": ... " << p.more_arrows << " messages and " << p.more_notes << " notes more\n";
  if (p.heartbeats > 0) out << "  Note over " << over << ": " << p.heartbeats << " heartbeats are not shown\n";
  out.flush();
}

}  // namespace mqlab
