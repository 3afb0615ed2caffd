// Trees of state: what changed, and that the changes lead from one to the other. Then the world that tells them.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/world/gossip.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

std::string told(const Tree* before, const Tree& now) {
  std::string out;
  compare_trees(before, now, [&](const TreePath& path, const TreeChange& c) {
    std::string where;
    for (const std::string& name : path) where += "/" + name;
    if (c.kind == TreeChange::Kind::added) out += "+" + where + "=" + c.now + "@" + std::to_string(c.at) + " ";
    else if (c.kind == TreeChange::Kind::removed) out += "-" + where + " ";
    else out += where + ":" + c.before + ">" + c.now + " ";
  });
  return out;
}

Tree random_tree(Random& r, int depth = 3) {
  Tree t{std::string(1, static_cast<char>('a' + r.below(6))), std::to_string(r.below(3)), {}};
  if (depth > 0)
    for (std::uint64_t n = r.below(6); n > 0; --n) t.children.push_back(random_tree(r, depth - 1));
  return t;
}

// Every node's tree, put together from all that was written down.
struct Folded {
  std::vector<std::optional<Tree>> nodes;
  std::size_t next = 0;

  void read(const World& w) {
    nodes.resize(w.node_count());
    for (; next < w.journal.changes.size(); ++next) {
      const StateChange& c = w.journal.changes[next];
      const TreePath path = path_of(w.journal.state_paths.text(c.path));
      if (nodes[c.node]) RC_ASSERT(apply_change(*nodes[c.node], path, c.change));
      else nodes[c.node] = Tree{w.name(c.node), c.change.now, {}};
    }
  }
};

}  // namespace

TEST(TreeChanges, NameWhatIsOther) {
  const Tree before{"B1", "up", {{"log", "0..3", {}}, {"isr", "1 2", {}}}};
  EXPECT_EQ(told(&before, before), "");
  EXPECT_EQ(told(&before, {"B1", "down", {{"log", "0..4", {}}, {"isr", "1 2", {}}}}), ":up>down /log:0..3>0..4 ");
  EXPECT_EQ(told(&before, {"B1", "up", {{"isr", "1 2", {}}, {"epoch", "3", {{"since", "9", {}}}}}}), "-/log +/epoch=3@1 +/epoch/since=9@0 ");
  EXPECT_EQ(told(nullptr, before), "+=up@0 +/log=0..3@0 +/isr=1 2@1 ");
}

// A child that went to the front is told as one, and not as all others that went back.
TEST(TreeChanges, OneThatMovedIsRemovedAndAdded) {
  const Tree before{"t", "", {{"a", "", {}}, {"b", "", {}}, {"c", "", {}}}};
  EXPECT_EQ(told(&before, {"t", "", {{"c", "", {}}, {"a", "", {}}, {"b", "", {}}}}), "-/c +/c=@0 ");
}

TEST(TreeNames, AreMadeDifferentAndFitForAPath) {
  Tree t{"t", "", {{"g", "1", {}}, {"g", "2", {}}, {"", "", {}}, {"a\nb", "", {}}, {"g", "3", {}}}};
  name_apart(t);
  std::string names;
  for (const Tree& c : t.children) names += c.name + "|";
  EXPECT_EQ(names, "g|g #2|?|a b|g #3|");
  EXPECT_EQ(path_of(path_text({"orders/0", "log"})), (TreePath{"orders/0", "log"}));
  EXPECT_EQ(path_of(path_text({})), TreePath{});
}

TEST(TreeChanges, ThatDoNotFitAreRefused) {
  Tree t{"t", "1", {{"a", "x", {{"b", "", {}}}}}};
  const Tree was = t;
  using Kind = TreeChange::Kind;
  EXPECT_FALSE(apply_change(t, {}, {Kind::changed, 0, "2", "3"})) << "another value was there";
  EXPECT_FALSE(apply_change(t, {}, {Kind::removed, 0, "1", ""})) << "the root stays";
  EXPECT_FALSE(apply_change(t, {"a"}, {Kind::added, 0, "", "y"})) << "it is there already";
  EXPECT_FALSE(apply_change(t, {"c"}, {Kind::added, 2, "", "y"})) << "there is no such place";
  EXPECT_FALSE(apply_change(t, {"a"}, {Kind::removed, 0, "x", ""})) << "there is something in it";
  EXPECT_FALSE(apply_change(t, {"c", "d"}, {Kind::added, 0, "", ""})) << "its parent is not there";
  EXPECT_EQ(t, was);
}

RC_GTEST_PROP(TreeChanges, LeadFromOneTreeToTheOther, (std::uint64_t seed)) {
  Random r(seed, Stream::scenario);
  Tree before = random_tree(r), now = random_tree(r);
  before.name = now.name;
  name_apart(before);
  name_apart(now);
  Tree t = before;
  compare_trees(&before, now, [&](const TreePath& path, const TreeChange& c) { RC_ASSERT(apply_change(t, path_of(path_text(path)), c)); });
  RC_ASSERT(t == now);
}

// After every event, whatever faults there are: what was told, put together, is what each node says of itself.
RC_GTEST_PROP(StateLevel, TellsEveryChangeWhenItHappens, (std::uint64_t seed)) {
  World w = gossip_world(seed, {.until = 300_ms, .trace = TraceLevel::state});
  Folded all;
  while (w.step(400_ms)) {
    all.read(w);
    for (NodeId n = 0; n < w.node_count(); ++n)
      if (all.nodes[n]) RC_ASSERT(*all.nodes[n] == w.state(n));
  }
  for (const auto& t : all.nodes) RC_ASSERT(t.has_value());
}

// A fork goes on telling from where it was forked.
RC_GTEST_PROP(StateLevel, IsCopiedWithTheWorld, (std::uint64_t seed)) {
  World w = gossip_world(seed, {.until = 300_ms, .trace = TraceLevel::state});
  w.run_until(100_ms);
  World fork = w;
  fork.run_until(400_ms);
  w.run_until(400_ms);
  Folded all;
  all.read(fork);
  RC_ASSERT(fork.journal.changes.size() == w.journal.changes.size());
  for (NodeId n = 0; n < w.node_count(); ++n) RC_ASSERT(*all.nodes[n] == w.state(n));
}

TEST(StateLevel, AFaultIsAnEventOfItsOwnThere) {
  World w(1, {.trace = TraceLevel::state});
  w.add_node(std::make_unique<Gossip>(), {.name = "A"});
  w.run_until(1_ms);
  w.inject(fault(FaultKind::pause, {{"A"}}, 0));
  ASSERT_FALSE(w.journal.changes.empty());
  const StateChange& last = w.journal.changes.back();
  EXPECT_EQ(w.journal.state_paths.text(last.path), "process");
  EXPECT_EQ(last.change.before + ">" + last.change.now, "runs>paused");
  EXPECT_EQ(w.journal.deliveries[last.delivery].event.kind, static_cast<std::uint8_t>(EventKind::fault));
}
