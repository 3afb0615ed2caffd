// models/kafka/messages.h: what the nodes of a Kafka cluster say to each other.
//
// One struct per message, in the order of a normal exchange; names as in the wire protocol. A
// request's number (Message::word) comes back in its answer, as Kafka's correlation id.
//
// Elsewhere: who handles what (README.md has the table), groups (group_messages.h), transactions (txn_messages.h), the
// quorum's own (models/raft).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/kafka/epochs.h"
#include "models/kafka/metadata.h"
#include "models/kafka/types.h"
#include "sim/world/journal.h"
#include "sim/world/payload.h"

namespace mqlab::kafka {

// Kinds 100.. are Kafka's; 200.. carry models/raft (kind + 200).
enum class Kind : MessageKind {
  broker_registration = 100,
  broker_registration_reply,
  broker_heartbeat,
  broker_heartbeat_reply,
  alter_partition,
  alter_partition_reply,
  allocate_producer_ids,
  allocate_producer_ids_reply,
  metadata,
  metadata_reply,
  init_producer_id,
  init_producer_id_reply,
  produce,
  produce_reply,
  fetch,
  fetch_reply,
  offset_for_leader_epoch,
  offset_for_leader_epoch_reply,
  list_offsets,
  list_offsets_reply,
  find_coordinator,
  find_coordinator_reply,
  join_group,
  join_group_reply,
  sync_group,
  sync_group_reply,
  group_heartbeat,
  group_heartbeat_reply,
  leave_group,
  leave_group_reply,
  consumer_group_heartbeat,
  consumer_group_heartbeat_reply,
  offset_commit,
  offset_commit_reply,
  offset_fetch,
  offset_fetch_reply,
  share_fetch,
  share_fetch_reply,
  share_acknowledge,
  share_acknowledge_reply,
  write_share_state,
  write_share_state_reply,
  read_share_state,
  read_share_state_reply,
  add_partitions_to_txn,
  add_partitions_to_txn_reply,
  add_offsets_to_txn,
  add_offsets_to_txn_reply,
  txn_offset_commit,
  txn_offset_commit_reply,
  end_txn,
  end_txn_reply,
  write_txn_markers,
  write_txn_markers_reply,
  raft = 200
};
constexpr MessageKind kind(Kind k) { return static_cast<MessageKind>(k); }

// --- broker and controller ---

struct BrokerRegistrationRequest : Payload {
  BrokerId broker{};
  std::uint64_t incarnation{};
  BrokerEpoch previous_epoch = no_broker_epoch;  // from the clean-shutdown file; -1 tells of an unclean one
};
struct BrokerRegistrationReply : Payload {
  Error error{};
  BrokerEpoch epoch = no_broker_epoch;
};

struct BrokerHeartbeat : Payload {
  BrokerId broker{};
  BrokerEpoch epoch{};
  Offset metadata_end{};  // what it has replayed
  bool want_shutdown{};
};
struct BrokerHeartbeatReply : Payload {
  Error error{};
  bool fenced{};
  bool should_shutdown{};
};

struct IsrMember {
  BrokerId broker{};
  BrokerEpoch epoch = no_broker_epoch;
};
struct AlterPartition : Payload {
  BrokerId broker{};
  BrokerEpoch broker_epoch{};
  PartitionId partition{};
  LeaderEpoch leader_epoch{};
  std::int32_t partition_epoch{};
  std::vector<IsrMember> isr{};
};
struct AlterPartitionReply : Payload {
  Error error{};
  PartitionId partition{};
  LeaderEpoch leader_epoch{};
  std::int32_t partition_epoch{};
  BrokerId leader = no_broker;
  std::vector<BrokerId> isr{};
};

struct AllocateProducerIds : Payload {
  BrokerId broker{};
  BrokerEpoch epoch{};
};
struct AllocateProducerIdsReply : Payload {
  Error error{};
  ProducerId first{};
  std::int32_t count{};
};

// --- clients ---

struct MetadataRequest : Payload {};
struct PartitionMetadata {
  BrokerId leader = no_broker;
  LeaderEpoch leader_epoch = no_leader_epoch;
  bool exists{};
};
struct MetadataReply : Payload {
  std::vector<PartitionMetadata> partitions{};  // by PartitionId
  std::vector<BrokerId> offline{};  // brokers of which nobody shall read; told where consumers may read from followers
};

struct InitProducerId : Payload {
  std::string transactional_id{};             // empty: an idempotent producer, which any broker serves
  Duration timeout{};                         // transaction.timeout.ms
  ProducerId id = no_producer_id;             // KIP-360: who it has been so far, to go on as
  ProducerEpoch epoch = no_producer_epoch;
};
struct InitProducerIdReply : Payload {
  Error error{};
  ProducerId id = no_producer_id;
  ProducerEpoch epoch = no_producer_epoch;
};

struct PartitionBatch {
  PartitionId partition{};
  Batch batch{};
};
struct ProduceRequest : Payload {
  std::int32_t acks{};  // 0, 1, -1 = all
  Duration timeout{};
  std::string transactional_id{};             // of transactional batches
  TxnVersion version = TxnVersion::tv0;       // ... TV2 from request version 12: the leader adds the partition
  std::vector<PartitionBatch> batches{};
};
struct ProduceResult {
  PartitionId partition{};
  Error error{};
  Offset base_offset = no_offset;
};
struct ProduceReply : Payload {
  std::vector<ProduceResult> results{};
  Duration throttle{};  // KIP-219: the client shall send nothing for so long
};

// Of followers and consumers alike; replica = no_broker is a consumer.
struct FetchPartition {
  PartitionId partition{};
  LeaderEpoch current_leader_epoch = no_leader_epoch;  // KIP-320; -1 = not checked
  Offset fetch_offset{};
  LeaderEpoch last_fetched_epoch = no_leader_epoch;    // truncation on fetch; -1 = not told
  Offset log_start{};
};
struct FetchRequest : Payload {
  BrokerId replica = no_broker;
  BrokerEpoch replica_epoch = no_broker_epoch;  // KIP-903
  Duration max_wait{};
  std::int64_t min_bytes = 1;
  bool read_committed = false;    // a consumer's isolation.level
  std::string rack{};  // KIP-392: where the consumer is; empty = it reads from leaders only
  std::vector<FetchPartition> partitions{};
};
// A transaction in what was read that was aborted: from here on its producer's records do not count, up to its marker.
struct AbortedTxn {
  ProducerId id = no_producer_id;
  Offset first_offset{};

