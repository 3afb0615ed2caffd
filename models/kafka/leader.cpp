// A leader's work: produce, serving fetches, the high watermark, the ISR.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {
void Broker::become_leader(Context& c, PartitionId p, const PartitionState& s) {
  Replica& r = replicas_[p];
  leave_fetcher(p);
  const bool new_epoch = s.leader_epoch > r.epoch;
  r.role = Role::leader;
  r.leader = id_;
  r.epoch = s.leader_epoch;
  r.partition_epoch = s.partition_epoch;
  r.isr = s.isr;
  r.proposed.clear();
  r.truncating = r.stopped = false;
  if (new_epoch) {
    PartitionLog& log = log_of(p);
    r.epoch_start = log.end();
    // The epoch is noted even if nothing is ever written in it (KIP-279 rests on that).
    log.begin_epoch(s.leader_epoch);
    r.followers.clear();
    for (BrokerId b : s.replicas) {
      if (b == id_) continue;
      FollowerState f;
      f.broker = b;
      // Partition.makeLeader: members of the ISR count as caught up now, others never were.
      f.last_caught_up = contains(s.isr, b) ? c.now() : 0;
      r.followers.push_back(f);
    }
  }
  settle_transactions(c, p);
  record_all_taken(c, p);
  if (new_epoch && is_coordinated(p)) take_seat(c, p);
  if (new_epoch && is_share_state(p)) take_share_seat(c, p);
  if (new_epoch && is_transaction_state(p)) take_txn_seat(c, p);
  if (new_epoch) leave_share_leads(c, p);
  advance_high_watermark(c, p);
  wake_fetches(c, p);
}

void Broker::write_log(Context& c, PartitionId p, std::uint32_t bytes) {
  const PartitionLog& log = log_of(p);
  c.write(file_of(p), log.end(), bytes);
  Replica& r = replicas_[p];
  if (cluster_->settings.flush_messages > 0 && log.end() - r.flushed >= cluster_->settings.flush_messages) {
    if (c.sync(file_of(p)) == DiskResult::ok) durable_[p].recovery_point = log.end();
    r.flushed = log.end();
  }
}

// ---------------------------------------------------------------------------------------------
// Produce.

void Broker::on_produce(Context& c, const Message& m) {
  const auto& request = payload_as<ProduceRequest>(m.payload);
  const Waiting to{m.connection, m.from, m.word};
  TxnQuestion q;
  for (const PartitionBatch& b : request.batches) {
    if (!b.batch.transactional || b.batch.producer_id == no_producer_id) continue;
    q.from = {request.transactional_id, b.batch.producer_id, b.batch.producer_epoch};
    q.checks.push_back({b.partition, b.batch.base_sequence});
  }
  if (q.checks.empty()) return produce(c, to, request, m.size, nullptr);
  q.to = to;
  q.kind = Kind::produce;
  q.request = m.payload;
  q.bytes = m.size;
  q.version = request.version;
  verify_then(c, std::move(q));
}

// `verified`: what was asked of the coordinator first, if anything; its connection may be muted since.
void Broker::produce(Context& c, const Waiting& to, const ProduceRequest& request, std::uint32_t bytes, const TxnQuestion* verified) {
  ParkedProduce parked;
  parked.to = to;
  parked.bytes = bytes;
  const bool muted = verified && verified->waited;
  bool all_done = true;
  bool failed = false;
  for (const PartitionBatch& b : request.batches) {
    ParkedProduce::Part part;
    const TxnCheck* check = nullptr;
    for (std::size_t i = 0; verified && i < verified->checks.size(); ++i)
      if (verified->checks[i].partition == b.partition) check = &verified->checks[i];
    if (check && check->error != Error::none) {
      part.result.partition = b.partition;
      part.result.error = check->error;
    } else {
      part.result = append(c, b, request.acks, part.required, admission(b.partition, b.batch, check));
    }
    part.done = request.acks != -1 || part.result.error != Error::none;
    failed = failed || part.result.error != Error::none;
    all_done = all_done && part.done;
    parked.parts.push_back(std::move(part));
  }
  if (request.acks == 0) {
    // Nobody waits for an answer: the only way to say that something went wrong is to hang up.
    const Duration wait = produce_throttle(c, to.from, bytes);
    if (failed) c.close(to.connection);
    else if (wait > 0) throttle(c, to, wait, "sent");
    if (muted) release(to.connection);
    return;
  }
  if (!all_done) {
    parked.number = next_number_++;
    parked.timer = c.set_timer(request.timeout, timer_produce, parked.number);
    if (!muted) mute(to.connection);
    produces_.push_back(std::move(parked));
    // It may be complete already: one replica in the ISR, or a duplicate that all have.
    for (const PartitionBatch& b : request.batches) finish_produces(c, b.partition);
    return;
  }
  if (muted) return answer_parked(c, parked);
  ProduceReply reply;
  for (ParkedProduce::Part& part : parked.parts) reply.results.push_back(part.result);
  answer_produce(c, to, bytes, std::move(reply));
}

