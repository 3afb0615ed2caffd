#include "gui/canvas/paint.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <imgui.h>

#include "gui/canvas/imgui_core.h"
#include "gui/canvas/mesh.h"
#include "gui/canvas/soft_raster.h"
#include "gui/core/labels.h"
#include "gui/core/utf8.h"

namespace mqlab::gui {

namespace {

// Corners of a star with five points: sines and cosines of 36 degrees and its multiples, and the radius of its inner corners.
constexpr float star_x[10] = {0.0F, 0.224514F, 0.951057F, 0.363271F, 0.587785F, 0.0F, -0.587785F, -0.363271F, -0.951057F, -0.224514F};
constexpr float star_y[10] = {-1.0F, -0.309017F, -0.309017F, 0.118034F, 0.809017F, 0.381966F, 0.809017F, 0.118034F, -0.309017F, -0.309017F};

constexpr float remark_size = 0.85F;

class ScenePainter {
 public:
  ScenePainter(const Scene& scene, ImDrawList& list, const PaintOptions& options, const Fonts& fonts)
      : scene_(scene), list_(list), options_(options), fonts_(fonts), dpr_(options.dpr) {}

  void all() {
    for (const Shape& s : scene_.shapes()) {
      use_clip(s.clip);
      if (clip_.w > 0 && clip_.h > 0) shape(s);
    }
    use_clip(none);
    if (options_.remarks) remarks();
  }

  void halo(EntityId entity) {
    const Rgba c = colour(Ink::hover, options_.theme);
    const std::uint32_t soft = packed({c.r, c.g, c.b, 110}), firm = packed(c);
    for (const Shape& s : scene_.shapes()) {
      if (s.entity != entity) continue;
      use_clip(s.clip);
      if (clip_.w <= 0 || clip_.h <= 0) continue;
      Mesh mesh(list_, clip_);
      const float w = std::max(1.0F, s.width) * dpr_;
      switch (s.kind) {
        case ShapeKind::line:
        case ShapeKind::polyline: mesh.stroke(path(s), false, w + 4 * dpr_, soft); break;
        case ShapeKind::polygon: mesh.stroke(path(s), true, 2 * dpr_, firm); break;
        case ShapeKind::rectangle: {
          const Rect r = box(s);
          const float d = 2 * dpr_;
          mesh.rounded_frame({r.x - d, r.y - d, r.w + 2 * d, r.h + 2 * d}, s.radius * dpr_ + d, 2 * dpr_, firm);
          break;
        }
        case ShapeKind::text: {
          const Rect r = text_box(s);
          mesh.rectangle({r.x, r.bottom() - dpr_, r.w, dpr_}, firm);
          break;
        }
        default: mesh.stroke(circle_points(at(s.from), (s.radius + 3) * dpr_), true, 2 * dpr_, firm);
      }
    }
    use_clip(none);
  }

 private:
  static constexpr int none = -1;

  // Small print on a panel, the last line at the lower edge.
  void remarks() {
    if (scene_.remarks().empty()) return;
    const FontMeasure measure({std::shared_ptr<void>(), &fonts_}, dpr_, options_.text_scale);
    const float height = measure.line_height(remark_size), margin = 4;
    const std::vector<std::string> lines = flow(scene_.remarks(), scene_.width() - 2 * margin, measure, remark_size);
    float widest = 0;
    for (const std::string& l : lines) widest = std::max(widest, measure.width(l, remark_size));
    const float x = std::max(0.0F, scene_.width() - widest - 2 * margin), y = scene_.height() - static_cast<float>(lines.size()) * height - margin;
    use_clip(0);
    Mesh(list_, clip_).rectangle({x * dpr_, y * dpr_, (scene_.width() - x) * dpr_, (scene_.height() - y) * dpr_}, packed(colour(Ink::panel, options_.theme)));
    Shape line;
    line.kind = ShapeKind::text;
    line.width = remark_size;
    line.from = {x + margin, y + margin / 2};
    for (const std::string& l : lines) {
      line.label = l;
      text(line, packed(colour(Ink::faint, options_.theme)));
      line.from.y += height;
    }
    use_clip(none);
  }

