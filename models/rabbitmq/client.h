// models/rabbitmq/client.h: a client: an application, AMQP connections under it, and what a call becomes.
//
// send -> basic.publish: with confirms it ends with the confirm, without when it is written. poll -> what
// basic.deliver has brought. ack, release, reject -> basic.ack, basic.nack, basic.reject. subscribe and assign ->
// queue.declare and basic.consume for each queue of the topics. A lost connection is opened again after a rest, and
// then channel, prefetch and consumers; publishes that were not confirmed are of unknown outcome, and not sent again.
//
// | outcome of a send | when |
// | ok    | confirmed; without confirms: written to an open connection |
// | fail  | never written; returned as unroutable; after the end of the only channel (automatic_recovery=false) |
// | info  | written, and then nack, no confirm in time, or the channel or connection was lost |
//
// An ack has no answer in AMQP: its call ends ok when it is written to the channel of its delivery, and what then
// becomes of it nobody is told.
// Elsewhere: the connection (wire.h), the last reader (reader.cpp), the loop of a declared consumer (sim/lab).
// Reading order: client.cpp, publisher.cpp, receiver.cpp, stream_reading.cpp, client_calls.cpp, reader.cpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/rabbitmq/settings.h"
#include "models/rabbitmq/wire.h"
#include "sim/lab/app.h"

namespace mqlab::rabbitmq {

class Client : public ClientNodeBase<Client> {
 public:
  struct Setup {
    bool produces = false;
    ProducerSettings producer{};
    bool consumes = false;
    ConsumerSettings consumer{};
    LinkSettings link{};
    bool last_reader = false;  // takes what is left in queues that nobody reads
  };
  Client(ClusterRef cluster, std::unique_ptr<App> app, Setup setup);

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_writable(Context& c, ConnId connection) override;
  void on_stop(Context& c) override;
  void on_crash(const Crash& crash) override;
  Tree state() const override;

  // --- looking ---
  bool produces() const { return setup_.produces; }
  bool consumes() const { return setup_.consumes; }
  bool publisher_idle() const { return waiting_.empty() && unconfirmed_.empty() && refused_sends_.empty() && returned_.empty(); }
  // Deliveries that the application has not got.
  std::size_t buffered() const { return buffer_.size(); }
  // ... that it has and that are not settled.
  std::size_t in_hand() const { return in_hand_.size(); }
  bool settles_itself() const { return setup_.consumer.explicit_acks; }
  // It holds as much as a limit of its own allows: the broker sends it nothing more.
  bool holds_its_prefetch() const {
    const std::size_t held = in_hand_.size() + buffer_.size();
    const auto reached = [held](std::uint32_t limit) { return limit > 0 && held >= limit; };
    return reached(setup_.consumer.prefetch) || reached(setup_.consumer.channel_prefetch);
  }
  bool reads(const std::string& queue) const;
  // Every queue that it wants, but those that are gone, has told it that it is a consumer, or one has refused it.
  bool receiver_ready(const std::set<std::string>& gone = {}) const;
  bool last_reader() const { return setup_.last_reader; }
  bool last_reader_done() const { return reader_.done; }

 private:
  void perform(Context& c, const Call& call) override;

  // --- client.cpp: connections, calls ---
  void work(Context& c);
  Wire& publish_wire() { return wires_[0]; }
  Wire& consume_wire() { return setup_.link.shared_connection ? wires_[0] : wires_[1]; }
  const Wire& consume_wire() const { return setup_.link.shared_connection ? wires_[0] : wires_[1]; }
  void connect(Context& c, std::size_t wire);
  void wire_lost(Context& c, std::size_t wire, const std::string& why);
  Answer outcome(Context& c, Outcome o, const std::string& error = {});

  // --- publisher.cpp ---
  struct Send {
    Call call;
    Time deadline{};          // of the connection, then of the confirm
    Table headers{};          // with CC and BCC
    std::uint64_t publishing_id = 0;  // as the application gave it; 0: the message's own
    std::string returned{};   // NO_ROUTE
  };
  void send_call(Context& c, const Call& call);
  void transaction_call(Context& c, const Call& call);
  void open_publisher(Context& c);
  void on_publisher_method(Context& c, const Message& m);
  void publisher_lost(Context& c, const std::string& why);
  void refuse_send(Context& c, CallId call, const char* error);
  void publish_waiting(Context& c);
  void publish(Context& c, Send s);
  void publish_returned(Context& c);
  std::uint64_t publishing_id(MessageId message);
  void on_confirm(Context& c, std::uint64_t number, bool multiple, bool ok);
  void end_send(Context& c, const Send& s, bool ok);
  void expire_sends(Context& c);
  std::int32_t partition_for(Context& c, const TopicPlan& topic, const Call& call);

