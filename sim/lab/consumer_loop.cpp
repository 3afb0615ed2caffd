// The polling thread: poll, hand out the work or do it, commit, poll again.
#include "sim/lab/consumer_loop.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab {
namespace {

constexpr std::uint64_t timer_poll = 0;
constexpr std::uint64_t timer_start = 2;
constexpr std::uint64_t timer_hand = 16;  // + its number

constexpr Duration after_an_error = 100'000'000;
// While places are paused a poll brings nothing; so that the loop sees soon that the work is done:
constexpr Duration poll_while_paused = 100'000'000;

bool has(const std::vector<std::uint32_t>& places, std::uint32_t place) { return std::find(places.begin(), places.end(), place) != places.end(); }

}  // namespace

ConsumerLoop::ConsumerLoop(const Options& o) : o_(o), hands_(o_.hands()) {}

void ConsumerLoop::on_start(AppContext& a) {
  if (o_.start_at <= a.now()) return subscribe(a);
  waits_ = Waits::start;
  a.sleep(o_.start_at - a.now(), timer_start);
}

// As a member of a group it takes what it is given; else it chooses.
void ConsumerLoop::subscribe(AppContext& a) {
  if (!o_.group.empty()) {
    Call call;
    call.kind = CallKind::subscribe;
    for (const std::string& t : o_.topics) call.argument += (call.argument.empty() ? "" : ",") + t;
    a.call(std::move(call));
    return poll(a);
  }
  for (const std::string& t : o_.topics) {
    Call call;
    call.kind = CallKind::assign;
    call.place = a.names().id(t);
    call.position = o_.seek_to;
    a.call(std::move(call));
  }
  poll(a);
}

void ConsumerLoop::poll(AppContext& a) {
  waits_ = Waits::poll;
  Call call;
  call.kind = CallKind::poll;
  call.timeout = paused_.empty() ? o_.poll_timeout : std::min(o_.poll_timeout, poll_while_paused);
  call.count = o_.max_poll;
  a.call(std::move(call));
}

void ConsumerLoop::poll_again(AppContext& a) {
  if (o_.poll_every == 0 || at_once_) return poll(a);
  waits_ = Waits::rest;
  a.sleep(o_.poll_every, timer_poll);
}

void ConsumerLoop::on_answer(AppContext& a, const Answer& answer) {
  switch (answer.kind) {
    case CallKind::poll: return on_polled(a, answer);
    case CallKind::commit: return on_committed(a, answer);
    case CallKind::send:
      for (Hand& h : hands_) {
        if (h.does != Hand::Does::sends || h.sent != answer.call) continue;
        if (answer.outcome != Outcome::ok) return sleep_hand(a, h, Hand::Does::rests, o_.attempt_backoff);
        finish(a, h, false);
        return on_free_hand(a);
      }
      return;
    default: return;
  }
}

void ConsumerLoop::on_timer(AppContext& a, std::uint64_t argument) {
  if (argument == timer_start) return subscribe(a);
  if (argument == timer_poll) return poll(a);
  Hand& h = hands_[static_cast<std::size_t>(argument - timer_hand)];
  on_hand_timer(a, h);
  if (!h.busy()) on_free_hand(a);
}

void ConsumerLoop::sleep_hand(AppContext& a, Hand& h, Hand::Does does, Duration d) {
  h.does = does;
  a.sleep(d, timer_hand + static_cast<std::uint64_t>(&h - hands_.data()));
}

