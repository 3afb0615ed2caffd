// models/kafka/group_coordinator.h: the groups of one partition of __consumer_offsets.
//
// A replicated state machine without a world: it is given requests and timers, and says what is to be written, answered
// and waited for (Effects). The broker that leads the partition carries it out (coordinator.cpp): it appends the
// records, and sends the answers when they are on all in-sync replicas. One rule: what must outlive this broker is in a
// record; sessions and who waits for what are not, and begin anew with the next coordinator.
//
// Always true: 1. an answer never tells of a record that is not committed. 2. A committed position is visible when it
// is committed, not before; membership counts at once. 3. A position of a transaction is visible when its marker is.
// Elsewhere: the classic protocol (classic_group.h), KIP-848 and share groups (modern_group.h), records
// (group_records.h), positions (group_positions.h), messages (group_messages.h, txn_messages.h).
// Sources: GroupMetadataManager, OffsetMetadataManager, ClassicGroup, CoordinatorRuntime (4.x); KIP-447.
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
#include "models/kafka/group_positions.h"
#include "models/kafka/group_records.h"
#include "models/kafka/modern_group.h"
#include "models/kafka/txn_messages.h"
#include "sim/world/node.h"

namespace mqlab::kafka {

class GroupCoordinator {
 public:
  GroupCoordinator(ClusterRef cluster, PartitionId log) : cluster_(std::move(cluster)), log_(log) {}

  // How many partitions each topic has; a change makes the groups that read it assign anew.
  void set_partition_counts(const std::vector<std::int32_t>& counts, Effects& e);

  // Reads back what a coordinator wrote, in the order of the log: records, and markers of transactions.
  void replay(const GroupRecord& r, ProducerId transaction_of = no_producer_id);
  void replay_marker(ProducerId producer, bool commit);
  // After the last one: sessions begin.
  void loaded(Effects& e);

  // Requires: k is a message of groups.
  void handle(const Waiting& from, Kind k, const PayloadRef& request, Effects& e);
  void on_timer(const GroupTimer& t, Effects& e);
  // The records of an operation are committed, or never will be: its `then` comes back.
  void on_written(const GroupContinuation& then, Error error, Effects& e);
  // A record is on all in-sync replicas: a position can be seen now, unless it is pending.
  void on_committed(const GroupRecord& r, ProducerId transaction_of = no_producer_id) { offsets_.take(r, transaction_of); }

  // A marker is in the log: the transaction of that producer has ended for whoever writes now. A fetch may tell of it
  // when it is committed, as of every other write.
  void on_marker(ProducerId producer, bool commit, Effects& e);
  // ... and is on all in-sync replicas.
  void on_marker_committed(ProducerId producer, bool commit) { offsets_.end_transaction(producer, commit); }

  // Drops positions that nobody uses (offsets.retention.minutes), and groups without members and positions.
  void expire_offsets(Effects& e);

  const std::map<std::string, ClassicGroup>& classic() const { return classic_; }
  const std::map<std::string, ModernGroup>& modern() const { return modern_; }
  // On all in-sync replicas; null if there is none.
  const OffsetCommitRecord* committed(const std::string& group, PartitionId p) const { return offsets_.find(group, p); }
  // The same, and what open transactions have said.
  const GroupPositions& positions() const { return offsets_; }
  Tree state() const;

 private:
  void commit(const Waiting& from, const OffsetCommit& m, Effects& e);
  void commit_in_transaction(const Waiting& from, const TxnOffsetCommit& m, Effects& e);
  Error check_commit(const OffsetCommit& m, bool transactional, Effects& e);
  void write_positions(const OffsetCommit& m, Effects& e);
  void fetch(const Waiting& from, const OffsetFetch& m, Effects& e);
  ClassicGroup& classic_group(const std::string& name);
  Time unused_since(const std::string& group, const OffsetCommitRecord& o) const;
  GroupScene scene(Effects& e) const { return {*cluster_, partition_counts_, e}; }

  ClusterRef cluster_;
  PartitionId log_;
  std::vector<std::int32_t> partition_counts_;  // by topic
  std::map<std::string, ClassicGroup> classic_;
  std::map<std::string, ModernGroup> modern_;
  GroupPositions written_;  // the newest, committed or not
  GroupPositions offsets_;  // committed
};

}  // namespace mqlab::kafka
