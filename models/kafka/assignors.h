// models/kafka/assignors.h: who gets which partition of a consumer group.
//
// Pure functions from the members, what they subscribe to and what they own to an assignment: the four assignors of
// the Java client, which the leader of a classic group runs (ConsumerPartitionAssignor), and the two of KIP-848, which
// the coordinator runs (org.apache.kafka.coordinator.group.assignor).
//
// Always true: 1. Every member handed in is a key of the answer; its partitions ascend.  2. No partition has two
// members, and none goes to a member that does not subscribe to its topic.  3. The order in which members and topics
// are handed in does not matter: members are taken by the order of their ids, topics by that of their names. Where
// the product walks a hash map, it may pick another member for the odd partition.
// Elsewhere: the rounds in which an assignment comes about (the coordinator and the consumer). Left out: racks.
//
//     std::vector<MemberSubscription> members{{.member = "m1", .topics = {0}}, {.member = "m2", .topics = {0}}};
//     std::vector<TopicPartitions> topics{{.topic = 0, .name = "orders", .first = 0, .partitions = 3}};
//     Assignment a = assign(AssignorKind::range, members, topics);
//     a.at("m1");  // 0, 1
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/settings.h"

namespace mqlab::kafka {

enum class AssignorKind : std::uint8_t {
  range,               // a run of neighbours per topic; the first members get the odd ones, of every topic
  round_robin,         // all partitions of all topics dealt out in turn
  sticky,              // KIP-54: balanced, and otherwise as little moves as possible
  cooperative_sticky,  // KIP-429: the same, but what has to move is first only taken away
  uniform,             // KIP-848, the default there: balanced and sticky
  server_range         // KIP-848's "range"
};

// What the leader or the coordinator knows of one member.
struct MemberSubscription {
  std::string member{};
  std::string instance{};              // group.instance.id; empty = a dynamic member
  std::vector<std::int32_t> topics{};  // TopicPartitions::topic, ascending
  // Classic: what the member says it owns (read by the sticky ones). KIP-848: its present target (read by uniform).
  std::vector<PartitionId> owned{};
  // The generation that `owned` is of; -1 = none. Of two who claim one partition the later is believed.
  std::int32_t generation = -1;
};

// A topic and its dense numbers. A topic without partitions counts as unknown: nobody gets anything of it.
struct TopicPartitions {
  std::int32_t topic{};
  std::string name{};
  PartitionId first{};
  std::int32_t partitions{};
};

using Assignment = std::map<std::string, std::vector<PartitionId>>;

// Requires: member ids differ, topic numbers differ, and the ranges of numbers do not overlap.
Assignment assign(AssignorKind kind, const std::vector<MemberSubscription>& members,
                  const std::vector<TopicPartitions>& topics);

// The product's names: "range", "roundrobin", "sticky", "cooperative-sticky"; "uniform", "range".
const char* name(AssignorKind kind);
// partition.assignment.strategy of a client; group.consumer.assignors of a broker.
std::optional<AssignorKind> client_assignor_named(std::string_view name);
std::optional<AssignorKind> server_assignor_named(std::string_view name);

}  // namespace mqlab::kafka
