// Groups in a cluster: members that come, die, are stuck or are taken for dead; coordinators that move, with what they
// had written and with what they had not.
#include <gtest/gtest.h>

#include "tests/kafka/group_story.h"

namespace mqlab::kafka::testing {
namespace {

using Story = GroupLab::Story;

// --- members ---

TEST(KafkaGroup, MembersShareTheTopic) {
  GroupLab g(Story{.members = 2, .partitions = 4});
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.owns("K1") + " | " + g.owns("K2"), "t/0 t/1 | t/2 t/3");
  EXPECT_EQ(g.group()->generation, 1);
}

TEST(KafkaGroup, WhoDiesIsReplacedAfterItsSessionFromWhereTheGroupStands) {
  GroupLab g(Story{.members = 2, .partitions = 2});
  ASSERT_TRUE(g.settle());
  g.write(1, 5);
  EXPECT_EQ(g.seen("K2"), "t/1@0 t/1@1 t/1@2 t/1@3 t/1@4");
  EXPECT_EQ(g.committed_as("K2", "t/1", 3), "ok@3");
  g.kill("K2");
  const Time died = g.world.now();
  ASSERT_TRUE(g.run_until([&] { return g.owns("K1") == "t/0 t/1"; }));
  EXPECT_NEAR(static_cast<double>(g.world.now() - died) / 1e9, 10.0, 2.2) << "its session, from its last heartbeat, and the next one of K1";
  g.run(500_ms);
  EXPECT_EQ(g.seen("K1"), "t/1@3 t/1@4");
}

// The heartbeat thread says that the process lives; max.poll.interval that its application does.
TEST(KafkaGroup, StuckMemberLeavesThoughItsHeartbeatsGoOn) {
  GroupLab g(Story{.members = 2, .partitions = 2, .member = {{"max_poll_interval", "20s"}}});
  ASSERT_TRUE(g.settle());
  g.news("K2");
  g.stick("K2");
  g.run(19_s);
  EXPECT_EQ(g.owns("K1"), "t/0");
  EXPECT_EQ(g.group()->members.size(), 2u);
  ASSERT_TRUE(g.run_until([&] { return g.owns("K1") == "t/0 t/1"; }, 4_s));
  EXPECT_EQ(g.owns("K2"), "t/1") << "nobody has told its application yet";
  EXPECT_EQ(g.committed_as("K2", "t/1", 1), "fail COMMIT_FAILED");
  g.unstick("K2");
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.news("K2"), "lost t/1 +t/1");
}

// A member that was stopped for longer than its session goes on as if nothing had been, until it hears otherwise.
TEST(KafkaGroup, PausedMemberIsPutOutAndFindsOutLater) {
  GroupLab g(Story{.members = 2, .partitions = 2});
  ASSERT_TRUE(g.settle());
  g.news("K2");
  g.fault(FaultKind::pause, {{"K2"}});
  ASSERT_TRUE(g.run_until([&] { return g.owns("K1") == "t/0 t/1"; }));
  g.fault(FaultKind::resume, {{"K2"}});
  EXPECT_EQ(g.committed_as("K2", "t/1", 7).substr(0, 4), "fail");
  EXPECT_EQ(g.committed(1), -1);
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.news("K2").substr(0, 8), "lost t/1");
}

TEST(KafkaGroup, WhoLeavesIsReplacedAtOnce) {
  GroupLab g(Story{.members = 2, .partitions = 2, .member = {{"auto_commit", "java"}, {"auto_commit_interval", "1h"}}});
  ASSERT_TRUE(g.settle());
  g.write(1, 3);
  g.reader("K2").polls = false;
  g.run(200_ms);
  g.client("K2").ask(CallKind::close, "");
  ASSERT_TRUE(g.run_until([&] { return g.owns("K1") == "t/0 t/1"; }, 1500_ms));
  EXPECT_EQ(g.committed(1), 3);
  EXPECT_EQ(g.owns("K2"), "");
}

// --- eager and cooperative ---

