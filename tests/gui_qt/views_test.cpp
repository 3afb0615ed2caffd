// Every view of a run fits its room: no text is cut off or lies on another, and what is empty says why.
#include "gui/qt/view_tour.h"

#include <QDir>
#include <QImage>
#include <QLabel>
#include <QRegularExpression>
#include <QStatusBar>
#include <QTest>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "gui/core/flaws.h"
#include "gui/qt/main_window.h"
#include "gui/qt/window_layout.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

class Views : public ::testing::Test {
 protected:
  MainWindow& open(const QString& scenario, const QString& at = {}) {
    settings_ = std::make_unique<WindowSettings>(folder_.path() + "/w.ini");
    window_ = std::make_unique<MainWindow>(settings_.get(), WindowOptions{.scenario = scenario, .layout = "learn", .at = at});
    window_->resize(1280, 800);
    window_->show();
    settle();
    return *window_;
  }
  // At rest, and the sizes of a layout are applied.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      QTest::qWait(20);
      ASSERT_TRUE(wait_until([&] { return window_->settled(); }));
    }
  }
  std::string flaws() { return (flaws_of_canvases(window_.get()) + flaws_of_widgets(window_.get())).join('\n').toStdString(); }

  QTemporaryDir folder_;
  std::unique_ptr<WindowSettings> settings_;
  std::unique_ptr<MainWindow> window_;
};

TEST(Layouts, SharesMakeAWholeAndNoPaneStandsTwice) {
  for (const WindowLayout& l : window_layouts()) {
    int wide = 0;
    std::set<std::string> seen;
    for (const LayoutColumn& c : l.columns) {
      wide += c.percent;
      int high = 0;
      for (const LayoutCell& cell : c.cells) {
        high += cell.percent;
        for (const char* pane : cell.panes) EXPECT_TRUE(seen.insert(pane).second) << l.name << ": " << pane;
      }
      EXPECT_EQ(high, 100) << l.name;
    }
    EXPECT_EQ(wide, 100) << l.name;
  }
}

TEST_F(Views, InEachLayoutEachTextHasItsRoom) {
  MainWindow& w = open(source("scenarios/museum/kafka/p01-retry-duplicate.lua"), "8s");
  for (const QString& name : layout_names()) {
    w.apply_layout(name);
    settle();
    EXPECT_EQ(flaws(), "") << name.toStdString();
  }
}

TEST_F(Views, EachPaneBehindATabHasItsRoom) {
  MainWindow& w = open(source("tests/gui_qt/looks/long-names.lua"), "8s");
  w.apply_layout("debug");
  for (const char* pane : {"lesson", "console", "logs", "groups", "plots", "notebook", "branches", "inspector"}) {
    w.dock(pane)->show();
    w.dock(pane)->raise();
    settle();
    EXPECT_EQ(flaws(), "") << pane;
  }
}

// The window stays as large as it is, and no text is cut, whatever size it has.
TEST_F(Views, WithLargerTextEachPaneKeepsItsLeastWidth) {
  MainWindow& w = open(source("scenarios/museum/kafka/p01-retry-duplicate.lua"), "8s");
  for (const int scale : {100, 125, 150}) {
    w.set_scale(scale);
    for (const WindowLayout& l : window_layouts()) {
      w.apply_layout(l.name);
      settle();
      EXPECT_EQ(w.size(), QSize(1280, 800)) << l.name << ", " << scale << " %";
      EXPECT_EQ(flaws(), "") << l.name << ", " << scale << " %";
      for (const LayoutColumn& c : l.columns)
        for (const LayoutCell& cell : c.cells)
          for (const char* name : cell.panes) {
            QDockWidget* d = w.dock(name);
            d->raise();
            settle();
            EXPECT_GE(d->widget()->width(), least_letters(name) * w.fontMetrics().averageCharWidth()) << name << " in " << l.name << ", " << scale << " %";
            EXPECT_TRUE(w.rect().contains(d->geometry())) << name << " in " << l.name << ", " << scale << " %";
          }
    }
  }
  w.set_scale(scale_max);
  settle();
  EXPECT_EQ(w.width(), 1280) << "even then";
  w.set_scale(100);
}

// From the highest to the lowest ink of a pane's title.
int height_of_title(QDockWidget* d) {
  const QImage title = d->grab(QRect(0, 0, 90, d->widget()->y() - 2)).toImage();
  int first = -1, last = -1;
  for (int y = 0; y < title.height(); ++y)
    for (int x = 0; x < title.width(); ++x)
      if (qGray(title.pixel(x, y)) < 120) {
        if (first < 0) first = y;
        last = y;
      }
  return first < 0 ? 0 : last - first + 1;
}

