// models/rabbitmq/route_graph.h: the routes of a virtual host as a graph: who hands messages to whom.
//
// Nodes are exchanges and queues; edges are bindings, alternate exchanges and dead-letter ways. Loops are found and
// named: a loop of exchanges alone is harmless (each is visited once), a loop through a dead-letter edge lets a message
// travel by itself, until the cycle rule drops it (dead_letter.h).
//
//     RouteGraph g = route_graph(routing, specs);
//     for (const RouteLoop& l : route_loops(g)) ... l.text: "q -dead-letter-> dlx -> retry -dead-letter-> q"
#pragma once

#include <string>
#include <vector>

#include "models/rabbitmq/queue_spec.h"
#include "models/rabbitmq/routing.h"

namespace mqlab::rabbitmq {

struct RouteNode {
  enum class Kind : std::uint8_t { exchange, queue };
  Kind kind{};
  std::string name{};
  std::string label{};  // "orders (topic)"
  bool missing = false;  // named by an alternate or dead-letter edge, and not there
};

struct RouteEdge {
  enum class Kind : std::uint8_t { binding, alternate, dead_letter };
  Kind kind{};
  std::size_t from{}, to{};  // in nodes
  std::string label{};       // the binding's key and arguments, the dead-letter key
};

struct RouteGraph {
  std::vector<RouteNode> nodes{};  // exchanges by name, then queues by name
  std::vector<RouteEdge> edges{};
};

// The virtual host's own exchanges show only where something hangs on them. A dead-letter edge leads to the exchange,
// and from there on every way counts as possible; through the default exchange it leads straight to the queue meant.
RouteGraph route_graph(const Routing& routing, const std::vector<QueueSpec>& queues);

std::string to_dot(const RouteGraph& g);

struct RouteLoop {
  enum class Kind : std::uint8_t { exchanges, dead_letters };
  Kind kind{};
  std::vector<std::size_t> nodes{};  // in order, the smallest first
  std::string text{};
};
// Each elementary loop once, in a fixed order; at most `limit`.
std::vector<RouteLoop> route_loops(const RouteGraph& g, std::size_t limit = 100);

}  // namespace mqlab::rabbitmq
