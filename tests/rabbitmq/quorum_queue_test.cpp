// A quorum queue as a state machine, one story a rule. Recorded: rabbit-quorum-*.
// Sources: rabbit_fifo_v3 (3.x), rabbit_fifo_v7 (4.0 to 4.2), rabbit_fifo (4.3); docs quorum-queues.
#include <gtest/gtest.h>

#include "tests/rabbitmq/quorum_lab.h"

namespace mqlab::rabbitmq {
namespace {

using namespace literals;

// --- publishing ---

TEST(RabbitQuorumQueue, ASendersNumbersAreTakenInOrderAndOnce) {
  QuorumLab lab("4.3");
  EXPECT_EQ(lab.apply(Enqueue{publisher, 1, message(1)}), "confirm 9#1\n");
  EXPECT_EQ(lab.apply(Enqueue{publisher, 3, message(3)}), "");  // 2 is missing
  EXPECT_EQ(lab.reply.kind, QuorumReply::Kind::not_enqueued);
  EXPECT_EQ(lab.apply(Enqueue{publisher, 2, message(2)}), "confirm 9#2\n");
  EXPECT_EQ(lab.apply(Enqueue{publisher, 2, message(2)}), "confirm 9#2\n");  // sent again: answered, not enqueued
  EXPECT_EQ(lab.apply(Enqueue{publisher, 3, message(3)}), "confirm 9#3\n");
  EXPECT_EQ(lab.ready(), "1 2 3");
}

// Who publishes again under another channel is another sender.
TEST(RabbitQuorumQueue, ANewChannelHasNoMemory) {
  QuorumLab lab("4.3");
  lab.apply(Enqueue{1, 1, message(1)});
  lab.down(1);
  lab.apply(Enqueue{2, 1, message(1)});
  EXPECT_EQ(lab.ready(), "1 1");
}

// --- handing out ---

TEST(RabbitQuorumQueue, ConsumersTakeTurnsWithinTheirCredit) {
  QuorumLab lab("4.3");
  lab.consume(1, "a", 2);
  lab.consume(2, "b", 1);
  EXPECT_EQ(lab.fill(4), "deliver 1/a #0 m1\ndeliver 2/b #0 m2\ndeliver 1/a #1 m3\n");
  EXPECT_EQ(lab.settle(2, "b", {0}), "deliver 2/b #1 m4\n");
  EXPECT_EQ(lab.settle(1, "a", {7}), "");  // unknown numbers do nothing
  EXPECT_EQ(lab.queue.unacked_count(), 3);
}

TEST(RabbitQuorumQueue, AHigherConsumerComesFirst) {
  QuorumLab lab("4.3");
  lab.consume(1, "low", 2, 0);
  lab.consume(2, "high", 1, 5);
  EXPECT_EQ(lab.fill(2), "deliver 2/high #0 m1\ndeliver 1/low #0 m2\n");
}

TEST(RabbitQuorumQueue, UnlimitedIsTwoThousand) {
  QuorumLab lab("4.3");
  lab.fill(2001);
  lab.consume(1, "t");
  EXPECT_EQ(lab.queue.unacked_count(), 2000);
}

TEST(RabbitQuorumQueue, ACancelledConsumerKeepsWhatItHolds) {
  QuorumLab lab("4.3");
  lab.fill(2);
  lab.consume(1, "t", 1);
  lab.apply(Cancel{{1, "t"}});
  EXPECT_EQ(lab.queue.unacked_count(), 1);
  EXPECT_EQ(lab.settle(1, "t", {0}), "");
  EXPECT_EQ(lab.queue.consumer_count(), 0);
  lab.apply(Cancel{{1, "t"}});
  EXPECT_EQ(lab.reply.kind, QuorumReply::Kind::not_found);
}

// merge_consumer: the same tag again counts what it holds against its prefetch.
TEST(RabbitQuorumQueue, ACancelledConsumerMayComeAgain) {
  QuorumLab lab("4.3");
  lab.fill(4);
  lab.consume(1, "t", 2);
  lab.apply(Cancel{{1, "t"}});
  EXPECT_EQ(lab.consume(1, "t", 3), "deliver 1/t #2 m3\n");
}

TEST(RabbitQuorumQueue, GetIsAConsumerOfOne) {
  QuorumLab lab("3.10");
  EXPECT_EQ(lab.get(1, "g1"), "get-empty 1\n");
  EXPECT_EQ(lab.reply.kind, QuorumReply::Kind::empty);
  lab.fill(2);
  EXPECT_EQ(lab.get(1, "g2"), "deliver 1/g2 #0 m1 left 1 count 0\n");
  EXPECT_EQ(lab.queue.consumer_count(), 1);
  lab.settle(1, "g2", {0});
  EXPECT_EQ(lab.queue.consumer_count(), 0);
  lab.apply(Dequeue{{1, "g3"}, true});
  EXPECT_EQ(lab.queue.unacked_count(), 0);
  EXPECT_EQ(lab.ready(), "");
}

// --- what comes back ---

// Recorded: rabbit-quorum-02.
TEST(RabbitQuorumQueue, UpTo3EveryReturnIsCountedAndTold) {
  QuorumLab lab("3.10");
  lab.fill(1);
  lab.get(1, "a");
  lab.nack(1, "a", {0});
  EXPECT_EQ(lab.get(1, "b"), "deliver 1/b #0 m1 redelivered left 0 count 1\n");
  lab.reject(1, "b", {0});
  EXPECT_EQ(lab.get(1, "c"), "deliver 1/c #0 m1 redelivered left 0 count 2\n");
  lab.down(1);
  EXPECT_EQ(lab.get(2, "d"), "deliver 2/d #0 m1 redelivered left 0 count 3\n");
}

TEST(RabbitQuorumQueue, From4OnFailuresAndReturnsAreToldApart) {
  QuorumLab lab("4.3");
  lab.fill(1);
  lab.consume(1, "t", 1);
  EXPECT_EQ(lab.nack(1, "t", {0}), "deliver 1/t #1 m1 redelivered acquired 1\n");
  EXPECT_EQ(lab.reject(1, "t", {1}), "deliver 1/t #2 m1 redelivered count 1 acquired 2\n");
  // In 4.2 a reject is the same command as a nack; the loss of a channel is a failure.
  QuorumLab old("4.2", {.delivery_limit = 20});
  old.fill(1);
  old.consume(1, "t", 1);
  old.down(1);
  EXPECT_EQ(old.consume(2, "t", 1), "deliver 2/t #0 m1 redelivered count 1 acquired 1\n");
  EXPECT_EQ(old.reject(2, "t", {0}), "deliver 2/t #1 m1 redelivered count 1 acquired 2\n");
}

// Recorded: rabbit-quorum-04. A limit of L is L + 1 deliveries.
TEST(RabbitQuorumQueue, TheDeliveryLimitDropsOnTheReturnAboveIt) {
  QuorumLab lab("3.10", {.delivery_limit = 2});
  lab.fill(1);
  lab.consume(1, "t", 1);
  lab.nack(1, "t", {0});
  lab.nack(1, "t", {1});
  EXPECT_EQ(lab.nack(1, "t", {2}), "drop m1 delivery_limit\n");
}

// docs quorum-queues: in 4.3 a nack is no failure; in 4.2 each assignment counts.
TEST(RabbitQuorumQueue, WhatCountsAgainstTheLimit) {
  for (const char* profile : {"4.2", "4.3"}) {
    QuorumLab lab(profile, {.dead_letter_exchange = "dlx", .delivery_limit = 1});
    lab.fill(1);
    lab.consume(1, "t", 1);
    lab.nack(1, "t", {0});
    const std::string second = lab.nack(1, "t", {1});
    EXPECT_EQ(second.find("dead-letter m1 delivery_limit") != std::string::npos, std::string(profile) == "4.2") << profile << second;
  }
  QuorumLab lab("4.3", {.delivery_limit = 1});
  lab.fill(1);
  lab.consume(1, "t", 1);
  lab.reject(1, "t", {0});
  EXPECT_EQ(lab.down(1), "drop m1 delivery_limit\n");  // the loss of a channel is a failure
}

// The catalogue's R31: who crashes with ten messages is charged ten times.
TEST(RabbitQuorumQueue, InnocentMessagesAreChargedToo) {
  QuorumLab lab("4.3", {.delivery_limit = 1});
  lab.fill(3);
  lab.consume(1, "t", 3);
  lab.down(1);
  lab.consume(2, "t", 3);
  EXPECT_EQ(lab.down(2), "drop m1 delivery_limit\ndrop m2 delivery_limit\ndrop m3 delivery_limit\n");
}

// The catalogue's R27: before all that is ready, in the order of the returns.
TEST(RabbitQuorumQueue, WithALimitReturnsComeFirstInTheirOwnOrder) {
  QuorumLab lab("4.3", {.delivery_limit = 20});
  lab.fill(5);
  lab.consume(1, "t", 3);
  lab.apply(Cancel{{1, "t"}});
  for (DeliveryId id : {2, 1, 0}) lab.nack(1, "t", {id});
  EXPECT_EQ(lab.ready(), "3 2 1 4 5");
}

TEST(RabbitQuorumQueue, OneNackOfManyKeepsTheOrder) {
  QuorumLab lab("4.3", {.delivery_limit = 20});
  lab.fill(4);
  lab.consume(1, "t", 3);
  lab.apply(Cancel{{1, "t"}});
  lab.nack(1, "t", {0, 1, 2});
  EXPECT_EQ(lab.ready(), "1 2 3 4");
}

// The catalogue's R28: without a limit it goes to the back ...
TEST(RabbitQuorumQueue, WithoutALimitAReturnGoesToTheTail) {
  for (const char* profile : {"3.13", "4.2", "4.3"}) {
    QuorumLab lab(profile);
    lab.fill(3);
    lab.consume(1, "t", 1);
    lab.apply(Cancel{{1, "t"}});
    lab.nack(1, "t", {0});
    EXPECT_EQ(lab.ready(), "2 3 1") << profile;
  }
}

// ... but what a lost channel held comes first all the same: that is no command of the client's.
TEST(RabbitQuorumQueue, WithoutALimitALostChannelReturnsToTheHead) {
  QuorumLab lab("3.13");
  lab.fill(3);
  lab.consume(1, "t", 1);
  lab.down(1);
  EXPECT_EQ(lab.ready(), "1 2 3");
}

TEST(RabbitQuorumQueue, RejectedMessagesAreDeadLetteredInTheirOrder) {
  QuorumLab lab("4.3", {.dead_letter_exchange = "dlx"});
  lab.fill(2);
  lab.consume(1, "t");
  EXPECT_EQ(lab.discard(1, "t", {1, 0}), "dead-letter m2 rejected\ndead-letter m1 rejected\n");
}

// docs quorum-queues, 4.3: min(min * deliveries, max).
TEST(RabbitQuorumQueue, RetriesMayBeDelayed) {
  QuorumLab lab("4.3", {.delivery_limit = 20, .delayed_retry = RetryFor::failed, .delayed_retry_min = 100_ms, .delayed_retry_max = 150_ms});
  lab.fill(1);
  lab.consume(1, "t", 1);
  EXPECT_EQ(lab.reject(1, "t", {0}), "");
  EXPECT_EQ(lab.queue.next_due(), 100_ms);
  EXPECT_EQ(lab.queue.delayed_count(), 1);
  EXPECT_EQ(lab.tick(100_ms), "deliver 1/t #1 m1 redelivered count 1 acquired 1\n");
  lab.reject(1, "t", {1});
  EXPECT_EQ(lab.queue.next_due(), 250_ms);
  lab.tick(250_ms);
  EXPECT_EQ(lab.nack(1, "t", {2}), "deliver 1/t #3 m1 redelivered count 2 acquired 3\n");  // a nack is no failure
}

// --- priorities ---

TEST(RabbitQuorumQueue, PrioritiesByRelease) {
  const auto order = [](const char* profile) {
    QuorumLab lab(profile);
    const int priorities[] = {0, 9, 1, 9, 9, 5};
    for (int i = 0; i < 6; ++i) lab.apply(Enqueue{no_channel, 0, message(static_cast<std::uint64_t>(i) + 1, {.priority = priorities[i]})});
    return lab.ready();
  };
  EXPECT_EQ(order("3.13"), "1 2 3 4 5 6");  // recorded: rabbit-quorum-14
  EXPECT_EQ(order("4.2"), "2 4 1 5 6 3");   // two high, one normal
  EXPECT_EQ(order("4.3"), "2 4 5 6 3 1");   // strictly
}

TEST(RabbitQuorumQueue, TheDefaultPriorityIsFour) {
  QuorumLab lab("4.3");
  lab.apply(Enqueue{no_channel, 0, message(1, {.priority = 3})});
  lab.apply(Enqueue{no_channel, 0, message(2)});
  lab.apply(Enqueue{no_channel, 0, message(3, {.priority = 5})});
  EXPECT_EQ(lab.ready(), "3 2 1");
}

// --- age ---

TEST(RabbitQuorumQueue, WhatIsTooOldAtTheHeadGoes) {
  QuorumLab lab("3.10", {.message_ttl = 100_ms, .dead_letter_exchange = "dlx"});
  lab.fill(1);
  lab.now = 50_ms;
  lab.apply(Enqueue{no_channel, 0, message(2, {.expiration = "10"})});
  EXPECT_EQ(lab.queue.next_due(), 100_ms);
  EXPECT_EQ(lab.tick(100_ms), "dead-letter m1 expired\ndead-letter m2 expired\n");
}

// rabbit_fifo:update_expiry_header: a life of zero is one millisecond.
TEST(RabbitQuorumQueue, ALifeOfZeroIsAMillisecond) {
  QuorumLab lab("4.3");
  EXPECT_EQ(lab.apply(Enqueue{no_channel, 0, message(1, {.expiration = "0"})}), "");
  EXPECT_EQ(lab.tick(1_ms), "drop m1 expired\n");
}

TEST(RabbitQuorumQueue, AnUnusedQueueGoes) {
  QuorumLab lab("4.3", {.expires = 300_ms});
  lab.consume(1, "t");
  EXPECT_EQ(lab.tick(1_s), "");
  lab.apply(Cancel{{1, "t"}});
  EXPECT_EQ(lab.queue.next_due(), 1300_ms);
  EXPECT_EQ(lab.tick(1300_ms), "delete queue: expired\n");
}

// --- limits ---

TEST(RabbitQuorumQueue, ReturnedMessagesAreDroppedFirst) {
  QuorumLab lab("4.3", {.max_length = 2, .delivery_limit = 20});
  lab.fill(1);
  lab.consume(1, "t", 1);
  lab.apply(Cancel{{1, "t"}});
  lab.enqueue(2);
  lab.enqueue(3);
  EXPECT_EQ(lab.nack(1, "t", {0}), "drop m1 maxlen\n");
}

// evaluate_limit: told by message, so the queue overshoots; told to go on at four fifths.
TEST(RabbitQuorumQueue, RejectPublishIsToldToPublishersLate) {
  QuorumLab lab("4.3", {.max_length = 5, .overflow = Overflow::reject_publish});
  lab.apply(RegisterEnqueuer{publisher});
  EXPECT_EQ(lab.reply.kind, QuorumReply::Kind::ok);
  for (std::uint64_t n = 1; n <= 5; ++n) lab.enqueue(n);
  EXPECT_EQ(lab.enqueue(6), "confirm 9#6\ntell 9 to reject\n");
  EXPECT_EQ(lab.enqueue(7), "confirm 9#7\n");  // already on its way: it still comes in
  lab.apply(RegisterEnqueuer{8});
  EXPECT_EQ(lab.reply.kind, QuorumReply::Kind::reject_publish);
  EXPECT_EQ(lab.get(1, "a"), "deliver 1/a #0 m1 left 6\ntell 8 to reject\n");
  lab.get(1, "b");
  EXPECT_EQ(lab.get(1, "c"), "deliver 1/c #0 m3 left 4\ntell 8 to go on\ntell 9 to go on\n");
}

// --- dead-lettering at least once ---

TEST(RabbitQuorumQueue, AtLeastOnceKeepsDeadLettersUntilTheyAreSafe) {
  QuorumLab lab("4.3", {.max_length = 2, .overflow = Overflow::reject_publish, .dead_letter_exchange = "dlx", .at_least_once = true});
  lab.fill(2);
  lab.consume(1, "t");
  EXPECT_EQ(lab.discard(1, "t", {0, 1}), "");
  EXPECT_EQ(lab.queue.dead_letter_count(), 2);
  lab.apply(RegisterEnqueuer{publisher});
  EXPECT_EQ(lab.enqueue(3), "confirm 9#1\ndeliver 1/t #2 m3\n");
  lab.nack(1, "t", {2});
  EXPECT_EQ(lab.apply(DlxCheckout{1}), "dlx #0 m1 rejected\n");
  EXPECT_EQ(lab.apply(DlxCheckout{2}), "dlx #0 m1 rejected\ndlx #1 m2 rejected\n");  // a new worker begins again
  lab.apply(DlxSettle{{0}});
  EXPECT_EQ(lab.queue.dead_letter_count(), 1);
}

// They count against the limit, so dead letters nobody takes can fill the queue.
TEST(RabbitQuorumQueue, DeadLettersFillTheQueue) {
  QuorumLab lab("4.3", {.max_length = 2, .overflow = Overflow::reject_publish, .dead_letter_exchange = "dlx", .at_least_once = true});
  lab.consume(1, "t");
  for (std::uint64_t n = 1; n <= 2; ++n) {
    lab.enqueue(n);
    lab.discard(1, "t", {n - 1});
  }
  lab.enqueue(3);
  lab.apply(Cancel{{1, "t"}});
  EXPECT_EQ(lab.nack(1, "t", {2}), "tell 9 to reject\n");
}

TEST(RabbitQuorumQueue, APurgeTakesDeadLettersFrom43On) {
  for (const char* profile : {"4.2", "4.3"}) {
    QuorumLab lab(profile, {.max_length = 9, .overflow = Overflow::reject_publish, .dead_letter_exchange = "dlx", .at_least_once = true});
    lab.fill(3);
    lab.consume(1, "t", 1);
    lab.apply(Cancel{{1, "t"}});
    lab.discard(1, "t", {0});
    lab.apply(Purge{});
    EXPECT_EQ(lab.reply.count, std::string(profile) == "4.3" ? 3 : 2) << profile;
  }
}

// --- the single active consumer ---

// Recorded: rabbit-quorum-13.
TEST(RabbitQuorumQueue, ASingleActiveConsumerIsFollowedByTheNext) {
  QuorumLab lab("3.10", {.single_active_consumer = true});
  EXPECT_EQ(lab.consume(1, "a"), "activate 1/a\n");
  EXPECT_EQ(lab.consume(2, "b"), "");
  lab.fill(2);
  lab.settle(1, "a", {0});
  EXPECT_EQ(lab.down(1), "activate 2/b\ndeliver 2/b #0 m2 redelivered count 1\n");
  lab.get(3, "g");
  EXPECT_EQ(lab.reply.kind, QuorumReply::Kind::locked);
}

// Since 4.0: a higher one takes over once the active one holds nothing; until then that one gets nothing more.
TEST(RabbitQuorumQueue, AHigherConsumerWaitsUntilTheActiveOneIsDone) {
  QuorumLab lab("4.3", {.single_active_consumer = true});
  lab.consume(1, "low", 1, 0);
  lab.fill(1);
  EXPECT_EQ(lab.consume(2, "high", 1, 5), "");
  EXPECT_EQ(lab.fill(1), "");
  EXPECT_EQ(lab.settle(1, "low", {0}), "deactivate 1/low\nactivate 2/high\ndeliver 2/high #0 m1\n");
  QuorumLab old("3.13", {.single_active_consumer = true});
  old.consume(1, "low", 1, 0);
  EXPECT_EQ(old.consume(2, "high", 1, 5), "");
  EXPECT_EQ(old.fill(1), "deliver 1/low #0 m1\n");
}

TEST(RabbitQuorumQueue, ACancelOfTheActiveOneMakesTwoHolders) {
  QuorumLab lab("4.3", {.single_active_consumer = true});
  lab.consume(1, "a", 1);
  lab.consume(2, "b", 1);
  lab.fill(2);
  EXPECT_EQ(lab.apply(Cancel{{1, "a"}}), "deactivate 1/a\nactivate 2/b\ndeliver 2/b #0 m2\n");
  EXPECT_EQ(lab.queue.unacked_count(), 2);
}

// --- nodes that are not reachable ---

// The catalogue's R38: before 4.3 another gets them at once, while the first may still be working.
TEST(RabbitQuorumQueue, AnUnreachableNodeCostsByRelease) {
  const ChannelId far = channel_id(3, 1), near = channel_id(1, 2);
  QuorumLab old("4.2", {.delivery_limit = 20});
  old.consume(far, "a", 1);
  old.consume(near, "b", 1);
  old.fill(1);
  EXPECT_EQ(old.apply(NodeDown{3}), "deliver 2/b #0 m1 redelivered count 1 acquired 1\n");

  QuorumLab lab("4.3", {.delivery_limit = 20});
  lab.consume(far, "a", 1);
  lab.consume(near, "b", 1);
  lab.fill(1);
  EXPECT_EQ(lab.apply(NodeDown{3}), "");
  EXPECT_EQ(lab.queue.next_due(), 60_s);
  EXPECT_EQ(lab.tick(60_s), "deliver 2/b #0 m1 redelivered acquired 1\n");  // and it is no failure
}

TEST(RabbitQuorumQueue, ANodeThatIsBackInTimeGoesOn) {
  const ChannelId far = channel_id(3, 1);
  QuorumLab lab("4.3");
  lab.consume(far, "a", 2);
  lab.fill(1);
  lab.apply(NodeDown{3});
  EXPECT_EQ(lab.fill(1), "");  // nothing more for it meanwhile
  lab.now = 30_s;
  EXPECT_EQ(lab.apply(NodeUp{3}), "deliver 1/a #1 m1\n");
  EXPECT_EQ(lab.tick(61_s), "");
  EXPECT_EQ(lab.queue.unacked_count(), 2);
}

// --- the consumer's time (4.3) ---

TEST(RabbitQuorumQueue, WhatIsNotSettledInTimeGoesBack) {
  QuorumLab lab("4.3", {.consumer_timeout = 10_s});
  lab.fill(2);
  lab.consume(1, "slow", 1);
  EXPECT_EQ(lab.queue.next_due(), 10_s);
  EXPECT_EQ(lab.tick(10_s), "timed out 1/slow (1 messages)\n");
  EXPECT_EQ(lab.ready(), "1 2");
  EXPECT_EQ(lab.consume(2, "other", 1), "deliver 2/other #0 m1 redelivered acquired 1\n");
  EXPECT_EQ(lab.settle(1, "slow", {0}), "deliver 1/slow #1 m2\n");  // it serves again, and settles nothing by this
  EXPECT_EQ(lab.queue.unacked_count(), 2);
}

TEST(RabbitQuorumQueue, ASingleActiveConsumerThatIsLateLosesItsPlace) {
  QuorumLab lab("4.3", {.single_active_consumer = true, .consumer_timeout = 10_s});
  lab.fill(1);
  lab.consume(1, "slow", 1);
  lab.consume(2, "next", 1);
  EXPECT_EQ(lab.tick(10_s), "timed out 1/slow (1 messages)\ndeactivate 1/slow\nactivate 2/next\ndeliver 2/next #0 m1 redelivered acquired 1\n");
  EXPECT_EQ(lab.settle(1, "slow", {0}), "");
  EXPECT_EQ(lab.down(2), "activate 1/slow\ndeliver 1/slow #1 m1 redelivered count 1 acquired 2\n");
}

// --- replicas ---

// A copy is a snapshot: from there on both answer alike.
TEST(RabbitQuorumQueue, ASnapshotGoesOnLikeItsOriginal) {
  QuorumLab a("4.3", {.delivery_limit = 2});
  a.fill(5);
  a.consume(1, "t", 2);
  a.reject(1, "t", {0});
  QuorumLab b = a;
  EXPECT_EQ(a.settle(1, "t", {1}), b.settle(1, "t", {1}));
  EXPECT_EQ(a.down(1), b.down(1));
  EXPECT_EQ(a.queue, b.queue);
}

TEST(RabbitQuorumQueue, ANewLeaderMaySendAgainWhatIsOut) {
  QuorumLab lab("4.3");
  lab.fill(2);
  lab.consume(1, "t", 2);
  QueueEffects out;
  lab.queue.resend(1, out);
  EXPECT_EQ(describe(out), "deliver 1/t #0 m1\ndeliver 1/t #1 m2\n");
}

}  // namespace
}  // namespace mqlab::rabbitmq
