// models/kafka/producer_state.h: what a replica remembers of each producer id (ProducerStateManager).
//
// The memory behind "exactly once per session and partition": the producer's epoch and its last few batches, by
// sequence. Nothing in it is independent state: it is a function of the log, so a follower, a truncation and a
// recovery compute it from batches; that is why deduplication survives a change of leader (KIP-98).
//
// Always true: entries are sorted by producer id, no entry holds more batches than the window, and the batches of one
// entry are of its epoch, in the order of their offsets.
// Elsewhere: when to check and when to update (log.h); how a client numbers and retries (the producer).
//
//     ProducerStates p{{.window = 5}};
//     auto verdict = p.check(batch);
//     if (verdict.kind == ProducerVerdict::Kind::accept) p.update(batch);
#pragma once

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

  bool operator==(const ProducerEntry&) const = default;
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

  // What a leader must do with a client's batch, before it writes anything. Changes nothing.
  // Batches without a producer id are accepted.
  ProducerVerdict check(const Batch& batch) const;

  // The batch is in the log at its offsets. Requires: batches come in the order of their offsets.
  void update(const Batch& batch);

  // Forgets all, then learns from the log. With `replicated` off there is nothing to learn from.
  void rebuild(std::span<const Batch> log);

  // Forgets producers silent for the expiration time by the timestamps of their batches, except those with an open
  // transaction (removeExpiredProducers).
  void expire(Time now);

  // Records below `start` are deleted. Only with evict_with_records does this forget anything.
  void on_log_start(Offset start);

  void clear() { entries_.clear(); }

  // Null if nothing is remembered of it.
  const ProducerEntry* find(ProducerId id) const;
  std::span<const ProducerEntry> entries() const { return entries_; }
  const ProducerOptions& options() const { return options_; }

  bool operator==(const ProducerStates&) const = default;

 private:
  ProducerEntry& entry(ProducerId id);

  ProducerOptions options_{};
  std::vector<ProducerEntry> entries_{};
};

}  // namespace mqlab::kafka
