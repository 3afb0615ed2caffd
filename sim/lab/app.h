// sim/lab/app.h: an application and the client library under it.
//
// An application (declared load, or a Lua coroutine) makes calls: send, poll, commit ... A model's
// client node carries them out by its protocol and completes each with an answer. The history is
// written here, at this border and nowhere else: what the application asked and was told.
//
// Always true: 1. each call is completed at most once. 2. `fail` means certainly no effect, `info`
// means unknown. 3. An application is copied with its node.
// Elsewhere: the calls that a model offers (ModelDecl::calls), the load (load.h), Lua (sim/script), databases and the world
// outside (service.h): every client can call them, whatever its model.
//
//     struct KafkaClient : ClientNode {
//       void perform(Context& c, const Call& call) override { ... complete(c, call.id, {.outcome = Outcome::ok}); }
//     };
#pragma once

#include <cstdint>
#include <map>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sim/lab/options.h"
#include "sim/lab/service_client.h"
#include "sim/world/world.h"

namespace mqlab {

// Positions of a call that name no number.
inline constexpr std::int64_t from_end = -2;
inline constexpr std::int64_t from_beginning = -3;  // where the place begins by now: not 0 after a deletion

enum class CallKind : std::uint8_t {
  send, poll, assign, seek, ack, commit, begin, end_commit, end_abort, end_offset, close, other,
  subscribe,    // reads for a group; `argument` names the topics: "orders,payments"
  unsubscribe,
  pause,        // a place is not fetched for a while, and stays owned
  resume,
  release,      // share groups, queues: give the message back, for somebody else or for later
  reject,       // ... it is good for nobody
  send_offsets, // inside a transaction: positions are stored when it is committed, and only then
  database,     // AppContext::database and outside: carried out by the base class
  outside
};

// What an application asks of its client library. Fields that a kind does not use stay at rest.
struct Call {
  CallId id{};
  CallKind kind{};
  std::uint32_t place{};           // names: the topic, or "topic/partition"
  std::uint32_t key{};             // names
  MessageId message = no_message;  // send, ack
  std::int64_t position = -1;      // assign, seek, commit; -1 = the library's own choice
  std::int32_t partition = -1;     // send: an explicit partition
  std::uint32_t size = 100;        // send: bytes
  std::int64_t timestamp = -1;     // send: the record's own time; -1 = the wall clock
  bool tombstone = false;          // send: without a body, to say that the key is deleted
  Duration timeout{};              // poll: how long it may wait
  std::uint32_t count{};           // poll: at most so many, 0 = the library's own choice
  bool once = false;               // commit: one attempt, not repeated by the library (asynchronous)
  std::uint64_t transaction{};     // the one that the client has open; given by the lab
  std::string verb{};              // other
  std::string argument{};
};

// One message as a poll hands it over.
struct PolledMessage {
  std::uint32_t place{};
  std::uint32_t key{};
  MessageId message = no_message;
  std::int64_t position = -1;
  std::uint8_t attempt{};
  std::uint8_t flags{};  // op_flag
  OpIndex op = no_op;    // its row in the history
  bool tombstone = false;
};

// A poll's answer may also say that places came or went. What was taken may still be committed before the next poll,
// for only then the library gives it up (a rebalance listener runs inside a poll); what was lost may not.
struct Rebalance {
  std::vector<std::uint32_t> assigned{};  // names
  std::vector<std::uint32_t> revoked{};
  std::vector<std::uint32_t> lost{};

  bool empty() const { return assigned.empty() && revoked.empty() && lost.empty(); }
};

struct Answer {
  CallId call{};
  CallKind kind{};
  Outcome outcome = Outcome::ok;
  std::uint32_t error{};  // names
  std::uint32_t place{};
  MessageId message = no_message;
  std::int64_t position = -1;
  std::uint8_t flags{};   // op_flag: of a send, that it went to a dead-letter place
  std::vector<PolledMessage> messages{};
  Rebalance rebalance{};
  PayloadRef service{};   // of a database or the world outside: what it said; empty when it did not answer (service_payload)
};

class ClientNode;

// What an application sees: its library, timers and the clock.
class AppContext {
 public:
  AppContext(Context& c, ClientNode& client) : context(c), client_(client) {}
  Context& context;

  Time now() const { return context.now(); }
  Names& names() { return context.names(); }
  // Asks; the answer comes to App::on_answer, never before this returns.
  CallId call(Call call);
  // Calls App::on_timer after this time (unless the application is paused meanwhile: then after the pause).
  void sleep(Duration d, std::uint64_t argument = 0) { context.set_timer(d, application_timer, argument); }
  // The application has finished with a message; for key order and commit-before-processing.
  void processed(const PolledMessage& r);
  // It tried, and failed; it may try again.
  void failed(const PolledMessage& r);
  // It did something to the world outside.
  void effect(const std::string& what, MessageId message);

  // --- databases and the world outside: nodes of the scenario, by name ---
  // A number for a transaction; the database hears of it with the first statement.
  std::uint64_t begin(const std::string& database);
  // Asks; in the answer's `service` is a DbReply, or an EffectReply.
  CallId database(const std::string& database, DbRequest request);
  CallId outside(const std::string& node, EffectRequest request);

