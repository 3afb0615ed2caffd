// models/rabbitmq/quorum_queue.h: one quorum queue: a state machine whose commands come out of a Raft log.
//
// One rule: the state is a function of the commands in log order, so every replica has the same; effects are carried
// out by the leader alone, and may be lost or repeated when leadership moves. Time is the leader's wall clock, and
// travels with the command.
// Always true: 1. each message is ready, returned, delayed, with one consumer, or kept for dead-lettering. 2. Nobody
// has more messages than its credit allows. 3. A sender's messages are enqueued in the order of its numbers, each once.
// What a client sees of releases differs by Rules: what counts against the delivery limit, where a returned message
// goes, priorities, what an unreachable node costs.
// Elsewhere: the log and the replicas (quorum_host.h, models/raft), the channel's side (quorum_client.h).
// Not here: reads of AMQP 1.0 (credited links, modified outcomes), release cursors.
// Sources: rabbit_fifo_v3 (3.10 to 3.13), rabbit_fifo_v7 (4.0 to 4.2), rabbit_fifo (4.3), rabbit_fifo_dlx; docs quorum-queues.
//
//     QuorumQueue q("q", options, rules);
//     QuorumReply r = q.apply({.index = 7, .now = now}, Enqueue{sender, 1, content}, out);   // -> Confirm
//     QuorumQueue snapshot = q;
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "models/rabbitmq/queue_effects.h"
#include "models/rabbitmq/queue_spec.h"
#include "models/rabbitmq/rules.h"
#include "sim/world/payload.h"
#include "sim/world/tree.h"

namespace mqlab::rabbitmq {

// --- commands ---

// `seq` counts from 1 for each sender; no_channel: untracked (dead letters), nobody is answered.
struct Enqueue { ChannelId sender = no_channel; std::uint64_t seq = 0; ContentRef content{}; };
struct RegisterEnqueuer { ChannelId sender = no_channel; };  // the reply says whether the queue rejects publishes now
struct Settle { ConsumerKey consumer{}; std::vector<DeliveryId> ids{}; };
struct Discard { ConsumerKey consumer{}; std::vector<DeliveryId> ids{}; };                      // without requeue
struct Return { ConsumerKey consumer{}; std::vector<DeliveryId> ids{}; bool failed = false; };  // failed: basic.reject
struct Checkout { ConsumerSpec consumer{}; };            // basic.consume, also again with another prefetch
struct Cancel { ConsumerKey consumer{}; };               // basic.cancel: what it holds it keeps
struct Dequeue { ConsumerKey consumer{}; bool no_ack = false; };  // basic.get, under a tag that nobody else uses
struct Purge {};
struct ChannelDown { ChannelId channel = no_channel; };  // the channel's process ended
struct NodeDown { NodeId node = nobody; };               // not reachable: its channels may live (noconnection)
struct NodeUp { NodeId node = nobody; };
struct Tick {};                                          // the leader saw that next_due() has come
struct DlxCheckout { std::uint32_t prefetch = 32; };     // the dead-letter worker begins
struct DlxSettle { std::vector<DeliveryId> ids{}; };
struct SetOptions { QueueOptions options{}; };           // a policy changed

using QuorumCommand = std::variant<Enqueue, RegisterEnqueuer, Settle, Discard, Return, Checkout, Cancel, Dequeue, Purge,
                                   ChannelDown, NodeDown, NodeUp, Tick, DlxCheckout, DlxSettle, SetOptions>;

// A command as an entry of a Raft log, with the leader's clock.
struct QuorumEntry : Payload {
  QuorumEntry(Time now, QuorumCommand c) : now(now), command(std::move(c)) {}
  Time now;
  QuorumCommand command;
};

std::string describe(const QuorumCommand& c);

struct QuorumMeta {
  std::uint64_t index = 0;  // in the log
  Time now = 0;
};

struct QuorumReply {
  enum class Kind : std::uint8_t {
    ok,
    not_enqueued,    // a number was skipped: nothing was done
    reject_publish,  // of RegisterEnqueuer: the queue is full
    empty,           // of Dequeue
    locked,          // of Dequeue: a queue with a single active consumer serves nobody else (405)
    not_found,       // of Cancel: no such consumer
  };
  Kind kind = Kind::ok;
  std::int64_t count = 0;  // of Purge: messages gone

