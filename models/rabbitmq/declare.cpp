// Exchanges, queues and bindings as clients declare them.
#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

bool reserved(const std::string& name) { return name.compare(0, 4, "amq.") == 0; }

}  // namespace

MaybeError Broker::on_exchange_declare(Context& c, Channel& ch, const ExchangeDeclare& m) {
  if (m.passive) {
    if (MaybeError e = durable_.routing.check_exchange(m.exchange)) return e;
  } else {
    const auto type = exchange_type_of(m.type);
    if (!type) return amqp_error(503, fmt::format("unknown exchange type '{}'", m.type));
    const Exchange x{.name = m.exchange, .type = *type, .durable = m.durable, .auto_delete = m.auto_delete, .internal = m.internal, .args = m.args};
    if (MaybeError e = durable_.routing.declare_exchange(x)) return e;
    tell_peers(c, ExchangeDeclared{x});
  }
  tell(c, ch, Kind::exchange_declare_ok);
  return {};
}

MaybeError Broker::refuse_stranger(const QueueRecord& q, const Connection& conn) const {
  if (!q.spec.exclusive || q.owner == conn.id) return {};
  return resource_locked(fmt::format("cannot obtain exclusive access to locked {}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.",
                                     resource_text("queue", q.spec.name)));
}

MaybeError Broker::find_queue(const Connection& conn, const Channel& ch, const std::string& name, QueueRecord*& out) {
  const std::string& wanted = name.empty() ? ch.last_queue : name;
  if (wanted.empty()) return not_found("no previously declared queue");
  const auto it = durable_.queues.find(wanted);
  if (it == durable_.queues.end()) return not_found("no " + resource_text("queue", wanted));
  out = &it->second;
  return refuse_stranger(it->second, conn);
}

MaybeError Broker::on_queue_declare(Context& c, Connection& conn, Channel& ch, const QueueDeclare& m) {
  if (m.passive) {
    QueueRecord* q = nullptr;
    if (MaybeError e = find_queue(conn, ch, m.queue, q)) return e;
    ch.awaits = Awaited{Kind::queue_declare, q->spec.name, {}, false};
    ch.last_queue = q->spec.name;
    ask({.kind = QueueOp::Kind::status, .queue = q->spec.name, .channel = ch.id});
    return {};
  }
  QueueSpec spec{.name = m.queue, .durable = m.durable, .exclusive = m.exclusive, .auto_delete = m.auto_delete, .args = m.args};
  if (spec.name.empty()) spec.name = fmt::format("amq.gen-{}-{:06}", c.name(c.self()), ++durable_.names);
  const auto there = durable_.queues.find(spec.name);
  if (there != durable_.queues.end()) {
    if (MaybeError e = refuse_stranger(there->second, conn)) return e;
    if (spec.exclusive && !there->second.spec.exclusive) return resource_locked(fmt::format("cannot obtain exclusive access to locked {}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.", resource_text("queue", spec.name)));
    if (MaybeError e = check_equivalent(there->second.spec, spec)) return e;
    ch.awaits = Awaited{Kind::queue_declare, spec.name, {}, false};
    ch.last_queue = spec.name;
    ask({.kind = QueueOp::Kind::status, .queue = spec.name, .channel = ch.id, .declared = true});
    return {};
  }
  if (!m.queue.empty() && reserved(m.queue)) return access_refused(fmt::format("queue name '{}' contains reserved prefix 'amq.*'", m.queue));
  if (MaybeError e = check_declare(spec, cluster_->settings.rules)) return e;
  if (const QueueType type = queue_type(spec); m.queue.empty() && type != QueueType::classic)
    return precondition_failed(fmt::format("Cannot declare a server-named queue for type rabbit_{}_queue", name(type)));
  create_queue(c, spec, spec.exclusive ? conn.id : no_connection);
  ch.last_queue = spec.name;
  tell(c, ch, Kind::queue_declare_ok, QueueDeclareOk{spec.name, 0, 0});
  return {};
}

// It lives where it was declared (queue-leader-locator = client-local).
void Broker::create_queue(Context& c, const QueueSpec& spec, ConnId owner) {
  add_queue(c, {spec, index_, c.wall(), {}}, owner);
  tell_peers(c, QueueCreated{{spec, index_, c.wall(), durable_.queues.at(spec.name).copies}});
}

