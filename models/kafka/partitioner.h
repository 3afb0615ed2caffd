// models/kafka/partitioner.h: which partition a record goes to.
//
// Records with a key follow a hash of it, and the hash depends on the client: Java and librdkafka disagree by default,
// and one topic fed by both has no per-key order. Records without a key stick to one partition for a batch and then
// move on. The stream of chance is handed in.
//
// Always true: the answer is in [0, count) and depends on nothing but the arguments.
// Elsewhere: batching (the producer).
//
//     int p = partition_for(KeyHash::murmur2, "user-1", 6);  // 2, as Java says
//     UniformSticky sticky{.batch_size = 16384};
//     int q = sticky.partition(6, {}, random); sticky.appended(bytes, batch_full);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sim/kernel/random.h"

namespace mqlab::kafka {

// murmur2: Java's default, librdkafka's `murmur2`. crc32: librdkafka's default (`consistent`).
// fnv1a: librdkafka's `fnv1a`, which is Sarama's hash with the sign taken off.
enum class KeyHash : std::uint8_t { murmur2, crc32, fnv1a };

// "murmur2", "crc32", "fnv1a", and back.
const char* name(KeyHash hash);
std::optional<KeyHash> key_hash_named(std::string_view name);

// org.apache.kafka.common.utils.Utils.murmur2, seed 0x9747b28c. Not standard MurmurHash2 of another seed.
std::int32_t murmur2(std::string_view key);
// CRC-32 of zlib (reflected 0xedb88320).
std::uint32_t crc32(std::string_view key);
// FNV-1a, 32 bits, then the absolute value of it as a signed number (rd_fnv1a).
std::uint32_t fnv1a(std::string_view key);

// Utils.toPositive: clears the sign bit; it is not the absolute value.
constexpr std::int32_t to_positive(std::int32_t n) { return n & 0x7fffffff; }

// Requires: count > 0.
std::int32_t partition_for(KeyHash hash, std::string_view key, std::int32_t count);

// KIP-480 (2.4 to 3.2): stay until the batch closes, then any other partition. A slow broker's batches fill longer
// and so it gets more records than others, which is why KIP-794 followed.
struct StickyPerBatch {
  std::int32_t current = -1;

  // Where the next keyless record goes. `available` names the partitions with a leader; empty means all.
  std::int32_t partition(std::int32_t count, std::span<const std::int32_t> available, Random& random);
  // A batch for `partition` was closed or a new one was needed (onNewBatch). Only the current one makes it move.
  void new_batch(std::int32_t partition, std::int32_t count, std::span<const std::int32_t> available, Random& random);

  bool operator==(const StickyPerBatch&) const = default;
};

// KIP-794 (3.3 on, BuiltInPartitioner): stay until batch_size bytes are produced, then one drawn with a weight that
// falls with its queue.
struct UniformSticky {
  std::int64_t batch_size = 16384;
  std::int32_t current = -1;
  std::int64_t produced = 0;                 // bytes since the last move
  std::vector<std::int64_t> cumulative{};    // of weights; empty: any that is available
  std::vector<std::int32_t> weighted_ids{};  // the partitions these weights belong to

  std::int32_t partition(std::int32_t count, std::span<const std::int32_t> available, Random& random);

  // `bytes` went to `partition`. Moves once batch_size is reached and the batches there are full, or at twice that
  // in any case (KAFKA-14156 keeps it from moving in mid-batch).
  void appended(std::int32_t partition, std::int64_t bytes, bool batches_full);

  // Queued batches per partition as the sender sees them (updatePartitionLoadStats); `ids`, as many, name them. The
  // weight of a partition is the longest queue + 1 - its own. Less than two partitions: no weights.
  void set_queues(std::span<const std::int32_t> queues, std::span<const std::int32_t> ids);

  bool operator==(const UniformSticky&) const = default;
};

}  // namespace mqlab::kafka
