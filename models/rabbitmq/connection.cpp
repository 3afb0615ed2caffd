// Connections and channels: the handshake, errors and what they close, heartbeats.
#include <fmt/format.h>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

constexpr std::uint16_t channel_max = 2047;

}  // namespace

const char* name(ChannelMode m) {
  switch (m) {
    case ChannelMode::none: return "none";
    case ChannelMode::confirm: return "confirm";
    case ChannelMode::tx: return "tx";
  }
  return "?";
}

const char* name(ConnectionPhase p) {
  switch (p) {
    case ConnectionPhase::header: return "header";
    case ConnectionPhase::start: return "start";
    case ConnectionPhase::tune: return "tune";
    case ConnectionPhase::open: return "open";
    case ConnectionPhase::running: return "running";
    case ConnectionPhase::closing: return "closing";
  }
  return "?";
}

std::int64_t Channel::unacked_of_consumers() const {
  std::int64_t n = 0;
  for (const UnackedDelivery& u : unacked) n += u.to_consumer;
  return n;
}

void Broker::on_connection_method(Context& c, Connection& conn, const Message& m) {
  const auto say = [&](Kind k, PayloadRef payload) { c.send(conn.id, kind(k), std::move(payload), 64, 0); };
  switch (static_cast<Kind>(m.kind)) {
    case Kind::protocol_header:
      conn.phase = ConnectionPhase::start;
      return say(Kind::connection_start, nullptr);
    case Kind::connection_start_ok: {
      const auto& ok = method_as<ConnectionStartOk>(m.payload);
      conn.user = ok.user;
      conn.blocked_capability = ok.blocked_capability;
      conn.cancel_notify_capability = ok.cancel_notify_capability;
      conn.phase = ConnectionPhase::tune;
      return say(Kind::connection_tune, framed(ConnectionTune{channel_max, cluster_->settings.heartbeat}));
    }
    case Kind::connection_tune_ok:
      conn.heartbeat = method_as<ConnectionTune>(m.payload).heartbeat;
      conn.phase = ConnectionPhase::open;
      if (conn.heartbeat > 0) conn.heartbeat_timer = c.set_timer(conn.heartbeat / 2, timer_heartbeat, conn.id);
      return;
    case Kind::connection_open: {
      const std::string& vhost = method_as<ConnectionOpen>(m.payload).vhost;
      if (vhost != durable_.routing.vhost()) return close_connection(c, conn, 530, fmt::format("NOT_ALLOWED - vhost {} not found", vhost), Kind::connection_open);
      conn.phase = ConnectionPhase::running;
      return say(Kind::connection_open_ok, nullptr);
    }
    case Kind::connection_close: {
      say(Kind::connection_close_ok, nullptr);
      const ConnId id = conn.id;
      drop_connection(c, id);
      c.close(id);
      return;
    }
    case Kind::connection_close_ok: {
      const ConnId id = conn.id;
      drop_connection(c, id);
      c.close(id);
      return;
    }
    default: return;  // heartbeat: that it came is all it says
  }
}

void Broker::on_channel_message(Context& c, Connection& conn, const Message& m) {
  if (conn.phase != ConnectionPhase::running) return;
  const auto number = static_cast<std::uint16_t>(m.word);
  if (static_cast<Kind>(m.kind) == Kind::channel_open) {
    Channel& ch = conn.channels[number];
    if (ch.id != no_channel) return fail(c, conn, number, amqp_error(504, "second 'channel.open' seen"), Kind::channel_open);
    ch.id = channel_id(c.self(), ++durable_.channels);
    ch.connection = conn.id;
    ch.number = number;
    channels_[ch.id] = {conn.id, number};
    return tell(c, ch, Kind::channel_open_ok);
  }
  const auto it = conn.channels.find(number);
  if (it == conn.channels.end()) return fail(c, conn, number, amqp_error(504, "expected 'channel.open'"), static_cast<Kind>(m.kind));
  Channel& ch = it->second;
  if (ch.closing) {
    if (static_cast<Kind>(m.kind) == Kind::channel_close_ok) conn.channels.erase(it);
    else if (static_cast<Kind>(m.kind) == Kind::channel_close) tell(c, ch, Kind::channel_close_ok);
    return;
  }
  if (ch.awaits) {
    ch.inbox.push_back(m);
    return;
  }
  handle(c, conn, ch, m);
}

