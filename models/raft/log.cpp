#include "models/raft/log.h"

#include <algorithm>

namespace mqlab::raft {

EpochEnd Log::end_offset_for_epoch(Epoch epoch) const {
  const auto later = std::upper_bound(entries.begin(), entries.end(), epoch,
                                      [](Epoch wanted, const Entry& entry) { return wanted < entry.epoch; });
  const Offset end = start() + (later - entries.begin());
  return {epoch_before(end), end};
}

std::vector<Entry> Log::slice(Offset offset, std::size_t count_max) const {
  const auto first = entries.begin() + (offset - start());
  const auto left = static_cast<std::size_t>(entries.end() - first);
  return {first, first + static_cast<std::ptrdiff_t>(std::min(left, count_max))};
}

void Log::truncate_to(Offset new_end) {
  const Offset kept = std::clamp(new_end, start(), end()) - start();
  entries.resize(static_cast<std::size_t>(kept));
}

void Log::compact_to(Offset offset, PayloadRef state) {
  const Snapshot taken{offset, epoch_before(offset), std::move(state)};
  entries.erase(entries.begin(), entries.begin() + (offset - start()));
  snapshot = taken;
}

void Log::install(const Snapshot& from_leader) {
  entries.clear();
  snapshot = from_leader;
}

}  // namespace mqlab::raft
