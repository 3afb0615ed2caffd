// Flow control: a queue that is slow holds up its publishers, process by process, down to their sockets.
#include <gtest/gtest.h>

#include "tests/rabbitmq/broker_lab.h"

namespace mqlab::rabbitmq {
namespace {

constexpr Duration millisecond = 1'000'000;

// All at once, 64 bytes each.
void flood(BrokerLab& lab, std::size_t ch, const std::string& queue, int messages, int first = 1) {
  for (int n = first; n < first + messages; ++n) {
    BasicPublish m;
    m.routing_key = queue;
    m.message = numbered_message(1, static_cast<std::uint64_t>(n));
    m.properties.delivery_mode = 2;
    lab.tell(ch, Kind::basic_publish, std::move(m));
  }
}

const Connection& connection(BrokerLab& lab, std::size_t n) { return std::next(lab.broker().connections().begin(), static_cast<std::ptrdiff_t>(n))->second; }

// The channel passes 400 on with credit. It is held then, and what its reader has credit for (400) it still passes on.
TEST(RabbitFlow, EightHundredMessagesGetPastTheReader) {
  BrokerLab lab("4.2", false, 10 * millisecond);
  const auto p = lab.channel();
  lab.declare(p, "q");
  flood(lab, p, "q", 1000);
  lab.let(5);
  EXPECT_EQ(lab.broker().process("q")->mailbox.size(), 800U);
  EXPECT_TRUE(connection(lab, 0).in_flow);
  EXPECT_EQ(connection(lab, 0).unread.size(), 200U);
  EXPECT_FALSE(lab.broker().idle());
}

// 200 handled by the queue are 200 more for the channel, and so on: what is between socket and queue stays bounded.
TEST(RabbitFlow, CreditComesBackInLots) {
  BrokerLab lab("4.2", false, 10 * millisecond);
  const auto p = lab.channel();
  lab.declare(p, "q");
  flood(lab, p, "q", 3000);
  std::size_t most = 0;
  for (int i = 0; i < 320; ++i) {
    lab.let(100);
    most = std::max(most, lab.broker().process("q")->mailbox.size());
  }
  EXPECT_LE(most, 800U);
  EXPECT_FALSE(connection(lab, 0).in_flow);
  EXPECT_EQ(lab.broker().ready_count("q"), 3000);
  std::string all;
  for (int n = 1; n <= 3000; ++n) all += (n > 1 ? " " : "") + std::to_string(n);
  EXPECT_EQ(lab.drain(lab.channel(), "q"), all);
}

// The socket's buffer is 64 KiB; a message takes 32 bytes on the wire here.
TEST(RabbitFlow, AFullSocketStopsTheSender) {
  BrokerLab lab("4.2", false, 10 * millisecond);
  const auto p = lab.channel();
  lab.declare(p, "q");
  const ConnId id = lab.tester().connections[0].wire.id();
  flood(lab, p, "q", 4000);
  lab.let(50);
  EXPECT_TRUE(connection(lab, 0).window_closed);
  EXPECT_FALSE(lab.context().writable(id));
  flood(lab, p, "q", 10, 4001);
  lab.let(50);
  EXPECT_EQ(connection(lab, 0).unread.size(), 3200U);  // the ten are still with their sender
  lab.let(45'000);
  EXPECT_TRUE(lab.context().writable(id));
  EXPECT_EQ(lab.broker().ready_count("q"), 4010);
}

TEST(RabbitFlow, WhoOnlyConsumesIsNotHeldUp) {
  BrokerLab lab("4.2", false, 10 * millisecond);
  const auto p = lab.channel();
  lab.declare(p, "q");
  lab.declare(p, "other");
  const auto k = lab.channel();
  flood(lab, p, "q", 2000);
  lab.let(5);
  ASSERT_TRUE(connection(lab, 0).in_flow);
  lab.publish(k, "other", 9000);
  EXPECT_EQ(lab.drain(k, "other"), "9000");
}

TEST(RabbitFlow, ADeletedQueueHoldsUpNobody) {
  BrokerLab lab("4.2", false, 10 * millisecond);
  const auto p = lab.channel();
  lab.declare(p, "q");
  flood(lab, p, "q", 2000);
  lab.let(5);
  ASSERT_TRUE(connection(lab, 0).in_flow);
  const auto k = lab.channel();
  lab.call(k, Kind::queue_delete, QueueDelete{"q", false, false});
  lab.let(100);
  EXPECT_FALSE(connection(lab, 0).in_flow);
  EXPECT_TRUE(connection(lab, 0).unread.empty());
}

}  // namespace
}  // namespace mqlab::rabbitmq
