// sim/hunt/campaign.h: many units of a search, on many threads, into one store.
//
// A unit is one seed on one target; its row is a function of these two. Threads take units in their order (seed by seed, on
// each target) and hand over finished rows; the calling thread alone writes them, a batch a transaction, about ten times a
// second, and tells of them only then. Units that the store has are not made again.
//
// The rule: what a campaign finds depends on which units were made, never on how many threads made them, in which order, or
// how often it was interrupted.
// Elsewhere: what a unit does (search.h), what is kept (store.h), failures told as scenarios (stories.h).
//
//     std::vector<CampaignTarget> targets = ...;
//     Store store(path, manifest_of(targets, said, shard));
//     std::atomic<bool> stop = false;
//     const CampaignEnd end = run_campaign(targets, store, {.stop = &stop, .jobs = 2, .last_seed = 1000});
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/hunt/search.h"
#include "sim/hunt/store.h"

namespace mqlab {

// One way to run one scenario, and how it is searched.
class CampaignTarget {
 public:
  // `base` is without cases (one_case takes one out of several). Throws InputError when something does not fit.
  CampaignTarget(Manifest::Target said, Scenario base, const Model& model, PlanSpace space, const Property& property, const std::string& search, SearchOptions options);

  const Manifest::Target& said() const { return said_; }
  const Model& model() const { return model_; }
  const PlanGenerator& plans() const { return *plans_; }
  const Search& search() const { return *search_; }

 private:
  Manifest::Target said_;
  const Model& model_;
  std::unique_ptr<PlanGenerator> plans_;  // the search holds on to it
  std::unique_ptr<Search> search_;
};
using CampaignTargets = std::vector<CampaignTarget>;

// Of all seeds those that leave the rest `index` when divided by `count`: one of `count` machines' share.
struct Shard {
  std::uint64_t index = 1, count = 1;  // 1 <= index <= count
  std::string text() const;            // "2/4"; "all" when there is one
  bool has(std::uint64_t seed) const { return seed % count == index % count; }
};

Manifest manifest_of(const CampaignTargets& targets, std::vector<std::pair<std::string, std::string>> said, const Shard& shard);

// The row of one unit; nothing when it was cut short because of `stop`. Safe from many threads at once.
std::optional<UnitRow> make_unit(const CampaignTargets& targets, const Manifest& manifest, std::uint64_t seed, std::uint32_t target, const std::atomic<bool>& stop);
// How a breach is kept; one name for all that came about the same way.
UnitBreach breach_of(const Found& f, const Model& model);

// Whether a unit broke the property in a way that is not among the known ones.
bool has_news(const std::vector<UnitBreach>& breaches, const std::set<std::string>& known);

struct CampaignProgress {
  std::uint64_t units = 0, units_total = 0;  // in the store; the total is 0 when only the time limits it
  std::uint64_t made = 0;                    // of these, by this session
  std::uint64_t failing = 0, groups = 0;
  std::uint64_t goals = 0, goals_known = 0;
  double seconds = 0;                        // of this session
};

struct CampaignOptions {
  std::atomic<bool>* stop = nullptr;         // set while threads are to end; the keep_going of the searches reads it too
  std::uint64_t jobs = 1;
  Shard shard{};
  std::uint64_t first_seed = 1;
  std::optional<std::uint64_t> last_seed{};
  double seconds = 0;                        // 0: no limit
  bool stop_at_first = false;                // no unit after the first that fails, in their order, is begun once that is known
  std::set<std::string> known{};             // groups that are no news: who fails as one of these alone does not count as failing
  std::function<bool()> keep_going{};        // asked by the calling thread
  std::function<void(const std::vector<UnitRow>&, const CampaignProgress&)> told{};  // these are in the store now
  std::function<void(std::uint64_t seed, const std::string& target)> begins{};       // on the thread that makes the unit
};

enum class CampaignEnd : std::uint8_t { all_done, time_over, first_found, stopped };

// Requires: `stop` is there, and not set; no other thread uses the store. An exception of a unit ends the campaign; what was finished before is in the store.
CampaignEnd run_campaign(const CampaignTargets& targets, Store& store, const CampaignOptions& options);

// The first finished unit that comes out otherwise when it is made again, by its seed: then this build is another one than that
// which began the campaign, or a run is not deterministic. Looks at one unit a target.
std::optional<std::uint64_t> first_unit_that_differs(const CampaignTargets& targets, const Store& store);

}  // namespace mqlab
