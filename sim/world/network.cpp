// Streams and datagrams: from a node's send to another node's handler.
#include "sim/world/network.h"

#include <algorithm>
#include <cassert>

#include "sim/world/world.h"

namespace mqlab {
namespace {

constexpr std::uint32_t generation_shift = 20;
constexpr std::uint32_t slot_mask = (1U << generation_shift) - 1;

// Event::flags of an item of a connection: its direction.
constexpr std::uint8_t direction_bit = 1;

// Event::flags of a retry: it is the end of patience rather than a new attempt.
constexpr std::uint8_t patience_bit = 2;

enum Unusual : std::uint8_t { unusual_reorder = 1, unusual_bandwidth = 2, unusual_clog = 4, unusual_burst = 8 };

std::uint32_t threshold(Ratio r) {
  if (r.part >= r.of) return r.part == 0 ? 0 : 0xffffffff;
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint32_t>((static_cast<Wide>(r.part) << 32) / r.of);
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// Links.

LinkMore& World::link_more(NodeId from, NodeId to) {
  if (links_more_.size() != links_.size()) links_more_.resize(links_.size());
  return links_more_[from * stride_ + to];
}

// The links as configured, with every fault in force applied in the order armed.
void World::rebuild_links() {
  const std::size_t count = nodes_.size();
  if (stride_ != count) {
    stride_ = count;
    links_.assign(count * count, Link{});
    links_more_.clear();
  }
  for (NodeId from = 0; from < count; ++from)
    for (NodeId to = 0; to < count; ++to) {
      const LinkOptions& o = link_options_[from * count + to];
      Link& l = link(from, to);
      l = Link{o.latency, o.spread, threshold(o.loss), threshold(o.duplicate), 0, o.shape, 0, threshold(o.reorder)};
      if (l.reorder) l.unusual |= unusual_reorder;
      if (o.bytes_per_second) {
        l.unusual |= unusual_bandwidth;
        link_more(from, to).bytes_per_second = o.bytes_per_second;
      }
      if (o.shape == LatencyShape::bimodal) link_more(from, to).slow_share = threshold(o.slow_share);
    }
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    const Fault& f = faults_[i].fault;
    if (!faults_[i].active || std::string_view(fault_decl(f.kind).group) != "network") continue;
    const auto cut = [&](NodeId a, NodeId b) {
      if (a != b) link(a, b).cut |= f.traffic;
    };
    const auto each_pair = [&](auto apply) {
      const std::vector<NodeId> from = who(i, 0);
      const std::vector<NodeId> to = who(i, 1);
      for (NodeId a : from)
        for (NodeId b : to)
          if (a != b) apply(a, b);
    };
    switch (f.kind) {
      case FaultKind::partition:
        // Nodes in no group keep talking to all.
        for (std::size_t g = 0; g < f.groups.size(); ++g)
          for (std::size_t h = 0; h < f.groups.size(); ++h)
            if (g != h)
              for (NodeId a : who(i, g))
                for (NodeId b : who(i, h)) cut(a, b);
        break;
      case FaultKind::one_way:
        each_pair(cut);
        break;
      case FaultKind::isolate:
        for (NodeId a : who(i, 0))
          for (NodeId b = 0; b < count; ++b) {
            cut(a, b);
            cut(b, a);
          }
        break;
      case FaultKind::bridge:
        // Two halves that do not see each other, and a third group that sees both.
        for (NodeId a : who(i, 0))
          for (NodeId b : who(i, 1)) {
            cut(a, b);
            cut(b, a);
          }
        break;
      case FaultKind::ring: {
        // Each node sees a majority, no two the same: itself and its neighbours on a ring.
        const std::vector<NodeId> ring = who(i, 0);
        const std::size_t n = ring.size();
        const std::size_t reach = (n / 2 + 1) / 2;  // so many neighbours on each side make a majority with oneself
        for (std::size_t a = 0; a < n; ++a)
          for (std::size_t b = 0; b < n; ++b) {
            const std::size_t ahead = (b + n - a) % n;
            if (std::min(ahead, n - ahead) > reach) cut(ring[a], ring[b]);
          }
        break;
      }
      case FaultKind::latency:
        each_pair([&](NodeId a, NodeId b) {
          Link& l = link(a, b);
          l.latency = f.amount;
          l.spread = f.spread;
          l.shape = f.shape;
          if (f.shape == LatencyShape::bimodal) link_more(a, b).slow_share = threshold(f.ratio);
        });
        break;
      case FaultKind::loss:
        each_pair([&](NodeId a, NodeId b) { link(a, b).loss = threshold(f.ratio); });
        break;
      case FaultKind::burst_loss:
        each_pair([&](NodeId a, NodeId b) {
          link(a, b).unusual |= unusual_burst;
          link_more(a, b).burst = std::max<Duration>(f.spread, 1);
          link_more(a, b).burst_loss = threshold(f.ratio);
        });
        break;
      case FaultKind::duplicate_datagrams:
        each_pair([&](NodeId a, NodeId b) { link(a, b).duplicate = threshold(f.ratio); });
        break;
      case FaultKind::reorder_datagrams:
        each_pair([&](NodeId a, NodeId b) {
          link(a, b).reorder = threshold(f.ratio);
          link(a, b).unusual |= unusual_reorder;
        });
        break;
      case FaultKind::bandwidth:
        each_pair([&](NodeId a, NodeId b) {
          link(a, b).unusual |= unusual_bandwidth;
          link_more(a, b).bytes_per_second = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(f.amount));
        });
        break;
      case FaultKind::clog:
        each_pair([&](NodeId a, NodeId b) {
          link(a, b).unusual |= unusual_clog;
          link_more(a, b).clogged_until = f.duration > 0 ? saturating_add(faults_[i].fired_at, f.duration) : time_max;
        });
        break;
      default:
        break;
    }
  }
}

// Which fault cut this message off: it has bitten.
void World::credit_cut(NodeId from, NodeId to, Traffic traffic) {
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    ArmedFault& f = faults_[i];
    if (!f.active || !(f.fault.traffic & traffic_bit(traffic))) continue;
    const auto in = [&](std::size_t group, NodeId n) {
      const std::vector<NodeId> g = who(i, group);
      return std::find(g.begin(), g.end(), n) != g.end();
    };
    switch (f.fault.kind) {
      case FaultKind::partition: {
        std::size_t side_from = f.fault.groups.size(), side_to = side_from;
        for (std::size_t g = 0; g < f.fault.groups.size(); ++g) {
          if (in(g, from)) side_from = g;
          if (in(g, to)) side_to = g;
        }
        if (side_from != side_to && side_from < f.fault.groups.size() && side_to < f.fault.groups.size()) ++f.bites;
        break;
      }
      case FaultKind::one_way:
        if (in(0, from) && in(1, to)) ++f.bites;
        break;
      case FaultKind::isolate:
      case FaultKind::ring:
        if (in(0, from) || in(0, to)) ++f.bites;
        break;
      case FaultKind::bridge:
        if ((in(0, from) && in(1, to)) || (in(1, from) && in(0, to))) ++f.bites;
        break;
      default:
        break;
    }
  }
}

