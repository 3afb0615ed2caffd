#include "sim/hunt/exhaustive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "sim/hunt/search_base.h"
#include "sim/hunt/state_hash.h"
#include "sim/hunt/victims.h"
#include "sim/lab/live_run.h"
#include "sim/lab/nearest.h"

namespace mqlab {
namespace {

constexpr std::array server_list{FaultKind::kill, FaultKind::power, FaultKind::isolate};
constexpr std::array message_list{FaultKind::drop, FaultKind::delay, FaultKind::duplicate};

bool is_message(const Delivery& d) {
  const auto kind = static_cast<EventKind>(d.event.kind);
  return kind == EventKind::data || kind == EventKind::datagram;
}

}  // namespace

FaultChoices::FaultChoices(const PlanGenerator& plans, const RunResult& calm) : budget_(plans.space().budget), messages_(plans.space().messages) {
  const World& w = *calm.world;
  const NodeId nodes = w.find("R") == nobody ? static_cast<NodeId>(w.node_count()) : w.find("R");
  for (NodeId n = 0; n < nodes; ++n) {
    const std::string& name = w.name(n);
    const auto is = [&](const auto& spec) { return spec.name == name; };
    const Deployment& d = calm.deployment;
    server_.push_back(std::none_of(d.clients.begin(), d.clients.end(), is) && std::none_of(d.services.begin(), d.services.end(), is));
    roles_.push_back(w.node_options(n).role);
  }
  const std::vector<std::string>& wanted = plans.space().kinds;
  std::vector<std::string> known;
  const auto choose = [&](const auto& list, std::vector<FaultKind>& kinds) {
    for (const FaultKind k : list) {
      known.push_back(fault_decl(k).name);
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), known.back()) != wanted.end()) kinds.push_back(k);
    }
  };
  choose(server_list, server_kinds_);
  choose(message_list, message_kinds_);
  for (const std::string& k : wanted)
    if (std::find(known.begin(), known.end(), k) == known.end())
      throw InputError(plans.base().path, 0, fmt::format("an exhaustive search has no fault `{}`{}: it has kill, power, isolate, drop, delay, duplicate", k, did_you_mean(k, known)));
  const Duration run_for = plans.base().run_for;
  from_ = std::max<Time>(0, plans.space().from);
  until_ = plans.space().until < 0 ? run_for : std::min(run_for, plans.space().until);
  trouble_ = std::max<Duration>(1, run_for / 5);
  late_ = std::max<Duration>(1, run_for / 10);
}

void FaultChoices::of_server(std::vector<FaultChoice>& all, const World& w, NodeId server, Time at) const {
  for (const FaultKind kind : server_kinds_) {
    FaultChoice c;
    c.fault.fault.kind = kind;
    c.fault.fault.groups = {{w.name(server)}};
    c.fault.fault.duration = trouble_;
    c.fault.trigger.after = c.at = at;
    c.server = server;
    c.well = at + trouble_ + trouble_ / 2;
    all.push_back(std::move(c));
  }
}

// The rule is in force from just before the handler that sends the message, and takes the n-th from there on.
void FaultChoices::of_message(std::vector<FaultChoice>& all, const RunResult& run) const {
  if (message_kinds_.empty()) return;
  const World& w = *run.world;
  std::map<EventId, Time> handled;
  for (const Delivery& d : w.journal.deliveries) handled.emplace(d.event.id, d.time);
  struct Sent {
    MessageKind kind{};
    NodeId from{}, to{};
    Time at{};
    EventId id{};
  };
  std::vector<Sent> sent;
  for (const Delivery& d : w.journal.deliveries) {
    if (!is_message(d) || d.event.source >= server_.size() || d.event.target >= server_.size()) continue;
    const std::string name = w.journal.kind_name(d.event.type);
    if (!messages_.empty() && std::find(messages_.begin(), messages_.end(), name) == messages_.end()) continue;
    const auto cause = handled.find(d.event.cause);
    sent.push_back({d.event.type, d.event.source, d.event.target, cause == handled.end() ? static_cast<Time>(d.event.body[2]) : cause->second, d.event.id});
  }
  std::sort(sent.begin(), sent.end(), [](const Sent& a, const Sent& b) { return std::tie(a.kind, a.from, a.to, a.at, a.id) < std::tie(b.kind, b.from, b.to, b.at, b.id); });
  std::uint64_t nth = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const Sent& s = sent[i];
    const bool with_last = i > 0 && std::tie(sent[i - 1].kind, sent[i - 1].from, sent[i - 1].to, sent[i - 1].at) == std::tie(s.kind, s.from, s.to, s.at);
    nth = with_last ? nth + 1 : 1;
    for (const FaultKind kind : message_kinds_) {
      FaultChoice c;
      c.fault.fault.kind = kind;
      c.fault.fault.message = w.journal.kind_name(s.kind);
      c.fault.fault.groups = {{w.name(s.from)}, {w.name(s.to)}};
      c.fault.fault.nth = nth;
      if (kind != FaultKind::drop) c.fault.fault.amount = late_;
      c.fault.trigger.after = c.at = std::max<Time>(0, s.at - 1);
      c.well = c.at;
      all.push_back(std::move(c));
    }
  }
}

