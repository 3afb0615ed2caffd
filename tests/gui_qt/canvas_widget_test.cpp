#include "gui/qt/canvas_widget.h"

#include <QAccessible>
#include <QTest>

#include "gui/qt/main_window.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

class Widget : public ::testing::Test {
 protected:
  void SetUp() override {
    install_canvas_accessibility();
    canvas_.build = [this](float w, float h, const TextMeasure&) {
      ++built_;
      Scene s(w, h);
      s.fill({10, 10, 80, 40}, Ink::hue0, 0, EntityId::node(1));
      s.fill({110, 10, 80, 40}, Ink::hue1, 0, EntityId::node(2));
      s.name(EntityId::node(1), {10, 10, 80, 40}, "broker B1, running");
      s.name(EntityId::node(2), {110, 10, 80, 40}, "broker B2, down");
      return s;
    };
    canvas_.chosen = [this](EntityId e, Point) { chosen_.push_back(e); };
    canvas_.resize(300, 120);
    canvas_.show();
    ASSERT_TRUE(wait_until([&] { return canvas_.settled() && built_ > 0; }));
  }
  CanvasWidget canvas_{"Test"};
  std::vector<EntityId> chosen_;
  int built_ = 0;
};

TEST_F(Widget, DrawsWhenSomethingChangedAndThenNoMore) {
  const auto frames = canvas_.canvas().frames();
  const int built = built_;
  for (int i = 0; i < 20; ++i) QCoreApplication::processEvents(QEventLoop::AllEvents, 10);
  QTest::qWait(100);
  EXPECT_EQ(canvas_.canvas().frames(), frames) << "an idle canvas costs nothing";
  for (int i = 0; i < 10; ++i) canvas_.invalidate();
  ASSERT_TRUE(wait_until([&] { return canvas_.settled(); }));
  EXPECT_EQ(built_, built + 1);
  EXPECT_GT(canvas_.canvas().frames(), frames);
}

TEST_F(Widget, ShowsThePixelsOfTheCanvas) {
  const QImage image = canvas_.grab().toImage();
  const Rgba ink = colour(Ink::hue0, Theme::light);
  EXPECT_EQ(image.pixelColor(50, 30).rgb(), QColor(ink.r, ink.g, ink.b).rgb());
}

TEST_F(Widget, ABurstOfClicksChoosesEach) {
  QTest::mouseClick(&canvas_, Qt::LeftButton, {}, {50, 30});
  QTest::mouseClick(&canvas_, Qt::LeftButton, {}, {150, 30});
  QTest::mouseClick(&canvas_, Qt::LeftButton, {}, {250, 100});
  ASSERT_TRUE(wait_until([&] { return chosen_.size() >= 3; }));
  EXPECT_EQ(chosen_, (std::vector<EntityId>{EntityId::node(1), EntityId::node(2), EntityId{}}));
}

TEST_F(Widget, ARightClickAsksForTheMenuOfWhatIsThere) {
  EntityId asked;
  QObject::connect(&canvas_, &CanvasWidget::menu_asked, [&](EntityId e) { asked = e; });
  QTest::mouseClick(&canvas_, Qt::RightButton, {}, {150, 30});
  ASSERT_TRUE(wait_until([&] { return static_cast<bool>(asked); }));
  EXPECT_EQ(asked, EntityId::node(2));
}

TEST_F(Widget, ArrowsWalkAndEnterChooses) {
  QTest::keyClick(&canvas_, Qt::Key_Right);
  QTest::keyClick(&canvas_, Qt::Key_Right);
  EXPECT_EQ(canvas_.walked_to(), 1);
  QTest::keyClick(&canvas_, Qt::Key_Return);
  EXPECT_EQ(chosen_, std::vector<EntityId>{EntityId::node(2)});
  QTest::keyClick(&canvas_, Qt::Key_Right);
  EXPECT_EQ(canvas_.walked_to(), 0);
  QTest::keyClick(&canvas_, Qt::Key_Left);
  EXPECT_EQ(canvas_.walked_to(), 1);
}

