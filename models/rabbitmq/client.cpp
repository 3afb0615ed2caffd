// The client's life, its connections, and who carries out which call.
#include "models/rabbitmq/client.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab::rabbitmq {

Client::Client(ClusterRef cluster, std::unique_ptr<App> app, Setup setup)
    : ClientNodeBase<Client>(std::move(app), setup.consumer.group), cluster_(std::move(cluster)), setup_(std::move(setup)) {}

void Client::on_start(Context& c) {
  const std::size_t drawn = c.random().below(cluster_->brokers.size());
  next_broker_ = drawn;
  for (std::size_t i = 0; i < cluster_->broker_names.size(); ++i)
    if (cluster_->broker_names[i] == setup_.link.connects_to) next_broker_ = i;
  const bool both = setup_.produces && (setup_.consumes || setup_.last_reader) && !setup_.link.shared_connection;
  if (setup_.produces || setup_.link.shared_connection) connect(c, 0);
  if ((both || !setup_.produces) && !setup_.link.shared_connection) connect(c, 1);
  if (setup_.last_reader) start_last_reader(c);
  start_app(c);
  work(c);
}

void Client::on_crash(const Crash&) {
  crash_app();
  wires_[0] = wires_[1] = Wire{};
  next_channel_ = 1;
  publish_channel_ = tx_channel_ = consume_channel_ = 0;
  publisher_ready_ = publisher_ended_ = tx_open_ = receiver_open_ = false;
  next_number_ = 1;
  waiting_.clear();
  unconfirmed_.clear();
  refused_sends_.clear();
  returned_.clear();
  sequence_calls_.clear();
  given_publishing_id_ = 0;
  given_headers_ = {};
  rebalance_ = {};
  store_timer_ = false;
  publishing_ids_.clear();
  send_timer_ = poll_timer_ = no_event;
  send_due_ = time_max;
  tx_calls_.clear();
  readings_.clear();
  buffer_.clear();
  in_hand_.clear();
  poll_ = close_call_ = 0;
  refused_.clear();
  reader_ = {};
}

// What it holds goes back to its queues when the connection is closed.
void Client::on_stop(Context& c) {
  for (Wire& w : wires_) w.close(c);
  c.exit();
}

void Client::connect(Context& c, std::size_t wire) {
  const NodeId broker = cluster_->brokers[next_broker_ % cluster_->brokers.size()];
  wires_[wire].connect(c, broker, {.heartbeat = setup_.link.heartbeat, .connection_timeout = setup_.link.connection_timeout, .handshake_timeout = setup_.link.handshake_timeout}, timer_beat);
}

// Another broker is tried next; the rest before it is the library's own (networkRecoveryInterval).
void Client::wire_lost(Context& c, std::size_t wire, const std::string& why) {
  wires_[wire].drop(c);
  c.mark("connection_lost", {}, why);
  if (wire == 0) publisher_lost(c, why);
  if (wire == 1 || setup_.link.shared_connection) {
    receiver_lost(c, why);
    refused_.clear();
  }
  ++next_broker_;
  if (wire == 0 && publisher_ended_ && !setup_.link.shared_connection) return;
  c.set_timer(setup_.link.recovery_interval, timer_reconnect, wire);
}

void Client::on_message(Context& c, const Message& m) {
  if (service_message(c, m)) return;
  for (std::size_t i = 0; i < 2; ++i) {
    Wire& w = wires_[i];
    if (w.id() != m.connection || w.phase() == Wire::Phase::closed) continue;
    const auto channel = static_cast<std::uint16_t>(m.word);
    switch (w.on_message(c, m)) {
      case Wire::News::running:
        if (i == 0 && setup_.produces && !publisher_ended_) open_publisher(c);
        if (i == 1 || setup_.link.shared_connection) open_receiver(c);
        break;
      case Wire::News::closed: wire_lost(c, i, w.close_text()); break;
      case Wire::News::method:
        if (setup_.last_reader) on_last_reader_method(c, m);
        else if (channel == consume_channel_) on_receiver_method(c, m);
        else on_publisher_method(c, m);
        break;
      default: break;
    }
    break;
  }
  work(c);
}

