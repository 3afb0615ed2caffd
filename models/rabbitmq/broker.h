// models/rabbitmq/broker.h: a RabbitMQ node: connections, channels, the virtual host, and the queues that live here.
//
// A method comes in over a connection; the channel checks it and asks queues (QueueOp); queues answer (QueueEvent)
// and the channel tells its client. Both lists are worked off in order before the handler ends, so what a client
// sees has the order in which the processes of a real node would have said it.
// Always true: what survives a crash is `durable_`, as far as the disk kept it; all else ends with the process.
// In a cluster a classic queue and a stream live on one node and a quorum queue on all; any node takes clients. A classic
// queue may have mirrors (3.x), one of which becomes its home when that node is gone.
// Elsewhere: what a queue does (classic_queue.h ...), routing (routing.h), the replicas of quorum queues
// (quorum_host.h), clients (client.h).
// Reading order: broker.cpp, connection.cpp, declare.cpp, publish.cpp, consume.cpp, queue_host.cpp,
// dlx_worker.cpp, cluster.cpp, partition.cpp, autoheal.cpp, mirror_host.cpp, flow.cpp, alarms.cpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "models/rabbitmq/channel.h"
#include "models/rabbitmq/classic_queue.h"
#include "models/rabbitmq/cluster.h"
#include "models/rabbitmq/mirror_host.h"
#include "models/rabbitmq/quorum_host.h"
#include "models/rabbitmq/routing.h"
#include "models/rabbitmq/settings.h"
#include "models/rabbitmq/stream_queue.h"
#include "sim/world/world.h"

namespace mqlab::rabbitmq {

// A queue as the virtual host knows it, with what its file holds.
struct QueueRecord {
  QueueSpec spec{};
  std::size_t broker = 0;                 // where it lives; of a quorum queue: who leads first
  FileId file = 0;                        // on this node's disk
  Time created = 0;                       // wall clock of whoever declared it
  ConnId owner = no_connection;           // exclusive: whose
  QueueCopies copies{};                   // of a mirrored queue; `broker` leads it
  std::vector<StoreRecord> store{};       // classic: what was written, in order
  SharedVector<StreamChunk> chunks{};     // stream
};

// The process of a queue that lives here.
struct QueueProcess {
  std::variant<ClassicQueue, StreamQueue> machine;
  std::size_t store_base = 0;             // records that the file held when the process began
  bool sync_asked = false;
  EventId timer = no_event;
  Time timer_due = time_max;
  std::deque<QueueOp> mailbox{};          // its process is busy with a message (queue_service)
  EventId busy = no_event;
  std::map<ChannelId, std::int64_t> taken{};  // messages of each channel, since it was granted some
};

// Who hands on the dead letters of a quorum queue at least once (dlx_worker.cpp).
struct DlxWorker {
  struct Pending {
    ContentRef content{};
    DeathReason reason{};
    std::set<std::string> waits_for{};  // queues that have not confirmed it
    bool noted = false;                 // the history has it
  };
  ChannelId id = no_channel;
  std::map<DeliveryId, Pending> pending{};
  std::map<std::string, std::uint64_t> sent{};                                 // to quorum queues, by queue
  std::map<std::string, std::map<std::uint64_t, DeliveryId>> numbers{};
};

class Broker : public NodeBase<Broker> {
 public:
  Broker(ClusterRef cluster, std::size_t index);

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_disk(Context& c, FileId file, std::int64_t end, DiskResult result) override;
  void on_stop(Context& c) override;
  void on_crash(const Crash& crash) override;
  void on_command(Context& c, const std::string& verb, const std::string& argument) override;
  Tree state() const override;

