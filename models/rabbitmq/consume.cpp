// Consumers and what they settle: qos, consume, cancel, get, ack, nack, reject, recover, deliveries.
#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

constexpr const char* reply_to = "amq.rabbitmq.reply-to";

std::int32_t priority_of(const Table& args) {
  const FieldValue* v = args.find("x-priority");
  return v && v->is_integer() ? static_cast<std::int32_t>(v->number) : 0;
}

}  // namespace

// Either kind lifts the shared limit first: rabbit_channel unlimits the prefetch at each basic.qos that is not global. Where
// the global kind is denied nobody is told: it is carried out as the other.
MaybeError Broker::on_qos(Context& c, Channel& ch, const BasicQos& m) {
  if (m.prefetch_size != 0) return not_implemented(fmt::format("prefetch_size!=0 ({})", m.prefetch_size));
  if (m.global && cluster_->settings.rules.shared_prefetch) {
    ch.shared_prefetch = m.prefetch_count;
  } else {
    ch.prefetch = m.prefetch_count;
    ch.shared_prefetch = 0;
  }
  if (ch.shared_prefetch == 0) limiter_.channels.erase(ch.id);
  else limiter_.channels[ch.id] = {ch.shared_prefetch, static_cast<std::uint32_t>(ch.unacked_of_consumers())};
  resume_channel(ch, {});
  tell(c, ch, Kind::basic_qos_ok);
  return {};
}

// The shared prefetch may have room again, in all of the channel's queues.
void Broker::resume_channel(const Channel& ch, const std::string& but) {
  for (const auto& [tag, consumer] : ch.consumers)
    if (consumer.queue != but) ask({.kind = QueueOp::Kind::resume, .queue = consumer.queue, .channel = ch.id});
}

MaybeError Broker::on_consume(Context& c, Connection& conn, Channel& ch, const BasicConsume& m) {
  if (m.queue == reply_to) {
    if (!m.no_ack) return precondition_failed("reply consumer cannot acknowledge");
    if (ch.reply_consumer) return precondition_failed("reply consumer already set");
    ch.reply_consumer = m.tag.empty() ? fmt::format("amq.ctag-{}-{}", c.name(c.self()), ++durable_.names) : m.tag;
    tell(c, ch, Kind::basic_consume_ok, ConsumerTag{*ch.reply_consumer});
    return {};
  }
  QueueRecord* q = nullptr;
  if (MaybeError e = find_queue(conn, ch, m.queue, q)) return e;
  if (!m.tag.empty() && ch.consumers.count(m.tag)) return not_allowed(fmt::format("attempt to reuse consumer tag '{}'", m.tag));
  const QueueType type = queue_type(q->spec);
  const std::string which = resource_text("queue", q->spec.name);
  if (type != QueueType::classic && ch.shared_prefetch > 0) return not_implemented(which + " does not support global qos");
  if (type == QueueType::stream) {
    if (m.no_ack) return not_implemented("automatic acknowledgement not supported by stream queues " + which);
    if (ch.prefetch == 0) return precondition_failed(fmt::format("consumer prefetch count is not set for '{}'", which));
    if (!stream_offset(m.args, c.wall())) return AmqpError{541, "INTERNAL_ERROR", true};  // the product fails on it
  }
  const std::string tag = m.tag.empty() ? fmt::format("amq.ctag-{}-{}", c.name(c.self()), ++durable_.names) : m.tag;
  ConsumerSpec spec;
  spec.key = {ch.id, tag};
  spec.no_ack = m.no_ack;
  spec.exclusive = m.exclusive;
  spec.prefetch = ch.prefetch;
  spec.priority = priority_of(m.args);
  spec.args = m.args;
  ch.queues.insert(q->spec.name);
  ch.awaits = Awaited{Kind::basic_consume, q->spec.name, tag, m.no_ack, spec};
  ask({.kind = QueueOp::Kind::consume, .queue = q->spec.name, .channel = ch.id, .consumer = std::move(spec)});
  return {};
}

// What it holds it keeps until it is settled, or the channel ends.
void Broker::on_cancel(Context& c, Channel& ch, const std::string& tag) {
  if (ch.reply_consumer == tag) ch.reply_consumer.reset();
  const auto it = ch.consumers.find(tag);
  if (it != ch.consumers.end()) {
    QueueOp op{.kind = QueueOp::Kind::cancel, .queue = it->second.queue, .channel = ch.id};
    op.consumer.key = {ch.id, tag};
    ch.consumers.erase(it);
    ask(std::move(op));
  }
  tell(c, ch, Kind::basic_cancel_ok, ConsumerTag{tag});
}

