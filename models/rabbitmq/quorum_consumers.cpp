// The consumers of a quorum queue: credit, turns, the single active one, and what becomes of what they hold.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/rabbitmq/quorum_queue.h"

namespace mqlab::rabbitmq {

// --- coming and going ---

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Checkout& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  ConsumerSpec spec = c.consumer;
  if (spec.prefetch == 0 || spec.prefetch > rules_.prefetch_max) spec.prefetch = rules_.prefetch_max;
  Consumer* there = find(spec.key);
  const bool nobody_active = !active_consumer().has_value();
  if (there != nullptr && (!options_.single_active_consumer || is_active(*there) || nobody_active)) {
    merge(*there, spec);
  } else {
    Consumer fresh;
    fresh.spec = spec;
    fresh.credit = spec.prefetch;
    fresh.order = next_order_++;
    if (options_.single_active_consumer) {
      into_waiting(std::move(fresh));
    } else {
      queue_for_service(fresh);
      consumers_.emplace(spec.key, std::move(fresh));
    }
  }
  activate_next(out);
  checkout(meta.now, was_below, out);
  return {};
}

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Cancel& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  QuorumReply reply;
  if (Consumer* consumer = find(c.consumer)) {
    const bool active = options_.single_active_consumer && is_active(*consumer);
    consumer->once = true;
    consumer->credit = 0;
    consumer->status = Status::cancelled;
    update_or_remove(c.consumer, meta.now, out);
    if (active) out.push_back(ActiveConsumer{c.consumer, false});
  } else if (find_waiting(c.consumer) != nullptr) {
    std::erase_if(waiting_, [&](const Consumer& w) { return w.spec.key == c.consumer; });
    last_active_ = meta.now;
  } else {
    reply.kind = QuorumReply::Kind::not_found;
  }
  activate_next(out);
  checkout(meta.now, was_below, out);
  return reply;
}

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const ChannelDown& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  enqueuers_.erase(c.channel);
  std::vector<ConsumerKey> gone;
  for (const auto& [key, consumer] : consumers_)
    if (key.channel == c.channel) gone.push_back(key);
  for (const ConsumerKey& key : gone) {
    return_all(key, meta, true, out);
    consumers_.erase(key);
    last_active_ = meta.now;
  }
  if (std::erase_if(waiting_, [&](const Consumer& w) { return w.spec.key.channel == c.channel; }) != 0) last_active_ = meta.now;
  activate_next(out);
  checkout(meta.now, was_below, out);
  return {};
}

// Before 4.3 what they hold goes back at once, though they may well be alive; from 4.3 on they are given time.
QuorumReply QuorumQueue::on(const QuorumMeta& meta, const NodeDown& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  if (rules_.disconnected_timeout == 0) {
    node_down_at_once(c.node, meta, out);
  } else {
    for (auto& [key, consumer] : consumers_)
      if (node_of(key.channel) == c.node && !consumer.suspected()) consumer.suspected_at = meta.now;
  }
  for (Consumer& w : waiting_)
    if (node_of(w.spec.key.channel) == c.node && !w.suspected()) w.suspected_at = meta.now;
  last_active_ = meta.now;
  activate_next(out);
  checkout(meta.now, was_below, out);
  return {};
}

void QuorumQueue::node_down_at_once(NodeId node, const QuorumMeta& meta, QueueEffects& out) {
  std::vector<ConsumerKey> there;
  for (const auto& [key, consumer] : consumers_)
    if (node_of(key.channel) == node && (options_.single_active_consumer || consumer.status == Status::up)) there.push_back(key);
  for (const ConsumerKey& key : there) {
    const bool active = options_.single_active_consumer && is_active(*find(key));
    return_all(key, meta, true, out);
    Consumer* consumer = find(key);
    if (consumer == nullptr) continue;  // cancelled, and it has nothing any more
    consumer->suspected_at = meta.now;
    if (!options_.single_active_consumer) continue;
    if (active) {
      step_down(key, out);
      continue;
    }
    Consumer moved = std::move(*consumer);
    consumers_.erase(key);
    into_waiting(std::move(moved));
  }
}

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const NodeUp& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  std::vector<ConsumerKey> back;
  for (auto& [key, consumer] : consumers_) {
    if (node_of(key.channel) != c.node || !consumer.suspected() || consumer.status == Status::cancelled) continue;
    consumer.suspected_at = time_max;
    back.push_back(key);
  }
  for (const ConsumerKey& key : back) update_or_remove(key, meta.now, out);
  for (Consumer& w : waiting_)
    if (node_of(w.spec.key.channel) == c.node) w.suspected_at = time_max;
  std::vector<Consumer> again = std::move(waiting_);
  waiting_.clear();
  for (Consumer& w : again) into_waiting(std::move(w));
  activate_next(out);
  checkout(meta.now, was_below, out);
  return {};
}

