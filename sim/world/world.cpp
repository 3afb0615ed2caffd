#include "sim/world/world.h"

#include <algorithm>
#include <cassert>

namespace mqlab {

const char* close_reason_name(CloseReason r) {
  static constexpr const char* names[] = {"closed", "reset", "refused", "timeout"};
  return names[static_cast<std::size_t>(r)];
}

void Node::on_stop(Context& c) { c.exit(); }

World::World(std::uint64_t seed, WorldOptions options)
    : seed_(seed),
      options_(std::move(options)),
      schedule_(options_.queue),
      network_random_(seed, Stream::network),
      fault_random_(seed, Stream::faults) {}

NodeId World::add_node(std::unique_ptr<Node> node, NodeOptions options) {
  const auto id = static_cast<NodeId>(nodes_.size());
  NodeSlot n;
  n.node = std::move(node);
  n.options = std::move(options);
  if (n.options.machine.empty()) n.options.machine = n.options.name;
  n.service = std::clamp<Duration>(n.options.service, 0, duration_cap);
  n.service_ps_per_byte = n.options.service_ps_per_byte;
  n.disk = Disk(n.options.disk);
  n.clock = n.options.clock;
  n.clock_since = now();
  n.clock_base = saturating_add(saturating_add(options_.wall_epoch, now()), n.clock.offset);
  n.random = Random(seed_, Stream::node, id);
  n.free_at.assign(std::clamp<std::uint32_t>(n.options.workers, 1, 4096), 0);
  journal.processes.push_back(n.options.name);
  nodes_.push_back(std::move(n));
  links_changed();
  start_after(id, 0);
  return id;
}

void World::declare_message(const MessageDecl& decl) {
  if (journal.messages.size() <= decl.kind) journal.messages.resize(decl.kind + std::size_t{1});
  journal.messages[decl.kind] = decl;
}

NodeId World::find(std::string_view name) const {
  for (NodeId n = 0; n < nodes_.size(); ++n)
    if (nodes_[n].options.name == name) return n;
  return nobody;
}

Time World::wall(NodeId id) const {
  __extension__ using Wide = __int128;
  const NodeSlot& n = nodes_[id];
  const Wide elapsed = now() - n.clock_since;
  const Wide shown = n.clock_base + elapsed + elapsed * n.clock.drift_ppb / 1'000'000'000;
  return static_cast<Time>(std::clamp<Wide>(shown, time_min, time_max));
}

void World::set_clock(NodeSlot& n, Time wall_now) {
  n.clock_base = wall_now;
  n.clock_since = now();
}

std::uint64_t World::mark_count(std::string_view name) const {
  const std::uint32_t id = journal.names.find(name);
  return id != 0 && id < mark_counts_.size() ? mark_counts_[id] : 0;
}

void World::note(NodeId n, std::string_view name, std::string_view place, std::string text) {
  const std::uint32_t id = journal.names.id(name);
  if (mark_counts_.size() <= id) mark_counts_.resize(id + std::size_t{1});
  ++mark_counts_[id];
  if (options_.trace != TraceLevel::off)
    journal.marks.push_back({now(), current_, n, id, journal.names.id(place), std::move(text)});
  if (triggers_ & (1U << static_cast<unsigned>(Trigger::On::mark))) on_trigger(Trigger::On::mark, name, n, nobody, place);
}

// ---------------------------------------------------------------------------------------------
// Payloads: one slot per message that is under way.

std::uint32_t World::hold_payload(PayloadRef p) {
  if (!p) return 0;
  if (free_payloads_.empty()) {
    payloads_.push_back(std::move(p));
    return static_cast<std::uint32_t>(payloads_.size() - 1);
  }
  const std::uint32_t slot = free_payloads_.back();
  free_payloads_.pop_back();
  payloads_[slot] = std::move(p);
  return slot;
}

void World::drop_payload(std::uint32_t slot) {
  if (slot == 0) return;
  payloads_[slot].reset();
  free_payloads_.push_back(slot);
}

// ---------------------------------------------------------------------------------------------
// What never arrives.

void World::tell_drop(const Event& e, DropReason why) {
  const auto kind = static_cast<EventKind>(e.kind);
  if ((kind != EventKind::data && kind != EventKind::datagram) || (e.flags & copy_bit)) return;
  Drop d{e, std::max(now(), static_cast<Time>(e.body[2])), journal.deliveries.size(), why, payloads_[e.payload]};
  if (d.event.cause == no_event) d.event.cause = current_;  // it never got as far as the schedule
  journal.drops.push_back(std::move(d));
}

void World::close_record() {
  if (options_.trace < TraceLevel::full) return;
  for (const HeldMessage& h : held_) tell_drop(h.event, DropReason::unfinished);
  for (const Connection& c : connections_)
    if (c.used)
      for (const Direction& d : c.way)
        for (const Event& e : d.waiting) tell_drop(e, DropReason::unfinished);
  for (const NodeSlot& n : nodes_)
    for (const Event& e : n.backlog.items) tell_drop(e, DropReason::unfinished);
}

// ---------------------------------------------------------------------------------------------
// Running.

bool World::step(Time until) {
  if (links_stale_) [[unlikely]] rebuild_links();
  Event e;
  if (!schedule_.pop(until, e)) return false;
  ++steps_;
  current_ = e.id;
  fingerprint_.mix(static_cast<std::uint64_t>(now()) ^ (std::uint64_t{e.kind} << 56) ^ (e.body[0] * 0x9e3779b97f4a7c15ULL),
                   (std::uint64_t{e.target} << 40) ^ (std::uint64_t{e.source} << 16) ^ e.type ^ (std::uint64_t{e.channel} << 32));
  dispatch(e);
  return true;
}

void World::run_until(Time t) {
  while (step(t)) {
  }
  schedule_.advance(t);
}

void World::dispatch(Event& e) {
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::datagram: {
      const auto traffic = static_cast<Traffic>(e.flags >> 1 & 3);
      if (never_left(e)) return drop(e, DropReason::sender_ended);
      if (is_cut(e.source, e.target, traffic)) {
        credit_cut(e.source, e.target, traffic);
        return drop(e, DropReason::cut);
      }
      return deliver_to_node(e);
    }
    case EventKind::data:
    case EventKind::open:
    case EventKind::opened:
    case EventKind::closed:
    case EventKind::reset:
    case EventKind::window:
      return arrive(e);
    case EventKind::timer:
    case EventKind::disk:
      if (e.incarnation == nodes_[e.target].incarnation) deliver_to_node(e);
      return;
    case EventKind::wake:
      nodes_[e.target].wake = no_event;
      return drain(e.target);
    case EventKind::fault:
      trace_unhandled(e);
      if (e.flags == fault_lift) lift(static_cast<std::size_t>(e.body[0]), e.body[1]);
      else if (e.flags == fault_again) again(static_cast<std::size_t>(e.body[0]));
      else fire(static_cast<std::size_t>(e.body[0]));
      return;
    case EventKind::retry:
      return retry(e);
    case EventKind::start:
      // Of another incarnation: the process was killed once more since, and that has the last word.
      if (e.incarnation != nodes_[e.target].incarnation) return;
      trace_unhandled(e);
      return start_process(e.target);
    case EventKind::none:
      return;
  }
}

