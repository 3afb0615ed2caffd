#include "gui/core/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "gui/core/describe.h"
#include "gui/core/groups.h"
#include "gui/core/labels.h"
#include "sim/lab/service.h"
#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

constexpr float box_width = 158, box_height = 60, least_width = 64, least_height = 20, gap = 10;
constexpr float two_lines = 44;  // of height: a box shows what its node says of itself
constexpr std::size_t faults_most = 4, labels_most = 14, named_most = 200;
constexpr std::uint16_t known_traffic = traffic_bit(Traffic::client) | traffic_bit(Traffic::replication) | traffic_bit(Traffic::control) | traffic_bit(Traffic::heartbeat);
const char* const assumption = "messages move evenly, and wait at a cut";
const char* const assumption_lost = "messages move evenly, and wait at a cut; a cross: it never arrived";

Point centre(Rect r) { return {r.x + r.w / 2, r.y + r.h / 2}; }

// Where the way from the middle of `r` to `to` leaves it.
Point border(Rect r, Point to) {
  const Point c = centre(r);
  const float dx = to.x - c.x, dy = to.y - c.y;
  if (dx == 0 && dy == 0) return c;
  const float sx = dx != 0 ? (r.w / 2 + 2) / std::abs(dx) : 1e9F, sy = dy != 0 ? (r.h / 2 + 2) / std::abs(dy) : 1e9F;
  const float t = std::min({sx, sy, 1.0F});
  return {c.x + dx * t, c.y + dy * t};
}

struct Size {
  float w, h;
};

// In rows and columns as square as the area allows, boxes no larger than `box` and if possible no smaller than `least`; where that is
// not possible, closely, and with room for a short name.
void grid(std::vector<Rect>& out, const std::vector<NodeId>& nodes, Rect area, Size box, Size least, bool few_columns) {
  if (nodes.empty()) return;
  const std::size_t n = nodes.size();
  const auto fitting = [&](std::size_t columns, float space) {
    const std::size_t rows = (n + columns - 1) / columns;
    return Size{std::min((area.w - space * static_cast<float>(columns - 1)) / static_cast<float>(columns), box.w), std::min((area.h - space * static_cast<float>(rows - 1)) / static_cast<float>(rows), box.h)};
  };
  const auto best_of = [&](float space, Size enough) {
    std::size_t best = 1;
    float best_size = -1;
    for (std::size_t columns = 1; columns <= n; ++columns) {
      const auto [w, h] = fitting(columns, space);
      // Both count, a box below its least size counts little; of equals the fewer columns.
      float size = std::min(w / box.w, 1.0F) * std::min(h / box.h, 1.0F);
      if (w < enough.w || h < enough.h) size = 0.1F * std::min(w / enough.w, 1.0F) * std::min(h / enough.h, 1.0F);
      if (few_columns && h >= enough.h + 14) size += 1.0F / static_cast<float>(columns);
      if (size > best_size + 1e-4F) best_size = size, best = columns;
    }
    return best;
  };
  float space = gap;
  std::size_t best = best_of(space, least);
  if (const Size s = fitting(best, space); s.w < least.w || s.h < least.h) {
    space = 3;
    best = best_of(space, {least.w * 0.4F, least.h * 0.75F});
  }
  const std::size_t rows = (n + best - 1) / best;
  const float w = std::max(fitting(best, space).w, 8.0F), h = std::max(fitting(best, space).h, 8.0F);
  const float step_x = best > 1 ? (area.w - w) / static_cast<float>(best - 1) : 0, free_y = area.h - h * static_cast<float>(rows);
  const float used_step = std::min(step_x, w * 1.6F);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t row = i / best, column = i % best;
    const float between = free_y / static_cast<float>(rows);
    out[nodes[i]] = {best > 1 ? area.x + static_cast<float>(column) * used_step + (step_x - used_step) * static_cast<float>(best - 1) / 2 : area.x + (area.w - w) / 2,
                     area.y + between / 2 + static_cast<float>(row) * (h + between), w, h};
  }
}

