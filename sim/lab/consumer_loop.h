// sim/lab/consumer_loop.h: the application of a declared consumer: poll, work, commit, and again.
//
// One thread polls, and by default works too: while it works it does not poll, and the library may
// take it for dead (max.poll.interval). What differs between consumers is asked by options, and each
// has its price when the process dies, or loses a place, at the wrong moment:
//
//   commit = "library"   auto-commit. Safe while the loop works itself and the library commits inside
//                        polls (Java); in the background (librdkafka) it passes the record in hand.
//   commit = "before"    at most once: what was committed and not finished is never done.
//   commit = "after"     at least once: what was finished and not committed is done again.
//   commit = "each"      the same, one record at most; a round trip for each.
//   commit_async         the loop does not wait: commits may fail or overtake each other unseen.
//   commit_on_revoke     what is done is committed before a place goes: fewer repetitions.
//   workers              others work while the loop polls. The position runs ahead of the work, and
//                        so does auto-commit: loss. Order within a place is lost as well.
//     commit = "highest" passes what slower workers still hold: loss.
//     commit = "prefix"  stops before the first unfinished record: repetitions, no loss.
//   pause_while_working  places are paused, the loop polls on: long work and no missed poll.
//   finish_revoked       records of places that were taken away are worked on, and committed: done
//                        twice, and the group's position goes back.
//   attempts, on_failure a record that always fails blocks its place ("block"), is never done
//                        ("skip"), is overtaken by those behind it ("retry_topic"), or goes aside
//                        for good ("dead_letter").
//   ack                  share groups: each record is accepted, released or rejected by itself.
//
// Always true: 1. there is one poll under way at most, and none while the thread waits for something
// else. 2. Nothing outlives the process. 3. Without any of these options the loop polls, and notes
// what it got.
// Elsewhere: the options (consumer_options.h), what a call does (the model's client).
// Reading order: consumer_loop.cpp (the polling thread), consumer_work.cpp (the work on a record).
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/lab/app.h"
#include "sim/lab/consumer_options.h"

namespace mqlab {

class ConsumerLoop : public AppBase<ConsumerLoop> {
 public:
  explicit ConsumerLoop(const Options& o);

  void on_start(AppContext& a) override;
  void on_answer(AppContext& a, const Answer& answer) override;
  void on_timer(AppContext& a, std::uint64_t argument) override;
  void on_crash() override;
  // Nothing is in hand, or nothing but records that will fail for ever.
  bool done() const override;
  bool stuck() const override;
  Tree state() const override;

 private:
  // What the polling thread waits for.
  enum class Waits : std::uint8_t { start, poll, commit, work, worker, rest, nothing };
  // What it does after a commit.
  enum class Then : std::uint8_t { poll_again, work };

  struct InHand {
    PolledMessage record;
    Time came;
  };

  // Somebody who works: the thread itself, or a worker of its pool.
  struct Hand {
    enum class Does : std::uint8_t { nothing, delays, works, rests, sends };
    Does does = Does::nothing;
    PolledMessage record{};
    std::uint32_t tries = 0;
    CallId sent = 0;
    bool dropped = false;  // its place was taken away meanwhile
    bool busy() const { return does != Does::nothing; }
  };

  // How far one place has got, since it was last given to this consumer.
  struct Progress {
    struct Record {
      std::int64_t position;
      OpIndex op;
      bool finished;
    };
    std::deque<Record> records{};  // in the order they came, from the first unfinished one
    std::int64_t came = -1;        // positions to go on from: after all that came
    std::int64_t prefix = -1;      // ... after all before which nothing is unfinished
    std::int64_t highest = -1;     // ... after the furthest finished one
    std::int64_t asked = -1;       // ... as last committed, or asked to be
  };
  using Positions = std::vector<std::pair<std::uint32_t, std::int64_t>>;  // place, next to read
  struct OpenCommit {
    CallId call;
    bool awaited;  // the thread waits for its answer
  };

  // --- consumer_loop.cpp: the polling thread ---
  void subscribe(AppContext& a);
  void poll(AppContext& a);
  void poll_again(AppContext& a);
  void on_polled(AppContext& a, const Answer& answer);
  void take(AppContext& a, const std::vector<PolledMessage>& messages);
  void forget(std::uint32_t place);
  void work(AppContext& a);
  void work_itself(AppContext& a);
  void hand_over(AppContext& a);
  void pause_or_resume(AppContext& a);
  Positions done_in(const std::vector<std::uint32_t>& places) const;
  std::int64_t position_due(const Progress& p) const;
  Positions due() const;
  // True when the thread has to wait; then it goes on with `then`.
  bool commit(AppContext& a, const Positions& positions, Then then);
  void on_committed(AppContext& a, const Answer& answer);
  void on_free_hand(AppContext& a);

  // --- consumer_work.cpp: a record in somebody's hands ---
  void begin(AppContext& a, Hand& h, const InHand& next);
  void try_it(AppContext& a, Hand& h);
  void tried(AppContext& a, Hand& h);
  void gave_up(AppContext& a, Hand& h);
  void send_on(AppContext& a, Hand& h);
  void finish(AppContext& a, Hand& h, bool well);
  void feed(AppContext& a);
  void on_hand_timer(AppContext& a, Hand& h);
  void sleep_hand(AppContext& a, Hand& h, Hand::Does does, Duration d);
  bool is(AppContext& a, const PolledMessage& r, const std::string& name) const;
  bool fails(AppContext& a, const PolledMessage& r) const;
  bool hopeless(const Hand& h) const;
  bool anybody_busy() const;

  LoopOptions o_;

  // All below is lost with the process.
  Waits waits_ = Waits::start;
  Then then_ = Then::poll_again;
  std::uint64_t received_ = 0;
  std::uint64_t finished_ = 0;
  std::deque<InHand> batch_;  // in the thread's hand, not begun and not handed over
  std::deque<InHand> queue_;  // handed over, not begun
  std::vector<Hand> hands_;
  std::map<std::uint32_t, Progress> progress_;  // by place
  std::vector<OpenCommit> commits_;             // without an answer
  bool commit_failed_ = false;                  // of those awaited
  bool at_once_ = false;                        // the next poll goes on with a rebalance
  std::vector<std::uint32_t> paused_;           // places
};

}  // namespace mqlab
