// Plans drawn at random: that each is a scenario of its own, and that no budget is overdrawn.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "sim/script/print_scenario.h"
#include "tests/hunt/plans.h"

namespace mqlab {
namespace {

const PlanGenerator& kafka_plans() {
  static const PlanGenerator plans = drawn_around(small_kafka());
  return plans;
}

const PlanGenerator& rabbitmq_plans() {
  static const PlanGenerator plans = drawn_around(small_rabbitmq());
  return plans;
}

const PlanGenerator& wild_plans() {
  static const PlanGenerator plans = [] {
    PlanSpace space;
    space.budget = FaultBudget::anything;
    space.faults_max = 12;
    return drawn_around(small_kafka(), space);
  }();
  return plans;
}

const PlanGenerator& minority_plans() {
  static const PlanGenerator plans = [] {
    Scenario five = scenario_of(R"(return scenario {
      cluster = kafka { brokers = 5, controllers = 3, min_insync = 3 },
      topics = { orders = { partitions = 2, replicas = 5 } },
      clients = { producer "P1" { topic = "orders", records = 40, every = ms(50), start_at = seconds(3) } },
      run_for = seconds(20),
    })");
    PlanSpace space;
    space.budget = FaultBudget::minority;
    return drawn_around(std::move(five), space);
  }();
  return plans;
}

std::string text_of(const PlanGenerator& plans, const Scenario& plan) { return print_scenario(plan, plans.model()); }

Fingerprint fingerprint_of(const PlanGenerator& plans, const Scenario& plan) { return run_scenario(plan, plans.model(), nullptr, {.seed = *plan.seed}).fingerprint; }

void expect_reads_back(const PlanGenerator& plans, std::uint64_t seed) {
  const Scenario plan = plans.draw(seed);
  const std::string text = text_of(plans, plan);
  const Scenario back = load_scenario(text, "plan.lua", all_models());
  RC_ASSERT(text_of(plans, back) == text);
  RC_ASSERT(back.seed == plan.seed);
  const Fingerprint before = fingerprint_of(plans, plan), after = fingerprint_of(plans, back);
  RC_ASSERT(before == after);
}

RC_GTEST_PROP(Plans, PrintReadBackAndRunTheSame, (std::uint32_t seed)) {
  expect_reads_back(kafka_plans(), seed);
  expect_reads_back(rabbitmq_plans(), seed);
  expect_reads_back(wild_plans(), seed);
  expect_reads_back(minority_plans(), seed);
}

RC_GTEST_PROP(Plans, OfOneSeedAreTheSameWhateverElseIsDrawn, (std::uint32_t seed, const std::vector<std::uint32_t>& others)) {
  const std::string first = text_of(kafka_plans(), kafka_plans().draw(seed));
  for (const std::uint32_t o : others) (void)kafka_plans().draw(o);
  RC_ASSERT(text_of(kafka_plans(), kafka_plans().draw(seed)) == first);
  static const PlanGenerator again = drawn_around(small_kafka());
  RC_ASSERT(text_of(again, again.draw(seed)) == first);
}

TEST(Plans, AreDrawnByManyThreadsAtOnce) {
  std::vector<std::string> here(64), there(64);
  const auto draw = [](std::vector<std::string>& out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = text_of(kafka_plans(), kafka_plans().draw(i + 1));
  };
  draw(here);
  std::thread one([&] { draw(there); });
  std::vector<std::string> meanwhile(64);
  draw(meanwhile);
  one.join();
  EXPECT_EQ(here, there);
  EXPECT_EQ(here, meanwhile);
}

// ---------------------------------------------------------------------------------------------------------------------
// Budgets.

constexpr Time for_ever = time_max;

struct Trouble {
  std::set<std::string> whom;  // servers by name, or a role that moves
  bool moves = false;
  Time begin = 0, end = for_ever;
};

// Which servers a fault puts in trouble, and when: worked out from the fault alone, not from how it was drawn.
std::vector<Trouble> troubles(const Scenario& plan, const Ground& g) {
  std::vector<Trouble> all;
  for (const PlannedFault& f : plan.faults) {
    const std::string_view group = fault_decl(f.fault.kind).group;
    if (!f.fault.message.empty() || f.fault.kind == FaultKind::release || group == "model") continue;
    Trouble t;
    // Of a cut the first side is in trouble; of a link fault the side that is not all the rest.
    std::vector<Target> side = f.fault.groups.at(0);
    if (side == std::vector<Target>{"rest"}) side = f.fault.groups.at(1);
    for (const Target& who : side) {
      if (g.is_client(who)) continue;
      t.whom.insert(who);
      t.moves = t.moves || std::none_of(g.servers.begin(), g.servers.end(), [&](const auto& s) { return s.name == who; });
    }
    if (t.whom.empty()) continue;
    const bool instant = f.fault.kind == FaultKind::reset_streams || f.fault.kind == FaultKind::half_open || f.fault.kind == FaultKind::write_back;
    // One that waits for an event may come at any time; one that is asked to stop, stops when it likes.
    if (f.trigger.on == Trigger::On::time) {
      t.begin = f.trigger.after;
      if (instant) t.end = t.begin;
      else if (f.fault.duration > 0 && f.fault.kind != FaultKind::stop) t.end = t.begin + f.fault.duration;
    }
    all.push_back(std::move(t));
  }
  return all;
}

TEST(Plans, UnderOneMachineNoTwoServersAreInTroubleAtOnce) {
  for (const PlanGenerator* plans : {&kafka_plans(), &rabbitmq_plans()}) {
    const Ground& g = plans->ground();
    const Duration recovery = (g.until - g.from) / 6 / 4;  // six faults at most, a slice each
    std::size_t pairs = 0;
    for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
      const Scenario plan = plans->draw(seed);
      const std::vector<Trouble> all = troubles(plan, g);
      for (std::size_t i = 0; i < all.size(); ++i) {
        ASSERT_EQ(all[i].whom.size(), 1U) << text_of(*plans, plan);
        for (std::size_t k = i + 1; k < all.size(); ++k) {
          if (all[i].whom == all[k].whom && !all[i].moves) continue;
          ++pairs;
          const bool apart = all[i].end < for_ever && all[k].begin >= all[i].end + recovery;
          const bool before = all[k].end < for_ever && all[i].begin >= all[k].end + recovery;
          ASSERT_TRUE(apart || before) << text_of(*plans, plan);
        }
      }
    }
    EXPECT_GT(pairs, 100U) << "no plan has two servers in it: nothing was tested";
  }
}

