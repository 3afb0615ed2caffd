// Ways to look for a failure: each finds a seeded bug, and none finds one where there is none.
#include "sim/hunt/search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "cli/face.h"
#include "sim/hunt/exhaustive.h"
#include "sim/hunt/priorities.h"
#include "sim/lab/one_run.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"
#include "tests/script/toy_model.h"

namespace mqlab {
namespace {

// The toy's broker with a switch: it answers a produce at once, and what it answered is safe 3 ms later. With the rule right it
// is safe before the answer.
struct Forgetful : NodeBase<Forgetful> {
  toy::Broker broker;
  std::map<std::uint32_t, std::size_t> safe;
  bool forgetful = true;

  void on_start(Context& c) override { broker.on_start(c); }
  void on_message(Context& c, const Message& m) override {
    broker.on_message(c, m);
    if (m.kind != toy::produce) return;
    if (forgetful) c.set_timer(3'000'000, 1);
    else written();
  }
  void on_timer(Context&, TimerKind, std::uint64_t) override { written(); }
  void on_crash(const Crash&) override {
    for (auto& [place, log] : broker.logs) log.resize(safe[place]);
  }
  void written() {
    for (const auto& [place, log] : broker.logs) safe[place] = log.size();
  }
  Tree state() const override {
    Tree t{"broker"};
    for (const auto& [place, log] : broker.logs) t.add(fmt::format("log {}", place), fmt::format("{} records, {} safe", log.size(), safe.count(place) ? safe.at(place) : 0));
    return t;
  }
};

class ForgetfulModel : public toy::ToyModel {
 public:
  explicit ForgetfulModel(bool forgetful) : forgetful_(forgetful) {}
  void deploy(World& w, const Deployment& d) const override {
    for (const auto& [kind, name] : {std::pair{toy::produce, "Produce"}, {toy::produced, "Produced"}, {toy::fetch, "Fetch"}, {toy::fetched, "Fetched"}})
      w.declare_message({kind, name, Traffic::client, nullptr});
    auto broker = std::make_unique<Forgetful>();
    broker->forgetful = forgetful_;
    NodeOptions o;
    o.name = "B1";
    o.role = "broker";
    w.add_node(std::move(broker), o);
    for (const ClientSpec& c : d.clients) {
      std::unique_ptr<App> app;
      if (c.role == "producer") app = std::make_unique<ProducerLoad>(c.options);
      else app = std::make_unique<ConsumerLoop>(c.options);
      NodeOptions n;
      n.name = c.name;
      n.role = c.role;
      w.add_node(std::make_unique<toy::Client>(std::move(app)), n);
    }
  }

