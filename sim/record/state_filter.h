// sim/record/state_filter.h: which parts of nodes' states are shown.
//
// A path is written "B1/orders/0/high watermark". A pattern is one of three:
//   words     "transactions", "orders/0": they stand in the path as they are, as whole words
//   a glob    "B*/*/epochs": with * for any text (also a /) and ? for one character, the whole path or where it begins
//   either    with a ! in front: what it matches is left out
//
// The rule: a path is shown if one of the patterns matches it, or all are of the third kind, and none of the third
// kind matches. Upper and lower case are the same. Marks are matched as if they were in the state: "B1/leader_elected".
//
//     StateFilter f{{.nodes = {"B1"}, .patterns = {"transactions"}}};
//     f.shows("B1", {"transactions", "p1"});
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/world/tree.h"

namespace mqlab {

// "B1/orders/0/log"
std::string shown_path(std::string_view node, const TreePath& path);

bool matches_pattern(std::string_view pattern, std::string_view shown_path);

struct StateFilter {
  std::vector<std::string> nodes{};     // none: all
  std::vector<std::string> patterns{};  // none: everything

  bool shows_node(std::string_view node) const;
  bool shows(std::string_view node, std::string_view shown_path) const;
};

}  // namespace mqlab
