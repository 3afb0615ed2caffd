// The routes of a virtual host as a graph: what is drawn, and which loops are named.
#include <gtest/gtest.h>

#include "models/rabbitmq/route_graph.h"

namespace mqlab::rabbitmq {
namespace {

void must(const MaybeError& e) { ASSERT_FALSE(e) << e->text; }

std::vector<std::string> texts(const std::vector<RouteLoop>& loops) {
  std::vector<std::string> out;
  for (const RouteLoop& l : loops) out.push_back(l.text);
  return out;
}
using Texts = std::vector<std::string>;

TEST(RabbitRouteGraph, ShowsExchangesQueuesAndWays) {
  Routing r;
  r.add_queue("q", true);
  must(r.declare_exchange({.name = "x", .type = ExchangeType::topic, .args = {{"alternate-exchange", "spare"}}}));
  must(r.bind({.source = "x", .destination = "q", .key = "a.#"}));
  const RouteGraph g = route_graph(r, {{.name = "q", .args = {{"x-dead-letter-exchange", "dlx"}, {"x-dead-letter-routing-key", "dead"}}}});
  EXPECT_EQ(to_dot(g),
            "digraph routes {\n"
            "  rankdir=LR;\n"
            "  x0 [label=\"x (topic)\", shape=ellipse];\n"
            "  q1 [label=\"q\", shape=box];\n"
            "  x2 [label=\"spare (missing)\", shape=ellipse, style=dashed];\n"
            "  x3 [label=\"dlx (missing)\", shape=ellipse, style=dashed];\n"
            "  x0 -> q1 [label=\"a.#\", style=solid];\n"
            "  x0 -> x2 [label=\"\", style=dotted];\n"
            "  q1 -> x3 [label=\"dead\", style=dashed];\n"
            "}\n");
  EXPECT_TRUE(route_loops(g).empty());
}

// The usual ladder: work is rejected into a delay queue, whose dead letters come back.
TEST(RabbitRouteGraph, ALadderIsALoopOfDeadLetters) {
  Routing r;
  for (const char* q : {"work", "delay"}) r.add_queue(q, true);
  const RouteGraph g = route_graph(r, {{.name = "work", .args = {{"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", "delay"}}},
                                       {.name = "delay", .args = {{"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", "work"}}}});
  const auto loops = route_loops(g);
  EXPECT_EQ(texts(loops), (Texts{"delay -dead-letter-> work -dead-letter-> delay"}));
  EXPECT_EQ(loops[0].kind, RouteLoop::Kind::dead_letters);
}

TEST(RabbitRouteGraph, AQueueMayBeItsOwnDeadLetterTarget) {
  Routing r;
  r.add_queue("q", true);
  const RouteGraph g = route_graph(r, {{.name = "q", .args = {{"x-dead-letter-exchange", ""}}}});
  EXPECT_EQ(texts(route_loops(g)), (Texts{"q -dead-letter-> q"}));
}

TEST(RabbitRouteGraph, ExchangesInARingAreAHarmlessLoop) {
  Routing r;
  for (const char* x : {"a", "b", "c"}) must(r.declare_exchange({.name = x, .type = ExchangeType::fanout}));
  must(r.bind({.source = "a", .destination = "b", .to_exchange = true}));
  must(r.bind({.source = "b", .destination = "c", .to_exchange = true}));
  must(r.bind({.source = "c", .destination = "a", .to_exchange = true}));
  must(r.bind({.source = "b", .destination = "a", .to_exchange = true}));
  const auto loops = route_loops(route_graph(r, {}));
  EXPECT_EQ(texts(loops), (Texts{"a -> b -> c -> a", "a -> b -> a"}));
  for (const RouteLoop& l : loops) EXPECT_EQ(l.kind, RouteLoop::Kind::routers);
  EXPECT_EQ(route_loops(route_graph(r, {}), 1).size(), 1u);
}

TEST(RabbitRouteGraph, ALoopThroughADeadLetterExchangeIsNamed) {
  Routing r;
  r.add_queue("q", true);
  must(r.declare_exchange({.name = "dlx", .type = ExchangeType::fanout}));
  must(r.bind({.source = "dlx", .destination = "q"}));
  const auto loops = route_loops(route_graph(r, {{.name = "q", .args = {{"x-dead-letter-exchange", "dlx"}}}}));
  EXPECT_EQ(texts(loops), (Texts{"dlx -> q -dead-letter-> dlx"}));
  EXPECT_EQ(loops[0].kind, RouteLoop::Kind::dead_letters);
}

}  // namespace
}  // namespace mqlab::rabbitmq
