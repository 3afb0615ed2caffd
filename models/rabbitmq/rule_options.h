// models/rabbitmq/rule_options.h: the rules of releases as options of a cluster, so that one can be set over a profile.
//
// One table names each rule once, with its sentence and source; declarations, profiles and what a run has are read from it.
// A default is what the newest release does.
// Elsewhere: the rules and the profiles' rows (rules.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/rabbitmq/rules.h"
#include "sim/lab/options.h"

namespace mqlab::rabbitmq {

std::vector<OptionDecl> rule_options();
// What a profile has otherwise than the newest release. Requires: there is such a profile.
std::vector<std::pair<std::string, Value>> rules_as_options(std::string_view profile);
// The profile's rules, as the options have them. Requires: there is such a profile.
Rules rules_of_options(const Options& cluster, std::string_view profile);

}  // namespace mqlab::rabbitmq
