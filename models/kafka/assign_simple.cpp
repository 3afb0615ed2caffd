// The assignor of share groups.
#include "models/kafka/assign_simple.h"

#include <algorithm>
#include <set>

namespace mqlab::kafka {
namespace {

using Members = std::vector<std::string>;
using Given = std::map<std::string, std::set<PartitionId>>;  // what each member has of the partitions at hand

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Deals these partitions out to these members, both ascending; `given` is what they have of them now.
class Dealer {
 public:
  Dealer(const Members& members, const std::vector<PartitionId>& partitions, Given& given)
      : members_(members), partitions_(partitions), given_(given) {
    const auto n = static_cast<std::int64_t>(partitions.size());
    const auto m = static_cast<std::int64_t>(members.size());
    sharing_ = n == 0 || m == 0 ? 0 : static_cast<std::size_t>(ceil_div(m, n));
    const std::int64_t all = static_cast<std::int64_t>(sharing_) * n;
    for (std::int64_t i = 0; i < m; ++i)
      wanted_[members[static_cast<std::size_t>(i)]] = static_cast<std::size_t>(ceil_div(all * (i + 1), m) - ceil_div(all * i, m));
    for (const PartitionId p : partitions) readers_[p];
    for (const auto& [member, has] : given)
      for (const PartitionId p : has) readers_[p].insert(member);
  }

  void deal() {
    take_from_overfilled_members();
    take_from_overshared_partitions();
    give_the_rest();
  }

 private:
  void take(const std::string& member, PartitionId p) {
    given_[member].erase(p);
    readers_[p].erase(member);
  }

  void take_from_overfilled_members() {
    for (auto& [member, has] : given_)
      while (has.size() > wanted_[member]) take(member, *has.begin());
  }

  void take_from_overshared_partitions() {
    for (auto& [p, readers] : readers_)
      while (readers.size() > sharing_) take(std::string(*readers.begin()), p);
  }

  void give_the_rest() {
    std::vector<std::string> unfilled;
    for (const std::string& m : members_)
      if (given_[m].size() < wanted_[m]) unfilled.push_back(m);
    std::size_t next = 0;
    bool gave = false;  // ... since the round began
    for (const PartitionId p : partitions_) {
      for (std::size_t missing = sharing_ - std::min(sharing_, readers_[p].size()); missing > 0 && !unfilled.empty();) {
        if (next >= unfilled.size()) {
          if (!gave) break;
          next = 0;
          gave = false;
        }
        const std::string& m = unfilled[next];
        if (readers_[p].count(m)) {
          ++next;
          continue;
        }
        // A partition that comes to a member twice in a round counts twice, as in the product.
        given_[m].insert(p);
        --missing;
        gave = true;
        if (given_[m].size() < wanted_[m]) ++next;
        else unfilled.erase(unfilled.begin() + static_cast<std::ptrdiff_t>(next));
      }
    }
  }

  const Members& members_;
  const std::vector<PartitionId>& partitions_;
  Given& given_;
  std::size_t sharing_ = 0;                      // readers that a partition shall have
  std::map<std::string, std::size_t> wanted_;    // partitions that a member shall have
  std::map<PartitionId, std::set<std::string>> readers_;
};

bool subscribes(const MemberSubscription& m, std::int32_t topic) {
  return std::find(m.topics.begin(), m.topics.end(), topic) != m.topics.end();
}

}  // namespace

Assignment assign_simple(const std::vector<MemberSubscription>& members, const std::vector<TopicPartitions>& topics) {
  std::map<std::string, const MemberSubscription*> by_id;
  for (const MemberSubscription& m : members) by_id[m.member] = &m;
  std::map<std::string, const TopicPartitions*> by_name;
  for (const TopicPartitions& t : topics)
    if (std::any_of(members.begin(), members.end(), [&](const MemberSubscription& m) { return subscribes(m, t.topic); })) by_name[t.name] = &t;
  const bool alike = std::all_of(members.begin(), members.end(), [&](const MemberSubscription& m) { return m.topics == members.front().topics; });

  // Members who all read the same share all topics as if they were one; otherwise each topic is dealt out by itself.
  std::vector<std::vector<const TopicPartitions*>> portions;
  for (const auto& [name, t] : by_name) {
    if (portions.empty() || !alike) portions.emplace_back();
    portions.back().push_back(t);
  }
  Assignment out;
  for (const auto& [id, m] : by_id) out[id];
  for (const auto& portion : portions) {
    std::vector<PartitionId> partitions;
    for (const TopicPartitions* t : portion)
      for (std::int32_t i = 0; i < t->partitions; ++i) partitions.push_back(t->first + static_cast<PartitionId>(i));
    Members who;
    Given given;
    for (const auto& [id, m] : by_id) {
      if (!subscribes(*m, portion.front()->topic)) continue;
      who.push_back(id);
      for (const PartitionId p : m->owned)
        if (std::find(partitions.begin(), partitions.end(), p) != partitions.end()) given[id].insert(p);
    }
    Dealer(who, partitions, given).deal();
    for (const auto& [id, has] : given) out[id].insert(out[id].end(), has.begin(), has.end());
  }
  for (auto& [id, has] : out) std::sort(has.begin(), has.end());
  return out;
}

}  // namespace mqlab::kafka
