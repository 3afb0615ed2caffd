// sim/world/tree.h: a node's state as text, and what has changed in it.
//
// A node tells its state as a Tree (Node::state). Two trees of one node are compared child by
// child, by name; each difference is a TreeChange at a path, the names from the root down.
//
// Always true: the changes from A to B, applied to A in their order, give B with its order.
// A child is added before what is in it, and removed after. Whoever compares has named apart.
//
//     name_apart(now);
//     compare_trees(&before, now, [&](const TreePath& path, TreeChange c) { ... });
//     apply_change(before, path, c);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mqlab {

struct Tree {
  std::string name;
  std::string value{};
  std::vector<Tree> children{};

  Tree& add(std::string child, std::string text = {}) {
    children.push_back(Tree{std::move(child), std::move(text), {}});
    return children.back();
  }
  bool operator==(const Tree&) const = default;
};

using TreePath = std::vector<std::string>;

struct TreeChange {
  enum class Kind : std::uint8_t { added, removed, changed };
  Kind kind{};
  std::uint32_t at{};     // of what was added: which child of its parent it is now
  std::string before{};   // the value that was there
  std::string now{};      // the value that is there
};

// Makes every name fit for a path: not empty, without control characters, and the second child of
// one name is called "name #2".
void name_apart(Tree& tree);

// A path as one text, one name a line; the root's own is empty. Requires: named apart.
std::string path_text(const TreePath& path);
TreePath path_of(std::string_view text);

// What changed, in the order in which to apply it. `before` is null where nothing was known yet.
void compare_trees(const Tree* before, const Tree& now, const std::function<void(const TreePath&, TreeChange)>& tell);

// False, and nothing is changed, when the change does not fit the tree.
bool apply_change(Tree& root, const TreePath& path, const TreeChange& change);

}  // namespace mqlab
