// gui/core/range_stats.h: what the least, the greatest and the n-th of any stretch of a long row of numbers are, without reading
// the stretch.
//
// Both are built once from the row and answer in a time that grows with the logarithm of its length, so that a picture of a
// million numbers costs what one of a thousand does. Answers are exact.
//
// Always true: 1. each answer equals that of a loop over the stretch (tests/gui_core). 2. nothing changes after building:
// threads may share it.
//
//     RangeExtremes e(values);   e.of(10, 500'000)              // {least, greatest}
//     RangeRanks r(values);      r.nth(10, 500'000, 4'000)      // the value that 4,000 of these values stand before
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mqlab::gui {

// The extremes of blocks of 16, of blocks of 16 of these, and so on.
class RangeExtremes {
 public:
  using Pair = std::pair<std::int64_t, std::int64_t>;

  RangeExtremes() = default;
  explicit RangeExtremes(std::vector<std::int64_t> values);

  // Of values[begin, end). Requires: begin < end <= the number of values.
  Pair of(std::size_t begin, std::size_t end) const;

 private:
  std::vector<std::int64_t> values_;
  std::vector<std::vector<Pair>> levels_;
};

// A wavelet matrix over the ranks of the values.
class RangeRanks {
 public:
  RangeRanks() = default;
  explicit RangeRanks(const std::vector<std::int64_t>& values);

  // The value with `n` before it when values[begin, end) are sorted. Requires: n < end - begin, end <= the number of values.
  std::int64_t nth(std::size_t begin, std::size_t end, std::size_t n) const;

 private:
  // One bit of each rank, in the order that the levels before left them in.
  struct Level {
    std::vector<std::uint64_t> bits;
    std::vector<std::uint32_t> ones;  // before each word of `bits`
    std::size_t zeros = 0;            // in all
    std::size_t ones_before(std::size_t i) const;
  };
  std::vector<std::int64_t> distinct_;  // ascending: the value of a rank
  std::vector<Level> levels_;           // the highest bit first
};

}  // namespace mqlab::gui
