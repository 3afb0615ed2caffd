// sim/check/measure.h: what it cost to share places among the members of a group.
//
// Reads a journal once and adds up, for each group: rounds of rebalancing, places taken and moved, time without an
// owner, records that came twice, lag, latency. Its one rule: it counts rows and marks and judges nothing; what is
// wrong is the checkers' to say.
//
// Always true: 1. time without an owner lies between the group's first assignment and `until`. 2. A row after `until`
// counts for nothing. 3. A process that died, or stands still, owns nothing meanwhile: it reads nothing.
// Elsewhere: verdicts (checker.h), the table of several runs (cli/measure_command.cpp).
//
//     for (const GroupCost& g : measure_groups(journal, {.rounds = {"generation_began"}, .until = result.workload_ended}))
//       fmt::print("{}: {} without an owner\n", g.group, format_duration(g.stopped));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/world/journal.h"

namespace mqlab {

struct MeasureOptions {
  // Marks that say "a round of rebalancing began"; their place is the group's name. Models name them.
  std::vector<std::string> rounds{};
  Time until = time_max;
};

// A stretch of time in which nobody read a place.
struct Gap {
  std::string place{};
  Time from = 0;
  Duration lasts = 0;
};

// One group: a subscription whose members are given their places. Who chose its places itself (op_flag::assigned) is
// no member.
struct GroupCost {
  std::string group{};
  std::uint64_t rounds = 0;
  std::uint64_t assigned = 0;      // places given
  std::uint64_t revoked = 0;       // places taken back, or given up at a good end; a death takes back nothing
  std::uint64_t moved = 0;         // ... given to another process than the last that had it
  std::uint64_t places = 0;
  Time since = 0;                  // the first assignment
  Duration stopped = 0;            // over all places: time in which no living member had it
  Duration all_stopped = 0;        // time in which no place had an owner
  Gap longest{};
  std::uint64_t delivered = 0;     // records, each once
  std::uint64_t again = 0;         // deliveries of a record that the group had got before
  std::uint64_t lag_max = 0;       // acknowledged and not delivered to the group, at its worst
  std::uint64_t lag_end = 0;       // ... at the end
  Duration latency_p50 = -1;       // from the first attempt to send to the first delivery; -1 = nothing was delivered
  Duration latency_p99 = -1;
};

// In the order of their first assignments.
std::vector<GroupCost> measure_groups(const Journal& journal, const MeasureOptions& options);

// The value below or at which `percent` of the sorted values lie (nearest rank). Requires: not empty, 0 < percent <= 100.
Duration percentile(const std::vector<Duration>& sorted, unsigned percent);

}  // namespace mqlab