// --- the single active one ---

bool QuorumQueue::is_active(const Consumer& c) const {
  if (c.status == Status::cancelled || !c.timed_out.empty()) return false;
  return rules_.disconnected_timeout != 0 || !c.suspected();
}

std::optional<ConsumerKey> QuorumQueue::active_consumer() const {
  if (!options_.single_active_consumer) return std::nullopt;
  for (const auto& [key, c] : consumers_)
    if (is_active(c)) return key;
  return std::nullopt;
}

// From 4.0 on: who is up before who is not, then by priority, credit, and who came first. Before: at the end.
void QuorumQueue::into_waiting(Consumer c) {
  if (!rules_.single_active_priorities) return waiting_.push_back(std::move(c));
  const auto before = [](const Consumer& a, const Consumer& b) {
    if (a.serves() != b.serves()) return a.serves();
    if (!a.serves()) return false;
    if (a.spec.priority != b.spec.priority) return a.spec.priority > b.spec.priority;
    if (a.credit != b.credit) return a.credit > b.credit;
    return a.order < b.order;
  };
  waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), c, before), std::move(c));
}

void QuorumQueue::step_down(const ConsumerKey& key, QueueEffects& out) {
  const auto it = consumers_.find(key);
  out.push_back(ActiveConsumer{key, false});
  Consumer c = std::move(it->second);
  c.status = Status::up;
  consumers_.erase(it);
  into_waiting(std::move(c));
}

// What it still holds from before counts against the new prefetch (merge_consumer).
void QuorumQueue::merge(Consumer& there, const ConsumerSpec& spec) {
  there.spec = spec;
  there.status = Status::up;
  there.once = false;
  const auto held = static_cast<std::uint32_t>(there.checked_out.size());
  there.credit = spec.prefetch > held ? spec.prefetch - held : 0;
  queue_for_service(there);
}

void QuorumQueue::activate_next(QueueEffects& out) {
  if (!options_.single_active_consumer) return;
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [](const Consumer& w) { return w.serves(); });
  if (next == waiting_.end()) return;
  const auto active = active_consumer();
  if (active) {
    Consumer& a = *find(*active);
    if (!rules_.single_active_priorities || next->spec.priority <= a.spec.priority) return;
    if (!a.checked_out.empty()) {
      a.status = Status::quiescing;
      return;
    }
  }
  Consumer chosen = std::move(*next);
  waiting_.erase(next);
  if (active) step_down(*active, out);
  const ConsumerKey key = chosen.spec.key;
  out.push_back(ActiveConsumer{key, true});
  if (Consumer* there = find(key)) return merge(*there, chosen.spec);  // cancelled, and came again
  queue_for_service(chosen);
  consumers_.emplace(key, std::move(chosen));
}

// --- turns and credit ---

void QuorumQueue::queue_for_service(const Consumer& c) {
  if (c.credit == 0 || !c.serves()) return;
  if (std::find(service_.begin(), service_.end(), c.spec.key) != service_.end()) return;
  const auto after = std::find_if(service_.begin(), service_.end(), [&](const ConsumerKey& k) {
    const Consumer* o = find(k);
    return o != nullptr && o->spec.priority < c.spec.priority;
  });
  service_.insert(after, c.spec.key);
}

void QuorumQueue::update_or_remove(const ConsumerKey& key, Time now, QueueEffects& out) {
  Consumer& c = *find(key);
  if (c.once && c.credit == 0) {
    if (!c.checked_out.empty()) return;
    consumers_.erase(key);
    last_active_ = now;
    return;
  }
  if (c.status == Status::quiescing && c.checked_out.empty()) return step_down(key, out);
  queue_for_service(c);
}

void QuorumQueue::give_credit(Consumer& c, std::size_t n) const {
  if (!c.once) c.credit = std::min(c.spec.prefetch, c.credit + static_cast<std::uint32_t>(n));
}

// --- what they hold ---

std::vector<QuorumQueue::Message> QuorumQueue::take_back(Consumer& c, const std::vector<DeliveryId>& ids) {
  std::vector<Message> out;
  for (const DeliveryId id : ids) {
    const auto it = c.checked_out.find(id);
    if (it == c.checked_out.end()) continue;
    out.push_back(std::move(it->second.message));
    c.checked_out.erase(it);
  }
  give_credit(c, out.size());
  return out;
}

