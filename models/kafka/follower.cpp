// A follower's work: fetch from the leader, cut where the two logs part.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {

void Broker::become_follower(Context& c, PartitionId p, const PartitionState& s) {
  Replica& r = replicas_[p];
  const bool was_leader = r.role == Role::leader;
  leave_fetcher(p);
  r.role = Role::follower;
  r.leader = s.leader;
  r.epoch = s.leader_epoch;
  r.partition_epoch = s.partition_epoch;
  r.proposed.clear();
  r.followers.clear();
  r.stopped = false;
  r.retry_at = 0;
  r.truncating = false;
  if (was_leader) {
    leave_seat(c, p);
    leave_share_seat(c, p);
    leave_txn_seat(c, p);
    leave_share_leads(c, p);
    finish_produces(c, p);
  }
  if (was_leader || cluster_->settings.rack_aware) wake_fetches(c, p);
  if (s.leader == no_broker || s.leader == id_) return;
  // Truncation starts over with every leader epoch, even if the leader is the same broker.
  switch (switches().truncation) {
    case Truncation::high_watermark:
      truncate(c, p, r.high_watermark, "its own high watermark");
      break;
    case Truncation::kip101:
    case Truncation::kip279:
      r.truncating = true;
      break;
    case Truncation::fetch:
      break;
  }
  Fetcher& f = fetchers_[static_cast<std::size_t>(s.leader - 1)];
  f.partitions.insert(std::lower_bound(f.partitions.begin(), f.partitions.end(), p), p);
  pump(c, s.leader);
}

void Broker::leave_fetcher(PartitionId p) {
  for (Fetcher& f : fetchers_) f.partitions.erase(std::remove(f.partitions.begin(), f.partitions.end(), p), f.partitions.end());
}

// One request at a time to each leader: first the questions where to cut, then fetches.
void Broker::pump(Context& c, BrokerId leader) {
  Fetcher& f = fetchers_[static_cast<std::size_t>(leader - 1)];
  if (f.word != 0) return;
  if (f.timer != no_event) {
    c.cancel_timer(f.timer);
    f.timer = no_event;
  }
  OffsetForLeaderEpoch questions;
  FetchRequest fetch;
  Time next = time_max;
  for (PartitionId p : f.partitions) {
    Replica& r = replicas_[p];
    if (r.stopped) continue;
    if (r.retry_at > c.now()) {
      next = std::min(next, r.retry_at);
      continue;
    }
    const PartitionLog& log = log_of(p);
    if (r.truncating) {
      if (log.epochs().latest() == no_leader_epoch) {
        // Nothing is known of epochs: the high watermark is the best guess (KIP-101).
        r.truncating = false;
        truncate(c, p, r.high_watermark, "its own high watermark");
      } else {
        questions.questions.push_back({p, r.epoch, log.epochs().latest()});
        continue;
      }
    }
    FetchPartition fp;
    fp.partition = p;
    fp.current_leader_epoch = r.epoch;
    fp.fetch_offset = log.end();
    fp.last_fetched_epoch = switches().truncation == Truncation::fetch ? log.epochs().latest() : no_leader_epoch;
    fp.log_start = log.start();
    fetch.partitions.push_back(fp);
  }
  if (questions.questions.empty() && fetch.partitions.empty()) {
    if (next != time_max) f.timer = c.set_timer(next - c.now(), timer_fetcher, static_cast<std::uint64_t>(leader));
    return;
  }
  if (f.connection == no_connection || !c.is_open(f.connection)) f.connection = c.connect(cluster_->node_of(leader), Traffic::replication);
  f.word = next_number_++;
  f.timer = c.set_timer(cluster_->settings.request_timeout, timer_fetcher, static_cast<std::uint64_t>(leader));
  if (!questions.questions.empty()) {
    questions.replica = id_;
    f.request = make_payload<OffsetForLeaderEpoch>(std::move(questions));
    c.send(f.connection, kind(Kind::offset_for_leader_epoch), f.request, 64, f.word);
    return;
  }
  fetch.replica = id_;
  fetch.replica_epoch = switches().isr_broker_epoch ? epoch_ : no_broker_epoch;
  fetch.max_wait = cluster_->settings.replica_fetch_wait;
  f.request = make_payload<FetchRequest>(std::move(fetch));
  c.send(f.connection, kind(Kind::fetch), f.request, 64, f.word);
}

