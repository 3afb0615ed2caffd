// One fault of each kind that acts on links, for stories that are told of all of them.
#pragma once

#include "tests/world/peer.h"

namespace mqlab::test {

// A link fault that nothing can miss: all from A to B is lost, late, held back or twice.
inline Fault link_fault(FaultKind kind) {
  Fault f = fault(kind, {{"A"}, {"B"}});
  if (kind == FaultKind::isolate) f.groups = {{"A"}};
  if (kind == FaultKind::ring) f.groups = {{"A", "C", "B"}};
  f.amount = kind == FaultKind::bandwidth ? 64'000 : 10_ms;
  f.spread = kind == FaultKind::latency ? 0 : 10_ms;
  f.ratio = {1, 1};
  return f;
}

inline std::vector<FaultKind> link_kinds() {
  std::vector<FaultKind> out;
  for (const FaultDecl& d : fault_kinds())
    if (is_link_fault(d.kind)) out.push_back(d.kind);
  return out;
}

inline bool complains(Stage& s, std::size_t fault) { return !s.world.faults()[fault].complaint.empty(); }

}  // namespace mqlab::test
