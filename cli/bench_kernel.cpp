// ring, phold, tandem: the bare kernel under one virtual call per event.
#include <deque>
#include <memory>
#include <vector>

#include "cli/bench.h"

namespace mqlab::cli {
namespace {

struct Actors;

struct Actor {
  virtual ~Actor() = default;
  virtual void on(Actors& a, const Event& e) = 0;
};

struct Actors {
  explicit Actors(QueueKind queue, std::uint64_t size) : schedule(queue), limit(size) {}

  void send(Duration after, std::uint32_t target, std::uint64_t tag) {
    Event e;
    e.target = target;
    e.body[0] = tag;
    schedule.add(schedule.now() + after, e);
  }
  // One delivery on actor i; false once there were enough.
  bool hit(std::uint32_t i) {
    checksum = checksum * 31 + i;
    return ++count < limit;
  }
  BenchResult run() {
    const Stopwatch watch;
    for (Event e; !stop && schedule.pop(time_max, e);) all[e.target]->on(*this, e);
    return {count, watch.seconds(), checksum};
  }

  Schedule schedule;
  BenchRandom random{1};
  std::vector<std::unique_ptr<Actor>> all;
  std::uint64_t limit;
  std::uint64_t count = 0;
  std::uint64_t checksum = 0;
  bool stop = false;
};

constexpr double mean_ns = 1'000'000;
constexpr double service_ns = 800'000;

// --- ring: 100 actors, 100 messages under way, 1 ms a hop: every instant has 100 ties ---
constexpr std::uint32_t ring_actors = 100;
constexpr Duration ring_delay = 1'000'000;

struct RingActor final : Actor {
  explicit RingActor(std::uint32_t n) : id(n) {}
  std::uint32_t id;
  void on(Actors& a, const Event& e) override {
    if (a.hit(id)) a.send(ring_delay, (id + 1) % ring_actors, e.body[0]);
    else a.stop = true;
  }
};

// --- phold: 1024 processes, 16 events each to begin with, exponential steps, random destinations ---
constexpr std::uint32_t phold_processes = 1024;
constexpr std::uint64_t phold_events = 16;

struct PholdActor final : Actor {
  explicit PholdActor(std::uint32_t n) : id(n) {}
  std::uint32_t id;
  void on(Actors& a, const Event& e) override {
    if (!a.hit(id)) {
      a.stop = true;
      return;
    }
    const std::uint32_t to = a.random.of_1024();
    a.send(a.random.exponential(mean_ns), to, e.body[0]);
  }
};

// --- tandem: three servers in a row, one queue each ---
constexpr std::uint32_t stages = 3;
constexpr std::uint32_t source = stages;

struct Tandem;

struct Stage final : Actor {
  Stage(Tandem& t, std::uint32_t n) : tandem(t), number(n) {}
  void on(Actors& a, const Event& e) override;
  void enter(Actors& a, Time born) {
    waiting.push_back(born);
    if (!busy) begin(a);
  }
  void begin(Actors& a) {
    busy = true;
    a.send(a.random.exponential(service_ns), number, 0);
  }
  Tandem& tandem;
  std::uint32_t number;
  std::deque<Time> waiting;
  bool busy = false;
};

struct Source final : Actor {
  explicit Source(Tandem& t) : tandem(t) {}
  void on(Actors& a, const Event& e) override;
  Tandem& tandem;
};

struct Tandem {
  std::vector<Stage*> row;
  std::uint64_t made = 0;
  std::uint64_t done = 0;
  std::int64_t sojourn = 0;

  void enter(Actors& a, std::uint32_t stage, Time born) {
    if (stage < stages) return row[stage]->enter(a, born);
    sojourn += a.schedule.now() - born;
    a.checksum = static_cast<std::uint64_t>(sojourn);
    if (++done >= a.limit) a.stop = true;
  }
};

void Stage::on(Actors& a, const Event&) {
  const Time born = waiting.front();
  waiting.pop_front();
  busy = false;
  if (!waiting.empty()) begin(a);
  tandem.enter(a, number + 1, born);
}

void Source::on(Actors& a, const Event&) {
  ++tandem.made;
  if (tandem.made < a.limit) a.send(a.random.exponential(mean_ns), source, 0);
  tandem.enter(a, 0, a.schedule.now());
}

}  // namespace

BenchResult bench_ring(const BenchOptions& o) {
  Actors a(o.queue, o.size);
  for (std::uint32_t i = 0; i < ring_actors; ++i) a.all.push_back(std::make_unique<RingActor>(i));
  for (std::uint32_t i = 0; i < ring_actors; ++i) a.send(ring_delay, i, i);
  return a.run();
}

BenchResult bench_phold(const BenchOptions& o) {
  Actors a(o.queue, o.size);
  for (std::uint32_t i = 0; i < phold_processes; ++i) a.all.push_back(std::make_unique<PholdActor>(i));
  for (std::uint32_t i = 0; i < phold_processes; ++i)
    for (std::uint64_t n = 0; n < phold_events; ++n) a.send(a.random.exponential(mean_ns), i, n);
  return a.run();
}

BenchResult bench_tandem(const BenchOptions& o) {
  Actors a(o.queue, o.size);
  Tandem t;
  for (std::uint32_t i = 0; i < stages; ++i) {
    auto stage = std::make_unique<Stage>(t, i);
    t.row.push_back(stage.get());
    a.all.push_back(std::move(stage));
  }
  a.all.push_back(std::make_unique<Source>(t));
  a.send(a.random.exponential(mean_ns), source, 0);
  BenchResult r = a.run();
  r.units = t.done;
  return r;
}

}  // namespace mqlab::cli
