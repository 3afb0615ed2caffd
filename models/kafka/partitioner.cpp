#include "models/kafka/partitioner.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace mqlab::kafka {

namespace {

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}();

std::uint32_t byte(std::string_view s, std::size_t i) { return static_cast<unsigned char>(s[i]); }

// One of the partitions with a leader, or of all when none is known to have one.
std::int32_t any_partition(std::int32_t count, std::span<const std::int32_t> available, Random& random) {
  if (available.empty()) return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(count)));
  return available[random.below(available.size())];
}

}  // namespace

const char* name(KeyHash hash) {
  switch (hash) {
    case KeyHash::murmur2: return "murmur2";
    case KeyHash::crc32: return "crc32";
    case KeyHash::fnv1a: return "fnv1a";
  }
  return "unknown";
}

std::optional<KeyHash> key_hash_named(std::string_view wanted) {
  for (const KeyHash h : {KeyHash::murmur2, KeyHash::crc32, KeyHash::fnv1a}) {
    if (wanted == name(h)) return h;
  }
  return std::nullopt;
}

std::int32_t murmur2(std::string_view key) {
  constexpr std::uint32_t seed = 0x9747b28c;
  constexpr std::uint32_t m = 0x5bd1e995;
  std::uint32_t h = seed ^ static_cast<std::uint32_t>(key.size());
  const std::size_t whole = key.size() & ~std::size_t{3};
  for (std::size_t i = 0; i < whole; i += 4) {
    std::uint32_t k = byte(key, i) | byte(key, i + 1) << 8 | byte(key, i + 2) << 16 | byte(key, i + 3) << 24;
    k *= m;
    k ^= k >> 24;
    k *= m;
    h = (h * m) ^ k;
  }
  const std::size_t rest = key.size() - whole;
  if (rest >= 3) h ^= byte(key, whole + 2) << 16;
  if (rest >= 2) h ^= byte(key, whole + 1) << 8;
  if (rest >= 1) h = (h ^ byte(key, whole)) * m;
  h ^= h >> 13;
  h *= m;
  h ^= h >> 15;
  return static_cast<std::int32_t>(h);
}

std::uint32_t crc32(std::string_view key) {
  std::uint32_t c = 0xffffffffU;
  for (std::size_t i = 0; i < key.size(); ++i) c = crc_table[(c ^ byte(key, i)) & 0xff] ^ (c >> 8);
  return c ^ 0xffffffffU;
}

std::uint32_t fnv1a(std::string_view key) {
  std::uint32_t h = 0x811c9dc5U;
  for (std::size_t i = 0; i < key.size(); ++i) h = (h ^ byte(key, i)) * 0x01000193U;
  return (h & 0x80000000U) != 0 ? 0U - h : h;
}

std::int32_t partition_for(KeyHash hash, std::string_view key, std::int32_t count) {
  assert(count > 0);
  switch (hash) {
    case KeyHash::murmur2: return to_positive(murmur2(key)) % count;
    case KeyHash::crc32: return static_cast<std::int32_t>(crc32(key) % static_cast<std::uint32_t>(count));
    case KeyHash::fnv1a: return static_cast<std::int32_t>(fnv1a(key) % static_cast<std::uint32_t>(count));
  }
  return 0;
}

std::int32_t StickyPerBatch::partition(std::int32_t count, std::span<const std::int32_t> available, Random& random) {
  if (current < 0) current = any_partition(count, available, random);
  return current;
}

void StickyPerBatch::new_batch(std::int32_t partition, std::int32_t count, std::span<const std::int32_t> available,
                               Random& random) {
  if (partition != current) return;  // another record has moved it on already
  const auto size = available.empty() ? static_cast<std::size_t>(count) : available.size();
  const auto id = [&](std::size_t i) { return available.empty() ? static_cast<std::int32_t>(i) : available[i]; };
  std::size_t self = 0;
  while (self < size && id(self) != current) ++self;
  if (self == size || size == 1) {
    current = id(random.below(size));
    return;
  }
  // Java draws until the answer differs from `current`; one draw among the others has the same distribution.
  const std::size_t drawn = random.below(size - 1);
  current = id(drawn < self ? drawn : drawn + 1);
}

std::int32_t UniformSticky::partition(std::int32_t count, std::span<const std::int32_t> available, Random& random) {
  if (current >= 0) return current;
  if (cumulative.empty()) {
    current = any_partition(count, available, random);
  } else {
    const auto drawn = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(cumulative.back())));
    const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), drawn);
    current = weighted_ids[static_cast<std::size_t>(found - cumulative.begin())];
  }
  return current;
}

void UniformSticky::appended(std::int32_t partition, std::int64_t bytes, bool batches_full) {
  if (partition != current) return;
  produced += bytes;
  if ((produced >= batch_size && batches_full) || produced >= 2 * batch_size) {
    current = -1;
    produced = 0;
  }
}

void UniformSticky::set_queues(std::span<const std::int32_t> queues, std::span<const std::int32_t> ids) {
  assert(queues.size() == ids.size());
  cumulative.clear();
  weighted_ids.clear();
  if (queues.size() < 2) return;
  const std::int64_t longest = *std::max_element(queues.begin(), queues.end());
  std::int64_t sum = 0;
  for (const std::int32_t queue : queues) {
    sum += longest + 1 - queue;  // the longest queue keeps a weight of one, so that it is tried again
    cumulative.push_back(sum);
  }
  weighted_ids.assign(ids.begin(), ids.end());
}

}  // namespace mqlab::kafka
