// Faults that name one message: hold, release, drop, delay, duplicate the n-th of a kind.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

Fault on_message(FaultKind kind, std::uint64_t nth, std::string label = {}) {
  Fault f = fault(kind, {{"A"}, {"B"}});
  f.message = "Say";
  f.nth = nth;
  f.label = std::move(label);
  return f;
}

Fault release(std::string label = {}) {
  Fault f = fault(FaultKind::release);
  f.label = std::move(label);
  return f;
}

struct Talk : Stage {
  Talk() : Stage(3) {
    c = connect(A, B);
    quiet();
  }
  void say_all(const std::vector<std::string>& texts) {
    for (const std::string& t : texts) send(A, c, t);
    run(1_s);
  }
  ConnId c;
};

}  // namespace

TEST(MessageFault, HoldKeepsTheMessageAndAllBehindIt) {
  Talk s;
  const std::size_t f = s.inject(on_message(FaultKind::hold, 2, "x"));
  s.say_all({"1", "2", "3"});
  EXPECT_EQ(s.heard(B), "1");
  const std::size_t other = s.inject(release("y"));
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "1");
  const std::size_t r = s.inject(release("x"));
  s.say_all({"4"});
  EXPECT_EQ(s.heard(B), "1 2 3 4");
  EXPECT_EQ(s.bites(f), 1U);
  EXPECT_EQ(s.bites(r), 1U);
  EXPECT_EQ(s.bites(other), 0U);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// What was sent before the held message must not wait for it, even if it waits for the handshake.
TEST(MessageFault, HoldDoesNotKeepWhatWasSentBefore) {
  Stage s(2);
  s.inject(on_message(FaultKind::hold, 2));
  const ConnId c = s.connect(A, B);
  for (const char* t : {"1", "2", "3"}) s.send(A, c, t);
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "1");
  s.inject(release());
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "1 2 3");
}

TEST(MessageFault, TwoHeldOnOneStreamGoOneByOne) {
  Talk s;
  s.inject(on_message(FaultKind::hold, 1, "first"));
  s.inject(on_message(FaultKind::hold, 2, "second"));  // counts from its own beginning: the third
  s.say_all({"1", "2", "3", "4"});
  EXPECT_EQ(s.heard(B), "");
  s.inject(release("first"));
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "1 2");
  s.inject(release("second"));
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "1 2 3 4");
}

TEST(MessageFault, HeldAndCutTogether) {
  Talk s;
  s.inject(on_message(FaultKind::hold, 2, "x"));
  s.send(A, s.c, "1");
  s.run(500_us);
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}));
  s.say_all({"2", "3"});  // 1 comes back from the cut
  s.inject(release("x"));
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "");
  s.inject(fault(FaultKind::heal));
  s.run(5_s);
  EXPECT_EQ(s.heard(B), "1 2 3");
  s.inject(on_message(FaultKind::hold, 1, "y"));
  s.say_all({"4"});
  s.inject(fault(FaultKind::partition, {{"A"}, {"B"}}, 1_s));
  s.run(5_s);
  EXPECT_EQ(s.heard(B), "1 2 3");
  s.inject(release("y"));
  s.run(5_s);
  EXPECT_EQ(s.heard(B), "1 2 3 4");
}

TEST(MessageFault, AHeldMessageDiesWithItsMachineAndNotWithItsProcess) {
  for (FaultKind kind : {FaultKind::kill, FaultKind::power}) {
    Talk s;
    s.inject(on_message(FaultKind::hold, 1));
    s.say_all({"1"});
    s.inject(fault(kind, {{"A"}}, 1_s));
    s.run(2_s);
    s.inject(release());
    s.run(2_s);
    EXPECT_EQ(s.heard(B), kind == FaultKind::kill ? "1 closed" : "");
    EXPECT_EQ(s.world.payloads_in_use(), 0U);
  }
}

