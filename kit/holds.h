// kit/holds.h: whether a property holds in many runs, with the smallest story of one in which it does not.
//
// Needs no test framework. For GoogleTest there is EXPECT_HOLDS (kit/testing.h, installed as <mqlab/testing.h>).
//
// The rule: what was not tested does not hold. When no run decides the property, that is a failure with the reason.
//
//     HoldsResult r = check_holds(plans, "promises");
//     if (!r.holds) std::cerr << r.message;
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/hunt/plan_generator.h"
#include "sim/hunt/property.h"

namespace mqlab {

struct HoldsOptions {
  std::uint64_t runs = 300;            // MQLAB_RUNS in the environment says otherwise
  std::uint64_t first_seed = 1;        // ... and MQLAB_SEED
  std::uint64_t shrink_runs = 2'000;   // so many runs may be spent on making the story small
};

struct HoldsResult {
  bool holds = false;
  std::uint64_t runs = 0;     // made
  std::uint64_t tested = 0;   // of them, those that decide the property
  std::uint64_t seed = 0;     // of the run that breaks it
  std::string anomaly;        // what it breaks
  Scenario story;             // ... made small
  std::string message;        // for people: all of it
};

// Draws plans of seeds one after the other until one breaks the property. Throws InputError when the property names
// what is not there, or a plan does not fit.
HoldsResult check_holds(const std::function<Scenario(std::uint64_t seed)>& draw, const Model& model, const std::string& property, const HoldsOptions& options = {});
HoldsResult check_holds(const PlanGenerator& plans, const std::string& property, const HoldsOptions& options = {});
// One run: the scenario as it stands, with its seed.
HoldsResult check_holds(const Scenario& plan, const std::string& property, const HoldsOptions& options = {});

// The plan without one of its faults, clients or topics; half of its records, of its time. Nearest to the smallest first.
std::vector<Scenario> smaller_plans(const Scenario& plan);

// The plan as Lua; where it has programs, which can't be written by themselves, its faults in words.
std::string story_text(const Scenario& plan);

}  // namespace mqlab
