#include "gui/core/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

constexpr std::size_t kinds = 8;

bool names_place(const Journal& j, std::uint32_t name, const std::string& wanted) {
  if (name == 0) return false;
  const std::string& place = j.names.text(name);
  return place == wanted || (place.size() > wanted.size() && place.compare(0, wanted.size(), wanted) == 0 && place[wanted.size()] == '/');
}

// Events that rows of the history or marks lead to: for chips that speak of those.
std::vector<bool> led_to(const Chip& c, const Recording& r) {
  const Journal& j = r.journal();
  std::vector<bool> out(r.events());
  const auto add = [&](std::size_t event) {
    if (event < out.size()) out[event] = true;
  };
  std::vector<bool> places(c.kind == Chip::Kind::place ? j.names.size() : 0);
  for (std::uint32_t n = 1; n < places.size(); ++n) places[n] = names_place(j, n, c.text);
  for (OpIndex i = 0; i < j.ops.size(); ++i) {
    const Op& op = j.ops[i];
    if (c.kind == Chip::Kind::place ? places[op.place] : c.kind == Chip::Kind::message ? op.message == c.number : true) add(r.event_of_op(i));
  }
  if (c.kind != Chip::Kind::message)
    for (std::size_t i = 0; i < j.marks.size(); ++i)
      if (c.kind == Chip::Kind::told || places[j.marks[i].place]) add(r.event_of_mark(i));
  return out;
}

}  // namespace

std::string Chip::label(const Journal& j) const {
  const std::string no = excludes ? "no " : "";
  switch (kind) {
    case Kind::node: return no + line_name(j, static_cast<NodeId>(number));
    case Kind::message_kind: return no + j.kind_name(static_cast<MessageKind>(number));
    case Kind::traffic: return no + traffic_name(static_cast<Traffic>(number)) + " messages";
    case Kind::event_kind: return no + event_kind_name(static_cast<EventKind>(number)) + " events";
    case Kind::place: return no + text;
    case Kind::message: return no + "message " + j.message_name(number);
    case Kind::told: return excludes ? "nothing that was told" : "only what was told";
    case Kind::dropped: return excludes ? "no dropped messages" : "dropped messages";
  }
  return {};
}

Filter Filter::in_other_run(const Journal& here, const Journal& there) const {
  constexpr NodeId not_there = nobody - 1;
  const auto node_there = [&](NodeId n) {
    if (n >= here.processes.size()) return n;
    const auto it = std::find(there.processes.begin(), there.processes.end(), here.processes[n]);
    return it == there.processes.end() ? not_there : static_cast<NodeId>(it - there.processes.begin());
  };
  Filter out = *this;
  for (Chip& c : out.chips) {
    if (c.kind == Chip::Kind::node) c.number = node_there(static_cast<NodeId>(c.number));
    if (c.kind != Chip::Kind::message) continue;
    // Named ones are numbered as their names came up; 0 names none.
    if (c.number & named_message_bit) c.number = named_message(there.names.find(here.message_name(c.number)));
    else if (c.number != no_message) c.number = numbered_message(node_there(static_cast<NodeId>((c.number >> 40) - 1)), c.number & ((std::uint64_t{1} << 40) - 1));
  }
  return out;
}

