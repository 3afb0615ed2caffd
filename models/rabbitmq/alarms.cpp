// Resource alarms: while one is on, connections that have published are not read, and their clients are told.
#include <fmt/format.h>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/model_parts.h"

namespace mqlab::rabbitmq {

// rabbit_disk_monitor: so often it looks while its alarm is on (DEFAULT_MAX_DISK_CHECK_INTERVAL; nearer to the limit it looks more often).
constexpr Duration disk_check = 10'000'000'000;

void Broker::look_at_memory(Context& c) {
  const std::int64_t limit = cluster_->settings.memory_limit;
  if (limit == 0) return;
  std::int64_t used = 0;
  for (const auto& [name, p] : processes_) {
    if (const auto* q = std::get_if<ClassicQueue>(&p.machine)) used += q->ready_bytes();
  }
  for (const auto& [name, r] : durable_.queues)
    if (const QuorumQueue* q = host_.machine(name)) used += q->ready_bytes();
  const bool high = alarm_by_command_ || used >= limit;
  if (high == memory_alarm_) return;
  const bool before = alarm();
  memory_alarm_ = high;
  alarms_changed(c, before);
}

void Broker::no_space(Context& c) {
  if (disk_full_) return;
  const bool before = alarm();
  disk_full_ = true;
  c.set_timer(disk_check, timer_disk);
  alarms_changed(c, before);
}

// When there is space again, what could not be written is.
void Broker::look_at_disk(Context& c) {
  std::vector<std::string> mine;
  for (const auto& [queue, p] : processes_)
    if (std::holds_alternative<ClassicQueue>(p.machine) && durable_.queues.at(queue).spec.durable) mine.push_back(queue);
  for (const std::string& queue : mine) {
    const QueueRecord& r = durable_.queues.at(queue);
    if (c.write(r.file, static_cast<std::int64_t>(r.store.size()), 0) == DiskResult::ok) continue;
    c.set_timer(disk_check, timer_disk);
    return;
  }
  const bool before = alarm();
  disk_full_ = false;
  alarms_changed(c, before);
  for (const std::string& queue : mine) store_written(c, queue);
}

// rabbit_reader: blocking until the first publish, then blocked; what has come is read when the alarm is over.
void Broker::alarms_changed(Context& c, bool before) {
  if (before == alarm()) return;
  if (alarm()) {
    c.mark("alarm", {}, low_on_disk() ? "free disk space is low" : "memory is above its limit");
    for (auto& [id, conn] : connections_) block_if_needed(c, conn);
    return;
  }
  c.mark("alarm_cleared");
  std::vector<ConnId> blocked;
  for (const auto& [id, conn] : connections_)
    if (conn.blocked) blocked.push_back(id);
  for (const ConnId id : blocked) {
    Connection& conn = connections_.at(id);
    conn.blocked = false;
    conn.last_received = c.now();
    if (conn.blocked_capability) c.send(id, kind(Kind::connection_unblocked), nullptr, 16, 0);
    read_again(c, id);
  }
}

void Broker::block_if_needed(Context& c, Connection& conn) {
  if (!alarm() || conn.blocked || !conn.has_published || conn.phase != ConnectionPhase::running) return;
  conn.blocked = true;
  c.mark("connection_blocked", {}, c.name(conn.peer));
  if (conn.blocked_capability) c.send(conn.id, kind(Kind::connection_blocked), framed(ConnectionBlocked{low_on_disk() ? "low on disk" : "low on memory"}), 32, 0);
}

// The queues that an operator means: the one of that name, or all that a place of a topic ("orders/0") stands for.
std::vector<std::string> Broker::queues_meant(const std::string& argument) const {
  if (durable_.queues.count(argument)) return {argument};
  std::vector<std::string> all;
  for (const auto& [name, record] : durable_.queues)
    if (const QueuePlan* plan = cluster_->queue(name); plan && fmt::format("{}/{}", plan->topic, plan->partition) == argument) all.push_back(name);
  return all;
}

void Broker::on_command(Context& c, const std::string& verb, const std::string& argument) {
  const bool before = alarm();
  const std::vector<std::string> queues = queues_meant(argument);
  if (verb == "memory_alarm" && (argument == "on" || argument == "off")) {
    alarm_by_command_ = memory_alarm_ = argument == "on";
    alarms_changed(c, before);
  } else if (verb == "disk_alarm" && (argument == "on" || argument == "off")) {
    disk_alarm_ = argument == "on";
    alarms_changed(c, before);
  } else if (queues.empty()) {
    c.mark("command_refused", argument, fmt::format("{} cannot be carried out", verb));
  }
  for (const std::string& queue : queues) on_queue_command(c, verb, queue);
  work(c);
}

void Broker::on_queue_command(Context& c, const std::string& verb, const std::string& queue) {
  const QueueRecord& record = durable_.queues.at(queue);
  const QueuePlan* plan = cluster_->queue(queue);
  if (verb == "purge") {
    ask({.kind = QueueOp::Kind::purge, .queue = queue});
  } else if (verb == "sync_queue" && record.copies.term > 0) {
    if (leads(queue)) synchronise(c, queue);
    else if (const Peer& p = peers_[record.broker]; p.up && c.is_open(p.connection)) c.send(p.connection, mirror_sync_kind, framed(MirrorSync{queue, {record.copies.term, record.broker}, {}}), 64);
  } else if (verb == "delete_queue") {
    c.mark("queue_deleted", queue, by_operator);
    ask({.kind = QueueOp::Kind::remove, .queue = queue});
  } else if (verb == "bind" && plan) {
    const Binding b = binding_of(*cluster_, *plan);
    if (!durable_.routing.bind(b)) tell_peers(c, Bound{b, false});
    c.mark("bound", queue, plan->topic);
  } else {
    c.mark("command_refused", queue, fmt::format("{} cannot be carried out", verb));
  }
}

}  // namespace mqlab::rabbitmq
