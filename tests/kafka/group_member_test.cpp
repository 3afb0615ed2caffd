// A member by the classic protocol, rule by rule: how it joins, what it gives up and when, its life signs, how it goes.
// The brokers only do as told. Sources: AbstractCoordinator, ConsumerCoordinator; what is marked "seen with 4.3.1" was
// tried with the Java client of that version.
#include <gtest/gtest.h>

#include "tests/kafka/member_lab.h"

namespace mqlab::kafka::testing {
namespace {

// --- joining ---

TEST(KafkaGroupMember, JoinsWhenTheApplicationPolls) {
  MemberLab m;
  m.run(2_s);
  EXPECT_EQ(m.count(Kind::join_group), 0u);
  m.poll();
  ASSERT_EQ(m.count(Kind::join_group), 1u);
  const JoinGroup& join = m.last<JoinGroup>(Kind::join_group);
  EXPECT_EQ(join.member + join.instance, "");
  EXPECT_EQ(join.session_timeout, 45_s);
  EXPECT_EQ(join.rebalance_timeout, 300_s) << "max.poll.interval.ms";
  EXPECT_EQ(join.owned_generation, -1);
}

TEST(KafkaGroupMember, IsGivenAnIdAndJoinsWithItAtOnce) {
  MemberLab m;
  m.poll(1_s);
  const CallId poll = m.client().poll(1_s);
  m.run(1_ms);
  m.join_refused(Error::member_id_required, "k-1");
  ASSERT_EQ(m.count(Kind::join_group), 2u);
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).member, "k-1");
  m.joined(1).synced({2});
  EXPECT_EQ(m.last<SyncGroup>(Kind::sync_group).generation, 1);
  EXPECT_TRUE(m.last<SyncGroup>(Kind::sync_group).assignments.empty()) << "a follower has nothing to assign";
  m.positions();
  m.run(1_s);
  EXPECT_EQ(m.client().answer(poll), "nothing");
  EXPECT_EQ(m.owns(), "{2}");
}

TEST(KafkaGroupMember, LeaderAssigns) {
  MemberLab m;
  m.poll().join_refused(Error::member_id_required, "k-1").poll().joined(1, {"k-1", "k-2"});
  const Assignment& a = m.last<SyncGroup>(Kind::sync_group).assignments;
  ASSERT_EQ(a.size(), 2u);
  EXPECT_EQ(a.at("k-1"), (MemberLab::Places{0, 1}));
  EXPECT_EQ(a.at("k-2"), (MemberLab::Places{2, 3}));
}

// KIP-814: a static leader that came back knows the members, and has nothing to assign.
TEST(KafkaGroupMember, LeaderThatIsToldToSkipItAssignsNothing) {
  MemberLab m({{"instance", "one"}});
  m.poll().joined(3, {"k-1", "k-2"}, true);
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).instance, "one");
  EXPECT_EQ(m.count(Kind::sync_group), 1u);
  EXPECT_TRUE(m.last<SyncGroup>(Kind::sync_group).assignments.empty());
}

TEST(KafkaGroupMember, AnswerToAJoinMayTakeAsLongAsTheSlowestMember) {
  MemberLab m({{"max_poll_interval", "60s"}, {"request_timeout", "5s"}});
  m.poll();
  m.run(64_s);
  EXPECT_EQ(m.marks("request_timed_out"), 0u);
  m.run(2_s);
  EXPECT_EQ(m.marks("request_timed_out"), 1u);
}

TEST(KafkaGroupMember, CoordinatorThatIsNotThereIsLookedForAgain) {
  for (const Error e : {Error::not_coordinator, Error::coordinator_not_available}) {
    MemberLab m;
    m.poll();
    const std::size_t lookups = m.lookups();
    m.coordinated_by(2);
    m.join_refused(e).poll(500_ms);
    EXPECT_EQ(m.lookups(), lookups + 1);
    EXPECT_EQ(m.count(Kind::join_group, 2), 1u);
  }
}

