// mqlab plan and mqlab shrink: files that can be run, and clear words where there is nothing to write.
#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string fingerprint(const std::string& out) {
  const std::size_t at = out.find("fingerprint ");
  return at == std::string::npos ? "" : out.substr(at, 44);
}

const std::string quorum = std::string(MQLAB_SOURCE_DIR) + "/scenarios/search/quorum.lua";

TEST(Plan, IsTheSameRun) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.file("two.lua");
  ASSERT_EQ(mqlab({"plan", quorum, "--case", "4.3", "--seed", "2", "--out", file}).code, 0);
  const Outcome whole = mqlab({"run", quorum, "--case", "4.3", "--seed", "2"});
  const Outcome written = mqlab({"run", file});  // the seed stands in it
  EXPECT_NE(fingerprint(whole.out), "");
  EXPECT_EQ(fingerprint(written.out), fingerprint(whole.out));
  EXPECT_NE(fingerprint(mqlab({"run", file, "--seed", "3"}).out), fingerprint(whole.out));
}

TEST(Plan, SaysWhyNot) {
  NEEDS_KAFKA();
  const Outcome many = mqlab({"plan", quorum});
  EXPECT_EQ(many.code, 2);
  EXPECT_TRUE(says(many.err, "name one by --case")) << many.err;
  const Outcome program = mqlab({"plan", std::string(MQLAB_SOURCE_DIR) + "/scenarios/search/transactions.lua", "--case", "tv1"});
  EXPECT_EQ(program.code, 2);
  EXPECT_TRUE(says(program.err, "is a program of the file")) << program.err;
}

TEST(Shrink, WritesAScenarioThatShowsIt) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.file("small.lua");
  const Outcome o = mqlab({"shrink", quorum, "--case", "4.3", "--seed", "2", "--anomaly", "fifo-violation", "--out", file});
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(says(o.err, " runs in ")) << o.err;
  const Outcome small = mqlab({"run", file});
  EXPECT_EQ(small.code, 0) << small.out;
  EXPECT_TRUE(says(small.out, "met      violates fifo-violation")) << small.out;
}

TEST(Shrink, SaysWhatTheRunShows) {
  NEEDS_KAFKA();
  const Outcome other = mqlab({"shrink", quorum, "--case", "4.3", "--seed", "2", "--anomaly", "lost-mesage"});
  EXPECT_EQ(other.code, 2);
  EXPECT_TRUE(says(other.err, "it shows ")) << other.err;
  EXPECT_TRUE(says(other.err, "fifo-violation")) << other.err;
}

}  // namespace
}  // namespace mqlab::cli_test
