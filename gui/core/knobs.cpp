#include "gui/core/knobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "gui/core/topology.h"

namespace mqlab::gui {
namespace {

constexpr std::int64_t ms = 1'000'000;

FaultKind kind_of(KnobKind k) { return k == KnobKind::latency ? FaultKind::latency : FaultKind::loss; }

// As a scenario has them when it is read: a side that is not named is the rest.
std::vector<std::vector<Target>> groups_of(const KnobScope& s) { return {s.from, s.to}; }

// Of this knob: the same kind, on just these links, as a knob makes it.
bool is_of(const Intervention& i, KnobKind k, const KnobScope& s) {
  const Fault& f = i.fault.fault;
  if (f.kind != kind_of(k) || i.fault.trigger.on != Trigger::On::time || f.traffic != all_traffic) return false;
  return f.groups == groups_of(s);
}

Time begin_of(const Intervention& i) { return i.fault.trigger.after; }
// It is in force at t, right after it began too.
bool in_force(const Intervention& i, Time t) { return begin_of(i) <= t && (i.fault.fault.duration == 0 || t < saturating_add(begin_of(i), i.fault.fault.duration)); }

std::int64_t value_of(const Fault& f) { return f.kind == FaultKind::latency ? f.amount : static_cast<std::int64_t>(f.ratio.of ? f.ratio.part * 100 / f.ratio.of : 0); }

}  // namespace

const char* knob_name(KnobKind k) { return k == KnobKind::latency ? "latency" : "loss"; }

const std::vector<KnobStop>& knob_stops(KnobKind k) {
  static const std::vector<KnobStop> latency = {{"as it is", 0}, {"1 ms", ms}, {"5 ms", 5 * ms}, {"20 ms", 20 * ms}, {"50 ms", 50 * ms}, {"100 ms", 100 * ms}, {"200 ms", 200 * ms}, {"500 ms", 500 * ms},
                                                {"1 s", 1'000 * ms}, {"2 s", 2'000 * ms}, {"5 s", 5'000 * ms}, {"10 s", 10'000 * ms}, {"30 s", 30'000 * ms}};
  static const std::vector<KnobStop> loss = {{"as it is", 0}, {"1 %", 1}, {"2 %", 2}, {"5 %", 5}, {"10 %", 10}, {"20 %", 20}, {"30 %", 30}, {"50 %", 50}, {"80 %", 80}, {"100 %", 100}};
  return k == KnobKind::latency ? latency : loss;
}

KnobScope knob_scope(const Recording& r, EntityId focus, const std::vector<std::string>& everyone) {
  const auto name = [&](std::uint64_t n) { return r.line_name(static_cast<NodeId>(n)); };
  if (focus.kind == EntityId::Kind::link) return {{name(focus.a)}, {name(focus.b)}, name(focus.a) + " to " + name(focus.b)};
  if (focus.kind == EntityId::Kind::node) return {{name(focus.a)}, {"rest"}, "from " + name(focus.a)};
  return {everyone, everyone, "all links"};
}

std::vector<std::string> everyone_of(const Recording& r) {
  std::vector<std::string> out;
  const World& world = *r.result().world;
  const auto& clients = r.result().deployment.clients;
  for (NodeId n = 0; n < world.node_count(); ++n) {
    const NodeOptions& o = world.node_options(n);
    const Side side = side_of(o.role);
    // Readers that the end of a run adds are clients of nobody's.
    const bool declared = std::any_of(clients.begin(), clients.end(), [&](const ClientSpec& c) { return c.name == o.name; });
    if (declared || (side != Side::left && side != Side::right)) out.push_back(o.name);
  }
  return out;
}

Fault knob_fault(KnobKind k, const KnobScope& s, std::size_t stop) {
  Fault f;
  f.kind = kind_of(k);
  f.groups = groups_of(s);
  const std::int64_t value = knob_stops(k)[std::min(stop, knob_stops(k).size() - 1)].value;
  if (k == KnobKind::latency) f.amount = value;
  else f.ratio = {static_cast<std::uint64_t>(value), 100};
  return f;
}

std::size_t knob_stands_at(const std::vector<Intervention>& by_hand, Time event, KnobKind k, const KnobScope& s) {
  const Time here = right_after(event, {}).fault.trigger.after;
  std::int64_t value = 0;
  for (const Intervention& i : by_hand)
    if (is_of(i, k, s) && in_force(i, here)) value = value_of(i.fault.fault);
  // The nearest: a fault made in the palette may stand between two.
  const auto& stops = knob_stops(k);
  std::size_t best = 0;
  for (std::size_t i = 1; i < stops.size(); ++i)
    if (std::abs(stops[i].value - value) < std::abs(stops[best].value - value)) best = i;
  return value == 0 ? 0 : std::max<std::size_t>(best, 1);
}

std::vector<Intervention> turn_knob(std::vector<Intervention> by_hand, Time event, KnobKind k, const KnobScope& s, std::size_t stop) {
  const Time here = right_after(event, {}).fault.trigger.after;
  by_hand.erase(std::remove_if(by_hand.begin(), by_hand.end(), [&](const Intervention& i) { return is_of(i, k, s) && begin_of(i) >= here; }), by_hand.end());
  for (Intervention& i : by_hand)
    if (is_of(i, k, s) && in_force(i, here)) i.fault.fault.duration = here - begin_of(i);
  if (stop > 0) by_hand.push_back(right_after(event, knob_fault(k, s, stop)));
  return by_hand;
}

}  // namespace mqlab::gui
