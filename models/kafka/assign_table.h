// models/kafka/assign_table.h: the members and topics of one assignment as numbers. Inner part of assignors.h.
//
// A member is its place in the order of the ids, a topic its place in the order of the names, a partition its dense
// number: so every loop over them has one order, and comparing numbers compares names.
//
// Always true: 1. members and topics ascend by name.  2. `subscriptions[m]` and `subscribers[t]` ascend, say the same,
// and speak only of topics that exist.  3. topic_of answers for every partition number, no_topic for a foreign one.
//
//     Table t = table_of(members, topics);
//     for (MemberIndex m : t.subscribers[topic]) give(m, t.topics[topic].first);
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "models/kafka/assignors.h"

namespace mqlab::kafka::assignors {

using MemberIndex = std::int32_t;
using TopicIndex = std::int32_t;
inline constexpr MemberIndex no_member = -1;
inline constexpr TopicIndex no_topic = -1;

// What each member gets, by its number.
using Shares = std::vector<std::vector<PartitionId>>;

struct Table {
  std::vector<MemberSubscription> members;
  std::vector<TopicPartitions> topics;                  // subscribed by somebody, with at least one partition
  std::vector<std::vector<TopicIndex>> subscriptions;   // of a member
  std::vector<std::vector<MemberIndex>> subscribers;    // of a topic
  std::vector<std::pair<PartitionId, TopicIndex>> ends;  // one past the last number of a topic; ascending

  bool subscribes(MemberIndex m, TopicIndex t) const;
  TopicIndex topic_of(PartitionId p) const;
  std::int32_t partition_count() const;
  // One past the greatest partition number: the size of a vector by partition.
  std::size_t partitions_end() const { return ends.empty() ? 0 : ends.back().first; }
  // The number within the topic: 2 of "orders/2".
  std::int32_t number_of(PartitionId p) const;
  // (topic name, number within it): the order of TopicPartitionComparator.
  bool before(PartitionId a, PartitionId b) const;
  // All partitions of subscribed topics in that order.
  std::vector<PartitionId> partitions() const;
  // Whether all members name the same set of topics.
  bool all_subscriptions_equal() const;
  // Static members by instance id, then dynamic ones by member id (AbstractPartitionAssignor.MemberInfo, KIP-345): a
  // member that comes back under its instance id is at its old place, though its member id is a new one.
  std::vector<MemberIndex> static_members_first(const std::vector<MemberIndex>& which) const;
};

Table table_of(const std::vector<MemberSubscription>& members, const std::vector<TopicPartitions>& topics);

// KIP-54 and KIP-429 for members with one and the same subscription, and for all others.
struct StickyShares {
  Shares shares;
  std::vector<PartitionId> moving;  // given to another than the one who owns it
};
// What the members say they own, after contradictions.
struct Claims {
  std::vector<MemberIndex> owner;  // by partition
  std::vector<bool> disputed;      // by partition: claimed twice in one generation
  std::int32_t latest = -1;        // generation
};
Claims claims_of(const Table& table);
StickyShares sticky_constrained(const Table& table, const Claims& claims);
StickyShares sticky_general(const Table& table, const Claims& claims);

// Who has a partition in the present target assignment and still subscribes to it; by partition.
std::vector<MemberIndex> target_owners(const Table& table);
Shares uniform_homogeneous(const Table& table);
Shares uniform_heterogeneous(const Table& table);

Shares range(const Table& table);
Shares round_robin(const Table& table);
Shares sticky(const Table& table);
Shares cooperative_sticky(const Table& table);
Shares uniform(const Table& table);

}  // namespace mqlab::kafka::assignors
