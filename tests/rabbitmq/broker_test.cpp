// The broker as its clients see it: what survives its end, what channels and connections are closed for, alarms.
#include <gtest/gtest.h>

#include "tests/rabbitmq/broker_lab.h"

namespace mqlab::rabbitmq {
namespace {

// docs queues, persistence-conf: a durable queue and its persistent messages survive, all flagged as redelivered.
TEST(RabbitBroker, PersistentMessagesSurviveAKilledProcess) {
  BrokerLab lab;
  const auto p = lab.channel(true);
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  lab.publish(p, "q", 2, false);
  lab.publish(p, "q", 3);
  EXPECT_EQ(lab.confirms(p), "1+ 2+ 3+");
  lab.end(false);
  EXPECT_EQ(lab.drain(lab.channel(), "q"), "1! 3!");
}

// rabbit_classic_queue_store_v2: a confirm means "in the file", and the file is in the page cache.
TEST(RabbitBroker, AConfirmedMessageIsLostWithThePowerUnlessItWasSynced) {
  BrokerLab lab("4.2");
  const auto p = lab.channel(true);
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  EXPECT_EQ(lab.confirms(p), "1+");
  lab.end(true);
  EXPECT_EQ(lab.drain(lab.channel(), "q"), "");

  BrokerLab synced("3.10", true);
  const auto s = synced.channel(true);
  synced.declare(s, "q");
  synced.publish(s, "q", 1);
  EXPECT_EQ(synced.confirms(s), "1+");
  synced.end(true);
  EXPECT_EQ(synced.drain(synced.channel(), "q"), "1!");
}

// Recovery terms: after a clean stop it is known what was delivered and what was not.
TEST(RabbitBroker, AfterACleanStopNothingIsFlagged) {
  BrokerLab lab;
  const auto p = lab.channel(true);
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  Fault stop;
  stop.kind = FaultKind::stop;
  stop.groups = {{"B1"}};
  lab.world.inject(stop);
  lab.let(100);
  ASSERT_FALSE(lab.world.running(0));
  lab.world.start(0);
  lab.let(100);
  EXPECT_EQ(lab.drain(lab.channel(), "q"), "1");
}

TEST(RabbitBroker, TransientAndExclusiveQueuesGoWithTheNode) {
  BrokerLab lab;
  const auto p = lab.channel();
  lab.declare(p, "transient", false);
  lab.declare(p, "durable", true);
  lab.end(false);
  EXPECT_FALSE(lab.broker().routing().has_queue("transient"));
  EXPECT_TRUE(lab.broker().routing().has_queue("durable"));
}

TEST(RabbitBroker, AnExclusiveQueueIsItsConnectionsAlone) {
  BrokerLab lab;
  const auto owner = lab.channel();
  QueueDeclare d;
  d.queue = "mine";
  d.exclusive = true;
  lab.call(owner, Kind::queue_declare, d);
  const auto stranger = lab.channel();
  d.passive = true;
  lab.call(stranger, Kind::queue_declare, d);
  EXPECT_EQ(lab.error(stranger).substr(0, 19), "405 RESOURCE_LOCKED");
  Context c = lab.context();
  lab.tester().connections[lab.tester().of_channel[owner]].wire.close(c);
  lab.let(50);
  EXPECT_FALSE(lab.broker().routing().has_queue("mine"));
}

// collect_acks: the tag itself must be outstanding, also with multiple.
TEST(RabbitBroker, AnAckOfWhatIsNotOutstandingClosesTheChannelAndRequeues) {
  BrokerLab lab;
  const auto p = lab.channel();
  lab.declare(p, "q");
  for (std::uint64_t n = 1; n <= 3; ++n) lab.publish(p, "q", n);
  const auto k = lab.channel();
  for (int i = 0; i < 3; ++i) lab.call(k, Kind::basic_get, BasicGet{"q", false});
  lab.tell(k, Kind::basic_ack, BasicAck{2, false});
  lab.tell(k, Kind::basic_ack, BasicAck{2, true});
  lab.let(20);
  EXPECT_EQ(lab.error(k), "406 PRECONDITION_FAILED - unknown delivery tag 2");
  EXPECT_EQ(lab.drain(p, "q"), "1! 3!");
}

TEST(RabbitBroker, AckOfZeroAndMultipleIsAllThatIsOutstanding) {
  BrokerLab lab;
  const auto p = lab.channel();
  lab.declare(p, "q");
  for (std::uint64_t n = 1; n <= 3; ++n) lab.publish(p, "q", n);
  for (int i = 0; i < 2; ++i) lab.call(p, Kind::basic_get, BasicGet{"q", false});
  lab.tell(p, Kind::basic_ack, BasicAck{0, true});
  lab.let(20);
  EXPECT_EQ(lab.broker().unacked_count("q"), 0);
  EXPECT_EQ(lab.drain(p, "q"), "3");
}

// basic.cancel: what the consumer holds stays with the channel.
TEST(RabbitBroker, CancelRequeuesNothing) {
  BrokerLab lab;
  const auto p = lab.channel();
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  BasicConsume consume;
  consume.queue = "q";
  consume.tag = "t";
  lab.call(p, Kind::basic_consume, consume);
  lab.call(p, Kind::basic_cancel, ConsumerTag{"t"});
  EXPECT_EQ(lab.broker().unacked_count("q"), 1);
  lab.call(p, Kind::channel_close, Close{200, "", ""});
  EXPECT_EQ(lab.broker().ready_count("q"), 1);
}

// docs semantics: what was published counts at the commit, what was rolled back never.
TEST(RabbitBroker, ATransactionPublishesAndSettlesAtItsCommit) {
  BrokerLab lab;
  const auto p = lab.channel();
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  const auto tx = lab.channel();
  lab.call(tx, Kind::tx_select, Close{});
  lab.call(tx, Kind::basic_get, BasicGet{"q", false});
  lab.publish(tx, "q", 2);
  lab.tell(tx, Kind::basic_ack, BasicAck{1, false});
  lab.let(20);
  EXPECT_EQ(lab.broker().ready_count("q"), 0);
  EXPECT_EQ(lab.broker().unacked_count("q"), 1);
  const auto committed = lab.call(tx, Kind::tx_commit, Close{});
  ASSERT_TRUE(committed);
  EXPECT_EQ(static_cast<Kind>(committed->kind), Kind::tx_commit_ok);
  EXPECT_EQ(lab.broker().unacked_count("q"), 0);
  lab.publish(tx, "q", 3);
  lab.call(tx, Kind::tx_rollback, Close{});
  lab.call(tx, Kind::tx_commit, Close{});
  EXPECT_EQ(lab.drain(p, "q"), "2");
}

TEST(RabbitBroker, AChannelIsTransactionalOrConfirmsNotBoth) {
  BrokerLab lab;
  const auto confirm = lab.channel(true);
  lab.call(confirm, Kind::tx_select, Close{});
  EXPECT_EQ(lab.error(confirm), "406 PRECONDITION_FAILED - cannot switch from confirm to tx mode");
  const auto tx = lab.channel();
  lab.call(tx, Kind::tx_select, Close{});
  lab.call(tx, Kind::confirm_select, Close{});
  EXPECT_EQ(lab.error(tx), "406 PRECONDITION_FAILED - cannot switch from tx to confirm mode");
}

// rabbit_channel:coalesce_and_send: what a sync makes safe together is confirmed together.
TEST(RabbitBroker, ConfirmsOfOneSyncAreOneAckOfMany) {
  BrokerLab lab("3.10", true);
  const auto p = lab.channel(true);
  lab.declare(p, "q");
  for (std::uint64_t n = 1; n <= 4; ++n) {
    BasicPublish m;
    m.routing_key = "q";
    m.message = numbered_message(1, n);
    m.properties.delivery_mode = 2;
    lab.tell(p, Kind::basic_publish, std::move(m));
  }
  lab.let(20);
  EXPECT_EQ(lab.confirms(p), "1+ 2+ 3+ 4+");
  std::size_t acks = 0;
  for (const Delivery& d : lab.world.journal.deliveries) acks += d.event.type == kind(Kind::basic_ack);
  EXPECT_GE(acks, 1u);
  EXPECT_LT(acks, 4u);
}

// rabbit_channel:handle_eol: a queue that is deleted takes the publishes with it that wait for it.
TEST(RabbitBroker, APublishWhoseQueueIsDeletedIsConfirmed) {
  BrokerLab lab("3.10", true);
  lab.world.disk(0).options.sync_latency = Duration{1'000} * 1'000'000;
  const auto p = lab.channel(true);
  const auto other = lab.channel();
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  EXPECT_EQ(lab.confirms(p), "");
  lab.call(other, Kind::queue_delete, QueueDelete{"q"});
  EXPECT_EQ(lab.confirms(p), "1+");
}

// rabbit_confirms: the last queue decides, and a refusal at once.
TEST(RabbitBroker, APublishToTwoQueuesIsConfirmedByBoth) {
  BrokerLab lab("3.10", true);
  lab.world.disk(0).options.sync_latency = Duration{1'000} * 1'000'000;
  const auto p = lab.channel(true);
  lab.declare(p, "durable");
  lab.declare(p, "transient", false);
  lab.declare(p, "full", false, Table{{"x-max-length", 0}, {"x-overflow", "reject-publish"}});
  for (const char* queue : {"durable", "transient"}) lab.call(p, Kind::queue_bind, QueueBind{queue, "amq.fanout", "", {}});
  BasicPublish m;
  m.exchange = "amq.fanout";
  m.message = numbered_message(1, 1);
  m.properties.delivery_mode = 2;
  lab.tell(p, Kind::basic_publish, m);
  lab.let(20);
  EXPECT_EQ(lab.confirms(p), "");
  lab.let(1'500);
  EXPECT_EQ(lab.confirms(p), "1+");
  lab.call(p, Kind::queue_bind, QueueBind{"full", "amq.fanout", "", {}});
  lab.tell(p, Kind::basic_publish, m);
  lab.let(20);
  EXPECT_EQ(lab.confirms(p), "1+ 2-");
}

// docs alarms: who has published is not read any more, its acks neither; consumers go on.
TEST(RabbitBroker, AnAlarmStopsConnectionsThatPublish) {
  BrokerLab lab;
  const auto p = lab.channel();
  const auto k = lab.channel();
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  Context c(lab.world, 0);
  lab.broker().on_command(c, "memory_alarm", "on");
  lab.let(20);
  lab.publish(p, "q", 2);
  EXPECT_EQ(lab.drain(k, "q"), "1");
  EXPECT_EQ(lab.world.mark_count("connection_blocked"), 1u);
  EXPECT_TRUE(lab.tester().connections[lab.tester().of_channel[p]].wire.blocked());
  lab.broker().on_command(c, "memory_alarm", "off");
  lab.let(20);
  EXPECT_EQ(lab.drain(k, "q"), "2");
  EXPECT_FALSE(lab.tester().connections[lab.tester().of_channel[p]].wire.blocked());
}

// rabbit_disk_monitor: what finds no space raises the alarm, nobody hears a confirm for it, and when there is space again it is
// written, confirmed, and the alarm is over.
TEST(RabbitBroker, ADiskThatIsFullStopsPublishersUntilThereIsSpace) {
  BrokerLab lab;
  const auto p = lab.channel(true);
  const auto publisher_is_stopped = [&] { return lab.tester().connections[lab.tester().of_channel[p]].wire.blocked(); };
  lab.declare(p, "q");
  for (std::uint64_t n = 1; n <= 2; ++n) {
    lab.world.disk(0).full = true;
    lab.publish(p, "q", n);
    lab.let(500);
    EXPECT_EQ(lab.world.mark_count("alarm"), n);
    EXPECT_TRUE(publisher_is_stopped());
    EXPECT_EQ(lab.confirms(p), n == 1 ? "" : "1+") << "it is nowhere";
    lab.world.disk(0).full = false;
    lab.let(9'000);
    EXPECT_TRUE(publisher_is_stopped()) << "nobody has looked yet";
    lab.let(1'000);
    EXPECT_EQ(lab.world.mark_count("alarm_cleared"), n);
    EXPECT_FALSE(publisher_is_stopped());
    EXPECT_EQ(lab.confirms(p), n == 1 ? "1+" : "1+ 2+");
  }
}

// docs consumers: up to 4.2 a delivery that is not settled in time closes its channel with 406.
TEST(RabbitBroker, ADeliveryThatIsNotSettledForHalfAnHourClosesItsChannel) {
  BrokerLab lab("4.2");
  const auto p = lab.channel();
  lab.declare(p, "q");
  lab.publish(p, "q", 1);
  BasicConsume consume;
  consume.queue = "q";
  consume.tag = "t";
  const auto k = lab.channel();
  lab.call(k, Kind::basic_consume, consume);
  lab.let(1'700'000);
  EXPECT_EQ(lab.error(k), "");
  lab.let(200'000);
  EXPECT_EQ(lab.error(k).substr(0, 23), "406 PRECONDITION_FAILED");
  EXPECT_EQ(lab.broker().ready_count("q"), 1);
}

// A quorum queue does nothing before its log is on the disk, and then endures the loss of power.
TEST(RabbitBroker, AQuorumQueueConfirmsAfterItsSync) {
  BrokerLab lab;
  const auto p = lab.channel(true);
  lab.declare(p, "qq", true, Table{{"x-queue-type", "quorum"}});
  lab.publish(p, "qq", 1);
  lab.publish(p, "qq", 2, false);
  EXPECT_EQ(lab.confirms(p), "1+ 2+");
  lab.end(true);
  EXPECT_EQ(lab.drain(lab.channel(), "qq"), "1 2");
}

// docs quorum-queues: reject-publish is told to publishing channels; a new one is told when it begins.
TEST(RabbitBroker, AFullQuorumQueueRefusesPublishes) {
  BrokerLab lab;
  const auto p = lab.channel(true);
  lab.declare(p, "qq", true, Table{{"x-queue-type", "quorum"}, {"x-max-length", 1}, {"x-overflow", "reject-publish"}});
  for (std::uint64_t n = 1; n <= 3; ++n) lab.publish(p, "qq", n);
  EXPECT_EQ(lab.confirms(p), "1+ 2+ 3-");  // the second one was on its way when the queue said stop
  const auto other = lab.channel(true);
  lab.publish(other, "qq", 4);
  EXPECT_EQ(lab.confirms(other), "1-");
}

// rabbit_fifo_dlx_worker: the source keeps a dead letter until it is safe elsewhere.
TEST(RabbitBroker, ADeadLetterIsKeptUntilItsQueueIsThere) {
  BrokerLab lab;
  const auto p = lab.channel(true);
  lab.declare(p, "qq", true,
              Table{{"x-queue-type", "quorum"}, {"x-overflow", "reject-publish"}, {"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", "dead"}, {"x-dead-letter-strategy", "at-least-once"}});
  lab.publish(p, "qq", 1);
  const auto k = lab.channel();
  lab.call(k, Kind::basic_get, BasicGet{"qq", false});
  lab.tell(k, Kind::basic_reject, BasicNack{1, false, false});
  lab.let(100);
  EXPECT_EQ(lab.world.mark_count("dead_letter_kept"), 1u);
  lab.declare(p, "dead");
  lab.let(200'000);
  EXPECT_EQ(lab.drain(p, "dead"), "1");
  EXPECT_EQ(lab.broker().quorum().machine("qq")->dead_letter_count(), 0);
}

TEST(RabbitBroker, ASilentClientIsGivenUpAfterTwoIntervals) {
  BrokerLab lab;
  Context c = lab.context();
  lab.tester().connections.emplace_back();
  lab.tester().connections[0].wire.connect(c, 0, {.heartbeat = Duration{10} * 1'000'000'000}, 1);
  lab.let(100);
  ASSERT_EQ(lab.broker().connections().size(), 1u);
  lab.let(15'000);
  EXPECT_EQ(lab.broker().connections().size(), 1u);
  lab.let(15'000);  // the tester answers no timers: it sends no heartbeats
  EXPECT_EQ(lab.broker().connections().size(), 0u);
  EXPECT_EQ(lab.world.mark_count("heartbeat_missed"), 1u);
}

}  // namespace
}  // namespace mqlab::rabbitmq
