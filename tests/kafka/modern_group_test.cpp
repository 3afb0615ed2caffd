// A group whose coordinator assigns (KIP-848, and the membership of share groups): one story per rule of
// GroupMetadataManager and CurrentAssignmentBuilder (4.3.1), then random groups whose members lose requests and answers.
#include "models/kafka/modern_group.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "models/kafka/assign_simple.h"

namespace mqlab::kafka {
namespace {

using Partitions = std::vector<PartitionId>;
using What = GroupTimer::What;
constexpr Duration second = 1'000'000'000;
constexpr std::int32_t orders = 0, payments = 1;

// "orders" is 0..5, of which four exist at first; "payments" is 6 and 7.
Cluster two_topics() {
  Cluster c;
  c.settings.groups.session_timeout = 45 * second;
  c.settings.groups.heartbeat_interval = 5 * second;
  c.topics.resize(2);
  c.topics[0].name = "orders";
  c.topics[0].first = 0;
  c.topics[1].name = "payments";
  c.topics[1].first = 6;
  for (std::int32_t t : {orders, payments})
    for (std::int32_t i = 0; i < (t == orders ? 6 : 2); ++i) c.partitions.push_back({t, i, fmt::format("{}/{}", c.topics[static_cast<std::size_t>(t)].name, i), {}, 1});
  return c;
}

// The coordinator around one group: keeps its records and timers, and hands back the answer.
struct Desk {
  Cluster cluster = two_topics();
  std::vector<std::int32_t> counts{4, 2};
  ModernGroup group{.name = "readers"};
  Time wall = 100 * second;
  std::map<std::string, GroupRecord> log{};  // compacted
  std::map<std::pair<std::string, What>, Duration> timers{};
  std::vector<std::string> marks{};

