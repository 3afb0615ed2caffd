#include "sim/world/tree.h"

#include <algorithm>
#include <map>
#include <set>

namespace mqlab {

namespace {

constexpr char separator = '\n';

void make_plain(std::string& name) {
  for (char& c : name)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  if (name.empty()) name = "?";
}

class Comparison {
 public:
  explicit Comparison(const std::function<void(const TreePath&, TreeChange)>& tell) : tell_(tell) {}

  void nodes(const Tree& before, const Tree& now) {
    if (before.value != now.value) tell_(path_, {TreeChange::Kind::changed, 0, before.value, now.value});
    children(before.children, now.children);
  }

  void added(const Tree& t, std::uint32_t at) {
    tell_(path_, {TreeChange::Kind::added, at, {}, t.value});
    for (std::uint32_t i = 0; i < t.children.size(); ++i)
      inside(t.children[i], [&] { added(t.children[i], i); });
  }

 private:
  void removed(const Tree& t) {
    for (const Tree& child : t.children)
      inside(child, [&] { removed(child); });
    tell_(path_, {TreeChange::Kind::removed, 0, t.value, {}});
  }

  template <class Do>
  void inside(const Tree& child, Do what) {
    path_.push_back(child.name);
    what();
    path_.pop_back();
  }

  void children(const std::vector<Tree>& before, const std::vector<Tree>& now) {
    const auto same_name = [](const Tree& a, const Tree& b) { return a.name == b.name; };
    if (std::equal(before.begin(), before.end(), now.begin(), now.end(), same_name)) {
      for (std::size_t i = 0; i < now.size(); ++i)
        inside(now[i], [&] { nodes(before[i], now[i]); });
      return;
    }
    // Which child of `before` each of `now` goes on from; one that changed its place is removed and added.
    constexpr std::size_t none = ~std::size_t{0};
    std::map<std::string_view, std::size_t> where;
    std::set<std::string_view> there;
    for (std::size_t i = 0; i < before.size(); ++i) where[before[i].name] = i;
    for (const Tree& t : now) there.insert(t.name);
    std::vector<std::size_t> from(now.size(), none);
    std::vector<bool> goes(before.size(), false);
    for (std::size_t i = 0; i < before.size(); ++i) goes[i] = !there.count(before[i].name);
    std::size_t next = 0;
    for (std::size_t j = 0; j < now.size(); ++j) {
      while (next < before.size() && goes[next]) ++next;
      const auto old = where.find(now[j].name);
      if (old == where.end()) continue;
      if (old->second == next) from[j] = next++;
      else goes[old->second] = true;
    }
    for (std::size_t i = 0; i < before.size(); ++i)
      if (goes[i]) inside(before[i], [&] { removed(before[i]); });
    for (std::uint32_t j = 0; j < now.size(); ++j)
      inside(now[j], [&] {
        if (from[j] == none) added(now[j], j);
        else nodes(before[from[j]], now[j]);
      });
  }

  const std::function<void(const TreePath&, TreeChange)>& tell_;
  TreePath path_;
};

std::vector<Tree>::iterator child_of(Tree& parent, const std::string& name) {
  return std::find_if(parent.children.begin(), parent.children.end(), [&](const Tree& t) { return t.name == name; });
}

}  // namespace

void name_apart(Tree& tree) {
  std::vector<Tree>& all = tree.children;
  for (Tree& child : all) {
    make_plain(child.name);
    name_apart(child);
  }
  if (all.size() < 2) return;
  std::vector<std::string_view> names;
  names.reserve(all.size());
  for (const Tree& child : all) names.push_back(child.name);
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) == names.end()) return;
  std::set<std::string> taken;
  for (Tree& child : all) {
    std::string name = child.name;
    for (std::size_t n = 2; !taken.insert(name).second; ++n) name = child.name + " #" + std::to_string(n);
    child.name = std::move(name);
  }
}

std::string path_text(const TreePath& path) {
  std::string out;
  for (const std::string& name : path) {
    if (!out.empty()) out += separator;
    out += name;
  }
  return out;
}

TreePath path_of(std::string_view text) {
  TreePath path;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    path.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return path;
}

void compare_trees(const Tree* before, const Tree& now, const std::function<void(const TreePath&, TreeChange)>& tell) {
  Comparison c(tell);
  if (before) c.nodes(*before, now);
  else c.added(now, 0);
}

bool apply_change(Tree& root, const TreePath& path, const TreeChange& change) {
  if (path.empty()) {
    if (change.kind != TreeChange::Kind::changed || root.value != change.before) return false;
    root.value = change.now;
    return true;
  }
  Tree* parent = &root;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const auto next = child_of(*parent, path[i]);
    if (next == parent->children.end()) return false;
    parent = &*next;
  }
  const auto child = child_of(*parent, path.back());
  const bool there = child != parent->children.end();
  if (change.kind == TreeChange::Kind::added) {
    if (there || change.at > parent->children.size()) return false;
    parent->children.insert(parent->children.begin() + change.at, Tree{path.back(), change.now, {}});
    return true;
  }
  if (!there || child->value != change.before) return false;
  if (change.kind == TreeChange::Kind::changed) child->value = change.now;
  else if (!child->children.empty()) return false;
  else parent->children.erase(child);
  return true;
}

}  // namespace mqlab
