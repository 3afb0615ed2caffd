// Of the space-time diagram: where things stand, the lines of nodes, the cursor, and where two runs part.
#include "gui/core/spacetime_painter.h"

#include <algorithm>

#include "gui/core/labels.h"

namespace mqlab::gui {

// Where an event stands; by order: its step, or that of the last one before it in sight.
float SpacetimePainter::x_of(std::size_t event) const {
  if (!view.time.by_order) return axis.x(r().time_of(event));
  const auto at = std::upper_bound(steps.begin(), steps.end(), static_cast<std::uint32_t>(event));
  if (at == steps.begin()) return axis.left() - 20;
  return axis.x_of_event(static_cast<std::size_t>(at - steps.begin()) - 1, 0);
}

// Where a message leaves: by order, at the event during which it was sent.
float SpacetimePainter::x_of_sending(const Flight& f) const {
  if (!view.time.by_order) return axis.x(f.sent);
  const std::size_t cause = index.cause_of(f.event);
  if (cause >= r().events()) return axis.x(f.sent);
  return x_of(cause);
}

float SpacetimePainter::x_of_time(Time t) const {
  if (!view.time.by_order) return axis.x(t);
  const std::size_t before = r().event_before(t);
  return before < r().events() ? x_of(before) : axis.left();
}

void SpacetimePainter::lanes() {
  const float size = 0.9F, high = measure.line_height(size);
  for (std::size_t i = 0; i < view.lanes.size(); ++i) {
    const Lane& l = view.lanes[i];
    const float y = y_of_lane(static_cast<int>(i));
    if (y < area.y + faults_height || y > area.bottom()) continue;
    const EntityId e = l.nodes.size() == 1 ? EntityId::node(l.nodes.front()) : EntityId{};
    s.clip({0, area.y, area.x, area.h});
    s.text({8, y - high / 2}, fit_name(l.name, area.x - 14, measure, size), Ink::text, Anchor::left, e).width = size;
    if (focus.entity && focus.entity == e) s.fill({2, y - high / 2, 3, high}, Ink::selection);
    if (s.named().size() < named_most) s.name(e, {0, y - lane_height / 2, s.width(), lane_height}, "line of " + l.name);
    s.clip(area);
    // Not where the node is down.
    float solid_from = area.x;
    const auto solid = [&](float to) {
      if (to > solid_from) s.line({solid_from, y}, {to, y}, Ink::edge, 1, e).opacity = 150;
    };
    if (l.nodes.size() == 1 && l.nodes.front() < facts.timeline.nodes.size())
      for (const TimeRange& d : facts.timeline.nodes[l.nodes.front()].down) {
        if (d.from > view.time.range.to || d.to < view.time.range.from) continue;
        solid(x_of_time(d.from));
        solid_from = std::max(x_of_time(d.to), area.x);
      }
    solid(area.right());
    taken.block({area.x, y - 1, area.w, 2});
    if (l.nodes.size() == 1 && l.nodes.front() < facts.timeline.nodes.size()) {
      const NodeHistory& h = facts.timeline.nodes[l.nodes.front()];
      for (const TimeRange& d : h.down) {
        if (d.from > view.time.range.to || d.to < view.time.range.from) continue;
        const float from = std::max(x_of_time(d.from), area.x), to = std::min(x_of_time(d.to), area.right());
        s.line({from, y}, {to, y}, Ink::down, 2, e).dashed = true;
        if (to - from > 60) state_word({(from + to) / 2, y}, "down", Ink::down);
      }
      for (const TimeRange& d : h.paused) {
        if (d.from > view.time.range.to || d.to < view.time.range.from) continue;
        const float from = std::max(x_of_time(d.from), area.x), to = std::min(x_of_time(d.to), area.right());
        s.line({from, y - 2.5F}, {to, y - 2.5F}, Ink::paused, 1.5F, e);
        s.line({from, y + 2.5F}, {to, y + 2.5F}, Ink::paused, 1.5F, e);
        if (to - from > 70) state_word({(from + to) / 2, y}, "paused", Ink::paused);
      }
    }
    s.clip_nothing();
  }
}

// Above a line: what its node is for a while.
void SpacetimePainter::state_word(Point at, const std::string& word, Ink ink) {
  const float w = measure.width(word, 0.78F), h = measure.line_height(0.78F);
  if (taken.take({at.x - w / 2, at.y - h - 1, w, h})) s.text({at.x, at.y - h - 1}, word, ink, Anchor::centre).width = 0.78F;
}

// On paper of their own: arrows run everywhere.
void SpacetimePainter::small_words(Rect box, const std::string& text, Ink ink, EntityId e) {
  s.fill({box.x - 1, box.y + 1, box.w + 2, box.h - 2}, Ink::background, 2).opacity = 180;
  s.text({box.x, box.y}, text, ink, Anchor::left, e).width = 0.75F;
}

void SpacetimePainter::find_parting() {
  if (!view.parts) return;
  const std::string at = format_time(*view.parts);
  if (*view.parts < view.time.range.from) return s.remark("the runs part before what is shown, at " + at);
  if (*view.parts > view.time.range.to) return s.remark("the runs part after what is shown, at " + at);
  parting_text = "the runs part here: " + at;
  const float x = x_of_time(*view.parts), w = measure.width(parting_text, 0.8F), h = measure.line_height(0.8F);
  const float left = x + 6 + w <= area.right() ? x + 6 : x - 6 - w;
  parting_box = {std::max(left, area.x), area.bottom() - h - 3, w, h};
  taken.block(parting_box);
  EntityId e;
  e.kind = EntityId::Kind::time;
  e.a = static_cast<std::uint64_t>(*view.parts);
  s.name(e, {x - 4, area.y, 8, area.h}, parting_text);
}

void SpacetimePainter::parting() {
  if (parting_text.empty()) return;
  EntityId e;
  e.kind = EntityId::Kind::time;
  e.a = static_cast<std::uint64_t>(*view.parts);
  const float x = x_of_time(*view.parts);
  s.line({x, area.y}, {x, area.bottom()}, Ink::pin, 2, e).dashed = true;
  s.fill({parting_box.x - 3, parting_box.y - 1, parting_box.w + 6, parting_box.h + 2}, Ink::background, 3).opacity = 225;
  s.text({parting_box.x, parting_box.y}, parting_text, Ink::pin, Anchor::left, e).width = 0.8F;
}

void SpacetimePainter::cursor() {
  if (focus.range) {
    const float from = std::max(x_of_time(focus.range->from), area.x), to = std::min(x_of_time(focus.range->to), area.right());
    if (to > from) s.fill({from, area.y, to - from, area.h}, Ink::selection).opacity = 30;
  }
  if (focus.event >= r().events() && !view.cursor) return;
  const float x = view.cursor ? x_of_time(*view.cursor) : x_of(focus.event);
  if (x < area.x - 1 || x > area.right() + 1) return;
  s.line({x, area.y}, {x, area.bottom()}, Ink::cursor, 1.6F);
  s.symbol(ShapeKind::triangle, {x, area.bottom() - 4}, 5, Ink::cursor, true).to = {x, area.bottom() - 14};
}

}  // namespace mqlab::gui
