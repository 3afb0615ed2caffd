// A node among others: who can be reached, metadata, operations on queues that live elsewhere.
#include "models/rabbitmq/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

constexpr Duration reconnect = 1'000'000'000;
constexpr MessageKind cluster_welcome_kind = 196;  // the answer to a hello

std::string op_text(const Payload& p) {
  const auto& op = static_cast<const Frame<QueueOp>&>(p).method;
  return fmt::format("{} '{}'", name(op.kind), op.queue);
}
std::string event_text(const Payload& p) { return fmt::format("'{}'", static_cast<const Frame<QueueEvent>&>(p).method.queue); }

std::string autoheal_text(const Payload& p) {
  static constexpr const char* steps[] = {"request_start", "status wanted", "status", "become_winner", "winner_is", "safe_to_start"};
  return steps[static_cast<std::size_t>(static_cast<const Frame<Autoheal>&>(p).method.step)];
}

std::string partial_text(const Payload& p) {
  static constexpr const char* steps[] = {"check", "probe", "probe answer", "found", "disconnect"};
  return steps[static_cast<std::size_t>(static_cast<const Frame<PartialPartition>&>(p).method.step)];
}

}  // namespace

const std::vector<MessageDecl>& cluster_message_declarations() {
  static const std::vector<MessageDecl> all = {
      {cluster_hello_kind, "cluster.hello", Traffic::control, nullptr},       {cluster_tick_kind, "cluster.tick", Traffic::heartbeat, nullptr},
      {cluster_metadata_kind, "cluster.metadata", Traffic::control, nullptr}, {cluster_change_kind, "cluster.change", Traffic::control, nullptr},
      {cluster_welcome_kind, "cluster.welcome", Traffic::control, nullptr},   {cluster_app_down_kind, "cluster.app-down", Traffic::control, nullptr},
      {cluster_autoheal_kind, "cluster.autoheal", Traffic::control, autoheal_text}, {cluster_partial_kind, "cluster.partial-partition", Traffic::control, partial_text},
      {cluster_op_kind, "queue.op", Traffic::replication, op_text},           {cluster_event_kind, "queue.event", Traffic::replication, event_text}};
  return all;
}

std::optional<std::size_t> Broker::broker_index(NodeId n) const {
  for (std::size_t i = 0; i < cluster_->brokers.size(); ++i)
    if (cluster_->brokers[i] == n) return i;
  return std::nullopt;
}

void Broker::join_cluster(Context& c) {
  peers_.assign(cluster_->brokers.size(), Peer{});
  if (cluster_->brokers.size() < 2) return;
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (i != index_) greet(c, i, true);
  c.set_timer(cluster_->settings.net_ticktime / 4, timer_tick);
}

void Broker::greet(Context& c, std::size_t peer, bool began) {
  Peer& p = peers_[peer];
  p.connection = c.connect(cluster_->brokers[peer], Traffic::control);
  p.heard = c.now();
  c.send(p.connection, cluster_hello_kind, framed(ClusterHello{began}), 64);
}

void Broker::tell_peers(Context& c, const MetadataChange& change) {
  for (const Peer& p : peers_)
    if (p.up && c.is_open(p.connection)) c.send(p.connection, cluster_change_kind, framed(change), 128);
}