void ConsumerLoop::on_polled(AppContext& a, const Answer& answer) {
  if (answer.outcome != Outcome::ok) {
    // Another process has this one's static membership: there is nothing left to do.
    if (answer.error != 0 && a.names().text(answer.error) == "FENCED_INSTANCE_ID") {
      waits_ = Waits::nothing;
      return;
    }
    waits_ = Waits::rest;
    return a.sleep(after_an_error, timer_poll);
  }
  const Rebalance& r = answer.rebalance;
  at_once_ = !r.empty() && answer.messages.empty();
  // The last moment to commit for what is taken away; what was lost is somebody else's already.
  const Positions done = o_.commit_on_revoke ? done_in(r.revoked) : Positions{};
  for (const std::uint32_t place : r.revoked) forget(place);
  for (const std::uint32_t place : r.lost) forget(place);
  for (const std::uint32_t place : r.assigned) progress_.erase(place);
  take(a, answer.messages);
  if (commit(a, done, Then::work)) return;
  if (o_.commit == CommitWhen::before && commit(a, due(), Then::work)) return;
  work(a);
}

void ConsumerLoop::take(AppContext& a, const std::vector<PolledMessage>& messages) {
  received_ += messages.size();
  for (const PolledMessage& r : messages) {
    batch_.push_back({r, a.now()});
    if (r.position < 0) continue;
    Progress& p = progress_[r.place];
    if (p.came < 0) p.prefix = p.asked = r.position;
    p.records.push_back({r.position, r.op, false});
    p.came = r.position + 1;
  }
}

// The place is not this consumer's any more. What was begun is finished; what was not is dropped, or a careless
// application works on.
void ConsumerLoop::forget(std::uint32_t place) {
  std::erase(paused_, place);
  if (o_.finish_revoked) return;
  progress_.erase(place);
  std::erase_if(batch_, [place](const InHand& h) { return h.record.place == place; });
  std::erase_if(queue_, [place](const InHand& h) { return h.record.place == place; });
  for (Hand& h : hands_) h.dropped = h.dropped || (h.busy() && h.record.place == place);
}

void ConsumerLoop::work(AppContext& a) {
  if (o_.has_pool()) hand_over(a);
  else work_itself(a);
}

void ConsumerLoop::work_itself(AppContext& a) {
  Hand& me = hands_.front();
  while (!me.busy()) {
    if (o_.commit == CommitWhen::each && commit(a, due(), Then::work)) return;
    if (batch_.empty()) {
      if (!commit(a, due(), Then::poll_again)) poll_again(a);
      return;
    }
    const InHand next = batch_.front();
    batch_.pop_front();
    begin(a, me, next);
  }
  waits_ = Waits::work;
}

void ConsumerLoop::hand_over(AppContext& a) {
  while (!batch_.empty()) {
    if (o_.queue > 0 && queue_.size() >= o_.queue) {
      waits_ = Waits::worker;
      return;
    }
    queue_.push_back(batch_.front());
    batch_.pop_front();
    feed(a);
  }
  if (o_.pause_while_working) pause_or_resume(a);
  if (!commit(a, due(), Then::poll_again)) poll_again(a);
}

void ConsumerLoop::on_free_hand(AppContext& a) {
  if (!o_.has_pool()) return work_itself(a);
  feed(a);
  if (waits_ == Waits::worker) hand_over(a);
}

void ConsumerLoop::pause_or_resume(AppContext& a) {
  const auto ask = [&a](CallKind kind, std::uint32_t place) {
    Call call;
    call.kind = kind;
    call.place = place;
    a.call(std::move(call));
  };
  if (!anybody_busy()) {
    for (const std::uint32_t place : paused_) ask(CallKind::resume, place);
    paused_.clear();
    return;
  }
  for (const auto& [place, p] : progress_) {
    if (p.records.empty() || has(paused_, place)) continue;
    ask(CallKind::pause, place);
    paused_.push_back(place);
  }
}

// ---------------------------------------------------------------------------------------------
// Positions.

// How far a place may be committed now, by the rule asked for.
std::int64_t ConsumerLoop::position_due(const Progress& p) const {
  switch (o_.commit) {
    case CommitWhen::before: return p.came;
    case CommitWhen::after: return p.records.empty() ? p.came : -1;
    case CommitWhen::each:
    case CommitWhen::prefix: return p.prefix;
    case CommitWhen::highest: return p.highest;
    case CommitWhen::library:
    case CommitWhen::store: return -1;
  }
  return -1;
}

