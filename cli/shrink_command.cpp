// mqlab shrink: the smallest run that still shows an anomaly, as a scenario to read, run and keep.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cli/outcome_json.h"
#include "cli/plan.h"
#include "cli/text.h"
#include "sim/lab/nearest.h"
#include "sim/lab/one_run.h"
#include "sim/hunt/shrink.h"
#include "sim/script/print_scenario.h"

namespace mqlab::cli {
namespace {

struct ShrinkRequest {
  RunRequest run;
  std::string anomaly;
  std::string out;
  std::uint64_t runs = 2'000;
};

// The anomaly asked for; else one that breaks a promise; else the first.
std::string choose_anomaly(const ShrinkRequest& request, const RunResult& r) {
  std::vector<std::string> violated;
  std::string broken;
  for (const VerdictRow& v : r.verdicts)
    if (v.report.verdict == Verdict::violated) {
      violated.push_back(v.report.anomaly->name);
      if (v.claim.claimed && broken.empty()) broken = violated.back();
    }
  if (violated.empty()) throw BadInput("this run shows no anomaly: try another seed (`mqlab run SCENARIO --seeds 1..1000` names some)");
  if (request.anomaly.empty()) return broken.empty() ? violated.front() : broken;
  if (std::find(violated.begin(), violated.end(), request.anomaly) == violated.end())
    throw BadInput(and_then(fmt::format("this run does not show `{}`{}", request.anomaly, did_you_mean(request.anomaly, violated)), fmt::format("it shows {}", fmt::join(violated, ", "))));
  return request.anomaly;
}

// The story at the head of the file: what is seen, and what it takes.
std::string story(const Shrunk& s, const Plan& plan, const RunRequest& request, const PlannedRun& run, const std::string& anomaly, const PlanSize& before) {
  std::string text = fmt::format("{}: {}\n\n", anomaly, s.sentence);
  std::vector<PlannedFault> faults = s.scenario.faults;
  std::stable_sort(faults.begin(), faults.end(), [](const PlannedFault& a, const PlannedFault& b) {
    return a.trigger.on == Trigger::On::time && b.trigger.on == Trigger::On::time && a.trigger.after < b.trigger.after;
  });
  if (faults.empty()) text += "No fault is needed.\n";
  for (std::size_t i = 0; i < faults.size(); ++i) text += fmt::format("{}. {}: {}\n", i + 1, describe(faults[i].trigger), describe(faults[i].fault));
  text += fmt::format("\nFrom `{}`: {}.\nOf these were left: {}. {}", plan.command(request, run, request.first_seed), describe(before), describe(size_of(s.scenario)),
                      s.minimal ? "Without any one of them it does not happen so." : "The search was ended before it was done: there may be less.");
  return text;
}

int run(const ShrinkRequest& asked) {
  catch_interrupts();
  const auto plan = make_plan(asked.run);
  const RunRequest request = with_seed_of(asked.run, plan->scenario);
  const PlannedRun& planned = only_run(*plan, request);
  const RunOptions options = plan->options(planned, request.first_seed);
  Scenario one = one_run(plan->scenario, *plan->model, planned.scenario_case, options);
  if (const auto why = why_not_printed(one)) throw BadInput(fmt::format("{} can't be made smaller by itself: {}", plan->scenario.path, *why));
  const std::string anomaly = choose_anomaly(asked, run_scenario(plan->scenario, *plan->model, planned.scenario_case, options));
  one.expect = {{Expectation::Kind::violates, anomaly}};
  one.chapter.clear();
  const PlanSize before = size_of(one);

  const auto began = std::chrono::steady_clock::now();
  ShrinkOptions o;
  o.runs = asked.runs;
  o.keep_going = [] { return !interrupted(); };
  o.told = [&](const std::string& change, const Scenario& now) { complain(fmt::format("{}  ({})", change, describe(size_of(now)))); };
  Shrunk s = shrink(one, *plan->model, anomaly, o);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  s.scenario.lesson = story(s, *plan, request, planned, anomaly, before);
  s.scenario.title = fmt::format("The least that it takes: {}", anomaly);
  const std::string text = print_scenario(s.scenario, *plan->model);
  if (!asked.out.empty()) write_file(asked.out, text);
  else print(text);
  complain(fmt::format("{} runs in {:.1f} s; {}{}", s.runs, seconds, describe(size_of(s.scenario)), s.minimal ? "" : " (not done)"));
  return as_expected;
}

}  // namespace

void add_shrink_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<ShrinkRequest>();
  auto request = std::make_shared<RunRequest>();
  CLI::App* app = root.add_subcommand("shrink", "Make a run that shows an anomaly as small as it can be");
  const auto parsed = add_run_options(*app, request, "(one run only)", "P1.acks=0");
  app->add_option("--anomaly", o->anomaly, "Which; without it one that breaks a promise, or the first that is seen");
  app->add_option("--out", o->out, "Write the scenario to this file instead of stdout");
  app->add_option("--runs", o->runs, "Try so many runs at most (2000)");
  app->footer(
      "Faults, clients, topics, records, options and times are taken away or made smaller while the same anomaly is seen and the\n"
      "model says the same about it. Ctrl-C keeps what was reached.\n\n"
      "Example:\n"
      "  mqlab shrink scenarios/search/quorum.lua --case 4.3 --seed 7 --anomaly fifo-violation --out small.lua\n"
      "  mqlab run small.lua");
  commands.push_back({app, [parsed, o] {
                        ShrinkRequest all = *o;
                        all.run = parsed();
                        return run(all);
                      }});
}

}  // namespace mqlab::cli
