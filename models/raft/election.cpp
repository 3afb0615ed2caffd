// Elections: Raft paper sections 5.2 and 5.4.1; KIP-595 "Vote"; KIP-996 and dissertation section 9.6 for pre-votes.
#include <cassert>

#include "models/raft/internal.h"

namespace mqlab::raft {
namespace {

// A pre-vote is refused by whoever has a leader that answers; a vote by whoever knows of any leader or has
// given its vote to somebody else.
bool may_grant(const Raft& self, ReplicaId candidate, const Vote& m) {
  const bool log_is_good = self.config.variants.vote_without_log_check ||
                           up_to_date(m.last_epoch, m.end_offset, self.log().last_epoch(), self.log().end());
  if (!log_is_good) return false;
  if (m.pre_vote) return !self.is_leader() && !(self.role == Role::follower && self.heard_from_leader);
  if (self.durable.voted_for) return *self.durable.voted_for == candidate;
  return !self.leader && (self.role == Role::unattached || self.role == Role::prospective);
}

// Kafka's RaftUtil: 50 ms, doubled with every lost election, up to the maximum; then a random part of it.
Duration backoff(const Raft& self, Random& random) {
  const Duration base = 50'000'000;
  const Duration longest = std::min(self.config.election_backoff_max, base << std::min(self.elections_lost, 20));
  return random.between(1, std::max<Duration>(longest, 1));
}

// The pre-vote failed: nothing has happened, and the leader that was known may still be there.
void give_up_pre_vote(Raft& self, Random& random, Outbox& out) {
  if (self.leader) return become_follower(self, self.epoch(), *self.leader, random, out);
  become_unattached(self, self.epoch(), random, out);
}

void back_off(Raft& self, Random& random, Outbox& out) {
  self.backing_off = true;
  self.elections_lost += 1;
  arm(self, {Timer::election, 0}, backoff(self, random), out);
}

}  // namespace

void arm_election(Raft& self, Random& random, Outbox& out) {
  const Duration t = self.config.election_timeout;
  arm(self, {Timer::election, 0}, t + static_cast<Duration>(random.below(static_cast<std::uint64_t>(t))), out);
}

void start_election(Raft& self, Random& random, Outbox& out) {
  if (self.config.pre_vote) return become_prospective(self, random, out);
  become_candidate(self, random, out);
}

// Kafka's RaftUtil.strictExponentialElectionBackoffMs: the best successor at once, the others ever later.
Duration successor_delay(const Raft& self, std::size_t position) {
  if (position == 0) return 0;
  const Duration base = 50'000'000;
  return std::min(self.config.election_backoff_max, base << std::min<std::size_t>(position - 1, 20));
}

// Acts once, when a majority has spoken one way or the other.
void count_votes(Raft& self, Random& random, Outbox& out) {
  const bool won = self.granted.size() >= majority(self);
  const bool lost = self.rejected.size() > self.config.voters.size() - majority(self);
  if (self.role == Role::prospective) {
    if (won) return become_candidate(self, random, out);
    if (lost) return give_up_pre_vote(self, random, out);
  } else if (self.role == Role::candidate && !self.backing_off) {
    if (won) return become_leader(self, out);
    if (lost) return back_off(self, random, out);
  }
}

void on_vote(Raft& self, ReplicaId from, const Vote& m, Random& random, Outbox& out) {
  if (!self.is_voter()) return;  // an observer has no vote
  observe_epoch(self, m.epoch, std::nullopt, random, out);
  const bool granted = m.epoch == self.epoch() && may_grant(self, from, m);
  if (granted && !m.pre_vote) {
    set_epoch(self, self.epoch(), from, out);
    const bool waits = self.role == Role::unattached || self.role == Role::prospective;
    if (waits) arm_election(self, random, out);  // Raft paper figure 2: granting a vote restarts the timeout
  }
  send(out, from, Kind::vote_reply,
       VoteReply{.epoch = self.epoch(), .pre_vote = m.pre_vote, .granted = granted, .leader = self.leader});
}

void on_vote_reply(Raft& self, ReplicaId from, const VoteReply& m, Random& random, Outbox& out) {
  // A prospective that knows a leader keeps asking; a leader told by others makes it a follower.
  observe_epoch(self, m.epoch, m.leader, random, out);
  if (m.epoch < self.epoch() || !contains(self.config.voters, from)) return;
  if (self.role != (m.pre_vote ? Role::prospective : Role::candidate)) return;
  if (contains(self.granted, from) || contains(self.rejected, from)) return;  // doubled on the way
  (m.granted ? self.granted : self.rejected).push_back(from);
  count_votes(self, random, out);
}

// KIP-595 "EndQuorumEpoch": the first successor need not wait for any timeout.
void on_end_epoch(Raft& self, ReplicaId from, const EndEpoch& m, Random& random, Outbox& out) {
  if (!self.is_voter() || m.epoch < self.epoch()) return;
  observe_epoch(self, m.epoch, from, random, out);
  if (self.role != Role::follower || self.leader != from) return;
  self.heard_from_leader = false;  // it is gone by its own word, so a pre-vote may be granted
  const auto& successors = m.preferred_successors;
  const auto place = std::find(successors.begin(), successors.end(), self.config.self);
  const Duration delay = successor_delay(self, static_cast<std::size_t>(place - successors.begin()));
  if (delay == 0) {
    self.leader = std::nullopt;
    return start_election(self, random, out);
  }
  arm(self, {self.config.replication == Replication::pull ? Timer::fetch : Timer::election, 0}, delay, out);
}

void on_election_due(Raft& self, Random& random, Outbox& out) {
  switch (self.role) {
    case Role::unattached:
    case Role::follower:  // push: no heartbeat for too long
    case Role::resigned: return start_election(self, random, out);
    case Role::prospective: return give_up_pre_vote(self, random, out);
    case Role::candidate:
      if (self.backing_off) return start_election(self, random, out);
      return back_off(self, random, out);
    case Role::leader: return;
  }
}

}  // namespace mqlab::raft