  template <class Operation>
  std::optional<ConsumerGroupHeartbeatReply> operate(Operation operation) {
    Effects e;
    e.wall = wall;
    GroupScene s{cluster, counts, e};
    operation(s);
    for (const GroupRecord& r : e.records) {
      if (r.gone) log.erase(r.key());
      else log.insert_or_assign(r.key(), r);
    }
    for (const GroupTimer& t : e.timers) {
      if (t.after < 0) timers.erase({t.member, t.what});
      else timers[{t.member, t.what}] = t.after;
    }
    for (const Effects::Mark& m : e.marks) marks.push_back(m.name);
    if (e.replies.empty()) return std::nullopt;
    return payload_as<ConsumerGroupHeartbeatReply>(e.replies.front().payload);
  }
  ConsumerGroupHeartbeatReply send(ConsumerGroupHeartbeat m) {
    m.group = "readers";
    m.share = group.share;
    return *operate([&](GroupScene& s) { group.heartbeat({}, m, s); });
  }
  ConsumerGroupHeartbeatReply join(const std::string& member, std::vector<std::int32_t> topics = {orders}, const std::string& instance = {}, const std::string& assignor = {}) {
    ConsumerGroupHeartbeat m;
    m.member = member;
    m.instance = instance;
    m.assignor = assignor;
    m.rebalance_timeout = 300 * second;
    m.tells_topics = m.tells_owned = true;
    m.topics = std::move(topics);
    return send(m);
  }
  ConsumerGroupHeartbeatReply beat(const std::string& member, std::int32_t epoch, const std::string& instance = {}) {
    ConsumerGroupHeartbeat m;
    m.member = member;
    m.epoch = epoch;
    m.instance = instance;
    return send(m);
  }
  ConsumerGroupHeartbeatReply owns(const std::string& member, std::int32_t epoch, Partitions owned, const std::string& instance = {}) {
    ConsumerGroupHeartbeat m;
    m.member = member;
    m.epoch = epoch;
    m.instance = instance;
    m.tells_owned = true;
    m.owned = std::move(owned);
    return send(m);
  }
  void fire(const std::string& member, What what) {
    timers.erase({member, what});
    operate([&](GroupScene& s) { group.on_timer({"readers", member, what, 0}, s); });
  }
  // The coordinator moves: another broker reads the records.
  void fail_over() {
    ModernGroup fresh;
    fresh.name = group.name;
    for (const auto& [key, r] : log) fresh.replay(r);
    group = std::move(fresh);
    timers.clear();
    operate([&](GroupScene& s) { group.loaded(s); });
  }
  const GroupMemberRecord& member(const std::string& id) const { return group.members.at(id); }
  std::int64_t marked(const std::string& mark) const { return std::count(marks.begin(), marks.end(), mark); }
  Error commit(const std::string& member, std::int32_t epoch, Partitions partitions, bool transactional = false) const {
    OffsetCommit m;
    m.member = member;
    m.generation = epoch;
    for (const PartitionId p : partitions) m.offsets.push_back({p, 1});
    return group.check_commit(m, transactional, cluster);
  }
};

// A has 0..3 in epoch 1; B has joined, A was told to give up 2 and 3 and has not done it yet.
Desk two_members() {
  Desk d;
  d.join("A");
  d.join("B");
  d.beat("A", 1);
  return d;
}

TEST(KafkaModernGroup, TheFirstMemberGetsAllInEpochOne) {
  Desk d;
  const auto r = d.join("A");
  EXPECT_EQ(r.error, Error::none);
  EXPECT_EQ(r.epoch, 1);
  EXPECT_EQ(r.interval, 5 * second);
  EXPECT_TRUE(r.tells_assignment);
  EXPECT_EQ(r.assignment, (Partitions{0, 1, 2, 3}));
  EXPECT_EQ(d.group.epoch, 1);
  EXPECT_EQ(d.group.assignment_epoch, 1);
  EXPECT_EQ(d.timers.at({"A", What::session}), 45 * second);
  EXPECT_EQ(d.marked("member_joined"), 1);
  // Nothing new: nothing told, nothing written.
  d.log.clear();
  EXPECT_FALSE(d.beat("A", 1).tells_assignment);
  EXPECT_TRUE(d.log.empty());
}

// The rule of KIP-848: taken from the one first, given to the other only then.
TEST(KafkaModernGroup, APartitionMovesOnlyAfterItsOwnerHasShownThatItLetGo) {
  Desk d;
  d.join("A");
  const auto b = d.join("B");
  EXPECT_EQ(b.epoch, 2);
  EXPECT_TRUE(b.assignment.empty());
  EXPECT_EQ(d.member("B").state, MemberState::unreleased_partitions);
  EXPECT_EQ(d.member("B").target, (Partitions{2, 3}));

  // A hears of it with its next heartbeat, and stays in its epoch.
  const auto told = d.beat("A", 1);
  EXPECT_EQ(told.epoch, 1);
  EXPECT_EQ(told.assignment, (Partitions{0, 1}));
  EXPECT_EQ(d.member("A").state, MemberState::unrevoked_partitions);
  EXPECT_EQ(d.timers.at({"A", What::rebalance}), 300 * second);
  EXPECT_EQ(d.marked("partition_revoking"), 1);

  // A heartbeat that says nothing of what it owns, or still names one of them, shows nothing.
  EXPECT_FALSE(d.beat("A", 1).tells_assignment);
  d.owns("A", 1, {0, 1, 3});
  EXPECT_TRUE(d.beat("B", 2).assignment.empty());

  const auto done = d.owns("A", 1, {0, 1});
  EXPECT_EQ(done.epoch, 2);
  EXPECT_EQ(d.member("A").state, MemberState::stable);
  EXPECT_FALSE(d.timers.count({"A", What::rebalance}));
  const auto gets = d.beat("B", 2);
  EXPECT_EQ(gets.epoch, 2);
  EXPECT_EQ(gets.assignment, (Partitions{2, 3}));
  EXPECT_EQ(d.member("B").state, MemberState::stable);
}

TEST(KafkaModernGroup, WhoDoesNotGiveUpInTimeIsPutOut) {
  Desk d = two_members();
  d.fire("A", What::rebalance);
  EXPECT_FALSE(d.group.members.count("A"));
  EXPECT_EQ(d.marked("member_fenced"), 1);
  EXPECT_EQ(d.owns("A", 1, {0, 1}).error, Error::unknown_member_id);
  d.wall += 2 * second;
  EXPECT_EQ(d.beat("B", 2).assignment, (Partitions{0, 1, 2, 3}));
  EXPECT_EQ(d.group.epoch, 3);
}

TEST(KafkaModernGroup, ARebalanceTimerOfAnOlderStepDoesNothing) {
  Desk d = two_members();
  d.owns("A", 1, {0, 1});
  d.fire("A", What::rebalance);
  EXPECT_TRUE(d.group.members.count("A"));
}

TEST(KafkaModernGroup, WhoIsSilentForASessionIsPutOut) {
  Desk d = two_members();
  d.fire("A", What::session);
  EXPECT_EQ(d.marked("member_expired"), 1);
  EXPECT_EQ(d.group.epoch, 3);
  EXPECT_EQ(d.group.assignment_epoch, 2);  // nobody has asked yet
  EXPECT_EQ(d.beat("A", 1).error, Error::unknown_member_id);
  EXPECT_EQ(d.beat("B", 2).assignment, (Partitions{0, 1, 2, 3}));
}

TEST(KafkaModernGroup, WhoLeavesIsGoneAtOnce) {
  Desk d = two_members();
  const auto r = d.beat("A", leave_epoch);
  EXPECT_EQ(r.error, Error::none);
  EXPECT_EQ(r.epoch, leave_epoch);
  EXPECT_FALSE(d.timers.count({"A", What::session}));
  EXPECT_FALSE(d.timers.count({"A", What::rebalance}));
  EXPECT_EQ(d.beat("B", 2).assignment, (Partitions{0, 1, 2, 3}));
  EXPECT_EQ(d.beat("A", leave_epoch).error, Error::unknown_member_id);
}

// throwIfConsumerGroupMemberEpochIsInvalid.
TEST(KafkaModernGroup, OnlyThePresentEpochIsHeard) {
  Desk d;
  d.join("A");
  EXPECT_EQ(d.owns("A", 2, {}).error, Error::fenced_member_epoch);
  EXPECT_EQ(d.beat("Z", 1).error, Error::unknown_member_id);
  d.join("B");
  d.beat("A", 1);
  d.owns("A", 1, {0, 1});  // it is in epoch 2 now
  EXPECT_EQ(d.beat("A", 1).error, Error::fenced_member_epoch);
}

// The answer that told of epoch 2 was lost: the member says once more what it has, which is no more than its own.
TEST(KafkaModernGroup, ThePreviousEpochIsHeardOfAMemberThatHasNoMoreThanItsOwn) {
  Desk d = two_members();
  d.owns("A", 1, {0, 1});
  EXPECT_EQ(d.member("A").previous_epoch, 1);
  EXPECT_EQ(d.owns("A", 1, {0, 1, 2}).error, Error::fenced_member_epoch);
  const auto again = d.owns("A", 1, {0, 1});
  EXPECT_EQ(again.error, Error::none);
  EXPECT_EQ(again.epoch, 2);
}

TEST(KafkaModernGroup, AJoinThatComesTwiceChangesNothing) {
  Desk d;
  d.join("A");
  const auto again = d.join("A");
  EXPECT_EQ(again.epoch, 1);
  EXPECT_EQ(again.assignment, (Partitions{0, 1, 2, 3}));
  EXPECT_EQ(d.group.epoch, 1);
}

// Who was fenced comes back with empty hands, under its old id: that shows that it let go.
TEST(KafkaModernGroup, AMemberThatJoinsAgainHasGivenUp) {
  Desk d = two_members();
  const auto back = d.join("A");
  EXPECT_EQ(back.epoch, 2);
  EXPECT_EQ(back.assignment, (Partitions{0, 1}));
  EXPECT_EQ(d.beat("B", 2).assignment, (Partitions{2, 3}));
}

// group.consumer.assignment.interval.ms: who comes within a second of the last assignment waits for the next one.
TEST(KafkaModernGroup, AssignmentsAreSpaced) {
  Desk d;
  d.cluster.settings.groups.assignment_interval = second;
  d.join("A");
  d.wall += second / 2;
  const auto b = d.join("B");
  EXPECT_EQ(d.group.epoch, 2);
  EXPECT_EQ(d.group.assignment_epoch, 1);
  EXPECT_EQ(b.epoch, 1);
  EXPECT_TRUE(b.assignment.empty());
  EXPECT_EQ(d.member("B").state, MemberState::stable);
  d.wall += second / 2;
  EXPECT_EQ(d.beat("B", 1).epoch, 2);
  EXPECT_EQ(d.group.assignment_epoch, 2);
}

TEST(KafkaModernGroup, ATopicThatGrowsIsSeenWithTheNextHeartbeat) {
  Desk d;
  d.join("A");
  d.counts[orders] = 6;
  d.operate([&](GroupScene& s) { d.group.partitions_changed(s); });
  EXPECT_EQ(d.group.epoch, 1);
  const auto r = d.beat("A", 1);
  EXPECT_EQ(r.epoch, 2);
  EXPECT_EQ(r.assignment, (Partitions{0, 1, 2, 3, 4, 5}));
  // A topic that nobody reads is nobody's business.
  d.counts[payments] = 1;
  d.operate([&](GroupScene& s) { d.group.partitions_changed(s); });
  EXPECT_EQ(d.beat("A", 2).epoch, 2);
}

// What was counted is in the log: a new coordinator finds out what changed while nobody looked.
TEST(KafkaModernGroup, ATopicThatGrewWhileTheCoordinatorMovedIsSeen) {
  Desk d;
  d.join("A");
  d.counts[orders] = 6;
  d.fail_over();
  EXPECT_EQ(d.beat("A", 1).epoch, 2);
  d.fail_over();
  EXPECT_EQ(d.beat("A", 2).epoch, 2);
}

// updateCurrentAssignment: no new target is needed to take away what is not read any more.
TEST(KafkaModernGroup, WhatIsNoLongerSubscribedToGoesEvenBeforeTheNextTarget) {
  Desk d;
  d.cluster.settings.groups.assignment_interval = second;
  d.join("A", {orders, payments});
  ConsumerGroupHeartbeat m;
  m.member = "A";
  m.epoch = 1;
  m.tells_topics = true;
  m.topics = {payments};
  const auto r = d.send(m);
  EXPECT_EQ(r.epoch, 1);
  EXPECT_EQ(r.assignment, (Partitions{6, 7}));
  EXPECT_EQ(d.member("A").state, MemberState::unrevoked_partitions);
  EXPECT_EQ(d.member("A").revoking.size(), 4u);
  d.wall += second;
  EXPECT_EQ(d.owns("A", 1, {6, 7}).epoch, 2);
  EXPECT_EQ(d.member("A").state, MemberState::stable);
}

// The target is older than the subscription: of a topic that is not read any more nothing is given.
TEST(KafkaModernGroup, NothingOfAnOldTargetIsGivenThatIsNoLongerSubscribedTo) {
  Desk d;
  d.cluster.settings.groups.assignment_interval = second;
  d.join("A");
  d.wall += second;
  d.join("B", {orders, payments});
  ConsumerGroupHeartbeat m;
  m.member = "A";
  m.epoch = 1;
  m.tells_topics = true;
  m.topics = {payments};
  EXPECT_TRUE(d.send(m).assignment.empty());
  EXPECT_EQ(d.member("A").revoking.size(), 4u);
}

TEST(KafkaModernGroup, TheMajorityChoosesTheAssignor) {
  Desk d;
  d.join("A", {orders, payments}, {}, "range");
  d.join("B", {orders, payments}, {}, "range");
  EXPECT_EQ(d.member("A").target, (Partitions{0, 1, 6}));
  d.join("C", {orders, payments}, {}, "uniform");
  EXPECT_EQ(d.member("C").target, (Partitions{3}));  // range: two members for payments are enough
  Desk even;
  even.counts = {3, 1};
  even.join("A", {orders, payments}, {}, "range");
  even.join("B", {orders, payments}, {}, "uniform");
  EXPECT_EQ(even.member("A").target.size(), 2u);  // range would say 3
}

// ---------------------------------------------------------------------------------------------
// Static members (KIP-345 in KIP-848's words).

TEST(KafkaModernGroup, AStaticMemberThatLeavesForAWhileKeepsItsPartitions) {
  Desk d;
  d.join("A", {orders}, "one");
  d.join("B", {orders}, "two");
  d.beat("A", 1, "one");
  d.owns("A", 1, {0, 1}, "one");
  d.beat("B", 2, "two");
  const auto left = d.beat("A", leave_for_a_while_epoch, "one");
  EXPECT_EQ(left.epoch, leave_for_a_while_epoch);
  EXPECT_TRUE(d.timers.count({"A", What::session}));
  EXPECT_FALSE(d.beat("B", 2, "two").tells_assignment);

  const auto back = d.join("A2", {orders}, "one");
  EXPECT_EQ(back.error, Error::none);
  EXPECT_EQ(back.epoch, 2);
  EXPECT_EQ(back.assignment, (Partitions{0, 1}));
  EXPECT_EQ(d.group.epoch, 2);
  EXPECT_FALSE(d.group.members.count("A"));
  EXPECT_FALSE(d.timers.count({"A", What::session}));
  EXPECT_EQ(d.beat("A", 2, "one").error, Error::fenced_instance_id);
}

TEST(KafkaModernGroup, AStaticMemberThatDoesNotComeBackIsPutOutWithItsSession) {
  Desk d;
  d.join("A", {orders}, "one");
  d.beat("A", leave_for_a_while_epoch, "one");
  d.fire("A", What::session);
  EXPECT_TRUE(d.group.members.empty());
  EXPECT_EQ(d.join("A2", {orders}, "one").assignment, (Partitions{0, 1, 2, 3}));
}

// After a crash nobody has said that the name is free; not even the same member may join again with it.
TEST(KafkaModernGroup, AnInstanceThatHasNotLeftHoldsItsName) {
  Desk d;
  d.join("A", {orders}, "one");
  EXPECT_EQ(d.join("A2", {orders}, "one").error, Error::unreleased_instance_id);
  EXPECT_EQ(d.join("A", {orders}, "one").error, Error::unreleased_instance_id);
  EXPECT_EQ(d.beat("A2", leave_epoch, "one").error, Error::fenced_instance_id);
  EXPECT_EQ(d.beat("Z", 1, "three").error, Error::unknown_member_id);
  EXPECT_EQ(d.beat("A", leave_epoch, "one").error, Error::none);
  EXPECT_TRUE(d.group.members.empty());
}

TEST(KafkaModernGroup, WhoLeavesForAWhileHasGivenUpWhatItWasToldTo) {
  Desk d;
  d.join("A", {orders}, "one");
  d.join("B");
  d.beat("A", 1, "one");
  d.beat("A", leave_for_a_while_epoch, "one");
  EXPECT_FALSE(d.timers.count({"A", What::rebalance}));
  EXPECT_EQ(d.beat("B", 2).assignment, (Partitions{2, 3}));
}

// ---------------------------------------------------------------------------------------------
// Commits and fetches of positions.

TEST(KafkaModernGroup, StrictCommitsAreOfThePresentEpoch) {
  Desk d = two_members();
  d.cluster.settings.groups.commit_epoch = CommitEpoch::strict;
  EXPECT_EQ(d.commit("A", 1, {0, 2}), Error::none);
  d.owns("A", 1, {0, 1});
  EXPECT_EQ(d.commit("A", 1, {0}), Error::stale_member_epoch);
  EXPECT_EQ(d.commit("A", 2, {0}), Error::none);
  EXPECT_EQ(d.commit("A", 3, {0}), Error::stale_member_epoch);
  EXPECT_EQ(d.commit("Z", 1, {0}), Error::unknown_member_id);
}

// KIP-1251: assignment epoch of the partition <= the client's epoch <= the member's epoch.
TEST(KafkaModernGroup, ACommitInAnOlderEpochCountsForWhatWasOwnedThen) {
  Desk d = two_members();
  d.owns("A", 1, {0, 1});
  EXPECT_EQ(d.commit("A", 1, {0, 1}), Error::none);
  EXPECT_EQ(d.commit("A", 1, {0, 2}), Error::stale_member_epoch);  // 2 is gone
  EXPECT_EQ(d.commit("A", 3, {0}), Error::stale_member_epoch);
  d.beat("B", 2);
  d.beat("A", leave_epoch);
  d.beat("B", 2);  // B has 2 and 3 since epoch 2, the rest since epoch 3
  EXPECT_EQ(d.member("B").epoch, 3);
  EXPECT_EQ(d.commit("B", 2, {2, 3}), Error::none);
  EXPECT_EQ(d.commit("B", 2, {0}), Error::stale_member_epoch);
  EXPECT_EQ(d.commit("B", 3, {0}), Error::none);
}

TEST(KafkaModernGroup, WhatIsToBeGivenUpMayStillBeCommitted) {
  Desk d = two_members();
  d.fail_over();  // the epochs are in the log
  d.cluster.settings.groups.assignment_interval = 0;
  EXPECT_EQ(d.commit("A", 1, {2, 3}), Error::none);
  EXPECT_EQ(d.commit("A", 0, {2}), Error::stale_member_epoch);
}

TEST(KafkaModernGroup, StrangersCommitToAnEmptyGroupOnly) {
  Desk d;
  EXPECT_EQ(d.commit("", -1, {0}), Error::none);
  d.join("A");
  EXPECT_EQ(d.commit("", -1, {0}), Error::unknown_member_id);
}

// KIP-447 counts epochs as generations; a producer that says nothing of its consumer is not asked.
TEST(KafkaModernGroup, TransactionCommitsAsAMemberOrAsNobody) {
  Desk d = two_members();
  EXPECT_EQ(d.commit("A", 1, {0}, true), Error::none);
  EXPECT_EQ(d.commit("A", 9, {0}, true), Error::stale_member_epoch);
  EXPECT_EQ(d.commit("Z", 1, {0}, true), Error::unknown_member_id);
  EXPECT_EQ(d.commit("", -1, {0}, true), Error::none);
  EXPECT_EQ(d.commit("", -1, {0}), Error::unknown_member_id);
}

TEST(KafkaModernGroup, PositionsAreToldToThePresentEpoch) {
  Desk d;
  d.join("A");
  OffsetFetch m;
  EXPECT_EQ(d.group.check_fetch(m), Error::none);
  m.member = "A";
  m.member_epoch = 1;
  EXPECT_EQ(d.group.check_fetch(m), Error::none);
  m.member_epoch = 0;
  EXPECT_EQ(d.group.check_fetch(m), Error::stale_member_epoch);
  m.member = "Z";
  EXPECT_EQ(d.group.check_fetch(m), Error::unknown_member_id);
}

// ---------------------------------------------------------------------------------------------
// The coordinator moves.

TEST(KafkaModernGroup, ANewCoordinatorKnowsAllAndGivesEveryoneANewSession) {
  Desk d = two_members();
  const auto before = d.group.members;
  d.fail_over();
  EXPECT_EQ(d.group.members, before);
  EXPECT_EQ(d.group.epoch, 2);
  EXPECT_EQ(d.group.assignment_epoch, 2);
  EXPECT_EQ(d.timers.size(), 3u);
  EXPECT_EQ(d.timers.at({"B", What::session}), 45 * second);
  EXPECT_EQ(d.timers.at({"A", What::rebalance}), 300 * second);
  d.owns("A", 1, {0, 1});
  EXPECT_EQ(d.beat("B", 2).assignment, (Partitions{2, 3}));
}

TEST(KafkaModernGroup, AMemberThatLeftLeavesNoRecord) {
  Desk d;
  d.join("A");
  d.beat("A", leave_epoch);
  ASSERT_EQ(d.log.size(), 1u);
  d.fail_over();
  EXPECT_EQ(d.join("B").epoch, 3);  // epochs go on
}

TEST(KafkaModernGroup, TheStateCanBeRead) {
  const Desk d = two_members();
  const Tree t = d.group.state(d.cluster);
  EXPECT_EQ(t.value, "consumer group, epoch 2, assigned for 2");
  ASSERT_EQ(t.children.size(), 2u);
  EXPECT_EQ(t.children[0].value, "UNREVOKED_PARTITIONS, epoch 1");
  EXPECT_EQ(t.children[0].children.back().value, "orders/2 orders/3");
  EXPECT_EQ(t.children[1].children.front().value, "orders/2 orders/3");
}

// ---------------------------------------------------------------------------------------------
// Share groups (KIP-932).

TEST(KafkaShareGroup, PartitionsMoveAtOnceAndMayHaveManyReaders) {
  Desk d;
  d.group.share = true;
  d.counts = {2, 2};
  EXPECT_EQ(d.join("A").assignment, (Partitions{0, 1}));
  EXPECT_EQ(d.join("B").assignment, (Partitions{0}));
  // A has heard nothing yet, and still reads 0; nothing waits for it.
  const auto a = d.beat("A", 1);
  EXPECT_EQ(a.epoch, 2);
  EXPECT_EQ(a.assignment, (Partitions{1}));
  d.join("C");
  d.beat("A", 2);
  const auto same = d.beat("B", 2);  // what it has is what it had
  EXPECT_EQ(same.epoch, 3);
  EXPECT_FALSE(same.tells_assignment);
  std::map<PartitionId, int> readers;
  for (const auto& [id, m] : d.group.members) {
    EXPECT_FALSE(m.assigned.empty()) << id;
    for (const auto& [p, since] : m.assigned) ++readers[p];
  }
  EXPECT_EQ(readers, (std::map<PartitionId, int>{{0, 2}, {1, 2}}));
  EXPECT_EQ(d.commit("A", 3, {0}), Error::group_id_not_found);
  EXPECT_EQ(d.beat("A", 1).error, Error::fenced_member_epoch);
  d.fail_over();
  EXPECT_TRUE(d.group.share);
  EXPECT_EQ(d.beat("A", 3).error, Error::none);
}

TEST(KafkaShareGroup, MembersWithDifferentTopicsShareEachTopic) {
  const std::vector<TopicPartitions> topics{{orders, "orders", 0, 3}, {payments, "payments", 6, 1}};
  const Assignment a = assign_simple({{.member = "A", .topics = {orders}}, {.member = "B", .topics = {orders, payments}}, {.member = "C", .topics = {payments}}}, topics);
  EXPECT_EQ(a.at("A"), (Partitions{0, 2}));
  EXPECT_EQ(a.at("B"), (Partitions{1, 6}));
  EXPECT_EQ(a.at("C"), (Partitions{6}));
}

RC_GTEST_PROP(KafkaShareGroup, EveryoneReadsAndEverythingIsRead, ()) {
  const auto partitions = *rc::gen::inRange(1, 7);
  std::vector<MemberSubscription> members;
  for (int round = 0; round < 4; ++round) {
    const auto n = static_cast<std::size_t>(*rc::gen::inRange(1, 12));
    while (members.size() < n) members.push_back({.member = fmt::format("{}{}", *rc::gen::inRange('a', 'f'), members.size()), .topics = {orders}});
    members.resize(n);
    const Assignment a = assign_simple(members, {{orders, "orders", 0, partitions}});
    const auto sharing = (n + static_cast<std::size_t>(partitions) - 1) / static_cast<std::size_t>(partitions);
    std::map<PartitionId, std::size_t> readers;
    std::size_t least = 99, most = 0;
    for (MemberSubscription& m : members) {
      m.owned = a.at(m.member);
      RC_ASSERT(!m.owned.empty());
      least = std::min(least, m.owned.size());
      most = std::max(most, m.owned.size());
      for (const PartitionId p : m.owned) ++readers[p];
    }
    RC_ASSERT(readers.size() == static_cast<std::size_t>(partitions));
    for (const auto& [p, count] : readers) RC_ASSERT(count <= sharing);
    RC_ASSERT(most - least <= 1u);
  }
}

// ---------------------------------------------------------------------------------------------
// Random groups. Members are simulated as clients are: one request at a time, in order; what was sent and never answered
// is told again in full; places are given up and taken some time after the answer, and only then told.
//
// One thing they do better than the Java client: while a heartbeat that told what they own is not answered, they take
// nothing new, and if it never is, they wait to be told again. Kafka's coordinator needs this: "I own nothing", said
// after a lost answer by a member that takes its partitions a moment later, frees them for others.

struct SimMember {
  std::string id;
  std::string instance{};
  std::vector<std::int32_t> topics{};
  bool alive = true;
  std::int32_t epoch = 0;
  std::set<PartitionId> owned{};                      // what the application works on
  std::optional<std::set<PartitionId>> told{};        // the assignment to reconcile
  bool tell_all = true;                               // nothing is known to have arrived
  bool tell_owned = false;
  std::deque<ConsumerGroupHeartbeat> on_its_way{};    // the last one is awaited unless it was given up
  bool awaits = false;
  bool awaits_owned = false;  // ... the answer to a request that told what it owns

