// Positions, and a coordinator as a replicated state machine: what it knows is a function of what it wrote
// (GroupCoordinatorShard, OffsetMetadataManager). Rules of membership: classic_group_test.cpp.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <tuple>

#include "tests/kafka/group_lab.h"

namespace mqlab::kafka::testing {
namespace {

// --- positions ---

// Nothing compares a position with the one before.
TEST(KafkaGroupCoordinator, LastCommitCountsEvenIfItGoesBack) {
  Two g;
  EXPECT_EQ(g.a.fetch(), "none");
  EXPECT_EQ(g.a.commit(10), "ok");
  EXPECT_EQ(g.a.commit(4), "ok");
  EXPECT_EQ(g.b.commit(7, 2), "ok");
  EXPECT_EQ(g.a.fetch() + " " + g.a.fetch(2) + " " + g.a.fetch(1), "4 7 none");
}

TEST(KafkaGroupCoordinator, GroupsDoNotSeeEachOther) {
  Two g;
  g.a.commit(10);
  g("C").group = "other";
  EXPECT_EQ(g("C").fetch(), "none");
  EXPECT_EQ(g("C").commit_as(-1, "", "", 3), "ok");
  EXPECT_EQ(g.a.fetch() + " " + g("C").fetch(), "10 3");
}

TEST(KafkaGroupCoordinator, RefusedCommitIsNotWritten) {
  Two g;
  const std::size_t before = g.log.size();
  g.a.generation = 0;
  EXPECT_EQ(g.a.commit(10), "ILLEGAL_GENERATION");
  EXPECT_EQ(g.log.size(), before);
}

// A consumer asks with RequireStable: it is told the newest position, but not before that is committed. A member that
// takes over can so never begin before a commit that was confirmed to the one before.
TEST(KafkaGroupCoordinator, PositionIsToldWhenItIsCommitted) {
  Two g;
  g.a.commit(3);
  g.hold = true;
  g.a.answers.clear();
  EXPECT_EQ(g.a.commit(10), "");
  EXPECT_EQ(g.b.fetch(), "");
  EXPECT_EQ(g.coordinator.committed("g", 0)->offset, 3);
  g.commit_all();
  EXPECT_EQ(g.a.said() + " " + g.b.said(), "ok 10");
  EXPECT_EQ(g.coordinator.committed("g", 0)->offset, 10);
}

// The state has changed already, so an answer without a record of its own may tell of it: it waits too.
TEST(KafkaGroupCoordinator, AnswersWaitForWhatWasWrittenBefore) {
  Two g;
  g.hold = true;
  g.a.commit(10);
  EXPECT_EQ(g.b.beat(), "");
  g.commit_all();
  EXPECT_EQ(g.b.said(), "ok");
}

// --- another coordinator ---

TEST(KafkaGroupCoordinator, NextOneKnowsWhatWasCommitted) {
  Two g;
  g.a.commit(10);
  g.move();
  EXPECT_EQ(g.state(), "Stable 1 range A: A t/0 t/1, B t/2");
  EXPECT_EQ(g.a.fetch(), "10");
  EXPECT_EQ(g.a.beat() + g.b.commit(11, 2), "okok");
}

TEST(KafkaGroupCoordinator, NextOneDoesNotKnowWhatWasNotCommitted) {
  Two g;
  g.a.commit(3);
  g.hold = true;
  g.a.commit(10);
  g.move();
  EXPECT_EQ(g.a.fetch(), "3");
}

// Members that joined are known when an assignment was written, not before.
TEST(KafkaGroupCoordinator, NextOneGoesBackToTheLastGenerationThatWasHandedOut) {
  Two g;
  g("C").join();
  g.a.join();
  g.b.join();
  g.move();
  EXPECT_EQ(g.state(), "Stable 1 range A: A t/0 t/1, B t/2");
  EXPECT_EQ(g.a.beat(), "ILLEGAL_GENERATION");
  EXPECT_EQ(g("C").sync().said(), "UNKNOWN_MEMBER_ID");
}

TEST(KafkaGroupCoordinator, NextOneKnowsAStaticMemberByItsNewId) {
  Groups g;
  g("A").instance = "one";
  g("A").join();
  g.run(3_s);
  g("A").sync({{"A", {0}}});
  g("A2").instance = "one";
  g("A2").join_once();
  g.move();
  EXPECT_EQ(g.state(), "Stable 1 range A2: A2 t/0");
  EXPECT_EQ(g("A").beat() + " " + g("A2").beat(), "FENCED_INSTANCE_ID ok");
}

// Sessions are not written: all begin anew.
TEST(KafkaGroupCoordinator, SessionsBeginAnewWithTheNextOne) {
  Two g;
  g.run(9_s);
  g.a.beat();
  g.move();
  g.run(9999_ms);
  EXPECT_EQ(g.a.beat(), "ok");
  g.run(1_ms);
  EXPECT_EQ(g.a.beat(), "REBALANCE_IN_PROGRESS");
  EXPECT_EQ(g.b.beat(), "UNKNOWN_MEMBER_ID");
}

TEST(KafkaGroupCoordinator, NextOneKnowsThatAGroupIsEmpty) {
  Two g;
  g.a.leave();
  g.b.leave();
  g.move();
  EXPECT_EQ(g.state(), "Empty 2  nobody:");
  g("C").join();
  g.run(3_s);
  EXPECT_EQ(g("C").said(), "generation 3 range C leads C");
}

// --- positions that nobody uses (offsets.retention.minutes, OffsetExpirationCondition) ---

GroupSettings short_retention() {
  GroupSettings s = group_settings();
  s.offsets_retention = 100_s;
  return s;
}

// Two, who send heartbeats as long as the story waits for them.
struct Expiring : Two {
  Expiring() : Two(short_retention()) {}
  void live(Duration d) {
    for (; d > 0; d -= 5_s) {
      run(std::min<Duration>(5_s, d));
      a.beat();
      b.beat();
    }
  }
  std::string after_a_look(PartitionId p = 0) {
    expire();
    return (*this)("X").fetch(p);
  }
};

TEST(KafkaOffsetExpiry, GroupWithMembersKeepsWhatItReads) {
  Expiring g;
  g.a.commit(10);
  g.live(1000_s);
  EXPECT_EQ(g.after_a_look(), "10");
}

TEST(KafkaOffsetExpiry, WhatNoMemberReadsGoesSomeTimeAfterItsLastCommit) {
  Expiring g;
  g.a.commit(10, 3);
  g.live(50_s);
  g.a.commit(11, 3);
  g.live(95_s);
  EXPECT_EQ(g.after_a_look(3), "11");
  g.live(5_s);
  EXPECT_EQ(g.after_a_look(3), "none");
}

TEST(KafkaOffsetExpiry, NothingGoesWhileTheGroupIsStopped) {
  Expiring g;
  g.a.commit(10, 3);
  g.a.rebalance = g.b.rebalance = 1000_s;
  g.a.join();
  g.live(200_s);
  EXPECT_EQ(g.state(), "PreparingRebalance 1 range A: A t/0 t/1, B t/2");
  EXPECT_EQ(g.after_a_look(3), "10");
}

// Seen with 4.3.1, retention one minute: a group empty for 60 s lost a position that had been committed, without
// membership, 20 s before.
TEST(KafkaOffsetExpiry, EmptyGroupLosesAllSomeTimeAfterItBecameEmpty) {
  Expiring g;
  g.a.commit(10);
  g.live(200_s);
  g.a.leave();
  g.b.leave();
  ASSERT_EQ(g.state(), "Empty 2  nobody:");
  g.run(80_s);
  EXPECT_EQ(g("X").commit_as(-1, "", "", 12), "ok");
  g.run(19'999_ms);
  EXPECT_EQ(g.after_a_look(), "12");
  g.run(1_ms);
  EXPECT_EQ(g.after_a_look(), "none");
  EXPECT_EQ(g.state(), "no group") << "without members and positions it is nothing (maybeDeleteGroup)";
  g.move();
  EXPECT_EQ(g.state(), "no group");
}

// Seen with 4.3.1 too.
TEST(KafkaOffsetExpiry, GroupThatNeverHadMembersLosesEachSomeTimeAfterItsCommit) {
  Groups g(short_retention());
  g("X").commit_as(-1, "", "", 1);
  g.run(50_s);
  g("X").commit_as(-1, "", "", 2);
  g.run(99'999_ms);
  g.expire();
  EXPECT_EQ(g("X").fetch(), "2");
  g.run(1_ms);
  g.expire();
  EXPECT_EQ(g("X").fetch(), "none");
}

TEST(KafkaOffsetExpiry, WhatIsGoneStaysGoneWithTheNextCoordinator) {
  Groups g(short_retention());
  g("X").commit_as(-1, "", "", 1);
  g("Y").group = "other";
  g.run(50_s);
  g("Y").commit_as(-1, "", "", 2);
  g.run(50_s);
  g.expire();
  EXPECT_TRUE(g.committed.back().gone);
  g.move();
  EXPECT_EQ(g("X").fetch() + " " + g("Y").fetch(), "none 2");
  EXPECT_EQ(g.coordinator.committed("g", 0), nullptr);
}

// Seen with 4.3.1: a member that had only its id so far found itself unknown.
TEST(KafkaOffsetExpiry, GroupThatNobodyIsInYetMayBeForgotten) {
  Groups g(short_retention());
  g("A").join_once();
  g.expire();
  EXPECT_EQ(g("A").join_once().said(), "UNKNOWN_MEMBER_ID");
}

// --- whatever happens ---

// Four people, two of them static and one of these twice, do what they like. One number draws who and what.
struct Crowd : Groups {
  std::map<std::string, std::size_t> asked;
  Crowd() : Groups(short_retention()) {
    for (const char* who : {"A", "B", "C", "D"}) {
      Person& p = (*this)(who);
      p.session = 8_s;
      p.rebalance = 12_s;
    }
    (*this)("C").instance = "one";
    (*this)("D").instance = "one";
    (*this)("B").protocols = {"sticky", "range"};
  }
  void act(int who, int what, int amount) {
    Person& p = (*this)(std::string(1, static_cast<char>('A' + who)));
    ++asked[p.name];
    switch (what) {
      case 0:
      case 1:
        if (p.answers.size() + 1 < asked[p.name]) break;  // it still waits: its connection is muted
        if (p.said() == "UNKNOWN_MEMBER_ID" || p.said() == "FENCED_INSTANCE_ID") p.id.clear();
        p.join_once();
        return;
      case 2:
      case 3:
        if (p.answers.size() + 1 < asked[p.name]) break;
        p.sync({{"A", {0}}, {"B", {1}}, {"C", {2}}});
        return;
      case 4: run(amount * 500_ms); break;
      case 5:
        if (p.answers.size() + 1 < asked[p.name]) break;
        p.beat();
        return;
      case 6:
      case 7:
        if (p.answers.size() + 1 < asked[p.name]) break;
        p.commit(amount, static_cast<PartitionId>(amount % 5));
        return;
      case 8:
        if (p.answers.size() + 1 < asked[p.name] || amount % 3) break;
        p.leave();
        return;
      case 9:
        if (hold) commit_all();
        else hold = true;
        break;
      case 10: expire(); break;
      case 11:
        p.topics = amount % 2 ? std::vector<std::int32_t>{0} : std::vector<std::int32_t>{0, 1};
        break;
      default: break;
    }
    --asked[p.name];
  }
  // "generation 3 range A: A(topics) places ..." of what is written.
  static std::string text(const ClassicGroupRecord& r) {
    std::string out = fmt::format("{} {} {}", r.generation, r.protocol, r.leader);
    for (const ClassicMemberRecord& m : r.members) {
      out += fmt::format(" {}/{}:", m.id, m.instance);
      for (const PartitionId p : m.assigned) out += fmt::format(" #{}", p);
      for (const std::int32_t t : m.topics) out += fmt::format(" t{}", t);
      for (const std::string& p : m.protocols) out += " " + p;
    }
    return out;
  }
  static std::string text(const ClassicGroup& g) {
    ClassicGroupRecord r;
    r.generation = g.generation;
    r.protocol = g.protocol;
    r.leader = g.leader;
    for (const auto& [id, m] : g.members) r.members.push_back(m.about);
    return text(r);
  }
  // The last record of the group that is committed, if it is not a tombstone.
  const ClassicGroupRecord* last_record() const {
    for (auto r = committed.rbegin(); r != committed.rend(); ++r)
      if (const auto* c = std::get_if<ClassicGroupRecord>(&r->value)) return r->gone ? nullptr : c;
    return nullptr;
  }
};

using Acts = std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>;

void play(Crowd& g, const Acts& acts, const std::function<void()>& after_each) {
  for (const auto& [who, what, amount] : acts) {
    g.act(who % 4, what % 12, amount % 20);
    after_each();
  }
}

// In `stable` every member has an assignment of the present generation, and it is committed (classic_group.h).
RC_GTEST_PROP(KafkaGroupCoordinator, StableMeansThatTheGenerationIsCommitted, (const Acts& acts)) {
  Crowd g;
  std::int32_t generation = 0;
  play(g, acts, [&] {
    const ClassicGroup* group = g.group();
    if (!group) {
      generation = 0;  // forgotten with its last position
      return;
    }
    RC_ASSERT(group->generation >= generation);
    generation = group->generation;
    for (const auto& [instance, id] : group->static_members) RC_ASSERT(group->members.count(id) == 1u);
    RC_ASSERT(group->members.empty() == group->leader.empty());
    RC_ASSERT(group->leader.empty() || group->members.count(group->leader) == 1u);
    if (group->state == ClassicState::empty) RC_ASSERT(group->members.empty());
    if (group->state != ClassicState::stable || g.hold) return;
    RC_ASSERT(!group->members.empty());
    RC_ASSERT(g.last_record() != nullptr);
    RC_ASSERT(Crowd::text(*g.last_record()) == Crowd::text(*group));
  });
}

// What the next coordinator reads is what this one had, as far as it was committed: positions, and a group that stands.
RC_GTEST_PROP(KafkaGroupCoordinator, NextOneHasWhatWasCommitted, (const Acts& acts)) {
  Crowd g;
  play(g, acts, [] {});
  std::map<PartitionId, Offset> positions;
  for (PartitionId p = 0; p < 5; ++p)
    if (const OffsetCommitRecord* o = g.coordinator.committed("g", p)) positions[p] = o->offset;
  const ClassicGroup* group = g.group();
  const bool stands = group && !g.hold && (group->state == ClassicState::stable || (group->state == ClassicState::empty && group->generation > 0));
  const std::string before = stands ? Crowd::text(*group) : "";
  const std::int32_t generation = group ? group->generation : 0;
  const bool held = g.hold;  // a tombstone may be missing, and the group have begun anew
  g.move();
  for (PartitionId p = 0; p < 5; ++p) {
    const OffsetCommitRecord* o = g.coordinator.committed("g", p);
    RC_ASSERT((o != nullptr) == (positions.count(p) == 1u));
    if (o) RC_ASSERT(o->offset == positions[p]);
  }
  const ClassicGroup* now = g.group();
  if (stands) {
    RC_ASSERT(now != nullptr);
    RC_ASSERT(Crowd::text(*now) == before);
  } else if (now && group && !held) {
    RC_ASSERT(now->generation <= generation);
  }
}

// Whoever asks is answered, once, at the latest when all sessions and timeouts are over; then the group is empty.
RC_GTEST_PROP(KafkaGroupCoordinator, EverybodyIsAnswered, (const Acts& acts)) {
  Crowd g;
  play(g, acts, [] {});
  if (g.hold) g.commit_all();
  g.run(1000_s);
  for (const auto& [who, n] : g.asked) RC_ASSERT(g(who).heard() == n);
  if (g.group()) RC_ASSERT(g.group()->state == ClassicState::empty);
}

}  // namespace
}  // namespace mqlab::kafka::testing
