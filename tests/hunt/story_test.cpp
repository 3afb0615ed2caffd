// Why an anomaly came about: mechanism, slice, story, what-ifs, and the capsule that carries it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/kafka/kafka.h"
#include "sim/hunt/capsule.h"
#include "sim/hunt/counterfactual.h"
#include "sim/hunt/story.h"
#include "sim/hunt/why.h"
#include "sim/record/causality.h"
#include "sim/script/print_scenario.h"
#include "sim/script/scenario_api.h"

namespace mqlab {
namespace {

const Models& models() {
  static const Models all = [] {
    Models m;
    m.add(kafka::make_model());
    return m;
  }();
  return all;
}
const Model& model() { return *models().find("kafka"); }

Scenario from_text(const std::string& text) { return load_scenario(text, "test.lua", models()); }

// What the old leader alone has is lost, and two clients and two faults have nothing to do with it: K2 and P2 are of another
// topic, and one pause is over long before.
Scenario acks_1() {
  return from_text(R"(return scenario {
    seed = 3,
    cluster = kafka { brokers = 3, controllers = 1 },
    topics = { orders = { partitions = 1, replicas = 3 }, other = { partitions = 1, replicas = 2 } },
    clients = {
      producer "P1" { topic = "orders", records = 100, every = ms(40), acks = 1, start_at = seconds(5) },
      producer "P2" { topic = "other", records = 20, every = ms(300), start_at = seconds(5) },
      consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest" },
      consumer "K2" { topics = { "other" }, auto_offset_reset = "earliest" },
    },
    faults = {
      at(seconds(2), pause "B3" { duration = ms(100) }),
      at(ms(5500), pause "K2" { duration = seconds(2) }),
      at(ms(6500), partition { { "leader orders/0", "P1" }, { "rest" }, duration = seconds(20) }),
    },
    run_for = seconds(60),
  })");
}

RunResult run(const Scenario& s, TraceLevel trace = TraceLevel::full) { return run_scenario(s, model(), nullptr, {.seed = *s.seed, .trace = trace}); }

TEST(Mechanism, IsTheAnomalyTheModelsWordAndWhatTells) {
  const Scenario s = acks_1();
  const Mechanism m = mechanism_of(run(s), "lost-message", routine_marks(s, model(), "lost-message"));
  EXPECT_EQ(m.anomaly, "lost-message");
  EXPECT_FALSE(m.claimed);
  EXPECT_EQ(m.turn, "broker_fenced");
  EXPECT_EQ(m.text(), "lost-message, not promised (acks is not all: who acknowledges alone may lose alone), by broker_fenced");
  EXPECT_NE(std::find(m.marks.begin(), m.marks.end(), "log_truncated"), m.marks.end());
  // What a run without faults shows does not tell, and what the faults themselves do does not either.
  EXPECT_EQ(std::find(m.marks.begin(), m.marks.end(), "broker_unfenced"), m.marks.end());
  EXPECT_EQ(std::find(m.marks.begin(), m.marks.end(), "paused"), m.marks.end());
  EXPECT_TRUE(calm_marks(s, model()).count("broker_unfenced"));
}

TEST(Mechanism, DoesNotDependOnHowMuchIsRecorded) {
  const Scenario s = acks_1();
  EXPECT_EQ(mechanism_of(run(s, TraceLevel::spans), "lost-message"), mechanism_of(run(s, TraceLevel::full), "lost-message"));
}

TEST(Slice, HoldsTheFaultThatDidItAndNotTheOthers) {
  const Scenario s = acks_1();
  const RunResult r = run(s);
  const Slice slice = slice_of(r, "lost-message", marks_to_leave_out(s, model(), "lost-message"));
  EXPECT_EQ(slice.faults, std::vector<std::size_t>{2});
  const auto takes_part = [&](const char* name) { return std::binary_search(slice.nodes.begin(), slice.nodes.end(), r.world->find(name)); };
  EXPECT_TRUE(takes_part("P1"));
  EXPECT_FALSE(takes_part("P2"));
  EXPECT_FALSE(takes_part("K2"));
  for (const std::uint32_t e : slice.events) EXPECT_LE(r.world->journal.deliveries[e].time, slice.certain);
  EXPECT_FALSE(slice.witness.empty());
}

TEST(Slice, RunByItselfShowsTheSame) {
  const Scenario s = acks_1();
  const OrdinaryMarks ordinary = marks_to_leave_out(s, model(), "lost-message");
  const RunResult r = run(s);
  const SliceCheck c = run_alone(s, model(), slice_of(r, "lost-message", ordinary), *r.world, ordinary);
  EXPECT_TRUE(c.shown);
  EXPECT_EQ(c.added, std::vector<std::string>{});
  EXPECT_EQ(c.alone.faults.size(), 1U);
  EXPECT_NE(std::find(c.left_out.begin(), c.left_out.end(), "client P2"), c.left_out.end());
  EXPECT_NE(std::find(c.left_out.begin(), c.left_out.end(), "pause K2 for 2 s"), c.left_out.end());
}

// A slice that lacks what it takes is found out, and what had to be put back is named.
TEST(Slice, WhatWasMissingIsPutBackAndSaid) {
  const Scenario s = acks_1();
  const OrdinaryMarks ordinary = marks_to_leave_out(s, model(), "lost-message");
  const RunResult r = run(s);
  Slice slice = slice_of(r, "lost-message", ordinary);
  slice.faults.clear();
  const SliceCheck c = run_alone(s, model(), slice, *r.world, ordinary);
  EXPECT_TRUE(c.shown);
  EXPECT_NE(std::find(c.added.begin(), c.added.end(), "partition leader orders/0, P1 | rest for 20 s"), c.added.end());
}

TEST(SliceStory, IsToldInOrderWithinItsRoom) {
  const Scenario s = acks_1();
  const RunResult r = run(s);
  for (const std::size_t room : {8U, 20U, 40U}) {
    const SliceStory story = tell_slice(r, "lost-message", marks_to_leave_out(s, model(), "lost-message"), room);
    EXPECT_LE(story.steps.size(), room);
    EXPECT_TRUE(std::is_sorted(story.steps.begin(), story.steps.end(), [](const StoryStep& a, const StoryStep& b) { return a.time < b.time; }));
    const std::string text = story_text(story);
    EXPECT_NE(text.find("FAULT 1: partition leader orders/0, P1 | rest for 20 s (here "), std::string::npos) << text;
    EXPECT_NE(text.find("is told that"), std::string::npos) << "the witness is always told\n" << text;
    EXPECT_NE(text.find("* lost-message is certain"), std::string::npos) << text;
    EXPECT_EQ(text.find("P2"), std::string::npos) << text;
    const std::string mermaid = story_mermaid(story);
    EXPECT_LE(std::count(mermaid.begin(), mermaid.end(), '\n'), 60) << mermaid;
    EXPECT_TRUE(mermaid.starts_with("sequenceDiagram\n"));
    const std::string svg = story_svg(story);
    EXPECT_EQ(svg.find("<script"), std::string::npos);
    EXPECT_TRUE(svg.starts_with("<svg "));
    for (const std::string& line : wrapped_steps(story, 112)) EXPECT_LE(line.size(), 112U) << line;
  }
}

// An answer was lost, and its sender sent again: it is told what was waited for in vain, in all forms.
Scenario a_lost_answer() {
  return from_text(R"(return scenario {
    seed = 7,
    cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
    topics = { orders = { partitions = 1, replicas = 3 } },
    clients = {
      producer "P1" { topic = "orders", records = 10, every = seconds(1), start_at = seconds(5), window = 1, idempotence = false },
      consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
    },
    faults = { when(sent "Produce" { from = "P1", nth = 4 }, drop "ProduceReply" { from = "leader orders/0", to = "P1" }) },
    run_for = seconds(60),
  })");
}

