// A canvas without a window: input in, wishes and pictures out.
#include "gui/canvas/canvas.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "gui/canvas/paint.h"
#include "tests/gui_canvas/every_shape.h"
#include "tests/gui_canvas/golden.h"

namespace mqlab::gui {
namespace {

std::shared_ptr<Fonts> shared_fonts() {
  static const auto fonts = std::make_shared<Fonts>();
  return fonts;
}

// All wishes of the frames until the canvas is idle.
std::vector<CanvasWishes> until_idle(Canvas& c, double seconds = 0.016) {
  std::vector<CanvasWishes> out;
  while (c.needs_frame() && out.size() < 1'000) {
    c.frame(seconds);
    out.push_back(c.wishes());
  }
  return out;
}

struct Sum {
  int clicks = 0, double_clicks = 0, right_clicks = 0;
  Point panned{};
  float zoom = 1;
  std::optional<CanvasBand> band;
  std::optional<CanvasDrag> drag;
  std::vector<KnobChange> knobs;
  CanvasClick last_click;
};
Sum sum_of(const std::vector<CanvasWishes>& frames) {
  Sum s;
  for (const CanvasWishes& w : frames) {
    s.clicks += w.clicked.has_value();
    s.double_clicks += w.double_clicked.has_value();
    s.right_clicks += w.right_clicked.has_value();
    if (w.clicked) s.last_click = *w.clicked;
    if (w.right_clicked) s.last_click = *w.right_clicked;
    s.panned = {s.panned.x + w.panned_by.x, s.panned.y + w.panned_by.y};
    if (w.zoomed) s.zoom *= w.zoomed->factor;
    if (w.band) s.band = w.band;
    if (w.dragged) s.drag = w.dragged;
    s.knobs.insert(s.knobs.end(), w.knobs.begin(), w.knobs.end());
  }
  return s;
}

struct OnCanvas : testing::Test {
  Canvas canvas{shared_fonts()};
  OnCanvas() {
    canvas.resize(520, 400);
    canvas.set_scene(every_shape());
    until_idle(canvas);
  }
  void press(Button b = Button::left) { canvas.push(MouseButton{b, true}); }
  void release(Button b = Button::left) { canvas.push(MouseButton{b, false}); }
  void click(Point p, Button b = Button::left) {
    canvas.push(MouseMove{p});
    press(b);
    release(b);
  }
};

TEST_F(OnCanvas, HoverNamesWhatIsUnderTheMouse) {
  canvas.push(MouseMove{{220, 100}});
  EXPECT_EQ(until_idle(canvas).back().hovered, EntityId::node(1));
  EXPECT_EQ(canvas.wishes().cursor, CursorShape::hand);
  canvas.push(MouseMove{{480, 300}});
  EXPECT_EQ(until_idle(canvas).back().hovered, EntityId{});
  canvas.push(MouseLeave{});
  EXPECT_EQ(until_idle(canvas).back().pointer, std::nullopt);
}

TEST_F(OnCanvas, ClickBetweenTwoFramesIsOneClickOnItsEntity) {
  click({20, 42});
  const Sum s = sum_of(until_idle(canvas));
  EXPECT_EQ(s.clicks, 1);
  EXPECT_EQ(s.last_click.entity, EntityId::message(0));
  EXPECT_EQ(s.last_click.at, (Point{20, 42}));
}

TEST_F(OnCanvas, TwoClicksInShortTimeAreADoubleClick) {
  click({20, 42});
  click({20, 42});
  Sum s = sum_of(until_idle(canvas, 0.01));
  EXPECT_EQ(s.clicks, 2);
  EXPECT_EQ(s.double_clicks, 1);
  canvas.frame(5);
  click({20, 42});
  s = sum_of(until_idle(canvas, 1));
  click({20, 42});
  EXPECT_EQ(sum_of(until_idle(canvas, 1)).double_clicks, 0) << "a second passed between them";
}

TEST_F(OnCanvas, RightClickTellsWhereAndOnWhat) {
  click({220, 100}, Button::right);
  const Sum s = sum_of(until_idle(canvas));
  EXPECT_EQ(s.right_clicks, 1);
  EXPECT_EQ(s.clicks, 0);
  EXPECT_EQ(s.last_click.entity, EntityId::node(1));
}

TEST_F(OnCanvas, DragPansByWhatTheMouseMoved) {
  canvas.push(MouseMove{{300, 300}});
  press();
  canvas.push(MouseMove{{340, 310}});
  until_idle(canvas);
  EXPECT_EQ(canvas.wishes().cursor, CursorShape::move);
  canvas.push(MouseMove{{350, 290}});
  release();
  canvas.push(MouseMove{{10, 10}});
  Sum s;
  Point total{40, 10};  // of the first frames
  s = sum_of(until_idle(canvas));
  total = {total.x + s.panned.x, total.y + s.panned.y};
  EXPECT_EQ(total, (Point{50, -10}));
  EXPECT_EQ(s.clicks, 0) << "a drag is no click";
}

TEST_F(OnCanvas, ShiftDragsARubberBand) {
  canvas.push(ModifierChange{{.shift = true}});
  canvas.push(MouseMove{{300, 300}});
  press();
  canvas.push(MouseMove{{250, 340}});
  Sum s = sum_of(until_idle(canvas));
  ASSERT_TRUE(s.band);
  EXPECT_EQ(s.band->area, (Rect{250, 300, 50, 40}));
  EXPECT_FALSE(s.band->done);
  release();
  s = sum_of(until_idle(canvas));
  ASSERT_TRUE(s.band);
  EXPECT_TRUE(s.band->done);
  EXPECT_EQ(s.panned, (Point{0, 0}));
}

TEST_F(OnCanvas, DraggableEntityIsDragged) {
  canvas.draggable = [](EntityId e) { return e.kind == EntityId::Kind::node; };
  canvas.push(MouseMove{{220, 100}});
  press();
  canvas.push(MouseMove{{260, 120}});
  release();
  const Sum s = sum_of(until_idle(canvas));
  ASSERT_TRUE(s.drag);
  EXPECT_EQ(s.drag->entity, EntityId::node(1));
  EXPECT_EQ(s.drag->to, (Point{260, 120}));
  EXPECT_TRUE(s.drag->done);
  EXPECT_EQ(s.panned, (Point{0, 0}));
}

TEST_F(OnCanvas, WheelZoomsAtTheMouseAndPansWithShift) {
  canvas.push(MouseMove{{100, 50}});
  canvas.push(MouseWheel{0, 1});
  canvas.push(MouseWheel{0, 1});
  std::vector<CanvasWishes> frames = until_idle(canvas);
  EXPECT_NEAR(sum_of(frames).zoom, 1.44F, 1e-5F);
  for (const CanvasWishes& w : frames)
    if (w.zoomed) {
      EXPECT_EQ(w.zoomed->at, (Point{100, 50}));
    }
  canvas.push(ModifierChange{{.shift = true}});
  canvas.push(MouseWheel{0, -1});
  const Sum s = sum_of(until_idle(canvas));
  EXPECT_EQ(s.zoom, 1);
  EXPECT_EQ(s.panned, (Point{-60, 0}));
}

TEST_F(OnCanvas, PressThatLostTheFocusWishesNothing) {
  canvas.push(MouseMove{{20, 42}});
  press();
  canvas.push(FocusChange{false});
  canvas.push(FocusChange{true});
  const Sum s = sum_of(until_idle(canvas));
  EXPECT_EQ(s.clicks, 0);
  click({20, 42});
  EXPECT_EQ(sum_of(until_idle(canvas)).clicks, 1) << "and the next click is whole";
}

TEST_F(OnCanvas, IdleCanvasAsksForNoFrames) {
  EXPECT_FALSE(canvas.needs_frame());
  const std::uint64_t before = canvas.frames();
  canvas.push(MouseMove{{1, 1}});
  EXPECT_TRUE(canvas.needs_frame());
  until_idle(canvas);
  EXPECT_LE(canvas.frames() - before, 4U);
  canvas.set_scene(every_shape());
  EXPECT_TRUE(canvas.needs_frame());
  until_idle(canvas);
  canvas.set_theme(Theme::dark);
  EXPECT_TRUE(canvas.needs_frame());
  until_idle(canvas);
  canvas.set_theme(Theme::dark);
  canvas.resize(520, 400, 1);
  EXPECT_FALSE(canvas.needs_frame()) << "nothing is new";
  canvas.resize(521, 400, 1);
  EXPECT_TRUE(canvas.needs_frame());
}

TEST_F(OnCanvas, TwoFramesOfOneSceneAreOnePicture) {
  const Picture first = canvas.frame(0.016);
  EXPECT_EQ(canvas.frame(0.5), first);
  EXPECT_EQ(first, picture_of(every_shape(), {.remarks = true}, shared_fonts())) << "without a mouse a canvas shows the scene and nothing else";
}

TEST_F(OnCanvas, TooltipStandsBesideTheMouse) {
  canvas.push(MouseMove{{220, 100}});
  until_idle(canvas);
  expect_picture(canvas.picture(), "canvas-tooltip");
}

// A dense screen and larger text: all grows, nothing is cut off, nothing is blurred.
TEST_F(OnCanvas, LargerTextOnADenseScreen) {
  canvas.resize(520, 400, 2);
  canvas.set_text_scale(1.5F);
  canvas.set_knobs({{"latency", "latency", 0, 100, 25, 5, "ms"}});
  canvas.tip = [](EntityId) { return "broker B1, running, leader of orders/0, which holds records 0 to 19; of these 0 to 17 are committed, and three followers are in sync"; };
  canvas.push(MouseMove{{220, 100}});
  until_idle(canvas);
  expect_picture(canvas.picture(), "canvas-larger-2");
}

TEST_F(OnCanvas, KnobIsTurnedWithTheMouse) {
  canvas.set_theme(Theme::dark);
  canvas.set_knobs({{"latency", "latency", 0, 100, 25, 5, "ms"}, {"loss", "loss", 0, 1, 0.5, 0, "%"}});
  until_idle(canvas);
  expect_picture(canvas.picture(), "canvas-knobs");
  const auto knob_at = [](float part) { return Point{368 + 131 * part, 24}; };
  canvas.push(MouseMove{knob_at(0.25F)});
  press();
  canvas.push(MouseMove{knob_at(0.8F)});
  Sum s = sum_of(until_idle(canvas));
  ASSERT_FALSE(s.knobs.empty());
  EXPECT_EQ(s.knobs.back().id, "latency");
  EXPECT_GT(s.knobs.back().value, 60);
  EXPECT_EQ(std::fmod(s.knobs.back().value, 5), 0);
  EXPECT_FALSE(s.knobs.back().done);
  EXPECT_EQ(s.panned, (Point{0, 0})) << "what a knob takes, the scene does not see";
  const double turned = s.knobs.back().value;
  canvas.set_knobs({{"latency", "latency", 0, 100, 25, 5, "ms"}, {"loss", "loss", 0, 1, 0.5, 0, "%"}});  // a late answer to an early value
  release();
  s = sum_of(until_idle(canvas));
  ASSERT_FALSE(s.knobs.empty());
  EXPECT_TRUE(s.knobs.back().done);
  EXPECT_EQ(s.knobs.back().value, turned);
}

// Below the scene, beside each other: the scene is built that much less high, and words stand for values.
TEST_F(OnCanvas, KnobsInAStripAreAsManyAsHaveRoom) {
  EXPECT_EQ(canvas.strip_height(), 0);
  canvas.knobs_in_strip = true;
  EXPECT_EQ(canvas.strip_height(), 0) << "no knobs, no strip";
  const std::vector<Knob> knobs = {{"latency", "all links: latency", 0, 0, 2, 0, "", {"as it is", "20 ms", "1 s"}}, {"loss", "loss", 0, 0, 1, 0, "", {"as it is", "5 %"}}};
  canvas.set_knobs(knobs);
  const float strip = canvas.strip_height();
  ASSERT_GT(strip, 15);
  ASSERT_LT(strip, 40);
  until_idle(canvas);
  expect_picture(canvas.picture(), "canvas-knob-strip");
  // Somewhere in the strip each knob can be turned; what is above it stays the scene's.
  const auto turned_at = [&](float x) {
    canvas.push(MouseMove{{x, 400 - strip / 2}});
    press();
    canvas.push(MouseMove{{x + 40, 400 - strip / 2}});
    release();
    std::string ids;
    for (const KnobChange& k : sum_of(until_idle(canvas)).knobs)
      if (k.done) ids += k.id + ' ';
    canvas.set_knobs(knobs);
    return ids;
  };
  std::string all;
  for (float x = 5; x < 515; x += 8) all += turned_at(x);
  EXPECT_NE(all.find("latency "), std::string::npos);
  EXPECT_NE(all.find("loss "), std::string::npos);
  canvas.resize(260, 400);
  canvas.set_knobs({});
  canvas.set_knobs(knobs);
  EXPECT_GT(canvas.strip_height(), 15) << "one has room";
  canvas.resize(120, 400);
  EXPECT_EQ(canvas.strip_height(), 0) << "none has";
  canvas.resize(520, 120);
  EXPECT_EQ(canvas.strip_height(), 0) << "the picture needs what little height there is";
  until_idle(canvas);
}

TEST_F(OnCanvas, KnobsThatAreNoneAreLeftOut) {
  canvas.set_knobs({{"a", "a", 0, 0, 0}, {"b", "b", 0, INFINITY, 0}, {"c", "c", 0, 1, NAN}, {"d", "d", 0, 1e300, 0}});
  canvas.frame(0.01);
  EXPECT_EQ(canvas.picture(), picture_of(every_shape(), {.remarks = true}, shared_fonts()));
}

// Clicks of a burst, drawn whenever it pleases the window: each is there, in its order and at its place.
RC_GTEST_PROP(CanvasProperty, NoClickOfABurstIsLost, ()) {
  Canvas canvas(shared_fonts());
  canvas.resize(200, 100);
  Scene s(200, 100);
  for (int i = 0; i < 10; ++i) s.fill({static_cast<float>(20 * i), 0, 20, 100}, Ink::panel, 0, EntityId::node(static_cast<std::uint64_t>(i)));
  canvas.set_scene(std::move(s));
  const std::vector<int> targets = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10));
  std::vector<std::uint64_t> expected, seen;
  const auto draw_one = [&] {
    canvas.frame(0.01);
    if (canvas.wishes().clicked) seen.push_back(canvas.wishes().clicked->entity.a);
  };
  for (const int t : targets) {
    canvas.push(MouseMove{{static_cast<float>(20 * t + 10), 50}});
    canvas.push(MouseButton{Button::left, true});
    if (*rc::gen::inRange(0, 4) == 0) draw_one();
    canvas.push(MouseButton{Button::left, false});
    if (*rc::gen::inRange(0, 4) == 0) draw_one();
    expected.push_back(static_cast<std::uint64_t>(t));
  }
  for (int i = 0; canvas.needs_frame() && i < 10'000; ++i) draw_one();
  RC_ASSERT(seen == expected);
}

}  // namespace
}  // namespace mqlab::gui