MaybeError Broker::on_get(Context&, Connection& conn, Channel& ch, const BasicGet& m) {
  QueueRecord* q = nullptr;
  if (MaybeError e = find_queue(conn, ch, m.queue, q)) return e;
  if (queue_type(q->spec) == QueueType::stream) return not_implemented("basic.get not supported by stream queues " + resource_text("queue", q->spec.name));
  ch.queues.insert(q->spec.name);
  ch.awaits = Awaited{Kind::basic_get, q->spec.name, {}, m.no_ack};
  QueueOp op{.kind = QueueOp::Kind::get, .queue = q->spec.name, .channel = ch.id, .no_ack = m.no_ack};
  op.consumer.key = {ch.id, fmt::format("get {}", ch.next_delivery_tag)};
  ask(std::move(op));
  return {};
}

// collect_acks: the tag itself must be outstanding, also when all up to it are meant; 0 and multiple is all there is.
MaybeError Broker::on_settle(Channel& ch, Kind kind, std::uint64_t tag, bool multiple, bool requeue) {
  if (ch.mode == ChannelMode::tx) {
    ch.tx_settles.push_back({tag, multiple, kind, requeue});
    return {};
  }
  std::vector<UnackedDelivery> which;
  if (tag == 0 && multiple) {
    which.assign(ch.unacked.begin(), ch.unacked.end());
    ch.unacked.clear();
  } else {
    const auto it = std::find_if(ch.unacked.begin(), ch.unacked.end(), [&](const UnackedDelivery& u) { return u.tag == tag; });
    if (it == ch.unacked.end()) return precondition_failed(fmt::format("unknown delivery tag {}", tag));
    if (multiple) {
      which.assign(ch.unacked.begin(), it + 1);
      ch.unacked.erase(ch.unacked.begin(), it + 1);
    } else {
      which.push_back(*it);
      ch.unacked.erase(it);
    }
  }
  if (kind != Kind::basic_ack)
    for (const UnackedDelivery& u : which)
      if (const auto q = durable_.queues.find(u.queue); q != durable_.queues.end() && queue_type(q->second.spec) == QueueType::stream)
        return not_implemented("basic.nack and basic.reject not supported by stream queues " + resource_text("queue", u.queue));
  settle(ch, which, kind == Kind::basic_ack ? QueueOp::Kind::ack : requeue ? QueueOp::Kind::requeue : QueueOp::Kind::discard, kind == Kind::basic_reject);
  return {};
}

void Broker::recover(Channel& ch) {
  const std::vector<UnackedDelivery> all(ch.unacked.begin(), ch.unacked.end());
  ch.unacked.clear();
  settle(ch, all, QueueOp::Kind::requeue, false);
}

// Each queue hears of its own, for each consumer the oldest first.
void Broker::settle(Channel& ch, const std::vector<UnackedDelivery>& which, QueueOp::Kind how, bool failed) {
  std::vector<QueueOp> ops;
  for (const UnackedDelivery& u : which) {
    if (u.lost) continue;
    const auto it = std::find_if(ops.begin(), ops.end(), [&](const QueueOp& op) { return op.queue == u.queue && op.consumer.key == u.consumer; });
    QueueOp& op = it != ops.end() ? *it : ops.emplace_back();
    if (it == ops.end() || op.ids.empty()) {
      op.kind = how;
      op.queue = u.queue;
      op.channel = ch.id;
      op.consumer.key = u.consumer;
      op.failed = failed;
    }
    op.ids.push_back(u.id);
  }
  const bool limited = ch.shared_prefetch > 0 && !ops.empty();
  for (QueueOp& op : ops) ask(std::move(op));
  if (limited) resume_channel(ch, {});
}

// ---------------------------------------------------------------------------------------------
// What queues say.

