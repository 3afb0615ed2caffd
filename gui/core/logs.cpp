#include "gui/core/logs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "gui/core/describe.h"
#include "gui/core/labels.h"
#include "gui/core/message_look.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

constexpr float small_text = 0.78F;
constexpr std::size_t named_most = 200, named_cells = 24;

struct Place {
  std::string name{}, kind{};
  std::vector<const PlaceContents*> copies{};
  bool queue = false;
  std::vector<std::int64_t> positions{};  // of a queue: its columns; of a log they are first, first + 1 ...
  std::int64_t first = 0, end = 0;

  std::int64_t columns() const { return queue ? static_cast<std::int64_t>(positions.size()) : end - first; }
  // The column that stands at a position, or the first after it.
  std::int64_t column(std::int64_t position) const {
    if (!queue) return position - first;
    return std::lower_bound(positions.begin(), positions.end(), position) - positions.begin();
  }
  std::int64_t position(std::int64_t column) const { return queue ? positions[static_cast<std::size_t>(column)] : first + column; }
};

std::vector<Place> places_of(const Moment& m, bool internal, std::set<std::string>& hidden) {
  std::vector<Place> out;
  std::map<std::pair<std::string, std::string>, std::size_t> at;
  for (const PlaceContents& p : m.places) {
    if (!internal && p.place.rfind("__", 0) == 0) {
      hidden.insert(p.place);
      continue;
    }
    const auto [it, fresh] = at.try_emplace({p.place, p.kind}, out.size());
    if (fresh) {
      out.push_back({p.place, p.kind, {}, p.queue, {}, p.first, p.end});
    }
    Place& place = out[it->second];
    place.copies.push_back(&p);
    place.first = std::min(place.first, p.first);
    place.end = std::max(place.end, p.end);
    if (place.queue)
      for (const RecordMoment& r : p.records) place.positions.push_back(r.position);
  }
  for (Place& p : out) {
    std::sort(p.positions.begin(), p.positions.end());
    p.positions.erase(std::unique(p.positions.begin(), p.positions.end()), p.positions.end());
  }
  return out;
}

std::string hidden_words(std::size_t n) { return n == 1 ? "one place of the brokers' own is hidden" : fmt::format("{} places of the brokers' own are hidden", n); }

struct Flag {
  std::int64_t column = 0;
  std::string names{};
  std::string sentence{};
  bool commit = false;  // a high watermark, a committed index
  int level = 0;
  float x = 0;
};

struct Painter {
  const Moment& m;
  const Journal& j;
  const Focus& focus;
  Scene& s;
  const TextMeasure& measure;
  float gutter, cell, y = 0;
  float grow = growth(measure), cell_height = 24 * grow, header_height = 22 * grow, ruler_height = 15 * grow;
  std::int64_t shown = 0;      // columns in sight
  std::size_t cells_named = 0;

  std::string label(const RecordMoment& r) const { return r.message == no_message ? std::string() : j.message_name(r.message); }

  bool focused(const EntityId& e, const RecordMoment& r) const {
    return focus.entity == e || (r.message != no_message && focus.entity == EntityId::message(r.message));
  }

  void hatch(Rect b, EntityId e) {
    for (float d = 6; d < b.w + b.h; d += 7) {
      const Point from{b.x + std::max(0.0F, d - b.h), b.y + std::min(d, b.h)}, to{b.x + std::min(d, b.w), b.y + std::max(0.0F, d - b.w)};
      s.line(from, to, Ink::uncommitted, 1, e).opacity = 120;
    }
  }

