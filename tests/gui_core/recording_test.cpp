// A recording has every moment of a run at hand, and is the run of the command line.
#include "gui/core/recording.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "gui/core/event_index.h"
#include "kit/models.h"
#include "sim/record/event_text.h"
#include "sim/script/scenario_api.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using testing::scenario_of;

RunSpec spec(const std::string& name, std::uint64_t seed = 7) { return {.text = scenario_of(name), .path = name, .seed = seed}; }

const std::shared_ptr<const Recording>& showcase() {
  static const auto r = Recording::make(spec("showcase.lua"), all_models());
  return r;
}
const std::shared_ptr<const Recording>& transactions() {  // has programs in Lua
  static const auto r = Recording::make(spec("search/transactions.lua"), all_models());
  return r;
}

RunResult headless(const std::string& name, std::uint64_t seed, const std::string& case_name) {
  const Scenario s = load_scenario(scenario_of(name), name, all_models());
  const ScenarioCase* found = nullptr;
  for (const ScenarioCase& c : s.cases)
    if (c.name == case_name) found = &c;
  return run_scenario(s, *all_models().find(s.model), found, {.seed = seed});
}

TEST(Recording, IsTheRunOfTheCommandLine) {
  for (const auto& r : {showcase(), transactions()}) {
    const RunResult run = headless(r->spec().path, 7, r->spec().case_name);
    EXPECT_EQ(r->result().fingerprint, run.fingerprint);
    EXPECT_EQ(r->result().events, run.events);
    ASSERT_EQ(r->result().verdicts.size(), run.verdicts.size());
    for (std::size_t i = 0; i < run.verdicts.size(); ++i) EXPECT_EQ(r->result().verdicts[i].report, run.verdicts[i].report);
    EXPECT_GT(r->events(), 100U);
  }
}

TEST(Recording, ScenarioThatDoesNotFitNamesTheLine) {
  try {
    Recording::make({.text = "return scenario {\n  title = 3 +,\n}", .path = "x.lua"}, all_models());
    FAIL() << "it was taken";
  } catch (const InputError& e) {
    EXPECT_EQ(e.file, "x.lua");
    EXPECT_EQ(e.line, 2);
  }
  RunSpec wrong = spec("showcase.lua");
  wrong.case_name = "no such";
  EXPECT_THROW(Recording::make(wrong, all_models()), InputError);
}

// A moment is the state that a run from the beginning has there.
TEST(Recording, MomentsAreThoseOfARunFromTheBeginning) {
  const auto& r = *showcase();
  const Scenario s = load_scenario(r.spec().text, r.spec().path, all_models());
  Deployment d;
  const ScenarioCase* c = s.cases.empty() ? nullptr : &s.cases.front();
  auto world = build_world(s, *all_models().find(s.model), c, {.seed = 7, .trace = TraceLevel::full}, d);
  std::size_t looked = 0;
  for (std::size_t n = 0; n < r.events(); ++n) {
    while (world->journal.deliveries.size() <= n && world->step(s.run_for)) {
    }
    if (world->journal.deliveries.size() <= n) break;  // the drain begins
    if (n % 97 != 0 || world->journal.deliveries.size() != n + 1) continue;
    const auto m = r.moment(n);
    ASSERT_EQ(m->event, n);
    ASSERT_EQ(m->nodes.size(), world->node_count());
    for (NodeId id = 0; id < world->node_count(); ++id) {
      ASSERT_EQ(m->nodes[id].state, world->state(id)) << "event " << n << ", " << m->nodes[id].name;
      ASSERT_EQ(m->nodes[id].running, world->running(id));
    }
    ++looked;
  }
  EXPECT_GT(looked, 10U);
}

RC_GTEST_PROP(RecordingProperty, AMomentDoesNotDependOnWhatWasAskedBefore, ()) {
  const auto r = Recording::make(spec("showcase.lua"), all_models());
  const auto& other = *showcase();
  for (int i = 0; i < 20; ++i) {
    const std::size_t n = *rc::gen::inRange<std::size_t>(0, r->events());
    const auto a = r->moment(n), b = other.moment(n);
    RC_ASSERT(a->time == b->time);
    for (std::size_t k = 0; k < a->nodes.size(); ++k) RC_ASSERT(a->nodes[k].state == b->nodes[k].state);
  }
}

TEST(Recording, ASeekReplaysLittle) {
  const auto& r = *showcase();
  for (std::size_t n = 0; n < r.events(); n += 13) EXPECT_LE(r.replayed_for(n), 2'000U);
}

// So long that checkpoints are thinned out.
RunSpec long_run() {
  return {.text = R"(return scenario {
  title = "Some tens of thousands of events",
  cluster = kafka { brokers = 3, controllers = 1 },
  topics = { orders = { partitions = 2, replicas = 3 } },
  clients = {
    producer "P" { topic = "orders", records = 3000, every = ms(4), start_at = seconds(1), acks = "all" },
    consumer "C" { topics = { "orders" } },
  },
  faults = { at(seconds(6), kill "B2" { duration = seconds(2) }) },
  run_for = seconds(16),
})",
          .path = "long.lua",
          .seed = 7};
}

