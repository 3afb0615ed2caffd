// gui/core/go_to.h: places of a run in words: a time, a distance, an event, the next violation.
//
//     go_to(recording, "130ms", now)   the last event at or before 130 ms
//     go_to(recording, "+2ms", now)    two milliseconds on; "-2ms" back
//     go_to(recording, "#87", now)     event 87
//     go_to(recording, "next violation", now), "previous violation", "first", "last", "next fault"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gui/core/recording.h"

namespace mqlab::gui {

struct GoTo {
  std::size_t event = 0;
  std::string complaint{};  // why there is no such place; then `event` is where one was
};

// `now`: the event that is looked at. Requires: the run has events.
GoTo go_to(const Recording& r, std::string_view words, std::size_t now);

// The events at which a violation became certain, ascending, each once.
std::vector<std::size_t> violations_of(const Recording& r);
// The events at which a fault of the scenario or a hand acted, ascending, each once; what the end of the run heals is none.
std::vector<std::size_t> fault_events_of(const Recording& r);

}  // namespace mqlab::gui
