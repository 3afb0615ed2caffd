// A broker and a bare client beside it: methods go in over a connection, and what comes back is looked at.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/tester.h"

namespace mqlab::rabbitmq {

class BrokerLab {
 public:
  explicit BrokerLab(const char* profile = "4.2", bool fsync = false, Duration queue_service = 0) : world(1, traced()) {
    for (const auto* all : {&message_declarations(), &cluster_message_declarations(), &mirror_message_declarations(), &quorum_message_declarations()})
      for (const MessageDecl& m : *all) world.declare_message(m);
    auto cluster = std::make_shared<Cluster>();
    cluster->settings.rules = *rules_of(profile);
    cluster->settings.classic_fsync = fsync;
    cluster->settings.consumer_timeout = Duration{1'800'000} * 1'000'000;
    cluster->settings.timeout_check = Duration{60'000} * 1'000'000;
    cluster->settings.queue_service = queue_service;
    cluster->settings.socket_buffer = 64 * 1'024;
    cluster->brokers = {0};
    cluster->broker_names = {"B1"};
    NodeOptions b;
    b.name = "B1";
    b.role = "broker";
    world.add_node(std::make_unique<Broker>(cluster, 0), b);
    NodeOptions t;
    t.name = "T";
    t.role = "client";
    world.add_node(std::make_unique<Tester>(), t);
    let(1);
  }

  static WorldOptions traced() {
    WorldOptions o;
    o.trace = TraceLevel::full;
    return o;
  }

  Broker& broker() { return world.node_as<Broker>(0); }
  Tester& tester() { return world.node_as<Tester>(1); }
  Context context() { return Context(world, 1); }
  void let(std::int64_t milliseconds) { world.run_until(world.now() + milliseconds * 1'000'000); }

  // Opens a connection of its own with one channel; the channel's index.
  std::size_t channel(bool confirms = false) {
    Context c = context();
    const std::size_t conn = tester().connections.size();
    tester().connections.emplace_back();
    tester().connections[conn].wire.connect(c, 0, {}, 1);
    let(20);
    return channel_on(conn, confirms);
  }
  std::size_t channel_on(std::size_t connection, bool confirms = false) {
    Context c = context();
    tester().open_channel(c, "ch" + std::to_string(tester().channels.size()), connection, confirms);
    let(20);
    tester().channels.back().replies.clear();
    return tester().channels.size() - 1;
  }
  Tester::Channel& at(std::size_t ch) { return tester().channels[ch]; }

  template <class M>
  void tell(std::size_t ch, Kind k, M m) {
    Context c = context();
    tester().connections[tester().of_channel[ch]].wire.tell(c, at(ch).number, k, std::move(m));
  }
  // The reply's kind, or nothing when there was none.
  template <class M>
  std::optional<Message> call(std::size_t ch, Kind k, M m) {
    at(ch).replies.clear();
    tell(ch, k, std::move(m));
    let(20);
    if (at(ch).replies.empty()) return std::nullopt;
    return at(ch).replies.front();
  }
  std::string error(std::size_t ch) {
    const auto& conn = tester().connections[tester().of_channel[ch]];
    if (conn.error) return std::to_string(conn.error->code) + " " + conn.error->text;
    return at(ch).error ? std::to_string(at(ch).error->code) + " " + at(ch).error->text : "";
  }

  void declare(std::size_t ch, const std::string& queue, bool durable = true, Table args = {}) {
    QueueDeclare d;
    d.queue = queue;
    d.durable = durable;
    d.args = std::move(args);
    call(ch, Kind::queue_declare, std::move(d));
  }
  void publish(std::size_t ch, const std::string& queue, std::uint64_t n, bool persistent = true) {
    BasicPublish m;
    m.routing_key = queue;
    m.message = numbered_message(1, n);
    if (persistent) m.properties.delivery_mode = 2;
    ++at(ch).next_publish;
    tell(ch, Kind::basic_publish, std::move(m));
    let(20);
  }
  // The numbers of the messages that gets return, until there is none: "1 2 3!", with ! where flagged as redelivered.
  std::string drain(std::size_t ch, const std::string& queue) {
    std::string out;
    for (;;) {
      const auto reply = call(ch, Kind::basic_get, BasicGet{queue, true});
      if (!reply || static_cast<Kind>(reply->kind) != Kind::basic_get_ok) return out;
      const auto& d = method_as<BasicDeliver>(reply->payload);
      out += (out.empty() ? "" : " ") + std::to_string(d.content->message & 0xff'ffff'ffff) + (d.redelivered ? "!" : "");
    }
  }
  std::string confirms(std::size_t ch) {
    std::string out;
    for (const auto& [n, acked] : at(ch).decided) out += (out.empty() ? "" : " ") + std::to_string(n) + (acked ? "+" : "-");
    return out;
  }
  void end(bool power, std::int64_t down = 100) {
    world.kill(0, power);
    let(down);
    world.start(0);
    let(100);
  }

  World world;
};

}  // namespace mqlab::rabbitmq