// Around an ellipse, the first at the top, so that no link lies on another. False: they do not fit.
bool ring(std::vector<Rect>& out, const std::vector<NodeId>& nodes, Rect area, Size box) {
  const std::size_t n = nodes.size();
  if (box.w > area.w || box.h > area.h) return false;
  const Point c = centre(area);
  const float rx = n == 1 ? 0 : std::min((area.w - box.w) / 2, 260.0F), ry = n == 1 ? 0 : (area.h - box.h) / 2;
  std::vector<Rect> places;
  for (std::size_t i = 0; i < n; ++i) {
    const double angle = -1.5707963 + 6.2831853 * static_cast<double>(i) / static_cast<double>(n);
    places.push_back({c.x + rx * static_cast<float>(std::cos(angle)) - box.w / 2, c.y + ry * static_cast<float>(std::sin(angle)) - box.h / 2, box.w, box.h});
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (std::abs(places[i].x - places[k].x) < box.w + gap && std::abs(places[i].y - places[k].y) < box.h + gap) return false;
  for (std::size_t i = 0; i < n; ++i) out[nodes[i]] = places[i];
  return true;
}

// The places that a node leads: a star each in words.
std::string led_by(const Moment& m, NodeId n) {
  std::vector<std::string> led;
  for (const PlaceContents& p : m.places)
    if (p.node == n && p.leads && p.place.rfind("__", 0) != 0 && std::find(led.begin(), led.end(), p.place) == led.end()) led.push_back(p.place);
  std::string out;
  for (const std::string& p : led) out += (out.empty() ? "" : ", ") + p;
  return out;
}

// What a client reads as a member of its group: "group readers: orders/0, orders/1".
std::string reads(const Moment& m, NodeId n) {
  std::string out;
  for (const GroupContents& g : m.groups)
    for (const GroupMember& member : g.members) {
      if (client_of_member(m, member.name) != n) continue;
      out += (out.empty() ? "" : "; ") + g.name + ": ";
      if (member.places.empty()) out += "nothing";
      for (std::size_t i = 0; i < member.places.size(); ++i) out += (i > 0 ? ", " : "") + member.places[i];
    }
  return out;
}

struct Painter {
  const TopologyInput& in;
  Scene& s;
  const TextMeasure& measure;
  const std::vector<Rect>& boxes;
  Occupancy taken;
  struct PartCut {
    Point at{};
    std::string words{};
    EntityId fault{};
  };
  std::vector<PartCut> part_cuts{};

  bool there(NodeId n) const { return n < in.moment.nodes.size() && n < boxes.size(); }
  std::string name(NodeId n) const { return line_name(in.journal, n); }

  // Ends of a link, moved to the right of its direction, so that both directions can be told apart.
  std::pair<Point, Point> ends(NodeId from, NodeId to, float aside) const {
    Point a = border(boxes[from], centre(boxes[to])), b = border(boxes[to], centre(boxes[from]));
    const float dx = b.x - a.x, dy = b.y - a.y, length = std::max(std::hypot(dx, dy), 1.0F);
    const Point off{-dy / length * aside, dx / length * aside};
    return {{a.x + off.x, a.y + off.y}, {b.x + off.x, b.y + off.y}};
  }

  void zones() {
    std::map<std::string, Rect> frames;
    for (NodeId n = 0; n < boxes.size(); ++n) {
      const TopologyNode& t = in.facts.nodes[n];
      const std::string zone = t.region.empty() ? t.zone : t.zone.empty() ? t.region : t.region + " / " + t.zone;
      if (zone.empty() || side_of(t.role) != Side::middle) continue;
      const Rect b{boxes[n].x - 8, boxes[n].y - 20, boxes[n].w + 16, boxes[n].h + 28};
      const auto [it, fresh] = frames.try_emplace(zone, b);
      if (fresh) continue;
      Rect& f = it->second;
      const float right = std::max(f.right(), b.right()), bottom = std::max(f.bottom(), b.bottom());
      f.x = std::min(f.x, b.x);
      f.y = std::min(f.y, b.y);
      f.w = right - f.x;
      f.h = bottom - f.y;
    }
    for (const auto& [zone, f] : frames) {
      s.fill(f, Ink::panel, 8);
      s.outline(f, Ink::grid, 1, 8);
      s.text({f.x + 8, f.y + 2}, fit(zone, f.w - 16, measure, 0.8F), Ink::faint).width = 0.8F;
    }
  }

  // Which classes of traffic the cuts in force stop on the way, of those that the link ever carries.
  std::uint16_t stopped(NodeId from, NodeId to, std::uint16_t carried, const FaultMoment** first) const {
    std::uint16_t out = 0;
    for (const FaultMoment& f : in.moment.faults) {
      if (!cuts(f, from, to)) continue;
      const std::uint16_t classes = carried & (f.index < in.facts.traffic.size() ? in.facts.traffic[f.index] : all_traffic);
      if (classes != 0 && *first == nullptr) *first = &f;
      out |= classes;
    }
    return out;
  }

  void links() {
    for (std::size_t i = 0; i < in.facts.links.size(); ++i) {
      const auto& [a, b] = in.facts.links[i];
      if (!there(a) || !there(b)) continue;
      const std::uint16_t carried = (i < in.facts.carried.size() ? in.facts.carried[i] : all_traffic) & known_traffic;
      const FaultMoment* first = nullptr;
      const std::uint16_t onward = stopped(a, b, carried, &first), back = stopped(b, a, carried, &first);
      const EntityId e = EntityId::link(a, b);
      const auto [from, to] = ends(a, b, 0);
      if (first == nullptr) {
        s.line(from, to, Ink::grid, 1.2F, e);
        continue;
      }
      // Broken where nothing passes in one direction at least.
      const bool whole = onward != carried && back != carried;
      s.line(from, to, whole ? Ink::grid : Ink::fault, whole ? 1.2F : 1.6F, e).dashed = !whole;
      // One way: the cross stands before the end that hears nothing.
      const float at = onward && back ? 0.5F : onward ? 0.75F : 0.25F;
      const Point x{from.x + (to.x - from.x) * at, from.y + (to.y - from.y) * at};
      s.symbol(ShapeKind::circle, x, 8, Ink::background, true);
      s.symbol(ShapeKind::cross, x, whole ? 4.5F : 6, Ink::fault, false, EntityId::fault(first->index)).width = whole ? 1.8F : 2.5F;
      taken.block({x.x - 8, x.y - 8, 16, 16});
      const std::uint16_t classes = onward | back;
      if (whole) part_cuts.push_back({x, traffic_words(classes), EntityId::fault(first->index)});
      const std::string which = onward && back ? fmt::format("{} and {} do not see each other", name(a), name(b))
                                : onward       ? fmt::format("{} does not reach {}", name(a), name(b))
                                               : fmt::format("{} does not reach {}", name(b), name(a));
      if (s.named().size() < named_most)
        s.name(e, {std::min(from.x, to.x), std::min(from.y, to.y), std::abs(to.x - from.x) + 1, std::abs(to.y - from.y) + 1}, fmt::format("{}{}: {}", which, whole ? " for " + traffic_words(classes) : "", first->text));
    }
  }

  // What does not pass where something else does, beside the crosses.
  void part_cut_words() {
    const float h = measure.line_height(0.78F);
    for (const PartCut& c : part_cuts) {
      const float w = measure.width(c.words, 0.78F);
      for (const Rect r : {Rect{c.at.x + 9, c.at.y - h / 2, w, h}, Rect{c.at.x - 9 - w, c.at.y - h / 2, w, h}, Rect{c.at.x - w / 2, c.at.y + 8, w, h}, Rect{c.at.x - w / 2, c.at.y - h - 8, w, h}})
        if (taken.take(r)) {
          s.fill({r.x - 2, r.y, r.w + 4, r.h}, Ink::background, 2).opacity = 200;
          s.text({r.x, r.y}, c.words, Ink::fault, Anchor::left, c.fault).width = 0.78F;
          break;
        }
    }
  }

  void node(NodeId n) {
    const NodeMoment& m = in.moment.nodes[n];
    const Rect b = boxes[n];
    const EntityId e = EntityId::node(n);
    taken.block({b.x - 2, b.y - 2, b.w + 4, b.h + 4});
    s.fill(b, Ink::panel, 6, e);
    const Ink edge = !m.running ? Ink::down : m.paused ? Ink::paused : Ink::edge;
    Shape& outline = s.outline(b, edge, m.running && !m.paused ? 1.2F : 2.0F, 6, e);
    outline.dashed = !m.running;
    if (in.focus.entity == e) s.outline({b.x - 3, b.y - 3, b.w + 6, b.h + 6}, Ink::selection, 2, 8);
    const float line = measure.line_height(0.85F);
    const float inset = b.w < least_width ? 3 : 8, left = b.x + inset, room = b.w - 2 * inset;
    const bool small = b.h < two_lines * growth(measure);
    const float head = small ? std::clamp((b.h - measure.line_height()) / 2, 0.0F, 4.0F) : 6.0F;
    // A sign at the upper right: down is a cross, paused two bars, a leader's is a star.
    float sign = 0;
    if (!m.running) {
      s.symbol(ShapeKind::cross, {b.right() - 13, b.y + 13}, 5, Ink::down, false, e).width = 2.2F;
      sign = 20;
    } else if (m.paused) {
      s.fill({b.right() - 18, b.y + 7, 4, 11}, Ink::paused, 0, e);
      s.fill({b.right() - 11, b.y + 7, 4, 11}, Ink::paused, 0, e);
      sign = 20;
    }
    const std::string led = m.running ? led_by(in.moment, n) : std::string();
    std::string led_words = small ? std::string() : fit(led, room - 15, measure, 0.85F);
    if (led_words != led && led_words.size() < 10) led_words.clear();  // a beginning that tells nothing
    if (!led.empty() && led_words.empty() && sign == 0) {
      // On the corner, where the name needs all the room.
      const bool beside = measure.width(m.name) <= room - 20;
      s.symbol(ShapeKind::star, beside ? Point{b.right() - 12, b.y + 12} : Point{b.right() - 2, b.y + 2}, 6, Ink::leader, true, e);
      if (beside) sign = 20;
    }
    const std::string title = fit_name(m.name, room - sign, measure);
    s.text({left, b.y + head}, title, m.running ? Ink::strong : Ink::down, Anchor::left, e);
    const float after = left + measure.width(title) + 8;
    if (after + measure.width(m.role, 0.8F) <= b.right() - 8 - sign) s.text({after, b.y + head + 2}, m.role, Ink::faint, Anchor::left, e).width = 0.8F;
    float y = b.y + head + measure.line_height();
    // What is as usual may be left out; what is not is at least begun.
    const std::string state = state_words(m);
    if (y + line <= b.bottom() + 2 && (!m.running || m.paused || state != "running" || measure.width(state, 0.85F) <= room))
      s.text({left, y}, fit(state, room, measure, 0.85F), !m.running ? Ink::down : m.paused ? Ink::paused : Ink::text, Anchor::left, e).width = 0.85F;
    y += line;
    if (!led_words.empty() && y + line <= b.bottom() + 2) {
      s.symbol(ShapeKind::star, {left + 5, y + line / 2}, 6, Ink::leader, true, e);
      s.text({left + 15, y}, led_words, Ink::leader, Anchor::left, e).width = 0.85F;
    } else if (!small && y + line <= b.bottom() + 2 && side_of(m.role) != Side::middle && room > 70) {
      s.text({left, y}, fit(reads(in.moment, n), room, measure, 0.85F), Ink::faint, Anchor::left, e).width = 0.85F;
    }
    if (s.named().size() < named_most) s.name(e, b, describe_node(in.moment, n).sentence());
  }

  void messages() {
    std::vector<std::pair<Rect, const Flight*>> wanted;
    for (const Flight& f : in.in_flight) {
      if (!there(f.from) || !there(f.to) || f.arrived <= f.sent) continue;
      const bool held = std::any_of(in.moment.faults.begin(), in.moment.faults.end(), [&](const FaultMoment& c) {
        return cuts(c, f.from, f.to) && (c.index >= in.facts.traffic.size() || (in.facts.traffic[c.index] & traffic_bit(f.traffic)));
      });
      const float gone = static_cast<float>(static_cast<double>(in.now - f.sent) / static_cast<double>(f.arrived - f.sent));
      const float part = std::clamp(held ? std::min(gone, 0.12F) : gone, 0.0F, 1.0F);
      const auto [a, b] = f.from == f.to ? std::pair(centre(boxes[f.from]), centre(boxes[f.from])) : ends(f.from, f.to, 5);
      const Point at{a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part};
      const EntityId e = EntityId::event(f.event);
      in.facts.looks.draw(s, at, f.kind, 5, b, e);
      if (in.focus.entity == e) s.symbol(ShapeKind::circle, at, 10, Ink::selection, false).width = 2;
      if (f.traffic != Traffic::heartbeat) wanted.push_back({{at.x, at.y, 0, 0}, &f});
      if (s.named().size() < named_most)
        s.name(e, {at.x - 6, at.y - 6, 12, 12}, fmt::format("{} from {} to {}, {}", in.journal.kind_name(f.kind), name(f.from), name(f.to), held ? "held up by a cut" : "under way"));
    }
    if (wanted.size() > labels_most) return;
    for (const auto& [at, f] : wanted) label(in.journal.kind_name(f->kind), at, Ink::text, EntityId::event(f->event));
  }

  // Those that never arrived: on their way like others, then a cross.
  void lost() {
    for (const LostFlight& f : in.lost) {
      if (!there(f.from)) continue;
      const bool over = in.now >= f.over || in.focus.entity == EntityId::drop(f.drop);
      const float gone = over || f.over <= f.sent ? 1.0F : static_cast<float>(static_cast<double>(in.now - f.sent) / static_cast<double>(f.over - f.sent));
      const Rect& box = boxes[f.from];
      const auto [a, b] = there(f.to) && f.to != f.from ? ends(f.from, f.to, 5) : std::pair(Point{box.right() - 14, box.y}, Point{box.right() - 14, box.y - 60});
      const Point at{a.x + (b.x - a.x) * f.part * gone, a.y + (b.y - a.y) * f.part * gone};
      const EntityId e = EntityId::drop(f.drop);
      if (over) MessageLooks::draw_end(s, at, f.traffic == Traffic::heartbeat ? 4.0F : 6.0F, e);
      else in.facts.looks.draw(s, at, f.kind, 5, b, e);
      const bool chosen = in.focus.entity == e;
      if (chosen) s.symbol(ShapeKind::circle, at, 10, Ink::selection, false).width = 2;
      const float beside = chosen ? 14 : 9;
      const Drop& d = in.journal.drops[f.drop];
      if (s.named().size() < named_most)
        s.name(e, {at.x - 6, at.y - 6, 12, 12}, over ? drop_text(in.journal, d) : fmt::format("{} from {} to {}, under way, and never arrives", in.journal.kind_name(f.kind), name(f.from), f.to == nobody ? "?" : name(f.to)));
      if (f.traffic == Traffic::heartbeat || in.lost.size() + in.in_flight.size() > labels_most) continue;
      if (over) label(fit(fmt::format("{}: {}", in.journal.kind_name(f.kind), drop_reason_text(d.why)), 240, measure, 0.8F), {at.x, at.y, 0, 0}, MessageLooks::lost_ink, e, beside);
      else label(in.journal.kind_name(f.kind), {at.x, at.y, 0, 0}, Ink::text, e, beside);
    }
  }

  // Beside a message, where there is room.
  void label(const std::string& text, Rect at, Ink ink, EntityId e, float beside = 9) {
    const float w = measure.width(text, 0.8F), h = measure.line_height(0.8F);
    for (const Rect r : {Rect{at.x + beside, at.y - h / 2, w, h}, Rect{at.x - beside - w, at.y - h / 2, w, h}, Rect{at.x - w / 2, at.y - h - beside + 2, w, h}, Rect{at.x - w / 2, at.y + beside - 2, w, h}})
      if (r.x >= 0 && r.right() <= s.width() && taken.take(r)) {
        s.text({r.x, r.y}, text, ink, Anchor::left, e).width = 0.8F;
        break;
      }
  }

  // Only as many as have room above the nodes: the last line tells how many more there are.
  void faults(std::size_t room) {
    const auto& all = in.moment.faults;
    const float fault_height = 17 * growth(measure);
    float y = 4;
    for (std::size_t i = 0; i < std::min(all.size(), room); ++i, y += fault_height) {
      const bool last = i + 1 == room && all.size() > room;
      const FaultMoment& f = all[i];
      const EntityId e = last && i > 0 ? EntityId{} : EntityId::fault(f.index);
      s.symbol(f.cuts ? ShapeKind::cross : ShapeKind::triangle, {13, y + fault_height / 2}, 5, Ink::fault, !f.cuts, e).width = 2;
      const std::string more = last ? fmt::format("{} more", all.size() - room) : std::string();
      const std::string text = !last ? fit(f.text, s.width() - 32, measure, 0.85F)
                               : i > 0 ? fmt::format("{} more faults in force", all.size() - i)
                                       : fit(f.text, s.width() - 32 - measure.width(", and " + more, 0.85F), measure, 0.85F) + ", and " + more;
      s.text({24, y}, fit(text, s.width() - 32, measure, 0.85F), Ink::fault, Anchor::left, e).width = 0.85F;
      if (e) s.name(e, {4, y, s.width() - 8, fault_height}, "in force: " + f.text + (more.empty() ? more : ", and " + more));
      else s.name({}, {4, y, s.width() - 8, fault_height}, text);
    }
  }
};

}  // namespace

