#include "models/kafka/classic_group.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab::kafka {
namespace {

using What = GroupTimer::What;

constexpr Duration new_member_join_timeout = 300'000'000'000;  // group.coordinator: classic.group.new.member.join.timeout

bool same_subscription(const ClassicMemberRecord& a, const JoinGroup& m) {
  return a.protocols == m.protocols && a.topics == m.topics && a.owned == m.owned && a.owned_generation == m.owned_generation;
}

void take_subscription(ClassicMember& member, const Waiting& from, const JoinGroup& m) {
  member.about.protocols = m.protocols;
  member.about.topics = m.topics;
  member.about.owned = m.owned;
  member.about.owned_generation = m.owned_generation;
  member.about.session_timeout = m.session_timeout;
  member.about.rebalance_timeout = m.rebalance_timeout;
  member.join = from;
}

}  // namespace

const char* name(ClassicState s) {
  switch (s) {
    case ClassicState::empty: return "Empty";
    case ClassicState::preparing_rebalance: return "PreparingRebalance";
    case ClassicState::completing_rebalance: return "CompletingRebalance";
    case ClassicState::stable: return "Stable";
  }
  return "?";
}

// ---------------------------------------------------------------------------------------------
// Join.

void ClassicGroup::join(const Waiting& from, const JoinGroup& m, GroupScene& s) {
  const auto refuse = [&](Error e, const std::string& member = {}) {
    JoinGroupReply r(e);
    r.member = member.empty() ? m.member : member;
    s.effects.reply(from, Kind::join_group_reply, std::move(r));
  };
  if (m.protocols.empty() || (!members.empty() && !protocols_known(m.protocols))) return refuse(Error::inconsistent_group_protocol);

  if (m.member.empty()) {
    if (!m.instance.empty()) return join_static(from, m, s);
    // KIP-394: a new member first gets an id, so that a lost answer leaves no ghost behind.
    const std::string id = fmt::format("{}-{:06x}", s.cluster.client_name(from.from), s.effects.unique & 0xffffff);
    pending.insert(id);
    s.effects.set_timer({name, id, What::session, m.session_timeout});
    return refuse(Error::member_id_required, id);
  }
  if (pending.count(m.member)) {
    pending.erase(m.member);
    return add_member(from, m, m.member, s);
  }
  if (const Error e = check_member(m.member, m.instance); e != Error::none) return refuse(e);
  ClassicMember& member = members.at(m.member);
  switch (state) {
    case ClassicState::empty: return refuse(Error::unknown_member_id);
    case ClassicState::preparing_rebalance: return update_member(member, from, m, s);
    case ClassicState::completing_rebalance:
      if (!same_subscription(member.about, m)) return update_member(member, from, m, s);
      // The answer to its last JoinGroup was lost: nothing has changed, so it gets it again.
      member.join = from;
      return answer_join(member, s);
    case ClassicState::stable:
      // The leader rejoins to have assigned anew; a follower with nothing new gets the present generation.
      if (m.member == leader || !same_subscription(member.about, m)) return update_member(member, from, m, s);
      member.join = from;
      return answer_join(member, s);
  }
}

// KIP-345: a static member that comes back takes its place again under a new id.
void ClassicGroup::join_static(const Waiting& from, const JoinGroup& m, GroupScene& s) {
  const std::string id = fmt::format("{}-{:06x}", m.instance, s.effects.unique & 0xffffff);
  const auto known = static_members.find(m.instance);
  if (known == static_members.end()) return add_member(from, m, id, s);

  const std::string old = known->second;
  ClassicMember member = members.at(old);
  // Whoever still uses the old id is told that another process has its name now.
  if (member.joining()) s.effects.reply(member.join, Kind::join_group_reply, JoinGroupReply(Error::fenced_instance_id));
  if (member.syncing()) s.effects.reply(member.sync, Kind::sync_group_reply, SyncGroupReply{Error::fenced_instance_id, {}});
  s.effects.set_timer({name, old, What::session, -1});
  members.erase(old);
  member.join = member.sync = Waiting{};
  member.is_new = false;
  member.about.id = id;
  take_subscription(member, from, m);
  ClassicMember& now = members[id] = member;
  known->second = id;
  if (leader == old) leader = id;
  keep_session(now, s);
  s.effects.mark("static_member_returned", name, fmt::format("{} is {} now instead of {}", m.instance, id, old));
  // Nothing is assigned anew, not even if it wants other topics now: only another assignor would change that.
  if (state == ClassicState::stable && choose_protocol() == protocol) {
    s.effects.records.push_back({name, record(), false});
    return answer_join(now, s, true);
  }
  if (state == ClassicState::preparing_rebalance) return complete_join_if_all_are_here(s);
  prepare_rebalance(fmt::format("static member {} came back", m.instance), s);
}

