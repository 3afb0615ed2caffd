// gui/core/what_if.h: what could be left out of a run, what another future made of its breaches, and how an event came about.
//
// "What if" is asked of a run that broke something: without one of its faults, as another case of its scenario. The answer is another
// run, and how the two differ.
//
// Always true: difference(a, a) has nothing gone and nothing new, and parts nowhere.
// Elsewhere: making the other run (session.h: fork_what_if, fork_setting).
//
//     for (const WhatIf& w : what_ifs(*r)) puts(w.text.c_str());           // "without fault 1: partition P1, B1 | B2, B3"
//     FutureDifference d = difference(*here, *there);                      // d.gone == {"lost-message"}
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gui/core/session.h"

namespace mqlab::gui {

// All that what_if offers for a run: each fault of its scenario, in the order armed; each fault by hand; each other case of the scenario
// whose settings differ.
std::vector<WhatIf> what_ifs(const Recording& r);

struct FutureDifference {
  std::vector<std::string> gone{};   // anomalies that this run has and the other has not
  std::vector<std::string> still{};  // ... that both have
  std::vector<std::string> fresh{};  // ... that only the other has
  Parting parts{};
  std::optional<Time> parts_at{};    // the first moment at which they differ; none: all events are the same
};
FutureDifference difference(const Recording& here, const Recording& there);

// The events that led to one, each the cause of the next, and that one last; the oldest are left out when there are more than `most`.
struct CauseChain {
  std::vector<std::size_t> events{};
  std::size_t left_out = 0;
  // By event: where the next one is no message that came (a timer, the end of a connection), what its node waited for in vain: numbers
  // in Journal::drops of what came of this event, from or to that node, and never arrived.
  std::vector<std::vector<std::uint32_t>> lost{};
};
CauseChain causes_of(const EventIndex& index, std::size_t event, std::size_t most = 12);

}  // namespace mqlab::gui
