// models/kafka/segments.h: into which files one replica's log is cut (LocalLog, LogSegment, without the files).
//
// What goes by age or size goes by whole segments, and only closed ones are compacted; so the log's offsets are cut
// into segments, and of each it is known how large it is and between which times its records lie. One rule: records go
// into the last segment, the active one, and a batch that does not fit there closes it.
//
// Always true (broken_rule() checks it): there is an active segment; bases ascend; a segment's bytes and times are
// those of the batches from its base to the next one's.
// Elsewhere: the batches (log.h), which segments may go (retention.cpp), what compaction leaves (compaction.h).
//
//     if (segments.full_for(batch, options)) segments.roll(batch.base_offset, now);
//     segments.add(batch);
#pragma once

#include <span>
#include <vector>

#include "models/kafka/types.h"

namespace mqlab::kafka {

struct SegmentOptions {
  std::int64_t bytes = std::int64_t{1} << 30;               // segment.bytes
  Duration time = Duration{7 * 86'400} * 1'000'000'000;     // segment.ms

  bool operator==(const SegmentOptions&) const = default;
};

struct Segment {
  Offset base = 0;
  std::int64_t bytes = 0;
  Time first_timestamp = no_timestamp;    // of its first batch, the largest one: rollingBasedTimestamp
  Time largest_timestamp = no_timestamp;  // what retention and min.compaction.lag.ms look at
  Time rolled_at = no_timestamp;          // by the broker's wall clock; the active one has not been

  bool operator==(const Segment&) const = default;
};

class Segments {
 public:
  const std::vector<Segment>& closed() const { return closed_; }
  const Segment& active() const { return active_; }
  // Of the whole log, records that readers no longer see included.
  std::int64_t bytes() const;
  // Closed segments and the active one, oldest first.
  std::size_t count() const { return closed_.size() + 1; }
  const Segment& at(std::size_t i) const { return i < closed_.size() ? closed_[i] : active_; }

  // LogSegment.shouldRoll: the batch would make the active segment too large, or is too much younger than its first one.
  // Time is told by the batches alone: a log to which nobody writes keeps its active segment.
  bool full_for(const Batch& b, const SegmentOptions& o) const {
    if (active_.bytes == 0) return false;
    return active_.bytes > o.bytes - b.bytes || b.max_timestamp - active_.first_timestamp > o.time;
  }
  // Closes the active segment; the next one begins at `base`. Requires: base is above the active one's.
  void roll(Offset base, Time now);
  void add(const Batch& b) {
    if (active_.bytes == 0) active_.first_timestamp = active_.largest_timestamp = b.max_timestamp;
    active_.bytes += b.bytes;
    active_.largest_timestamp = std::max(active_.largest_timestamp, b.max_timestamp);
  }

  // The log ends at `end` now: segments that began behind it are gone, and what is the last one now is active again
  // (LocalLog.truncateTo). `batches` is all that the log stores.
  void cut(Offset end, std::span<const Batch> batches);
  void restart_at(Offset base);
  // Deletes the n oldest. Requires: n <= closed().size().
  void drop(std::size_t n) { closed_.erase(closed_.begin(), closed_.begin() + static_cast<std::ptrdiff_t>(n)); }
  // Compaction has rewritten closed segments from `first` up to, and without, `last`: these take their place.
  void replace(std::size_t first, std::size_t last, const std::vector<Segment>& cleaned);

  const char* broken_rule(std::span<const Batch> batches, Offset end) const;
  bool operator==(const Segments&) const = default;

 private:
  static Segment counted(Segment s, Offset next, std::span<const Batch> batches);

  std::vector<Segment> closed_{};
  Segment active_{};
};

}  // namespace mqlab::kafka
