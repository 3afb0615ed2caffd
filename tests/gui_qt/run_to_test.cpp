// The window: messages that never arrived in its tables, and sentences about the state in its field "go to".
#include <QLabel>
#include <QTableView>
#include <QTest>

#include "gui/core/go_to.h"
#include "gui/qt/main_window.h"
#include "sim/record/event_text.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

struct Room {
  QTemporaryDir folder;
  WindowSettings settings{folder.path() + "/w.ini"};
  MainWindow window;
  QString told;

  explicit Room(const char* scenario = "scenarios/museum/kafka/p01-retry-duplicate.lua") : window(&settings, {.scenario = source(scenario), .layout = "debug"}) {
    QObject::connect(&window.workspace(), &Workspace::told, &window, [this](const QString& t) { told = t; });
    window.show();
    EXPECT_TRUE(wait_until([&] { return window.workspace().has_events() && window.settled(); }));
  }
  Workspace& w() { return window.workspace(); }
  const Recording& r() { return *window.workspace().recording(); }
  bool filter_is_there() {
    return wait_until([&] { return !w().filtering() && window.settled(); });
  }
  bool search_is_over() {
    return wait_until([&] { return !w().searching() && window.settled(); });
  }
};

std::size_t the_answer(const Recording& r) {
  for (std::size_t i = 0; i < r.journal().drops.size(); ++i)
    if (r.journal().drops[i].why == DropReason::fault) return i;
  ADD_FAILURE() << "nothing was dropped";
  return 0;
}

TEST(RunTo, TheWordDroppedShowsWhatNeverArrivedAndAClickGoesThere) {
  Room room;
  const std::size_t answer = the_answer(room.r());
  room.w().set_filter("dropped fault");
  ASSERT_TRUE(room.filter_is_there());
  EventModel* m = room.window.event_pane()->model();
  const int row = m->row_of_drop(answer);
  ASSERT_GE(row, 0);
  room.window.event_pane()->view()->setCurrentIndex(m->index(row, 0));
  EXPECT_EQ(room.w().entity(), EntityId::drop(answer));
  EXPECT_EQ(room.w().event(), room.r().event_of_drop(answer));
  EXPECT_EQ(m->drop_of(room.window.event_pane()->view()->currentIndex().row()), std::optional<std::size_t>(answer)) << "it stays on its row";
  room.w().clear_filter();
  ASSERT_TRUE(room.filter_is_there());
  EXPECT_EQ(m->drop_of(room.window.event_pane()->view()->currentIndex().row()), std::optional<std::size_t>(answer)) << "and finds it again among all";
  // A step goes on from there.
  room.w().step(1);
  EXPECT_EQ(room.w().event(), room.r().event_of_drop(answer) + 1);
  EXPECT_FALSE(m->drop_of(room.window.event_pane()->view()->currentIndex().row()));
}

TEST(RunTo, AChipLeavesThemAlone) {
  Room room;
  room.w().add_chip(Chip::dropped());
  ASSERT_TRUE(room.filter_is_there());
  ASSERT_TRUE(room.w().rows());
  EXPECT_TRUE(room.w().rows()->empty());
  EXPECT_EQ(static_cast<std::size_t>(room.window.event_pane()->model()->rowCount()), room.r().journal().drops.size());
}

TEST(RunTo, ASentenceIsSearchedForAndGoneTo) {
  Room room;
  room.w().set_event(0);
  ASSERT_EQ(room.w().go_to("hw orders/0 = 3"), "");
  ASSERT_TRUE(room.search_is_over());
  const auto expected = find_event(room.r(), *read_predicate("hw orders/0 = 3").predicate, 0, Direction::forward).event;
  ASSERT_TRUE(expected);
  EXPECT_EQ(room.w().event(), *expected);
  EXPECT_TRUE(room.told.startsWith(QStringLiteral("hw orders/0 = 3: #%1").arg(*expected))) << room.told.toStdString();
  room.w().set_event(room.r().events() - 1);
  ASSERT_EQ(room.w().go_to("previous hw orders/0 < 3"), "");
  ASSERT_TRUE(room.search_is_over());
  EXPECT_EQ(room.w().event(), *find_event(room.r(), *read_predicate("hw orders/0 < 3").predicate, room.r().events() - 1, Direction::backward).event);
}

