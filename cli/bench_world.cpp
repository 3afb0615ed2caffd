// hop, rpc: messages over the modelled network, with everything on: latency is drawn, cuts, loss and
// duplication are looked for, incarnations are compared, and each event goes into the fingerprint.
#include <memory>
#include <string>
#include <vector>

#include "cli/bench.h"
#include "sim/world/world.h"

namespace mqlab::cli {
namespace {

constexpr std::uint32_t nodes = 64;
constexpr std::uint32_t in_flight = 1024;
constexpr MessageKind hop_kind = 1;
constexpr MessageKind request_kind = 2;
constexpr MessageKind reply_kind = 3;
constexpr Duration rpc_timeout = 30'000'000'000;

World make_world(const BenchOptions& o) {
  WorldOptions options;
  options.queue = o.queue;
  options.trace = TraceLevel::off;
  World world(1, options);
  world.declare_message({hop_kind, "Hop", Traffic::client, nullptr});
  world.declare_message({request_kind, "Request", Traffic::client, nullptr});
  world.declare_message({reply_kind, "Reply", Traffic::client, nullptr});
  return world;
}

NodeOptions named(std::uint32_t i) {
  NodeOptions o;
  o.name.append("N").append(std::to_string(i));
  return o;
}

// Passes each message on to a node drawn at random.
struct Hopper : NodeBase<Hopper> {
  std::uint64_t received = 0;
  void pass_on(Context& c) { c.datagram(static_cast<NodeId>(c.random().below(nodes)), hop_kind, nullptr); }
  void on_start(Context& c) override {
    for (std::uint32_t i = 0; i < in_flight / nodes; ++i) pass_on(c);
  }
  void on_message(Context& c, const Message&) override {
    ++received;
    pass_on(c);
  }
};

// Keeps a few calls under way to its neighbours, each with a timer that a reply cancels.
struct Caller : NodeBase<Caller> {
  static constexpr std::uint32_t calls = in_flight / nodes;
  std::uint64_t answered = 0;
  std::vector<ConnId> connections;
  std::vector<EventId> timers;
  void call(Context& c, std::uint64_t i) {
    timers[i] = c.set_timer(rpc_timeout, 1, i);
    c.send(connections[i], request_kind, nullptr, 64, i);
  }
  void on_start(Context& c) override {
    timers.resize(calls);
    for (std::uint32_t i = 0; i < calls; ++i) {
      connections.push_back(c.connect((c.self() + i + 1) % nodes, Traffic::client));
      call(c, i);
    }
  }
  void on_message(Context& c, const Message& m) override {
    if (m.kind == request_kind) return c.reply(m, reply_kind, nullptr, 64, m.word);
    ++answered;
    c.cancel_timer(timers[m.word]);
    call(c, m.word);
  }
};

template <class N, class Count>
BenchResult run(World world, std::uint64_t size, Count count) {
  for (std::uint32_t i = 0; i < nodes; ++i) world.add_node(std::make_unique<N>(), named(i));
  const auto total = [&] {
    std::uint64_t n = 0;
    for (NodeId i = 0; i < nodes; ++i) n += count(world.node_as<N>(i));
    return n;
  };
  const Stopwatch watch;
  // The count is taken in strides so that it costs nothing; a stride never passes the size by much.
  std::uint64_t done = 0;
  while (done < size) {
    const std::uint64_t stride = std::min<std::uint64_t>(std::max<std::uint64_t>(size - done, 1), 100'000);
    for (std::uint64_t i = 0; i < stride; ++i) world.step();
    done = total();
  }
  const double seconds = watch.seconds();
  return {done, seconds, world.fingerprint().low};
}

}  // namespace

BenchResult bench_hop(const BenchOptions& o) {
  return run<Hopper>(make_world(o), o.size, [](const Hopper& h) { return h.received; });
}

BenchResult bench_rpc(const BenchOptions& o) {
  return run<Caller>(make_world(o), o.size, [](const Caller& c) { return c.answered; });
}

}  // namespace mqlab::cli