// ---------------------------------------------------------------------------------------------
// At the node.

namespace {

bool is(const Event& e, EventKind k) { return e.kind == static_cast<std::uint8_t>(k); }
bool is_message(const Event& e) { return is(e, EventKind::data) || is(e, EventKind::datagram); }
// The end of a connection is told after what came before it; it needs no worker itself.
bool in_turn(const Event& e) { return is_message(e) || is(e, EventKind::closed); }
bool for_application(const Event& e) { return is(e, EventKind::timer) && e.type >= application_timer; }

}  // namespace

void World::Backlog::push(const Event& e) {
  items.push_back(e);
  ++live;
  if (!in_turn(e)) ++urgent;
}

Event World::Backlog::take(std::size_t at) {
  const Event e = items[at];
  items[at].kind = static_cast<std::uint8_t>(EventKind::none);
  --live;
  if (!in_turn(e)) --urgent;
  if (live == 0) {
    items.clear();
    head = 0;
    return e;
  }
  while (is(items[head], EventKind::none)) ++head;
  if (head > 64 && head * 2 > items.size()) {
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(head));
    head = 0;
  }
  return e;
}

// A message, timer or notice has come to its node: now, or after what waits there already.
void World::deliver_to_node(const Event& e) {
  NodeSlot& n = nodes_[e.target];
  if (!n.running) return drop(e, DropReason::receiver_down);
  if (n.pauses) [[unlikely]] {
    if (n.pauses & pause_whole) return n.backlog.push(e);
    if (for_application(e)) return n.application_backlog.push(e);
  }
  if (in_turn(e) && (!n.backlog.empty() || (n.free_at_least > now() && is_message(e)))) {
    n.backlog.push(e);
    return set_wake(e.target, n.free_at_least);
  }
  handle(e);
}

