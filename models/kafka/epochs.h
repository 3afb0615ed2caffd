// models/kafka/epochs.h: which leader epoch began at which offset (LeaderEpochFileCache).
//
// The history of leadership of one replica's log. Two logs that hold the same epoch hold the same records in it up to
// the shorter end, so comparing epochs finds where two logs part, where comparing high watermarks cannot (KIP-101).
//
// Always true: epochs and their start offsets both strictly increase.
// Elsewhere: who asks and who truncates (the broker); the records (log.h).
//
//     EpochCache e;
//     e.assign(0, 0), e.assign(2, 10);
//     e.end_offset_for(1, 15);  // {0, 10}: the largest epoch <= 1 is 0, and it ends where 2 begins
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "models/kafka/types.h"

namespace mqlab::kafka {

struct EpochStart {
  LeaderEpoch epoch{};
  Offset start{};

  bool operator==(const EpochStart&) const = default;
};

// The answer of OffsetForLeaderEpoch, and the `divergingEpoch` of a fetch response.
struct EpochEnd {
  LeaderEpoch epoch = no_leader_epoch;
  Offset end = no_offset;  // the first offset after that epoch's records

  bool defined() const { return end != no_offset; }
  bool operator==(const EpochEnd&) const = default;
};

class EpochCache {
 public:
  // `epoch` begins at `start`. An entry that this contradicts (not older, or not below) is removed: the caller has
  // just appended there, so the log is right. The same epoch again changes nothing, unless it now begins earlier.
  // Requires: epoch >= 0, start >= 0.
  void assign(LeaderEpoch epoch, Offset start);

  // KIP-279 (KAFKA-6361): the largest known epoch <= asked and its end, so that a follower that holds neither can ask
  // again. Undefined if `asked` is newer than all that is known here.
  EpochEnd end_offset_for(LeaderEpoch asked, Offset log_end) const;

  // KIP-101, Kafka 0.11 to 1.1: where the first epoch after `asked` begins, and no word about which epoch ends there;
  // `epoch` only echoes the question. Undefined also when `asked` is older than all that is known here.
  EpochEnd end_offset_for_kip101(LeaderEpoch asked, Offset log_end) const;

  // Forgets what begins at or after `end`: the log was cut there.
  void truncate_from_end(Offset end);

  // The log now begins at `start`: the epoch that covers it begins there, older ones are forgotten.
  void truncate_from_start(Offset start);

  void clear() { entries_.clear(); }

  bool empty() const { return entries_.empty(); }
  LeaderEpoch latest() const { return entries_.empty() ? no_leader_epoch : entries_.back().epoch; }
  // Where `epoch` begins, if it is known here.
  std::optional<Offset> start_of(LeaderEpoch epoch) const;
  // The largest known epoch below `epoch`.
  std::optional<LeaderEpoch> before(LeaderEpoch epoch) const;
  // The epoch that the record at `offset` was written in, no_leader_epoch if the offset is below all.
  LeaderEpoch epoch_at(Offset offset) const;
  std::span<const EpochStart> entries() const { return entries_; }

  bool operator==(const EpochCache&) const = default;

 private:
  std::vector<EpochStart> entries_{};
};

}  // namespace mqlab::kafka
