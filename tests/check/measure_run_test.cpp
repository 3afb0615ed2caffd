// What a run gave its users, on histories short enough to add up by hand.
#include "sim/check/measure_run.h"

#include "tests/check/story.h"

namespace mqlab::test {
namespace {

constexpr Duration ms = 1'000'000;

TEST(MeasureRun, AMessageIsOneMessageHoweverOftenItWasSent) {
  const Story s(R"(
    P send a orders ms=10
    P info a ms=20
    P send a orders ms=30
    P ok a orders/0@1 ms=40
    P send b orders ms=50
    P fail b ms=60
    C got a orders/0@0 ms=70
    C got a orders/0@1 ms=80
  )");
  const RunCost c = measure_run(s.journal, time_max);
  EXPECT_EQ(c.sent, 2u);
  EXPECT_EQ(c.acknowledged, 1u);
  EXPECT_EQ(c.delivered, 1u);
  EXPECT_EQ(c.again, 1u);
  EXPECT_EQ(c.waiting, 0u);
  EXPECT_EQ(c.latency_p50, 60 * ms) << "from the first attempt to the first delivery";
}

TEST(MeasureRun, WhatNobodyGotIsWaiting) {
  const Story s(R"(
    P send a orders ms=10
    P ok a orders/0@0 ms=20
    P send b orders ms=30
    P ok b orders/0@1 ms=40
    C got a orders/0@0 ms=50
    C got b orders/0@1 ms=900
  )");
  EXPECT_EQ(measure_run(s.journal, 500 * ms).waiting, 1u);
  EXPECT_EQ(measure_run(s.journal, time_max).waiting, 0u);
}

// Nothing is waiting between 30 and 500 ms; b waits 200 ms, and nobody hears of anything meanwhile.
TEST(MeasureRun, SilenceIsOnlyWhileSomethingWaits) {
  const Story s(R"(
    P send a orders ms=10
    P ok a orders/0@0 ms=20
    C got a orders/0@0 ms=30
    P send b orders ms=500
    P ok b orders/0@1 ms=510
    C got b orders/0@1 ms=700
  )");
  const RunCost c = measure_run(s.journal, time_max);
  EXPECT_EQ(c.silence, 200 * ms);
  EXPECT_EQ(c.silence_from, 500 * ms);
  EXPECT_EQ(c.latency_p99, 200 * ms);
  EXPECT_EQ(c.per_second, 2u * 1000 / 690);
}

TEST(MeasureRun, AnEmptyRunHasNoLatency) {
  const RunCost c = measure_run(Story("").journal, time_max);
  EXPECT_EQ(c.sent, 0u);
  EXPECT_EQ(c.latency_p50, -1);
  EXPECT_EQ(c.per_second, 0u);
}

}  // namespace
}  // namespace mqlab::test