 private:
  void record_process(const PolledMessage& r, Outcome outcome);
  ClientNode& client_;
};

// Tried so often, a message that always fails will not succeed any more: nobody waits for it.
inline constexpr std::uint32_t hopeless_after = 10;

class App {
 public:
  App() = default;
  App(const App&) = default;
  App& operator=(const App&) = default;
  virtual ~App() = default;
  virtual std::unique_ptr<App> clone() const = 0;
  // A program's client has these options in this run: those of a producer, and those of a consumer.
  // ... and the scenario's knobs (scope "knob").
  virtual void configure(const std::vector<OptionDecl>& /*decls*/, const Options& /*producer*/, const Options& /*consumer*/, const Options& /*knobs*/) {}
  virtual void on_start(AppContext&) {}
  virtual void on_answer(AppContext&, const Answer&) {}
  virtual void on_timer(AppContext&, std::uint64_t /*argument*/) {}
  // The process died: what the application had not stored is gone.
  virtual void on_crash() {}
  // Nothing more will come from it by itself; a consumer that waits for messages is done too.
  virtual bool done() const { return true; }
  // It does not even read on, and will not by itself: a message that always fails blocks it.
  virtual bool stuck() const { return false; }
  virtual Tree state() const { return {"application"}; }
};

template <class Derived>
struct AppBase : App {
  std::unique_ptr<App> clone() const override { return std::make_unique<Derived>(static_cast<const Derived&>(*this)); }
};

// The node that an application runs on; each model derives its client from this.
class ClientNode : public Node {
 public:
  ClientNode() = default;
  explicit ClientNode(std::unique_ptr<App> app, std::string subscription = {}) : app_(std::move(app)), subscription_(std::move(subscription)) {}
  ClientNode(const ClientNode& o) : Node(o), app_(o.app_ ? o.app_->clone() : nullptr), subscription_(o.subscription_), next_call_(o.next_call_), open_(o.open_), answers_(o.answers_), to_be_woken_(o.to_be_woken_), transaction_(o.transaction_), transactions_(o.transactions_), services_(o.services_) {}
  ClientNode& operator=(const ClientNode&) = delete;

  const App* app() const { return app_.get(); }
  App* app() { return app_.get(); }
  std::size_t open_calls() const { return open_.size(); }
  // Who is entitled to what this client reads, in the history; empty = the node's own name.
  const std::string& subscription() const { return subscription_; }
  bool speaks_to_services() const { return services_.used(); }
  std::size_t open_service_calls() const { return services_.open(); }

 protected:
  // Carries out a call; complete() may come now or later.
  virtual void perform(Context& c, const Call& call) = 0;
  // True: the node writes the rows of commit and send_offsets itself, one for each place (record_commit).
  virtual bool commits_by_place() const { return false; }
  // Who it is to those who fence producers: a transactional id. The `begin` rows carry it as their key.
  virtual std::string transactional_id() const { return {}; }

  void start_app(Context& c);
  void crash_app();
  // True while the application stands still (pause_application): it takes no answer. When it goes on, app_timer returns
  // true once more.
  bool app_stands(Context& c);
  // True when the timer was the application's: it has done something, or goes on after a pause.
  bool app_timer(Context& c, TimerKind kind, std::uint64_t argument);
  // True when it was of a database or the world outside: dealt with. A model's client asks this first.
  bool service_message(Context& c, const Message& m);
  bool service_closed(Context& c, ConnId connection, CloseReason reason);
  // Ends a call: writes the history and tells the application.
  void complete(Context& c, CallId id, Answer answer);
  // A place was given to, or taken from, this client.
  void record_assignment(Context& c, std::uint32_t place, bool given, std::int64_t position, std::uint8_t flags);
  // A position is to be stored, asked by the application or by the library itself: one row for each place, and one
  // when it is known how it ended.
  // `transaction` and `subscription` (names) of positions that go with a transaction; 0 = its own.
  OpIndex record_commit(Context& c, std::uint32_t place, std::int64_t position, std::uint64_t transaction = 0, std::uint32_t subscription = 0);
  void record_commit_end(Context& c, OpIndex invoke, std::uint32_t place, std::int64_t position, Outcome outcome, std::uint32_t error, std::uint64_t transaction = 0, std::uint32_t subscription = 0);
  // The transaction that the application began and that has not ended ok; 0 = none. Its sends, reads and
  // positions carry it in the history.
  std::uint64_t transaction() const { return transaction_; }
  // What held it is dropped: it gets no end that anybody is told, and what comes next is not part of it.
  void forget_transaction() { transaction_ = 0; }
  std::uint32_t subscription_name(Context& c) const { return c.names().id(subscription_.empty() ? c.name(c.self()) : subscription_); }

 private:
  friend class AppContext;
  struct OpenCall {
    CallId id{};
    CallKind kind{};
    OpIndex invoke = no_op;
    std::uint32_t place{};
    std::uint32_t key{};
    MessageId message = no_message;
    std::uint64_t transaction{};
  };
  CallId begin(Context& c, Call& call);
  void deliver_answers(Context& c);
  void end_service_calls(Context& c, std::vector<ServiceAnswer> ended);

  std::unique_ptr<App> app_;
  std::string subscription_;
  CallId next_call_ = 1;
  std::deque<OpenCall> open_;       // ascending in id; answered mostly in that order
  std::vector<Answer> answers_;     // completed while the application was running, or stood still: told afterwards
  bool in_app_ = false;
  bool to_be_woken_ = false;        // a timer lies behind the pause
  std::uint64_t transaction_ = 0;
  std::uint64_t transactions_ = 0;  // begun so far, over all lives of the process
  ServiceClient services_;
};

template <class Derived>
struct ClientNodeBase : ClientNode {
  using ClientNode::ClientNode;
  std::unique_ptr<Node> clone() const override { return std::make_unique<Derived>(static_cast<const Derived&>(*this)); }
};

}  // namespace mqlab
