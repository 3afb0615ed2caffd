// What each fault does to a world.
#include "sim/world/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "sim/world/world.h"

namespace mqlab {

const std::vector<FaultDecl>& fault_kinds() {
  using K = FaultKind;
  static const std::vector<FaultDecl> all = {
      {K::partition, "partition", "network", "groups traffic duration label", "The groups do not see each other; one group alone is cut from the rest."},
      {K::one_way, "one_way", "network", "from to traffic duration label", "Messages from one side to the other are cut, the way back is open."},
      {K::isolate, "isolate", "network", "who traffic duration label", "The node is cut from every other node."},
      {K::bridge, "bridge", "network", "groups traffic duration label", "Two groups do not see each other, but all others see both."},
      {K::ring, "ring", "network", "who traffic duration label", "Each node sees a majority, and no two see the same one."},
      {K::heal, "heal", "network", "label", "Ends network faults: the one with the label, or all."},
      {K::latency, "latency", "network", "from to amount spread shape duration", "Messages take this long: constant, uniform, exponential or bimodal."},
      {K::loss, "loss", "network", "from to ratio duration", "Packets are lost with this probability: datagrams vanish, streams wait for retransmission."},
      {K::burst_loss, "burst_loss", "network", "from to ratio spread duration", "Packets are lost in bursts of a given length."},
      {K::duplicate_datagrams, "duplicate_datagrams", "network", "from to ratio duration", "Datagrams arrive twice with this probability."},
      {K::reorder_datagrams, "reorder_datagrams", "network", "from to ratio duration", "Datagrams are held back and overtaken with this probability."},
      {K::bandwidth, "bandwidth", "network", "from to amount duration", "The links carry this many bytes a second."},
      {K::clog, "clog", "network", "from to duration", "Nothing gets through for a while, and nothing is lost."},
      {K::swizzle_clog, "swizzle_clog", "network", "who duration", "Nodes are clogged one after the other and unclogged in another order."},
      {K::reset_streams, "reset_streams", "network", "from to", "Every connection between the two is reset; both ends are told."},
      {K::half_open, "half_open", "network", "who", "The node forgets its connections; the other ends are not told."},
      {K::hold, "hold", "network", "message from to nth count label", "The n-th such message is kept back, and on a stream all that follows it, until released."},
      {K::release, "release", "network", "label", "Held messages go on: those with the label, or all."},
      {K::drop, "drop", "network", "message from to nth count", "The n-th such message is lost; on a stream, all that follows on that connection too."},
      {K::delay, "delay", "network", "message from to nth count amount", "The n-th such message takes longer, and on a stream all that follows it waits."},
      {K::duplicate, "duplicate", "network", "message from to nth count amount", "A second copy of the n-th such message arrives later, as if sent again on another connection."},
      {K::kill, "kill", "process", "who duration", "The process dies; memory is lost, the page cache is not."},
      {K::power, "power", "process", "who duration", "The machine loses power: memory and what was not synced are lost."},
      {K::restart, "restart", "process", "who duration", "The process begins again; a running one is killed first."},
      {K::stop, "stop", "process", "who duration", "The process is asked to end in good order."},
      {K::pause, "pause", "process", "who duration", "The process stands still while the world goes on (a long garbage collection, SIGSTOP)."},
      {K::pause_application, "pause_application", "process", "who duration", "The application stands still; the client library's heartbeats go on."},
      {K::resume, "resume", "process", "who", "A paused process goes on."},
      {K::slow, "slow", "process", "who ratio duration", "Everything takes the node this many times as long."},
      {K::wipe, "wipe", "process", "who duration", "The process dies and its disk is empty."},
      {K::rolling_restart, "rolling_restart", "process", "who amount duration", "One after the other is stopped in good order and started again."},
      {K::sync_lies, "sync_lies", "disk", "who duration", "Syncs answer ok and flush nothing."},
      {K::sync_fails, "sync_fails", "disk", "who duration", "Syncs answer an error, and the pages are dropped all the same."},
      {K::torn_write, "torn_write", "disk", "who", "At the next power loss the unit after the last durable one survives in part."},
      {K::bit_rot, "bit_rot", "disk", "who file unit", "A bit of the file flips."},
      {K::misdirected_write, "misdirected_write", "disk", "who file unit", "A write lands on the wrong place: one unit is overwritten, another is stale."},
      {K::disk_full, "disk_full", "disk", "who duration", "Writes answer an error: no space left."},
      {K::disk_slow, "disk_slow", "disk", "who ratio duration", "The disk takes this many times as long."},
      {K::disk_stall, "disk_stall", "disk", "who duration", "The disk takes ten thousand times as long."},
      {K::write_back, "write_back", "disk", "who", "The operating system flushes the page cache now."},
      {K::disk_heal, "disk_heal", "disk", "who", "Ends every disk fault; rotten units stay."},
      {K::clock_offset, "clock_offset", "time", "who amount duration", "The wall clock is off by this much."},
      {K::clock_jump, "clock_jump", "time", "who amount", "The wall clock jumps once."},
      {K::clock_drift, "clock_drift", "time", "who amount duration", "The wall clock runs fast by so many parts per billion (the amount)."},
      {K::clock_strobe, "clock_strobe", "time", "who amount spread duration", "The wall clock jumps there and back, again and again."},
      {K::command, "command", "model", "who verb argument", "A verb of the model itself, as its page lists them."},
  };
  return all;
}

const FaultDecl& fault_decl(FaultKind k) {
  for (const FaultDecl& d : fault_kinds())
    if (d.kind == k) return d;
  assert(false && "every fault kind is declared");
  return fault_kinds().front();
}

namespace {

std::string list(const std::vector<Target>& group) {
  std::string out;
  for (const Target& t : group) out += (out.empty() ? "" : ", ") + t;
  return out;
}

bool is_link_fault(FaultKind k) {
  switch (k) {
    case FaultKind::partition:
    case FaultKind::one_way:
    case FaultKind::isolate:
    case FaultKind::bridge:
    case FaultKind::ring:
    case FaultKind::latency:
    case FaultKind::loss:
    case FaultKind::burst_loss:
    case FaultKind::duplicate_datagrams:
    case FaultKind::reorder_datagrams:
    case FaultKind::bandwidth:
    case FaultKind::clog:
      return true;
    default:
      return false;
  }
}

// Event::flags of a fault event.
constexpr std::uint8_t flag_lift = 1;

}  // namespace

std::string describe(const Fault& f) {
  std::string out = fault_decl(f.kind).name;
  if (f.kind == FaultKind::command) out = f.verb;
  if (!f.message.empty()) out += fmt::format(" {}{}", f.message, f.nth > 1 ? fmt::format(" #{}", f.nth) : "");
  for (std::size_t g = 0; g < f.groups.size(); ++g)
    if (!f.groups[g].empty()) out += (g ? " | " : " ") + list(f.groups[g]);
  if (!f.argument.empty()) out += " " + f.argument;
  if (f.traffic != all_traffic) {
    out += " (";
    bool first = true;
    for (Traffic t : {Traffic::client, Traffic::replication, Traffic::control, Traffic::heartbeat})
      if (f.traffic & traffic_bit(t)) {
        out += std::string(first ? "" : ", ") + traffic_name(t);
        first = false;
      }
    out += ")";
  }
  if (f.amount != 0 && f.kind == FaultKind::bandwidth) out += fmt::format(" {} B/s", f.amount);
  else if (f.amount != 0 && f.kind == FaultKind::clock_drift) out += fmt::format(" {} ppb", f.amount);
  else if (f.amount != 0) out += " " + format_duration(f.amount);
  if (!f.file.empty()) out += " " + f.file;
  if (f.unit >= 0) out += fmt::format(" @{}", f.unit);
  if (f.ratio.part != 0) out += f.ratio.of == 1 ? fmt::format(" x{}", f.ratio.part) : fmt::format(" {}/{}", f.ratio.part, f.ratio.of);
  if (f.duration != 0) out += " for " + format_duration(f.duration);
  if (!f.label.empty()) out += " [" + f.label + "]";
  return out;
}

std::string describe(const Trigger& t) {
  if (t.on == Trigger::On::time) return "at " + format_duration(t.after);
  std::string out = t.every ? "each time " : "when ";
  if (t.nth > 1) out += fmt::format("#{} ", t.nth);
  out += t.name;
  if (t.on == Trigger::On::message_sent) out += " is sent";
  if (t.on == Trigger::On::message_delivered) out += " is delivered";
  if (!t.from.empty()) out += " from " + t.from;
  if (!t.to.empty()) out += " to " + t.to;
  if (!t.place.empty()) out += " on " + t.place;
  if (t.after != 0) out += ", after " + format_duration(t.after);
  return out;
}

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
    const std::size_t keep = word == "one" ? std::min<std::size_t>(1, n) : word == "all" ? n : word == "majority" ? n / 2 + 1 : (n ? (n - 1) / 2 : 0);
    for (std::size_t i = 0; i < keep; ++i) std::swap(out[i], out[i + static_cast<std::size_t>(fault_random_.below(n - i))]);
    out.resize(keep);
    std::sort(out.begin(), out.end());
  } else if (resolver_) {
    out = resolver_(*this, word, rest);
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

std::vector<NodeId> World::who(std::size_t i, std::size_t group) {
  const ArmedFault& f = faults_[i];
  return group < f.nodes.size() ? f.nodes[group] : std::vector<NodeId>{};
}

// ---------------------------------------------------------------------------------------------
// When.

void World::arm(Fault fault, Trigger trigger) {
  const std::size_t i = faults_.size();
  faults_.push_back({std::move(fault), std::move(trigger), 0, 0, 0, -1, false, {}, {}});
  const Trigger& t = faults_.back().trigger;
  if (t.on == Trigger::On::time) schedule_fault(i, std::max(t.after, now()), false);
  else triggers_ |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(t.on));
}