TEST(Recording, CheckpointsKeepToTheirBudgetAndMomentsAreTheSame) {
  const auto wide = Recording::make(long_run(), all_models());
  // A checkpoint takes a megabyte here, as often as that is asked for.
  const auto narrow = Recording::make(long_run(), all_models(), {.checkpoint_bytes = 12 << 20, .allocated = [n = std::size_t{0}]() mutable { return n++ << 20; }});
  ASSERT_GT(wide->checkpoints(), 15U) << "the run is too short for this test";
  EXPECT_LE(narrow->checkpoints(), 12U);
  EXPECT_GE(narrow->checkpoints(), 6U);
  EXPECT_EQ(narrow->checkpoint_bytes(), narrow->checkpoints() << 20);
  const std::size_t apart = static_cast<std::size_t>(narrow->result().world->steps()) / (narrow->checkpoints() - 1) + 1;
  for (const std::size_t part : {5U, 1U, 4U, 2U, 3U}) {
    const std::size_t n = wide->events() * part / 6;
    const auto a = wide->moment(n), b = narrow->moment(n);
    for (std::size_t k = 0; k < a->nodes.size(); ++k) EXPECT_EQ(a->nodes[k].state, b->nodes[k].state) << n;
    EXPECT_LE(narrow->replayed_for(n), apart);
  }
}

// Some checkpoints stay, whatever they take: without any, a moment would be a run.
TEST(Recording, ABudgetOfNothingLeavesAFewCheckpoints) {
  const auto r = Recording::make(long_run(), all_models(), {.checkpoint_bytes = 0, .allocated = [n = std::size_t{0}]() mutable { return n++ << 20; }});
  EXPECT_GE(r->checkpoints(), 4U);
  EXPECT_LE(r->checkpoints(), 8U);
}

TEST(Recording, TimesAndEventsMeet) {
  const auto& r = *showcase();
  for (std::size_t n = 0; n < r.events(); n += 31) {
    const Time t = r.time_of(n);
    EXPECT_EQ(r.time_of(r.event_before(t)), t);
    EXPECT_GE(r.event_before(t), n);
    EXPECT_LE(r.event_after(t), n);
    EXPECT_EQ(r.event_of_id(r.journal().deliveries[n].event.id), n);
  }
  EXPECT_EQ(r.event_after(r.end() + 1), r.events());
  for (OpIndex op = 0; op < r.journal().ops.size(); ++op)
    if (const std::size_t e = r.event_of_op(op); e < r.events()) {
      EXPECT_LE(r.time_of(e), r.journal().ops[op].time);
    }
}

// A fault by hand is a fault of the scenario: what comes before it is as it was, and written down it is the same run.
TEST(Recording, WhatIsDoneByHandCanBeWrittenAndRunAgain) {
  const auto& before = *showcase();
  const std::size_t at = before.events() / 3;
  RunSpec by_hand = before.spec();
  Fault kill;
  kill.kind = FaultKind::kill;
  kill.groups = {{"B1"}};
  kill.duration = 2'000'000'000;
  by_hand.interventions.push_back(right_after(before.time_of(at), kill));
  const auto after = Recording::make(by_hand, all_models());
  EXPECT_NE(after->result().fingerprint, before.result().fingerprint);
  for (std::size_t n = 0; n <= at; ++n) ASSERT_EQ(after->time_of(n), before.time_of(n)) << n;

  const std::string lua = after->as_lua();
  const Scenario again = load_scenario(lua, "written.lua", all_models());
  const RunResult run = run_scenario(again, *all_models().find(again.model), nullptr, {.seed = again.seed.value()});
  EXPECT_EQ(run.fingerprint, after->result().fingerprint) << lua;
}

TEST(Recording, AFaultCanBeLeftOut) {
  const auto& before = *showcase();
  ASSERT_FALSE(before.result().world->faults().empty());
  RunSpec without = before.spec();
  without.without = {0};
  const auto after = Recording::make(without, all_models());
  EXPECT_EQ(after->result().world->faults().size() + 1, before.result().world->faults().size());
}

TEST(Recording, StopsWhenItIsTold) {
  RecordOptions options;
  options.progress = [](std::uint64_t events, Time) { return events < 2'000; };
  const auto r = Recording::make(spec("search/quorum.lua"), all_models(), options);
  EXPECT_TRUE(r->stopped());
  EXPECT_GE(r->events(), 1'000U);
  EXPECT_TRUE(r->moment(r->events() - 1));
}

// --- the index

RC_GTEST_PROP(EventIndexProperty, AnswersAreThoseOfALoop, ()) {
  static const EventIndex index(showcase());
  const Recording& r = index.recording();
  const auto& all = r.journal().deliveries;
  const Time t = *rc::gen::inRange<Time>(0, r.end());
  const Time until = t + *rc::gen::inRange<Time>(1, r.end() / 4);
  std::size_t flying = 0, touching = 0;
  for (const Delivery& d : all) {
    if (!is_message(d.event)) continue;
    flying += sent_at(d) <= t && t < d.time;
    touching += sent_at(d) <= until && d.time >= t;
  }
  std::size_t seen = 0;
  index.in_flight(t, [&](const Flight& f) {
    RC_ASSERT(f.sent <= t && t < f.arrived);
    ++seen;
  });
  RC_ASSERT(seen == flying);
  std::size_t shown = 0;
  RC_ASSERT(index.flights_between(t, until, 10, [&](const Flight&) { ++shown; }) == touching);
  RC_ASSERT(shown == std::min<std::size_t>(touching, 10));

  for (NodeId line = 0; line < r.journal().processes.size(); ++line) {
    std::size_t sum = 0, wanted = 0;
    for (const Density& d : index.density(line, t, until, 37)) sum += d.events;
    for (const Delivery& d : all) wanted += line_of(d.event) == line && d.time >= t && d.time < until;
    RC_ASSERT(sum == wanted);
  }
  const std::size_t n = *rc::gen::inRange<std::size_t>(0, all.size());
  const std::size_t next = index.next_on_line(n);
  if (next < all.size()) {
    RC_ASSERT(line_of(all[next].event) == line_of(all[n].event));
    RC_ASSERT(index.previous_on_line(next) == n);
  }
  for (const std::uint32_t e : index.effects_of(n)) RC_ASSERT(index.cause_of(e) == n);
}

}  // namespace
}  // namespace mqlab::gui
