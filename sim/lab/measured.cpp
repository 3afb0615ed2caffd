#include "sim/lab/measured.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "sim/check/measure.h"
#include "sim/check/measure_run.h"
#include "sim/lab/nearest.h"
#include "sim/lab/options.h"
#include "sim/lab/verdict_words.h"

namespace mqlab {
namespace {

using Args = std::vector<std::string>;
using Value = Measured (*)(const RunResult&, const Args&);

Measured count_of(std::uint64_t n) { return {Measured::Kind::count, static_cast<std::int64_t>(n), {}}; }
Measured time_of(Duration d) { return {Measured::Kind::time, d, {}}; }
Measured word_of(std::string w) { return {Measured::Kind::word, 0, std::move(w)}; }

const Journal& journal_of(const RunResult& r) { return r.world->journal; }

// --- who and what a row is of ---

// "P1-17" as its sender numbered it, or a body given as text.
std::optional<MessageId> message_of(const Journal& j, const std::string& name) {
  if (const std::uint32_t text = j.names.find(name)) {
    const MessageId m = named_message(text);
    if (std::any_of(j.ops.begin(), j.ops.end(), [&](const Op& o) { return o.message == m; })) return m;
  }
  const std::size_t dash = name.rfind('-');
  if (dash == std::string::npos) return std::nullopt;
  std::uint64_t n = 0;
  const char* end = name.data() + name.size();
  if (const auto [rest, error] = std::from_chars(name.data() + dash + 1, end, n); error != std::errc() || rest != end || n >> 40 != 0) return std::nullopt;
  for (NodeId p = 0; p < j.processes.size(); ++p)
    if (j.processes[p] == std::string_view(name).substr(0, dash)) return numbered_message(p, n);
  return std::nullopt;
}

MessageId need_message(const Journal& j, const std::string& name) {
  if (const auto m = message_of(j, name)) return *m;
  throw MeasureError(fmt::format("no message of this run is called `{}`: the seventeenth of P1 is P1-17", name));
}

// Which rows of the history a measure speaks of: of a client, of a group or reader, of a message; of all when it names none.
class Of {
 public:
  Of(const Journal& j, const Args& args) {
    for (const std::string& a : args) {
      const auto p = std::find(j.processes.begin(), j.processes.end(), a);
      const std::uint32_t subscription = j.names.find(a);
      const bool group = subscription && std::any_of(j.ops.begin(), j.ops.end(), [&](const Op& o) { return o.subscription == subscription; });
      if (p != j.processes.end()) process_ = static_cast<NodeId>(p - j.processes.begin());
      else if (group) subscription_ = subscription;
      else if (const auto m = message_of(j, a)) message_ = *m;
      else throw MeasureError(fmt::format("nobody and nothing in this run is called `{}`{}", a, did_you_mean(a, j.processes)));
    }
  }
  bool has(const Op& o) const {
    return (process_ == nobody || o.process == process_) && (subscription_ == 0 || o.subscription == subscription_) && (message_ == no_message || o.message == message_);
  }

