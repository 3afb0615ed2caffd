// Processing and effects: for each anomaly a history that has it, one that nearly has it, one that does not.
#include "tests/check/story.h"

using namespace mqlab;
using namespace mqlab::test;

// ---- commit-ahead-of-processing

TEST(CommitAhead, CommittedAndThenKilled) {
  const Story s(R"(
    C1 got a orders/0@4 g1
    C1 got b orders/0@5 g1
    C1 process a orders/0@4
    C1 commit orders/0@6
    C1 committed orders/0@6
    drained
  )");
  expect_violated(s, "commit-ahead-of-processing", 5, {1, 4, 5},
                  "C1 committed a position past b (orders/0@5), which C1 got and nobody of g1 finished processing");
}

TEST(CommitAhead, AcknowledgedAndThenKilled) {
  const Story s(R"(
    C1 got a q1 g1
    C1 got b q1 g1
    C1 process a q1 g1
    C1 ack b q1 g1
    drained
  )");
  expect_violated(s, "commit-ahead-of-processing", 4, {1, 3, 4},
                  "C1 acknowledged b (q1), which C1 got and nobody of g1 finished processing");
}

TEST(CommitAhead, ACommitStopsBeforeThePositionItNames) {
  expect_holds(Story(R"(
    C1 got a orders/0@4 g1
    C1 got b orders/0@5 g1
    C1 process a orders/0@4
    C1 commit orders/0@5
    C1 committed orders/0@5
    drained
  )"),
               "commit-ahead-of-processing");
}

TEST(CommitAhead, WhoeverProcessesItBeforeTheDrainHealsIt) {
  const std::string before = R"(
    C1 got a orders/0@4 g1
    C1 got b orders/0@5 g1
    C1 process a orders/0@4
    C1 commit orders/0@6
    C1 committed orders/0@6
    C2 got b orders/0@5 g1
  )";
  expect_holds(Story(before + "C2 process b orders/0@5\n drained"), "commit-ahead-of-processing");
  EXPECT_EQ(Story(before + "C2 failed b orders/0@5\n drained").check("commit-ahead-of-processing").count, 1u);
  EXPECT_EQ(Story(before + "drained\n C2 process b orders/0@5").check("commit-ahead-of-processing").count, 1u);
  EXPECT_EQ(Story(before + "C3 process b orders/0@5 g2\n drained").check("commit-ahead-of-processing").count, 1u);
  expect_unknown(Story(before), "commit-ahead-of-processing",
                 "1 message was passed and not processed so far, and no drain says that nobody will");
}

TEST(CommitAhead, ACommitThatFailedOrIsUnknownPassesNothing) {
  const Story s(R"(
    C1 got a orders/0@4 g1
    C1 got b orders/0@5 g1
    C1 process a orders/0@4
    C1 committed orders/0@5
    C1 commit orders/0@6
    drained
  )");
  expect_holds(s, "commit-ahead-of-processing");
  // In a transaction it is for the names of transactions to judge.
  expect_holds(Story("C1 got a orders/0@4 g1\n C1 got b orders/0@5 g1\n C1 process a orders/0@4\n C1 committed orders/0@5\n"
                     "C1 committed orders/0@6 tx=1\n drained"),
               "commit-ahead-of-processing");
}

TEST(CommitAhead, SentOnOrDeadLetteredItIsAnsweredFor) {
  const std::string before = R"(
    C1 got a orders/0@4 g1
    C1 got b orders/0@5 g1
    C1 process a orders/0@4
    C1 failed b orders/0@5
  )";
  const std::string after = "C1 commit orders/0@6\n C1 committed orders/0@6\n drained";
  expect_holds(Story(before + "C1 send b retry\n C1 ok b retry/0@0\n" + after), "commit-ahead-of-processing");
  expect_holds(Story(before + "C1 failed b orders/0@5 g1 dead-letter\n" + after), "commit-ahead-of-processing");
  // Asked and not answered: nobody has it for certain. Sent by somebody else: that is the producer's own copy.
  EXPECT_EQ(Story(before + "C1 send b retry\n" + after).check("commit-ahead-of-processing").count, 1u);
  EXPECT_EQ(Story(before + "P1 send b retry\n P1 ok b retry/0@0\n" + after).check("commit-ahead-of-processing").count, 1u);
}

