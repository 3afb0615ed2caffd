// Things in words, groups as bars, state as rows.
#include "gui/core/describe.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "gui/core/groups.h"
#include "gui/core/inspector.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
using namespace testing;
const FixedMeasure measure;

TEST(Describe, AMessageTellsItsStoryUpToNow) {
  const auto& r = recorded("showcase.lua");
  const Journal& j = r.recording->journal();
  const MessageId m = numbered_message(r.recording->result().world->find("P1"), 3);
  const auto rows = r.index->ops_of(m);
  const Description d = describe_message(j, rows, m);
  EXPECT_EQ(d.title, "message P1-3: acknowledged, delivered 2 times") << d.text();
  ASSERT_GE(d.lines.size(), 3U);
  EXPECT_NE(d.lines[0].find("P1 sends P1-3 to orders"), std::string::npos) << d.lines[0];
  const Description early = describe_message(j, rows, m, j.ops[rows[0]].time);
  EXPECT_EQ(early.title, "message P1-3: not acknowledged, not delivered");
  EXPECT_NE(early.lines.back().find("later: "), std::string::npos);
}

TEST(Describe, AnEventTellsItsMessageItsCauseAndWhatItBrought) {
  const auto& r = recorded("showcase.lua");
  const std::size_t mark = [&] {
    const Journal& j = r.recording->journal();
    for (std::size_t i = 0; i < j.marks.size(); ++i)
      if (j.names.text(j.marks[i].name) == "leader_elected" && j.marks[i].time > 10_s) return i;
    return j.marks.size();
  }();
  const Description d = describe_event(*r.index, r.recording->event_of_mark(mark));
  EXPECT_NE(d.text().find("leader_elected orders/0"), std::string::npos) << d.text();
  EXPECT_NE(d.text().find("because of event"), std::string::npos) << d.text();
}

