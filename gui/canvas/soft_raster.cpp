#include "gui/canvas/soft_raster.h"

#include <algorithm>
#include <cmath>

#include <imgui.h>

namespace mqlab::gui {

namespace {

using I64 = std::int64_t;

constexpr int sub = 256;             // parts of a pixel
constexpr double far_away = 30'000;  // in pixels
constexpr int no_number = INT32_MIN;

int fixed(float v) {
  if (!(v == v)) return no_number;
  const double clamped = std::clamp(static_cast<double>(v), -far_away, far_away);
  constexpr double lift = 1 << 24;  // makes it positive: then cutting off is rounding down
  return static_cast<int>(clamped * sub + 0.5 + lift) - (1 << 24);
}

// The first pixel whose centre is at or after v.
int first_pixel(int v) { return (v + sub / 2 - 1) >> 8; }

I64 floor_div(I64 a, I64 b) {  // b > 0
  const I64 q = a / b;
  return q - (a % b < 0 ? 1 : 0);
}

struct Corner {
  int x = 0, y = 0;       // in 1/256 pixels
  float u = 0, v = 0;
  std::uint32_t colour = 0;
};

struct PixelClip {
  int x0, y0, x1, y1;
};

std::uint32_t alpha_of(std::uint32_t c) { return c >> 24U; }

// `alpha` of 0..255; 255 gives exactly `colour`, 0 exactly what was there.
inline std::uint32_t blended(std::uint32_t under, std::uint32_t colour, std::uint32_t alpha) {
  const std::uint32_t a = alpha + (alpha >> 7U), b = 256 - a;
  const std::uint32_t red_blue = (((colour & 0xFF00FFU) * a + (under & 0xFF00FFU) * b + 0x800080U) >> 8U) & 0xFF00FFU;
  const std::uint32_t green = (((colour & 0x00FF00U) * a + (under & 0x00FF00U) * b + 0x008000U) >> 8U) & 0x00FF00U;
  return 0xFF000000U | red_blue | green;
}

inline std::uint32_t scaled(std::uint32_t alpha, std::uint32_t coverage) {  // alpha * coverage / 255, rounded
  const std::uint32_t t = alpha * coverage + 128;
  return (t + (t >> 8U)) >> 8U;
}

void fill_span(std::uint32_t* row, int x0, int x1, std::uint32_t colour, std::uint32_t alpha) {
  if (alpha == 255) {
    std::fill(row + x0, row + x1, colour | 0xFF000000U);
  } else if (alpha != 0) {
    for (int x = x0; x < x1; ++x) row[x] = blended(row[x], colour, alpha);
  }
}

// Coverage at a place in the texture, in texels of 16 bits after the point. Between texels when `smooth`.
inline std::uint32_t coverage_at(const CoverageTexture& t, I64 u, I64 v, bool smooth) {
  const auto texel = [&](I64 x, I64 y) -> std::uint32_t {
    x = std::clamp<I64>(x, 0, t.width - 1);
    y = std::clamp<I64>(y, 0, t.height - 1);
    return t.coverage[y * t.width + x];
  };
  if (!smooth) return texel(u >> 16, v >> 16);
  u -= 1 << 15;
  v -= 1 << 15;
  const std::uint32_t fu = static_cast<std::uint32_t>(u >> 8) & 255U, fv = static_cast<std::uint32_t>(v >> 8) & 255U;
  const I64 x = u >> 16, y = v >> 16;
  const std::uint32_t top = texel(x, y) * (256 - fu) + texel(x + 1, y) * fu;
  const std::uint32_t bottom = texel(x, y + 1) * (256 - fu) + texel(x + 1, y + 1) * fu;
  return (top * (256 - fv) + bottom * fv + (1U << 15U)) >> 16U;
}

I64 texel_place(float uv, int size) {  // 16 bits after the point
  if (!(uv == uv)) return 0;
  return static_cast<I64>(std::clamp(static_cast<double>(uv), 0.0, 1.0) * size * 65536.0 + 0.5);
}

bool is_one_place(const Corner& a, const Corner& b, const Corner& c, const Corner& d) {
  return a.u == b.u && a.u == c.u && a.u == d.u && a.v == b.v && a.v == c.v && a.v == d.v;
}

struct Painter {
  Picture& into;
  const CoverageTexture* texture = nullptr;
  PixelClip clip{};

