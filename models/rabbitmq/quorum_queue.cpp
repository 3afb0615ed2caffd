// A quorum queue: its commands and its messages. Consumers: quorum_consumers.cpp.
#include "models/rabbitmq/quorum_queue.h"

#include <algorithm>
#include <utility>

namespace mqlab::rabbitmq {
namespace {
constexpr Duration millisecond = 1'000'000;
}

QuorumQueue::QuorumQueue(std::string name, QueueOptions options, Rules rules, Time now)
    : name_(std::move(name)), options_(std::move(options)), rules_(rules), last_active_(now) {}

QuorumReply QuorumQueue::apply(const QuorumMeta& meta, const QuorumCommand& command, QueueEffects& out) {
  last_command_ = std::max(last_command_, meta.now);
  return std::visit([&](const auto& c) { return on(meta, c, out); }, command);
}

// --- publishers ---

// rabbit_fifo:maybe_enqueue. A number already seen is answered like the first time; one that skips some is not taken.
QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Enqueue& c, QueueEffects& out) {
  if (c.sender != no_channel) {
    Enqueuer& e = enqueuers_[c.sender];
    if (c.seq > e.next_seq) return {QuorumReply::Kind::not_enqueued};
    out.push_back(Confirm{{c.sender, c.seq}});
    if (c.seq < e.next_seq) return {};
    ++e.next_seq;
  }
  const bool was_below = below_soft_limit();
  put(level_of(*c.content), Message{.index = meta.index, .content = c.content, .expiry = expiry_of(*c.content, meta.now)});
  checkout(meta.now, was_below, out);
  return {};
}

QuorumReply QuorumQueue::on(const QuorumMeta&, const RegisterEnqueuer& c, QueueEffects&) {
  enqueuers_.try_emplace(c.sender);
  if (options_.overflow == Overflow::reject_publish && over_limit()) return {QuorumReply::Kind::reject_publish};
  return {};
}

// --- settling ---

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Settle& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  if (Consumer* consumer = find(c.consumer)) {
    take_back(*consumer, c.ids);
    settle_timed_out(*consumer, c.ids);
    update_or_remove(c.consumer, meta.now, out);
  } else if (!settle_waiting(c.consumer, c.ids)) {
    return {};
  }
  activate_next(out);
  checkout(meta.now, was_below, out);
  return {};
}

// In the order of the rejections (rabbit_fifo: "must maintain same order").
QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Discard& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  if (Consumer* consumer = find(c.consumer)) {
    for (const Message& m : take_back(*consumer, c.ids)) bury(m, DeathReason::rejected, out);
    settle_timed_out(*consumer, c.ids);
    update_or_remove(c.consumer, meta.now, out);
  } else if (!settle_waiting(c.consumer, c.ids)) {
    return {};
  }
  activate_next(out);
  checkout(meta.now, was_below, out);
  return {};
}

// Without a delivery limit the leader appends what comes back anew, so that the log can be cut: it goes to the tail
// (rabbit_fifo:handle_aux, requeue). Here this is part of the command.
QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Return& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  if (Consumer* consumer = find(c.consumer)) {
    std::vector<DeliveryId> ids = c.ids;
    const bool to_tail = !options_.delivery_limit && (!c.failed || rules_.nack_counts);
    // Up to 3.13 the machine looks its own way through what it holds, oldest first; later as the client said.
    if (to_tail || !rules_.count_headers_4) std::sort(ids.begin(), ids.end());
    return_messages(*consumer, ids, meta, c.failed && !rules_.nack_counts, to_tail, out);  // earlier they were one command
    settle_timed_out(*consumer, c.ids);
    update_or_remove(c.consumer, meta.now, out);
  } else if (!settle_waiting(c.consumer, c.ids)) {
    return {};
  }
  activate_next(out);
  checkout(meta.now, was_below, out);
  return {};
}

// --- basic.get ---

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Dequeue& c, QueueEffects& out) {
  if (options_.single_active_consumer) return {QuorumReply::Kind::locked};
  last_active_ = meta.now;
  const bool was_below = below_soft_limit();
  expire(meta.now, out);
  if (peek() == nullptr || find(c.consumer) != nullptr) {
    out.push_back(GetEmpty{c.consumer.channel});
    keep_limit(was_below, out);
    return {QuorumReply::Kind::empty};
  }
  Consumer& consumer = consumers_[c.consumer];
  consumer = Consumer{};
  consumer.spec.key = c.consumer;
  consumer.spec.no_ack = c.no_ack;
  consumer.once = true;
  consumer.credit = 1;
  assign(consumer, meta.now, true, out);
  if (c.no_ack) {
    take_back(consumer, {0});
    update_or_remove(c.consumer, meta.now, out);
  }
  keep_limit(was_below, out);
  return {};
}

