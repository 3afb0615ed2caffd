// The search that is led by what its runs reach (search_words(): "coverage").
//
// A unit begins with one plan drawn at random. Its run is watched: whenever it comes into a situation (coverage.h) that is new to
// the unit and not a calm run's, the world of that moment is kept. Then one kept world after the other is forked: in place of
// the faults that were still to come others are armed, beginning about now, and the fork is watched in turn. For that a fault
// with a time is armed shortly before it; one that waits for something is armed from the beginning and goes on waiting.
// A world is chosen the more often the rarer the situations are for which it was kept, and the less it was forked already.
// Every few runs a new plan is the root, and so on until the unit has handled its share of events.
//
// A fork's plan is what had come before it and what was armed in it. A breach counts when that plan shows it from its
// beginning (UnitTally::finish_fork).
// Source: the idea of going on from rare states, Böhme et al., Coverage-based Greybox Fuzzing as Markov Chain (CCS 2016).
#include <algorithm>

#include "sim/hunt/search_base.h"

namespace mqlab {
namespace {

constexpr std::size_t kept_max = 24;   // worlds in memory
constexpr Duration slices = 400;       // of a run: so often it is looked at

bool about_messages(FaultKind k) {
  return k == FaultKind::hold || k == FaultKind::release || k == FaultKind::drop || k == FaultKind::delay || k == FaultKind::duplicate;
}

bool is_client_or_service(const std::string& role) { return role == "client" || role == "producer" || role == "consumer" || is_service_role(role); }

class Family {
 public:
  Family(const SearchSetup& setup, const std::set<std::uint32_t>& calm, std::uint64_t seed)
      : setup_(setup), calm_(calm), seed_(seed), tally_(setup, seed), draws_(seed, Stream::scenario, 6), hits_(setup.goals->all().size()) {
    from_ = setup.plans->ground().from;
    until_ = setup.plans->ground().until;
  }

  UnitResult work() {
    const std::uint64_t share = setup_.options.unit_runs * std::max<std::uint64_t>(1, setup_.calm_run->events);
    do {
      if (kept_.empty() || draws_.chance({1, 6})) root();
      else fork();
    } while (tally_.events() < share && !tally_.stopped());
    return tally_.take();
  }

 private:
  // A run, the plan that it was built from (to which it points), and that plan's and its own faults.
  struct Member {
    std::shared_ptr<const Scenario> root;
    LiveRun run;
    GoalScan scan;
    std::vector<PlannedFault> armed;
    std::vector<PlannedFault> to_come{};
  };
  struct Kept {
    Member member;
    std::vector<std::uint32_t> goals;  // for which it was kept
    std::uint64_t forks = 0;
  };

  void root() {
    const std::uint64_t seed = roots_++ == 0 ? seed_ : splitmix64(seed_ ^ splitmix64(roots_));
    auto plan = std::make_shared<Scenario>(setup_.plans->draw(seed));
    std::vector<PlannedFault> to_come;
    std::erase_if(plan->faults, [&](const PlannedFault& f) {
      if (f.trigger.on != Trigger::On::time) return false;
      to_come.push_back(f);
      return true;
    });
    watch({plan, LiveRun(*plan, *setup_.model, nullptr, setup_.run_options(*plan)), GoalScan(*setup_.goals), plan->faults, std::move(to_come)});
  }

  void fork() {
    Kept& k = choose();
    ++k.forks;
    Member m = k.member;
    std::vector<PlannedFault> still = std::move(m.to_come);
    std::erase_if(still, [&](const PlannedFault& f) { return !ends_one_of(m.armed, f); });
    m.to_come = others(m);
    m.to_come.insert(m.to_come.begin(), still.begin(), still.end());
    watch(std::move(m));
  }

  // It ends what a command of these began ("memory_alarm off"): whoever lets that happen must let it end.
  static bool ends_one_of(const std::vector<PlannedFault>& all, const PlannedFault& f) {
    return f.fault.kind == FaultKind::command && std::any_of(all.begin(), all.end(), [&](const PlannedFault& o) {
      return o.fault.kind == FaultKind::command && o.fault.verb == f.fault.verb && o.fault.groups == f.fault.groups && o.fault.argument != f.fault.argument &&
             o.trigger.after <= f.trigger.after;
    });
  }

  // Arms what comes at or before t.
  static void arm(Member& m, Time t) {
    for (const PlannedFault& f : m.to_come)
      if (f.trigger.after <= t) {
        m.run.world().arm(f.fault, f.trigger);
        m.armed.push_back(f);
      }
    std::erase_if(m.to_come, [&](const PlannedFault& f) { return f.trigger.after <= t; });
  }

