// models/kafka/producer_state.h: what a replica remembers of each producer id (ProducerStateManager).
//
// The memory behind "exactly once per session and partition": the producer's epoch and its last few batches, by
// sequence. Nothing in it is independent state: it is a function of the log, so a follower, a truncation and a
// recovery compute it from batches; that is why deduplication survives a change of leader (KIP-98).
//
// The same memory knows which transactions are open here, and which have ended without being replicated so far: readers
// of committed records stop before the first of them.
//
// Always true: entries are sorted by producer id, no entry holds more batches than the window, and the batches of one
// entry are of its epoch, in the order of their offsets; open() has the open transaction of each entry that has one,
// ascending in its first offset.
// Elsewhere: when to check and when to update (log.h); how a client numbers and retries (the producer); who is asked
// before a transaction begins here (txn_partition.cpp).
// Sources: KIP-98, KIP-360, KIP-890, KIP-1228; ProducerStateManager, ProducerAppendInfo, UnifiedLog.
//
//     ProducerStates p{{.window = 5}};
//     auto verdict = p.check(batch);
//     if (verdict.kind == ProducerVerdict::Kind::accept) p.update(batch);
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "models/kafka/types.h"
#include "sim/kernel/time.h"

namespace mqlab::kafka {

struct ProducerOptions {
  bool enabled = true;     // off: brokers before 0.11, and the lesson without deduplication
  bool replicated = true;  // off: only the leader that appended knows; followers and restarts learn nothing
  std::int32_t window = 5;  // ProducerStateEntry.NUM_BATCHES_TO_RETAIN
  Duration expiration = Duration{86'400} * 1'000'000'000;  // producer.id.expiration.ms
  bool evict_with_records = false;  // on: before KAFKA-7190 (2.4), deleting a producer's records forgot the producer
  bool first_sequence_zero = false;  // on: KAFKA-15591 (4.5), where nothing was ever written a producer begins at 0

  bool operator==(const ProducerOptions&) const = default;
};

struct CachedBatch {
  Sequence first_sequence{};
  Sequence last_sequence{};
  Offset base_offset{};
  Offset last_offset{};
  Time timestamp{};

  bool operator==(const CachedBatch&) const = default;
};

struct ProducerEntry {
  ProducerId id = no_producer_id;
  ProducerEpoch epoch = no_producer_epoch;
  std::vector<CachedBatch> batches{};  // oldest first, at most `window`
  Sequence last_sequence = no_sequence;  // of this epoch; kept apart so that a window of 0 still checks order
  Time last_timestamp{};
  Offset open_transaction = no_offset;  // first offset of the transaction that is open here
  std::int32_t coordinator_epoch = -1;  // of the last marker: an older coordinator's word no longer counts

  bool operator==(const ProducerEntry&) const = default;
};

struct OpenTxn {
  Offset first = no_offset;
  ProducerId id = no_producer_id;

  bool operator==(const OpenTxn&) const = default;
};

// A transaction that had records here, and its marker.
struct EndedTxn {
  ProducerId id = no_producer_id;
  Offset first = no_offset;
  Offset last = no_offset;         // of the marker
  Offset last_stable = no_offset;  // where the stable part ended, were the marker replicated at once
  bool aborted = false;

  bool operator==(const EndedTxn&) const = default;
};

// What a leader knows of a batch beside its log. Followers need none of it: they believe their leader.
struct Admission {
  bool verified = true;         // the coordinator knows that the transaction writes here, or need not be asked (TV0)
  Sequence lowest = std::numeric_limits<Sequence>::max();  // KAFKA-14904: what waits for verification is not overtaken
  bool first_is_zero = false;   // TV2: where nothing is known of the producer it begins at 0
  bool strict_epoch = false;    // KIP-1228: a marker's epoch is above that of the records it ends
};

struct ProducerVerdict {
  enum class Kind : std::uint8_t { accept, duplicate, refuse };
  Kind kind = Kind::accept;
  Error error = Error::none;          // of a refusal
  Offset base_offset = no_offset;     // of a duplicate: where the first copy lies; the answer is success with this
  Offset last_offset = no_offset;

  bool operator==(const ProducerVerdict&) const = default;
};

class ProducerStates {
 public:
  ProducerStates() = default;
  explicit ProducerStates(ProducerOptions options) : options_(options) {}

  // What a leader must do with a batch or a marker, before it writes anything. Changes nothing.
  // Batches without a producer id are accepted.
  ProducerVerdict check(const Batch& batch, const Admission& admission = {}) const;

  // The batch is in the log at its offsets. Requires: batches come in the order of their offsets.
  // The transaction that it ends, if it is the marker of one that had records.
  std::optional<EndedTxn> update(const Batch& batch);

  // Forgets all, then learns from the log. With `replicated` off there is nothing to learn from.
  void rebuild(std::span<const Batch> log);

  // Forgets producers silent for the expiration time by the timestamps of their batches, except those with an open
  // transaction (removeExpiredProducers).
  void expire(Time now);

  // Records below `start` are deleted. Only with evict_with_records does this forget anything.
  void on_log_start(Offset start);

  // Markers below `offset` are replicated, and their transactions stable (onHighWatermarkUpdated).
  void settle(Offset offset);

  void clear() {
    entries_.clear();
    open_.clear();
    ended_.clear();
  }

  // The first offset of the oldest transaction that is open, or whose marker is not below the high watermark; no_offset
  // if there is none (firstUnstableOffset).
  Offset first_unstable(Offset high_watermark) const;
  // True iff this producer has a transaction open here in this epoch (hasOngoingTransaction).
  bool in_transaction(ProducerId id, ProducerEpoch epoch) const;
  std::span<const OpenTxn> open() const { return open_; }
  // In the order of their markers; those that settle() has not dropped.
  std::span<const EndedTxn> ended() const { return ended_; }

  // Null if nothing is remembered of it.
  const ProducerEntry* find(ProducerId id) const;
  std::span<const ProducerEntry> entries() const { return entries_; }
  const ProducerOptions& options() const { return options_; }

  bool operator==(const ProducerStates&) const = default;

 private:
  ProducerEntry& entry(ProducerId id);
  ProducerVerdict check_marker(const Batch& marker, const Admission& admission) const;
  std::optional<EndedTxn> end(ProducerEntry& e, const Batch& marker);

  ProducerOptions options_{};
  std::vector<ProducerEntry> entries_{};
  std::vector<OpenTxn> open_{};
  std::vector<EndedTxn> ended_{};
};

}  // namespace mqlab::kafka
