// Consume, transform, produce: what each way of doing it makes of a message whose worker dies, stands still or is cut off.
// In random stories it is counted how often the output of each message was seen by a reader at read_committed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/kafka/program_story.h"

namespace mqlab::kafka {
namespace {

struct Seen {
  int runs = 0;
  int lost = 0;     // runs in which an output was never seen, though the story ended well
  int twice = 0;    // ... or more than once
  std::uint64_t first_lost = 0, first_twice = 0;  // seeds
  std::string undrained;
};

// Two members of a group turn t's 60 messages into bills, each with a transactional id of its own.
Scenario story(const std::string& options, std::uint64_t seed, const std::string& cluster = {}) {
  constexpr Duration ms = 1'000'000;
  Random random(seed, Stream::scenario, 11);
  const auto member = [&](int n) {
    return fmt::format(R"(transform "T{0}" {{ topics = {{ "orders" }}, topic = "bills", group = "billing", transactional_id = "billing-{0}", auto_offset_reset = "earliest", auto_commit = "off",
      isolation = "read_committed", transaction_timeout = seconds(8), session_timeout = seconds(6), group_heartbeat = seconds(1), max_poll_interval = seconds(20), poll_timeout = ms(200), max_poll = 4,
      work = ms(50), {1} }})", n, options);
  };
  Scenario s = load_scenario(fmt::format(R"(return scenario {{
    cluster = kafka {{ brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, transaction_partitions = 1, transaction_timeout_check = seconds(1), {} }},
    topics = {{ orders = {{ partitions = 2 }}, bills = {{ partitions = 2 }} }},
    clients = {{ producer "P1" {{ topic = "orders", records = 60, every = ms(80), start_at = seconds(5), keys = 7 }}, {}, {},
                consumer "K1" {{ topics = {{ "bills" }}, isolation = "read_committed", auto_offset_reset = "earliest" }} }},
    run_for = seconds(40) }})", cluster, member(1), member(2)), "random.lua", models());
  const auto below = [&](std::uint64_t n) { return static_cast<Duration>(random.below(n)); };
  for (Duration n = 1 + below(3); n > 0; --n) {
    PlannedFault f;
    f.trigger.after = 6'000 * ms + below(6'000) * ms + below(1'000) * 1'000;
    const FaultKind kinds[] = {FaultKind::kill, FaultKind::kill, FaultKind::pause, FaultKind::isolate};
    const auto k = static_cast<std::size_t>(below(5));
    f.fault.kind = k < 4 ? kinds[k] : FaultKind::kill;
    f.fault.duration = 100 * ms + below(9'000) * ms;
    // A worker; or a broker, with all that it coordinates.
    f.fault.groups = {{k < 4 ? fmt::format("T{}", 1 + below(2)) : fmt::format("B{}", 1 + below(3))}};
    s.faults.push_back(std::move(f));
  }
  return s;
}

Seen search(const std::string& options, std::uint64_t seeds, const std::string& cluster = {}) {
  Seen f;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RunResult r = run_scenario(story(options, seed, cluster), *models().find("kafka"), nullptr, {.seed = seed});
    ++f.runs;
    if (!r.drained) {
      f.undrained += fmt::format(" {}: {}", seed, r.not_drained_because);
      continue;
    }
    std::map<MessageId, int> sent, seen;
    NodeId reader = r.world->find("K1");
    for (const Op& op : r.world->journal.ops) {
      if (op.kind == OpKind::send && op.outcome == Outcome::ok && op.process == r.world->find("P1")) sent[op.message] = 1;
      if (op.kind == OpKind::deliver && op.process == reader) ++seen[op.message];
    }
    bool lost = false, twice = false;
    for (const auto& [m, one] : sent) {
      lost = lost || seen[m] == 0;
      twice = twice || seen[m] > 1;
    }
    f.lost += lost;
    f.twice += twice;
    if (lost && f.first_lost == 0) f.first_lost = seed;
    if (twice && f.first_twice == 0) f.first_twice = seed;
  }
  return f;
}

struct Way {
  const char* name;
  const char* options;
  bool loses, repeats;
};
void PrintTo(const Way& w, std::ostream* o) { *o << w.name; }
class Transform : public testing::TestWithParam<Way> {};

TEST_P(Transform, LosesOrRepeatsOnlyWhereItMay) {
  const Way& w = GetParam();
  const char* further = std::getenv("MQLAB_SEEDS");
  const Seen f = search(w.options, further ? std::stoull(further) : 40);
  EXPECT_EQ(f.undrained, "");
  EXPECT_EQ(f.lost > 0, w.loses) << "lost in " << f.lost << " of " << f.runs << " runs, first with seed " << f.first_lost;
  EXPECT_EQ(f.twice > 0, w.repeats) << "twice in " << f.twice << " of " << f.runs << " runs, first with seed " << f.first_twice;
  std::printf("%-22s %d runs: lost in %d, twice in %d\n", w.name, f.runs, f.lost, f.twice);
}

INSTANTIATE_TEST_SUITE_P(Kafka, Transform,
                         testing::Values(Way{"InATransaction", R"(positions = "in_transaction")", false, false},
                                         Way{"InATransactionWithAborts", R"(abort_every = 3)", false, false},
                                         Way{"UnknownDropsTheProducer", R"(on_unknown = "new_producer", max_block = seconds(1))", false, false},
                                         Way{"After", R"(positions = "after")", false, true},
                                         Way{"Before", R"(positions = "before")", true, false},
                                         Way{"Beside", R"(positions = "beside")", false, true},
                                         Way{"WithoutGroupMetadata", R"(group_metadata = false)", false, true},
                                         Way{"GoesOnAfterAnAbort", R"(abort_every = 3, on_abort = "go_on")", true, false}),
                         [](const testing::TestParamInfo<Way>& w) { return std::string(w.param.name); });

// The same before TV2.
TEST(TransformVersions, ATransactionIsOnceAtTv1) {
  const Seen f = search(R"(abort_every = 4)", 20, R"(transactions = "tv1")");
  EXPECT_EQ(f.undrained, "");
  EXPECT_EQ(f.lost, 0) << "first with seed " << f.first_lost;
  EXPECT_EQ(f.twice, 0) << "first with seed " << f.first_twice;
}

}  // namespace
}  // namespace mqlab::kafka