TEST(MessageFault, DropTakesTheRestOfTheStreamWithIt) {
  Talk s;
  const std::size_t f = s.inject(on_message(FaultKind::drop, 2));
  s.say_all({"1", "2", "3"});
  s.send(B, s.c, "the other way");
  s.quiet();
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_EQ(s.heard(A), "the other way timeout");  // A's transport waits for an acknowledgement in vain
  EXPECT_EQ(s.bites(f), 1U);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

TEST(MessageFault, DelayKeepsTheOrderOfTheStream) {
  Talk s;
  Fault delay = on_message(FaultKind::delay, 2);
  delay.amount = 500_ms;
  const std::size_t f = s.inject(delay);
  const Time begin = s.world.now();
  s.say_all({"1", "2", "3"});
  EXPECT_EQ(s.heard(B), "1 2 3");
  EXPECT_EQ(s.when(B, "1"), begin + 1_ms);
  EXPECT_EQ(s.when(B, "2"), begin + 501_ms);
  EXPECT_EQ(s.when(B, "3"), begin + 501_ms);
  EXPECT_EQ(s.bites(f), 1U);
}

TEST(MessageFault, DuplicateComesASecondTimeLater) {
  Talk s;
  Fault twice = on_message(FaultKind::duplicate, 1);
  twice.amount = 100_ms;
  const std::size_t f = s.inject(twice);
  s.say_all({"1", "2"});
  EXPECT_EQ(s.heard(B), "1 2 1");
  EXPECT_EQ(s.bites(f), 1U);
  twice.amount = 0;
  s.inject(twice);
  s.say_all({"3"});
  EXPECT_EQ(s.heard(B), "1 2 1 3 3");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// The copy that comes after the end of the connection breaks nothing.
TEST(MessageFault, ADuplicateOfAConnectionThatEndedIsForgotten) {
  Talk s;
  Fault twice = on_message(FaultKind::duplicate, 1);
  twice.amount = 100_ms;
  s.inject(twice);
  s.send(A, s.c, "1");
  s.run(10_ms);
  s.as(B).close(s.c);
  s.quiet();
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_EQ(s.heard(A), "closed");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
  EXPECT_EQ(s.world.connections_in_use(), 0U);
}

TEST(MessageFault, CountTakesSeveralAndZeroAll) {
  Stage s(2);
  Fault drop = on_message(FaultKind::drop, 2);
  drop.count = 2;
  const std::size_t f = s.inject(drop);
  for (const char* t : {"1", "2", "3", "4"}) s.tell(A, B, t);
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 4");
  EXPECT_EQ(s.bites(f), 2U);
  drop.nth = 1;
  drop.count = 0;
  s.inject(drop);
  for (const char* t : {"5", "6", "7"}) s.tell(A, B, t);
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 4");
}

TEST(MessageFault, Datagrams) {
  Stage s(3);
  Fault hold = on_message(FaultKind::hold, 1, "h"), delay = on_message(FaultKind::delay, 1), twice = on_message(FaultKind::duplicate, 1);
  delay.amount = 50_ms;
  twice.amount = 20_ms;
  s.inject(hold);
  s.tell(A, B, "held");
  s.inject(delay);
  s.tell(A, B, "late");
  s.inject(twice);
  s.tell(A, B, "twice");
  s.tell(A, B, "other kind", Traffic::client, fetch);
  s.tell(A, C, "other way");
  s.run(1_s);
  EXPECT_EQ(s.heard(B), "twice other kind twice late");
  EXPECT_EQ(s.heard(C), "other way");
  const std::size_t r = s.inject(release("h"));
  s.quiet();
  EXPECT_EQ(s.heard(B), "twice other kind twice late held");
  EXPECT_EQ(s.bites(r), 1U);
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

TEST(MessageFault, OnlyTheKindAndTheWayThatItNames) {
  Talk s;
  const std::size_t f = s.inject(on_message(FaultKind::drop, 1));
  s.send(B, s.c, "back");
  s.send(A, s.c, "fetch", fetch);
  s.run(1_s);
  EXPECT_EQ(s.heard(A), "back");
  EXPECT_EQ(s.heard(B), "fetch");
  EXPECT_EQ(s.bites(f), 0U);
}

TEST(MessageFault, OneThatNamesNobodyMatchesNothing) {
  Talk s;
  Fault f = on_message(FaultKind::drop, 1);
  f.groups = {{"nobody"}, {"B"}};
  const std::size_t i = s.inject(f);
  f.groups = {{"A"}};
  f.message = "Nonsense";
  const std::size_t k = s.inject(f);
  s.say_all({"1"});
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_NE(s.world.faults()[i].complaint, "");
  EXPECT_NE(s.world.faults()[k].complaint, "");
}