// AbstractCoordinator.sendSyncGroupRequest: coordinatorUnknown.
TEST(KafkaGroupMember, CoordinatorLostWhileItJoinsIsNotAskedForTheShare) {
  MemberLab m;
  m.settle({0, 1});
  m.beaten(Error::rebalance_in_progress);
  m.commit("t/0", 0);
  m.poll().poll();
  ASSERT_EQ(m.count(Kind::join_group), 3u);
  m.coordinated_by(2);
  m.committed(Error::not_coordinator).joined(2);
  EXPECT_EQ(m.count(Kind::sync_group), 1u) << "the one of the first generation";
  m.poll(2_s);
  EXPECT_EQ(m.count(Kind::join_group, 2), 1u);
  EXPECT_EQ(m.count(Kind::sync_group) + m.count(Kind::sync_group, 2), 1u);
}

TEST(KafkaGroupMember, CoordinatorThatStillReadsIsAskedAgainAfterARest) {
  MemberLab m({{"retry_backoff", "100ms"}});
  m.poll();
  const std::size_t lookups = m.lookups();
  const CallId poll = m.client().poll(1_s);
  m.join_refused(Error::coordinator_load_in_progress);
  m.run(60_ms);
  EXPECT_EQ(m.count(Kind::join_group), 1u);
  m.run(80_ms);
  EXPECT_EQ(m.count(Kind::join_group), 2u);
  EXPECT_EQ(m.lookups(), lookups);
  EXPECT_EQ(m.client().answer(poll), "");
}

TEST(KafkaGroupMember, WhileNobodyCoordinatesItAsksAgain) {
  MemberLab m({{"retry_backoff", "100ms"}}, false);
  m.coordinated_by(1, Error::coordinator_not_available);
  m.subscribe();
  m.poll(1_s);
  EXPECT_GE(m.lookups(), 9u);
  m.coordinated_by(2);
  m.poll(300_ms);
  EXPECT_EQ(m.count(Kind::join_group, 2), 1u);
}

TEST(KafkaGroupMember, WhoIsUnknownJoinsAtOnceAsSomebodyNew) {
  MemberLab m;
  m.settle({0, 1}).beaten(Error::rebalance_in_progress).poll().poll();
  const CallId poll = m.client().poll(1_s);
  m.run(1_ms);
  m.join_refused(Error::unknown_member_id);
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).member, "");
  EXPECT_EQ(m.client().answer(poll), "");
}

TEST(KafkaGroupMember, AssignorThatTheOthersDoNotKnowIsTheApplicationsProblem) {
  MemberLab m;
  m.poll();
  EXPECT_EQ(m.join_refused(Error::inconsistent_group_protocol).poll().said(), "INCONSISTENT_GROUP_PROTOCOL");
}

// A rebalance has begun again, or its answer came too late: it joins once more, at once, and is not stopped by that.
TEST(KafkaGroupMember, SyncThatIsRefusedMakesItJoinAgain) {
  struct Case {
    Error error;
    std::string member;
    std::int32_t generation;
  };
  for (const Case& x : {Case{Error::rebalance_in_progress, "k-1", 2}, Case{Error::illegal_generation, "k-1", -1}, Case{Error::unknown_member_id, "", -1}}) {
    MemberLab m;
    m.settle({0, 1}).beaten(Error::rebalance_in_progress).poll().poll();
    m.joined(2);
    const CallId poll = m.client().poll(1_s);
    m.run(1_ms);
    const std::size_t joins = m.count(Kind::join_group);
    m.synced({}, x.error);
    ASSERT_EQ(m.count(Kind::join_group), joins + 1) << name(x.error);
    EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).member, x.member);
    EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).owned_generation, x.generation);
    EXPECT_EQ(m.client().answer(poll), "");
  }
}

