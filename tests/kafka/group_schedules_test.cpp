// What a consumer group promises, under random stories: joins, leaves, deaths, pauses, moves of the coordinator.
//
// A thousand here; MQLAB_SCHEDULES=10000 runs as many as models/kafka/README.md speaks of.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "models/kafka/client.h"
#include "models/kafka/kafka.h"
#include "tests/kafka/group_schedule.h"

namespace mqlab::kafka {
namespace {

std::uint64_t budget() {
  const char* wanted = std::getenv("MQLAB_SCHEDULES");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 1000;
}

// How many running members have each partition when all has come to rest.
std::map<PartitionId, int> owners(const World& w) {
  std::map<PartitionId, int> out;
  for (NodeId n = 0; n < w.node_count(); ++n) {
    if (w.node_options(n).role != "consumer" || !w.running(n)) continue;
    const Client& client = w.node_as<Client>(n);
    if (client.group().empty() || client.membership().fatal != Error::none) continue;
    for (const Assigned& a : client.assigned()) ++out[a.partition];
  }
  return out;
}

void every_promise_holds(const std::vector<Setting>& settings) {
  const auto model = make_model();
  std::uint64_t rebalances = 0, moves = 0, put_out = 0, forward = 0, delivered = 0, again = 0, starved = 0;
  for (std::uint64_t seed = 1; seed <= budget(); ++seed) {
    const RunResult r = run_scenario(group_schedule(*model, seed, settings), *model, nullptr, {.seed = seed, .trace = TraceLevel::spans});
    ASSERT_TRUE(r.drained) << "seed " << seed << ": " << r.not_drained_because;
    for (const VerdictRow& v : r.verdicts)
      ASSERT_FALSE(v.claim.claimed && v.report.verdict == Verdict::violated)
          << "seed " << seed << ": " << v.report.anomaly->name << ": " << v.report.worst[0].sentence;
    // What nobody got lies in a place that nobody was told to have (KIP-848's gap), and in no other.
    if (r.verdict("lost-message")->report.verdict == Verdict::violated) {
      ASSERT_EQ(r.verdict("group-starvation")->report.verdict, Verdict::violated) << "seed " << seed;
      ++starved;
    }
    // A member that stood still may begin where the group stood long ago; but it is out by then, and stores nothing.
    const Report& back = r.verdict("position-regression")->report;
    if (back.verdict == Verdict::violated && !summarise_faults(*r.world, model->decl()).network_faults) {
      for (const Finding& f : back.worst) ASSERT_NE(f.sentence.find(" was assigned it from "), f.sentence.npos) << "seed " << seed << ": " << f.sentence;
    }
    for (const auto& [partition, members] : owners(*r.world)) ASSERT_EQ(members, 1) << "seed " << seed << ": partition " << partition << " at rest";
    const Journal& j = r.world->journal;
    std::map<std::string, int> marks;
    for (const Mark& m : j.marks) ++marks[j.names.text(m.name)];
    rebalances += marks["generation_began"] > 1 || marks["group_epoch_bumped"] > 1;
    moves += marks["coordinator_loaded"] > 1;
    put_out += marks["member_put_out"] + marks["member_fenced"] + marks["member_expired"] > 0;
    forward += r.verdict("position-regression") && r.verdict("position-regression")->claim.claimed;
    for (const Op& op : j.ops) delivered += op.kind == OpKind::deliver;
    again += r.verdict("duplicate-delivery") && r.verdict("duplicate-delivery")->report.verdict == Verdict::violated;
  }
  // Else nothing was tested.
  EXPECT_GT(rebalances, budget() / 2);
  EXPECT_GT(moves, budget() / 10);
  EXPECT_GT(put_out, budget() / 10);
  EXPECT_GT(forward, budget() / 20);
  EXPECT_GT(again, budget() / 10) << "at least once: some stories must show it";
  EXPECT_GT(delivered, budget() * 50);
  EXPECT_LE(starved, budget() / 1000);
}

TEST(GroupSchedules, EveryPromiseHoldsInTheClassicProtocol) { every_promise_holds({}); }
TEST(GroupSchedules, EveryPromiseHoldsWhereTheCoordinatorAssigns) { every_promise_holds({{"group_protocol", Value{std::string("consumer")}}}); }

}  // namespace
}  // namespace mqlab::kafka
