// models/kafka/settings.h: the options of a cluster as typed values.
//
// Options arrive as named, checked values (options.cpp declares them); the protocol code reads
// these structs instead. A Cluster is made once at deployment and shared, unchanged, by all nodes.
//
// Elsewhere: sentences, defaults, sources of each option (options.cpp); old and broken rules are
// the enums and flags of Switches, told in README.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/kafka/log.h"
#include "models/kafka/partitioner.h"
#include "models/kafka/types.h"
#include "sim/lab/options.h"
#include "sim/world/types.h"

namespace mqlab::kafka {

// A partition of the whole cluster, dense from 0 over all topics.
using PartitionId = std::uint32_t;
// A broker, numbered from 1 as its name says: B1 is 1. Controllers have no number of this kind.
using BrokerId = std::int32_t;
inline constexpr BrokerId no_broker = -1;
using BrokerEpoch = std::int64_t;
inline constexpr BrokerEpoch no_broker_epoch = -1;

// How a follower finds where its log and the leader's part.
enum class Truncation : std::uint8_t {
  high_watermark,  // up to 0.10: cut to the own high watermark
  kip101,          // 0.11: ask where the own last epoch ends
  kip279,          // 2.0: ... and which epoch that answer speaks of
  fetch            // 2.7: every fetch carries the last epoch, the answer says where to cut
};
// Which offset a follower must have reached to join the ISR.
enum class IsrJoin : std::uint8_t { high_watermark, leader_epoch_start };
// Over whom the high watermark is the minimum while a change of the ISR is under way.
enum class HwIsr : std::uint8_t { committed, maximal, eager };

// Protocol rules as they once were, or broken on purpose; the defaults are the present ones.
struct Switches {
  Truncation truncation = Truncation::fetch;
  bool fetch_epoch_check = true;
  IsrJoin isr_join = IsrJoin::leader_epoch_start;
  HwIsr hw_isr = HwIsr::maximal;
  bool isr_broker_epoch = true;
  bool elr = true;
  bool strict_min_isr = true;
  bool list_offsets_kip207 = true;
  bool fetch_high_watermark = true;
};

// Which commits of a KIP-848 member count as its own.
enum class CommitEpoch : std::uint8_t {
  strict,   // only those of the member's present epoch
  kip1251   // also of an older one, if the partition was the member's then already (4.3)
};

// The coordinators of groups.
struct GroupSettings {
  Duration initial_rebalance_delay{};
  Duration commit_timeout{};
  Duration offsets_retention{};
  Duration offsets_retention_check{};
  Duration load_time{};            // until a new coordinator has read its log
  Duration session_timeout{};      // KIP-848 and share groups: the broker's word; classic members say their own
  Duration heartbeat_interval{};
  Duration assignment_interval{};  // of such a group: at least so long between two target assignments
  CommitEpoch commit_epoch = CommitEpoch::kip1251;
  Duration share_lock{};           // an acquired record is somebody's for so long
  std::int32_t share_delivery_limit = 5;
  bool share_from_earliest = false;  // where a share group begins with a partition that it has never read
  std::int32_t share_record_locks = 2000;  // acquired at once on one partition
};

// The coordinators of transactions, and what leaders ask of them.
struct TransactionSettings {
  TxnVersion version = TxnVersion::tv2;
  bool strict_marker_epoch = true;    // KIP-1228 (4.2), with TV2: a marker's epoch is above the producer's own, not equal to it
  Duration timeout_max{};             // transaction.max.timeout.ms: no producer may ask for more
  Duration timeout_check{};           // how often it is looked for transactions that are open for too long
  Duration id_expiration{};           // a transactional id that nobody used for so long is forgotten
  Duration id_expiration_check{};
  Duration load_time{};               // until a new coordinator has read its log
  Duration add_retry_backoff{};       // TV2: a leader rests so long before it asks again (CONCURRENT_TRANSACTIONS)
  ProducerEpoch epoch_max = 32766;    // at this epoch a producer gets a new id
  bool rotate_when_fenced = true;     // KAFKA-20090, with TV2: ... also if its last transaction was ended by the coordinator
};

struct ClusterSettings {
  Switches switches;
  GroupSettings groups;
  TransactionSettings transactions;
  std::int32_t brokers = 3;
  std::int32_t controllers = 3;
  std::int32_t min_insync = 1;
  bool unclean_election = false;
  Duration replica_lag_max{};
  Duration replica_fetch_wait{};
  Duration replica_fetch_backoff{};
  Duration heartbeat_interval{};
  Duration session_timeout{};
  Duration hw_checkpoint_interval{};
  Duration metadata_linger{};
  Duration leader_rebalance_interval{};  // 0 = never
  std::int64_t flush_messages = 0;       // sync after so many records, 0 = never
  Duration request_timeout{};            // between brokers
  Duration retention_check_interval{};
  Duration cleaner_interval{};           // of compaction
  Duration log_start_checkpoint_interval{};
  std::int64_t producer_byte_rate = 0;   // quota of each client on each broker, bytes a second; 0 = none
  std::int64_t consumer_byte_rate = 0;
  std::vector<std::string> racks{};      // of brokers 1, 2, ... in turn; empty = none has one
  bool rack_aware = false;               // leaders send consumers to a replica in their rack (KIP-392)
  LogOptions log;
};

// Where two client libraries differ in what they do with transactions.
enum class ClientLibrary : std::uint8_t { java, librdkafka };

struct ProducerSettings {
  std::string transactional_id{};      // empty: no transactions
  Duration transaction_timeout{};
  ClientLibrary library = ClientLibrary::java;
  bool group_metadata = true;          // KIP-447: positions go with the consumer's generation and member id
  bool bump_after_error = true;        // KIP-360: what it does not know the end of is left behind in an older epoch
  std::int32_t acks = -1;  // 0, 1, -1 = all
  bool idempotence = true;
  std::int32_t max_in_flight = 5;
  Duration linger{};
  std::int64_t batch_bytes = 16384;
  std::int64_t buffer_bytes = 33554432;
  Duration max_block{};
  Duration request_timeout{};
  Duration delivery_timeout{};
  std::int64_t retries = 2147483647;
  Duration retry_backoff{};
  Duration retry_backoff_max{};
  Duration metadata_max_age{};
  Duration reconnect_backoff{};
  Duration reconnect_backoff_max{};
  KeyHash partitioner = KeyHash::murmur2;
  bool uniform_sticky = true;
  bool split_on_retry = false;  // a client that re-batches a retry, against the rule
  bool queue_full_at_once = false;  // librdkafka: a full buffer is an error at once, nobody waits
  bool honours_throttle = true;     // KIP-219: a client that was throttled sends nothing meanwhile
};

enum class OffsetReset : std::uint8_t { earliest, latest, none };

enum class GroupProtocol : std::uint8_t { classic, consumer, share };
enum class AutoCommit : std::uint8_t {
  off,
  java,       // inside a later poll: what earlier polls have returned
  librdkafka  // by a timer in the background: what was handed out, the record in hand included
};

struct ConsumerSettings {
  OffsetReset reset = OffsetReset::latest;
  bool read_committed = false;   // isolation.level
  bool require_stable = true;    // KIP-447: it waits for positions that a transaction may yet change
  bool aborted_filter_ends = true;  // a producer's records are shown again behind its ABORT marker
  std::string group{};     // empty: no group
  GroupProtocol protocol = GroupProtocol::classic;
  std::vector<std::string> assignors{};  // classic: of the client, the preferred one first; KIP-848: the server's
  std::string instance{};  // group.instance.id
  Duration session_timeout{};
  Duration group_heartbeat{};
  Duration max_poll_interval{};
  AutoCommit auto_commit = AutoCommit::off;
  Duration auto_commit_interval{};
  bool auto_offset_store = true;  // librdkafka: what is handed out counts as done
  Duration api_timeout{};  // a synchronous commit gives up after so long
  bool explicit_acks = false;  // share groups: the application confirms each record
  bool share_exactly = false;  // ... max_poll_records is a limit, though a batch is cut for it
  Duration fetch_wait{};
  std::int64_t fetch_min_bytes = 1;
  std::int64_t max_poll_records = 500;
  bool position_validation = true;
  std::string rack{};  // client.rack
  bool out_of_range_asks_leader = true;  // KIP-392: what a follower lacks the leader may have
  bool honours_throttle = true;
  Duration metadata_max_age{};
  Duration request_timeout{};
  Duration retry_backoff{};
  Duration retry_backoff_max{};
  Duration reconnect_backoff{};
  Duration reconnect_backoff_max{};
};

struct TopicSettings {
  std::string name;
  std::int32_t partitions = 1;       // at the beginning
  std::int32_t partitions_max = 1;   // that an operator may add later
  std::int32_t replicas = 3;
  std::int32_t min_insync = -1;  // -1 = the cluster's
  PartitionId first = 0;
  LogOptions log{};              // the cluster's, and what this topic has of its own
  bool dead_letters = false;     // some application sends there what it gave up: for the history
  bool internal = false;         // __consumer_offsets, __share_group_state, __transaction_state: no application reads it
};

struct PartitionSettings {
  std::int32_t topic{};
  std::int32_t number{};
  std::string place;                 // "orders/0"
  std::vector<BrokerId> assignment;  // the preferred leader first
  std::int32_t min_insync = 1;       // min(min.insync.replicas, replicas)
};

// What every node of a cluster knows of it from the beginning.
struct Cluster {
  ClusterSettings settings;
  std::vector<TopicSettings> topics;
  std::vector<PartitionSettings> partitions;
  std::vector<NodeId> brokers;      // node of broker 1, 2, ...
  std::vector<NodeId> controllers;
  std::vector<std::pair<NodeId, std::string>> clients;  // their names, which is what a client says of itself (client.id)
  bool is_client(NodeId n) const { return std::any_of(clients.begin(), clients.end(), [&](const auto& client) { return client.first == n; }); }

