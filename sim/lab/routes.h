// sim/lab/routes.h: who hands messages to whom, as a graph: routers, queues, and the ways between them.
//
// A model whose deployments route messages says so by deriving from HasRoutes. Loops are found and named: a loop of
// routers alone is harmless where each is visited once; through a dead-letter way a message may travel by itself.
//
// Always true: the same graph gives the same text, picture and loops.
//
//     if (const auto* r = dynamic_cast<const HasRoutes*>(&model)) print(to_dot(r->routes(deployment)));
#pragma once

#include <string>
#include <vector>

#include "sim/lab/model.h"

namespace mqlab {

struct RouteNode {
  enum class Kind : std::uint8_t { router, queue };
  Kind kind{};
  std::string name{};
  std::string label{};   // "orders (topic)"
  bool missing = false;  // a way leads to it, and it is not there
};

struct RouteEdge {
  enum class Kind : std::uint8_t { binding, alternate, dead_letter };
  Kind kind{};
  std::size_t from{}, to{};  // in nodes
  std::string label{};       // the binding's key and arguments, the dead-letter key
};

struct RouteGraph {
  std::vector<RouteNode> nodes{};
  std::vector<RouteEdge> edges{};
};

class HasRoutes {
 public:
  virtual ~HasRoutes() = default;
  // As the deployment declares them, before anything has happened. Requires: Model::check found nothing.
  virtual RouteGraph routes(const Deployment& d) const = 0;
};

struct RouteLoop {
  enum class Kind : std::uint8_t { routers, dead_letters };
  Kind kind{};
  std::vector<std::size_t> nodes{};  // in order, the smallest first
  std::string text{};                // "q -dead-letter-> dlx -> retry -dead-letter-> q"
};
// Each elementary loop once, in a fixed order; at most `limit`.
std::vector<RouteLoop> route_loops(const RouteGraph& g, std::size_t limit = 100);

// For Graphviz.
std::string to_dot(const RouteGraph& g);
// A picture that stands alone: ranks from left to right, in the order of the ways; loops turn back below.
std::string to_svg(const RouteGraph& g);

}  // namespace mqlab
