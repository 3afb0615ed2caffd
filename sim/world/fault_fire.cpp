// When a fault comes due, whom it names, and how long it lasts.
#include <algorithm>

#include "sim/world/fault.h"
#include "sim/world/world.h"

namespace mqlab {

// ---------------------------------------------------------------------------------------------
// Whom.

std::vector<NodeId> World::resolve(const Target& target, std::string* complaint) {
  if (const NodeId n = find(target); n != nobody) return {n};
  const std::size_t space = target.find(' ');
  const std::string_view word = std::string_view(target).substr(0, space);
  const std::string_view rest = space == std::string::npos ? std::string_view{} : std::string_view(target).substr(space + 1);
  std::vector<NodeId> out;
  const auto all_where = [&](auto field) {
    for (NodeId n = 0; n < nodes_.size(); ++n)
      if (field(nodes_[n].options) == rest) out.push_back(n);
  };
  if (word == "zone") all_where([](const NodeOptions& o) { return std::string_view(o.zone); });
  else if (word == "rack") all_where([](const NodeOptions& o) { return std::string_view(o.rack); });
  else if (word == "machine") all_where([](const NodeOptions& o) { return std::string_view(o.machine); });
  else if (word == "region") all_where([](const NodeOptions& o) { return std::string_view(o.region); });
  else if (word == "one" || word == "minority" || word == "majority" || word == "all") {
    all_where([](const NodeOptions& o) { return std::string_view(o.role); });
    const std::size_t n = out.size();
    std::size_t keep = n;
    if (n > 0 && word == "one") keep = 1;
    if (n > 0 && word == "majority") keep = n / 2 + 1;
    if (n > 0 && word == "minority") keep = (n - 1) / 2;
    for (std::size_t i = 0; i < keep; ++i) std::swap(out[i], out[i + static_cast<std::size_t>(fault_random_.below(n - i))]);
    out.resize(keep);
    std::sort(out.begin(), out.end());
  } else if (resolver_) {
    out = resolver_(*this, word, rest);
    std::erase_if(out, [&](NodeId n) { return n >= nodes_.size(); });
  }
  if (out.empty() && complaint) *complaint = "nobody is `" + target + "` at this time";
  return out;
}

bool World::knows_target(const Target& target) const {
  if (target == "rest" || find(target) != nobody) return true;
  const std::size_t space = target.find(' ');
  if (space == std::string::npos) return resolver_ && target == "controller";
  const std::string_view word = std::string_view(target).substr(0, space);
  const std::string_view rest = std::string_view(target).substr(space + 1);
  const auto any = [&](auto field) {
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const NodeSlot& n) { return field(n.options) == rest; });
  };
  if (word == "zone") return any([](const NodeOptions& o) { return std::string_view(o.zone); });
  if (word == "rack") return any([](const NodeOptions& o) { return std::string_view(o.rack); });
  if (word == "machine") return any([](const NodeOptions& o) { return std::string_view(o.machine); });
  if (word == "region") return any([](const NodeOptions& o) { return std::string_view(o.region); });
  if (word == "one" || word == "minority" || word == "majority" || word == "all") return any([](const NodeOptions& o) { return std::string_view(o.role); });
  return word == "leader" || word == "follower" || word == "controller" || word == "coordinator";
}

const std::vector<NodeId>& World::who(std::size_t i, std::size_t group) const {
  static const std::vector<NodeId> none;
  const ArmedFault& f = faults_[i];
  return group < f.nodes.size() ? f.nodes[group] : none;
}

bool World::names(std::size_t i, std::size_t group, NodeId n) const {
  const std::vector<NodeId>& g = who(i, group);
  return std::find(g.begin(), g.end(), n) != g.end();
}

