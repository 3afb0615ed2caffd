#include "gui/canvas/mesh.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>

#include <imgui.h>

namespace mqlab::gui {

namespace {

bool is_number(Point p) { return std::isfinite(p.x) && std::isfinite(p.y); }
float snapped(float v) { return std::floor(v + 0.5F); }
Point direction(Point a, Point b) {
  const double dx = static_cast<double>(b.x) - a.x, dy = static_cast<double>(b.y) - a.y;
  const double length = std::sqrt(dx * dx + dy * dy);
  if (!(length > 0)) return {0, 0};
  return {static_cast<float>(dx / length), static_cast<float>(dy / length)};
}
bool same_place(Point a, Point b) { return std::abs(a.x - b.x) < 0.004F && std::abs(a.y - b.y) < 0.004F; }
double cross(Point a, Point b, Point c) {
  return (static_cast<double>(b.x) - a.x) * (static_cast<double>(c.y) - a.y) - (static_cast<double>(c.x) - a.x) * (static_cast<double>(b.y) - a.y);
}
double signed_area(std::span<const Point> p) {
  double sum = 0;
  for (std::size_t i = 0, j = p.size() - 1; i < p.size(); j = i++) sum += static_cast<double>(p[j].x) * p[i].y - static_cast<double>(p[i].x) * p[j].y;
  return sum / 2;
}

std::uint32_t with_alpha(std::uint32_t colour, float part) {
  const float alpha = static_cast<float>(colour >> 24U) * std::clamp(part, 0.0F, 1.0F);
  return (colour & 0xFFFFFFU) | static_cast<std::uint32_t>(alpha + 0.5F) << 24U;
}

// A circle of 128 points, found by halving angles: square roots only, which every machine computes alike.
constexpr std::size_t circle_parts = 128;
std::array<Point, circle_parts> unit_circle() {
  std::array<std::array<double, 2>, circle_parts + 1> p{};
  p[0] = {1, 0};
  p[circle_parts / 4] = {0, 1};
  p[circle_parts / 2] = {-1, 0};
  p[3 * circle_parts / 4] = {0, -1};
  p[circle_parts] = {1, 0};
  for (std::size_t step = circle_parts / 4; step > 1; step /= 2)
    for (std::size_t i = 0; i < circle_parts; i += step) {
      const double x = p[i][0] + p[i + step][0], y = p[i][1] + p[i + step][1], length = std::sqrt(x * x + y * y);
      p[i + step / 2] = {x / length, y / length};
    }
  std::array<Point, circle_parts> out;
  for (std::size_t i = 0; i < circle_parts; ++i) out[i] = {static_cast<float>(p[i][0]), static_cast<float>(p[i][1])};
  return out;
}
const std::array<Point, circle_parts>& circle_table() {
  static const auto table = unit_circle();
  return table;
}
std::size_t circle_step(float radius) { return radius <= 1.3F ? 16 : radius <= 5.2F ? 8 : radius <= 20 ? 4 : radius <= 83 ? 2 : 1; }

// Corners from left to right, cut by a stack (Garey, Johnson, Preparata, Tarjan 1978): areas under curves have thousands of corners.
bool triangulate_monotone(std::span<const Point> p, std::vector<std::uint32_t>& out) {
  const std::size_t n = p.size();
  if (n < 3) return false;
  std::size_t first = 0, last = 0;
  for (std::size_t i = 1; i < n; ++i) {
    if (p[i].x < p[first].x) first = i;
    if (p[i].x > p[last].x) last = i;
  }
  // The two ways from the left to the right; equal places count as going right.
  std::vector<std::uint32_t> over, under, order;
  std::vector<bool> upper(n, false);
  for (std::size_t i = first; i != last; i = (i + 1) % n) {
    if (p[(i + 1) % n].x < p[i].x) return false;
    over.push_back(static_cast<std::uint32_t>(i));
    upper[i] = true;
  }
  for (std::size_t i = last; i != first; i = (i + 1) % n) {
    if (p[(i + 1) % n].x > p[i].x) return false;
    under.push_back(static_cast<std::uint32_t>(i));
  }
  std::reverse(under.begin(), under.end());
  std::merge(over.begin(), over.end(), under.begin(), under.end(), std::back_inserter(order), [&](std::uint32_t a, std::uint32_t b) { return p[a].x < p[b].x; });
  std::vector<std::uint32_t> stack = {order[0], order[1]};
  const auto add = [&](std::uint32_t a, std::uint32_t b, std::uint32_t c) { out.insert(out.end(), {a, b, c}); };
  for (std::size_t i = 2; i < n; ++i) {
    const std::uint32_t v = order[i];
    if (i + 1 == n || upper[v] != upper[stack.back()]) {
      for (std::size_t k = 0; k + 1 < stack.size(); ++k) add(v, stack[k], stack[k + 1]);
      const std::uint32_t top = stack.back();
      stack = {top, v};
    } else {
      std::uint32_t top = stack.back();
      stack.pop_back();
      while (!stack.empty()) {
        const double turn = cross(p[stack.back()], p[top], p[v]);
        if (upper[v] ? turn < 0 : turn > 0) break;
        add(v, top, stack.back());
        top = stack.back();
        stack.pop_back();
      }
      stack.push_back(top);
      stack.push_back(v);
    }
  }
  return true;
}

bool in_triangle(Point p, Point a, Point b, Point c) { return cross(a, b, p) >= 0 && cross(b, c, p) >= 0 && cross(c, a, p) >= 0; }

// One ear after the other. Clockwise on the screen: areas are positive.
void triangulate_by_ears(std::span<const Point> p, std::vector<std::uint32_t>& out) {
  std::vector<std::uint32_t> ring(p.size());
  std::iota(ring.begin(), ring.end(), 0U);
  std::size_t at = 0, tried = 0, effort = 0;
  constexpr std::size_t effort_max = 4'000'000;  // a polygon that crosses itself thousands of times gets what is found by then
  while (ring.size() > 3 && tried < ring.size() && effort < effort_max) {
    const std::size_t n = ring.size();
    const std::uint32_t a = ring[(at + n - 1) % n], b = ring[at % n], c = ring[(at + 1) % n];
    bool ear = cross(p[a], p[b], p[c]) > 0;
    for (std::size_t k = 0; ear && k < n; ++k, ++effort) {
      const std::uint32_t v = ring[k];
      if (v != a && v != b && v != c && !same_place(p[v], p[a]) && !same_place(p[v], p[b]) && !same_place(p[v], p[c])) ear = !in_triangle(p[v], p[a], p[b], p[c]);
    }
    const bool flat = cross(p[a], p[b], p[c]) == 0;
    if (ear || flat) {
      if (ear) out.insert(out.end(), {a, b, c});
      ring.erase(ring.begin() + static_cast<std::ptrdiff_t>(at % n));
      at = at % n == 0 ? 0 : at % n - 1;
      tried = 0;
    } else {
      at = (at + 1) % n;
      ++tried;
    }
  }
  for (std::size_t k = 2; k < ring.size(); ++k) out.insert(out.end(), {ring[0], ring[k - 1], ring[k]});  // the last; or what crosses itself
}

// A corner that is given twice turns as one.
bool is_convex(std::span<const Point> p) {
  const std::size_t n = p.size();
  int turns = 0;  // of its direction to the left: once around only
  for (std::size_t i = 0; i < n; ++i) {
    const Point a = p[i], b = p[(i + 1) % n];
    if (a == b) continue;
    std::size_t after = i + 2;
    while (after < i + n && p[after % n] == b) ++after;
    const Point c = p[after % n];
    if (cross(a, b, c) < 0) return false;
    turns += (b.x >= a.x) != (c.x >= b.x);
  }
  return turns <= 2;
}

// The part of a polygon on one side of an upright line.
template <class Inside, class Cut>
std::vector<Point> cut(const std::vector<Point>& p, Inside inside, Cut at_edge) {
  std::vector<Point> out;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const Point a = p[i], b = p[(i + 1) % p.size()];
    if (inside(a)) out.push_back(a);
    if (inside(a) != inside(b)) out.push_back(at_edge(a, b));
  }
  return out;
}

}  // namespace

