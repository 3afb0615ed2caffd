// cli/bench.h: `mqlab bench`: how fast the parts are, on work that other simulators do too.
//
// The rule: ring, phold and tandem are the work of the speed comparison, drawn from one generator, and
// print a checksum over the order of deliveries; a peer that does the same work prints the same one.
//
//     BenchResult r = bench_phold({.size = 5'000'000});
//     r.checksum == 0xd03886ddeebe6d6f;
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sim/kernel/schedule.h"

namespace mqlab::cli {

struct BenchOptions {
  std::uint64_t size = 0;
  QueueKind queue = QueueKind::heap;
};

// Something else that was measured on the way: "index_s", 0.4.
struct BenchMeasure {
  const char* name;  // with its unit
  double value = 0;
};

struct BenchResult {
  std::uint64_t units = 0;
  double seconds = 0;
  std::uint64_t checksum = 0;
  std::uint64_t bytes = 0;  // the highest use of memory beyond what stood before; 0 = not measured
  std::vector<BenchMeasure> more{};
};

BenchResult bench_ring(const BenchOptions& o);      // deliveries
BenchResult bench_phold(const BenchOptions& o);     // events
BenchResult bench_tandem(const BenchOptions& o);    // customers
BenchResult bench_hop(const BenchOptions& o);       // messages
BenchResult bench_rpc(const BenchOptions& o);       // request and reply
BenchResult bench_produce(const BenchOptions& o);   // acknowledged records
BenchResult bench_campaign(const BenchOptions& o);  // runs
BenchResult bench_hunt(const BenchOptions& o);      // seeds
BenchResult bench_check(const BenchOptions& o);     // operations
BenchResult bench_check_transactions(const BenchOptions& o);
BenchResult bench_window(const BenchOptions& o);    // events recorded; what a window then does with them in `more`

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(); }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

// The generator of the comparison: xoshiro256++ (Blackman & Vigna 2019) seeded by splitmix64, with exponential
// draws through libm's log. A world never uses it: its own samplers are whole-numbered (sim/kernel/random.h).
class BenchRandom {
 public:
  explicit BenchRandom(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }
  std::uint64_t next() {
    const std::uint64_t result = rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotl(state_[3], 45);
    return result;
  }
  // Nanoseconds, at least 1.
  Duration exponential(double mean) {
    const double u = (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53;
    return static_cast<Duration>(-std::log(u) * mean) + 1;
  }
  // 0..1023.
  std::uint32_t of_1024() { return static_cast<std::uint32_t>(next() >> 54); }

 private:
  static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::uint64_t state_[4];
};

}  // namespace mqlab::cli
