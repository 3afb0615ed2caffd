// Areas cut into triangles, curves without the machine's sine.
#include "gui/canvas/mesh.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace mqlab::gui {
namespace {

double area_of(const std::vector<Point>& p) {
  double sum = 0;
  for (std::size_t i = 0, j = p.size() - 1; i < p.size(); j = i++) sum += static_cast<double>(p[j].x) * p[i].y - static_cast<double>(p[i].x) * p[j].y;
  return std::abs(sum) / 2;
}

double area_of_triangles(const std::vector<Point>& p) {
  const std::vector<std::uint32_t> t = triangles_of(p);
  double sum = 0;
  for (std::size_t i = 0; i + 2 < t.size(); i += 3) sum += area_of({p[t[i]], p[t[i + 1]], p[t[i + 2]]});
  return sum;
}

TEST(Mesh, NotchedPolygonIsCutIntoItsOwnArea) {
  const std::vector<Point> comb = {{0, 0}, {60, 0}, {60, 50}, {45, 15}, {30, 50}, {15, 15}, {0, 50}};
  EXPECT_EQ(triangles_of(comb).size(), 3 * (comb.size() - 2));
  EXPECT_NEAR(area_of_triangles(comb), area_of(comb), 1e-3);
}

// A step curve has several corners above each other.
TEST(Mesh, AreaBelowStepsIsCutIntoItsOwnArea) {
  std::vector<Point> steps = {{0, 100}};
  for (int i = 0; i < 50; ++i) {
    const float y = 20 + static_cast<float>(i * 37 % 60);
    steps.push_back({static_cast<float>(i) * 4, y});
    steps.push_back({static_cast<float>(i + 1) * 4, y});
  }
  steps.push_back({200, 100});
  EXPECT_EQ(triangles_of(steps).size(), 3 * (steps.size() - 2));
  EXPECT_NEAR(area_of_triangles(steps), area_of(steps), 1e-2);
}

// Round a centre with random radii: simple, and as notched as it gets.
RC_GTEST_PROP(MeshProperty, TrianglesHaveTheAreaOfTheirPolygon, ()) {
  const int n = *rc::gen::inRange(3, 40);
  std::vector<Point> p;
  for (int i = 0; i < n; ++i) {
    const double angle = 6.283185307179586 * i / n, radius = *rc::gen::inRange(5, 100);
    p.push_back({static_cast<float>(radius * std::cos(angle)), static_cast<float>(radius * std::sin(angle))});
  }
  RC_ASSERT(std::abs(area_of_triangles(p) - area_of(p)) < 0.01 * area_of(p) + 0.01);
}

RC_GTEST_PROP(MeshProperty, AreasUnderCurvesAreCutWithoutTrial, ()) {
  const int n = *rc::gen::inRange(2, 200);
  std::vector<Point> p;
  float x = 0;
  for (int i = 0; i < n; ++i) {
    p.push_back({x, static_cast<float>(*rc::gen::inRange(0, 90))});
    x += static_cast<float>(*rc::gen::inRange(i % 2, 4));  // at most two above each other: else there and back is no area
  }
  p.push_back({x + 1, 100});
  p.push_back({-1, 100});
  RC_ASSERT(std::abs(area_of_triangles(p) - area_of(p)) < 0.01 * area_of(p) + 0.01);
}

// A notch whose corner is given twice is a notch.
TEST(Mesh, ACornerThatIsGivenTwiceTurnsAsOne) {
  for (const std::vector<Point>& p : {std::vector<Point>{{0, 1}, {0, 1}, {1, 5}, {1, 5}, {2, 0}, {3, 100}, {-1, 100}}, std::vector<Point>{{1, 5}, {2, 0}, {3, 100}, {-1, 100}, {0, 1}, {1, 5}}}) EXPECT_NEAR(area_of_triangles(p), area_of(p), 1e-3) << p.size();
  const std::vector<Point> same(4, Point{2, 3});
  EXPECT_NEAR(area_of_triangles(same), 0, 1e-6);
}

TEST(Mesh, CirclesAreRound) {
  for (const float radius : {0.5F, 3.0F, 5.0F, 19.0F, 80.0F, 400.0F}) {
    const std::vector<Point> p = circle_points({100, 50}, radius);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_NEAR(std::hypot(p[i].x - 100, p[i].y - 50), radius, 1e-3 * radius + 1e-4);
      const Point q = p[(i + 1) % p.size()];
      EXPECT_GT(std::hypot((p[i].x + q.x) / 2 - 100, (p[i].y + q.y) / 2 - 50), radius - 0.13F) << "a straight piece is too far inside";
    }
  }
}

TEST(Mesh, GrownIsFartherOutOnEachSide) {
  const std::vector<Point> square = {{10, 10}, {20, 10}, {20, 20}, {10, 20}};
  EXPECT_EQ(grown(square, 2), (std::vector<Point>{{8, 8}, {22, 8}, {22, 22}, {8, 22}}));
  const std::vector<Point> reversed(square.rbegin(), square.rend());
  EXPECT_EQ(grown(reversed, 2), (std::vector<Point>{{8, 22}, {22, 22}, {22, 8}, {8, 8}}));
}

}  // namespace
}  // namespace mqlab::gui
