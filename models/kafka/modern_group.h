// models/kafka/modern_group.h: a group whose coordinator assigns: KIP-848 and share groups.
//
// There is no barrier for all members. The group has an epoch, which rises with every change of members or
// subscriptions, and a target assignment for it; each member walks to its target by itself, one heartbeat after the
// other. One rule: a partition is given to a member only after its former owner has shown, in a heartbeat, that it no
// longer has it. (Not of share groups: there partitions have many readers, and a target counts at once.)
//
// Always true: 1. of a consumer group no partition is in the `assigned` or `revoking` of two members. 2. Epochs of a
// group never fall; a member's epoch is never above the one that the target was computed for.
// Elsewhere: one step of a member (reconcile.h), targets (assignors.h, assign_simple.h), the classic protocol
// (classic_group.h), committing (group_coordinator.cpp), what share groups do with records (share_partition.h).
// Left out: rack ids, regular expressions, members of the classic protocol in such a group (online migration), a share
// group's wait until the share coordinator knows a partition.
// Sources: KIP-848, KIP-932, KIP-1251; GroupMetadataManager, ConsumerGroup, TargetAssignmentBuilder (4.3.1).
#pragma once

#include <map>
#include <set>
#include <string>

#include "models/kafka/group_effects.h"
#include "models/kafka/group_messages.h"

namespace mqlab::kafka {

const char* name(MemberState s);

struct ModernGroup {
  std::string name;
  bool share = false;
  std::int32_t epoch = 0;
  std::int32_t assignment_epoch = 0;
  Time assigned_at = 0;                                     // wall clock; 0 = no target was ever computed
  std::map<std::int32_t, std::int32_t> partition_counts{};  // by topic subscribed to, as `epoch` counts them
  std::map<std::string, GroupMemberRecord> members{};
  bool metadata_changed = true;  // the counts may be others now: the next heartbeat looks

  void heartbeat(const Waiting& from, const ConsumerGroupHeartbeat& m, GroupScene& s);
  void on_timer(const GroupTimer& t, GroupScene& s);
  void partitions_changed(GroupScene& s);
  void replay(const GroupRecord& r);
  void loaded(GroupScene& s);
  // What a commit in this name may get as an answer.
  Error check_commit(const OffsetCommit& m, bool transactional, const Cluster& cluster) const;
  Error check_fetch(const OffsetFetch& m) const;
  bool subscribed(std::int32_t topic) const;
  Tree state(const Cluster& cluster) const;

 private:
  using Changed = std::set<std::string>;  // members whose record is to be written

  Error admit(const ConsumerGroupHeartbeat& m, GroupScene& s);
  Error check_epoch(const GroupMemberRecord& member, const ConsumerGroupHeartbeat& m) const;
  void take_place(const std::string& old, const std::string& id, GroupScene& s);
  void leave(const Waiting& from, const ConsumerGroupHeartbeat& m, GroupScene& s);
  void remove(const std::string& id, const char* mark, const std::string& why, GroupScene& s);
  void update_epoch(bool bump, const std::string& why, GroupScene& s);
  void update_target(Changed& changed, GroupScene& s);
  void step(GroupMemberRecord& member, const ConsumerGroupHeartbeat& m, bool subscription_changed, GroupScene& s);
  const GroupMemberRecord* static_member(const std::string& instance) const;
  std::map<std::int32_t, std::int32_t> counts(const GroupScene& s) const;
  std::string preferred_assignor() const;
  void keep_session(const std::string& id, GroupScene& s) const;
  void watch_rebalance(const GroupMemberRecord& member, GroupScene& s) const;
  GroupRecord epoch_record() const;
};

}  // namespace mqlab::kafka
