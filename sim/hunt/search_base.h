// sim/hunt/search_base.h: what the searches share: their makings, and the bookkeeping of a unit.
//
// Elsewhere: how each goes about it (search.cpp: random and mix; priorities.cpp, guided.cpp, exhaustive.cpp).
#pragma once

#include <memory>
#include <set>

#include "sim/hunt/search.h"
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
  UnitTally(const SearchSetup& setup, std::uint64_t seed);

  // Runs a plan from its beginning, and keeps what it shows.
  std::shared_ptr<const RunResult> run(const Scenario& plan);
  bool found(const std::string& anomaly) const;
  void reached(const GoalScan& scan);
  UnitResult& unit() { return unit_; }
  UnitResult take();

 private:
  void judge(const Scenario& plan, const std::shared_ptr<const RunResult>& run);

  const SearchSetup& setup_;
  UnitResult unit_;
  std::set<std::uint32_t> goals_;
};

std::unique_ptr<Search> make_random_search(const SearchSetup& setup);

}  // namespace mqlab