// K2 comes: with `range` every place changes hands twice, with `cooperative-sticky` only what moves.
TEST(KafkaGroup, EagerStopsAllAndCooperativeOnlyWhatMoves) {
  for (const auto& [assignor, hands] : std::vector<std::pair<std::string, std::string>>{
           {"range", "K1-t/0 K1-t/1 K1-t/2 K1-t/3 K2+t/2 K2+t/3 K1+t/0 K1+t/1"}, {"cooperative-sticky", "K1-t/2 K1-t/3 K2+t/2 K2+t/3"}}) {
    GroupLab g(Story{.members = 2, .partitions = 4, .member = {{"assignors", assignor}}});
    g.kill("K2");
    g.run(100_ms);
    ASSERT_TRUE(g.run_until([&] { return g.owns("K1").size() == 15 && g.settle(); }));
    g.run(15_s);  // K2 is forgotten for sure
    const std::int32_t before = g.group()->generation;
    g.hands();
    g.restart("K2");
    ASSERT_TRUE(g.run_until([&] { return !g.owns("K2").empty() && g.settle(); }));
    g.run(100_ms);
    const std::string seen = g.hands();
    EXPECT_EQ(seen.size(), hands.size()) << seen;
    if (assignor == "cooperative-sticky") {
      EXPECT_EQ(seen, hands);
    }
    EXPECT_EQ(g.group()->generation - before, assignor == "range" ? 1 : 2) << "cooperative needs a second round";
  }
}

// --- static members ---

TEST(KafkaGroup, StaticMemberThatComesBackInTimeStopsNobody) {
  GroupLab g(Story{.members = 2, .partitions = 2, .each = {{{"instance", "one"}}, {{"instance", "two"}}}});
  ASSERT_TRUE(g.settle());
  g.write(0, 5);
  EXPECT_EQ(g.committed_as("K1", "t/0", 3), "ok@3");
  g.news("K2");
  g.seen("K1");
  g.kill("K1");
  g.run(5_s);
  g.restart("K1");
  g.run(2_s);
  EXPECT_EQ(g.owns("K1") + " | " + g.owns("K2"), "t/0 | t/1");
  EXPECT_EQ(g.seen("K1"), "t/0@3 t/0@4");
  EXPECT_EQ(g.group()->generation, 1);
  EXPECT_EQ(g.news("K2"), "");
}

// The price: nobody reads its places until its session is over.
TEST(KafkaGroup, StaticMemberThatStaysAwayLeavesItsPlacesIdle) {
  GroupLab g(Story{.members = 2, .partitions = 2, .each = {{{"instance", "one"}}, {{"instance", "two"}}}});
  ASSERT_TRUE(g.settle());
  g.stick("K1");
  g.run(200_ms);
  g.client("K1").ask(CallKind::close, "");
  g.run(8_s);
  EXPECT_EQ(g.owns("K1") + " | " + g.owns("K2"), " | t/1");
  ASSERT_TRUE(g.run_until([&] { return g.owns("K2") == "t/0 t/1"; }, 4_s));
}

// Seen with 4.3.1, where each of two clients was told in turn.
TEST(KafkaGroup, TwoProcessesOfOneInstanceThrowEachOtherOut) {
  GroupLab g(Story{.members = 2, .partitions = 2, .member = {{"instance", "one"}}});
  g.run(10_s);
  EXPECT_EQ(g.group()->members.size(), 1u);
  EXPECT_NE(g.news("K1").find("FENCED_INSTANCE_ID"), std::string::npos);
  EXPECT_NE(g.news("K2").find("FENCED_INSTANCE_ID"), std::string::npos);
}

// --- the coordinator moves ---

TEST(KafkaGroup, PositionsAndMembersSurviveTheirCoordinator) {
  GroupLab g(Story{.members = 2, .partitions = 2});
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.committed_as("K1", "t/0", 3), "ok@3");
  g.news("K1");
  g.news("K2");
  const BrokerId old = g.coordinator();
  g.kill(fmt::format("B{}", old));
  ASSERT_TRUE(g.run_until([&] { return g.coordinator() != old && g.coordinator() != no_broker && g.group(); }));
  EXPECT_EQ(g.committed(0), 3);
  g.run(5_s);
  EXPECT_EQ(g.group()->generation, 1);
  EXPECT_EQ(g.news("K1") + g.news("K2"), "") << "nobody has noticed";
  EXPECT_EQ(g.committed_as("K1", "t/0", 5), "ok@5");
}

// A commit that only the old coordinator had is gone with it. Its client was never told otherwise: the answer waits for
// all in-sync replicas.
TEST(KafkaGroup, CommitThatWasNotReplicatedIsNotThereAfterTheMove) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"offsets_min_insync", "1"}}});
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.committed_as("K1", "t/0", 3), "ok@3");
  g.cut_replication(g.other(1));
  g.cut_replication(g.other(2));
  const CallId id = g.commit("K1", "t/0", 5, true);
  g.run(1_s);
  EXPECT_EQ(g.answer_of("K1", id), "");
  EXPECT_EQ(g.committed(0), 3) << "it is not visible before that";
  const BrokerId old = g.coordinator();
  g.kill(fmt::format("B{}", old));
  ASSERT_TRUE(g.run_until([&] { return g.coordinator() != old && g.coordinator() != no_broker && g.group(); }));
  g.run(1_s);
  EXPECT_EQ(g.answer_of("K1", id).substr(0, 4), "info");
  EXPECT_EQ(g.committed(0), 3);
}