// Whatever is drawn can be asked for, and has an answer of a sane length.
TEST(Describe, EverythingHasWords) {
  for (const char* name : {"showcase.lua", "museum/rabbitmq/r20-before-or-after-the-work.lua"}) {
    const auto& r = recorded(name);
    const auto moment = r.recording->moment(r.recording->events() / 2);
    const auto check_words = [&](EntityId e) {
      const Description d = describe(*r.index, *moment, e);
      ASSERT_FALSE(d.empty()) << static_cast<int>(e.kind) << " " << e.a;
      ASSERT_LE(d.lines.size(), 20U) << d.text();
      ASSERT_EQ(d.sentence().find('\n'), std::string::npos);
    };
    for (std::size_t e = 0; e < r.recording->events(); e += 11) check_words(EntityId::event(e));
    for (std::size_t i = 0; i < r.recording->journal().marks.size(); ++i) check_words(EntityId::mark(i));
    for (OpIndex i = 0; i < r.recording->journal().ops.size(); ++i) {
      check_words(EntityId::op(i));
      if (r.recording->journal().ops[i].message != no_message) check_words(EntityId::message(r.recording->journal().ops[i].message));
    }
    for (std::size_t i = 0; i < r.recording->result().world->faults().size(); ++i) check_words(EntityId::fault(i));
    for (std::size_t i = 0; i < r.recording->result().verdicts.size(); ++i) check_words({EntityId::Kind::verdict, i, 0});
    for (NodeId n = 0; n < moment->nodes.size(); ++n) check_words(EntityId::node(n));
    check_words(EntityId::link(0, 1));
    for (const PlaceContents& p : moment->places) {
      check_words({EntityId::Kind::place, r.recording->journal().names.find(p.place), 0});
      for (const RecordMoment& record : p.records)
        if (r.recording->journal().names.find(p.place) != 0) check_words(EntityId::record(r.recording->journal().names.find(p.place), static_cast<std::uint64_t>(record.position)));
    }
    for (const EntityId e : {EntityId::event(1'000'000'000), EntityId::mark(1'000'000'000), EntityId::op(1'000'000'000), EntityId::node(1'000), EntityId::fault(1'000), EntityId{}})
      EXPECT_TRUE(describe(*r.index, *moment, e).empty());
  }
}

Moment group_moment() {
  Moment m;
  for (const char* name : {"B1", "C", "C-2"}) m.nodes.push_back(node(name, name[0] == 'B' ? "broker" : "consumer"));
  GroupContents g;
  g.name = "readers";
  g.node = 0;
  g.state = "Stable, generation 4";
  g.members = {{"C-3fe2a1", {"orders/0"}, "leads the group"}, {"C-2-77ab01", {}, ""}};
  g.progress = {{"orders/0", 90, 100}, {"orders/1", -1, 7}};
  m.groups.push_back(g);
  return m;
}

TEST(Groups, SayWhoHasWhatAndHowFarBehind) {
  const Moment m = group_moment();
  Journal j;
  j.names.id("orders/0");
  const GroupsPicture p = groups(m, j, 0, {}, 700, 300, measure);
  check(p.scene);
  EXPECT_TRUE(shows(p.scene, "lag 10"));
  EXPECT_TRUE(shows(p.scene, "90 of 100"));
  EXPECT_TRUE(shows(p.scene, "nobody"));
  EXPECT_EQ(said(p.scene, {EntityId::Kind::place, j.names.find("orders/0"), 0}), "orders/0: C has it, 90 of 100, 10 behind");
  EXPECT_TRUE(shows(p.scene, "C-2-77ab01: nothing assigned"));
  EXPECT_EQ(overlap(p.scene, measure), "");
  EXPECT_EQ(client_of_member(m, "C-3fe2a1"), 1U);
  EXPECT_EQ(client_of_member(m, "C-2-77ab01"), 2U) << "the longest name";
  EXPECT_EQ(client_of_member(m, "D-1"), nobody);
}

TEST(Groups, EmptyTinyAndHugeLookSensible) {
  Journal j;
  EXPECT_TRUE(shows(groups({}, j, 0, {}, 300, 200, measure).scene, "There is no group"));
  Moment m = group_moment();
  for (int i = 0; i < 300; ++i) m.groups[0].progress.push_back({"p/" + std::to_string(i), i, 1'000});
  for (const auto& [w, h] : {std::pair(1.0F, 1.0F), {100.0F, 50.0F}, {1'000.0F, 400.0F}}) {
    const GroupsPicture p = groups(m, j, 0, {}, w, h, measure);
    check(p.scene);
    EXPECT_GT(p.height, 300 * 20.0F);
    EXPECT_LT(p.scene.shapes().size(), 1'000U) << "what is out of sight is not drawn";
  }
}

using Change = InspectorRow::Change;

TEST(Inspector, MarksWhatTheLastEventChanged) {
  Tree before{"B1", "running"};
  before.add("log", "0..4");
  before.add("gone", "x");
  before.add("ISR", "{1,2}");
  Tree now{"B1", "running"};
  now.add("log", "0..5").add("segment", "0");
  now.add("ISR", "{1,2}");
  const auto rows = inspector_rows(&before, now);
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].change, Change::inside);
  EXPECT_EQ(rows[1].name, "log");
  EXPECT_EQ(rows[1].change, Change::changed);
  EXPECT_EQ(rows[1].before, "0..4");
  EXPECT_EQ(rows[2].name, "segment");
  EXPECT_EQ(rows[2].depth, 2);
  EXPECT_EQ(rows[2].change, Change::added);
  EXPECT_EQ(rows[3].name, "gone");
  EXPECT_EQ(rows[3].change, Change::removed);
  EXPECT_EQ(rows[4].change, Change::none);
  for (const InspectorRow& r : inspector_rows(nullptr, now)) EXPECT_EQ(r.change, Change::none);
}

// Against compare_trees: the same paths are told to have changed.
TEST(Inspector, SaysWhatCompareTreesSays) {
  const auto& r = recorded("showcase.lua");
  std::size_t changes = 0;
  for (std::size_t e = 1; e < r.recording->events(); e += 5) {
    const auto before = r.recording->moment(e - 1), now = r.recording->moment(e);
    for (NodeId n = 0; n < before->nodes.size(); ++n) {
      std::map<std::string, TreeChange::Kind> told;
      compare_trees(&before->nodes[n].state, now->nodes[n].state, [&](const TreePath& path, const TreeChange& c) {
        auto [it, fresh] = told.try_emplace(path_text(path), c.kind);
        if (!fresh) it->second = TreeChange::Kind::changed;  // gone, and there again at another place
      });
      std::map<std::string, TreeChange::Kind> marked;
      for (const InspectorRow& row : inspector_rows(before.get(), *now, n)) {
        if (row.change == Change::none || row.change == Change::inside) continue;
        marked[row.path] = row.change == Change::added ? TreeChange::Kind::added : row.change == Change::removed ? TreeChange::Kind::removed : TreeChange::Kind::changed;
      }
      changes += marked.size();
      for (const auto& [path, kind] : marked) {
        ASSERT_TRUE(told.count(path)) << path;
        ASSERT_EQ(told.at(path), kind) << path;
      }
    }
  }
  EXPECT_GT(changes, 20U);
}

}  // namespace
}  // namespace mqlab::gui
