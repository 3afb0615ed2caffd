// The share coordinator's state machine.
#include "models/kafka/share_state.h"

#include <fmt/format.h>

namespace mqlab::kafka {

void ShareStates::replay(const GroupRecord& r) {
  const auto* s = std::get_if<ShareStateRecord>(&r.value);
  if (!s) return;
  if (r.gone) states_.erase({r.group, s->partition});
  else states_[{r.group, s->partition}] = s->state;
}

const ShareState* ShareStates::find(const std::string& group, PartitionId p) const {
  const auto it = states_.find({group, p});
  return it == states_.end() ? nullptr : &it->second;
}

GroupRecord ShareStates::record_of(const std::string& group, PartitionId p) const {
  return {group, ShareStateRecord{p, states_.at({group, p})}, false};
}

// ShareCoordinatorShard.maybeGetWriteStateError.
ShareStates::Outcome ShareStates::write(const WriteShareState& m) {
  ShareState& known = states_[{m.group, m.partition}];
  if (m.update.leader_epoch < known.leader_epoch) return {Error::fenced_leader_epoch, {}};
  if (m.update.state_epoch < known.state_epoch) return {Error::fenced_state_epoch, {}};
  merge(known, m.update);
  return {Error::none, {record_of(m.group, m.partition)}};
}

// A newer leader is written down before it is answered (readStateAndMaybeUpdateLeaderEpoch): the one before it can't
// write any more, here or at the next coordinator.
ShareStates::Outcome ShareStates::read(const ReadShareState& m, ShareState& out) {
  ShareState& known = states_[{m.group, m.partition}];
  if (m.leader_epoch < known.leader_epoch) return {Error::fenced_leader_epoch, {}};
  Outcome o;
  if (m.leader_epoch > known.leader_epoch) {
    known.leader_epoch = m.leader_epoch;
    o.records.push_back(record_of(m.group, m.partition));
  }
  out = known;
  return o;
}

Tree ShareStates::state(const Cluster& cluster) const {
  Tree t{"share coordinator", {}, {}};
  for (const auto& [key, s] : states_) {
    Tree& e = t.add(fmt::format("{} {}", key.first, cluster.partitions[key.second].place),
                    s.start == no_offset ? "nothing written" : fmt::format("from {}", s.start));
    for (const StateBatch& b : s.batches)
      e.add(b.first == b.last ? std::to_string(b.first) : fmt::format("{}..{}", b.first, b.last), fmt::format("{}, delivered {} times", name(b.state), b.deliveries));
  }
  return t;
}

}  // namespace mqlab::kafka
