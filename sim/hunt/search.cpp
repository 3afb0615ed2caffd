#include "sim/hunt/search.h"

#include <fmt/format.h>

#include "sim/hunt/search_base.h"
#include "sim/lab/nearest.h"

namespace mqlab {

std::span<const SearchDecl> search_words() {
  static const std::vector<SearchDecl> all = {
      {"random", "Each unit is one run with faults drawn at random."},
  };
  return all;
}

std::unique_ptr<Search> make_search(const std::string& name, const PlanGenerator& plans, const Model& model, const Property& property, const SearchOptions& options) {
  const SearchSetup setup(plans, model, property, options);
  if (name == "random") return make_random_search(setup);
  std::vector<std::string> known;
  for (const SearchDecl& s : search_words()) known.push_back(s.name);
  throw InputError("", 0, fmt::format("there is no search `{}`{}", name, did_you_mean(name, known)));
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

UnitTally::UnitTally(const SearchSetup& setup, std::uint64_t seed) : setup_(setup) { unit_.seed = seed; }

std::shared_ptr<const RunResult> UnitTally::run(const Scenario& plan) {
  auto run = std::make_shared<RunResult>(run_scenario(plan, *setup_.model, nullptr, setup_.run_options(plan)));
  ++unit_.runs;
  unit_.events += run->events;
  unit_.virtual_time += run->ended;
  judge(plan, run);
  return run;
}

void UnitTally::judge(const Scenario& plan, const std::shared_ptr<const RunResult>& run) {
  ++unit_.schedules;
  unit_.fingerprint.mix(run->fingerprint.high, run->fingerprint.low);
  if (run->interrupted) {
    unit_.interrupted = true;
    return;
  }
  unit_.tested = unit_.tested || mqlab::tested(setup_.property, *run);
  GoalScan scan(*setup_.goals);
  scan.advance(run->world->journal, time_max);
  reached(scan);
  for (const Breach& b : breaches(setup_.property, *run))
    if (!found(b.anomaly)) unit_.found.push_back({b.anomaly, b.sentence, plan, run});
}

void UnitTally::reached(const GoalScan& scan) {
  for (const std::uint32_t g : scan.reached()) goals_.insert(g);
}

bool UnitTally::found(const std::string& anomaly) const {
  for (const Found& f : unit_.found)
    if (f.anomaly == anomaly) return true;
  return false;
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

}  // namespace

std::unique_ptr<Search> make_random_search(const SearchSetup& setup) { return std::make_unique<RandomSearch>(setup); }

}  // namespace mqlab
