// Scenes of any numbers and any bytes.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "gui/canvas/canvas.h"
#include "gui/canvas/paint.h"

namespace mqlab::gui {
namespace {

float any_number() {
  switch (*rc::gen::inRange(0, 8)) {
    case 0: return *rc::gen::element(NAN, INFINITY, -INFINITY, 1e30F, -1e30F, 3.4e38F, -3.4e38F, 1e-45F, -0.0F);
    case 1: return static_cast<float>(*rc::gen::inRange(-1'000'000, 1'000'000));
    case 2: return static_cast<float>(*rc::gen::inRange(-2'000, 2'000)) / 7.0F;
    default: return static_cast<float>(*rc::gen::inRange(-40, 240));
  }
}
Point any_point() { return {any_number(), any_number()}; }

std::string any_text() {
  const std::vector<std::string> some = {"", "orders", "\xff\xfe", "\xe2\x82", "a\nb\tc", "\u2192\u2605\u6f22", "\U0001F600", std::string("a\0b", 3), std::string(3'000, 'w')};
  return *rc::gen::oneOf(rc::gen::elementOf(some), rc::gen::arbitrary<std::string>());
}

Scene any_scene() {
  Scene s(200, 150);
  const int shapes = *rc::gen::inRange(0, 25);
  for (int i = 0; i < shapes; ++i) {
    const Ink ink = static_cast<Ink>(*rc::gen::inRange<int>(0, ink_count));
    const EntityId e = *rc::gen::arbitrary<bool>() ? EntityId::node(static_cast<std::uint64_t>(i)) : EntityId{};
    if (*rc::gen::inRange(0, 6) == 0) s.clip({any_number(), any_number(), any_number(), any_number()});
    Shape* shape = nullptr;
    switch (*rc::gen::inRange(0, 7)) {
      case 0: shape = &s.line(any_point(), any_point(), ink, any_number(), e); break;
      case 1:
      case 2: {
        std::vector<Point> p(*rc::gen::inRange<std::size_t>(0, 30));
        for (Point& q : p) q = any_point();
        shape = *rc::gen::arbitrary<bool>() ? &s.polyline(p, ink, any_number(), e) : &s.polygon(p, ink, e);
        break;
      }
      case 3: shape = &s.outline({any_number(), any_number(), any_number(), any_number()}, ink, any_number(), any_number(), e); break;
      case 4: shape = &s.fill({any_number(), any_number(), any_number(), any_number()}, ink, any_number(), e); break;
      case 5:
        shape = &s.symbol(*rc::gen::element(ShapeKind::circle, ShapeKind::triangle, ShapeKind::diamond, ShapeKind::cross, ShapeKind::star), any_point(), any_number(), ink,
                          *rc::gen::arbitrary<bool>(), e);
        shape->to = any_point();
        break;
      default:
        shape = &s.text(any_point(), any_text(), ink, *rc::gen::element(Anchor::left, Anchor::centre, Anchor::right), e);
        if (*rc::gen::inRange(0, 4) == 0) shape->width = any_number();
        if (*rc::gen::arbitrary<bool>()) shape->mono = Mono::yes;
    }
    shape->dashed = *rc::gen::arbitrary<bool>();
    shape->doubled = *rc::gen::arbitrary<bool>();
    shape->opacity = *rc::gen::element<std::uint8_t>(0, 100, 255);
  }
  s.name(EntityId::node(1), {any_number(), any_number(), any_number(), any_number()}, any_text());
  return s;
}

// The sanitizers see what is read and written; here: the picture is whole, and the same twice.
RC_GTEST_PROP(AnyScene, IsPainted, ()) {
  static const auto fonts = std::make_shared<Fonts>();
  const Scene s = any_scene();
  const PaintOptions options{*rc::gen::elementOf(std::vector<Theme>(all_themes.begin(), all_themes.end())), *rc::gen::element(1.0F, 1.25F, 2.0F), 1};
  const Picture p = picture_of(s, options, fonts);
  for (const std::uint32_t pixel : p.pixels()) RC_ASSERT(pixel >> 24U == 255U);
  RC_ASSERT(p == picture_of(s, options, fonts));
}

RC_GTEST_PROP(AnyScene, TakesAnyInput, ()) {
  static const auto fonts = std::make_shared<Fonts>();
  Canvas canvas(fonts);
  canvas.resize(any_number(), any_number() > 0 ? 150 : any_number(), *rc::gen::element(0.0F, 1.0F, 1.5F, NAN, 9.0F));
  if (canvas.width() > 2'000 || canvas.height() > 2'000) canvas.resize(200, 150);
  canvas.set_scene(any_scene());
  for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1: canvas.push(MouseMove{any_point()}); break;
      case 2:
      case 3: canvas.push(MouseButton{*rc::gen::element(Button::left, Button::right, Button::middle), *rc::gen::arbitrary<bool>()}); break;
      case 4: canvas.push(MouseWheel{any_number(), any_number()}); break;
      case 5: canvas.push(TextInput{any_text()}); break;
      default: canvas.push(FocusChange{*rc::gen::arbitrary<bool>()});
    }
    if (*rc::gen::arbitrary<bool>()) canvas.frame(static_cast<double>(any_number()));
  }
  for (int i = 0; canvas.needs_frame(); ++i) {
    RC_ASSERT(i < 100);
    canvas.frame(0.01);
  }
  const CanvasWishes& w = canvas.wishes();
  RC_ASSERT(std::isfinite(w.panned_by.x) && std::isfinite(w.panned_by.y));
}

}  // namespace
}  // namespace mqlab::gui