// --- the queue itself ---

QuorumReply QuorumQueue::on(const QuorumMeta&, const Purge&, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  QuorumReply reply{.count = ready_count() + delayed_count()};
  ready_.clear();
  returns_.clear();
  delayed_.clear();
  ready_bytes_ = 0;
  if (rules_.purge_takes_dead_letters) {
    reply.count += dead_letter_count();
    discards_.clear();
    dlx_checked_out_.clear();
  }
  keep_limit(was_below, out);
  return reply;
}

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const SetOptions& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  const bool had_limit = options_.max_length || options_.max_length_bytes;
  options_ = c.options;
  if (!options_.at_least_once) {  // rabbit_fifo_dlx:update_config: what was kept is deleted
    discards_.clear();
    dlx_checked_out_.clear();
    dlx_prefetch_ = 0;
  }
  if (had_limit && !options_.max_length && !options_.max_length_bytes) unblock_publishers(out);
  checkout(meta.now, was_below, out);
  return {};
}

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const Tick&, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  time_out(meta, out);
  end_suspicions(meta, out);
  activate_next(out);
  checkout(meta.now, was_below, out);
  if (options_.expires && consumer_count() == 0 && !deleted_ && saturating_add(last_active_, *options_.expires) <= meta.now) {
    deleted_ = true;
    out.push_back(DeleteQueue{"expired"});
  }
  return {};
}

Time QuorumQueue::next_due() const {
  Time due = peek() == nullptr ? time_max : peek()->expiry;
  if (!delayed_.empty()) due = std::min(due, delayed_.begin()->first.first);
  if (options_.expires && consumer_count() == 0 && !deleted_) due = std::min(due, saturating_add(last_active_, *options_.expires));
  for (const auto& [key, c] : consumers_) {
    if (!c.checked_out.empty()) due = std::min(due, c.checked_out.begin()->second.deadline);  // the oldest has the first
    if (c.suspected() && rules_.disconnected_timeout != 0 && !c.checked_out.empty())
      due = std::min(due, saturating_add(c.suspected_at, rules_.disconnected_timeout));
  }
  return due;
}

// --- messages ---

// A life of nothing is one millisecond here (rabbit_fifo:update_expiry_header).
Time QuorumQueue::expiry_of(const Content& c, Time now) const {
  std::optional<Duration> ttl = options_.message_ttl;
  if (const auto own = parse_expiration(c.properties.expiration); own && (!ttl || *own < *ttl)) ttl = own;
  return ttl ? saturating_add(now, std::max<Duration>(*ttl, millisecond)) : time_max;
}

int QuorumQueue::default_level() const { return rules_.priorities == QuorumPriorities::thirty_two ? 4 : 0; }

int QuorumQueue::level_of(const Content& c) const {
  if (!c.properties.priority) return default_level();
  const int p = *c.properties.priority;
  switch (rules_.priorities) {
    case QuorumPriorities::none: return 0;
    case QuorumPriorities::two: return p > 4 ? 1 : 0;
    case QuorumPriorities::thirty_two: return std::min(p, 31);
  }
  return 0;
}

// 4.0 to 4.2 (rabbit_fifo_q): where both kinds wait, each third one taken is a normal one.
int QuorumQueue::next_level() const {
  if (rules_.priorities == QuorumPriorities::two && ready_.size() == 2) return turn_ == 2 ? 0 : 1;
  return ready_.begin()->first;
}

const QuorumQueue::Message* QuorumQueue::peek() const {
  if (!returns_.empty()) return &returns_.front();
  return ready_.empty() ? nullptr : &ready_.find(next_level())->second.front();
}

QuorumQueue::Message QuorumQueue::take_next() {
  Message m;
  if (!returns_.empty()) {
    m = std::move(returns_.front());
    returns_.pop_front();
  } else {
    const auto level = ready_.find(next_level());
    turn_ = turn_ == 2 ? 0 : turn_ + 1;
    m = std::move(level->second.front());
    level->second.pop_front();
    if (level->second.empty()) ready_.erase(level);
  }
  ready_bytes_ -= m.content->size;
  return m;
}

void QuorumQueue::put(int level, Message m) {
  ready_bytes_ += m.content->size;
  ready_[level].push_back(std::move(m));
}