Side side_of(const std::string& role) {
  if (role == "consumer") return Side::right;
  if (role == "producer" || role == "client") return Side::left;
  if (role == "controller" || is_service_role(role)) return Side::below;
  return Side::middle;
}

TopologyFacts topology_facts(const EventIndex& index) {
  TopologyFacts out;
  const World& w = *index.recording().result().world;
  for (NodeId n = 0; n < w.node_count(); ++n) {
    const NodeOptions& o = w.node_options(n);
    out.nodes.push_back({o.name, o.role, o.zone, o.region});
  }
  std::map<std::pair<NodeId, NodeId>, std::uint16_t> links;
  for (const Flight& f : index.flights())
    if (f.from != f.to && f.from < out.nodes.size() && f.to < out.nodes.size()) links[std::minmax(f.from, f.to)] |= traffic_bit(f.traffic);
  for (const LostFlight& f : index.lost())
    if (f.from != f.to && f.from < out.nodes.size() && f.to < out.nodes.size()) links[std::minmax(f.from, f.to)] |= traffic_bit(f.traffic);
  for (const auto& [ends, classes] : links) {
    out.links.push_back(ends);
    out.carried.push_back(classes);
  }
  out.looks = MessageLooks(w.journal);
  for (const ArmedFault& f : w.faults()) out.traffic.push_back(f.fault.traffic);
  // Four times as long as most messages take, by a thousand of them.
  std::vector<Duration> ways;
  const std::size_t each = index.flights().size() / 1'000 + 1;
  for (std::size_t i = 0; i < index.flights().size(); i += each) ways.push_back(index.flights()[i].arrived - index.flights()[i].sent);
  if (!ways.empty()) {
    const auto middle = ways.begin() + static_cast<std::ptrdiff_t>(ways.size() / 2);
    std::nth_element(ways.begin(), middle, ways.end());
    out.crosses_stay = *middle * 4;
  }
  return out;
}

