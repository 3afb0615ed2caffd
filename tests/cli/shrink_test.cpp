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
  const Scratch scratch;
  const std::string file = scratch.file("long.lua");
  std::ofstream(file) << "return scenario { cluster = kafka {}, clients = { client \"C\" { program = function(c) end } } }\n--" << std::string(1'000'000, 'x');
  const Outcome program = mqlab({"plan", file});
  EXPECT_EQ(program.code, 2);
  EXPECT_TRUE(says(program.err, "can't be written out by itself: its file has 1000")) << program.err;
}

const std::string transactions = std::string(MQLAB_SOURCE_DIR) + "/scenarios/search/transactions.lua";

// Programs come with their file, and a plan of a plan carries it once.
TEST(Plan, OfProgramsIsTheSameRun) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.file("six.lua");
  const std::string again = scratch.file("six-again.lua");
  ASSERT_EQ(mqlab({"plan", transactions, "--case", "tv1", "--seed", "6", "--out", file}).code, 0);
  ASSERT_EQ(mqlab({"plan", file, "--out", again}).code, 0);
  const Outcome whole = mqlab({"run", transactions, "--case", "tv1", "--seed", "6"});
  EXPECT_NE(fingerprint(whole.out), "");
  EXPECT_EQ(fingerprint(mqlab({"run", file}).out), fingerprint(whole.out));
  EXPECT_EQ(fingerprint(mqlab({"run", again}).out), fingerprint(whole.out));
  EXPECT_LT(slurp(again).size(), slurp(file).size() + 100);
}

TEST(Shrink, OfProgramsWritesAScenarioThatShowsIt) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.file("small.lua");
  const Outcome o = mqlab({"shrink", transactions, "--case", "tv1", "--seed", "6", "--anomaly", "G1a", "--out", file});
  ASSERT_EQ(o.code, 0) << o.err;
  const Outcome small = mqlab({"run", file});
  EXPECT_TRUE(says(small.out, "met      violates G1a")) << small.out;
  const std::string text = slurp(file);
  EXPECT_FALSE(says(text.substr(text.rfind("return scenario")), "client \"P3\"")) << text;
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
