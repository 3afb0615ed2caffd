#include "sim/hunt/plan_elements.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "sim/lab/service.h"

namespace mqlab {
namespace {

constexpr std::array<const char*, 4> sizes{"brokers", "controllers", "replicas", "partitions"};

template <class T>
void erase_at(std::vector<T>& all, std::size_t i) {
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
}

bool refers_to(const Options& o, const std::string& topic) {
  for (const auto& [name, v] : o.values())
    if (const auto* text = std::get_if<std::string>(&v); text && (("," + *text + ",").find("," + topic + ",") != std::string::npos)) return true;
  return false;
}

// The option says what it says by default, everything else what it said.
Options plain_but_for(const Options& all, const Model& model, const std::string& scope, const std::string& name, const std::string& profile) {
  const std::vector<OptionDecl> decls = plan_options(model);
  Options out = is_service_role(scope) ? service_defaults(scope) : *profile_defaults(model.decl(), profile, scope);
  for (const auto& [other, v] : all.values()) {
    if (other == name) continue;
    if (!all.given(other)) out.set_default(other, v);
    else if (out.set(decls, scope, other, v)) (void)out.set(decls, "transform", other, v);  // a loop's own, in the same table
  }
  return out;
}

// No fault speaks of this node any more; a fault that spoke of nobody else goes.
void forget(Scenario& s, const std::string& node) {
  std::erase_if(s.faults, [&](PlannedFault& f) {
    if (f.trigger.from == node || f.trigger.to == node) return true;
    for (auto& group : f.fault.groups) {
      const bool named = std::erase(group, node) > 0;
      if (named && group.empty()) return true;
    }
    return false;
  });
}

std::string some(auto n, const char* one, const char* many) { return fmt::format("{} {}", n, n == 1 ? one : many); }

}  // namespace

bool is_plan_size(const std::string& option) { return std::find(sizes.begin(), sizes.end(), option) != sizes.end(); }

std::vector<OptionDecl> plan_options(const Model& model) {
  std::vector<OptionDecl> all = all_options(model.decl());
  all.insert(all.end(), service_options().begin(), service_options().end());
  return all;
}

std::vector<OptionOwner> option_owners(Scenario& s) {
  std::vector<OptionOwner> all{{"the cluster", "cluster", &s.deployment.cluster}};
  for (TopicSpec& t : s.deployment.topics) all.push_back({"topic " + t.name, "topic", &t.options});
  for (ServiceSpec& v : s.deployment.services) all.push_back({"service " + v.name, v.role, &v.options});
  for (ClientSpec& c : s.deployment.clients) {
    const bool program = c.role == "client";
    all.push_back({c.name, program ? "producer" : c.role, &c.options, program});
    if (program) all.push_back({c.name, "consumer", &c.consumer_options, true});
  }
  return all;
}

std::vector<OptionOwner> holders(Scenario& plan, const std::vector<OptionDecl>& decls, std::size_t owner, const std::string& option) {
  const std::vector<OptionOwner> all = option_owners(plan);
  std::vector<OptionOwner> out{all[owner]};
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != owner && all[owner].program && all[i].what == all[owner].what && all[i].options->given(option) && find_option(decls, all[i].scope, option)) out.push_back(all[i]);
  return out;
}

PlanSize size_of(const Scenario& plan) {
  PlanSize s;
  s.faults = plan.faults.size();
  s.clients = plan.deployment.clients.size();
  s.topics = plan.deployment.topics.size();
  s.services = plan.deployment.services.size();
  Scenario copy = plan;
  std::set<std::pair<std::string, std::string>> given;
  for (const OptionOwner& o : option_owners(copy))
    for (const auto& [name, v] : o.options->values()) {
      if (o.options->given(name)) given.emplace(o.what, name);
      if (o.scope == "producer" && name == "records" && !o.program)
        if (const auto* n = std::get_if<std::int64_t>(&v)) s.operations += *n;
    }
  s.options = given.size();
  return s;
}

