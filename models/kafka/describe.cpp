// The one text form of Kafka's messages: traces, screens and tests share it.
#include <fmt/format.h>

#include "models/kafka/messages.h"
#include "models/kafka/share_messages.h"
#include "models/raft/describe.h"

namespace mqlab::kafka {
namespace {

std::string error_text(Error e) { return e == Error::none ? std::string() : fmt::format(" error={}", name(e)); }

template <class M>
const M& as(const Payload& p) {
  return static_cast<const M&>(p);
}

std::string registration(const Payload& p) {
  const auto& m = as<BrokerRegistrationRequest>(p);
  return fmt::format("B{} {}", m.broker, m.previous_epoch == no_broker_epoch ? "unclean" : fmt::format("previous_epoch={}", m.previous_epoch));
}
std::string registration_reply(const Payload& p) {
  const auto& m = as<BrokerRegistrationReply>(p);
  return fmt::format("epoch={}{}", m.epoch, error_text(m.error));
}
std::string heartbeat(const Payload& p) {
  const auto& m = as<BrokerHeartbeat>(p);
  return fmt::format("B{} epoch={} metadata={}{}", m.broker, m.epoch, m.metadata_end, m.want_shutdown ? " want_shutdown" : "");
}
std::string heartbeat_reply(const Payload& p) {
  const auto& m = as<BrokerHeartbeatReply>(p);
  return fmt::format("{}{}{}", m.fenced ? "fenced" : "unfenced", m.should_shutdown ? " should_shutdown" : "", error_text(m.error));
}
std::string alter_partition(const Payload& p) {
  const auto& m = as<AlterPartition>(p);
  std::string isr;
  for (const IsrMember& i : m.isr) isr += fmt::format("{}{}", isr.empty() ? "" : ",", i.broker);
  return fmt::format("#{} epoch={} partition_epoch={} isr={{{}}}", m.partition, m.leader_epoch, m.partition_epoch, isr);
}
std::string alter_partition_reply(const Payload& p) {
  const auto& m = as<AlterPartitionReply>(p);
  return fmt::format("#{} epoch={} partition_epoch={} isr={}{}", m.partition, m.leader_epoch, m.partition_epoch, describe(m.isr), error_text(m.error));
}
std::string allocate(const Payload& p) { return fmt::format("B{}", as<AllocateProducerIds>(p).broker); }
std::string allocate_reply(const Payload& p) {
  const auto& m = as<AllocateProducerIdsReply>(p);
  return fmt::format("first={} count={}{}", m.first, m.count, error_text(m.error));
}
std::string metadata_request(const Payload&) { return {}; }
std::string metadata_reply(const Payload& p) {
  std::string out;
  const auto& m = as<MetadataReply>(p);
  for (std::size_t i = 0; i < m.partitions.size() && i < 8; ++i)
    if (m.partitions[i].exists) out += fmt::format("{}#{}=B{}@{}", out.empty() ? "" : " ", i, m.partitions[i].leader, m.partitions[i].leader_epoch);
  if (!m.offline.empty()) out += " offline=" + describe(m.offline);
  return out;
}
std::string init(const Payload& p) {
  const auto& m = as<InitProducerId>(p);
  return m.id == no_producer_id ? m.transactional_id : fmt::format("{} producer={} epoch={}", m.transactional_id, m.id, m.epoch);
}
std::string init_reply(const Payload& p) {
  const auto& m = as<InitProducerIdReply>(p);
  return fmt::format("pid={} epoch={}{}", m.id, m.epoch, error_text(m.error));
}
std::string batch_text(const Batch& b) {
  std::string out = fmt::format("x{}", b.count());
  if (b.has_sequence()) out += fmt::format(" pid={}/{} seq={}..{}", b.producer_id, b.producer_epoch, b.base_sequence, b.last_sequence());
  if (b.transactional) out += " txn";
  return out;
}
std::string produce(const Payload& p) {
  const auto& m = as<ProduceRequest>(p);
  std::string out = fmt::format("acks={}", m.acks < 0 ? "all" : std::to_string(m.acks));
  for (const PartitionBatch& b : m.batches) out += fmt::format(" #{} {}", b.partition, batch_text(b.batch));
  return out;
}
std::string produce_reply(const Payload& p) {
  std::string out;
  for (const ProduceResult& r : as<ProduceReply>(p).results)
    out += fmt::format("{}#{} {}{}", out.empty() ? "" : " ", r.partition, r.error == Error::none ? fmt::format("offset={}", r.base_offset) : "", error_text(r.error));
  if (as<ProduceReply>(p).throttle > 0) out += fmt::format(" throttle={} ms", as<ProduceReply>(p).throttle / 1'000'000);
  return out;
}
std::string fetch(const Payload& p) {
  const auto& m = as<FetchRequest>(p);
  std::string out = m.replica == no_broker ? "consumer" : fmt::format("B{}", m.replica);
  if (!m.rack.empty()) out += " in " + m.rack;
  for (const FetchPartition& f : m.partitions) {
    out += fmt::format(" #{} offset={} epoch={}", f.partition, f.fetch_offset, f.current_leader_epoch);
    if (f.last_fetched_epoch != no_leader_epoch) out += fmt::format(" last_epoch={}", f.last_fetched_epoch);
  }
  return out;
}
std::string fetch_reply(const Payload& p) {
  std::string out;
  for (const FetchedPartition& f : as<FetchReply>(p).partitions) {
    out += fmt::format("{}#{}", out.empty() ? "" : " ", f.partition);
    if (f.error != Error::none) {
      out += error_text(f.error);
      continue;
    }
    if (f.diverging.defined()) out += fmt::format(" diverging epoch={} end={}", f.diverging.epoch, f.diverging.end);
    if (!f.batches.empty()) out += fmt::format(" records={}..{}", f.batches.front().base_offset, f.batches.back().last_offset());
    out += fmt::format(" hw={}", f.high_watermark);
    if (f.last_stable != no_offset && f.last_stable != f.high_watermark) out += fmt::format(" stable={}", f.last_stable);
    for (const AbortedTxn& t : f.aborted) out += fmt::format(" aborted={}@{}", t.id, t.first_offset);
    if (f.preferred_read_replica != no_broker) out += fmt::format(" read_from=B{}", f.preferred_read_replica);
  }
  if (as<FetchReply>(p).throttle > 0) out += fmt::format("{}throttle={} ms", out.empty() ? "" : " ", as<FetchReply>(p).throttle / 1'000'000);
  return out;
}
std::string epoch_question(const Payload& p) {
  std::string out;
  for (const EpochQuestion& q : as<OffsetForLeaderEpoch>(p).questions) out += fmt::format("{}#{} epoch={}", out.empty() ? "" : " ", q.partition, q.epoch);
  return out;
}
std::string epoch_answer(const Payload& p) {
  std::string out;
  for (const EpochAnswer& a : as<OffsetForLeaderEpochReply>(p).answers)
    out += fmt::format("{}#{} epoch={} end={}{}", out.empty() ? "" : " ", a.partition, a.end.epoch, a.end.end, error_text(a.error));
  return out;
}
std::string list_offsets(const Payload& p) {
  std::string out;
  for (const OffsetQuestion& q : as<ListOffsets>(p).questions)
    out += fmt::format("{}#{} {}", out.empty() ? "" : " ", q.partition, q.timestamp == latest_timestamp ? "latest" : q.timestamp == earliest_timestamp ? "earliest" : "by time");
  return out;
}
std::string list_offsets_reply(const Payload& p) {
  std::string out;
  for (const OffsetAnswer& a : as<ListOffsetsReply>(p).answers) out += fmt::format("{}#{} offset={}{}", out.empty() ? "" : " ", a.partition, a.offset, error_text(a.error));
  return out;
}

std::string acks_text(const std::vector<PartitionAcks>& acks) {
  std::string out;
  for (const PartitionAcks& p : acks)
    for (const Acknowledgement& a : p.acks) out += fmt::format(" {} #{} {}", name(a.type), p.partition, a.first == a.last ? std::to_string(a.first) : fmt::format("{}..{}", a.first, a.last));
  return out;
}
std::string ack_errors(const std::vector<PartitionError>& acks) {
  std::string out;
  for (const PartitionError& e : acks) out += fmt::format(" acks of #{}{}", e.partition, e.error == Error::none ? " taken" : error_text(e.error));
  return out;
}
std::string share_fetch(const Payload& p) {
  const auto& m = as<ShareFetch>(p);
  std::string out = fmt::format("{} {}", m.group, m.member);
  for (const PartitionId id : m.partitions) out += fmt::format(" #{}", id);
  return out + acks_text(m.acks);
}
std::string share_fetch_reply(const Payload& p) {
  const auto& m = as<ShareFetchReply>(p);
  std::string out;
  for (const AcquiredPartition& a : m.partitions) {
    out += fmt::format("{}#{}{}", out.empty() ? "" : " ", a.partition, error_text(a.error));
    for (const Acquired& r : a.acquired) out += fmt::format(" {}{}", r.first == r.last ? std::to_string(r.first) : fmt::format("{}..{}", r.first, r.last), r.deliveries > 1 ? fmt::format(" (delivery {})", r.deliveries) : "");
  }
  return out + ack_errors(m.acks);
}
std::string share_acknowledge(const Payload& p) {
  const auto& m = as<ShareAcknowledge>(p);
  return fmt::format("{} {}{}{}", m.group, m.member, acks_text(m.acks), m.closes ? " closes" : "");
}
std::string share_acknowledge_reply(const Payload& p) { return ack_errors(as<ShareAcknowledgeReply>(p).acks); }
std::string state_text(const ShareState& s) {
  std::string out = fmt::format("start={} leader_epoch={}", s.start, s.leader_epoch);
  for (const StateBatch& b : s.batches) out += fmt::format(" {} {}", b.first == b.last ? std::to_string(b.first) : fmt::format("{}..{}", b.first, b.last), name(b.state));
  return out;
}
std::string write_share_state(const Payload& p) {
  const auto& m = as<WriteShareState>(p);
  return fmt::format("{} #{} {}", m.group, m.partition, state_text(m.update));
}
std::string write_share_state_reply(const Payload& p) { return error_text(as<WriteShareStateReply>(p).error); }
std::string read_share_state(const Payload& p) {
  const auto& m = as<ReadShareState>(p);
  return fmt::format("{} #{} leader_epoch={}", m.group, m.partition, m.leader_epoch);
}
std::string read_share_state_reply(const Payload& p) {
  const auto& m = as<ReadShareStateReply>(p);
  return m.error == Error::none ? state_text(m.state) : error_text(m.error);
}

// models/raft's text begins with the message's name, which the trace shows by itself.
template <raft::Kind K>
std::string raft_text(const Payload& p) {
  const std::string whole = raft::describe(K, PayloadRef(PayloadRef{}, &p));
  const std::size_t space = whole.find(' ');
  return space == std::string::npos ? std::string() : whole.substr(space + 1);
}
template <raft::Kind K>
MessageDecl raft_decl(const char* name) {
  return {static_cast<MessageKind>(kind(Kind::raft) + static_cast<MessageKind>(K)), name, Traffic::control, &raft_text<K>};
}

}  // namespace

const std::vector<MessageDecl>& message_declarations() {
  static const std::vector<MessageDecl> all = {
      {kind(Kind::broker_registration), "BrokerRegistration", Traffic::heartbeat, &registration},
      {kind(Kind::broker_registration_reply), "BrokerRegistrationReply", Traffic::heartbeat, &registration_reply},
      {kind(Kind::broker_heartbeat), "BrokerHeartbeat", Traffic::heartbeat, &heartbeat},
      {kind(Kind::broker_heartbeat_reply), "BrokerHeartbeatReply", Traffic::heartbeat, &heartbeat_reply},
      {kind(Kind::alter_partition), "AlterPartition", Traffic::control, &alter_partition},
      {kind(Kind::alter_partition_reply), "AlterPartitionReply", Traffic::control, &alter_partition_reply},
      {kind(Kind::allocate_producer_ids), "AllocateProducerIds", Traffic::control, &allocate},
      {kind(Kind::allocate_producer_ids_reply), "AllocateProducerIdsReply", Traffic::control, &allocate_reply},
      {kind(Kind::metadata), "Metadata", Traffic::client, &metadata_request},
      {kind(Kind::metadata_reply), "MetadataReply", Traffic::client, &metadata_reply},
      {kind(Kind::init_producer_id), "InitProducerId", Traffic::client, &init},
      {kind(Kind::init_producer_id_reply), "InitProducerIdReply", Traffic::client, &init_reply},
      {kind(Kind::produce), "Produce", Traffic::client, &produce},
      {kind(Kind::produce_reply), "ProduceReply", Traffic::client, &produce_reply},
      {kind(Kind::fetch), "Fetch", Traffic::replication, &fetch},
      {kind(Kind::fetch_reply), "FetchReply", Traffic::replication, &fetch_reply},
      {kind(Kind::offset_for_leader_epoch), "OffsetForLeaderEpoch", Traffic::replication, &epoch_question},
      {kind(Kind::offset_for_leader_epoch_reply), "OffsetForLeaderEpochReply", Traffic::replication, &epoch_answer},
      {kind(Kind::list_offsets), "ListOffsets", Traffic::client, &list_offsets},
      {kind(Kind::list_offsets_reply), "ListOffsetsReply", Traffic::client, &list_offsets_reply},
      {kind(Kind::share_fetch), "ShareFetch", Traffic::client, &share_fetch},
      {kind(Kind::share_fetch_reply), "ShareFetchReply", Traffic::client, &share_fetch_reply},
      {kind(Kind::share_acknowledge), "ShareAcknowledge", Traffic::client, &share_acknowledge},
      {kind(Kind::share_acknowledge_reply), "ShareAcknowledgeReply", Traffic::client, &share_acknowledge_reply},
      {kind(Kind::write_share_state), "WriteShareGroupState", Traffic::replication, &write_share_state},
      {kind(Kind::write_share_state_reply), "WriteShareGroupStateReply", Traffic::replication, &write_share_state_reply},
      {kind(Kind::read_share_state), "ReadShareGroupState", Traffic::replication, &read_share_state},
      {kind(Kind::read_share_state_reply), "ReadShareGroupStateReply", Traffic::replication, &read_share_state_reply},
      raft_decl<raft::Kind::vote>("Vote"),
      raft_decl<raft::Kind::vote_reply>("VoteReply"),
      raft_decl<raft::Kind::begin_epoch>("BeginQuorumEpoch"),
      raft_decl<raft::Kind::begin_epoch_reply>("BeginQuorumEpochReply"),
      raft_decl<raft::Kind::end_epoch>("EndQuorumEpoch"),
      raft_decl<raft::Kind::fetch>("QuorumFetch"),
      raft_decl<raft::Kind::fetch_reply>("QuorumFetchReply"),
  };
  return all;
}

}  // namespace mqlab::kafka
