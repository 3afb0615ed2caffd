// What a share group did with the records of one partition: stories, and a slow oracle with a rule an offset.
// Sources: SharePartition, InFlightState (4.3.1); KIP-932.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "models/kafka/share_partition.h"

namespace mqlab::kafka {
namespace {

constexpr Duration lock = 30'000'000'000;
constexpr ShareLimits limits{.lock = lock, .deliveries = 5, .record_locks = 2000};

// Batches of these sizes, from `first` on.
std::vector<Batch> records(Offset first, const std::vector<std::int32_t>& sizes) {
  std::vector<Batch> out;
  for (const std::int32_t n : sizes) {
    Batch b = make_batch(std::vector<Record>(static_cast<std::size_t>(n)));
    b.base_offset = first;
    first += n;
    out.push_back(std::move(b));
  }
  return out;
}
std::vector<Batch> singles(Offset first, Offset end) { return records(first, std::vector<std::int32_t>(static_cast<std::size_t>(std::max<Offset>(0, end - first)), 1)); }

using Ranges = std::vector<Acquired>;

ShareChange ack(SharePartition& p, const std::string& member, Offset first, Offset last, AckType type = AckType::accept, Time now = 0) {
  ShareChange c = p.acknowledge(member, {{first, last, type}}, now);
  p.complete(c.number, true);
  return c;
}

TEST(KafkaSharePartition, MembersShareAPartitionRecordByRecord) {
  SharePartition p(limits, {}, 3, 0);
  EXPECT_EQ(p.acquire("k1", singles(0, 10), 4, 0), (Ranges{{0, 3, 1}}));
  EXPECT_EQ(p.next_fetch(), 4);
  EXPECT_EQ(p.acquire("k2", singles(4, 10), 4, 0), (Ranges{{4, 7, 1}}));
  EXPECT_EQ(p.holder_of(3), "k1");
  EXPECT_EQ(p.holder_of(4), "k2");
}

// The limit is soft: a batch of the log is not cut for it (lastOffsetFromBatchWithRequestOffset).
TEST(KafkaSharePartition, ABatchIsTakenWhole) {
  SharePartition p(limits, {}, 3, 0);
  EXPECT_EQ(p.acquire("k1", records(0, {2, 5, 5}), 3, 0), (Ranges{{0, 6, 1}}));
  EXPECT_EQ(p.acquire("k1", records(7, {5}), 3, 0, true), (Ranges{{7, 9, 1}}));
  ack(p, "k1", 0, 6, AckType::release);
  EXPECT_EQ(p.acquire("k2", records(0, {2, 5, 5}), 3, 0), (Ranges{{0, 6, 2}}));  // nor is an earlier acquisition
  ack(p, "k2", 0, 6, AckType::release);
  EXPECT_EQ(p.acquire("k1", records(0, {2, 5, 5}), 3, 0, true), (Ranges{{0, 2, 3}}));
}

TEST(KafkaSharePartition, TheStartMovesOverAFinishedPrefixOnly) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 4), 10, 0);
  ack(p, "k1", 1, 1);
  ack(p, "k1", 2, 2, AckType::reject);
  EXPECT_EQ(p.start(), 0);
  ack(p, "k1", 0, 0);
  EXPECT_EQ(p.start(), 3);
  EXPECT_EQ(p.state_of(3), RecordState::acquired);
}

TEST(KafkaSharePartition, WhatIsReleasedIsGivenToAnotherAndCounted) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 3), 10, 0);
  EXPECT_TRUE(ack(p, "k1", 1, 1, AckType::release).released);
  EXPECT_EQ(p.next_fetch(), 1);
  EXPECT_EQ(p.acquire("k2", singles(1, 3), 10, 0), (Ranges{{1, 1, 2}}));
}

TEST(KafkaSharePartition, ALockThatRunsOutGivesTheRecordToAnother) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 1), 10, 0);
  EXPECT_EQ(p.next_deadline(), lock);
  p.expire(lock - 1);
  EXPECT_EQ(p.state_of(0), RecordState::acquired);
  EXPECT_TRUE(p.expire(lock).released);
  EXPECT_EQ(p.acquire("k2", singles(0, 1), 10, lock), (Ranges{{0, 0, 2}}));
  // Who comes too late hears so, and changes nothing.
  EXPECT_EQ(ack(p, "k1", 0, 0).error, Error::invalid_record_state);
  EXPECT_EQ(p.holder_of(0), "k2");
  EXPECT_EQ(ack(p, "k2", 0, 0).error, Error::none);
}

