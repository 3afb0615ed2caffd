// The consumer loop: what each of its options asks of a client library, and in which order.
#include "tests/lab/fake_client.h"

namespace mqlab::lab_test {
namespace {

TEST(ConsumerLoop, WithoutOptionsItPollsAndNotes) {
  Story s{};
  s.poll("orders/0 1 2").poll("orders/0 3");
  EXPECT_EQ(s.run(), "0 s assign orders\n0 s done P1-1\n0 s done P1-2\n0 s done P1-3\n");
  EXPECT_TRUE(s.app().done());
}

TEST(ConsumerLoop, ForAGroupItSubscribes) {
  Story s{{"group", "g"}, {"topics", "orders,payments"}, {"max_poll", "7"}};
  s.client().tells_polls = true;
  EXPECT_EQ(s.run(), "0 s subscribe orders,payments\n0 s poll 7\n");
}

TEST(ConsumerLoop, ItDoesNotPollWhileItWorks) {
  Story s{{"work", "10ms"}, {"poll_every", "5ms"}, {"start_at", "1s"}, {"seek_to", "4"}};
  s.client().tells_polls = true;
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(), "1 s assign orders 4\n1 s poll\n1.01 s done P1-1\n1.02 s done P1-2\n1.025 s poll\n");
}

// ---- commits

TEST(ConsumerLoop, CommitsBeforeTheWork) {
  Story s{{"group", "g"}, {"commit", "before"}, {"work", "10ms"}};
  s.poll("orders/0 1 2 orders/1 1").poll("orders/0 3");
  EXPECT_EQ(s.run(),
            "0 s subscribe orders\n0 s commit orders/0 2\n0 s commit orders/1 1\n11 ms done P1-1\n21 ms done P1-2\n31 ms done P1-1\n"
            "31 ms commit orders/0 3\n42 ms done P1-3\n");
}

TEST(ConsumerLoop, WhatCouldNotBeCommittedBeforehandIsNotWorkedOn) {
  for (const char* error : {"REBALANCE_IN_PROGRESS", "info"}) {
    Story s{{"group", "g"}, {"commit", "before"}};
    s.client().commit_errors = {error};
    s.poll("orders/0 1 2").poll("orders/0 3");
    EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s commit orders/0 2\n1 ms commit orders/0 3\n2 ms done P1-3\n");
  }
}

TEST(ConsumerLoop, CommitsAfterTheBatch) {
  Story s{{"group", "g"}, {"commit", "after"}, {"work", "10ms"}};
  s.client().tells_polls = true;
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s poll\n10 ms done P1-1\n20 ms done P1-2\n20 ms commit orders/0 2\n21 ms poll\n");
}

TEST(ConsumerLoop, CommitsAfterEachRecord) {
  Story s{{"group", "g"}, {"commit", "each"}};
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s done P1-1\n0 s commit orders/0 1\n1 ms done P1-2\n1 ms commit orders/0 2\n");
}

TEST(ConsumerLoop, ACommitThatFailsIsNotRepeatedAndTheWorkGoesOn) {
  Story s{{"group", "g"}, {"commit", "each"}};
  s.client().commit_errors = {"UNKNOWN_MEMBER_ID", "UNKNOWN_MEMBER_ID"};
  s.poll("orders/0 1 2").poll("orders/0 3");
  EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s done P1-1\n0 s commit orders/0 1\n1 ms done P1-2\n1 ms commit orders/0 2\n2 ms done P1-3\n2 ms commit orders/0 3\n");
}

TEST(ConsumerLoop, AnAsynchronousCommitIsNotWaitedFor) {
  Story s{{"group", "g"}, {"commit", "each"}, {"commit_async", "true"}, {"work", "1ms"}};
  s.client().commit_takes = 50_ms;
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(), "0 s subscribe orders\n1 ms done P1-1\n1 ms commit without waiting orders/0 1\n2 ms done P1-2\n2 ms commit without waiting orders/0 2\n");
}

// ---- rebalances

