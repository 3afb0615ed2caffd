// Delivery: for each anomaly a history that has it, one that nearly has it, one that does not.
#include "tests/check/story.h"

using namespace mqlab;
using namespace mqlab::test;

// ---- lost-message

TEST(LostMessage, AcknowledgedThenGoneIsLostAtTheDrain) {
  const Story s(R"(
    C1 assign orders/0@0 g1
    P1 send a orders
    P1 send b orders
    P1 ok a orders/0@17
    P1 ok b orders/0@18
    C1 got b orders/0@18 g1
    drained
  )");
  expect_violated(s, "lost-message", 6, {0, 3, 6},
                  "P1 was told that a is stored at orders/0@17, yet no reader ever got it, though C1 read on to 18");
}

TEST(LostMessage, IsLateBeforeTheDrain) {
  const Story s(R"(
    C1 assign orders/0@0 g1
    P1 send a orders
    P1 ok a orders/0@0
  )");
  expect_unknown(s, "lost-message", "1 delivery is late, and no drain says that nothing more arrives");
  EXPECT_EQ(s.check("lost-message").pending, 1u);
}

TEST(LostMessage, OneSubscriptionGotItTheOtherDidNot) {
  const Story s(R"(
    C1 assign orders/0 g1
    C2 assign orders/0 g2
    P1 send a orders
    P1 ok a orders/0@0
    C1 got a orders/0@0 g1
    drained
  )");
  expect_violated(s, "lost-message", 5, {1, 3, 5},
                  "P1 was told that a is stored at orders/0@0, yet g2 never got it, though C1 did");
}

TEST(LostMessage, UnknownAndFailedSendsAreNeverLost) {
  const Story s(R"(
    C1 assign orders/0 g1
    P1 send a orders
    P1 send b orders
    P1 send c orders
    P1 info a
    P1 fail b
    P1 ok c orders/0@0
    C1 got c orders/0@0 g1
    drained
  )");
  expect_holds(s, "lost-message");
}

TEST(LostMessage, AnEmptyRunHoldsNothing) {
  expect_unknown(Story("drained"), "lost-message", "nothing was looked at: no acknowledged sends");
}

TEST(LostMessage, WithoutAReaderNothingIsKnown) {
  const Story s("P1 send a orders\n P1 ok a orders/0@3\n drained");
  expect_unknown(s, "lost-message", "nobody is entitled to 1 acknowledged message, a");
}

TEST(LostMessage, PolicyDeadLetterStartAndOwnSeekExcuse) {
  const Story s(R"(
    C1 assign orders/0@5 g1
    P1 send old orders
    P1 ok old orders/0@4
    P1 send a orders
    P1 ok a orders/0@5
    P1 send b orders
    P1 ok b orders/0@6
    P1 send c orders
    P1 ok c orders/0@7
    P1 send d orders
    P1 ok d orders/0@8
    C1 got a orders/0@5 g1
    C1 seek orders/0@7 g1
    B1 ack c orders/0 policy error=EXPIRED
    D1 got d orders.dlq dlq dead-letter
    drained
  )");
  expect_holds(s, "lost-message");
}

TEST(LostMessage, WithoutTheExcusesTheSameMessagesAreLost) {
  const Story s(R"(
    C1 assign orders/0@4 g1
    P1 send old orders
    P1 ok old orders/0@4
    P1 send a orders
    P1 ok a orders/0@5
    P1 send b orders
    P1 ok b orders/0@6
    C1 got a orders/0@5 g1
    drained
  )");
  EXPECT_EQ(s.check("lost-message").count, 2u);
}

TEST(LostMessage, AResetByPolicyIsNoExcuseOnceReadingHasBegun) {
  const Story begun(R"(
    C1 assign orders/0@0 g1
    P1 send a orders
    P1 ok a orders/0@0
    C1 seek orders/0@1 g1 policy
    drained
  )");
  EXPECT_EQ(begun.check("lost-message").count, 1u);
  // An assignment that does not say where it starts, and then starts at the latest position.
  const Story start(R"(
    P1 send a orders
    P1 ok a orders/0@0
    C1 assign orders/0 g1
    C1 seek orders/0@1 g1 policy
    drained
  )");
  expect_holds(start, "lost-message");
}

TEST(LostMessage, AcksZeroIsAcknowledgedSomewhereInTheTopic) {
  const Story s(R"(
    C1 assign orders/0 g1
    C1 assign orders/1 g1
    P1 send a orders
    P1 ok a orders
    drained
  )");
  expect_violated(s, "lost-message", 4, {0, 3, 4}, "P1 was told that a is stored at orders, yet no reader ever got it");
}

