// gui/core/background.h: what a window wants to know and would take longer than a frame to find out, on threads of its own.
//
// Each question belongs to a subject ("the filter of this run"). Whoever asks anew on a subject calls off what was asked on it
// before: it is not begun, or is told to stop, and its answer never comes. What somebody waits for while typing (the filters) has a
// thread, what takes its time (a page that is written, a text that is tried) another: neither waits for the other. Subjects of one
// thread are worked off in the order of asking.
//
// Always true: 1. work runs on a thread of the background, and what it returns in take(), on the caller's. 2. of a subject only the
// newest question is answered, once. 3. `wake` is called from those threads, maybe from both at once, and only tells that take() has
// something.
// Elsewhere: runs and their moments (engine.h).
//
//     Background b([] { post_event_to_window(); });
//     b.ask(Background::Subject::filter, [=](const CallOff& off) -> Background::Answer {
//       auto rows = find_rows(off);                    // asks off.wanted() now and then
//       return [=] { show(rows); };
//     });
//     ... b.take();
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace mqlab::gui {

// Whether an answer is still wanted.
class CallOff {
 public:
  explicit CallOff(const std::atomic<bool>* off = nullptr) : off_(off) {}
  bool wanted() const { return !off_ || !off_->load(std::memory_order_relaxed); }

 private:
  const std::atomic<bool>* off_;
};

class Background {
 public:
  enum class Subject : std::uint8_t { filter, filter_beside, write_back, page };
  static constexpr std::size_t subjects = 4;
  using Answer = std::function<void()>;  // what is done with what was found out
  using Work = std::function<Answer(const CallOff&)>;

  explicit Background(std::function<void()> wake);
  ~Background();  // calls off what is under way, and waits for the threads
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void ask(Subject s, Work work);
  void call_off(Subject s);
  // Something was asked on the subject and is not answered yet.
  bool busy(Subject s) const;
  // Nothing is asked for that was not answered.
  bool idle() const;
  // Gives the answers that have come.
  void take();

  // So many questions were begun, and so many of them were called off before they were answered: for tests.
  struct Counters {
    std::uint64_t begun = 0, called_off = 0;
  };
  Counters counters() const;

 private:
  struct Question {
    Subject subject{};
    std::uint64_t number = 0;
    Work work{};
  };
  struct Found {
    Subject subject{};
    std::uint64_t number = 0;
    Answer answer{};
  };
  // One thread and what is to be done on it.
  struct Lane {
    std::condition_variable work{};
    std::deque<Question> questions{};
    std::uint64_t under_way = 0;     // the number of the question that is worked on
    std::atomic<bool> off{false};    // ... and that it is called off
    std::thread thread{};
  };
  static std::size_t lane_of(Subject s) { return s == Subject::filter || s == Subject::filter_beside ? 0 : 1; }
  void run(Lane& lane);
  bool newest(Subject s, std::uint64_t number) const { return asked_[static_cast<std::size_t>(s)] == number; }

  const std::function<void()> wake_;
  mutable std::mutex mutex_;  // over all below but what is atomic
  std::vector<Found> found_;
  std::array<std::uint64_t, subjects> asked_{};  // the number of the newest question; 0: none that waits for an answer
  std::uint64_t last_ = 0;
  Counters counters_;
  bool ending_ = false;
  std::array<Lane, 2> lanes_;
};

}  // namespace mqlab::gui
