// What is under the mouse.
#include "gui/core/scene.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace mqlab::gui {
namespace {

constexpr EntityId::Kind node = EntityId::Kind::node;
EntityId n(std::uint64_t i) { return EntityId::node(i); }

TEST(Scene, TopmostIsFoundFirst) {
  Scene s(100, 100);
  s.fill({0, 0, 50, 50}, Ink::panel, 0, n(1));
  s.fill({10, 10, 50, 50}, Ink::panel, 0, n(2));
  s.fill({20, 20, 5, 5}, Ink::panel);  // stands for nothing
  EXPECT_EQ(entities_at(s, {22, 22}), (std::vector<EntityId>{n(2), n(1)}));
  EXPECT_EQ(entity_at(s, {5, 5}), n(1));
  EXPECT_EQ(entity_at(s, {55, 55}), n(2));
  EXPECT_EQ(entity_at(s, {80, 80}), std::nullopt);
}

TEST(Scene, RectangleHasItsUpperLeftEdgeAndNotItsLowerRight) {
  Scene s(100, 100);
  s.outline({10, 10, 20, 20}, Ink::edge, 1, 0, n(1));
  EXPECT_EQ(entity_at(s, {10, 10}), n(1));
  EXPECT_EQ(entity_at(s, {20, 20}), n(1)) << "an outline is pointed at inside too";
  EXPECT_EQ(entity_at(s, {30, 20}), std::nullopt);
  EXPECT_EQ(entity_at(s, {9.9F, 20}), std::nullopt) << "nothing is near a rectangle";
}

TEST(Scene, LinesAndSymbolsAreFoundWithinReach) {
  Scene s(100, 100);
  s.line({10, 10}, {90, 10}, Ink::edge, 2, n(1));
  s.symbol(ShapeKind::circle, {50, 50}, 6, Ink::hue0, true, n(2));
  s.polyline({{10, 80}, {50, 80}, {50, 95}}, Ink::hue0, 1, n(3));
  EXPECT_EQ(entity_at(s, {40, 15}), n(1)) << "half the width and the reach";
  EXPECT_EQ(entity_at(s, {40, 15.1F}), std::nullopt);
  EXPECT_EQ(entity_at(s, {95.1F, 10}), std::nullopt) << "beyond its end";
  EXPECT_EQ(entity_at(s, {50, 59.9F}), n(2));
  EXPECT_EQ(entity_at(s, {50, 61}, 0), std::nullopt);
  EXPECT_EQ(entity_at(s, {53, 88}), n(3));
}

TEST(Scene, PolygonIsFoundInsideAndNotInItsNotch) {
  Scene s(100, 100);
  s.polygon({{10, 10}, {90, 10}, {90, 90}, {50, 30}, {10, 90}}, Ink::hue0, n(1));
  EXPECT_EQ(entity_at(s, {20, 40}), n(1));
  EXPECT_EQ(entity_at(s, {50, 60}), std::nullopt);
  s.polygon({{1, 1}, {2, 2}}, Ink::hue0, n(2));
  EXPECT_EQ(entity_at(s, {1, 1}), std::nullopt) << "two points are no area";
}

// A font of which every character is 20 wide and 30 high.
struct LargeLetters : TextMeasure {
  float width(std::string_view text, float size, Mono) const override { return 20 * size * static_cast<float>(text.size()); }
  float line_height(float size) const override { return 30 * size; }
};

TEST(Scene, TextIsAsLargeAsItsLetters) {
  Scene s(200, 100);
  s.text({100, 10}, "abcd", Ink::text, Anchor::left, n(1));
  s.text({100, 50}, "abcd", Ink::text, Anchor::right, n(2));
  EXPECT_EQ(entity_at(s, {131, 25}), n(1));
  EXPECT_EQ(entity_at(s, {133, 25}), std::nullopt);
  EXPECT_EQ(entity_at(s, {69, 60}), n(2));
  const LargeLetters large;
  EXPECT_EQ(entity_at(s, {179, 39}, 4, &large), n(1));
  EXPECT_EQ(entity_at(s, {21, 79}, 4, &large), n(2));
  EXPECT_EQ(FixedMeasure().width("a\u00e9\u2192"), 24) << "characters, not bytes";
}

TEST(Scene, WhatIsCutOffIsNotThere) {
  Scene s(100, 100);
  s.clip({0, 0, 50, 50});
  s.fill({40, 40, 40, 40}, Ink::panel, 0, n(1));
  s.clip_nothing();
  s.fill({-50, 80, 60, 60}, Ink::panel, 0, n(2));
  EXPECT_EQ(entity_at(s, {45, 45}), n(1));
  EXPECT_EQ(entity_at(s, {60, 60}), std::nullopt);
  EXPECT_EQ(entity_at(s, {-10, 90}), std::nullopt) << "beyond the scene";
}

TEST(Scene, OneClipIsKeptOnce) {
  Scene s(100, 100);
  for (int i = 0; i < 1'000; ++i) {
    s.clip({0, 0, 50, 50});
    s.fill({0, 0, 1, 1}, Ink::panel);
    s.clip({50, 0, 50, 50});
    s.fill({50, 0, 1, 1}, Ink::panel);
  }
  EXPECT_EQ(s.clips().size(), 3U);
  for (int i = 0; i < 70'000; ++i) s.clip({0, 0, static_cast<float>(i), 1});
  s.fill({0, 90, 1, 1}, Ink::panel, 0, n(7));
  EXPECT_EQ(entity_at(s, {0, 90}), n(7)) << "of too many clips the last ones cut nothing off";
}

TEST(Scene, NumbersThatAreNoneAreNowhere) {
  Scene s(100, 100);
  s.line({NAN, 0}, {100, 100}, Ink::edge, 1, n(1));
  s.fill({NAN, NAN, NAN, NAN}, Ink::panel, 0, n(2));
  s.symbol(ShapeKind::star, {50, 50}, NAN, Ink::hue0, true, n(3));
  EXPECT_EQ(entity_at(s, {50, 50}), std::nullopt);
}

// The centre of each symbol is found; the first answer is the one that was drawn last.
RC_GTEST_PROP(SceneProperty, WhatWasDrawnLastIsFoundAtItsCentre, ()) {
  Scene s(200, 200);
  const int count = *rc::gen::inRange(1, 30);
  Point last{};
  for (int i = 0; i < count; ++i) {
    last = {static_cast<float>(*rc::gen::inRange(0, 200)), static_cast<float>(*rc::gen::inRange(0, 200))};
    s.symbol(ShapeKind::diamond, last, 5, Ink::hue0, true, {node, static_cast<std::uint64_t>(i), 0});
  }
  RC_ASSERT(entity_at(s, last) == EntityId::node(static_cast<std::uint64_t>(count - 1)));
  const std::vector<EntityId> all = entities_at(s, last);
  RC_ASSERT(!all.empty());
  RC_ASSERT(all.front() == *entity_at(s, last));
  for (std::size_t i = 1; i < all.size(); ++i) RC_ASSERT(all[i].a < all[i - 1].a);
}

}  // namespace
}  // namespace mqlab::gui