TEST_F(Widget, AScreenReaderFindsWhatIsDrawn) {
  QAccessibleInterface* face = QAccessible::queryAccessibleInterface(&canvas_);
  ASSERT_NE(face, nullptr);
  EXPECT_EQ(face->role(), QAccessible::Chart);
  ASSERT_EQ(face->childCount(), 2);
  EXPECT_EQ(face->child(0)->text(QAccessible::Name), "broker B1, running");
  EXPECT_EQ(face->child(1)->text(QAccessible::Name), "broker B2, down");
  EXPECT_EQ(face->child(0)->parent(), face);
  EXPECT_EQ(face->indexOfChild(face->child(1)), 1);
  const QPoint there = canvas_.mapToGlobal(QPoint(150, 30));
  ASSERT_NE(face->childAt(there.x(), there.y()), nullptr);
  EXPECT_EQ(face->childAt(there.x(), there.y())->text(QAccessible::Name), "broker B2, down");
  EXPECT_EQ(face->child(2), nullptr);
}

// A knob is a slider: it says what it is and where it stands, and can be turned without a mouse.
TEST_F(Widget, AScreenReaderFindsKnobsAndTurnsThem) {
  std::vector<KnobChange> turned;
  canvas_.wish = [&](const CanvasWishes& w) { turned.insert(turned.end(), w.knobs.begin(), w.knobs.end()); };
  canvas_.canvas().knobs_in_strip = true;
  canvas_.resize(400, 260);
  const std::vector<Knob> knobs = {{"latency", "latency", 0, 0, 1, 0, "", {"as it is", "20 ms", "1 s"}, "all links: latency"}, {"rate", "rate", 0, 10, 4, 0.5, "Hz"}, {"far", "one for which there is no room at all", 0, 1, 0}};
  canvas_.set_knobs(knobs);
  ASSERT_TRUE(wait_until([&] { return canvas_.settled(); }));
  QAccessibleInterface* face = QAccessible::queryAccessibleInterface(&canvas_);
  ASSERT_EQ(face->childCount(), 2 + 3);
  EXPECT_EQ(face->child(1)->role(), QAccessible::ListItem);
  QAccessibleInterface* latency = face->child(2);
  EXPECT_EQ(latency->role(), QAccessible::Slider);
  EXPECT_EQ(latency->text(QAccessible::Name), "all links: latency");
  EXPECT_EQ(latency->text(QAccessible::Value), "20 ms");
  EXPECT_EQ(face->child(3)->text(QAccessible::Name), "rate");
  EXPECT_EQ(face->child(3)->text(QAccessible::Value), "4 Hz");
  EXPECT_EQ(latency->parent(), face);
  EXPECT_EQ(face->indexOfChild(latency), 2);
  const QRect at = latency->rect();
  EXPECT_TRUE(QRect(canvas_.mapToGlobal(QPoint(0, 0)), canvas_.size()).contains(at)) << "where it is drawn";
  EXPECT_GT(at.width(), 40);
  EXPECT_EQ(face->childAt(at.center().x(), at.center().y()), latency);
  EXPECT_FALSE(latency->state().offscreen);
  EXPECT_TRUE(face->child(4)->state().offscreen);
  QAccessibleValueInterface* value = latency->valueInterface();
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(value->currentValue().toDouble(), 1);
  EXPECT_EQ(value->minimumValue().toDouble(), 0);
  EXPECT_EQ(value->maximumValue().toDouble(), 2);
  EXPECT_EQ(value->minimumStepSize().toDouble(), 1);
  value->setCurrentValue(99);
  ASSERT_EQ(turned.size(), 1U);
  EXPECT_EQ(turned[0].id, "latency");
  EXPECT_EQ(turned[0].value, 2) << "held inside its range";
  EXPECT_TRUE(turned[0].done);
  ASSERT_NE(latency->actionInterface(), nullptr);
  latency->actionInterface()->doAction(QAccessibleActionInterface::decreaseAction());
  ASSERT_EQ(turned.size(), 2U);
  EXPECT_EQ(turned[1].value, 0);
  std::vector<Knob> later = knobs;
  later[1].value = 5;
  canvas_.set_knobs(later);
  EXPECT_EQ(face->child(3)->text(QAccessible::Value), "5 Hz");
  canvas_.set_knobs({});
  EXPECT_EQ(face->childCount(), 2);
}

