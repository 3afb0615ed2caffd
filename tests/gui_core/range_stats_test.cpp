// Questions about stretches of a row, against loops over them.
#include "gui/core/range_stats.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/kernel/random.h"

namespace mqlab::gui {
namespace {

// Lengths around the sizes of blocks and words, where an end may be left out or counted twice.
constexpr std::size_t lengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257, 4'095, 4'096, 4'097, 20'000};

std::vector<std::int64_t> numbers(std::size_t n, std::uint64_t spread, Random& random) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(static_cast<std::int64_t>(random.below(spread)) - static_cast<std::int64_t>(spread / 2));
  return out;
}

template <class Ask>
void ask_of_many_stretches(std::uint64_t spread, Ask ask) {
  Random random(spread, Stream::workload);
  for (const std::size_t n : lengths) {
    SCOPED_TRACE(n);
    const std::vector<std::int64_t> row = numbers(n, spread, random);
    ask(row, 0, n);
    for (int i = 0; i < 60; ++i) {
      const std::size_t begin = random.below(n);
      ask(row, begin, begin + 1 + random.below(n - begin));
    }
  }
}

TEST(RangeStats, ExtremesAreThoseOfALoop) {
  for (const std::uint64_t spread : {2U, 100U, 1'000'000U}) {
    RangeExtremes extremes;
    ask_of_many_stretches(spread, [&](const std::vector<std::int64_t>& row, std::size_t begin, std::size_t end) {
      if (begin == 0 && end == row.size()) extremes = RangeExtremes(row);
      const auto [least, most] = std::minmax_element(row.begin() + static_cast<std::ptrdiff_t>(begin), row.begin() + static_cast<std::ptrdiff_t>(end));
      EXPECT_EQ(extremes.of(begin, end), RangeExtremes::Pair(*least, *most)) << begin << " to " << end;
    });
  }
}

TEST(RangeStats, TheNthIsThatOfASortedLoop) {
  for (const std::uint64_t spread : {1U, 2U, 100U, 1'000'000U}) {
    RangeRanks ranks;
    Random random(5, Stream::workload);
    ask_of_many_stretches(spread, [&](const std::vector<std::int64_t>& row, std::size_t begin, std::size_t end) {
      if (begin == 0 && end == row.size()) ranks = RangeRanks(row);
      std::vector<std::int64_t> sorted(row.begin() + static_cast<std::ptrdiff_t>(begin), row.begin() + static_cast<std::ptrdiff_t>(end));
      std::sort(sorted.begin(), sorted.end());
      for (const std::size_t n : {std::size_t{0}, sorted.size() - 1, static_cast<std::size_t>(random.below(sorted.size()))})
        EXPECT_EQ(ranks.nth(begin, end, n), sorted[n]) << n << " of " << begin << " to " << end;
    });
  }
}

}  // namespace
}  // namespace mqlab::gui
