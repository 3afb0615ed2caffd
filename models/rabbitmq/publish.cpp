// Publishes: checks, routing, confirms, returns, transactions, and dead letters on their way.
#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/dead_letter.h"

namespace mqlab::rabbitmq {
namespace {

constexpr const char* reply_to = "amq.rabbitmq.reply-to";

std::string reply_name(ChannelId id) { return fmt::format("{}.{:x}", reply_to, id); }

// The channel that a direct reply goes to, or none.
ChannelId replied_channel(const std::string& key) {
  const std::string prefix = std::string(reply_to) + ".";
  if (key.compare(0, prefix.size(), prefix) != 0) return no_channel;
  ChannelId id = 0;
  for (std::size_t i = prefix.size(); i < key.size(); ++i) {
    const char ch = key[i];
    const int digit = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
    if (digit < 0) return no_channel;
    id = id << 4 | static_cast<ChannelId>(digit);
  }
  return id;
}

}  // namespace

// What can be wrong with a publish before it is routed; `out` is the message as queues will have it.
MaybeError Broker::prepare(const Connection& conn, const Channel& ch, const BasicPublish& m, ContentRef& out) const {
  if (m.immediate) return not_implemented("immediate=true");
  if (MaybeError e = durable_.routing.check_publish(m.exchange)) return e;
  if (!m.properties.user_id.empty() && m.properties.user_id != conn.user)
    return precondition_failed(fmt::format("user_id property set to '{}' but authenticated user was '{}'", m.properties.user_id, conn.user));
  if (!m.properties.expiration.empty() && !parse_expiration(m.properties.expiration))
    return precondition_failed(fmt::format("invalid expiration '{}': {{error,{{leftover_string,\"{}\"}}}}", m.properties.expiration, m.properties.expiration));
  Properties properties = m.properties;
  if (properties.reply_to == reply_to) {
    if (!ch.reply_consumer) return precondition_failed("fast reply consumer does not exist");
    properties.reply_to = reply_name(ch.id);
  }
  std::optional<Content> content = published(m.exchange, m.routing_key, std::move(properties), m.headers);
  if (!content) return precondition_failed("invalid CC or BCC header");
  content->message = m.message;
  content->key = m.key;
  content->size = m.size;
  if (cluster_->settings.rules.interprets_client_x_death && content->headers.contains("x-death")) {
    content->deaths = deaths_of_headers(content->headers);
    if (!content->deaths.empty()) content->headers.erase("x-death");
  }
  out = std::make_shared<const Content>(std::move(*content));
  return {};
}

MaybeError Broker::on_publish(Context& c, Connection& conn, Channel& ch, const BasicPublish& m) {
  conn.has_published = true;
  publish_handled(ch);
  ContentRef content;
  if (MaybeError e = prepare(conn, ch, m, content)) return e;
  if (ch.mode == ChannelMode::tx) ch.tx_publishes.push_back({m});
  else publish(c, ch, m, content);
  block_if_needed(c, conn);
  return {};
}

void Broker::publish(Context& c, Channel& ch, const BasicPublish& m, const ContentRef& content) {
  const bool tracked = ch.mode != ChannelMode::none;
  const std::uint64_t number = tracked ? ch.next_publish++ : 0;
  const bool replied = reply_directly(*content, content);
  const std::vector<std::string> queues = replied ? std::vector<std::string>{} : durable_.routing.route(*content);
  if (queues.empty() && !replied && m.mandatory) {
    c.mark("message_returned", m.exchange, fmt::format("{}: no queue for key '{}'", c.world().journal.message_name(m.message), m.routing_key));
    tell(c, ch, Kind::basic_return, BasicReturn{312, "NO_ROUTE", m.exchange, m.routing_key, content}, 64 + m.size);
  } else if (queues.empty() && !replied) {
    c.mark("message_unroutable", m.exchange, fmt::format("{}: no queue for key '{}'", c.world().journal.message_name(m.message), m.routing_key));
  }
  if (tracked && queues.empty()) {
    // The broker took its decision: there is nothing to wait for.
    ch.confirmed.insert(number);
    to_confirm_.push_back(ch.id);
    return;
  }
  if (tracked) ch.unconfirmed[number] = {queues.begin(), queues.end()};
  for (const std::string& q : queues) {
    const QueueType type = queue_type(durable_.queues.at(q).spec);
    if (type == QueueType::classic) spend_credit(ch, q);
    if (type == QueueType::quorum) send_to_quorum(c, ch, q, content, number);
    else ask({.kind = QueueOp::Kind::publish, .queue = q, .channel = ch.id, .publish = {tracked ? ch.id : no_channel, number}, .publisher = m.publisher, .publishing_id = m.publishing_id, .content = content});
  }
}

// A quorum queue knows its senders by numbers of their own. One that may refuse publishes is asked first whether it does,
// and says later when it does and no longer does; what is on its way meanwhile it takes.
void Broker::send_to_quorum(Context& c, Channel& ch, const std::string& queue, const ContentRef& content, std::uint64_t number) {
  QuorumSender& s = ch.senders[queue];
  ch.queues.insert(queue);
  const bool may_refuse = queue_options(durable_.queues.at(queue).spec, cluster_->settings.rules).overflow == Overflow::reject_publish;
  if (may_refuse && !s.enlisted) {
    s.held.emplace_back(content, number);
    if (!s.asked) ask({.kind = QueueOp::Kind::enlist, .queue = queue, .channel = ch.id});
    s.asked = true;
    return;
  }
  if (s.rejects) {
    if (number != 0) return confirm(ch, number, queue, true);
    c.mark("message_dropped", queue, fmt::format("{} (the queue refuses, and nobody is told)", c.world().journal.message_name(content->message)));
    return note_taken(c, queue, *content, DeathReason::maxlen);
  }
  if (host_.pending(queue, ch.id, soft_limit)) {
    ch.held_by.insert(queue);
    slowed_.insert(ch.id);
  }
  if (number != 0) s.numbers[s.next] = number;
  ask({.kind = QueueOp::Kind::publish, .queue = queue, .channel = ch.id, .publish = {ch.id, s.next++}, .content = content});
}

void Broker::on_enlisted(Context& c, Channel& ch, const std::string& queue, const QueueAnswer& a) {
  QuorumSender& s = ch.senders[queue];
  s.enlisted = true;
  s.rejects = a.rejects;
  std::deque<std::pair<ContentRef, std::uint64_t>> held;
  held.swap(s.held);
  for (const auto& [content, number] : held) {
    if (durable_.queues.count(queue)) send_to_quorum(c, ch, queue, content, number);
    else if (number != 0) confirm(ch, number, queue, false);
  }
}

// Direct reply-to: from channel to channel, without a queue. True when somebody waits there.
bool Broker::reply_directly(const Content& content, const ContentRef& ref) {
  if (!content.exchange.empty()) return false;
  const ChannelId id = replied_channel(content.routing_key());
  const Channel* to = id == no_channel ? nullptr : channel_of(id);
  if (!to || !to->reply_consumer) return false;
  Deliver d;
  d.consumer = {id, *to->reply_consumer};
  d.content = ref;
  d.no_ack = true;
  events_.push_back({id, {}, std::move(d)});
  return true;
}

// A quorum queue speaks of its own numbers.
void Broker::on_confirm(Channel& ch, const std::string& queue, const PublishId& publish, bool rejected) {
  const auto sender = ch.senders.find(queue);
  if (sender == ch.senders.end()) return confirm(ch, publish.number, queue, rejected);
  const auto it = sender->second.numbers.find(publish.number);
  if (it == sender->second.numbers.end()) return;
  const std::uint64_t number = it->second;
  sender->second.numbers.erase(it);
  confirm(ch, number, queue, rejected);
}

// One of a message's queues has answered; the last one decides, and a rejection at once.
void Broker::confirm(Channel& ch, std::uint64_t number, const std::string& queue, bool rejected) {
  const auto it = ch.unconfirmed.find(number);
  if (it == ch.unconfirmed.end() || it->second.erase(queue) == 0) return;
  if (rejected) ch.rejected.insert(number);
  else if (it->second.empty()) ch.confirmed.insert(number);
  else return;
  ch.unconfirmed.erase(it);
  to_confirm_.push_back(ch.id);
}

// rabbit_channel:send_confirms_and_nacks, coalesce_and_send: all below the smallest number that is not decided or is
// rejected goes as one ack of many; the others one by one.
void Broker::tell_confirms(Context& c, Channel& ch) {
  if (ch.mode == ChannelMode::tx) {
    ch.tx_failed = ch.tx_failed || !ch.rejected.empty();
    ch.confirmed.clear();
    ch.rejected.clear();
    if (ch.committing && ch.unconfirmed.empty()) end_commit(c, ch);
    return;
  }
  const auto coalesce = [&](std::set<std::uint64_t>& numbers, std::uint64_t below, Kind k) {
    std::uint64_t last = 0;
    std::size_t many = 0;
    while (!numbers.empty() && *numbers.begin() < below) {
      last = *numbers.begin();
      numbers.erase(numbers.begin());
      ++many;
    }
    const auto say = [&](std::uint64_t number, bool multiple) {
      if (k == Kind::basic_ack) tell(c, ch, k, BasicAck{number, multiple});
      else tell(c, ch, k, BasicNack{number, multiple, false});
    };
    if (many > 0) say(last, many > 1);
    for (const std::uint64_t number : numbers) say(number, false);
    numbers.clear();
  };
  const std::uint64_t undecided = ch.unconfirmed.empty() ? ch.next_publish : ch.unconfirmed.begin()->first;
  coalesce(ch.rejected, 0, Kind::basic_nack);
  coalesce(ch.confirmed, undecided, Kind::basic_ack);
}

// What was published counts now, and what was settled; the answer waits for the confirms of the publishes.
MaybeError Broker::on_tx_commit(Context& c, Channel& ch) {
  if (ch.mode != ChannelMode::tx) return precondition_failed("channel is not transactional");
  std::vector<TxPublish> publishes;
  std::vector<TxSettle> settles;
  publishes.swap(ch.tx_publishes);
  settles.swap(ch.tx_settles);
  Connection& conn = *connection_of(ch);
  for (const TxPublish& p : publishes) {
    ContentRef content;
    if (MaybeError e = prepare(conn, ch, p.publish, content)) return e;
    publish(c, ch, p.publish, content);
  }
  ch.mode = ChannelMode::none;  // so that they take effect
  for (const TxSettle& s : settles)
    if (MaybeError e = on_settle(ch, s.kind, s.tag, s.multiple, s.requeue)) return e;
  ch.mode = ChannelMode::tx;
  ch.committing = true;
  ch.awaits = Awaited{Kind::tx_commit, {}, {}, false};
  to_confirm_.push_back(ch.id);
  return {};
}

void Broker::end_commit(Context& c, Channel& ch) {
  ch.committing = false;
  ch.awaits.reset();
  if (ch.tx_failed) {
    ch.tx_failed = false;
    return fail(c, *connection_of(ch), ch.number, precondition_failed("partial tx completion"), Kind::tx_commit);
  }
  tell(c, ch, Kind::tx_commit_ok);
  go_on(c, ch.connection, ch.number);
}

// A dead letter is a publish that nobody waits for (at-most-once): the queue that it left has forgotten it.
void Broker::dead_letter(Context& c, const std::string& queue, const DeadLetter& dead) {
  const auto it = durable_.queues.find(queue);
  if (it == durable_.queues.end()) return;
  const QueueOptions options = queue_options(it->second.spec, cluster_->settings.rules);
  if (!options.dead_letter_exchange) return;
  const std::string told = c.world().journal.message_name(dead.content->message);
  const ContentRef again = dead_lettered(*dead.content, {queue, dead.reason, c.wall()}, *options.dead_letter_exchange, options.dead_letter_routing_key, cluster_->settings.rules);
  const std::vector<std::string> routed = durable_.routing.route(*again);
  const std::vector<std::string> targets = without_cycles(*again, dead.reason, routed);
  if (targets.size() < routed.size()) c.mark("dead_letter_cycle", queue, fmt::format("{} would come back to a queue where it died: dropped", told));
  note_left(c, queue, *dead.content, dead.reason);
  if (targets.empty()) c.mark("dead_letter_lost", queue, fmt::format("{} ({}): exchange '{}' takes it nowhere", told, name(dead.reason), *options.dead_letter_exchange));
  else c.mark("message_dead_lettered", queue, fmt::format("{} ({})", told, name(dead.reason)));
  for (const std::string& q : targets) ask({.kind = QueueOp::Kind::publish, .queue = q, .content = again});
}

}  // namespace mqlab::rabbitmq
