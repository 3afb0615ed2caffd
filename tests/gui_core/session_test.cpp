// The engine works on a thread of its own; a session keeps all futures.
#include "gui/core/session.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>

#include "kit/models.h"
#include "sim/kernel/random.h"

namespace mqlab::gui {
namespace {

std::string read(const std::string& name) {
  std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/scenarios/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
RunSpec spec(const std::string& name, std::uint64_t seed = 7) { return {.text = read(name), .path = name, .seed = seed}; }

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
