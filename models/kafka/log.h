// models/kafka/log.h: one replica's log of one partition (UnifiedLog without files).
//
// Batches in the order of their offsets, cut into segments, and the memories that are functions of them: where each
// leader epoch began, what each producer last wrote, which transactions are open, and which were aborted. One rule: all
// change together, in this class, or not at all.
//
// Always true (broken_rule() checks it): start() <= end(); batches are in order, do not overlap, end at or below end(),
// and none of batches() lies wholly below start(); epochs begin inside the log; every batch is of the epoch that covers
// it; the segments fit the batches (segments.h); each transaction that the batches tell of is known as open, or as
// aborted if it was.
// Elsewhere: the high watermark, followers, acknowledgements (the broker); which offsets had reached the platter (the
// world's disk tells the broker, the broker calls lose_tail). Which segments age takes: retention.cpp; what compaction
// leaves: compaction.h; when both are done: cleaner.cpp.
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

#include "models/kafka/compaction.h"
#include "models/kafka/epochs.h"
#include "models/kafka/producer_state.h"
#include "models/kafka/segments.h"
#include "models/kafka/types.h"
#include "sim/kernel/shared_vector.h"

namespace mqlab::kafka {

struct LogOptions {
  ProducerOptions producers{};
  SegmentOptions segments{};
  CompactionOptions compaction{};
  bool compacts = false;                     // cleanup.policy: of each key the last record is kept
  bool deletes = true;                       // ... and whether old segments go
  Duration retention = Duration{7 * 86'400} * 1'000'000'000;  // retention.ms; 0 = no limit
  std::int64_t retention_bytes = -1;         // retention.bytes; -1 = no limit
  bool stable_before_open = true;            // off: readers of committed records also see the first record of an open transaction
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
  bool rolled = false;     // the batch is the first of a new segment

  bool written() const { return error == Error::none && !duplicate; }
  bool operator==(const AppendResult&) const = default;
};

// A record that a policy took out of the log.
struct TakenRecord {
  Offset offset = no_offset;
  Record record{};

  bool operator==(const TakenRecord&) const = default;
};

// Why a segment was deleted: SegmentDeletionReason.
enum class Deletion : std::uint8_t { log_start, retention_bytes, retention };
const char* name(Deletion d);

struct DeletedSegment {
  Segment segment{};
  Offset next = 0;  // where the log begins without it, at the least
  Deletion why{};
  std::vector<TakenRecord> taken{};  // that readers could still see
};

struct OffsetAtTime {
  Offset offset = no_offset;
  Time timestamp{};

  bool operator==(const OffsetAtTime&) const = default;
};

// A transaction in what a reader reads that was aborted (TransactionIndex, AbortedTxn).
struct AbortedRange {
  ProducerId id = no_producer_id;
  Offset first = no_offset;
  Offset last = no_offset;         // of its marker
  Offset last_stable = no_offset;  // what ends later than here is of no interest to who reads below

  bool operator==(const AbortedRange&) const = default;
};

class PartitionLog {
 public:
  PartitionLog() = default;
  explicit PartitionLog(LogOptions options) : options_(options), producers_(options.producers) {}

  Offset start() const { return start_; }
  Offset end() const { return end_; }  // the log end offset, LEO: the next offset to be written
  bool empty() const { return start_ == end_; }
  // What readers may see; stored() also has what lies below start() in a segment that is not deleted yet.
  std::span<const Batch> batches() const { return std::span<const Batch>(batches_).subspan(hidden_); }
  std::span<const Batch> stored() const { return batches_; }
  const Segments& segments() const { return segments_; }
  // Compaction has done what lies below (the cleaner's checkpoint).
  Offset first_dirty() const { return first_dirty_; }
  const EpochCache& epochs() const { return epochs_; }
  const ProducerStates& producers() const { return producers_; }
  const LogOptions& options() const { return options_; }