TEST_F(Views, TitlesOfPanesGrowWithTheText) {
  MainWindow& w = open(source("scenarios/museum/kafka/p01-retry-duplicate.lua"));
  const int usual = height_of_title(w.dock("verdicts"));
  EXPECT_GE(usual, 6);
  w.set_scale(200);
  settle();
  EXPECT_NEAR(height_of_title(w.dock("verdicts")), 2 * usual, 2);
  w.set_theme(Theme::high_contrast_light);
  w.set_theme(Theme::light);
  w.apply_layout("debug");
  settle();
  EXPECT_NEAR(height_of_title(w.dock("verdicts")), 2 * usual, 2) << "in another layout and theme";
  window_.reset();
  // As it was when the window is opened again.
  window_ = std::make_unique<MainWindow>(settings_.get(), WindowOptions{.layout = "learn"});
  window_->show_start_page(false);
  window_->show();
  settle();
  EXPECT_EQ(settings_->scale(), 200);
  EXPECT_NEAR(height_of_title(window_->dock("verdicts")), 2 * usual, 2) << "from its beginning";
  window_->set_scale(100);
  settle();
  EXPECT_EQ(height_of_title(window_->dock("verdicts")), usual);
}

// What is told for a while is read whole, and then all else is there again.
TEST_F(Views, WhatTheStatusBarTellsHasItsRoom) {
  MainWindow& w = open(source("scenarios/museum/kafka/p01-retry-duplicate.lua"), "8s");
  const QString said = "A sentence of about sixty letters, as those that are told: #87";
  for (const int scale : {100, 150}) {
    w.set_scale(scale);
    settle();
    const auto standing = [&] {
      int n = 0;
      for (const QLabel* l : w.statusBar()->findChildren<QLabel*>()) n += l->isVisible() && !l->text().isEmpty();
      return n;
    };
    w.statusBar()->clearMessage();
    settle();
    const int before = standing();
    EXPECT_EQ(before, 5) << scale;
    emit w.workspace().told(said);
    settle();
    int left = w.statusBar()->width();
    for (const QLabel* l : w.statusBar()->findChildren<QLabel*>())
      if (l->isVisible()) left = std::min(left, l->x());
    EXPECT_GE(left, w.statusBar()->fontMetrics().horizontalAdvance(said)) << scale;
    w.statusBar()->clearMessage();
    settle();
    EXPECT_EQ(standing(), before) << scale;
    EXPECT_EQ(w.size(), QSize(1280, 800)) << scale;
  }
  w.set_scale(100);
}

// A run of no event at all, and of one: each picture says what there is, and nothing is divided by it.
TEST_F(Views, ARunOfNoEventAndARunOfOneAreShown) {
  for (const std::size_t events : {0, 1}) {
    MainWindow& w = open(source(events == 0 ? "tests/gui_qt/looks/no-event.lua" : "tests/gui_qt/looks/one-event.lua"));
    ASSERT_TRUE(wait_until([&] { return w.workspace().recording() != nullptr; }));
    ASSERT_EQ(w.workspace().recording()->events(), events);
    for (const QString& layout : layout_names()) {
      w.apply_layout(layout);
      for (const char* name : {"topology", "logs", "groups", "spacetime", "plots", "events", "branches", "verdicts", "inspector", "faults", "console"}) {
        w.dock(name)->show();
        w.dock(name)->raise();
        settle();
        const std::string where = layout.toStdString() + ", " + name + ", events: " + std::to_string(events);
        EXPECT_EQ(flaws(), "") << where;
        const auto* p = qobject_cast<PicturePane*>(w.dock(name)->widget());
        if (!p) continue;
        const Scene& s = p->canvas()->scene();
        ASSERT_FALSE(s.named().empty()) << where;
        if (events == 0) {
          EXPECT_NE(s.named()[0].text.find("Nothing happened in this run."), std::string::npos) << where << ": " << s.named()[0].text;
        }
        for (const Shape& x : s.shapes()) {
          EXPECT_TRUE(std::isfinite(x.from.x) && std::isfinite(x.from.y) && std::isfinite(x.to.x) && std::isfinite(x.to.y)) << where << ": " << x.label;
          for (const char* foolish : {"nan", "inf", "1 messages", "1e-"}) EXPECT_EQ(x.label.find(foolish), std::string::npos) << where << ": " << x.label;
        }
      }
    }
    QStringList said;
    for (const QLabel* l : w.findChildren<QLabel*>()) said << l->text();
    EXPECT_EQ(said.count(events == 0 ? "0 events" : "1 event"), 2) << "beside the filter and in the status bar: " << said.join('|').toStdString();
    for (const QString& text : said) EXPECT_FALSE(QRegularExpression("\\b1 (event|message|checkpoint)s").match(text).hasMatch()) << text.toStdString();
    window_.reset();
  }
}

