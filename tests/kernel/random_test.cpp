// The generator's exact draws: a platform on which one of them differs would give other runs.
#include "sim/kernel/random.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

using namespace mqlab;
using namespace mqlab::literals;

TEST(Random, GoldenDraws) {
  Random r(1, Stream::network);
  std::vector<std::uint64_t> got;
  for (int i = 0; i < 4; ++i) got.push_back(r.next());
  EXPECT_EQ(got, (std::vector<std::uint64_t>{13619807285547036536ULL, 2656219575389958795ULL, 15264786834906121480ULL, 4495607317685400637ULL}));
  Random node(42, Stream::node, 7);
  EXPECT_EQ(node.next(), 5364600404002962953ULL);
  EXPECT_EQ(splitmix64(0), 0xe220a8397b1dcdafULL);  // the published first value from state 0
}

TEST(Random, GoldenSamples) {
  Random r(7, Stream::workload);
  std::vector<std::int64_t> got;
  for (int i = 0; i < 4; ++i) got.push_back(r.exponential(1_ms));
  for (int i = 0; i < 2; ++i) got.push_back(r.between(-5, 5));
  for (int i = 0; i < 2; ++i) got.push_back(static_cast<std::int64_t>(r.below(1'000'000)));
  EXPECT_EQ(got, (std::vector<std::int64_t>{538477, 429337, 1446064, 98127, -1, 4, 160536, 552837}));
}

// The whole table of quantiles in one number.
TEST(Random, GoldenTable) {
  std::uint64_t hash = 0;
  for (std::uint64_t i = 0; i < 4096; ++i)
    hash = splitmix64(hash ^ static_cast<std::uint64_t>(Random::exponential_from(i << 52, 1'000'000'000'000)));
  EXPECT_EQ(hash, 12936986011168143700ULL);
}

TEST(Random, StreamsDoNotMoveEachOther) {
  Random network(5, Stream::network), faults(5, Stream::faults);
  Random alone(5, Stream::network);
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < i % 3; ++k) faults.next();
    EXPECT_EQ(network.next(), alone.next());
  }
}

TEST(Random, StreamsAndSeedsDiffer) {
  std::vector<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    for (Stream s : {Stream::workload, Stream::network, Stream::faults, Stream::disk, Stream::scenario, Stream::node})
      for (std::uint64_t n = 0; n < (s == Stream::node ? 20U : 1U); ++n) first.push_back(Random(seed, s, n).next());
  std::sort(first.begin(), first.end());
  EXPECT_EQ(std::unique(first.begin(), first.end()), first.end());
}

RC_GTEST_PROP(Random, BelowStaysBelow, (std::uint64_t seed, std::uint64_t n)) {
  Random r(seed, Stream::workload);
  for (int i = 0; i < 20; ++i) RC_ASSERT((n == 0 ? r.below(n) == 0 : r.below(n) < n));
}

RC_GTEST_PROP(Random, BetweenStaysBetween, (std::uint64_t seed, std::int64_t a, std::int64_t b)) {
  const std::int64_t low = std::min(a, b), high = std::max(a, b);
  Random r(seed, Stream::workload);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t x = r.between(low, high);
    RC_ASSERT(low <= x && x <= high);
  }
}

// Any word and any mean, negative and huge ones too: no sample overflows.
RC_GTEST_PROP(Random, ExponentialIsNeverNegative, (std::uint64_t word)) {
  for (Duration mean : {time_min, Duration{-1}, Duration{0}, Duration{1}, 1_s, time_max / 8, time_max})
    RC_ASSERT(Random::exponential_from(word, mean) >= 0);
  RC_ASSERT(Random::exponential_from(word, 0) == 0);
  RC_ASSERT(Random::exponential_from(word, 1_s) <= 9_s);
}

TEST(Random, ExponentialHasItsMeanAndQuantiles) {
  Random r(3, Stream::network);
  std::vector<Duration> all;
  double sum = 0;
  for (int i = 0; i < 200'000; ++i) {
    all.push_back(r.exponential(1_ms));
    sum += static_cast<double>(all.back());
  }
  std::sort(all.begin(), all.end());
  const auto quantile = [&](double q) { return static_cast<double>(all[static_cast<std::size_t>(q * 200'000)]); };
  EXPECT_NEAR(sum / 200'000, 1e6, 1e4);
  EXPECT_NEAR(quantile(0.5), 693'147, 10'000);
  EXPECT_NEAR(quantile(0.9), 2'302'585, 40'000);
  EXPECT_NEAR(quantile(0.99), 4'605'170, 150'000);
}

TEST(Random, ChanceIsARatio) {
  Random r(1, Stream::faults);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += r.chance({1, 4});
  EXPECT_NEAR(hits, 25'000, 600);
  EXPECT_FALSE(r.chance({0, 1}));
  EXPECT_TRUE(r.chance({1, 1}));
  EXPECT_TRUE(r.chance({5, 2}));
  EXPECT_FALSE(r.chance({0, 0}));
  EXPECT_TRUE(r.chance({1, 0}));
}