  // --- looking ---
  const ClusterRef& cluster() const { return cluster_; }
  const Routing& routing() const { return durable_.routing; }
  const std::map<std::string, QueueRecord>& queues() const { return durable_.queues; }
  const QueueProcess* process(const std::string& queue) const;
  const QuorumHost& quorum() const { return host_; }
  const std::map<ConnId, Connection>& connections() const { return connections_; }
  bool alarm() const { return memory_alarm_ || low_on_disk(); }
  // 3.x: clients are served; off while the node is paused, heals, or has not yet heard from those it must ask.
  bool serves() const { return app_ == App::runs; }
  // It leads the mirrored queue, as far as it knows.
  bool leads(const std::string& queue) const;
  const MirrorRole* mirror_role(const std::string& queue) const;
  // Whom it is partitioned from (3.x).
  std::set<std::size_t> split_from() const;
  // Messages that are here and not settled, ready and with consumers: where the queue lives, or of a quorum queue as this
  // node knows it.
  std::int64_t ready_count(const std::string& queue) const;
  std::int64_t unacked_count(const std::string& queue) const;
  std::int64_t consumer_count(const std::string& queue) const;
  // Nothing of a client is under way here, whatever becomes of queues that are gone.
  bool idle(const std::set<std::string>& gone = {}) const;

 private:
  // --- broker.cpp ---
  void start_queues(Context& c);
  void work(Context& c);
  void define_topics(Context& c);
  void start_queue(Context& c, const std::string& queue, bool clean);
  Channel* channel_of(ChannelId id);
  Connection* connection_of(const Channel& ch);

  // --- connection.cpp: handshake, channels, errors, heartbeats ---
  void on_connection_method(Context& c, Connection& conn, const Message& m);
  void on_channel_message(Context& c, Connection& conn, const Message& m);
  void handle(Context& c, Connection& conn, Channel& ch, const Message& m);
  MaybeError method(Context& c, Connection& conn, Channel& ch, const Message& m);
  void fail(Context& c, Connection& conn, std::uint16_t channel, const AmqpError& e, Kind method);
  void close_connection(Context& c, Connection& conn, std::uint16_t code, const std::string& text, Kind method);
  void end_channel(Context& c, Channel& ch);
  void drop_connection(Context& c, ConnId id);
  void beat(Context& c, ConnId id);
  template <class M>
  void tell(Context& c, const Channel& ch, Kind k, M m, std::uint32_t bytes = 32) {
    c.send(ch.connection, kind(k), framed(std::move(m)), bytes, ch.number);
  }
  void tell(Context& c, const Channel& ch, Kind k) { c.send(ch.connection, kind(k), nullptr, 16, ch.number); }

  // --- declare.cpp: exchanges, queues, bindings ---
  MaybeError on_exchange_declare(Context& c, Channel& ch, const ExchangeDeclare& m);
  MaybeError on_queue_declare(Context& c, Connection& conn, Channel& ch, const QueueDeclare& m);
  MaybeError on_queue_delete(Context& c, Connection& conn, Channel& ch, const QueueDelete& m);
  MaybeError on_queue_bind(Context& c, Connection& conn, Channel& ch, const QueueBind& m, bool unbind);
  MaybeError on_purge(Context& c, Connection& conn, Channel& ch, const QueuePurge& m);
  // The queue that a method names, with the channel's last one for an empty name; else 404, or 405 if it is another's.
  MaybeError find_queue(const Connection& conn, const Channel& ch, const std::string& name, QueueRecord*& out);
  MaybeError refuse_stranger(const QueueRecord& q, const Connection& conn) const;
  void create_queue(Context& c, const QueueSpec& spec, ConnId owner);
  void add_queue(Context& c, const QueueHome& home, ConnId owner);
  void delete_queue(Context& c, const std::string& queue);
  void erase_queue(Context& c, const std::string& queue);

  // --- publish.cpp: publishes, confirms, transactions ---
  MaybeError on_publish(Context& c, Connection& conn, Channel& ch, const BasicPublish& m);
  MaybeError prepare(const Connection& conn, const Channel& ch, const BasicPublish& m, ContentRef& out) const;
  void publish(Context& c, Channel& ch, const BasicPublish& m, const ContentRef& content);
  void send_to_quorum(Context& c, Channel& ch, const std::string& queue, const ContentRef& content, std::uint64_t number);
  void on_enlisted(Context& c, Channel& ch, const std::string& queue, const QueueAnswer& a);
  void on_confirm(Channel& ch, const std::string& queue, const PublishId& publish, bool rejected);
  bool reply_directly(const Content& content, const ContentRef& ref);
  void confirm(Channel& ch, std::uint64_t number, const std::string& queue, bool rejected);
  void tell_confirms(Context& c, Channel& ch);
  MaybeError on_tx_commit(Context& c, Channel& ch);
  void end_commit(Context& c, Channel& ch);
  void dead_letter(Context& c, const std::string& queue, const DeadLetter& dead);

