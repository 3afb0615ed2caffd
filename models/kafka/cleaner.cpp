// What time does to a broker's logs: segments are closed and flushed, old ones deleted, closed ones compacted, and where
// a log starts is written down. Each broker does this to its own copies, by its own clock.
//
// A record that a policy takes leaves a row in the history, so that whoever misses it can be told why.
// Sources: LogManager (cleanupLogs, checkpointLogStartOffsets), LogCleaner.CleanerThread, UnifiedLog.roll.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {

// ---------------------------------------------------------------------------------------------
// A segment is closed.

// UnifiedLog.roll flushes what lies before the new segment, in the background.
void Broker::on_roll(Context& c, PartitionId p) {
  const Segment& closed = log_of(p).segments().closed().back();
  c.mark("segment_rolled", place(p), fmt::format("{}..{}, {} bytes", closed.base, log_of(p).segments().active().base - 1, closed.bytes));
  c.sync_later(file_of(p));
  roll_flushes_.push_back(file_of(p));
}

void Broker::on_rolled_flush(FileId file, std::int64_t end, DiskResult result) {
  roll_flushes_.erase(std::find(roll_flushes_.begin(), roll_flushes_.end(), file));
  DurableReplica& d = durable_[file - 1];
  if (result == DiskResult::ok) d.recovery_point = std::max(d.recovery_point, std::min(end, d.log.end()));
}

// ---------------------------------------------------------------------------------------------
// Where logs start.

void Broker::delete_records(Context& c, PartitionId p, Offset before) {
  PartitionLog& log = log_of(p);
  if (before <= log.start()) return;
  std::vector<TakenRecord> taken;
  for (const Batch& b : log.view(log.start(), log.end()))
    for (std::int32_t i = 0; b.control == Control::none && i < b.held(); ++i)
      if (b.offset_of(i) >= log.start() && b.offset_of(i) < before) taken.push_back({b.offset_of(i), b.record(i)});
  log.delete_records_before(before);
  c.mark("records_deleted", place(p), fmt::format("{} now begins at {}", place(p), before));
  note_taken(c, p, taken, name(Deletion::log_start));
}

// ---------------------------------------------------------------------------------------------
// Retention and compaction.

void Broker::begin_housekeeping(Context& c) {
  retention_due_ = c.now() + cluster_->settings.retention_check_interval;
  log_start_checkpoint_due_ = c.now() + cluster_->settings.log_start_checkpoint_interval;
  arm_cleaner(c);
}

// Only where there is something to compact.
void Broker::arm_cleaner(Context& c) {
  const auto compacts = [](const DurableReplica& d) { return d.log.options().compacts; };
  if (cleaner_timer_ == no_event && std::any_of(durable_.begin(), durable_.end(), compacts)) cleaner_timer_ = c.set_timer(cluster_->settings.cleaner_interval, timer_cleaner);
}

void Broker::set_cleanup_policy(Context& c, const std::string& topic, const std::string& policy) {
  const TopicSettings* t = cluster_->topic(topic);
  const bool compacts = policy == "compact" || policy == "compact,delete";
  if (!t || (policy != "delete" && !compacts)) return c.mark("command_refused", topic, fmt::format("no such topic or policy: {} {}", topic, policy));
  for (std::int32_t n = 0; n < t->partitions_max; ++n) log_of(t->first + static_cast<PartitionId>(n)).set_cleanup(compacts, policy != "compact");
  c.mark("cleanup_policy_changed", topic, fmt::format("cleanup.policy={}", policy));
  arm_cleaner(c);
}

// What is rarely due has no timers of its own; it is done when high watermarks are written, every few seconds.
void Broker::keep_house(Context& c) {
  if (c.now() >= log_start_checkpoint_due_) {
    log_start_checkpoint_due_ = c.now() + cluster_->settings.log_start_checkpoint_interval;
    for (DurableReplica& d : durable_) d.start_checkpoint = d.log.start();
  }
  if (c.now() < retention_due_) return;
  retention_due_ = c.now() + cluster_->settings.retention_check_interval;
  for (PartitionId p = 0; p < replicas_.size(); ++p)
    if (replicas_[p].role != Role::none && !log_of(p).options().compacts) delete_old_segments(c, p);
}