  void drop_all() {
    owned.clear();
    told.reset();
    epoch = 0;
    tell_all = true;
  }
  ConsumerGroupHeartbeat request() {
    ConsumerGroupHeartbeat m;
    m.member = id;
    m.instance = instance;
    m.epoch = epoch;
    if (epoch == 0 || tell_all) {
      m.rebalance_timeout = 300 * second;
      m.tells_topics = true;
    }
    m.topics = topics;
    m.tells_owned = epoch == 0 || tell_all || tell_owned;
    awaits = true;
    awaits_owned = m.tells_owned;
    if (epoch != 0) m.owned.assign(owned.begin(), owned.end());
    tell_all = tell_owned = false;
    return m;
  }
  void unanswered() {
    awaits = awaits_owned = false;
    tell_all = true;
    told.reset();
  }
  void answered(const ConsumerGroupHeartbeatReply& r) {
    if (r.error == Error::fenced_member_epoch || r.error == Error::unknown_member_id) return drop_all();
    if (r.error != Error::none) {  // unreleased or fenced instance: it gives up for good
      drop_all();
      alive = false;
      return;
    }
    RC_ASSERT(r.epoch >= epoch);
    epoch = r.epoch;
    if (r.tells_assignment) told = std::set<PartitionId>(r.assignment.begin(), r.assignment.end());
  }
  void reconcile() {
    if (!told || awaits_owned) return;
    const std::set<PartitionId> before = owned;
    std::erase_if(owned, [&](PartitionId p) { return !told->count(p); });
    if (owned == before) {
      owned = *told;
      told.reset();
    }
    tell_owned = true;
  }
};

// Every choice is the next number of a list, so that what fails shrinks.
class RandomGroup {
 public:
  explicit RandomGroup(const std::vector<std::uint16_t>& choices) : choices_(choices) {
    d_.cluster.settings.groups.assignment_interval = static_cast<Duration>(below(2)) * second;
  }

