// What a duration is written as can be read again, exactly: in scenarios, on command lines, in messages.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/lab/options.h"

namespace mqlab {
namespace {

TEST(DurationText, IsWrittenInTheUnitThatReadsBest) {
  EXPECT_EQ(format_duration(20'345'911'734'000), "20345.911734 s");
  EXPECT_EQ(format_duration(1'000'000'001), "1.000000001 s");
  EXPECT_EQ(format_duration(2'000'001), "2.000001 ms");
}

RC_GTEST_PROP(DurationText, IsReadAsItWasWritten, ()) {
  const auto bits = *rc::gen::inRange(1, 60);
  const Duration d = *rc::gen::inRange<Duration>(-(Duration{1} << bits), Duration{1} << bits);
  const auto back = parse_duration(format_duration(d));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == d);
}

}  // namespace
}  // namespace mqlab
