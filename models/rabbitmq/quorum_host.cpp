// Replicas of quorum queues in the world.
#include "models/rabbitmq/quorum_host.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/raft/describe.h"

namespace mqlab::rabbitmq {
namespace {

using raft::Offset;

constexpr std::uint64_t hello_wants_answer = 1;

struct Snapshot : Payload {
  explicit Snapshot(QuorumQueue q) : queue(std::move(q)) {}
  QuorumQueue queue;
};

std::uint64_t pack(FileId file, raft::TimerKey k) {
  return std::uint64_t{file} << 40 | static_cast<std::uint64_t>(k.timer) << 32 | static_cast<std::uint32_t>(k.peer);
}

std::uint32_t wire_size(raft::Kind kind, const PayloadRef& p) {
  if (kind == raft::Kind::install_snapshot) return 4096;
  if (kind != raft::Kind::append_entries) return 100;
  std::uint32_t bytes = 100;
  for (const raft::Entry& e : raft::message_as<raft::AppendEntries>(p).entries) {
    bytes += 64;
    if (!e.command) continue;
    if (const auto* enqueue = std::get_if<Enqueue>(&payload_as<QuorumEntry>(e.command).command)) bytes += enqueue->content->size;
  }
  return bytes;
}

template <raft::Kind K>
std::string describe_traffic(const Payload& p) {
  const auto& t = static_cast<const QuorumTraffic&>(p);
  const std::string text = raft::describe(K, t.message);
  const std::size_t blank = text.find(' ');  // its first word is the kind, which the trace has already
  return t.queue + (blank == std::string::npos ? std::string() : text.substr(blank));
}

template <raft::Kind K>
MessageDecl declaration(const char* name) {
  return {static_cast<MessageKind>(quorum_kind + static_cast<MessageKind>(K)), name, Traffic::replication, &describe_traffic<K>};
}

}  // namespace

const std::vector<MessageDecl>& quorum_message_declarations() {
  using raft::Kind;
  static const std::vector<MessageDecl> all{
      declaration<Kind::vote>("RequestVote"),           declaration<Kind::vote_reply>("RequestVoteReply"),
      declaration<Kind::end_epoch>("EndEpoch"),         declaration<Kind::append_entries>("AppendEntries"),
      declaration<Kind::append_reply>("AppendReply"),   declaration<Kind::install_snapshot>("InstallSnapshot"),
      {quorum_hello_kind, "QuorumHello", Traffic::replication, [](const Payload&) { return std::string(); }},
      {quorum_request_kind, "QuorumRequest", Traffic::replication, [](const Payload& p) {
         const auto& r = static_cast<const QuorumRequest&>(p);
         return fmt::format("{} {} {}", r.queue, r.number, describe(r.command));
       }},
      {quorum_answer_kind, "QuorumAnswer", Traffic::replication, [](const Payload& p) {
         const auto& r = static_cast<const QuorumResponse&>(p);
         return fmt::format("{} {}", r.queue, r.number);
       }},
      {quorum_redirect_kind, "QuorumRedirect", Traffic::replication, [](const Payload& p) { return static_cast<const QuorumResponse&>(p).queue; }},
      {quorum_effect_kind, "QuorumEffect", Traffic::replication, [](const Payload& p) {
         const auto& e = static_cast<const QuorumEffectMessage&>(p);
         return fmt::format("{} {}", e.queue, describe(e.effect));
       }},
  };
  return all;
}

// --- life ---

void QuorumHost::start(Context& c, ChannelId first_channel) {
  first_channel_ = first_channel;
  lives_ = {{c.self(), first_channel}};
  std::vector<std::string> queues;
  for (const auto& [queue, r] : replicas_) queues.push_back(queue);
  for (const std::string& queue : queues) start_replica(c, queue, replicas_.at(queue));
}

void QuorumHost::create(Context& c, const std::string& queue, QuorumPlan plan) {
  Route& route = routes_[queue];
  route.members = plan.members;
  route.file = plan.file;
  route.resends = plan.rules.resends_after_cut;
  files_[plan.file] = queue;
  if (std::find(plan.members.begin(), plan.members.end(), c.self()) == plan.members.end()) return;
  Replica& r = replicas_[queue];
  r.plan = std::move(plan);
  start_replica(c, queue, r);
}

void QuorumHost::start_replica(Context& c, const std::string& queue, Replica& r) {
  raft::Config config;
  config.self = static_cast<raft::ReplicaId>(c.self());
  for (const NodeId n : r.plan.members) config.voters.push_back(static_cast<raft::ReplicaId>(n));
  config.replication = raft::Replication::push;
  config.election_timeout = times_.election_timeout;
  config.election_backoff_max = times_.suspicion;
  config.heartbeat = times_.heartbeat;
  config.parallel_write = true;
  config.check_quorum = false;  // Ra: a leader without a majority commits nothing, and stays
  raft::Outbox out;
  r.raft = raft::start(config, r.durable, c.random(), out);
  r.applied = r.raft.log().start();
  r.machine.emplace(queue, r.plan.options, r.plan.rules, r.plan.created);
  if (const PayloadRef& state = r.raft.log().snapshot.state) r.machine = payload_as<Snapshot>(state).queue;
  const bool stands = r.fresh && r.plan.first_leader == c.self() && !r.raft.is_leader();
  r.fresh = false;
  step(c, queue, r, out);
  if (!stands) return;
  raft::Outbox more;  // ra:trigger_election on the node where the queue was declared
  raft::on_timer(r.raft, {raft::Timer::election, 0}, c.random(), more);
  step(c, queue, r, more);
}

void QuorumHost::erase(Context& c, const std::string& queue) {
  const auto route = routes_.find(queue);
  if (route == routes_.end()) return;
  if (route->second.timer != no_event) c.cancel_timer(route->second.timer);
  c.remove(route->second.file);
  files_.erase(route->second.file);
  routes_.erase(route);
  const auto it = replicas_.find(queue);
  if (it == replicas_.end()) return;
  for (const auto& [key, timer] : it->second.timers) c.cancel_timer(timer);
  if (it->second.due_timer != no_event) c.cancel_timer(it->second.due_timer);
  replicas_.erase(it);
}

void QuorumHost::on_crash(const Crash& crash) {
  for (auto& [queue, r] : replicas_) {
    if (crash.wipe) {
      r.durable = {};
      r.told = 0;
    } else {
      if (r.machine) r.durable = r.raft.durable;  // else it was not up: a machine without a process lost its power
      for (const Survivor& s : crash.files)
        if (s.file == r.plan.file && s.kept < r.durable.log.end()) r.durable.log.truncate_to(std::max<Offset>(s.kept, r.durable.log.start()));
    }
    Replica fresh;
    fresh.plan = std::move(r.plan);
    fresh.durable = std::move(r.durable);
    fresh.told = r.told;
    fresh.fresh = false;
    r = std::move(fresh);
  }
  for (auto& [queue, route] : routes_) {
    Route kept;
    kept.members = std::move(route.members);
    kept.file = route.file;
    route = std::move(kept);
  }
  lives_.clear();
  connections_.clear();
  links_.clear();
  down_.clear();
  news_.clear();
  stale_syncs_.clear();
}

void QuorumHost::stop(Context& c) {
  for (auto& [queue, r] : replicas_) {
    for (const auto& [key, timer] : r.timers) c.cancel_timer(timer);
    if (r.due_timer != no_event) c.cancel_timer(r.due_timer);
  }
  for (auto& [queue, route] : routes_)
    if (route.timer != no_event) c.cancel_timer(route.timer);
  for (const ConnId link : links_) c.close(link);
  std::map<FileId, int> stale = std::move(stale_syncs_);
  for (auto& [queue, r] : replicas_) {
    if (r.syncing) ++stale[r.plan.file];
    if (r.syncing || r.unsynced) c.sync(r.plan.file);
  }
  on_crash({});
  stale_syncs_ = std::move(stale);
}

void QuorumHost::resign(Context& c) {
  for (auto& [queue, r] : replicas_) {
    raft::Outbox out;
    raft::resign(r.raft, c.random(), out);
    step(c, queue, r, out);
    if (r.syncing || r.unsynced) c.sync(r.plan.file);
    release(c, r, r.held.size());
  }
}

// --- commands ---

// False: this node does not lead.
bool QuorumHost::propose(Context& c, const std::string& queue, Replica& r, QuorumCommand command, QuorumAsker asked) {
  // Asked again while it is in the log and not yet committed: it is enough to have it once.
  if (asked.node != nobody && std::any_of(r.asked.begin(), r.asked.end(), [&](const auto& a) { return a.second == asked; })) return true;
  raft::Outbox out;
  const auto offset = raft::propose(r.raft, std::make_shared<const QuorumEntry>(c.wall(), std::move(command)), out);
  if (!offset) return false;
  if (asked.node != nobody) r.asked[*offset] = asked;
  step(c, queue, r, out);
  return true;
}

// --- events ---

bool QuorumHost::on_message(Context& c, const Message& m) {
  if (m.kind < quorum_kind || m.kind > quorum_effect_kind) return false;
  links_.insert(m.connection);
  ConnId& known = connections_.try_emplace(m.from, m.connection).first->second;
  if (!c.is_open(known)) known = m.connection;
  if (m.kind == quorum_hello_kind) {
    if (m.word == hello_wants_answer) c.send(m.connection, quorum_hello_kind, std::make_shared<const QuorumHello>(first_channel_), 32);
    ChannelId& life = lives_[m.from];  // an earlier process's word may come after a later one's
    life = std::max(life, payload_as<QuorumHello>(m.payload).first);
    node_is_back(c, m.from);
    for (auto& [queue, r] : replicas_) end_old_lives(c, queue, r, m.from);
    return true;
  }
  if (down_.count(m.from) != 0) node_is_back(c, m.from);
  if (m.kind > quorum_hello_kind) return on_cluster_message(c, m);
  const auto& traffic = payload_as<QuorumTraffic>(m.payload);
  const auto it = replicas_.find(traffic.queue);
  if (it == replicas_.end()) return true;  // deleted here
  raft::Outbox out;
  raft::on_message(it->second.raft, static_cast<raft::ReplicaId>(m.from), static_cast<raft::Kind>(m.kind - quorum_kind), traffic.message, c.random(), out);
  step(c, it->first, it->second, out);
  return true;
}

bool QuorumHost::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (kind != timer_quorum && kind != timer_quorum_due && kind != timer_quorum_retry) return false;
  const FileId file = static_cast<FileId>(kind == timer_quorum ? argument >> 40 : argument);
  const auto named = files_.find(file);
  if (named == files_.end()) return true;
  const std::string queue = named->second;
  if (kind == timer_quorum_retry) {
    on_route_timer(c, queue, routes_.at(queue));
    return true;
  }
  Replica& r = replicas_.at(queue);
  if (kind == timer_quorum_due) {
    r.due_timer = no_event;
    r.due = time_max;
    if (r.raft.is_leader() && r.machine->next_due() <= c.wall()) {
      r.tick_under_way = true;
      propose(c, queue, r, Tick{});
    } else {
      set_due(c, r);
    }
    return true;
  }
  r.timers.erase(argument);
  raft::Outbox out;
  const raft::TimerKey key{static_cast<raft::Timer>(argument >> 32 & 0xff), static_cast<raft::ReplicaId>(argument & 0xffffffff)};
  raft::on_timer(r.raft, key, c.random(), out);
  step(c, queue, r, out);
  return true;
}

