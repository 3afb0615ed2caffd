// sim/kernel/time.h: virtual time.
//
// Time is a whole number of nanoseconds since the world began; a Duration is a difference of
// two of them. Both are signed 64-bit, so 292 years fit. No float ever holds a time.
//
//     using namespace mqlab::literals;
//     Time due = now + 5_ms;
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace mqlab {

using Time = std::int64_t;
using Duration = std::int64_t;

inline constexpr Time time_max = std::numeric_limits<Time>::max();

namespace literals {
constexpr Duration operator""_ns(unsigned long long n) { return static_cast<Duration>(n); }
constexpr Duration operator""_us(unsigned long long n) { return static_cast<Duration>(n) * 1'000; }
constexpr Duration operator""_ms(unsigned long long n) { return static_cast<Duration>(n) * 1'000'000; }
constexpr Duration operator""_s(unsigned long long n) { return static_cast<Duration>(n) * 1'000'000'000; }
constexpr Duration operator""_min(unsigned long long n) { return static_cast<Duration>(n) * 60'000'000'000; }
}  // namespace literals

inline constexpr Time time_min = std::numeric_limits<Time>::min();

// a + b and a * b, held at the ends of the range instead of overflowing.
constexpr Time saturating_add(Time a, Duration b) {
  Time sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) [[unlikely]] return b < 0 ? time_min : time_max;
  return sum;
}
constexpr Duration saturating_multiply(Duration a, Duration b) {
  Duration product = 0;
  if (__builtin_mul_overflow(a, b, &product)) [[unlikely]] return (a < 0) == (b < 0) ? time_max : time_min;
  return product;
}

// "12.345678 s": seconds with as many places as microseconds need; the form of every page and trace.
std::string format_time(Time t);

// "250 ms", "1.5 s", "2 min": the shortest exact form, for options and docs.
std::string format_duration(Duration d);

}  // namespace mqlab
