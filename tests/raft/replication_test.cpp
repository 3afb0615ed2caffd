// Replication in both modes, as stories on the small network.
#include <gtest/gtest.h>

#include "tests/raft/one.h"

namespace mqlab::raft::testing {
namespace {

constexpr Replication both[] = {Replication::pull, Replication::push};

// Raft paper figure 7: whatever a follower lacks or has too much of, it ends with the leader's log.
TEST(RaftReplication, Figure7AllFollowersEndWithTheLeadersLog) {
  for (const Replication mode : both) {
    for (const std::size_t entries_max : {1, 100}) {
      Options o{.voters = 7, .replication = mode, .base = quick(mode)};
      o.base.pre_vote = false;
      o.base.entries_max = entries_max;
      o.disks = {disk_with(7, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6}),
                 disk_with(7, {1, 1, 1, 4, 4, 5, 5, 6, 6}),           // (a)
                 disk_with(7, {1, 1, 1, 4}),                          // (b)
                 disk_with(7, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6}),     // (c)
                 disk_with(7, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}),  // (d)
                 disk_with(7, {1, 1, 1, 4, 4, 4, 4}),                 // (e)
                 disk_with(7, {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3})};    // (f)
      Cluster c(o);
      c.fire(0, Timer::election);
      ASSERT_TRUE(c.run_until_true([&] { return all_have(c, 11); }, 5_s));
      for (ReplicaId id = 0; id < 7; ++id) EXPECT_EQ(describe_log(c.raft(id)), "1 1 1 4 4 5 5 6 6 6 8 |");
      EXPECT_EQ(c.leader(), 0);
      EXPECT_EQ(c.promises.broken(), "");
    }
  }
}

// Raft paper figure 8, from (c) on: S1 leads epoch 4 and its entry of epoch 2 reaches a majority. S5 can still win
// with its entry of epoch 3, so that majority means nothing (section 5.4.2).
std::string figure_8(Replication mode, bool commit_older_epochs, Offset& commit_at_c) {
  Options o{.voters = 5, .replication = mode, .base = quick(mode)};
  o.base.pre_vote = false;
  o.base.entries_max = 1;
  o.base.variants.commit_older_epochs = commit_older_epochs;
  o.disks = {disk_with(3, {1, 2}), disk_with(3, {1, 2}), disk_with(3, {1}), disk_with(3, {1}), disk_with(3, {1, 3})};
  Cluster c(o);
  c.crash(4);
  c.fire(0, Timer::election);
  while (c.leader() != 0) c.run(1_ms);
  c.cut.insert({0, 3});
  for (int i = 0; i < 60; ++i) {
    c.run(1_ms);
    if (c.raft(1).leader == 0) c.cut.insert({0, 1});
    if (c.raft(2).log().end() == 2) c.cut.insert({0, 2});
  }
  EXPECT_EQ(c.raft(2).log().at(1).epoch, 2);  // the majority: S1, S2, S3
  commit_at_c = c.raft(0).commit_offset();

  c.crash(0);
  c.heal();
  c.isolate(1);
  c.restart(4);
  c.run_until_true([&] { return c.leader() == 4; }, 10_s);
  c.heal();
  c.restart(0);
  if (c.promises.broken().empty()) {
    EXPECT_TRUE(commits_everywhere(c, 5_s));
    EXPECT_EQ(c.raft(0).log().at(1).epoch, 3);
  }
  return c.promises.broken();
}

TEST(RaftReplication, Figure8AnOlderEntryOnAMajorityIsNotCommitted) {
  for (const Replication mode : both) {
    Offset commit = 0;
    EXPECT_EQ(figure_8(mode, false, commit), "");
    EXPECT_EQ(commit, 0);
  }
}

TEST(RaftReplication, Figure8WithoutTheRuleACommittedEntryIsOverruled) {
  for (const Replication mode : both) {
    Offset commit = 0;
    EXPECT_NE(figure_8(mode, true, commit).find("Leader Completeness"), std::string::npos);
    EXPECT_EQ(commit, 2);
  }
}

// Raft paper section 7, KIP-630: where the leader's log no longer reaches back, the snapshot stands for it.
TEST(RaftReplication, AReplicaThatFellBehindTheLogGetsTheSnapshot) {
  for (const Replication mode : both) {
    Cluster c({.replication = mode, .base = quick(mode)});
    ASSERT_TRUE(commits_everywhere(c, 5_s));
    const ReplicaId behind = (c.leader() + 1) % 3;
    c.crash(behind);
    for (int i = 0; i < 10; ++i) c.propose_at(c.leader());
    c.run(500_ms);
    const Offset covered = c.raft(c.leader()).commit_offset();
    ASSERT_GE(covered, 11);
    for (ReplicaId id = 0; id < 3; ++id) c.compact_at(id);
    c.restart(behind);
    EXPECT_TRUE(commits_everywhere(c, 5_s));
    EXPECT_EQ(c.raft(behind).log().start(), covered);
    EXPECT_EQ(c.promises.broken(), "");
  }
}

