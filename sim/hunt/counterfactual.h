// sim/hunt/counterfactual.h: what would have been without it.
//
// A plan is run again under many seeds of the world, its faults at their times, and the runs that show the anomaly are counted:
// as it is, without each fault in question, and with each given option as it is by default, or as somebody asks. What makes no
// difference is no cause, however near it stands in the story.
//
// The rule: a count depends on plan, variant and seeds alone; each seed is one run of each variant, so that they compare.
// Two numbers of each: how often the anomaly is seen, by whatever mechanism, since who turns a knob asks whether it is gone; and
// how often its story turns at the same mark, since a plan may hold two ways to the same anomaly.
// Elsewhere: the intervals (statistics.h), what stands in the slice (slice.h).
//
//     for (const Variant& v : variants_of(plan, model, slice)) counts.push_back(count(v.plan, model, slice.mechanism, 50));
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/hunt/slice.h"

namespace mqlab {

struct Variant {
  enum class Kind : std::uint8_t { itself, fault, option, asked } kind{};
  std::string what;  // "as it is", "without kill B1 for 20 s, at 50 s", "P1: acks=all instead of 1"
  Scenario plan;
};

// The plan itself first; then without each fault of the slice; then with each given option of cluster, topics and clients of
// the slice as it is by default. Sizes, records and what only says where and when (topics, groups, start_at, every) stay.
std::vector<Variant> variants_of(const Scenario& plan, const Model& model, const Slice& slice, const World& world);
// The plan with these settings, as --set takes them. Throws InputError.
Variant variant_with(const Scenario& plan, const Model& model, const std::vector<Setting>& settings);

struct Count {
  std::uint64_t shown = 0, runs = 0;
  std::uint64_t same_turn = 0;  // of those shown; all of them where the mechanism has no turn
  std::string why_not;  // nothing could be run: it is no scenario any more
};
// Seeds 1 to `seeds`. Fewer runs when keep_going says so.
Count count(const Scenario& plan, const Model& model, const Mechanism& mechanism, std::uint64_t seeds, const std::function<bool()>& keep_going = {});
// The counts differ by more than chance explains: neither rate lies in the other's interval (95 %).
bool differ(const Count& a, const Count& b);

}  // namespace mqlab
