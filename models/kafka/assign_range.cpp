// The two assignors without a memory: range and round robin.
#include <cstddef>
#include <set>
#include <vector>

#include "models/kafka/assign_table.h"

namespace mqlab::kafka::assignors {

// RangeAssignor of the client and of the coordinator (one rule). Each topic is cut by itself into as many runs as it
// has subscribers; n % subscribers of them, always those of the first members, are longer by one. So topics with as
// many partitions and the same subscribers are cut at the same places: partition i of each goes to one member
// (co-partitioning). The price: the first members get the odd partition of every topic.
Shares range(const Table& table) {
  Shares shares(table.members.size());
  for (std::size_t t = 0; t < table.topics.size(); ++t) {
    const TopicPartitions& topic = table.topics[t];
    const auto consumers = table.static_members_first(table.subscribers[t]);
    const auto count = static_cast<std::int32_t>(consumers.size());
    const std::int32_t quota = topic.partitions / count;
    std::int32_t odd = topic.partitions % count;
    PartitionId next = topic.first;
    for (const MemberIndex m : consumers) {
      const std::int32_t length = quota + (odd > 0 ? 1 : 0);
      if (odd > 0) --odd;
      for (std::int32_t i = 0; i < length; ++i) shares[static_cast<std::size_t>(m)].push_back(next++);
    }
  }
  return shares;
}

// RoundRobinAssignor: all partitions, by topic name and number, go round the members; who does not subscribe is passed
// over, and the turn is then behind the one who took. With unequal subscriptions this may be far from balanced.
Shares round_robin(const Table& table) {
  Shares shares(table.members.size());
  std::vector<MemberIndex> all(table.members.size());
  for (std::size_t m = 0; m < all.size(); ++m) all[m] = static_cast<MemberIndex>(m);
  const auto circle = table.static_members_first(all);
  std::size_t turn = 0;
  for (const PartitionId p : table.partitions()) {
    const TopicIndex topic = table.topic_of(p);
    while (!table.subscribes(circle[turn], topic)) turn = (turn + 1) % circle.size();
    shares[static_cast<std::size_t>(circle[turn])].push_back(p);
    turn = (turn + 1) % circle.size();
  }
  return shares;
}

}  // namespace mqlab::kafka::assignors
