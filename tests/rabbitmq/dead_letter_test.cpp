// What a death writes down, and when the way back is closed. Recorded: rabbit-dlx-01, -02, -03, -12.
#include <gtest/gtest.h>

#include "models/rabbitmq/dead_letter.h"

namespace mqlab::rabbitmq {
namespace {

using namespace literals;
using Names = std::vector<std::string>;

const Rules rules_3 = *rules_of("3.10");
const Rules rules_4 = *rules_of("4.3");

Content sent(const std::string& exchange, const std::string& key, Table headers = {}, const std::string& expiration = "") {
  return *published(exchange, key, {.expiration = expiration}, std::move(headers));
}
Content after(const Content& c, const std::string& queue, DeathReason reason, const std::string& key = "", const Rules& rules = rules_4) {
  return *dead_lettered(c, {queue, reason, 5_s}, "dlx", key.empty() ? std::nullopt : std::optional(key), rules);
}

TEST(RabbitDeadLetter, ADeathIsRecordedAndTheExpirationIsTakenAway) {
  const Content dead = after(sent("d", "k", {{"mine", "yes"}}, "60"), "q", DeathReason::expired);
  EXPECT_EQ(dead.exchange, "dlx");
  EXPECT_EQ(dead.routing_key(), "k");
  EXPECT_EQ(dead.properties.expiration, "");
  EXPECT_EQ(describe(delivered_headers(dead, false)),
            "{mine=\"yes\", x-death=[{count=1, exchange=\"d\", original-expiration=\"60\", queue=\"q\", reason=\"expired\", "
            "routing-keys=[\"k\"], time=5}], x-first-death-exchange=\"d\", x-first-death-queue=\"q\", x-first-death-reason=\"expired\"}");
}

TEST(RabbitDeadLetter, TheKeyIsReplacedAndThenCcGoes) {
  const Content c = sent("d", "k", {{"CC", FieldValue::strings({"k2"})}, {"BCC", FieldValue::strings({"secret"})}});
  const Content kept = after(c, "q", DeathReason::rejected);
  EXPECT_EQ(kept.keys, (Names{"k", "k2", "secret"}));
  const Content replaced = after(c, "q", DeathReason::rejected, "dl");
  EXPECT_EQ(replaced.keys, (Names{"dl"}));
  EXPECT_FALSE(replaced.headers.contains("CC"));
  EXPECT_EQ(replaced.deaths.entries[0].routing_keys, (Names{"k", "k2"}));  // BCC stays a secret
}

// One entry for each queue and reason, the latest first; the first death is never forgotten.
TEST(RabbitDeadLetter, DeathsAreCountedByQueueAndReason) {
  Content c = sent("d", "k");
  c = after(c, "a", DeathReason::rejected);
  c = after(c, "b", DeathReason::expired, "a");
  c = after(c, "a", DeathReason::rejected);
  EXPECT_EQ(describe(c), "\"dlx\" key \"a\" died 2x rejected in a died 1x expired in b");
  EXPECT_EQ(c.deaths.first_queue, "a");
  EXPECT_EQ(c.deaths.first_exchange, "d");
  EXPECT_EQ(c.deaths.entries[0].exchange, "d");  // as of the first such death
  const Table seen = delivered_headers(c, true);
  EXPECT_EQ(seen.find("x-last-death-queue")->text, "a");
  EXPECT_EQ(seen.find("x-last-death-exchange")->text, "dlx");
}

// mc:is_cycle_v2. A queue that is its own dead-letter target drops what expires in it.
TEST(RabbitDeadLetter, WithoutARejectionTheWayBackIsClosed) {
  const Content expired = after(sent("d", "k"), "q", DeathReason::expired);
  EXPECT_EQ(without_cycles(expired, DeathReason::expired, {"other", "q"}), (Names{"other"}));

  // Work, rejected, waits in the delay queue, expires, and comes back: a person said so.
  Content ladder = after(sent("d", "k"), "work", DeathReason::rejected);
  EXPECT_EQ(without_cycles(ladder, DeathReason::rejected, {"delay"}), (Names{"delay"}));
  ladder = after(ladder, "delay", DeathReason::expired);
  EXPECT_EQ(without_cycles(ladder, DeathReason::expired, {"work"}), (Names{"work"}));
  ladder = after(ladder, "work", DeathReason::rejected);
  ladder = after(ladder, "delay", DeathReason::expired);
  EXPECT_EQ(without_cycles(ladder, DeathReason::expired, {"work"}), (Names{"work"}));

  // The same loop by delivery limit: nobody said anything.
  Content loop = after(sent("d", "k"), "work", DeathReason::delivery_limit);
  EXPECT_EQ(without_cycles(loop, DeathReason::delivery_limit, {"delay"}), (Names{"delay"}));
  loop = after(loop, "delay", DeathReason::expired);
  EXPECT_EQ(without_cycles(loop, DeathReason::expired, {"work"}), Names{});

  // First rejected, later removed by the limit: it may not go through the delay queue again.
  Content mixed = after(sent("d", "k"), "work", DeathReason::rejected);
  mixed = after(mixed, "delay", DeathReason::expired);
  mixed = after(mixed, "work", DeathReason::delivery_limit);
  EXPECT_EQ(without_cycles(mixed, DeathReason::delivery_limit, {"delay"}), Names{});
}

// A rejection always goes through (rabbit_dead_letter:detect_cycles), even into the queue itself.
TEST(RabbitDeadLetter, ARejectionIsNoCycle) {
  const Content c = after(sent("d", "k"), "q", DeathReason::rejected);
  EXPECT_EQ(without_cycles(c, DeathReason::rejected, {"q"}), (Names{"q"}));
}

// Release notes 4.0.1: x-death that a publisher brings along is a header like any other.
TEST(RabbitDeadLetter, XDeathOfAPublisherCountsUpTo3) {
  const Content first = after(sent("d", "work"), "work", DeathReason::rejected, "", rules_3);
  const Content again = sent("d", "work", delivered_headers(first, false));
  EXPECT_EQ(after(again, "work", DeathReason::rejected, "", rules_3).deaths.entries[0].count, 2);
  EXPECT_EQ(after(again, "work", DeathReason::rejected, "", rules_4).deaths.entries[0].count, 1);
}

TEST(RabbitDeadLetter, WhatIsNoXDeathIsNotRead) {
  EXPECT_TRUE(deaths_of_headers({{"x-death", "text"}}).empty());
  EXPECT_TRUE(deaths_of_headers({{"x-death", FieldValue::strings({"a"})}}).empty());
}

}  // namespace
}  // namespace mqlab::rabbitmq
