#include "gui/core/engine.h"

#include <exception>
#include <utility>

namespace mqlab::gui {

Engine::Engine(const Models& models, std::function<void()> wake, RecordOptions options)
    : models_(models), wake_(std::move(wake)), options_(std::move(options)), thread_([this] { run(); }) {}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    jobs_.clear();
    look_.reset();
  }
  work_.notify_all();
  thread_.join();
}

Ticket Engine::record(RunSpec spec) {
  Ticket t = 0;
  {
    const std::lock_guard lock(mutex_);
    t = ++last_;
    jobs_.push_back({t, std::move(spec)});
  }
  work_.notify_all();
  return t;
}

void Engine::call_off(Ticket t) {
  bool told = false;
  {
    const std::lock_guard lock(mutex_);
    if (progress_.ticket == t) called_off_ = t;
    for (auto it = jobs_.begin(); it != jobs_.end(); ++it)
      if (it->ticket == t) {
        jobs_.erase(it);
        news_.push_back({.kind = News::Kind::called_off, .ticket = t});
        told = true;
        break;
      }
  }
  if (told && wake_) wake_();
}

void Engine::look(std::shared_ptr<const Recording> of, std::size_t event) {
  {
    const std::lock_guard lock(mutex_);
    look_ = Look{std::move(of), event};
  }
  work_.notify_all();
}

std::vector<News> Engine::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

Progress Engine::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

bool Engine::idle() const {
  const std::lock_guard lock(mutex_);
  return !busy_ && jobs_.empty() && !look_;
}

void Engine::tell(News n) {
  {
    const std::lock_guard lock(mutex_);
    news_.push_back(std::move(n));
  }
  if (wake_) wake_();
}

// A moment first: it is what somebody waits for with the mouse in hand.
void Engine::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return ending_ || look_ || !jobs_.empty(); });
    if (ending_) return;
    busy_ = true;
    if (look_) {
      const Look l = *std::exchange(look_, std::nullopt);
      lock.unlock();
      if (l.event < l.of->events()) tell({.kind = News::Kind::moment, .of = l.of, .moment = l.of->moment(l.event)});
    } else {
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      progress_ = {job.ticket, 0, 0};
      lock.unlock();
      make(std::move(job));
    }
    lock.lock();
    progress_ = {};
    busy_ = false;
  }
}

void Engine::make(Job job) {
  RecordOptions options = options_;
  bool called_off = false;
  options.progress = [&](std::uint64_t events, Time now) {
    std::optional<Look> look;
    {
      const std::lock_guard lock(mutex_);
      progress_ = {job.ticket, events, now};
      called_off = ending_ || called_off_ == job.ticket;
      if (!called_off) look = std::exchange(look_, std::nullopt);
    }
    if (look && look->event < look->of->events()) tell({.kind = News::Kind::moment, .of = look->of, .moment = look->of->moment(look->event)});
    return !called_off;
  };
  const Ticket ticket = job.ticket;
  News n{.kind = News::Kind::refused, .ticket = ticket};
  try {
    auto recording = Recording::make(std::move(job.spec), models_, options);
    if (called_off) {
      n.kind = News::Kind::called_off;
    } else {
      n.kind = News::Kind::recorded;
      n.recorded = {recording, std::make_shared<const EventIndex>(recording)};
    }
  } catch (const InputError& e) {
    n.complaint = {e.file, e.line, e.message};
  } catch (const std::exception& e) {
    n.complaint = {{}, 0, e.what()};
  }
  tell(std::move(n));
}

}  // namespace mqlab::gui
