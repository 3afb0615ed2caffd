// The one text form of the messages of transactions.
#include <fmt/format.h>

#include "models/kafka/txn_messages.h"

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
std::string who(const TxnIdentity& t) { return fmt::format("{} producer={} epoch={}", t.transactional_id, t.id, t.epoch); }
std::string partitions(const std::vector<PartitionId>& v) {
  std::string out;
  for (const PartitionId p : v) out += fmt::format("{}#{}", out.empty() ? "" : ",", p);
  return "{" + out + "}";
}

std::string add_partitions(const Payload& p) {
  const auto& m = as<AddPartitionsToTxn>(p);
  return fmt::format("{} {}{}", who(m.from), partitions(m.partitions), m.verify_only ? " verify only" : "");
}
std::string add_partitions_reply(const Payload& p) {
  const auto& m = as<AddPartitionsToTxnReply>(p);
  std::string out = error_text(m.error);
  for (const auto& [partition, error] : m.partitions)
    if (error != Error::none) out += fmt::format("{}#{} {}", out.empty() ? "" : " ", partition, error_text(error));
  return out;
}
std::string add_offsets(const Payload& p) {
  const auto& m = as<AddOffsetsToTxn>(p);
  return fmt::format("{} group={}", who(m.from), m.group);
}
std::string offset_commit(const Payload& p) {
  const auto& m = as<TxnOffsetCommit>(p);
  std::string out = fmt::format("{} group={} generation={}{}", who(m.from), m.group, m.generation, m.member.empty() ? "" : " member=" + m.member);
  for (const CommittedOffset& o : m.offsets) out += fmt::format(" #{}={}", o.partition, o.offset);
  return out;
}
std::string end(const Payload& p) {
  const auto& m = as<EndTxn>(p);
  return fmt::format("{} {}", who(m.from), m.commit ? "commit" : "abort");
}
std::string end_reply(const Payload& p) {
  const auto& m = as<EndTxnReply>(p);
  if (m.error != Error::none) return error_text(m.error);
  return m.id == no_producer_id ? std::string() : fmt::format("producer={} epoch={}", m.id, m.epoch);
}
std::string markers(const Payload& p) {
  std::string out;
  for (const TxnMarker& m : as<WriteTxnMarkers>(p).markers)
    out += fmt::format("{}{} producer={} epoch={} {}", out.empty() ? "" : "; ", m.commit ? "commit" : "abort", m.id, m.epoch, partitions(m.partitions));
  return out;
}
std::string markers_reply(const Payload& p) {
  std::string out;
  for (const auto& r : as<WriteTxnMarkersReply>(p).results)
    out += fmt::format("{}producer={} #{}{}{}", out.empty() ? "" : "; ", r.id, r.partition, r.error == Error::none ? "" : " ", error_text(r.error));
  return out;
}

}  // namespace

const std::vector<MessageDecl>& txn_message_declarations() {
  static const std::vector<MessageDecl> all = {
      {kind(Kind::add_partitions_to_txn), "AddPartitionsToTxn", Traffic::client, &add_partitions},
      {kind(Kind::add_partitions_to_txn_reply), "AddPartitionsToTxnReply", Traffic::client, &add_partitions_reply},
      {kind(Kind::add_offsets_to_txn), "AddOffsetsToTxn", Traffic::client, &add_offsets},
      {kind(Kind::add_offsets_to_txn_reply), "AddOffsetsToTxnReply", Traffic::client, &only_error<AddOffsetsToTxnReply>},
      {kind(Kind::txn_offset_commit), "TxnOffsetCommit", Traffic::client, &offset_commit},
      {kind(Kind::txn_offset_commit_reply), "TxnOffsetCommitReply", Traffic::client, &only_error<TxnOffsetCommitReply>},
      {kind(Kind::end_txn), "EndTxn", Traffic::client, &end},
      {kind(Kind::end_txn_reply), "EndTxnReply", Traffic::client, &end_reply},
      {kind(Kind::write_txn_markers), "WriteTxnMarkers", Traffic::replication, &markers},
      {kind(Kind::write_txn_markers_reply), "WriteTxnMarkersReply", Traffic::replication, &markers_reply},
  };
  return all;
}

}  // namespace mqlab::kafka
