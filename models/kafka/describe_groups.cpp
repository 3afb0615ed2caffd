// The one text form of the messages of groups.
#include <fmt/format.h>

#include "models/kafka/group_messages.h"

namespace mqlab::kafka {
namespace {

template <class M>
const M& as(const Payload& p) {
  return static_cast<const M&>(p);
}
std::string error_text(Error e) { return e == Error::none ? std::string() : fmt::format("error={}", name(e)); }
template <class M>
std::string only_error(const Payload& p) {
  return error_text(as<M>(p).error);
}
std::string partitions(const std::vector<PartitionId>& v) {
  std::string out;
  for (const PartitionId p : v) out += fmt::format("{}#{}", out.empty() ? "" : ",", p);
  return "{" + out + "}";
}
std::string offsets(const std::vector<CommittedOffset>& v) {
  std::string out;
  for (const CommittedOffset& o : v) out += fmt::format(" #{}={}", o.partition, o.offset);
  return out;
}

std::string find(const Payload& p) { return as<FindCoordinator>(p).group; }
std::string find_reply(const Payload& p) {
  const auto& m = as<FindCoordinatorReply>(p);
  return m.error == Error::none ? fmt::format("B{}", m.broker) : error_text(m.error);
}
std::string join(const Payload& p) {
  const auto& m = as<JoinGroup>(p);
  std::string protocols;
  for (const std::string& s : m.protocols) protocols += (protocols.empty() ? "" : ",") + s;
  return fmt::format("{} member={}{} {} owned={}", m.group, m.member.empty() ? "?" : m.member, m.instance.empty() ? "" : " instance=" + m.instance, protocols, partitions(m.owned));
}
std::string join_reply(const Payload& p) {
  const auto& m = as<JoinGroupReply>(p);
  if (m.error != Error::none) return fmt::format("{}{}", error_text(m.error), m.member.empty() ? "" : " member=" + m.member);
  return fmt::format("generation={} member={} leader={} {}{}", m.generation, m.member, m.leader, m.protocol, m.members.empty() ? "" : fmt::format(" members={}", m.members.size()));
}
std::string sync(const Payload& p) {
  const auto& m = as<SyncGroup>(p);
  std::string out = fmt::format("{} generation={} member={}", m.group, m.generation, m.member);
  for (const auto& [member, assigned] : m.assignments) out += fmt::format(" {}={}", member, partitions(assigned));
  return out;
}
std::string sync_reply(const Payload& p) {
  const auto& m = as<SyncGroupReply>(p);
  return m.error == Error::none ? partitions(m.assigned) : error_text(m.error);
}
std::string heartbeat(const Payload& p) {
  const auto& m = as<GroupHeartbeat>(p);
  return fmt::format("{} generation={} member={}", m.group, m.generation, m.member);
}
std::string leave(const Payload& p) {
  const auto& m = as<LeaveGroup>(p);
  return fmt::format("{} member={}", m.group, m.member);
}
std::string consumer_heartbeat(const Payload& p) {
  const auto& m = as<ConsumerGroupHeartbeat>(p);
  return fmt::format("{} member={} epoch={}{}", m.group, m.member, m.epoch, m.tells_owned ? " owned=" + partitions(m.owned) : "");
}
std::string consumer_heartbeat_reply(const Payload& p) {
  const auto& m = as<ConsumerGroupHeartbeatReply>(p);
  if (m.error != Error::none) return error_text(m.error);
  return fmt::format("epoch={}{}", m.epoch, m.tells_assignment ? " assignment=" + partitions(m.assignment) : "");
}
std::string commit(const Payload& p) {
  const auto& m = as<OffsetCommit>(p);
  return fmt::format("{} generation={} member={}{}", m.group, m.generation, m.member, offsets(m.offsets));
}
std::string fetch(const Payload& p) {
  const auto& m = as<OffsetFetch>(p);
  return fmt::format("{} {}", m.group, partitions(m.partitions));
}
std::string fetch_reply(const Payload& p) {
  const auto& m = as<OffsetFetchReply>(p);
  return m.error == Error::none ? offsets(m.offsets).substr(m.offsets.empty() ? 0 : 1) : error_text(m.error);
}

}  // namespace

const std::vector<MessageDecl>& group_message_declarations() {
  static const std::vector<MessageDecl> all = {
      {kind(Kind::find_coordinator), "FindCoordinator", Traffic::client, &find},
      {kind(Kind::find_coordinator_reply), "FindCoordinatorReply", Traffic::client, &find_reply},
      {kind(Kind::join_group), "JoinGroup", Traffic::client, &join},
      {kind(Kind::join_group_reply), "JoinGroupReply", Traffic::client, &join_reply},
      {kind(Kind::sync_group), "SyncGroup", Traffic::client, &sync},
      {kind(Kind::sync_group_reply), "SyncGroupReply", Traffic::client, &sync_reply},
      {kind(Kind::group_heartbeat), "GroupHeartbeat", Traffic::client, &heartbeat},
      {kind(Kind::group_heartbeat_reply), "GroupHeartbeatReply", Traffic::client, &only_error<GroupHeartbeatReply>},
      {kind(Kind::leave_group), "LeaveGroup", Traffic::client, &leave},
      {kind(Kind::leave_group_reply), "LeaveGroupReply", Traffic::client, &only_error<LeaveGroupReply>},
      {kind(Kind::consumer_group_heartbeat), "ConsumerGroupHeartbeat", Traffic::client, &consumer_heartbeat},
      {kind(Kind::consumer_group_heartbeat_reply), "ConsumerGroupHeartbeatReply", Traffic::client, &consumer_heartbeat_reply},
      {kind(Kind::offset_commit), "OffsetCommit", Traffic::client, &commit},
      {kind(Kind::offset_commit_reply), "OffsetCommitReply", Traffic::client, &only_error<OffsetCommitReply>},
      {kind(Kind::offset_fetch), "OffsetFetch", Traffic::client, &fetch},
      {kind(Kind::offset_fetch_reply), "OffsetFetchReply", Traffic::client, &fetch_reply},
  };
  return all;
}

}  // namespace mqlab::kafka