void Broker::on_cluster(Context& c, std::size_t from, const Message& m) {
  Peer& p = peers_[from];
  p.heard = c.now();
  if (mnesia()) {
    if (m.kind == cluster_hello_kind) return on_hello(c, from, m.connection, method_as<ClusterHello>(m.payload));
    if (m.connection != p.connection) return;  // what an earlier connection had under way does not count
    p.missed = 0;
    switch (m.kind) {
      case cluster_app_down_kind:
        if (p.up) peer_down(c, from, "its application stopped");
        p.split = p.seen_down = false;
        p.life = 0;
        if (healing_) heal_step(c);
        return;
      case cluster_partial_kind: return on_partial(c, from, method_as<PartialPartition>(m.payload));
      case cluster_autoheal_kind: return on_autoheal(c, from, method_as<Autoheal>(m.payload));
      case cluster_tick_kind: return;
      case cluster_metadata_kind: return on_metadata(c, from, method_as<ClusterMetadata>(m.payload));
      default: break;
    }
    if (!p.up) return;  // partitioned, or from before it was seen to go
    if (m.kind >= mirror_begins_kind && m.kind <= mirror_stops_kind) return on_mirror(c, from, m);
    if (m.kind == cluster_op_kind) {
      // It may be led elsewhere by now, and the sender learns of that: nothing goes around in circles.
      const auto& op = method_as<QueueOp>(m.payload);
      const auto q = durable_.queues.find(op.queue);
      if (app_ != App::runs || (q != durable_.queues.end() && q->second.copies.term > 0 && !leads(op.queue))) return refuse_op(op);
    }
  }
  switch (m.kind) {
    case cluster_hello_kind: {
      const bool began = method_as<ClusterHello>(m.payload).began;
      if (began && p.up) {
        // What there was between them was with an earlier life of it.
        peer_down(c, from, "it began anew");
        if (p.connection != no_connection && c.is_open(p.connection)) c.close(p.connection);
        p.connection = no_connection;
      }
      if (p.connection == no_connection || !c.is_open(p.connection)) p.connection = c.connect(m.from, Traffic::control);
      c.send(p.connection, cluster_welcome_kind, nullptr, 64);
      if (!std::exchange(p.up, true)) c.mark("node_up", {}, c.name(m.from));
      // A node that begins takes over what those have who were there before it.
      if (began && c.now() > started_at_ + reconnect) {
        c.send(p.connection, cluster_metadata_kind, framed(metadata()), 1024);
      }
      return;
    }
    case cluster_welcome_kind:
      if (!std::exchange(p.up, true)) c.mark("node_up", {}, c.name(m.from));
      return;
    case cluster_metadata_kind: return take_over(c, method_as<ClusterMetadata>(m.payload));
    case cluster_change_kind: return apply_change(c, method_as<MetadataChange>(m.payload));
    case cluster_op_kind: ops_.push_back(method_as<QueueOp>(m.payload)); return;
    case cluster_event_kind: events_.push_back(method_as<QueueEvent>(m.payload)); return;
    default: return;
  }
}

void Broker::take_over(Context& c, const ClusterMetadata& all) {
  std::vector<std::string> gone;
  for (const auto& [name, q] : durable_.queues)
    if (!all.queues.count(name)) gone.push_back(name);
  for (const std::string& name : gone) erase_queue(c, name);
  for (const auto& [name, q] : all.queues)
    if (!durable_.queues.count(name) && q.broker != index_) add_queue(c, q, no_connection);
  durable_.routing = all.routing;
  // Its own transient queues ended with it.
  std::vector<std::string> mine;
  for (const auto& [name, q] : all.queues)
    if (q.broker == index_ && !durable_.queues.count(name)) mine.push_back(name);
  for (const std::string& name : mine) durable_.routing.remove_queue(name);
}

void Broker::apply_change(Context& c, const MetadataChange& change) {
  Routing& r = durable_.routing;
  if (const auto* x = std::get_if<ExchangeDeclared>(&change)) r.declare_exchange(x->exchange);
  else if (const auto* x = std::get_if<ExchangeDeleted>(&change)) r.delete_exchange(x->name);
  else if (const auto* x = std::get_if<Bound>(&change)) x->unbound ? r.unbind(x->binding) : r.bind(x->binding);
  else if (const auto* x = std::get_if<QueueCreated>(&change)) {
    if (!durable_.queues.count(x->queue.spec.name)) add_queue(c, x->queue, no_connection);
  } else if (const auto* x = std::get_if<CopiesChanged>(&change)) {
    apply_copies(c, *x);
  } else {
    erase_queue(c, std::get<QueueErased>(change).name);
  }
}

// rabbit_amqqueue:on_node_down, rabbit_channel (DOWN of a queue or of a channel's process).
void Broker::peer_down(Context& c, std::size_t peer, const char* why) {
  Peer& p = peers_[peer];
  if (!p.up) return;
  p.up = false;
  durable_.running.erase(peer);
  const NodeId node = cluster_->brokers[peer];
  c.mark("node_down", {}, fmt::format("{}: {}", c.name(node), why));
  std::vector<std::string> gone;
  for (auto& [name, process] : processes_) {
    std::set<ChannelId> channels;
    const auto note = [&](ChannelId id) {
      if (node_of(id) == node) channels.insert(id);
    };
    if (const auto* q = std::get_if<ClassicQueue>(&process.machine)) {
      for (const auto& [id, u] : q->unacked()) note(u.channel);
      for (const ConsumerKey& k : q->consumers()) note(k.channel);
    } else {
      for (const ConsumerKey& k : std::get<StreamQueue>(process.machine).consumers()) note(k.channel);
    }
    for (const ChannelId id : channels) ask({.kind = QueueOp::Kind::channel_down, .queue = name, .channel = id});
  }
  for (const auto& [name, q] : durable_.queues)
    if (q.broker == peer && queue_type(q.spec) != QueueType::quorum && q.copies.mirrors.empty()) {
      queue_unreachable(c, name);
      if (!q.spec.durable) gone.push_back(name);
    }
  for (const std::string& name : gone) erase_queue(c, name);
  copies_down(c, peer);
}

