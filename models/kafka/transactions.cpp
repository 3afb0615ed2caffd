// The transactional producer: what the application asks of it, what it takes, and the state that all that leads to.
// Requests and their answers: txn_requests.cpp; what an error means: txn_verdict.cpp.
#include "models/kafka/transactions.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client.h"

namespace mqlab::kafka {

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

}  // namespace mqlab::kafka
