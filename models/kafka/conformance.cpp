// Partitioners as real clients have them: a case is a key, and for each hash its partition of so many.
#include "sim/lab/conformance.h"

#include <fmt/format.h>

#include "models/kafka/model_parts.h"
#include "models/kafka/partitioner.h"

namespace mqlab::kafka {
namespace {

constexpr KeyHash hashes[] = {KeyHash::murmur2, KeyHash::crc32, KeyHash::fnv1a};

class Partitioners : public ConformanceDriver {
 public:
  // One step for each hash that the case has a row for, and each number of partitions.
  std::vector<ConformanceStep> steps(const ConformanceJson& file, const ConformanceJson& one_case) const override {
    const auto counts = file.at("partition_counts").get<std::vector<std::int32_t>>();
    std::vector<ConformanceStep> out;
    for (const KeyHash hash : hashes) {
      if (!one_case.contains(name(hash))) continue;
      const ConformanceJson& expected = one_case.at(name(hash));
      if (expected.size() != counts.size()) throw BadCase(fmt::format("{} has {} partitions for {} counts", name(hash), expected.size(), counts.size()));
      for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] <= 0) throw BadCase(fmt::format("a number of partitions is {}, and must be at least 1", counts[i]));
        out.push_back(ConformanceStep{ConformanceJson{{"hash", name(hash)}, {"key", one_case.at("key")}, {"of", counts[i]}}, expected[i]});
      }
    }
    if (out.empty()) throw BadCase("none of murmur2, crc32, fnv1a");
    return out;
  }

  ConformanceJson observe(const ConformanceJson& operation, Saved&) override {
    for (const KeyHash hash : hashes)
      if (operation.at("hash") == name(hash)) return partition_for(hash, operation.at("key").get<std::string>(), operation.at("of").get<std::int32_t>());
    throw BadCase("no such hash");
  }
};

}  // namespace

std::unique_ptr<ConformanceDriver> conformance_of(std::string_view system, const std::vector<Setting>& settings) {
  if (system != "kafka-partitioners") return nullptr;
  if (!settings.empty()) throw BadCase("these are pure functions: they have no options");
  return std::make_unique<Partitioners>();
}

}  // namespace mqlab::kafka
