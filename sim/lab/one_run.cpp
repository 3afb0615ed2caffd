#include "sim/lab/one_run.h"

namespace mqlab {
namespace {

std::vector<PlannedFault> faults_of(const Scenario& s, const ScenarioCase* c) {
  std::vector<PlannedFault> faults;
  if (!c || !c->own_faults) faults = s.faults;
  if (c) faults.insert(faults.end(), c->faults.begin(), c->faults.end());
  return faults;
}

}  // namespace

std::vector<PlannedFault> drawn_faults(const Scenario& s, const ScenarioCase* c, std::uint64_t seed) {
  std::vector<PlannedFault> faults = faults_of(s, c);
  Random draws(seed, Stream::faults, 1);  // of its own: a fault more moves no draw of the world's
  for (PlannedFault& f : faults) {
    if (f.until < 0) continue;
    f.trigger.after = draws.between(f.trigger.after, f.until);
    const std::uint64_t which = draws.below(f.others.size() + 1);
    if (which > 0) f.fault = Fault(f.others[which - 1]);
    f.until = -1;
    f.others.clear();
  }
  return faults;
}

Deployment with_settings(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options) {
  Deployment d = s.deployment;
  if (!options.profile.empty())
    if (auto error = apply_profile(model, d, options.profile)) throw InputError("", 0, *error);
  if (c)
    for (const Setting& set : c->set)
      if (auto error = apply_setting(model, d, set)) throw InputError(s.path, set.line, *error);
  for (const Setting& set : options.settings)
    if (auto error = apply_setting(model, d, set)) throw InputError(set.line ? s.path : "", set.line, *error);
  return d;
}

Scenario one_case(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options) {
  Scenario one = s;
  one.deployment = with_settings(s, model, c, options);
  one.faults = faults_of(s, c);
  if (c) one.expect.insert(one.expect.end(), c->expect.begin(), c->expect.end());
  one.cases.clear();
  one.sweep.clear();
  one.designs.clear();
  one.design.clear();
  return one;
}

Scenario one_run(const Scenario& s, const Model& model, const ScenarioCase* c, const RunOptions& options) {
  Scenario one = one_case(s, model, c, options);
  one.faults = drawn_faults(s, c, options.seed);
  one.seed = options.seed;
  return one;
}

}  // namespace mqlab
