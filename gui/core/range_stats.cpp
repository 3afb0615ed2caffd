#include "gui/core/range_stats.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace mqlab::gui {
namespace {

constexpr std::size_t fan_out = 16;
constexpr std::size_t word = 64;

void widen(RangeExtremes::Pair& all, const RangeExtremes::Pair& by) {
  all.first = std::min(all.first, by.first);
  all.second = std::max(all.second, by.second);
}

}  // namespace

RangeExtremes::RangeExtremes(std::vector<std::int64_t> values) : values_(std::move(values)) {
  const auto blocks_of = [](std::size_t n, auto pair_at) {
    std::vector<Pair> out;
    out.reserve(n / fan_out + 1);
    for (std::size_t i = 0; i < n; ++i) {
      if (i % fan_out == 0) out.push_back(pair_at(i));
      else widen(out.back(), pair_at(i));
    }
    return out;
  };
  if (values_.size() > fan_out) levels_.push_back(blocks_of(values_.size(), [&](std::size_t i) { return Pair(values_[i], values_[i]); }));
  while (!levels_.empty() && levels_.back().size() > fan_out) levels_.push_back(blocks_of(levels_.back().size(), [below = &levels_.back()](std::size_t i) { return (*below)[i]; }));
}

RangeExtremes::Pair RangeExtremes::of(std::size_t begin, std::size_t end) const {
  Pair out(values_[begin], values_[begin]);
  // What does not fill a block of the level above is taken here, at both ends; the rest there.
  const auto take_ends = [&](bool last, auto pair_at) {
    while (begin < end && (last || begin % fan_out != 0)) widen(out, pair_at(begin++));
    while (begin < end && end % fan_out != 0) widen(out, pair_at(--end));
    begin /= fan_out;
    end /= fan_out;
  };
  take_ends(levels_.empty(), [&](std::size_t i) { return Pair(values_[i], values_[i]); });
  for (std::size_t l = 0; l < levels_.size() && begin < end; ++l) take_ends(l + 1 == levels_.size(), [&](std::size_t i) { return levels_[l][i]; });
  return out;
}

std::size_t RangeRanks::Level::ones_before(std::size_t i) const {
  const std::size_t rest = i % word;
  return ones[i / word] + (rest == 0 ? 0U : static_cast<std::size_t>(std::popcount(bits[i / word] << (word - rest))));
}

RangeRanks::RangeRanks(const std::vector<std::int64_t>& values) : distinct_(values) {
  std::sort(distinct_.begin(), distinct_.end());
  distinct_.erase(std::unique(distinct_.begin(), distinct_.end()), distinct_.end());
  std::vector<std::uint32_t> ranks(values.size()), next(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) ranks[i] = static_cast<std::uint32_t>(std::lower_bound(distinct_.begin(), distinct_.end(), values[i]) - distinct_.begin());
  for (int bit = static_cast<int>(std::bit_width(distinct_.empty() ? 0 : distinct_.size() - 1)); bit-- > 0;) {
    Level level;
    level.bits.resize(values.size() / word + 1);
    level.ones.resize(values.size() / word + 1);
    std::size_t ones = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      if (i % word == 0) level.ones[i / word] = static_cast<std::uint32_t>(ones);
      if ((ranks[i] >> bit & 1) == 0) continue;
      level.bits[i / word] |= std::uint64_t{1} << i % word;
      ++ones;
    }
    if (ranks.size() % word == 0) level.ones[ranks.size() / word] = static_cast<std::uint32_t>(ones);
    level.zeros = ranks.size() - ones;
    // Those with a zero first; among equals the order stays.
    std::size_t zero = 0, one = level.zeros;
    for (const std::uint32_t r : ranks) next[(r >> bit & 1) == 0 ? zero++ : one++] = r;
    ranks.swap(next);
    levels_.push_back(std::move(level));
  }
}

std::int64_t RangeRanks::nth(std::size_t begin, std::size_t end, std::size_t n) const {
  std::size_t rank = 0;
  for (const Level& level : levels_) {
    const std::size_t ones_begin = level.ones_before(begin), ones_end = level.ones_before(end);
    const std::size_t zeros = (end - begin) - (ones_end - ones_begin);
    rank <<= 1;
    if (n < zeros) {
      begin -= ones_begin;
      end -= ones_end;
    } else {
      n -= zeros;
      begin = level.zeros + ones_begin;
      end = level.zeros + ones_end;
      rank |= 1;
    }
  }
  return distinct_[rank];
}

}  // namespace mqlab::gui
