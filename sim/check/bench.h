// sim/check/bench.h: the whole set of checkers over made-up histories: a healthy log, and workers with transactions.
//
//     CheckBench b = bench_check(4'000'000);   // make_bench_history is not part of what is timed
#pragma once

#include <cstdint>

#include "sim/world/journal.h"

namespace mqlab {

// About `rows` rows: four producers, eight places, two groups of four consumers that commit, and now
// and then a retry whose answer was lost.
Journal make_bench_history(std::uint64_t rows);
// The same size: four workers that read a topic and write another, storing positions, one transaction in thirty
// aborted; two groups read what they wrote at read-committed. Their writes interleave, so there are G0 cycles, as in Kafka.
Journal make_bench_transactions(std::uint64_t rows);

struct CheckBench {
  std::uint64_t ops = 0;       // rows read
  std::uint64_t checksum = 0;  // of counts and evidence: equal for equal histories, with every compiler
};
// Reads the history with all checkers and reports once.
CheckBench bench_check(const Journal& history);
// Both; what a caller times includes making the history.
CheckBench bench_check(std::uint64_t rows);

}  // namespace mqlab