  void record(const PlaceContents& p, const RecordMoment& r, Rect b, EntityId e) {
    const Ink ink = r.message == no_message ? Ink::edge : r.key ? hue(r.key) : hue((r.message & ~named_message_bit) >> 40 ? (r.message & ~named_message_bit) >> 40 : r.message);
    s.fill(b, Ink::background, 3);  // the lane's rule does not shine through
    const auto fill = [&] { s.fill(b, ink, 3, e).opacity = 80; };
    switch (r.state) {
      case RecordState::committed:
        fill();
        s.outline(b, ink, 1.2F, 3, e);
        s.fill({b.x, b.bottom() - 3, b.w, 3}, Ink::committed, 0, e);
        break;
      case RecordState::ready:
        fill();
        s.outline(b, ink, 1.2F, 3, e);
        break;
      case RecordState::unacked:
        s.fill(b, ink, 3, e).opacity = 40;
        s.outline(b, ink, 2.6F, 3, e);
        break;
      case RecordState::uncommitted:
        s.fill(b, Ink::panel, 3, e);
        hatch(b, e);
        s.outline(b, Ink::uncommitted, 1.2F, 3, e);
        break;
      case RecordState::open: s.outline(b, ink, 1.8F, 3, e).dashed = true; break;
      case RecordState::aborted:
        s.outline(b, Ink::uncommitted, 1, 3, e);
        s.line({b.x + 2, b.bottom() - 2}, {b.right() - 2, b.y + 2}, Ink::violated, 1.4F, e);
        break;
      case RecordState::control: s.outline(b, Ink::grid, 1, 3, e); break;
    }
    if (r.message == no_message) {
      s.symbol(ShapeKind::diamond, {b.x + b.w / 2, b.y + b.h / 2}, 5, r.state == RecordState::uncommitted ? Ink::uncommitted : Ink::faint, true, e);
    } else {
      const float h = measure.line_height(small_text);
      s.text({b.x + b.w / 2, b.y + (b.h - h) / 2}, fit_name(label(r), b.w - 4, measure, small_text), Ink::strong, Anchor::centre, e).width = small_text;
    }
    if (r.attempts > 0) {
      const std::string times = fmt::format("×{}", r.attempts + 1);
      const float w = measure.width(times, 0.7F) + 4;
      s.fill({b.right() - w, b.y - 6, w, 11}, Ink::panel, 3, e);
      s.outline({b.right() - w, b.y - 6, w, 11}, Ink::fault, 1, 3, e);
      s.text({b.right() - w / 2, b.y - 8}, times, Ink::fault, Anchor::centre, e).width = 0.7F;
    }
    if (focused(e, r)) s.outline({b.x - 2, b.y - 2, b.w + 4, b.h + 4}, Ink::selection, 2, 4, e);
    if (cells_named < named_cells && s.named().size() < named_most) {
      ++cells_named;
      s.name(e, b, fmt::format("{} at {} on {}: {}", r.message == no_message ? "control record" : label(r), r.position, line_name(j, p.node), record_state_words(j, p, r)));
    }
  }

  // The flags of a copy that are in sight, each with a place of its own below the cells.
  std::vector<Flag> flags(const Place& place, const PlaceContents& p, std::int64_t from) const {
    std::map<std::int64_t, Flag> by_column;
    for (const MarkerMoment& mark : p.markers) {
      const std::int64_t column = place.column(mark.position);
      if (column < from || column > from + shown) continue;
      Flag& f = by_column[column];
      f.column = column;
      f.names += (f.names.empty() ? "" : " · ") + mark.name;
      f.sentence += (f.sentence.empty() ? "" : "; ") + fmt::format("{} {}: {}", mark.name, mark.position, mark.sentence);
      f.commit |= mark.name == "HW" || mark.name == "committed";
    }
    std::vector<Flag> out;
    std::vector<float> free_from;  // by level
    for (auto& [column, f] : by_column) {
      f.names = fit(f.names, std::max(300.0F, cell), measure, small_text);
      const float w = measure.width(f.names, small_text) + 8;
      f.x = gutter + static_cast<float>(column - from) * cell;
      const float left = std::min(f.x, s.width() - w);
      while (static_cast<std::size_t>(f.level) < free_from.size() && free_from[static_cast<std::size_t>(f.level)] > left) ++f.level;
      if (static_cast<std::size_t>(f.level) == free_from.size()) free_from.push_back(0);
      free_from[static_cast<std::size_t>(f.level)] = left + w;
      out.push_back(f);
    }
    return out;
  }

