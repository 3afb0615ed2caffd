// Two futures side by side, and "what if" below a broken guarantee: offscreen, in the whole window.
#include <QScrollBar>
#include <QTest>
#include <QUrl>

#include <algorithm>

#include "gui/qt/beside.h"
#include "gui/qt/fault_palette.h"
#include "gui/qt/main_window.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

class Futures : public ::testing::Test {
 protected:
  MainWindow& open(const WindowOptions& options) {
    settings_ = std::make_unique<WindowSettings>(folder_.path() + "/w.ini");
    window_ = std::make_unique<MainWindow>(settings_.get(), options);
    window_->show();
    settle();
    return *window_;
  }
  MainWindow& showcase_window(const char* layout = "compare", const QStringList& breaks = {}) { return open({.scenario = source("scenarios/showcase.lua"), .layout = layout, .breaks = breaks}); }
  void settle() {
    ASSERT_TRUE(wait_until([&] { return window_->settled() && window_->workspace().has_events(); })) << "it never settled";
  }
  Workspace& workspace() { return window_->workspace(); }
  template <class Pane>
  Pane* pane(const char* name) {
    auto* p = dynamic_cast<Pane*>(window_->dock(name)->widget());
    EXPECT_NE(p, nullptr);
    return p;
  }
  QString page() { return window_->verdict_pane()->page()->toPlainText(); }
  QString html() { return window_->verdict_pane()->page()->toHtml(); }
  void follow(const QString& link) {
    emit window_->verdict_pane()->page()->anchorClicked(QUrl(link));
    settle();
  }
  void click_first_verdict() {
    window_->verdict_pane()->view()->setCurrentIndex(window_->verdict_pane()->model()->index(0, 0));
    settle();
  }
  static float cursor_of(const Scene& s) {
    for (const Shape& x : s.shapes())
      if (x.kind == ShapeKind::line && x.ink == Ink::cursor) return x.from.x;
    return -1;
  }
  static float parting_of(const Scene& s) {
    for (const Shape& x : s.shapes())
      if (x.kind == ShapeKind::line && x.ink == Ink::pin) return x.from.x;
    return -1;
  }

