// The world outside: what it does, what it refuses to do again, and who is told.
#include <gtest/gtest.h>

#include "tests/lab/service_story.h"

namespace mqlab::lab_test {
namespace {

TEST(Outside, AnEffectIsARowOfWhoAskedWhoeverHearsOfIt) {
  ServiceStory s;
  Fault f;
  f.kind = FaultKind::drop;
  f.message = "EffectReply";
  s.build().arm(f, at(0));
  s.client("X", {"call charge 1 key=alice", "call charge 1 key=alice"});
  EXPECT_EQ(s.run(), "X call charge 1 key=alice: info TIMED_OUT\nX call charge 1 key=alice: ok\n");
  EXPECT_EQ(s.effects(), "X did charge for X-1 at world\nX did charge for X-1 at world\n");
}

TEST(Outside, AKnownKeyIsAnsweredAsBeforeAlsoAfterACrash) {
  ServiceStory s;
  s.set("outside", "idempotency_keys", true);
  s.client("X", {"call charge 1 idempotency=k", "call charge 1 idempotency=k", "sleep 500", "call charge 1 idempotency=k", "call charge 1 idempotency=k", "call charge 2 idempotency=k"});
  s.fault(FaultKind::power, 200_ms, "world");
  EXPECT_EQ(s.run(),
            "X call charge 1 idempotency=k: ok\nX call charge 1 idempotency=k: ok repeated\nX call charge 1 idempotency=k: info DISCONNECTED\n"
            "X call charge 1 idempotency=k: ok repeated\nX call charge 2 idempotency=k: fail KEY_REUSED\n");
  EXPECT_EQ(s.effects(), "X did charge for X-1 at world\n");
}

TEST(Outside, AKeyIsForgottenAfterItsTimeByTheWallClock) {
  ServiceStory s;
  s.set("outside", "idempotency_keys", true).set("outside", "remember", std::int64_t{10'000'000'000});
  s.client("X", {"call mail 1 idempotency=k", "sleep 9000", "call mail 1 idempotency=k", "sleep 2000", "call mail 1 idempotency=k"});
  EXPECT_EQ(s.run(), "X call mail 1 idempotency=k: ok\nX call mail 1 idempotency=k: ok repeated\nX call mail 1 idempotency=k: ok\n");
}

// Kleppmann 2016: a token that grows with each owner; who comes with an older one than was seen comes too late.
TEST(Outside, AnOlderTokenIsRefusedForItsKey) {
  ServiceStory s;
  s.set("outside", "fencing", true);
  s.client("X", {"call write 1 key=a token=3", "call write 2 key=a token=2", "call write 3 key=b token=2", "call write 4 key=a token=3", "call write 5 key=a"});
  EXPECT_EQ(s.run(),
            "X call write 1 key=a token=3: ok\nX call write 2 key=a token=2: fail STALE_TOKEN\nX call write 3 key=b token=2: ok\n"
            "X call write 4 key=a token=3: ok\nX call write 5 key=a: fail NO_TOKEN\n");
}

TEST(Outside, WhatIsDeclinedIsNotDone) {
  ServiceStory s;
  s.set("outside", "declines", std::int64_t{100}).client("X", {"call charge 1"});
  EXPECT_EQ(s.run(), "X call charge 1: fail DECLINED\n");
  EXPECT_EQ(s.effects(), "");
}

TEST(Outside, LyingSyncAndPowerMakeItForgetItsKeys) {
  ServiceStory s;
  s.set("outside", "idempotency_keys", true);
  s.client("X", {"call charge 1 idempotency=k", "sleep 500", "call charge 1 idempotency=k", "call charge 1 idempotency=k"});
  s.fault(FaultKind::sync_lies, 0_ms, "world", 300_ms).fault(FaultKind::power, 200_ms, "world").run();
  EXPECT_EQ(s.effects(), "X did charge for X-1 at world\nX did charge for X-1 at world\n");
}

}  // namespace
}  // namespace mqlab::lab_test
