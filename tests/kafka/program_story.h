// tests/kafka/program_story.h: random stories for the client programs, and what was seen in many of them.
//
// Two members of a group share two partitions and send a mail for each record, while at random times one of them is
// killed, stopped in good order, stands still or is cut off for longer than its session, or the coordinator moves, since
// its broker dies. effect-lost says that a mail was never sent, effect-duplicate that one was sent twice.
//
// The members run the built-in loop; or the one of a text in Lua, which defines `consumer_loop` and gets the same options.
// Always true: the same options and seed give the same story, whoever's loop runs in it.
//
//     const Found built_in = search(R"(commit = "after")", 60);
//     const Found in_lua = search(R"(commit = "after")", 60, "local function consumer_loop(c) ... end");
#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <vector>

#include "models/kafka/kafka.h"
#include "sim/lab/run.h"
#include "sim/script/scenario_api.h"

namespace mqlab::kafka {

inline const Models& models() {
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
  std::uint64_t first_lost = 0, first_twice = 0, first_ahead = 0;  // seeds
  std::string undecided;
  std::string bugs;    // promised, and broken
};

// A story of 20 seconds of work, in which up to three things go wrong.
inline Scenario random_story(const std::string& options, std::uint64_t seed, const std::string& loop_in_lua = {}) {
  constexpr Duration ms = 1'000'000;
  Random random(seed, Stream::scenario, 7);
  const std::string word = loop_in_lua.empty() ? "consumer" : "client";
  const std::string program = loop_in_lua.empty() ? "" : ", program = consumer_loop";
  const char* protocols[] = {R"(assignors = "range")", R"(assignors = "cooperative-sticky")", R"(group_protocol = "consumer")"};
  const std::string member = fmt::format(R"({{ topics = {{ "orders" }}, group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(6),
    group_heartbeat = seconds(1), max_poll_interval = seconds(20), max_poll_records = 8, poll_timeout = ms(200), work = ms(100), effect = "mail", {}, {} {} }})",
                                         protocols[seed % 3], options, program);
  const std::string of_retries = options.find("retry_topic") == options.npos ? "" : fmt::format(
      R"(, {} "K3" {{ topics = {{ "aside" }}, group = "mailers", auto_offset_reset = "earliest", {}, commit = "each", retry_delay = ms(500), effect = "mail" {} }})", word, protocols[seed % 3], program);
  Scenario s = load_scenario(fmt::format(R"({0}
  return scenario {{
    cluster = kafka {{ brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, consumer_session_timeout = seconds(6), consumer_heartbeat_interval = seconds(1) }},
    topics = {{ orders = {{ partitions = 2 }}, aside = {{ partitions = 1 }} }},
    clients = {{ producer "P1" {{ topic = "orders", records = 160, every = ms(80), start_at = seconds(5), keys = 7 }}, {1} "K1" {2}, {1} "K2" {2} {3} }},
    run_for = seconds(40) }})", loop_in_lua, word, member, of_retries), "random.lua", models());
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

inline Found search(const std::string& options, std::uint64_t seeds, const std::string& loop_in_lua = {}) {
  Found found;
  const Model& model = *models().find("kafka");
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RunResult r = run_scenario(random_story(options, seed, loop_in_lua), model, nullptr, {.seed = seed});
    ++found.runs;
    if (!r.drained) found.undecided += fmt::format("seed {}: {}\n", seed, r.not_drained_because);
    const auto violated = [&](const char* name) { return r.verdict(name)->report.verdict == Verdict::violated; };
    if (violated("effect-lost") && found.lost++ == 0) found.first_lost = seed;
    if (violated("effect-duplicate") && found.twice++ == 0) found.first_twice = seed;
    if (violated("commit-ahead-of-processing") && found.ahead++ == 0) found.first_ahead = seed;
    for (const VerdictRow& v : r.verdicts)
      if (v.claim.claimed && v.report.verdict == Verdict::violated) found.bugs += fmt::format("seed {}: {}: {}\n", seed, v.claim.anomaly, v.report.worst.front().sentence);
  }
  return found;
}

// What may be seen of a program, in some story: a mail that was never sent (and a commit ahead of the work), one twice.
enum class Window { never, found };
struct Program {
  friend void PrintTo(const Program& p, std::ostream* out) { *out << p.options; }
  const char* name;
  const char* options;
  Window lost;
  Window twice;
};

inline const std::vector<Program>& programs() {
  static const std::vector<Program> all = {
      {"before", R"(commit = "before")", Window::found, Window::never},
      {"after", R"(commit = "after")", Window::never, Window::found},
      {"after_async", R"(commit = "after", commit_async = true)", Window::never, Window::found},
      {"each", R"(commit = "each")", Window::never, Window::found},
      {"prefix_on_revoke", R"(commit = "prefix", workers = 3, commit_on_revoke = true)", Window::never, Window::found},
      {"java", R"(auto_commit = "java", auto_commit_interval = seconds(1))", Window::never, Window::found},
      {"java_workers", R"(auto_commit = "java", auto_commit_interval = seconds(1), workers = 3)", Window::found, Window::found},
      {"librdkafka", R"(auto_commit = "librdkafka", auto_commit_interval = ms(500))", Window::found, Window::found},
      {"librdkafka_stores", R"(commit = "store", auto_commit_interval = ms(500))", Window::never, Window::found},
      {"highest", R"(commit = "highest", workers = 3, work_slow_message = "P1-40", work_slow = seconds(5))", Window::found, Window::found},
      {"prefix", R"(commit = "prefix", workers = 3, work_slow_message = "P1-40", work_slow = seconds(5))", Window::never, Window::found},
      {"prefix_careless", R"(commit = "prefix", workers = 3, finish_revoked = true)", Window::never, Window::found},
      {"pause", R"(commit = "after", pause_while_working = true)", Window::never, Window::found},
      {"retry_topic", R"(commit = "each", poison = { "P1-20", "P1-90" }, on_failure = "retry_topic", retry_topic = "aside")", Window::never, Window::found},
      {"dead_letter", R"(commit = "each", poison = { "P1-20", "P1-90" }, on_failure = "dead_letter", dead_letter_topic = "aside")", Window::never, Window::found},
      {"skip", R"(commit = "each", poison = { "P1-20", "P1-90" }, on_failure = "skip")", Window::found, Window::found},
  };
  return all;
}

}  // namespace mqlab::kafka