// All its parts are done.
void Broker::answer_parked(Context& c, const ParkedProduce& parked) {
  if (parked.kind == Kind::write_txn_markers) {
    WriteTxnMarkersReply reply;
    for (const ParkedProduce::Part& part : parked.parts) reply.results.push_back({part.producer, part.result.partition, part.result.error});
    return answer_broker(c, parked.to, Kind::write_txn_markers_reply, make_payload<WriteTxnMarkersReply>(std::move(reply)));
  }
  ProduceReply reply;
  for (const ParkedProduce::Part& part : parked.parts) reply.results.push_back(part.result);
  answer_produce(c, parked.to, parked.bytes, std::move(reply));
  release(parked.to.connection);
}

ProduceResult Broker::append(Context& c, const PartitionBatch& b, std::int32_t acks, Offset& required, const Admission& admission) {
  ProduceResult result;
  result.partition = b.partition;
  Replica& r = replicas_[b.partition];
  if (r.role != Role::leader) {
    result.error = Error::not_leader_or_follower;
    return result;
  }
  const auto min_isr = static_cast<std::size_t>(cluster_->partitions[b.partition].min_insync);
  if (acks == -1 && r.isr.size() < min_isr) {
    c.mark("not_enough_replicas", place(b.partition), fmt::format("ISR {} is below min.insync {}", describe(r.isr), min_isr));
    result.error = Error::not_enough_replicas;
    return result;
  }
  if (c.world().disk(c.self()).full) {
    // The log directory fails: what follows is refused until the disk is whole again.
    result.error = Error::kafka_storage_error;
    return result;
  }
  PartitionLog& log = log_of(b.partition);
  const AppendResult appended = log.append_as_leader(b.batch, r.epoch, c.wall(), admission);
  result.error = appended.error;
  if (appended.error != Error::none) {
    if (appended.error == Error::invalid_timestamp) c.mark("invalid_timestamp", place(b.partition), "a record says that it is older or newer than may be");
    if (appended.error == Error::invalid_record) c.mark("invalid_record", place(b.partition), "a record without a key, in a topic that is compacted");
    if (appended.error == Error::out_of_order_sequence_number)
      c.mark("out_of_order_sequence", place(b.partition), fmt::format("producer {} sent sequence {}", b.batch.producer_id, b.batch.base_sequence));
    return result;
  }
  result.base_offset = appended.base_offset;
  required = appended.last_offset + 1;
  if (appended.duplicate) {
    c.mark("duplicate_recognised", place(b.partition), fmt::format("producer {} sequence {} is at offset {} already", b.batch.producer_id, b.batch.base_sequence, appended.base_offset));
    return result;
  }
  // UnifiedLog.updateProducers: what was asked before no longer counts for what comes next.
  if (b.batch.transactional) r.verifications.forget(b.batch.producer_id);
  if (appended.rolled) on_roll(c, b.partition);
  write_log(c, b.partition, b.batch.bytes);
  advance_high_watermark(c, b.partition);
  wake_fetches(c, b.partition);
  return result;
}