TEST(Plans, UnderMinorityFewerThanHalfOfARoleAreInTroubleAtOnce) {
  const Ground& g = minority_plans().ground();
  std::map<std::string, std::size_t> size;
  for (const auto& s : g.servers) ++size[s.role];
  ASSERT_EQ(size["broker"], 5U);
  std::size_t two = 0;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    const Scenario plan = minority_plans().draw(seed);
    const std::vector<Trouble> all = troubles(plan, g);
    for (const Trouble& at : all) {
      // All that may be in trouble at the moment when this one begins.
      std::set<std::string> together;
      std::size_t moving = 0;
      for (const Trouble& t : all) {
        if (t.begin > at.begin || t.end < at.begin) continue;
        if (t.moves) moving += 2;  // "minority broker": two of five
        else together.insert(t.whom.begin(), t.whom.end());
      }
      std::size_t brokers = moving, controllers = 0;
      for (const std::string& name : together)
        for (const auto& s : g.servers)
          if (s.name == name) ++(s.role == "broker" ? brokers : controllers);
      ASSERT_LE(brokers, 2U) << text_of(minority_plans(), plan);
      ASSERT_LE(controllers, 1U) << text_of(minority_plans(), plan);
      if (brokers == 2) ++two;
    }
  }
  EXPECT_GT(two, 50U);
}