  // --- receiver.cpp ---
  struct Reading {
    std::string queue{};
    std::uint32_t place{};    // names
    std::string tag{};
    bool stream = false;
    bool consuming = false;
    bool cancelled = false;   // by the application
    bool paused = false;
    std::int64_t next_offset = -1;  // of a stream: where to go on
    // Of a member of a group on a stream; offsets are the next ones.
    bool asks = false;              // it is to be active, and asks where to begin
    bool active = false;
    std::int64_t handed = -1;       // to the application
    std::int64_t settled = -1;
    std::int64_t stored = -1;
  };
  struct Delivery {
    std::uint64_t tag{};
    std::uint64_t channel{};  // which of this client's channels, over all connections
    std::size_t reading{};
    PolledMessage record{};
    ContentRef content{};
    Table headers{};
  };
  void read_call(Context& c, const Call& call);
  void stop_call(Context& c, const Call& call);
  void poll_call(Context& c, const Call& call);
  void settle_call(Context& c, const Call& call);
  void pause_call(Context& c, const Call& call);
  void open_receiver(Context& c);
  void consume(Context& c, Reading& r);
  void on_receiver_method(Context& c, const Message& m);
  void receiver_lost(Context& c, const std::string& why);
  void on_delivery(Context& c, const BasicDeliver& m);
  void answer_poll(Context& c, bool due);
  void settle_last_poll(Context& c);
  void note_ack(Context& c, const Delivery& d, bool by_policy);
  void tell_settled(Context& c, const Delivery& d, Kind k, bool multiple, bool requeue);

  // --- stream_reading.cpp: groups on streams ---
  bool in_stream_group(const Reading& r) const;
  void add_group(Table& args, const QueuePlan& plan) const;
  void on_stream_method(Context& c, const Message& m);
  void become_active(Context& c, Reading& r, std::int64_t stored);
  void step_down(Context& c, Reading& r);
  void give_up(Context& c, Reading& r);
  void store_settled(Context& c, Reading& r);
  void store_offset(Context& c, Reading& r, std::int64_t next);
  void on_store_timer(Context& c);
  bool commit_offsets(Context& c, const Call& call);
  void note_settled(const Delivery& d);

  // --- client_calls.cpp: calls that only this model has ---
  void other_call(Context& c, const Call& call);
  void cancel_call(Context& c, const Call& call);
  void publishing_id_call(Context& c, const Call& call);
  void headers_call(Context& c, const Call& call);
  const Delivery* delivery_in_hand(Context& c, const std::string& message) const;

  // --- reader.cpp: the last reader ---
  struct LastReader {
    std::vector<std::size_t> queues{};   // of Cluster::queues: that it looks at
    std::size_t at = 0;                  // which it looks at now
    bool took = false;                   // in this round
    bool grace_over = false;
    bool done = false;
    std::uint16_t channel = 0;
    bool ready = false;                  // the channel is open
    std::set<NodeId> seen{};             // brokers that had nothing (more) to give
  };
  void start_last_reader(Context& c);
  void look_at_queue(Context& c);
  void next_queue(Context& c);
  void end_round(Context& c);
  void note_kept(Context& c, const QueuePlan& q, const BasicDeliver& got);
  void on_last_reader_method(Context& c, const Message& m);

  ClusterRef cluster_;
  Setup setup_;

  // All below is lost with the process.
  Wire wires_[2];
  std::size_t next_broker_ = 0;

  std::uint16_t next_channel_ = 1;
  std::uint16_t publish_channel_ = 0;    // 0: none
  bool publisher_ready_ = false;
  bool publisher_ended_ = false;         // without recovery: its channel is gone, and it opens no other
  std::uint64_t next_number_ = 1;
  std::deque<Send> waiting_;
  std::map<std::uint64_t, Send> unconfirmed_;
  std::deque<std::pair<CallId, Answer>> refused_sends_;  // told after a rest, in their order
  struct Returned {
    Time due{};
    BasicPublish publish{};
  };
  std::deque<Returned> returned_;        // without confirms: came back, and is published again
  std::deque<CallId> sequence_calls_;    // last_publishing_id: without an answer
  std::uint64_t given_publishing_id_ = 0;  // of the next send, by the application
  Table given_headers_{};                  // likewise
  std::map<MessageId, std::uint64_t> publishing_ids_;  // of messages without a number
  std::uint64_t round_robin_ = 0;
  EventId send_timer_ = no_event;
  Time send_due_ = time_max;
  std::uint16_t tx_channel_ = 0;
  bool tx_open_ = false;
  std::deque<Call> tx_calls_;            // begin, commit, abort: without an answer

  std::vector<Reading> readings_;
  std::uint16_t consume_channel_ = 0;
  std::uint64_t channel_number_ = 0;     // counts over connections
  bool receiver_open_ = false;
  std::deque<Delivery> buffer_;
  std::deque<Delivery> in_hand_;         // of earlier polls, not settled
  CallId poll_ = 0;
  Call poll_call_{};
  EventId poll_timer_ = no_event;
  CallId close_call_ = 0;
  Rebalance rebalance_{};                // to be told with the next poll
  bool store_timer_ = false;
  std::string refused_{};                // why the receiver's channel was closed last
  LastReader reader_;
};

// Timers of a client.
inline constexpr TimerKind timer_beat = 1;       // the connection
inline constexpr TimerKind timer_reconnect = 2;  // which wire
inline constexpr TimerKind timer_send = 3;
inline constexpr TimerKind timer_poll = 4;
inline constexpr TimerKind timer_reopen = 5;     // the receiver's channel
inline constexpr TimerKind timer_look = 6;       // the last reader
inline constexpr TimerKind timer_refused = 8;
inline constexpr TimerKind timer_store = 10;     // offsets
inline constexpr TimerKind timer_returned = 9;   // only wakes it
inline constexpr TimerKind timer_wake = 7;       // the application's handler has ended

}  // namespace mqlab::rabbitmq
