#include "cli/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "cli/library.h"
#include "cli/text.h"
#include "sim/lab/nearest.h"

namespace mqlab::cli {
namespace {

constexpr std::size_t runs_max = 10'000;

}  // namespace

Setting parse_setting(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw BadInput(fmt::format("--set {}: key=value was expected, as in --set acks=all", text));
  return {text.substr(0, equals), Value{text.substr(equals + 1)}, true, 0};
}

namespace {

std::vector<const ScenarioCase*> chosen_cases(const Scenario& s, const std::string& name) {
  std::vector<const ScenarioCase*> all;
  std::vector<std::string> known;
  for (const ScenarioCase& c : s.cases) {
    known.push_back(c.name);
    if (name.empty() || c.name == name) all.push_back(&c);
  }
  if (name.empty() && all.empty()) all.push_back(nullptr);
  if (!all.empty()) return all;
  if (known.empty()) throw BadInput(fmt::format("{} has no cases, so --case can't name one", s.path));
  throw BadInput(and_then(fmt::format("{} has no case `{}`{}", s.path, name, did_you_mean(name, known)), fmt::format("it has {}", fmt::join(known, ", "))));
}

// `on` names one of the file's designs, or a model that is the model of one; what follows a colon is then a profile.
// Returns the model and profile to go on with.
std::string choose_design(Plan& plan, const RunRequest& request) {
  const std::vector<DesignDecl> designs = plan.scenario.designs;
  if (designs.empty() || request.on.empty()) return request.on;
  const std::string model = request.on.substr(0, request.on.find(':'));
  for (const bool by_name : {true, false})
    for (const DesignDecl& d : designs) {
      if ((by_name ? d.name != request.on : d.model != model)) continue;
      if (d.name != plan.scenario.design) plan.scenario = load_scenario_file(request.scenario, d.name);
      return by_name ? std::string() : request.on;
    }
  std::vector<std::string> known;
  for (const DesignDecl& d : designs) known.push_back(d.name);
  throw BadInput(and_then(fmt::format("{} has no design `{}`{}", plan.scenario.path, request.on, did_you_mean(request.on, known)), fmt::format("it has {}", fmt::join(known, ", "))));
}

void choose_model(Plan& plan, const std::string& on) {
  const std::string wanted = on.substr(0, on.find(':'));
  if (on.find(':') != std::string::npos) plan.profile = on.substr(on.find(':') + 1);
  const std::string name = wanted.empty() ? plan.scenario.model : wanted;
  plan.model = all_models().find(name);
  if (!plan.model) {
    std::vector<std::string> known;
    for (const auto& m : all_models().all()) known.push_back(m->decl().name);
    throw BadInput(and_then(fmt::format("there is no model `{}`{}", name, did_you_mean(name, known)), "`mqlab models` lists them"));
  }
  if (name != plan.scenario.model)
    throw BadInput(fmt::format("{} is written for {}; it can't run on {}", plan.scenario.path, plan.scenario.model, name));
  if (plan.profile.empty()) return;
  std::vector<std::string> known;
  for (const ProfileDecl& p : plan.model->decl().profiles) known.push_back(p.name);
  if (std::find(known.begin(), known.end(), plan.profile) == known.end())
    throw BadInput(and_then(fmt::format("{} has no profile `{}`{}", name, plan.profile, did_you_mean(plan.profile, known)), fmt::format("it has {}", fmt::join(known, ", "))));
}

}  // namespace

std::pair<std::uint64_t, std::uint64_t> parse_seeds(const std::string& text) {
  const auto number = [&](std::string_view part) {
    std::uint64_t n = 0;
    const bool hex = part.starts_with("0x");  // as scenarios print large ones
    const auto [end, error] = std::from_chars(part.data() + (hex ? 2 : 0), part.data() + part.size(), n, hex ? 16 : 10);
    if (error != std::errc() || end != part.data() + part.size())
      throw BadInput(fmt::format("`{}` is no range of seeds: A..B was expected, as in 1..100", text));
    return n;
  };
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) {
    const std::uint64_t n = number(text);
    return {n, n};
  }
  const std::pair<std::uint64_t, std::uint64_t> range{number(std::string_view(text).substr(0, dots)), number(std::string_view(text).substr(dots + 2))};
  if (range.first > range.second) throw BadInput(fmt::format("`{}` is an empty range of seeds: the first is greater than the last", text));
  return range;
}

const PlannedRun& only_run(const Plan& plan, const RunRequest& request) {
  if (request.many_seeds) throw BadInput("this takes one run: --seed N instead of --seeds");
  if (plan.runs.size() == 1) return plan.runs.front();
  std::vector<std::string> labels;
  for (const PlannedRun& r : plan.runs) labels.push_back(r.label);
  throw BadInput(fmt::format("{} is run in {} ways: name one by --case, or set what its sweep varies; there are {}", plan.scenario.path, plan.runs.size(), fmt::join(labels, ", ")));
}