  std::uint32_t coverage(const Corner& c) const {
    if (texture == nullptr) return 255;
    return coverage_at(*texture, texel_place(c.u, texture->width), texture->height == 0 ? 0 : texel_place(c.v, texture->height), false);
  }

  void rectangle(const Corner& upper_left, const Corner& lower_right) {
    const int x0 = std::max(clip.x0, first_pixel(upper_left.x)), x1 = std::min(clip.x1, first_pixel(lower_right.x));
    const int y0 = std::max(clip.y0, first_pixel(upper_left.y)), y1 = std::min(clip.y1, first_pixel(lower_right.y));
    if (x0 >= x1 || y0 >= y1) return;
    const std::uint32_t alpha = scaled(alpha_of(upper_left.colour), coverage(upper_left));
    for (int y = y0; y < y1; ++y) fill_span(into.row(y), x0, x1, upper_left.colour, alpha);
  }

  void textured_rectangle(const Corner& a, const Corner& c) {
    const int x0 = std::max(clip.x0, first_pixel(a.x)), x1 = std::min(clip.x1, first_pixel(c.x));
    const int y0 = std::max(clip.y0, first_pixel(a.y)), y1 = std::min(clip.y1, first_pixel(c.y));
    if (x0 >= x1 || y0 >= y1) return;
    const I64 u0 = texel_place(a.u, texture->width), v0 = texel_place(a.v, texture->height);
    const I64 du = (texel_place(c.u, texture->width) - u0) * sub / (c.x - a.x);  // a pixel
    const I64 dv = (texel_place(c.v, texture->height) - v0) * sub / (c.y - a.y);
    // At its own size: one row of texels a row of pixels, a whole number of columns a column.
    const I64 columns = (du + 32768) >> 16;
    const bool own_size = std::abs(dv - 65536) < 2048 && columns >= 1 && std::abs(du - columns * 65536) < 2048 * columns;
    const std::uint32_t colour = a.colour, alpha = alpha_of(colour);
    for (int y = y0; y < y1; ++y) {
      std::uint32_t* row = into.row(y);
      const I64 v = v0 + (dv * (static_cast<I64>(y) * sub + sub / 2 - a.y) >> 8);
      I64 u = u0 + (du * (static_cast<I64>(x0) * sub + sub / 2 - a.x) >> 8);
      if (own_size) {
        const std::uint8_t* texels = texture->coverage + std::clamp<I64>(v >> 16, 0, texture->height - 1) * texture->width;
        const I64 last = texture->width - 1;
        for (int x = x0; x < x1; ++x, u += du) {
          const std::uint32_t covered = texels[std::min(u >> 16, last)];
          if (covered != 0) row[x] = blended(row[x], colour, scaled(alpha, covered));
        }
      } else {
        for (int x = x0; x < x1; ++x, u += du) {
          const std::uint32_t covered = coverage_at(*texture, u, v, true);
          if (covered != 0) row[x] = blended(row[x], colour, scaled(alpha, covered));
        }
      }
    }
  }

  // One edge, downwards: the first pixel at or after it, row by row.
  struct Edge {
    I64 pixel = 0, rest = 0, step = 0, rest_step = 0, whole = 1;

    Edge() = default;
    Edge(const Corner& top, const Corner& bottom, int row) {
      const I64 dx = static_cast<I64>(bottom.x) - top.x, dy = static_cast<I64>(bottom.y) - top.y;
      whole = dy * sub;
      const I64 n = (static_cast<I64>(top.x) - sub / 2) * dy + dx * (static_cast<I64>(row) * sub + sub / 2 - top.y) + whole - 1;
      pixel = floor_div(n, whole);
      rest = n - pixel * whole;
      step = floor_div(dx, dy);
      rest_step = (dx - step * dy) * sub;
    }
    void next() {
      pixel += step;
      rest += rest_step;
      if (rest >= whole) {
        ++pixel;
        rest -= whole;
      }
    }
  };

