// The transactional producer: one state, one request to a coordinator at a time.
#include "models/kafka/transactions.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client.h"

namespace mqlab::kafka {
namespace {

// AddPartitionsToTxnHandler.ADD_PARTITIONS_RETRY_BACKOFF_MS: the last transaction is still being completed, it will not be long.
constexpr Duration first_add_backoff = 20'000'000;

bool holds(const std::vector<PartitionId>& v, PartitionId p) { return std::binary_search(v.begin(), v.end(), p); }
void insert(std::vector<PartitionId>& v, PartitionId p) {
  const auto at = std::lower_bound(v.begin(), v.end(), p);
  if (at == v.end() || *at != p) v.insert(at, p);
}

TxnVerdict java_verdict(bool tv2, Kind k, Error e) {
  using V = TxnVerdict;
  const bool offsets = k == Kind::txn_offset_commit;
  const bool init = k == Kind::init_producer_id;
  const bool find = k == Kind::find_coordinator;
  if (!find && (e == Error::not_coordinator || e == Error::coordinator_not_available)) return V::refresh;
  if (offsets && e == Error::request_timed_out) return V::refresh;
  if (retriable(e)) return V::again;
  switch (e) {
    case Error::transaction_abortable: return V::abortable;
    case Error::unknown_producer_id: return init || find || offsets ? V::fatal : V::abortable_with_bump;
    // KIP-1050 (4.0): the coordinator has forgotten the id, and so will this producer be forgotten.
    case Error::invalid_producer_id_mapping: return init || find || offsets || tv2 ? V::fatal : V::abortable_with_bump;
    case Error::fenced_instance_id:
    case Error::unknown_member_id:
    case Error::illegal_generation: return offsets ? V::abortable : V::fatal;
    case Error::invalid_producer_epoch:
    case Error::producer_fenced:
    case Error::invalid_txn_state: return V::fatal;
    default: return k == Kind::add_partitions_to_txn ? V::abortable : V::fatal;
  }
}

// rd_kafka_txn_handle_AddPartitionsToTxn, .._AddOffsetsToTxn, .._TxnOffsetCommit, .._EndTxn; what they do not name is permanent.
TxnVerdict librdkafka_verdict(Kind k, Error e) {
  using V = TxnVerdict;
  const bool offsets = k == Kind::txn_offset_commit;
  if (k == Kind::init_producer_id || k == Kind::find_coordinator) return java_verdict(false, k, e);
  switch (e) {
    case Error::not_coordinator:
    case Error::coordinator_not_available: return V::refresh;
    case Error::request_timed_out: return offsets || k == Kind::add_offsets_to_txn ? V::refresh : V::abortable;
    case Error::coordinator_load_in_progress:
    case Error::concurrent_transactions: return V::again;
    case Error::unknown_topic_or_partition: return k == Kind::end_txn ? V::abortable : V::again;
    case Error::unknown_producer_id: return offsets ? V::abortable : V::abortable_with_bump;
    case Error::invalid_producer_id_mapping: return offsets ? V::fatal : V::abortable_with_bump;
    case Error::producer_fenced: return offsets || k == Kind::add_offsets_to_txn ? V::abortable : V::fatal;
    case Error::invalid_producer_epoch:
    case Error::invalid_txn_state: return V::fatal;
    default: return V::abortable;
  }
}

}  // namespace

const char* name(TxnPhase p) {
  switch (p) {
    case TxnPhase::uninitialized: return "UNINITIALIZED";
    case TxnPhase::initializing: return "INITIALIZING";
    case TxnPhase::ready: return "READY";
    case TxnPhase::in_transaction: return "IN_TRANSACTION";
    case TxnPhase::committing: return "COMMITTING_TRANSACTION";
    case TxnPhase::aborting: return "ABORTING_TRANSACTION";
    case TxnPhase::abortable_error: return "ABORTABLE_ERROR";
    case TxnPhase::fatal_error: return "FATAL_ERROR";
  }
  return "";
}

TxnVerdict txn_verdict(ClientLibrary library, bool tv2, Kind request, Error e) {
  if (e == Error::none) return TxnVerdict::done;
  return library == ClientLibrary::java ? java_verdict(tv2, request, e) : librdkafka_verdict(request, e);
}

TxnVerdict batch_verdict(ClientLibrary library, bool tv2, Error e, bool head) {
  if (library == ClientLibrary::librdkafka) {
    // rd_kafka_handle_Produce_error, rd_kafka_handle_idempotent_Produce_error.
    if (e == Error::invalid_producer_epoch || (e == Error::out_of_order_sequence_number && head)) return TxnVerdict::fatal;
    const bool bump = e == Error::out_of_order_sequence_number || e == Error::unknown_producer_id;
    return bump ? TxnVerdict::abortable_with_bump : TxnVerdict::abortable;
  }
  // TransactionManager.maybeTransitionToErrorState. An old epoch alone is abortable (KIP-588): the abort will tell whether
  // the producer was fenced.
  const bool fatal = e == Error::producer_fenced || e == Error::unsupported_version || (tv2 && e == Error::invalid_producer_id_mapping);
  return fatal ? TxnVerdict::fatal : TxnVerdict::abortable_with_bump;
}

// ---------------------------------------------------------------------------------------------
// Calls of the application.

// The version of the protocol that this client speaks with this cluster; librdkafka's EndTxn ends at version 1.
TxnVersion Client::txn_version() const {
  return producer_.library == ClientLibrary::java ? cluster_->settings.transactions.version : TxnVersion::tv0;
}

void Client::txn_call(Context& c, const Call& call) {
  if (!produces_ || (!transactional() && call.verb != "new_producer")) return complete(c, call.id, outcome(c, Outcome::fail, Error::illegal_state));
  // One thread calls: what it sent before is in the accumulator first.
  if (!blocked_.empty() || !txn_calls_.empty()) txn_calls_.push_back(call);
  else take_txn_call(c, call);
}

void Client::take_txn_call(Context& c, const Call& call) {
  switch (call.kind) {
    case CallKind::begin: return begin_call(c, call);
    case CallKind::end_commit: return end_call(c, call, true);
    case CallKind::end_abort: return end_call(c, call, false);
    case CallKind::send_offsets: return send_offsets_call(c, call);
    default: return call.verb == "new_producer" ? new_producer_call(c, call) : init_call(c, call);
  }
}

// handleCachedTransactionRequestResult, throwIfPendingState: after a call that took too long only the same call is taken,
// and it gets the first one's result. True: the call is dealt with.
bool Client::repeats_transition(Context& c, const Call& call, TxnTransition::Of of) {
  if (!txn_.transition) return false;
  TxnTransition& t = *txn_.transition;
  if (t.call != 0 || t.of != of) {
    complete(c, call.id, outcome(c, Outcome::fail, Error::illegal_state));
    return true;
  }
  t.call = call.id;
  t.begins = call.kind == CallKind::begin;
  t.deadline = saturating_add(c.now(), producer_.max_block);
  if (t.done) end_transition(c, t.outcome, t.error);
  return true;
}

// maybeFailWithError, and the rule of which state follows which.
bool Client::refuses(Context& c, const Call& call, std::initializer_list<TxnPhase> allowed) {
  const bool in = std::find(allowed.begin(), allowed.end(), txn_.phase) != allowed.end();
  if (in) return false;
  complete(c, call.id, outcome(c, Outcome::fail, txn_.failed() ? txn_.error : Error::illegal_state));
  return true;
}

void Client::init_call(Context& c, const Call& call) {
  if (repeats_transition(c, call, TxnTransition::Of::init) || refuses(c, call, {TxnPhase::uninitialized})) return;
  begin_init(c, call);
}

void Client::begin_init(Context& c, const Call& call) {
  txn_.phase = TxnPhase::initializing;
  txn_.transition = TxnTransition{TxnTransition::Of::init, call.id, call.kind == CallKind::begin, saturating_add(c.now(), producer_.max_block)};
  TxnRequest r;
  r.kind = Kind::init_producer_id;
  r.ends = true;
  r.from.transactional_id = transactional_id_;
  enqueue_txn(std::move(r));
}

// beginTransaction: nothing is sent. The first one initialises the producer, if the application has not.
void Client::begin_call(Context& c, const Call& call) {
  if (repeats_transition(c, call, TxnTransition::Of::init) || refuses(c, call, {TxnPhase::uninitialized, TxnPhase::ready})) return;
  if (txn_.phase == TxnPhase::uninitialized) return begin_init(c, call);
  txn_.phase = TxnPhase::in_transaction;
  complete(c, call.id, Answer{});
}

// beginCommit, beginAbort, beginCompletingTransaction.
void Client::end_call(Context& c, const Call& call, bool commit) {
  const auto of = commit ? TxnTransition::Of::commit : TxnTransition::Of::abort;
  if (repeats_transition(c, call, of)) return;
  if (commit ? refuses(c, call, {TxnPhase::in_transaction}) : refuses(c, call, {TxnPhase::in_transaction, TxnPhase::abortable_error})) return;
  TransactionalProducer& t = txn_;
  t.phase = commit ? TxnPhase::committing : TxnPhase::aborting;
  t.error = Error::none;
  t.end_ambiguous = false;
  if (!commit) t.fresh.clear();  // nobody will need them
  ask_for_partitions();
  TxnRequest end;
  end.kind = Kind::end_txn;
  end.commit = commit;
  end.ends = !t.bump_required;
  end.from = txn_identity();
  enqueue_txn(std::move(end));
  if (t.bump_required) {
    TxnRequest bump;
    bump.kind = Kind::init_producer_id;
    bump.bumps = bump.ends = true;
    bump.from = txn_identity();
    enqueue_txn(std::move(bump));
  }
  t.transition = TxnTransition{of, call.id, false, saturating_add(c.now(), producer_.max_block)};
}

void Client::send_offsets_call(Context& c, const Call& call) {
  TransactionalProducer& t = txn_;
  const auto refuse = [&](Error e) { complete(c, call.id, outcome(c, Outcome::fail, e)); };
  if (consumer_.group.empty() || shares()) return refuse(Error::invalid_request);
  if (t.transition) return refuse(Error::illegal_state);
  if (refuses(c, call, {TxnPhase::in_transaction})) return;
  TxnOffsets o;
  if (call.place == 0) {
    for (CommittedOffset& x : consumed()) o.parts.push_back({std::move(x), no_op});
  } else {
    PartitionId p = 0;
    if (!cluster_->partition(c.names().text(call.place), p)) return refuse(Error::unknown_topic_or_partition);
    const Assigned* a = find_assigned(p);
    const Offset position = call.position >= 0 ? call.position : a ? a->position : no_offset;
    if (position == no_offset) return refuse(Error::unknown_topic_or_partition);
    o.parts.push_back({{p, position, a ? a->position_epoch : no_leader_epoch, {}}, no_op});
  }
  if (o.parts.empty()) return complete(c, call.id, Answer{});  // KAFKA-6446: nothing to add
  o.number = t.next_offsets++;
  o.call = call.id;
  o.deadline = saturating_add(c.now(), producer_.max_block);
  o.transaction = call.transaction;
  if (producer_.group_metadata) {
    o.generation = group_metadata_.generation;
    o.member = group_metadata_.member;
    o.instance = consumer_.instance;
  }
  for (TxnOffsets::Part& part : o.parts)
    part.row = record_commit(c, c.names().id(place(part.offset.partition)), part.offset.offset, o.transaction, c.names().id(consumer_.group));
  TxnRequest r;
  r.kind = Kind::add_offsets_to_txn;
  if (txn_version() == TxnVersion::tv2) {
    r.kind = Kind::txn_offset_commit;
    t.started = true;
  }
  r.from = txn_identity();
  r.offsets = o.number;
  t.offsets.push_back(std::move(o));
  enqueue_txn(std::move(r));
}

// close(0) and a new KafkaProducer, as an application does after a fatal error; the argument may give it another
// transactional.id, or `none`.
void Client::new_producer_call(Context& c, const Call& call) {
  std::vector<std::pair<CallId, Answer>> dropped;
  if (txn_.transition && txn_.transition->call != 0)
    dropped.emplace_back(txn_.transition->call, outcome(c, txn_.transition->of == TxnTransition::Of::init ? Outcome::fail : Outcome::info, Error::illegal_state));
  while (!txn_.offsets.empty()) end_offsets(c, txn_.offsets.front().number, Error::illegal_state, true);
  abort_batches(c, Error::transaction_aborted, true);
  for (BrokerId b = 1; b <= static_cast<BrokerId>(cluster_->brokers.size()); ++b) {
    Peer& x = peer(Purpose::produce, b);
    std::erase_if(requests_, [&](const Request& r) {
      if (r.purpose != Purpose::produce || r.broker != b) return false;
      if (r.timer != no_event) c.cancel_timer(r.timer);
      return true;
    });
    if (x.connection != no_connection) c.close(x.connection);
    x = Peer{};
  }
  produce_in_flight_ = 0;
  queues_.assign(cluster_->partitions.size(), PartitionQueue{});
  txn_ = TransactionalProducer{};
  producer_id_ = no_producer_id;
  producer_epoch_ = no_producer_epoch;
  forget_transaction();
  if (!call.argument.empty()) transactional_id_ = call.argument == "none" ? std::string() : call.argument;
  for (auto& [id, answer] : dropped) complete(c, id, std::move(answer));
  complete(c, call.id, Answer{});
}

// ---------------------------------------------------------------------------------------------
// Sends.

// KafkaProducer.send: only inside a transaction. False: the send has failed.
bool Client::txn_takes_send(Context& c, const Call& call) {
  if (txn_.transition) {
    complete(c, call.id, outcome(c, Outcome::fail, Error::illegal_state));
    return false;
  }
  return !refuses(c, call, {TxnPhase::in_transaction});
}

// TransactionManager.maybeAddPartition.
void Client::add_partition(PartitionId p) {
  TransactionalProducer& t = txn_;
  if (txn_version() == TxnVersion::tv2) {
    insert(t.partitions, p);  // its leader will add it
    t.started = true;
  } else if (!holds(t.partitions, p) && !holds(t.asked, p)) {
    insert(t.fresh, p);
  }
}

bool Client::takes_part(PartitionId p) const { return txn_.phase != TxnPhase::fatal_error && holds(txn_.partitions, p); }

// TransactionManager.handleFailedBatch, for a batch of a transaction.
void Client::txn_batch_failed(Context& c, const ProducerBatch& batch, Error e, bool adjust_sequences) {
  PartitionQueue& q = queues_[batch.partition];
  const bool head = q.outstanding.empty() || q.outstanding.front().second == batch.number;
  txn_failed(c, batch_verdict(producer_.library, txn_version() == TxnVersion::tv2, e, head), e, place(batch.partition));
  // Who bumps no epoch takes the numbers for unused, whatever became of them.
  if (!producer_.bump_after_error) q.unresolved = false, adjust_sequences = true;
  if (batch.has_sequence() && adjust_sequences && txn_.phase != TxnPhase::fatal_error && e != Error::unknown_producer_id) {
    // TxnPartitionEntry.adjustSequencesDueToFailedBatch: the numbers were not used, those behind move up.
    const auto count = static_cast<std::int32_t>(batch.records.size());
    const auto less = [&](Sequence s) { return static_cast<Sequence>((static_cast<std::int64_t>(s) - count) & 0x7fffffff); };
    q.next_sequence = less(q.next_sequence);
    const auto own = find_outstanding(q, batch);
    for (auto it = own == q.outstanding.end() ? own : own + 1; it != q.outstanding.end(); ++it) {
      it->first = less(it->first);
      for (ProducerBatch& other : q.queue)
        if (other.number == it->second) other.base_sequence = it->first, other.sequence_reset = true;
      for (Request& r : requests_)
        for (ProducerBatch& other : r.batches)
          if (other.number == it->second) other.base_sequence = it->first, other.sequence_reset = true;
    }
  }
  forget_outstanding(q, batch);
  // resetSequenceForPartition: the broker knows nothing of it, and will take sequence 0.
  if (e == Error::unknown_producer_id) q.producer_id = no_producer_id, q.last_acked = no_sequence, q.next_sequence = 0, q.unresolved = false;
}

// RecordAccumulator.abortUndrainedBatches, abortBatches: what never left certainly had no effect.
void Client::abort_batches(Context& c, Error e, bool all) {
  std::vector<ProducerBatch> dropped;
  for (PartitionQueue& q : queues_)
    for (std::size_t i = 0; i < q.queue.size();) {
      if (q.queue[i].has_sequence() && !all) {
        ++i;
        continue;
      }
      dropped.push_back(std::move(q.queue[i]));
      q.queue.erase(q.queue.begin() + static_cast<std::ptrdiff_t>(i));
      --queued_;
      forget_outstanding(q, dropped.back());
    }
  if (all)
    for (Request& r : requests_)
      for (ProducerBatch& batch : r.batches) {
        if (batch.calls.empty()) continue;
        dropped.push_back(batch);
        dropped.back().ambiguous = true;
        batch.calls.clear();
      }
  for (const ProducerBatch& batch : dropped) end_batch(c, batch, e);
}

// Sequence numbers begin at 0 everywhere (TransactionManager.resetSequenceNumbers).
void Client::reset_sequences() {
  for (PartitionQueue& q : queues_) {
    q.producer_id = no_producer_id;
    q.producer_epoch = no_producer_epoch;
    q.next_sequence = 0;
    q.last_acked = no_sequence;
    q.outstanding.clear();
    q.unresolved = false;
  }
}

// ---------------------------------------------------------------------------------------------
// States.

// An error decides what becomes of the transaction.
void Client::txn_failed(Context& c, TxnVerdict v, Error e, const std::string& where) {
  TransactionalProducer& t = txn_;
  if (t.phase == TxnPhase::fatal_error) return;
  if (e == Error::invalid_producer_epoch && v == TxnVerdict::fatal) e = Error::producer_fenced;
  // From TV2 on every end of a transaction brings a new epoch anyway.
  if (v == TxnVerdict::abortable_with_bump && txn_version() != TxnVersion::tv2 && !t.completing()) t.bump_required = producer_.bump_after_error;
  if (v != TxnVerdict::fatal) {
    if (t.phase == TxnPhase::aborting) return;
    if (t.phase != TxnPhase::abortable_error) c.mark("transaction_must_abort", where, fmt::format("{}: {}", transactional_id_, name(e)));
    t.phase = TxnPhase::abortable_error;
    t.error = e;
    return;
  }
  c.mark("producer_fatal_error", where, fmt::format("{}: {}", transactional_id_, name(e)));
  t.phase = TxnPhase::fatal_error;
  t.error = e;
  end_transition(c, Outcome::fail, e);
}

void Client::complete_transaction() {
  TransactionalProducer& t = txn_;
  t.phase = t.bump_required ? TxnPhase::initializing : TxnPhase::ready;
  t.error = Error::none;
  t.bump_required = t.started = false;
  t.fresh.clear();
  t.asked.clear();
  t.partitions.clear();
}

// The application hears how its call ended, or will, when it asks again. An end of a transaction that an earlier attempt
// may have brought about is not refused by what a later one was told.
void Client::end_transition(Context& c, Outcome o, Error e) {
  if (!txn_.transition) return;
  TxnTransition& t = *txn_.transition;
  if (!t.done) {
    t.done = true;
    t.error = e;
    t.outcome = o == Outcome::fail && t.of != TxnTransition::Of::init && txn_.end_ambiguous ? Outcome::info : o;
  }
  if (t.call == 0) return;
  const TxnTransition ended = t;
  txn_.transition.reset();
  if (ended.begins && ended.outcome == Outcome::ok) txn_.phase = TxnPhase::in_transaction;
  complete(c, ended.call, outcome(c, ended.outcome, ended.error));
}

void Client::end_offsets(Context& c, std::uint64_t number, Error e, bool unknown) {
  const auto it = std::find_if(txn_.offsets.begin(), txn_.offsets.end(), [&](const TxnOffsets& o) { return o.number == number; });
  if (it == txn_.offsets.end()) return;
  const TxnOffsets o = std::move(*it);
  txn_.offsets.erase(it);
  if (o.call != 0) tell_offsets(c, o, e, unknown);
}

// The row of a position that goes with a transaction ends with the answer to TxnOffsetCommit: `ok` says that it is part of
// the transaction. Whether it counts the end of the transaction tells.
void Client::tell_offsets(Context& c, const TxnOffsets& o, Error e, bool unknown) {
  const Outcome how = e == Error::none ? Outcome::ok : unknown || o.ambiguous ? Outcome::info : Outcome::fail;
  for (const TxnOffsets::Part& part : o.parts)
    record_commit_end(c, part.row, c.names().id(place(part.offset.partition)), part.offset.offset, how, e == Error::none ? 0 : c.names().id(name(e)), o.transaction, c.names().id(consumer_.group));
  Answer a = outcome(c, how, e);
  if (o.parts.size() == 1) a.position = o.parts.front().offset.offset;
  complete(c, o.call, std::move(a));
}

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
