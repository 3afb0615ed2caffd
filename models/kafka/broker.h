// models/kafka/broker.h: a broker: replicas of partitions, some of which it leads.
//
// The data plane of Kafka: producers append to a leader, followers fetch from it and confirm by
// their next fetch, the high watermark follows the slowest of the ISR. Nothing here expires a
// leader's leadership but the metadata that it replays.
//
// Always true of a hosted replica: log start <= high watermark <= log end.
// Elsewhere: the log (log.h), who leads (controller.h), clients (client.h).
// Reading order: broker.cpp (life, metadata), leader.cpp (produce, fetch, ISR), follower.cpp, coordinator.cpp (groups), cleaner.cpp (what age and
// compaction take).
// Sources: Partition.scala, ReplicaManager.scala, AbstractFetcherThread.scala, BrokerLifecycleManager.scala.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/kafka/broker_links.h"
#include "models/kafka/group_coordinator.h"
#include "models/kafka/log.h"
#include "models/kafka/messages.h"
#include "models/kafka/quota.h"
#include "models/kafka/quorum.h"
#include "models/kafka/share_desk.h"
#include "models/kafka/txn_check.h"
#include "models/kafka/txn_desk.h"
#include "models/kafka/txn_messages.h"
#include "models/kafka/waiting.h"

namespace mqlab::kafka {

enum class Role : std::uint8_t { none, leader, follower };

// What a leader knows of a follower, in the present leader epoch.
struct FollowerState {
  BrokerId broker{};
  Offset end = no_offset;            // its log end, as its last fetch said; no_offset: has not fetched in this epoch
  Time last_fetch = 0;
  Offset leader_end_then = 0;        // the leader's log end at that fetch
  Time last_caught_up = 0;
  BrokerEpoch epoch = no_broker_epoch;
  Offset log_start = 0;
};

// The volatile half of a replica.
struct Replica {
  Role role = Role::none;
  BrokerId leader = no_broker;
  LeaderEpoch epoch = no_leader_epoch;
  std::int32_t partition_epoch = -1;
  Offset high_watermark = 0;
  Offset flushed = 0;

  // Leader.
  Offset epoch_start = 0;            // log end at election (LESO)
  std::vector<BrokerId> isr{};       // as committed by the controller
  std::vector<BrokerId> proposed{};  // a change under way; empty = none
  EventId asking_again = no_event;   // the change is sent again then
  bool expands = false;              // ... and whether it adds
  std::vector<FollowerState> followers{};
  Verifications verifications{};     // of transactions that are about to begin here
  Offset stable_told = no_offset;    // the last stable offset, when it moved last

  // Follower.
  bool truncating = false;           // must ask where its last epoch ends before it may fetch
  bool stopped = false;              // fenced: waits for newer metadata
  Time retry_at = 0;

  // Who the high watermark waits for while the ISR changes.
  const std::vector<BrokerId>& maximal_isr() const { return !proposed.empty() && expands ? proposed : isr; }
};

class Broker : public NodeBase<Broker> {
 public:
  Broker(ClusterRef cluster, BrokerId id, raft::Config observer);

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_disk(Context& c, FileId file, std::int64_t end, DiskResult result) override;
  void on_stop(Context& c) override;
  void on_crash(const Crash& crash) override;
  void on_command(Context& c, const std::string& verb, const std::string& argument) override;
  Tree state() const override;

  BrokerId id() const { return id_; }
  const Replica& replica(PartitionId p) const { return replicas_[p]; }
  // The coordinator of the groups of this partition of __consumer_offsets; null if this broker is not.
  const GroupCoordinator* coordinator(PartitionId p) const {
    for (const Seat& s : seats_)
      if (s.partition == p && !s.loading) return &s.groups;
    return nullptr;
  }
  // What a share group did with a partition that this broker leads; null if it has not asked for it, or not yet.
  const SharePartition* share_window(const std::string& group, PartitionId p) const;
  const ShareDesk& share_desk() const { return share_; }
  // The coordinator of the transactional ids of this partition of __transaction_state; null if this broker is not, or loads.
  const TxnCoordinator* transactions(PartitionId p) const;
  const PartitionLog& log(PartitionId p) const { return durable_[p].log; }
  const Image& image() const { return image_; }
  bool unfenced() const { return unfenced_; }
  const ClusterRef& cluster() const { return cluster_; }
  static FileId file_of(PartitionId p) { return metadata_file + 1 + p; }

