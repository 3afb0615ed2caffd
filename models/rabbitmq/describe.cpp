// The one text form of AMQP methods and of a node's state: traces, screens and tests share it.
#include <fmt/format.h>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

template <class M>
const M& as(const Payload& p) {
  return static_cast<const Frame<M>&>(p).method;
}

std::string nothing(const Payload&) { return {}; }
std::string close(const Payload& p) {
  const auto& m = as<Close>(p);
  return fmt::format("{} {}", m.code, m.text);
}
std::string blocked(const Payload& p) { return as<ConnectionBlocked>(p).reason; }
std::string tune(const Payload& p) { return fmt::format("heartbeat={}", format_duration(as<ConnectionTune>(p).heartbeat)); }
std::string start_ok(const Payload& p) { return "user=" + as<ConnectionStartOk>(p).user; }
std::string arguments(const Table& t) { return t.empty() ? std::string() : " " + describe(t); }
std::string exchange_declare(const Payload& p) {
  const auto& m = as<ExchangeDeclare>(p);
  return fmt::format("'{}' {}{}{}", m.exchange, m.type, m.passive ? " passive" : "", m.durable ? " durable" : "");
}
std::string exchange_delete(const Payload& p) { return fmt::format("'{}'", as<ExchangeDelete>(p).exchange); }
std::string exchange_bind(const Payload& p) {
  const auto& m = as<ExchangeBind>(p);
  return fmt::format("'{}' -> '{}' key='{}'{}", m.source, m.destination, m.routing_key, arguments(m.args));
}
std::string queue_declare(const Payload& p) {
  const auto& m = as<QueueDeclare>(p);
  return fmt::format("'{}'{}{}{}{}{}", m.queue, m.passive ? " passive" : "", m.durable ? " durable" : "", m.exclusive ? " exclusive" : "",
                     m.auto_delete ? " auto-delete" : "", arguments(m.args));
}
std::string queue_declare_ok(const Payload& p) {
  const auto& m = as<QueueDeclareOk>(p);
  return fmt::format("'{}' messages={} consumers={}", m.queue, m.messages, m.consumers);
}
std::string queue_bind(const Payload& p) {
  const auto& m = as<QueueBind>(p);
  return fmt::format("'{}' -> '{}' key='{}'{}", m.exchange, m.queue, m.routing_key, arguments(m.args));
}
std::string queue_purge(const Payload& p) { return fmt::format("'{}'", as<QueuePurge>(p).queue); }
std::string queue_delete(const Payload& p) { return fmt::format("'{}'", as<QueueDelete>(p).queue); }
std::string count(const Payload& p) { return fmt::format("messages={}", as<MessageCount>(p).messages); }
std::string qos(const Payload& p) {
  const auto& m = as<BasicQos>(p);
  return fmt::format("prefetch={}{}", m.prefetch_count, m.global ? " global" : "");
}
std::string consume(const Payload& p) {
  const auto& m = as<BasicConsume>(p);
  return fmt::format("'{}' tag={}{}{}", m.queue, m.tag, m.no_ack ? " no_ack" : "", m.exclusive ? " exclusive" : "");
}
std::string reference(const Payload& p) {
  const auto& m = as<StreamReference>(p);
  return fmt::format("'{}' reference='{}'{}", m.queue, m.reference, m.offset < 0 ? "" : fmt::format(" offset={}", m.offset));
}
std::string publisher(const Payload& p) {
  const auto& m = as<StreamPublisher>(p);
  return fmt::format("'{}' publisher='{}'{}", m.queue, m.publisher, m.publishing_id < 0 ? "" : fmt::format(" publishing_id={}", m.publishing_id));
}
std::string update(const Payload& p) {
  const auto& m = as<StreamUpdate>(p);
  return fmt::format("tag={} {}{}", m.tag, m.active ? "active" : "not active", m.from.empty() ? "" : " " + describe(m.from));
}
std::string tag(const Payload& p) { return "tag=" + as<ConsumerTag>(p).tag; }
std::string message_text(MessageId m) { return m == no_message ? std::string() : (m & named_message_bit) ? fmt::format(" message=#{}", m & ~named_message_bit) : fmt::format(" message={}-{}", (m >> 40) - 1, m & ((std::uint64_t{1} << 40) - 1)); }
std::string publish(const Payload& p) {
  const auto& m = as<BasicPublish>(p);
  return fmt::format("exchange='{}' key='{}'{}{}{}", m.exchange, m.routing_key, message_text(m.message), m.properties.persistent() ? " persistent" : "", m.mandatory ? " mandatory" : "");
}
std::string returned(const Payload& p) {
  const auto& m = as<BasicReturn>(p);
  return fmt::format("{} {} exchange='{}' key='{}'{}", m.code, m.text, m.exchange, m.routing_key, message_text(m.content->message));
}
std::string deliver(const Payload& p) {
  const auto& m = as<BasicDeliver>(p);
  return fmt::format("{}delivery_tag={}{}{}", m.tag.empty() ? "" : fmt::format("tag={} ", m.tag), m.delivery_tag, m.redelivered ? " redelivered" : "", message_text(m.content->message));
}
std::string get(const Payload& p) { return fmt::format("'{}'{}", as<BasicGet>(p).queue, as<BasicGet>(p).no_ack ? " no_ack" : ""); }
std::string ack(const Payload& p) {
  const auto& m = as<BasicAck>(p);
  return fmt::format("delivery_tag={}{}", m.delivery_tag, m.multiple ? " multiple" : "");
}
std::string nack(const Payload& p) {
  const auto& m = as<BasicNack>(p);
  return fmt::format("delivery_tag={}{}{}", m.delivery_tag, m.multiple ? " multiple" : "", m.requeue ? " requeue" : "");
}

