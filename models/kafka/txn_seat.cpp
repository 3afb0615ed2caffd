// The broker around its transaction coordinators: they come and go with the lead of a partition of __transaction_state.
// A transition is appended there and counts when it is on all in-sync replicas; markers go to whoever leads the
// partitions, and go again until each has confirmed its own.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {
namespace {

// The product sends again at once, and only a new connection waits (reconnect.backoff.ms, 50): here both do.
constexpr Duration marker_rest = 50'000'000;

const std::string& transactional_id_of(Kind k, const PayloadRef& m) {
  switch (k) {
    case Kind::init_producer_id: return payload_as<InitProducerId>(m).transactional_id;
    case Kind::add_partitions_to_txn: return payload_as<AddPartitionsToTxn>(m).from.transactional_id;
    case Kind::add_offsets_to_txn: return payload_as<AddOffsetsToTxn>(m).from.transactional_id;
    default: return payload_as<EndTxn>(m).from.transactional_id;
  }
}

// The answer of a request that no coordinator has looked at.
TxnEffects::Reply refusal(const Waiting& to, Kind request, Error e) {
  InitProducerIdReply r;
  r.error = e;
  switch (request) {
    case Kind::init_producer_id: return {to, Kind::init_producer_id_reply, make_payload<InitProducerIdReply>(r)};
    case Kind::add_partitions_to_txn: return {to, Kind::add_partitions_to_txn_reply, make_payload<AddPartitionsToTxnReply>(e)};
    case Kind::add_offsets_to_txn: return {to, Kind::add_offsets_to_txn_reply, make_payload<AddOffsetsToTxnReply>(e)};
    default: return {to, Kind::end_txn_reply, make_payload<EndTxnReply>(e)};
  }
}

}  // namespace

bool Broker::is_transaction_state(PartitionId p) const {
  return cluster_->topics[static_cast<std::size_t>(cluster_->partitions[p].topic)].name == transaction_topic;
}

TxnSeat* Broker::txn_seat(PartitionId p) {
  const auto it = std::find_if(txn_.seats.begin(), txn_.seats.end(), [&](const TxnSeat& s) { return s.partition == p; });
  return it == txn_.seats.end() ? nullptr : &*it;
}

const TxnCoordinator* Broker::transactions(PartitionId p) const {
  for (const TxnSeat& s : txn_.seats)
    if (s.partition == p && !s.loading) return &s.coordinator;
  return nullptr;
}

// A client's connection waits for its answer like any other; brokers ask for many producers at once.
void Broker::on_coordinator_request(Context& c, const Waiting& from, Kind k, const PayloadRef& request) {
  const auto p = cluster_->internal_partition(transaction_topic, transactional_id_of(k, request));
  const TxnSeat* seat = p ? txn_seat(*p) : nullptr;
  if (!seat) return send_txn_replies(c, {refusal(from, k, Error::not_coordinator)});
  if (seat->loading) return send_txn_replies(c, {refusal(from, k, Error::coordinator_load_in_progress)});
  if (from.connection != no_connection && cluster_->broker_of(from.from) == no_broker) mute(from.connection);
  operate_txn(c, *p, [&](TxnCoordinator& t, TxnEffects& e) { t.handle(from, k, request, e); });
}

void Broker::send_txn_replies(Context& c, const std::vector<TxnEffects::Reply>& replies) {
  for (const TxnEffects::Reply& r : replies) {
    answer_broker(c, r.to, r.kind, r.payload);
    if (r.to.connection != no_connection) unmuted_.push_back(r.to.connection);
  }
}

// ---------------------------------------------------------------------------------------------
// One operation: what is to be written is appended, what may be answered is answered.

template <class Operation>
void Broker::operate_txn(Context& c, PartitionId p, Operation operation) {
  TxnSeat* seat = txn_seat(p);
  if (!seat) return;
  TxnEffects e;
  e.wall = c.wall();
  e.ids = {next_producer_id_, producer_ids_left_};
  operation(seat->coordinator, e);
  next_producer_id_ = e.ids.next;
  producer_ids_left_ = e.ids.left;
  if (e.wants_ids) ask_for_producer_ids(c);
  carry_out_txn(c, p, std::move(e));
}

