// models/kafka/group_messages.h: what members and coordinators of groups say to each other.
//
// One struct per message, names as in the wire protocol; kinds are in messages.h.
// Elsewhere: who handles them (group_coordinator.h, group_member.cpp; README.md has the table).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/assignors.h"
#include "models/kafka/messages.h"
#include "models/kafka/settings.h"
#include "models/kafka/types.h"
#include "sim/world/payload.h"

namespace mqlab::kafka {

struct FindCoordinator : Payload {
  std::string group;           // or the transactional id
  bool transactional = false;
};
struct FindCoordinatorReply : Payload {
  FindCoordinatorReply() = default;
  explicit FindCoordinatorReply(Error e) : error(e) {}
  Error error{};
  BrokerId broker = no_broker;
};

// --- the classic protocol ---
struct JoinGroup : Payload {
  std::string group;
  std::string member{};    // empty: not known yet
  std::string instance{};
  Duration session_timeout{};
  Duration rebalance_timeout{};          // max.poll.interval.ms
  std::vector<std::string> protocols{};  // "range", "cooperative-sticky" ...
  std::vector<std::int32_t> topics{};
  std::vector<PartitionId> owned{};
  std::int32_t owned_generation = -1;
};
struct JoinGroupReply : Payload {
  JoinGroupReply() = default;
  explicit JoinGroupReply(Error e) : error(e) {}
  Error error{};
  std::int32_t generation = -1;
  std::string protocol{};
  std::string leader{};
  std::string member{};
  bool skip_assignment = false;                // a static leader came back: nothing to compute (KIP-814)
  std::vector<MemberSubscription> members{};   // to the leader only
};
struct SyncGroup : Payload {
  std::string group;
  std::int32_t generation{};
  std::string member;
  std::string instance{};
  Assignment assignments{};  // from the leader
};
struct SyncGroupReply : Payload {
  SyncGroupReply(Error e, std::vector<PartitionId> partitions) : error(e), assigned(std::move(partitions)) {}
  Error error{};
  std::vector<PartitionId> assigned{};
};
struct GroupHeartbeat : Payload {
  std::string group;
  std::int32_t generation{};
  std::string member;
  std::string instance{};
};
struct GroupHeartbeatReply : Payload {
  explicit GroupHeartbeatReply(Error e) : error(e) {}
  Error error{};
};
struct LeaveGroup : Payload {
  std::string group;
  std::string member;
  std::string instance{};
};
struct LeaveGroupReply : Payload {
  explicit LeaveGroupReply(Error e) : error(e) {}
  Error error{};
};

// --- KIP-848; share groups (KIP-932) use the same shape ---
inline constexpr std::int32_t leave_epoch = -1;
inline constexpr std::int32_t leave_for_a_while_epoch = -2;  // a static member that means to come back
struct ConsumerGroupHeartbeat : Payload {
  std::string group;
  bool share = false;
  std::string member;  // made by the client
  std::int32_t epoch{};  // 0 = joins
  std::string instance{};
  Duration rebalance_timeout = -1;   // told with the first one
  bool tells_topics = false;
  std::vector<std::int32_t> topics{};
  std::string assignor{};
  bool tells_owned = false;
  std::vector<PartitionId> owned{};
};
struct ConsumerGroupHeartbeatReply : Payload {
  ConsumerGroupHeartbeatReply() = default;
  explicit ConsumerGroupHeartbeatReply(Error e) : error(e) {}
  Error error{};
  std::int32_t epoch{};
  Duration interval{};
  bool tells_assignment = false;
  std::vector<PartitionId> assignment{};
};

// --- offsets ---
struct CommittedOffset {
  PartitionId partition{};
  Offset offset = no_offset;
  LeaderEpoch leader_epoch = no_leader_epoch;
  std::string metadata{};
};
struct OffsetCommit : Payload {
  std::string group;
  std::int32_t generation = -1;  // or the member epoch; -1 with an empty member: from outside of the group
  std::string member{};
  std::string instance{};
  std::vector<CommittedOffset> offsets{};
};
struct OffsetCommitReply : Payload {
  explicit OffsetCommitReply(Error e) : error(e) {}
  Error error{};  // of all partitions alike
};
struct OffsetFetch : Payload {
  std::string group;
  std::int32_t member_epoch = -1;  // KIP-848; -1 = not checked
  std::string member{};
  bool require_stable = false;     // KIP-447: a position that a transaction may yet change is not told
  std::vector<PartitionId> partitions{};
};
struct OffsetFetchReply : Payload {
  OffsetFetchReply() = default;
  explicit OffsetFetchReply(Error e) : error(e) {}
  Error error{};
  std::vector<CommittedOffset> offsets{};  // no_offset where nothing was committed
};

}  // namespace mqlab::kafka
