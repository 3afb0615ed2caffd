// A run of a million events in the window. Counters, not clocks: what is replayed, drawn and asked for stays bounded.
#include <QTest>

#include "gui/qt/main_window.h"
#include "sim/kernel/random.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

constexpr const char* million = R"(return scenario {
  title = "A million events",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 3, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 55000, every = ms(3), start_at = seconds(1), acks = "all" },
    producer "P2" { topic = "orders", records = 55000, every = ms(3), start_at = seconds(1), acks = "all" },
    producer "P3" { topic = "orders", records = 55000, every = ms(3), start_at = seconds(1), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = { at(seconds(20), power "B2" { duration = seconds(5) }) },
  run_for = seconds(170),
  expect = { reaches "leader_elected" },
}
)";
constexpr std::size_t shapes_most = 20'000;  // in one picture

TEST(MillionEvents, CanBeOpenedScrubbedAndSearched) {
  const QTemporaryDir folder;
  QFile scenario(folder.path() + "/million.lua");
  ASSERT_TRUE(scenario.open(QIODevice::WriteOnly));
  scenario.write(million);
  scenario.close();
  WindowSettings settings(folder.path() + "/w.ini");
  MainWindow w(&settings, {.scenario = scenario.fileName(), .layout = "debug"});
  w.show();
  ASSERT_TRUE(wait_until([&] { return w.workspace().has_events() && w.settled(); }));
  const auto r = w.workspace().recording();
  ASSERT_GE(r->events(), 1'000'000U);
  EXPECT_EQ(static_cast<std::size_t>(w.event_pane()->model()->rowCount()), r->events());

  // A seek replays what lies between two checkpoints, at most.
  const std::size_t spacing_most = static_cast<std::size_t>(r->result().world->steps()) / (r->checkpoints() - 1) + 1;
  EXPECT_GE(r->checkpoints(), 32U);
  Random random(1, Stream::scenario);
  for (int i = 0; i < 2000; ++i) ASSERT_LE(r->replayed_for(random.below(r->events())), spacing_most);

  // Wherever one looks, and however near, each picture stays small.
  const auto draw = [&](const char* where) {
    ASSERT_TRUE(wait_until([&] { return w.settled(); })) << where;
    for (const PicturePane* p : w.pictures()) {
      p->canvas()->settle();
      EXPECT_LT(p->canvas()->scene().shapes().size(), shapes_most) << where << ", " << p->canvas()->accessibleName().toStdString();
    }
  };
  for (const char* pane : {"topology", "spacetime", "plots", "logs", "groups"}) {
    w.dock(pane)->show();
    w.dock(pane)->raise();
    w.facts().show_all();
    for (const char* place : {"first", "21s", "last"}) {
      ASSERT_EQ(w.workspace().go_to(place), "");
      draw(place);
    }
    for (int i = 0; i < 12; ++i) {
      w.facts().zoom(4, 0.5);
      draw("nearer");
    }
  }

  // A search reads them all, and what it finds is what is shown.
  w.workspace().set_filter("leader_elected");
  ASSERT_TRUE(wait_until([&] { return w.workspace().rows() != nullptr; }));
  EXPECT_GT(w.event_pane()->model()->rowCount(), 0);
  EXPECT_LT(w.event_pane()->model()->rowCount(), 1000);
  w.workspace().clear_filter();
  ASSERT_TRUE(wait_until([&] { return w.settled(); }));

  // At rest nothing is drawn.
  const auto frames = [&] {
    std::uint64_t n = 0;
    for (const PicturePane* p : w.pictures()) n += p->canvas()->canvas().frames();
    return n;
  };
  QTest::qWait(200);
  const std::uint64_t before = frames();
  for (int turn = 0; turn < 50; ++turn) QTest::qWait(10);
  EXPECT_EQ(frames(), before) << "frames were drawn of a window that stood still";
}

}  // namespace
}  // namespace mqlab::gui