TEST(ConsumerLoop, CommitsWhatIsDoneWhenPlacesAreRevoked) {
  Story s{{"group", "g"}, {"commit", "prefix"}, {"commit_on_revoke", "true"}, {"workers", "1"}, {"work", "10ms"}};
  s.client().tells_polls = true;
  s.poll("orders/0 1 2 3").poll("revoked orders/0", 25_ms).poll("lost orders/0");
  // P1-3 was begun and is finished; nothing is committed for it any more.
  EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s poll\n0 s poll\n10 ms done P1-1\n20 ms done P1-2\n25 ms commit orders/0 2\n26 ms poll\n26 ms poll\n30 ms done P1-3\n");
}

TEST(ConsumerLoop, WithoutItNothingIsCommittedThen) {
  Story s{{"group", "g"}, {"commit", "after"}, {"workers", "1"}, {"work", "10ms"}};
  s.poll("orders/0 1 2").poll("revoked orders/0", 15_ms);
  EXPECT_EQ(s.run(), "0 s subscribe orders\n10 ms done P1-1\n20 ms done P1-2\n");
}

TEST(ConsumerLoop, ItPollsAtOnceToGoOnWithARebalance) {
  Story s{{"group", "g"}, {"poll_every", "1s"}};
  s.client().tells_polls = true;
  s.poll("revoked orders/0").poll("assigned orders/0").poll("orders/0 1");
  EXPECT_EQ(s.run(1500_ms), "0 s subscribe orders\n0 s poll\n0 s poll\n0 s poll\n0 s done P1-1\n1 s poll\n");
}

TEST(ConsumerLoop, WhatWasNotBegunIsDroppedWithItsPlace) {
  const std::vector<Story::Option> base{{"group", "g"}, {"workers", "1"}, {"work", "10ms"}};
  Story careful(base);
  careful.poll("orders/0 1 2 orders/1 3").poll("lost orders/0", 5_ms);
  EXPECT_EQ(careful.run(), "0 s subscribe orders\n10 ms done P1-1\n20 ms done P1-3\n");
  std::vector<Story::Option> set = base;
  set.push_back({"finish_revoked", "true"});
  Story careless(set);
  careless.poll("orders/0 1 2 orders/1 3").poll("lost orders/0", 5_ms);
  EXPECT_EQ(careless.run(), "0 s subscribe orders\n10 ms done P1-1\n20 ms done P1-2\n30 ms done P1-3\n");
}

TEST(ConsumerLoop, WhatIsFinishedForAnEarlierOwnershipCountsForNothing) {
  Story s{{"group", "g"}, {"commit", "prefix"}, {"workers", "2"}, {"work", "10ms"}};
  s.poll("orders/0 1").poll("lost orders/0", 5_ms).poll("assigned orders/0").poll("orders/0 1 2", 6_ms).poll("orders/0 9", 9_ms);
  // The first P1-1 ends at 10 ms, after the place was lost; the second at 21 ms.
  EXPECT_EQ(s.run(15_ms), "0 s subscribe orders\n10 ms done P1-1\n");
}

TEST(ConsumerLoop, AFencedStaticMemberStopsAndOtherErrorsAreTriedAgain) {
  Story s{{"group", "g"}};
  s.client().tells_polls = true;
  s.poll("error OFFSET_OUT_OF_RANGE").poll("error FENCED_INSTANCE_ID");
  EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s poll\n100 ms poll\n");
  EXPECT_TRUE(s.app().done());
}

// ---- workers

TEST(ConsumerLoop, WorkersLetTheLoopPollOn) {
  Story s{{"workers", "2"}, {"work", "10ms"}, {"work_slow_message", "P1-1"}, {"work_slow", "25ms"}};
  s.client().tells_polls = true;
  s.poll("orders/0 1 2 3");
  EXPECT_EQ(s.run(), "0 s assign orders\n0 s poll\n0 s poll\n10 ms done P1-2\n20 ms done P1-3\n25 ms done P1-1\n");
}

TEST(ConsumerLoop, TheHighestFinishedPassesWhatIsUnderWay) {
  Story s{{"group", "g"}, {"commit", "highest"}, {"workers", "2"}, {"work", "10ms"}, {"work_slow_message", "P1-1"}, {"work_slow", "25ms"}};
  s.poll("orders/0 1 2 3").poll("orders/1 9", 12_ms);
  EXPECT_EQ(s.run(15_ms), "0 s subscribe orders\n10 ms done P1-2\n12 ms commit orders/0 2\n");
}

