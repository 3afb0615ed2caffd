// A member of a share group, with the client library: what polls bring, and what becomes of it. Sources: ShareConsumerImpl,
// ShareConsumeRequestManager (Java client 4.3).
#include <gtest/gtest.h>

#include "tests/kafka/cluster.h"

namespace mqlab::kafka {
namespace {

using namespace mqlab::kafka::testing;

// K has joined the group g, and reads t/0, which B1 leads.
struct Member : Lab {
  explicit Member(std::initializer_list<Settings::value_type> consumer = {}) : Lab(setup(Settings(consumer))) {
    Call c;
    c.kind = CallKind::subscribe;
    c.argument = "t";
    client().call(c);
    poll(5_s);
    run_until([&] { return broker(1).share_window("g", 0) != nullptr; });
    run(6_s);
  }
  static Setup setup(Settings consumer) {
    consumer.insert(consumer.begin(), {{"group", "g"}, {"group_protocol", "share"}});
    return {.cluster = {{"min_insync", "2"}, {"offsets_partitions", "1"}, {"share_auto_offset_reset", "earliest"}}, .consumer = consumer};
  }
  void produce(int records) {
    for (int i = 0; i < records; ++i) ask("B1", testing::produce(1));
    run(1_s);
  }
  // "0 1*2": positions, with the delivery if it is not the first.
  std::string poll(Duration timeout = 2_s, std::uint32_t count = 0) {
    const CallId id = client().poll(timeout, count);
    run(timeout + 1_s);
    for (const Answer& a : client().answers()) {
      if (a.call != id) continue;
      if (a.outcome != Outcome::ok) return world.journal.names.text(a.error);
      std::string out;
      for (const PolledMessage& m : a.messages) out += fmt::format("{}{}{}", out.empty() ? "" : " ", m.position, m.attempt > 1 ? fmt::format("*{}", m.attempt) : "");
      return out.empty() ? "nothing" : out;
    }
    return "";
  }
  std::string say(CallKind kind, Offset offset) {
    const CallId id = client().ask(kind, "t/0", offset);
    run(1_s);
    return client().answer(id);
  }
  const SharePartition& window(BrokerId b = 1) { return *broker(b).share_window("g", 0); }
};

TEST(KafkaShareConsumer, TheNextPollAcceptsAllOfTheLast) {
  Member lab;
  lab.produce(3);
  EXPECT_EQ(lab.poll(), "0 1 2");
  EXPECT_EQ(lab.window().start(), 0);
  EXPECT_EQ(lab.poll(), "nothing");
  EXPECT_EQ(lab.window().start(), 3);
}

TEST(KafkaShareConsumer, ACommitAcceptsThemToo) {
  Member lab;
  lab.produce(2);
  EXPECT_EQ(lab.poll(), "0 1");
  const CallId commit = lab.client().ask(CallKind::commit, "t/0");
  lab.run(1_s);
  EXPECT_EQ(lab.client().answer(commit), "ok");
  EXPECT_EQ(lab.window().start(), 2);
}

// "All records must be acknowledged in explicit acknowledgement mode."
TEST(KafkaShareConsumer, WhoSaysItHimselfMustSayItOfEachRecord) {
  Member lab({{"explicit_acks", "true"}});
  lab.produce(3);
  EXPECT_EQ(lab.poll(), "0 1 2");
  EXPECT_EQ(lab.say(CallKind::ack, 0), "ok@0");
  EXPECT_EQ(lab.say(CallKind::reject, 1), "ok@1");
  EXPECT_EQ(lab.poll(), "INVALID_REQUEST");
  EXPECT_EQ(lab.say(CallKind::release, 2), "ok@2");
  EXPECT_EQ(lab.window().start(), 2);
  EXPECT_EQ(lab.poll(), "2*2");
}

TEST(KafkaShareConsumer, WithImplicitAcknowledgementNothingElseCanBeSaid) {
  Member lab;
  lab.produce(1);
  EXPECT_EQ(lab.poll(), "0");
  EXPECT_EQ(lab.say(CallKind::release, 0), "fail INVALID_REQUEST");
}

TEST(KafkaShareConsumer, WhoComesTooLateIsTold) {
  Member lab({{"explicit_acks", "true"}});
  lab.produce(1);
  EXPECT_EQ(lab.poll(), "0");
  lab.run(31_s);
  EXPECT_EQ(lab.say(CallKind::ack, 0), "fail INVALID_RECORD_STATE");
  EXPECT_EQ(lab.poll(), "0*2");
}

// A batch is acquired as a whole. What a poll does not take waits in the library, and its lock runs.
TEST(KafkaShareConsumer, WhatWaitsInTheLibraryIsLentToo) {
  for (const bool exactly : {false, true}) {
    Member lab({{"max_poll_records", "1"}, {"share_acquire_mode", exactly ? "record_limit" : "batch_optimized"}});
    lab.ask("B1", testing::produce(1, 3));
    lab.run(1_s);
    EXPECT_EQ(lab.poll(), "0");
    EXPECT_EQ(lab.window().count(RecordState::acquired), exactly ? 1 : 3);
    EXPECT_EQ(lab.poll(), "1");
    lab.run(31_s);
    // In the library's hand it is still the first delivery; the leader knows better, and will not take the answer.
    EXPECT_EQ(lab.poll(), exactly ? "1*2" : "2");
    EXPECT_EQ(lab.poll(), exactly ? "2" : "1*2");
  }
}

TEST(KafkaShareConsumer, WhoClosesGivesBackWhatItHolds) {
  Member lab;
  lab.produce(3);
  EXPECT_EQ(lab.poll(2_s, 2), "0 1");
  Call close;
  close.kind = CallKind::close;
  const CallId id = lab.client().call(close);
  lab.run(2_s);
  EXPECT_EQ(lab.client().answer(id), "ok");
  EXPECT_EQ(lab.window().count(RecordState::available), 2);
  EXPECT_EQ(lab.marks("member_left"), 1U);
}

TEST(KafkaShareConsumer, WhatALeaderLentItsSuccessorDoesNotKnow) {
  Member lab({{"explicit_acks", "true"}});
  lab.produce(1);
  EXPECT_EQ(lab.poll(), "0");
  lab.command("elect", "t/0 B2");
  lab.run(1_s);
  EXPECT_EQ(lab.say(CallKind::ack, 0), "info NOT_LEADER_OR_FOLLOWER");
  EXPECT_EQ(lab.poll(5_s), "0");  // not counted as a second delivery
}

// Nobody owns a place: the history has deliveries of a shared one, and no assignments.
TEST(KafkaShareConsumer, NothingIsAssigned) {
  Member lab;
  lab.produce(1);
  EXPECT_EQ(lab.poll(), "0");
  int delivered = 0;
  for (const Op& op : lab.world.journal.ops) {
    EXPECT_NE(op.kind, OpKind::assign);
    if (op.kind != OpKind::deliver) continue;
    ++delivered;
    EXPECT_TRUE(op.flags & op_flag::shared);
  }
  EXPECT_EQ(delivered, 1);
}

// What the library says by itself is asked and answered in the history like what the application says.
TEST(KafkaShareConsumer, AcknowledgementsHaveRowsInTheHistory) {
  Member lab;
  lab.produce(2);
  lab.poll();
  lab.poll();
  int asked = 0, ok = 0;
  for (const Op& op : lab.world.journal.ops)
    if (op.kind == OpKind::ack) (op.outcome == Outcome::invoke ? asked : ok) += op.outcome == Outcome::invoke || op.outcome == Outcome::ok;
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(ok, 2);
}

}  // namespace
}  // namespace mqlab::kafka
