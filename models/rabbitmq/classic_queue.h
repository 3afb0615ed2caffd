// models/rabbitmq/classic_queue.h: one classic queue: a process that keeps messages in order and hands them out.
//
// One rule: a message is in one place: ready, or with one consumer until it is settled; what goes back goes to where
// it was, for the order is that of the publishes. Priorities are queues of their own, the highest first.
// Always true: 1. nobody has more unacked messages than its prefetch. 2. While messages are ready, no consumer that
// could take one waits (but behind a single active consumer, and in 3.x one that follows after a cancel). 3. Only ready messages count against a limit.
// Elsewhere: effects and who is who (queue_effects.h), where dead letters go (dead_letter.h), files (the node).
// Elsewhere too: mirrors (mirrored_queue.h). Not here: the flow control between processes, paging to disk.
// `now` is the node's wall clock: TTL is counted by it. Sources: rabbit_amqqueue_process, rabbit_queue_consumers,
// rabbit_priority_queue, rabbit_variable_queue, rabbit_limiter; docs queues, ttl, maxlength, priority, consumers.
//
//     ClassicQueue q("q", options);
//     q.publish({channel, 1}, content, now, limiter, out);
//     q.consume(spec, now, limiter, out);               // -> Deliver
//     q.ack(channel, {id}, now, limiter, out);
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/rabbitmq/amqp_error.h"
#include "models/rabbitmq/queue_effects.h"
#include "models/rabbitmq/queue_spec.h"
#include "sim/world/tree.h"

namespace mqlab::rabbitmq {

struct MirroredMessage {
  std::uint64_t seq{};
  ContentRef content{};
  Time expiry = time_max;
  std::uint8_t priority = 0;
  bool delivered = false;

  bool operator==(const MirroredMessage&) const = default;
};

class ClassicQueue {
 public:
  ClassicQueue(std::string name, QueueOptions options, Time now = 0);

  // The node is up again. `survived`: the records that the file still had, in their order. After an unclean end all
  // that is recovered counts as delivered before. Requires: the queue is durable. With `clean`: nothing is missing.
  static ClassicQueue recover(const ClassicQueue& before, std::span<const StoreRecord> survived, bool clean, Time now, QueueEffects& out);

  // A mirror becomes the leader with what it has: all of it is ready, and nobody consumes.
  static ClassicQueue promoted(std::string name, QueueOptions options, const std::vector<MirroredMessage>& messages, Time now, QueueEffects& out);

  // --- publishers ---

  // `publish` with no_channel: nobody waits for a confirm (also of dead letters).
  void publish(PublishId publish, const ContentRef& content, Time now, Limiter& limiter, QueueEffects& out);
  // The first `records` of what WriteStore gave since the beginning are in the file: their publishers are told.
  void written(std::uint64_t records, QueueEffects& out);

  // --- consumers ---

  // 403 where the queue is in exclusive use, or single-active and `exclusive` is asked for.
  MaybeError consume(const ConsumerSpec& spec, Time now, Limiter& limiter, QueueEffects& out, const std::string& vhost = "/");
  // basic.cancel: what the consumer holds it keeps. An active single consumer hands its part over at once; in 3.x the
  // next one gets nothing before something else happens (the product's queue process even dies at the next publish).
  void cancel(const ConsumerKey& key, Time now, Limiter& limiter, QueueEffects& out);
  // basic.get: a Deliver without a tag, or GetEmpty.
  void get(ChannelId channel, bool no_ack, Time now, Limiter& limiter, QueueEffects& out);
  // The channel is gone: its consumers go and what they held is requeued.
  void channel_down(ChannelId channel, Time now, Limiter& limiter, QueueEffects& out);

  // --- settling; ids that the channel does not hold are ignored ---

  void ack(ChannelId channel, std::span<const DeliveryId> ids, Time now, Limiter& limiter, QueueEffects& out);
  void requeue(ChannelId channel, std::span<const DeliveryId> ids, Time now, Limiter& limiter, QueueEffects& out);
  void discard(ChannelId channel, std::span<const DeliveryId> ids, Time now, Limiter& limiter, QueueEffects& out);  // reject or nack without requeue
  // The channel's shared prefetch has room again, or was lifted.
  void resume(ChannelId channel, Time now, Limiter& limiter, QueueEffects& out);

  // --- the queue itself ---

  std::int64_t purge(Time now, QueueEffects& out);  // how many ready messages are gone; none is dead-lettered
  // Who consumes is told; messages are not dead-lettered; unconfirmed publishes are confirmed.
  void deleted(QueueEffects& out);
  void redeclared(Time now) { last_used_ = now; }   // queue.declare, passive too, renews x-expires
  void set_options(QueueOptions options, Time now, QueueEffects& out);  // a policy changed