TEST(RunTo, NeverTrueAndWrongWordsAreTold) {
  Room room;
  room.w().set_event(0);
  EXPECT_TRUE(room.w().go_to("lag readers").contains("is compared with nothing"));
  EXPECT_TRUE(room.w().go_to("irs orders/0 < 3").contains("did you mean `isr`?"));
  EXPECT_TRUE(room.w().go_to("state B9 = down").contains("no node of this run"));
  EXPECT_FALSE(room.w().searching());
  ASSERT_EQ(room.w().go_to("hw orders/0 > 1000000"), "");
  ASSERT_TRUE(room.search_is_over());
  EXPECT_EQ(room.w().event(), 0U);
  EXPECT_TRUE(room.told.contains("is never true in #1 to #")) << room.told.toStdString();
}

TEST(RunTo, EscCallsASearchOff) {
  Room room;
  room.w().set_event(0);
  ASSERT_EQ(room.w().go_to("hw orders/0 > 1000000"), "");
  room.window.actions()["edit.clear"]->trigger();
  ASSERT_TRUE(room.search_is_over());
  EXPECT_EQ(room.w().event(), 0U);
  EXPECT_TRUE(room.told.contains("called off") || room.told.contains("never true")) << room.told.toStdString();  // it may have been over before
}

TEST(RunTo, TheFieldOffersWhatTheRunKnows) {
  Room room;
  const QStringList all = room.w().go_to_suggestions();
  EXPECT_TRUE(all.contains("next dropped"));
  EXPECT_FALSE(all.filter("isr orders/0 = ").isEmpty());
  EXPECT_FALSE(all.filter("state B1 = down").isEmpty());
  for (const QString& s : all) {
    const auto asked = asked_by(s.toStdString());
    EXPECT_TRUE(!asked || asked->complaint.empty()) << s.toStdString();
  }
}

// Also where several were over at one event.
TEST(RunTo, TheKeyOfDroppedMessagesLeadsFromOneToTheNext) {
  Room room("scenarios/showcase.lua");
  const Journal& j = room.r().journal();
  std::vector<std::size_t> all, seen;
  for (std::size_t i = 0; i < j.drops.size(); ++i)
    if (j.messages[j.drops[i].event.type].traffic != Traffic::heartbeat) all.push_back(i);
  room.w().set_event(0);
  for (std::size_t n = 0; n <= all.size(); ++n) {  // once more than there are: then it stays
    room.window.actions()["run.next_dropped"]->trigger();
    ASSERT_EQ(room.w().entity().kind, EntityId::Kind::drop);
    EXPECT_EQ(room.w().event(), room.r().event_of_drop(room.w().entity().a));
    if (seen.empty() || seen.back() != room.w().entity().a) seen.push_back(room.w().entity().a);
  }
  EXPECT_EQ(seen, all);
}

// Why it came to this: the answer that P1 waited for in vain has a link.
TEST(RunTo, AVerdictNamesTheAnswerThatNeverCame) {
  Room room;
  const auto& verdicts = room.r().result().verdicts;
  QString pages;
  for (std::size_t v = 0; v < verdicts.size(); ++v) {
    WhatIfPage page(&room.w());
    pages += page.causes(v);
  }
  const std::size_t answer = the_answer(room.r());
  EXPECT_TRUE(pages.contains(QStringLiteral("mqlab:go?drop=%1").arg(answer))) << pages.toStdString();
  WhatIfPage page(&room.w());
  EXPECT_TRUE(page.follow(QUrl(QStringLiteral("mqlab:go?drop=%1").arg(answer))));
  EXPECT_EQ(room.w().entity(), EntityId::drop(answer));
}

}  // namespace
}  // namespace mqlab::gui