// A broken connection is Erlang's nodedown: followers act on it sooner than on silence, and a leader learns that the
// channels over there are not reachable.
bool QuorumHost::on_closed(Context& c, ConnId connection, NodeId peer) {
  if (links_.erase(connection) == 0) return false;
  peer_lost(c, peer);  // whatever went over it may be lost, in either direction
  const auto it = connections_.find(peer);
  if (it == connections_.end() || it->second != connection) return true;
  connections_.erase(it);
  const bool news = down_.insert(peer).second;
  for (auto& [queue, r] : replicas_) {
    raft::Outbox out;
    raft::on_disconnect(r.raft, static_cast<raft::ReplicaId>(peer), out);
    raft::Outbox suspect;
    raft::on_suspect(r.raft, static_cast<raft::ReplicaId>(peer), c.random(), suspect);
    for (raft::TimerChange& t : suspect.timers)
      if (t.delay) out.timers.push_back({t.key, *t.delay % times_.suspicion});
    step(c, queue, r, out);
    if (news && r.raft.is_leader()) propose(c, queue, r, NodeDown{peer});
  }
  return true;
}

void QuorumHost::node_is_back(Context& c, NodeId node) {
  if (down_.erase(node) == 0) return;
  for (auto& [queue, r] : replicas_)
    if (r.raft.is_leader()) propose(c, queue, r, NodeUp{node});
}

