// models/rabbitmq/mirror_host.h: the messages by which nodes keep mirrors of classic queues (3.x).
//
// The leader's node invites a mirror (MirrorBegins), passes records on (MirrorRecords) and may give it all that it lacks
// (MirrorSync); a mirror answers with how far it is. When the leader's node is down, the oldest mirror that lives leads,
// and the others go on with it (MirrorFollows). All of it goes over the connections of the cluster, in order.
// Always true: a message about another leader than the one that a node follows means nothing there.
// Elsewhere: the copies themselves (mirrored_queue.h), who does what (mirror_host.cpp), what is written down about them
// (cluster.h: QueueCopies), nodes that go and come (partition.cpp).
// Sources: docs 3.13 ha; rabbit_mirror_queue_misc (remove_from_queue, suggested_queue_nodes), rabbit_mirror_queue_slave,
// rabbit_mirror_queue_master (terminate, sync_mirrors), rabbit_channel (handle_consuming_queue_down_or_eol).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/rabbitmq/mirrored_queue.h"
#include "sim/world/journal.h"

namespace mqlab::rabbitmq {

inline constexpr MessageKind mirror_begins_kind = 184;
inline constexpr MessageKind mirror_records_kind = 185;
inline constexpr MessageKind mirror_sync_kind = 186;
inline constexpr MessageKind mirror_ack_kind = 187;
inline constexpr MessageKind mirror_follows_kind = 188;
inline constexpr MessageKind mirror_stops_kind = 189;
const std::vector<MessageDecl>& mirror_message_declarations();

// A time of leadership: its number, and whose. Two sides of a partition may have the same number.
struct Leadership {
  std::uint64_t term = 0;
  std::size_t broker = 0;

  bool operator==(const Leadership&) const = default;
};

struct MirrorBegins { std::string queue{}; Leadership leader{}; std::int64_t lacks = 0; std::uint64_t next = 0; };
struct MirrorRecords { std::string queue{}; Leadership leader{}; std::vector<NumberedMirrorRecord> records{}; };
struct MirrorSync { std::string queue{}; Leadership leader{}; std::vector<MirroredMessage> messages{}; };
struct MirrorAck { std::string queue{}; Leadership leader{}; std::uint64_t number = 0; bool synced = false; };
struct MirrorFollows {
  std::string queue{};
  Leadership leader{};
  Leadership before{};            // whom the leader itself followed
  std::uint64_t promoted_at = 0;  // seqs from here on are its own
  std::vector<MirroredMessage> messages{};
};
struct MirrorStops { std::string queue{}; Leadership leader{}; };

// What a node is to a mirrored queue: its leader, or one of the mirrors.
struct MirrorRole {
  Leadership leader{};                  // this node's own, or the one that it follows
  MirrorLeader copies{};                // of the leader
  std::optional<QueueMirror> mirror{};  // of a mirror
  std::uint64_t number = 0;             // ... the last record that it has
};

}  // namespace mqlab::rabbitmq
