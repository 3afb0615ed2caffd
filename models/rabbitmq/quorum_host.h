// models/rabbitmq/quorum_host.h: a node's part in quorum queues: models/raft in the world, with a QuorumQueue on top.
//
// One rule: a command does nothing before a majority of the members has it on disk; then every member applies it, the
// leader carries out its effects, and a member carries out the deliveries to channels of its own node.
// Any node may submit a command: it goes to whoever leads, and again, in order, until it is answered. A message that
// is sent twice so is enqueued once (its sender's number); what a client sends twice is not seen through here.
// Effects are neither repeated for certain nor lost for certain when a leader ends: what it had applied and not told
// is told by nobody, what a restarted member applied in the seconds before its end it tells again if it leads.
// Always true: nothing leaves before what it depends on is on disk; a replica's machine is a function of its log.
// Elsewhere: the consensus (models/raft), the machine (quorum_queue.h), what becomes of the news (the node).
// Reading order: quorum_host.cpp (replicas), quorum_submit.cpp (commands and effects between nodes).
// Departs from Ra: replicas hear from their leader (heartbeat) where Ra's failure detector asks whole nodes; a queue's
// file is synced by the handler where Ra has one write-ahead log a node and goes on meanwhile. No change of members.
// Sources: ra (ra_server, ra_machine, INTERNALS.md), aten, rabbit_quorum_queue, rabbit_fifo (state_enter, init_aux),
// rabbit_fifo_client (pending, resend_all_pending).
//
//     host.create(c, "q", {.options = options, .rules = rules, .members = brokers, .file = 7, .first_leader = b1});
//     host.submit(c, "q", channel, Enqueue{channel, 1, content}, ticket);
//     for (QuorumNews& n : host.take()) ...
#pragma once

#include <deque>
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

// The same on all nodes of the cluster, members or not, but for the file.
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
  Duration retry = 500'000'000;                // rest before commands are sent again where no leader is known
  Duration resend_after = 10'000'000'000;      // ... and where one is, and does not answer (rabbit_fifo_client)
};

// --- what the node is told, in order ---

// For a channel of this node, or (dead letters, drops, the end of the queue) for the leader's node.
struct QuorumEffect { std::string queue{}; QueueEffect effect{}; };
// What was submitted here with a ticket is applied.
struct QuorumAnswer { std::string queue{}; std::uint64_t ticket = 0; QuorumReply reply{}; };
// This node knows another leader; nobody: it knows of none.
struct QuorumLeader { std::string queue{}; NodeId leader = nobody; };

using QuorumNews = std::variant<QuorumEffect, QuorumAnswer, QuorumLeader>;

// --- messages between nodes ---

inline constexpr MessageKind quorum_kind = 200;        // + raft::Kind
inline constexpr MessageKind quorum_hello_kind = 211;  // the first channel number of the sender's present life
inline constexpr MessageKind quorum_request_kind = 212;
inline constexpr MessageKind quorum_answer_kind = 213;
inline constexpr MessageKind quorum_redirect_kind = 214;  // not the leader; perhaps it knows who is
inline constexpr MessageKind quorum_effect_kind = 215;
inline constexpr TimerKind timer_quorum = 20;          // a raft timer: file, timer, peer in one word
inline constexpr TimerKind timer_quorum_due = 21;      // the machine's next_due: file
inline constexpr TimerKind timer_quorum_retry = 22;    // file

struct QuorumTraffic : Payload {
  QuorumTraffic(std::string q, PayloadRef m) : queue(std::move(q)), message(std::move(m)) {}
  std::string queue;
  PayloadRef message;
};
struct QuorumHello : Payload {
  explicit QuorumHello(ChannelId first) : first(first) {}
  ChannelId first;
};
struct QuorumRequest : Payload {
  QuorumRequest(std::string q, ChannelId life, std::uint64_t number, QuorumCommand c)
      : queue(std::move(q)), life(life), number(number), command(std::move(c)) {}
  std::string queue;
  ChannelId life;          // of the node that asks: an answer to an earlier one means nothing
  std::uint64_t number;
  QuorumCommand command;
};
struct QuorumResponse : Payload {
  std::string queue;
  ChannelId life = 0;
  std::uint64_t number = 0;
  QuorumReply reply{};
  NodeId leader = nobody;  // of a redirect
};
struct QuorumEffectMessage : Payload {
  QuorumEffectMessage(std::string q, QueueEffect e) : queue(std::move(q)), effect(std::move(e)) {}
  std::string queue;
  QueueEffect effect;
};
const std::vector<MessageDecl>& quorum_message_declarations();

// Who is answered when an entry is applied.
struct QuorumAsker {
  NodeId node = nobody;            // nobody: the host itself proposed it
  ChannelId life = 0;
  std::uint64_t number = 0;

  bool operator==(const QuorumAsker&) const = default;
};

class QuorumHost {
 public:
  explicit QuorumHost(QuorumTimes times = {}) : times_(times) {}

  // The process begins; all replicas come up with what their files hold. No channel of an earlier life has a number
  // from `first_channel` on.
  void start(Context& c, ChannelId first_channel);
  void create(Context& c, const std::string& queue, QuorumPlan plan);
  void erase(Context& c, const std::string& queue);

