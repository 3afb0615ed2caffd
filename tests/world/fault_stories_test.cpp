// Every kind of fault has a story in which it bites, told exactly, and one in which it is armed and never does.
// The table names them; a kind without its line, a line whose story is gone, or a line too many fails.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "sim/world/fault.h"

using namespace mqlab;

namespace {

struct Stories {
  const char* kind;
  const char* bites;
  const char* idle;
};

constexpr Stories told[] = {
    // network
    {"partition", "CutFault.CutsTheseAndNobodyElseUntilItEnds", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"one_way", "CutFault.CutsTheseAndNobodyElseUntilItEnds", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"isolate", "CutFault.CutsTheseAndNobodyElseUntilItEnds", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"bridge", "CutFault.CutsTheseAndNobodyElseUntilItEnds", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"ring", "CutFault.CutsTheseAndNobodyElseUntilItEnds", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"heal", "LinkFault.HealEndsEveryKindAndCountsThem", "CutFault.CutsTheseAndNobodyElseUntilItEnds"},
    {"latency", "LinkFault.LatencyIsOfOneWayAndOfItsShape", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"loss", "Datagram.LossLoses", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"burst_loss", "LinkFault.BurstsTakeAllOrNothing", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"duplicate_datagrams", "Datagram.DuplicationDeliversTwice", "LinkFault.StreamsAreNeitherDoubledNorReordered"},
    {"reorder_datagrams", "Datagram.ReorderingOvertakes", "LinkFault.StreamsAreNeitherDoubledNorReordered"},
    {"bandwidth", "LinkFault.BandwidthCountsBytes", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"clog", "LinkFault.AClogLetsGoInTheOrderSentWhenItIsHealed", "LinkFault.NothingThatDoesNotMeetItIsABite"},
    {"swizzle_clog", "Swizzle.ClogsEachOnceAndFreesThemInAnotherOrder", "Swizzle.AmongTheSilentItNeverBites"},
    {"reset_streams", "BreakFault.AResetIsOfEveryConnectionBetweenTheTwo", "BreakFault.WithoutAConnectionThereIsNothingToBreak"},
    {"half_open", "BreakFault.HalfOpenIsNoticedByWhoSpeaks", "BreakFault.WithoutAConnectionThereIsNothingToBreak"},
    {"hold", "MessageFault.HoldKeepsTheMessageAndAllBehindIt", "MessageFault.NoneBitesWhatItDoesNotName"},
    {"release", "MessageFault.TwoHeldOnOneStreamGoOneByOne", "MessageFault.ReleaseOfNothingNeverBites"},
    {"drop", "MessageFault.DropTakesTheRestOfTheStreamWithIt", "MessageFault.NoneBitesWhatItDoesNotName"},
    {"delay", "MessageFault.DelayKeepsTheOrderOfTheStream", "MessageFault.NoneBitesWhatItDoesNotName"},
    {"duplicate", "MessageFault.DuplicateComesASecondTimeLater", "MessageFault.NoneBitesWhatItDoesNotName"},
    // process
    {"kill", "ProcessFault.DownForItsDurationAndNotLonger", "ProcessFault.NothingHappensToTheDead"},
    {"power", "ProcessFault.DownForItsDurationAndNotLonger", "ProcessFault.NothingHappensToTheDead"},
    {"restart", "ProcessFault.DownForItsDurationAndNotLonger", "ProcessFault.OneThatNamesNobodySaysSo"},
    {"stop", "ProcessFault.DownForItsDurationAndNotLonger", "ProcessFault.AStopIsAskedForOnce"},
    {"pause", "ProcessFault.WhoseTimersAPauseHolds", "ProcessFault.NothingHappensToTheDead"},
    {"pause_application", "ProcessFault.WhoseTimersAPauseHolds", "ProcessFault.NothingHappensToTheDead"},
    {"resume", "ProcessFault.ResumeEndsBothKindsOfPauseOnTheNodeItNames", "ProcessFault.ResumeEndsBothKindsOfPauseOnTheNodeItNames"},
    {"slow", "SlowFault.BitesWithEachPieceOfWorkThatItStretches", "SlowFault.NeverBitesWhereThereIsNothingToStretch"},
    {"wipe", "ProcessFault.DownForItsDurationAndNotLonger", "ProcessFault.OneThatNamesNobodySaysSo"},
    {"rolling_restart", "RollingRestart.IsAStopOfEachThatRuns", "ProcessFault.NothingHappensToTheDead"},
    // disk
    {"sync_lies", "DiskFault.ASyncThatLiesIsAnsweredOkAndLost", "DiskFault.NeverBitesWhatDoesNotMeetIt"},
    {"sync_fails", "DiskFault.ASyncThatFailsIsAnsweredSoAndThePagesNeverArrive", "DiskFault.NeverBitesWhatDoesNotMeetIt"},
    {"torn_write", "DiskFault.ATornWriteTearsOnce", "DiskFault.NeverBitesWhatDoesNotMeetIt"},
    {"bit_rot", "DiskFault.RotIsOfOneUnit", "DiskFault.RotNeedsSomethingToRot"},
    {"misdirected_write", "DiskFault.AMisdirectedWriteSpoilsTwo", "DiskFault.RotNeedsSomethingToRot"},
    {"disk_full", "DiskFault.AFullDiskRefusesEachWriteUntilItIsNot", "DiskFault.NeverBitesWhatDoesNotMeetIt"},
    {"disk_slow", "DiskFault.ASlowDiskStretchesWritesAndSyncs", "DiskFault.NeverBitesWhatDoesNotMeetIt"},
    {"disk_stall", "DiskFault.ASlowDiskStretchesWritesAndSyncs", "DiskFault.NeverBitesWhatDoesNotMeetIt"},
    {"write_back", "DiskFault.WriteBackSavesWhatWasNotSynced", "DiskFault.NeverBitesWhatDoesNotMeetIt"},
    {"disk_heal", "DiskFault.AHealEndsEveryKindAtOnceAndRotStays", "DiskFault.HealOfNothingNeverBites"},
    // time
    {"clock_offset", "TimeFault.AnOffsetTakesBackWhatItGave", "TimeFault.NothingToMoveIsNoBite"},
    {"clock_jump", "TimeFault.AJumpIsOnceForEachThatItNames", "TimeFault.NothingToMoveIsNoBite"},
    {"clock_drift", "TimeFault.DriftsAddUp", "TimeFault.NothingToMoveIsNoBite"},
    {"clock_strobe", "TimeFault.AStrobeEndsWhereItBegan", "TimeFault.NothingToMoveIsNoBite"},
    // model
    {"command", "Composite.ACommandReachesTheNode", "CommandFault.WaitsForTheEndOfAPauseAndIsForgottenByTheDead"},
};

// Every test of this program, "Suite.Name".
std::set<std::string> all_tests() {
  std::set<std::string> out;
  const testing::UnitTest& program = *testing::UnitTest::GetInstance();
  for (int s = 0; s < program.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *program.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) out.insert(std::string(suite.name()) + "." + suite.GetTestInfo(t)->name());
  }
  return out;
}

}  // namespace