void World::inject(const Fault& fault) {
  const std::size_t i = faults_.size();
  faults_.push_back({fault, at(now()), 0, 0, 0, -1, false, {}, {}});
  fire(i);
}

void World::schedule_fault(std::size_t i, Time due, bool lift) {
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::fault);
  e.flags = lift ? flag_lift : 0;
  e.body[0] = i;
  add_event(due, e);
}

void World::on_trigger(Trigger::On on, std::string_view name, NodeId from, NodeId to, std::string_view place) {
  const auto is = [&](const std::string& wanted, NodeId n) {
    return wanted.empty() || (n != nobody && (nodes_[n].options.name == wanted || nodes_[n].options.role == wanted));
  };
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    ArmedFault& f = faults_[i];
    const Trigger& t = f.trigger;
    if (t.on != on || t.name != name || !is(t.from, from) || !is(t.to, to)) continue;
    if (!t.place.empty() && t.place != place) continue;
    ++f.seen;
    if (f.seen == t.nth || (t.every && f.seen > t.nth)) schedule_fault(i, saturating_add(now(), t.after), false);
  }
}

void World::fire(std::size_t i) {
  {
    ArmedFault& f = faults_[i];
    ++f.fired;
    f.fired_at = now();
    f.complaint.clear();
    f.nodes.assign(f.fault.groups.size(), {});
    std::size_t rest = f.fault.groups.size();
    for (std::size_t g = 0; g < f.fault.groups.size(); ++g)
      for (const Target& t : f.fault.groups[g]) {
        if (t == "rest") {
          rest = g;
          continue;
        }
        for (NodeId n : resolve(t, &f.complaint)) f.nodes[g].push_back(n);
      }
    if (f.fault.kind == FaultKind::partition && f.nodes.size() == 1) {
      rest = 1;
      f.nodes.emplace_back();
    }
    if (rest < f.nodes.size())
      for (NodeId n = 0; n < nodes_.size(); ++n) {
        const bool named = std::any_of(f.nodes.begin(), f.nodes.end(), [&](const auto& g) { return std::find(g.begin(), g.end(), n) != g.end(); });
        if (!named) f.nodes[rest].push_back(n);
      }
  }
  note(nobody, "fault", {}, describe(faults_[i].fault));
  const std::string_view group = fault_decl(faults_[i].fault.kind).group;
  if (group == "network") fire_network(i);
  else if (group == "process") fire_process(i);
  else if (group == "disk") fire_disk(i);
  else if (group == "time") fire_clock(i);
  else
    for (NodeId n : who(i, 0)) {
      if (!nodes_[n].running) continue;
      ++faults_[i].bites;
      Context c(*this, n);
      nodes_[n].node->on_command(c, faults_[i].fault.verb, faults_[i].fault.argument);
    }
}

