// The share coordinator: what it keeps, and whom it believes. Source: ShareCoordinatorShard (4.3).
#include <gtest/gtest.h>

#include "models/kafka/share_state.h"

namespace mqlab::kafka {
namespace {

WriteShareState write(LeaderEpoch epoch, Offset start, std::vector<StateBatch> batches, std::int32_t state_epoch = 0) {
  WriteShareState m;
  m.group = "g";
  m.update.leader_epoch = epoch;
  m.update.state_epoch = state_epoch;
  m.update.start = start;
  m.update.batches = std::move(batches);
  return m;
}
ReadShareState read(LeaderEpoch epoch) {
  ReadShareState m;
  m.group = "g";
  m.leader_epoch = epoch;
  return m;
}

TEST(KafkaShareState, WhatOneLeaderWritesTheNextOneReads) {
  ShareStates s;
  EXPECT_EQ(s.write(write(1, 0, {{0, 4, RecordState::acknowledged, 1}})).error, Error::none);
  EXPECT_EQ(s.write(write(1, 0, {{6, 6, RecordState::available, 2}})).error, Error::none);
  EXPECT_EQ(s.find("g", 0)->batches, (std::vector<StateBatch>{{0, 4, RecordState::acknowledged, 1}, {6, 6, RecordState::available, 2}}));
  EXPECT_EQ(s.write(write(1, 5, {})).error, Error::none);
  ShareState got;
  EXPECT_EQ(s.read(read(2), got).error, Error::none);
  EXPECT_EQ(got.start, 5);
  EXPECT_EQ(got.batches, (std::vector<StateBatch>{{6, 6, RecordState::available, 2}}));
}

// A leader that was replaced does not know it yet: its word counts no more from the moment the next one has read.
TEST(KafkaShareState, ADeposedLeaderIsFencedByTheRead) {
  ShareStates s;
  ShareState got;
  s.write(write(1, 0, {{0, 0, RecordState::available, 1}}));
  EXPECT_EQ(s.read(read(2), got).records.size(), 1U);  // it is written down
  EXPECT_EQ(s.read(read(2), got).records.size(), 0U);
  EXPECT_EQ(s.write(write(1, 0, {{0, 0, RecordState::acknowledged, 1}})).error, Error::fenced_leader_epoch);
  EXPECT_EQ(s.read(read(1), got).error, Error::fenced_leader_epoch);
  EXPECT_EQ(s.find("g", 0)->batches.front().state, RecordState::available);
}

TEST(KafkaShareState, AnOlderStateEpochIsFenced) {
  ShareStates s;
  s.write(write(1, 0, {}, 3));
  EXPECT_EQ(s.write(write(1, 0, {}, 2)).error, Error::fenced_state_epoch);
}

// The coordinator moves: all that counts is in its records, and of each key in the last.
TEST(KafkaShareState, ItIsAFunctionOfItsRecords) {
  ShareStates s;
  std::vector<GroupRecord> log;
  const auto keep = [&](ShareStates::Outcome o) { log.insert(log.end(), o.records.begin(), o.records.end()); };
  ShareState got;
  keep(s.read(read(1), got));
  keep(s.write(write(1, 0, {{0, 3, RecordState::acknowledged, 1}})));
  keep(s.write(write(1, 4, {{5, 5, RecordState::archived, 5}})));
  keep(s.read(read(7), got));
  EXPECT_EQ(log.front().key(), log.back().key());
  ShareStates next;
  for (const GroupRecord& r : log) next.replay(r);
  EXPECT_EQ(*next.find("g", 0), *s.find("g", 0));
  ShareStates last_only;
  last_only.replay(log.back());
  EXPECT_EQ(*last_only.find("g", 0), *s.find("g", 0));
  EXPECT_EQ(last_only.write(write(1, 4, {})).error, Error::fenced_leader_epoch);
}

TEST(KafkaShareState, WhatWasNeverWrittenHasNoBeginning) {
  ShareStates s;
  ShareState got;
  s.read(read(0), got);
  EXPECT_EQ(got.start, no_offset);
}

}  // namespace
}  // namespace mqlab::kafka