void ClassicGroup::add_member(const Waiting& from, const JoinGroup& m, const std::string& id, GroupScene& s) {
  ClassicMember member;
  member.about.id = id;
  member.about.instance = m.instance;
  member.join = from;
  if (!m.instance.empty()) static_members[m.instance] = id;
  if (members.empty()) leader = id;
  members[id] = member;
  s.effects.mark("member_joined", name, id);
  s.effects.set_timer({name, id, What::session, new_member_join_timeout});
  member_came = true;
  update_member(members[id], from, m, s);
}

void ClassicGroup::update_member(ClassicMember& member, const Waiting& from, const JoinGroup& m, GroupScene& s) {
  take_subscription(member, from, m);
  if (state == ClassicState::preparing_rebalance) complete_join_if_all_are_here(s);
  else prepare_rebalance(fmt::format("{} joins", member.about.id), s);
}

void ClassicGroup::answer_join(ClassicMember& member, GroupScene& s, bool skip_assignment) {
  JoinGroupReply r;
  r.generation = generation;
  r.protocol = protocol;
  r.leader = leader;
  r.member = member.about.id;
  r.skip_assignment = skip_assignment && member.about.id == leader;
  if (member.about.id == leader)
    for (const auto& [id, other] : members)
      r.members.push_back({id, other.about.instance, other.about.topics, other.about.owned, other.about.owned_generation});
  s.effects.reply(member.join, Kind::join_group_reply, std::move(r));
  member.join = Waiting{};
  member.is_new = false;
  keep_session(member, s);
}

// ---------------------------------------------------------------------------------------------
// The rebalance: stop, gather, go on.

void ClassicGroup::prepare_rebalance(const std::string& why, GroupScene& s) {
  if (state == ClassicState::completing_rebalance) propagate(Error::rebalance_in_progress, s);
  s.effects.set_timer({name, {}, What::sync, -1});
  to_sync.clear();
  const bool was_empty = state == ClassicState::empty;
  become(ClassicState::preparing_rebalance, s);
  s.effects.mark("rebalance_started", name, fmt::format("generation {} ends: {}", generation, why));
  if (was_empty) {
    // group.initial.rebalance.delay.ms: others are probably about to come.
    const Duration delay = s.cluster.settings.groups.initial_rebalance_delay;
    initial_delay = true;
    member_came = false;
    delay_left = std::max<Duration>(0, rebalance_timeout() - delay);
    s.effects.set_timer({name, {}, What::join, delay});
    return;
  }
  s.effects.set_timer({name, {}, What::join, rebalance_timeout()});
  complete_join_if_all_are_here(s);
}

void ClassicGroup::complete_join_if_all_are_here(GroupScene& s) {
  if (state != ClassicState::preparing_rebalance || initial_delay || !pending.empty()) return;
  if (std::all_of(members.begin(), members.end(), [](const auto& m) { return m.second.joining(); })) complete_join(s);
}