void World::set_wake(NodeId id, Time due) {
  if (nodes_[id].wake != no_event) return;
  Event w;
  w.kind = static_cast<std::uint8_t>(EventKind::wake);
  w.target = id;
  nodes_[id].wake = add_event(due, w);
}

// Works off what waits, in order, as far as there are workers. What needs none does not wait for one.
void World::drain(NodeId id) {
  bool blocked = false;
  for (std::size_t at = nodes_[id].backlog.head; at < nodes_[id].backlog.items.size();) {
    NodeSlot& n = nodes_[id];
    if (!n.running || (n.pauses & pause_whole)) return;
    const Event& next = n.backlog.items[at];
    if (is_message(next) && n.free_at_least > now()) blocked = true;
    if (is(next, EventKind::none) || (blocked && in_turn(next))) {
      if (blocked && n.backlog.urgent == 0) break;
      ++at;
      continue;
    }
    const std::size_t size_before = n.backlog.items.size();
    const Event e = n.backlog.take(at);
    // take() may have moved the items up, or forgotten them all.
    at = n.backlog.empty() ? 0 : at + 1 - (size_before - n.backlog.items.size());
    if (!blocked) at = n.backlog.head;
    if (for_application(e) && (n.pauses & pause_app)) n.application_backlog.push(e);
    else handle(e);
  }
  NodeSlot& n = nodes_[id];
  if (n.running && !(n.pauses & pause_whole) && !n.backlog.empty()) set_wake(id, n.free_at_least);
}

