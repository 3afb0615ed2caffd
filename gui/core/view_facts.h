// gui/core/view_facts.h: what pictures know of a run beside its index: computed once, by whoever records it.
//
// The rule: all that takes a walk over the events is here or in the index, so that a picture walks over none.
#pragma once

#include "gui/core/plots.h"
#include "gui/core/predicate.h"
#include "gui/core/spacetime.h"
#include "gui/core/topology.h"

namespace mqlab::gui {

struct ViewFacts {
  TopologyFacts topology{};
  SpacetimeFacts spacetime{};
  RunSeries series{};
  Vocabulary vocabulary{};
};
ViewFacts view_facts(const EventIndex& index);

}  // namespace mqlab::gui
