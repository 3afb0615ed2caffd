// Goals: something happened inside while a client was in the middle of something.
#include "sim/hunt/coverage.h"

#include <gtest/gtest.h>

#include "tests/script/toy_model.h"

namespace mqlab {
namespace {

// A history by hand: process 0 is a broker, 1 and 2 are clients.
struct Story {
  Journal j;
  Story() { j.processes = {"B1", "P1", "P2"}; }

  OpIndex row(Time t, OpKind kind, Outcome outcome, const std::string& place, NodeId process = 1, OpIndex of = no_op, std::int64_t position = -1) {
    Op op;
    op.time = t;
    op.kind = kind;
    op.outcome = outcome;
    op.place = j.names.id(place);
    op.process = process;
    op.of = of;
    op.position = position;
    j.ops.push_back(op);
    return j.ops.size() - 1;
  }
  void mark(Time t, const std::string& name, NodeId node = 0, const std::string& place = "") {
    j.marks.push_back({t, no_event, node, j.names.id(name), j.names.id(place), {}});
  }
};

std::vector<std::string> reached(const Journal& j, const GoalSet& goals) {
  GoalScan scan(goals);
  scan.advance(j, time_max);
  std::vector<std::string> names;
  for (const std::uint32_t g : scan.reached()) names.push_back(goals.all()[g].name);
  return names;
}

using Names = std::vector<std::string>;
const toy::ToyModel model;

TEST(Coverage, AMarkBetweenTheCallAndItsAnswerIsDuringIt) {
  Story s;
  const OpIndex send = s.row(10, OpKind::send, Outcome::invoke, "orders");
  s.mark(20, "leader_elected");
  s.row(30, OpKind::send, Outcome::ok, "orders/0", 1, send);
  const GoalSet goals(model, s.j);
  EXPECT_EQ(reached(s.j, goals), (Names{"leader_elected", "leader_elected during a send"}));
}

TEST(Coverage, AMarkAfterTheAnswerIsNot) {
  Story s;
  const OpIndex send = s.row(10, OpKind::send, Outcome::invoke, "orders");
  s.row(30, OpKind::send, Outcome::ok, "orders/0", 1, send);
  s.mark(31, "leader_elected");
  EXPECT_EQ(reached(s.j, GoalSet(model, s.j)), Names{"leader_elected"});
}

TEST(Coverage, AMarkOfAnotherPlaceIsAnothersMiddle) {
  Story s;
  s.row(5, OpKind::send, Outcome::fail, "payments/0");
  s.row(10, OpKind::send, Outcome::invoke, "orders/1");
  s.mark(20, "leader_elected", 0, "payments/0");
  s.mark(21, "leader_elected", 0, "orders/0");
  EXPECT_EQ(reached(s.j, GoalSet(model, s.j)), Names{"leader_elected"});
  s.mark(22, "leader_elected", 0, "tx-1");  // no place of messages: says nothing of where
  EXPECT_EQ(reached(s.j, GoalSet(model, s.j)), (Names{"leader_elected", "leader_elected during a send"}));
}

TEST(Coverage, AClientIsInItsOwnMiddleAndADeadOneInNone) {
  Story s;
  s.row(1, OpKind::send, Outcome::fail, "orders/0", 2);
  s.row(10, OpKind::send, Outcome::invoke, "orders/0", 1);
  s.mark(20, "paused", 2);
  EXPECT_EQ(reached(s.j, GoalSet(model, s.j)), Names{"paused"});
  s.mark(30, "killed", 1);  // in the middle of its send
  s.mark(40, "paused", 1);  // and then of nothing
  EXPECT_EQ(reached(s.j, GoalSet(model, s.j)), (Names{"killed", "killed during a send", "paused"}));
}

TEST(Coverage, WhatWasDeliveredIsOpenUntilItIsAcknowledgedOrItsPositionCommitted) {
  Story s;
  s.row(10, OpKind::deliver, Outcome::ok, "q", 1);
  s.row(11, OpKind::deliver, Outcome::ok, "q", 1);
  s.row(12, OpKind::ack, Outcome::ok, "q", 1);
  const GoalSet goals(model, s.j);
  Story one = s;
  one.mark(20, "killed", 1);
  EXPECT_EQ(reached(one.j, goals), (Names{"killed", "killed between delivery and ack"}));
  Story both = s;
  both.row(13, OpKind::ack, Outcome::ok, "q", 1);
  both.mark(20, "killed", 1);
  EXPECT_EQ(reached(both.j, goals), Names{"killed"});
}

TEST(Coverage, AReadWhosePositionsAreNeverStoredHasNoSuchMiddle) {
  Story s;
  s.row(10, OpKind::deliver, Outcome::ok, "q", 1);
  const GoalSet goals(model, s.j);
  for (const Goal& g : goals.all()) EXPECT_EQ(g.name.find("delivery"), std::string::npos) << g.name;
}

TEST(Coverage, TheSameHoweverTheJournalIsCut) {
  Story s;
  const OpIndex send = s.row(10, OpKind::send, Outcome::invoke, "orders");
  s.mark(10, "leader_elected");
  s.row(20, OpKind::send, Outcome::ok, "orders/0", 1, send);
  s.row(20, OpKind::send, Outcome::invoke, "orders", 2);
  s.mark(20, "paused");
  const GoalSet goals(model, s.j);
  GoalScan whole(goals);
  whole.advance(s.j, time_max);
  // A mark may be told before a row of the same time: who reads on at once must not judge yet.
  GoalScan pieces(goals);
  Journal cut = s.j;
  cut.ops.clear();
  cut.marks.resize(1);
  pieces.advance(cut, 10);
  cut.ops.assign(s.j.ops.begin(), s.j.ops.begin() + 2);
  pieces.advance(cut, 15);
  cut = s.j;
  pieces.advance(cut, 20);
  pieces.advance(cut, time_max);
  EXPECT_EQ(whole.reached(), pieces.reached());
}

}  // namespace
}  // namespace mqlab
