// models/rabbitmq/channel.h: what a broker knows of a connection and of the channels on it.
//
// Plain values. Always true of a channel: delivery tags and publish numbers count from 1 and never repeat;
// `unacked` is in the order of its tags; what is in `unconfirmed` is not in `confirmed` or `rejected`.
// Elsewhere: who changes them (connection.cpp, publish.cpp, consume.cpp, declare.cpp).
// Sources: rabbit_reader, rabbit_channel.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/rabbitmq/messages.h"
#include "models/rabbitmq/queue_ops.h"
#include "sim/world/node.h"

namespace mqlab::rabbitmq {

enum class ChannelMode : std::uint8_t { none, confirm, tx };
const char* name(ChannelMode m);

struct UnackedDelivery {
  std::uint64_t tag{};
  std::string queue{};
  ConsumerKey consumer{};   // whose; the tag is empty for a get from a classic queue
  DeliveryId id{};
  bool to_consumer = false; // counts against the shared prefetch
  Time at{};
  bool lost = false;        // by a leader of its mirrored queue that is no more: nobody waits for it
};

struct ChannelConsumer {
  std::string queue{};
  bool no_ack = false;
  ConsumerSpec spec{};      // to consume again from a new leader
};

// What the channel waits for; the methods after it wait in `inbox`.
struct Awaited {
  Kind method{};
  std::string queue{};
  std::string tag{};
  bool no_ack = false;
  ConsumerSpec spec{};      // consume
};

// A publish or a settlement that a transaction keeps back.
struct TxPublish {
  BasicPublish publish{};
};
struct TxSettle {
  std::uint64_t tag{};
  bool multiple = false;
  Kind kind{};        // basic_ack, basic_nack, basic_reject
  bool requeue = false;
};

// What a channel knows of a quorum queue that it publishes to (rabbit_fifo_client).
struct QuorumSender {
  std::uint64_t next = 1;                        // numbers of its own, for each queue
  std::map<std::uint64_t, std::uint64_t> numbers{};  // ... and the channel's publish that each carries
  bool enlisted = false;                         // it knows whether the queue rejects publishes
  bool asked = false;
  bool rejects = false;
  std::deque<std::pair<ContentRef, std::uint64_t>> held{};  // until it knows
};

// {InitialCredit, MoreCreditAfter} of rabbit_misc: so many messages may be under way to a process that has not said more.
inline constexpr std::int64_t credit_initial = 400;
inline constexpr std::int64_t credit_more_after = 200;

struct Channel {
  ChannelId id = no_channel;
  ConnId connection = no_connection;
  std::uint16_t number{};
  bool closing = false;                 // close was sent: all but close-ok is ignored

  std::uint64_t next_delivery_tag = 1;
  std::deque<UnackedDelivery> unacked{};
  std::map<std::string, ChannelConsumer> consumers{};
  std::uint32_t prefetch = 0;           // of consumers that begin from now on
  std::uint32_t shared_prefetch = 0;    // global = true
  std::set<std::string> queues{};       // that must hear of its end
  std::string last_queue{};             // what an empty queue name means
  std::optional<std::string> reply_consumer{};  // direct reply-to: its tag

  ChannelMode mode = ChannelMode::none;
  std::uint64_t next_publish = 1;       // number of the next one
  std::map<std::uint64_t, std::set<std::string>> unconfirmed{};  // by number: queues that have not answered
  std::map<std::string, QuorumSender> senders{};
  std::set<std::uint64_t> confirmed{};  // to be told
  std::set<std::uint64_t> rejected{};
  std::vector<TxPublish> tx_publishes{};
  std::vector<TxSettle> tx_settles{};
  bool committing = false;              // tx.commit waits for what it published
  bool tx_failed = false;

  std::optional<Awaited> awaits{};
  std::deque<Message> inbox{};

  // Credit flow (flow.cpp).
  std::map<std::string, std::int64_t> queue_credit{};  // that classic queues have granted it; not there: the initial one
  std::set<std::string> held_by{};                     // queues that take no more: it grants its reader nothing
  std::int64_t reader_credit = credit_initial;         // publishes that the reader may still hand it
  std::int64_t handled = 0;                            // ... that it has handled since it last granted some
  std::int64_t owed = 0;                               // ... that it would have granted, were it not held

  std::int64_t unacked_of_consumers() const;
};

enum class ConnectionPhase : std::uint8_t { header, start, tune, open, running, closing };
const char* name(ConnectionPhase p);

struct Connection {
  ConnId id = no_connection;
  NodeId peer = nobody;
  ConnectionPhase phase = ConnectionPhase::header;
  std::string user{};
  bool blocked_capability = true, cancel_notify_capability = true;
  Duration heartbeat = 0;
  Time last_received = 0;
  EventId heartbeat_timer = no_event;
  bool has_published = false;
  bool blocked = false;                 // an alarm is on: the socket is not read
  bool in_flow = false;                 // a channel takes no more: likewise
  std::optional<Time> flow_ended{};     // when it last was
  std::deque<Message> unread{};         // what came meanwhile
  std::int64_t unread_bytes = 0;
  bool window_closed = false;           // ... is so much that the other end has been told to stop

  bool stopped() const { return blocked || in_flow; }
  std::map<std::uint16_t, Channel> channels{};
};

}  // namespace mqlab::rabbitmq
