#include "gui/core/spacetime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "gui/core/describe.h"
#include "gui/core/labels.h"
#include "gui/core/topology.h"
#include "sim/record/event_text.h"
#include "sim/record/op_text.h"

namespace mqlab::gui {
namespace {

constexpr float lane_least = 15, right_margin = 8;
constexpr std::size_t named_most = 200, rows_most = 1'500, reasons_most = 40;

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

// A message that never arrived, as it is drawn: from where to where, and the place of its words.
struct LostArrow {
  LostFlight flight{};
  Point from{}, to{};
  Rect box{};
  std::string text{};
};

// The part of a way between two x; `to` is what is left of its end.
void cut_to(Point& from, Point& to, float left, float right) {
  const auto at = [&](float x) { return from.y + (to.y - from.y) * (x - from.x) / (to.x - from.x); };
  const Point a = from, b = to;
  if (b.x > right && b.x > a.x) to = {right, at(right)};
  if (a.x < left && b.x > a.x) from = {left, b.y - (b.y - a.y) * (b.x - left) / (b.x - a.x)};
}

// One row that proves a verdict: where it stands, and where its words do.
struct Evidence {
  OpIndex op = no_op;
  Point at{};
  Rect box{};
  std::string text{};
};

struct Painter {
  const EventIndex& index;
  const SpacetimeFacts& facts;
  const SpacetimeView& view;
  const Focus& focus;
  Scene& s;
  const TextMeasure& measure;
  Rect area;
  TimeAxis axis;
  std::vector<std::uint32_t> steps;   // by order: the events in sight
  std::vector<int> lane_of;           // by NodeId; -1: hidden
  float faults_height = 0, lane_height = 0;
  Occupancy taken;
  std::set<std::uint32_t> lit{};      // events of the witness
  std::vector<Flight> to_name{};
  bool dense = false;                 // messages are too many for an arrow each
  std::vector<std::string> too_many{};  // for the width
  std::vector<Evidence> evidence{};
  std::vector<LostArrow> lost{};      // in sight; none when there are too many
  std::size_t lost_total = 0;

  const Recording& r() const { return index.recording(); }
  const Journal& j() const { return r().journal(); }
  bool passes(std::size_t event) const { return !view.passing || view.passing->empty() || (*view.passing)[event]; }
  bool drop_passes(std::size_t drop) const { return !view.passing_drops || view.passing_drops->empty() || (*view.passing_drops)[drop]; }
  float y_of_lane(int lane) const { return area.y + faults_height + (static_cast<float>(lane) + 0.5F) * lane_height - view.scroll; }
  int lane(NodeId n) const { return n < lane_of.size() ? lane_of[n] : -1; }
  float y_of(NodeId n) const { return y_of_lane(lane(n)); }

  // Where an event stands; by order: its step, or that of the last one before it in sight.
  float x_of(std::size_t event) const {
    if (!view.time.by_order) return axis.x(r().time_of(event));
    const auto at = std::upper_bound(steps.begin(), steps.end(), static_cast<std::uint32_t>(event));
    if (at == steps.begin()) return axis.left() - 20;
    return axis.x_of_event(static_cast<std::size_t>(at - steps.begin()) - 1, 0);
  }
  // Where a message leaves: by order, at the event during which it was sent.
  float x_of_sending(const Flight& f) const {
    if (!view.time.by_order) return axis.x(f.sent);
    const std::size_t cause = index.cause_of(f.event);
    if (cause >= r().events()) return axis.x(f.sent);
    return x_of(cause);
  }
  float x_of_time(Time t) const {
    if (!view.time.by_order) return axis.x(t);
    const std::size_t before = r().event_before(t);
    return before < r().events() ? x_of(before) : axis.left();
  }