 private:
  bool forgetful_;
};

constexpr Duration ms = 1'000'000;

const Models& toys() {
  static const Models m = toy::models();
  return m;
}

// A producer that tries once; and a consumer, who polls all the time.
Scenario toy_base(int records = 5, bool consumer = false, int milliseconds = 400) {
  return load_scenario(fmt::format(R"(return scenario {{
    cluster = toy {{}}, topics = {{ t = {{}} }},
    clients = {{ producer "P" {{ topic = "t", records = {}, every = ms(40), start_at = ms(20) }}, {} }},
    run_for = ms({}),
  }})", records, consumer ? R"(consumer "K" { topics = { "t" } })" : "", milliseconds), "toy.lua", toys());
}

struct Hunted {
  std::set<std::string> anomalies;
  std::uint64_t units = 0, runs = 0, schedules = 0, events = 0, unconfirmed = 0;
  std::vector<Found> found;
};

// Units one after the other, until one finds something or there are no more.
Hunted hunt(const Search& search, std::uint64_t units, bool all = false) {
  Hunted h;
  if (search.total()) units = std::min(units, *search.total());
  for (std::uint64_t seed = 0; seed < units && (all || h.found.empty()); ++seed) {
    UnitResult u = search.unit(seed);
    ++h.units;
    h.runs += u.runs;
    h.schedules += u.schedules;
    h.events += u.events;
    h.unconfirmed += u.unconfirmed;
    for (Found& f : u.found) {
      h.anomalies.insert(f.anomaly);
      h.found.push_back(std::move(f));
    }
  }
  return h;
}

class EachSearch : public testing::TestWithParam<std::pair<const char*, std::uint64_t>> {};

TEST_P(EachSearch, FindsWhatIsLostWhereTheAnswerComesTooEarly) {
  const ForgetfulModel model(true);
  const PlanGenerator plans(toy_base(), model, {});
  const auto [name, units] = GetParam();
  const Hunted h = hunt(*make_search(name, plans, model, parse_property("lost-message")), units);
  ASSERT_FALSE(h.found.empty()) << "in " << h.runs << " runs";
  EXPECT_EQ(h.found[0].anomaly, "lost-message");
  // The plan is the whole story: written down, read back and run it shows the same.
  const Scenario again = load_scenario(print_scenario(h.found[0].plan, model), "again.lua", toys());
  const RunResult r = run_scenario(again, model, nullptr, {.seed = again.seed.value()});
  ASSERT_TRUE(r.verdict("lost-message"));
  EXPECT_EQ(r.verdict("lost-message")->report.verdict, Verdict::violated);
  EXPECT_EQ(r.fingerprint, h.found[0].run->fingerprint);
}

TEST_P(EachSearch, FindsNothingWhereTheRuleIsRight) {
  const ForgetfulModel model(false);
  const PlanGenerator plans(toy_base(), model, {});
  const auto [name, units] = GetParam();
  const Hunted h = hunt(*make_search(name, plans, model, parse_property("lost-message")), std::min<std::uint64_t>(units, 100));
  EXPECT_TRUE(h.found.empty()) << h.found[0].sentence;
  EXPECT_GE(h.runs, std::min<std::uint64_t>(units, 100));
}

// A unit is a function of its seed: not of the thread, of those beside it, or of those before it.
TEST_P(EachSearch, SaysTheSameFromFourThreadsAsFromOne) {
  const ForgetfulModel model(true);
  const PlanGenerator plans(toy_base(), model, {});
  const auto search = make_search(GetParam().first, plans, model, parse_property("lost-message"), {.faults_max = 1});
  constexpr std::uint64_t units = 24;
  std::vector<UnitResult> together(units);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t seed = units; seed-- > 0;)
        if (seed % 4 == t) together[seed] = search->unit(seed);
    });
  for (std::thread& t : threads) t.join();
  for (std::uint64_t seed = 0; seed < units; ++seed) {
    const UnitResult alone = search->unit(seed);
    EXPECT_EQ(alone.fingerprint, together[seed].fingerprint) << seed;
    EXPECT_EQ(alone.runs, together[seed].runs);
    EXPECT_EQ(alone.events, together[seed].events);
    EXPECT_EQ(alone.goals, together[seed].goals);
    ASSERT_EQ(alone.found.size(), together[seed].found.size());
    for (std::size_t i = 0; i < alone.found.size(); ++i) EXPECT_EQ(print_scenario(alone.found[i].plan, model), print_scenario(together[seed].found[i].plan, model));
  }
}

// So many units are enough: a few times what it takes.
INSTANTIATE_TEST_SUITE_P(Searches, EachSearch,
                         testing::Values(std::pair{"random", 400}, std::pair{"pct", 400}, std::pair{"coverage", 40}, std::pair{"exhaustive", 400}, std::pair{"mix", 400}),
                         [](const auto& p) { return std::string(p.param.first); });

// Who asks may have reasons to count a breach for none; the unit goes on, and its runs stay the same.
TEST_P(EachSearch, KeepsOnlyWhatCounts) {
  const ForgetfulModel model(true);
  const PlanGenerator plans(toy_base(), model, {});
  std::atomic<std::uint64_t> asked = 0;
  SearchOptions picky{.faults_max = 1};
  picky.counts = [&](const Scenario& plan, const std::string& anomaly) {
    ++asked;
    EXPECT_EQ(anomaly, "lost-message");
    return plan.faults.size() > 100;
  };
  const auto [name, units] = GetParam();
  const Hunted all = hunt(*make_search(name, plans, model, parse_property("lost-message"), {.faults_max = 1}), units, true);
  const Hunted none = hunt(*make_search(name, plans, model, parse_property("lost-message"), picky), units, true);
  EXPECT_FALSE(all.found.empty());
  EXPECT_TRUE(none.found.empty());
  EXPECT_GE(asked, all.found.size());
  EXPECT_EQ(all.unconfirmed, none.unconfirmed);
}

