// Processes: kill, power, stop, pause, slow; and what handling a message costs.
#include "tests/world/peer.h"

using namespace mqlab;
using namespace mqlab::test;

TEST(Process, KilledMessagesAndTimersDieSilently) {
  Stage s(2);
  s.as(B).set_timer(50_ms, 1, 1);
  s.inject(fault(FaultKind::kill, {{"B"}}, 10_ms));
  s.tell(A, B, "to nobody");
  s.quiet();
  EXPECT_EQ(s.peer(B).all(), "start killed start");
  EXPECT_EQ(s.world.incarnation(B), 1U);
  s.tell(A, B, "to the new one");
  s.quiet();
  EXPECT_EQ(s.peer(B).all(), "start killed start to the new one");
}

// What left before the death arrives, what was still being worked on never leaves.
TEST(Process, AKillDuringServiceLosesTheOutputs) {
  for (bool stream : {false, true}) {
    Stage s(2);
    s.peer(B).work = 10_ms;
    s.peer(B).answer = "answer";
    const ConnId c = stream ? s.connect(A, B) : no_connection;
    s.quiet();
    for (int i = 0; i < 2; ++i)
      if (stream) s.send(A, c, "q");
      else s.tell(A, B, "q");
    s.run(15_ms);  // the first answer left after 11 ms, the second would after 21
    s.inject(fault(FaultKind::kill, {{"B"}}, 1_ms));
    s.quiet();
    EXPECT_EQ(s.heard(A), stream ? "answer closed" : "answer");
    EXPECT_EQ(s.world.payloads_in_use(), 0U);
  }
}

// Two deaths in a row: what the first incarnation had not sent at its own death stays unsent.
TEST(Process, TheDeathThatCountsIsThatOfTheSender) {
  Stage s(2);
  s.peer(B).work = 100_ms;
  s.peer(B).answer = "answer";
  s.tell(A, B, "q");
  s.run(10_ms);
  s.inject(fault(FaultKind::kill, {{"B"}}, 1_ms));
  s.run(200_ms);
  s.inject(fault(FaultKind::kill, {{"B"}}, 1_ms));
  s.quiet();
  EXPECT_EQ(s.heard(A), "");
}

TEST(Process, KilledAgainWhileItWasToComeBackTheLastWordCounts) {
  Stage s(1);
  s.inject(fault(FaultKind::kill, {{"A"}}, 5_s));
  s.run(3_s);
  s.inject(fault(FaultKind::kill, {{"A"}}, 10_s));
  s.run(5_s);
  EXPECT_FALSE(s.world.running(A));
  s.run(6_s);
  EXPECT_TRUE(s.world.running(A));
  EXPECT_EQ(s.when(A, "start"), 0);
}

TEST(Process, APowerCutTakesTheWholeMachine) {
  World world(1, plain_options());
  for (const char* name : {"A", "B", "C"}) {
    NodeOptions o;
    o.name = name;
    o.machine = *name == 'C' ? "m2" : "m1";
    world.add_node(std::make_unique<Peer>(), o);
  }
  world.run_until(0);
  world.inject(fault(FaultKind::power, {{"A"}}, 1_s));
  EXPECT_FALSE(world.running(A));
  EXPECT_FALSE(world.running(B));
  EXPECT_TRUE(world.running(C));
  EXPECT_EQ(world.faults()[0].bites, 2U);
  world.run_until(2_s);
  EXPECT_TRUE(world.running(B));
  world.inject(fault(FaultKind::power, {{"machine m1"}}));
  EXPECT_EQ(world.faults()[1].bites, 2U);
}

TEST(Process, RestartStartsAgainAndStopEndsInGoodOrder) {
  Stage s(2);
  const std::size_t f = s.inject(fault(FaultKind::restart, {{"A"}}, 10_ms));
  s.quiet();
  EXPECT_EQ(s.peer(A).all(), "start killed start");
  EXPECT_EQ(s.bites(f), 1U);
  s.inject(fault(FaultKind::stop, {{"A"}}, 10_ms));
  EXPECT_FALSE(s.world.running(A));
  s.quiet();
  EXPECT_EQ(s.peer(A).all(), "start killed start stop killed start");
  EXPECT_EQ(s.world.mark_count("stopped"), 1U);
}