bool FaultChoices::allowed(const std::vector<FaultChoice>& before, const FaultChoice& next) const {
  if (next.server == nobody || budget_ == FaultBudget::anything) return true;
  std::set<NodeId> ill{next.server};
  for (const FaultChoice& b : before)
    if (b.server != nobody && next.at < b.well) ill.insert(b.server);
  if (budget_ == FaultBudget::one_machine) return ill.size() == 1;
  const std::string& role = roles_[next.server];
  const auto of_role = [&](NodeId n) { return roles_[n] == role; };
  std::size_t all = 0;
  for (NodeId n = 0; n < server_.size(); ++n) all += server_[n] && of_role(n) ? 1 : 0;
  return static_cast<std::size_t>(std::count_if(ill.begin(), ill.end(), of_role)) <= minority_of(all);
}

namespace {

// Among faults of one moment, so that two of them make one schedule and not two.
auto rank(const FaultChoice& c) { return std::tie(c.fault.fault.kind, c.fault.fault.message, c.fault.fault.groups, c.fault.fault.nth); }

}  // namespace

std::vector<FaultChoice> FaultChoices::in(const RunResult& run, const std::vector<FaultChoice>& before) const {
  std::vector<FaultChoice> all;
  if (budget_ == FaultBudget::none) return all;
  const World& w = *run.world;
  std::set<std::pair<Time, NodeId>> points;
  for (const Delivery& d : w.journal.deliveries) {
    if (!is_message(d)) continue;
    for (const NodeId n : {d.event.source, d.event.target})
      if (n < server_.size() && server_[n]) {
        points.insert({std::max<Time>(0, d.time - 1), n});
        points.insert({d.time + 1, n});
      }
  }
  for (const auto& [at, server] : points) of_server(all, w, server, at);
  of_message(all, run);
  const Time end = std::min(until_, run.workload_ended - 1);
  const auto later = [](const FaultChoice& a, const FaultChoice& b) { return a.at != b.at ? a.at > b.at : rank(a) > rank(b); };
  std::erase_if(all, [&](const FaultChoice& c) { return c.at < from_ || c.at > end || (!before.empty() && !later(c, before.back())) || !allowed(before, c); });
  // A message that one rule has taken is not seen by the next one.
  for (FaultChoice& c : all)
    for (const FaultChoice& b : before)
      if (b.at == c.at && b.server == nobody && b.fault.fault.kind != FaultKind::drop && b.fault.fault.message == c.fault.fault.message &&
          b.fault.fault.groups == c.fault.fault.groups && b.fault.fault.nth < c.fault.fault.nth)
        --c.fault.fault.nth;
  std::stable_sort(all.begin(), all.end(), [](const FaultChoice& a, const FaultChoice& b) { return a.at < b.at; });
  return all;
}

// ---------------------------------------------------------------------------------------------
// The search.

namespace {

// 4312 -> "4,312"
std::string grouped(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (std::size_t i = out.size(); i > 3; i -= 3) out.insert(i - 3, ",");
  return out;
}

constexpr int looks = 32;  // times in a run at which states are compared

class ExhaustiveSearch : public SearchBase {
 public:
  explicit ExhaustiveSearch(const SearchSetup& setup) : SearchBase(setup), choices_(*setup.plans, *setup.calm_run), first_(choices_.in(*setup.calm_run, {})) {
    if (setup_.options.faults_max == 0) first_.clear();
    calm_ = one_run(setup_.plans->base(), *setup_.model, nullptr, {.seed = setup_.plans->base().seed.value_or(1)});
    calm_.faults.clear();
  }