// A log that differs from the leader's only before the leader's snapshot: comparing epochs alone can't find the place.
TEST(RaftReplication, ALogThatPartsBeforeTheSnapshotIsReplaced) {
  for (const Replication mode : both) {
    Options o{.replication = mode, .base = quick(mode)};
    o.disks = {disk_with(5, {1, 4, 4, 4, 5}), disk_with(5, {1, 4, 4, 4, 5}), disk_with(5, {1, 2, 2, 2, 2, 2, 2, 2})};
    o.disks[0].log.compact_to(4, nullptr);
    o.disks[1].log.compact_to(4, nullptr);
    Cluster c(o);
    EXPECT_TRUE(commits_everywhere(c, 5_s));
    EXPECT_EQ(c.raft(2).log().start(), 4);
    EXPECT_EQ(c.promises.broken(), "");
  }
}

// Truncation takes as many rounds as it needs (KIP-279). Until a Fetch finds the logs agreeing, the leader's high
// watermark says nothing about this log: here it must not make the entries of epoch 2 committed.
TEST(RaftReplication, ATruncatedLogIsNotCommittedUntilItAgrees) {
  One one(disk_with(5, {1, 1, 2, 2, 4}));  // the leader's: 1 1 3 3 5
  one.hears(1, Kind::begin_epoch, BeginEpoch{.epoch = 5});
  one.hears(1, Kind::fetch_reply,
            FetchReply{.epoch = 5, .leader = 1, .offset = 5, .last_fetched_epoch = 4, .diverging = EpochEnd{3, 4},
                       .high_watermark = 5});
  EXPECT_EQ(one.said(), "sync log\n->R1 Fetch epoch=5 offset=4 last_epoch=2 hw=0\n");
  one.hears(1, Kind::fetch_reply,
            FetchReply{.epoch = 5, .leader = 1, .offset = 4, .last_fetched_epoch = 2, .diverging = EpochEnd{1, 2},
                       .high_watermark = 5});
  EXPECT_EQ(one.said(), "sync log\n->R1 Fetch epoch=5 offset=2 last_epoch=1 hw=0\n");
}

// KIP-595: an offset means something between replicas of one epoch only. A doubled answer changes nothing.
TEST(RaftReplication, AFetchOfAnotherEpochCountsForNothing) {
  One one({}, quick(Replication::pull));
  one.due(Timer::election);
  one.hears(1, Kind::vote_reply, VoteReply{.epoch = 0, .pre_vote = true, .granted = true});
  one.hears(1, Kind::vote_reply, VoteReply{.epoch = 1, .granted = true});
  ASSERT_TRUE(one.raft.is_leader());
  one.hears(1, Kind::fetch, Fetch{.epoch = 0, .offset = 1, .last_fetched_epoch = 1});
  EXPECT_EQ(one.said(), "->R1 FetchReply epoch=1 leader=R0 error=fenced_epoch\n");
  one.hears(1, Kind::fetch, Fetch{.epoch = 2, .offset = 1, .last_fetched_epoch = 1});
  EXPECT_EQ(one.said(), "->R1 FetchReply epoch=1 leader=R0 error=unknown_epoch\n");
  EXPECT_EQ(one.raft.commit_offset(), 0);
  one.hears(1, Kind::fetch, Fetch{.epoch = 1, .offset = 1, .last_fetched_epoch = 1});
  EXPECT_EQ(one.raft.commit_offset(), 1);
}

TEST(RaftReplication, ARefusedFetchIsTriedAgainSoon) {
  One one;
  one.hears(1, Kind::fetch_reply, FetchReply{.epoch = 0, .error = FetchError::not_leader});
  EXPECT_EQ(describe(one.out), "set request 10000us\n");
}

// KIP-595: observers replay the log and count for nothing.
TEST(RaftReplication, ObserversFollowButNeverCount) {
  Cluster c({.observers = 2, .base = quick(Replication::pull)});
  ASSERT_TRUE(commits_everywhere(c, 5_s));
  const ReplicaId leader = c.leader();
  for (ReplicaId id = 0; id < 3; ++id) {
    if (id != leader) c.crash(id);
  }
  const Offset before = c.raft(leader).commit_offset();
  c.propose_at(leader);
  c.run(100_ms);
  EXPECT_EQ(c.raft(3).log().end(), before + 1);  // both observers hold it ...
  EXPECT_EQ(c.raft(4).log().end(), before + 1);
  EXPECT_EQ(c.raft(leader).commit_offset(), before);  // ... and it is not committed
}

