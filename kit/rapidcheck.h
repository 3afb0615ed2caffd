// kit/rapidcheck.h: plans as RapidCheck values. Installed as <mqlab/rapidcheck.h>.
//
// A plan shrinks by one element less (a fault, a client, a topic), so that rc::check ends with a small story; where a checker
// decides, EXPECT_HOLDS shrinks further (times, options, records) and faster.
//
//     rc::check([] { RC_ASSERT(mqlab::check_holds(*mqlab::plans(generator), "promises").holds); });
//     EXPECT_HOLDS(rc::gen::map(mqlab::plans(generator), with_slow_disks), "promises");
#pragma once

#include <rapidcheck.h>

#include <ostream>
#include <utility>

#include "kit/holds.h"
#include "kit/models.h"

namespace mqlab {

// How RapidCheck shows a counterexample.
inline void showValue(const Scenario& plan, std::ostream& out) { out << "\n" << story_text(plan); }

// The generator must outlive what is made of it.
inline rc::Gen<Scenario> plans(const PlanGenerator& generator) {
  return rc::Gen<Scenario>([&generator](const rc::Random& random, int) {
    rc::Random draw = random;
    const auto seed = static_cast<std::uint64_t>(draw.next() >> 33) + 1;
    return rc::shrinkable::shrinkRecur(generator.draw(seed), [](const Scenario& plan) { return rc::seq::fromContainer(smaller_plans(plan)); });
  });
}

// The value of a generator is a function of its seed, as a PlanGenerator's plan is.
inline HoldsResult check_holds(const rc::Gen<Scenario>& plans, const std::string& property, const HoldsOptions& options = {}) {
  const auto draw = [&](std::uint64_t seed) { return plans(rc::Random(seed), rc::kNominalSize).value(); };
  const Model* model = all_models().find(draw(1).model);
  if (!model) throw InputError("", 0, "the generator's plans have no model of the house");
  return check_holds(draw, *model, property, options);
}

}  // namespace mqlab
