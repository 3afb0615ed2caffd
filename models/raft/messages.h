// models/raft/messages.h: what replicas say to each other, in the order of a normal exchange.
//
// An election is the same in both modes. Afterwards the log moves either by Fetch (pull: followers and
// observers ask; KIP-595) or by AppendEntries (push: the leader sends; Raft paper section 5.3).
// Answers repeat what they answer (offset and epoch of the log end), so that a late or doubled answer can
// be told from a fresh one without request numbers. A message is a plain value; Carried takes it over the network.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "models/raft/log.h"

namespace mqlab::raft {

enum class Kind : std::uint8_t {
  vote,
  vote_reply,
  begin_epoch,
  begin_epoch_reply,
  end_epoch,
  fetch,
  fetch_reply,
  append_entries,
  append_reply,
  install_snapshot,
};

std::string_view name(Kind kind);

// RequestVote. A pre-vote (KIP-996; Raft dissertation section 9.6) asks in the sender's present epoch and
// binds nobody; a vote asks in the epoch that the sender has just begun.
struct Vote {
  Epoch epoch{};
  bool pre_vote{};
  Epoch last_epoch{};
  Offset end_offset{};

  bool operator==(const Vote&) const = default;
};

struct VoteReply {
  Epoch epoch{};
  bool pre_vote{};
  bool granted{};
  std::optional<ReplicaId> leader{};

  bool operator==(const VoteReply&) const = default;
};

// Pull only: a new leader makes itself known (BeginQuorumEpoch).
struct BeginEpoch {
  Epoch epoch{};

  bool operator==(const BeginEpoch&) const = default;
};

struct BeginEpochReply {
  Epoch epoch{};
  std::optional<ReplicaId> leader{};

  bool operator==(const BeginEpochReply&) const = default;
};

// A leader leaves on purpose (EndQuorumEpoch); the best successor comes first.
struct EndEpoch {
  Epoch epoch{};
  std::vector<ReplicaId> preferred_successors{};

  bool operator==(const EndEpoch&) const = default;
};

// Pull: "I hold everything before `offset`, the last of it from `last_fetched_epoch`": question and
// acknowledgement in one.
struct Fetch {
  Epoch epoch{};
  Offset offset{};
  Epoch last_fetched_epoch{};
  Offset high_watermark{};  // what the sender knows to be committed (KIP-1166)

  bool operator==(const Fetch&) const = default;
};

enum class FetchError : std::uint8_t { none, fenced_epoch, unknown_epoch, not_leader };

std::string_view name(FetchError error);

// At most one of `diverging`, `snapshot` and a non-empty `entries` is there.
struct FetchReply {
  Epoch epoch{};
  std::optional<ReplicaId> leader{};
  FetchError error{};
  Offset offset{};             // as asked
  Epoch last_fetched_epoch{};  // as asked
  std::optional<EpochEnd> diverging{};
  std::vector<Entry> entries{};
  Offset high_watermark{};
  std::optional<Snapshot> snapshot{};

  bool operator==(const FetchReply&) const = default;
};

// Push: the entries from `offset` on; `prev_epoch` is the epoch of the one before. Without entries: a heartbeat.
struct AppendEntries {
  Epoch epoch{};
  Offset offset{};
  Epoch prev_epoch{};
  std::vector<Entry> entries{};
  Offset commit{};

  bool operator==(const AppendEntries&) const = default;
};

// `match`: the sender holds the leader's log up to here (when it accepted). `hint`: where the asked-for epoch
// ends in the sender's log (when it did not), which takes the leader back a whole epoch at a time.
struct AppendReply {
  Epoch epoch{};
  std::optional<ReplicaId> leader{};
  bool accepted{};
  Offset match{};
  EpochEnd hint{};

  bool operator==(const AppendReply&) const = default;
};

struct InstallSnapshot {
  Epoch epoch{};
  Snapshot snapshot{};

  bool operator==(const InstallSnapshot&) const = default;
};

template <class M>
struct Carried : Payload {
  explicit Carried(M m) : message(std::move(m)) {}
  M message;
};

// Requires: the payload came with the Kind that belongs to M.
template <class M>
const M& message_as(const PayloadRef& payload) {
  return payload_as<Carried<M>>(payload).message;
}

}  // namespace mqlab::raft
