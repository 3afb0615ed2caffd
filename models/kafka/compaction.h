// models/kafka/compaction.h: cleanup.policy=compact: of each key the last record stays (LogCleaner).
//
// The cleaner reads the part of a log that it has not read yet, notes where each key stands last, and rewrites all
// closed segments up to there without what is superseded. One rule: nothing is reordered or renumbered; offsets, leader
// epochs and sequences of what is left are those of the batch as it was written.
//
// Always true of what compaction leaves: the last record of each key, unless it is a tombstone whose time is over; the
// last batch of each producer, empty if need be, since its numbers live there; the last batch that was looked at.
// Elsewhere: when the cleaner runs and how long it waits (cleaner.cpp); where the records lie (log.h). What was aborted
// goes, and stands for no key; a marker goes delete.retention.ms after its transaction (CleanedTransactionMetadata).
// Sources: LogCleanerManager.cleanableOffsets, grabFilthiestCompactedLog; Cleaner.cleanInto, shouldRetainRecord;
// MemoryRecords.filterTo; KIP-58 (min lag), KIP-354 (max lag), KIP-534 (when tombstones go).
//
//     const CompactionPlan plan = log.plan_compaction(now, high_watermark);
//     if (plan.due) removed = log.compact(plan, now);
#pragma once

#include <span>
#include <vector>

#include "models/kafka/types.h"

namespace mqlab::kafka {

struct CompactionOptions {
  Duration delete_retention = Duration{86'400} * 1'000'000'000;  // delete.retention.ms
  std::int64_t dirty_percent = 50;                               // min.cleanable.dirty.ratio
  Duration min_lag = 0;                                          // min.compaction.lag.ms
  Duration max_lag = time_max;                                   // max.compaction.lag.ms

  bool operator==(const CompactionOptions&) const = default;
};

// What the cleaner could do to a log.
struct CompactionPlan {
  Offset from = 0;                 // the first record that it has not looked at
  Offset to = 0;                   // the base of the first segment that it must leave alone
  std::int64_t clean_bytes = 0;    // of segments that it has done
  std::int64_t dirty_bytes = 0;    // of those from `from` to `to`
  bool overdue = false;            // max.compaction.lag.ms
  bool due = false;                // dirty enough, or overdue

  bool operator==(const CompactionPlan&) const = default;
};

// Where each key stands last in a range of offsets.
class LastOfKeys {
 public:
  // Requires: batches in the order of their offsets. Looks at offsets from `from` on.
  LastOfKeys(std::span<const Batch> batches, Offset from);
  // True iff the record at `offset` is the last of its key, as far as is known here.
  bool is_last(std::uint64_t key, Offset offset) const;

 private:
  std::vector<std::pair<std::uint64_t, Offset>> last_{};  // ascending in key
};

struct CleanedBatch {
  enum class Left : std::uint8_t { untouched, rewritten, nothing };
  Left left = Left::untouched;
  Batch batch{};                          // rewritten
  std::vector<std::int32_t> removed{};    // indices into the original's records
};

// What is left of `b`. `must_stay`: it is a producer's last one, or the last of the range: it stays even if empty.
CleanedBatch clean(const Batch& b, const LastOfKeys& keys, bool must_stay, const CompactionOptions& o, Time now);

}  // namespace mqlab::kafka
