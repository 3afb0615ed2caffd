// The log: for each anomaly a history that has it, one that nearly has it, one that does not.
#include "tests/check/story.h"

using namespace mqlab;
using namespace mqlab::test;

TEST(Duplicate, OneSendTwoPositions) {
  const Story s("P1 send a orders\n P1 ok a orders/0@4\n C1 got a orders/0@3 g1");
  expect_violated(s, "duplicate", 2, {1, 2}, "a stands at orders/0@4 and again at orders/0@3, sent once");
}

TEST(Duplicate, TheApplicationSentItAgain) {
  const Story s("P1 send a orders\n P1 info a\n P1 send a orders\n C1 got a orders/0@3 g1\n P1 ok a orders/1@8");
  expect_violated(s, "duplicate", 4, {3, 4},
                  "a stands at orders/0@3 and again at orders/1@8, sent 2 times by the application");
}

TEST(Duplicate, OtherQueuesAndDeadLettersHoldTheirOwnCopy) {
  expect_holds(Story("P1 send a x\n C1 got a q1@1 g1\n C2 got a q2@7 g2\n C1 got a q1@1 g1\n D got a q1@9 d dead-letter"), "duplicate");
}

TEST(InconsistentOffsets, AnAcknowledgementAndARead) {
  const Story s("P1 send a orders\n P1 ok a orders/0@4\n C1 got b orders/0@4 g1");
  expect_violated(s, "inconsistent-offsets", 2, {1, 2}, "orders/0@4 held a (told to P1) and b (read by C1)");
  expect_holds(s, "truncated-commit");  // nobody had read a
}

TEST(InconsistentOffsets, OtherPlacesMayUseTheNumber) {
  expect_holds(Story("C1 got a orders/0@4 g1\n C1 got b orders/1@4 g1\n C2 got a orders/0@4 g2"), "inconsistent-offsets");
}

TEST(TruncatedCommit, WhatWasReadIsReplaced) {
  const Story s("C1 got a orders/0@4 g1\n P1 send b orders\n P1 ok b orders/0@4");
  expect_violated(s, "truncated-commit", 2, {0, 2},
                  "orders/0@4 held a (read by C1), which is gone: it now holds b (told to P1)");
}

TEST(TruncatedCommit, ALateAcknowledgementSaysNothingOfNow) {
  const Story s("P1 send b orders\n C1 got a orders/0@4 g1\n P1 ok b orders/0@4");
  EXPECT_EQ(s.check("inconsistent-offsets").count, 1u);
  expect_holds(s, "truncated-commit");
}

TEST(LogDivergence, TheFirstMessageComesBack) {
  const Story s("C1 got a orders/0@4 g1\n C2 got b orders/0@4 g2\n C3 got a orders/0@4 g3");
  expect_violated(s, "log-divergence", 2, {0, 1, 2},
                  "orders/0@4 held a (read by C1), then b (read by C2), then the first again (read by C3)");
}

TEST(LogDivergence, AReplacementAloneIsNone) {
  expect_holds(Story("C1 got a orders/0@4 g1\n C2 got b orders/0@4 g2\n C3 got b orders/0@4 g3"), "log-divergence");
}

TEST(LogDivergence, AfterTheDrainTwoReadersMustAgree) {
  const Story s("drained\n C1 got a orders/0@4 g1\n C2 got b orders/0@4 g2");
  expect_violated(s, "log-divergence", 2, {1, 2},
                  "orders/0@4 held a (read by C1) and, with all faults healed, b (read by C2)");
}

TEST(EndRegression, TheEndGoesBack) {
  const Story s("C1 ask orders/0\n C1 end orders/0@7\n C2 ask orders/0\n C2 end orders/0@5");
  expect_violated(s, "end-regression", 3, {1, 2, 3}, "C2 was told that orders/0 ends at 5, after C1 had been told 7");
}