TEST(LostMessage, AnOpenOrAbortedTransactionOwesNothing) {
  const Story s(R"(
    C1 assign orders/0 g1
    P1 send a orders tx=1
    P1 ok a orders/0@0
    P1 aborted tx=1
    P1 send b orders tx=2
    P1 ok b orders/0@2
    P1 send c orders tx=3
    P1 ok c orders/0@3
    P1 txcommitted tx=3
    C1 got c orders/0@3 g1
    drained
  )");
  expect_holds(s, "lost-message");
}

TEST(LostMessage, ACommittedTransactionIsAnAcknowledgement) {
  const Story s(R"(
    C1 assign orders/0 g1
    P1 send a orders tx=1
    P1 ok a orders/0@0
    P1 txcommitted tx=1
    drained
  )");
  expect_violated(s, "lost-message", 4, {0, 3, 4}, "P1 was told that a is stored at orders/0@0, yet no reader ever got it");
}

// ---- lost-write

TEST(LostWrite, ReadersWentPastIt) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@1
    P1 send b orders
    P1 ok b orders/0@2
    C1 got b orders/0@2 g1
    drained
    C1 got x orders/0@9 g1
  )");
  expect_violated(s, "lost-write", 5, {1, 4, 5},
                  "P1 was told that a is stored at orders/0@1, but C1 read on to 2 and nobody read it");
}

TEST(LostWrite, NotDecidedWithoutADrain) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@1
    C1 got b orders/0@2 g1
  )");
  expect_unknown(s, "lost-write", "1 send was passed over, and no drain says that nobody will read them");
}

TEST(LostWrite, AboveTheFurthestReadIsNotCounted) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@1
    P1 send b orders
    P1 ok b orders/0@2
    C1 got a orders/0@1 g1
    drained
  )");
  expect_holds(s, "lost-write");
}

TEST(LostWrite, AnybodyWhoReadItSavesIt) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@1
    C1 got b orders/0@2 g1
    C2 got a orders/0@1 g2
    drained
  )");
  expect_holds(s, "lost-write");
}

// ---- silent-drop

TEST(SilentDrop, ConfirmedThenDroppedByName) {
  const Story s(R"(
    P1 send a q1
    P1 ok a q1
    B1 ack a q1 policy error=MAXLEN
    drained
  )");
  expect_violated(s, "silent-drop", 3, {1, 2, 3},
                  "P1 was told that a is stored at q1, then a policy dropped it (MAXLEN), and nobody got it");
}

TEST(SilentDrop, SomebodyGotItFirst) {
  const Story s(R"(
    P1 send a q1
    P1 ok a q1
    C1 got a q1 g1
    B1 ack a q1 policy error=MAXLEN
    drained
  )");
  expect_holds(s, "silent-drop");
}

// ---- duplicate-delivery

TEST(DuplicateDelivery, OneSendTwiceToOneGroup) {
  const Story s(R"(
    P1 send a orders
    C1 got a orders/0@1 g1
    C2 got a orders/0@1 g1
  )");
  expect_violated(s, "duplicate-delivery", 2, {1, 2},
                  "g1 got a again: C1 from orders/0@1, then C2 from orders/0@1, without a flag from the broker");
}

TEST(DuplicateDelivery, SaysWhenTheBrokerFlaggedIt) {
  const Story s(R"(
    P1 send a q1
    C1 got a q1 g1
    C2 got a q1 g1 redelivered
  )");
  expect_violated(s, "duplicate-delivery", 2, {1, 2}, "g1 got a again: C1 from q1, then C2 from q1, flagged as redelivered");
}

TEST(DuplicateDelivery, OnceForEachGroupIsRight) {
  const Story s(R"(
    P1 send a orders
    C1 got a orders/0@1 g1
    C2 got a orders/0@1 g2
  )");
  expect_holds(s, "duplicate-delivery");
}

TEST(DuplicateDelivery, TwoSendsOfOneBodyAreTwoDeliveries) {
  const Story s(R"(
    P1 send a orders
    P1 send a orders
    C1 got a orders/0@1 g1
    C1 got a orders/0@2 g1
  )");
  expect_holds(s, "duplicate-delivery");
}

TEST(DuplicateDelivery, AFailedSendIsNoSend) {
  const Story s(R"(
    P1 send a orders
    P1 fail a
    P1 send a orders
    C1 got a orders/0@1 g1
    C1 got a orders/0@2 g1
  )");
  EXPECT_EQ(s.check("duplicate-delivery").count, 1u);
}

