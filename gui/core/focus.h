// gui/core/focus.h: what the user looks at: one value that all views read and may set.
//
// Always true: back() and forward() visit what was looked at, in its order; a new focus ends what was ahead. Steps from one
// event to the next make one entry together, so that going back leads to the places one has chosen.
//
//     FocusHistory h;
//     h.go({.event = 87, .entity = EntityId::node(b1)});
//     h.back();
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "gui/core/scene.h"
#include "gui/core/time_axis.h"

namespace mqlab::gui {

struct Focus {
  std::size_t branch = 0;              // which of the futures (session.h)
  std::size_t event = 0;               // the run right after it
  EntityId entity{};                   // what is selected, if anything
  std::optional<TimeRange> range{};    // what was marked on the time axis
  bool operator==(const Focus&) const = default;
};

class FocusHistory {
 public:
  const Focus& now() const { return all_[at_]; }
  // Somewhere else. The same again changes nothing.
  void go(const Focus& f);
  // A step that is part of going somewhere: replaces the present entry, if that was made by a step too.
  void step(const Focus& f);
  bool can_go_back() const { return at_ > 0; }
  bool can_go_forward() const { return at_ + 1 < all_.size(); }
  // False, and nothing changed: there is no further one.
  bool back();
  bool forward();
  std::size_t size() const { return all_.size(); }

 private:
  static constexpr std::size_t kept = 500;
  void add(const Focus& f);

  std::vector<Focus> all_{Focus{}};
  std::size_t at_ = 0;
  bool stepped_ = false;  // the present entry is of a step
};

}  // namespace mqlab::gui