// The groups of a fault as they are now.
void World::resolve_groups(std::size_t i) {
  ArmedFault& f = faults_[i];
  const std::vector<std::vector<Target>>& groups = f.fault.groups;
  f.complaint.clear();
  f.nodes.assign(groups.size(), {});
  std::size_t rest = no_fault;
  const auto add = [](std::vector<NodeId>& group, NodeId n) {
    if (std::find(group.begin(), group.end(), n) == group.end()) group.push_back(n);
  };
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const Target& t : groups[g]) {
      if (t == "rest") {
        rest = g;
        continue;
      }
      for (NodeId n : resolve(t, &f.complaint)) add(f.nodes[g], n);
    }
  if (f.fault.kind == FaultKind::partition && f.nodes.size() == 1) {
    rest = 1;
    f.nodes.emplace_back();
  }
  const auto named = [&](NodeId n) {
    return std::any_of(f.nodes.begin(), f.nodes.end(), [&](const auto& g) { return std::find(g.begin(), g.end(), n) != g.end(); });
  };
  if (rest < f.nodes.size()) {
    std::vector<NodeId> others;
    for (NodeId n = 0; n < nodes_.size(); ++n)
      if (!named(n)) others.push_back(n);
    for (NodeId n : others) add(f.nodes[rest], n);
  }
  // A link has two ends: the one that is not told is any node.
  const bool two_ends = (is_link_fault(f.fault.kind) && !is_cut_fault(f.fault.kind)) || f.fault.kind == FaultKind::one_way;
  for (std::size_t g = 0; two_ends && g < 2; ++g)
    if (g >= groups.size() || groups[g].empty()) {
      if (f.nodes.size() <= g) f.nodes.resize(g + 1);
      for (NodeId n = 0; n < nodes_.size(); ++n) f.nodes[g].push_back(n);
    }
}

// ---------------------------------------------------------------------------------------------
// When.

void World::arm(Fault fault, Trigger trigger) {
  const std::size_t i = faults_.size();
  ArmedFault row;
  row.fault = std::move(fault);
  row.trigger = std::move(trigger);
  faults_.push_back(std::move(row));
  if (i >= fault_rows_max) {
    faults_.back().complaint = "too many faults are armed";
    return;
  }
  const Trigger& t = faults_.back().trigger;
  if (t.on == Trigger::On::time) {
    schedule_fault(i, std::max(t.after, now()), 0);
  } else {
    triggers_ |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(t.on));
    triggered_.push_back(i);
  }
}

// Inside a handler the fault waits for its end: nobody's state changes under its feet.
void World::inject(const Fault& fault) {
  arm(fault, at(now()));
  if (handling_ != nobody || faults_.size() > fault_rows_max) return;
  schedule_.cancel(last_armed_);
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::fault);
  e.id = last_armed_;
  e.body[0] = faults_.size() - 1;
  trace_unhandled(e);
  fire(faults_.size() - 1);
}

// Arms a fault that is part of another; it has no line of its own, since its parent speaks for it. False when
// there are too many.
bool World::arm_child(std::size_t parent, Fault fault, Time due) {
  if (faults_.size() >= fault_rows_max) {
    faults_[parent].complaint = "too many faults are armed";
    return false;
  }
  fault.label = faults_[parent].fault.label;
  arm(std::move(fault), at(due));
  faults_.back().parent = parent;
  return true;
}

void World::schedule_fault(std::size_t i, Time due, std::uint8_t flags) {
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::fault);
  e.flags = flags;
  e.body = {i, faults_[i].fired, 0};
  last_armed_ = add_event(due, e);
}

void World::on_trigger(Trigger::On on, std::string_view name, NodeId from, NodeId to, std::string_view place) {
  const auto is = [&](const std::string& wanted, NodeId n) {
    return wanted.empty() || (n != nobody && (nodes_[n].options.name == wanted || nodes_[n].options.role == wanted));
  };
  for (std::size_t i : triggered_) {
    ArmedFault& f = faults_[i];
    const Trigger& t = f.trigger;
    if (t.on != on || t.name != name || !is(t.from, from) || !is(t.to, to)) continue;
    if (!t.place.empty() && t.place != place) continue;
    ++f.seen;
    const std::uint64_t nth = std::max<std::uint64_t>(t.nth, 1);
    if (f.seen != nth && !(t.every && f.seen > nth)) continue;
    // Once an instant, and not for ever: a fault may cause what it waits for.
    const Time due = std::max(now(), saturating_add(now(), t.after));
    if (f.asked_for == due) continue;
    if (f.fired >= fault_firings_max) {
      f.complaint = "it came so often that it is left out from here on";
      continue;
    }
    f.asked_for = due;
    schedule_fault(i, due, 0);
  }
}

