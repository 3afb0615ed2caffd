// models/kafka/client.h: an application's node with Kafka's client library: producer and consumer.
//
// The library as the Java client has it: an accumulator of batches per partition, a sender that
// keeps order by sequence numbers, a fetcher with positions, metadata that ages. What the
// application asked is answered once: ok, fail (certainly no effect) or info (unknown).
//
// Always true: 1. a batch's sequence numbers do not change while it may be on the wire, except by an
// epoch bump. 2. A retried batch keeps its place before later ones of its partition (idempotence).
// Elsewhere: what brokers do with it (broker.h), applications (sim/lab/app.h).
// Reading order: client.cpp (connections, metadata), producer.cpp, consumer.cpp.
// Sources: Sender, RecordAccumulator, TransactionManager, NetworkClient, Fetcher, SubscriptionState (Java).
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "models/kafka/messages.h"
#include "models/kafka/partitioner.h"
#include "models/kafka/settings.h"
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
  bool failed = false;                         // the application was told of an error; it must seek
  Time retry_at = 0;
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
  bool producer_idle() const { return queued_ == 0 && produce_in_flight_ == 0 && blocked_.empty(); }
  const std::vector<Assigned>& assigned() const { return assigned_; }
  std::size_t buffered() const { return buffer_.size(); }

 protected:
  void perform(Context& c, const Call& call) override;

 private:
  enum class Purpose : std::uint8_t { metadata, produce, fetch };
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
  Peer& peer(Purpose p, BrokerId b) { return peers_[static_cast<std::size_t>(p)][static_cast<std::size_t>(b - 1)]; }
  bool can_connect(Context& c, Purpose p, BrokerId b);
  void throttle(Context& c, const Request& r, Duration wait, bool honoured);
  std::uint64_t request(Context& c, Purpose p, BrokerId b, Kind k, PayloadRef payload, std::uint32_t size, Duration timeout);
  Request take_request(std::uint64_t word);
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
  static std::vector<std::pair<Sequence, std::uint64_t>>::iterator find_outstanding(PartitionQueue& q, const ProducerBatch& batch);
  void forget_outstanding(PartitionQueue& q, const ProducerBatch& batch);
  void expire(Context& c);
  void resolve_sequences();
  void bump_epoch_if_needed(Context& c);
  void ask_producer_id(Context& c);
  void on_producer_id(Context& c, const Message& m);
  bool next_in_sequence(const PartitionQueue& q, Sequence s) const;

  // --- consumer.cpp ---
  void assign_call(Context& c, const Call& call);
  void seek_call(Context& c, const Call& call);
  void end_offset_call(Context& c, const Call& call);
  void poll_call(Context& c, const Call& call);
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

  ClusterRef cluster_;
  bool produces_;
  ProducerSettings producer_;
  bool consumes_;
  ConsumerSettings consumer_;

  // All below is lost with the process.
  std::array<std::vector<Peer>, 3> peers_;
  std::vector<Request> requests_;
  std::uint64_t next_word_ = 1;
  std::vector<PartitionMetadata> metadata_;
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

  std::vector<Assigned> assigned_;
  std::vector<std::int32_t> assigned_topics_;  // whole topics: new partitions are added as they appear
  std::deque<BufferedRecord> buffer_;
  CallId poll_ = 0;
  std::uint32_t poll_count_ = 0;
  EventId poll_timer_ = no_event;
  std::vector<std::pair<Call, PartitionId>> end_offset_calls_;
  Error poll_error_ = Error::none;
  PartitionId poll_error_partition_ = 0;
};

}  // namespace mqlab::kafka
