#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sim/record/history.h"
#include "sim/record/jepsen.h"
#include "sim/record/json_row.h"

namespace mqlab {

namespace {

constexpr const char* header_fields[] = {"format", "processes", "ops", "marks"};
constexpr const char* op_fields[] = {"row",   "time",    "process",  "op",           "outcome", "of",    "place",
                                     "key",   "message", "position", "subscription", "attempt", "flags", "transaction",
                                     "error"};
constexpr const char* mark_fields[] = {"mark", "time", "node", "place", "during", "text"};
constexpr std::uint64_t time_limit = static_cast<std::uint64_t>(time_max);
constexpr std::size_t line_length_max = 1U << 20;

// What is wrong with a row; thrown by nobody, tested by all.
using Complaint = std::optional<std::string>;

std::string kind_of(const JsonField& f) {
  switch (f.kind) {
    case JsonField::Kind::text: return "the text " + shown(f.text);
    case JsonField::Kind::number: return f.negative ? fmt::format("{}", f.signed_value) : fmt::format("{}", f.value);
    case JsonField::Kind::real: return "a number with a fraction, or too large";
    case JsonField::Kind::boolean: return f.truth ? "true" : "false";
    case JsonField::Kind::null: return "null";
    case JsonField::Kind::list: return "a list";
    case JsonField::Kind::object: return "an object";
  }
  return "?";
}

Complaint take_text(const JsonField& f, std::string_view& out) {
  if (f.kind != JsonField::Kind::text) return fmt::format("\"{}\" must be text, not {}", f.key, kind_of(f));
  out = f.text;
  return {};
}

Complaint take_number(const JsonField& f, std::uint64_t least, std::uint64_t most, std::uint64_t& out) {
  if (f.kind != JsonField::Kind::number || f.negative || f.value < least || f.value > most)
    return fmt::format("\"{}\" must be a whole number from {} to {}, not {}", f.key, least, most, kind_of(f));
  out = f.value;
  return {};
}

// Finds the number of a word in a table of names; suggests the nearest otherwise.
template <class NameOf>
Complaint take_word(const JsonField& f, std::size_t count, NameOf name_of, std::size_t& out) {
  std::string_view text;
  if (Complaint c = take_text(f, text)) return c;
  for (out = 0; out < count; ++out)
    if (text == name_of(out)) return {};
  std::vector<const char*> words;
  for (std::size_t i = 0; i < count; ++i) words.push_back(name_of(i));
  const std::string near = nearest_word(text, words.data(), words.size());
  std::string all;
  for (const char* w : words) all += (all.empty() ? "" : ", ") + std::string(w);
  return fmt::format("\"{}\" can't be {}{}; it is one of: {}", f.key, shown(text),
                     near.empty() ? "" : " (did you mean \"" + near + "\"?)", all);
}

template <std::size_t n>
std::string unknown_field(const JsonField& f, const char* const (&known)[n], const char* where) {
  const std::string near = nearest_word(f.key, known, n);
  return fmt::format("unknown field {} in {}{}; fields of your own begin with \"{}\"", shown(f.key), where,
                     near.empty() ? "" : " (did you mean \"" + near + "\"?)", foreign_prefix);
}

bool has_field(const std::vector<JsonField>& fields, std::string_view key) {
  return std::any_of(fields.begin(), fields.end(), [&](const JsonField& f) { return f.key == key; });
}

bool foreign(const JsonField& f) { return std::string_view(f.key).substr(0, foreign_prefix.size()) == foreign_prefix; }

}  // namespace

struct HistoryReader::State {
  explicit State(Journal& j) : journal(j), by_name(unique_process_names(j.processes)) {
    ended.assign(journal.ops.size(), false);
  }

  Complaint header();
  Complaint op_row();
  Complaint mark_row();
  Complaint one_op_field(const JsonField& f, Op& op, unsigned& seen);
  Complaint take_process(const JsonField& f, NodeId& out);
  Complaint take_message(const JsonField& f, MessageId& out);
  Complaint take_flags(const JsonField& f, std::uint8_t& out);
  Complaint check_of(const Op& op);