ConsumerLoop::Positions ConsumerLoop::due() const {
  Positions out;
  for (const auto& [place, p] : progress_)
    if (position_due(p) > p.asked) out.emplace_back(place, position_due(p));
  return out;
}

ConsumerLoop::Positions ConsumerLoop::done_in(const std::vector<std::uint32_t>& places) const {
  Positions out;
  for (const std::uint32_t place : places) {
    const auto it = progress_.find(place);
    if (it == progress_.end()) continue;
    const std::int64_t done = o_.commit == CommitWhen::highest ? it->second.highest : it->second.prefix;
    if (done > it->second.asked) out.emplace_back(place, done);
  }
  return out;
}

bool ConsumerLoop::commit(AppContext& a, const Positions& positions, Then then) {
  for (const auto& [place, position] : positions) {
    if (const auto it = progress_.find(place); it != progress_.end()) it->second.asked = position;
    Call call;
    call.kind = CallKind::commit;
    call.place = place;
    call.position = position;
    call.once = o_.commit_async;
    commits_.push_back({a.call(std::move(call)), !o_.commit_async});
  }
  if (positions.empty() || o_.commit_async) return false;
  waits_ = Waits::commit;
  then_ = then;
  commit_failed_ = false;
  return true;
}

void ConsumerLoop::on_committed(AppContext& a, const Answer& answer) {
  const auto it = std::find_if(commits_.begin(), commits_.end(), [&](const OpenCommit& c) { return c.call == answer.call; });
  if (it == commits_.end()) return;
  const bool awaited = it->awaited;
  commits_.erase(it);
  if (!awaited) return;
  // One that failed is not repeated: the next one says more.
  commit_failed_ = commit_failed_ || answer.outcome != Outcome::ok;
  if (std::any_of(commits_.begin(), commits_.end(), [](const OpenCommit& c) { return c.awaited; })) return;
  // At most once: what may not be committed is not worked on.
  if (commit_failed_ && o_.commit == CommitWhen::before) batch_.clear();
  if (then_ == Then::work) work(a);
  else poll_again(a);
}

// ---------------------------------------------------------------------------------------------
// The process and what is seen of it.

void ConsumerLoop::on_crash() {
  waits_ = Waits::start;
  batch_.clear();
  queue_.clear();
  hands_.assign(o_.hands(), Hand{});
  progress_.clear();
  commits_.clear();
  paused_.clear();
  at_once_ = false;
}

bool ConsumerLoop::stuck() const {
  const bool blocked = waits_ == Waits::work || waits_ == Waits::worker || !paused_.empty();
  return blocked && anybody_busy() && std::all_of(hands_.begin(), hands_.end(), [this](const Hand& h) { return !h.busy() || hopeless(h); });
}

bool ConsumerLoop::done() const {
  if (stuck()) return true;
  if (waits_ == Waits::work || waits_ == Waits::worker || waits_ == Waits::commit || !batch_.empty() || !queue_.empty()) return false;
  return std::all_of(hands_.begin(), hands_.end(), [this](const Hand& h) { return !h.busy() || hopeless(h); });
}

Tree ConsumerLoop::state() const {
  static constexpr const char* words[] = {"has not begun", "polls", "commits", "works", "waits for a worker", "rests", "has stopped"};
  Tree t{"consumer application", fmt::format("{} received", received_), {}};
  t.add("the loop", words[static_cast<std::size_t>(waits_)]);
  t.add("in hand", std::to_string(batch_.size() + queue_.size() + static_cast<std::size_t>(std::count_if(hands_.begin(), hands_.end(), [](const Hand& h) { return h.busy(); }))));
  t.add("done with", std::to_string(finished_));
  if (!commits_.empty()) t.add("commits under way", std::to_string(commits_.size()));
  if (!paused_.empty()) t.add("paused places", std::to_string(paused_.size()));
  return t;
}

}  // namespace mqlab
