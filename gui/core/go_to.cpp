#include "gui/core/go_to.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "sim/lab/nearest.h"
#include "sim/lab/options.h"

namespace mqlab::gui {
namespace {

std::string_view trimmed(std::string_view t) {
  while (!t.empty() && t.front() == ' ') t.remove_prefix(1);
  while (!t.empty() && t.back() == ' ') t.remove_suffix(1);
  return t;
}

// The message that never arrived, heartbeats left out, behind an event or before it: the first behind, the last before. Those that were
// over at an event stand behind it; where one of them is in focus, the others of that event stand on either side of it.
GoTo dropped(const Recording& r, std::size_t now, Direction d, std::optional<std::size_t> in_focus) {
  const Journal& j = r.journal();
  GoTo out{now, fmt::format("there is no {} that never arrived", d == Direction::forward ? "further message" : "message before"), {}};
  const std::size_t focused = in_focus.value_or(j.drops.size());
  const bool one_here = focused < j.drops.size() && r.event_of_drop(focused) == now;
  for (std::size_t i = 0; i < j.drops.size(); ++i) {
    const MessageKind kind = j.drops[i].event.type;
    if (kind < j.messages.size() && j.messages[kind].traffic == Traffic::heartbeat) continue;
    const std::size_t e = r.event_of_drop(i);
    const bool before = one_here ? i < focused : e < now;
    if (d == Direction::forward ? before || (one_here && i == focused) : !before) continue;
    out = {e, {}, i};
    if (d == Direction::forward) break;
  }
  return out;
}

GoTo next_of(const std::vector<std::size_t>& events, std::size_t now, const char* what) {
  const auto it = std::upper_bound(events.begin(), events.end(), now);
  if (it == events.end()) return {now, fmt::format("there is no further {}", what)};
  return {*it, {}};
}

GoTo previous_of(const std::vector<std::size_t>& events, std::size_t now, const char* what) {
  const auto it = std::lower_bound(events.begin(), events.end(), now);
  if (it == events.begin()) return {now, fmt::format("there is no {} before", what)};
  return {*std::prev(it), {}};
}

}  // namespace

std::vector<std::size_t> violations_of(const Recording& r) {
  std::set<std::size_t> all;
  for (const VerdictRow& v : r.result().verdicts)
    if (v.report.verdict == Verdict::violated)
      for (const Finding& f : v.report.worst)
        if (f.certain_at != no_op)
          if (const std::size_t e = r.event_of_op(f.certain_at); e < r.events()) all.insert(e);
  return {all.begin(), all.end()};
}

std::vector<std::size_t> fault_events_of(const Recording& r) {
  std::set<std::size_t> all;
  const Journal& j = r.journal();
  const std::uint32_t fault = j.names.find("fault");
  for (std::size_t m = 0; m < j.marks.size(); ++m) {
    if (j.marks[m].name != fault || fault == 0 || j.marks[m].time >= r.result().workload_ended) continue;
    std::size_t e = r.event_of_mark(m);
    if (e >= r.events()) e = r.event_after(j.marks[m].time);
    if (e < r.events()) all.insert(e);
  }
  return {all.begin(), all.end()};
}

std::optional<Asked> asked_by(std::string_view words) {
  std::string_view w = trimmed(words);
  Asked out;
  for (const auto& [word, direction] : {std::pair<std::string_view, Direction>("next ", Direction::forward), {"previous ", Direction::backward}})
    if (w.substr(0, word.size()) == word) {
      out.direction = direction;
      w = trimmed(w.substr(word.size()));
      break;
    }
  if (!looks_like_predicate(w)) return std::nullopt;
  ReadPredicate read = read_predicate(w);
  out.predicate = std::move(read.predicate);
  out.complaint = std::move(read.complaint);
  return out;
}

std::vector<std::string> go_to_suggestions(const Vocabulary& v) {
  std::vector<std::string> out = {"next violation", "previous violation", "next fault", "previous fault", "next dropped", "previous dropped", "first", "last"};
  for (const std::string& s : v.sentences) {
    out.push_back(s);
    out.push_back("previous " + s);
  }
  return out;
}

GoTo go_to(const Recording& r, std::string_view words, std::size_t now, std::optional<std::size_t> drop_in_focus) {
  const std::string_view w = trimmed(words);
  const std::size_t last = r.events() - 1;
  now = std::min(now, last);
  if (w.empty()) return {now, "a time was expected, as 130ms or +2ms, or an event, as #87"};
  if (w == "first" || w == "start") return {0, {}};
  if (w == "last" || w == "end") return {last, {}};
  if (w == "next violation" || w == "violation") return next_of(violations_of(r), now, "violation");
  if (w == "previous violation") return previous_of(violations_of(r), now, "violation");
  if (w == "next fault" || w == "fault") return next_of(fault_events_of(r), now, "fault");
  if (w == "previous fault") return previous_of(fault_events_of(r), now, "fault");
  if (w == "next dropped" || w == "dropped") return dropped(r, now, Direction::forward, drop_in_focus);
  if (w == "previous dropped") return dropped(r, now, Direction::backward, drop_in_focus);
  if (w.front() == '#') {
    const std::string_view digits = trimmed(w.substr(1));
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc() || end != digits.data() + digits.size()) return {now, fmt::format("`{}` is no number of an event: #87 was expected", w)};
    if (n > last) return {now, fmt::format("the last event is #{}", last)};
    return {n, {}};
  }
  const bool on = w.front() == '+', back = w.front() == '-';
  const std::string_view length = on || back ? trimmed(w.substr(1)) : w;
  if (const auto d = parse_duration(length)) {
    const Time here = r.time_of(now);
    const Time t = on ? saturating_add(here, *d) : back ? saturating_add(here, -*d) : *d;
    const std::size_t e = r.event_before(t);
    return {e < r.events() ? e : 0, {}};
  }
  static const std::array<std::string, 10> known = {"next violation", "previous violation", "next fault", "previous fault", "next dropped", "previous dropped", "first", "last", "start", "end"};
  return {now, fmt::format("`{}` is no place of a run: 130ms, +2ms, #87, next violation, next fault, next dropped, first, last, or a sentence as `isr orders/0 < 3` was expected{}", w, did_you_mean(w, known))};
}

}  // namespace mqlab::gui
