// Streams: what one end sends, in order and without gaps, until the connection breaks.
//
// The items of a direction are on the wire (in the schedule) or waiting, and all that waits was sent
// after all that is on the wire. What meets a cut or a dead machine on arrival comes back and waits in
// front; nothing is sent again before everything that was on the wire has arrived or come back, so
// the order holds whatever the links do meanwhile.
#include <algorithm>
#include <stdexcept>

#include "sim/world/network.h"
#include "sim/world/world.h"

namespace mqlab {
namespace {

constexpr std::uint32_t generation_shift = 20;
constexpr std::uint32_t slot_mask = (1U << generation_shift) - 1;
constexpr std::uint16_t generation_last = 4095;

// Event::flags of an item: its direction, and what a message fault wants with it, whose number + 1 is in
// the upper half of body[1] until the item is launched.
constexpr std::uint8_t direction_bit = 1;

// Event::flags of a retry: the end of patience, with the direction or with the handshake.
constexpr std::uint8_t patience_bit = 2;
constexpr std::uint8_t handshake_bit = 4;

constexpr std::uint64_t low_half = 0xffffffffULL;

bool is(const Event& e, EventKind k) { return e.kind == static_cast<std::uint8_t>(k); }
// What a receiver that takes no more holds up at its sender. What it says of its own window is no part of the flow.
bool takes_room(const Event& e) { return is(e, EventKind::data) || is(e, EventKind::closed); }
bool of_handshake(const Event& e) { return is(e, EventKind::open) || is(e, EventKind::opened); }

}  // namespace

Connection* World::connection(ConnId id) {
  const std::uint32_t slot = id & slot_mask;
  if (id == no_connection || slot >= connections_.size()) return nullptr;
  Connection& c = connections_[slot];
  return c.used && c.generation == id >> generation_shift ? &c : nullptr;
}

// With whom a connection was, whether it still is or not; nobody: its place was used again since.
NodeId World::last_peer(ConnId id, NodeId of) const {
  const std::uint32_t slot = id & slot_mask;
  if (id == no_connection || slot >= connections_.size() || connections_[slot].generation != id >> generation_shift) return nobody;
  const Connection& c = connections_[slot];
  return c.end[0] == of ? c.end[1] : c.end[1] == of ? c.end[0] : nobody;
}

std::size_t World::connections_in_use() const {
  return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(), [](const Connection& c) { return c.used; }));
}

// ---------------------------------------------------------------------------------------------
// Sending.

ConnId World::connect(NodeId from, NodeId to, Traffic traffic, Time depart) {
  if (to >= nodes_.size() || to == from) return no_connection;
  std::uint32_t slot;
  if (free_connections_.empty()) {
    slot = static_cast<std::uint32_t>(connections_.size());
    if (slot > slot_mask) throw std::length_error("more than 2^20 connections at once");
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
  Event end;
  end.kind = static_cast<std::uint8_t>(EventKind::retry);
  end.flags = patience_bit | handshake_bit;
  end.channel = id;
  c.patience = add_event(saturating_add(depart, std::max<Duration>(options_.stream.connect_timeout, 0)), end);
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
  if (c && c->end[0] != from && c->end[1] != from) return;
  const int way = !c || c->end[0] == from ? 0 : 1;
  const bool open = c && c->open[static_cast<std::size_t>(way)];
  if (!open && options_.trace < TraceLevel::full) return;  // as a write to a closed socket: nothing leaves
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::data);
  e.flags = way ? direction_bit : 0;
  e.source = from;
  e.target = c ? c->end[static_cast<std::size_t>(1 - way)] : last_peer(id, from);
  e.channel = id;
  e.type = kind;
  e.incarnation = nodes_[from].incarnation;
  e.body = {word, size, static_cast<std::uint64_t>(depart)};
  e.payload = payload ? hold_payload(std::move(payload)) : 0;
  if (!open) return drop(e, DropReason::closed);
  if (!rules_.empty() || triggers_) {
    Duration extra = 0;
    bool twice = false;
    if (apply_rules(e, extra, twice)) return swallow(id, way);
  }
  transmit(id, way, e, depart);
}

