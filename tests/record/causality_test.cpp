#include "sim/record/causality.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/record/event_text.h"
#include "tests/record/journals.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

using Indices = std::vector<std::uint32_t>;

// B1's timer makes it fetch from B2; B3 does something of its own.
Journal fetch() {
  Journal j;
  declare_messages(j);
  j.processes = {"B1", "B2", "B3"};
  j.deliveries = {
      delivery(10, 100, EventKind::timer, 0, 0, 0, 0, 4),
      delivery(11, 150, EventKind::timer, 2, 2, 0, 0, 4),
      delivery(12, 300, EventKind::data, 0, 1, 10, 100, 1, "epoch=3"),
      delivery(13, 400, EventKind::data, 1, 0, 12, 310, 1, "reply"),
      delivery(14, 400, EventKind::timer, 2, 2, 11),
  };
  j.marks.push_back({.time = 300, .during = 12, .node = 1, .name = j.names.id("high_watermark"), .place = j.names.id("orders/0"), .text = "7"});
  return j;
}

}  // namespace

TEST(Causality, MessagesTimersAndLinesMakeTheOrder) {
  const Journal j = fetch();
  const Causality c(j);
  EXPECT_TRUE(c.happens_before(10, 12));
  EXPECT_TRUE(c.happens_before(10, 13));
  EXPECT_TRUE(c.happens_before(11, 14));
  EXPECT_FALSE(c.happens_before(12, 10));
  EXPECT_FALSE(c.happens_before(11, 13));  // B3 told nobody
  EXPECT_FALSE(c.happens_before(12, 12));
  EXPECT_FALSE(c.happens_before(10, 99));  // never recorded
  EXPECT_EQ(c.past_of(13), (Indices{0, 2, 3}));
  EXPECT_EQ(c.future_of(11), (Indices{1, 4}));
  EXPECT_EQ(c.past_of(99), Indices{});
}

TEST(Causality, WhyIsTheChainOfCausesWithItsMarks) {
  const Journal j = fetch();
  const Causality c(j);
  EXPECT_EQ(c.why(13), (std::vector<std::string>{"0.000000 s  B1 timer 4", "0.000000 s  B1->B2 Fetch epoch=3",
                                                 "    B2 high_watermark orders/0: 7", "0.000000 s  B2->B1 Fetch reply"}));
  EXPECT_EQ(c.why(13, 1), (std::vector<std::string>{"... 2 earlier", "0.000000 s  B2->B1 Fetch reply"}));
}

// A message that waited for a connection was added by another node's event; its sender still
// comes before it.
TEST(Causality, AMessageThatWaitedComesFromItsSender) {
  Journal j;
  j.processes = {"A", "B", "C"};
  j.deliveries = {delivery(1, 10, EventKind::timer, 0, 0, 0), delivery(2, 20, EventKind::timer, 0, 0, 0),
                  delivery(3, 90, EventKind::data, 0, 1, 77, 15), delivery(4, 95, EventKind::data, 2, 1, 77, 15)};
  const Causality c(j);
  EXPECT_TRUE(c.happens_before(1, 3));
  EXPECT_FALSE(c.happens_before(2, 3));  // handled after it was sent
  EXPECT_EQ(c.past_of(4), (Indices{0, 2, 3}));
}

TEST(Causality, EventsOfTheWorldAreALineOfTheirOwn) {
  Journal j;
  j.processes = {"A"};
  j.deliveries = {delivery(1, 10, EventKind::timer, 0, 0, 0), delivery(2, 20, EventKind::fault, 0, 0, 0),
                  delivery(3, 30, EventKind::start, 0, 0, 2)};
  const Causality c(j);
  EXPECT_FALSE(c.happens_before(1, 2));
  EXPECT_TRUE(c.happens_before(2, 3));
  EXPECT_EQ(c.lines(), (std::vector<NodeId>{0, nobody}));
}