std::vector<Point> circle_points(Point centre, float radius) {
  std::vector<Point> out;
  for (std::size_t i = 0; i < circle_parts; i += circle_step(radius)) out.push_back({centre.x + radius * circle_table()[i].x, centre.y + radius * circle_table()[i].y});
  return out;
}

std::vector<Point> rounded_points(Rect r, float radius) {
  radius = std::min({radius, r.w / 2, r.h / 2});
  std::vector<Point> out;
  if (!(radius > 0)) return {{r.x, r.y}, {r.right(), r.y}, {r.right(), r.bottom()}, {r.x, r.bottom()}};
  const std::size_t step = std::min<std::size_t>(circle_step(radius), circle_parts / 16), quarter = circle_parts / 4;
  const Point centres[4] = {{r.right() - radius, r.bottom() - radius}, {r.x + radius, r.bottom() - radius}, {r.x + radius, r.y + radius}, {r.right() - radius, r.y + radius}};
  for (std::size_t q = 0; q < 4; ++q)
    for (std::size_t i = 0; i <= quarter; i += step) {
      const Point u = circle_table()[(q * quarter + i) % circle_parts];
      out.push_back({centres[q].x + radius * u.x, centres[q].y + radius * u.y});
    }
  return out;
}

std::vector<Point> grown(std::span<const Point> points, float distance) {
  std::vector<Point> out;
  const std::size_t n = points.size();
  if (n < 3) return {points.begin(), points.end()};
  const float side = signed_area(points) >= 0 ? 1.0F : -1.0F;
  for (std::size_t i = 0; i < n; ++i) {
    const Point in = direction(points[(i + n - 1) % n], points[i]), next = direction(points[i], points[(i + 1) % n]);
    float x = (in.y + next.y) / 2, y = -(in.x + next.x) / 2;
    const float d2 = std::max(x * x + y * y, 0.25F);
    out.push_back({points[i].x + side * distance * x / d2, points[i].y + side * distance * y / d2});
  }
  return out;
}

