// The consumer loop written in Lua (scenarios/programs/one-loop.lua) against the built-in one: the same options open the
// same windows of loss and of repetition in the same random stories, and no other.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/kafka/program_story.h"

namespace mqlab::kafka {
namespace {

// The file without its own story: `consumer_loop` and what it needs.
const std::string& loop_in_lua() {
  static const std::string text = [] {
    std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/scenarios/programs/one-loop.lua");
    std::ostringstream all;
    all << in.rdbuf();
    return all.str().substr(0, all.str().find("\nreturn scenario"));
  }();
  return text;
}

// The programs of programs_test, and what else can be asked of a loop.
std::vector<Program> all_programs() {
  std::vector<Program> all = programs();
  const Program more[] = {
      {"queue", R"(commit = "prefix", workers = 2, queue = 2)", Window::never, Window::found},
      {"after_on_revoke", R"(commit = "after", workers = 3, commit_on_revoke = true)", Window::never, Window::found},
      {"pool_stores", R"(commit = "store", auto_commit_interval = ms(500), workers = 3, work_slow_message = "P1-40", work_slow = seconds(5))", Window::never, Window::found},
      {"few_and_seldom", R"(commit = "after", max_poll = 3, poll_every = ms(50))", Window::never, Window::found},
      {"pool_dead_letter", R"(commit = "prefix", workers = 3, poison = { "P1-20", "P1-90" }, attempts = 3, attempt_backoff = ms(300), on_failure = "dead_letter", dead_letter_topic = "aside")", Window::never, Window::found},
      {"down_for_a_while", R"(commit = "each", poison = { "P1-20", "P1-90" }, poison_until = seconds(20), attempt_backoff = ms(300))", Window::never, Window::found},
  };
  all.insert(all.end(), std::begin(more), std::end(more));
  return all;
}

class LuaLoop : public testing::TestWithParam<Program> {};

std::string windows(const Found& f) {
  const auto word = [](int n) { return n > 0 ? "found" : "never"; };
  return fmt::format("effect-lost {}, commit-ahead-of-processing {}, effect-duplicate {}", word(f.lost), word(f.ahead), word(f.twice));
}

std::string seeds_of(const char* who, const Found& f) {
  return fmt::format("{}: lost in {} of {} stories (first {}), commit ahead in {} (first {}), twice in {} (first {})", who, f.lost, f.runs, f.first_lost, f.ahead,
                     f.first_ahead, f.twice, f.first_twice);
}

TEST_P(LuaLoop, HasTheWindowsOfTheBuiltInLoop) {
  constexpr std::uint64_t stories = 20;
  const Program& p = GetParam();
  const Found built_in = search(p.options, stories);
  const Found in_lua = search(p.options, stories, loop_in_lua());
  const std::string both = seeds_of("built in", built_in) + "\n" + seeds_of("in Lua", in_lua);
  EXPECT_EQ(windows(in_lua), windows(built_in)) << both;
  EXPECT_EQ(built_in.lost > 0, p.lost == Window::found) << both;
  EXPECT_EQ(built_in.twice > 0, p.twice == Window::found) << both;
  EXPECT_EQ(in_lua.undecided + built_in.undecided, "");
  EXPECT_EQ(in_lua.bugs + built_in.bugs, "");
  std::printf("%s\n", both.c_str());
}

INSTANTIATE_TEST_SUITE_P(Kafka, LuaLoop, testing::ValuesIn(all_programs()), [](const testing::TestParamInfo<Program>& p) { return std::string(p.param.name); });

// ---- what nothing goes wrong in, step for step

// What K1 did and was told, as "40 deliver ok".
std::string deeds(const std::string& options, const std::string& loop) {
  const Scenario s = load_scenario(fmt::format(R"({}
  return scenario {{
    cluster = kafka {{ brokers = 3, controllers = 1 }}, topics = {{ orders = {{ partitions = 2 }}, failed = {{}} }},
    clients = {{ producer "P1" {{ topic = "orders", records = 40, every = ms(50), start_at = seconds(8), keys = 4, tombstone_every = 4 }},
      {} "K1" {{ topics = {{ "orders" }}, auto_offset_reset = "earliest", work = ms(10), effect = "mail", poison = {{ "P1-7", "P1-8" }}, attempts = 2, {} {} }} }},
    run_for = seconds(60) }})", loop, loop.empty() ? "consumer" : "client", options, loop.empty() ? "" : ", program = consumer_loop"), "quiet.lua", models());
  const RunResult r = run_scenario(s, *models().find("kafka"), nullptr, {.seed = 1});
  std::map<std::string, int> counted;
  for (const Op& op : r.world->journal.ops)
    if (op.process == r.world->find("K1") && op.kind != OpKind::poll) ++counted[fmt::format("{} {}", op_kind_name(op.kind), outcome_name(op.outcome))];
  std::string text;
  for (const auto& [what, times] : counted) text += fmt::format("{} {}\n", times, what);
  return text;
}

TEST(LuaLoopInPeace, DoesWhatTheBuiltInLoopDoes) {
  for (const char* options : {R"(group = "g", commit = "each", on_failure = "skip")",
                              R"(group = "g", commit = "before", on_failure = "skip")",
                              R"(group = "g", commit = "after", on_failure = "dead_letter", dead_letter_topic = "failed", retry_delay = ms(700))",
                              R"(group = "g", group_protocol = "share", explicit_acks = true, ack = "accept")",
                              R"(group = "g", group_protocol = "share", explicit_acks = true, ack = "release_failed")",
                              R"(group = "g", group_protocol = "share", explicit_acks = true, ack = "reject_failed")",
                              R"(seek_to = 3, poison_until = seconds(20))",
                              R"(workers = 2, queue = 1, on_failure = "retry_topic", retry_topic = "failed")"}) {
    const std::string built_in = deeds(options, {});
    EXPECT_NE(built_in.find("process ok"), built_in.npos) << options;
    EXPECT_EQ(deeds(options, loop_in_lua()), built_in) << options;
  }
}

}  // namespace
}  // namespace mqlab::kafka
