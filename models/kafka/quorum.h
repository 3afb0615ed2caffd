// models/kafka/quorum.h: a node's seat at the metadata quorum: it carries models/raft into the world.
//
// Controllers are voters, brokers are observers; both replay the same log. This class does what
// models/raft asks of its host: sync, timers, sends, in that order, over one stream per peer.
//
// Always true: nothing leaves before what it depends on is on disk (voters sync; observers need not).
// Elsewhere: the consensus (models/raft), what the records mean (metadata.h).
#pragma once

#include <map>
#include <vector>

#include "models/kafka/messages.h"
#include "models/kafka/settings.h"
#include "models/raft/raft.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

namespace mqlab::kafka {

inline constexpr FileId metadata_file = 0;
inline constexpr TimerKind quorum_timer = 1;

class Quorum {
 public:
  Quorum() = default;
  explicit Quorum(raft::Config config) : config_(std::move(config)) {}

  void start(Context& c);
  // True when the message was the quorum's.
  bool on_message(Context& c, const Message& m);
  bool on_timer(Context& c, TimerKind kind, std::uint64_t argument);
  bool on_closed(Context& c, ConnId connection, NodeId peer);
  void on_crash(const Crash& crash);

  bool leads() const { return raft_.is_leader(); }
  NodeId leader() const { return raft_.leader ? static_cast<NodeId>(*raft_.leader) : nobody; }
  raft::Epoch epoch() const { return raft_.epoch(); }
  Offset commit() const { return raft_.commit_offset(); }
  Offset end() const { return raft_.log().end(); }
  Offset start_offset() const { return raft_.log().start(); }
  const raft::Raft& raft() const { return raft_; }
  // The record at an offset, null for the quorum's own entries. Requires: in the log.
  const MetadataRecord* record(Offset at) const;
  // Appends records that travel together; the offset of the first, or -1 when this node does not lead.
  Offset append(Context& c, const std::vector<PayloadRef>& records);
  void resign(Context& c);

 private:
  void carry_out(Context& c, raft::Outbox& out);
  void close_silent(Context& c, raft::Outbox& out);

  raft::Config config_;
  raft::Durable durable_;  // what a restart begins with; kept equal to raft_.durable
  bool up_ = false;        // raft_ is that of a process that lives
  raft::Raft raft_;
  std::map<NodeId, ConnId> connections_;
  std::map<NodeId, Time> asked_;  // since when a peer owes an answer
  std::map<std::uint64_t, EventId> timers_;
};

}  // namespace mqlab::kafka
