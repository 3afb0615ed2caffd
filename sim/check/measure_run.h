// sim/check/measure_run.h: what a run gave its users, in numbers that any system has: so that systems can be compared.
//
// Reads a journal once. Its one rule: only what clients did and saw counts, never how a broker did it; a message is one
// message however often it was sent, and a delivery counts for the subscription that got it.
//
// Always true: 1. a row after `until` counts for nothing, but for `lost`. 2. Whole numbers throughout.
// Elsewhere: verdicts (checker.h), what groups cost (measure.h), the table (cli/compare_command.cpp).
//
//     const RunCost c = measure_run(journal, result.workload_ended);
//     fmt::print("{} of {} acknowledged\n", c.acknowledged, c.sent);
#pragma once

#include <cstdint>

#include "sim/world/journal.h"

namespace mqlab {

struct RunCost {
  std::uint64_t sent = 0;          // messages handed to a client library
  std::uint64_t acknowledged = 0;  // ... of which a send ended ok
  std::uint64_t delivered = 0;     // (subscription, message) pairs
  std::uint64_t again = 0;         // deliveries of a message that the subscription had got before
  std::uint64_t waiting = 0;       // acknowledged messages that nobody has got by then
  std::uint64_t lost = 0;          // acknowledged messages that nobody ever got and no declared limit took, in the whole history
  Duration latency_p50 = -1;       // from the first attempt to send to the first delivery to a subscription; -1 = none
  Duration latency_p99 = -1;
  std::uint64_t per_second = 0;    // pairs delivered, between the first send and the last first delivery
  // The longest time in which a message that was to come waited, and its subscription got nothing new.
  Duration silence = 0;
  Time silence_from = 0;
};

RunCost measure_run(const Journal& journal, Time until);

}  // namespace mqlab