void World::set_region_link(const std::string& from, const std::string& to, const LinkOptions& l) {
  region_links_.push_back({from, to, l});
  region_links_.push_back({to, from, l});
  for (NodeId a = 0; a < nodes_.size(); ++a)
    for (NodeId b = 0; b < nodes_.size(); ++b) {
      const std::string& ra = nodes_[a].options.region;
      const std::string& rb = nodes_[b].options.region;
      if ((ra == from && rb == to) || (ra == to && rb == from)) link_options_[a * nodes_.size() + b] = l;
    }
  rebuild_links();
}

void World::set_link(NodeId from, NodeId to, const LinkOptions& l) {
  link_options_[from * nodes_.size() + to] = l;
  rebuild_links();
}

Duration World::sample_latency(const Link& l, NodeId from, NodeId to, std::uint64_t word) {
  switch (l.shape) {
    case LatencyShape::constant:
      return l.latency;
    case LatencyShape::uniform:
      return l.latency + static_cast<Duration>(Random::scale(word, static_cast<std::uint64_t>(l.spread) + 1));
    case LatencyShape::exponential:
      return l.latency + Random::exponential_from(word, l.spread);
    case LatencyShape::bimodal:
      return static_cast<std::uint32_t>(word) < link_more(from, to).slow_share ? l.spread : l.latency;
  }
  return l.latency;
}

