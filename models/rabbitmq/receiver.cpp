// Reads: the consuming channel, deliveries, polls, acknowledgements.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/rabbitmq/client.h"
#include "models/rabbitmq/model_parts.h"
#include "sim/world/routed.h"

namespace mqlab::rabbitmq {

bool Client::reads(const std::string& queue) const {
  return std::any_of(readings_.begin(), readings_.end(), [&](const Reading& r) { return r.queue == queue; });
}

bool Client::receiver_ready(const std::set<std::string>& gone) const {
  return !refused_.empty() || std::all_of(readings_.begin(), readings_.end(), [&](const Reading& r) { return r.consuming || r.cancelled || gone.count(r.queue) > 0; });
}

// The queues of these topics, for its group or for itself.
void Client::read_call(Context& c, const Call& call) {
  std::vector<std::string> names;
  if (call.kind == CallKind::assign) names = {c.names().text(call.place)};
  else
    for (std::size_t at = 0; at <= call.argument.size();) {
      const std::size_t comma = std::min(call.argument.find(',', at), call.argument.size());
      if (comma > at) names.push_back(call.argument.substr(at, comma - at));
      at = comma + 1;
    }
  for (const std::string& name : names) {
    std::optional<std::int32_t> partition;
    const TopicPlan* topic = cluster_->place(name, partition);
    if (!setup_.consumes || !topic) {
      complete(c, call.id, outcome(c, Outcome::fail, fmt::format("NOT_FOUND - no topic '{}'", name)));
      return;
    }
    const std::string subscription = setup_.consumer.group.empty() ? c.name(c.self()) : setup_.consumer.group;
    for (const QueuePlan* q : cluster_->queues_of(*topic, subscription)) {
      if (partition && q->partition != *partition) continue;
      if (reads(q->spec.name)) {
        for (Reading& r : readings_)
          if (r.queue == q->spec.name && std::exchange(r.cancelled, false) && receiver_open_) consume(c, r);
        continue;
      }
      Reading r;
      r.queue = q->spec.name;
      r.place = c.names().id(topic->place(q->partition));
      r.stream = topic->type == QueueType::stream;
      if (r.stream && call.position >= 0) r.next_offset = call.position;
      readings_.push_back(std::move(r));
      if (receiver_open_) consume(c, readings_.back());
    }
  }
  if (consume_wire().running() && consume_channel_ == 0) open_receiver(c);
  complete(c, call.id, Answer{});
}

void Client::open_receiver(Context& c) {
  if (setup_.last_reader) {
    reader_.channel = consume_channel_ = next_channel_++;
    reader_.ready = false;
    consume_wire().send(c, consume_channel_, Kind::channel_open);
    return;
  }
  if (readings_.empty()) return;
  consume_channel_ = next_channel_++;
  ++channel_number_;
  receiver_open_ = true;
  consume_wire().send(c, consume_channel_, Kind::channel_open);
  if (!setup_.consumer.auto_ack || setup_.consumer.prefetch > 0) consume_wire().tell(c, consume_channel_, Kind::basic_qos, BasicQos{0, setup_.consumer.prefetch, false});
  if (setup_.consumer.channel_prefetch > 0) consume_wire().tell(c, consume_channel_, Kind::basic_qos, BasicQos{0, setup_.consumer.channel_prefetch, true});
  for (Reading& r : readings_)
    if (!r.cancelled) consume(c, r);
}

// The queue is declared first: it may not be there, and if it is, nothing happens.
void Client::consume(Context& c, Reading& r) {
  const QueuePlan& plan = *cluster_->queue(r.queue);
  QueueDeclare d;
  d.queue = r.queue;
  d.durable = plan.spec.durable;
  d.auto_delete = plan.spec.auto_delete;
  d.args = plan.spec.args;
  consume_wire().tell(c, consume_channel_, Kind::queue_declare, std::move(d));
  if (const Binding binding = binding_of(*cluster_, plan); plan.bound) consume_wire().tell(c, consume_channel_, Kind::queue_bind, QueueBind{r.queue, plan.topic, binding.key, binding.args});
  BasicConsume m;
  m.queue = r.queue;
  r.tag = fmt::format("{}.{}", c.name(c.self()), r.queue);
  m.tag = r.tag;
  m.no_ack = setup_.consumer.auto_ack && !r.stream;
  m.exclusive = setup_.consumer.exclusive;
  if (setup_.consumer.priority != 0) m.args.set("x-priority", FieldValue(static_cast<std::int64_t>(setup_.consumer.priority)));
  if (r.stream && r.next_offset >= 0) m.args.set("x-stream-offset", FieldValue(r.next_offset));
  else if (r.stream) m.args.set("x-stream-offset", setup_.consumer.stream_offset);
  if (in_stream_group(r)) add_group(m.args, plan);
  consume_wire().tell(c, consume_channel_, Kind::basic_consume, std::move(m));
}

void Client::on_receiver_method(Context& c, const Message& m) {
  switch (static_cast<Kind>(m.kind)) {
    case Kind::basic_consume_ok: {
      const std::string& tag = method_as<ConsumerTag>(m.payload).tag;
      for (Reading& r : readings_) {
        if (r.tag != tag || r.consuming) continue;
        r.consuming = true;
        refused_.clear();
        if (in_stream_group(r)) continue;  // it may not be the active one
        record_assignment(c, r.place, true, r.next_offset, op_flag::assigned);
      }
      break;
    }
    case Kind::basic_deliver: on_delivery(c, method_as<BasicDeliver>(m.payload)); break;
    case Kind::stream_consumer_update:
    case Kind::stream_offset: on_stream_method(c, m); break;
    case Kind::basic_cancel: {
      // The queue is gone, or its leader: the consumer begins anew after a rest.
      const std::string& tag = method_as<ConsumerTag>(m.payload).tag;
      c.mark("consumer_cancelled", {}, tag);
      consume_wire().tell(c, consume_channel_, Kind::channel_close, Close{200, "", ""});
      receiver_lost(c, "CONSUMER_CANCELLED");
      c.set_timer(setup_.link.recovery_interval, timer_reopen);
      break;
    }
    case Kind::channel_close: {
      const std::string why = method_as<Close>(m.payload).text;
      consume_wire().send(c, consume_channel_, Kind::channel_close_ok);
      c.mark("channel_closed", {}, why);
      receiver_lost(c, why);
      c.set_timer(setup_.link.recovery_interval, timer_reopen);
      break;
    }
    case Kind::channel_close_ok:
      receiver_lost(c, "CLOSED");
      if (close_call_ != 0) {
        for (const Reading& r : readings_) record_assignment(c, r.place, false, -1, 0);
        readings_.clear();
        complete(c, std::exchange(close_call_, 0), Answer{});
      }
      break;
    default: break;
  }
}

// The channel is gone, and with it what it delivered: the queues give it to others, or to this client again.
void Client::receiver_lost(Context& c, const std::string& why) {
  refused_ = why;
  consume_channel_ = 0;
  receiver_open_ = false;
  reader_.ready = false;
  for (Reading& r : readings_) {
    r.consuming = false;
    if (in_stream_group(r)) give_up(c, r);
  }
  // A stream is read on from the first message that the application has not got.
  for (auto d = buffer_.rbegin(); d != buffer_.rend(); ++d)
    if (d->record.position >= 0) readings_[d->reading].next_offset = d->record.position;
  buffer_.clear();
  if (!setup_.consumer.reuses_tags) in_hand_.clear();
}

void Client::on_delivery(Context& c, const BasicDeliver& m) {
  std::size_t reading = 0;
  while (reading < readings_.size() && readings_[reading].tag != m.tag) ++reading;
  if (reading == readings_.size()) return;
  Reading& r = readings_[reading];
  Delivery d;
  d.tag = m.delivery_tag;
  d.channel = channel_number_;
  d.reading = reading;
  d.record.place = r.place;
  d.record.message = m.content->message;
  d.record.key = m.content->key;
  d.content = m.content;
  d.headers = m.headers;
  if (const FieldValue* offset = m.headers.find("x-stream-offset")) {
    d.record.position = offset->number;
    r.next_offset = offset->number + 1;
  } else {
    d.record.flags |= op_flag::shared;
  }
  if (m.redelivered) d.record.flags |= op_flag::redelivered;
  if (const FieldValue* count = m.headers.find("x-delivery-count")) d.record.attempt = static_cast<std::uint8_t>(std::min<std::int64_t>(255, count->number + 1));
  if (!m.content->deaths.empty()) d.record.flags |= op_flag::dead_letter;
  else if (m.exchange != cluster_->queue(r.queue)->topic) d.record.flags |= op_flag::routed;
  buffer_.push_back(std::move(d));
  (void)c;
}

// ---------------------------------------------------------------------------------------------
// Polls and what is settled.

void Client::poll_call(Context& c, const Call& call) {
  if (poll_ != 0) return complete(c, call.id, outcome(c, Outcome::fail, "POLL_UNDER_WAY"));
  if (!setup_.consumer.explicit_acks) settle_last_poll(c);
  poll_ = call.id;
  poll_call_ = call;
  poll_timer_ = c.set_timer(call.timeout, timer_poll, call.id);
}

void Client::answer_poll(Context& c, bool due) {
  if (poll_ == 0 || app_stands(c)) return;
  Answer a;
  const std::uint32_t most = poll_call_.count == 0 ? 500 : poll_call_.count;
  std::deque<Delivery> kept;
  while (!buffer_.empty() && a.messages.size() < most) {
    Delivery d = std::move(buffer_.front());
    buffer_.pop_front();
    if (d.reading < readings_.size() && readings_[d.reading].paused) {
      kept.push_back(std::move(d));
      continue;
    }
    a.messages.push_back(d.record);
    if (d.record.position >= 0) readings_[d.reading].handed = d.record.position + 1;
    in_hand_.push_back(std::move(d));
  }
  for (auto it = kept.rbegin(); it != kept.rend(); ++it) buffer_.push_front(std::move(*it));
  if (a.messages.empty() && !due && rebalance_.empty()) return;
  a.rebalance = std::exchange(rebalance_, Rebalance{});
  if (poll_timer_ != no_event) c.cancel_timer(poll_timer_);
  poll_timer_ = no_event;
  complete(c, std::exchange(poll_, 0), std::move(a));
  if (setup_.consumer.auto_ack) {
    for (const Delivery& d : in_hand_) note_ack(c, d, false);
    in_hand_.clear();
  } else if (setup_.consumer.early_ack) {
    settle_last_poll(c);
  }
}

// All that the application has got is acknowledged, by the tag of the last.
void Client::settle_last_poll(Context& c) {
  if (in_hand_.empty()) return;
  for (const Delivery& d : in_hand_) {
    note_ack(c, d, false);
    note_settled(d);
  }
  tell_settled(c, in_hand_.back(), Kind::basic_ack, true, false);
  if (setup_.consumer.acks_twice) tell_settled(c, in_hand_.back(), Kind::basic_ack, true, false);
  in_hand_.clear();
}

// The library's own word, not the application's. Settling a stream's message gives credit, and means no more.
void Client::note_ack(Context& c, const Delivery& d, bool by_policy) {
  if (d.record.position >= 0) return;
  Op op;
  op.kind = OpKind::ack;
  op.outcome = Outcome::ok;
  op.place = d.record.place;
  op.key = d.record.key;
  op.message = d.record.message;
  op.position = d.record.position;
  op.subscription = subscription_name(c);
  if (by_policy) op.flags |= op_flag::by_policy;
  c.record(op);
}

void Client::tell_settled(Context& c, const Delivery& d, Kind k, bool multiple, bool requeue) {
  if (consume_channel_ == 0 || (d.channel != channel_number_ && !setup_.consumer.reuses_tags)) return;
  if (k == Kind::basic_ack) consume_wire().tell(c, consume_channel_, k, BasicAck{d.tag, multiple});
  else consume_wire().tell(c, consume_channel_, k, BasicNack{d.tag, multiple, requeue});
}

void Client::settle_call(Context& c, const Call& call) {
  const auto it = std::find_if(in_hand_.begin(), in_hand_.end(), [&](const Delivery& d) {
    return d.record.message == call.message && d.record.place == call.place && (call.position < 0 || d.record.position == call.position);
  });
  // The channel that delivered it is gone: the library refuses (AlreadyClosedException), and nothing was sent.
  if (it == in_hand_.end() || consume_channel_ == 0) return complete(c, call.id, outcome(c, Outcome::fail, "ALREADY_CLOSED"));
  if (call.kind == CallKind::ack) {
    tell_settled(c, *it, Kind::basic_ack, false, false);
    if (setup_.consumer.acks_twice) tell_settled(c, *it, Kind::basic_ack, false, false);
  }
  else if (call.kind == CallKind::release) tell_settled(c, *it, Kind::basic_nack, false, true);
  else {
    tell_settled(c, *it, Kind::basic_reject, false, false);
    note_ack(c, *it, true);
  }
  note_settled(*it);
  in_hand_.erase(it);
  complete(c, call.id, Answer{});
}

void Client::pause_call(Context& c, const Call& call) {
  const std::string& place = c.names().text(call.place);
  for (Reading& r : readings_) {
    const std::string& mine = c.names().text(r.place);
    if (mine == place || mine.substr(0, mine.rfind('/')) == place) r.paused = call.kind == CallKind::pause;
  }
  complete(c, call.id, Answer{});
}

// The channel is closed: what was not settled goes back.
void Client::stop_call(Context& c, const Call& call) {
  if (consume_channel_ == 0 || !consume_wire().running()) {
    readings_.clear();
    return complete(c, call.id, Answer{});
  }
  if (!setup_.consumer.explicit_acks) settle_last_poll(c);
  if (setup_.consumer.tracks_offsets)
    for (Reading& r : readings_)
      if (in_stream_group(r)) store_settled(c, r);
  close_call_ = call.id;
  consume_wire().tell(c, consume_channel_, Kind::channel_close, Close{200, "", ""});
}

}  // namespace mqlab::rabbitmq
