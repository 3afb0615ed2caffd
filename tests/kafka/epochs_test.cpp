// The leader-epoch cache: which epoch began where, and what a leader answers about it.
#include "models/kafka/epochs.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

namespace mqlab::kafka {
namespace {

EpochCache cache(std::initializer_list<EpochStart> entries) {
  EpochCache c;
  for (const EpochStart& e : entries) c.assign(e.epoch, e.start);
  return c;
}

std::vector<EpochStart> list(const EpochCache& c) { return {c.entries().begin(), c.entries().end()}; }

// LeaderEpochFileCache.endOffsetFor: the current epoch is still being written to, so it ends at the log's end.
TEST(KafkaEpochs, LatestEpochEndsAtTheLogEnd) {
  const EpochCache c = cache({{0, 0}, {2, 10}});
  EXPECT_EQ(c.end_offset_for(2, 15), (EpochEnd{2, 15}));
  EXPECT_EQ(c.end_offset_for_kip101(2, 15), (EpochEnd{2, 15}));
}

// KIP-279: asked about an epoch it never saw, the leader names the one before, so that the follower can compare.
TEST(KafkaEpochs, UnknownEpochIsAnsweredWithTheOneBefore) {
  const EpochCache c = cache({{0, 0}, {2, 10}});
  EXPECT_EQ(c.end_offset_for(1, 15), (EpochEnd{0, 10}));
}

// KIP-101: the same offset, but without the word that it is another epoch that ends there.
TEST(KafkaEpochs, Kip101EchoesTheEpochItWasAskedFor) {
  const EpochCache c = cache({{0, 0}, {2, 10}});
  EXPECT_EQ(c.end_offset_for_kip101(1, 15), (EpochEnd{1, 10}));
}

// KAFKA-6361, the story of KIP-279. B led epoch 0 and wrote [m0, x1]; A led epoch 1 and wrote y1 at offset 1 unseen by
// B; B leads epoch 2. A asks about epoch 1: by KIP-101 it would keep y1 (ends at 2), by KIP-279 it learns that epoch 0
// ends at 2 here, finds that its own epoch 0 ended at 1, and drops y1.
TEST(KafkaEpochs, FastFailoverIsSeenOnlyByTheKip279Answer) {
  const EpochCache b = cache({{0, 0}, {2, 2}});
  const EpochCache a = cache({{0, 0}, {1, 1}});

  const EpochEnd old_answer = b.end_offset_for_kip101(a.latest(), 2);
  EXPECT_EQ(std::min(old_answer.end, a.end_offset_for(old_answer.epoch, 2).end), 2) << "y1 stays: divergence";

  const EpochEnd answer = b.end_offset_for(a.latest(), 2);
  EXPECT_EQ(answer, (EpochEnd{0, 2}));
  EXPECT_EQ(std::min(answer.end, a.end_offset_for(answer.epoch, 2).end), 1) << "y1 goes";
}

// An answer about an epoch newer than all that is known would be a guess.
TEST(KafkaEpochs, NewerThanAllKnownIsUndefined) {
  const EpochCache c = cache({{0, 0}, {2, 10}});
  EXPECT_FALSE(c.end_offset_for(3, 15).defined());
  EXPECT_FALSE(c.end_offset_for_kip101(3, 15).defined());
  EXPECT_FALSE(c.end_offset_for(no_leader_epoch, 15).defined());
  EXPECT_FALSE(EpochCache{}.end_offset_for(0, 0).defined());
  EXPECT_FALSE(EpochCache{}.end_offset_for(no_leader_epoch, 7).defined());
}

// Records of old epochs may be deleted. Kafka 0.11 then fell back to the high watermark (undefined); since KIP-279 the
// follower is sent to where the log begins.
TEST(KafkaEpochs, OlderThanAllKnown) {
  const EpochCache c = cache({{3, 40}, {5, 60}});
  EXPECT_EQ(c.end_offset_for(1, 70), (EpochEnd{1, 40}));
  EXPECT_FALSE(c.end_offset_for_kip101(1, 70).defined());
}

// The same epoch is assigned with every batch; only the first matters.
TEST(KafkaEpochs, AssigningTheLatestEpochAgainChangesNothing) {
  EpochCache c = cache({{0, 0}, {2, 10}});
  c.assign(2, 12);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{0, 0}, {2, 10}}));
}

// maybeTruncateNonMonotonicEntries: an epoch that wrote nothing is replaced by the one that begins at the same offset.
TEST(KafkaEpochs, EpochWithoutRecordsIsReplaced) {
  EpochCache c = cache({{0, 0}, {2, 10}});
  c.assign(4, 10);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{0, 0}, {4, 10}}));
  c.assign(3, 5);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{0, 0}, {3, 5}}));
}

TEST(KafkaEpochs, CuttingTheEndForgetsWhatBeganThere) {
  EpochCache c = cache({{0, 0}, {2, 10}, {3, 20}});
  c.truncate_from_end(20);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{0, 0}, {2, 10}}));
  c.truncate_from_end(11);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{0, 0}, {2, 10}}));
}

TEST(KafkaEpochs, CuttingTheStartKeepsTheEpochInForce) {
  EpochCache c = cache({{0, 0}, {2, 10}, {3, 20}});
  c.truncate_from_start(15);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{2, 15}, {3, 20}}));
  c.truncate_from_start(5);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{2, 15}, {3, 20}}));
  c.truncate_from_start(20);
  EXPECT_EQ(list(c), (std::vector<EpochStart>{{3, 20}}));
}

TEST(KafkaEpochs, LookUps) {
  const EpochCache c = cache({{1, 5}, {3, 20}});
  EXPECT_EQ(c.latest(), 3);
  EXPECT_EQ(c.start_of(1), std::optional<Offset>(5));
  EXPECT_EQ(c.start_of(2), std::nullopt);
  EXPECT_EQ(c.before(3), std::optional<LeaderEpoch>(1));
  EXPECT_EQ(c.before(1), std::nullopt);
  EXPECT_EQ(c.epoch_at(4), no_leader_epoch);
  EXPECT_EQ(c.epoch_at(19), 1);
  EXPECT_EQ(c.epoch_at(20), 3);
}

// Against a plain list of (offset, epoch) of every record: the end of the largest epoch <= asked is one past the last
// record of an epoch <= asked.
RC_GTEST_PROP(KafkaEpochs, AnswersAgreeWithTheRecordsThemselves, ()) {
  EpochCache c;
  std::vector<LeaderEpoch> records;  // by offset
  LeaderEpoch epoch = 0;
  for (const auto& [bump, count] : *rc::gen::arbitrary<std::vector<std::pair<bool, bool>>>()) {
    epoch += bump ? 1 + static_cast<LeaderEpoch>(count) : 0;
    c.assign(epoch, static_cast<Offset>(records.size()));
    records.push_back(epoch);
  }
  RC_PRE(!records.empty());
  const auto end = static_cast<Offset>(records.size());
  const auto asked = *rc::gen::inRange<LeaderEpoch>(0, epoch + 1);
  const auto above = std::upper_bound(records.begin(), records.end(), asked);
  const auto answer = c.end_offset_for(asked, end);
  RC_ASSERT(answer.end == above - records.begin());
  RC_ASSERT(answer.epoch == (above == records.begin() ? asked : *std::prev(above)));
  const auto old = c.end_offset_for_kip101(asked, end);
  RC_ASSERT(!old.defined() || (old.end == answer.end && old.epoch == asked));
}

}  // namespace
}  // namespace mqlab::kafka