// Cooperative: it has kept its places on the way, and then is somebody else.
TEST(KafkaGroupMember, WhoLosesItsGenerationOnTheWayLosesWhatItKept) {
  MemberLab m({{"assignors", "cooperative-sticky"}});
  m.settle({0, 1}).beaten(Error::rebalance_in_progress).poll();
  m.joined(2);
  EXPECT_EQ(m.owns(), "{0 1}");
  m.synced({}, Error::unknown_member_id);
  EXPECT_EQ(m.poll().said(), "lost t/0 lost t/1");
  EXPECT_EQ(m.owns(), "{}");
  m.poll();
  EXPECT_TRUE(m.last<JoinGroup>(Kind::join_group).owned.empty());
}

TEST(KafkaGroupMember, LeaderJoinsAgainWhenATopicHasMorePartitions) {
  MemberLab m;
  m.poll().join_refused(Error::member_id_required, "k-1").poll().joined(1, {"k-1"}).synced({0, 1, 2, 3}).poll().positions();
  const std::size_t joins = m.count(Kind::join_group);
  m.poll();
  EXPECT_EQ(m.count(Kind::join_group), joins);
  m.move(4, 1, 0);
  m.run(1500_ms);
  m.poll().poll();
  EXPECT_EQ(m.count(Kind::join_group), joins + 1);
}

TEST(KafkaGroupMember, FollowerLeavesThatToTheLeader) {
  MemberLab m;
  m.settle({0});
  const std::size_t joins = m.count(Kind::join_group);
  m.move(4, 1, 0);
  m.run(1500_ms);
  m.poll().poll();
  EXPECT_EQ(m.count(Kind::join_group), joins);
}

// --- giving up places ---

TEST(KafkaGroupMember, EagerGivesUpAllBeforeItJoins) {
  MemberLab m;
  m.settle({0, 1}).beaten(Error::rebalance_in_progress);
  const std::size_t joins = m.count(Kind::join_group);
  EXPECT_EQ(m.poll().said(), "-t/0 -t/1");
  EXPECT_EQ(m.count(Kind::join_group), joins) << "the application may still commit them";
  EXPECT_EQ(m.poll().said(), "nothing");
  EXPECT_EQ(m.count(Kind::join_group), joins + 1);
  EXPECT_EQ(m.owns(), "{}");
  EXPECT_EQ(m.joined(2).synced({1, 2}).poll().said(), "+t/1 +t/2");
  m.positions(5);
  EXPECT_EQ(m.owns(), "{1 2}");
}

// KIP-429: what stays is never given up, and read all the while.
TEST(KafkaGroupMember, CooperativeKeepsWhatStays) {
  MemberLab m({{"assignors", "cooperative-sticky"}});
  m.settle({0, 1}).beaten(Error::rebalance_in_progress);
  const std::size_t joins = m.count(Kind::join_group);
  EXPECT_EQ(m.poll().said(), "nothing");
  EXPECT_EQ(m.count(Kind::join_group), joins + 1);
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).owned, (MemberLab::Places{0, 1}));
  m.fetched({{0, 1}});
  EXPECT_EQ(m.poll().said(), "0@0");
  m.joined(2).synced({0, 2});
  EXPECT_EQ(m.poll().said(), "+t/2 -t/1");
  EXPECT_EQ(m.count(Kind::join_group), joins + 1) << "the application may still commit t/1";
  m.poll();
  EXPECT_EQ(m.count(Kind::join_group), joins + 2) << "what it gave up can be given to somebody now";
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).owned, (MemberLab::Places{0, 2}));
  EXPECT_EQ(m.owns(), "{0 2}");
  EXPECT_EQ(m.joined(3).synced({0, 2}).poll().said(), "nothing");
}

// One row for each place that really changes hands, which is what a checker of ownership goes by.
TEST(KafkaGroupMember, HistoryHasNoRowForWhatStays) {
  for (const auto& [assignor, rows] : std::vector<std::pair<std::string, std::string>>{
           {"cooperative-sticky", "+t/0 +t/1 -t/1 +t/2"}, {"range", "+t/0 +t/1 -t/0 -t/1 +t/0 +t/2"}}) {
    MemberLab m({{"assignors", assignor}});
    m.settle({0, 1}).beaten(Error::rebalance_in_progress).poll().poll();
    m.joined(2).synced({0, 2}).poll().poll();
    m.positions();
    std::string seen;
    for (const Op& op : m.world.journal.ops)
      if (op.kind == OpKind::assign || op.kind == OpKind::revoke)
        seen += fmt::format("{}{}{}", seen.empty() ? "" : " ", op.kind == OpKind::assign ? "+" : "-", m.world.journal.names.text(op.place));
    EXPECT_EQ(seen, rows);
  }
}

