#include "sim/hunt/statistics.h"

#include <fmt/format.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>

namespace mqlab {

Interval binomial_interval(std::uint64_t failures, std::uint64_t runs, double confidence) {
  using Binomial = boost::math::binomial_distribution<double>;
  const double k = static_cast<double>(failures), n = static_cast<double>(runs), side = (1 - confidence) / 2;
  Interval i;
  if (failures > 0) i.low = Binomial::find_lower_bound_on_p(n, k, side, Binomial::clopper_pearson_exact_interval);
  if (failures < runs) i.high = Binomial::find_upper_bound_on_p(n, k, side, Binomial::clopper_pearson_exact_interval);
  return i;
}

std::uint64_t clean_runs_to_believe(std::uint64_t failures, std::uint64_t runs, double confidence) {
  const double p = binomial_interval(failures, runs, confidence).low;  // below 1: the interval never ends in a point
  return static_cast<std::uint64_t>(std::ceil(std::log(1 - confidence) / std::log1p(-p)));
}

std::uint64_t at_most_one_in(std::uint64_t clean_runs, double confidence) {
  // (1 - p) ^ n = 1 - confidence, solved for p; the one side is all that can be wrong.
  const double p = -std::expm1(std::log(1 - confidence) / static_cast<double>(clean_runs));
  return static_cast<std::uint64_t>(1 / p);
}

std::string percent(double probability) {
  const double p = probability * 100;
  if (p == 0) return "0 %";
  if (p >= 9.95) return fmt::format("{:.0f} %", p);
  const int digits = std::min(8, p >= 0.995 ? 1 : 1 - static_cast<int>(std::floor(std::log10(p))));
  return fmt::format("{:.{}f} %", p, digits);
}

std::string rate_text(std::uint64_t failures, std::uint64_t runs) {
  const Interval i = binomial_interval(failures, runs);
  return fmt::format("{} of {} ({} to {})", failures, runs, percent(i.low), percent(i.high));
}

}  // namespace mqlab