// The end of a fault's duration.
void World::lift(std::size_t i) {
  const Fault fault = faults_[i].fault;
  if (!faults_[i].active) return;
  faults_[i].active = false;
  note(nobody, "fault_ended", {}, describe(fault));
  if (is_link_fault(fault.kind)) {
    rebuild_links();
    network_changed();
    return;
  }
  for (NodeId n : who(i, 0)) {
    NodeSlot& s = nodes_[n];
    switch (fault.kind) {
      case FaultKind::pause: resume(n, pause_whole); break;
      case FaultKind::pause_application: resume(n, pause_app); break;
      case FaultKind::slow: s.slow = 1; break;
      case FaultKind::sync_lies: s.disk.sync_lies = false; break;
      case FaultKind::sync_fails: s.disk.sync_fails = false; break;
      case FaultKind::disk_full: s.disk.full = false; break;
      case FaultKind::disk_slow:
      case FaultKind::disk_stall: s.disk.slow = 1; break;
      case FaultKind::clock_offset: set_clock(s, wall(n) - fault.amount); break;
      case FaultKind::clock_drift:
        set_clock(s, wall(n));
        s.clock.drift_ppb -= fault.amount;
        break;
      default: break;
    }
  }
}

// ---------------------------------------------------------------------------------------------
// What: network.

