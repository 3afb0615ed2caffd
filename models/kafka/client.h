// models/kafka/client.h: an application's node with Kafka's client library: producer and consumer.
//
// The library as the Java client has it: an accumulator of batches per partition, a sender that
// keeps order by sequence numbers, a fetcher with positions, metadata that ages. What the
// application asked is answered once: ok, fail (certainly no effect) or info (unknown).
//
// Always true: 1. a batch's sequence numbers do not change while it may be on the wire, except by an
// epoch bump. 2. A retried batch keeps its place before later ones of its partition (idempotence).
// Elsewhere: what brokers do with it (broker.h), applications (sim/lab/app.h).
// Reading order: client.cpp (connections, metadata), producer.cpp, transactions.cpp, consumer.cpp, group_member.cpp, commits.cpp.
// Sources: Sender, RecordAccumulator, TransactionManager, NetworkClient, Fetcher, SubscriptionState (Java).
#pragma once

#include <array>
#include <cassert>
#include <deque>
#include <string>
#include <vector>

#include "models/kafka/group_messages.h"
#include "models/kafka/messages.h"
#include "models/kafka/partitioner.h"
#include "models/kafka/settings.h"
#include "models/kafka/share_consumer.h"
#include "models/kafka/transactions.h"
#include "sim/lab/app.h"

namespace mqlab::kafka {

struct ProducerBatch {
  std::uint64_t number{};          // order of creation
  PartitionId partition{};
  std::vector<Record> records{};
  std::vector<CallId> calls{};
  std::int64_t bytes{};
  Time created{};
  Time last_attempt{};
  std::int32_t attempts{};
  bool ambiguous = false;          // an attempt ended so that it may have taken effect
  bool sequence_reset = false;     // renumbered by an epoch bump
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  Sequence base_sequence = no_sequence;

  bool has_sequence() const { return base_sequence != no_sequence; }
  Sequence last_sequence() const { return add_sequence(base_sequence, static_cast<std::int32_t>(records.size()) - 1); }
};

// What the sender keeps for a partition (RecordAccumulator's deque, TxnPartitionEntry).
struct PartitionQueue {
  std::deque<ProducerBatch> queue;             // to be sent, retries first
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  Sequence next_sequence = 0;
  Sequence last_acked = no_sequence;
  std::vector<std::pair<Sequence, std::uint64_t>> outstanding;  // given out and not completed, in order: (base, batch)
  bool unresolved = false;                     // a batch expired: it is not known whether its sequences were used
  std::int32_t in_flight = 0;
};

struct Assigned {
  PartitionId partition{};
  std::uint32_t place{};
  Offset position = no_offset;                 // no_offset: must be asked for
  LeaderEpoch position_epoch = no_leader_epoch;  // of the record before the position
  LeaderEpoch validated = no_leader_epoch;     // leader epoch in which the position was last found right
  OffsetReset reset = OffsetReset::latest;     // how to find a position
  bool of_group = false;                       // given by the group, not chosen by the application
  bool wants_committed = false;                // the coordinator must be asked where the group stands
  bool asked_committed = false;
  bool sought = false;                         // ... because the application wants to go on from there
  bool revoking = false;                       // the application was told; with its next poll it goes
  bool paused = false;
  bool failed = false;                         // the application was told of an error; it must seek
  Time retry_at = 0;
  BrokerId reads_from = no_broker;             // KIP-392: the follower that the leader named; no_broker: from the leader
  Time reads_from_until = 0;                   // ... for so long
  LeaderEpoch reads_from_epoch = no_leader_epoch;  // ... under this leader
};

// A position on its way to the coordinator.
struct PendingCommit {
  std::uint64_t number{};
  CallId call = 0;       // 0: the library's own
  bool once = false;     // not repeated
  bool sent = false;     // an attempt may have taken effect
  Time deadline{};
  Time retry_at = 0;
  std::uint64_t word = 0;  // of the request in flight, 0 = none
  struct Part {
    CommittedOffset offset;
    OpIndex row = no_op;
  };
  std::vector<Part> parts{};
};

// Places that a KIP-848 member was told to have, or has. `number` counts what was told: the same places, told again after
// others, count as new and are answered for (AbstractMembershipManager.LocalAssignment).
struct LocalAssignment {
  std::int64_t number = -1;  // -1: nothing was told yet
  std::vector<PartitionId> partitions{};

