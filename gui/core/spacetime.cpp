#include "gui/core/spacetime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gui/core/spacetime_painter.h"
#include "gui/core/topology.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

constexpr float lane_least = 15, right_margin = 8;

// Which lane a node is on; -1: none.
std::vector<int> lanes_by_node(const Recording& r, const SpacetimeView& view) {
  std::vector<int> out(r.journal().processes.size(), -1);
  for (std::size_t i = 0; i < view.lanes.size(); ++i)
    for (const NodeId n : view.lanes[i].nodes)
      if (n < out.size()) out[n] = static_cast<int>(i);
  return out;
}

// By order: the events that are steps.
std::vector<std::uint32_t> steps_of(const Recording& r, const SpacetimeView& view) {
  const std::vector<int> lane_of = lanes_by_node(r, view);
  const auto& all = r.journal().deliveries;
  std::vector<std::uint32_t> out;
  for (std::size_t e = r.event_after(view.time.range.from); e < r.events() && all[e].time <= view.time.range.to; ++e) {
    if (view.passing && !view.passing->empty() && !(*view.passing)[e]) continue;
    const NodeId line = line_of(all[e].event);
    if (line < lane_of.size() && lane_of[line] >= 0) out.push_back(static_cast<std::uint32_t>(e));
  }
  return out;
}

}  // namespace

std::optional<TimeRange> witness_range(const Recording& r, std::size_t verdict, std::size_t finding) {
  const auto& verdicts = r.result().verdicts;
  if (verdict >= verdicts.size() || finding >= verdicts[verdict].report.worst.size()) return std::nullopt;
  std::optional<TimeRange> out;
  for (const OpIndex op : verdicts[verdict].report.worst[finding].witness) {
    const Op& o = r.journal().ops[op];
    if (o.process == nobody) continue;  // "drained" is on no line, and far behind
    if (!out) out = TimeRange{o.time, o.time};
    out->from = std::min(out->from, o.time);
    out->to = std::max(out->to, o.time);
  }
  if (!out) return out;
  const Duration margin = std::max<Duration>(out->length() / 8, 5'000'000);
  return TimeRange{std::max<Time>(out->from - margin, 0), out->to + margin};
}

std::size_t event_at(const EventIndex& index, const SpacetimeView& view, float width, float height, float x, const TextMeasure& measure) {
  const Recording& r = index.recording();
  const Rect area = spacetime_area(width, height, measure);
  const auto passes = [&](std::size_t e) { return !view.passing || view.passing->empty() || (*view.passing)[e]; };
  if (!view.time.by_order) {
    std::size_t e = r.event_before(TimeAxis(view.time, area.x, area.w).at(x));
    while (e < r.events() && e > 0 && !passes(e)) --e;
    return e;
  }
  const std::vector<std::uint32_t> steps = steps_of(r, view);
  if (steps.empty()) return r.events();
  const auto place = static_cast<std::ptrdiff_t>(std::floor((x - area.x) / area.w * static_cast<float>(steps.size())));
  return steps[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(place, 0, static_cast<std::ptrdiff_t>(steps.size()) - 1))];
}

Rect spacetime_area(float width, float height, const TextMeasure& measure) {
  // Names on the left; below the axis with its times, and a line for remarks.
  const float gutter = std::min(std::round(measure.line_height() * 7.4F), width * 0.3F), below = measure.line_height(0.85F) * 2 + 14;
  return {gutter, 0, std::max(width - gutter - right_margin, 1.0F), std::max(height - below, 1.0F)};
}

SpacetimeFacts spacetime_facts(const EventIndex& index) {
  SpacetimeFacts out;
  const World& w = *index.recording().result().world;
  out.timeline = timeline_of(w, index.recording().end());
  out.looks = MessageLooks(w.journal);
  for (const Side side : {Side::left, Side::middle, Side::below, Side::right})
    for (NodeId n = 0; n < w.node_count(); ++n)
      if (side_of(w.node_options(n).role) == side) out.lanes.push_back({w.name(n), {n}});
  return out;
}

std::vector<Lane> hide(std::vector<Lane> lanes, const std::vector<NodeId>& nodes) {
  for (Lane& l : lanes) std::erase_if(l.nodes, [&](NodeId n) { return std::find(nodes.begin(), nodes.end(), n) != nodes.end(); });
  std::erase_if(lanes, [](const Lane& l) { return l.nodes.empty(); });
  return lanes;
}