void World::credit(std::size_t i) {
  ++faults_[i].bites;
  if (faults_[i].parent != no_fault) ++faults_[faults_[i].parent].bites;
}

// The fault stays in force: for its duration, or until something ends it.
void World::last(std::size_t i) {
  faults_[i].active = true;
  if (faults_[i].fault.duration > 0) schedule_fault(i, saturating_add(now(), faults_[i].fault.duration), fault_lift);
}

namespace {

std::vector<NodeId> without(const std::vector<NodeId>& all, const std::vector<NodeId>& some) {
  std::vector<NodeId> out;
  for (NodeId n : all)
    if (std::find(some.begin(), some.end(), n) == some.end()) out.push_back(n);
  return out;
}

}  // namespace

void World::call_off_faults() {
  for (ArmedFault& f : faults_) f.called_off = true;
  rules_.clear();
}

void World::fire(std::size_t i) {
  if (faults_[i].called_off) return;
  if (links_stale_) rebuild_links();
  // One that is in force and comes due again is renewed; whom it held before, it still holds.
  const std::vector<NodeId> before = faults_[i].active && !is_link_fault(faults_[i].fault.kind) ? who(i, 0) : std::vector<NodeId>{};
  ++faults_[i].fired;
  faults_[i].fired_at = now();
  resolve_groups(i);
  const std::vector<NodeId> fresh = without(who(i, 0), before);
  if (!before.empty()) {
    const std::vector<NodeId> others = without(before, who(i, 0));
    if (faults_[i].nodes.empty()) faults_[i].nodes.resize(1);
    faults_[i].nodes[0].insert(faults_[i].nodes[0].end(), others.begin(), others.end());
  }
  note(nobody, "fault", {}, describe(faults_[i].fault));
  const std::string_view group = fault_decl(faults_[i].fault.kind).group;
  if (group != "network" && who(i, 0).empty() && faults_[i].complaint.empty()) faults_[i].complaint = "it names nobody";
  if (group == "network") {
    fire_network(i);
  } else if (group == "process") {
    fire_process(i, fresh);
  } else if (group == "disk") {
    fire_disk(i);
  } else if (group == "time") {
    fire_clock(i, fresh);
  } else {
    const std::vector<NodeId> whom = who(i, 0);
    for (NodeId n : whom) ask(i, n);
  }
}

// The end of a fault's duration, unless it ended before or was renewed since.
void World::lift(std::size_t i, std::uint64_t firing) {
  if (!faults_[i].active || faults_[i].fired != firing) return;
  faults_[i].active = false;
  const Fault fault = faults_[i].fault;
  note(nobody, "fault_ended", {}, describe(fault));
  if (is_link_fault(fault.kind)) {
    rebuild_links();
    network_changed();
    return;
  }
  const std::vector<NodeId> whom = who(i, 0);
  for (NodeId n : whom) {
    NodeSlot& s = nodes_[n];
    switch (fault.kind) {
      case FaultKind::clock_offset:
        set_clock(s, saturating_add(wall(n), fault.amount == time_min ? time_max : -fault.amount));
        break;
      case FaultKind::clock_drift:
        set_clock(s, wall(n));
        s.clock.drift_ppb = saturating_add(s.clock.drift_ppb, fault.amount == time_min ? time_max : -fault.amount);
        break;
      case FaultKind::pause:
      case FaultKind::pause_application:
      case FaultKind::slow: {
        const std::uint8_t paused = s.pauses;
        settle_process(n);
        if (paused != nodes_[n].pauses) resumed(n);
        break;
      }
      default:
        settle_disk(n);
        break;
    }
  }
}

}  // namespace mqlab