  std::optional<std::uint64_t> total() const override { return first_.size() + 1; }
  std::string all_done(std::uint64_t schedules) const override {
    return fmt::format("all {} schedules of up to {} fault{}", grouped(schedules), setup_.options.faults_max, setup_.options.faults_max == 1 ? "" : "s");
  }

  UnitResult unit(std::uint64_t seed) const override {
    UnitTally tally(setup_, seed);
    if (seed == 0) tally.run(calm_);
    else if (seed <= first_.size()) from_the_beginning(tally, {first_[seed - 1]});
    return tally.take();
  }

 private:
  using Seen = std::set<std::pair<Time, StateHash>>;

  Scenario plan_with(const std::vector<FaultChoice>& faults) const {
    Scenario plan = calm_;
    for (const FaultChoice& c : faults) plan.faults.push_back(c.fault);
    return plan;
  }

  // A schedule that has room for more is run twice: to its end, to see what else may befall it, and as the world that is
  // carried along. The second time at the lower trace level, since that world is copied often.
  void from_the_beginning(UnitTally& tally, const std::vector<FaultChoice>& faults) const {
    const Scenario plan = plan_with(faults);
    if (faults.size() >= setup_.options.faults_max) {
      tally.run(plan);
      return;
    }
    LiveRun here(plan, *setup_.model, nullptr, setup_.run_options(plan));
    here.run_to(faults.back().at);
    extend(tally, faults, here, plan);
  }

  // All schedules that begin with these faults. `here` is the world with them, as of the last one.
  void extend(UnitTally& tally, const std::vector<FaultChoice>& faults, const LiveRun& here, const Scenario& plan) const {
    RunOptions options = setup_.run_options(plan);
    options.trace = TraceLevel::full;
    const auto run = tally.run(plan, options);
    if (run->interrupted) return;
    LiveRun carried(here);
    const std::uint64_t steps = carried.world().steps();
    const bool last = faults.size() + 1 == setup_.options.faults_max;
    Seen seen;
    if (last && setup_.options.merge) remember(seen, here);
    for (const FaultChoice& c : choices_.in(*run, faults)) {
      if (tally.stopped()) return;
      if (!carried.run_to(c.at - 1)) return;
      LiveRun fork(carried);
      fork.world().arm(c.fault.fault, c.fault.trigger);
      std::vector<FaultChoice> more = faults;
      more.push_back(c);
      const Scenario longer = plan_with(more);
      if (!last) {
        fork.run_to(c.at);
        extend(tally, more, fork, longer);
      } else {
        const std::uint64_t before = fork.world().steps();
        if (setup_.options.merge && been_here(tally, seen, fork, c)) tally.merged(fork.world().steps() - before);
        else tally.finish_fork(std::move(fork), longer, before);
      }
    }
    tally.handled(carried.world().steps() - steps);
  }

  Duration look() const { return std::max<Duration>(1, calm_.run_for / looks); }

  // The states of the run itself, for faults that change nothing.
  void remember(Seen& seen, const LiveRun& here) const {
    LiveRun on(here);
    for (Time t = (on.world().now() / look() + 1) * look(); t < calm_.run_for; t += look()) {
      if (!on.run_to(t)) return;
      seen.insert({t, state_hash(on.world())});
    }
  }

  // Runs on until the state is one that was seen, at a time when the last fault is over; false at the end of the load.
  bool been_here(UnitTally& tally, Seen& seen, LiveRun& fork, const FaultChoice& last) const {
    const Time over = last.at + std::max(choices_.trouble(), choices_.late());
    std::vector<std::pair<Time, StateHash>> mine;
    for (Time t = (over / look() + 1) * look(); t < calm_.run_for; t += look()) {
      if (tally.stopped() || !fork.run_to(t)) return false;
      mine.push_back({t, state_hash(fork.world())});
      if (seen.count(mine.back()) > 0) return true;
    }
    seen.insert(mine.begin(), mine.end());
    return false;
  }

  FaultChoices choices_;
  std::vector<FaultChoice> first_;
  Scenario calm_;
};

}  // namespace

std::unique_ptr<Search> make_exhaustive_search(const SearchSetup& setup) { return std::make_unique<ExhaustiveSearch>(setup); }

}  // namespace mqlab
