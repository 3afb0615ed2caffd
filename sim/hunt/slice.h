// sim/hunt/slice.h: what of a run has to do with a finding.
//
// A run is thousands of events. A slice is the few that stand behind one verdict: the rows of its witness and what else became
// of its message, the marks that would not be there without the faults, and behind each of these the chain of causes that led
// to it (Causality::chain_of), its last links.
//
// A message that never arrived is in the slice when it was waited for in vain between two links of such a chain (Causality::lost_between).
//
// The rule for faults: one is in the slice when it changed something (it bit), it was not over before the slice begins, it came
// before the last of its marks and rows (the drain aside), and it touched a node on which an event of the slice happens; a fault
// between nodes must have touched one on each side that it names. That is more than it takes and never proof: why.h runs the
// slice alone.
// Elsewhere: told in order (story.h), which marks tell (mechanism.h).
//
//     RunResult r = run_scenario(plan, model, nullptr, {.seed = 7, .trace = TraceLevel::full});
//     Slice s = slice_of(r, "lost-message", marks_to_leave_out(plan, model, "lost-message"));
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/hunt/mechanism.h"

namespace mqlab {

// What runs of parts of a plan show, so that it is not told as if it were the cause.
struct OrdinaryMarks {
  std::set<std::string> calm;     // without faults: never told
  std::set<std::string> routine;  // ... or with one fault alone: told, and no turn of the story
};
OrdinaryMarks marks_to_leave_out(const Scenario& plan, const Model& model, const std::string& anomaly);

struct Slice {
  Mechanism mechanism;
  std::string sentence;               // what is seen
  Time begun{}, certain{};
  std::vector<OpIndex> witness;       // rows of the finding, the drain aside
  std::vector<OpIndex> ops;           // those, and what else became of its message; ascending
  std::vector<std::uint32_t> marks;   // in Journal::marks; each name once a node and place; ascending
  std::vector<std::uint32_t> events;  // in Journal::deliveries; ascending
  std::vector<std::size_t> drops;     // in Journal::drops: what was waited for in vain on the way; ascending
  std::vector<std::size_t> faults;    // in World::faults(); ascending
  std::vector<NodeId> nodes;          // on which all this happens; ascending
};

// Requires: the run shows the anomaly (shows()), and recorded its events (TraceLevel::full).
Slice slice_of(const RunResult& r, const std::string& anomaly, const OrdinaryMarks& ordinary = {});

// Whom a fault of the world acted on: who is named, and who was drawn, as far as it can still be told.
std::set<NodeId> touched_by(const World& world, std::size_t fault, std::size_t group);

}  // namespace mqlab