void Broker::carry_out_txn(Context& c, PartitionId p, TxnEffects e) {
  const std::int32_t epoch = txn_seat(p)->coordinator.epoch();
  for (const TxnEffects::Mark& m : e.marks) c.mark(m.name, m.id, m.text);
  send_txn_replies(c, e.replies);
  std::vector<std::string> refused;
  for (TxnEffects::Write& w : e.writes) {
    if (!may_write(c, p)) {  // NOT_ENOUGH_REPLICAS, a full disk
      refused.push_back(w.record.group);
      continue;
    }
    // It waits in its place before it is appended: what the append lets through may write in turn.
    const std::uint64_t number = next_number_++;
    txn_seat(p)->writes.push_back({w.record.group, log_of(p).end() + 1, number, c.set_timer(w.timeout, timer_txn_write, number)});
    append_state(c, p, std::make_shared<const std::vector<GroupRecord>>(std::vector<GroupRecord>{std::move(w.record)}));
  }
  std::vector<TxnMarkersDue> markers;
  for (TxnMarkersOf& m : e.markers) markers.push_back({p, epoch, std::move(m)});
  send_markers(c, std::move(markers));
  std::vector<TxnMarkersDue> rests;
  for (TxnMarkersOf& m : e.rests) rests.push_back({p, epoch, std::move(m)});
  if (e.again || !rests.empty()) rest_markers(c, std::move(rests));
  for (const std::string& id : refused) operate_txn(c, p, [&](TxnCoordinator& t, TxnEffects& f) { t.on_written(id, Error::coordinator_not_available, f); });
  finish_txn_writes(c, p);
}

void Broker::finish_txn_writes(Context& c, PartitionId p) {
  for (;;) {
    TxnSeat* seat = txn_seat(p);
    if (!seat || seat->writes.empty() || seat->writes.front().required > replicas_[p].high_watermark) return;
    const TxnSeat::Write w = std::move(seat->writes.front());
    seat->writes.erase(seat->writes.begin());
    c.cancel_timer(w.timer);
    operate_txn(c, p, [&](TxnCoordinator& t, TxnEffects& e) { t.on_written(w.id, Error::none, e); });
  }
}

// DelayedProduce ends with REQUEST_TIMED_OUT: the record stays in the log, and may be read by the next coordinator.
void Broker::time_out_txn_write(Context& c, std::uint64_t number) {
  for (TxnSeat& seat : txn_.seats) {
    const auto it = std::find_if(seat.writes.begin(), seat.writes.end(), [&](const TxnSeat::Write& w) { return w.number == number; });
    if (it == seat.writes.end()) continue;
    const std::string id = it->id;
    seat.writes.erase(it);
    return operate_txn(c, seat.partition, [&](TxnCoordinator& t, TxnEffects& e) { t.on_written(id, Error::coordinator_not_available, e); });
  }
}

// ---------------------------------------------------------------------------------------------
// Markers (TransactionMarkerChannelManager)

// To each broker all that is due there, in one request.
void Broker::send_markers(Context& c, std::vector<TxnMarkersDue> due) {
  std::map<BrokerId, std::vector<TxnMarkersDue>> by_leader;
  for (const TxnMarkersDue& d : due) {
    std::map<BrokerId, std::vector<PartitionId>> parts;
    for (const PartitionId q : d.what.marker.partitions) parts[image_.partitions[q].leader].push_back(q);
    for (auto& [leader, partitions] : parts) {
      TxnMarkersDue part = d;
      part.what.marker.partitions = std::move(partitions);
      by_leader[leader].push_back(std::move(part));
    }
  }
  for (auto& [leader, markers] : by_leader) {
    if (leader == no_broker) {
      rest_markers(c, std::move(markers));
      continue;
    }
    WriteTxnMarkers request;
    for (const TxnMarkersDue& d : markers) request.markers.push_back(d.what.marker);
    const std::uint64_t number = next_number_++;
    txn_.asks.push_back({number, std::move(markers)});
    ask_broker(c, leader, Kind::write_txn_markers, make_payload<WriteTxnMarkers>(std::move(request)), number);
  }
}

void Broker::rest_markers(Context& c, std::vector<TxnMarkersDue> due) {
  for (TxnMarkersDue& d : due) txn_.rests.push_back(std::move(d));
  if (!std::exchange(txn_.due_armed, true)) c.set_timer(marker_rest, timer_txn_marker);
}

void Broker::on_markers_due(Context& c) {
  txn_.due_armed = false;
  std::vector<TxnMarkersDue> due;
  due.swap(txn_.rests);
  std::erase_if(due, [&](const TxnMarkersDue& d) {
    const TxnSeat* seat = txn_seat(d.seat);
    return !seat || seat->coordinator.epoch() != d.epoch;
  });
  send_markers(c, std::move(due));
  std::vector<PartitionId> mine;
  for (const TxnSeat& s : txn_.seats) mine.push_back(s.partition);
  for (const PartitionId p : mine) operate_txn(c, p, [](TxnCoordinator& t, TxnEffects& e) { t.write_again(e); });
}

