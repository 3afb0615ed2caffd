#include "models/kafka/assignors.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "models/kafka/assign_table.h"

namespace mqlab::kafka {

namespace assignors {

bool Table::subscribes(MemberIndex m, TopicIndex t) const {
  const auto& all = subscriptions[static_cast<std::size_t>(m)];
  return std::binary_search(all.begin(), all.end(), t);
}

TopicIndex Table::topic_of(PartitionId p) const {
  const auto found =
      std::upper_bound(ends.begin(), ends.end(), p, [](PartitionId q, const auto& end) { return q < end.first; });
  if (found == ends.end()) return no_topic;
  return p >= topics[static_cast<std::size_t>(found->second)].first ? found->second : no_topic;
}

std::int32_t Table::number_of(PartitionId p) const {
  return static_cast<std::int32_t>(p - topics[static_cast<std::size_t>(topic_of(p))].first);
}

std::int32_t Table::partition_count() const {
  std::int32_t sum = 0;
  for (const TopicPartitions& t : topics) sum += t.partitions;
  return sum;
}

bool Table::before(PartitionId a, PartitionId b) const {
  return std::pair(topic_of(a), a) < std::pair(topic_of(b), b);
}

std::vector<PartitionId> Table::partitions() const {
  std::vector<PartitionId> all;
  for (const TopicPartitions& t : topics) {
    for (std::int32_t i = 0; i < t.partitions; ++i) all.push_back(t.first + static_cast<PartitionId>(i));
  }
  return all;
}

bool Table::all_subscriptions_equal() const {
  // The raw lists: a topic that does not exist (yet) makes two subscriptions differ as well.
  return std::all_of(members.begin(), members.end(), [&](const auto& m) { return m.topics == members.front().topics; });
}

std::vector<MemberIndex> Table::static_members_first(const std::vector<MemberIndex>& which) const {
  std::vector<MemberIndex> sorted = which;
  const auto key = [&](MemberIndex m) {
    const std::string& instance = members[static_cast<std::size_t>(m)].instance;
    return std::pair<bool, const std::string&>(instance.empty(), instance);
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](MemberIndex a, MemberIndex b) { return key(a) < key(b); });
  return sorted;
}

Table table_of(const std::vector<MemberSubscription>& members, const std::vector<TopicPartitions>& topics) {
  Table table;
  table.members = members;
  std::sort(table.members.begin(), table.members.end(),
            [](const auto& a, const auto& b) { return a.member < b.member; });
  for (const TopicPartitions& t : topics) {
    const bool wanted = std::any_of(members.begin(), members.end(), [&](const MemberSubscription& m) {
      return std::find(m.topics.begin(), m.topics.end(), t.topic) != m.topics.end();
    });
    if (wanted && t.partitions > 0) table.topics.push_back(t);
  }
  std::sort(table.topics.begin(), table.topics.end(), [](const auto& a, const auto& b) { return a.name < b.name; });

  table.subscriptions.resize(table.members.size());
  table.subscribers.resize(table.topics.size());
  for (std::size_t t = 0; t < table.topics.size(); ++t) {
    const TopicPartitions& topic = table.topics[t];
    table.ends.emplace_back(topic.first + static_cast<PartitionId>(topic.partitions), static_cast<TopicIndex>(t));
    for (std::size_t m = 0; m < table.members.size(); ++m) {
      const auto& wanted = table.members[m].topics;
      if (std::find(wanted.begin(), wanted.end(), topic.topic) == wanted.end()) continue;
      table.subscriptions[m].push_back(static_cast<TopicIndex>(t));
      table.subscribers[t].push_back(static_cast<MemberIndex>(m));
    }
  }
  std::sort(table.ends.begin(), table.ends.end());
  return table;
}

}  // namespace assignors

namespace {

assignors::Shares shares_of(AssignorKind kind, const assignors::Table& table) {
  switch (kind) {
    case AssignorKind::range: return assignors::range(table);
    case AssignorKind::round_robin: return assignors::round_robin(table);
    case AssignorKind::sticky: return assignors::sticky(table);
    case AssignorKind::cooperative_sticky: return assignors::cooperative_sticky(table);
    case AssignorKind::uniform: return assignors::uniform(table);
    case AssignorKind::server_range: return assignors::range(table);  // the same rule, another class
  }
  return {};
}

}  // namespace

Assignment assign(AssignorKind kind, const std::vector<MemberSubscription>& members,
                  const std::vector<TopicPartitions>& topics) {
  const assignors::Table table = assignors::table_of(members, topics);
  assignors::Shares shares = shares_of(kind, table);
  assert(shares.size() == table.members.size());
  Assignment answer;
  for (std::size_t m = 0; m < shares.size(); ++m) {
    std::sort(shares[m].begin(), shares[m].end());
    answer.emplace(table.members[m].member, std::move(shares[m]));
  }
  return answer;
}

const char* name(AssignorKind kind) {
  switch (kind) {
    case AssignorKind::range: return "range";
    case AssignorKind::round_robin: return "roundrobin";
    case AssignorKind::sticky: return "sticky";
    case AssignorKind::cooperative_sticky: return "cooperative-sticky";
    case AssignorKind::uniform: return "uniform";
    case AssignorKind::server_range: return "range";
  }
  return "unknown";
}

std::optional<AssignorKind> client_assignor_named(std::string_view wanted) {
  for (const AssignorKind k : {AssignorKind::range, AssignorKind::round_robin, AssignorKind::sticky,
                               AssignorKind::cooperative_sticky}) {
    if (wanted == name(k)) return k;
  }
  return std::nullopt;
}

std::optional<AssignorKind> server_assignor_named(std::string_view wanted) {
  for (const AssignorKind k : {AssignorKind::uniform, AssignorKind::server_range}) {
    if (wanted == name(k)) return k;
  }
  return std::nullopt;
}

}  // namespace mqlab::kafka
