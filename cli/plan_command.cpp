// mqlab plan: one run written down as a scenario of its own, with all that chance chose of its faults.
#include <fmt/format.h>

#include "cli/plan.h"
#include "sim/lab/one_run.h"
#include "sim/script/print_scenario.h"

namespace mqlab::cli {
namespace {

// Whose, in the comment at its head; the lesson of the file is told once.
std::string head(const Plan& plan, const RunRequest& request, const PlannedRun& run) {
  std::string text = fmt::format("One run of {}, written out: `{}`", plan.scenario.path, plan.command(request, run, request.first_seed));
  if (run.scenario_case && !run.scenario_case->sentence.empty()) text += "\n\n" + run.scenario_case->sentence;
  return text;
}

int print_plan(const RunRequest& asked, const std::string& out) {
  const auto plan = make_plan(asked);
  const RunRequest request = with_seed_of(asked, plan->scenario);
  const PlannedRun& run = only_run(*plan, request);
  Scenario one = one_run(plan->scenario, *plan->model, run.scenario_case, plan->options(run, request.first_seed));
  if (const auto why = why_not_printed(one)) throw BadInput(fmt::format("{} can't be written out by itself: {}", plan->scenario.path, *why));
  one.lesson = head(*plan, request, run);
  const std::string text = print_scenario(one, *plan->model);
  if (out.empty()) print(text);
  else write_file(out, text);
  return as_expected;
}

}  // namespace

void add_plan_command(CLI::App& root, Commands& commands) {
  auto o = std::make_shared<RunRequest>();
  auto out = std::make_shared<std::string>();
  CLI::App* app = root.add_subcommand("plan", "Write one run down as a scenario of its own");
  const auto parsed = add_run_options(*app, o, "(one run only)", "P1.acks=0");
  app->add_option("--out", *out, "Write it to this file instead of stdout");
  app->footer(
      "Faults that a seed draws stand there with their times; cases, sweeps and --set are in place. Run with the same seed, which\n"
      "the file names, it is the same run, event by event: something to take apart and to keep.\n\n"
      "Example:\n"
      "  mqlab plan scenarios/search/quorum.lua --case 4.3 --seed 7 --out seven.lua\n"
      "  mqlab run seven.lua");
  commands.push_back({app, [parsed, out] { return print_plan(parsed(), *out); }});
}

}  // namespace mqlab::cli