void QuorumQueue::return_messages(Consumer& c, const std::vector<DeliveryId>& ids, const QuorumMeta& meta, bool failed, bool to_tail, QueueEffects& out) {
  for (Message& m : take_back(c, ids)) {
    ++m.acquired;
    m.failed += failed;
    const std::int32_t counted = rules_.limit_by_acquired ? m.acquired : m.failed;
    if (!to_tail && options_.delivery_limit && counted > *options_.delivery_limit) {
      bury(m, DeathReason::delivery_limit, out);
      continue;
    }
    if (to_tail) {
      m.index = meta.index;
      put(default_level(), std::move(m));
      continue;
    }
    ready_bytes_ += m.content->size;
    const RetryFor why = options_.delayed_retry;
    if (rules_.delayed_retry && (why == RetryFor::all || why == (failed ? RetryFor::failed : RetryFor::returned))) {
      const Duration delay = std::min(saturating_multiply(options_.delayed_retry_min, std::max(1, m.failed)), options_.delayed_retry_max);
      const std::pair at{saturating_add(last_command_, delay), m.index};
      delayed_.emplace(at, std::move(m));
    } else {
      returns_.push_back(std::move(m));
    }
  }
}

void QuorumQueue::return_all(const ConsumerKey& key, const QuorumMeta& meta, bool failed, QueueEffects& out) {
  Consumer& c = *find(key);
  std::vector<DeliveryId> ids;
  for (const auto& [id, held] : c.checked_out) ids.push_back(id);
  return_messages(c, ids, meta, failed, false, out);
  update_or_remove(key, meta.now, out);
}

// --- time (4.3) ---

void QuorumQueue::time_out(const QuorumMeta& meta, QueueEffects& out) {
  std::vector<ConsumerKey> keys;
  for (const auto& [key, c] : consumers_) keys.push_back(key);
  for (const ConsumerKey& key : keys) {
    Consumer& c = *find(key);
    std::vector<DeliveryId> late;
    for (const auto& [id, held] : c.checked_out)
      if (held.deadline <= meta.now) late.push_back(id);
    if (late.empty()) continue;
    const bool active = options_.single_active_consumer && is_active(c);
    out.push_back(TimedOut{key, late});
    c.timed_out.insert(c.timed_out.end(), late.begin(), late.end());
    return_messages(c, late, meta, false, false, out);
    update_or_remove(key, meta.now, out);
    if (const Consumer* still = find(key); active && still != nullptr && still->checked_out.empty()) step_down(key, out);
  }
}

void QuorumQueue::end_suspicions(const QuorumMeta& meta, QueueEffects& out) {
  if (rules_.disconnected_timeout == 0) return;
  std::vector<ConsumerKey> due;
  for (const auto& [key, c] : consumers_)
    if (c.suspected() && saturating_add(c.suspected_at, rules_.disconnected_timeout) <= meta.now) due.push_back(key);
  for (const ConsumerKey& key : due) {
    const bool active = options_.single_active_consumer && is_active(*find(key));
    return_all(key, meta, false, out);
    if (active && find(key) != nullptr) step_down(key, out);
  }
}

bool QuorumQueue::settle_timed_out(Consumer& c, const std::vector<DeliveryId>& ids) const {
  if (c.timed_out.empty()) return false;
  std::erase_if(c.timed_out, [&](DeliveryId id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); });
  return c.timed_out.empty();
}

bool QuorumQueue::settle_waiting(const ConsumerKey& key, const std::vector<DeliveryId>& ids) {
  Consumer* w = find_waiting(key);
  if (w == nullptr || !settle_timed_out(*w, ids)) return false;
  Consumer moved = std::move(*w);
  std::erase_if(waiting_, [&](const Consumer& o) { return &o == w; });
  into_waiting(std::move(moved));
  return true;
}

// --- handing out ---

void QuorumQueue::assign(Consumer& c, Time now, bool get, QueueEffects& out) {
  Consumer::Held held{.message = take_next()};
  if (rules_.consumer_timeout == ConsumerTimeout::returns_messages)
    held.deadline = saturating_add(now, c.spec.timeout.value_or(options_.consumer_timeout.value_or(rules_.consumer_timeout_after)));
  const DeliveryId id = c.next_id++;
  c.checked_out.emplace(id, std::move(held));
  --c.credit;
  deliver(c, id, get, out);
}

// What the queue says of earlier attempts. Up to 3.13 it counts all returns, and tells a basic.get even of none.
void QuorumQueue::deliver(const Consumer& c, DeliveryId id, bool get, QueueEffects& out) const {
  const Message& m = c.checked_out.at(id).message;
  Deliver d;
  d.consumer = c.spec.key;
  d.id = id;
  d.content = m.content;
  d.redelivered = m.acquired > 0;
  d.no_ack = c.spec.no_ack;
  if (get) d.left = ready_count();
  if (!rules_.count_headers_4) {
    if (get || m.acquired > 0) d.delivery_count = m.acquired;
  } else {
    if (m.acquired > 0) d.acquired_count = m.acquired;
    if (m.failed > 0) d.delivery_count = m.failed;
  }
  out.push_back(std::move(d));
}

