// sim/lab/plan_space.h: what a hunt may vary around a scenario.
//
// A scenario names a cluster, clients and promises; its space says which runs around it are worth trying: how many machines
// may be in trouble at once, which faults are in play, which options take other values. It is data, given in a scenario as
// `hunt = { ... }`, on a command line, or in C++.
// Elsewhere: the plans drawn from it (sim/hunt/plan_generator.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/kernel/time.h"
#include "sim/lab/options.h"

namespace mqlab {

// How much may be wrong at a time. A promise is only tested within what it promises.
enum class FaultBudget : std::uint8_t {
  none,         // no fault at all: whatever is found needs none
  one_machine,  // servers: one at a time, and it is well again before the next one; clients and messages besides
  minority,     // fewer than half of the servers of a role at a time
  anything      // whatever
};
const char* budget_name(FaultBudget b);

// An option that takes one of these values in each run: "acks", "orders.min_insync", "P1.linger".
struct VariedOption {
  std::string name;
  std::vector<Value> values;
  int line = 0;
};

struct PlanSpace {
  FaultBudget budget = FaultBudget::one_machine;
  std::uint64_t faults_max = 6;           // of a run; each run draws how many
  Time from = -1, until = -1;             // faults come in this window; -1: within the load, before the run ends
  std::vector<std::string> kinds{};       // fault kinds by name ("kill"); empty: all that the budget allows
  std::vector<std::string> messages{};    // kinds of messages to hold, drop, delay, duplicate; empty: all that are seen
  std::vector<VariedOption> options{};
  bool own_faults = true;                 // the scenario's own faults stay, and those drawn come on top: no budget counts them
  int line = 0;
};

}  // namespace mqlab
