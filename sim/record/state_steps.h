// sim/record/state_steps.h: a run, event by event: what came, what happened, what it changed.
//
// A StateStep is one event with its marks and the changes of nodes' states that it brought. It comes
// from a journal recorded at the state level, or from a trace file (state_read.h); both give the
// same, so whatever is shown of a run is shown of its trace.
//
// Always true: steps are numbered from 1 in the order they happened; times never go back.
// Elsewhere: which of it to show (state_filter.h).
//
//     StateFold fold;
//     visit_steps(journal, [&](const StateStep& s) { fold.apply(s); });
//     fold.nodes();  // as they were at the end
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/world/journal.h"

namespace mqlab {

struct StepMark {
  std::string node;  // empty: of the world itself
  std::string text;
};

struct StepChange {
  std::string node;
  TreePath path{};
  TreeChange change{};
};

struct StateStep {
  std::uint64_t number = 0;
  EventId event = no_event;
  Time time{};
  std::string text{};  // "B1->B2 Fetch epoch=3"
  std::vector<StepMark> marks{};
  std::vector<StepChange> changes{};
};

using StepVisitor = std::function<void(const StateStep&)>;

// Requires: recorded at the full level at least; changes are there from the state level on. What happened before the
// first event is left out.
void visit_steps(const Journal& journal, const StepVisitor& visitor);

// The states of all nodes after the steps applied so far.
class StateFold {
 public:
  // False, and nothing is done, when the change does not fit what was there before.
  bool apply(const StepChange& change);
  // The same for all of a step, up to the first that does not fit.
  bool apply(const StateStep& step);
  // In the order in which they were first told of. The name of a tree is its node's.
  const std::vector<Tree>& nodes() const { return nodes_; }

 private:
  std::vector<Tree> nodes_;
};

}  // namespace mqlab
