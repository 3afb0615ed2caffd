// Process faults, kind by kind: who is down or still, exactly how long, what it lost, and how often the fault bit; and
// the same faults where nobody is there to be hit. What a process is: process_test.cpp.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

namespace {

bool complains(Stage& s, std::size_t fault) { return !s.world.faults()[fault].complaint.empty(); }

// "kill A@0 s, power B@5 ms": the losses as they are listed.
std::string losses(const World& w) {
  std::string out;
  for (const Loss& l : w.losses())
    out += (out.empty() ? "" : ", ") + std::string(l.wipe ? "wipe " : l.power ? "power " : "kill ") + w.name(l.node) + "@" +
           format_duration(l.time);
  return out;
}

Fault slow_by(Ratio r, Duration duration = 0) {
  Fault f = fault(FaultKind::slow, {{"B"}}, duration);
  f.ratio = r;
  return f;
}

}  // namespace

// Down from now on for the duration, to the nanosecond; A's memory is gone and B, named by nobody, lives on.
TEST(ProcessFault, DownForItsDurationAndNotLonger) {
  for (FaultKind kind : {FaultKind::kill, FaultKind::power, FaultKind::wipe, FaultKind::restart, FaultKind::stop}) {
    Stage s(2);
    s.run(1_s);
    const std::size_t i = s.inject(fault(kind, {{"A"}}, 10_ms));
    EXPECT_FALSE(s.world.running(A)) << fault_decl(kind).name;
    s.run(10_ms - 1);
    EXPECT_FALSE(s.world.running(A)) << fault_decl(kind).name;
    s.run(1);
    EXPECT_TRUE(s.world.running(A)) << fault_decl(kind).name;
    std::string end = kind == FaultKind::power ? "dark" : kind == FaultKind::wipe ? "wiped" : "killed";
    if (kind == FaultKind::stop) end = "stop killed";
    EXPECT_EQ(s.peer(A).all(), "start " + end + " start");
    EXPECT_EQ(s.peer(A).when.back(), 1_s + 10_ms);
    EXPECT_EQ(s.world.incarnation(A), 1U);
    EXPECT_EQ(s.world.incarnation(B), 0U);
    EXPECT_EQ(s.bites(i), 1U);
  }
}

// Without a duration it is for good; only a restart is over at once.
TEST(ProcessFault, WithoutADurationItStaysDown) {
  for (FaultKind kind : {FaultKind::kill, FaultKind::power, FaultKind::wipe, FaultKind::stop, FaultKind::restart}) {
    Stage s(1);
    s.inject(fault(kind, {{"A"}}));
    s.run(3600_s);
    EXPECT_EQ(s.world.running(A), kind == FaultKind::restart) << fault_decl(kind).name;
    const std::size_t again = s.inject(fault(FaultKind::restart, {{"A"}}, 5_ms));
    s.run(5_ms);
    EXPECT_TRUE(s.world.running(A));
    EXPECT_EQ(s.bites(again), 1U);
  }
}

// Who is dead can't be killed, stopped, paused or waked; and what was paused before is not paused in its next life.
TEST(ProcessFault, NothingHappensToTheDead) {
  Stage s(1);
  s.inject(fault(FaultKind::power, {{"A"}}));
  std::vector<std::size_t> idle;
  for (FaultKind kind : {FaultKind::kill, FaultKind::power, FaultKind::stop, FaultKind::pause, FaultKind::pause_application,
                         FaultKind::resume, FaultKind::slow, FaultKind::rolling_restart, FaultKind::command}) {
    Fault f = fault(kind, {{"A"}});
    f.ratio = {2, 1};
    idle.push_back(s.inject(f));
  }
  s.run(1_s);
  EXPECT_EQ(s.peer(A).all(), "start dark");
  for (std::size_t i : idle) EXPECT_EQ(s.bites(i), 0U) << describe(s.world.faults()[i].fault);
  for (std::size_t i : idle) EXPECT_FALSE(complains(s, i));
  s.world.start(A);
  s.run(1_ms);
  EXPECT_TRUE(s.world.running(A));
  EXPECT_FALSE(s.world.paused(A));
  EXPECT_EQ(losses(s.world), "power A@0 s");
}