// Channels of an earlier life of that node are no more: what they hold goes back.
void QuorumHost::end_old_lives(Context& c, const std::string& queue, Replica& r, NodeId node) {
  const auto life = lives_.find(node);
  if (!r.raft.is_leader() || life == lives_.end()) return;
  std::set<ChannelId> dead;
  const auto look = [&](ChannelId channel) {
    if (node_of(channel) == node && channel < life->second) dead.insert(channel);
  };
  for (const auto& [key, consumer] : r.machine->consumers()) look(key.channel);
  for (const QuorumQueue::Consumer& w : r.machine->waiting()) look(w.spec.key.channel);
  for (const auto& [channel, enqueuer] : r.machine->enqueuers()) look(channel);
  for (const ChannelId channel : dead) propose(c, queue, r, ChannelDown{channel});
}

// --- what raft asks for ---

void QuorumHost::step(Context& c, const std::string& queue, Replica& r, raft::Outbox& out) {
  const bool led = std::any_of(out.role_changes.begin(), out.role_changes.end(), [](const raft::RoleChange& x) { return x.before == raft::Role::leader; });
  if (led) {
    r.asked.clear();  // whoever waits sends again
    r.tick_under_way = false;
  }
  carry_out(c, queue, r, out);
  set_leader(c, queue, r.raft.leader ? static_cast<NodeId>(*r.raft.leader) : nobody);
  spread_commit(c, queue, r);
  apply(c, queue, r);
  compact(c, queue, r);
  set_due(c, r);
}