std::vector<bool> Filter::passing(const Recording& r) const {
  if (chips.empty()) return {};
  const Journal& j = r.journal();
  // What a struct alone decides comes as tables, the rest as sets of events.
  std::array<bool, kinds> wanted{};
  std::vector<std::uint8_t> node(j.processes.size() + 1), message(65'536), event(256);  // bit 0: wanted, bit 1: excluded
  std::array<std::uint8_t, 16> traffic{};
  std::vector<std::pair<const Chip*, std::vector<bool>>> sets;
  if (std::any_of(chips.begin(), chips.end(), [](const Chip& c) { return c.kind == Chip::Kind::dropped && !c.excludes; })) return std::vector<bool>(r.events());
  for (const Chip& c : chips) {
    const std::uint8_t bit = c.excludes ? 2 : 1;
    if (!c.excludes) wanted[static_cast<std::size_t>(c.kind)] = true;
    switch (c.kind) {
      case Chip::Kind::node:
        if (c.number < j.processes.size() || c.number == nobody) node[std::min<std::size_t>(c.number, node.size() - 1)] |= bit;
        break;
      case Chip::Kind::message_kind: message[c.number & 0xffff] |= bit; break;
      case Chip::Kind::traffic: traffic[c.number & 15] |= bit; break;
      case Chip::Kind::event_kind: event[c.number & 255] |= bit; break;
      case Chip::Kind::place:
      case Chip::Kind::message:
      case Chip::Kind::told: sets.emplace_back(&c, led_to(c, r)); break;
      case Chip::Kind::dropped: break;
    }
  }
  const auto is_wanted = [&](Chip::Kind k) { return wanted[static_cast<std::size_t>(k)]; };
  const bool by_node = is_wanted(Chip::Kind::node), by_message = is_wanted(Chip::Kind::message_kind), by_traffic = is_wanted(Chip::Kind::traffic),
             by_event = is_wanted(Chip::Kind::event_kind);
  const auto node_bits = [&](NodeId n) { return node[std::min<std::size_t>(n, node.size() - 1)]; };
  std::vector<bool> out(r.events());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Event& e = j.deliveries[i].event;
    const bool a_message = is_message(e);
    std::uint8_t bits = node_bits(line_of(e));
    if (a_message) bits |= node_bits(e.source);
    if ((bits & 2) || (by_node && !(bits & 1))) continue;
    const std::uint8_t kind_bits = a_message ? message[e.type] : 0;
    if ((kind_bits & 2) || (by_message && !(kind_bits & 1))) continue;
    const std::uint8_t traffic_bits = a_message && e.type < j.messages.size() ? traffic[static_cast<std::size_t>(j.messages[e.type].traffic) & 15] : 0;
    if ((traffic_bits & 2) || (by_traffic && !(traffic_bits & 1))) continue;
    if ((event[e.kind] & 2) || (by_event && !(event[e.kind] & 1))) continue;
    out[i] = true;
  }
  for (const Chip::Kind k : {Chip::Kind::place, Chip::Kind::message, Chip::Kind::told}) {
    std::vector<bool> any(is_wanted(k) ? out.size() : 0);
    for (const auto& [chip, set] : sets) {
      if (chip->kind != k) continue;
      for (std::size_t i = 0; i < out.size(); ++i)
        if (set[i]) {
          if (chip->excludes) out[i] = false;
          else any[i] = true;
        }
    }
    if (!any.empty())
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] && any[i];
  }
  return out;
}

std::vector<std::uint32_t> Filter::drops(const Recording& r) const {
  const Journal& j = r.journal();
  const auto fits = [&](const Chip& c, const Drop& d) {
    switch (c.kind) {
      case Chip::Kind::node: return d.event.source == c.number || d.event.target == c.number;
      case Chip::Kind::message_kind: return d.event.type == c.number;
      case Chip::Kind::traffic: return d.event.type < j.messages.size() && static_cast<std::uint64_t>(j.messages[d.event.type].traffic) == c.number;
      case Chip::Kind::event_kind: return d.event.kind == c.number;
      case Chip::Kind::dropped: return true;
      case Chip::Kind::place:
      case Chip::Kind::message:
      case Chip::Kind::told: return false;
    }
    return false;
  };
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < j.drops.size(); ++i) {
    std::array<bool, kinds> wanted{}, there{};
    bool excluded = false;
    for (const Chip& c : chips) {
      const bool fit = fits(c, j.drops[i]);
      if (c.excludes) excluded |= fit;
      else wanted[static_cast<std::size_t>(c.kind)] = true, there[static_cast<std::size_t>(c.kind)] |= fit;
    }
    if (!excluded && wanted == there) out.push_back(static_cast<std::uint32_t>(i));
  }
  return out;
}

std::vector<std::uint32_t> Filter::rows(const Recording& r) const {
  std::vector<std::uint32_t> out;
  if (chips.empty()) {
    out.resize(r.events());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint32_t>(i);
    return out;
  }
  const std::vector<bool> pass = passing(r);
  for (std::size_t i = 0; i < pass.size(); ++i)
    if (pass[i]) out.push_back(static_cast<std::uint32_t>(i));
  return out;
}

}  // namespace mqlab::gui
