// The transactions class: with the anomaly, nearly with it, without it.
#include <gtest/gtest.h>

#include "tests/check/story.h"

using namespace mqlab;
using namespace mqlab::test;

// ---- precommitted-read

TEST(PrecommittedRead, ATransactionGetsItsOwnSendBeforeItCommits) {
  expect_violated(Story(R"(
    A begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    A got x q@0 g tx=1 read-committed
    A committing tx=1
    A txcommitted tx=1
  )"), "precommitted-read", 3, {1, 3}, "A's transaction 1 got its own x from q@0 at read-committed before it asked to commit");
}

TEST(PrecommittedRead, AfterTheCommitWasAskedForItMayShow) {
  expect_holds(Story(R"(
    A begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    A committing tx=1
    A got x q@0 g tx=1 read-committed
    A txcommitted tx=1
  )"), "precommitted-read");
}

// The numbers are each process's own.
TEST(PrecommittedRead, TheSameNumberOfAnotherProcessIsAnotherTransaction) {
  expect_holds(Story(R"(
    A begin tx=1
    B begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    A txcommitted tx=1
    B send y q tx=1
    B got x q@0 g tx=1 read-committed
    B txcommitted tx=1
  )"), "precommitted-read");
}

TEST(PrecommittedRead, AtReadUncommittedItIsAllowed) {
  expect_unknown(Story(R"(
    A begin tx=1
    A send x q tx=1
    A got x q@0 g tx=1
  )"), "precommitted-read", "nothing was looked at: no deliveries at read-committed inside a transaction that had sent something");
}

// ---- torn-transaction

namespace {
// A's transaction writes q and r; g reads both. What is `r` to see, and how does it end?
Story torn(const std::string& end, const std::string& then) {
  return Story(R"(
    C assign q@0 g
    C assign r@0 g
    A begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    A send y r tx=1
    A ok y r@0 tx=1
    A )" + end + " tx=1\n" + then);
}
const std::string torn_tail = "C got x q@0 g read-committed\n drained";
}  // namespace

TEST(TornTransaction, OnePartOfACommittedOneIsNeverSeen) {
  expect_violated(torn("txcommitted", torn_tail), "torn-transaction", 9, {6, 7, 8, 9},
                  "g got x (q@0) of A's transaction 1, which was committed, and never y (r@0) of the same");
}

TEST(TornTransaction, OnePartOfAnAbortedOneIsSeen) {
  expect_violated(torn("aborted", torn_tail), "torn-transaction", 9, {6, 7, 8, 9},
                  "g got x (q@0) of A's transaction 1, which was aborted, and never y (r@0) of the same");
  expect_violated(torn("txfailed", torn_tail), "torn-transaction", 9, {6, 7, 8, 9},
                  "g got x (q@0) of A's transaction 1, which was aborted, and never y (r@0) of the same");
}

// Either all or nothing shows, whichever it was.
TEST(TornTransaction, AnUnknownEndIsNoExcuseForAPart) {
  expect_violated(torn("txunknown", torn_tail), "torn-transaction", 9, {6, 8, 9},
                  "g got x (q@0) of A's transaction 1, whose outcome its client never learned, and never y (r@0) of the same");
}

// The commit that nobody answered may have come true, whatever a second one is told.
TEST(TornTransaction, ACommitThatFailsWhenAskedAgainDecidesNothing) {
  expect_violated(torn("txunknown tx=1\nA txfailed", torn_tail), "torn-transaction", 10, {6, 9, 10},
                  "g got x (q@0) of A's transaction 1, whose outcome its client never learned, and never y (r@0) of the same");
}

TEST(TornTransaction, AllOrNothingHoldsUnderAnUnknownEnd) {
  expect_holds(torn("txunknown", "C got x q@0 g read-committed\n C got y r@0 g read-committed\n drained"), "torn-transaction");
  expect_unknown(torn("txunknown", "drained"), "torn-transaction",
                 "nothing was looked at: no times that a subscription saw a transaction of several sends at read-committed");
}

TEST(TornTransaction, BeforeADrainTheRestIsLate) {
  expect_unknown(torn("txcommitted", "C got x q@0 g read-committed"), "torn-transaction",
                 "1 transaction was seen in part, and no drain says that the rest will not arrive");
}

TEST(TornTransaction, WhoReadsOnePlaceOnlyIsOwedThatOnly) {
  expect_holds(Story(R"(
    C assign q@0 g
    A begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    A send y r tx=1
    A ok y r@0 tx=1
    A txcommitted tx=1
    C got x q@0 g read-committed
    drained
  )"), "torn-transaction");
}

TEST(TornTransaction, AtReadUncommittedPartsAreAllowed) {
  const Report r = torn("txcommitted", "C got x q@0 g\n drained").check("torn-transaction");
  EXPECT_EQ(r.count, 0u);
}

// ---- zombie-write-accepted

namespace {
Story zombie(const std::string& rest) {
  return Story(R"(
    A begin tx=1 key=id
    A send x q tx=1
    A ok x q@0 tx=1
    B begin tx=1 key=id
    B send y q tx=1
    B ok y q@1 tx=1
    B txcommitted tx=1
  )" + rest);
}
}  // namespace

TEST(ZombieWrite, ASendOfATransactionThatWasTakenOverBecomesVisible) {
  expect_violated(zombie("C got x q@0 g read-committed"), "zombie-write-accepted", 7, {1, 3, 6, 7},
                  "C got x from q@0 of A's transaction 1, though B's transaction 1 had taken over the transactional id id before A asked to commit");
}

TEST(ZombieWrite, ACommitOfTheZombieMakesItNoBetter) {
  EXPECT_EQ(zombie("A txcommitted tx=1\n C got x q@0 g read-committed").check("zombie-write-accepted").count, 1u);
}

TEST(ZombieWrite, ItIsCertainWhenTheLaterOneHasCommitted) {
  expect_violated(Story(R"(
    A begin tx=1 key=id
    A send x q tx=1
    A ok x q@0 tx=1
    B begin tx=1 key=id
    B send y q tx=1
    C got x q@0 g read-committed
    B ok y q@1 tx=1
    B txcommitted tx=1
  )"), "zombie-write-accepted", 7, {1, 3, 5, 7},
                  "C got x from q@0 of A's transaction 1, though B's transaction 1 had taken over the transactional id id before A asked to commit");
}

// To begin asks nobody: who was fenced long ago may do it, and so may somebody whose empty transaction commits by itself.
TEST(ZombieWrite, WhoOnlyBeginsHasTakenNothingOver) {
  for (const char* rest : {"", "B txfailed tx=1\n", "B send y q tx=1\n B fail y tx=1\n B aborted tx=1\n", "B txcommitted tx=1\n", "B txunknown tx=1\n"}) {
    const Report r = Story(R"(
      A begin tx=1 key=id
      A send x q tx=1
      A ok x q@0 tx=1
      B begin tx=1 key=id
    )" + std::string(rest) + "A txcommitted tx=1\n C got x q@0 g read-committed").check("zombie-write-accepted");
    EXPECT_EQ(r.count, 0u) << rest;
  }
}

TEST(ZombieWrite, ACommitAskedForBeforeTheTakeoverMayStillCount) {
  const Report r = Story(R"(
    A begin tx=1 key=id
    A send x q tx=1
    A ok x q@0 tx=1
    A committing tx=1
    B begin tx=1 key=id
    B send y q tx=1
    B ok y q@1 tx=1
    B txcommitted tx=1
    C got x q@0 g read-committed
  )").check("zombie-write-accepted");
  EXPECT_EQ(r.count, 0u);
}

TEST(ZombieWrite, AnotherIdTakesNothingOver) {
  const Report r = Story(R"(
    A begin tx=1 key=id
    A send x q tx=1
    A ok x q@0 tx=1
    B begin tx=1 key=other
    B send y q tx=1
    B ok y q@1 tx=1
    B txcommitted tx=1
    A txcommitted tx=1
    C got x q@0 g read-committed
  )").check("zombie-write-accepted");
  EXPECT_EQ(r.count, 0u);
}

// It came back after a crash: the same process, the same id, another number.
TEST(ZombieWrite, TheSameProcessAfterARestartTakesOverFromItself) {
  expect_violated(Story(R"(
    A begin tx=1 key=id
    A send x q tx=1
    A begin tx=2 key=id
    A send y q tx=2
    A ok y q@1 tx=2
    A txcommitted tx=2
    C got x q@0 g read-committed
  )"), "zombie-write-accepted", 6, {1, 2, 5, 6},
                  "C got x from q@0 of A's transaction 1, though A's transaction 2 had taken over the transactional id id before A asked to commit");
}

TEST(ZombieWrite, HiddenIsFenced) { expect_holds(zombie("C got y q@1 g read-committed\n drained"), "zombie-write-accepted"); }

TEST(ZombieWrite, AFencedSendIsSeenAtAnyIsolation) {
  expect_violated(Story(R"(
    A send x q
    A fail x error=PRODUCER_FENCED
    C got x q@0 g
  )"), "zombie-write-accepted", 2, {1, 2}, "C got x from q@0, though A had been fenced when it sent it (PRODUCER_FENCED)");
  expect_violated(Story(R"(
    A send x q
    C got x q@0 g
    A fail x error=INVALID_PRODUCER_EPOCH
  )"), "zombie-write-accepted", 2, {1, 2}, "C got x from q@0, though A had been fenced when it sent it (INVALID_PRODUCER_EPOCH)");
}

TEST(ZombieWrite, AnotherSendOfTheMessageExplainsTheSight) {
  expect_holds(Story(R"(
    A send x q
    A fail x error=PRODUCER_FENCED
    B send x q
    B ok x q@0
    C got x q@0 g
  )"), "zombie-write-accepted");
}

// ---- int-send-skip

TEST(SendSkip, AnotherMessageStandsBetween) {
  expect_violated(Story(R"(
    A begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    B send z q
    B ok z q@1
    A send y q tx=1
    A ok y q@2 tx=1
  )"), "int-send-skip", 6, {2, 4, 6}, "A's transaction 1 sent x and next y, which stand at q@0 and @2, and z stands between");
}

TEST(SendSkip, WhatIsStillOpenMayComeBetween) {
  const std::string open = R"(
    A begin tx=1
    A send x q tx=1
    A send w q tx=1
    A send y q tx=1
    A ok x q@0 tx=1
    A ok y q@2 tx=1
    B send z q
    B ok z q@1
  )";
  EXPECT_EQ(Story(open).check("int-send-skip").count, 0u);
  expect_violated(Story(open + "A fail w tx=1"), "int-send-skip", 8, {4, 5, 7}, "A's transaction 1 sent x and next y, which stand at q@0 and @2, and z stands between");
}

TEST(SendSkip, AMarkerBetweenIsNoMessage) {
  expect_holds(Story(R"(
    A begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    A send y q tx=1
    A ok y q@2 tx=1
  )"), "int-send-skip");
}

// ---- hung-transaction

namespace {
// x is read, y is committed behind it; `between` may hold what keeps it back.
Story hung(const std::string& between, const std::string& tail) {
  return Story(R"(
    C assign q@0 g
    A begin tx=1
    A send x q tx=1
    A ok x q@0 tx=1
    A txcommitted tx=1
    C got x q@0 g read-committed
  )" + between + R"(
    B begin tx=1
    B send y q tx=1
    B ok y q@5 tx=1
    B txcommitted tx=1
  )" + tail);
}
}  // namespace

TEST(HungTransaction, AtADrainNothingMayStandBehindTheReaders) {
  expect_violated(hung("", "drained"), "hung-transaction", 10, {5, 9, 10},
                  "B was told that y is stored at q@5 and committed, yet since 0.009000 s nobody gets anything at read-committed from q beyond @0, "
                  "and nobody owns an open transaction there");
}

TEST(HungTransaction, ABoundDecidesAHistoryThatJustGoesOn) {
  const std::string tail = "A send z r ms=20\n A ok z r@0 ms=60";
  expect_violated(hung("", tail), "hung-transaction", 11, {5, 9, 11},
                  "B was told that y is stored at q@5 and committed, yet since 0.009000 s nobody gets anything at read-committed from q beyond @0, "
                  "and nobody owns an open transaction there", {.hung_bound = 50'000'000});
  expect_unknown(hung("", tail), "hung-transaction",
                 "1 place holds committed messages that nobody got at read-committed, and no drain or bound says that this is too long");
}

TEST(HungTransaction, AnOpenTransactionOfAClientThatLivesHoldsReadersBackByRight) {
  expect_unknown(hung("D begin tx=1\n D send d q tx=1\n D ok d q@1 tx=1", "drained"), "hung-transaction",
                 "1 place holds committed messages that nobody got at read-committed, and D's transaction 1 is open there");
}

TEST(HungTransaction, WhenItsOwnerWasToldAnEndItHoldsNothingBackAnyMore) {
  EXPECT_EQ(hung("D begin tx=1\n D send d q tx=1\n D ok d q@1 tx=1", "D txunknown tx=1\n drained").check("hung-transaction").count, 1u);
  EXPECT_EQ(hung("D begin tx=1 key=id\n D send d q tx=1\n D ok d q@1 tx=1", "E begin tx=1 key=id\n drained").check("hung-transaction").count, 1u)
      << "it was taken over";
  EXPECT_EQ(hung("D begin tx=1\n D send d q tx=1\n D ok d q@1 tx=1", "D begin tx=2\n drained").check("hung-transaction").count, 1u)
      << "its owner is at work on the next";
}

// Told that it is committed, and aborted by a late request: lost. Nothing comes after it, yet nobody is held back.
TEST(HungTransaction, WhoStoredAPositionBehindItWasNotHeldBack) {
  const Story lost = hung("", "C commit q@7 g\n C committed q@7 g\n drained");
  expect_holds(lost, "hung-transaction");
  EXPECT_EQ(lost.check("lost-message").count, 1u);
  EXPECT_EQ(hung("", "C commit q@5 g\n C committed q@5 g\n drained").check("hung-transaction").count, 1u) << "it stands right there";
  expect_holds(hung("", "C ask q\n C end q@7 read-committed\n drained"), "hung-transaction");
  EXPECT_EQ(hung("", "C ask q\n C end q@7\n drained").check("hung-transaction").count, 1u) << "the end for readers of everything";
}

TEST(HungTransaction, WhatIsReadHolds) { expect_holds(hung("", "C got y q@5 g read-committed\n drained"), "hung-transaction"); }

TEST(HungTransaction, WhereTheBrokerTellsItsStablePositionTheSentenceRepeatsIt) {
  Story s = hung("", "drained");
  s.journal.marks.push_back({.time = 6'000'000, .name = s.journal.names.id("stable_position"), .place = s.journal.names.id("q"), .text = "1"});
  const Report r = s.check("hung-transaction");
  ASSERT_EQ(r.count, 1u);
  EXPECT_NE(r.worst[0].sentence.find("beyond @0 (the broker's stable position stands at 1 since 0.006000 s), and"), std::string::npos) << r.worst[0].sentence;
}

TEST(HungTransaction, WhereNobodyUsesTransactionsAMissingTailIsLateOrLost) {
  expect_unknown(Story(R"(
    C assign q@0 g
    A send x q
    A ok x q@0
    C got x q@0 g read-committed
    A send y q
    A ok y q@1
    drained
  )"), "hung-transaction", "nothing was looked at: no places that transactions wrote and that are read at read-committed");
}

// ---- G0 and G1c

TEST(Cycles, TwoTransactionsWriteTwoPlacesInOppositeOrders) {
  const Story s(R"(
    A begin tx=1
    B begin tx=1
    A send a1 q tx=1
    A ok a1 q@0 tx=1
    B send b1 q tx=1
    B ok b1 q@1 tx=1
    B send b2 r tx=1
    B ok b2 r@0 tx=1
    A send a2 r tx=1
    A ok a2 r@1 tx=1
    A txcommitted tx=1
    B txcommitted tx=1
  )");
  expect_violated(s, "G0", 11, {3, 5, 7, 9, 10, 11},
                  "A's transaction 1 wrote q@0 before B's transaction 1 wrote @1, and B's transaction 1 wrote r@0 before A's transaction 1 wrote @1");
  for (const char* stronger : {"G0-process", "G0-realtime", "G1c", "G1c-process", "G1c-realtime"}) EXPECT_EQ(s.check(stronger).count, 0u) << stronger;
}

TEST(Cycles, AnAbortedTransactionIsInNoCycle) {
  expect_unknown(Story(R"(
    A begin tx=1
    B begin tx=1
    A send a1 q tx=1
    A ok a1 q@0 tx=1
    B send b1 q tx=1
    B ok b1 q@1 tx=1
    B send b2 r tx=1
    B ok b2 r@0 tx=1
    A send a2 r tx=1
    A ok a2 r@1 tx=1
    A aborted tx=1
    B txcommitted tx=1
  )"), "G0", "nothing was looked at: no writes next to one another by two");
}

// The later send stands first: in one process that is G0-process, in two G0-realtime.
TEST(Cycles, TheOrderOfAProcessOrOfTimeClosesTheCircle) {
  const Story process(R"(
    A send x q
    A ok x q@1
    A send y q
    A ok y q@0
  )");
  expect_violated(process, "G0-process", 3, {1, 2, 3}, "A's send of x had ended before A's send of y began, and A's send of y wrote q@0 before A's send of x wrote @1");
  EXPECT_EQ(process.check("G0-realtime").count, 0u) << "told once";
  const Story time(R"(
    A send x q
    A ok x q@1
    B send y q
    B ok y q@0
  )");
  expect_violated(time, "G0-realtime", 3, {1, 2, 3}, "A's send of x had ended before B's send of y began, and B's send of y wrote q@0 before A's send of x wrote @1");
  EXPECT_EQ(time.check("G0-process").count, 0u);
}

TEST(Cycles, SendsInFlightTogetherHaveNoOrder) {
  expect_holds(Story(R"(
    A send x q
    A send y q
    A ok x q@1
    A ok y q@0
  )"), "G0-realtime");
}

namespace {
const char* const both_read = R"(
    A begin tx=1
    B begin tx=1
    A send a q tx=1
    A ok a q@0 tx=1
    B send b r tx=1
    B ok b r@0 tx=1
    A got b r@0 g tx=1 read-committed
    B got a q@0 g tx=1 read-committed
    A txcommitted tx=1
    B txcommitted tx=1
)";
}

TEST(Cycles, EachReadsWhatTheOtherWrote) {
  expect_violated(Story(both_read), "G1c", 9, {2, 4, 6, 7, 8, 9},
                  "B's transaction 1 read a of A's transaction 1, and A's transaction 1 read b of B's transaction 1");
}

// Interleaved writes are allowed; that each read the other is not, and is told beside them.
TEST(Cycles, ACycleOfReadsIsNotHiddenByOneOfWrites) {
  const Story s(std::string(R"(
    A begin tx=1
    B begin tx=1
    A send a q tx=1
    A ok a q@0 tx=1
    B send b q tx=1
    B ok b q@1 tx=1
    A send c q tx=1
    A ok c q@2 tx=1
    A got b q@1 g tx=1 read-committed
    B got a q@0 g tx=1 read-committed
    A txcommitted tx=1
    B txcommitted tx=1
  )"));
  EXPECT_EQ(s.check("G0").count, 1u);
  EXPECT_EQ(s.check("G1c").count, 1u);
}

TEST(Cycles, AWriteAndAReadTogether) {
  expect_violated(Story(R"(
    A begin tx=1
    B begin tx=1
    A send a q tx=1
    A ok a q@0 tx=1
    B send b q tx=1
    B ok b q@1 tx=1
    B send c r tx=1
    B ok c r@0 tx=1
    A got c r@0 g tx=1 read-committed
    B txcommitted tx=1
    A txcommitted tx=1
  )"), "G1c", 10, {3, 5, 6, 8, 9, 10},
                  "A's transaction 1 wrote q@0 before B's transaction 1 wrote @1, and A's transaction 1 read c of B's transaction 1");
}

namespace {
// B's commit is under way while a reader already sees it; who begins after that writes before B all the same.
Story early_reader(const char* writer) {
  return Story(std::string(R"(
    B begin tx=1
    B send x r tx=1
    B ok x r@0 tx=1
    B send y q tx=1
    B ok y q@1 tx=1
    B committing tx=1
    C poll
    C got x r@0 g poll=6 read-committed
    C polled
  )") + writer + " send z q\n" + writer + " ok z q@0\n B txcommitted tx=1");
}
}  // namespace

TEST(Cycles, WhatWasReadAndThenWrittenClosesTheCircle) {
  expect_violated(early_reader("C"), "G1c-process", 11, {1, 4, 7, 8, 9, 10, 11},
                  "C's poll (row 6) read x of B's transaction 1, C's poll (row 6) had ended before C's send of z began, and C's send of z wrote q@0 "
                  "before B's transaction 1 wrote @1");
  EXPECT_EQ(early_reader("C").check("G1c-realtime").count, 0u) << "told once";
  expect_violated(early_reader("D"), "G1c-realtime", 11, {1, 4, 7, 8, 9, 10, 11},
                  "C's poll (row 6) read x of B's transaction 1, C's poll (row 6) had ended before D's send of z began, and D's send of z wrote q@0 "
                  "before B's transaction 1 wrote @1");
  EXPECT_EQ(early_reader("D").check("G1c-process").count, 0u);
}

// ---- atomicity-gap

namespace {
// k1 reads in@0, writes o1 and stores position 1, all in one transaction; how does it end, and what then?
Story worked(const std::string& end, const std::string& then) {
  return Story(R"(
    P send i in
    P ok i in@0
    k1 assign in@0 g
    R assign out@0 h
    k1 got i in@0 g read-committed
    k1 begin tx=1
    k1 send o1 out tx=1
    k1 ok o1 out@0 tx=1
    k1 commit in@1 g tx=1
    k1 committed in@1 g tx=1
    k1 )" + end + " tx=1\n" + then);
}
// k2 does the same again.
const std::string again = R"(
    k2 assign in@0 g
    k2 got i in@0 g read-committed
    k2 begin tx=1
    k2 send o2 out tx=1
    k2 ok o2 out@2 tx=1
    k2 commit in@1 g tx=1
    k2 committed in@1 g tx=1
    k2 txcommitted tx=1
)";
}  // namespace

// KIP-447: before it, a member that the group had replaced could still store positions and commit.
TEST(AtomicityGap, OneInputGoesIntoTwoTransactionsThatCount) {
  expect_violated(worked("txcommitted", again), "atomicity-gap", 18, {4, 10, 12, 18},
                  "in@0 went into k1's transaction 1 and again into k2's transaction 1, and the outputs of both count");
}

TEST(AtomicityGap, AfterAnAbortItMustBeDoneAgain) {
  expect_holds(worked("aborted", again + "R got o2 out@2 h read-committed\n drained"), "atomicity-gap");
}

TEST(AtomicityGap, AnUnknownCommitThatShowedIsNotDoneAgain) {
  expect_violated(worked("txunknown", again + "R got o1 out@0 h read-committed"), "atomicity-gap", 19, {4, 12, 18, 19},
                  "in@0 went into k1's transaction 1 and again into k2's transaction 1, and the outputs of both count");
}

TEST(AtomicityGap, WhoSeeksBackAfterACommitChoseToDoItAgain) {
  expect_holds(worked("txcommitted", R"(
    k1 seek in@0 g
    k1 got i in@0 g read-committed
    k1 begin tx=2
    k1 send o2 out tx=2
    k1 ok o2 out@2 tx=2
    k1 commit in@1 g tx=2
    k1 committed in@1 g tx=2
    k1 txcommitted tx=2
    R got o1 out@0 h read-committed
    R got o2 out@2 h read-committed
    drained
  )"), "atomicity-gap");
}

TEST(AtomicityGap, ThePositionOfAnAbortedOneCounts) {
  expect_violated(worked("aborted", "k2 assign in@1 g\n drained"), "atomicity-gap", 12, {4, 10, 11, 12},
                  "in@0 went into k1's transaction 1, which was aborted, and into no other, yet g went on at 1 (k2)");
}

// KAFKA-17582: an abort does not move the consumer back, and the next transaction's position passes what it lost.
TEST(AtomicityGap, WhoDoesNotGoBackAfterAnAbortSkips) {
  expect_violated(worked("aborted", R"(
    k1 got i2 in@1 g read-committed
    k1 begin tx=2
    k1 send o2 out tx=2
    k1 ok o2 out@2 tx=2
    k1 commit in@2 g tx=2
    k1 committed in@2 g tx=2
    k1 txcommitted tx=2
    R got o2 out@2 h read-committed
    drained
  )"), "atomicity-gap", 19, {4, 10, 16, 19},
                  "in@0 went into k1's transaction 1, which was aborted, and into no other, yet g stored the position 2 (k1)");
}

// None of its sends came through, so it has no output at all; the position it was to store counts all the same.
TEST(AtomicityGap, AnAbortedOneAllOfWhoseOutputsFailedMeantToWrite) {
  expect_violated(Story(R"(
    P send i in
    P ok i in@0
    k1 assign in@0 g
    k1 got i in@0 g read-committed
    k1 begin tx=1
    k1 send o1 out tx=1
    k1 fail o1 out tx=1
    k1 commit in@1 g tx=1
    k1 committed in@1 g tx=1
    k1 aborted tx=1
    k2 assign in@1 g
    drained
  )"), "atomicity-gap", 11, {3, 9, 10, 11},
                  "in@0 went into k1's transaction 1, which was aborted, and into no other, yet g went on at 1 (k2)");
}

TEST(AtomicityGap, PositionsStoredOutsideTheTransactionCountAlone) {
  expect_violated(Story(R"(
    P send i in
    P ok i in@0
    k1 assign in@0 g
    k1 begin tx=1
    k1 got i in@0 g tx=1 read-committed
    k1 send o1 out tx=1
    k1 ok o1 out@0 tx=1
    k1 commit in@1 g
    k1 committed in@1 g
    k1 aborted tx=1
    drained
  )"), "atomicity-gap", 10, {4, 8, 9, 10},
                  "in@0 went into k1's transaction 1, which was aborted, and into no other, yet g stored the position 1 (k1)");
}

TEST(AtomicityGap, CommittedAndItsOutputNeverShows) {
  expect_violated(worked("txcommitted", "drained"), "atomicity-gap", 11, {7, 10, 11},
                  "k1's transaction 1 counts with in@0 as read, yet nobody got its output o1 (out@0)");
  expect_unknown(worked("txcommitted", ""), "atomicity-gap", "1 transaction may still turn out whole, and no drain says that nothing more arrives");
}

TEST(AtomicityGap, AllOfItCounts) { expect_holds(worked("txcommitted", "R got o1 out@0 h read-committed\n drained"), "atomicity-gap"); }
