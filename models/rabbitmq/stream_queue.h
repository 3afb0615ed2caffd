// models/rabbitmq/stream_queue.h: one replica's stream: an append-only log of chunks that reading does not change.
//
// One rule: a message's offset is its place for ever; consumers see only what a majority has (the committed part),
// and take as much as their credit allows.
// A chunk is what was written together; it has one timestamp. Reading by time or from "last" begins at a chunk,
// so earlier messages may come first. Nothing is synced to disk.
// Consumers of one name share a stream: one of them is active (stream_groups.h). Under such a name an offset may be stored,
// in the log itself, where it is as safe as a message.
// Always true: offsets of the log are without gaps from first() to next(); committed() <= next().
// Elsewhere: who leads and who has what (the node).
// Sources: docs streams; osiris (osiris_writer, osiris_log), rabbit_stream_queue.
//
//     StreamQueue s("s", options);
//     s.append({{publish, content}}, now, out);
//     s.commit(s.next(), out);                  // -> Confirm
//     s.consume(spec, StreamOffset{...}, out);  // -> Deliver
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "models/rabbitmq/amqp_error.h"
#include "models/rabbitmq/queue_effects.h"
#include "models/rabbitmq/queue_spec.h"
#include "models/rabbitmq/stream_groups.h"
#include "sim/kernel/shared_vector.h"
#include "sim/world/tree.h"

namespace mqlab::rabbitmq {

struct StreamPublish {
  PublishId publish{};
  ContentRef content{};
  std::string producer{};            // with a name, `publishing_id` is checked against the last one seen
  std::uint64_t publishing_id = 0;
};

struct StreamChunk {
  std::int64_t first{};              // offset
  Time timestamp{};
  std::vector<ContentRef> messages{};
  std::vector<std::pair<std::string, std::uint64_t>> producers{};  // last publishing id in here of each that has a name
  std::vector<std::pair<std::string, std::int64_t>> tracked{};     // offsets stored, by reference: a chunk without messages
  std::int64_t bytes{};

  std::int64_t end() const { return first + static_cast<std::int64_t>(messages.size()); }
  bool operator==(const StreamChunk&) const = default;
};

// x-stream-offset.
struct StreamOffset {
  enum class Kind : std::uint8_t { first, last, next, offset, timestamp };
  Kind kind = Kind::next;
  std::int64_t value = 0;            // offset, or nanoseconds
};
// The consumer argument, read: "first", "last", "next", an offset, a timestamp, or an age like "1h" before `now`.
// Nothing: it is none of these (406).
std::optional<StreamOffset> stream_offset(const Table& consumer_args, Time now);

// The group that a consumer reads for (its arguments `name` and `single-active-consumer`); null: for itself.
const std::string* group_of(const Table& consumer_args);

class StreamQueue {
 public:
  StreamQueue(std::string name, QueueOptions options);

  // --- the writer ---

  // One chunk. A message whose publishing id is not above its producer's last one is left out, and still confirmed.
  void append(std::span<const StreamPublish> publishes, Time now, QueueEffects& out);
  // The offset that was processed last, by whoever goes by this name; nobody is told that it is written.
  void store_offset(const std::string& reference, std::int64_t offset, Time now);
  // A replica takes a chunk as it is. Requires: chunk.first == next().
  void append_copy(const StreamChunk& chunk);
  // A majority has everything before `offset`: publishers are told, consumers served.
  void commit(std::int64_t offset, QueueEffects& out);
  // A new leader's log ends here: what lies behind is gone.
  void truncate(std::int64_t offset);
  // Retention, by whole segments, of which the last stays; the product looks when a segment is full. Of more than
  // 255 named producers the longest silent are forgotten then.
  void expire(Time now);

  // --- consumers ---

  // Requires: spec.prefetch > 0. One with a name (group_of) gets nothing until it is active and has said where to begin.
  void consume(const ConsumerSpec& spec, const StreamOffset& from, QueueEffects& out);
  // The answer of such a consumer to a ConsumerUpdate: where it begins, or that it has stepped down.
  void updated(const ConsumerKey& key, const StreamOffset& from, QueueEffects& out);
  void cancel(const ConsumerKey& key, QueueEffects& out);
  void channel_down(ChannelId channel, QueueEffects& out);
  // Settling gives credit, whatever its kind: nothing is ever requeued.
  void credit(const ConsumerKey& key, std::uint32_t n, QueueEffects& out);
  void deleted(QueueEffects& out);

  // --- looking ---

  const std::string& name() const { return name_; }
  std::int64_t first() const { return chunks_.empty() ? next_ : chunks_.front().first; }
  std::int64_t next() const { return next_; }
  std::int64_t committed() const { return committed_; }
  const SharedVector<StreamChunk>& chunks() const { return chunks_; }
  ContentRef at(std::int64_t offset) const;                        // null: not in the log
  std::optional<std::uint64_t> last_publishing_id(const std::string& producer) const;
  std::optional<std::int64_t> stored_offset(const std::string& reference) const;
  // Every consumer has all that is committed, and each group knows who is active.
  bool caught_up() const;
  std::int64_t consumer_count() const { return static_cast<std::int64_t>(consumers_.size()); }
  std::vector<ConsumerKey> consumers() const;
  // The first offset that would be read; it may lie beyond the end.
  std::int64_t resolve(const StreamOffset& from) const;
  Tree state(std::string name) const;

  bool operator==(const StreamQueue&) const = default;

 private:
  struct Reader {
    ConsumerSpec spec{};
    std::int64_t next{};
    std::uint32_t credit{};
    bool active = true;

    bool operator==(const Reader&) const = default;
  };
  struct Producer {
    std::uint64_t last_id{};
    std::int64_t chunk_end{};  // of the chunk with it

    bool operator==(const Producer&) const = default;
  };
  struct Waiting {
    std::int64_t end{};       // confirmed when this is committed
    PublishId publish{};

    bool operator==(const Waiting&) const = default;
  };
  void serve(Reader& r, QueueEffects& out);
  void tell(const std::vector<StreamGroups::Change>& changes, QueueEffects& out);
  void take_in(StreamChunk chunk);
  void roll(Time now);
  const StreamChunk* chunk_of(std::int64_t offset) const;  // null: not in the log

  std::string name_;
  QueueOptions options_;
  SharedVector<StreamChunk> chunks_;       // what is on the disk shares them, and so do copies of a world
  std::vector<std::int64_t> segments_{0};  // where each begins
  std::int64_t active_bytes_ = 0;          // of the last one
  std::int64_t next_ = 0;
  std::int64_t committed_ = 0;
  std::map<ConsumerKey, Reader> consumers_;
  std::map<std::string, Producer> producers_;  // what a snapshot of the tracking data would hold, and since
  std::map<std::string, std::int64_t> offsets_;
  StreamGroups groups_;
  std::vector<Waiting> waiting_;
};

}  // namespace mqlab::rabbitmq
