// models/kafka/share_state.h: the share coordinator: what survives of share groups, for one partition of
// __share_group_state.
//
// A replicated state machine beside the group coordinator, and on another broker as chance has it: the leader of each
// share-partition writes here what changed, and a new leader reads it back. One rule: who writes must know the latest
// state epoch and lead in the latest leader epoch that this coordinator has heard of.
//
// Always true: the state of a key is its last record. The product writes small updates and a snapshot now and then;
// here each record is the whole state of its share-partition, so that compaction keeps what is needed.
// Elsewhere: the log below it and its answers (share_seat.cpp), what is written (share_partition.h).
// Sources: ShareCoordinatorShard (4.3), KIP-932.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "models/kafka/group_records.h"
#include "models/kafka/share_messages.h"
#include "sim/world/node.h"

namespace mqlab::kafka {

class ShareStates {
 public:
  void replay(const GroupRecord& r);

  // What is to be appended; none when refused.
  struct Outcome {
    Error error{};
    std::vector<GroupRecord> records{};
  };
  Outcome write(const WriteShareState& m);
  Outcome read(const ReadShareState& m, ShareState& out);

  // Null if nothing is known.
  const ShareState* find(const std::string& group, PartitionId p) const;
  Tree state(const Cluster& cluster) const;

 private:
  GroupRecord record_of(const std::string& group, PartitionId p) const;
  std::map<std::pair<std::string, PartitionId>, ShareState> states_;
};

}  // namespace mqlab::kafka
