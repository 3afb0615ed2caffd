// The client library below producer and consumer: connections and their rests, metadata and its age, memory for
// records, and calls that make no sense. The brokers only do as told.
#include <gtest/gtest.h>

#include "tests/kafka/client_lab.h"

namespace mqlab::kafka::testing {
namespace {

ClientLab::Setup producing(Settings options) { return {.producer = std::move(options), .consumes = false}; }

// --- connections (NetworkClient, ClusterConnectionStates) ---

TEST(KafkaClient, ReconnectsAfterARestThatDoublesUpToTheMost) {
  ClientLab lab(producing({{"linger", "0"}, {"retry_backoff", "1ms"}, {"reconnect_backoff", "100ms"}, {"reconnect_backoff_max", "500ms"}}));
  lab.client().send(1);
  lab.run(50_ms);
  lab.broker(1).hang_up.insert(Kind::produce);
  lab.broker(1).silent.insert(Kind::produce);
  lab.client().send(2);
  lab.run(2_s);
  // A rest, and 4 hops: the end of the connection, two of the handshake, the request.
  EXPECT_EQ(lab.gaps(1, Kind::produce, 1).substr(0, 19), "104 204 404 504 504");
  lab.broker(1).hang_up.clear();
  lab.broker(1).silent.erase(Kind::produce);
  lab.run(1_s);
  lab.broker(1).hang_up.insert(Kind::produce);
  lab.broker(1).silent.insert(Kind::produce);
  const std::size_t before = lab.asked(1, Kind::produce).size();
  lab.client().send(3);
  lab.run(300_ms);
  EXPECT_EQ(lab.gaps(1, Kind::produce, before).substr(0, 3), "104") << "an answer ends the rests";
}

// All requests of a connection that breaks are of unknown outcome, and none is answered twice.
TEST(KafkaClient, RequestTimeoutEndsAllRequestsOfItsConnection) {
  ClientLab lab(producing({{"linger", "0"}, {"request_timeout", "2s"}, {"retries", "0"}, {"idempotence", "true"}}));
  lab.broker(1).silent.insert(Kind::produce);
  lab.client().send(1);
  lab.run(100_ms);
  lab.client().send(2);
  lab.run(1800_ms);
  EXPECT_TRUE(lab.client().answers().empty());
  lab.run(150_ms);
  EXPECT_EQ(lab.client().answer(1) + ", " + lab.client().answer(2), "info NETWORK_EXCEPTION, info NETWORK_EXCEPTION");
  EXPECT_EQ(lab.marks("request_timed_out"), 1u);
  lab.run(1_s);
  EXPECT_EQ(lab.broker(1).hung_up.size(), 1u);
  EXPECT_EQ(lab.client().answers().size(), 2u);
}

TEST(KafkaClient, SilentProduceDoesNotHoldUpAFetch) {
  ClientLab lab({.producer = {{"linger", "0"}}, .partitions = 1});
  lab.broker(1).silent.insert(Kind::produce);
  lab.client().send(1);
  lab.client().ask(CallKind::assign, "t/0", 0);
  lab.run(100_ms);
  ASSERT_EQ(lab.asked(1, Kind::fetch).size(), 1u);
  EXPECT_NE(lab.asked(1, Kind::produce)[0].message.connection, lab.asked(1, Kind::fetch)[0].message.connection);
}

// --- metadata ---

TEST(KafkaClient, MetadataIsAskedForAgainWhenItIsOld) {
  ClientLab lab(producing({{"metadata_max_age", "2s"}}));
  const auto asked = [&] { return lab.asked(1, Kind::metadata).size() + lab.asked(2, Kind::metadata).size(); };
  ASSERT_EQ(asked(), 1u);
  lab.run(1900_ms);
  EXPECT_EQ(asked(), 1u);
  lab.run(200_ms);
  EXPECT_EQ(asked(), 2u);
}

TEST(KafkaClient, AnotherBrokerIsAskedWhenOneHangsUp) {
  for (BrokerId dead : {1, 2}) {
    ClientLab lab(producing({{"linger", "0"}, {"metadata_max_age", "1s"}}));
    lab.broker(dead).hang_up.insert(Kind::metadata);
    lab.broker(dead).silent.insert(Kind::metadata);
    lab.move(0, 3 - dead, 1);
    lab.run(3_s);
    const CallId a = lab.client().send(1);
    lab.run(500_ms);
    EXPECT_EQ(lab.client().answer(a), "ok@0");
    EXPECT_EQ(lab.asked(3 - dead, Kind::produce).size(), 1u);
  }
}

// Metadata.updateLatestMetadata: brokers learn at different times, and who is behind must not lead the client back.
TEST(KafkaClient, MetadataOfAnOlderEpochTellsNothing) {
  ClientLab lab(producing({{"linger", "0"}, {"metadata_max_age", "1s"}}));
  lab.move(0, 2, 5);
  lab.run(1100_ms);
  lab.move(0, 1, 4);
  lab.run(1100_ms);
  lab.client().send(1);
  lab.run(100_ms);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 0u);
  EXPECT_EQ(lab.asked(2, Kind::produce).size(), 1u);
}

TEST(KafkaClient, PartitionWithoutALeaderIsAskedAboutAgainAndAgain) {
  ClientLab lab(producing({{"linger", "0"}, {"metadata_max_age", "1s"}}));
  lab.move(0, no_broker, 1);
  lab.run(3_s);
  EXPECT_GT(lab.asked(1, Kind::metadata).size() + lab.asked(2, Kind::metadata).size(), 5u) << "not only by age";
  const CallId a = lab.client().send(1);
  lab.run(2_s);
  EXPECT_EQ(lab.client().answer(a), "");
  lab.move(0, 1, 2);
  lab.run(1300_ms);
  EXPECT_EQ(lab.client().answer(a), "ok@0");
}

// --- calls ---

TEST(KafkaClient, CallsThatMakeNoSenseFailAtOnce) {
  ClientLab lab({});
  Call elsewhere;
  elsewhere.kind = CallKind::send;
  elsewhere.place = lab.world.journal.names.id("nowhere");
  EXPECT_EQ(lab.client().answer(lab.client().call(elsewhere)), "fail UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(lab.client().answer(lab.client().ask(CallKind::assign, "t/9")), "fail UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(lab.client().answer(lab.client().ask(CallKind::seek, "t/0", 3)), "fail UNKNOWN_TOPIC_OR_PARTITION") << "it is not assigned";
  EXPECT_EQ(lab.client().answer(lab.client().ask(CallKind::end_offset, "t/9")), "fail UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(lab.client().answer(lab.client().ask(CallKind::commit, "t/0")), "fail INVALID_REQUEST");
  lab.client().poll(1_s);
  EXPECT_EQ(lab.client().answer(lab.client().poll(1_s)), "fail INVALID_REQUEST") << "one poll at a time";
}

// A process that dies takes its numbers along: the next one is another producer.
TEST(KafkaClient, CrashForgetsProducerAndAnswersNothing) {
  ClientLab lab(producing({{"linger", "0"}}));
  lab.broker(1).silent.insert(Kind::produce);
  lab.client().send(1);
  lab.run(50_ms);
  lab.world.kill(lab.world.find("K"), false);
  lab.world.start(lab.world.find("K"));
  lab.run(100_ms);
  lab.client().send(2);
  lab.run(50_ms);
  EXPECT_EQ(lab.lines(1, Kind::produce), "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/0 seq=0..0\n");
  EXPECT_EQ(lab.asked(1, Kind::init_producer_id).size() + lab.asked(2, Kind::init_producer_id).size(), 2u);
  EXPECT_TRUE(lab.client().answers().empty());
}

// --- memory ---

TEST(KafkaClient, FullBufferBlocksSendAndThenFailsIt) {
  ClientLab lab(producing({{"linger", "0"}, {"buffer_bytes", "250"}, {"max_block", "2s"}}));
  lab.broker(1).silent.insert(Kind::produce);
  lab.client().send(1);
  lab.client().send(2);
  const CallId third = lab.client().send(3);
  const CallId small = lab.client().send(4, 0, 10);
  lab.run(1990_ms);
  EXPECT_EQ(lab.client().answer(third), "");
  lab.run(20_ms);
  EXPECT_EQ(lab.client().answer(third), "fail BUFFER_EXHAUSTED") << "it was never queued";
  EXPECT_EQ(lab.client().answer(small), "") << "send blocked, so it came after the third, and then there was room";
  const CallId fifth = lab.client().send(5);
  lab.run(5_ms);
  EXPECT_EQ(lab.lines(1, Kind::produce), "acks=all #0 x2 pid=7/0 seq=0..1\nacks=all #0 x1 pid=7/0 seq=2..2\n");
  lab.answer_produce(1, 0);
  lab.run(5_ms);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 3u) << "memory is given back with the answer";
  lab.answer_produce(1, 2, Error::none, 5);
  lab.run(5_ms);
  EXPECT_EQ(lab.client().answer(fifth), "ok@5");
}

TEST(KafkaClient, BlockedSendHurriesWhatLingers) {
  ClientLab lab(producing({{"linger", "20s"}, {"buffer_bytes", "250"}}));
  for (std::uint64_t m : {1, 2, 3}) lab.client().send(m);
  lab.run(100_ms);
  EXPECT_EQ(lab.lines(1, Kind::produce), "acks=all #0 x2 pid=7/0 seq=0..1\n");
}

TEST(KafkaClient, SendWaitsForMetadataOfItsPartition) {
  ClientLab lab(producing({{"linger", "0"}, {"max_block", "2s"}}));
  const CallId a = lab.client().send(1, 3);
  lab.run(1990_ms);
  EXPECT_EQ(lab.client().answer(a), "");
  lab.run(20_ms);
  EXPECT_EQ(lab.client().answer(a), "fail BUFFER_EXHAUSTED");
}

}  // namespace
}  // namespace mqlab::kafka::testing
