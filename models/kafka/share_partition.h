// models/kafka/share_partition.h: what a share group did with the records of one partition (KIP-932).
//
// The partition's leader keeps, for each group, a window of offsets [start, end): each record in it is available,
// acquired by one member for a while, acknowledged, or archived. Many members share the partition record by record;
// nobody owns it, and nothing is in order but by chance. One rule: a record counts as done when somebody said so while
// he held it; what is not said in time is given to another.
//
// Always true: 1. of an acquired record exactly one member is told, until its lock ends. 2. Acknowledged and archived
// are for ever. 3. start moves over a prefix of such records only. 4. The window holds at most so many offsets as the
// limit allows when it grew: one slow record at its beginning stops the partition.
// Elsewhere: requests, timers, who leads (share_leader.cpp), where the state survives (share_state.h).
// Sources: SharePartition, InFlightState (4.3.1); KIP-932. The product keeps state by batch where it can; here each
// offset has its own, which no client can tell apart.
//
//     SharePartition p(limits, state_read_back, log_end);
//     for (const Acquired& a : p.acquire("k1", log.view(p.next_fetch(), high_watermark), 500, now)) deliver(a);
//     ShareChange c = p.acknowledge("k1", {{0, 4, AckType::accept}}, now);
//     persist(c.update), then p.complete(c.number, true);
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "models/kafka/log.h"
#include "models/kafka/types.h"

namespace mqlab::kafka {

// Numbers as on the wire and in the state topic.
enum class RecordState : std::uint8_t { available = 0, acquired = 1, acknowledged = 2, archived = 4 };
enum class AckType : std::uint8_t { gap = 0, accept = 1, release = 2, reject = 3, renew = 4 };  // renew: 4.2

constexpr bool terminal(RecordState s) { return s == RecordState::acknowledged || s == RecordState::archived; }
const char* name(RecordState s);
const char* name(AckType t);

// --- what survives ---

struct StateBatch {
  Offset first{};
  Offset last{};
  RecordState state{};
  std::int32_t deliveries{};
  bool operator==(const StateBatch&) const = default;
};

// Offsets from `start` on that are in no batch were never finished, nor given back: they are as new. That a record is
// acquired, and by whom, is not kept: a new leader hands it out again, and its last delivery is not counted.
struct ShareState {
  std::int32_t state_epoch = 0;
  LeaderEpoch leader_epoch = no_leader_epoch;
  Offset start = no_offset;            // no_offset: nothing was ever written
  std::vector<StateBatch> batches{};   // ascending, without overlap
  bool operator==(const ShareState&) const = default;
};

// `state` with what `update` says of its offsets; what lies before the new start is gone (ShareCoordinatorShard's
// combining of a snapshot with updates, PersisterStateBatchCombiner).
void merge(ShareState& state, const ShareState& update);

// --- the window ---

struct ShareLimits {
  Duration lock{};
  std::int32_t deliveries = 5;
  std::int32_t record_locks = 2000;
};

struct Acquired {
  Offset first{};
  Offset last{};
  std::int32_t deliveries{};
  bool operator==(const Acquired&) const = default;
};

struct Acknowledgement {
  Offset first{};
  Offset last{};
  AckType type = AckType::accept;
};

struct Archived {
  Offset first{};
  Offset last{};
  const char* why = "";  // "rejected", "delivery limit", "no record"
};

// What a request or a timer changed. With a number, the change counts when complete() says that it is written.
struct ShareChange {
  Error error{};
  std::uint64_t number = 0;
  ShareState update{};            // to be written; empty batches: nothing is
  std::vector<Archived> archived{};
  bool released = false;          // something can be acquired now, or can when it is written
};

class SharePartition {
 public:
  // As `read` says; where nothing was ever written, from `beginning` on.
  SharePartition(ShareLimits limits, const ShareState& read, LeaderEpoch leader_epoch, Offset beginning);

  Offset start() const { return start_; }
  Offset end() const { return start_ + static_cast<Offset>(window_.size()); }  // the first offset never acquired
  // Where the next acquisition looks: the first record that is available, or end().
  Offset next_fetch() const;
  // Something is available, or the window may grow.
  bool can_acquire() const { return next_fetch() != end() || full() == false; }
  bool full() const { return static_cast<std::int64_t>(window_.size()) >= limits_.record_locks; }

  // Takes for a member what is available in these batches, and what is new. At most `most` records, but batches, of the
  // log and of earlier acquisitions, are not cut for that unless `exactly` (share.acquire.mode, KIP-1206).
  // Requires: read from next_fetch() on, committed.
  std::vector<Acquired> acquire(const std::string& member, const std::vector<Batch>& read, std::int64_t most, Time now, bool exactly = false);

  // All of them or none: one record that is not this member's any more, and all is refused.
  ShareChange acknowledge(const std::string& member, const std::vector<Acknowledgement>& acks, Time now);
  // Gives back all that a member holds: it closed, or its connection did.
  ShareChange release(const std::string& member);
  // A change was written, or never will be.
  void complete(std::uint64_t number, bool written);

  // Locks that have run out. The product goes on without waiting for the write, whose number is therefore 0.
  ShareChange expire(Time now);
  Time next_deadline() const;  // time_max: nothing is locked

  // Records before it are gone from the log.
  void log_starts_at(Offset log_start);

  RecordState state_of(Offset o) const { return at(o).state; }        // Requires: start() <= o < end()
  std::int32_t deliveries_of(Offset o) const { return at(o).deliveries; }
  const std::string& holder_of(Offset o) const { return members_[at(o).member]; }
  std::int64_t count(RecordState s) const;

 private:
  struct Entry {
    RecordState state = RecordState::available;
    std::int32_t deliveries = 0;
    std::uint32_t member = 0;      // in members_; 0 = nobody
    Offset batch = no_offset;      // the first offset of the acquisition that brought it in
    Time deadline = time_max;      // of the lock
    // A change under way: what to go back to if it is not written.
    std::uint64_t change = 0;
    std::uint32_t old_member = 0;
    bool lock_ended = false;       // meanwhile
  };
  const Entry& at(Offset o) const { return window_[static_cast<std::size_t>(o - start_)]; }
  Entry& at(Offset o) { return window_[static_cast<std::size_t>(o - start_)]; }
  std::uint32_t number_of(const std::string& member);
  bool suspicious(Offset first, Offset last) const;
  std::int32_t careful() const { return std::max(2, (limits_.deliveries + 1) / 2); }
  std::int64_t acquire_batch(std::uint32_t member, Offset first, Offset last, std::int64_t room, Time now, std::vector<Acquired>& out);
  void take(Offset o, std::uint32_t member, Time now, std::vector<Acquired>& out);
  bool may_be_made(Offset o) const { return at(o).state == RecordState::available && at(o).change == 0; }
  RecordState after_release(const Entry& e) const { return e.deliveries >= limits_.deliveries ? RecordState::archived : RecordState::available; }
  void begin_change(Offset o, RecordState to, const char* why, ShareChange& c);
  void note(ShareChange& c, Offset o, RecordState s, const char* why) const;
  void roll_back(std::uint64_t number);
  void advance();
  ShareChange new_change();

  ShareLimits limits_;
  std::int32_t state_epoch_;
  LeaderEpoch leader_epoch_;
  Offset start_;
  std::deque<Entry> window_;
  std::vector<std::string> members_{std::string()};
  std::uint64_t next_change_ = 1;
};

}  // namespace mqlab::kafka