 private:
  struct DurableReplica {
    PartitionLog log;
    Offset hw_checkpoint = 0;
    // What the broker itself has flushed; of pages that the operating system wrote back it knows nothing.
    Offset recovery_point = 0;
    Offset start_checkpoint = 0;   // in the log-start-offset-checkpoint file
    Offset start_before_crash = 0;
    // For the history alone: what a policy took from this copy while another broker led; it is gone for readers when
    // this one leads.
    std::vector<std::pair<TakenRecord, const char*>> taken{};
  };
  // A coordinator of groups, while this broker leads its partition of __consumer_offsets.
  struct SeatTimer {
    GroupTimer timer;
    EventId event = no_event;
    std::uint64_t number{};
  };
  struct SeatWrite {
    Offset required = 0;  // its answers leave when the high watermark is here
    std::vector<Effects::Reply> replies{};
    GroupContinuation then{};
    std::shared_ptr<const std::vector<GroupRecord>> records{};
    ProducerId producer = no_producer_id;  // of a transaction that the records belong to, or that the marker ends
    Control marker = Control::none;
    EventId timer = no_event;
    std::uint64_t number{};
    bool gave_up = false;
  };
  struct Seat {
    PartitionId partition{};
    bool loading = true;
    GroupCoordinator groups;
    std::vector<SeatTimer> timers;
    std::vector<SeatWrite> writes;
    Offset loaded = 0;  // the end of the log when it was read: what it says may not be committed yet
  };
  struct Channel {
    NodeId to = nobody;
    ConnId connection = no_connection;
    Time unanswered_since = -1;  // -1: nothing is owed
  };
  struct ParkedProduce {
    Waiting to;
    EventId timer = no_event;
    std::uint64_t number{};
    std::uint32_t bytes{};  // of the request
    Kind kind = Kind::produce;  // or write_txn_markers
    struct Part {
      ProduceResult result;
      ProducerId producer = no_producer_id;  // of a marker
      Offset required = 0;
      bool done = false;
    };
    std::vector<Part> parts;
  };
  struct ParkedFetch {
    Waiting to;
    EventId timer = no_event;
    std::uint64_t number{};
    PayloadRef request;
  };
  // A connection whose request waits for its answer: what else has arrived on it is not looked at yet.
  struct Muted {
    ConnId connection = no_connection;
    std::vector<Message> queue;
  };
  struct ClientRate {
    NodeId client = nobody;
    ByteRate rate;
  };
  struct Throttled {
    std::uint64_t number{};
    ConnId connection = no_connection;
  };
  // An answer of this broker to itself: a coordinator and a partition that live on one broker.
  struct LocalAnswer {
    std::uint64_t number{};
    Kind kind{};
    PayloadRef payload;
  };
  struct Fetcher {
    ConnId connection = no_connection;
    std::vector<PartitionId> partitions;  // followed from this leader, ascending
    std::uint64_t word = 0;               // of the request in flight, 0 = none
    PayloadRef request;
    EventId timer = no_event;             // request timeout, or the end of a rest
  };

  // --- broker.cpp: life and metadata ---
  void ask_controller_again(Context& c);
  void ask_for_isr_again(Context& c, PartitionId p);
  void check_channels(Context& c);
  void beat_after(Context& c, Duration d);
  void register_with_controller(Context& c);
  void send_heartbeat(Context& c);
  void on_registration_reply(Context& c, const Message& m);
  void on_heartbeat_reply(Context& c, const Message& m);
  void send_to_controller(Context& c, Kind kind, PayloadRef payload, Traffic traffic);
  void follow_metadata(Context& c);
  void publish_metadata(Context& c);
  void apply_partition(Context& c, PartitionId p);
  void on_metadata(Context& c, const Message& m);
  void on_init_producer_id(Context& c, const Message& m);
  void ask_for_producer_ids(Context& c);
  void on_producer_ids(Context& c, const Message& m);
  void finish_shutdown(Context& c);
  void end_cleanly(Context& c);
  void handle(Context& c, const Message& m);
  void mute(ConnId connection) { muted_.push_back({connection, {}}); }
  void work_off_unmuted(Context& c);
  PartitionLog& log_of(PartitionId p) { return durable_[p].log; }
  std::string place(PartitionId p) const { return cluster_->partitions[p].place; }
  const Switches& switches() const { return cluster_->settings.switches; }

