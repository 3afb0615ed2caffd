// The search that is led by what its runs reach (search_words(): "coverage").
//
// A unit begins with one plan drawn at random. Its run is watched: whenever it comes into a situation (coverage.h) that is new to
// the unit and not a calm run's, the world of that moment is kept. Then one kept world after the other is forked, those with rarer
// situations more often, and the less the more often it was: in place of the faults that were still to come others are armed,
// beginning about now, and the fork is watched in turn. For that a fault with a time is armed shortly before it; one that waits for
// something is armed from the beginning and goes on waiting. Every few runs a new plan is the root, and so on until the unit has
// handled its share of events.
//
// Where anything may happen, it goes closer. Worlds are kept for what is rare among the runs of the unit, new or not. Every other
// fork has a few faults within a fifth of a second (draw_strikes), for what matters may be decided within a round trip; and since
// it may have been decided before anybody could tell, every other one begins a little earlier than the world that was kept. A mark
// that no run had of those that were looked at beforehand is a close call: worlds that come to it, and some moments after it, are
// forked first, and the first few make the unit's share larger.
//
// A fork's plan is what had come before it and what was armed in it. A breach counts when that plan shows it from its
// beginning (UnitTally::finish_fork).
// Source: the idea of going on from rare states, Böhme et al., Coverage-based Greybox Fuzzing as Markov Chain (CCS 2016).
#include <algorithm>
#include <mutex>
#include <optional>

#include "sim/hunt/search_base.h"

namespace mqlab {
namespace {

constexpr std::size_t kept_max = 24;   // worlds in memory
constexpr std::uint64_t often = 4;            // a world is kept for what was seen in fewer than every fourth run
constexpr std::uint64_t close_calls_max = 4;  // of a unit: so often its share grows by as much as it was
constexpr std::uint64_t close_call_weight = 100'000, close_call_forks = 8;
constexpr std::uint64_t aftermath_moments = 4;  // that are kept after a close call, at most
constexpr std::uint64_t looks = 24;             // plans that are looked at beforehand
constexpr Duration slices = 400;       // of a run: so often it is looked at

bool about_messages(FaultKind k) {
  return k == FaultKind::hold || k == FaultKind::release || k == FaultKind::drop || k == FaultKind::delay || k == FaultKind::duplicate;
}

bool is_client_or_service(const std::string& role) { return role == "client" || role == "producer" || role == "consumer" || is_service_role(role); }

// What is known of the goals before the first unit, by their numbers.
struct Beforehand {
  std::set<std::uint32_t> calm;     // a calm run reaches it
  std::vector<std::uint64_t> seen;  // so many of the plans that were looked at reach it
  std::vector<char> close;          // a close call: none of them does, though it is a mark of the model
  std::vector<char> by_itself;      // a mark of the model, whatever clients are in the middle of
  std::vector<char> of_faults;      // it says what a fault did, and not what came of it
  std::set<std::string> calm_marks; // by name: nothing that a calm run does not have

  explicit Beforehand(const SearchSetup& setup) {
    GoalScan scan(*setup.goals);
    scan.advance(setup.calm_run->world->journal, time_max);
    for (const std::uint32_t g : scan.reached()) calm.insert(g);
    for (const Mark& m : setup.calm_run->world->journal.marks) calm_marks.insert(setup.calm_run->world->journal.names.text(m.name));
    for (const MarkDecl& m : world_marks()) calm_marks.insert(m.name);
    for (const Goal& g : setup.goals->all()) {
      const std::string mark = g.name.substr(0, g.name.find(' '));
      of_faults.push_back(std::any_of(world_marks().begin(), world_marks().end(), [&](const MarkDecl& d) { return d.name == mark; }));
      by_itself.push_back(!of_faults.back() && mark == g.name);
    }
    seen.assign(by_itself.size(), 0);
    close.assign(by_itself.size(), 0);
    if (setup.plans->space().budget != FaultBudget::anything) return;
    for (std::uint64_t seed = 1; seed <= looks; ++seed) {
      const Scenario plan = setup.plans->draw(splitmix64(seed));
      try {
        const RunResult run = run_scenario(plan, *setup.model, nullptr, setup.run_options(plan));
        GoalScan one(*setup.goals);
        one.advance(run.world->journal, time_max);
        for (const std::uint32_t g : one.reached()) ++seen[g];
      } catch (const InputError&) {
        continue;  // a program of the scenario gave up: the unit that has this plan will tell of it
      }
    }
    for (std::size_t g = 0; g < seen.size(); ++g) close[g] = by_itself[g] && seen[g] == 0 && calm.count(static_cast<std::uint32_t>(g)) == 0;
  }
};

class Family {
 public:
  Family(const SearchSetup& setup, const Beforehand& known, std::uint64_t seed)
      : setup_(setup), known_(known), seed_(seed), tally_(setup, seed), draws_(seed, Stream::scenario, 6), hits_(setup.goals->all().size()),
        bold_(setup.plans->space().budget == FaultBudget::anything && setup.plans->space().faults_max > 0) {
    from_ = setup.plans->ground().from;
    until_ = setup.plans->ground().until;
  }

