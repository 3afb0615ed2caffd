#include "sim/hunt/rule_hunt.h"

#include <algorithm>
#include <memory>

#include "sim/hunt/search.h"
#include "sim/lab/one_run.h"

namespace mqlab {
namespace {

constexpr std::uint64_t events_max = 20'000'000;
constexpr std::uint64_t looks = 12;           // units of each base, and then plans, before it is said that a rule does not matter there
constexpr std::uint64_t elsewhere_every = 4;  // a base that is not where to look has every fourth turn

// The value that a deployment gives a rule, and whether it names it; nothing when nobody has it, or not all the same.
struct Stand {
  Value value;
  bool given;
};
std::optional<Stand> stand_of(const Deployment& d, const std::string& rule) {
  std::optional<Stand> stand;
  bool mixed = false;
  const auto look = [&](const Options& o) {
    if (!o.has(rule)) return;
    const Stand here{o.values().at(rule), o.given(rule)};
    mixed = mixed || (stand && stand->value != here.value);
    stand = Stand{here.value, here.given || (stand && stand->given)};
  };
  look(d.cluster);
  for (const TopicSpec& t : d.topics) look(t.options);
  for (const ClientSpec& c : d.clients) {
    look(c.options);
    look(c.consumer_options);
  }
  return mixed ? std::nullopt : stand;
}

bool expects(const Scenario& s, const ScenarioCase& c, Expectation::Kind kind, const std::string& anomaly) {
  const auto is = [&](const Expectation& e) { return e.kind == kind && e.name == anomaly; };
  return std::any_of(s.expect.begin(), s.expect.end(), is) || std::any_of(c.expect.begin(), c.expect.end(), is);
}

// Pairs of cases that differ in the rule and in the anomaly.
void add_exhibits(RuleCase& out, const Scenario& s, const Model& model) {
  const std::string& name = out.rule.rule->name;
  std::vector<const ScenarioCase*> broken, right;
  bool named = false;
  for (const ScenarioCase& c : s.cases) {
    const std::optional<Stand> stand = stand_of(with_settings(s, model, &c, {}), name);
    if (!stand) continue;
    if (stand->value == out.rule.value) broken.push_back(&c);
    if (stand->value == out.right) right.push_back(&c);
    named = named || stand->given;
  }
  if (!named) return;
  for (const ScenarioCase* b : broken)
    for (const Expectation& e : b->expect) {
      if (e.kind != Expectation::Kind::violates) continue;
      if (std::none_of(right.begin(), right.end(), [&](const ScenarioCase* c) { return expects(s, *c, Expectation::Kind::holds, e.name); })) continue;
      const Exhibit now{e.name, s.path, b->name, size_of(one_run(s, model, b, {})), s.chapter};
      const auto known = std::find_if(out.exhibits.begin(), out.exhibits.end(), [&](const Exhibit& x) { return x.anomaly == e.name; });
      if (known == out.exhibits.end()) out.exhibits.push_back(now);
      else if (now.size.elements() < known->size.elements()) *known = now;
    }
}

bool shows_it(const Scenario& plan, const Model& model, const std::string& anomaly, const std::function<bool()>& keep_going) {
  RunOptions o;
  o.seed = plan.seed.value_or(1);
  o.event_limit = events_max;
  o.keep_going = keep_going;
  return shows(run_scenario(plan, model, nullptr, o), anomaly);
}

// The plan with the rule broken, or right again.
Scenario turned(Scenario plan, const Model& model, const std::string& name, const Value& value) {
  (void)apply_setting(model, plan.deployment, {name, value, false, 0});  // somebody has it (applies)
  return plan;
}

}  // namespace

std::vector<RuleCase> rule_cases(const std::vector<Scenario>& museum, const Model& model) {
  std::vector<RuleCase> all;
  const auto add = [&](const OptionDecl* rule, const Value& broken, const Value& right) {
    RuleCase c{{rule, broken}, right, {}};
    for (const Scenario& s : museum)
      if (s.model == model.decl().name) add_exhibits(c, s, model);
    if (c.exhibits.empty()) return false;
    all.push_back(std::move(c));
    return true;
  };
  const std::vector<BrokenRule> rules = broken_rules(model.decl());
  for (const BrokenRule& r : rules) {
    if (add(r.rule, r.value, r.rule->value) || add(r.rule, r.rule->value, r.value)) continue;
    // An older rule against a newer one, neither of them today's.
    for (const BrokenRule& other : rules)
      if (other.rule == r.rule && other.value != r.value && add(r.rule, r.value, other.value)) break;
  }
  return all;
}

RuleFind hunt_rule(const RuleCase& c, const std::vector<Scenario>& bases, const Model& model, const RuleHuntOptions& options) {
  RuleFind f;
  f.units.assign(bases.size(), 0);
  const std::string& rule = c.rule.rule->name;
  const auto right_shows = [&](const Scenario& plan, const std::string& anomaly) { return shows_it(turned(plan, model, rule, c.right), model, anomaly, options.keep_going); };
  Property property;
  for (const Exhibit& x : c.exhibits) property.anomalies.push_back(x.anomaly);
  SearchOptions how;
  how.keep_going = options.keep_going;
  how.counts = [&](const Scenario& plan, const std::string& anomaly) { return !right_shows(plan, anomaly); };

  // Each base with its rule broken, once its turn has come: a search must not move.
  struct Hunted {
    std::size_t base;
    std::unique_ptr<PlanGenerator> plans{};
    std::unique_ptr<Search> search{};
    bool same_chapter = false;  // as what the museum shows
    bool touched = true;        // the rule makes a difference here, as far as is known
  };
  std::vector<Hunted> able;
  for (std::size_t i = 0; i < bases.size(); ++i)
    if (applies(model, bases[i].deployment, c.rule))
      able.push_back({.base = i, .same_chapter = std::any_of(c.exhibits.begin(), c.exhibits.end(), [&](const Exhibit& x) { return !x.chapter.empty() && x.chapter == bases[i].chapter; })});
  if (able.empty()) return f;
  const auto going = [&] { return !options.keep_going || options.keep_going(); };
  const auto fingerprint = [&](const Scenario& plan) {
    ++f.runs;
    RunOptions o;
    o.seed = plan.seed.value_or(1);
    o.event_limit = events_max;
    o.keep_going = options.keep_going;
    return run_scenario(plan, model, nullptr, o).fingerprint;
  };
  const auto touches = [&](const Hunted& h) {
    for (std::uint64_t seed = 1; seed <= looks && going(); ++seed) {
      const Scenario plan = h.plans->draw(seed);
      if (fingerprint(plan) != fingerprint(turned(plan, model, rule, c.right))) return true;
    }
    return false;
  };
  // Where the rule makes a difference; where it makes none anywhere, where the museum's chapter is told; else everywhere.
  const auto where_to_look = [&](const Hunted& h) {
    if (std::any_of(able.begin(), able.end(), [](const Hunted& x) { return x.touched; })) return h.touched;
    return h.same_chapter || std::none_of(able.begin(), able.end(), [](const Hunted& x) { return x.same_chapter; });
  };
  for (std::uint64_t turn = 0; f.runs < options.runs && going(); ++turn) {
    Hunted& now = able[turn % able.size()];
    const std::uint64_t round = turn / able.size();
    if (round == looks && able.size() > 1) now.touched = touches(now);
    if (round > looks && !where_to_look(now) && round % elsewhere_every != 0) continue;
    if (!now.search) {
      PlanSpace space = bases[now.base].hunt;
      std::erase_if(space.options, [&](const VariedOption& o) { return o.name == rule || o.name.ends_with("." + rule); });
      now.plans = std::make_unique<PlanGenerator>(turned(bases[now.base], model, rule, c.rule.value), model, std::move(space));
      now.search = make_search(options.search, *now.plans, model, property, how);
    }
    f.base = now.base;
    f.seed = ++f.units[now.base];
    const UnitResult unit = now.search->unit(f.seed);
    f.runs += unit.runs;
    if (unit.found.empty() || !going()) continue;  // of a run that was broken off nothing is known
    const Found& first = unit.found.front();
    f.found = true;
    f.anomaly = first.anomaly;
    f.exhibit = &*std::find_if(c.exhibits.begin(), c.exhibits.end(), [&](const Exhibit& x) { return x.anomaly == first.anomaly; });
    f.before = size_of(first.plan);
    if (options.found) options.found();
    ShrinkOptions s;
    s.runs = options.shrink_runs;
    s.keep_going = options.keep_going;
    s.also = [&](const Scenario& smaller) { return !right_shows(smaller, first.anomaly); };
    f.shrunk = shrink(first.plan, model, first.anomaly, s);
    return f;
  }
  return f;
}

}  // namespace mqlab