  bool operator==(const LocalAssignment&) const = default;
};

// What a member by KIP-848 has besides the rest of Membership. It walks from `current` to `target` inside polls.
struct ConsumerMember {
  LocalAssignment target{};     // as the coordinator told it
  LocalAssignment current{};    // what it has
  LocalAssignment under_way{};  // the target that it is walking to; others may have come meanwhile
  enum class Step : std::uint8_t { none, commits, committed, gives_up };
  Step step = Step::none;
  bool acknowledges = false;    // it has got there: a heartbeat must say so at once
  bool tells_all = true;        // what it said before may not have been heard
  LocalAssignment said{};       // in the last heartbeat
  std::vector<std::int32_t> said_topics{};
  bool waits_for_poll = true;   // it joins when the application polls, not before
  Duration interval = 0;        // of heartbeats, the broker's word
  std::uint64_t word = 0;       // of the heartbeat that is under way; 0 = none
};

// What a consumer knows of its group.
struct Membership {
  enum class State : std::uint8_t { outside, joining, syncing, member };
  State state = State::outside;
  bool subscribed = false;
  std::vector<std::int32_t> topics{};
  BrokerId coordinator = no_broker;
  bool coordinator_asked = false;
  Time coordinator_retry_at = 0;
  std::string member{};
  std::int32_t generation = -1;     // KIP-848, share: the member epoch
  std::string protocol{};
  std::string leader{};
  std::vector<PartitionId> last_assigned{};  // sticky: told to the leader although it was given up meanwhile
  std::vector<std::int32_t> counts{};  // partitions of each topic, as the leader last assigned by
  bool rejoin = true;               // the group must be joined (again)
  bool lost = false;                // ... because this member was put out: what it had is gone
  bool prepared = false;            // positions are committed and partitions given up: it may join
  bool commits = false;             // ... before that, it waits for a last commit
  std::uint64_t last_commit = 0;    // its number
  bool commit_again = false;        // it failed for a while
  Time commit_until = 0;            // no longer than this
  bool told = false;                // the application was told what it loses; its next poll goes on
  Rebalance news{};                 // to be told with the next answer to a poll
  Time retry_at = 0;
  std::int32_t attempts = 0;
  Time heartbeat_due = 0;
  bool heartbeat_in_flight = false;
  Time session_deadline = time_max;
  Time poll_deadline = time_max;
  Error fatal = Error::none;
  bool fatal_told = false;  // the application knows
  Time auto_commit_due = 0;
  std::vector<CommittedOffset> auto_committed{};  // librdkafka: never lower, never twice
  bool leaving = false;             // the last commit, the last word, the end
  bool leave_sent = false;
  CallId close_call = 0;
  bool exits = false;
  ConsumerMember consumer{};

  bool in() const { return state == State::member; }
};

class Client : public ClientNodeBase<Client> {
 public:
  Client(ClusterRef cluster, std::unique_ptr<App> app, bool produces, ProducerSettings producer, bool consumes, ConsumerSettings consumer);

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_crash(const Crash& crash) override;
  void on_stop(Context& c) override;
  Tree state() const override;

  bool produces() const { return produces_; }
  bool consumes() const { return consumes_; }
  // Nothing queued, on the wire or unanswered.
  bool producer_idle() const { return queued_ == 0 && produce_in_flight_ == 0 && blocked_.empty() && txn_calls_.empty() && txn_.idle(); }
  const TransactionalProducer& transactional_producer() const { return txn_; }
  const std::vector<Assigned>& assigned() const { return assigned_; }
  const std::string& group() const { return consumer_.group; }
  bool reads_committed() const { return consumer_.read_committed; }
  const Membership& membership() const { return group_; }
  // In its group, with nothing under way.
  bool group_at_rest() const { return consumer_.group.empty() || !group_.subscribed || group_.fatal != Error::none || (group_.in() && !group_.rejoin && group_.news.revoked.empty() && group_.news.lost.empty()); }
  std::size_t buffered() const { return buffer_.size(); }
  const ShareConsumer& share() const { return share_; }
  bool in_share_group() const { return shares(); }

 protected:
  void perform(Context& c, const Call& call) override;
  bool commits_by_place() const override { return true; }
  std::string transactional_id() const override { return transactional_id_; }