  QTemporaryDir folder_;
  std::unique_ptr<WindowSettings> settings_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(Futures, OneAloneSaysHowToMakeAnother) {
  showcase_window();
  for (const char* name : {"beside", "beside_topology"}) {
    const auto& named = pane<BesidePane>(name)->canvas()->scene().named();
    ASSERT_EQ(named.size(), 1U);
    EXPECT_NE(named[0].text.find("There is one future only"), std::string::npos);
  }
  EXPECT_EQ(workspace().beside(), -1);
}

TEST_F(Futures, AFaultByHandLeavesTheFirstOneBeside) {
  MainWindow& w = showcase_window("compare", {"kill B3 at 20s"});
  ASSERT_EQ(workspace().session().branches().size(), 2U);
  EXPECT_EQ(workspace().session().current(), 1);
  EXPECT_EQ(workspace().beside(), 0);
  auto* beside = pane<BesideSpacetimePane>("beside");
  auto* here = pane<SpacetimePane>("spacetime");
  w.facts().show_all();
  settle();
  // The same moment stands at the same place, and so does the parting.
  EXPECT_EQ(beside->canvas()->width(), here->canvas()->width());
  EXPECT_GT(cursor_of(here->canvas()->scene()), 0);
  EXPECT_NEAR(cursor_of(here->canvas()->scene()), cursor_of(beside->canvas()->scene()), 0.5);
  EXPECT_GT(parting_of(here->canvas()->scene()), 0);
  EXPECT_NEAR(parting_of(here->canvas()->scene()), parting_of(beside->canvas()->scene()), 0.5);
  EXPECT_TRUE(beside->heading().contains("The runs part at")) << beside->heading().toStdString();
  // B3 is down here and not there.
  const auto down = [](const Scene& s) { return std::any_of(s.shapes().begin(), s.shapes().end(), [](const Shape& x) { return x.ink == Ink::down && x.dashed; }); };
  EXPECT_TRUE(down(here->canvas()->scene()));
  EXPECT_FALSE(down(beside->canvas()->scene()));
  // They zoom and pan together, from either.
  const TimeRange before = w.facts().view().range;
  CanvasWishes wish;
  wish.zoomed = decltype(wish.zoomed)::value_type{};
  wish.zoomed->factor = 4;
  wish.zoomed->at = {300, 50};
  beside->canvas()->wish(wish);
  settle();
  EXPECT_LT(w.facts().view().range.length(), before.length());
  // A click there moves the time of both.
  w.facts().show_all();
  beside->canvas()->chosen({}, {400, 20});
  settle();
  EXPECT_NEAR(cursor_of(here->canvas()->scene()), cursor_of(beside->canvas()->scene()), 0.5);
  EXPECT_NEAR(cursor_of(beside->canvas()->scene()), 400, 6) << "the last event before it";
  // Looked at, it changes places with the one there was.
  workspace().show_branch(0);
  settle();
  EXPECT_EQ(workspace().beside(), 1);
  EXPECT_TRUE(down(beside->canvas()->scene()));
  EXPECT_FALSE(down(here->canvas()->scene()));
}

TEST_F(Futures, TheTableChoosesTheOneBeside) {
  MainWindow& w = showcase_window("compare", {"kill B3 at 20s", "restart B3 at 25s"});
  ASSERT_EQ(workspace().session().branches().size(), 3U);
  EXPECT_EQ(workspace().session().current(), 2);
  EXPECT_EQ(workspace().beside(), 1) << "the one it was forked from";
  QTableView* table = nullptr;
  for (QTableView* t : w.dock("branches")->widget()->findChildren<QTableView*>())
    if (t->accessibleName() == "Futures") table = t;
  ASSERT_NE(table, nullptr);
  emit table->clicked(table->model()->index(0, BranchModel::beside));
  EXPECT_EQ(workspace().session().current(), 2);
  EXPECT_EQ(workspace().beside(), 0);
  EXPECT_EQ(table->model()->index(0, BranchModel::beside).data().toString(), "●");
  EXPECT_EQ(table->model()->index(1, BranchModel::beside).data().toString(), "○");
  EXPECT_EQ(table->model()->index(2, BranchModel::beside).data().toString(), "");
  emit table->clicked(table->model()->index(1, BranchModel::label));
  EXPECT_EQ(workspace().session().current(), 1);
  EXPECT_EQ(workspace().beside(), 0);
}

TEST_F(Futures, WhatIfSaysThatTheLossIsGoneAndWhereTheRunsPart) {
  showcase_window("learn");
  click_first_verdict();
  EXPECT_TRUE(page().contains("What if …\n")) << page().toStdString();
  EXPECT_TRUE(page().contains("without fault 1: partition B1, P1 | B2, B3, C1, C"));
  EXPECT_TRUE(page().contains("with acks=all"));
  const auto before = workspace().recording();
  follow("mqlab:whatif?n=0");
  ASSERT_EQ(workspace().session().branches().size(), 2U);
  EXPECT_EQ(workspace().recording(), before) << "the run with the breach stays in sight";
  EXPECT_EQ(workspace().beside(), 1);
  EXPECT_TRUE(page().contains("lost-message is gone")) << page().toStdString();
  // The place where they part is a link to an event of this run.
  const FutureDifference d = difference(*before, *workspace().session().branch(1).recorded.recording);
  EXPECT_TRUE(html().contains(QStringLiteral("mqlab:go?event=%1\"").arg(d.parts.a)));
  follow(QStringLiteral("mqlab:go?event=%1").arg(d.parts.a));
  EXPECT_EQ(workspace().event(), d.parts.a);
  // Without the heal it stays.
  follow("mqlab:whatif?n=1");
  EXPECT_TRUE(page().contains("lost-message is still there")) << page().toStdString();
  // As the other case it is gone as well; asked twice it is made once.
  follow("mqlab:whatif?n=2");
  follow("mqlab:whatif?n=2");
  EXPECT_EQ(workspace().session().branches().size(), 4U);
  EXPECT_EQ(page().count("lost-message is gone"), 2);
  follow("mqlab:beside?id=1");
  EXPECT_EQ(workspace().beside(), 1);
  follow("mqlab:future?id=3");
  EXPECT_EQ(workspace().session().current(), 3);
  EXPECT_EQ(workspace().recording()->result().verdict("lost-message")->report.verdict, Verdict::holds);
}

TEST_F(Futures, ASettingIsTurnedBelowTheVerdict) {
  MainWindow& w = showcase_window();
  click_first_verdict();
  QLineEdit* field = w.verdict_pane()->setting_field();
  ASSERT_TRUE(field->isVisible());
  field->setText("nonsense");
  QTest::keyClick(field, Qt::Key_Return);
  EXPECT_EQ(workspace().session().branches().size(), 1U);
  EXPECT_EQ(field->text(), "nonsense") << "what is wrong can be mended";
  field->setText("acks=all");
  QTest::keyClick(field, Qt::Key_Return);
  settle();
  ASSERT_EQ(workspace().session().branches().size(), 2U);
  EXPECT_TRUE(page().contains("acks=all: lost-message is gone")) << page().toStdString();
  field->setText("no_such_option=1");
  QTest::keyClick(field, Qt::Key_Return);
  settle();
  EXPECT_TRUE(page().contains("this can't be run: ")) << page().toStdString();
  EXPECT_EQ(workspace().beside(), 1);
}

TEST_F(Futures, WhatHoldsOffersNothing) {
  MainWindow& w = showcase_window();
  w.verdict_pane()->view()->setCurrentIndex(w.verdict_pane()->model()->index(w.verdict_pane()->model()->rowCount() - 1, 0));
  settle();
  EXPECT_FALSE(page().contains("What if"));
  EXPECT_FALSE(w.verdict_pane()->setting_field()->isVisible());
}

TEST_F(Futures, TheCausesOfABreachAreLinks) {
  showcase_window();
  click_first_verdict();
  const auto& f = workspace().recording()->result().verdict("lost-message")->report.worst.front();
  const CauseChain chain = causes_of(*workspace().index(), telling_event(*workspace().recording(), f));
  ASSERT_GT(chain.events.size(), 1U);
  for (const std::size_t e : chain.events) EXPECT_TRUE(html().contains(QStringLiteral("mqlab:go?event=%1\"").arg(e))) << e;
  follow(QStringLiteral("mqlab:go?event=%1").arg(chain.events.front()));
  EXPECT_EQ(workspace().event(), chain.events.front());
}

TEST_F(Futures, TheSameWordsBreakInTheConsole) {
  MainWindow& w = showcase_window();
  EXPECT_EQ(w.console()->execute("break kill B3 at 20s"), "");
  settle();
  EXPECT_EQ(workspace().session().branches().size(), 2U);
  EXPECT_EQ(workspace().recording()->spec().interventions.size(), 1U);
  EXPECT_TRUE(w.console()->execute("break klil B3").contains("did you mean `kill`"));
}

TEST(ByHandInWords, AreReadOrComplainedOf) {
  const auto read = [](const char* w) { return read_by_hand(QString::fromLatin1(w)); };
  const ByHand power = read("power leader orders/0 for 20s at 10s");
  EXPECT_EQ(power.complaint, "");
  EXPECT_EQ(power.form.kind, FaultKind::power);
  EXPECT_EQ(power.form.whom, "leader orders/0");
  EXPECT_EQ(power.form.duration, "20s");
  EXPECT_EQ(power.place, "10s");
  const ByHand slow = read("latency P1 to B1 by 200ms at next violation");
  EXPECT_EQ(slow.complaint, "");
  EXPECT_EQ(slow.form.other, "B1");
  EXPECT_EQ(slow.form.amount, "200ms");
  EXPECT_EQ(slow.place, "next violation");
  EXPECT_EQ(read("drop Produce at #87").form.message, "Produce");
  EXPECT_EQ(read("heal").complaint, "");
  for (const char* wrong : {"", "klil B1", "kill", "kill B1 at", "kill B1 by 3s", "heal B1", "kill B1 to B2", "pause B1 for soon"}) EXPECT_NE(read(wrong).complaint, "") << wrong;
}

// Links in a heading are of the theme that there is, not of the one in which they were written.
TEST_F(Futures, TheLinksOfTheHeadingChangeWithTheTheme) {
  MainWindow& w = showcase_window("compare", {"kill B3 at 20s"});
  QLabel* heading = nullptr;
  for (QLabel* l : w.dock("beside")->findChildren<QLabel*>())
    if (l->text().contains("<a ")) heading = l;
  ASSERT_NE(heading, nullptr);
  const auto inked = [&](Theme t) {
    const QImage picture = heading->grab().toImage();
    const QRgb ink = palette_of(t).color(QPalette::Link).rgb();
    int n = 0;
    for (int y = 0; y < picture.height(); ++y)
      for (int x = 0; x < picture.width(); ++x) n += picture.pixel(x, y) == ink;
    return n;
  };
  const QString said = heading->text();
  Theme before = Theme::light;
  for (const Theme t : {Theme::dark, Theme::high_contrast_light, Theme::high_contrast_dark, Theme::light}) {
    w.set_theme(t);
    settle();
    EXPECT_EQ(heading->text(), said);
    EXPECT_GT(inked(t), 20) << word(t);
    EXPECT_EQ(inked(before), 0) << word(t) << " has links of " << word(before);
    before = t;
  }
}

// What is filtered out is filtered out of both.
TEST_F(Futures, TheFilterOfEventsHoldsForBothPictures) {
  MainWindow& w = showcase_window("compare", {"kill B3 at 5s"});
  ASSERT_GE(workspace().beside(), 0);
  const auto arrows = [&] { return static_cast<long>(pane<BesideSpacetimePane>("beside")->canvas()->scene().shapes().size()); };
  const long all = arrows();
  EXPECT_EQ(workspace().passing_beside(), nullptr);
  workspace().add_chip(Chip::node(workspace().recording()->result().world->find("C1")));
  workspace().set_filter("metadata");
  settle();
  const auto passing = workspace().passing_beside();
  ASSERT_TRUE(passing);
  const auto index = workspace().session().branch(workspace().beside()).recorded.index;
  EXPECT_EQ(*passing, find_events(*index, {.chips = {workspace().chips()}, .words = "metadata"})->passing);
  EXPECT_LT(arrows(), all);
  // The futures change places, and the filter stays.
  workspace().show_branch(workspace().beside());
  settle();
  EXPECT_EQ(*workspace().passing(), *passing);
  w.workspace().clear_filter();
  settle();
  EXPECT_EQ(workspace().passing_beside(), nullptr);
  EXPECT_FALSE(workspace().filtering());
}

}  // namespace
}  // namespace mqlab::gui
