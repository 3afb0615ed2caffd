// What sharing places cost, on histories short enough to add up by hand.
#include "sim/check/measure.h"

#include "tests/check/story.h"

namespace mqlab::test {
namespace {

constexpr Duration ms = 1'000'000;

void mark(Story& s, const char* name, const char* process, int at_ms, const char* place = "") {
  Mark m;
  m.time = at_ms * ms;
  m.name = s.journal.names.id(name);
  m.place = s.journal.names.id(place);
  for (NodeId n = 0; n < s.journal.processes.size(); ++n)
    if (s.journal.processes[n] == process) m.node = n;
  s.journal.marks.push_back(m);
}

GroupCost only(const Story& s, Time until = time_max) {
  const std::vector<GroupCost> all = measure_groups(s.journal, {.rounds = {"generation_began"}, .until = until});
  EXPECT_EQ(all.size(), 1u);
  return all.empty() ? GroupCost{} : all[0];
}

// Two places, one taken back and given to somebody else 30 ms later.
TEST(Measure, TimeWithoutAnOwnerIsAddedOverPlaces) {
  const Story s(R"(
    C1 assign orders/0@0 g ms=100
    C1 assign orders/1@0 g ms=110
    C1 revoke orders/1@5 g ms=200
    C2 assign orders/1@5 g ms=230
    C2 got z orders/1@5 g ms=300
  )");
  const GroupCost g = only(s);
  EXPECT_EQ(g.group, "g");
  EXPECT_EQ(g.places, 2u);
  EXPECT_EQ(g.since, 100 * ms);
  EXPECT_EQ(g.assigned, 3u);
  EXPECT_EQ(g.revoked, 1u);
  EXPECT_EQ(g.moved, 1u);
  // orders/1 is first heard of when it is given: nothing is known of it before.
  EXPECT_EQ(g.stopped, 30 * ms);
  EXPECT_EQ(g.all_stopped, 0);
  EXPECT_EQ(g.longest.place, "orders/1");
  EXPECT_EQ(g.longest.from, 200 * ms);
  EXPECT_EQ(g.longest.lasts, 30 * ms);
}

// A place that has records before the group begins waits from the group's beginning on, not from its own.
TEST(Measure, APlaceKnownBeforeWaitsFromTheGroupsBeginning) {
  const Story s(R"(
    P send a orders ms=10
    P ok a orders/1@0 ms=20
    C1 assign orders/0@0 g ms=100
    C1 assign orders/1@0 g ms=140
    C1 got a orders/1@0 g ms=150
  )");
  const GroupCost g = only(s);
  EXPECT_EQ(g.stopped, 40 * ms);
  EXPECT_EQ(g.longest.from, 100 * ms);
  EXPECT_EQ(g.latency_p50, 140 * ms);
}

// Giving back to the same process what was taken from it is a stop and no move.
TEST(Measure, TheWholeGroupStopsWhenNobodyHasAnything) {
  const Story s(R"(
    C1 assign orders/0@0 g ms=0
    C2 assign orders/1@0 g ms=0
    C1 revoke orders/0@0 g ms=100
    C2 revoke orders/1@0 g ms=150
    C1 assign orders/0@0 g ms=170
    C2 assign orders/1@0 g ms=180
  )");
  const GroupCost g = only(s);
  EXPECT_EQ(g.moved, 0u);
  EXPECT_EQ(g.stopped, 100 * ms);
  EXPECT_EQ(g.all_stopped, 20 * ms);
}

// No row says that a killed process gives up its places: its death ends its hold.
TEST(Measure, ADeathEndsAHold) {
  Story s(R"(
    C1 assign orders/0@0 g ms=0
    C2 assign orders/0@0 g ms=500
    C2 got a orders/0@0 g ms=600
  )");
  EXPECT_EQ(only(s).stopped, 0);
  for (const char* end : {"killed", "power_lost", "stopped"}) {
    Story dead = s;
    mark(dead, end, "C1", 100);
    EXPECT_EQ(only(dead).stopped, 400 * ms) << end;
    EXPECT_EQ(only(dead).revoked, 0u) << end;
  }
  // A new process under the old name has nothing of the old one's.
  mark(s, "restarted", "C1", 50);
  EXPECT_EQ(only(s).stopped, 450 * ms);
}

// At one instant the row comes first: who was given a place and died at once has it no more.
TEST(Measure, ADeathInTheSameInstantComesAfterTheRow) {
  Story s("C1 assign orders/0@0 g ms=100\nC1 got a orders/0@0 g ms=100\nP send b orders ms=300");
  mark(s, "killed", "C1", 100);
  EXPECT_EQ(only(s).stopped, 200 * ms);
}

// Who stands still has its places and reads nothing; it goes on with those that it still has.
TEST(Measure, APausedOwnerReadsNothing) {
  Story s(R"(
    C1 assign orders/0@0 g ms=0
    C1 assign orders/1@0 g ms=0
    C2 assign orders/0@0 g ms=300
    C1 revoke orders/0@0 g ms=800
    C2 got a orders/0@0 g ms=900
  )");
  mark(s, "paused", "C1", 100);
  mark(s, "resumed", "C1", 700);
  const GroupCost g = only(s);
  EXPECT_EQ(g.stopped, 200 * ms + 600 * ms);
  EXPECT_EQ(g.longest.place, "orders/1");
}

// A process that is killed while it stands still does not come back standing still.
TEST(Measure, APauseEndsWithTheProcess) {
  Story s(R"(
    C1 assign orders/0@0 g ms=0
    C1 assign orders/0@0 g ms=300
    C1 got a orders/0@0 g ms=900
  )");
  mark(s, "paused", "C1", 100);
  mark(s, "killed", "C1", 200);
  mark(s, "restarted", "C1", 250);
  EXPECT_EQ(only(s).stopped, 200 * ms);
}

TEST(Measure, TheLongestGapNeedNotBeTheLast) {
  const Story s(R"(
    C1 assign orders/0@0 g ms=0
    C1 revoke orders/0@0 g ms=100
    C1 assign orders/0@0 g ms=150
    C1 revoke orders/0@0 g ms=200
    C1 assign orders/0@0 g ms=220
  )");
  EXPECT_EQ(only(s).longest.from, 100 * ms);
  EXPECT_EQ(only(s).longest.lasts, 50 * ms);
}

// What is open at the end counts up to the end, and nothing after it counts.
TEST(Measure, TheEndIsTheEnd) {
  Story s(R"(
    C1 assign orders/0@0 g ms=0
    C1 revoke orders/0@0 g ms=100
    C1 assign orders/0@0 g ms=900
    C1 got a orders/0@0 g ms=950
  )");
  mark(s, "generation_began", "C1", 0, "g");
  mark(s, "generation_began", "C1", 890, "g");
  mark(s, "generation_began", "C1", 890, "another");
  const GroupCost g = only(s, 500 * ms);
  EXPECT_EQ(g.stopped, 400 * ms);
  EXPECT_EQ(g.longest.lasts, 400 * ms);
  EXPECT_EQ(g.delivered, 0u);
  EXPECT_EQ(g.latency_p50, -1);
  EXPECT_EQ(g.rounds, 1u);
  EXPECT_EQ(only(s).stopped, 800 * ms);
  EXPECT_EQ(only(s).rounds, 2u);
}

// Acknowledged and not delivered, whichever comes first; a second delivery is one too many and no progress.
TEST(Measure, LagAndDuplicates) {
  const Story s(R"(
    C1 assign orders/0@0 g ms=0
    P send a orders ms=10
    P send b orders ms=11
    P send c orders ms=12
    C1 got a orders/0@0 g ms=14    # before its acknowledgement
    P ok a orders/0@0 ms=15
    P ok b orders/0@1 ms=16
    P ok c orders/0@2 ms=17
    C1 got b orders/0@1 g ms=111
    C2 got b orders/0@1 g ms=150
    C2 got b orders/0@1 g ms=160
    C3 got c orders/0@2 h ms=170   # of another subscription
  )");
  const GroupCost g = only(s);
  EXPECT_EQ(g.delivered, 2u);
  EXPECT_EQ(g.again, 2u);
  EXPECT_EQ(g.lag_max, 2u);
  EXPECT_EQ(g.lag_end, 1u);
  EXPECT_EQ(g.latency_p50, 4 * ms);
  EXPECT_EQ(g.latency_p99, 100 * ms);
}

// A record is sent when its first attempt is made, and acknowledged once.
TEST(Measure, ASecondAttemptIsNoSecondRecord) {
  const Story s(R"(
    C1 assign orders/0@0 g ms=0
    P send a orders ms=10
    P info a orders ms=20
    P send a orders ms=30
    P ok a orders/0@1 ms=40
    C1 got a orders/0@0 g ms=60
    C1 got a orders/0@1 g ms=60
  )");
  const GroupCost g = only(s);
  EXPECT_EQ(g.lag_max, 1u);
  EXPECT_EQ(g.lag_end, 0u);
  EXPECT_EQ(g.again, 1u);
  EXPECT_EQ(g.latency_p50, 50 * ms);
}

// What lies before the first position was never to be read, and other topics are not the group's.
TEST(Measure, LagIsOfWhatTheGroupIsToRead) {
  const Story s(R"(
    P send a orders ms=1
    P ok a orders/0@0 ms=2
    P send b orders ms=3
    P ok b orders/0@1 ms=4
    P send x bills ms=5
    P ok x bills/0@0 ms=6
    C1 assign orders/0@1 g ms=10
    C1 got b orders/0@1 g ms=11
  )");
  const GroupCost g = only(s);
  EXPECT_EQ(g.lag_max, 1u);
  EXPECT_EQ(g.lag_end, 0u);
  EXPECT_EQ(g.places, 1u);
}

// A place that begins while the group is running waits from then on.
TEST(Measure, ANewPlaceWaitsFromItsFirstRecord) {
  const Story s(R"(
    C1 assign orders/0@0 g ms=0
    P send a orders ms=490
    P ok a orders/1@0 ms=500
    C1 assign orders/1@0 g ms=800
    C1 got a orders/1@0 g ms=900
  )");
  EXPECT_EQ(only(s).stopped, 300 * ms);
}

// Who chooses its places itself is nobody's member; groups keep their own accounts.
TEST(Measure, GroupsAreMeasuredApart) {
  const Story s(R"(
    R assign orders/0@0 R assigned
    A assign orders/0@0 g ms=10
    B assign orders/0@0 h ms=20
    A revoke orders/0@0 g ms=30
    B got a orders/0@0 h ms=40
  )");
  const std::vector<GroupCost> all = measure_groups(s.journal, {});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].group, "g");
  EXPECT_EQ(all[0].stopped, 10 * ms);
  EXPECT_EQ(all[1].group, "h");
  EXPECT_EQ(all[1].stopped, 0);
  EXPECT_EQ(all[1].delivered, 1u);
  EXPECT_TRUE(measure_groups(Story("R assign orders/0@0 R assigned").journal, {}).empty());
}

TEST(Measure, PercentilesAreValuesThatWereSeen) {
  const std::vector<Duration> ten{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(percentile(ten, 50), 5);
  EXPECT_EQ(percentile(ten, 99), 10);
  EXPECT_EQ(percentile(ten, 10), 1);
  EXPECT_EQ(percentile({7}, 50), 7);
}

}  // namespace
}  // namespace mqlab::test
