// sim/hunt/search_base.h: what the searches share: their makings, and the bookkeeping of a unit.
//
// Elsewhere: how each goes about it (search.cpp: random and mix; priorities.cpp, guided.cpp, exhaustive.cpp).
#pragma once

#include <memory>
#include <set>

#include "sim/hunt/search.h"
#include "sim/lab/live_run.h"
#include "sim/lab/one_run.h"

namespace mqlab {

// Made once for a search, and only read from then on.
struct SearchSetup {
  SearchSetup(const PlanGenerator& plans, const Model& model, const Property& property, const SearchOptions& options);
  RunOptions run_options(const Scenario& plan) const;

  const PlanGenerator* plans;
  const Model* model;
  Property property;
  SearchOptions options;
  std::shared_ptr<const RunResult> calm_run;  // of the base without any fault, with every delivery
  std::shared_ptr<const GoalSet> goals;
};

class SearchBase : public Search {
 public:
  explicit SearchBase(const SearchSetup& setup) : setup_(setup) {}
  const std::vector<Goal>& goals() const override { return setup_.goals->all(); }

 protected:
  SearchSetup setup_;
};

// Adds up a unit.
class UnitTally {
 public:
  UnitTally(const SearchSetup& setup, std::uint64_t seed) : setup_(setup) { unit_.seed = seed; }

  // Runs a plan from its beginning, and keeps what it shows.
  std::shared_ptr<const RunResult> run(const Scenario& plan) { return run(plan, setup_.run_options(plan)); }
  std::shared_ptr<const RunResult> run(const Scenario& plan, const RunOptions& options);
  // Runs a fork to its end. What it shows counts when its plan, run from the beginning, shows it too.
  // `steps`: that its world had when it was forked.
  // The goals that it has reached, those before the fork included.
  std::vector<std::uint32_t> finish_fork(LiveRun fork, const Scenario& plan, std::uint64_t steps);
  // A fork goes on as another run does that was decided.
  void merged(std::uint64_t events);
  void handled(std::uint64_t events) { unit_.events += events; }
  // A run has reached this; false when one had before.
  bool reach(std::uint32_t goal) { return goals_.insert(goal).second; }
  bool stopped() const { return unit_.interrupted || (setup_.options.keep_going && !setup_.options.keep_going()); }
  std::uint64_t events() const { return unit_.events; }
  UnitResult take();

 private:
  bool found(const std::string& anomaly) const;
  std::vector<std::uint32_t> judge(const RunResult& run);  // the goals reached

  const SearchSetup& setup_;
  UnitResult unit_;
  std::set<std::uint32_t> goals_;
  std::set<std::string> shown_;  // anomalies of the last run from its beginning
};

std::unique_ptr<Search> make_random_search(const SearchSetup& setup);
std::unique_ptr<Search> make_mixed_search(const SearchSetup& setup);
std::unique_ptr<Search> make_priority_search(const SearchSetup& setup);
std::unique_ptr<Search> make_guided_search(const SearchSetup& setup);
std::unique_ptr<Search> make_exhaustive_search(const SearchSetup& setup);

}  // namespace mqlab
