#include "cli/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sim/record/event_text.h"
#include "sim/record/op_text.h"

namespace mqlab::cli {
namespace {

constexpr int rank_of_the_drain = 6;  // what the lab does after the story: told only when all is

bool is_disturbance(std::string_view mark) {
  for (const char* name : {"fault", "fault_ended", "killed", "power_lost", "restarted", "stopped", "paused", "resumed", "message_fault"})
    if (mark == name) return true;
  return false;
}

}  // namespace

std::vector<StoryLine> tell(const RunResult& r) {
  const Journal& j = r.world->journal;
  std::vector<StoryLine> lines;

  // What the verdicts rest on.
  std::set<OpIndex> witness;
  std::vector<StoryLine> certain;
  for (const VerdictRow& v : r.verdicts) {
    if (v.report.verdict != Verdict::violated || v.report.worst.empty()) continue;
    const Finding& f = v.report.worst.front();
    witness.insert(f.witness.begin(), f.witness.end());
    certain.push_back({f.at, 0, fmt::format("{} is certain{}", v.report.anomaly->name, v.report.count > 1 ? ", for the first time" : ""), Style::Ink::bad});
  }

  // The first and the last of each kind that each client did or saw.
  using What = std::tuple<NodeId, OpKind, Outcome, std::uint32_t>;
  std::map<What, std::pair<OpIndex, OpIndex>> ends;
  for (OpIndex i = 0; i < j.ops.size(); ++i) {
    const Op& op = j.ops[i];
    if (op.kind == OpKind::poll || op.kind == OpKind::process || op.kind == OpKind::end_offset) continue;
    if (op.kind == OpKind::commit && op.outcome == Outcome::invoke) continue;
    const auto [it, fresh] = ends.try_emplace({op.process, op.kind, op.outcome, op.error}, i, i);
    if (!fresh) it->second.second = i;
  }
  std::map<OpIndex, int> rank;
  for (const auto& [what, span] : ends) {
    const OpKind kind = std::get<1>(what);
    const bool trouble = std::get<2>(what) == Outcome::fail || std::get<2>(what) == Outcome::info;
    // What happens in the drain is the lab's doing, not the story's.
    if (kind != OpKind::drained && j.ops[span.first].time >= r.workload_ended) continue;
    const int first = kind == OpKind::drained ? 0 : kind == OpKind::assign || kind == OpKind::seek ? 4 : trouble ? 1 : 2;
    for (const auto& [at, r2] : {std::pair{span.second, first + 1}, std::pair{span.first, first}}) {
      const auto [it, fresh] = rank.try_emplace(at, r2);
      if (!fresh) it->second = std::min(it->second, r2);
    }
  }
  for (const OpIndex w : witness) rank[w] = 0;
  for (const auto& [i, n] : rank) {
    const Op& op = j.ops[i];
    const bool trouble = op.outcome == Outcome::fail || op.outcome == Outcome::info;
    lines.push_back({op.time, n, op_text(j, op), witness.count(i) ? Style::Ink::strong : trouble ? Style::Ink::warn : Style::Ink::plain});
  }

  // What happened inside. What was there before the first send is setting up; what is rare is told before
  // what happens again and again.
  Time first_send = time_max;
  for (const Op& op : j.ops)
    if (op.kind == OpKind::send) {
      first_send = op.time;
      break;
    }
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> total, seen;
  for (const Mark& m : j.marks) ++total[{m.name, m.place}];
  std::vector<StoryLine> marks;
  for (const Mark& m : j.marks) {
    const std::string& name = j.names.text(m.name);
    const bool fault = is_disturbance(name);
    const std::uint64_t nth = ++seen[{m.name, m.place}];
    int n = fault ? (nth > 8 ? 4 : 0) : nth <= 2 || total[{m.name, m.place}] <= 4 ? 2 : 5;
    if (!fault && m.time < first_send) n = 4;
    if (m.time >= r.workload_ended) n = rank_of_the_drain;
    marks.push_back({m.time, n, mark_text(j, m), fault ? Style::Ink::warn : Style::Ink::quiet});
  }
  lines.insert(lines.begin(), marks.begin(), marks.end());
  lines.insert(lines.end(), certain.begin(), certain.end());
  std::stable_sort(lines.begin(), lines.end(), [](const StoryLine& a, const StoryLine& b) { return a.time < b.time; });
  return lines;
}

std::string story_text(const RunResult& r, std::size_t lines_max, const Style& style) {
  std::vector<StoryLine> lines = tell(r);
  std::size_t left_out = 0;
  if (lines_max != 0) std::erase_if(lines, [](const StoryLine& l) { return l.rank >= rank_of_the_drain; });
  if (lines_max != 0 && lines.size() > lines_max) {
    std::vector<std::size_t> order(lines.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lines[a].rank < lines[b].rank; });
    order.resize(lines_max);
    std::sort(order.begin(), order.end());
    std::vector<StoryLine> kept;
    for (const std::size_t i : order) kept.push_back(std::move(lines[i]));
    left_out = lines.size() - kept.size();
    lines = std::move(kept);
  }
  std::string out;
  for (const StoryLine& l : lines) {
    const std::string time = fmt::format("  {:>14}  ", format_time(l.time));
    std::string text = paragraph(l.text, style.width, std::string(columns(time), ' '));
    text.erase(0, columns(time));
    text.pop_back();
    out += style.quiet(time) + style.paint(text, l.ink) + "\n";
  }
  if (left_out) out += style.quiet(fmt::format("  {:>14}  ... {} more: --verbose", "", left_out)) + "\n";
  return out;
}

}  // namespace mqlab::cli
