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

// a + b, held at the ends of the range instead of overflowing. Requires: b >= 0.
constexpr Time saturating_add(Time a, Duration b) { return a > time_max - b ? time_max : a + b; }

// "12.345678 s": seconds with as many places as microseconds need; the form of every page and trace.
std::string format_time(Time t);

// "250 ms", "1.5 s", "2 min": the shortest exact form, for options and docs.
std::string format_duration(Duration d);

}  // namespace mqlab
