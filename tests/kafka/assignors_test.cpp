// The partition assignors of consumer groups.
#include "models/kafka/assignors.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace mqlab::kafka {
namespace {

using Partitions = std::vector<PartitionId>;

std::vector<TopicPartitions> two_topics(std::int32_t partitions) {
  return {{.topic = 0, .name = "t0", .first = 0, .partitions = partitions},
          {.topic = 1, .name = "t1", .first = static_cast<PartitionId>(partitions), .partitions = partitions}};
}

// The example of RangeAssignor's documentation: the first member has the odd partition of both topics.
TEST(KafkaAssignors, RangeCutsEachTopicByItself) {
  for (const AssignorKind kind : {AssignorKind::range, AssignorKind::server_range}) {
    const Assignment a = assign(kind, {{.member = "C0", .topics = {0, 1}}, {.member = "C1", .topics = {0, 1}}},
                                two_topics(3));
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
  const std::vector<TopicPartitions> topics{{.topic = 0, .name = "t0", .first = 0, .partitions = 1},
                                            {.topic = 1, .name = "t1", .first = 1, .partitions = 2},
                                            {.topic = 2, .name = "t2", .first = 3, .partitions = 3}};
  const Assignment a = assign(
      AssignorKind::round_robin,
      {{.member = "C0", .topics = {0}}, {.member = "C1", .topics = {0, 1}}, {.member = "C2", .topics = {0, 1, 2}}},
      topics);
  EXPECT_EQ(a.at("C0"), (Partitions{0}));
  EXPECT_EQ(a.at("C1"), (Partitions{1}));
  EXPECT_EQ(a.at("C2"), (Partitions{2, 3, 4, 5}));
}

}  // namespace
}  // namespace mqlab::kafka
