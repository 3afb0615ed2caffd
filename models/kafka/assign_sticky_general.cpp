// The sticky assignors of the client when subscriptions differ (AbstractStickyAssignor.GeneralAssignmentBuilder).
//
// What is owned and still subscribed to stays; the rest goes to whoever has least; then single partitions move from
// members with more to members with less, as long as some pair is two or more apart. Two things hold the moves down:
// a partition that wants back to where another of its topic came from goes instead of it (Movements), and moves that
// did not pay in the end are all taken back.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "models/kafka/assign_table.h"

namespace mqlab::kafka::assignors {

namespace {

// The product has no bound: a move that takes back another's (Movements) may undo what it gained, and Kafka 4.3.1 was
// seen to exchange two partitions for ever, in one of 100,000 random groups. All others were done after six passes.
constexpr int passes_max = 100;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// Which partitions have moved from whom to whom (PartitionMovements).
class Movements {
 public:
  explicit Movements(const Table& t) : table(t) {}

  // Instead of moving `p` from a to b: take back one of its topic that went from b to a. The product takes any such
  // (a hash set); here it is the lowest.
  PartitionId instead_of(PartitionId p, MemberIndex source, MemberIndex target) const {
    const auto moved = route.find(p);
    if (moved != route.end()) source = moved->second.first;
    const auto reverse = by_route.find({table.topic_of(p), target, source});
    return reverse == by_route.end() ? p : *reverse->second.begin();
  }

  void move(PartitionId p, MemberIndex source, MemberIndex target) {
    const TopicIndex topic = table.topic_of(p);
    if (const auto before = route.find(p); before != route.end()) {
      source = before->second.first;
      const auto old = by_route.find({topic, source, before->second.second});
      old->second.erase(p);
      if (old->second.empty()) by_route.erase(old);
      route.erase(before);
      if (source == target) return;  // back where it was
    }
    route[p] = {source, target};
    by_route[{topic, source, target}].insert(p);
  }