// Outputs of the handler in which a process ends in good order still leave, and nothing after it does.
TEST(Process, ExitInsideAHandler) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.peer(B).then = [](Context& ctx, const std::string& what) {
    if (what != "bye") return;
    ctx.work(5_ms);
    ctx.exit();
    ctx.send(ctx.world().node_as<Peer>(B).last, say, make_payload<Text>("farewell"));
    ctx.datagram(A, say, make_payload<Text>("gram"));
    ctx.set_timer(10_ms, 1, 1);
    ctx.exit();
  };
  s.send(A, c, "bye");
  s.quiet();
  EXPECT_EQ(s.heard(A), "farewell gram closed");
  EXPECT_EQ(s.heard(B), "bye killed");
  EXPECT_EQ(s.world.incarnation(B), 1U);
  s.world.start(B);
  s.quiet();
  EXPECT_EQ(s.peer(B).all(), "start bye killed start");
}

TEST(Process, KillAndFaultsFromInsideAHandlerWaitForItsEnd) {
  Stage s(3);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.peer(B).then = [](Context& ctx, const std::string& what) {
    if (what == "reset us") {
      ctx.world().inject(fault(FaultKind::reset_streams, {{"B"}}));
      ctx.datagram(C, say, make_payload<Text>("still here"));
    }
    if (what == "die") {
      ctx.world().kill(B, true);
      ctx.datagram(C, say, make_payload<Text>("last"));
    }
  };
  s.send(A, c, "reset us");
  s.run(10_ms);
  EXPECT_EQ(s.heard(B), "reset us reset");
  s.tell(A, B, "die");
  s.quiet();
  EXPECT_EQ(s.heard(B), "reset us reset die dark");
  EXPECT_EQ(s.heard(C), "still here last");
}

TEST(Process, StopWaitsForTheEndOfAPauseAndAKillForgetsIt) {
  Stage s(2);
  s.inject(fault(FaultKind::pause, {{"A"}}, 100_ms));
  const std::size_t stop = s.inject(fault(FaultKind::stop, {{"A"}}, 50_ms));
  EXPECT_EQ(s.bites(stop), 0U);
  EXPECT_TRUE(s.world.running(A));
  s.run(100_ms);
  EXPECT_FALSE(s.world.running(A));
  EXPECT_EQ(s.bites(stop), 1U);
  s.run(100_ms);
  EXPECT_TRUE(s.world.running(A));
  s.inject(fault(FaultKind::pause, {{"A"}}, 100_ms));
  s.inject(fault(FaultKind::stop, {{"A"}}, 50_ms));
  s.inject(fault(FaultKind::kill, {{"A"}}, 10_ms));
  s.run(500_ms);
  EXPECT_TRUE(s.world.running(A));
  EXPECT_FALSE(s.world.paused(A));
}

TEST(Process, AKillEndsAStopThatIsUnderWay) {
  Stage s(1);
  s.peer(A).exits_on_stop = false;
  s.inject(fault(FaultKind::stop, {{"A"}}, 50_ms));
  s.inject(fault(FaultKind::kill, {{"A"}}));
  s.run(1_s);
  EXPECT_FALSE(s.world.running(A));
  s.world.start(A);
  s.run(1_ms);
  s.as(A).exit();
  s.run(1_s);
  EXPECT_FALSE(s.world.running(A));  // the restart belonged to the stop that the kill ended
}

// ---------------------------------------------------------------------------------------------

