// gui/core/inspector.h: the state of a node as rows, with what the last event changed.
//
// The rule: rows follow the tree, a parent before its children; what is gone since the state before stands where it was,
// marked as removed.
//
//     for (const InspectorRow& r : inspector_rows(before ? &before->nodes[n].state : nullptr, now->nodes[n].state)) ...
#pragma once

#include <string>
#include <vector>

#include "gui/core/recording.h"

namespace mqlab::gui {

struct InspectorRow {
  enum class Change : std::uint8_t { none, added, removed, changed, inside };  // inside: something below it
  int depth = 0;
  std::string name{};
  std::string value{};
  std::string path{};        // names from the root's child down, a line each: keeps a row apart from others
  Change change = Change::none;
  std::string before{};      // of changed: the value that was there
  bool operator==(const InspectorRow&) const = default;
};

// Requires: both have names apart (World::state gives such). Without `before`, nothing is marked.
std::vector<InspectorRow> inspector_rows(const Tree* before, const Tree& now);

// The rows of a node at a moment against another one, mostly that of the event before.
std::vector<InspectorRow> inspector_rows(const Moment* before, const Moment& now, NodeId node);

}  // namespace mqlab::gui