void QuorumQueue::checkout(Time now, bool was_below, QueueEffects& out) {
  for (expire(now, out); peek() != nullptr && !service_.empty(); expire(now, out)) {
    const ConsumerKey key = service_.front();
    service_.erase(service_.begin());
    Consumer* c = find(key);
    if (c == nullptr || c->credit == 0 || !c->serves()) continue;
    assign(*c, now, false, out);
    queue_for_service(*c);
  }
  serve_dlx(out);
  keep_limit(was_below, out);
}

void QuorumQueue::resend(ChannelId channel, QueueEffects& out) const {
  for (const auto& [key, c] : consumers_)
    if (key.channel == channel)
      for (const auto& [id, held] : c.checked_out) deliver(c, id, false, out);
}

// --- looking ---

QuorumQueue::Consumer* QuorumQueue::find(const ConsumerKey& key) {
  const auto it = consumers_.find(key);
  return it == consumers_.end() ? nullptr : &it->second;
}

QuorumQueue::Consumer* QuorumQueue::find_waiting(const ConsumerKey& key) {
  const auto it = std::find_if(waiting_.begin(), waiting_.end(), [&](const Consumer& w) { return w.spec.key == key; });
  return it == waiting_.end() ? nullptr : &*it;
}

std::int64_t QuorumQueue::unacked_count() const {
  std::int64_t n = 0;
  for (const auto& [key, c] : consumers_) n += static_cast<std::int64_t>(c.checked_out.size());
  return n;
}

Tree QuorumQueue::state(std::string name) const {
  Tree t{std::move(name), "quorum"};
  t.add("ready", fmt::format("{}", ready_count()));
  t.add("unacked", fmt::format("{}", unacked_count()));
  t.add("consumers", fmt::format("{}", consumer_count()));
  if (const auto active = active_consumer()) t.add("active consumer", active->tag);
  if (!delayed_.empty()) t.add("delayed", fmt::format("{}", delayed_.size()));
  if (dead_letter_count() != 0) t.add("dead letters", fmt::format("{}", dead_letter_count()));
  return t;
}

namespace {

std::string ids(const std::vector<DeliveryId>& v) {
  std::string s;
  for (const DeliveryId id : v) s += fmt::format(" #{}", id);
  return s;
}
std::string who(const ConsumerKey& k) { return fmt::format("{}/{}", k.channel & 0xff'ffff'ffff, k.tag); }

struct Teller {
  std::string operator()(const Enqueue& c) const {
    return fmt::format("enqueue {}#{} m{}", c.sender & 0xff'ffff'ffff, c.seq, c.content->message & 0xff'ffff'ffff);
  }
  std::string operator()(const RegisterEnqueuer& c) const { return fmt::format("register {}", c.sender & 0xff'ffff'ffff); }
  std::string operator()(const Settle& c) const { return fmt::format("settle {}{}", who(c.consumer), ids(c.ids)); }
  std::string operator()(const Discard& c) const { return fmt::format("discard {}{}", who(c.consumer), ids(c.ids)); }
  std::string operator()(const Return& c) const { return fmt::format("return {}{}{}", who(c.consumer), ids(c.ids), c.failed ? " failed" : ""); }
  std::string operator()(const Checkout& c) const { return fmt::format("checkout {} prefetch {}", who(c.consumer.key), c.consumer.prefetch); }
  std::string operator()(const Cancel& c) const { return fmt::format("cancel {}", who(c.consumer)); }
  std::string operator()(const Dequeue& c) const { return fmt::format("dequeue {}", who(c.consumer)); }
  std::string operator()(const Purge&) const { return "purge"; }
  std::string operator()(const ChannelDown& c) const { return fmt::format("channel down {}", c.channel & 0xff'ffff'ffff); }
  std::string operator()(const NodeDown& c) const { return fmt::format("node down {}", c.node); }
  std::string operator()(const NodeUp& c) const { return fmt::format("node up {}", c.node); }
  std::string operator()(const Tick&) const { return "tick"; }
  std::string operator()(const DlxCheckout& c) const { return fmt::format("dlx checkout {}", c.prefetch); }
  std::string operator()(const DlxSettle& c) const { return fmt::format("dlx settle{}", ids(c.ids)); }
  std::string operator()(const SetOptions&) const { return "options"; }
};

}  // namespace

std::string describe(const QuorumCommand& c) { return std::visit(Teller{}, c); }

}  // namespace mqlab::rabbitmq
