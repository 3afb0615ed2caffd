// Push replication: Raft paper sections 5.3 and 7.
#include "models/raft/internal.h"

namespace mqlab::raft {
namespace {

// One message to one follower: the snapshot where the log no longer reaches back, else entries (perhaps none).
// While probing, `next` stays: only an answer moves it.
void send_append(Raft& self, ReplicaId to, Progress& progress, Outbox& out) {
  const Log& log = self.log();
  if (progress.next < log.start()) {
    progress.probing = true;
    return send(out, to, Kind::install_snapshot, InstallSnapshot{.epoch = self.epoch(), .snapshot = log.snapshot});
  }
  AppendEntries m{.epoch = self.epoch(), .offset = progress.next, .prev_epoch = log.epoch_before(progress.next),
                  .entries = log.slice(progress.next, self.config.entries_max), .commit = self.commit};
  if (!progress.probing) progress.next += static_cast<Offset>(m.entries.size());
  send(out, to, Kind::append_entries, std::move(m));
}

// From a leader of my epoch or a later one: follow it. False: it is deposed.
bool follow(Raft& self, ReplicaId from, Epoch epoch, Random& random, Outbox& out) {
  if (epoch < self.epoch()) return false;
  observe_epoch(self, epoch, from, random, out);
  if (self.role == Role::prospective) become_follower(self, epoch, from, random, out);
  if (self.role != Role::follower) return false;
  self.heard_from_leader = true;
  arm_election(self, random, out);
  return true;
}

AppendReply reply(const Raft& self, bool accepted, Offset match, EpochEnd hint = {}) {
  return {.epoch = self.epoch(), .leader = self.leader, .accepted = accepted, .match = match, .hint = hint};
}

}  // namespace

// To all that are not waiting for an answer about where the logs agree.
void send_appends(Raft& self, Outbox& out) {
  for (auto& [peer, progress] : self.progress) {
    if (!progress.probing) send_append(self, peer, progress, out);
  }
}

// Raft paper figure 2, AppendEntries receiver rules 1 to 5.
void on_append_entries(Raft& self, ReplicaId from, const AppendEntries& m, Random& random, Outbox& out) {
  if (!follow(self, from, m.epoch, random, out)) {
    return send(out, from, Kind::append_reply, reply(self, false, 0));
  }
  const Log& log = self.log();
  const bool reaches = m.offset <= log.end();
  const bool agrees = reaches && (m.offset < log.start() || self.config.variants.append_without_epoch_check ||
                                  log.epoch_before(m.offset) == m.prev_epoch);
  if (!agrees) {
    return send(out, from, Kind::append_reply, reply(self, false, 0, log.end_offset_for_epoch(m.prev_epoch)));
  }
  Offset offset = m.offset;
  for (const Entry& entry : m.entries) {
    if (offset >= log.start()) {  // what the snapshot covers is committed and the same
      // A message from the past must not shorten the log: only an entry of another epoch is a conflict.
      if (offset < log.end() && log.at(offset).epoch != entry.epoch) truncate(self, offset, out);
      if (offset == log.end()) {
        self.durable.log.append(entry);
        log_changed(self, out);
      }
    }
    offset += 1;
  }
  learn_commit(self, std::min(m.commit, offset));
  send(out, from, Kind::append_reply, reply(self, true, offset));
}

// Raft paper section 7. A log that already holds the snapshot's last entry keeps what it has.
void on_install_snapshot(Raft& self, ReplicaId from, const InstallSnapshot& m, Random& random, Outbox& out) {
  if (!follow(self, from, m.epoch, random, out)) {
    return send(out, from, Kind::append_reply, reply(self, false, 0));
  }
  const Log& log = self.log();
  const Offset covered = m.snapshot.offset;
  const bool held = covered < log.start() || (covered <= log.end() && log.epoch_before(covered) == m.snapshot.epoch);
  if (!held) install(self, m.snapshot, out);
  learn_commit(self, covered);
  send(out, from, Kind::append_reply, reply(self, true, covered));
}

void on_append_reply(Raft& self, ReplicaId from, const AppendReply& m, Random& random, Outbox& out) {
  observe_epoch(self, m.epoch, m.leader, random, out);
  if (!self.is_leader() || m.epoch != self.epoch()) return;
  const auto known = self.progress.find(from);
  if (known == self.progress.end()) return;
  Progress& progress = known->second;
  heard_from(self, from, out);

  if (!m.accepted) {
    // Back to where the follower's epoch ends in both logs; always before what was refused. Where my log begins
    // later than that epoch, only the snapshot can tell.
    const Log& log = self.log();
    const Offset mine = m.hint.epoch < log.snapshot.epoch ? log.start() - 1
                                                          : log.end_offset_for_epoch(m.hint.epoch).end_offset;
    progress.next = std::min({progress.next, mine, m.hint.end_offset});
    progress.probing = true;
    return send_append(self, from, progress, out);
  }
  // Where a disk lied, an epoch may have been led before, with more in the log than I have: that confirms nothing of mine.
  progress.match = std::max(progress.match, std::min(m.match, self.log().end()));
  progress.next = std::max(progress.next, progress.match);
  if (progress.probing) {
    progress.probing = false;
    progress.next = progress.match;
  }
  advance_commit(self, out);
  if (progress.next < self.log().end()) send_append(self, from, progress, out);
}

// Also finds out what was lost: a follower refuses a heartbeat that begins after its end, and says where that is.
void on_heartbeat_due(Raft& self, Outbox& out) {
  for (auto& [peer, progress] : self.progress) send_append(self, peer, progress, out);
  if (self.config.heartbeat > 0) arm(self, {Timer::heartbeat, 0}, self.config.heartbeat, out);
}

}  // namespace mqlab::raft
