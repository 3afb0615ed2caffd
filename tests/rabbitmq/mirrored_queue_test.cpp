// A classic queue with mirrors: what confirms wait for, and what a promotion keeps. Source: docs 3.13 ha.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/rabbitmq/mirrored_queue.h"
#include "tests/rabbitmq/queue_lab.h"

namespace mqlab::rabbitmq {
namespace {

constexpr NodeId n2 = 2, n3 = 3;

// A leader and its mirrors, whose messages arrive when the test lets them.
struct MirrorLab {
  QueueOptions options{.mirrored = true};
  ClassicQueue queue{"q", options};
  MirrorLeader leader{};
  std::map<NodeId, QueueMirror> mirrors{};
  std::map<NodeId, std::deque<NumberedMirrorRecord>> under_way{};
  Limiter limiter{};
  std::uint64_t published = 0;

  void join(NodeId n) {
    leader.join(n);
    mirrors[n] = QueueMirror(queue.ready_count() + queue.unacked_count());
    under_way[n].clear();
  }
  template <class F>
  std::string op(F f) {
    QueueEffects effects, out;
    std::vector<NumberedMirrorRecord> records;
    f(effects);
    leader.pass(effects, out, records);
    for (auto& [n, line] : under_way) line.insert(line.end(), records.begin(), records.end());
    return describe(out);
  }
  std::string publish(std::uint64_t n) {
    return op([&](QueueEffects& out) { queue.publish({publisher, ++published}, message(n), 0, limiter, out); });
  }
  std::string get() {
    return op([&](QueueEffects& out) { queue.get(1, false, 0, limiter, out); });
  }
  std::string ack(DeliveryId id) {
    const std::vector<DeliveryId> ids{id};
    return op([&](QueueEffects& out) { queue.ack(1, ids, 0, limiter, out); });
  }
  // All that is under way to this mirror arrives, and its acknowledgements with the leader.
  std::string arrive(NodeId n) {
    QueueEffects out;
    for (const NumberedMirrorRecord& r : under_way[n]) {
      mirrors[n].apply(r.record);
      leader.acknowledged(n, r.number, out);
    }
    under_way[n].clear();
    return describe(out);
  }
  std::string lose(NodeId n) {
    QueueEffects out;
    leader.leave(n, out);
    mirrors.erase(n);
    under_way.erase(n);
    return describe(out);
  }
  std::string promoted(NodeId n) {
    QueueEffects out;
    std::string s;
    for (const auto& m : mirrors[n].promote("q", options, 0, out).ready())
      s.append(s.empty() ? "" : " ").append(std::to_string(m.content->message)).append(m.delivered ? "r" : "");
    return s;
  }
};

TEST(RabbitMirroredQueue, APublishIsConfirmedWhenAllMirrorsHaveIt) {
  MirrorLab lab;
  EXPECT_EQ(lab.publish(1), "confirm 9#1\n");  // no mirror
  lab.join(n2);
  lab.join(n3);
  EXPECT_EQ(lab.publish(2), "");
  EXPECT_EQ(lab.arrive(n2), "");
  EXPECT_EQ(lab.arrive(n3), "confirm 9#2\n");
}

TEST(RabbitMirroredQueue, NobodyWaitsForAMirrorThatIsGone) {
  MirrorLab lab;
  lab.join(n2);
  lab.join(n3);
  lab.publish(1);
  lab.arrive(n2);
  EXPECT_EQ(lab.lose(n3), "confirm 9#1\n");
}

TEST(RabbitMirroredQueue, APromotedMirrorGoesOnWithAllOfIt) {
  MirrorLab lab;
  lab.join(n2);
  for (std::uint64_t n : {1, 2, 3}) lab.publish(n);
  lab.get();
  lab.get();
  lab.ack(1);
  lab.arrive(n2);
  EXPECT_TRUE(lab.mirrors[n2].synchronised());
  EXPECT_EQ(lab.promoted(n2), "2r 3");  // what was out comes again, and says so
}

// Settled, and the leader died before the mirror heard of it.
TEST(RabbitMirroredQueue, WhatWasSettledJustBeforeComesBack) {
  MirrorLab lab;
  lab.join(n2);
  lab.publish(1);
  lab.get();
  lab.arrive(n2);
  lab.ack(1);
  EXPECT_EQ(lab.promoted(n2), "1r");
}

// The catalogue's R55: promoted while unsynchronised, it loses what was confirmed before it joined.
TEST(RabbitMirroredQueue, AnUnsynchronisedMirrorLacksWhatWasThereBefore) {
  MirrorLab lab;
  for (std::uint64_t n : {1, 2}) lab.publish(n);
  lab.join(n2);
  lab.publish(3);
  lab.arrive(n2);
  EXPECT_FALSE(lab.mirrors[n2].synchronised());
  EXPECT_EQ(lab.promoted(n2), "3");
  // It catches up by itself once the old ones are gone.
  lab.get();
  lab.get();
  lab.ack(1);
  lab.ack(2);
  lab.arrive(n2);
  EXPECT_TRUE(lab.mirrors[n2].synchronised());
}

// The catalogue's R56: a mirror that comes back begins empty, though its disk had it all.
TEST(RabbitMirroredQueue, AMirrorThatComesBackBeginsEmpty) {
  MirrorLab lab;
  lab.join(n2);
  lab.publish(1);
  lab.arrive(n2);
  lab.lose(n2);
  lab.join(n2);
  EXPECT_EQ(lab.promoted(n2), "");
  lab.mirrors[n2].synchronise(lab.queue);
  EXPECT_TRUE(lab.mirrors[n2].synchronised());
  EXPECT_EQ(lab.promoted(n2), "1");
}

// A mirror that was there from the beginning has, when all has arrived, what its leader has.
RC_GTEST_PROP(RabbitMirroredQueue, AMirrorHasWhatItsLeaderHas, (const std::vector<std::uint8_t>& steps)) {
  MirrorLab lab;
  lab.join(n2);
  std::uint64_t n = 0;
  for (const std::uint8_t s : steps) {
    const auto& unacked = lab.queue.unacked();
    const std::vector<DeliveryId> first = unacked.empty() ? std::vector<DeliveryId>{} : std::vector<DeliveryId>{unacked.begin()->first};
    switch (s % 5) {
      case 0:
      case 1: lab.publish(++n); break;
      case 2: lab.get(); break;
      case 3: lab.op([&](QueueEffects& out) { lab.queue.ack(1, first, 0, lab.limiter, out); }); break;
      case 4: lab.op([&](QueueEffects& out) { lab.queue.requeue(1, first, 0, lab.limiter, out); }); break;
    }
    if (s > 200) lab.arrive(n2);
  }
  lab.arrive(n2);
  QueueMirror same;
  same.synchronise(lab.queue);
  RC_ASSERT(lab.mirrors[n2].messages() == same.messages());
  RC_ASSERT(lab.mirrors[n2].synchronised());
  RC_ASSERT(lab.leader.waiting() == 0u);
}

}  // namespace
}  // namespace mqlab::rabbitmq