RunRequest with_seed_of(RunRequest request, const Scenario& s) {
  if (!request.seed_given && s.seed) request.first_seed = request.last_seed = *s.seed;
  return request;
}

std::unique_ptr<Plan> make_plan(const RunRequest& request) {
  auto plan = std::make_unique<Plan>();
  for (const std::string& s : request.set) plan->settings.push_back(parse_setting(s));
  plan->scenario = load_scenario_file(request.scenario);
  plan->queue = request.queue == "radix" ? QueueKind::radix : QueueKind::heap;
  choose_model(*plan, choose_design(*plan, request));
  for (const ScenarioCase* c : chosen_cases(plan->scenario, request.case_name))
    for (std::vector<Setting>& sweep : combinations(plan->scenario.sweep)) {
      PlannedRun run{c, std::move(sweep), {}};
      if (c) run.label = c->name;
      for (const Setting& s : run.sweep) run.label += (run.label.empty() ? "" : ", ") + describe(s);
      plan->runs.push_back(std::move(run));
      if (plan->runs.size() > runs_max) throw BadInput(fmt::format("{}: its sweep has more than {} combinations", plan->scenario.path, runs_max));
    }
  return plan;
}

RunOptions Plan::options(const PlannedRun& run, std::uint64_t seed) const {
  RunOptions o;
  o.seed = seed;
  o.queue = queue;
  o.profile = profile;
  o.settings = run.sweep;
  o.settings.insert(o.settings.end(), settings.begin(), settings.end());
  o.keep_going = [] { return !interrupted(); };
  return o;
}

std::string Plan::command(const RunRequest& request, const PlannedRun& run, std::uint64_t seed) const {
  std::string c = "mqlab run " + shell_word(request.scenario);
  if (run.scenario_case) c += " --case " + shell_word(run.scenario_case->name);
  c += fmt::format(" --seed {}", seed);
  if (!request.on.empty()) c += " --on " + shell_word(request.on);
  for (const std::string& s : request.set) c += " --set " + shell_word(s);
  for (const Setting& s : run.sweep) c += " --set " + shell_word(describe(s));
  return c;
}

std::vector<const VerdictRow*> broken_claims(const RunResult& r) {
  std::vector<const VerdictRow*> all;
  for (const VerdictRow& v : r.verdicts) {
    if (v.report.verdict != Verdict::violated || !v.claim.claimed) continue;
    const bool announced = std::any_of(r.expectations.begin(), r.expectations.end(), [&](const ExpectationResult& e) {
      return (e.expectation.kind == Expectation::Kind::violates || e.expectation.kind == Expectation::Kind::finds) && e.expectation.name == v.report.anomaly->name;
    });
    if (!announced) all.push_back(&v);
  }
  return all;
}

bool is_right(const RunResult& r) { return r.as_expected && broken_claims(r).empty(); }

std::function<RunRequest()> add_run_options(CLI::App& app, std::shared_ptr<RunRequest> request, const std::string& seeds_text, const std::string& setting) {
  auto seed = std::make_shared<std::string>();
  auto seeds = std::make_shared<std::string>();
  app.add_option("SCENARIO", request->scenario, "A Lua file, or a name as `mqlab scenarios` lists it")->required();
  auto* one = app.add_option("--seed", *seed, "The seed of chance (the file's own, or 1)");
  app.add_option("--seeds", *seeds, seeds_text + ": A..B, or N for 1..N")->excludes(one);
  app.add_option("--case", request->case_name, "Only this case; without it, all cases and sweep combinations");
  app.add_option("--on", request->on, "MODEL or MODEL:PROFILE to run on");
  app.add_option("--set", request->set, fmt::format("key=value: change an option; {} changes one client's (may be repeated)", setting))->expected(1)->take_all();
  app.add_flag("--json", request->json, "The result as JSON (docs/reference/json.md)");
  return [request, seed, seeds] {
    RunRequest out = *request;
    out.seed_given = !seed->empty() || !seeds->empty();
    if (!seed->empty()) {
      const auto range = parse_seeds(*seed);
      if (range.first != range.second) throw BadInput(fmt::format("--seed {}: one number was expected; a range is --seeds {}", *seed, *seed));
      out.first_seed = out.last_seed = range.first;
    }
    if (!seeds->empty()) {
      const bool range = seeds->find("..") != std::string::npos;
      std::tie(out.first_seed, out.last_seed) = parse_seeds(range ? *seeds : "1.." + *seeds);
      out.many_seeds = true;
    }
    return out;
  };
}

}  // namespace mqlab::cli
