// Reading from followers (KIP-392), rule by rule: whom the leader names, what a follower serves, where the consumer
// goes and when it comes back. Leader and followers are told by the probe (cluster.h), the consumer by brokers that
// only do as told (client_lab.h).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/kafka/client_lab.h"

namespace mqlab::kafka::testing {
namespace {

FetchRequest consume_in(const std::string& rack, Offset from, Duration wait = 0, LeaderEpoch epoch = no_leader_epoch) {
  FetchRequest r = consume(from, epoch, wait);
  r.rack = rack;
  return r;
}

// --- the leader's choice (ReplicaManager.findPreferredReadReplica, RackAwareReplicaSelector) ---

// B1 leads in rack a, B2 follows in b, B3 in c, and B1 hears of their progress from the probe alone. Three records are
// committed, and a fourth one only B2 has.
struct Choosing : QuietFollowers {
  explicit Choosing(std::initializer_list<Settings::value_type> more = {}) : QuietFollowers(more) {}
  void replicate() {
    append(4);
    ask("B1", fetch_as(2, 4));
    ask("B1", fetch_as(3, 3));
  }
};
struct RackAware : Choosing {
  RackAware() : Choosing({{"replica_selector", "rack_aware"}, {"racks", "a,b,c"}}) { replicate(); }
};

TEST(KafkaFollowerFetch, LeaderNamesAReplicaInTheConsumersRack) {
  RackAware lab;
  EXPECT_EQ(lab.ask("B1", consume_in("c", 1)), "#0 hw=3 read_from=B3");
  EXPECT_EQ(lab.ask("B1", consume_in("b", 1)), "#0 hw=3 read_from=B2");
}

TEST(KafkaFollowerFetch, LeaderServesItselfWithoutSelectorRackOrReplicaThere) {
  RackAware lab;
  EXPECT_EQ(lab.ask("B1", consume(1)), "#0 records=1..2 hw=3") << "the consumer names no rack";
  EXPECT_EQ(lab.ask("B1", consume_in("a", 1)), "#0 records=1..2 hw=3") << "the leader's own rack";
  EXPECT_EQ(lab.ask("B1", consume_in("d", 1)), "#0 records=1..2 hw=3") << "nobody is there";
  EXPECT_EQ(lab.ask("B1", lab.fetch_as(3, 3)), "#0 records=3..3 hw=3") << "replication goes to the leader";
  Choosing without({{"racks", "a,b,c"}});
  without.replicate();
  EXPECT_EQ(without.ask("B1", consume_in("c", 1)), "#0 records=1..2 hw=3");
}

TEST(KafkaFollowerFetch, LeaderInTheRackServesItself) {
  Choosing lab({{"replica_selector", "rack_aware"}, {"racks", "a,b,a"}});
  lab.replicate();
  lab.ask("B1", lab.fetch_as(3, 4));
  EXPECT_EQ(lab.ask("B1", consume_in("a", 1)), "#0 records=1..3 hw=4");
}

// As far as it knows by the last fetches: B3 has 0..2, and what it would ask for next.
TEST(KafkaFollowerFetch, LeaderNamesNobodyWhoLacksTheOffset) {
  RackAware lab;
  EXPECT_EQ(lab.ask("B1", consume_in("c", 3)), "#0 hw=3 read_from=B3");
  EXPECT_EQ(lab.ask("B1", consume_in("c", 4)), "#0 hw=3");
  FetchRequest f = lab.fetch_as(3, 3);
  f.partitions[0].log_start = 2;
  lab.ask("B1", std::move(f));
  EXPECT_EQ(lab.ask("B1", consume_in("c", 1)), "#0 records=1..2 hw=3") << "B3 begins at 2";
  EXPECT_EQ(lab.ask("B1", consume_in("c", 2)), "#0 hw=3 read_from=B3");
}

// KAFKA-14372: one that lags would be named again and again.
TEST(KafkaFollowerFetch, LeaderNamesOnlyReplicasInTheIsr) {
  QuietFollowers lab({{"replica_selector", "rack_aware"}, {"racks", "a,b,c"}, {"replica_lag_max", "1s"}});
  lab.append(1);
  ASSERT_TRUE(lab.run_until([&] {
    lab.ask("B1", lab.fetch_as(2, 1));
    return lab.partition().isr == std::vector<BrokerId>{1, 2};
  }));
  FetchRequest f = lab.fetch_as(3, 0);
  lab.ask("B1", std::move(f));
  lab.run(10_ms);
  EXPECT_EQ(lab.follower(1, 3).end, 0);
  EXPECT_EQ(lab.ask("B1", consume_in("c", 0)), "#0 records=0..0 hw=1");
  EXPECT_EQ(lab.ask("B1", consume_in("b", 0)), "#0 hw=1 read_from=B2");
}

// KAFKA-15390. Metadata says the same, so that consumers leave it by themselves.
TEST(KafkaFollowerFetch, LeaderNamesNobodyWhoIsFenced) {
  QuietFollowers lab({{"replica_selector", "rack_aware"}, {"racks", "a,b,c"}, {"session_timeout", "3s"}});
  lab.append(1);
  lab.ask("B1", lab.fetch_as(2, 1));
  lab.ask("B1", lab.fetch_as(3, 1));
  ASSERT_EQ(lab.ask("B1", consume_in("c", 0)), "#0 hw=1 read_from=B3");
  lab.kill("B3");
  EXPECT_EQ(lab.ask("B1", MetadataRequest{}), "#0=B1@0");
  ASSERT_TRUE(lab.run_until([&] { return lab.broker(1).image().broker(3).fenced; }));
  EXPECT_EQ(lab.ask("B1", consume_in("c", 0)), "#0 records=0..0 hw=1");
  EXPECT_EQ(lab.ask("B1", MetadataRequest{}), "#0=B1@0 offline={3}");
}

// ReplicaView.comparator: log end, then who was caught up last, then the number.
TEST(KafkaFollowerFetch, OfSeveralInTheRackTheMostCaughtUpIsNamed) {
  Choosing lab({{"replica_selector", "rack_aware"}, {"racks", "a,b,b"}});
  lab.replicate();
  EXPECT_EQ(lab.ask("B1", consume_in("b", 1)), "#0 hw=3 read_from=B2") << "it has one record more";
  lab.ask("B1", lab.fetch_as(3, 4));
  EXPECT_EQ(lab.ask("B1", consume_in("b", 1)), "#0 hw=4 read_from=B3") << "it was caught up later";
}

// KAFKA-13767: without it the name came after fetch.max.wait.ms.
TEST(KafkaFollowerFetch, TheNameIsToldAtOnce) {
  RackAware lab;
  const Time before = lab.world.now();
  EXPECT_EQ(lab.ask("B1", consume_in("c", 3, 10_s)), "#0 hw=3 read_from=B3");
  EXPECT_LE(lab.world.now() - before, 5_ms);
}

TEST(KafkaFollowerFetch, AFetchOfAnotherEpochIsRefusedFirst) {
  RackAware lab;
  EXPECT_EQ(lab.ask("B1", consume_in("c", 1, 0, 7)), "#0 error=UNKNOWN_LEADER_EPOCH");
}

// --- what a follower serves (Partition.readRecords, LocalLog.read, DelayedFetch) ---

// B1 leads; two records are committed and everybody knows it. A third one B3 has, and has not heard that it is
// committed.
struct Serving : Lab {
  Serving()
      : Lab({.cluster = {{"replica_selector", "rack_aware"}, {"racks", "a,b,c"}, {"replica_fetch_wait", "400ms"}}}) {
    ask("B1", produce(-1, 2));
    run(1_s);
    ask("B1", produce(-1));
  }
};

TEST(KafkaFollowerFetch, AFollowerServesUpToItsOwnHighWatermark) {
  Serving lab;
  ASSERT_EQ(lab.replica(1).high_watermark, 3);
  ASSERT_EQ(lab.log(3).end(), 3);
  ASSERT_EQ(lab.replica(3).high_watermark, 2);
  EXPECT_EQ(lab.ask("B3", consume_in("c", 0)), "#0 records=0..1 hw=2");
}

TEST(KafkaFollowerFetch, AFollowerServesNobodyWhoNamesNoRack) {
  Serving lab;
  EXPECT_EQ(lab.ask("B3", consume(0)), "#0 error=NOT_LEADER_OR_FOLLOWER");
  FetchRequest f = lab.fetch_as(2, 0);
  f.rack = "c";
  EXPECT_EQ(lab.ask("B3", std::move(f)), "#0 error=NOT_LEADER_OR_FOLLOWER") << "nor another follower";
}

// KAFKA-9952: nobody tells a follower at once; it hears of the high watermark when its own fetch comes back.
TEST(KafkaFollowerFetch, AReaderAtItsHighWatermarkWaitsUntilItMoves) {
  Serving lab;
  const Time before = lab.world.now();
  EXPECT_EQ(lab.ask("B3", consume_in("c", 2, 10_s), 5_s), "#0 records=2..2 hw=3");
  EXPECT_GE(lab.world.now() - before, 300_ms);
  EXPECT_LE(lab.world.now() - before, 410_ms);
}

// KIP-392 says OFFSET_NOT_AVAILABLE; the broker answers at once and with nothing, so such a reader asks in circles.
TEST(KafkaFollowerFetch, AReaderAheadOfItsHighWatermarkIsToldNothingAtOnce) {
  Serving lab;
  const Time before = lab.world.now();
  EXPECT_EQ(lab.ask("B3", consume_in("c", 3, 10_s)), "#0 hw=2");
  EXPECT_LE(lab.world.now() - before, 5_ms);
}

TEST(KafkaFollowerFetch, OutsideItsLogIsOutOfRange) {
  Serving lab;
  EXPECT_EQ(lab.ask("B3", consume_in("c", 4)), "#0 error=OFFSET_OUT_OF_RANGE");
  lab.command("delete_records", "t/0 1", "B1");
  lab.run(1_s);
  ASSERT_EQ(lab.log(3).start(), 1);
  EXPECT_EQ(lab.ask("B3", consume_in("c", 0)), "#0 error=OFFSET_OUT_OF_RANGE");
}

TEST(KafkaFollowerFetch, AFollowerComparesTheEpochToo) {
  Serving lab;
  EXPECT_EQ(lab.ask("B3", consume_in("c", 0, 0, 0)), "#0 records=0..1 hw=2");
  EXPECT_EQ(lab.ask("B3", consume_in("c", 0, 0, 7)), "#0 error=UNKNOWN_LEADER_EPOCH");
}

// Whoever waits at a follower is told when there is another leader.
TEST(KafkaFollowerFetch, ANewLeaderEndsTheWait) {
  Serving lab;
  lab.run(1_s);
  const ConnId waits = lab.post("B3", consume_in("c", 3, 10_s, 0));
  lab.run(100_ms);
  ASSERT_EQ(lab.answer(waits), "");
  lab.cut_replication("B3");  // by metadata, not by what B2 sends
  lab.command("elect", "t/0 B2");
  lab.run(500_ms);
  ASSERT_EQ(lab.partition().leader, 2);
  EXPECT_EQ(lab.answer(waits), "#0 error=FENCED_LEADER_EPOCH");
}

// --- where the consumer goes (AbstractFetch.selectReadReplica, FetchCollector) ---

// K is in rack c and has been told to read from B2.
struct Reading : ClientLab {
  explicit Reading(std::initializer_list<Settings::value_type> more = {})
      : ClientLab({.consumer = with_rack(more), .partitions = 1, .produces = false}) {
    client().ask(CallKind::assign, "t/0", 5);
    run(20_ms);
    go_to(2);
  }
  static Settings with_rack(std::initializer_list<Settings::value_type> more) {
    Settings s = {{"client_rack", "c"}, {"retry_backoff", "100ms"}, {"auto_offset_reset", "latest"}};
    s.insert(s.end(), more.begin(), more.end());
    return s;
  }
  void answer_last(BrokerId b, FetchedPartition p) {
    FetchReply r;
    r.partitions = {std::move(p)};
    answer(b, Kind::fetch, fetches(b) - 1, std::move(r));
    run(5_ms);
  }
  // The leader names b.
  void go_to(BrokerId b) {
    FetchedPartition p;
    p.preferred_read_replica = b;
    answer_last(1, std::move(p));
  }
  void fails(BrokerId b, Error e) {
    FetchedPartition p;
    p.error = e;
    answer_last(b, std::move(p));
  }
  void nothing(BrokerId b) { answer_last(b, {}); }
  std::size_t fetches(BrokerId b) { return asked(b, Kind::fetch).size(); }
  Time until() { return node().assigned().front().reads_from_until; }
  BrokerId reads_from() { return node().assigned().front().reads_from; }
  // "1 1": so many fetches at B1, at B2.
  std::string so_many() { return fmt::format("{} {}", fetches(1), fetches(2)); }
};

TEST(KafkaFollowerFetch, TheConsumerNamesItsRackAndGoesWhereItIsTold) {
  Reading lab;
  EXPECT_EQ(lab.lines(1, Kind::fetch), "consumer in c #0 offset=5 epoch=0\n");
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer in c #0 offset=5 epoch=0\n");
  Batch b = make_batch({{.message = 42, .size = 100}});
  b.base_offset = 5;
  b.leader_epoch = 0;
  FetchedPartition p;
  p.batches = {b};
  lab.answer_last(2, std::move(p));
  const CallId poll = lab.client().poll(10_ms);
  lab.run(20_ms);
  EXPECT_EQ(lab.client().answer(poll), "42@5");
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer in c #0 offset=5 epoch=0\nconsumer in c #0 offset=6 epoch=0\n")
      << "it stays there";
  EXPECT_EQ(lab.fetches(1), 1u);
}

TEST(KafkaFollowerFetch, QuestionsAboutOffsetsGoToTheLeader) {
  Reading lab;
  lab.client().ask(CallKind::seek, "t/0", -2);
  lab.run(20_ms);
  lab.nothing(2);
  EXPECT_EQ(lab.lines(1, Kind::list_offsets) + lab.lines(2, Kind::list_offsets), "#0 latest\n");
  EXPECT_EQ(lab.asked(1, Kind::list_offsets).size(), 1u);
  EXPECT_EQ(lab.reads_from(), 2);
}

// metadata.max.age.ms, counted from the first word.
TEST(KafkaFollowerFetch, AfterMetadataMaxAgeTheConsumerAsksTheLeaderAgain) {
  Reading lab({{"metadata_max_age", "10s"}});
  lab.run(8_s);
  lab.nothing(2);
  EXPECT_EQ(lab.so_many(), "1 2");
  lab.run(3_s);
  lab.nothing(2);
  EXPECT_EQ(lab.so_many(), "2 2");
  lab.go_to(2);
  EXPECT_EQ(lab.so_many(), "2 3");
}

// ... although a leader that is asked for another partition names it once more meanwhile.
TEST(KafkaFollowerFetch, TheSameNameAgainDoesNotKeepItLonger) {
  Reading lab({{"metadata_max_age", "10s"}});
  lab.run(8_s);
  const Time until = lab.until();
  FetchedPartition p;
  p.preferred_read_replica = 2;
  lab.answer_last(2, std::move(p));
  EXPECT_EQ(lab.until(), until);
}

// KAFKA-14379: any error but that of an epoch which the broker does not know yet.
TEST(KafkaFollowerFetch, AnErrorSendsTheConsumerBackToTheLeader) {
  for (const Error e : {Error::not_leader_or_follower, Error::fenced_leader_epoch, Error::offset_not_available,
                        Error::unknown_topic_or_partition}) {
    Reading lab;
    lab.fails(2, e);
    lab.run(200_ms);
    EXPECT_EQ(lab.so_many(), "2 1") << name(e);
  }
  Reading lab;
  lab.fails(2, Error::unknown_leader_epoch);
  lab.run(200_ms);
  EXPECT_EQ(lab.so_many(), "1 2");
}

TEST(KafkaFollowerFetch, ABrokenConnectionSendsItBackToo) {
  Reading lab;
  lab.broker(2).hang_up.insert(Kind::fetch);
  lab.nothing(2);
  lab.run(300_ms);
  EXPECT_EQ(lab.so_many(), "2 2");
  EXPECT_EQ(lab.reads_from(), no_broker);
}

TEST(KafkaFollowerFetch, MetadataThatMissesTheFollowerSendsItBackToo) {
  Reading lab({{"metadata_max_age", "2s"}});
  lab.nothing(2);
  EXPECT_EQ(lab.so_many(), "1 2");
  for (BrokerId b : {1, 2}) lab.broker(b).metadata.offline = {2};
  lab.run(1700_ms);
  ASSERT_EQ(lab.reads_from(), 2) << "it has not heard of it";
  lab.run(200_ms);
  ASSERT_LT(lab.world.now(), lab.until()) << "it is not that its time is over";
  EXPECT_EQ(lab.reads_from(), no_broker);
  EXPECT_EQ(lab.so_many(), "2 2");
}

// SubscriptionState.maybeValidatePosition: the choice was the old leader's.
TEST(KafkaFollowerFetch, ANewLeaderIsAskedAnew) {
  Reading lab({{"metadata_max_age", "2s"}});
  lab.move(0, 2, 1);
  lab.run(2_s);
  EXPECT_EQ(lab.reads_from(), no_broker);
}

// The leader is asked before anything is reset; only what it calls out of range is.
TEST(KafkaFollowerFetch, WhatAFollowerCallsOutOfRangeTheLeaderIsAskedFor) {
  Reading lab;
  lab.fails(2, Error::offset_out_of_range);
  EXPECT_EQ(lab.lines(1, Kind::list_offsets), "");
  EXPECT_EQ(lab.marks("position_reset"), 0u);
  EXPECT_EQ(lab.marks("follower_out_of_range"), 1u);
  EXPECT_EQ(lab.lines(1, Kind::fetch), "consumer in c #0 offset=5 epoch=0\nconsumer in c #0 offset=5 epoch=0\n");
  lab.fails(1, Error::offset_out_of_range);
  EXPECT_EQ(lab.marks("position_reset"), 1u);
  EXPECT_EQ(lab.lines(1, Kind::list_offsets), "#0 latest\n");
}

TEST(KafkaFollowerFetch, AConsumerThatBelievesAFollowerResetsItsPosition) {
  Reading lab({{"out_of_range_asks_leader", "false"}});
  lab.fails(2, Error::offset_out_of_range);
  EXPECT_EQ(lab.marks("position_reset"), 1u);
  EXPECT_EQ(lab.lines(1, Kind::list_offsets), "#0 latest\n");
}

// A hole of the client's: the follower is forgotten when its time is over, though it still owes an answer, and then
// that counts as the leader's ("no preferred replica to clear", says FetchCollector). Found by random stories.
TEST(KafkaFollowerFetch, AnAnswerThatComesAfterItsTimeIsTakenForTheLeaders) {
  Reading lab({{"metadata_max_age", "2s"}});
  lab.run(3_s);
  lab.client().poll(10_ms);
  lab.run(20_ms);
  ASSERT_EQ(lab.so_many(), "2 1");
  lab.fails(2, Error::offset_out_of_range);
  EXPECT_EQ(lab.marks("follower_out_of_range"), 0u);
  EXPECT_EQ(lab.marks("position_reset"), 1u);
}

// Nobody promises anything to a client that gives up what is there.
TEST(KafkaFollowerFetch, AConsumerThatBelievesAFollowerIsPromisedLess) {
  const std::unique_ptr<Model> model = make_model();
  const auto promised = [&](const Settings& consumer, const char* selector) {
    Deployment d;
    d.profile = "4.3";
    const Settings cluster = {{"min_insync", "2"}, {"racks", "a,b,c"}, {"replica_selector", selector}};
    d.cluster = options_of(*model, "4.3", "cluster", cluster);
    TopicSpec topic;
    topic.name = "t";
    topic.options = options_of(*model, "4.3", "topic", {});
    d.topics.push_back(std::move(topic));
    ClientSpec k;
    k.name = "K";
    k.role = "consumer";
    k.options = options_of(*model, "4.3", "consumer", consumer);
    d.clients.push_back(std::move(k));
    for (const Claim& c : model->claims(d, {}))
      if (c.anomaly == "lost-message") return c.claimed;
    return false;
  };
  const Settings believes = {{"client_rack", "c"}, {"out_of_range_asks_leader", "false"}};
  EXPECT_FALSE(promised(believes, "rack_aware"));
  EXPECT_TRUE(promised(believes, "none"));
  EXPECT_TRUE(promised({{"client_rack", "c"}}, "rack_aware"));
  EXPECT_TRUE(promised({{"out_of_range_asks_leader", "false"}}, "rack_aware"));
}

// --- all together ---

TEST(KafkaFollowerFetch, ARackWithoutBrokersIsAMistakeOnlyWhereNoBrokerHasOne) {
  EXPECT_THROW(Lab({.consumer = {{"client_rack", "c"}}}), std::invalid_argument);
  EXPECT_NO_THROW(Lab({.cluster = {{"racks", "a"}}, .consumer = {{"client_rack", "c"}}}));
}

// B3 dies under its reader, who goes on at the leader, and comes back to B3 when it is in the ISR again.
TEST(KafkaFollowerFetch, AReaderOutlivesItsFollower) {
  Lab lab({.cluster = {{"replica_selector", "rack_aware"}, {"racks", "a,b,c"}},
           .consumer = {{"client_rack", "c"}, {"auto_offset_reset", "earliest"}}});
  lab.client().ask(CallKind::assign, "t/0", 0);
  const auto reads = [&](Offset at) {
    const CallId id = lab.client().poll(2_s);
    lab.run_until([&] { return !lab.client().answer(id).empty(); });
    return lab.client().answer(id).ends_with(fmt::format("@{}", at));
  };
  const auto from = [&] { return lab.client_node().assigned().front().reads_from; };
  lab.ask("B1", produce(-1));
  ASSERT_TRUE(reads(0));
  EXPECT_EQ(from(), 3);
  lab.kill("B3");
  lab.ask("B1", produce(1));
  ASSERT_TRUE(lab.run_until([&] { return lab.partition().isr.size() == 2; }));
  ASSERT_TRUE(reads(1));
  EXPECT_EQ(from(), no_broker);
  lab.restart("B3");
  ASSERT_TRUE(lab.run_until([&] { return lab.partition().isr.size() == 3; }));
  lab.ask("B1", produce(-1));
  ASSERT_TRUE(reads(2));
  lab.run(1_s);
  EXPECT_EQ(from(), 3);
}

}  // namespace
}  // namespace mqlab::kafka::testing