void World::fire_network(std::size_t i) {
  const Fault f = faults_[i].fault;
  if (is_link_fault(f.kind)) {
    faults_[i].active = true;
    // A change of speed bites by itself; a cut bites when it stops a message.
    const bool cuts = f.kind == FaultKind::partition || f.kind == FaultKind::one_way || f.kind == FaultKind::isolate ||
                      f.kind == FaultKind::bridge || f.kind == FaultKind::ring || f.kind == FaultKind::loss;
    if (!cuts && !who(i, 0).empty()) ++faults_[i].bites;
    rebuild_links();
    if (f.duration > 0) schedule_fault(i, saturating_add(now(), f.duration), true);
    return;
  }
  switch (f.kind) {
    case FaultKind::heal:
      for (std::size_t k = 0; k < faults_.size(); ++k) {
        ArmedFault& other = faults_[k];
        if (!other.active || !is_link_fault(other.fault.kind)) continue;
        if (!f.label.empty() && other.fault.label != f.label) continue;
        other.active = false;
        ++faults_[i].bites;
      }
      rebuild_links();
      network_changed();
      break;
    case FaultKind::swizzle_clog: {
      std::vector<NodeId> nodes = who(i, 0);
      const Duration whole = std::max<Duration>(f.duration, 1);
      for (NodeId n : nodes) {
        Fault clog;
        clog.kind = FaultKind::clog;
        clog.groups = {{name(n)}, {"rest"}};
        const auto begin = static_cast<Duration>(fault_random_.below(static_cast<std::uint64_t>(whole)));
        clog.duration = 1 + static_cast<Duration>(fault_random_.below(static_cast<std::uint64_t>(whole)));
        arm(clog, at(now() + begin));
        std::swap(clog.groups[0], clog.groups[1]);
        arm(clog, at(now() + begin));
      }
      ++faults_[i].bites;
      break;
    }
    case FaultKind::reset_streams:
    case FaultKind::half_open: {
      const auto from = who(i, 0);
      const auto to = who(i, 1);
      const auto in = [](const std::vector<NodeId>& v, NodeId n) { return std::find(v.begin(), v.end(), n) != v.end(); };
      for (std::uint32_t slot = 1; slot < connections_.size(); ++slot) {
        const Connection& c = connections_[slot];
        if (!c.used || !c.established) continue;
        const ConnId id = (std::uint32_t{c.generation} << 20) | slot;
        if (f.kind == FaultKind::half_open) {
          for (std::size_t side = 0; side < 2; ++side)
            if (in(from, c.end[side]) && c.open[side]) {
              ++faults_[i].bites;
              break_connection(id, static_cast<int>(side), CloseReason::reset);
              break;
            }
          continue;
        }
        const bool hit = (in(from, c.end[0]) && (to.empty() || in(to, c.end[1]))) || (in(from, c.end[1]) && (to.empty() || in(to, c.end[0])));
        if (!hit) continue;
        ++faults_[i].bites;
        break_connection(id, 0, CloseReason::reset);
        if (connection(id)) break_connection(id, 1, CloseReason::reset);
      }
      break;
    }
    case FaultKind::release:
      release(f.label, i);
      break;
    default:
      fire_message(i);
      break;
  }
}