// Lamport and Mattern: a before b iff b's clock holds all that a's own component counts.
RC_GTEST_PROP(Causality, VectorClocksOrderAsTheGraphDoes, ()) {
  const Journal j = any_trace(*rc::gen::scale(4.0, rc::gen::arbitrary<std::vector<std::uint32_t>>()));
  const Causality c(j);
  const auto clocks = c.vector_clocks();
  for (std::uint32_t a = 0; a < c.size(); ++a) {
    if (c.index_of(j.deliveries[a].event.id) != a) continue;
    std::vector<std::uint32_t> later;
    for (std::uint32_t b = 0; b < c.size(); ++b) {
      if (c.index_of(j.deliveries[b].event.id) != b) continue;
      const std::uint32_t line = c.line_index(a);
      const bool by_clock = a != b && clocks[b][line] >= clocks[a][line];
      RC_ASSERT(c.happens_before(j.deliveries[a].event.id, j.deliveries[b].event.id) == by_clock);
      const auto past = c.past_of(j.deliveries[b].event.id);
      RC_ASSERT(std::binary_search(past.begin(), past.end(), a) == (by_clock || a == b));
    }
  }
}

// A asks B at 1 us and sets a timer for 3 us. Of what came of that, the answer to A never arrived: A waited for it in vain. What B told C,
// what A sent for other reasons, and what was over only later, has nothing to do with it.
TEST(Causality, WhatWasWaitedForInVain) {
  Journal j;
  declare_messages(j);
  j.processes = {"A", "B", "C"};
  j.deliveries = {delivery(1, 1'000, EventKind::timer, 0, 0, no_event), delivery(2, 1'500, EventKind::timer, 0, 0, no_event), delivery(3, 2'000, EventKind::data, 0, 1, 1, 1'000),
                  delivery(4, 2'500, EventKind::datagram, 0, 0, 1, 1'000), delivery(5, 3'000, EventKind::timer, 0, 0, 1)};
  const auto lost = [&](Time sent, Time over, NodeId from, NodeId to, EventId cause, std::size_t after) { return drop(delivery(0, over, EventKind::data, from, to, cause, sent), after, DropReason::lost); };
  j.drops = {lost(2'000, 2'100, 1, 0, 3, 3), lost(2'000, 2'100, 1, 2, 3, 3), lost(1'500, 2'100, 0, 1, 2, 3), lost(2'000, 3'500, 1, 0, 3, 4), lost(2'000, 3'000, 1, 0, 3, 5)};
  const Causality c(j);
  EXPECT_EQ(c.reason_of(4), std::optional<std::uint32_t>(0));
  EXPECT_EQ(c.lost_between(0, 4), (std::vector<std::uint32_t>{0, 4})) << "the last was over because the timer closed its connection";
  EXPECT_EQ(c.lost_between(0, 4, 1), std::vector<std::uint32_t>{0});
  EXPECT_EQ(c.lost_between(0, 3), std::vector<std::uint32_t>{}) << "a message came: it did not wait in vain";
  EXPECT_EQ(c.lost_between(0, 2), std::vector<std::uint32_t>{}) << "on another line";
  EXPECT_EQ(c.lost_between(1, 4), std::vector<std::uint32_t>{2}) << "what came of the other event";
  EXPECT_EQ(c.lost_between(4, 0), std::vector<std::uint32_t>{});
  EXPECT_EQ(c.why(5), (std::vector<std::string>{"0.000001 s  A timer 1", "    B->A Fetch never arrived: it was lost on the way", "    B->A Fetch never arrived: it was lost on the way", "0.000003 s  A timer 1"}));
}

RC_GTEST_PROP(Causality, EveryMarkAndEventIsVisitedOnceInOrder, ()) {
  const Journal j = any_trace(*drawn_numbers());
  std::vector<const Mark*> marks;
  std::size_t events = 0;
  Time time = 0;
  visit_trace(j, {.delivery =
                      [&](const Delivery& d, std::size_t index) {
                        RC_ASSERT(index == events++);
                        RC_ASSERT(d.time >= time);
                        time = d.time;
                      },
                  .mark =
                      [&](const Mark& m) {
                        RC_ASSERT(&m == &j.marks[marks.size()]);
                        marks.push_back(&m);
                        RC_ASSERT(m.time >= time);
                        time = m.time;
                      }});
  RC_ASSERT(events == j.deliveries.size());
  RC_ASSERT(marks.size() == j.marks.size());
}
