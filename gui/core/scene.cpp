#include "gui/core/scene.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace mqlab::gui {

void Scene::clip(Rect r) {
  for (std::size_t back = 1; back <= 8 && back <= clips_.size(); ++back)
    if (clips_[clips_.size() - back] == r) {
      clip_ = static_cast<std::uint16_t>(clips_.size() - back);
      return;
    }
  if (clips_.size() > UINT16_MAX) return clip_nothing();
  clip_ = static_cast<std::uint16_t>(clips_.size());
  clips_.push_back(r);
}

Shape& Scene::add(ShapeKind kind, Ink ink, EntityId e) {
  Shape& s = shapes_.emplace_back();
  s.kind = kind;
  s.ink = ink;
  s.entity = e;
  s.clip = clip_;
  return s;
}

Shape& Scene::line(Point from, Point to, Ink ink, float width, EntityId e) {
  Shape& s = add(ShapeKind::line, ink, e);
  s.from = from;
  s.to = to;
  s.width = width;
  return s;
}

Shape& Scene::polyline(const std::vector<Point>& points, Ink ink, float width, EntityId e) {
  Shape& s = add(ShapeKind::polyline, ink, e);
  s.first = static_cast<std::uint32_t>(points_.size());
  s.count = static_cast<std::uint32_t>(points.size());
  s.width = width;
  points_.insert(points_.end(), points.begin(), points.end());
  return s;
}

Shape& Scene::polygon(const std::vector<Point>& points, Ink ink, EntityId e) {
  Shape& s = polyline(points, ink, 1, e);
  s.kind = ShapeKind::polygon;
  s.filled = true;
  return s;
}

Shape& Scene::outline(Rect r, Ink ink, float width, float radius, EntityId e) {
  Shape& s = add(ShapeKind::rectangle, ink, e);
  s.from = {r.x, r.y};
  s.to = {r.right(), r.bottom()};
  s.width = width;
  s.radius = radius;
  return s;
}

Shape& Scene::fill(Rect r, Ink ink, float radius, EntityId e) {
  Shape& s = outline(r, ink, 1, radius, e);
  s.filled = true;
  return s;
}

Shape& Scene::symbol(ShapeKind kind, Point centre, float radius, Ink ink, bool filled, EntityId e) {
  Shape& s = add(kind, ink, e);
  s.from = centre;
  s.to = {centre.x + 1, centre.y};
  s.radius = radius;
  s.filled = filled;
  return s;
}

Shape& Scene::text(Point at, std::string label, Ink ink, Anchor anchor, EntityId e) {
  Shape& s = add(ShapeKind::text, ink, e);
  s.from = at;
  s.label = std::move(label);
  s.anchor = anchor;
  return s;
}

float FixedMeasure::width(std::string_view text, float size, Mono) const {
  std::size_t characters = 0;
  for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not the later bytes of UTF-8
  return 8 * size * static_cast<float>(characters);
}

namespace {

float to_segment(Point p, Point a, Point b) {
  const float dx = b.x - a.x, dy = b.y - a.y;
  const float length = dx * dx + dy * dy;
  const float t = length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0F, 1.0F) : 0.0F;
  return std::hypot(p.x - (a.x + t * dx), p.y - (a.y + t * dy));
}

bool inside(const Scene& s, const Shape& shape, Point p) {
  bool in = false;
  for (std::uint32_t i = 0, j = shape.count - 1; i < shape.count; j = i++) {
    const Point a = s.points()[shape.first + i], b = s.points()[shape.first + j];
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) in = !in;
  }
  return in;
}

bool touches(const Scene& s, const Shape& shape, Point p, float reach, const TextMeasure& letters) {
  switch (shape.kind) {
    case ShapeKind::line: return to_segment(p, shape.from, shape.to) <= reach + shape.width / 2;
    case ShapeKind::polyline:
      for (std::uint32_t i = 1; i < shape.count; ++i)
        if (to_segment(p, s.points()[shape.first + i - 1], s.points()[shape.first + i]) <= reach + shape.width / 2) return true;
      return false;
    case ShapeKind::polygon: return shape.count > 2 && inside(s, shape, p);
    case ShapeKind::rectangle: {
      const float x = std::min(shape.from.x, shape.to.x), y = std::min(shape.from.y, shape.to.y);
      return Rect{x, y, std::abs(shape.to.x - shape.from.x), std::abs(shape.to.y - shape.from.y)}.contains(p);
    }
    case ShapeKind::text: {
      const float w = letters.width(shape.label, shape.width, shape.mono);
      const float left = shape.anchor == Anchor::left ? 0 : shape.anchor == Anchor::centre ? w / 2 : w;
      return Rect{shape.from.x - left, shape.from.y, w, letters.line_height(shape.width)}.contains(p);
    }
    default: return std::hypot(p.x - shape.from.x, p.y - shape.from.y) <= shape.radius + reach;
  }
}

}  // namespace

std::vector<EntityId> entities_at(const Scene& s, Point p, float reach, const TextMeasure* letters) {
  const FixedMeasure fixed;
  std::vector<EntityId> out;
  for (auto it = s.shapes().rbegin(); it != s.shapes().rend(); ++it) {
    if (!it->entity || !s.clips()[it->clip].contains(p) || !touches(s, *it, p, reach, letters != nullptr ? *letters : fixed)) continue;
    if (std::find(out.begin(), out.end(), it->entity) == out.end()) out.push_back(it->entity);
  }
  return out;
}

std::optional<EntityId> entity_at(const Scene& s, Point p, float reach, const TextMeasure* letters) {
  const FixedMeasure fixed;
  for (auto it = s.shapes().rbegin(); it != s.shapes().rend(); ++it)
    if (it->entity && s.clips()[it->clip].contains(p) && touches(s, *it, p, reach, letters != nullptr ? *letters : fixed)) return it->entity;
  return std::nullopt;
}

}  // namespace mqlab::gui
