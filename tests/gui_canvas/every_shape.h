// tests/gui_canvas/every_shape.h: a scene with each kind of shape in each of its ways.
#pragma once

#include "gui/core/scene.h"

namespace mqlab::gui {

inline Scene every_shape() {
  Scene s(520, 400);
  s.fill({0, 0, 520, 22}, Ink::panel);
  s.text({8, 4}, "every shape", Ink::strong);
  s.text({512, 4}, "right", Ink::faint, Anchor::right);
  s.text({260, 4}, "centre \u2192 \u03b1\u03b2 \u2265 \u2605", Ink::text, Anchor::centre);
  s.line({0, 22}, {520, 22}, Ink::edge);

  // Symbols: filled, not filled, dashed, doubled.
  constexpr ShapeKind kinds[] = {ShapeKind::circle, ShapeKind::triangle, ShapeKind::diamond, ShapeKind::cross, ShapeKind::star};
  for (int k = 0; k < 5; ++k) {
    const float x = 20 + 34 * static_cast<float>(k);
    s.symbol(kinds[k], {x, 42}, 8, static_cast<Ink>(static_cast<int>(Ink::hue0) + k), true, EntityId::message(static_cast<std::uint64_t>(k)));
    s.symbol(kinds[k], {x, 70}, 8, static_cast<Ink>(static_cast<int>(Ink::hue0) + k), false, EntityId::message(static_cast<std::uint64_t>(10 + k))).width = 1.5F;
    s.symbol(kinds[k], {x, 98}, 8, Ink::edge, false).dashed = true;
    s.symbol(kinds[k], {x, 128}, 6, static_cast<Ink>(static_cast<int>(Ink::hue3) + k), true).doubled = true;
    s.symbol(kinds[k], {x, 152}, 3, Ink::text, true);
  }

  // Rectangles.
  s.fill({190, 32, 60, 20}, Ink::committed);
  s.fill({250, 32, 60, 20}, Ink::uncommitted);  // no gap between them
  s.outline({190, 60, 60, 20}, Ink::edge, 1);
  s.outline({256, 60, 54, 20}, Ink::leader, 2);
  s.fill({190, 88, 60, 22}, Ink::panel, 6);
  s.outline({190, 88, 60, 22}, Ink::edge, 1, 6, EntityId::node(1));
  s.text({220, 92}, "B1", Ink::text, Anchor::centre, EntityId::node(1));
  s.outline({256, 88, 54, 22}, Ink::down, 1.5F, 6).dashed = true;
  s.outline({192, 120, 56, 18}, Ink::hue5, 1).doubled = true;
  s.outline({256, 118, 54, 22}, Ink::fault, 1).dashed = true;
  for (int i = 0; i < 12; ++i) s.fill({190.3F + 9.7F * static_cast<float>(i), 150, 8.7F, 12}, i < 8 ? Ink::committed : Ink::uncommitted, 0, EntityId::record(1, static_cast<std::uint64_t>(i)));

  // Lines: level, upright, slanting, thin to thick, dashed, doubled, faint.
  for (int i = 0; i < 8; ++i) {
    const float y = 34 + 14 * static_cast<float>(i), w = 0.5F + 0.5F * static_cast<float>(i);
    s.line({330, y}, {380, y}, Ink::text, w);
    s.line({390, y}, {440, y + 10}, static_cast<Ink>(static_cast<int>(Ink::hue0) + i), w);
    s.line({450, y}, {510, y + 3}, Ink::edge, w).dashed = i % 2 == 0;
  }
  s.line({330, 150}, {440, 150}, Ink::edge, 1).dashed = true;
  s.line({330, 160}, {440, 172}, Ink::hue0, 1.5F).doubled = true;
  s.line({450, 150}, {450, 180}, Ink::grid, 1);
  s.line({460, 150}, {460, 180}, Ink::cursor, 2);
  s.line({470, 150}, {510, 180}, Ink::fault, 6).opacity = 90;

  // Polylines and polygons: a step curve, a smooth one, an area below a curve, a notched shape.
  s.polyline({{10, 220}, {40, 220}, {40, 200}, {80, 200}, {80, 230}, {120, 230}}, Ink::hue0, 1.5F);
  std::vector<Point> curve, below;
  for (int i = 0; i <= 40; ++i) {
    const float t = static_cast<float>(i) / 40, y = 180 + 200 * (t - 0.2F) * (t - 0.7F) + 16;
    curve.push_back({135 + 110 * t, y});
    below.push_back({135 + 110 * t, y});
  }
  below.push_back({245, 240});
  below.push_back({135, 240});
  s.polygon(below, Ink::hue4).opacity = 90;
  s.polyline(curve, Ink::hue4, 2);
  s.polygon({{260, 190}, {320, 190}, {320, 240}, {305, 205}, {290, 240}, {275, 205}, {260, 240}}, Ink::hue2);
  s.polygon({{335, 215}, {365, 190}, {395, 215}, {365, 240}}, Ink::hue6).filled = false;
  s.polyline({{405, 240}, {415, 190}, {425, 240}, {435, 190}, {445, 240}, {455, 190}}, Ink::hue1, 1.5F);
  s.polyline({{465, 200}, {510, 200}, {510, 235}, {465, 235}}, Ink::hue3, 1).dashed = true;

  // Clips.
  s.clip({10, 256, 120, 40});
  s.fill({0, 250, 70, 100}, Ink::fault_band);
  s.line({0, 250}, {520, 330}, Ink::fault, 3);
  s.symbol(ShapeKind::circle, {130, 276}, 20, Ink::hue0, true).opacity = 128;
  s.text({70, 270}, "cut off at the edge", Ink::text);
  s.clip_nothing();
  s.outline({10, 256, 120, 40}, Ink::edge);

  // Text: sizes, the other font, languages and signs.
  s.text({145, 256}, "The quick brown fox jumps over 0123456789", Ink::text);
  s.text({145, 274}, "The quick brown fox jumps over 0123456789", Ink::text).mono = Mono::yes;
  s.text({145, 292}, "small print of a remark, faint", Ink::faint).width = 0.8F;
  s.text({340, 288}, "Headline", Ink::strong).width = 1.6F;
  s.text({10, 316}, "\u00e9\u00df\u0142\u017e \u0391\u03a9\u03bb \u0416\u0434 \u2190\u2191\u2192\u2193\u21bb \u2211\u221e\u2264\u2260\u2208 \u25a0\u25b2\u25c6\u25cb\u2605\u2713\u2717 \u2026", Ink::text);
  s.text({10, 336}, "holds", Ink::holds);
  s.text({60, 336}, "violated", Ink::violated);
  s.text({125, 336}, "unknown", Ink::unknown);
  s.text({200, 336}, "no such sign: \U0001F600 \xff", Ink::faint);
  s.text({330, 336}, "witness", Ink::witness);
  s.text({395, 336}, "pin", Ink::pin);

  // All inks.
  for (std::size_t i = 0; i < ink_count; ++i) s.fill({10 + 15 * static_cast<float>(i), 366, 14, 24}, static_cast<Ink>(i));

  s.name(EntityId::node(1), {190, 88, 60, 22}, "broker B1, running");
  s.name(EntityId::message(0), {12, 34, 16, 16}, "message 0, a <produce> from \"P1\"");
  s.remark("212 of 20,000 messages drawn");
  return s;
}

}  // namespace mqlab::gui
