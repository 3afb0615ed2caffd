// Links between nodes, as configured and as faults leave them; and datagrams, which use links alone.
#include <algorithm>
#include <utility>

#include "sim/world/network.h"
#include "sim/world/world.h"

namespace mqlab {
namespace {

std::uint32_t threshold(Ratio r) {
  if (r.part >= r.of) return r.part == 0 ? 0 : 0xffffffff;
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint32_t>((static_cast<Wide>(r.part) << 32) / r.of);
}

Duration sane(Duration d) { return std::clamp<Duration>(d, 0, duration_cap); }

bool in(const std::vector<NodeId>& nodes, NodeId n) { return std::find(nodes.begin(), nodes.end(), n) != nodes.end(); }

}  // namespace

// ---------------------------------------------------------------------------------------------
// As configured.

void World::set_region_link(const std::string& from, const std::string& to, const LinkOptions& l) {
  region_links_.push_back({from, to, l});
  links_changed();
}

void World::set_link(NodeId from, NodeId to, const LinkOptions& l) {
  single_links_[{from, to}] = l;
  links_changed();
}

LinkOptions World::link_options(NodeId from, NodeId to) const {
  if (!single_links_.empty())
    if (const auto it = single_links_.find({from, to}); it != single_links_.end()) return it->second;
  const std::string& a = nodes_[from].options.region;
  const std::string& b = nodes_[to].options.region;
  const RegionLink* best = nullptr;
  for (const RegionLink& r : region_links_) {
    const bool exact = r.from == a && r.to == b;
    const bool reverse = r.from == b && r.to == a;
    if (exact || (reverse && !(best && best->from == a && best->to == b))) best = &r;
  }
  if (best) return best->link;
  return a == b ? options_.link : options_.far_link;
}

// ---------------------------------------------------------------------------------------------
// As faults leave them.

LinkMore& World::link_more(NodeId from, NodeId to) {
  if (links_more_.size() != links_.size()) links_more_.resize(links_.size());
  return links_more_[from * stride_ + to];
}

// Nodes and links are mostly added in one go, so the table is made when it is first needed.
void World::links_changed() {
  links_stale_ = true;
  if (handling_ != nobody) rebuild_links();
}

// The links as configured, with every fault in force applied in the order armed.
void World::rebuild_links() {
  links_stale_ = false;
  const std::size_t count = nodes_.size();
  if (stride_ != count) {
    stride_ = count;
    links_.assign(count * count, Link{});
    links_more_.clear();
  }
  for (NodeId from = 0; from < count; ++from)
    for (NodeId to = 0; to < count; ++to) {
      const LinkOptions o = link_options(from, to);
      Link& l = link(from, to);
      l = Link{sane(o.latency), sane(o.spread), threshold(o.loss), threshold(o.duplicate), 0, o.shape, 0, threshold(o.reorder)};
      if (l.reorder) l.unusual |= unusual::reorder;
      if (o.bytes_per_second) {
        l.unusual |= unusual::bandwidth;
        link_more(from, to).bytes_per_second = o.bytes_per_second;
      }
      if (o.shape == LatencyShape::bimodal) link_more(from, to).slow_share = threshold(o.slow_share);
    }
  for (std::size_t i = 0; i < faults_.size(); ++i)
    if (faults_[i].active) apply_link_fault(i);
  // A wire that is no longer limited takes at once what has queued for it, in the order sent, and nobody queues behind it.
  const auto is_item = [](const Event& e) {
    switch (static_cast<EventKind>(e.kind)) {
      case EventKind::data: case EventKind::datagram: case EventKind::open: case EventKind::opened: case EventKind::closed: case EventKind::reset: case EventKind::window: return true;
      default: return false;
    }
  };
  for (std::size_t k = 0; k < links_more_.size(); ++k) {
    if (links_[k].unusual & unusual::bandwidth) continue;
    if (std::exchange(links_more_[k].free_at, 0) <= now()) continue;
    const auto from = static_cast<NodeId>(k / stride_), to = static_cast<NodeId>(k % stride_);
    std::vector<EventId> queued;
    schedule_.each_pending([&](const Event& e) {
      if (e.source == from && e.target == to && is_item(e)) queued.push_back(e.id);
    });
    std::sort(queued.begin(), queued.end());
    Time due = now();
    for (const EventId id : queued) {
      Event e = *schedule_.find(id);
      schedule_.cancel(id);
      due = std::max(due, saturating_add(std::max(now(), static_cast<Time>(e.body[2])), links_[k].latency));
      add_event(due, e);
    }
    for (Connection& c : connections_)
      for (std::size_t way = 0; c.used && way < 2; ++way)
        if (c.end[way] == from && c.end[1 - way] == to) c.way[way].last_due = std::min(c.way[way].last_due, due);
  }
}

// True iff the fault, in force, stops messages from one to the other.
bool World::cuts(std::size_t i, NodeId from, NodeId to) const {
  if (from == to) return false;
  const std::vector<std::vector<NodeId>>& g = faults_[i].nodes;
  switch (faults_[i].fault.kind) {
    case FaultKind::partition: {
      // Nodes in no group keep talking to all; one in several groups talks to all of those.
      bool from_named = false, to_named = false;
      for (const std::vector<NodeId>& side : g) {
        const bool a = in(side, from), b = in(side, to);
        if (a && b) return false;
        from_named |= a;
        to_named |= b;
      }
      return from_named && to_named;
    }
    case FaultKind::one_way:
      return names(i, 0, from) && names(i, 1, to);
    case FaultKind::isolate:
      return names(i, 0, from) || names(i, 0, to);
    case FaultKind::bridge:
      // Two halves that do not see each other, and all others see both.
      return (names(i, 0, from) && names(i, 1, to)) || (names(i, 1, from) && names(i, 0, to));
    case FaultKind::ring: {
      // Each sees itself and so many neighbours on both sides that it is a majority. With three that
      // would be everybody, so three stand in a row.
      if (g.empty()) return false;
      const auto a = std::find(g[0].begin(), g[0].end(), from), b = std::find(g[0].begin(), g[0].end(), to);
      if (a == g[0].end() || b == g[0].end()) return false;
      const std::size_t n = g[0].size();
      const auto apart = static_cast<std::size_t>(a < b ? b - a : a - b);
      if (n == 3) return apart == 2;
      return std::min(apart, n - apart) > (n / 2 + 1) / 2;
    }
    default:
      return false;
  }
}

void World::apply_link_fault(std::size_t i) {
  const Fault& f = faults_[i].fault;
  if (!is_link_fault(f.kind)) return;
  if (is_cut_fault(f.kind)) {
    for (NodeId a = 0; a < nodes_.size(); ++a)
      for (NodeId b = 0; b < nodes_.size(); ++b)
        if (cuts(i, a, b)) link(a, b).cut |= f.traffic;
    return;
  }
  for (NodeId a : who(i, 0))
    for (NodeId b : who(i, 1)) {
      if (a == b) continue;
      Link& l = link(a, b);
      switch (f.kind) {
        case FaultKind::latency:
          l.latency = sane(f.amount);
          l.spread = sane(f.spread);
          l.shape = f.shape;
          l.unusual |= unusual::credit;
          if (f.shape == LatencyShape::bimodal) link_more(a, b).slow_share = threshold(f.ratio);
          break;
        case FaultKind::loss:
          l.loss = threshold(f.ratio);
          break;
        case FaultKind::burst_loss:
          l.unusual |= unusual::burst;
          link_more(a, b).burst = std::max<Duration>(f.spread, 1);
          link_more(a, b).burst_loss = threshold(f.ratio);
          break;
        case FaultKind::duplicate_datagrams:
          l.duplicate = threshold(f.ratio);
          break;
        case FaultKind::reorder_datagrams:
          l.reorder = threshold(f.ratio);
          l.unusual |= unusual::reorder;
          break;
        case FaultKind::bandwidth:
          l.unusual |= unusual::bandwidth | unusual::credit;
          link_more(a, b).bytes_per_second = static_cast<std::uint64_t>(std::max<Duration>(1, f.amount));
          break;
        case FaultKind::clog:
          l.unusual |= unusual::clog;
          break;
        default:
          break;
      }
    }
}

// Which fault cut this message off: it has bitten.
void World::credit_cut(NodeId from, NodeId to, Traffic traffic) {
  for (std::size_t i = 0; i < faults_.size(); ++i)
    if (faults_[i].active && (faults_[i].fault.traffic & traffic_bit(traffic)) && cuts(i, from, to)) credit(i);
}

void World::credit_link(NodeId from, NodeId to, std::initializer_list<FaultKind> kinds) {
  for (std::size_t i = 0; i < faults_.size(); ++i)
    if (faults_[i].active && std::find(kinds.begin(), kinds.end(), faults_[i].fault.kind) != kinds.end() && names(i, 0, from) &&
        names(i, 1, to))
      credit(i);
}

Duration World::sample_latency(const Link& l, NodeId from, NodeId to, std::uint64_t word) {
  switch (l.shape) {
    case LatencyShape::constant:
      return l.latency;
    case LatencyShape::uniform:
      return l.latency + static_cast<Duration>(Random::scale(word, static_cast<std::uint64_t>(l.spread) + 1));
    case LatencyShape::exponential:
      return saturating_add(l.latency, Random::exponential_from(word, l.spread));
    case LatencyShape::bimodal:
      return static_cast<std::uint32_t>(word) < link_more(from, to).slow_share ? l.spread : l.latency;
  }
  return l.latency;
}

// Waits until the wire is free and then takes it for as long as so many bytes need.
Duration World::queue_for_wire(NodeId from, NodeId to, Time depart, std::uint32_t size) {
  LinkMore& more = link_more(from, to);
  const auto transfer = static_cast<Duration>(std::uint64_t{size} * 1'000'000'000 / more.bytes_per_second);
  more.free_at = saturating_add(std::max(depart, more.free_at), transfer);
  return more.free_at - depart;
}

// Bursts are fixed windows of time, each link's lot drawn by a hash and not from a stream of draws.
bool World::in_burst(NodeId from, NodeId to, Time depart) {
  const LinkMore& more = link_more(from, to);
  const auto window = static_cast<std::uint64_t>(depart / more.burst);
  return (splitmix64(seed_ ^ splitmix64(window ^ splitmix64((std::uint64_t{from} << 32) | to))) >> 32) < more.burst_loss;
}

// ---------------------------------------------------------------------------------------------
// Datagrams: loss, duplication and reordering as such.

void World::send_datagram(NodeId from, NodeId to, MessageKind kind, PayloadRef payload, std::uint32_t size, std::uint64_t word,
                          Traffic traffic, Time depart) {
  if (to >= nodes_.size()) return;
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::datagram);
  e.flags = static_cast<std::uint8_t>(static_cast<std::uint8_t>(traffic) << 1);
  e.source = from;
  e.target = to;
  e.type = kind;
  e.incarnation = nodes_[from].incarnation;
  e.body = {word, size, static_cast<std::uint64_t>(depart)};
  // The same number of draws whatever is configured: a fault turned off moves no later draw.
  const std::uint64_t latency_word = network_random_.next();
  const std::uint64_t chance_word = network_random_.next();
  Link& l = link(from, to);
  e.payload = payload ? hold_payload(std::move(payload)) : 0;
  Duration extra = 0;
  bool twice = false;
  if ((!rules_.empty() || triggers_) && apply_rules(e, extra, twice)) return;
  if (l.cut & traffic_bit(traffic)) {
    credit_cut(from, to, traffic);
    return drop(e, DropReason::cut);
  }
  if (static_cast<std::uint32_t>(chance_word) < l.loss) {
    credit_link(from, to, {FaultKind::loss});
    return drop(e, DropReason::lost);
  }
  Time due = saturating_add(depart, sample_latency(l, from, to, latency_word));
  if (l.unusual) {
    if (l.unusual & unusual::credit) {
      l.unusual = static_cast<std::uint8_t>(l.unusual & ~unusual::credit);
      credit_link(from, to, {FaultKind::latency, FaultKind::bandwidth});
    }
    if ((l.unusual & unusual::burst) && in_burst(from, to, depart)) {
      credit_link(from, to, {FaultKind::burst_loss});
      return drop(e, DropReason::lost);
    }
    if (l.unusual & unusual::clog) {
      credit_link(from, to, {FaultKind::clog});
      e.cause = current_;
      held_.push_back({e, 0, true});
      return;
    }
    if (l.unusual & unusual::bandwidth) due = saturating_add(due, queue_for_wire(from, to, depart, size));
    if ((l.unusual & unusual::reorder) && static_cast<std::uint32_t>(splitmix64(chance_word)) < l.reorder) {
      credit_link(from, to, {FaultKind::reorder_datagrams});
      due = saturating_add(due, static_cast<Duration>(Random::scale(splitmix64(latency_word), static_cast<std::uint64_t>(2 * (l.latency + l.spread)) + 1)));
    }
  }
  if (!twice) due = saturating_add(due, extra);
  const bool again = static_cast<std::uint32_t>(chance_word >> 32) < l.duplicate;
  add_event(due, e);
  if (again || twice) {
    if (again) credit_link(from, to, {FaultKind::duplicate_datagrams});
    Event copy = e;
    copy.payload = e.payload ? hold_payload(payloads_[e.payload]) : 0;
    const Duration later = twice ? extra : static_cast<Duration>(Random::scale(chance_word, static_cast<std::uint64_t>(l.latency + l.spread) + 1));
    add_event(saturating_add(due, later), copy);
  }
}

// What a clog kept back goes on, in the order sent, where the link is free again.
void World::unclog_datagrams() {
  std::vector<HeldMessage> all;
  all.swap(held_);
  for (HeldMessage& h : all) {
    const Link& l = link(h.event.source, h.event.target);
    if (!h.clogged || (l.unusual & unusual::clog)) held_.push_back(h);
    else add_event(saturating_add(std::max(now(), static_cast<Time>(h.event.body[2])), l.latency), h.event);
  }
}

}  // namespace mqlab