 private:
  NodeId process_ = nobody;
  std::uint32_t subscription_ = 0;
  MessageId message_ = no_message;
};

Measured rows(const RunResult& r, const Args& args, OpKind kind, Outcome outcome) {
  const Of of(journal_of(r), args);
  return count_of(static_cast<std::uint64_t>(std::count_if(journal_of(r).ops.begin(), journal_of(r).ops.end(), [&](const Op& o) { return o.kind == kind && o.outcome == outcome && of.has(o); })));
}

// Messages, each once however often it was sent.
Measured messages(const RunResult& r, const Args& args, Outcome outcome) {
  const Of of(journal_of(r), args);
  std::set<MessageId> all;
  for (const Op& o : journal_of(r).ops)
    if (o.kind == OpKind::send && o.outcome == outcome && of.has(o)) all.insert(o.message);
  return count_of(all.size());
}

const VerdictRow& verdict_of(const RunResult& r, const Args& args) {
  if (const VerdictRow* v = r.verdict(args[0])) return *v;
  throw MeasureError(fmt::format("`{}` is not looked for: `mqlab anomalies` has the names", args[0]));
}

RunCost cost_of(const RunResult& r) { return measure_run(journal_of(r), r.workload_ended); }

GroupCost group_of(const RunResult& r, const Args& args) {
  std::vector<std::string> names;
  for (GroupCost& g : measure_groups(journal_of(r), {group_round_marks(), r.workload_ended})) {
    if (g.group == args[0]) return std::move(g);
    names.push_back(g.group);
  }
  throw MeasureError(fmt::format("no group in this run is called `{}`{}", args[0], did_you_mean(args[0], names)));
}

// Calls f for each mark of that name (and at that place), until it says false.
void each_mark(const RunResult& r, const Args& args, const std::function<bool(const Mark&)>& f) {
  const Journal& j = journal_of(r);
  const std::uint32_t name = j.names.find(args[0]), place = args.size() > 1 ? j.names.find(args[1]) : 0;
  if (name == 0 || (args.size() > 1 && place == 0)) return;
  for (const Mark& m : j.marks)
    if (m.name == name && (place == 0 || m.place == place) && !f(m)) return;
}

// --- the table ---

struct Word {
  MeasureDecl decl;
  std::size_t least, most;  // how many names follow
  Value value;
};

const std::vector<Word>& words() {
  static const std::vector<Word> all = {
      {{"verdict", "ANOMALY", "what is said of it: `holds`, `violated` or `unknown`"}, 1, 1,
       [](const RunResult& r, const Args& a) { return word_of(verdict_name(verdict_of(r, a).report.verdict)); }},
      {{"count", "ANOMALY", "how many breaches of it there were"}, 1, 1, [](const RunResult& r, const Args& a) { return count_of(verdict_of(r, a).report.count); }},
      {{"promised", "ANOMALY", "whether the model promises that it does not happen: `yes` or `no`"}, 1, 1,
       [](const RunResult& r, const Args& a) { return word_of(verdict_of(r, a).claim.claimed ? "yes" : "no"); }},
      {{"square", "ANOMALY", "the verdict beside the promise: `as promised`, `lucky this time`, `a bug`, `the expected price`, `undecided`"}, 1, 1,
       [](const RunResult& r, const Args& a) { return word_of(square(verdict_of(r, a))); }},
      {{"sent", "[CLIENT] [MESSAGE]", "messages that applications handed to their library, each once"}, 0, 2, [](const RunResult& r, const Args& a) { return messages(r, a, Outcome::invoke); }},
      {{"acknowledged", "[CLIENT] [MESSAGE]", "... of which they were told that they are stored"}, 0, 2, [](const RunResult& r, const Args& a) { return messages(r, a, Outcome::ok); }},
      {{"failed", "[CLIENT] [MESSAGE]", "sends that ended with an error that says: certainly no effect"}, 0, 2, [](const RunResult& r, const Args& a) { return rows(r, a, OpKind::send, Outcome::fail); }},
      {{"unsure", "[CLIENT] [MESSAGE]", "sends that ended with an error that leaves open what became of the message"}, 0, 2,
       [](const RunResult& r, const Args& a) { return rows(r, a, OpKind::send, Outcome::info); }},
      {{"told", "MESSAGE", "what its sender was told last: `stored`, `failed`, `unknown`, or `nothing`"}, 1, 1,
       [](const RunResult& r, const Args& a) {
         const MessageId m = need_message(journal_of(r), a[0]);
         const char* said = "nothing";
         for (const Op& o : journal_of(r).ops)
           if (o.kind == OpKind::send && o.message == m && o.outcome != Outcome::invoke) said = o.outcome == Outcome::ok ? "stored" : o.outcome == Outcome::fail ? "failed" : "unknown";
         return word_of(said);
       }},
      {{"copies", "MESSAGE", "at how many positions of logs it was seen by a client, told or read"}, 1, 1,
       [](const RunResult& r, const Args& a) {
         const MessageId m = need_message(journal_of(r), a[0]);
         std::set<std::pair<std::uint32_t, std::int64_t>> at;
         for (const Op& o : journal_of(r).ops)
           if (o.message == m && o.position >= 0 && (o.kind == OpKind::deliver || (o.kind == OpKind::send && o.outcome == Outcome::ok))) at.emplace(o.place, o.position);
         return count_of(at.size());
       }},
      {{"deliveries", "[CLIENT|GROUP] [MESSAGE]", "how often a message was handed to an application"}, 0, 2, [](const RunResult& r, const Args& a) { return rows(r, a, OpKind::deliver, Outcome::ok); }},
      {{"received", "[CLIENT|GROUP]", "messages that were handed over, each once"}, 0, 1,
       [](const RunResult& r, const Args& a) {
         const Of of(journal_of(r), a);
         std::set<MessageId> all;
         for (const Op& o : journal_of(r).ops)
           if (o.kind == OpKind::deliver && of.has(o)) all.insert(o.message);
         return count_of(all.size());
       }},
      {{"effects", "[CLIENT] [MESSAGE]", "how often something was done to the world outside"}, 0, 2, [](const RunResult& r, const Args& a) { return rows(r, a, OpKind::effect, Outcome::ok); }},
      {{"lost", "", "acknowledged messages that nobody ever got and no declared limit took"}, 0, 0, [](const RunResult& r, const Args&) { return count_of(cost_of(r).lost); }},
      {{"waiting", "", "acknowledged messages that nobody had got when the load ended"}, 0, 0, [](const RunResult& r, const Args&) { return count_of(cost_of(r).waiting); }},
      {{"again", "[GROUP]", "deliveries of a message that its subscription had got before, while the load lasted"}, 0, 1,
       [](const RunResult& r, const Args& a) { return count_of(a.empty() ? cost_of(r).again : group_of(r, a).again); }},
      {{"p50", "[GROUP]", "time from send to first delivery: half of the messages took no longer"}, 0, 1,
       [](const RunResult& r, const Args& a) { return time_of(a.empty() ? cost_of(r).latency_p50 : group_of(r, a).latency_p50); }},
      {{"p99", "[GROUP]", "... 99 of 100 messages took no longer"}, 0, 1, [](const RunResult& r, const Args& a) { return time_of(a.empty() ? cost_of(r).latency_p99 : group_of(r, a).latency_p99); }},
      {{"silence", "", "the longest time in which a message waited and its subscription got nothing new"}, 0, 0, [](const RunResult& r, const Args&) { return time_of(cost_of(r).silence); }},
      {{"rounds", "GROUP", "rebalances that began"}, 1, 1, [](const RunResult& r, const Args& a) { return count_of(group_of(r, a).rounds); }},
      {{"moved", "GROUP", "places that went to another member"}, 1, 1, [](const RunResult& r, const Args& a) { return count_of(group_of(r, a).moved); }},
      {{"stopped", "GROUP", "time without a living owner, added over places"}, 1, 1, [](const RunResult& r, const Args& a) { return time_of(group_of(r, a).stopped); }},
      {{"longest", "GROUP", "the longest time in which one place had no living owner"}, 1, 1, [](const RunResult& r, const Args& a) { return time_of(group_of(r, a).longest.lasts); }},
      {{"halted", "GROUP", "time in which none of its places had a living owner"}, 1, 1, [](const RunResult& r, const Args& a) { return time_of(group_of(r, a).all_stopped); }},
      {{"lag", "GROUP", "acknowledged and not yet delivered to the group, at its worst"}, 1, 1, [](const RunResult& r, const Args& a) { return count_of(group_of(r, a).lag_max); }},
      {{"marks", "MARK [PLACE]", "how often it happened inside (`mqlab models` lists marks)"}, 1, 2,
       [](const RunResult& r, const Args& a) {
         std::uint64_t n = 0;
         each_mark(r, a, [&](const Mark&) { return ++n, true; });
         return count_of(n);
       }},
      {{"first", "MARK [PLACE]", "when it happened first; `never`"}, 1, 2,
       [](const RunResult& r, const Args& a) {
         Time at = -1;
         each_mark(r, a, [&](const Mark& m) { return at = m.time, false; });
         return time_of(at);
       }},
      {{"when", "MESSAGE [CLIENT|GROUP]", "when a message was handed to an application first; `never`"}, 1, 2,
       [](const RunResult& r, const Args& a) {
         need_message(journal_of(r), a[0]);
         const Of of(journal_of(r), a);
         for (const Op& o : journal_of(r).ops)
           if (o.kind == OpKind::deliver && of.has(o)) return time_of(o.time);
         return time_of(-1);
       }},
      {{"events", "", "how many events the world handled"}, 0, 0, [](const RunResult& r, const Args&) { return count_of(r.events); }},
  };
  return all;
}

// --- parsing ---

struct Token {
  std::string text;
  bool quoted = false;
};

// Blanks part words; "..." is one word.
std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\t') {
      ++i;
      continue;
    }
    if (text[i] == '"') {
      const std::size_t end = text.find('"', i + 1);
      if (end == std::string_view::npos) throw MeasureError(fmt::format("`{}` has a quotation mark that nothing closes", text));
      out.push_back({std::string(text.substr(i + 1, end - i - 1)), true});
      i = end + 1;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \t\"", i), text.size());
    out.push_back({std::string(text.substr(i, end - i)), false});
    i = end;
  }
  return out;
}