// The receiver's word on its window, as the acknowledgements of TCP carry it (RFC 9293, 3.8.6).
void World::set_window(ConnId id, NodeId by, bool open, Time depart) {
  Connection* c = connection(id);
  if (!c || (c->end[0] != by && c->end[1] != by)) return;
  const std::size_t side = c->end[0] == by ? 0 : 1;
  if (!c->open[side]) return;
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::window);
  e.flags = side ? direction_bit : 0;
  e.source = by;
  e.target = c->end[1 - side];
  e.channel = id;
  e.incarnation = nodes_[by].incarnation;
  e.body = {open ? 1U : 0U, 0, static_cast<std::uint64_t>(depart)};
  transmit(id, static_cast<int>(side), e, depart);
}

// No more is sent, and nothing more is heard; what was sent before still arrives.
void World::close(ConnId id, NodeId by, Time depart) {
  forget_backlog(by, id);
  Connection* c = connection(id);
  if (!c || (c->end[0] != by && c->end[1] != by)) return;
  const std::size_t side = c->end[0] == by ? 0 : 1;
  if (!c->open[side]) return;
  c->open[side] = false;
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

// An item enters its direction: onto the wire, or behind what waits there. Each item draws twice,
// whatever the state of the network, so that a cut moves no later draw; attempts after the first take
// a hash instead.
void World::transmit(ConnId id, int way, Event& e, Time depart) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  const std::uint64_t latency_word = network_random_.next();
  const std::uint64_t chance_word = network_random_.next();
  if (d.swallowed) {
    drop(e, DropReason::behind_fault);
    return recycle(id);
  }
  const bool early = way == 0 && !c.ready && !of_handshake(e);
  const bool kept = (e.flags & held_bit) != 0;
  if (kept) d.held = true;
  const bool full = d.full && takes_room(e);
  const bool passes = d.full && is(e, EventKind::window);  // by what waits for room
  if ((d.waiting.empty() || passes) && !d.stalled && !early && !kept && !full && launch(id, way, e, depart, latency_word, chance_word)) return;
  if (e.cause == no_event) e.cause = current_;
  const bool first = d.waiting.empty() || passes;
  d.waiting.insert(passes ? d.waiting.begin() + d.returned : d.waiting.end(), e);
  if (first && !d.stalled && !early && !kept && !full) stall(id, way);
}

// One attempt. False when the network does not take the item: it is cut off, lost or clogged.
bool World::launch(ConnId id, int way, Event& e, Time depart, std::uint64_t latency_word, std::uint64_t chance_word) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  Link& l = link(e.source, e.target);
  d.clogged = false;
  if (l.cut & traffic_bit(c.traffic)) {
    credit_cut(e.source, e.target, c.traffic);
    return false;
  }
  if (static_cast<std::uint32_t>(chance_word) < l.loss) {
    credit_link(e.source, e.target, {FaultKind::loss});
    return false;
  }
  Duration delay = sample_latency(l, e.source, e.target, latency_word);
  if (l.unusual) {
    if (l.unusual & unusual::credit) {
      l.unusual = static_cast<std::uint8_t>(l.unusual & ~unusual::credit);
      credit_link(e.source, e.target, {FaultKind::latency, FaultKind::bandwidth});
    }
    if ((l.unusual & unusual::burst) && in_burst(e.source, e.target, depart)) {
      credit_link(e.source, e.target, {FaultKind::burst_loss});
      return false;
    }
    if (l.unusual & unusual::clog) {
      credit_link(e.source, e.target, {FaultKind::clog});
      d.clogged = true;
      return false;
    }
    if (l.unusual & unusual::bandwidth)
      delay = saturating_add(delay, queue_for_wire(e.source, e.target, depart, static_cast<std::uint32_t>(e.body[1])));
  }
  Duration copy_after = -1;
  if (e.flags & (delayed_bit | twice_bit)) {
    const Duration amount = std::clamp<Duration>(faults_[(e.body[1] >> 32) - 1].fault.amount, 0, duration_cap);
    if (e.flags & delayed_bit) delay = saturating_add(delay, amount);
    else copy_after = amount;
    e.flags &= direction_bit;
    e.body[1] &= low_half;
  }
  d.last_due = std::max(d.last_due, saturating_add(depart, delay));
  ++c.in_flight;
  ++d.on_wire;
  add_event(d.last_due, e);
  if (copy_after >= 0) {
    Event copy = e;
    copy.flags |= copy_bit;
    copy.payload = e.payload ? hold_payload(payloads_[e.payload]) : 0;
    ++c.in_flight;
    add_event(saturating_add(d.last_due, copy_after), copy);
  }
  return true;
}

