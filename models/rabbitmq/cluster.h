// models/rabbitmq/cluster.h: what nodes of a cluster say to each other beside the replicas of quorum queues.
//
// Each node holds the metadata (exchanges, bindings, queues) of its own; a change is told to all nodes that can be
// reached, as the product's Mnesia does. Operations on a queue go to the node where it lives, and what it has to
// tell comes back. A node from which nothing is heard for net_ticktime is down, and so is one whose connection broke.
// Elsewhere: who acts on it (cluster.cpp), quorum queues (quorum_host.h).
#pragma once

#include <map>
#include <string>
#include <variant>

#include "models/rabbitmq/queue_ops.h"
#include "models/rabbitmq/queue_spec.h"
#include "models/rabbitmq/routing.h"
#include "sim/world/journal.h"

namespace mqlab::rabbitmq {

inline constexpr MessageKind cluster_hello_kind = 190;     // the sender began, or sees this node again
inline constexpr MessageKind cluster_tick_kind = 191;
inline constexpr MessageKind cluster_metadata_kind = 192;  // all of it, for a node that began
inline constexpr MessageKind cluster_change_kind = 193;
inline constexpr MessageKind cluster_op_kind = 194;
inline constexpr MessageKind cluster_event_kind = 195;
const std::vector<MessageDecl>& cluster_message_declarations();

struct QueueHome {
  QueueSpec spec{};
  std::size_t broker = 0;
  Time created = 0;
};

// A change of the metadata, as it was carried out where it was asked for.
struct ExchangeDeclared { Exchange exchange{}; };
struct ExchangeDeleted { std::string name{}; };
struct Bound { Binding binding{}; bool unbound = false; };
struct QueueCreated { QueueHome queue{}; };
struct QueueErased { std::string name{}; };
using MetadataChange = std::variant<ExchangeDeclared, ExchangeDeleted, Bound, QueueCreated, QueueErased>;

struct ClusterHello { bool began = false; };
struct ClusterMetadata {
  Routing routing{};
  std::map<std::string, QueueHome> queues{};
};

}  // namespace mqlab::rabbitmq