namespace {

// One way to lay them out.
struct Arrangement {
  bool aside = false;   // what stands below the servers stands right of them
  float most = 0.3F;    // of the width, for each side
  float scale = 1;      // of boxes
  bool round = true;    // the servers around a ring, else in a grid
  float grow = 1;
};

// How large the boxes are beside what they could be, the smallest one: 1 is as large as they get; one that has not its least size counts little.
float least_part(const std::vector<Rect>& boxes, float grow) {
  float least = 1;
  for (const Rect& b : boxes) least = std::min(least, std::min(b.w / (box_width * grow), 1.0F) * std::min(b.h / (box_height * grow), 1.0F) * (b.w < least_width * grow || b.h < least_height * grow ? 0.1F : 1.0F));
  return least;
}

// Nothing: the ring does not fit.
std::optional<std::vector<Rect>> lay_out(const std::vector<TopologyNode>& nodes, Rect area, const Arrangement& how) {
  std::vector<Rect> out(nodes.size());
  std::vector<NodeId> sides[4];
  for (NodeId n = 0; n < nodes.size(); ++n) sides[static_cast<std::size_t>(side_of(nodes[n].role))].push_back(n);
  for (auto& side : sides)
    std::stable_sort(side.begin(), side.end(), [&](NodeId a, NodeId b) { return std::pair(nodes[a].region, nodes[a].zone) < std::pair(nodes[b].region, nodes[b].zone); });
  auto& [left, middle, below, right] = sides;
  if (middle.empty()) std::swap(middle, below);
  const Rect all{area.x + 12, area.y + 8, std::max(area.w - 24, 10.0F), std::max(area.h - 16, 10.0F)};
  std::map<std::pair<std::string, std::string>, std::vector<NodeId>> zones;
  for (const NodeId n : middle) zones[{nodes[n].region, nodes[n].zone}].push_back(n);
  const Size box{box_width * how.scale * how.grow, box_height * how.scale * how.grow}, least{least_width * how.grow, least_height * how.grow};
  // Each side has as much of the width as its boxes want; the middle has the rest.
  const auto wish = [&](const std::vector<NodeId>& side) {
    if (side.empty()) return 0.0F;
    const float rows = std::max(1.0F, std::floor((all.h + gap) / (least.h + 18 + gap)));
    return std::min(std::ceil(static_cast<float>(side.size()) / rows) * (box.w + gap), all.w * how.most);
  };
  const float lw = wish(left), rw = wish(right), bw = how.aside ? wish(below) : 0;
  grid(out, left, {all.x, all.y, lw, all.h}, box, least, true);
  grid(out, right, {all.right() - rw, all.y, rw, all.h}, box, least, true);
  const float margin = std::min(70.0F, all.w * 0.05F);
  Rect core{all.x + lw + (lw > 0 ? margin : 0), all.y, 0, all.h};
  core.w = std::max(all.right() - rw - (rw > 0 ? margin : 0) - core.x, 10.0F);
  if (bw > 0) {
    grid(out, below, {core.right() - bw, core.y, bw, core.h}, box, least, true);
    core.w = std::max(core.w - bw - margin, 10.0F);
  } else if (!below.empty()) {
    const float wide = std::max(1.0F, std::floor((core.w + gap) / (std::min(box.w, 84.0F * how.grow) + gap)));
    const float rows = std::ceil(static_cast<float>(below.size()) / wide);
    const float high = std::min(rows * (box.h + gap), std::max(core.h * 0.35F, std::min(rows * (least.h + gap), core.h * 0.5F)));
    grid(out, below, {core.x, core.bottom() - high, core.w, high}, box, least, false);
    core.h -= high + std::min(40.0F, core.h * 0.08F);
  }
  if (zones.size() > 1) {
    // A band a zone, side by side.
    const auto count = static_cast<float>(zones.size());
    const float w = (core.w - gap * 3 * (count - 1)) / count;
    float x = core.x;
    for (const auto& [zone, inside] : zones) {
      grid(out, inside, {x + 8, core.y + 20, std::max(w - 16, 8.0F), std::max(core.h - 30, 8.0F)}, box, least, true);
      x += w + gap * 3;
    }
    return out;
  }
  if (!how.round) grid(out, middle, core, box, least, false);
  else if (middle.size() > 9 || (!middle.empty() && !ring(out, middle, core, box))) return std::nullopt;
  return out;
}

}  // namespace

