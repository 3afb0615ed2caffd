// What min_insync=2 promises, under random schedules; and each old rule, found by searching the same schedules.
//
// A thousand stories here; MQLAB_SCHEDULES=10000 runs as many as the page in models/kafka speaks of.
#include <gtest/gtest.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cstdlib>

#include "models/kafka/kafka.h"
#include "tests/kafka/random_schedule.h"

namespace mqlab::kafka {
namespace {

std::uint64_t budget() {
  const char* wanted = std::getenv("MQLAB_SCHEDULES");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 1000;
}

RunResult run(const Model& model, std::uint64_t seed, const std::vector<Setting>& switches = {}, const std::string& profile = "4.3") {
  return run_scenario(random_schedule(model, seed, switches, profile), model, nullptr, {.seed = seed, .trace = TraceLevel::off});
}

bool violated(const RunResult& r, const char* anomaly) {
  const VerdictRow* v = r.verdict(anomaly);
  return v && v->report.verdict == Verdict::violated;
}

TEST(Schedules, EveryPromiseHolds) {
  const auto model = make_model();
  std::uint64_t acknowledged = 0, bites = 0, promised = 0, once_in_order = 0, waits = 0;
  for (std::uint64_t seed = 1; seed <= budget(); ++seed) {
    const RunResult r = run(*model, seed);
    waits += !r.drained;
    for (const VerdictRow& v : r.verdicts)
      ASSERT_FALSE(v.claim.claimed && v.report.verdict == Verdict::violated)
          << "seed " << seed << ": " << v.report.anomaly->name << ": " << v.report.worst[0].sentence;
    const auto claimed = [&](const char* name) { return r.verdict(name) && r.verdict(name)->claim.claimed; };
    promised += claimed("lost-message") && claimed("inconsistent-offsets");
    once_in_order += claimed("duplicate") && claimed("nonmonotonic-send");
    for (const Op& op : r.world->journal.ops) acknowledged += op.kind == OpKind::send && op.outcome == Outcome::ok;
    for (const ArmedFault& f : r.world->faults()) bites += f.bites > 0;
  }
  // The registration of a dead process that comes late may throw out its successor, which then waits for an operator, as
  // in the product: once in 10,000 stories.
  EXPECT_LE(waits, budget() / 5'000);
  // Else nothing was tested.
  EXPECT_GT(acknowledged, budget() * 50);
  EXPECT_GT(bites, budget() * 3);
  // The rest had a broker stopped before it had registered, beside one that lost power.
  EXPECT_GT(promised, budget() * 95 / 100);
  // ... and of these promises, those without a clock that jumps.
  EXPECT_GT(once_in_order, budget() / 2);
}

// A run leaves nothing behind: a campaign of any length fits into the memory of a short one.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
TEST(Schedules, AThousandRunsDoNotGrowMemory) {
  const auto model = make_model();
  const auto used = [] { return mallinfo2().uordblks; };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) run(*model, seed);
  const auto before = used();
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) run(*model, seed);
  EXPECT_LT(used(), before + 100'000);
}
#endif

// One rule as it once was; the anomaly that it lets happen; a seed that shows it. When a change of the model moves the
// seed, the search goes on from there: `schedules 10000 SWITCH` tells the new one.
struct OldRule {
  const char* setting;
  const char* value;
  const char* anomaly;
  std::uint64_t seed;
};

class OldRules : public testing::TestWithParam<OldRule> {};

TEST_P(OldRules, AreFoundBySearch) {
  const OldRule& rule = GetParam();
  const auto model = make_model();
  const std::vector<Setting> old{{rule.setting, Value{std::string(rule.value)}, true, 0}};
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const std::uint64_t seed = 1 + (rule.seed - 1 + i) % 10'000;
    if (!violated(run(*model, seed, old), rule.anomaly)) continue;
    EXPECT_FALSE(violated(run(*model, seed), rule.anomaly)) << "seed " << seed << " shows it without the old rule, too";
    return;
  }
  FAIL() << rule.setting << "=" << rule.value << ": no " << rule.anomaly << " in 10,000 schedules";
}

INSTANTIATE_TEST_SUITE_P(Kafka, OldRules,
                         testing::Values(OldRule{"truncation", "hw", "inconsistent-offsets", 87},
                                         OldRule{"truncation", "kip101", "inconsistent-offsets", 3257},
                                         OldRule{"fetch_epoch_check", "false", "lost-message", 1115},
                                         OldRule{"isr_join", "hw", "lost-message", 9695},
                                         OldRule{"hw_isr", "committed", "lost-message", 2055},
                                         OldRule{"hw_isr", "eager", "lost-message", 16},
                                         OldRule{"isr_broker_epoch", "false", "lost-message", 1010},
                                         OldRule{"elr", "false", "lost-message", 151},
                                         OldRule{"strict_min_isr", "false", "inconsistent-offsets", 65},
                                         OldRule{"dedup_replicated", "false", "duplicate", 7},
                                         OldRule{"dedup_window", "1", "duplicate", 5},
                                         OldRule{"split_on_retry", "true", "duplicate", 5},
                                         OldRule{"first_sequence_zero", "false", "duplicate", 1622},
                                         OldRule{"unclean_election", "true", "lost-message", 60},
                                         OldRule{"cluster.min_insync", "1", "lost-message", 151},
                                         OldRule{"idempotence", "false", "duplicate", 2},
                                         OldRule{"acks", "1", "lost-message", 6},
                                         OldRule{"acks", "0", "lost-message", 3}),
                         [](const auto& p) {
                           std::string name = std::string(p.param.setting) + "_" + p.param.value;
                           std::replace_if(name.begin(), name.end(), [](unsigned char ch) { return !std::isalnum(ch); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace mqlab::kafka