// ---------------------------------------------------------------------------------------------
// Waiting and trying again.

// The first that waits did not get through: it is sent again when the retransmission timer fires, and
// behind it all that follows; after long enough the transport gives up.
void World::stall(ConnId id, int way) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  if (!d.stalled) {
    d.stalled = true;
    d.stalled_since = now();
    set_patience(id, way);
  }
  const NodeId from = c.end[static_cast<std::size_t>(way)];
  const NodeId to = c.end[static_cast<std::size_t>(1 - way)];
  // While it is cut off there is no use in trying; network_changed() takes it up again.
  if (!d.clogged && !is_cut(from, to, c.traffic) && nodes_[to].powered) set_retry(id, way);
}

void World::unstall(Direction& d) {
  d.stalled = false;
  d.retry_wanted = false;
  schedule_.cancel(std::exchange(d.retry, no_event));
  if (!d.swallowed) schedule_.cancel(std::exchange(d.patience, no_event));
}

// A fault dropped an item of this direction: the sender will wait for its acknowledgement in vain.
void World::swallow(ConnId id, int way) {
  connection(id)->way[static_cast<std::size_t>(way)].swallowed = true;
  set_patience(id, way);
}

void World::set_patience(ConnId id, int way) {
  Direction& d = connection(id)->way[static_cast<std::size_t>(way)];
  if (d.patience != no_event) return;
  Event end;
  end.kind = static_cast<std::uint8_t>(EventKind::retry);
  end.flags = static_cast<std::uint8_t>((way ? direction_bit : 0) | patience_bit);
  end.channel = id;
  d.patience = add_event(saturating_add(now(), std::max<Duration>(options_.stream.timeout, 0)), end);
}

// The retransmission timer has been doubling since the stall began (RFC 6298, 5.5): its next ring.
void World::set_retry(ConnId id, int way) {
  Direction& d = connection(id)->way[static_cast<std::size_t>(way)];
  if (d.retry != no_event) return;
  Duration timeout = std::clamp<Duration>(options_.stream.retransmit_min, 1'000, duration_cap);
  const Duration longest = std::clamp<Duration>(options_.stream.retransmit_max, timeout, duration_cap);
  Time due = saturating_add(d.stalled_since, timeout);
  while (due <= now()) {
    if (timeout >= longest) {
      due = saturating_add(due, ((now() - due) / longest + 1) * longest);
      break;
    }
    timeout = std::min(timeout * 2, longest);
    due = saturating_add(due, timeout);
  }
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::retry);
  e.flags = way ? direction_bit : 0;
  e.channel = id;
  d.retry = add_event(d.clogged ? now() : due, e);
}

// The links changed or a machine came back: what waited for that has its timer again, and what was
// clogged goes on at once, since the network had it all the time.
void World::network_changed() {
  for (std::uint32_t slot = 1; slot < connections_.size(); ++slot) {
    const Connection& c = connections_[slot];
    if (!c.used) continue;
    const ConnId id = (std::uint32_t{c.generation} << generation_shift) | slot;
    for (int way = 0; way < 2; ++way) {
      const Direction& d = c.way[static_cast<std::size_t>(way)];
      const NodeId from = c.end[static_cast<std::size_t>(way)];
      const NodeId to = c.end[static_cast<std::size_t>(1 - way)];
      if (!d.stalled || is_cut(from, to, c.traffic) || !nodes_[to].powered) continue;
      if (d.clogged && (link(from, to).unusual & unusual::clog)) continue;
      set_retry(id, way);
    }
  }
  unclog_datagrams();
}