// DelayedProduce.tryComplete for every waiting request that has a part on p.
void Broker::finish_produces(Context& c, PartitionId p) {
  const Replica& r = replicas_[p];
  const auto min_isr = static_cast<std::size_t>(cluster_->partitions[p].min_insync);
  for (std::size_t i = 0; i < produces_.size();) {
    ParkedProduce& parked = produces_[i];
    bool all_done = true;
    for (ParkedProduce::Part& part : parked.parts) {
      if (!part.done && part.result.partition == p) {
        if (r.role != Role::leader) {
          part.result.error = Error::not_leader_or_follower;
          part.done = true;
        } else if (r.high_watermark >= part.required) {
          // It is replicated; but fewer than asked for may hold it by now.
          if (r.maximal_isr().size() < min_isr) part.result.error = Error::not_enough_replicas_after_append;
          part.done = true;
        }
      }
      all_done = all_done && part.done;
    }
    if (!all_done) {
      ++i;
      continue;
    }
    c.cancel_timer(parked.timer);
    const ParkedProduce done = std::move(parked);
    produces_.erase(produces_.begin() + static_cast<std::ptrdiff_t>(i));
    answer_parked(c, done);
  }
}

void Broker::time_out_produce(Context& c, std::uint64_t number) {
  for (std::size_t i = 0; i < produces_.size(); ++i) {
    if (produces_[i].number != number) continue;
    ParkedProduce parked = std::move(produces_[i]);
    produces_.erase(produces_.begin() + static_cast<std::ptrdiff_t>(i));
    for (ParkedProduce::Part& part : parked.parts) {
      if (part.done) continue;
      part.result.error = Error::request_timed_out;
      c.mark("produce_timed_out", place(part.result.partition), fmt::format("offset {} is not on every in-sync replica yet; it stays in the log", part.result.base_offset));
    }
    return answer_parked(c, parked);
  }
}

// ---------------------------------------------------------------------------------------------
// Fetch: of followers up to the log end, of consumers up to the high watermark. A follower serves consumers, too, if
// they name their rack (KIP-392; KAFKA-9004: an older consumer would not know what to make of its errors).

// KIP-320: both sides must be in the same epoch before any offset means anything.
Error Broker::check_epoch(const Replica& r, LeaderEpoch theirs) const {
  if (theirs == no_leader_epoch || !switches().fetch_epoch_check) return Error::none;
  if (theirs < r.epoch) return Error::fenced_leader_epoch;
  if (theirs > r.epoch) return Error::unknown_leader_epoch;
  return Error::none;
}

void Broker::on_fetch(Context& c, const Message& m) {
  const auto& request = payload_as<FetchRequest>(m.payload);
  const Waiting to{m.connection, m.from, m.word};
  const std::uint64_t appends = state_appends_;
  if (answer_fetch(c, to, request, true, request.max_wait == 0)) return;
  // What a follower's fetch commits may let a coordinator write: it is looked at once more before the fetch waits
  // (DelayedOperationPurgatory.tryCompleteElseWatch).
  if (state_appends_ != appends && answer_fetch(c, to, request, false, false)) return;
  ParkedFetch parked;
  parked.to = to;
  parked.number = next_number_++;
  parked.request = m.payload;
  parked.timer = c.set_timer(request.max_wait, timer_fetch, parked.number);
  mute(m.connection);
  fetches_.push_back(std::move(parked));
}

