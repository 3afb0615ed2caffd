// How long a frame takes: canvas_bench [WIDTH HEIGHT DPR]. Milliseconds for triangles, for pixels, and for both, the best of some.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <imgui.h>

#include "gui/canvas/imgui_core.h"
#include "gui/canvas/paint.h"
#include "gui/canvas/soft_raster.h"

using namespace mqlab::gui;

namespace {

double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::uint32_t next_number(std::uint32_t& state) { return state = state * 1664525U + 1013904223U, state >> 8U; }

// A third each of lines up to 160 pixels long, rectangles of 6 pixels, words of 6 letters.
Scene thirds(float width, float height, int shapes) {
  Scene s(width, height);
  std::uint32_t state = 1;
  const auto below = [&](float limit) { return static_cast<float>(next_number(state) % 65536U) / 65536.0F * limit; };
  for (int i = 0; i < shapes; ++i) {
    const Point p{below(width), below(height)};
    const Ink ink = static_cast<Ink>(static_cast<int>(Ink::hue0) + i % 8);
    if (i % 3 == 0) s.line(p, {p.x + below(160) - 80, p.y + below(160) - 80}, ink, 1.5F);
    if (i % 3 == 1) s.fill({p.x, p.y, 6, 6}, ink);
    if (i % 3 == 2) s.text(p, "orders", Ink::text);
  }
  return s;
}

// What a space-time diagram is: lanes across, arrows between them, a symbol and a label at some ends.
Scene trace(float width, float height, int arrows) {
  Scene s(width, height);
  std::uint32_t state = 7;
  constexpr int lanes = 8;
  const auto lane = [&](std::uint32_t n) { return 40 + (height - 80) * static_cast<float>(n % lanes) / (lanes - 1); };
  for (int l = 0; l < lanes; ++l) {
    s.line({0, lane(static_cast<std::uint32_t>(l))}, {width, lane(static_cast<std::uint32_t>(l))}, Ink::grid, 1);
    s.text({6, lane(static_cast<std::uint32_t>(l)) - 18}, "broker-" + std::to_string(l), Ink::text);
  }
  for (int i = 0; i < arrows; ++i) {
    const float x = width * static_cast<float>(i) / static_cast<float>(arrows);
    const std::uint32_t from = next_number(state), to = next_number(state);
    const Ink ink = static_cast<Ink>(static_cast<int>(Ink::hue0) + i % 8);
    const Point end{x + 30 + static_cast<float>(next_number(state) % 80), lane(to)};
    s.line({x, lane(from)}, end, ink, 1.5F);
    s.symbol(ShapeKind::triangle, end, 5, ink, true).to = {end.x + end.x - x, end.y + end.y - lane(from)};
    if (i % 2 == 0) s.text({x + 4, lane(from) + 3}, "m" + std::to_string(i), Ink::faint);
  }
  return s;
}

void measure(const char* name, const Scene& scene, float dpr) {
  ImGuiCore core;
  core.set_scale(dpr);
  const PaintOptions options{Theme::light, dpr, 1};
  core.fonts().bake(text_sizes(scene, options));
  const int width = static_cast<int>(scene.width() * dpr), height = static_cast<int>(scene.height() * dpr);
  Picture picture(width, height);
  double build = 1e9, pixels = 1e9;
  int vertices = 0;
  for (int i = 0; i < 12; ++i) {
    const double start = milliseconds();
    const ImDrawData& data = core.frame(width, height, 1 / 60.0F, [&] { paint(scene, *ImGui::GetBackgroundDrawList(), options, core.fonts()); });
    const double built = milliseconds();
    picture.reset(width, height, colour(Ink::background, Theme::light));
    raster(data, picture);
    const double done = milliseconds();
    vertices = data.TotalVtxCount;
    if (i < 2) continue;
    build = std::min(build, built - start);
    pixels = std::min(pixels, done - built);
  }
  std::printf("%-28s %8d vertices  triangles %7.2f ms  pixels %7.2f ms  both %7.2f ms\n", name, vertices, build, pixels, build + pixels);
}

}  // namespace

int main(int argc, char** argv) {
  const float width = argc > 1 ? std::strtof(argv[1], nullptr) : 1600, height = argc > 2 ? std::strtof(argv[2], nullptr) : 900;
  const float dpr = argc > 3 ? std::strtof(argv[3], nullptr) : 1;
  std::printf("%.0f x %.0f logical pixels, %.2f pixels each\n", static_cast<double>(width), static_cast<double>(height), static_cast<double>(dpr));
  const double start = milliseconds();
  { const Fonts fonts; }
  std::printf("fonts: %.1f ms\n", milliseconds() - start);
  measure("empty", Scene(width, height), dpr);
  measure("1 000 shapes", thirds(width, height, 1'000), dpr);
  measure("10 000 shapes", thirds(width, height, 10'000), dpr);
  measure("100 000 shapes", thirds(width, height, 100'000), dpr);
  measure("trace, 227 arrows", trace(width, height, 227), dpr);
  measure("trace, 2 019 arrows", trace(width, height, 2'019), dpr);
}
