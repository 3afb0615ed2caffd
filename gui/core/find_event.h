// gui/core/find_event.h: where in a run a predicate over its state is true: the next such event, or the one before.
//
// Forward the run goes on from the checkpoint before; backward, stretch by stretch from one checkpoint to the next, from the
// newest of them on. Where it is true already, the stretch in which it stays true is passed over first, so that asking
// again goes on.
//
// Always true: without such a stretch the event found is the first after `now` (forward), or the last before it (backward),
// for which holds(p, *r.moment(e)); tests/gui_core/find_event_test.cpp.
// Elsewhere: on the engine's thread (engine.h).
//
//     Found f = find_event(r, *read_predicate("isr orders/0 < 3").predicate, 87, Direction::forward);
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gui/core/predicate.h"

namespace mqlab::gui {

enum class Direction : std::uint8_t { forward, backward };

struct Found {
  std::optional<std::size_t> event{};
  bool called_off = false;
  bool was_true = false;       // at `now` already
  std::size_t looked_at = 0;   // so many events
  std::size_t from = 0, to = 0;  // the range of them, both included; of no meaning when there were none
  // "never true in #88 to #4,211 (9 s to 60 s)"; empty: it was found, or called off.
  std::string complaint(const Recording& r, const Predicate& p, Direction d) const;
};

// `progress` is told now and then how many of how many events were looked at; false calls it off. Requires: now < events().
Found find_event(const Recording& r, const Predicate& p, std::size_t now, Direction d, const std::function<bool(std::size_t done, std::size_t all)>& progress = {});

}  // namespace mqlab::gui
