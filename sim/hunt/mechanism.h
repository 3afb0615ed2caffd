// sim/hunt/mechanism.h: by what an anomaly came about, as far as one run tells.
//
// The verdict names the anomaly and the model says whether it had promised that it does not happen, and why. Two bugs may
// give one and the same of these. What tells them apart are marks: the names of what happened inside, where the messages of
// the finding live, up to where it is certain.
//
// The rule: a mark tells when the run would not show it anyway. The world's own marks (killed, restarted ...) say what the
// faults did and tell nothing; neither do the marks that the caller names as routine: those of the same plan without faults
// (calm_marks), or with any one of its faults alone, as long as the anomaly stays away (routine_marks).
// Always true: no mark is named twice; `turn` is one of `marks`, or empty when there are none.
// Elsewhere: the story that they are part of (story.h), which of it a smaller run must keep (shrink.h), the events behind it (slice.h).
//
//     const std::set<std::string> routine = routine_marks(plan, model, "lost-message");
//     Mechanism m = mechanism_of(run_scenario(plan, model, nullptr, {.seed = 7}), "lost-message", routine);
//     m.text();  // "lost-message, not promised (unclean elections are allowed), by unclean_election"
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/lab/run.h"

namespace mqlab {

// The "anomaly" of a run that does not come to rest after its faults are healed. No checker decides it.
inline constexpr const char* not_settled = "not-settled";

struct Mechanism {
  std::string anomaly;
  bool claimed = false;            // the model promises that it does not happen
  std::string reason;              // ... and why, or why not
  std::vector<std::string> marks;  // the telling ones, in the order of their first occurrence
  std::string turn;                // the first of them since the finding's message was sent: here its story turns

  // Anomaly, the model's word, and the turn: what failures are grouped by. `marks` differ with every bystander.
  std::string text() const;
  // The same anomaly, and the same word of the model on it.
  bool same_class(const Mechanism& o) const { return anomaly == o.anomaly && claimed == o.claimed && reason == o.reason; }
  bool operator==(const Mechanism&) const = default;
};

// Of the anomaly's first finding. Requires: the run shows it, or the name is not_settled.
Mechanism mechanism_of(const RunResult& r, const std::string& anomaly, const std::set<std::string>& routine = {});

// The finding that both speak of, the first one. Null when no checker decides the anomaly, or the run does not show it.
const Finding* first_finding(const RunResult& r, const std::string& anomaly);
// When its message was sent; where it is of no single message, the time of its first row.
Time beginning_of(const Journal& j, const Finding& f);
// All marks that tell, each time that they were made, as indices in Journal::marks.
std::vector<std::uint32_t> telling_marks(const RunResult& r, const std::string& anomaly, const std::set<std::string>& routine = {});

// The marks of the plan without its faults, by name. Requires: the plan is one run, with its seed.
std::set<std::string> calm_marks(const Scenario& plan, const Model& model);

// Those, and the marks of each run with one of the plan's faults alone that does not show the anomaly. So many runs as the
// plan has faults, and one.
std::set<std::string> routine_marks(const Scenario& plan, const Model& model, const std::string& anomaly);

// True when the run shows the anomaly; for not_settled, when it did not come to rest.
bool shows(const RunResult& r, const std::string& anomaly);

}  // namespace mqlab
