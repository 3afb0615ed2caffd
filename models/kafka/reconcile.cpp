// One step of a member towards its target.
#include "models/kafka/reconcile.h"

#include <algorithm>

namespace mqlab::kafka {
namespace {

bool subscribes(const GroupMemberRecord& m, PartitionId p, const Cluster& cluster) {
  return std::find(m.topics.begin(), m.topics.end(), cluster.partitions[p].topic) != m.topics.end();
}

// Who does not say what it owns may own all that it ever had.
bool owns_any(const PartitionEpochs& partitions, const std::vector<PartitionId>* owned) {
  if (!owned) return true;
  return std::any_of(owned->begin(), owned->end(), [&](PartitionId p) { return partitions.count(p) > 0; });
}

void enter_epoch(GroupMemberRecord& m, std::int32_t epoch) {
  m.previous_epoch = m.epoch;
  m.epoch = epoch;
}

// Towards the target: from here the member either has something to give up, or goes to the target's epoch.
void compute_next_assignment(GroupMemberRecord& m, const Reconciliation& r) {
  std::set<PartitionId> target;
  for (const PartitionId p : m.target)
    if (subscribes(m, p, r.cluster)) target.insert(p);
  PartitionEpochs kept, to_revoke;
  for (const auto& [p, since] : m.assigned) (target.count(p) ? kept : to_revoke)[p] = since;
  if (!to_revoke.empty() && owns_any(to_revoke, r.owned)) {
    m.state = MemberState::unrevoked_partitions;
    enter_epoch(m, m.epoch);
    m.assigned = std::move(kept);
    m.revoking = std::move(to_revoke);
    return;
  }
  bool unreleased = false;
  for (const PartitionId p : target) {
    if (kept.count(p)) continue;
    if (r.held_by_others.count(p)) unreleased = true;
    else kept[p] = r.target_epoch;
  }
  m.state = unreleased ? MemberState::unreleased_partitions : MemberState::stable;
  enter_epoch(m, r.target_epoch);
  m.assigned = std::move(kept);
  m.revoking.clear();
}

// There is no newer target, or the member may not go there yet; but what it no longer subscribes to must go now.
void update_current_assignment(GroupMemberRecord& m, const Reconciliation& r) {
  PartitionEpochs kept, revoking = m.revoking;
  for (const auto& [p, since] : m.assigned) (subscribes(m, p, r.cluster) ? kept : revoking)[p] = since;
  if (kept.size() == m.assigned.size()) return;
  if (owns_any(revoking, r.owned)) {
    m.state = MemberState::unrevoked_partitions;
    m.revoking = std::move(revoking);
  }
  enter_epoch(m, m.epoch);
  m.assigned = std::move(kept);
}

}  // namespace

void reconcile(GroupMemberRecord& m, const Reconciliation& r) {
  switch (m.state) {
    case MemberState::stable:
      if (m.epoch != r.target_epoch) compute_next_assignment(m, r);
      else if (r.subscription_changed) update_current_assignment(m, r);
      return;
    case MemberState::unrevoked_partitions:
      if (!owns_any(m.revoking, r.owned)) compute_next_assignment(m, r);
      else if (r.subscription_changed) update_current_assignment(m, r);
      return;
    case MemberState::unreleased_partitions: compute_next_assignment(m, r); return;
  }
}

void reconcile_shared(GroupMemberRecord& m, const Reconciliation& r) {
  if (m.epoch == r.target_epoch && !r.subscription_changed) return;
  PartitionEpochs assigned;
  for (const PartitionId p : m.target)
    if (subscribes(m, p, r.cluster)) assigned[p] = r.target_epoch;
  for (auto& [p, since] : assigned)
    if (const auto had = m.assigned.find(p); had != m.assigned.end()) since = had->second;
  if (m.epoch != r.target_epoch) enter_epoch(m, r.target_epoch);
  m.assigned = std::move(assigned);
}

}  // namespace mqlab::kafka
