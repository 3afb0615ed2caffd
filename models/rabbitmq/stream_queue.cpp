// A stream: what is written, what is confirmed, what is read.
#include "models/rabbitmq/stream_queue.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab::rabbitmq {
namespace {
constexpr std::size_t producers_kept = 255;  // osiris_tracking
constexpr Time second = 1'000'000'000;

// Equal in all that a reader could find, wherever the messages are stored.
bool stands_for(const StreamChunk& a, const StreamChunk& b) {
  return a.first == b.first && a.timestamp == b.timestamp && a.bytes == b.bytes && a.producers == b.producers && a.tracked == b.tracked &&
         std::equal(a.messages.begin(), a.messages.end(), b.messages.begin(), b.messages.end(), [](const ContentRef& x, const ContentRef& y) { return x == y || (x && y && *x == *y); });
}
}  // namespace

StreamQueue::StreamQueue(std::string name, QueueOptions options) : name_(std::move(name)), options_(std::move(options)) {}

// --- the writer ---

void StreamQueue::append(std::span<const StreamPublish> publishes, Time now, QueueEffects& out) {
  StreamChunk chunk{.first = next_, .timestamp = now};
  std::vector<PublishId> fresh;
  for (const StreamPublish& p : publishes) {
    if (!p.producer.empty()) {
      const auto in_chunk = std::find_if(chunk.producers.begin(), chunk.producers.end(), [&](const auto& e) { return e.first == p.producer; });
      const auto known = producers_.find(p.producer);
      if (in_chunk != chunk.producers.end() && p.publishing_id <= in_chunk->second) {
        fresh.push_back(p.publish);  // confirmed with the chunk that has it
        continue;
      }
      if (known != producers_.end() && p.publishing_id <= known->second.last_id) {
        waiting_.push_back({known->second.chunk_end, p.publish});
        continue;
      }
      if (in_chunk != chunk.producers.end()) in_chunk->second = p.publishing_id;
      else chunk.producers.emplace_back(p.producer, p.publishing_id);
    }
    chunk.messages.push_back(p.content);
    chunk.bytes += p.content->size;
    fresh.push_back(p.publish);
  }
  for (const PublishId& id : fresh) waiting_.push_back({chunk.end(), id});
  if (!chunk.messages.empty()) take_in(std::move(chunk));
  commit(committed_, out);  // of what was left out, the first copy may long be committed
}

void StreamQueue::store_offset(const std::string& reference, std::int64_t offset, Time now) {
  StreamChunk chunk{.first = next_, .timestamp = now};
  chunk.tracked.emplace_back(reference, offset);
  take_in(std::move(chunk));
}

void StreamQueue::append_copy(const StreamChunk& chunk) { take_in(chunk); }

void StreamQueue::take_in(StreamChunk chunk) {
  for (const auto& [producer, id] : chunk.producers) producers_[producer] = {id, chunk.end()};
  for (const auto& [reference, offset] : chunk.tracked) offsets_[reference] = offset;
  next_ = chunk.end();
  const Time now = chunk.timestamp;
  active_bytes_ += chunk.bytes;
  chunks_.push_back(std::move(chunk), stands_for);
  if (active_bytes_ >= options_.segment_bytes) roll(now);
}

void StreamQueue::roll(Time now) {
  segments_.push_back(next_);
  active_bytes_ = 0;
  expire(now);
  while (producers_.size() > producers_kept)
    producers_.erase(std::min_element(producers_.begin(), producers_.end(),
                                      [](const auto& a, const auto& b) { return a.second.chunk_end < b.second.chunk_end; }));
}

void StreamQueue::expire(Time now) {
  while (segments_.size() > 1 && !chunks_.empty()) {
    std::int64_t all = 0;
    Time youngest = time_min;  // of the oldest segment
    for (const StreamChunk& c : chunks_) {
      all += c.bytes;
      if (c.first < segments_[1]) youngest = std::max(youngest, c.timestamp);
    }
    const bool too_large = options_.max_length_bytes && all > *options_.max_length_bytes;
    const bool too_old = options_.max_age && youngest < now - *options_.max_age;
    if ((!too_large && !too_old) || segments_[1] > committed_) return;
    chunks_.drop(static_cast<std::size_t>(std::find_if(chunks_.begin(), chunks_.end(), [&](const StreamChunk& c) { return c.first >= segments_[1]; }) - chunks_.begin()));
    segments_.erase(segments_.begin());
  }
}

