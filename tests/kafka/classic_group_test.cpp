// The classic protocol at its coordinator, rule by rule (ClassicGroup, GroupMetadataManager.classicGroup*). What is
// marked "seen with 4.3.1" was tried on a broker of that version, member by member, with requests made by hand.
#include <gtest/gtest.h>

#include "tests/kafka/group_lab.h"

namespace mqlab::kafka::testing {
namespace {

// --- who joins (KIP-394) ---

// A lost answer to a first JoinGroup would leave a ghost behind; so a new member first gets an id, and nobody is
// stopped for it. Seen with 4.3.1.
TEST(KafkaClassicGroup, NewMemberFirstGetsAnId) {
  Two g;
  EXPECT_EQ(g("C").join_once().said(), "MEMBER_ID_REQUIRED");
  EXPECT_EQ(g.a.beat(), "ok");
  EXPECT_EQ(g.state(), "Stable 1 range A: A t/0 t/1, B t/2");
  EXPECT_EQ(g("C").join_once().heard(), 1u) << "it waits for the others";
  EXPECT_EQ(g.a.beat(), "REBALANCE_IN_PROGRESS");
}

TEST(KafkaClassicGroup, IdThatNobodyUsesIsForgottenWithItsSession) {
  Two g;
  g("C").session = 6_s;
  g("C").join_once();
  g.run(5999_ms);
  g.a.beat();
  g.b.beat();
  g.run(1_ms);
  EXPECT_EQ(g("C").join_once().said(), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(g.a.beat(), "ok");
}

// hasAllMembersJoined counts who has an id and has not come back with it.
TEST(KafkaClassicGroup, WhoWasGivenAnIdIsWaitedFor) {
  Two g;
  g("C").join_once();
  g("D").join();
  g.a.join();
  g.b.join();
  EXPECT_EQ(g.a.heard(), 0u);
  g("C").join_once();
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A B C D");
}

TEST(KafkaClassicGroup, GivenIdThatLeavesIsWaitedForNoLonger) {
  Two g;
  g("C").join_once();
  g("D").join();
  g.a.join();
  g.b.join();
  EXPECT_EQ(g("C").leave(), "ok");
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A B D");
}

TEST(KafkaClassicGroup, AssignorThatTheOthersDoNotKnowIsRefused) {
  Two g;
  g("C").protocols = {"sticky"};
  EXPECT_EQ(g("C").join_once().said(), "INCONSISTENT_GROUP_PROTOCOL");
  g("C").protocols = {};
  EXPECT_EQ(g("C").join_once().said(), "INCONSISTENT_GROUP_PROTOCOL");
  EXPECT_EQ(g("D").join_once().said(), "MEMBER_ID_REQUIRED");
  EXPECT_EQ(g.a.beat(), "ok");
}

// --- the first generation waits (group.initial.rebalance.delay.ms) ---

TEST(KafkaClassicGroup, EmptyGroupWaitsForMoreMembers) {
  Groups g;
  g("A").join();
  g.run(2999_ms);
  EXPECT_EQ(g("A").heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g("A").said(), "generation 1 range A leads A");
}

TEST(KafkaClassicGroup, EachNewMemberMakesItWaitOnceMore) {
  Groups g;
  g("A").join();
  g.run(2_s);
  g("B").join();
  g.run(3999_ms);
  EXPECT_EQ(g("A").heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g("A").said(), "generation 1 range A leads A B");
  EXPECT_EQ(g("B").said(), "generation 1 range A leads");
}

// Seen with 4.3.1: delay 1 s, rebalance timeout 2.5 s, members at 0 s, 0.8 s and 1.7 s: answered at 2.5 s.
TEST(KafkaClassicGroup, ItWaitsNoLongerThanTheRebalanceTimeout) {
  Groups g;
  for (const char* who : {"A", "B", "C", "D"}) g(who).rebalance = 7_s;
  g("A").join();
  g.run(2500_ms);
  g("B").join();
  g.run(3_s);
  g("C").join();
  g.run(1_s);
  g("D").join();
  g.run(499_ms);
  EXPECT_EQ(g("A").heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g("A").said(), "generation 1 range A leads A B C D");
}

// Seen with 4.3.1: delay 1 s, rebalance timeout 0.3 s: answered after 1 s.
TEST(KafkaClassicGroup, ShorterRebalanceTimeoutDoesNotShortenTheDelay) {
  Groups g;
  g("A").rebalance = 300_ms;
  g("A").join();
  g.run(2999_ms);
  EXPECT_EQ(g("A").heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g("A").heard(), 1u);
}

TEST(KafkaClassicGroup, AfterTheDelayItDoesNotWaitForAnIdThatWasGiven) {
  Groups g;
  g("A").join();
  g("B").join_once();
  g.run(3_s);
  EXPECT_EQ(g("A").said(), "generation 1 range A leads A");
}

TEST(KafkaClassicGroup, GroupThatBecameEmptyWaitsAgain) {
  Two g;
  g.a.leave();
  g.b.join();
  g.b.sync({{"B", {0}}});
  EXPECT_EQ(g.b.leave(), "ok");
  EXPECT_EQ(g.state(), "Empty 3  nobody:");
  g("C").join();
  EXPECT_EQ(g("C").heard(), 0u);
  g.run(3_s);
  EXPECT_EQ(g("C").said(), "generation 4 range C leads C");
}

// --- a rebalance: everybody joins again ---

TEST(KafkaClassicGroup, GenerationBeginsWhenAllAreHere) {
  Two g;
  g("C").join();
  EXPECT_EQ(g.state(), "PreparingRebalance 1 range A: A t/0 t/1, B t/2, C");
  g.b.join();
  EXPECT_EQ(g("C").heard() + g.b.heard(), 0u) << "the leader is missing";
  g.a.join();
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A B C");
  EXPECT_EQ(g.b.said() + ", " + g("C").said(), "generation 2 range A leads, generation 2 range A leads") << "only the leader needs to know them";
}

// Who still sends heartbeats and does not join again is out when the rebalance timeout is over.
TEST(KafkaClassicGroup, LateMemberIsDroppedAfterTheRebalanceTimeout) {
  Two g;
  g("C").join();
  g.a.join();
  for (int i = 0; i < 11; ++i) {
    g.run(5_s);
    EXPECT_EQ(g.b.beat(), "REBALANCE_IN_PROGRESS");
  }
  g.run(4999_ms);
  EXPECT_EQ(g.a.heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A C");
  EXPECT_EQ(g.b.beat(), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(std::count(g.marks.begin(), g.marks.end(), "member_dropped"), 1);
}

TEST(KafkaClassicGroup, RebalanceTimeoutIsTheLongestOfAllMembers) {
  Groups g;
  g("B").rebalance = 90_s;
  g("B").session = 200_s;
  g("A").join();
  g("B").join();
  g.run(6_s);
  g("C").join();
  g("A").join();
  g.run(89'999_ms);
  EXPECT_EQ(g("C").heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g("C").said(), "generation 2 range A leads");
}

TEST(KafkaClassicGroup, LeaderThatLeavesIsReplaced) {
  Two g;
  g("C").join();
  g.a.join();
  g.b.join();
  g.a.leave();
  g("C").join();
  g.b.join();
  EXPECT_EQ(g.b.said(), "generation 3 range B leads B C");
}

// Each votes for the first of its assignors that all know.
TEST(KafkaClassicGroup, AssignorWithMostVotesIsTaken) {
  Groups g;
  g("A").protocols = {"range", "sticky", "roundrobin"};
  g("B").protocols = {"roundrobin", "sticky", "range"};
  g("C").protocols = {"cooperative-sticky", "sticky", "range"};
  g("D").protocols = {"sticky", "range"};
  for (const char* who : {"A", "B", "C", "D"}) g(who).join();
  g.run(6_s);
  EXPECT_EQ(g("A").said(), "generation 1 sticky A leads A B C D");
}

TEST(KafkaClassicGroup, AssignorThatNotAllKnowCannotWin) {
  Groups g;
  g("A").protocols = {"range", "sticky"};
  g("B").protocols = {"range", "sticky"};
  g("C").protocols = {"sticky"};
  for (const char* who : {"A", "B", "C"}) g(who).join();
  g.run(6_s);
  EXPECT_EQ(g("A").said(), "generation 1 sticky A leads A B C");
}

// The product leaves it to the order of a hash table; here the name decides.
TEST(KafkaClassicGroup, BetweenEqualVotesTheNameDecides) {
  Groups g;
  g("A").protocols = {"sticky", "range"};
  g("B").protocols = {"range", "sticky"};
  g("A").join();
  g("B").join();
  g.run(6_s);
  EXPECT_EQ(g("A").said(), "generation 1 range A leads A B");
}

// --- a JoinGroup that is sent again ---

TEST(KafkaClassicGroup, LostAnswerOfAJoinIsGivenAgain) {
  Two g;
  g("C").join();
  g.a.join();
  g.b.join();
  EXPECT_EQ(g.b.join().said(), "generation 2 range A leads");
  EXPECT_EQ(g.b.heard(), 2u);
  EXPECT_EQ(g.a.join().said(), "generation 2 range A leads A B C");
  EXPECT_EQ(g.state(), "CompletingRebalance 2 range A: A t/0 t/1, B t/2, C");
  g.b.topics = {0, 1};
  g.b.join();
  EXPECT_EQ(g.state(), "PreparingRebalance 2 range A: A, B, C") << "it wants something else now";
}

TEST(KafkaClassicGroup, FollowerThatHasNothingNewDoesNotStopTheGroup) {
  Two g;
  EXPECT_EQ(g.b.join().said(), "generation 1 range A leads");
  EXPECT_EQ(g.a.beat(), "ok");
  EXPECT_EQ(g.b.sync().said(), "t/2");
  g.b.owned = {2};
  g.b.join();
  EXPECT_EQ(g.a.beat(), "REBALANCE_IN_PROGRESS");
}

// The leader watches the topics: it joins again to assign anew, with nothing new about itself.
TEST(KafkaClassicGroup, LeaderThatJoinsAgainStopsTheGroup) {
  Two g;
  g.a.join();
  EXPECT_EQ(g.b.beat(), "REBALANCE_IN_PROGRESS");
}

// --- the assignment ---

TEST(KafkaClassicGroup, FollowersWaitForTheLeadersAssignment) {
  Groups g;
  for (const char* who : {"A", "B", "C"}) g(who).join();
  g.run(6_s);
  g("B").sync();
  EXPECT_EQ(g("B").heard(), 1u);
  EXPECT_EQ(g("B").said(), "generation 1 range A leads");
  EXPECT_EQ(g.state(), "CompletingRebalance 1 range A: A, B, C");
  g("A").sync({{"A", {0}}, {"B", {1, 2}}});
  EXPECT_EQ(g("A").said() + ", " + g("B").said(), "t/0, t/1 t/2");
  EXPECT_EQ(g("C").sync().said(), "nothing") << "the leader did not name it";
  EXPECT_EQ(g.state(), "Stable 1 range A: A t/0, B t/1 t/2, C");
}

// Else the next coordinator would not know what was handed out.
TEST(KafkaClassicGroup, AssignmentIsHandedOutWhenItIsCommitted) {
  Groups g;
  g("A").join();
  g("B").join();
  g.run(6_s);
  g.hold = true;
  g("B").sync();
  g("A").sync({{"A", {0}}, {"B", {1}}});
  g.run(1_s);
  EXPECT_EQ(g("A").said() + ", " + g("B").said(), "generation 1 range A leads A B, generation 1 range A leads");
  EXPECT_EQ(g.state(), "CompletingRebalance 1 range A: A t/0, B t/1");
  g.commit_all();
  EXPECT_EQ(g("A").said() + ", " + g("B").said(), "t/0, t/1");
}

TEST(KafkaClassicGroup, WhoWaitsForAnAssignmentMustJoinAgainWhenSomebodyComes) {
  Groups g;
  g("A").join();
  g("B").join();
  g.run(6_s);
  g("B").sync();
  g("C").join();
  EXPECT_EQ(g("B").said(), "REBALANCE_IN_PROGRESS");
  EXPECT_EQ(g("A").sync({{"A", {0}}}).said(), "REBALANCE_IN_PROGRESS");
  EXPECT_EQ(g.state(), "PreparingRebalance 1 range A: A, B, C");
}

// The assignment is written already, and counts for nothing any more.
TEST(KafkaClassicGroup, AssignmentIsNotHandedOutWhenSomebodyCameWhileItWasWritten) {
  Groups g;
  g("A").join();
  g("B").join();
  g.run(6_s);
  g("C").join_once();
  g.hold = true;
  g("B").sync();
  g("A").sync({{"A", {0}}, {"B", {1}}});
  g("C").join_once();
  EXPECT_EQ(g("A").said() + ", " + g("B").said(), "REBALANCE_IN_PROGRESS, REBALANCE_IN_PROGRESS");
  const std::size_t heard = g("A").heard() + g("B").heard();
  g.commit_all();
  EXPECT_EQ(g("A").heard() + g("B").heard(), heard);
  EXPECT_EQ(g.state(), "PreparingRebalance 1 range A: A, B, C");
}

TEST(KafkaClassicGroup, AssignmentThatCannotBeWrittenStopsTheGroup) {
  Groups g;
  g("A").join();
  g("B").join();
  g.run(6_s);
  g.hold = true;
  g("B").sync();
  g("A").sync({{"A", {0}}, {"B", {1}}});
  g.give_up_write(Error::coordinator_not_available);
  EXPECT_EQ(g("A").said() + ", " + g("B").said(), "COORDINATOR_NOT_AVAILABLE, COORDINATOR_NOT_AVAILABLE");
  EXPECT_EQ(g.state(), "PreparingRebalance 1 range A: A, B");
}

TEST(KafkaClassicGroup, SyncSpeaksOfThePresentGeneration) {
  Two g;
  EXPECT_EQ(g.b.sync().said(), "t/2") << "it may ask again";
  g.b.generation = 0;
  EXPECT_EQ(g.b.sync().said(), "ILLEGAL_GENERATION");
  g.b.id = "somebody";
  EXPECT_EQ(g.b.sync().said(), "UNKNOWN_MEMBER_ID");
  g("C").group = "other";
  EXPECT_EQ(g("C").sync().said(), "UNKNOWN_MEMBER_ID");
}

// Seen with 4.3.1.
TEST(KafkaClassicGroup, WhoDoesNotSyncInTimeIsDropped) {
  Groups g;
  g("A").join();
  g("B").join();
  g.run(6_s);
  g("A").sync({{"A", {0}}, {"B", {1}}});
  for (int i = 0; i < 11; ++i) {
    g.run(5_s);
    EXPECT_EQ(g("A").beat(), "ok");
    EXPECT_EQ(g("B").beat(), "ok");
  }
  g.run(4999_ms);
  EXPECT_EQ(g("A").beat(), "ok");
  g.run(1_ms);
  EXPECT_EQ(g("A").beat(), "REBALANCE_IN_PROGRESS");
  EXPECT_EQ(g("B").beat(), "UNKNOWN_MEMBER_ID");
}

TEST(KafkaClassicGroup, WhenAllHaveSyncedNobodyIsWaitedFor) {
  Two g;
  for (int i = 0; i < 20; ++i) {
    g.run(5_s);
    EXPECT_EQ(g.a.beat() + g.b.beat(), "okok");
  }
}

// --- heartbeats and sessions ---

// Seen with 4.3.1, state by state.
TEST(KafkaClassicGroup, HeartbeatIsAnsweredByTheState) {
  Two g;
  EXPECT_EQ(g.a.beat(), "ok");
  g("C").join();
  EXPECT_EQ(g.a.beat(), "REBALANCE_IN_PROGRESS");
  g.a.join();
  g.b.join();
  EXPECT_EQ(g.a.beat(), "ok") << "between JoinGroup and SyncGroup";
  g.a.generation = 1;
  EXPECT_EQ(g.a.beat(), "ILLEGAL_GENERATION");
  g.a.leave();
  EXPECT_EQ(g.a.beat(), "UNKNOWN_MEMBER_ID");
  g("D").group = "other";
  EXPECT_EQ(g("D").beat(), "UNKNOWN_MEMBER_ID");
}

TEST(KafkaClassicGroup, SilentMemberIsPutOutWithItsSession) {
  Two g;
  g.b.session = 10_s;
  g.run(5_s);
  g.a.beat();
  g.run(4999_ms);
  EXPECT_EQ(g.a.beat(), "ok");
  g.run(1_ms);
  EXPECT_EQ(g.a.beat(), "REBALANCE_IN_PROGRESS");
  EXPECT_EQ(g.b.beat(), "UNKNOWN_MEMBER_ID");
}

TEST(KafkaClassicGroup, CommitIsALifeSignToo) {
  Two g;
  for (int i = 0; i < 3; ++i) {
    g.run(9_s);
    g.a.beat();
    EXPECT_EQ(g.b.commit(i), "ok");
  }
  g.run(9_s);
  EXPECT_EQ(g.b.beat(), "ok");
}

// While the coordinator owes a member an answer, the member owes no life sign (ClassicGroupMember.hasSatisfiedHeartbeat).
TEST(KafkaClassicGroup, WhoWaitsForAnAnswerIsNotPutOut) {
  Two g;
  g("C").join();
  g.b.join();
  for (int i = 0; i < 8; ++i) {
    g.run(5_s);
    g.a.beat();
  }
  g.a.join();
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A B C");
  g.b.sync();
  for (int i = 0; i < 8; ++i) {
    g.run(5_s);
    g.a.beat();
    g("C").beat();
  }
  EXPECT_EQ(g.state(), "CompletingRebalance 2 range A: A t/0 t/1, B t/2, C");
  g.a.sync({{"B", {1}}});
  EXPECT_EQ(g.b.said(), "t/1");
  g.run(5_s);
  g.a.beat();
  g.run(4999_ms);
  EXPECT_EQ(g("C").beat(), "ok") << "the session of B begins with the answer";
  g.run(1_ms);
  EXPECT_EQ(g("C").beat() + " " + g.b.beat(), "REBALANCE_IN_PROGRESS UNKNOWN_MEMBER_ID");
}

// It cannot send heartbeats yet, and whether it hung up is not seen while its connection is muted.
TEST(KafkaClassicGroup, NewMemberThatWaitsIsForgottenAfterFiveMinutes) {
  Groups g;
  g("A").rebalance = 1000_s;
  g("A").session = 2000_s;
  g("A").join();
  g.run(3_s);
  g("A").sync();
  g("C").join();
  g.run(299'999_ms);
  EXPECT_EQ(g("C").heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g("C").said(), "UNKNOWN_MEMBER_ID");
}

// --- leaving ---

TEST(KafkaClassicGroup, WhoLeavesIsNotWaitedFor) {
  Two g;
  EXPECT_EQ(g.b.leave(), "ok");
  EXPECT_EQ(g.a.beat(), "REBALANCE_IN_PROGRESS");
  g.a.join();
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A");
  EXPECT_EQ(g.b.leave(), "UNKNOWN_MEMBER_ID");
  g("C").group = "other";
  EXPECT_EQ(g("C").leave(), "UNKNOWN_MEMBER_ID");
}

TEST(KafkaClassicGroup, LeavingDuringARebalanceMayCompleteIt) {
  Two g;
  g("C").join();
  g.a.join();
  g.b.leave();
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A C");
}

// --- static members (KIP-345, KIP-814) ---

// A leads and is called one, B is called two.
struct TwoStatic : Groups {
  TwoStatic() {
    a.instance = "one";
    b.instance = "two";
    a.join();
    b.join();
    run(6_s);
    a.sync({{"A", {0, 1}}, {"B", {2}}});
    b.sync();
    a.answers.clear();
    b.answers.clear();
  }
  Person& a = (*this)("A");
  Person& b = (*this)("B");
  // The same instance in another process.
  Person& another(const std::string& name, const Person& p) {
    Person& q = (*this)(name);
    q.instance = p.instance;
    q.topics = p.topics;
    q.protocols = p.protocols;
    return q;
  }
};

TEST(KafkaStaticMember, NeedsNoIdToJoin) {
  Groups g;
  g("A").instance = "one";
  EXPECT_EQ(g("A").join_once().said(), "");
  g.run(3_s);
  EXPECT_EQ(g("A").said(), "generation 1 range A leads A");
}

// Seen with 4.3.1: the same generation, the same assignment, and nobody is stopped. A leader that comes back is told
// not to assign (KIP-814).
TEST(KafkaStaticMember, ComesBackWithoutARebalance) {
  TwoStatic g;
  Person& again = g.another("A2", g.a);
  EXPECT_EQ(again.join_once().said(), "generation 1 range A2 leads A2 B");
  EXPECT_TRUE(again.skip_assignment);
  EXPECT_EQ(again.sync().said(), "t/0 t/1");
  EXPECT_EQ(g.b.beat(), "ok");
  Person& follower = g.another("B2", g.b);
  EXPECT_EQ(follower.join_once().said(), "generation 1 range A2 leads");
  EXPECT_FALSE(follower.skip_assignment);
  EXPECT_EQ(follower.sync().said(), "t/2");
  EXPECT_EQ(again.beat(), "ok");
}

TEST(KafkaStaticMember, ComesBackWhenThatIsCommitted) {
  TwoStatic g;
  g.hold = true;
  Person& again = g.another("A2", g.a);
  EXPECT_EQ(again.join_once().said(), "");
  g.commit_all();
  EXPECT_EQ(again.said(), "generation 1 range A2 leads A2 B");
}

// Seen with 4.3.1: other topics alone change nothing, until something else makes the group assign anew.
TEST(KafkaStaticMember, ComesBackWithoutARebalanceThoughItWantsOtherTopics) {
  TwoStatic g;
  Person& again = g.another("B2", g.b);
  again.topics = {0, 1};
  EXPECT_EQ(again.join_once().said(), "generation 1 range A leads");
  EXPECT_EQ(g.a.beat(), "ok");
  EXPECT_EQ(again.sync().said(), "t/2");
}

TEST(KafkaStaticMember, ThatChangesTheVoteStopsTheGroup) {
  Groups g;
  g("A").instance = "one";
  g("A").protocols = {"range", "sticky"};
  g("A").join();
  g.run(3_s);
  g("A").sync({{"A", {0}}});
  g("A2").instance = "one";
  g("A2").protocols = {"sticky", "range"};
  EXPECT_EQ(g("A2").join_once().said(), "generation 2 sticky A2 leads A2");
}

// Who still uses the old id finds that another process has its name.
TEST(KafkaStaticMember, SecondInstanceFencesTheFirst) {
  TwoStatic g;
  g.another("A2", g.a).join_once();
  EXPECT_EQ(g.a.beat(), "FENCED_INSTANCE_ID");
  EXPECT_EQ(g.a.commit(3), "FENCED_INSTANCE_ID");
  EXPECT_EQ(g.a.sync().said(), "FENCED_INSTANCE_ID");
  EXPECT_EQ(g.a.leave(), "FENCED_INSTANCE_ID");
  EXPECT_EQ(g.a.join().said(), "FENCED_INSTANCE_ID");
  EXPECT_EQ(g("A2").commit(4), "ok");
  EXPECT_EQ(g("A2").beat(), "ok");
  g.a.instance = "three";
  EXPECT_EQ(g.a.beat(), "UNKNOWN_MEMBER_ID") << "nobody has that name";
}

TEST(KafkaStaticMember, SecondInstanceFencesAFirstThatWaits) {
  TwoStatic g;
  g("C").join();
  g.a.join();
  Person& again = g.another("A2", g.a);
  again.join_once();
  EXPECT_EQ(g.a.said(), "FENCED_INSTANCE_ID");
  g.b.join();
  EXPECT_EQ(again.said(), "generation 2 range A2 leads A2 B C") << "it has taken part in the rebalance that was under way";
  g.b.sync();
  g.another("B2", g.b).join_once();
  EXPECT_EQ(g.b.said(), "FENCED_INSTANCE_ID");
  EXPECT_EQ(g.state(), "PreparingRebalance 2 range A2: C, A2, ?") << "the leader may be assigning to the old id";
}

TEST(KafkaStaticMember, ThatDoesNotJoinAgainKeepsItsPlace) {
  TwoStatic g;
  g.b.session = 200_s;
  g.another("B2", g.b).session = 200_s;
  g("B2").join_once();
  g("C").join();
  g.a.join();
  g.run(60_s);
  EXPECT_EQ(g.a.said(), "generation 2 range A leads A B2 C");
  EXPECT_EQ(g("B2").beat(), "ILLEGAL_GENERATION");
}

// Seen with 4.3.1: session 30 s, rebalance timeout 3 s: dropped 3 s after the generation began.
TEST(KafkaStaticMember, ThatIsAwayMustComeForItsAssignmentInTime) {
  TwoStatic g;
  g.another("B2", g.b).session = 2000_s;
  g("B2").join_once();
  g.a.session = g("C").session = 2000_s;
  g("C").join();
  g.a.join();
  g.run(60_s);
  g.a.sync({{"A", {0, 1, 2}}});
  g("C").sync();
  g.run(59'999_ms);
  EXPECT_EQ(g.a.beat(), "ok");
  g.run(1_ms);
  EXPECT_EQ(g.a.beat(), "REBALANCE_IN_PROGRESS");
  EXPECT_EQ(g("B2").beat(), "UNKNOWN_MEMBER_ID");
}

// Seen with 4.3.1: it is waited for under its old id, so the group is stopped once although nobody is missing.
TEST(KafkaStaticMember, ThatComesBackInTimeIsWaitedForUnderItsOldId) {
  TwoStatic g;
  g.another("B2", g.b).session = 2000_s;
  g("B2").join_once();
  g.a.session = g("C").session = 2000_s;
  g("C").join();
  g.a.join();
  g.run(60_s);
  g.a.sync({{"A", {0, 1, 2}}});
  g("C").sync();
  g.another("B3", g.b).session = 2000_s;
  EXPECT_EQ(g("B3").join_once().said(), "generation 2 range A leads");
  EXPECT_EQ(g("B3").sync().said(), "nothing");
  g.run(59'999_ms);
  EXPECT_EQ(g.a.beat(), "ok");
  g.run(1_ms);
  EXPECT_EQ(g("B3").beat(), "REBALANCE_IN_PROGRESS");
}

TEST(KafkaStaticMember, AwayLeaderIsReplaced) {
  TwoStatic g;
  g.another("A2", g.a).session = 2000_s;
  g("A2").join_once();
  g("C").join();
  g.b.join();
  g.run(60_s);
  EXPECT_EQ(g("C").said(), "generation 2 range C leads A2 B C");
}

// Nobody could assign: the group waits for one of them, or for their sessions to end.
TEST(KafkaStaticMember, WhileAllAreAwayNoGenerationBegins) {
  TwoStatic g;
  g.another("B2", g.b).session = 150_s;
  g("B2").join_once();
  g.run(10_s);
  EXPECT_EQ(g.state(), "PreparingRebalance 1 range B2: B2 t/2");
  g.run(130_s);
  EXPECT_EQ(g.state(), "PreparingRebalance 1 range B2: B2 t/2");
  g.run(10_s);
  EXPECT_EQ(g.state(), "Empty 2  nobody:");
}

TEST(KafkaStaticMember, WhoComesBackThenWaitsForTheOthersOnceMore) {
  TwoStatic g;
  g.another("A2", g.a).session = g.another("B2", g.b).session = 2000_s;
  g("A2").join_once();
  g("B2").join_once();
  g("C").session = 5_s;
  g("C").join();  // nobody else joins again
  g.run(60_s);
  g("C").generation = 2;
  g("C").leave();
  EXPECT_EQ(g.state(), "PreparingRebalance 2 range A2: A2, B2");
  g.run(70_s);
  g.another("A3", g.a).session = 2000_s;
  g("A3").join_once();
  g.run(49'999_ms);
  EXPECT_EQ(g("A3").heard(), 0u);
  g.run(1_ms);
  EXPECT_EQ(g("A3").said(), "generation 3 range A3 leads A3 B2");
}

// A new member's place is forgotten after a while; one that was taken over is not new.
TEST(KafkaStaticMember, ThatTakesOverFromOneThatWaitsMayWaitAsLong) {
  Two g;
  g("S").instance = "one";
  g("S").join_once();
  g("S2").instance = "one";
  g("S2").join_once();
  for (int i = 0; i < 5; ++i) {
    g.run(5_s);
    g.a.beat();
    g.b.beat();
  }
  EXPECT_EQ(g("S2").heard(), 0u);
  g.a.join();
  g.b.join();
  EXPECT_EQ(g("S2").said(), "generation 2 range A leads");
}

// --- who may commit (ClassicGroup.validateOffsetCommit) ---

// Seen with 4.3.1: a commit of the old generation is taken while the others are waited for, so that members can commit
// what they give up; not between JoinGroup and SyncGroup.
TEST(KafkaClassicGroup, CommitIsTakenByTheState) {
  Two g;
  EXPECT_EQ(g.a.commit(1), "ok");
  g("C").join();
  EXPECT_EQ(g.a.commit(2), "ok");
  g.a.join();
  g.b.join();
  EXPECT_EQ(g.a.commit(3), "REBALANCE_IN_PROGRESS");
  g.a.generation = 1;
  EXPECT_EQ(g.a.commit(4), "ILLEGAL_GENERATION");
  EXPECT_EQ(g.a.fetch(), "2");
}

TEST(KafkaClassicGroup, CommitWithoutMembershipIsTakenOnlyByAnEmptyGroup) {
  Groups g;
  Person& x = g("X");
  EXPECT_EQ(x.commit_as(-1, "", "", 1), "ok") << "a group of positions only";
  EXPECT_EQ(x.commit_as(3, "", "", 1), "UNKNOWN_MEMBER_ID");
  g("A").join_once();
  EXPECT_EQ(x.commit_as(-1, "", "", 2), "ok") << "nobody is in yet";
  g("A").join_once();
  EXPECT_EQ(x.commit_as(-1, "", "", 3), "UNKNOWN_MEMBER_ID");
  g.run(3_s);
  EXPECT_EQ(x.commit_as(-1, "", "", 3), "UNKNOWN_MEMBER_ID");
  g("A").sync({{"A", {0}}});
  EXPECT_EQ(x.commit_as(-1, "", "", 3), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(x.commit_as(-1, g("A").id, "", 3), "ILLEGAL_GENERATION");
  EXPECT_EQ(x.commit_as(1, "somebody", "", 3), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(x.commit_as(2, g("A").id, "", 3), "ILLEGAL_GENERATION");
  EXPECT_EQ(x.commit_as(-1, "", "one", 3), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(x.fetch(), "2");
  g("A").leave();
  EXPECT_EQ(x.commit_as(-1, "", "", 4), "ok");
  EXPECT_EQ(g("A").commit(5), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(x.fetch(), "4");
}

TEST(KafkaClassicGroup, CommitOfAGenerationToAGroupThatIsNotThereIsRefused) {
  Groups g;
  EXPECT_EQ(g("X").commit_as(3, "somebody", "", 1), "ILLEGAL_GENERATION");
  EXPECT_EQ(g.state(), "no group");
}

}  // namespace
}  // namespace mqlab::kafka::testing