void Broker::on_markers_reply(Context& c, std::uint64_t number, const PayloadRef& payload) {
  const auto it = std::find_if(txn_.asks.begin(), txn_.asks.end(), [&](const TxnMarkerAsk& a) { return a.number == number; });
  if (it == txn_.asks.end()) return;
  const std::vector<TxnMarkersDue> markers = std::move(it->markers);
  txn_.asks.erase(it);
  const auto& results = payload_as<WriteTxnMarkersReply>(payload).results;
  for (const TxnMarkersDue& d : markers) {
    const TxnSeat* seat = txn_seat(d.seat);
    if (!seat || seat->coordinator.epoch() != d.epoch) continue;
    operate_txn(c, d.seat, [&](TxnCoordinator& t, TxnEffects& e) { t.on_marker_results(d.what, results, e); });
  }
}

void Broker::markers_lost(Context& c, std::uint64_t number) {
  const auto it = std::find_if(txn_.asks.begin(), txn_.asks.end(), [&](const TxnMarkerAsk& a) { return a.number == number; });
  if (it == txn_.asks.end()) return;
  std::vector<TxnMarkersDue> markers = std::move(it->markers);
  txn_.asks.erase(it);
  rest_markers(c, std::move(markers));
}

// ---------------------------------------------------------------------------------------------
// Coordinators come and go with the lead of their partition.

void Broker::take_txn_seat(Context& c, PartitionId p) {
  leave_txn_seat(c, p);
  txn_.seats.push_back({p, true, TxnCoordinator(cluster_, replicas_[p].epoch), {}});
  const TransactionSettings& settings = cluster_->settings.transactions;
  c.set_timer(settings.load_time, timer_txn_load, p);
  if (std::exchange(txn_.looks_armed, true)) return;
  c.set_timer(settings.timeout_check, timer_txn_timeout);
  c.set_timer(settings.id_expiration_check, timer_txn_expiry);
}

// It reads to the end of the log, as the product does (TransactionStateManager.loadTransactionMetadata), and acts on that:
// what was appended there will be committed, unless this broker dies before anybody else has it.
void Broker::load_txn_seat(Context& c, PartitionId p) {
  TxnSeat* seat = txn_seat(p);
  if (!seat || !seat->loading) return;
  std::size_t records = 0;
  const PartitionLog& log = log_of(p);
  for (const Batch& b : log.view(log.start(), log.end())) {
    if (!b.state) continue;
    for (const GroupRecord& r : *b.state) seat->coordinator.replay(r);
    records += b.state->size();
  }
  seat->loading = false;
  c.mark("coordinator_loaded", place(p), fmt::format("{} records read", records));
  operate_txn(c, p, [](TxnCoordinator& t, TxnEffects& e) { t.loaded(e); });
}

// Whoever waits is told to look for another coordinator; what was not committed may be gone.
void Broker::leave_txn_seat(Context& c, PartitionId p) {
  const auto it = std::find_if(txn_.seats.begin(), txn_.seats.end(), [&](const TxnSeat& s) { return s.partition == p; });
  if (it == txn_.seats.end()) return;
  TxnSeat seat = std::move(*it);
  txn_.seats.erase(it);
  for (const TxnSeat::Write& w : seat.writes) c.cancel_timer(w.timer);
  TxnEffects e;
  seat.coordinator.resign(e);
  send_txn_replies(c, e.replies);
}

void Broker::look_at_transactions(Context& c, bool expiry) {
  const TransactionSettings& settings = cluster_->settings.transactions;
  if (expiry) c.set_timer(settings.id_expiration_check, timer_txn_expiry);
  else c.set_timer(settings.timeout_check, timer_txn_timeout);
  std::vector<PartitionId> mine;
  for (const TxnSeat& s : txn_.seats)
    if (!s.loading) mine.push_back(s.partition);
  for (const PartitionId p : mine)
    operate_txn(c, p, [&](TxnCoordinator& t, TxnEffects& e) {
      if (expiry) t.expire(e);
      else t.abort_timed_out(e);
    });
}

void Broker::add_txn_state(Tree& t) const {
  if (txn_.seats.empty()) return;
  Tree& all = t.add("transactions");
  for (const TxnSeat& s : txn_.seats) {
    if (s.loading) all.add(place(s.partition), "coordinator, loading");
    else s.coordinator.add_state(all);
  }
}

}  // namespace mqlab::kafka