void StreamQueue::commit(std::int64_t offset, QueueEffects& out) {
  committed_ = std::max(committed_, std::min(offset, next_));
  std::vector<Waiting> still;
  for (const Waiting& w : waiting_) {
    if (w.end > committed_) still.push_back(w);
    else if (w.publish.channel != no_channel) out.push_back(Confirm{w.publish});
  }
  waiting_ = std::move(still);
  for (auto& [key, r] : consumers_) serve(r, out);
}

// Only what was never committed can be lost like this; what the lost chunks said of producers is forgotten with them.
void StreamQueue::truncate(std::int64_t offset) {
  while (!chunks_.empty() && chunks_.back().end() > offset) chunks_.truncate(chunks_.size() - 1);
  next_ = chunks_.empty() ? segments_.front() : chunks_.back().end();
  committed_ = std::min(committed_, next_);
  while (segments_.size() > 1 && segments_.back() > next_) segments_.pop_back();
  active_bytes_ = 0;
  for (std::size_t i = chunks_.size(); i-- > 0 && chunks_[i].first >= segments_.back();) active_bytes_ += chunks_[i].bytes;
  std::erase_if(waiting_, [&](const Waiting& w) { return w.end > next_; });
  producers_.clear();
  for (const StreamChunk& c : chunks_)
    for (const auto& [producer, id] : c.producers) producers_[producer] = {id, c.end()};
  offsets_.clear();
  for (const StreamChunk& c : chunks_)
    for (const auto& [reference, stored] : c.tracked) offsets_[reference] = stored;
}

// --- consumers ---

void StreamQueue::consume(const ConsumerSpec& spec, const StreamOffset& from, QueueEffects& out) {
  Reader& r = consumers_[spec.key];
  const std::string* group = group_of(spec.args);
  r = Reader{.spec = spec, .next = resolve(from), .credit = spec.prefetch, .active = group == nullptr};
  if (group == nullptr) return serve(r, out);
  const FieldValue* partition = spec.args.find("partition-index");
  std::vector<StreamGroups::Change> changes;
  groups_.join(*group, spec.key, partition == nullptr ? -1 : static_cast<std::int32_t>(partition->number), changes);
  tell(changes, out);
}

void StreamQueue::updated(const ConsumerKey& key, const StreamOffset& from, QueueEffects& out) {
  const auto it = consumers_.find(key);
  if (it == consumers_.end()) return;
  Reader& r = it->second;
  r.active = groups_.active(key);
  if (r.active) {
    r.next = resolve(from);
    r.credit = r.spec.prefetch;
    return serve(r, out);
  }
  std::vector<StreamGroups::Change> changes;
  groups_.stepped_down(key, changes);
  tell(changes, out);
}

void StreamQueue::tell(const std::vector<StreamGroups::Change>& changes, QueueEffects& out) {
  for (const StreamGroups::Change& c : changes) {
    if (!c.active) consumers_.at(c.consumer).active = false;
    out.push_back(ConsumerUpdate{c.consumer, c.active});
  }
}

void StreamQueue::cancel(const ConsumerKey& key, QueueEffects& out) {
  consumers_.erase(key);
  std::vector<StreamGroups::Change> changes;
  groups_.leave(key, changes);
  tell(changes, out);
}

void StreamQueue::channel_down(ChannelId channel, QueueEffects& out) {
  std::vector<ConsumerKey> gone;
  for (const auto& [key, r] : consumers_)
    if (key.channel == channel) gone.push_back(key);
  for (const ConsumerKey& key : gone) cancel(key, out);
}

void StreamQueue::credit(const ConsumerKey& key, std::uint32_t n, QueueEffects& out) {
  const auto it = consumers_.find(key);
  if (it == consumers_.end()) return;
  it->second.credit = std::min(it->second.spec.prefetch, it->second.credit + n);
  serve(it->second, out);
}

void StreamQueue::deleted(QueueEffects& out) {
  for (const auto& [key, r] : consumers_) out.push_back(CancelConsumer{key});
  for (const Waiting& w : waiting_)
    if (w.publish.channel != no_channel) out.push_back(Confirm{w.publish});
  consumers_.clear();
  waiting_.clear();
}