  Point at(Point p) const { return {p.x * dpr_, p.y * dpr_}; }

  void use_clip(int number) {
    if (number == in_use_) return;
    if (in_use_ != none) list_.PopClipRect();
    in_use_ = number;
    if (number == none) return;
    const Rect r = scene_.clips()[static_cast<std::size_t>(number)];
    const auto whole = [&](float v, float most) { return std::isfinite(v) ? std::clamp(std::floor(v * dpr_ + 0.5F), 0.0F, most) : 0.0F; };
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    const float x0 = whole(r.x, display.x), y0 = whole(r.y, display.y), x1 = whole(r.right(), display.x), y1 = whole(r.bottom(), display.y);
    clip_ = {x0, y0, std::max(0.0F, x1 - x0), std::max(0.0F, y1 - y0)};
    list_.PushClipRect({clip_.x, clip_.y}, {clip_.right(), clip_.bottom()}, true);
  }

  Rect box(const Shape& s) const {
    const float x0 = std::min(s.from.x, s.to.x), y0 = std::min(s.from.y, s.to.y), x1 = std::max(s.from.x, s.to.x), y1 = std::max(s.from.y, s.to.y);
    return {x0 * dpr_, y0 * dpr_, (x1 - x0) * dpr_, (y1 - y0) * dpr_};
  }

  std::vector<Point> path(const Shape& s) const {
    if (s.kind == ShapeKind::line) return {at(s.from), at(s.to)};
    std::vector<Point> out;
    for (std::uint32_t i = 0; i < s.count; ++i) out.push_back(at(scene_.points()[s.first + i]));
    return out;
  }

  int text_pixels(const Shape& s) const { return Fonts::pixels(s.width, dpr_ * options_.text_scale); }

  // Left edge and width are whole pixels.
  Rect text_box(const Shape& s) const {
    const float height = static_cast<float>(text_pixels(s)), width = fonts_.width(s.label, s.mono) * height;
    const float part = s.anchor == Anchor::left ? 0 : s.anchor == Anchor::centre ? 0.5F : 1;
    return {std::floor(s.from.x * dpr_ - part * width + 0.5F), std::floor(s.from.y * dpr_ + 0.5F), std::ceil(width), height};
  }