  void lanes() {
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
  void state_word(Point at, const std::string& word, Ink ink) {
    const float w = measure.width(word, 0.78F), h = measure.line_height(0.78F);
    if (taken.take({at.x - w / 2, at.y - h - 1, w, h})) s.text({at.x, at.y - h - 1}, word, ink, Anchor::centre).width = 0.78F;
  }

  void arrow(const Flight& f, bool strong) {
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

  // On paper of their own: arrows run everywhere.
  void small_words(Rect box, const std::string& text, Ink ink, EntityId e) {
    s.fill({box.x - 1, box.y + 1, box.w + 2, box.h - 2}, Ink::background, 2).opacity = 180;
    s.text({box.x, box.y}, text, ink, Anchor::left, e).width = 0.75F;
  }

  // Messages: arrows, or density above the limit. How many there are, and how many are drawn.
  std::pair<std::size_t, std::size_t> messages() {
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
  void name_messages() {
    for (const Flight& f : to_name) {
      if (s.named().size() >= named_most) break;
      if (f.traffic == Traffic::heartbeat || lane(f.from) == lane(f.to)) continue;
      const Point a{x_of_sending(f), y_of_lane(lane(f.from))}, b{x_of(f.event), y_of_lane(lane(f.to))};
      s.name(EntityId::event(f.event), {std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x) + 1, std::abs(a.y - b.y) + 1},
             fmt::format("{} from {} to {}, handled at {}", j().kind_name(f.kind), line_name(j(), f.from), line_name(j(), f.to), format_time(f.arrived)));
    }
  }

  // When a message was over that never arrived; by order, between two events.
  float x_of_end(const LostFlight& f) const {
    if (!view.time.by_order) return axis.x(f.over);
    const std::size_t after = j().drops[f.drop].after;
    const float half = steps.empty() ? 0 : area.w / static_cast<float>(steps.size()) / 2;
    return after > 0 ? x_of(after - 1) + half : area.x;
  }
  bool lost_seen(const LostFlight& f) const { return lane(f.from) >= 0 && (f.to == nobody || (lane(f.to) >= 0 && lane(f.to) != lane(f.from))) && drop_passes(f.drop); }

  // What never arrived, with places for its words before those of other messages.
  void find_lost() {
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

  void draw_lost() {
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
  void lost_density() {
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

  void density() {
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

  void op(OpIndex i, bool strong) {
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

  static bool drawn(const Op& o) {
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

  // Which of the rows are drawn; their places are taken before any words look for one.
  std::vector<OpIndex> ops_shown{};

  float x_of_op(OpIndex i) const {
    const std::size_t event = r().event_of_op(i);
    return view.time.by_order && event < r().events() ? x_of(event) : x_of_time(j().ops[i].time);
  }

  void find_ops() {
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

  void ops() {
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

  void marks() {
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
  void find_witness() {
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

  void witness() {
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

  // Where the run parts from the one beside it. Its words have their place before all others.
  Rect parting_box{};
  std::string parting_text{};

  void find_parting() {
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

  void parting() {
    if (parting_text.empty()) return;
    EntityId e;
    e.kind = EntityId::Kind::time;
    e.a = static_cast<std::uint64_t>(*view.parts);
    const float x = x_of_time(*view.parts);
    s.line({x, area.y}, {x, area.bottom()}, Ink::pin, 2, e).dashed = true;
    s.fill({parting_box.x - 3, parting_box.y - 1, parting_box.w + 6, parting_box.h + 2}, Ink::background, 3).opacity = 225;
    s.text({parting_box.x, parting_box.y}, parting_text, Ink::pin, Anchor::left, e).width = 0.8F;
  }

  void cursor() {
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
};

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
  Painter p{index, facts, view, focus, s, measure, area, TimeAxis(view.time, area.x, area.w, std::move(times)), std::move(steps), std::move(lane_of), 16 * growth(measure), 0, Occupancy(width, height)};
  p.lane_height = (spacetime_height(view.lanes.size(), width, height, measure) - p.faults_height - 4) / static_cast<float>(view.lanes.size());
  s.clip(area);
  draw_fault_bands(s, facts.timeline, p.axis, area.y, area.bottom(), &measure, &p.taken);
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
