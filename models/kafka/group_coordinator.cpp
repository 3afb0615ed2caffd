// Which group a request is for, and the positions that groups commit.
#include "models/kafka/group_coordinator.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab::kafka {

void GroupCoordinator::set_partition_counts(const std::vector<std::int32_t>& counts, Effects& e) {
  if (counts == partition_counts_) return;
  partition_counts_ = counts;
  GroupScene s = scene(e);
  for (auto& [name, group] : modern_) group.partitions_changed(s);
}

void GroupCoordinator::replay(const GroupRecord& r, ProducerId transaction_of) {
  if (std::holds_alternative<OffsetCommitRecord>(r.value)) {
    written_.take(r, transaction_of);
    offsets_.take(r, transaction_of);
  } else if (const auto* classic = std::get_if<ClassicGroupRecord>(&r.value)) {
    if (r.gone) classic_.erase(r.group);
    else classic_group(r.group).replay(*classic);
  } else {
    ModernGroup& group = modern_[r.group];
    group.name = r.group;
    group.replay(r);
    if (r.gone && std::holds_alternative<GroupEpochRecord>(r.value)) modern_.erase(r.group);
  }
}

void GroupCoordinator::replay_marker(ProducerId producer, bool commit) {
  written_.end_transaction(producer, commit);
  offsets_.end_transaction(producer, commit);
}

void GroupCoordinator::loaded(Effects& e) {
  GroupScene s = scene(e);
  for (auto& [name, group] : classic_) group.loaded(s);
  for (auto& [name, group] : modern_) group.loaded(s);
}

ClassicGroup& GroupCoordinator::classic_group(const std::string& name) {
  ClassicGroup& g = classic_[name];
  g.name = name;
  return g;
}

void GroupCoordinator::handle(const Waiting& from, Kind k, const PayloadRef& request, Effects& e) {
  GroupScene s = scene(e);
  // A group is kept by one protocol. A member of the other kind changes an empty group over; it is refused by one that
  // has members (the product can also convert a live one, KIP-848's online migration).
  const auto classic_for = [&](const std::string& name) -> ClassicGroup* {
    const auto other = modern_.find(name);
    if (other != modern_.end() && !other->second.members.empty()) return nullptr;
    if (other != modern_.end()) {
      e.records.push_back({name, GroupEpochRecord{}, true});
      modern_.erase(other);
    }
    return &classic_group(name);
  };
  switch (k) {
    case Kind::join_group: {
      const auto& m = payload_as<JoinGroup>(request);
      if (!m.member.empty() && !classic_.count(m.group)) return e.reply(from, Kind::join_group_reply, JoinGroupReply(Error::unknown_member_id));
      if (ClassicGroup* g = classic_for(m.group)) return g->join(from, m, s);
      return e.reply(from, Kind::join_group_reply, JoinGroupReply(Error::inconsistent_group_protocol));
    }
    case Kind::sync_group: {
      const auto& m = payload_as<SyncGroup>(request);
      const auto g = classic_.find(m.group);
      if (g == classic_.end()) return e.reply(from, Kind::sync_group_reply, SyncGroupReply{Error::unknown_member_id, {}});
      return g->second.sync(from, m, s);
    }
    case Kind::group_heartbeat: {
      const auto& m = payload_as<GroupHeartbeat>(request);
      const auto g = classic_.find(m.group);
      if (g == classic_.end()) return e.reply(from, Kind::group_heartbeat_reply, GroupHeartbeatReply{Error::unknown_member_id});
      return g->second.heartbeat(from, m, s);
    }
    case Kind::leave_group: {
      const auto& m = payload_as<LeaveGroup>(request);
      const auto g = classic_.find(m.group);
      if (g == classic_.end()) return e.reply(from, Kind::leave_group_reply, LeaveGroupReply{Error::unknown_member_id});
      return g->second.leave(from, m, s);
    }
    case Kind::consumer_group_heartbeat: {
      const auto& m = payload_as<ConsumerGroupHeartbeat>(request);
      const auto refuse = [&](Error error) { e.reply(from, Kind::consumer_group_heartbeat_reply, ConsumerGroupHeartbeatReply(error)); };
      const auto other = classic_.find(m.group);
      if (other != classic_.end() && other->second.state != ClassicState::empty) return refuse(Error::group_id_not_found);
      auto g = modern_.find(m.group);
      if (g == modern_.end()) {
        if (m.epoch != 0) return refuse(Error::unknown_member_id);
        if (other != classic_.end()) {
          e.records.push_back({m.group, ClassicGroupRecord{}, true});
          classic_.erase(other);
        }
        g = modern_.emplace(m.group, ModernGroup{}).first;
        g->second.name = m.group;
        g->second.share = m.share;
      }
      if (g->second.share != m.share) return refuse(Error::group_id_not_found);
      return g->second.heartbeat(from, m, s);
    }
    case Kind::offset_commit: return commit(from, payload_as<OffsetCommit>(request), e);
    case Kind::txn_offset_commit: return commit_in_transaction(from, payload_as<TxnOffsetCommit>(request), e);
    case Kind::offset_fetch: return fetch(from, payload_as<OffsetFetch>(request), e);
    default: return;
  }
}

