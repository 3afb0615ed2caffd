// sim/hunt/statistics.h: what k failures in n runs say about the next run.
//
// Intervals are exact (Clopper and Pearson): whatever the true probability is, an interval at 95 % holds it in at least 95 of
// 100 campaigns. They are for people: no decision of a run or of a search hangs on them.
// Requires everywhere: failures <= runs, runs > 0, 0 < confidence < 1.
// Source: Clopper, Pearson, The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial (Biometrika 1934).
//
//     rate_text(3, 50)              // "3 of 50 (1.3 % to 17 %)"
//     clean_runs_to_believe(3, 50)  // 238: so many runs without a failure, and a fix is believed
#pragma once

#include <cstdint>
#include <string>

namespace mqlab {

struct Interval {
  double low = 0, high = 1;  // probabilities
};

Interval binomial_interval(std::uint64_t failures, std::uint64_t runs, double confidence = 0.95);

// Findability: a failure was seen in `failures` of `runs`, and then something was mended. If nothing had been mended, so many
// runs would all be clean with a probability of at most 1 - confidence. It reckons with the lower end of the interval.
// Requires: failures > 0.
std::uint64_t clean_runs_to_believe(std::uint64_t failures, std::uint64_t runs, double confidence = 0.95);

// No failure in so many runs: m such that, `confidence` sure, at most one in m runs fails.
std::uint64_t at_most_one_in(std::uint64_t clean_runs, double confidence = 0.95);

// "1.3 %": two digits that count.
std::string percent(double probability);
// "3 of 50 (1.3 % to 17 %)", at 95 %.
std::string rate_text(std::uint64_t failures, std::uint64_t runs);

}  // namespace mqlab