TEST(KafkaSharePartition, ALockCanBeRenewed) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 1), 10, 0);
  EXPECT_EQ(ack(p, "k1", 0, 0, AckType::renew, lock - 1).number, 0U);  // nothing to write
  p.expire(lock);
  EXPECT_EQ(p.state_of(0), RecordState::acquired);
  EXPECT_EQ(p.next_deadline(), 2 * lock - 1);
}

// group.share.delivery.count.limit: checked when a record would become available again.
TEST(KafkaSharePartition, WhatFailedTooOftenIsGivenToNobodyAnyMore) {
  SharePartition p(limits, {}, 3, 0);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(p.acquire("k1", singles(0, 1), 10, 0), (Ranges{{0, 0, i}}));
    const ShareChange c = ack(p, "k1", 0, 0, AckType::release);
    EXPECT_EQ(c.archived.size(), i == 5 ? 1U : 0U);
  }
  EXPECT_EQ(p.start(), 1);
}

// A batch that failed often is handed out in ever smaller parts: what kills its reader takes fewer along (4.3).
TEST(KafkaSharePartition, WhatFailedOftenTravelsInSmallCompany) {
  SharePartition p(limits, {}, 3, 0);
  std::vector<Offset> got;
  for (int i = 0; i < 6; ++i) {
    const Ranges r = p.acquire("k1", singles(p.next_fetch(), i < 3 ? 8 : 20), 100, 0);
    if (r.empty()) break;
    got.push_back(r.back().last - r.front().first + 1);
    ack(p, "k1", r.front().first, r.back().last, i < 4 ? AckType::release : AckType::accept);
  }
  // Three times all of them; a half the fourth time; then one alone. Nothing else goes along.
  EXPECT_EQ(got, (std::vector<Offset>{8, 8, 8, 4, 1, 1}));
}

// One slow record at the beginning: what others finish behind it counts against the limit all the same.
TEST(KafkaSharePartition, OneSlowRecordStopsThePartition) {
  SharePartition p({.lock = lock, .deliveries = 5, .record_locks = 10}, {}, 3, 0);
  p.acquire("slow", singles(0, 100), 1, 0);
  for (Offset o = 1; o < 10; ++o) {
    EXPECT_EQ(p.acquire("k2", singles(o, 100), 1, 0), (Ranges{{o, o, 1}}));
    ack(p, "k2", o, o);
  }
  EXPECT_TRUE(p.full());
  EXPECT_FALSE(p.can_acquire());
  EXPECT_TRUE(p.acquire("k2", singles(10, 100), 1, 0).empty());
  ack(p, "slow", 0, 0);
  EXPECT_EQ(p.start(), 10);
  EXPECT_TRUE(p.can_acquire());
}

TEST(KafkaSharePartition, WhatIsAvailableCanBeTakenFromAFullWindow) {
  SharePartition p({.lock = lock, .deliveries = 5, .record_locks = 4}, {}, 3, 0);
  p.acquire("k1", singles(0, 4), 4, 0);
  ack(p, "k1", 2, 2, AckType::release);
  EXPECT_TRUE(p.can_acquire());
  EXPECT_EQ(p.acquire("k2", singles(2, 9), 10, 0), (Ranges{{2, 2, 2}}));
}

// One record that is not the member's own any more, and the whole request is refused.
TEST(KafkaSharePartition, ARequestCountsAsAWholeOrNotAtAll) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 2), 10, 0);
  p.acquire("k2", singles(2, 3), 10, 0);
  const ShareChange c = p.acknowledge("k1", {{0, 1, AckType::accept}, {2, 2, AckType::accept}}, 0);
  EXPECT_EQ(c.error, Error::invalid_record_state);
  EXPECT_EQ(c.number, 0U);
  EXPECT_EQ(p.state_of(0), RecordState::acquired);
  EXPECT_EQ(p.acknowledge("k1", {{0, 7, AckType::accept}}, 0).error, Error::invalid_request);  // never acquired
}