// What bandwidth, clogs and bursts add; bursts only lose datagrams, and delay streams by a retransmission.
Duration World::extra_delay(NodeId from, NodeId to, const Link& l, Time depart, std::uint32_t size, bool stream) {
  LinkMore& more = link_more(from, to);
  Duration extra = 0;
  if (l.unusual & unusual_bandwidth) {
    const auto transfer = static_cast<Duration>(std::uint64_t{size} * 1'000'000'000 / more.bytes_per_second);
    const Time begin = std::max(depart, more.free_at);
    more.free_at = begin + transfer;
    extra += begin + transfer - depart;
  }
  if ((l.unusual & unusual_clog) && more.clogged_until > depart) extra += std::min(more.clogged_until, depart + 3'600'000'000'000) - depart;
  if (stream && (l.unusual & unusual_burst)) {
    // A burst swallows the first attempts; the retransmission after its end gets through.
    const auto window = static_cast<std::uint64_t>(depart / more.burst);
    if ((splitmix64(seed_ ^ splitmix64(window)) >> 32) < more.burst_loss)
      extra += more.burst - depart % more.burst + options_.stream.retransmit_min;
  }
  return extra;
}

// ---------------------------------------------------------------------------------------------
// Datagrams: loss, duplication and reordering as such.

void World::send_datagram(NodeId from, NodeId to, MessageKind kind, PayloadRef payload, std::uint32_t size, std::uint64_t word,
                          Traffic traffic, Time depart) {
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
  const Link& l = link(from, to);
  if (!rules_.empty() || triggers_) {
    e.payload = hold_payload(std::move(payload));
    if (apply_rules(e, depart, no_connection, 0)) return;
  } else {
    e.payload = payload ? hold_payload(std::move(payload)) : 0;
  }
  if (static_cast<std::uint32_t>(chance_word) < l.loss) {
    for (std::size_t i = 0; i < faults_.size(); ++i)
      if (faults_[i].active && faults_[i].fault.kind == FaultKind::loss) ++faults_[i].bites;
    drop_payload(e.payload);
    return;
  }
  Time due = depart + sample_latency(l, from, to, latency_word);
  if (l.unusual) {
    if (l.unusual & unusual_burst) {
      LinkMore& more = link_more(from, to);
      if ((splitmix64(seed_ ^ splitmix64(static_cast<std::uint64_t>(depart / more.burst))) >> 32) < more.burst_loss) {
        drop_payload(e.payload);
        return;
      }
    }
    due += extra_delay(from, to, l, depart, size, false);
    if ((l.unusual & unusual_reorder) && static_cast<std::uint32_t>(splitmix64(chance_word)) < l.reorder)
      due += static_cast<Duration>(Random::scale(latency_word, static_cast<std::uint64_t>(2 * (l.latency + l.spread) + 1)));
  }
  if (static_cast<std::uint32_t>(chance_word >> 32) < l.duplicate) {
    Event copy = e;
    copy.payload = e.payload ? hold_payload(payloads_[e.payload]) : 0;
    add_event(due + static_cast<Duration>(Random::scale(chance_word, static_cast<std::uint64_t>(l.latency + l.spread) + 1)), copy);
  }
  add_event(due, e);
}

// ---------------------------------------------------------------------------------------------
// Streams.

Connection* World::connection(ConnId id) {
  const std::uint32_t slot = id & slot_mask;
  if (id == no_connection || slot >= connections_.size()) return nullptr;
  Connection& c = connections_[slot];
  return c.used && c.generation == id >> generation_shift ? &c : nullptr;
}

ConnId World::connect(NodeId from, NodeId to, Traffic traffic, Time depart) {
  assert(from != to);
  std::uint32_t slot;
  if (free_connections_.empty()) {
    slot = static_cast<std::uint32_t>(connections_.size());
    assert(slot <= slot_mask);
    connections_.emplace_back();
  } else {
    slot = free_connections_.back();
    free_connections_.pop_back();
  }
  Connection& c = connections_[slot];
  const auto generation = static_cast<std::uint16_t>(c.generation + 1);
  c = Connection{};
  c.generation = generation;
  c.used = true;
  c.end = {from, to};
  c.incarnation = {nodes_[from].incarnation, 0};
  c.open = {true, false};
  c.traffic = traffic;
  const ConnId id = (std::uint32_t{generation} << generation_shift) | slot;
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::open);
  e.source = from;
  e.target = to;
  e.channel = id;
  e.incarnation = nodes_[from].incarnation;
  e.body[2] = static_cast<std::uint64_t>(depart);
  transmit(id, 0, e, depart);
  return id;
}