void Broker::fetcher_failed(Context& c, BrokerId leader) {
  Fetcher& f = fetchers_[static_cast<std::size_t>(leader - 1)];
  f.connection = no_connection;
  f.word = 0;
  f.request.reset();
  if (f.timer != no_event) c.cancel_timer(f.timer);
  f.timer = no_event;
  rest(c, leader);
}

void Broker::rest(Context& c, BrokerId leader) {
  for (PartitionId p : fetchers_[static_cast<std::size_t>(leader - 1)].partitions)
    replicas_[p].retry_at = c.now() + cluster_->settings.replica_fetch_backoff;
  pump(c, leader);
}

// The request that this answers, which is then no longer in flight; null when it was given up meanwhile.
PayloadRef Broker::take_asked(const Message& answer, BrokerId& leader) {
  leader = cluster_->broker_of(answer.from);
  if (leader == no_broker) return nullptr;
  Fetcher& f = fetchers_[static_cast<std::size_t>(leader - 1)];
  if (f.word == 0 || f.word != answer.word) return nullptr;
  f.word = 0;
  return std::exchange(f.request, nullptr);
}

void Broker::on_fetch_reply(Context& c, const Message& m) {
  BrokerId leader = no_broker;
  const PayloadRef asked = take_asked(m, leader);
  if (!asked) return;
  const auto& request = payload_as<FetchRequest>(asked);
  const auto& reply = payload_as<FetchReply>(m.payload);
  for (std::size_t i = 0; i < reply.partitions.size() && i < request.partitions.size(); ++i) {
    const FetchedPartition& got = reply.partitions[i];
    const FetchPartition& want = request.partitions[i];
    const PartitionId p = got.partition;
    Replica& r = replicas_[p];
    PartitionLog& log = log_of(p);
    // Meanwhile another epoch may have begun, or the log been cut: then this answers an old question.
    if (r.role != Role::follower || r.leader != leader || r.epoch != want.current_leader_epoch || want.fetch_offset != log.end() || r.truncating) continue;
    switch (got.error) {
      case Error::none: {
        if (got.diverging.defined()) {
          truncate_by(c, p, got.diverging);
          break;
        }
        std::uint32_t bytes = 0;
        for (const Batch& b : got.batches) {
          const std::size_t segments = log.segments().count();
          if (log.append_as_follower(b, c.wall()) != Error::none) {
            // A batch that does not match its checksum: asked for again, for ever.
            c.mark("corrupt_batch", place(p), fmt::format("the leader's batch at {} does not match its checksum", b.base_offset));
            r.retry_at = c.now() + cluster_->settings.replica_fetch_backoff;
            break;
          }
          // A replica closes its segments by itself.
          if (log.segments().count() > segments) {
            c.write(file_of(p), b.base_offset, std::exchange(bytes, 0));
            on_roll(c, p);
          }
          if (b.transactional) r.verifications.forget(b.producer_id);
          bytes += b.bytes;
        }
        if (bytes > 0) write_log(c, p, bytes);
        if (got.log_start > log.start()) log.delete_records_before(std::min(got.log_start, log.end()));
        forget_taken(p, got.log_start);
        // Assigned, not raised: after a change of leader it may go back.
        r.high_watermark = std::clamp(got.high_watermark, log.start(), log.end());
        log.settle(r.high_watermark);
        // ReplicaFetcherThread.completeDelayedFetchRequests: consumers that wait here.
        if (cluster_->settings.rack_aware) wake_fetches(c, p);
        break;
      }
      case Error::offset_out_of_range:
        if (got.log_end != no_offset && got.log_end < log.end()) {
          // Cutting to the leader's end may leave a divergence below it; "not solved here", says the source.
          truncate(c, p, got.log_end, "the leader's log end");
        } else if (got.log_start > log.end()) {
          log.truncate_fully_and_start_at(got.log_start);
          c.truncate(file_of(p), 0);
          c.write(file_of(p), log.end());
          r.high_watermark = got.log_start;
          c.mark("log_restarted", place(p), fmt::format("the leader begins at {}", got.log_start));
        } else {
          r.retry_at = c.now() + cluster_->settings.replica_fetch_backoff;
        }
        break;
      case Error::fenced_leader_epoch:
        r.stopped = true;  // newer metadata is on its way
        break;
      default:
        r.retry_at = c.now() + cluster_->settings.replica_fetch_backoff;
        break;
    }
  }
  pump(c, leader);
}