bool is_sign(const Token& t) { return !t.quoted && (t.text == "+" || t.text == "-"); }
bool is_comparison(const Token& t) {
  static const std::set<std::string> all = {"<", "<=", "=", "!=", ">", ">="};
  return !t.quoted && all.count(t.text) != 0;
}

bool only_digits(std::string_view s) { return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; }); }

// A number alone is a count; with a unit a time.
std::optional<Measured> constant_of(std::string_view text) {
  if (only_digits(text)) {
    std::int64_t n = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc()) return std::nullopt;
    return Measured{Measured::Kind::count, n, {}};
  }
  // With a unit: 6.2 alone is neither.
  if (text.empty() || text[0] < '0' || text[0] > '9' || text.find_first_not_of("0123456789.") == std::string_view::npos) return std::nullopt;
  if (const auto d = parse_duration(text)) return time_of(*d);
  return std::nullopt;
}

Measured sum_of(const RunResult& run, const std::vector<Measure::Term>& terms) {
  Measured out;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Measure::Term& t = terms[i];
    Measured v = t.constant ? *t.constant : words()[t.decl].value(run, t.of);
    if (terms.size() == 1 && t.sign > 0) return v;
    if (v.kind == Measured::Kind::word) throw MeasureError(fmt::format("`{}` is a word: it can be compared, and not added", v.word));
    if (i > 0 && v.kind != out.kind) throw MeasureError("a count and a time can't be added");
    out.kind = v.kind;
    out.number = saturating_add(out.number, saturating_multiply(t.sign, v.number));
  }
  return out;
}

}  // namespace