TEST(KafkaSharePartition, WhatIsNotWrittenDidNotHappen) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 2), 10, 0);
  const ShareChange first = p.acknowledge("k1", {{0, 0, AckType::accept}}, 0);
  EXPECT_EQ(p.start(), 0);
  // Meanwhile nobody can say anything of it.
  EXPECT_EQ(p.acknowledge("k1", {{0, 0, AckType::release}}, 0).error, Error::invalid_record_state);
  p.complete(first.number, false);
  EXPECT_EQ(p.state_of(0), RecordState::acquired);
  EXPECT_EQ(p.holder_of(0), "k1");
  // ... and if its lock ended meanwhile, it is free.
  const ShareChange second = p.acknowledge("k1", {{0, 0, AckType::accept}}, 0);
  p.expire(lock);
  p.complete(second.number, false);
  EXPECT_EQ(p.state_of(0), RecordState::available);
}

TEST(KafkaSharePartition, WhoGoesGivesBackWhatItHolds) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 2), 10, 0);
  p.acquire("k2", singles(2, 4), 10, 0);
  const ShareChange c = p.release("k1");
  p.complete(c.number, true);
  EXPECT_EQ(c.update.batches, (std::vector<StateBatch>{{0, 1, RecordState::available, 1}}));
  EXPECT_EQ(p.count(RecordState::acquired), 2);
  EXPECT_EQ(p.acquire("k2", singles(0, 4), 10, 0), (Ranges{{0, 1, 2}}));
}

// Who held a record when the leader changed is forgotten, and the delivery with it: it counts as never made.
TEST(KafkaSharePartition, ANewLeaderKnowsWhatWasWritten) {
  SharePartition p(limits, {}, 3, 0);
  ShareState written;
  p.acquire("k1", singles(0, 6), 10, 0);
  merge(written, ack(p, "k1", 0, 1).update);
  merge(written, ack(p, "k1", 3, 3, AckType::release).update);
  merge(written, ack(p, "k1", 5, 5).update);
  SharePartition q(limits, written, 4, 99);
  EXPECT_EQ(q.start(), 2);
  EXPECT_EQ(q.end(), 6);
  EXPECT_EQ(q.acquire("k2", singles(2, 8), 10, 0), (Ranges{{2, 2, 1}, {3, 3, 2}, {4, 4, 1}, {6, 7, 1}}));
}

TEST(KafkaSharePartition, WithoutStateItBeginsWhereItIsTold) {
  SharePartition p(limits, {}, 3, 42);
  EXPECT_EQ(p.next_fetch(), 42);
  EXPECT_EQ(p.acquire("k1", singles(42, 44), 10, 0), (Ranges{{42, 43, 1}}));
}

TEST(KafkaSharePartition, WhatLeftTheLogIsOverWith) {
  SharePartition p(limits, {}, 3, 0);
  p.acquire("k1", singles(0, 4), 10, 0);
  p.log_starts_at(3);
  EXPECT_EQ(p.start(), 3);
  EXPECT_EQ(ack(p, "k1", 0, 2).error, Error::none);  // it is told nothing
  p.log_starts_at(9);
  EXPECT_EQ(p.next_fetch(), 9);
}

// ---------------------------------------------------------------------------------------------
// A slow oracle: every offset by itself.

struct Slow {
  struct One {
    RecordState state = RecordState::available;
    int deliveries = 0;
    std::string member{};
    Time deadline = time_max;
    std::uint64_t change = 0;
    std::string from{};
    bool lost_lock = false;
  };
  int limit = 5;
  int locks = 20;
  Offset start = 0;
  Offset end = 0;
  std::map<Offset, One> all;

  RecordState free(const One& o) const { return o.deliveries >= limit ? RecordState::archived : RecordState::available; }
  bool may_take(Offset o) { return all[o].state == RecordState::available && all[o].change == 0; }
  void advance() {
    while (start < end && terminal(all[start].state) && all[start].change == 0) ++start;
  }
};

