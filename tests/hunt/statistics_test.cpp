// What k failures in n runs say: against values from tables, against the definition, and against a plain sum.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "sim/hunt/statistics.h"

namespace mqlab {
namespace {

// P(X = k) for n throws, by logarithms: nothing of the library that the code uses.
double chance_of(std::uint64_t k, std::uint64_t n, double p) {
  if (p <= 0) return k == 0 ? 1 : 0;
  if (p >= 1) return k == n ? 1 : 0;
  const double a = static_cast<double>(n), b = static_cast<double>(k);
  return std::exp(std::lgamma(a + 1) - std::lgamma(b + 1) - std::lgamma(a - b + 1) + b * std::log(p) + (a - b) * std::log1p(-p));
}

double at_least(std::uint64_t k, std::uint64_t n, double p) {
  double sum = 0;
  for (std::uint64_t i = k; i <= n; ++i) sum += chance_of(i, n, p);
  return sum;
}

double at_most(std::uint64_t k, std::uint64_t n, double p) {
  double sum = 0;
  for (std::uint64_t i = 0; i <= k; ++i) sum += chance_of(i, n, p);
  return sum;
}

// R: binom.test(1, 10)$conf.int and its like.
TEST(Statistics, IntervalsAreThoseOfTables) {
  const auto expect = [](std::uint64_t k, std::uint64_t n, double low, double high) {
    const Interval i = binomial_interval(k, n);
    EXPECT_NEAR(i.low, low, 5e-5) << k << " of " << n;
    EXPECT_NEAR(i.high, high, 5e-5) << k << " of " << n;
  };
  expect(0, 10, 0, 0.3085);
  expect(1, 10, 0.0025, 0.4450);
  expect(3, 10, 0.0667, 0.6525);
  expect(5, 20, 0.0866, 0.4910);
  expect(10, 10, 0.6915, 1);
  expect(1, 1, 0.0250, 1);
}

TEST(Statistics, NoFailureIsTheRuleOfThree) {
  EXPECT_EQ(at_most_one_in(1), 1U);
  EXPECT_EQ(at_most_one_in(59), 20U);  // 0.95 ^ 59 < 0.05: fifty-nine clean runs for one in twenty
  EXPECT_EQ(at_most_one_in(58), 19U);
  EXPECT_NEAR(static_cast<double>(at_most_one_in(3'000'000)), 1e6, 2e3);
}

TEST(Statistics, RatesReadWell) {
  EXPECT_EQ(rate_text(3, 50), "3 of 50 (1.3 % to 17 %)");
  EXPECT_EQ(rate_text(0, 10), "0 of 10 (0 % to 31 %)");
  EXPECT_EQ(rate_text(10, 10), "10 of 10 (69 % to 100 %)");
  EXPECT_EQ(percent(0.0999), "10 %");
  EXPECT_EQ(percent(0.00995), "1.0 %");
  EXPECT_EQ(percent(0.000123), "0.012 %");
  EXPECT_EQ(percent(1e-12), "0.00000000 %");
}

// At its low end as many failures or more are as rare as the one side allows; at its high end as many or fewer.
RC_GTEST_PROP(Statistics, IntervalsEndWhereTheirDefinitionSays, ()) {
  const auto n = *rc::gen::inRange<std::uint64_t>(1, 200);
  const auto k = *rc::gen::inRange<std::uint64_t>(0, n + 1);
  const double confidence = *rc::gen::element(0.8, 0.95, 0.99);
  const Interval i = binomial_interval(k, n, confidence);
  const double side = (1 - confidence) / 2;
  const double seen = static_cast<double>(k) / static_cast<double>(n);
  RC_ASSERT(i.low <= seen);
  RC_ASSERT(seen <= i.high);
  RC_ASSERT((k == 0 ? i.low == 0 : std::abs(at_least(k, n, i.low) - side) < 1e-6));
  RC_ASSERT((k == n ? i.high == 1 : std::abs(at_most(k, n, i.high) - side) < 1e-6));
}

// So many clean runs are too much luck at the interval's lower end, and one run less is not.
RC_GTEST_PROP(Statistics, AFixIsBelievedAfterTheFirstRunThatSuffices, ()) {
  const auto n = *rc::gen::inRange<std::uint64_t>(1, 5'000);
  const auto k = *rc::gen::inRange<std::uint64_t>(1, n + 1);
  const double p = binomial_interval(k, n).low;
  const auto runs = static_cast<double>(clean_runs_to_believe(k, n));
  RC_ASSERT(std::pow(1 - p, runs) <= 0.05 * (1 + 1e-9));
  RC_ASSERT(runs == 1 || std::pow(1 - p, runs - 1) > 0.05 * (1 - 1e-9));
}

}  // namespace
}  // namespace mqlab