TEST(ProcessFault, OneThatNamesNobodySaysSo) {
  for (const FaultDecl& d : fault_kinds()) {
    if (std::string_view(d.group) == "network") continue;
    Stage s(1);
    s.as(A).write(0, 1);
    const std::size_t i = s.inject(fault(d.kind, {{"nobody of that name"}}, 1_ms));
    s.run(1_s);
    EXPECT_EQ(s.bites(i), 0U) << d.name;
    EXPECT_EQ(s.world.faults()[i].complaint, "nobody is `nobody of that name` at this time");
    EXPECT_EQ(s.peer(A).all(), "start");
  }
}

TEST(ProcessFault, AStopIsAskedForOnce) {
  Stage s(1);
  s.peer(A).exits_on_stop = false;
  const std::size_t first = s.inject(fault(FaultKind::stop, {{"A"}}, 10_ms));
  const std::size_t second = s.inject(fault(FaultKind::stop, {{"A"}}, 1_s));
  s.run(1_s);
  EXPECT_TRUE(s.world.running(A));  // it takes its time
  s.as(A).exit();
  s.run(10_ms);
  EXPECT_EQ(s.peer(A).all(), "start stop killed start");
  EXPECT_EQ(s.bites(first), 1U);
  EXPECT_EQ(s.bites(second), 0U);
}

TEST(ProcessFault, ResumeEndsBothKindsOfPauseOnTheNodeItNames) {
  for (FaultKind kind : {FaultKind::pause, FaultKind::pause_application}) {
    Stage s(2);
    for (NodeId n : {A, B}) s.as(n).set_timer(10_ms, application_timer, 1);
    const std::size_t pause = s.world.faults().size();
    Trigger each = when_mark("go");
    each.every = true;
    s.world.arm(fault(kind, {{"A", "B"}}, 1_s - 1_ms), each);
    for (int renewed = 0; renewed < 2; ++renewed) {
      s.as(A).mark("go");
      s.run(1_ms);
    }
    s.run(48_ms);
    const std::size_t resume = s.inject(fault(FaultKind::resume, {{"A"}}));
    const std::size_t again = s.inject(fault(FaultKind::resume, {{"A"}}));
    s.quiet();
    EXPECT_EQ(s.when(A, "application1"), 50_ms);
    EXPECT_EQ(s.when(B, "application1"), 1_s);
    EXPECT_EQ(s.bites(pause), 2U);  // to begin it anew is no further bite
    EXPECT_EQ(s.bites(resume), 1U);
    EXPECT_EQ(s.bites(again), 0U);
    EXPECT_EQ(s.world.mark_count("resumed"), 2U);
  }
}

// Library timers and messages go on while the application stands still, and all of it stands still in a pause.
TEST(ProcessFault, WhoseTimersAPauseHolds) {
  for (FaultKind kind : {FaultKind::pause, FaultKind::pause_application}) {
    Stage s(2);
    s.as(B).set_timer(10_ms, 1, 1);
    s.as(B).set_timer(10_ms, application_timer, 2);
    s.inject(fault(kind, {{"B"}}, 50_ms));
    s.tell(A, B, "message");
    s.quiet();
    const bool whole = kind == FaultKind::pause;
    EXPECT_EQ(s.when(B, "message"), whole ? 50_ms : 1_ms);
    EXPECT_EQ(s.when(B, "timer1"), whole ? 50_ms : 10_ms);
    EXPECT_EQ(s.when(B, "application2"), 50_ms);
  }
}

// ---------------------------------------------------------------------------------------------

