// Lanes, cells, flags: what logs and queues hold, drawn from a moment made by hand.
#include "gui/core/logs.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace testing;
const FixedMeasure measure;

MessageId msg(std::uint64_t n) { return numbered_message(0, n); }

struct Stage {
  Moment moment;
  Journal journal;
  Focus focus;
  Stage() {
    for (const char* name : {"P", "B1", "B2", "C"}) {
      moment.nodes.push_back(node(name, name[0] == 'B' ? "broker" : "client"));
      journal.processes.push_back(name);
    }
    journal.names.id("orders/0");
  }
  PlaceContents& log(NodeId on, std::int64_t from, std::int64_t to, std::int64_t high_watermark, bool leads) {
    PlaceContents& p = moment.places.emplace_back();
    p.place = "orders/0";
    p.kind = "replica";
    p.node = on;
    p.leads = leads;
    p.role = leads ? "leader" : "follower";
    p.first = from;
    p.end = to;
    for (std::int64_t at = from; at < to; ++at) p.records.push_back(a_record(at, at < high_watermark ? RecordState::committed : RecordState::uncommitted, msg(static_cast<std::uint64_t>(at) + 1)));
    p.markers = {{"HW", high_watermark, "high watermark"}, {"LEO", to, "log end offset"}};
    return p;
  }
  LogsPicture draw(LogsView view = {}, float w = 800, float h = 300) const {
    LogsPicture p = logs(moment, journal, view, focus, w, h, measure);
    check(p.scene);
    return p;
  }
  EntityId record(std::int64_t at) const { return EntityId::record(journal.names.find("orders/0"), static_cast<std::uint64_t>(at)); }
};

float left_of(const Scene& s, EntityId e, std::size_t nth = 0) {
  for (const Shape& x : s.shapes())
    if (x.kind == ShapeKind::rectangle && x.entity == e && nth-- == 0) return x.from.x;
  return -1;
}

TEST(Logs, CopiesOfAPlaceShareTheirColumns) {
  Stage st;
  st.log(1, 0, 5, 3, true);
  st.log(2, 0, 4, 3, false);
  const Scene s = st.draw().scene;
  std::map<float, int> columns;
  for (const Shape& x : s.shapes())
    if (x.kind == ShapeKind::rectangle && x.entity == st.record(2) && !x.filled) ++columns[x.from.x];
  ASSERT_EQ(columns.size(), 1U) << "one position, one column";
  EXPECT_EQ(columns.begin()->second, 2);
  EXPECT_LT(left_of(s, st.record(1)), left_of(s, st.record(2)));
  EXPECT_TRUE(shows(s, "P-3"));
  EXPECT_EQ(count(s, ShapeKind::star, Ink::leader), 1U);
  EXPECT_EQ(overlap(s, measure), "");
}

TEST(Logs, WhatIsNotCommittedIsHatchedAndSaidSo) {
  Stage st;
  st.log(1, 0, 5, 3, true);
  const Scene s = st.draw().scene;
  std::size_t hatched = 0, solid = 0;
  for (const Shape& x : s.shapes()) {
    hatched += x.kind == ShapeKind::line && x.ink == Ink::uncommitted && x.entity == st.record(4);
    solid += x.kind == ShapeKind::rectangle && x.ink == Ink::committed && x.entity == st.record(4);
    EXPECT_FALSE(x.kind == ShapeKind::line && x.ink == Ink::uncommitted && x.entity == st.record(2));
  }
  EXPECT_GT(hatched, 2U);
  EXPECT_EQ(solid, 0U);
  EXPECT_EQ(said(s, st.record(4)), "P-5 at 4 on B1: not committed");
  EXPECT_EQ(said(s, st.record(2)), "P-3 at 2 on B1: committed");
}

