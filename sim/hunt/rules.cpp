#include "sim/hunt/rules.h"

#include <algorithm>
#include <set>

namespace mqlab {

std::vector<BrokenRule> broken_rules(const ModelDecl& m) {
  std::vector<BrokenRule> all;
  std::set<std::string> seen;
  for (const OptionDecl& d : m.options) {
    if (!d.is_switch || !seen.insert(d.name).second) continue;
    const auto add = [&](Value v) {
      if (v != d.value && std::none_of(all.begin(), all.end(), [&](const BrokenRule& r) { return r.rule == &d && r.value == v; })) all.push_back({&d, std::move(v)});
    };
    if (d.type == OptionType::boolean) add(!std::get<bool>(d.value));
    for (const std::string& word : d.choices) add(word);
    if (d.type != OptionType::integer && d.type != OptionType::duration) continue;
    for (const ProfileDecl& p : m.profiles)
      for (const auto* values : {&p.cluster, &p.topic, &p.producer, &p.consumer})
        for (const auto& [name, v] : *values)
          if (name == d.name) add(v);
  }
  return all;
}

bool applies(const Model& model, const Deployment& d, const BrokenRule& r) {
  Deployment turned = d;
  if (apply_setting(model, turned, r.setting())) return false;
  const auto has = [&](const Options& o) { return o.has(r.rule->name) && o.values().at(r.rule->name) == r.value; };
  return has(turned.cluster) || std::any_of(turned.topics.begin(), turned.topics.end(), [&](const TopicSpec& t) { return has(t.options); }) ||
         std::any_of(turned.clients.begin(), turned.clients.end(), [&](const ClientSpec& c) { return has(c.options) || has(c.consumer_options); });
}

}  // namespace mqlab
