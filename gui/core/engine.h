// gui/core/engine.h: recordings and moments, made on a thread of their own.
//
// The window asks and goes on; what is ready it takes later. Of recordings each that was asked for is made, in turn, unless
// it is called off, and handed out with all that pictures want to know of it; of moments only the one asked for last, for each
// of the two places at which a window looks; of searches for an event only the one asked for last.
//
// Always true: 1. everything handed out is immutable. 2. No clock and no speed of the window reaches a run: the play-head
// is a number in the window. 3. `wake` is called from the engine's thread, and only tells that take() has something. 4. A
// recording that nobody holds any more is given back to memory by the engine's thread, whoever held it last.
// Elsewhere: which recordings belong together (session.h), other questions about them (background.h).
//
//     Engine engine(all_models(), [] { post_event_to_window(); });
//     Ticket t = engine.record(spec);
//     ... for (const News& n : engine.take()) ...
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gui/core/find_event.h"
#include "gui/core/view_facts.h"

namespace mqlab::gui {

using Ticket = std::uint64_t;

// A recording with its index and facts: what views are drawn from.
struct Recorded {
  std::shared_ptr<const Recording> recording{};
  std::shared_ptr<const EventIndex> index{};
  std::shared_ptr<const ViewFacts> facts{};
};

// A window looks at the current future, and at one beside it.
enum class Eye : std::uint8_t { here, beside };
// Whether the moment of the event before is wanted too: to tell what an event changed.
enum class WithBefore : bool { no, yes };

// What went wrong with a scenario: file and line where there are.
struct Complaint {
  std::string file{};
  int line = 0;
  std::string text{};
};

struct News {
  enum class Kind : std::uint8_t { recorded, refused, called_off, moment, found };
  Kind kind{};
  Ticket ticket{};                                  // of record()
  Recorded recorded{};
  Complaint complaint{};
  std::shared_ptr<const Recording> of{};            // moment, found: of which recording
  Eye eye{};
  std::shared_ptr<const Moment> moment{};
  std::shared_ptr<const Moment> before{};           // of the event before; null: was not asked for, or there is none
  Found found{};
  std::string complaint_of_search{};                // found: why there is none; empty: there is, or it was called off
};

// A search for an event: how far it has come.
struct SearchProgress {
  bool under_way = false;  // or waits for its turn
  std::size_t done = 0, all = 0;
};

struct Progress {
  Ticket ticket{};      // 0: nothing is being recorded
  std::uint64_t events{};
  Time now{};           // virtual
  bool over = false;    // the run is; it is being looked through
};

class Engine {
 public:
  Engine(const Models& models, std::function<void()> wake, RecordOptions options = {});
  ~Engine();  // calls off what is under way, and waits for the thread
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Never 0.
  Ticket record(RunSpec spec);
  // A recording that was not begun is not made; one under way stops soon. Its news is `called_off`.
  void call_off(Ticket t);
  // The state of a recording after an event. A later question for the same eye replaces one that was not answered yet.
  void look(std::shared_ptr<const Recording> of, std::size_t event, Eye eye = Eye::here, WithBefore before = WithBefore::no);

  // The next event (or the one before) at which a predicate is true; the answer is News::found. A later question calls off the one before.
  void find(std::shared_ptr<const Recording> of, Predicate p, std::size_t now, Direction d);
  // Its news says so, if there was one.
  void call_off_find();
  SearchProgress search() const;

  // All news since the last call, oldest first.
  std::vector<News> take();
  Progress progress() const;
  // Nothing is asked for that was not answered.
  bool idle() const;

 private:
  struct Job {
    Ticket ticket{};
    RunSpec spec{};
  };
  struct Look {
    std::shared_ptr<const Recording> of{};
    std::size_t event{};
    WithBefore before{};
  };
  struct Search {
    std::shared_ptr<const Recording> of{};
    Predicate predicate{};
    std::size_t now = 0;
    Direction direction{};
  };
  // What was handed out and is not held any more. Outlives the engine, if recordings do.
  struct Graves {
    std::mutex mutex;
    std::vector<std::shared_ptr<const void>> all;
    bool open = true;   // there is a thread that empties them
  };
  void run();
  void make(Job job);
  void find(Search s);
  void tell(News n);
  void answer(Eye eye, Look look);
  void answer_all();
  void empty_graves();
  std::shared_ptr<const Recording> lend(std::shared_ptr<const Recording> r);

  const Models& models_;
  const std::function<void()> wake_;
  const RecordOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job> jobs_;
  std::array<std::optional<Look>, 2> looks_;  // by eye
  std::optional<Search> search_;
  SearchProgress search_progress_;
  bool search_off_ = false;    // the one under way
  std::vector<News> news_;
  Progress progress_;
  Ticket last_ = 0;
  Ticket called_off_ = 0;      // the one under way
  bool busy_ = false;
  bool ending_ = false;
  bool buried_ = false;        // there is something in the graves
  const std::shared_ptr<Graves> graves_ = std::make_shared<Graves>();
  std::thread thread_;         // last: it begins when all else is there
};

}  // namespace mqlab::gui