void World::send_stream(ConnId id, NodeId from, MessageKind kind, PayloadRef payload, std::uint32_t size, std::uint64_t word, Time depart) {
  Connection* c = connection(id);
  if (!c) return;
  const int way = c->end[0] == from ? 0 : 1;
  if (!c->open[static_cast<std::size_t>(way)]) return;  // as a write to a closed socket: nothing leaves
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::data);
  e.flags = way ? direction_bit : 0;
  e.source = from;
  e.target = c->end[static_cast<std::size_t>(1 - way)];
  e.channel = id;
  e.type = kind;
  e.incarnation = nodes_[from].incarnation;
  e.body = {word, size, static_cast<std::uint64_t>(depart)};
  e.payload = hold_payload(std::move(payload));
  if ((!rules_.empty() || triggers_) && apply_rules(e, depart, id, way)) return;
  transmit(id, way, e, depart);
}

void World::close(ConnId id, NodeId by, Time depart) {
  Connection* c = connection(id);
  if (!c) return;
  const std::size_t side = c->end[0] == by ? 0 : 1;
  if (!c->open[side]) return;
  c->open[side] = false;
  if (!c->established) {
    // The handshake is still under way: nothing was sent that the other end could know.
    forget_waiting(c->way[side]);
    recycle(id);
    return;
  }
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::closed);
  e.flags = side ? direction_bit : 0;
  e.source = by;
  e.target = c->end[1 - side];
  e.channel = id;
  e.incarnation = nodes_[by].incarnation;
  e.body = {static_cast<std::uint64_t>(CloseReason::closed), 0, static_cast<std::uint64_t>(depart)};
  transmit(id, static_cast<int>(side), e, depart);
}

// An item enters its direction: onto the wire, or behind what waits there.
void World::transmit(ConnId id, int way, Event& e, Time depart) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  if (d.swallowed) {
    drop_payload(e.payload);
    return;
  }
  const bool handshake = e.kind == static_cast<std::uint8_t>(EventKind::open) || e.kind == static_cast<std::uint8_t>(EventKind::opened);
  if (d.held || d.stalled || (!c.established && !handshake)) {
    d.waiting.push_back(e);
    return;
  }
  if (is_cut(e.source, e.target, c.traffic)) {
    credit_cut(e.source, e.target, c.traffic);
    stall(id, way, e, false);
    return;
  }
  launch(id, way, e, depart);
}

void World::launch(ConnId id, int way, Event& e, Time depart) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  const Link& l = link(e.source, e.target);
  const std::uint64_t latency_word = network_random_.next();
  std::uint64_t chance_word = network_random_.next();
  Duration delay = sample_latency(l, e.source, e.target, latency_word);
  if (l.loss) {
    // Lost segments are sent again after the retransmission timeout, which doubles.
    Duration timeout = options_.stream.retransmit_min;
    while (static_cast<std::uint32_t>(chance_word) < l.loss && delay < options_.stream.timeout) {
      for (ArmedFault& f : faults_)
        if (f.active && f.fault.kind == FaultKind::loss) ++f.bites;
      delay += timeout;
      timeout = std::min(timeout * 2, options_.stream.retransmit_max);
      chance_word = splitmix64(chance_word);
    }
  }
  if (l.unusual) delay += extra_delay(e.source, e.target, l, depart, static_cast<std::uint32_t>(e.body[1]), true);
  d.last_due = std::max(d.last_due, depart + delay);
  ++c.in_flight;
  add_event(d.last_due, e);
}

