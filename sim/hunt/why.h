// sim/hunt/why.h: whether a slice is all that it takes.
//
// What stands behind a finding (slice.h) is found by following causes. Whether it is enough is found by running it: a plan with
// the faults and clients of the slice alone must tell the same story (same_story, shrink.h). Where it does not, what was left
// out is put back, one at a time, until it does; so many elements were needed besides.
// That nothing of it can be left out is another question, which shrink() answers.
//
//     SliceCheck c = run_alone(plan, model, story.slice, ordinary);
//     if (c.shown) complain("{} more elements were needed", c.added.size());
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/hunt/slice.h"

namespace mqlab {

struct SliceCheck {
  Scenario alone;                     // the plan with these faults and clients only
  bool shown = false;                 // it tells the same story
  std::vector<std::string> added;     // what had to be put back for that, in words
  std::vector<std::string> left_out;  // what it goes without
  std::uint64_t runs = 0;
};

// Requires: `plan` is the one run whose slice this is, with its seed.
SliceCheck run_alone(const Scenario& plan, const Model& model, const Slice& slice, const World& world, const OrdinaryMarks& ordinary,
                     const std::function<bool()>& keep_going = {});

}  // namespace mqlab
