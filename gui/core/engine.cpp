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
  }
  work_.notify_all();
  thread_.join();
  const std::lock_guard lock(graves_->mutex);
  graves_->open = false;
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

void Engine::look(std::shared_ptr<const Recording> of, std::size_t event, Eye eye, WithBefore before) {
  std::optional<Look> look = Look{std::move(of), event, before};
  {
    const std::lock_guard lock(mutex_);
    std::swap(looks_[static_cast<std::size_t>(eye)], look);
  }
  work_.notify_all();
}  // the question before goes here: it may be the last to hold a recording

void Engine::find(std::shared_ptr<const Recording> of, Predicate p, std::size_t now, Direction d) {
  std::optional<Search> search = Search{std::move(of), std::move(p), now, d};
  {
    const std::lock_guard lock(mutex_);
    search_off_ = true;
    std::swap(search_, search);
    search_progress_ = {true, 0, 0};
  }
  work_.notify_all();
}  // as with look(): the question before goes here

void Engine::call_off_find() {
  std::optional<Search> search;
  {
    const std::lock_guard lock(mutex_);
    search_off_ = true;
    std::swap(search_, search);
    if (search) search_progress_ = {};
  }
  if (!search) return;
  News n{.kind = News::Kind::found};
  n.of = std::move(search->of);
  n.found.called_off = true;
  tell(std::move(n));
}

SearchProgress Engine::search() const {
  const std::lock_guard lock(mutex_);
  return search_progress_;
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
  return !busy_ && jobs_.empty() && !looks_[0] && !looks_[1] && !search_;
}

void Engine::tell(News n) {
  {
    const std::lock_guard lock(mutex_);
    news_.push_back(std::move(n));
  }
  if (wake_) wake_();
}

void Engine::answer(Eye eye, Look l) {
  if (l.event >= l.of->events()) return;
  News n{.kind = News::Kind::moment, .of = l.of, .eye = eye};
  // In this order: from one event to the next is the shortest way.
  if (l.before == WithBefore::yes && l.event > 0) n.before = l.of->moment(l.event - 1);
  n.moment = l.of->moment(l.event);
  tell(std::move(n));
}

void Engine::answer_all() {
  for (const Eye eye : {Eye::here, Eye::beside}) {
    std::optional<Look> look;
    {
      const std::lock_guard lock(mutex_);
      look = std::exchange(looks_[static_cast<std::size_t>(eye)], std::nullopt);
    }
    if (look) answer(eye, *std::move(look));
  }
}

void Engine::empty_graves() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(buried_, false)) return;
  }
  std::vector<std::shared_ptr<const void>> all;
  {
    const std::lock_guard lock(graves_->mutex);
    all.swap(graves_->all);
  }
}

// The same, for others to hold: a million events take longer to forget than a window has time for.
std::shared_ptr<const Recording> Engine::lend(std::shared_ptr<const Recording> r) {
  const Recording* const what = r.get();
  return {what, [this, graves = graves_, kept = std::move(r)](const Recording*) mutable {
            const std::lock_guard open(graves->mutex);
            if (!graves->open) return;  // it goes with the deleter
            graves->all.push_back(std::move(kept));
            {
              const std::lock_guard lock(mutex_);
              buried_ = true;
            }
            work_.notify_all();
          }};
}

// A moment first: it is what somebody waits for with the mouse in hand.
void Engine::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return ending_ || looks_[0] || looks_[1] || buried_ || search_ || !jobs_.empty(); });
    if (ending_) return;
    busy_ = true;
    if (looks_[0] || looks_[1]) {
      lock.unlock();
      answer_all();
    } else if (buried_) {
      lock.unlock();
      empty_graves();
    } else if (search_) {
      Search s = *std::exchange(search_, std::nullopt);
      search_off_ = false;
      lock.unlock();
      find(std::move(s));
    } else {
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      progress_ = {job.ticket, 0, 0, false};
      lock.unlock();
      make(std::move(job));
    }
    lock.lock();
    progress_ = {};
    busy_ = false;
  }
}

// Whoever looks at a moment meanwhile gets it.
void Engine::find(Search s) {
  News n{.kind = News::Kind::found};
  n.of = s.of;
  try {
    n.found = find_event(*s.of, s.predicate, s.now, s.direction, [&](std::size_t done, std::size_t all) {
      {
        const std::lock_guard lock(mutex_);
        if (ending_ || search_off_) return false;
        search_progress_ = {true, done, all};
      }
      answer_all();
      empty_graves();
      return true;
    });
    n.complaint_of_search = n.found.complaint(*s.of, s.predicate, s.direction);
  } catch (const std::exception& e) {
    n.complaint_of_search = e.what();
  }
  {
    const std::lock_guard lock(mutex_);
    if (!search_) search_progress_ = {};
  }
  tell(std::move(n));
}

void Engine::make(Job job) {
  RecordOptions options = options_;
  bool called_off = false;
  const auto go_on = [&] {
    {
      const std::lock_guard lock(mutex_);
      called_off = ending_ || called_off_ == job.ticket;
    }
    if (!called_off) answer_all();
    empty_graves();
    return !called_off;
  };
  options.progress = [&](std::uint64_t events, Time now) {
    {
      const std::lock_guard lock(mutex_);
      progress_ = {job.ticket, events, now, false};
    }
    return go_on();
  };
  const Ticket ticket = job.ticket;
  News n{.kind = News::Kind::refused, .ticket = ticket};
  try {
    Recorded r{.recording = lend(Recording::make(std::move(job.spec), models_, options))};
    {
      const std::lock_guard lock(mutex_);
      progress_.over = true;
    }
    if (go_on()) r.index = std::make_shared<const EventIndex>(r.recording);
    if (go_on()) r.facts = std::make_shared<const ViewFacts>(view_facts(*r.index));
    n.kind = go_on() ? News::Kind::recorded : News::Kind::called_off;
    if (!called_off) n.recorded = std::move(r);
  } catch (const InputError& e) {
    n.complaint = {e.file, e.line, e.message};
  } catch (const std::exception& e) {
    n.complaint = {{}, 0, e.what()};
  }
  tell(std::move(n));
}

}  // namespace mqlab::gui
