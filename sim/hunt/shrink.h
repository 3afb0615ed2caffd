// sim/hunt/shrink.h: the smallest plan that still shows an anomaly by the same mechanism.
//
// Elements of a plan (plan_elements.h) are taken away, numbers are brought down, times are made round, one change at a time.
// Each candidate is run, and kept when it shows the same. Passes go on until one changes nothing: then the plan is 1-minimal,
// and without any one of its elements the anomaly is gone, or comes about otherwise. Then what is left is tried once more without
// each element under a few other seeds, and with servers in each other's place: much stays only because chance would fall
// otherwise without it, or another broker would lead.
//
// The same (same_story): 1. the anomaly, and the model's word on it with its reason, are the same. 2. No mark tells that did
// not tell before: a plan that needs something else to happen is another story. 3. The mark at which the story turned still
// tells. Marks that a part of the plan shows without the anomaly never tell (mechanism.h), so bystanders may go with all they
// did. The profile and switched rules are never touched. Of several findings the first one counts: a plan with two bugs in it
// stays with the one that it shows first.
// Elsewhere: the anomaly found (sim/check), the plan as Lua (sim/script/print_scenario.h), as a story (story.h).
// Source: Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input (TSE 2002), for 1-minimality.
//
//     Shrunk s = shrink(one, model, "lost-message", {.runs = 1000});
//     print_scenario(s.scenario, model);
#pragma once

#include <functional>
#include <string>

#include "sim/hunt/mechanism.h"
#include "sim/hunt/plan_elements.h"

namespace mqlab {

struct ShrinkOptions {
  std::uint64_t runs = 2'000;               // at most so many, those that find out what is routine among them
  std::function<bool()> keep_going{};       // false: what was reached so far is the answer
  // Asked of each candidate that shows the same; false: it does not count. For what another run of it must show, or must not.
  std::function<bool(const Scenario&)> also{};
  // Called after each run that was kept: what was changed, in words.
  std::function<void(const std::string& change, const Scenario& now)> told{};
};

struct Shrunk {
  Scenario scenario;       // it also announces (`violates`) the promises that it breaks besides
  Mechanism mechanism;     // of the plan that was given, and so of this one
  bool shown = false;      // the run shows the anomaly at all; if not, nothing was changed
  bool minimal = false;    // a whole pass changed nothing
  std::uint64_t runs = 0;
  std::string sentence;    // of the first witness, in the last run that was kept
};

// `now` may stand for `first`. Not symmetric: less may tell than did at first.
bool same_story(const Mechanism& first, const Mechanism& now);

// Requires: `one` is one run (no cases, no draws), with its seed.
Shrunk shrink(const Scenario& one, const Model& model, const std::string& anomaly, const ShrinkOptions& options = {});

}  // namespace mqlab
