// mqlab compare: a column a design, a row a criterion, the same bytes from the same seeds.
#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace mqlab::cli_test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A leader that alone has a record dies.
const char* story = R"(-- What acks=1 costs.
return scenario {
  title = "Acknowledged by one",
  designs = {
    design "careful" { why = "Two of three have it.", cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 }, set = { acks = "all" } },
    design "quick" { cluster = kafka { brokers = 3, controllers = 1, min_insync = 1 }, set = { acks = 1, idempotence = false } },
  },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P" { topic = "orders", records = 40, every = ms(100), start_at = seconds(3) },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = { at(seconds(4), partition { { "B1" }, { "B2", "B3" } }), at(ms(4600), power "B1" { duration = seconds(5) }), at(seconds(5), heal()) },
  run_for = seconds(30),
}
)";

TEST(Compare, AColumnADesign) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const Outcome o = mqlab({"compare", scratch.write("acks.lua", story)});
  EXPECT_EQ(o.code, 0) << o.out << o.err;
  for (const char* part : {"Acknowledged by one", "careful", "quick", "lost", "latency p99", "recovery", "the longest time in which a message waited"})
    EXPECT_TRUE(says(o.out, part)) << part << "\n" << o.out;
}

TEST(Compare, TheNumbersAreOfTheRuns) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("acks.lua", story);
  const auto j = mqlab_json({"compare", file, "--on", "quick,careful", "--seeds", "3"});
  EXPECT_EQ(j.at("format"), "mqlab-compare/1");
  const auto& designs = j.at("cases").at(0).at("designs");
  ASSERT_EQ(designs.size(), 2U);
  EXPECT_EQ(designs.at(0).at("design"), "quick");
  EXPECT_EQ(designs.at(0).at("runs"), 3);
  EXPECT_GT(designs.at(0).at("lost").at("worst").get<int>(), 0);
  EXPECT_EQ(designs.at(1).at("lost").at("worst").get<int>(), 0);
  EXPECT_EQ(designs.at(1).at("lost").at("runs_above_zero").get<int>(), 0);
  EXPECT_GT(designs.at(0).at("latency_p50_ns").at("median").get<std::int64_t>(), 0);
  // The seed of a cell is one that shows it.
  const auto seed = designs.at(0).at("lost").at("worst_seed").get<int>();
  const auto run = mqlab_json({"run", file, "--on", "quick", "--seed", std::to_string(seed)});
  bool lost = false;
  for (const auto& v : run.at("runs").at(0).at("verdicts")) lost = lost || (v.at("anomaly") == "lost-message" && v.at("verdict") == "violated");
  EXPECT_TRUE(lost);
}

TEST(Compare, TheSameSeedsGiveTheSameBytes) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("acks.lua", story);
  EXPECT_EQ(mqlab({"compare", file, "--seeds", "2"}).out, mqlab({"compare", file, "--seeds", "2"}).out);
  ASSERT_EQ(mqlab({"compare", file, "--seeds", "2", "--html", scratch.file("a.html")}).code, 0);
  ASSERT_EQ(mqlab({"compare", file, "--seeds", "2", "--html", scratch.file("b.html")}).code, 0);
  const std::string page = slurp(scratch.file("a.html"));
  EXPECT_EQ(page, slurp(scratch.file("b.html")));
  for (const char* part : {"<!doctype html>", "What acks=1 costs.", "Two of three have it.", "</html>"}) EXPECT_TRUE(says(page, part)) << part;
  EXPECT_FALSE(says(page, "http")) << "the page needs nothing from elsewhere";
}

TEST(Compare, WrongWordsAreAnswered) {
  NEEDS_KAFKA();
  const Scratch scratch;
  const std::string file = scratch.write("acks.lua", story);
  const Outcome unknown = mqlab({"compare", file, "--on", "carefull"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_TRUE(says(unknown.err, "did you mean `careful`?")) << unknown.err;
  EXPECT_EQ(mqlab({"compare", file, "--on", "quick,quick"}).code, 2);
  EXPECT_EQ(mqlab({"compare", file, "--on", "quick,,careful"}).code, 2);
  const Outcome none = mqlab({"compare", "scenarios/showcase.lua"});
  EXPECT_EQ(none.code, 2);
  EXPECT_TRUE(says(none.err, "has no `designs`")) << none.err;
}

}  // namespace
}  // namespace mqlab::cli_test
