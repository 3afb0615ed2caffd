// cli/one_plan.h: the one run that a command line asks for, as a plan, and the anomaly in question.
#pragma once

#include <memory>
#include <string>

#include "cli/outcome_json.h"
#include "cli/plan.h"
#include "sim/hunt/story.h"

namespace mqlab::cli {

struct OnePlan {
  std::unique_ptr<Plan> plan;  // of the file
  RunRequest request;          // with the seed in place
  const PlannedRun* run = nullptr;
  Scenario one;                // one run, with its seed
  std::string anomaly;

  const Model& model() const { return *plan->model; }
  // The command that runs it.
  std::string command() const { return plan->command(request, *run, request.first_seed); }
};

// `anomaly` may be empty: then one that breaks a promise, or else the first that is seen. Throws BadInput when the run does not
// show it.
OnePlan one_plan(const RunRequest& asked, const std::string& anomaly);

// What every answer about a finding begins with: format, command, the finding and by what it came about.
Json finding_json(const char* format, const OnePlan& of, const std::string& sentence, const Mechanism& m);

// The plan run once more with all its events, and told.
struct ToldPlan {
  RunResult run;
  OrdinaryMarks ordinary;
  SliceStory story;
};
ToldPlan tell_plan(const Scenario& one, const Model& model, const std::string& anomaly, std::size_t steps_max);

// A page that needs nothing else: story, picture, verdict, plan. `lua` is empty where the plan can't be printed.
std::string story_page(const ToldPlan& told, const std::string& title, const std::string& lua, const std::string& command);

}  // namespace mqlab::cli
