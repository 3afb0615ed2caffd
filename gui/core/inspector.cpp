#include "gui/core/inspector.h"

#include <algorithm>

namespace mqlab::gui {
namespace {

using Change = InspectorRow::Change;

void add_all(const Tree& t, int depth, const std::string& path, Change change, std::vector<InspectorRow>& out) {
  out.push_back({depth, t.name, t.value, path, change, {}});
  for (const Tree& c : t.children) add_all(c, depth + 1, path + "\n" + c.name, change, out);
}

// Both are there; true: something in here has changed.
bool compare(const Tree* before, const Tree& now, int depth, const std::string& path, std::vector<InspectorRow>& out) {
  const std::size_t at = out.size();
  out.push_back({depth, now.name, now.value, path, Change::none, {}});
  bool changed = false;
  if (before && before->value != now.value) {
    out[at].change = Change::changed;
    out[at].before = before->value;
    changed = true;
  }
  const std::string prefix = path.empty() ? path : path + "\n";
  std::size_t passed = 0;  // of the children before, those already told
  for (const Tree& c : now.children) {
    const auto was = before ? std::find_if(before->children.begin(), before->children.end(), [&](const Tree& o) { return o.name == c.name; }) : std::vector<Tree>::const_iterator();
    if (before && was == before->children.end()) {
      add_all(c, depth + 1, prefix + c.name, Change::added, out);
      changed = true;
      continue;
    }
    if (before) {
      // What stood before this one and is gone.
      const auto index = static_cast<std::size_t>(was - before->children.begin());
      for (; passed < index; ++passed) {
        const Tree& gone = before->children[passed];
        if (std::any_of(now.children.begin(), now.children.end(), [&](const Tree& o) { return o.name == gone.name; })) continue;
        add_all(gone, depth + 1, prefix + gone.name, Change::removed, out);
        changed = true;
      }
      passed = std::max(passed, index + 1);
    }
    changed |= compare(before ? &*was : nullptr, c, depth + 1, prefix + c.name, out);
  }
  if (before)
    for (; passed < before->children.size(); ++passed) {
      const Tree& gone = before->children[passed];
      if (std::any_of(now.children.begin(), now.children.end(), [&](const Tree& o) { return o.name == gone.name; })) continue;
      add_all(gone, depth + 1, prefix + gone.name, Change::removed, out);
      changed = true;
    }
  if (changed && out[at].change == Change::none) out[at].change = Change::inside;
  return changed;
}

}  // namespace

std::vector<InspectorRow> inspector_rows(const Tree* before, const Tree& now) {
  std::vector<InspectorRow> out;
  compare(before, now, 0, {}, out);
  return out;
}

std::vector<InspectorRow> inspector_rows(const Moment* before, const Moment& now, NodeId node) {
  if (node >= now.nodes.size()) return {};
  return inspector_rows(before && node < before->nodes.size() ? &before->nodes[node].state : nullptr, now.nodes[node].state);
}

}  // namespace mqlab::gui