// Its home is down: publishes that wait are refused, consumers cancelled, questions answered.
void Broker::queue_unreachable(Context& c, const std::string& queue) {
  forget_credit(queue);
  for (auto& [id, conn] : connections_)
    for (auto& [number, ch] : conn.channels) {
      std::vector<std::uint64_t> open;
      for (const auto& [publish, queues] : ch.unconfirmed)
        if (queues.count(queue)) open.push_back(publish);
      for (const std::uint64_t publish : open) confirm(ch, publish, queue, true);
      std::vector<std::string> tags;
      for (const auto& [tag, consumer] : ch.consumers)
        if (consumer.queue == queue) tags.push_back(tag);
      for (const std::string& tag : tags) events_.push_back({ch.id, queue, CancelConsumer{{ch.id, tag}}});
      if (ch.awaits && ch.awaits->queue == queue) events_.push_back({ch.id, queue, QueueAnswer{.of = QueueOp::Kind::status, .error = home_is_down(queue)}});
    }
  (void)c;
}

AmqpError Broker::home_is_down(const std::string& queue) const {
  const auto it = durable_.queues.find(queue);
  const std::string home = it == durable_.queues.end() ? "?" : cluster_->broker_names[it->second.broker];
  return not_found(fmt::format("home node 'rabbit@{}' of durable {} is down or inaccessible", home, resource_text("queue", queue)));
}

// An operation on a queue that lives elsewhere.
void Broker::forward(Context& c, const QueueOp& op, std::size_t home) {
  const Peer& p = peers_[home];
  if (p.up && c.is_open(p.connection)) {
    c.send(p.connection, cluster_op_kind, framed(op), 64 + (op.content ? op.content->size : 0));
    return;
  }
  refuse_op(op);
}

void Broker::refuse_op(const QueueOp& op) {
  if (op.kind == QueueOp::Kind::publish && op.publish.channel != no_channel) events_.push_back({op.publish.channel, op.queue, Reject{op.publish}});
  else if (op.again) events_.push_back({op.channel, op.queue, CancelConsumer{op.consumer.key}});
  else if (is_call(op.kind) && op.channel != no_channel) events_.push_back({op.channel, op.queue, QueueAnswer{.of = op.kind, .error = home_is_down(op.queue)}});
}

// True when the event was for a channel of another node: it is on its way there.
bool Broker::forward_event(Context& c, const QueueEvent& e) {
  const auto peer = broker_index(node_of(e.channel));
  if (!peer || *peer == index_) return false;
  const Peer& p = peers_[*peer];
  if (p.up && c.is_open(p.connection)) {
    const auto* d = std::get_if<Deliver>(&e.what);
    c.send(p.connection, cluster_event_kind, framed(e), 64 + (d ? d->content->size : 0));
  }
  return true;
}

void Broker::tick(Context& c) {
  c.set_timer(cluster_->settings.net_ticktime / 4, timer_tick);
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (i == index_) continue;
    Peer& p = peers_[i];
    if (p.up && c.now() - p.heard >= cluster_->settings.net_ticktime) {
      peer_down(c, i, "nothing was heard of it");
      c.close(p.connection);
      p.connection = no_connection;
    }
    if (p.connection == no_connection || !c.is_open(p.connection)) greet(c, i, false);
    else if (!p.up) c.send(p.connection, cluster_hello_kind, framed(ClusterHello{false}), 64);
    else c.send(p.connection, cluster_tick_kind, nullptr, 16);
  }
}

// True when the connection was to or from a node of the cluster.
bool Broker::cluster_closed(Context& c, ConnId connection, NodeId from, CloseReason reason) {
  const auto peer = broker_index(from);
  if (!peer) return false;
  if (mnesia()) return member_closed(c, connection, *peer, reason);
  Peer& p = peers_[*peer];
  peer_down(c, *peer, "the connection broke");
  if (p.connection == connection) {
    p.connection = no_connection;
    c.set_timer(reconnect, timer_greet, *peer);
  } else if (p.connection != no_connection && c.is_open(p.connection)) {
    // The other gave this node up; if it lives, it is to hear of it again.
    c.send(p.connection, cluster_hello_kind, framed(ClusterHello{false}), 64);
  }
  return true;
}

}  // namespace mqlab::rabbitmq
