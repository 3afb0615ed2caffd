// The smallest run that shows an anomaly: that it still does, that nothing can be left out, that it is the same anomaly.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "models/kafka/kafka.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/hunt/plan_generator.h"
#include "sim/hunt/shrink.h"
#include "sim/lab/one_run.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"
#include "tests/hunt/few.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = [] {
    Models m;
    m.add(kafka::make_model());
    m.add(rabbitmq::make_model());
    return m;
  }();
  return all;
}

Scenario from_text(const std::string& text) { return load_scenario(text, "test.lua", models()); }

bool shows(const Scenario& s, const std::string& anomaly) {
  const RunResult r = run_scenario(s, *models().find(s.model), nullptr, {.seed = *s.seed});
  const VerdictRow* row = r.verdict(anomaly);
  return row && row->report.verdict == Verdict::violated;
}

// A cut that loses what only the old leader had, among faults and clients that have nothing to do with it.
constexpr const char* noisy = R"(return scenario {
  seed = 3,
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 1 },
  topics = { orders = { partitions = 1, replicas = 3 }, other = { partitions = 3, replicas = 2 } },
  clients = {
    producer "P1" { topic = "orders", records = 200, every = ms(20), acks = 1, linger = ms(3), start_at = seconds(3) },
    producer "P2" { topic = "other", records = 100, every = ms(30), start_at = seconds(3) },
    consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest" },
    consumer "K2" { topics = { "other" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(ms(3217), pause "K2" { duration = seconds(2) }),
    at(ms(3901), partition { { "leader orders/0", "P1" }, { "rest" }, duration = seconds(20) }),
    at(ms(4412), reset_streams { from = "K1" }),
    at(ms(5300), pause "K1" { duration = ms(700) }),
    at(ms(6000), latency { from = "P2", amount = ms(50), duration = seconds(5) }),
  },
  run_for = seconds(60),
})";

TEST(Shrink, LeavesWhatItTakesAndNothingElse) {
  const Scenario one = from_text(noisy);
  ASSERT_TRUE(shows(one, "lost-message"));
  std::uint64_t told = 0;
  ShrinkOptions o;
  o.told = [&](const std::string&, const Scenario&) { ++told; };
  const Shrunk s = shrink(one, *models().find("kafka"), "lost-message", o);
  EXPECT_TRUE(s.shown);
  EXPECT_TRUE(s.minimal);
  EXPECT_GT(told, 5U);
  EXPECT_TRUE(shows(s.scenario, "lost-message"));
  ASSERT_EQ(s.scenario.faults.size(), 1U);
  EXPECT_EQ(s.scenario.faults[0].fault.kind, FaultKind::partition);
  EXPECT_EQ(s.scenario.faults[0].trigger.after % 100'000'000, 0) << "a round time does as well";
  EXPECT_EQ(s.scenario.deployment.topics.size(), 1U);
  EXPECT_LT(size_of(s.scenario).operations, 200);
  // 1-minimal: without the fault, any client, or any given option it is gone, or another thing.
  const Model& model = *models().find("kafka");
  const std::vector<OptionDecl> decls = all_options(model.decl());
  Scenario without = s.scenario;
  without.faults.clear();
  EXPECT_FALSE(shows(without, "lost-message"));
  for (std::size_t i = 0; i < s.scenario.deployment.clients.size() && s.scenario.deployment.clients.size() > 1; ++i) {
    without = s.scenario;
    without.deployment.clients.erase(without.deployment.clients.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(shows(without, "lost-message")) << s.scenario.deployment.clients[i].name;
  }
  // Printed and read back it is the same.
  EXPECT_TRUE(shows(from_text(print_scenario(s.scenario, model)), "lost-message"));
}

// The same steps from the same run: the way there holds no chance of its own.
TEST(Shrink, TwiceIsTheSame) {
  const Model& model = *models().find("kafka");
  const Shrunk a = shrink(from_text(noisy), model, "lost-message");
  const Shrunk b = shrink(from_text(noisy), model, "lost-message");
  EXPECT_EQ(print_scenario(a.scenario, model), print_scenario(b.scenario, model));
  EXPECT_EQ(a.runs, b.runs);
}

// Slow links now and then make a producer send twice; which of its sends it is depends on all that draw delays before. Who is there
// only for that share in chance is not part of the story.
TEST(Shrink, WhoIsThereOnlyForItsShareInChanceGoes) {
  const Scenario one = from_text(R"(return scenario {
    seed = 38,
    cluster = kafka { brokers = 1, controllers = 1 },
    topics = { orders = { replicas = 1 }, other = { replicas = 1 } },
    clients = {
      producer "P1" { topic = "orders", records = 6, every = ms(300), idempotence = false, request_timeout = ms(400), start_at = seconds(3) },
      producer "P2" { topic = "other", records = 50, every = ms(40), start_at = seconds(3) },
      producer "P3" { topic = "other", records = 50, every = ms(30), start_at = seconds(3) },
      consumer "K" { topics = { "other" } },
    },
    links = { latency = ms(2), spread = ms(70), shape = "exponential" },
    run_for = seconds(10),
  })");
  ASSERT_TRUE(shows(one, "duplicate"));
  const Model& model = *models().find("kafka");
  const Shrunk s = shrink(one, model, "duplicate");
  ASSERT_TRUE(s.shown);
  EXPECT_TRUE(s.minimal);
  EXPECT_TRUE(shows(s.scenario, "duplicate"));
  EXPECT_EQ(s.scenario.deployment.clients.size(), 1U);
  EXPECT_EQ(s.scenario.deployment.topics.size(), 1U);
}

