// A node's life: what it is born with, what it does with each event, what it loses.
#include "models/rabbitmq/broker.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/model_parts.h"

namespace mqlab::rabbitmq {

Broker::Broker(ClusterRef cluster, std::size_t index) : cluster_(std::move(cluster)), index_(index) {}

// Definitions: what the topics need is there before anybody connects.
void Broker::define_topics(Context& c) {
  durable_.defined = true;
  durable_.routing = routing_of(*cluster_);
  for (const QueuePlan& q : cluster_->queues)
    if (durable_.routing.has_queue(q.spec.name)) add_queue(c, {q.spec, q.broker, cluster_->created, {}}, no_connection);
}

void Broker::on_start(Context& c) {
  const bool first = !durable_.defined;
  started_at_ = c.now();
  if (mnesia()) {
    peers_.assign(cluster_->brokers.size(), Peer{});
    // Nodes are not started in one instant, and so do not tick in one either.
    c.set_timer(cluster_->settings.net_ticktime / 4 * static_cast<Duration>(index_ + 1) / static_cast<Duration>(cluster_->brokers.size()), timer_tick);
    if (cluster_->settings.consumer_timeout > 0) c.set_timer(cluster_->settings.timeout_check, timer_timeouts);
    start_app(c, first && c.now() == 0);
    return work(c);
  }
  host_.start(c, channel_id(c.self(), durable_.channels + 1));
  join_cluster(c);
  if (first) {
    define_topics(c);
  } else {
    start_queues(c);
  }
  const bool unclean = !first && !std::exchange(durable_.ended_well, false);
  if (cluster_->settings.consumer_timeout > 0) c.set_timer(cluster_->settings.timeout_check, timer_timeouts);
  c.mark("broker_up", {}, first ? "" : unclean ? "after an unclean end" : "after a clean stop");
  work(c);
}

// Those that live here and have no mirrors; of mirrored queues it must be asked first who leads them.
void Broker::start_queues(Context& c) {
  std::vector<std::string> names;
  for (const auto& [name, record] : durable_.queues)
    if (record.copies.term == 0) names.push_back(name);
  for (const std::string& name : names) {
    start_queue(c, name, durable_.ended_well);
    durable_.at_rest.erase(name);
  }
}

// A queue's process begins, with what its file still holds. Quorum queues are the host's.
void Broker::start_queue(Context& c, const std::string& name, bool clean) {
  QueueRecord& r = durable_.queues.at(name);
  QueueOptions options = queue_options(r.spec, cluster_->settings.rules);
  if (r.broker != index_ || options.type == QueueType::quorum) return;
  options.mirrored = r.copies.term > 0;
  if (options.mirrored) begin_copies(c, name, r);
  QueueEffects out;
  if (options.type == QueueType::stream) {
    QueueProcess p{StreamQueue(name, options)};
    auto& s = std::get<StreamQueue>(p.machine);
    for (const StreamChunk& chunk : r.chunks) s.append_copy(chunk);
    s.commit(s.next(), out);
    processes_.insert_or_assign(name, std::move(p));
  } else {
    ClassicQueue q(name, options, c.wall());
    const std::size_t held = r.store.size();
    if (clean && durable_.at_rest.count(name)) q = ClassicQueue::recover(durable_.at_rest.at(name), r.store, true, c.wall(), out);
    else if (held > 0) q = ClassicQueue::recover(q, r.store, false, c.wall(), out);
    QueueProcess p{std::move(q)};
    p.store_base = held;
    processes_.insert_or_assign(name, std::move(p));
  }
  carry_out(c, name, out);
  set_queue_timer(c, name);
}

void Broker::on_message(Context& c, const Message& m) {
  if (stopping_) return;
  const bool stands = app_ == App::paused || app_ == App::heals;
  if (const auto peer = broker_index(m.from)) {
    if (stands && m.kind >= quorum_kind) return c.close(m.connection);
    if (!host_.on_message(c, m)) on_cluster(c, *peer, m);
    return work(c);
  }
  if (app_ != App::runs) return c.close(m.connection);  // nobody listens
  Connection& conn = connections_[m.connection];
  if (conn.id == no_connection) {
    conn.id = m.connection;
    conn.peer = m.from;
  }
  conn.last_received = c.now();
  if (conn.stopped()) return keep_unread(c, conn, m);
  reader_passed_on(c, conn, m);
  work(c);
}

// Queues and channels say what they have to say, in turn, until all is said.
void Broker::work(Context& c) {
  for (;;) {
    const std::vector<QuorumNews> news = host_.take();
    for (const QuorumNews& n : news) on_news(c, n);
    if (!slowed_.empty()) look_at_slow_queues();
    if (news.empty() && ops_.empty() && events_.empty() && to_read_.empty()) break;
    if (!ops_.empty()) {
      QueueOp op = std::move(ops_.front());
      ops_.pop_front();
      on_op(c, std::move(op));
    } else if (!events_.empty()) {
      const QueueEvent e = std::move(events_.front());
      events_.pop_front();
      on_event(c, e);
    } else if (!to_read_.empty()) {
      const ConnId id = to_read_.back();
      to_read_.pop_back();
      read_again(c, id);
    }
  }
  std::vector<ChannelId> speak;
  speak.swap(to_confirm_);
  for (const ChannelId id : speak)
    if (Channel* ch = channel_of(id)) tell_confirms(c, *ch);
  look_at_memory(c);
  if (!ops_.empty() || !events_.empty() || !to_read_.empty()) work(c);  // an alarm is over, and there was more to read
}

void Broker::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (stopping_) return;
  if (host_.on_timer(c, kind, argument)) return work(c);
  if (kind == timer_queue) on_queue_timer(c, static_cast<FileId>(argument));
  else if (kind == timer_heartbeat) beat(c, static_cast<ConnId>(argument));
  else if (kind == timer_timeouts) look_for_timeouts(c);
  else if (kind == timer_dlx) on_dlx_timer(c, argument);
  else if (kind == timer_tick) mnesia() ? tick_members(c) : tick(c);
  else if (kind == timer_free) on_queue_free(c, static_cast<FileId>(argument));
  else if (kind == timer_paused) on_pause_timer(c);
  else if (kind == timer_disk) look_at_disk(c);
  else if (kind == timer_greet && mnesia()) {
    if (peers_[argument].connection == no_connection || !c.is_open(peers_[argument].connection)) say_hello(c, argument, true);
  } else if (kind == timer_greet && (peers_[argument].connection == no_connection || !c.is_open(peers_[argument].connection))) greet(c, argument, false);
  work(c);
}

