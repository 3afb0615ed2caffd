// The changes of role. Each leaves nothing armed and nothing parked of the role before.
#include <cassert>

#include "models/raft/internal.h"

namespace mqlab::raft {
namespace {

bool runs(const Raft& self, TimerKey key) {
  return std::find(self.armed.begin(), self.armed.end(), key) != self.armed.end();
}

void set_role(Raft& self, Role role, Outbox& out, std::optional<TimerKey> kept = std::nullopt) {
  if (self.is_leader()) refuse_parked(self, out);
  const std::vector<TimerKey> armed = self.armed;
  for (const TimerKey key : armed) {
    if (key != kept) cancel(self, key, out);
  }
  self.granted.clear();
  self.rejected.clear();
  self.progress.clear();
  self.backing_off = false;
  out.role_changes.push_back({self.role, role, self.epoch()});
  self.role = role;
}

}  // namespace

// An election timeout that runs goes on running: hearing of an epoch is no reason to wait longer, or else a
// candidate that nobody may vote for could keep all others waiting (QuorumState.transitionToUnattached).
void become_unattached(Raft& self, Epoch epoch, Random& random, Outbox& out) {
  assert(epoch >= self.epoch());
  const TimerKey election{Timer::election, 0};
  const bool waits = runs(self, election) && !self.backing_off;
  set_epoch(self, epoch, epoch == self.epoch() ? self.durable.voted_for : std::nullopt, out);
  self.leader = std::nullopt;
  self.heard_from_leader = false;
  set_role(self, Role::unattached, out, waits ? std::optional(election) : std::nullopt);
  if (self.is_voter() && !waits) arm_election(self, random, out);
  if (self.config.replication == Replication::pull && (!self.is_voter() || self.config.voters.size() > 1)) {
    arm(self, {Timer::request, 0}, self.config.retry_backoff, out);  // any voter can tell who leads
  }
}

void become_follower(Raft& self, Epoch epoch, ReplicaId leader, Random& random, Outbox& out) {
  assert(epoch >= self.epoch() && leader != self.config.self);
  set_epoch(self, epoch, epoch == self.epoch() ? self.durable.voted_for : std::nullopt, out);
  self.leader = leader;
  self.heard_from_leader = false;
  self.elections_lost = 0;
  set_role(self, Role::follower, out);
  if (self.config.replication == Replication::pull) {
    arm(self, {Timer::fetch, 0}, self.config.fetch_timeout, out);
    send_fetch(self, random, out);
  } else {
    arm_election(self, random, out);
  }
}

// KIP-996: the epoch stays as it is, and so does the leader, should there still be one.
void become_prospective(Raft& self, Random& random, Outbox& out) {
  set_role(self, Role::prospective, out);
  self.granted = {self.config.self};
  arm_election(self, random, out);
  send_to_voters(self, out, Kind::vote,
                 Vote{.epoch = self.epoch(), .pre_vote = true, .last_epoch = self.log().last_epoch(),
                      .end_offset = self.log().end()});
  count_votes(self, random, out);
}

// Raft paper section 5.2: a new epoch, and the first vote is one's own.
void become_candidate(Raft& self, Random& random, Outbox& out) {
  assert(self.is_voter());
  set_epoch(self, self.epoch() + 1, self.config.self, out);
  self.leader = std::nullopt;
  self.heard_from_leader = false;
  set_role(self, Role::candidate, out);
  self.granted = {self.config.self};
  arm_election(self, random, out);
  send_to_voters(self, out, Kind::vote,
                 Vote{.epoch = self.epoch(), .pre_vote = false, .last_epoch = self.log().last_epoch(),
                      .end_offset = self.log().end()});
  count_votes(self, random, out);
}

// The leader-change entry gives the epoch something of its own to commit (Raft paper section 8; KIP-595).
void become_leader(Raft& self, Outbox& out) {
  set_role(self, Role::leader, out);
  self.leader = self.config.self;
  self.elections_lost = 0;
  self.epoch_start = self.log().end();
  for (const ReplicaId voter : self.config.voters) {
    if (voter != self.config.self) self.progress[voter] = {.next = self.epoch_start, .probing = true};
  }
  self.durable.log.append({.epoch = self.epoch(), .control = true});
  log_changed(self, out);
  if (self.config.check_quorum && self.config.voters.size() > 1) {
    arm(self, {Timer::check_quorum, 0}, self.config.check_quorum_timeout, out);
  }
  advance_commit(self, out);
  if (self.config.replication == Replication::pull) {
    begin_epoch(self, out);
  } else {
    on_heartbeat_due(self, out);
  }
}

// A resigned leader stays silent in its epoch, so that nobody can take it for the leader again.
void become_resigned(Raft& self, Random& random, Outbox& out) {
  std::vector<std::pair<Offset, ReplicaId>> by_progress;
  for (const auto& [voter, known] : self.progress) {
    if (contains(self.config.voters, voter)) by_progress.emplace_back(-known.match, voter);
  }
  std::sort(by_progress.begin(), by_progress.end());
  EndEpoch end{.epoch = self.epoch()};
  for (const auto& [match, voter] : by_progress) end.preferred_successors.push_back(voter);

  set_role(self, Role::resigned, out);
  self.leader = std::nullopt;
  send_to_voters(self, out, Kind::end_epoch, end);
  arm_election(self, random, out);
}

// What every message tells besides its own matter: an epoch, and perhaps who leads it.
void observe_epoch(Raft& self, Epoch epoch, std::optional<ReplicaId> leader, Random& random, Outbox& out) {
  const bool other_leads = leader && *leader != self.config.self;
  if (epoch > self.epoch()) {
    if (other_leads) return become_follower(self, epoch, *leader, random, out);
    return become_unattached(self, epoch, random, out);
  }
  const bool may_follow = self.role != Role::leader && self.role != Role::resigned;
  if (epoch == self.epoch() && other_leads && !self.leader && may_follow) {
    become_follower(self, epoch, *leader, random, out);
  }
}

}  // namespace mqlab::raft
