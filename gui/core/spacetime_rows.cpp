// Of the space-time diagram: what clients did and saw, marks, and the rows that prove a verdict.
#include "gui/core/spacetime_painter.h"

#include <algorithm>

#include "gui/core/describe.h"
#include "gui/core/labels.h"
#include "sim/record/event_text.h"
#include "sim/record/op_text.h"

namespace mqlab::gui {
namespace {

constexpr std::size_t rows_most = 1'500;

bool drawn(const Op& o) {
  switch (o.kind) {
    case OpKind::send:
    case OpKind::deliver:
    case OpKind::begin:
    case OpKind::end_commit:
    case OpKind::end_abort:
    case OpKind::commit:
    case OpKind::assign:
    case OpKind::revoke:
    case OpKind::effect: return true;
    case OpKind::ack: return o.outcome != Outcome::invoke;
    default: return false;
  }
}

}  // namespace

void SpacetimePainter::op(OpIndex i, bool strong) {
  const Op& o = j().ops[i];
  const float x = x_of_op(i);
  const float y = y_of(o.process);
  const EntityId e = EntityId::op(i);
  const Ink ink = strong ? Ink::witness : o.key ? hue(o.key) : Ink::strong;
  const float size = strong ? 6.5F : 4.5F;
  const auto points = [&](float up, bool filled, float at) {
    Shape& t = s.symbol(ShapeKind::triangle, {x, at}, size, ink, filled, e);
    t.to = {x, at - up};
  };
  if (o.kind == OpKind::send && o.outcome == Outcome::invoke) points(10, true, y - 4);
  else if (o.kind == OpKind::deliver) points(-10, true, y - 4);
  else if (o.outcome == Outcome::fail) s.symbol(ShapeKind::cross, {x, y}, size, strong ? Ink::witness : Ink::violated, false, e).width = 2;
  else if (o.outcome == Outcome::info) s.symbol(ShapeKind::circle, {x, y}, size, strong ? Ink::witness : Ink::unknown, false, e).width = 1.8F;
  else if (o.kind == OpKind::send && o.outcome == Outcome::ok) s.symbol(ShapeKind::circle, {x, y}, size * 0.8F, strong ? Ink::witness : Ink::holds, true, e);
  else s.symbol(ShapeKind::circle, {x, y}, 2.2F, ink, true, e);
  if (strong) s.symbol(ShapeKind::circle, {x, y}, 11, Ink::witness, false, e).width = 2;
  const bool chosen = focus.entity == e || (o.message != no_message && focus.entity == EntityId::message(o.message));
  if (chosen) s.symbol(ShapeKind::circle, {x, y}, 9, Ink::selection, false, e).width = 2;
}

float SpacetimePainter::x_of_op(OpIndex i) const {
  const std::size_t event = r().event_of_op(i);
  return view.time.by_order && event < r().events() ? x_of(event) : x_of_time(j().ops[i].time);
}

void SpacetimePainter::find_ops() {
  const auto& all = j().ops;
  const auto first = std::lower_bound(all.begin(), all.end(), view.time.range.from, [](const Op& o, Time t) { return o.time < t; });
  const auto last = std::upper_bound(first, all.end(), view.time.range.to, [](Time t, const Op& o) { return t < o.time; });
  for (auto o = first; o != last && ops_shown.size() <= rows_most; ++o) {
    if (!drawn(*o) || lane(o->process) < 0) continue;
    const auto i = static_cast<OpIndex>(o - all.begin());
    const std::size_t event = r().event_of_op(i);
    if (event < r().events() && !passes(event)) continue;
    ops_shown.push_back(i);
  }
  if (ops_shown.size() > rows_most) {
    ops_shown.clear();
    too_many.emplace_back("what clients did and saw left out");
  }
  for (const OpIndex i : ops_shown) taken.block({x_of_op(i) - 3, y_of(all[i].process) - 9, 6, 12});
}

void SpacetimePainter::ops() {
  const auto& all = j().ops;
  for (const OpIndex i : ops_shown) op(i, false);
  // Which message: above sends and deliveries.
  for (const OpIndex i : ops_shown) {
    const Op& o = all[i];
    if ((o.kind != OpKind::send || o.outcome == Outcome::ok) && o.kind != OpKind::deliver) continue;
    const std::string text = j().message_name(o.message);
    const float w = measure.width(text, 0.75F), h = measure.line_height(0.75F), y = y_of(o.process);
    const Rect box{std::clamp(x_of_op(i) - w / 2, area.x, std::max(area.right() - w, area.x)), y - 10 - h, w, h};
    if (box.x < area.x || box.right() > area.right() || box.y < area.y + faults_height || box.bottom() > area.bottom() || !taken.take(box)) continue;
    small_words(box, text, Ink::text, EntityId::message(o.message));
  }
  for (const OpIndex i : ops_shown) {
    if (s.named().size() >= named_most) break;
    const float x = x_of_op(i);
    s.name(EntityId::op(i), {x - 6, y_of(all[i].process) - 6, 12, 12}, describe_op(j(), i).title);
  }
}

void SpacetimePainter::marks() {
  const auto& all = j().marks;
  const auto first = std::lower_bound(all.begin(), all.end(), view.time.range.from, [](const Mark& m, Time t) { return m.time < t; });
  const auto last = std::upper_bound(first, all.end(), view.time.range.to, [](Time t, const Mark& m) { return t < m.time; });
  std::vector<std::size_t> shown;
  for (auto m = first; m != last && shown.size() <= rows_most; ++m) {
    if (m->node == nobody || lane(m->node) < 0) continue;
    const auto i = static_cast<std::size_t>(m - all.begin());
    const std::size_t event = r().event_of_mark(i);
    if (event < r().events() && !passes(event)) continue;
    shown.push_back(i);
  }
  if (shown.size() > rows_most) {
    too_many.emplace_back("marks left out");
    return;
  }
  const auto is_big = [&](std::size_t i) {
    const std::string& name = j().names.text(all[i].name);
    return name == "killed" || name == "power_lost" || name == "stopped" || name == "restarted" || name.find("elected") != std::string::npos || name.find("leader") != std::string::npos;
  };
  std::stable_partition(shown.begin(), shown.end(), [&](std::size_t i) { return !is_big(i); });  // the big ones on top
  for (const std::size_t i : shown) {
    const Mark& m = all[i];
    const std::string& name = j().names.text(m.name);
    const std::size_t event = r().event_of_mark(i);
    const Point at{view.time.by_order && event < r().events() ? x_of(event) : x_of_time(m.time), y_of(m.node)};
    const EntityId e = EntityId::mark(i);
    const bool chosen = focus.entity == e;
    s.symbol(ShapeKind::circle, at, is_big(i) ? 8.5F : 5.5F, Ink::background, true).opacity = 220;
    if (name == "killed" || name == "power_lost" || name == "stopped") s.symbol(ShapeKind::cross, at, 6, Ink::down, false, e).width = 2.5F;
    else if (name == "restarted") s.symbol(ShapeKind::triangle, at, 5.5F, Ink::holds, true, e).to = {at.x + 10, at.y};
    else if (name.find("elected") != std::string::npos || name.find("leader") != std::string::npos) s.symbol(ShapeKind::star, at, 7.5F, Ink::leader, true, e);
    else s.symbol(ShapeKind::diamond, at, 4.4F, name == "message_fault" ? Ink::fault : Ink::edge, true, e);
    if (chosen) s.symbol(ShapeKind::circle, at, 9, Ink::selection, false, e).width = 2;
    std::string text = name;
    std::replace(text.begin(), text.end(), '_', ' ');
    if (m.place) text += " " + j().names.text(m.place);
    const float w = measure.width(text, 0.75F), h = measure.line_height(0.75F);
    for (const Rect box : {Rect{at.x + 7, at.y + 8, w, h}, Rect{at.x + 7, at.y - 8 - h, w, h}, Rect{at.x - w - 7, at.y + 8, w, h}, Rect{at.x - w - 7, at.y - 8 - h, w, h}, Rect{at.x + 7, at.y + 8 + h, w, h}}) {
      if (box.x < area.x || box.right() > area.right() || box.bottom() > area.bottom() || box.y < area.y + faults_height) continue;
      if (!taken.take(box)) continue;
      small_words(box, text, Ink::text, e);
      break;
    }
    if (s.named().size() < named_most) s.name(e, {at.x - 6, at.y - 6, 12, 12}, format_time(m.time) + ": " + mark_text(j(), m));
  }
}

// The rows that prove the verdict in focus, in their order; those on lines in sight.
void SpacetimePainter::find_witness() {
  if (focus.entity.kind != EntityId::Kind::verdict) return;
  const auto& verdicts = r().result().verdicts;
  if (focus.entity.a >= verdicts.size() || verdicts[focus.entity.a].report.worst.empty()) return;
  const auto& worst = verdicts[focus.entity.a].report.worst;
  for (const OpIndex i : worst[std::min<std::size_t>(focus.entity.b, worst.size() - 1)].witness) {
    const Op& o = j().ops[i];
    const std::size_t event = r().event_of_op(i);
    if (event < r().events()) lit.insert(static_cast<std::uint32_t>(event));
    if (lane(o.process) < 0) continue;
    Evidence e{i, {view.time.by_order && event < r().events() ? x_of(event) : x_of_time(o.time), y_of(o.process)}, {}, fit(op_text(j(), o), 260, measure, 0.8F)};
    // Its words have their place before all others.
    const float w = measure.width(e.text, 0.8F), h = measure.line_height(0.8F);
    const Point at = e.at;
    for (const Rect box : {Rect{at.x + 14, at.y - h - 8, w, h}, Rect{at.x + 14, at.y + 8, w, h}, Rect{at.x - w - 14, at.y - h - 8, w, h}, Rect{at.x - w - 14, at.y + 8, w, h}, Rect{at.x - w / 2, at.y + 15, w, h},
                           Rect{at.x - w / 2, at.y - h - 15, w, h}}) {
      if (box.x < area.x || box.right() > area.right() || box.bottom() > area.bottom() || !taken.take(box)) continue;
      e.box = box;
      break;
    }
    evidence.push_back(std::move(e));
  }
  for (const Evidence& e : evidence)
    if (s.named().size() < named_most) s.name(EntityId::op(e.op), {e.at.x - 11, e.at.y - 11, 22, 22}, "evidence: " + describe_op(j(), e.op).title);
}

void SpacetimePainter::witness() {
  std::vector<Point> path;
  for (const Evidence& e : evidence) path.push_back(e.at);
  if (path.size() > 1) s.polyline(path, Ink::witness, 1.8F, focus.entity).dashed = true;
  for (const Evidence& e : evidence) op(e.op, true);
  for (const Evidence& e : evidence) {
    if (e.box.w == 0) continue;
    s.fill({e.box.x - 3, e.box.y - 1, e.box.w + 6, e.box.h + 2}, Ink::background, 3).opacity = 225;
    s.text({e.box.x, e.box.y}, e.text, Ink::witness, Anchor::left, EntityId::op(e.op)).width = 0.8F;
  }
}

}  // namespace mqlab::gui