void Broker::on_event(Context& c, const QueueEvent& e) {
  if (forward_event(c, e)) return;
  if (on_dlx_event(c, e)) return;
  Channel* ch = channel_of(e.channel);
  if (!ch) return;  // it ended meanwhile, and the queue hears of that
  if (const auto* d = std::get_if<Deliver>(&e.what)) return on_delivery(c, *ch, e.queue, *d);
  if (const auto* x = std::get_if<CreditGranted>(&e.what)) {
    std::int64_t& left = ch->queue_credit.try_emplace(e.queue, credit_initial).first->second;
    left += x->messages;
    if (left > 0) let_go(*ch, e.queue);
    return;
  }
  if (const auto* x = std::get_if<Confirm>(&e.what)) return on_confirm(*ch, e.queue, x->publish, false);
  if (const auto* x = std::get_if<Reject>(&e.what)) return on_confirm(*ch, e.queue, x->publish, true);
  if (const auto* x = std::get_if<PublisherStatus>(&e.what)) {
    ch->senders[e.queue].rejects = x->reject;
    return;
  }
  if (const auto* x = std::get_if<ConsumerUpdate>(&e.what)) return tell(c, *ch, Kind::stream_consumer_update, StreamUpdate{x->consumer.tag, x->active, {}});
  if (std::holds_alternative<GetEmpty>(e.what)) {
    ch->awaits.reset();
    tell(c, *ch, Kind::basic_get_empty);
    return go_on(c, ch->connection, ch->number);
  }
  if (const auto* x = std::get_if<TimedOut>(&e.what)) return on_timed_out(c, *ch, *x);
  if (const auto* x = std::get_if<CancelConsumer>(&e.what)) {
    if (ch->consumers.erase(x->consumer.tag) > 0 && connection_of(*ch)->cancel_notify_capability)
      tell(c, *ch, Kind::basic_cancel, ConsumerTag{x->consumer.tag});
    return;
  }
  on_answer(c, *connection_of(*ch), *ch, e.queue, std::get<QueueAnswer>(e.what));
}

// 4.3: the quorum queue took back what was not settled in time. The consumer is cancelled; what it still settles counts
// for nothing but its credit.
void Broker::on_timed_out(Context& c, Channel& ch, const TimedOut& t) {
  Connection& conn = *connection_of(ch);
  c.mark("consumer_timeout", {}, fmt::format("{} has not settled {} deliveries in time", c.name(conn.peer), t.ids.size()));
  const auto it = ch.consumers.find(t.consumer.tag);
  if (it == ch.consumers.end()) return;
  if (!conn.cancel_notify_capability) return fail(c, conn, ch.number, precondition_failed("delivery acknowledgement timed out"), Kind::basic_deliver);
  QueueOp op{.kind = QueueOp::Kind::cancel, .queue = it->second.queue, .channel = ch.id};
  op.consumer.key = t.consumer;
  ch.consumers.erase(it);
  ask(std::move(op));
  tell(c, ch, Kind::basic_cancel, ConsumerTag{t.consumer.tag});
}

// What is stored under a name, or to be stored; the channel waits for an answer where there is one.
MaybeError Broker::on_stream_reference(Connection& conn, Channel& ch, Kind method, const std::string& queue, const std::string& reference, std::int64_t offset) {
  QueueRecord* q = nullptr;
  if (MaybeError e = find_queue(conn, ch, queue, q)) return e;
  if (queue_type(q->spec) != QueueType::stream) return not_implemented("no stream: " + resource_text("queue", queue));
  QueueOp op{.queue = queue, .channel = ch.id, .reference = reference, .offset = offset};
  if (method == Kind::stream_store_offset) {
    op.kind = QueueOp::Kind::store_offset;
  } else {
    op.kind = method == Kind::stream_query_offset ? QueueOp::Kind::query_offset : QueueOp::Kind::query_publisher;
    ch.awaits = Awaited{method, queue, reference, false};
  }
  ask(std::move(op));
  return {};
}

void Broker::on_stream_update(Channel& ch, const StreamUpdate& m) {
  const auto it = ch.consumers.find(m.tag);
  if (it == ch.consumers.end()) return;
  QueueOp op{.kind = QueueOp::Kind::consumer_update, .queue = it->second.queue, .channel = ch.id};
  op.consumer.key = {ch.id, m.tag};
  op.consumer.args = m.from;
  ask(std::move(op));
}