TEST(Pause, WorksOffItsBacklogInOrder) {
  Stage s(2);
  const ConnId c = s.connect(A, B);
  s.quiet();
  s.as(B).set_timer(5_ms, 1, 7);
  const std::size_t f = s.inject(fault(FaultKind::pause, {{"B"}}, 1_s));
  s.send(A, c, "1");
  s.run(10_ms);
  s.tell(A, B, "2");
  s.send(A, c, "3");
  s.as(A).close(c);
  s.run(100_ms);
  EXPECT_EQ(s.heard(B), "");
  EXPECT_EQ(s.world.backlog(B), 5U);
  EXPECT_TRUE(s.world.paused(B));
  s.quiet();
  EXPECT_EQ(s.heard(B), "1 timer7 2 3 closed");
  EXPECT_EQ(s.when(B, "1"), s.when(B, "closed"));
  EXPECT_EQ(s.bites(f), 1U);
}

TEST(Pause, APausedProcessStillAnswersOnItsMachinesLevel) {
  Stage s(2);
  s.inject(fault(FaultKind::pause, {{"B"}}));
  const ConnId c = s.connect(A, B);  // the kernel accepts
  s.send(A, c, "1");
  s.run(100_s);
  EXPECT_EQ(s.heard(A), "");
  EXPECT_EQ(s.world.backlog(B), 1U);
  const std::size_t f = s.inject(fault(FaultKind::resume, {{"B"}}));
  s.quiet();
  EXPECT_EQ(s.heard(B), "1");
  EXPECT_EQ(s.bites(f), 1U);
}

TEST(Pause, TheApplicationAlone) {
  Stage s(2, plain_options(), {.service = 1_ms});
  s.as(B).set_timer(10_ms, application_timer, 1);
  s.as(B).set_timer(20_ms, 1, 2);
  const std::size_t f = s.inject(fault(FaultKind::pause_application, {{"B"}}, 100_ms));
  s.run(30_ms);
  s.tell(A, B, "message");
  s.tell(A, B, "another");
  s.quiet();
  EXPECT_EQ(s.heard(B), "timer2 message another application1");
  EXPECT_EQ(s.when(B, "application1"), 100_ms);
  EXPECT_EQ(s.bites(f), 1U);
}

TEST(Pause, TwoThatOverlapEndWithTheLast) {
  Stage s(1);
  s.inject(fault(FaultKind::pause, {{"A"}}, 100_ms));
  s.inject(fault(FaultKind::pause, {{"A"}}, 50_ms));
  s.run(60_ms);
  EXPECT_TRUE(s.world.paused(A));
  s.run(60_ms);
  EXPECT_FALSE(s.world.paused(A));
}

TEST(Pause, ATimerCancelledAfterItCameDueInThePauseDoesNotCome) {
  Stage s(2);
  const EventId timer = s.as(B).set_timer(10_ms, 1, 1);
  s.peer(B).then = [timer](Context& c, const std::string& what) {
    if (what == "cancel") {
      EXPECT_TRUE(c.cancel_timer(timer));
    }
  };
  s.inject(fault(FaultKind::pause, {{"B"}}, 100_ms));
  s.tell(A, B, "cancel");
  s.quiet();
  EXPECT_EQ(s.heard(B), "cancel");
}

TEST(Pause, AKillEndsIt) {
  Stage s(2);
  s.inject(fault(FaultKind::pause, {{"B"}}));
  s.tell(A, B, "lost");
  s.run(10_ms);
  s.inject(fault(FaultKind::kill, {{"B"}}, 10_ms));
  s.run(20_ms);
  s.tell(A, B, "heard");
  s.quiet();
  EXPECT_EQ(s.heard(B), "killed heard");
  EXPECT_EQ(s.world.payloads_in_use(), 0U);
}

// ---------------------------------------------------------------------------------------------

