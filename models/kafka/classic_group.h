// models/kafka/classic_group.h: the classic protocol: members join, one of them assigns, all begin together.
//
// A change of members stops the group: everybody joins again (or is dropped after the rebalance timeout), the
// generation rises, the leader, which is a member, computes the assignment and hands it in. One rule: an assignment
// belongs to one generation, and who speaks of another generation is refused.
//
// Always true: in `stable` every member has an assignment of the present generation.
// Elsewhere: the assignors, which run in the leader (assignors.h), the member's side (group_member.cpp).
// Sources: GroupMetadataManager.classicGroup*, ClassicGroup, ClassicGroupMember (4.x); KIP-345, KIP-394, KIP-814.
#pragma once

#include <map>
#include <set>
#include <string>

#include "models/kafka/group_effects.h"
#include "models/kafka/group_messages.h"
#include "sim/world/node.h"

namespace mqlab::kafka {

enum class ClassicState : std::uint8_t { empty, preparing_rebalance, completing_rebalance, stable };
const char* name(ClassicState s);

struct ClassicMember {
  ClassicMemberRecord about;
  Waiting join{};  // of a JoinGroup without answer; word 0 = none
  Waiting sync{};
  bool is_new = true;
  bool joining() const { return join.word != 0; }
  bool syncing() const { return sync.word != 0; }
};

struct ClassicGroup {
  std::string name;
  ClassicState state = ClassicState::empty;
  std::int32_t generation = 0;
  std::string protocol{};
  std::string leader{};
  Time state_since = 0;  // wall clock
  std::map<std::string, ClassicMember> members{};
  std::map<std::string, std::string> static_members{};  // group.instance.id -> member
  std::set<std::string> pending{};      // were given an id and have not joined with it yet (KIP-394)
  bool initial_delay = false;           // an empty group waits for more members
  bool member_came = false;             // ... and one has come meanwhile
  Duration delay_left = 0;
  std::set<std::string> to_sync{};      // belong to the new generation and have not asked for their assignment

  // --- requests ---
  void join(const Waiting& from, const JoinGroup& m, GroupScene& s);
  void sync(const Waiting& from, const SyncGroup& m, GroupScene& s);
  void heartbeat(const Waiting& from, const GroupHeartbeat& m, GroupScene& s);
  void leave(const Waiting& from, const LeaveGroup& m, GroupScene& s);
  // What a commit in this name may get as an answer; one by a transaction is asked less (KIP-447).
  Error check_commit(const OffsetCommit& m, bool transactional, GroupScene& s);

  void on_timer(const GroupTimer& t, GroupScene& s);
  void assignment_written(std::int32_t of_generation, Error error, GroupScene& s);
  void replay(const ClassicGroupRecord& r);
  void loaded(GroupScene& s);
  bool subscribed(std::int32_t topic) const;
  Tree show(const Cluster& cluster) const;

 private:
  void join_static(const Waiting& from, const JoinGroup& m, GroupScene& s);
  void add_member(const Waiting& from, const JoinGroup& m, const std::string& id, GroupScene& s);
  void update_member(ClassicMember& member, const Waiting& from, const JoinGroup& m, GroupScene& s);
  void answer_join(ClassicMember& member, GroupScene& s, bool skip_assignment = false);
  void prepare_rebalance(const std::string& why, GroupScene& s);
  void complete_join_if_all_are_here(GroupScene& s);
  void complete_join(GroupScene& s);
  void remove_member(const std::string& id, const std::string& why, GroupScene& s);
  void drop_member(const std::string& id, GroupScene& s);
  void drop_who_did_not_sync(GroupScene& s);
  void propagate(Error error, GroupScene& s);
  void keep_session(ClassicMember& member, GroupScene& s);
  std::string choose_protocol() const;
  bool protocols_known(const std::vector<std::string>& protocols) const;
  Error check_member(const std::string& member, const std::string& instance) const;
  Duration rebalance_timeout() const;
  void become(ClassicState next, GroupScene& s);
  ClassicGroupRecord record() const;
};

}  // namespace mqlab::kafka
