// gui/core/knobs.h: latency and loss of links, turned while a run is looked at.
//
// A knob is a fault by hand from the moment in focus on: another future, taken back and written into the scenario as any fault is. It has stops,
// not all values: what is worth trying, from "as it is" on.
//
// The rule: one knob (a kind, on the same links) gives one fault at a time. Turned again at a later moment, its fault before ends there; turned
// back to "as it is", it only ends; what it had set for later is forgotten. Other faults are left alone.
//
//     const KnobScope all = knob_scope(recording, focus.entity, everyone_of(recording));
//     spec.interventions = turn_knob(spec.interventions, recording.time_of(87), KnobKind::latency, all, 7);
#pragma once

#include <string>
#include <vector>

#include "gui/core/recording.h"
#include "gui/core/scene.h"

namespace mqlab::gui {

enum class KnobKind : std::uint8_t { latency, loss };
const char* knob_name(KnobKind k);

// A stop is what the knob can stand at; the first is "as it is".
struct KnobStop {
  const char* text;      // "200 ms", "5 %"
  std::int64_t value;    // nanoseconds; parts of a hundred; 0: no fault
};
const std::vector<KnobStop>& knob_stops(KnobKind k);

// Which links: from whom to whom, by name.
struct KnobScope {
  std::vector<std::string> from{}, to{};
  std::string words{};  // "all links", "from B1", "B1 to B2"
};
// Of a node what it sends, of a link this link, of anything else all among `everyone`: who is there while the load lasts.
KnobScope knob_scope(const Recording& r, EntityId focus, const std::vector<std::string>& everyone);
// Who is there at the beginning.
std::vector<std::string> everyone_of(const Recording& r);

// The fault of a stop. Requires: not the first one.
Fault knob_fault(KnobKind k, const KnobScope& s, std::size_t stop);
// The stop at which the knob stands right after a time; 0 when nothing of this kind was done by hand on just these links.
std::size_t knob_stands_at(const std::vector<Intervention>& by_hand, Time event, KnobKind k, const KnobScope& s);
// What was done by hand, with the knob at this stop from right after the event on.
std::vector<Intervention> turn_knob(std::vector<Intervention> by_hand, Time event, KnobKind k, const KnobScope& s, std::size_t stop);

}  // namespace mqlab::gui
