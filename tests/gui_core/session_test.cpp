// The engine works on a thread of its own; a session keeps all futures.
#include "gui/core/session.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "kit/models.h"
#include "sim/kernel/random.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using testing::scenario_of;

RunSpec spec(const std::string& name, std::uint64_t seed = 7) { return {.text = scenario_of(name), .path = name, .seed = seed}; }

// Stands for a window's event loop.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      ++rung_;
    }
    rings_.notify_all();
  }
  // Waits until it was rung once more than the last time; false after a minute.
  bool wait() {
    std::unique_lock lock(mutex_);
    const bool in_time = rings_.wait_for(lock, std::chrono::minutes(1), [this] { return rung_ > heard_; });
    heard_ = rung_;
    return in_time;
  }

 private:
  std::mutex mutex_;
  std::condition_variable rings_;
  int rung_ = 0;
  int heard_ = 0;
};

struct Window {
  Bell bell;
  Session session{all_models(), [this] { bell.ring(); }};
  // Until branch b is no longer being recorded.
  const Branch& wait_for(int b) {
    while (session.branch(b).state == Branch::State::recording && bell.wait()) session.pump();
    return session.branch(b);
  }
  const Moment& wait_for_moment(std::size_t event) {
    session.look_at(event);
    while ((!session.moment() || session.moment()->event != event) && bell.wait()) session.pump();
    return *session.moment();
  }
};

TEST(Engine, RecordsInTurnAndTellsEach) {
  Bell bell;
  Engine engine(all_models(), [&] { bell.ring(); });
  const Ticket a = engine.record(spec("showcase.lua", 1));
  const Ticket b = engine.record({.text = "nonsense(", .path = "bad.lua"});
  const Ticket c = engine.record(spec("showcase.lua", 2));
  std::vector<News> all;
  while (all.size() < 3 && bell.wait())
    for (News& n : engine.take()) all.push_back(std::move(n));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].ticket, a);
  EXPECT_EQ(all[0].kind, News::Kind::recorded);
  EXPECT_EQ(all[1].ticket, b);
  EXPECT_EQ(all[1].kind, News::Kind::refused);
  EXPECT_EQ(all[1].complaint.file, "bad.lua");
  EXPECT_EQ(all[1].complaint.line, 1);
  EXPECT_EQ(all[2].ticket, c);
  EXPECT_NE(all[0].recorded.recording->result().fingerprint, all[2].recorded.recording->result().fingerprint);
}

TEST(Engine, WhatIsCalledOffIsNotMade) {
  Bell bell;
  Engine engine(all_models(), [&] { bell.ring(); });
  const Ticket a = engine.record(spec("search/quorum.lua", 1));
  const Ticket b = engine.record(spec("showcase.lua", 2));
  engine.call_off(b);
  engine.call_off(a);
  std::vector<News> all;
  while (all.size() < 2 && bell.wait())
    for (News& n : engine.take()) all.push_back(std::move(n));
  for (const News& n : all) {
    if (n.ticket == b) {
      EXPECT_EQ(n.kind, News::Kind::called_off);
    }
  }
}

TEST(Engine, EndsInTheMiddle) {
  for (int i = 0; i < 5; ++i) {
    Engine engine(all_models(), {});
    engine.record(spec("search/quorum.lua", 1));
    engine.record(spec("search/quorum.lua", 2));
  }
}

