#include "sim/kernel/time.h"

#include <gtest/gtest.h>

#include "sim/kernel/fingerprint.h"

using namespace mqlab;
using namespace mqlab::literals;

TEST(Time, IsWrittenInSecondsWithMicroseconds) {
  EXPECT_EQ(format_time(0), "0.000000 s");
  EXPECT_EQ(format_time(12'345'678'901), "12.345678 s");
  EXPECT_EQ(format_time(-1'500_ms), "-1.500000 s");
  EXPECT_EQ(format_time(time_max), "9223372036.854775 s");
  EXPECT_EQ(format_time(time_min), "-9223372036.854775 s");
}

TEST(Time, ADurationIsWrittenInTheShortestExactForm) {
  EXPECT_EQ(format_duration(0), "0 s");
  EXPECT_EQ(format_duration(250_ms), "250 ms");
  EXPECT_EQ(format_duration(1'500_ms), "1.5 s");
  EXPECT_EQ(format_duration(2_min), "2 min");
  EXPECT_EQ(format_duration(90_s), "90 s");
  EXPECT_EQ(format_duration(86'400_s), "1 d");
  EXPECT_EQ(format_duration(999_ns), "999 ns");
  EXPECT_EQ(format_duration(1'500'001_ns), "1.500001 ms");
  EXPECT_EQ(format_duration(-30_ms), "-30 ms");
  EXPECT_EQ(format_duration(-1'500_us), "-1.5 ms");
  EXPECT_EQ(format_duration(time_min), "-9223372036.854775808 s");
}

TEST(Time, SumsAndProductsAreHeldAtTheEnds) {
  EXPECT_EQ(saturating_add(time_max, 1), time_max);
  EXPECT_EQ(saturating_add(time_min, -1), time_min);
  EXPECT_EQ(saturating_add(5, -7), -2);
  EXPECT_EQ(saturating_multiply(time_max, 2), time_max);
  EXPECT_EQ(saturating_multiply(time_max, -2), time_min);
  EXPECT_EQ(saturating_multiply(time_min, -1), time_max);
  EXPECT_EQ(saturating_multiply(6, 7), 42);
}

TEST(Fingerprint, TellsOrderAndContentApart) {
  Fingerprint a, b, c;
  a.mix(1, 2);
  a.mix(3, 4);
  b.mix(3, 4);
  b.mix(1, 2);
  c.mix(1, 2);
  c.mix(3, 5);
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  Fingerprint again;
  again.mix(1, 2);
  again.mix(3, 4);
  EXPECT_EQ(a, again);
  EXPECT_EQ(a.text(), "82c8acc633932ca28bbc945309b9c78a");
  EXPECT_EQ(Fingerprint{}.text(), "6a09e667f3bcc908bb67ae8584caa73b");
}
