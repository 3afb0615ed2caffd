// Positions that transactions commit: who may (KIP-447), when they count, and what others are told meanwhile
// (OffsetMetadataManager, ClassicGroup.validateOffsetCommit). Plain commits: group_coordinator_test.cpp.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/kafka/group_lab.h"

namespace mqlab::kafka::testing {
namespace {

constexpr ProducerId one = 7;
constexpr ProducerId two = 8;

// What the tree of the coordinator says of positions: "g committed: t/0=17; g pending, producer 7: t/1=3".
std::string shown(const Groups& g) {
  std::string out;
  for (const Tree& t : g.coordinator.state().children) {
    if (t.value != "committed" && t.value.rfind("pending", 0) != 0) continue;
    out += fmt::format("{}{} {}:", out.empty() ? "" : "; ", t.name, t.value);
    for (const Tree& p : t.children) out += fmt::format(" {}={}", p.name, p.value);
  }
  return out;
}

// --- when they count ---

TEST(KafkaTxnOffsets, PositionCountsWhenTheTransactionIsCommitted) {
  Two g;
  g.a.commit(3);
  EXPECT_EQ(g.a.commit_in(one, 10), "ok");
  EXPECT_EQ(g.coordinator.committed("g", 0)->offset, 3);
  EXPECT_EQ(shown(g), "g committed: t/0=3; g pending, producer 7: t/0=10");
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "10");
  EXPECT_EQ(shown(g), "g committed: t/0=10");
}

TEST(KafkaTxnOffsets, PositionIsDroppedWhenTheTransactionIsAborted) {
  Two g;
  g.a.commit(3);
  g.a.commit_in(one, 10);
  g.end(one, false);
  EXPECT_EQ(g.a.fetch(), "3");
  EXPECT_EQ(shown(g), "g committed: t/0=3");
  EXPECT_EQ(g.marks, (std::vector<std::string>{"position_dropped"}));
}

// A marker ends what its own producer has said, in all groups, and nothing else.
TEST(KafkaTxnOffsets, MarkerEndsTheTransactionsOfItsProducerOnly) {
  Two g;
  g("C").group = "other";
  g.a.commit_in(one, 10);
  g("C").commit_in_as(one, -1, "", "", 20);
  g.b.commit_in(two, 30, 2);
  g.end(one, true);
  EXPECT_EQ(g.a.fetch() + " " + g("C").fetch() + " " + g.b.fetch(2), "10 20 UNSTABLE_OFFSET_COMMIT");
  g.end(one, true);
  EXPECT_EQ(g.b.fetch(2), "UNSTABLE_OFFSET_COMMIT") << "a marker without a transaction ends nothing";
}

TEST(KafkaTxnOffsets, LastCommitOfATransactionCounts) {
  Two g;
  g.a.commit_in(one, 10);
  g.a.commit_in(one, 4);
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "4");
}

// OffsetMetadataManager.replayEndTransactionMarker: the order is that of the commits in the log, not of the markers.
TEST(KafkaTxnOffsets, PlainCommitAfterItIsNotUndoneByTheMarker) {
  Two g;
  g.a.commit_in(one, 10);
  g.a.commit(4);
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "4");
  EXPECT_EQ(g.marks, (std::vector<std::string>{"position_superseded"}));
  g.a.commit(5);
  g.a.commit_in(one, 11);
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "11");
}

TEST(KafkaTxnOffsets, OfTwoTransactionsTheLaterCommitCounts) {
  Two g;
  g.a.commit_in(one, 10);
  g.b.commit_in(two, 20);
  g.end(two, true);
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "20");
}

// --- what others are told ---

TEST(KafkaTxnOffsets, PositionThatMayChangeIsNotTold) {
  Two g;
  g.a.commit(3);
  g.b.commit(5, 2);
  g.a.commit_in(one, 10);
  EXPECT_EQ(g.b.fetch() + " " + g.b.fetch(2), "UNSTABLE_OFFSET_COMMIT 5");
  EXPECT_EQ(g.b.fetch(0, false), "3") << "before KIP-447: the next reader begins where the open transaction began";
}

// A marker counts when it is on all in-sync replicas: until then the answer waits, and what is committed is the old one.
TEST(KafkaTxnOffsets, MarkerIsToldWhenItIsCommitted) {
  Two g;
  g.a.commit(3);
  g.a.commit_in(one, 10);
  g.hold = true;
  g.b.answers.clear();
  g.end(one, true);
  EXPECT_EQ(g.b.fetch(), "");
  EXPECT_EQ(g("C").fetch(0, false), "3");
  g.commit_all();
  EXPECT_EQ(g.b.said() + " " + g("C").fetch(0, false), "10 10");
}

TEST(KafkaTxnOffsets, PositionMayChangeFromWhenItIsWritten) {
  Two g;
  g.a.commit(3);
  g.hold = true;
  g.a.commit_in(one, 10);
  g.b.answers.clear();
  EXPECT_EQ(g.b.fetch(), "") << "the answer tells of the commit, and waits for it";
  g.commit_all();
  EXPECT_EQ(g.b.said(), "UNSTABLE_OFFSET_COMMIT");
}