// KIP-1166: without it a follower hears of the high watermark only with its next answer.
TEST(RaftReplication, AFetchThatCarriesTheHighWatermarkIsAnsweredSooner) {
  for (const bool carried : {false, true}) {
    Config base = quick(Replication::pull);
    base.high_watermark_in_fetch = carried;
    base.fetch_wait_max = 150_ms;
    Cluster c({.base = base, .latency_min = 5_ms, .latency_max = 5_ms});
    ASSERT_TRUE(commits_everywhere(c, 5_s));
    c.run(1_s);
    const Offset offset = *c.propose_at(c.leader());
    c.run(40_ms);  // reply, fetch, and with KIP-1166 one reply more
    EXPECT_EQ(c.raft(c.leader()).commit_offset(), offset + 1);
    EXPECT_EQ(all_have(c, offset + 1), carried);
  }
}

// A leader that is deposed answers the Fetches it held back, so that nobody waits for it in vain.
TEST(RaftReplication, ADeposedLeaderRefusesTheFetchesItHeldBack) {
  Cluster c({.base = quick(Replication::pull)});
  ASSERT_TRUE(commits_everywhere(c, 5_s));
  const ReplicaId leader = c.leader();
  ASSERT_TRUE(c.run_until_true([&] { return c.raft(leader).parked.size() == 2; }, 1_s));
  Outbox out;
  Raft& raft = c.raft(leader);
  on_message(raft, (leader + 1) % 3, Kind::vote, make_payload<Carried<Vote>>(Vote{.epoch = 99}), c.random, out);
  int refused = 0;
  for (const Send& send : out.sends) {
    if (send.kind != Kind::fetch_reply) continue;
    EXPECT_EQ(describe(send.kind, send.payload), "FetchReply epoch=99 error=not_leader");
    ++refused;
  }
  EXPECT_EQ(refused, 2);
}

// Raft paper figure 2, receiver rule 3: only a conflict removes entries; a message from the past does not.
TEST(RaftReplication, AnOldAppendEntriesDoesNotShortenTheLog) {
  Cluster c({.replication = Replication::push, .base = quick(Replication::push)});
  ASSERT_TRUE(commits_everywhere(c, 5_s));
  const ReplicaId follower = (c.leader() + 1) % 3;
  Raft& raft = c.raft(follower);
  const Log before = raft.log();
  const AppendEntries old{.epoch = raft.epoch(), .offset = 0, .entries = {before.at(0)}};
  Outbox out;
  on_message(raft, c.leader(), Kind::append_entries, make_payload<Carried<AppendEntries>>(old), c.random, out);
  EXPECT_EQ(raft.log(), before);
  EXPECT_FALSE(out.sync_log);
}

// Figure 2, receiver rule 5: committed is only what this message has shown to be the leader's. The rest may differ.
TEST(RaftReplication, AHeartbeatCommitsNoFurtherThanItReaches) {
  One one(disk_with(3, {1, 2, 2}), quick(Replication::push));
  one.hears(1, Kind::append_entries, AppendEntries{.epoch = 3, .offset = 1, .prev_epoch = 1, .commit = 3});
  EXPECT_EQ(one.said(), "->R1 AppendReply epoch=3 accepted match=1\n");
  EXPECT_EQ(one.raft.commit_offset(), 1);
}

// Two leaders of one epoch: it can't be, unless a disk forgot a vote that it had said was safe. No answer makes a log longer.
TEST(RaftReplication, AnAnswerConfirmsNoMoreThanTheLeaderHas) {
  Config config = quick(Replication::push);
  config.pre_vote = false;
  One one(disk_with(1, {1}), config);
  one.due(Timer::election);
  one.hears(1, Kind::vote_reply, VoteReply{.epoch = one.raft.epoch(), .granted = true});
  ASSERT_TRUE(one.raft.is_leader());
  const Offset end = one.raft.log().end();
  one.hears(1, Kind::append_reply, AppendReply{.epoch = one.raft.epoch(), .leader = 0, .accepted = true, .match = end + 7});
  EXPECT_EQ(one.raft.commit_offset(), end);
  one.due(Timer::heartbeat);
  for (const Send& send : one.out.sends) EXPECT_LE(message_as<AppendEntries>(send.payload).offset, end);
}

// A replica is a value: a copy goes its own way, and two copies go the same way.
TEST(RaftReplication, ACopyOfTheGroupLivesTheSameLife) {
  for (const Replication mode : both) {
    Cluster one(unkind(mode, 5, 11));
    rough_life(one, 1_s);
    Cluster two = one;
    rough_life(one, 1_s);
    rough_life(two, 1_s);
    for (ReplicaId id = 0; id < one.count(); ++id) EXPECT_EQ(describe(one.raft(id)), describe(two.raft(id)));
    EXPECT_EQ(one.random, two.random);
  }
}

}  // namespace
}  // namespace mqlab::raft::testing