  // --- coordinator.cpp ---
  void on_find_coordinator(Context& c, const Message& m);
  void on_group_request(Context& c, const Message& m);
  void carry_group_request(Context& c, PartitionId p, const Waiting& from, Kind k, const PayloadRef& request, const TxnCheck* verified = nullptr);
  void commit_offsets_in_transaction(Context& c, const TxnQuestion& q);
  void refuse_group_request(Context& c, const Waiting& to, Kind k, Error e);
  Error check_producer(PartitionId p, const TxnIdentity& who, const TxnCheck* verified) const;
  // A marker is in the log of a partition of __consumer_offsets: positions of its producer count, or never will.
  void on_offsets_marker(Context& c, PartitionId p, const Batch& marker);
  bool is_coordinated(PartitionId p) const;
  Seat* seat_of(PartitionId p);
  bool may_write(Context& c, PartitionId p) const;
  template <class Operation>
  bool operate(Context& c, PartitionId p, Operation operation);
  void carry_out(Context& c, PartitionId p, Effects e);
  void append_state(Context& c, PartitionId p, std::shared_ptr<const std::vector<GroupRecord>> state, ProducerId producer = no_producer_id,
                    ProducerEpoch producer_epoch = no_producer_epoch);
  void time_write(Context& c, SeatWrite& w);
  void finish_group_writes(Context& c, PartitionId p);
  void send_group_replies(Context& c, const std::vector<Effects::Reply>& replies);
  void time_out_group_write(Context& c, std::uint64_t number);
  void on_group_timer(Context& c, std::uint64_t number);
  void take_seat(Context& c, PartitionId p);
  void load_seat(Context& c, PartitionId p);
  void leave_seat(Context& c, PartitionId p);
  std::vector<std::int32_t> partition_counts() const;
  void tell_groups_of_partitions(Context& c);
  void expire_offsets(Context& c);

  // --- share_leader.cpp ---
  void on_share_request(Context& c, const Message& m);
  void settle_share_waits(Context& c);
  void acquire_for(Context& c, ShareWait& w);
  void release_share_member(Context& c, const std::string& group, const std::string& member);
  void share_connection_closed(Context& c, ConnId connection);
  void arm_share_locks(Context& c, ShareLead& lead);
  void on_share_locks(Context& c);
  void on_share_wait(Context& c, std::uint64_t number);
  void mark_archived(Context& c, const ShareLead& lead, const std::vector<Archived>& archived);
  void begin_share_lead(Context& c, const std::string& group, PartitionId p);
  void leave_share_lead(Context& c, std::string group, PartitionId p, Error why);
  void leave_share_leads(Context& c, PartitionId p);
  void wake_share_fetches(Context& c, PartitionId p);
  void write_share_change(Context& c, const ShareLead& lead, const ShareChange& change);
  void ask_share_coordinator(Context& c, ShareAsk ask);
  void send_share_ask(Context& c, std::uint64_t number);
  void share_ask_failed(Context& c, std::uint64_t number);
  void on_share_ask_timer(Context& c, std::uint64_t number);
  void on_share_state_reply(Context& c, std::uint64_t number, Kind k, const PayloadRef& payload);
  void on_local_share_answers(Context& c);
  bool share_link_closed(Context& c, ConnId connection);
  void end_share_ask(Context& c, const ShareAsk& ask, Error e, const ShareState* read);
  ShareLead* share_lead(const std::string& group, PartitionId p);
  void add_share_state(Tree& t) const;

  // --- share_seat.cpp ---
  bool is_share_state(PartitionId p) const;
  std::optional<PartitionId> share_state_of(const std::string& group, PartitionId p) const;
  ShareSeat* share_seat(PartitionId p);
  void take_share_seat(Context& c, PartitionId p);
  void load_share_seat(Context& c, PartitionId p);
  void leave_share_seat(Context& c, PartitionId p);
  void on_share_state_request(Context& c, const Waiting& from, Kind k, const PayloadRef& request);
  void finish_share_writes(Context& c, PartitionId p);
  void time_out_share_write(Context& c, std::uint64_t number);
  void answer_share_state(Context& c, const Waiting& to, Kind k, PayloadRef payload);

