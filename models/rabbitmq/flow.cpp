// Who is held up by whom: credit between reader, channel and queue, the mailbox of a busy queue, the socket.
//
// A process that sends messages to another spends a credit for each, and is granted more when those are handled. A
// channel that a queue holds up goes on handling, but grants its reader nothing; the reader, out of credit, stops
// reading; the socket's buffer fills, and TCP stops the publisher. Nobody is told: the connection is in "flow".
// A quorum queue has no credits: it holds a channel up while many of its commands are not applied.
// Sources: credit_flow.erl, rabbit_reader (control_throttle), rabbit_channel, rabbit_fifo_client (soft_limit); docs
// flow-control.
#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

using Do = QueueOp::Kind;

constexpr Duration flow_shows = 1'000'000'000;  // a connection is said to be in flow for so long after it was

// What a queue's process takes in the order of its mailbox; settlements and credit go before (gen_server2 priorities).
bool in_turn(Do k) { return k != Do::ack && k != Do::requeue && k != Do::discard && k != Do::resume && k != Do::remove; }

}  // namespace

void Broker::spend_credit(Channel& ch, const std::string& queue) {
  std::int64_t& left = ch.queue_credit.try_emplace(queue, credit_initial).first->second;
  if (--left <= 0) ch.held_by.insert(queue);
}

// The queue has taken a message of the channel.
void Broker::grant_credit(const std::string& queue, QueueProcess& p, ChannelId channel) {
  std::int64_t& taken = p.taken[channel];
  if (++taken < credit_more_after) return;
  taken = 0;
  events_.push_back({channel, queue, CreditGranted{credit_more_after}});
}

void Broker::publish_handled(Channel& ch) {
  if (++ch.handled < credit_more_after) return;
  ch.handled = 0;
  if (!ch.held_by.empty()) {
    ch.owed += credit_more_after;
    return;
  }
  ch.reader_credit += credit_more_after;
  to_read_.push_back(ch.connection);
}

void Broker::let_go(Channel& ch, const std::string& queue) {
  if (ch.held_by.erase(queue) == 0 || !ch.held_by.empty()) return;
  ch.reader_credit += std::exchange(ch.owed, 0);
  to_read_.push_back(ch.connection);
}

// The queue is gone, or its node: nobody waits for its word.
void Broker::forget_credit(const std::string& queue) {
  for (auto& [id, conn] : connections_)
    for (auto& [number, ch] : conn.channels) {
      ch.queue_credit.erase(queue);
      let_go(ch, queue);
    }
}

// Quorum queues say no word of their own: their commands are applied, or not.
void Broker::look_at_slow_queues() {
  for (auto it = slowed_.begin(); it != slowed_.end();) {
    Channel* ch = channel_of(*it);
    std::vector<std::string> free;
    bool slow = false;
    if (ch)
      for (const std::string& queue : ch->held_by) {
        if (!host_.has(queue)) continue;  // a classic one
        if (host_.pending(queue, ch->id, soft_limit)) slow = true;
        else free.push_back(queue);
      }
    for (const std::string& queue : free) let_go(*ch, queue);
    it = slow ? std::next(it) : slowed_.erase(it);
  }
}

// ---------------------------------------------------------------------------------------------
// The reader.

void Broker::reader_passed_on(Context& c, Connection& conn, const Message& m) {
  if (m.word == 0) return on_connection_method(c, conn, m);
  if (static_cast<Kind>(m.kind) == Kind::basic_publish)
    if (const auto ch = conn.channels.find(static_cast<std::uint16_t>(m.word)); ch != conn.channels.end() && !ch->second.closing && --ch->second.reader_credit <= 0) {
      conn.in_flow = true;
      if (!conn.flow_ended || c.now() - *conn.flow_ended > flow_shows) c.mark("connection_flow", {}, c.name(conn.peer));
    }
  on_channel_message(c, conn, m);
}

// The reader does not read: it waits in the socket, and when that is full, at the sender.
void Broker::keep_unread(Context& c, Connection& conn, const Message& m) {
  conn.unread.push_back(m);
  conn.unread_bytes += m.size;
  if (conn.window_closed || conn.unread_bytes < cluster_->settings.socket_buffer) return;
  conn.window_closed = true;
  c.take(conn.id, false);
}

// As far as channels and alarms allow.
void Broker::read_again(Context& c, ConnId id) {
  for (;;) {
    const auto it = connections_.find(id);
    if (it == connections_.end()) return;
    Connection& conn = it->second;
    if (conn.in_flow) {
      bool out_of_credit = false;
      for (const auto& [number, ch] : conn.channels) out_of_credit = out_of_credit || ch.reader_credit <= 0;
      if (out_of_credit) return;
      conn.in_flow = false;
      conn.flow_ended = c.now();
      conn.last_received = c.now();
    }
    if (conn.window_closed && conn.unread_bytes < cluster_->settings.socket_buffer / 2) {
      conn.window_closed = false;
      c.take(id, true);
    }
    if (conn.blocked || conn.unread.empty()) return;
    const Message m = conn.unread.front();
    conn.unread.pop_front();
    conn.unread_bytes -= m.size;
    reader_passed_on(c, conn, m);
  }
}

// ---------------------------------------------------------------------------------------------
// The queue's process.

// True: it waits in the mailbox, behind the message that the process is busy with.
bool Broker::wait_turn(Context& c, const QueueOp& op) {
  const Duration service = cluster_->settings.queue_service;
  if (service == 0 || !in_turn(op.kind)) return false;
  const auto it = processes_.find(op.queue);
  if (it == processes_.end() || !std::holds_alternative<ClassicQueue>(it->second.machine)) return false;
  QueueProcess& p = it->second;
  if (p.mailbox.empty() && op.kind != Do::publish) return false;
  p.mailbox.push_back(op);
  if (p.busy == no_event) p.busy = c.set_timer(service, timer_free, durable_.queues.at(op.queue).file);
  return true;
}

// It is done with the first: what follows at once, up to the next message.
void Broker::on_queue_free(Context& c, FileId file) {
  const std::string* name = queue_of_file(file);
  if (!name) return;
  const std::string queue = *name;
  const auto it = processes_.find(queue);
  if (it == processes_.end()) return;
  it->second.busy = no_event;
  bool first = true;
  for (;;) {
    const auto now = processes_.find(queue);
    if (now == processes_.end() || now->second.mailbox.empty()) return;
    QueueProcess& p = now->second;
    if (!first && p.mailbox.front().kind == Do::publish) {
      p.busy = c.set_timer(cluster_->settings.queue_service, timer_free, file);
      return;
    }
    first = false;
    const QueueOp op = std::move(p.mailbox.front());
    p.mailbox.pop_front();
    process_op(c, op);
  }
}

}  // namespace mqlab::rabbitmq
