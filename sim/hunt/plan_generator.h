// sim/hunt/plan_generator.h: plans drawn around a scenario.
//
// A plan is one run as a scenario of its own (sim/lab/one_run.h): it prints as Lua, runs, shrinks. Each is drawn by swarm
// choice: a run first draws which values of options, which fault kinds and which kinds of messages are in play at all, and
// then its faults from those, so that runs differ in kind and not only in number.
//
// The rule: a plan depends on base, space and seed alone, and keeps within the space's budget.
// Elsewhere: who is there to hurt, and when (ground.h); the faults (fault_draw.h); the space as data (sim/lab/plan_space.h).
//
//     PlanGenerator plans(base, model, space);
//     Scenario plan = plans.draw(17);
//     run_scenario(plan, model, nullptr, {.seed = 17});
#pragma once

#include <cstdint>
#include <vector>

#include "sim/hunt/fault_draw.h"
#include "sim/hunt/ground.h"

namespace mqlab {

class PlanGenerator {
 public:
  // `base` is a scenario without cases (one_run takes one case out of several). Runs it in calm and a few times in trouble
  // for each size that the space varies, to know who is there and what happens. Throws InputError when it does not fit, or
  // the space names what is not there. The model must outlive it.
  PlanGenerator(Scenario base, const Model& model, PlanSpace space);

  // Safe from many threads at once.
  Scenario draw(std::uint64_t seed) const;
  // A few faults close together, from time 0 on, for a run of the plan of this seed that has come to a moment worth it.
  // Requires: the space has faults.
  std::vector<PlannedFault> strikes(std::uint64_t seed, Random& draws) const { return draw_strikes(ground(seed), tools_, space_, draws); }

  const Scenario& base() const { return base_; }
  const Model& model() const { return model_; }
  const PlanSpace& space() const { return space_; }
  // What was learned of the scenario with the options as they stand first in the space.
  const Ground& ground() const { return grounds_[variants_[0].ground]; }
  // ... and with those that the plan of this seed has: another size of the cluster has other servers.
  const Ground& ground(std::uint64_t seed) const;

 private:
  // The base with one value of each varied option.
  struct Variant {
    Scenario plan;
    std::size_t ground = 0;
  };
  void add_variants();
  const Variant& choose(Random& draws) const;
  Ground learn(const Scenario& one, const Toolbox& tools) const;

  Scenario base_;
  const Model& model_;
  PlanSpace space_;
  Toolbox tools_;
  std::vector<Variant> variants_;
  std::vector<Ground> grounds_;
};

}  // namespace mqlab
