// A classic queue against a plain account of it: where each message is, and who may have how many.
//
// The account hears only operations and effects. After each operation it must agree with the queue on every message,
// each delivery must have been of the first ready message, nobody may hold more than its prefetch, and no message may
// wait while somebody could take it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "tests/rabbitmq/queue_lab.h"

namespace mqlab::rabbitmq {
namespace {

struct Step {
  enum Kind { publish, consume, cancel, down, ack, requeue, discard, get, tick } kind;
  int who;     // channel 1 to 3; consumer "a" or "b" by parity
  int number;  // which of those it holds, or a size, or a time
};

std::ostream& operator<<(std::ostream& os, const Step& s) {
  static const char* names[] = {"publish", "consume", "cancel", "down", "ack", "requeue", "discard", "get", "tick"};
  return os << names[s.kind] << " " << s.who << " " << s.number;
}

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(rc::gen::set(&Step::kind, rc::gen::weightedElement<Step::Kind>({{6, Step::publish}, {2, Step::consume}, {1, Step::cancel},
                                                                                            {1, Step::down}, {4, Step::ack}, {3, Step::requeue},
                                                                                            {1, Step::discard}, {2, Step::get}, {1, Step::tick}})),
                              rc::gen::set(&Step::who, rc::gen::inRange(0, 6)), rc::gen::set(&Step::number, rc::gen::inRange(0, 8)));
}

struct Account {
  enum class Place { ready, held, gone };
  struct Message {
    int priority = 0;
    Place place = Place::ready;
    ConsumerKey holder{};
    bool delivered = false;
  };
  std::map<std::uint64_t, Message> messages{};  // by number, which is also its order
  std::set<ConsumerKey> consumers{};

  // The one that must go next: the highest priority, then the oldest.
  std::uint64_t first() const {
    std::uint64_t best = 0;
    for (const auto& [n, m] : messages)
      if (m.place == Place::ready && (best == 0 || m.priority > messages.at(best).priority)) best = n;
    return best;
  }
  std::vector<std::uint64_t> held_by(ChannelId c) const {
    std::vector<std::uint64_t> out;
    for (const auto& [n, m] : messages)
      if (m.place == Place::held && m.holder.channel == c) out.push_back(n);
    return out;
  }
  std::size_t held_by(const ConsumerKey& k) const {
    std::size_t n = 0;
    for (const auto& [id, m] : messages) n += m.place == Place::held && m.holder == k;
    return n;
  }
};

constexpr std::uint32_t prefetch_of(const ConsumerKey& k) { return k.channel == 3 ? 0 : static_cast<std::uint32_t>(k.channel); }

class Run {
 public:
  explicit Run(QueueOptions options) : queue_("q", options), options_(options) { limiter_.channels[2] = {.prefetch = 3}; }

  void step(const Step& s) {
    const ConsumerKey key{static_cast<ChannelId>(s.who % 3 + 1), s.who < 3 ? "a" : "b"};
    const std::vector<std::uint64_t> held = account_.held_by(key.channel);
    const std::vector<DeliveryId> one = held.empty() ? std::vector<DeliveryId>{} : std::vector<DeliveryId>{held[static_cast<std::size_t>(s.number) % held.size()]};
    QueueEffects out;
    switch (s.kind) {
      case Step::publish: {
        Of of{.persistent = s.number % 2 == 0, .priority = s.number % 4 - 1};
        if (s.number == 5) of.expiration = "50";
        const std::uint64_t n = account_.messages.size() + 1;
        account_.messages[n].priority = options_.max_priority ? std::max(0, std::min<int>(*options_.max_priority, of.priority)) : 0;
        queue_.publish({publisher, n}, message(n, of), now_, limiter_, out);
        break;
      }
      case Step::consume: {
        if (account_.consumers.count(key) != 0 || account_.held_by(key) != 0) return;  // a tag is not used again while it holds something
        ConsumerSpec spec;
        spec.key = key;
        spec.prefetch = prefetch_of(key);
        spec.priority = s.number % 2;
        account_.consumers.insert(key);
        queue_.consume(spec, now_, limiter_, out);
        break;
      }
      case Step::cancel:
        account_.consumers.erase(key);
        queue_.cancel(key, now_, limiter_, out);
        break;
      case Step::down:
        std::erase_if(account_.consumers, [&](const ConsumerKey& k) { return k.channel == key.channel; });
        for (const std::uint64_t n : held) account_.messages[n].place = Account::Place::ready;
        queue_.channel_down(key.channel, now_, limiter_, out);
        break;
      case Step::ack:
        for (const DeliveryId id : one) account_.messages[id].place = Account::Place::gone;
        queue_.ack(key.channel, one, now_, limiter_, out);
        break;
      case Step::requeue: {
        // All that the channel holds, or one of them, in either order.
        std::vector<DeliveryId> ids = s.number < 4 ? one : std::vector<DeliveryId>(held.rbegin(), held.rend());
        for (const DeliveryId id : ids) account_.messages[id].place = Account::Place::ready;
        queue_.requeue(key.channel, ids, now_, limiter_, out);
        break;
      }
      case Step::discard:
        queue_.discard(key.channel, one, now_, limiter_, out);
        break;
      case Step::get: queue_.get(key.channel, false, now_, limiter_, out); break;
      case Step::tick:
        now_ += s.number * 10'000'000;
        queue_.tick(now_, out);
        break;
    }
    for (const QueueEffect& e : out) hear(e);
    compare();
  }