void World::retry(const Event& e) {
  Connection* c = connection(e.channel);
  if (!c) return;
  if (e.flags & handshake_bit) {
    c->patience = no_event;
    if (!c->ready) break_connection(e.channel, 0, CloseReason::timeout);
    return;
  }
  const int way = e.flags & direction_bit;
  Direction& d = c->way[static_cast<std::size_t>(way)];
  if (e.flags & patience_bit) {
    d.patience = no_event;
    break_connection(e.channel, way, CloseReason::timeout);
    return;
  }
  d.retry = no_event;
  const NodeId from = c->end[static_cast<std::size_t>(way)];
  const NodeId to = c->end[static_cast<std::size_t>(1 - way)];
  if (!d.stalled || is_cut(from, to, c->traffic) || !nodes_[to].powered) return;
  if (d.returned > 0 && d.on_wire > 0) {
    d.retry_wanted = true;
    return;
  }
  flush(e.channel, way);
}

// Sends what waits, as far as the network, a hold and the handshake allow. A stall that goes on keeps
// its age, and with it its timers.
void World::flush(ConnId id, int way) {
  Connection& c = *connection(id);
  Direction& d = c.way[static_cast<std::size_t>(way)];
  d.returned = 0;
  d.retry_wanted = false;
  std::size_t gone = 0;
  bool refused = false;
  while (gone < d.waiting.size()) {
    Event& e = d.waiting[gone];
    if ((e.flags & held_bit) || (d.full && takes_room(e)) || (way == 0 && !c.ready && !of_handshake(e))) break;
    const std::uint64_t word = splitmix64(seed_ ^ splitmix64((std::uint64_t{id} << 1) | static_cast<std::uint64_t>(way)) ^ ++d.attempts);
    if (!launch(id, way, e, std::max(now(), static_cast<Time>(e.body[2])), word, splitmix64(word))) {
      refused = true;
      break;
    }
    ++gone;
  }
  d.waiting.erase(d.waiting.begin(), d.waiting.begin() + static_cast<std::ptrdiff_t>(gone));
  if (gone > 0 || !refused) unstall(d);
  if (refused) stall(id, way);
}

// ---------------------------------------------------------------------------------------------
// Arriving.

void World::arrive(Event& e) {
  const ConnId id = e.channel;
  Connection* c = connection(id);
  if (!c) return drop(e, DropReason::gave_up);
  const auto way = static_cast<std::size_t>(e.flags & direction_bit);
  const NodeSlot& target = nodes_[e.target];
  const bool network = !is_cut(e.source, e.target, c->traffic) && target.powered;
  --c->in_flight;
  if (e.flags & copy_bit) {
    const std::size_t receiver = 1 - way;
    if (network && target.running && c->open[receiver] && c->incarnation[receiver] == target.incarnation) return deliver_to_node(e);
    drop_payload(e.payload);
    return recycle(id);
  }
  Direction& d = c->way[way];
  --d.on_wire;
  if ((is(e, EventKind::data) || is(e, EventKind::open) || is(e, EventKind::window)) && never_left(e)) {
    drop(e, DropReason::sender_ended);
  } else if (!network || (d.returned > 0 && !is(e, EventKind::reset))) {
    come_back(e, network);
  } else {
    arrive_accepted(e);
  }
  c = connection(id);
  if (!c) return;
  if (Direction& after = c->way[way]; after.retry_wanted && after.on_wire == 0) flush(id, static_cast<int>(way));
  recycle(id);
}