std::int64_t QuorumQueue::ready_count() const {
  auto n = static_cast<std::int64_t>(returns_.size());
  for (const auto& [level, messages] : ready_) n += static_cast<std::int64_t>(messages.size());
  return n;
}

std::vector<QuorumQueue::Message> QuorumQueue::ready() const {
  QuorumQueue copy = *this;
  std::vector<Message> out;
  while (copy.peek() != nullptr) out.push_back(copy.take_next());
  return out;
}

void QuorumQueue::expire(Time now, QueueEffects& out) {
  end_delays(now);
  while (peek() != nullptr && peek()->expiry <= now) bury(take_next(), DeathReason::expired, out);
}

void QuorumQueue::end_delays(Time now) {
  while (!delayed_.empty() && delayed_.begin()->first.first <= now) {
    returns_.push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
}

void QuorumQueue::bury(const Message& m, DeathReason reason, QueueEffects& out) {
  if (options_.at_least_once) discards_.push_back({reason, m});
  else if (options_.dead_letter_exchange) out.push_back(DeadLetter{m.content, reason});
  else out.push_back(Dropped{m.content, reason, false});
}

// --- the limit ---

// What is kept for dead-lettering counts as if it were still in the queue, for it is.
std::int64_t QuorumQueue::limited_count() const { return ready_count() + delayed_count() + dead_letter_count(); }

std::int64_t QuorumQueue::limited_bytes() const {
  std::int64_t bytes = ready_bytes_;
  for (const Dead& d : discards_) bytes += d.message.content->size;
  for (const auto& [id, d] : dlx_checked_out_) bytes += d.message.content->size;
  return bytes;
}

bool QuorumQueue::over_limit() const {
  return (options_.max_length && limited_count() > *options_.max_length) ||
         (options_.max_length_bytes && limited_bytes() > *options_.max_length_bytes);
}

// LOW_LIMIT, 0.8, cut to a whole number.
bool QuorumQueue::below_soft_limit() const {
  if (!options_.max_length && !options_.max_length_bytes) return false;
  const auto is_below = [](const std::optional<std::int64_t>& limit, std::int64_t n) { return !limit || n <= *limit / 5 * 4 + *limit % 5 * 4 / 5; };
  return is_below(options_.max_length, limited_count()) && is_below(options_.max_length_bytes, limited_bytes());
}

void QuorumQueue::unblock_publishers(QueueEffects& out) {
  for (auto& [channel, e] : enqueuers_) {
    e.blocked = false;
    out.push_back(PublisherStatus{channel, false});
  }
}

// rabbit_fifo:evaluate_limit. Publishers are told to reject, and what is on its way to the queue still comes in; they
// are told to go on when four fifths are free of what the limit allows.
void QuorumQueue::keep_limit(bool was_below, QueueEffects& out) {
  if (options_.overflow != Overflow::reject_publish) {
    while (over_limit() && peek() != nullptr) bury(take_next(), DeathReason::maxlen, out);
    return;
  }
  if (over_limit()) {
    for (auto& [channel, e] : enqueuers_) {
      if (e.blocked) continue;
      e.blocked = true;
      out.push_back(PublisherStatus{channel, true});
    }
  } else if (!was_below && below_soft_limit()) {
    unblock_publishers(out);
  }
}

// --- at-least-once dead-lettering (rabbit_fifo_dlx) ---

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const DlxCheckout& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  // A new worker gets what the old one had not finished, in its order.
  for (auto it = dlx_checked_out_.rbegin(); it != dlx_checked_out_.rend(); ++it) discards_.push_front(std::move(it->second));
  dlx_checked_out_.clear();
  dlx_next_id_ = 0;
  dlx_prefetch_ = c.prefetch;
  checkout(meta.now, was_below, out);
  return {};
}

QuorumReply QuorumQueue::on(const QuorumMeta& meta, const DlxSettle& c, QueueEffects& out) {
  const bool was_below = below_soft_limit();
  for (const DeliveryId id : c.ids) dlx_checked_out_.erase(id);
  checkout(meta.now, was_below, out);
  return {};
}

void QuorumQueue::serve_dlx(QueueEffects& out) {
  while (dlx_checked_out_.size() < dlx_prefetch_ && !discards_.empty()) {
    const DeliveryId id = dlx_next_id_++;
    out.push_back(DlxDeliver{id, discards_.front().message.content, discards_.front().reason});
    dlx_checked_out_.emplace(id, std::move(discards_.front()));
    discards_.pop_front();
  }
}

}  // namespace mqlab::rabbitmq