TEST(Search, AWrongNameGetsTheNearestRightOne) {
  const toy::ToyModel model;
  const PlanGenerator plans(toy_base(), model, {});
  try {
    make_search("covrage", plans, model, parse_property("lost-message"));
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(e.message.find("coverage"), std::string::npos) << e.message;
  }
  EXPECT_THROW(make_search("pct", plans, model, parse_property("lost-message"), {.depth = 0}), InputError);
}

// ---------------------------------------------------------------------------------------------
// Priorities.

TEST(Priorities, AScheduleHasAtMostDepthMinusOneChangePoints) {
  const toy::ToyModel model;
  PlanSpace space;
  space.budget = FaultBudget::none;
  const PlanGenerator plans(toy_base(), model, space);
  RunOptions full;
  full.trace = TraceLevel::full;
  const RunResult calm = run_scenario(plans.base(), model, nullptr, full);
  for (const int depth : {1, 2, 3, 5}) {
    const PrioritySchedules schedules(plans, calm, depth);
    ASSERT_EQ(schedules.steps(), 10U);  // five records and their answers
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      int changes = 0, priorities = 0;
      for (const PlannedFault& f : schedules.draw(seed).faults) {
        ASSERT_EQ(f.fault.kind, FaultKind::latency);
        ++(f.trigger.on == Trigger::On::message_delivered ? changes : priorities);
      }
      EXPECT_LE(changes, depth - 1);
      EXPECT_EQ(priorities, 1);  // two nodes, of which the first waits for nobody
    }
  }
}

// A smaller cluster has fewer servers to be slower than others.
TEST(Priorities, ASmallerClusterLacksWhomItDoesNotHave) {
  const Model* kafka = cli::all_models().find("kafka");
  PlanSpace space;
  space.options = {{"brokers", {std::int64_t{5}, std::int64_t{3}}, 0}};
  const Scenario base = load_scenario(R"(return scenario {
    cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
    topics = { orders = { partitions = 1, replicas = 3 } },
    clients = { producer "P1" { topic = "orders", records = 5, every = ms(200), start_at = seconds(5) } },
    run_for = seconds(10),
  })", "sizes.lua", cli::all_models());
  const PlanGenerator plans(base, *kafka, space);
  const auto search = make_search("pct", plans, *kafka, parse_property("lost-message"));
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    EXPECT_NO_THROW((void)search->unit(seed)) << seed;
    sizes.insert(plans.ground(seed).servers.size());
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{4, 6}));
}

const char* const impatient = R"(return scenario {
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = { producer "P1" { topic = "orders", records = 10, every = ms(200), start_at = seconds(5), request_timeout = ms(800), idempotence = IDEMPOTENCE } },
  run_for = seconds(15),
})";

Hunted hunt_impatient(const char* search, const std::string& idempotence, std::uint64_t units) {
  std::string text = impatient;
  text.replace(text.find("IDEMPOTENCE"), 11, idempotence);
  const Scenario base = load_scenario(text, "impatient.lua", cli::all_models());
  const Model* kafka = cli::all_models().find("kafka");
  PlanSpace space;
  space.budget = FaultBudget::none;
  const PlanGenerator plans(base, *kafka, space);
  return hunt(*make_search(search, plans, *kafka, parse_property("duplicate")), units);
}

TEST(Priorities, FindWhatTakesNoFaultButAnOrderAndRandomDoesNot) {
  EXPECT_TRUE(hunt_impatient("random", "false", 60).found.empty());
  EXPECT_FALSE(hunt_impatient("pct", "false", 60).found.empty());
  EXPECT_TRUE(hunt_impatient("pct", "true", 60).found.empty());
}

// Found by a priority schedule: nobody leads anything yet when the drain asks whether all have come to rest.
TEST(Priorities, AClusterThatHeardOfNothingYetIsNotAtRest) {
  const Scenario s = load_scenario(R"(return scenario {
    cluster = kafka { brokers = 3, controllers = 1 }, topics = { t = { partitions = 1 } },
    clients = { consumer "K" { topics = { "t" }, isolation = "read_committed" } },
    faults = { at(ms(0), isolate "C1" { duration = seconds(5) }) },
    run_for = seconds(2),
  })", "late.lua", cli::all_models());
  EXPECT_TRUE(run_scenario(s, *cli::all_models().find("kafka"), nullptr, {.seed = 1}).drained);
}