TEST(FaultStories, EveryKindHasBoth) {
  const std::set<std::string> tests = all_tests();
  std::map<std::string, const Stories*> by_kind;
  for (const Stories& s : told) {
    EXPECT_TRUE(by_kind.emplace(s.kind, &s).second) << s.kind << " stands here twice";
    EXPECT_TRUE(tests.contains(s.bites)) << s.kind << ": no story is called " << s.bites;
    EXPECT_TRUE(tests.contains(s.idle)) << s.kind << ": no story is called " << s.idle;
  }
  for (const FaultDecl& d : fault_kinds()) EXPECT_TRUE(by_kind.contains(d.name)) << d.name << " (" << d.group << ") has no stories";
  EXPECT_EQ(by_kind.size(), fault_kinds().size());
}

// The declaration itself is whole: a row for each kind of the enumeration, in its order, and no name twice.
TEST(FaultStories, EveryKindIsDeclaredOnce) {
  std::set<std::string> names;
  std::size_t i = 0;
  for (const FaultDecl& d : fault_kinds()) {
    EXPECT_EQ(static_cast<std::size_t>(d.kind), i++) << d.name;
    EXPECT_TRUE(names.insert(d.name).second) << d.name;
  }
  EXPECT_EQ(i, static_cast<std::size_t>(FaultKind::command) + 1);
}
