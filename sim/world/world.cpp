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

World::World(const World& other) { copy_from(other); }

World& World::operator=(const World& other) {
  if (this != &other) copy_from(other);
  return *this;
}

void World::copy_from(const World& o) {
  journal = o.journal;
  extension = o.extension ? o.extension->clone() : nullptr;
  seed_ = o.seed_;
  options_ = o.options_;
  schedule_ = o.schedule_;
  fingerprint_ = o.fingerprint_;
  network_random_ = o.network_random_;
  fault_random_ = o.fault_random_;
  nodes_.clear();
  nodes_.reserve(o.nodes_.size());
  for (const NodeSlot& n : o.nodes_) {
    NodeSlot copy;
    copy.node = n.node->clone();
    copy.options = n.options;
    copy.running = n.running;
    copy.powered = n.powered;
    copy.stopping = n.stopping;
    copy.pauses = n.pauses;
    copy.incarnation = n.incarnation;
    copy.slow = n.slow;
    copy.died_at = n.died_at;
    copy.disk = n.disk;
    copy.clock = n.clock;
    copy.clock_since = n.clock_since;
    copy.clock_base = n.clock_base;
    copy.random = n.random;
    copy.free_at = n.free_at;
    copy.backlog = n.backlog;
    copy.wake_set = n.wake_set;
    copy.restart_after = n.restart_after;
    nodes_.push_back(std::move(copy));
  }
  link_options_ = o.link_options_;
  links_ = o.links_;
  links_more_ = o.links_more_;
  stride_ = o.stride_;
  region_links_ = o.region_links_;
  connections_ = o.connections_;
  free_connections_ = o.free_connections_;
  payloads_ = o.payloads_;
  free_payloads_ = o.free_payloads_;
  faults_ = o.faults_;
  rules_ = o.rules_;
  held_ = o.held_;
  mark_counts_ = o.mark_counts_;
  triggers_ = o.triggers_;
  resolver_ = o.resolver_;
  file_finder_ = o.file_finder_;
  current_ = o.current_;
  steps_ = o.steps_;
}

NodeId World::add_node(std::unique_ptr<Node> node, NodeOptions options) {
  const auto id = static_cast<NodeId>(nodes_.size());
  NodeSlot n;
  n.node = std::move(node);
  n.options = std::move(options);
  if (n.options.machine.empty()) n.options.machine = n.options.name;
  n.disk = Disk(n.options.disk);
  n.clock = n.options.clock;
  n.clock_base = options_.wall_epoch + n.clock.offset;
  n.random = Random(seed_, Stream::node, id);
  n.free_at.assign(std::max<std::uint32_t>(1, n.options.workers), 0);
  journal.processes.push_back(n.options.name);
  nodes_.push_back(std::move(n));

  std::vector<LinkOptions> old;
  old.swap(link_options_);
  const std::size_t count = nodes_.size();
  link_options_.resize(count * count);
  for (std::size_t from = 0; from < count; ++from)
    for (std::size_t to = 0; to < count; ++to) {
      LinkOptions& l = link_options_[from * count + to];
      if (from + 1 < count && to + 1 < count) {
        l = old[from * (count - 1) + to];
        continue;
      }
      const std::string& a = nodes_[from].options.region;
      const std::string& b = nodes_[to].options.region;
      l = a == b ? options_.link : options_.far_link;
      for (const RegionLink& r : region_links_)
        if (r.from == a && r.to == b) l = r.link;
    }
  rebuild_links();
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::start);
  e.target = id;
  add_event(now(), e);
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
  const NodeSlot& n = nodes_[id];
  const Time elapsed = now() - n.clock_since;
  // Split so that a century of drift does not overflow: whole seconds, then the rest.
  return n.clock_base + elapsed + elapsed / 1'000'000'000 * n.clock.drift_ppb + elapsed % 1'000'000'000 * n.clock.drift_ppb / 1'000'000'000;
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

EventId World::add_event(Time due, Event& e) {
  e.cause = current_;
  return e.id = schedule_.add(due, e);
}

// ---------------------------------------------------------------------------------------------
// Running.