void Broker::on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) {
  if (stopping_) return;
  if (!host_.on_closed(c, connection, peer) && !cluster_closed(c, connection, peer, reason)) drop_connection(c, connection);
  work(c);
}

void Broker::on_disk(Context& c, FileId file, std::int64_t end, DiskResult result) {
  if (host_.on_disk(c, file, end, result)) return work(c);
  const std::string* name = queue_of_file(file);
  if (!name) return;
  const std::string queue = *name;
  const auto it = processes_.find(queue);
  if (it == processes_.end()) return;
  QueueProcess& p = it->second;
  p.sync_asked = false;
  if (result != DiskResult::ok) return;  // nobody is told: what is not safe is not confirmed
  QueueRecord& r = durable_.queues.at(queue);
  if (auto* q = std::get_if<ClassicQueue>(&p.machine)) {
    QueueEffects out;
    if (static_cast<std::size_t>(end) > p.store_base) q->written(static_cast<std::size_t>(end) - p.store_base, out);
    carry_out(c, queue, out);
    if (static_cast<std::size_t>(end) < r.store.size()) store_written(c, queue);
  }
  work(c);
}

void Broker::close_clients(Context& c) {
  std::vector<ConnId> open;
  for (const auto& [id, conn] : connections_) open.push_back(id);
  for (const ConnId id : open) {
    Connection& conn = connections_.at(id);
    if (conn.phase == ConnectionPhase::running)
      c.send(id, kind(Kind::connection_close), framed(Close{320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", ""}), 64, 0);
    drop_connection(c, id);
    c.close(id);
  }
}

// What a clean end knows beyond the files: which messages were delivered.
void Broker::write_recovery_terms() {
  for (const auto& [name, p] : processes_)
    if (const auto* q = std::get_if<ClassicQueue>(&p.machine); q && durable_.queues.at(name).spec.durable) durable_.at_rest.insert_or_assign(name, *q);
}

// In good order: clients are told, queues write down what they know of their messages, then it ends.
void Broker::on_stop(Context& c) {
  close_clients(c);
  work(c);
  if (app_ == App::runs) release_mirrors(c);
  host_.resign(c);
  stopping_ = true;
  write_recovery_terms();
  for (const auto& [name, p] : processes_)
    if (const QueueRecord& r = durable_.queues.at(name); r.spec.durable) c.sync(r.file);
  durable_.ended_well = true;
  c.exit();
}

void Broker::on_crash(const Crash& crash) {
  connections_.clear();
  channels_.clear();
  processes_.clear();
  dlx_workers_.clear();
  tickets_.clear();
  host_.on_crash(crash);
  limiter_ = {};
  ops_.clear();
  events_.clear();
  to_confirm_.clear();
  slowed_.clear();
  to_read_.clear();
  memory_alarm_ = disk_alarm_ = disk_full_ = alarm_by_command_ = stopping_ = false;
  app_ = App::runs;
  mirrors_.clear();
  boot_answers_.clear();
  healing_.reset();
  if (crash.wipe) {
    const std::uint64_t channels = durable_.channels;
    durable_ = {};
    durable_.channels = channels;
    return;
  }
  for (const Survivor& s : crash.files) {
    const std::string* name = queue_of_file(s.file);
    if (!name) continue;
    QueueRecord& r = durable_.queues.at(*name);
    const auto kept = static_cast<std::size_t>(s.kept);
    const auto corrupt = [&](std::size_t unit) { return std::find(s.corrupt.begin(), s.corrupt.end(), static_cast<std::int64_t>(unit)) != s.corrupt.end(); };
    if (r.store.size() > kept) r.store.resize(kept);
    // A torn or rotten record ends what can be read.
    for (std::size_t i = 0; i < r.store.size(); ++i)
      if (corrupt(i)) r.store.resize(i);
    for (std::size_t i = 0; i < r.chunks.size(); ++i)
      if (static_cast<std::size_t>(r.chunks[i].end()) > kept || corrupt(static_cast<std::size_t>(r.chunks[i].first))) r.chunks.truncate(i);
  }
  forget_transient();
}

Channel* Broker::channel_of(ChannelId id) {
  const auto it = channels_.find(id);
  if (it == channels_.end()) return nullptr;
  const auto conn = connections_.find(it->second.first);
  if (conn == connections_.end()) return nullptr;
  const auto ch = conn->second.channels.find(it->second.second);
  return ch == conn->second.channels.end() || ch->second.id != id ? nullptr : &ch->second;
}

Connection* Broker::connection_of(const Channel& ch) {
  const auto it = connections_.find(ch.connection);
  return it == connections_.end() ? nullptr : &it->second;
}

const QueueProcess* Broker::process(const std::string& queue) const {
  const auto it = processes_.find(queue);
  return it == processes_.end() ? nullptr : &it->second;
}

std::int64_t Broker::ready_count(const std::string& queue) const {
  if (const QuorumQueue* q = host_.machine(queue)) return q->ready_count() + q->delayed_count();
  const QueueProcess* p = process(queue);
  if (!p) return 0;
  if (const auto* q = std::get_if<ClassicQueue>(&p->machine)) return q->ready_count();
  const auto& s = std::get<StreamQueue>(p->machine);
  return s.committed() - s.first();
}

std::int64_t Broker::unacked_count(const std::string& queue) const {
  if (const QuorumQueue* q = host_.machine(queue)) return q->unacked_count();
  const QueueProcess* p = process(queue);
  const auto* q = p ? std::get_if<ClassicQueue>(&p->machine) : nullptr;
  return q ? q->unacked_count() : 0;
}

std::int64_t Broker::consumer_count(const std::string& queue) const {
  if (const QuorumQueue* q = host_.machine(queue)) return q->consumer_count();
  const QueueProcess* p = process(queue);
  return p ? std::visit([](const auto& q) { return q.consumer_count(); }, p->machine) : 0;
}

bool Broker::idle(const std::set<std::string>& gone) const {
  const auto waits_for = [&](const std::string& queue) { return gone.count(queue) == 0; };
  for (const auto& [id, conn] : connections_) {
    if (!conn.unread.empty()) return false;
    for (const auto& [number, ch] : conn.channels) {
      if (ch.awaits && waits_for(ch.awaits->queue)) return false;
      if (!cluster_->settings.rules.resends_after_cut) continue;
      for (const auto& [publish, queues] : ch.unconfirmed)
        if (std::any_of(queues.begin(), queues.end(), waits_for)) return false;
    }
  }
  for (const auto& [name, p] : processes_)
    if (!p.mailbox.empty()) return false;
  if (app_ != App::runs || healing_) return false;
  // What a partition leaves apart an operator joins: until then that is all there is to wait for.
  for (const Peer& p : peers_)
    if (!p.up && !(p.split && p.connected && cluster_->settings.partition_handling != PartitionHandling::autoheal) && &p != &peers_[index_]) return false;
  for (const auto& [name, r] : durable_.queues)
    if (waits_for(name) && host_.has(name) && !host_.settled(name)) return false;
  return true;
}

}  // namespace mqlab::rabbitmq
