#include "sim/record/state_steps.h"

#include <algorithm>

#include "sim/record/event_text.h"

namespace mqlab {

void visit_steps(const Journal& journal, const StepVisitor& visitor) {
  StateStep step;
  const auto mark = [&](const Mark& m) {
    if (step.number != 0) step.marks.push_back({m.node == nobody ? std::string() : line_name(journal, m.node), mark_words(journal, m)});
  };
  const auto delivery = [&](const Delivery& d, std::size_t index) {
    if (step.number != 0) visitor(step);
    step = StateStep{index + 1, d.event.id, d.time, event_text(journal, d), {}, {}};
  };
  const auto change = [&](const StateChange& c) {
    step.changes.push_back({line_name(journal, c.node), path_of(journal.state_paths.text(c.path)), c.change});
  };
  visit_trace(journal, {.delivery = delivery, .mark = mark, .change = change});
  if (step.number != 0) visitor(step);
}

bool StateFold::apply(const StateStep& step) {
  return std::all_of(step.changes.begin(), step.changes.end(), [this](const StepChange& c) { return apply(c); });
}

bool StateFold::apply(const StepChange& c) {
  const auto node = std::find_if(nodes_.begin(), nodes_.end(), [&](const Tree& t) { return t.name == c.node; });
  if (node != nodes_.end()) return apply_change(*node, c.path, c.change);
  if (!c.path.empty() || c.change.kind != TreeChange::Kind::added) return false;
  nodes_.push_back(Tree{c.node, c.change.now, {}});
  return true;
}

}  // namespace mqlab