  // Sent to whoever leads, until it is applied; a ticket other than 0 is answered then. What one node submits to one
  // queue keeps its order.
  void submit(Context& c, const std::string& queue, ChannelId owner, QuorumCommand command, std::uint64_t ticket = 0);
  // The channel's process is gone, and what it had not been answered with it. What is under way may still arrive.
  void forget(const std::string& queue, ChannelId owner);

  // True when the event was this host's.
  bool on_message(Context& c, const Message& m);
  bool on_timer(Context& c, TimerKind kind, std::uint64_t argument);
  bool on_closed(Context& c, ConnId connection, NodeId peer);
  bool on_disk(Context& c, FileId file, std::int64_t end, DiskResult result);
  void on_crash(const Crash& crash);
  // The application ends, and its node stays: no timer, no connection is left.
  void stop(Context& c);
  // Leaders step down, for an end in good order.
  void resign(Context& c);

  std::vector<QuorumNews> take() { return std::exchange(news_, {}); }

  bool has(const std::string& queue) const { return routes_.count(queue) != 0; }
  bool leads(const std::string& queue) const;
  NodeId leader(const std::string& queue) const;           // as far as known here
  const QuorumQueue* machine(const std::string& queue) const;  // as applied here; null: no replica
  const raft::Raft* raft(const std::string& queue) const;
  // Nothing that was submitted here is unanswered, and a replica here has applied all that its log has.
  bool settled(const std::string& queue) const;
  // At least so many commands of the channel are not applied yet, or not known to be.
  bool pending(const std::string& queue, ChannelId owner, std::size_t at_least) const;
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
    std::map<raft::Offset, QuorumAsker> asked{};  // who waits for what was proposed in this leadership
    // The write-ahead log: what is said leaves when it is on disk, but for a leader's entries, and one sync serves all
    // that came meanwhile.
    struct Held { NodeId to = nobody; MessageKind kind{}; PayloadRef payload{}; std::uint32_t bytes = 0; };
    std::deque<Held> held{};
    std::size_t covered = 0;        // so many of them, from the front, wait for the sync under way
    bool syncing = false;
    bool unsynced = false;          // something new wants a sync
    std::map<std::uint64_t, EventId> timers{};
    EventId due_timer = no_event;
    Time due = time_max;
    bool tick_under_way = false;
  };
  // How this node speaks to a queue, wherever its members are.
  struct Route {
    std::vector<NodeId> members{};  // durable, as is the file
    FileId file = 0;

    struct Pending {
      ChannelId owner = no_channel;
      QuorumCommand command{};
      std::uint64_t ticket = 0;
      Time sent_at = 0;
    };
    bool resends = true;            // Rules::resends_after_cut
    NodeId leader = nobody;
    NodeId last_leader = nobody;    // the last one that was known
    std::map<std::uint64_t, Pending> pending{};  // in the order submitted
    std::uint64_t next = 1;
    std::size_t guess = 0;          // which member to ask where no leader is known
    bool stalled = false;           // what is submitted waits for the timer
    EventId timer = no_event;       // runs while something is pending
  };

  void start_replica(Context& c, const std::string& queue, Replica& r);
  void step(Context& c, const std::string& queue, Replica& r, raft::Outbox& out);
  void carry_out(Context& c, const std::string& queue, Replica& r, raft::Outbox& out);
  void say(Context& c, Replica::Held what);
  void release(Context& c, Replica& r, std::size_t many);
  void sync_if_needed(Context& c, Replica& r);
  void apply(Context& c, const std::string& queue, Replica& r);
  void tell(Context& c, const std::string& queue, Replica& r, QueueEffects effects);
  void compact(Context& c, const std::string& queue, Replica& r);
  void spread_commit(Context& c, const std::string& queue, Replica& r);
  void became_leader(Context& c, const std::string& queue, Replica& r);
  void end_old_lives(Context& c, const std::string& queue, Replica& r, NodeId node);
  void set_due(Context& c, Replica& r);
  bool propose(Context& c, const std::string& queue, Replica& r, QuorumCommand command, QuorumAsker asked = {});

  // quorum_submit.cpp
  bool on_cluster_message(Context& c, const Message& m);
  void send(Context& c, const std::string& queue, Route& route, std::uint64_t number);
  void send_all(Context& c, const std::string& queue, Route& route);
  void stall(Context& c, Route& route);
  void set_route_timer(Context& c, Route& route, Duration delay);
  void on_route_timer(Context& c, const std::string& queue, Route& route);
  void peer_lost(Context& c, NodeId peer);
  void set_leader(Context& c, const std::string& queue, NodeId leader);
  void answer(Context& c, const std::string& queue, const QuorumAsker& asked, const QuorumReply& reply);
  void answered(const std::string& queue, std::uint64_t number, const QuorumReply& reply);

  void node_is_back(Context& c, NodeId node);
  ConnId connection_to(Context& c, NodeId node);

  QuorumTimes times_;
  std::map<std::string, Replica> replicas_;
  std::map<std::string, Route> routes_;
  std::map<FileId, std::string> files_;

  // Lost with the process.
  ChannelId first_channel_ = 0;
  std::map<NodeId, ChannelId> lives_;     // first channel of each node's present life, where it was told
  std::map<NodeId, ConnId> connections_;
  std::set<ConnId> links_;                // every connection that ever was this host's
  std::map<FileId, int> stale_syncs_;     // syncs that the application of an earlier life asked for and that have not ended
  std::set<NodeId> down_;                 // the connection broke, and nothing was heard since
  std::vector<QuorumNews> news_;
};

}  // namespace mqlab::rabbitmq