  std::string client_name(NodeId n) const {
    for (const auto& [node, client] : clients)
      if (node == n) return client;
    return "consumer";
  }
  NodeId node_of(BrokerId b) const { return b >= 1 && b <= static_cast<BrokerId>(brokers.size()) ? brokers[static_cast<std::size_t>(b - 1)] : nobody; }
  BrokerId broker_of(NodeId n) const {
    for (std::size_t i = 0; i < brokers.size(); ++i)
      if (brokers[i] == n) return static_cast<BrokerId>(i + 1);
    return no_broker;
  }
  // broker.rack; empty where brokers have none.
  std::string_view rack_of(BrokerId b) const {
    return settings.racks.empty() ? std::string_view{} : std::string_view{settings.racks[static_cast<std::size_t>(b - 1) % settings.racks.size()]};
  }
  bool holds_dead_letters(PartitionId p) const { return topics[static_cast<std::size_t>(partitions[p].topic)].dead_letters; }
  const LogOptions& log_options(PartitionId p) const { return topics[static_cast<std::size_t>(partitions[p].topic)].log; }
  // The partition of an internal topic where this key lives: Utils.abs(key.hashCode()) % partitions (Java's String).
  std::optional<PartitionId> internal_partition(std::string_view topic_name, std::string_view key) const {
    const TopicSettings* t = topic(topic_name);
    if (!t) return std::nullopt;
    std::uint32_t hash = 0;
    for (const char ch : key) hash = hash * 31 + static_cast<unsigned char>(ch);
    return t->first + (hash & 0x7fffffff) % static_cast<std::uint32_t>(t->partitions);
  }
  const TopicSettings* topic(std::string_view name) const {
    for (const TopicSettings& t : topics)
      if (t.name == name) return &t;
    return nullptr;
  }
  // "orders/0" -> its number, or nothing.
  const PartitionSettings* partition(std::string_view place, PartitionId& id) const {
    for (PartitionId p = 0; p < partitions.size(); ++p)
      if (partitions[p].place == place) {
        id = p;
        return &partitions[p];
      }
    return nullptr;
  }
};
using ClusterRef = std::shared_ptr<const Cluster>;

inline constexpr const char* offsets_topic = "__consumer_offsets";
inline constexpr const char* share_state_topic = "__share_group_state";
inline constexpr const char* transaction_topic = "__transaction_state";

ClusterSettings cluster_settings(const Options& o);
ProducerSettings producer_settings(const Options& o);
ConsumerSettings consumer_settings(const Options& o);
TopicSettings topic_settings(const std::string& name, const Options& o, const ClusterSettings& cluster = {});

// The declared options of every scope (options.cpp).
std::vector<OptionDecl> declared_options();

}  // namespace mqlab::kafka
