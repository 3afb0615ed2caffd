// models/kafka/modern_group.h: a group whose coordinator assigns: KIP-848 and share groups.
//
// There is no barrier for all members. The group has an epoch, which rises with every change of members or
// subscriptions, and a target assignment for it; each member walks to its target by itself. One rule: a partition is
// given to a member only after its former owner has shown, in a heartbeat, that it no longer has it.
//
// Always true: of a consumer group no partition is in the `assigned` or `revoking` of two members.
// Elsewhere: the classic protocol (classic_group.h), committing (group_coordinator.cpp), what share groups do with
// records (share_partition.h).
// Sources: KIP-848, KIP-932; ConsumerGroup, CurrentAssignmentBuilder, TargetAssignmentBuilder, ConsumerGroupMember (4.x).
#pragma once

#include <map>
#include <string>

#include "models/kafka/group_effects.h"
#include "models/kafka/group_messages.h"

namespace mqlab::kafka {

struct ModernGroup {
  std::string name;
  bool share = false;
  std::int32_t epoch = 0;
  std::int32_t assignment_epoch = 0;
  Time empty_since = 0;  // wall clock
  std::map<std::string, GroupMemberRecord> members{};

  void heartbeat(const Waiting& from, const ConsumerGroupHeartbeat& m, GroupScene& s);
  void on_timer(const GroupTimer& t, GroupScene& s);
  void partitions_changed(GroupScene& s);
  void replay(const GroupRecord& r);
  void loaded(GroupScene& s);
  // What a commit in this name may get as an answer.
  Error check_commit(const OffsetCommit& m, const Cluster& cluster) const;
  Error check_fetch(const OffsetFetch& m) const;
  bool subscribed(std::int32_t topic) const;
  Tree state(const Cluster& cluster) const;
};

}  // namespace mqlab::kafka
