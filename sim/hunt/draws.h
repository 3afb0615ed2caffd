// sim/hunt/draws.h: the few ways in which plans draw.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/kernel/random.h"

namespace mqlab {

// A Random in the words of those who draw plans. The caller keeps the Random.
class Draws {
 public:
  explicit Draws(Random& random) : random_(random) {}

  std::uint64_t below(std::uint64_t n) { return random_.below(n); }
  std::int64_t between(std::int64_t low, std::int64_t high) { return random_.between(low, high); }
  bool chance(std::uint64_t part, std::uint64_t of) { return random_.chance({part, of}); }

  // Requires: not empty.
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[random_.below(all.size())];
  }

  // A quarter, half, or three quarters of them, or one alone; at least one of those there are.
  template <class T>
  std::vector<T> some_of(const std::vector<T>& all) {
    std::vector<T> out;
    if (all.empty()) return out;
    const std::uint64_t in = random_.below(4);
    if (in > 0)
      for (const T& one : all)
        if (chance(in, 4)) out.push_back(one);
    if (out.empty()) out.push_back(one_of(all));
    return out;
  }

  // Short ones as often as long ones: from most / 64 to most, in whole milliseconds from there on.
  Duration length(Duration most) {
    constexpr Duration ms = 1'000'000;
    const Duration half = std::max<Duration>(2, most >> random_.below(6));
    const Duration d = random_.between(half / 2, half);
    return std::max<Duration>(1, d >= ms ? d / ms * ms : d);
  }

 private:
  Random& random_;
};

}  // namespace mqlab