// Which of several topics a broker leads depends on how many there are before it. The same happens elsewhere without them.
TEST(Shrink, ATopicThatOnlyDecidesWhoLeadsTheNextOneGoes) {
  const Scenario one = from_text(R"(return scenario {
    seed = 3,
    cluster = kafka { brokers = 3, controllers = 1, min_insync = 1 },
    topics = { first = {}, second = {} },
    clients = { producer "P1" { topic = "second", records = 200, every = ms(20), acks = 1, start_at = seconds(3) } },
    faults = { at(ms(3901), partition { { "B2", "P1" }, { "rest" }, duration = seconds(20) }) },
    run_for = seconds(60),
  })");
  ASSERT_TRUE(shows(one, "lost-message"));
  const Shrunk s = shrink(one, *models().find("kafka"), "lost-message");
  EXPECT_TRUE(shows(s.scenario, "lost-message"));
  EXPECT_EQ(s.scenario.deployment.topics.size(), 1U);
}

// acks=0 loses as well, and is no answer where the claim's reason was another; a broken rule stays where it is.
TEST(Shrink, ARuleThatIsSwitchedStays) {
  std::string text = noisy;
  text.replace(text.find("min_insync = 1"), 14, "min_insync = 1, unclean_election = true, dedup_window = 1");
  const Scenario one = from_text(text);
  const Model& model = *models().find("kafka");
  const std::vector<OptionDecl> decls = all_options(model.decl());
  const Shrunk s = shrink(one, model, "lost-message");
  ASSERT_TRUE(s.shown);
  for (const auto& [name, v] : one.deployment.cluster.values())
    if (const OptionDecl* d = find_option(decls, "cluster", name); d && d->is_switch && one.deployment.cluster.given(name)) {
      EXPECT_TRUE(s.scenario.deployment.cluster.given(name)) << name;
    }
}

// Two ways to lose a message in one plan, and the model says the same about both: P2 asked for one copy. What is seen first is an
// unclean election, and without the fault that comes last in the list it would be the other one.
constexpr const char* two_bugs = R"(return scenario {
  seed = 3,
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 1, unclean_election = true },
  topics = { orders = { partitions = 1, replicas = 3 }, other = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 240, every = ms(500), acks = "all", start_at = seconds(3) },
    producer "P2" { topic = "other", records = 240, every = ms(500), acks = 1, start_at = seconds(3) },
  },
  faults = {
    at(ms(95901), partition { { "leader other/0", "P2" }, { "rest" }, duration = seconds(20) }),
    at(ms(8217), isolate "leader orders/0" { traffic = "replication", duration = seconds(62) }),
    at(ms(50300), kill "leader orders/0" { duration = seconds(20) }),
  },
  run_for = seconds(120),
})";