void Broker::add_queue(Context& c, const QueueHome& home, ConnId owner) {
  const QueueSpec& spec = home.spec;
  QueueRecord r;
  r.spec = spec;
  r.broker = home.broker;
  r.owner = owner;
  r.created = home.created;
  r.copies = home.copies;
  if (ha(spec.name).mirrored() && !spec.exclusive && queue_type(spec) == QueueType::classic && r.copies.term == 0) r.copies = first_copies(spec.name, home.broker);
  r.file = durable_.next_file++;
  const FileId file = r.file;
  durable_.queues[spec.name] = std::move(r);
  durable_.routing.add_queue(spec.name, spec.durable);
  const QueueOptions options = queue_options(spec, cluster_->settings.rules);
  if (options.type != QueueType::quorum) {
    if (const QueueCopies& copies = durable_.queues.at(spec.name).copies; std::count(copies.mirrors.begin(), copies.mirrors.end(), index_) > 0)
      mirrors_[spec.name] = {.leader = {copies.term, home.broker}, .mirror = QueueMirror()};
    return start_queue(c, spec.name, false);
  }
  QuorumPlan plan;
  plan.options = options;
  plan.rules = cluster_->settings.rules;
  plan.members = cluster_->brokers;
  plan.file = file;
  plan.first_leader = cluster_->brokers[home.broker];
  plan.created = home.created;
  host_.create(c, spec.name, std::move(plan));
}

void Broker::delete_queue(Context& c, const std::string& queue) {
  tell_peers(c, QueueErased{queue});
  erase_queue(c, queue);
}

// What is left of the queue goes: its process, its file, its bindings.
void Broker::erase_queue(Context& c, const std::string& queue) {
  const auto it = durable_.queues.find(queue);
  if (it == durable_.queues.end()) return;
  if (const auto p = processes_.find(queue); p != processes_.end()) {
    if (p->second.timer != no_event) c.cancel_timer(p->second.timer);
    if (p->second.busy != no_event) c.cancel_timer(p->second.busy);
    for (QueueOp& op : p->second.mailbox) ask(std::move(op));  // which will find no queue
    QueueEffects out;
    if (auto* q = std::get_if<ClassicQueue>(&p->second.machine)) q->deleted(out);
    else std::get<StreamQueue>(p->second.machine).deleted(out);
    processes_.erase(p);
    perform(c, queue, out);
    c.remove(it->second.file);
  }
  mirrors_.erase(queue);
  dlx_workers_.erase(queue);
  forget_credit(queue);
  if (host_.has(queue)) {
    host_.erase(c, queue);
    // Each node's channels learn from their own node that the queue is gone.
    for (const auto& [id, conn] : connections_)
      for (const auto& [number, ch] : conn.channels)
        for (const auto& [tag, consumer] : ch.consumers)
          if (consumer.queue == queue) events_.push_back({ch.id, queue, CancelConsumer{{ch.id, tag}}});
  }
  durable_.queues.erase(it);
  durable_.at_rest.erase(queue);
  durable_.routing.remove_queue(queue);
  // rabbit_channel:handle_eol: a publish that waits for a queue that is gone is confirmed.
  for (auto& [id, conn] : connections_)
    for (auto& [number, ch] : conn.channels) {
      std::vector<std::uint64_t> open;
      for (const auto& [publish, queues] : ch.unconfirmed)
        if (queues.count(queue)) open.push_back(publish);
      for (const std::uint64_t publish : open) confirm(ch, publish, queue, false);
      ch.queues.erase(queue);
    }
}

MaybeError Broker::on_queue_delete(Context& c, Connection& conn, Channel& ch, const QueueDelete& m) {
  const std::string& wanted = m.queue.empty() ? ch.last_queue : m.queue;
  const auto it = durable_.queues.find(wanted);
  if (it == durable_.queues.end()) {
    tell(c, ch, Kind::queue_delete_ok, MessageCount{0});
    return {};
  }
  if (MaybeError e = refuse_stranger(it->second, conn)) return e;
  ch.awaits = Awaited{Kind::queue_delete, wanted, {}, false};
  ask({.kind = QueueOp::Kind::remove, .queue = wanted, .channel = ch.id, .if_unused = m.if_unused, .if_empty = m.if_empty});
  return {};
}

MaybeError Broker::on_purge(Context&, Connection& conn, Channel& ch, const QueuePurge& m) {
  QueueRecord* q = nullptr;
  if (MaybeError e = find_queue(conn, ch, m.queue, q)) return e;
  if (queue_type(q->spec) == QueueType::stream) return not_implemented(fmt::format("queue.purge not supported by stream queues {}", resource_text("queue", q->spec.name)));
  ch.awaits = Awaited{Kind::queue_purge, q->spec.name, {}, false};
  ask({.kind = QueueOp::Kind::purge, .queue = q->spec.name, .channel = ch.id});
  return {};
}

MaybeError Broker::on_queue_bind(Context& c, Connection& conn, Channel& ch, const QueueBind& m, bool unbind) {
  const std::string& queue = m.queue.empty() ? ch.last_queue : m.queue;
  const Binding b{.source = m.exchange, .destination = queue, .to_exchange = false, .key = m.routing_key, .args = m.args};
  if (const auto q = durable_.queues.find(queue); q != durable_.queues.end())
    if (MaybeError e = refuse_stranger(q->second, conn)) return e;
  if (MaybeError e = unbind ? durable_.routing.unbind(b) : durable_.routing.bind(b)) return e;
  tell_peers(c, Bound{b, unbind});
  tell(c, ch, unbind ? Kind::queue_unbind_ok : Kind::queue_bind_ok);
  return {};
}

}  // namespace mqlab::rabbitmq