TEST(SliceStory, NamesWhatWasWaitedForInVain) {
  const Scenario s = a_lost_answer();
  const RunResult r = run(s);
  const SliceStory story = tell_slice(r, "duplicate", marks_to_leave_out(s, model(), "duplicate"));
  const auto lost = std::find_if(story.steps.begin(), story.steps.end(), [](const StoryStep& x) { return x.kind == StoryStep::Kind::lost; });
  ASSERT_NE(lost, story.steps.end()) << story_text(story);
  EXPECT_EQ(std::count_if(story.steps.begin(), story.steps.end(), [](const StoryStep& x) { return x.kind == StoryStep::Kind::lost; }), 1) << story_text(story);
  const std::string text = step_text(story, *lost);
  EXPECT_NE(text.find("->P1 ProduceReply"), std::string::npos) << text;
  EXPECT_NE(text.find("never arrived: a fault dropped it"), std::string::npos) << text;
  EXPECT_NE(story_text(story).find(text), std::string::npos);
  const std::string mermaid = story_mermaid(story);
  EXPECT_NE(mermaid.find("-xn"), std::string::npos) << mermaid;
  EXPECT_NE(story_svg(story).find("class=\"lost\""), std::string::npos);
  // It does not matter for the rule whether a fault took it out by name: what was waited for is found by causes alone.
  const Journal& j = r.world->journal;
  const Causality causes(j);
  std::set<std::uint32_t> in_vain;
  for (const Mark& m : j.marks)
    if (j.names.text(m.name) == "request_timed_out") {
      const std::vector<std::uint32_t> chain = causes.chain_of(m.during);
      for (std::size_t i = 0; i + 1 < chain.size(); ++i)
        for (const std::uint32_t d : causes.lost_between(chain[i], chain[i + 1])) in_vain.insert(d);
      EXPECT_NE(fmt::format("{}", fmt::join(causes.why(m.during), "\n")).find("never arrived: a fault dropped it"), std::string::npos);
    }
  ASSERT_EQ(in_vain.size(), 1U);
  EXPECT_EQ(j.drops[*in_vain.begin()].why, DropReason::fault);
}

