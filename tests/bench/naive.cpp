// The yardstick of scripts/bench: the event loop one would write in an afternoon, on the same work as
// `mqlab bench ring|phold|tandem`. A std::priority_queue of {time, order added, std::function}, nothing else.
//
//     g++ -O3 -std=c++20 -I. tests/bench/naive.cpp -o naive && ./naive phold 5000000
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "cli/bench.h"

namespace {

using mqlab::Time;

struct Entry {
  Time due;
  std::uint64_t order;
  std::function<void()> run;
};
struct Later {
  bool operator()(const Entry& a, const Entry& b) const { return a.due != b.due ? a.due > b.due : a.order > b.order; }
};

std::priority_queue<Entry, std::vector<Entry>, Later> queue;
Time now = 0;
std::uint64_t order = 0;
bool stop = false;
mqlab::cli::BenchRandom chance(1);
std::uint64_t limit = 0, count = 0, checksum = 0;

template <class F>
void after(Time delay, F&& f) {
  queue.push({now + delay, order++, std::forward<F>(f)});
}

bool hit(std::uint32_t i) {
  checksum = checksum * 31 + i;
  return ++count < limit;
}

struct Actor {
  virtual ~Actor() = default;
  virtual void on(std::uint32_t tag) = 0;
};
std::vector<std::unique_ptr<Actor>> actors;

void deliver(Time delay, std::uint32_t to, std::uint32_t tag) {
  after(delay, [to, tag] { actors[to]->on(tag); });
}

struct Ring : Actor {
  std::uint32_t id;
  explicit Ring(std::uint32_t n) : id(n) {}
  void on(std::uint32_t tag) override {
    if (hit(id)) deliver(1'000'000, (id + 1) % 100, tag);
    else stop = true;
  }
};

struct Phold : Actor {
  std::uint32_t id;
  explicit Phold(std::uint32_t n) : id(n) {}
  void on(std::uint32_t tag) override {
    if (!hit(id)) {
      stop = true;
      return;
    }
    const std::uint32_t to = chance.of_1024();
    deliver(chance.exponential(1'000'000), to, tag);
  }
};

struct Server {
  std::deque<Time> waiting;
  bool busy = false;
} servers[3];
std::uint64_t made = 0, done = 0;

void enter(int s, Time born);
void serve(int s) {
  servers[s].busy = true;
  after(chance.exponential(800'000), [s] {
    const Time born = servers[s].waiting.front();
    servers[s].waiting.pop_front();
    servers[s].busy = false;
    if (!servers[s].waiting.empty()) serve(s);
    enter(s + 1, born);
  });
}
void enter(int s, Time born) {
  if (s == 3) {
    checksum += static_cast<std::uint64_t>(now - born);
    if (++done >= limit) stop = true;
    return;
  }
  servers[s].waiting.push_back(born);
  if (!servers[s].busy) serve(s);
}
void arrive() {
  if (++made < limit) after(chance.exponential(1'000'000), arrive);
  enter(0, now);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string bench = argc > 1 ? argv[1] : "phold";
  limit = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5'000'000;
  if (bench == "ring") {
    for (std::uint32_t i = 0; i < 100; ++i) actors.push_back(std::make_unique<Ring>(i));
    for (std::uint32_t i = 0; i < 100; ++i) deliver(1'000'000, i, i);
  } else if (bench == "phold") {
    for (std::uint32_t i = 0; i < 1024; ++i) actors.push_back(std::make_unique<Phold>(i));
    for (std::uint32_t i = 0; i < 1024; ++i)
      for (std::uint32_t n = 0; n < 16; ++n) deliver(chance.exponential(1'000'000), i, n);
  } else {
    after(chance.exponential(1'000'000), arrive);
  }
  const mqlab::cli::Stopwatch watch;
  while (!queue.empty() && !stop) {
    Entry e = std::move(const_cast<Entry&>(queue.top()));
    queue.pop();
    now = e.due;
    e.run();
  }
  const double seconds = watch.seconds();
  const std::uint64_t units = bench == "tandem" ? done : count;
  std::printf("peer=naive bench=%s units=%llu run_s=%.4f rate=%.0f chk=%016llx\n", bench.c_str(), static_cast<unsigned long long>(units), seconds,
              static_cast<double>(units) / seconds, static_cast<unsigned long long>(checksum));
}