TEST(KafkaGroupMember, PlaceBeginsWhereTheGroupStands) {
  MemberLab m;
  m.poll().join_refused(Error::member_id_required, "k-1").poll().joined(1).synced({1});
  EXPECT_EQ(m.count(Kind::fetch), 0u);
  m.positions(7).run(20_ms);
  EXPECT_EQ(m.lines(1, Kind::fetch), "consumer #1 offset=7 epoch=0\n");
}

TEST(KafkaGroupMember, PlaceWhereNothingWasCommittedBeginsAsTheOptionSays) {
  MemberLab m;
  m.poll().join_refused(Error::member_id_required, "k-1").poll().joined(1).synced({1}).positions(no_offset).run(20_ms);
  EXPECT_EQ(m.lines(1, Kind::list_offsets), "#1 earliest\n");
}

// --- life signs ---

TEST(KafkaGroupMember, HeartbeatsGoOnWithoutTheApplication) {
  MemberLab m({{"group_heartbeat", "3s"}});
  m.settle({0});
  for (std::size_t i = 0; i < 20; ++i) m.beaten(Error::none);
  EXPECT_EQ(m.gaps(1, Kind::group_heartbeat, 1).substr(0, 9), "3000 3000");
  EXPECT_EQ(m.last<GroupHeartbeat>(Kind::group_heartbeat).generation, 1);
}

// It hears of a rebalance, and stays in the group and at its work until it polls.
TEST(KafkaGroupMember, RebalanceWaitsForThePoll) {
  MemberLab m;
  m.settle({0});
  const std::size_t joins = m.count(Kind::join_group);
  for (int i = 0; i < 5; ++i) m.beaten(Error::rebalance_in_progress);
  EXPECT_EQ(m.count(Kind::join_group), joins);
  EXPECT_EQ(m.owns(), "{0}");
  EXPECT_EQ(m.poll().said(), "-t/0");
}

TEST(KafkaGroupMember, WhoIsPutOutHasLostAll) {
  for (const auto& [error, member] : std::vector<std::pair<Error, std::string>>{{Error::unknown_member_id, ""}, {Error::illegal_generation, "k-1"}}) {
    MemberLab m;
    m.settle({0, 1}).beaten(error);
    EXPECT_EQ(m.owns(), "{0 1}") << "nobody has told the application";
    EXPECT_EQ(m.poll().said(), "lost t/0 lost t/1");
    EXPECT_EQ(m.owns(), "{}");
    m.poll();
    EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).member, member) << "an id that is known is kept";
  }
}

// A cooperative member keeps its places while it joins, but not when it hears meanwhile that it is out of the group.
TEST(KafkaGroupMember, WhoIsPutOutWhileItJoinsHasLostAll) {
  MemberLab m({{"group_heartbeat", "3s"}, {"assignors", "cooperative-sticky"}});
  m.settle({0, 1}).beaten(Error::rebalance_in_progress);
  m.run(3010_ms);
  const std::size_t late = m.count(Kind::group_heartbeat) - 1;
  const std::size_t joins = m.count(Kind::join_group);
  EXPECT_EQ(m.poll().said(), "nothing");
  ASSERT_EQ(m.count(Kind::join_group), joins + 1);
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).owned, (std::vector<PartitionId>{0, 1}));
  m.answer(1, Kind::group_heartbeat, late, GroupHeartbeatReply{Error::unknown_member_id});
  m.run(5_ms);
  EXPECT_EQ(m.poll().said(), "lost t/0 lost t/1");
  m.poll();
  EXPECT_TRUE(m.last<JoinGroup>(Kind::join_group).owned.empty());
}