 private:
  enum class Purpose : std::uint8_t { metadata, produce, fetch, group };
  struct Peer {
    ConnId connection = no_connection;
    Time reconnect_at = 0;
    Duration backoff = 0;
    Time throttled_until = 0;
  };
  struct Request {
    std::uint64_t word{};
    Kind kind{};
    Purpose purpose{};
    BrokerId broker{};
    ConnId connection = no_connection;
    EventId timer = no_event;
    PayloadRef payload;
    std::vector<ProducerBatch> batches{};  // of a produce
  };
  struct BufferedRecord {
    PartitionId partition{};
    Offset offset{};
    Offset next{};  // where to go on after it
    LeaderEpoch epoch{};
    Record record{};
  };
  struct Blocked {
    Call call;
    Time deadline{};
  };

  // --- client.cpp ---
  Peer& peer(Purpose p, BrokerId b) {
    assert(b >= 1 && static_cast<std::size_t>(b) <= cluster_->brokers.size());
    return peers_[static_cast<std::size_t>(p)][static_cast<std::size_t>(b - 1)];
  }
  bool can_connect(Context& c, Purpose p, BrokerId b);
  void throttle(Context& c, const Request& r, Duration wait, bool honoured);
  std::uint64_t request(Context& c, Purpose p, BrokerId b, Kind k, PayloadRef payload, std::uint32_t size, Duration timeout);
  Request take_request(Context& c, std::uint64_t word);
  bool in_flight(Purpose p, BrokerId b) const;
  std::int32_t count_in_flight(Purpose p, BrokerId b) const;
  void connection_lost(Context& c, Purpose p, BrokerId b, ConnId connection, bool timed_out);
  void want_metadata(Context& c);
  void refresh_metadata(Context& c);
  void on_metadata(Context& c, const Message& m);
  std::int32_t partition_count(const TopicSettings& t) const;
  void wake_at(Context& c, Time t);
  void work(Context& c);
  BrokerId leader_of(PartitionId p) const { return p < metadata_.size() && metadata_[p].exists ? metadata_[p].leader : no_broker; }
  Duration retry_backoff(Context& c, std::int32_t attempts, Duration base, Duration most);
  static Answer outcome(Context& c, Outcome o, Error e);
  const std::string& place(PartitionId p) const { return cluster_->partitions[p].place; }

  // --- producer.cpp ---
  void send_call(Context& c, const Call& call);
  bool try_append(Context& c, const Call& call);
  void drain(Context& c);
  bool drain_broker(Context& c, BrokerId b);
  bool may_drain(PartitionId p, const ProducerBatch& first) const;
  Time ready_at(const PartitionQueue& q) const;
  void on_produce_reply(Context& c, const Message& m);
  void batch_done(Context& c, ProducerBatch batch, Error error, Offset base_offset);
  void requeue(Context& c, ProducerBatch batch);
  static void insert_in_sequence_order(PartitionQueue& q, ProducerBatch batch);
  void fail_batch(Context& c, const ProducerBatch& batch, Error error, bool adjust_sequences);
  void end_batch(Context& c, const ProducerBatch& batch, Error error);
  static std::vector<std::pair<Sequence, std::uint64_t>>::iterator find_outstanding(PartitionQueue& q, const ProducerBatch& batch);
  void forget_outstanding(PartitionQueue& q, const ProducerBatch& batch);
  void expire(Context& c);
  void resolve_sequences(Context& c);
  void bump_epoch_if_needed(Context& c);
  void ask_producer_id(Context& c);
  void on_producer_id(Context& c, const Message& m);
  bool next_in_sequence(const PartitionQueue& q, Sequence s) const;

  // --- transactions.cpp, txn_requests.cpp ---
  bool transactional() const { return produces_ && !transactional_id_.empty(); }
  TxnVersion txn_version() const;
  TxnIdentity txn_identity() const;
  void txn_call(Context& c, const Call& call);
  void take_txn_call(Context& c, const Call& call);
  bool repeats_transition(Context& c, const Call& call, TxnTransition::Of of);
  bool refuses(Context& c, const Call& call, std::initializer_list<TxnPhase> allowed);
  void init_call(Context& c, const Call& call);
  void begin_init(Context& c, const Call& call);
  void begin_call(Context& c, const Call& call);
  void end_call(Context& c, const Call& call, bool commit);
  void send_offsets_call(Context& c, const Call& call);
  void new_producer_call(Context& c, const Call& call);
  bool txn_takes_send(Context& c, const Call& call);
  void add_partition(PartitionId p);
  bool takes_part(PartitionId p) const;
  void txn_batch_failed(Context& c, const ProducerBatch& batch, Error e, bool adjust_sequences);
  void abort_batches(Context& c, Error e, bool all);
  void reset_sequences();
  void txn_failed(Context& c, TxnVerdict v, Error e, const std::string& where);
  void complete_transaction();
  void end_transition(Context& c, Outcome o, Error e);
  void end_offsets(Context& c, std::uint64_t number, Error e, bool unknown);
  void tell_offsets(Context& c, const TxnOffsets& o, Error e, bool unknown);
  void enqueue_txn(TxnRequest r);
  void ask_for_partitions();
  void look_up_coordinator(bool of_group);
  bool next_txn_request(Context& c);
  bool unanswered_batches() const;
  bool work_transactions(Context& c);
  void time_limits_of_transactions(Context& c);
  bool send_txn_request(Context& c);
  PayloadRef txn_payload(const TxnRequest& r) const;
  bool txn_request_lost(const Request& r);
  void on_txn_reply(Context& c, const Message& m);
  void txn_done(Context& c, TxnRequest q, const Message& m);