void Client::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (app_timer(c, kind, argument)) {
    work(c);
    return;
  }
  if (kind == timer_beat) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (wires_[i].id() != argument || wires_[i].phase() == Wire::Phase::closed) continue;
      const Wire::Silence s = wires_[i].on_silence_due(c);
      if (s == Wire::Silence::bearable) continue;
      const bool handshake = s == Wire::Silence::no_handshake;
      c.mark(handshake ? "handshake_timed_out" : "heartbeat_missed", {}, fmt::format("nothing from {}", c.name(wires_[i].broker())));
      wire_lost(c, i, handshake ? "HANDSHAKE_TIMED_OUT" : "HEARTBEAT_MISSED");
    }
  } else if (kind == timer_reconnect) {
    if (wires_[argument].phase() == Wire::Phase::closed) connect(c, argument);
  } else if (kind == timer_send) {
    send_timer_ = no_event;
    send_due_ = time_max;
    expire_sends(c);
  } else if (kind == timer_refused && !refused_sends_.empty()) {
    auto [id, answer] = std::move(refused_sends_.front());
    refused_sends_.pop_front();
    complete(c, id, std::move(answer));
  } else if (kind == timer_poll && poll_ == argument) {
    poll_timer_ = no_event;
    answer_poll(c, true);
  } else if (kind == timer_store) {
    on_store_timer(c);
  } else if (kind == timer_reopen) {
    if (consume_wire().running() && consume_channel_ == 0) open_receiver(c);
  } else if (kind == timer_look) {
    if (argument == 1) reader_.grace_over = true;
    else look_at_queue(c);
  }
  work(c);
}

void Client::on_closed(Context& c, ConnId connection, NodeId, CloseReason reason) {
  if (service_closed(c, connection, reason)) return;
  for (std::size_t i = 0; i < 2; ++i)
    if (wires_[i].id() == connection && wires_[i].phase() != Wire::Phase::closed) wire_lost(c, i, "CONNECTION_CLOSED");
  work(c);
}

// The broker reads again: a write that would have blocked goes on.
void Client::on_writable(Context& c, ConnId) { work(c); }

void Client::work(Context& c) {
  publish_waiting(c);
  answer_poll(c, false);
}

Answer Client::outcome(Context& c, Outcome o, const std::string& error) {
  Answer a;
  a.outcome = o;
  if (!error.empty()) a.error = c.names().id(error);
  return a;
}

void Client::perform(Context& c, const Call& call) {
  switch (call.kind) {
    case CallKind::send: send_call(c, call); break;
    case CallKind::subscribe:
    case CallKind::assign: read_call(c, call); break;
    case CallKind::unsubscribe:
    case CallKind::close: stop_call(c, call); break;
    case CallKind::poll: poll_call(c, call); break;
    case CallKind::ack:
    case CallKind::release:
    case CallKind::reject: settle_call(c, call); break;
    case CallKind::commit:
      // Streams know positions; what a queue has handed over is acknowledged.
      commit_offsets(c, call);
      settle_last_poll(c);
      complete(c, call.id, Answer{});
      break;
    case CallKind::pause:
    case CallKind::resume: pause_call(c, call); break;
    case CallKind::begin:
    case CallKind::end_commit:
    case CallKind::end_abort: transaction_call(c, call); break;
    case CallKind::other: other_call(c, call); break;
    default: complete(c, call.id, outcome(c, Outcome::fail, "UNSUPPORTED")); break;
  }
  c.set_timer(0, timer_wake);  // the application's own handler ends first
}

Tree Client::state() const {
  Tree t{"client", {}, {}};
  const auto wire = [&](const char* what, const Wire& w) {
    static constexpr const char* words[] = {"closed", "connecting", "open", "closing"};
    t.add(what, fmt::format("{}{}", words[static_cast<std::size_t>(w.phase())], w.blocked() ? ", blocked by the broker" : ""));
  };
  if (setup_.produces) {
    wire("connection", wires_[0]);
    t.add("unconfirmed", std::to_string(unconfirmed_.size()));
    t.add("sends that wait", std::to_string(waiting_.size()));
  }
  if (setup_.consumes) {
    if (!setup_.link.shared_connection) wire("connection to consume", wires_[1]);
    for (const Reading& r : readings_) t.add("consumer of " + r.queue, r.consuming ? "consuming" : "not yet");
    t.add("deliveries not handed over", std::to_string(buffer_.size()));
    t.add("not settled", std::to_string(in_hand_.size()));
  }
  if (app()) t.children.push_back(app()->state());
  return t;
}

}  // namespace mqlab::rabbitmq
