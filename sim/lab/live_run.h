// sim/lab/live_run.h: a run under way, as a value.
//
// The world of a scenario and the checkers that read along, between the beginning and the verdicts. A copy is a fork: both go
// on by themselves, and a fault that is armed in one (world().arm) is not in the other.
//
// Always true: run_to and run_events in any pieces, and then finish(), give what run_scenario gives.
//
//     LiveRun run(plan, model, nullptr, {.seed = 7});
//     run.run_to(5_s);
//     LiveRun fork = run;
//     fork.world().arm(Fault{.kind = FaultKind::kill, .groups = {{"B1"}}}, at(6_s));
//     RunResult r = fork.finish();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  // Handles events until `events` were handled since the beginning (World::steps), through the load and the drain; false once
  // nothing is left to handle, or the run was stopped. Throws InputError as run_to does.
  bool run_events(std::uint64_t events);
  // Runs on to the end of the load and through the drain, and judges. Once: nothing is left to run then.
  // Requires: the checkers were not left behind.
  RunResult finish();

  // A copy that can go on but not judge: without checkers, and without what the journal holds of events, marks and
  // operations (rows of operations are numbered anew, where no program in Lua knows their numbers); nobody is asked whether
  // it may go on.
  // Always true: its events from here on are those of the original.
  LiveRun without_record() const;

 private:
  enum class Phase : std::uint8_t { load, drain, over };
  struct Drain {
    Time limit{};            // it has failed then
    Time look_at{};          // when it is next asked whether all has come to rest
    int calm = 0;            // answers in a row that it has
    std::vector<NodeId> leaving{};  // asked to end in good order before, to be started again
    bool at_rest = false;
  };
  struct Bare {};
  LiveRun(const LiveRun& o, Bare);

  bool stopped() const { return !stopped_because_.empty(); }
  bool step_to(Time t, std::uint64_t events);
  int calm_enough() const;
  void end_of_load();
  void look();

  const Scenario* scenario_;
  const Model* model_;
  const ScenarioCase* case_;
  RunOptions options_;
  Deployment deployment_;
  std::unique_ptr<World> world_;  // after deployment_, which building it fills
  std::optional<CheckSet> checks_;
  std::string stopped_because_;
  Phase phase_ = Phase::load;
  Drain drain_;
  Time workload_ended_{};
};

}  // namespace mqlab
