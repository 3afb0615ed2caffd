// models/rabbitmq/queue_ops.h: what channels ask of queues, and what queues tell channels.
//
// A channel and a queue are processes of their own, on one node or on two. What they say to each other is a
// value: on one node it is handled in the order said, between nodes it travels over their connection.
// Elsewhere: what a queue does (classic_queue.h, quorum_queue.h, stream_queue.h), who carries it (queue_host.cpp).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "models/rabbitmq/amqp_error.h"
#include "models/rabbitmq/queue_effects.h"

namespace mqlab::rabbitmq {

struct QueueOp {
  enum class Kind : std::uint8_t {
    publish, enlist, consume, cancel, get, ack, requeue, discard, resume, channel_down, purge, status, remove,
    store_offset, query_offset, query_publisher, consumer_update  // of streams
  };
  Kind kind{};
  std::string queue{};
  ChannelId channel = no_channel;
  PublishId publish{};
  std::string publisher{};         // publish to a stream: the name and id that it goes by
  std::uint64_t publishing_id = 0;
  ContentRef content{};
  ConsumerSpec consumer{};         // consume; of others the key's tag alone
  std::vector<DeliveryId> ids{};   // ack, requeue, discard: the oldest first
  bool no_ack = false;             // get
  std::string reference{};         // store_offset, query_offset, query_publisher: a name
  std::int64_t offset = -1;        // store_offset
  bool failed = false;             // requeue: by basic.reject
  bool declared = false;           // status: somebody declared the queue again
  bool again = false;              // consume: from a new leader, by the channel itself; only an error is answered
  bool if_unused = false, if_empty = false;  // remove
};
const char* name(QueueOp::Kind k);
// The channel waits for its answer.
bool is_call(QueueOp::Kind k);

// The end of an operation that a channel waits for.
struct QueueAnswer {
  QueueOp::Kind of{};
  MaybeError error{};
  std::int64_t messages = 0;       // ... or what was asked for; -1: there is none
  std::int64_t consumers = 0;
  bool rejects = false;            // enlist: the queue takes no publishes now
};

// credit_flow: the queue takes so many messages more from the channel.
struct CreditGranted {
  std::int64_t messages = 0;
};

struct QueueEvent {
  ChannelId channel = no_channel;
  std::string queue{};
  std::variant<Deliver, GetEmpty, Confirm, Reject, PublisherStatus, TimedOut, CancelConsumer, ConsumerUpdate, QueueAnswer, CreditGranted> what{};
};

}  // namespace mqlab::rabbitmq