// A run in which all arrives speaks of nothing lost; and what is lost elsewhere is not this story's.
TEST(SliceStory, OfMessagesThatHaveNothingToDoWithItNoneIsTold) {
  const Scenario s = acks_1();
  const RunResult r = run(s);
  const Slice slice = slice_of(r, "lost-message", marks_to_leave_out(s, model(), "lost-message"));
  EXPECT_LE(slice.drops.size(), 12U);
  for (const std::size_t d : slice.drops) {
    const Event& e = r.world->journal.drops[d].event;
    EXPECT_NE(e.source, r.world->find("P2"));
    EXPECT_NE(e.target, r.world->find("P2"));
    EXPECT_LE(r.world->journal.drops[d].time, slice.certain);
  }
}

TEST(Counterfactual, WithoutTheCutNothingIsLostAndWithoutThePauseAllIs) {
  const Scenario s = acks_1();
  const RunResult r = run(s);
  const Slice slice = slice_of(r, "lost-message", marks_to_leave_out(s, model(), "lost-message"));
  const Mechanism& lost = slice.mechanism;
  const std::vector<Variant> all = variants_of(s, model(), slice, *r.world);
  ASSERT_GE(all.size(), 3U);
  EXPECT_EQ(all[0].what, "as it is");
  EXPECT_EQ(all[1].what, "without partition leader orders/0, P1 | rest for 20 s, at 6.5 s");
  const auto acks = std::find_if(all.begin(), all.end(), [](const Variant& v) { return v.what == "P1: acks=all instead of 1"; });
  ASSERT_NE(acks, all.end());
  EXPECT_EQ(count(all[0].plan, model(), lost, 10).shown, 10U);
  EXPECT_EQ(count(all[1].plan, model(), lost, 10).shown, 0U);
  EXPECT_EQ(count(acks->plan, model(), lost, 10).shown, 0U);
  const Variant asked = variant_with(s, model(), {{"P1.acks", std::string("all"), true, 0}});
  EXPECT_EQ(asked.what, "with P1.acks=all");
  EXPECT_EQ(count(asked.plan, model(), lost, 10).shown, 0U);
  EXPECT_THROW(variant_with(s, model(), {{"P1.ackz", std::string("all"), true, 0}}), InputError);
}