TEST(Logs, FlagsStandBeforeThePositionTheyName) {
  Stage st;
  st.log(1, 0, 5, 3, true);
  const Scene s = st.draw().scene;
  float flag = -1;
  for (const Shape& x : s.shapes())
    if (x.kind == ShapeKind::line && x.ink == Ink::committed) flag = x.from.x;
  ASSERT_GT(flag, 0);
  EXPECT_LT(left_of(s, st.record(2)), flag);
  EXPECT_LE(flag, left_of(s, st.record(3)));
  EXPECT_TRUE(shows(s, "HW"));
  EXPECT_TRUE(shows(s, "LEO"));
}

TEST(Logs, MarkersAtOnePositionAreOneFlag) {
  Stage st;
  st.log(1, 0, 5, 5, true);
  EXPECT_TRUE(shows(st.draw().scene, "HW · LEO"));
}

TEST(Logs, LongLogsShowTheirEndAndSayWhatIsLeftOut) {
  Stage st;
  st.log(1, 0, 300, 299, true);
  const LogsPicture p = st.draw();
  EXPECT_TRUE(shows(p.scene, "P-300"));
  EXPECT_FALSE(shows(p.scene, "P-1"));
  EXPECT_GT(p.back_most, 250);
  EXPECT_TRUE(remarks(p.scene, "earlier positions are left of the picture"));
  const LogsPicture back = st.draw({.back = p.back_most});
  const auto all = labels(back.scene);
  EXPECT_NE(std::find(all.begin(), all.end(), "P-1"), all.end());
  EXPECT_FALSE(remarks(back.scene, "left of the picture"));
}

TEST(Logs, AQueueHasNoGapsAndShowsWhoHasWhat) {
  Stage st;
  PlaceContents& q = st.moment.places.emplace_back();
  q.place = "orders/0";
  q.kind = "classic queue orders.g";
  q.node = 1;
  q.queue = true;
  q.first = 3;
  q.end = 90;
  q.records = {a_record(3, RecordState::unacked, msg(3)), a_record(40, RecordState::ready, msg(40)), a_record(89, RecordState::ready, msg(89))};
  q.records[0].holder = 3;
  q.records[0].attempts = 2;
  const Scene s = st.draw().scene;
  const float cell = left_of(s, st.record(40)) - left_of(s, st.record(3));
  EXPECT_NEAR(left_of(s, st.record(89)) - left_of(s, st.record(40)), cell, 0.5F);
  EXPECT_TRUE(shows(s, "×3"));
  EXPECT_EQ(said(s, st.record(3)), "P-3 at 3 on B1: with C, not acknowledged, delivered 2 times before");
  bool holder = false;
  for (const Shape& x : s.shapes()) holder |= x.kind == ShapeKind::text && x.label == "C" && x.entity == EntityId::node(3);
  EXPECT_TRUE(holder);
}

TEST(Logs, LongQueuesShowTheirHead) {
  Stage st;
  PlaceContents& q = st.log(1, 0, 300, 300, false);
  q.queue = true;
  q.markers.clear();
  const Scene s = st.draw().scene;
  const auto all = labels(s);
  EXPECT_NE(std::find(all.begin(), all.end(), "P-1"), all.end());
  EXPECT_FALSE(shows(s, "P-300"));
  EXPECT_TRUE(remarks(s, "messages are right of the picture"));
  EXPECT_TRUE(shows(st.draw({.back = st.draw().back_most}).scene, "P-300"));
}

TEST(Logs, TransactionsAndControlRecordsDifferByShape) {
  Stage st;
  PlaceContents& p = st.log(1, 0, 3, 3, true);
  p.records[0].state = RecordState::aborted;
  p.records[1].state = RecordState::open;
  p.records[2] = a_record(2, RecordState::control, no_message);
  p.records[2].text = "ABORT marker";
  const Scene s = st.draw().scene;
  bool struck = false, dashed = false, diamond = false;
  for (const Shape& x : s.shapes()) {
    struck |= x.kind == ShapeKind::line && x.entity == st.record(0) && x.ink == Ink::violated;
    dashed |= x.kind == ShapeKind::rectangle && x.entity == st.record(1) && x.dashed;
    diamond |= x.kind == ShapeKind::diamond && x.entity == st.record(2);
  }
  EXPECT_TRUE(struck && dashed && diamond);
  EXPECT_EQ(said(s, st.record(2)), "control record at 2 on B1: no message of an application, ABORT marker");
}

