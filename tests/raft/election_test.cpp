// Elections, one replica at a time: a message in, the effects as text out.
#include <gtest/gtest.h>

#include "tests/raft/one.h"

namespace mqlab::raft::testing {
namespace {

Config no_pre_vote() {
  Config c = quick(Replication::pull);
  c.pre_vote = false;
  return c;
}

// Raft paper section 5.2 and figure 2: one vote an epoch, and it is on disk before it is given.
TEST(RaftElection, AVoteIsGivenOnceAndSyncedFirst) {
  One one;
  one.hears(1, Kind::vote, Vote{.epoch = 4});
  EXPECT_EQ(one.said(), "sync vote\n->R1 VoteReply epoch=4 granted=yes\n");
  one.hears(2, Kind::vote, Vote{.epoch = 4});
  EXPECT_EQ(one.said(), "->R2 VoteReply epoch=4 granted=no\n");
  one.hears(1, Kind::vote, Vote{.epoch = 4});  // the first answer may have been lost
  EXPECT_EQ(one.said(), "->R1 VoteReply epoch=4 granted=yes\n");

  One again(one.raft.durable);
  again.hears(2, Kind::vote, Vote{.epoch = 4});
  EXPECT_EQ(again.said(), "->R2 VoteReply epoch=4 granted=no\n");
}

// Raft paper section 5.4.1, the election restriction. The refused epoch is taken over nevertheless.
TEST(RaftElection, ACandidateWithAnOlderLogGetsNoVote) {
  One one(disk_with(3, {1, 3}));
  one.hears(1, Kind::vote, Vote{.epoch = 4, .last_epoch = 2, .end_offset = 9});
  EXPECT_EQ(one.said(), "sync vote\n->R1 VoteReply epoch=4 granted=no\n");
  one.hears(2, Kind::vote, Vote{.epoch = 4, .last_epoch = 3, .end_offset = 2});
  EXPECT_EQ(one.said(), "sync vote\n->R2 VoteReply epoch=4 granted=yes\n");
}

TEST(RaftElection, AnOlderEpochIsToldTheNewerOne) {
  One one(disk_with(5, {}));
  one.hears(1, Kind::vote, Vote{.epoch = 4});
  EXPECT_EQ(one.said(), "->R1 VoteReply epoch=5 granted=no\n");
}

// Raft paper sections 5.2 and 8: the new leader opens its epoch with an entry of its own; KIP-595 BeginQuorumEpoch.
TEST(RaftElection, TheWinnerOpensItsEpochInTheLog) {
  One one({}, no_pre_vote());
  one.due(Timer::election);
  EXPECT_EQ(one.said(), "sync vote\n->R1 Vote epoch=1 last_epoch=0 end=0\n->R2 Vote epoch=1 last_epoch=0 end=0\n");
  one.hears(2, Kind::vote_reply, VoteReply{.epoch = 1, .granted = true});
  EXPECT_EQ(one.said(), "sync log\n->R1 BeginEpoch epoch=1\n->R2 BeginEpoch epoch=1\n");
  EXPECT_EQ(describe(one.raft), "R0 leader epoch=1 voted=R0 log=0..1 commit=0");
  EXPECT_TRUE(one.raft.log().at(0).control);
}

// KIP-996; dissertation section 9.6: a pre-vote starts no epoch and binds nobody.
TEST(RaftElection, APreVoteChangesNothing) {
  One one;
  one.due(Timer::election);
  EXPECT_EQ(one.said(), "->R1 PreVote epoch=0 last_epoch=0 end=0\n->R2 PreVote epoch=0 last_epoch=0 end=0\n");
  one.hears(1, Kind::vote_reply, VoteReply{.epoch = 0, .pre_vote = true, .granted = true});
  EXPECT_EQ(one.said(), "sync vote\n->R1 Vote epoch=1 last_epoch=0 end=0\n->R2 Vote epoch=1 last_epoch=0 end=0\n");

  One asked;
  asked.hears(1, Kind::vote, Vote{.epoch = 0, .pre_vote = true});
  asked.hears(2, Kind::vote, Vote{.epoch = 0, .pre_vote = true});
  EXPECT_EQ(asked.said(), "->R2 PreVoteReply epoch=0 granted=yes\n");
  EXPECT_EQ(asked.raft.durable, Durable{});
}

// KIP-996: whoever has a leader that answers gives no pre-vote.
TEST(RaftElection, AFollowerWithALivingLeaderRefusesAPreVote) {
  One one(disk_with(3, {3}));
  one.hears(1, Kind::begin_epoch, BeginEpoch{.epoch = 3});
  one.hears(2, Kind::vote, Vote{.epoch = 3, .pre_vote = true, .last_epoch = 3, .end_offset = 1});
  EXPECT_EQ(one.said(), "->R2 PreVoteReply epoch=3 granted=yes leader=R1\n");  // it has not answered a Fetch yet
  one.hears(1, Kind::fetch_reply,
            FetchReply{.epoch = 3, .leader = 1, .offset = 1, .last_fetched_epoch = 3, .high_watermark = 1});
  one.hears(2, Kind::vote, Vote{.epoch = 3, .pre_vote = true, .last_epoch = 3, .end_offset = 1});
  EXPECT_EQ(one.said(), "->R2 PreVoteReply epoch=3 granted=no leader=R1\n");
}

// A doubled Vote reaches a follower that follows its sender by now: the answer is the same, and no election is planned.
TEST(RaftElection, ADoubledVoteDoesNotUnsettleAFollower) {
  One one;
  one.hears(1, Kind::vote, Vote{.epoch = 4});
  one.hears(1, Kind::begin_epoch, BeginEpoch{.epoch = 4});
  one.hears(1, Kind::vote, Vote{.epoch = 4});
  EXPECT_EQ(describe(one.out), "->R1 VoteReply epoch=4 granted=yes leader=R1\n");
}

// The leader is there after all.
TEST(RaftElection, AProspectiveThatHearsItsLeaderFollowsAgain) {
  One one(disk_with(3, {3}));
  one.due(Timer::election);
  one.hears(1, Kind::begin_epoch, BeginEpoch{.epoch = 3});
  one.due(Timer::election);
  one.hears(1, Kind::begin_epoch, BeginEpoch{.epoch = 3});
  EXPECT_EQ(describe(one.raft), "R0 follower epoch=3 leader=R1 log=0..1 commit=0");
  one.due(Timer::fetch);
  EXPECT_EQ(describe(one.raft), "R0 prospective epoch=3 leader=R1 log=0..1 commit=0");
  one.hears(1, Kind::begin_epoch, BeginEpoch{.epoch = 3});
  EXPECT_EQ(describe(one.raft), "R0 follower epoch=3 leader=R1 log=0..1 commit=0");
}

TEST(RaftElection, AnObserverHasNoVoteAndSeeksNone) {
  One one({}, quick(Replication::pull), {1, 2, 3});
  one.hears(1, Kind::vote, Vote{.epoch = 4});
  EXPECT_EQ(one.said(), "");
  EXPECT_EQ(one.raft.epoch(), 0);
  for (const TimerKey key : one.raft.armed) EXPECT_NE(key.timer, Timer::election);
}

// KafkaRaftClient: the only voter leads at once, and what it writes is committed at once.
TEST(RaftElection, TheOnlyVoterLeadsAndCommitsAlone) {
  for (const Replication mode : {Replication::pull, Replication::push}) {
    One one({}, quick(mode), {0});
    EXPECT_EQ(describe(one.raft), "R0 leader epoch=1 voted=R0 log=0..1 commit=1");
    one.out = {};
    EXPECT_EQ(propose(one.raft, make_payload<Command>(1), one.out), std::optional<Offset>(1));
    EXPECT_TRUE(one.out.sync_log);
    EXPECT_EQ(one.raft.commit_offset(), 2);
  }
}

// QuorumState.initialize: the log may be ahead of the vote file.
TEST(RaftElection, ARestartedReplicaIsNotBehindItsOwnLog) {
  Durable disk = disk_with(2, {1, 3});
  disk.voted_for = 1;
  One one(disk);
  EXPECT_EQ(describe(one.raft), "R0 unattached epoch=3 log=0..2 commit=0");
}

// KIP-595 "EndQuorumEpoch": the best successor does not wait for a timeout.
TEST(RaftElection, AResignedLeaderIsReplacedByTheBestSuccessorAtOnce) {
  for (const Replication mode : {Replication::pull, Replication::push}) {
    Cluster c({.replication = mode, .base = quick(mode)});
    ASSERT_TRUE(commits_everywhere(c, 5_s));
    const ReplicaId old = c.leader();
    c.resign_at(old);
    EXPECT_EQ(c.raft(old).role, Role::resigned);
    EXPECT_TRUE(c.run_until_true([&] { return c.leader() >= 0; }, 120_ms));  // the shortest timeout is 150 ms
    EXPECT_NE(c.leader(), old);
    EXPECT_EQ(c.promises.broken(), "");
  }
}

// KAFKA-15489: without a majority behind it a leader stops calling itself one.
TEST(RaftElection, ALeaderThatNoMajorityFollowsResigns) {
  for (const Replication mode : {Replication::pull, Replication::push}) {
    for (const bool check_quorum : {true, false}) {
      Config base = quick(mode);
      base.check_quorum = check_quorum;
      Cluster c({.replication = mode, .base = base});
      ASSERT_TRUE(commits_everywhere(c, 5_s));
      const ReplicaId old = c.leader();
      c.isolate(old);
      c.run(2_s);
      EXPECT_EQ(c.raft(old).is_leader(), !check_quorum);
    }
  }
}

// KIP-996's reason: a replica that was cut off does not depose a good leader when it comes back.
TEST(RaftElection, AReturningReplicaDisturbsNobodyWithPreVote) {
  for (const Replication mode : {Replication::pull, Replication::push}) {
    for (const bool pre_vote : {true, false}) {
      Config base = quick(mode);
      base.pre_vote = pre_vote;
      Cluster c({.replication = mode, .base = base});
      ASSERT_TRUE(commits_everywhere(c, 5_s));
      const Epoch before = c.raft(c.leader()).epoch();
      c.isolate((c.leader() + 1) % 3);
      c.run(2_s);
      c.heal();
      ASSERT_TRUE(commits_everywhere(c, 5_s));
      c.run(1_s);
      EXPECT_EQ(c.raft(c.leader()).epoch() == before, pre_vote);
    }
  }
}

// Ra: followers act on the failure detector, not on missed heartbeats.
TEST(RaftElection, WithoutHeartbeatsASuspicionStartsTheElection) {
  Config base = quick(Replication::push);
  One one({}, base);
  one.hears(1, Kind::append_entries, AppendEntries{.epoch = 1});
  one.out = {};
  on_suspect(one.raft, 2, one.random, one.out);
  EXPECT_EQ(describe(one.out), "");  // not the leader
  on_suspect(one.raft, 1, one.random, one.out);
  ASSERT_EQ(one.out.timers.size(), 1U);
  EXPECT_LT(*one.out.timers[0].delay, base.election_timeout);
}

}  // namespace
}  // namespace mqlab::raft::testing
