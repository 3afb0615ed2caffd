// A classic queue: publishes, settling, limits, expiry. Who gets what: classic_consumers.cpp.
#include "models/rabbitmq/classic_queue.h"

#include <algorithm>
#include <utility>

namespace mqlab::rabbitmq {

ClassicQueue::ClassicQueue(std::string name, QueueOptions options, Time now)
    : name_(std::move(name)), options_(std::move(options)), last_used_(now) {}

// Where the queue had got to in handing out is written down in good order only; without it everything may have been
// delivered (rabbit_variable_queue: next_deliver_seq_id, redeliver_seq_id).
ClassicQueue ClassicQueue::recover(const ClassicQueue& before, std::span<const StoreRecord> survived, bool clean, Time now, QueueEffects& out) {
  ClassicQueue q(before.name_, before.options_, now);
  std::map<std::uint64_t, Message> found;
  for (const StoreRecord& r : survived) {
    q.next_seq_ = std::max(q.next_seq_, r.seq + 1);
    if (r.kind == StoreRecord::Kind::ack) {
      found.erase(r.seq);
      continue;
    }
    Message m{.seq = r.seq, .content = r.content, .expiry = r.expiry, .delivered = !clean || r.seq < before.next_deliver_seq_, .stored = true};
    if (q.options_.max_priority) m.priority = std::min(*q.options_.max_priority, r.content->properties.priority.value_or(0));
    found.emplace(r.seq, std::move(m));
  }
  q.next_deliver_seq_ = clean ? before.next_deliver_seq_ : q.next_seq_;
  for (auto& [seq, m] : found) q.put(std::move(m));
  q.drop_head(out);
  q.drop_expired(now, out);
  return q;
}

ClassicQueue ClassicQueue::promoted(std::string name, QueueOptions options, const std::vector<MirroredMessage>& messages, Time now, QueueEffects& out) {
  ClassicQueue q(std::move(name), std::move(options), now);
  for (const MirroredMessage& x : messages) {
    Message m{.seq = x.seq, .content = x.content, .expiry = x.expiry, .delivered = x.delivered, .priority = x.priority};
    q.next_seq_ = std::max(q.next_seq_, x.seq + 1);
    if (x.delivered) q.next_deliver_seq_ = std::max(q.next_deliver_seq_, x.seq + 1);
    q.store(m, out);
    q.put(std::move(m));
  }
  q.drop_head(out);
  q.drop_expired(now, out);
  return q;
}

// --- publishing ---

void ClassicQueue::publish(PublishId publish, const ContentRef& content, Time now, Limiter& limiter, QueueEffects& out) {
  const bool waits = publish.channel != no_channel;
  if (options_.overflow != Overflow::drop_head && would_overflow(*content)) {
    if (options_.overflow == Overflow::reject_publish_dlx && options_.dead_letter_exchange) out.push_back(DeadLetter{content, DeathReason::maxlen});
    else out.push_back(Dropped{content, DeathReason::maxlen, true});
    if (waits) out.push_back(Reject{publish});
    return;
  }

  Message m{.seq = next_seq_++, .content = content, .expiry = expiry_of(*content, now)};
  if (options_.max_priority) m.priority = std::min(*options_.max_priority, content->properties.priority.value_or(0));
  if (waits) {
    if (options_.durable && content->properties.persistent()) unconfirmed_.emplace(m.seq, publish);
    else out.push_back(Confirm{publish});
  }
  // Whoever can take it gets it past the queue; what needs no acknowledgement is then never stored.
  if (const Consumer* c = head() == nullptr ? next_consumer(limiter) : nullptr) {
    if (!c->spec.no_ack) {
      store(m, out);
      replicate(MirrorRecord::Kind::publish, m, out);
    }
    return hand_out(*c, std::move(m), out);
  }
  store(m, out);
  replicate(MirrorRecord::Kind::publish, m, out);
  put(std::move(m));
  drop_head(out);
  drop_expired(now, out);
  run(now, limiter, out);
}

void ClassicQueue::written(std::uint64_t records, QueueEffects& out) {
  for (; written_ < records && !unwritten_.empty(); ++written_) {
    const std::uint64_t seq = unwritten_.front();
    unwritten_.pop_front();
    if (const auto it = unconfirmed_.find(seq); it != unconfirmed_.end()) {
      out.push_back(Confirm{it->second});
      unconfirmed_.erase(it);
    }
  }
}

// Stamped once; the shorter of the two counts (rabbit_amqqueue_process:calculate_msg_expiry).
Time ClassicQueue::expiry_of(const Content& c, Time now) const {
  Time expiry = time_max;
  if (options_.message_ttl) expiry = saturating_add(now, *options_.message_ttl);
  if (const auto own = parse_expiration(c.properties.expiration)) expiry = std::min(expiry, saturating_add(now, *own));
  return expiry;
}

void ClassicQueue::store(Message& m, QueueEffects& out) {
  if (!options_.durable || !m.content->properties.persistent()) return;
  m.stored = true;
  unwritten_.push_back(m.seq);
  out.push_back(WriteStore{{.kind = StoreRecord::Kind::publish, .seq = m.seq, .content = m.content, .expiry = m.expiry}});
}

void ClassicQueue::replicate(MirrorRecord::Kind kind, const Message& m, QueueEffects& out) const {
  if (!options_.mirrored) return;
  MirrorRecord r{.kind = kind, .seq = m.seq};
  if (kind == MirrorRecord::Kind::publish) {
    r.content = m.content;
    r.expiry = m.expiry;
    r.priority = m.priority;
  }
  out.push_back(Replicate{std::move(r)});
}

void ClassicQueue::leave(const Message& m, QueueEffects& out) {
  if (const auto it = unconfirmed_.find(m.seq); it != unconfirmed_.end()) {
    out.push_back(Confirm{it->second});
    unconfirmed_.erase(it);
  }
  replicate(MirrorRecord::Kind::remove, m, out);
  if (!m.stored) return;
  unwritten_.push_back(0);
  out.push_back(WriteStore{{.kind = StoreRecord::Kind::ack, .seq = m.seq}});
}

// --- the ready messages ---

void ClassicQueue::put(Message m) {
  ready_bytes_ += m.content->size;
  SubQueue& sub = ready_[m.priority];
  const std::uint64_t seq = m.seq;
  sub.emplace(seq, std::move(m));
}

const ClassicQueue::Message* ClassicQueue::head() const { return ready_.empty() ? nullptr : &ready_.begin()->second.begin()->second; }

ClassicQueue::Message ClassicQueue::take_head() {
  const auto sub = ready_.begin();
  Message m = std::move(sub->second.begin()->second);
  sub->second.erase(sub->second.begin());
  if (sub->second.empty()) ready_.erase(sub);
  ready_bytes_ -= m.content->size;
  return m;
}

std::int64_t ClassicQueue::ready_count() const {
  std::int64_t n = 0;
  for (const auto& [priority, sub] : ready_) n += static_cast<std::int64_t>(sub.size());
  return n;
}

std::vector<ClassicQueue::Message> ClassicQueue::ready() const {
  std::vector<Message> out;
  for (const auto& [priority, sub] : ready_)
    for (const auto& [seq, m] : sub) out.push_back(m);
  return out;
}

bool ClassicQueue::would_overflow(const Content& c) const {
  return (options_.max_length && ready_count() + 1 > *options_.max_length) ||
         (options_.max_length_bytes && ready_bytes_ + c.size > *options_.max_length_bytes);
}

bool ClassicQueue::over_limit() const {
  return (options_.max_length && ready_count() > *options_.max_length) ||
         (options_.max_length_bytes && ready_bytes_ > *options_.max_length_bytes);
}

// The head is what would be delivered next: of a priority queue, the oldest of the highest.
void ClassicQueue::drop_head(QueueEffects& out) {
  if (options_.overflow != Overflow::drop_head) return;
  while (head() != nullptr && over_limit()) bury(take_head(), DeathReason::maxlen, out);
}

void ClassicQueue::drop_expired(Time now, QueueEffects& out) {
  while (head() != nullptr && head()->expiry <= now) bury(take_head(), DeathReason::expired, out);
}

void ClassicQueue::bury(const Message& m, DeathReason reason, QueueEffects& out) {
  if (options_.dead_letter_exchange) out.push_back(DeadLetter{m.content, reason});
  else out.push_back(Dropped{m.content, reason, false});
  leave(m, out);
}

// --- settling ---

void ClassicQueue::ack(ChannelId channel, std::span<const DeliveryId> ids, Time now, Limiter& limiter, QueueEffects& out) {
  bool unblocked = false;
  for (const Message& m : take_back(channel, ids, limiter, unblocked)) leave(m, out);
  if (unblocked) run(now, limiter, out);
}

void ClassicQueue::discard(ChannelId channel, std::span<const DeliveryId> ids, Time now, Limiter& limiter, QueueEffects& out) {
  bool unblocked = false;
  for (const Message& m : take_back(channel, ids, limiter, unblocked)) bury(m, DeathReason::rejected, out);
  if (unblocked) run(now, limiter, out);
}

void ClassicQueue::requeue(ChannelId channel, std::span<const DeliveryId> ids, Time now, Limiter& limiter, QueueEffects& out) {
  bool unblocked = false;
  requeue_and_run(take_back(channel, ids, limiter, unblocked), now, limiter, out);
}

// What comes back counts against the limit at once: into a full queue, at the head, it may be the first to go.
void ClassicQueue::requeue_and_run(std::vector<Message> messages, Time now, Limiter& limiter, QueueEffects& out) {
  for (Message& m : messages) {
    if (!options_.requeue_keeps_place) m.seq = next_seq_++;
    put(std::move(m));
  }
  drop_head(out);
  drop_expired(now, out);
  run(now, limiter, out);
}

// --- the queue itself ---

std::int64_t ClassicQueue::purge(Time, QueueEffects& out) {
  const std::int64_t n = ready_count();
  for (const Message& m : ready()) leave(m, out);
  ready_.clear();
  ready_bytes_ = 0;
  return n;
}

void ClassicQueue::deleted(QueueEffects& out) {
  gone_ = true;
  for (const ConsumerKey& k : consumers()) out.push_back(CancelConsumer{k});
  for (const auto& [seq, publish] : unconfirmed_) out.push_back(Confirm{publish});
  unconfirmed_.clear();
}

void ClassicQueue::set_options(QueueOptions options, Time now, QueueEffects& out) {
  options_ = std::move(options);
  drop_head(out);
  drop_expired(now, out);
}

void ClassicQueue::tick(Time now, QueueEffects& out) {
  if (gone_) return;
  drop_expired(now, out);
  if (options_.expires && consumer_count() == 0 && saturating_add(last_used_, *options_.expires) <= now) {
    gone_ = true;
    out.push_back(DeleteQueue{"expired"});
  }
}

Time ClassicQueue::next_due() const {
  if (gone_) return time_max;
  Time due = head() == nullptr ? time_max : head()->expiry;
  if (options_.expires && consumer_count() == 0) due = std::min(due, saturating_add(last_used_, *options_.expires));
  return due;
}

}  // namespace mqlab::rabbitmq
