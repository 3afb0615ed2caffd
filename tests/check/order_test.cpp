// Order: for each anomaly a history that has it, one that nearly has it, one that does not.
#include "tests/check/story.h"

using namespace mqlab;
using namespace mqlab::test;

// ---- sends

TEST(NonmonotonicSend, ARetryOvertaken) {
  const Story s(R"(
    P1 send a orders
    P1 send b orders
    P1 ok b orders/0@4
    P1 ok a orders/0@5
  )");
  expect_violated(s, "nonmonotonic-send", 3, {0, 1, 2, 3},
                  "P1 sent a and then b, but they stand at orders/0@5 and @4");
}

TEST(NonmonotonicSend, OtherPlacesAndOtherProducersDoNotCount) {
  expect_holds(Story(R"(
    P1 send a orders
    P1 send b orders
    P2 send c orders
    P1 send d orders
    P1 ok b orders/1@4
    P1 ok a orders/0@5
    P2 ok c orders/0@3
    P1 ok d orders/0@9
  )"),
               "nonmonotonic-send");
}

TEST(NonmonotonicSend, ARetryAnsweredWithTheOldPositionTookNone) {
  expect_holds(Story(R"(
    P1 send a orders
    P1 ok a orders/0@1
    P1 send b orders
    P1 ok b orders/0@2
    P1 send a orders
    P1 ok a orders/0@1
  )"),
               "nonmonotonic-send");
}

TEST(NonmonotonicSend, InsideATransactionItHasItsOwnName) {
  const Story s(R"(
    P1 send a orders tx=3
    P1 send b orders tx=3
    P1 ok a orders/0@5
    P1 ok b orders/0@4
  )");
  expect_violated(s, "int-nonmonotonic-send", 3, {0, 1, 2, 3},
                  "P1 sent a and then b in one transaction, but they stand at orders/0@5 and @4");
  EXPECT_EQ(s.check("nonmonotonic-send").count, 0u);
}

// ---- polls

TEST(NonmonotonicPoll, BackWithoutASeek) {
  const Story s("C1 got a orders/0@4 g1\n C1 got b orders/0@3 g1");
  expect_violated(s, "nonmonotonic-poll", 1, {0, 1}, "C1 read orders/0@4 and next @3 (b)");
}

TEST(NonmonotonicPoll, AcrossACutOrFlaggedItIsAllowed) {
  expect_holds(Story(R"(
    C1 got a orders/0@4 g1
    C1 seek orders/0@3 g1
    C1 got b orders/0@3 g1
    C1 got a orders/0@4 g1
    C1 revoke orders/0 g1
    C1 assign orders/0 g1
    C1 got b orders/0@3 g1
    C1 got a orders/0@4 g1
    C1 got b orders/0@3 g1 redelivered
  )"),
               "nonmonotonic-poll");
}

TEST(NonmonotonicPoll, InsideOnePoll) {
  const Story s("C1 poll - g1\n C1 got a orders/0@4 g1 poll=0\n C1 got b orders/0@4 g1 poll=0");
  expect_violated(s, "int-nonmonotonic-poll", 2, {1, 2}, "C1 read orders/0@4 and next @4 (b)");
  EXPECT_EQ(s.check("nonmonotonic-poll").count, 0u);
}

TEST(PollSkip, OverAMessageThatIsKnown) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@5
    C1 got x orders/0@4 g1
    C1 got y orders/0@6 g1
  )");
  expect_violated(s, "poll-skip", 3, {1, 2, 3}, "C1 read orders/0@4 and next @6, though a stands at @5");
}

TEST(PollSkip, CertainWhenTheMessageComesOut) {
  const Story s(R"(
    C1 got x orders/0@4 g1
    C1 got y orders/0@9 g1
    C2 got a orders/0@6 g2
  )");
  expect_violated(s, "poll-skip", 2, {0, 1, 2}, "C1 read orders/0@4 and next @9, though a stands at @6");
}

TEST(PollSkip, SparsePositionsAreNoSkip) {
  expect_holds(Story("C1 got x orders/0@4 g1\n C1 got y orders/0@9 g1\n C2 got a orders/1@6 g2"), "poll-skip");
}

TEST(PollSkip, AcrossASeekItIsAllowed) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/0@5
    C1 got x orders/0@4 g1
    C1 seek orders/0@6 g1
    C1 got y orders/0@6 g1
    C1 got z orders/0@7 g1
  )");
  expect_holds(s, "poll-skip");
}

TEST(PollSkip, AbortedMessagesAreRightlyJumped) {
  const Story s(R"(
    P1 send a orders tx=1
    P1 ok a orders/0@5
    C1 got x orders/0@4 g1
    C1 got y orders/0@9 g1
    P1 aborted tx=1
  )");
  expect_holds(s, "poll-skip");
  const Story committed(R"(
    P1 send a orders tx=1
    P1 ok a orders/0@5
    C1 got x orders/0@4 g1
    C1 got y orders/0@9 g1
    P1 txcommitted tx=1
  )");
  EXPECT_EQ(committed.check("poll-skip").worst.at(0).certain_at, 4u);
}

