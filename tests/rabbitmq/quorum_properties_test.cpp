// A quorum queue against a plain account of it, and against its own replica.
//
// The account has two lists: what was returned, in the order of the returns, and what is ready. It foretells each
// delivery and each drop at the delivery limit, by the rules of the release.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <map>
#include <set>

#include "tests/rabbitmq/quorum_lab.h"

namespace mqlab::rabbitmq {
namespace {

struct Step {
  enum Kind { enqueue, consume, cancel, down, settle, nack, reject, discard, get } kind;
  int who;     // channel 1 to 3
  int number;  // which of those it holds
};

std::ostream& operator<<(std::ostream& os, const Step& s) {
  static const char* names[] = {"enqueue", "consume", "cancel", "down", "settle", "nack", "reject", "discard", "get"};
  return os << names[s.kind] << " " << s.who << " " << s.number;
}

rc::Gen<std::vector<Step>> any_life() {
  return rc::gen::container<std::vector<Step>>(
      rc::gen::build<Step>(rc::gen::set(&Step::kind, rc::gen::weightedElement<Step::Kind>({{6, Step::enqueue}, {2, Step::consume}, {1, Step::cancel},
                                                                                         {1, Step::down}, {4, Step::settle}, {4, Step::nack},
                                                                                         {2, Step::reject}, {1, Step::discard}, {2, Step::get}})),
                           rc::gen::set(&Step::who, rc::gen::inRange(1, 4)), rc::gen::set(&Step::number, rc::gen::inRange(0, 8))));
}

struct Held {
  ConsumerKey key{};
  DeliveryId id{};
  std::uint64_t message{};
};

class Run {
 public:
  Run(const char* profile, QueueOptions options)
      : rules_(*rules_of(profile)), options_(options), queue_("q", options, rules_), replica_(queue_) {}

  void step(const Step& s) {
    const auto channel = static_cast<ChannelId>(s.who);
    const ConsumerKey key{channel, "t"};
    std::vector<Held> mine;
    for (const Held& h : held_)
      if (h.key.channel == channel) mine.push_back(h);
    const Held one = mine.empty() ? Held{key, 999, 0} : mine[static_cast<std::size_t>(s.number) % mine.size()];
    switch (s.kind) {
      case Step::enqueue:
        ready_.push_back(++published_);
        apply(Enqueue{publisher, published_, message(published_)});
        break;
      case Step::consume: {
        if (consumers_.count(key) != 0 || holds(key) != 0) return;
        consumers_.insert(key);
        ConsumerSpec spec;
        spec.key = key;
        spec.prefetch = static_cast<std::uint32_t>(s.who);
        apply(Checkout{spec});
        break;
      }
      case Step::cancel:
        consumers_.erase(key);
        apply(Cancel{key});
        break;
      case Step::down:
        consumers_.erase(key);
        for (const auto& [k, c] : queue_.consumers())  // in the order of the machine: consumer by consumer, oldest first
          if (k.channel == channel)
            for (const auto& [id, h] : c.checked_out) give_back(k, id, true, true);
        apply(ChannelDown{channel});
        break;
      case Step::settle:
        std::erase_if(held_, [&](const Held& h) { return h.key == one.key && h.id == one.id; });
        apply(Settle{one.key, {one.id}});
        break;
      case Step::nack:
        give_back(one.key, one.id, false, false);
        apply(Return{one.key, {one.id}, false});
        break;
      case Step::reject:
        give_back(one.key, one.id, true, false);
        apply(Return{one.key, {one.id}, true});
        break;
      case Step::discard:
        if (one.message != 0) dying_.push_back(one.message);
        std::erase_if(held_, [&](const Held& h) { return h.key == one.key && h.id == one.id; });
        apply(Discard{one.key, {one.id}});
        break;
      case Step::get: apply(Dequeue{{channel, "g" + std::to_string(++gets_)}}); break;
    }
    compare();
  }

