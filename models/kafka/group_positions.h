// models/kafka/group_positions.h: how far groups have got, and what open transactions are about to say of it.
//
// A function of the log of one partition of __consumer_offsets: it is given records and markers in the order of that
// log, and nothing else. A record of a transaction is pending until its producer's marker: a commit makes it a position,
// an abort drops it. One rule: of two commits of one position the later in the log counts, whenever the marker came.
//
// Always true: 1. no pending position is visible by find(). 2. A tombstone leaves neither a position nor a pending one.
// Elsewhere: who may commit, and what is told (group_coordinator.cpp).
// Source: OffsetMetadataManager.replay, replayEndTransactionMarker.
//
//     GroupPositions p;
//     p.take({"g", OffsetCommitRecord{.partition = 0, .offset = 17}}, 7);   // by producer 7
//     p.end_transaction(7, true);
//     p.find("g", 0)->offset;                                               // 17
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/kafka/group_records.h"

namespace mqlab::kafka {

class GroupPositions {
 public:
  struct Position {
    OffsetCommitRecord commit;
    std::uint64_t order{};  // as in the log
  };
  using OfGroup = std::map<PartitionId, Position>;
  using Groups = std::map<std::string, OfGroup>;

  // What became of a pending position.
  struct Ended {
    std::string group;
    OffsetCommitRecord commit;
    bool counts = false;
    bool superseded = false;  // committed, but a commit after it in the log counts
  };

  // The next record of the log. Other than positions are ignored.
  void take(const GroupRecord& r, ProducerId transaction_of = no_producer_id);
  // The next marker of the log.
  std::vector<Ended> end_transaction(ProducerId producer, bool commit);

  // Null if there is none.
  const OffsetCommitRecord* find(const std::string& group, PartitionId p) const;
  const Groups& all() const { return positions_; }
  const std::map<ProducerId, Groups>& pending() const { return pending_; }
  bool has(const std::string& group) const { return positions_.count(group) != 0; }
  bool has_pending(const std::string& group) const;
  bool has_pending(const std::string& group, PartitionId p) const;

 private:
  static void erase(Groups& from, const std::string& group, PartitionId p);

  Groups positions_;
  std::map<ProducerId, Groups> pending_;  // of open transactions
  std::uint64_t next_ = 0;
};

}  // namespace mqlab::kafka