// Answers if there is news, or if it must. True when it did.
bool Broker::answer_fetch(Context& c, const Waiting& to, const FetchRequest& request, bool first, bool must) {
  FetchReply reply;
  std::int64_t bytes = 0;
  std::int64_t more = 0;  // what the answer says of aborted transactions
  bool news = must;
  reply.partitions.reserve(request.partitions.size());
  // ClientQuotaManager.getMaxValueInQuotaWindow: one answer must not be more than the quota could ever let through.
  // The reader that the lab adds when a run is over has no quota.
  const bool of_the_lab = !cluster_->is_client(to.from) && c.world().node_options(to.from).role == "consumer";
  const bool limited = request.replica == no_broker && cluster_->settings.consumer_byte_rate > 0 && !of_the_lab;
  const std::int64_t most = limited ? cluster_->settings.consumer_byte_rate * static_cast<std::int64_t>(quota_samples - 1) - 64 : offset_max;
  for (const FetchPartition& f : request.partitions) {
    reply.partitions.push_back(read_for(c, request, f, first, most - bytes, news));
    for (const Batch& b : reply.partitions.back().batches) bytes += b.bytes;
    more += static_cast<std::int64_t>(16 * reply.partitions.back().aborted.size());
  }
  if (!news && bytes < request.min_bytes) return false;
  if (limited) {
    if (const Duration wait = fetch_throttle(c, to.from, 64 + bytes); wait > 0) {
      reply.partitions.clear();
      bytes = more = 0;
      reply.throttle = wait;
      throttle(c, to, wait, "fetched");
    }
  }
  c.send(to.connection, kind(Kind::fetch_reply), make_payload<FetchReply>(std::move(reply)), static_cast<std::uint32_t>(64 + bytes + more), to.word);
  return true;
}

FetchedPartition Broker::read_for(Context& c, const FetchRequest& request, const FetchPartition& f, bool first, std::int64_t most, bool& news) {
  FetchedPartition out;
  out.partition = f.partition;
  const Replica& r = replicas_[f.partition];
  const PartitionLog& log = log_of(f.partition);
  const auto refuse = [&](Error e) {
    out.error = e;
    news = true;
    return out;
  };
  if (r.role == Role::none) return refuse(Error::unknown_topic_or_partition);
  if (r.epoch != no_leader_epoch)
    if (const Error e = check_epoch(r, f.current_leader_epoch); e != Error::none) return refuse(e);
  const bool at_follower = r.role == Role::follower && request.replica == no_broker && !request.rack.empty();
  if (r.role != Role::leader && !at_follower) return refuse(Error::not_leader_or_follower);
  out.log_start = log.start();
  out.high_watermark = r.high_watermark;
  if (r.role == Role::leader) out.preferred_read_replica = preferred_read_replica(request, f);
  const Offset shown = switches().fetch_high_watermark ? r.high_watermark : log.end();  // to consumers
  const Offset stable = log.last_stable(shown);
  out.last_stable = stable;
  if (out.preferred_read_replica != no_broker) {
    // Said at once (KAFKA-13767). One that waits here already hears it when there are records to read.
    if (first || f.fetch_offset < (request.read_committed ? stable : shown)) news = true;
    return out;
  }

  // Truncation on fetch (KIP-595 took it over for the quorum): where the follower's last epoch ends
  // here tells whether the two logs agree up to what it asks for. If not, nothing of this fetch counts.
  if (f.last_fetched_epoch != no_leader_epoch && switches().fetch_epoch_check) {
    const EpochEnd end = log.epochs().end_offset_for(f.last_fetched_epoch, log.end());
    if (!end.defined()) {
      out.log_end = log.end();
      return refuse(Error::offset_out_of_range);
    }
    if (end.epoch < f.last_fetched_epoch || end.end < f.fetch_offset) {
      out.diverging = end;
      news = true;
      return out;
    }
  }
  const bool follower = request.replica != no_broker;
  const bool committed = !follower && request.read_committed;
  const Offset readable = follower ? log.end() : committed ? stable : shown;
  if (f.fetch_offset < log.start() || f.fetch_offset > (follower ? log.end() : std::max(readable, log.end()))) {
    out.log_end = log.end();
    return refuse(Error::offset_out_of_range);
  }
  // DelayedFetch, case F. So a consumer that is ahead of this follower's high watermark asks again and again; KIP-392
  // has OFFSET_NOT_AVAILABLE for it, which no broker sends for a fetch.
  if (at_follower && f.fetch_offset > readable) news = true;
  if (f.fetch_offset < readable && most > 0) {
    out.batches = log.read(f.fetch_offset, readable, offset_max, std::min<std::int64_t>(1'048'576, most));
    // A copy that does not match its checksum is not handed to anyone: the reader finds out.
    if (!follower && !out.batches.empty() && out.batches.front().corrupt) {
      out.batches.clear();
      return refuse(Error::corrupt_message);
    }
    // Records of aborted transactions are sent like others; the reader is told which they are.
    if (committed && !out.batches.empty())
      for (const AbortedRange& a : log.aborted_between(f.fetch_offset, out.batches.back().next_offset())) out.aborted.push_back({a.id, a.first});
  }
  if (follower && first) {
    update_follower(c, f.partition, request, f);
    out.high_watermark = r.high_watermark;
    out.last_stable = log.last_stable(r.high_watermark);
  }
  return out;
}

