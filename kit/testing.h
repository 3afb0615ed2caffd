// kit/testing.h: properties of messaging under GoogleTest. Installed as <mqlab/testing.h>.
//
// EXPECT_HOLDS(plans, property) runs plans of many seeds and passes when no run breaks the property, and at least one was
// able to. A failure carries the story, made small, as a Lua file to keep and run, and the command that shows it again.
//
// `plans` is a PlanGenerator, one Scenario, or an rc::Gen<Scenario> (<mqlab/rapidcheck.h>); `property` a text
// (sim/hunt/property.h): "promises", "settles", "expected", or names of anomalies. A HoldsOptions may follow.
// MQLAB_RUNS and MQLAB_SEED in the environment say how many runs (300), and from which seed on (1).
//
//     TEST(Orders, AreNotLost) { EXPECT_HOLDS(mqlab::plans_around("orders.lua"), "lost-message, settles"); }
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kit/holds.h"
#include "kit/models.h"

namespace mqlab::testing {

inline ::testing::AssertionResult holds_or_fails(const char*, const HoldsResult& r) {
  if (r.holds) return ::testing::AssertionSuccess();
  std::string text = r.message;
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test && r.tested > 0) text += "\nAgain: MQLAB_SEED=" + std::to_string(r.seed) + " MQLAB_RUNS=1, with --gtest_filter=" + test->test_suite_name() + "." + test->name();
  return ::testing::AssertionFailure() << text;
}

}  // namespace mqlab::testing

#define EXPECT_HOLDS(...) EXPECT_PRED_FORMAT1(::mqlab::testing::holds_or_fails, ::mqlab::check_holds(__VA_ARGS__))
#define ASSERT_HOLDS(...) ASSERT_PRED_FORMAT1(::mqlab::testing::holds_or_fails, ::mqlab::check_holds(__VA_ARGS__))
