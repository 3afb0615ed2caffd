// gui/core/timeline.h: what of a run lasts: faults in force, nodes that are down or stand still.
//
// Read from marks and from the faults as they stand at the end, once a recording.
//
// The rule: a link fault ends with its duration or a heal, a fault on a node with its duration; what ends nowhere ends with
// the run. A fault that acts at once (kill, drop, restart) has no length.
//
//     const Timeline t = timeline_of(world, end);
//     for (const FaultBand& b : t.faults) shade(b.from, b.to);
#pragma once

#include <string>
#include <vector>

#include "gui/core/time_axis.h"
#include "sim/world/world.h"

namespace mqlab::gui {

struct FaultBand {
  std::size_t fault = 0;          // in World::faults()
  FaultKind kind{};
  std::string text{};             // as the story tells it
  Time from = 0;
  Time to = 0;                    // == from: it acted at once
  std::vector<NodeId> nodes{};    // whom it concerned when it fired last; all of its groups
  bool at_once() const { return to <= from; }
};

struct NodeHistory {
  std::vector<TimeRange> down{};    // without the time before its first start
  std::vector<TimeRange> paused{};
  bool is_down(Time t) const;
};

struct Timeline {
  std::vector<FaultBand> faults{};      // by beginning
  std::vector<NodeHistory> nodes{};     // by NodeId
  Time end = 0;
};

Timeline timeline_of(const Journal& journal, const std::vector<ArmedFault>& faults, std::size_t nodes, Time end);
Timeline timeline_of(const World& world, Time end);

// Fault bands from `top` to `bottom` where the axis shows them, with their words along the upper edge: in one row, and in further
// ones down to `words_until`.
void draw_fault_bands(Scene& s, const Timeline& t, const TimeAxis& axis, float top, float bottom, const TextMeasure* measure, Occupancy* taken, float words_until = 1e9F);

}  // namespace mqlab::gui