// Any parked fetch that this partition has news for is answered.
void Broker::wake_fetches(Context& c, PartitionId p) {
  for (std::size_t i = 0; i < fetches_.size();) {
    const auto& request = payload_as<FetchRequest>(fetches_[i].request);
    const bool concerned = std::any_of(request.partitions.begin(), request.partitions.end(), [&](const FetchPartition& f) { return f.partition == p; });
    if (!concerned) {
      ++i;
      continue;
    }
    const ParkedFetch parked = fetches_[i];
    if (!answer_fetch(c, parked.to, request, false, false)) {
      ++i;
      continue;
    }
    c.cancel_timer(parked.timer);
    for (std::size_t k = 0; k < fetches_.size(); ++k)
      if (fetches_[k].number == parked.number) fetches_.erase(fetches_.begin() + static_cast<std::ptrdiff_t>(k));
    release(parked.to.connection);
  }
}

// A follower's fetch confirms everything before its offset (Partition.updateFollowerFetchState).
void Broker::update_follower(Context& c, PartitionId p, const FetchRequest& request, const FetchPartition& f) {
  Replica& r = replicas_[p];
  const Offset leader_end = log_of(p).end();
  for (FollowerState& follower : r.followers) {
    if (follower.broker != request.replica) continue;
    // KIP-903: a fetch of a process that the controller has replaced says nothing about the present one.
    if (switches().isr_broker_epoch && request.replica_epoch != no_broker_epoch && image_.known(request.replica) &&
        request.replica_epoch < image_.broker(request.replica).epoch)
      return;
    if (f.fetch_offset >= leader_end) follower.last_caught_up = std::max(follower.last_caught_up, c.now());
    else if (f.fetch_offset >= follower.leader_end_then) follower.last_caught_up = std::max(follower.last_caught_up, follower.last_fetch);
    const Offset before = follower.end;
    follower.end = f.fetch_offset;
    follower.last_fetch = c.now();
    follower.log_start = f.log_start;
    follower.leader_end_then = leader_end;
    follower.epoch = request.replica_epoch;
    if (follower.end != before && !contains(r.isr, request.replica) && follower.end >= r.high_watermark && follower.end < r.epoch_start)
      c.mark("follower_at_lagging_mark", place(p), fmt::format("B{} is at {}; the high watermark is {}, epoch {} begins at {}", request.replica, follower.end, r.high_watermark, r.epoch, r.epoch_start));
    maybe_expand_isr(c, p, follower);
    if (follower.end != before) advance_high_watermark(c, p);
    return;
  }
}

bool Broker::caught_up(const Replica&, const FollowerState& f, Offset leader_end, Time now) const {
  return f.end == leader_end || now - f.last_caught_up <= cluster_->settings.replica_lag_max;
}

// Partition.isReplicaIsrEligible.
bool Broker::may_join_isr(const FollowerState& f) const {
  if (!image_.known(f.broker) || !image_.broker(f.broker).active()) return false;
  return !switches().isr_broker_epoch || f.epoch == no_broker_epoch || f.epoch == image_.broker(f.broker).epoch;
}

