// sim/lab/live_run.h: a run under way, as a value.
//
// The world of a scenario and the checkers that read along, between the beginning and the verdicts. A copy is a fork: both go
// on by themselves, and a fault that is armed in one (world().arm) is not in the other.
//
// Always true: run_to in any pieces and finish() give what run_scenario gives.
//
//     LiveRun run(plan, model, nullptr, {.seed = 7});
//     run.run_to(5_s);
//     LiveRun fork = run;
//     fork.world().arm(Fault{.kind = FaultKind::kill, .groups = {{"B1"}}}, at(6_s));
//     RunResult r = fork.finish();
#pragma once

#include <memory>
#include <string>

#include "sim/lab/run.h"

namespace mqlab {

class LiveRun {
 public:
  // Scenario, model and case must outlive it. Throws InputError when the settings do not fit.
  LiveRun(const Scenario& s, const Model& model, const ScenarioCase* c, RunOptions options);
  LiveRun(const LiveRun& o);
  LiveRun(LiveRun&&) = default;
  LiveRun& operator=(LiveRun&&) = default;

  World& world() { return *world_; }
  const World& world() const { return *world_; }

  // Handles all events due at or before t, and the checkers read along; false when the run was stopped (RunOptions::keep_going,
  // event_limit). Throws InputError when a program of the scenario goes wrong.
  bool run_to(Time t);
  // Runs on to the end of the load and through the drain, and judges. Once: nothing is left to run then.
  RunResult finish();

 private:
  bool stopped() const { return !stopped_because_.empty(); }
  void drain(RunResult& r);

  const Scenario* scenario_;
  const Model* model_;
  const ScenarioCase* case_;
  RunOptions options_;
  Deployment deployment_;
  std::unique_ptr<World> world_;  // after deployment_, which building it fills
  CheckSet checks_;
  std::string stopped_because_;
};

}  // namespace mqlab
