// The sticky assignors of the client (AbstractStickyAssignor): whom to believe, and the case of equal subscriptions.
#include <algorithm>
#include <cstddef>
#include <deque>
#include <vector>

#include "models/kafka/assign_table.h"

namespace mqlab::kafka::assignors {

// A partition may be claimed twice: a member that slept through a rebalance still says what it had. The later
// generation is believed; in one and the same generation nobody is (allSubscriptionsEqual, KAFKA-12984).
Claims claims_of(const Table& table) {
  Claims claims{.owner = std::vector<MemberIndex>(table.partitions_end(), no_member),
                .disputed = std::vector<bool>(table.partitions_end()),
                .latest = -1};
  std::vector<MemberIndex> spoke_last(table.partitions_end(), no_member);
  for (std::size_t m = 0; m < table.members.size(); ++m) {
    const MemberSubscription& member = table.members[m];
    claims.latest = std::max(claims.latest, member.generation);
    for (const PartitionId p : member.owned) {
      if (table.topic_of(p) == no_topic) continue;
      const MemberIndex other = spoke_last[p];
      const std::int32_t theirs = other == no_member ? -2 : table.members[static_cast<std::size_t>(other)].generation;
      if (member.generation < theirs) continue;
      const bool same = member.generation == theirs;
      if (same) claims.disputed[p] = true;
      claims.owner[p] = same ? no_member : static_cast<MemberIndex>(m);
      spoke_last[p] = static_cast<MemberIndex>(m);
    }
  }
  return claims;
}

namespace {

// Members on their way to the quota. With n members and so many partitions that some must have one more than others,
// `more_expected` members end at `quota` + 1.
class Constrained {
 public:
  Constrained(const Table& t, const Claims& c)
      : table(t), claims(c), result{.shares = Shares(t.members.size()), .moving = {}}, kept(t.partitions_end()) {
    const auto members = static_cast<std::int32_t>(table.members.size());
    quota = static_cast<std::size_t>(table.partition_count() / members);
    more_expected = table.partition_count() % members;
  }

  StickyShares run() {
    for (std::size_t m = 0; m < table.members.size(); ++m) keep_owned(static_cast<MemberIndex>(m));
    deal_out_the_rest();
    return std::move(result);
  }

 private:
  // What a member gives up goes by number first, so that the surplus is spread over its topics. Who comes first by id
  // may keep one more; in the product the order is that of a hash map.
  void keep_owned(MemberIndex m) {
    std::vector<PartitionId> owned = owned_by(m);
    if (owned.size() < quota) {
      below.push_back(m);
    } else if (owned.size() > quota && more < more_expected) {
      owned.resize(quota + 1);
      ++more;
    } else {
      owned.resize(quota);
      at_quota.push_back(m);
    }
    for (const PartitionId p : owned) kept[p] = true;
    result.shares[static_cast<std::size_t>(m)] = std::move(owned);
  }

  std::vector<PartitionId> owned_by(MemberIndex m) const {
    std::vector<PartitionId> owned;
    for (const PartitionId p : table.partitions()) {
      if (claims.owner[p] == m && !claims.disputed[p]) owned.push_back(p);
    }
    std::stable_sort(owned.begin(), owned.end(),
                     [&](PartitionId a, PartitionId b) { return table.number_of(a) < table.number_of(b); });
    return owned;
  }

  // In turn to those below the quota, each until it is there; then one each to those at it, in the order they came.
  void deal_out_the_rest() {
    std::size_t turn = 0;
    for (const PartitionId p : table.partitions()) {
      if (kept[p]) continue;
      if (below.empty()) {
        give(p, at_quota.front());
        at_quota.pop_front();
        continue;
      }
      if (turn >= below.size()) turn = 0;
      const MemberIndex m = below[turn];
      give(p, m);
      if (result.shares[static_cast<std::size_t>(m)].size() < quota) {
        ++turn;
      } else {
        below.erase(below.begin() + static_cast<std::ptrdiff_t>(turn));
        at_quota.push_back(m);
      }
    }
  }

  void give(PartitionId p, MemberIndex m) {
    result.shares[static_cast<std::size_t>(m)].push_back(p);
    const MemberIndex owner = claims.owner[p];
    if (claims.disputed[p] || (owner != no_member && owner != m)) result.moving.push_back(p);
  }

  const Table& table;
  const Claims& claims;
  StickyShares result;
  std::vector<bool> kept;           // by partition
  std::size_t quota = 0;            // what everybody gets at least
  std::int32_t more_expected = 0;   // so many get one more
  std::int32_t more = 0;            // so many keep one more of their own
  std::vector<MemberIndex> below;   // the quota; by id
  std::deque<MemberIndex> at_quota;  // and may get one more
};

StickyShares sticky_shares(const Table& table) {
  const Claims claims = claims_of(table);
  return table.all_subscriptions_equal() ? sticky_constrained(table, claims) : sticky_general(table, claims);
}

}  // namespace

StickyShares sticky_constrained(const Table& table, const Claims& claims) {
  if (table.members.empty()) return {};
  return Constrained(table, claims).run();
}

Shares sticky(const Table& table) { return sticky_shares(table).shares; }

// KIP-429: what moves is in nobody's assignment this time. Its owner sees it missing, revokes it and joins again; in
// that next round nobody claims it, and it is given out.
Shares cooperative_sticky(const Table& table) {
  StickyShares result = sticky_shares(table);
  std::sort(result.moving.begin(), result.moving.end());
  for (auto& share : result.shares) {
    std::erase_if(share, [&](PartitionId p) {
      return std::binary_search(result.moving.begin(), result.moving.end(), p);
    });
  }
  return std::move(result.shares);
}

}  // namespace mqlab::kafka::assignors