  UnitResult work() {
    const std::uint64_t share = setup_.options.unit_runs * std::max<std::uint64_t>(1, setup_.calm_run->events);
    do {
      if (kept_.empty() || draws_.chance(bold_ ? Ratio{1, 4} : Ratio{1, 6})) root();
      else fork();
    } while (tally_.events() < share * (1 + std::min(close_calls_, close_calls_max)) && !tally_.stopped());
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
    std::size_t marks = 0;         // of its journal that were looked at
    std::uint64_t aftermath = 0;   // so many more moments are kept, after a close call
  };
  struct Kept {
    Member member;
    std::shared_ptr<const Member> begun;  // the same run where it became one of its own
    std::vector<std::uint32_t> goals;     // for which it was kept
    std::uint64_t close = 0;              // so many forks it has before all others: of a close call, or after one
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
    const bool strike = bold_ && draws_.chance({1, 2});
    Kept& k = choose(strike);
    ++k.forks;
    const Time there = k.member.run.world().now();
    Member m = k.member;
    const Time earlier = bold_ ? there - slice() * static_cast<Duration>(1 + draws_.below(3)) : there;
    if (bold_ && draws_.chance({1, 2}) && earlier > k.begun->run.world().now()) {
      m = Member(*k.begun);
      const std::uint64_t steps = m.run.world().steps();
      if (!go_to(m, earlier)) return;
      tally_.handled(m.run.world().steps() - steps);
    }
    std::vector<PlannedFault> still = std::move(m.to_come);
    std::erase_if(still, [&](const PlannedFault& f) { return !ends_one_of(m.armed, f); });
    m.to_come = strike ? strikes(m) : others(m);
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

  Duration slice() const { return std::max<Duration>(1, setup_.plans->base().run_for / slices); }

  // False: it was stopped on the way.
  bool go_to(Member& m, Time t) {
    for (Time next = (m.run.world().now() / slice() + 1) * slice(); next <= t; next += slice()) {
      arm(m, next);
      if (!m.run.run_to(next)) return false;
      (void)m.scan.advance(m.run.world().journal, next);
    }
    return true;
  }

  // Whether the journal has something new that is not of every day.
  bool tells(Member& m) const {
    const Journal& j = m.run.world().journal;
    bool any = false;
    for (; m.marks < j.marks.size(); ++m.marks) any = any || known_.calm_marks.count(j.names.text(j.marks[m.marks].name)) == 0;
    return any;
  }