TEST(SlowFault, BitesWithEachPieceOfWorkThatItStretches) {
  Stage s(2, plain_options(), {.service = 10_ms});
  const std::size_t i = s.inject(slow_by({7, 2}, 1_s));
  EXPECT_EQ(s.bites(i), 0U);
  for (const char* text : {"1", "2", "3"}) s.tell(A, B, text);
  s.quiet();
  EXPECT_EQ(s.when(B, "2"), 1_ms + 35_ms);
  EXPECT_EQ(s.when(B, "3"), 1_ms + 70_ms);
  EXPECT_EQ(s.bites(i), 3U);
}

// No work in its time, a factor that is none, work of another: it was armed and changed nothing.
TEST(SlowFault, NeverBitesWhereThereIsNothingToStretch) {
  Stage s(2, plain_options(), {.service = 10_ms});
  const std::size_t early = s.inject(slow_by({2, 1}, 1_ms - 1));
  const std::size_t same = s.inject(slow_by({3, 3})), faster = s.inject(slow_by({1, 2}));
  s.tell(A, B, "1");
  s.tell(A, B, "2");
  s.quiet();
  EXPECT_EQ(s.when(B, "2"), 11_ms);
  const std::size_t late = s.inject(slow_by({2, 1}));
  s.tell(B, A, "to another");
  s.quiet();
  for (std::size_t i : {early, same, faster, late}) EXPECT_EQ(s.bites(i), 0U) << i;
}

TEST(SlowFault, OfTwoThatOverlapTheSlowerCounts) {
  Stage s(2, plain_options(), {.service = 10_ms});
  s.inject(slow_by({5, 1}));
  s.inject(slow_by({2, 1}, 1_s));
  s.tell(A, B, "1");
  s.tell(A, B, "2");
  s.quiet();
  EXPECT_EQ(s.when(B, "2"), 1_ms + 50_ms);
}

// The device does not hear of the pace of the process: a sync takes its latency, and only the work beside it is slow.
TEST(SlowFault, ASyncTakesTheDevicesTime) {
  Stage s(2, plain_options(), {.disk = {.sync_latency = 5_ms}});
  s.peer(B).then = [](Context& c, const std::string& what) {
    if (what != "sync" && what != "later") return;
    c.write(0, what == "sync" ? 1 : 2);
    c.work(1_ms);
    if (what == "sync") c.sync(0);
    else c.sync_later(0);
    c.datagram(A, say, make_payload<Text>("ack " + what));
  };
  s.inject(slow_by({10, 1}));
  s.tell(A, B, "sync");
  s.quiet();
  EXPECT_EQ(s.when(A, "ack sync"), 1_ms + 10_ms + 5_ms + 1_ms);
  const Time begin = s.world.now();
  s.tell(A, B, "later");
  s.quiet();
  EXPECT_EQ(s.when(A, "ack later"), begin + 1_ms + 10_ms + 1_ms);
  EXPECT_EQ(s.when(B, "disk:0:2:ok"), begin + 1_ms + 10_ms + 5_ms);
}

// ---------------------------------------------------------------------------------------------

// Who is down already is passed over and stays so; who takes its time is not hurried.
TEST(RollingRestart, IsAStopOfEachThatRuns) {
  Stage s(3);
  s.inject(fault(FaultKind::kill, {{"B"}}));
  Fault f = fault(FaultKind::rolling_restart, {{"C", "B", "A"}}, 10_ms);
  f.amount = 100_ms;
  const std::size_t i = s.inject(f);
  s.quiet();
  EXPECT_EQ(s.peer(C).all(), "start stop killed start");
  EXPECT_EQ(s.peer(C).when.back(), 10_ms);
  EXPECT_EQ(s.peer(B).all(), "start killed");
  EXPECT_EQ(s.peer(A).all(), "start stop killed start");
  EXPECT_EQ(s.peer(A).when.back(), 210_ms);
  EXPECT_EQ(s.bites(i), 2U);
  EXPECT_EQ(losses(s.world), "kill B@0 s");
}

