// What a queue may be declared as, in the words of the broker; field tables.
#include <gtest/gtest.h>

#include "models/rabbitmq/queue_spec.h"

namespace mqlab::rabbitmq {
namespace {

using namespace literals;

const Rules rules_3 = *rules_of("3.10");
const Rules rules_4 = *rules_of("4.3");

std::string declare(const QueueSpec& spec, const Rules& rules = rules_3) {
  const MaybeError e = check_declare(spec, rules);
  return e ? e->text : "ok";
}
QueueSpec quorum(Table args = {}) {
  args.set("x-queue-type", "quorum");
  return {.name = "q", .durable = true, .args = std::move(args)};
}

TEST(RabbitQueueSpec, AWrongValueIsNamed) {
  const std::string head = "PRECONDITION_FAILED - invalid arg '";
  const std::string tail = "' for queue 'q' in vhost '/': ";
  EXPECT_EQ(declare({.name = "q", .args = {{"x-expires", 0}}}), head + "x-expires" + tail + "{value_zero,0}");
  EXPECT_EQ(declare({.name = "q", .args = {{"x-message-ttl", -1}}}), head + "x-message-ttl" + tail + "{value_negative,-1}");
  EXPECT_EQ(declare({.name = "q", .args = {{"x-overflow", "drop-tail"}}}), head + "x-overflow" + tail + "invalid_overflow");
  EXPECT_EQ(declare({.name = "q", .args = {{"x-dead-letter-routing-key", "k"}}}),
            head + "x-dead-letter-routing-key" + tail + "routing_key_but_no_dlx_defined");
  EXPECT_EQ(declare({.name = "q", .args = {{"x-dead-letter-exchange", 5}}}),
            "PRECONDITION_FAILED - invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'");
  EXPECT_EQ(declare({.name = "q", .args = {{"x-max-priority", 256}}}), head + "x-max-priority" + tail + "{max_value_exceeded,256}");
  EXPECT_EQ(declare({.name = "q", .args = {{"x-message-ttl", 0}, {"x-anything", true}}}), "ok");  // what no type knows is nobody's business
}

// Recorded: rabbit-stream-02.
TEST(RabbitQueueSpec, ATypeRefusesWhatOthersKnow) {
  EXPECT_EQ(declare({.name = "s3", .durable = true, .args = {{"x-queue-type", "stream"}, {"x-max-length", 5}}}),
            "PRECONDITION_FAILED - invalid arg 'x-max-length' for queue 's3' in vhost '/' of queue type rabbit_stream_queue");
  EXPECT_EQ(declare({.name = "s2", .args = {{"x-queue-type", "stream"}}}), "PRECONDITION_FAILED - invalid property 'non-durable' for queue 's2' in vhost '/'");
  EXPECT_EQ(declare(quorum({{"x-max-priority", 5}})), "PRECONDITION_FAILED - invalid arg 'x-max-priority' for queue 'q' in vhost '/' of queue type rabbit_quorum_queue");
  EXPECT_EQ(declare(quorum({{"x-delivery-limit", 5}})), "ok");
}

TEST(RabbitQueueSpec, ReleasesDifferInWhatTheyTake) {
  EXPECT_EQ(declare({.name = "q"}, rules_3), "ok");
  EXPECT_NE(declare({.name = "q"}, rules_4), "ok");  // transient and not exclusive
  EXPECT_EQ(declare({.name = "q", .exclusive = true}, rules_4), "ok");
  const QueueSpec lazy{.name = "q", .durable = true, .args = {{"x-queue-mode", "lazy"}}};
  EXPECT_EQ(declare(lazy, rules_3), "ok");
  EXPECT_NE(declare(lazy, rules_4), "ok");
  EXPECT_EQ(declare(quorum({{"x-delayed-retry-min", 5}}), rules_4), "ok");
  EXPECT_NE(declare(quorum({{"x-delayed-retry-min", 5}}), rules_3), "ok");
}

TEST(RabbitQueueSpec, DeclaringAgainMustAgree) {
  const auto again = [](const QueueSpec& there, const QueueSpec& now) {
    const MaybeError e = check_equivalent(there, now);
    return e ? e->text : "ok";
  };
  const std::string head = "PRECONDITION_FAILED - inequivalent arg '";
  EXPECT_EQ(again({.name = "q", .durable = true}, {.name = "q"}), head + "durable' for queue 'q' in vhost '/': received 'false' but current is 'true'");
  EXPECT_EQ(again({.name = "q", .args = {{"x-max-length", 1}}}, {.name = "q", .args = {{"x-max-length", 2}}}),
            head + "x-max-length' for queue 'q' in vhost '/': received '2' but current is '1'");
  EXPECT_EQ(again({.name = "q"}, {.name = "q", .args = {{"x-max-length", 2}}}),
            head + "x-max-length' for queue 'q' in vhost '/': received the value '2' of type 'signedint' but current is none");
  EXPECT_EQ(again({.name = "q", .args = {{"x-max-length", 1}}}, {.name = "q", .args = {{"x-max-length", std::int64_t{1}}}}), "ok");
  EXPECT_EQ(again({.name = "q"}, {.name = "q", .args = {{"x-queue-type", "classic"}}}), "ok");
}

TEST(RabbitQueueSpec, ArgumentsAreRead) {
  const QueueOptions o = queue_options({.name = "q", .durable = true, .args = {{"x-message-ttl", 60}, {"x-max-length", 7}, {"x-overflow", "reject-publish-dlx"},
                                                                              {"x-dead-letter-exchange", ""}, {"x-max-priority", 5}}}, rules_3);
  EXPECT_EQ(o.message_ttl, 60_ms);
  EXPECT_EQ(o.max_length, 7);
  EXPECT_EQ(o.overflow, Overflow::reject_publish_dlx);
  EXPECT_EQ(o.dead_letter_exchange, "");
  EXPECT_EQ(o.max_priority, 5);
  EXPECT_FALSE(queue_options({.name = "q", .durable = true, .exclusive = true}, rules_3).durable);  // whatever was said
}

// Release notes 4.0.1: twenty by default; -1 is none.
TEST(RabbitQueueSpec, TheDeliveryLimitByRelease) {
  EXPECT_EQ(queue_options(quorum(), rules_3).delivery_limit, std::nullopt);
  EXPECT_EQ(queue_options(quorum(), rules_4).delivery_limit, 20);
  EXPECT_EQ(queue_options(quorum({{"x-delivery-limit", -1}}), rules_4).delivery_limit, std::nullopt);
}

// docs quorum-queues: without reject-publish and a dead-letter exchange it is at most once, without a word.
TEST(RabbitQueueSpec, AtLeastOnceNeedsBothOthers) {
  Table args{{"x-dead-letter-strategy", "at-least-once"}, {"x-dead-letter-exchange", "dlx"}};
  EXPECT_FALSE(queue_options(quorum(args), rules_4).at_least_once);
  args.set("x-overflow", "reject-publish");
  EXPECT_TRUE(queue_options(quorum(args), rules_4).at_least_once);
  args.erase("x-dead-letter-exchange");
  EXPECT_FALSE(queue_options(quorum(args), rules_4).at_least_once);
}

TEST(RabbitQueueSpec, AgesAndExpirations) {
  EXPECT_EQ(parse_age("7D"), 7 * 86'400_s);
  EXPECT_EQ(parse_age("0s"), std::nullopt);
  EXPECT_EQ(parse_age("5"), std::nullopt);
  EXPECT_EQ(parse_age("5w"), std::nullopt);
  EXPECT_EQ(parse_expiration("0"), 0);
  EXPECT_EQ(parse_expiration("80"), 80_ms);
  EXPECT_EQ(parse_expiration(""), std::nullopt);
  EXPECT_EQ(parse_expiration("-1"), std::nullopt);
  EXPECT_EQ(parse_expiration("99999999999999999999"), std::nullopt);
}

TEST(RabbitTable, IsSortedAndHasEachNameOnce) {
  Table t{{"b", 1}, {"a", "x"}};
  t.set("b", true);
  EXPECT_EQ(describe(t), "{a=\"x\", b=true}");
  t.erase("a");
  EXPECT_EQ(t.size(), 1u);
  EXPECT_EQ(t, (Table{{"b", true}}));
}

TEST(RabbitTable, SameValueLooksThroughWidthsButNotThroughKinds) {
  EXPECT_TRUE(same_value(1, std::int64_t{1}));
  EXPECT_FALSE(FieldValue(1) == FieldValue(std::int64_t{1}));
  EXPECT_FALSE(same_value(1, "1"));
  EXPECT_FALSE(same_value(1, true));
  EXPECT_FALSE(same_value(1, FieldValue::real(1)));
  EXPECT_FALSE(same_value(std::vector<FieldValue>{1}, std::vector<FieldValue>{std::int64_t{1}}));  // inside, types count
}

}  // namespace
}  // namespace mqlab::rabbitmq