  // A number that is given at the corners, anywhere between them; 16 bits after the point.
  struct Plane {
    I64 at_first = 0, per_x = 0, per_y = 0, smallest = 0, largest = 0;

    Plane() = default;
    Plane(I64 a, I64 b, I64 c, const Corner& p, const Corner& q, const Corner& r, I64 area, int shift) {
      const I64 limit = I64{1} << 36;
      const I64 nx = (b - a) * (r.y - p.y) - (c - a) * (q.y - p.y), ny = (c - a) * (q.x - p.x) - (b - a) * (r.x - p.x);
      per_x = std::clamp(nx * (I64{sub} << shift) / area, -limit, limit);
      per_y = std::clamp(ny * (I64{sub} << shift) / area, -limit, limit);
      at_first = a << shift;
      smallest = std::min({a, b, c}) << shift;
      largest = std::max({a, b, c}) << shift;
    }
    I64 at(I64 dx, I64 dy) const { return at_first + ((per_x * dx + per_y * dy) >> 8); }  // in 1/256 pixels from the first corner
    I64 held(I64 v) const { return std::clamp(v, smallest, largest); }
  };

  // How a shape is coloured: what all its pixels have in common, and what differs from corner to corner.
  struct Fill {
    bool one_place = true, one_rgb = true, flat = true;
    std::uint32_t rgb = 0, alphas[3] = {};
    Plane alpha{}, red{}, green{}, blue{}, u{}, v{};
  };

  Fill fill_of(const Corner& p, const Corner& q, const Corner& r, I64 area) const {
    Fill f;
    f.one_place = p.u == q.u && p.u == r.u && p.v == q.v && p.v == r.v;
    f.rgb = p.colour & 0xFFFFFFU;
    f.one_rgb = (q.colour & 0xFFFFFFU) == f.rgb && (r.colour & 0xFFFFFFU) == f.rgb;
    const std::uint32_t covered = f.one_place ? coverage(p) : 255;
    f.alphas[0] = scaled(alpha_of(p.colour), covered);
    f.alphas[1] = scaled(alpha_of(q.colour), covered);
    f.alphas[2] = scaled(alpha_of(r.colour), covered);
    f.flat = f.one_place && f.one_rgb && f.alphas[0] == f.alphas[1] && f.alphas[0] == f.alphas[2];
    if (!f.flat) f.alpha = Plane(f.alphas[0], f.alphas[1], f.alphas[2], p, q, r, area, 16);
    if (!f.one_rgb) {
      const auto channel = [&](int shift) {
        const auto of = [&](const Corner& c) { return static_cast<I64>(c.colour >> shift & 255U); };
        return Plane(of(p), of(q), of(r), p, q, r, area, 16);
      };
      f.red = channel(0);
      f.green = channel(8);
      f.blue = channel(16);
    }
    if (!f.one_place && texture != nullptr) {
      f.u = Plane(texel_place(p.u, texture->width), texel_place(q.u, texture->width), texel_place(r.u, texture->width), p, q, r, area, 0);
      f.v = Plane(texel_place(p.v, texture->height), texel_place(q.v, texture->height), texel_place(r.v, texture->height), p, q, r, area, 0);
    }
    return f;
  }

  void span(int y, int x0, int x1, const Fill& f, const Corner& p) const {
    std::uint32_t* row = into.row(y);
    if (f.flat) return fill_span(row, x0, x1, f.rgb, f.alphas[0]);
    const I64 dx = static_cast<I64>(x0) * sub + sub / 2 - p.x, dy = static_cast<I64>(y) * sub + sub / 2 - p.y;
    if (f.one_place && f.one_rgb) {
      I64 a = f.alpha.at(dx, dy);
      for (int x = x0; x < x1; ++x, a += f.alpha.per_x) row[x] = blended(row[x], f.rgb, static_cast<std::uint32_t>((f.alpha.held(a) + 32768) >> 16));
      return;
    }
    for (int x = x0; x < x1; ++x) {
      const I64 here = dx + static_cast<I64>(x - x0) * sub;
      const auto of = [&](const Plane& c) { return static_cast<std::uint32_t>((c.held(c.at(here, dy)) + 32768) >> 16); };
      const std::uint32_t colour = f.one_rgb ? f.rgb : of(f.red) | of(f.green) << 8U | of(f.blue) << 16U;
      std::uint32_t alpha = of(f.alpha);
      if (!f.one_place && texture != nullptr) alpha = scaled(alpha, coverage_at(*texture, f.u.held(f.u.at(here, dy)), f.v.held(f.v.at(here, dy)), true));
      row[x] = blended(row[x], colour, alpha);
    }
  }

