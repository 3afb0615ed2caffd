// What network faults do: cuts and speeds (applied in link.cpp), breaks, and single messages.
#include <fmt/format.h>

#include <algorithm>

#include "sim/world/fault.h"
#include "sim/world/world.h"

namespace mqlab {
namespace {

constexpr std::size_t message_rules_max = 1'000;

bool in(const std::vector<NodeId>& nodes, NodeId n) { return std::find(nodes.begin(), nodes.end(), n) != nodes.end(); }
bool any_or_in(const std::vector<NodeId>& nodes, NodeId n) { return nodes.empty() || in(nodes, n); }

// A side that was named and is nobody matches nothing, rather than anybody.
bool names_nobody(const ArmedFault& f) {
  for (std::size_t g = 0; g < std::min<std::size_t>(2, f.fault.groups.size()); ++g)
    if (!f.fault.groups[g].empty() && f.nodes[g].empty()) return true;
  return false;
}

}  // namespace

void World::fire_network(std::size_t i) {
  const Fault f = faults_[i].fault;
  if (is_link_fault(f.kind)) {
    // It bites when a message meets it. What an earlier firing had cut off may be free now.
    const bool renewed = faults_[i].active;
    last(i);
    rebuild_links();
    if (renewed) network_changed();
    return;
  }
  switch (f.kind) {
    case FaultKind::heal:
      for (std::size_t k = 0; k < faults_.size(); ++k) {
        ArmedFault& other = faults_[k];
        if (!is_link_fault(other.fault.kind) || (!f.label.empty() && other.fault.label != f.label)) continue;
        // Of a swizzle that is under way, the clogs still to come are called off.
        const bool to_come = other.parent != no_fault && other.fired == 0 && !other.called_off;
        if (!other.active && !to_come) continue;
        other.active = false;
        other.called_off = to_come;
        credit(i);
      }
      rebuild_links();
      network_changed();
      break;
    case FaultKind::swizzle_clog: {
      const std::vector<NodeId> nodes = who(i, 0);
      const auto whole = static_cast<std::uint64_t>(std::clamp<Duration>(f.duration, 1, duration_cap));
      for (NodeId n : nodes) {
        Fault clog;
        clog.kind = FaultKind::clog;
        clog.groups = {{name(n)}, {"rest"}};
        const Time begin = saturating_add(now(), static_cast<Duration>(fault_random_.below(whole)));
        clog.duration = 1 + static_cast<Duration>(fault_random_.below(whole));
        if (!arm_child(i, clog, begin)) break;
        std::swap(clog.groups[0], clog.groups[1]);
        if (!arm_child(i, clog, begin)) break;
      }
      break;
    }
    case FaultKind::reset_streams:
    case FaultKind::half_open:
      break_streams(i);
      break;
    case FaultKind::release:
      release(f.label, i);
      break;
    default:
      fire_message(i);
      break;
  }
}

void World::break_streams(std::size_t i) {
  if (names_nobody(faults_[i])) return;
  const bool half = faults_[i].fault.kind == FaultKind::half_open;
  // Handlers run below, and may open and close connections themselves: choose first.
  struct Break {
    ConnId id;
    int side;
  };
  std::vector<Break> chosen;
  const std::vector<NodeId>& from = who(i, 0);
  const std::vector<NodeId>& to = who(i, 1);
  for (std::uint32_t slot = 1; slot < connections_.size(); ++slot) {
    const Connection& c = connections_[slot];
    if (!c.used || !c.established || (half && from.empty()) || faults_[i].fault.groups.empty()) continue;
    const ConnId id = (std::uint32_t{c.generation} << 20) | slot;
    const bool forth = in(from, c.end[0]) && any_or_in(to, c.end[1]);
    const bool back = in(from, c.end[1]) && any_or_in(to, c.end[0]);
    if (half && forth && c.open[0]) chosen.push_back({id, 0});
    else if (half && back && c.open[1]) chosen.push_back({id, 1});
    else if (!half && (forth || back) && (c.open[0] || c.open[1])) chosen.push_back({id, 2});
  }
  for (const Break& b : chosen) {
    if (!connection(b.id)) continue;
    credit(i);
    for (int side = 0; side < 2; ++side)
      if ((b.side == side || b.side == 2) && connection(b.id)) break_connection(b.id, side, CloseReason::reset);
  }
}

// ---------------------------------------------------------------------------------------------
// hold, drop, delay, duplicate: from now on the n-th message of a kind between two nodes.

void World::fire_message(std::size_t i) {
  ArmedFault& f = faults_[i];
  const auto& kinds = journal.messages;
  const auto known = std::find_if(kinds.begin(), kinds.end(), [&](const MessageDecl& m) { return *m.name && f.fault.message == m.name; });
  if (known == kinds.end()) {
    f.complaint = "no message is called `" + f.fault.message + "`";
    return;
  }
  if (names_nobody(f)) return;
  if (rules_.size() >= message_rules_max) {
    f.complaint = "too many message faults wait for their message";
    return;
  }
  MessageRule rule;
  rule.fault = i;
  rule.kind = known->kind;
  rule.from = who(i, 0);
  rule.to = who(i, 1);
  rule.to_skip = std::max<std::uint64_t>(f.fault.nth, 1) - 1;
  rule.to_take = f.fault.count;  // 0 wraps round to no end
  rules_.push_back(std::move(rule));
}

// Meets a message that leaves its sender. True when it is gone: dropped, or a datagram that is held.
// On a stream the marks are carried out when the item is launched (stream.cpp).
bool World::apply_rules(Event& e, Duration& extra, bool& twice) {
  if (triggers_ & (1U << static_cast<unsigned>(Trigger::On::message_sent)))
    on_trigger(Trigger::On::message_sent, journal.kind_name(e.type), e.source, e.target, {});
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    MessageRule& rule = rules_[r];
    if (rule.kind != e.type || !any_or_in(rule.from, e.source) || !any_or_in(rule.to, e.target)) continue;
    if (rule.to_skip > 0) {
      --rule.to_skip;
      continue;
    }
    const std::size_t fault = rule.fault;
    if (--rule.to_take == 0) rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(r));
    credit(fault);
    const FaultKind kind = faults_[fault].fault.kind;
    note(e.source, "message_fault", {}, fmt::format("{} {} to {}", fault_decl(kind).name, journal.kind_name(e.type), name(e.target)));
    if (kind == FaultKind::drop) {
      drop(e, DropReason::fault);
      return true;
    }
    if (e.channel != no_connection) {
      e.flags |= kind == FaultKind::hold ? held_bit : kind == FaultKind::delay ? delayed_bit : twice_bit;
      e.body[1] |= static_cast<std::uint64_t>(fault + 1) << 32;
      return false;
    }
    if (kind == FaultKind::hold) {
      e.cause = current_;
      held_.push_back({e, fault});
      return true;
    }
    extra = std::clamp<Duration>(faults_[fault].fault.amount, 0, duration_cap);
    twice = kind == FaultKind::duplicate;
    return false;
  }
  return false;
}

void World::release(const std::string& label, std::size_t by) {
  const auto meant = [&](std::size_t fault) { return label.empty() || faults_[fault].fault.label == label; };
  std::vector<HeldMessage> all;
  all.swap(held_);
  for (HeldMessage& h : all) {
    if (h.clogged || !meant(h.fault)) {
      held_.push_back(h);
      continue;
    }
    credit(by);
    add_event(saturating_add(now(), link(h.event.source, h.event.target).latency), h.event);
  }
  for (std::uint32_t slot = 1; slot < connections_.size(); ++slot)
    for (int way = 0; way < 2; ++way) {
      Connection& c = connections_[slot];
      Direction& d = c.way[static_cast<std::size_t>(way)];
      if (!c.used || !d.held) continue;
      d.held = false;
      for (Event& e : d.waiting) {
        if (!(e.flags & held_bit)) continue;
        if (!meant((e.body[1] >> 32) - 1)) {
          d.held = true;
          continue;
        }
        credit(by);
        e.flags = static_cast<std::uint8_t>(e.flags & ~held_bit);
        e.body[1] &= 0xffffffffULL;
      }
      if (!d.stalled) flush((std::uint32_t{c.generation} << 20) | slot, way);
    }
}

}  // namespace mqlab
