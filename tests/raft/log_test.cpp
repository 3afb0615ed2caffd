#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/raft/log.h"

namespace mqlab::raft {
namespace {

Log log_of(std::initializer_list<Epoch> epochs) {
  Log log;
  for (const Epoch epoch : epochs) log.append({.epoch = epoch});
  return log;
}

// KIP-101: the answer names the last epoch that is not after the one asked for, and where it ends.
TEST(RaftLog, AnEpochThatIsMissingIsAnsweredByTheOneBefore) {
  const Log log = log_of({1, 1, 4, 4, 6});
  EXPECT_EQ(log.end_offset_for_epoch(4), (EpochEnd{4, 4}));
  EXPECT_EQ(log.end_offset_for_epoch(5), (EpochEnd{4, 4}));
  EXPECT_EQ(log.end_offset_for_epoch(9), (EpochEnd{6, 5}));
  EXPECT_EQ(log.end_offset_for_epoch(0), (EpochEnd{0, 0}));
}

TEST(RaftLog, ASnapshotKeepsTheEpochOfWhatItReplaced) {
  Log log = log_of({1, 1, 4, 4, 6});
  log.compact_to(3, nullptr);
  EXPECT_EQ(log.start(), 3);
  EXPECT_EQ(log.end(), 5);
  EXPECT_EQ(log.epoch_before(3), 4);
  EXPECT_EQ(log.end_offset_for_epoch(4), (EpochEnd{4, 4}));
  EXPECT_EQ(log.end_offset_for_epoch(2), (EpochEnd{4, 3}));  // it can't tell: all that is left came later
  log.truncate_to(1);
  EXPECT_EQ(log.end(), 3);  // what a snapshot covers is never removed
}

// Raft paper section 5.4.1: first the last epoch, then the length.
TEST(RaftLog, TheLaterEpochWinsOverTheLongerLog) {
  EXPECT_TRUE(up_to_date(3, 1, 2, 9));
  EXPECT_FALSE(up_to_date(2, 9, 3, 1));
  EXPECT_TRUE(up_to_date(3, 5, 3, 5));
  EXPECT_FALSE(up_to_date(3, 4, 3, 5));
}

RC_GTEST_PROP(RaftLog, EveryEpochEndsWhereAScanFindsIt, ()) {
  Log log;
  Epoch epoch = 1;
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3))) {
    log.append({.epoch = epoch += step});
  }
  if (log.end() > 0) log.compact_to(*rc::gen::inRange<Offset>(0, log.end() + 1), nullptr);
  const Epoch asked = *rc::gen::inRange(0, epoch + 2);
  EpochEnd expected{log.snapshot.epoch, log.start()};
  for (Offset offset = log.start(); offset < log.end() && log.at(offset).epoch <= asked; ++offset) {
    expected = {log.at(offset).epoch, offset + 1};
  }
  RC_ASSERT(log.end_offset_for_epoch(asked) == expected);
}

}  // namespace
}  // namespace mqlab::raft