// Two thousand questions, most of them replaced before they are answered: the last is answered, and right.
TEST(Engine, OfManyQuestionsTheLastIsAnswered) {
  Window w;
  const int b = w.session.open(spec("showcase.lua"));
  const Recording& r = *w.wait_for(b).recorded.recording;
  Random random(99, Stream::workload);
  std::size_t last = 0;
  for (int i = 0; i < 2'000; ++i) w.session.look_at(last = random.below(r.events()));
  const Moment& m = w.wait_for_moment(last);
  EXPECT_EQ(m.event, last);
  const auto again = Recording::make(spec("showcase.lua"), all_models());
  EXPECT_EQ(again->result().fingerprint, r.result().fingerprint);
  for (std::size_t n = 0; n < m.nodes.size(); ++n) EXPECT_EQ(m.nodes[n].state, again->moment(last)->nodes[n].state);
}

TEST(Session, AForkKeepsBothFutures) {
  Window w;
  const int a = w.session.open(spec("showcase.lua"));
  const auto before = w.wait_for(a).recorded.recording;
  ASSERT_TRUE(before);
  const std::size_t at = before->events() / 2;
  Fault kill;
  kill.kind = FaultKind::kill;
  kill.groups = {{"B2"}};
  kill.duration = 3'000'000'000;
  const int b = w.session.fork_with(a, right_after(before->time_of(at), kill));
  const Branch& fork = w.wait_for(b);
  ASSERT_EQ(fork.state, Branch::State::ready);
  EXPECT_EQ(fork.parent, a);
  EXPECT_NE(fork.label.find("B2"), std::string::npos);
  EXPECT_EQ(w.session.branch(a).recorded.recording, before);
  EXPECT_GT(fork.parts_at, at);
  EXPECT_LT(fork.parts_at, before->events());
  EXPECT_GE(fork.recorded.recording->time_of(fork.parts_at), before->time_of(at));
  for (std::size_t n = 0; n < fork.parts_at; ++n) ASSERT_EQ(fork.recorded.recording->time_of(n), before->time_of(n));

  // A fork of the fork without what was done is the first run again.
  const int c = w.session.fork_without_intervention(b, 0);
  const Branch& back = w.wait_for(c);
  EXPECT_EQ(back.recorded.recording->result().fingerprint, before->result().fingerprint);
}

TEST(Engine, ARecordingComesWithWhatPicturesKnowOfIt) {
  Window w;
  const Recorded& r = w.wait_for(w.session.open(spec("showcase.lua"))).recorded;
  ASSERT_TRUE(r.index && r.facts);
  EXPECT_EQ(r.facts->topology.nodes.size(), r.recording->result().world->node_count());
  EXPECT_FALSE(r.facts->spacetime.lanes.empty());
  EXPECT_EQ(r.facts->series.acknowledged, run_series(*r.index).acknowledged);
}

// Whoever held it last: it goes on the engine's thread, and the others need not wait for it.
TEST(Engine, WhatNobodyHoldsIsGivenBack) {
  Window w;
  const int a = w.session.open(spec("showcase.lua"));
  std::shared_ptr<const Recording> held = w.wait_for(a).recorded.recording;
  const std::weak_ptr<const Recording> seen = held;
  const int b = w.session.open(spec("showcase.lua", 8));
  w.wait_for(b);
  EXPECT_FALSE(seen.expired());
  held.reset();
  EXPECT_TRUE(seen.expired());
  while (!w.session.idle()) std::this_thread::yield();
}

TEST(Engine, ARecordingMayOutliveIt) {
  std::shared_ptr<const Recording> kept;
  {
    Window w;
    kept = w.wait_for(w.session.open(spec("showcase.lua"))).recorded.recording;
  }
  EXPECT_GT(kept->events(), 100U);
  EXPECT_EQ(kept->moment(50)->event, 50U);
}

TEST(Session, AMomentComesWithTheOneBeforeWhenThatIsWanted) {
  Window w;
  w.wait_for(w.session.open(spec("showcase.lua")));
  w.session.look_at(100, WithBefore::yes);
  while (!w.session.moment() && w.bell.wait()) w.session.pump();
  ASSERT_TRUE(w.session.moment_before());
  EXPECT_EQ(w.session.moment_before()->event, 99U);
  w.wait_for_moment(90);
  EXPECT_FALSE(w.session.moment_before());
}

// Two eyes on two futures: a question of one takes nothing from the other.
TEST(Session, LooksAtTwoFuturesAtOnce) {
  Window w;
  const int a = w.session.open(spec("showcase.lua"));
  w.wait_for(a);
  const int b = w.session.fork_seed(a, 8);
  w.wait_for(b);
  EXPECT_FALSE(w.session.moment_beside(b));
  for (const std::size_t e : {100U, 200U, 300U}) {
    w.session.look_at(e);
    w.session.look_beside(b, e + 1);
  }
  const auto there = [&] { return w.session.moment() && w.session.moment()->event == 300 && w.session.moment_beside(b) && w.session.moment_beside(b)->event == 301; };
  while (!there() && w.bell.wait()) w.session.pump();
  EXPECT_TRUE(there());
  EXPECT_EQ(w.session.moment_beside(b)->time, w.session.branch(b).recorded.recording->time_of(301));
  EXPECT_FALSE(w.session.moment_beside(a)) << "nobody looks at that one from beside";
}

// Whole blocks of events are passed over: what is found is what a loop finds, wherever the runs part.
TEST(Session, RunsPartWhereALoopSaysSo) {
  const auto base = Recording::make(spec("showcase.lua"), all_models());
  const auto loop = [](const Recording& a, const Recording& b) {
    std::size_t i = 0;
    while (i < a.events() && i < b.events() && same_event(a.journal().deliveries[i], b.journal().deliveries[i])) ++i;
    return i;
  };
  ASSERT_GT(base->events(), 2 * Recording::prefix_block + 1);
  EXPECT_EQ(where_they_part(*base, *base).a, base->events());
  for (const std::size_t at : {std::size_t{1}, Recording::prefix_block - 3, Recording::prefix_block, 2 * Recording::prefix_block + 1, base->events() - 2}) {
    RunSpec other = base->spec();
    Fault kill;
    kill.kind = FaultKind::kill;
    kill.groups = {{"B1"}};
    other.interventions.push_back(right_after(base->time_of(at), kill));
    const auto fork = Recording::make(other, all_models());
    EXPECT_EQ(where_they_part(*base, *fork).a, loop(*base, *fork)) << at;
    EXPECT_EQ(where_they_part(*fork, *base).a, loop(*base, *fork)) << at;
  }
}

TEST(Session, AnotherSettingAndAnotherSeedAreForks) {
  Window w;
  const int a = w.session.open(spec("showcase.lua"));
  w.wait_for(a);
  const int b = w.session.fork_seed(a, 8);
  const int c = w.session.fork_setting(a, {.name = "no_such_option", .value = std::int64_t{1}});
  EXPECT_EQ(w.wait_for(b).state, Branch::State::ready);
  EXPECT_EQ(w.session.branch(b).label, "seed 8");
  EXPECT_EQ(w.wait_for(c).state, Branch::State::refused);
  EXPECT_NE(w.session.branch(c).complaint.text.find("no_such_option"), std::string::npos);
}

TEST(Session, WhatBelongsToAClosedTreeIsNotTaken) {
  Window w;
  w.session.open(spec("showcase.lua", 1));
  const int b = w.session.open(spec("showcase.lua", 2));
  EXPECT_EQ(w.session.branches().size(), 1U);
  EXPECT_EQ(w.wait_for(b).recorded.recording->seed(), 2U);
}

}  // namespace
}  // namespace mqlab::gui
