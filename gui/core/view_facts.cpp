#include "gui/core/view_facts.h"

namespace mqlab::gui {

ViewFacts view_facts(const EventIndex& index) { return {topology_facts(index), spacetime_facts(index), run_series(index), vocabulary_of(index.recording())}; }

}  // namespace mqlab::gui
