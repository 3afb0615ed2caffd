// Of the space-time diagram: messages that never arrived, as crosses with their reasons or as density.
#include "gui/core/spacetime_painter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gui/core/labels.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

constexpr std::size_t reasons_most = 40;

// The part of a way between two x; `to` is what is left of its end.
void cut_to(Point& from, Point& to, float left, float right) {
  const auto at = [&](float x) { return from.y + (to.y - from.y) * (x - from.x) / (to.x - from.x); };
  const Point a = from, b = to;
  if (b.x > right && b.x > a.x) to = {right, at(right)};
  if (a.x < left && b.x > a.x) from = {left, b.y - (b.y - a.y) * (b.x - left) / (b.x - a.x)};
}

}  // namespace

// When a message was over that never arrived; by order, between two events.
float SpacetimePainter::x_of_end(const LostFlight& f) const {
  if (!view.time.by_order) return axis.x(f.over);
  const std::size_t after = j().drops[f.drop].after;
  const float half = steps.empty() ? 0 : area.w / static_cast<float>(steps.size()) / 2;
  return after > 0 ? x_of(after - 1) + half : area.x;
}

bool SpacetimePainter::lost_seen(const LostFlight& f) const { return lane(f.from) >= 0 && (f.to == nobody || (lane(f.to) >= 0 && lane(f.to) != lane(f.from))) && drop_passes(f.drop); }

// What never arrived, with places for its words before those of other messages.
void SpacetimePainter::find_lost() {
  const TimeRange range = view.time.range;
  std::vector<LostFlight> some;
  index.lost_between(range.from, range.to, [&](const LostFlight& f) {
    if (!lost_seen(f)) return;
    ++lost_total;
    if (some.size() < view.crosses_most || focus.entity == EntityId::drop(f.drop)) some.push_back(f);
  });
  if (lost_total > view.crosses_most) std::erase_if(some, [&](const LostFlight& f) { return focus.entity != EntityId::drop(f.drop); });
  const auto named = static_cast<std::size_t>(std::count_if(some.begin(), some.end(), [](const LostFlight& f) { return f.traffic != Traffic::heartbeat; }));
  for (const LostFlight& f : some) {
    LostArrow l{f, {axis.x(f.sent), y_of_lane(lane(f.from))}, {}, {}, {}};
    if (view.time.by_order)
      if (const std::size_t cause = index.cause_of_drop(f.drop); cause < r().events()) l.from.x = x_of(cause);
    // Off its sender's line in any case, so that the cross is seen.
    const float whole = f.to == nobody ? -lane_height / 2 : y_of_lane(lane(f.to)) - l.from.y;
    const float way = std::clamp(std::abs(whole) * f.part, std::min(9.0F, std::abs(whole) * 0.9F), std::abs(whole));
    l.to = {std::max(x_of_end(f), l.from.x), l.from.y + (whole < 0 ? -way : way)};
    cut_to(l.from, l.to, area.x - 40, area.right() + 40);
    if (f.traffic != Traffic::heartbeat) taken.block({l.to.x - 4, l.to.y - 4, 8, 8});
    lost.push_back(std::move(l));
  }
  if (named > reasons_most) return;
  for (LostArrow& l : lost) {
    const LostFlight& f = l.flight;
    if (f.traffic != Traffic::heartbeat && l.to.x <= area.right()) {
      l.text = fit(fmt::format("{}: {}", j().kind_name(f.kind), drop_reason_text(j().drops[f.drop].why)), 270, measure, 0.75F);
      const float w = measure.width(l.text, 0.75F), h = measure.line_height(0.75F);
      for (const Rect box : {Rect{l.to.x + 12, l.to.y - h / 2, w, h}, Rect{l.to.x - w - 12, l.to.y - h / 2, w, h}, Rect{l.to.x + 12, l.to.y + 6, w, h}, Rect{l.to.x + 12, l.to.y - h - 6, w, h}, Rect{l.to.x - w - 12, l.to.y + 6, w, h}}) {
        if (box.x < area.x || box.right() > area.right() || box.y < area.y + faults_height || box.bottom() > area.bottom() || !taken.take(box)) continue;
        l.box = box;
        break;
      }
    }
  }
}

void SpacetimePainter::draw_lost() {
  if (lost_total > view.crosses_most) lost_density();
  for (const LostArrow& l : lost) {
    const MessageLook& look = facts.looks.of(l.flight.kind);
    const EntityId e = EntityId::drop(l.flight.drop);
    const bool chosen = focus.entity == e;
    Shape& line = s.line(l.from, l.to, chosen ? Ink::selection : look.ink, chosen ? 2.2F : 1.2F, e);
    line.dashed = look.small;
    if (!chosen && look.small) line.opacity = 130;
    if (l.to.x > area.right() + 20) continue;
    MessageLooks::draw_end(s, l.to, look.small ? 3.0F : 4.5F, e);
    if (chosen) s.symbol(ShapeKind::circle, l.to, 9, Ink::selection, false, e).width = 2;
    if (l.box.w > 0) s.text({l.box.x, l.box.y}, l.text, MessageLooks::lost_ink, Anchor::left, e).width = 0.75F;
  }
  for (const LostArrow& l : lost) {
    if (s.named().size() >= named_most) break;
    if (l.flight.traffic == Traffic::heartbeat) continue;
    s.name(EntityId::drop(l.flight.drop), {std::min(l.to.x - 6, area.right() - 1), l.to.y - 6, 12, 12}, fmt::format("{}, at {}", drop_text(j(), j().drops[l.flight.drop]), format_time(l.flight.over)));
  }
}

// Too many to draw each: how many a column, on the lines that they never came to.
void SpacetimePainter::lost_density() {
  const float column = 4;
  const auto columns = static_cast<std::size_t>(std::max(area.w / column, 1.0F));
  std::vector<std::vector<std::uint32_t>> all(view.lanes.size(), std::vector<std::uint32_t>(columns));
  std::uint32_t most = 1;
  index.lost_between(view.time.range.from, view.time.range.to, [&](const LostFlight& f) {
    if (!lost_seen(f) || f.over > view.time.range.to) return;
    const auto c = static_cast<std::size_t>(std::clamp((x_of_end(f) - area.x) / column, 0.0F, static_cast<float>(columns - 1)));
    most = std::max(most, ++all[static_cast<std::size_t>(lane(f.to == nobody ? f.from : f.to))][c]);
  });
  for (std::size_t l = 0; l < all.size(); ++l)
    for (std::size_t c = 0; c < columns; ++c) {
      if (all[l][c] == 0) continue;
      const float h = std::max(3.0F, lane_height * 0.4F * std::sqrt(static_cast<float>(all[l][c]) / static_cast<float>(most)));
      s.fill({area.x + static_cast<float>(c) * column, y_of_lane(static_cast<int>(l)) - h, column - 0.5F, h}, MessageLooks::lost_ink);
    }
}

}  // namespace mqlab::gui
