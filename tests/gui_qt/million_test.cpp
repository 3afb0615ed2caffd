// A run of a million events in the window. Counters, not clocks: what is replayed, drawn and asked for stays bounded. How long the
// window's thread was busy at a time is measured too, and told (MQLAB_TELL_TIMES=1 prints it), not judged: machines differ.
#include <QTest>
#include <QThread>

#include <time.h>

#include <cstdio>
#include <map>
#include <string>

#include "gui/qt/main_window.h"
#include "sim/kernel/random.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

// The run that scripts/look draws too.
const QString million = QStringLiteral(MQLAB_SOURCE_DIR "/tests/gui_qt/looks/million.lua");
constexpr std::size_t shapes_most = 20'000;  // in one picture

// How long the window's thread was busy at a time, at most, by what was done: of processor time, so that a busy machine tells nothing else.
class Busy {
  static double now_ms() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
  }

 public:
  ~Busy() {
    for (const auto& [what, ms] : longest_) ::testing::Test::RecordProperty("busy_ms_" + what, std::to_string(ms));
    if (!qEnvironmentVariableIsSet("MQLAB_TELL_TIMES")) return;
    for (const auto& [what, ms] : longest_) std::printf("busy at most %7.1f ms: %s\n", ms, what.c_str());
    for (const auto& [what, ms] : lasted_) std::printf("settled after %6.0f ms: %s\n", ms, what.c_str());
  }
  void during(const std::string& what, const std::function<void()>& f) {
    const double before = now_ms();
    f();
    longest_[what] = std::max(longest_[what], now_ms() - before);
  }
  // Until the window has settled; false after some minutes.
  bool settle(const std::string& what, MainWindow& w) {
    QElapsedTimer all;
    all.start();
    while (!w.settled() && all.elapsed() < 300'000) {
      during(what, [] { QCoreApplication::processEvents(QEventLoop::AllEvents); });
      QThread::usleep(500);
    }
    lasted_[what] = std::max(lasted_[what], static_cast<double>(all.elapsed()));
    return w.settled();
  }

 private:
  std::map<std::string, double> longest_, lasted_;
};

TEST(MillionEvents, CanBeOpenedScrubbedAndSearched) {
  const QTemporaryDir folder;
  QFile scenario(million);
  ASSERT_TRUE(scenario.open(QIODevice::ReadOnly));
  const QString text = QString::fromUtf8(scenario.readAll());
  WindowSettings settings(folder.path() + "/w.ini");
  MainWindow w(&settings, {.scenario = million, .layout = "debug"});
  Busy busy;
  busy.during("the window's first frame", [&] {
    w.show();
    for (int i = 0; i < 5; ++i) QCoreApplication::processEvents(QEventLoop::AllEvents);
  });
  ASSERT_TRUE(busy.settle("running and opening", w));
  auto r = w.workspace().recording();
  ASSERT_GE(r->events(), 1'000'000U);
  EXPECT_EQ(static_cast<std::size_t>(w.event_pane()->model()->rowCount()), r->events() + r->journal().drops.size());

  // A seek replays what lies between two checkpoints, at most.
  const std::size_t spacing_most = static_cast<std::size_t>(r->result().world->steps()) / (r->checkpoints() - 1) + 1;
  EXPECT_GE(r->checkpoints(), 32U);
  Random random(1, Stream::scenario);
  for (int i = 0; i < 2000; ++i) ASSERT_LE(r->replayed_for(random.below(r->events())), spacing_most);

  // Wherever one looks, and however near, each picture stays small.
  const auto draw = [&](const char* where) {
    ASSERT_TRUE(busy.settle("a seek, a zoom", w)) << where;
    for (const PicturePane* p : w.pictures()) {
      busy.during("a frame of " + p->canvas()->accessibleName().toStdString(), [&] { p->canvas()->settle(); });
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

  // A search reads them all, and what it finds is what is shown. Whoever types on does not wait for it.
  for (const char* words : {"l", "lead", "leader_elected"}) busy.during("asking for a filter", [&] { w.workspace().set_filter(words); });
  EXPECT_TRUE(w.workspace().filtering());
  ASSERT_TRUE(busy.settle("filtering", w));
  EXPECT_LE(w.workspace().background().counters().begun, 3U);
  EXPECT_GT(w.event_pane()->model()->rowCount(), 0);
  EXPECT_LT(w.event_pane()->model()->rowCount(), 1000);
  busy.during("clearing the filter", [&] { w.workspace().clear_filter(); });
  ASSERT_TRUE(busy.settle("clearing the filter", w));

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

  // Another future is made and looked at beside this one, and the first is let go.
  Fault kill;
  kill.kind = FaultKind::kill;
  kill.groups = {{"B3"}};
  kill.duration = 3'000'000'000;
  ASSERT_EQ(w.workspace().go_to("60s"), "");
  ASSERT_TRUE(busy.settle("a seek, a zoom", w));
  busy.during("breaking by hand", [&] { w.workspace().intervene(kill); });
  w.apply_layout("compare");
  ASSERT_TRUE(busy.settle("another future", w));
  ASSERT_EQ(w.workspace().session().branches().size(), 2U);
  EXPECT_GT(w.workspace().session().branch(1).parts_at, r->events() / 4);
  for (const char* place : {"first", "90s", "70s"}) {
    busy.during("a seek in two futures", [&] { w.workspace().go_to(place); });
    ASSERT_TRUE(busy.settle("a seek in two futures", w));
  }
  const std::weak_ptr<const Recording> seen = r;
  r.reset();
  busy.during("running anew", [&] { w.workspace().open("short.lua", QString(text).replace("55000", "50")); });
  busy.during("running anew", [&] { w.workspace().run(); });
  ASSERT_TRUE(busy.settle("running anew", w));
  EXPECT_TRUE(seen.expired()) << "somebody still holds the run before";
}

}  // namespace
}  // namespace mqlab::gui
