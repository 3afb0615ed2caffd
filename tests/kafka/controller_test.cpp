// The controller, rule by rule: who may register, who is fenced, who leads next, who stays in ISR and ELR. First the
// pure function of elections, then a quorum whose brokers may be the probe.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/kafka/partition_change.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka::testing {
namespace {

using Ids = std::vector<BrokerId>;

// --- change_partition (PartitionChangeBuilder.java) ---

PartitionState led_by(BrokerId leader, Ids isr, Ids elr = {}, BrokerId last_known = no_broker) {
  PartitionState s;
  s.replicas = {1, 2, 3};
  s.isr = std::move(isr);
  s.elr = std::move(elr);
  s.leader = leader;
  s.leader_epoch = 5;
  s.partition_epoch = 9;
  s.last_known_leader = last_known;
  return s;
}

PartitionChange change(Ids target_isr, Ids alive, Election election = Election::online, std::int32_t min_insync = 2, bool elr = true) {
  PartitionChange c;
  c.election = election;
  c.target_isr = std::move(target_isr);
  c.acceptable = [alive](BrokerId b) { return contains(alive, b); };
  c.min_insync = min_insync;
  c.elr = elr;
  return c;
}

std::string text(const PartitionState& s) {
  return fmt::format("B{}@{}/{} {}{}{}{}", s.leader, s.leader_epoch, s.partition_epoch, kafka::describe(s.isr),
                     s.elr.empty() ? "" : " ELR " + kafka::describe(s.elr), s.unclean ? " unclean" : "",
                     s.last_known_leader == no_broker ? "" : fmt::format(" last B{}", s.last_known_leader));
}
std::string changed(const PartitionState& before, const PartitionChange& c) { return text(change_partition(before, c)); }

TEST(KafkaElection, LeaderThatMayStayStays) {
  EXPECT_EQ(changed(led_by(2, {1, 2, 3}), change({1, 2, 3}, {1, 2, 3})), "B2@5/9 {1,2,3}") << "nothing changed";
  EXPECT_EQ(changed(led_by(2, {1, 2, 3}), change({2, 3}, {2, 3})), "B2@5/10 {2,3}") << "a smaller ISR is no new leader epoch";
}

TEST(KafkaElection, FirstOfTheAssignmentThatIsInTheIsrAndAliveLeadsNext) {
  EXPECT_EQ(changed(led_by(1, {1, 2, 3}), change({2, 3}, {2, 3})), "B2@6/10 {2,3}");
  EXPECT_EQ(changed(led_by(1, {1, 2, 3}), change({3, 2}, {2, 3})), "B2@6/10 {3,2}") << "the order of the assignment, not of the ISR";
  EXPECT_EQ(changed(led_by(1, {1, 3}), change({3}, {2, 3}, Election::online, 1)), "B3@6/10 {3}");
  EXPECT_EQ(changed(led_by(1, {1, 2, 3}), change({2, 3}, {3})), "B3@6/10 {2,3}");
}

TEST(KafkaElection, PreferredLeaderComesBackOnlyByItsOwnElection) {
  EXPECT_EQ(changed(led_by(2, {1, 2}), change({1, 2}, {1, 2})), "B2@5/9 {1,2}");
  EXPECT_EQ(changed(led_by(2, {1, 2}), change({1, 2}, {1, 2}, Election::preferred)), "B1@6/10 {1,2}");
  EXPECT_EQ(changed(led_by(2, {2, 3}), change({2, 3}, {1, 2, 3}, Election::preferred)), "B2@5/9 {2,3}") << "it is not in the ISR";
  EXPECT_EQ(changed(led_by(2, {1, 2}), change({1, 2}, {2}, Election::preferred)), "B2@5/9 {1,2}") << "it is not alive";
  PartitionChange wanted = change({1, 2, 3}, {1, 2, 3});
  wanted.wanted_leader = 3;
  EXPECT_EQ(changed(led_by(1, {1, 2, 3}), wanted), "B3@6/10 {1,2,3}");
}

TEST(KafkaElection, UncleanElectionTakesAnybodyAliveAtLastAndIsTold) {
  EXPECT_EQ(changed(led_by(1, {1}), change({1}, {2, 3}, Election::online, 1, false)), "B-1@6/10 {1}");
  EXPECT_EQ(changed(led_by(1, {1}), change({1}, {2, 3}, Election::unclean, 1, false)), "B2@6/10 {2} unclean");
  EXPECT_EQ(changed(led_by(1, {1, 3}), change({3}, {2, 3}, Election::unclean, 1, false)), "B3@6/10 {3}") << "a clean one is taken first";
}

// Without ELR the last member stays in the ISR although it is dead: it alone may lead again.
TEST(KafkaElection, IsrWithoutElrIsNeverEmpty) {
  EXPECT_EQ(changed(led_by(1, {1}), change({}, {2, 3}, Election::online, 1, false)), "B-1@6/10 {1}");
}

// KIP-966: who was in the ISR when it fell below min.insync has all that was committed, and may still lead.
TEST(KafkaElection, MembersLeaveTheIsrIntoTheElrWhileItIsBelowMinInsync) {
  EXPECT_EQ(changed(led_by(1, {1, 2, 3}), change({1, 2}, {1, 2})), "B1@5/10 {1,2}");
  EXPECT_EQ(changed(led_by(1, {1, 2}), change({1}, {1})), "B1@5/10 {1} ELR {2}");
  EXPECT_EQ(changed(led_by(1, {1}, {2}), change({}, {})), "B-1@6/10 {} ELR {1,2} last B1");
  EXPECT_EQ(changed(led_by(1, {1}, {2}), change({1, 3}, {1, 3})), "B1@5/10 {1,3}") << "enough again: nobody needs to be remembered";
  EXPECT_EQ(changed(led_by(no_broker, {}, {1, 2}, 1), change({}, {2})), "B2@6/10 {2} ELR {1}") << "elected out of the ELR, it is the ISR";
  EXPECT_EQ(changed(led_by(1, {1}, {2}), change({1}, {2})), "B-1@6/10 {1} ELR {2}") << "... but only when the ISR is empty";
  PartitionChange unclean = change({}, {2});
  unclean.unclean_shutdown = {2};
  EXPECT_EQ(changed(led_by(no_broker, {}, {1, 2}, 1), unclean), "B-1@5/10 {} ELR {1} last B1") << "who came back unclean is not trusted";
}

TEST(KafkaElection, LastKnownLeaderLeadsWhenIsrAndElrAreEmpty) {
  EXPECT_EQ(changed(led_by(no_broker, {}, {}, 3), change({}, {1, 2})), "B-1@5/9 {} last B3");
  EXPECT_EQ(changed(led_by(no_broker, {}, {}, 3), change({}, {1, 2, 3})), "B3@6/10 {3} unclean");
  EXPECT_EQ(changed(led_by(no_broker, {}, {2}, 3), change({}, {1, 3})), "B-1@5/9 {} ELR {2} last B3") << "somebody in the ELR has more";
}

// --- AlterPartition (ReplicationControlManager.validateAlterPartitionData, in its order) ---

struct Refusals : QuietFollowers {
  AlterPartition asked(Ids isr) {
    AlterPartition a;
    a.broker = 1;
    a.broker_epoch = epoch_of(1);
    a.leader_epoch = partition().leader_epoch;
    a.partition_epoch = partition().partition_epoch;
    for (BrokerId b : isr) a.isr.push_back({b, epoch_of(b)});
    return a;
  }
  // Only the error; "" when it is taken.
  std::string error(const AlterPartition& a) {
    const std::string answer = ask(controller_name(), a, 500_ms);
    const std::size_t at = answer.find("error=");
    return at == std::string::npos ? "" : answer.substr(at + 6);
  }
};

TEST(KafkaController, AlterPartitionIsRefusedForWhatIsOldOrWrong) {
  Refusals lab;
  const auto with = [&](auto edit) {
    AlterPartition a = lab.asked({1, 2});
    edit(a);
    return lab.error(a);
  };
  EXPECT_EQ(with([](AlterPartition& a) { --a.broker_epoch; }), "STALE_BROKER_EPOCH");
  EXPECT_EQ(with([](AlterPartition& a) { ++a.leader_epoch; }), "NOT_CONTROLLER");
  EXPECT_EQ(with([](AlterPartition& a) { ++a.partition_epoch; }), "NOT_CONTROLLER");
  EXPECT_EQ(with([](AlterPartition& a) { --a.leader_epoch; }), "FENCED_LEADER_EPOCH");
  EXPECT_EQ(with([&](AlterPartition& a) { a.broker = 2, a.broker_epoch = lab.epoch_of(2); }), "INVALID_REQUEST") << "it does not lead";
  EXPECT_EQ(with([](AlterPartition& a) { --a.partition_epoch; }), "INVALID_UPDATE_VERSION");
  EXPECT_EQ(with([](AlterPartition& a) { a.isr.erase(a.isr.begin()); }), "INVALID_REQUEST") << "without the leader";
  EXPECT_EQ(with([](AlterPartition& a) { --a.isr.back().epoch; }), "INELIGIBLE_REPLICA") << "KIP-903";
  EXPECT_EQ(lab.led(), "B1@0 {1,2,3}");
  const std::int32_t before = lab.partition().partition_epoch;
  EXPECT_EQ(with([](AlterPartition&) {}), "");
  EXPECT_EQ(lab.led(), "B1@0 {1,2}");
  EXPECT_EQ(lab.partition().partition_epoch, before + 1);
  EXPECT_EQ(with([](AlterPartition&) {}), "");
  EXPECT_EQ(lab.partition().partition_epoch, before + 2) << "or the leader would wait for ever";
}

// KIP-841: a fenced broker is not let into an ISR, whatever the leader believes.
TEST(KafkaController, FencedBrokerIsRefusedInAnIsr) {
  Refusals lab;
  lab.kill("B3");
  lab.run(12_s);
  ASSERT_EQ(lab.led(), "B1@0 {1,2}");
  EXPECT_EQ(lab.error(lab.asked({1, 2, 3})), "INELIGIBLE_REPLICA");
}

TEST(KafkaController, StandbyControllerRefusesEverything) {
  Refusals lab;
  const AlterPartition a = lab.asked({1, 2});
  const std::string standby = lab.controller_name() == "C1" ? "C2" : "C1";
  EXPECT_EQ(lab.ask(standby, a), "#0 epoch=0 partition_epoch=0 isr={} error=NOT_CONTROLLER");
}

// NodeToControllerRequestThread: what is not answered is given up, and asked again on another connection.
TEST(KafkaController, QuestionThatGotLostIsAskedAgain) {
  QuietFollowers lab({{"replica_lag_max", "1s"}, {"request_timeout", "3s"}});
  lab.lose_both();
  Fault drop;
  drop.kind = FaultKind::drop;
  drop.message = "AlterPartition";
  lab.world.inject(drop);
  lab.ask("B1", lab.fetch_as(2, 1));
  lab.run(2_s);
  ASSERT_EQ(lab.led(), "B1@0 {1}");
  EXPECT_TRUE(lab.run_until([&] { return lab.led() == "B1@0 {1,2}"; }, 6_s));
}

// KIP-903 as a whole: the leader asked for B3 while it had all; B3 lost power before the controller read that.
TEST(KafkaController, ReplicaThatRebootedMeanwhileStaysOut) {
  for (const char* rule : {"true", "false"}) {
    Lab lab({.cluster = {{"isr_broker_epoch", rule}, {"replica_lag_max", "1s"}, {"elr", "false"}}});
    lab.cut_replication("B3");
    lab.ask("B1", produce(1));
    ASSERT_TRUE(lab.run_until([&] { return lab.partition().isr == Ids{1, 2}; }));
    Fault hold;
    hold.kind = FaultKind::hold;
    hold.message = "AlterPartition";
    lab.world.inject(hold);
    lab.ask("B1", lab.fetch_as(3, 1));
    lab.fault(FaultKind::power, {{"B3"}});
    lab.run(12_s);
    lab.restart("B3");
    ASSERT_TRUE(lab.run_until([&] { return lab.broker(3).unfenced(); }));
    ASSERT_EQ(lab.log(3).end(), 0);
    EXPECT_EQ(lab.marks("joining_replica_restarted"), 1u) << "the leader hears of it, whatever the request says";
    lab.fault(FaultKind::release, {});
    lab.run(500_ms);
    EXPECT_EQ(lab.marks("isr_expanded"), std::string(rule) == "true" ? 0u : 1u);
  }
}

// --- brokers: registration, heartbeats, fencing (ClusterControlManager, BrokerHeartbeatManager) ---

TEST(KafkaController, BrokerWithoutHeartbeatIsFencedAfterTheSession) {
  Lab lab({.cluster = {{"session_timeout", "9s"}, {"heartbeat_interval", "2s"}}});
  lab.fault(FaultKind::isolate, {{"B1"}}, traffic_bit(Traffic::heartbeat));
  const Time cut = lab.world.now();
  lab.run(3_s);
  lab.fault(FaultKind::isolate, {{"B3"}}, traffic_bit(Traffic::heartbeat));
  ASSERT_TRUE(lab.run_until([&] { return lab.image().broker(1).fenced; }));
  EXPECT_GE(lab.world.now() - cut, 7_s) << "the last heartbeat was up to 2 s before";
  EXPECT_LE(lab.world.now() - cut, 9100_ms);
  EXPECT_EQ(lab.led(), "B2@1 {2,3}");
  lab.heal();
  ASSERT_TRUE(lab.run_until([&] { return !lab.image().broker(1).fenced; }));
  EXPECT_EQ(lab.marks("broker_fenced"), 1u) << "B3's session was not over";
}

struct ProbedBroker : Lab {  // B3 is dead; the probe is B3
  ProbedBroker() {
    kill("B3");
    before = epoch_of(3);
  }
  std::string enlist(std::uint64_t incarnation, BrokerEpoch previous = no_broker_epoch) {
    BrokerRegistrationRequest r;
    r.broker = 3;
    r.incarnation = incarnation;
    r.previous_epoch = previous;
    return ask(controller_name(), r, 500_ms);
  }
  std::string beat(BrokerEpoch epoch, Offset metadata_end) {
    BrokerHeartbeat h;
    h.broker = 3;
    h.epoch = epoch;
    h.metadata_end = metadata_end;
    return ask(controller_name(), h, 500_ms);
  }
  BrokerEpoch before = no_broker_epoch;
};

TEST(KafkaController, SecondProcessOfABrokerWaitsForTheFirstOnesSession) {
  ProbedBroker lab;
  EXPECT_EQ(lab.enlist(77), "epoch=-1 error=DUPLICATE_BROKER_REGISTRATION");
  lab.run(12_s);
  const std::string taken = lab.enlist(77);
  ASSERT_EQ(taken, fmt::format("epoch={}", lab.epoch_of(3)));
  EXPECT_GT(lab.epoch_of(3), lab.before);
  EXPECT_EQ(lab.enlist(77), taken) << "asked again by the same process";
  EXPECT_TRUE(lab.image().broker(3).fenced);
  // A session begins with the first heartbeat (seen with 4.3.1): until then nobody stands in the way of another one.
  const std::string other = lab.enlist(88);
  EXPECT_EQ(other, fmt::format("epoch={}", lab.epoch_of(3)));
  lab.beat(lab.epoch_of(3), 0);
  EXPECT_EQ(lab.enlist(99), "epoch=-1 error=DUPLICATE_BROKER_REGISTRATION") << "fenced or not, it is alive";
}

// QuorumController: what is decided is told only when the quorum has it. A controller that is cut off from the others
// still believes that it leads, and decides; nobody ever hears of it.
TEST(KafkaController, AnswersWhatTheQuorumHasCommittedAndNothingElse) {
  Lab lab({.cluster = {{"controllers", "3"}}});
  const auto ids = [&] {
    AllocateProducerIds a;
    a.broker = 1;
    a.epoch = lab.epoch_of(1);
    return lab.ask(lab.controller_name(), a, 500_ms);
  };
  EXPECT_NE(ids(), "");
  std::vector<Target> others;
  for (const char* name : {"C1", "C2", "C3"})
    if (name != lab.controller_name()) others.push_back(name);
  lab.fault(FaultKind::partition, {{lab.controller_name()}, others});
  EXPECT_EQ(ids(), "");
}

// It starts fenced, and is unfenced once it has replayed its own registration: then it knows the present.
TEST(KafkaController, BrokerIsUnfencedOnceItHasCaughtUp) {
  ProbedBroker lab;
  lab.run(12_s);
  lab.enlist(77);
  const BrokerEpoch epoch = lab.epoch_of(3);
  EXPECT_EQ(lab.beat(epoch - 1, epoch + 1), "fenced error=STALE_BROKER_EPOCH");
  EXPECT_EQ(lab.beat(epoch, epoch), "fenced");
  EXPECT_EQ(lab.beat(epoch, epoch + 1), "unfenced");
  EXPECT_FALSE(lab.image().broker(3).fenced);
}

TEST(KafkaController, NewControllerGivesEachBrokerAWholeSession) {
  Lab lab;
  lab.run(20_s);
  lab.kill(lab.controller_name());
  ASSERT_TRUE(lab.run_until([&] { return lab.controller_name() != ""; }, 20_s));
  lab.run(12_s);
  EXPECT_EQ(lab.marks("broker_fenced"), 0u);
  lab.kill("B1");
  ASSERT_TRUE(lab.run_until([&] { return lab.led() == "B2@1 {2,3}"; }, 12_s)) << "it fences as the first one did";
}

// The process dies, and while it is down its machine loses power: the metadata that was synced is there all the same, and so
// are the records of the brokers that were synced.
TEST(KafkaController, AMachineWithoutAProcessMayLosePower) {
  Lab lab;
  lab.run(20_s);
  const std::string name = lab.controller_name();
  const NodeId node = lab.world.find(name);
  const Offset end = lab.world.node_as<Controller>(node).quorum().end();
  ASSERT_GT(end, 0);
  lab.world.kill(node, false);
  lab.run(100_ms);
  lab.world.kill(node, true);
  lab.run(100_ms);
  lab.world.start(node);
  lab.run(1_ms);
  EXPECT_GE(lab.world.node_as<Controller>(node).quorum().end(), end);
}

// --- elections ---

TEST(KafkaController, PreferredLeaderIsRestoredByIntervalAndByCommand) {
  for (const char* interval : {"20s", "0"}) {
    Lab lab({.cluster = {{"leader_rebalance_interval", interval}}});
    for (const char* restored : {"B1@2 {1,2,3}", "B1@4 {1,2,3}"}) {
      lab.command("elect", "t/0 B3");
      lab.run(200_ms);
      ASSERT_EQ(lab.partition().leader, 3);
      lab.run(25_s);
      EXPECT_EQ(lab.led(), std::string(interval) == "0" ? "B3@1 {1,2,3}" : restored);
    }
    lab.command("elect", "t/0");
    lab.run(200_ms);
    EXPECT_EQ(lab.partition().leader, 1);
  }
}

TEST(KafkaController, CommandElectsOnlyMembersOfTheIsr) {
  Lab lab;
  lab.kill("B3");
  lab.run(12_s);
  ASSERT_EQ(lab.led(), "B1@0 {1,2}");
  lab.command("elect", "t/0 B3");
  lab.run(200_ms);
  EXPECT_EQ(lab.led(), "B1@0 {1,2}");
  EXPECT_EQ(lab.marks("command_refused"), 1u);
}

TEST(KafkaController, UncleanElectionOnlyWhereItIsAllowed) {
  for (const char* allowed : {"false", "true"}) {
    Lab lab({.cluster = {{"elr", "false"}, {"replica_lag_max", "1s"}, {"unclean_election", allowed}}});
    for (const char* b : {"B2", "B3"}) lab.cut_replication(b);
    lab.ask("B1", produce(1));
    ASSERT_TRUE(lab.run_until([&] { return lab.partition().isr == Ids{1}; }));
    lab.kill("B1");
    lab.run(12_s);
    EXPECT_EQ(lab.led(), std::string(allowed) == "true" ? "B2@1 {2}" : "none@1 {1}");
    if (std::string(allowed) == "true") continue;
    lab.command("elect_unclean", "t/0");
    lab.run(200_ms);
    EXPECT_EQ(lab.led(), "B2@2 {2}") << "an operator may";
    EXPECT_EQ(lab.marks("unclean_election"), 1u);
  }
}

// KIP-966: B2 left the ISR into the ELR by a clean stop or a kill; what its registration says decides whether it stays.
TEST(KafkaController, UncleanShutdownLeavesTheElrAndACleanOneDoesNot) {
  for (const FaultKind end : {FaultKind::kill, FaultKind::stop}) {
    Lab lab({.cluster = {{"min_insync", "2"}}});
    lab.kill("B3");
    lab.run(12_s);
    lab.fault(end, {{"B2"}});
    lab.run(12_s);
    ASSERT_EQ(lab.led(), "B1@0 {1} ELR {2}");
    lab.kill("B1");
    lab.run(12_s);
    ASSERT_EQ(lab.led(), "none@1 {} ELR {1,2}");
    lab.restart("B2");
    ASSERT_TRUE(lab.run_until([&] { return lab.broker(2).unfenced(); }));
    EXPECT_EQ(lab.led(), end == FaultKind::stop ? "B2@2 {2} ELR {1}" : "none@1 {} ELR {1}");
  }
}

TEST(KafkaController, PartitionsAreAddedUpToTheDeclaredMost) {
  Lab lab({.topic = {{"partitions", "1"}, {"partitions_max", "3"}}});
  lab.command("add_partitions", "t 4");
  lab.command("add_partitions", "t 2");
  lab.run(200_ms);
  EXPECT_EQ(lab.led(1), "B2@0 {2,3,1}");
  EXPECT_TRUE(lab.partition(2).replicas.empty());
  EXPECT_EQ(lab.marks("command_refused"), 1u);
}

}  // namespace
}  // namespace mqlab::kafka::testing
