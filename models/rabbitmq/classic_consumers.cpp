// The consumers of a classic queue: whose turn it is, who may take more, who is the only one.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/rabbitmq/classic_queue.h"

namespace mqlab::rabbitmq {

// --- coming and going ---

MaybeError ClassicQueue::consume(const ConsumerSpec& spec, Time now, Limiter& limiter, QueueEffects& out, const std::string& vhost) {
  const AmqpError in_use = access_refused(resource_text("queue", name_, vhost) + " in exclusive use");
  if (options_.single_active_consumer ? spec.exclusive : active_.has_value() || (spec.exclusive && consumer_count() != 0)) return in_use;
  had_consumer_ = true;
  into_round(Consumer{.spec = spec, .order = next_order_++});
  if (options_.single_active_consumer && !active_) {
    active_ = spec.key;  // whoever is there first
    out.push_back(ActiveConsumer{spec.key, true});
  } else if (spec.exclusive) {
    active_ = spec.key;
  }
  run(now, limiter, out);
  return std::nullopt;
}

void ClassicQueue::cancel(const ConsumerKey& key, Time now, Limiter& limiter, QueueEffects& out) {
  const auto is = [&](const Consumer& c) { return c.spec.key == key; };
  if (std::erase_if(round_, is) + std::erase_if(blocked_, is) == 0) return;
  replace_active(key, out);
  last_used_ = now;
  if (!auto_delete(out) && options_.cancel_serves_next) run(now, limiter, out);
}

void ClassicQueue::channel_down(ChannelId channel, Time now, Limiter& limiter, QueueEffects& out) {
  std::vector<DeliveryId> held;
  for (const auto& [id, u] : unacked_)
    if (u.channel == channel) held.push_back(id);
  const auto is = [&](const Consumer& c) { return c.spec.key.channel == channel; };
  const std::size_t gone = std::erase_if(round_, is) + std::erase_if(blocked_, is);
  bool unblocked = false;
  std::vector<Message> messages = take_back(channel, held, limiter, unblocked);
  if (active_ && active_->channel == channel) replace_active(*active_, out);
  if (gone != 0) last_used_ = now;
  // A queue that goes with its last consumer takes along what he held.
  if (gone == 0 || !auto_delete(out)) requeue_and_run(std::move(messages), now, limiter, out);
}

// An exclusive consumer's place stays free; a single active one is followed by whoever is first in the round.
void ClassicQueue::replace_active(ConsumerKey gone, QueueEffects& out) {
  if (active_ != gone) return;
  active_.reset();
  if (!options_.single_active_consumer) return;
  out.push_back(ActiveConsumer{gone, false});
  if (round_.empty()) return;
  active_ = round_.front().spec.key;
  out.push_back(ActiveConsumer{*active_, true});
}

bool ClassicQueue::auto_delete(QueueEffects& out) {
  if (!options_.auto_delete || !had_consumer_ || consumer_count() != 0 || gone_) return false;
  gone_ = true;
  out.push_back(DeleteQueue{"auto-delete"});
  return true;
}

// --- the round ---

void ClassicQueue::into_round(Consumer c) {
  const auto after = std::find_if(round_.begin(), round_.end(), [&](const Consumer& o) { return o.spec.priority < c.spec.priority; });
  round_.insert(after, std::move(c));
}

bool ClassicQueue::may_take(const Consumer& c, Limiter& limiter) const {
  if (!c.spec.no_ack && c.spec.prefetch != 0 && c.unacked >= c.spec.prefetch) return false;
  return limiter.take(c.spec.key.channel, !c.spec.no_ack);
}

const ClassicQueue::Consumer* ClassicQueue::next_consumer(Limiter& limiter) {
  const auto block = [&](std::vector<Consumer>::iterator it) {
    blocked_.push_back(std::move(*it));
    round_.erase(it);
  };
  if (options_.single_active_consumer) {
    const auto it = std::find_if(round_.begin(), round_.end(), [&](const Consumer& c) { return c.spec.key == active_; });
    if (it == round_.end()) return nullptr;
    if (may_take(*it, limiter)) return &*it;
    block(it);
    return nullptr;
  }
  while (!round_.empty()) {
    if (!may_take(round_.front(), limiter)) {
      block(round_.begin());
      continue;
    }
    Consumer c = std::move(round_.front());
    round_.erase(round_.begin());
    const ConsumerKey key = c.spec.key;
    into_round(std::move(c));  // behind the others of its priority
    return find(key);
  }
  return nullptr;
}

bool ClassicQueue::unblock(ChannelId channel, const Limiter& limiter) {
  const auto limit = limiter.channels.find(channel);
  if (limit != limiter.channels.end() && limit->second.prefetch != 0 && limit->second.unacked >= limit->second.prefetch) return false;
  const std::size_t before = blocked_.size();
  std::vector<Consumer> still;
  for (Consumer& c : blocked_) {
    const bool full = !c.spec.no_ack && c.spec.prefetch != 0 && c.unacked >= c.spec.prefetch;
    if (c.spec.key.channel == channel && !full) into_round(std::move(c));
    else still.push_back(std::move(c));
  }
  blocked_ = std::move(still);
  return blocked_.size() != before;
}

void ClassicQueue::resume(ChannelId channel, Time now, Limiter& limiter, QueueEffects& out) {
  unblock(channel, limiter);
  run(now, limiter, out);
}

// --- handing out ---

void ClassicQueue::hand_out(const Consumer& c, Message m, QueueEffects& out) {
  next_deliver_seq_ = std::max(next_deliver_seq_, m.seq + 1);
  out.push_back(Deliver{.consumer = c.spec.key, .id = m.seq, .content = m.content, .redelivered = m.delivered, .no_ack = c.spec.no_ack});
  if (c.spec.no_ack) return leave(m, out);
  ++find(c.spec.key)->unacked;
  replicate(MirrorRecord::Kind::deliver, m, out);
  m.delivered = true;
  const DeliveryId id = m.seq;
  unacked_.emplace(id, Unacked{.channel = c.spec.key.channel, .tag = c.spec.key.tag, .message = std::move(m)});
}

// The product takes a message and then looks for expired ones behind it, so one that expired a moment ago may still
// be delivered (rabbit_amqqueue_process:fetch says so itself).
void ClassicQueue::run(Time now, Limiter& limiter, QueueEffects& out) {
  while (head() != nullptr) {
    const Consumer* c = next_consumer(limiter);
    if (c == nullptr) return;
    hand_out(*c, take_head(), out);
    drop_expired(now, out);
  }
}

void ClassicQueue::get(ChannelId channel, bool no_ack, Time now, Limiter&, QueueEffects& out) {
  last_used_ = now;
  if (head() == nullptr) return out.push_back(GetEmpty{channel});
  Message m = take_head();
  next_deliver_seq_ = std::max(next_deliver_seq_, m.seq + 1);
  const std::size_t at = out.size();
  out.push_back(Deliver{.consumer = {channel, ""}, .id = m.seq, .content = m.content, .redelivered = m.delivered, .no_ack = no_ack});
  if (no_ack) {
    leave(m, out);
  } else {
    replicate(MirrorRecord::Kind::deliver, m, out);
    m.delivered = true;
    const DeliveryId id = m.seq;
    unacked_.emplace(id, Unacked{.channel = channel, .tag = "", .message = std::move(m)});
  }
  drop_expired(now, out);
  std::get<Deliver>(out[at]).left = ready_count();
}

std::vector<ClassicQueue::Message> ClassicQueue::take_back(ChannelId channel, std::span<const DeliveryId> ids, Limiter& limiter, bool& unblocked) {
  std::vector<Message> out;
  std::uint32_t consumed = 0;  // what basic.get took counts against no prefetch
  for (const DeliveryId id : ids) {
    const auto it = unacked_.find(id);
    if (it == unacked_.end() || it->second.channel != channel) continue;
    consumed += !it->second.tag.empty();
    if (Consumer* c = find({channel, it->second.tag}); c != nullptr && c->unacked > 0) --c->unacked;
    out.push_back(std::move(it->second.message));
    unacked_.erase(it);
  }
  limiter.give_back(channel, consumed);
  unblocked = unblock(channel, limiter);
  return out;
}

// --- looking ---

ClassicQueue::Consumer* ClassicQueue::find(const ConsumerKey& key) {
  for (std::vector<Consumer>* list : {&round_, &blocked_})
    for (Consumer& c : *list)
      if (c.spec.key == key) return &c;
  return nullptr;
}

std::int64_t ClassicQueue::consumer_count() const { return static_cast<std::int64_t>(round_.size() + blocked_.size()); }

std::vector<ConsumerKey> ClassicQueue::consumers() const {
  std::vector<Consumer> all = round_;
  all.insert(all.end(), blocked_.begin(), blocked_.end());
  std::sort(all.begin(), all.end(), [](const Consumer& a, const Consumer& b) { return a.order < b.order; });
  std::vector<ConsumerKey> out;
  for (const Consumer& c : all) out.push_back(c.spec.key);
  return out;
}

Tree ClassicQueue::state(std::string name) const {
  Tree t{std::move(name), "classic"};
  t.add("ready", fmt::format("{}", ready_count()));
  t.add("unacked", fmt::format("{}", unacked_.size()));
  t.add("consumers", fmt::format("{}", consumer_count()));
  if (active_) t.add("active consumer", active_->tag);
  if (!unconfirmed_.empty()) t.add("unconfirmed", fmt::format("{}", unconfirmed_.size()));
  return t;
}

}  // namespace mqlab::rabbitmq
