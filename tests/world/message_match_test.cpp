// Which messages a fault that names one takes, by number, kind and way, and which it leaves alone.
// What it does to them: message_fault_test.cpp.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

constexpr FaultKind kinds[] = {FaultKind::hold, FaultKind::drop, FaultKind::delay, FaultKind::duplicate};

// From A to B, of the kind `Say`.
Fault fault_of(FaultKind kind, std::string label = {}) {
  Fault f = fault(kind, {{"A"}, {"B"}});
  f.message = "Say";
  f.label = std::move(label);
  return f;
}

}  // namespace

// Of seven the third and the fourth, and no other: each is a bite.
TEST(MessageFault, EachTakesSoManyFromTheNthOn) {
  for (FaultKind kind : kinds) {
    Stage s(3);
    Fault f = fault_of(kind, "x");
    f.nth = 3;
    f.count = 2;
    f.amount = 10_ms;
    const std::size_t i = s.inject(f);
    for (const char* text : {"1", "2", "3", "4", "5", "6", "7"}) {
      s.tell(A, B, text);
      s.tell(A, C, text);
      s.tell(A, B, "f", Traffic::client, fetch);
    }
    s.run(1_ms);
    const bool also = kind == FaultKind::duplicate;
    EXPECT_EQ(s.heard(B), also ? "1 f 2 f 3 f 4 f 5 f 6 f 7 f" : "1 f 2 f f f 5 f 6 f 7 f") << fault_decl(kind).name;
    s.run(9_ms);
    EXPECT_EQ(s.peer(B).when.back(), 1_ms);
    s.quiet();
    EXPECT_EQ(s.heard(C), "1 2 3 4 5 6 7");
    EXPECT_EQ(s.bites(i), 2U);
    EXPECT_EQ(s.peer(B).heard.size(), 1U + (also ? 16U : kind == FaultKind::delay ? 14U : 12U));
    EXPECT_EQ(s.when(B, "3"), also ? 1_ms : kind == FaultKind::delay ? 11_ms : -1);
    EXPECT_EQ(s.peer(B).when.back(), also || kind == FaultKind::delay ? 11_ms : 1_ms);
    EXPECT_EQ(s.bites(s.inject(fault_of(FaultKind::release, "y"))), 0U);
    EXPECT_EQ(s.bites(s.inject(fault_of(FaultKind::release, "x"))), kind == FaultKind::hold ? 2U : 0U);
    s.quiet();
    EXPECT_EQ(s.when(B, "4"), kind == FaultKind::drop ? -1 : also ? 1_ms : 11_ms);
  }
}

TEST(MessageFault, NoneBitesWhatItDoesNotName) {
  for (FaultKind kind : kinds) {
    Stage s(3);
    const ConnId c = s.connect(A, B);
    s.quiet();
    Fault f = fault_of(kind);
    f.nth = 3;
    f.amount = 1_s;
    const std::size_t few = s.inject(f);
    f.nth = 1;
    f.message = "Sy";
    const std::size_t unknown = s.inject(f);
    f.message = "Say";
    f.groups = {{"A"}, {"nobody of that name"}};
    const std::size_t nobody_hears = s.inject(f);
    f.groups = {{"C"}, {"B"}};
    const std::size_t another = s.inject(f);
    s.send(A, c, "1");
    s.tell(A, B, "2");
    s.send(A, c, "f", fetch);
    s.send(B, c, "back");
    s.run(1_ms);
    EXPECT_EQ(s.heard(B), "1 2 f") << fault_decl(kind).name;
    EXPECT_EQ(s.heard(A), "back");
    for (std::size_t i : {few, unknown, nobody_hears, another}) EXPECT_EQ(s.bites(i), 0U) << fault_decl(kind).name << i;
    EXPECT_EQ(s.world.faults()[unknown].complaint, "no message is called `Sy`");
    EXPECT_NE(s.world.faults()[nobody_hears].complaint, "");
    EXPECT_EQ(s.world.faults()[few].complaint, "");
  }
}

TEST(MessageFault, ReleaseOfNothingNeverBites) {
  Stage s(2);
  EXPECT_EQ(s.bites(s.inject(fault(FaultKind::release))), 0U);
  s.inject(fault(FaultKind::clog, {{"A"}, {"B"}}));
  s.tell(A, B, "kept by a clog, and not by a hold");
  s.run(1_s);
  EXPECT_EQ(s.bites(s.inject(fault(FaultKind::release))), 0U);
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "");
}
