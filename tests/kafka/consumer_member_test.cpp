// A member by KIP-848, rule by rule: when it joins, what its heartbeats say, how it walks from one assignment to the
// next, and how it goes. The brokers only do as told.
// Sources: AbstractMembershipManager, ConsumerMembershipManager, AbstractHeartbeatRequestManager,
// ConsumerHeartbeatRequestManager, CommitRequestManager (Java client 4.3.1).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/kafka/client_lab.h"

namespace mqlab::kafka::testing {
namespace {

using Places = std::vector<PartitionId>;

std::string text(const Places& v) {
  std::string out;
  for (const PartitionId p : v) out += fmt::format("{}{}", out.empty() ? "" : " ", p);
  return "{" + out + "}";
}

// A consumer of t/0 to t/3 in group g, whose coordinator is B1; B1 leads all of them.
struct Member : ClientLab {
  explicit Member(std::initializer_list<Settings::value_type> options = {}) : ClientLab({.consumer = with_group(options), .brokers = 1, .partitions = 4, .produces = false}) {
    for (int i = 0; i < 20; ++i) {
      FindCoordinatorReply r;
      r.broker = 1;
      broker(1).next[Kind::find_coordinator].push_back(make_payload<FindCoordinatorReply>(r));
    }
    Call c;
    c.kind = CallKind::subscribe;
    c.argument = "t";
    client().call(c);
    run(20_ms);
  }
  static Settings with_group(Settings more) {
    Settings all{{"group", "g"}, {"group_protocol", "consumer"}, {"auto_commit", "off"}, {"auto_offset_reset", "earliest"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // A poll that waits for so long; what it answered is in said().
  Member& poll(Duration timeout = 10_ms) {
    poll_ = client().poll(timeout);
    run(timeout + 10_ms);
    return *this;
  }
  std::string said() { return told_by(poll_); }
  std::size_t beats() { return asked(1, Kind::consumer_group_heartbeat).size(); }
  const ConsumerGroupHeartbeat& beat(std::size_t nth) { return payload_as<ConsumerGroupHeartbeat>(broker_asked(nth).payload); }
  // The last heartbeat: "0 all {}" joins and tells all; "3" has nothing new; "3 {0 1}" tells what it owns.
  std::string last_beat() {
    if (beats() == 0) return "none";
    const ConsumerGroupHeartbeat& m = beat(beats() - 1);
    return fmt::format("{}{}{}", m.epoch, m.tells_topics && m.rebalance_timeout >= 0 ? " all" : m.tells_topics ? " topics" : "", m.tells_owned ? " " + text(m.owned) : "");
  }
  Member& told(std::int32_t epoch, std::optional<Places> assignment = std::nullopt, Error error = Error::none) {
    ConsumerGroupHeartbeatReply r;
    r.error = error;
    r.epoch = epoch;
    r.interval = 5_s;
    r.tells_assignment = assignment.has_value();
    if (assignment) r.assignment = *assignment;
    answer(1, Kind::consumer_group_heartbeat, beats() - 1, std::move(r));
    run(5_ms);
    return *this;
  }
  // The group stands at 0 everywhere.
  Member& positions() {
    OffsetFetchReply r;
    const auto all = asked(1, Kind::offset_fetch);
    for (const PartitionId p : payload_as<OffsetFetch>(all.back().message.payload).partitions) r.offsets.push_back({p, 0, no_leader_epoch, {}});
    answer(1, Kind::offset_fetch, all.size() - 1, std::move(r));
    run(5_ms);
    return *this;
  }
  // The last fetch is answered with one record for each of these, message = partition.
  Member& fetched(const Places& places) {
    FetchReply r;
    for (const PartitionId p : places) {
      Batch b = make_batch({{.message = p, .size = 100}});
      b.leader_epoch = 0;
      r.partitions.emplace_back();
      r.partitions.back().partition = p;
      r.partitions.back().batches = {b};
      r.partitions.back().high_watermark = 1;
    }
    answer(1, Kind::fetch, asked(1, Kind::fetch).size() - 1, std::move(r));
    run(5_ms);
    return *this;
  }
  std::size_t commits() { return asked(1, Kind::offset_commit).size(); }
  const OffsetCommit& commit(std::size_t nth) {
    static std::vector<FakeBroker::Asked> kept;
    kept = asked(1, Kind::offset_commit);
    return payload_as<OffsetCommit>(kept.at(nth).message.payload);
  }
  Member& committed(Error e = Error::none) {
    answer(1, Kind::offset_commit, commits() - 1, OffsetCommitReply{e});
    run(5_ms);
    return *this;
  }
  // It is in epoch 1 with t/0 and t/1, at 0, and the coordinator has heard it.
  Member& settle() {
    poll().told(1, Places{0, 1}).poll().told(1);
    return positions();
  }

 private:
  const Message& broker_asked(std::size_t nth) {
    kept_ = asked(1, Kind::consumer_group_heartbeat);
    return kept_.at(nth).message;
  }
  CallId poll_ = 0;
  std::vector<FakeBroker::Asked> kept_{};
};

TEST(KafkaConsumerMember, JoinsWhenTheApplicationPolls) {
  Member m;
  m.run(2_s);
  EXPECT_EQ(m.beats(), 0u);
  m.poll();
  EXPECT_EQ(m.beats(), 1u);
  EXPECT_EQ(m.last_beat(), "0 all {}");
  EXPECT_EQ(m.beat(0).topics, std::vector<std::int32_t>{0});
  EXPECT_EQ(m.beat(0).rebalance_timeout, 300_s);  // max.poll.interval.ms
  EXPECT_EQ(m.beat(0).assignor, "");
}

TEST(KafkaConsumerMember, MayWishForAnAssignor) {
  Member m({{"assignors", "range"}});
  m.poll();
  EXPECT_EQ(m.beat(0).assignor, "range");
}

// The application's thread takes places up; the heartbeat that says so does not wait for its time.
TEST(KafkaConsumerMember, TakesItsPlacesInAPollAndSaysSoAtOnce) {
  Member m;
  m.poll().told(1, Places{0, 1});
  EXPECT_EQ(m.beats(), 1u);
  EXPECT_TRUE(m.node().assigned().empty());
  m.poll();
  EXPECT_EQ(m.said(), "+t/0 +t/1");
  EXPECT_EQ(m.last_beat(), "1 {0 1}");
  EXPECT_EQ(m.node().assigned().size(), 2u);
}

TEST(KafkaConsumerMember, SaysWhatIsNewAndAsOftenAsTheBrokerWants) {
  Member m;
  m.settle();
  m.run(20_s);
  ASSERT_EQ(m.beats(), 3u);  // it waits for the answer
  EXPECT_EQ(m.last_beat(), "1");
  EXPECT_EQ(m.gaps(1, Kind::consumer_group_heartbeat, 1), "5000");
}

TEST(KafkaConsumerMember, GivesUpWhenTheApplicationPollsAgain) {
  Member m;
  m.settle();
  m.run(5_s);
  m.told(1, Places{0});
  EXPECT_EQ(m.node().assigned().size(), 2u);  // nobody polls
  const std::size_t before = m.beats();
  m.poll();
  EXPECT_EQ(m.said(), "-t/1");
  EXPECT_EQ(m.node().assigned().size(), 2u);  // the application may still commit it
  EXPECT_EQ(m.beats(), before);
  m.poll();
  EXPECT_EQ(m.node().assigned().size(), 1u);
  EXPECT_EQ(m.last_beat(), "1 {0}");
}

// There is no barrier: only what goes is held back.
TEST(KafkaConsumerMember, ReadsOnWhatStays) {
  Member m({{"auto_commit", "java"}, {"auto_commit_interval", "60s"}});
  m.settle().poll().fetched({0, 1});
  m.run(5_s);
  m.told(1, Places{0});
  m.poll();  // the commit before the revocation is on its way
  EXPECT_EQ(m.said(), "0@0");
  ASSERT_EQ(m.commits(), 1u);
  EXPECT_EQ(m.commit(0).generation, 1);
  m.committed();
  m.poll();
  EXPECT_EQ(m.said(), "-t/1");
  m.poll();
  EXPECT_EQ(m.last_beat(), "1 {0}");
}

// The commit before a revocation is repeated while the coordinator is away, and given up when it is refused.
TEST(KafkaConsumerMember, ACommitThatIsRefusedHoldsNothingUp) {
  Member m({{"auto_commit", "java"}, {"auto_commit_interval", "60s"}});
  m.settle();
  m.run(5_s);
  m.told(1, Places{0});
  m.poll().committed(Error::unknown_member_id);
  m.poll();
  EXPECT_EQ(m.said(), "-t/1");
  EXPECT_EQ(m.marks("member_put_out"), 0u);  // that is for a heartbeat to find out
}

// commitSyncExceptionForError: the application is told, and nobody repeats its commit.
TEST(KafkaConsumerMember, ACommitOfAnOlderEpochFails) {
  Member m;
  m.settle();
  m.client().ask(CallKind::commit, "t/0", 7);
  m.run(5_ms);
  m.committed(Error::stale_member_epoch);
  EXPECT_EQ(m.client().answers().back().outcome, Outcome::fail);
  EXPECT_EQ(m.world.journal.names.text(m.client().answers().back().error), "STALE_MEMBER_EPOCH");
  m.told(2);
  m.run(10_s);
  EXPECT_EQ(m.commits(), 1u);
  EXPECT_EQ(m.marks("member_put_out"), 0u);
}

// A target that comes while another is under way waits for its turn.
TEST(KafkaConsumerMember, OneTargetAfterTheOther) {
  Member m;
  m.settle();
  m.run(5_s);
  m.told(1, Places{0});
  m.poll();
  EXPECT_EQ(m.said(), "-t/1");
  m.run(5_s);
  m.told(2, Places{2, 3});
  m.poll();
  EXPECT_EQ(m.last_beat(), "2 {0}");
  m.told(2).poll();
  EXPECT_EQ(m.said(), "-t/0");
  m.poll();
  EXPECT_EQ(m.said(), "+t/2 +t/3");
  EXPECT_EQ(m.last_beat(), "2 {2 3}");
}

// ... until the coordinator has been told where it stands, which may take as long as an answer does.
TEST(KafkaConsumerMember, GoesNoFurtherBeforeItHasSaidWhereItIs) {
  Member m;
  m.settle();
  m.run(5_s);
  m.told(1, Places{0}).poll();
  EXPECT_EQ(m.said(), "-t/1");
  m.run(5_s);
  m.told(1, Places{0, 2});
  m.run(5_s);
  ASSERT_EQ(m.last_beat(), "1");  // not answered yet
  m.poll().poll();
  EXPECT_EQ(m.said(), "nothing");
  m.told(1);
  EXPECT_EQ(m.last_beat(), "1 {0}");
  m.poll();
  EXPECT_EQ(m.said(), "+t/2");
}

// Told the same again after something else, it answers for it again (LocalAssignment's local epoch).
TEST(KafkaConsumerMember, AnswersForWhatItHasAlreadyIfItWasTakenBackMeanwhile) {
  Member m;
  m.settle();
  m.run(5_s);
  m.told(1, Places{0});
  m.run(5_s);
  m.told(1, Places{0, 1});
  m.poll();
  EXPECT_EQ(m.said(), "nothing");
  EXPECT_EQ(m.last_beat(), "1 {0 1}");
}

// ---------------------------------------------------------------------------------------------
// When things go wrong.

TEST(KafkaConsumerMember, SaysEverythingAfterAnAnswerThatWasLost) {
  Member m({{"request_timeout", "2s"}});
  m.settle();
  m.run(5_s);
  const std::size_t before = m.beats();
  EXPECT_EQ(m.last_beat(), "1");
  m.run(3_s);
  ASSERT_GT(m.beats(), before);
  EXPECT_EQ(m.last_beat(), "1 all {0 1}");
}

TEST(KafkaConsumerMember, WhoIsFencedHasLostAllAndJoinsAgainUnderItsId) {
  for (const Error e : {Error::fenced_member_epoch, Error::unknown_member_id}) {
    Member m;
    m.settle();
    m.run(5_s);
    const std::size_t before = m.beats();
    m.told(0, std::nullopt, e);
    EXPECT_EQ(m.beats(), before);  // first the application must know
    EXPECT_EQ(m.marks("member_put_out"), 1u);
    m.poll();
    EXPECT_EQ(m.said(), "lost t/0 lost t/1");
    EXPECT_TRUE(m.node().assigned().empty());
    EXPECT_EQ(m.last_beat(), "0 all {}");
    EXPECT_EQ(m.beat(before).member, m.beat(0).member);
  }
}

TEST(KafkaConsumerMember, WhoHadNothingJoinsAgainAtOnce) {
  Member m;
  m.poll().told(1, Places{}).poll();
  EXPECT_EQ(m.last_beat(), "1 {}");  // it answers for nothing too
  m.told(1);
  m.run(5_s);
  m.told(0, std::nullopt, Error::unknown_member_id);
  EXPECT_EQ(m.last_beat(), "0 all {}");
}

TEST(KafkaConsumerMember, NothingIsReadOfWhatIsLost) {
  Member m;
  m.settle().poll();
  m.run(5_s);
  m.told(0, std::nullopt, Error::fenced_member_epoch);
  const std::size_t fetches = m.asked(1, Kind::fetch).size();
  m.fetched({});
  EXPECT_EQ(m.asked(1, Kind::fetch).size(), fetches);
  m.poll();
  EXPECT_EQ(m.said(), "lost t/0 lost t/1");
}

// The error goes to the application; the member is out of the group for good.
TEST(KafkaConsumerMember, AnInstanceThatIsInUseIsFatal) {
  Member m({{"instance", "one"}});
  m.poll().told(0, std::nullopt, Error::unreleased_instance_id);
  m.poll();
  EXPECT_EQ(m.said(), "UNRELEASED_INSTANCE_ID");
  m.run(20_s);
  EXPECT_EQ(m.beats(), 1u);
}

TEST(KafkaConsumerMember, LeavesWhenNobodyPollsAndComesBackWithThePolls) {
  Member m({{"max_poll_interval", "7s"}});
  m.settle();
  m.run(6_s);
  m.told(1);
  m.run(10_s);
  EXPECT_EQ(m.last_beat(), "-1");
  EXPECT_EQ(m.marks("max_poll_interval_exceeded"), 1u);
  const std::size_t before = m.beats();
  m.run(60_s);
  EXPECT_EQ(m.beats(), before);
  m.poll();
  EXPECT_EQ(m.said(), "lost t/0 lost t/1");
  EXPECT_EQ(m.last_beat(), "0 all {}");
}

// It may be back in the same moment; but without a poll not even a member without places joins again.
TEST(KafkaConsumerMember, JoinsAgainWithTheNextPollAndNotBefore) {
  Member m({{"max_poll_interval", "6s"}});
  m.poll().told(1, Places{}).poll().told(1);
  m.run(5_s);
  m.told(1);
  m.run(1500_ms);
  ASSERT_EQ(m.last_beat(), "-1");
  m.poll();
  EXPECT_EQ(m.last_beat(), "0 all {}");
}

// A member without an epoch commits without one: whoever is alone in its group is heard even then.
TEST(KafkaConsumerMember, CommitsWithoutAnEpochWhenItIsOut) {
  Member m({{"max_poll_interval", "3s"}});
  m.settle();
  m.run(4_s);
  EXPECT_EQ(m.last_beat(), "-1");
  m.client().ask(CallKind::commit, "t/0", 7);
  m.run(5_ms);
  ASSERT_EQ(m.commits(), 1u);
  EXPECT_EQ(m.commit(0).generation, -1);
  EXPECT_EQ(m.commit(0).member, m.beat(0).member);
}

TEST(KafkaConsumerMember, SaysGoodbye) {
  Member m;
  m.settle();
  m.client().ask(CallKind::close, "t");
  m.run(10_ms);
  EXPECT_EQ(m.last_beat(), "-1");
  m.told(-1);
  EXPECT_TRUE(m.node().assigned().empty());
}

// A static member means to come back: its place is kept for it.
TEST(KafkaConsumerMember, AStaticMemberLeavesForAWhile) {
  Member m({{"instance", "one"}});
  m.settle();
  EXPECT_EQ(m.beat(0).instance, "one");
  m.client().ask(CallKind::close, "t");
  m.run(10_ms);
  EXPECT_EQ(m.last_beat(), "-2");
}

// Between joining and the answer it may be a member already, so it leaves too.
TEST(KafkaConsumerMember, LeavesEvenWhileItJoins) {
  Member m;
  m.poll();
  m.client().ask(CallKind::close, "t");
  m.run(10_ms);
  EXPECT_EQ(m.last_beat(), "-1");
}

}  // namespace
}  // namespace mqlab::kafka::testing
