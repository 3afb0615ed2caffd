// models/kafka/group_coordinator.h: the groups of one partition of __consumer_offsets.
//
// A replicated state machine without a world: it is given requests and timers, and says what is to be written, answered
// and waited for (Effects). The broker that leads the partition carries it out (coordinator.cpp): it appends the
// records, and sends the answers when they are on all in-sync replicas. One rule: what must outlive this broker is in a
// record; sessions and who waits for what are not, and begin anew with the next coordinator.
//
// Always true: 1. an answer never tells of a record that is not committed. 2. A committed position is visible when it
// is committed, not before; membership counts at once.
// Elsewhere: the classic protocol (classic_group.h), KIP-848 and share groups (modern_group.h), records
// (group_records.h), messages (group_messages.h).
// Sources: GroupMetadataManager, OffsetMetadataManager, ClassicGroup, CoordinatorRuntime (4.x).
//
//     GroupCoordinator g(cluster, partition);
//     Effects e{.now = now, .wall = wall};
//     g.handle(waiting, Kind::join_group, request, e);
//     // append e.records, then send e.replies
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/kafka/classic_group.h"
#include "models/kafka/group_effects.h"
#include "models/kafka/group_messages.h"
#include "models/kafka/group_records.h"
#include "models/kafka/modern_group.h"
#include "sim/world/node.h"

namespace mqlab::kafka {

class GroupCoordinator {
 public:
  GroupCoordinator(ClusterRef cluster, PartitionId log) : cluster_(std::move(cluster)), log_(log) {}

  // How many partitions each topic has; a change makes the groups that read it assign anew.
  void set_partition_counts(const std::vector<std::int32_t>& counts, Effects& e);

  // Reads back what a coordinator wrote.
  void replay(const GroupRecord& r);
  // After the last one: sessions begin.
  void loaded(Effects& e);

  // Requires: k is a message of groups.
  void handle(const Waiting& from, Kind k, const PayloadRef& request, Effects& e);
  void on_timer(const GroupTimer& t, Effects& e);
  // The records of an operation are committed, or never will be: its `then` comes back.
  void on_written(const GroupContinuation& then, Error error, Effects& e);
  // A position is on all in-sync replicas: it can be seen now.
  void on_committed(const GroupRecord& r);

  // Drops positions that nobody uses (offsets.retention.minutes), and groups without members and positions.
  void expire_offsets(Effects& e);

  const std::map<std::string, ClassicGroup>& classic() const { return classic_; }
  const std::map<std::string, ModernGroup>& modern() const { return modern_; }
  // On all in-sync replicas; null if there is none.
  const OffsetCommitRecord* committed(const std::string& group, PartitionId p) const;
  Tree state() const;

 private:
  void commit(const Waiting& from, const OffsetCommit& m, Effects& e);
  void fetch(const Waiting& from, const OffsetFetch& m, Effects& e);
  ClassicGroup& classic_group(const std::string& name);
  using Positions = std::map<std::string, std::map<PartitionId, OffsetCommitRecord>>;  // group -> partition -> position
  static void take(Positions& positions, const GroupRecord& r);
  static const OffsetCommitRecord* find(const Positions& positions, const std::string& group, PartitionId p);
  Time unused_since(const std::string& group, const OffsetCommitRecord& o) const;
  GroupScene scene(Effects& e) const { return {*cluster_, partition_counts_, e}; }

  ClusterRef cluster_;
  PartitionId log_;
  std::vector<std::int32_t> partition_counts_;  // by topic
  std::map<std::string, ClassicGroup> classic_;
  std::map<std::string, ModernGroup> modern_;
  Positions written_;  // the newest, committed or not
  Positions offsets_;  // committed
};

}  // namespace mqlab::kafka