// ---------------------------------------------------------------------------------------------
// All schedules.

Hunted all_schedules(bool forgetful, int records, bool consumer, std::vector<std::string> kinds, std::uint64_t faults_max, bool merge, const std::string& property = "lost-message") {
  const ForgetfulModel model(forgetful);
  PlanSpace space;
  space.kinds = std::move(kinds);
  space.from = 0;
  space.until = (consumer ? 80 : 200) * ms;
  const PlanGenerator plans(toy_base(records, consumer, consumer ? 80 : 200), model, space);
  const auto search = make_search("exhaustive", plans, model, parse_property(property), {.faults_max = faults_max, .merge = merge});
  return hunt(*search, search->total().value(), true);
}

TEST(Exhaustive, CountsWhatCanBeCountedByHand) {
  // One record: Produce and its answer, each delivered once, and both touch the broker.
  EXPECT_EQ(all_schedules(true, 1, false, {"kill"}, 0, true).schedules, 1U);  // nothing goes wrong
  EXPECT_EQ(all_schedules(true, 1, false, {"kill"}, 1, true).schedules, 1U + 2 * 2);  // just before, just after each
  EXPECT_EQ(all_schedules(true, 1, false, {"kill", "isolate"}, 1, true).schedules, 1U + 2 * 2 * 2);
  EXPECT_EQ(all_schedules(true, 1, false, {"drop", "delay", "duplicate"}, 1, true).schedules, 1U + 2 * 3);
  // None; the first; the second; both.
  EXPECT_EQ(all_schedules(true, 1, false, {"delay"}, 2, true).schedules, 4U);
  // What is dropped brings no answer that could be dropped.
  EXPECT_EQ(all_schedules(true, 1, false, {"drop"}, 2, true).schedules, 3U);
}

TEST(Exhaustive, SaysWhenTheSpaceIsExhausted) {
  const ForgetfulModel model(false);
  const PlanGenerator plans(toy_base(1, false), model, {});
  const auto search = make_search("exhaustive", plans, model, parse_property("lost-message"), {.faults_max = 1});
  ASSERT_TRUE(search->total());
  EXPECT_EQ(search->all_done(1'234), "all 1,234 schedules of up to 1 fault");
  EXPECT_EQ(search->unit(*search->total()).runs, 0U);  // beyond the last one there is nothing
}

TEST(Exhaustive, AFaultThatIsNotOnTheListIsNamed) { EXPECT_THROW(all_schedules(true, 1, false, {"kil"}, 1, true), InputError); }

TEST(Exhaustive, StatesThatWereSeenAreNotRunOnFromAgain) {
  const Hunted merged = all_schedules(true, 2, true, {"kill"}, 2, true);
  const Hunted each = all_schedules(true, 2, true, {"kill"}, 2, false);
  EXPECT_EQ(merged.schedules, each.schedules);
  EXPECT_LT(merged.events * 4, each.events * 3);
  EXPECT_EQ(merged.unconfirmed, 0U);
}

const char* const three_brokers = R"(return scenario {
  cluster = kafka { brokers = 3, controllers = 1, dedup_replicated = false },
  topics = { orders = { partitions = 1, replicas = 3, min_insync = 2 } },
  clients = { producer "P1" { topic = "orders", records = 10, every = ms(200), start_at = seconds(5) } },
  run_for = seconds(15),
})";