  // What is due at `now`: expired messages at the head, the queue's own expiry.
  void tick(Time now, QueueEffects& out);
  Time next_due() const;  // time_max: nothing

  // --- looking ---

  struct Message {
    std::uint64_t seq{};
    ContentRef content{};
    Time expiry = time_max;
    bool delivered = false;   // handed to a consumer before, as far as the queue knows
    bool stored = false;      // its publish record was given to the file
    std::uint8_t priority = 0;

    bool operator==(const Message&) const = default;
  };
  struct Unacked {
    ChannelId channel{};
    std::string tag{};        // empty: basic.get
    Message message{};

    bool operator==(const Unacked&) const = default;
  };

  const std::string& name() const { return name_; }
  const QueueOptions& options() const { return options_; }
  std::int64_t ready_count() const;
  std::int64_t ready_bytes() const { return ready_bytes_; }
  std::int64_t unacked_count() const { return static_cast<std::int64_t>(unacked_.size()); }
  std::int64_t consumer_count() const;
  std::vector<Message> ready() const;                                  // in the order in which they would be delivered
  const std::map<DeliveryId, Unacked>& unacked() const { return unacked_; }
  std::uint64_t next_seq() const { return next_seq_; }
  std::vector<ConsumerKey> consumers() const;                          // in the order registered
  std::optional<ConsumerKey> active_consumer() const { return active_; }  // single active or exclusive
  Tree state(std::string name) const;

  bool operator==(const ClassicQueue&) const = default;

 private:
  struct Consumer {
    ConsumerSpec spec{};
    std::uint64_t order = 0;     // of registration
    std::uint32_t unacked = 0;

    bool operator==(const Consumer&) const = default;
  };
  using SubQueue = std::map<std::uint64_t, Message>;  // by seq

  bool would_overflow(const Content& c) const;
  bool over_limit() const;
  void drop_head(QueueEffects& out);
  void drop_expired(Time now, QueueEffects& out);
  // Gone by the queue's own rules: to the dead-letter exchange, if there is one.
  void bury(const Message& m, DeathReason reason, QueueEffects& out);
  void put(Message m);
  const Message* head() const;
  Message take_head();
  void store(Message& m, QueueEffects& out);
  void replicate(MirrorRecord::Kind kind, const Message& m, QueueEffects& out) const;
  // It has left the queue: the file is told, and whoever still waits for it gets his confirm.
  void leave(const Message& m, QueueEffects& out);
  Time expiry_of(const Content& c, Time now) const;

  bool may_take(const Consumer& c, Limiter& limiter) const;
  // Whose turn it is, with its credit already taken; those passed over leave the round. Null: nobody.
  const Consumer* next_consumer(Limiter& limiter);
  void hand_out(const Consumer& c, Message m, QueueEffects& out);
  void run(Time now, Limiter& limiter, QueueEffects& out);
  // Takes these of the channel's messages out of the unacked ones, oldest first as asked, and gives credit back.
  std::vector<Message> take_back(ChannelId channel, std::span<const DeliveryId> ids, Limiter& limiter, bool& unblocked);
  void requeue_and_run(std::vector<Message> messages, Time now, Limiter& limiter, QueueEffects& out);
  bool unblock(ChannelId channel, const Limiter& limiter);  // true: somebody is back in the round
  void into_round(Consumer c);
  Consumer* find(const ConsumerKey& key);
  // The consumer is gone from the round: another may become the active one.
  void replace_active(ConsumerKey gone, QueueEffects& out);  // a copy: it may be the active one
  bool auto_delete(QueueEffects& out);

  std::string name_;
  QueueOptions options_;
  std::map<int, SubQueue, std::greater<>> ready_;    // priority -> messages; only priority 0 without x-max-priority
  std::map<DeliveryId, Unacked> unacked_;
  std::int64_t ready_bytes_ = 0;
  std::uint64_t next_seq_ = 1;
  std::uint64_t next_deliver_seq_ = 1;               // above all that were ever handed out

  std::vector<Consumer> round_;                      // by priority, and in it whose turn is next
  std::vector<Consumer> blocked_;                    // without credit when their turn came
  std::uint64_t next_order_ = 1;
  std::optional<ConsumerKey> active_;
  bool had_consumer_ = false;
  bool gone_ = false;                                // DeleteQueue was given
  Time last_used_ = 0;

  std::map<std::uint64_t, PublishId> unconfirmed_;   // seq -> who waits until it is written
  std::deque<std::uint64_t> unwritten_;              // records given and not yet written: the seq of a publish, 0 an ack
  std::uint64_t written_ = 0;
};

}  // namespace mqlab::rabbitmq