  // --- consumer.cpp ---
  void assign_call(Context& c, const Call& call);
  void seek_call(Context& c, const Call& call);
  void end_seeks(Context& c);
  void end_offset_call(Context& c, const Call& call);
  void poll_call(Context& c, const Call& call);
  void pause_call(Context& c, const Call& call);
  void add_assignment(Context& c, PartitionId p, std::int64_t position);
  void answer_poll(Context& c, bool timed_out);
  void fetch(Context& c);
  void on_fetch_reply(Context& c, const Message& m);
  void on_list_offsets_reply(Context& c, const Message& m);
  void on_epoch_reply(Context& c, const Message& m);
  void reset_position(Context& c, Assigned& a, Error why);
  void record_reset(Context& c, const Assigned& a);
  Assigned* find_assigned(PartitionId p);
  void fetch_failed(Context& c, const Request& r);

  // --- follower_fetch.cpp ---
  void read_from(Context& c, Assigned& a, BrokerId b);
  void read_from_leader(Context& c, Assigned& a, const char* why);
  void check_read_replica(Context& c, Assigned& a);

  // --- group_member.cpp: the classic protocol ---
  void subscribe_call(Context& c, const Call& call);
  void work_group(Context& c);
  void find_coordinator(Context& c);
  void on_coordinator(Context& c, const Message& m);
  void coordinator_lost(Context& c);
  bool coordinator_ready(Context& c);
  bool coordinator_refused(Context& c, Error e);
  void group_request(Context& c, Kind k, PayloadRef payload, Duration timeout);
  void work_classic(Context& c);
  bool prepare_to_join(Context& c);
  bool commit_before_giving_up(Context& c);
  void send_join(Context& c);
  void on_join_reply(Context& c, const Message& m);
  void on_sync_reply(Context& c, const Message& m);
  void join_failed(Context& c, Error e);
  void take_assignment(Context& c, std::vector<PartitionId> assigned);
  void beat(Context& c);
  void on_group_heartbeat_reply(Context& c, const Message& m);
  void put_out(Context& c, Error why);
  void leave_for_good(Context& c);
  void left(Context& c);
  void give_up(Context& c, bool lost);
  void drop_assignment(Context& c, PartitionId p);
  bool cooperative() const { return consumer_.assignors.size() == 1 && consumer_.assignors.front() == "cooperative-sticky"; }
  std::vector<std::int32_t> counts_of_topics() const;
  bool group_failed(Context& c, const Request& r);
  bool in_poll(Context& c) { return poll_ != 0 && !app_stands(c); }

  // --- consumer_member.cpp: KIP-848 ---
  void work_consumer_member(Context& c);
  void reconcile_member(Context& c);
  void send_consumer_heartbeat(Context& c);
  void leave_for_lack_of_polls(Context& c);
  void out_of_group(Context& c, bool until_next_poll);
  void on_consumer_heartbeat_reply(Context& c, const Message& m);
  void consumer_heartbeat_failed(Context& c, const Request& r);
  void back_off(Context& c);