  bool operator==(const QuorumReply&) const = default;
};

class QuorumQueue {
 public:
  QuorumQueue(std::string name, QueueOptions options, Rules rules, Time now = 0);

  QuorumReply apply(const QuorumMeta& meta, const QuorumCommand& command, QueueEffects& out);

  // When a Tick is due, by the leader's wall clock; time_max: never as things stand.
  Time next_due() const;
  // Deliveries that may have been lost when another became leader: all that is checked out (the channel drops what it has).
  void resend(ChannelId channel, QueueEffects& out) const;

  // --- looking ---

  struct Message {
    std::uint64_t index{};        // of its entry; a returned message without limit gets a new one
    ContentRef content{};
    Time expiry = time_max;
    std::int32_t acquired = 0;    // assignments that ended in a return
    std::int32_t failed = 0;      // those among them that count as failures
    bool operator==(const Message&) const = default;
  };
  enum class Status : std::uint8_t {
    up,
    cancelled,   // still holds something
    quiescing,   // single active: a higher one waits until it holds nothing
  };
  struct Consumer {
    ConsumerSpec spec{};
    Status status = Status::up;
    Time suspected_at = time_max;           // its node is not reachable since
    std::vector<DeliveryId> timed_out{};    // taken away, and not yet settled: it gets nothing until then
    bool once = false;            // basic.get, or cancelled: credit is not given back
    std::uint32_t credit = 0;
    DeliveryId next_id = 0;
    struct Held { Message message{}; Time deadline = time_max; bool operator==(const Held&) const = default; };
    std::map<DeliveryId, Held> checked_out{};
    std::uint64_t order = 0;      // of registration

    bool suspected() const { return suspected_at != time_max; }
    bool serves() const { return status == Status::up && !suspected() && timed_out.empty(); }
    bool operator==(const Consumer&) const = default;
  };
  struct Enqueuer {
    std::uint64_t next_seq = 1;
    bool blocked = false;         // told to reject
    bool operator==(const Enqueuer&) const = default;
  };

  const std::string& name() const { return name_; }
  const QueueOptions& options() const { return options_; }
  const Rules& rules() const { return rules_; }
  std::int64_t ready_count() const;                           // returns included
  std::int64_t ready_bytes() const { return ready_bytes_; }
  std::int64_t unacked_count() const;
  std::int64_t delayed_count() const { return static_cast<std::int64_t>(delayed_.size()); }
  std::int64_t dead_letter_count() const { return static_cast<std::int64_t>(discards_.size() + dlx_checked_out_.size()); }
  std::int64_t consumer_count() const { return static_cast<std::int64_t>(consumers_.size() + waiting_.size()); }
  std::vector<Message> ready() const;                         // in the order in which they would be taken
  const std::map<ConsumerKey, Consumer>& consumers() const { return consumers_; }
  const std::vector<Consumer>& waiting() const { return waiting_; }
  const std::map<ChannelId, Enqueuer>& enqueuers() const { return enqueuers_; }
  std::optional<ConsumerKey> active_consumer() const;
  Tree state(std::string name) const;

  bool operator==(const QuorumQueue&) const = default;

 private:
  struct Dead { DeathReason reason{}; Message message{}; bool operator==(const Dead&) const = default; };

  QuorumReply on(const QuorumMeta&, const Enqueue&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const RegisterEnqueuer&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Settle&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Discard&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Return&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Checkout&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Cancel&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Dequeue&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Purge&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const ChannelDown&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const NodeDown&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const NodeUp&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const Tick&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const DlxCheckout&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const DlxSettle&, QueueEffects&);
  QuorumReply on(const QuorumMeta&, const SetOptions&, QueueEffects&);

