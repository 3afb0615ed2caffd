// A node that writes down all it meets, and a small world of them: what the stories of this folder are told with.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/world/world.h"

namespace mqlab::test {

using namespace mqlab::literals;

inline constexpr MessageKind say = 1;
inline constexpr MessageKind fetch = 2;

struct Text : Payload {
  explicit Text(std::string t) : text(std::move(t)) {}
  std::string text;
};

struct Peer : NodeBase<Peer> {
  std::vector<std::string> heard;
  std::vector<Time> when;
  Duration work = 0;            // for each message
  std::string answer;           // sent back to each message, if any
  bool exits_on_stop = true;
  ConnId last = no_connection;  // of the last message
  std::function<void(Context&, const std::string&)> then{};  // after each entry; it copies, so it may only hold values

  std::string all() const {
    std::string out;
    for (const std::string& h : heard) out += (out.empty() ? "" : " ") + h;
    return out;
  }
  void hear(Context& c, std::string what) {
    heard.push_back(what);
    when.push_back(c.now());
    if (then) then(c, what);
  }

  void on_start(Context& c) override { hear(c, "start"); }
  void on_message(Context& c, const Message& m) override {
    last = m.connection;
    c.work(work);
    if (!answer.empty()) c.reply(m, say, make_payload<Text>(answer));
    hear(c, m.payload ? payload_as<Text>(m.payload).text : "-");
  }
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override {
    hear(c, (kind >= application_timer ? "application" : "timer") + std::to_string(argument));
  }
  void on_closed(Context& c, ConnId, NodeId, CloseReason reason) override { hear(c, close_reason_name(reason)); }
  void on_writable(Context& c, ConnId) override { hear(c, "writable"); }
  void on_disk(Context& c, FileId file, std::int64_t end, DiskResult r) override {
    hear(c, std::string("disk:") + std::to_string(file) + ":" + std::to_string(end) + ":" + disk_result_name(r));
  }
  void on_stop(Context& c) override {
    hear(c, "stop");
    if (exits_on_stop) c.exit();
  }
  void on_command(Context& c, const std::string& verb, const std::string& argument) override { hear(c, verb + ":" + argument); }
  void on_crash(const Crash& crash) override {
    std::string what = crash.wipe ? "wiped" : crash.power ? "dark" : "killed";
    for (const Survivor& s : crash.files) {
      what += "," + std::to_string(s.file) + ":" + std::to_string(s.kept);
      for (std::int64_t unit : s.corrupt) what += "!" + std::to_string(unit);
    }
    heard.push_back(what);
    when.push_back(-1);
  }
};

// Every message takes 1 ms, unless the test says otherwise.
inline WorldOptions plain_options() {
  WorldOptions o;
  o.link = {.latency = 1_ms, .spread = 0, .shape = LatencyShape::constant};
  o.far_link = {.latency = 40_ms, .spread = 0, .shape = LatencyShape::constant};
  return o;
}

struct Stage {
  World world;
  explicit Stage(int nodes, WorldOptions options = plain_options(), NodeOptions each = {}) : world(7, options) {
    world.declare_message({say, "Say", Traffic::client, nullptr});
    world.declare_message({fetch, "Fetch", Traffic::replication, nullptr});
    for (int i = 0; i < nodes; ++i) {
      NodeOptions o = each;
      o.name = std::string(1, static_cast<char>('A' + i));
      world.add_node(std::make_unique<Peer>(), o);
    }
    world.run_until(0);
  }

  Peer& peer(NodeId n) { return world.node_as<Peer>(n); }
  // What the node met, without the starts.
  std::string heard(NodeId n) {
    std::string out;
    for (const std::string& h : peer(n).heard)
      if (h != "start") out += (out.empty() ? "" : " ") + h;
    return out;
  }
  Time when(NodeId n, const std::string& what) {
    for (std::size_t i = 0; i < peer(n).heard.size(); ++i)
      if (peer(n).heard[i] == what) return peer(n).when[i];
    return -1;
  }
  Context as(NodeId n) { return Context(world, n); }
  ConnId connect(NodeId from, NodeId to, Traffic t = Traffic::client) { return as(from).connect(to, t); }
  void send(NodeId from, ConnId c, const std::string& text, MessageKind kind = say) { as(from).send(c, kind, make_payload<Text>(text)); }
  void tell(NodeId from, NodeId to, const std::string& text, Traffic t = Traffic::client, MessageKind kind = say) {
    as(from).datagram(to, kind, make_payload<Text>(text), 64, 0, t);
  }
  void run(Duration d) { world.run_until(world.now() + d); }
  void quiet() {
    for (int i = 0; i < 1'000'000 && world.step(); ++i) {
    }
  }
  std::size_t inject(Fault f) {
    const std::size_t number = world.faults().size();
    world.inject(f);
    return number;
  }
  std::uint64_t bites(std::size_t fault) { return world.faults()[fault].bites; }
};

inline Fault fault(FaultKind kind, std::vector<std::vector<Target>> groups = {}, Duration duration = 0) {
  Fault f;
  f.kind = kind;
  f.groups = std::move(groups);
  f.duration = duration;
  return f;
}

inline constexpr NodeId A = 0, B = 1, C = 2;

}  // namespace mqlab::test
