// models/rabbitmq/route_graph.h: the routes of a virtual host as a graph: who hands messages to whom.
//
// Routers are exchanges; ways are bindings, alternate exchanges and dead-letter ways. A loop of exchanges alone is harmless
// (each is visited once), one through a dead-letter way lets a message travel by itself, until the cycle rule drops it
// (dead_letter.h).
//
//     RouteGraph g = route_graph(routing, specs);
//     for (const RouteLoop& l : route_loops(g)) ... l.text: "q -dead-letter-> dlx -> retry -dead-letter-> q"
#pragma once

#include <vector>

#include "models/rabbitmq/queue_spec.h"
#include "models/rabbitmq/routing.h"
#include "sim/lab/routes.h"

namespace mqlab::rabbitmq {

// The virtual host's own exchanges show only where something hangs on them. A dead-letter edge leads to the exchange,
// and from there on every way counts as possible; through the default exchange it leads straight to the queue meant.
RouteGraph route_graph(const Routing& routing, const std::vector<QueueSpec>& queues);

}  // namespace mqlab::rabbitmq
