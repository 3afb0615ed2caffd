// models/rabbitmq/settings.h: the options of a deployment as typed values, and what each topic becomes.
//
// Options arrive as named, checked values (options.cpp declares them); the protocol code reads these
// structs. A Cluster is made once at deployment and shared, unchanged, by all nodes.
//
// The mapping that lets one scenario run here and on a log. A topic `orders` is a durable direct exchange
// of that name, and its partitions are routing keys "0", "1", ...; the client chooses the key, as for super
// streams. Who reads is a queue: `orders.g` for a group g (a consumer without one has a queue to itself, named
// after it), and `orders.g.0`, `orders.g.1` when there are several partitions. A topic that nobody reads has the
// queue `orders`. A stream is read by all from one place: its queues are `orders` or `orders.0`, whatever the groups.
// In the history the place is orders/<partition>, and the queue is the subscription.
//
// Elsewhere: sentences, defaults, sources of each option (options.cpp); what releases differ in (rules.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/rabbitmq/queue_spec.h"
#include "models/rabbitmq/routing.h"
#include "models/rabbitmq/rules.h"
#include "sim/lab/options.h"
#include "sim/world/types.h"

namespace mqlab::rabbitmq {

// cluster_partition_handling (3.x): what nodes do that have seen each other go and come back while both lived.
enum class PartitionHandling : std::uint8_t {
  ignore,          // nothing: they stay apart until an operator restarts one side
  autoheal,        // once all see each other again, all sides but one restart
  pause_minority,  // who sees at most half of the nodes stops, until it sees more
};

// A policy that gives a classic queue mirrors on other nodes (3.x).
struct HaPolicy {
  std::int64_t copies = 0;           // the leader's included; 0: no mirrors; what is over the number of nodes: on each
  bool sync_automatic = false;       // ha-sync-mode
  bool promote_unsynced = true;      // ha-promote-on-failure = always: also one that lacks messages
  bool promote_unsynced_on_shutdown = false;  // ha-promote-on-shutdown = always

  bool mirrored() const { return copies > 0; }
};

struct BrokerSettings {
  Rules rules{};
  std::int32_t brokers = 1;
  bool classic_fsync = false;        // a classic queue confirms a persistent message after a sync (3.10), or after the write
  Duration heartbeat{};              // suggested to clients
  Duration consumer_timeout{};       // 0: never
  Duration timeout_check{};          // ... looked for so often
  std::int64_t memory_limit = 0;     // bytes of ready messages at which the memory alarm rises; 0: never
  Duration net_ticktime{};           // a node not heard of for so long is down; above 0
  Duration queue_service{};          // what a classic queue's process needs for each message that is published to it
  std::int64_t socket_buffer = 0;    // bytes that come in on a connection that is not read, before TCP stops the sender
  PartitionHandling partition_handling = PartitionHandling::ignore;
};

struct ProducerSettings {
  bool confirms = true;
  std::string routing_key{};         // of each message; empty: the partition's number, or the business key
  Table headers{};                   // of each message, with CC and BCC
  bool mandatory = false;
  bool ignores_returns = false;      // an unroutable message that came back counts as sent
  bool persistent = true;
  bool misreads_multiple = false;    // takes a confirm of many for a confirm of one
  std::string producer_name{};       // of streams: publishing ids count under it; empty: none
  std::int64_t max_in_flight = 0;    // unconfirmed messages; 0: any number
  bool automatic_recovery = true;    // a lost connection or channel is opened again
  Duration send_timeout{};           // how long a send waits for a connection, or for a free place in flight
  Duration confirm_timeout{};        // how long it waits for its confirm
  Duration refused_backoff{};        // a refusal is told so much later
  std::string message_ttl{};         // `expiration` of each message, milliseconds; empty: none
  std::int64_t priority = -1;        // of each message; -1: none
};

struct ConsumerSettings {
  std::string group{};
  std::uint32_t prefetch = 0;          // of the consumer of each queue; 0: any number
  std::uint32_t channel_prefetch = 0;  // of all of them together; 0: no such limit
  bool auto_ack = false;             // no_ack: the broker forgets a message when it is written
  bool early_ack = false;            // acked when it is handed to the application, before the work
  bool explicit_acks = false;        // the application acks each; else the next poll acks all of the last
  bool requeue = true;               // what release() and a failure do
  bool exclusive = false;
  bool acks_twice = false;
  bool reuses_tags = false;          // goes on with delivery tags of a channel that is no more
  std::int64_t priority = 0;         // x-priority
  std::string stream_offset{};       // of streams: first, last, next
  bool tracks_offsets = true;        // groups on streams: the library stores how far the application is
  Duration offset_store_interval{};  // ... so often; above 0
};

struct LinkSettings {
  Duration heartbeat{};              // what the client asks for; 0: none
  Duration connection_timeout{};     // without a word from the broker since it began to connect
  Duration handshake_timeout{};      // ... since the last one, while the handshake lasts
  Duration recovery_interval{};      // rest before it connects again
  bool shared_connection = false;    // publishes and consumes over one connection
  std::string connects_to{};         // a broker's name; empty: one drawn by chance, then the next in turn
};

// A queue of a topic, as it is there from the beginning.
struct QueuePlan {
  std::string topic{};
  std::int32_t partition{};
  std::string subscription{};        // the group, or the one consumer; empty: nobody's but the last reader's
  QueueSpec spec{};
  bool bound = true;                 // from the beginning
  std::size_t broker{};              // index of the node that it lives on (classic), or whose replica leads first
  HaPolicy ha{};
};

struct TopicPlan {
  std::string name{};
  std::int32_t partitions = 1;
  QueueType type = QueueType::classic;
  ExchangeType exchange = ExchangeType::direct;
  std::vector<std::string> binding_keys{};  // of a topic exchange, by partition
  std::vector<Table> binding_arguments{};   // of a headers exchange
  std::string alternate{};           // alternate-exchange: a topic; empty: none
  bool dead_letters = false;         // some queue dead-letters to here
  bool declared = true;              // its exchange and queues are there from the beginning

  // The exchange chooses the partition, not the client.
  bool hashed() const { return exchange != ExchangeType::direct; }
  std::string place(std::int32_t partition) const { return name + "/" + std::to_string(partition); }
};

struct Cluster {
  BrokerSettings settings{};
  std::vector<TopicPlan> topics{};
  std::vector<QueuePlan> queues{};
  std::vector<Binding> exchange_bindings{};  // from exchange to exchange
  std::vector<NodeId> brokers{};
  Time created = 0;                  // wall clock of the definitions
  std::vector<std::string> broker_names{};

  const TopicPlan* topic(std::string_view name) const;
  // Null where there is none.
  const QueuePlan* queue(std::string_view name) const;
  // "orders/2", or "orders": which topic, and which partition of it (nothing: all).
  const TopicPlan* place(std::string_view place, std::optional<std::int32_t>& partition) const;
  // The queues that a subscription reads of a topic, by partition.
  std::vector<const QueuePlan*> queues_of(const TopicPlan& topic, const std::string& subscription) const;
};
using ClusterRef = std::shared_ptr<const Cluster>;

std::vector<OptionDecl> declared_options();
BrokerSettings broker_settings(const Options& cluster, std::string_view profile);
ProducerSettings producer_settings(const Options& producer);
ConsumerSettings consumer_settings(const Options& consumer);
LinkSettings link_settings(const Options& of_client);
// The arguments that a topic's options give to each of its queues.
QueueSpec queue_spec(const Options& topic);
HaPolicy ha_policy(const Options& topic);

}  // namespace mqlab::rabbitmq