  // A convex shape of `n` corners, clockwise: edges that go down are on its right, those that go up on its left.
  void convex(const Corner* const* corners, int n, const Fill& f) const {
    int top = corners[0]->y, bottom = top, left = corners[0]->x, right = left;
    for (int i = 1; i < n; ++i) {
      top = std::min(top, corners[i]->y);
      bottom = std::max(bottom, corners[i]->y);
      left = std::min(left, corners[i]->x);
      right = std::max(right, corners[i]->x);
    }
    const int y0 = std::max(clip.y0, first_pixel(top)), y1 = std::min(clip.y1, first_pixel(bottom));
    if (y0 >= y1 || first_pixel(right) <= clip.x0 || first_pixel(left) >= clip.x1) return;
    // Of the edges of one side, the one that crosses a row, and the row before which it ends.
    const auto edge_at = [&](int row, bool on_right, int& until) {
      for (int i = 0; i < n; ++i) {
        const Corner *a = corners[i], *b = corners[(i + 1) % n];
        if (!on_right) std::swap(a, b);
        if (a->y >= b->y || first_pixel(a->y) > row || first_pixel(b->y) <= row) continue;
        until = std::min(y1, first_pixel(b->y));
        return Edge(*a, *b, row);
      }
      until = y1;  // not of a convex shape
      return Edge();
    };
    int left_until = y0, right_until = y0;
    Edge l, r;
    for (int y = y0; y < y1;) {
      if (y == left_until) l = edge_at(y, false, left_until);
      if (y == right_until) r = edge_at(y, true, right_until);
      for (const int until = std::min(left_until, right_until); y < until; ++y, l.next(), r.next()) {
        const int x0 = static_cast<int>(std::max<I64>(clip.x0, l.pixel)), x1 = static_cast<int>(std::min<I64>(clip.x1, r.pixel));
        if (x0 < x1) span(y, x0, x1, f, *corners[0]);
      }
    }
  }

  static I64 area_of(const Corner& p, const Corner& q, const Corner& r) {
    return static_cast<I64>(q.x - p.x) * (r.y - p.y) - static_cast<I64>(r.x - p.x) * (q.y - p.y);
  }

  void triangle(const Corner& p, const Corner& q, const Corner& r) const {
    const I64 area = area_of(p, q, r);
    if (area == 0) return;
    const Fill f = fill_of(p, q, r, area);
    if (f.flat && f.alphas[0] == 0) return;
    const Corner* const clockwise[3] = {&p, area > 0 ? &q : &r, area > 0 ? &r : &q};
    convex(clockwise, 3, f);
  }

