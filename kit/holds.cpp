#include "kit/holds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "kit/models.h"
#include "sim/hunt/shrink.h"
#include "sim/script/print_scenario.h"

namespace mqlab {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (!text || !*text) return otherwise;
  char* end = nullptr;
  const unsigned long long n = std::strtoull(text, &end, 10);
  if (*end != '\0' || n == 0) throw InputError("", 0, fmt::format("{} in the environment is a number from 1 on, and not `{}`", name, text));
  return n;
}

// What is written of a breach besides the story.
struct Broken {
  std::string anomaly, sentence, claim;
  bool decided_by_checker = false;
};

std::optional<Broken> broken(const Property& p, const RunResult& r, const std::string& anomaly = {}) {
  for (const Breach& b : breaches(p, r)) {
    if (!anomaly.empty() && b.anomaly != anomaly) continue;
    Broken out{b.anomaly, b.sentence, {}, b.row && b.row->report.verdict == Verdict::violated};
    if (b.row) out.claim = fmt::format("{}: {}", b.row->claim.claimed ? "the model promises that it does not happen" : "the model does not promise anything here", b.row->claim.reason);
    return out;
  }
  return std::nullopt;
}

RunResult run_plan(const Scenario& plan, const Model& model) {
  RunOptions o;
  o.seed = plan.seed.value_or(1);
  return run_scenario(plan, model, nullptr, o);
}

// Where no checker decides: one element less as long as the same is broken.
Scenario fewer_elements(Scenario plan, const Model& model, const Property& p, const std::string& anomaly, std::uint64_t runs) {
  for (bool changed = true; changed && runs > 0;) {
    changed = false;
    for (Scenario& s : smaller_plans(plan)) {
      if (runs == 0) break;
      --runs;
      try {
        if (!broken(p, run_plan(s, model), anomaly)) continue;
      } catch (const InputError&) {
        continue;  // it is no scenario any more
      }
      plan = std::move(s);
      changed = true;
      break;
    }
  }
  return plan;
}

// The story, and what is broken in it.
void tell(HoldsResult& r, const Scenario& plan, const Model& model, const Property& p, const Broken& first, const HoldsOptions& options) {
  Broken now = first;
  r.anomaly = first.anomaly;
  r.story = plan;
  if (!why_not_printed(plan)) {
    if (first.decided_by_checker) {
      ShrinkOptions o;
      o.runs = options.shrink_runs;
      r.story = shrink(plan, model, first.anomaly, o).scenario;
    } else {
      r.story = fewer_elements(plan, model, p, first.anomaly, options.shrink_runs);
    }
    if (const auto again = broken(p, run_plan(r.story, model), first.anomaly)) now = *again;
    r.story.lesson = fmt::format("{}: {}", now.anomaly, now.sentence);
    r.story.title = fmt::format("The least that it takes: {}", now.anomaly);
    if (first.decided_by_checker) r.story.expect = {{Expectation::Kind::violates, first.anomaly}};
  }
  r.message = fmt::format("`{}` does not hold: {}\n  {}\n", p.name, now.anomaly, now.sentence);
  if (!now.claim.empty()) r.message += fmt::format("  ({})\n", now.claim);
  r.message += fmt::format("Run {} shows it, of seed {}: {}.\n", r.runs, r.seed, describe(size_of(plan)));
  if (!why_not_printed(plan)) r.message += fmt::format("Of these are left: {}.\nKept as story.lua, `mqlab run story.lua` shows it event by event:\n\n", describe(size_of(r.story)));
  r.message += story_text(r.story);
}

}  // namespace

std::vector<Scenario> smaller_plans(const Scenario& plan) {
  std::vector<Scenario> all;
  const auto without = [&](auto member, std::size_t at) {
    Scenario s = plan;
    auto& list = member(s);
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
    all.push_back(std::move(s));
  };
  if (plan.faults.size() > 1) {
    Scenario s = plan;
    s.faults.resize(plan.faults.size() / 2);
    all.push_back(std::move(s));
  }
  for (std::size_t i = plan.faults.size(); i-- > 0;) without([](Scenario& s) -> auto& { return s.faults; }, i);
  if (plan.deployment.clients.size() > 1)
    for (std::size_t i = plan.deployment.clients.size(); i-- > 0;) without([](Scenario& s) -> auto& { return s.deployment.clients; }, i);
  if (plan.deployment.topics.size() > 1)
    for (std::size_t i = plan.deployment.topics.size(); i-- > 0;) without([](Scenario& s) -> auto& { return s.deployment.topics; }, i);
  if (plan.run_for > 2'000'000'000) {
    Scenario s = plan;
    s.run_for = plan.run_for / 2 / 1'000'000'000 * 1'000'000'000;
    all.push_back(std::move(s));
  }
  return all;
}

std::string story_text(const Scenario& plan) {
  const auto why = why_not_printed(plan);
  if (!why) return print_scenario(plan, *all_models().find(plan.model));
  std::string text = fmt::format("{}, seed {}: {}\n", plan.path, plan.seed.value_or(1), *why);
  for (const PlannedFault& f : plan.faults) text += fmt::format("  {}: {}\n", describe(f.trigger), describe(f.fault));
  return text;
}

namespace {

HoldsResult check_seeds(const std::function<Scenario(std::uint64_t seed)>& draw, const Model& model, const std::string& property, std::uint64_t runs, std::uint64_t first_seed,
                        const HoldsOptions& options) {
  const Property p = parse_property(property);
  HoldsResult r;
  std::string why_unknown;
  while (r.runs < runs) {
    r.seed = first_seed + r.runs;
    const Scenario plan = draw(r.seed);
    const RunResult run = run_plan(plan, model);
    ++r.runs;
    if (const auto b = broken(p, run)) {
      ++r.tested;
      tell(r, plan, model, p, *b, options);
      return r;
    }
    if (tested(p, run)) ++r.tested;
    else if (why_unknown.empty()) why_unknown = !run.not_drained_because.empty() ? run.not_drained_because : "no checker had anything to look at that the property speaks of";
  }
  r.holds = r.tested > 0;
  r.message = r.holds ? fmt::format("`{}` held in {} of {} runs that decide it", p.name, r.tested, r.runs)
                      : fmt::format("`{}` was not tested: none of {} runs decides it. Of the first: {}.\nLet the clients send something, or ask for another property.\n", p.name, r.runs, why_unknown);
  return r;
}

}  // namespace

HoldsResult check_holds(const std::function<Scenario(std::uint64_t seed)>& draw, const Model& model, const std::string& property, const HoldsOptions& options) {
  return check_seeds(draw, model, property, from_environment("MQLAB_RUNS", options.runs), from_environment("MQLAB_SEED", options.first_seed), options);
}

HoldsResult check_holds(const PlanGenerator& plans, const std::string& property, const HoldsOptions& options) {
  return check_holds([&](std::uint64_t seed) { return plans.draw(seed); }, plans.model(), property, options);
}

HoldsResult check_holds(const Scenario& plan, const std::string& property, const HoldsOptions& options) {
  const Model* model = all_models().find(plan.model);
  if (!model) throw InputError(plan.path, 0, fmt::format("there is no model `{}`", plan.model));
  return check_seeds([&](std::uint64_t) { return plan; }, *model, property, 1, plan.seed.value_or(1), options);
}

}  // namespace mqlab