TEST(CommandFault, WaitsForTheEndOfAPauseAndIsForgottenByTheDead) {
  Stage s(2);
  Fault f = fault(FaultKind::command, {{"A"}});
  f.verb = "elect";
  f.argument = "orders/0";
  s.inject(fault(FaultKind::pause, {{"A"}}, 10_ms));
  const std::size_t heard = s.inject(f);
  s.run(9_ms);
  EXPECT_EQ(s.bites(heard), 0U);
  s.run(1_ms);
  EXPECT_EQ(s.heard(A), "elect:orders/0");
  EXPECT_EQ(s.bites(heard), 1U);
  s.inject(fault(FaultKind::pause, {{"A"}}, 10_ms));
  const std::size_t unheard = s.inject(f);
  s.inject(fault(FaultKind::kill, {{"A"}}, 1_ms));
  s.run(1_s);
  s.inject(fault(FaultKind::pause, {{"A"}}, 10_ms));  // nor does the next process hear of it after a pause of its own
  s.run(1_s);
  EXPECT_EQ(s.heard(A), "elect:orders/0 killed");
  EXPECT_EQ(s.bites(unheard), 0U);
}

// ---------------------------------------------------------------------------------------------

// What a run lost, in the order of time, is known whatever is traced. An end in good order is no loss, nor is the death
// of who was dead; but the dead can still lose their disk, and a machine its power.
TEST(Losses, AreListedInOrderAtEveryTraceLevel) {
  for (TraceLevel level : {TraceLevel::off, TraceLevel::spans, TraceLevel::full}) {
    WorldOptions o = plain_options();
    o.trace = level;
    Stage s(4, o);
    const auto after = [&](Duration d, const Fault& f) {
      s.run(d);
      s.inject(f);
    };
    s.world.arm(fault(FaultKind::wipe, {{"C"}}, 1_ms), at(3_ms));
    s.world.arm(fault(FaultKind::kill, {{"A"}}, 1_ms), at(1_ms));
    after(2_ms, fault(FaultKind::power, {{"B"}}));
    after(2_ms, fault(FaultKind::stop, {{"C"}}));
    after(1_ms, fault(FaultKind::kill, {{"B"}}));
    after(1_ms, fault(FaultKind::kill, {{"C"}}));
    after(1_ms, fault(FaultKind::wipe, {{"C"}}));
    after(1_ms, fault(FaultKind::restart, {{"D"}}));
    after(1_ms, fault(FaultKind::rolling_restart, {{"A", "D"}}));
    s.run(1_s);
    EXPECT_EQ(losses(s.world), "kill A@1 ms, power B@2 ms, wipe C@3 ms, wipe C@7 ms, kill D@8 ms");
  }
}

// An end by itself is a loss, too, when nothing proves that what is left is complete.
TEST(Losses, AnEndWithoutProofIsOne) {
  Stage s(2);
  s.run(1_ms);
  s.as(A).exit();
  s.as(B).exit(false);
  EXPECT_FALSE(s.world.running(A) || s.world.running(B));
  EXPECT_EQ(losses(s.world), "kill B@1 ms");
}

// What is armed comes due no more, and a message that a fault waits for goes by; what is in force stays.
TEST(CallOff, TakesBackWhatIsArmedAndLeavesWhatIsInForce) {
  Stage s(3);
  s.world.arm(fault(FaultKind::kill, {{"A"}}, 1_ms), at(5_ms));
  Fault drop = fault(FaultKind::drop);
  drop.message = "Say";
  s.inject(drop);
  s.inject(fault(FaultKind::isolate, {{"C"}}));
  s.world.call_off_faults();
  s.tell(A, B, "heard");
  s.tell(A, C, "cut off");
  s.run(1_s);
  EXPECT_TRUE(losses(s.world).empty());
  EXPECT_EQ(s.heard(B), "heard");
  EXPECT_EQ(s.heard(C), "");
}
