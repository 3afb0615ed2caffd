// The leader of a partition that a share group reads, and the share coordinator behind it, in a real cluster. The probe
// speaks in the name of members. Sources: SharePartitionManager, KafkaApis, PersisterStateManager (4.3); KIP-932.
#include <gtest/gtest.h>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka {

inline Kind kind_of(const ShareFetch&) { return Kind::share_fetch; }
inline Kind kind_of(const ShareAcknowledge&) { return Kind::share_acknowledge; }

namespace {

using namespace mqlab::kafka::testing;

ShareFetch fetch(const std::string& member, std::int64_t most = 500, Duration wait = 500_ms) {
  ShareFetch m;
  m.group = "g";
  m.member = member;
  m.max_records = most;
  m.max_wait = wait;
  m.partitions = {0};
  return m;
}
ShareAcknowledge say(const std::string& member, Offset first, Offset last, AckType type = AckType::accept, bool closes = false) {
  ShareAcknowledge m;
  m.group = "g";
  m.member = member;
  m.acks = {{0, {{first, last, type}}}};
  m.closes = closes;
  return m;
}

// B1 leads t/0, B2 the one partition of __consumer_offsets, B3 that of __share_group_state.
struct Share : Lab {
  explicit Share(std::initializer_list<Settings::value_type> cluster = {}) : Lab(setup(Settings(cluster))) {}
  static Setup setup(Settings cluster) {
    cluster.insert(cluster.begin(), {{"min_insync", "2"}, {"offsets_partitions", "1"}, {"share_auto_offset_reset", "earliest"}});
    return {.cluster = cluster, .consumer = {{"group", "g"}, {"group_protocol", "share"}}};
  }
  void produce(int records) {
    for (int i = 0; i < records; ++i) ask("B1", testing::produce(1));
    run(1_s);
  }
  // The answer to a fetch or an acknowledgement, on this member's own connection.
  template <class Request>
  std::string on(ConnId& connection, const std::string& to, Request r, Duration patience = 1_s) {
    std::size_t before = 0;
    if (connection != no_connection)
      while (!answer(connection, before).empty()) ++before;
    connection = post(to, std::move(r), connection);
    run_until([&] { return !answer(connection, before).empty(); }, patience);
    return answer(connection, before);
  }
  const SharePartition& window(BrokerId b = 1) { return *broker(b).share_window("g", 0); }
  const ShareState* written() {
    for (BrokerId b = 1; b <= 3; ++b)
      for (const ShareSeat& s : broker(b).share_desk().seats)
        if (!s.loading) return s.states.find("g", 0);
    return nullptr;
  }
};

TEST(KafkaShareLeader, TwoMembersGetDifferentRecords) {
  Share lab;
  lab.produce(4);
  ConnId k1 = no_connection, k2 = no_connection;
  EXPECT_EQ(lab.on(k1, "B1", fetch("k1", 2)), "#0 0..1");
  EXPECT_EQ(lab.on(k2, "B1", fetch("k2", 500)), "#0 2..3");
}

TEST(KafkaShareLeader, AFetchWaitsForRecords) {
  Share lab;
  ConnId k1 = no_connection;
  EXPECT_EQ(lab.on(k1, "B1", fetch("k1", 500, 200_ms), 150_ms), "");
  const ConnId waits = lab.post("B1", fetch("k1", 500, 30_s));
  lab.run(1_s);
  EXPECT_EQ(lab.answer(waits), "");
  lab.produce(1);
  EXPECT_EQ(lab.answer(waits), "#0 0");
}

TEST(KafkaShareLeader, AnAcknowledgementIsAnsweredWhenItIsWritten) {
  Share lab;
  lab.produce(3);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1"));
  EXPECT_EQ(lab.on(k1, "B1", say("k1", 0, 1)), " acks of #0 taken");
  EXPECT_EQ(lab.window().start(), 2);
  EXPECT_EQ(lab.written()->batches, (std::vector<StateBatch>{{0, 1, RecordState::acknowledged, 1}}));
}

// Two replicas of the state are away: nothing can be written for certain, so nothing is confirmed.
TEST(KafkaShareLeader, WhatCannotBeWrittenIsNotConfirmed) {
  Share lab({{"group_load_time", "1ms"}});
  lab.produce(1);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1"));
  lab.fault(FaultKind::pause, {{"B3"}});
  const ConnId asked = lab.post("B1", say("k1", 0, 0), k1);
  lab.run(1_s);
  EXPECT_EQ(lab.answer(asked, 1), "");
  EXPECT_EQ(lab.window().start(), 0);
  // Another broker becomes share coordinator, and is asked.
  lab.run(60_s);
  EXPECT_EQ(lab.answer(asked, 1), " acks of #0 taken");
}

TEST(KafkaShareLeader, ALockThatEndsGivesTheRecordToTheMemberThatWaits) {
  Share lab;
  lab.produce(1);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1"));
  const ConnId waits = lab.post("B1", fetch("k2", 500, 60_s));
  lab.run(28_s);
  EXPECT_EQ(lab.answer(waits), "");
  lab.run(3_s);
  EXPECT_EQ(lab.answer(waits), "#0 0 (delivery 2)");
  EXPECT_EQ(lab.marks("record_lock_expired"), 1U);
  EXPECT_EQ(lab.on(k1, "B1", say("k1", 0, 0)), " acks of #0 error=INVALID_RECORD_STATE");
}

TEST(KafkaShareLeader, WhatAMemberHoldsIsFreeWhenItsConnectionBreaks) {
  Share lab;
  lab.produce(1);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1"));
  const ConnId waits = lab.post("B1", fetch("k2", 500, 10_s));
  lab.run(10_ms);
  Context(lab.world, lab.world.find("X")).close(k1);
  lab.run(100_ms);
  EXPECT_EQ(lab.answer(waits), "#0 0 (delivery 2)");
}

TEST(KafkaShareLeader, AndWhenItClosesItsSession) {
  Share lab;
  lab.produce(3);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1"));
  EXPECT_EQ(lab.on(k1, "B1", say("k1", 0, 0, AckType::accept, true)), " acks of #0 taken");
  EXPECT_EQ(lab.window().count(RecordState::available), 2);
}

TEST(KafkaShareLeader, TheFifthFailureIsTheLast) {
  Share lab;
  lab.produce(1);
  ConnId k1 = no_connection;
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(lab.on(k1, "B1", fetch("k1")), i == 1 ? "#0 0" : fmt::format("#0 0 (delivery {})", i));
    EXPECT_EQ(lab.on(k1, "B1", say("k1", 0, 0, AckType::release)), " acks of #0 taken");
  }
  EXPECT_EQ(lab.marks("record_archived"), 1U);
  EXPECT_EQ(lab.window().start(), 1);
  EXPECT_EQ(lab.on(k1, "B1", fetch("k1", 500, 100_ms)), "");
}

