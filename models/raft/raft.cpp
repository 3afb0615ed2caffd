#include "models/raft/raft.h"

#include <cassert>

#include "models/raft/internal.h"

namespace mqlab::raft {

bool Raft::is_voter() const { return contains(config.voters, config.self); }

std::string_view name(Role role) {
  switch (role) {
    case Role::unattached: return "unattached";
    case Role::follower: return "follower";
    case Role::prospective: return "prospective";
    case Role::candidate: return "candidate";
    case Role::leader: return "leader";
    case Role::resigned: return "resigned";
  }
  return "?";
}

std::string_view name(Timer timer) {
  switch (timer) {
    case Timer::election: return "election";
    case Timer::fetch: return "fetch";
    case Timer::request: return "request";
    case Timer::fetch_wait: return "fetch_wait";
    case Timer::begin_epoch: return "begin_epoch";
    case Timer::heartbeat: return "heartbeat";
    case Timer::check_quorum: return "check_quorum";
  }
  return "?";
}

void arm(Raft& self, TimerKey key, Duration delay, Outbox& out) {
  if (std::find(self.armed.begin(), self.armed.end(), key) == self.armed.end()) self.armed.push_back(key);
  out.timers.push_back({key, delay});
}

void cancel(Raft& self, TimerKey key, Outbox& out) {
  if (std::erase(self.armed, key) > 0) out.timers.push_back({key, std::nullopt});
}

void set_epoch(Raft& self, Epoch epoch, std::optional<ReplicaId> voted_for, Outbox& out) {
  if (self.durable.epoch == epoch && self.durable.voted_for == voted_for) return;
  self.durable.epoch = epoch;
  self.durable.voted_for = voted_for;
  if (!self.config.variants.vote_not_persisted) out.sync_vote = true;
}

void log_changed(Raft& self, Outbox& out) {
  if (self.config.sync_before_ack) out.sync_log = true;
}

// KafkaRaftClient throws when a leader asks for less than the high watermark; here the replica goes on, marked, so
// that a broken rule can be seen to the end.
void truncate(Raft& self, Offset end, Outbox& out) {
  if (end >= self.durable.log.end()) return;
  self.durable.log.truncate_to(end);
  self.written = std::min(self.written, end);
  self.writing = std::min(self.writing, end);
  if (self.durable.log.end() < self.commit) {
    self.truncated_committed = true;
    self.commit = self.durable.log.end();
  }
  log_changed(self, out);
}

void install(Raft& self, const Snapshot& snapshot, Outbox& out) {
  self.durable.log.install(snapshot);
  self.written = std::min(self.written, self.log().end());
  self.writing = std::min(self.writing, self.log().end());
  self.commit = std::clamp(self.commit, self.log().start(), self.log().end());
  log_changed(self, out);
}

void learn_commit(Raft& self, Offset commit) {
  self.commit = std::max(self.commit, std::min(commit, self.log().end()));
}

// A replica may come up with a log that is ahead of its vote file (QuorumState.initialize).
Raft start(const Config& config, const Durable& on_disk, Random& random, Outbox& out) {
  Raft self{.config = config, .durable = on_disk};
  self.commit = self.log().start();
  self.written = self.log().end();
  const Epoch epoch = std::max(on_disk.epoch, self.log().last_epoch());
  become_unattached(self, epoch, random, out);
  if (self.is_voter() && config.voters.size() == 1) become_candidate(self, random, out);
  return self;
}

void write_begins(Raft& self) { self.writing = self.log().end(); }

void write_ended(Raft& self, Outbox& out) {
  self.written = std::max(self.written, self.writing);
  if (self.is_leader()) advance_commit(self, out);
}

void on_message(Raft& self, ReplicaId from, Kind kind, const PayloadRef& payload, Random& random, Outbox& out) {
  switch (kind) {
    case Kind::vote: return on_vote(self, from, message_as<Vote>(payload), random, out);
    case Kind::vote_reply: return on_vote_reply(self, from, message_as<VoteReply>(payload), random, out);
    case Kind::begin_epoch: return on_begin_epoch(self, from, message_as<BeginEpoch>(payload), random, out);
    case Kind::begin_epoch_reply: {
      const auto& m = message_as<BeginEpochReply>(payload);
      return observe_epoch(self, m.epoch, m.leader, random, out);
    }
    case Kind::end_epoch: return on_end_epoch(self, from, message_as<EndEpoch>(payload), random, out);
    case Kind::fetch: return on_fetch(self, from, message_as<Fetch>(payload), out);
    case Kind::fetch_reply: return on_fetch_reply(self, from, message_as<FetchReply>(payload), random, out);
    case Kind::append_entries:
      return on_append_entries(self, from, message_as<AppendEntries>(payload), random, out);
    case Kind::append_reply: return on_append_reply(self, from, message_as<AppendReply>(payload), random, out);
    case Kind::install_snapshot:
      return on_install_snapshot(self, from, message_as<InstallSnapshot>(payload), random, out);
  }
}

void on_timer(Raft& self, TimerKey key, Random& random, Outbox& out) {
  if (std::erase(self.armed, key) == 0) return;  // cancelled while it was on its way
  switch (key.timer) {
    case Timer::election: return on_election_due(self, random, out);
    case Timer::fetch: return on_fetch_due(self, random, out);
    case Timer::request: return send_fetch(self, random, out);
    case Timer::fetch_wait: return on_fetch_wait_due(self, key.peer, out);
    case Timer::begin_epoch: return begin_epoch(self, out);
    case Timer::heartbeat: return on_heartbeat_due(self, out);
    case Timer::check_quorum: return on_check_quorum_due(self, random, out);
  }
}

std::optional<Offset> propose(Raft& self, PayloadRef command, Outbox& out) {
  return propose(self, std::span<const PayloadRef>(&command, 1), out);
}

std::optional<Offset> propose(Raft& self, std::span<const PayloadRef> commands, Outbox& out) {
  assert(!commands.empty());
  if (!self.is_leader()) return std::nullopt;
  const Offset first = self.log().end();
  for (const PayloadRef& command : commands) self.durable.log.append({.epoch = self.epoch(), .command = command});
  log_changed(self, out);
  advance_commit(self, out);
  if (self.config.replication == Replication::pull) {
    answer_parked(self, out);
  } else {
    send_appends(self, out);
  }
  return first;
}

void resign(Raft& self, Random& random, Outbox& out) {
  if (self.is_leader()) become_resigned(self, random, out);
}

void on_disconnect(Raft& self, ReplicaId peer, Outbox& out) {
  const TimerKey request{Timer::request, 0};
  const bool asks = std::find(self.armed.begin(), self.armed.end(), request) != self.armed.end();
  if (asks && (!self.leader || *self.leader == peer)) arm(self, request, self.config.retry_backoff, out);
  if (self.parked.erase(peer) > 0) cancel(self, {Timer::fetch_wait, peer}, out);
  if (const auto known = self.progress.find(peer); known != self.progress.end()) {
    known->second.next = known->second.match;
    known->second.probing = true;
  }
}

void on_suspect(Raft& self, ReplicaId peer, Random& random, Outbox& out) {
  if (!self.is_voter() || self.role != Role::follower || self.leader != peer) return;
  self.heard_from_leader = false;
  const auto delay = static_cast<Duration>(random.below(static_cast<std::uint64_t>(self.config.election_timeout)));
  arm(self, {self.config.replication == Replication::pull ? Timer::fetch : Timer::election, 0}, delay, out);
}

void compact(Raft& self, Offset offset, PayloadRef state, Outbox& out) {
  assert(offset <= self.commit);
  if (offset <= self.log().start()) return;
  self.durable.log.compact_to(offset, std::move(state));
  log_changed(self, out);
}

}  // namespace mqlab::raft
