// models/kafka/log.h: one replica's log of one partition (UnifiedLog without files).
//
// Batches in the order of their offsets, and the two memories that are functions of them: where each leader epoch
// began, and what each producer last wrote. One rule: all three change together, in this class, or not at all.
//
// Always true (broken_rule() checks it): start() <= end(); batches are in order, do not overlap, end at or below end(),
// and none lies wholly below start(); epochs begin inside the log; every batch is of the epoch that covers it.
// Elsewhere: the high watermark, followers, acknowledgements (the broker); which offsets had reached the platter (the
// world's disk tells the broker, the broker calls lose_tail). Segments, retention and compaction are not modelled here.
//
//     PartitionLog log;
//     log.begin_epoch(3);
//     AppendResult r = log.append_as_leader(batch, 3, now);
//     for (const Batch& b : log.view(r.base_offset, high_watermark)) ...
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "models/kafka/epochs.h"
#include "models/kafka/producer_state.h"
#include "models/kafka/types.h"

namespace mqlab::kafka {

struct LogOptions {
  ProducerOptions producers{};
  bool log_append_time = false;              // message.timestamp.type=LogAppendTime
  Duration timestamp_before_max = time_max;  // message.timestamp.before.max.ms: how old a record may say it is
  Duration timestamp_after_max = time_max;   // message.timestamp.after.max.ms: how far ahead (1 h from 4.0, KIP-1030)

  bool operator==(const LogOptions&) const = default;
};

struct AppendResult {
  Error error = Error::none;
  Offset base_offset = no_offset;  // also of a duplicate: where the first copy lies
  Offset last_offset = no_offset;
  bool duplicate = false;  // nothing was written; the answer is success all the same

  bool written() const { return error == Error::none && !duplicate; }
  bool operator==(const AppendResult&) const = default;
};

struct OffsetAtTime {
  Offset offset = no_offset;
  Time timestamp{};

  bool operator==(const OffsetAtTime&) const = default;
};

class PartitionLog {
 public:
  PartitionLog() = default;
  explicit PartitionLog(LogOptions options) : options_(options), producers_(options.producers) {}

  Offset start() const { return start_; }
  Offset end() const { return end_; }  // the log end offset, LEO: the next offset to be written
  bool empty() const { return start_ == end_; }
  std::span<const Batch> batches() const { return batches_; }
  const EpochCache& epochs() const { return epochs_; }
  const ProducerStates& producers() const { return producers_; }
  const LogOptions& options() const { return options_; }

  // This replica became leader of `epoch`: the epoch begins at end() even if nothing is ever written in it. Without
  // this entry two quick elections hide a divergence (KIP-279). Requires: epoch >= 0.
  void begin_epoch(LeaderEpoch epoch) { epochs_.assign(epoch, end_); }

  // Appends a client's batch: checks the producer, gives it offsets and the epoch. On an error or a duplicate nothing
  // has changed. Requires: begin_epoch(epoch) was called, batch.count() > 0.
  AppendResult append_as_leader(Batch batch, LeaderEpoch epoch, Time now);

  // Appends a leader's batch verbatim. Offsets may skip, since the leader's log may have holes, but not go back.
  // offset_out_of_range: the batch begins below end(). corrupt_message: it does not match its checksum.
  Error append_as_follower(const Batch& batch);

  // The batches from the one that holds `from` (or the next, if `from` lies in a hole) that lie wholly below `up_to`:
  // the first one whole, more while both limits hold, as a fetch returns them. Valid until the log changes.
  // Requires: start() <= from.
  std::span<const Batch> view(Offset from, Offset up_to, std::int64_t max_records = offset_max,
                              std::int64_t max_bytes = offset_max) const;
  // The same as values, for a message.
  std::vector<Batch> read(Offset from, Offset up_to, std::int64_t max_records = offset_max,
                          std::int64_t max_bytes = offset_max) const;

  // The batch that holds `offset`, null if none does.
  const Batch* batch_at(Offset offset) const;

  // First record below `up_to` whose timestamp is at or after `t` (ListOffsets). Timestamps need not be in order.
  std::optional<OffsetAtTime> first_at_or_after(Time t, Offset up_to) const;

  // Cuts the log so that it ends at `offset`; where that lies inside a batch, at the beginning of that batch, since a
  // follower fetches whole batches. At or above end() only an epoch without records is forgotten. Below start() all
  // goes, and the log restarts at `offset`.
  void truncate_to(Offset offset);
  // Drops all. The next record gets `offset` (a follower whose leader no longer has what it asks for).
  void truncate_fully_and_start_at(Offset offset);

  // DeleteRecords, or a leader's newer log start: readers begin at `offset`. Batches wholly below are dropped.
  // offset_out_of_range if above end(); the caller also holds it at or below the high watermark.
  Error delete_records_before(Offset offset);

  // The power went: what begins or reaches at or above `first_lost` never got to the platter.
  // As a restart, it also reloads the memories. Below start(), the log is empty at start() (LogLoader).
  void lose_tail(Offset first_lost);

  // A start after an unclean shutdown: batches that reach `recovery_point` are read again, and the log ends before the
  // first corrupt one (LogLoader.recoverLog). Corruption below the recovery point is not noticed. Returns end().
  Offset recover(Offset recovery_point = 0);

  // A bit rots in the batch that holds `offset`, in this copy only. False if there is none.
  bool corrupt_at(Offset offset);

  void expire_producers(Time now) { producers_.expire(now); }

  // The first rule of the head comment that does not hold, as a sentence; null if all hold. O(batches).
  const char* broken_rule() const;

  // Equal contents; neither copies nor their history matter.
  bool operator==(const PartitionLog&) const = default;

 private:
  std::size_t first_reaching(Offset offset) const;
  Error check_timestamps(const Batch& batch, Time now) const;
  void push(Batch&& batch);
  void cut(std::size_t kept, Offset end);

  LogOptions options_{};
  Offset start_ = 0;
  Offset end_ = 0;
  std::vector<Batch> batches_{};  // contiguous, so that a view costs a binary search and no copy
  EpochCache epochs_{};
  ProducerStates producers_{};
};

}  // namespace mqlab::kafka
