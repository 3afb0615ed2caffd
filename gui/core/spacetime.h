// gui/core/spacetime.h: the space-time diagram: a line a node, time to the right, an arrow a message.
//
// A message is an arrow from its sender's line, at the time of its sending, to its receiver's, at the time of its handling. One
// that never arrived ends in a cross, when it was over and as far as it came, and says why where there is room.
// What clients did and saw are signs on their lines (a triangle up: handed to the library; down: delivered; a disc: told
// that it is done; a ring: never told; a cross: refused), marks are small diamonds, elections stars. Faults shade the time
// in which they are in force, a line is dashed while its node is down and double while it stands still. By order, each
// event is a step of equal width.
//
// Always true: 1. at most SpacetimeView::arrows_most arrows and crosses_most crosses; above that columns of density stand for the
// messages, and a remark says how many are drawn. 2. The witness of a verdict in focus is drawn whatever the number.
// Elsewhere: times and steps (time_axis.h), faults (timeline.h), looks (message_look.h).
//
//     Scene s = spacetime(index, facts, view, focus, 1000, 400, measure);
#pragma once

#include <string>
#include <vector>

#include "gui/core/event_index.h"
#include "gui/core/focus.h"
#include "gui/core/message_look.h"
#include "gui/core/timeline.h"

namespace mqlab::gui {

// One line of the picture: a node, or several that are folded into one.
struct Lane {
  std::string name{};
  std::vector<NodeId> nodes{};
  bool operator==(const Lane&) const = default;
};

// What does not change during a run.
struct SpacetimeFacts {
  Timeline timeline{};
  MessageLooks looks{};
  std::vector<Lane> lanes{};   // as they are at first: programs and producers, servers, controllers and services, consumers
};
SpacetimeFacts spacetime_facts(const EventIndex& index);

// Those without some nodes; those with the nodes of a role as one lane "3 consumers".
std::vector<Lane> hide(std::vector<Lane> lanes, const std::vector<NodeId>& nodes);
std::vector<Lane> fold(const std::vector<Lane>& lanes, const std::vector<NodeId>& nodes, std::string name);

struct SpacetimeView {
  TimeView time{};
  std::vector<Lane> lanes{};               // in their order, from above
  const std::vector<bool>* passing = nullptr;  // events that exist (filter.h); null or empty: all
  std::size_t arrows_most = 1'500;
  float scroll = 0;                        // pixels, where lanes are more than fit
  std::optional<Time> cursor{};            // where the cursor stands; none: at the event in focus
  std::optional<Time> parts{};             // here the run parts from the one beside it: a marked line
  const std::vector<bool>* passing_drops = nullptr;  // as passing, of what never arrived
  std::size_t crosses_most = 300;
};

Scene spacetime(const EventIndex& index, const SpacetimeFacts& facts, const SpacetimeView& view, const Focus& focus, float width, float height, const TextMeasure& measure);

// From the first to the last row that proves a verdict, with a little around: what to look at. Nothing: there is none.
std::optional<TimeRange> witness_range(const Recording& r, std::size_t verdict, std::size_t finding = 0);

// The event that stands at a point of the picture, or the last one before it; events() when there is none.
std::size_t event_at(const EventIndex& index, const SpacetimeView& view, float width, float height, float x, const TextMeasure& measure);

// How high the lines are together: more than the part that shows them where they have to be scrolled.
float spacetime_height(std::size_t lanes, float width, float height, const TextMeasure& measure);

// The part of the picture that shows times, between the names and the right edge: for dragging and zooming.
Rect spacetime_area(float width, float height, const TextMeasure& measure);

}  // namespace mqlab::gui