void World::handle(const Event& e) {
  NodeSlot& n = nodes_[e.target];
  Context c(*this, e.target);
  current_ = e.id;
  handling_ = e.target;
  trace(e);
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::data:
    case EventKind::datagram: {
      const auto size = static_cast<std::uint32_t>(e.body[1]);
      if (n.service != 0 || n.service_ps_per_byte != 0)
        c.work(n.service + static_cast<Duration>(std::uint64_t{size} * n.service_ps_per_byte / 1'000));
      Message m{e.channel, e.source, e.type, size, e.body[0], std::move(payloads_[e.payload])};
      if (e.payload) free_payloads_.push_back(e.payload);
      if (triggers_ & (1U << static_cast<unsigned>(Trigger::On::message_delivered)))
        on_trigger(Trigger::On::message_delivered, journal.kind_name(e.type), e.source, e.target, {});
      n.node->on_message(c, m);
      break;
    }
    case EventKind::timer:
      n.node->on_timer(c, e.type, e.body[0]);
      break;
    case EventKind::disk:
      n.node->on_disk(c, static_cast<FileId>(e.body[0]), static_cast<std::int64_t>(e.body[1]), static_cast<DiskResult>(e.body[2]));
      break;
    case EventKind::closed:
      n.node->on_closed(c, e.channel, e.source, static_cast<CloseReason>(e.body[0]));
      break;
    case EventKind::window:
      if (e.body[0] != 0 && c.is_open(e.channel)) n.node->on_writable(c, e.channel);
      break;
    default:
      break;
  }
  finish(c);
}

// After each handler: the worker is busy for as long as it took, and a process that asked to end does.
void World::finish(Context& c) {
  handling_ = nobody;
  NodeSlot& n = nodes_[c.self()];
  if (c.cost() != 0) occupy(n, c.cost());
  told(c.self());
  if (n.ending == Ending::none) [[likely]] return;
  const Ending how = std::exchange(n.ending, Ending::none);
  if (how == Ending::exit) exit_process(c.self(), saturating_add(now(), c.cost()), n.ending_in_good_order);
  else end_process(c.self(), n.ending_power, n.ending_wipe, now());
}

void World::occupy(NodeSlot& n, Duration cost) {
  const auto worker = std::min_element(n.free_at.begin(), n.free_at.end());
  *worker = saturating_add(std::max(*worker, now()), cost);
  n.free_at_least = n.free_at.size() == 1 ? *worker : *std::min_element(n.free_at.begin(), n.free_at.end());
}

// ---------------------------------------------------------------------------------------------
// Processes.

void World::start_process(NodeId id) {
  if (nodes_[id].running) return;
  {
    NodeSlot& n = nodes_[id];
    n.running = true;
    n.stopping = false;
    n.free_at_least = now();
    std::fill(n.free_at.begin(), n.free_at.end(), now());
    if (n.incarnation > 0) note(id, "restarted", {}, {});
  }
  const bool was_off = !std::exchange(nodes_[id].powered, true);
  Context c(*this, id);
  handling_ = id;
  nodes_[id].node->on_start(c);
  // Nothing is handled before the start is over, whatever the number of workers.
  NodeSlot& n = nodes_[id];
  n.free_at_least = c.depart();
  std::fill(n.free_at.begin(), n.free_at.end(), c.depart());
  const Duration cost = std::exchange(c.cost_, 0);
  (void)cost;
  finish(c);
  if (was_off) network_changed();
}

void World::start_after(NodeId id, Duration after) {
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::start);
  e.target = id;
  e.incarnation = nodes_[id].incarnation;
  add_event(saturating_add(now(), std::max<Duration>(after, 0)), e);
}

void World::start(NodeId n) { start_after(n, 0); }

void World::kill(NodeId id, bool power, bool wipe) {
  NodeSlot& n = nodes_[id];
  if (handling_ != id) return end_process(id, power, wipe, now());
  n.ending = Ending::kill;
  n.ending_power = power;
  n.ending_wipe = wipe;
}

// The process ends at `end`: what it was to send after that was never sent.
void World::end_process(NodeId id, bool power, bool wipe, Time end, bool in_good_order) {
  if (links_stale_) rebuild_links();
  NodeSlot& n = nodes_[id];
  if (power) n.powered = false;
  const bool had_process = std::exchange(n.running, false);
  if (!in_good_order && (had_process || power || wipe)) losses_.push_back({now(), id, power, wipe});
  n.deaths.push_back(end);
  ++n.incarnation;
  for (Backlog* b : {&n.backlog, &n.application_backlog}) {
    for (const Event& e : b->items)
      if (!is(e, EventKind::none)) drop(e, DropReason::receiver_ended);
    b->clear();
  }
  schedule_.cancel(std::exchange(n.wake, no_event));
  n.asked.clear();
  n.stopping = false;
  n.restart_after = 0;
  end_on(id, {FaultKind::pause, FaultKind::pause_application});
  settle_process(id);
  end_connections(id, power, end);
  if (!had_process && !power && !wipe) return;
  Crash crash{power, wipe, {}};
  if (wipe) {
    n.disk.wipe();
  } else if (power) {
    const std::uint64_t torn = n.disk.torn_units;
    crash.files = n.disk.power_loss(now());
    if (n.disk.torn_units != torn) node_bit(id, FaultKind::torn_write);
    end_on(id, {FaultKind::torn_write});
    settle_disk(id);
  } else {
    crash.files = n.disk.process_loss();
  }
  n.node->on_crash(crash);
  told(id);
}