  std::vector<Point> symbol(const Shape& s, float radius) const {
    const Point c = at(s.from);
    const float r = radius * dpr_;
    switch (s.kind) {
      case ShapeKind::diamond: return {{c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, {c.x - r, c.y}};
      case ShapeKind::triangle: {
        double dx = static_cast<double>(s.to.x) - s.from.x, dy = static_cast<double>(s.to.y) - s.from.y;
        const double length = std::sqrt(dx * dx + dy * dy);
        if (length > 0 && std::isfinite(length)) dx /= length, dy /= length;
        else dx = 1, dy = 0;
        const float x = static_cast<float>(dx) * r, y = static_cast<float>(dy) * r;
        constexpr float back = 0.5F, side = 0.866025F;  // an equilateral triangle
        return {{c.x + x, c.y + y}, {c.x - back * x - side * y, c.y - back * y + side * x}, {c.x - back * x + side * y, c.y - back * y - side * x}};
      }
      case ShapeKind::star: {
        std::vector<Point> out;
        for (int i = 0; i < 10; ++i) out.push_back({c.x + star_x[i] * r, c.y + star_y[i] * r});
        return out;
      }
      default: return circle_points(c, r);
    }
  }

  void shape(const Shape& s) {
    Rgba c = colour(s.ink, options_.theme);
    c.a = s.opacity;
    if (s.opacity == 0) return;
    const std::uint32_t ink = packed(c);
    const float width = (std::isfinite(s.width) && s.width > 0 ? s.width : 1) * dpr_;
    const Dash dash = s.dashed ? Dash{std::max(5 * dpr_, 4 * width), std::max(4 * dpr_, 3 * width)} : Dash{};
    const float second = (s.doubled ? 2.5F * dpr_ + std::max(width, dpr_) : 0);  // how far out the other outline is
    Mesh mesh(list_, clip_);
    switch (s.kind) {
      case ShapeKind::line: {
        Point a = at(s.from), b = at(s.to);
        if (!s.doubled) return mesh.stroke(std::array{a, b}, false, width, ink, dash);
        const double dx = static_cast<double>(b.x) - a.x, dy = static_cast<double>(b.y) - a.y, length = std::sqrt(dx * dx + dy * dy);
        if (!(length > 0) || !std::isfinite(length)) return;
        const float apart = (width + 2 * dpr_) / 2, x = static_cast<float>(dy / length) * apart, y = static_cast<float>(-dx / length) * apart;
        mesh.stroke(std::array{Point{a.x + x, a.y + y}, Point{b.x + x, b.y + y}}, false, width, ink, dash);
        mesh.stroke(std::array{Point{a.x - x, a.y - y}, Point{b.x - x, b.y - y}}, false, width, ink, dash);
        return;
      }
      case ShapeKind::polyline: {
        const std::vector<Point> p = path(s);
        if (!p.empty()) mesh.stroke(p, false, width, ink, dash);
        return;
      }
      case ShapeKind::polygon: {
        const std::vector<Point> p = path(s);
        if (p.size() < 3) return;
        if (s.filled) mesh.area(p, ink);
        else mesh.stroke(p, true, width, ink, dash);
        if (s.doubled) mesh.stroke(grown(p, second), true, std::max(width, dpr_), ink, dash);
        return;
      }
      case ShapeKind::rectangle: {
        const Rect r = box(s);
        if (!mesh.seen({r.x - second, r.y - second, r.w + 2 * second, r.h + 2 * second})) return;
        const float radius = std::isfinite(s.radius) ? std::max(0.0F, s.radius) * dpr_ : 0;
        if (s.filled && radius > 0) mesh.rounded(near(r), radius, ink);
        else if (s.filled) mesh.rectangle(near(r), ink);
        else frame(mesh, near(r), radius, width, ink, dash);
        if (s.doubled) frame(mesh, near({r.x - second, r.y - second, r.w + 2 * second, r.h + 2 * second}), radius > 0 ? radius + second : 0, std::max(width, dpr_), ink, dash);
        return;
      }
      case ShapeKind::text: return text(s, ink);
      case ShapeKind::cross: {
        const Point c0 = at(s.from);
        const float r = s.radius * dpr_, d = r * 0.70711F;
        if (!std::isfinite(r) || !mesh.seen({c0.x - r, c0.y - r, 2 * r, 2 * r})) return;
        const float w = std::max(width, 1.5F * dpr_);
        mesh.stroke(std::array{Point{c0.x - d, c0.y - d}, Point{c0.x + d, c0.y + d}}, false, w, ink);
        mesh.stroke(std::array{Point{c0.x - d, c0.y + d}, Point{c0.x + d, c0.y - d}}, false, w, ink);
        if (s.doubled) mesh.stroke(circle_points(c0, r + second), true, std::max(width, dpr_), ink);
        return;
      }
      default: {
        const Point c0 = at(s.from);
        const float r = s.radius * dpr_ + second + width;
        if (!std::isfinite(r) || !(s.radius >= 0) || !mesh.seen({c0.x - r, c0.y - r, 2 * r, 2 * r})) return;
        const std::vector<Point> p = symbol(s, s.radius);
        const Dash small{dash.on / 2, dash.off / 2};
        if (s.filled) mesh.area(p, ink);
        else mesh.stroke(p, true, width, ink, small);
        if (s.doubled) mesh.stroke(s.kind == ShapeKind::star ? circle_points(c0, s.radius * dpr_ + second) : grown(p, second), true, std::max(width, dpr_), ink, small);
      }
    }
  }

  // Edges far outside are brought near: nobody sees them, and whole pixels can then be told apart in a float.
  Rect near(Rect r) const {
    constexpr float beyond = 1'000;
    const float x0 = std::max(r.x, clip_.x - beyond), y0 = std::max(r.y, clip_.y - beyond);
    const float x1 = std::min(r.right(), clip_.right() + beyond), y1 = std::min(r.bottom(), clip_.bottom() + beyond);
    return {x0, y0, x1 - x0, y1 - y0};
  }

  static void frame(Mesh& mesh, Rect r, float radius, float width, std::uint32_t ink, Dash dash) {
    if (radius > 0) mesh.rounded_frame(r, radius, width, ink, dash);
    else mesh.frame(r, width, ink, dash);
  }

  void text(const Shape& s, std::uint32_t ink) {
    if (s.label.empty() || !std::isfinite(s.from.x) || !std::isfinite(s.from.y) || !std::isfinite(s.width)) return;
    const float height = static_cast<float>(text_pixels(s));
    const float y = std::floor(s.from.y * dpr_ + 0.5F);
    if (y > clip_.bottom() || y + height < clip_.y) return;
    const Rect whole = text_box(s);
    if (whole.x > clip_.right() || whole.right() < clip_.x) return;
    ImFont& font = *fonts_.font(text_pixels(s), s.mono);
    const float stretch = height / font.FontSize;
    float x = whole.x;
    for (std::string_view rest = s.label; !rest.empty();) {
      const char32_t character = next_character(rest);
      const ImFontGlyph* glyph = font.FindGlyph(static_cast<ImWchar>(character > 0xFFFF ? 0xFFFD : character < 0x20 ? ' ' : character));
      if (x > clip_.right()) break;
      const float x0 = x + glyph->X0 * stretch, x1 = x + glyph->X1 * stretch;
      if (glyph->Visible && x1 >= clip_.x) {
        list_.PrimReserve(6, 4);
        list_.PrimRectUV({x0, y + glyph->Y0 * stretch}, {x1, y + glyph->Y1 * stretch}, {glyph->U0, glyph->V0}, {glyph->U1, glyph->V1}, ink);
      }
      x += fonts_.advance(character, s.mono) * height;
    }
  }

  const Scene& scene_;
  ImDrawList& list_;
  const PaintOptions& options_;
  const Fonts& fonts_;
  float dpr_;
  Rect clip_{};
  int in_use_ = none;
};

}  // namespace

std::set<std::pair<int, Mono>> text_sizes(const Scene& scene, const PaintOptions& options) {
  std::set<std::pair<int, Mono>> out;
  for (const Shape& s : scene.shapes())
    if (s.kind == ShapeKind::text) out.insert({Fonts::pixels(s.width, options.dpr * options.text_scale), s.mono});
  if (options.remarks && !scene.remarks().empty()) out.insert({Fonts::pixels(remark_size, options.dpr * options.text_scale), Mono::no});
  return out;
}

void paint(const Scene& scene, ImDrawList& list, const PaintOptions& options, const Fonts& fonts) { ScenePainter(scene, list, options, fonts).all(); }

void paint_halo(const Scene& scene, EntityId entity, ImDrawList& list, const PaintOptions& options, const Fonts& fonts) {
  ScenePainter(scene, list, options, fonts).halo(entity);
}

Picture picture_of(const Scene& scene, const PaintOptions& options, std::shared_ptr<Fonts> fonts) {
  ImGuiCore core(std::move(fonts));
  core.set_theme(options.theme);
  core.set_scale(options.dpr, options.text_scale);
  const PaintOptions used{options.theme, core.dpr(), core.text_scale(), options.remarks};
  core.fonts().bake(text_sizes(scene, used));
  const auto side = [&](float v) { return std::isfinite(v) ? static_cast<int>(std::clamp(std::floor(v * used.dpr + 0.5F), 1.0F, 16'384.0F)) : 1; };
  Picture out(side(scene.width()), side(scene.height()), colour(Ink::background, used.theme));
  raster(core.frame(out.width(), out.height(), 1 / 60.0F, [&] { paint(scene, *ImGui::GetBackgroundDrawList(), used, core.fonts()); }), out);
  return out;
}

}  // namespace mqlab::gui
