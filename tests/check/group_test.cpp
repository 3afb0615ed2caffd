// Groups: who holds a place, who starves, what one message holds back. For each anomaly a history that
// has it, one that nearly has it, one that does not.
#include "tests/check/story.h"

using namespace mqlab;
using namespace mqlab::test;

// ---- double-ownership

TEST(DoubleOwnership, APausedMemberDoesNotKnowItWasReplaced) {
  const Story s(R"(
    C1 assign orders/0@4 g1
    C1 got a orders/0@4 g1
    C2 assign orders/0@4 g1
    C2 got a orders/0@4 g1
    C2 process a orders/0@4
    C1 process a orders/0@4
  )");
  expect_violated(s, "double-ownership", 5, {0, 2, 4, 5},
                  "g1 gave orders/0 to C2 while C1 still held it: then C2 worked on a and C1 worked on a");
}

TEST(DoubleOwnership, GettingCountsAsWorking) {
  const Story s(R"(
    C1 assign orders/0@4 g1
    C2 assign orders/0@4 g1
    C1 got a orders/0@4 g1
    C2 got b orders/0@5 g1
    C1 got c orders/0@6 g1
  )");
  expect_violated(s, "double-ownership", 3, {0, 1, 2, 3}, "g1 gave orders/0 to C2 while C1 still held it: then C1 got a and C2 got b");
}

TEST(DoubleOwnership, RevokedBeforeItIsGivenOnIsInOrder) {
  expect_holds(Story(R"(
    C1 assign orders/0@4 g1
    C1 got a orders/0@4 g1
    C1 revoke orders/0 g1
    C2 assign orders/0@4 g1
    C2 got a orders/0@4 g1
    C1 process a orders/0@4
  )"),
               "double-ownership");
  expect_holds(Story(R"(
    C1 assign orders/0@4 g1
    C1 revoke
    C2 assign orders/0@4 g1
    C2 got a orders/0@4 g1
    C1 got b orders/0@5 g1
  )"),
               "double-ownership");
}

TEST(DoubleOwnership, AKilledMemberHarmsNobody) {
  expect_holds(Story(R"(
    C1 assign orders/0@4 g1
    C1 got a orders/0@4 g1
    C2 assign orders/0@4 g1
    C2 got a orders/0@4 g1
    C2 process a orders/0@4
    C1 assign orders/1 g1          # it came back and has another place
    C1 got x orders/1@0 g1
    C1 process x orders/1@0
  )"),
               "double-ownership");
}

TEST(DoubleOwnership, OtherPlacesOtherGroupsAndOwnChoiceDoNotCount) {
  expect_holds(Story("C1 assign orders/0 g1\n C2 assign orders/1 g1\n C1 got a orders/0@1 g1\n C2 got b orders/1@1 g1"), "double-ownership");
  expect_holds(Story("C1 assign orders/0 g1\n C2 assign orders/0 g2\n C1 got a orders/0@1 g1\n C2 got a orders/0@1 g2"), "double-ownership");
  expect_holds(Story("C1 assign orders/0 g1\n C2 assign orders/0 g1 assigned\n C1 got a orders/0@1 g1\n C2 got a orders/0@1 g1"),
               "double-ownership");
  expect_unknown(Story("C1 got a q1@1 g1\n C2 got b q1@2 g1\n C1 got c q1@3 g1"), "double-ownership",
                 "nothing was looked at: no assignments of a place to a member of a group");
}

TEST(DoubleOwnership, OneOfThemDoesNothingAfterTheLaterAssignment) {
  expect_holds(Story("C1 assign orders/0 g1\n C1 got a orders/0@1 g1\n C2 assign orders/0 g1\n C2 got a orders/0@1 g1\n C2 got b orders/0@2 g1"),
               "double-ownership");
}

// ---- group-starvation

TEST(GroupStarvation, APlaceThatNobodyWasGiven) {
  const Story s(R"(
    P1 send a orders
    P1 ok a orders/1@0
    C1 assign orders/0@0 g1
    C1 got x orders/0@0 g1
    drained
  )");
  expect_violated(s, "group-starvation", 4, {1, 2, 4},
                  "P1 was told that a is stored at orders/1@0; g1 left it there for 2 ms: no member holds the place");
}