TEST(DuplicateDelivery, WhoAssignsItselfAgainMayBeginAgain) {
  expect_holds(Story(R"(
    P1 send a orders
    C1 assign orders/0 c1 assigned
    C1 got a orders/0@1 c1
    C1 assign orders/0 c1 assigned
    C1 got a orders/0@1 c1
  )"),
               "duplicate-delivery");
  const Story by_the_group("P1 send a o\n C1 assign o/0 g\n C1 got a o/0@1 g\n C1 assign o/0 g\n C1 got a o/0@1 g");
  EXPECT_EQ(by_the_group.check("duplicate-delivery").count, 1u);
}

TEST(DuplicateDelivery, AResetByPolicyDoesNotExcuse) {
  const Story s("P1 send a orders\n C1 got a orders/0@1 g1\n C1 seek orders/0@0 g1 policy\n C1 got a orders/0@1 g1");
  EXPECT_EQ(s.check("duplicate-delivery").count, 1u);
}

TEST(DuplicateDelivery, ASeekBackExcusesEachPositionOnce) {
  const Story s(R"(
    P1 send a orders
    C1 got a orders/0@1 g1
    C1 seek orders/0@0 g1
    C1 got a orders/0@1 g1
  )");
  expect_holds(s, "duplicate-delivery");
  const Story again(R"(
    P1 send a orders
    C1 got a orders/0@1 g1
    C1 seek orders/0@0 g1
    C1 got a orders/0@1 g1
    C1 got a orders/0@1 g1
  )");
  EXPECT_EQ(again.check("duplicate-delivery").worst.at(0).certain_at, 4u);
}

// ---- phantom and G1a

TEST(Phantom, NobodySentIt) {
  const Story s("P1 send a orders\n C1 got b orders/0@1 g1");
  expect_violated(s, "phantom", 1, {1}, "C1 got b from orders/0@1, but nobody had sent it");
}

TEST(Phantom, TheSendFailed) {
  const Story s("P1 send a orders\n P1 fail a\n C1 got a orders/0@1 g1");
  const char* sentence = "C1 got a from orders/0@1, though its sender was told that the send failed";
  expect_violated(s, "phantom", 2, {1, 2}, sentence);
  expect_violated(s, "G1a", 2, {1, 2}, "C1 got a from orders/0@1, though its send failed");
}

TEST(Phantom, TheFailureMayComeAfterTheDelivery) {
  const Story s("P1 send a orders\n C1 got a orders/0@1 g1\n P1 fail a");
  expect_violated(s, "phantom", 2, {1, 2}, "C1 got a from orders/0@1, though its sender was told that the send failed");
  expect_violated(s, "G1a", 2, {1, 2}, "C1 got a from orders/0@1, though its send failed");
}

TEST(Phantom, AnUnknownSendStaysPossible) {
  const Story s("P1 send a orders\n P1 info a\n C1 got a orders/0@1 g1");
  expect_holds(s, "phantom");
  expect_holds(s, "G1a");
}

TEST(Phantom, ASecondSendAfterTheFailureExplainsIt) {
  const Story s("P1 send a orders\n P1 fail a\n P1 send a orders\n C1 got a orders/0@1 g1\n P1 ok a orders/0@1");
  expect_holds(s, "phantom");
  expect_holds(s, "G1a");
}

TEST(Phantom, ASecondSendAfterTheDeliveryDoesNot) {
  const Story s("P1 send a orders\n C1 got a orders/0@1 g1\n P1 send a orders\n P1 fail a");
  EXPECT_EQ(s.check("phantom").worst.at(0).certain_at, 3u);
}

TEST(AbortedRead, AnAbortedTransactionAtReadCommitted) {
  const Story s("P1 send a orders tx=7\n P1 ok a orders/0@0\n C1 got a orders/0@0 g1 read-committed\n P1 aborted tx=7");
  expect_violated(s, "G1a", 3, {2, 3}, "C1 got a from orders/0@0 at read-committed, though its transaction was aborted");
  expect_holds(s, "phantom");
}

TEST(AbortedRead, AtReadUncommittedItIsAllowed) {
  const Story s("P1 send a orders tx=7\n P1 ok a orders/0@0\n P1 aborted tx=7\n C1 got a orders/0@0 g1");
  expect_holds(s, "G1a");
}

TEST(DirtyRead, AnAbortedMessageAtReadUncommitted) {
  const Story before("P1 send a orders tx=5\nP1 ok a orders/0@0 tx=5\nC1 got a orders/0@0\nP1 aborted tx=5");
  expect_violated(before, "dirty-read", 3, {2, 3}, "C1 got a from orders/0@0 at read-uncommitted, and its transaction was aborted");
  const Story after("P1 send a orders tx=5\nP1 ok a orders/0@0 tx=5\nP1 aborted tx=5\nC1 got a orders/0@0");
  expect_violated(after, "dirty-read", 3, {2, 3}, "C1 got a from orders/0@0 at read-uncommitted, and its transaction was aborted");
}

