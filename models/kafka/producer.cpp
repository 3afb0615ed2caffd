// The producer: accumulator, sender, idempotence.
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client.h"

namespace mqlab::kafka {

// ---------------------------------------------------------------------------------------------
// From send() into a batch.

void Client::send_call(Context& c, const Call& call) {
  if (!produces_ || !cluster_->topic(c.names().text(call.place))) {
    complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
    return;
  }
  // send() blocks: who waits for memory or metadata makes all later sends wait too.
  if (blocked_.empty() && try_append(c, call)) return;
  // librdkafka: produce() never blocks.
  if (producer_.queue_full_at_once && blocked_.empty() && buffered_bytes_ + call.size > producer_.buffer_bytes) {
    complete(c, call.id, outcome(c, Outcome::fail, Error::queue_full));
    return;
  }
  blocked_.push_back({call, saturating_add(c.now(), producer_.max_block)});
}

bool Client::try_append(Context& c, const Call& call) {
  if (transactional() && !txn_takes_send(c, call)) return true;  // it is answered
  const TopicSettings& topic = *cluster_->topic(c.names().text(call.place));
  const std::int32_t count = partition_count(topic);
  if (count == 0 || call.partition >= count) {
    want_metadata(c);
    return false;
  }
  if (buffered_bytes_ + call.size > producer_.buffer_bytes) return false;
  std::int32_t number = call.partition;
  const auto t = static_cast<std::size_t>(&topic - cluster_->topics.data());
  const bool sticky = number < 0 && call.key == 0;
  if (number < 0 && call.key != 0) number = partition_for(producer_.partitioner, c.names().text(call.key), count);
  if (sticky) {
    std::vector<std::int32_t> available;
    for (std::int32_t n = 0; n < count; ++n)
      if (leader_of(topic.first + static_cast<PartitionId>(n)) != no_broker) available.push_back(n);
    number = producer_.uniform_sticky ? uniform_[t].partition(count, available, c.random()) : sticky_[t].partition(count, available, c.random());
  }
  const PartitionId p = topic.first + static_cast<PartitionId>(number);
  PartitionQueue& q = queues_[p];
  const bool fits = !q.queue.empty() && q.queue.back().attempts == 0 && !q.queue.back().has_sequence() &&
                    q.queue.back().bytes + call.size <= producer_.batch_bytes;
  if (!fits) {
    if (sticky && !producer_.uniform_sticky && !q.queue.empty()) sticky_[t].new_batch(number, count, {}, c.random());
    ProducerBatch batch;
    batch.number = next_batch_++;
    batch.partition = p;
    batch.created = c.now();
    batch.bytes = batch_header_bytes;
    q.queue.push_back(std::move(batch));
    ++queued_;
  }
  ProducerBatch& batch = q.queue.back();
  batch.records.push_back({call.message, call.key, call.timestamp >= 0 ? call.timestamp : c.wall(), call.size, call.tombstone});
  batch.calls.push_back(call.id);
  batch.bytes += call.size;
  buffered_bytes_ += call.size;
  if (transactional()) add_partition(p);
  if (sticky && producer_.uniform_sticky) uniform_[t].appended(number, call.size, batch.bytes >= producer_.batch_bytes);
  return true;
}

// ---------------------------------------------------------------------------------------------
// From batches onto the wire.

// When the first batch of a partition may leave: full, lingered, or rested after a failure.
Time Client::ready_at(const PartitionQueue& q) const {
  const ProducerBatch& first = q.queue.front();
  if (first.attempts > 0) return first.last_attempt + std::min(producer_.retry_backoff_max, producer_.retry_backoff << std::min(first.attempts - 1, 10));
  const bool full = q.queue.size() > 1 || txn_.completing() || first.bytes >= producer_.batch_bytes || !blocked_.empty();
  return full ? first.created : saturating_add(first.created, producer_.linger);
}

// RecordAccumulator.shouldStopDrainBatchesForPartition.
bool Client::may_drain(PartitionId p, const ProducerBatch& first) const {
  const PartitionQueue& q = queues_[p];
  if (producer_.max_in_flight == 1 && q.in_flight > 0) return false;  // guaranteeMessageOrder mutes the partition
  if (!producer_.idempotence) return true;
  if (producer_id_ == no_producer_id || (transactional() && !takes_part(p))) return false;
  if (!first.has_sequence()) {
    const bool stale = q.producer_id != producer_id_ || q.producer_epoch != producer_epoch_;
    if (!q.outstanding.empty() && stale) return false;
    if (q.unresolved) return false;
    // At most five batches may be open, or the broker could not tell a retry from a new one.
    return static_cast<std::int32_t>(q.outstanding.size()) < producer_.max_in_flight || producer_.split_on_retry;
  }
  // A retry leaves only as the first of those that are open.
  return q.outstanding.empty() || q.outstanding.front().second == first.number;
}

void Client::drain(Context& c) {
  if (queued_ == 0) return;
  if (producer_.idempotence && producer_id_ == no_producer_id) {
    if (transactional()) return;
    ask_producer_id(c);
    if (producer_id_ == no_producer_id) return;
  }
  for (BrokerId b = 1; b <= static_cast<BrokerId>(cluster_->brokers.size()); ++b)
    while (drain_broker(c, b)) {
    }
  for (PartitionId p = 0; p < queues_.size(); ++p) {
    if (queues_[p].queue.empty()) continue;
    if (leader_of(p) == no_broker) want_metadata(c);
    else if (const Time t = ready_at(queues_[p]); t > c.now()) wake_at(c, t);
  }
}

// One request to a broker: a batch of each partition that it leads. False when there is nothing to send.
bool Client::drain_broker(Context& c, BrokerId b) {
  if (count_in_flight(Purpose::produce, b) >= producer_.max_in_flight) return false;
  std::vector<ProducerBatch> batches;
  for (PartitionId p = 0; p < queues_.size(); ++p) {
    PartitionQueue& q = queues_[p];
    if (q.queue.empty() || leader_of(p) != b || ready_at(q) > c.now() || !may_drain(p, q.queue.front())) continue;
    if (!can_connect(c, Purpose::produce, b)) return false;
    ProducerBatch batch = std::move(q.queue.front());
    q.queue.pop_front();
    --queued_;
    if (producer_.idempotence && !batch.has_sequence()) {
      if (q.producer_id != producer_id_ || q.producer_epoch != producer_epoch_) {
        q.producer_id = producer_id_;
        q.producer_epoch = producer_epoch_;
        q.next_sequence = 0;
        q.last_acked = no_sequence;
      }
      batch.producer_id = q.producer_id;
      batch.producer_epoch = q.producer_epoch;
      batch.base_sequence = q.next_sequence;
      q.next_sequence = add_sequence(q.next_sequence, static_cast<std::int32_t>(batch.records.size()));
      q.outstanding.emplace_back(batch.base_sequence, batch.number);
    }
    batches.push_back(std::move(batch));
  }
  if (batches.empty()) return false;
  ProduceRequest r;
  r.acks = producer_.acks;
  r.timeout = producer_.request_timeout;
  if (transactional()) {
    r.transactional_id = transactional_id_;
    r.version = txn_version();
  }
  std::int64_t bytes = 64;
  for (ProducerBatch& batch : batches) {
    ++batch.attempts;
    batch.last_attempt = c.now();
    ++queues_[batch.partition].in_flight;
    ++produce_in_flight_;
    Batch wire = make_batch(batch.records);
    wire.producer_id = batch.producer_id;
    wire.producer_epoch = batch.producer_epoch;
    wire.base_sequence = batch.base_sequence;
    wire.transactional = transactional();
    bytes += wire.bytes;
    r.batches.push_back({batch.partition, std::move(wire)});
  }
  const bool silent = producer_.acks == 0;
  const std::uint64_t word = request(c, Purpose::produce, b, Kind::produce, make_payload<ProduceRequest>(std::move(r)),
                                     static_cast<std::uint32_t>(bytes), silent ? 0 : producer_.request_timeout);
  if (!silent) {
    requests_.back().batches = std::move(batches);
    return true;
  }
  // acks=0: sent is done, and where it is, nobody says.
  take_request(c, word);
  for (ProducerBatch& batch : batches) {
    --produce_in_flight_;
    --queues_[batch.partition].in_flight;
    batch_done(c, std::move(batch), Error::none, no_offset);
  }
  return true;
}

// ---------------------------------------------------------------------------------------------
// Answers.

void Client::on_produce_reply(Context& c, const Message& m) {
  Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  const auto& reply = payload_as<ProduceReply>(m.payload);
  throttle(c, r, reply.throttle, producer_.honours_throttle);
  for (std::size_t i = 0; i < r.batches.size(); ++i) {
    --produce_in_flight_;
    --queues_[r.batches[i].partition].in_flight;
    const ProduceResult result = i < reply.results.size() ? reply.results[i] : ProduceResult{r.batches[i].partition, Error::unknown_server_error, no_offset};
    batch_done(c, std::move(r.batches[i]), result.error, result.base_offset);
  }
}

bool Client::next_in_sequence(const PartitionQueue& q, Sequence s) const {
  return q.last_acked == no_sequence ? s == 0 : s == add_sequence(q.last_acked, 1);
}

std::vector<std::pair<Sequence, std::uint64_t>>::iterator Client::find_outstanding(PartitionQueue& q, const ProducerBatch& batch) {
  return std::find_if(q.outstanding.begin(), q.outstanding.end(), [&](const auto& o) { return o.second == batch.number; });
}

void Client::forget_outstanding(PartitionQueue& q, const ProducerBatch& batch) {
  q.outstanding.erase(std::remove_if(q.outstanding.begin(), q.outstanding.end(), [&](const auto& o) { return o.second == batch.number; }), q.outstanding.end());
}

// Sender.completeBatch.
void Client::batch_done(Context& c, ProducerBatch batch, Error error, Offset base_offset) {
  PartitionQueue& q = queues_[batch.partition];
  if (batch.calls.empty()) {
    forget_outstanding(q, batch);  // it had expired; nobody waits for it
    return;
  }
  if (error == Error::none || error == Error::duplicate_sequence_number) {
    if (batch.has_sequence()) {
      if (batch.producer_id == q.producer_id && batch.producer_epoch == q.producer_epoch) q.last_acked = std::max(q.last_acked, batch.last_sequence());
      forget_outstanding(q, batch);
    }
    for (std::size_t i = 0; i < batch.calls.size(); ++i) {
      Answer a;
      a.place = c.names().id(place(batch.partition));
      a.position = base_offset == no_offset ? -1 : base_offset + static_cast<Offset>(i);
      if (cluster_->holds_dead_letters(batch.partition)) a.flags = op_flag::dead_letter;
      buffered_bytes_ -= batch.records[i].size;
      complete(c, batch.calls[i], std::move(a));
    }
    return;
  }
  if (indeterminate(error)) batch.ambiguous = true;
  if (error == Error::not_leader_or_follower || error == Error::unknown_topic_or_partition || error == Error::network_exception ||
      error == Error::fenced_leader_epoch || error == Error::kafka_storage_error)
    want_metadata(c);
  const bool in_time = c.now() - batch.created < producer_.delivery_timeout;
  bool again = in_time && batch.attempts <= producer_.retries && retriable(error);
  if (error == Error::out_of_order_sequence_number && producer_.idempotence && in_time) {
    // TransactionManager.canRetry: not the next in line, so an earlier one is still open; else renumber.
    const bool behind = !q.unresolved && (batch.sequence_reset || !next_in_sequence(q, batch.base_sequence));
    if (!transactional()) {
      if (!behind) rewrite_.push_back(batch.partition);
      again = true;
    } else {
      // It does not renumber what may be in the log already; librdkafka drains, and gives the transaction up.
      again = behind && producer_.library == ClientLibrary::java && batch.attempts <= producer_.retries;
    }
  }
  if (again) {
    c.mark("producer_retry", place(batch.partition), fmt::format("{}: {} record{} again, attempt {}", name(error), batch.records.size(), batch.records.size() == 1 ? "" : "s", batch.attempts + 1));
    requeue(c, std::move(batch));
    return;
  }
  fail_batch(c, batch, error, in_time && batch.attempts <= producer_.retries);
}

// A retried batch goes before all that follow it.
void Client::requeue(Context& c, ProducerBatch batch) {
  PartitionQueue& q = queues_[batch.partition];
  wake_at(c, batch.last_attempt + producer_.retry_backoff);
  if (producer_.split_on_retry && batch.records.size() > 1) {
    // Against the rule: the halves have bounds of their own, which no broker can recognise.
    ProducerBatch half = batch;
    const auto middle = static_cast<std::ptrdiff_t>(batch.records.size() / 2);
    half.number = next_batch_++;
    half.records.assign(batch.records.begin() + middle, batch.records.end());
    half.calls.assign(batch.calls.begin() + middle, batch.calls.end());
    batch.records.resize(static_cast<std::size_t>(middle));
    batch.calls.resize(static_cast<std::size_t>(middle));
    if (half.has_sequence()) {
      half.base_sequence = add_sequence(batch.base_sequence, static_cast<std::int32_t>(middle));
      q.outstanding.insert(find_outstanding(q, batch) + 1, {half.base_sequence, half.number});
    }
    insert_in_sequence_order(q, std::move(half));
    ++queued_;
  }
  insert_in_sequence_order(q, std::move(batch));
  ++queued_;
}

// RecordAccumulator.insertInSequenceOrder; without numbers the last to be retried comes to stand first.
void Client::insert_in_sequence_order(PartitionQueue& q, ProducerBatch batch) {
  auto at = q.queue.begin();
  if (batch.has_sequence()) {
    const auto place = find_outstanding(q, batch);
    while (at != q.queue.end() && at->has_sequence() && find_outstanding(q, *at) < place) ++at;
  }
  q.queue.insert(at, std::move(batch));
}

void Client::fail_batch(Context& c, const ProducerBatch& batch, Error error, bool adjust_sequences) {
  PartitionQueue& q = queues_[batch.partition];
  if (transactional()) {
    txn_batch_failed(c, batch, error, adjust_sequences);
  } else if (batch.has_sequence()) {
    forget_outstanding(q, batch);
    // Its numbers will never be used: the rest gets new ones, under a new epoch (KIP-360).
    if (adjust_sequences) rewrite_.push_back(batch.partition);
  }
  end_batch(c, batch, error);
}

// The application hears that its records were given up.
void Client::end_batch(Context& c, const ProducerBatch& batch, Error error) {
  // Only an attempt that ended so that it may have taken effect leaves the outcome open.
  const Outcome o = batch.ambiguous ? Outcome::info : Outcome::fail;
  for (std::size_t i = 0; i < batch.calls.size(); ++i) {
    buffered_bytes_ -= batch.records[i].size;
    complete(c, batch.calls[i], outcome(c, o, error));
  }
}

// delivery.timeout.ms, of batches that wait and of those on the wire (KIP-91).
void Client::expire(Context& c) {
  if (queued_ == 0 && produce_in_flight_ == 0) return;
  Time next = time_max;
  for (PartitionQueue& q : queues_)
    for (std::size_t i = 0; i < q.queue.size();) {
      const Time due = saturating_add(q.queue[i].created, producer_.delivery_timeout);
      if (due > c.now()) {
        next = std::min(next, due);
        ++i;
        continue;
      }
      const ProducerBatch batch = std::move(q.queue[i]);
      q.queue.erase(q.queue.begin() + static_cast<std::ptrdiff_t>(i));
      --queued_;
      if (batch.has_sequence()) q.unresolved = true;
      fail_batch(c, batch, Error::delivery_timed_out, false);
    }
  for (Request& r : requests_)
    for (ProducerBatch& batch : r.batches) {
      if (batch.calls.empty()) continue;
      const Time due = saturating_add(batch.created, producer_.delivery_timeout);
      if (due > c.now()) {
        next = std::min(next, due);
        continue;
      }
      ProducerBatch expired = batch;
      batch.calls.clear();
      expired.ambiguous = true;
      if (expired.has_sequence() && expired.attempts > 1) queues_[batch.partition].unresolved = true;
      fail_batch(c, expired, Error::delivery_timed_out, false);
    }
  if (next != time_max) wake_at(c, next);
}

// ---------------------------------------------------------------------------------------------
// Idempotence: producer id, epochs.

// TransactionManager.maybeResolveSequences: once all is in, the last acknowledged number tells.
void Client::resolve_sequences(Context& c) {
  for (PartitionId p = 0; p < queues_.size(); ++p) {
    PartitionQueue& q = queues_[p];
    if (!q.unresolved || !q.outstanding.empty()) continue;
    q.unresolved = false;
    if (next_in_sequence(q, q.next_sequence)) continue;
    if (!transactional()) rewrite_.push_back(p);
    else txn_failed(c, TxnVerdict::abortable_with_bump, Error::delivery_timed_out, place(p));
  }
}

// TransactionManager.bumpIdempotentEpochAndResetIdIfNeeded: a new epoch, in which the partitions in
// trouble begin at 0 again with all that is still open.
void Client::bump_epoch_if_needed(Context& c) {
  if (rewrite_.empty() || producer_id_ == no_producer_id) return;
  std::sort(rewrite_.begin(), rewrite_.end());
  rewrite_.erase(std::unique(rewrite_.begin(), rewrite_.end()), rewrite_.end());
  ++producer_epoch_;
  for (PartitionId p : rewrite_) {
    PartitionQueue& q = queues_[p];
    q.producer_id = producer_id_;
    q.producer_epoch = producer_epoch_;
    q.last_acked = no_sequence;
    q.unresolved = false;
    Sequence next = 0;
    const auto renumber = [&](ProducerBatch& batch) {
      batch.producer_id = producer_id_;
      batch.producer_epoch = producer_epoch_;
      batch.base_sequence = next;
      batch.sequence_reset = true;
      next = add_sequence(next, static_cast<std::int32_t>(batch.records.size()));
    };
    for (auto& [sequence, number] : q.outstanding) {
      for (ProducerBatch& batch : q.queue)
        if (batch.number == number) renumber(batch), sequence = batch.base_sequence;
      for (Request& r : requests_)
        for (ProducerBatch& batch : r.batches)
          if (batch.number == number) renumber(batch), sequence = batch.base_sequence;
    }
    q.next_sequence = next;
    c.mark("producer_epoch_bumped", place(p), fmt::format("producer {} goes on in epoch {} from sequence 0", producer_id_, producer_epoch_));
  }
  rewrite_.clear();
}

void Client::ask_producer_id(Context& c) {
  if (producer_id_asked_) return;
  if (producer_id_retry_at_ > c.now()) {
    wake_at(c, producer_id_retry_at_);
    return;
  }
  for (BrokerId i = 0; i < static_cast<BrokerId>(cluster_->brokers.size()); ++i) {
    const BrokerId b = 1 + (next_broker_ - 1 + i) % static_cast<BrokerId>(cluster_->brokers.size());
    if (!can_connect(c, Purpose::metadata, b)) continue;
    producer_id_asked_ = true;
    request(c, Purpose::metadata, b, Kind::init_producer_id, make_payload<InitProducerId>(), 64, producer_.request_timeout);
    return;
  }
}

void Client::on_producer_id(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  producer_id_asked_ = false;
  const auto& reply = payload_as<InitProducerIdReply>(m.payload);
  if (reply.error != Error::none) {
    producer_id_retry_at_ = c.now() + producer_.retry_backoff;
    return;
  }
  producer_id_ = reply.id;
  producer_epoch_ = reply.epoch;
}

}  // namespace mqlab::kafka
