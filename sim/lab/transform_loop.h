// sim/lab/transform_loop.h: consume, transform, produce: the application that turns one place's messages into another's.
//
// It polls, sends for each message of the batch its output (the same message, to another topic), stores the positions of
// what it read, and polls again. How the two come to count together, or do not, is asked by options:
//
//   positions = "in_transaction"  outputs and positions are one transaction: both count, or neither does.
//               "beside"          outputs in a transaction, positions by a commit of their own after it: what comes
//                                 between the two is done twice.
//               "after"           no transactions; positions after all outputs are acknowledged: at least once.
//               "before"          ... before any output is sent: at most once.
//   on_abort    after an abort the library's position still stands behind the batch: "rewind" goes back, "go_on" skips
//               it (KAFKA-17582).
//   rewind_to   where to: where the group stands by now ("committed"), or where the batch began ("batch"), which is
//               behind if a commit of unknown outcome came true.
//   on_unknown  a commit without an answer: ask "retry", again and again; drop the producer for a "new_producer", whose
//               first request waits for the old one's end; or "go_on" as if it were done.
//   on_fatal    the producer is of no use, fenced mostly: make a "new_producer" (which fences the other in turn), "stop",
//               or "go_on" with it.
//   id_each_start  a transactional id of its own for each life of the process: nobody fences a zombie, nobody ends what
//                  the last life left open.
//
// Always true: 1. one batch at a time; no poll before it is over. 2. Nothing outlives the process but what it counts.
// Elsewhere: who is told what by the library (the model's client), the same as a program (scenarios/programs/transform-loop.lua).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/lab/app.h"
#include "sim/lab/options.h"

namespace mqlab {

// Scope "transform"; a part of load_options(). The loop also reads topic, transactional_id (producer), topics, group,
// start_at, poll_timeout, max_poll, work (consumer).
const std::vector<OptionDecl>& transform_load_options();
// True for options of declared loads that mean something to this loop.
bool transform_reads(const std::string& scope, const std::string& option);
// What the single options cannot say: "has no topic to send to". The text is for people.
std::optional<std::string> check_transform(const Options& producer, const Options& consumer);

class TransformLoop : public AppBase<TransformLoop> {
 public:
  void configure(const std::vector<OptionDecl>& decls, const Options& producer, const Options& consumer, const Options& knobs) override;
  void on_start(AppContext& a) override;
  void on_answer(AppContext& a, const Answer& answer) override;
  void on_timer(AppContext& a, std::uint64_t argument) override;
  void on_crash() override;
  bool done() const override { return batch_.empty() && !ending_; }
  bool stuck() const override { return waits_ == Waits::nothing; }
  Tree state() const override;

 private:
  enum class Positions : std::uint8_t { in_transaction, beside, after, before };
  enum class OnAbort : std::uint8_t { rewind, go_on };
  enum class OnFatal : std::uint8_t { new_producer, stop, go_on };
  enum class OnUnknown : std::uint8_t { retry, new_producer, go_on };
  // What the one thread waits for.
  enum class Waits : std::uint8_t { start, renamed, init, poll, begin, work, outputs, positions, commit, abort, plain_commit, rewind, new_producer, rest, nothing };

  bool transacts() const { return positions_ == Positions::in_transaction || positions_ == Positions::beside; }
  void start(AppContext& a);
  void make_producer(AppContext& a, Waits waits);
  void init(AppContext& a);
  void read(AppContext& a);
  void poll(AppContext& a);
  void on_polled(AppContext& a, const Answer& answer);
  void begin(AppContext& a);
  void work(AppContext& a);
  void send(AppContext& a);
  void all_sent(AppContext& a);
  void store_positions(AppContext& a);
  void end(AppContext& a);
  void commit(AppContext& a);
  void abort(AppContext& a);
  void on_ended(AppContext& a, const Answer& answer);
  void plain_commit(AppContext& a);
  void on_plain_commit(AppContext& a, const Answer& answer);
  void fatal(AppContext& a);
  void rewind(AppContext& a);
  void batch_over(AppContext& a);
  void rest(AppContext& a);
  void ask(AppContext& a, CallKind k, Waits waits);

  // As declared.
  std::vector<std::string> topics_;
  std::string topic_;
  std::string group_;
  std::string transactional_id_;
  Duration start_at_ = 0;
  Duration poll_timeout_ = 0;
  Duration work_ = 0;
  std::uint32_t max_poll_ = 0;
  Positions positions_ = Positions::in_transaction;
  OnAbort on_abort_ = OnAbort::rewind;
  bool rewind_to_batch_ = false;
  OnUnknown on_unknown_ = OnUnknown::retry;
  OnFatal on_fatal_ = OnFatal::new_producer;
  bool id_each_start_ = false;
  std::uint64_t abort_every_ = 0;

  // Survives the process: its deployment counts starts.
  std::uint64_t starts_ = 0;
  // Does not.
  Waits waits_ = Waits::start;
  CallId waits_for_ = 0;
  bool reads_ = false;                  // it has subscribed, or chosen what it reads
  bool ending_ = false;                 // a transaction is between its last output and its end
  bool rewinds_ = false;                // when the new producer is there
  std::deque<PolledMessage> batch_;     // from the first whose output was not sent
  std::vector<std::pair<std::uint32_t, std::int64_t>> began_;  // place, position of the batch's first
  std::uint64_t open_sends_ = 0;
  bool send_failed_ = false;
  std::uint64_t batches_ = 0;
  std::uint64_t aborted_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace mqlab