TEST(KafkaGroupMember, HeartbeatOfAnEarlierGenerationSaysNothing) {
  MemberLab m({{"group_heartbeat", "3s"}});
  m.settle({0}).beaten(Error::rebalance_in_progress);
  m.run(3010_ms);
  const std::size_t late = m.count(Kind::group_heartbeat) - 1;
  m.poll().poll().joined(2).synced({0}).poll().positions();
  m.answer(1, Kind::group_heartbeat, late, GroupHeartbeatReply{Error::illegal_generation});
  m.run(5_ms);
  EXPECT_EQ(m.poll().said(), "nothing");
  EXPECT_EQ(m.owns(), "{0}");
}

TEST(KafkaGroupMember, CoordinatorThatIsSilentForASessionIsLookedForAgain) {
  MemberLab m({{"session_timeout", "6s"}, {"group_heartbeat", "2s"}});
  m.settle({0});
  const std::size_t lookups = m.lookups();
  m.coordinated_by(2);
  m.run(5900_ms);
  EXPECT_EQ(m.lookups(), lookups);
  m.run(300_ms);
  EXPECT_EQ(m.lookups(), lookups + 1);
  EXPECT_EQ(m.beaten(Error::none, 2).owns(), "{0}");
}

TEST(KafkaGroupMember, HeartbeatFindsThatTheCoordinatorHasMoved) {
  MemberLab m;
  m.settle({0});
  m.coordinated_by(2);
  m.beaten(Error::not_coordinator);
  m.run(200_ms);
  m.beaten(Error::none, 2);
  EXPECT_EQ(m.poll().said(), "nothing");
  EXPECT_EQ(m.owns(), "{0}");
}

// Seen with 4.3.1: a commit of the stuck application fails, and its next poll says that all is lost.
TEST(KafkaGroupMember, LeavesWhenTheApplicationDoesNotPoll) {
  MemberLab m({{"max_poll_interval", "10s"}, {"group_heartbeat", "1s"}});
  m.settle({0});
  for (int i = 0; i < 9; ++i) m.beaten(Error::none);
  EXPECT_EQ(m.count(Kind::leave_group), 0u);
  m.run(1200_ms);
  ASSERT_EQ(m.count(Kind::leave_group), 1u);
  EXPECT_EQ(m.last<LeaveGroup>(Kind::leave_group).member, "k-1");
  m.answer_last(Kind::leave_group, LeaveGroupReply{Error::none});
  EXPECT_EQ(m.owns(), "{0}") << "the application may still be at work on it";
  const CallId commit = m.commit("t/0", 5);
  EXPECT_EQ(m.client().answer(commit), "fail COMMIT_FAILED");
  const std::size_t beats = m.count(Kind::group_heartbeat);
  m.run(5_s);
  EXPECT_EQ(m.count(Kind::group_heartbeat), beats);
  EXPECT_EQ(m.poll().said(), "lost t/0");
  m.poll();
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).member, "");
}

// A poll that waits counts as polling.
TEST(KafkaGroupMember, StaysWhileAPollWaits) {
  MemberLab m({{"max_poll_interval", "10s"}, {"group_heartbeat", "1s"}});
  m.settle({0});
  m.client().poll(100_s);
  for (int i = 0; i < 20; ++i) m.beaten(Error::none);
  EXPECT_EQ(m.count(Kind::leave_group), 0u);
}

// A static member says nothing, only its heartbeats end; its place is kept for a session.
TEST(KafkaGroupMember, StaticMemberThatDoesNotPollFallsSilent) {
  MemberLab m({{"max_poll_interval", "10s"}, {"group_heartbeat", "1s"}, {"instance", "one"}});
  m.poll().joined(1).synced({0}).poll().positions();
  for (int i = 0; i < 9; ++i) m.beaten(Error::none);
  m.run(1200_ms);
  const std::size_t beats = m.count(Kind::group_heartbeat);
  m.run(5_s);
  EXPECT_EQ(m.count(Kind::group_heartbeat), beats);
  EXPECT_EQ(m.count(Kind::leave_group), 0u);
}