// The network does not take the item now: it waits, and with it all that follows.
void World::stall(ConnId id, int way, const Event& e, bool was_on_wire) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  if (was_on_wire) {
    d.waiting.insert(d.waiting.begin() + d.returned, e);
    ++d.returned;
  } else {
    d.waiting.push_back(e);
  }
  if (d.stalled) return;
  d.stalled = true;
  d.stalled_since = now();
  ++d.stalls;
  Event end;
  end.kind = static_cast<std::uint8_t>(EventKind::retry);
  end.flags = static_cast<std::uint8_t>((way ? direction_bit : 0) | patience_bit);
  end.channel = id;
  end.body[0] = d.stalls;
  add_event(now() + (c.established ? options_.stream.timeout : options_.stream.connect_timeout), end);
}

// The links changed or a machine came back: what waited is sent again when its retransmission timer
// next fires, which has doubled since the stall began.
void World::network_changed() {
  for (std::uint32_t slot = 1; slot < connections_.size(); ++slot) {
    const Connection& c = connections_[slot];
    if (!c.used) continue;
    const ConnId id = (std::uint32_t{c.generation} << generation_shift) | slot;
    for (int way = 0; way < 2; ++way) {
      const Direction& d = c.way[static_cast<std::size_t>(way)];
      const NodeId from = c.end[static_cast<std::size_t>(way)];
      const NodeId to = c.end[static_cast<std::size_t>(1 - way)];
      if (d.stalled && !d.retry_set && !is_cut(from, to, c.traffic) && nodes_[to].powered && nodes_[from].powered) set_retry(id, way);
    }
  }
}

void World::set_retry(ConnId id, int way) {
  Direction& d = connection(id)->way[static_cast<std::size_t>(way)];
  Time due = d.stalled_since;
  Duration timeout = options_.stream.retransmit_min;
  while (due <= now()) {
    due += timeout;
    timeout = std::min(timeout * 2, options_.stream.retransmit_max);
  }
  d.retry_set = true;
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::retry);
  e.flags = way ? direction_bit : 0;
  e.channel = id;
  e.body[0] = d.stalls;
  add_event(due, e);
}

void World::retry(const Event& e) {
  Connection* c = connection(e.channel);
  if (!c) return;
  const int way = e.flags & direction_bit;
  Direction& d = c->way[static_cast<std::size_t>(way)];
  if (e.flags & patience_bit) {
    if (d.stalled && d.stalls == e.body[0]) break_connection(e.channel, way, CloseReason::timeout);
    return;
  }
  d.retry_set = false;
  if (!d.stalled || d.stalls != e.body[0]) return;
  const NodeId from = c->end[static_cast<std::size_t>(way)];
  const NodeId to = c->end[static_cast<std::size_t>(1 - way)];
  if (is_cut(from, to, c->traffic) || !nodes_[to].powered) return;
  d.stalled = false;
  flush(e.channel, way);
}

void World::flush(ConnId id, int way) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  if (d.held || d.stalled) return;
  std::vector<Event> waiting;
  waiting.swap(d.waiting);
  d.returned = 0;
  for (Event& e : waiting) {
    Connection* still = connection(id);
    if (!still) {
      drop_payload(e.payload);
      continue;
    }
    transmit(id, way, e, std::max(now(), static_cast<Time>(e.body[2])));
  }
}