  bool more() const { return at_ < choices_.size(); }

  void step() {
    SimMember* m = members_.empty() ? nullptr : &members_[below(members_.size())];
    switch (below(15)) {
      case 0: arrive(); break;
      case 1: if (m && m->alive) leave(*m); break;
      case 2: if (m) m->alive = false; break;  // dead, or cut off: it goes on working on what it has
      case 3: if (m && !m->alive) put_out(*m); break;
      case 4: if (!d_.group.members.empty()) d_.fail_over(); break;
      case 5: if (m) d_.fire(m->id, What::rebalance); break;
      case 6: d_.counts[orders] = std::max(d_.counts[orders], static_cast<std::int32_t>(4 + below(3))); d_.operate([&](GroupScene& s) { d_.group.partitions_changed(s); }); break;
      case 7: if (m) { m->topics = some_topics(); m->tell_all = true; } break;
      case 8:  // the client gives a request up and sends another; the first arrives all the same
        if (m && m->alive && m->awaits) {
          m->unanswered();
          send(*m);
        }
        break;
      case 9: if (m && !m->on_its_way.empty()) { m->on_its_way.pop_front(); lost(*m); } break;
      default:
        if (!m) arrive();
        else if (!m->on_its_way.empty()) deliver(*m, below(4) == 0);
        else if (m->told && below(2)) m->reconcile();
        else send(*m);
    }
    d_.wall += static_cast<Duration>(below(3)) * second / 2;
    check();
  }