  bool operator==(const AbortedTxn&) const = default;
};
struct FetchedPartition {
  PartitionId partition{};
  Error error{};
  EpochEnd diverging{};  // defined: the follower must cut here, and there are no records
  Offset high_watermark{};
  Offset last_stable = no_offset;          // where read_committed readers end
  std::vector<AbortedTxn> aborted{};       // read_committed: ascending by first_offset
  Offset log_start{};
  Offset log_end = no_offset;  // told with OFFSET_OUT_OF_RANGE, where the product asks by ListOffsets
  BrokerId preferred_read_replica = no_broker;  // KIP-392: there are no records here, the consumer shall read from that one
  std::vector<Batch> batches{};
};
struct FetchReply : Payload {
  std::vector<FetchedPartition> partitions{};  // none, if it is throttled
  Duration throttle{};
};

struct EpochQuestion {
  PartitionId partition{};
  LeaderEpoch current_leader_epoch = no_leader_epoch;
  LeaderEpoch epoch{};
};
struct OffsetForLeaderEpoch : Payload {
  BrokerId replica = no_broker;
  std::vector<EpochQuestion> questions{};
};
struct EpochAnswer {
  PartitionId partition{};
  Error error{};
  EpochEnd end{};
};
struct OffsetForLeaderEpochReply : Payload {
  std::vector<EpochAnswer> answers{};
};

inline constexpr Time latest_timestamp = -1;
inline constexpr Time earliest_timestamp = -2;
struct OffsetQuestion {
  PartitionId partition{};
  LeaderEpoch current_leader_epoch = no_leader_epoch;
  Time timestamp = latest_timestamp;
};
struct ListOffsets : Payload {
  bool read_committed = false;  // `latest` is then the last stable offset
  std::vector<OffsetQuestion> questions{};
};
struct OffsetAnswer {
  PartitionId partition{};
  Error error{};
  Offset offset = no_offset;
  LeaderEpoch leader_epoch = no_leader_epoch;
};
struct ListOffsetsReply : Payload {
  std::vector<OffsetAnswer> answers{};
};

// Every kind with its name, traffic class and one-line text (describe.cpp).
const std::vector<MessageDecl>& message_declarations();
const std::vector<MessageDecl>& group_message_declarations();  // describe_groups.cpp

}  // namespace mqlab::kafka
