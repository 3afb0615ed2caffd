// Which partition a record goes to: the recorded answers of real clients, and the two sticky rules.
#include "models/kafka/partitioner.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace mqlab::kafka {
namespace {

// org.apache.kafka.common.utils.UtilsTest.testMurmur2.
TEST(KafkaPartitioner, Murmur2IsJavas) {
  EXPECT_EQ(murmur2("21"), -973932308);
  EXPECT_EQ(murmur2("foobar"), -790332482);
  EXPECT_EQ(murmur2("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(murmur2("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(murmur2("abc"), 479470107);
}

// The check value of CRC-32 (zlib), and the published vectors of FNV-1a below 2^31.
TEST(KafkaPartitioner, Crc32AndFnv1aAreTheStandardOnes) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(fnv1a("foobar"), 0U - 0xbf9cf968U) << "negative as a signed number: librdkafka takes the sign off";
}

// Recorded from librdkafka 2.0.2; murmur2 agrees with kafkajs.
TEST(KafkaPartitioner, EveryRecordedCaseOfRealClients) {
  std::ifstream file(std::string(MQLAB_SOURCE_DIR) + "/tests/conformance/kafka-partitioners.json");
  ASSERT_TRUE(file.is_open());
  const auto vectors = nlohmann::json::parse(file);
  const auto counts = vectors.at("partition_counts").get<std::vector<std::int32_t>>();
  std::size_t compared = 0;
  for (const auto& one : vectors.at("cases")) {
    const auto key = one.at("key").get<std::string>();
    for (const char* hash : {"murmur2", "crc32", "fnv1a"}) {
      for (std::size_t i = 0; i < counts.size(); ++i, ++compared) {
        EXPECT_EQ(partition_for(*key_hash_named(hash), key, counts[i]), one.at(hash).at(i).get<std::int32_t>())
            << one.at("id") << " " << hash << " over " << counts[i];
      }
    }
  }
  EXPECT_GE(compared, 40U * 3 * 8);
}

// Utils.toPositive clears the sign bit; the absolute value would differ (and has none for -2^31).
TEST(KafkaPartitioner, ToPositiveIsNotTheAbsoluteValue) {
  EXPECT_EQ(to_positive(-1), 0x7fffffff);
  EXPECT_EQ(to_positive(5), 5);
}

RC_GTEST_PROP(KafkaPartitioner, AnswerIsAPartition, (const std::string& key)) {
  const auto count = *rc::gen::inRange<std::int32_t>(1, 2000);
  for (const KeyHash hash : {KeyHash::murmur2, KeyHash::crc32, KeyHash::fnv1a}) {
    const std::int32_t p = partition_for(hash, key, count);
    RC_ASSERT(p >= 0 && p < count);
  }
}

// Two clients with different defaults scatter most keys of one topic over different partitions.
TEST(KafkaPartitioner, JavaAndLibrdkafkaDisagreeOnMostKeys) {
  int differ = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "user-" + std::to_string(i);
    differ += partition_for(KeyHash::murmur2, key, 6) != partition_for(KeyHash::crc32, key, 6) ? 1 : 0;
  }
  EXPECT_GT(differ, 750);
  EXPECT_LT(differ, 900);
}

// KIP-480: a keyless record stays where the open batch is; a new batch goes to any other partition.
TEST(KafkaPartitioner, StickyStaysForABatchThenMovesToAnother) {
  Random random{7, Stream::workload};
  StickyPerBatch sticky;
  std::set<std::int32_t> seen;
  for (int batch = 0; batch < 100; ++batch) {
    const std::int32_t p = sticky.partition(4, {}, random);
    EXPECT_EQ(sticky.partition(4, {}, random), p);
    seen.insert(p);
    sticky.new_batch(p, 4, {}, random);
    EXPECT_NE(sticky.partition(4, {}, random), p);
  }
  EXPECT_EQ(seen.size(), 4U);
}

// StickyPartitionCache: only the batch of the current partition makes it move, and only to one with a leader.
TEST(KafkaPartitioner, StickyIgnoresOtherBatchesAndOfflinePartitions) {
  Random random{7, Stream::workload};
  const std::array<std::int32_t, 2> available{1, 3};
  StickyPerBatch sticky{.current = 1};
  sticky.new_batch(3, 4, available, random);
  EXPECT_EQ(sticky.current, 1);
  sticky.new_batch(1, 4, available, random);
  EXPECT_EQ(sticky.current, 3);
  const std::array<std::int32_t, 1> one{0};
  sticky.new_batch(3, 4, one, random);
  EXPECT_EQ(sticky.current, 0);
  StickyPerBatch alone{.current = 0};
  alone.new_batch(0, 1, {}, random);
  EXPECT_EQ(alone.current, 0);
}

// KIP-794: bytes decide, not batches; between once and twice batch.size it waits for a batch boundary.
TEST(KafkaPartitioner, UniformStickyMovesAfterBatchSizeBytes) {
  Random random{7, Stream::workload};
  UniformSticky sticky{.batch_size = 100};
  const std::int32_t p = sticky.partition(1000, {}, random);
  sticky.appended(p, 99, true);
  EXPECT_EQ(sticky.partition(1000, {}, random), p);
  sticky.appended(p, 1, false);
  EXPECT_EQ(sticky.partition(1000, {}, random), p) << "in the middle of a batch it stays";
  sticky.appended(p, 1, true);
  EXPECT_EQ(sticky.current, -1);
  const std::int32_t q = sticky.partition(1000, {}, random);
  sticky.appended(q, 200, false);
  EXPECT_EQ(sticky.current, -1) << "twice the size is the limit in any case";
}

// KIP-794: a partition is drawn the less often the longer its queue. Queues 10,10,1,1 give weights 1,1,10,10.
TEST(KafkaPartitioner, UniformStickyPrefersShortQueues) {
  Random random{7, Stream::workload};
  UniformSticky sticky{.batch_size = 1};
  const std::array<std::int32_t, 4> queues{10, 10, 1, 1};
  const std::array<std::int32_t, 4> ids{0, 1, 4, 5};
  sticky.set_queues(queues, ids);
  EXPECT_EQ(sticky.cumulative, (std::vector<std::int64_t>{1, 2, 12, 22}));
  std::array<int, 6> drawn{};
  for (int i = 0; i < 22'000; ++i) {
    const std::int32_t p = sticky.partition(6, {}, random);
    ++drawn[static_cast<std::size_t>(p)];
    sticky.appended(p, 1, true);
  }
  EXPECT_EQ(drawn[2] + drawn[3], 0) << "not among those that the sender offers";
  EXPECT_NEAR(drawn[0], 1000, 150);
  EXPECT_NEAR(drawn[4], 10'000, 500);
}

}  // namespace
}  // namespace mqlab::kafka