const std::vector<MeasureDecl>& measure_words() {
  static const std::vector<MeasureDecl> all = [] {
    std::vector<MeasureDecl> out;
    for (const Word& w : words()) out.push_back(w.decl);
    return out;
  }();
  return all;
}

std::string Measured::text() const {
  switch (kind) {
    case Kind::count: return std::to_string(number);
    case Kind::time: return number < 0 ? "never" : number == 0 ? "0 ms" : short_duration(number);
    case Kind::word: break;
  }
  return word;
}

Measured read_measured(std::string_view text) {
  if (text == "never") return time_of(-1);
  if (const auto c = constant_of(text)) return *c;
  if (text.size() > 1 && text[0] == '-' && only_digits(text.substr(1)))
    if (const auto c = constant_of(text.substr(1))) return {Measured::Kind::count, -c->number, {}};
  return word_of(std::string(text));
}

Measure parse_measure(std::string_view text) {
  Measure m;
  m.text = std::string(text);
  const std::vector<Token> tokens = tokens_of(text);
  std::vector<Measure::Term>* side = &m.left;
  std::size_t i = 0;
  int sign = 1;
  if (tokens.empty()) throw MeasureError("what is to be measured? `count duplicate`, `deliveries C`, `p99`, for instance");
  while (true) {
    if (i >= tokens.size()) throw MeasureError(fmt::format("`{}` ends where a measure was to follow", text));
    Measure::Term term;
    term.sign = sign;
    const Token& head = tokens[i];
    const bool two = i + 1 < tokens.size() && !tokens[i + 1].quoted && !is_sign(tokens[i + 1]) && !is_comparison(tokens[i + 1]);
    if (auto c = constant_of(two ? head.text + tokens[i + 1].text : head.text); c && !head.quoted && (!two || c->kind == Measured::Kind::time)) {
      term.constant = c;  // "6 ms": the unit may stand apart
      i += two ? 2 : 1;
    } else {
      const auto& all = words();
      const auto w = std::find_if(all.begin(), all.end(), [&](const Word& each) { return head.text == each.decl.name; });
      if (w != all.end() && !head.quoted) {
        term.decl = static_cast<std::size_t>(w - all.begin());
        for (++i; i < tokens.size() && !is_sign(tokens[i]) && !is_comparison(tokens[i]); ++i) term.of.push_back(tokens[i].text);
        if (term.of.size() < w->least || term.of.size() > w->most)
          throw MeasureError(*w->decl.of ? fmt::format("`{}` is asked as `{} {}`", head.text, w->decl.name, w->decl.of) : fmt::format("`{}` is of the whole run: nothing follows it", head.text));
        if (w->decl.of == std::string_view("ANOMALY") && !find_anomaly(term.of[0])) {
          std::vector<std::string> names;
          for (const Anomaly& a : all_anomalies()) names.emplace_back(a.name);
          throw MeasureError(fmt::format("there is no anomaly `{}`{}", term.of[0], did_you_mean(term.of[0], names)));
        }
      } else if (side == &m.right && m.right.empty() && i + 1 == tokens.size()) {
        term.constant = word_of(head.text);  // what a word is compared with
        ++i;
      } else {
        std::vector<std::string> names;
        for (const Word& each : all) names.emplace_back(each.decl.name);
        throw MeasureError(fmt::format("there is no measure `{}`{}", head.text, did_you_mean(head.text, names)));
      }
    }
    side->push_back(std::move(term));
    if (i == tokens.size()) break;
    if (is_sign(tokens[i])) {
      sign = tokens[i].text == "-" ? -1 : 1;
    } else if (is_comparison(tokens[i]) && side == &m.left) {
      m.comparison = tokens[i].text;
      side = &m.right;
      sign = 1;
    } else {
      throw MeasureError(fmt::format("`{}`: `+`, `-` or a comparison was expected before `{}`", text, tokens[i].text));
    }
    ++i;
  }
  return m;
}

