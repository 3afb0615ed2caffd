#include "sim/hunt/why.h"

#include <algorithm>

#include "sim/hunt/shrink.h"

namespace mqlab {
namespace {

// What of a plan is in: by place in its lists.
struct Chosen {
  std::vector<bool> faults, clients;
};

Scenario only(const Scenario& plan, const Model& model, const Chosen& in) {
  Scenario s = plan;
  // From the last to the first, so that what comes before keeps its place.
  for (std::size_t i = in.faults.size(); i-- > 0;)
    if (!in.faults[i]) s.faults.erase(s.faults.begin() + static_cast<std::ptrdiff_t>(i));
  for (std::size_t i = in.clients.size(); i-- > 0;)
    if (!in.clients[i]) s = *without(s, model, {Element::Kind::client, i, {}});
  return s;
}

}  // namespace

SliceCheck run_alone(const Scenario& plan, const Model& model, const Slice& slice, const World& world, const OrdinaryMarks& ordinary, const std::function<bool()>& keep_going) {
  Chosen in{std::vector<bool>(plan.faults.size(), false), std::vector<bool>(plan.deployment.clients.size(), false)};
  for (const std::size_t f : slice.faults)
    if (f < in.faults.size()) in.faults[f] = true;
  for (std::size_t c = 0; c < in.clients.size(); ++c)
    in.clients[c] = std::binary_search(slice.nodes.begin(), slice.nodes.end(), world.find(plan.deployment.clients[c].name));

  SliceCheck check;
  const auto same = [&] {
    ++check.runs;
    check.alone = only(plan, model, in);
    try {
      RunOptions o;
      o.seed = plan.seed.value_or(1);
      o.keep_going = keep_going;
      const RunResult r = run_scenario(check.alone, model, nullptr, o);
      return !r.interrupted && shows(r, slice.mechanism.anomaly) && same_story(slice.mechanism, mechanism_of(r, slice.mechanism.anomaly, ordinary.routine));
    } catch (const InputError&) {
      return false;  // a fault without the client that it waits for
    }
  };
  const auto stopped = [&] { return keep_going && !keep_going(); };
  check.shown = same();
  // Clients first, since what is missing is most often somebody who sends or reads; then the faults in their order.
  for (std::size_t c = 0; c < in.clients.size() && !check.shown && !stopped(); ++c) {
    if (in.clients[c]) continue;
    in.clients[c] = true;
    check.added.push_back("client " + plan.deployment.clients[c].name);
    check.shown = same();
  }
  for (std::size_t f = 0; f < in.faults.size() && !check.shown && !stopped(); ++f) {
    if (in.faults[f]) continue;
    in.faults[f] = true;
    check.added.push_back(describe(plan.faults[f].fault));
    check.shown = same();
  }
  for (std::size_t f = 0; f < in.faults.size(); ++f)
    if (!in.faults[f]) check.left_out.push_back(describe(plan.faults[f].fault));
  for (std::size_t c = 0; c < in.clients.size(); ++c)
    if (!in.clients[c]) check.left_out.push_back("client " + plan.deployment.clients[c].name);
  return check;
}

}  // namespace mqlab
