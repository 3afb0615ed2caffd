// The consumer, rule by rule: where it begins, what it asks before it reads, what a poll hands over, and what it makes
// of a log that was cut. The brokers of most stories only do as told.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/kafka/client_lab.h"

namespace mqlab::kafka::testing {
namespace {

// Message m lies at offset m.
Batch batch_at(Offset from, int records, LeaderEpoch epoch = 0) {
  std::vector<Record> all;
  for (int i = 0; i < records; ++i) all.push_back({.message = static_cast<std::uint64_t>(from + i), .size = 100});
  Batch b = make_batch(std::move(all));
  b.base_offset = from;
  b.leader_epoch = epoch;
  return b;
}

// A consumer of one partition, led by B1.
struct Consuming : ClientLab {
  explicit Consuming(std::initializer_list<Settings::value_type> options = {}) : ClientLab({.consumer = options, .partitions = 1, .produces = false}) {}

  void assign(std::int64_t position = -1) {
    client().ask(CallKind::assign, "t/0", position);
    run(20_ms);
  }
  template <class Reply>
  void answer_last(BrokerId b, Kind k, Reply r) {
    answer(b, k, asked(b, k).size() - 1, std::move(r));
    run(5_ms);
  }
  void fetched(std::vector<Batch> batches, Error error = Error::none, BrokerId b = 1) {
    FetchReply r;
    r.partitions.resize(1);
    r.partitions[0].error = error;
    r.partitions[0].batches = std::move(batches);
    answer_last(b, Kind::fetch, std::move(r));
  }
  void listed(Offset offset, LeaderEpoch epoch = 0, Error error = Error::none, BrokerId b = 1) {
    ListOffsetsReply r;
    r.answers = {{0, error, offset, epoch}};
    answer_last(b, Kind::list_offsets, std::move(r));
  }
  void epoch_ends(LeaderEpoch epoch, Offset end, BrokerId b, Error error = Error::none) {
    OffsetForLeaderEpochReply r;
    r.answers.resize(1);
    r.answers[0].error = error;
    r.answers[0].end = {epoch, end};
    answer_last(b, Kind::offset_for_leader_epoch, std::move(r));
  }
  std::string poll(std::uint32_t count = 0) {
    const CallId id = client().poll(10_ms, count);
    run(20_ms);
    return client().answer(id);
  }
  // The leader moves to B2, and the client learns it by a fetch that is refused.
  void lead_by_two(LeaderEpoch epoch) {
    move(0, 2, epoch);
    fetched({}, Error::not_leader_or_follower);
    run(200_ms);
  }
  Offset position() { return node().assigned().front().position; }
};

// --- where it begins (OffsetFetcher, auto.offset.reset) ---

TEST(KafkaConsumer, WithoutAPositionItBeginsAsTheOptionSays) {
  for (const char* reset : {"earliest", "latest"}) {
    Consuming lab({{"auto_offset_reset", reset}});
    lab.assign();
    EXPECT_EQ(lab.lines(1, Kind::list_offsets), fmt::format("#0 {}\n", reset));
    EXPECT_EQ(lab.lines(1, Kind::fetch), "");
    lab.listed(7, 3);
    EXPECT_EQ(lab.lines(1, Kind::fetch), "consumer #0 offset=7 epoch=0\n");
  }
}

TEST(KafkaConsumer, WithResetNoneTheApplicationMustSeek) {
  Consuming lab({{"auto_offset_reset", "none"}});
  lab.assign();
  EXPECT_EQ(lab.lines(1, Kind::list_offsets) + lab.lines(1, Kind::fetch), "");
  EXPECT_EQ(lab.poll(), "fail OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(lab.poll(), "nothing") << "it is told once";
  lab.client().ask(CallKind::seek, "t/0", 4);
  lab.run(20_ms);
  EXPECT_EQ(lab.lines(1, Kind::fetch), "consumer #0 offset=4 epoch=0\n");
}

TEST(KafkaConsumer, GivenPositionIsTakenAsItIs) {
  Consuming lab;
  lab.assign(12);
  EXPECT_EQ(lab.lines(1, Kind::list_offsets) + lab.lines(1, Kind::fetch), "consumer #0 offset=12 epoch=0\n");
}

TEST(KafkaConsumer, PositionThatIsGoneIsResetAsTheOptionSays) {
  for (const char* reset : {"earliest", "latest", "none"}) {
    Consuming lab({{"auto_offset_reset", reset}});
    lab.assign(12);
    lab.fetched({}, Error::offset_out_of_range);
    const bool none = std::string(reset) == "none";
    EXPECT_EQ(lab.lines(1, Kind::list_offsets), none ? "" : fmt::format("#0 {}\n", reset));
    EXPECT_EQ(lab.poll(), none ? "fail OFFSET_OUT_OF_RANGE" : "nothing");
    EXPECT_EQ(lab.marks("position_reset"), none ? 0u : 1u);
    EXPECT_EQ(lab.asked(1, Kind::fetch).size(), 1u);
  }
}

// KIP-207: a new leader may not know its end yet; it is asked again.
TEST(KafkaConsumer, LeaderThatDoesNotKnowItsEndIsAskedAgain) {
  Consuming lab({{"retry_backoff", "100ms"}});
  lab.assign();
  lab.listed(no_offset, no_leader_epoch, Error::offset_not_available);
  lab.run(80_ms);
  EXPECT_EQ(lab.asked(1, Kind::list_offsets).size(), 1u);
  lab.run(50_ms);
  EXPECT_EQ(lab.asked(1, Kind::list_offsets).size(), 2u);
}

// --- reading ---

TEST(KafkaConsumer, PositionMovesWhenRecordsAreHandedOver) {
  Consuming lab({{"max_poll_records", "3"}});
  lab.assign(0);
  lab.fetched({batch_at(0, 2), batch_at(2, 6)});
  EXPECT_EQ(lab.position(), 0);
  EXPECT_EQ(lab.asked(1, Kind::fetch).size(), 1u) << "what was fetched and not polled comes first";
  EXPECT_EQ(lab.poll(), "0@0 1@1 2@2");
  EXPECT_EQ(lab.position(), 3);
  EXPECT_EQ(lab.poll(1), "3@3");
  EXPECT_EQ(lab.poll(9), "4@4 5@5 6@6");
  EXPECT_EQ(lab.poll(), "7@7");
  EXPECT_EQ(lab.lines(1, Kind::fetch), "consumer #0 offset=0 epoch=0\nconsumer #0 offset=8 epoch=0\n");
}

TEST(KafkaConsumer, PollWaitsForWhatComesAndNoLonger) {
  Consuming lab;
  lab.assign(0);
  const CallId none = lab.client().poll(500_ms);
  lab.run(510_ms);
  EXPECT_EQ(lab.client().answer(none), "nothing");
  const CallId some = lab.client().poll(10_s);
  lab.run(100_ms);
  lab.fetched({batch_at(0, 1)});
  EXPECT_EQ(lab.client().answer(some), "0@0");
}

// A fetch brings whole batches: what lies before the position is left out, and so are markers of transactions.
TEST(KafkaConsumer, HandsOverOnlyRecordsFromThePositionOn) {
  Consuming lab;
  lab.assign(3);
  Batch marker = make_marker(Control::commit, 9, 0, 0);
  marker.base_offset = 4;
  lab.fetched({batch_at(1, 3), marker, batch_at(5, 1)});
  EXPECT_EQ(lab.poll(), "3@3 5@5");
}

TEST(KafkaConsumer, SeekDropsWhatWasFetchedAndWhatIsUnderWay) {
  Consuming lab;
  lab.assign(20);
  lab.fetched({batch_at(20, 2)});
  lab.client().ask(CallKind::seek, "t/0", 10);
  lab.run(20_ms);
  EXPECT_EQ(lab.poll(), "nothing");
  lab.client().ask(CallKind::seek, "t/0", 0);
  lab.fetched({batch_at(10, 1)});
  EXPECT_EQ(lab.poll(), "nothing") << "it answers what is no longer asked";
  lab.fetched({batch_at(0, 1)});
  EXPECT_EQ(lab.poll(), "0@0");
}

TEST(KafkaConsumer, SeekToTheBeginningOrTheEndAsksWhereThatIs) {
  for (const auto& [where, told] : std::vector<std::pair<std::int64_t, std::string>>{{-1, "#0 earliest\n"}, {-2, "#0 latest\n"}}) {
    Consuming lab;
    lab.assign(5);
    lab.client().ask(CallKind::seek, "t/0", where);
    lab.fetched({});
    lab.run(20_ms);
    EXPECT_EQ(lab.lines(1, Kind::list_offsets), told);
  }
}

TEST(KafkaConsumer, EndOffsetIsWhatTheLeaderTells) {
  Consuming lab;
  const CallId a = lab.client().ask(CallKind::end_offset, "t/0");
  lab.run(20_ms);
  EXPECT_EQ(lab.lines(1, Kind::list_offsets), "#0 latest\n");
  lab.listed(42);
  EXPECT_EQ(lab.client().answer(a), "ok@42");
}

TEST(KafkaConsumer, LeaderThatMovedIsFollowedAfterARest) {
  Consuming lab({{"retry_backoff", "100ms"}});
  lab.assign(5);
  lab.move(0, 2, 1);
  lab.fetched({}, Error::fenced_leader_epoch);
  lab.run(80_ms);
  EXPECT_EQ(lab.asked(2, Kind::fetch).size(), 0u);
  lab.run(50_ms);
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer #0 offset=5 epoch=1\n") << "a position without an epoch has nothing to be compared";
}

TEST(KafkaConsumer, RottenBatchIsAskedForAgainWhereItIs) {
  Consuming lab({{"retry_backoff", "100ms"}});
  lab.assign(5);
  const auto metadata = [&] { return lab.asked(1, Kind::metadata).size() + lab.asked(2, Kind::metadata).size(); };
  const std::size_t before = metadata();
  lab.fetched({}, Error::corrupt_message);
  lab.run(200_ms);
  EXPECT_EQ(lab.lines(1, Kind::fetch), "consumer #0 offset=5 epoch=0\nconsumer #0 offset=5 epoch=0\n");
  EXPECT_EQ(metadata(), before) << "another leader would not help";
}

TEST(KafkaConsumer, BrokerThatIsSilentIsGivenUpAndTheLeaderLookedFor) {
  Consuming lab({{"request_timeout", "2s"}});
  lab.assign(5);
  lab.move(0, 2, 1);
  lab.run(2200_ms);
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer #0 offset=5 epoch=1\n");
  EXPECT_EQ(lab.marks("request_timed_out"), 1u);
}

// --- after a change of leader (KIP-320, SubscriptionState.maybeCompleteValidation) ---

// Reads 0..3 of epoch 0; then B2 leads in epoch 2.
struct Moved : Consuming {
  explicit Moved(std::initializer_list<Settings::value_type> options = {}) : Consuming(options) {
    assign(0);
    fetched({batch_at(0, 4)});
    EXPECT_EQ(poll(), "0@0 1@1 2@2 3@3");
    lead_by_two(2);
  }
};

TEST(KafkaConsumer, PositionIsValidatedBeforeTheNewLeaderIsRead) {
  Moved lab;
  EXPECT_EQ(lab.lines(2, Kind::offset_for_leader_epoch), "#0 epoch=0\n");
  EXPECT_EQ(lab.lines(2, Kind::fetch), "");
  lab.epoch_ends(0, 6, 2);
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer #0 offset=4 epoch=2\n") << "the leader has all that was read";
  lab.fetched({batch_at(4, 1)}, Error::none, 2);
  EXPECT_EQ(lab.poll(), "4@4");
  EXPECT_EQ(lab.asked(2, Kind::offset_for_leader_epoch).size(), 1u) << "once an epoch";
}

TEST(KafkaConsumer, WithoutValidationItReadsOnWithoutAsking) {
  Moved lab({{"position_validation", "false"}});
  EXPECT_EQ(lab.lines(2, Kind::offset_for_leader_epoch), "");
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer #0 offset=4 epoch=2\n");
}

TEST(KafkaConsumer, CutLogIsReadAgainFromWhereItParts) {
  Moved lab;
  lab.epoch_ends(0, 2, 2);
  EXPECT_EQ(lab.marks("log_truncation_detected"), 1u);
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer #0 offset=2 epoch=2\n");
}

// From where it parts on, the position belongs to the epoch that the answer named.
TEST(KafkaConsumer, CutLogIsComparedNextByTheEpochOfTheAnswer) {
  Consuming lab;
  lab.assign(0);
  lab.fetched({batch_at(0, 2), batch_at(2, 2, 1)});
  EXPECT_EQ(lab.poll(), "0@0 1@1 2@2 3@3");
  lab.lead_by_two(2);
  lab.epoch_ends(0, 2, 2);
  lab.move(0, 1, 3);
  lab.fetched({}, Error::not_leader_or_follower, 2);
  lab.run(200_ms);
  EXPECT_EQ(lab.lines(2, Kind::offset_for_leader_epoch), "#0 epoch=1\n");
  EXPECT_EQ(lab.lines(1, Kind::offset_for_leader_epoch), "#0 epoch=0\n");
}

TEST(KafkaConsumer, PositionOfASeekHasNoEpochToBeCompared) {
  Consuming lab;
  lab.assign(0);
  lab.fetched({batch_at(0, 1)});
  EXPECT_EQ(lab.poll(), "0@0");
  lab.client().ask(CallKind::seek, "t/0", 9);
  lab.fetched({});
  lab.lead_by_two(2);
  EXPECT_EQ(lab.lines(2, Kind::offset_for_leader_epoch), "");
  EXPECT_EQ(lab.lines(2, Kind::fetch), "consumer #0 offset=9 epoch=2\n");
}

// What was fetched before the change and not polled yet may be gone from the log: it is not handed over.
TEST(KafkaConsumer, CutLogTakesWhatWasFetchedAhead) {
  Consuming lab({{"metadata_max_age", "1s"}});
  lab.assign(0);
  lab.fetched({batch_at(0, 4)});
  EXPECT_EQ(lab.poll(1), "0@0");
  lab.move(0, 2, 2);
  lab.run(1500_ms);
  ASSERT_EQ(lab.lines(2, Kind::offset_for_leader_epoch), "#0 epoch=0\n");
  lab.epoch_ends(0, 0, 2);
  EXPECT_EQ(lab.position(), 0);
  EXPECT_EQ(lab.poll(), "nothing");
}

TEST(KafkaConsumer, CutLogIsToldToTheApplicationWhenItWantsNoReset) {
  Moved lab({{"auto_offset_reset", "none"}});
  lab.epoch_ends(0, 2, 2);
  EXPECT_EQ(lab.poll(), "fail LOG_TRUNCATION");
  EXPECT_EQ(lab.lines(2, Kind::fetch), "");
}

TEST(KafkaConsumer, ValidationThatIsRefusedIsAskedAgain) {
  Moved lab;
  lab.epoch_ends(no_leader_epoch, no_offset, 2, Error::not_leader_or_follower);
  lab.run(200_ms);
  EXPECT_EQ(lab.lines(2, Kind::offset_for_leader_epoch), "#0 epoch=0\n#0 epoch=0\n");
  EXPECT_EQ(lab.lines(2, Kind::fetch), "");
}

// --- a whole cluster ---

TEST(KafkaConsumer, ReadsBelowTheHighWatermarkOnly) {
  QuietFollowers lab;
  lab.client().ask(CallKind::assign, "t/0", 0);
  lab.client().send(7);
  lab.run(1_s);
  const CallId early = lab.client().poll(1_s);
  lab.run(1100_ms);
  EXPECT_EQ(lab.client().answer(early), "nothing");
  const CallId late = lab.client().poll(1_s);
  lab.ask("B1", lab.fetch_as(2, 1));
  lab.ask("B1", lab.fetch_as(3, 1));
  lab.run(100_ms);
  EXPECT_EQ(lab.client().answer(late), "7@0");
}

// Who reads a topic reads the partitions that are added to it, once its metadata has aged.
TEST(KafkaConsumer, TopicIsReadWithThePartitionsThatAreAdded) {
  Lab lab({.topic = {{"partitions_max", "2"}}, .producer = {{"metadata_max_age", "1s"}}, .consumer = {{"auto_offset_reset", "earliest"}}});
  lab.client().ask(CallKind::assign, "t");
  lab.run(100_ms);
  ASSERT_EQ(lab.client_node().assigned().size(), 1u);
  lab.command("add_partitions", "t 2");
  lab.run(2_s);
  ASSERT_EQ(lab.client_node().assigned().size(), 2u);
  lab.client().send(8, 1);
  const CallId a = lab.client().poll(1_s);
  lab.run(1_s);
  EXPECT_EQ(lab.client().answer(a), "8@0");
}

}  // namespace
}  // namespace mqlab::kafka::testing
