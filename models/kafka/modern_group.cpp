// A group whose coordinator assigns.
#include "models/kafka/modern_group.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/assign_simple.h"
#include "models/kafka/reconcile.h"

namespace mqlab::kafka {
namespace {

using What = GroupTimer::What;

std::string places(const PartitionEpochs& partitions, const Cluster& cluster) {
  std::string out;
  for (const auto& [p, since] : partitions) out += (out.empty() ? "" : " ") + cluster.partitions[p].place;
  return out.empty() ? "nothing" : out;
}

// Those of `a` that are not in `b`.
PartitionEpochs without(const PartitionEpochs& a, const PartitionEpochs& b) {
  PartitionEpochs out;
  for (const auto& [p, since] : a)
    if (!b.count(p)) out[p] = since;
  return out;
}

}  // namespace

const char* name(MemberState s) {
  switch (s) {
    case MemberState::stable: return "STABLE";
    case MemberState::unrevoked_partitions: return "UNREVOKED_PARTITIONS";
    case MemberState::unreleased_partitions: return "UNRELEASED_PARTITIONS";
  }
  return "?";
}

// ---------------------------------------------------------------------------------------------
// The heartbeat: it joins, leaves, tells of changes and shows what was given up; its answer tells what to do next.

void ModernGroup::heartbeat(const Waiting& from, const ConsumerGroupHeartbeat& m, GroupScene& s) {
  if (m.epoch == leave_epoch || m.epoch == leave_for_a_while_epoch) return leave(from, m, s);
  if (const Error e = admit(m, s); e != Error::none) return s.effects.reply(from, Kind::consumer_group_heartbeat_reply, ConsumerGroupHeartbeatReply(e));
  GroupMemberRecord& member = members.at(m.member);
  const GroupMemberRecord before = member;
  const bool is_new = member.topics.empty();
  member.instance = m.instance;
  if (m.rebalance_timeout >= 0) member.rebalance_timeout = m.rebalance_timeout;
  if (!m.assignor.empty()) member.assignor = m.assignor;
  if (m.tells_topics) {
    member.topics = m.topics;
    std::sort(member.topics.begin(), member.topics.end());
  }
  const bool subscription_changed = member.topics != before.topics;
  if (is_new) s.effects.mark("member_joined", name, m.member);

  Changed changed;
  const std::int32_t epoch_before = epoch, assignment_epoch_before = assignment_epoch;
  if (subscription_changed || metadata_changed) update_epoch(subscription_changed, fmt::format("{} {}", m.member, is_new ? "joins" : "subscribes to other topics"), s);
  if (assignment_epoch < epoch) update_target(changed, s);
  step(member, m, subscription_changed, s);
  keep_session(m.member, s);

  if (m.epoch == 0 || member != before) changed.insert(m.member);
  for (const std::string& id : changed) s.effects.records.push_back({name, members.at(id), false});
  if (epoch != epoch_before || assignment_epoch != assignment_epoch_before) s.effects.records.push_back(epoch_record());

  ConsumerGroupHeartbeatReply r;
  r.epoch = member.epoch;
  r.interval = s.cluster.settings.groups.heartbeat_interval;
  // Who tells everything, as one does that joins, or whose last answer was lost, is told everything.
  const bool full = share ? m.tells_topics : m.rebalance_timeout >= 0 && m.tells_topics && m.tells_owned;
  r.tells_assignment = full || member.assigned != before.assigned;
  if (r.tells_assignment)
    for (const auto& [p, since] : member.assigned) r.assignment.push_back(p);
  s.effects.reply(from, Kind::consumer_group_heartbeat_reply, std::move(r));
}

// Whether this member is heard; one that joins has its place in `members` afterwards.
Error ModernGroup::admit(const ConsumerGroupHeartbeat& m, GroupScene& s) {
  const auto known = members.find(m.member);
  if (m.instance.empty()) {
    if (known != members.end()) return check_epoch(known->second, m);
    if (m.epoch != 0) return Error::unknown_member_id;
    members[m.member].id = m.member;
    return Error::none;
  }
  const GroupMemberRecord* holder = static_member(m.instance);
  if (m.epoch != 0) {
    if (!holder) return Error::unknown_member_id;
    if (holder->id != m.member) return Error::fenced_instance_id;
    return check_epoch(*holder, m);
  }
  if (holder) {
    // Only a place that was left for a while is free; whoever crashed holds it until its session ends.
    if (holder->epoch != leave_for_a_while_epoch) return Error::unreleased_instance_id;
    const std::string old = holder->id;  // the holder itself goes away
    take_place(old, m.member, s);
    return Error::none;
  }
  members[m.member].id = m.member;
  return Error::none;
}

// Epoch 0 is accepted of anybody: it joins once more. The previous epoch is accepted of a member that has nothing but
// what is its own now: the answer that told it of the present one was lost.
Error ModernGroup::check_epoch(const GroupMemberRecord& member, const ConsumerGroupHeartbeat& m) const {
  if (m.epoch == 0 || m.epoch == member.epoch) return Error::none;
  if (m.epoch > member.epoch || m.epoch != member.previous_epoch) return Error::fenced_member_epoch;
  if (share) return Error::none;
  const bool owns_no_more = m.tells_owned && std::all_of(m.owned.begin(), m.owned.end(), [&](PartitionId p) { return member.assigned.count(p) > 0; });
  return owns_no_more ? Error::none : Error::fenced_member_epoch;
}

// A static member is back under a new id: it has what it had, and the group does not change.
void ModernGroup::take_place(const std::string& old, const std::string& id, GroupScene& s) {
  GroupMemberRecord member = members.at(old);
  if (old != id) {
    s.effects.records.push_back({name, GroupMemberRecord{.id = old}, true});
    s.effects.set_timer({name, old, What::session, -1});
    members.erase(old);
  }
  member.id = id;
  member.epoch = 0;
  member.previous_epoch = 0;
  s.effects.mark("static_member_returned", name, fmt::format("{} is {} now instead of {}", member.instance, id, old));
  members[id] = std::move(member);
}

// ---------------------------------------------------------------------------------------------
// The group's epoch, the target for it, and a member's step towards it.

void ModernGroup::update_epoch(bool bump, const std::string& why, GroupScene& s) {
  std::map<std::int32_t, std::int32_t> now = counts(s);
  metadata_changed = false;
  if (now == partition_counts && !bump) return;
  partition_counts = std::move(now);
  ++epoch;
  s.effects.mark("group_epoch_bumped", name, fmt::format("epoch {}: {}", epoch, bump ? why : "topics have other partitions"));
}

// The members' sum of what the coordinator knows decides; it is lazy, and not more often than once an interval (4.3),
// by a clock on the wall. Whoever comes in between waits with what the last target has for it.
void ModernGroup::update_target(Changed& changed, GroupScene& s) {
  if (assigned_at != 0 && s.effects.wall < assigned_at + s.cluster.settings.groups.assignment_interval) return;
  std::set<std::int32_t> numbers;
  std::vector<MemberSubscription> subscriptions;
  for (const auto& [id, member] : members) {
    subscriptions.push_back({id, member.instance, member.topics, member.target, member.epoch});
    numbers.insert(member.topics.begin(), member.topics.end());
  }
  const std::vector<TopicPartitions> topics = s.topics({numbers.begin(), numbers.end()});
  const Assignment targets = share ? assign_simple(subscriptions, topics) : assign(*server_assignor_named(preferred_assignor()), subscriptions, topics);
  for (auto& [id, member] : members) {
    const std::vector<PartitionId>& target = targets.at(id);
    if (member.target == target) continue;
    member.target = target;
    changed.insert(id);
  }
  assignment_epoch = epoch;
  assigned_at = s.effects.wall;
}

void ModernGroup::step(GroupMemberRecord& member, const ConsumerGroupHeartbeat& m, bool subscription_changed, GroupScene& s) {
  if (!subscription_changed && member.state == MemberState::stable && member.epoch == assignment_epoch) return;
  const GroupMemberRecord before = member;
  std::set<PartitionId> held_by_others;
  if (!share)
    for (const auto& [id, other] : members) {
      if (id == member.id) continue;
      for (const auto& [p, since] : other.assigned) held_by_others.insert(p);
      for (const auto& [p, since] : other.revoking) held_by_others.insert(p);
    }
  const Reconciliation r{s.cluster, assignment_epoch, subscription_changed, m.tells_owned ? &m.owned : nullptr, held_by_others};
  if (share) reconcile_shared(member, r);
  else reconcile(member, r);
  if (member == before) return;
  watch_rebalance(member, s);
  if (const PartitionEpochs gives = without(member.revoking, before.revoking); !gives.empty())
    s.effects.mark("partition_revoking", name, fmt::format("{} is to give up {}", member.id, places(gives, s.cluster)));
  if (const PartitionEpochs gets = without(member.assigned, before.assigned); !gets.empty())
    s.effects.mark("partition_assigned", name, fmt::format("{} gets {} in epoch {}", member.id, places(gets, s.cluster), member.epoch));
}

// Most votes of those who have a wish; among equals uniform, the default of the rest.
std::string ModernGroup::preferred_assignor() const {
  std::size_t range = 0, uniform = 0;
  for (const auto& [id, member] : members) {
    range += member.assignor == "range";
    uniform += member.assignor == "uniform";
  }
  return range > uniform ? "range" : "uniform";
}

std::map<std::int32_t, std::int32_t> ModernGroup::counts(const GroupScene& s) const {
  std::map<std::int32_t, std::int32_t> out;
  for (const auto& [id, member] : members)
    for (const std::int32_t t : member.topics)
      if (const std::int32_t n = s.partition_counts[static_cast<std::size_t>(t)]; n > 0) out[t] = n;
  return out;
}

void ModernGroup::partitions_changed(GroupScene&) { metadata_changed = true; }

// ---------------------------------------------------------------------------------------------
// Leaving and being put out.

void ModernGroup::leave(const Waiting& from, const ConsumerGroupHeartbeat& m, GroupScene& s) {
  ConsumerGroupHeartbeatReply r;
  const auto member = members.find(m.member);
  if (!m.instance.empty()) {
    const GroupMemberRecord* holder = static_member(m.instance);
    r.error = !holder ? Error::unknown_member_id : holder->id != m.member ? Error::fenced_instance_id : Error::none;
  } else if (member == members.end()) {
    r.error = Error::unknown_member_id;
  }
  if (r.error == Error::none) {
    r.epoch = m.epoch;
    if (m.epoch == leave_for_a_while_epoch && !share) {
      // Its session goes on; if nobody takes its place until then, it is put out.
      member->second.epoch = leave_for_a_while_epoch;
      member->second.revoking.clear();
      for (auto& [p, since] : member->second.assigned) since = 0;
      s.effects.records.push_back({name, member->second, false});
      s.effects.set_timer({name, m.member, What::rebalance, -1});
      s.effects.mark("member_left", name, fmt::format("{} left for a while; what {} has stays its own", m.member, m.instance));
    } else {
      remove(m.member, "member_left", "left", s);
    }
  }
  s.effects.reply(from, Kind::consumer_group_heartbeat_reply, std::move(r));
}

// The target stays as it is until somebody's next heartbeat.
void ModernGroup::remove(const std::string& id, const char* mark, const std::string& why, GroupScene& s) {
  s.effects.mark(mark, name, fmt::format("{} {}", id, why));
  members.erase(id);
  s.effects.set_timer({name, id, What::session, -1});
  s.effects.set_timer({name, id, What::rebalance, -1});
  s.effects.records.push_back({name, GroupMemberRecord{.id = id}, true});
  update_epoch(true, fmt::format("{} {}", id, why), s);
  s.effects.records.push_back(epoch_record());
}

void ModernGroup::on_timer(const GroupTimer& t, GroupScene& s) {
  const auto it = members.find(t.member);
  if (it == members.end()) return;
  if (t.what == What::session) return remove(t.member, "member_expired", "sent no heartbeat", s);
  if (t.what == What::rebalance && it->second.state == MemberState::unrevoked_partitions)
    remove(t.member, "member_fenced", fmt::format("did not give up {} in time", places(it->second.revoking, s.cluster)), s);
}

void ModernGroup::keep_session(const std::string& id, GroupScene& s) const {
  s.effects.set_timer({name, id, What::session, s.cluster.settings.groups.session_timeout});
}

void ModernGroup::watch_rebalance(const GroupMemberRecord& member, GroupScene& s) const {
  if (share) return;
  s.effects.set_timer({name, member.id, What::rebalance, member.state == MemberState::unrevoked_partitions ? member.rebalance_timeout : -1});
}

// ---------------------------------------------------------------------------------------------
// What outlives a coordinator.

GroupRecord ModernGroup::epoch_record() const { return {name, GroupEpochRecord{share, epoch, assignment_epoch, assigned_at, partition_counts}, false}; }

void ModernGroup::replay(const GroupRecord& r) {
  if (const auto* member = std::get_if<GroupMemberRecord>(&r.value)) {
    if (r.gone) members.erase(member->id);
    else members[member->id] = *member;
  } else if (const auto* group = std::get_if<GroupEpochRecord>(&r.value)) {
    share = group->share;
    epoch = group->epoch;
    assignment_epoch = group->assignment_epoch;
    assigned_at = group->assigned_at;
    partition_counts = group->partition_counts;
  }
}

void ModernGroup::loaded(GroupScene& s) {
  for (const auto& [id, member] : members) {
    keep_session(id, s);
    if (member.state == MemberState::unrevoked_partitions) watch_rebalance(member, s);
  }
}

// ---------------------------------------------------------------------------------------------
// Who may say what.

const GroupMemberRecord* ModernGroup::static_member(const std::string& instance) const {
  for (const auto& [id, member] : members)
    if (member.instance == instance) return &member;
  return nullptr;
}

Error ModernGroup::check_commit(const OffsetCommit& m, bool transactional, const Cluster& cluster) const {
  if (share) return Error::group_id_not_found;
  if (m.generation < 0 && members.empty()) return Error::none;
  // As in the classic protocol: a producer that says nothing of its consumer is not checked.
  if (transactional && m.generation == -1 && m.member.empty() && m.instance.empty()) return Error::none;
  const auto it = members.find(m.member);
  if (it == members.end()) return Error::unknown_member_id;
  const GroupMemberRecord& member = it->second;
  if (m.generation == member.epoch) return Error::none;
  if (m.generation > member.epoch || cluster.settings.groups.commit_epoch == CommitEpoch::strict) return Error::stale_member_epoch;
  // KIP-1251: in an older epoch too, if the partition has been the member's own since then. The product refuses single
  // partitions; here one error is the answer for all.
  for (const CommittedOffset& o : m.offsets) {
    auto own = member.assigned.find(o.partition);
    if (own == member.assigned.end()) {
      own = member.revoking.find(o.partition);
      if (own == member.revoking.end()) return Error::stale_member_epoch;
    }
    if (m.generation < own->second) return Error::stale_member_epoch;
  }
  return Error::none;
}

Error ModernGroup::check_fetch(const OffsetFetch& m) const {
  if (share) return Error::group_id_not_found;
  if (m.member.empty() && m.member_epoch < 0) return Error::none;
  const auto it = members.find(m.member);
  if (it == members.end()) return Error::unknown_member_id;
  return m.member_epoch == it->second.epoch ? Error::none : Error::stale_member_epoch;
}

bool ModernGroup::subscribed(std::int32_t topic) const {
  return std::any_of(members.begin(), members.end(), [&](const auto& m) { return std::find(m.second.topics.begin(), m.second.topics.end(), topic) != m.second.topics.end(); });
}

Tree ModernGroup::state(const Cluster& cluster) const {
  Tree t{name, fmt::format("{}, epoch {}, assigned for {}", share ? "share group" : "consumer group", epoch, assignment_epoch), {}};
  for (const auto& [id, member] : members) {
    Tree& about = t.add(id, fmt::format("{}, epoch {}", kafka::name(member.state), member.epoch));
    std::string target;
    for (const PartitionId p : member.target) target += (target.empty() ? "" : " ") + cluster.partitions[p].place;
    about.add("target", target.empty() ? "nothing" : target);
    about.add("assigned", places(member.assigned, cluster));
    if (!member.revoking.empty()) about.add("revoking", places(member.revoking, cluster));
  }
  return t;
}

}  // namespace mqlab::kafka
