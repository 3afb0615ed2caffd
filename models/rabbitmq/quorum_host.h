// models/rabbitmq/quorum_host.h: a node's replicas of quorum queues: models/raft in the world, with a QuorumQueue on top.
//
// One rule: a command does nothing before a majority of the members has it on disk; then every member applies it, the
// leader carries out its effects, and a member carries out the deliveries to channels of its own node.
// Effects are neither repeated for certain nor lost for certain when a leader ends: what it had applied and not told
// is told by nobody, what a restarted member applied in the seconds before its end it tells again if it leads.
// Always true: nothing leaves before what it depends on is on disk; a replica's machine is a function of its log.
// Elsewhere: the consensus (models/raft), the machine (quorum_queue.h), the channel's memory (quorum_client.h), what
// becomes of the news (the node).
// Departs from Ra: replicas hear from their leader (heartbeat) where Ra's failure detector asks whole nodes; a queue's
// file is synced by the handler where Ra has one write-ahead log a node and goes on meanwhile. No change of members.
// Sources: ra (ra_server, ra_machine, INTERNALS.md), aten, rabbit_quorum_queue, rabbit_fifo (state_enter, init_aux).
//
//     host.create(c, "q", {.options = options, .rules = rules, .members = brokers, .file = 7, .first_leader = b1});
//     if (!host.propose(c, "q", Enqueue{...})) ask host.leader("q");
//     for (QuorumNews& n : host.take()) ...
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "models/raft/raft.h"
#include "models/rabbitmq/quorum_queue.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

namespace mqlab::rabbitmq {

struct QuorumPlan {
  QueueOptions options{};
  Rules rules{};
  std::vector<NodeId> members{};   // ascending
  FileId file = 0;                 // of this node's disk
  NodeId first_leader = nobody;    // who stands for election when the queue is new
  Time created = 0;                // wall clock of whoever declared it; the same for all members
};

struct QuorumTimes {
  Duration heartbeat = 1'000'000'000;          // aten poll_interval
  Duration election_timeout = 5'000'000'000;   // silence that counts as death, drawn from [t, 2t)
  Duration suspicion = 500'000'000;            // ... and how soon, at most, when the connection to the leader broke
  std::int64_t snapshot_every = 4096;          // entries; rabbit_fifo's checkpoints
  Duration last_applied_every = 5'000'000'000; // how stale the note of what was applied may be
};

// --- what the node is told, in order ---

struct QuorumEffect { std::string queue{}; QueueEffect effect{}; };
struct QuorumAnswer { std::string queue{}; std::uint64_t ticket = 0; QuorumReply reply{}; };
// A command proposed here with a ticket: leadership was lost, and it may or may not come to be.
struct QuorumUnknown { std::string queue{}; std::uint64_t ticket = 0; };
// This replica now follows, or is, another leader; nobody: it knows of none. Channels send again what is unanswered.
struct QuorumLeader { std::string queue{}; NodeId leader = nobody; };

using QuorumNews = std::variant<QuorumEffect, QuorumAnswer, QuorumUnknown, QuorumLeader>;

// --- messages between members ---

inline constexpr MessageKind quorum_kind = 200;        // + raft::Kind
inline constexpr MessageKind quorum_hello_kind = 211;  // the first channel number of the sender's present life
inline constexpr TimerKind timer_quorum = 20;          // a raft timer: file, timer, peer in one word
inline constexpr TimerKind timer_quorum_due = 21;      // the machine's next_due: file

struct QuorumTraffic : Payload {
  QuorumTraffic(std::string q, PayloadRef m) : queue(std::move(q)), message(std::move(m)) {}
  std::string queue;
  PayloadRef message;
};
struct QuorumHello : Payload {
  explicit QuorumHello(ChannelId first) : first(first) {}
  ChannelId first;
};
const std::vector<MessageDecl>& quorum_message_declarations();

class QuorumHost {
 public:
  explicit QuorumHost(QuorumTimes times = {}) : times_(times) {}

  // The process begins; all replicas come up with what their files hold. No channel of an earlier life has a number
  // from `first_channel` on.
  void start(Context& c, ChannelId first_channel);
  void create(Context& c, const std::string& queue, QuorumPlan plan);
  void erase(Context& c, const std::string& queue);

  // Proposes a command; false: this node does not lead. A ticket other than 0 is answered.
  bool propose(Context& c, const std::string& queue, QuorumCommand command, std::uint64_t ticket = 0);

  // True when the event was this host's.
  bool on_message(Context& c, const Message& m);
  bool on_timer(Context& c, TimerKind kind, std::uint64_t argument);
  bool on_closed(Context& c, ConnId connection, NodeId peer);
  void on_crash(const Crash& crash);
  // Leaders step down, for an end in good order.
  void resign(Context& c);

  std::vector<QuorumNews> take() { return std::exchange(news_, {}); }

  bool has(const std::string& queue) const { return replicas_.count(queue) != 0; }
  bool leads(const std::string& queue) const;
  NodeId leader(const std::string& queue) const;           // as far as known here
  const QuorumQueue* machine(const std::string& queue) const;  // as applied here; null: no replica
  const raft::Raft* raft(const std::string& queue) const;
  // The leader has had something of its own committed, and all that is committed is applied here.
  bool settled(const std::string& queue) const;
  Tree state(const std::string& name) const;

 private:
  struct Replica {
    QuorumPlan plan{};
    raft::Durable durable{};        // what a restart begins with
    raft::Offset told = 0;          // durable: effects of entries before this are not carried out again
    Time told_at = 0;
    bool fresh = true;              // durable: it has never been up

    raft::Raft raft{};
    std::optional<QuorumQueue> machine{};
    raft::Offset applied = 0;
    raft::Offset commit_spread = 0; // the leader has told the others that so much is committed
    std::map<raft::Offset, std::uint64_t> asked{};  // tickets of what was proposed in this leadership
    NodeId known_leader = nobody;
    std::map<std::uint64_t, EventId> timers{};
    EventId due_timer = no_event;
    Time due = time_max;
    bool tick_under_way = false;
  };

  void start_replica(Context& c, const std::string& queue, Replica& r);
  void step(Context& c, const std::string& queue, Replica& r, raft::Outbox& out);
  void carry_out(Context& c, const std::string& queue, Replica& r, raft::Outbox& out);
  void apply(Context& c, const std::string& queue, Replica& r);
  void tell(Context& c, const std::string& queue, Replica& r, QueueEffects effects);
  void compact(Context& c, const std::string& queue, Replica& r);
  void spread_commit(Context& c, const std::string& queue, Replica& r);
  void watch_leader(const std::string& queue, Replica& r);
  void became_leader(Context& c, const std::string& queue, Replica& r);
  void end_old_lives(Context& c, const std::string& queue, Replica& r, NodeId node);
  void set_due(Context& c, Replica& r);
  void node_is_back(Context& c, NodeId node);
  ConnId connection_to(Context& c, NodeId node);

  QuorumTimes times_;
  std::map<std::string, Replica> replicas_;
  std::map<FileId, std::string> files_;

  // Lost with the process.
  ChannelId first_channel_ = 0;
  std::map<NodeId, ChannelId> lives_;     // first channel of each node's present life, where it was told
  std::map<NodeId, ConnId> connections_;
  std::set<NodeId> down_;                 // the connection broke, and nothing was heard since
  std::vector<QuorumNews> news_;
};

}  // namespace mqlab::rabbitmq
