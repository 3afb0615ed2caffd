#include "sim/hunt/counterfactual.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/hunt/plan_elements.h"
#include "sim/hunt/statistics.h"

namespace mqlab {
namespace {

constexpr std::uint64_t events_max = 20'000'000;

// What an application is about, and what a plan is made of: turned to its default it would be another question.
bool is_subject(const std::string& option) {
  constexpr std::array<std::string_view, 14> names{"topic", "topics", "group", "records", "every", "start_at", "keys", "size", "seek_to", "effect", "transactional_id", "work", "poll_every", "auto_offset_reset"};
  return is_plan_size(option) || std::find(names.begin(), names.end(), option) != names.end();
}

std::string value_of(const OptionDecl& d, const Options& o) { return to_text(d, o.values().at(d.name)); }

}  // namespace

std::vector<Variant> variants_of(const Scenario& plan, const Model& model, const Slice& slice, const World& world) {
  std::vector<Variant> all{{Variant::Kind::itself, "as it is", plan}};
  for (const std::size_t f : slice.faults) {
    if (f >= plan.faults.size()) continue;
    const PlannedFault& fault = plan.faults[f];
    all.push_back({Variant::Kind::fault, fmt::format("without {}, {}", describe(fault.fault), describe(fault.trigger)), *without(plan, model, {Element::Kind::fault, f, {}})});
  }
  const std::vector<OptionDecl> decls = plan_options(model);
  Scenario copy = plan;
  const std::vector<OptionOwner> owners = option_owners(copy);
  for (const Element& e : elements(plan, model)) {
    if (e.kind != Element::Kind::option || is_subject(e.option)) continue;
    const OptionOwner& owner = owners[e.index];
    const NodeId node = world.find(owner.what);  // a client; the cluster and topics are no nodes
    if (node != nobody && !std::binary_search(slice.nodes.begin(), slice.nodes.end(), node)) continue;
    const OptionDecl* d = find_option(decls, owner.scope, e.option);
    std::optional<Scenario> s = without(plan, model, e);
    if (!d || !s) continue;
    const std::string then = value_of(*d, *option_owners(*s)[e.index].options);
    const std::string now = value_of(*d, *owner.options);
    if (then != now) all.push_back({Variant::Kind::option, fmt::format("{}: {}={} instead of {}", owner.what, e.option, then.empty() ? "\"\"" : then, now), std::move(*s)});
  }
  return all;
}

Variant variant_with(const Scenario& plan, const Model& model, const std::vector<Setting>& settings) {
  Variant v{Variant::Kind::asked, {}, plan};
  for (const Setting& s : settings) {
    if (const auto error = apply_setting(model, v.plan.deployment, s)) throw InputError("", 0, *error);
    v.what += (v.what.empty() ? "with " : ", ") + describe(s);
  }
  return v;
}

Count count(const Scenario& plan, const Model& model, const Mechanism& mechanism, std::uint64_t seeds, const std::function<bool()>& keep_going) {
  Count c;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    RunOptions o;
    o.seed = seed;
    o.event_limit = events_max;
    o.keep_going = keep_going;
    try {
      const RunResult r = run_scenario(plan, model, nullptr, o);
      if (r.interrupted && keep_going && !keep_going()) break;
      ++c.runs;
      if (!shows(r, mechanism.anomaly)) continue;
      ++c.shown;
      const std::vector<std::string> marks = mechanism_of(r, mechanism.anomaly).marks;
      c.same_turn += mechanism.turn.empty() || std::find(marks.begin(), marks.end(), mechanism.turn) != marks.end();
    } catch (const InputError& e) {
      c.why_not = e.message;
      break;
    }
  }
  return c;
}

bool differ(const Count& a, const Count& b) {
  if (a.runs == 0 || b.runs == 0) return false;
  const auto outside = [](std::uint64_t k, std::uint64_t n, std::uint64_t by, std::uint64_t of) {
    const Interval i = binomial_interval(by, of);
    const double rate = static_cast<double>(k) / static_cast<double>(n);
    return rate < i.low || rate > i.high;
  };
  return (outside(a.shown, a.runs, b.shown, b.runs) && outside(b.shown, b.runs, a.shown, a.runs)) ||
         (outside(a.same_turn, a.runs, b.same_turn, b.runs) && outside(b.same_turn, b.runs, a.same_turn, a.runs));
}

}  // namespace mqlab
