// sim/kernel/fingerprint.h: 128 bits that name a run.
//
// Every delivered event and every line of history is mixed in, in order, so two runs with one
// fingerprint did the same things at the same times in the same order. It is a test of
// determinism, not a cryptographic hash.
//
//     Fingerprint f;
//     f.mix(now, what);
//     f.text();  // "9f2c...": 32 hexadecimal digits
#pragma once

#include <cstdint>
#include <string>

namespace mqlab {

struct Fingerprint {
  std::uint64_t high = 0x6a09e667f3bcc908ULL;
  std::uint64_t low = 0xbb67ae8584caa73bULL;

  void mix(std::uint64_t a, std::uint64_t b) {
    high = rotl((high ^ a) * 0x9e3779b97f4a7c15ULL, 29) + b;
    low = rotl((low ^ b) * 0xd1342543de82ef95ULL, 31) + high;
  }

  std::string text() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out(32, '0');
    for (int i = 0; i < 16; ++i) {
      out[static_cast<std::size_t>(i)] = digits[(high >> (60 - 4 * i)) & 15];
      out[static_cast<std::size_t>(i) + 16] = digits[(low >> (60 - 4 * i)) & 15];
    }
    return out;
  }

  bool operator==(const Fingerprint&) const = default;

 private:
  static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
};

}  // namespace mqlab
