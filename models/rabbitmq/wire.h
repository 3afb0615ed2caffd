// models/rabbitmq/wire.h: one AMQP connection as its client keeps it: handshake, heartbeats, its end.
//
// A plain value. The owner hands it what comes for its connection and asks what news that was; methods of
// channels it does not look at. After `closed` the owner decides when to connect again.
// Sources: AMQP 0-9-1 sections 2.2.4, 4.2.7; docs heartbeats.
//
//     wire.connect(c, broker, {.user = "guest", .heartbeat = 60_s}, timer);
//     switch (wire.on_message(c, m)) { case Wire::News::running: ...
#pragma once

#include <string>

#include "models/rabbitmq/messages.h"
#include "sim/world/world.h"

namespace mqlab::rabbitmq {

struct WireOptions {
  std::string user = "guest";
  Duration heartbeat = 0;             // 0: none
  Duration connection_timeout = 60'000'000'000, handshake_timeout = 10'000'000'000;
  bool blocked_capability = true;
  bool cancel_notify_capability = true;
};

class Wire {
 public:
  enum class Phase : std::uint8_t { closed, connecting, running, closing };
  enum class News : std::uint8_t {
    nothing,
    running,    // channels may be opened
    method,     // of a channel: the owner's business
    closed,     // by the broker, with close_code() and close_text()
    blocked, unblocked
  };

  // `timer` is a kind of the owner's: when it is due with this connection's id, the owner calls on_silence_due.
  void connect(Context& c, NodeId broker, const WireOptions& options, TimerKind timer);
  News on_message(Context& c, const Message& m);
  // Has the broker been silent for too long? Then the connection is given up. Requires: the timer of `connect` is due.
  enum class Silence : std::uint8_t { bearable, no_heartbeat, no_handshake };
  Silence on_silence_due(Context& c);
  // The transport broke, or the owner drops it.
  void drop(Context& c);
  // In good order: connection.close; what was sent before is read.
  void close(Context& c);

  void send(Context& c, std::uint16_t channel, Kind k, PayloadRef payload = nullptr, std::uint32_t bytes = 32) {
    if (id_ != no_connection && c.is_open(id_)) c.send(id_, kind(k), std::move(payload), bytes, channel);
  }
  template <class M>
  void tell(Context& c, std::uint16_t channel, Kind k, M m, std::uint32_t bytes = 32) {
    send(c, channel, k, framed(std::move(m)), bytes);
  }

  Phase phase() const { return phase_; }
  bool running() const { return phase_ == Phase::running; }
  ConnId id() const { return id_; }
  NodeId broker() const { return broker_; }
  bool blocked() const { return blocked_; }
  std::uint16_t close_code() const { return close_code_; }
  const std::string& close_text() const { return close_text_; }

 private:
  void watch_handshake(Context& c);

  Phase phase_ = Phase::closed;
  ConnId id_ = no_connection;
  NodeId broker_ = nobody;
  WireOptions options_{};
  TimerKind timer_kind_ = 0;
  EventId timer_ = no_event;
  Duration heartbeat_ = 0;            // as negotiated: the smaller of both wishes, 0 if one has none
  Time last_received_ = 0;
  bool blocked_ = false;
  std::uint16_t close_code_ = 0;
  std::string close_text_{};
};

}  // namespace mqlab::rabbitmq
