// sim/hunt/state_hash.h: what a world is in, as one number, so that a search goes on from a state once.
//
// It sees: each node, whether it runs, stands still, what it tells of itself (Node::state), and how much waits at it; messages
// under way, by sender and receiver in the order sent, with what their model describes of them; connections; timers that are
// set, by node and kind; which faults are in force and which are still to come; and the history, row by row.
//
// It does not see: times. Two worlds in which the same things lie ahead, in one a moment later than in the other, have one
// hash. Nor does it see what a node does not tell, how far its random numbers are, link latencies beyond the faults in force,
// clocks, or the rungs of a disk. So a search that merges by it may take two worlds for one that end differently: by a timer
// that comes before a message in one and after it in the other. What it finds is real all the same; what it misses is what
// depends on such a difference alone.
//
//     if (!seen.insert(state_hash(world)).second) return;  // somebody has been here
#pragma once

#include <array>
#include <cstdint>

#include "sim/world/world.h"

namespace mqlab {

using StateHash = std::array<std::uint64_t, 2>;

StateHash state_hash(const World& world);

}  // namespace mqlab