TEST(Shrink, ASlipToAnotherBugIsRefused) {
  const Scenario one = from_text(two_bugs);
  const Model& model = *models().find("kafka");
  const std::set<std::string> routine = routine_marks(one, model, "lost-message");
  const auto mechanism = [&](const Scenario& s) { return mechanism_of(run_scenario(s, model, nullptr, {.seed = *s.seed}), "lost-message", routine); };
  const Mechanism first = mechanism(one);
  EXPECT_EQ(first.turn, "unclean_election");
  // The slip: one fault less, the same anomaly, the same word of the model on it.
  Scenario slipped = one;
  slipped.faults.pop_back();
  ASSERT_TRUE(shows(slipped, "lost-message"));
  EXPECT_TRUE(first.same_class(mechanism(slipped)));
  EXPECT_FALSE(same_story(first, mechanism(slipped)));

  const Shrunk s = shrink(one, model, "lost-message");
  EXPECT_TRUE(s.minimal);
  EXPECT_EQ(s.mechanism, first);
  ASSERT_EQ(s.scenario.faults.size(), 2U);
  EXPECT_EQ(s.scenario.faults[0].fault.kind, FaultKind::isolate);
  EXPECT_EQ(s.scenario.faults[1].fault.kind, FaultKind::kill);
  EXPECT_GT(run_scenario(s.scenario, model, nullptr, {.seed = 3}).world->mark_count("unclean_election"), 0U);
}

// Whoever shrinks to here can take nothing away: not a fault, a client, a topic, an option.
void expect_minimal(const Scenario& one, const Model& model, const std::string& anomaly) {
  const Shrunk s = shrink(one, model, anomaly);
  RC_ASSERT(s.shown);
  RC_ASSERT(s.minimal);
  const std::set<std::string> routine = routine_marks(one, model, anomaly);
  const auto same = [&](const Scenario& plan) {
    try {
      const RunResult r = run_scenario(plan, model, nullptr, {.seed = *plan.seed});
      return shows(r, anomaly) && same_story(s.mechanism, mechanism_of(r, anomaly, routine));
    } catch (const InputError&) {
      return false;
    }
  };
  RC_ASSERT(same(one));
  RC_ASSERT(same(s.scenario));
  RC_ASSERT(size_of(s.scenario).faults <= size_of(one).faults);
  for (const Element& e : elements(s.scenario, model)) {
    const auto less = without(s.scenario, model, e);
    if (less && same(*less)) RC_FAIL("not minimal: it goes without " + describe(e, s.scenario) + "\n" + print_scenario(s.scenario, model));
  }
  // The faults once more, by hand: without() is what the shrinker itself believes in.
  for (std::size_t i = 0; i < s.scenario.faults.size(); ++i) {
    Scenario less = s.scenario;
    less.faults.erase(less.faults.begin() + static_cast<std::ptrdiff_t>(i));
    RC_ASSERT(!same(less));
  }
  // What the programs of the file are asked to do: that once is too little.
  for (const OptionDecl& d : s.scenario.deployment.knob_decls) {
    if (d.type != OptionType::integer || s.scenario.deployment.knobs.integer(d.name) <= 1) continue;
    Scenario less = s.scenario;
    RC_ASSERT(!less.deployment.knobs.set(less.deployment.knob_decls, d.scope, d.name, std::int64_t{1}));
    RC_ASSERT(!same(less));
  }
  const Scenario again = load_scenario(print_scenario(s.scenario, model), "again.lua", models());
  RC_ASSERT(same(again));
  const auto fingerprint = [&](const Scenario& plan) { return run_scenario(plan, model, nullptr, {.seed = *plan.seed}).fingerprint.text(); };
  RC_ASSERT(fingerprint(again) == fingerprint(s.scenario));
}

// The first plan from some seed on that shows it; a search, as a hunt does.
Scenario drawn_plan(const PlanGenerator& plans, const std::string& anomaly) {
  const auto from = *rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>());
  for (std::uint64_t i = 0; i < 2'000; ++i)
    if (Scenario plan = plans.draw(from + i); shows(plan, anomaly)) return plan;
  RC_FAIL("none of 2,000 plans shows it");
}