TEST(ConsumerLoop, ThePrefixStopsBeforeWhatIsUnderWay) {
  Story s{{"group", "g"}, {"commit", "prefix"}, {"workers", "2"}, {"work", "10ms"}, {"work_slow_message", "P1-1"}, {"work_slow", "25ms"}};
  s.poll("orders/0 1 2 3").poll("orders/1 9", 12_ms).poll("orders/1 10", 20_ms);
  EXPECT_EQ(s.run(45_ms), "0 s subscribe orders\n10 ms done P1-2\n20 ms done P1-3\n25 ms done P1-1\n30 ms done P1-9\n32 ms commit orders/0 3\n32 ms commit orders/1 9\n42 ms done P1-10\n");
}

TEST(ConsumerLoop, AFullQueueStopsThePolls) {
  Story s{{"workers", "1"}, {"work", "10ms"}, {"queue", "1"}};
  s.client().tells_polls = true;
  s.poll("orders/0 1 2 3 4");
  // One is worked on, one waits; the loop stands there with the third, and then the fourth.
  EXPECT_EQ(s.run(), "0 s assign orders\n0 s poll\n10 ms done P1-1\n20 ms done P1-2\n20 ms poll\n30 ms done P1-3\n40 ms done P1-4\n");
}

TEST(ConsumerLoop, PausesItsPlacesAndPollsOn) {
  Story s{{"group", "g"}, {"commit", "after"}, {"work", "150ms"}, {"pause_while_working", "true"}};
  s.client().tells_polls = true;
  s.poll("orders/0 1 2");
  s.client().script.push_back({250_ms, "orders/1 7"});  // a place that came meanwhile
  EXPECT_EQ(s.run(700_ms),
            "0 s subscribe orders\n0 s poll\n0 s pause orders/0\n0 s poll\n100 ms poll\n150 ms done P1-1\n200 ms poll\n250 ms pause orders/1\n250 ms poll\n"
            "300 ms done P1-2\n350 ms commit orders/0 2\n351 ms poll\n450 ms done P1-7\n451 ms resume orders/0\n451 ms resume orders/1\n451 ms commit orders/1 7\n452 ms poll\n");
}

TEST(ConsumerLoop, StoresForTheLibraryWhatIsFinishedWithoutAGap) {
  Story s{{"group", "g"}, {"commit", "store"}, {"workers", "2"}, {"work", "10ms"}, {"work_slow_message", "P1-1"}, {"work_slow", "25ms"}};
  s.poll("orders/0 1 2 3");
  EXPECT_EQ(s.run(), "0 s subscribe orders\n10 ms done P1-2\n20 ms done P1-3\n25 ms done P1-1\n25 ms store_offset orders/0 3\n");
}

// ---- failures

TEST(ConsumerLoop, ARecordThatAlwaysFailsBlocksThoseBehindIt) {
  Story s{{"work", "10ms"}, {"poison", "P1-1"}, {"attempt_backoff", "990ms"}};
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(2500_ms), "0 s assign orders\n10 ms failed P1-1\n1.01 s failed P1-1\n2.01 s failed P1-1\n");
  EXPECT_FALSE(s.app().done());
  s.run(20_s);
  EXPECT_TRUE(s.app().stuck()) << "nobody needs to wait for it any more";
  EXPECT_TRUE(s.app().done());
}

TEST(ConsumerLoop, UntilWhatItNeedsIsBack) {
  Story s{{"poison", "P1-1"}, {"poison_until", "2s"}, {"attempt_backoff", "100ms"}};
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(150_ms), "0 s assign orders\n0 s failed P1-1\n100 ms failed P1-1\n");
  s.run(1900_ms);
  EXPECT_FALSE(s.app().stuck()) << "it will succeed";
  EXPECT_NE(s.run().find("2 s done P1-1\n2 s done P1-2\n"), std::string::npos);
}