  // This replica became leader of `epoch`: the epoch begins at end() even if nothing is ever written in it. Without
  // this entry two quick elections hide a divergence (KIP-279). Requires: epoch >= 0.
  void begin_epoch(LeaderEpoch epoch) { epochs_.assign(epoch, end_); }

  // Appends a batch or a marker: checks the producer, gives it offsets and the epoch. On an error or a duplicate nothing
  // has changed. Requires: begin_epoch(epoch) was called, batch.count() > 0.
  AppendResult append_as_leader(Batch batch, LeaderEpoch epoch, Time now, const Admission& admission = {});

  // Appends a leader's batch verbatim. Offsets may skip, since the leader's log may have holes, but not go back.
  // offset_out_of_range: the batch begins below end(). corrupt_message: it does not match its checksum.
  Error append_as_follower(const Batch& batch, Time now = 0);

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

  // The last stable offset: all below is decided, and the decision replicated. Readers of committed records end here.
  Offset last_stable(Offset high_watermark) const;
  // The aborted transactions that who reads [from, up_to) must leave out, ascending in their first offset.
  std::vector<AbortedRange> aborted_between(Offset from, Offset up_to) const;
  std::span<const AbortedRange> aborted() const { return aborted_; }
  // The high watermark is here: transactions that ended below it are replicated.
  void settle(Offset high_watermark) { producers_.settle(high_watermark); }

  // First record below `up_to` whose timestamp is at or after `t` (ListOffsets). Timestamps need not be in order.
  std::optional<OffsetAtTime> first_at_or_after(Time t, Offset up_to) const;

  // Cuts the log so that it ends at `offset`; where that lies inside a batch, at the beginning of that batch, since a
  // follower fetches whole batches. At or above end() only an epoch without records is forgotten. Below start() all
  // goes, and the log restarts at `offset`.
  void truncate_to(Offset offset);
  // Drops all. The next record gets `offset` (a follower whose leader no longer has what it asks for).
  void truncate_fully_and_start_at(Offset offset);

  // DeleteRecords, or a leader's newer log start: readers begin at `offset`; segments wholly below go with the next
  // look for old ones. offset_out_of_range if above end(); the caller also holds it at or below the high watermark.
  Error delete_records_before(Offset offset);
  // The process died with a start that was never written down: the log begins at `checkpoint` again, or with its first
  // segment (UnifiedLog.maybeIncrementLogStartOffset says so). Records that were deleted reappear.
  void fall_back_to_start(Offset checkpoint);

  void set_cleanup(bool compacts, bool deletes) { options_.compacts = compacts, options_.deletes = deletes; }
  // Deletes what cleanup.policy=delete lets go, oldest first, wholly below the high watermark (retention.cpp).
  std::vector<DeletedSegment> delete_old_segments(Time now, Offset high_watermark);
  // What compaction could do now, up to where readers read (compaction.cpp).
  CompactionPlan plan_compaction(Time now, Offset stable_end) const;
  // Does it. The records that readers could see before and can't see now.
  std::vector<TakenRecord> compact(const CompactionPlan& plan, Time now);

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
  Error check_records(const Batch& batch, Time now) const;
  bool push(Batch&& batch, Time now);
  void learn(const Batch& batch);
  void learn_anew();
  void index_aborted();
  const char* broken_rule_of_transactions() const;
  void cut(std::size_t kept, Offset end);
  void hide() { hidden_ = first_reaching(start_); }
  void delete_oldest(Time now, Offset high_watermark, Deletion why, std::vector<DeletedSegment>& out);

  LogOptions options_{};
  Offset start_ = 0;
  Offset end_ = 0;
  Offset first_dirty_ = 0;
  SharedVector<Batch> batches_{};  // contiguous, so that a view costs a binary search and no copy; copies of a world share it
  std::size_t hidden_ = 0;        // so many lie wholly below the start
  Segments segments_{};
  EpochCache epochs_{};
  ProducerStates producers_{};
  std::vector<AbortedRange> aborted_{};  // ascending in the marker's offset
};

}  // namespace mqlab::kafka
