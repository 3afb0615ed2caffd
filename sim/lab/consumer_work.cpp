// The work on a record, in the thread's own hands or in those of a worker.
#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/consumer_loop.h"

namespace mqlab {

bool ConsumerLoop::is(AppContext& a, const PolledMessage& r, const std::string& name) const {
  return !name.empty() && a.context.world().journal.message_name(r.message) == name;
}

bool ConsumerLoop::fails(AppContext& a, const PolledMessage& r) const {
  if (o_.poison_until > 0 && a.now() >= o_.poison_until) return false;
  return std::any_of(o_.poison.begin(), o_.poison.end(), [&](const std::string& name) { return is(a, r, name); });
}

bool ConsumerLoop::anybody_busy() const {
  return std::any_of(hands_.begin(), hands_.end(), [](const Hand& h) { return h.busy(); });
}

bool ConsumerLoop::hopeless(const Hand& h) const { return h.tries > hopeless_after && o_.tries_on() && o_.poison_until == 0; }

// Workers take what waits, the oldest first.
void ConsumerLoop::feed(AppContext& a) {
  for (Hand& h : hands_)
    while (!h.busy() && !queue_.empty()) {
      const InHand next = queue_.front();
      queue_.pop_front();
      begin(a, h, next);
    }
}

void ConsumerLoop::begin(AppContext& a, Hand& h, const InHand& next) {
  h = Hand{};
  h.record = next.record;
  const Time due = next.came + o_.retry_delay;
  if (due > a.now()) return sleep_hand(a, h, Hand::Does::delays, due - a.now());
  try_it(a, h);
}

void ConsumerLoop::try_it(AppContext& a, Hand& h) {
  const Duration d = is(a, h.record, o_.work_slow_message) ? o_.work_slow : o_.work;
  if (d > 0) return sleep_hand(a, h, Hand::Does::works, d);
  tried(a, h);
}

void ConsumerLoop::on_hand_timer(AppContext& a, Hand& h) {
  if (h.does == Hand::Does::works) return tried(a, h);
  if (h.dropped) h = Hand{};
  else if (h.sent != 0) send_on(a, h);
  else try_it(a, h);
}

// The work on it ended, well or not.
void ConsumerLoop::tried(AppContext& a, Hand& h) {
  ++h.tries;
  if (!fails(a, h.record)) {
    if (!o_.effect.empty()) a.effect(o_.effect, h.record.message);
    a.processed(h.record);
    return finish(a, h, true);
  }
  a.failed(h.record);
  if (h.dropped) h = Hand{};
  else if (h.tries < o_.attempts || o_.tries_on()) sleep_hand(a, h, Hand::Does::rests, o_.attempt_backoff);
  else gave_up(a, h);
}

void ConsumerLoop::gave_up(AppContext& a, Hand& h) {
  if (o_.on_failure == OnFailure::retry_topic || o_.on_failure == OnFailure::dead_letter) send_on(a, h);
  else finish(a, h, false);
}

// It waits for the acknowledgement: what is not safe there may not be committed here.
void ConsumerLoop::send_on(AppContext& a, Hand& h) {
  h.does = Hand::Does::sends;
  Call call;
  call.kind = CallKind::send;
  call.place = a.names().id(o_.on_failure == OnFailure::retry_topic ? o_.retry_topic : o_.dead_letter_topic);
  call.key = h.record.key;
  call.message = h.record.message;
  call.tombstone = h.record.tombstone;
  h.sent = a.call(std::move(call));
}

// The loop is done with the record, whatever came of it.
void ConsumerLoop::finish(AppContext& a, Hand& h, bool well) {
  const PolledMessage r = h.record;
  h = Hand{};
  ++finished_;
  if (o_.ack != AckHow::implicit) {
    Call call;
    call.kind = well || o_.ack == AckHow::accept ? CallKind::ack : o_.ack == AckHow::release_failed ? CallKind::release : CallKind::reject;
    call.place = r.place;
    call.message = r.message;
    call.position = r.position;
    a.call(std::move(call));
  }
  const auto it = progress_.find(r.place);
  if (it == progress_.end()) return;
  Progress& p = it->second;
  const auto record = std::find_if(p.records.begin(), p.records.end(), [&](const Progress::Record& x) { return x.op == r.op; });
  if (record == p.records.end()) return;  // of an earlier ownership
  record->finished = true;
  p.highest = std::max(p.highest, r.position + 1);
  const std::int64_t before = p.prefix;
  while (!p.records.empty() && p.records.front().finished) p.records.pop_front();
  p.prefix = p.records.empty() ? p.came : p.records.front().position;
  if (o_.commit != CommitWhen::store || p.prefix == before) return;
  Call call;
  call.kind = CallKind::other;
  call.verb = "store_offset";
  call.argument = fmt::format("{} {}", a.names().text(r.place), p.prefix);
  a.call(std::move(call));
}

}  // namespace mqlab