RC_GTEST_PROP(KafkaSharePartition, DoesWithEachOffsetWhatTheRuleSays, ()) {
  Slow slow;
  slow.limit = *rc::gen::inRange(1, 7);
  slow.locks = *rc::gen::inRange(1, 30);
  const ShareLimits l{.lock = 10, .deliveries = slow.limit, .record_locks = slow.locks};
  SharePartition p(l, {}, 1, 0);
  ShareState written;
  Time now = 0;
  const Offset log_end = 40;
  std::vector<std::uint64_t> open;
  std::map<std::uint64_t, ShareState> updates;
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    const std::string member = *rc::gen::element<std::string>("k1", "k2", "k3");
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1: {
        const auto most = *rc::gen::inRange(1, 8);
        const Offset from = p.next_fetch();
        Offset least = slow.start;
        while (least < slow.end && !slow.may_take(least)) ++least;
        RC_ASSERT(from == least);
        RC_ASSERT(p.can_acquire() == (least < slow.end || slow.end - slow.start < slow.locks));
        const Ranges got = p.acquire(member, singles(from, log_end), most, now);
        Offset n = 0;
        const Offset end_before = slow.end;
        std::set<Offset> taken;
        for (const Acquired& a : got)
          for (Offset o = a.first; o <= a.last; ++o) {
            RC_ASSERT(o >= slow.start && o < log_end && taken.insert(o).second);
            if (o < end_before) RC_ASSERT(slow.may_take(o));
            else RC_ASSERT(o == slow.end++);
            Slow::One& one = slow.all[o];
            one.state = RecordState::acquired;
            RC_ASSERT(++one.deliveries == a.deliveries);
            RC_ASSERT(one.deliveries <= slow.limit);
            one.member = member;
            one.deadline = now + 10;
            ++n;
          }
        RC_ASSERT(slow.end - slow.start <= std::max<Offset>(slow.locks, end_before - slow.start));
        if (from < log_end && (from < end_before || end_before - slow.start < slow.locks)) RC_ASSERT(n > 0);
        if (slow.end > end_before) RC_ASSERT(n <= most);
        break;
      }
      case 2:
      case 3: {
        std::vector<Acknowledgement> acks;
        const int parts = *rc::gen::inRange(1, 3);
        for (int i = 0; i < parts; ++i) {
          const Offset first = *rc::gen::inRange<Offset>(0, std::max<Offset>(1, slow.end));
          acks.push_back({first, first + *rc::gen::inRange<Offset>(0, 4), *rc::gen::element(AckType::accept, AckType::release, AckType::reject, AckType::renew)});
        }
        Error expected = Error::none;
        std::map<Offset, Slow::One> next = slow.all;
        bool changes = false;
        for (const Acknowledgement& a : acks) {
          if (expected != Error::none || a.last < slow.start) continue;
          if (slow.start == slow.end) expected = Error::invalid_record_state;
          else if (a.last >= slow.end) expected = Error::invalid_request;
          for (Offset o = std::max(a.first, slow.start); o <= a.last && expected == Error::none; ++o) {
            Slow::One& one = next[o];
            if (one.state != RecordState::acquired || one.change != 0 || one.member != member) {
              expected = Error::invalid_record_state;
              break;
            }
            if (a.type == AckType::renew) {
              one.deadline = now + 10;
              continue;
            }
            changes = true;
            one.state = a.type == AckType::accept ? RecordState::acknowledged : a.type == AckType::reject ? RecordState::archived : slow.free(one);
            one.from = one.member;
            one.member.clear();
            one.change = 1;  // its number comes below
          }
        }
        const ShareChange c = p.acknowledge(member, acks, now);
        RC_ASSERT(c.error == expected);
        RC_ASSERT((c.number != 0) == (expected == Error::none && changes));
        if (expected != Error::none) break;
        for (auto& [o, one] : next)
          if (slow.all[o].change == 0 && one.change == 1) one.change = c.number + 1000;
        slow.all = next;
        if (c.number != 0) {
          open.push_back(c.number);
          updates[c.number] = c.update;
        }
        break;
      }
      case 4: {
        if (open.empty()) break;
        const std::uint64_t number = open.front();
        open.erase(open.begin());
        const bool ok = *rc::gen::inRange(0, 4) > 0;
        p.complete(number, ok);
        if (ok) merge(written, updates[number]);
        for (auto& [o, one] : slow.all) {
          if (one.change != number + 1000) continue;
          one.change = 0;
          if (ok) {
            one.deadline = time_max;
          } else {
            one.state = one.lost_lock ? slow.free(one) : RecordState::acquired;
            one.member = one.lost_lock ? "" : one.from;
          }
          one.lost_lock = false;
        }
        slow.advance();
        break;
      }
      case 5: {
        now += *rc::gen::inRange<Time>(1, 12);
        const ShareChange c = p.expire(now);
        merge(written, c.update);
        for (auto& [o, one] : slow.all) {
          if (one.deadline > now) continue;
          one.deadline = time_max;
          if (one.change != 0) one.lost_lock = true;
          else if (one.state == RecordState::acquired) {
            one.state = slow.free(one);
            one.member.clear();
          }
        }
        slow.advance();
        break;
      }
      default: {
        if (*rc::gen::inRange(0, 3) > 0) {
          const ShareChange c = p.release(member);
          p.complete(c.number, true);
          if (c.number != 0) merge(written, c.update);
          for (auto& [o, one] : slow.all)
            if (o >= slow.start && one.state == RecordState::acquired && one.change == 0 && one.member == member) {
              one.state = slow.free(one);
              one.member.clear();
              one.deadline = time_max;
            }
          slow.advance();
        } else if (open.empty()) {
          // The leader moves: what was written is known, what was acquired is not.
          const Offset last = written.batches.empty() ? std::max<Offset>(0, written.start) : written.batches.back().last + 1;
          p = SharePartition(l, written, 1, 0);
          slow.start = std::max<Offset>(0, written.start);
          slow.end = std::max(last, slow.start);
          for (auto& [o, one] : slow.all) {
            // What was not written did not happen: neither a delivery, nor the end of a lock that came between.
            const auto b = std::find_if(written.batches.begin(), written.batches.end(), [&, at = o](const StateBatch& x) { return x.first <= at && at <= x.last; });
            one = Slow::One{};
            if (b != written.batches.end()) {
              one.state = b->state;
              one.deliveries = b->deliveries;
            }
          }
          slow.advance();
        }
        break;
      }
    }
    RC_ASSERT(p.start() == slow.start);
    RC_ASSERT(p.end() == slow.end);
    for (Offset o = slow.start; o < slow.end; ++o) {
      RC_ASSERT(p.state_of(o) == slow.all[o].state);
      RC_ASSERT(p.deliveries_of(o) == slow.all[o].deliveries);
      RC_ASSERT(p.holder_of(o) == slow.all[o].member);
    }
    RC_ASSERT(p.end() - p.start() <= slow.locks);
  }
}