// A message is let go after its sender has sent another one like it to the same receiver. Up to three of one kind, often alone.
TEST(Plans, OfSomeAMessageIsHeldUntilItWasSentAgain) {
  std::size_t with = 0, alone = 0, in_a_shadow = 0;
  std::set<std::string> kinds;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const Scenario plan = wild_plans().draw(seed);
    EXPECT_LE(plan.faults.size(), wild_plans().space().faults_max);
    std::map<std::string, const PlannedFault*> held;
    std::size_t released = 0;
    bool shadow = false;
    for (const PlannedFault& f : plan.faults) {
      shadow = shadow || f.fault.label == "shadow";
      if (f.fault.kind == FaultKind::hold && f.fault.label.starts_with("echo")) held[f.fault.label] = &f;
    }
    std::set<std::string> of_plan;
    for (const PlannedFault& f : plan.faults) {
      const auto it = held.find(f.fault.label);
      if (f.fault.kind != FaultKind::release || it == held.end()) continue;
      ++released;
      const PlannedFault& hold = *it->second;
      of_plan.insert(hold.fault.message);
      EXPECT_EQ(f.trigger.on, Trigger::On::message_sent);
      EXPECT_EQ(f.trigger.name, hold.fault.message);
      EXPECT_GT(f.trigger.nth, hold.fault.nth) << "it waits for a later one";
      ASSERT_EQ(hold.fault.groups.size(), 2U);
      EXPECT_EQ(hold.fault.groups, (std::vector<std::vector<Target>>{{f.trigger.from}, {f.trigger.to}})) << text_of(wild_plans(), plan);
    }
    EXPECT_EQ(released, held.size()) << text_of(wild_plans(), plan);
    EXPECT_LE(held.size(), 3U);
    EXPECT_LE(of_plan.size(), 1U) << "of one kind";
    if (held.empty()) continue;
    ++with;
    alone += plan.faults.size() == 2 * held.size();
    in_a_shadow += shadow;
    kinds.insert(of_plan.begin(), of_plan.end());
  }
  EXPECT_GT(with, 40U);
  EXPECT_LT(with, 110U);
  EXPECT_GT(alone, with / 4);
  EXPECT_LT(alone, with * 3 / 4);
  EXPECT_EQ(in_a_shadow, 0U);
  EXPECT_GT(kinds.size(), 5U);
}

// One is held; while it is, somebody comes to harm and is well again; and meanwhile or shortly after, somebody does again.
TEST(Plans, OfAThirdWhereAnythingMayHappenAMessageIsHeldAndHasItsShadow) {
  std::size_t shadows = 0, later = 0;
  std::set<std::string> kinds;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const Scenario plan = wild_plans().draw(seed);
    EXPECT_LE(plan.faults.size(), wild_plans().space().faults_max);
    const PlannedFault *hold = nullptr, *release = nullptr;
    for (const PlannedFault& f : plan.faults)
      if (f.fault.label == "shadow") (f.fault.kind == FaultKind::hold ? hold : release) = &f;
    ASSERT_EQ(hold == nullptr, release == nullptr) << text_of(wild_plans(), plan);
    if (!hold) continue;
    ++shadows;
    kinds.insert(hold->fault.message);
    EXPECT_EQ(release->trigger.on, Trigger::On::message_sent);
    EXPECT_EQ(release->trigger.name, hold->fault.message);
    EXPECT_EQ(release->trigger.nth, hold->fault.nth) << "it waits for the very message that is held";
    std::size_t harms = 0;
    bool meanwhile = false;
    for (const PlannedFault& f : plan.faults) {
      if (&f == release || f.trigger.on != Trigger::On::message_sent || f.trigger.name != hold->fault.message || f.trigger.nth != hold->fault.nth) continue;
      ++harms;
      meanwhile = meanwhile || (f.trigger.after == 0 && f.fault.duration < release->trigger.after);
      later += f.trigger.after >= release->trigger.after;
    }
    EXPECT_EQ(harms, 2U) << text_of(wild_plans(), plan);
    EXPECT_TRUE(meanwhile) << text_of(wild_plans(), plan);
  }
  EXPECT_GT(later, shadows / 4);
  EXPECT_LT(later, shadows * 3 / 4);
  EXPECT_GT(shadows, 100U);
  EXPECT_LT(shadows, 170U);
  EXPECT_GT(kinds.size(), 5U);
  EXPECT_FALSE(kinds.contains("Fetch")) << "which comes all the time";
}