Measured Measure::of(const RunResult& run) const {
  const Measured a = sum_of(run, left);
  if (comparison.empty()) return a;
  const Measured b = sum_of(run, right);
  if (a.kind != b.kind) throw MeasureError(fmt::format("`{}` and `{}` can't be compared: one is a {}", a.text(), b.text(), a.kind == Measured::Kind::word || b.kind == Measured::Kind::word ? "word" : "time"));
  const bool words = a.kind == Measured::Kind::word;
  if (words && comparison != "=" && comparison != "!=") throw MeasureError("words are equal or they are not: `=` or `!=`");
  const int order = words ? a.word.compare(b.word) : a.number < b.number ? -1 : a.number > b.number;
  const bool so = comparison == "<" ? order < 0 : comparison == "<=" ? order <= 0 : comparison == "=" ? order == 0 : comparison == "!=" ? order != 0 : comparison == ">" ? order > 0 : order >= 0;
  return word_of(so ? "yes" : "no");
}

const std::vector<std::string>& group_round_marks() {
  static const std::vector<std::string> all = {"generation_began", "group_epoch_bumped"};
  return all;
}

std::optional<bool> fits(std::string_view choice, const Measured& value) {
  while (!choice.empty() && choice.front() == ' ') choice.remove_prefix(1);
  while (!choice.empty() && choice.back() == ' ') choice.remove_suffix(1);
  if (value.kind == Measured::Kind::word) {
    if (choice.empty()) return std::nullopt;
    return choice == value.word;
  }
  const bool count = value.kind == Measured::Kind::count;
  if (choice == "never" || choice == "none") return count ? value.number == 0 : value.number < 0;
  if (choice == "once" || choice == "twice") return count ? std::optional(value.number == (choice == "once" ? 1 : 2)) : std::nullopt;
  const auto number = [&](std::string_view text) -> std::optional<std::int64_t> {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    const auto c = constant_of(text);
    // 0 is a time as well.
    if (!c || (c->kind != value.kind && c->number != 0)) return std::nullopt;
    return c->number;
  };
  for (const std::string_view word : {std::string_view("over "), std::string_view("under ")})
    if (choice.substr(0, word.size()) == word) {
      const auto n = number(choice.substr(word.size()));
      if (!n) return std::nullopt;
      return value.number >= 0 && (word == "over " ? value.number > *n : value.number < *n);
    }
  if (const std::size_t dots = choice.find(".."); dots != std::string_view::npos) {
    const auto low = number(choice.substr(0, dots)), high = number(choice.substr(dots + 2));
    if (!low || !high || *low > *high) return std::nullopt;
    return value.number >= *low && value.number <= *high;
  }
  const auto n = number(choice);
  if (!n) return std::nullopt;
  return count ? value.number == *n : value.number >= 0 && short_duration(*n) == short_duration(value.number);
}

std::string short_duration(Duration d) {
  if (d < 0) return "-";
  if (d == 0) return "0";
  const double ms = static_cast<double>(d) / 1e6;
  if (ms < 999.95) return fmt::format("{:.1f} ms", ms);
  return fmt::format("{:.{}f} s", ms / 1e3, ms < 99'950 ? 1 : 0);
}

}  // namespace mqlab