// Nobody acknowledges the item, so its sender still has it.
void World::come_back(const Event& e, bool network) {
  Connection& c = *connection(e.channel);
  const auto way = static_cast<std::size_t>(e.flags & direction_bit);
  Direction& d = c.way[way];
  if (!network && nodes_[e.target].powered) credit_cut(e.source, e.target, c.traffic);
  // A reset is not sent again, and a machine that lost power sends nothing again.
  if (is(e, EventKind::reset) || c.lost[way]) return drop(e, DropReason::sender_ended);
  d.waiting.insert(d.waiting.begin() + d.returned, e);
  ++d.returned;
  d.clogged = false;
  stall(e.channel, static_cast<int>(way));
}

void World::arrive_accepted(Event& e) {
  const ConnId id = e.channel;
  Connection& c = *connection(id);
  const auto receiver = static_cast<std::size_t>(1 - (e.flags & direction_bit));
  const NodeSlot& target = nodes_[e.target];
  const bool known = target.running && c.open[receiver] && c.incarnation[receiver] == target.incarnation;
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::open: {
      if (!c.open[0] && c.way[0].waiting.empty()) return;  // nobody waits for it any more
      if (!target.running) return refuse(id, e);
      trace(e);
      c.incarnation[1] = target.incarnation;
      c.open[1] = true;
      c.established = true;
      Event answer;
      answer.kind = static_cast<std::uint8_t>(EventKind::opened);
      answer.flags = direction_bit;
      answer.source = e.target;
      answer.target = e.source;
      answer.channel = id;
      answer.incarnation = target.incarnation;
      answer.body[2] = static_cast<std::uint64_t>(now());
      transmit(id, 1, answer, now());
      return;
    }
    case EventKind::opened:
      // Who has given up meanwhile, and has nothing left to send, does not know the connection.
      if (!c.open[0] && c.way[0].waiting.empty()) return refuse(id, e);
      trace(e);
      c.ready = true;
      schedule_.cancel(std::exchange(c.patience, no_event));
      flush(id, 0);
      return;
    case EventKind::data:
      // Another process, or none, or one that closed: it does not know this connection.
      if (!known) return refuse(id, e);
      return deliver_to_node(e);
    case EventKind::window: {
      if (!known) return refuse(id, e);
      const int back = 1 - (e.flags & direction_bit);
      Direction& d = c.way[static_cast<std::size_t>(back)];
      d.full = e.body[0] == 0;
      if (!d.full && !d.stalled && !d.waiting.empty()) flush(id, back);
      return deliver_to_node(e);
    }
    case EventKind::closed:
    case EventKind::reset: {
      forget_waiting(c.way[receiver], why_unknown(c, 1 - receiver));
      c.open[receiver] = false;
      schedule_.cancel(std::exchange(c.patience, no_event));
      if (!known) return;
      Event notice = e;
      notice.kind = static_cast<std::uint8_t>(EventKind::closed);
      notice.incarnation = target.incarnation;
      recycle(id);
      return deliver_to_node(notice);
    }
    default:
      return;
  }
}

// The receiver's machine answers with a reset (RFC 9293, 3.10.7.1); one that is lost is not repeated.
void World::refuse(ConnId id, const Event& e) {
  Connection& c = *connection(id);
  const auto way = static_cast<std::size_t>(e.flags & direction_bit);
  drop(e, why_unknown(c, 1 - way));
  c.open[1 - way] = false;
  if (!c.open[way]) return;
  Event answer;
  answer.kind = static_cast<std::uint8_t>(EventKind::reset);
  answer.flags = way ? 0 : direction_bit;
  answer.source = e.target;
  answer.target = e.source;
  answer.channel = id;
  const CloseReason reason = is(e, EventKind::open) ? CloseReason::refused : CloseReason::reset;
  answer.body = {static_cast<std::uint64_t>(reason), 0, static_cast<std::uint64_t>(now())};
  const std::uint64_t word = splitmix64(seed_ ^ splitmix64((std::uint64_t{id} << 1) | static_cast<std::uint64_t>(1 - way)));
  launch(id, static_cast<int>(1 - way), answer, now(), word, splitmix64(word));
}

// ---------------------------------------------------------------------------------------------
// Ends.

