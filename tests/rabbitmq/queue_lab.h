// tests/rabbitmq/queue_lab.h: messages and a classic queue on a table, with its effects as text.
//
//     ClassicLab lab({.max_length = 2});
//     EXPECT_EQ(lab.publish(1), "confirm 9#1\n");
//     EXPECT_EQ(lab.consume(1, "t"), "deliver 1/t #1 m1\n");
#pragma once

#include <string>
#include <vector>

#include "models/rabbitmq/classic_queue.h"
#include "models/rabbitmq/content.h"

namespace mqlab::rabbitmq {

struct Of {
  bool persistent = false;
  std::string expiration{};
  int priority = -1;
  std::uint32_t size = 1;
};

inline ContentRef message(std::uint64_t n, const Of& of = {}) {
  Content c;
  c.message = n;
  c.size = of.size;
  c.keys = {"q"};
  c.properties.expiration = of.expiration;
  if (of.persistent) c.properties.delivery_mode = 2;
  if (of.priority >= 0) c.properties.priority = static_cast<std::uint8_t>(of.priority);
  return std::make_shared<const Content>(std::move(c));
}

inline constexpr ChannelId publisher = 9;

struct ClassicLab {
  ClassicQueue queue;
  Limiter limiter{};
  Time now = 0;
  std::uint64_t published = 0;

  explicit ClassicLab(QueueOptions options = {}) : queue("q", std::move(options)) {}

  // The n-th message, with a confirm.
  std::string publish(std::uint64_t n, const Of& of = {}) {
    return told([&](QueueEffects& out) { queue.publish({publisher, ++published}, message(n, of), now, limiter, out); });
  }
  // Messages 1 to n, nobody waiting for a confirm.
  std::string fill(std::uint64_t n, const Of& of = {}) {
    return told([&](QueueEffects& out) {
      for (std::uint64_t i = 1; i <= n; ++i) queue.publish({}, message(i, of), now, limiter, out);
    });
  }
  std::string consume(const ConsumerSpec& spec) {
    return told([&](QueueEffects& out) {
      if (const MaybeError e = queue.consume(spec, now, limiter, out)) error = *e;
      else error = {};
    });
  }
  std::string consume(ChannelId channel, const std::string& tag, std::uint32_t prefetch = 0, std::int32_t priority = 0) {
    ConsumerSpec spec;
    spec.key = {channel, tag};
    spec.prefetch = prefetch;
    spec.priority = priority;
    return consume(spec);
  }
  std::string consume_no_ack(ChannelId channel, const std::string& tag) {
    ConsumerSpec spec;
    spec.key = {channel, tag};
    spec.no_ack = true;
    spec.prefetch = 1;  // means nothing then
    return consume(spec);
  }
  std::string consume_exclusive(ChannelId channel, const std::string& tag) {
    ConsumerSpec spec;
    spec.key = {channel, tag};
    spec.exclusive = true;
    return consume(spec);
  }
  std::string cancel(ChannelId channel, const std::string& tag) {
    return told([&](QueueEffects& out) { queue.cancel({channel, tag}, now, limiter, out); });
  }
  std::string get(ChannelId channel, bool no_ack = false) {
    return told([&](QueueEffects& out) { queue.get(channel, no_ack, now, limiter, out); });
  }
  std::string down(ChannelId channel) {
    return told([&](QueueEffects& out) { queue.channel_down(channel, now, limiter, out); });
  }
  std::string ack(ChannelId channel, std::vector<DeliveryId> ids) {
    return told([&](QueueEffects& out) { queue.ack(channel, ids, now, limiter, out); });
  }
  std::string requeue(ChannelId channel, std::vector<DeliveryId> ids) {
    return told([&](QueueEffects& out) { queue.requeue(channel, ids, now, limiter, out); });
  }
  std::string discard(ChannelId channel, std::vector<DeliveryId> ids) {
    return told([&](QueueEffects& out) { queue.discard(channel, ids, now, limiter, out); });
  }
  std::string tick(Time to) {
    now = to;
    return told([&](QueueEffects& out) { queue.tick(now, out); });
  }
  std::string written(std::uint64_t records) {
    return told([&](QueueEffects& out) { queue.written(records, out); });
  }

  // "1 2 3": the ready messages, the next first.
  std::string ready() const {
    std::string s;
    for (const auto& m : queue.ready()) s.append(s.empty() ? "" : " ").append(std::to_string(m.content->message));
    return s;
  }

  AmqpError error{};  // of the last consume
  std::vector<StoreRecord> file{};

 private:
  template <class F>
  std::string told(F f) {
    QueueEffects out;
    f(out);
    for (const QueueEffect& e : out)
      if (const auto* w = std::get_if<WriteStore>(&e)) file.push_back(w->record);
    return describe(out);
  }
};

}  // namespace mqlab::rabbitmq