  // Runs it to its end, and keeps the world wherever it came into something new.
  void watch(Member m) {
    const std::uint64_t steps = m.run.world().steps();
    const Duration slice = std::max<Duration>(1, m.root->run_for / slices);
    for (Time t = (m.run.world().now() / slice + 1) * slice; t <= until_; t += slice) {
      arm(m, t);
      if (!m.run.run_to(t)) break;
      std::vector<std::uint32_t> fresh = m.scan.advance(m.run.world().journal, t);
      std::erase_if(fresh, [&](std::uint32_t g) { return calm_.count(g) > 0 || !tally_.reach(g); });
      if (!fresh.empty() && t >= from_ && kept_.size() < kept_max) kept_.push_back({m, std::move(fresh), 0});
    }
    arm(m, time_max);
    const Scenario plan = plan_of(m);
    for (const std::uint32_t g : tally_.finish_fork(std::move(m.run), plan, steps)) ++hits_[g];
  }

  Scenario plan_of(const Member& m) const {
    Scenario plan = *m.root;
    plan.faults = m.armed;
    return plan;
  }

  Kept& choose() {
    std::vector<std::uint64_t> upto;
    std::uint64_t sum = 0;
    for (const Kept& k : kept_) {
      std::uint64_t weight = 0;
      for (const std::uint32_t g : k.goals) weight += 1'000 / std::max<std::uint64_t>(1, hits_[g]);
      upto.push_back(sum += 1 + weight / (1 + k.forks));
    }
    const std::uint64_t at = draws_.below(sum);
    return kept_[static_cast<std::size_t>(std::upper_bound(upto.begin(), upto.end(), at) - upto.begin())];
  }

  // The faults of another plan, moved so that the first of them comes about now. What would wait for something waits no more:
  // it has happened. Below `anything` no server comes to harm before the last one has been well for a while.
  std::vector<PlannedFault> others(const Member& m) {
    const World& w = m.run.world();
    std::vector<PlannedFault> all = setup_.plans->draw(draws_.next()).faults;
    const std::size_t own = setup_.plans->space().own_faults ? std::min(all.size(), setup_.plans->base().faults.size()) : 0;
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(own));
    const Time now = w.now() + 1;
    for (PlannedFault& f : all)
      if (f.trigger.on != Trigger::On::time) {
        const Duration after = f.trigger.after;
        f.trigger = at(from_ + after);
      }
    Time first = time_max;
    for (const PlannedFault& f : all) first = std::min<Time>(first, f.trigger.after);
    const Time well = servers_well(m);
    const bool wait = well < until_ && draws_.chance({1, 2});
    const Time begin = (wait ? std::max(now, well) : now) + draws_.between(0, std::max<Duration>(1, (until_ - from_) >> (1 + draws_.below(8))));
    for (PlannedFault& f : all) {
      f.trigger.after += begin - first;
      if (ends_one_of(all, f)) f.trigger.after = std::min(f.trigger.after, until_);
    }
    std::erase_if(all, [&](const PlannedFault& f) { return f.trigger.after > until_ || (harms_server(w, f.fault) && f.trigger.after < well); });
    return all;
  }

  // Whom a fault names that is no client: a server, or a role.
  static bool harms_server(const World& w, const Fault& f) {
    if (about_messages(f.kind) || f.kind == FaultKind::command) return false;
    bool any = false;
    for (const auto& group : f.groups)
      for (const Target& t : group) {
        const NodeId n = w.find(t);
        any = any || n == nobody || !is_client_or_service(w.node_options(n).role);
      }
    return any;
  }
  // When every server that a fault has harmed so far will have been well for half as long as it was not; time_max: who knows,
  // as when a fault still waits for something.
  Time servers_well(const Member& m) const {
    const World& w = m.run.world();
    if (setup_.plans->space().budget == FaultBudget::anything) return 0;
    Time well = 0;
    for (const ArmedFault& f : w.faults()) {
      if (!harms_server(w, f.fault)) continue;
      const FaultKind kind = f.fault.kind;
      const bool has_end = std::string_view(fault_decl(kind).fields).find("duration") != std::string_view::npos;
      const bool open = f.fired == 0 || (has_end && f.fault.duration == 0) || kind == FaultKind::rolling_restart || kind == FaultKind::swizzle_clog;
      well = std::max(well, open ? time_max : f.fired_at + f.fault.duration * 3 / 2);
    }
    return well;
  }

  const SearchSetup& setup_;
  const std::set<std::uint32_t>& calm_;
  const std::uint64_t seed_;
  UnitTally tally_;
  Random draws_;
  std::vector<Kept> kept_;
  std::vector<std::uint64_t> hits_;  // runs of the unit that reached a goal
  std::uint64_t roots_ = 0;
  Time from_ = 0, until_ = 0;
};

class GuidedSearch : public SearchBase {
 public:
  explicit GuidedSearch(const SearchSetup& setup) : SearchBase(setup) {
    GoalScan scan(*setup_.goals);
    scan.advance(setup_.calm_run->world->journal, time_max);
    for (const std::uint32_t g : scan.reached()) calm_.insert(g);
  }
  UnitResult unit(std::uint64_t seed) const override { return Family(setup_, calm_, seed).work(); }

 private:
  std::set<std::uint32_t> calm_;
};

}  // namespace

std::unique_ptr<Search> make_guided_search(const SearchSetup& setup) { return std::make_unique<GuidedSearch>(setup); }

}  // namespace mqlab
