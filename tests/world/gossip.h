// A small world in which all kinds of things go on, for properties: nodes that gossip over streams and datagrams,
// with timers and disks, under faults drawn from a seed.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "tests/world/peer.h"

namespace mqlab::test {

// Numbers the messages of one direction of one connection from 0.
struct Numbered : Payload {
  Numbered(ConnId c, NodeId f, std::uint64_t n) : connection(c), from(f), number(n) {}
  ConnId connection;
  NodeId from;
  std::uint64_t number;
};

struct Gossip : NodeBase<Gossip> {
  Time until = 0;  // falls silent then
  std::uint32_t nodes = 0;
  // durable
  std::int64_t log = 0;
  // volatile
  std::map<NodeId, ConnId> out;
  std::map<ConnId, std::uint64_t> sent;
  std::map<std::pair<ConnId, NodeId>, std::uint64_t> expected;
  std::vector<EventId> timers;
  // what the property looks at
  std::uint64_t hash = 0;
  std::uint64_t received = 0;
  std::string wrong;

  void stir(std::uint64_t x) { hash = splitmix64(hash ^ x); }

  void say_on(Context& c, ConnId id) {
    if (c.is_open(id)) c.send(id, say, make_payload<Numbered>(id, c.self(), sent[id]++), 64, hash);
  }

