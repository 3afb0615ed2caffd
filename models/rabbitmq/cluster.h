// models/rabbitmq/cluster.h: what nodes of a cluster say to each other beside the replicas of quorum queues.
//
// Each node holds the metadata (exchanges, bindings, queues) of its own; a change is told to all nodes that can be
// reached, as the product's Mnesia does. Operations on a queue go to the node where it lives, and what it has to
// tell comes back. A node from which nothing is heard for net_ticktime is down, and so is one whose connection broke.
// Up to 3.13 (Rules::partition_modes) two nodes that saw each other go down while both lived are partitioned when they
// see each other again, and tell each other nothing until one of them has begun anew and taken over what the other has.
// Elsewhere: who acts on it (cluster.cpp, partition.cpp), mirrors (mirror_host.h), quorum queues (quorum_host.h).
#pragma once

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

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
// 3.x only (partition.cpp):
inline constexpr MessageKind cluster_app_down_kind = 180;      // the application stops; the node is there
inline constexpr MessageKind cluster_autoheal_kind = 181;
inline constexpr MessageKind cluster_partial_kind = 182;
const std::vector<MessageDecl>& cluster_message_declarations();

// Who leads a mirrored queue and who has a copy, as it was last written down.
struct QueueCopies {
  std::uint64_t term = 0;               // counts leaders; 0: the queue has no mirrors
  std::vector<std::size_t> mirrors{};   // nodes, the oldest mirror first
  std::set<std::size_t> synced{};       // of them

  bool operator==(const QueueCopies&) const = default;
};

struct QueueHome {
  QueueSpec spec{};
  std::size_t broker = 0;
  Time created = 0;
  QueueCopies copies{};
};

// A change of the metadata, as it was carried out where it was asked for.
struct ExchangeDeclared { Exchange exchange{}; };
struct ExchangeDeleted { std::string name{}; };
struct Bound { Binding binding{}; bool unbound = false; };
struct QueueCreated { QueueHome queue{}; };
struct QueueErased { std::string name{}; };
struct CopiesChanged { std::string name{}; std::size_t broker = 0; QueueCopies copies{}; };
using MetadataChange = std::variant<ExchangeDeclared, ExchangeDeleted, Bound, QueueCreated, QueueErased, CopiesChanged>;

struct ClusterHello {
  bool began = false;
  // 3.x only:
  bool asks = false;          // it is answered
  Time process = 0;           // since when the sender's process runs
  Time opened = 0;            // ... and the connection is open on which it says so
  std::uint64_t life = 0;     // of its application; 0: it does not run
  bool booting = false;       // it takes over what the receiver has
  bool first = false;         // it is among those with whom the cluster began
  std::uint64_t knows = 0;    // the receiver's life, as far as the sender was together with it
  bool parted = false;        // ... and has seen it go down
  std::map<std::size_t, std::uint64_t> with{};  // nodes that hold the same as the sender, and their lives
};
struct ClusterMetadata {
  Routing routing{};
  std::map<std::string, QueueHome> queues{};
  bool booting = false;                 // 3.x only: the sender itself is not sure of it
  std::map<std::size_t, std::uint64_t> with{};        // ... nodes that hold the same, and their lives
  std::map<std::size_t, std::uint64_t> split_from{};  // ... nodes that it is partitioned from
};

// rabbit_node_monitor: who has seen a node go asks those that it still sees; one that reaches that node says so. Then the
// partition is partial, and who asked makes it a whole one, or (pause_minority) pauses until all are back.
struct PartialPartition {
  enum class Step : std::uint8_t { check, probe, probe_answer, found, disconnect };
  Step step{};
  std::size_t node = 0;       // that was seen to go
  std::uint64_t life = 0;     // ... of its application
  std::size_t reporter = 0;   // who asked
};

// rabbit_autoheal: whoever sees a partition and all nodes asks the first node to begin. That one asks all what they see,
// decides, and tells the winner; the winner tells the losers to stop, waits for them, and lets them start again.
struct Autoheal {
  enum class Step : std::uint8_t { request_start, status_wanted, status, become_winner, winner_is, safe_to_start };
  Step step{};
  std::set<std::size_t> nodes{};        // status: whom the sender is partitioned from; become_winner: the losers
  std::int64_t connections = 0;         // status: of clients
  bool sees_all = false;                // status
};

}  // namespace mqlab::rabbitmq