std::vector<std::uint32_t> triangles_of(std::span<const Point> p) {
  std::vector<std::uint32_t> out;
  if (p.size() < 3) return out;
  if (is_convex(p)) {
    for (std::uint32_t i = 2; i < p.size(); ++i) out.insert(out.end(), {0, i - 1, i});
  } else if (!triangulate_monotone(p, out)) {
    out.clear();
    triangulate_by_ears(p, out);
  }
  return out;
}

void Mesh::quad(float x0, float y0, float x1, float y1, std::uint32_t colour) {
  x0 = std::max(x0, std::floor(clip_.x));
  y0 = std::max(y0, std::floor(clip_.y));
  x1 = std::min(x1, std::ceil(clip_.right()));
  y1 = std::min(y1, std::ceil(clip_.bottom()));
  if (!(x0 < x1) || !(y0 < y1)) return;
  list_.PrimReserve(6, 4);
  list_.PrimRect({x0, y0}, {x1, y1}, colour);
}

void Mesh::rectangle(Rect r, std::uint32_t colour) {
  if (!(r.w >= 0) || !(r.h >= 0) || !is_number({r.x, r.y}) || !is_number({r.right(), r.bottom()}) || (r.w == 0 && r.h == 0)) return;
  const float x = snapped(r.x), y = snapped(r.y);
  quad(x, y, std::max(x + 1, snapped(r.right())), std::max(y + 1, snapped(r.bottom())), colour);
}

void Mesh::frame(Rect r, float width, std::uint32_t colour, Dash dash) {
  if (!(r.w >= 0) || !(r.h >= 0) || !is_number({r.x, r.y}) || !is_number({r.right(), r.bottom()})) return;
  const float x0 = snapped(r.x), y0 = snapped(r.y), x1 = std::max(x0 + 1, snapped(r.right())), y1 = std::max(y0 + 1, snapped(r.bottom()));
  const float w = std::max(1.0F, snapped(width));
  if (dash.on > 0) {
    const float h = w / 2;
    const Point p[4] = {{x0 + h, y0 + h}, {x1 - h, y0 + h}, {x1 - h, y1 - h}, {x0 + h, y1 - h}};
    return stroke(p, true, w, colour, dash);
  }
  if (x1 - x0 <= 2 * w || y1 - y0 <= 2 * w) return quad(x0, y0, x1, y1, colour);
  quad(x0, y0, x1, y0 + w, colour);
  quad(x0, y1 - w, x1, y1, colour);
  quad(x0, y0 + w, x0 + w, y1 - w, colour);
  quad(x1 - w, y0 + w, x1, y1 - w, colour);
}

void Mesh::rounded(Rect r, float radius, std::uint32_t colour) {
  if (!(r.w >= 0) || !(r.h >= 0) || !is_number({r.x, r.y}) || !is_number({r.right(), r.bottom()}) || !std::isfinite(radius)) return;
  const float x = snapped(r.x), y = snapped(r.y);
  area(rounded_points({x, y, std::max(1.0F, snapped(r.right()) - x), std::max(1.0F, snapped(r.bottom()) - y)}, radius), colour);
}