void Broker::handle(Context& c, Connection& conn, Channel& ch, const Message& m) {
  if (static_cast<Kind>(m.kind) == Kind::channel_close) {
    tell(c, ch, Kind::channel_close_ok);
    const std::uint16_t number = ch.number;
    end_channel(c, ch);
    conn.channels.erase(number);
    return;
  }
  const std::uint16_t number = ch.number;
  if (const MaybeError e = method(c, conn, ch, m)) fail(c, conn, number, *e, static_cast<Kind>(m.kind));
}

MaybeError Broker::method(Context& c, Connection& conn, Channel& ch, const Message& m) {
  const PayloadRef& p = m.payload;
  switch (static_cast<Kind>(m.kind)) {
    case Kind::exchange_declare: return on_exchange_declare(c, ch, method_as<ExchangeDeclare>(p));
    case Kind::exchange_delete: {
      const auto& d = method_as<ExchangeDelete>(p);
      if (MaybeError e = durable_.routing.delete_exchange(d.exchange, d.if_unused)) return e;
      tell_peers(c, ExchangeDeleted{d.exchange});
      tell(c, ch, Kind::exchange_delete_ok);
      return {};
    }
    case Kind::exchange_bind:
    case Kind::exchange_unbind: {
      const auto& b = method_as<ExchangeBind>(p);
      const bool bind = static_cast<Kind>(m.kind) == Kind::exchange_bind;
      const Binding binding{.source = b.source, .destination = b.destination, .to_exchange = true, .key = b.routing_key, .args = b.args};
      if (MaybeError e = bind ? durable_.routing.bind(binding) : durable_.routing.unbind(binding)) return e;
      tell_peers(c, Bound{binding, !bind});
      tell(c, ch, bind ? Kind::exchange_bind_ok : Kind::exchange_unbind_ok);
      return {};
    }
    case Kind::queue_declare: return on_queue_declare(c, conn, ch, method_as<QueueDeclare>(p));
    case Kind::queue_delete: return on_queue_delete(c, conn, ch, method_as<QueueDelete>(p));
    case Kind::queue_purge: return on_purge(c, conn, ch, method_as<QueuePurge>(p));
    case Kind::queue_bind: return on_queue_bind(c, conn, ch, method_as<QueueBind>(p), false);
    case Kind::queue_unbind: return on_queue_bind(c, conn, ch, method_as<QueueBind>(p), true);
    case Kind::basic_qos: return on_qos(c, ch, method_as<BasicQos>(p));
    case Kind::basic_consume: return on_consume(c, conn, ch, method_as<BasicConsume>(p));
    case Kind::basic_cancel: on_cancel(c, ch, method_as<ConsumerTag>(p).tag); return {};
    case Kind::basic_publish: return on_publish(c, conn, ch, method_as<BasicPublish>(p));
    case Kind::basic_get: return on_get(c, conn, ch, method_as<BasicGet>(p));
    case Kind::basic_ack: {
      const auto& a = method_as<BasicAck>(p);
      return on_settle(ch, Kind::basic_ack, a.delivery_tag, a.multiple, false);
    }
    case Kind::basic_nack:
    case Kind::basic_reject: {
      const auto& n = method_as<BasicNack>(p);
      return on_settle(ch, static_cast<Kind>(m.kind), n.delivery_tag, n.multiple, n.requeue);
    }
    case Kind::basic_recover:
      if (!method_as<BasicRecover>(p).requeue) return not_implemented("requeue=false");
      recover(ch);
      tell(c, ch, Kind::basic_recover_ok);
      return {};
    case Kind::stream_store_offset:
    case Kind::stream_query_offset: {
      const auto& r = method_as<StreamReference>(p);
      return on_stream_reference(conn, ch, static_cast<Kind>(m.kind), r.queue, r.reference, r.offset);
    }
    case Kind::stream_query_publisher: {
      const auto& q = method_as<StreamPublisher>(p);
      return on_stream_reference(conn, ch, Kind::stream_query_publisher, q.queue, q.publisher, -1);
    }
    case Kind::stream_consumer_update_ok: on_stream_update(ch, method_as<StreamUpdate>(p)); return {};
    case Kind::confirm_select:
      if (ch.mode == ChannelMode::tx) return precondition_failed("cannot switch from tx to confirm mode");
      ch.mode = ChannelMode::confirm;
      tell(c, ch, Kind::confirm_select_ok);
      return {};
    case Kind::tx_select:
      if (ch.mode == ChannelMode::confirm) return precondition_failed("cannot switch from confirm to tx mode");
      ch.mode = ChannelMode::tx;
      tell(c, ch, Kind::tx_select_ok);
      return {};
    case Kind::tx_commit: return on_tx_commit(c, ch);
    case Kind::tx_rollback:
      if (ch.mode != ChannelMode::tx) return precondition_failed("channel is not transactional");
      ch.tx_publishes.clear();
      ch.tx_settles.clear();
      tell(c, ch, Kind::tx_rollback_ok);
      return {};
    default: return amqp_error(503, "COMMAND_INVALID");
  }
}