// One that gets as far as the log of the old coordinator, and is told of before the others have it, would come back from
// the dead; the new coordinator tells only what it knows to be committed.
TEST(KafkaGroup, NewCoordinatorTellsPositionsWhenTheyAreCommitted) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"replica_lag_max", "60s"}}});
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.committed_as("K1", "t/0", 3), "ok@3");
  const BrokerId old = g.coordinator();
  const std::string last = g.other(2);
  g.cut_replication(last);
  const CallId id = g.commit("K1", "t/0", 5, true);
  g.run(600_ms);  // it is on two of three replicas that are in sync
  EXPECT_EQ(g.answer_of("K1", id), "");
  g.kill(fmt::format("B{}", old));
  ASSERT_TRUE(g.run_until([&] { return g.coordinator() != old && g.coordinator() != no_broker && g.group(); }));
  const std::string now = g.coordinator_name();
  ASSERT_NE(now, last) << "the first of the replicas leads";
  const ConnId question = g.post(now, g.where_is());
  g.run(2_s);
  EXPECT_EQ(g.answer(question), "") << "the replica that is cut off is still in the ISR";
  g.heal();
  g.run(2_s);
  EXPECT_EQ(g.answer(question), "#0=5");
}

// offsets.commit.timeout.ms: the answer is an error, the record stays, and counts when it is replicated.
TEST(KafkaGroup, CommitThatTakesTooLongIsRefusedAndMayCountLater) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"offsets_commit_timeout", "5s"}, {"replica_lag_max", "60s"}}, .member = {{"session_timeout", "60s"}, {"group_heartbeat", "20s"}}});
  ASSERT_TRUE(g.settle());
  g.cut_replication(g.other(1));
  const CallId id = g.commit("K1", "t/0", 5, true);
  g.run(100_ms);
  const ConnId question = g.post(g.coordinator_name(), g.where_is());
  g.run(4800_ms);
  EXPECT_EQ(g.answer_of("K1", id) + g.answer(question), "");
  g.run(300_ms);
  EXPECT_EQ(g.answer_of("K1", id), "info COORDINATOR_NOT_AVAILABLE");
  EXPECT_EQ(g.answer(question), "error=COORDINATOR_NOT_AVAILABLE") << "who asks would be told of it";
  EXPECT_EQ(g.committed(0), -1);
  g.heal();
  g.run(3_s);
  EXPECT_EQ(g.committed(0), 5);
}

// A member that joins or waits for its assignment is told of nothing that must be committed first; all others are not
// answered before what they might be told of is.
TEST(KafkaGroup, JoiningDoesNotWaitForACommitThatIsUnderWay) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"replica_lag_max", "60s"}}});
  ASSERT_TRUE(g.settle());
  g.cut_replication(g.other(1));
  g.commit("K1", "t/0", 5, true);
  g.run(100_ms);
  JoinGroup join;
  join.group = "g";
  join.protocols = {"range"};
  join.session_timeout = 10_s;
  EXPECT_EQ(g.ask(g.coordinator_name(), std::move(join)).substr(0, 24), "error=MEMBER_ID_REQUIRED");
  const ConnId waits = g.post(g.coordinator_name(), g.where_is());
  g.run(1_s);
  EXPECT_EQ(g.answer(waits), "");
  g.heal();
  g.run(2_s);
  EXPECT_EQ(g.answer(waits), "#0=5");
}

// The lead moves while a commit waits for a replica: nobody can say what will become of it. Here it has counted.
TEST(KafkaGroup, CommitThatWaitsWhenTheCoordinatorMovesIsOfUnknownOutcome) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"replica_lag_max", "60s"}}});
  ASSERT_TRUE(g.settle());
  g.cut_replication(g.other(2));
  const CallId id = g.commit("K1", "t/0", 5, true);
  g.run(600_ms);
  EXPECT_EQ(g.answer_of("K1", id), "");
  const BrokerId old = g.coordinator();
  g.command("elect", fmt::format("{}/0 {}", offsets_topic, g.other(1)));
  ASSERT_TRUE(g.run_until([&] { return g.coordinator() != old && g.group(); }));
  g.run(100_ms);
  EXPECT_EQ(g.answer_of("K1", id), "info NOT_COORDINATOR");
  g.heal();
  g.run(2_s);
  EXPECT_EQ(g.answer_of("K1", id), "info NOT_COORDINATOR");
  EXPECT_EQ(g.ask(g.coordinator_name(), g.where_is()), "#0=5");
}

