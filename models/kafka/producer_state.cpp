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

// ProducerStateEntry.findDuplicateBatch, then ProducerAppendInfo.checkProducerEpoch and checkSequence, in that order.
ProducerVerdict ProducerStates::check(const Batch& batch) const {
  if (!options_.enabled || !batch.has_sequence()) return {};
  const ProducerEntry* known = find(batch.producer_id);

  // Rule 5: with no state any sequence is taken, since the state may have been lost with the records (KIP-360).
  if (known == nullptr) return {};

  // Rule 1: the very same batch, first and last sequence, within the window. A retry that was split or merged is not.
  if (batch.producer_epoch == known->epoch) {
    for (const CachedBatch& c : known->batches) {
      if (c.first_sequence == batch.base_sequence && c.last_sequence == batch.last_sequence()) {
        return {.kind = ProducerVerdict::Kind::duplicate, .base_offset = c.base_offset, .last_offset = c.last_offset};
      }
    }
  }

  // Rule 2: a newer session of this producer has written here; this one is fenced.
  if (batch.producer_epoch < known->epoch) return refuse(Error::invalid_producer_epoch);

  // Rule 3: a new session begins at 0.
  if (batch.producer_epoch > known->epoch) {
    return batch.base_sequence == 0 ? ProducerVerdict{} : refuse(Error::out_of_order_sequence_number);
  }

  // Rule 4: the same session continues without a gap. A marker may have opened the epoch; then 0 comes first.
  const Sequence next = known->last_sequence == no_sequence ? 0 : add_sequence(known->last_sequence, 1);
  return batch.base_sequence == next ? ProducerVerdict{} : refuse(Error::out_of_order_sequence_number);
}

void ProducerStates::update(const Batch& batch) {
  if (!options_.enabled || batch.producer_id == no_producer_id) return;
  ProducerEntry& e = entry(batch.producer_id);
  enter_epoch(e, batch.producer_epoch);
  e.last_timestamp = batch.max_timestamp;
  if (batch.control != Control::none) {
    e.open_transaction = no_offset;
    return;
  }
  e.last_sequence = batch.last_sequence();
  if (batch.transactional && e.open_transaction == no_offset) e.open_transaction = batch.base_offset;
  if (options_.window <= 0) return;
  if (e.batches.size() >= static_cast<std::size_t>(options_.window)) e.batches.erase(e.batches.begin());
  e.batches.push_back({.first_sequence = batch.base_sequence,
                       .last_sequence = batch.last_sequence(),
                       .base_offset = batch.base_offset,
                       .last_offset = batch.last_offset(),
                       .timestamp = batch.max_timestamp});
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
  if (!options_.evict_with_records) return;
  for (ProducerEntry& e : entries_) {
    std::erase_if(e.batches, [&](const CachedBatch& c) { return c.last_offset < start; });
  }
  std::erase_if(entries_, [](const ProducerEntry& e) { return e.batches.empty(); });
}

}  // namespace mqlab::kafka