TEST(Counterfactual, ADifferenceIsMoreThanChance) {
  const auto of = [](std::uint64_t shown, std::uint64_t turned, std::uint64_t runs) { return Count{shown, runs, turned, {}}; };
  EXPECT_TRUE(differ(of(50, 50, 50), of(0, 0, 50)));
  EXPECT_TRUE(differ(of(50, 50, 50), of(50, 0, 50)));
  EXPECT_FALSE(differ(of(8, 8, 20), of(9, 9, 20)));
  EXPECT_FALSE(differ(of(1, 1, 3), of(0, 0, 3)));
  EXPECT_FALSE(differ(of(8, 8, 20), of(0, 0, 0)));
}

TEST(Capsule, IsTheSameRunAgain) {
  const Capsule c = make_capsule(acks_1(), model(), "lost-message", "0.0.1");
  EXPECT_EQ(read_capsule(capsule_text(c)), c);
  const Replay r = replay(read_capsule(capsule_text(c)), models());
  EXPECT_TRUE(r.same_run);
  EXPECT_TRUE(r.shown);
  EXPECT_TRUE(r.same_story);
  EXPECT_EQ(r.mechanism, c.mechanism);
}

TEST(Capsule, TellsWhatIsNotTheSame) {
  Capsule c = make_capsule(acks_1(), model(), "lost-message", "0.0.1");
  c.scenario.replace(c.scenario.find("acks = \"1\""), 10, "acks = \"all\"");
  const Replay r = replay(c, models());
  EXPECT_FALSE(r.same_run);
  EXPECT_FALSE(r.shown);
  Capsule other = make_capsule(acks_1(), model(), "lost-message", "0.0.1");
  other.mechanism.marks.clear();
  other.mechanism.turn = "unclean_election";
  const Replay slipped = replay(other, models());
  EXPECT_TRUE(slipped.same_run);
  EXPECT_TRUE(slipped.shown);
  EXPECT_FALSE(slipped.same_story);
}

TEST(Capsule, WhatIsNoneIsRefusedInWords) {
  const auto message = [](const std::string& text) {
    try {
      (void)read_capsule(text);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("read");
  };
  EXPECT_NE(message("").find("it is not JSON"), std::string::npos) << message("");
  EXPECT_NE(message("[1]").find("should be an object"), std::string::npos) << message("[1]");
  EXPECT_NE(message("{}").find("has no `format`"), std::string::npos) << message("{}");
  EXPECT_NE(message(R"({"format":"mqlab-history/1"})").find("this mqlab reads mqlab-capsule/1"), std::string::npos);
  const std::string whole = capsule_text(make_capsule(acks_1(), model(), "lost-message", "0.0.1"));
  std::string bad = whole;
  bad.replace(bad.find("\"seed\": 3"), 9, "\"seed\": -3");
  EXPECT_NE(message(bad).find("`seed` should be a whole number"), std::string::npos) << message(bad);
  bad = whole;
  bad.replace(bad.find("lost-message"), 12, "lost-massage");
  EXPECT_NE(message(bad).find("there is no anomaly"), std::string::npos) << message(bad);
}

// A capsule comes from anybody: whatever it is, reading it ends in a capsule or in a clear refusal.
RC_GTEST_PROP(Capsule, AnyDamageIsReadOrRefused, ()) {
  static const std::string whole = capsule_text(make_capsule(acks_1(), model(), "lost-message", "0.0.1"));
  std::string text = whole;
  const auto hits = *rc::gen::inRange(1, 6);
  for (int i = 0; i < hits; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto length = *rc::gen::inRange<std::size_t>(0, 40);
    const std::string by = *rc::gen::oneOf(rc::gen::container<std::string>(rc::gen::arbitrary<char>()), rc::gen::element<std::string>("{", "[[[[", "null", "1e999", "\"\\ud800\"", "\xff"));
    text.replace(at, length, by);
    if (text.empty()) break;
  }
  try {
    const Capsule c = read_capsule(text);
    RC_ASSERT(read_capsule(capsule_text(c)).seed == c.seed);
  } catch (const InputError& e) {
    RC_ASSERT(std::string(e.what()).find("this is no capsule: ") != std::string::npos);
  }
}

}  // namespace
}  // namespace mqlab
