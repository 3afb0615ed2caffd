// sim/hunt/plan_generator.h: plans drawn around a scenario.
//
// A plan is one run as a scenario of its own (sim/lab/one_run.h): it prints as Lua, runs, shrinks. Each is drawn by swarm
// choice: a run first draws which fault kinds, which sizes and which options are in play at all, and then its faults from
// those, so that runs differ in kind and not only in number.
//
// The rule: a plan depends on base, space and seed alone, and keeps within the space's budget.
// Source: Groce et al., Swarm Testing (ISSTA 2012).
//
//     PlanGenerator plans(base, model, space);
//     Scenario plan = plans.draw(17);
//     run_scenario(plan, model, nullptr, {.seed = 17});
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/lab/plan_space.h"
#include "sim/lab/run.h"

namespace mqlab {

class PlanGenerator {
 public:
  // `base` is a scenario without cases (one_run takes one case out of several). Builds its world once, to know who is
  // there. Throws InputError when it does not fit, or the space names what is not there. The model must outlive it.
  PlanGenerator(Scenario base, const Model& model, PlanSpace space);

  // Safe from many threads at once.
  Scenario draw(std::uint64_t seed) const;

  const Scenario& base() const { return base_; }
  const PlanSpace& space() const { return space_; }

 private:
  struct Server {
    std::string name, role;
  };
  std::vector<PlannedFault> faults(Random& draws) const;

  Scenario base_;
  const Model& model_;
  PlanSpace space_;
  std::vector<Server> servers_;
  std::vector<std::string> clients_;
};

}  // namespace mqlab