void QuorumHost::carry_out(Context& c, const std::string& queue, Replica& r, raft::Outbox& out) {
  Disk& disk = c.world().disk(c.self());
  const FileId file = r.plan.file;
  const Offset end = r.raft.log().end();
  if (end < disk.written(file)) c.truncate(file, end);
  if (end > disk.written(file)) c.write(file, end);
  r.unsynced = r.unsynced || out.sync_needed();
  for (const raft::TimerChange& t : out.timers) {
    const std::uint64_t key = pack(file, t.key);
    if (const auto it = r.timers.find(key); it != r.timers.end()) {
      c.cancel_timer(it->second);
      r.timers.erase(it);
    }
    if (t.delay) r.timers[key] = c.set_timer(*t.delay, timer_quorum, key);
  }
  for (const raft::Send& s : out.sends) {
    Replica::Held what{static_cast<NodeId>(s.to), static_cast<MessageKind>(quorum_kind + static_cast<MessageKind>(s.kind)),
                       std::make_shared<const QuorumTraffic>(queue, s.payload), wire_size(s.kind, s.payload)};
    const bool early = s.kind == raft::Kind::append_entries || s.kind == raft::Kind::install_snapshot;
    if (!early && (r.unsynced || r.syncing)) r.held.push_back(std::move(what));
    else say(c, std::move(what));
  }
  sync_if_needed(c, r);
}

void QuorumHost::say(Context& c, Replica::Held what) { c.send(connection_to(c, what.to), what.kind, std::move(what.payload), what.bytes); }

void QuorumHost::release(Context& c, Replica& r, std::size_t many) {
  for (; many > 0 && !r.held.empty(); --many) {
    Replica::Held what = std::move(r.held.front());
    r.held.pop_front();
    say(c, std::move(what));
  }
}

// ra_log_wal: while the disk is busy with one batch the next one gathers.
void QuorumHost::sync_if_needed(Context& c, Replica& r) {
  if (!r.unsynced || r.syncing) return;
  r.unsynced = false;
  r.syncing = true;
  r.covered = r.held.size();
  raft::write_begins(r.raft);
  c.sync_later(r.plan.file);
}