bool World::step(Time until) {
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

void World::trace(const Event& e) {
  if (options_.trace == TraceLevel::full) journal.deliveries.push_back({e, now(), payloads_[e.payload]});
}

void World::dispatch(Event& e) {
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::datagram: {
      NodeSlot& n = nodes_[e.target];
      const auto traffic = static_cast<Traffic>(e.flags >> 1);
      if (is_cut(e.source, e.target, traffic)) {
        credit_cut(e.source, e.target, traffic);
        drop_payload(e.payload);
        return;
      }
      deliver_to_node(n, e);
      return;
    }
    case EventKind::data:
    case EventKind::open:
    case EventKind::opened:
    case EventKind::closed:
    case EventKind::reset:
      arrive(e);
      return;
    case EventKind::timer:
    case EventKind::disk: {
      NodeSlot& n = nodes_[e.target];
      if (e.incarnation == n.incarnation && n.running) deliver_to_node(n, e);
      return;
    }
    case EventKind::wake: {
      NodeSlot& n = nodes_[e.target];
      n.wake_set = false;
      wake(n);
      return;
    }
    case EventKind::fault:
      if (e.flags) lift(static_cast<std::size_t>(e.body[0]));
      else fire(static_cast<std::size_t>(e.body[0]));
      return;
    case EventKind::retry:
      retry(e);
      return;
    case EventKind::start:
      if (e.body[0] == 0 || !nodes_[e.target].running) start_process(e.target);
      return;
    case EventKind::none:
      return;
  }
}

// A message, timer or notice has come to its node: now, or after what waits there already.
void World::deliver_to_node(NodeSlot& n, const Event& e) {
  if (!n.running) {
    drop_payload(e.payload);
    return;
  }
  const bool application = e.kind == static_cast<std::uint8_t>(EventKind::timer) && e.type >= application_timer;
  if ((n.pauses & pause_whole) || (application && (n.pauses & pause_app))) {
    n.backlog.push_back(e);
    return;
  }
  const bool needs_worker = (n.options.service != 0 || n.options.service_ps_per_byte != 0) && e.kind <= 2;
  if (!needs_worker) {
    handle(n, e);
    return;
  }
  const auto worker = std::min_element(n.free_at.begin(), n.free_at.end());
  if (n.backlog.empty() && *worker <= now()) {
    handle(n, e);
    return;
  }
  n.backlog.push_back(e);
  if (!n.wake_set) {
    n.wake_set = true;
    Event w;
    w.kind = static_cast<std::uint8_t>(EventKind::wake);
    w.target = e.target;
    add_event(*worker, w);
  }
}

void World::wake(NodeSlot& n) {
  if (!n.running || (n.pauses & pause_whole)) return;
  std::deque<Event> waiting;
  waiting.swap(n.backlog);
  while (!waiting.empty()) {
    const Event e = waiting.front();
    waiting.pop_front();
    if (!n.running || (n.pauses & pause_whole)) {
      n.backlog.push_back(e);
      continue;
    }
    // What was due to a process that is gone died with it.
    if (e.kind != static_cast<std::uint8_t>(EventKind::data) && e.kind != static_cast<std::uint8_t>(EventKind::datagram) &&
        e.incarnation != n.incarnation)
      continue;
    deliver_to_node(n, e);
  }
}