// The end of a group is a record; until it can be written the last member stays.
TEST(KafkaGroup, SessionThatCannotEndForLackOfReplicasEndsLater) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"offsets_min_insync", "2"}}});
  ASSERT_TRUE(g.settle());
  const std::vector<std::string> gone{g.other(1), g.other(2)};
  for (const std::string& b : gone) g.kill(b);
  ASSERT_TRUE(g.run_until([&] { return g.replica(g.coordinator(), g.log_of_group()).isr.size() == 1; }));
  g.kill("K1");
  g.run(20_s);
  EXPECT_EQ(g.group()->members.size(), 1u);
  for (const std::string& b : gone) g.restart(b);
  EXPECT_TRUE(g.run_until([&] { return g.group()->state == ClassicState::empty; }, 30_s));
}

// What cannot be written is not done; what needs no record goes on: the member stays in its group.
TEST(KafkaGroup, WithTooFewReplicasCommitsAreRefusedAndHeartbeatsAreNot) {
  GroupLab g(Story{.members = 2, .partitions = 2, .cluster = {{"offsets_min_insync", "2"}}});
  ASSERT_TRUE(g.settle());
  const std::vector<std::string> gone{g.other(1), g.other(2)};
  for (const std::string& b : gone) g.kill(b);
  ASSERT_TRUE(g.run_until([&] { return g.replica(g.coordinator(), g.log_of_group()).isr.size() == 1; }));
  g.run(1_s);
  const CallId id = g.commit("K1", "t/0", 5, true);
  g.run(50_ms);
  EXPECT_EQ(g.answer_of("K1", id), "info COORDINATOR_NOT_AVAILABLE");
  EXPECT_EQ(g.ask(g.coordinator_name(), g.where_is()), "#0=-1");
  g.run(30_s);
  EXPECT_EQ(g.group()->members.size(), 2u);
  EXPECT_EQ(g.group()->state, ClassicState::stable);
  g.kill("K2");
  g.run(15_s);
  EXPECT_EQ(g.group()->members.size(), 1u) << "a session ends without a record";
  EXPECT_NE(g.group()->state, ClassicState::stable) << "an assignment needs one";
  for (const std::string& b : gone) g.restart(b);
  ASSERT_TRUE(g.run_until([&] { return g.owns("K1") == "t/0 t/1"; }));
  EXPECT_EQ(g.committed(0), -1);
  EXPECT_EQ(g.committed_as("K1", "t/0", 6), "ok@6");
}

TEST(KafkaGroup, CoordinatorThatStillReadsItsLogIsWaitedFor) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"group_load_time", "4s"}}, .member = {{"session_timeout", "30s"}}});
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.committed_as("K1", "t/0", 3), "ok@3");
  const BrokerId old = g.coordinator();
  g.command("elect", fmt::format("{}/0 {}", offsets_topic, g.other(1)));
  ASSERT_TRUE(g.run_until([&] { return g.coordinator() != old; }));
  g.run(2_s);  // a heartbeat has found it
  const CallId once = g.commit("K1", "t/0", 4, true);
  g.run(100_ms);
  EXPECT_EQ(g.answer_of("K1", once), "fail COORDINATOR_LOAD_IN_PROGRESS");
  const CallId id = g.commit("K1", "t/0", 5);
  g.run(1_s);
  EXPECT_EQ(g.answer_of("K1", id), "");
  g.run(3_s);
  EXPECT_EQ(g.answer_of("K1", id), "ok@5");
  EXPECT_EQ(g.group()->generation, 1);
}

// A coordinator that does not know yet that it was replaced confirms nothing.
TEST(KafkaGroup, DeposedCoordinatorConfirmsNothing) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"session_timeout", "3s"}, {"heartbeat_interval", "500ms"}}, .member = {{"session_timeout", "60s"}}});
  ASSERT_TRUE(g.settle());
  EXPECT_EQ(g.committed_as("K1", "t/0", 3), "ok@3");
  const BrokerId old = g.coordinator();
  const std::string name = fmt::format("B{}", old);
  g.cut_control(name);
  g.cut_replication(name);
  g.fault(FaultKind::isolate, {{name}}, traffic_bit(Traffic::heartbeat));
  ASSERT_TRUE(g.run_until([&] { return g.coordinator() != old && g.coordinator() != no_broker && g.group(); }));
  const CallId id = g.commit("K1", "t/0", 5, true);
  g.run(8_s);
  EXPECT_EQ(g.answer_of("K1", id), "info COORDINATOR_NOT_AVAILABLE");
  EXPECT_EQ(g.committed(0), 3);
  g.heal();
  EXPECT_EQ(g.committed_as("K1", "t/0", 6), "ok@6");
}