 private:
  std::size_t holds(const ConsumerKey& k) const {
    return static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), [&](const Held& h) { return h.key == k; }));
  }

  // The rule of the release: what is counted, what that costs, and where it goes.
  void give_back(const ConsumerKey& key, DeliveryId id, bool failed, bool lost) {
    const auto h = std::find_if(held_.begin(), held_.end(), [&](const Held& x) { return x.key == key && x.id == id; });
    if (h == held_.end()) return;
    const std::uint64_t m = h->message;
    held_.erase(h);
    const bool counts = rules_.nack_counts || failed;
    count_[m] += counts;
    const bool tail = !options_.delivery_limit && !lost && (rules_.nack_counts || !failed);
    if (options_.delivery_limit && count_[m] > *options_.delivery_limit) dying_.push_back(m);
    else (tail ? ready_ : returns_).push_back(m);
  }

  void apply(const QuorumCommand& c) {
    QueueEffects out, again;
    const QuorumMeta meta{.index = ++index_, .now = 0};
    const QuorumReply r = queue_.apply(meta, c, out);
    RC_ASSERT(replica_.apply(meta, c, again) == r);
    RC_ASSERT(describe(out) == describe(again));
    if (index_ % 7 == 0) replica_ = queue_;  // a snapshot
    for (const QueueEffect& e : out) {
      if (const auto* d = std::get_if<Deliver>(&e)) {
        auto& list = returns_.empty() ? ready_ : returns_;
        RC_ASSERT(!list.empty());
        RC_ASSERT(d->content->message == list.front());
        RC_ASSERT(d->redelivered == seen_.count(d->content->message));
        list.pop_front();
        seen_.insert(d->content->message);
        held_.push_back({d->consumer, d->id, d->content->message});
      } else if (const auto* g = std::get_if<Dropped>(&e)) {
        RC_ASSERT(!dying_.empty());
        RC_ASSERT(g->content->message == dying_.front());
        dying_.pop_front();
      }
    }
    RC_ASSERT(dying_.empty());
  }

  void compare() const {
    RC_ASSERT(queue_ == replica_);
    std::vector<std::uint64_t> expected(returns_.begin(), returns_.end()), ready;
    expected.insert(expected.end(), ready_.begin(), ready_.end());
    for (const auto& m : queue_.ready()) ready.push_back(m.content->message);
    RC_ASSERT(ready == expected);
    RC_ASSERT(queue_.unacked_count() == static_cast<std::int64_t>(held_.size()));
    for (const ConsumerKey& k : consumers_) {
      RC_ASSERT(holds(k) <= k.channel);
      if (!ready.empty() && !options_.single_active_consumer) RC_ASSERT(holds(k) == k.channel);
    }
    if (options_.single_active_consumer) {
      RC_ASSERT(queue_.active_consumer().has_value() == !consumers_.empty());
      if (const auto a = queue_.active_consumer(); a && !ready.empty()) RC_ASSERT(holds(*a) == a->channel);
    }
  }

  Rules rules_;
  QueueOptions options_;
  QuorumQueue queue_, replica_;
  std::deque<std::uint64_t> ready_{}, returns_{}, dying_{};
  std::vector<Held> held_{};
  std::set<ConsumerKey> consumers_{};
  std::set<std::uint64_t> seen_{};
  std::map<std::uint64_t, int> count_{};
  std::uint64_t published_ = 0, index_ = 0;
  int gets_ = 0;
};

void live(const char* profile, const QueueOptions& options, const std::vector<Step>& steps) {
  Run run(profile, options);
  for (const Step& s : steps) run.step(s);
}

RC_GTEST_PROP(RabbitQuorumProperties, In3WithoutALimit, ()) { live("3.13", {}, *any_life()); }
RC_GTEST_PROP(RabbitQuorumProperties, In3WithALimit, ()) { live("3.13", {.delivery_limit = 2}, *any_life()); }
RC_GTEST_PROP(RabbitQuorumProperties, In42WithALimit, ()) { live("4.2", {.delivery_limit = 2}, *any_life()); }
RC_GTEST_PROP(RabbitQuorumProperties, In43WithALimit, ()) { live("4.3", {.delivery_limit = 1}, *any_life()); }
RC_GTEST_PROP(RabbitQuorumProperties, In43WithoutALimit, ()) { live("4.3", {}, *any_life()); }
RC_GTEST_PROP(RabbitQuorumProperties, WithASingleActiveConsumer, ()) { live("4.3", {.single_active_consumer = true, .delivery_limit = 20}, *any_life()); }

}  // namespace
}  // namespace mqlab::rabbitmq