bool QuorumHost::on_disk(Context& c, FileId file, std::int64_t, DiskResult result) {
  const auto named = files_.find(file);
  const auto it = named == files_.end() ? replicas_.end() : replicas_.find(named->second);
  if (it == replicas_.end()) return false;
  if (const auto stale = stale_syncs_.find(file); stale != stale_syncs_.end()) {
    if (--stale->second == 0) stale_syncs_.erase(stale);
    return true;
  }
  const std::string queue = it->first;
  Replica& r = it->second;
  r.syncing = false;
  if (result != DiskResult::ok) {
    r.unsynced = true;  // what is not safe is not said; the next event tries again
    return true;
  }
  release(c, r, std::exchange(r.covered, 0));
  if (!r.unsynced) release(c, r, r.held.size());
  raft::Outbox out;
  raft::write_ended(r.raft, out);
  step(c, queue, r, out);
  return true;
}

ConnId QuorumHost::connection_to(Context& c, NodeId node) {
  const auto it = connections_.find(node);
  if (it != connections_.end() && c.is_open(it->second)) return it->second;
  const ConnId connection = c.connect(node, Traffic::replication);
  connections_[node] = connection;
  links_.insert(connection);
  c.send(connection, quorum_hello_kind, std::make_shared<const QuorumHello>(first_channel_), 32, hello_wants_answer);
  return connection;
}

// ra_server: followers hear at once of what is committed (commit_index_sent), or else deliveries beside them would wait.
void QuorumHost::spread_commit(Context& c, const std::string& queue, Replica& r) {
  const Offset commit = r.raft.commit_offset();
  if (!r.raft.is_leader() || r.plan.members.size() == 1 || commit <= r.commit_spread) return;
  r.commit_spread = commit;
  raft::Outbox out;
  raft::on_timer(r.raft, {raft::Timer::heartbeat, 0}, c.random(), out);
  carry_out(c, queue, r, out);
}

// --- the machine ---

void QuorumHost::apply(Context& c, const std::string& queue, Replica& r) {
  const raft::Log& log = r.raft.log();
  if (r.applied < log.start()) {  // the leader's snapshot came instead of entries
    const QuorumQueue before = std::move(*r.machine);
    r.machine = payload_as<Snapshot>(log.snapshot.state).queue;
    r.applied = log.start();
    r.told = std::max(r.told, r.applied);
    // rabbit_fifo:snapshot_installed sends all that is out; the channel drops what it has had.
    std::set<ChannelId> here;
    for (const auto& [key, consumer] : r.machine->consumers())
      if (node_of(key.channel) == c.self()) here.insert(key.channel);
    QueueEffects all;
    for (const ChannelId channel : here) r.machine->resend(channel, all);
    std::erase_if(all, [&](const QueueEffect& e) {
      const auto& d = std::get<Deliver>(e);
      const auto was = before.consumers().find(d.consumer);
      return was != before.consumers().end() && d.id < was->second.next_id;
    });
    tell(c, queue, r, std::move(all));
  }
  while (r.applied < r.raft.commit_offset()) {
    const Offset at = r.applied;
    const raft::Entry& e = r.raft.log().at(at);
    const bool own_opening = e.control && r.raft.is_leader() && at == r.raft.epoch_start;
    ChannelId came_late = no_channel;
    if (!e.control && e.command) {
      const auto& entry = payload_as<QuorumEntry>(e.command);
      if (std::holds_alternative<Tick>(entry.command)) r.tick_under_way = false;
      if (const auto* checkout = std::get_if<Checkout>(&entry.command); checkout && r.raft.is_leader()) {
        const ChannelId channel = checkout->consumer.key.channel;
        if (const auto life = lives_.find(node_of(channel)); life != lives_.end() && channel < life->second) came_late = channel;
      }
      QueueEffects out;
      const QuorumReply reply = r.machine->apply({.index = static_cast<std::uint64_t>(at) + 1, .now = entry.now}, entry.command, out);
      if (at >= r.told) tell(c, queue, r, std::move(out));
      if (const auto asked = r.asked.find(at); asked != r.asked.end()) {
        const QuorumAsker who = asked->second;
        r.asked.erase(asked);
        answer(c, queue, who, reply);
      }
    }
    ++r.applied;
    // A consumer of a life that had ended when its command was committed.
    if (came_late != no_channel) propose(c, queue, r, ChannelDown{came_late});
    if (own_opening) became_leader(c, queue, r);  // may append, and so commit, where one member is a majority
  }
  // How far this is noted down trails behind, so that after a restart some effects are told a second time.
  if (c.now() - r.told_at >= times_.last_applied_every) {
    r.told = std::max(r.told, r.applied);
    r.told_at = c.now();
  }
}