// --- who may (ClassicGroup.validateOffsetCommit with isTransactional) ---

TEST(KafkaTxnOffsets, MemberCommitsInItsGeneration) {
  Two g;
  EXPECT_EQ(g.a.commit_in_as(one, 1, g.a.id, "", 10), "ok");
  EXPECT_EQ(g.a.commit_in_as(one, 0, g.a.id, "", 11), "ILLEGAL_GENERATION");
  EXPECT_EQ(g.a.commit_in_as(one, 1, "nobody", "", 11), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(g.a.commit_in_as(one, -1, g.a.id, "", 11), "ILLEGAL_GENERATION");
  EXPECT_EQ(g.a.commit_in_as(one, -1, "", "one", 11), "UNKNOWN_MEMBER_ID");
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "10");
}

TEST(KafkaTxnOffsets, SecondOfAStaticMemberFencesTheFirst) {
  Groups g;
  g("A").instance = "one";
  g("A").join();
  g.run(3_s);
  g("A").sync({{"A", {0}}});
  g("A2").instance = "one";
  g("A2").join_once();
  EXPECT_EQ(g("A").commit_in(one, 10), "FENCED_INSTANCE_ID");
  EXPECT_EQ(g("A2").commit_in(one, 10), "ok");
}

// The hole that KIP-447 closes: a producer need not say for which consumer it commits.
TEST(KafkaTxnOffsets, WhoSaysNothingOfItsConsumerIsNotFenced) {
  Two g;
  EXPECT_EQ(g("C").commit_as(-1, "", "", 10), "UNKNOWN_MEMBER_ID");
  EXPECT_EQ(g("C").commit_in_as(one, -1, "", "", 10), "ok");
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "10");
}

TEST(KafkaTxnOffsets, GroupOfNobodyTakesIt) {
  Groups g;
  EXPECT_EQ(g("A").commit_in_as(one, 3, "A", "", 10), "ILLEGAL_GENERATION");
  EXPECT_EQ(g("A").commit_in_as(one, -1, "", "", 10), "ok");
  g.end(one, true);
  EXPECT_EQ(g("A").fetch(), "10");
}

// Of the state of the group nothing is asked: a plain commit is refused between the generation and its assignment.
TEST(KafkaTxnOffsets, TakenBeforeTheAssignmentIsThere) {
  Two g;
  g("C").join();
  g.a.join();
  g.b.join();
  EXPECT_EQ(g.a.commit(10), "REBALANCE_IN_PROGRESS");
  EXPECT_EQ(g.a.commit_in(one, 10), "ok");
}

// ... and it is no life sign of the member.
TEST(KafkaTxnOffsets, DoesNotKeepTheSession) {
  Two g;
  g.run(9_s);
  g.b.beat();
  g.a.commit_in(one, 10);
  g.run(1500_ms);
  EXPECT_EQ(g.a.beat(), "UNKNOWN_MEMBER_ID");
}

// validateTransactionalOffsetCommit: a stale epoch is told in the word of the classic protocol.
TEST(KafkaTxnOffsets, StaleMemberEpochIsAnIllegalGeneration) {
  Groups g;
  ConsumerGroupHeartbeat m;
  m.group = "g";
  m.member = "A";
  m.rebalance_timeout = 60_s;
  m.tells_topics = true;
  m.topics = {0};
  g.ask(g("A"), Kind::consumer_group_heartbeat, m);
  EXPECT_EQ(g("A").commit_as(9, "A", "", 10), "STALE_MEMBER_EPOCH");
  EXPECT_EQ(g("A").commit_in_as(one, 9, "A", "", 10), "ILLEGAL_GENERATION");
  EXPECT_EQ(g("A").commit_in_as(one, 1, "A", "", 10), "ok");
}

// The log refuses a producer that was fenced; the coordinator then knows of nothing.
TEST(KafkaTxnOffsets, FencedProducerCommitsNothing) {
  Two g;
  const std::size_t before = g.log.size();
  g.log_refuses = Error::invalid_producer_epoch;
  EXPECT_EQ(g.a.commit_in(one, 10), "INVALID_PRODUCER_EPOCH");
  EXPECT_EQ(g.log.size(), before);
  EXPECT_EQ(g.a.fetch(), "none");
  EXPECT_EQ(g.a.commit(4), "ok") << "of no concern to who commits without a producer";
}

// --- another coordinator ---

TEST(KafkaTxnOffsets, NextOneKnowsWhichTransactionsAreOpen) {
  Two g;
  g.a.commit(3);
  g.a.commit_in(one, 10);
  g.b.commit_in(two, 20, 2);
  g.end(two, true);
  g.move();
  EXPECT_EQ(g.a.fetch() + " " + g.b.fetch(2), "UNSTABLE_OFFSET_COMMIT 20");
  g.end(one, true);
  EXPECT_EQ(g.a.fetch(), "10");
}

