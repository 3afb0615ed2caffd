#include "models/kafka/log.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mqlab::kafka {

// The index of the first batch whose last offset is at or above `offset`; the number of batches if none.
std::size_t PartitionLog::first_reaching(Offset offset) const {
  // Reads and cuts at the tail are by far the most frequent.
  const std::size_t n = batches_.size();
  if (n == 0 || batches_[n - 1].last_offset() < offset) return n;
  if (n == 1 || batches_[n - 2].last_offset() < offset) return n - 1;
  const auto found = std::partition_point(batches_.begin(), batches_.end(),
                                          [offset](const Batch& b) { return b.last_offset() < offset; });
  return static_cast<std::size_t>(found - batches_.begin());
}

// LogValidator: a compacted log takes no record without a key, and with it refuses the whole batch; CreateTime is the
// producer's word, but only within bounds around the leader's clock.
Error PartitionLog::check_records(const Batch& batch, Time now) const {
  if (!batch.records) return Error::none;
  if (options_.compacts && std::any_of(batch.records->begin(), batch.records->end(), [](const Record& r) { return r.key == 0; })) {
    return Error::invalid_record;
  }
  if (options_.log_append_time) return Error::none;
  if (options_.timestamp_before_max == time_max && options_.timestamp_after_max == time_max) return Error::none;
  for (const Record& r : *batch.records) {
    if (now > r.timestamp && now - r.timestamp > options_.timestamp_before_max) return Error::invalid_timestamp;
    if (r.timestamp > now && r.timestamp - now > options_.timestamp_after_max) return Error::invalid_timestamp;
  }
  return Error::none;
}

// Equal in all that a reader could find; what a coordinator wrote is compared by where it is stored.
static bool stands_for(const Batch& a, const Batch& b) { return a.state == b.state && a == b; }

// True when it begins a new segment.
bool PartitionLog::push(Batch&& batch, Time now) {
  const bool full = segments_.full_for(batch, options_.segments);
  if (full) segments_.roll(batch.base_offset, now);
  segments_.add(batch);
  end_ = batch.next_offset();
  if (batch.leader_epoch >= 0) epochs_.assign(batch.leader_epoch, batch.base_offset);
  batches_.push_back(std::move(batch), stands_for);
  return full;
}

AppendResult PartitionLog::append_as_leader(Batch batch, LeaderEpoch epoch, Time now, const Admission& admission) {
  assert(batch.count() > 0);
  assert(epoch >= epochs_.latest());
  if (batch.corrupt) return {.error = Error::corrupt_message};
  if (const Error e = check_records(batch, now); e != Error::none) return {.error = e};
  if (batch.bytes > options_.segments.bytes) return {.error = Error::message_too_large};  // RecordBatchTooLargeException

  // KAFKA-15591: where no record ever was, no memory can have been lost, so who does not begin at 0 comes too early.
  if (options_.producers.first_sequence_zero && end_ == 0 && batch.has_sequence() && batch.base_sequence != 0) {
    return {.error = Error::out_of_order_sequence_number};
  }
  const ProducerVerdict verdict = producers_.check(batch, admission);
  if (verdict.kind == ProducerVerdict::Kind::refuse) return {.error = verdict.error};
  if (verdict.kind == ProducerVerdict::Kind::duplicate) {
    return {.base_offset = verdict.base_offset, .last_offset = verdict.last_offset, .duplicate = true};
  }

  batch.base_offset = end_;
  batch.leader_epoch = epoch;
  if (options_.log_append_time) {
    batch.log_append_time = true;
    batch.max_timestamp = now;
  }
  AppendResult result{.base_offset = batch.base_offset, .last_offset = batch.last_offset()};
  learn(batch);
  result.rolled = push(std::move(batch), now);
  return result;
}