TEST(Exhaustive, OneMachineAtATimeIsWellBeforeTheNext) {
  const Scenario base = load_scenario(three_brokers, "three.lua", cli::all_models());
  const Model* kafka = cli::all_models().find("kafka");
  RunOptions full;
  full.trace = TraceLevel::full;
  const RunResult calm = run_scenario(base, *kafka, nullptr, full);
  for (const FaultBudget budget : {FaultBudget::one_machine, FaultBudget::anything}) {
    PlanSpace space;
    space.budget = budget;
    space.from = 0;
    space.until = base.run_for;
    const PlanGenerator plans(base, *kafka, space);
    const FaultChoices choices(plans, calm);
    const std::vector<FaultChoice> all = choices.in(calm, {});
    const auto killed = std::find_if(all.begin(), all.end(), [](const FaultChoice& c) { return c.server != nobody && c.at > 5'000 * ms; });
    ASSERT_NE(killed, all.end());
    std::size_t others = 0, early = 0;
    for (const FaultChoice& c : choices.in(calm, {*killed})) {
      if (c.server == nobody || c.server == killed->server) continue;
      ++others;
      early += c.at < killed->at + choices.trouble() * 3 / 2 ? 1 : 0;
    }
    EXPECT_GT(others, 0U);
    EXPECT_EQ(early > 0, budget == FaultBudget::anything);
  }
}

// The faults of two plans, one after the other, keep what each keeps by itself.
TEST(Coverage, AForkIsOneMachineAtATimeToo) {
  const Scenario base = load_scenario(three_brokers, "three.lua", cli::all_models());
  const Model* kafka = cli::all_models().find("kafka");
  const PlanGenerator plans(base, *kafka, {});
  const auto search = make_search("coverage", plans, *kafka, parse_property("duplicate, lost-message, unavailable"));
  const Hunted h = hunt(*search, 30, true);
  EXPECT_EQ(h.unconfirmed, 0U);
  ASSERT_GT(h.found.size(), 3U);
  for (const Found& f : h.found) {
    const World& w = *f.run->world;
    // What was done to servers, as it came: from, to, whom.
    std::vector<std::tuple<Time, Time, std::vector<NodeId>>> harmed;
    for (const ArmedFault& a : w.faults())
      if (a.fired > 0 && a.fault.duration > 0 && a.nodes.size() == 1 && !a.nodes[0].empty() && w.node_options(a.nodes[0].at(0)).role == "broker" && a.fired_at < f.run->workload_ended)
        harmed.push_back({a.fired_at, a.fired_at + a.fault.duration, a.nodes[0]});
    for (const auto& [from, to, whom] : harmed)
      for (const auto& [from2, to2, whom2] : harmed)
        EXPECT_TRUE(whom == whom2 || to < from2 || to2 < from) << print_scenario(f.plan, *kafka);
  }
}

// An alarm that was raised before the fork is taken back after it, so that all comes to rest.
TEST(Coverage, AForkLetsEndWhatHadBegun) {
  const std::string file = std::string(MQLAB_SOURCE_DIR) + "/scenarios/hunt/queue.lua";
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const Model* rabbitmq = cli::all_models().find("rabbitmq");
  const PlanGenerator plans(load_scenario(text, file, cli::all_models()), *rabbitmq, {});
  const auto search = make_search("coverage", plans, *rabbitmq, parse_property("settles"));
  const Hunted h = hunt(*search, 15, true);
  for (const Found& f : h.found) ADD_FAILURE() << print_scenario(f.plan, *rabbitmq);
}

RC_GTEST_PROP(ExhaustiveProperty, MergingLosesNoFinding, ()) {
  const bool forgetful = *rc::gen::arbitrary<bool>();
  const bool consumer = *rc::gen::inRange(0, 40) == 0;  // her polls are many decision points
  const int records = *rc::gen::inRange(1, consumer ? 2 : 4);
  std::vector<std::string> kinds{*rc::gen::element<std::string>("kill", "power", "isolate")};
  if (*rc::gen::arbitrary<bool>()) kinds.push_back(*rc::gen::element<std::string>("drop", "delay", "duplicate"));
  const std::string property = "lost-message, unseen, duplicate-delivery, poll-skip, nonmonotonic-poll";
  const Hunted merged = all_schedules(forgetful, records, consumer, kinds, 2, true, property);
  const Hunted each = all_schedules(forgetful, records, consumer, kinds, 2, false, property);
  RC_ASSERT(merged.anomalies == each.anomalies);
  RC_ASSERT(merged.schedules == each.schedules);
  RC_ASSERT(merged.found.size() == each.found.size());
  RC_ASSERT(merged.unconfirmed == 0U);
  RC_ASSERT(each.unconfirmed == 0U);
}

}  // namespace
}  // namespace mqlab