TEST(GroupStarvation, APlaceThatWasTakenAndGivenToNobody) {
  const std::string before = R"(
    C1 assign orders/0@0 g1
    C1 got x orders/0@0 g1
    C1 revoke orders/0 g1
    P1 send a orders
    P1 ok a orders/0@1
  )";
  EXPECT_EQ(Story(before + "drained").check("group-starvation").count, 1u);
  EXPECT_EQ(Story(before + "drained\n drained").check("group-starvation").count, 1u);
  expect_holds(Story(before + "C2 assign orders/0@1 g1\n drained"), "group-starvation");  // lost-message tells what is missing
  EXPECT_EQ(Story(before + "C2 assign orders/0@1 g1\n drained").check("lost-message").count, 1u);
  EXPECT_EQ(Story(before + "C2 assign orders/0@1 g1\n C2 revoke\n drained").check("group-starvation").count, 1u);
  expect_unknown(Story(before), "group-starvation", "nothing was looked at: no places of a group at a drain");
}

TEST(GroupStarvation, NothingWaitsThere) {
  const std::string before = "C1 assign orders/0@5 g1\n C1 got x orders/0@5 g1\n C1 revoke orders/0 g1\n";
  expect_holds(Story(before + "drained"), "group-starvation");
  expect_holds(Story(before + "P1 send a orders\n P1 ok a orders/0@3\n drained"), "group-starvation");    // before its beginning
  expect_holds(Story(before + "P1 send a orders\n P1 info a\n drained"), "group-starvation");             // not acknowledged
  expect_holds(Story(before + "P1 send a mails\n P1 ok a mails/0@9\n drained"), "group-starvation");      // of another topic
  expect_holds(Story(before + "P1 send x orders\n P1 ok x orders/0@5\n drained"), "group-starvation");   // it has it
  EXPECT_EQ(Story(before + "P1 send a orders\n P1 ok a orders/0@9\n drained").check("group-starvation").count, 1u);
}

TEST(GroupStarvation, UnderABoundASilentPlaceCountsThoughItIsHeld) {
  const std::string story = R"(
    C1 assign orders/0@0 g1
    P1 send a orders
    P1 ok a orders/0@0 ms=10
    C1 got a orders/0@0 g1 ms=20
    P1 send b orders ms=21
    P1 ok b orders/0@1 ms=30
    C2 assign orders/0@1 g1 ms=95
    C2 got b orders/0@1 g1 ms=100
    drained ms=101
  )";
  expect_holds(Story(story), "group-starvation");
  expect_violated(Story(story), "group-starvation", 7, {0, 5, 7},
                  "P1 was told that b is stored at orders/0@1; g1 left it there for 70 ms: came only then",
                  {.starvation_bound = 60'000'000});
  expect_holds(Story(story), "group-starvation", {.starvation_bound = 70'000'000});
  // Who lags and yet gets on starves nobody.
  expect_holds(Story(R"(
    C1 assign orders/0@0 g1
    P1 send a orders
    P1 ok a orders/0@0 ms=10
    P1 send b orders ms=10
    P1 ok b orders/0@1 ms=10
    P1 send c orders ms=10
    P1 ok c orders/0@2 ms=10
    C1 got a orders/0@0 g1 ms=50
    C1 got b orders/0@1 g1 ms=100
    C1 got c orders/0@2 g1 ms=150
  )"),
               "group-starvation", {.starvation_bound = 50'000'000});
}

// ---- head-of-line-stall

namespace {

const std::string poison_and_others = R"(
  P1 send a orders
  P1 ok a orders/0@4
  P1 send b orders
  P1 ok b orders/0@5
)";
const CheckOptions twice{.stall_attempts = 2};

}  // namespace

