// models/rabbitmq/queue_effects.h: what queues of all types take in and give out.
//
// A queue is a value. An operation changes it and adds to a list of effects; the host carries them out in
// their order, and the queue never hears whether it could.
// Who is who: a channel is a number that is never used again (it stands for the channel's process, on whatever
// node); a consumer is a channel and a tag; a delivery has a number in its queue, by which it is settled.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/rabbitmq/content.h"
#include "sim/kernel/time.h"
#include "sim/world/types.h"

namespace mqlab::rabbitmq {

// The node's number and a number that this node never gives again, not even after a restart.
using ChannelId = std::uint64_t;
inline constexpr ChannelId no_channel = 0;
constexpr ChannelId channel_id(NodeId node, std::uint64_t number) { return (std::uint64_t{node} + 1) << 40 | number; }
constexpr NodeId node_of(ChannelId c) { return static_cast<NodeId>(c >> 40) - 1; }

struct ConsumerKey {
  ChannelId channel = no_channel;
  std::string tag{};

  auto operator<=>(const ConsumerKey&) const = default;
};

// Numbers a message while it is with a consumer. Classic: its number in the queue. Quorum: counts per consumer.
using DeliveryId = std::uint64_t;

struct ConsumerSpec {
  ConsumerKey key = ConsumerKey();  // with {} gcc 12 at -O3 warns of it wherever a part of this is named
  bool no_ack = false;
  bool exclusive = false;
  std::uint32_t prefetch = 0;  // 0: unlimited
  std::int32_t priority = 0;   // x-priority
  std::optional<Duration> timeout{};  // x-consumer-timeout
  Table args{};

  bool operator==(const ConsumerSpec&) const = default;
};

// A publish that wants an answer.
struct PublishId {
  ChannelId channel = no_channel;  // no_channel: nobody waits
  std::uint64_t number = 0;        // its sequence number on the channel

  auto operator<=>(const PublishId&) const = default;
};

// --- effects ---

struct Deliver {
  ConsumerKey consumer{};         // with an empty tag: the answer to basic.get
  DeliveryId id{};
  ContentRef content{};
  bool redelivered = false;
  bool no_ack = false;
  std::int64_t left = -1;         // basic.get: ready messages that remain
  std::optional<std::int64_t> delivery_count{};  // quorum: x-delivery-count
  std::optional<std::int64_t> acquired_count{};  // quorum, 4.3: x-acquired-count
  std::optional<std::int64_t> offset{};          // stream: x-stream-offset
};
struct GetEmpty { ChannelId channel{}; };
struct Confirm { PublishId publish{}; };
struct Reject { PublishId publish{}; };        // basic.nack to the publisher
// The message has left the queue for its dead-letter exchange; publish it there (dead_letter.h).
struct DeadLetter {
  ContentRef content{};
  DeathReason reason{};
};
// The message is gone by the queue's own rules, and nothing is told to anybody.
struct Dropped {
  ContentRef content{};
  DeathReason reason{};
  bool refused = false;  // it never was in the queue
};
struct CancelConsumer { ConsumerKey consumer{}; };  // the server cancels it
struct ActiveConsumer { ConsumerKey consumer{}; bool active = false; };  // single active consumer: it is, or no longer
// Stream: a consumer of a group is to be the active one, and says where it begins; or steps down, and says so.
struct ConsumerUpdate { ConsumerKey consumer{}; bool active = false; };
struct DeleteQueue { const char* why = ""; };       // "expired", "auto-delete"

// Quorum: the leader tells a publishing channel to reject what follows, or to go on (x-overflow=reject-publish).
struct PublisherStatus { ChannelId channel{}; bool reject = false; };
// Quorum, dead-letter-strategy at-least-once: for the worker beside the leader, who answers with DlxSettle.
struct DlxDeliver {
  DeliveryId id{};
  ContentRef content{};
  DeathReason reason{};
};
// Quorum, 4.3: these were not settled in time and have gone back to the queue.
struct TimedOut { ConsumerKey consumer{}; std::vector<DeliveryId> ids{}; };

// Persistent messages of a durable queue: bytes for the queue's file. The n-th of them since the queue was
// made or recovered is answered by ClassicQueue::written(n).
struct StoreRecord {
  enum class Kind : std::uint8_t { publish, ack };
  Kind kind{};
  std::uint64_t seq{};      // the message's number in the queue
  ContentRef content{};     // of a publish
  Time expiry = time_max;

  bool operator==(const StoreRecord&) const = default;
};
struct WriteStore { StoreRecord record{}; };

// Mirrored classic queues: what the mirrors must know, in this order (mirrored_queue.h).
struct MirrorRecord {
  enum class Kind : std::uint8_t { publish, deliver, remove };
  Kind kind{};
  std::uint64_t seq{};
  ContentRef content{};     // of a publish
  Time expiry = time_max;
  std::uint8_t priority = 0;

  bool operator==(const MirrorRecord&) const = default;
};
struct Replicate { MirrorRecord record{}; };

using QueueEffect = std::variant<Deliver, GetEmpty, Confirm, Reject, DeadLetter, Dropped,
                                 CancelConsumer, ActiveConsumer, ConsumerUpdate, DeleteQueue,
                                 PublisherStatus, DlxDeliver, TimedOut, WriteStore, Replicate>;
using QueueEffects = std::vector<QueueEffect>;

// One line each: "deliver c1/t 3 P1-3 redelivered".
std::string describe(const QueueEffect& e);
std::string describe(const QueueEffects& e);

// The prefetch that a channel shares among its consumers (basic.qos global=true), for classic queues. A channel
// without one is not listed. Queues of a node share it; a channel whose count falls is resumed in each of them.
struct Limiter {
  struct Channel {
    std::uint32_t prefetch = 0;  // 0: unlimited
    std::uint32_t unacked = 0;

    bool operator==(const Channel&) const = default;
  };
  std::map<ChannelId, Channel> channels{};

  bool take(ChannelId c, bool counts = true);  // false: it is full, and nothing was counted
  void give_back(ChannelId c, std::uint32_t n);
  bool operator==(const Limiter&) const = default;
};

}  // namespace mqlab::rabbitmq
