// sim/hunt/search.h: ways to look for a run that breaks a property.
//
// A search does its work in units, numbered by seed. What a unit tries is its own business: one run drawn at random, one
// priority schedule, a family of runs forked from one root, or all schedules that begin with one fault. A campaign numbers the
// units, spreads them over threads and machines, and adds up what they found.
//
// The rule: a unit's result is a function of the plans, the options and the seed alone; no unit knows of another one.
// Always true: the plan of each finding, run from its beginning, is the run that stands beside it, and shows the breach.
// Elsewhere: plans (plan_generator.h), what is demanded (property.h), what runs should reach (coverage.h).
//
//     const auto search = make_search("mix", plans, model, parse_property("promises"));
//     for (std::uint64_t seed = 1; seed <= 1000; ++seed)
//       for (const Found& f : search->unit(seed).found) print(f.anomaly, f.sentence);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/hunt/coverage.h"
#include "sim/hunt/plan_generator.h"
#include "sim/hunt/property.h"

namespace mqlab {

struct Found {
  std::string anomaly;   // as in Breach
  std::string sentence;
  Scenario plan;         // one run, with its seed
  std::shared_ptr<const RunResult> run;  // ... from its beginning
};

struct UnitResult {
  std::uint64_t seed = 0;
  std::uint64_t runs = 0;       // begun; a fork is one more
  std::uint64_t schedules = 0;  // plans that are decided: a run each, or known to go on as another one
  std::uint64_t events = 0;     // handled, those before a fork once
  Time virtual_time = 0;
  Fingerprint fingerprint;      // of all its runs
  std::uint64_t unconfirmed = 0;  // breaches that a fork showed and its plan, from the beginning, did not: not in `found`
  bool tested = false;          // a run said something about the property
  bool interrupted = false;     // stopped by keep_going or the limit of events: what is here is not all
  std::vector<Found> found;     // each anomaly once, by the first plan that shows it
  std::vector<std::uint32_t> goals;  // reached, ascending: numbers into Search::goals
};

struct SearchOptions {
  int depth = 3;                        // pct: so many ordered steps must meet; one change point less
  std::uint64_t faults_max = 2;         // exhaustive: of a schedule
  std::uint64_t unit_runs = 16;         // coverage: a unit may handle as many events as so many calm runs
  bool merge = true;                    // exhaustive: two schedules in one state go on once
  std::uint64_t event_limit = 20'000'000;  // of one run
  std::function<bool()> keep_going{};   // false ends a unit early
  // Asked of each plan that shows a breach; false: it is none, and a later plan of the unit may still show one.
  // Called from whatever thread the unit runs on.
  std::function<bool(const Scenario& plan, const std::string& anomaly)> counts{};
};

class Search {
 public:
  virtual ~Search() = default;
  // Safe from many threads at once.
  virtual UnitResult unit(std::uint64_t seed) const = 0;
  // What runs are hoped to reach.
  virtual const std::vector<Goal>& goals() const = 0;
  // There are so many units, 0 to total - 1; after them all is tried. Nothing: there is always one more.
  virtual std::optional<std::uint64_t> total() const { return std::nullopt; }
  // Once all units are done, which together decided so many schedules: "all 4,312 schedules of up to 2 faults".
  virtual std::string all_done(std::uint64_t /*schedules*/) const { return {}; }
};

struct SearchDecl {
  std::string name;
  std::string sentence;
};
std::span<const SearchDecl> search_words();

// `name` is one of search_words(). Plans and model must outlive the search. Throws InputError: an unknown name (with the
// nearest right one), an option out of its range.
std::unique_ptr<Search> make_search(const std::string& name, const PlanGenerator& plans, const Model& model, const Property& property, const SearchOptions& options = {});

}  // namespace mqlab
