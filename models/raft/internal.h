// models/raft/internal.h: the steps that the parts of the replica share. Not for outsiders.
#pragma once

#include <algorithm>
#include <utility>

#include "models/raft/raft.h"

namespace mqlab::raft {

inline bool contains(const std::vector<ReplicaId>& ids, ReplicaId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

inline std::size_t majority(const Raft& self) { return self.config.voters.size() / 2 + 1; }

template <class M>
void send(Outbox& out, ReplicaId to, Kind kind, M message) {
  out.sends.push_back({to, kind, make_payload<Carried<M>>(std::move(message))});
}

// To every other voter.
template <class M>
void send_to_voters(const Raft& self, Outbox& out, Kind kind, const M& message) {
  for (const ReplicaId voter : self.config.voters) {
    if (voter != self.config.self) send(out, voter, kind, message);
  }
}

// raft.cpp: timers and marks on the durable part
void arm(Raft& self, TimerKey key, Duration delay, Outbox& out);
void cancel(Raft& self, TimerKey key, Outbox& out);
void set_epoch(Raft& self, Epoch epoch, std::optional<ReplicaId> voted_for, Outbox& out);
void log_changed(Raft& self, Outbox& out);
void truncate(Raft& self, Offset end, Outbox& out);
void install(Raft& self, const Snapshot& snapshot, Outbox& out);
void learn_commit(Raft& self, Offset commit);

// roles.cpp
void become_unattached(Raft& self, Epoch epoch, Random& random, Outbox& out);
void become_follower(Raft& self, Epoch epoch, ReplicaId leader, Random& random, Outbox& out);
void become_prospective(Raft& self, Random& random, Outbox& out);
void become_candidate(Raft& self, Random& random, Outbox& out);
void become_leader(Raft& self, Outbox& out);
void become_resigned(Raft& self, Random& random, Outbox& out);
void observe_epoch(Raft& self, Epoch epoch, std::optional<ReplicaId> leader, Random& random, Outbox& out);

// election.cpp
void arm_election(Raft& self, Random& random, Outbox& out);
void start_election(Raft& self, Random& random, Outbox& out);
void count_votes(Raft& self, Random& random, Outbox& out);
Duration successor_delay(const Raft& self, std::size_t position);
void on_vote(Raft& self, ReplicaId from, const Vote& m, Random& random, Outbox& out);
void on_vote_reply(Raft& self, ReplicaId from, const VoteReply& m, Random& random, Outbox& out);
void on_end_epoch(Raft& self, ReplicaId from, const EndEpoch& m, Random& random, Outbox& out);
void on_election_due(Raft& self, Random& random, Outbox& out);

// commit.cpp
void advance_commit(Raft& self, Outbox& out);
void heard_from(Raft& self, ReplicaId from, Outbox& out);
void on_check_quorum_due(Raft& self, Random& random, Outbox& out);

// pull.cpp
void send_fetch(Raft& self, Random& random, Outbox& out);
void answer_parked(Raft& self, Outbox& out);
void refuse_parked(Raft& self, Outbox& out);
void begin_epoch(Raft& self, Outbox& out);
void on_begin_epoch(Raft& self, ReplicaId from, const BeginEpoch& m, Random& random, Outbox& out);
void on_fetch(Raft& self, ReplicaId from, const Fetch& m, Outbox& out);
void on_fetch_reply(Raft& self, ReplicaId from, const FetchReply& m, Random& random, Outbox& out);
void on_fetch_due(Raft& self, Random& random, Outbox& out);
void on_fetch_wait_due(Raft& self, ReplicaId peer, Outbox& out);

// push.cpp
void send_appends(Raft& self, Outbox& out);
void on_append_entries(Raft& self, ReplicaId from, const AppendEntries& m, Random& random, Outbox& out);
void on_install_snapshot(Raft& self, ReplicaId from, const InstallSnapshot& m, Random& random, Outbox& out);
void on_append_reply(Raft& self, ReplicaId from, const AppendReply& m, Random& random, Outbox& out);
void on_heartbeat_due(Raft& self, Outbox& out);

}  // namespace mqlab::raft
