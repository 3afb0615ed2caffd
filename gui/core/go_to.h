// gui/core/go_to.h: places of a run in words: a time, a distance, an event, the next violation.
//
//     go_to(recording, "130ms", now)   the last event at or before 130 ms
//     go_to(recording, "+2ms", now)    two milliseconds on; "-2ms" back
//     go_to(recording, "#87", now)     event 87
//     go_to(recording, "next violation", now), "previous violation", "first", "last", "next fault", "next dropped"
//
// A predicate over the state is gone to by a search (find_event.h): "isr orders/0 < 3", "next lag billing > 100",
// "previous state B1 = down".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gui/core/find_event.h"
#include "gui/core/recording.h"

namespace mqlab::gui {

struct GoTo {
  std::size_t event = 0;
  std::string complaint{};  // why there is no such place; then `event` is where one was
  std::optional<std::size_t> drop{};  // in Journal::drops: the message that never arrived and was meant; it is to be in focus
};

// `now`: the event that is looked at. `drop_in_focus`: the message that never arrived and is looked at there. Requires: the run has events.
GoTo go_to(const Recording& r, std::string_view words, std::size_t now, std::optional<std::size_t> drop_in_focus = {});

// Where words ask for a predicate: it, and which way; or what is wrong with it.
struct Asked {
  std::optional<Predicate> predicate{};
  Direction direction = Direction::forward;
  std::string complaint{};
};
// Nothing: the words are of a place (go_to).
std::optional<Asked> asked_by(std::string_view words);

// What can be typed, for completion: places of a run first, then sentences about its state.
std::vector<std::string> go_to_suggestions(const Vocabulary& v);

// The events at which a violation became certain, ascending, each once.
std::vector<std::size_t> violations_of(const Recording& r);
// The events at which a fault of the scenario or a hand acted, ascending, each once; what the end of the run heals is none.
std::vector<std::size_t> fault_events_of(const Recording& r);

}  // namespace mqlab::gui