  // One copy; nothing is drawn above and below the picture, but its height counts.
  void copy(const Place& place, const PlaceContents& p, std::int64_t from, EntityId e) {
    const std::vector<Flag> all = flags(place, p, from);
    int levels = 0;
    for (const Flag& f : all) levels = std::max(levels, f.level + 1);
    const bool holders = std::any_of(p.records.begin(), p.records.end(), [](const RecordMoment& r) { return r.state == RecordState::unacked && r.holder != nobody; });
    const float flag_height = measure.line_height(small_text);
    const float holder_height = holders ? flag_height : 0;
    const float high = cell_height + 8 + holder_height + std::max(static_cast<float>(levels) * flag_height, 4.0F) + 4;
    const float top = y;
    y += high;
    if (y < 0 || top > s.height()) return;
    const bool up = p.node < m.nodes.size() && m.nodes[p.node].running;
    // Who.
    float x = 10;
    if (p.leads) {
      s.symbol(ShapeKind::star, {x + 4, top + 12 * grow}, 6, Ink::leader, true, e);
    } else if (!up) {
      s.symbol(ShapeKind::cross, {x + 4, top + 12 * grow}, 4.5F, Ink::down, false, e).width = 2;
    }
    x += 14;
    const std::string who = line_name(j, p.node);
    s.text({x, top + 3}, fit_name(who, gutter - x - 4, measure), up ? Ink::strong : Ink::down, Anchor::left, EntityId::node(p.node));
    const float after = x + measure.width(fit_name(who, gutter - x - 4, measure)) + 6;
    if (gutter - after > 20) s.text({after, top + 5}, fit(p.role, gutter - after - 6, measure, small_text), p.leads ? Ink::leader : Ink::faint, Anchor::left, e).width = small_text;
    s.text({x, top + 3 + measure.line_height()}, fit(p.facts, gutter - x - 6, measure, small_text), Ink::faint, Anchor::left, e).width = small_text;
    if (s.named().size() < named_most) s.name(e, {0, top, s.width(), high}, fmt::format("{} on {}{}{}{}", p.place, who, p.role.empty() ? "" : ", " + p.role, p.facts.empty() ? "" : ": " + p.facts, up ? "" : ", the node is down"));
    // What.
    s.clip({gutter - 4, std::max(top, 0.0F), std::max(s.width() - gutter + 4, 0.0F), high});
    s.line({gutter, top + 4 + cell_height / 2}, {s.width(), top + 4 + cell_height / 2}, Ink::grid, 1);
    const auto first = std::lower_bound(p.records.begin(), p.records.end(), from < place.columns() ? place.position(from) : place.end, [](const RecordMoment& r, std::int64_t at) { return r.position < at; });
    for (auto r = first; r != p.records.end(); ++r) {
      const std::int64_t column = place.column(r->position) - from;
      if (column >= shown) break;
      const Rect b{gutter + static_cast<float>(column) * cell + 2, top + 6, cell - 4, cell_height - 2};
      record(p, *r, b, EntityId::record(j.names.find(p.place), static_cast<std::uint64_t>(r->position)));
      if (r->state == RecordState::unacked && r->holder != nobody)
        s.text({b.x + b.w / 2, b.bottom() + 1}, fit_name(line_name(j, r->holder), cell, measure, small_text), Ink::text, Anchor::centre, EntityId::node(r->holder)).width = small_text;
    }
    const float below = top + 6 + cell_height - 2 + holder_height;
    for (const Flag& f : all) {
      const Ink ink = f.commit ? Ink::committed : Ink::text;
      const float w = measure.width(f.names, small_text);
      const float ty = below + 2 + static_cast<float>(f.level) * flag_height;
      s.line({f.x, top + 2}, {f.x, ty + 4}, ink, f.commit ? 2.4F : 1.4F, e);
      const float left = std::min(f.x + 3, s.width() - w - 4);
      s.text({left, ty}, f.names, ink, Anchor::left, e).width = small_text;
      if (s.named().size() < named_most) s.name(e, {left, ty, w, flag_height}, f.sentence);
    }
    s.clip_nothing();
  }
};

}  // namespace

