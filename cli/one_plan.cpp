#include "cli/one_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"
#include "sim/lab/nearest.h"
#include "sim/lab/one_run.h"

namespace mqlab::cli {
namespace {

std::string choose_anomaly(const std::string& asked, const RunResult& r) {
  std::vector<std::string> violated;
  std::string broken;
  for (const VerdictRow& v : r.verdicts)
    if (v.report.verdict == Verdict::violated) {
      violated.push_back(v.report.anomaly->name);
      if (v.claim.claimed && broken.empty()) broken = violated.back();
    }
  if (shows(r, not_settled)) violated.push_back(not_settled);
  if (violated.empty()) throw BadInput("this run shows no anomaly: try another seed (`mqlab run SCENARIO --seeds 1..1000` names some)");
  if (asked.empty()) return broken.empty() ? violated.front() : broken;
  if (std::find(violated.begin(), violated.end(), asked) == violated.end())
    throw BadInput(and_then(fmt::format("this run does not show `{}`{}", asked, did_you_mean(asked, violated)), fmt::format("it shows {}", fmt::join(violated, ", "))));
  return asked;
}

}  // namespace

Json finding_json(const char* format, const OnePlan& of, const std::string& sentence, const Mechanism& m) {
  Json out;
  out["format"] = format;
  out["command"] = of.command();
  out["anomaly"] = of.anomaly;
  out["sentence"] = sentence;
  out["promised"] = m.claimed;
  out["reason"] = m.reason;
  out["turn"] = m.turn;
  out["marks"] = m.marks;
  return out;
}

OnePlan one_plan(const RunRequest& asked, const std::string& anomaly) {
  OnePlan out;
  out.plan = make_plan(asked);
  out.request = with_seed_of(asked, out.plan->scenario);
  out.run = &only_run(*out.plan, out.request);
  const RunOptions options = out.plan->options(*out.run, out.request.first_seed);
  out.one = one_run(out.plan->scenario, *out.plan->model, out.run->scenario_case, options);
  out.anomaly = choose_anomaly(anomaly, run_scenario(out.plan->scenario, *out.plan->model, out.run->scenario_case, options));
  return out;
}

ToldPlan tell_plan(const Scenario& one, const Model& model, const std::string& anomaly, std::size_t steps_max) {
  ToldPlan told;
  told.run = run_scenario(one, model, nullptr, {.seed = one.seed.value_or(1), .trace = TraceLevel::full, .keep_going = [] { return !interrupted(); }});
  if (!shows(told.run, anomaly)) throw BadInput(interrupted() ? "stopped by Ctrl-C before the run could be told" : fmt::format("this run does not show {}", anomaly));
  told.ordinary = marks_to_leave_out(one, model, anomaly);
  told.story = tell_slice(told.run, anomaly, told.ordinary, steps_max);
  return told;
}

}  // namespace mqlab::cli
