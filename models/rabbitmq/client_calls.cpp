// Calls that only this model's clients have: c:call(verb, argument).
#include <fmt/format.h>

#include "models/rabbitmq/client.h"
#include "models/rabbitmq/dead_letter.h"

namespace mqlab::rabbitmq {
namespace {

// "P1-3 retry": the word before the blank and the one behind it.
std::pair<std::string, std::string> two_words(const std::string& text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string::npos) return {text, {}};
  return {text.substr(0, blank), text.substr(blank + 1)};
}

// How often x-death says that the message died in this queue, for whatever reason.
std::int64_t deaths_in(const Table& headers, const std::string& queue) {
  std::int64_t all = 0;
  for (const Death& d : deaths_of_headers(headers).entries)
    if (d.queue == queue) all += d.count;
  return all;
}

}  // namespace

const Client::Delivery* Client::delivery_in_hand(Context& c, const std::string& message) const {
  for (const Delivery& d : in_hand_)
    if (c.world().journal.message_name(d.record.message) == message) return &d;
  return nullptr;
}

void Client::other_call(Context& c, const Call& call) {
  if (call.verb == "cancel") return cancel_call(c, call);
  if (call.verb == "publishing_id" || call.verb == "last_publishing_id") return publishing_id_call(c, call);
  if (call.verb == "headers" || call.verb == "cc" || call.verb == "bcc") return headers_call(c, call);
  const auto [message, other] = two_words(call.argument);
  const Delivery* d = delivery_in_hand(c, message);
  if (!d) return complete(c, call.id, outcome(c, Outcome::fail, "NOT_IN_HAND"));
  if (call.verb == "x_death") {
    Answer a;
    a.position = deaths_in(d->headers, other);
    return complete(c, call.id, std::move(a));
  }
  if (call.verb == "header") {
    Answer a;
    if (const FieldValue* v = d->headers.find(other)) a.position = v->is_integer() ? v->number : 0;
    return complete(c, call.id, std::move(a));
  }
  if (call.verb != "republish" || !setup_.produces) return complete(c, call.id, outcome(c, Outcome::fail, "UNSUPPORTED"));
  // As handlers do: the same body, properties and headers, to another exchange.
  Send s{call, c.now() + setup_.producer.send_timeout, d->headers, 0, {}};
  s.call.place = c.names().id(other);
  s.call.message = d->record.message;
  s.call.key = d->record.key;
  s.call.size = d->content->size;
  waiting_.push_back(std::move(s));
  publish_waiting(c);
}

// What the next send carries beside the declared headers; CC and BCC take the place of declared ones.
void Client::headers_call(Context& c, const Call& call) {
  if (!setup_.produces) return complete(c, call.id, outcome(c, Outcome::fail, "UNSUPPORTED"));
  Table given;
  if (const auto error = read_table(call.argument, given)) return complete(c, call.id, outcome(c, Outcome::fail, *error));
  if (call.verb == "headers") {
    for (const Field& f : given) given_headers_.set(f.name, f.value);
  } else {
    std::vector<std::string> keys;
    for (std::string rest = call.argument; !rest.empty();) {
      auto [key, others] = two_words(rest);
      if (!key.empty()) keys.push_back(std::move(key));
      rest = std::move(others);
    }
    given_headers_.set(call.verb == "cc" ? "CC" : "BCC", FieldValue::strings(keys));
  }
  complete(c, call.id, Answer{});
}

// Streams: the id that the next send goes by; or the last one that a stream has taken of this client's name.
void Client::publishing_id_call(Context& c, const Call& call) {
  const std::string& name = setup_.producer.producer_name;
  if (!setup_.produces || name.empty()) return complete(c, call.id, outcome(c, Outcome::fail, "NO_PRODUCER_NAME"));
  if (call.verb == "publishing_id") {
    for (const char ch : call.argument)
      if (ch >= '0' && ch <= '9') given_publishing_id_ = given_publishing_id_ * 10 + static_cast<std::uint64_t>(ch - '0');
    return complete(c, call.id, Answer{});
  }
  std::optional<std::int32_t> partition;
  const TopicPlan* topic = cluster_->place(call.argument, partition);
  if (!topic || topic->type != QueueType::stream) return complete(c, call.id, outcome(c, Outcome::fail, "NOT_FOUND"));
  if (!publisher_ready_) return complete(c, call.id, outcome(c, Outcome::fail, "NOT_CONNECTED"));
  const QueuePlan& plan = *cluster_->queues_of(*topic, {})[static_cast<std::size_t>(partition.value_or(0))];
  sequence_calls_.push_back(call.id);
  publish_wire().tell(c, publish_channel_, Kind::stream_query_publisher, StreamPublisher{plan.spec.name, name, -1});
}

// Nothing more comes; what was delivered stays with this client until it is settled.
void Client::cancel_call(Context& c, const Call& call) {
  std::optional<std::int32_t> partition;
  const TopicPlan* topic = cluster_->place(call.argument, partition);
  if (!topic) return complete(c, call.id, outcome(c, Outcome::fail, fmt::format("NOT_FOUND - no topic '{}'", call.argument)));
  for (Reading& r : readings_) {
    const QueuePlan& plan = *cluster_->queue(r.queue);
    if (plan.topic != topic->name || (partition && plan.partition != *partition) || std::exchange(r.cancelled, true)) continue;
    if (consume_channel_ != 0) consume_wire().tell(c, consume_channel_, Kind::basic_cancel, ConsumerTag{r.tag});
    if (std::exchange(r.consuming, false)) record_assignment(c, r.place, false, -1, 0);
  }
  complete(c, call.id, Answer{});
}

}  // namespace mqlab::rabbitmq