  void on_start(Context& c) override {
    stir(c.now() ^ 1);
    c.set_timer(1 + static_cast<Duration>(c.random().below(5'000'000)), 1);
  }
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override {
    stir(static_cast<std::uint64_t>(c.now()) + kind + argument + static_cast<std::uint64_t>(c.wall()));
    if (kind != 1 || c.now() > until) return;
    Random& r = c.random();
    const auto to = static_cast<NodeId>((c.self() + 1 + r.below(nodes - 1)) % nodes);
    switch (r.below(8)) {
      case 0:
      case 1:
      case 2: {
        ConnId& id = out[to];
        if (!c.is_open(id)) id = c.connect(to, Traffic::replication);
        for (std::uint64_t n = 1 + r.below(3); n > 0; --n) say_on(c, id);
        if (r.chance({1, 12})) c.close(id);
        break;
      }
      case 3: c.datagram(to, fetch, make_payload<Text>("gram"), 200, hash); break;
      case 4: c.datagram(to, fetch, nullptr, 20, hash, Traffic::heartbeat); break;
      case 5: {
        if (c.write(0, log + 1, 100) == DiskResult::ok) ++log;
        if (r.chance({1, 2})) stir(static_cast<std::uint64_t>(c.sync(0)));
        else c.sync_later(0);
        break;
      }
      case 6: timers.push_back(c.set_timer(static_cast<Duration>(r.below(50'000'000)), r.chance({1, 2}) ? 2 : application_timer, timers.size())); break;
      case 7:
        if (!timers.empty()) stir(c.cancel_timer(timers[r.below(timers.size())]));
        if (r.chance({1, 20})) c.exit();
        break;
    }
    if (r.chance({1, 5})) c.work(static_cast<Duration>(r.below(3'000'000)));
    c.set_timer(1 + static_cast<Duration>(r.below(5'000'000)), 1);
  }
  void on_message(Context& c, const Message& m) override {
    ++received;
    stir(m.word + m.kind + m.from);
    if (m.kind == say) {
      const auto& n = payload_as<Numbered>(m.payload);
      std::uint64_t& next = expected[{m.connection, m.from}];
      if (n.connection != m.connection || n.from != m.from || n.number != next)
        wrong += "on " + std::to_string(m.connection) + " from " + c.name(m.from) + " came " + std::to_string(n.number) + " instead of " +
                 std::to_string(next) + "; ";
      next = n.number + 1;
      if (c.random().chance({1, 3})) say_on(c, m.connection);
    } else if (c.random().chance({1, 3}) && c.now() < until) {
      c.reply(m, fetch, m.payload, 30, hash);
    }
    if (c.random().chance({1, 4})) c.work(static_cast<Duration>(c.random().below(1'000'000)));
  }
  void on_closed(Context&, ConnId id, NodeId peer, CloseReason r) override { stir(id + peer + static_cast<std::uint64_t>(r)); }
  void on_disk(Context&, FileId, std::int64_t end, DiskResult r) override { stir(static_cast<std::uint64_t>(end) + static_cast<std::uint64_t>(r)); }
  void on_crash(const Crash& crash) override {
    Gossip fresh;
    fresh.until = until;
    fresh.nodes = nodes;
    fresh.log = crash.wipe || crash.files.empty() ? 0 : crash.files[0].kept;
    fresh.hash = splitmix64(hash ^ static_cast<std::uint64_t>(fresh.log));
    fresh.received = received;
    fresh.wrong = wrong;
    *this = fresh;
  }
  void on_command(Context& c, const std::string& verb, const std::string&) override {
    stir(verb.size());
    c.mark("commanded");
  }
  Tree state() const override {
    Tree t{"gossip", std::to_string(hash), {}};
    for (const auto& [from, next] : expected) t.add("connection " + std::to_string(from.first % 7)).add("next", std::to_string(next));
    t.add("log", std::to_string(log));
    return t;
  }
};

// Targets that exist, that stand for several, and that do not exist.
inline std::vector<Target> some_targets(Random& r) {
  static const char* const all[] = {"A", "B", "C", "D", "one node", "minority node", "majority node", "all node", "rest", "machine m0", "Z", "leader x", "zone q", ""};
  std::vector<Target> out;
  for (std::uint64_t n = r.below(3) + (r.chance({9, 10}) ? 1 : 0); n > 0; --n) out.push_back(all[r.chance({4, 5}) ? r.below(10) : r.below(14)]);
  return out;
}

// A fault such as a person might write.
inline Fault tame_fault(Random& r, bool duplicates) {
  Fault f;
  do f.kind = fault_kinds()[r.below(fault_kinds().size())].kind;
  while (!duplicates && f.kind == FaultKind::duplicate);
  for (std::uint64_t g = r.below(3); g > 0; --g) f.groups.push_back(some_targets(r));
  if (r.chance({1, 4})) f.traffic = static_cast<std::uint16_t>(r.below(16));
  f.duration = static_cast<Duration>(r.below(300'000'000)) + (r.chance({1, 3}) ? 300'000'000 : 0);
  if (r.chance({1, 8})) f.duration = 0;
  f.amount = static_cast<Duration>(r.below(40'000'000));
  f.spread = static_cast<Duration>(r.below(40'000'000));
  f.shape = static_cast<LatencyShape>(r.below(4));
  f.ratio = {r.below(5), 1 + r.below(5)};
  f.message = r.chance({1, 2}) ? "Say" : "Fetch";
  f.nth = 1 + r.below(5);
  f.count = 1 + r.below(2);
  f.unit = static_cast<std::int64_t>(r.below(10)) - 1;
  f.verb = "do";
  if (r.chance({1, 2})) f.label = r.chance({1, 2}) ? "x" : "y";
  return f;
}

inline std::int64_t wild_number(Random& r) {
  static const std::int64_t all[] = {0, 1, -1, 2, 1'000, 1'000'000, 1'000'000'000, -1'000'000'000, std::int64_t{1} << 62, time_max, time_max - 1, time_min, time_min + 1, duration_cap};
  return r.chance({1, 5}) ? static_cast<std::int64_t>(r.next()) : all[r.below(std::size(all))];
}

// A fault such as nobody should write.
inline Fault wild_fault(Random& r) {
  Fault f = tame_fault(r, true);
  if (r.chance({1, 2})) f.duration = wild_number(r);
  if (r.chance({1, 2})) f.amount = wild_number(r);
  if (r.chance({1, 2})) f.spread = wild_number(r);
  if (r.chance({1, 2})) f.ratio = {static_cast<std::uint64_t>(wild_number(r)), static_cast<std::uint64_t>(wild_number(r))};
  if (r.chance({1, 4})) f.nth = static_cast<std::uint64_t>(wild_number(r));
  if (r.chance({1, 4})) f.count = static_cast<std::uint64_t>(wild_number(r));
  if (r.chance({1, 4})) f.unit = wild_number(r);
  if (r.chance({1, 4})) f.file = "orders/0";
  if (r.chance({1, 4})) f.message = "Nonsense";
  if (r.chance({1, 4})) f.traffic = static_cast<std::uint16_t>(r.next());
  return f;
}

inline Trigger some_trigger(Random& r, Time until, bool wild) {
  static const char* const names[] = {"fault", "killed", "restarted", "paused", "resumed", "stopped", "commanded", "fault_ended", "message_fault", "power_lost"};
  Trigger t;
  if (r.chance({2, 3})) {
    t.after = static_cast<Duration>(r.below(static_cast<std::uint64_t>(until)));
    if (wild && r.chance({1, 8})) t.after = wild_number(r);
    return t;
  }
  t.on = static_cast<Trigger::On>(1 + r.below(4));
  t.name = t.on == Trigger::On::mark ? names[r.below(std::size(names))] : t.on == Trigger::On::op ? "send ok" : r.chance({1, 2}) ? "Say" : "Fetch";
  t.after = wild && r.chance({1, 3}) ? wild_number(r) : static_cast<Duration>(r.below(5'000'000));
  t.nth = wild && r.chance({1, 4}) ? static_cast<std::uint64_t>(wild_number(r)) : r.below(20);
  t.every = r.chance({1, 8});
  if (r.chance({1, 4})) t.from = "A";
  if (r.chance({1, 4})) t.to = "B";
  return t;
}

struct GossipOptions {
  QueueKind queue = QueueKind::heap;
  Time until = 1'000'000'000;
  std::size_t faults = 6;
  bool duplicates = true;
  bool wild = false;
  TraceLevel trace = TraceLevel::spans;
};

inline World gossip_world(std::uint64_t seed, GossipOptions g = {}) {
  Random r(seed, Stream::scenario);
  WorldOptions o;
  o.queue = g.queue;
  o.trace = g.trace;
  o.link.latency = 1 + static_cast<Duration>(r.below(3'000'000));
  o.link.spread = static_cast<Duration>(r.below(3'000'000));
  o.link.shape = static_cast<LatencyShape>(r.below(4));
  if (r.chance({1, 3})) o.link.loss = {1, 20};
  if (r.chance({1, 3})) o.link.duplicate = {1, 20};
  if (r.chance({1, 3})) o.link.reorder = {1, 5};
  if (r.chance({1, 4})) o.link.bytes_per_second = 100'000;
  World world(seed, o);
  world.declare_message({say, "Say", Traffic::replication, nullptr});
  world.declare_message({fetch, "Fetch", Traffic::client, nullptr});
  const auto nodes = static_cast<std::uint32_t>(2 + r.below(4));
  for (std::uint32_t n = 0; n < nodes; ++n) {
    NodeOptions node;
    node.name = std::string(1, static_cast<char>('A' + n));
    node.machine = "m" + std::to_string(n / 2);
    node.workers = static_cast<std::uint32_t>(1 + r.below(3));
    if (r.chance({1, 2})) node.service = static_cast<Duration>(r.below(1'000'000));
    if (r.chance({1, 3})) node.service_ps_per_byte = 1'000'000;
    node.disk.honest_device = r.chance({1, 2});
    node.disk.sync_latency_tail = static_cast<Duration>(r.below(2'000'000));
    if (r.chance({1, 3})) node.region = "far";
    auto life = std::make_unique<Gossip>();
    life->until = g.until;
    life->nodes = nodes;
    world.add_node(std::move(life), node);
  }
  for (std::size_t i = 0; i < g.faults; ++i) world.arm(g.wild ? wild_fault(r) : tame_fault(r, g.duplicates), some_trigger(r, g.until, g.wild));
  return world;
}

// All that two runs can be told apart by.
inline std::string summary(const World& w) {
  std::string out = w.fingerprint().text() + " steps " + std::to_string(w.steps()) + " now " + std::to_string(w.now()) + " payloads " +
                    std::to_string(w.payloads_in_use()) + " connections " + std::to_string(w.connections_in_use()) + " marks " +
                    std::to_string(w.journal.marks.size());
  for (NodeId n = 0; n < w.node_count(); ++n)
    out += " " + std::to_string(w.node_as<Gossip>(n).hash) + "/" + std::to_string(w.disk(n).written(0)) + "/" + std::to_string(w.wall(n));
  for (const ArmedFault& f : w.faults()) out += " " + std::to_string(f.bites);
  return out;
}

}  // namespace mqlab::test
