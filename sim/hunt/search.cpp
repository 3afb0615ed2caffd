#include "sim/hunt/search.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/hunt/search_base.h"
#include "sim/lab/nearest.h"

namespace mqlab {

std::span<const SearchDecl> search_words() {
  static const std::vector<SearchDecl> all = {
      {"mix", "Of ten units six are random, three pct, one coverage."},
      {"random", "A unit is one run with faults drawn at random."},
      {"pct", "A unit is one run in which nodes have priorities, and a few of them are lowered on the way."},
      {"coverage", "A unit is a family of runs: where one came into a situation new to the family, others go on from there with other faults."},
      {"exhaustive", "All placements of up to --faults-max faults of a short list, for small scenarios."},
  };
  return all;
}

std::unique_ptr<Search> make_search(const std::string& name, const PlanGenerator& plans, const Model& model, const Property& property, const SearchOptions& options) {
  std::vector<std::string> known;
  for (const SearchDecl& s : search_words()) known.push_back(s.name);
  if (std::find(known.begin(), known.end(), name) == known.end()) throw InputError("", 0, fmt::format("there is no search `{}`{}", name, did_you_mean(name, known)));
  if (options.depth < 1 || options.depth > 100) throw InputError("", 0, fmt::format("depth is {}: it is a number of steps that must meet, 1 to 100", options.depth));
  if (options.unit_runs < 1) throw InputError("", 0, "a unit has at least one run");
  const SearchSetup setup(plans, model, property, options);
  if (name == "random") return make_random_search(setup);
  if (name == "pct") return make_priority_search(setup);
  if (name == "coverage") return make_guided_search(setup);
  if (name == "exhaustive") return make_exhaustive_search(setup);
  return make_mixed_search(setup);
}

// ---------------------------------------------------------------------------------------------
// What all searches share.

SearchSetup::SearchSetup(const PlanGenerator& p, const Model& m, const Property& q, const SearchOptions& o) : plans(&p), model(&m), property(q), options(o) {
  Scenario calm = one_run(p.base(), m, nullptr, {.seed = p.base().seed.value_or(1)});
  calm.faults.clear();
  RunOptions r;
  r.seed = *calm.seed;
  r.trace = TraceLevel::full;
  r.event_limit = o.event_limit;
  r.keep_going = o.keep_going;
  calm_run = std::make_shared<RunResult>(run_scenario(calm, m, nullptr, r));
  goals = std::make_shared<GoalSet>(m, calm_run->world->journal);
}

RunOptions SearchSetup::run_options(const Scenario& plan) const {
  RunOptions r;
  r.seed = plan.seed.value_or(1);
  r.event_limit = options.event_limit;
  r.keep_going = options.keep_going;
  return r;
}

std::shared_ptr<const RunResult> UnitTally::run(const Scenario& plan, const RunOptions& options) {
  auto run = std::make_shared<RunResult>(run_scenario(plan, *setup_.model, nullptr, options));
  unit_.events += run->events;
  ++unit_.schedules;
  judge(*run);
  shown_.clear();
  if (run->interrupted) return run;
  for (const Breach& b : breaches(setup_.property, *run)) {
    shown_.insert(b.anomaly);
    if (!found(b.anomaly) && (!setup_.options.counts || setup_.options.counts(plan, b.anomaly))) unit_.found.push_back({b.anomaly, b.sentence, plan, run});
  }
  return run;
}

std::vector<std::uint32_t> UnitTally::finish_fork(LiveRun fork, const Scenario& plan, std::uint64_t steps) {
  const RunResult run = fork.finish();
  unit_.events += run.events - steps;
  ++unit_.schedules;
  std::vector<std::uint32_t> goals = judge(run);
  if (run.interrupted) return goals;
  std::vector<std::string> news;
  for (const Breach& b : breaches(setup_.property, run))
    if (!found(b.anomaly)) news.push_back(b.anomaly);
  if (news.empty()) return goals;
  --unit_.schedules;
  this->run(plan);
  for (const std::string& anomaly : news) unit_.unconfirmed += shown_.count(anomaly) ? 0 : 1;
  return goals;
}

void UnitTally::merged(std::uint64_t events) {
  unit_.events += events;
  ++unit_.runs;
  ++unit_.schedules;
}

std::vector<std::uint32_t> UnitTally::judge(const RunResult& run) {
  ++unit_.runs;
  unit_.virtual_time += run.ended;
  unit_.fingerprint.mix(run.fingerprint.high, run.fingerprint.low);
  unit_.interrupted = unit_.interrupted || run.interrupted;
  unit_.tested = unit_.tested || (!run.interrupted && tested(setup_.property, run));
  GoalScan scan(*setup_.goals);
  scan.advance(run.world->journal, time_max);
  std::vector<std::uint32_t> reached = scan.reached();
  goals_.insert(reached.begin(), reached.end());
  return reached;
}

bool UnitTally::found(const std::string& anomaly) const {
  return std::any_of(unit_.found.begin(), unit_.found.end(), [&](const Found& f) { return f.anomaly == anomaly; });
}

UnitResult UnitTally::take() {
  unit_.goals.assign(goals_.begin(), goals_.end());
  return std::move(unit_);
}

// ---------------------------------------------------------------------------------------------
// One run drawn at random.

namespace {

class RandomSearch : public SearchBase {
 public:
  using SearchBase::SearchBase;
  UnitResult unit(std::uint64_t seed) const override {
    UnitTally tally(setup_, seed);
    tally.run(setup_.plans->draw(seed));
    return tally.take();
  }
};

// A unit of the guided search costs as much as many of the others.
class MixedSearch : public SearchBase {
 public:
  explicit MixedSearch(const SearchSetup& setup)
      : SearchBase(setup), random_(make_random_search(setup)), priority_(make_priority_search(setup)), guided_(make_guided_search(setup)) {}
  UnitResult unit(std::uint64_t seed) const override {
    // Not by the seed itself: a shard has every n-th seed, and is to have all three.
    const std::uint64_t which = splitmix64(seed) % 10;
    return (which < 6 ? random_ : which < 9 ? priority_ : guided_)->unit(seed);
  }

 private:
  std::unique_ptr<Search> random_, priority_, guided_;
};

}  // namespace

std::unique_ptr<Search> make_random_search(const SearchSetup& setup) { return std::make_unique<RandomSearch>(setup); }
std::unique_ptr<Search> make_mixed_search(const SearchSetup& setup) { return std::make_unique<MixedSearch>(setup); }

}  // namespace mqlab
