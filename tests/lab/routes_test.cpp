// Graphs of routes: loops by name, text for Graphviz, a picture.
#include "sim/lab/routes.h"

#include <gtest/gtest.h>

namespace mqlab {
namespace {

// orders -> work, whose dead letters go to retry and from there to orders again.
RouteGraph looped() {
  using N = RouteNode::Kind;
  using E = RouteEdge::Kind;
  return {{{N::router, "orders", "orders (direct)"}, {N::router, "retry", "retry (fanout)"}, {N::queue, "work", "work <1>"}},
          {{E::binding, 0, 2, "a&b"}, {E::dead_letter, 2, 1, ""}, {E::binding, 1, 0, ""}}};
}

TEST(Routes, ALoopIsNamedFromItsSmallestNode) {
  const std::vector<RouteLoop> loops = route_loops(looped());
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_EQ(loops[0].kind, RouteLoop::Kind::dead_letters);
  EXPECT_EQ(loops[0].text, "orders -> work -dead-letter-> retry -> orders");
}

TEST(Routes, WithoutTheDeadLetterWayThereIsNone) {
  RouteGraph g = looped();
  g.edges.erase(g.edges.begin() + 1);
  EXPECT_TRUE(route_loops(g).empty());
}

TEST(Routes, ThePictureHoldsEveryNodeAndWayAndIsWellFormed) {
  const std::string svg = to_svg(looped());
  for (const char* part : {"<svg ", "orders (direct)", "work &lt;1&gt;", "a&amp;b", "stroke-dasharray", "</svg>"}) EXPECT_NE(svg.find(part), std::string::npos) << part;
  std::size_t ways = 0;
  for (std::size_t at = svg.find("marker-end"); at != std::string::npos; at = svg.find("marker-end", at + 1)) ++ways;
  EXPECT_EQ(ways, 3u);
  EXPECT_EQ(svg, to_svg(looped()));
}

TEST(Routes, AnEmptyGraphHasAPictureToo) {
  EXPECT_NE(to_svg({}).find("</svg>"), std::string::npos);
  EXPECT_EQ(to_dot({}), "digraph routes {\n  rankdir=LR;\n}\n");
}

}  // namespace
}  // namespace mqlab