TEST(EndRegression, OverlappingQuestionsAndOtherIsolationsAreNotCompared) {
  expect_holds(Story("C1 ask orders/0\n C2 ask orders/0\n C1 end orders/0@7\n C2 end orders/0@5"), "end-regression");
  expect_holds(Story("C1 ask orders/0\n C1 end orders/0@7\n C2 ask orders/0 read-committed\n C2 end orders/0@5 read-committed"),
               "end-regression");
}

TEST(StaleRead, TheEndMissesWhatWasRead) {
  const Story s("C1 got a orders/0@5 g1\n C2 ask orders/0\n C2 end orders/0@5");
  expect_violated(s, "stale-read", 2, {0, 1, 2},
                  "C2 asked for orders/0 and was told that it ends at 5, after C1 had read a at @5");
  expect_holds(Story("C1 got a orders/0@5 g1\n C2 ask orders/0\n C2 end orders/0@6"), "stale-read");
  expect_holds(Story("C2 ask orders/0\n C1 got a orders/0@5 g1\n C2 end orders/0@5"), "stale-read");
}

TEST(StaleRead, AnEmptyReadFromBelow) {
  const Story s("C1 got a orders/0@5 g1\n C2 poll orders/0@3\n C2 polled");
  expect_violated(s, "stale-read", 2, {0, 1, 2}, "C2 asked for orders/0 and read from @3 and got nothing, after C1 had read a at @5");
  expect_holds(Story("C1 got a orders/0@5 g1\n C2 poll orders/0@6\n C2 polled"), "stale-read");
  expect_holds(Story("C1 got a orders/0@5 g1\n C2 poll orders/0@3\n C2 polled\n C2 got a orders/0@5 g2 poll=1"), "stale-read");
}

TEST(PositionRegression, ACommitGoesBack) {
  const Story s("C1 commit o/0@7 g1\n C1 committed o/0@7 g1\n C2 commit o/0@5 g1\n C2 committed o/0@5 g1");
  expect_violated(s, "position-regression", 3, {1, 2, 3}, "g1 stood at o/0@7 by the commit of C1, then C2 committed @5");
}

TEST(PositionRegression, AnAssignmentBelowTheCommit) {
  const Story s("C1 commit o/0@7 g1\n C1 committed o/0@7 g1\n C2 assign o/0@3 g1");
  expect_violated(s, "position-regression", 2, {1, 2}, "g1 stood at o/0@7 by the commit of C1, then C2 was assigned it from @3");
}

TEST(PositionRegression, OverlapsOtherGroupsAndSeeksAreAllowed) {
  expect_holds(Story("C1 commit o/0@7 g1\n C2 commit o/0@5 g1\n C1 committed o/0@7 g1\n C2 committed o/0@5 g1"), "position-regression");
  expect_holds(Story("C1 commit o/0@7 g1\n C1 committed o/0@7 g1\n C2 commit o/0@5 g2\n C2 committed o/0@5 g2"), "position-regression");
  expect_holds(Story("C1 commit o/0@7 g1\n C1 committed o/0@7 g1\n C1 seek o/0@2 g1\n C1 commit o/0@3 g1\n C1 committed o/0@3 g1"),
               "position-regression");
  expect_holds(Story("C1 commit o/0@7 g1\n C1 committed o/0@7 g1\n C2 assign o/0@3 g1 assigned"), "position-regression");
}

TEST(PositionRegression, WhatOverlapsWithABreachOrASeekIsNotJudgedAgain) {
  const Story s(R"(
    C1 commit o/0@7 g1
    C1 committed o/0@7 g1
    C2 commit o/0@5 g1
    C3 commit o/0@6 g1
    C2 committed o/0@5 g1
    C3 committed o/0@6 g1
  )");
  expect_violated(s, "position-regression", 4, {1, 2, 4}, "g1 stood at o/0@7 by the commit of C1, then C2 committed @5");
  expect_holds(Story(R"(
    C1 commit o/0@7 g1
    C1 committed o/0@7 g1
    C1 commit o/0@5 g1
    C1 seek o/0@2 g1
    C1 committed o/0@5 g1
  )"),
               "position-regression");
}