void World::exit_process(NodeId id, Time end, bool in_good_order) {
  const Duration again = nodes_[id].restart_after;
  note(id, "stopped", {}, in_good_order ? "in good order" : "without a mark that says so");
  end_process(id, false, false, end, in_good_order);
  if (again > 0) start_after(id, again);
}

bool World::cancel_timer(NodeId id, EventId timer) {
  if (timer == no_event) return false;
  if (schedule_.cancel(timer)) return true;
  // It came due during a pause: nobody has seen it yet.
  for (Backlog* b : {&nodes_[id].backlog, &nodes_[id].application_backlog})
    for (std::size_t at = b->head; at < b->items.size(); ++at)
      if (is(b->items[at], EventKind::timer) && b->items[at].id == timer) {
        b->take(at);
        return true;
      }
  return false;
}

// What the node did met a fault of this kind.
void World::node_bit(NodeId n, FaultKind kind) {
  for (std::size_t i = 0; i < faults_.size(); ++i)
    if (faults_[i].active && faults_[i].fault.kind == kind && names(i, 0, n)) credit(i);
}

// ---------------------------------------------------------------------------------------------
// Telling.

Tree World::state(NodeId id) const {
  const NodeSlot& n = nodes_[id];
  Tree t = n.node->state();
  t.value = t.value.empty() ? std::move(t.name) : t.name + ", " + t.value;
  t.name = n.options.name;
  const char* process = !n.running ? "down" : n.pauses & pause_whole ? "paused" : n.pauses & pause_app ? "its application is paused" : n.stopping ? "stopping" : "runs";
  t.children.insert(t.children.begin(), Tree{"process", process, {}});
  name_apart(t);
  return t;
}

void World::tell_changes(NodeId id) {
  if (told_.size() < nodes_.size()) told_.resize(nodes_.size());
  if (journal.deliveries.empty()) {
    Event before_all;
    before_all.target = id;
    trace(before_all);
  }
  Tree now = state(id);
  compare_trees(told_[id] ? &*told_[id] : nullptr, now, [&](const TreePath& path, TreeChange change) {
    journal.changes.push_back({journal.deliveries.size() - 1, id, journal.state_paths.id(path_text(path)), std::move(change)});
  });
  told_[id] = std::move(now);
}

// ---------------------------------------------------------------------------------------------
// Context.

bool Context::writable(ConnId id) const {
  const Connection* c = world_.connection(id);
  if (!c) return false;
  return !c->way[c->end[0] == self_ ? 0 : 1].full;
}

bool Context::is_open(ConnId id) const {
  const Connection* c = world_.connection(id);
  if (!c) return false;
  return c->open[c->end[0] == self_ ? 0 : 1];
}

namespace {

Duration stretched(Duration d, Ratio by) {
  __extension__ using Wide = unsigned __int128;
  const Wide longer = static_cast<Wide>(d) * by.part / by.of;
  return longer > static_cast<Wide>(duration_cap) ? duration_cap : static_cast<Duration>(longer);
}

}  // namespace

void Context::work(Duration d) {
  if (d <= 0) return;
  if (const Ratio slow = world_.nodes_[self_].slow; slow.part != slow.of) {
    d = stretched(d, slow);
    world_.node_bit(self_, FaultKind::slow);
  }
  cost_ = std::min(saturating_add(cost_, d), duration_cap);
}

EventId Context::set_timer(Duration after, TimerKind kind, std::uint64_t argument) {
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::timer);
  e.target = self_;
  e.source = self_;
  e.type = kind;
  e.incarnation = world_.nodes_[self_].incarnation;
  e.body[0] = argument;
  return world_.add_event(saturating_add(world_.now(), std::max<Duration>(after, 0)), e);
}