TEST_F(Views, TheTopologiesOfTwoFuturesNameEveryNode) {
  MainWindow& w = open(source("scenarios/showcase.lua"), "12s");
  w.workspace().fork_setting({"acks", std::string("all"), true, 0});
  ASSERT_TRUE(wait_until([&] { return w.workspace().session().current() == 1; }));
  w.apply_layout("compare");
  settle();
  for (const char* pane : {"topology", "beside_topology"}) {
    const auto* p = qobject_cast<PicturePane*>(w.dock(pane)->widget());
    EXPECT_GE(p->canvas()->width(), 400) << pane;
    std::set<std::string> texts;
    for (const Shape& x : p->canvas()->scene().shapes())
      if (x.kind == ShapeKind::text) texts.insert(x.label);
    ASSERT_GE(w.workspace().moment()->nodes.size(), 5U);
    for (const NodeMoment& n : w.workspace().moment()->nodes) EXPECT_TRUE(texts.count(n.name)) << pane << " does not name " << n.name;
  }
  EXPECT_EQ(flaws(), "");
}

// Two pictures of the same cluster are compared at a glance: each node stands in the same place, knobs or not.
TEST_F(Views, TheTopologiesOfTwoFuturesAreLaidOutAlike) {
  MainWindow& w = open(source("scenarios/showcase.lua"), "12s");
  w.workspace().fork_setting({"acks", std::string("all"), true, 0});
  ASSERT_TRUE(wait_until([&] { return w.workspace().session().current() == 1; }));
  w.apply_layout("compare");
  for (const QSize size : {QSize(1920, 1080), QSize(1280, 800)}) {
    w.resize(size);
    settle();
    w.apply_layout("compare");
    settle();
    const auto places = [&](const char* pane) {
      std::map<std::string, Rect> out;
      const Scene& s = qobject_cast<PicturePane*>(w.dock(pane)->widget())->canvas()->scene();
      for (const Named& n : s.named())
        if (n.entity.kind == EntityId::Kind::node) out[w.workspace().recording()->line_name(static_cast<NodeId>(n.entity.a))] = n.bounds;
      return out;
    };
    const auto here = places("topology"), there = places("beside_topology");
    ASSERT_GE(here.size(), 5U);
    ASSERT_EQ(here.size(), there.size());
    for (const auto& [name, r] : here) {
      EXPECT_NEAR(r.x, there.at(name).x, 2) << name << " at " << size.width();
      EXPECT_NEAR(r.y, there.at(name).y, 2) << name << " at " << size.width();
    }
    if (size.width() == 1920) {
      EXPECT_GT(w.pictures()[0]->canvas()->canvas().strip_height(), 0.0F) << "there are knobs below one of them";
    }
  }
}

// Nothing has been run: each picture says what it would show, and how to get there.
TEST_F(Views, AnEmptyPictureSaysWhyAndWhatToDo) {
  MainWindow& w = open({});
  w.show_start_page(false);
  for (const QString& name : layout_names()) {
    w.apply_layout(name);
    for (const char* pane : {"topology", "logs", "groups", "spacetime", "plots", "beside", "beside_topology"}) {
      w.dock(pane)->show();
      w.dock(pane)->raise();
      settle();
      const auto* p = qobject_cast<PicturePane*>(w.dock(pane)->widget());
      ASSERT_FALSE(p->canvas()->scene().named().empty()) << pane;
      EXPECT_NE(p->canvas()->scene().named()[0].text.find("Ctrl+R"), std::string::npos) << pane << ": " << p->canvas()->scene().named()[0].text;
      EXPECT_EQ(flaws(), "") << name.toStdString() << ", " << pane;
    }
  }
}

TEST_F(Views, ATourWritesAPictureOfEachViewAndWhatIsWrong) {
  MainWindow& w = open(source("scenarios/museum/kafka/p01-retry-duplicate.lua"), "8s");
  const QString folder = folder_.path() + "/views";
  ViewTour tour(&w, {.folder = folder, .sizes = {{1000, 700}}, .themes = {Theme::dark}});
  QString trouble = "not done";
  QObject::connect(&tour, &ViewTour::done, [&](const QString& t) { trouble = t; });
  ASSERT_TRUE(wait_until([&] { return trouble != "not done"; }));
  EXPECT_EQ(trouble, "");
  EXPECT_EQ(QDir(folder + "/1000x700-dark").entryList({"*.png"}).size(), tour.names().size());
  EXPECT_TRUE(QFile::exists(folder + "/flaws.txt"));
  EXPECT_EQ(QImage(folder + "/1000x700-dark/00-learn.png").size(), QSize(1000, 700));
}

TEST_F(Views, WhatAWidgetIsTooSmallForIsTold) {
  QWidget window;
  window.setObjectName("w");
  window.resize(300, 100);
  QLabel label("a sentence that is longer than its label", &window);
  label.setGeometry(0, 0, 60, 20);
  window.show();
  QTest::qWait(20);
  const QStringList all = flaws_of_widgets(&window);
  ASSERT_EQ(all.size(), 1);
  EXPECT_TRUE(all[0].contains("a sentence that is longer than its label")) << all[0].toStdString();
  label.setGeometry(0, 0, 299, 20);
  EXPECT_TRUE(flaws_of_widgets(&window).isEmpty());
}

}  // namespace
}  // namespace mqlab::gui