TEST(CommitAhead, WhoReportsNoProcessingIsNotJudged) {
  expect_unknown(Story("C1 got a orders/0@4 g1\n C1 commit orders/0@5\n C1 committed orders/0@5\n drained"),
                 "commit-ahead-of-processing",
                 "nothing was looked at: no messages passed by a commit or an acknowledgement, where processing is reported");
  // Another group's reports do not bind this one.
  const Report r = Story(R"(
    C1 got a orders/0@4 g1
    C2 got a orders/0@4 g2
    C2 process a orders/0@4 g2
    C1 committed orders/0@5 g1
    C2 committed orders/0@5 g2
    drained
  )").check("commit-ahead-of-processing");
  EXPECT_EQ(r.verdict, Verdict::holds);
  EXPECT_EQ(r.evidence, 1u);
}

TEST(CommitAhead, ADrainMayNameOneSubscription) {
  const std::string before = R"(
    C1 got a orders/0@4 g1
    C1 got b orders/0@5 g1
    C1 process a orders/0@4
    C1 committed orders/0@6
  )";
  EXPECT_EQ(Story(before + "drained - g2").check("commit-ahead-of-processing").verdict, Verdict::unknown);
  EXPECT_EQ(Story(before + "drained orders/1").check("commit-ahead-of-processing").verdict, Verdict::unknown);
  EXPECT_EQ(Story(before + "drained orders/0 g1").check("commit-ahead-of-processing").verdict, Verdict::violated);
}

// ---- visibility-double-processing

TEST(DoubleProcessing, TheWorkOutlivedItsLease) {
  const Story s(R"(
    C1 got a orders/0@4 g1
    C2 got a orders/0@4 g1 redelivered
    C2 process a orders/0@4
    C1 process a orders/0@4
  )");
  expect_violated(s, "visibility-double-processing", 3, {0, 1, 3},
                  "C1 was still at work on a from orders/0@4 when C2 got it for g1 too");
}

TEST(DoubleProcessing, FinishedBeforeTheOtherBegan) {
  expect_holds(Story("C1 got a orders/0@4 g1\n C1 process a orders/0@4\n C2 got a orders/0@4 g1\n C2 process a orders/0@4"),
               "visibility-double-processing");
  // It never ended its work: it was killed, and the other one is alone.
  expect_holds(Story("C1 got a orders/0@4 g1\n C2 got a orders/0@4 g1\n C2 process a orders/0@4"), "visibility-double-processing");
  expect_holds(Story("C1 got a orders/0@4 g1\n C2 got a orders/0@4 g1\n C2 process a orders/0@4\n C1 failed a orders/0@4"),
               "visibility-double-processing");
}

TEST(DoubleProcessing, OtherCopiesSubscriptionsAndTheSameProcessDoNotCount) {
  expect_holds(Story("C1 got a orders/0@4 g1\n C2 got a orders/0@7 g1\n C1 process a orders/0@4"), "visibility-double-processing");
  expect_holds(Story("C1 got a orders/0@4 g1\n C2 got a orders/0@4 g2\n C1 process a orders/0@4"), "visibility-double-processing");
  expect_holds(Story("C1 got a orders/0@4 g1\n C1 got a orders/0@4 g1\n C1 process a orders/0@4"), "visibility-double-processing");
}

TEST(DoubleProcessing, TheRowSaysWhichDeliveryItEnds) {
  const std::string before = "C1 got a q g1\n C2 got a q g1\n C1 got a q g1\n";
  EXPECT_EQ(Story(before + "C1 process a q g1 of=0").check("visibility-double-processing").count, 1u);
  EXPECT_EQ(Story(before + "C1 process a q g1 of=2").check("visibility-double-processing").count, 0u);
  EXPECT_EQ(Story(before + "C1 process a q g1").check("visibility-double-processing").count, 0u);
}

// ---- effects

TEST(EffectDuplicate, DoneAgainAfterARedelivery) {
  const Story s(R"(
    C1 got a orders/0@4 g1
    C1 effect a charge
    C2 got a orders/0@4 g1
    C2 effect a charge
  )");
  expect_violated(s, "effect-duplicate", 3, {1, 3}, "C2 did \"charge\" for a, after C1 had done it");
}

TEST(EffectDuplicate, AnotherEffectOrAnotherMessageIsNone) {
  expect_holds(Story("C1 effect a charge\n C1 effect b charge\n C1 effect a mail"), "effect-duplicate");
  expect_unknown(Story("C1 got a orders/0@4 g1"), "effect-duplicate", "nothing was looked at: no effects for a message");
}

