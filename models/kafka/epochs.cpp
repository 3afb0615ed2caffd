#include "models/kafka/epochs.h"

#include <algorithm>
#include <cassert>

namespace mqlab::kafka {

namespace {

// The first entry with an epoch above `epoch`.
auto higher(const std::vector<EpochStart>& entries, LeaderEpoch epoch) {
  return std::upper_bound(entries.begin(), entries.end(), epoch,
                          [](LeaderEpoch e, const EpochStart& entry) { return e < entry.epoch; });
}

// The first entry that begins after `offset`.
auto after(const std::vector<EpochStart>& entries, Offset offset) {
  return std::upper_bound(entries.begin(), entries.end(), offset,
                          [](Offset o, const EpochStart& entry) { return o < entry.start; });
}

}  // namespace

void EpochCache::assign(LeaderEpoch epoch, Offset start) {
  assert(epoch >= 0 && start >= 0);
  if (!entries_.empty() && entries_.back().epoch == epoch && entries_.back().start <= start) return;
  while (!entries_.empty() && (entries_.back().epoch >= epoch || entries_.back().start >= start)) entries_.pop_back();
  entries_.push_back({epoch, start});
}

EpochEnd EpochCache::end_offset_for(LeaderEpoch asked, Offset log_end) const {
  if (asked == no_leader_epoch) return {};
  if (asked == latest()) return {asked, log_end};  // still being written to
  const auto next = higher(entries_, asked);
  if (next == entries_.end()) return {};
  // Nothing as old is left: the records are deleted, and the follower shall begin where this log does.
  if (next == entries_.begin()) return {asked, next->start};
  return {std::prev(next)->epoch, next->start};
}

EpochEnd EpochCache::end_offset_for_kip101(LeaderEpoch asked, Offset log_end) const {
  if (asked == no_leader_epoch) return {};
  if (asked == latest()) return {asked, log_end};
  const auto next = higher(entries_, asked);
  if (next == entries_.end() || next == entries_.begin()) return {};
  return {asked, next->start};
}

void EpochCache::truncate_from_end(Offset end) {
  while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
}

void EpochCache::truncate_from_start(Offset start) {
  const auto kept = after(entries_, start);
  if (kept == entries_.begin()) return;
  // The epoch in force at `start` stays, shortened.
  const auto covering = std::prev(kept) - entries_.begin();
  entries_.erase(entries_.begin(), entries_.begin() + covering);
  entries_.front().start = start;
}

std::optional<Offset> EpochCache::start_of(LeaderEpoch epoch) const {
  const auto next = higher(entries_, epoch);
  if (next == entries_.begin() || std::prev(next)->epoch != epoch) return std::nullopt;
  return std::prev(next)->start;
}

std::optional<LeaderEpoch> EpochCache::before(LeaderEpoch epoch) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), epoch,
                                      [](const EpochStart& entry, LeaderEpoch e) { return entry.epoch < e; });
  if (found == entries_.begin()) return std::nullopt;
  return std::prev(found)->epoch;
}

LeaderEpoch EpochCache::epoch_at(Offset offset) const {
  const auto next = after(entries_, offset);
  return next == entries_.begin() ? no_leader_epoch : std::prev(next)->epoch;
}

}  // namespace mqlab::kafka
