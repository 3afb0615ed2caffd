// Pixels, by value.
#include "gui/canvas/soft_raster.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <imgui.h>

#include <cmath>
#include <string>
#include <vector>

namespace mqlab::gui {
namespace {

constexpr std::uint32_t paper = 0xFFFFFFFFU, ink = 0xFF0000FFU;

// One draw list, made by hand.
struct ByHand {
  ImDrawList list{nullptr};
  ImDrawData data;
  ImDrawList* lists[1] = {&list};

  ByHand(float clip_x0, float clip_y0, float clip_x1, float clip_y1, const CoverageTexture* texture = nullptr) {
    ImDrawCmd command;
    command.ClipRect = {clip_x0, clip_y0, clip_x1, clip_y1};
    command.TextureId = const_cast<CoverageTexture*>(texture);
    list.CmdBuffer.push_back(command);
    data.CmdLists = lists;
    data.CmdListsCount = 1;
  }
  void corner(float x, float y, std::uint32_t colour = ink, float u = 0, float v = 0) { list.VtxBuffer.push_back({{x, y}, {u, v}, colour}); }
  void triangle(unsigned a, unsigned b, unsigned c) {
    for (const unsigned i : {a, b, c}) list.IdxBuffer.push_back(static_cast<ImDrawIdx>(i));
    list.CmdBuffer[0].ElemCount += 3;
  }
  Picture paint(int width, int height) {
    Picture p(width, height);
    raster(data, p);
    return p;
  }
};

// '#' is the ink, '.' the paper, '+' between.
std::string shown(const Picture& p) {
  std::string out;
  for (int y = 0; y < p.height(); ++y) {
    for (int x = 0; x < p.width(); ++x) out += p.at(x, y) == paper ? '.' : p.at(x, y) == ink ? '#' : '+';
    out += '\n';
  }
  return out;
}

TEST(SoftRaster, RectangleHasThePixelsWhoseCentresItHolds) {
  ByHand r(0, 0, 8, 6);
  r.corner(1, 1), r.corner(4, 1), r.corner(4, 3), r.corner(1, 3);
  r.triangle(0, 1, 2), r.triangle(0, 2, 3);
  EXPECT_EQ(shown(r.paint(8, 6)),
            "........\n"
            ".###....\n"
            ".###....\n"
            "........\n"
            "........\n"
            "........\n");
}

// A centre on the left or upper edge is inside, one on the right or lower edge is not: neighbours share no pixel and leave none.
TEST(SoftRaster, CentresOnAnEdgeBelongToOneSide) {
  ByHand r(0, 0, 8, 3);
  r.corner(0.5F, 0.5F), r.corner(3.5F, 0.5F), r.corner(3.5F, 2.5F), r.corner(0.5F, 2.5F);
  r.triangle(0, 1, 2), r.triangle(0, 2, 3);
  EXPECT_EQ(shown(r.paint(8, 3)),
            "###.....\n"
            "###.....\n"
            "........\n");
}

TEST(SoftRaster, ClipRectangleCutsAtWholePixels) {
  ByHand r(2, 1, 5, 3);
  r.corner(-10, -10), r.corner(100, -10), r.corner(0, 100);
  r.triangle(0, 1, 2);
  EXPECT_EQ(shown(r.paint(7, 4)),
            ".......\n"
            "..###..\n"
            "..###..\n"
            ".......\n");
}

TEST(SoftRaster, TriangleHasItsSlope) {
  ByHand r(0, 0, 6, 6);
  r.corner(0, 0), r.corner(0, 6), r.corner(6, 6);
  r.triangle(0, 1, 2);
  EXPECT_EQ(shown(r.paint(6, 6)),
            "......\n"
            "#.....\n"
            "##....\n"
            "###...\n"
            "####..\n"
            "#####.\n");
}

std::uint32_t one_pixel(std::uint32_t colour) {
  ByHand r(0, 0, 1, 1);
  r.corner(0, 0, colour), r.corner(1, 0, colour), r.corner(1, 1, colour), r.corner(0, 1, colour);
  r.triangle(0, 1, 2), r.triangle(0, 2, 3);
  return r.paint(1, 1).at(0, 0);
}

TEST(SoftRaster, AlphaIsExactAtItsEndsAndHalfwayBetween) {
  EXPECT_EQ(one_pixel(0xFF302010U), 0xFF302010U);
  EXPECT_EQ(one_pixel(0x00302010U), paper);
  EXPECT_EQ(one_pixel(0x80000000U), 0xFF7F7F7FU);
}

TEST(SoftRaster, ColoursAndAlphaChangeEvenlyBetweenCorners) {
  ByHand r(0, 0, 256, 1);
  r.corner(0, -256, 0xFF000000U), r.corner(256, 0, 0xFF0000FFU), r.corner(0, 256, 0xFF000000U);
  r.triangle(0, 1, 2);
  const Picture p = r.paint(256, 1);
  for (int x = 0; x < 255; ++x) EXPECT_NEAR(static_cast<double>(p.at(x, 0) & 255U), (x + 0.5) * 255 / 256, 0.51) << x;
}

// Text at its own size takes the texel under the centre: no blur.
TEST(SoftRaster, TextureAtItsOwnSizeIsCopied) {
  const std::uint8_t texels[16] = {255, 0, 255, 0, 0, 255, 0, 255, 255, 255, 0, 0, 0, 0, 255, 255};
  const CoverageTexture t{4, 4, texels};
  ByHand r(0, 0, 6, 6, &t);
  r.corner(1, 1, ink, 0, 0), r.corner(5, 1, ink, 1, 0), r.corner(5, 5, ink, 1, 1), r.corner(1, 5, ink, 0, 1);
  r.triangle(0, 1, 2), r.triangle(0, 2, 3);
  EXPECT_EQ(shown(r.paint(6, 6)),
            "......\n"
            ".#.#..\n"
            "..#.#.\n"
            ".##...\n"
            "...##.\n"
            "......\n");
}

// A fan of triangles around a point: translucent, so that a pixel painted twice or never would show.
RC_GTEST_PROP(SoftRasterProperty, NeighboursLeaveNoGapAndShareNoPixel, ()) {
  constexpr int side = 40;
  const auto place = [] { return static_cast<float>(*rc::gen::inRange(0, side * 16)) / 16.0F; };
  ByHand r(0, 0, side, side);
  const std::uint32_t colour = 0x40000000U;
  r.corner(place(), place(), colour);
  std::vector<std::pair<float, float>> rim;
  for (int i = 0; i <= 4; ++i) {  // along the border of the picture, corners among them
    const float extra = i < 4 ? place() : 0;
    const float corners[5][2] = {{0, 0}, {side, 0}, {side, side}, {0, side}, {0, 0}};
    rim.emplace_back(corners[i][0], corners[i][1]);
    if (i == 0) rim.emplace_back(extra, 0.0F);
    if (i == 1) rim.emplace_back(static_cast<float>(side), extra);
    if (i == 2) rim.emplace_back(side - extra, static_cast<float>(side));
    if (i == 3) rim.emplace_back(0.0F, side - extra);
  }
  for (const auto& [x, y] : rim) r.corner(x, y, colour);
  for (unsigned i = 1; i < rim.size(); ++i) {
    if (*rc::gen::arbitrary<bool>()) r.triangle(0, i, i + 1);
    else r.triangle(i + 1, i, 0);
  }
  const Picture p = r.paint(side, side);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) RC_ASSERT(p.at(x, y) == 0xFFBFBFBFU);
}

// The shortcut for upright rectangles changes nothing.
RC_GTEST_PROP(SoftRasterProperty, RectangleIsItsTwoTriangles, ()) {
  const auto place = [] { return static_cast<float>(*rc::gen::inRange(-200, 1000)) / 16.0F; };
  const float x0 = place(), y0 = place(), x1 = x0 + std::abs(place()), y1 = y0 + std::abs(place());
  const std::uint32_t colour = *rc::gen::arbitrary<std::uint32_t>();
  ByHand fast(3, 4, 40, 41), slow(3, 4, 40, 41);
  for (ByHand* r : {&fast, &slow}) r->corner(x0, y0, colour), r->corner(x1, y0, colour), r->corner(x1, y1, colour), r->corner(x0, y1, colour);
  fast.triangle(0, 1, 2), fast.triangle(0, 2, 3);
  slow.triangle(0, 1, 2), slow.triangle(2, 3, 0);
  RC_ASSERT(fast.paint(50, 50) == slow.paint(50, 50));
}

// A piece of a line, painted as one shape, has the pixels of its two triangles, with alphas that differ by rounding only.
RC_GTEST_PROP(SoftRasterProperty, PieceOfALineIsItsTwoTriangles, ()) {
  const auto place = [] { return static_cast<float>(*rc::gen::inRange(0, 800)) / 16.0F; };
  const float x0 = place(), y0 = place(), x1 = place(), y1 = place(), length = std::hypot(x1 - x0, y1 - y0);
  RC_PRE(length > 2);
  const float nx = (y1 - y0) / length * 3, ny = (x0 - x1) / length * 3;
  ByHand one(0, 0, 50, 50), two(0, 0, 50, 50);
  for (ByHand* r : {&one, &two}) r->corner(x0 + nx, y0 + ny, 0x00000000U), r->corner(x1 + nx, y1 + ny, 0x00000000U), r->corner(x1, y1, 0xFF000000U), r->corner(x0, y0, 0xFF000000U);
  one.triangle(0, 1, 2), one.triangle(0, 2, 3);
  two.triangle(0, 1, 2), two.triangle(2, 3, 0);
  const Picture a = one.paint(50, 50), b = two.paint(50, 50);
  for (int y = 0; y < 50; ++y)
    for (int x = 0; x < 50; ++x) RC_ASSERT(std::abs(static_cast<int>(a.at(x, y) & 255U) - static_cast<int>(b.at(x, y) & 255U)) <= 6);
}

// Corners anywhere, or no numbers at all; indices beyond the list. Run under the sanitizers it also shows that nothing is read outside.
RC_GTEST_PROP(SoftRasterProperty, NothingIsPaintedOutsideTheClip, ()) {
  const auto coordinate = [] {
    switch (*rc::gen::inRange(0, 5)) {
      case 0: return *rc::gen::element(NAN, INFINITY, -INFINITY, 1e30F, -1e30F, 3e38F, 1e-40F);
      case 1: return static_cast<float>(*rc::gen::inRange(-40'000, 40'000));
      default: return static_cast<float>(*rc::gen::inRange(-100, 900)) / 16.0F;
    }
  };
  const std::uint8_t texels[4] = {255, 128, 0, 64};
  const CoverageTexture t{2, 2, texels};
  ByHand r(10, 12, 30, 28, *rc::gen::arbitrary<bool>() ? &t : nullptr);
  const int corners = *rc::gen::inRange(1, 12);
  for (int i = 0; i < corners; ++i) r.corner(coordinate(), coordinate(), *rc::gen::arbitrary<std::uint32_t>(), coordinate(), coordinate());
  for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
    const auto any = [&] { return static_cast<unsigned>(*rc::gen::inRange(0, corners + 2)); };
    const unsigned a = any(), b = any(), c = any(), d = any();
    r.triangle(a, b, c);
    if (*rc::gen::arbitrary<bool>()) r.triangle(a, c, d);
  }
  const Picture p = r.paint(40, 40);
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 40; ++x) {
      RC_ASSERT(p.at(x, y) >> 24U == 255U);
      if (x < 10 || x >= 30 || y < 12 || y >= 28) RC_ASSERT(p.at(x, y) == paper);
    }
}

}  // namespace
}  // namespace mqlab::gui
