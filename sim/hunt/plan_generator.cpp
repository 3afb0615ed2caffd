#include "sim/hunt/plan_generator.h"

#include <algorithm>
#include <optional>

#include "sim/lab/one_run.h"

namespace mqlab {
namespace {

constexpr std::size_t variants_max = 128;
constexpr std::uint64_t scouts = 8;
constexpr std::uint64_t scout_events_max = 500'000;  // of a run that is only looked at

std::vector<std::string> node_names(const World& w) {
  std::vector<std::string> all;
  for (NodeId n = 0; n < w.node_count(); ++n) all.push_back(w.name(n));
  return all;
}

// Every combination of values, or so many of them drawn when there are more.
std::vector<std::vector<Setting>> value_choices(const std::vector<VariedOption>& options) {
  std::size_t all = 1;
  std::vector<Sweep> sweep;
  for (const VariedOption& o : options) {
    if (o.values.empty()) continue;
    all = std::min(variants_max + 1, all * o.values.size());
    sweep.push_back({o.name, o.values, o.line});
  }
  // A profile changes what nobody has set: it comes first.
  std::stable_partition(sweep.begin(), sweep.end(), [](const Sweep& s) { return s.name == "profile"; });
  if (all <= variants_max) return combinations(sweep);
  Random draws(0, Stream::scenario, 3);
  std::vector<std::vector<Setting>> some(variants_max);
  for (auto& settings : some)
    for (const Sweep& s : sweep) settings.push_back({s.name, s.values[draws.below(s.values.size())], false, s.line});
  return some;
}

}  // namespace

PlanGenerator::PlanGenerator(Scenario base, const Model& model, PlanSpace space) : base_(std::move(base)), model_(model), space_(std::move(space)) {
  add_variants();
}

void PlanGenerator::add_variants() {
  std::vector<std::vector<std::string>> known;  // names of nodes, a ground each
  std::optional<InputError> refused;
  for (const std::vector<Setting>& settings : value_choices(space_.options)) {
    Variant v;
    std::unique_ptr<World> world;
    try {
      RunOptions options;
      options.settings = settings;
      v.plan = one_run(base_, model_, nullptr, options);
      v.plan.faults.clear();
      v.plan.hunt = PlanSpace{};
      Deployment d;
      world = build_world(v.plan, model_, nullptr, {}, d);
    } catch (const InputError& e) {
      // One value alone may be right, and two together not: idempotence with acks=1.
      if (!refused) refused = e;
      continue;
    }
    const std::vector<std::string> names = node_names(*world);
    const auto same = std::find(known.begin(), known.end(), names);
    v.ground = static_cast<std::size_t>(same - known.begin());
    if (same == known.end()) {
      tools_ = toolbox(space_, model_, *world, base_.path);
      known.push_back(names);
      grounds_.push_back(learn(v.plan, tools_));
    }
    variants_.push_back(std::move(v));
  }
  if (variants_.empty()) throw *refused;
}

// Once in calm; then in trouble, without faults on single messages and without waiting for events.
Ground PlanGenerator::learn(const Scenario& one, const Toolbox& tools) const {
  RunOptions options;
  options.trace = TraceLevel::full;
  options.event_limit = scout_events_max;
  Ground g = learn_calm(run_scenario(one, model_, nullptr, options), model_, one.run_for, space_.from, space_.until);
  if (space_.budget == FaultBudget::none || space_.faults_max == 0) return g;
  Toolbox plain = tools;
  plain.message.clear();
  Ground blind = g;
  blind.events.clear();
  blind.messages.clear();
  for (std::uint64_t seed = 1; seed <= scouts; ++seed) {
    options.seed = seed;
    Toolbox one_layer = plain;
    if (seed % 2 == 0 && !plain.server.empty()) {  // servers' troubles are the most telling
      one_layer.client.clear();
      one_layer.verbs.clear();
    }
    Random draws(seed, Stream::scenario, 4);
    Scenario scout = one;
    scout.faults = draw_faults(blind, one_layer, space_, draws, false);
    try {
      learn_trouble(g, run_scenario(scout, model_, nullptr, options), model_);
    } catch (const InputError&) {
      continue;  // a program of the scenario gave up under these faults: the hunt will tell of it
    }
  }
  return g;
}

const PlanGenerator::Variant& PlanGenerator::choose(Random& draws) const { return variants_[draws.below(variants_.size())]; }

const Ground& PlanGenerator::ground(std::uint64_t seed) const {
  Random draws(seed, Stream::scenario, 2);
  return grounds_[choose(draws).ground];
}

Scenario PlanGenerator::draw(std::uint64_t seed) const {
  Random draws(seed, Stream::scenario, 2);
  const Variant& v = choose(draws);
  Scenario plan = v.plan;
  plan.seed = seed;
  if (space_.own_faults) plan.faults = drawn_faults(base_, nullptr, seed);
  if (space_.budget == FaultBudget::none || space_.faults_max == 0) return plan;
  for (PlannedFault& f : draw_faults(grounds_[v.ground], tools_, space_, draws)) plan.faults.push_back(std::move(f));
  return plan;
}

}  // namespace mqlab