TEST(Logs, TheMessageInFocusIsLitInEveryCopy) {
  Stage st;
  st.log(1, 0, 5, 3, true);
  st.log(2, 0, 5, 3, false);
  EXPECT_EQ(count(st.draw().scene, ShapeKind::rectangle, Ink::selection), 0U);
  st.focus.entity = EntityId::message(msg(2));
  EXPECT_EQ(count(st.draw().scene, ShapeKind::rectangle, Ink::selection), 2U);
}

TEST(Logs, TheBrokersOwnTopicsAreHiddenUnlessAskedFor) {
  Stage st;
  st.log(1, 0, 2, 2, true);
  st.moment.places.emplace_back(st.moment.places[0]).place = "__consumer_offsets/0";
  EXPECT_FALSE(shows(st.draw().scene, "__consumer"));
  EXPECT_TRUE(remarks(st.draw().scene, "one place of the brokers' own is hidden"));
  EXPECT_TRUE(shows(st.draw({.internal = true}).scene, "__consumer"));
}

TEST(Logs, EmptyAndHugeLookSensible) {
  Stage st;
  EXPECT_TRUE(shows(st.draw().scene, "Nothing is stored at this moment"));
  for (int i = 0; i < 60; ++i) st.log(1, 0, 500, 400, true).place = fmt::format("orders/{}", i);
  for (const auto& [w, h] : {std::pair(1.0F, 1.0F), {80.0F, 30.0F}, {1'280.0F, 300.0F}}) {
    const LogsPicture p = st.draw({}, w, h);
    EXPECT_GT(p.height, 60 * 40.0F);
    EXPECT_TRUE(remarks(p.scene, "more places are below"));
    EXPECT_LT(p.scene.shapes().size(), 20'000U) << "what is out of sight is not drawn";
  }
  EXPECT_FALSE(remarks(st.draw({.scroll = 1e6F}).scene, "more places are below"));
}

// Any contents at all: positions in sight are in their order, whatever is scrolled.
RC_GTEST_PROP(Logs, CellsStandInTheOrderOfTheirPositions, (std::uint8_t n, std::uint8_t gaps, std::uint16_t back, std::uint16_t width, bool queue)) {
  Stage st;
  PlaceContents& p = st.log(1, 0, 0, 0, true);
  p.queue = queue;
  for (std::uint64_t i = 0, at = 5; i < n % 60U; ++i, at += 1 + (gaps >> (i % 8)) % 3) p.records.push_back(a_record(static_cast<std::int64_t>(at), static_cast<RecordState>((i + gaps) % 7), msg(i + 1)));
  p.first = p.records.empty() ? 0 : p.records.front().position;
  p.end = p.records.empty() ? 0 : p.records.back().position + 1;
  p.markers = {{"HW", p.end, "x"}, {"B2", p.first, "y"}};
  const Scene s = st.draw({.back = back % 80}, static_cast<float>(100 + width % 1'200)).scene;
  std::int64_t last = -1;
  float last_x = -1;
  for (const Shape& x : s.shapes()) {
    if (x.kind != ShapeKind::rectangle || x.filled || x.ink == Ink::fault || x.entity.kind != EntityId::Kind::record) continue;
    const auto at = static_cast<std::int64_t>(x.entity.b);
    if (at == last) continue;
    RC_ASSERT(at > last);
    RC_ASSERT(x.from.x > last_x);
    last = at;
    last_x = x.from.x;
  }
}

}  // namespace
}  // namespace mqlab::gui
