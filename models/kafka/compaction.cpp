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

namespace {

// Reads a log in its order and tells which batches are of aborted transactions, and which markers have none of their
// transaction's batches left (CleanedTransactionMetadata).
class TransactionsRead {
 public:
  explicit TransactionsRead(std::span<const AbortedRange> aborted) : aborted_(aborted.begin(), aborted.end()) {
    std::sort(aborted_.begin(), aborted_.end(), [](const AbortedRange& a, const AbortedRange& b) { return a.first < b.first; });
  }

  // True iff nothing of it counts: of a batch, that it was aborted; of a marker, that it ends nothing any more.
  bool on_batch(const Batch& b) {
    for (; next_ < aborted_.size() && aborted_[next_].first <= b.last_offset(); ++next_)
      if (!in(aborting_, aborted_[next_].id)) aborting_.push_back(aborted_[next_].id);
    if (!b.transactional) return false;
    if (b.control == Control::none) {
      if (!in(seen_, b.producer_id)) seen_.push_back(b.producer_id);
      return in(aborting_, b.producer_id);
    }
    if (b.control == Control::abort) std::erase(aborting_, b.producer_id);
    return std::erase(seen_, b.producer_id) == 0;
  }

 private:
  static bool in(const std::vector<ProducerId>& all, ProducerId id) { return std::find(all.begin(), all.end(), id) != all.end(); }

  std::vector<AbortedRange> aborted_;  // ascending in their first offset
  std::size_t next_ = 0;
  std::vector<ProducerId> aborting_;
  std::vector<ProducerId> seen_;       // that have a batch since their last marker
};

// Nothing of an aborted batch is left, or its empty shell.
CleanedBatch clean_aborted(const Batch& b, bool must_stay) {
  CleanedBatch out;
  for (std::int32_t i = 0; i < b.held(); ++i) out.removed.push_back(i);
  out.left = must_stay ? out.removed.empty() ? CleanedBatch::Left::untouched : CleanedBatch::Left::rewritten : CleanedBatch::Left::nothing;
  if (out.left != CleanedBatch::Left::rewritten) return out;
  out.batch = b;
  out.batch.bytes = batch_header_bytes;
  out.batch.records = std::make_shared<const std::vector<Record>>();
  if (b.state) out.batch.state = std::make_shared<const std::vector<GroupRecord>>();
  out.batch.cleaned = std::make_shared<const Cleaned>();
  return out;
}

// KIP-534 for markers: the first cleaning that finds nothing left of its transaction says when the marker may go.
CleanedBatch clean_marker(const Batch& b, bool must_stay, const CompactionOptions& o, Time now) {
  CleanedBatch out;
  if (b.cleaned && b.cleaned->delete_horizon != no_timestamp) {
    if (now >= b.cleaned->delete_horizon && !must_stay) out.left = CleanedBatch::Left::nothing;
    return out;
  }
  out.left = CleanedBatch::Left::rewritten;
  out.batch = b;
  out.batch.cleaned = std::make_shared<const Cleaned>(Cleaned{.delete_horizon = saturating_add(now, o.delete_retention)});
  return out;
}

}  // namespace

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
  // What was aborted stands for no key.
  std::vector<Batch> counted;
  TransactionsRead first_pass(aborted_);
  const bool transactions = !aborted_.empty();
  for (auto i = batches_.begin(); transactions && i != end; ++i)
    if (!first_pass.on_batch(*i)) counted.push_back(*i);
  const LastOfKeys keys(transactions ? std::span<const Batch>(counted) : std::span<const Batch>(batches_.begin(), end), plan.from);

  // Where a producer's last word is a marker, that has its epoch (Cleaner.cleanInto).
  const auto last_of_its_producer = [&](const Batch& b) {
    const ProducerEntry* p = b.producer_id != no_producer_id ? producers_.find(b.producer_id) : nullptr;
    if (!p) return false;
    if (p->batches.empty()) return b.control != Control::none && b.producer_epoch == p->epoch;
    return b.control == Control::none && p->batches.back().last_offset == b.last_offset();
  };
  TransactionsRead read(aborted_);

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
      const bool must_stay = last_of_its_producer(*b) || b->next_offset() == plan.to;
      const bool counts_for_nothing = read.on_batch(*b);
      CleanedBatch c = !counts_for_nothing             ? clean(*b, keys, must_stay, options_.compaction, now)
                       : b->control == Control::none ? clean_aborted(*b, must_stay)
                                                      : clean_marker(*b, must_stay, options_.compaction, now);
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
  left.insert(left.end(), b, batches_.end());
  batches_ = SharedVector<Batch>(std::move(left));
  segments_.replace(0, done, segments);
  first_dirty_ = plan.to;
  hide();
  if (transactions) index_aborted();
  return taken;
}

}  // namespace mqlab::kafka
