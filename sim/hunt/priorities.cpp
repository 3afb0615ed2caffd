#include "sim/hunt/priorities.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "sim/hunt/search_base.h"

namespace mqlab {
namespace {

// How far two priorities that follow each other lie apart.
constexpr std::array<Duration, 5> gaps{100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

PlannedFault slower(const std::string& node, Duration amount) {
  PlannedFault f;
  f.fault.kind = FaultKind::latency;
  f.fault.groups = {{}, {node}};
  f.fault.amount = amount;
  return f;
}

}  // namespace

PrioritySchedules::PrioritySchedules(const PlanGenerator& plans, const RunResult& calm, int depth)
    : plans_(&plans), depth_(depth), latency_(calm.world->options().link.latency) {
  const World& w = *calm.world;
  // The drain's reader is in no plan.
  const NodeId nodes = w.find("R") == nobody ? static_cast<NodeId>(w.node_count()) : w.find("R");
  for (NodeId n = 0; n < nodes; ++n) names_.push_back(w.name(n));
  for (MessageKind k = 0; k < w.journal.messages.size(); ++k) kinds_.push_back(w.journal.messages[k].name);

  std::map<std::tuple<MessageKind, NodeId, NodeId>, std::uint32_t> numbers;
  std::vector<std::uint64_t> seen;
  for (const Delivery& d : w.journal.deliveries) {
    const auto kind = static_cast<EventKind>(d.event.kind);
    if (kind != EventKind::data && kind != EventKind::datagram) continue;
    if (d.time > calm.workload_ended || d.event.target >= nodes || d.event.source >= nodes) continue;
    if (d.event.type >= kinds_.size() || kinds_[d.event.type].empty()) continue;
    const auto [it, fresh] = numbers.try_emplace({d.event.type, d.event.source, d.event.target}, static_cast<std::uint32_t>(streams_.size()));
    if (fresh) {
      streams_.push_back({d.event.type, d.event.source, d.event.target});
      seen.push_back(0);
      if (std::find(receivers_.begin(), receivers_.end(), d.event.target) == receivers_.end()) receivers_.push_back(d.event.target);
    }
    steps_.push_back({it->second, ++seen[it->second]});
  }
  std::sort(receivers_.begin(), receivers_.end());
}

Scenario PrioritySchedules::draw(std::uint64_t seed) const {
  Scenario plan = plans_->draw(seed);
  Random draws(seed, Stream::scenario, 5);
  if (draws.chance({1, 2})) plan.faults = plans_->space().own_faults ? drawn_faults(plans_->base(), nullptr, seed) : std::vector<PlannedFault>{};
  const Duration gap = gaps[draws.below(gaps.size())];
  // A smaller cluster lacks some of the servers that the calm run had.
  const auto lacks = [here = &plans_->ground(seed), all = &plans_->ground()](const std::string& name) {
    const auto in = [&](const Ground& g) { return std::any_of(g.servers.begin(), g.servers.end(), [&](const Ground::Server& s) { return s.name == name; }); };
    return here != all && in(*all) && !in(*here);
  };
  std::vector<NodeId> order = receivers_;
  std::erase_if(order, [&](NodeId n) { return lacks(names_[n]); });
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draws.below(i)]);
  for (std::size_t rank = 1; rank < order.size(); ++rank) plan.faults.push_back(slower(names_[order[rank]], latency_ + gap * static_cast<Duration>(rank)));
  // Who is lowered later comes after those who were lowered before.
  for (int change = 0; change + 1 < depth_ && !steps_.empty(); ++change) {
    const Step& step = steps_[draws.below(steps_.size())];
    const MessageStream& m = streams_[step.stream];
    if (lacks(names_[m.from]) || lacks(names_[m.to])) continue;  // no such message either
    PlannedFault f = slower(names_[m.to], latency_ + gap * static_cast<Duration>(order.size() + static_cast<std::size_t>(change)));
    f.trigger.on = Trigger::On::message_delivered;
    f.trigger.name = kinds_[m.kind];
    f.trigger.from = names_[m.from];
    f.trigger.to = names_[m.to];
    f.trigger.nth = step.nth;
    plan.faults.push_back(std::move(f));
  }
  return plan;
}

// ---------------------------------------------------------------------------------------------

namespace {

class PrioritySearch : public SearchBase {
 public:
  explicit PrioritySearch(const SearchSetup& setup) : SearchBase(setup), schedules_(*setup.plans, *setup.calm_run, setup.options.depth) {}
  UnitResult unit(std::uint64_t seed) const override {
    UnitTally tally(setup_, seed);
    tally.run(schedules_.draw(seed));
    return tally.take();
  }

 private:
  PrioritySchedules schedules_;
};

}  // namespace

std::unique_ptr<Search> make_priority_search(const SearchSetup& setup) { return std::make_unique<PrioritySearch>(setup); }

}  // namespace mqlab