TEST(ShrinkProperty, DrawnPlansOfALogAreMinimal) {
  Scenario base = from_text(noisy);
  base.faults.clear();
  const Model& model = *models().find("kafka");
  const PlanGenerator plans(base, model, {.budget = FaultBudget::anything});
  check_few(5, [&] { expect_minimal(drawn_plan(plans, "lost-message"), model, "lost-message"); });
}

TEST(ShrinkProperty, DrawnPlansOfAQueueAreMinimal) {
  const Scenario base = from_text(R"(return scenario {
    cluster = rabbitmq { brokers = 3 },
    topics = { orders = { queue_type = "quorum" } },
    clients = {
      producer "P1" { topic = "orders", records = 60, every = ms(200), start_at = seconds(5), recovery_interval = ms(500) },
      producer "P2" { topic = "orders", records = 60, every = ms(200), start_at = seconds(5), recovery_interval = ms(500) },
      consumer "C1" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(50), recovery_interval = ms(500) },
      consumer "C2" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(70), recovery_interval = ms(500) },
    },
    run_for = seconds(30),
  })");
  const Model& model = *models().find("rabbitmq");
  const PlanGenerator plans(base, model, {});
  check_few(5, [&] { expect_minimal(drawn_plan(plans, "fifo-violation"), model, "fifo-violation"); });
}

// Programs with words that both their scopes know, with knobs, beside a service that nobody needs.
TEST(ShrinkProperty, DrawnPlansOfProgramsAreMinimal) {
  const Scenario base = from_text(R"(
    local function writer(c)
      c:sleep(seconds(3))
      for n = 1, c.options.rounds do
        c:send("orders", c.name .. "-" .. n)
        c:sleep(ms(c.options.pace + c:random(20)))
      end
    end
    return scenario {
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 1 },
      topics = { orders = { partitions = 2, replicas = 3 } },
      services = { outside "mails" {}, database "shop" { tables = { "orders" }, isolation = "read_committed" } },
      knobs = { rounds = 60, pace = 40, unused = 9 },
      clients = {
        client "W1" { program = writer, acks = 1, linger = ms(3), request_timeout = ms(1937), isolation = "read_committed" },
        client "W2" { program = writer, acks = 1, request_timeout = seconds(2), retry_backoff_max = ms(300) },
        client "L" { program = function(c) c:outside("mails"):call("hello", { message = "L-1" }) c:sleep(seconds(1)) end, request_timeout = seconds(1) },
        consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
      },
      run_for = seconds(30),
    })");
  const Model& model = *models().find("kafka");
  const PlanGenerator plans(base, model, {.budget = FaultBudget::anything});
  check_few(2, [&] { expect_minimal(drawn_plan(plans, "lost-message"), model, "lost-message"); });
}

// A program has one table: what it sends by and what it reads by under the same name goes as one.
TEST(PlanElements, AWordOfBothScopesIsOneOption) {
  const Scenario one = from_text(R"(return scenario { seed = 1, cluster = kafka {}, topics = { t = {} },
    clients = { client "X" { program = function(c) end, request_timeout = seconds(2), acks = 1, isolation = "read_committed" }, producer "P" { topic = "t", records = 7 } } })");
  const Model& model = *models().find("kafka");
  std::vector<std::string> of_x;
  for (const Element& e : elements(one, model))
    if (const std::string what = describe(e, one); what.starts_with("X: ")) of_x.push_back(what);
  EXPECT_EQ(of_x, (std::vector<std::string>{"X: acks", "X: request_timeout", "X: isolation"}));
  EXPECT_EQ(describe(size_of(one)), "0 faults, 2 clients, 1 topic, 5 options given, 7 records");
  for (const Element& e : elements(one, model)) {
    if (describe(e, one) != "X: request_timeout") continue;
    const auto less = without(one, model, e);
    ASSERT_TRUE(less);
    EXPECT_NE(print_scenario(*less, model).find("client \"X\" { acks = \"1\", isolation = \"read_committed\" }"), std::string::npos) << print_scenario(*less, model);
    EXPECT_FALSE(less->deployment.clients[0].consumer_options.given("request_timeout"));
  }
}