// hold, drop, delay, duplicate: from now on the n-th message of a kind between two nodes.
void World::fire_message(std::size_t i) {
  ArmedFault& f = faults_[i];
  MessageRule rule;
  rule.fault = i;
  bool known = false;
  for (const MessageDecl& m : journal.messages)
    if (f.fault.message == m.name) {
      rule.kind = m.kind;
      known = true;
    }
  if (!known) {
    f.complaint = "no message is called `" + f.fault.message + "`";
    return;
  }
  rule.from = who(i, 0);
  rule.to = who(i, 1);
  rule.to_skip = f.fault.nth - 1;
  rule.to_take = f.fault.count;
  rules_.push_back(std::move(rule));
}

// True when a rule took the message away.
bool World::apply_rules(Event& e, Time depart, ConnId id, int way) {
  if (triggers_ & (1U << static_cast<unsigned>(Trigger::On::message_sent)))
    on_trigger(Trigger::On::message_sent, journal.kind_name(e.type), e.source, e.target, {});
  const auto in = [](const std::vector<NodeId>& v, NodeId n) { return v.empty() || std::find(v.begin(), v.end(), n) != v.end(); };
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    MessageRule& rule = rules_[r];
    if (rule.kind != e.type || !in(rule.from, e.source) || !in(rule.to, e.target)) continue;
    if (rule.to_skip > 0) {
      --rule.to_skip;
      continue;
    }
    ArmedFault& f = faults_[rule.fault];
    ++f.bites;
    const std::size_t fault = rule.fault;
    if (--rule.to_take == 0) rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(r));
    note(e.source, "message_fault", {},
         fmt::format("{} {} to {}", fault_decl(faults_[fault].fault.kind).name, journal.kind_name(e.type), name(e.target)));
    const Fault& what = faults_[fault].fault;
    switch (what.kind) {
      case FaultKind::hold:
        held_.push_back({e, fault});
        if (id != no_connection) {
          Direction& d = connection(id)->way[static_cast<std::size_t>(way)];
          d.waiting.push_back(e);
          d.held = true;
        }
        return true;
      case FaultKind::drop:
        drop_payload(e.payload);
        if (id != no_connection) connection(id)->way[static_cast<std::size_t>(way)].swallowed = true;
        return true;
      case FaultKind::delay:
        if (id != no_connection) {
          Direction& d = connection(id)->way[static_cast<std::size_t>(way)];
          d.last_due = std::max(d.last_due, depart + what.amount);
        } else {
          add_event(depart + what.amount, e);
          return true;
        }
        return false;
      case FaultKind::duplicate: {
        Event copy = e;
        copy.payload = e.payload ? hold_payload(payloads_[e.payload]) : 0;
        if (id != no_connection) ++connection(id)->in_flight;
        add_event(depart + what.amount, copy);
        return false;
      }
      default:
        return false;
    }
  }
  return false;
}