  // --- consume.cpp: qos, consumers, get, settlements, deliveries ---
  MaybeError on_qos(Context& c, Channel& ch, const BasicQos& m);
  MaybeError on_consume(Context& c, Connection& conn, Channel& ch, const BasicConsume& m);
  MaybeError on_get(Context& c, Connection& conn, Channel& ch, const BasicGet& m);
  MaybeError on_settle(Channel& ch, Kind kind, std::uint64_t tag, bool multiple, bool requeue);
  void on_cancel(Context& c, Channel& ch, const std::string& tag);
  void recover(Channel& ch);
  void settle(Channel& ch, const std::vector<UnackedDelivery>& which, QueueOp::Kind how, bool failed);
  void resume_channel(const Channel& ch, const std::string& but);
  void on_event(Context& c, const QueueEvent& e);
  void on_delivery(Context& c, Channel& ch, const std::string& queue, const Deliver& d);
  void on_timed_out(Context& c, Channel& ch, const TimedOut& t);
  MaybeError on_stream_reference(Connection& conn, Channel& ch, Kind method, const std::string& queue, const std::string& reference, std::int64_t offset);
  void on_stream_update(Channel& ch, const StreamUpdate& m);
  void on_answer(Context& c, Connection& conn, Channel& ch, const std::string& queue, const QueueAnswer& a);
  void go_on(Context& c, ConnId connection, std::uint16_t number);
  void look_for_timeouts(Context& c);

  // --- queue_host.cpp: the queues of this node ---
  void ask(QueueOp op) { ops_.push_back(std::move(op)); }
  void on_op(Context& c, QueueOp op);
  void process_op(Context& c, const QueueOp& op);
  void classic_op(Context& c, const QueueOp& op, ClassicQueue& q, QueueEffects& out);
  void quorum_op(Context& c, const QueueOp& op);
  void stream_op(Context& c, const QueueOp& op, QueueRecord& record, QueueProcess& p, QueueEffects& out);
  void submit(Context& c, const QueueOp& op, QuorumCommand command);  // with an answer, where the operation is a question
  void on_news(Context& c, const QuorumNews& news);
  void on_quorum_answer(Context& c, const QuorumAnswer& a);
  void carry_out(Context& c, const std::string& queue, const QueueEffects& effects);
  void perform(Context& c, const std::string& queue, const QueueEffects& effects);
  void answer(const QueueOp& op, QueueAnswer a) { a.of = op.kind; events_.push_back({op.channel, op.queue, std::move(a)}); }
  void note_taken(Context& c, const std::string& queue, const Content& content, DeathReason reason);
  void note_left(Context& c, const std::string& queue, const Content& content, DeathReason reason);
  void store_written(Context& c, const std::string& queue);
  void set_queue_timer(Context& c, const std::string& queue);
  void on_queue_timer(Context& c, FileId file);
  const std::string* queue_of_file(FileId file) const;

  // --- dlx_worker.cpp ---
  void start_dlx_worker(Context& c, const std::string& queue);
  void on_dlx_deliver(Context& c, const std::string& queue, const DlxDeliver& d);
  void send_dead_letter(Context& c, const std::string& queue, DeliveryId id);
  bool on_dlx_event(Context& c, const QueueEvent& e);
  void on_dlx_timer(Context& c, std::uint64_t argument);

  // --- cluster.cpp ---
  std::optional<std::size_t> broker_index(NodeId n) const;
  void join_cluster(Context& c);
  void greet(Context& c, std::size_t peer, bool began);
  void tell_peers(Context& c, const MetadataChange& change);
  void on_cluster(Context& c, std::size_t from, const Message& m);
  void take_over(Context& c, const ClusterMetadata& all);
  void apply_change(Context& c, const MetadataChange& change);
  void peer_down(Context& c, std::size_t peer, const char* why);
  void queue_unreachable(Context& c, const std::string& queue);
  AmqpError home_is_down(const std::string& queue) const;
  void forward(Context& c, const QueueOp& op, std::size_t home);
  bool forward_event(Context& c, const QueueEvent& e);
  void tick(Context& c);
  bool cluster_closed(Context& c, ConnId connection, NodeId from, CloseReason reason);
  ClusterMetadata metadata() const;
  void refuse_op(const QueueOp& op);