void ClassicGroup::complete_join(GroupScene& s) {
  initial_delay = false;
  s.effects.set_timer({name, {}, What::join, -1});
  // Who has not come is out; a static member keeps its place until its session ends.
  for (auto it = members.begin(); it != members.end();) {
    if (it->second.joining() || !it->second.about.instance.empty()) {
      ++it;
      continue;
    }
    s.effects.mark("member_dropped", name, fmt::format("{} did not join again in time", it->first));
    s.effects.set_timer({name, it->first, What::session, -1});
    it = members.erase(it);
  }
  const auto here = std::find_if(members.begin(), members.end(), [](const auto& m) { return m.second.joining(); });
  if (!members.empty() && here == members.end()) {
    // Only static members, all away: wait for one of them, or for their sessions to end.
    s.effects.set_timer({name, {}, What::join, rebalance_timeout()});
    return;
  }
  if (members.empty()) {
    ++generation;
    protocol.clear();
    leader.clear();
    become(ClassicState::empty, s);
    s.effects.records.push_back({name, record(), false});
    return;
  }
  if (const auto l = members.find(leader); l == members.end() || !l->second.joining()) leader = here->first;
  ++generation;
  protocol = choose_protocol();
  become(ClassicState::completing_rebalance, s);
  s.effects.mark("generation_began", name, fmt::format("generation {}: {} member{}, {} leads, {}", generation, members.size(), members.size() == 1 ? "" : "s", leader, protocol));
  // A static member that is away belongs to the new generation too; it must come for its assignment in time.
  to_sync.clear();
  for (auto& [id, member] : members) {
    if (member.joining()) answer_join(member, s);
    else keep_session(member, s);
    to_sync.insert(id);
  }
  s.effects.set_timer({name, {}, What::sync, rebalance_timeout()});
}

// ---------------------------------------------------------------------------------------------
// Sync.

void ClassicGroup::sync(const Waiting& from, const SyncGroup& m, GroupScene& s) {
  const auto answer = [&](Error e) { s.effects.reply(from, Kind::sync_group_reply, SyncGroupReply{e, {}}); };
  if (const Error e = check_member(m.member, m.instance); e != Error::none) return answer(e);
  if (m.generation != generation) return answer(Error::illegal_generation);
  ClassicMember& member = members.at(m.member);
  switch (state) {
    case ClassicState::empty: return answer(Error::unknown_member_id);
    case ClassicState::preparing_rebalance: return answer(Error::rebalance_in_progress);
    case ClassicState::stable:
      to_sync.erase(m.member);
      keep_session(member, s);
      s.effects.reply(from, Kind::sync_group_reply, SyncGroupReply{Error::none, member.about.assigned});
      return;
    case ClassicState::completing_rebalance: break;
  }
  member.sync = from;
  to_sync.erase(m.member);
  if (to_sync.empty()) s.effects.set_timer({name, {}, What::sync, -1});
  if (m.member != leader) return;
  for (auto& [id, other] : members) {
    const auto found = m.assignments.find(id);
    other.about.assigned = found == m.assignments.end() ? std::vector<PartitionId>{} : found->second;
  }
  // Nobody learns the assignment before it is on all in-sync replicas.
  s.effects.records.push_back({name, record(), false});
  s.effects.then = {name, generation};
}

void ClassicGroup::assignment_written(std::int32_t of_generation, Error error, GroupScene& s) {
  if (state != ClassicState::completing_rebalance || of_generation != generation) return;
  if (error != Error::none) {
    propagate(error, s);
    prepare_rebalance("the assignment could not be written", s);
    return;
  }
  become(ClassicState::stable, s);
  propagate(Error::none, s);
}

// Answers everybody who waits for an assignment.
void ClassicGroup::propagate(Error error, GroupScene& s) {
  for (auto& [id, member] : members) {
    if (error != Error::none) member.about.assigned.clear();
    if (!member.syncing()) continue;
    s.effects.reply(member.sync, Kind::sync_group_reply, SyncGroupReply{error, error == Error::none ? member.about.assigned : std::vector<PartitionId>{}});
    member.sync = Waiting{};
    keep_session(member, s);
  }
}

// ---------------------------------------------------------------------------------------------
// Life signs and leaving.

void ClassicGroup::heartbeat(const Waiting& from, const GroupHeartbeat& m, GroupScene& s) {
  const auto answer = [&](Error e) { s.effects.reply(from, Kind::group_heartbeat_reply, GroupHeartbeatReply{e}); };
  if (const Error e = check_member(m.member, m.instance); e != Error::none) return answer(e);
  if (m.generation != generation) return answer(Error::illegal_generation);
  if (state == ClassicState::empty) return answer(Error::unknown_member_id);
  keep_session(members.at(m.member), s);
  answer(state == ClassicState::preparing_rebalance ? Error::rebalance_in_progress : Error::none);
}