TEST(HeadOfLineStall, APoisonMessageTriedForEver) {
  const std::string tries = "C1 got a orders/0@4 g1\n C1 failed a orders/0@4\n C1 failed a orders/0@4\n C1 failed a orders/0@4\n";
  expect_violated(Story(poison_and_others + tries + "drained"), "head-of-line-stall", 8, {3, 4, 7, 8},
                  "g1 tried a (orders/0@4) 3 times and never finished it, while b waits behind it at @5", twice);
  // Handed over with it in one poll, and still not begun.
  EXPECT_EQ(Story(poison_and_others + tries + "C1 got b orders/0@5 g1\n drained").check("head-of-line-stall", twice).count, 1u);
  expect_holds(Story(poison_and_others + tries + "drained"), "head-of-line-stall", {.stall_attempts = 3});
  expect_unknown(Story(poison_and_others + tries), "head-of-line-stall",
                 "1 message was tried more than 2 times, and no drain says that what is behind waits", twice);
  // At the drain nothing waited; what comes later waits for the next one.
  const std::string alone = "P1 send a orders\n P1 ok a orders/0@4\n" + tries + "drained\n";
  expect_holds(Story(alone), "head-of-line-stall", twice);
  EXPECT_EQ(Story(alone + "C1 failed a orders/0@4").check("head-of-line-stall", twice).verdict, Verdict::unknown);
}

TEST(HeadOfLineStall, DeliveredAgainAndAgainOrCountedByTheBroker) {
  const std::string deliveries = "C1 got a orders/0@4 g1\n C2 got a orders/0@4 g1\n C1 got a orders/0@4 g1\n";
  EXPECT_EQ(Story(poison_and_others + deliveries + "drained").check("head-of-line-stall", twice).count, 1u);
  EXPECT_EQ(Story(poison_and_others + "C1 got a orders/0@4 g1 attempt=3\n drained").check("head-of-line-stall", twice).count, 1u);
  EXPECT_EQ(Story(poison_and_others + "C1 got a orders/0@4 g1 attempt=2\n drained").check("head-of-line-stall", twice).count, 0u);
}

TEST(HeadOfLineStall, FinishedGivenUpOrNothingBehind) {
  const std::string tries = "C1 got a orders/0@4 g1\n C1 failed a orders/0@4\n C1 failed a orders/0@4\n C1 failed a orders/0@4\n";
  expect_holds(Story(poison_and_others + tries + "C1 process a orders/0@4\n drained"), "head-of-line-stall", twice);
  expect_holds(Story(poison_and_others + tries + "C1 failed a orders/0@4 g1 dead-letter\n drained"), "head-of-line-stall", twice);
  expect_holds(Story(poison_and_others + tries + "C1 got b orders/0@5 g1\n C1 process b orders/0@5\n drained"), "head-of-line-stall", twice);
  expect_holds(Story("P1 send a orders\n P1 ok a orders/0@4\n P1 send b orders\n P1 ok b orders/1@5\n" + tries + "drained"),
               "head-of-line-stall", twice);
  expect_holds(Story("P1 send b orders\n P1 ok b orders/0@3\n P1 send a orders\n P1 ok a orders/0@4\n C1 assign orders/0@4 g1\n" + tries + "drained"),
               "head-of-line-stall", twice);
}

TEST(HeadOfLineStall, OthersGetOnMeanwhile) {
  // Each is released and tried again by turns: nobody waits behind anybody.
  expect_holds(Story(poison_and_others + R"(
    C1 got a orders/0@4 g1
    C1 failed a orders/0@4
    C1 failed a orders/0@4
    C1 failed a orders/0@4
    C1 got b orders/0@5 g1
    C1 failed b orders/0@5
    C1 failed a orders/0@4
    drained
  )"),
               "head-of-line-stall", twice);
  // It was left behind, and what waits now waits for something else.
  expect_holds(Story(poison_and_others + R"(
    C1 got a orders/0@4 g1
    C1 failed a orders/0@4
    C1 failed a orders/0@4
    C1 failed a orders/0@4
    C1 got b orders/0@5 g1
    C1 process b orders/0@5
    P1 send c orders
    P1 ok c orders/0@6
    drained
  )"),
               "head-of-line-stall", twice);
}

