// gui/canvas/mesh.h: lines and areas become triangles with soft edges.
//
// ImGui has this too, but with approximate reciprocal roots that differ from processor to processor, with curves from the
// machine's own sine, and for convex areas only. Here all is IEEE arithmetic in a fixed order, so that pictures repeat everywhere.
//
// Units are pixels, y downwards. What is upright lies on whole pixels: rectangles and level lines are sharp, neighbours meet
// without a gap. All else fades over one pixel at its edge.
// Always true: 1. what cannot be seen makes no triangles, and the effort for a line does not grow with its length outside the
// clip rectangle. 2. Points that are no number are left out; a line breaks there.
// Elsewhere: what the shapes mean (paint.h), which pixels a triangle has (soft_raster.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gui/core/scene.h"

struct ImDrawList;
struct ImFont;

namespace mqlab::gui {

// Pixels that are on, pixels that are off; none: a line without gaps.
struct Dash {
  float on = 0, off = 0;
};

class Mesh {
 public:
  // Draws into `list`, cut at `clip` (which the caller has pushed there as well).
  Mesh(ImDrawList& list, Rect clip) : list_(list), clip_(clip) {}

  // Whole pixels from the nearest edge to the nearest edge; at least one wide when not empty.
  void rectangle(Rect r, std::uint32_t colour);
  // The edge of that rectangle, `width` wide, on its inner side.
  void frame(Rect r, float width, std::uint32_t colour, Dash dash = {});
  void rounded(Rect r, float radius, std::uint32_t colour);
  void rounded_frame(Rect r, float radius, float width, std::uint32_t colour, Dash dash = {});
  void stroke(std::span<const Point> points, bool closed, float width, std::uint32_t colour, Dash dash = {});
  // Any polygon; where it crosses itself only some of it may be filled.
  void area(std::span<const Point> points, std::uint32_t colour);

  bool seen(Rect r) const { return r.x <= clip_.right() && r.right() >= clip_.x && r.y <= clip_.bottom() && r.bottom() >= clip_.y; }

 private:
  void quad(float x0, float y0, float x1, float y1, std::uint32_t colour);
  void line(Point a, Point b, float width, std::uint32_t colour, Dash dash, float phase);
  void ribbon(std::span<const Point> points, bool closed, float width, std::uint32_t colour);
  void fill(std::vector<Point> points, std::uint32_t colour);
  bool clipped(Point& a, Point& b, float beyond) const;

  ImDrawList& list_;
  Rect clip_;
};

// A circle of straight pieces, so many that they are no more than a tenth of a pixel off.
std::vector<Point> circle_points(Point centre, float radius);
std::vector<Point> rounded_points(Rect r, float radius);
// Outwards by `distance` from a closed convex path.
std::vector<Point> grown(std::span<const Point> points, float distance);
// Three numbers a triangle: the corners of a simple polygon, cut into triangles. For tests.
std::vector<std::uint32_t> triangles_of(std::span<const Point> points);

}  // namespace mqlab::gui
