// sim/hunt/priorities.h: priority schedules with few change points, for messages.
//
// PCT runs threads by priority and lowers a few of them at a few chosen steps; a bug that needs d steps in one order is then
// met in at least one of n * k^(d-1) runs, n threads and k steps. Here the threads are nodes, since what a node does next is
// decided by what it hears first: each has a priority, and the lower it is, the longer takes what is sent to it, from whoever.
// (A priority a link would know n * (n - 1) threads, and the bound is weaker by as much.) A change point is the k-th message
// of the calm run, k drawn evenly over all of them: from its delivery on its receiver comes after all others.
//
// Priorities are faults of the plan: `latency` from the beginning, and at most d - 1 of them `when delivered`. So a schedule
// prints, runs again and shrinks like any other plan. How far priorities lie apart is drawn: from a tenth of a millisecond,
// which only turns messages round that are under way together, to a second, which outlasts impatient clients.
// It departs from PCT in that a lower node is slow and not stopped: who waits long enough overtakes.
// Half of the schedules have the generator's faults too, drawn as for a random run.
// Source: Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs (ASPLOS 2010).
//
//     PrioritySchedules schedules(plans, calm_run, 3);
//     run_scenario(schedules.draw(17), model, nullptr, {.seed = 17});
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/hunt/plan_generator.h"

namespace mqlab {

class PrioritySchedules {
 public:
  // `calm` is a run of the base without faults at the full trace level. The plans must outlive it. Requires: depth >= 1.
  PrioritySchedules(const PlanGenerator& plans, const RunResult& calm, int depth);

  // Safe from many threads; a function of the seed.
  Scenario draw(std::uint64_t seed) const;

  // Messages of the calm run: what k is drawn from.
  std::size_t steps() const { return steps_.size(); }

 private:
  // A message of the calm run: the n-th of its kind from one node to another.
  struct Step {
    std::uint32_t stream = 0;  // into streams_
    std::uint64_t nth = 1;
  };
  struct MessageStream {
    MessageKind kind{};
    NodeId from{}, to{};
    bool operator==(const MessageStream&) const = default;
  };

  const PlanGenerator* plans_;
  int depth_;
  std::vector<std::string> names_;          // by NodeId, and of kinds
  std::vector<std::string> kinds_;
  std::vector<NodeId> receivers_;
  std::vector<MessageStream> streams_;
  std::vector<Step> steps_;
  Duration latency_ = 0;                    // what a message takes at the least
};

}  // namespace mqlab
