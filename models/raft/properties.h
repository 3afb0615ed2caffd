// models/raft/properties.h: the promises of Raft (paper figure 3), watched over all replicas of one group.
//
// It only reads. Show it each replica after every step of that replica; the first broken promise stays in
// broken() as one sentence. Log Matching compares whole logs and is asked for apart, now and then.
//
//   Election Safety        at most one leader in an epoch
//   Leader Completeness    a new leader holds every entry committed before
//   State Machine Safety   no two replicas ever commit different entries at one offset, and none takes one back
//   Log Matching           two logs with the same epoch at an offset are the same before it
//
//     Promises promises;
//     promises.watch(raft);
//     promises.compare(a, b);
//     if (!promises.broken().empty()) ...
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/raft/raft.h"

namespace mqlab::raft {

class Promises {
 public:
  void watch(const Raft& raft);
  void compare(const Raft& a, const Raft& b);  // Log Matching

  // The replica crashed: what it had applied in memory is forgotten and will be applied anew.
  void forget_applied(ReplicaId replica) { applied_.erase(replica); }

  // Empty while all hold.
  const std::string& broken() const { return broken_; }

  Offset committed() const { return static_cast<Offset>(committed_.size()); }
  Epoch epochs_with_leader() const { return static_cast<Epoch>(leaders_.size()); }

 private:
  void report(std::string what);
  void watch_leader(const Raft& raft);
  void watch_commits(const Raft& raft);

  struct Committed {
    Entry entry{};
    Epoch in{};  // the epoch of whoever committed it first
  };

  std::map<Epoch, ReplicaId> leaders_{};
  std::vector<Committed> committed_{};  // by offset, over all replicas
  std::map<ReplicaId, Offset> applied_{};
  std::string broken_{};
};

}  // namespace mqlab::raft