bool Context::cancel_timer(EventId id) { return world_.cancel_timer(self_, id); }

// How long the disk is at it; a slow one has bitten.
Duration Context::disk_time(Duration d, const Disk& disk) {
  if (disk.slow.part == disk.slow.of || d <= 0) return std::max<Duration>(d, 0);
  world_.node_bit(self_, FaultKind::disk_slow);
  world_.node_bit(self_, FaultKind::disk_stall);
  return stretched(d, disk.slow);
}

DiskResult Context::write(FileId file, std::int64_t end, std::uint32_t bytes) {
  Disk& d = world_.nodes_[self_].disk;
  work(disk_time(saturating_add(d.options.write_latency, static_cast<Duration>(std::uint64_t{bytes} * d.options.nanoseconds_per_byte)), d));
  const DiskResult result = d.write(file, end, now());
  if (result == DiskResult::full) world_.node_bit(self_, FaultKind::disk_full);
  return result;
}

// The device's time, whatever the pace of the node.
Duration Context::sync_time(const Disk& d) {
  return disk_time(saturating_add(d.options.sync_latency, random().exponential(d.options.sync_latency_tail)), d);
}

DiskResult Context::sync(FileId file) {
  Disk& d = world_.nodes_[self_].disk;
  cost_ = std::min(saturating_add(cost_, sync_time(d)), duration_cap);
  return world_.sync_disk(self_, file, depart());
}

void Context::sync_later(FileId file) {
  Disk& d = world_.nodes_[self_].disk;
  const Duration takes = sync_time(d);
  const Time done = saturating_add(depart(), takes);
  const std::int64_t end = d.written(file);
  const DiskResult result = world_.sync_disk(self_, file, done);
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::disk);
  e.target = self_;
  e.source = self_;
  e.incarnation = world_.nodes_[self_].incarnation;
  e.body = {file, static_cast<std::uint64_t>(end), static_cast<std::uint64_t>(result)};
  world_.add_event(done, e);
}

DiskResult World::sync_disk(NodeId n, FileId file, Time done) {
  Disk& d = nodes_[n].disk;
  if (d.sync_fails) node_bit(n, FaultKind::sync_fails);
  else if (d.sync_lies && d.durable(file, done) < d.written(file)) node_bit(n, FaultKind::sync_lies);
  return d.sync(file, done, now());
}

OpIndex Context::record_for(Op op, NodeId process) {
  op.time = world_.now();
  op.process = process;
  world_.fingerprint_.mix(op.message ^ (static_cast<std::uint64_t>(op.kind) << 56) ^ (static_cast<std::uint64_t>(op.outcome) << 48),
                          static_cast<std::uint64_t>(op.position) ^ (std::uint64_t{op.place} << 32));
  std::vector<Op>& ops = world_.journal.ops;
  ops.push_back(op);
  if (world_.triggers_ & (1U << static_cast<unsigned>(Trigger::On::op))) {
    const std::string name = std::string(op_kind_name(op.kind)) + " " + outcome_name(op.outcome);
    const std::string place = world_.journal.names.text(op.place);
    world_.on_trigger(Trigger::On::op, name, process, nobody, place);
  }
  return ops.size() - 1;
}

void Context::exit(bool in_good_order) {
  World::NodeSlot& n = world_.nodes_[self_];
  if (!n.running) return;
  n.ending_in_good_order = in_good_order;
  if (world_.handling_ == self_) {
    if (n.ending == World::Ending::none) n.ending = World::Ending::exit;
  } else {
    world_.exit_process(self_, depart(), in_good_order);
  }
}

Trigger at(Time t) {
  Trigger trigger;
  trigger.after = t;
  return trigger;
}

Trigger when_mark(std::string name, Duration after) {
  Trigger trigger;
  trigger.on = Trigger::On::mark;
  trigger.name = std::move(name);
  trigger.after = after;
  return trigger;
}

}  // namespace mqlab