void GroupCoordinator::on_timer(const GroupTimer& t, Effects& e) {
  GroupScene s = scene(e);
  if (const auto g = classic_.find(t.group); g != classic_.end()) g->second.on_timer(t, s);
  else if (const auto m = modern_.find(t.group); m != modern_.end()) m->second.on_timer(t, s);
}

void GroupCoordinator::on_written(const GroupContinuation& then, Error error, Effects& e) {
  GroupScene s = scene(e);
  if (const auto g = classic_.find(then.group); g != classic_.end()) g->second.assignment_written(then.generation, error, s);
}

// ---------------------------------------------------------------------------------------------
// Committed positions. The last writer wins: nothing here compares a position with the one before.

Error GroupCoordinator::check_commit(const OffsetCommit& m, bool transactional, Effects& e) {
  GroupScene s = scene(e);
  Error error = Error::none;
  if (const auto modern = modern_.find(m.group); modern != modern_.end()) {
    error = modern->second.check_commit(m, transactional, *cluster_);
    // What a producer is told is a word of the classic protocol (validateTransactionalOffsetCommit).
    if (transactional && error == Error::stale_member_epoch) error = Error::illegal_generation;
  } else if (const auto classic = classic_.find(m.group); classic != classic_.end()) {
    error = classic->second.check_commit(m, transactional, s);
  } else if (m.generation >= 0) {
    error = Error::illegal_generation;
  } else {
    classic_group(m.group);  // a group of nobody: positions only
  }
  if (error != Error::none)
    e.mark("commit_refused", m.group, fmt::format("{}: {} of generation {}", name(error), m.member.empty() ? "somebody" : m.member, m.generation));
  return error;
}

void GroupCoordinator::write_positions(const OffsetCommit& m, Effects& e) {
  for (const CommittedOffset& o : m.offsets) {
    e.records.push_back({m.group, OffsetCommitRecord{o.partition, o.offset, o.leader_epoch, e.wall, o.metadata}, false});
    written_.take(e.records.back(), e.producer);
  }
}

void GroupCoordinator::commit(const Waiting& from, const OffsetCommit& m, Effects& e) {
  const Error error = check_commit(m, false, e);
  if (error == Error::none) write_positions(m, e);
  e.reply(from, Kind::offset_commit_reply, OffsetCommitReply{error});
}

// The positions are pending until the transaction ends. A producer that is fenced the log refuses.
void GroupCoordinator::commit_in_transaction(const Waiting& from, const TxnOffsetCommit& m, Effects& e) {
  OffsetCommit what;
  what.group = m.group;
  what.generation = m.generation;
  what.member = m.member;
  what.instance = m.instance;
  what.offsets = m.offsets;
  Error error = check_commit(what, true, e);
  if (error == Error::none && e.log_refuses != Error::none) {
    error = e.log_refuses;
    e.mark("commit_refused", m.group, fmt::format("{}: producer {} epoch {}", name(error), m.from.id, m.from.epoch));
  }
  if (error == Error::none) {
    e.producer = m.from.id;
    e.producer_epoch = m.from.epoch;
    write_positions(what, e);
  }
  e.reply(from, Kind::txn_offset_commit_reply, TxnOffsetCommitReply{error});
}

void GroupCoordinator::on_marker(ProducerId producer, bool commit, Effects& e) {
  for (const GroupPositions::Ended& ended : written_.end_transaction(producer, commit)) {
    const char* what = ended.counts ? "position_committed" : ended.superseded ? "position_superseded" : "position_dropped";
    e.mark(what, ended.group, fmt::format("{} at {}, of producer {}", cluster_->partitions[ended.commit.partition].place, ended.commit.offset, producer));
  }
}

