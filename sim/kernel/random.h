// sim/kernel/random.h: the only source of chance in a world.
//
// xoshiro256++ seeded by splitmix64 from (seed of the run, purpose of the stream): each purpose has
// its own stream, so that a draw added to one moves no other. Samplers use whole numbers only; the
// same seed gives the same draws with every compiler, library and machine.
// Sources: Blackman & Vigna, "Scrambled linear pseudorandom number generators" (2019); Lemire,
// "Fast random integer generation in an interval" (2019), without the rejection step: the bias is
// below n / 2^64 and every call costs exactly one draw.
//
//     Random faults{seed, Stream::faults};
//     if (faults.chance({1, 100})) ...
#pragma once

#include <array>
#include <cstdint>

#include "sim/kernel/time.h"

namespace mqlab {

// A probability as a ratio. Nothing of nothing is never, something of nothing is always.
struct Ratio {
  std::uint64_t part{};
  std::uint64_t of = 1;
};

// What a stream of draws is for. Streams of nodes start at `node` and add the node's number.
enum class Stream : std::uint64_t { workload = 1, network = 2, faults = 3, disk = 4, scenario = 5, node = 1000 };

class Random {
 public:
  Random() : Random(0, Stream::workload) {}
  Random(std::uint64_t seed, Stream stream, std::uint64_t number = 0);

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

  // Uniform in [0, n). Requires: n > 0.
  std::uint64_t below(std::uint64_t n) { return scale(next(), n); }

  // Uniform in [low, high]. Requires: low <= high, and not the whole range of 64 bits.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto from = static_cast<std::uint64_t>(low);
    return static_cast<std::int64_t>(from + below(static_cast<std::uint64_t>(high) - from + 1));
  }

  // True with probability p.
  bool chance(Ratio p) { return below(p.of) < p.part; }  // of = 0: below(0) is 0

  // Exponential with the given mean, from a table of quantiles; whole nanoseconds, at least 0. The table ends
  // at 1 - 1/2048 and a last step of mean 1, so nothing is drawn beyond 8.7 times the mean.
  Duration exponential(Duration mean) { return exponential_from(next(), mean); }

  // The same from a word already drawn.
  static Duration exponential_from(std::uint64_t word, Duration mean);

  // word mapped to [0, n).
  static std::uint64_t scale(std::uint64_t word, std::uint64_t n) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(word) * n) >> 64);
  }

  bool operator==(const Random&) const = default;

 private:
  static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<std::uint64_t, 4> state_{};
};

// One step of splitmix64: a good 64-bit mixer, also for hashing small keys.
constexpr std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace mqlab
