#include "models/rabbitmq/wire.h"

#include <algorithm>

namespace mqlab::rabbitmq {

void Wire::connect(Context& c, NodeId broker, const WireOptions& options, TimerKind timer) {
  *this = Wire{};
  phase_ = Phase::connecting;
  broker_ = broker;
  options_ = options;
  timer_kind_ = timer;
  last_received_ = c.now();
  id_ = c.connect(broker, Traffic::client);
  send(c, 0, Kind::protocol_header, nullptr, 8);
  timer_ = c.set_timer(options_.connection_timeout, timer_kind_, id_);
}

// The client learns of an open socket by what it hears: until then it waits as for one, and then as for the next step.
void Wire::watch_handshake(Context& c) {
  if (phase_ != Phase::connecting) return;
  if (timer_ != no_event) c.cancel_timer(timer_);
  timer_ = c.set_timer(options_.handshake_timeout, timer_kind_, id_);
}

Wire::News Wire::on_message(Context& c, const Message& m) {
  last_received_ = c.now();
  watch_handshake(c);
  if (m.word != 0) return phase_ == Phase::running ? News::method : News::nothing;
  switch (static_cast<Kind>(m.kind)) {
    case Kind::connection_start:
      tell(c, 0, Kind::connection_start_ok, ConnectionStartOk{options_.user, options_.blocked_capability, options_.cancel_notify_capability}, 200);
      return News::nothing;
    case Kind::connection_tune: {
      const Duration suggested = method_as<ConnectionTune>(m.payload).heartbeat;
      heartbeat_ = options_.heartbeat == 0 || suggested == 0 ? std::max(options_.heartbeat, suggested) : std::min(options_.heartbeat, suggested);
      if (options_.heartbeat == 0) heartbeat_ = 0;
      tell(c, 0, Kind::connection_tune_ok, ConnectionTune{.heartbeat = heartbeat_});
      tell(c, 0, Kind::connection_open, ConnectionOpen{});
      return News::nothing;
    }
    case Kind::connection_open_ok:
      phase_ = Phase::running;
      if (timer_ != no_event) c.cancel_timer(timer_);
      timer_ = heartbeat_ > 0 ? c.set_timer(heartbeat_ / 2, timer_kind_, id_) : no_event;
      return News::running;
    case Kind::connection_close: {
      const Close& close = method_as<Close>(m.payload);
      const std::uint16_t code = close.code;
      const std::string text = close.text;
      send(c, 0, Kind::connection_close_ok);
      drop(c);
      close_code_ = code;
      close_text_ = text;
      return News::closed;
    }
    case Kind::connection_close_ok: drop(c); return News::closed;
    case Kind::connection_blocked: blocked_ = true; return News::blocked;
    case Kind::connection_unblocked: blocked_ = false; return News::unblocked;
    default: return News::nothing;
  }
}

Wire::Silence Wire::on_silence_due(Context& c) {
  timer_ = no_event;
  if (phase_ == Phase::connecting) return Silence::no_handshake;
  if (c.now() - last_received_ >= 2 * heartbeat_) return Silence::no_heartbeat;
  send(c, 0, Kind::heartbeat, nullptr, 8);
  timer_ = c.set_timer(heartbeat_ / 2, timer_kind_, id_);
  return Silence::bearable;
}

void Wire::drop(Context& c) {
  if (timer_ != no_event) c.cancel_timer(timer_);
  if (id_ != no_connection && c.is_open(id_)) c.close(id_);
  const NodeId broker = broker_;
  *this = Wire{};
  broker_ = broker;
}

void Wire::close(Context& c) {
  if (phase_ == Phase::closed) return;
  tell(c, 0, Kind::connection_close, Close{200, "Goodbye", ""});
  phase_ = Phase::closing;
}

}  // namespace mqlab::rabbitmq