RC_GTEST_PROP(KafkaShareState, MergingIsOffsetByOffset, ()) {
  ShareState state;
  std::map<Offset, std::pair<RecordState, int>> slow;
  Offset start = 0;
  for (int step = *rc::gen::inRange(1, 12); step > 0; --step) {
    ShareState update;
    start = std::max(start, *rc::gen::inRange<Offset>(0, 20));
    update.start = start;
    for (Offset o = *rc::gen::inRange<Offset>(0, 10); o < 30; o += *rc::gen::inRange<Offset>(1, 5)) {
      const Offset last = o + *rc::gen::inRange<Offset>(0, 5);
      update.batches.push_back({o, last, *rc::gen::element(RecordState::available, RecordState::acknowledged, RecordState::archived), *rc::gen::inRange(1, 3)});
      o = last;
      for (Offset i = update.batches.back().first; i <= last; ++i) slow[i] = {update.batches.back().state, update.batches.back().deliveries};
    }
    merge(state, update);
  }
  slow.erase(slow.begin(), slow.lower_bound(start));
  std::map<Offset, std::pair<RecordState, int>> merged;
  Offset before = -1;
  for (const StateBatch& b : state.batches) {
    RC_ASSERT(b.first > before && b.last >= b.first);
    before = b.last;
    for (Offset o = b.first; o <= b.last; ++o) merged[o] = {b.state, b.deliveries};
  }
  RC_ASSERT(merged == slow);
  RC_ASSERT(state.start == start);
}

}  // namespace
}  // namespace mqlab::kafka
