#include "sim/script/nearest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace mqlab::script {
namespace {

const std::vector<std::string> words = {"partition", "heal", "isolate", "kill", "restart", "pause", "at", "acks", "min_insync"};

TEST(Nearest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(nearest_word("partion", words), "partition");
  EXPECT_EQ(nearest_word("isloate", words), "isolate");  // a swap is one edit
  EXPECT_EQ(nearest_word("Heal", words), "heal");
  EXPECT_EQ(nearest_word("ack", words), "acks");
  EXPECT_EQ(nearest_word("minInsync", words), "min_insync");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_word("frobnicate", words), std::nullopt);
  EXPECT_EQ(nearest_word("", words), std::nullopt);
  EXPECT_EQ(nearest_word("x", words), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(1'000'000, 'a'), words), std::nullopt);
  EXPECT_EQ(did_you_mean("frobnicate", words), "");
  EXPECT_EQ(did_you_mean("kil", words), "; did you mean `kill`?");
}

TEST(Nearest, DistanceCountsEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abcd", "acbd"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

RC_GTEST_PROP(NearestProperty, OrderOfTheListDoesNotMatter, (std::vector<std::string> names, const std::string& wrong)) {
  const auto forwards = nearest_word(wrong, names);
  std::reverse(names.begin(), names.end());
  RC_ASSERT(nearest_word(wrong, names) == forwards);
}

RC_GTEST_PROP(NearestProperty, DistanceIsSymmetric, (const std::string& a, const std::string& b)) {
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
}

}  // namespace
}  // namespace mqlab::script
