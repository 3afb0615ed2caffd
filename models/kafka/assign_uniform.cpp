// The uniform assignor of the coordinator (KIP-848): who keeps what, and the case of equal subscriptions.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "models/kafka/assign_table.h"

namespace mqlab::kafka::assignors {

// A target assignment never gives a partition twice; should the input do so, the first member has it.
std::vector<MemberIndex> target_owners(const Table& table) {
  std::vector<MemberIndex> owner(table.partitions_end(), no_member);
  for (std::size_t m = 0; m < table.members.size(); ++m) {
    for (const PartitionId p : table.members[m].owned) {
      const TopicIndex topic = table.topic_of(p);
      if (topic == no_topic || !table.subscribes(static_cast<MemberIndex>(m), topic)) continue;
      if (owner[p] == no_member) owner[p] = static_cast<MemberIndex>(m);
    }
  }
  return owner;
}

// UniformHomogeneousAssignmentBuilder. With n members and a remainder of r partitions, r members get one more than the
// others: whoever has one more already, as long as there are places; else the last ones. (By id here; the product walks
// its hash maps of members and topics. In an earlier version of the class the places went to the first members,
// whatever they had.)
Shares uniform_homogeneous(const Table& table) {
  Shares shares(table.members.size());
  if (table.topics.empty()) return shares;
  const auto members = static_cast<std::int32_t>(table.members.size());
  const auto quota = static_cast<std::size_t>(table.partition_count() / members);
  std::int32_t places = table.partition_count() % members;

  const std::vector<MemberIndex> owner = target_owners(table);
  std::vector<PartitionId> unassigned;
  for (const PartitionId p : table.partitions()) {
    if (owner[p] == no_member) {
      unassigned.push_back(p);
    } else {
      shares[static_cast<std::size_t>(owner[p])].push_back(p);
    }
  }
  // What is too much goes behind what had nobody.
  std::vector<std::size_t> goal(shares.size(), quota);
  for (std::int32_t m = 0; m < members; ++m) {
    auto& share = shares[static_cast<std::size_t>(m)];
    const bool all_that_are_left = members - m <= places;
    if (places > 0 && (share.size() > quota || all_that_are_left)) {
      ++goal[static_cast<std::size_t>(m)];
      --places;
    }
    const std::size_t keep = std::min(share.size(), goal[static_cast<std::size_t>(m)]);
    unassigned.insert(unassigned.end(), share.begin() + static_cast<std::ptrdiff_t>(keep), share.end());
    share.resize(keep);
  }
  auto next = unassigned.begin();
  for (std::size_t m = 0; m < shares.size(); ++m) {
    while (shares[m].size() < goal[m] && next != unassigned.end()) shares[m].push_back(*next++);
  }
  return shares;
}

Shares uniform(const Table& table) {
  return table.all_subscriptions_equal() ? uniform_homogeneous(table) : uniform_heterogeneous(table);
}

}  // namespace mqlab::kafka::assignors
