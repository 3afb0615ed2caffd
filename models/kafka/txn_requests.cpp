// The transactional producer's requests: one to a coordinator at a time, and what its answer does.
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client.h"
#include "models/kafka/transactions.h"

namespace mqlab::kafka {
namespace {

// AddPartitionsToTxnHandler.ADD_PARTITIONS_RETRY_BACKOFF_MS: the last transaction is still being completed, it will not be long.
constexpr Duration first_add_backoff = 20'000'000;

}  // namespace

// ---------------------------------------------------------------------------------------------
// The queue of requests.

TxnIdentity Client::txn_identity() const { return {transactional_id_, producer_id_, producer_epoch_}; }

void Client::enqueue_txn(TxnRequest r) {
  if (r.backoff == 0) r.backoff = producer_.retry_backoff;
  txn_.requests.push_back(std::move(r));
}

void Client::ask_for_partitions() {
  TransactionalProducer& t = txn_;
  if (t.fresh.empty()) return;
  for (const PartitionId p : t.fresh) insert(t.asked, p);
  t.fresh.clear();
  TxnRequest r;
  r.kind = Kind::add_partitions_to_txn;
  r.from = txn_identity();
  r.partitions = t.asked;
  enqueue_txn(std::move(r));
}

void Client::look_up_coordinator(bool of_group) {
  (of_group ? txn_.group_coordinator : txn_.coordinator) = no_broker;
  TxnRequest r;
  r.kind = Kind::find_coordinator;
  r.of_group = of_group;
  enqueue_txn(std::move(r));
}

// TransactionManager.nextRequest. False: nothing may leave now.
bool Client::next_txn_request(Context& c) {
  TransactionalProducer& t = txn_;
  while (true) {
    ask_for_partitions();
    const auto it = std::min_element(t.requests.begin(), t.requests.end(), [](const TxnRequest& a, const TxnRequest& b) { return a.priority() < b.priority(); });
    if (it == t.requests.end()) return false;
    if (it->kind == Kind::end_txn && (queued_ > 0 || unanswered_batches() || !blocked_.empty())) return false;
    TxnRequest r = std::move(*it);
    t.requests.erase(it);
    if (t.failed() && !(t.phase == TxnPhase::abortable_error && r.kind == Kind::find_coordinator)) {
      const Error why = t.error;
      if (r.offsets != 0) end_offsets(c, r.offsets, why, false);
      if (r.ends) end_transition(c, Outcome::fail, why);
      continue;
    }
    if (r.kind == Kind::end_txn && !t.started) {
      // Nothing was added: there is nothing to end.
      complete_transaction();
      if (r.ends) end_transition(c, Outcome::ok, Error::none);
      continue;
    }
    t.held = std::move(r);
    return true;
  }
}

// Batches on the wire that somebody waits for (RecordAccumulator.hasIncomplete).
bool Client::unanswered_batches() const {
  return std::any_of(requests_.begin(), requests_.end(), [](const Request& r) { return std::any_of(r.batches.begin(), r.batches.end(), [](const ProducerBatch& b) { return !b.calls.empty(); }); });
}

// Sender.maybeSendAndPollTransactionalRequest. True: the sender waits or sleeps, and sends no batches meanwhile.
bool Client::work_transactions(Context& c) {
  TransactionalProducer& t = txn_;
  time_limits_of_transactions(c);
  while (!txn_calls_.empty() && blocked_.empty()) {
    const Call call = std::move(txn_calls_.front());
    txn_calls_.pop_front();
    take_txn_call(c, call);
  }
  const bool one_thread = producer_.library == ClientLibrary::java;
  while (true) {
    if (t.phase == TxnPhase::fatal_error) {
      abort_batches(c, t.error, true);
      return true;
    }
    if (t.word != 0) return one_thread;
    if (!t.held) {
      if (t.phase == TxnPhase::abortable_error || t.phase == TxnPhase::aborting)
        abort_batches(c, t.error == Error::none ? Error::transaction_aborted : t.error, false);
      if (!next_txn_request(c)) return false;
    }
    if (!send_txn_request(c)) return one_thread;
  }
}

// max.block.ms: the application waits no longer, the library goes on.
void Client::time_limits_of_transactions(Context& c) {
  if (txn_.transition && txn_.transition->call != 0) {
    TxnTransition& t = *txn_.transition;
    if (t.deadline > c.now()) {
      wake_at(c, t.deadline);
    } else {
      const CallId call = t.call;
      t.call = 0;
      t.begins = false;
      complete(c, call, outcome(c, t.of == TxnTransition::Of::init ? Outcome::fail : Outcome::info, Error::request_timed_out));
    }
  }
  for (std::size_t i = 0; i < txn_.offsets.size(); ++i) {
    if (txn_.offsets[i].deadline > c.now()) {
      wake_at(c, txn_.offsets[i].deadline);
      continue;
    }
    const TxnOffsets late = txn_.offsets[i];
    txn_.offsets[i].call = 0;
    txn_.offsets[i].deadline = time_max;
    return tell_offsets(c, late, Error::request_timed_out, true);
  }
}

// The one that was chosen: to whom, after which rest. False: not yet.
bool Client::send_txn_request(Context& c) {
  TransactionalProducer& t = txn_;
  if (t.asleep_until > c.now()) {
    wake_at(c, t.asleep_until);
    return false;
  }
  const bool of_group = t.held->kind == Kind::txn_offset_commit;
  BrokerId to = no_broker;
  if (t.held->kind == Kind::find_coordinator) {
    const auto n = static_cast<BrokerId>(cluster_->brokers.size());
    for (BrokerId i = 0; i < n && to == no_broker; ++i)
      if (const BrokerId b = 1 + (next_broker_ - 1 + i) % n; can_connect(c, Purpose::produce, b)) to = b;
    if (to == no_broker) return false;
    next_broker_ = 1 + to % n;
  } else {
    to = of_group ? t.group_coordinator : t.coordinator;
    if (to == no_broker) {
      // maybeFindCoordinatorAndRetry.
      TxnRequest again = std::move(*t.held);
      t.held.reset();
      again.retry = true;
      enqueue_txn(std::move(again));
      look_up_coordinator(of_group);
      return true;
    }
    if (!can_connect(c, Purpose::produce, to)) return false;
  }
  if (t.held->retry) {
    t.held->retry = false;
    t.asleep_until = saturating_add(c.now(), t.held->backoff);
    wake_at(c, t.asleep_until);
    return false;
  }
  t.in_flight = std::move(t.held);
  t.held.reset();
  const Kind k = t.in_flight->kind;
  t.word = request(c, Purpose::produce, to, k, txn_payload(*t.in_flight), 128, producer_.request_timeout);
  return true;
}

PayloadRef Client::txn_payload(const TxnRequest& r) const {
  switch (r.kind) {
    case Kind::find_coordinator: {
      FindCoordinator m;
      m.group = r.of_group ? consumer_.group : transactional_id_;
      m.transactional = !r.of_group;
      return make_payload<FindCoordinator>(std::move(m));
    }
    case Kind::init_producer_id: {
      InitProducerId m;
      m.transactional_id = transactional_id_;
      m.timeout = producer_.transaction_timeout;
      m.id = r.from.id;
      m.epoch = r.from.epoch;
      return make_payload<InitProducerId>(std::move(m));
    }
    case Kind::add_partitions_to_txn: {
      AddPartitionsToTxn m;
      m.from = r.from;
      m.partitions = r.partitions;
      return make_payload<AddPartitionsToTxn>(std::move(m));
    }
    case Kind::add_offsets_to_txn: {
      AddOffsetsToTxn m;
      m.from = r.from;
      m.group = consumer_.group;
      return make_payload<AddOffsetsToTxn>(std::move(m));
    }
    case Kind::txn_offset_commit: {
      TxnOffsetCommit m;
      m.from = r.from;
      m.group = consumer_.group;
      m.adds_group = txn_version() == TxnVersion::tv2;
      for (const TxnOffsets& o : txn_.offsets) {
        if (o.number != r.offsets) continue;
        m.generation = o.generation;
        m.member = o.member;
        m.instance = o.instance;
        for (const TxnOffsets::Part& part : o.parts) m.offsets.push_back(part.offset);
      }
      return make_payload<TxnOffsetCommit>(std::move(m));
    }
    default: {
      EndTxn m;
      m.from = r.from;
      m.commit = r.commit;
      m.version = txn_version();
      return make_payload<EndTxn>(std::move(m));
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Answers.

// TxnRequestHandler.onComplete: disconnected. The request may have been executed, and may yet be. True if it was one.
bool Client::txn_request_lost(const Request& r) {
  TransactionalProducer& t = txn_;
  if (t.word == 0 || r.word != t.word) return false;
  t.word = 0;
  TxnRequest again = std::move(*t.in_flight);
  t.in_flight.reset();
  again.retry = true;
  if (again.kind == Kind::end_txn) t.end_ambiguous = true;
  if (again.kind == Kind::txn_offset_commit)
    for (TxnOffsets& o : t.offsets)
      if (o.number == again.offsets) o.ambiguous = true;
  if (again.kind != Kind::find_coordinator) look_up_coordinator(again.kind == Kind::txn_offset_commit);
  enqueue_txn(std::move(again));
  return true;
}

void Client::on_txn_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  TransactionalProducer& t = txn_;
  if (r.word == 0 || r.word != t.word) return;
  peer(r.purpose, r.broker).backoff = 0;
  t.word = 0;
  TxnRequest q = std::move(*t.in_flight);
  t.in_flight.reset();
  Error e{};
  switch (r.kind) {
    case Kind::find_coordinator: e = payload_as<FindCoordinatorReply>(m.payload).error; break;
    case Kind::init_producer_id: e = payload_as<InitProducerIdReply>(m.payload).error; break;
    case Kind::add_partitions_to_txn: e = payload_as<AddPartitionsToTxnReply>(m.payload).error; break;
    case Kind::add_offsets_to_txn: e = payload_as<AddOffsetsToTxnReply>(m.payload).error; break;
    case Kind::txn_offset_commit: e = payload_as<TxnOffsetCommitReply>(m.payload).error; break;
    default: e = payload_as<EndTxnReply>(m.payload).error; break;
  }
  if (t.phase == TxnPhase::fatal_error) {
    if (q.offsets != 0) end_offsets(c, q.offsets, e == Error::none ? t.error : e, true);
    return;
  }
  const TxnVerdict v = txn_verdict(producer_.library, txn_version() == TxnVersion::tv2, r.kind, e);
  switch (v) {
    case TxnVerdict::done: return txn_done(c, std::move(q), m);
    case TxnVerdict::refresh:
    case TxnVerdict::again:
      // Who coordinated may have written it and have lost its lead only then.
      if (q.kind == Kind::end_txn && e != Error::concurrent_transactions && e != Error::coordinator_load_in_progress) t.end_ambiguous = true;
      if (q.kind == Kind::txn_offset_commit && e != Error::coordinator_load_in_progress && e != Error::concurrent_transactions)
        for (TxnOffsets& o : t.offsets)
          if (o.number == q.offsets) o.ambiguous = true;
      if (v == TxnVerdict::refresh) look_up_coordinator(q.kind == Kind::txn_offset_commit);
      q.retry = true;
      q.backoff = q.kind == Kind::add_partitions_to_txn && e == Error::concurrent_transactions && t.partitions.empty() ? std::min(first_add_backoff, producer_.retry_backoff) : producer_.retry_backoff;
      return enqueue_txn(std::move(q));
    default: break;
  }
  if (q.kind == Kind::add_partitions_to_txn) t.asked.clear();
  txn_failed(c, v, e, {});
  if (e == Error::invalid_producer_epoch && v == TxnVerdict::fatal) e = Error::producer_fenced;
  if (q.offsets != 0) end_offsets(c, q.offsets, e, false);
  // A fatal error has ended the call already, and the application may have a new producer by now.
  if (q.ends && v != TxnVerdict::fatal) end_transition(c, Outcome::fail, e);
}

void Client::txn_done(Context& c, TxnRequest q, const Message& m) {
  TransactionalProducer& t = txn_;
  switch (q.kind) {
    case Kind::find_coordinator:
      (q.of_group ? t.group_coordinator : t.coordinator) = payload_as<FindCoordinatorReply>(m.payload).broker;
      return;
    case Kind::init_producer_id: {
      const auto& reply = payload_as<InitProducerIdReply>(m.payload);
      producer_id_ = reply.id;
      producer_epoch_ = reply.epoch;
      t.phase = TxnPhase::ready;
      t.error = Error::none;
      reset_sequences();
      c.mark("transactional_producer_ready", {}, fmt::format("{} is producer {} in epoch {}", transactional_id_, producer_id_, producer_epoch_));
      return end_transition(c, Outcome::ok, Error::none);
    }
    case Kind::add_partitions_to_txn:
      for (const PartitionId p : q.partitions) {
        insert(t.partitions, p);
        std::erase(t.asked, p);
      }
      t.started = true;
      return;
    case Kind::add_offsets_to_txn: {
      t.started = true;
      TxnRequest commit;
      commit.kind = Kind::txn_offset_commit;
      commit.from = q.from;
      commit.offsets = q.offsets;
      return enqueue_txn(std::move(commit));
    }
    case Kind::txn_offset_commit: return end_offsets(c, q.offsets, Error::none, false);
    default: {
      // TV2: the next transaction has an epoch of its own, and its sequences begin at 0.
      const auto& reply = payload_as<EndTxnReply>(m.payload);
      if (reply.id != no_producer_id) {
        producer_id_ = reply.id;
        producer_epoch_ = reply.epoch;
        reset_sequences();
      }
      complete_transaction();
      if (q.ends) end_transition(c, Outcome::ok, Error::none);
      return;
    }
  }
}

}  // namespace mqlab::kafka
