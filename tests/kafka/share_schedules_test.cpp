// What a share group promises, under random stories: members that come, go, die, and are slow; leaders and share
// coordinators that move. No record is left out, unless it failed too often, which the limit here is too high for; and
// where nothing was handed out a second time, nothing comes twice. (It may come again after it was accepted: from a
// member's buffer in which its lock ran out, or from a leader that does not know yet that it is one no more.)
//
// Three hundred here; MQLAB_SCHEDULES=10000 runs more.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "models/kafka/broker.h"
#include "models/kafka/client.h"
#include "models/kafka/kafka.h"
#include "tests/kafka/group_schedule.h"

namespace mqlab::kafka {
namespace {

using namespace mqlab::literals;

std::uint64_t budget() {
  const char* wanted = std::getenv("MQLAB_SCHEDULES");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 300;
}

// A member that does not know what the coordinator has given it: a heartbeat that its sender had given up was held in the
// network, overtaken by the next one, and brought the assignment in an answer that nobody waited for. Nothing tells the
// member again, here as in the product, before the assignment changes once more.
bool one_was_never_told(const World& w) {
  std::map<std::string, std::set<PartitionId>> given, known;
  for (NodeId n = 0; n < w.node_count(); ++n) {
    const std::string& role = w.node_options(n).role;
    if (role == "consumer" && !w.node_as<Client>(n).group().empty())
      for (const Assigned& a : w.node_as<Client>(n).assigned()) known[w.node_as<Client>(n).membership().member].insert(a.partition);
    if (role != "broker" || !w.running(n)) continue;
    const Broker& b = w.node_as<Broker>(n);
    for (PartitionId p = 0; p < b.cluster()->partitions.size(); ++p)
      if (const GroupCoordinator* c = b.coordinator(p))
        for (const auto& [name, group] : c->modern())
          for (const auto& [id, member] : group.members)
            for (const auto& [partition, since] : member.assigned) given[id].insert(partition);
  }
  return given != known;
}

struct Seen {
  std::uint64_t delivered = 0, again = 0, accepted = 0, refused = 0, expired = 0, loaded = 0, quiet = 0, with_two = 0, never_told = 0;
};

Seen run_all(std::vector<Setting> settings, std::uint64_t from, std::uint64_t to) {
  const auto model = make_model();
  settings.insert(settings.end(), {{"group_protocol", Value{std::string("share")}}, {"share_auto_offset_reset", Value{std::string("earliest")}},
                                   {"share_delivery_limit", Value{std::int64_t{100}}}});
  Seen seen;
  for (std::uint64_t seed = from; seed <= to; ++seed) {
    Scenario s = group_schedule(*model, seed, settings);
    // Faults of positions and of __consumer_offsets are of little use here: they strike the state of the share group.
    for (PlannedFault& f : s.faults) {
      for (auto& group : f.fault.groups)
        for (Target& t : group)
          if (t == "leader __consumer_offsets/0") t = seed % 2 ? "leader __share_group_state/0" : "leader orders/0";
      if (f.fault.argument.rfind("__consumer_offsets/0", 0) == 0) f.fault.argument.replace(0, 20, seed % 2 ? "__share_group_state/0" : "orders/0");
      static const char* const messages[] = {"ShareFetch", "ShareFetchReply", "ShareAcknowledge", "ShareAcknowledgeReply", "WriteShareGroupState", "WriteShareGroupStateReply"};
      if (!f.fault.message.empty()) f.fault.message = messages[(seed + f.fault.nth) % 6];
    }
    const RunResult r = run_scenario(s, *model, nullptr, {.seed = seed, .trace = TraceLevel::spans});
    if (!r.drained && one_was_never_told(*r.world)) {
      ++seen.never_told;
      continue;
    }
    EXPECT_TRUE(r.drained) << "seed " << seed << ": " << r.not_drained_because;
    for (const char* name : {"lost-message", "phantom", "inconsistent-offsets"}) {
      const VerdictRow* v = r.verdict(name);
      EXPECT_TRUE(v && v->report.verdict != Verdict::violated) << "seed " << seed << ": " << v->report.worst[0].sentence;
    }
    const VerdictRow* owners = r.verdict("double-ownership");
    EXPECT_TRUE(owners && owners->report.verdict != Verdict::violated) << "seed " << seed << ": nobody owns anything here";
    const Journal& j = r.world->journal;
    std::map<NodeId, int> readers;
    std::uint64_t redelivered = 0;
    for (const Op& op : j.ops) {
      if (op.kind == OpKind::deliver) ++readers[op.process], ++seen.delivered, redelivered += op.attempt > 1;
      if (op.kind == OpKind::ack) seen.accepted += op.outcome == Outcome::ok, seen.refused += op.outcome == Outcome::fail;
    }
    seen.again += redelivered;
    seen.with_two += readers.size() > 1;
    std::uint64_t loads = 0;
    const auto partitions = static_cast<std::uint64_t>(s.deployment.topics[0].options.integer("partitions"));
    for (const Mark& m : j.marks) {
      seen.expired += j.names.text(m.name) == "record_lock_expired";
      loads += j.names.text(m.name) == "share_partition_loaded";
    }
    seen.loaded += loads > partitions;
    if (redelivered == 0 && loads <= partitions) {
      ++seen.quiet;
      EXPECT_TRUE(r.verdict("duplicate-delivery")->report.verdict != Verdict::violated) << "seed " << seed;
    }
    if (::testing::Test::HasFailure()) break;
  }
  return seen;
}

void is_worth_its_time(const Seen& seen, std::uint64_t stories) {
  EXPECT_GT(seen.delivered, stories * 50);
  EXPECT_GT(seen.again, stories / 2);
  EXPECT_GT(seen.accepted, stories * 30);
  EXPECT_GT(seen.refused, stories / 10);
  EXPECT_GT(seen.expired, stories / 10);
  EXPECT_GT(seen.loaded, stories / 10);
  EXPECT_GT(seen.with_two, stories / 3);
  EXPECT_GT(seen.quiet, stories / 20);
  EXPECT_LE(seen.never_told, stories / 200);
}

TEST(ShareSchedules, WhatIsAcceptedIsDoneAndNothingIsLeftOut) {
  is_worth_its_time(run_all({{"share_record_lock", Value{15_s}}}, 1, budget()), budget());
}

TEST(ShareSchedules, TheSameWithShortLocksAndASmallWindow) {
  is_worth_its_time(run_all({{"share_record_lock", Value{2500_ms}}, {"share_record_locks", Value{std::int64_t{20}}}}, 1'000'001, 1'000'000 + budget()), budget());
}

}  // namespace
}  // namespace mqlab::kafka
