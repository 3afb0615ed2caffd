// Mirrors of a classic queue.
#include "models/rabbitmq/mirrored_queue.h"

#include <algorithm>

namespace mqlab::rabbitmq {

// --- the leader's side ---

void MirrorLeader::join(NodeId mirror) { acknowledged_[mirror] = records_; }

void MirrorLeader::leave(NodeId mirror, QueueEffects& out) {
  acknowledged_.erase(mirror);
  release(out);
}

void MirrorLeader::pass(const QueueEffects& effects, QueueEffects& out, std::vector<NumberedMirrorRecord>& records) {
  std::vector<PublishId> confirms;
  for (const QueueEffect& e : effects) {
    if (const auto* r = std::get_if<Replicate>(&e)) records.push_back({++records_, r->record});
    else if (const auto* c = std::get_if<Confirm>(&e)) confirms.push_back(c->publish);
    else out.push_back(e);
  }
  for (const PublishId& p : confirms) held_.push_back({records_, p});
  release(out);
}

void MirrorLeader::acknowledged(NodeId mirror, std::uint64_t number, QueueEffects& out) {
  const auto it = acknowledged_.find(mirror);
  if (it == acknowledged_.end()) return;
  it->second = std::max(it->second, number);
  release(out);
}

void MirrorLeader::release(QueueEffects& out) {
  std::uint64_t all = records_;
  for (const auto& [mirror, number] : acknowledged_) all = std::min(all, number);
  for (; !held_.empty() && held_.front().number <= all; held_.pop_front()) out.push_back(Confirm{held_.front().publish});
}

std::vector<NodeId> MirrorLeader::mirrors() const {
  std::vector<NodeId> out;
  for (const auto& [mirror, number] : acknowledged_) out.push_back(mirror);
  return out;
}

// --- a mirror ---

void QueueMirror::apply(const MirrorRecord& r) {
  switch (r.kind) {
    case MirrorRecord::Kind::publish:
      messages_[r.seq] = {.seq = r.seq, .content = r.content, .expiry = r.expiry, .priority = r.priority};
      next_ = std::max(next_, r.seq + 1);
      return;
    case MirrorRecord::Kind::deliver:
      if (const auto it = messages_.find(r.seq); it != messages_.end()) it->second.delivered = true;
      return;
    case MirrorRecord::Kind::remove:
      if (messages_.erase(r.seq) == 0) lacks_ = std::max<std::int64_t>(0, lacks_ - 1);
      return;
  }
}

std::vector<MirroredMessage> mirrored_messages(const ClassicQueue& leader) {
  std::vector<MirroredMessage> all;
  const auto take = [&](const ClassicQueue::Message& m) {
    all.push_back({.seq = m.seq, .content = m.content, .expiry = m.expiry, .priority = m.priority, .delivered = m.delivered});
  };
  for (const ClassicQueue::Message& m : leader.ready()) take(m);
  for (const auto& [id, u] : leader.unacked()) take(u.message);
  std::sort(all.begin(), all.end(), [](const MirroredMessage& a, const MirroredMessage& b) { return a.seq < b.seq; });
  return all;
}

void QueueMirror::synchronise(const std::vector<MirroredMessage>& leader) {
  messages_.clear();
  lacks_ = 0;
  for (const MirroredMessage& m : leader) {
    messages_[m.seq] = m;
    next_ = std::max(next_, m.seq + 1);
  }
}

void QueueMirror::follow(const std::vector<MirroredMessage>& leader, std::uint64_t promoted_at) {
  const std::uint64_t known = std::min(next_, promoted_at);
  std::map<std::uint64_t, MirroredMessage> kept;
  lacks_ = 0;
  for (const MirroredMessage& m : leader) {
    if (m.seq >= known || messages_.count(m.seq)) kept[m.seq] = m;
    else ++lacks_;
  }
  messages_ = std::move(kept);
  next_ = messages_.empty() ? known : std::max(known, messages_.rbegin()->first + 1);
}

ClassicQueue QueueMirror::promote(std::string name, QueueOptions options, Time now, QueueEffects& out) const {
  std::vector<MirroredMessage> all;
  for (const auto& [seq, m] : messages_) all.push_back(m);
  return ClassicQueue::promoted(std::move(name), std::move(options), all, now, out);
}

}  // namespace mqlab::rabbitmq