// The send is judged that stands at the position: that its message was sent again, and stands elsewhere, makes it no better.
TEST(PollSkip, AnAbortedSendIsRightlyJumpedThoughItsMessageWasSentAgain) {
  const std::string sent = R"(
    P1 send x orders
    P1 ok x orders/0@3
    P1 send a orders tx=1
    P1 ok a orders/0@4 tx=1
    P1 txcommitted tx=1
    P1 send a orders tx=2
    P1 ok a orders/0@5 tx=2
    P1 aborted tx=2
)";
  expect_holds(Story(sent + "C1 got a orders/0@4 g1 read-committed\n C1 got z orders/0@6 g1 read-committed"), "poll-skip");
  expect_violated(Story(sent + "C1 got x orders/0@3 g1 read-committed\n C1 got z orders/0@6 g1 read-committed"), "poll-skip", 9, {3, 8, 9},
                  "C1 read orders/0@3 and next @6, though a stands at @4");
  // Also when a reader at read-uncommitted had shown it there, before the acknowledgement.
  expect_holds(Story(R"(
    P1 send x orders
    P1 ok x orders/0@4
    P1 send a orders
    P1 ok a orders/0@3
    P1 send a orders tx=1
    C2 got a orders/0@5 g2
    P1 ok a orders/0@5 tx=1
    P1 aborted tx=1
    C1 got x orders/0@4 g1 read-committed
    C1 got z orders/0@7 g1 read-committed
  )"), "poll-skip");
}