// They belong to one moment; what is held is let go some time later. Below `anything` they are for one group of servers.
TEST(Plans, StrikesComeWithinAFifthOfASecond) {
  Random draws(7, Stream::scenario, 1);
  std::set<FaultKind> kinds;
  for (const PlanGenerator* plans : {&wild_plans(), &kafka_plans()})
    for (int n = 0; n < 300; ++n) {
      std::set<std::string> servers;
      std::size_t count = 0;
      for (const PlannedFault& f : plans->strikes(1, draws)) {
        kinds.insert(f.fault.kind);
        ASSERT_EQ(f.trigger.on, Trigger::On::time);
        if (f.fault.kind == FaultKind::release) continue;
        ++count;
        EXPECT_LE(f.trigger.after, 200'000'000);
        Scenario one;
        one.faults = {f};
        for (const Trouble& t : troubles(one, plans->ground())) servers.insert(t.whom.begin(), t.whom.end());
      }
      EXPECT_GE(count, 2U);
      EXPECT_LE(count, 3U);
      EXPECT_LE(servers.size(), plans == &kafka_plans() ? 1U : 8U);
    }
  for (const FaultKind k : {FaultKind::kill, FaultKind::power, FaultKind::isolate, FaultKind::drop, FaultKind::hold, FaultKind::release, FaultKind::command}) EXPECT_TRUE(kinds.contains(k)) << fault_decl(k).name;
}

// The same of the runs themselves: whatever a plan says, at no moment two servers are down or stand still.
TEST(Plans, UnderOneMachineTheWorldNeverHasTwoServersDown) {
  PlanSpace space;
  space.kinds = {"kill", "power", "pause", "stop"};
  const PlanGenerator kafka = drawn_around(small_kafka(), space), rabbitmq = drawn_around(small_rabbitmq(), space);
  for (const PlanGenerator* plans : {&kafka, &rabbitmq}) {
    std::size_t down_seen = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      const Scenario plan = plans->draw(seed);
      Deployment d;
      const auto world = build_world(plan, plans->model(), nullptr, {.seed = seed}, d);
      world->run_until(plans->ground().from / 2);  // all have started
      while (world->step(plan.run_for)) {
        std::size_t down = 0;
        for (const auto& s : plans->ground().servers) {
          const NodeId n = world->find(s.name);
          if (!world->running(n) || world->paused(n)) ++down;
        }
        ASSERT_LE(down, 1U) << "seed " << seed << "\n" << text_of(*plans, plan);
        down_seen = std::max(down_seen, down);
      }
    }
    EXPECT_EQ(down_seen, 1U);
  }
}

// What a budget below `anything` must leave whole: or every claim is withdrawn, and nothing is tested.
TEST(Plans, BelowAnythingNoDiskBreaksItsPromise) {
  for (const PlanGenerator* plans : {&kafka_plans(), &minority_plans()})
    for (std::uint64_t seed = 1; seed <= 300; ++seed)
      for (const PlannedFault& f : plans->draw(seed).faults)
        for (const DrawnKind& k : drawn_kinds()) ASSERT_FALSE(k.kind == f.fault.kind && k.only_anything) << fault_decl(k.kind).name;
  std::set<FaultKind> wild;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed)
    for (const PlannedFault& f : wild_plans().draw(seed).faults) wild.insert(f.fault.kind);
  for (const DrawnKind& k : drawn_kinds()) EXPECT_EQ(wild.count(k.kind) > 0, !k.only_named) << fault_decl(k.kind).name;
  EXPECT_TRUE(wild.count(FaultKind::command));
}

TEST(Plans, NoMessageComesTwiceByItselfUnlessThatIsNamed) {
  PlanSpace space;
  space.kinds = {"duplicate", "kill"};
  const PlanGenerator plans = drawn_around(small_kafka(), space);
  std::set<FaultKind> kinds;
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    for (const PlannedFault& f : plans.draw(seed).faults) kinds.insert(f.fault.kind);
  EXPECT_EQ(kinds, (std::set<FaultKind>{FaultKind::duplicate, FaultKind::kill}));
}

TEST(Plans, HaveAsManyFaultsAsTheSpaceAllowsAndDifferInKind) {
  std::set<std::set<FaultKind>> in_play;
  std::size_t most = 0, with_triggers = 0, timed = 0, by_role = 0, held = 0;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    const Scenario plan = kafka_plans().draw(seed);
    std::set<FaultKind> kinds;
    for (const PlannedFault& f : plan.faults) {
      kinds.insert(f.fault.kind);
      ++(f.trigger.on == Trigger::On::time ? timed : with_triggers);
      if (!f.fault.groups.empty() && !f.fault.groups[0].empty() && f.fault.groups[0][0].rfind("leader ", 0) == 0) ++by_role;
      if (f.fault.kind == FaultKind::hold) ++held;
    }
    in_play.insert(kinds);
    most = std::max(most, plan.faults.size());
  }
  EXPECT_EQ(most, 6U);
  EXPECT_GT(in_play.size(), 400U);
  EXPECT_GT(with_triggers, 300U);
  EXPECT_GT(timed, 500U);
  EXPECT_GT(by_role, 50U);
  EXPECT_GT(held, 50U);
}