  Journal& journal;
  std::map<std::string, NodeId, std::less<>> by_name;
  std::vector<JsonField> fields;
  std::vector<bool> ended;  // per row: another row named it as its invoke
  std::size_t line = 0;
  bool has_header = false;
  bool closed_list = false;  // the header lists all processes
  std::optional<std::uint64_t> ops_announced;
  std::optional<std::uint64_t> marks_announced;
};

HistoryReader::HistoryReader(Journal& journal) : state_(std::make_unique<State>(journal)) {}
HistoryReader::~HistoryReader() = default;

std::optional<HistoryError> HistoryReader::line(std::string_view text) {
  State& s = *state_;
  ++s.line;
  if (text.size() > line_length_max)
    return HistoryError{s.line, fmt::format("the line is longer than {} bytes: one row a line, please", line_length_max)};
  if (text.find_first_not_of(" \t\r") == std::string_view::npos) return std::nullopt;
  Complaint c = parse_json_row(text, s.fields);
  if (!c) {
    if (!s.has_header) c = s.header();
    else if (has_field(s.fields, "mark")) c = s.mark_row();
    else c = s.op_row();
  }
  if (c) return HistoryError{s.line, std::move(*c)};
  return std::nullopt;
}

std::optional<HistoryError> HistoryReader::end() {
  State& s = *state_;
  const auto fail = [&](std::string text) { return HistoryError{s.line == 0 ? 1 : s.line, std::move(text)}; };
  if (!s.has_header) return fail(fmt::format("the history is empty: it begins with a line {{\"format\":\"{}\"}}", history_format));
  const auto check = [&](const char* what, const std::optional<std::uint64_t>& announced, std::size_t there) -> Complaint {
    if (!announced || *announced == there) return {};
    return fmt::format("the header announces {} {} and there are {}: {}", *announced, what, there,
                       *announced > there ? "the file was cut off" : "rows were added; correct the header or leave the count out");
  };
  if (Complaint c = check("ops", s.ops_announced, s.journal.ops.size())) return fail(std::move(*c));
  if (Complaint c = check("marks", s.marks_announced, s.journal.marks.size())) return fail(std::move(*c));
  return std::nullopt;
}

Complaint HistoryReader::State::header() {
  if (!has_field(fields, "format"))
    return fmt::format("a history begins with a line {{\"format\":\"{}\"}}; this is not one", history_format);
  for (const JsonField& f : fields) {
    if (foreign(f)) continue;
    if (f.key == "format") {
      std::string_view text;
      if (Complaint c = take_text(f, text)) return c;
      if (text != history_format)
        return fmt::format("the format is {}; this reader knows \"{}\"", shown(text), history_format);
    } else if (f.key == "processes") {
      if (f.kind != JsonField::Kind::list || !f.words_only)
        return fmt::format("\"processes\" must be a list of names, not {}", kind_of(f));
      journal.processes = f.items;
      by_name = unique_process_names(journal.processes);
      closed_list = true;
    } else if (f.key == "ops" || f.key == "marks") {
      std::uint64_t n = 0;
      if (Complaint c = take_number(f, 0, time_limit, n)) return c;
      (f.key == "ops" ? ops_announced : marks_announced) = n;
    } else {
      return unknown_field(f, header_fields, "the header");
    }
  }
  has_header = true;
  return {};
}

// A process is its name; or its number in the header's list, where the name does not tell it.
Complaint HistoryReader::State::take_process(const JsonField& f, NodeId& out) {
  if (f.kind == JsonField::Kind::number) {
    std::uint64_t n = 0;
    if (journal.processes.empty()) return fmt::format("\"{}\" is a number, but the header lists no processes", f.key);
    if (Complaint c = take_number(f, 0, journal.processes.size() - 1, n)) return c;
    out = static_cast<NodeId>(n);
    return {};
  }
  std::string_view text;
  if (Complaint c = take_text(f, text)) return c;
  if (const auto it = by_name.find(text); it != by_name.end()) {
    out = it->second;
    return {};
  }
  if (text.empty()) return fmt::format("\"{}\" is empty: give the process's name", f.key);
  if (closed_list) {
    std::vector<const char*> words;
    for (const std::string& name : journal.processes) words.push_back(name.c_str());
    const std::string near = words.size() > 1000 ? std::string() : nearest_word(text, words.data(), words.size());
    return fmt::format("{} is not one name of the header's \"processes\"{}; add it there, or leave the list out", shown(text),
                       near.empty() ? "" : " (did you mean \"" + near + "\"?)");
  }
  out = static_cast<NodeId>(journal.processes.size());
  journal.processes.emplace_back(text);
  by_name.emplace(std::string(text), out);
  return {};
}

Complaint HistoryReader::State::take_message(const JsonField& f, MessageId& out) {
  if (f.kind == JsonField::Kind::text) {
    if (f.text.empty()) return "\"message\" is empty: leave it out, or write {\"named\":\"\"}";
    const auto numbered = numbered_by_name(f.text, by_name);
    out = numbered ? *numbered : named_message(journal.names.id(f.text));
    return {};
  }
  constexpr const char* help =
      "\"message\" must be text, {\"named\":TEXT}, {\"producer\":NUMBER,\"n\":NUMBER} or {\"raw\":NUMBER}";
  if (f.kind != JsonField::Kind::object || f.fields.empty()) return fmt::format("{}, not {}", help, kind_of(f));
  const JsonField& first = f.fields[0];
  if (first.key == "named" && f.fields.size() == 1) {
    std::string_view text;
    if (Complaint c = take_text(first, text)) return c;
    out = named_message(journal.names.id(text));
    return {};
  }
  if (first.key == "raw" && f.fields.size() == 1) {
    // Not named ones: a number would mean a different name in each file.
    return take_number(first, 1, named_message_bit - 1, out);
  }
  if (first.key == "producer" && f.fields.size() == 2 && f.fields[1].key == "n") {
    NodeId producer = 0;
    std::uint64_t n = 0;
    if (Complaint c = take_process(first, producer)) return c;
    if (Complaint c = take_number(f.fields[1], 0, (std::uint64_t{1} << 40) - 1, n)) return c;
    if (producer >= (NodeId{1} << 23) - 1) return "the producer's number is too large";
    out = numbered_message(producer, n);
    return {};
  }
  return std::string(help);
}

Complaint HistoryReader::State::take_flags(const JsonField& f, std::uint8_t& out) {
  if (f.kind != JsonField::Kind::list || !f.words_only)
    return fmt::format("\"flags\" must be a list of words, not {}", kind_of(f));
  static constexpr const char* spare[] = {"bit0", "bit1", "bit2", "bit3", "bit4", "bit5", "bit6", "bit7"};
  for (const std::string& word : f.items) {
    JsonField one{.key = "flags"};
    one.kind = JsonField::Kind::text;
    one.text = word;
    std::size_t bit = 0;
    const auto name_of = [](std::size_t i) { return op_flag_name(static_cast<unsigned>(i)) ? op_flag_name(static_cast<unsigned>(i)) : spare[i]; };
    if (Complaint c = take_word(one, 8, name_of, bit)) return c;
    out = static_cast<std::uint8_t>(out | 1U << bit);
  }
  return {};
}

Complaint HistoryReader::State::one_op_field(const JsonField& f, Op& op, unsigned& seen) {
  std::string_view text;
  std::uint64_t n = 0;
  std::size_t word = 0;
  const auto name = [&](std::uint32_t& id) -> Complaint {
    if (Complaint c = take_text(f, text)) return c;
    if (text.empty()) return fmt::format("\"{}\" is empty: leave it out", f.key);
    id = journal.names.id(text);
    return {};
  };
  Complaint c;
  if (f.key == "row") {
    if ((c = take_number(f, 0, time_limit, n))) return c;
    if (n != journal.ops.size())
      return fmt::format("this is row {}, but it calls itself row {}: rows are missing or out of order", journal.ops.size(), n);
  } else if (f.key == "time") {
    if ((c = take_number(f, 0, time_limit, n))) return c;
    op.time = static_cast<Time>(n);
    seen |= 1;
  } else if (f.key == "process") {
    if ((c = take_process(f, op.process))) return c;
  } else if (f.key == "op") {
    if ((c = take_word(f, op_kind_count, [](std::size_t i) { return op_kind_name(static_cast<OpKind>(i)); }, word))) return c;
    op.kind = static_cast<OpKind>(word);
    seen |= 2;
  } else if (f.key == "outcome") {
    if ((c = take_word(f, 4, [](std::size_t i) { return outcome_name(static_cast<Outcome>(i)); }, word))) return c;
    op.outcome = static_cast<Outcome>(word);
    seen |= 4;
  } else if (f.key == "of") {
    return take_number(f, 0, time_limit, op.of);
  } else if (f.key == "place") {
    return name(op.place);
  } else if (f.key == "key") {
    return name(op.key);
  } else if (f.key == "subscription") {
    return name(op.subscription);
  } else if (f.key == "error") {
    return name(op.error);
  } else if (f.key == "message") {
    return take_message(f, op.message);
  } else if (f.key == "position") {
    if ((c = take_number(f, 0, time_limit, n))) return c;
    op.position = static_cast<std::int64_t>(n);
  } else if (f.key == "attempt") {
    if ((c = take_number(f, 1, 255, n))) return c;
    op.attempt = static_cast<std::uint8_t>(n);
  } else if (f.key == "flags") {
    return take_flags(f, op.flags);
  } else if (f.key == "transaction") {
    return take_number(f, 1, std::numeric_limits<std::uint64_t>::max(), op.transaction);
  } else if (!foreign(f)) {
    return unknown_field(f, op_fields, "a row");
  }
  return {};
}

// Rule 2 of the journal: an end names its invoke, a delivery its poll, what is done with a message
// may name its delivery, and nothing else names a row.
Complaint HistoryReader::State::check_of(const Op& op) {
  if (op.of == no_op) return {};
  if (op.of >= journal.ops.size())
    return fmt::format("\"of\" points to row {}, but this is row {}: it must name an earlier row", op.of, journal.ops.size());
  if (op.outcome == Outcome::invoke) return "an invoke begins something, so it has no \"of\"";
  const Op& target = journal.ops[op.of];
  const bool is_delivery = op.kind == OpKind::deliver;
  const bool of_delivery = target.kind == OpKind::deliver && (op.kind == OpKind::process || op.kind == OpKind::ack || op.kind == OpKind::effect);
  const bool ends = !is_delivery && target.kind == op.kind && target.outcome == Outcome::invoke;
  if (!ends && !of_delivery && !(is_delivery && target.kind == OpKind::poll))
    return fmt::format("\"of\" points to row {}, {} {}; for {} it must be {}", op.of, op_kind_name(target.kind),
                       outcome_name(target.outcome), op_kind_name(op.kind),
                       is_delivery ? std::string("a poll") : fmt::format("{} invoke", op_kind_name(op.kind)));
  if (target.process != op.process)
    return fmt::format("\"of\" points to row {} of {}, but this row is of {}", op.of, shown(journal.process_name(target.process)),
                       shown(journal.process_name(op.process)));
  if (!ends) return {};
  if (ended[op.of]) return fmt::format("row {} has ended before: one invoke has one end", op.of);
  ended[op.of] = true;
  return {};
}

Complaint HistoryReader::State::op_row() {
  Op op;
  unsigned seen = 0;
  for (const JsonField& f : fields)
    if (Complaint c = one_op_field(f, op, seen)) return c;
  if (!(seen & 1)) return "\"time\" is missing: nanoseconds since the beginning";
  if (!(seen & 2)) return "\"op\" is missing: what was done (\"send\", \"poll\", \"deliver\" ...)";
  if (!(seen & 4)) return "\"outcome\" is missing: \"invoke\", \"ok\", \"fail\" or \"info\"";
  if (op.process == nobody && op.kind != OpKind::drained) return "\"process\" is missing: who did it";
  if (op.kind == OpKind::deliver && op.outcome != Outcome::ok) return "a deliver has the outcome \"ok\"";
  if (!journal.ops.empty() && op.time < journal.ops.back().time)
    return fmt::format("time goes back from {} to {}: rows are in the order of time", journal.ops.back().time, op.time);
  if (Complaint c = check_of(op)) return c;
  journal.ops.push_back(op);
  ended.push_back(false);
  return {};
}

Complaint HistoryReader::State::mark_row() {
  Mark mark;
  bool has_time = false;
  for (const JsonField& f : fields) {
    std::string_view text;
    std::uint64_t n = 0;
    Complaint c;
    if (f.key == "mark") {
      if ((c = take_text(f, text))) return c;
      mark.name = journal.names.id(text);
    } else if (f.key == "time") {
      if ((c = take_number(f, 0, time_limit, n))) return c;
      mark.time = static_cast<Time>(n);
      has_time = true;
    } else if (f.key == "node") {
      if ((c = take_process(f, mark.node))) return c;
    } else if (f.key == "place") {
      if ((c = take_text(f, text))) return c;
      mark.place = journal.names.id(text);
    } else if (f.key == "during") {
      if ((c = take_number(f, 1, std::numeric_limits<std::uint64_t>::max(), mark.during))) return c;
    } else if (f.key == "text") {
      if ((c = take_text(f, text))) return c;
      mark.text = text;
    } else if (!foreign(f)) {
      return unknown_field(f, mark_fields, "a mark");
    }
  }
  if (!has_time) return "\"time\" is missing: nanoseconds since the beginning";
  if (!journal.marks.empty() && mark.time < journal.marks.back().time)
    return fmt::format("time goes back from {} to {}: marks are in the order of time", journal.marks.back().time, mark.time);
  journal.marks.push_back(std::move(mark));
  return {};
}

std::optional<HistoryError> read_history(std::string_view text, Journal& journal) {
  HistoryReader reader(journal);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const bool last = end == std::string_view::npos;
    if (auto error = reader.line(text.substr(0, end))) {
      if (last) error->message += " (the last line has no end: was the file cut off?)";
      return error;
    }
    if (last) break;
    text.remove_prefix(end + 1);
  }
  return reader.end();
}

std::optional<HistoryError> read_any_history(std::string_view text, Journal& journal) {
  // JSON: `{"`. EDN: `{:`, a list of maps, a tag or a comment.
  std::size_t at = text.find_first_not_of(" \t\r\n,");
  if (at != std::string_view::npos && text[at] == '{') at = text.find_first_not_of(" \t\r\n,", at + 1);
  const char c = at == std::string_view::npos ? '"' : text[at];
  const bool edn = c == ':' || c == '[' || c == '(' || c == '#' || c == ';';
  return edn ? read_jepsen(text, journal) : read_history(text, journal);
}

}  // namespace mqlab