void Broker::delete_old_segments(Context& c, PartitionId p) {
  for (const DeletedSegment& d : log_of(p).delete_old_segments(c.wall(), replicas_[p].high_watermark)) {
    std::string why = "DeleteRecords had moved the start above it";
    if (d.why == Deletion::retention_bytes) why = "the log is larger than retention.bytes";
    if (d.why == Deletion::retention) why = fmt::format("its newest record is older than retention.ms by {} s", (c.wall() - d.segment.largest_timestamp - log_of(p).options().retention) / 1'000'000'000);
    c.mark("segment_deleted", place(p), fmt::format("{}..{}: {}", d.segment.base, d.next - 1, why));
    note_taken(c, p, d.taken, name(d.why));
  }
}

// LogCleaner.CleanerThread: the dirtiest log first, as long as one is dirty enough; then a rest. Compacted logs are
// looked through for old segments here, not in keep_house.
void Broker::run_cleaner(Context& c) {
  cleaner_timer_ = no_event;
  for (;;) {
    PartitionId dirtiest = 0;
    CompactionPlan best;
    for (PartitionId p = 0; p < replicas_.size(); ++p) {
      if (replicas_[p].role == Role::none || !log_of(p).options().compacts) continue;
      const CompactionPlan plan = log_of(p).plan_compaction(c.wall(), log_of(p).last_stable(replicas_[p].high_watermark));
      if (!plan.due) continue;
      // dirty/all as fractions, without dividing
      const bool dirtier = plan.dirty_bytes * (best.clean_bytes + best.dirty_bytes) > best.dirty_bytes * (plan.clean_bytes + plan.dirty_bytes);
      if (best.due && !dirtier) continue;
      dirtiest = p;
      best = plan;
    }
    if (!best.due) break;
    const std::vector<TakenRecord> taken = log_of(dirtiest).compact(best, c.wall());
    c.mark("log_compacted", place(dirtiest), fmt::format("up to {}: {} record{} superseded", best.to - 1, taken.size(), taken.size() == 1 ? "" : "s"));
    note_taken(c, dirtiest, taken, "COMPACTION");
  }
  for (PartitionId p = 0; p < replicas_.size(); ++p)
    if (replicas_[p].role != Role::none && log_of(p).options().compacts) delete_old_segments(c, p);
  arm_cleaner(c);
}

// ---------------------------------------------------------------------------------------------
// What the history says of it.

void Broker::note_taken(Context& c, PartitionId p, const std::vector<TakenRecord>& taken, const char* why) {
  if (cluster_->topics[static_cast<std::size_t>(cluster_->partitions[p].topic)].internal) return;  // no application's records
  for (const TakenRecord& t : taken) {
    if (replicas_[p].role == Role::leader) record_taken(c, p, t, why);
    else durable_[p].taken.emplace_back(t, why);
  }
}

void Broker::record_taken(Context& c, PartitionId p, const TakenRecord& t, const char* why) {
  if (t.record.message == no_message) return;  // no application sent it
  Op op;
  op.kind = OpKind::ack;
  op.outcome = Outcome::ok;
  op.flags = op_flag::by_policy;
  op.place = c.names().id(place(p));
  op.key = static_cast<std::uint32_t>(t.record.key);
  op.message = t.record.message;
  op.position = t.offset;
  op.error = c.names().id(why);
  c.record(op);
}

// This copy is what readers get from now on.
void Broker::record_all_taken(Context& c, PartitionId p) {
  for (const auto& [t, why] : std::exchange(durable_[p].taken, {})) record_taken(c, p, t, why);
}

// The leader's copy begins no earlier: what it deleted, it told itself.
void Broker::forget_taken(PartitionId p, Offset leader_start) {
  std::erase_if(durable_[p].taken, [&](const auto& t) { return t.first.offset < leader_start; });
}

}  // namespace mqlab::kafka
