// models/raft/log.h: the replicated log of one replica, with the snapshot that replaces its beginning.
//
// Offsets count from 0; the end is the offset that the next entry will get. Every entry carries the epoch
// of the leader that created it, and epochs never fall along the log: that is what lets two replicas find
// the place where they part by comparing epochs alone (Raft paper section 5.3; KIP-595 "Fetch").
//
// Always true: start() <= end(); the entry before start() had the epoch snapshot.epoch (0 when there is none).
//
//     log.append({.epoch = 3, .command = command});
//     EpochEnd end = log.end_offset_for_epoch(2);   // where epoch 2, or the last one before it, ends here
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/world/payload.h"

namespace mqlab::raft {

using Epoch = std::int32_t;      // Raft's term; KRaft's quorum epoch. 0 is before the first election.
using Offset = std::int64_t;     // Raft's index - 1
using ReplicaId = std::int32_t;  // a voter or an observer

struct Entry {
  Epoch epoch{};
  PayloadRef command{};  // opaque and never changed; empty in a control entry
  bool control{};        // the leader-change entry that opens an epoch; no business of the state machine

  bool operator==(const Entry&) const = default;
};

// Stands for every entry before `offset`, the last of which had `epoch`.
struct Snapshot {
  Offset offset{};
  Epoch epoch{};
  PayloadRef state{};

  bool operator==(const Snapshot&) const = default;
};

// The last epoch not after the one asked for, and the offset after its last entry.
struct EpochEnd {
  Epoch epoch{};
  Offset end_offset{};

  bool operator==(const EpochEnd&) const = default;
};

struct Log {
  Snapshot snapshot{};
  std::vector<Entry> entries{};  // from start() on

  Offset start() const { return snapshot.offset; }
  Offset end() const { return snapshot.offset + static_cast<Offset>(entries.size()); }

  // Requires: start() <= offset < end().
  const Entry& at(Offset offset) const { return entries[static_cast<std::size_t>(offset - snapshot.offset)]; }

  // The epoch of the entry just before `offset`. Requires: start() <= offset <= end().
  Epoch epoch_before(Offset offset) const { return offset == start() ? snapshot.epoch : at(offset - 1).epoch; }
  Epoch last_epoch() const { return epoch_before(end()); }

  // KIP-595 (and KIP-101 before it). Where the log holds nothing of `epoch` or before: {snapshot.epoch, start()}.
  EpochEnd end_offset_for_epoch(Epoch epoch) const;

  // At most `count_max` entries from `offset` on. Requires: start() <= offset <= end().
  std::vector<Entry> slice(Offset offset, std::size_t count_max) const;

  void append(Entry entry) { entries.push_back(std::move(entry)); }

  // Removes `end` and all after it; never anything that the snapshot covers.
  void truncate_to(Offset end);

  // Replaces everything before `offset` by `state`. Requires: start() <= offset <= end().
  void compact_to(Offset offset, PayloadRef state);

  // Replaces the whole log by a leader's snapshot.
  void install(const Snapshot& from_leader);

  bool operator==(const Log&) const = default;
};

// "At least as up-to-date", Raft paper section 5.4.1: the later last epoch wins, then the longer log.
constexpr bool up_to_date(Epoch last_epoch, Offset end, Epoch than_last_epoch, Offset than_end) {
  return last_epoch != than_last_epoch ? last_epoch > than_last_epoch : end >= than_end;
}

}  // namespace mqlab::raft