  // --- txn_seat.cpp ---
  bool is_transaction_state(PartitionId p) const;
  TxnSeat* txn_seat(PartitionId p);
  template <class Operation>
  void operate_txn(Context& c, PartitionId p, Operation operation);
  void carry_out_txn(Context& c, PartitionId p, TxnEffects e);
  void on_coordinator_request(Context& c, const Waiting& from, Kind k, const PayloadRef& request);
  void take_txn_seat(Context& c, PartitionId p);
  void load_txn_seat(Context& c, PartitionId p);
  void leave_txn_seat(Context& c, PartitionId p);
  void finish_txn_writes(Context& c, PartitionId p);
  void time_out_txn_write(Context& c, std::uint64_t number);
  void send_txn_replies(Context& c, const std::vector<TxnEffects::Reply>& replies);
  void send_markers(Context& c, std::vector<TxnMarkersDue> due);
  void rest_markers(Context& c, std::vector<TxnMarkersDue> due);
  void on_markers_due(Context& c);
  void on_markers_reply(Context& c, std::uint64_t number, const PayloadRef& payload);
  void markers_lost(Context& c, std::uint64_t number);
  void look_at_transactions(Context& c, bool expiry);
  void add_txn_state(Tree& t) const;

  // --- leader.cpp ---
  void become_leader(Context& c, PartitionId p, const PartitionState& s);
  void on_produce(Context& c, const Message& m);
  void produce(Context& c, const Waiting& to, const ProduceRequest& request, std::uint32_t bytes, const TxnQuestion* verified);
  ProduceResult append(Context& c, const PartitionBatch& b, std::int32_t acks, Offset& required, const Admission& admission = {});
  void answer_parked(Context& c, const ParkedProduce& parked);
  void finish_produces(Context& c, PartitionId p);
  void time_out_produce(Context& c, std::uint64_t number);
  void on_fetch(Context& c, const Message& m);
  FetchedPartition read_for(Context& c, const FetchRequest& request, const FetchPartition& f, bool first, std::int64_t most, bool& news);
  bool answer_fetch(Context& c, const Waiting& to, const FetchRequest& request, bool first, bool must);
  void wake_fetches(Context& c, PartitionId p);
  void update_follower(Context& c, PartitionId p, const FetchRequest& request, const FetchPartition& f);
  void advance_high_watermark(Context& c, PartitionId p);
  void maybe_expand_isr(Context& c, PartitionId p, FollowerState& f);
  void shrink_isrs(Context& c);
  void propose_isr(Context& c, PartitionId p, std::vector<BrokerId> isr, bool expands);
  void send_alter_partition(Context& c, PartitionId p);
  void look_whom_it_asked_for(Context& c, BrokerId restarted);
  void on_alter_partition_reply(Context& c, const Message& m);
  void on_offset_for_leader_epoch(Context& c, const Message& m);
  void on_list_offsets(Context& c, const Message& m);
  bool caught_up(const Replica& r, const FollowerState& f, Offset leader_end, Time now) const;
  bool may_join_isr(const FollowerState& f) const;
  Error check_epoch(const Replica& r, LeaderEpoch theirs) const;
  void write_log(Context& c, PartitionId p, std::uint32_t bytes);

  // --- txn_partition.cpp: transactions begin and end in a partition ---
  void verify_then(Context& c, TxnQuestion q);
  void go_on(Context& c, const TxnQuestion& q);
  bool take_question(std::uint64_t number, TxnQuestion& q);
  void on_add_partitions_answer(Context& c, std::uint64_t number, const AddPartitionsToTxnReply& reply);
  void take_verdict(Context& c, TxnQuestion q, const AddPartitionsToTxnReply& reply);
  void ask_coordinator_again(Context& c, std::uint64_t number);
  void questions_lost(Context& c, const std::vector<std::uint64_t>& numbers);
  Admission admission(PartitionId p, const Batch& batch, const TxnCheck* check) const;
  void on_write_txn_markers(Context& c, const Waiting& from, const PayloadRef& request);
  ProduceResult append_marker(Context& c, PartitionId p, const TxnMarker& m, Offset& required);
  void abort_transaction(Context& c, const std::string& argument);
  void settle_transactions(Context& c, PartitionId p);
  void add_transactions(Tree& t, PartitionId p) const;

  // --- txn_links.cpp: what brokers ask each other about transactions ---
  void ask_broker(Context& c, BrokerId to, Kind k, PayloadRef payload, std::uint64_t number);
  void answer_broker(Context& c, const Waiting& to, Kind k, PayloadRef payload);
  void on_local_answers(Context& c);
  void on_txn_request(Context& c, const Waiting& from, Kind k, const PayloadRef& request);
  void on_txn_answer(Context& c, std::uint64_t number, Kind k, const PayloadRef& payload);
  void txn_asks_lost(Context& c, const std::vector<std::uint64_t>& numbers);

  // --- follower_fetch.cpp ---
  BrokerId preferred_read_replica(const FetchRequest& request, const FetchPartition& f) const;