// Membership is written with the assignment: a move in between takes the group back to the generation before.
TEST(KafkaGroup, MoveInTheMiddleOfARebalanceBeginsItAnew) {
  GroupLab g(Story{.members = 2, .partitions = 2, .member = {{"max_poll_interval", "60s"}}});
  ASSERT_TRUE(g.settle());
  g.stick("K2");
  g.run(200_ms);
  g.kill("K1");
  g.run(100_ms);
  g.restart("K1");
  ASSERT_TRUE(g.run_until([&] { return g.group() && g.group()->state == ClassicState::preparing_rebalance; }));
  const BrokerId old = g.coordinator();
  g.command("elect", fmt::format("{}/0 {}", offsets_topic, g.other(1)));
  ASSERT_TRUE(g.run_until([&] { return g.coordinator() != old && g.group(); }));
  g.unstick("K2");
  ASSERT_TRUE(g.run_until([&] { return !g.owns("K1").empty() && !g.owns("K2").empty() && g.settle(); }));
  EXPECT_EQ(g.owns("K1").size() + g.owns("K2").size(), 6u);
}

// --- commits of one group, in the order they come ---

// The library does not repeat an asynchronous commit. An application that does takes the position back: the last one
// counts, not the highest.
TEST(KafkaGroup, OlderCommitThatIsRepeatedTakesThePositionBack) {
  GroupLab g(Story{.members = 1, .partitions = 1});
  ASSERT_TRUE(g.settle());
  const CallId first = g.commit("K1", "t/0", 10, true);
  const CallId second = g.commit("K1", "t/0", 20, true);
  g.run(100_ms);
  EXPECT_EQ(g.answer_of("K1", first) + " " + g.answer_of("K1", second), "ok@10 ok@20");
  EXPECT_EQ(g.committed(0), 20);
  g.commit("K1", "t/0", 10, true);
  g.run(100_ms);
  EXPECT_EQ(g.committed(0), 10);
}

// A client that assigns itself places commits without a generation: taken by an empty group, not by one with members.
TEST(KafkaGroup, OutsiderMayCommitOnlyWhileNobodyIsIn) {
  GroupLab g(Story{.members = 1, .partitions = 1});
  ASSERT_TRUE(g.settle());
  const auto outsider = [&](Offset at) {
    OffsetCommit m;
    m.group = "g";
    m.offsets = {{0, at, no_leader_epoch, {}}};
    return g.ask(g.coordinator_name(), std::move(m));
  };
  EXPECT_EQ(outsider(5), "error=UNKNOWN_MEMBER_ID");
  g.stick("K1");
  g.run(200_ms);
  g.client("K1").ask(CallKind::unsubscribe, "");
  g.run(100_ms);
  EXPECT_EQ(outsider(5), "");
  g.run(100_ms);
  EXPECT_EQ(g.committed(0), 5);
}

// Positions that nobody uses any more go, and a consumer that comes back begins as its policy says.
TEST(KafkaGroup, PositionOfAGroupThatStayedAwayExpires) {
  GroupLab g(Story{.members = 1, .partitions = 1, .cluster = {{"offsets_retention", "60s"}, {"offsets_retention_check", "5s"}}});
  ASSERT_TRUE(g.settle());
  g.write(0, 4);
  EXPECT_EQ(g.committed_as("K1", "t/0", 3), "ok@3");
  g.run(100_s);
  EXPECT_EQ(g.committed(0), 3) << "it is in use";
  g.seen("K1");
  g.kill("K1");
  g.run(60_s);
  EXPECT_EQ(g.committed(0), 3);
  g.run(20_s);
  EXPECT_EQ(g.committed(0), -1);
  EXPECT_EQ(g.marks("offset_expired"), 1u);
  g.restart("K1");
  ASSERT_TRUE(g.settle());
  g.run(1_s);
  EXPECT_EQ(g.seen("K1"), "t/0@0 t/0@1 t/0@2 t/0@3");
}

}  // namespace
}  // namespace mqlab::kafka::testing