void World::release(const std::string& label, std::size_t by) {
  std::vector<HeldMessage> go;
  for (std::size_t k = 0; k < held_.size();) {
    if (label.empty() || faults_[held_[k].fault].fault.label == label) {
      go.push_back(held_[k]);
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(k));
    } else {
      ++k;
    }
  }
  for (HeldMessage& h : go) {
    ++faults_[by].bites;
    if (h.event.channel == no_connection) {
      add_event(now() + link(h.event.source, h.event.target).latency, h.event);
      continue;
    }
    Connection* c = connection(h.event.channel);
    if (!c) continue;
    const int way = h.event.flags & 1;
    c->way[static_cast<std::size_t>(way)].held = false;
    flush(h.event.channel, way);
    recycle(h.event.channel);
  }
}

// ---------------------------------------------------------------------------------------------
// What: processes.

void World::resume(NodeId id, std::uint8_t pause) {
  NodeSlot& n = nodes_[id];
  if (!(n.pauses & pause)) return;
  n.pauses = static_cast<std::uint8_t>(n.pauses & ~pause);
  note(id, "resumed", {}, {});
  if (!n.backlog.empty() && !n.wake_set) {
    n.wake_set = true;
    Event e;
    e.kind = static_cast<std::uint8_t>(EventKind::wake);
    e.target = id;
    add_event(now(), e);
  }
}

void World::fire_process(std::size_t i) {
  const Fault f = faults_[i].fault;
  const auto start_after = [&](NodeId n, Duration d) {
    Event e;
    e.kind = static_cast<std::uint8_t>(EventKind::start);
    e.target = n;
    e.body[0] = 1;
    add_event(saturating_add(now(), d), e);
  };
  std::size_t order = 0;
  for (NodeId n : who(i, 0)) {
    NodeSlot& s = nodes_[n];
    switch (f.kind) {
      case FaultKind::kill:
      case FaultKind::wipe:
        if (s.running || f.kind == FaultKind::wipe) ++faults_[i].bites;
        if (s.running) note(n, "killed", {}, f.kind == FaultKind::wipe ? "and its disk is empty" : "memory is lost, the page cache is not");
        kill(n, false, f.kind == FaultKind::wipe);
        if (f.duration > 0) start_after(n, f.duration);
        break;
      case FaultKind::power:
        for (NodeId m = 0; m < nodes_.size(); ++m) {
          if (nodes_[m].options.machine != s.options.machine || !nodes_[m].powered) continue;
          ++faults_[i].bites;
          note(m, "power_lost", {}, "what was not synced is lost");
          kill(m, true);
          if (f.duration > 0) start_after(m, f.duration);
        }
        break;
      case FaultKind::restart:
        ++faults_[i].bites;
        if (s.running) kill(n, false);
        start_after(n, f.duration);
        break;
      case FaultKind::stop: {
        if (!s.running || s.stopping) break;
        ++faults_[i].bites;
        s.stopping = true;
        s.restart_after = f.duration;
        Context c(*this, n);
        s.node->on_stop(c);
        break;
      }
      case FaultKind::pause:
      case FaultKind::pause_application:
        if (!s.running) break;
        ++faults_[i].bites;
        s.pauses |= f.kind == FaultKind::pause ? pause_whole : pause_app;
        note(n, "paused", {}, f.kind == FaultKind::pause ? "" : "the application alone");
        break;
      case FaultKind::resume:
        if (s.pauses) ++faults_[i].bites;
        resume(n, pause_whole);
        resume(n, pause_app);
        break;
      case FaultKind::slow:
        ++faults_[i].bites;
        s.slow = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, f.ratio.part / std::max<std::uint64_t>(1, f.ratio.of)));
        break;
      case FaultKind::rolling_restart: {
        ++faults_[i].bites;
        Fault stop;
        stop.kind = FaultKind::stop;
        stop.groups = {{name(n)}};
        stop.duration = std::max<Duration>(1, f.duration);
        arm(stop, at(saturating_add(now(), f.amount * static_cast<Duration>(order))));
        break;
      }
      default:
        break;
    }
    ++order;
  }
  const bool lasts = f.kind == FaultKind::pause || f.kind == FaultKind::pause_application || f.kind == FaultKind::slow;
  if (lasts) {
    faults_[i].active = true;
    if (f.duration > 0) schedule_fault(i, saturating_add(now(), f.duration), true);
  }
}

