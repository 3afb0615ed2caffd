// Questions off the window's thread: the newest is answered, the others are not.
#include "gui/core/background.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <vector>

namespace mqlab::gui {
namespace {

using Subject = Background::Subject;

// Takes until nothing is asked for; false after a minute.
bool wait(Background& b) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!b.idle()) {
    if (std::chrono::steady_clock::now() > end) return false;
    b.take();
    std::this_thread::yield();
  }
  return true;
}

TEST(Background, AnAnswerComesOnTheCallersThread) {
  std::atomic<int> woken{0};
  Background b([&] { ++woken; });
  std::thread::id worked, answered;
  b.ask(Subject::filter, [&](const CallOff&) -> Background::Answer {
    worked = std::this_thread::get_id();
    return [&] { answered = std::this_thread::get_id(); };
  });
  EXPECT_TRUE(b.busy(Subject::filter));
  EXPECT_FALSE(b.busy(Subject::filter_beside));
  ASSERT_TRUE(wait(b));
  EXPECT_EQ(answered, std::this_thread::get_id());
  EXPECT_NE(worked, answered);
  EXPECT_EQ(woken, 1);
}

TEST(Background, OfManyQuestionsTheLastIsAnswered) {
  Background b({});
  std::vector<int> answers;
  for (int i = 0; i < 2'000; ++i) b.ask(Subject::filter, [&answers, i](const CallOff&) -> Background::Answer { return [&answers, i] { answers.push_back(i); }; });
  ASSERT_TRUE(wait(b));
  EXPECT_EQ(answers, std::vector<int>{1'999});
}

TEST(Background, ANewQuestionStopsTheWorkOnTheOldOne) {
  Background b({});
  std::promise<void> begun;
  bool stopped = false, answered = false;
  b.ask(Subject::filter, [&](const CallOff& off) -> Background::Answer {
    begun.set_value();
    while (off.wanted()) std::this_thread::yield();
    stopped = true;
    return [&] { answered = true; };
  });
  begun.get_future().wait();
  bool newer = false;
  b.ask(Subject::filter, [&](const CallOff&) -> Background::Answer { return [&] { newer = true; }; });
  ASSERT_TRUE(wait(b));
  EXPECT_TRUE(stopped);
  EXPECT_FALSE(answered);
  EXPECT_TRUE(newer);
  EXPECT_EQ(b.counters().called_off, 1U);
  EXPECT_EQ(b.counters().begun, 2U);
}

TEST(Background, AnAnswerThatWasNotTakenYetIsCalledOffToo) {
  std::atomic<int> woken{0};
  Background b([&] { ++woken; });
  std::vector<int> answers;
  b.ask(Subject::filter, [&](const CallOff&) -> Background::Answer { return [&] { answers.push_back(1); }; });
  while (woken == 0) std::this_thread::yield();
  b.ask(Subject::filter, [&](const CallOff&) -> Background::Answer { return [&] { answers.push_back(2); }; });
  ASSERT_TRUE(wait(b));
  EXPECT_EQ(answers, std::vector<int>{2});
}

TEST(Background, SubjectsDoNotCallOffEachOther) {
  Background b({});
  std::vector<int> answers;
  b.ask(Subject::filter, [&](const CallOff&) -> Background::Answer { return [&] { answers.push_back(1); }; });
  b.ask(Subject::filter_beside, [&](const CallOff&) -> Background::Answer { return [&] { answers.push_back(2); }; });
  ASSERT_TRUE(wait(b));
  EXPECT_EQ(answers, (std::vector<int>{1, 2}));
}

// Whoever types into the filter does not wait for a page that is being written, nor for a text that is being tried.
TEST(Background, WhatTakesItsTimeDoesNotHoldUpTheFilter) {
  for (const Subject slow : {Subject::page, Subject::write_back}) {
    Background b({});
    std::promise<void> begun, go_on;
    std::shared_future<void> may_end = go_on.get_future().share();
    bool written = false;
    std::vector<int> answers;
    b.ask(slow, [&, may_end](const CallOff&) -> Background::Answer {
      begun.set_value();
      may_end.wait();
      return [&] { written = true; };
    });
    begun.get_future().wait();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const auto answered = [&](Subject s) {
      while (b.busy(s) && std::chrono::steady_clock::now() < end) {
        b.take();
        std::this_thread::yield();
      }
      return !b.busy(s);
    };
    for (int i = 0; i < 3; ++i) b.ask(Subject::filter, [&, i](const CallOff&) -> Background::Answer { return [&, i] { answers.push_back(i); }; });
    b.ask(Subject::filter_beside, [&](const CallOff&) -> Background::Answer { return [&] { answers.push_back(10); }; });
    EXPECT_TRUE(answered(Subject::filter));
    EXPECT_TRUE(answered(Subject::filter_beside));
    EXPECT_EQ(answers, (std::vector<int>{2, 10}));
    EXPECT_TRUE(b.busy(slow)) << "it is still at it";
    EXPECT_FALSE(written);
    go_on.set_value();
    ASSERT_TRUE(wait(b));
    EXPECT_TRUE(written);
  }
}

// A question on one thread that is called off says nothing to the work on the other.
TEST(Background, CallingOffReachesOnlyItsOwnThread) {
  Background b({});
  std::promise<void> begun, go_on;
  std::shared_future<void> may_end = go_on.get_future().share();
  bool wanted = false;
  b.ask(Subject::page, [&, may_end](const CallOff& off) -> Background::Answer {
    begun.set_value();
    may_end.wait();
    wanted = off.wanted();
    return {};
  });
  begun.get_future().wait();
  std::promise<void> filtering;
  b.ask(Subject::filter, [&](const CallOff& off) -> Background::Answer {
    filtering.set_value();
    while (off.wanted()) std::this_thread::yield();
    return {};
  });
  filtering.get_future().wait();
  b.call_off(Subject::filter);
  go_on.set_value();
  ASSERT_TRUE(wait(b));
  EXPECT_TRUE(wanted);
}

TEST(Background, AnAnswerMayAskAnew) {
  Background b({});
  int rounds = 0;
  Background::Work again;
  again = [&](const CallOff&) -> Background::Answer {
    return [&] {
      if (++rounds < 5) b.ask(Subject::filter, again);
    };
  };
  b.ask(Subject::filter, again);
  ASSERT_TRUE(wait(b));
  EXPECT_EQ(rounds, 5);
}

TEST(Background, EndsInTheMiddle) {
  for (int i = 0; i < 20; ++i) {
    Background b({});
    b.ask(Subject::filter, [](const CallOff& off) -> Background::Answer {
      while (off.wanted()) std::this_thread::yield();
      return {};
    });
    b.ask(Subject::filter_beside, [](const CallOff&) -> Background::Answer { return {}; });
  }
}

}  // namespace
}  // namespace mqlab::gui
