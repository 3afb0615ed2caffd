// gui/core/engine.h: recordings and moments, made on a thread of their own.
//
// The window asks and goes on; what is ready it takes later. Of recordings each that was asked for is made, in turn, unless
// it is called off; of moments only the one asked for last.
//
// Always true: 1. everything handed out is immutable. 2. No clock and no speed of the window reaches a run: the play-head
// is a number in the window. 3. `wake` is called from the engine's thread, and only tells that take() has something.
// Elsewhere: which recordings belong together (session.h).
//
//     Engine engine(all_models(), [] { post_event_to_window(); });
//     Ticket t = engine.record(spec);
//     ... for (const News& n : engine.take()) ...
#pragma once

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

#include "gui/core/event_index.h"

namespace mqlab::gui {

using Ticket = std::uint64_t;

// A recording with its index: what views are drawn from.
struct Recorded {
  std::shared_ptr<const Recording> recording{};
  std::shared_ptr<const EventIndex> index{};
};

// What went wrong with a scenario: file and line where there are.
struct Complaint {
  std::string file{};
  int line = 0;
  std::string text{};
};

struct News {
  enum class Kind : std::uint8_t { recorded, refused, called_off, moment };
  Kind kind{};
  Ticket ticket{};                                  // of record()
  Recorded recorded{};
  Complaint complaint{};
  std::shared_ptr<const Recording> of{};            // moment: of which recording
  std::shared_ptr<const Moment> moment{};
};

struct Progress {
  Ticket ticket{};      // 0: nothing is being recorded
  std::uint64_t events{};
  Time now{};           // virtual
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
  // The state of a recording after an event. A later question replaces one that was not answered yet.
  void look(std::shared_ptr<const Recording> of, std::size_t event);

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
  };
  void run();
  void make(Job job);
  void tell(News n);

  const Models& models_;
  const std::function<void()> wake_;
  const RecordOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job> jobs_;
  std::optional<Look> look_;
  std::vector<News> news_;
  Progress progress_;
  Ticket last_ = 0;
  Ticket called_off_ = 0;      // the one under way
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;         // last: it begins when all else is there
};

}  // namespace mqlab::gui
