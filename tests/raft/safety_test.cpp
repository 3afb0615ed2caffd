// Random lives: with every rule on, no promise ever breaks and the group recovers; with one rule broken, the same
// lives break a promise. That is what shows that the lives are rough enough and that the rule is needed.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/raft/cluster.h"
#include "tests/raft/one.h"

namespace mqlab::raft::testing {
namespace {

struct Survey {
  std::string first_broken{};
  std::string first_stuck{};
  Offset committed = 0;
  int elections = 0;
};

Survey survey(Replication mode, int voters, std::uint64_t seeds) {
  Survey found;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Cluster c(unkind(mode, voters, seed));
    rough_life(c, 3_s);
    good_life(c);
    const bool recovers = commits_everywhere(c, 10_s);
    c.compare_logs();
    const std::string where = "seed " + std::to_string(seed);
    if (!c.promises.broken().empty()) return found.first_broken = where + ": " + c.promises.broken(), found;
    if (!recovers && found.first_stuck.empty()) found.first_stuck = where;
    found.committed += c.promises.committed();
    found.elections += c.promises.epochs_with_leader();
  }
  return found;
}

class RaftSafety : public ::testing::TestWithParam<std::pair<Replication, int>> {};

// Raft paper figure 3, and that a healed group elects a leader and commits (section 5.6).
TEST_P(RaftSafety, AThousandRoughLivesBreakNoPromise) {
  const std::uint64_t seeds = 1000;
  const Survey found = survey(GetParam().first, GetParam().second, seeds);
  EXPECT_EQ(found.first_broken, "");
  EXPECT_EQ(found.first_stuck, "");
  // The lives were eventful: a pass over nothing would be none.
  EXPECT_GT(found.committed, static_cast<Offset>(5 * seeds));
  EXPECT_GT(found.elections, static_cast<int>(2 * seeds));
}

INSTANTIATE_TEST_SUITE_P(Groups, RaftSafety,
                         ::testing::Values(std::pair(Replication::pull, 2), std::pair(Replication::pull, 3),
                                           std::pair(Replication::pull, 5), std::pair(Replication::push, 3),
                                           std::pair(Replication::push, 4), std::pair(Replication::push, 5)),
                         [](const auto& info) {
                           return std::string(info.param.first == Replication::pull ? "pull" : "push") +
                                  std::to_string(info.param.second);
                         });

// The same with what happens as a list, so that a failure shrinks to the few things that matter.
RC_GTEST_PROP(RaftSafety, NoListOfMishapsBreaksAPromise, ()) {
  const auto mode = *rc::gen::element(Replication::pull, Replication::push);
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  const auto mishaps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 16), rc::gen::inRange(0, 3)));
  Cluster c(unkind(mode, 3, seed));
  c.run(400_ms);
  for (const auto& [what, who] : mishaps) {
    happen(c, static_cast<std::uint64_t>(what), static_cast<ReplicaId>(who));
    c.run(c.random.between(1_ms, 40_ms));
    c.compare_logs();
  }
  RC_ASSERT(c.promises.broken() == "");
  good_life(c);
  RC_ASSERT(commits_everywhere(c, 10_s));
}

// The seed at which a broken rule first breaks a promise; 0 when it never does.
template <class F>
std::uint64_t first_harm(Replication mode, std::uint64_t seeds, F break_rule) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Options o = unkind(mode, 3, seed);
    break_rule(o.base);
    Cluster c(o);
    rough_life(c, 3_s);
    if (!c.promises.broken().empty()) return seed;
  }
  return 0;
}

class RaftVariants : public ::testing::TestWithParam<Replication> {};

TEST_P(RaftVariants, CommittingOlderEpochsIsHarmful) {
  // The rarest: one entry a message leaves the time between the old entry and the new leader's own.
  const auto break_rule = [](Config& c) {
    c.entries_max = 1;
    c.variants.commit_older_epochs = true;
  };
  EXPECT_GT(first_harm(GetParam(), 20'000, break_rule), 0U);
}

TEST_P(RaftVariants, VotingWithoutLookingAtTheLogIsHarmful) {
  EXPECT_GT(first_harm(GetParam(), 20, [](Config& c) { c.variants.vote_without_log_check = true; }), 0U);
}

TEST_P(RaftVariants, ForgettingAVoteIsHarmful) {
  EXPECT_GT(first_harm(GetParam(), 500, [](Config& c) { c.variants.vote_not_persisted = true; }), 0U);
}

TEST_P(RaftVariants, AppendingByOffsetAloneIsHarmful) {
  EXPECT_GT(first_harm(GetParam(), 100, [](Config& c) { c.variants.append_without_epoch_check = true; }), 0U);
}

TEST_P(RaftVariants, AcknowledgingBeforeTheSyncIsHarmful) {
  EXPECT_GT(first_harm(GetParam(), 20, [](Config& c) { c.sync_before_ack = false; }), 0U);
}

// With parallel_write a leader that counts itself before its disk has the entry is as harmful: the host says so too early.
TEST(RaftParallelWrite, CountingWhatIsNotWrittenIsHarmful) {
  std::uint64_t harmed = 0;
  for (std::uint64_t seed = 1; seed <= 2000 && harmed == 0; ++seed) {
    Options o = unkind(Replication::push, 3, seed);
    o.base.parallel_write = true;
    Cluster c(o);
    c.written_at_once = true;
    rough_life(c, 3_s);
    if (!c.promises.broken().empty()) harmed = seed;
  }
  EXPECT_GT(harmed, 0U);
}

TEST(RaftParallelWrite, ALeaderCountsItselfWhenItsDiskHasTheEntry) {
  Config config = quick(Replication::push);
  config.parallel_write = true;
  config.pre_vote = false;
  One one(disk_with(1, {1}), config);
  one.due(Timer::election);
  one.hears(1, Kind::vote_reply, VoteReply{.epoch = one.raft.epoch(), .granted = true});
  ASSERT_TRUE(one.raft.is_leader());
  one.hears(1, Kind::append_reply, AppendReply{.epoch = one.raft.epoch(), .leader = 0, .accepted = true, .match = one.raft.log().end()});
  EXPECT_LT(one.raft.commit_offset(), one.raft.log().end());
  write_begins(one.raft);
  one.out = {};
  write_ended(one.raft, one.out);
  EXPECT_EQ(one.raft.commit_offset(), one.raft.log().end());
}

INSTANTIATE_TEST_SUITE_P(Modes, RaftVariants, ::testing::Values(Replication::pull, Replication::push),
                         [](const auto& info) {
                           return std::string(info.param == Replication::pull ? "pull" : "push");
                         });

}  // namespace
}  // namespace mqlab::raft::testing
