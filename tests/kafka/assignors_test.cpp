// The partition assignors of consumer groups: their documented examples, the recorded answers of Kafka 4.3.1, and what
// they promise whatever the group looks like.
#include "models/kafka/assignors.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mqlab::kafka {
namespace {

using Partitions = std::vector<PartitionId>;
using Members = std::vector<MemberSubscription>;
using Topics = std::vector<TopicPartitions>;

Topics two_topics(std::int32_t partitions) {
  return {{.topic = 0, .name = "t0", .first = 0, .partitions = partitions},
          {.topic = 1, .name = "t1", .first = static_cast<PartitionId>(partitions), .partitions = partitions}};
}

Topics one_topic(std::int32_t partitions) {
  return {{.topic = 0, .name = "t0", .first = 0, .partitions = partitions}};
}

// The members as they come to the next round: with what they were given, in the next generation.
Members next_round(Members members, const Assignment& given) {
  for (MemberSubscription& m : members) {
    m.owned = given.at(m.member);
    ++m.generation;
  }
  return members;
}

// The example of RangeAssignor's documentation: the first member has the odd partition of both topics.
TEST(KafkaAssignors, RangeCutsEachTopicByItself) {
  for (const AssignorKind kind : {AssignorKind::range, AssignorKind::server_range}) {
    const Assignment a =
        assign(kind, {{.member = "C0", .topics = {0, 1}}, {.member = "C1", .topics = {0, 1}}}, two_topics(3));
    EXPECT_EQ(a.at("C0"), (Partitions{0, 1, 3, 4}));
    EXPECT_EQ(a.at("C1"), (Partitions{2, 5}));
  }
}

// KIP-345: a static member keeps its place though it comes back under another member id.
TEST(KafkaAssignors, RangeOrdersByInstanceIdSoThatARollingBounceMovesNothing) {
  const Assignment a = assign(AssignorKind::range,
                              {{.member = "C3", .instance = "I0", .topics = {0, 1}},
                               {.member = "C2", .instance = "I1", .topics = {0, 1}},
                               {.member = "C1", .topics = {0, 1}}},
                              two_topics(3));
  EXPECT_EQ(a.at("C3"), (Partitions{0, 3}));
  EXPECT_EQ(a.at("C2"), (Partitions{1, 4}));
  EXPECT_EQ(a.at("C1"), (Partitions{2, 5})) << "dynamic members come behind the static ones";
}

// The example of RoundRobinAssignor's documentation: t0 of one, t1 of two, t2 of three partitions.
TEST(KafkaAssignors, RoundRobinDealsOutInTurnAndPassesOverWhoDoesNotSubscribe) {
  const Topics topics{{.topic = 0, .name = "t0", .first = 0, .partitions = 1},
                      {.topic = 1, .name = "t1", .first = 1, .partitions = 2},
                      {.topic = 2, .name = "t2", .first = 3, .partitions = 3}};
  const Members members{
      {.member = "C0", .topics = {0}}, {.member = "C1", .topics = {0, 1}}, {.member = "C2", .topics = {0, 1, 2}}};
  const Assignment a = assign(AssignorKind::round_robin, members, topics);
  EXPECT_EQ(a.at("C0"), (Partitions{0}));
  EXPECT_EQ(a.at("C1"), (Partitions{1}));
  EXPECT_EQ(a.at("C2"), (Partitions{2, 3, 4, 5}));

  // KIP-54, example 2: the same group is better balanced by the sticky assignor.
  const Assignment b = assign(AssignorKind::sticky, members, topics);
  EXPECT_EQ(b.at("C0"), (Partitions{0}));
  EXPECT_EQ(b.at("C1"), (Partitions{1, 2}));
  EXPECT_EQ(b.at("C2"), (Partitions{3, 4, 5}));
}

// KIP-54: a member leaves; what the others have stays with them. Round robin would deal out anew.
TEST(KafkaAssignors, StickyMovesOnlyWhatLostItsOwner) {
  const Assignment a = assign(AssignorKind::sticky,
                              {{.member = "C0", .topics = {0}, .owned = {0, 3}, .generation = 7},
                               {.member = "C2", .topics = {0}, .owned = {2, 5}, .generation = 7}},
                              one_topic(6));
  EXPECT_EQ(a.at("C0"), (Partitions{0, 1, 3}));
  EXPECT_EQ(a.at("C2"), (Partitions{2, 4, 5}));
}

// KIP-429: a member joins. Round one only takes away; round two gives.
TEST(KafkaAssignors, CooperativeTakesAwayFirstAndGivesInTheNextRound) {
  const Members members{{.member = "C0", .topics = {0}, .owned = {0, 1, 2}, .generation = 1},
                        {.member = "C1", .topics = {0}}};
  const Assignment first = assign(AssignorKind::cooperative_sticky, members, one_topic(3));
  EXPECT_EQ(first.at("C0"), (Partitions{0, 1}));
  EXPECT_EQ(first.at("C1"), (Partitions{})) << "C0 still reads partition 2";

  const Assignment second = assign(AssignorKind::cooperative_sticky, next_round(members, first), one_topic(3));
  EXPECT_EQ(second.at("C0"), (Partitions{0, 1}));
  EXPECT_EQ(second.at("C1"), (Partitions{2}));

  EXPECT_EQ(assign(AssignorKind::sticky, members, one_topic(3)).at("C1"), (Partitions{2})) << "eager: at once";
}

// AbstractStickyAssignor.allSubscriptionsEqual: a member that slept through a generation is not believed; two of the
// same generation cancel each other out.
TEST(KafkaAssignors, OfTwoClaimsTheLaterGenerationIsBelieved) {
  const auto claim = [](std::int32_t a, std::int32_t b) {
    return assign(AssignorKind::cooperative_sticky,
                  {{.member = "C0", .topics = {0}, .owned = {0}, .generation = a},
                   {.member = "C1", .topics = {0}, .owned = {0}, .generation = b},
                   {.member = "C2", .topics = {0}}},
                  one_topic(1));
  };
  EXPECT_EQ(claim(4, 5).at("C1"), (Partitions{0}));
  EXPECT_EQ(claim(5, 4).at("C0"), (Partitions{0}));
  for (const auto& [member, partitions] : claim(5, 5)) EXPECT_TRUE(partitions.empty()) << member;
}

// UniformHomogeneousAssignmentBuilder of 4.3: who has one more keeps it; with nothing to keep, the last ones get it.
TEST(KafkaAssignors, UniformLeavesTheOddPartitionWhereItIs) {
  const Members members{{.member = "C0", .topics = {0}, .owned = {0, 1}, .generation = 1},
                        {.member = "C1", .topics = {0}, .owned = {2}, .generation = 1}};
  EXPECT_EQ(assign(AssignorKind::uniform, members, one_topic(3)).at("C0"), (Partitions{0, 1}));
  const Members anew{{.member = "C0", .topics = {0}}, {.member = "C1", .topics = {0}}};
  EXPECT_EQ(assign(AssignorKind::uniform, anew, one_topic(3)).at("C0"), (Partitions{0}));
  EXPECT_EQ(assign(AssignorKind::sticky, anew, one_topic(3)).at("C0"), (Partitions{0, 2})) << "the client: the first";
}

// Where AbstractStickyAssignor 4.3.1 goes wrong, and this does not: a claim of an earlier generation to a topic that
// the member has since left. There it can be given a partition of that topic back (seen here: "l" gets 64 or 65).
TEST(KafkaAssignors, AnEarlierClaimToATopicLeftBehindIsPassedOver) {
  const Topics topics{{.topic = 0, .name = "H", .first = 0, .partitions = 4},
                      {.topic = 1, .name = "G", .first = 64, .partitions = 2},
                      {.topic = 2, .name = "F", .first = 128, .partitions = 12}};
  const Members members{{.member = "d", .topics = {0, 1}, .owned = {0}, .generation = 2},
                        {.member = "o", .topics = {0, 2}, .owned = {129, 131, 134, 137}, .generation = 2},
                        {.member = "g", .topics = {0, 1, 2}, .owned = {64, 65, 133, 136, 139}, .generation = 2},
                        {.member = "e", .topics = {0, 2}, .owned = {128, 130, 132, 135, 138}, .generation = 2},
                        {.member = "l", .topics = {0}, .owned = {1, 64}, .generation = 1}};
  const Assignment a = assign(AssignorKind::sticky, members, topics);
  for (const PartitionId p : a.at("l")) EXPECT_LT(p, 64U);
}

// A group over which AbstractStickyAssignor 4.3.1 never comes to an end (found by random groups; its leader would be
// thrown out at max.poll.interval.ms, and the next leader would go the same way). Here the exchange is cut short.
TEST(KafkaAssignors, AnExchangeWithoutEndIsCutShort) {
  const Topics topics{{.topic = 0, .name = "F", .first = 0, .partitions = 3},
                      {.topic = 1, .name = "D", .first = 64, .partitions = 1},
                      {.topic = 2, .name = "B", .first = 128, .partitions = 1},
                      {.topic = 3, .name = "G", .first = 192, .partitions = 19},
                      {.topic = 4, .name = "C", .first = 256, .partitions = 6}};
  Partitions most(19);
  std::iota(most.begin(), most.end(), PartitionId{192});
  const Members members{{.member = "n", .topics = {0, 1, 2, 3}},
                        {.member = "l", .topics = {1, 4}, .owned = {64}, .generation = 1},
                        {.member = "k", .topics = {0, 1, 4}, .owned = {0, 2, 257, 259, 261}, .generation = 1},
                        {.member = "f", .topics = {1, 2, 3}},
                        {.member = "i", .topics = {1, 3, 4}, .owned = most, .generation = 1},
                        {.member = "m", .topics = {0, 1, 4}, .owned = {1, 256, 258, 260}, .generation = 1}};
  std::size_t given = 0;
  for (const auto& [member, partitions] : assign(AssignorKind::sticky, members, topics)) given += partitions.size();
  EXPECT_EQ(given, 30U);
}

TEST(KafkaAssignors, NobodyAndNothingAreFine) {
  for (const AssignorKind kind :
       {AssignorKind::range, AssignorKind::round_robin, AssignorKind::sticky, AssignorKind::cooperative_sticky,
        AssignorKind::uniform, AssignorKind::server_range}) {
    EXPECT_TRUE(assign(kind, {}, one_topic(3)).empty());
    EXPECT_EQ(assign(kind, {{.member = "C0"}}, one_topic(3)).at("C0"), (Partitions{}));
    EXPECT_EQ(assign(kind, {{.member = "C0"}, {.member = "C1", .topics = {0}}}, {}).at("C1"), (Partitions{}));
    EXPECT_EQ(assign(kind, {{.member = "C0"}, {.member = "C1", .topics = {0}}}, one_topic(2)).at("C1"),
              (Partitions{0, 1}));
  }
}

TEST(KafkaAssignors, NamesAreTheProducts) {
  EXPECT_EQ(client_assignor_named("cooperative-sticky"), AssignorKind::cooperative_sticky);
  EXPECT_EQ(client_assignor_named("range"), AssignorKind::range);
  EXPECT_EQ(server_assignor_named("range"), AssignorKind::server_range);
  EXPECT_EQ(client_assignor_named("uniform"), std::nullopt);
  EXPECT_EQ(server_assignor_named("sticky"), std::nullopt);
}

// Recorded answers ------------------------------------------------------------------------------------------------

// k: assignor; n: one letter a topic, its name; p: partitions of each; m: members as [id, instance id, topics, owned,
// generation, answer]; partition numbers are topic * stride + number. h: the answer changed when topics were renamed
// without changing their order, so a hash set decided which of several partitions moved. Members are single letters,
// whose hash order is their order.
struct Recorded {
  AssignorKind kind{};
  bool hash_decided = false;
  Members members{};
  Topics topics{};
  Assignment answer{};
};

Recorded recorded(const nlohmann::json& one, std::int32_t stride) {
  Recorded r;
  const auto kind = one.at("k").get<std::string>();
  r.kind = kind == "server-range" ? AssignorKind::server_range
           : kind == "uniform"    ? AssignorKind::uniform
                                  : client_assignor_named(kind).value();
  r.hash_decided = one.contains("h");
  const auto names = one.at("n").get<std::string>();
  for (std::size_t t = 0; t < names.size(); ++t) {
    r.topics.push_back({.topic = static_cast<std::int32_t>(t),
                        .name = names.substr(t, 1),
                        .first = static_cast<PartitionId>(static_cast<std::int32_t>(t) * stride),
                        .partitions = one.at("p").at(t).get<std::int32_t>()});
  }
  for (const auto& m : one.at("m")) {
    r.members.push_back({.member = m.at(0).get<std::string>(),
                         .instance = m.at(1).get<std::string>(),
                         .topics = m.at(2).get<std::vector<std::int32_t>>(),
                         .owned = m.at(3).get<Partitions>(),
                         .generation = m.at(4).get<std::int32_t>()});
    r.answer[r.members.back().member] = m.at(5).get<Partitions>();
  }
  return r;
}

std::vector<std::size_t> sizes(const Assignment& a) {
  std::vector<std::size_t> all;
  for (const auto& [member, partitions] : a) all.push_back(partitions.size());
  std::sort(all.begin(), all.end());
  return all;
}

std::size_t kept(const Members& members, const Assignment& a) {
  std::size_t sum = 0;
  for (const MemberSubscription& m : members) {
    for (const PartitionId p : a.at(m.member)) {
      if (std::find(m.owned.begin(), m.owned.end(), p) != m.owned.end()) ++sum;
    }
  }
  return sum;
}

TEST(KafkaAssignors, EveryRecordedAnswerOfKafka) {
  std::ifstream file(std::string(MQLAB_SOURCE_DIR) + "/tests/kafka/data/assignors-4.3.1.json");
  ASSERT_TRUE(file.is_open());
  const auto data = nlohmann::json::parse(file);
  const auto stride = data.at("stride").get<std::int32_t>();
  std::map<AssignorKind, std::size_t> exact;
  std::size_t hash_decided = 0;
  for (const auto& one : data.at("cases")) {
    const Recorded r = recorded(one, stride);
    const Assignment ours = assign(r.kind, r.members, r.topics);
    if (!r.hash_decided) {
      ++exact[r.kind];
      EXPECT_EQ(ours, r.answer) << one.dump();
    } else {
      ++hash_decided;
      EXPECT_EQ(sizes(ours), sizes(r.answer)) << one.dump();
      EXPECT_EQ(kept(r.members, ours), kept(r.members, r.answer)) << one.dump();
    }
  }
  EXPECT_EQ(exact.size(), 6U);
  for (const auto& [kind, count] : exact) EXPECT_GE(count, 40U) << name(kind);
  EXPECT_EQ(hash_decided, data.at("hash_decided").get<std::size_t>());
}

// Promises --------------------------------------------------------------------------------------------------------

constexpr AssignorKind all_kinds[] = {AssignorKind::range,  AssignorKind::round_robin, AssignorKind::sticky,
                                      AssignorKind::cooperative_sticky, AssignorKind::uniform,
                                      AssignorKind::server_range};

struct Group {
  Members members{};
  Topics topics{};