TEST(HeadOfLineStall, UnderABoundTheAttemptThatExceedsIt) {
  const std::string tries =
      "C1 got a orders/0@4 g1 ms=10\n C1 failed a orders/0@4 ms=20\n C1 failed a orders/0@4 ms=50\n C1 failed a orders/0@4 ms=80\n";
  const Story s(poison_and_others + tries);
  EXPECT_EQ(s.check("head-of-line-stall", {.stall_attempts = 2, .stall_bound = 60'000'000}).worst.at(0).certain_at, 7u);
  EXPECT_EQ(s.check("head-of-line-stall", {.stall_attempts = 2, .stall_bound = 70'000'000}).count, 0u);
  // What came after the first attempt has not waited so long.
  const Story t(R"(
    P1 send a orders
    P1 ok a orders/0@4
    C1 got a orders/0@4 g1 ms=10
    P1 send b orders ms=11
    P1 ok b orders/0@5 ms=11
    C1 failed a orders/0@4 ms=20
    C1 failed a orders/0@4 ms=50
    C1 failed a orders/0@4 ms=80
  )");
  EXPECT_EQ(t.check("head-of-line-stall", {.stall_attempts = 2, .stall_bound = 60'000'000}).count, 0u);
}

// ---- what groups mean for order and for positions

// A member that is given a place begins anew; so does one whose client reset the position by its rules.
TEST(Groups, AnAssignmentAndAResetByPolicyCutTheOrder) {
  const std::string known = "P1 send a orders\n P1 ok a orders/0@5\n C1 assign orders/0@4 g1\n C1 got x orders/0@4 g1\n";
  const std::string on = "C1 got y orders/0@6 g1\n C1 got z orders/0@7 g1\n drained";
  EXPECT_EQ(Story(known + on).check("poll-skip").count, 1u);
  for (const char* cut : {"C1 revoke orders/0 g1\n C1 assign orders/0@6 g1\n", "C1 seek orders/0@6 g1 policy\n"}) {
    expect_holds(Story(known + cut + on), "poll-skip");
    EXPECT_EQ(Story(known + cut + on).check("lost-message").count, 1u) << cut;  // what was jumped is owed all the same
  }
  expect_holds(Story(known + "C1 got a orders/0@5 g1\n C1 revoke orders/0 g1\n C1 assign orders/0@4 g1\n C1 got x orders/0@4 g1\n"
                             "C1 got a orders/0@5 g1"),
               "nonmonotonic-poll");
}

TEST(Groups, AnAssignmentBelowWhatTheGroupCommitted) {
  const std::string before = "C1 assign orders/0@4 g1\n C1 commit orders/0@7 g1\n C1 committed orders/0@7 g1\n C1 revoke orders/0 g1\n";
  expect_violated(Story(before + "C2 assign orders/0@5 g1"), "position-regression", 4, {2, 4},
                  "g1 stood at orders/0@7 by the commit of C1, then C2 was assigned it from @5");
  expect_holds(Story(before + "C2 assign orders/0@7 g1"), "position-regression");
  expect_holds(Story(before + "C2 assign orders/0 g1"), "position-regression");          // where it starts is not told
  expect_holds(Story(before + "C2 assign orders/0@5 g2"), "position-regression");
  expect_holds(Story(before + "C2 assign orders/1@5 g1"), "position-regression");
  expect_holds(Story(before + "C2 assign orders/0@5 g1 assigned"), "position-regression");
}

// A zombie's commit, taken by the coordinator without a look at its generation.
TEST(Groups, AZombieCommitsBehindItsSuccessor) {
  const Story s(R"(
    C1 assign orders/0@4 g1
    C2 assign orders/0@4 g1
    C2 commit orders/0@9
    C2 committed orders/0@9
    C1 commit orders/0@6
    C1 committed orders/0@6
  )");
  expect_violated(s, "position-regression", 5, {3, 4, 5}, "g1 stood at orders/0@9 by the commit of C2, then C1 committed @6");
}