LogsPicture logs(const Moment& m, const Journal& j, const LogsView& view, const Focus& focus, float width, float height, const TextMeasure& measure) {
  LogsPicture out{Scene(width, height), 0, 0};
  Scene& s = out.scene;
  std::set<std::string> hidden;
  const std::vector<Place> places = places_of(m, view.internal, hidden);
  if (places.empty()) {
    say_instead(s, m.places.empty() ? "Nothing is stored at this moment, or this model does not tell what it stores: go to a later event." : "Only the brokers' own topics hold something at this moment.", measure);
    if (!hidden.empty()) s.remark(hidden_words(hidden.size()));
    return out;
  }
  Painter p{m, j, focus, s, measure, std::clamp(width * 0.3F, 90.0F, 230.0F * growth(measure)), 46 * growth(measure)};
  // As wide as the longest name among the last ones, within limits.
  for (const Place& place : places)
    for (const PlaceContents* c : place.copies)
      for (std::size_t i = c->records.size() > 40 ? c->records.size() - 40 : 0; i < c->records.size(); ++i)
        p.cell = std::max(p.cell, measure.width(p.label(c->records[i]), small_text) + 12);
  p.cell = std::min(p.cell, 96.0F * p.grow);
  p.shown = std::max<std::int64_t>(1, static_cast<std::int64_t>((width - p.gutter - 40) / p.cell));
  p.y = 4 - view.scroll;
  // What does not fit, over all places in sight.
  std::size_t earlier = 0, later = 0;
  std::uint64_t earlier_count = 0, later_count = 0;
  bool cut_logs = false, cut_queues = false;
  for (const Place& place : places) {
    const EntityId e{EntityId::Kind::place, j.names.find(place.name), 0};
    const float begun = p.y;
    const std::int64_t columns = place.columns();
    const std::int64_t most = std::max<std::int64_t>(columns - p.shown, 0);
    out.back_most = std::max(out.back_most, most);
    const std::int64_t from = place.queue ? std::min(std::max<std::int64_t>(view.back, 0), most) : std::max<std::int64_t>(most - std::max<std::int64_t>(view.back, 0), 0);
    const bool cut = std::any_of(place.copies.begin(), place.copies.end(), [](const PlaceContents* c) { return c->records.size() == records_shown; });
    // The header, and the positions.
    const bool in_sight = p.y < height && p.y + p.header_height + p.ruler_height > 0;
    if (in_sight) {
      s.fill({0, p.y, width, p.header_height - 2}, Ink::panel, 0, e);
      s.text({8, p.y + 2}, fit_name(place.name, width * 0.5F, measure), Ink::strong, Anchor::left, e);
      const float at = 8 + measure.width(fit_name(place.name, width * 0.5F, measure)) + 10;
      std::string about = place.kind;
      if (columns > 0) about += place.queue ? fmt::format(", {}{} {}", cut ? "the first " : "", with_commas(static_cast<std::uint64_t>(columns)), columns == 1 ? "message" : "messages") : fmt::format(", positions {} to {}", place.first, place.end - 1);
      else about += ", empty";
      s.text({at, p.y + 4}, fit(about, width - at - 8, measure, 0.85F), Ink::faint, Anchor::left, e).width = 0.85F;
      if (s.named().size() < named_most) s.name(e, {0, p.y, width, p.header_height}, place.name + ", " + about);
      if (focus.entity == e) s.outline({1, p.y, width - 2, p.header_height - 2}, Ink::selection, 2);
      const auto every = static_cast<std::int64_t>(measure.width(std::to_string(std::max<std::int64_t>(place.end, 1)), small_text) + 6 > p.cell ? 2 : 1);
      for (std::int64_t c = from; c < std::min(columns, from + p.shown); ++c) {
        if (c % every != 0) continue;
        s.text({p.gutter + (static_cast<float>(c - from) + 0.5F) * p.cell, p.y + p.header_height - 1}, std::to_string(place.position(c)), Ink::faint, Anchor::centre).width = small_text;
      }
      if (from > 0) s.text({p.gutter - 6, p.y + p.header_height - 1}, fmt::format("{} before ◂", with_commas(static_cast<std::uint64_t>(from))), Ink::faint, Anchor::right).width = small_text;
    }
    p.y += p.header_height + p.ruler_height;
    for (const PlaceContents* c : place.copies) p.copy(place, *c, from, e);
    // Of those in sight.
    if (begun < height && p.y > 0) {
      if (from > 0) ++earlier, earlier_count += static_cast<std::uint64_t>(from);
      if (const std::int64_t behind = columns - from - p.shown; place.queue && behind > 0) ++later, later_count += static_cast<std::uint64_t>(behind);
      if (cut) (place.queue ? cut_queues : cut_logs) = true;
    }
    p.y += 8;
  }
  const auto places_words = [](std::size_t n) { return n == 1 ? std::string() : fmt::format(", in {} places", n); };
  if (earlier > 0) s.remark((earlier_count == 1 ? "one earlier position is" : fmt::format("{} earlier positions are", with_commas(earlier_count))) + " left of the picture" + places_words(earlier) + ": drag");
  if (later > 0) s.remark((later_count == 1 ? "one message is" : fmt::format("{} messages are", with_commas(later_count))) + " right of the picture" + places_words(later) + ": drag");
  if (cut_logs) s.remark(fmt::format("of each copy of a log the last {} positions are told", records_shown));
  if (cut_queues) s.remark(fmt::format("of each queue the first {} messages are told", records_shown));
  out.height = p.y + view.scroll + measure.line_height(0.85F) * 2;  // whatever the remarks cover can be scrolled free of them
  if (out.height > height && view.scroll + height < out.height) s.remark("more places are below");
  if (!hidden.empty()) s.remark(hidden_words(hidden.size()));
  return out;
}

}  // namespace mqlab::gui
