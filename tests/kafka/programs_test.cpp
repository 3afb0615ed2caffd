// Client programs: each one's window of loss or of repetition is found by random search, and only where it exists.
//
// Two members of a group share two partitions and send a mail for each record, while at random times one of them is
// killed, stopped in good order, stands still or is cut off for longer than its session, or the coordinator moves, since
// its broker dies. effect-lost says that a mail was never sent, effect-duplicate that one was sent twice.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/kafka/kafka.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"

namespace mqlab::kafka {
namespace {

constexpr Duration ms = 1'000'000;

const Models& models() {
  static const Models all = [] {
    Models m;
    m.add(make_model());
    return m;
  }();
  return all;
}

struct Found {
  int runs = 0;
  int lost = 0;
  int twice = 0;
  int ahead = 0;       // commit-ahead-of-processing
  std::uint64_t first_lost = 0, first_twice = 0;  // seeds
  std::string undecided;
  std::string bugs;    // promised, and broken
};

// A story of 20 seconds of work, in which up to three things go wrong.
Scenario random_story(const std::string& options, std::uint64_t seed) {
  Random random(seed, Stream::scenario, 7);
  const char* protocols[] = {R"(assignors = "range")", R"(assignors = "cooperative-sticky")", R"(group_protocol = "consumer")"};
  const std::string member = fmt::format(R"({{ topics = {{ "orders" }}, group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(6),
    group_heartbeat = seconds(1), max_poll_interval = seconds(20), max_poll_records = 8, poll_timeout = ms(200), work = ms(100), effect = "mail", {}, {} }})",
                                         protocols[seed % 3], options);
  const std::string of_retries = options.find("retry_topic") == options.npos ? "" : fmt::format(
      R"(, consumer "K3" {{ topics = {{ "aside" }}, group = "mailers", auto_offset_reset = "earliest", {}, commit = "each", retry_delay = ms(500), effect = "mail" }})", protocols[seed % 3]);
  Scenario s = load_scenario(fmt::format(R"(return scenario {{
    cluster = kafka {{ brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, consumer_session_timeout = seconds(6), consumer_heartbeat_interval = seconds(1) }},
    topics = {{ orders = {{ partitions = 2 }}, aside = {{ partitions = 1 }} }},
    clients = {{ producer "P1" {{ topic = "orders", records = 160, every = ms(80), start_at = seconds(5), keys = 7 }}, consumer "K1" {}, consumer "K2" {} {} }},
    run_for = seconds(40) }})", member, member, of_retries), "random.lua", models());
  const auto below = [&](std::uint64_t n) { return static_cast<Duration>(random.below(n)); };
  for (Duration n = 1 + below(3); n > 0; --n) {
    PlannedFault f;
    f.trigger.after = 6'000 * ms + below(14'000) * ms + below(1'000) * 1'000;
    switch (below(6)) {
      case 0:
      case 1:
      case 2:
        f.fault.kind = FaultKind::kill;
        f.fault.duration = 100 * ms + below(9'000) * ms;
        break;
      case 3:
        f.fault.kind = FaultKind::pause;
        f.fault.duration = 100 * ms + below(14'000) * ms;
        break;
      case 4:
        f.fault.kind = FaultKind::stop;
        f.fault.duration = 100 * ms + below(9'000) * ms;
        break;
      default:
        f.fault.kind = FaultKind::isolate;
        f.fault.duration = 100 * ms + below(14'000) * ms;
    }
    f.fault.groups = {{below(2) ? "K1" : "K2"}};
    s.faults.push_back(std::move(f));
  }
  // The coordinator moves.
  if (below(3) == 0) {
    PlannedFault f;
    f.trigger.after = 6'000 * ms + below(14'000) * ms;
    f.fault.kind = FaultKind::kill;
    f.fault.duration = 500 * ms + below(5'000) * ms;
    f.fault.groups = {{"leader __consumer_offsets/0"}};
    s.faults.push_back(std::move(f));
  }
  return s;
}

// MQLAB_SEEDS=2000 looks further.
Found search(const std::string& options) {
  Found found;
  const char* further = std::getenv("MQLAB_SEEDS");
  const std::uint64_t seeds = further ? std::stoull(further) : 120;
  const Model& model = *models().find("kafka");
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RunResult r = run_scenario(random_story(options, seed), model, nullptr, {.seed = seed});
    ++found.runs;
    if (!r.drained) found.undecided += fmt::format("seed {}: {}\n", seed, r.not_drained_because);
    const auto violated = [&](const char* name) { return r.verdict(name)->report.verdict == Verdict::violated; };
    if (violated("effect-lost") && found.lost++ == 0) found.first_lost = seed;
    if (violated("effect-duplicate") && found.twice++ == 0) found.first_twice = seed;
    if (violated("commit-ahead-of-processing")) ++found.ahead;
    for (const VerdictRow& v : r.verdicts)
      if (v.claim.claimed && v.report.verdict == Verdict::violated) found.bugs += fmt::format("seed {}: {}: {}\n", seed, v.claim.anomaly, v.report.worst.front().sentence);
  }
  return found;
}

enum class Window { never, found };
struct Program {
  friend void PrintTo(const Program& p, std::ostream* out) { *out << p.options; }
  const char* name;
  const char* options;
  Window lost;
  Window twice;
};

class Programs : public testing::TestWithParam<Program> {};

TEST_P(Programs, LoseOrRepeatOnlyWhereTheirWindowIs) {
  const Program& p = GetParam();
  const Found f = search(p.options);
  EXPECT_EQ(f.undecided, "");
  EXPECT_EQ(f.bugs, "");
  EXPECT_EQ(f.lost > 0, p.lost == Window::found) << "lost in " << f.lost << " of " << f.runs << " runs, first with seed " << f.first_lost;
  EXPECT_EQ(f.ahead > 0, p.lost == Window::found) << "a commit was ahead of the work in " << f.ahead << " runs";
  EXPECT_EQ(f.twice > 0, p.twice == Window::found) << "twice in " << f.twice << " of " << f.runs << " runs, first with seed " << f.first_twice;
  std::printf("%-22s %d runs: lost in %d, twice in %d\n", p.name, f.runs, f.lost, f.twice);
}

INSTANTIATE_TEST_SUITE_P(
    Kafka, Programs,
    testing::Values(Program{"before", R"(commit = "before")", Window::found, Window::never},
                    Program{"after", R"(commit = "after")", Window::never, Window::found},
                    Program{"after_async", R"(commit = "after", commit_async = true)", Window::never, Window::found},
                    Program{"each", R"(commit = "each")", Window::never, Window::found},
                    Program{"prefix_on_revoke", R"(commit = "prefix", workers = 3, commit_on_revoke = true)", Window::never, Window::found},
                    Program{"java", R"(auto_commit = "java", auto_commit_interval = seconds(1))", Window::never, Window::found},
                    Program{"java_workers", R"(auto_commit = "java", auto_commit_interval = seconds(1), workers = 3)", Window::found, Window::found},
                    Program{"librdkafka", R"(auto_commit = "librdkafka", auto_commit_interval = ms(500))", Window::found, Window::found},
                    Program{"librdkafka_stores", R"(commit = "store", auto_commit_interval = ms(500))", Window::never, Window::found},
                    Program{"highest", R"(commit = "highest", workers = 3, work_slow_message = "P1-40", work_slow = seconds(5))", Window::found, Window::found},
                    Program{"prefix", R"(commit = "prefix", workers = 3, work_slow_message = "P1-40", work_slow = seconds(5))", Window::never, Window::found},
                    Program{"prefix_careless", R"(commit = "prefix", workers = 3, finish_revoked = true)", Window::never, Window::found},
                    Program{"pause", R"(commit = "after", pause_while_working = true)", Window::never, Window::found},
                    Program{"retry_topic", R"(commit = "each", poison = { "P1-20", "P1-90" }, on_failure = "retry_topic", retry_topic = "aside")", Window::never, Window::found},
                    Program{"dead_letter", R"(commit = "each", poison = { "P1-20", "P1-90" }, on_failure = "dead_letter", dead_letter_topic = "aside")", Window::never, Window::found},
                    Program{"skip", R"(commit = "each", poison = { "P1-20", "P1-90" }, on_failure = "skip")", Window::found, Window::found}),
    [](const testing::TestParamInfo<Program>& p) { return std::string(p.param.name); });

// ---- the programs of the library, in Lua and built in

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The same words ask the same of both: a program is replaced by the loop with its client's options.
TEST(ProgramsInLua, TheBuiltInLoopShowsTheSame) {
  const Model& model = *models().find("kafka");
  int replaced = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MQLAB_SOURCE_DIR) + "/scenarios/programs")) {
    Scenario s = load_scenario(read(entry.path()), entry.path(), models());
    for (ClientSpec& client : s.deployment.clients) {
      if (!client.app) continue;
      client.app = nullptr;
      client.role = "consumer";
      client.options = client.consumer_options;
      ++replaced;
    }
    for (const ScenarioCase& c : s.cases)
      for (std::uint64_t seed = 1; seed <= 5; ++seed)
        for (const ExpectationResult& e : run_scenario(s, model, &c, {.seed = seed}).expectations)
          EXPECT_TRUE(e.met) << entry.path() << ", " << c.name << ", seed " << seed << ": " << expectation_name(e.expectation.kind) << " " << e.expectation.name << ": " << e.why;
  }
  EXPECT_GE(replaced, 7);
}

}  // namespace
}  // namespace mqlab::kafka