// A soft error closes the channel, a hard one the connection; what the channel held goes back to its queues.
void Broker::fail(Context& c, Connection& conn, std::uint16_t number, const AmqpError& e, Kind method) {
  if (e.closes_connection) return close_connection(c, conn, e.code, e.text, method);
  c.mark("channel_error", {}, e.text);
  Channel& ch = conn.channels.at(number);
  c.send(conn.id, kind(Kind::channel_close), framed(Close{e.code, e.text, name(method)}), 64, number);
  end_channel(c, ch);
  ch.closing = true;
}

void Broker::close_connection(Context& c, Connection& conn, std::uint16_t code, const std::string& text, Kind method) {
  c.mark("connection_error", {}, text);
  c.send(conn.id, kind(Kind::connection_close), framed(Close{code, text, name(method)}), 64, 0);
  for (auto& [number, ch] : conn.channels) end_channel(c, ch);
  conn.channels.clear();
  conn.phase = ConnectionPhase::closing;
}

// The channel's process ends: its queues hear of it, and what it had not settled goes back to them.
void Broker::end_channel(Context&, Channel& ch) {
  if (ch.id == no_channel) return;
  for (const std::string& queue : ch.queues) ask({.kind = QueueOp::Kind::channel_down, .queue = queue, .channel = ch.id});
  limiter_.channels.erase(ch.id);
  channels_.erase(ch.id);
  slowed_.erase(ch.id);
  if (const auto conn = connections_.find(ch.connection); conn != connections_.end() && conn->second.in_flow) to_read_.push_back(ch.connection);
  Channel left;
  left.number = ch.number;
  left.connection = ch.connection;
  left.closing = ch.closing;
  ch = std::move(left);
}

void Broker::drop_connection(Context& c, ConnId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  if (it->second.heartbeat_timer != no_event) c.cancel_timer(it->second.heartbeat_timer);
  for (auto& [number, ch] : it->second.channels) end_channel(c, ch);
  connections_.erase(it);
  // Exclusive queues go with their connection.
  for (const auto& [name, q] : durable_.queues)
    if (q.owner == id) ask({.kind = QueueOp::Kind::remove, .queue = name});
}

// rabbit_heartbeat: a frame each half interval; two intervals without a byte, and the other is dead.
void Broker::beat(Context& c, ConnId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& conn = it->second;
  conn.heartbeat_timer = no_event;
  if (!conn.stopped() && c.now() - conn.last_received >= 2 * conn.heartbeat) {
    c.mark("heartbeat_missed", {}, fmt::format("nothing from {} for {}: the connection is closed", c.name(conn.peer), format_duration(c.now() - conn.last_received)));
    drop_connection(c, id);
    c.close(id);
    return;
  }
  c.send(id, kind(Kind::heartbeat), nullptr, 8, 0);
  conn.heartbeat_timer = c.set_timer(conn.heartbeat / 2, timer_heartbeat, id);
}

}  // namespace mqlab::rabbitmq
