// models/kafka/group_records.h: what a group coordinator writes into its log.
//
// A coordinator is a replicated state machine: all that it must know after a move to another broker is a record
// in a partition of __consumer_offsets, which is an ordinary replicated, compacted partition. One rule: the state of a
// group is a function of its records; of each key() the last record counts, and `gone` is a tombstone.
//
// Elsewhere: who writes them (group_coordinator.h), where they lie (Batch::state, types.h).
// Sources: GroupCoordinatorRecordHelpers; KIP-848 has a record for each of a member's three aspects, here they are one.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "models/kafka/settings.h"
#include "models/kafka/share_partition.h"
#include "models/kafka/types.h"

namespace mqlab::kafka {

// A committed position: the next offset to read.
struct OffsetCommitRecord {
  PartitionId partition{};
  Offset offset = no_offset;
  LeaderEpoch leader_epoch = no_leader_epoch;  // of the record before it
  Time committed_at{};                         // the coordinator's wall clock
  std::string metadata{};
};

// --- the classic protocol: the whole group is one record ---
struct ClassicMemberRecord {
  std::string id;
  std::string instance{};  // group.instance.id; empty = a dynamic member
  Duration session_timeout{};
  Duration rebalance_timeout{};
  std::vector<std::string> protocols{};    // assignors that it knows, the preferred one first
  std::vector<std::int32_t> topics{};
  std::vector<PartitionId> owned{};        // as it said when it joined
  std::int32_t owned_generation = -1;
  std::vector<PartitionId> assigned{};
};
struct ClassicGroupRecord {
  std::int32_t generation{};
  std::string protocol{};
  std::string leader{};
  Time state_since{};  // wall clock
  std::vector<ClassicMemberRecord> members{};
};

// --- KIP-848 and share groups ---
struct GroupEpochRecord {
  bool share = false;               // a share group (KIP-932)
  std::int32_t epoch{};
  std::int32_t assignment_epoch{};  // the target assignment was computed for this one
  Time assigned_at{};               // ... when (wall clock); 0 = never
  std::map<std::int32_t, std::int32_t> partition_counts{};  // by topic that members subscribe to, as `epoch` counts them
};

// What a member of a consumer group is waiting for (MemberState).
enum class MemberState : std::uint8_t {
  stable,                // nothing: it has what it shall have, or there is a newer target to begin with
  unrevoked_partitions,  // it was told to give partitions up and has not shown that it did
  unreleased_partitions  // others still have some of its partitions
};
// Partitions of a member, each with the epoch in which it was given it.
using PartitionEpochs = std::map<PartitionId, std::int32_t>;

struct GroupMemberRecord {
  std::string id;
  std::string instance{};
  std::int32_t epoch{};
  std::int32_t previous_epoch = -1;
  MemberState state = MemberState::stable;
  Duration rebalance_timeout{};
  std::vector<std::int32_t> topics{};
  std::string assignor{};             // the server's, as the member asked; empty = the default
  std::vector<PartitionId> target{};  // what it shall own
  PartitionEpochs assigned{};         // what it may own now
  PartitionEpochs revoking{};         // what it was told to give up

  bool operator==(const GroupMemberRecord&) const = default;
};

// What a share group did with the records of one partition: in __share_group_state, whose coordinator is another one
// (share_state.h).
struct ShareStateRecord {
  PartitionId partition{};
  ShareState state{};
};

// What a transaction coordinator knows of a transactional id: in __transaction_state (txn_coordinator.h).
enum class TxnState : std::uint8_t { empty, ongoing, prepare_commit, prepare_abort, complete_commit, complete_abort };
const char* name(TxnState s);  // "PrepareCommit"
struct TransactionRecord {
  ProducerId id = no_producer_id;
  ProducerId previous_id = no_producer_id;    // before the last change of id
  ProducerId next_id = no_producer_id;        // TV2: taken when the transaction is complete, if the epoch is used up
  ProducerEpoch epoch = no_producer_epoch;
  ProducerEpoch last_epoch = no_producer_epoch;  // before the last bump: a client that repeats its request says this one
  Duration timeout{};
  TxnState state = TxnState::empty;
  std::vector<PartitionId> partitions{};      // that take part, ascending
  Time started = -1;                          // wall clock
  Time updated{};
  TxnVersion version = TxnVersion::tv0;       // that the client spoke

  bool operator==(const TransactionRecord&) const = default;
};

struct GroupRecord {
  using Value = std::variant<OffsetCommitRecord, ClassicGroupRecord, GroupEpochRecord, GroupMemberRecord, ShareStateRecord, TransactionRecord>;
  std::string group;  // or the transactional id
  Value value;
  bool gone = false;

  // Compaction keeps the last record of each key.
  std::string key() const;
};

// "orders-readers: orders/0 -> 17"; `cluster` may be null.
std::string describe(const GroupRecord& r, const Cluster* cluster);

}  // namespace mqlab::kafka
