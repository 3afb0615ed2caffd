// The producer, rule by rule, between brokers that only do as told: what leaves when, in which order, with which
// numbers; what is tried again; what the application is told in the end.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/kafka/client_lab.h"

namespace mqlab::kafka::testing {
namespace {

struct Producing : ClientLab {
  explicit Producing(std::initializer_list<Settings::value_type> options = {}, std::int32_t partitions = 1) : ClientLab({.producer = options, .partitions = partitions, .consumes = false}) {}
  // One batch a millisecond, so that none has company (linger 0).
  std::vector<CallId> send_each(int n) {
    std::vector<CallId> calls;
    for (int i = 0; i < n; ++i) {
      calls.push_back(client().send(static_cast<std::uint64_t>(i + 1)));
      run(1_ms);
    }
    return calls;
  }
  std::string answer(CallId id) { return client().answer(id); }
  std::string produced(BrokerId b = 1) { return lines(b, Kind::produce); }
};

// --- batches ---

TEST(KafkaProducer, BatchWaitsForCompanyUntilLingerIsOver) {
  Producing lab({{"linger", "20ms"}});
  lab.client().send(1);
  lab.run(100_ms);
  const Time first = lab.world.now();
  const CallId a = lab.client().send(2);
  lab.run(10_ms);
  const CallId b = lab.client().send(3);
  lab.run(50_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x2 pid=7/0 seq=1..2\n");
  EXPECT_EQ(lab.asked(1, Kind::produce)[1].at, first + 20_ms + 1_ms);
  EXPECT_EQ(lab.answer(a), "ok@1");
  EXPECT_EQ(lab.answer(b), "ok@2");
}

TEST(KafkaProducer, FullBatchLeavesAtOnce) {
  Producing lab({{"linger", "20s"}, {"batch_bytes", "300"}});  // header 61, so two records of 100
  for (std::uint64_t m = 1; m <= 5; ++m) lab.client().send(m);
  lab.run(100_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x2 pid=7/0 seq=0..1\nacks=all #0 x2 pid=7/0 seq=2..3\n");
  lab.run(20_s);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 3u);
}

TEST(KafkaProducer, OneRequestCarriesABatchOfEachPartitionOfABroker) {
  Producing lab({{"linger", "5ms"}}, 4);
  for (std::int32_t p : {0, 1, 2, 3}) lab.client().send(1, p);
  lab.run(100_ms);
  EXPECT_EQ(lab.produced(1), "acks=all #0 x1 pid=7/0 seq=0..0 #2 x1 pid=7/0 seq=0..0\n");
  EXPECT_EQ(lab.produced(2), "acks=all #1 x1 pid=7/0 seq=0..0 #3 x1 pid=7/0 seq=0..0\n");
}

TEST(KafkaProducer, NothingLeavesBeforeThereIsAProducerId) {
  Producing lab({{"linger", "0"}});
  for (BrokerId b : {1, 2}) {
    InitProducerIdReply refused;
    refused.error = Error::coordinator_load_in_progress;
    lab.broker(b).next[Kind::init_producer_id] = {make_payload<InitProducerIdReply>(refused)};
  }
  lab.send_each(3);
  lab.run(60_ms);
  EXPECT_EQ(lab.produced(), "");
  lab.run(1_s);
  EXPECT_EQ(lab.produced(), "acks=all #0 x3 pid=7/0 seq=0..2\n");
}

// ProducerConfig.postProcessAndValidateIdempotenceConfigs: a conflict silently wins over the default.
TEST(KafkaProducer, ConflictingOptionsSwitchIdempotenceOff) {
  for (const Settings& o : std::vector<Settings>{{{"acks", "1"}}, {{"retries", "0"}}, {{"max_in_flight", "6"}}}) {
    ClientLab lab({.producer = o});
    lab.client().send(1);
    lab.run(100_ms);
    EXPECT_EQ(lab.lines(1, Kind::produce), fmt::format("acks={} #0 x1\n", o[0].first == "acks" ? "1" : "all")) << o[0].first;
  }
}

TEST(KafkaProducer, AcksZeroIsDoneWhenItIsSent) {
  Producing lab({{"acks", "0"}, {"linger", "0"}});
  lab.broker(1).silent.insert(Kind::produce);
  const CallId a = lab.client().send(1);
  lab.run(2_ms);
  EXPECT_EQ(lab.answer(a), "ok") << "nobody says where it is";
  EXPECT_TRUE(lab.node().producer_idle());
}

// --- how many, in which order ---

TEST(KafkaProducer, AtMostMaxInFlightRequestsAreOpenOnAConnection) {
  for (const auto& [limit, idempotence] : std::vector<std::pair<std::string, std::string>>{{"5", "true"}, {"2", "false"}, {"2", "true"}}) {
    Producing lab({{"linger", "0"}, {"max_in_flight", limit}, {"idempotence", idempotence}});
    lab.broker(1).silent.insert(Kind::produce);
    lab.send_each(1);
    lab.run(50_ms);
    lab.send_each(6);
    lab.run(50_ms);
    const std::size_t most = std::stoul(limit);
    EXPECT_EQ(lab.asked(1, Kind::produce).size(), most);
    lab.answer_produce(1, 0);
    lab.run(5_ms);
    EXPECT_EQ(lab.asked(1, Kind::produce).size(), most + 1);
  }
}

// The leader moves while batches are open at the old one. A partition alone may have no more open than max_in_flight, or
// brokers could not tell a retry from a new batch; and without numbers, one in flight means one at all.
TEST(KafkaProducer, OpenBatchesCountWhereverTheLeaderIs) {
  for (const auto& [limit, idempotence] : std::vector<std::pair<std::string, std::string>>{{"2", "true"}, {"1", "false"}, {"2", "false"}}) {
    Producing lab({{"linger", "0"}, {"max_in_flight", limit}, {"idempotence", idempotence}, {"metadata_max_age", "1s"}});
    lab.broker(1).silent.insert(Kind::produce);
    lab.send_each(1);
    lab.run(50_ms);
    if (limit == "2") lab.send_each(1);
    lab.move(0, 2, 1);
    lab.run(2_s);
    lab.client().send(3);
    lab.run(100_ms);
    const bool free = limit == "2" && idempotence == "false";
    EXPECT_EQ(lab.asked(2, Kind::produce).size(), free ? 1u : 0u) << limit << idempotence;
    lab.answer_produce(1, 0);
    lab.run(10_ms);
    EXPECT_EQ(lab.asked(2, Kind::produce).size(), 1u) << limit << idempotence;
  }
}

TEST(KafkaProducer, RetryOfOneInFlightKeepsOrderByMutingThePartition) {
  for (const char* limit : {"1", "5"}) {
    Producing lab({{"linger", "0"}, {"idempotence", "false"}, {"max_in_flight", limit}});
    lab.broker(1).produce_errors = {Error::not_enough_replicas};
    const auto calls = lab.send_each(2);
    lab.run(500_ms);
    EXPECT_EQ(lab.answer(calls[0]), std::string(limit) == "1" ? "ok@0" : "ok@1");
    EXPECT_EQ(lab.answer(calls[1]), std::string(limit) == "1" ? "ok@1" : "ok@0") << "a later batch overtook the one that was retried";
  }
}

// KIP-98: the first fails, so the others are out of order; all go again, first to last, each with the numbers it had.
TEST(KafkaProducer, IdempotentRetriesKeepNumbersAndOrder) {
  Producing lab({{"linger", "0"}});
  lab.client().send(9);
  lab.run(50_ms);
  lab.broker(1).silent.insert(Kind::produce);
  const auto calls = lab.send_each(3);
  lab.run(5_ms);
  lab.broker(1).silent.erase(Kind::produce);
  lab.answer_produce(1, 1, Error::not_enough_replicas);
  lab.answer_produce(1, 2, Error::out_of_order_sequence_number);
  lab.answer_produce(1, 3, Error::out_of_order_sequence_number);
  lab.run(1_s);
  const std::string three = "acks=all #0 x1 pid=7/0 seq=1..1\nacks=all #0 x1 pid=7/0 seq=2..2\nacks=all #0 x1 pid=7/0 seq=3..3\n";
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\n" + three + three);
  EXPECT_EQ(lab.answer(calls[0]) + " " + lab.answer(calls[1]) + " " + lab.answer(calls[2]), "ok@1 ok@2 ok@3");
}

// A retry leaves only as the first of those that are open, and nothing new overtakes it.
TEST(KafkaProducer, LaterRetryWaitsForTheFirstOneThatIsOpen) {
  Producing lab({{"linger", "0"}});
  lab.broker(1).silent.insert(Kind::produce);
  lab.send_each(1);
  lab.run(50_ms);
  lab.send_each(2);
  lab.run(5_ms);
  lab.answer_produce(1, 2, Error::not_enough_replicas);
  lab.run(1_s);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 3u);
  lab.answer_produce(1, 0);
  lab.run(5_ms);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 3u);
  lab.answer_produce(1, 1);
  lab.run(5_ms);
  EXPECT_EQ(lab.asked(1, Kind::produce).size(), 4u);
}

// KAFKA-5494: a client that splits a retry gives its halves bounds that no broker can recognise.
TEST(KafkaProducer, SplittingARetryChangesItsBounds) {
  Producing lab({{"split_on_retry", "true"}});
  lab.broker(1).produce_errors = {Error::not_enough_replicas};
  for (std::uint64_t m = 1; m <= 4; ++m) lab.client().send(m);
  lab.run(1_s);
  EXPECT_EQ(lab.produced(), "acks=all #0 x4 pid=7/0 seq=0..3\nacks=all #0 x2 pid=7/0 seq=0..1\nacks=all #0 x2 pid=7/0 seq=2..3\n");
}

// --- what is tried again, and how long ---

TEST(KafkaProducer, RetriesRestTwiceAsLongEachTimeUpToTheMost) {
  Producing lab({{"linger", "0"}, {"retry_backoff", "100ms"}, {"retry_backoff_max", "500ms"}});
  lab.client().send(1);
  lab.run(50_ms);
  lab.broker(1).produce_errors = std::vector<Error>(5, Error::not_enough_replicas);
  lab.client().send(2);
  lab.run(3_s);
  EXPECT_EQ(lab.gaps(1, Kind::produce, 1), "100 200 400 500 500");
}

TEST(KafkaProducer, WhatItIsToldWhenRetriesAreUsedUp) {
  for (const auto& [errors, told] : std::vector<std::pair<std::vector<Error>, std::string>>{
           {{Error::not_enough_replicas, Error::not_enough_replicas}, "fail NOT_ENOUGH_REPLICAS"},
           {{Error::not_enough_replicas_after_append, Error::not_enough_replicas}, "info NOT_ENOUGH_REPLICAS"},
           {{Error::not_enough_replicas, Error::request_timed_out}, "info REQUEST_TIMED_OUT"},
           {{Error::message_too_large}, "fail MESSAGE_TOO_LARGE"},
           {{Error::not_enough_replicas, Error::duplicate_sequence_number}, "ok"}}) {
    Producing lab({{"linger", "0"}, {"retries", "1"}});
    lab.broker(1).produce_errors = errors;
    const CallId a = lab.client().send(1);
    lab.run(2_s);
    EXPECT_EQ(lab.answer(a), told);
    EXPECT_EQ(lab.asked(1, Kind::produce).size(), errors.size()) << told;
  }
}

// request.timeout.ms: the connection is closed, the outcome is unknown, and the same batch goes again.
TEST(KafkaProducer, RequestWithoutAnswerClosesTheConnectionAndGoesAgain) {
  Producing lab({{"linger", "0"}, {"request_timeout", "2s"}, {"delivery_timeout", "3s"}});
  lab.broker(1).silent.insert(Kind::produce);
  const CallId a = lab.client().send(1);
  lab.run(2500_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/0 seq=0..0\n");
  EXPECT_EQ(lab.broker(1).hung_up.size(), 1u);
  EXPECT_EQ(lab.answer(a), "");
  lab.run(1_s);
  EXPECT_EQ(lab.answer(a), "info DELIVERY_TIMED_OUT") << "KIP-91: from creation, whatever was tried";
}

TEST(KafkaProducer, DeliveryTimeoutOfWhatNeverLeftIsADefiniteFailure) {
  Producing lab({{"linger", "0"}, {"delivery_timeout", "3s"}});
  lab.move(0, no_broker, 1);
  lab.broker(1).produce_errors = {Error::not_leader_or_follower};
  lab.client().send(1);
  lab.run(200_ms);
  const CallId a = lab.client().send(2);
  lab.run(2900_ms);
  EXPECT_EQ(lab.answer(a), "");
  lab.run(200_ms);
  EXPECT_EQ(lab.answer(a), "fail DELIVERY_TIMED_OUT");
}

TEST(KafkaProducer, DeliveryTimeoutOfWhatIsOnTheWireLeavesItOpen) {
  Producing lab({{"linger", "0"}, {"delivery_timeout", "3s"}});
  lab.broker(1).silent.insert(Kind::produce);
  const CallId a = lab.client().send(1);
  lab.run(3100_ms);
  EXPECT_EQ(lab.answer(a), "info DELIVERY_TIMED_OUT");
  lab.answer_produce(1, 0);
  lab.run(10_ms);
  EXPECT_EQ(lab.client().answers().size(), 1u) << "an answer that comes later tells nobody";
}

TEST(KafkaProducer, LeaderThatMovedIsLookedForAndFollowed) {
  Producing lab({{"linger", "0"}});
  lab.broker(1).produce_errors = {Error::not_leader_or_follower};
  lab.move(0, 2, 1);
  const CallId a = lab.client().send(1);
  lab.run(500_ms);
  EXPECT_EQ(lab.produced(1), lab.produced(2));
  EXPECT_EQ(lab.answer(a), "ok@0");
}

// --- numbers that will never be used (KIP-360, TransactionManager) ---

TEST(KafkaProducer, BatchThatFailsForGoodBumpsTheEpoch) {
  Producing lab({{"linger", "0"}});
  lab.broker(1).produce_errors = {Error::none, Error::message_too_large};
  lab.client().send(1);
  lab.run(50_ms);
  lab.client().send(2);
  lab.run(50_ms);
  lab.client().send(3);
  lab.run(50_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/0 seq=1..1\nacks=all #0 x1 pid=7/1 seq=0..0\n");
  EXPECT_EQ(lab.marks("producer_epoch_bumped"), 1u);
}

// The next in line is out of order: the broker has lost what came before, so all begins anew.
TEST(KafkaProducer, OutOfOrderAtTheHeadOfTheLineBumpsTheEpoch) {
  Producing lab({{"linger", "0"}});
  lab.client().send(1);
  lab.run(50_ms);
  lab.broker(1).produce_errors = {Error::out_of_order_sequence_number};
  const CallId a = lab.client().send(2);
  lab.run(500_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/0 seq=1..1\nacks=all #0 x1 pid=7/1 seq=0..0\n");
  EXPECT_EQ(lab.answer(a), "ok@1");
}

// The epoch is the producer's, but a partition goes over to a new one only when nothing of the old one is open.
TEST(KafkaProducer, NewEpochWaitsForWhatIsOpenInTheOldOne) {
  Producing lab({{"linger", "0"}}, 2);
  lab.broker(1).silent.insert(Kind::produce);
  lab.broker(2).produce_errors = {Error::message_too_large};
  lab.client().send(1, 0);
  lab.client().send(2, 1);
  lab.run(50_ms);
  ASSERT_EQ(lab.marks("producer_epoch_bumped"), 1u);
  lab.client().send(3, 0);
  lab.run(50_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\n");
  lab.answer_produce(1, 0);
  lab.run(10_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/1 seq=0..0\n");
}

TEST(KafkaProducer, RetryThatExpiresBeforeItLeavesTakesItsNumbersWithIt) {
  Producing lab({{"linger", "0"}, {"delivery_timeout", "150ms"}});
  lab.broker(1).produce_errors = {Error::not_enough_replicas, Error::not_enough_replicas};
  const CallId a = lab.client().send(1);
  lab.run(1_s);
  EXPECT_EQ(lab.answer(a), "fail DELIVERY_TIMED_OUT");
  lab.client().send(2);
  lab.run(100_ms);
  EXPECT_EQ(lab.produced(), "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/1 seq=0..0\n");
}

// A batch that was tried twice expires: nobody knows whether its numbers were used. Nothing new leaves until the rest is
// in; then the last acknowledged number tells.
TEST(KafkaProducer, ExpiredBatchIsResolvedByWhatComesAfterIt) {
  for (const bool acknowledged : {true, false}) {
    Producing lab({{"linger", "0"}, {"delivery_timeout", "3s"}, {"request_timeout", "2s"}});
    lab.broker(1).silent.insert(Kind::produce);
    lab.send_each(1);
    lab.run(1_s);
    lab.client().send(2);  // with sequence 1, on the wire as well
    lab.run(2_s + 50_ms);
    const std::string both = "acks=all #0 x1 pid=7/0 seq=0..0\nacks=all #0 x1 pid=7/0 seq=1..1\n";
    ASSERT_EQ(lab.produced(), both + both) << "the second goes again when the first has expired";
    lab.client().send(3);
    lab.run(50_ms);
    ASSERT_EQ(lab.produced(), both + both) << "... and nothing new";
    if (acknowledged) lab.answer_produce(1, 3);
    else lab.answer_produce(1, 3, Error::message_too_large);
    lab.run(200_ms);
    const std::string all = lab.produced();
    EXPECT_EQ(all.substr(all.rfind("acks")), acknowledged ? "acks=all #0 x1 pid=7/0 seq=2..2\n" : "acks=all #0 x1 pid=7/1 seq=0..0\n");
  }
}

}  // namespace
}  // namespace mqlab::kafka::testing