void World::handle(NodeSlot& n, const Event& e) {
  Context c(*this, e.target);
  current_ = e.id;
  trace(e);
  switch (static_cast<EventKind>(e.kind)) {
    case EventKind::data:
    case EventKind::datagram: {
      if (n.options.service != 0 || n.options.service_ps_per_byte != 0)
        c.work(n.options.service + static_cast<Duration>(e.body[1] * n.options.service_ps_per_byte / 1'000));
      Message m{e.channel, e.source, e.type, static_cast<std::uint32_t>(e.body[1]), e.body[0], std::move(payloads_[e.payload])};
      drop_payload(e.payload);
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
    default:
      break;
  }
  if (c.cost() != 0) *std::min_element(n.free_at.begin(), n.free_at.end()) = now() + c.cost();
}

void World::start_process(NodeId id) {
  NodeSlot& n = nodes_[id];
  if (n.running) return;
  n.running = true;
  n.stopping = false;
  const bool was_off = !n.powered;
  n.powered = true;
  std::fill(n.free_at.begin(), n.free_at.end(), now());
  Context c(*this, id);
  if (n.incarnation > 1 || n.died_at >= 0) note(id, "restarted", {}, {});
  n.node->on_start(c);
  if (was_off) network_changed();
}

void World::kill(NodeId id, bool power, bool wipe) {
  NodeSlot& n = nodes_[id];
  if (power) n.powered = false;
  const bool had_process = n.running;
  if (had_process) {
    n.running = false;
    n.died_at = now();
  }
  ++n.incarnation;
  for (const Event& e : n.backlog) drop_payload(e.payload);
  n.backlog.clear();
  n.pauses = 0;
  end_connections(id, power);
  if (!had_process && !power && !wipe) return;
  Crash crash{power, wipe, {}};
  if (wipe) n.disk.wipe();
  else crash.files = power ? n.disk.power_loss(now()) : n.disk.process_loss();
  n.node->on_crash(crash);
}

void World::start(NodeId id) {
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::start);
  e.target = id;
  e.body[0] = 1;
  add_event(now(), e);
}

// ---------------------------------------------------------------------------------------------
// Context.

bool Context::is_open(ConnId id) const {
  const Connection* c = world_.connection(id);
  if (!c) return false;
  return c->open[c->end[0] == self_ ? 0 : 1];
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

bool Context::cancel_timer(EventId id) { return world_.schedule_.cancel(id); }

DiskResult Context::write(FileId file, std::int64_t end, std::uint32_t bytes) {
  Disk& d = world_.nodes_[self_].disk;
  work((d.options.write_latency + static_cast<Duration>(bytes) * d.options.nanoseconds_per_byte) * d.slow);
  return d.write(file, end, now());
}

DiskResult Context::sync(FileId file) {
  Disk& d = world_.nodes_[self_].disk;
  work((d.options.sync_latency + random().exponential(d.options.sync_latency_tail)) * d.slow);
  return d.sync(file, depart());
}

void Context::sync_later(FileId file) {
  Disk& d = world_.nodes_[self_].disk;
  const Time done = depart() + (d.options.sync_latency + random().exponential(d.options.sync_latency_tail)) * d.slow;
  const std::int64_t end = d.written(file);
  const DiskResult result = d.sync(file, done);
  Event e;
  e.kind = static_cast<std::uint8_t>(EventKind::disk);
  e.target = self_;
  e.source = self_;
  e.incarnation = world_.nodes_[self_].incarnation;
  e.body = {file, static_cast<std::uint64_t>(end), static_cast<std::uint64_t>(result)};
  world_.add_event(done, e);
}

OpIndex Context::record(Op op) {
  op.time = world_.now();
  op.process = self_;
  world_.fingerprint_.mix(op.message ^ (static_cast<std::uint64_t>(op.kind) << 56) ^ (static_cast<std::uint64_t>(op.outcome) << 48),
                          static_cast<std::uint64_t>(op.position) ^ (std::uint64_t{op.place} << 32));
  std::vector<Op>& ops = world_.journal.ops;
  ops.push_back(op);
  if (world_.triggers_ & (1U << static_cast<unsigned>(Trigger::On::op))) {
    const std::string name = std::string(op_kind_name(op.kind)) + " " + outcome_name(op.outcome);
    const std::string place = world_.journal.names.text(op.place);
    world_.on_trigger(Trigger::On::op, name, self_, nobody, place);
  }
  return ops.size() - 1;
}

void Context::exit() {
  World::NodeSlot& n = world_.nodes_[self_];
  if (!n.running) return;
  const Duration again = n.restart_after;
  n.restart_after = 0;
  world_.note(self_, "stopped", {}, "in good order");
  world_.kill(self_, false);
  if (again > 0) {
    Event e;
    e.kind = static_cast<std::uint8_t>(EventKind::start);
    e.target = self_;
    e.body[0] = 1;
    world_.add_event(world_.now() + again, e);
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