Error PartitionLog::append_as_follower(const Batch& batch, Time now) {
  assert(batch.count() > 0);
  if (batch.corrupt) return Error::corrupt_message;
  // After DeleteRecords a log may start in the middle of a batch; a replica that begins there is sent that batch whole,
  // and takes it only as its first (Partition, UnexpectedAppendOffsetException).
  const bool holds_start = batch.base_offset < end_;
  if (holds_start && (start_ != end_ || batch.last_offset() < end_)) return Error::offset_out_of_range;
  if (options_.producers.replicated) learn(batch);
  if (holds_start) segments_.restart_at(batch.base_offset);
  push(Batch(batch), now);
  if (holds_start) epochs_.truncate_from_start(start_);
  return Error::none;
}

std::span<const Batch> PartitionLog::view(Offset from, Offset up_to, std::int64_t max_records,
                                          std::int64_t max_bytes) const {
  assert(from >= start_);
  const std::size_t first = first_reaching(from);
  std::size_t last = first;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  while (last < batches_.size() && batches_[last].last_offset() < up_to) {
    records += batches_[last].count();
    bytes += batches_[last].bytes;
    // The first one is returned whatever its size, or a large batch would stop its readers for ever (KIP-74).
    if (last > first && (records > max_records || bytes > max_bytes)) break;
    ++last;
  }
  return std::span<const Batch>(batches_).subspan(first, last - first);
}

std::vector<Batch> PartitionLog::read(Offset from, Offset up_to, std::int64_t max_records,
                                      std::int64_t max_bytes) const {
  const auto found = view(from, up_to, max_records, max_bytes);
  return {found.begin(), found.end()};
}

const Batch* PartitionLog::batch_at(Offset offset) const {
  const std::size_t i = first_reaching(offset);
  return offset >= start_ && i < batches_.size() && batches_[i].base_offset <= offset ? &batches_[i] : nullptr;
}

std::optional<OffsetAtTime> PartitionLog::first_at_or_after(Time t, Offset up_to) const {
  for (const Batch& b : batches()) {
    if (b.base_offset >= up_to) break;
    if (b.control != Control::none || b.max_timestamp < t) continue;
    for (std::int32_t i = 0; i < b.held(); ++i) {
      const Offset offset = b.offset_of(i);
      if (offset >= up_to) break;
      if (offset >= start_ && b.timestamp_of(i) >= t) return OffsetAtTime{offset, b.timestamp_of(i)};
    }
  }
  return std::nullopt;
}

// What the batch means to the memories of producers and transactions.
void PartitionLog::learn(const Batch& batch) {
  const std::optional<EndedTxn> ended = producers_.update(batch);
  if (ended && ended->aborted) aborted_.push_back({ended->id, ended->first, ended->last, ended->last_stable});
}

// A producer of which only the leader knew (`replicated` off) is forgotten here, and its transactions with it.
void PartitionLog::learn_anew() {
  producers_.clear();
  aborted_.clear();
  if (!options_.producers.replicated) return;
  for (const Batch& b : batches()) learn(b);
}

Offset PartitionLog::last_stable(Offset high_watermark) const {
  const Offset first = producers_.first_unstable(high_watermark);
  if (first == no_offset) return high_watermark;
  return std::min(high_watermark, std::max(options_.stable_before_open ? first : first + 1, start_));
}

// TransactionIndex.collectAbortedTxns.
std::vector<AbortedRange> PartitionLog::aborted_between(Offset from, Offset up_to) const {
  std::vector<AbortedRange> found;
  auto a = std::lower_bound(aborted_.begin(), aborted_.end(), from, [](const AbortedRange& r, Offset o) { return r.last < o; });
  for (; a != aborted_.end(); ++a) {
    if (a->first < up_to) found.push_back(*a);
    if (a->last_stable >= up_to) break;
  }
  std::sort(found.begin(), found.end(), [](const AbortedRange& x, const AbortedRange& y) { return x.first < y.first; });
  return found;
}

// The aborted transactions that the stored batches tell of: what compaction has emptied is not among them any more.
void PartitionLog::index_aborted() {
  ProducerOptions options = options_.producers;
  options.window = 0;
  ProducerStates all(options);
  aborted_.clear();
  for (const Batch& b : batches_) {
    const std::optional<EndedTxn> ended = all.update(b);
    if (ended && ended->aborted && ended->last >= start_) aborted_.push_back({ended->id, ended->first, ended->last, ended->last_stable});
  }
}