TEST(DirtyRead, WhatWasCommittedOrReadCommittedIsNone) {
  expect_holds(Story("P1 send a orders tx=5\nP1 ok a orders/0@0 tx=5\nC1 got a orders/0@0\nP1 txcommitted tx=5"), "dirty-read");
  expect_holds(Story("P1 send a orders tx=5\nP1 ok a orders/0@0 tx=5\nC1 got a orders/0@0 read-committed\nC1 got b orders/0@1\nP1 aborted tx=5"), "dirty-read");
  // The same message, sent again in another transaction, is not aborted.
  expect_holds(Story("P1 send a orders tx=5\nP1 aborted tx=5\nP1 send a orders tx=6\nP1 ok a orders/0@3 tx=6\nC1 got a orders/0@3\nP1 txcommitted tx=6"), "dirty-read");
}

// ---- resurrected, misdelivered, unroutable, unseen

TEST(Resurrected, AcknowledgedAndBack) {
  const Story s("P1 send a q1\n C1 got a q1 g1\n C1 ack a q1 g1\n C2 got a q1 g1 redelivered");
  expect_violated(s, "resurrected", 3, {2, 3}, "C2 got a from q1, though g1 had acknowledged it and was told so (C1)");
}

TEST(Resurrected, AnAcknowledgementNeedNotNameTheSubscription) {
  const Story s("P1 send a q1\n C1 got a q1 g1\n C1 ack a\n C2 got a q1 g1 redelivered");
  EXPECT_EQ(s.check("resurrected").count, 1u);
}

TEST(Resurrected, BackBeforeTheAcknowledgementIsOnlyADuplicate) {
  const Story s("P1 send a q1\n C1 got a q1 g1\n C2 got a q1 g1 redelivered\n C1 ack a q1 g1");
  expect_holds(s, "resurrected");
}

TEST(Resurrected, WhatIsSentAgainMayComeAgain) {
  const char* again = "P1 send a q1\n C1 got a q1 g1\n C1 ack a q1 g1\n P1 send a q1\n C1 got a q1 g1\n";
  expect_holds(Story(again), "resurrected");
  // Both copies were seen, and each delivery confirmed: this is one of them, back.
  expect_violated(Story(std::string(again) + "C1 ack a q1 g1\n C1 got a q1 g1 redelivered"), "resurrected", 6, {2, 6},
                  "C1 got a from q1, though g1 had acknowledged it and was told so (C1)");
  // The second copy, given to somebody else before it was confirmed.
  expect_holds(Story(std::string(again) + "C2 got a q1 g1 redelivered"), "resurrected");
}

// ---- dlq-loss, dlq-misroute

TEST(DlqLoss, LeftAndNowhere) {
  const Story s("P1 send a q1\n P1 ok a q1\n C1 got a q1 g1\n B1 ack a q1 g1 policy dead-letter error=rejected\n drained");
  expect_violated(s, "dlq-loss", 4, {3, 4}, "a left q1 for the dead letters (rejected), and nobody found it there");
}

TEST(DlqLoss, FoundThereOrTakenThere) {
  const std::string left = "P1 send a q1\n P1 ok a q1\n B1 ack a q1 g1 policy dead-letter error=expired\n";
  expect_holds(Story(left + "R got a dead dead-letter\n drained"), "dlq-loss");
  expect_holds(Story(left + "B1 ack a dead policy error=maxlen\n drained"), "dlq-loss");
  expect_unknown(Story(left), "dlq-loss", "1 dead letter is on the way, and no drain says that nothing more arrives");
  // It came back from there, and left again.
  EXPECT_EQ(Story(left + "C1 got a q1 g1 dead-letter\n B1 ack a q1 g1 policy dead-letter\n drained").check("dlq-loss").count, 1u);
}

TEST(DlqLoss, AnApplicationsOwnDeadLetter) {
  const Story s("C1 send a dead\n C1 ok a dead/0@7 dead-letter\n drained");
  expect_violated(s, "dlq-loss", 2, {1, 2}, "a left dead/0 for the dead letters, and nobody found it there");
}

TEST(DlqMisroute, NobodyHadFailedOnIt) {
  const Story s("P1 send a q1\n C1 got a q1 g1\n B1 ack a q1 g1 policy dead-letter error=delivery_limit");
  expect_violated(s, "dlq-misroute", 2, {1, 2}, "a was put aside from q1 (delivery_limit), though g1 had neither failed on it nor refused it");
}

