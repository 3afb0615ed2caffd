// sim/hunt/rules.h: a model's rules as they once were, or broken on purpose, one at a time.
//
// A model keeps such rules as switches (OptionDecl::is_switch). Who tests a design wants to know whether the test would
// notice: each switch is turned to each value that is not the right one, and the tests are run again.
// Elsewhere: `mqlab score`, which does so (cli/score_command.cpp).
//
//     for (const BrokenRule& r : broken_rules(model.decl())) run with r.setting();
#pragma once

#include <string>
#include <vector>

#include "sim/lab/model.h"
#include "sim/lab/scenario.h"

namespace mqlab {

struct BrokenRule {
  const OptionDecl* rule;  // of the model's declaration
  Value value;
  Setting setting() const { return {rule->name, value, false, 0}; }
  std::string text() const { return rule->name + "=" + to_text(*rule, value); }
};

// In the order declared: of a yes or no the other one, of words each other one, of numbers those that a profile of the
// model has. A rule that several scopes know comes once.
std::vector<BrokenRule> broken_rules(const ModelDecl& m);

// Whether the setting changes anything in this deployment: somebody has that option.
bool applies(const Model& model, const Deployment& d, const BrokenRule& r);

}  // namespace mqlab