// A fault that waits for the n-th message of a kind waits for one that comes: most faults change something.
TEST(Plans, MostFaultsBite) {
  std::size_t bites = 0, all = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Scenario plan = kafka_plans().draw(seed);
    const RunResult r = run_scenario(plan, kafka_plans().model(), nullptr, {.seed = seed});
    for (std::size_t i = 0; i < plan.faults.size(); ++i) {
      ++all;
      if (r.world->faults()[i].bites > 0) ++bites;
    }
  }
  EXPECT_GT(bites * 2, all) << bites << " of " << all;
}

TEST(Plans, TakeTheValuesOfOptionsThatGoTogether) {
  PlanSpace space;
  space.budget = FaultBudget::none;
  space.options = {{"acks", {std::string("1"), std::string("all")}}, {"brokers", {std::int64_t{3}, std::int64_t{4}}}, {"P1.linger", {std::int64_t{0}, std::int64_t{5'000'000}}}};
  const PlanGenerator plans = drawn_around(small_kafka(), space);
  std::set<std::string> acks;
  std::set<std::int64_t> brokers, linger;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) {
    const Scenario plan = plans.draw(seed);
    EXPECT_TRUE(plan.faults.empty());
    acks.insert(plan.deployment.clients[0].options.text("acks"));
    brokers.insert(plan.deployment.cluster.integer("brokers"));
    linger.insert(plan.deployment.clients[0].options.duration("linger"));
  }
  EXPECT_EQ(acks.size(), 2U);
  EXPECT_EQ(brokers.size(), 2U);
  EXPECT_EQ(linger.size(), 2U);
  // A fourth broker is hurt only where there is one.
  space.budget = FaultBudget::one_machine;
  const PlanGenerator sizes = drawn_around(small_kafka(), space);
  std::size_t fourth = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Scenario plan = sizes.draw(seed);
    if (text_of(sizes, plan).find("\"B4\"") == std::string::npos) continue;
    ++fourth;
    EXPECT_EQ(plan.deployment.cluster.integer("brokers"), 4);
  }
  EXPECT_GT(fourth, 5U);
}

std::string complaint_of(PlanSpace space) {
  try {
    (void)drawn_around(small_kafka(), std::move(space));
  } catch (const InputError& e) {
    return e.what();
  }
  return "nothing";
}

TEST(Plans, SayWhatOfASpaceIsNotThere) {
  PlanSpace kinds, messages, options, values;
  kinds.kinds = {"isolte"};
  messages.messages = {"Produse"};
  options.options = {{"aks", {std::string("all")}}};
  values.options = {{"acks", {std::string("most")}}};
  EXPECT_NE(complaint_of(kinds).find("a hunt draws no fault `isolte`; did you mean `isolate`?"), std::string::npos) << complaint_of(kinds);
  EXPECT_NE(complaint_of(messages).find("no message is called `Produse`; did you mean `Produce`?"), std::string::npos) << complaint_of(messages);
  EXPECT_NE(complaint_of(options).find("there is no option `aks`; did you mean `acks`?"), std::string::npos) << complaint_of(options);
  EXPECT_NE(complaint_of(values).find("acks"), std::string::npos) << complaint_of(values);
}

TEST(Plans, KeepToTheKindsAndMessagesThatAreNamed) {
  PlanSpace space;
  space.kinds = {"delay", "kill", "elect"};
  space.messages = {"Fetch", "Produce"};
  const PlanGenerator plans = drawn_around(small_kafka(), space);
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 300; ++seed)
    for (const PlannedFault& f : plans.draw(seed).faults) seen.insert(f.fault.kind == FaultKind::command ? f.fault.verb : f.fault.kind == FaultKind::delay ? "delay " + f.fault.message : fault_decl(f.fault.kind).name);
  EXPECT_EQ(seen, (std::set<std::string>{"delay Fetch", "delay Produce", "elect", "kill"}));
}

}  // namespace
}  // namespace mqlab