void Broker::on_delivery(Context& c, Channel& ch, const std::string& queue, const Deliver& d) {
  const bool got = ch.awaits && ch.awaits->method == Kind::basic_get && ch.awaits->queue == queue &&
                   (d.consumer.tag.empty() || d.consumer.tag.compare(0, 4, "get ") == 0);
  BasicDeliver out;
  out.tag = got ? std::string() : d.consumer.tag;
  out.delivery_tag = ch.next_delivery_tag++;
  out.redelivered = d.redelivered;
  out.exchange = d.content->exchange;
  out.routing_key = d.content->routing_key();
  out.content = d.content;
  out.headers = delivered_headers(*d.content, cluster_->settings.rules.x_last_death);
  if (d.delivery_count) out.headers.set("x-delivery-count", *d.delivery_count);
  if (d.acquired_count) out.headers.set("x-acquired-count", *d.acquired_count);
  if (d.offset) out.headers.set("x-stream-offset", *d.offset);
  const bool no_ack = got ? ch.awaits->no_ack : d.no_ack;
  if (!no_ack) ch.unacked.push_back({out.delivery_tag, queue, d.consumer, d.id, !got, c.now()});
  out.remaining = got ? std::max<std::int64_t>(0, d.left) : -1;
  const std::uint32_t bytes = 64 + d.content->size;
  tell(c, ch, got ? Kind::basic_get_ok : Kind::basic_deliver, std::move(out), bytes);
  if (!got) return;
  ch.awaits.reset();
  go_on(c, ch.connection, ch.number);
}

void Broker::on_answer(Context& c, Connection& conn, Channel& ch, const std::string& queue, const QueueAnswer& a) {
  if (a.of == QueueOp::Kind::enlist) return on_enlisted(c, ch, queue, a);
  if (!ch.awaits) return;
  const Awaited waited = *ch.awaits;
  ch.awaits.reset();
  const ConnId connection = ch.connection;
  const std::uint16_t number = ch.number;
  if (a.error) {
    fail(c, conn, number, *a.error, waited.method);
    return;
  }
  switch (waited.method) {
    case Kind::queue_declare: tell(c, ch, Kind::queue_declare_ok, QueueDeclareOk{queue, a.messages, a.consumers}); break;
    case Kind::queue_delete: tell(c, ch, Kind::queue_delete_ok, MessageCount{a.messages}); break;
    case Kind::queue_purge: tell(c, ch, Kind::queue_purge_ok, MessageCount{a.messages}); break;
    case Kind::basic_consume:
      ch.consumers[waited.tag] = {queue, waited.no_ack, waited.spec};
      tell(c, ch, Kind::basic_consume_ok, ConsumerTag{waited.tag});
      break;
    case Kind::stream_query_offset: tell(c, ch, Kind::stream_offset, StreamReference{queue, waited.tag, a.messages}); break;
    case Kind::stream_query_publisher: tell(c, ch, Kind::stream_publisher_sequence, StreamPublisher{queue, waited.tag, a.messages}); break;
    default: break;
  }
  go_on(c, connection, number);
}

// The methods that came while the channel waited, until it waits again.
void Broker::go_on(Context& c, ConnId connection, std::uint16_t number) {
  for (;;) {
    const auto conn = connections_.find(connection);
    if (conn == connections_.end()) return;
    const auto it = conn->second.channels.find(number);
    if (it == conn->second.channels.end() || it->second.closing || it->second.awaits || it->second.inbox.empty()) return;
    const Message m = it->second.inbox.front();
    it->second.inbox.pop_front();
    handle(c, conn->second, it->second, m);
  }
}

// Up to 4.2: a delivery that is not settled in time closes its channel. From 4.3 on the quorum queue takes it back.
void Broker::look_for_timeouts(Context& c) {
  c.set_timer(cluster_->settings.timeout_check, timer_timeouts);
  if (cluster_->settings.rules.consumer_timeout != ConsumerTimeout::closes_channel) return;
  const Duration limit = cluster_->settings.consumer_timeout;
  std::vector<std::pair<ConnId, std::uint16_t>> late;
  for (const auto& [id, conn] : connections_)
    for (const auto& [number, ch] : conn.channels)
      if (std::any_of(ch.unacked.begin(), ch.unacked.end(), [&](const UnackedDelivery& u) { return c.now() - u.at >= limit; })) late.emplace_back(id, number);
  for (const auto& [id, number] : late) {
    c.mark("consumer_timeout", {}, fmt::format("{} has not settled a delivery for {}", c.name(connections_.at(id).peer), format_duration(limit)));
    fail(c, connections_.at(id), number,
         precondition_failed(fmt::format("delivery acknowledgement on channel {} timed out. Timeout value used: {} ms. This timeout value can be configured, see consumers doc guide to learn more", number, limit / 1'000'000)),
         Kind::basic_deliver);
  }
}

}  // namespace mqlab::rabbitmq
