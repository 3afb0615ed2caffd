// tests/rabbitmq/quorum_lab.h: a quorum queue fed with commands in log order, with its effects as text.
//
//     QuorumLab lab("4.3", {.delivery_limit = 2});
//     EXPECT_EQ(lab.enqueue(1), "confirm 9#1\n");
//     EXPECT_EQ(lab.consume(1, "t"), "deliver 1/t #0 m1\n");
#pragma once

#include <string>
#include <vector>

#include "models/rabbitmq/quorum_queue.h"
#include "tests/rabbitmq/queue_lab.h"

namespace mqlab::rabbitmq {

struct QuorumLab {
  QuorumQueue queue;
  Time now = 0;
  std::uint64_t index = 0;
  std::uint64_t sent = 0;
  QuorumReply reply{};

  explicit QuorumLab(const char* profile, QueueOptions options = {}) : queue("q", std::move(options), *rules_of(profile)) {}

  std::string apply(const QuorumCommand& c) {
    QueueEffects out;
    reply = queue.apply({.index = ++index, .now = now}, c, out);
    return describe(out);
  }
  std::string enqueue(std::uint64_t n, const Of& of = {}) { return apply(Enqueue{publisher, ++sent, message(n, of)}); }
  // Messages 1 to n, nobody waiting for a confirm.
  std::string fill(std::uint64_t n) {
    std::string all;
    for (std::uint64_t i = 1; i <= n; ++i) all += apply(Enqueue{no_channel, 0, message(i)});
    return all;
  }
  std::string consume(ChannelId channel, const std::string& tag, std::uint32_t prefetch = 0, std::int32_t priority = 0) {
    ConsumerSpec spec;
    spec.key = {channel, tag};
    spec.prefetch = prefetch;
    spec.priority = priority;
    return apply(Checkout{spec});
  }
  std::string settle(ChannelId channel, const std::string& tag, std::vector<DeliveryId> ids) { return apply(Settle{{channel, tag}, std::move(ids)}); }
  std::string nack(ChannelId channel, const std::string& tag, std::vector<DeliveryId> ids) { return apply(Return{{channel, tag}, std::move(ids), false}); }
  std::string reject(ChannelId channel, const std::string& tag, std::vector<DeliveryId> ids) { return apply(Return{{channel, tag}, std::move(ids), true}); }
  std::string discard(ChannelId channel, const std::string& tag, std::vector<DeliveryId> ids) { return apply(Discard{{channel, tag}, std::move(ids)}); }
  std::string get(ChannelId channel, const std::string& tag) { return apply(Dequeue{{channel, tag}}); }
  std::string down(ChannelId channel) { return apply(ChannelDown{channel}); }
  std::string tick(Time to) {
    now = to;
    return apply(Tick{});
  }

  std::string ready() const {
    std::string s;
    for (const auto& m : queue.ready()) s.append(s.empty() ? "" : " ").append(std::to_string(m.content->message));
    return s;
  }
};

}  // namespace mqlab::rabbitmq
