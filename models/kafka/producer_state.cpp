#include "models/kafka/producer_state.h"

#include <algorithm>
#include <cassert>

namespace mqlab::kafka {

namespace {

auto at_or_after(const std::vector<ProducerEntry>& entries, ProducerId id) {
  return std::lower_bound(entries.begin(), entries.end(), id,
                          [](const ProducerEntry& entry, ProducerId p) { return entry.id < p; });
}

ProducerVerdict refuse(Error error) { return {.kind = ProducerVerdict::Kind::refuse, .error = error}; }

// A higher epoch begins anew: what an older session wrote can be neither repeated nor continued.
void enter_epoch(ProducerEntry& entry, ProducerEpoch epoch) {
  if (entry.epoch == epoch) return;
  entry.epoch = epoch;
  entry.batches.clear();
  entry.last_sequence = no_sequence;
}

}  // namespace

const ProducerEntry* ProducerStates::find(ProducerId id) const {
  const auto found = at_or_after(entries_, id);
  return found != entries_.end() && found->id == id ? &*found : nullptr;
}

ProducerEntry& ProducerStates::entry(ProducerId id) {
  const auto place = entries_.begin() + (at_or_after(entries_, id) - entries_.begin());
  if (place != entries_.end() && place->id == id) return *place;
  return *entries_.insert(place, ProducerEntry{.id = id});
}

bool ProducerStates::in_transaction(ProducerId id, ProducerEpoch epoch) const {
  const ProducerEntry* known = find(id);
  return known != nullptr && known->open_transaction != no_offset && known->epoch == epoch;
}

// UnifiedLog.analyzeAndValidateProducerState: findDuplicateBatch, then whether the transaction is vouched for; then
// ProducerAppendInfo.checkProducerEpoch, checkSequence and appendDataBatch.
ProducerVerdict ProducerStates::check(const Batch& batch, const Admission& admission) const {
  if (!options_.enabled || batch.producer_id == no_producer_id) return {};
  if (batch.control != Control::none) return check_marker(batch, admission);
  const ProducerEntry* known = find(batch.producer_id);

  // Rule 1: the very same batch, first and last sequence, within the window. A retry that was split or merged is not.
  if (known && batch.has_sequence() && batch.producer_epoch == known->epoch) {
    for (const CachedBatch& c : known->batches) {
      if (c.first_sequence == batch.base_sequence && c.last_sequence == batch.last_sequence()) {
        return {.kind = ProducerVerdict::Kind::duplicate, .base_offset = c.base_offset, .last_offset = c.last_offset};
      }
    }
  }

  // KIP-890: a transaction begins here only with its coordinator's knowledge.
  if (batch.transactional && !admission.verified && !in_transaction(batch.producer_id, batch.producer_epoch)) return refuse(Error::invalid_txn_state);

  // Rule 2: a newer session of this producer has written here; this one is fenced.
  if (known && batch.producer_epoch < known->epoch) return refuse(Error::invalid_producer_epoch);

  if (batch.has_sequence()) {
    const bool nothing_known = known == nullptr || (known->batches.empty() && known->last_sequence == no_sequence);
    if (admission.first_is_zero && nothing_known && batch.base_sequence != 0) return refuse(Error::out_of_order_sequence_number);
    if (batch.base_sequence > admission.lowest) return refuse(Error::out_of_order_sequence_number);
    // Rule 3: a new session begins at 0. Rule 4: the same session continues without a gap; a marker may have opened the
    // epoch, then 0 comes first. Rule 5: with no state any sequence is taken, since the state may have been lost with
    // the records (KIP-360).
    const bool continues = known && batch.producer_epoch == known->epoch && known->last_sequence != no_sequence;
    const Sequence next = continues ? add_sequence(known->last_sequence, 1) : 0;
    if (known && batch.base_sequence != next) return refuse(Error::out_of_order_sequence_number);
  }

  // What a producer writes during its transaction is part of it.
  if (known && known->open_transaction != no_offset && !batch.transactional) return refuse(Error::invalid_txn_state);
  return {};
}

// ProducerAppendInfo.appendEndTxnMarker. At TV0 and TV1 a marker has the epoch of the records that it ends, and a late one
// can't be told from that of the next transaction. At TV2 it is one higher; the same epoch can only be a marker sent again
// (KAFKA-19999), unless the next transaction, which is of that epoch, has begun here.
ProducerVerdict ProducerStates::check_marker(const Batch& marker, const Admission& admission) const {
  const ProducerEntry* known = find(marker.producer_id);
  if (known == nullptr) return {};
  const bool again = marker.producer_epoch == known->epoch && known->open_transaction == no_offset;
  const bool newer = marker.producer_epoch > known->epoch || again;
  if (admission.strict_epoch ? !newer : marker.producer_epoch < known->epoch) return refuse(Error::invalid_producer_epoch);
  if (marker.coordinator_epoch < known->coordinator_epoch) return refuse(Error::transaction_coordinator_fenced);
  return {};
}

std::optional<EndedTxn> ProducerStates::update(const Batch& batch) {
  if (!options_.enabled || batch.producer_id == no_producer_id) return std::nullopt;
  ProducerEntry& e = entry(batch.producer_id);
  enter_epoch(e, batch.producer_epoch);
  e.last_timestamp = batch.max_timestamp;
  if (batch.control != Control::none) return end(e, batch);
  e.last_sequence = batch.last_sequence();
  if (batch.transactional && e.open_transaction == no_offset) {
    e.open_transaction = batch.base_offset;
    open_.push_back({batch.base_offset, batch.producer_id});
  }
  if (options_.window <= 0) return std::nullopt;
  if (e.batches.size() >= static_cast<std::size_t>(options_.window)) e.batches.erase(e.batches.begin());
  e.batches.push_back({.first_sequence = batch.base_sequence,
                       .last_sequence = batch.last_sequence(),
                       .base_offset = batch.base_offset,
                       .last_offset = batch.last_offset(),
                       .timestamp = batch.max_timestamp});
  return std::nullopt;
}

// A transaction that wrote nothing here leaves a marker and no trace of its own.
std::optional<EndedTxn> ProducerStates::end(ProducerEntry& e, const Batch& marker) {
  e.coordinator_epoch = marker.coordinator_epoch;
  if (e.open_transaction == no_offset) return std::nullopt;
  EndedTxn t{.id = e.id, .first = e.open_transaction, .last = marker.base_offset, .aborted = marker.control == Control::abort};
  e.open_transaction = no_offset;
  std::erase_if(open_, [&](const OpenTxn& o) { return o.id == e.id; });
  t.last_stable = open_.empty() ? t.last + 1 : open_.front().first;
  ended_.push_back(t);
  return t;
}

void ProducerStates::settle(Offset offset) {
  if (ended_.empty()) return;
  std::erase_if(ended_, [&](const EndedTxn& t) { return t.last < offset; });
}

Offset ProducerStates::first_unstable(Offset high_watermark) const {
  Offset first = open_.empty() ? offset_max : open_.front().first;
  for (const EndedTxn& t : ended_)
    if (t.last >= high_watermark) first = std::min(first, t.first);
  return first == offset_max ? no_offset : first;
}

void ProducerStates::rebuild(std::span<const Batch> log) {
  clear();
  if (!options_.replicated) return;
  for (const Batch& batch : log) update(batch);
}

void ProducerStates::expire(Time now) {
  std::erase_if(entries_, [&](const ProducerEntry& e) {
    return e.open_transaction == no_offset && now - e.last_timestamp >= options_.expiration;
  });
}

void ProducerStates::on_log_start(Offset start) {
  settle(start);
  if (!options_.evict_with_records) return;
  for (ProducerEntry& e : entries_) {
    std::erase_if(e.batches, [&](const CachedBatch& c) { return c.last_offset < start; });
  }
  std::erase_if(entries_, [](const ProducerEntry& e) { return e.batches.empty(); });
  std::erase_if(open_, [&](const OpenTxn& t) { return find(t.id) == nullptr; });
}

}  // namespace mqlab::kafka