void ClassicGroup::leave(const Waiting& from, const LeaveGroup& m, GroupScene& s) {
  const auto answer = [&](Error e) { s.effects.reply(from, Kind::leave_group_reply, LeaveGroupReply{e}); };
  if (pending.erase(m.member) > 0) {
    s.effects.set_timer({name, m.member, What::session, -1});
    complete_join_if_all_are_here(s);
    return answer(Error::none);
  }
  if (const Error e = check_member(m.member, m.instance); e != Error::none) return answer(e);
  remove_member(m.member, "left", s);
  answer(Error::none);
}

void ClassicGroup::remove_member(const std::string& id, const std::string& why, GroupScene& s) {
  if (!members.count(id)) return;
  s.effects.mark(why == "left" ? "member_left" : "member_expired", name, fmt::format("{} {}", id, why));
  drop_member(id, s);
  if (state == ClassicState::preparing_rebalance) complete_join_if_all_are_here(s);
  else if (state != ClassicState::empty) prepare_rebalance(fmt::format("{} {}", id, why), s);
}

void ClassicGroup::drop_member(const std::string& id, GroupScene& s) {
  const auto it = members.find(id);
  if (it == members.end()) return;
  const ClassicMember& member = it->second;
  if (member.joining()) s.effects.reply(member.join, Kind::join_group_reply, JoinGroupReply(Error::unknown_member_id));
  if (member.syncing()) s.effects.reply(member.sync, Kind::sync_group_reply, SyncGroupReply{Error::unknown_member_id, {}});
  if (!member.about.instance.empty()) static_members.erase(member.about.instance);
  s.effects.set_timer({name, id, What::session, -1});
  members.erase(it);
  to_sync.erase(id);
  if (leader == id) leader = members.empty() ? std::string() : members.begin()->first;
}

// A static member that came back meanwhile is still waited for under its old id: nobody is dropped then, and the group
// is stopped all the same (expirePendingSync; seen with 4.3.1).
void ClassicGroup::drop_who_did_not_sync(GroupScene& s) {
  if (to_sync.empty() || (state != ClassicState::completing_rebalance && state != ClassicState::stable)) return;
  const std::set<std::string> late = to_sync;
  for (const std::string& id : late) {
    s.effects.mark("member_dropped", name, fmt::format("{} did not ask for its assignment in time", id));
    drop_member(id, s);
  }
  prepare_rebalance("not all asked for their assignment in time", s);
}

void ClassicGroup::on_timer(const GroupTimer& t, GroupScene& s) {
  switch (t.what) {
    case What::join:
      if (state != ClassicState::preparing_rebalance) return;
      if (initial_delay && member_came && delay_left > 0) {
        // Somebody came during the delay: it begins once more, up to the rebalance timeout in all.
        const Duration delay = std::min(s.cluster.settings.groups.initial_rebalance_delay, delay_left);
        delay_left -= delay;
        member_came = false;
        s.effects.set_timer({name, {}, What::join, delay});
        return;
      }
      complete_join(s);
      return;
    case What::sync: return drop_who_did_not_sync(s);
    case What::session: {
      if (pending.erase(t.member) > 0) {
        complete_join_if_all_are_here(s);
        return;
      }
      const auto it = members.find(t.member);
      if (it == members.end()) return;
      // Who waits for an answer of ours owes no life sign.
      if (!it->second.is_new && (it->second.joining() || it->second.syncing())) return;
      remove_member(t.member, "sent no heartbeat", s);
      return;
    }
    case What::rebalance: return;
  }
}

void ClassicGroup::keep_session(ClassicMember& member, GroupScene& s) {
  s.effects.set_timer({name, member.about.id, What::session, member.about.session_timeout});
}

// ---------------------------------------------------------------------------------------------
// Who may say what.

Error ClassicGroup::check_member(const std::string& member, const std::string& instance) const {
  if (!instance.empty()) {
    const auto known = static_members.find(instance);
    if (known == static_members.end()) return Error::unknown_member_id;
    if (known->second != member) return Error::fenced_instance_id;
  }
  return members.count(member) ? Error::none : Error::unknown_member_id;
}