TEST(ConsumerLoop, OrIsLeft) {
  Story s{{"group", "g"}, {"commit", "after"}, {"poison", "P1-9,P1-1"}, {"attempts", "2"}, {"attempt_backoff", "10ms"}, {"on_failure", "skip"}, {"effect", "mail"}};
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s failed P1-1\n10 ms failed P1-1\n10 ms mail P1-2\n10 ms done P1-2\n10 ms commit orders/0 2\n");
}

TEST(ConsumerLoop, OrGoesElsewhereAndIsCommittedOnlyWhenItIsSafeThere) {
  for (const auto& [where, option] : {std::pair{"retry_topic", "retry_topic"}, std::pair{"dead_letter", "dead_letter_topic"}}) {
    Story s{{"group", "g"}, {"commit", "each"}, {"poison", "P1-1"}, {"on_failure", where}, {option, "aside"}, {"attempt_backoff", "10ms"}};
    s.client().send_errors = {"REQUEST_TIMED_OUT"};
    s.poll("orders/0 1 2");
    EXPECT_EQ(s.run(), "0 s subscribe orders\n0 s failed P1-1\n0 s send aside P1-1\n11 ms send aside P1-1\n12 ms commit orders/0 1\n13 ms done P1-2\n13 ms commit orders/0 2\n");
    EXPECT_TRUE(s.app().done());
  }
}

TEST(ConsumerLoop, ARetryIsDelayed) {
  Story s{{"retry_delay", "1s"}, {"work", "10ms"}};
  s.poll("orders/0 1 2");
  EXPECT_EQ(s.run(), "0 s assign orders\n1.01 s done P1-1\n1.02 s done P1-2\n");
}

TEST(ConsumerLoop, AMemberOfAShareGroupTellsWhatBecameOfEachRecord) {
  const auto told = [](const char* ack) {
    Story s{{"group", "g"}, {"ack", ack}, {"poison", "P1-1"}, {"on_failure", "skip"}};
    s.poll("orders/0 1 2");
    return s.run();
  };
  const std::string begin = "0 s subscribe orders\n0 s failed P1-1\n";
  EXPECT_EQ(told("implicit"), begin + "0 s done P1-2\n");
  EXPECT_EQ(told("accept"), begin + "0 s ack P1-1\n0 s done P1-2\n0 s ack P1-2\n");
  EXPECT_EQ(told("release_failed"), begin + "0 s release P1-1\n0 s done P1-2\n0 s ack P1-2\n");
  EXPECT_EQ(told("reject_failed"), begin + "0 s reject P1-1\n0 s done P1-2\n0 s ack P1-2\n");
}

// ---- the process

TEST(ConsumerLoop, NothingOutlivesTheProcess) {
  Story s{{"group", "g"}, {"commit", "after"}, {"workers", "1"}, {"work", "10ms"}};
  s.poll("orders/0 1 2");
  s.run(5_ms);
  s.world.kill(s.id, false);
  s.client().script.clear();
  s.poll("orders/0 1");
  s.run(50_ms);
  s.world.start(s.id);
  EXPECT_EQ(s.run(), "0 s subscribe orders\n50 ms subscribe orders\n60 ms done P1-1\n");
  EXPECT_TRUE(s.app().done());
}

TEST(ConsumerLoop, OptionsThatDoNotGoTogetherAreRefused) {
  const auto complaint = [](std::vector<Story::Option> set) { return Story(set).complaint; };
  EXPECT_EQ(complaint({{"commit", "after"}}), "commits positions, but reads for no `group`");
  EXPECT_NE(complaint({{"group", "g"}, {"commit", "each"}, {"workers", "2"}}).find("use highest, prefix or after"), std::string::npos);
  EXPECT_NE(complaint({{"queue", "2"}}).find("no `workers`"), std::string::npos);
  EXPECT_NE(complaint({{"on_failure", "retry_topic"}}).find("`retry_topic` must name it"), std::string::npos);
  EXPECT_NE(complaint({{"on_failure", "dead_letter"}}).find("`dead_letter_topic` must name it"), std::string::npos);
  EXPECT_EQ(complaint({{"group", "g"}, {"commit", "prefix"}, {"workers", "2"}}), "");
}

}  // namespace
}  // namespace mqlab::lab_test
