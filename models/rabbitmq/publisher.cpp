// Sends: the publishing channel, confirms, returns, transactions.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/rabbitmq/client.h"

namespace mqlab::rabbitmq {
namespace {

// FNV-1a: which of a topic's routing keys a business key has.
std::uint32_t hash_of(const std::string& key) {
  std::uint32_t h = 2166136261U;
  for (const char ch : key) h = (h ^ static_cast<unsigned char>(ch)) * 16777619U;
  return h;
}

}  // namespace

void Client::open_publisher(Context& c) {
  publish_channel_ = next_channel_++;
  publisher_ready_ = false;
  next_number_ = 1;
  publish_wire().send(c, publish_channel_, Kind::channel_open);
  if (setup_.producer.confirms) publish_wire().send(c, publish_channel_, Kind::confirm_select);
}

void Client::on_publisher_method(Context& c, const Message& m) {
  const auto channel = static_cast<std::uint16_t>(m.word);
  const auto kind = static_cast<Kind>(m.kind);
  if (channel == tx_channel_ && tx_channel_ != 0) {
    if (kind == Kind::tx_select_ok || kind == Kind::tx_commit_ok || kind == Kind::tx_rollback_ok) {
      tx_open_ = kind == Kind::tx_select_ok;
      if (tx_calls_.empty()) return;
      const CallId id = tx_calls_.front().id;
      tx_calls_.pop_front();
      complete(c, id, Answer{});
    } else if (kind == Kind::channel_close) {
      publish_wire().send(c, channel, Kind::channel_close_ok);
      tx_channel_ = 0;
      tx_open_ = false;
      std::deque<Call> open;
      open.swap(tx_calls_);
      for (const Call& call : open) complete(c, call.id, outcome(c, Outcome::info, method_as<Close>(m.payload).text));
    }
    return;
  }
  if (channel != publish_channel_) return;
  switch (kind) {
    case Kind::stream_publisher_sequence: {
      if (sequence_calls_.empty()) break;
      Answer a;
      a.position = method_as<StreamPublisher>(m.payload).publishing_id;
      const CallId id = sequence_calls_.front();
      sequence_calls_.pop_front();
      complete(c, id, std::move(a));
      break;
    }
    case Kind::channel_open_ok:
      if (!setup_.producer.confirms) publisher_ready_ = true;
      break;
    case Kind::confirm_select_ok: publisher_ready_ = true; break;
    case Kind::basic_ack: {
      const auto& a = method_as<BasicAck>(m.payload);
      on_confirm(c, a.delivery_tag, a.multiple, true);
      break;
    }
    case Kind::basic_nack: {
      const auto& n = method_as<BasicNack>(m.payload);
      on_confirm(c, n.delivery_tag, n.multiple, false);
      break;
    }
    case Kind::basic_return: {
      const auto& r = method_as<BasicReturn>(m.payload);
      if (!setup_.producer.confirms && !setup_.producer.ignores_returns) {
        // There is no call any more that could fail: the return listener itself publishes it again.
        BasicPublish again;
        again.exchange = r.exchange;
        again.routing_key = r.routing_key;
        again.mandatory = setup_.producer.mandatory;
        again.message = r.content->message;
        again.key = r.content->key;
        again.size = r.content->size;
        again.properties = r.content->properties;
        again.headers = r.content->headers;
        returned_.push_back({c.now() + setup_.producer.refused_backoff, std::move(again)});
        c.set_timer(setup_.producer.refused_backoff, timer_returned);
        break;
      }
      for (auto& [number, s] : unconfirmed_)
        if (s.call.message == r.content->message && s.returned.empty()) {
          s.returned = r.text;
          break;
        }
      break;
    }
    case Kind::channel_close: {
      const std::string why = method_as<Close>(m.payload).text;
      publish_wire().send(c, channel, Kind::channel_close_ok);
      c.mark("channel_closed", {}, why);
      publisher_lost(c, why);
      if (!publisher_ended_) open_publisher(c);
      break;
    }
    default: break;
  }
}

// What was written and not confirmed may have been taken or not.
void Client::publisher_lost(Context& c, const std::string& why) {
  if (publish_channel_ != 0 && !setup_.producer.automatic_recovery) publisher_ended_ = true;
  publisher_ready_ = false;
  publish_channel_ = 0;
  std::map<std::uint64_t, Send> open;
  open.swap(unconfirmed_);
  for (const auto& [number, s] : open) complete(c, s.call.id, outcome(c, Outcome::info, why));
  std::deque<CallId> asked;
  asked.swap(sequence_calls_);
  for (const CallId id : asked) complete(c, id, outcome(c, Outcome::fail, why));
  tx_channel_ = 0;
  tx_open_ = false;
  std::deque<Call> calls;
  calls.swap(tx_calls_);
  for (const Call& call : calls) complete(c, call.id, outcome(c, Outcome::info, why));
  if (!publisher_ended_) return;
  std::deque<Send> never;
  never.swap(waiting_);
  for (const Send& s : never) refuse_send(c, s.call.id, "ALREADY_CLOSED");
}

// Told after a rest, so that an application that tries again at once does not try for ever within one instant.
void Client::refuse_send(Context& c, CallId call, const char* error) {
  refused_sends_.emplace_back(call, outcome(c, Outcome::fail, error));
  c.set_timer(setup_.producer.refused_backoff, timer_refused);
}

std::int32_t Client::partition_for(Context& c, const TopicPlan& topic, const Call& call) {
  if (call.partition >= 0) return call.partition;
  if (call.key != 0) return static_cast<std::int32_t>(hash_of(c.names().text(call.key)) % static_cast<std::uint32_t>(topic.partitions));
  return static_cast<std::int32_t>(round_robin_++ % static_cast<std::uint64_t>(topic.partitions));
}

void Client::send_call(Context& c, const Call& call) {
  std::optional<std::int32_t> partition;
  if (!setup_.produces) return complete(c, call.id, outcome(c, Outcome::fail, "UNSUPPORTED"));
  if (publisher_ended_) return refuse_send(c, call.id, "ALREADY_CLOSED");
  Table headers = setup_.producer.headers;
  for (const Field& f : std::exchange(given_headers_, Table())) headers.set(f.name, f.value);
  waiting_.push_back({call, c.now() + setup_.producer.send_timeout, std::move(headers), std::exchange(given_publishing_id_, 0), {}});
  publish_waiting(c);
}

void Client::publish_returned(Context& c) {
  while (!returned_.empty() && returned_.front().due <= c.now() && publisher_ready_ && !publish_wire().blocked()) {
    const std::uint32_t bytes = 64 + returned_.front().publish.size;
    publish_wire().tell(c, publish_channel_, Kind::basic_publish, std::move(returned_.front().publish), bytes);
    returned_.pop_front();
  }
}

// A stream's publisher numbers its messages: a message that is sent again keeps its number.
std::uint64_t Client::publishing_id(MessageId message) {
  if ((message & named_message_bit) == 0) return message & ((std::uint64_t{1} << 40) - 1);
  return publishing_ids_.try_emplace(message, publishing_ids_.size() + 1).first->second;
}

void Client::publish_waiting(Context& c) {
  publish_returned(c);
  while (!waiting_.empty() && publisher_ready_ && !publish_wire().blocked() && c.writable(publish_wire().id())) {
    if (waiting_.front().call.transaction == 0 && setup_.producer.confirms && setup_.producer.max_in_flight > 0 &&
        static_cast<std::int64_t>(unconfirmed_.size()) >= setup_.producer.max_in_flight)
      break;
    Send s = std::move(waiting_.front());
    waiting_.pop_front();
    publish(c, std::move(s));
  }
  expire_sends(c);
}

void Client::publish(Context& c, Send s) {
  std::optional<std::int32_t> partition;
  const std::string& to = c.names().text(s.call.place);
  const TopicPlan* topic = cluster_->place(to, partition);
  BasicPublish m;
  m.exchange = topic ? topic->name : to;  // what is no topic is a missing exchange: the broker says so
  const std::int32_t chosen = !topic ? 0 : partition ? *partition : partition_for(c, *topic, s.call);
  // Where the exchange decides, and not the client, the place is known by its topic only.
  const bool named = !setup_.producer.routing_key.empty();
  const bool by_key = topic && (topic->hashed() || named) && !partition && s.call.partition < 0;
  const bool copied = s.headers.contains("CC") || s.headers.contains("BCC");
  if (!by_key) m.routing_key = std::to_string(chosen);
  else if (named) m.routing_key = setup_.producer.routing_key;
  else m.routing_key = s.call.key != 0 ? c.names().text(s.call.key) : c.world().journal.message_name(s.call.message);
  m.mandatory = setup_.producer.mandatory;
  m.message = s.call.message;
  m.key = s.call.key;
  m.size = s.call.size;
  m.headers = std::move(s.headers);
  if (!setup_.producer.producer_name.empty()) {
    m.publisher = setup_.producer.producer_name;
    m.publishing_id = s.publishing_id != 0 ? s.publishing_id : publishing_id(s.call.message);
  }
  if (setup_.producer.persistent) m.properties.delivery_mode = 2;
  m.properties.message_id = c.world().journal.message_name(s.call.message);
  m.properties.expiration = setup_.producer.message_ttl;
  if (setup_.producer.priority >= 0) m.properties.priority = static_cast<std::uint8_t>(setup_.producer.priority);
  if (topic) s.call.place = c.names().id(by_key || copied ? topic->name : topic->place(chosen));
  const std::uint32_t bytes = 64 + m.size;
  if (s.call.transaction != 0) {
    publish_wire().tell(c, tx_channel_, Kind::basic_publish, std::move(m), bytes);
    return end_send(c, s, true);
  }
  publish_wire().tell(c, publish_channel_, Kind::basic_publish, std::move(m), bytes);
  if (!setup_.producer.confirms) return end_send(c, s, true);
  s.deadline = c.now() + setup_.producer.confirm_timeout;
  unconfirmed_.emplace(next_number_++, std::move(s));
}

void Client::on_confirm(Context& c, std::uint64_t number, bool multiple, bool ok) {
  std::vector<Send> ended;
  if (multiple && !setup_.producer.misreads_multiple) {
    while (!unconfirmed_.empty() && unconfirmed_.begin()->first <= number) {
      ended.push_back(std::move(unconfirmed_.begin()->second));
      unconfirmed_.erase(unconfirmed_.begin());
    }
  } else if (const auto it = unconfirmed_.find(number); it != unconfirmed_.end()) {
    ended.push_back(std::move(it->second));
    unconfirmed_.erase(it);
  }
  for (const Send& s : ended) end_send(c, s, ok);
}

void Client::end_send(Context& c, const Send& s, bool ok) {
  Answer a;
  a.place = s.call.place;
  if (!ok) {
    a.outcome = Outcome::info;
    a.error = c.names().id("NACK");
  } else if (!s.returned.empty()) {
    a.outcome = setup_.producer.ignores_returns ? Outcome::ok : Outcome::fail;
    a.error = c.names().id(s.returned);
  }
  if (a.outcome == Outcome::ok) return complete(c, s.call.id, std::move(a));
  refused_sends_.emplace_back(s.call.id, std::move(a));
  c.set_timer(setup_.producer.refused_backoff, timer_refused);
}

// Sends that nobody took in time, and confirms that did not come.
void Client::expire_sends(Context& c) {
  while (!waiting_.empty() && waiting_.front().deadline <= c.now()) {
    const CallId id = waiting_.front().call.id;
    waiting_.pop_front();
    complete(c, id, outcome(c, Outcome::fail, "NOT_CONNECTED"));
  }
  while (!unconfirmed_.empty() && unconfirmed_.begin()->second.deadline <= c.now()) {
    const CallId id = unconfirmed_.begin()->second.call.id;
    unconfirmed_.erase(unconfirmed_.begin());
    complete(c, id, outcome(c, Outcome::info, "CONFIRM_TIMEOUT"));
  }
  Time next = time_max;
  if (!waiting_.empty()) next = waiting_.front().deadline;
  if (!unconfirmed_.empty()) next = std::min(next, unconfirmed_.begin()->second.deadline);
  if (next >= send_due_) return;
  if (send_timer_ != no_event) c.cancel_timer(send_timer_);
  send_due_ = next;
  send_timer_ = c.set_timer(next - c.now(), timer_send);
}

// tx.select on a channel of its own; publishes inside go there.
void Client::transaction_call(Context& c, const Call& call) {
  if (!publish_wire().running()) return complete(c, call.id, outcome(c, call.kind == CallKind::begin ? Outcome::fail : Outcome::info, "NOT_CONNECTED"));
  if (call.kind == CallKind::begin) {
    if (tx_channel_ == 0) {
      tx_channel_ = next_channel_++;
      publish_wire().send(c, tx_channel_, Kind::channel_open);
    }
    publish_wire().send(c, tx_channel_, Kind::tx_select);
  } else {
    if (tx_channel_ == 0) return complete(c, call.id, outcome(c, Outcome::fail, "NO_TRANSACTION"));
    publish_wire().send(c, tx_channel_, call.kind == CallKind::end_commit ? Kind::tx_commit : Kind::tx_rollback);
  }
  tx_calls_.push_back(call);
}

}  // namespace mqlab::rabbitmq
