// Keys and texts of what a group coordinator writes.
#include "models/kafka/group_records.h"

#include <fmt/format.h>

namespace mqlab::kafka {
namespace {

struct KeyOf {
  const std::string& group;
  std::string operator()(const OffsetCommitRecord& r) const { return fmt::format("offset {} {}", group, r.partition); }
  std::string operator()(const ClassicGroupRecord&) const { return fmt::format("group {}", group); }
  std::string operator()(const GroupEpochRecord&) const { return fmt::format("epoch {}", group); }
  std::string operator()(const GroupMemberRecord& r) const { return fmt::format("member {} {}", group, r.id); }
  std::string operator()(const ShareStateRecord& r) const { return fmt::format("share {} {}", group, r.partition); }
  std::string operator()(const TransactionRecord&) const { return fmt::format("transactional id {}", group); }
};

struct TextOf {
  const Cluster* cluster;
  std::string place(PartitionId p) const { return cluster ? cluster->partitions[p].place : fmt::format("#{}", p); }
  std::string operator()(const OffsetCommitRecord& r) const { return fmt::format("{} at {}", place(r.partition), r.offset); }
  std::string operator()(const ClassicGroupRecord& r) const { return fmt::format("generation {} with {} members", r.generation, r.members.size()); }
  std::string operator()(const GroupEpochRecord& r) const { return fmt::format("epoch {}, assigned for {}", r.epoch, r.assignment_epoch); }
  std::string operator()(const GroupMemberRecord& r) const { return fmt::format("{} in epoch {} has {} partitions", r.id, r.epoch, r.assigned.size()); }
  std::string operator()(const ShareStateRecord& r) const { return fmt::format("{} from {}", place(r.partition), r.state.start); }
  std::string operator()(const TransactionRecord& r) const {
    std::string places;
    for (const PartitionId p : r.partitions) places += (places.empty() ? " " : ", ") + place(p);
    return fmt::format("{}, producer {} epoch {}{}", name(r.state), r.id, r.epoch, places);
  }
};

}  // namespace

const char* name(TxnState s) {
  static constexpr const char* names[] = {"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"};
  return names[static_cast<std::size_t>(s)];
}

std::string GroupRecord::key() const { return std::visit(KeyOf{group}, value); }

std::string describe(const GroupRecord& r, const Cluster* cluster) {
  return fmt::format("{}: {}{}", r.group, std::visit(TextOf{cluster}, r.value), r.gone ? " (tombstone)" : "");
}

}  // namespace mqlab::kafka