TEST(KafkaShareLeader, AFullWindowGivesOutNothingNew) {
  Share lab({{"share_record_locks", "3"}});
  lab.produce(5);
  ConnId slow = no_connection, k2 = no_connection;
  lab.on(slow, "B1", fetch("slow", 1));
  EXPECT_EQ(lab.on(k2, "B1", fetch("k2")), "#0 1..2");
  EXPECT_EQ(lab.on(k2, "B1", say("k2", 1, 2)), " acks of #0 taken");
  const ConnId nothing = lab.post("B1", fetch("k3", 500, 100_ms));
  lab.run(200_ms);
  EXPECT_EQ(lab.answer(nothing), "");
  EXPECT_EQ(lab.marks("share_partition_full"), 1U);
  lab.on(slow, "B1", say("slow", 0, 0));
  EXPECT_EQ(lab.on(k2, "B1", fetch("k2")), "#0 3..4");
}

// The next leader reads what was written. Who held a record is forgotten, and that delivery does not count.
TEST(KafkaShareLeader, ANewLeaderGoesOnFromWhatWasWritten) {
  Share lab;
  lab.produce(4);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1"));
  lab.on(k1, "B1", say("k1", 0, 1));
  lab.on(k1, "B1", say("k1", 2, 2, AckType::release));
  lab.command("elect", "t/0 B2");
  lab.run(1_s);
  EXPECT_EQ(lab.on(k1, "B1", say("k1", 3, 3)), " acks of #0 error=NOT_LEADER_OR_FOLLOWER");
  ConnId k2 = no_connection;
  EXPECT_EQ(lab.on(k2, "B2", say("k1", 3, 3)), " acks of #0 error=UNKNOWN_TOPIC_OR_PARTITION");  // nothing is known of k1 here
  EXPECT_EQ(lab.on(k2, "B2", fetch("k2")), "#0 2 (delivery 2) 3");
  EXPECT_EQ(lab.marks("share_partition_loaded"), 2U);
}

// Two leaders at once: the old one does not know yet, hands out, and is told by the share coordinator that it is none.
TEST(KafkaShareLeader, ADeposedLeaderCannotWrite) {
  Share lab;
  lab.produce(2);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1"));
  lab.cut_control("B1");
  lab.fault(FaultKind::isolate, {{"B1"}}, traffic_bit(Traffic::heartbeat));
  lab.run_until([&] { return lab.partition().leader == 2; });
  lab.run(1_s);
  ASSERT_EQ(lab.replica(1).role, Role::leader);  // so it believes
  ConnId k2 = no_connection;
  EXPECT_EQ(lab.on(k2, "B2", fetch("k2")), "#0 0..1");
  EXPECT_EQ(lab.on(k1, "B1", say("k1", 0, 0)), " acks of #0 error=NOT_LEADER_OR_FOLLOWER");
  EXPECT_EQ(lab.on(k2, "B2", say("k2", 0, 1)), " acks of #0 taken");
}

TEST(KafkaShareLeader, AGroupBeginsAtTheEndUnlessTold) {
  Share lab({{"share_auto_offset_reset", "latest"}});
  lab.produce(2);
  const ConnId waits = lab.post("B1", fetch("k1", 500, 10_s));
  lab.run(1_s);
  lab.produce(1);
  EXPECT_EQ(lab.answer(waits), "#0 2");
}

TEST(KafkaShareLeader, WhatLeftTheLogIsNotHandedOut) {
  Share lab;
  lab.produce(5);
  ConnId k1 = no_connection;
  lab.on(k1, "B1", fetch("k1", 1));
  lab.on(k1, "B1", say("k1", 0, 0, AckType::release));
  lab.command("delete_records", "t/0 3", "B1");
  lab.run(10_ms);
  EXPECT_EQ(lab.on(k1, "B1", fetch("k1")), "#0 3..4");
}

}  // namespace
}  // namespace mqlab::kafka