  // --- partition.cpp: 3.x, where Mnesia holds the metadata ---
  bool mnesia() const { return cluster_->settings.rules.partition_modes && cluster_->brokers.size() > 1; }
  void say_hello(Context& c, std::size_t peer, bool asks);
  void on_hello(Context& c, std::size_t from, ConnId connection, const ClusterHello& h);
  void on_metadata(Context& c, std::size_t from, const ClusterMetadata& all);
  void adopt(Context& c, const ClusterMetadata& all);
  void take_copies(Context& c, const std::string& queue, const QueueHome& home);
  void maybe_boot(Context& c);
  void now_runs(Context& c);
  void forget_transient();
  void close_clients(Context& c);
  void write_recovery_terms();
  void tick_members(Context& c);
  bool member_closed(Context& c, ConnId connection, std::size_t peer, CloseReason reason);
  void node_down(Context& c, std::size_t peer, const char* why);
  std::map<std::size_t, std::uint64_t> together() const;
  bool sees_majority() const;
  bool sees_all() const;
  void start_app(Context& c, bool first);
  void stop_app(Context& c);
  void pause_app(Context& c, bool until_all);
  void on_pause_timer(Context& c);
  void tell_partial(Context& c, std::size_t to, const PartialPartition& m);
  void on_partial(Context& c, std::size_t from, const PartialPartition& m);
  void disconnect(Context& c, std::size_t peer);

  // --- autoheal.cpp ---
  void maybe_autoheal(Context& c);
  void on_autoheal(Context& c, std::size_t from, const Autoheal& m);
  void tell_autoheal(Context& c, std::size_t to, Autoheal m);
  void decide_autoheal(Context& c);
  void heal_step(Context& c);

  // --- mirror_host.cpp: mirrors of classic queues ---
  const HaPolicy& ha(const std::string& queue) const;
  MirrorRole* leader_role(const std::string& queue);
  QueueCopies first_copies(const std::string& queue, std::size_t broker) const;
  void begin_copies(Context& c, const std::string& queue, QueueRecord& r);
  void on_mirror(Context& c, std::size_t from, const Message& m);
  void on_mirror_begins(Context& c, const MirrorBegins& m);
  void on_mirror_follows(Context& c, const MirrorFollows& m);
  void on_mirror_ack(Context& c, std::size_t from, const MirrorAck& m);
  void follow(Context& c, const std::string& queue, const Leadership& leader);
  void mirror_done(Context& c, const std::string& queue);
  void pass_on(Context& c, const std::string& queue, MirrorRole& role, const QueueEffects& effects);
  void want_mirrors(Context& c, const std::string& queue);
  void add_mirror(Context& c, const std::string& queue, std::size_t peer);
  void lose_mirror(Context& c, const std::string& queue, std::size_t peer);
  void synchronise(Context& c, const std::string& queue);
  void copies_down(Context& c, std::size_t peer);
  void leader_gone(Context& c, const std::string& queue);
  void promote(Context& c, const std::string& queue);
  void failed_over(Context& c, const std::string& queue);
  void apply_copies(Context& c, const CopiesChanged& m);
  void release_mirrors(Context& c);

  // --- flow.cpp: who is held up by whom ---
  void spend_credit(Channel& ch, const std::string& queue);
  void publish_handled(Channel& ch);
  void grant_credit(const std::string& queue, QueueProcess& p, ChannelId channel);
  void let_go(Channel& ch, const std::string& queue);
  void forget_credit(const std::string& queue);
  void look_at_slow_queues();
  void reader_passed_on(Context& c, Connection& conn, const Message& m);
  void keep_unread(Context& c, Connection& conn, const Message& m);
  void read_again(Context& c, ConnId id);
  bool wait_turn(Context& c, const QueueOp& op);
  void on_queue_free(Context& c, FileId file);

  // --- alarms.cpp ---
  bool low_on_disk() const { return disk_alarm_ || disk_full_; }
  void look_at_memory(Context& c);
  void no_space(Context& c);  // a record of a queue is not in its file
  void look_at_disk(Context& c);
  void alarms_changed(Context& c, bool before);
  std::vector<std::string> queues_meant(const std::string& argument) const;
  void on_queue_command(Context& c, const std::string& verb, const std::string& queue);
  void block_if_needed(Context& c, Connection& conn);