  // --- share_consumer.cpp: share groups ---
  bool shares() const { return consumer_.protocol == GroupProtocol::share && !consumer_.group.empty(); }
  void share_poll_call(Context& c, const Call& call);
  void share_ack_call(Context& c, const Call& call);
  void share_commit_call(Context& c, const Call& call);
  void share_answer_poll(Context& c, bool timed_out);
  void share_work(Context& c);
  bool share_closing() const;
  void share_assignment(Context& c, const std::vector<PartitionId>& partitions);
  void accept_in_hand(Context& c);
  void queue_ack(Context& c, ShareConsumer::InHand& r, AckType type, CallId call);
  std::vector<PartitionAcks> acks_for(BrokerId b, std::uint64_t word);
  void on_share_fetch_reply(Context& c, const Message& m);
  void on_share_acknowledge_reply(Context& c, const Message& m);
  void share_acks_answered(Context& c, std::uint64_t word, const std::vector<PartitionError>& answers);
  void ack_done(Context& c, std::size_t i, Error e, bool sent);
  bool share_failed(Context& c, const Request& r);
  void work_share_member(Context& c);
  void share_heartbeat(Context& c, std::int32_t epoch);
  void on_share_heartbeat_reply(Context& c, const Message& m);
  void share_heartbeat_failed(Context& c);

  // --- commits.cpp: positions, committed and asked for ---
  void commit_call(Context& c, const Call& call);
  std::uint64_t queue_commit(Context& c, CallId call, bool once, Duration timeout, std::vector<CommittedOffset> offsets);
  std::vector<CommittedOffset> consumed() const;
  void auto_commit(Context& c);
  enum class Why : std::uint8_t { time, rebalance, close };
  std::uint64_t commit_by_itself(Context& c, Why why);
  void own_commit_failed(Context& c, const PendingCommit& commit, Error e);
  bool committed(std::uint64_t number) const;
  void send_commits(Context& c);
  void on_commit_reply(Context& c, const Message& m);
  void commit_done(Context& c, std::size_t i, Outcome outcome, Error e);
  void fetch_committed(Context& c);
  void on_offset_fetch_reply(Context& c, const Message& m);
  void store_offset_call(Context& c, const Call& call);

  ClusterRef cluster_;
  bool produces_;
  ProducerSettings producer_;
  bool consumes_;
  ConsumerSettings consumer_;

  // All below is lost with the process.
  std::array<std::vector<Peer>, 4> peers_;
  std::vector<Request> requests_;
  std::uint64_t next_word_ = 1;
  std::vector<PartitionMetadata> metadata_;
  std::vector<BrokerId> offline_;  // as the last metadata said
  bool metadata_wanted_ = false;
  bool metadata_asked_ = false;
  Time metadata_at_ = 0;
  Time metadata_retry_at_ = 0;
  std::int32_t metadata_attempts_ = 0;
  BrokerId next_broker_ = 1;
  EventId wake_timer_ = no_event;
  Time wake_due_ = time_max;

  std::vector<PartitionQueue> queues_;
  std::deque<Blocked> blocked_;
  std::int64_t buffered_bytes_ = 0;
  std::int64_t queued_ = 0;             // batches
  std::int64_t produce_in_flight_ = 0;  // batches
  std::uint64_t next_batch_ = 1;
  ProducerId producer_id_ = no_producer_id;
  ProducerEpoch producer_epoch_ = no_producer_epoch;
  bool producer_id_asked_ = false;
  Time producer_id_retry_at_ = 0;
  std::vector<PartitionId> rewrite_;    // partitions whose trouble asks for an epoch bump
  std::vector<UniformSticky> uniform_;  // by topic
  std::vector<StickyPerBatch> sticky_;
  bool draining_ = false;
  std::string transactional_id_;        // as configured, unless the application made a new producer with another one
  TransactionalProducer txn_;
  std::deque<Call> txn_calls_;          // behind sends that block

  std::vector<Assigned> assigned_;
  std::vector<std::int32_t> assigned_topics_;  // whole topics: new partitions are added as they appear
  std::deque<BufferedRecord> buffer_;
  CallId poll_ = 0;
  std::uint32_t poll_count_ = 0;
  EventId poll_timer_ = no_event;
  std::vector<std::pair<Call, PartitionId>> end_offset_calls_;
  std::vector<std::pair<CallId, PartitionId>> seeks_;  // to where the group stands
  Error poll_error_ = Error::none;
  PartitionId poll_error_partition_ = 0;

  Membership group_;
  // KafkaConsumer.groupMetadata(): who this member was when it last joined, also when it is out meanwhile.
  struct {
    std::int32_t generation = -1;
    std::string member{};
  } group_metadata_;
  ShareConsumer share_;
  std::vector<PendingCommit> commits_;
  std::uint64_t next_commit_ = 1;
  std::vector<CommittedOffset> stored_;  // librdkafka with auto_offset_store = false
};

}  // namespace mqlab::kafka