// The high watermark is the least log end of those whom it must wait for; it only rises in a term.
void Broker::advance_high_watermark(Context& c, PartitionId p) {
  Replica& r = replicas_[p];
  if (r.role != Role::leader) return;
  const auto min_isr = static_cast<std::size_t>(cluster_->partitions[p].min_insync);
  const std::vector<BrokerId>& counted = switches().hw_isr == HwIsr::maximal    ? r.maximal_isr()
                                         : switches().hw_isr == HwIsr::eager && !r.proposed.empty() ? r.proposed
                                                                                                     : r.isr;
  // KAFKA-15583: below min.insync nothing more is committed, whatever acks were asked for.
  if (switches().strict_min_isr && r.isr.size() < min_isr) return;
  Offset least = log_of(p).end();
  for (const FollowerState& f : r.followers) {
    const bool waits = contains(counted, f.broker) ||
                       (switches().hw_isr == HwIsr::maximal && f.end != no_offset && may_join_isr(f) && caught_up(r, f, log_of(p).end(), c.now()));
    if (waits) least = std::min(least, f.end == no_offset ? Offset{0} : f.end);
  }
  if (least <= r.high_watermark) return;
  r.high_watermark = least;
  settle_transactions(c, p);
  finish_produces(c, p);
  finish_group_writes(c, p);
  finish_share_writes(c, p);
  finish_txn_writes(c, p);
  wake_fetches(c, p);
  wake_share_fetches(c, p);
}

// ---------------------------------------------------------------------------------------------
// The ISR.

void Broker::maybe_expand_isr(Context& c, PartitionId p, FollowerState& f) {
  Replica& r = replicas_[p];
  if (!r.proposed.empty() || contains(r.isr, f.broker) || !may_join_isr(f)) return;
  // KAFKA-7128: the high watermark may lag, so it is not enough to have reached it.
  if (f.end < r.high_watermark) return;
  if (switches().isr_join == IsrJoin::leader_epoch_start && f.end < r.epoch_start) return;
  std::vector<BrokerId> isr = r.isr;
  isr.push_back(f.broker);
  std::sort(isr.begin(), isr.end());
  propose_isr(c, p, std::move(isr), true);
}

// The request says who has caught up: another process of the same broker has not.
void Broker::look_whom_it_asked_for(Context& c, BrokerId restarted) {
  for (PartitionId p = 0; p < replicas_.size(); ++p) {
    const Replica& r = replicas_[p];
    if (r.role == Role::leader && contains(r.proposed, restarted) && !contains(r.isr, restarted))
      c.mark("joining_replica_restarted", place(p), fmt::format("B{} has registered anew, and the request for ISR {} is not answered", restarted, describe(r.proposed)));
  }
}

void Broker::shrink_isrs(Context& c) {
  for (PartitionId p = 0; p < replicas_.size(); ++p) {
    Replica& r = replicas_[p];
    if (r.role != Role::leader || !r.proposed.empty()) continue;
    std::vector<BrokerId> isr;
    for (BrokerId b : r.isr) {
      const auto f = std::find_if(r.followers.begin(), r.followers.end(), [&](const FollowerState& s) { return s.broker == b; });
      if (f == r.followers.end() || caught_up(r, *f, log_of(p).end(), c.now())) isr.push_back(b);
    }
    if (isr.size() < r.isr.size()) propose_isr(c, p, std::move(isr), false);
  }
}

void Broker::propose_isr(Context& c, PartitionId p, std::vector<BrokerId> isr, bool expands) {
  replicas_[p].proposed = std::move(isr);
  replicas_[p].expands = expands;
  send_alter_partition(c, p);
  if (switches().hw_isr == HwIsr::eager) advance_high_watermark(c, p);
}

void Broker::send_alter_partition(Context& c, PartitionId p) {
  const Replica& r = replicas_[p];
  AlterPartition a;
  a.broker = id_;
  a.broker_epoch = epoch_;
  a.partition = p;
  a.leader_epoch = r.epoch;
  a.partition_epoch = r.partition_epoch;
  for (BrokerId b : r.proposed) {
    BrokerEpoch epoch = b == id_ ? epoch_ : no_broker_epoch;
    // KIP-903: the incarnation whose log the leader has seen.
    for (const FollowerState& f : r.followers)
      if (f.broker == b && f.epoch != no_broker_epoch) epoch = f.epoch;
    a.isr.push_back({b, switches().isr_broker_epoch ? epoch : no_broker_epoch});
  }
  send_to_controller(c, Kind::alter_partition, make_payload<AlterPartition>(std::move(a)), Traffic::control);
}

