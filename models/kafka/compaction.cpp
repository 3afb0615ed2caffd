#include "models/kafka/compaction.h"

#include <algorithm>

#include "models/kafka/group_records.h"
#include "models/kafka/log.h"

namespace mqlab::kafka {

// Cleaner.buildOffsetMap. A record without a key was never taken since the topic compacts, and goes (below).
LastOfKeys::LastOfKeys(std::span<const Batch> batches, Offset from) {
  for (const Batch& b : batches) {
    if (b.control != Control::none || b.last_offset() < from) continue;
    for (std::int32_t i = 0; i < b.held(); ++i)
      if (b.offset_of(i) >= from && b.record(i).key != 0) last_.emplace_back(b.record(i).key, b.offset_of(i));
  }
  std::sort(last_.begin(), last_.end());
  // Of equal keys the last one, which has the largest offset, stays.
  const auto kept = std::unique(last_.rbegin(), last_.rend(), [](const auto& a, const auto& b) { return a.first == b.first; });
  last_.erase(last_.begin(), kept.base());
}

bool LastOfKeys::is_last(std::uint64_t key, Offset offset) const {
  const auto at = std::lower_bound(last_.begin(), last_.end(), std::pair<std::uint64_t, Offset>{key, 0});
  return at == last_.end() || at->first != key || at->second <= offset;
}

CleanedBatch clean(const Batch& b, const LastOfKeys& keys, bool must_stay, const CompactionOptions& o, Time now) {
  CleanedBatch out;
  if (b.control != Control::none) return out;
  const Time horizon = b.cleaned ? b.cleaned->delete_horizon : no_timestamp;
  std::vector<std::int32_t> kept;
  bool tombstones = false;
  for (std::int32_t i = 0; i < b.held(); ++i) {
    const Record& r = b.record(i);
    const bool goes_by_age = r.tombstone && horizon != no_timestamp && now >= horizon;
    if (r.key != 0 && keys.is_last(r.key, b.offset_of(i)) && !goes_by_age) {
      kept.push_back(i);
      tombstones = tombstones || r.tombstone;
    } else {
      out.removed.push_back(i);
    }
  }
  // KIP-534: the first cleaning that sees a tombstone says when it may go.
  const bool stamp = tombstones && horizon == no_timestamp;
  if (out.removed.empty() && !stamp) return out;
  if (kept.empty() && !must_stay) {
    out.left = CleanedBatch::Left::nothing;
    return out;
  }
  out.left = CleanedBatch::Left::rewritten;
  out.batch = b;
  Cleaned cleaned{.delete_horizon = stamp ? saturating_add(now, o.delete_retention) : kept.empty() ? no_timestamp : horizon};
  std::vector<Record> records;
  out.batch.bytes = batch_header_bytes;
  Time newest = kept.empty() ? no_timestamp : b.record(kept.front()).timestamp;
  for (const std::int32_t i : kept) {
    cleaned.deltas.push_back(static_cast<std::int32_t>(b.offset_of(i) - b.base_offset));
    records.push_back(b.record(i));
    out.batch.bytes += b.record(i).size;
    newest = std::max(newest, b.record(i).timestamp);
  }
  if (!kept.empty() && !b.log_append_time) out.batch.max_timestamp = newest;
  out.batch.records = std::make_shared<const std::vector<Record>>(std::move(records));
  if (b.state) {  // what a coordinator wrote goes with its records
    std::vector<GroupRecord> state;
    for (const std::int32_t i : kept) state.push_back((*b.state)[static_cast<std::size_t>(i)]);
    out.batch.state = std::make_shared<const std::vector<GroupRecord>>(std::move(state));
  }
  out.batch.cleaned = std::make_shared<const Cleaned>(std::move(cleaned));
  return out;
}

// LogCleanerManager.cleanableOffsets, and whether the log qualifies (grabFilthiestCompactedLog). `stable_end` is what
// readers may see: nothing above it is decided.
CompactionPlan PartitionLog::plan_compaction(Time now, Offset stable_end) const {
  CompactionPlan plan;
  plan.from = plan.to = std::max(first_dirty_, start_);
  Time first_dirty_time = time_max;
  bool open = true;
  for (const Segment& s : segments_.closed()) {
    const Offset next = segments_.at(static_cast<std::size_t>(&s - segments_.closed().data()) + 1).base;
    if (next <= plan.from) {
      plan.clean_bytes += s.bytes;
      continue;
    }
    if (s.first_timestamp > 0) first_dirty_time = std::min(first_dirty_time, s.first_timestamp);
    const bool too_young = options_.compaction.min_lag > 0 && s.largest_timestamp > now - options_.compaction.min_lag;
    open = open && next <= stable_end && !too_young;
    if (!open) continue;
    plan.dirty_bytes += s.bytes;
    plan.to = next;
  }
  plan.overdue = options_.compaction.max_lag < now && first_dirty_time < now - options_.compaction.max_lag;
  const std::int64_t all = plan.clean_bytes + plan.dirty_bytes;
  plan.due = all > 0 && ((plan.overdue && plan.dirty_bytes > 0) || plan.dirty_bytes * 100 > options_.compaction.dirty_percent * all);
  // A batch that does not match its checksum ends the cleaning, and the log is not tried again (uncleanablePartitions).
  const auto rotten = [&](const Batch& b) { return b.corrupt && b.base_offset < plan.to; };
  if (plan.due && std::any_of(batches_.begin(), batches_.end(), rotten)) plan.due = false;
  return plan;
}

// Cleaner.doClean: every closed segment below plan.to is written anew, the clean ones too.
std::vector<TakenRecord> PartitionLog::compact(const CompactionPlan& plan, Time now) {
  std::vector<TakenRecord> taken;
  const auto begins_below = [](const Batch& b, Offset o) { return b.base_offset < o; };
  const auto end = std::lower_bound(batches_.begin(), batches_.end(), plan.to, begins_below);
  const LastOfKeys keys(std::span<const Batch>(batches_.begin(), end), plan.from);

  const auto last_of_its_producer = [&](const Batch& b) {
    const ProducerEntry* p = b.has_sequence() ? producers_.find(b.producer_id) : nullptr;
    return p && !p->batches.empty() && p->batches.back().last_offset == b.last_offset();
  };

  std::vector<Batch> left;
  std::vector<Segment> segments;
  std::int64_t grouped = 0;  // bytes of the segments that become the last of `segments`, before
  std::size_t done = 0;
  auto b = batches_.begin();
  for (; done < segments_.closed().size() && segments_.at(done + 1).base <= plan.to; ++done) {
    Segment s = segments_.at(done);
    const Offset next = segments_.at(done + 1).base;
    const std::size_t first = left.size();
    s.bytes = 0;
    for (; b != end && b->base_offset < next; ++b) {
      // The last one stays, so that it is known where the range ended.
      CleanedBatch c = clean(*b, keys, last_of_its_producer(*b) || b->next_offset() == plan.to, options_.compaction, now);
      for (const std::int32_t i : c.removed)
        if (b->offset_of(i) >= start_) taken.push_back({b->offset_of(i), b->record(i)});
      if (c.left == CleanedBatch::Left::nothing) continue;
      left.push_back(c.left == CleanedBatch::Left::untouched ? *b : std::move(c.batch));
      s.bytes += left.back().bytes;
    }
    if (left.size() > first) {
      s.first_timestamp = left[first].max_timestamp;
      s.largest_timestamp = left[first].max_timestamp;
      for (std::size_t i = first; i < left.size(); ++i) s.largest_timestamp = std::max(s.largest_timestamp, left[i].max_timestamp);
    }
    // Cleaner.groupSegmentsBySize: small ones become one.
    const std::int64_t before = segments_.at(done).bytes;
    if (!segments.empty() && grouped + before <= options_.segments.bytes) {
      Segment& group = segments.back();
      if (group.bytes == 0) group = Segment{.base = group.base, .first_timestamp = s.first_timestamp, .largest_timestamp = s.largest_timestamp};
      if (s.bytes > 0) group.largest_timestamp = std::max(group.largest_timestamp, s.largest_timestamp);
      group.bytes += s.bytes;
      group.rolled_at = s.rolled_at;
      grouped += before;
    } else {
      segments.push_back(s);
      grouped = before;
    }
  }
  left.insert(left.end(), std::make_move_iterator(b), std::make_move_iterator(batches_.end()));
  batches_ = std::move(left);
  segments_.replace(0, done, segments);
  first_dirty_ = plan.to;
  hide();
  return taken;
}

}  // namespace mqlab::kafka
