// A database beside the cluster: what its transactions see, what survives, and what a client knows of it.
#include <gtest/gtest.h>

#include "tests/lab/service_story.h"

namespace mqlab::lab_test {
namespace {

TEST(Database, ATransactionSeesItsOwnWritesAndNobodyElseDoesBeforeItsCommit) {
  ServiceStory s;
  s.client("X", {"1 put accounts alice amount=5", "2 get accounts alice", "1 get accounts alice", "1 commit", "3 get accounts alice"});
  EXPECT_EQ(s.run(),
            "X 1 put accounts alice amount=5: ok key=alice\n"
            "X 2 get accounts alice: ok\n"
            "X 1 get accounts alice: ok [alice amount=5]\n"
            "X 1 commit: ok\n"
            "X 3 get accounts alice: ok [alice amount=5]\n");
}

TEST(Database, AnAbortedTransactionLeavesNothingButAGapInTheNumbers) {
  ServiceStory s;
  s.client("X", {"1 insert orders - a=1", "1 effect ordered 1", "1 abort", "2 insert orders - a=2", "2 commit"});
  EXPECT_EQ(s.run(),
            "X 1 insert orders - a=1: ok key=1\nX 1 effect ordered 1: ok\nX 1 abort: ok\n"
            "X 2 insert orders - a=2: ok key=2\nX 2 commit: ok\n");
  EXPECT_EQ(s.rows("orders"), "[2 a=2]");
  EXPECT_EQ(s.effects(), "");
}

// Numbers are handed out by the insert: the later one may be there first. An outbox read by `id > last` skips the other.
TEST(Database, ALaterNumberMayBeCommittedFirst) {
  ServiceStory s;
  s.client("X", {"1 insert orders - a=1", "2 insert orders - a=2", "2 commit", "3 scan orders", "3 commit", "1 commit", "4 scan orders @order=1"});
  EXPECT_EQ(s.run(),
            "X 1 insert orders - a=1: ok key=1\nX 2 insert orders - a=2: ok key=2\nX 2 commit: ok\n"
            "X 3 scan orders: ok [2 a=2]\nX 3 commit: ok\nX 1 commit: ok\nX 4 scan orders @order=1: ok [1 a=1] [2 a=2]\n");
}

// Kung & Robinson: whoever read what has changed since ends CONFLICT; the first committer wins.
TEST(Database, OfTwoThatReadAndWriteTheSameRowTheFirstToCommitWins) {
  ServiceStory s;
  s.client("X", {"0 put accounts alice amount=5", "0 commit", "1 get accounts alice", "2 get accounts alice", "1 update accounts alice amount=6",
                 "2 update accounts alice amount=7", "2 commit", "1 commit"});
  const std::string told = s.run();
  EXPECT_NE(told.find("X 2 commit: ok\nX 1 commit: fail CONFLICT\n"), std::string::npos) << told;
  EXPECT_EQ(s.rows("accounts"), "[alice amount=7]");
}

TEST(Database, WriteSkewIsAConflictAndWithReadCommittedIsNot) {
  const std::vector<std::string> lines = {"0 put accounts a amount=1", "0 put accounts b amount=1", "0 commit", "1 scan accounts amount=1", "2 scan accounts amount=1",
                                          "1 update accounts a amount=0", "2 update accounts b amount=0", "1 commit", "2 commit"};
  ServiceStory strict;
  strict.client("X", lines);
  EXPECT_NE(strict.run().find("X 1 commit: ok\nX 2 commit: fail CONFLICT\n"), std::string::npos);
  ServiceStory loose;
  loose.set("database", "isolation", std::string("read_committed")).client("X", lines);
  EXPECT_NE(loose.run().find("X 1 commit: ok\nX 2 commit: ok\n"), std::string::npos);
}

// What a scan did not see is part of what it saw; what lies behind its limit is not.
TEST(Database, ARowThatComesIntoAScanIsAConflictAndOneBehindItsLimitIsNot) {
  ServiceStory s;
  s.client("X", {"0 insert orders 5 sent=0", "0 commit", "1 scan orders sent=0", "1 put accounts a x=1", "2 scan orders @limit=1", "2 update orders 5 sent=1",
                 "3 insert orders 6 sent=0", "3 commit", "1 commit", "2 commit"});
  const std::string told = s.run();
  EXPECT_NE(told.find("X 1 commit: fail CONFLICT\nX 2 commit: ok\n"), std::string::npos) << told;
}

TEST(Database, AUniqueColumnHasEachValueOnce) {
  ServiceStory s;
  s.client("X", {"1 put accounts alice email=a@x", "1 put accounts bob email=a@x", "1 commit", "2 put accounts bob email=b@x", "3 put accounts eve email=b@x",
                 "2 commit", "3 commit", "4 update accounts alice email=c@x", "4 put accounts eve email=a@x", "4 commit", "5 insert accounts alice x=1"});
  EXPECT_EQ(s.run(),
            "X 1 put accounts alice email=a@x: ok key=alice\nX 1 put accounts bob email=a@x: fail DUPLICATE_KEY\nX 1 commit: ok\n"
            "X 2 put accounts bob email=b@x: ok key=bob\nX 3 put accounts eve email=b@x: ok key=eve\nX 2 commit: ok\nX 3 commit: fail DUPLICATE_KEY\n"
            "X 4 update accounts alice email=c@x: ok key=alice\nX 4 put accounts eve email=a@x: ok key=eve\nX 4 commit: ok\n"
            "X 5 insert accounts alice x=1: fail DUPLICATE_KEY\n");
}

TEST(Database, APutOverAVersionIsRefusedWhenTheRowHasAnother) {
  ServiceStory s;
  s.client("X", {"1 put accounts a x=1 @version=0", "2 put accounts a x=2 @version=0", "1 commit", "2 commit", "3 put accounts a x=3 @version=0", "3 delete accounts b", "3 update accounts b x=1"});
  EXPECT_EQ(s.run(),
            "X 1 put accounts a x=1 @version=0: ok key=a\nX 2 put accounts a x=2 @version=0: ok key=a\nX 1 commit: ok\nX 2 commit: fail CONFLICT\n"
            "X 3 put accounts a x=3 @version=0: fail VERSION\nX 3 delete accounts b: fail NOT_FOUND\nX 3 update accounts b x=1: fail NOT_FOUND\n");
}

// --- what survives ---

TEST(Database, ACommitThatWasAnsweredSurvivesPower) {
  ServiceStory s;
  s.client("X", {"1 insert orders - a=1", "1 effect ordered 1", "1 commit", "sleep 500", "2 insert orders - a=2", "3 insert orders - a=3", "3 commit"});
  s.fault(FaultKind::power, 100_ms);
  const std::string told = s.run();
  EXPECT_NE(told.find("X 3 commit: ok"), std::string::npos) << told;
  EXPECT_EQ(s.rows("orders").substr(0, 7), "[1 a=1]");
  EXPECT_EQ(s.rows("orders").find("a=2"), std::string::npos);
  EXPECT_EQ(s.effects(), "X did ordered for X-1 at bank\n") << "once, although the log was read again";
}

TEST(Database, WithoutSyncPowerTakesWhatWasAnswered) {
  ServiceStory s;
  s.set("database", "durability", std::string("none")).client("X", {"1 put accounts a x=1", "1 commit"});
  s.fault(FaultKind::power, 100_ms);
  EXPECT_NE(s.run().find("X 1 commit: ok"), std::string::npos);
  EXPECT_EQ(s.rows("accounts"), "");
  ServiceStory killed;
  killed.set("database", "durability", std::string("none")).client("X", {"1 put accounts a x=1", "1 commit"});
  killed.fault(FaultKind::kill, 100_ms).run();
  EXPECT_EQ(killed.rows("accounts"), "[a x=1]") << "the page cache is the machine's";
}

TEST(Database, ALyingSyncLosesWhatWasAnswered) {
  ServiceStory s;
  s.client("X", {"1 put accounts a x=1", "1 commit"});
  s.fault(FaultKind::sync_lies, 0_ms, "bank", 10_s).fault(FaultKind::power, 100_ms);
  EXPECT_NE(s.run().find("X 1 commit: ok"), std::string::npos);
  EXPECT_EQ(s.rows("accounts"), "");
}

// PostgreSQL panics since 11.2: what it does not know to be on the disk it does not serve.
TEST(Database, AFailedSyncEndsItAndTheClientKnowsNothing) {
  ServiceStory s;
  s.client("X", {"1 put accounts a x=1", "1 commit", "2 get accounts a"});
  s.fault(FaultKind::sync_fails, 0_ms, "bank", 10_s);
  EXPECT_EQ(s.run(), "X 1 put accounts a x=1: ok key=a\nX 1 commit: info DISCONNECTED\nX 2 get accounts a: fail REFUSED\n");
  EXPECT_EQ(s.world->mark_count("database_panicked"), 1u);
}

TEST(Database, ATornRecordEndsTheLog) {
  ServiceStory s;
  s.set("database", "durability", std::string("none")).client("X", {"1 put accounts a x=1", "1 commit", "2 put accounts b x=2", "2 commit"});
  s.fault(FaultKind::torn_write, 50_ms, "bank", 10_s).fault(FaultKind::power, 100_ms).run();
  EXPECT_EQ(s.rows("accounts"), "");
  EXPECT_EQ(s.database().log_records(), 0u);
}

// --- what a client knows ---

TEST(Database, AStatementWithoutAnAnswerHasChangedNothingAndACommitMayHave) {
  ServiceStory s;
  s.client("X", {"1 put accounts a x=1", "sleep 100", "1 put accounts b x=1", "1 commit", "sleep 30000", "2 get accounts a"});
  s.fault(FaultKind::isolate, 50_ms, "bank", 15_s);
  EXPECT_EQ(s.run(), "X 1 put accounts a x=1: ok key=a\nX 1 put accounts b x=1: fail TIMED_OUT\nX 1 commit: fail NO_TRANSACTION\nX 2 get accounts a: ok\n");
  ServiceStory lost;
  Fault f;
  f.kind = FaultKind::drop;
  f.message = "DbCommitReply";
  lost.build().arm(f, at(0));
  lost.client("X", {"1 put accounts a x=1", "1 commit", "2 get accounts a"});
  EXPECT_EQ(lost.run(), "X 1 put accounts a x=1: ok key=a\nX 1 commit: info TIMED_OUT\nX 2 get accounts a: ok [a x=1]\n");
}

TEST(Database, ATransactionEndsWithItsConnection) {
  ServiceStory s;
  s.client("X", {"1 put accounts a x=1", "sleep 200", "1 commit", "2 put accounts a x=2", "2 commit"});
  s.fault(FaultKind::kill, 100_ms, "bank", 20_ms);
  EXPECT_EQ(s.run(), "X 1 put accounts a x=1: ok key=a\nX 1 commit: fail NO_TRANSACTION\nX 2 put accounts a x=2: ok key=a\nX 2 commit: ok\n");
}

// --- two phases ---

TEST(Database, APreparedTransactionOutlivesACrashAndKeepsItsLocksUntilSomebodyDecides) {
  ServiceStory s;
  s.client("X", {"0 put accounts a x=1", "0 commit", "1 get accounts a", "1 put accounts b email=e", "1 effect paid 1", "1 prepare g", "sleep 500", "2 prepared",
                 "3 put accounts a x=2", "3 commit", "4 put accounts c email=e", "4 commit", "5 get accounts b", "5 put accounts d x=1", "5 commit", "6 commit_prepared g",
                 "7 commit_prepared g", "8 put accounts a x=2", "8 commit"});
  s.fault(FaultKind::power, 200_ms);
  const std::string told = s.run();
  EXPECT_NE(told.find("X 2 prepared: fail DISCONNECTED"), std::string::npos) << told;  // the client had not heard of the crash
  for (const char* line : {"X 1 prepare g: ok\n", "X 3 commit: fail LOCKED\n", "X 4 commit: fail LOCKED\n", "X 5 get accounts b: ok\n", "X 5 commit: ok\n",
                           "X 6 commit_prepared g: ok\n", "X 7 commit_prepared g: fail UNKNOWN_ID\n", "X 8 commit: ok\n"})
    EXPECT_NE(told.find(line), std::string::npos) << line << told;
  EXPECT_EQ(s.rows("accounts"), "[a x=2][b email=e][d x=1]");
  EXPECT_EQ(s.effects(), "X did paid for X-1 at bank\n");
}

TEST(Database, ARolledBackOneLeavesNothingAlsoAfterACrash) {
  ServiceStory s;
  s.client("X", {"1 put accounts a x=1", "1 prepare g", "2 prepared", "3 put accounts b x=1", "3 prepare g", "4 rollback_prepared g", "sleep 500", "5 prepared", "6 prepared", "7 get accounts a"});
  s.fault(FaultKind::kill, 200_ms);
  const std::string told = s.run();
  EXPECT_NE(told.find("X 2 prepared: ok g\n"), std::string::npos) << told;
  EXPECT_NE(told.find("X 3 prepare g: fail DUPLICATE_ID\nX 4 rollback_prepared g: ok\n"), std::string::npos) << told;
  EXPECT_NE(told.find("X 6 prepared: ok\nX 7 get accounts a: ok\n"), std::string::npos) << told;
}

// A copy of the world goes on by itself, transactions and locks included.
TEST(Database, AForkKnowsWhatWasOpen) {
  ServiceStory s;
  s.client("X", {"1 put accounts a x=1", "1 prepare g", "2 put accounts b x=1", "sleep 1000", "2 commit", "3 commit_prepared g"});
  s.build().run_until(500_ms);
  World fork = *s.world;
  fork.run_until(10_s);
  s.run(10_s);
  EXPECT_EQ(fork.fingerprint(), s.world->fingerprint());
  EXPECT_EQ(s.rows("accounts"), "[a x=1][b x=1]");
  EXPECT_EQ(fork.node_as<Database>(fork.find("bank")).rows("accounts").size(), 2u);
}

}  // namespace
}  // namespace mqlab::lab_test