void Broker::on_epoch_reply(Context& c, const Message& m) {
  BrokerId leader = no_broker;
  const PayloadRef asked = take_asked(m, leader);
  if (!asked) return;
  const auto& request = payload_as<OffsetForLeaderEpoch>(asked);
  const auto& reply = payload_as<OffsetForLeaderEpochReply>(m.payload);
  for (std::size_t i = 0; i < reply.answers.size() && i < request.questions.size(); ++i) {
    const EpochAnswer& a = reply.answers[i];
    Replica& r = replicas_[a.partition];
    if (r.role != Role::follower || r.leader != leader || !r.truncating || r.epoch != request.questions[i].current_leader_epoch) continue;
    if (a.error == Error::fenced_leader_epoch) r.stopped = true;
    else if (a.error != Error::none) r.retry_at = c.now() + cluster_->settings.replica_fetch_backoff;
    else truncate_by(c, a.partition, a.end);
  }
  pump(c, leader);
}

// AbstractFetcherThread.getOffsetTruncationState. Where this replica lacks the epoch of the answer,
// it cuts to the end of its own largest earlier epoch and asks again.
void Broker::truncate_by(Context& c, PartitionId p, EpochEnd leader_end) {
  Replica& r = replicas_[p];
  const PartitionLog& log = log_of(p);
  if (!leader_end.defined()) {
    r.truncating = false;
    truncate(c, p, r.high_watermark, "its own high watermark");
    return;
  }
  if (switches().truncation == Truncation::kip101) {
    // KIP-101 does not say which epoch ends there.
    r.truncating = false;
    truncate(c, p, std::min(leader_end.end, log.end()), "the end of the epoch (KIP-101)");
    return;
  }
  const EpochEnd own = log.epochs().end_offset_for(leader_end.epoch, log.end());
  if (own.defined() && own.epoch != leader_end.epoch) {
    truncate(c, p, std::min(own.end, log.end()), "the end of an earlier epoch");
    return;  // still truncating, or diverging again with the next fetch
  }
  r.truncating = false;
  const Offset mine = own.defined() ? own.end : leader_end.end;
  truncate(c, p, std::min({mine, leader_end.end, log.end()}), "where the leader's log parts");
}

void Broker::truncate(Context& c, PartitionId p, Offset end, const char* why) {
  PartitionLog& log = log_of(p);
  Replica& r = replicas_[p];
  const Offset before = log.end();
  log.truncate_to(end);
  if (log.end() < before) {
    c.truncate(file_of(p), log.end());
    c.mark("log_truncated", place(p), fmt::format("from {} to {}: {}", before, log.end(), why));
  }
  r.flushed = std::min(r.flushed, log.end());
  durable_[p].recovery_point = std::min(durable_[p].recovery_point, log.end());
  r.high_watermark = std::min(r.high_watermark, log.end());
  if (cluster_->settings.rack_aware) wake_fetches(c, p);
}

}  // namespace mqlab::kafka