void Broker::on_alter_partition_reply(Context& c, const Message& m) {
  const auto& a = payload_as<AlterPartitionReply>(m.payload);
  Replica& r = replicas_[a.partition];
  if (r.role != Role::leader || r.proposed.empty()) return;
  switch (a.error) {
    case Error::none:
      if (a.leader_epoch != r.epoch || a.partition_epoch <= r.partition_epoch) return;
      r.isr = a.isr;
      r.partition_epoch = a.partition_epoch;
      r.proposed.clear();
      advance_high_watermark(c, a.partition);
      finish_produces(c, a.partition);
      return;
    case Error::ineligible_replica:
    case Error::operation_not_attempted:
      r.proposed.clear();
      return;
    case Error::not_controller:
    case Error::stale_broker_epoch:
      ask_for_isr_again(c, a.partition);
      return;
    default:
      return;  // it stays pending until newer metadata arrives
  }
}

// ---------------------------------------------------------------------------------------------
// Questions about offsets.

void Broker::on_offset_for_leader_epoch(Context& c, const Message& m) {
  const auto& request = payload_as<OffsetForLeaderEpoch>(m.payload);
  OffsetForLeaderEpochReply reply;
  for (const EpochQuestion& q : request.questions) {
    EpochAnswer a;
    a.partition = q.partition;
    const Replica& r = replicas_[q.partition];
    if (r.epoch != no_leader_epoch) a.error = check_epoch(r, q.current_leader_epoch);
    if (a.error == Error::none && r.role != Role::leader) a.error = Error::not_leader_or_follower;
    if (a.error == Error::none) {
      const PartitionLog& log = log_of(q.partition);
      // Consumers get the same answer as followers (Partition.lastOffsetForLeaderEpoch). Were it held to the high
      // watermark, which lags on a new leader, a consumer would go back though nothing was cut.
      a.end = switches().truncation == Truncation::kip101 ? log.epochs().end_offset_for_kip101(q.epoch, log.end())
                                                          : log.epochs().end_offset_for(q.epoch, log.end());
    }
    reply.answers.push_back(a);
  }
  c.reply(m, kind(Kind::offset_for_leader_epoch_reply), make_payload<OffsetForLeaderEpochReply>(std::move(reply)), 64, m.word);
}

void Broker::on_list_offsets(Context& c, const Message& m) {
  const auto& request = payload_as<ListOffsets>(m.payload);
  ListOffsetsReply reply;
  for (const OffsetQuestion& q : request.questions) {
    OffsetAnswer a;
    a.partition = q.partition;
    const Replica& r = replicas_[q.partition];
    const PartitionLog& log = log_of(q.partition);
    if (r.epoch != no_leader_epoch) a.error = check_epoch(r, q.current_leader_epoch);
    if (a.error == Error::none && r.role != Role::leader) a.error = Error::not_leader_or_follower;
    if (a.error == Error::none) {
      const Offset readable = request.read_committed ? log.last_stable(r.high_watermark) : r.high_watermark;
      if (q.timestamp == earliest_timestamp) {
        a.offset = log.start();
      } else if (q.timestamp == latest_timestamp) {
        // KIP-207: a new leader's high watermark may lag behind what the old one had shown.
        if (switches().list_offsets_kip207 && r.high_watermark < r.epoch_start) a.error = Error::offset_not_available;
        else a.offset = readable;
      } else if (const auto found = log.first_at_or_after(q.timestamp, readable)) {
        a.offset = found->offset;
      }
      if (a.offset > 0) a.leader_epoch = log.epochs().epoch_at(a.offset - 1);
    }
    reply.answers.push_back(a);
  }
  c.reply(m, kind(Kind::list_offsets_reply), make_payload<ListOffsetsReply>(std::move(reply)), 64, m.word);
}

}  // namespace mqlab::kafka