// Which of two sends stands there, the acknowledgement tells.
TEST(PollSkip, WhatNoOneAnswerExplainedIsKnownByItsAcknowledgement) {
  expect_violated(Story(R"(
    P1 send a orders
    P2 send a orders tx=1
    C2 got a orders/0@5 g2
    C1 got x orders/0@4 g1
    C1 got y orders/0@9 g1
    P1 ok a orders/0@5
  )"), "poll-skip", 5, {2, 3, 4}, "C1 read orders/0@4 and next @9, though a stands at @5");
}

TEST(PollSkip, CompetingConsumersShareAPlace) {
  expect_holds(Story(R"(
    C1 got a q1@1 g1
    C2 got b q1@2 g1
    C1 got c q1@3 g1
  )"),
               "poll-skip");
}

TEST(PollSkip, InsideOnePoll) {
  const Story s("C2 got b orders/0@5 g2\n C1 poll - g1\n C1 got a orders/0@4 g1 poll=1\n C1 got c orders/0@6 g1 poll=1");
  expect_violated(s, "int-poll-skip", 3, {0, 2, 3}, "C1 read orders/0@4 and next @6, though b stands at @5");
}

// ---- sequences

TEST(Fifo, SecondBeforeFirst) {
  const Story s("P1 send a q1\n P1 send b q1\n C1 got b q1 g1\n C1 got a q1 g1");
  expect_violated(s, "fifo-violation", 3, {0, 1, 2, 3}, "P1 sent a before b, but C1 got it after, from q1");
}

TEST(Fifo, NotAcrossPlacesConsumersProducersOrResends) {
  expect_holds(Story("P1 send a q\n P1 send b q\n C1 got b q/1 g1\n C1 got a q/0 g1"), "fifo-violation");
  expect_holds(Story("P1 send a q\n P1 send b q\n C1 got b q g1\n C2 got a q g1"), "fifo-violation");
  expect_holds(Story("P1 send a q\n P2 send b q\n C1 got b q g1\n C1 got a q g1"), "fifo-violation");
  expect_holds(Story("P1 send a q\n P1 send b q\n P1 send a q\n C1 got b q g1\n C1 got a q g1"), "fifo-violation");
  expect_holds(Story("P1 send b q\n P1 send a q\n C1 got b q g1\n C1 got a q g1\n C1 got b q g1"), "fifo-violation");
}

TEST(Fifo, AFailedResendDoesNotExcuse) {
  const Story s("P1 send a q\n P1 send b q\n P1 send a q\n P1 fail a\n C1 got b q g1\n C1 got a q g1");
  expect_holds(s, "fifo-violation");  // the first send of a failed, the one after b is open
  const Story t("P1 send a q\n P1 info a\n P1 send b q\n P1 send a q\n P1 fail a\n C1 got b q g1\n C1 got a q g1");
  EXPECT_EQ(t.check("fifo-violation").count, 1u);
}

TEST(KeyOrder, OneKeyInTwoPlaces) {
  const Story s(R"(
    P1 send a orders key=k
    P1 send b orders key=k
    C2 got b orders/1@0 g1
    C1 got a orders/0@7 g1
  )");
  expect_violated(s, "key-order-violation", 3, {0, 1, 2, 3}, "g1 got b before a, though with key k the latter was sent first");
}

TEST(KeyOrder, ProcessingCountsWhereItIsReported) {
  const Story s(R"(
    P1 send a orders key=k
    P1 send b orders key=k
    C1 got a orders/0@0 g1
    C1 got b orders/0@1 g1
    C1 process b orders/0@1 g1
    C1 process a orders/0@0 g1
  )");
  expect_violated(s, "key-order-violation", 5, {0, 1, 4, 5},
                  "g1 processed b before a, though with key k the latter was sent first");
}

TEST(KeyOrder, TwoProducersCountWhenOneWasAnsweredFirst) {
  const Story s(R"(
    P1 send a orders key=k
    P1 ok a orders/0@0
    P2 send b orders key=k
    C1 got b orders/1@0 g1
    C1 got a orders/0@0 g1
  )");
  expect_violated(s, "key-order-violation", 4, {1, 2, 3, 4}, "g1 got b before a, though with key k the latter was sent first");
  expect_holds(Story(R"(
    P1 send a orders key=k
    P2 send b orders key=k
    P1 ok a orders/0@0
    C1 got b orders/1@0 g1
    C1 got a orders/0@0 g1
    P1 send c orders key=other
    C1 got c orders/0@1 g1
  )"),
               "key-order-violation");
}

TEST(Redelivery, RequeuedBehindItsSuccessor) {
  const Story s("C1 got a q1 g1\n C1 got b q1 g1\n C1 got a q1 g1 redelivered");
  expect_violated(s, "redelivery-reorder", 2, {0, 1, 2}, "C1 got a again from q1 after its successor b");
}

TEST(Redelivery, InOrderOrToANewConsumerIsRight) {
  expect_holds(Story("C1 got a q1 g1\n C1 got a q1 g1 redelivered\n C1 got b q1 g1"), "redelivery-reorder");
  expect_holds(Story("C1 got a o/0@0 g1\n C1 got b o/0@1 g1\n C2 got a o/0@0 g1\n C2 got b o/0@1 g1"), "redelivery-reorder");
  expect_holds(Story("C1 got a o/0@0 g1\n C1 got b o/0@1 g1\n C1 seek o/0@0 g1\n C1 got a o/0@0 g1"), "redelivery-reorder");
}

TEST(Causal, AnAnswerBeforeItsQuestion) {
  const Story s(R"(
    P1 send question left
    P2 got question left/0@0 p2
    P2 send answer right
    C1 got answer right/0@0 g1
    C1 got question left/0@0 g1
  )");
  expect_violated(s, "causal-violation", 4, {0, 2, 3, 4},
                  "C1 got answer from right/0@0 before question from left/0@0, though P1 had sent the latter before the former "
                  "was sent");
}

TEST(Causal, ThroughAThirdProcess) {
  const Story s(R"(
    P1 send a one
    P2 got a one/0@0 p2
    P2 send b two
    P3 got b two/0@0 p3
    P3 send c three
    C1 got c three/0@0 g1
    C1 got a one/0@0 g1
  )");
  EXPECT_EQ(s.check("causal-violation").count, 1u);
}

TEST(Causal, ConcurrentMessagesMayComeInAnyOrder) {
  expect_holds(Story(R"(
    P1 send a left
    P2 send b right
    P2 got a left/0@0 p2
    C1 got b right/0@0 g1
    C1 got a left/0@0 g1
  )"),
               "causal-violation");
}

TEST(Causal, TwoSubscriptionsOfOneProcessAreTwoViews) {
  expect_holds(Story("P1 send a q\n P1 send b q\n C1 got a q g1\n C1 got b q g1\n C1 got a q g2\n C1 got b q g2"), "causal-violation");
}

TEST(TotalOrder, TwoSubscribersDisagree) {
  const Story s("C1 got a q g1\n C1 got b q g1\n C2 got b q g2\n C2 got a q g2");
  expect_violated(s, "total-order-violation", 3, {0, 1, 2, 3}, "C2 got b before a, C1 got a before b, both from q");
}

TEST(TotalOrder, WhicheverComesFourth) {
  const Story s("C1 got a q g1\n C2 got b q g2\n C2 got a q g2\n C1 got b q g1");
  expect_violated(s, "total-order-violation", 3, {0, 1, 2, 3}, "C1 got a before b, C2 got b before a, both from q");
}

TEST(TotalOrder, MissingMessagesAndOtherPlacesDoNotCount) {
  expect_holds(Story("C1 got a q g1\n C1 got c q g1\n C2 got a q g2\n C2 got b q g2\n C2 got c q g2"), "total-order-violation");
  expect_holds(Story("C1 got a q/0 g1\n C1 got b q/1 g1\n C2 got b q/1 g2\n C2 got a q/0 g2"), "total-order-violation");
}

TEST(TotalOrder, WhoSeeksChoosesTheOrder) {
  expect_holds(Story("C1 got a o/0@1 g1\n C1 got b o/0@2 g1\n C2 got b o/0@2 g2\n C2 seek o/0@1 g2\n C2 got a o/0@1 g2"),
               "total-order-violation");
}

TEST(TotalOrder, TheLatestOfTheirOrderCounts) {
  const Story s("C2 got a q g2\n C2 got m q g2\n C2 got x q g2\n C1 got a q g1\n C1 got x q g1\n C1 got m q g1");
  expect_violated(s, "total-order-violation", 5, {1, 2, 4, 5}, "C1 got x before m, C2 got m before x, both from q");
}