// --- fenced by another process of the same name ---

// Seen with 4.3.1: the poll fails; whoever polls again all the same joins as the instance's newest process.
TEST(KafkaGroupMember, FencedInstanceIsToldSoAndMayComeBack) {
  MemberLab m({{"instance", "one"}});
  m.poll().joined(1).synced({0}).poll().positions();
  m.beaten(Error::fenced_instance_id);
  EXPECT_EQ(m.poll().said(), "FENCED_INSTANCE_ID");
  EXPECT_EQ(m.poll().said(), "lost t/0");
  m.poll();
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).member + m.last<JoinGroup>(Kind::join_group).instance, "one");
  EXPECT_EQ(m.joined(1).synced({0}).poll().said(), "+t/0");
}

TEST(KafkaGroupMember, FencedJoinFailsThePoll) {
  MemberLab m({{"instance", "one"}});
  m.poll();
  EXPECT_EQ(m.join_refused(Error::fenced_instance_id).poll().said(), "FENCED_INSTANCE_ID");
}

// --- the end ---

TEST(KafkaGroupMember, CloseCommitsThenLeaves) {
  MemberLab m({{"auto_commit", "java"}, {"auto_commit_interval", "1h"}});
  m.settle({0}).fetched({{0, 3}}).poll();
  ASSERT_EQ(m.said(), "0@0 1@1 2@2");
  const CallId close = m.call(CallKind::close);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3");
  EXPECT_EQ(m.count(Kind::leave_group), 0u) << "first the commit";
  m.committed();
  ASSERT_EQ(m.count(Kind::leave_group), 1u);
  EXPECT_EQ(m.client().answer(close), "");
  m.answer_last(Kind::leave_group, LeaveGroupReply{Error::none});
  EXPECT_EQ(m.client().answer(close), "ok");
  EXPECT_EQ(m.owns(), "{}");
}

// Seen with 4.3.1: nothing is committed by unsubscribe, the records come again.
TEST(KafkaGroupMember, UnsubscribeLeavesWithoutACommit) {
  MemberLab m({{"auto_commit", "java"}, {"auto_commit_interval", "1h"}});
  m.settle({0}).fetched({{0, 3}}).poll();
  m.call(CallKind::unsubscribe);
  EXPECT_EQ(m.commits(), 0u);
  EXPECT_EQ(m.count(Kind::leave_group), 1u);
}

TEST(KafkaGroupMember, StaticMemberClosesWithoutLeaving) {
  MemberLab m({{"instance", "one"}, {"auto_commit", "java"}, {"auto_commit_interval", "1h"}});
  m.poll().joined(1).synced({0}).poll().positions().fetched({{0, 3}}).poll();
  const CallId close = m.call(CallKind::close);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3");
  m.committed();
  EXPECT_EQ(m.count(Kind::leave_group), 0u);
  EXPECT_EQ(m.client().answer(close), "ok");
}

TEST(KafkaGroupMember, LeavesEvenWhileItJoins) {
  MemberLab m;
  m.poll().join_refused(Error::member_id_required, "k-1").poll();
  m.call(CallKind::close);
  ASSERT_EQ(m.count(Kind::leave_group), 1u);
  EXPECT_EQ(m.last<LeaveGroup>(Kind::leave_group).member, "k-1");
  m.joined(1);
  EXPECT_EQ(m.count(Kind::sync_group), 0u);
}

TEST(KafkaGroupMember, AfterUnsubscribeItMayJoinAgain) {
  MemberLab m;
  m.settle({0}).call(CallKind::unsubscribe);
  m.answer_last(Kind::leave_group, LeaveGroupReply{Error::none});
  EXPECT_EQ(m.poll().said(), "nothing");
  m.subscribe();
  m.poll();
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).member, "");
  EXPECT_EQ(m.last<JoinGroup>(Kind::join_group).owned_generation, -1);
}

}  // namespace
}  // namespace mqlab::kafka::testing
