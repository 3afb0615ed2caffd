// sim/hunt/plan_elements.h: what a plan is made of, one by one.
//
// A plan is one run as a scenario of its own (sim/lab/one_run.h). Its elements are what a reader has to take in: faults,
// clients, topics, services, links, and each option that is given. Any of them may be taken away, and what is left is a plan
// again, though perhaps one that fits no more.
//
// The rule: the profile, switched rules and what a loop or a program does are no elements: without them it would be another
// system, or another application.
//
//     for (const Element& e : elements(plan, model))
//       if (auto less = without(plan, model, e)) try_it(*less, describe(e, plan));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/lab/scenario.h"

namespace mqlab {

// How large a plan is, for people and for tables.
struct PlanSize {
  std::size_t faults = 0, clients = 0, topics = 0, services = 0, options = 0;  // options: that are given
  std::int64_t operations = 0;                                                 // records of declared producers
  std::size_t elements() const { return faults + clients + topics + services + options; }
};
PlanSize size_of(const Scenario& plan);
std::string describe(const PlanSize& s);

struct Element {
  enum class Kind : std::uint8_t { fault, client, topic, service, link, option };
  Kind kind{};
  std::size_t index = 0;   // in its list; of an option its owner's in option_owners()
  std::string option{};    // by name
  bool operator==(const Element&) const = default;
};

// In the order of the kinds above, each as in the plan. The last client and the last topic are not among them, and neither
// are sizes whose default is larger: a line less, and more to draw.
std::vector<Element> elements(const Scenario& plan, const Model& model);
// "kill B1", "client P2", "topic orders: partitions".
std::string describe(const Element& e, const Scenario& plan);
// Nothing when something else of the plan refers to it. Faults that name a client forget it with the client.
std::optional<Scenario> without(const Scenario& plan, const Model& model, const Element& e);

// The declarations of all options that a plan may give: those of the model and those of services.
std::vector<OptionDecl> plan_options(const Model& model);

// Whose options a plan has, and of which scope they are.
struct OptionOwner {
  std::string what;  // "the cluster", "topic orders", "service bank", "P1"
  std::string scope;
  Options* options;
  bool program = false;  // or a loop: it sends what it has read, and no records of its own
};
std::vector<OptionOwner> option_owners(Scenario& plan);
// A program or a loop has one table for what it sends by and what it reads by, so a word that both scopes know is one option:
// all that hold it, the one asked about first.
std::vector<OptionOwner> holders(Scenario& plan, const std::vector<OptionDecl>& decls, std::size_t owner, const std::string& option);

// Nodes, partitions, replicas: what a reader has to draw.
bool is_plan_size(const std::string& option);

}  // namespace mqlab
