// models/rabbitmq/mirrored_queue.h: mirrors of a classic queue on other nodes (3.x): the leader's side and a mirror's.
//
// One rule: the leader alone decides; mirrors take its records in order, and a publish is confirmed when every mirror
// has it. A mirror that joins begins empty, whatever it had before, and learns only of what comes after, unless it is
// synchronised. Until all that it lacks has left the queue it is unsynchronised, and promoted it would lose just that.
// Always true: a mirror has no message that the leader does not have, or has just removed.
// Elsewhere: the queue (classic_queue.h), who is promoted and when (mirror_host.cpp).
// Not here: the ring in which the product passes records on (gm): here each mirror hears from the leader. The ring gives
// all that survive a leader the same records; here those that follow the new one take from it what they had not got.
// Sources: docs 3.13 ha; rabbit_mirror_queue_master, rabbit_mirror_queue_slave; channels wait for all of a queue's pids.
//
//     leader.join(n2);  QueueMirror mirror(queue.ready_count() + queue.unacked_count());
//     leader.pass(effects, out, records);      // records go to all mirrors; confirms wait for them
//     mirror.apply(record); ... leader.acknowledged(n2, number, out);
//     ClassicQueue next = mirror.promote("q", options, now, out);
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "models/rabbitmq/classic_queue.h"
#include "sim/world/types.h"

namespace mqlab::rabbitmq {

struct NumberedMirrorRecord {
  std::uint64_t number{};  // from 1 in this leader's time
  MirrorRecord record{};
};

class MirrorLeader {
 public:
  // A mirror there begins, empty.
  void join(NodeId mirror);
  // It is gone: nothing waits for it any more.
  void leave(NodeId mirror, QueueEffects& out);
  // The queue's effects of one operation go through here: what mirrors must know becomes records for all of them, and
  // confirms wait until all mirrors have what came before.
  void pass(const QueueEffects& effects, QueueEffects& out, std::vector<NumberedMirrorRecord>& records);
  void acknowledged(NodeId mirror, std::uint64_t number, QueueEffects& out);

  std::vector<NodeId> mirrors() const;
  std::size_t waiting() const { return held_.size(); }
  std::uint64_t records() const { return records_; }
  bool operator==(const MirrorLeader&) const = default;

 private:
  struct Held {
    std::uint64_t number{};
    PublishId publish{};

    bool operator==(const Held&) const = default;
  };
  void release(QueueEffects& out);

  std::uint64_t records_ = 0;
  std::map<NodeId, std::uint64_t> acknowledged_;  // by mirror: it has the records up to this
  std::deque<Held> held_;
};

// All of a leader's messages, ready or not, by seq.
std::vector<MirroredMessage> mirrored_messages(const ClassicQueue& leader);

class QueueMirror {
 public:
  // `lacks`: how many messages the leader had when this mirror joined; `next`: the seq that it would give next.
  explicit QueueMirror(std::int64_t lacks = 0, std::uint64_t next = 0) : lacks_(lacks), next_(next) {}

  void apply(const MirrorRecord& r);
  // All of the leader's messages come over (ha-sync-mode); the queue does nothing else meanwhile.
  void synchronise(const std::vector<MirroredMessage>& leader);
  void synchronise(const ClassicQueue& leader) { synchronise(mirrored_messages(leader)); }
  // A mirror of the same leader leads now, has these messages, and gave seqs from `promoted_at` on itself. What this one
  // had lacked before it lacks still; what it had not yet heard of it takes; what the new leader has not got goes.
  void follow(const std::vector<MirroredMessage>& leader, std::uint64_t promoted_at);
  bool synchronised() const { return lacks_ == 0; }
  std::int64_t lacks() const { return lacks_; }

  // What had been delivered and not settled is ready again, flagged; so is what was settled and not heard of here.
  ClassicQueue promote(std::string name, QueueOptions options, Time now, QueueEffects& out) const;

  const std::map<std::uint64_t, MirroredMessage>& messages() const { return messages_; }
  bool operator==(const QueueMirror&) const = default;

 private:
  std::map<std::uint64_t, MirroredMessage> messages_;  // by seq
  std::int64_t lacks_;
  std::uint64_t next_;  // above all seqs that it has heard of
};

}  // namespace mqlab::rabbitmq
