#include "sim/hunt/slice.h"

#include <algorithm>
#include <tuple>

#include "sim/record/causality.h"
#include "sim/record/event_text.h"

namespace mqlab {
namespace {

constexpr std::size_t ops_max = 12;         // of one message, besides the witness
constexpr std::size_t links_of_a_row = 6;   // of the chain behind it
constexpr std::size_t links_of_a_mark = 4;
constexpr std::size_t drops_max = 12;

// The event during which a row was written: the last one on its process's line at that time, or before it.
EventId event_of(const Journal& j, const Op& op) {
  EventId found = no_event;
  const auto end = std::upper_bound(j.deliveries.begin(), j.deliveries.end(), op.time, [](Time t, const Delivery& d) { return t < d.time; });
  for (auto d = end; d != j.deliveries.begin() && found == no_event;) {
    --d;
    if (line_of(d->event) == op.process) found = d->event.id;
  }
  return found;
}

bool acts_on_pairs(FaultKind k) {
  return k == FaultKind::partition || k == FaultKind::one_way || k == FaultKind::latency || k == FaultKind::loss || k == FaultKind::burst_loss ||
         k == FaultKind::bandwidth || k == FaultKind::duplicate_datagrams || k == FaultKind::reorder_datagrams;
}

// Whether the fault touched nodes of the slice, by the rule above.
bool touches(const World& world, std::size_t fault, const std::set<NodeId>& nodes) {
  const Fault& f = world.faults()[fault].fault;
  std::size_t named = 0, met = 0;
  for (std::size_t g = 0; g < f.groups.size(); ++g) {
    const std::set<NodeId> whom = touched_by(world, fault, g);
    if (whom.empty()) continue;
    ++named;
    met += std::any_of(whom.begin(), whom.end(), [&](NodeId n) { return nodes.count(n) != 0; });
  }
  if (named == 0) return true;  // it names nobody: all of them
  return acts_on_pairs(f.kind) ? met == named : met > 0;
}

// When a fault was over: its duration says so, or nobody does.
Time end_of(const ArmedFault& f) { return f.fault.duration > 0 ? saturating_add(f.fired_at, f.fault.duration) : time_max; }

}  // namespace

OrdinaryMarks marks_to_leave_out(const Scenario& plan, const Model& model, const std::string& anomaly) {
  return {calm_marks(plan, model), routine_marks(plan, model, anomaly)};
}

std::set<NodeId> touched_by(const World& world, std::size_t fault, std::size_t group) {
  const ArmedFault& f = world.faults()[fault];
  std::set<NodeId> all;
  if (group < f.nodes.size()) all.insert(f.nodes[group].begin(), f.nodes[group].end());
  for (const Target& t : f.fault.groups[group])
    if (const NodeId n = world.find(t); n != nobody) all.insert(n);
  if (!all.empty() || group > 0) return all;
  // A pause that was ended has forgotten whom it had drawn. The marks of its moment have not.
  for (const Mark& m : world.journal.marks) {
    const std::string& name = world.journal.names.text(m.name);
    if (m.time == f.fired_at && m.node != nobody && (name == "paused" || name == "killed" || name == "power_lost" || name == "stopped")) all.insert(m.node);
  }
  return all;
}

Slice slice_of(const RunResult& r, const std::string& anomaly, const OrdinaryMarks& ordinary) {
  const World& world = *r.world;
  const Journal& j = world.journal;
  const Finding* f = first_finding(r, anomaly);
  Slice s;
  s.mechanism = mechanism_of(r, anomaly, ordinary.routine);
  s.sentence = f ? f->sentence : r.not_drained_because;
  s.begun = f ? beginning_of(j, *f) : 0;
  s.certain = f ? f->at : r.ended;

  std::set<OpIndex> ops;
  if (f) {
    for (const OpIndex w : f->witness)
      if (j.ops[w].kind != OpKind::drained) s.witness.push_back(w);
    ops.insert(s.witness.begin(), s.witness.end());
    std::size_t more = 0;
    for (OpIndex i = 0; f->message != no_message && i < j.ops.size() && j.ops[i].time <= f->at && more < ops_max; ++i)
      if (j.ops[i].message == f->message) more += ops.insert(i).second;
  }
  s.ops.assign(ops.begin(), ops.end());

  std::set<std::tuple<std::uint32_t, NodeId, std::uint32_t>> seen;
  for (const std::uint32_t m : telling_marks(r, anomaly, ordinary.calm))
    if (seen.emplace(j.marks[m].name, j.marks[m].node, j.marks[m].place).second) s.marks.push_back(m);

  const Causality causes(j);
  std::set<std::uint32_t> events;
  std::set<std::size_t> drops;
  std::set<std::pair<std::uint32_t, std::uint32_t>> asked;
  const auto behind = [&](EventId id, std::size_t links) {
    const std::vector<std::uint32_t> chain = causes.chain_of(id);
    const std::size_t begin = chain.size() - std::min(links, chain.size());
    events.insert(chain.begin() + static_cast<std::ptrdiff_t>(begin), chain.end());
    for (std::size_t i = begin; i + 1 < chain.size() && drops.size() < drops_max; ++i)
      if (asked.emplace(chain[i], chain[i + 1]).second)
        for (const std::uint32_t d : causes.lost_between(chain[i], chain[i + 1])) drops.insert(d);
  };
  std::set<NodeId> nodes;
  for (const OpIndex i : s.ops) {
    nodes.insert(j.ops[i].process);
    if (const EventId id = event_of(j, j.ops[i]); id != no_event) behind(id, links_of_a_row);
  }
  for (const std::uint32_t m : s.marks) {
    nodes.insert(j.marks[m].node);
    behind(j.marks[m].during, links_of_a_mark);
  }
  s.events.assign(events.begin(), events.end());
  Time first = s.begun, last = s.begun;
  for (const std::uint32_t e : s.events) {
    const Delivery& d = j.deliveries[e];
    nodes.insert(line_of(d.event));
    if (is_message(d.event)) nodes.insert(d.event.source);
  }
  // What the lab does after the run (it heals and restarts) is no sign that a fault mattered; a row of the witness is.
  for (const std::uint32_t m : s.marks) {
    first = std::min(first, j.marks[m].time);
    if (j.marks[m].time < r.workload_ended) last = std::max(last, j.marks[m].time);
  }
  for (const OpIndex w : s.witness) last = std::max(last, j.ops[w].time);
  if (!f) last = s.certain;
  nodes.erase(nobody);
  s.nodes.assign(nodes.begin(), nodes.end());

  for (std::size_t i = 0; i < world.faults().size(); ++i) {
    const ArmedFault& a = world.faults()[i];
    if (a.parent == no_fault && a.bites > 0 && a.fired_at <= last && a.fired_at < r.workload_ended && end_of(a) >= first && touches(world, i, nodes)) s.faults.push_back(i);
  }
  s.drops.assign(drops.begin(), drops.end());
  return s;
}

}  // namespace mqlab
