// The rules of a transaction coordinator, request by request.
#include "models/kafka/txn_coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace mqlab::kafka {
namespace {

constexpr ProducerEpoch last_epoch_of_all = 32767;

bool preparing(TxnState s) { return s == TxnState::prepare_commit || s == TxnState::prepare_abort; }
bool complete(TxnState s) { return s == TxnState::complete_commit || s == TxnState::complete_abort; }

template <class T>
void reply(TxnEffects& e, const Waiting& to, Kind kind, T payload) {
  e.replies.push_back({to, kind, make_payload<T>(std::move(payload))});
}

std::vector<PartitionId> merged(const std::vector<PartitionId>& a, const std::vector<PartitionId>& b) {
  std::vector<PartitionId> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

std::string TxnCoordinator::where(const std::vector<PartitionId>& partitions) const {
  std::string out;
  for (const PartitionId p : partitions) out += (out.empty() ? "" : ", ") + cluster_->partitions[p].place;
  return out.empty() ? "no partition" : out;
}

void TxnCoordinator::handle(const Waiting& from, Kind k, const PayloadRef& request, TxnEffects& e) {
  switch (k) {
    case Kind::init_producer_id: return init(from, payload_as<InitProducerId>(request), e);
    case Kind::add_partitions_to_txn: {
      const auto& m = payload_as<AddPartitionsToTxn>(request);
      if (m.verify_only) return verify(from, m, e);
      return add(from, TxnStep::add, m.from, m.partitions, e);
    }
    case Kind::add_offsets_to_txn: {
      // KafkaApis.handleAddOffsetsToTxnRequest: the group's partition takes part like any other.
      const auto& m = payload_as<AddOffsetsToTxn>(request);
      const auto p = cluster_->internal_partition(offsets_topic, m.group);
      if (!p) return refuse(TxnStep::add_offsets, from, Error::coordinator_not_available, e);
      return add(from, TxnStep::add_offsets, m.from, {*p}, e);
    }
    case Kind::end_txn: return end(from, payload_as<EndTxn>(request), e);
    default: assert(false);
  }
}

void TxnCoordinator::refuse(TxnStep step, const Waiting& to, Error error, TxnEffects& e) {
  switch (step) {
    case TxnStep::init:
    case TxnStep::fence: {
      InitProducerIdReply r;
      r.error = error;
      return reply(e, to, Kind::init_producer_id_reply, r);
    }
    case TxnStep::add: return reply(e, to, Kind::add_partitions_to_txn_reply, AddPartitionsToTxnReply(error));
    case TxnStep::add_offsets: return reply(e, to, Kind::add_offsets_to_txn_reply, AddOffsetsToTxnReply(error));
    case TxnStep::end: return reply(e, to, Kind::end_txn_reply, EndTxnReply(error));
    case TxnStep::time_out:
    case TxnStep::complete:
    case TxnStep::forget: return;  // nobody waits
  }
}

// RPCProducerIdManager.generateProducerId: when the block is used up nobody waits; who asked is told to ask again.
bool TxnCoordinator::take_id(TxnEffects& e, ProducerId& out) {
  if (e.ids.left == 0) {
    e.wants_ids = true;
    return false;
  }
  out = e.ids.next++;
  --e.ids.left;
  return true;
}

// A transition begins: nothing else may be done with the id until its record is written or given up.
void TxnCoordinator::write(const std::string& id, Entry& t, TransactionRecord next, TxnStep step, const Waiting& from, TxnEffects& e) const {
  assert(!t.pending || t.pending->step == TxnStep::complete);
  const bool gone = step == TxnStep::forget;
  // TransactionStateManager: a state waits for its replicas as long as its transaction may take, a tombstone as a request may.
  const Duration timeout = gone ? cluster_->settings.request_timeout : next.timeout;
  t.pending = Entry::Pending{next, step, from, false};
  e.writes.push_back({GroupRecord{id, std::move(next), gone}, timeout});
}

void TxnCoordinator::fenced(const std::string& id, const Entry& t, const char* what, const TxnIdentity& who, TxnEffects& e) const {
  e.marks.push_back({"producer_fenced", id, fmt::format("{} of producer {} epoch {} is refused: it is at epoch {} of producer {}", what, who.id, who.epoch, t.now.epoch, t.now.id)});
}

// ---------------------------------------------------------------------------------------------
// InitProducerId (TransactionCoordinator.prepareInitProducerIdTransit)

void TxnCoordinator::init(const Waiting& from, const InitProducerId& m, TxnEffects& e) {
  const auto refused = [&](Error error) { refuse(TxnStep::init, from, error, e); };
  if (m.timeout <= 0 || m.timeout > settings().timeout_max) return refused(Error::invalid_transaction_timeout);
  auto it = ids_.find(m.transactional_id);
  if (it == ids_.end()) {
    Entry created;
    if (!take_id(e, created.now.id)) return refused(Error::coordinator_load_in_progress);
    created.now.timeout = m.timeout;
    created.now.updated = e.wall;
    it = ids_.emplace(m.transactional_id, std::move(created)).first;
  }
  Entry& t = it->second;
  if (t.pending) return refused(Error::concurrent_transactions);

  // KIP-360: a producer that says who it has been goes on only if nobody has taken its place. The id before counts if its
  // epochs were used up: the answer that told of the new id may have been lost.
  const TransactionRecord& now = t.now;
  const bool told = m.id != no_producer_id;
  const bool known = now.epoch == no_producer_epoch || m.id == now.id || (m.id == now.previous_id && exhausted(m.epoch));
  const TxnIdentity who{m.transactional_id, m.id, m.epoch};
  if (told && !known) {
    fenced(it->first, t, "InitProducerId", who, e);
    return refused(Error::producer_fenced);
  }
  if (preparing(now.state)) return refused(Error::concurrent_transactions);
  if (now.state == TxnState::ongoing) {
    // This epoch is told to nobody. The producer comes again, and gets the one after it.
    if (const Error error = fence_and_abort(it->first, t, TxnStep::fence, from, e); error != Error::none) refused(error);
    return;
  }

  TransactionRecord next = now;
  next.state = TxnState::empty;
  next.previous_id = now.id;
  next.next_id = no_producer_id;
  next.timeout = m.timeout;
  next.partitions.clear();
  next.started = -1;
  next.updated = e.wall;
  if (exhausted(now.epoch) && (!told || m.epoch == now.epoch)) {
    if (!take_id(e, next.id)) return refused(Error::coordinator_load_in_progress);
    next.epoch = 0;
    next.last_epoch = told ? now.epoch : no_producer_epoch;
  } else if (!told) {
    next.epoch = static_cast<ProducerEpoch>(now.epoch + 1);
    next.last_epoch = no_producer_epoch;
  } else if (now.epoch == no_producer_epoch || m.epoch == now.epoch) {
    next.epoch = static_cast<ProducerEpoch>(now.epoch + 1);
    next.last_epoch = now.epoch;
  } else if (m.epoch != now.last_epoch || exhausted(now.epoch)) {
    fenced(it->first, t, "InitProducerId", who, e);
    return refused(Error::producer_fenced);
  }
  // Else it is the same request again: it gets the same answer.
  write(it->first, t, std::move(next), TxnStep::init, from, e);
}

Error TxnCoordinator::fence_and_abort(const std::string& id, Entry& t, TxnStep step, const Waiting& from, TxnEffects& e) {
  const ProducerEpoch open = t.now.epoch;
  if (settings().version == TxnVersion::tv2) {
    // KAFKA-19367: the bump that every end of a transaction brings is the fence; there is no second one.
    if (const Error error = prepare_end(id, t, false, false, TxnVersion::tv2, step, from, e); error != Error::none) return error;
  } else {
    // prepareFenceProducerEpoch: the epoch counts from now on, written or not. If it can't be written, the next attempt
    // uses the same one (hasFailedEpochFence): nobody was told of it.
    if (!t.failed_fence && t.now.epoch < last_epoch_of_all) t.now.epoch = static_cast<ProducerEpoch>(t.now.epoch + 1);
    t.now.last_epoch = no_producer_epoch;
    prepare_end(id, t, false, false, TxnVersion::tv0, step, from, e);
  }
  const char* why = step == TxnStep::fence ? "a new producer begins" : "its transaction was open for too long";
  e.marks.push_back({"producer_fenced", id, fmt::format("producer {} goes from epoch {} to {}: {}", t.now.id, open, t.pending->next.epoch, why)});
  return Error::none;
}

// ---------------------------------------------------------------------------------------------
// AddPartitionsToTxn, AddOffsetsToTxn (TransactionCoordinator.handleAddPartitionsToTransaction)

void TxnCoordinator::add(const Waiting& from, TxnStep step, const TxnIdentity& who, const std::vector<PartitionId>& partitions, TxnEffects& e) {
  const auto refused = [&](Error error) { refuse(step, from, error, e); };
  const auto it = ids_.find(who.transactional_id);
  if (it == ids_.end()) return refused(Error::invalid_producer_id_mapping);
  Entry& t = it->second;
  // First of all (KAFKA-18660): while a transaction completes the id may be about to change, and the producer may know.
  if (t.pending) return refused(Error::concurrent_transactions);
  if (who.id != t.now.id) return refused(Error::invalid_producer_id_mapping);
  if (who.epoch != t.now.epoch) {
    fenced(it->first, t, step == TxnStep::add ? "AddPartitionsToTxn" : "AddOffsetsToTxn", who, e);
    return refused(Error::producer_fenced);
  }
  if (preparing(t.now.state)) return refused(Error::concurrent_transactions);
  std::vector<PartitionId> all = merged(t.now.partitions, partitions);
  if (t.now.state == TxnState::ongoing && all == t.now.partitions) return refused(Error::none);

  TransactionRecord next = t.now;
  next.state = TxnState::ongoing;
  next.previous_id = t.now.id;
  next.partitions = std::move(all);
  if (t.now.state != TxnState::ongoing) next.started = e.wall;  // the clock starts with the first partition
  next.updated = e.wall;
  write(it->first, t, std::move(next), step, from, e);
}

// handleVerifyPartitionsInTransaction: what is pending does not count, as the leader checks once more when it appends. A
// client that does not know TRANSACTION_ABORTABLE gets INVALID_TXN_STATE from the leader.
void TxnCoordinator::verify(const Waiting& from, const AddPartitionsToTxn& m, TxnEffects& e) {
  const auto refused = [&](Error error) { reply(e, from, Kind::add_partitions_to_txn_reply, AddPartitionsToTxnReply(error)); };
  const auto it = ids_.find(m.from.transactional_id);
  if (it == ids_.end() || m.from.id != it->second.now.id) return refused(Error::invalid_producer_id_mapping);
  const TransactionRecord& now = it->second.now;
  if (m.from.epoch != now.epoch) {
    fenced(it->first, it->second, "A batch", m.from, e);
    return refused(Error::producer_fenced);
  }
  if (preparing(now.state)) return refused(Error::concurrent_transactions);
  AddPartitionsToTxnReply r;
  for (const PartitionId p : m.partitions) {
    const bool in = std::binary_search(now.partitions.begin(), now.partitions.end(), p);
    r.partitions.emplace_back(p, in ? Error::none : Error::transaction_abortable);
  }
  reply(e, from, Kind::add_partitions_to_txn_reply, std::move(r));
}

// ---------------------------------------------------------------------------------------------
// EndTxn (TransactionCoordinator.endTransaction)

TxnCoordinator::Verdict TxnCoordinator::judge_end(const Entry& t, const EndTxn& m, bool tv2) const {
  const TransactionRecord& now = t.now;
  // TV2: who repeats an EndTxn says the epoch before the bump, or the id before it was used up.
  const bool same = m.from.epoch == now.epoch;
  const bool bumped = tv2 && now.epoch == m.from.epoch + 1;
  const bool rotated = tv2 && complete(now.state) && m.from.id == now.previous_id && m.from.epoch == settings().epoch_max && now.epoch == 0;
  const bool again = bumped || rotated;
  if (m.from.id != now.id && !rotated) return {Error::invalid_producer_id_mapping};
  const bool valid = !tv2 || now.state == TxnState::ongoing || now.state == TxnState::empty ? same
                     : preparing(now.state)                                                 ? bumped
                                                                                            : again || same;
  if (!valid) return {Error::producer_fenced};
  if (t.pending) return {Error::concurrent_transactions};
  const Verdict wrong{Error::invalid_txn_state};
  switch (now.state) {
    case TxnState::ongoing: return {Error::none, true};
    case TxnState::prepare_commit: return m.commit ? Verdict{Error::concurrent_transactions} : wrong;
    case TxnState::prepare_abort: return m.commit ? wrong : Verdict{Error::concurrent_transactions};
    case TxnState::empty: return tv2 && !m.commit ? Verdict{Error::none, true, true} : wrong;
    case TxnState::complete_commit:
    case TxnState::complete_abort: break;
  }
  const bool as_it_ended = m.commit == (now.state == TxnState::complete_commit);
  if (!tv2 || again) return as_it_ended ? Verdict{} : wrong;
  // TV2, in the epoch of the next transaction: nothing of it has reached a partition. An abort ends it all the same, as
  // the producer can't know that; its epoch goes on, so that a late batch is refused.
  return m.commit ? wrong : Verdict{Error::none, true, true};
}

void TxnCoordinator::refuse_end(const Waiting& from, const EndTxn& m, Error error, const Entry* t, TxnEffects& e) const {
  if (error == Error::producer_fenced && t) fenced(m.from.transactional_id, *t, "EndTxn", m.from, e);
  refuse(TxnStep::end, from, error, e);
}

void TxnCoordinator::end(const Waiting& from, const EndTxn& m, TxnEffects& e) {
  const auto it = ids_.find(m.from.transactional_id);
  if (it == ids_.end()) return refuse_end(from, m, Error::invalid_producer_id_mapping, nullptr, e);
  Entry& t = it->second;
  const TxnVersion version = std::min(m.version, settings().version);
  const bool tv2 = version == TxnVersion::tv2;
  const Verdict v = judge_end(t, m, tv2);
  if (v.error != Error::none) return refuse_end(from, m, v.error, &t, e);
  if (v.prepare) {
    if (const Error error = prepare_end(it->first, t, m.commit, v.empty, version, TxnStep::end, from, e); error != Error::none) refuse_end(from, m, error, &t, e);
    return;
  }
  EndTxnReply r;
  if (tv2) {
    r.id = t.now.id;
    r.epoch = t.now.epoch;
  }
  reply(e, from, Kind::end_txn_reply, r);
}

// TransactionMetadata.prepareAbortOrCommit.
Error TxnCoordinator::prepare_end(const std::string& id, Entry& t, bool commit, bool empty, TxnVersion version, TxnStep step, const Waiting& from, TxnEffects& e) {
  TransactionRecord next = t.now;
  next.state = commit ? TxnState::prepare_commit : TxnState::prepare_abort;
  next.previous_id = t.now.id;
  next.next_id = no_producer_id;
  next.updated = e.wall;
  next.version = version;
  if (empty) next.started = e.wall;
  if (version == TxnVersion::tv2) {
    // KAFKA-20090: also when the abort is a fence, the id changes when its epochs are used up. Where it did not, a producer
    // may be given the epoch behind the last one, and no other comes after it: the coordinator throws, whoever asks.
    if (!settings().rotate_when_fenced && t.now.epoch > settings().epoch_max) return Error::unknown_server_error;
    const bool rotates = settings().rotate_when_fenced || step == TxnStep::end;
    if (rotates && exhausted(t.now.epoch) && !take_id(e, next.next_id)) return Error::coordinator_load_in_progress;
    next.last_epoch = t.now.epoch;
    if (t.now.epoch < last_epoch_of_all) next.epoch = static_cast<ProducerEpoch>(t.now.epoch + 1);
  }
  write(id, t, std::move(next), step, from, e);
  return Error::none;
}

// ---------------------------------------------------------------------------------------------
// What was written; markers; completion.

void TxnCoordinator::on_written(const std::string& id, Error error, TxnEffects& e) {
  const auto it = ids_.find(id);
  assert(it != ids_.end() && it->second.pending);
  Entry& t = it->second;
  const Entry::Pending done = *t.pending;
  if (error != Error::none) {
    // The markers are written: the completion is tried until it is, too (txnLogAppendRetryQueue).
    if (done.step == TxnStep::complete) {
      t.pending->rewrite = true;
      e.again = true;
      return;
    }
    // What was not confirmed does not count here, though it may be in the log; the next record comes after it.
    if (settings().version != TxnVersion::tv2 && (done.step == TxnStep::fence || done.step == TxnStep::time_out)) t.failed_fence = true;
    t.pending.reset();
    return refuse(done.step, done.to, error, e);
  }
  if (done.step == TxnStep::forget) {
    e.marks.push_back({"transactional_id_expired", id, fmt::format("producer {} epoch {} is forgotten: it was not used for too long", t.now.id, t.now.epoch)});
    ids_.erase(it);
    return;
  }
  const std::string partitions = done.next.partitions.empty() ? "" : ", " + where(done.next.partitions);
  e.marks.push_back({"transaction_state", id, fmt::format("{} -> {}, producer {} epoch {}{}", name(t.now.state), name(done.next.state), done.next.id, done.next.epoch, partitions)});
  t.now = done.next;
  t.pending.reset();
  switch (done.step) {
    case TxnStep::init: {
      InitProducerIdReply r;
      r.id = t.now.id;
      r.epoch = t.now.epoch;
      return reply(e, done.to, Kind::init_producer_id_reply, r);
    }
    case TxnStep::add:
    case TxnStep::add_offsets: return refuse(done.step, done.to, Error::none, e);
    case TxnStep::fence:
      refuse(done.step, done.to, Error::concurrent_transactions, e);
      return begin_completion(id, t, e);
    case TxnStep::time_out: return begin_completion(id, t, e);
    case TxnStep::end: {
      begin_completion(id, t, e);
      EndTxnReply r;
      if (t.now.version == TxnVersion::tv2) {  // as it will be when the transaction is complete (KAFKA-18660)
        r.id = t.pending->next.id;
        r.epoch = t.pending->next.epoch;
      }
      return reply(e, done.to, Kind::end_txn_reply, r);
    }
    case TxnStep::complete:
    case TxnStep::forget: return;
  }
}

// TransactionMetadata.prepareComplete, TransactionMarkerChannelManager.addTxnMarkersToSend. Requires: its Prepare is written.
void TxnCoordinator::begin_completion(const std::string& id, Entry& t, TxnEffects& e) {
  TransactionRecord next = t.now;
  const bool commit = t.now.state == TxnState::prepare_commit;
  next.state = commit ? TxnState::complete_commit : TxnState::complete_abort;
  next.previous_id = t.now.id;
  next.partitions.clear();
  next.updated = e.wall;
  if (t.now.version == TxnVersion::tv2) {
    next.last_epoch = t.now.epoch;
    if (t.now.next_id != no_producer_id) {
      next.id = t.now.next_id;
      next.epoch = 0;
    }
  }
  next.next_id = no_producer_id;
  t.failed_fence = t.cancelled = false;
  t.owed = t.now.partitions;
  if (t.owed.empty()) return write(id, t, std::move(next), TxnStep::complete, {}, e);
  t.pending = Entry::Pending{std::move(next), TxnStep::complete, {}, false};
  e.markers.push_back({id, {t.now.id, t.now.epoch, commit, epoch_, t.now.version, t.owed}});
}

// TransactionMarkerRequestCompletionHandler.
void TxnCoordinator::on_marker_results(const TxnMarkersOf& sent, const std::vector<WriteTxnMarkersReply::Result>& results, TxnEffects& e) {
  const auto it = ids_.find(sent.transactional_id);
  if (it == ids_.end()) return;
  Entry& t = it->second;
  if (!preparing(t.now.state) || t.now.id != sent.marker.id || t.now.epoch != sent.marker.epoch || t.owed.empty()) return;
  TxnMarkersOf rest = sent;
  rest.marker.partitions.clear();
  for (const PartitionId p : sent.marker.partitions) {
    const auto result = std::find_if(results.begin(), results.end(), [&](const auto& r) { return r.id == sent.marker.id && r.partition == p; });
    const Error error = result == results.end() ? Error::network_exception : result->error;
    if (error == Error::none) {
      std::erase(t.owed, p);
    } else if (error == Error::invalid_producer_epoch || error == Error::transaction_coordinator_fenced) {
      // Another coordinator has gone on from here, or the producer is further: this one gives up. It does not write
      // that the transaction is complete, and so the id stays where it is until somebody else coordinates it.
      if (!t.cancelled) e.marks.push_back({"markers_refused", sent.transactional_id, fmt::format("{} answers {}", where({p}), name(error))});
      t.cancelled = true;
    } else {
      rest.marker.partitions.push_back(p);
    }
  }
  if (t.cancelled) return;
  if (!rest.marker.partitions.empty()) e.rests.push_back(std::move(rest));
  if (!t.owed.empty()) return;
  e.marks.push_back({"markers_written", sent.transactional_id, fmt::format("{} of producer {} epoch {}: {}", sent.marker.commit ? "commit" : "abort", t.now.id, t.now.epoch, where(t.now.partitions))});
  write(it->first, t, t.pending->next, TxnStep::complete, {}, e);
}

void TxnCoordinator::write_again(TxnEffects& e) {
  for (auto& [id, t] : ids_)
    if (t.pending && t.pending->rewrite) write(id, t, t.pending->next, TxnStep::complete, {}, e);
}

// ---------------------------------------------------------------------------------------------
// Time, and another coordinator.

void TxnCoordinator::abort_timed_out(TxnEffects& e) {
  for (auto& [id, t] : ids_) {
    if (t.pending || t.now.state != TxnState::ongoing || t.now.started + t.now.timeout >= e.wall) continue;
    const std::string text = fmt::format("producer {} epoch {} had {} to end it: {}", t.now.id, t.now.epoch, format_duration(t.now.timeout), where(t.now.partitions));
    if (fence_and_abort(id, t, TxnStep::time_out, {}, e) == Error::none) e.marks.push_back({"transaction_timed_out", id, text});
  }
}

void TxnCoordinator::expire(TxnEffects& e) {
  for (auto& [id, t] : ids_) {
    const bool idle = t.now.state == TxnState::empty || complete(t.now.state);
    if (!t.pending && idle && t.now.updated <= e.wall - settings().id_expiration) write(id, t, t.now, TxnStep::forget, {}, e);
  }
}

void TxnCoordinator::resign(TxnEffects& e) {
  for (auto& [id, t] : ids_)
    if (t.pending) refuse(t.pending->step, t.pending->to, Error::not_coordinator, e);
}

void TxnCoordinator::replay(const GroupRecord& r) {
  const auto* record = std::get_if<TransactionRecord>(&r.value);
  if (!record) return;
  if (r.gone) ids_.erase(r.group);
  else ids_[r.group].now = *record;
}

// TransactionStateManager.loadTransactionsForTxnTopicPartition.
void TxnCoordinator::loaded(TxnEffects& e) {
  for (auto& [id, t] : ids_)
    if (preparing(t.now.state)) begin_completion(id, t, e);
}

void TxnCoordinator::add_state(Tree& transactions) const {
  for (const auto& [id, t] : ids_) {
    Tree& entry = transactions.add(id, t.cancelled ? fmt::format("{}, its markers were refused", name(t.now.state)) : name(t.now.state));
    entry.add("producer", fmt::format("{} epoch {}", t.now.id, t.now.epoch));
    if (!t.now.partitions.empty()) entry.add("partitions", where(t.now.partitions));
    if (!t.owed.empty()) entry.add("markers missing", where(t.owed));
    if (t.now.started >= 0 && !complete(t.now.state)) entry.add("started", format_time(t.now.started));
    if (t.pending && t.owed.empty()) entry.add("being written", t.pending->step == TxnStep::forget ? "a tombstone" : name(t.pending->next.state));
  }
}

}  // namespace mqlab::kafka
