// A run under way can be cut into pieces and forked, and nobody can tell from what it says.
#include "sim/lab/live_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "cli/face.h"
#include "sim/check/others.h"
#include "sim/lab/one_run.h"
#include "sim/lab/verdict_words.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

constexpr Duration ms = 1'000'000;

Scenario load(const std::string& name) {
  const std::string path = std::string(MQLAB_SOURCE_DIR) + "/scenarios/search/" + name;
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return load_scenario(text.str(), path, cli::all_models());
}

// One run: no choice left. transactions.lua has programs in Lua, quorum.lua has none.
struct One {
  Scenario plan;
  const Model* model;
  One(const std::string& file, std::uint64_t seed) {
    const Scenario s = load(file);
    model = cli::all_models().find(s.model);
    plan = one_run(s, *model, &s.cases[0], {.seed = seed});
  }
  RunResult run() const { return run_scenario(plan, *model, nullptr, {.seed = *plan.seed}); }
};

void same(const RunResult& a, const RunResult& b) {
  RC_ASSERT(a.fingerprint == b.fingerprint);
  RC_ASSERT(a.events == b.events);
  RC_ASSERT(a.as_expected == b.as_expected);
  RC_ASSERT(a.verdicts.size() == b.verdicts.size());
  for (std::size_t i = 0; i < a.verdicts.size(); ++i) RC_ASSERT(a.verdicts[i].report == b.verdicts[i].report);
}

void forks_like_the_whole(const std::string& file, int tries) {
  for (int i = 0; i < tries; ++i) {
    const One one(file, *rc::gen::inRange<std::uint64_t>(1, 50));
    const RunResult whole = one.run();
    LiveRun run(one.plan, *one.model, nullptr, {.seed = *one.plan.seed});
    Time t = 0;
    for (int cuts = *rc::gen::inRange(0, 4); cuts > 0; --cuts) run.run_to(t += *rc::gen::inRange<Duration>(1, 3000) * ms);
    LiveRun fork(run);
    same(run.finish(), whole);
    same(fork.finish(), whole);
  }
}

// By events instead of by times, through the load and the drain; a copy without the record goes the same way.
void pieces_like_the_whole(const std::string& file) {
  const One one(file, *rc::gen::inRange<std::uint64_t>(1, 50));
  const RunResult whole = one.run();
  LiveRun run(one.plan, *one.model, nullptr, {.seed = *one.plan.seed, .trace = TraceLevel::full});
  std::uint64_t events = 0;
  for (int cuts = *rc::gen::inRange(0, 5); cuts > 0; --cuts) {
    events += *rc::gen::inRange<std::uint64_t>(1, whole.events / 2);
    const bool more = run.run_events(events);
    RC_ASSERT(run.world().steps() == std::min(events, whole.events));
    RC_ASSERT(more || events >= whole.events);
    const std::size_t seen = run.world().journal.deliveries.size();
    LiveRun bare = run.without_record();
    RC_ASSERT(run.world().journal.deliveries.size() == seen);
    RC_ASSERT(bare.world().journal.deliveries.empty());
    bare.run_events(~std::uint64_t{0});
    RC_ASSERT(bare.world().fingerprint() == whole.fingerprint);
    RC_ASSERT(bare.world().steps() == whole.events);
  }
  same(run.finish(), whole);
}

RC_GTEST_PROP(LiveRunProperty, RunByEventsItSaysWhatTheWholeRunSays, ()) { pieces_like_the_whole("quorum.lua"); }

RC_GTEST_PROP(LiveRunProperty, RunByEventsWithProgramsToo, ()) { pieces_like_the_whole("transactions.lua"); }

RC_GTEST_PROP(LiveRunProperty, CutAndForkedItSaysWhatTheWholeRunSays, ()) { forks_like_the_whole("quorum.lua", 1); }

RC_GTEST_PROP(LiveRunProperty, AndWhereProgramsAreCoroutinesTheForkRebuildsThem, ()) { forks_like_the_whole("transactions.lua", 1); }