  // Messages (quorum_queue.cpp).
  Time expiry_of(const Content& c, Time now) const;
  int level_of(const Content& c) const;
  int default_level() const;
  int next_level() const;                       // of the ready ones. Requires: there are some
  const Message* peek() const;                  // what would be taken next; null: nothing
  Message take_next();                          // Requires: peek()
  void put(int level, Message m);
  std::int64_t limited_count() const;
  std::int64_t limited_bytes() const;
  bool over_limit() const;
  bool below_soft_limit() const;
  void expire(Time now, QueueEffects& out);
  void end_delays(Time now);
  void bury(const Message& m, DeathReason reason, QueueEffects& out);
  void unblock_publishers(QueueEffects& out);
  void keep_limit(bool was_below, QueueEffects& out);
  void serve_dlx(QueueEffects& out);
  void deliver(const Consumer& c, DeliveryId id, bool get, QueueEffects& out) const;

  // Consumers (quorum_consumers.cpp).
  Consumer* find(const ConsumerKey& key);       // of those in consumers_
  Consumer* find_waiting(const ConsumerKey& key);
  bool is_active(const Consumer& c) const;
  void into_waiting(Consumer c);
  void queue_for_service(const Consumer& c);
  void update_or_remove(const ConsumerKey& key, Time now, QueueEffects& out);  // it holds less than before
  void merge(Consumer& there, const ConsumerSpec& spec);  // the same tag again
  void activate_next(QueueEffects& out);
  void step_down(const ConsumerKey& key, QueueEffects& out);  // back behind the active one
  void give_credit(Consumer& c, std::size_t n) const;
  bool settle_timed_out(Consumer& c, const std::vector<DeliveryId>& ids) const;  // true: it serves again
  bool settle_waiting(const ConsumerKey& key, const std::vector<DeliveryId>& ids);
  // What the consumer holds of these leaves it, in that order.
  std::vector<Message> take_back(Consumer& c, const std::vector<DeliveryId>& ids);
  void return_messages(Consumer& c, const std::vector<DeliveryId>& ids, const QuorumMeta& meta, bool failed, bool to_tail, QueueEffects& out);
  void return_all(const ConsumerKey& key, const QuorumMeta& meta, bool failed, QueueEffects& out);
  void node_down_at_once(NodeId node, const QuorumMeta& meta, QueueEffects& out);
  void time_out(const QuorumMeta& meta, QueueEffects& out);
  void end_suspicions(const QuorumMeta& meta, QueueEffects& out);
  void assign(Consumer& c, Time now, bool get, QueueEffects& out);

  // After a command: expired heads go, consumers are served, dead letters handed to the worker, the limit kept.
  void checkout(Time now, bool was_below, QueueEffects& out);

  std::string name_;
  QueueOptions options_;
  Rules rules_;

  std::map<int, std::deque<Message>, std::greater<>> ready_;  // by level; without priorities only level 0
  std::uint32_t turn_ = 0;                                    // 4.0 to 4.2: of three, the last is a normal one's
  std::deque<Message> returns_;
  std::map<std::pair<Time, std::uint64_t>, Message> delayed_;  // 4.3: by ready time and index
  std::int64_t ready_bytes_ = 0;

  std::map<ChannelId, Enqueuer> enqueuers_;
  std::map<ConsumerKey, Consumer> consumers_;
  std::vector<ConsumerKey> service_;                          // who is to be served, by priority, then in turn
  std::vector<Consumer> waiting_;                             // behind a single active consumer
  std::uint64_t next_order_ = 1;
  Time last_active_ = 0;
  Time last_command_ = 0;

  std::deque<Dead> discards_;                                 // at-least-once
  std::map<DeliveryId, Dead> dlx_checked_out_;
  DeliveryId dlx_next_id_ = 0;
  std::uint32_t dlx_prefetch_ = 0;                            // 0: no worker
  bool deleted_ = false;
};

}  // namespace mqlab::rabbitmq