  // Two triangles (p, q, r) and (p, r, s) as one, as pieces of lines are: when they are convex together, and the fourth corner has
  // the alpha that the other three lead to. False: nothing was painted.
  bool quadrangle(const Corner& p, const Corner& q, const Corner& r, const Corner& s) const {
    const I64 area = area_of(p, q, r);
    if (area == 0 || !is_one_place(p, q, r, s) || ((p.colour ^ s.colour) & 0xFFFFFFU) != 0) return false;
    const bool positive = area > 0;
    for (const I64 other : {area_of(p, r, s), area_of(q, r, s), area_of(p, q, s)})
      if (other == 0 || (other > 0) != positive) return false;
    const Fill f = fill_of(p, q, r, area);
    if (!f.one_rgb) return false;
    const I64 fourth = scaled(alpha_of(s.colour), coverage(s));
    if (f.flat ? fourth != f.alphas[0] : std::abs(f.alpha.at(s.x - p.x, s.y - p.y) - (fourth << 16)) > (I64{4} << 16)) return false;
    if (f.flat && f.alphas[0] == 0) return true;
    const Corner* const clockwise[4] = {&p, positive ? &q : &s, &r, positive ? &s : &q};
    convex(clockwise, 4, f);
    return true;
  }
};

// Two triangles that are one upright rectangle, as ImGui writes them: corners clockwise from the upper left.
bool is_rectangle(const Corner& a, const Corner& b, const Corner& c, const Corner& d) {
  return a.y == b.y && c.y == d.y && a.x == d.x && b.x == c.x && a.x < c.x && a.y < c.y && a.colour == b.colour && a.colour == c.colour && a.colour == d.colour;
}
bool is_upright_in_texture(const Corner& a, const Corner& b, const Corner& c, const Corner& d) {
  return a.v == b.v && c.v == d.v && a.u == d.u && b.u == c.u;
}

}  // namespace

void raster(const ImDrawData& data, Picture& into) {
  std::vector<Corner> corners;
  for (int l = 0; l < data.CmdListsCount; ++l) {
    const ImDrawList& list = *data.CmdLists[l];
    const std::size_t vertices = static_cast<std::size_t>(list.VtxBuffer.Size);
    if (vertices == 0) continue;
    corners.resize(vertices);
    for (std::size_t i = 0; i < vertices; ++i) {
      const ImDrawVert& v = list.VtxBuffer.Data[i];
      corners[i] = {fixed(v.pos.x - data.DisplayPos.x), fixed(v.pos.y - data.DisplayPos.y), v.uv.x, v.uv.y, v.col};
    }
    for (const ImDrawCmd& command : list.CmdBuffer) {
      if (command.UserCallback != nullptr) continue;
      Painter painter{into, static_cast<const CoverageTexture*>(command.GetTexID()), {}};
      if (painter.texture != nullptr && (painter.texture->width <= 0 || painter.texture->height <= 0)) painter.texture = nullptr;
      const ImVec4& c = command.ClipRect;
      const int edges[4] = {fixed(c.x - data.DisplayPos.x), fixed(c.y - data.DisplayPos.y), fixed(c.z - data.DisplayPos.x), fixed(c.w - data.DisplayPos.y)};
      if (std::find(std::begin(edges), std::end(edges), no_number) != std::end(edges)) continue;
      painter.clip = {std::max(0, first_pixel(edges[0])), std::max(0, first_pixel(edges[1])), std::min(into.width(), first_pixel(edges[2])),
                      std::min(into.height(), first_pixel(edges[3]))};
      if (painter.clip.x0 >= painter.clip.x1 || painter.clip.y0 >= painter.clip.y1) continue;

      const ImDrawIdx* index = list.IdxBuffer.Data + command.IdxOffset;
      const auto corner = [&](unsigned int i) -> const Corner& { return corners[std::min<std::size_t>(command.VtxOffset + index[i], vertices - 1)]; };
      const unsigned int count = std::min(command.ElemCount, static_cast<unsigned int>(list.IdxBuffer.Size) - command.IdxOffset);
      for (unsigned int i = 0; i + 2 < count; i += 3) {
        const Corner &p = corner(i), &q = corner(i + 1), &r = corner(i + 2);
        if (i + 5 < count && index[i + 3] == index[i] && index[i + 4] == index[i + 2]) {
          const Corner& s = corner(i + 5);
          if (is_rectangle(p, q, r, s) && p.x != no_number && p.y != no_number) {
            if (painter.texture == nullptr || is_one_place(p, q, r, s)) {
              painter.rectangle(p, r);
              i += 3;
              continue;
            }
            if (is_upright_in_texture(p, q, r, s)) {
              painter.textured_rectangle(p, r);
              i += 3;
              continue;
            }
          } else if (p.x != no_number && p.y != no_number && q.x != no_number && q.y != no_number && r.x != no_number && r.y != no_number && s.x != no_number &&
                     s.y != no_number && painter.quadrangle(p, q, r, s)) {
            i += 3;
            continue;
          }
        }
        if (p.x == no_number || p.y == no_number || q.x == no_number || q.y == no_number || r.x == no_number || r.y == no_number) continue;
        painter.triangle(p, q, r);
      }
    }
  }
}

}  // namespace mqlab::gui