// Keeps the first `kept` batches, ends at `end`, and makes the memories agree with what is left.
void PartitionLog::cut(std::size_t kept, Offset end) {
  const bool shorter = kept < batches_.size();
  batches_.truncate(kept);
  end_ = end;
  epochs_.truncate_from_end(end_);
  segments_.cut(end_, batches_);
  first_dirty_ = std::min(first_dirty_, end_);  // LogCleanerManager.maybeTruncateCheckpoint
  if (shorter) learn_anew();
}

void PartitionLog::truncate_to(Offset offset) {
  // An epoch entered at the end by a leader that then wrote nothing is forgotten in any case: another leader's epoch
  // will begin there (UnifiedLog.truncateTo).
  if (offset >= end_) return epochs_.truncate_from_end(end_);
  if (offset < start_) return truncate_fully_and_start_at(offset);
  const std::size_t kept = first_reaching(offset);
  const bool inside = kept < batches_.size() && batches_[kept].base_offset < offset;
  // The batch cut in two may also hold the start; then nothing of it is left to see.
  const Offset end = inside ? std::max(batches_[kept].base_offset, start_) : offset;
  cut(kept, end);
}

void PartitionLog::truncate_fully_and_start_at(Offset offset) {
  batches_.clear();
  hidden_ = 0;
  start_ = end_ = first_dirty_ = offset;
  segments_.restart_at(offset);
  epochs_.clear();
  producers_.clear();
  aborted_.clear();
}

Error PartitionLog::delete_records_before(Offset offset) {
  if (offset > end_) return Error::offset_out_of_range;
  if (offset <= start_) return Error::none;
  start_ = offset;
  hide();
  epochs_.truncate_from_start(start_);
  producers_.on_log_start(start_);
  std::erase_if(aborted_, [&](const AbortedRange& a) { return a.last < start_; });
  return Error::none;
}

void PartitionLog::fall_back_to_start(Offset checkpoint) {
  const Offset start = std::max(checkpoint, segments_.at(0).base);
  if (start >= start_) return;
  // Which epochs lay below the start that was lost is told by the batches.
  const EpochCache known = std::exchange(epochs_, EpochCache{});
  for (const Batch& b : batches_) {
    if (b.leader_epoch >= 0 && b.base_offset < start_ && b.last_offset() >= start) epochs_.assign(b.leader_epoch, std::max(b.base_offset, start));
  }
  for (const EpochStart& e : known.entries()) epochs_.assign(e.epoch, e.start);
  start_ = start;
  hide();
  learn_anew();
}

void PartitionLog::lose_tail(Offset first_lost) {
  if (first_lost < start_) return truncate_fully_and_start_at(start_);
  if (first_lost < end_) truncate_to(first_lost);
  // A restart: an epoch in which nothing was written is not found in the log, and memories kept by the leader alone
  // are gone.
  epochs_.truncate_from_end(end_);
  learn_anew();
}

Offset PartitionLog::recover(Offset recovery_point) {
  std::size_t i = std::max(first_reaching(recovery_point), hidden_);
  while (i < batches_.size() && !batches_[i].corrupt) ++i;
  lose_tail(i < batches_.size() ? batches_[i].base_offset : end_);
  return end_;
}

bool PartitionLog::corrupt_at(Offset offset) {
  const std::size_t i = first_reaching(offset);
  if (offset < start_ || i == batches_.size() || batches_[i].base_offset > offset) return false;
  batches_.change(i, [](Batch& b) { b.corrupt = true; });
  return true;
}

