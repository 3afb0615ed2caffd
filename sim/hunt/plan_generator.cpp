#include "sim/hunt/plan_generator.h"

#include <algorithm>
#include <array>

#include "sim/lab/one_run.h"

namespace mqlab {
namespace {

constexpr Duration ms = 1'000'000;

template <class T>
const T& one_of(Random& draws, const std::vector<T>& all) {
  return all[draws.below(all.size())];
}

// What can befall a server without hurting another.
constexpr std::array<FaultKind, 5> server_faults{FaultKind::kill, FaultKind::power, FaultKind::pause, FaultKind::isolate, FaultKind::slow};
constexpr std::array<FaultKind, 4> client_faults{FaultKind::pause, FaultKind::reset_streams, FaultKind::isolate, FaultKind::clog};

}  // namespace

const char* budget_name(FaultBudget b) {
  static constexpr std::array<const char*, 4> names{"none", "one machine", "minority", "anything"};
  return names[static_cast<std::size_t>(b)];
}

PlanGenerator::PlanGenerator(Scenario base, const Model& model, PlanSpace space) : base_(std::move(base)), model_(model), space_(std::move(space)) {
  Deployment d;
  const auto world = build_world(base_, model_, nullptr, {}, d);
  for (NodeId n = 0; n < world->node_count(); ++n) {
    const std::string& name = world->name(n);
    const bool client = std::any_of(d.clients.begin(), d.clients.end(), [&](const ClientSpec& c) { return c.name == name; });
    const bool service = std::any_of(d.services.begin(), d.services.end(), [&](const ServiceSpec& v) { return v.name == name; });
    if (client) clients_.push_back(name);
    else if (!service) servers_.push_back({name, world->node_options(n).role});
  }
  if (space_.from < 0) space_.from = base_.run_for / 10;
  if (space_.until < 0) space_.until = base_.run_for * 6 / 10;
}

Scenario PlanGenerator::draw(std::uint64_t seed) const {
  Scenario plan = one_run(base_, model_, nullptr, {.seed = seed});
  if (!space_.own_faults) plan.faults.clear();
  Random draws(seed, Stream::scenario, 2);
  for (PlannedFault& f : faults(draws)) plan.faults.push_back(std::move(f));
  return plan;
}

std::vector<PlannedFault> PlanGenerator::faults(Random& draws) const {
  std::vector<PlannedFault> all;
  if (space_.budget == FaultBudget::none || space_.faults_max == 0) return all;
  const std::uint64_t count = 1 + draws.below(space_.faults_max);
  // One after the other: each has a slice of the window, and is over before the slice is.
  const Duration slice = (space_.until - space_.from) / static_cast<Duration>(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool server = clients_.empty() || (!servers_.empty() && draws.chance({2, 3}));
    PlannedFault f;
    f.fault.kind = server ? server_faults[draws.below(server_faults.size())] : client_faults[draws.below(client_faults.size())];
    f.fault.groups = {{server ? one_of(draws, servers_).name : one_of(draws, clients_)}};
    if (f.fault.kind == FaultKind::slow) f.fault.ratio = {static_cast<std::uint64_t>(2) << draws.below(6), 1};
    f.trigger.after = space_.from + slice * static_cast<Duration>(i) + draws.between(0, slice / 4);
    if (f.fault.kind != FaultKind::reset_streams) f.fault.duration = std::max<Duration>(ms, draws.between(slice / 20, slice / 2));
    all.push_back(std::move(f));
  }
  return all;
}

}  // namespace mqlab
