// gui/core/find_rows.h: the rows of the table of events that a filter leaves: by chips, by words, without routine.
//
// A row has all the words, wherever in its line they stand; upper and lower case are alike. The line of an event is where it happened,
// what it is, its details and its marks; that of a message that never arrived has the word `dropped` too.
//
// Always true: an event is in `rows` iff `passing` has it, and passes all three on its own.
// Elsewhere: asked for off the window's thread (background.h); shown (gui/qt/event_model.h).
//
//     auto found = find_rows(index, {.words = {"produce", "b1"}});
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gui/core/background.h"
#include "gui/core/event_index.h"
#include "gui/core/filter.h"

namespace mqlab::gui {

using EventRows = std::vector<std::uint32_t>;

struct RowsWanted {
  Filter chips{};
  std::vector<std::string> words{};  // in lower case
  bool hides_routine = false;        // no heartbeats, timers, wake-ups, disks
  std::size_t part_least = 100'000;  // so many events are worth a thread of their own, where words are asked for
};

struct FoundEvents {
  EventRows rows{};             // ascending
  std::vector<bool> passing{};  // the same, by event
  EventRows drops{};            // messages that never arrived, in Journal::drops; ascending
  std::vector<bool> passing_drops{};
};

// "B1 → P1" of a message, "B1" of all else.
std::string where(const Recording& r, const Delivery& d);
std::string where(const Recording& r, const Drop& d);

// Nothing: it was called off. `lower` makes a text lower case where words have letters beyond ASCII; without it such words are looked for
// as they are.
std::optional<FoundEvents> find_rows(const EventIndex& run, const RowsWanted& wanted, const CallOff& off = CallOff(), const std::function<std::string(const std::string&)>& lower = {});

}  // namespace mqlab::gui