// Each picture of a real run names what can be walked to, and a click on a node moves the focus of all panes.
TEST(Pictures, OfTheShowcaseAreNamedAndObeyTheFocus) {
  const QTemporaryDir folder;
  WindowSettings settings(folder.path() + "/w.ini");
  MainWindow w(&settings, {.scenario = source("scenarios/showcase.lua"), .layout = "present", .at = "12s"});
  w.show();
  ASSERT_TRUE(wait_until([&] { return w.settled() && w.workspace().has_events(); }));
  ASSERT_EQ(w.pictures().size(), 7U);
  for (PicturePane* p : w.pictures()) {
    auto* dock = qobject_cast<QDockWidget*>(p->parentWidget());
    ASSERT_NE(dock, nullptr);
    dock->show();
    dock->raise();
    ASSERT_TRUE(wait_until([&] { return w.settled() && p->canvas()->settled(); }));
    EXPECT_FALSE(p->canvas()->scene().shapes().empty()) << dock->objectName().toStdString();
    EXPECT_FALSE(p->canvas()->scene().named().empty()) << dock->objectName().toStdString();
  }
  // The topology names B2; choosing it there brings the inspector to it.
  CanvasWidget* topology = w.pictures()[0]->canvas();
  const NodeId b2 = w.workspace().recording()->result().world->find("B2");
  topology->chosen(EntityId::node(b2), {});
  EXPECT_EQ(w.workspace().node_in_focus(), b2);
  // Zooming keeps the range inside the run.
  for (int i = 0; i < 40; ++i) w.facts().zoom(2, 0.3);
  EXPECT_GE(w.facts().view().range.length(), 1'000);
  for (int i = 0; i < 60; ++i) w.facts().zoom(0.5F, 0.9);
  EXPECT_EQ(w.facts().view().range, (TimeRange{0, w.workspace().recording()->end()}));
  w.facts().fit();
  EXPECT_TRUE(w.facts().view().range.contains(w.workspace().time()));
  EXPECT_LT(w.facts().view().range.length(), w.workspace().recording()->end());
}

TEST(Pictures, ChipsNarrowAllViews) {
  const QTemporaryDir folder;
  WindowSettings settings(folder.path() + "/w.ini");
  MainWindow w(&settings, {.scenario = source("scenarios/showcase.lua"), .layout = "debug"});
  w.show();
  ASSERT_TRUE(wait_until([&] { return w.settled() && w.workspace().has_events(); }));
  const NodeId b1 = w.workspace().recording()->result().world->find("B1");
  w.workspace().add_chip(Chip::node(b1));
  EXPECT_TRUE(w.workspace().filtering());
  ASSERT_TRUE(wait_until([&] { return w.settled(); }));
  const std::size_t of_b1 = w.workspace().rows()->size();
  EXPECT_LT(of_b1, w.workspace().recording()->events());
  w.workspace().set_filter("fetch");
  EXPECT_EQ(w.workspace().rows()->size(), of_b1) << "until the new ones are there";
  ASSERT_TRUE(wait_until([&] { return w.settled(); }));
  EXPECT_LT(w.workspace().rows()->size(), of_b1);
  EXPECT_EQ(static_cast<std::size_t>(w.event_pane()->model()->rowCount()), w.workspace().rows()->size() + w.workspace().drop_rows()->size());
  w.workspace().clear_filter();
  EXPECT_EQ(w.workspace().rows(), nullptr);
}

}  // namespace
}  // namespace mqlab::gui
