// Positions as a client commits and fetches them: by hand, as the Java client does it by itself, as librdkafka does. The
// brokers only do as told. Sources: ConsumerCoordinator; librdkafka INTRODUCTION.md, "At-least-once processing"; what is
// marked "seen with 4.3.1" was tried with the Java client of that version.
#include <gtest/gtest.h>

#include "tests/kafka/member_lab.h"

namespace mqlab::kafka::testing {
namespace {

// --- by hand ---

TEST(KafkaCommits, CommitNamesTheMemberAndItsGeneration) {
  MemberLab m;
  m.settle({0, 1}).fetched({{0, 3}, {1, 1}}).poll();
  const CallId all = m.commit();
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3 t/1=1");
  EXPECT_EQ(m.client().answer(all), "");
  m.committed();
  EXPECT_EQ(m.client().answer(all), "ok");
  const CallId one = m.commit("t/0");
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3");
  EXPECT_EQ(m.committed().client().answer(one), "ok@3");
  m.commit("t/1", 7);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/1=7");
}

TEST(KafkaCommits, WhatWasFetchedAheadIsNotCommitted) {
  MemberLab m({{"max_poll_records", "2"}});
  m.settle({0}).fetched({{0, 5}}).poll();
  ASSERT_EQ(m.said(), "0@0 1@1");
  m.commit();
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=2");
}

// Each row of the history says how it ended: it was written (ok), certainly not (fail), or perhaps (info).
TEST(KafkaCommits, SynchronousCommitIsRepeatedWhileTheCoordinatorIsAway) {
  for (const Error e : {Error::coordinator_load_in_progress, Error::not_coordinator, Error::coordinator_not_available}) {
    MemberLab m({{"retry_backoff", "100ms"}});
    m.settle({0});
    const CallId id = m.commit("t/0", 5);
    m.committed(e);
    m.run(300_ms);
    ASSERT_EQ(m.commits(), 2u) << name(e);
    EXPECT_EQ(m.client().answer(id), "");
    m.committed();
    EXPECT_EQ(m.client().answer(id), "ok@5");
    EXPECT_EQ(m.commit_rows(), "t/0=5 invoke, t/0=5 ok");
  }
}

TEST(KafkaCommits, AsynchronousCommitIsNot) {
  for (const auto& [e, end] : std::vector<std::pair<Error, std::string>>{{Error::coordinator_load_in_progress, "fail COORDINATOR_LOAD_IN_PROGRESS"},
                                                                       {Error::not_coordinator, "info NOT_COORDINATOR"},
                                                                       {Error::coordinator_not_available, "info COORDINATOR_NOT_AVAILABLE"}}) {
    MemberLab m;
    m.settle({0});
    const CallId id = m.commit("t/0", 5, true);
    m.committed(e);
    m.run(1_s);
    EXPECT_EQ(m.commits(), 1u);
    EXPECT_EQ(m.client().answer(id), end);
    EXPECT_EQ(m.commit_rows(), "t/0=5 invoke, t/0=5 " + end);
  }
}

TEST(KafkaCommits, AsynchronousCommitWithoutAnAnswerMayHaveCounted) {
  MemberLab m({{"request_timeout", "5s"}, {"session_timeout", "100s"}, {"group_heartbeat", "90s"}});
  m.settle({0});
  const CallId id = m.commit("t/0", 5, true);
  m.run(6_s);
  EXPECT_EQ(m.client().answer(id), "info NETWORK_EXCEPTION");
}

TEST(KafkaCommits, NewCoordinatorIsFoundForACommit) {
  MemberLab m;
  m.settle({0});
  const CallId id = m.commit("t/0", 5);
  m.coordinated_by(2);
  m.committed(Error::not_coordinator);
  m.run(300_ms);
  ASSERT_EQ(m.commits(2), 1u);
  m.committed(Error::none, 2);
  EXPECT_EQ(m.client().answer(id), "ok@5");
}

// default.api.timeout.ms. What was never sent has certainly not counted.
TEST(KafkaCommits, SynchronousCommitGivesUp) {
  MemberLab m({{"api_timeout", "10s"}, {"session_timeout", "100s"}, {"group_heartbeat", "90s"}});
  m.settle({0});
  m.coordinated_by(1, Error::coordinator_not_available);
  const CallId sent = m.commit("t/0", 5);
  m.committed(Error::not_coordinator);
  m.run(1_s);
  const CallId never = m.commit("t/0", 6);
  m.run(8900_ms);
  EXPECT_EQ(m.client().answer(sent), "");
  m.run(1200_ms);
  EXPECT_EQ(m.client().answer(sent), "info REQUEST_TIMED_OUT");
  EXPECT_EQ(m.client().answer(never), "fail REQUEST_TIMED_OUT");
  EXPECT_EQ(m.commits(), 1u);
}

// Two commits of one consumer go one after the other on one connection; only who repeats an older one by itself, which
// the library does not, takes the position back.
TEST(KafkaCommits, AsynchronousCommitsArriveInOrder) {
  MemberLab m;
  m.settle({0});
  m.commit("t/0", 5, true);
  m.commit("t/0", 6, true);
  EXPECT_EQ(m.commit_text(1) + ", " + m.commit_text(), "generation 1 k-1: t/0=5, generation 1 k-1: t/0=6");
}

// --- a rebalance meanwhile ---

// The coordinator takes commits of the old generation while it waits for the others, and so the consumer sends them.
// Seen with 4.3.1: committed while the group was PreparingRebalance.
TEST(KafkaCommits, BeforeItJoinsAgainAMemberCommits) {
  MemberLab m;
  m.settle({0}).beaten(Error::rebalance_in_progress);
  m.commit("t/0", 5);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=5");
  m.committed();
  EXPECT_EQ(m.poll().said(), "-t/0");
  m.commit("t/0", 6);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=6") << "what is given up may be committed, as in a rebalance listener";
}

// Seen with 4.3.1: RebalanceInProgressException for a commit right after the poll that had sent the JoinGroup.
TEST(KafkaCommits, OnTheWayIntoTheNextGenerationItDoesNotEvenAsk) {
  MemberLab m;
  m.settle({0}).beaten(Error::rebalance_in_progress).poll().poll();
  EXPECT_EQ(m.client().answer(m.commit("t/0", 5)), "fail REBALANCE_IN_PROGRESS") << "it joins";
  m.joined(2);
  EXPECT_EQ(m.client().answer(m.commit("t/0", 5)), "fail REBALANCE_IN_PROGRESS") << "it waits for its assignment";
  EXPECT_EQ(m.commits(), 0u);
  m.synced({0});
  m.commit("t/0", 5);
  EXPECT_EQ(m.commit_text(), "generation 2 k-1: t/0=5");
}

TEST(KafkaCommits, RefusalForARebalanceMakesItJoinAgainAndLosesNothing) {
  MemberLab m;
  m.settle({0});
  const CallId id = m.commit("t/0", 5);
  m.committed(Error::rebalance_in_progress);
  EXPECT_EQ(m.client().answer(id), "fail REBALANCE_IN_PROGRESS");
  EXPECT_EQ(m.poll().said(), "-t/0");
}

TEST(KafkaCommits, RefusalOfTheMemberPutsItOut) {
  for (const auto& [e, said] : std::vector<std::pair<Error, std::string>>{
           {Error::unknown_member_id, "lost t/0"}, {Error::illegal_generation, "lost t/0"}, {Error::fenced_instance_id, "FENCED_INSTANCE_ID"}}) {
    MemberLab m;
    m.settle({0});
    const CallId id = m.commit("t/0", 5);
    m.committed(e);
    EXPECT_EQ(m.client().answer(id), fmt::format("fail {}", name(e)));
    EXPECT_EQ(m.poll().said(), said);
  }
}

TEST(KafkaCommits, RefusalOfAnEarlierGenerationSaysNothingOfThePresentOne) {
  MemberLab m;
  m.settle({0}).beaten(Error::rebalance_in_progress);
  m.commit("t/0", 5, true);
  m.poll().poll().joined(2).synced({0}).poll().positions();
  m.committed(Error::illegal_generation);
  EXPECT_EQ(m.poll().said(), "nothing");
}

// --- as the Java client does it ---

struct Java : MemberLab {
  Java() : MemberLab({{"auto_commit", "java"}, {"auto_commit_interval", "5s"}, {"retry_backoff", "100ms"}}) { settle({0}); }
};

// ConsumerCoordinator: nextAutoCommitTimer is made with the consumer, also where it chooses its places by itself.
TEST(KafkaAutoCommit, JavasFirstTimeComesAfterAnInterval) {
  MemberLab m({{"auto_commit", "java"}, {"auto_commit_interval", "5s"}}, false);
  m.client().ask(CallKind::assign, "t/0", 3);
  m.run(30_ms);
  m.poll().poll();
  EXPECT_EQ(m.commits(), 0u);
  m.run(5_s);
  m.poll();
  EXPECT_EQ(m.commit_text(), "generation -1 nobody: t/0=3");
}

// What a poll has returned is committed by a later poll, so a thread that works between its polls loses nothing.
TEST(KafkaAutoCommit, JavaCommitsInALaterPollWhatEarlierOnesReturned) {
  Java m;
  m.fetched({{0, 3}}).poll();
  ASSERT_EQ(m.said(), "0@0 1@1 2@2");
  m.fetched({{0, 2}});
  m.run(20_s);
  EXPECT_EQ(m.commits(), 0u) << "nobody polls";
  m.poll();
  EXPECT_EQ(m.said(), "3@3 4@4");
  EXPECT_EQ(m.commits(), 1u);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3") << "not what this very poll returns";
}

TEST(KafkaAutoCommit, JavaCommitsOnceAnInterval) {
  Java m;
  m.fetched({{0, 3}}).poll();
  m.run(4_s);
  m.poll();
  EXPECT_EQ(m.commits(), 0u);
  m.run(1_s);
  m.poll().committed().poll();
  EXPECT_EQ(m.commits(), 1u);
}

TEST(KafkaAutoCommit, JavaCommitsInAPollThatWaits) {
  Java m;
  m.fetched({{0, 3}}).poll();
  m.client().poll(60_s);
  m.run(5_s);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3");
}

TEST(KafkaAutoCommit, JavaCommitsTheSamePositionAgain) {
  Java m;
  m.fetched({{0, 3}}).poll();
  m.run(5_s);
  m.poll().committed();
  m.run(5_s);
  m.poll();
  EXPECT_EQ(m.commits(), 2u);
}

// autoCommitOffsetsAsync: a retriable error brings the next attempt forward.
TEST(KafkaAutoCommit, JavaTriesAgainSoonWhenTheCoordinatorWasAway) {
  for (const auto& [e, again] : std::vector<std::pair<Error, bool>>{{Error::coordinator_load_in_progress, true}, {Error::none, false}}) {
    Java m;
    m.fetched({{0, 3}}).poll();
    m.run(5_s);
    m.client().poll(3_s);
    m.run(10_ms);
    m.committed(e);
    m.run(200_ms);
    EXPECT_EQ(m.commits(), again ? 2u : 1u) << name(e);
  }
}

// onJoinPrepare: before it gives up its places it commits, and nothing more is handed out meanwhile (KAFKA-14196).
TEST(KafkaAutoCommit, JavaCommitsBeforeARebalance) {
  Java m;
  m.fetched({{0, 3}}).poll().fetched({{0, 2}}).beaten(Error::rebalance_in_progress);
  const std::size_t joins = m.count(Kind::join_group);
  const CallId poll = m.client().poll(1_s);
  m.run(10_ms);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3");
  m.run(100_ms);
  EXPECT_EQ(m.client().answer(poll), "");
  EXPECT_EQ(m.count(Kind::join_group), joins);
  m.committed();
  EXPECT_EQ(m.client().answer(poll), "nothing") << "it is told that t/0 goes, and gets no record";
  EXPECT_EQ(m.poll().said(), "nothing");
  EXPECT_EQ(m.count(Kind::join_group), joins + 1);
}

TEST(KafkaAutoCommit, JavaRepeatsThatCommitWhileTheCoordinatorIsAway) {
  Java m;
  m.fetched({{0, 3}}).poll().beaten(Error::rebalance_in_progress);
  const CallId poll = m.client().poll(1_s);
  m.run(10_ms);
  m.committed(Error::coordinator_load_in_progress);
  m.run(200_ms);
  EXPECT_EQ(m.commits(), 2u);
  EXPECT_EQ(m.client().answer(poll), "");
  m.committed(Error::rebalance_in_progress);
  EXPECT_EQ(m.client().answer(poll), "nothing") << "any other refusal holds nothing up";
}

TEST(KafkaAutoCommit, JavaCommitsNothingForWhatIsLost) {
  Java m;
  m.fetched({{0, 3}}).poll().beaten(Error::unknown_member_id);
  EXPECT_EQ(m.poll().said(), "lost t/0");
  EXPECT_EQ(m.commits(), 0u);
}

// --- as librdkafka does it ---

struct Librdkafka : MemberLab {
  explicit Librdkafka(const char* store = "true", const char* records = "500")
      : MemberLab({{"auto_commit", "librdkafka"}, {"auto_commit_interval", "5s"}, {"auto_offset_store", store}, {"max_poll_records", records}, {"retry_backoff", "100ms"}}) {
    settle({0});
  }
  void store(Offset offset, const std::string& place = "t/0") {
    Call c;
    c.kind = CallKind::other;
    c.verb = "store_offset";
    c.argument = fmt::format("{} {}", place, offset);
    client().call(c);
    run(1_ms);
  }
};

// A record counts as done when it is handed out: the one in hand is committed before it is processed.
TEST(KafkaAutoCommit, LibrdkafkaCommitsInTheBackgroundEvenWhatIsInHand) {
  Librdkafka m("true", "1");
  m.fetched({{0, 3}}).poll();
  ASSERT_EQ(m.said(), "0@0");
  m.run(5_s);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=1") << "nobody has polled again";
}

TEST(KafkaAutoCommit, LibrdkafkaCommitsOnlyWhatIsNew) {
  Librdkafka m;
  m.fetched({{0, 3}}).poll();
  m.run(5_s);
  m.committed();
  m.run(20_s);
  EXPECT_EQ(m.commits(), 1u);
  m.client().ask(CallKind::seek, "t/0", 1);
  m.run(20_ms);
  m.fetched({}).run(20_ms);
  m.fetched({{0, 1}}).poll();
  ASSERT_EQ(m.said(), "1@1");
  m.run(10_s);
  EXPECT_EQ(m.commits(), 1u) << "never a lower one";
}

TEST(KafkaAutoCommit, LibrdkafkaCommitsAgainWhatFailed) {
  Librdkafka m;
  m.fetched({{0, 3}}).poll();
  m.run(5_s);
  m.committed(Error::coordinator_load_in_progress);
  m.run(200_ms);
  EXPECT_EQ(m.commits(), 2u);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=3");
}

TEST(KafkaAutoCommit, LibrdkafkaCommitsWhatTheApplicationStores) {
  Librdkafka m("false");
  m.fetched({{0, 3}}).poll();
  m.run(10_s);
  EXPECT_EQ(m.commits(), 0u);
  m.store(2);
  m.run(5_s);
  EXPECT_EQ(m.commit_text(), "generation 1 k-1: t/0=2");
  m.committed();
  m.store(1);
  m.run(10_s);
  EXPECT_EQ(m.commits(), 1u) << "never a lower one";
}

// --- places of its own choice, with a group's positions ---

TEST(KafkaCommits, AssignedPlaceBeginsWhereTheGroupStands) {
  MemberLab m({}, false);
  m.client().ask(CallKind::assign, "t/0");
  m.run(30_ms);
  EXPECT_EQ(m.count(Kind::join_group) + m.count(Kind::fetch), 0u);
  m.positions(7).run(20_ms);
  EXPECT_EQ(m.lines(1, Kind::fetch), "consumer #0 offset=7 epoch=0\n");
}

// Metadata.updateLastSeenEpochIfNewer. Asked, a leader of before would not know that epoch, and the position would be
// taken for cut off.
TEST(KafkaCommits, PositionOfALaterLeaderWaitsForMetadataThatKnowsIt) {
  MemberLab m({{"metadata_max_age", "60s"}}, false);
  m.client().ask(CallKind::assign, "t/0");
  m.run(30_ms);
  OffsetFetchReply r;
  r.offsets.push_back({0, 7, 2, {}});
  m.answer_last(Kind::offset_fetch, std::move(r)).run(20_ms);
  EXPECT_EQ(m.lines(1, Kind::fetch) + m.lines(1, Kind::offset_for_leader_epoch), "");
  for (BrokerId b = 1; b <= 2; ++b) m.broker(b).metadata.partitions[0].leader_epoch = 2;
  m.run(1_s);
  EXPECT_NE(m.lines(1, Kind::offset_for_leader_epoch), "");
  EXPECT_EQ(m.marks("log_truncation_detected"), 0u);
}

TEST(KafkaCommits, AssignedPlaceWithoutACommitBeginsAsTheOptionSays) {
  MemberLab m({}, false);
  m.client().ask(CallKind::assign, "t/0");
  m.run(30_ms);
  m.positions(no_offset).run(20_ms);
  EXPECT_EQ(m.lines(1, Kind::list_offsets), "#0 earliest\n");
}

TEST(KafkaCommits, GivenPositionNeedsNoGroup) {
  MemberLab m({}, false);
  m.client().ask(CallKind::assign, "t/0", 3);
  m.run(30_ms);
  EXPECT_EQ(m.count(Kind::offset_fetch), 0u);
  EXPECT_EQ(m.lines(1, Kind::fetch), "consumer #0 offset=3 epoch=0\n");
}

// It belongs to no generation; the coordinator takes it only while nobody is in the group.
TEST(KafkaCommits, WithoutMembershipItCommitsWithoutAGeneration) {
  MemberLab m({}, false);
  m.client().ask(CallKind::assign, "t/0", 3);
  m.run(30_ms);
  const CallId id = m.commit("t/0");
  m.run(30_ms);
  EXPECT_EQ(m.commit_text(), "generation -1 nobody: t/0=3");
  EXPECT_EQ(m.committed(Error::unknown_member_id).client().answer(id), "fail UNKNOWN_MEMBER_ID");
}

TEST(KafkaCommits, PositionsAreAskedForAgainWhileTheCoordinatorIsAway) {
  for (const Error e : {Error::not_coordinator, Error::coordinator_load_in_progress}) {
    MemberLab m({{"retry_backoff", "100ms"}}, false);
    m.client().ask(CallKind::assign, "t/0");
    m.run(30_ms);
    OffsetFetchReply r;
    r.error = e;
    m.answer_last(Kind::offset_fetch, std::move(r)).run(300_ms);
    EXPECT_EQ(m.count(Kind::offset_fetch), 2u);
    EXPECT_EQ(m.count(Kind::fetch), 0u);
  }
}

// KIP-447: a transaction may yet change the position; the consumer reads nothing before it knows.
TEST(KafkaCommits, PositionThatATransactionMayChangeIsAskedForAgain) {
  MemberLab m({{"retry_backoff", "100ms"}}, false);
  m.client().ask(CallKind::assign, "t/0");
  m.run(30_ms);
  EXPECT_TRUE(m.last<OffsetFetch>(Kind::offset_fetch).require_stable);
  for (std::size_t times = 2; times < 5; ++times) {
    OffsetFetchReply r;
    r.error = Error::unstable_offset_commit;
    m.answer_last(Kind::offset_fetch, std::move(r)).run(90_ms);
    EXPECT_EQ(m.count(Kind::offset_fetch), times - 1);
    m.run(10_ms);
    EXPECT_EQ(m.count(Kind::offset_fetch), times);
  }
  EXPECT_EQ(m.count(Kind::fetch), 0u);
  EXPECT_EQ(m.lookups(), 1u) << "the coordinator is where it was";
  m.positions(7).run(20_ms);
  EXPECT_EQ(m.lines(1, Kind::fetch), "consumer #0 offset=7 epoch=0\n");
}

TEST(KafkaCommits, WhoDoesNotRequireItTakesWhatIsCommitted) {
  MemberLab m({{"require_stable", "false"}}, false);
  m.client().ask(CallKind::assign, "t/0");
  m.run(30_ms);
  EXPECT_FALSE(m.last<OffsetFetch>(Kind::offset_fetch).require_stable);
}

TEST(KafkaCommits, WithoutAGroupThereIsNothingToCommitTo) {
  ClientLab lab({.partitions = 1, .produces = false});
  lab.client().ask(CallKind::assign, "t/0", 3);
  const CallId id = lab.client().ask(CallKind::commit, "t/0");
  lab.run(20_ms);
  EXPECT_EQ(lab.client().answer(id), "fail INVALID_REQUEST");
}

}  // namespace
}  // namespace mqlab::kafka::testing
