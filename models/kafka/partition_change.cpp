#include "models/kafka/partition_change.h"

#include <algorithm>

namespace mqlab::kafka {
namespace {

struct Elected {
  BrokerId leader = no_broker;
  bool unclean = false;
};

}  // namespace

PartitionState change_partition(const PartitionState& before, const PartitionChange& change) {
  PartitionState next = before;
  next.unclean = false;
  const std::vector<BrokerId>& isr = change.target_isr;

  // maybePopulateTargetElr: while the ISR is large enough nobody needs to be remembered.
  std::vector<BrokerId> elr;
  const auto enough = std::min<std::size_t>(static_cast<std::size_t>(change.min_insync), before.replicas.size());
  if (change.elr && isr.size() < enough) {
    for (const std::vector<BrokerId>* from : {&before.elr, &before.isr})
      for (BrokerId b : *from)
        if (!contains(isr, b) && !contains(elr, b) && !contains(change.unclean_shutdown, b)) elr.push_back(b);
    std::sort(elr.begin(), elr.end());
  }

  const auto may_lead = [&](BrokerId b) {
    const bool eligible = contains(isr, b) || (change.elr && isr.empty() && contains(elr, b));
    return b != no_broker && eligible && change.acceptable(b);
  };
  const auto elect = [&]() -> Elected {
    if (change.wanted_leader != no_broker && may_lead(change.wanted_leader)) return {change.wanted_leader, false};
    if (change.election == Election::preferred && may_lead(before.replicas.front())) return {before.replicas.front(), false};
    if (may_lead(before.leader)) return {before.leader, false};
    for (BrokerId b : before.replicas)
      if (may_lead(b)) return {b, false};
    // canElectLastKnownLeader: nobody is left in ISR and ELR, and the one who led last is back.
    if (change.elr && isr.empty() && elr.empty() && before.last_known_leader != no_broker && change.acceptable(before.last_known_leader))
      return {before.last_known_leader, true};
    if (change.election == Election::unclean)
      for (BrokerId b : before.replicas)
        if (change.acceptable(b)) return {b, true};
    return {};
  };

  const Elected elected = elect();
  next.leader = elected.leader;
  // Without ELR the last member never leaves the ISR: it alone may come back as leader.
  if (!isr.empty() || change.elr) next.isr = isr;
  next.elr = elr;
  if (elected.leader != before.leader) {
    ++next.leader_epoch;
    if (elected.unclean) {
      next.unclean = true;
      next.recovering = true;
      next.isr = {elected.leader};
      next.elr.clear();
    } else if (elected.leader != no_broker && next.isr.empty()) {
      // Elected from the ELR: it becomes the ISR.
      next.isr = {elected.leader};
      next.elr.erase(std::remove(next.elr.begin(), next.elr.end(), elected.leader), next.elr.end());
    }
  }
  // maybeUpdateLastKnownLeader: remembered once, when the partition first has neither leader nor ISR.
  if (change.elr) {
    if (next.isr.empty() && next.leader == no_broker && before.leader != no_broker) next.last_known_leader = before.leader;
    else if (!next.isr.empty()) next.last_known_leader = no_broker;
  }
  PartitionState same = next;
  same.unclean = before.unclean;
  if (!(same == before)) ++next.partition_epoch;
  return next;
}

}  // namespace mqlab::kafka
