#include "sim/kernel/time.h"

#include <fmt/format.h>

namespace mqlab {

std::string format_time(Time t) {
  const bool negative = t < 0;
  const auto ns = negative ? 0 - static_cast<std::uint64_t>(t) : static_cast<std::uint64_t>(t);
  return fmt::format("{}{}.{:06} s", negative ? "-" : "", ns / 1'000'000'000, ns % 1'000'000'000 / 1'000);
}

std::string format_duration(Duration d) {
  struct Unit {
    std::uint64_t size;
    const char* name;
  };
  static constexpr Unit units[] = {{86'400'000'000'000, "d"}, {3'600'000'000'000, "h"}, {60'000'000'000, "min"},
                                   {1'000'000'000, "s"},      {1'000'000, "ms"},        {1'000, "us"}};
  if (d == 0) return "0 s";
  const char* const sign = d < 0 ? "-" : "";
  const auto ns = d < 0 ? 0 - static_cast<std::uint64_t>(d) : static_cast<std::uint64_t>(d);
  for (const Unit& u : units) {
    if (ns % u.size == 0) return fmt::format("{}{} {}", sign, ns / u.size, u.name);
    if (u.size <= 1'000'000'000 && ns >= u.size) {
      const int digits = u.size == 1'000'000'000 ? 9 : u.size == 1'000'000 ? 6 : 3;
      const std::string text = fmt::format("{}{}.{:0{}}", sign, ns / u.size, ns % u.size, digits);
      return text.substr(0, text.find_last_not_of('0') + 1) + " " + u.name;
    }
  }
  return fmt::format("{}{} ns", sign, ns);
}

}  // namespace mqlab
