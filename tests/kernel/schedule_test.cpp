// The schedule against the plainest thing that could work: a sorted list. Both queues must agree with it.
#include "sim/kernel/schedule.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "sim/kernel/fingerprint.h"
#include "sim/kernel/random.h"

using namespace mqlab;
using namespace mqlab::literals;

namespace {

Event event(std::uint64_t word) {
  Event e;
  e.body[0] = word;
  return e;
}

// (due time, order added) and nothing else.
struct PlainList {
  std::map<std::pair<Time, std::uint64_t>, EventId> waiting;
  Time now = 0;
  std::uint64_t order = 0;

  void add(Time due, EventId id) { waiting[{std::max(due, now), order++}] = id; }
  bool cancel(EventId id) {
    return std::erase_if(waiting, [&](const auto& w) { return w.second == id; }) != 0;
  }
  EventId pop(Time until) {
    if (waiting.empty() || waiting.begin()->first.first > until) return no_event;
    const EventId id = waiting.begin()->second;
    now = waiting.begin()->first.first;
    waiting.erase(waiting.begin());
    return id;
  }
};

struct Command {
  int what;          // see run()
  std::int64_t time;  // due in, until
  std::uint64_t pick;
};

// Few distinct times, so that ties are the rule, and now and then a far one.
rc::Gen<Command> command() {
  return rc::gen::build<Command>(
      rc::gen::set(&Command::what, rc::gen::weightedElement<int>({{8, 0}, {2, 1}, {5, 2}, {2, 3}, {1, 4}, {1, 5}})),
      rc::gen::set(&Command::time, rc::gen::weightedOneOf<std::int64_t>({{8, rc::gen::inRange<std::int64_t>(-3, 12)},
                                                                         {2, rc::gen::inRange<std::int64_t>(0, 5'000)},
                                                                         {1, rc::gen::elementOf(std::vector<std::int64_t>{time_max, time_min, std::int64_t{1} << 40, std::int64_t{1} << 62})}})),
      rc::gen::set(&Command::pick, rc::gen::arbitrary<std::uint64_t>()));
}

// Replays the commands on a schedule and on the list; true when they never differ.
void run(QueueKind kind, const std::vector<Command>& commands) {
  Schedule schedule(kind);
  PlainList plain;
  std::vector<EventId> ids;
  const auto add = [&](Time due) {
    const EventId id = schedule.add(due, event(ids.size()));
    plain.add(due, id);
    ids.push_back(id);
  };
  for (const Command& c : commands) {
    switch (c.what) {
      case 0:
        add(saturating_add(schedule.now(), c.time));
        break;
      case 1:
        if (!ids.empty()) {
          const EventId id = ids[c.pick % ids.size()];
          RC_ASSERT(schedule.cancel(id) == plain.cancel(id));
        }
        break;
      case 2: {
        const Time until = saturating_add(schedule.now(), std::max<std::int64_t>(c.time, 0));
        Event e;
        const bool some = schedule.pop(until, e);
        const EventId expected = plain.pop(until);
        RC_ASSERT(some == (expected != no_event));
        if (some) RC_ASSERT(e.id == expected);
        if (some) RC_ASSERT(schedule.now() == plain.now);
        break;
      }
      case 3:
        RC_ASSERT(schedule.next_due() == (plain.waiting.empty() ? time_max : plain.waiting.begin()->first.first));
        break;
      case 4: {
        // Nothing runs before the first that waits: as run_until does at its end.
        const Time free = plain.waiting.empty() ? schedule.now() + 10 : plain.waiting.begin()->first.first;
        const Time to = std::min(free, saturating_add(schedule.now(), 7));
        schedule.advance(to);
        plain.now = std::max(plain.now, to);
        break;
      }
      case 5:
        // A storm: many far timers, nearly all called off, so that the dead are purged.
        for (int i = 0; i < 700; ++i) add(schedule.now() + 1'000 + static_cast<Time>((c.pick + static_cast<std::uint64_t>(i) * 37) % 90));
        for (std::size_t i = ids.size() - 700; i < ids.size(); ++i)
          if (i % 50 != c.pick % 50) RC_ASSERT(schedule.cancel(ids[i]) == plain.cancel(ids[i]));
        break;
    }
    RC_ASSERT(schedule.pending() == plain.waiting.size());
  }
  for (Event e; schedule.pop(time_max, e);) RC_ASSERT(e.id == plain.pop(time_max));
  RC_ASSERT(plain.waiting.empty());
}

}  // namespace

RC_GTEST_PROP(Schedule, HeapGivesWhatASortedListGives, ()) {
  run(QueueKind::heap, *rc::gen::container<std::vector<Command>>(command()));
}

RC_GTEST_PROP(Schedule, RadixGivesWhatASortedListGives, ()) {
  run(QueueKind::radix, *rc::gen::container<std::vector<Command>>(command()));
}

namespace {

// A hundred thousand steps of a process that adds, calls off and looks ahead.
Fingerprint long_life(QueueKind kind, std::uint64_t seed) {
  Schedule schedule(kind);
  Random random(seed, Stream::workload);
  Fingerprint f;
  std::vector<EventId> timers;
  for (int i = 0; i < 500; ++i) schedule.add(random.exponential(1_ms), event(random.next()));
  Event e;
  for (int i = 0; i < 100'000 && schedule.pop(time_max, e); ++i) {
    f.mix(static_cast<std::uint64_t>(schedule.now()), e.body[0]);
    schedule.add(schedule.now() + random.exponential(1_ms), event(random.next()));
    if (random.chance({1, 2})) timers.push_back(schedule.add(schedule.now() + 30_s, event(random.next())));
    if (random.chance({1, 2}) && !timers.empty()) schedule.cancel(timers[random.below(timers.size())]);
    if (random.chance({1, 100})) f.mix(static_cast<std::uint64_t>(schedule.next_due()), 1);
    if (random.chance({1, 100})) schedule.pop(schedule.now() + 10, e);
  }
  return f;
}

}  // namespace

TEST(Schedule, BothQueuesGiveOneFingerprint) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(long_life(QueueKind::heap, seed), long_life(QueueKind::radix, seed));
}

TEST(Schedule, TiesComeInTheOrderAdded) {
  for (QueueKind kind : {QueueKind::heap, QueueKind::radix}) {
    Schedule s(kind);
    for (std::uint64_t i = 0; i < 100; ++i) s.add(5, event(i));
    Event e;
    for (std::uint64_t i = 0; i < 100; ++i) {
      ASSERT_TRUE(s.pop(5, e));
      EXPECT_EQ(e.body[0], i);
    }
  }
}

TEST(Schedule, ADueTimeInThePastCountsAsNow) {
  Schedule s;
  s.advance(100);
  s.add(7, event(1));
  Event e;
  ASSERT_TRUE(s.pop(100, e));
  EXPECT_EQ(s.now(), 100);
}

// Looking past a cancelled event must not close the time before it.
TEST(Schedule, AnEventMayBeAddedBeforeOneThatWasCancelled) {
  for (QueueKind kind : {QueueKind::heap, QueueKind::radix}) {
    Schedule s(kind);
    const EventId far = s.add(1'000, event(1));
    s.add(2'000, event(2));
    s.cancel(far);
    EXPECT_EQ(s.next_due(), 2'000);
    s.add(500, event(3));
    s.add(1'500, event(4));
    Event e;
    for (std::uint64_t expected : {3, 4, 2}) {
      ASSERT_TRUE(s.pop(time_max, e));
      EXPECT_EQ(e.body[0], expected);
    }
  }
}

TEST(Schedule, AStaleHandleCancelsNothingElse) {
  Schedule s;
  const EventId first = s.add(10, event(1));
  EXPECT_TRUE(s.cancel(first));
  EXPECT_FALSE(s.cancel(first));
  const EventId second = s.add(20, event(2));  // takes the same slot
  EXPECT_EQ(first & 0xffffff, second & 0xffffff);
  EXPECT_FALSE(s.cancel(first));
  EXPECT_EQ(s.pending(), 1U);
  EXPECT_EQ(s.find(first), nullptr);
  ASSERT_NE(s.find(second), nullptr);
  EXPECT_EQ(s.find(second)->body[0], 2U);
  EXPECT_FALSE(s.cancel(no_event));
}

TEST(Schedule, CancelledTimersDoNotPileUp) {
  for (QueueKind kind : {QueueKind::heap, QueueKind::radix}) {
    Schedule s(kind);
    std::size_t slots = 0;
    for (int i = 0; i < 100'000; ++i) {
      const EventId timer = s.add(s.now() + 30_s, event(0));
      s.add(s.now() + 1, event(1));
      Event e;
      ASSERT_TRUE(s.pop(time_max, e));
      ASSERT_TRUE(s.cancel(timer));
      slots = std::max(slots, s.keys());
    }
    EXPECT_LT(slots, 1'000U);
  }
}

TEST(Schedule, ACopyRunsOnByItself) {
  for (QueueKind kind : {QueueKind::heap, QueueKind::radix}) {
    Schedule a(kind);
    for (std::uint64_t i = 0; i < 50; ++i) a.add(static_cast<Time>(i * 7 % 13), event(i));
    Event e;
    a.pop(time_max, e);  // leaves the hole at the root
    Schedule b = a;
    Event f;
    b.add(3, event(99));
    for (int i = 0; i < 60; ++i) b.pop(time_max, f);
    std::vector<std::uint64_t> order;
    while (a.pop(time_max, e)) order.push_back(e.body[0]);
    EXPECT_EQ(order.size(), 49U);
    EXPECT_EQ(std::count(order.begin(), order.end(), 99U), 0);
  }
}