  bool homogeneous() const {
    return std::all_of(members.begin(), members.end(),
                       [&](const MemberSubscription& m) { return m.topics == members.front().topics; });
  }
  const TopicPartitions& topic_of(PartitionId p) const {
    return *std::find_if(topics.begin(), topics.end(), [&](const TopicPartitions& t) {
      return p >= t.first && p < t.first + static_cast<PartitionId>(t.partitions);
    });
  }
  std::vector<const MemberSubscription*> subscribers(const TopicPartitions& t) const {
    std::vector<const MemberSubscription*> some;
    for (const MemberSubscription& m : members) {
      if (std::binary_search(m.topics.begin(), m.topics.end(), t.topic)) some.push_back(&m);
    }
    return some;
  }
};

int below(int n) { return *rc::gen::inRange(0, n); }

std::vector<std::int32_t> some_topics(std::int32_t count) {
  std::vector<std::int32_t> topics;
  for (std::int32_t t = 0; t < count; ++t) {
    if (below(3) > 0) topics.push_back(t);
  }
  if (topics.empty()) topics.push_back(below(count));
  return topics;
}

Group any_group(bool homogeneous) {
  Group g;
  const std::int32_t topics = 1 + below(4);
  for (std::int32_t t = 0; t < topics; ++t) {
    g.topics.push_back({.topic = t,
                        .name = std::string(1, static_cast<char>('z' - t)),
                        .first = static_cast<PartitionId>(t * 16),
                        .partitions = below(10)});
  }
  const auto common = some_topics(topics);
  const int members = 1 + below(7);
  for (int m = 0; m < members; ++m) {
    g.members.push_back({.member = std::string(1, static_cast<char>('a' + m)),
                         .instance = below(3) == 0 ? std::string(1, static_cast<char>('Z' - m)) : "",
                         .topics = homogeneous ? common : some_topics(topics)});
  }
  return g;
}

// Every partition is claimed by one member or by none, all in one generation; some by a member that no longer wants it.
Group with_claims(Group g) {
  for (MemberSubscription& m : g.members) m.generation = 3;
  for (const TopicPartitions& t : g.topics) {
    for (std::int32_t i = 0; i < t.partitions; ++i) {
      const auto m = static_cast<std::size_t>(below(static_cast<int>(g.members.size()) + 1));
      if (m < g.members.size()) g.members[m].owned.push_back(t.first + static_cast<PartitionId>(i));
    }
  }
  return g;
}

// ... and a few by a second one, of the same generation or an earlier one.
Group with_contradictions(Group g) {
  g = with_claims(std::move(g));
  for (MemberSubscription& m : g.members) {
    if (below(4) > 0) continue;
    m.generation = below(4) - 1;
    for (const MemberSubscription& other : g.members) {
      if (below(3) > 0 || other.member == m.member) continue;
      m.owned.insert(m.owned.end(), other.owned.begin(), other.owned.end());
    }
    std::sort(m.owned.begin(), m.owned.end());
    m.owned.erase(std::unique(m.owned.begin(), m.owned.end()), m.owned.end());
  }
  return g;
}

bool claimed_by_other(const Group& g, const std::string& member, PartitionId p) {
  return std::any_of(g.members.begin(), g.members.end(), [&](const MemberSubscription& m) {
    return m.member != member && std::find(m.owned.begin(), m.owned.end(), p) != m.owned.end();
  });
}

bool claims(const Group& g, const std::string& member, PartitionId p) {
  return std::any_of(g.members.begin(), g.members.end(), [&](const MemberSubscription& m) {
    return m.member == member && std::find(m.owned.begin(), m.owned.end(), p) != m.owned.end();
  });
}

RC_GTEST_PROP(KafkaAssignors, EveryPartitionGoesToOneSubscriber, ()) {
  const Group g = with_contradictions(any_group(below(2) == 0));
  for (const AssignorKind kind : all_kinds) {
    const Assignment a = assign(kind, g.members, g.topics);
    RC_ASSERT(a.size() == g.members.size());
    std::map<PartitionId, std::string> owner;
    for (const auto& [member, partitions] : a) {
      for (const PartitionId p : partitions) {
        RC_ASSERT(owner.emplace(p, member).second);
        const auto who = g.subscribers(g.topic_of(p));
        RC_ASSERT(std::any_of(who.begin(), who.end(), [&, &m = member](const auto* s) { return s->member == m; }));
      }
    }
    for (const TopicPartitions& t : g.topics) {
      if (g.subscribers(t).empty()) continue;
      for (std::int32_t i = 0; i < t.partitions; ++i) {
        const PartitionId p = t.first + static_cast<PartitionId>(i);
        const bool withheld = kind == AssignorKind::cooperative_sticky && claimed_by_other(g, "", p);
        RC_ASSERT(owner.contains(p) || withheld);
      }
    }
  }
}

RC_GTEST_PROP(KafkaAssignors, TheOrderOfTheInputDoesNotMatter, ()) {
  Group g = with_contradictions(any_group(below(2) == 0));
  Group h = g;
  std::reverse(h.members.begin(), h.members.end());
  std::reverse(h.topics.begin(), h.topics.end());
  std::rotate(h.members.begin(), h.members.begin() + below(static_cast<int>(h.members.size())), h.members.end());
  for (const AssignorKind kind : all_kinds) {
    RC_ASSERT(assign(kind, g.members, g.topics) == assign(kind, h.members, h.topics));
  }
}

RC_GTEST_PROP(KafkaAssignors, EqualSubscriptionsAreBalancedWithinOne, ()) {
  const Group g = with_contradictions(any_group(true));
  for (const AssignorKind kind : {AssignorKind::round_robin, AssignorKind::sticky, AssignorKind::uniform}) {
    const auto n = sizes(assign(kind, g.members, g.topics));
    RC_ASSERT(n.back() - n.front() <= 1);
  }
}

RC_GTEST_PROP(KafkaAssignors, RangeIsBalancedWithinOneForEachTopicAndCoPartitions, ()) {
  Group g = any_group(true);
  for (TopicPartitions& t : g.topics) t.partitions = g.topics.front().partitions;
  const Assignment a = assign(AssignorKind::range, g.members, g.topics);
  RC_ASSERT(a == assign(AssignorKind::server_range, g.members, g.topics));
  for (const auto& [member, partitions] : a) {
    std::set<PartitionId> numbers;
    for (const PartitionId p : partitions) numbers.insert(p % 16);
    RC_ASSERT(numbers.size() * g.members.front().topics.size() == partitions.size());  // the same of each topic
    const auto fair = static_cast<std::size_t>(g.topics.front().partitions) / g.members.size();
    RC_ASSERT(numbers.size() >= fair && numbers.size() <= fair + 1);
  }
}

// As many partitions stay as the quotas allow: nothing moves that need not.
RC_GTEST_PROP(KafkaAssignors, WithEqualSubscriptionsNothingMovesWithoutNeed, ()) {
  const Group g = with_claims(any_group(true));
  std::size_t partitions = 0;
  for (const TopicPartitions& t : g.topics) {
    if (!g.subscribers(t).empty()) partitions += static_cast<std::size_t>(t.partitions);
  }
  const std::size_t quota = partitions / g.members.size();
  std::size_t could_stay = 0;
  std::size_t over = 0;
  for (const MemberSubscription& m : g.members) {
    const auto wanted = static_cast<std::size_t>(std::count_if(m.owned.begin(), m.owned.end(), [&](PartitionId p) {
      return !g.subscribers(g.topic_of(p)).empty();
    }));
    could_stay += std::min(quota, wanted);
    if (wanted > quota) ++over;
  }
  could_stay += std::min(over, partitions % g.members.size());
  for (const AssignorKind kind : {AssignorKind::sticky, AssignorKind::uniform}) {
    RC_ASSERT(kept(g.members, assign(kind, g.members, g.topics)) == could_stay);
  }
}

RC_GTEST_PROP(KafkaAssignors, WhenNothingChangesNothingMoves, ()) {
  const Group g = with_claims(any_group(below(2) == 0));
  for (const AssignorKind kind : {AssignorKind::sticky, AssignorKind::uniform}) {
    const Assignment once = assign(kind, g.members, g.topics);
    RC_ASSERT(assign(kind, next_round(g.members, once), g.topics) == once);
  }
}

// KIP-429: in one round a partition is taken from its owner or given to a new one, never both.
RC_GTEST_PROP(KafkaAssignors, CooperativeGivesNothingThatAnotherStillClaims, ()) {
  const Group g = with_contradictions(any_group(below(2) == 0));
  for (const auto& [member, partitions] : assign(AssignorKind::cooperative_sticky, g.members, g.topics)) {
    for (const PartitionId p : partitions) RC_ASSERT(claims(g, member, p) || !claimed_by_other(g, member, p));
  }
}

// What one round withheld the next gives out; nobody loses again what the first round left it. With equal subscriptions
// two rounds do; with others the balance is found anew each time, and a third may take something away again.
RC_GTEST_PROP(KafkaAssignors, CooperativeIsDoneAfterTwoRounds, ()) {
  const Group g = with_claims(any_group(true));
  const auto kind = AssignorKind::cooperative_sticky;
  const Assignment first = assign(kind, g.members, g.topics);
  const Members again = next_round(g.members, first);
  const Assignment second = assign(kind, again, g.topics);
  RC_ASSERT(kept(again, second) == kept(again, first));
  RC_ASSERT(second == assign(AssignorKind::sticky, again, g.topics));
  RC_ASSERT(assign(kind, next_round(again, second), g.topics) == second);
}

RC_GTEST_PROP(KafkaAssignors, CooperativeIsDoneAfterAFewRoundsWhateverTheSubscriptions, ()) {
  const Group g = with_claims(any_group(false));
  const auto kind = AssignorKind::cooperative_sticky;
  Members members = g.members;
  Assignment last;
  for (int round = 0; round < 5; ++round) {
    last = assign(kind, members, g.topics);
    members = next_round(std::move(members), last);
  }
  RC_ASSERT(assign(kind, members, g.topics) == last);
  std::size_t given = 0;
  std::size_t wanted = 0;
  for (const std::size_t n : sizes(last)) given += n;
  for (const TopicPartitions& t : g.topics) {
    if (!g.subscribers(t).empty()) wanted += static_cast<std::size_t>(t.partitions);
  }
  RC_ASSERT(given == wanted);
}

}  // namespace
}  // namespace mqlab::kafka