// Who reads behind the beginning of the log goes on at its beginning: what he missed is gone by retention.
void StreamQueue::serve(Reader& r, QueueEffects& out) {
  r.next = std::max(r.next, first());
  for (; r.active && r.credit > 0 && r.next < committed_; ++r.next, --r.credit) {
    Deliver d;
    d.consumer = r.spec.key;
    d.id = static_cast<DeliveryId>(r.next);
    d.content = at(r.next);
    d.offset = r.next;
    out.push_back(std::move(d));
  }
}

// --- looking ---

const std::string* group_of(const Table& consumer_args) {
  const FieldValue* single = consumer_args.find("single-active-consumer");
  const FieldValue* name = consumer_args.find("name");
  return single != nullptr && name != nullptr && name->is_text() ? &name->text : nullptr;
}

std::optional<std::int64_t> StreamQueue::stored_offset(const std::string& reference) const {
  const auto it = offsets_.find(reference);
  return it == offsets_.end() ? std::nullopt : std::optional(it->second);
}

bool StreamQueue::caught_up() const {
  if (!groups_.at_rest()) return false;
  for (const auto& [key, r] : consumers_)
    if (r.active ? r.next < committed_ && r.credit > 0 : groups_.active(key)) return false;
  return true;
}

const StreamChunk* StreamQueue::chunk_of(std::int64_t offset) const {
  const auto it = std::upper_bound(chunks_.begin(), chunks_.end(), offset, [](std::int64_t o, const StreamChunk& c) { return o < c.first; });
  if (it == chunks_.begin() || offset >= std::prev(it)->end()) return nullptr;
  return std::prev(it);
}

ContentRef StreamQueue::at(std::int64_t offset) const {
  const StreamChunk* c = chunk_of(offset);
  return c == nullptr ? nullptr : c->messages[static_cast<std::size_t>(offset - c->first)];
}

std::optional<std::uint64_t> StreamQueue::last_publishing_id(const std::string& producer) const {
  const auto it = producers_.find(producer);
  return it == producers_.end() ? std::nullopt : std::optional(it->second.last_id);
}

std::vector<ConsumerKey> StreamQueue::consumers() const {
  std::vector<ConsumerKey> out;
  for (const auto& [key, r] : consumers_) out.push_back(key);
  return out;
}

std::int64_t StreamQueue::resolve(const StreamOffset& from) const {
  switch (from.kind) {
    case StreamOffset::Kind::first: return first();
    case StreamOffset::Kind::next: return next_;
    case StreamOffset::Kind::offset: return std::max(from.value, first());
    case StreamOffset::Kind::last: {
      const StreamChunk* c = committed_ == 0 ? nullptr : chunk_of(committed_ - 1);
      return c == nullptr ? first() : c->first;
    }
    case StreamOffset::Kind::timestamp:
      for (const StreamChunk& c : chunks_)
        if (c.timestamp >= from.value) return c.first;
      return next_;
  }
  return next_;
}

std::optional<StreamOffset> stream_offset(const Table& consumer_args, Time now) {
  const FieldValue* v = consumer_args.find("x-stream-offset");
  if (v == nullptr) return StreamOffset{};
  if (v->type == FieldType::timestamp) return StreamOffset{StreamOffset::Kind::timestamp, saturating_multiply(v->number, second)};
  if (v->is_integer()) return StreamOffset{StreamOffset::Kind::offset, v->number};
  if (!v->is_text()) return std::nullopt;
  if (v->text == "first") return StreamOffset{StreamOffset::Kind::first};
  if (v->text == "last") return StreamOffset{StreamOffset::Kind::last};
  if (v->text == "next") return StreamOffset{StreamOffset::Kind::next};
  if (const auto age = parse_age(v->text)) return StreamOffset{StreamOffset::Kind::timestamp, now - *age};
  return std::nullopt;
}

Tree StreamQueue::state(std::string name) const {
  Tree t{std::move(name), "stream"};
  t.add("first", fmt::format("{}", first()));
  t.add("committed", fmt::format("{}", committed_));
  t.add("next", fmt::format("{}", next_));
  t.add("consumers", fmt::format("{}", consumers_.size()));
  return t;
}

}  // namespace mqlab::rabbitmq