// rabbit_fifo:state_enter(leader): whoever it has to do with is watched from now on; who is gone is found to be so.
void QuorumHost::became_leader(Context& c, const std::string& queue, Replica& r) {
  std::vector<NodeId> told;
  for (const auto& [node, life] : lives_) told.push_back(node);
  for (const NodeId node : told) end_old_lives(c, queue, r, node);
  // ra_monitors:emit_current_node_state: an earlier leader may have seen a node go that this one has not lost.
  std::set<NodeId> suspected;
  for (const auto& [key, consumer] : r.machine->consumers())
    if (consumer.suspected()) suspected.insert(node_of(key.channel));
  for (const QuorumQueue::Consumer& w : r.machine->waiting())
    if (w.suspected()) suspected.insert(node_of(w.spec.key.channel));
  const std::set<NodeId> down = down_;
  for (const NodeId node : down) propose(c, queue, r, NodeDown{node});
  for (const NodeId node : suspected) {
    if (down.count(node) != 0) continue;
    if (lives_.count(node) != 0) {
      propose(c, queue, r, NodeUp{node});
    } else {
      down_.insert(node);  // until it answers
      connection_to(c, node);
    }
  }
}

void QuorumHost::compact(Context& c, const std::string& queue, Replica& r) {
  if (r.applied - r.raft.log().start() < times_.snapshot_every) return;
  raft::Outbox out;
  raft::compact(r.raft, r.applied, std::make_shared<const Snapshot>(*r.machine), out);
  r.told = std::max(r.told, r.applied);
  carry_out(c, queue, r, out);
}

void QuorumHost::set_due(Context& c, Replica& r) {
  const Time due = r.raft.is_leader() && !r.tick_under_way ? r.machine->next_due() : time_max;
  if (due == r.due) return;
  if (r.due_timer != no_event) c.cancel_timer(r.due_timer);
  r.due = due;
  r.due_timer = due == time_max ? no_event : c.set_timer(std::max<Duration>(0, due - c.wall()), timer_quorum_due, r.plan.file);
}

// --- looking ---

bool QuorumHost::leads(const std::string& queue) const {
  const auto it = replicas_.find(queue);
  return it != replicas_.end() && it->second.raft.is_leader();
}

NodeId QuorumHost::leader(const std::string& queue) const {
  const auto it = routes_.find(queue);
  return it == routes_.end() ? nobody : it->second.leader;
}

const QuorumQueue* QuorumHost::machine(const std::string& queue) const {
  const auto it = replicas_.find(queue);
  return it != replicas_.end() && it->second.machine ? &*it->second.machine : nullptr;
}

const raft::Raft* QuorumHost::raft(const std::string& queue) const {
  const auto it = replicas_.find(queue);
  return it == replicas_.end() ? nullptr : &it->second.raft;
}

bool QuorumHost::settled(const std::string& queue) const {
  const auto route = routes_.find(queue);
  if (route == routes_.end()) return false;
  // What is never sent again is pending for ever, and nothing more comes of it.
  if (!route->second.pending.empty() && route->second.resends) return false;
  const auto it = replicas_.find(queue);
  return it == replicas_.end() || (it->second.raft.leader && it->second.applied == it->second.raft.log().end());
}

Tree QuorumHost::state(const std::string& name) const {
  Tree t{name};
  for (const auto& [queue, r] : replicas_) {
    Tree& q = t.add(queue, std::string(raft::name(r.raft.role)));
    q.add("term", fmt::format("{}", r.raft.epoch()));
    q.add("log end", fmt::format("{}", r.raft.log().end()));
    q.add("committed", fmt::format("{}", r.raft.commit_offset()));
    if (r.machine) q.children.push_back(r.machine->state("queue"));
  }
  return t;
}

}  // namespace mqlab::rabbitmq
