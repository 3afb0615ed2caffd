// Quotas: how a rate is measured, how long a client that is over it waits, and what becomes of one that does not.
#include "models/kafka/quota.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/kafka/client_lab.h"
#include "tests/kafka/cluster.h"

namespace mqlab::kafka {
namespace {

using namespace literals;

// Rate.windowSize counts ten whole samples from the first byte on, so a silent client may burst for ten seconds of quota.
TEST(KafkaQuota, AFirstBurstMayBeTenSecondsOfQuota) {
  ByteRate r;
  r.record(10'000, 100_s);
  EXPECT_EQ(r.throttle_time(1'000, 100_s), 0);
  r.record(1, 100_s);
  EXPECT_EQ(r.window(100_s), 10_s);
  EXPECT_EQ(r.throttle_time(1'000, 100_s), 1_ms);
}

// QuotaUtils.throttleTime: X = (O - T) / T * W. After that time the rate is the quota again.
TEST(KafkaQuota, TheWaitBringsTheRateDownToTheQuota) {
  ByteRate r;
  r.record(25'000, 100_s);
  EXPECT_EQ(r.throttle_time(1'000, 100_s), 15_s);
  EXPECT_EQ(r.throttle_time(2'500, 100_s), 0);
}

TEST(KafkaQuota, WhatIsOlderThanElevenSecondsCountsNoMore) {
  ByteRate r;
  r.record(20'000, 100_s);
  EXPECT_EQ(r.bytes(111_s - 1), 20'000);
  EXPECT_EQ(r.bytes(111_s), 0);
  EXPECT_EQ(r.throttle_time(1'000, 111_s), 0);
}

// SampledStat: a second has its own sample; the eldest is cleared for the newest.
TEST(KafkaQuota, ASampleForEachSecond) {
  ByteRate r;
  for (int s = 0; s < 30; ++s) r.record(1'000, 100_s + s * 1_s);
  EXPECT_EQ(r.bytes(129_s), 11'000);
  EXPECT_EQ(r.window(129_s), 10_s);
  EXPECT_EQ(r.throttle_time(1'100, 129_s), 0);
  EXPECT_GT(r.throttle_time(1'099, 129_s), 0);
}

// However it sends: a client that waits as it is told gets no more through than its quota, after the first burst.
RC_GTEST_PROP(KafkaQuota, WhoWaitsStaysWithinTheQuota, ()) {
  const std::int64_t quota = 1'000;
  ByteRate r;
  Time now = 50_s;
  std::int64_t sent = 0;
  const auto requests = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(300, rc::gen::pair(rc::gen::inRange(1U, 5'000U), rc::gen::inRange(0U, 3'000U)));
  for (const auto& [bytes, pause] : requests) {
    now += pause * 1_ms;
    r.record(bytes, now);
    sent += bytes;
    now += r.throttle_time(quota, now);
  }
  // Two samples at the border of the window, and a last request whose wait lies ahead.
  RC_ASSERT(sent <= quota * ((now - 50_s) / 1_s + 1) + 12 * quota + 5'000);
}

}  // namespace

namespace testing {
namespace {

// Requests of the probe are 64 bytes: at 100 bytes a second, sixteen are too much for ten seconds.
TEST(KafkaQuota, AnAnswerComesAtOnceAndTheChannelIsMuted) {
  Lab lab({.cluster = {{"producer_byte_rate", "100"}}});
  const ConnId one = lab.post("B1", produce(1));
  lab.run(10_ms);
  for (int i = 1; i < 15; ++i) lab.post("B1", produce(1), one);
  lab.run(10_ms);
  EXPECT_EQ(lab.answer(one, 14), "#0 offset=14");
  EXPECT_EQ(lab.marks("throttled"), 0u);
  lab.post("B1", produce(1), one);
  lab.post("B1", produce(1), one);
  lab.run(10_ms);
  EXPECT_EQ(lab.answer(one, 15).substr(0, 22), "#0 offset=15 throttle=");
  EXPECT_EQ(lab.answer(one, 16), "") << "nobody reads from this channel";
  EXPECT_EQ(lab.log(1).end(), 16);
  lab.run(500_ms);
  EXPECT_EQ(lab.log(1).end(), 17) << "the wait was 1024 / 100 s less the window of ten";
}

TEST(KafkaQuota, EachClientHasItsOwn) {
  Lab lab({.cluster = {{"producer_byte_rate", "100"}}, .producer = {{"linger", "0"}}});
  const ConnId one = lab.post("B1", produce(1));
  for (int i = 1; i < 30; ++i) lab.post("B1", produce(1), one);
  lab.run(10_ms);
  ASSERT_EQ(lab.marks("throttled"), 1u);
  const CallId id = lab.client().send(7);
  lab.run(100_ms);
  EXPECT_EQ(lab.client().answer(id).substr(0, 2), "ok");
}

// KafkaApis.handleFetchRequest: too much would be handed over, so nothing is, and it does not count.
TEST(KafkaQuota, AThrottledFetchIsAnsweredWithNothing) {
  Lab lab({.cluster = {{"consumer_byte_rate", "100"}}});
  ASSERT_EQ(lab.ask("B1", produce(-1, 8), 1_s), "#0 offset=0");
  EXPECT_EQ(lab.ask("B1", consume(0)).substr(0, 14), "#0 records=0..");
  const std::string second = lab.ask("B1", consume(0));
  EXPECT_EQ(second.substr(0, 9), "throttle=") << second;
  lab.run(12_s);
  EXPECT_EQ(lab.ask("B1", consume(0)).substr(0, 14), "#0 records=0..");
}

// Followers have no quota of this kind.
TEST(KafkaQuota, FollowersAreNotThrottled) {
  Lab lab({.cluster = {{"consumer_byte_rate", "100"}, {"min_insync", "2"}}});
  for (int i = 0; i < 5; ++i) lab.ask("B1", produce(-1, 20), 1_s);
  EXPECT_EQ(lab.replica(1).high_watermark, 100);
  EXPECT_EQ(lab.marks("throttled"), 0u);
}

ProduceReply throttled(Duration d) {
  ProduceReply r;
  r.results.push_back({0, Error::none, 0});
  r.throttle = d;
  return r;
}

// KIP-219: the client knows that it is not heard.
TEST(KafkaQuota, AClientThatWasThrottledSendsNothingMeanwhile) {
  ClientLab lab({.producer = {{"linger", "0"}, {"request_timeout", "1s"}}, .consumes = false});
  lab.broker(1).next[Kind::produce].push_back(make_payload<ProduceReply>(throttled(5_s)));
  lab.client().send(1);
  lab.run(100_ms);
  const CallId second = lab.client().send(2);
  lab.run(4'500_ms);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 1u);
  lab.run(1_s);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 2u);
  EXPECT_EQ(lab.client().answer(second).substr(0, 2), "ok");
  EXPECT_EQ(lab.marks("request_timed_out"), 0u);
}

// Before: it sends, is not heard, and takes the silence for death.
TEST(KafkaQuota, AClientThatIgnoresItTimesOutAndSendsAgain) {
  Lab lab({.cluster = {{"producer_byte_rate", "1000"}},
           .producer = {{"linger", "0"}, {"request_timeout", "2s"}, {"client_honours_throttle", "false"}, {"batch_bytes", "1"}}});
  lab.client().send(1, 0, 20'000);
  lab.run(100_ms);
  ASSERT_EQ(lab.marks("throttled"), 1u);
  const CallId second = lab.client().send(2);
  lab.run(30_s);
  EXPECT_GE(lab.marks("request_timed_out"), 1u);
  EXPECT_GE(lab.marks("producer_retry"), 1u);
  EXPECT_EQ(lab.client().answer(second).substr(0, 2), "ok");
  EXPECT_EQ(lab.log(1).end(), 2) << "idempotence: the broker had read none of it twice";

  Lab honest({.cluster = {{"producer_byte_rate", "1000"}}, .producer = {{"linger", "0"}, {"request_timeout", "2s"}, {"batch_bytes", "1"}}});
  honest.client().send(1, 0, 20'000);
  honest.run(100_ms);
  honest.client().send(2);
  honest.run(30_s);
  EXPECT_EQ(honest.marks("request_timed_out"), 0u);
  EXPECT_EQ(honest.log(1).end(), 2);
}

TEST(KafkaQuota, AConsumerThatWasThrottledAsksForNothingMeanwhile) {
  for (const std::string honours : {"true", "false"}) {
    Lab lab({.cluster = {{"consumer_byte_rate", "1000"}},
             .producer = {{"linger", "0"}},
             .consumer = {{"auto_offset_reset", "earliest"}, {"request_timeout", "1s"}, {"client_honours_throttle", honours}}});
    for (int i = 0; i < 3; ++i) lab.client().send(static_cast<std::uint64_t>(i + 1), 0, 9'000);
    lab.run(500_ms);
    lab.client().ask(CallKind::assign, "t/0", 0);
    for (int i = 0; i < 120; ++i) {
      lab.client().poll(400_ms);
      lab.run(500_ms);
    }
    EXPECT_GE(lab.marks("throttled"), 1u);
    EXPECT_EQ(lab.marks("request_timed_out") == 0, honours == "true");
    EXPECT_EQ(lab.client_node().assigned().front().position, 3);
  }
}

// --- a buffer that is full ---

// buffer.memory: send() waits for max.block.ms, and then the record certainly was not sent; room that comes free in time
// lets it through.
TEST(KafkaBackpressure, AFullBufferBlocksUntilThereIsRoom) {
  ClientLab lab({.producer = {{"linger", "0"}, {"buffer_bytes", "250"}, {"max_block", "3s"}, {"request_timeout", "20s"}}, .consumes = false});
  lab.broker(1).silent.insert(Kind::produce);
  lab.client().send(1);
  lab.run(10_ms);
  lab.client().send(2);
  const CallId third = lab.client().send(3);
  const CallId fourth = lab.client().send(4);
  lab.run(2'900_ms);
  EXPECT_EQ(lab.client().answer(third), "");
  lab.answer_produce(1, 0);
  lab.run(250_ms);
  EXPECT_EQ(lab.client().answer(third), "") << "it is queued or on its way";
  EXPECT_EQ(lab.client().answer(fourth), "fail BUFFER_EXHAUSTED") << "the room was taken by those before it";
}

// librdkafka: the application is told at once.
TEST(KafkaBackpressure, LibrdkafkasQueueIsFullAtOnce) {
  ClientLab lab({.producer = {{"linger", "0"}, {"buffer_bytes", "250"}, {"queue_full_at_once", "true"}}, .consumes = false});
  lab.broker(1).silent.insert(Kind::produce);
  lab.client().send(1);
  lab.client().send(2);
  const CallId third = lab.client().send(3);
  lab.run(1_ms);
  EXPECT_EQ(lab.client().answer(third), "fail QUEUE_FULL");
}

}  // namespace
}  // namespace testing
}  // namespace mqlab::kafka