// ClassicGroup.validateOffsetCommit: while a rebalance is prepared, the old generation may still commit.
Error ClassicGroup::check_commit(const OffsetCommit& m, bool transactional, GroupScene& s) {
  if (m.generation < 0 && state == ClassicState::empty) return Error::none;
  if (m.generation >= 0 || !m.member.empty() || !m.instance.empty()) {
    if (const Error e = check_member(m.member, m.instance); e != Error::none) return e;
    if (m.generation != generation) return Error::illegal_generation;
  } else if (!transactional) {
    // A client without membership on a group that has members.
    return Error::unknown_member_id;
  }
  // A producer need not say for which consumer it commits, as before KIP-447: who does not is not fenced by the group. Its
  // commit is no life sign, and it is taken at any time of a generation.
  if (transactional) return Error::none;
  if (state == ClassicState::completing_rebalance) return Error::rebalance_in_progress;
  keep_session(members.at(m.member), s);
  return Error::none;
}

bool ClassicGroup::protocols_known(const std::vector<std::string>& protocols) const {
  return std::any_of(protocols.begin(), protocols.end(), [&](const std::string& p) {
    return std::all_of(members.begin(), members.end(), [&](const auto& m) {
      return std::find(m.second.about.protocols.begin(), m.second.about.protocols.end(), p) != m.second.about.protocols.end();
    });
  });
}

// Each member votes for the first of its protocols that all know; most votes win, the name decides between equals.
std::string ClassicGroup::choose_protocol() const {
  std::map<std::string, std::size_t> votes;
  for (const auto& [id, member] : members)
    for (const std::string& p : member.about.protocols)
      if (protocols_known({p})) {
        ++votes[p];
        break;
      }
  std::string best;
  std::size_t most = 0;
  for (const auto& [p, n] : votes)
    if (n > most) {
      best = p;
      most = n;
    }
  return best;
}

Duration ClassicGroup::rebalance_timeout() const {
  Duration longest = 0;
  for (const auto& [id, member] : members) longest = std::max(longest, member.about.rebalance_timeout);
  return longest;
}

void ClassicGroup::become(ClassicState next, GroupScene& s) {
  state = next;
  state_since = s.effects.wall;
}

// ---------------------------------------------------------------------------------------------
// What is kept.

ClassicGroupRecord ClassicGroup::record() const {
  ClassicGroupRecord r;
  r.generation = generation;
  r.protocol = protocol;
  r.leader = leader;
  r.state_since = state_since;
  for (const auto& [id, member] : members) r.members.push_back(member.about);
  return r;
}

void ClassicGroup::replay(const ClassicGroupRecord& r) {
  generation = r.generation;
  protocol = r.protocol;
  leader = r.leader;
  state_since = r.state_since;
  members.clear();
  static_members.clear();
  for (const ClassicMemberRecord& about : r.members) {
    ClassicMember member;
    member.about = about;
    member.is_new = false;
    if (!about.instance.empty()) static_members[about.instance] = about.id;
    members[about.id] = member;
  }
  state = members.empty() ? ClassicState::empty : ClassicState::stable;
}

void ClassicGroup::loaded(GroupScene& s) {
  for (auto& [id, member] : members) keep_session(member, s);
}

bool ClassicGroup::subscribed(std::int32_t topic) const {
  return std::any_of(members.begin(), members.end(), [&](const auto& m) {
    return std::find(m.second.about.topics.begin(), m.second.about.topics.end(), topic) != m.second.about.topics.end();
  });
}

Tree ClassicGroup::show(const Cluster& cluster) const {
  Tree t{name, fmt::format("classic, {}, generation {}", kafka::name(state), generation), {}};
  for (const auto& [id, member] : members) {
    std::string places;
    for (const PartitionId p : member.about.assigned) places += (places.empty() ? "" : " ") + cluster.partitions[p].place;
    t.add(id + (id == leader ? " (leader)" : ""), member.joining() ? "joining" : member.syncing() ? "syncing" : places.empty() ? "nothing assigned" : places);
  }
  return t;
}

}  // namespace mqlab::kafka