  void come_to_rest() {
    for (int round = 0; round < 12; ++round) {
      for (SimMember& m : members_)
        if (!m.alive) put_out(m);
      std::erase_if(members_, [](const SimMember& m) { return !m.alive; });
      for (SimMember& m : members_) {
        while (!m.on_its_way.empty()) deliver(m, false);
        m.reconcile();
        m.reconcile();
        send(m);
        deliver(m, false);
        check();
      }
      d_.wall += 5 * second;
    }
    std::map<PartitionId, int> owners;
    for (SimMember& m : members_) {
      RC_ASSERT(d_.group.members.count(m.id));
      const GroupMemberRecord& r = d_.member(m.id);
      RC_ASSERT(r.state == MemberState::stable);
      RC_ASSERT(r.epoch == d_.group.epoch);
      RC_ASSERT(m.epoch == d_.group.epoch);
      RC_ASSERT(m.owned == std::set<PartitionId>(r.target.begin(), r.target.end()));
      for (const PartitionId p : m.owned) ++owners[p];
    }
    RC_ASSERT(d_.group.members.size() == members_.size());
    for (const std::int32_t t : {orders, payments}) {
      const bool read = std::any_of(members_.begin(), members_.end(), [&](const SimMember& m) { return std::count(m.topics.begin(), m.topics.end(), t) > 0; });
      for (PartitionId p = d_.cluster.topics[static_cast<std::size_t>(t)].first; read && p < d_.cluster.topics[static_cast<std::size_t>(t)].first + static_cast<PartitionId>(d_.counts[static_cast<std::size_t>(t)]); ++p)
        RC_ASSERT(owners[p] == 1);
    }
  }