 private:
  void hear(const QueueEffect& e) {
    if (const auto* d = std::get_if<Deliver>(&e)) {
      Account::Message& m = account_.messages.at(d->content->message);
      RC_ASSERT(m.place == Account::Place::ready);
      RC_ASSERT(d->content->message == account_.first());
      RC_ASSERT(d->redelivered == m.delivered);
      m.place = Account::Place::held;
      m.holder = d->consumer;
      m.delivered = true;
    } else if (const auto* g = std::get_if<DeadLetter>(&e)) {
      leave(g->content);
    } else if (const auto* l = std::get_if<Dropped>(&e)) {
      leave(l->content);
    }
  }
  void leave(const ContentRef& c) {
    Account::Message& m = account_.messages.at(c->message);
    RC_ASSERT(m.place != Account::Place::gone);
    m.place = Account::Place::gone;
  }

  void compare() const {
    std::vector<std::uint64_t> ready;
    std::int64_t bytes = 0;
    for (const auto& m : queue_.ready()) {
      ready.push_back(m.content->message);
      bytes += m.content->size;
    }
    RC_ASSERT(queue_.ready_bytes() == bytes);
    std::size_t held = 0;
    for (const auto& [n, m] : account_.messages) {
      const bool is_ready = std::find(ready.begin(), ready.end(), n) != ready.end();
      RC_ASSERT(is_ready == (m.place == Account::Place::ready));
      const auto u = queue_.unacked().find(n);
      RC_ASSERT((u != queue_.unacked().end()) == (m.place == Account::Place::held));
      held += m.place == Account::Place::held;
      if (u != queue_.unacked().end()) RC_ASSERT(u->second.channel == m.holder.channel && u->second.tag == m.holder.tag);
    }
    RC_ASSERT(queue_.unacked().size() == held);
    if (options_.max_length && options_.overflow == Overflow::drop_head) RC_ASSERT(static_cast<std::int64_t>(ready.size()) <= *options_.max_length);

    std::size_t on_two = 0;  // what consumers of channel 2 hold, those that were cancelled too
    for (const auto& [n, m] : account_.messages) on_two += m.place == Account::Place::held && m.holder.channel == 2 && !m.holder.tag.empty();
    RC_ASSERT(on_two <= 3u);
    RC_ASSERT(limiter_.channels.at(2).unacked == on_two);
    for (const ConsumerKey& k : account_.consumers) {
      const std::size_t has = account_.held_by(k);
      const bool full = (prefetch_of(k) != 0 && has >= prefetch_of(k)) || (k.channel == 2 && on_two == 3);
      RC_ASSERT(prefetch_of(k) == 0 || has <= prefetch_of(k));
      const bool its_turn = !options_.single_active_consumer || queue_.active_consumer() == k;
      if (its_turn && !ready.empty()) RC_ASSERT(full);
    }
    if (options_.single_active_consumer) RC_ASSERT(queue_.active_consumer().has_value() == !account_.consumers.empty());
  }

  ClassicQueue queue_;
  QueueOptions options_;
  Limiter limiter_{};
  Account account_{};
  Time now_ = 0;
};

void live(const QueueOptions& options, const std::vector<Step>& steps) {
  Run run(options);
  for (const Step& s : steps) run.step(s);
}

rc::Gen<std::vector<Step>> any_life() { return rc::gen::container<std::vector<Step>>(any_step()); }

RC_GTEST_PROP(RabbitClassicProperties, ALifeKeepsTheAccount, ()) { live({}, *any_life()); }
RC_GTEST_PROP(RabbitClassicProperties, WithPriorities, ()) { live({.max_priority = std::uint8_t{2}}, *any_life()); }
RC_GTEST_PROP(RabbitClassicProperties, WithALimit, ()) { live({.max_length = 3, .dead_letter_exchange = "dlx"}, *any_life()); }
RC_GTEST_PROP(RabbitClassicProperties, WithASingleActiveConsumer, ()) { live({.single_active_consumer = true}, *any_life()); }

// A durable queue: whatever prefix of its file survives, what was confirmed and not settled is there.
RC_GTEST_PROP(RabbitClassicProperties, WhatWasConfirmedAndNotSettledSurvivesWithItsFile, ()) {
  const auto steps = *any_life();
  ClassicQueue queue("q", {.durable = true});
  Limiter limiter;
  std::vector<StoreRecord> file;
  std::set<std::uint64_t> confirmed, settled;
  std::uint64_t n = 0, written = 0;
  const auto hear = [&](const QueueEffects& out) {
    for (const QueueEffect& e : out) {
      if (const auto* w = std::get_if<WriteStore>(&e)) file.push_back(w->record);
      if (const auto* c = std::get_if<Confirm>(&e)) confirmed.insert(c->publish.number);
    }
  };
  for (const Step& s : steps) {
    QueueEffects out;
    switch (s.kind) {
      case Step::publish:
        ++n;
        queue.publish({publisher, n}, message(n, {.persistent = true}), 0, limiter, out);
        break;
      case Step::get: queue.get(1, false, 0, limiter, out); break;
      case Step::ack:
        if (!queue.unacked().empty()) {
          const auto& u = *queue.unacked().begin();
          settled.insert(u.second.message.content->message);
          const std::vector<DeliveryId> id{u.first};
          queue.ack(1, id, 0, limiter, out);
        }
        break;
      default:
        written = std::min<std::uint64_t>(file.size(), written + static_cast<std::uint64_t>(s.number));
        queue.written(written, out);
    }
    hear(out);
  }
  QueueEffects out;
  const ClassicQueue back = ClassicQueue::recover(queue, std::span(file).first(written), false, 0, out);
  std::set<std::uint64_t> there;
  for (const auto& m : back.ready()) {
    RC_ASSERT(m.delivered);
    RC_ASSERT(there.insert(m.content->message).second);
  }
  for (const std::uint64_t c : confirmed)
    if (settled.count(c) == 0) RC_ASSERT(there.count(c) == 1u);
}

}  // namespace
}  // namespace mqlab::rabbitmq
