// Of the space-time diagram: messages that arrived, as arrows or as density.
#include "gui/core/spacetime_painter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gui/core/labels.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {

void SpacetimePainter::arrow(const Flight& f, bool strong) {
  const int from = lane(f.from), to = lane(f.to);
  const Point a{x_of_sending(f), y_of_lane(from)}, b{x_of(f.event), y_of_lane(to)};
  const MessageLook& look = facts.looks.of(f.kind);
  const EntityId e = EntityId::event(f.event);
  const bool chosen = focus.entity == e;
  const Ink ink = lit.count(f.event) ? Ink::witness : chosen ? Ink::selection : look.ink;
  Shape& line = s.line(a, b, ink, strong ? 2.2F : 1.2F, e);
  line.dashed = look.small;
  if (!strong && look.small) line.opacity = 130;
  // The head, short of the line: its shape is the message's.
  const float dx = b.x - a.x, dy = b.y - a.y, length = std::hypot(dx, dy);
  if (length < 6) return;
  const Point head{b.x - dx / length * 4, b.y - dy / length * 4};
  Shape& tip = s.symbol(ShapeKind::triangle, head, strong ? 5 : 3.6F, ink, look.filled, e);
  tip.to = b;
}

// Messages: arrows, or density above the limit. How many there are, and how many are drawn.
std::pair<std::size_t, std::size_t> SpacetimePainter::messages() {
  const TimeRange range = view.time.range;
  const auto seen = [&](const Flight& f) { return lane(f.from) >= 0 && lane(f.to) >= 0 && passes(f.event); };
  std::size_t total = 0;
  std::vector<Flight> some, must;
  const bool all_seen = (!view.passing || view.passing->empty()) && std::all_of(lane_of.begin(), lane_of.end(), [](int l) { return l >= 0; });
  const std::size_t found = index.flights_between(range.from, range.to, all_seen ? view.arrows_most + 1 : static_cast<std::size_t>(-1), [&](const Flight& f) {
    if (!seen(f)) return;
    ++total;
    if (some.size() <= view.arrows_most) some.push_back(f);
  });
  if (all_seen) total = found;
  // What must be drawn whatever the number.
  std::set<std::uint32_t> wanted = lit;
  if (focus.entity.kind == EntityId::Kind::event) wanted.insert(static_cast<std::uint32_t>(focus.entity.a));
  for (const std::uint32_t event : wanted) {
    const auto f = std::lower_bound(index.flights().begin(), index.flights().end(), event, [](const Flight& x, std::uint32_t e) { return x.event < e; });
    if (f != index.flights().end() && f->event == event && seen(*f) && f->sent <= range.to && f->arrived >= range.from) must.push_back(*f);
  }
  dense = total > view.arrows_most;
  if (dense) density();
  std::size_t drawn = 0, inside = 0;
  if (!dense)
    for (const Flight& f : some) {
      if (lane(f.from) == lane(f.to)) {
        ++inside;
        continue;
      }
      arrow(f, false);
      ++drawn;
    }
  for (const Flight& f : must) arrow(f, true);
  if (dense) drawn = must.size();
  if (inside > 0) s.remark(fmt::format("{} messages within folded lines are not drawn", with_commas(inside)));
  // Names along arrows, where there is room: those that are not heartbeats, the longest way first.
  if (!dense && drawn <= 120) {
    for (const Flight& f : some) {
      if (lane(f.from) == lane(f.to) || f.traffic == Traffic::heartbeat) continue;
      const Point a{x_of_sending(f), y_of_lane(lane(f.from))}, b{x_of(f.event), y_of_lane(lane(f.to))};
      const std::string text = j().kind_name(f.kind);
      const float w = measure.width(text, 0.75F), h = measure.line_height(0.75F);
      for (const float part : {0.5F, 0.35F, 0.65F}) {
        const Rect box{a.x + (b.x - a.x) * part + 5, a.y + (b.y - a.y) * part - h / 2, w, h};
        if (box.x < area.x || box.right() > area.right() || box.y < area.y + faults_height || box.bottom() > area.bottom()) continue;
        if (!taken.take(box)) continue;
        small_words(box, text, Ink::faint, EntityId::event(f.event));
        break;
      }
    }
  }
  if (!dense) to_name = std::move(some);
  return {total, drawn};
}

// What a screen reader walks last: all else comes before.
void SpacetimePainter::name_messages() {
  for (const Flight& f : to_name) {
    if (s.named().size() >= named_most) break;
    if (f.traffic == Traffic::heartbeat || lane(f.from) == lane(f.to)) continue;
    const Point a{x_of_sending(f), y_of_lane(lane(f.from))}, b{x_of(f.event), y_of_lane(lane(f.to))};
    s.name(EntityId::event(f.event), {std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x) + 1, std::abs(a.y - b.y) + 1},
           fmt::format("{} from {} to {}, handled at {}", j().kind_name(f.kind), line_name(j(), f.from), line_name(j(), f.to), format_time(f.arrived)));
  }
}

void SpacetimePainter::density() {
  const float column = 4;
  const auto columns = static_cast<std::size_t>(std::max(area.w / column, 1.0F));
  std::vector<std::vector<Density>> all;
  std::uint32_t most = 1;
  for (const Lane& l : view.lanes) {
    std::vector<Density> sum(columns);
    for (const NodeId n : l.nodes) {
      const auto d = index.density(n, view.time.range.from, view.time.range.to, columns);
      for (std::size_t c = 0; c < columns; ++c) sum[c].events += d[c].events, sum[c].messages += d[c].messages;
    }
    for (const Density& d : sum) most = std::max(most, d.messages);
    all.push_back(std::move(sum));
  }
  for (std::size_t l = 0; l < all.size(); ++l)
    for (std::size_t c = 0; c < columns; ++c) {
      if (all[l][c].messages == 0) continue;
      // By the root, so that little is seen beside much.
      const float h = std::max(1.5F, (lane_height * 0.8F) * std::sqrt(static_cast<float>(all[l][c].messages) / static_cast<float>(most)));
      const float x = view.time.by_order ? x_of_time(view.time.range.from + static_cast<Time>(static_cast<double>(c) / static_cast<double>(columns) * static_cast<double>(view.time.range.length())))
                                         : area.x + static_cast<float>(c) * column;
      s.fill({x, y_of_lane(static_cast<int>(l)) - h / 2, column - 0.5F, h}, Ink::hue4).opacity = 150;
    }
}

}  // namespace mqlab::gui