const char* PartitionLog::broken_rule() const {
  if (start_ > end_) return "the log starts after its end";
  if (hidden_ > batches_.size() || hidden_ != first_reaching(start_)) return "the batches below the start are miscounted";
  if (first_dirty_ > end_) return "compaction has gone beyond the end";
  if (const char* rule = segments_.broken_rule(batches_, end_)) return rule;
  Offset next = 0;
  for (const Batch& b : batches_) {
    if (b.count() <= 0) return "a batch is empty";
    if (b.base_offset < next) return "two batches overlap or are out of order";
    if (b.control == Control::none && !b.cleaned && b.held() != b.count()) return "a batch does not hold the records it counts";
    if (b.cleaned && static_cast<std::int32_t>(b.cleaned->deltas.size()) != b.held()) return "a cleaned batch does not say where its records lie";
    for (std::int32_t i = 0; b.cleaned && i < b.held(); ++i) {
      if (b.offset_of(i) > b.last_offset() || (i > 0 && b.offset_of(i) <= b.offset_of(i - 1))) return "the records of a cleaned batch are out of order";
    }
    next = b.next_offset();
    if (next <= start_) continue;
    if (b.leader_epoch >= 0 && epochs_.epoch_at(std::max(b.base_offset, start_)) != b.leader_epoch) {
      return "a batch is of another epoch than the one that covers its offset";
    }
  }
  if (next > end_ && !batches_.empty()) return "a batch reaches beyond the end";
  EpochStart before{-1, -1};
  for (const EpochStart& e : epochs_.entries()) {
    if (e.epoch <= before.epoch || e.start <= before.start) return "epochs or their starts do not increase";
    if (e.start < start_ || e.start > end_) return "an epoch begins outside of the log";
    before = e;
  }
  ProducerId last = no_producer_id;
  for (const ProducerEntry& p : producers_.entries()) {
    if (p.id <= last) return "producers are out of order";
    last = p.id;
    if (p.batches.size() > static_cast<std::size_t>(std::max(options_.producers.window, 0))) {
      return "a producer remembers more batches than its window";
    }
    for (std::size_t i = 0; i < p.batches.size(); ++i) {
      if (p.batches[i].last_offset >= end_) return "a producer remembers a batch that is not in the log";
      if (i > 0 && p.batches[i].base_offset <= p.batches[i - 1].last_offset) return "remembered batches are disordered";
    }
  }
  return broken_rule_of_transactions();
}

// Against what the batches themselves say. A transaction may have begun below them, where they are gone.
const char* PartitionLog::broken_rule_of_transactions() const {
  const auto open = producers_.open();
  for (std::size_t i = 0; i < open.size(); ++i) {
    const ProducerEntry* p = producers_.find(open[i].id);
    if (!p || p->open_transaction != open[i].first) return "a transaction is open of which its producer knows nothing";
    if (i > 0 && open[i].first <= open[i - 1].first) return "open transactions are out of order";
    if (open[i].first >= end_) return "a transaction is open that begins beyond the end";
  }
  std::size_t known_open = 0;
  for (const ProducerEntry& p : producers_.entries()) known_open += p.open_transaction != no_offset;
  if (known_open != open.size()) return "a producer's open transaction is not among the open ones";
  Offset before = no_offset;
  for (const AbortedRange& a : aborted_) {
    if (a.last <= before || a.first >= a.last || a.last >= end_ || a.last < start_) return "the aborted transactions are out of order or outside of the log";
    before = a.last;
  }
  if (!options_.producers.enabled || !options_.producers.replicated || options_.producers.evict_with_records) return nullptr;
  ProducerStates told({.window = 0});
  for (const Batch& b : batches()) {
    const std::optional<EndedTxn> ended = told.update(b);
    if (!ended || !ended->aborted) continue;
    const auto in_index = [&](const AbortedRange& a) { return a.id == ended->id && a.last == ended->last && a.first <= ended->first; };
    if (std::none_of(aborted_.begin(), aborted_.end(), in_index)) return "an aborted transaction is missing in the index";
  }
  for (const OpenTxn& o : told.open()) {
    const ProducerEntry* p = producers_.find(o.id);
    if (!p || p->open_transaction == no_offset || p->open_transaction > o.first) return "an open transaction is not known as such";
  }
  return nullptr;
}

}  // namespace mqlab::kafka
