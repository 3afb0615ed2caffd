#include "sim/record/state_read.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/record/text.h"
#include "sim/record/trace.h"

namespace mqlab {

namespace {

constexpr std::size_t path_max = 256;  // trees are walked by calls that call themselves
constexpr std::uint64_t number_max = static_cast<std::uint64_t>(time_max);

// As event_text.cpp writes an event that has two ends.
bool between_nodes(std::string_view kind) {
  static constexpr std::string_view kinds[] = {"data", "datagram", "open", "opened", "closed", "reset", "window"};
  return std::find(std::begin(kinds), std::end(kinds), kind) != std::end(kinds);
}

}  // namespace

std::optional<TraceError> TraceReader::line(std::string_view text) {
  ++line_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (Complaint c = row(text)) return TraceError{line_, std::move(*c)};
  return std::nullopt;
}

std::optional<TraceError> TraceReader::end() {
  const auto fail = [&](std::string text) { return TraceError{std::max<std::size_t>(line_, 1), std::move(text)}; };
  if (!has_header_) return fail(fmt::format("the trace is empty: it begins with a line {{\"format\":\"{}\" ...}}", trace_format));
  if (Complaint c = flush()) return fail(std::move(*c));
  const auto count = [&](const char* what, std::uint64_t announced, std::uint64_t there) -> Complaint {
    if (announced == there) return {};
    return fmt::format("the first line announces {} {}, and there are {}: {}", announced, what, there, there < announced ? "the file was cut off; record it again" : "rows were added");
  };
  if (Complaint c = count("events", header_.events, step_.number)) return fail(std::move(*c));
  if (Complaint c = count("marks", header_.marks, marks_)) return fail(std::move(*c));
  if (Complaint c = count("changes", header_.changes, changes_)) return fail(std::move(*c));
  if (Complaint c = count("drops", header_.drops, drops_)) return fail(std::move(*c));
  return std::nullopt;
}

TraceReader::Complaint TraceReader::row(std::string_view text) {
  if (text.size() > trace_line_max) return fmt::format("the line is longer than {} bytes: one row a line was expected", trace_line_max);
  if (text.find_first_not_of(" \t") == std::string_view::npos) return {};
  if (Complaint c = parse_json_row(text, fields_, "messages")) return has_header_ ? *c + "; on the last line it means that the file was cut off" : "this is no trace: " + *c;
  if (!has_header_) return read_header();
  if (field("event")) return event_row();
  if (field("mark")) return mark_row();
  if (field("state")) return state_row();
  if (field("drop")) return drop_row();
  return "the row is none of a trace: it has no \"event\", \"mark\", \"state\" or \"drop\"";
}

TraceReader::Complaint TraceReader::read_header() {
  std::string format;
  if (!field("format")) return fmt::format("this is no trace: it begins with a line {{\"format\":\"{}\" ...}}, as `mqlab run SCENARIO --trace FILE --format states` writes it", trace_format);
  if (Complaint c = text("format", format, true)) return c;
  if (format != trace_format) return fmt::format("the format is {}; a trace has \"{}\"{}", shown(format), trace_format, format.starts_with("mqlab-history") ? ", and `mqlab check` reads histories" : "");
  if (Complaint c = words("processes", header_.processes)) return c;
  if (Complaint c = number("events", header_.events)) return c;
  if (Complaint c = number("marks", header_.marks)) return c;
  if (field("changes"))
    if (Complaint c = number("changes", header_.changes)) return c;
  if (field("drops"))
    if (Complaint c = number("drops", header_.drops)) return c;
  if (field("step_paths"))
    if (Complaint c = words("step_paths", header_.step_paths)) return c;
  has_header_ = true;
  return {};
}

TraceReader::Complaint TraceReader::event_row() {
  if (Complaint c = flush()) return c;
  StateStep next;
  next.number = step_.number + 1;
  std::uint64_t time = 0;
  std::string node, kind, from, what, details;
  if (Complaint c = number("event", next.event)) return c;
  if (Complaint c = number("time", time)) return c;
  if (Complaint c = text("kind", kind, true)) return c;
  if (Complaint c = text("node", node, false)) return c;
  if (Complaint c = text("from", from, false)) return c;
  if (Complaint c = text(kind == "timer" ? "timer" : "message", what, false)) return c;
  if (Complaint c = text("text", details, false)) return c;
  next.time = static_cast<Time>(time);
  if (next.time < step_.time) return fmt::format("\"time\" goes back, from {} to {}", step_.time, next.time);
  if (node.empty()) node = "world";
  next.text = between_nodes(kind) ? from + "->" + node : node;
  next.text += " " + (what.empty() ? kind : what);
  if (!details.empty()) next.text += " " + details;
  step_ = std::move(next);
  return {};
}

TraceReader::Complaint TraceReader::mark_row() {
  ++marks_;
  StepMark m;
  std::string place, about;
  if (Complaint c = text("mark", m.text, true)) return c;
  if (Complaint c = text("node", m.node, false)) return c;
  if (Complaint c = text("place", place, false)) return c;
  if (Complaint c = text("text", about, false)) return c;
  if (!place.empty()) m.text += " " + place;
  if (!about.empty()) m.text += ": " + about;
  if (step_.number != 0) step_.marks.push_back(std::move(m));
  return {};
}

TraceReader::Complaint TraceReader::state_row() {
  ++changes_;
  StepChange row;
  std::uint64_t during = 0;
  if (Complaint c = text("state", row.node, true)) return c;
  if (Complaint c = number("during", during)) return c;
  if (Complaint c = words("path", row.path)) return c;
  if (Complaint c = known_process(row.node)) return c;
  if (row.path.size() > path_max) return fmt::format("the path is {} deep, and {} is the limit", row.path.size(), path_max);
  if (step_.number == 0 || during != step_.event) return fmt::format("a state row stands after the event that changed it; this one is of event {}, which is not the one before", during);
  const bool removed = !field("new");
  const bool added = !field("old");
  if (added && removed) return "the row has neither \"old\" nor \"new\"";
  row.change.kind = added ? TreeChange::Kind::added : removed ? TreeChange::Kind::removed : TreeChange::Kind::changed;
  if (Complaint c = text("old", row.change.before, !added)) return c;
  if (Complaint c = text("new", row.change.now, !removed)) return c;
  if (added) {
    std::uint64_t at = 0;
    if (Complaint c = number("at", at)) return c;
    row.change.at = static_cast<std::uint32_t>(std::min<std::uint64_t>(at, ~std::uint32_t{0}));
  }
  if (!fold_.apply(row))
    return fmt::format("the row does not fit the rows before it: it {} {} of {}", added ? "adds" : removed ? "removes" : "changes", row.path.empty() ? "the state" : shown(row.path.back()), shown(row.node));
  step_.changes.push_back(std::move(row));
  return {};
}

// No step: it changes nothing. It is only looked at.
TraceReader::Complaint TraceReader::drop_row() {
  ++drops_;
  std::uint64_t time = 0, sent = 0;
  std::string why, to, from, what;
  if (Complaint c = text("drop", why, true)) return c;
  if (Complaint c = number("time", time)) return c;
  if (Complaint c = number("sent", sent)) return c;
  if (Complaint c = text("from", from, true)) return c;
  if (Complaint c = text("node", to, false)) return c;
  if (Complaint c = text("message", what, true)) return c;
  if (static_cast<Time>(time) < step_.time) return fmt::format("\"time\" goes back, from {} to {}", step_.time, time);
  if (sent > time) return fmt::format("the message was over at {}, before it was \"sent\", at {}", time, sent);
  return {};
}

TraceReader::Complaint TraceReader::flush() {
  if (step_.number != 0) visitor_(step_);
  return {};
}

const JsonField* TraceReader::field(std::string_view key) const {
  for (const JsonField& f : fields_)
    if (f.key == key) return &f;
  return nullptr;
}

TraceReader::Complaint TraceReader::text(std::string_view key, std::string& out, bool needed) const {
  const JsonField* f = field(key);
  if (!f && !needed) return {};
  if (!f || f->kind != JsonField::Kind::text) return fmt::format("\"{}\" {}", key, f ? "must be text" : "is missing");
  out = f->text;
  return {};
}

TraceReader::Complaint TraceReader::number(std::string_view key, std::uint64_t& out) const {
  const JsonField* f = field(key);
  if (!f) return fmt::format("\"{}\" is missing", key);
  if (f->kind != JsonField::Kind::number || f->negative || f->value > number_max) return fmt::format("\"{}\" must be a whole number from 0 to {}", key, number_max);
  out = f->value;
  return {};
}

TraceReader::Complaint TraceReader::words(std::string_view key, std::vector<std::string>& out) const {
  const JsonField* f = field(key);
  if (!f) return fmt::format("\"{}\" is missing", key);
  if (f->kind != JsonField::Kind::list || !f->words_only) return fmt::format("\"{}\" must be a list of texts", key);
  out = f->items;
  return {};
}

TraceReader::Complaint TraceReader::known_process(const std::string& name) const {
  if (std::find(header_.processes.begin(), header_.processes.end(), name) != header_.processes.end()) return {};
  return fmt::format("{} is not among the \"processes\" of the first line", shown(name));
}

}  // namespace mqlab
