// A classic queue, one story a rule. Recorded: rabbit-ack-*, -qos-*, -sac-*, -ttl-*, -maxlen-*, -priority-*, -queue-*.
#include <gtest/gtest.h>

#include "tests/rabbitmq/queue_lab.h"

namespace mqlab::rabbitmq {
namespace {

using namespace literals;

// --- order and settling ---

TEST(RabbitClassicQueue, AMessageGoesToWhoWaitsAndElseIsKept) {
  ClassicLab lab;
  EXPECT_EQ(lab.publish(1), "confirm 9#1\n");
  EXPECT_EQ(lab.consume(1, "t"), "deliver 1/t #1 m1\n");
  EXPECT_EQ(lab.publish(2), "confirm 9#2\ndeliver 1/t #2 m2\n");
  EXPECT_EQ(lab.queue.unacked_count(), 2);
  lab.ack(1, {1, 2});
  EXPECT_EQ(lab.queue.unacked_count(), 0);
}

// rabbit_variable_queue:requeue merges by sequence number: whatever the order of the nacks, the order is that of the publishes.
TEST(RabbitClassicQueue, WhatComesBackGoesToWhereItWas) {
  ClassicLab lab;
  lab.fill(5);
  for (int i = 0; i < 3; ++i) lab.get(1);
  lab.requeue(1, {2});
  EXPECT_EQ(lab.ready(), "2 4 5");
  lab.requeue(1, {3});
  lab.requeue(1, {1});
  EXPECT_EQ(lab.ready(), "1 2 3 4 5");
  EXPECT_EQ(lab.get(1), "deliver 1/get #1 m1 redelivered left 4\n");
}

TEST(RabbitClassicQueue, ARequeueIsServedAtOnce) {
  ClassicLab lab;
  lab.fill(1);
  lab.consume(1, "t");
  EXPECT_EQ(lab.requeue(1, {1}), "deliver 1/t #1 m1 redelivered\n");
}

TEST(RabbitClassicQueue, AChannelThatEndsGivesBackAllItHolds) {
  ClassicLab lab;
  lab.fill(4);
  lab.consume(1, "t", 2);
  lab.get(1);
  EXPECT_EQ(lab.down(1), "");
  EXPECT_EQ(lab.ready(), "1 2 3 4");
  EXPECT_EQ(lab.queue.consumer_count(), 0);
}

// basic.cancel stops deliveries and requeues nothing.
TEST(RabbitClassicQueue, ACancelledConsumerKeepsWhatItHolds) {
  ClassicLab lab;
  lab.fill(2);
  lab.consume(1, "t", 1);
  EXPECT_EQ(lab.cancel(1, "t"), "");
  EXPECT_EQ(lab.queue.unacked_count(), 1);
  EXPECT_EQ(lab.ack(1, {1}), "");
  EXPECT_EQ(lab.ready(), "2");
}

TEST(RabbitClassicQueue, NoAckIsGoneOnceSent) {
  ClassicLab lab;
  lab.fill(2);
  EXPECT_EQ(lab.consume_no_ack(1, "t"), "deliver 1/t #1 m1 no_ack\ndeliver 1/t #2 m2 no_ack\n");
  EXPECT_EQ(lab.queue.unacked_count(), 0);
}

TEST(RabbitClassicQueue, ForeignOrUnknownNumbersDoNothing) {
  ClassicLab lab;
  lab.fill(1);
  lab.get(1);
  EXPECT_EQ(lab.ack(2, {1}), "");
  EXPECT_EQ(lab.requeue(2, {1}), "");
  EXPECT_EQ(lab.ack(1, {7}), "");
  EXPECT_EQ(lab.queue.unacked_count(), 1);
}

// --- who gets what ---

TEST(RabbitClassicQueue, ConsumersTakeTurns) {
  ClassicLab lab;
  lab.consume(1, "a", 2);
  lab.consume(2, "b", 2);
  EXPECT_EQ(lab.fill(6), "deliver 1/a #1 m1\ndeliver 2/b #2 m2\ndeliver 1/a #3 m3\ndeliver 2/b #4 m4\n");
  EXPECT_EQ(lab.ready(), "5 6");
  EXPECT_EQ(lab.ack(2, {2}), "deliver 2/b #5 m5\n");
}

// docs consumer-priority: the lower one gets something only when the higher one is blocked.
TEST(RabbitClassicQueue, AHigherConsumerComesFirstWhileItHasCredit) {
  ClassicLab lab;
  lab.consume(1, "low", 1, 0);
  lab.consume(2, "high", 2, 5);
  EXPECT_EQ(lab.fill(4), "deliver 2/high #1 m1\ndeliver 2/high #2 m2\ndeliver 1/low #3 m3\n");
  EXPECT_EQ(lab.ack(2, {1}), "deliver 2/high #4 m4\n");
}

// basic.qos global: one count for all consumers of the channel, in all queues; both limits must allow.
TEST(RabbitClassicQueue, AChannelsSharedPrefetchHolds) {
  ClassicLab lab;
  lab.limiter.channels[1] = {.prefetch = 3};
  lab.consume(1, "a", 2);
  lab.consume(1, "b", 2);
  EXPECT_EQ(lab.fill(5), "deliver 1/a #1 m1\ndeliver 1/b #2 m2\ndeliver 1/a #3 m3\n");
  EXPECT_EQ(lab.ack(1, {2}), "deliver 1/b #4 m4\n");
  lab.limiter.channels[1].prefetch = 0;
  QueueEffects out;
  lab.queue.resume(1, 0, lab.limiter, out);
  EXPECT_EQ(describe(out), "deliver 1/b #5 m5\n");
}

TEST(RabbitClassicQueue, BasicGetIgnoresPrefetch) {
  ClassicLab lab;
  lab.limiter.channels[1] = {.prefetch = 1};
  lab.fill(3);
  EXPECT_EQ(lab.get(1), "deliver 1/get #1 m1 left 2\n");
  EXPECT_EQ(lab.get(1), "deliver 1/get #2 m2 left 1\n");
  EXPECT_EQ(lab.limiter.channels[1].unacked, 0u);
  EXPECT_EQ(lab.consume(1, "t"), "deliver 1/t #3 m3\n");
  EXPECT_EQ(lab.get(1), "get-empty 1\n");
}

TEST(RabbitClassicQueue, AnExclusiveConsumerShutsOthersOut) {
  ClassicLab lab;
  lab.consume_exclusive(1, "a");
  lab.consume(2, "b");
  EXPECT_EQ(lab.error.text, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use");
  lab.cancel(1, "a");
  lab.consume(2, "b");
  EXPECT_EQ(lab.error.text, "");
  lab.consume_exclusive(1, "a");
  EXPECT_EQ(lab.error.code, 403);
}

// docs consumers: who registers first is active; the next in order follows.
TEST(RabbitClassicQueue, ASingleActiveConsumerGetsAllUntilItGoes) {
  ClassicLab lab({.single_active_consumer = true});
  EXPECT_EQ(lab.consume(1, "a", 2), "activate 1/a\n");
  EXPECT_EQ(lab.consume(2, "b"), "");
  EXPECT_EQ(lab.consume(3, "c", 0, 5), "");
  EXPECT_EQ(lab.fill(3), "deliver 1/a #1 m1\ndeliver 1/a #2 m2\n");
  EXPECT_EQ(lab.get(7), "deliver 7/get #3 m3 left 0\n");  // a classic queue serves a reader beside it
  EXPECT_EQ(lab.down(1), "deactivate 1/a\nactivate 3/c\ndeliver 3/c #1 m1 redelivered\ndeliver 3/c #2 m2 redelivered\n");
  lab.consume_exclusive(4, "d");
  EXPECT_EQ(lab.error.code, 403);
}

// docs queues warn of it: a cancel hands the part over while the old one still works; two hold messages.
TEST(RabbitClassicQueue, ACancelOfTheActiveOneMakesTwoHolders) {
  ClassicLab lab({.single_active_consumer = true});
  lab.consume(1, "a", 1);
  lab.consume(2, "b", 1);
  lab.fill(2);
  EXPECT_EQ(lab.cancel(1, "a"), "deactivate 1/a\nactivate 2/b\ndeliver 2/b #2 m2\n");
  EXPECT_EQ(lab.queue.unacked_count(), 2);
}

// Recorded: rabbit-more-10 (3.10.8).
TEST(RabbitClassicQueue, In3TheNextActiveOneWaitsForAnotherEvent) {
  ClassicLab lab({.single_active_consumer = true, .cancel_serves_next = false});
  lab.consume(1, "a", 1);
  lab.consume(2, "b", 1);
  lab.fill(2);
  EXPECT_EQ(lab.cancel(1, "a"), "deactivate 1/a\nactivate 2/b\n");
  EXPECT_EQ(lab.ack(1, {1}), "");
  EXPECT_EQ(lab.consume(3, "c", 1), "deliver 2/b #2 m2\n");
}

// --- age ---

// docs ttl: only the head is looked at, so a short life may hide behind a long one.
TEST(RabbitClassicQueue, OnlyTheHeadExpires) {
  ClassicLab lab({.dead_letter_exchange = "dlx"});
  lab.publish(1);
  lab.publish(2, {.expiration = "80"});
  EXPECT_EQ(lab.queue.next_due(), time_max);
  EXPECT_EQ(lab.tick(250_ms), "");
  EXPECT_EQ(lab.get(1), "deliver 1/get #1 m1 left 0\ndead-letter m2 expired\n");
}

TEST(RabbitClassicQueue, TheShorterLifeCounts) {
  ClassicLab lab({.message_ttl = 150_ms});
  lab.publish(1, {.expiration = "10000"});
  EXPECT_EQ(lab.queue.next_due(), 150_ms);
  lab.tick(100_ms);
  lab.publish(2, {.expiration = "80"});
  EXPECT_EQ(lab.tick(150_ms), "drop m1 expired\n");
  EXPECT_EQ(lab.tick(180_ms), "drop m2 expired\n");
}

// The moment of death is stamped once, and goes on running while somebody holds the message.
TEST(RabbitClassicQueue, ARequeueDoesNotRenewALife) {
  ClassicLab lab({.message_ttl = 100_ms});
  lab.publish(1);
  lab.get(1);
  EXPECT_EQ(lab.tick(100_ms), "");
  EXPECT_EQ(lab.requeue(1, {1}), "drop m1 expired\n");
}

TEST(RabbitClassicQueue, ALifeOfZeroIsAtOnceOrNever) {
  ClassicLab lab;
  EXPECT_EQ(lab.publish(1, {.expiration = "0"}), "confirm 9#1\ndrop m1 expired\n");
  lab.consume(1, "t");
  EXPECT_EQ(lab.publish(2, {.expiration = "0"}), "confirm 9#2\ndeliver 1/t #2 m2\n");
}

// x-expires: no consumer, no get, no declare. What is in it is not dead-lettered.
TEST(RabbitClassicQueue, AnUnusedQueueGoes) {
  ClassicLab lab({.expires = 300_ms, .dead_letter_exchange = "dlx"});
  lab.fill(1);
  EXPECT_EQ(lab.tick(200_ms), "");
  lab.get(1);
  EXPECT_EQ(lab.queue.next_due(), 500_ms);
  lab.consume(1, "t");
  EXPECT_EQ(lab.queue.next_due(), time_max);
  EXPECT_EQ(lab.tick(900_ms), "");
  lab.cancel(1, "t");
  EXPECT_EQ(lab.tick(1100_ms), "");
  lab.queue.redeclared(lab.now);
  EXPECT_EQ(lab.tick(1399_ms), "");
  EXPECT_EQ(lab.tick(1400_ms), "delete queue: expired\n");
  EXPECT_EQ(lab.tick(2000_ms), "");
}

TEST(RabbitClassicQueue, AnAutoDeleteQueueGoesWithItsLastConsumer) {
  ClassicLab lab({.auto_delete = true});
  lab.fill(1);
  EXPECT_EQ(lab.down(5), "");  // it never had one
  lab.consume(1, "a", 1);
  lab.consume(2, "b", 1);
  EXPECT_EQ(lab.cancel(2, "b"), "");
  EXPECT_EQ(lab.down(1), "delete queue: auto-delete\n");
}

// --- limits ---

TEST(RabbitClassicQueue, AFullQueueDropsItsHeadAfterTheConfirm) {
  ClassicLab lab({.max_length = 2});
  lab.publish(1);
  lab.publish(2);
  EXPECT_EQ(lab.publish(3), "confirm 9#3\ndrop m1 maxlen\n");
  EXPECT_EQ(lab.ready(), "2 3");
}

TEST(RabbitClassicQueue, BytesAreThoseOfReadyBodies) {
  ClassicLab lab({.max_length_bytes = 10});
  for (std::uint64_t n : {1, 2, 3}) lab.publish(n, {.size = 4});
  EXPECT_EQ(lab.ready(), "2 3");
  lab.get(1);
  lab.publish(4, {.size = 6});  // what is out does not count
  EXPECT_EQ(lab.ready(), "3 4");
  lab.publish(5, {.size = 11});
  EXPECT_EQ(lab.ready(), "");
}

TEST(RabbitClassicQueue, RejectPublishNacksTheNewest) {
  ClassicLab lab({.max_length = 1, .overflow = Overflow::reject_publish, .dead_letter_exchange = "dlx"});
  EXPECT_EQ(lab.publish(1), "confirm 9#1\n");
  EXPECT_EQ(lab.publish(2), "drop m2 maxlen\nreject 9#2\n");  // not dead-lettered
  EXPECT_EQ(lab.fill(1), "drop m1 maxlen\n");                 // without confirms nobody hears of it
}

TEST(RabbitClassicQueue, RejectPublishDlxNacksAndDeadLetters) {
  ClassicLab lab({.max_length = 1, .overflow = Overflow::reject_publish_dlx, .dead_letter_exchange = "dlx"});
  lab.publish(1);
  EXPECT_EQ(lab.publish(2), "dead-letter m2 maxlen\nreject 9#2\n");
}

// The catalogue's R44: what comes back to a full queue comes to its head, and is what goes.
TEST(RabbitClassicQueue, ARequeueIntoAFullQueueIsDropped) {
  ClassicLab lab({.max_length = 1});
  lab.publish(1);
  lab.get(1);
  lab.publish(2);
  EXPECT_EQ(lab.requeue(1, {1}), "drop m1 maxlen\n");
}

TEST(RabbitClassicQueue, ARejectedMessageIsDeadLetteredOrGone) {
  ClassicLab lab({.dead_letter_exchange = "dlx"});
  lab.fill(2);
  lab.get(1);
  lab.get(1);
  EXPECT_EQ(lab.discard(1, {1, 2}), "dead-letter m1 rejected\ndead-letter m2 rejected\n");
  ClassicLab plain;
  plain.fill(1);
  plain.get(1);
  EXPECT_EQ(plain.discard(1, {1}), "drop m1 rejected\n");
}

// --- priorities ---

TEST(RabbitClassicQueue, PrioritiesAreStrictAndClipped) {
  ClassicLab lab({.max_priority = std::uint8_t{5}});
  lab.publish(1, {.priority = 1});
  lab.publish(2);
  lab.publish(3, {.priority = 5});
  lab.publish(4, {.priority = 9});
  lab.publish(5, {.priority = 0});
  EXPECT_EQ(lab.ready(), "3 4 1 2 5");
}

TEST(RabbitClassicQueue, TheHeadOfAPriorityQueueIsItsHighest) {
  ClassicLab lab({.max_length = 2, .max_priority = std::uint8_t{5}});
  lab.publish(1, {.priority = 5});
  lab.publish(2, {.priority = 1});
  lab.publish(3, {.priority = 3});
  EXPECT_EQ(lab.ready(), "3 2");
}

TEST(RabbitClassicQueue, WithoutAMaximumPrioritiesMeanNothing) {
  ClassicLab lab;
  lab.publish(1, {.priority = 1});
  lab.publish(2, {.priority = 9});
  EXPECT_EQ(lab.ready(), "1 2");
}

// --- what survives ---

// rabbit_classic_queue_store_v2: the confirm means written, not synced.
TEST(RabbitClassicQueue, APersistentMessageIsConfirmedWhenWritten) {
  ClassicLab lab({.durable = true});
  EXPECT_EQ(lab.publish(1, {.persistent = true}), "store publish 1 m1\n");
  EXPECT_EQ(lab.publish(2), "confirm 9#2\n");
  EXPECT_EQ(lab.publish(3, {.persistent = true}), "store publish 3 m3\n");
  EXPECT_EQ(lab.written(1), "confirm 9#1\n");
  EXPECT_EQ(lab.written(2), "confirm 9#3\n");
  EXPECT_EQ(lab.written(2), "");
}

TEST(RabbitClassicQueue, WhatIsSettledBeforeItIsWrittenIsConfirmedThen) {
  ClassicLab lab({.durable = true});
  lab.consume(1, "t");
  EXPECT_EQ(lab.publish(1, {.persistent = true}), "store publish 1 m1\ndeliver 1/t #1 m1\n");
  EXPECT_EQ(lab.ack(1, {1}), "confirm 9#1\nstore ack 1\n");
  EXPECT_EQ(lab.written(2), "");
}

TEST(RabbitClassicQueue, ANoAckDeliveryIsNeverStored) {
  ClassicLab lab({.durable = true});
  lab.consume_no_ack(1, "t");
  EXPECT_EQ(lab.publish(1, {.persistent = true}), "deliver 1/t #1 m1 no_ack\nconfirm 9#1\n");
}

TEST(RabbitClassicQueue, AnUncleanEndKeepsWhatWasWrittenAndFlagsItAll) {
  ClassicLab lab({.durable = true});
  for (std::uint64_t n : {1, 2, 3, 4}) lab.publish(n, {.persistent = n != 2});
  lab.get(1);
  lab.ack(1, {1});
  QueueEffects out;
  // The last record, the ack of 1, did not make it: the message rises again.
  ASSERT_EQ(lab.file.size(), 4u);
  const std::vector<StoreRecord> survived(lab.file.begin(), lab.file.end() - 1);
  ClassicQueue back = ClassicQueue::recover(lab.queue, survived, false, 0, out);
  std::string seen;
  for (const auto& m : back.ready()) seen += std::to_string(m.content->message) + (m.delivered ? "r " : " ");
  EXPECT_EQ(seen, "1r 3r 4r ");  // 2 was transient
  EXPECT_EQ(back.consumer_count(), 0);
}

TEST(RabbitClassicQueue, ACleanEndRemembersHowFarItHadHandedOut) {
  ClassicLab lab({.durable = true});
  for (std::uint64_t n : {1, 2, 3}) lab.publish(n, {.persistent = true});
  lab.get(1);
  QueueEffects out;
  const ClassicQueue back = ClassicQueue::recover(lab.queue, lab.file, true, 0, out);
  std::string seen;
  for (const auto& m : back.ready()) seen += std::to_string(m.content->message) + (m.delivered ? "r " : " ");
  EXPECT_EQ(seen, "1r 2 3 ");
}

// rabbit_channel:handle_eol: publishers of a queue that goes get their confirm; messages are not dead-lettered.
TEST(RabbitClassicQueue, ADeletedQueueCancelsAndConfirms) {
  ClassicLab lab({.durable = true, .dead_letter_exchange = "dlx"});
  lab.publish(1, {.persistent = true});
  lab.publish(2, {.persistent = true});
  lab.consume(1, "t", 1);
  QueueEffects out;
  lab.queue.deleted(out);
  EXPECT_EQ(describe(out), "cancel 1/t\nconfirm 9#1\nconfirm 9#2\n");
}

TEST(RabbitClassicQueue, APurgeTakesTheReadyOnesOnly) {
  ClassicLab lab({.dead_letter_exchange = "dlx"});
  lab.fill(3);
  lab.get(1);
  QueueEffects out;
  EXPECT_EQ(lab.queue.purge(0, out), 2);
  EXPECT_EQ(describe(out), "");
  EXPECT_EQ(lab.requeue(1, {1}), "");
  EXPECT_EQ(lab.ready(), "1");
}

}  // namespace
}  // namespace mqlab::rabbitmq