std::vector<Lane> fold(const std::vector<Lane>& lanes, const std::vector<NodeId>& nodes, std::string name) {
  std::vector<Lane> out;
  Lane folded{std::move(name), {}};
  std::size_t at = 0;
  for (const Lane& l : lanes) {
    Lane rest{l.name, {}};
    for (const NodeId n : l.nodes) (std::find(nodes.begin(), nodes.end(), n) != nodes.end() ? folded : rest).nodes.push_back(n);
    if (rest.nodes.size() < l.nodes.size() && at == 0) at = out.size() + 1;
    if (!rest.nodes.empty()) out.push_back(std::move(rest));
  }
  if (!folded.nodes.empty()) out.insert(out.begin() + static_cast<std::ptrdiff_t>(std::min(at - 1, out.size())), std::move(folded));
  return out;
}

Scene spacetime(const EventIndex& index, const SpacetimeFacts& facts, const SpacetimeView& view, const Focus& focus, float width, float height, const TextMeasure& measure) {
  Scene s(width, height);
  const Recording& r = index.recording();
  const Rect area = spacetime_area(width, height, measure);
  if (r.events() == 0 || view.lanes.empty()) {
    say_instead(s, r.events() == 0 ? "Nothing happened in this run." : "All lines are hidden: a right click shows them again.", measure);
    return s;
  }
  std::vector<int> lane_of = lanes_by_node(r, view);
  std::vector<std::uint32_t> steps;
  std::vector<Time> times;
  if (view.time.by_order) steps = steps_of(r, view);
  for (const std::uint32_t e : steps) times.push_back(r.time_of(e));
  SpacetimePainter p{index, facts, view, focus, s, measure, area, TimeAxis(view.time, area.x, area.w, std::move(times)), std::move(steps), std::move(lane_of), 16 * growth(measure), 0, Occupancy(width, height)};
  p.lane_height = (spacetime_height(view.lanes.size(), width, height, measure) - p.faults_height - 4) / static_cast<float>(view.lanes.size());
  s.clip(area);
  draw_fault_bands(s, facts.timeline, p.axis, area.y, area.bottom(), &measure, &p.taken, area.y + p.faults_height + (view.scroll > 0 ? 0 : std::max(0.0F, p.lane_height / 2 - 7)));
  s.clip_nothing();
  draw_axis(s, p.axis, area.y + p.faults_height, area.bottom(), measure);
  p.lanes();
  for (const FaultBand& b : facts.timeline.faults)
    if (s.named().size() < named_most && b.from <= view.time.range.to && b.to >= view.time.range.from)
      s.name(EntityId::fault(b.fault), {std::max(p.axis.x(b.from), area.x), area.y, std::max(std::min(p.axis.x(b.to), area.right()) - std::max(p.axis.x(b.from), area.x), 2.0F), p.faults_height},
             b.at_once() ? fmt::format("fault at {}: {}", format_time(b.from), b.text) : fmt::format("fault from {} to {}: {}", format_time(b.from), format_time(b.to), b.text));
  s.clip(area);
  p.find_witness();
  p.find_parting();
  p.find_lost();
  p.find_ops();
  const auto [total, drawn] = p.messages();
  p.draw_lost();
  p.marks();
  p.ops();
  p.witness();
  p.parting();
  p.cursor();
  p.name_messages();
  s.clip_nothing();
  if (p.dense) p.too_many.insert(p.too_many.begin(), fmt::format("{} messages as density", with_commas(total)));
  if (!p.too_many.empty()) s.remark(fmt::format("{}: zoom in", fmt::join(p.too_many, ", ")));
  if (!p.dense && total > drawn) s.remark(fmt::format("{} of {} messages drawn", with_commas(drawn), with_commas(total)));
  if (p.lost_total > p.lost.size()) s.remark(fmt::format("{} of {} that never arrived drawn", with_commas(p.lost.size()), with_commas(p.lost_total)));
  if (view.time.by_order) s.remark("by order: events equally far apart");
  if (spacetime_height(view.lanes.size(), width, height, measure) > area.h) s.remark("more lines: scroll");
  return s;
}

float spacetime_height(std::size_t lanes, float width, float height, const TextMeasure& measure) {
  const Rect area = spacetime_area(width, height, measure);
  return std::max(area.h, 16 * growth(measure) + 4 + std::max(lane_least, measure.line_height(0.9F) + 2) * static_cast<float>(lanes));
}

}  // namespace mqlab::gui