// With RequireStable (KIP-447), which consumers set since 2.5: tells the newest positions, and only when they are
// committed, for the answer waits for all that was written before (it is a write operation without records). What an open
// transaction may yet change is not told. Without: what is committed now. The product refuses single partitions; a
// consumer asks again for all of them, so one error is the answer here.
void GroupCoordinator::fetch(const Waiting& from, const OffsetFetch& m, Effects& e) {
  OffsetFetchReply r;
  if (const auto modern = modern_.find(m.group); modern != modern_.end()) r.error = modern->second.check_fetch(m);
  const auto unstable = [&](PartitionId p) { return written_.has_pending(m.group, p); };
  if (r.error == Error::none && m.require_stable && std::any_of(m.partitions.begin(), m.partitions.end(), unstable)) {
    r.error = Error::unstable_offset_commit;
    e.mark("position_unstable", m.group, "a transaction that is open may yet change it");
  }
  if (r.error == Error::none)
    for (const PartitionId p : m.partitions) {
      const OffsetCommitRecord* c = (m.require_stable ? written_ : offsets_).find(m.group, p);
      r.offsets.push_back(c ? CommittedOffset{p, c->offset, c->leader_epoch, c->metadata} : CommittedOffset{p, no_offset, no_leader_epoch, {}});
    }
  e.reply(from, Kind::offset_fetch_reply, std::move(r));
  e.replies.back().at_once = !m.require_stable;
}

// From when on a position counts as unused; time_max: it is in use (OffsetExpirationCondition, ClassicGroup and
// ConsumerGroup.offsetExpirationCondition). A classic group that nobody is in: since it became empty, whatever was
// committed later. Else: since its last commit, if no member reads the topic any more and the group is not in the middle
// of a rebalance, or if there never were members.
Time GroupCoordinator::unused_since(const std::string& group, const OffsetCommitRecord& o) const {
  const std::int32_t topic = cluster_->partitions[o.partition].topic;
  if (const auto classic = classic_.find(group); classic != classic_.end()) {
    const ClassicGroup& g = classic->second;
    if (g.generation == 0 && g.members.empty()) return o.committed_at;
    if (g.state == ClassicState::empty) return g.state_since;
    return g.state != ClassicState::stable || g.subscribed(topic) ? time_max : o.committed_at;
  }
  if (const auto modern = modern_.find(group); modern != modern_.end() && modern->second.subscribed(topic)) return time_max;
  return o.committed_at;
}

void GroupCoordinator::expire_offsets(Effects& e) {
  const Duration retention = cluster_->settings.groups.offsets_retention;
  for (const auto& [name, offsets] : written_.all())
    for (const auto& [p, position] : offsets) {
      const OffsetCommitRecord& o = position.commit;
      const Time since = unused_since(name, o);
      if (since == time_max || e.wall - since < retention || written_.has_pending(name, p)) continue;
      e.records.push_back({name, o, true});
      e.mark("offset_expired", name, fmt::format("{} at {}", cluster_->partitions[p].place, o.offset));
    }
  for (const GroupRecord& r : e.records) written_.take(r);
  // A group without members and positions is nothing (GroupMetadataManager.maybeDeleteGroup), unless a transaction is
  // about to commit some (KAFKA-19163).
  for (auto g = classic_.begin(); g != classic_.end();) {
    if (g->second.state != ClassicState::empty || written_.has(g->first) || written_.has_pending(g->first)) {
      ++g;
      continue;
    }
    e.records.push_back({g->first, ClassicGroupRecord{}, true});
    g = classic_.erase(g);
  }
}

Tree GroupCoordinator::state() const {
  Tree t{cluster_->partitions[log_].place, "coordinator", {}};
  for (const auto& [name, group] : classic_) t.children.push_back(group.show(*cluster_));
  for (const auto& [name, group] : modern_) t.children.push_back(group.state(*cluster_));
  for (const auto& [name, offsets] : offsets_.all()) {
    Tree& o = t.add(name, "committed");
    for (const auto& [p, c] : offsets) o.add(cluster_->partitions[p].place, std::to_string(c.commit.offset));
  }
  for (const auto& [producer, groups] : offsets_.pending())
    for (const auto& [name, offsets] : groups) {
      Tree& o = t.add(name, fmt::format("pending, producer {}", producer));
      for (const auto& [p, c] : offsets) o.add(cluster_->partitions[p].place, std::to_string(c.commit.offset));
    }
  return t;
}

}  // namespace mqlab::kafka