  // --- quota.cpp ---
  static ByteRate& rate_of(std::vector<ClientRate>& rates, NodeId client);
  Duration produce_throttle(Context& c, NodeId client, std::int64_t bytes);
  Duration fetch_throttle(Context& c, NodeId client, std::int64_t bytes);
  void throttle(Context& c, const Waiting& to, Duration wait, const char* what);
  void end_throttle(std::uint64_t number);
  void answer_produce(Context& c, const Waiting& to, std::uint32_t request_bytes, ProduceReply reply);
  void release(ConnId connection);

  // --- cleaner.cpp ---
  void begin_housekeeping(Context& c);
  void arm_cleaner(Context& c);
  void set_cleanup_policy(Context& c, const std::string& topic, const std::string& policy);
  void keep_house(Context& c);
  void run_cleaner(Context& c);
  void delete_old_segments(Context& c, PartitionId p);
  void on_roll(Context& c, PartitionId p);
  void on_rolled_flush(FileId file, std::int64_t end, DiskResult result);
  void delete_records(Context& c, PartitionId p, Offset before);
  void note_taken(Context& c, PartitionId p, const std::vector<TakenRecord>& taken, const char* why);
  void record_taken(Context& c, PartitionId p, const TakenRecord& t, const char* why);
  void record_all_taken(Context& c, PartitionId p);
  void forget_taken(PartitionId p, Offset leader_start);

  // --- follower.cpp ---
  void become_follower(Context& c, PartitionId p, const PartitionState& s);
  void leave_fetcher(PartitionId p);
  void pump(Context& c, BrokerId leader);
  void rest(Context& c, BrokerId leader);
  void on_fetch_reply(Context& c, const Message& m);
  void on_epoch_reply(Context& c, const Message& m);
  PayloadRef take_asked(const Message& answer, BrokerId& leader);
  void fetcher_failed(Context& c, BrokerId leader);
  void truncate(Context& c, PartitionId p, Offset end, const char* why);
  void truncate_by(Context& c, PartitionId p, EpochEnd leader_end);

  ClusterRef cluster_;
  BrokerId id_;

  // --- survives a crash ---
  std::vector<DurableReplica> durable_;
  BrokerEpoch clean_shutdown_epoch_ = no_broker_epoch;  // in the clean-shutdown file; -1: there is none
  Quorum quorum_;          // keeps its own durable part

  // --- does not ---
  std::vector<Replica> replicas_;
  Image image_;
  std::uint64_t incarnation_ = 0;
  BrokerEpoch epoch_ = no_broker_epoch;
  BrokerEpoch previous_epoch_ = no_broker_epoch;  // of the process before, when it ended in good order
  bool registered_ = false;
  bool published_ = false;   // the image is acted upon
  bool unfenced_ = false;
  bool want_shutdown_ = false;
  bool shutdown_asked_ = false;  // and answered once
  int flushes_left_ = 0;     // of the logs, at the end of a shutdown; above 0, nothing else is done any more
  bool flushes_ok_ = false;  // so far
  EventId cleaner_timer_ = no_event;
  Time retention_due_ = 0;
  Time log_start_checkpoint_due_ = 0;
  std::vector<FileId> roll_flushes_;  // of segments that were closed, under way
  EventId heartbeat_timer_ = no_event;
  Channel control_;     // to the controller: changes of ISRs, producer ids
  Channel heartbeats_;  // ... life signs, apart so that a fault may cut one of them
  std::size_t next_controller_ = 0;
  std::vector<ParkedProduce> produces_;
  std::vector<ParkedFetch> fetches_;
  std::vector<Muted> muted_;
  std::vector<ConnId> unmuted_;    // answered during this handler
  std::vector<Throttled> throttled_;
  std::vector<ClientRate> produce_rates_;  // ascending by client
  std::vector<ClientRate> fetch_rates_;
  std::vector<Fetcher> fetchers_;  // by leader
  std::vector<Seat> seats_;        // coordinators
  ShareDesk share_;
  TxnDesk txn_;
  BrokerLinks links_;
  std::vector<LocalAnswer> local_answers_;
  std::vector<TxnQuestion> questions_;  // to transaction coordinators, and what waits for their answers
  bool offsets_expiry_armed_ = false;
  std::uint64_t next_number_ = 1;
  std::uint64_t next_guard_ = 1;
  std::uint64_t state_appends_ = 0;  // by coordinators
  ProducerId next_producer_id_ = 0;
  std::int32_t producer_ids_left_ = 0;
  std::vector<Waiting> waiting_for_ids_;
  bool ids_asked_ = false;
};

}  // namespace mqlab::kafka
