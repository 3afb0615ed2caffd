// models/kafka/share_messages.h: what members of share groups, leaders and share coordinators say to each other.
//
// One struct per message, names as in the wire protocol (KIP-932); kinds are in messages.h. Membership goes by
// ConsumerGroupHeartbeat (group_messages.h). Sessions that shorten a fetch to what has changed are left out: each
// ShareFetch names all its partitions, and the session is the connection.
#pragma once

#include <string>
#include <vector>

#include "models/kafka/share_partition.h"
#include "models/kafka/settings.h"
#include "sim/world/payload.h"

namespace mqlab::kafka {

struct PartitionAcks {
  PartitionId partition{};
  std::vector<Acknowledgement> acks{};
};
struct PartitionError {
  PartitionId partition{};
  Error error{};
};

// --- members and leaders ---
struct ShareFetch : Payload {
  std::string group;
  std::string member;
  Duration max_wait{};
  std::int64_t max_records = 500;
  bool exactly = false;               // not a batch more (KIP-1206)
  std::vector<PartitionId> partitions{};
  std::vector<PartitionAcks> acks{};  // ride along
};
struct AcquiredPartition {
  PartitionId partition{};
  Error error{};
  std::vector<Batch> batches{};       // whole ones; what is not in `acquired` is not the member's
  std::vector<Acquired> acquired{};
};
struct ShareFetchReply : Payload {
  std::vector<AcquiredPartition> partitions{};
  std::vector<PartitionError> acks{};
  Duration lock{};                    // how long what was acquired is the member's (4.2)
};
struct ShareAcknowledge : Payload {
  std::string group;
  std::string member;
  bool closes = false;                // the session ends: what is still held goes back
  std::vector<PartitionAcks> acks{};
};
struct ShareAcknowledgeReply : Payload {
  std::vector<PartitionError> acks{};
};

// --- leaders and share coordinators ---
struct WriteShareState : Payload {
  std::string group;
  PartitionId partition{};
  ShareState update{};
};
struct WriteShareStateReply : Payload {
  explicit WriteShareStateReply(Error e) : error(e) {}
  Error error{};
};
struct ReadShareState : Payload {
  std::string group;
  PartitionId partition{};
  LeaderEpoch leader_epoch{};         // who reads leads: writes of an older leader are refused from now on
};
struct ReadShareStateReply : Payload {
  ReadShareStateReply() = default;
  explicit ReadShareStateReply(Error e) : error(e) {}
  Error error{};
  ShareState state{};
};

}  // namespace mqlab::kafka