// This side's transport gives up; the other end is not told.
void World::break_connection(ConnId id, int side, CloseReason reason) {
  Connection& c = *connection(id);
  const auto s = static_cast<std::size_t>(side);
  forget_waiting(c.way[s], why_stuck(c, s));
  if (side == 0) schedule_.cancel(std::exchange(c.patience, no_event));
  const bool known = c.open[s];
  c.open[s] = false;
  const NodeId self = c.end[s];
  Event notice;
  notice.kind = static_cast<std::uint8_t>(EventKind::closed);
  notice.id = current_;
  notice.cause = current_;
  notice.source = c.end[1 - s];
  notice.target = self;
  notice.channel = id;
  notice.incarnation = nodes_[self].incarnation;
  notice.body[0] = static_cast<std::uint64_t>(reason);
  recycle(id);
  if (known) deliver_to_node(notice);
}

// Why one end of a connection takes nothing of it any more.
DropReason World::why_unknown(const Connection& c, std::size_t receiver) const {
  const NodeSlot& n = nodes_[c.end[receiver]];
  if (!n.running) return DropReason::receiver_down;
  const bool accepted = receiver == 0 || c.established;
  return accepted && c.incarnation[receiver] != n.incarnation ? DropReason::receiver_new : DropReason::receiver_closed;
}

// Why what waits in a direction has not got through.
DropReason World::why_stuck(const Connection& c, std::size_t way) {
  const NodeId to = c.end[1 - way];
  if (is_cut(c.end[way], to, c.traffic)) return DropReason::cut_off;
  return nodes_[to].powered ? DropReason::gave_up : DropReason::receiver_down;
}

void World::forget_waiting(Direction& d, DropReason why) {
  for (const Event& e : d.waiting) drop(e, why);
  d.waiting.clear();
  d.returned = 0;
  d.held = false;
  unstall(d);
  schedule_.cancel(std::exchange(d.patience, no_event));
}

void World::recycle(ConnId id) {
  Connection* c = connection(id);
  if (!c || c->open[0] || c->open[1] || c->in_flight != 0 || !c->way[0].waiting.empty() || !c->way[1].waiting.empty()) return;
  for (Direction& d : c->way) forget_waiting(d, DropReason::gave_up);
  schedule_.cancel(std::exchange(c->patience, no_event));
  c->used = false;
  if (c->generation < generation_last) free_connections_.push_back(id & slot_mask);
}

// What the node had received on this connection and not yet looked at, it will not look at.
void World::forget_backlog(NodeId n, ConnId id) {
  Backlog& b = nodes_[n].backlog;
  for (std::size_t i = b.head; i < b.items.size();) {
    const Event& e = b.items[i];
    if (e.channel != id || !(is(e, EventKind::data) || is(e, EventKind::closed) || is(e, EventKind::window))) {
      ++i;
      continue;
    }
    const std::size_t size_before = b.items.size();
    drop(b.take(i), DropReason::receiver_closed);
    // take() may have moved the items up, or forgotten them all.
    i = b.empty() ? 0 : i + 1 - (size_before - b.items.size());
  }
}

// A process is gone. Its machine tells the other ends, unless it lost power.
void World::end_connections(NodeId n, bool silently, Time end) {
  for (std::uint32_t slot = 1; slot < connections_.size(); ++slot) {
    if (!connections_[slot].used) continue;
    const ConnId id = (std::uint32_t{connections_[slot].generation} << generation_shift) | slot;
    for (std::size_t side = 0; side < 2; ++side) {
      Connection& c = connections_[slot];
      if (!c.used || c.end[side] != n) continue;
      if (silently) {
        c.lost[side] = true;
      } else if (!c.open[side]) {
        continue;
      } else if (side == 1 || c.ready) {
        close(id, n, end);
        continue;
      }
      // Power is lost, or the handshake is under way: there is nothing to tell.
      c.open[side] = false;
      forget_waiting(c.way[side], DropReason::sender_ended);
      recycle(id);
    }
  }
}

}  // namespace mqlab