// One worker, 10 ms a message: the n-th of a burst waits (n - 1) times 10 ms.
TEST(Service, QueuesBuildUp) {
  Stage s(2, plain_options(), {.service = 10_ms});
  s.peer(B).answer = "done";
  for (int i = 0; i < 5; ++i) s.tell(A, B, std::to_string(i));
  s.run(1_ms);
  EXPECT_EQ(s.world.backlog(B), 4U);
  s.quiet();
  EXPECT_EQ(s.heard(B), "0 1 2 3 4");
  EXPECT_EQ(s.when(B, "4"), 1_ms + 40_ms);
  EXPECT_EQ(s.peer(A).when.back(), 1_ms + 50_ms + 1_ms);
}

TEST(Service, WorkersShareTheLoad) {
  Stage s(2, plain_options(), {.workers = 3, .service = 10_ms});
  for (int i = 0; i < 7; ++i) s.tell(A, B, std::to_string(i));
  s.quiet();
  EXPECT_EQ(s.when(B, "2"), 1_ms);
  EXPECT_EQ(s.when(B, "3"), 11_ms);
  EXPECT_EQ(s.when(B, "6"), 21_ms);
}

TEST(Service, BytesCost) {
  Stage s(2, plain_options(), {.service_ps_per_byte = 1'000'000});  // 1 us a byte
  s.as(A).datagram(B, say, make_payload<Text>("big"), 1'000);
  s.tell(A, B, "next");
  s.quiet();
  EXPECT_EQ(s.when(B, "next"), 1_ms + 1_ms);
}

// A handler that takes time by itself (work, sync) keeps its worker as well.
TEST(Service, WorkInsideAHandlerKeepsTheWorker) {
  Stage s(2);
  s.peer(B).work = 10_ms;
  for (int i = 0; i < 3; ++i) s.tell(A, B, std::to_string(i));
  s.quiet();
  EXPECT_EQ(s.when(B, "2"), 21_ms);
}

// Timers do not wait for a worker, and their work does not end another's early.
TEST(Service, TimersRunBesideTheWorkers) {
  Stage s(2, plain_options(), {.service = 100_ms});
  s.peer(B).then = [](Context& c, const std::string& what) {
    if (what == "timer1") c.work(1_ms);
  };
  s.as(B).set_timer(10_ms, 1, 1);
  s.tell(A, B, "a");
  s.tell(A, B, "b");
  s.quiet();
  EXPECT_EQ(s.when(B, "timer1"), 10_ms);
  EXPECT_GE(s.when(B, "b"), 101_ms);
}

TEST(Service, SlowStretchesIt) {
  Stage s(2, plain_options(), {.service = 10_ms});
  Fault slow = fault(FaultKind::slow, {{"B"}}, 1_s);
  slow.ratio = {5, 2};
  const std::size_t f = s.inject(slow);
  s.tell(A, B, "1");
  s.tell(A, B, "2");
  s.quiet();
  EXPECT_EQ(s.when(B, "2"), 1_ms + 25_ms);
  EXPECT_EQ(s.bites(f), 2U);
  const Time begin = s.world.now();
  s.tell(A, B, "3");
  s.tell(A, B, "4");
  s.quiet();
  EXPECT_EQ(s.when(B, "4"), begin + 11_ms);
}

TEST(Service, ARestartedNodeDoesNotWaitForTheWorkOfItsPredecessor) {
  Stage s(2, plain_options(), {.service = 3600_s});
  s.tell(A, B, "1");
  s.tell(A, B, "2");
  s.run(10_ms);
  s.inject(fault(FaultKind::restart, {{"B"}}));
  s.run(1_ms);
  s.tell(A, B, "3");
  s.run(10_ms);
  EXPECT_EQ(s.heard(B), "1 killed 3");
}

TEST(Service, TheStartItselfTakesTime) {
  Stage s(2);
  s.peer(B).then = [](Context& c, const std::string& what) {
    if (what == "start") c.work(2_s);
  };
  s.inject(fault(FaultKind::restart, {{"B"}}));
  s.run(1_ms);
  const Time begin = s.world.now();
  s.tell(A, B, "1");
  s.quiet();
  EXPECT_EQ(s.when(B, "1"), begin - 1_ms + 2_s);
}