// What makes a search by forks honest: the plan with the fault in it, from its beginning, is the fork.
RC_GTEST_PROP(LiveRunProperty, AFaultArmedInAForkIsTheSameFaultInThePlan, ()) {
  One one("quorum.lua", *rc::gen::inRange<std::uint64_t>(1, 50));
  LiveRun run(one.plan, *one.model, nullptr, {.seed = *one.plan.seed});
  const Time t = *rc::gen::inRange<Duration>(1, 9000) * ms;
  run.run_to(t);
  LiveRun fork(run);
  PlannedFault f;
  f.fault.kind = *rc::gen::element(FaultKind::kill, FaultKind::pause, FaultKind::isolate);
  f.fault.groups = {{*rc::gen::element<std::string>("B1", "B2", "B3")}};
  f.fault.duration = 1500 * ms;
  f.trigger.after = t + *rc::gen::inRange<Duration>(1, 1000) * ms + 1;
  fork.world().arm(f.fault, f.trigger);
  same(run.finish(), one.run());
  one.plan.faults.push_back(f);
  same(fork.finish(), one.run());
}

RunResult run_text(const std::string& text) {
  const Scenario s = load_scenario(text, "here.lua", cli::all_models());
  const Model& model = *cli::all_models().find(s.model);
  return run_scenario(one_run(s, model, nullptr, {}), model, nullptr, {});
}

const Claim& claim_about(const RunResult& r, const std::string& anomaly) {
  for (const VerdictRow& v : r.verdicts)
    if (v.report.anomaly->name == anomaly) return v.claim;
  throw std::logic_error("no verdict about " + anomaly);
}