TEST(KafkaTxnOffsets, NextOneDoesNotKnowAMarkerThatWasNotCommitted) {
  Two g;
  g.a.commit_in(one, 10);
  g.hold = true;
  g.end(one, true);
  g.move();
  EXPECT_EQ(g.a.fetch(), "UNSTABLE_OFFSET_COMMIT");
}

// --- expiry ---

GroupSettings short_retention() {
  GroupSettings s = group_settings();
  s.offsets_retention = 100_s;
  return s;
}

TEST(KafkaTxnOffsets, NothingExpiresThatATransactionMayChange) {
  Groups g(short_retention());
  g("A").commit_as(-1, "", "", 3);
  g("A").commit_in_as(one, -1, "", "", 10);
  g.run(200_s);
  g.expire();
  EXPECT_EQ(shown(g), "g committed: t/0=3; g pending, producer 7: t/0=10");
  g.end(one, false);
  g.expire();
  EXPECT_EQ(shown(g), "");
}

// KAFKA-19163: the group would be gone, and the marker commit a position of nobody.
TEST(KafkaTxnOffsets, GroupIsNotForgottenWhileATransactionIsOpen) {
  Groups g(short_retention());
  g("A").commit_in_as(one, -1, "", "", 10);
  g.run(200_s);
  g.expire();
  ASSERT_NE(g.group(), nullptr);
  g.end(one, false);
  g.expire();
  EXPECT_EQ(g.group(), nullptr);
}

// What expires takes what is pending with it, so that no marker brings it back.
TEST(KafkaTxnOffsets, TombstoneTakesThePendingPositionToo) {
  GroupPositions p;
  const OffsetCommitRecord at{.partition = 0, .offset = 10};
  p.take({"g", at}, one);
  p.take({"g", at, true});
  EXPECT_FALSE(p.has_pending("g"));
  EXPECT_TRUE(p.end_transaction(one, true).empty());
  EXPECT_EQ(p.find("g", 0), nullptr);
}

// --- whatever happens ---

// The log as a list, read anew for every question: that is what a coordinator must know.
struct Oracle {
  struct Entry {
    ProducerId producer = no_producer_id;
    std::optional<bool> ends{};  // a marker: whether it commits
    PartitionId partition{};
    Offset offset{};
  };
  std::vector<Entry> log{};

  // The last commit in the log that is plain, or whose transaction was ended by a commit.
  std::string committed(PartitionId p) const {
    for (std::size_t i = log.size(); i-- > 0;) {
      if (log[i].ends || log[i].partition != p) continue;
      const auto end = end_of(i);
      if (log[i].producer == no_producer_id || (end && *end)) return std::to_string(log[i].offset);
    }
    return "none";
  }
  bool pending(PartitionId p) const {
    for (std::size_t i = 0; i < log.size(); ++i)
      if (!log[i].ends && log[i].partition == p && log[i].producer != no_producer_id && !end_of(i)) return true;
    return false;
  }

 private:
  std::optional<bool> end_of(std::size_t i) const {
    for (std::size_t k = i + 1; k < log.size(); ++k)
      if (log[k].ends && log[k].producer == log[i].producer) return log[k].ends;
    return std::nullopt;
  }
};

using TxnActs = std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>;

// Plain and transactional commits of two partitions, markers of three producers, what is held and then committed, and
// another coordinator at any time: a reader is told what the log says, never more, never less.
RC_GTEST_PROP(KafkaTxnOffsets, CoordinatorKnowsWhatItsLogSays, (const TxnActs& acts)) {
  Groups g;
  Oracle written;
  Oracle committed;
  Offset next = 1;
  Person& a = g("A");
  const auto write = [&](Oracle::Entry e) {
    written.log.push_back(e);
    if (!g.hold) committed.log = written.log;
  };
  for (const auto& [what, who, where] : acts) {
    const ProducerId producer = 10 + who % 3;
    const PartitionId p = where % 2;
    switch (what % 8) {
      case 0:
      case 1:
        a.answers.clear();
        {
          OffsetCommit m;
          m.group = "g";
          m.offsets = {{p, next, no_leader_epoch, {}}};
          g.ask(a, Kind::offset_commit, std::move(m));
        }
        write({no_producer_id, {}, p, next++});
        break;
      case 2:
      case 3:
      case 4:
        a.commit_in_as(producer, -1, "", "", next, p);
        write({producer, {}, p, next++});
        break;
      case 5:
        g.end(producer, where % 3 != 0);
        write({producer, where % 3 != 0, 0, 0});
        break;
      case 6:
        if (g.hold) {
          g.commit_all();
          committed.log = written.log;
        } else {
          g.hold = true;
        }
        break;
      default:
        g.move();
        written.log = committed.log;
        break;
    }
    for (PartitionId q = 0; q < 2; ++q) {
      RC_ASSERT(g("B").fetch(q, false) == committed.committed(q));
      if (g.hold) continue;
      RC_ASSERT(g("C").fetch(q) == (written.pending(q) ? "UNSTABLE_OFFSET_COMMIT" : written.committed(q)));
    }
  }
}

}  // namespace
}  // namespace mqlab::kafka::testing