struct Row {
  Kind kind;
  const char* name;
  std::string (*describe)(const Payload&);
};

constexpr Row rows[] = {
    {Kind::protocol_header, "protocol-header", nothing}, {Kind::connection_start, "connection.start", nothing}, {Kind::connection_start_ok, "connection.start-ok", start_ok},
    {Kind::connection_tune, "connection.tune", tune}, {Kind::connection_tune_ok, "connection.tune-ok", tune}, {Kind::connection_open, "connection.open", nothing},
    {Kind::connection_open_ok, "connection.open-ok", nothing}, {Kind::connection_close, "connection.close", close}, {Kind::connection_close_ok, "connection.close-ok", nothing},
    {Kind::connection_blocked, "connection.blocked", blocked}, {Kind::connection_unblocked, "connection.unblocked", nothing}, {Kind::heartbeat, "heartbeat", nothing},
    {Kind::channel_open, "channel.open", nothing}, {Kind::channel_open_ok, "channel.open-ok", nothing}, {Kind::channel_close, "channel.close", close},
    {Kind::channel_close_ok, "channel.close-ok", nothing}, {Kind::exchange_declare, "exchange.declare", exchange_declare}, {Kind::exchange_declare_ok, "exchange.declare-ok", nothing},
    {Kind::exchange_delete, "exchange.delete", exchange_delete}, {Kind::exchange_delete_ok, "exchange.delete-ok", nothing}, {Kind::exchange_bind, "exchange.bind", exchange_bind},
    {Kind::exchange_bind_ok, "exchange.bind-ok", nothing}, {Kind::exchange_unbind, "exchange.unbind", exchange_bind}, {Kind::exchange_unbind_ok, "exchange.unbind-ok", nothing},
    {Kind::queue_declare, "queue.declare", queue_declare}, {Kind::queue_declare_ok, "queue.declare-ok", queue_declare_ok}, {Kind::queue_bind, "queue.bind", queue_bind},
    {Kind::queue_bind_ok, "queue.bind-ok", nothing}, {Kind::queue_unbind, "queue.unbind", queue_bind}, {Kind::queue_unbind_ok, "queue.unbind-ok", nothing},
    {Kind::queue_purge, "queue.purge", queue_purge}, {Kind::queue_purge_ok, "queue.purge-ok", count}, {Kind::queue_delete, "queue.delete", queue_delete},
    {Kind::queue_delete_ok, "queue.delete-ok", count}, {Kind::basic_qos, "basic.qos", qos}, {Kind::basic_qos_ok, "basic.qos-ok", nothing},
    {Kind::basic_consume, "basic.consume", consume}, {Kind::basic_consume_ok, "basic.consume-ok", tag}, {Kind::basic_cancel, "basic.cancel", tag},
    {Kind::basic_cancel_ok, "basic.cancel-ok", tag}, {Kind::basic_publish, "basic.publish", publish}, {Kind::basic_return, "basic.return", returned},
    {Kind::basic_deliver, "basic.deliver", deliver}, {Kind::basic_get, "basic.get", get}, {Kind::basic_get_ok, "basic.get-ok", deliver},
    {Kind::basic_get_empty, "basic.get-empty", nothing}, {Kind::basic_ack, "basic.ack", ack}, {Kind::basic_reject, "basic.reject", nack},
    {Kind::basic_nack, "basic.nack", nack}, {Kind::basic_recover, "basic.recover", nothing}, {Kind::basic_recover_ok, "basic.recover-ok", nothing},
    {Kind::confirm_select, "confirm.select", nothing}, {Kind::confirm_select_ok, "confirm.select-ok", nothing}, {Kind::tx_select, "tx.select", nothing},
    {Kind::tx_select_ok, "tx.select-ok", nothing}, {Kind::tx_commit, "tx.commit", nothing}, {Kind::tx_commit_ok, "tx.commit-ok", nothing},
    {Kind::tx_rollback, "tx.rollback", nothing}, {Kind::tx_rollback_ok, "tx.rollback-ok", nothing},
    {Kind::stream_store_offset, "stream.store-offset", reference}, {Kind::stream_query_offset, "stream.query-offset", reference},
    {Kind::stream_offset, "stream.offset", reference}, {Kind::stream_query_publisher, "stream.query-publisher", publisher},
    {Kind::stream_publisher_sequence, "stream.publisher-sequence", publisher}, {Kind::stream_consumer_update, "stream.consumer-update", update},
    {Kind::stream_consumer_update_ok, "stream.consumer-update-ok", update},
};

}  // namespace

