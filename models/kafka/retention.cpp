// Which segments a log may delete: UnifiedLog.deleteOldSegments.
#include <algorithm>

#include "models/kafka/log.h"

namespace mqlab::kafka {

const char* name(Deletion d) {
  switch (d) {
    case Deletion::log_start: return "DELETE_RECORDS";
    case Deletion::retention_bytes: return "RETENTION_BYTES";
    case Deletion::retention: return "RETENTION";
  }
  return "?";
}

// Oldest first, up to the first that may stay or reaches above the high watermark. When all may go the active segment
// goes too, and an empty one begins at the end of the log.
void PartitionLog::delete_oldest(Time now, Offset high_watermark, Deletion why, std::vector<DeletedSegment>& out) {
  std::int64_t too_much = segments_.bytes() - options_.retention_bytes;
  std::size_t n = 0;
  for (; n < segments_.count(); ++n) {
    const Segment& s = segments_.at(n);
    const bool active = n + 1 == segments_.count();
    const Offset next = active ? end_ : segments_.at(n + 1).base;
    if (next > high_watermark || (active && s.bytes == 0)) break;
    bool goes = false;
    switch (why) {
      case Deletion::log_start: goes = !active && next <= start_; break;
      case Deletion::retention_bytes:
        goes = too_much - s.bytes >= 0;
        too_much -= s.bytes;
        break;
      // By the records' own times: a time far ahead keeps a segment, and one that lies far back deletes it.
      case Deletion::retention: goes = now - s.largest_timestamp > options_.retention; break;
    }
    if (!goes) break;
    out.push_back({.segment = s, .next = next, .why = why});
  }
  if (n == 0) return;
  if (n == segments_.count()) segments_.roll(end_, now);

  const Offset begins = segments_.at(n).base;
  std::size_t gone = 0;
  for (std::size_t i = out.size() - n; gone < batches_.size() && batches_[gone].base_offset < begins; ++gone) {
    const Batch& b = batches_[gone];
    while (b.base_offset >= out[i].next) ++i;
    if (b.control != Control::none) continue;
    for (std::int32_t r = 0; r < b.held(); ++r)
      if (b.offset_of(r) >= start_) out[i].taken.push_back({b.offset_of(r), b.record(r)});
  }
  batches_.drop(gone);
  segments_.drop(n);
  if (begins > start_) {
    start_ = begins;
    epochs_.truncate_from_start(start_);
  }
  first_dirty_ = std::max(first_dirty_, start_);
  hide();
  if (begins == start_) producers_.on_log_start(start_);
  std::erase_if(aborted_, [&](const AbortedRange& a) { return a.last < start_; });
}

std::vector<DeletedSegment> PartitionLog::delete_old_segments(Time now, Offset high_watermark) {
  std::vector<DeletedSegment> out;
  delete_oldest(now, high_watermark, Deletion::log_start, out);
  if (!options_.deletes) return out;
  if (options_.retention_bytes >= 0) delete_oldest(now, high_watermark, Deletion::retention_bytes, out);
  if (options_.retention > 0) delete_oldest(now, high_watermark, Deletion::retention, out);
  return out;
}

}  // namespace mqlab::kafka