void Mesh::rounded_frame(Rect r, float radius, float width, std::uint32_t colour, Dash dash) {
  if (!(r.w >= 0) || !(r.h >= 0) || !is_number({r.x, r.y}) || !is_number({r.right(), r.bottom()}) || !std::isfinite(radius)) return;
  const float w = std::max(1.0F, snapped(width)), x = snapped(r.x) + w / 2, y = snapped(r.y) + w / 2;
  const Rect middle{x, y, std::max(0.0F, snapped(r.right()) - w / 2 - x), std::max(0.0F, snapped(r.bottom()) - w / 2 - y)};
  stroke(rounded_points(middle, std::max(0.5F, radius - w / 2)), true, w, colour, dash);
}

// Liang and Barsky: the part of a line that is in the clip rectangle, or not farther from it than `beyond`.
bool Mesh::clipped(Point& a, Point& b, float beyond) const {
  const double x = a.x, y = a.y, dx = static_cast<double>(b.x) - x, dy = static_cast<double>(b.y) - y;
  const double towards[4] = {-dx, dx, -dy, dy};
  const double room[4] = {x - (clip_.x - beyond), clip_.right() + beyond - x, y - (clip_.y - beyond), clip_.bottom() + beyond - y};
  double from = 0, to = 1;
  for (int side = 0; side < 4; ++side) {
    if (towards[side] == 0) {
      if (room[side] < 0) return false;
      continue;
    }
    const double t = room[side] / towards[side];
    if (towards[side] < 0) from = std::max(from, t);
    else to = std::min(to, t);
  }
  if (from > to) return false;
  if (to < 1) b = {static_cast<float>(x + to * dx), static_cast<float>(y + to * dy)};
  if (from > 0) a = {static_cast<float>(x + from * dx), static_cast<float>(y + from * dy)};
  return true;
}

// A straight piece. `phase`: how far along its dashes it begins.
void Mesh::line(Point a, Point b, float width, std::uint32_t colour, Dash dash, float phase) {
  Point from = a, to = b;
  if (!clipped(from, to, width + 8)) return;
  if (dash.on > 0) {
    const Point d = direction(a, b);
    const float period = dash.on + dash.off;
    const double start = std::sqrt((static_cast<double>(from.x) - a.x) * (static_cast<double>(from.x) - a.x) + (static_cast<double>(from.y) - a.y) * (static_cast<double>(from.y) - a.y));
    const double length = std::sqrt((static_cast<double>(to.x) - from.x) * (static_cast<double>(to.x) - from.x) + (static_cast<double>(to.y) - from.y) * (static_cast<double>(to.y) - from.y));
    double at = -std::fmod(start + phase, static_cast<double>(period));
    for (; at < length; at += period) {
      const float s = static_cast<float>(std::max(at, 0.0)), e = static_cast<float>(std::min(at + dash.on, length));
      if (s < e) line({from.x + d.x * s, from.y + d.y * s}, {from.x + d.x * e, from.y + d.y * e}, width, colour, {}, 0);
    }
    return;
  }
  const float w = std::max(1.0F, snapped(width));
  if (width < 1 && (std::abs(from.y - to.y) < 0.01F || std::abs(from.x - to.x) < 0.01F)) colour = with_alpha(colour, width);
  if (std::abs(from.y - to.y) < 0.01F) {
    const float y = snapped(from.y - w / 2), x0 = snapped(std::min(from.x, to.x));
    return quad(x0, y, std::max(x0 + 1, snapped(std::max(from.x, to.x))), y + w, colour);
  }
  if (std::abs(from.x - to.x) < 0.01F) {
    const float x = snapped(from.x - w / 2), y0 = snapped(std::min(from.y, to.y));
    return quad(x, y0, x + w, std::max(y0 + 1, snapped(std::max(from.y, to.y))), colour);
  }
  const Point ends[2] = {from, to};
  ribbon(ends, false, width, colour);
}

