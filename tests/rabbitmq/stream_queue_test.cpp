// A stream, one story a rule. Recorded: rabbit-stream-01. Sources: docs streams; osiris, rabbit_stream_queue.
#include <gtest/gtest.h>

#include "models/rabbitmq/stream_queue.h"
#include "tests/rabbitmq/queue_lab.h"

namespace mqlab::rabbitmq {
namespace {

using namespace literals;

struct StreamLab {
  StreamQueue queue;
  Time now = 0;
  std::uint64_t sent = 0;

  explicit StreamLab(QueueOptions options = {}) : queue("s", std::move(options)) {}

  template <class F>
  std::string told(F f) {
    QueueEffects out;
    f(out);
    return describe(out);
  }
  // One chunk of messages from to to, not yet committed.
  std::string append(std::uint64_t from, std::uint64_t to, std::uint32_t size = 1) {
    std::vector<StreamPublish> chunk;
    for (std::uint64_t n = from; n <= to; ++n) chunk.push_back({.publish = {publisher, ++sent}, .content = message(n, {.size = size})});
    return told([&](QueueEffects& out) { queue.append(chunk, now, out); });
  }
  std::string named(const std::string& producer, std::vector<std::uint64_t> ids) {
    std::vector<StreamPublish> chunk;
    for (const std::uint64_t id : ids) chunk.push_back({{publisher, ++sent}, message(id), producer, id});
    return told([&](QueueEffects& out) { queue.append(chunk, now, out); });
  }
  std::string commit() {
    return told([&](QueueEffects& out) { queue.commit(queue.next(), out); });
  }
  std::string consume(const std::string& tag, StreamOffset from, std::uint32_t prefetch = 10) {
    ConsumerSpec spec;
    spec.key = {1, tag};
    spec.prefetch = prefetch;
    return told([&](QueueEffects& out) { queue.consume(spec, from, out); });
  }
  std::string credit(const std::string& tag, std::uint32_t n) {
    return told([&](QueueEffects& out) { queue.credit({1, tag}, n, out); });
  }
};

constexpr StreamOffset at(StreamOffset::Kind kind, std::int64_t value = 0) { return {kind, value}; }
constexpr StreamOffset first{StreamOffset::Kind::first}, next{StreamOffset::Kind::next}, last{StreamOffset::Kind::last};

TEST(RabbitStreamQueue, APublishIsConfirmedWhenAMajorityHasItsChunk) {
  StreamLab lab;
  EXPECT_EQ(lab.append(1, 2), "");
  EXPECT_EQ(lab.commit(), "confirm 9#1\nconfirm 9#2\n");
}

TEST(RabbitStreamQueue, OnlyTheCommittedPartIsRead) {
  StreamLab lab;
  lab.append(1, 2);
  EXPECT_EQ(lab.consume("t", first), "");
  EXPECT_EQ(lab.commit(), "confirm 9#1\nconfirm 9#2\ndeliver 1/t #0 m1 offset 0\ndeliver 1/t #1 m2 offset 1\n");
}

TEST(RabbitStreamQueue, ReadingChangesNothing) {
  StreamLab lab;
  lab.append(1, 2);
  lab.commit();
  EXPECT_EQ(lab.consume("a", first), "deliver 1/a #0 m1 offset 0\ndeliver 1/a #1 m2 offset 1\n");
  EXPECT_EQ(lab.consume("b", at(StreamOffset::Kind::offset, 1)), "deliver 1/b #1 m2 offset 1\n");
  EXPECT_EQ(lab.consume("c", next), "");
  lab.append(3, 3);
  EXPECT_EQ(lab.commit(), "confirm 9#3\ndeliver 1/a #2 m3 offset 2\ndeliver 1/b #2 m3 offset 2\ndeliver 1/c #2 m3 offset 2\n");
}

// Settling is credit, and nothing is ever requeued.
TEST(RabbitStreamQueue, ASettledMessageIsCredit) {
  StreamLab lab;
  lab.append(1, 3);
  lab.commit();
  EXPECT_EQ(lab.consume("t", first, 2), "deliver 1/t #0 m1 offset 0\ndeliver 1/t #1 m2 offset 1\n");
  EXPECT_EQ(lab.credit("t", 1), "deliver 1/t #2 m3 offset 2\n");
  lab.credit("t", 9);
  lab.append(4, 7);
  EXPECT_EQ(lab.commit(), "confirm 9#4\nconfirm 9#5\nconfirm 9#6\nconfirm 9#7\ndeliver 1/t #3 m4 offset 3\ndeliver 1/t #4 m5 offset 4\n");
}

// "last" and a time begin at a chunk: what is earlier in it comes along.
TEST(RabbitStreamQueue, LastAndTimesBeginAtAChunk) {
  StreamLab lab;
  lab.append(1, 2);
  lab.now = 10_s;
  lab.append(3, 4);
  lab.commit();
  EXPECT_EQ(lab.queue.resolve(last), 2);
  EXPECT_EQ(lab.queue.resolve(at(StreamOffset::Kind::timestamp, 5_s)), 2);
  EXPECT_EQ(lab.queue.resolve(at(StreamOffset::Kind::timestamp, 0)), 0);
  EXPECT_EQ(lab.queue.resolve(at(StreamOffset::Kind::timestamp, 11_s)), 4);
}

// Recorded: rabbit-more-40.
TEST(RabbitStreamQueue, BeyondTheEndAConsumerWaitsForItsOffset) {
  StreamLab lab;
  lab.append(1, 2);
  lab.commit();
  EXPECT_EQ(lab.consume("t", at(StreamOffset::Kind::offset, 3)), "");
  lab.append(3, 4);
  EXPECT_EQ(lab.commit(), "confirm 9#3\nconfirm 9#4\ndeliver 1/t #3 m4 offset 3\n");
}

TEST(RabbitStreamQueue, OffsetsAsArguments) {
  EXPECT_EQ(stream_offset({}, 0)->kind, StreamOffset::Kind::next);
  EXPECT_EQ(stream_offset({{"x-stream-offset", "first"}}, 0)->kind, StreamOffset::Kind::first);
  EXPECT_EQ(stream_offset({{"x-stream-offset", 7}}, 0)->value, 7);
  EXPECT_EQ(stream_offset({{"x-stream-offset", "1h"}}, 3700_s)->value, 100_s);
  EXPECT_EQ(stream_offset({{"x-stream-offset", FieldValue::of_type(FieldType::timestamp, 5)}}, 0)->value, 5_s);
  EXPECT_FALSE(stream_offset({{"x-stream-offset", "soon"}}, 0));
}

// osiris_writer: dropped iff not above the last id of that name, and confirmed all the same once the first copy is safe.
TEST(RabbitStreamQueue, ADuplicateIsLeftOutAndConfirmed) {
  StreamLab lab;
  lab.named("p", {1, 2});
  EXPECT_EQ(lab.named("p", {2, 3}), "");  // the first copy of 2 is not safe yet
  EXPECT_EQ(lab.queue.next(), 3);
  EXPECT_EQ(lab.commit(), "confirm 9#1\nconfirm 9#2\nconfirm 9#3\nconfirm 9#4\n");
  EXPECT_EQ(lab.named("p", {1}), "confirm 9#5\n");
  EXPECT_EQ(lab.queue.next(), 3);
}

// The catalogue's R70: gaps are allowed, but a lower number that comes late is lost without a word.
TEST(RabbitStreamQueue, ALowerNumberThatComesLateIsLost) {
  StreamLab lab;
  lab.named("p", {5});
  lab.named("p", {3});
  EXPECT_EQ(lab.commit(), "confirm 9#1\nconfirm 9#2\n");
  EXPECT_EQ(lab.queue.next(), 1);
  lab.named("q", {3});  // another name is another sequence
  EXPECT_EQ(lab.queue.next(), 2);
  EXPECT_EQ(lab.queue.last_publishing_id("p"), 5u);
}

// Retention goes by whole segments; the last one stays, and so does what no majority has.
TEST(RabbitStreamQueue, RetentionTakesWholeSegments) {
  StreamLab lab({.max_length_bytes = 25, .segment_bytes = 10});
  for (std::uint64_t n = 1; n <= 8; ++n) {
    lab.append(n, n, 5);
    lab.commit();
  }
  EXPECT_EQ(lab.queue.first(), 4);
  EXPECT_EQ(lab.queue.next(), 8);
  EXPECT_EQ(lab.consume("t", first, 1), "deliver 1/t #4 m5 offset 4\n");

  StreamLab aged({.max_age = 10_s, .segment_bytes = 10});
  aged.append(1, 2, 5);
  aged.now = 30_s;
  aged.append(3, 4, 5);
  aged.commit();
  aged.queue.expire(30_s);
  EXPECT_EQ(aged.queue.first(), 2);
}

// The catalogue's R71: the names that are longest silent are forgotten.
TEST(RabbitStreamQueue, OfMoreThan255NamesTheOldestIsForgotten) {
  StreamLab lab({.segment_bytes = 300});
  for (int i = 0; i < 256; ++i) lab.named("p" + std::to_string(i), {7});
  EXPECT_EQ(lab.queue.last_publishing_id("p0"), 7u);  // until the tracking data is written anew
  lab.append(1, 50);
  EXPECT_FALSE(lab.queue.last_publishing_id("p0"));
  EXPECT_TRUE(lab.queue.last_publishing_id("p1"));
}

TEST(RabbitStreamQueue, WhatWasNeverCommittedMayBeCutOff) {
  StreamLab lab;
  lab.named("p", {1});
  lab.commit();
  lab.named("p", {2});
  lab.queue.truncate(1);
  EXPECT_EQ(lab.queue.next(), 1);
  EXPECT_EQ(lab.queue.last_publishing_id("p"), 1u);
  EXPECT_EQ(lab.commit(), "");  // nobody is told of what is gone
  lab.named("p", {2});
  EXPECT_EQ(lab.commit(), "confirm 9#3\n");
}

TEST(RabbitStreamQueue, AReplicaThatCopiesKnowsTheSame) {
  StreamLab a, b;
  a.append(1, 3);
  a.named("p", {4});
  for (const StreamChunk& c : a.queue.chunks()) b.queue.append_copy(c);
  EXPECT_EQ(b.queue.next(), 4);
  EXPECT_EQ(b.queue.last_publishing_id("p"), 4u);
  EXPECT_EQ(b.queue.chunks(), a.queue.chunks());
}

// --- offsets and groups ---

ConsumerSpec member(const std::string& tag, std::int64_t partition = -1, ChannelId channel = 1) {
  ConsumerSpec spec;
  spec.key = {channel, tag};
  spec.prefetch = 10;
  spec.args.set("single-active-consumer", true);
  spec.args.set("name", "g");
  if (partition >= 0) spec.args.set("partition-index", FieldValue(partition));
  return spec;
}

// docs streams: an offset is stored in the stream itself, so who copies the log knows it.
TEST(RabbitStreamQueue, AStoredOffsetIsPartOfTheLog) {
  StreamLab lab;
  lab.append(1, 3);
  lab.queue.store_offset("g", 1, 0);
  lab.append(4, 4);
  EXPECT_EQ(lab.queue.stored_offset("g"), 1);
  EXPECT_EQ(lab.queue.stored_offset("h"), std::nullopt);
  EXPECT_EQ(lab.queue.next(), 4);
  EXPECT_EQ(lab.queue.at(3)->message, message(4)->message);
  StreamLab copy;
  for (const StreamChunk& c : lab.queue.chunks()) copy.queue.append_copy(c);
  EXPECT_EQ(copy.queue.stored_offset("g"), 1);
  lab.queue.truncate(2);
  EXPECT_EQ(lab.queue.stored_offset("g"), std::nullopt);
}

// rabbit_stream_sac_coordinator: who registers first is active, and reads from where it says.
TEST(RabbitStreamQueue, OneOfAGroupIsActiveAndTheNextFollows) {
  StreamLab lab;
  lab.append(1, 3);
  lab.commit();
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.consume(member("a"), first, out); }), "make active 1/a\n");
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.consume(member("b", -1, 2), first, out); }), "");
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.updated({1, "a"}, at(StreamOffset::Kind::offset, 2), out); }), "deliver 1/a #2 m3 offset 2\n");
  EXPECT_FALSE(lab.told([&](QueueEffects& out) { lab.queue.channel_down(1, out); }).empty());
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.updated({2, "b"}, at(StreamOffset::Kind::offset, 3), out); }), "");
  lab.append(4, 4);
  EXPECT_EQ(lab.commit(), "confirm 9#4\ndeliver 2/b #3 m4 offset 3\n");
}

// On a partition of a super stream: its number modulo the size of the group; the old one steps down first.
TEST(RabbitStreamQueue, MembersShareTheStreamsOfASuperStream) {
  StreamLab lab;
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.consume(member("a", 1), first, out); }), "make active 1/a\n");
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.consume(member("b", 1, 2), first, out); }), "step down 1/a\n");
  EXPECT_FALSE(lab.queue.caught_up());
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.updated({1, "a"}, first, out); }), "make active 2/b\n");
  // It goes, and there is one left.
  EXPECT_EQ(lab.told([&](QueueEffects& out) { lab.queue.cancel({2, "b"}, out); }), "make active 1/a\n");
}

}  // namespace
}  // namespace mqlab::rabbitmq