 private:
  std::size_t below(std::size_t n) { return at_ < choices_.size() ? choices_[at_++] % n : 0; }

  std::vector<std::int32_t> some_topics() {
    switch (below(3)) {
      case 0: return {orders};
      case 1: return {payments};
      default: return {orders, payments};
    }
  }

  void arrive() {
    if (members_.size() >= 5) return;
    SimMember m;
    m.id = fmt::format("m{}", next_++);
    if (below(3) == 0) m.instance = fmt::format("i{}", next_);
    // Somebody starts again under an instance's name, whether the name is free or not.
    for (SimMember& other : members_)
      if (!other.alive && !other.instance.empty()) {
        m.instance = std::exchange(other.instance, {});
        break;
      }
    m.topics = some_topics();
    members_.push_back(std::move(m));
  }

  void send(SimMember& m) {
    if (!m.alive || m.awaits) return;
    m.on_its_way.push_back(m.request());
  }
  void lost(SimMember& m) {
    if (m.on_its_way.empty() && m.awaits) m.unanswered();
  }
  void deliver(SimMember& m, bool answer_lost) {
    if (m.on_its_way.empty()) return;
    const ConsumerGroupHeartbeatReply r = d_.send(m.on_its_way.front());
    m.on_its_way.pop_front();
    if (!m.awaits || !m.on_its_way.empty()) return;  // an answer that nobody waits for
    if (answer_lost || !m.alive) return m.unanswered();
    m.awaits = m.awaits_owned = false;
    m.answered(r);
  }
  void leave(SimMember& m) {
    m.on_its_way.clear();
    m.awaits = false;
    d_.beat(m.id, m.instance.empty() || below(2) ? leave_epoch : leave_for_a_while_epoch, m.instance);
    m.drop_all();
    m.alive = false;
  }
  void put_out(SimMember& m) {
    if (d_.group.members.count(m.id)) RC_ASSERT(d_.timers.count({m.id, What::session}));
    m.on_its_way.clear();
    d_.fire(m.id, What::session);
    m.owned.clear();
  }