  // Runs it to its end, and keeps the world wherever it came into something new.
  void watch(Member m) {
    const std::uint64_t steps = m.run.world().steps();
    const auto begun = std::make_shared<const Member>(m);
    for (Time t = (m.run.world().now() / slice() + 1) * slice(); t <= until_; t += slice()) {
      arm(m, t);
      if (!m.run.run_to(t)) break;
      std::vector<std::uint32_t> fresh = m.scan.advance(m.run.world().journal, t);
      const bool close = std::any_of(fresh.begin(), fresh.end(), [&](std::uint32_t g) { return known_.close[g] != 0; });
      std::erase_if(fresh, [&](std::uint32_t g) {
        if (!bold_) return known_.calm.count(g) > 0 || !tally_.reach(g);
        tally_.reach(g);
        return known_.calm.count(g) > 0 || hits_[g] * often > runs_;
      });
      const bool told = tells(m);
      if (t < from_) continue;
      if (close) {
        ++close_calls_;
        m.aftermath = aftermath_moments;
      }
      const bool after = !close && told && m.aftermath > 0;
      if (after) --m.aftermath;
      if (!fresh.empty() || close || after) keep({m, begun, std::move(fresh), close || after ? close_call_forks : 0, 0});
    }
    arm(m, time_max);
    const Scenario plan = plan_of(m);
    ++runs_;
    for (const std::uint32_t g : tally_.finish_fork(std::move(m.run), plan, steps)) ++hits_[g];
  }

  Scenario plan_of(const Member& m) const {
    Scenario plan = *m.root;
    plan.faults = m.armed;
    return plan;
  }

  // Strikes are for what happened, whoever was in the middle of something.
  std::uint64_t weight(const Kept& k, bool strike = false) const {
    if (k.forks < k.close) return close_call_weight;
    std::uint64_t sum = 0;
    for (const std::uint32_t g : k.goals)
      if (!strike) sum += (bold_ && known_.of_faults[g] ? 250 : 1'000) / std::max<std::uint64_t>(1, hits_[g]);
      else if (known_.by_itself[g]) sum += 10 * (looks * looks) / ((1 + known_.seen[g]) * (1 + known_.seen[g]));
    return 1 + sum / (1 + k.forks);
  }

  // When there is no room, in the place of the one that is worth least.
  void keep(Kept k) {
    if (kept_.size() < kept_max) return kept_.push_back(std::move(k));
    if (!bold_) return;
    const auto least = std::min_element(kept_.begin(), kept_.end(), [&](const Kept& a, const Kept& b) { return weight(a) < weight(b); });
    if (weight(*least) < weight(k)) *least = std::move(k);
  }

  Kept& choose(bool strike) {
    std::vector<std::uint64_t> upto;
    std::uint64_t sum = 0;
    for (const Kept& k : kept_) upto.push_back(sum += weight(k, strike));
    const std::uint64_t at = draws_.below(sum);
    return kept_[static_cast<std::size_t>(std::upper_bound(upto.begin(), upto.end(), at) - upto.begin())];
  }

  // A few faults from now on that come close together.
  std::vector<PlannedFault> strikes(const Member& m) {
    std::vector<PlannedFault> all = setup_.plans->strikes(m.root->seed.value_or(1), draws_);
    const World& w = m.run.world();
    for (PlannedFault& f : all) f.trigger.after += w.now() + 1;
    const Time well = servers_well(m);
    std::erase_if(all, [&](const PlannedFault& f) { return f.trigger.after > until_ || (harms_server(w, f.fault) && f.trigger.after < well); });
    return all;
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
      } else {
        f.trigger.after = std::max<Time>(f.trigger.after, from_);  // what was there from the beginning is new here
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
  const Beforehand& known_;
  const std::uint64_t seed_;
  UnitTally tally_;
  Random draws_;
  std::vector<Kept> kept_;
  std::vector<std::uint64_t> hits_;  // runs of the unit that reached a goal
  std::uint64_t runs_ = 0, roots_ = 0, close_calls_ = 0;
  const bool bold_;  // anything may happen
  Time from_ = 0, until_ = 0;
};

class GuidedSearch : public SearchBase {
 public:
  using SearchBase::SearchBase;
  UnitResult unit(std::uint64_t seed) const override {
    std::call_once(looked_, [&] { known_.emplace(setup_); });
    return Family(setup_, *known_, seed).work();
  }

 private:
  mutable std::once_flag looked_;
  mutable std::optional<Beforehand> known_;
};

}  // namespace

std::unique_ptr<Search> make_guided_search(const SearchSetup& setup) { return std::make_unique<GuidedSearch>(setup); }

}  // namespace mqlab
