// The broker around its group coordinators: which groups are its own, what they write, when answers may leave.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>

#include "models/kafka/broker.h"
#include "models/kafka/broker_timers.h"

namespace mqlab::kafka {
namespace {

constexpr Duration write_again = 500'000'000;  // CoordinatorTimerImpl: an operation that could not be written is tried again

// The answer of a request that no coordinator has looked at, or whose records were never committed.
PayloadRef refusal(Kind reply, Error e) {
  switch (reply) {
    case Kind::join_group_reply: return make_payload<JoinGroupReply>(e);
    case Kind::sync_group_reply: return make_payload<SyncGroupReply>(e, std::vector<PartitionId>{});
    case Kind::group_heartbeat_reply: return make_payload<GroupHeartbeatReply>(e);
    case Kind::leave_group_reply: return make_payload<LeaveGroupReply>(e);
    case Kind::offset_commit_reply: return make_payload<OffsetCommitReply>(e);
    case Kind::offset_fetch_reply: return make_payload<OffsetFetchReply>(e);
    case Kind::txn_offset_commit_reply: return make_payload<TxnOffsetCommitReply>(e);
    default: return make_payload<ConsumerGroupHeartbeatReply>(e);
  }
}

// What a coordinator writes for a producer has no sequence: it is the coordinator's own (AppendOrigin.COORDINATOR).
Batch transactional_batch(std::vector<Record> records, ProducerId id, ProducerEpoch epoch) {
  Batch b = make_batch(std::move(records));
  b.producer_id = id;
  b.producer_epoch = epoch;
  b.transactional = true;
  return b;
}

Kind reply_of(Kind request) { return static_cast<Kind>(static_cast<MessageKind>(request) + 1); }

const std::string& group_of(Kind k, const PayloadRef& m) {
  switch (k) {
    case Kind::join_group: return payload_as<JoinGroup>(m).group;
    case Kind::sync_group: return payload_as<SyncGroup>(m).group;
    case Kind::group_heartbeat: return payload_as<GroupHeartbeat>(m).group;
    case Kind::leave_group: return payload_as<LeaveGroup>(m).group;
    case Kind::offset_commit: return payload_as<OffsetCommit>(m).group;
    case Kind::offset_fetch: return payload_as<OffsetFetch>(m).group;
    case Kind::txn_offset_commit: return payload_as<TxnOffsetCommit>(m).group;
    default: return payload_as<ConsumerGroupHeartbeat>(m).group;
  }
}

}  // namespace

// Any broker tells who coordinates a group or a transactional id: the leader of the partition that its name falls on.
void Broker::on_find_coordinator(Context& c, const Message& m) {
  FindCoordinatorReply r;
  const auto& request = payload_as<FindCoordinator>(m.payload);
  const auto p = cluster_->internal_partition(request.transactional ? transaction_topic : offsets_topic, request.group);
  if (p) r.broker = image_.partitions[*p].leader;
  if (r.broker == no_broker) r.error = Error::coordinator_not_available;
  c.reply(m, kind(Kind::find_coordinator_reply), make_payload<FindCoordinatorReply>(std::move(r)), 64, m.word);
}

Broker::Seat* Broker::seat_of(PartitionId p) {
  for (Seat& s : seats_)
    if (s.partition == p) return &s;
  return nullptr;
}

bool Broker::is_coordinated(PartitionId p) const { return cluster_->topics[static_cast<std::size_t>(cluster_->partitions[p].topic)].name == offsets_topic; }

void Broker::on_group_request(Context& c, const Message& m) {
  const Kind k = static_cast<Kind>(m.kind);
  const auto p = cluster_->internal_partition(offsets_topic, group_of(k, m.payload));
  Seat* seat = p ? seat_of(*p) : nullptr;
  const auto refuse = [&](Error e) { c.reply(m, kind(reply_of(k)), refusal(reply_of(k), e), 64, m.word); };
  if (!seat) return refuse(Error::not_coordinator);
  if (seat->loading) return refuse(Error::coordinator_load_in_progress);
  const Waiting from{m.connection, m.from, m.word};
  if (k != Kind::txn_offset_commit) {
    mute(m.connection);
    return carry_group_request(c, *p, from, k, m.payload);
  }
  // The partition of the group takes part in the transaction: that is looked up, or added, as for a produce.
  const auto& commit = payload_as<TxnOffsetCommit>(m.payload);
  TxnQuestion q;
  q.to = from;
  q.kind = k;
  q.request = m.payload;
  q.bytes = m.size;
  q.from = commit.from;
  q.version = commit.adds_group ? TxnVersion::tv2 : TxnVersion::tv1;
  q.checks.push_back({*p, no_sequence});
  verify_then(c, std::move(q));
}

// CoordinatorOperationExceptionHelper: what a verification that failed is called here.
void Broker::commit_offsets_in_transaction(Context& c, const TxnQuestion& q) {
  const TxnCheck& check = q.checks.front();
  if (!q.waited) mute(q.to.connection);
  const Seat* seat = seat_of(check.partition);
  Error e = check.error;
  if (e == Error::network_exception) e = Error::coordinator_load_in_progress;
  if (e == Error::not_leader_or_follower || e == Error::unknown_topic_or_partition || !seat) e = Error::not_coordinator;
  else if (e == Error::none && seat->loading) e = Error::coordinator_load_in_progress;
  if (e != Error::none) return refuse_group_request(c, q.to, q.kind, e);
  carry_group_request(c, check.partition, q.to, q.kind, q.request, &check);
}

void Broker::carry_group_request(Context& c, PartitionId p, const Waiting& from, Kind k, const PayloadRef& request, const TxnCheck* verified) {
  GroupContinuation then;
  const bool done = operate(c, p, [&](GroupCoordinator& g, Effects& e) {
    if (k == Kind::txn_offset_commit) e.log_refuses = check_producer(p, payload_as<TxnOffsetCommit>(request).from, verified);
    g.handle(from, k, request, e);
    then = e.then;
  });
  if (done) return;
  refuse_group_request(c, from, k, Error::coordinator_not_available);
  if (!then.group.empty()) operate(c, p, [&](GroupCoordinator& g, Effects& e) { g.on_written(then, Error::coordinator_not_available, e); });
}

void Broker::refuse_group_request(Context& c, const Waiting& to, Kind k, Error e) {
  send_group_replies(c, {{to, reply_of(k), refusal(reply_of(k), e)}});
}

// Whether the log takes records of a transaction of this producer: not of one that was fenced, nor of a transaction that
// has ended while its coordinator was asked.
Error Broker::check_producer(PartitionId p, const TxnIdentity& who, const TxnCheck* verified) const {
  const Batch probe = transactional_batch({Record{}}, who.id, who.epoch);
  return durable_[p].log.producers().check(probe, admission(p, probe, verified)).error;
}

bool Broker::may_write(Context& c, PartitionId p) const {
  const Replica& r = replicas_[p];
  return r.role == Role::leader && r.isr.size() >= static_cast<std::size_t>(cluster_->partitions[p].min_insync) && !c.world().disk(c.self()).full;
}

// ---------------------------------------------------------------------------------------------
// One operation: the state changes at once, its records are appended, its answers wait for them.

// False: its records cannot be written (NotEnoughReplicas, a full disk), so nothing of it was done. What needs no record
// goes on meanwhile: heartbeats are taken, members join.
template <class Operation>
bool Broker::operate(Context& c, PartitionId p, Operation operation) {
  Seat* seat = seat_of(p);
  Effects e;
  e.now = c.now();
  e.wall = c.wall();
  e.unique = c.random().next();
  std::optional<GroupCoordinator> before;
  if (!may_write(c, p)) before = seat->groups;
  operation(seat->groups, e);
  if (before && !e.records.empty()) {
    seat->groups = std::move(*before);
    return false;
  }
  carry_out(c, p, std::move(e));
  return true;
}

void Broker::carry_out(Context& c, PartitionId p, Effects e) {
  Seat* seat = seat_of(p);
  for (const Effects::Mark& m : e.marks) c.mark(m.name, m.group, m.text);
  for (const GroupTimer& t : e.timers) {
    const auto same = std::find_if(seat->timers.begin(), seat->timers.end(), [&](const SeatTimer& x) { return x.timer.same(t); });
    if (same != seat->timers.end()) {
      c.cancel_timer(same->event);
      seat->timers.erase(same);
    }
    if (t.after < 0) continue;
    const std::uint64_t number = next_number_++;
    seat->timers.push_back({t, c.set_timer(t.after, timer_group, number), number});
  }
  // Members that wait for a JoinGroup or a SyncGroup wait for no record, unless this very operation writes one
  // (responseFuture.complete in GroupMetadataManager); all other answers do, but those that only read what is committed.
  if (e.records.empty()) {
    const auto waits = [](const Effects::Reply& r) { return !r.at_once && r.kind != Kind::join_group_reply && r.kind != Kind::sync_group_reply; };
    const auto at_once = std::stable_partition(e.replies.begin(), e.replies.end(), waits);
    send_group_replies(c, {at_once, e.replies.end()});
    e.replies.erase(at_once, e.replies.end());
  }
  SeatWrite write;
  // What was written before and is not committed yet may be what this answer tells of (CoordinatorRuntime).
  write.required = seat->writes.empty() ? seat->loaded : seat->writes.back().required;
  write.replies = std::move(e.replies);
  write.then = e.then;
  if (!e.records.empty()) {
    write.records = std::make_shared<const std::vector<GroupRecord>>(std::move(e.records));
    write.required = log_of(p).end() + static_cast<Offset>(write.records->size());
    write.producer = e.producer;
    time_write(c, write);
    const auto state = write.records;
    // It waits in its place before it is appended: what the append lets through may write in turn.
    seat->writes.push_back(std::move(write));
    append_state(c, p, state, e.producer, e.producer_epoch);
  } else {
    if (write.replies.empty() && write.then.group.empty()) return;
    if (write.required > replicas_[p].high_watermark) time_write(c, write);
    seat->writes.push_back(std::move(write));
  }
  finish_group_writes(c, p);
}

// The caller has made sure by may_write that it can be written.
void Broker::append_state(Context& c, PartitionId p, std::shared_ptr<const std::vector<GroupRecord>> state, ProducerId producer, ProducerEpoch producer_epoch) {
  std::vector<Record> records;
  for (const GroupRecord& r : *state) {
    Record record;
    record.key = c.names().id(r.key());
    record.timestamp = c.wall();
    record.size = 100;
    record.tombstone = r.gone;
    records.push_back(record);
  }
  PartitionBatch b;
  b.partition = p;
  b.batch = producer == no_producer_id ? make_batch(std::move(records)) : transactional_batch(std::move(records), producer, producer_epoch);
  b.batch.state = std::move(state);
  Offset end = 0;
  [[maybe_unused]] const ProduceResult result = append(c, b, 0, end);
  assert(result.error == Error::none);
  ++state_appends_;
}

void Broker::time_write(Context& c, SeatWrite& w) {
  w.number = next_number_++;
  w.timer = c.set_timer(cluster_->settings.groups.commit_timeout, timer_group_write, w.number);
}

// What is on all in-sync replicas can be told.
void Broker::finish_group_writes(Context& c, PartitionId p) {
  for (;;) {
    Seat* seat = seat_of(p);
    if (!seat || seat->writes.empty() || seat->loading || seat->writes.front().required > replicas_[p].high_watermark) return;
    SeatWrite write = std::move(seat->writes.front());
    seat->writes.erase(seat->writes.begin());
    if (write.timer != no_event) c.cancel_timer(write.timer);
    if (write.records)
      for (const GroupRecord& r : *write.records) seat->groups.on_committed(r, write.producer);
    if (write.marker != Control::none) seat->groups.on_marker_committed(write.producer, write.marker == Control::commit);
    send_group_replies(c, write.replies);
    if (!write.then.group.empty() && !write.gave_up) operate(c, p, [&](GroupCoordinator& g, Effects& e) { g.on_written(write.then, Error::none, e); });
  }
}

// GroupCoordinatorService.completeTransaction: the marker is one more write, which later answers wait for. Who is still
// loading reads it from the log.
void Broker::on_offsets_marker(Context& c, PartitionId p, const Batch& marker) {
  Seat* seat = seat_of(p);
  if (!seat || seat->loading) return;
  Effects e;
  seat->groups.on_marker(marker.producer_id, marker.control == Control::commit, e);
  for (const Effects::Mark& m : e.marks) c.mark(m.name, m.group, m.text);
  SeatWrite write;
  write.required = log_of(p).end();
  write.producer = marker.producer_id;
  write.marker = marker.control;
  seat->writes.push_back(std::move(write));
  finish_group_writes(c, p);
}

void Broker::send_group_replies(Context& c, const std::vector<Effects::Reply>& replies) {
  for (const Effects::Reply& r : replies) {
    c.send(r.to.connection, kind(r.kind), r.payload, 64, r.to.word);
    unmuted_.push_back(r.to.connection);
  }
}

// offsets.commit.timeout.ms: who waits is refused; the record stays in the log and may yet count.
void Broker::time_out_group_write(Context& c, std::uint64_t number) {
  for (Seat& seat : seats_)
    for (SeatWrite& w : seat.writes) {
      if (w.number != number || w.gave_up) continue;
      w.gave_up = true;
      w.timer = no_event;
      for (Effects::Reply& r : w.replies) r.payload = refusal(r.kind, Error::coordinator_not_available);
      const std::vector<Effects::Reply> replies = std::move(w.replies);
      w.replies.clear();
      send_group_replies(c, replies);
      const GroupContinuation then = w.then;
      const PartitionId p = seat.partition;
      if (!then.group.empty()) operate(c, p, [&](GroupCoordinator& g, Effects& e) { g.on_written(then, Error::coordinator_not_available, e); });
      return;
    }
}

void Broker::on_group_timer(Context& c, std::uint64_t number) {
  for (Seat& seat : seats_)
    for (std::size_t i = 0; i < seat.timers.size(); ++i) {
      if (seat.timers[i].number != number) continue;
      const PartitionId p = seat.partition;
      GroupTimer t = seat.timers[i].timer;
      seat.timers.erase(seat.timers.begin() + static_cast<std::ptrdiff_t>(i));
      if (operate(c, p, [&](GroupCoordinator& g, Effects& e) { g.on_timer(t, e); })) return;
      // The operation could not be written; it is tried again (CoordinatorTimer).
      t.after = write_again;
      const std::uint64_t again = next_number_++;
      seat_of(p)->timers.push_back({t, c.set_timer(t.after, timer_group, again), again});
      return;
    }
}

// ---------------------------------------------------------------------------------------------
// Coordinators come and go with the lead of their partition.

void Broker::take_seat(Context& c, PartitionId p) {
  leave_seat(c, p);
  seats_.push_back({p, true, GroupCoordinator(cluster_, p), {}, {}, 0});
  c.set_timer(cluster_->settings.groups.load_time, timer_group_load, p);
  if (!offsets_expiry_armed_) {
    offsets_expiry_armed_ = true;
    c.set_timer(cluster_->settings.groups.offsets_retention_check, timer_offsets_expiry);
  }
}

void Broker::load_seat(Context& c, PartitionId p) {
  Seat* seat = seat_of(p);
  if (!seat || !seat->loading) return;
  std::size_t records = 0;
  const PartitionLog& log = log_of(p);
  for (const Batch& b : log.view(log.start(), log.end())) {
    if (b.control != Control::none) seat->groups.replay_marker(b.producer_id, b.control == Control::commit);
    if (!b.state) continue;
    for (const GroupRecord& r : *b.state) seat->groups.replay(r, b.transactional ? b.producer_id : no_producer_id);
    records += b.state->size();
  }
  seat->loading = false;
  seat->loaded = log.end();
  const bool begun = operate(c, p, [&](GroupCoordinator& g, Effects& e) {
    g.set_partition_counts(partition_counts(), e);
    g.loaded(e);
  });
  if (begun) return c.mark("coordinator_loaded", place(p), fmt::format("{} records read", records));
  // What it must write first cannot be written.
  seat->groups = GroupCoordinator(cluster_, p);
  seat->loading = true;
  c.set_timer(write_again, timer_group_load, p);
}

// Whoever waits is told to look for another coordinator; what was not committed may be gone.
void Broker::leave_seat(Context& c, PartitionId p) {
  const auto it = std::find_if(seats_.begin(), seats_.end(), [&](const Seat& s) { return s.partition == p; });
  if (it == seats_.end()) return;
  Seat seat = std::move(*it);
  seats_.erase(it);
  for (const SeatTimer& t : seat.timers) c.cancel_timer(t.event);
  std::vector<Effects::Reply> replies;
  for (SeatWrite& w : seat.writes) {
    if (w.timer != no_event) c.cancel_timer(w.timer);
    for (Effects::Reply& r : w.replies) replies.push_back({r.to, r.kind, refusal(r.kind, Error::not_coordinator)});
  }
  for (const auto& [name, group] : seat.groups.classic())
    for (const auto& [id, member] : group.members) {
      if (member.joining()) replies.push_back({member.join, Kind::join_group_reply, refusal(Kind::join_group_reply, Error::not_coordinator)});
      if (member.syncing()) replies.push_back({member.sync, Kind::sync_group_reply, refusal(Kind::sync_group_reply, Error::not_coordinator)});
    }
  send_group_replies(c, replies);
}

std::vector<std::int32_t> Broker::partition_counts() const {
  std::vector<std::int32_t> counts;
  for (const TopicSettings& t : cluster_->topics) {
    std::int32_t n = 0;
    while (n < t.partitions_max && !image_.partitions[t.first + static_cast<PartitionId>(n)].replicas.empty()) ++n;
    counts.push_back(n);
  }
  return counts;
}

void Broker::tell_groups_of_partitions(Context& c) {
  if (seats_.empty()) return;
  const std::vector<std::int32_t> counts = partition_counts();
  std::vector<PartitionId> mine;
  for (const Seat& s : seats_)
    if (!s.loading) mine.push_back(s.partition);
  for (const PartitionId p : mine)
    if (seat_of(p)) operate(c, p, [&](GroupCoordinator& g, Effects& e) { g.set_partition_counts(counts, e); });
}

void Broker::expire_offsets(Context& c) {
  c.set_timer(cluster_->settings.groups.offsets_retention_check, timer_offsets_expiry);
  std::vector<PartitionId> mine;
  for (const Seat& s : seats_)
    if (!s.loading) mine.push_back(s.partition);
  for (const PartitionId p : mine)
    if (seat_of(p)) operate(c, p, [](GroupCoordinator& g, Effects& e) { g.expire_offsets(e); });
}

}  // namespace mqlab::kafka