  void check() {
    std::map<PartitionId, std::string> holder;
    for (const auto& [id, r] : d_.group.members) {
      RC_ASSERT(r.epoch <= d_.group.assignment_epoch);
      for (const PartitionEpochs* held : {&r.assigned, &r.revoking})
        for (const auto& [p, since] : *held) {
          RC_ASSERT(holder.emplace(p, id).second);
          RC_ASSERT(r.epoch < 0 || since <= r.epoch);
        }
    }
    // No two applications work on one partition, of those that the coordinator has not put out.
    std::map<PartitionId, std::string> worker;
    for (const SimMember& m : members_) {
      if (!d_.group.members.count(m.id)) continue;
      for (const PartitionId p : m.owned) RC_ASSERT(worker.emplace(p, m.id).second);
    }
    RC_ASSERT(d_.group.epoch >= epoch_);
    RC_ASSERT(d_.group.assignment_epoch >= assignment_epoch_);
    RC_ASSERT(d_.group.assignment_epoch <= d_.group.epoch);
    epoch_ = d_.group.epoch;
    assignment_epoch_ = d_.group.assignment_epoch;
  }

  const std::vector<std::uint16_t>& choices_;
  std::size_t at_ = 0;
  Desk d_;
  std::vector<SimMember> members_{};
  int next_ = 0;
  std::int32_t epoch_ = 0;
  std::int32_t assignment_epoch_ = 0;
};

RC_GTEST_PROP(KafkaModernGroup, NoPartitionHasTwoMembersAndAllComeToRest, ()) {
  const auto choices = *rc::gen::scale(5, rc::gen::container<std::vector<std::uint16_t>>(rc::gen::resize(100, rc::gen::arbitrary<std::uint16_t>())));
  RandomGroup g(choices);
  while (g.more()) g.step();
  g.come_to_rest();
}

}  // namespace
}  // namespace mqlab::kafka