void Mesh::stroke(std::span<const Point> points, bool closed, float width, std::uint32_t colour, Dash dash) {
  if (!std::isfinite(width) || !(width > 0)) return;
  width = std::min(width, 1'000.0F);
  if (dash.on > 0) {
    dash.on = std::max(dash.on, 1.0F);
    dash.off = std::max(dash.off, 1.0F);
  }
  if (points.size() == 2 || dash.on > 0) {
    float phase = 0;
    const std::size_t pieces = closed ? points.size() : points.size() - 1;
    for (std::size_t i = 0; i < pieces && points.size() > 1; ++i) {
      const Point a = points[i], b = points[(i + 1) % points.size()];
      if (!is_number(a) || !is_number(b)) continue;
      line(a, b, width, colour, dash, phase);
      if (dash.on > 0) {
        const double dx = static_cast<double>(b.x) - a.x, dy = static_cast<double>(b.y) - a.y;
        phase = static_cast<float>(std::fmod(phase + std::sqrt(dx * dx + dy * dy), static_cast<double>(dash.on + dash.off)));
      }
    }
    return;
  }
  // Level and upright pieces lie on whole pixels, with their neighbours bent to meet them.
  std::vector<Point> bent(points.begin(), points.end());
  const bool odd = static_cast<int>(std::max(1.0F, snapped(width))) % 2 == 1;
  const auto on_pixels = [&](float v) { return odd ? std::floor(v) + 0.5F : snapped(v); };
  for (std::size_t i = 0; i + (closed ? 0 : 1) < points.size(); ++i) {
    const std::size_t j = (i + 1) % points.size();
    const Point a = points[i], b = points[j];
    if (std::abs(a.x - b.x) + std::abs(a.y - b.y) < 2) continue;  // of a curve
    if (std::abs(a.y - b.y) < 0.01F) bent[i].y = bent[j].y = on_pixels(a.y);
    if (std::abs(a.x - b.x) < 0.01F) bent[i].x = bent[j].x = on_pixels(a.x);
  }
  points = bent;
  // Runs of pieces that are near the clip rectangle, without points that fall together and without sharp corners.
  std::vector<Point> run;
  const float beyond = width + 8;
  const auto flush = [&](bool whole) {
    if (run.size() == 2) line(run[0], run[1], width, colour, {}, 0);
    if (run.size() > 2) ribbon(run, whole, width, colour);
    run.clear();
  };
  const std::size_t n = points.size(), pieces = closed ? n : n - 1;
  bool whole = closed;
  for (std::size_t i = 0; n > 1 && i < pieces; ++i) {
    Point a = points[i], b = points[(i + 1) % n];
    if (!is_number(a) || !is_number(b)) {
      whole = false;
      flush(false);
      continue;
    }
    if (same_place(a, b)) {
      if (run.empty()) run.push_back(a);
      continue;
    }
    const Point a0 = a, b0 = b;
    if (!clipped(a, b, beyond)) {
      whole = false;
      flush(false);
      continue;
    }
    if (!(a == a0)) {
      whole = false;
      flush(false);
    }
    if (run.empty()) run.push_back(a);
    if (run.size() > 1) {
      const Point before = direction(run[run.size() - 2], run.back()), after = direction(run.back(), b);
      if (before.x * after.x + before.y * after.y < -0.5F || run.size() > 8'000) {  // turns by more than 120 degrees
        const Point corner = run.back();
        whole = false;
        flush(false);
        run.push_back(corner);
      }
    }
    if (!same_place(run.back(), b)) run.push_back(b);
    if (!(b == b0)) {
      whole = false;
      flush(false);
    }
  }
  if (whole && run.size() > 3 && same_place(run.front(), run.back())) {
    run.pop_back();
    return flush(true);
  }
  flush(false);
}

// A band along a path: full in the middle, fading over one pixel on both sides.
void Mesh::ribbon(std::span<const Point> p, bool closed, float width, std::uint32_t colour) {
  if (width < 1) {
    colour = with_alpha(colour, width);
    width = 1;
  }
  if (colour >> 24U == 0) return;
  const std::size_t n = p.size(), pieces = closed ? n : n - 1;
  const bool thick = width > 1.01F;
  const unsigned int rails = thick ? 4 : 3;
  const float outer = (width + 1) / 2, inner = (width - 1) / 2;
  const std::uint32_t none = colour & 0xFFFFFFU;
  const ImVec2 white = ImGui::GetFontTexUvWhitePixel();
  list_.PrimReserve(static_cast<int>(pieces * (rails - 1) * 6), static_cast<int>(n * rails));
  const unsigned int base = list_._VtxCurrentIdx;
  for (std::size_t i = 0; i < n; ++i) {
    const Point in = i > 0 || closed ? direction(p[(i + n - 1) % n], p[i]) : direction(p[i], p[i + 1]);
    const Point out = i + 1 < n || closed ? direction(p[i], p[(i + 1) % n]) : in;
    float x = (in.y + out.y) / 2, y = -(in.x + out.x) / 2;
    const float d2 = std::max(x * x + y * y, 0.2F);
    x /= d2;
    y /= d2;
    const auto write = [&](float offset, std::uint32_t c) { list_.PrimWriteVtx({p[i].x + x * offset, p[i].y + y * offset}, white, c); };
    write(outer, none);
    if (thick) write(inner, colour);
    write(thick ? -inner : 0, colour);
    write(-outer, none);
  }
  for (std::size_t i = 0; i < pieces; ++i) {
    const unsigned int a = base + static_cast<unsigned int>(i) * rails, b = base + static_cast<unsigned int>((i + 1) % n) * rails;
    for (unsigned int k = 0; k + 1 < rails; ++k)
      for (const unsigned int v : {a + k, b + k, b + k + 1, a + k, b + k + 1, a + k + 1}) list_.PrimWriteIdx(static_cast<ImDrawIdx>(v));
  }
}

void Mesh::area(std::span<const Point> points, std::uint32_t colour) {
  std::vector<Point> p;
  p.reserve(points.size());
  bool far = false;
  const float near = 64;
  float left = INFINITY, right = -INFINITY, top = INFINITY, bottom = -INFINITY;
  for (const Point q : points) {
    if (!is_number(q) || (!p.empty() && same_place(q, p.back()))) continue;
    left = std::min(left, q.x), right = std::max(right, q.x), top = std::min(top, q.y), bottom = std::max(bottom, q.y);
    p.push_back(q);
  }
  while (p.size() > 1 && same_place(p.front(), p.back())) p.pop_back();
  if (p.size() < 3 || right < clip_.x - 1 || left > clip_.right() + 1 || bottom < clip_.y - 1 || top > clip_.bottom() + 1) return;
  far = left < clip_.x - near || right > clip_.right() + near || top < clip_.y - near || bottom > clip_.bottom() + near;
  if (far) {  // Sutherland and Hodgman, a little outside, so that the edges of the cut are not seen
    const float x0 = clip_.x - 4, x1 = clip_.right() + 4, y0 = clip_.y - 4, y1 = clip_.bottom() + 4;
    const auto at_x = [](float x) {
      return [x](Point a, Point b) { return Point{x, static_cast<float>(a.y + (static_cast<double>(b.y) - a.y) * ((static_cast<double>(x) - a.x) / (static_cast<double>(b.x) - a.x)))}; };
    };
    const auto at_y = [](float y) {
      return [y](Point a, Point b) { return Point{static_cast<float>(a.x + (static_cast<double>(b.x) - a.x) * ((static_cast<double>(y) - a.y) / (static_cast<double>(b.y) - a.y))), y}; };
    };
    p = cut(p, [&](Point q) { return q.x >= x0; }, at_x(x0));
    p = cut(p, [&](Point q) { return q.x <= x1; }, at_x(x1));
    p = cut(p, [&](Point q) { return q.y >= y0; }, at_y(y0));
    p = cut(p, [&](Point q) { return q.y <= y1; }, at_y(y1));
    p.erase(std::unique(p.begin(), p.end(), same_place), p.end());
    while (p.size() > 1 && same_place(p.front(), p.back())) p.pop_back();
    if (p.size() < 3) return;
  }
  fill(std::move(p), colour);
}

void Mesh::fill(std::vector<Point> p, std::uint32_t colour) {
  if (colour >> 24U == 0 || p.size() > 16'000) return;
  if (signed_area(p) < 0) std::reverse(p.begin(), p.end());
  const std::vector<std::uint32_t> triangles = triangles_of(p);
  const std::vector<Point> inner = grown(p, -0.5F), outer = grown(p, 0.5F);
  const std::size_t n = p.size();
  const ImVec2 white = ImGui::GetFontTexUvWhitePixel();
  list_.PrimReserve(static_cast<int>(triangles.size() + n * 6), static_cast<int>(n * 2));
  const unsigned int base = list_._VtxCurrentIdx;
  for (std::size_t i = 0; i < n; ++i) {
    list_.PrimWriteVtx({inner[i].x, inner[i].y}, white, colour);
    list_.PrimWriteVtx({outer[i].x, outer[i].y}, white, colour & 0xFFFFFFU);
  }
  for (const std::uint32_t t : triangles) list_.PrimWriteIdx(static_cast<ImDrawIdx>(base + 2 * t));
  for (std::size_t i = 0; i < n; ++i) {
    const unsigned int a = base + 2 * static_cast<unsigned int>(i), b = base + 2 * static_cast<unsigned int>((i + 1) % n);
    for (const unsigned int v : {a, b, b + 1, a, b + 1, a + 1}) list_.PrimWriteIdx(static_cast<ImDrawIdx>(v));
  }
}

}  // namespace mqlab::gui
