#include "models/kafka/segments.h"

#include <algorithm>
#include <cassert>

namespace mqlab::kafka {

std::int64_t Segments::bytes() const {
  std::int64_t all = active_.bytes;
  for (const Segment& s : closed_) all += s.bytes;
  return all;
}

void Segments::roll(Offset base, Time now) {
  assert(base > active_.base);
  active_.rolled_at = now;
  closed_.push_back(active_);
  active_ = Segment{.base = base};
}

// The segment with size and times of the batches from its base up to `next`.
Segment Segments::counted(Segment s, Offset next, std::span<const Batch> batches) {
  const auto begins_below = [](const Batch& b, Offset o) { return b.base_offset < o; };
  auto b = std::lower_bound(batches.begin(), batches.end(), s.base, begins_below);
  s.bytes = 0;
  s.first_timestamp = s.largest_timestamp = no_timestamp;
  for (; b != batches.end() && b->base_offset < next; ++b) {
    if (s.bytes == 0) s.first_timestamp = s.largest_timestamp = b->max_timestamp;
    s.bytes += b->bytes;
    s.largest_timestamp = std::max(s.largest_timestamp, b->max_timestamp);
  }
  return s;
}

void Segments::cut(Offset end, std::span<const Batch> batches) {
  while (!closed_.empty() && active_.base > end) {
    active_ = closed_.back();
    closed_.pop_back();
  }
  active_.rolled_at = no_timestamp;
  active_ = counted(active_, offset_max, batches);
}

void Segments::restart_at(Offset base) {
  closed_.clear();
  active_ = Segment{.base = base};
}

void Segments::replace(std::size_t first, std::size_t last, const std::vector<Segment>& cleaned) {
  closed_.erase(closed_.begin() + static_cast<std::ptrdiff_t>(first), closed_.begin() + static_cast<std::ptrdiff_t>(last));
  closed_.insert(closed_.begin() + static_cast<std::ptrdiff_t>(first), cleaned.begin(), cleaned.end());
}

const char* Segments::broken_rule(std::span<const Batch> batches, Offset end) const {
  for (std::size_t i = 0; i < count(); ++i) {
    const Segment& s = at(i);
    const Offset next = i + 1 < count() ? at(i + 1).base : offset_max;
    if (s.base >= next) return "segments do not ascend";
    const Segment should = counted(s, next, batches);
    if (s.bytes != should.bytes) return "a segment's size is not that of its batches";
    // Of one that compaction emptied, the times are remembered.
    if (s.bytes > 0 && s.largest_timestamp != should.largest_timestamp) return "a segment's newest time is not that of its batches";
    if (s.bytes > 0 && s.first_timestamp != should.first_timestamp) return "a segment's first time is not that of its batches";
  }
  if (active_.base > end) return "the active segment begins behind the end";
  if (!batches.empty() && batches.front().base_offset < at(0).base) return "a batch lies in no segment";
  return nullptr;
}

}  // namespace mqlab::kafka
