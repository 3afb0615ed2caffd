// A leader's part in transactions: whether one may begin in its partition, and the markers that end it.
//
// Sources: ReplicaManager.handleProduceAppend, maybeSendPartitionsToTransactionCoordinator; AddPartitionsToTxnManager;
// KafkaApis.handleWriteTxnMarkersRequest; KIP-890, KIP-664.
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {
namespace {

constexpr Duration add_retry_limit = 100'000'000;  // add.partitions.to.txn.retry.backoff.max.ms

// AddPartitionsToTxnHandler.onComplete: what producers know how to take.
Error for_producer(Error e, TxnVersion client) {
  if (e == Error::producer_fenced) return Error::invalid_producer_epoch;
  if (e == Error::transaction_abortable && client == TxnVersion::tv0) return Error::invalid_txn_state;
  return e;
}

// ReplicaManager: errors that an old producer may not retry become one that it does, and that costs no new metadata.
// At TV2 a transaction that is still being ended is common, and named.
Error for_append(Error e, TxnVersion client) {
  switch (e) {
    case Error::network_exception:
    case Error::coordinator_load_in_progress:
    case Error::coordinator_not_available:
    case Error::not_coordinator: return Error::not_enough_replicas;
    case Error::concurrent_transactions: return client == TxnVersion::tv2 ? e : Error::not_enough_replicas;
    default: return e;
  }
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// A transaction begins here.

// Asks the coordinator about those partitions of the request in which its transaction is not open yet; then, or at once
// if there are none, the request goes on.
void Broker::verify_then(Context& c, TxnQuestion q) {
  const TxnVersion version = cluster_->settings.transactions.version;
  if (q.from.transactional_id.empty() || (q.version != TxnVersion::tv2 && version == TxnVersion::tv0)) return go_on(c, q);
  if (!q.waited) q.began = c.now();
  bool asks = false;
  for (TxnCheck& check : q.checks) {
    check.guard = 0;
    check.error = Error::none;
    Replica& r = replicas_[check.partition];
    const ProducerStates& producers = log_of(check.partition).producers();
    const ProducerEntry* known = producers.find(q.from.id);
    if (r.role != Role::leader) check.error = r.role == Role::none ? Error::unknown_topic_or_partition : Error::not_leader_or_follower;
    else if (known && q.from.epoch < known->epoch) check.error = Error::invalid_producer_epoch;
    else if (!producers.in_transaction(q.from.id, q.from.epoch))
      check.guard = r.verifications.begin(q.from.id, q.from.epoch, check.sequence, q.version == TxnVersion::tv2, next_guard_, c.wall());
    asks = asks || check.guard != 0;
  }
  if (!asks) return go_on(c, q);
  if (!q.waited && q.to.connection != no_connection) mute(q.to.connection);
  q.waited = true;
  const auto home = cluster_->internal_partition(transaction_topic, q.from.transactional_id);
  const BrokerId coordinator = home ? image_.partitions[*home].leader : no_broker;
  if (coordinator == no_broker) return take_verdict(c, std::move(q), AddPartitionsToTxnReply(Error::coordinator_not_available));
  AddPartitionsToTxn ask;
  ask.from = q.from;
  ask.verify_only = q.version != TxnVersion::tv2;
  ask.of_broker = true;
  for (const TxnCheck& check : q.checks)
    if (check.guard != 0) ask.partitions.push_back(check.partition);
  q.number = next_number_++;
  const std::uint64_t number = q.number;
  questions_.push_back(std::move(q));
  ask_broker(c, coordinator, Kind::add_partitions_to_txn, make_payload<AddPartitionsToTxn>(std::move(ask)), number);
}

bool Broker::take_question(std::uint64_t number, TxnQuestion& q) {
  const auto at = std::find_if(questions_.begin(), questions_.end(), [&](const TxnQuestion& x) { return x.number == number; });
  if (at == questions_.end()) return false;
  q = std::move(*at);
  questions_.erase(at);
  return true;
}

void Broker::on_add_partitions_answer(Context& c, std::uint64_t number, const AddPartitionsToTxnReply& reply) {
  TxnQuestion q;
  if (take_question(number, q)) take_verdict(c, std::move(q), reply);
}

void Broker::take_verdict(Context& c, TxnQuestion q, const AddPartitionsToTxnReply& reply) {
  bool concurrent = false;
  for (TxnCheck& check : q.checks) {
    if (check.guard == 0) continue;
    check.error = reply.error;
    for (const auto& [partition, error] : reply.partitions)
      if (reply.error == Error::none && partition == check.partition) check.error = error;
    check.error = for_producer(check.error, q.version);
    concurrent = concurrent || check.error == Error::concurrent_transactions;
  }
  // The transaction before is still being ended. Sending the batch again costs more than asking again.
  const Duration limit = std::min(add_retry_limit, cluster_->settings.request_timeout);
  if (concurrent && q.version == TxnVersion::tv2 && c.now() - q.began < limit) {
    q.number = next_number_++;
    c.set_timer(cluster_->settings.transactions.add_retry_backoff, timer_txn_verify, q.number);
    questions_.push_back(std::move(q));
    return;
  }
  for (TxnCheck& check : q.checks)
    if (check.guard != 0) {
      if (check.error != Error::none) c.mark("transaction_not_verified", place(check.partition), fmt::format("producer {}: {}", q.from.id, name(check.error)));
      if (q.kind == Kind::produce) check.error = for_append(check.error, q.version);
    }
  go_on(c, q);
}

void Broker::ask_coordinator_again(Context& c, std::uint64_t number) {
  TxnQuestion q;
  if (take_question(number, q)) verify_then(c, std::move(q));
}

// The network does not tell whether the coordinator heard it.
void Broker::questions_lost(Context& c, const std::vector<std::uint64_t>& numbers) {
  for (const std::uint64_t number : numbers) on_add_partitions_answer(c, number, AddPartitionsToTxnReply(Error::network_exception));
}

void Broker::go_on(Context& c, const TxnQuestion& q) {
  switch (q.kind) {
    case Kind::produce: return produce(c, q.to, payload_as<ProduceRequest>(q.request), q.bytes, &q);
    case Kind::txn_offset_commit: return commit_offsets_in_transaction(c, q);
    default: return;
  }
}

// What an append may rely on beside the log. `check` is null if nothing of the request was looked up.
Admission Broker::admission(PartitionId p, const Batch& batch, const TxnCheck* check) const {
  Admission a;
  const Replica& r = replicas_[p];
  const Verification* v = r.verifications.find(batch.producer_id);
  if (v) {
    a.lowest = v->lowest;
    a.first_is_zero = v->of_tv2;
  }
  if (batch.transactional && cluster_->settings.transactions.version != TxnVersion::tv0)
    a.verified = check && r.verifications.holds(batch.producer_id, check->guard);
  return a;
}

// ---------------------------------------------------------------------------------------------
// A transaction ends here.

// One answer for all markers of the request, when each is replicated or refused. They are appended as with acks=all; one
// that was sent twice is written twice.
void Broker::on_write_txn_markers(Context& c, const Waiting& from, const PayloadRef& request) {
  ParkedProduce parked;
  parked.to = from;
  parked.kind = Kind::write_txn_markers;
  bool all_done = true;
  for (const TxnMarker& m : payload_as<WriteTxnMarkers>(request).markers)
    for (const PartitionId p : m.partitions) {
      ParkedProduce::Part part;
      part.producer = m.id;
      part.result = append_marker(c, p, m, part.required);
      part.done = part.result.error != Error::none;
      all_done = all_done && part.done;
      parked.parts.push_back(std::move(part));
    }
  if (all_done) return answer_parked(c, parked);
  parked.number = next_number_++;
  parked.timer = c.set_timer(cluster_->settings.request_timeout, timer_produce, parked.number);
  std::vector<PartitionId> written;
  for (const ParkedProduce::Part& part : parked.parts)
    if (!part.done) written.push_back(part.result.partition);
  produces_.push_back(std::move(parked));
  for (const PartitionId p : written) finish_produces(c, p);
}

ProduceResult Broker::append_marker(Context& c, PartitionId p, const TxnMarker& m, Offset& required) {
  ProduceResult refused;
  refused.partition = p;
  if (replicas_[p].role == Role::none) {
    refused.error = Error::unknown_topic_or_partition;
    return refused;
  }
  // Of a group's partition the group coordinator writes it: one that is not there yet sounds as if the leader were not.
  if (is_coordinated(p) && (!seat_of(p) || seat_of(p)->loading)) {
    refused.error = Error::not_leader_or_follower;
    return refused;
  }
  PartitionBatch b;
  b.partition = p;
  b.batch = make_marker(m.commit ? Control::commit : Control::abort, m.id, m.epoch, c.wall(), m.coordinator_epoch);
  Admission a;
  a.strict_epoch = m.version == TxnVersion::tv2 && cluster_->settings.transactions.strict_marker_epoch;
  const ProduceResult result = append(c, b, -1, required, a);
  if (result.error == Error::none && is_coordinated(p)) on_offsets_marker(c, p, b.batch);
  ++state_appends_;
  if (result.error != Error::none)
    c.mark("marker_refused", place(p), fmt::format("{} of producer {} epoch {}: {}", m.commit ? "commit" : "abort", m.id, m.epoch, name(result.error)));
  return result;
}

// abort_transaction "orders/0 7": the operator ends a transaction that its coordinator knows nothing of (KIP-664,
// kafka-transactions.sh abort). The marker has the producer's own epoch, and the last coordinator's.
void Broker::abort_transaction(Context& c, const std::string& argument) {
  const std::size_t space = argument.find(' ');
  PartitionId p = 0;
  if (space == std::string::npos || !cluster_->partition(argument.substr(0, space), p) || replicas_[p].role != Role::leader) return;
  ProducerId id = 0;
  for (const char ch : argument.substr(space + 1)) {
    if (ch < '0' || ch > '9' || id > 1'000'000'000'000) return c.mark("command_refused", place(p), fmt::format("no producer is called {}", argument.substr(space + 1)));
    id = id * 10 + (ch - '0');
  }
  const ProducerEntry* known = log_of(p).producers().find(id);
  if (!known || known->open_transaction == no_offset) return c.mark("command_refused", place(p), fmt::format("producer {} has no open transaction", id));
  TxnMarker m;
  m.id = id;
  m.epoch = known->epoch;
  m.coordinator_epoch = std::max(known->coordinator_epoch, 0);
  Offset required = 0;
  const Offset first = known->open_transaction;
  if (append_marker(c, p, m, required).error == Error::none) c.mark("transaction_aborted", place(p), fmt::format("of producer {}, from {}, by the operator", id, first));
}

// The high watermark has moved: transactions that ended below it are decided for readers of committed records.
void Broker::settle_transactions(Context& c, PartitionId p) {
  PartitionLog& log = log_of(p);
  if (log.producers().open().empty() && log.producers().ended().empty()) return;
  Replica& r = replicas_[p];
  log.settle(r.high_watermark);
  const Offset stable = log.last_stable(r.high_watermark);
  if (stable == r.stable_told) return;
  r.stable_told = stable;
  c.mark("stable_position", place(p), std::to_string(stable));
}

void Broker::add_transactions(Tree& t, PartitionId p) const {
  const PartitionLog& log = durable_[p].log;
  const auto took_part = [](const ProducerEntry& e) { return e.open_transaction != no_offset || e.coordinator_epoch >= 0; };
  if (std::none_of(log.producers().entries().begin(), log.producers().entries().end(), took_part)) return;
  t.add("stable", std::to_string(log.last_stable(replicas_[p].high_watermark)));
  std::string open;
  for (const OpenTxn& o : log.producers().open()) open += fmt::format("{}producer {} from {}", open.empty() ? "" : ", ", o.id, o.first);
  if (!open.empty()) t.add("open transactions", open);
}

}  // namespace mqlab::kafka