std::vector<Rect> lay_out(const std::vector<TopologyNode>& nodes, Rect area, float grow) {
  std::vector<Rect> best;
  float best_part = -1;
  // The one whose smallest box is the largest; of equals the first. A ring is worth smaller boxes: no link lies on another.
  for (const bool aside : {false, true})
    for (const float most : {0.3F, 0.24F, 0.19F})
      for (const float scale : {1.0F, 0.85F, 0.72F, 0.62F}) {
        const Arrangement round{aside, most, scale, true, grow}, grid{aside, most, scale, false, grow};
        for (const Arrangement& how : {round, grid}) {
          std::optional<std::vector<Rect>> boxes = lay_out(nodes, area, how);
          if (!boxes) continue;
          const float part = least_part(*boxes, grow) * (how.round ? 1.4F : 1.0F) * (aside ? 0.9F : 1.0F);
          if (part > best_part + 1e-4F) best_part = part, best = std::move(*boxes);
        }
      }
  return best;
}

std::string traffic_words(std::uint16_t classes) {
  if ((classes & known_traffic) == known_traffic) return "everything";
  std::vector<std::string> names;
  for (const Traffic t : {Traffic::client, Traffic::replication, Traffic::control, Traffic::heartbeat})
    if (classes & traffic_bit(t)) names.emplace_back(traffic_name(t));
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return out.empty() ? "nothing" : out;
}