TEST(PlanElements, OptionsOfServicesAreAmongThem) {
  const Scenario one = from_text(R"(return scenario { seed = 1, cluster = kafka {}, topics = { t = {} },
    services = { database "shop" { tables = { "orders" }, isolation = "read_committed" } },
    clients = { client "X" { program = function(c) c:database("shop") end } } })");
  const Model& model = *models().find("kafka");
  std::vector<std::string> all;
  for (const Element& e : elements(one, model)) all.push_back(describe(e, one));
  EXPECT_EQ(all, (std::vector<std::string>{"service shop", "service shop: isolation"}));
  const auto less = without(one, model, elements(one, model)[1]);
  ASSERT_TRUE(less);
  EXPECT_NE(print_scenario(*less, model).find("database \"shop\" { tables = { \"orders\" } }"), std::string::npos) << print_scenario(*less, model);
  // A program that asks for a service which is not there goes wrong, in the plan as in what is written of it.
  const auto none = without(one, model, elements(one, model)[0]);
  ASSERT_TRUE(none);
  EXPECT_THROW((void)shows(*none, "lost-message"), InputError);
  EXPECT_THROW((void)shows(from_text(print_scenario(*none, model)), "lost-message"), InputError);
}

// The file that is kept ends as expected: it announces what it breaks besides.
TEST(Shrink, AnnouncesTheOtherPromisesThatItBreaks) {
  const std::string path = std::string(MQLAB_SOURCE_DIR) + "/scenarios/museum/kafka/p07-first-write-hole.lua";
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  const Scenario all = load_scenario(text.str(), path, models());
  const Model& model = *models().find("kafka");
  Scenario one = one_run(all, model, &all.cases[0], {.seed = 1});
  one.expect = {{Expectation::Kind::violates, "duplicate-delivery"}};
  const Shrunk s = shrink(one, model, "duplicate-delivery");
  ASSERT_TRUE(s.shown);
  EXPECT_GT(s.scenario.expect.size(), 1U);
  EXPECT_TRUE(run_scenario(s.scenario, model, nullptr, {.seed = 1}).as_expected);
}

// A loop has options of three scopes in one table: what is left of them is still said.
TEST(Shrink, ALoopKeepsItsOwnOptions) {
  const std::string path = std::string(MQLAB_SOURCE_DIR) + "/scenarios/search/transform.lua";
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  const Scenario all = load_scenario(text.str(), path, models());
  const Model& model = *models().find("kafka");
  const auto c = std::find_if(all.cases.begin(), all.cases.end(), [](const ScenarioCase& x) { return x.name == "positions without the generation"; });
  ASSERT_NE(c, all.cases.end());
  const Scenario one = one_run(all, model, &*c, {.seed = 61});
  const Shrunk s = shrink(one, model, "effect-duplicate");
  ASSERT_TRUE(s.shown);
  EXPECT_TRUE(s.minimal);
  const std::string printed = print_scenario(s.scenario, model);
  EXPECT_NE(printed.find("positions = \"in_transaction\""), std::string::npos) << printed;
  EXPECT_TRUE(shows(from_text(printed), "effect-duplicate")) << printed;
}

TEST(Shrink, ARunThatShowsNothingStaysAsItIs) {
  const Scenario one = from_text(noisy);
  const Model& model = *models().find("kafka");
  const Shrunk s = shrink(one, model, "duplicate");
  EXPECT_FALSE(s.shown);
  EXPECT_FALSE(s.minimal);
  EXPECT_EQ(s.runs, 1U);
  EXPECT_EQ(print_scenario(s.scenario, model), print_scenario(one, model));
}

TEST(Shrink, StopsWhenItIsToldTo) {
  const Model& model = *models().find("kafka");
  ShrinkOptions o;
  o.runs = 12;
  const Shrunk s = shrink(from_text(noisy), model, "lost-message", o);
  EXPECT_LE(s.runs, 12U);
  EXPECT_FALSE(s.minimal);
  EXPECT_TRUE(shows(s.scenario, "lost-message"));
}

}  // namespace
}  // namespace mqlab
