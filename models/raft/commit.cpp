// What a leader may call committed, and whether it still has a majority behind it.
#include "models/raft/internal.h"

namespace mqlab::raft {

// Raft paper sections 5.3 and 5.4.2; LeaderState.maybeUpdateHighWatermark. An entry is committed when a majority of
// the voters holds it AND something of the leader's own epoch is among what they hold: a majority that holds only
// older entries can still be overruled by a later leader (figure 8).
void advance_commit(Raft& self, Outbox& out) {
  std::vector<Offset> held;
  for (const ReplicaId voter : self.config.voters) {
    const Offset own = self.config.parallel_write ? self.written : self.log().end();
    held.push_back(voter == self.config.self ? own : self.progress.at(voter).match);
  }
  std::sort(held.begin(), held.end(), std::greater<>());
  const Offset by_majority = held[majority(self) - 1];

  if (by_majority <= self.commit) return;
  if (by_majority <= self.epoch_start && !self.config.variants.commit_older_epochs) return;
  learn_commit(self, by_majority);
  if (self.config.replication == Replication::pull) {
    answer_parked(self, out);
  } else {
    send_appends(self, out);
  }
}

// LeaderState.updateCheckQuorumForFollowingVoter: the time starts again when, with the leader, a majority was heard.
void heard_from(Raft& self, ReplicaId from, Outbox& out) {
  const auto known = self.progress.find(from);
  if (known == self.progress.end() || !contains(self.config.voters, from)) return;
  known->second.acknowledged = true;
  known->second.heard = true;
  std::size_t heard = 1;
  for (const auto& [peer, progress] : self.progress) heard += progress.heard && contains(self.config.voters, peer);
  if (heard < majority(self) || !self.config.check_quorum) return;
  for (auto& [peer, progress] : self.progress) progress.heard = false;
  arm(self, {Timer::check_quorum, 0}, self.config.check_quorum_timeout, out);
}

void on_check_quorum_due(Raft& self, Random& random, Outbox& out) {
  if (self.is_leader()) become_resigned(self, random, out);
}

}  // namespace mqlab::raft