bool cuts(const FaultMoment& f, NodeId from, NodeId to) {
  if (from == to || !f.cuts) return false;
  const auto in = [&](std::size_t group, NodeId n) {
    return group < f.nodes.size() && std::find(f.nodes[group].begin(), f.nodes[group].end(), n) != f.nodes[group].end();
  };
  switch (f.kind) {
    case FaultKind::partition: {
      bool from_named = false, to_named = false;
      for (std::size_t g = 0; g < f.nodes.size(); ++g) {
        if (in(g, from) && in(g, to)) return false;
        from_named |= in(g, from);
        to_named |= in(g, to);
      }
      return from_named && to_named;
    }
    case FaultKind::one_way: return in(0, from) && in(1, to);
    case FaultKind::isolate: return in(0, from) || in(0, to);
    case FaultKind::bridge: return (in(0, from) && in(1, to)) || (in(1, from) && in(0, to));
    case FaultKind::ring: {
      if (f.nodes.empty()) return false;
      const auto& g = f.nodes[0];
      const auto a = std::find(g.begin(), g.end(), from), b = std::find(g.begin(), g.end(), to);
      if (a == g.end() || b == g.end()) return false;
      const auto apart = static_cast<std::size_t>(a < b ? b - a : a - b);
      return g.size() == 3 ? apart == 2 : std::min(apart, g.size() - apart) > (g.size() / 2 + 1) / 2;
    }
    default: return false;
  }
}