// Found by a hunt: C stands still when it is asked to end, so it ends with its pause, and that is in the healing. It is started
// again like everybody who is down then; else what was acknowledged would be called lost to it.
TEST(Healing, StartsAgainWhomAPauseKeptFromEnding) {
  const RunResult r = run_text(R"(
    return scenario {
      cluster = kafka { brokers = 1, controllers = 1 },
      topics = { orders = { partitions = 1, replicas = 1 } },
      clients = { producer "P" { topic = "orders", records = 5 }, consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" } },
      faults = { at(0, pause "C"), at(seconds(1), stop "C") },
      run_for = seconds(10),
      expect = { holds "lost-message" },
    })");
  EXPECT_TRUE(r.as_expected);
  const NodeId c = r.world->find("C");
  EXPECT_TRUE(r.world->running(c));
}

FaultSummary facts(const RunResult& r) { return summarise_faults(*r.world, cli::all_models().find("kafka")->decl()); }

// A request may take longer than its sender waits although nothing is broken: it is given up, and arrives after the next one,
// which went over a new connection. Without sequence numbers nobody claims an order then, and with patience it is claimed.
TEST(Claims, NoOrderWithoutSequenceNumbersOnceARequestWasGivenUp) {
  const auto run = [](const char* patience) {
    return run_text(fmt::format(R"(
      return scenario {{
        cluster = kafka {{ brokers = 3, controllers = 1, min_insync = 2 }},
        topics = {{ orders = {{ partitions = 1, replicas = 3 }} }},
        clients = {{ producer "P" {{ topic = "orders", records = 5, acks = "all", idempotence = false, retries = 0, linger = 0, start_at = seconds(5), request_timeout = {0}, delivery_timeout = seconds(10) }} }},
        links = {{ latency = ms(60) }},
        run_for = seconds(20),
      }})", patience));
  };
  const RunResult hasty = run("ms(250)"), patient = run("seconds(5)");
  EXPECT_FALSE(claim_about(hasty, "fifo-violation").claimed);
  EXPECT_EQ(claim_about(hasty, "fifo-violation").reason, "without sequence numbers a request that was given up may arrive after the next");
  EXPECT_TRUE(claim_about(patient, "fifo-violation").claimed);
  // It is no fault of the network, which would take back claims that have nothing to do with it.
  EXPECT_EQ(facts(hasty).unsure, std::vector<std::string>{"P"});
  EXPECT_FALSE(facts(hasty).network_faults);
  EXPECT_EQ(facts(patient).unsure, std::vector<std::string>{});
}

// One that may write twice and out of order does not take the promise from the one beside it.
TEST(Claims, LeaveOutWhoHasNoSequenceNumbersAndKeepTheOthers) {
  const RunResult r = run_text(R"(
    return scenario {
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      topics = { orders = { partitions = 1, replicas = 3 } },
      clients = {
        producer "SURE" { topic = "orders", records = 20, linger = 0, start_at = seconds(5), request_timeout = ms(250), every = ms(50) },
        producer "HASTY" { topic = "orders", records = 20, linger = 0, start_at = seconds(5), request_timeout = ms(250), every = ms(50), idempotence = false, max_in_flight = 1 },
        consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
      },
      links = { latency = ms(60) },
      run_for = seconds(30),
    })");
  EXPECT_EQ(facts(r).unsure, (std::vector<std::string>{"HASTY", "SURE"}));
  EXPECT_EQ(r.verdict("duplicate")->report.verdict, Verdict::violated);
  EXPECT_FALSE(claim_about(r, "duplicate").claimed) << "only HASTY's are seen twice";
  EXPECT_EQ(claim_about(r, "duplicate").reason, "without idempotence a retry may be written twice") << "as if it had been alone";
  EXPECT_FALSE(broken_by_others(r.world->journal, "duplicate", {"HASTY"}));
  EXPECT_TRUE(broken_by_others(r.world->journal, "duplicate", {"SURE"}));
  // What is not seen stays promised of the other one.
  EXPECT_EQ(r.verdict("nonmonotonic-send")->report.verdict, Verdict::holds);
  EXPECT_TRUE(claim_about(r, "nonmonotonic-send").claimed);
  EXPECT_EQ(claim_text(claim_about(r, "nonmonotonic-send")), "sequence numbers or one request at a time keep order (not of what HASTY sent)");
}

// A reader that could send as well sends nothing: there is nobody left of whom it is promised.
TEST(Claims, ThatLeaveOutAllWhoSentAreNone) {
  const RunResult r = run_text(R"(
    return scenario {
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      topics = { orders = { partitions = 1, replicas = 3 } },
      clients = {
        producer "P" { topic = "orders", records = 5, idempotence = false, start_at = seconds(5) },
        client "LOOKS" { program = function(c) c:sleep(seconds(8)) c:end_offset("orders/0") end },
      },
      run_for = seconds(20),
    })");
  EXPECT_EQ(r.verdict("duplicate")->report.verdict, Verdict::holds);
  EXPECT_FALSE(claim_about(r, "duplicate").claimed);
  EXPECT_EQ(claim_about(r, "duplicate").reason, "without idempotence a retry may be written twice");
}

// What only those sent who are left out goes, with its deliveries; the rest is judged as it was.
TEST(Claims, AreHeldToWhoIsNotLeftOut) {
  RunResult r = run_text(R"(
    return scenario {
      cluster = kafka { brokers = 1, controllers = 1 },
      topics = { orders = { partitions = 1, replicas = 1 } },
      clients = { producer "A" { topic = "orders", records = 5, linger = 0 }, producer "B" { topic = "orders", records = 5, linger = 0 }, consumer "C" { topics = { "orders" } } },
      run_for = seconds(10),
    })");
  Journal& j = r.world->journal;
  const NodeId a = r.world->find("A");
  // A's first two exchange their places.
  std::vector<Op*> sent;
  for (Op& o : j.ops)
    if (o.process == a && o.kind == OpKind::send && o.outcome == Outcome::ok) sent.push_back(&o);
  ASSERT_GE(sent.size(), 2u);
  std::swap(sent[0]->position, sent[1]->position);
  EXPECT_TRUE(broken_by_others(j, "nonmonotonic-send", {"B"}));
  EXPECT_TRUE(broken_by_others(j, "nonmonotonic-send", {"nobody"}));
  EXPECT_FALSE(broken_by_others(j, "nonmonotonic-send", {"A"}));
  const Journal without = history_without(j, {"B"});
  const NodeId b = r.world->find("B");
  std::size_t deliveries = 0;
  for (const Op& o : without.ops) {
    EXPECT_FALSE(o.kind == OpKind::send && o.process == b);
    deliveries += o.kind == OpKind::deliver;
    if (o.of == no_op) continue;
    ASSERT_LT(o.of, without.ops.size());
    EXPECT_LE(without.ops[o.of].time, o.time);
    EXPECT_EQ(without.ops[o.of].process, o.process);
  }
  EXPECT_EQ(deliveries, 10u) << "A's five, by C and by the reader that ends the run";
}

}  // namespace
}  // namespace mqlab
