#include "models/kafka/quorum.h"

#include <algorithm>

namespace mqlab::kafka {
namespace {

std::uint64_t pack(raft::TimerKey k) { return static_cast<std::uint64_t>(k.timer) << 32 | static_cast<std::uint32_t>(k.peer); }
raft::TimerKey unpack(std::uint64_t w) { return {static_cast<raft::Timer>(w >> 32), static_cast<raft::ReplicaId>(w & 0xffffffff)}; }

std::uint32_t wire_size(raft::Kind kind, const PayloadRef& p) {
  if (kind != raft::Kind::fetch_reply) return 100;
  return 100 + static_cast<std::uint32_t>(raft::message_as<raft::FetchReply>(p).entries.size()) * 100;
}

bool is_request(raft::Kind k) { return k == raft::Kind::vote || k == raft::Kind::begin_epoch || k == raft::Kind::fetch; }

}  // namespace

void Quorum::start(Context& c) {
  raft::Outbox out;
  connections_.clear();
  asked_.clear();
  timers_.clear();
  config_.self = static_cast<raft::ReplicaId>(c.self());
  raft_ = raft::start(config_, durable_, c.random(), out);
  up_ = true;
  carry_out(c, out);
}

bool Quorum::on_message(Context& c, const Message& m) {
  if (m.kind < kind(Kind::raft)) return false;
  const auto k = static_cast<raft::Kind>(m.kind - kind(Kind::raft));
  // An answer goes back on the connection that the request came on; an older one may be open on this side alone.
  ConnId& known = connections_.try_emplace(m.from, m.connection).first->second;
  if (!c.is_open(known) || (is_request(k) && c.is_open(m.connection))) known = m.connection;
  if (!is_request(k)) asked_.erase(m.from);
  raft::Outbox out;
  raft::on_message(raft_, static_cast<raft::ReplicaId>(m.from), k, m.payload, c.random(), out);
  carry_out(c, out);
  return true;
}

bool Quorum::on_timer(Context& c, TimerKind kind, std::uint64_t argument) {
  if (kind != quorum_timer) return false;
  timers_.erase(argument);
  raft::Outbox out;
  close_silent(c, out);
  raft::on_timer(raft_, unpack(argument), c.random(), out);
  carry_out(c, out);
  return true;
}

bool Quorum::on_closed(Context& c, ConnId connection, NodeId peer) {
  const auto it = connections_.find(peer);
  if (it == connections_.end() || it->second != connection) return false;
  connections_.erase(it);
  asked_.erase(peer);
  raft::Outbox out;
  raft::on_disconnect(raft_, static_cast<raft::ReplicaId>(peer), out);
  carry_out(c, out);
  return true;
}

void Quorum::on_crash(const Crash& crash) {
  if (crash.wipe) {
    durable_ = raft::Durable{};
  } else {
    if (up_) durable_ = raft_.durable;  // else a machine whose process was gone lost its power
    // Epoch and vote are written with their own sync; the log keeps what its file kept.
    for (const Survivor& s : crash.files)
      if (s.file == metadata_file && s.kept < durable_.log.end()) durable_.log.truncate_to(std::max<Offset>(s.kept, durable_.log.start()));
  }
  raft_ = raft::Raft{};
  up_ = false;
  connections_.clear();
  asked_.clear();
  timers_.clear();
}

const MetadataRecord* Quorum::record(Offset at) const {
  const raft::Entry& e = raft_.log().at(at);
  return e.control || !e.command ? nullptr : &payload_as<MetadataRecord>(e.command);
}

Offset Quorum::append(Context& c, const std::vector<PayloadRef>& records) {
  raft::Outbox out;
  const auto first = raft::propose(raft_, std::span<const PayloadRef>(records), out);
  carry_out(c, out);
  return first ? *first : -1;
}

void Quorum::resign(Context& c) {
  raft::Outbox out;
  raft::resign(raft_, c.random(), out);
  carry_out(c, out);
}

// NetworkClient.handleTimedOutRequests: a peer that owes an answer for too long is taken for gone, and with its
// connection goes whatever keeps the answers back.
void Quorum::close_silent(Context& c, raft::Outbox& out) {
  for (auto it = asked_.begin(); it != asked_.end();) {
    if (c.now() - it->second < config_.request_timeout) {
      ++it;
      continue;
    }
    if (const auto connection = connections_.find(it->first); connection != connections_.end()) {
      c.close(connection->second);
      connections_.erase(connection);
    }
    raft::on_disconnect(raft_, static_cast<raft::ReplicaId>(it->first), out);
    it = asked_.erase(it);
  }
}

void Quorum::carry_out(Context& c, raft::Outbox& out) {
  Disk& disk = c.world().disk(c.self());
  const Offset end = raft_.log().end();
  if (end < disk.written(metadata_file)) c.truncate(metadata_file, end);
  if (end > disk.written(metadata_file)) c.write(metadata_file, end);
  if (out.sync_needed()) c.sync(metadata_file);
  for (const raft::TimerChange& t : out.timers) {
    const std::uint64_t key = pack(t.key);
    if (const auto it = timers_.find(key); it != timers_.end()) {
      c.cancel_timer(it->second);
      timers_.erase(it);
    }
    if (t.delay) timers_[key] = c.set_timer(*t.delay, quorum_timer, key);
  }
  for (const raft::Send& s : out.sends) {
    const auto to = static_cast<NodeId>(s.to);
    auto it = connections_.find(to);
    if (it == connections_.end() || !c.is_open(it->second)) it = connections_.insert_or_assign(to, c.connect(to, Traffic::control)).first;
    if (is_request(s.kind)) asked_.try_emplace(to, c.now());
    c.send(it->second, static_cast<MessageKind>(kind(Kind::raft) + static_cast<MessageKind>(s.kind)), s.payload, wire_size(s.kind, s.payload));
  }
}

}  // namespace mqlab::kafka
