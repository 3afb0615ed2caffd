#include "gui/core/background.h"

#include <algorithm>
#include <utility>

namespace mqlab::gui {

Background::Background(std::function<void()> wake) : wake_(std::move(wake)) {
  for (Lane& lane : lanes_) lane.thread = std::thread([this, &lane] { run(lane); });
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (Lane& lane : lanes_) {
      lane.off = true;
      lane.questions.clear();
    }
  }
  for (Lane& lane : lanes_) lane.work.notify_all();
  for (Lane& lane : lanes_) lane.thread.join();
}

void Background::ask(Subject s, Work work) {
  call_off(s);
  Lane& lane = lanes_[lane_of(s)];
  {
    const std::lock_guard lock(mutex_);
    asked_[static_cast<std::size_t>(s)] = ++last_;
    lane.questions.push_back({s, last_, std::move(work)});
  }
  lane.work.notify_all();
}

void Background::call_off(Subject s) {
  const std::lock_guard lock(mutex_);
  Lane& lane = lanes_[lane_of(s)];
  std::uint64_t& asked = asked_[static_cast<std::size_t>(s)];
  if (asked != 0 && asked == lane.under_way) {
    lane.off = true;
    ++counters_.called_off;
  }
  asked = 0;
  const auto of_it = [s](const auto& q) { return q.subject == s; };
  std::erase_if(lane.questions, of_it);
  std::erase_if(found_, of_it);
}

bool Background::busy(Subject s) const {
  const std::lock_guard lock(mutex_);
  return asked_[static_cast<std::size_t>(s)] != 0;
}

bool Background::idle() const {
  const std::lock_guard lock(mutex_);
  return std::all_of(asked_.begin(), asked_.end(), [](std::uint64_t n) { return n == 0; });
}

Background::Counters Background::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void Background::take() {
  std::vector<Found> found;
  {
    const std::lock_guard lock(mutex_);
    found.swap(found_);
  }
  for (Found& f : found) {
    {
      // An answer before may have asked anew.
      const std::lock_guard lock(mutex_);
      if (!newest(f.subject, f.number)) continue;
      asked_[static_cast<std::size_t>(f.subject)] = 0;
    }
    if (f.answer) f.answer();
  }
}

void Background::run(Lane& lane) {
  std::unique_lock lock(mutex_);
  while (true) {
    lane.work.wait(lock, [&] { return ending_ || !lane.questions.empty(); });
    if (ending_) return;
    Question q = std::move(lane.questions.front());
    lane.questions.pop_front();
    lane.under_way = q.number;
    lane.off = false;
    ++counters_.begun;
    lock.unlock();
    Answer answer = q.work(CallOff(&lane.off));
    q.work = {};
    lock.lock();
    lane.under_way = 0;
    if (!newest(q.subject, q.number)) {
      lock.unlock();
      answer = {};  // what it holds may be large
      lock.lock();
      continue;
    }
    found_.push_back({q.subject, q.number, std::move(answer)});
    lock.unlock();
    if (wake_) wake_();
    lock.lock();
  }
}

}  // namespace mqlab::gui
