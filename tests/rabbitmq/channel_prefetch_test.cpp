// A prefetch that the consumers of a channel share (basic.qos, global = true).
#include <gtest/gtest.h>

#include <set>

#include "models/rabbitmq/rabbitmq.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"
#include "tests/rabbitmq/broker_lab.h"

namespace mqlab::rabbitmq {
namespace {

// Two queues with five messages each, and a consumer of each on one channel.
std::size_t two_consumers(BrokerLab& lab, std::uint32_t each, std::uint32_t together) {
  const auto p = lab.channel();
  for (const char* q : {"a", "b"}) lab.declare(p, q);
  const auto k = lab.channel();
  lab.call(k, Kind::basic_qos, BasicQos{0, each, false});
  lab.call(k, Kind::basic_qos, BasicQos{0, together, true});
  for (const char* q : {"a", "b"}) {
    BasicConsume c;
    c.queue = c.tag = q;
    lab.call(k, Kind::basic_consume, std::move(c));
  }
  for (std::uint64_t n = 1; n <= 5; ++n)
    for (const char* q : {"a", "b"}) lab.publish(p, q, n);
  return k;
}

std::int64_t with_consumers(BrokerLab& lab) { return 10 - lab.broker().ready_count("a") - lab.broker().ready_count("b"); }

TEST(RabbitChannelPrefetch, IsForAllConsumersOfTheChannelTogether) {
  BrokerLab lab("4.2");
  const auto k = two_consumers(lab, 0, 3);
  EXPECT_EQ(with_consumers(lab), 3);
  lab.tell(k, Kind::basic_ack, BasicAck{1, false});
  lab.let(20);
  EXPECT_EQ(with_consumers(lab), 4);  // one is done, three are out
  EXPECT_EQ(lab.error(k), "");
}

// docs consumer-prefetch: both limits hold.
TEST(RabbitChannelPrefetch, TheNarrowerOfBothLimitsCounts) {
  BrokerLab lab("4.2");
  two_consumers(lab, 1, 3);
  EXPECT_EQ(with_consumers(lab), 2);
}

// A second channel has its own limit.
TEST(RabbitChannelPrefetch, AnotherChannelDoesNotShareIt) {
  BrokerLab lab("4.2");
  two_consumers(lab, 0, 3);
  const auto other = lab.channel();
  BasicConsume c;
  c.queue = c.tag = "a";
  lab.call(other, Kind::basic_consume, std::move(c));
  EXPECT_EQ(lab.broker().ready_count("a"), 0);
}

// 4.3 denies the global kind: it counts for each consumer that begins from then on.
TEST(RabbitChannelPrefetch, OnFourThreeItIsEachConsumersOwn) {
  BrokerLab lab("4.3");
  two_consumers(lab, 0, 3);
  EXPECT_EQ(with_consumers(lab), 6);
}

// As recorded (rabbit-quorum-12); and where the global kind is denied there is nothing to refuse.
TEST(RabbitChannelPrefetch, QuorumQueuesRefuseIt) {
  for (const char* profile : {"4.2", "4.3"}) {
    BrokerLab lab(profile);
    const auto p = lab.channel();
    lab.declare(p, "qq", true, {{"x-queue-type", "quorum"}});
    lab.let(500);
    const auto k = lab.channel();
    lab.call(k, Kind::basic_qos, BasicQos{0, 3, true});
    BasicConsume c;
    c.queue = c.tag = "qq";
    lab.call(k, Kind::basic_consume, std::move(c));
    EXPECT_EQ(lab.error(k), profile == std::string("4.2") ? "540 NOT_IMPLEMENTED - queue 'qq' in vhost '/' does not support global qos" : "");
  }
}

class RabbitChannelPrefetchRun : public testing::Test {
 protected:
  RabbitChannelPrefetchRun() { models.add(make_model()); }
  Scenario scenario(const std::string& consumer, const std::string& cluster, const std::string& topic = "") const {
    return load_scenario("return scenario { title = \"t\", cluster = rabbitmq { profile = \"4.2\"" + cluster + " }, topics = { a = {" + topic + "}, b = {} }, clients = { "
                         "producer \"P\" { topic = \"a\", records = 20 }, producer \"Q\" { topic = \"b\", records = 20 }, "
                         "consumer \"K\" { topics = { \"a\", \"b\" }, ack = \"accept\", work = ms(200), max_poll = 1, " + consumer + " } }, "
                         "faults = { at(seconds(4), kill \"K\" { duration = seconds(5) }) }, run_for = seconds(60) }", "t.lua", models);
  }
  // Messages that came again: those that K held when it died.
  std::size_t held(const std::string& consumer, const std::string& cluster = "") const {
    const RunResult r = run_scenario(scenario(consumer, cluster), *models.find("rabbitmq"), nullptr, {.seed = 1});
    EXPECT_TRUE(r.drained) << r.not_drained_because;
    EXPECT_EQ(r.verdict("lost-message")->report.verdict, Verdict::holds);
    std::set<MessageId> again;
    for (const Op& op : r.world->journal.ops)
      if (op.kind == OpKind::deliver && (op.flags & op_flag::redelivered)) again.insert(op.message);
    return again.size();
  }
  Models models;
};

TEST_F(RabbitChannelPrefetchRun, AConsumerOfTwoTopicsHoldsSoManyInAll) {
  EXPECT_EQ(held("prefetch = 4"), 8U);
  EXPECT_EQ(held("channel_prefetch = 4"), 4U);
  EXPECT_EQ(held("channel_prefetch = 4", ", shared_prefetch = false"), 8U);
}

TEST_F(RabbitChannelPrefetchRun, IsRefusedForAQuorumQueueBeforeAnythingRuns) {
  const auto refused = [&](const std::string& cluster) -> std::string {
    try {
      Deployment d;
      build_world(scenario("channel_prefetch = 4", cluster, " queue_type = \"quorum\" "), *models.find("rabbitmq"), nullptr, {.seed = 1}, d);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_NE(refused("").find("consumer `K`: channel_prefetch is a global basic.qos, and a quorum queue (topic `a`) does not support that (540 NOT_IMPLEMENTED); use prefetch"), std::string::npos);
  EXPECT_EQ(refused(", shared_prefetch = false"), "");
}

}  // namespace
}  // namespace mqlab::rabbitmq
