// models/raft/raft.h: one replica of a Raft group, as a pure state machine.
//
// A message or a timer that is due goes in; the state changes and an Outbox says what the host has to do. It
// knows no network, no disk, no clock. The one rule of the host: carry out an Outbox in this order, and hand
// in nothing else before it is done:
//   1. put on disk what sync_vote and sync_log name (the durable part as it now is);
//   2. set and cancel the timers, in order; a timer set again replaces the earlier one;
//   3. let the sends leave; act on commit_offset().
// After a crash, start() again with the Durable that had reached the disk; all else is lost.
//
// Always true: commit_offset() never falls while the replica runs (unless a variant breaks a rule, which
// truncated_committed then tells); log.start() <= commit_offset() <= log.end(); at most one leader an epoch.
// Elsewhere: the log (log.h), messages (messages.h), options and broken rules (config.h), the promises that
// must hold over all replicas (properties.h), text (describe.h).
//
//     Outbox out;
//     Raft raft = start(config, durable, random, out);
//     on_message(raft, from, kind, payload, random, out);
//     if (auto offset = propose(raft, command, out)) waiting[*offset] = ...;
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "models/raft/config.h"
#include "models/raft/messages.h"
#include "sim/kernel/random.h"

namespace mqlab::raft {

// What survives a crash, as far as it was synced.
struct Durable {
  Epoch epoch{};
  std::optional<ReplicaId> voted_for{};  // in `epoch`
  Log log{};

  bool operator==(const Durable&) const = default;
};

enum class Role : std::uint8_t {
  unattached,   // knows no leader of its epoch (it may have voted)
  follower,
  prospective,  // asks for pre-votes
  candidate,
  leader,
  resigned,     // was leader of this epoch and no longer is
};

std::string_view name(Role role);

enum class Timer : std::uint8_t {
  election,      // nobody leads: try it yourself
  fetch,         // pull follower: no good answer from the leader for too long
  request,       // pull: send the Fetch (again)
  fetch_wait,    // pull leader, for each peer: answer its parked Fetch though there is no news
  begin_epoch,   // pull leader: tell voters that have not fetched
  heartbeat,     // push leader
  check_quorum,  // leader: a majority has been silent
};

std::string_view name(Timer timer);

struct TimerKey {
  Timer timer{};
  ReplicaId peer{};  // of fetch_wait; elsewhere 0

  auto operator<=>(const TimerKey&) const = default;
};

struct Send {
  ReplicaId to{};
  Kind kind{};
  PayloadRef payload{};
};

struct TimerChange {
  TimerKey key{};
  std::optional<Duration> delay{};  // absent: cancelled
};

struct RoleChange {
  Role before{};
  Role after{};
  Epoch epoch{};
};

struct Outbox {
  bool sync_vote{};  // durable.epoch and durable.voted_for must reach the disk before anything else
  bool sync_log{};   // so must durable.log; with parallel_write, of a leader before all but AppendEntries and InstallSnapshot
  std::vector<TimerChange> timers{};
  std::vector<Send> sends{};
  std::vector<RoleChange> role_changes{};

  bool sync_needed() const { return sync_vote || sync_log; }
};

// What a leader knows of another replica.
struct Progress {
  Offset match{};      // it holds the leader's log up to here
  Offset next{};       // push: what to send next
  bool probing{};      // push: the place where the logs agree is not found yet; one message at a time
  bool acknowledged{}; // it has answered this leader
  bool heard{};        // since check-quorum last began to count

  bool operator==(const Progress&) const = default;
};

struct Raft {
  Config config{};
  Durable durable{};

  // All below is lost in a crash.
  Role role = Role::unattached;
  std::optional<ReplicaId> leader{};  // of durable.epoch, where known
  bool heard_from_leader{};           // it answered us in this epoch: reason enough to refuse a pre-vote
  Offset commit{};
  Offset written{};                   // parallel_write: the own disk has the log up to here
  Offset writing{};                   // ... and up to here, when the write under way has ended
  bool truncated_committed{};         // a leader made us remove committed entries: some rule was broken
  std::vector<TimerKey> armed{};
  std::vector<ReplicaId> granted{};
  std::vector<ReplicaId> rejected{};
  bool backing_off{};                 // candidate: lost, and waiting to try again
  int elections_lost{};

  // Leader only.
  Offset epoch_start{};               // of its leader-change entry
  std::map<ReplicaId, Progress> progress{};
  std::map<ReplicaId, Fetch> parked{};

  bool is_voter() const;
  bool is_leader() const { return role == Role::leader; }
  Epoch epoch() const { return durable.epoch; }
  const Log& log() const { return durable.log; }

  // Entries before this are committed. A host that has applied less than log().start() loads the snapshot first.
  Offset commit_offset() const { return commit; }
};

// A replica comes up with what its disk held: the first time with nothing.
Raft start(const Config& config, const Durable& on_disk, Random& random, Outbox& out);

void on_message(Raft& self, ReplicaId from, Kind kind, const PayloadRef& payload, Random& random, Outbox& out);

// A timer set by an earlier Outbox is due.
void on_timer(Raft& self, TimerKey key, Random& random, Outbox& out);

// The offset that `command` gets, if self leads; it is committed when commit_offset() passes it while the
// entry's epoch is still the one it was proposed in.
std::optional<Offset> propose(Raft& self, PayloadRef command, Outbox& out);

// The same for several that are to travel together; the offset of the first. Requires: not empty.
std::optional<Offset> propose(Raft& self, std::span<const PayloadRef> commands, Outbox& out);

// A leader steps down on purpose, for a graceful stop. No effect on others.
void resign(Raft& self, Random& random, Outbox& out);

// parallel_write: the host begins to put the log on disk as it now is; it has done so. One at a time.
void write_begins(Raft& self);
void write_ended(Raft& self, Outbox& out);

// The connection to `peer` broke: what was asked of it will not be answered.
void on_disconnect(Raft& self, ReplicaId peer, Outbox& out);

// The host's failure detector believes `peer` to be down (Ra relies on this instead of on heartbeats).
void on_suspect(Raft& self, ReplicaId peer, Random& random, Outbox& out);

// The host's state machine has written `state`, which holds all entries before `offset`.
// Requires: offset <= commit_offset(). Does nothing where the log already begins later.
void compact(Raft& self, Offset offset, PayloadRef state, Outbox& out);

}  // namespace mqlab::raft