 private:
  const Table& table;
  std::map<PartitionId, std::pair<MemberIndex, MemberIndex>> route;
  std::map<std::tuple<TopicIndex, MemberIndex, MemberIndex>, std::set<PartitionId>> by_route;
};

class General {
 public:
  General(const Table& t, const Claims& claims)
      : table(t), owner(claims.owner), earlier(t.partitions_end(), no_member), size(t.members.size()), movements(t) {
    // By how many could have it, then by name: the choosy come first.
    std::vector<TopicIndex> order(table.topics.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<TopicIndex>(i);
    std::stable_sort(order.begin(), order.end(), [&](TopicIndex a, TopicIndex b) {
      return table.subscribers[at(a)].size() < table.subscribers[at(b)].size();
    });
    for (const TopicIndex i : order) {
      const TopicPartitions& topic = table.topics[at(i)];
      for (std::int32_t n = 0; n < topic.partitions; ++n) all.push_back(topic.first + static_cast<PartitionId>(n));
    }
    remember_earlier_owners(claims.latest);
  }

  Shares run() {
    const std::vector<PartitionId> unassigned = drop_what_nobody_may_keep();
    for (std::size_t m = 0; m < size.size(); ++m) by_size.insert({size[m], static_cast<MemberIndex>(m)});
    const bool initial = by_size.rbegin()->first == 0;
    for (const PartitionId p : unassigned) give_to_the_least(p);

    // Only what more than one could have can move, and only between members whom that concerns.
    for (std::size_t m = 0; m < size.size(); ++m) {
      if (!can_take_part(static_cast<MemberIndex>(m))) by_size.erase({size[m], static_cast<MemberIndex>(m)});
    }
    const std::vector<MemberIndex> owner_before = owner;
    const std::int64_t imbalance_before = imbalance();
    if (!revocation) reassign(shared_ones(unassigned));
    const bool moved = reassign(shared_ones(all));
    if (!initial && moved && imbalance() >= imbalance_before) owner = owner_before;
    return shares();
  }

 private:
  // Claims of a generation before the latest: where a partition that has to move would rather go back to. The product
  // also sends it to a member that no longer subscribes to its topic; such a claim is passed over here.
  void remember_earlier_owners(std::int32_t latest) {
    std::vector<std::int32_t> generation(table.partitions_end(), -2);
    for (std::size_t m = 0; m < table.members.size(); ++m) {
      const MemberSubscription& member = table.members[m];
      if (member.generation >= latest) continue;
      for (const PartitionId p : member.owned) {
        const TopicIndex topic = table.topic_of(p);
        if (topic == no_topic || !table.subscribes(static_cast<MemberIndex>(m), topic)) continue;
        if (member.generation <= generation[p]) continue;
        generation[p] = member.generation;
        earlier[p] = static_cast<MemberIndex>(m);
      }
    }
  }

  std::vector<PartitionId> drop_what_nobody_may_keep() {
    std::vector<PartitionId> unassigned;
    for (const PartitionId p : all) {
      if (owner[p] != no_member && !table.subscribes(owner[p], table.topic_of(p))) {
        owner[p] = no_member;
        revocation = true;
      }
      if (owner[p] == no_member) {
        unassigned.push_back(p);
      } else {
        ++size[at(owner[p])];
      }
    }
    return unassigned;
  }

  void give_to_the_least(PartitionId p) {
    const MemberIndex m = least_subscriber(table.topic_of(p));
    set_size(m, size[at(m)] + 1);
    owner[p] = m;
  }

  MemberIndex least_subscriber(TopicIndex topic) const {
    for (const auto& [n, m] : by_size) {
      if (table.subscribes(m, topic)) return m;
    }
    return no_member;
  }

  void set_size(MemberIndex m, std::int32_t n) {
    by_size.erase({size[at(m)], m});
    size[at(m)] = n;
    by_size.insert({n, m});
  }

  bool shared(TopicIndex topic) const { return table.subscribers[at(topic)].size() > 1; }

  std::vector<PartitionId> shared_ones(const std::vector<PartitionId>& which) const {
    std::vector<PartitionId> some;
    for (const PartitionId p : which) {
      if (shared(table.topic_of(p))) some.push_back(p);
    }
    return some;
  }

  // A member has a part in it if it subscribes to a shared topic. (Without one it has all it can have.)
  bool can_take_part(MemberIndex m) const {
    const auto& topics = table.subscriptions[at(m)];
    return std::any_of(topics.begin(), topics.end(), [&](TopicIndex t) { return shared(t); });
  }

  // Nobody could get a partition from one who has at least two more.
  bool balanced() const {
    if (by_size.begin()->first >= by_size.rbegin()->first - 1) return true;
    for (const PartitionId p : all) {
      for (const MemberIndex m : table.subscribers[at(table.topic_of(p))]) {
        if (size[at(m)] + 1 < size[at(owner[p])]) return false;
      }
    }
    return true;
  }

  bool reassign(const std::vector<PartitionId>& which) {
    bool moved = false;
    bool again = true;
    for (int pass = 0; again && pass < passes_max; ++pass) {
      again = false;
      for (const PartitionId p : which) {
        if (balanced()) break;
        const MemberIndex target = better_owner(p);
        if (target == no_member) continue;
        move(p, target);
        again = moved = true;
      }
    }
    return moved;
  }

  // Where `p` had better be: with its earlier owner, or with the subscriber who has least; no_member: where it is.
  MemberIndex better_owner(PartitionId p) const {
    const std::int32_t here = size[at(owner[p])];
    if (earlier[p] != no_member && here > size[at(earlier[p])] + 1) return earlier[p];
    const MemberIndex least = least_subscriber(table.topic_of(p));
    return here > size[at(least)] + 1 ? least : no_member;
  }

  void move(PartitionId wanted, MemberIndex target) {
    const PartitionId p = movements.instead_of(wanted, owner[wanted], target);
    const MemberIndex source = owner[p];
    movements.move(p, source, target);
    set_size(source, size[at(source)] - 1);
    set_size(target, size[at(target)] + 1);
    owner[p] = target;
  }

  // The sum of the differences of all pairs of members that take part.
  std::int64_t imbalance() const {
    std::int64_t sum = 0;
    for (auto a = by_size.begin(); a != by_size.end(); ++a) {
      for (auto b = std::next(a); b != by_size.end(); ++b) sum += b->first - a->first;
    }
    return sum;
  }

  Shares shares() const {
    Shares answer(table.members.size());
    for (const PartitionId p : all) answer[at(owner[p])].push_back(p);
    return answer;
  }

  const Table& table;
  std::vector<MemberIndex> owner;                           // by partition
  std::vector<MemberIndex> earlier;                         // by partition: owner in an earlier generation
  std::vector<std::int32_t> size;                           // by member
  std::vector<PartitionId> all;                             // of the topics with few subscribers first
  std::set<std::pair<std::int32_t, MemberIndex>> by_size;   // those who take part
  bool revocation = false;                                  // somebody owned what it no longer subscribes to
  Movements movements;
};

bool says_it_owns(const MemberSubscription& member, PartitionId p) {
  return std::find(member.owned.begin(), member.owned.end(), p) != member.owned.end();
}

}  // namespace

StickyShares sticky_general(const Table& table, const Claims& claims) {
  if (table.topics.empty()) return {.shares = Shares(table.members.size()), .moving = {}};
  StickyShares result{.shares = General(table, claims).run(), .moving = {}};
  // CooperativeStickyAssignor.computePartitionsTransferringOwnership: new for the one and claimed by another.
  for (std::size_t m = 0; m < result.shares.size(); ++m) {
    for (const PartitionId p : result.shares[m]) {
      if (says_it_owns(table.members[m], p)) continue;
      const bool elsewhere = std::any_of(table.members.begin(), table.members.end(),
                                         [&](const MemberSubscription& other) { return says_it_owns(other, p); });
      if (elsewhere) result.moving.push_back(p);
    }
  }
  return result;
}

}  // namespace mqlab::kafka::assignors
