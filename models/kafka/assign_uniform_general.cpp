// The uniform assignor of the coordinator when subscriptions differ (UniformHeterogeneousAssignmentBuilder).
//
// What is owned and still subscribed to stays; the rest goes, topic by topic, to the subscribers with least; then each
// topic moves partitions from its subscribers with most to those with least until they are within one of each other,
// round and round over the topics until a whole round moves nothing. A topic sees its own subscribers only, so a chain
// of members who share topics in pairs may end with more than one between its ends: as in the product.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "models/kafka/assign_table.h"

namespace mqlab::kafka::assignors {

namespace {

constexpr int rounds_max = 16;  // MAX_ITERATION_COUNT

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// The subscribers of one topic by size, seen as a skyline from both ends: a low plateau that is filled member by member
// and then rises by one and takes in the next as high, and a high plateau that is worn down likewise.
class Skyline {
 public:
  // `size` is the load of every member, kept up to date by the caller.
  Skyline(const std::vector<MemberIndex>& subscribers, const std::vector<std::int32_t>& s)
      : size(s), members(subscribers), high_begin(count()), high_end(count()), next_high(count() - 1) {
    std::stable_sort(members.begin(), members.end(),
                     [&](MemberIndex a, MemberIndex b) { return size[at(a)] < size[at(b)]; });
    low_level = height(0) - 1;
    high_level = height(count() - 1) + 1;
  }

  bool even() const { return high_level - low_level <= 1; }
  std::int32_t difference() const { return height(count() - 1) - height(0); }

  // Who is to get the next partition.
  MemberIndex take_low() {
    if (next_low >= low_end) {
      ++low_level;
      while (low_end < count() && height(low_end) == low_level) ++low_end;
      next_low = 0;
    }
    return members[at(next_low++)];
  }

  // Who is to give the next partition, or no_member when nobody can.
  MemberIndex take_high() {
    if (next_high < high_begin) {
      // With everybody of the plateau struck out it starts again at whoever is next.
      const bool gone = high_end <= high_begin && high_begin > 0;
      high_level = gone ? height(high_begin - 1) : high_level - 1;
      while (high_begin > 0 && height(high_begin - 1) == high_level) --high_begin;
      next_high = high_end - 1;
    }
    return next_high < 0 ? no_member : members[at(next_high--)];
  }

  // The member last taken from the high end has nothing of this topic to give: it changes places with the last one.
  void strike_out() {
    std::swap(members[at(next_high + 1)], members[at(high_end - 1)]);
    --high_end;
  }

 private:
  std::int32_t count() const { return static_cast<std::int32_t>(members.size()); }
  std::int32_t height(std::int32_t i) const { return size[at(members[at(i)])]; }

  const std::vector<std::int32_t>& size;
  std::vector<MemberIndex> members;
  std::int32_t low_end = 0;  // [0, low_end) stood at low_level when it was taken in
  std::int32_t low_level = 0;
  std::int32_t next_low = 0;
  std::int32_t high_begin;  // [high_begin, high_end) likewise, taken from the back
  std::int32_t high_end;
  std::int32_t high_level = 0;
  std::int32_t next_high;
};

class Heterogeneous {
 public:
  explicit Heterogeneous(const Table& t) : table(t), owner(target_owners(t)), size(t.members.size()) {
    for (const MemberIndex m : owner) {
      if (m != no_member) ++size[at(m)];
    }
    // By partitions for each subscriber, most first; then few subscribers first; then by name (the product: by topic
    // id, which is drawn at random when the topic is made).
    for (std::size_t i = 0; i < table.topics.size(); ++i) order.push_back(static_cast<TopicIndex>(i));
    std::stable_sort(order.begin(), order.end(), [&](TopicIndex a, TopicIndex b) {
      const auto subscribers_a = static_cast<std::int64_t>(table.subscribers[at(a)].size());
      const auto subscribers_b = static_cast<std::int64_t>(table.subscribers[at(b)].size());
      const std::int64_t weight_a = table.topics[at(a)].partitions * subscribers_b;
      const std::int64_t weight_b = table.topics[at(b)].partitions * subscribers_a;
      return weight_a != weight_b ? weight_a > weight_b : subscribers_a < subscribers_b;
    });
  }

  Shares run() {
    for (const TopicIndex topic : order) hand_out(topic);
    balance();
    Shares shares(table.members.size());
    for (const PartitionId p : table.partitions()) shares[at(owner[p])].push_back(p);
    return shares;
  }

 private:
  void hand_out(TopicIndex topic) {
    Skyline skyline(table.subscribers[at(topic)], size);
    for (const PartitionId p : partitions_of(topic)) {
      if (owner[p] == no_member) give(p, skyline.take_low());
    }
  }

  void balance() {
    std::vector<TopicIndex> shared;
    for (const TopicIndex t : order) {
      if (table.subscribers[at(t)].size() > 1) shared.push_back(t);
    }
    // Done when the topic that moved something last comes round again.
    TopicIndex last = no_topic;
    for (int round = 0; round < rounds_max; ++round) {
      for (const TopicIndex topic : shared) {
        if (topic == last) return;
        if (balance(topic) > 0 || last == no_topic) last = topic;
      }
    }
  }

  // How many partitions of the topic moved.
  int balance(TopicIndex topic) {
    Skyline skyline(table.subscribers[at(topic)], size);
    if (skyline.difference() <= 1) return 0;
    Shares owned(table.members.size());  // of this topic; what comes in does not go out again
    for (const PartitionId p : partitions_of(topic)) owned[at(owner[p])].push_back(p);

    int moved = 0;
    while (true) {
      MemberIndex source = skyline.take_high();
      while (source != no_member && owned[at(source)].empty()) {
        skyline.strike_out();
        source = skyline.take_high();
      }
      if (source == no_member) return moved;
      const PartitionId p = owned[at(source)].back();
      owned[at(source)].pop_back();
      const MemberIndex target = skyline.take_low();
      if (skyline.even()) return moved;
      give(p, target);
      ++moved;
    }
  }

  void give(PartitionId p, MemberIndex m) {
    if (owner[p] != no_member) --size[at(owner[p])];
    owner[p] = m;
    ++size[at(m)];
  }

  std::vector<PartitionId> partitions_of(TopicIndex topic) const {
    std::vector<PartitionId> some;
    const TopicPartitions& t = table.topics[at(topic)];
    for (std::int32_t i = 0; i < t.partitions; ++i) some.push_back(t.first + static_cast<PartitionId>(i));
    return some;
  }

  const Table& table;
  std::vector<MemberIndex> owner;   // by partition
  std::vector<std::int32_t> size;   // by member
  std::vector<TopicIndex> order;
};

}  // namespace

Shares uniform_heterogeneous(const Table& table) { return Heterogeneous(table).run(); }

}  // namespace mqlab::kafka::assignors