namespace {

// What a node says of itself, without the word for what it is: "broker, fenced" is "fenced".
std::string own_words(const NodeMoment& n) {
  std::string out;
  for (std::size_t at = 0; at < n.state.value.size();) {
    const std::size_t end = std::min(n.state.value.find(", ", at), n.state.value.size());
    const std::string word = n.state.value.substr(at, end - at);
    if (word != n.role && word != n.state.name && word != "client" && word != "broker") out += (out.empty() ? "" : ", ") + word;
    at = end + 2;
  }
  return out.empty() ? "running" : out;
}

}  // namespace

std::string state_words(const NodeMoment& n) {
  std::string out = !n.running ? "down" : n.paused ? "paused" : own_words(n);
  if (n.running && n.backlog > 0) out += fmt::format(", {} wait", n.backlog);
  return out;
}

Scene topology(const TopologyInput& in, float width, float height, const TextMeasure& measure) {
  Scene s(width, height);
  const float grow = growth(measure), fault_height = 17 * grow, legend_height = 22 * grow;
  // Room for the faults is kept always, so that nothing moves when one begins.
  const auto faults = static_cast<std::size_t>(std::clamp(height * 0.1F / fault_height, 1.0F, static_cast<float>(faults_most)));
  const float top = fault_height * static_cast<float>(faults) + 4;
  // Remarks stand in the lower right corner, over whatever is there: the legend has its line above them.
  const bool crowded = in.in_flight.size() > labels_most;
  const auto crowd = [](std::size_t n) { return fmt::format("names are left out: {} messages under way", with_commas(n)); };
  const auto remark_lines = static_cast<float>(flow({crowd(999), assumption_lost}, width - 8, measure, 0.85F).size());
  const float legend_top = height - legend_height - measure.line_height(0.85F) * remark_lines - 4;
  const std::vector<Rect> boxes = lay_out(in.facts.nodes, {0, top, width, std::max(legend_top - top, 10.0F)}, grow);
  Painter p{in, s, measure, boxes, Occupancy(width, height)};
  p.taken.block({0, 0, width, 4 + fault_height * static_cast<float>(std::min(in.moment.faults.size(), faults))});
  p.taken.block({0, legend_top, width, height - legend_top});
  if (in.moment.nodes.empty()) say_instead(s, "There are no nodes yet.", measure);
  p.zones();
  for (NodeId n = 0; n < in.moment.nodes.size() && n < boxes.size(); ++n) p.taken.block(boxes[n]);
  p.links();
  for (NodeId n = 0; n < in.moment.nodes.size() && n < boxes.size(); ++n) p.node(n);
  p.part_cut_words();
  p.lost();
  p.messages();
  p.faults(faults);
  in.facts.looks.draw_legend(s, {0, legend_top, width, legend_height}, measure);  // it says itself how many have no room
  if (crowded) s.remark(crowd(in.in_flight.size()));
  s.remark(in.facts.looks.lost() > 0 ? assumption_lost : assumption);
  return s;
}

Scene topology(const EventIndex& index, const TopologyFacts& facts, const Moment& moment, Time now, const Focus& focus, float width, float height, const TextMeasure& measure) {
  TopologyInput in{facts, index.recording().journal(), moment, now, {}, focus};
  index.in_flight(now, [&](const Flight& f) { in.in_flight.push_back(f); });
  // A step from event to event misses none: what was over since the one before is still there.
  const Time before = moment.event > 0 && moment.event < index.recording().events() ? index.recording().time_of(moment.event - 1) : now;
  index.lost_between(std::min(before + 1, now - facts.crosses_stay), now, [&](const LostFlight& f) {
    if (f.sent <= now) in.lost.push_back(f);
  });
  // One in focus that is over before the next event is there, though its end is a little later than this one.
  if (const std::size_t d = focus.entity.a; focus.entity.kind == EntityId::Kind::drop && d < index.lost().size() && index.recording().event_of_drop(d) == moment.event)
    if (std::none_of(in.lost.begin(), in.lost.end(), [&](const LostFlight& f) { return f.drop == d; })) in.lost.push_back(index.lost()[d]);
  return topology(in, width, height, measure);
}

}  // namespace mqlab::gui