std::string describe(const PlanSize& s) {
  return fmt::format("{}, {}, {}{}, {} given, {}", some(s.faults, "fault", "faults"), some(s.clients, "client", "clients"), some(s.topics, "topic", "topics"),
                     s.services ? ", " + some(s.services, "service", "services") : "",
                     some(s.options, "option", "options"), some(s.operations, "record", "records"));
}

std::vector<Element> elements(const Scenario& plan, const Model& model) {
  using Kind = Element::Kind;
  const Deployment& d = plan.deployment;
  std::vector<Element> all;
  const auto each = [&](Kind kind, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) all.push_back({kind, i, {}});
  };
  each(Kind::fault, plan.faults.size());
  if (d.clients.size() > 1) each(Kind::client, d.clients.size());
  if (d.topics.size() > 1) each(Kind::topic, d.topics.size());
  each(Kind::service, d.services.size());
  if (plan.has_link) all.push_back({Kind::link, 0, {}});
  if (!plan.regions.empty()) all.push_back({Kind::link, 1, {}});
  const std::vector<OptionDecl> decls = plan_options(model);
  Scenario copy = plan;
  const std::vector<OptionOwner> owners = option_owners(copy);
  for (std::size_t i = 0; i < owners.size(); ++i)
    for (const auto& [name, v] : owners[i].options->values()) {
      const OptionDecl* decl = find_option(decls, owners[i].scope, name);
      if (!decl || decl->is_switch || !owners[i].options->given(name) || name == "records") continue;
      if (owners[i].program && owners[i].scope == "consumer" && owners[i - 1].options->given(name) && find_option(decls, "producer", name)) continue;  // see holders()
      if (is_plan_size(name) && plain_but_for(*owners[i].options, model, owners[i].scope, name, d.profile).integer(name) > owners[i].options->integer(name)) continue;
      all.push_back({Kind::option, i, name});
    }
  return all;
}

std::string describe(const Element& e, const Scenario& plan) {
  switch (e.kind) {
    case Element::Kind::fault: return describe(plan.faults[e.index].fault);
    case Element::Kind::client: return "client " + plan.deployment.clients[e.index].name;
    case Element::Kind::topic: return "topic " + plan.deployment.topics[e.index].name;
    case Element::Kind::service: return "service " + plan.deployment.services[e.index].name;
    case Element::Kind::link: return e.index == 0 ? "what it says of links" : "what it says of links between regions";
    case Element::Kind::option: {
      Scenario copy = plan;
      return fmt::format("{}: {}", option_owners(copy)[e.index].what, e.option);
    }
  }
  return {};
}

std::optional<Scenario> without(const Scenario& plan, const Model& model, const Element& e) {
  Scenario s = plan;
  switch (e.kind) {
    case Element::Kind::fault: erase_at(s.faults, e.index); return s;
    case Element::Kind::client: {
      const std::string name = s.deployment.clients[e.index].name;
      erase_at(s.deployment.clients, e.index);
      forget(s, name);
      return s;
    }
    case Element::Kind::topic: {
      const std::string name = s.deployment.topics[e.index].name;
      erase_at(s.deployment.topics, e.index);
      const std::vector<OptionOwner> rest = option_owners(s);
      if (std::any_of(rest.begin(), rest.end(), [&](const OptionOwner& o) { return refers_to(*o.options, name); })) return std::nullopt;
      return s;
    }
    case Element::Kind::service: {
      const std::string name = s.deployment.services[e.index].name;
      erase_at(s.deployment.services, e.index);
      forget(s, name);
      return s;
    }
    case Element::Kind::link:
      if (e.index == 0) {
        s.has_link = false;
        s.link = {};
      } else {
        s.regions.clear();
      }
      return s;
    case Element::Kind::option: {
      for (const OptionOwner& o : holders(s, plan_options(model), e.index, e.option))
        *o.options = plain_but_for(*o.options, model, o.scope, e.option, s.deployment.profile);
      return s;
    }
  }
  return std::nullopt;
}

}  // namespace mqlab