// An item comes off the wire.
void World::arrive(Event& e) {
  Connection* c = connection(e.channel);
  if (!c) {
    drop_payload(e.payload);
    return;
  }
  --c->in_flight;
  const int way = e.flags & direction_bit;
  const auto receiver = static_cast<std::size_t>(1 - way);
  NodeSlot& target = nodes_[e.target];
  const auto kind = static_cast<EventKind>(e.kind);

  // What a process had not handed to its machine when it died was never sent.
  if (e.incarnation != nodes_[e.source].incarnation && static_cast<Time>(e.body[2]) > nodes_[e.source].died_at && kind == EventKind::data) {
    drop_payload(e.payload);
    recycle(e.channel);
    return;
  }
  if (is_cut(e.source, e.target, c->traffic) || !target.powered) {
    if (target.powered) credit_cut(e.source, e.target, c->traffic);
    if (kind == EventKind::reset) recycle(e.channel);
    else stall(e.channel, way, e, true);
    return;
  }

  switch (kind) {
    case EventKind::open: {
      if (!target.running) return refuse(e.channel, e);
      trace(e);
      c->incarnation[1] = target.incarnation;
      c->open[1] = true;
      c->established = true;
      Event answer;
      answer.kind = static_cast<std::uint8_t>(EventKind::opened);
      answer.flags = direction_bit;
      answer.source = e.target;
      answer.target = e.source;
      answer.channel = e.channel;
      answer.incarnation = target.incarnation;
      answer.body[2] = static_cast<std::uint64_t>(now());
      transmit(e.channel, 1, answer, now());
      return;
    }
    case EventKind::opened:
      trace(e);
      flush(e.channel, 0);
      recycle(e.channel);
      return;
    case EventKind::data:
      // Another process, or none, or one that closed: it does not know this connection.
      if (!target.running || c->incarnation[receiver] != target.incarnation || !c->open[receiver]) return refuse(e.channel, e);
      deliver_to_node(target, e);
      return;
    case EventKind::closed:
    case EventKind::reset: {
      forget_waiting(c->way[receiver]);
      if (c->open[receiver] && target.running && c->incarnation[receiver] == target.incarnation) {
        c->open[receiver] = false;
        Event notice = e;
        notice.kind = static_cast<std::uint8_t>(EventKind::closed);
        notice.incarnation = target.incarnation;
        recycle(e.channel);
        deliver_to_node(target, notice);
        return;
      }
      c->open[receiver] = false;
      recycle(e.channel);
      return;
    }
    default:
      return;
  }
}

// The receiver's machine answers with a reset.
void World::refuse(ConnId id, const Event& e) {
  Connection& c = *connection(id);
  const int way = e.flags & direction_bit;
  drop_payload(e.payload);
  c.open[static_cast<std::size_t>(1 - way)] = false;
  if (c.open[static_cast<std::size_t>(way)] && !is_cut(e.target, e.source, c.traffic)) {
    Event answer;
    answer.kind = static_cast<std::uint8_t>(EventKind::reset);
    answer.flags = way ? 0 : direction_bit;
    answer.source = e.target;
    answer.target = e.source;
    answer.channel = id;
    answer.body = {static_cast<std::uint64_t>(e.kind == static_cast<std::uint8_t>(EventKind::open) ? CloseReason::refused : CloseReason::reset), 0,
                   static_cast<std::uint64_t>(now())};
    launch(id, 1 - way, answer, now());
    return;
  }
  recycle(id);
}

// This side's transport gives up.
void World::break_connection(ConnId id, int side, CloseReason reason) {
  Connection& c = *connection(id);
  const auto s = static_cast<std::size_t>(side);
  forget_waiting(c.way[s]);
  if (!c.open[s]) return recycle(id);
  c.open[s] = false;
  const NodeId self = c.end[s];
  Event notice;
  notice.kind = static_cast<std::uint8_t>(EventKind::closed);
  notice.id = current_;
  notice.source = c.end[1 - s];
  notice.target = self;
  notice.channel = id;
  notice.incarnation = nodes_[self].incarnation;
  notice.body[0] = static_cast<std::uint64_t>(reason);
  recycle(id);
  deliver_to_node(nodes_[self], notice);
}

void World::forget_waiting(Direction& d) {
  for (const Event& e : d.waiting) drop_payload(e.payload);
  d.waiting.clear();
  d.returned = 0;
  d.stalled = false;
  d.held = false;
}

void World::recycle(ConnId id) {
  Connection* c = connection(id);
  if (!c || c->open[0] || c->open[1] || c->in_flight != 0 || !c->way[0].waiting.empty() || !c->way[1].waiting.empty()) return;
  c->used = false;
  if (c->generation < 4095) free_connections_.push_back(id & slot_mask);
}

// A process is gone. Its machine tells the other ends, unless it lost power.
void World::end_connections(NodeId n, bool silently) {
  for (std::uint32_t slot = 1; slot < connections_.size(); ++slot) {
    Connection& c = connections_[slot];
    if (!c.used) continue;
    for (std::size_t side = 0; side < 2; ++side) {
      if (c.end[side] != n || !c.open[side]) continue;
      const ConnId id = (std::uint32_t{c.generation} << generation_shift) | slot;
      if (silently) {
        c.open[side] = false;
        forget_waiting(c.way[side]);
        recycle(id);
      } else {
        close(id, n, now());
      }
    }
  }
}

}  // namespace mqlab