TEST(DlqMisroute, FailedRefusedOrOld) {
  expect_holds(Story("C1 got a q1 g1\n C1 failed a q1 g1\n B1 ack a q1 g1 policy dead-letter error=delivery_limit"), "dlq-misroute");
  expect_holds(Story("C1 got a q1 g1\n C1 ack a q1 g1 policy\n B1 ack a q1 g1 policy dead-letter error=rejected"), "dlq-misroute");
  EXPECT_EQ(Story("C1 got a q1 g1\n B1 ack a q1 g1 policy dead-letter error=expired").check("dlq-misroute").count, 0u);
}

TEST(Misdelivered, FromAPlaceNobodySentItTo) {
  const Story s("P1 send a red/0\n C1 got a blue/0@3 g1\n C2 got b red/0@1 g1");
  expect_violated(s, "misdelivered", 2, {0, 1}, "C1 got a from blue/0@3, though P1 sent it to red/0");
}

TEST(Misdelivered, ATopicCoversItsPartitionsAndAnExchangeIsNoPlace) {
  expect_holds(Story("P1 send a orders\n C1 got a orders/3@3 g1"), "misdelivered");
  expect_holds(Story("P1 send a exchange\n C1 got a q1 g1"), "misdelivered");
  expect_holds(Story("P1 send a orders/0\n C1 got a orders.dlq g1 dead-letter\n C1 got b orders/0 g1\n P1 send b orders\n"
                     "C1 got b orders/0 g1"),
               "misdelivered");
}

TEST(Misdelivered, WithAnotherKey) {
  const Story s("P1 send a orders key=k1\n C1 got a orders/0@1 g1 key=k2");
  expect_violated(s, "misdelivered", 1, {0, 1}, "C1 got a from orders/0@1 with key k2, though P1 sent it with key k1");
}

TEST(Unroutable, ConfirmedWithNoRoute) {
  const Story s("P1 send a exchange\n P1 ok a - error=NO_ROUTE");
  expect_violated(s, "confirmed-unroutable", 1, {0, 1}, "P1 was told that a is accepted at exchange, though no destination took it");
  expect_holds(Story("P1 send a exchange\n P1 ok a q1"), "confirmed-unroutable");
}

TEST(Unseen, IsASeries) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@0
    P1 send b orders
    P1 ok b orders/0@1
    C1 got a orders/0@0 g1
    C2 got a orders/0@0 g2
    C1 got b orders/0@1 g1
  )");
  const Report r = s.check("unseen");
  EXPECT_EQ(r.verdict, Verdict::unknown);
  EXPECT_EQ(r.reason, "a time series, not a verdict: 0 unseen now, 2 at most, at 0.003000 s");
  const std::vector<SeriesPoint> series = {{1'000'000, 1}, {3'000'000, 2}, {4'000'000, 1}, {6'000'000, 0}};
  EXPECT_EQ(r.series, series);
}

TEST(Unseen, WhatWasDeliveredBeforeItsAcknowledgementIsSeen) {
  const Report r = Story("P1 send a orders\n C1 got a orders/0@0 g1\n P1 ok a orders/0@0").check("unseen");
  EXPECT_EQ(r.reason, "a time series, not a verdict: 0 unseen now");
  EXPECT_TRUE(r.series.empty());
}

// ---- dedup

TEST(DedupMiss, ARetryStoredTwiceInsideTheWindow) {
  const Story s("P1 send a orders\n C1 got a orders/0@1 g1\n C1 got a orders/0@2 g1\n P1 ok a orders/0@2");
  expect_violated(s, "dedup-miss", 3, {1, 2}, "a was stored at orders/0@1 and again at orders/0@2 inside the window",
                  {.dedup_window = 120'000'000'000});
  expect_unknown(s, "dedup-miss", "no deduplication window is promised");
}

TEST(DedupMiss, OutsideTheWindowItIsAnExpiry) {
  const Story s("P1 send a orders ms=0\n P1 ok a orders/0@1 ms=1\n P1 send a orders ms=500\n P1 ok a orders/0@2 ms=501");
  expect_violated(s, "dedup-window-expiry", 3, {1, 3},
                  "a was stored at orders/0@1 and again at orders/0@2 with the window passed between its sends",
                  {.dedup_window = 100'000'000});
  expect_holds(s, "dedup-miss", {.dedup_window = 100'000'000});
  expect_violated(s, "dedup-miss", 3, {1, 3}, "a was stored at orders/0@1 and again at orders/0@2 inside the window",
                  {.dedup_window = 501'000'000});
}