const char* name(Kind k) {
  for (const Row& r : rows)
    if (r.kind == k) return r.name;
  return "?";
}

const std::vector<MessageDecl>& message_declarations() {
  static const std::vector<MessageDecl> all = [] {
    std::vector<MessageDecl> out;
    for (const Row& r : rows) out.push_back({kind(r.kind), r.name, r.kind == Kind::heartbeat ? Traffic::heartbeat : Traffic::client, r.describe});
    return out;
  }();
  return all;
}

// ---------------------------------------------------------------------------------------------

Tree Broker::state() const {
  Tree t{"broker", alarm() ? "an alarm is on" : "", {}};
  Tree& queues = t.add("queues", std::to_string(durable_.queues.size()));
  for (const auto& [name, record] : durable_.queues) {
    if (host_.has(name)) continue;  // below
    const QueueProcess* p = process(name);
    if (!p) {
      Tree& q = queues.add(name, (record.copies.term > 0 ? "led by " : "lives on ") + cluster_->broker_names[record.broker]);
      if (const MirrorRole* role = mirror_role(name); role && role->mirror) {
        q.add("mirror has", std::to_string(role->mirror->messages().size()));
        if (!role->mirror->synchronised()) q.add("mirror lacks", std::to_string(role->mirror->lacks()));
      }
      continue;
    }
    const std::string& queue = name;  // a lambda of C++20 may capture no part of a binding, says clang
    Tree q = std::visit([&](const auto& machine) { return machine.state(queue); }, p->machine);
    if (!p->mailbox.empty()) q.add("in its mailbox", std::to_string(p->mailbox.size()));
    if (!record.store.empty()) q.add("records in its file", std::to_string(record.store.size()));
    if (record.copies.term > 0) {
      std::string mirrors;
      for (const std::size_t at : record.copies.mirrors) mirrors += fmt::format("{}{}{}", mirrors.empty() ? "" : ", ", cluster_->broker_names[at], record.copies.synced.count(at) ? "" : " (not synchronised)");
      q.add("mirrors", mirrors.empty() ? "none" : mirrors);
      if (const MirrorRole* role = mirror_role(name); role && role->copies.waiting() > 0) q.add("confirms wait for mirrors", std::to_string(role->copies.waiting()));
    }
    queues.children.push_back(std::move(q));
  }
  if (mnesia()) {
    static constexpr const char* apps[] = {"serves clients", "asks the others", "paused in a minority", "restarts for autoheal"};
    Tree& members = t.add("cluster", apps[static_cast<std::size_t>(app_)]);
    for (std::size_t i = 0; i < peers_.size(); ++i)
      if (i != index_) members.add(cluster_->broker_names[i], peers_[i].split ? "partitioned" : peers_[i].up ? "up" : "down");
  }
  Tree quorum = host_.state("quorum queues");
  if (!quorum.children.empty()) t.children.push_back(std::move(quorum));
  Tree& bindings = t.add("bindings", std::to_string(durable_.routing.bindings().size()));
  for (const Binding& b : durable_.routing.bindings()) bindings.add(fmt::format("{} -> {}", b.source, b.destination), b.key);
  Tree& connections = t.add("connections", std::to_string(connections_.size()));
  for (const auto& [id, conn] : connections_) {
    Tree& x = connections.add(fmt::format("connection {}", id), conn.blocked ? "blocked" : conn.in_flow ? "flow" : name(conn.phase));
    if (!conn.unread.empty()) x.add("not read", std::to_string(conn.unread.size()));
    for (const auto& [number, ch] : conn.channels) {
      Tree& y = x.add(fmt::format("channel {}", number), ch.closing ? "closing" : ch.mode == ChannelMode::none ? "" : name(ch.mode));
      for (const auto& [tag, consumer] : ch.consumers) y.add("consumer " + tag, consumer.queue);
      if (ch.prefetch > 0) y.add("prefetch", std::to_string(ch.prefetch));
      if (!ch.unacked.empty()) y.add("unacknowledged", std::to_string(ch.unacked.size()));
      if (!ch.unconfirmed.empty()) y.add("unconfirmed", std::to_string(ch.unconfirmed.size()));
      for (const std::string& q : ch.held_by) y.add("held up by", q);
      if (ch.awaits) y.add("waits for", name(ch.awaits->method));
    }
  }
  return t;
}

}  // namespace mqlab::rabbitmq
