// models/kafka/partition_change.h: who leads a partition next, and who stays in ISR and ELR.
//
// A pure function of the partition, the ISR that is wanted and who is alive; deterministic, in the
// order of the replica list. Source: PartitionChangeBuilder.java, KIP-966.
#pragma once

#include <functional>
#include <vector>

#include "models/kafka/metadata.h"

namespace mqlab::kafka {

enum class Election : std::uint8_t {
  online,     // keep the leader if it may stay, else the first of ISR (or ELR) that is alive
  preferred,  // the first of the replica list if it may lead
  unclean     // as online, and at last anybody who is alive
};

struct PartitionChange {
  Election election = Election::online;
  std::vector<BrokerId> target_isr{};
  std::vector<BrokerId> unclean_shutdown{};  // came back without a clean-shutdown mark: not to be trusted (ELR)
  std::function<bool(BrokerId)> acceptable{};  // alive and allowed to lead
  std::int32_t min_insync = 1;
  bool elr = true;
  BrokerId wanted_leader = no_broker;  // an operator's choice; taken if in the target ISR and acceptable
};

// The next state; equal to `before` but for `unclean` when nothing changes.
PartitionState change_partition(const PartitionState& before, const PartitionChange& change);

}  // namespace mqlab::kafka
