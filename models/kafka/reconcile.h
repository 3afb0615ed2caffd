// models/kafka/reconcile.h: one step of a member towards its target (KIP-848).
//
// A pure function. A member first gives up what it shall not keep, and stays in its epoch until it has shown that it
// did; then it goes to the epoch of the target and gets what is free of it; the rest it gets when others have let go.
//
// Always true: 1. it is given nothing that another member holds. 2. What it is to give up stays in `revoking` until
// the member tells what it owns, and that is not among it.
// Elsewhere: who calls this and when (modern_group.h), how targets are made (assignors.h).
// Sources: CurrentAssignmentBuilder (4.3.1), ShareGroupAssignmentBuilder (a share group's member gets all at once).
#pragma once

#include <set>
#include <vector>

#include "models/kafka/group_records.h"
#include "models/kafka/settings.h"

namespace mqlab::kafka {

struct Reconciliation {
  const Cluster& cluster;
  std::int32_t target_epoch{};
  bool subscription_changed{};
  const std::vector<PartitionId>* owned{};     // as the member says now; null = it does not say
  const std::set<PartitionId>& held_by_others; // in `assigned` or `revoking` of another member
};

// Member `m` of a consumer group does what it can do now.
void reconcile(GroupMemberRecord& m, const Reconciliation& r);
// Member `m` of a share group.
void reconcile_shared(GroupMemberRecord& m, const Reconciliation& r);

}  // namespace mqlab::kafka
