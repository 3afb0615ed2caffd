// sim/hunt/rule_hunt.h: does a hunt that knows nothing of a broken rule find what the rule was there to prevent?
//
// The museum (scenarios/museum) shows for a broken rule, by a schedule made for it, the anomaly that follows, and that it does
// not follow with the rule right. A hunt looks around general scenarios instead, with the rule broken, by any of the searches,
// until a plan shows that anomaly; then the plan is made small, and its size is held against that of the museum's schedule.
//
// The rule: a plan counts only when it shows the anomaly with the rule broken and does not show it with the rule right, and so
// does each plan on the way to the smallest. What is found is the rule's doing.
// Elsewhere: the rules (rules.h), the plans (plan_generator.h), the searches (search.h), making plans small (shrink.h).
//
//     for (const RuleCase& c : rule_cases(museum, model)) {
//       RuleFind f = hunt_rule(c, bases, model, {.runs = 10'000});
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/hunt/rules.h"
#include "sim/hunt/shrink.h"

namespace mqlab {

// What the museum has on one broken rule.
struct Exhibit {
  std::string anomaly;
  std::string file, case_name;
  PlanSize size;
  std::string chapter{};  // that the scenario belongs to
};
struct RuleCase {
  BrokenRule rule;
  Value right;                    // the value with which it does not happen: mostly the default
  std::vector<Exhibit> exhibits;  // an anomaly each: the smallest schedule that shows it
};

// In the order of the model's rules. A museum file counts for a rule when one of its cases has it at one value and `violates` an
// anomaly, and another has it at another value and `holds` the same; one of the two names the rule. Where the default is the
// value that hurts (a rule of a later release), the other one is the right one. Files of other models are passed over.
std::vector<RuleCase> rule_cases(const std::vector<Scenario>& museum, const Model& model);

struct RuleHuntOptions {
  std::string search = "mix";    // one of search_words()
  std::uint64_t runs = 10'000;   // over all bases; the unit in which the last of them is ends as it does
  std::uint64_t shrink_runs = 2'000;
  std::function<bool()> keep_going{};
  std::function<void()> found{};  // called once it is found, before it is made small
};

struct RuleFind {
  bool found = false;
  std::uint64_t runs = 0;        // until it was found, those of its unit included
  std::size_t base = 0;          // which base it came from
  std::vector<std::uint64_t> units;  // that each base had
  std::uint64_t seed = 0;        // of the unit
  std::string anomaly;
  const Exhibit* exhibit = nullptr;  // of the case, which must outlive this
  PlanSize before;
  Shrunk shrunk;
};

// A unit of each base in which somebody has the rule, by turns. After a dozen of each, those bases have fewer turns where a dozen
// plans run the same with the rule broken and right: it has no say there. Where it has none anywhere, those of the same chapter as
// what the museum shows keep all of their turns. Each base is one run (one_run.h), and its `hunt` says what may be varied around it.
// Throws InputError: an unknown search, a base that does not fit.
RuleFind hunt_rule(const RuleCase& c, const std::vector<Scenario>& bases, const Model& model, const RuleHuntOptions& options = {});

}  // namespace mqlab