  ClusterRef cluster_;
  std::size_t index_;

  struct Durable {
    Routing routing{};
    std::map<std::string, QueueRecord> queues{};
    FileId next_file = 1;
    std::uint64_t channels = 0;                 // so many were made, over all lives: a process id is never used again
    std::uint64_t names = 0;                    // of queues and tags that the server named
    std::map<std::string, ClassicQueue> at_rest{};  // recovery terms: what a clean end wrote down
    bool ended_well = false;
    bool defined = false;
    std::set<std::size_t> running{};            // 3.x: the others that ran when this one was last among them
  } durable_;

  QuorumHost host_;                             // knows by itself what survives
  std::map<std::uint64_t, QueueOp> tickets_;    // questions to quorum queues
  std::uint64_t next_ticket_ = 1;

  struct Peer {
    ConnId connection = no_connection;          // this node's, to it; in 3.x the one that both use
    bool up = false;                            // and it holds the same metadata
    Time heard = 0;
    // 3.x:
    bool connected = false;
    bool tried = false;                         // it is known whether it can be reached
    bool booting = false;
    bool greeted = false;                       // it has said hello since this application began
    int missed = 0;                             // ticks since it was heard
    Time opened = 0;                            // when `connection` was, by either
    std::uint64_t life = 0;                     // of its application, when the two were last together
    bool seen_down = false;                     // ... since when it was seen to go
    bool split = false;                         // partitioned
  };
  std::vector<Peer> peers_;                     // by index
  Time started_at_ = 0;

  std::map<ConnId, Connection> connections_;
  std::map<ChannelId, std::pair<ConnId, std::uint16_t>> channels_;
  std::map<std::string, QueueProcess> processes_;
  std::map<std::string, DlxWorker> dlx_workers_;
  Limiter limiter_;
  std::deque<QueueOp> ops_;
  std::deque<QueueEvent> events_;
  std::vector<ChannelId> to_confirm_;           // channels with something to tell their publisher
  std::set<ChannelId> slowed_;                  // ... that a quorum queue holds up
  std::vector<ConnId> to_read_;                 // connections that may be read again
  bool memory_alarm_ = false;
  bool disk_alarm_ = false;        // an operator says so
  bool disk_full_ = false;         // a write found no space
  bool alarm_by_command_ = false;
  bool stopping_ = false;

  enum class App : std::uint8_t { runs, boots, paused, heals };
  App app_ = App::runs;
  std::uint64_t life_ = 0;                      // of the application: never the same again
  bool until_all_ = false;                      // paused: until all are back, not a majority
  bool first_life_ = false;                     // ... since the beginning of the cluster
  std::map<std::size_t, ClusterMetadata> boot_answers_;
  std::map<std::string, MirrorRole> mirrors_;
  struct Healing {                              // of the node that decides, and of the winner
    std::map<std::size_t, Autoheal> status{};
    std::set<std::size_t> waits_for{};          // losers that have not stopped
    std::set<std::size_t> losers{};
    std::size_t winner = 0;                     // of a loser
  };
  std::optional<Healing> healing_;
};

// The text of the mark `queue_deleted`, where it was not the queue's own end.
inline constexpr const char* by_operator = "by an operator";
// Unapplied commands from which on a quorum queue holds a channel up (quorum_commands_soft_limit).
inline constexpr std::size_t soft_limit = 32;

// Timers of a broker.
inline constexpr TimerKind timer_queue = 1;       // its file
inline constexpr TimerKind timer_heartbeat = 2;   // the connection
inline constexpr TimerKind timer_timeouts = 3;
inline constexpr TimerKind timer_tick = 5;        // of the cluster
inline constexpr TimerKind timer_greet = 6;       // a peer, again
inline constexpr TimerKind timer_dlx = 4;         // its queue's file, and the delivery
inline constexpr TimerKind timer_free = 7;        // a queue's process is done with a message: its file
inline constexpr TimerKind timer_paused = 8;      // look for the others
inline constexpr TimerKind timer_disk = 9;        // look whether there is space again

}  // namespace mqlab::rabbitmq