TEST(EffectLost, AcknowledgedAndNeverDone) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@4
    P1 send b orders
    P1 ok b orders/0@5
    C1 got a orders/0@4 g1
    C1 effect a charge
    C1 got b orders/0@5 g1
    C1 commit orders/0@6
    C1 committed orders/0@6
    drained
  )");
  expect_violated(s, "effect-lost", 9, {3, 6, 9},
                  "P1 was told that b is stored at orders/0@5, yet nobody did \"charge\" for it, as was done for a");
}

TEST(EffectLost, NotBeforeTheDrainNorWhereItIsNotAskedFor) {
  const std::string before = R"(
    P1 send a orders
    P1 ok a orders/0@4
    P1 send b orders
    P1 ok b orders/0@5
    C1 got a orders/0@4 g1
    C1 effect a charge
    C1 got b orders/0@5 g1
  )";
  expect_unknown(Story(before), "effect-lost", "1 effect is late, and no drain says that nothing more is done");
  expect_holds(Story(before + "C1 effect b charge\n drained"), "effect-lost");
  expect_holds(Story(before + "drained\n C1 effect b charge"), "effect-lost");
  expect_holds(Story(before + "C1 process b orders/0@5 g1 dead-letter\n drained"), "effect-lost");
  // Of another topic nobody charges anything; a send that is not acknowledged asks for nothing.
  expect_holds(Story(before + "C1 effect b charge\n P1 send c mails\n P1 ok c mails/0@1\n C1 got c mails/0@1 g1\n drained"), "effect-lost");
  expect_holds(Story(before + "C1 effect b charge\n P1 send c orders\n P1 info c\n drained"), "effect-lost");
}

TEST(EffectLost, OnlyWhatItsSubscriptionIsEntitledTo) {
  const std::string sent = "P1 send a orders\n P1 ok a orders/0@4\n P1 send b orders\n P1 ok b orders/0@5\n";
  // It began at the latest position.
  expect_holds(Story(sent + "C1 assign orders/0@5 g1\n C1 got b orders/0@5 g1\n C1 effect b charge\n drained"), "effect-lost");
  EXPECT_EQ(Story(sent + "C1 assign orders/0@4 g1\n C1 got b orders/0@5 g1\n C1 effect b charge\n drained").check("effect-lost").count, 1u);
  // The bank counts by itself, and reads nothing.
  EXPECT_EQ(Story(sent + "B effect b charge\n drained").check("effect-lost").count, 1u);
}

TEST(StaleEffect, AZombieOverwritesANewerOne) {
  const Story s(R"(
    P1 send a orders key=k
    P1 ok a orders/0@4
    P1 send b orders key=k
    P1 ok b orders/0@5
    C2 effect b write
    C1 effect a write
  )");
  expect_violated(s, "stale-effect", 5, {4, 5},
                  "C1 did \"write\" with key k for a (orders/0@4) after C2 had done it for the newer b (@5)");
}

TEST(StaleEffect, OneWorkerOtherKeysOtherPlacesOtherEffects) {
  const std::string sent = "P1 send a orders key=k\n P1 ok a orders/0@4\n P1 send b orders key=k\n P1 ok b orders/0@5\n";
  expect_holds(Story(sent + "C1 effect b write\n C1 effect a write"), "stale-effect");  // key-order-violation tells that
  expect_holds(Story(sent + "C1 effect a write\n C2 effect b write"), "stale-effect");
  expect_holds(Story(sent + "C2 effect b write\n C1 effect a mail"), "stale-effect");
  expect_holds(Story(sent + "C2 effect b write key=other\n C1 effect a write"), "stale-effect");
  expect_holds(Story("P1 send a orders key=k\n P1 ok a orders/0@4\n P1 send b orders key=k\n P1 ok b orders/1@5\n"
                     "C2 effect b write\n C1 effect a write"),
               "stale-effect");
}

TEST(StaleEffect, TheFurthestOfTheOthersCounts) {
  const std::string sent = R"(
    P1 send a orders key=k
    P1 ok a orders/0@4
    P1 send b orders key=k
    P1 ok b orders/0@5
    P1 send c orders key=k
    P1 ok c orders/0@6
  )";
  // C1 is the furthest itself, but C2 was further than what C1 writes now.
  EXPECT_EQ(Story(sent + "C2 effect b write\n C1 effect c write\n C1 effect a write").check("stale-effect").count, 1u);
  EXPECT_EQ(Story(sent + "C2 effect a write\n C1 effect c write\n C1 effect b write").check("stale-effect").count, 0u);
}