// ---------------------------------------------------------------------------------------------
// What: disks and clocks.

void World::fire_disk(std::size_t i) {
  const Fault f = faults_[i].fault;
  for (NodeId n : who(i, 0)) {
    Disk& d = nodes_[n].disk;
    ++faults_[i].bites;
    switch (f.kind) {
      case FaultKind::sync_lies: d.sync_lies = true; break;
      case FaultKind::sync_fails: d.sync_fails = true; break;
      case FaultKind::torn_write: d.torn = true; break;
      case FaultKind::disk_full: d.full = true; break;
      case FaultKind::disk_slow: d.slow = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(f.ratio.part / std::max<std::uint64_t>(1, f.ratio.of), 1, 1'000'000)); break;
      case FaultKind::disk_stall: d.slow = 10'000; break;
      case FaultKind::write_back: d.write_back(now()); break;
      case FaultKind::disk_heal:
        d.sync_lies = d.sync_fails = d.full = d.torn = false;
        d.slow = 1;
        break;
      case FaultKind::bit_rot:
      case FaultKind::misdirected_write: {
        FileId file = 0;
        if (!f.file.empty() && !(file_finder_ && file_finder_(*this, n, f.file, file))) {
          --faults_[i].bites;
          faults_[i].complaint = name(n) + " has no file `" + f.file + "`";
          break;
        }
        const std::int64_t written = d.written(file);
        if (written == 0) {
          --faults_[i].bites;
          faults_[i].complaint = "the file is empty";
          break;
        }
        const std::int64_t unit = f.unit < 0 ? written - 1 : std::min(f.unit, written - 1);
        d.corrupt(file, unit);
        // The stray write also overwrote another unit, any one.
        if (f.kind == FaultKind::misdirected_write && written > 1)
          d.corrupt(file, (unit + 1 + static_cast<std::int64_t>(fault_random_.below(static_cast<std::uint64_t>(written - 1)))) % written);
        break;
      }
      default: break;
    }
  }
  const bool lasts = f.kind == FaultKind::sync_lies || f.kind == FaultKind::sync_fails || f.kind == FaultKind::disk_full ||
                     f.kind == FaultKind::disk_slow || f.kind == FaultKind::disk_stall;
  if (lasts) {
    faults_[i].active = true;
    if (f.duration > 0) schedule_fault(i, saturating_add(now(), f.duration), true);
  }
}

void World::fire_clock(std::size_t i) {
  const Fault f = faults_[i].fault;
  for (NodeId n : who(i, 0)) {
    NodeSlot& s = nodes_[n];
    ++faults_[i].bites;
    if (f.kind == FaultKind::clock_drift) {
      set_clock(s, wall(n));
      s.clock.drift_ppb += f.amount;
    } else if (f.kind == FaultKind::clock_strobe) {
      // Odd firings jump there, even ones back.
      set_clock(s, wall(n) + (faults_[i].fired % 2 == 1 ? f.amount : -f.amount));
    } else {
      set_clock(s, wall(n) + f.amount);
    }
  }
  if (f.kind == FaultKind::clock_drift || f.kind == FaultKind::clock_offset) {
    faults_[i].active = true;
    if (f.duration > 0) schedule_fault(i, saturating_add(now(), f.duration), true);
  }
  if (f.kind == FaultKind::clock_strobe && f.spread > 0) {
    const auto jumps = static_cast<std::uint64_t>(f.duration / f.spread);
    if (faults_[i].fired < jumps || faults_[i].fired % 2 == 1) schedule_fault(i, saturating_add(now(), f.spread), false);
  }
}

}  // namespace mqlab
