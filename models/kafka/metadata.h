// models/kafka/metadata.h: the cluster's metadata: records in a log, and the image they make.
//
// The controller decides by appending records to the metadata log (models/raft); everybody else
// learns by replaying it, each at its own pace. A partition's record carries its whole state, so
// several changes between two looks collapse into the last one, as with Kafka's images.
//
// Always true: an image is a function of the records applied. Elsewhere: who decides (controller.h).
// Sources: metadata/src/main/resources/common/metadata/*.json, KIP-631, KIP-966.
#pragma once

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "models/kafka/settings.h"
#include "sim/world/payload.h"

namespace mqlab::kafka {

inline bool contains(const std::vector<BrokerId>& brokers, BrokerId b) {
  return std::find(brokers.begin(), brokers.end(), b) != brokers.end();
}

struct PartitionState {
  PartitionId partition{};
  std::vector<BrokerId> replicas{};
  std::vector<BrokerId> isr{};
  std::vector<BrokerId> elr{};             // KIP-966: may still lead though not in the ISR
  BrokerId last_known_leader = no_broker;  // ... and when nobody is left in ISR or ELR
  BrokerId leader = no_broker;
  LeaderEpoch leader_epoch = 0;
  std::int32_t partition_epoch = 0;
  bool recovering = false;                 // the last election was unclean
  bool unclean = false;                    // this very change is one

  bool operator==(const PartitionState&) const = default;
};

struct RegisterBroker {
  BrokerId broker{};
  std::uint64_t incarnation{};
};
struct FenceBroker {
  BrokerId broker{};
  BrokerEpoch epoch{};
};
struct UnfenceBroker {
  BrokerId broker{};
  BrokerEpoch epoch{};
};
struct ControlledShutdown {
  BrokerId broker{};
  BrokerEpoch epoch{};
};
struct PartitionRecord {
  PartitionState state{};
};
struct ProducerIdsRecord {
  ProducerId next{};
};

struct MetadataRecord : Payload {
  using Value = std::variant<RegisterBroker, FenceBroker, UnfenceBroker, ControlledShutdown, PartitionRecord, ProducerIdsRecord>;
  explicit MetadataRecord(Value v) : value(std::move(v)) {}
  Value value;
};

struct BrokerRegistration {
  BrokerEpoch epoch = no_broker_epoch;  // offset of the registration record
  std::uint64_t incarnation{};
  bool registered = false;
  bool fenced = true;
  bool shutting_down = false;

  // May lead and be in an ISR.
  bool active() const { return registered && !fenced && !shutting_down; }
};

struct Image {
  std::vector<BrokerRegistration> brokers;  // broker 1, 2, ...
  std::vector<PartitionState> partitions;   // by PartitionId; replicas empty until created
  ProducerId next_producer_id = 1;
  Offset end = 0;                           // records before this offset are applied

  void size_for(const Cluster& c) {
    brokers.resize(c.brokers.size());
    partitions.resize(c.partitions.size());
  }
  const BrokerRegistration& broker(BrokerId b) const { return brokers[static_cast<std::size_t>(b - 1)]; }
  BrokerRegistration& broker(BrokerId b) { return brokers[static_cast<std::size_t>(b - 1)]; }
  bool known(BrokerId b) const { return b >= 1 && b <= static_cast<BrokerId>(brokers.size()); }
  void apply(const MetadataRecord& record, Offset offset);
};

std::string describe(const MetadataRecord& record, const Cluster* cluster);
// "{1,2,3}"
std::string describe(const std::vector<BrokerId>& brokers);

}  // namespace mqlab::kafka
