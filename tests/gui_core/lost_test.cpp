// Messages that never arrived: found, placed, drawn and told in all views.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include <set>

#include "gui/core/describe.h"
#include "gui/core/filter.h"
#include "gui/core/spacetime.h"
#include "gui/core/topology.h"
#include "gui/core/what_if.h"
#include "sim/record/event_text.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
using namespace testing;
const FixedMeasure measure;

const testing::Recorded& duplicate() { return recorded("museum/kafka/p01-retry-duplicate.lua"); }
const testing::Recorded& quorum() { return recorded("search/quorum.lua"); }

// The one that the story is about.
std::size_t the_answer(const testing::Recorded& r) {
  const Journal& j = r.recording->journal();
  for (std::size_t i = 0; i < j.drops.size(); ++i)
    if (j.drops[i].why == DropReason::fault) return i;
  ADD_FAILURE() << "no answer was dropped";
  return 0;
}

Scene spacetime_of(const testing::Recorded& r, const Focus& focus = {}, std::size_t crosses_most = 300, std::optional<TimeRange> range = {}, const std::vector<bool>* passing = nullptr) {
  const SpacetimeFacts facts = spacetime_facts(*r.index);
  SpacetimeView v;
  v.lanes = facts.lanes;
  v.time.range = range.value_or(TimeRange{0, r.recording->end()});
  v.crosses_most = crosses_most;
  v.passing_drops = passing;
  Scene s = spacetime(*r.index, facts, v, focus, 1'000, 500, measure);
  check(s);
  return s;
}

// Crosses by drop: where.
std::map<std::uint64_t, Point> crosses(const Scene& s) {
  std::map<std::uint64_t, Point> out;
  for (const Shape& x : s.shapes())
    if (x.kind == ShapeKind::cross && x.entity.kind == EntityId::Kind::drop) out[x.entity.a] = x.from;
  return out;
}

TEST(Lost, TheAnswerOfADuplicateIsRecordedWithItsReason) {
  const auto& r = duplicate();
  const Journal& j = r.recording->journal();
  const Drop& d = j.drops.at(the_answer(r));
  EXPECT_NE(drop_text(j, d).find("ProduceReply"), std::string::npos);
  EXPECT_NE(drop_text(j, d).find("->P1"), std::string::npos);
  EXPECT_NE(drop_text(j, d).find("never arrived: a fault dropped it"), std::string::npos);
}

TEST(Lost, StandAmongTheEventsByTheirTime) {
  for (const testing::Recorded* r : {&duplicate(), &quorum()}) {
    const Journal& j = r->recording->journal();
    ASSERT_FALSE(j.drops.empty());
    Time before = 0;
    std::size_t after = 0;
    for (std::size_t i = 0; i < j.drops.size(); ++i) {
      const Drop& d = j.drops[i];
      EXPECT_GE(d.time, before);
      EXPECT_GE(d.after, after);
      if (d.after > 0) {
        EXPECT_LE(r->recording->time_of(d.after - 1), d.time);
      }
      if (d.after < r->recording->events()) {
        EXPECT_GE(r->recording->time_of(d.after), d.time);
      }
      EXPECT_EQ(r->recording->event_of_drop(i), d.after > 0 ? d.after - 1 : 0);
      before = d.time;
      after = d.after;
    }
  }
}

RC_GTEST_PROP(LostProperty, TheIndexSaysWhatALoopSays, ()) {
  const EventIndex& index = *quorum().index;
  const Recording& r = index.recording();
  const Time t = *rc::gen::inRange<Time>(0, r.end()), until = t + *rc::gen::inRange<Time>(0, r.end() / 4);
  std::set<std::uint32_t> expected, seen;
  for (std::size_t i = 0; i < r.journal().drops.size(); ++i)
    if (sent_at(r.journal().drops[i]) <= until && r.journal().drops[i].time >= t) expected.insert(static_cast<std::uint32_t>(i));
  index.lost_between(t, until, [&](const LostFlight& f) { seen.insert(f.drop); });
  RC_ASSERT(seen == expected);
}

// The first one of the tables is the cause of the second in all that a run is made of: a checkpoint loses nothing of it.
TEST(Lost, AreTheSameInTwoRecordingsOfOneRun) {
  const testing::Recorded again = record(scenario_of("museum/kafka/p01-retry-duplicate.lua"));
  const auto &a = duplicate().recording->journal(), &b = again.recording->journal();
  ASSERT_EQ(a.drops.size(), b.drops.size());
  for (std::size_t i = 0; i < a.drops.size(); ++i) EXPECT_EQ(drop_text(a, a.drops[i]), drop_text(b, b.drops[i]));
}

TEST(Lost, SpacetimeDrawsACrossWhenAndAsFarAsItCame) {
  const auto& r = duplicate();
  const std::size_t answer = the_answer(r);
  const Drop& d = r.recording->journal().drops[answer];
  const TimeRange range{d.time - 50_ms, d.time + 50_ms};
  const Scene s = spacetime_of(r, {}, 300, range);
  const auto all = crosses(s);
  ASSERT_TRUE(all.count(answer));
  const Rect area = spacetime_area(1'000, 500, measure);
  EXPECT_NEAR(all.at(answer).x, area.x + area.w / 2, 1);
  // Between the lines of the broker and of P1.
  float from = 0, to = 0;
  for (const Named& n : s.named()) {
    if (n.text == "line of P1") to = n.bounds.y + n.bounds.h / 2;
    if (n.text == "line of " + r.recording->line_name(d.event.source)) from = n.bounds.y + n.bounds.h / 2;
  }
  EXPECT_NEAR(all.at(answer).y, (from + to) / 2, 1);
  EXPECT_TRUE(shows(s, "ProduceReply: a fault dropped it"));
  EXPECT_NE(said(s, EntityId::drop(answer)).find("never arrived"), std::string::npos);
}

TEST(Lost, OneInFocusIsMarked) {
  const auto& r = duplicate();
  Focus f;
  f.entity = EntityId::drop(the_answer(r));
  EXPECT_EQ(count(spacetime_of(r), ShapeKind::circle, Ink::selection), 0U);
  EXPECT_EQ(count(spacetime_of(r, f), ShapeKind::circle, Ink::selection), 1U);
}

TEST(Lost, AboveTheLimitDensityStandsForThemAndOneInFocusIsStillDrawn) {
  const auto& r = quorum();
  ASSERT_GT(r.index->lost().size(), 5U);
  const Scene s = spacetime_of(r, {}, 3);
  EXPECT_TRUE(crosses(s).empty());
  EXPECT_GT(count(s, ShapeKind::rectangle, MessageLooks::lost_ink), 0U);
  EXPECT_TRUE(remarks(s, "that never arrived drawn"));
  Focus f;
  f.entity = EntityId::drop(4);
  const auto drawn = crosses(spacetime_of(r, f, 3));
  EXPECT_EQ(drawn.size(), 1U);
  EXPECT_TRUE(drawn.count(4));
}

bool is_heartbeat(const Journal& j, const Drop& d) { return j.messages[d.event.type].traffic == Traffic::heartbeat; }

// Where there are so many that words would hide the picture, none has any; and heartbeats are drawn, and not told one by one.
TEST(Lost, WordsAreForFewAndForWhatIsNoHeartbeat) {
  std::size_t told = 0, heartbeats = 0, many = 0;
  for (const testing::Recorded* r : {&quorum(), &recorded("showcase.lua")}) {
    const Journal& j = r->recording->journal();
    const auto words = [](const Scene& s) {
      std::size_t n = 0;
      for (const Shape& x : s.shapes()) n += x.kind == ShapeKind::text && x.entity.kind == EntityId::Kind::drop;
      return n;
    };
    if (std::count_if(j.drops.begin(), j.drops.end(), [&](const Drop& d) { return !is_heartbeat(j, d); }) > 40) {
      EXPECT_EQ(words(spacetime_of(*r, {}, j.drops.size())), 0U);
      ++many;
    }
    for (std::size_t i = 0; i < j.drops.size(); i += 3) {
      const Scene s = spacetime_of(*r, {}, 300, TimeRange{j.drops[i].time - 5_ms, j.drops[i].time + 5_ms});
      for (const auto& [drop, at] : crosses(s)) heartbeats += is_heartbeat(j, j.drops[drop]);
      told += words(s);
      for (const Named& n : s.named()) {
        EXPECT_FALSE(n.entity.kind == EntityId::Kind::drop && is_heartbeat(j, j.drops[n.entity.a])) << n.text;
      }
    }
  }
  EXPECT_GT(many, 0U);
  EXPECT_GT(told, 0U);
  EXPECT_GT(heartbeats, 0U);
}

// The columns stand on the line of whom it was for.
TEST(Lost, DensityStandsOnTheLineThatWaits) {
  const auto& r = duplicate();
  const Drop& d = r.recording->journal().drops[the_answer(r)];
  const Scene s = spacetime_of(r, {}, 0, TimeRange{d.time - 50_ms, d.time + 50_ms});
  float line = -1;
  for (const Named& n : s.named())
    if (n.text == "line of P1") line = n.bounds.y + n.bounds.h / 2;
  std::size_t columns = 0;
  for (const Shape& x : s.shapes())
    if (x.kind == ShapeKind::rectangle && x.ink == MessageLooks::lost_ink) {
      EXPECT_NEAR(std::max(x.from.y, x.to.y), line, 1.5F);
      ++columns;
    }
  EXPECT_EQ(columns, 1U);
}

TEST(Lost, ByOrderTheyStandBetweenTheEvents) {
  const auto& r = duplicate();
  const std::size_t answer = the_answer(r);
  const SpacetimeFacts facts = spacetime_facts(*r.index);
  SpacetimeView v;
  v.lanes = facts.lanes;
  v.time.by_order = true;
  const Drop& d = r.recording->journal().drops[answer];
  v.time.range = {d.time - 20_ms, d.time + 20_ms};
  const Scene s = spacetime(*r.index, facts, v, {}, 1'000, 500, measure);
  check(s);
  ASSERT_TRUE(crosses(s).count(answer));
  // Half a step behind the event that was before it.
  std::vector<std::size_t> steps;
  for (std::size_t e = r.recording->event_after(v.time.range.from); e < r.recording->events() && r.recording->time_of(e) <= v.time.range.to; ++e)
    if (line_of(r.recording->journal().deliveries[e].event) != nobody) steps.push_back(e);
  const auto place = std::find(steps.begin(), steps.end(), r.recording->event_of_drop(answer)) - steps.begin();
  const Rect area = spacetime_area(1'000, 500, measure);
  const float step = area.w / static_cast<float>(steps.size());
  const Scene here = spacetime(*r.index, facts, v, {.event = r.recording->event_of_drop(answer)}, 1'000, 500, measure);
  float cursor = 0;
  for (const Shape& x : here.shapes())
    if (x.kind == ShapeKind::line && x.ink == Ink::cursor) cursor = x.from.x;
  EXPECT_LT(place, static_cast<std::ptrdiff_t>(steps.size()));
  EXPECT_NEAR(crosses(s).at(answer).x, cursor + step / 2, 0.5F);
  for (const Shape& x : s.shapes())
    if (x.kind == ShapeKind::line && x.entity == EntityId::drop(answer)) {
      EXPECT_LE(x.from.x, x.to.x);
    }
}

TEST(Lost, TheFilterTakesThemAwayByNodeAndKind) {
  const auto& r = duplicate();
  const Journal& j = r.recording->journal();
  const std::size_t answer = the_answer(r);
  const NodeId p1 = r.recording->result().world->find("P1"), b1 = j.drops[answer].event.source;
  const auto has = [&](const std::vector<Chip>& chips) {
    const auto all = Filter{chips}.drops(*r.recording);
    return std::find(all.begin(), all.end(), answer) != all.end();
  };
  EXPECT_TRUE(has({}));
  EXPECT_TRUE(has({Chip::node(p1)}));
  EXPECT_TRUE(has({Chip::node(b1)}));
  EXPECT_FALSE(has({Chip::node(r.recording->result().world->find("R"))}));
  EXPECT_TRUE(has({Chip::message_kind(j.drops[answer].event.type)}));
  EXPECT_FALSE(has({Chip::message_kind(static_cast<MessageKind>(j.drops[answer].event.type + 1))}));
  EXPECT_TRUE(has({Chip::hide(Traffic::heartbeat)}));
  EXPECT_FALSE(has({Chip::hide(Traffic::client)}));
  EXPECT_FALSE(has({Chip::told()}));
  // Alone, or not at all.
  EXPECT_TRUE(has({Chip::dropped()}));
  EXPECT_TRUE(Filter{{Chip::dropped()}}.rows(*r.recording).empty());
  Chip no = Chip::dropped();
  no.excludes = true;
  EXPECT_FALSE(has({no}));
  EXPECT_EQ(Filter{{no}}.rows(*r.recording).size(), r.recording->events());
  const std::vector<bool> none(j.drops.size());
  EXPECT_TRUE(crosses(spacetime_of(r, {}, 300, {}, &none)).empty());
}

// What never left stands near its sender, what was lost on the way in its middle, what came to a machine near it.
TEST(Lost, EachReasonHasItsPlaceOnTheWay) {
  for (const DropReason near_sender : {DropReason::cut_off, DropReason::gave_up, DropReason::closed, DropReason::sender_ended, DropReason::unfinished}) EXPECT_LT(part_of_way(near_sender), 0.3F);
  for (const DropReason between : {DropReason::cut, DropReason::lost, DropReason::fault, DropReason::behind_fault}) EXPECT_FLOAT_EQ(part_of_way(between), 0.5F);
  for (const DropReason near_receiver : {DropReason::receiver_down, DropReason::receiver_new, DropReason::receiver_closed, DropReason::receiver_ended}) EXPECT_GT(part_of_way(near_receiver), 0.7F);
}

// Of one kind of chip one is enough, of several kinds one of each is needed, and none that excludes may fit.
RC_GTEST_PROP(LostProperty, TheFilterKeepsWhatEachChipByItselfKeeps, ()) {
  const Recording& r = *(*rc::gen::arbitrary<bool>() ? quorum() : duplicate()).recording;
  const Journal& j = r.journal();
  const Event& some = j.drops[*rc::gen::inRange<std::size_t>(0, j.drops.size())].event;
  std::vector<Chip> chips;
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) {
    Chip c = *rc::gen::element(Chip::node(some.source), Chip::node(some.target), Chip::node(0), Chip::message_kind(some.type), Chip::message_kind(static_cast<MessageKind>(some.type + 1)),
                               Chip::traffic(j.messages[some.type].traffic), Chip::traffic(Traffic::heartbeat), Chip::event_kind(static_cast<EventKind>(some.kind)), Chip::event_kind(EventKind::timer), Chip::dropped());
    c.excludes = *rc::gen::inRange(0, 3) == 0;
    chips.push_back(std::move(c));
  }
  const auto fits = [&](const Chip& c, const Event& e) {
    if (c.kind == Chip::Kind::node) return e.source == c.number || e.target == c.number;
    if (c.kind == Chip::Kind::message_kind) return e.type == c.number;
    if (c.kind == Chip::Kind::traffic) return static_cast<std::uint64_t>(j.messages[e.type].traffic) == c.number;
    if (c.kind == Chip::Kind::event_kind) return e.kind == c.number;
    return true;
  };
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < j.drops.size(); ++i) {
    bool keeps = true;
    for (const Chip& c : chips) {
      if (c.excludes) keeps = keeps && !fits(c, j.drops[i].event);
      else keeps = keeps && std::any_of(chips.begin(), chips.end(), [&](const Chip& o) { return !o.excludes && o.kind == c.kind && fits(o, j.drops[i].event); });
    }
    if (keeps) expected.push_back(i);
  }
  RC_ASSERT((Filter{chips}.drops(r)) == expected);
}

// Of nodes that are hidden, or folded into one line, none is drawn; and none stands outside of the lines.
TEST(Lost, OnlyBetweenLinesThatAreShown) {
  const auto& r = duplicate();
  const Drop& d = r.recording->journal().drops[the_answer(r)];
  const SpacetimeFacts facts = spacetime_facts(*r.index);
  SpacetimeView v;
  v.time.range = {d.time - 50_ms, d.time + 50_ms};
  const auto draws_it = [&](std::vector<Lane> lanes) {
    v.lanes = std::move(lanes);
    const Scene s = spacetime(*r.index, facts, v, {}, 1'000, 500, measure);
    check(s);
    return crosses(s).count(the_answer(r)) > 0;
  };
  EXPECT_TRUE(draws_it(facts.lanes));
  EXPECT_FALSE(draws_it(hide(facts.lanes, {d.event.source})));
  EXPECT_FALSE(draws_it(hide(facts.lanes, {d.event.target})));
  EXPECT_FALSE(draws_it(fold(facts.lanes, {d.event.source, d.event.target}, "both")));
  NodeId other = 0;
  while (other == d.event.source || other == d.event.target) ++other;
  EXPECT_TRUE(draws_it(fold(facts.lanes, {d.event.source, other}, "both")));
}

TEST(Lost, TopologyShowsItUnderWayAndThenACrossWithTheReason) {
  const auto& r = duplicate();
  const TopologyFacts facts = topology_facts(*r.index);
  const std::size_t answer = the_answer(r);
  const Drop& d = r.recording->journal().drops[answer];
  const auto scene_at = [&](std::size_t event, Time now) {
    Scene s = topology(*r.index, facts, *r.recording->moment(event), now, {}, 900, 600, measure);
    check(s);
    return s;
  };
  const Scene over = scene_at(r.recording->event_of_drop(answer), d.time);
  ASSERT_TRUE(crosses(over).count(answer));
  EXPECT_TRUE(shows(over, "ProduceReply: a fault dropped it"));
  EXPECT_TRUE(shows(over, "never arrived")) << "the legend";
  EXPECT_NE(said(over, EntityId::drop(answer)).find("a fault dropped it"), std::string::npos);
  // Whoever steps from event to event meets it, and it does not stay for ever.
  EXPECT_TRUE(crosses(scene_at(d.after, r.recording->time_of(d.after))).count(answer));
  const std::size_t much_later = r.recording->event_before(d.time + 5_s);
  EXPECT_FALSE(crosses(scene_at(much_later, r.recording->time_of(much_later))).count(answer));
  EXPECT_FALSE(crosses(scene_at(r.recording->event_before(d.time - 1), d.time - 1)).count(answer));
}

// Where one is led to it, it is seen, though its end is a little later than the event before.
TEST(Lost, TopologyShowsTheOneInFocusAtTheEventBeforeItsEnd) {
  const auto& r = duplicate();
  const TopologyFacts facts = topology_facts(*r.index);
  const std::size_t answer = the_answer(r), event = r.recording->event_of_drop(answer);
  Focus f;
  f.event = event;
  f.entity = EntityId::drop(answer);
  const auto m = r.recording->moment(event);
  EXPECT_TRUE(crosses(topology(*r.index, facts, *m, m->time, f, 900, 600, measure)).count(answer));
  f.event = 0;
  const auto first = r.recording->moment(0);
  EXPECT_FALSE(crosses(topology(*r.index, facts, *first, first->time, f, 900, 600, measure)).count(answer));
}

TEST(Lost, ACalmRunSpeaksOfNone) {
  const testing::Recorded r = record(R"(return scenario { title = "calm", cluster = kafka { brokers = 1 }, topics = { orders = { partitions = 1, replicas = 1 } },
    clients = { producer "P1" { topic = "orders", records = 3, every = ms(10), start_at = seconds(5) } }, run_for = seconds(6) })");
  const TopologyFacts facts = topology_facts(*r.index);
  const auto m = r.recording->moment(r.recording->events() / 2);
  EXPECT_FALSE(shows(topology(*r.index, facts, *m, m->time, {}, 900, 600, measure), "never arrived"));
}

TEST(Lost, IsDescribedWithItsTimesAndCause) {
  const auto& r = duplicate();
  const std::size_t answer = the_answer(r);
  const Description d = describe(*r.index, *r.recording->moment(r.recording->event_of_drop(answer)), EntityId::drop(answer));
  EXPECT_NE(d.title.find("never arrived: a fault dropped it"), std::string::npos);
  ASSERT_EQ(d.lines.size(), 2U);
  EXPECT_EQ(d.lines[0].rfind("sent by B", 0), 0U) << d.lines[0];
  EXPECT_EQ(d.lines[1].rfind("because of event", 0), 0U) << d.lines[1];
  EXPECT_TRUE(describe_drop(*r.index, r.recording->journal().drops.size()).empty());
}

// By a look at all drops and all chains: what came of an event, from or to its node, sent since, over before the next, and never arrived.
TEST(Lost, WhatWasWaitedForInVainIsWhatALoopFinds) {
  for (const testing::Recorded* r : {&duplicate(), &quorum()}) {
    const EventIndex& index = *r->index;
    const Recording& rec = *r->recording;
    const Journal& j = rec.journal();
    std::size_t found = 0, of_others = 0, of_other_events = 0;
    for (std::size_t next = 0; next < rec.events(); ++next) {
      const std::size_t here = index.cause_of(next);
      if (here >= rec.events() || is_message(j.deliveries[next].event) || line_of(j.deliveries[here].event) != line_of(j.deliveries[next].event)) continue;
      const NodeId who = line_of(j.deliveries[here].event);
      std::vector<std::uint32_t> expected;
      for (std::uint32_t i = 0; i < j.drops.size(); ++i) {
        const Drop& d = j.drops[i];
        if (sent_at(d) < rec.time_of(here) || d.time < rec.time_of(here) || d.after > next + 1 || d.time > rec.time_of(next)) continue;
        std::size_t at = index.cause_of_drop(i), links = 0;
        while (at < rec.events() && at > here && links++ < 64) at = index.cause_of(at);
        const bool its_own = d.event.source == who || d.event.target == who;
        of_others += at == here && !its_own;
        of_other_events += at != here && its_own;
        if (at == here && its_own) expected.push_back(i);
      }
      EXPECT_EQ(index.lost_because_of(here, next, j.drops.size()), expected) << here << " " << next;
      found += expected.size();
    }
    EXPECT_GT(found, 0U);
    EXPECT_TRUE(r == &duplicate() || (of_others > 0 && of_other_events > 0)) << of_others << " " << of_other_events;
  }
}

// Why did P1 send again? It waited for an answer that never came.
TEST(Lost, TheChainOfCausesNamesTheAnswerThatNeverCame) {
  const auto& r = duplicate();
  const Recording& rec = *r.recording;
  const std::size_t answer = the_answer(r);
  // The second delivery of the record: from there back.
  std::set<std::uint32_t> named;
  for (std::size_t e = 0; e < rec.events(); ++e) {
    const CauseChain chain = causes_of(*r.index, e, 40);
    ASSERT_EQ(chain.lost.size(), chain.events.size());
    for (const auto& step : chain.lost) named.insert(step.begin(), step.end());
  }
  EXPECT_TRUE(named.count(static_cast<std::uint32_t>(answer)));
}

}  // namespace
}  // namespace mqlab::gui
