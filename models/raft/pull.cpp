// Pull replication: KIP-595 "Fetch" and "BeginQuorumEpoch"; KIP-630 for snapshots.
#include "models/raft/internal.h"

namespace mqlab::raft {
namespace {

// KafkaMetadataLog.validateOffsetAndEpoch: does the asker hold a prefix of this log?
enum class Match : std::uint8_t { valid, diverging, snapshot };

Match compare(const Raft& self, const Fetch& m) {
  const Log& log = self.log();
  if (m.offset < log.start()) return Match::snapshot;
  if (self.config.variants.append_without_epoch_check) return m.offset > log.end() ? Match::diverging : Match::valid;
  if (m.last_fetched_epoch < log.snapshot.epoch) return Match::snapshot;
  if (m.offset == log.start() && m.last_fetched_epoch != log.snapshot.epoch) return Match::snapshot;
  const EpochEnd mine = log.end_offset_for_epoch(m.last_fetched_epoch);
  return mine.epoch == m.last_fetched_epoch && m.offset <= mine.end_offset ? Match::valid : Match::diverging;
}

FetchReply reply_to(const Raft& self, const Fetch& m, FetchError error = FetchError::none) {
  return {.epoch = self.epoch(), .leader = self.leader, .error = error, .offset = m.offset,
          .last_fetched_epoch = m.last_fetched_epoch, .high_watermark = self.commit};
}

bool has_news(const Raft& self, const Fetch& m) {
  if (compare(self, m) != Match::valid || m.offset < self.log().end()) return true;
  return self.config.high_watermark_in_fetch && m.high_watermark < self.commit;
}

void answer(const Raft& self, ReplicaId to, const Fetch& m, Outbox& out) {
  FetchReply reply = reply_to(self, m);
  switch (compare(self, m)) {
    case Match::valid: reply.entries = self.log().slice(m.offset, self.config.entries_max); break;
    case Match::diverging: reply.diverging = self.log().end_offset_for_epoch(m.last_fetched_epoch); break;
    case Match::snapshot: reply.snapshot = self.log().snapshot; break;
  }
  send(out, to, Kind::fetch_reply, std::move(reply));
}

// ReplicatedLog.truncateToEndOffset: where the leader's epoch ends in my log, but not after where it ends in his.
Offset truncation_point(const Log& log, const EpochEnd& leaders) {
  const EpochEnd mine = log.end_offset_for_epoch(leaders.epoch);
  return mine.epoch == leaders.epoch ? std::min(mine.end_offset, leaders.end_offset) : mine.end_offset;
}

}  // namespace

// To the leader, or to any voter to learn who leads.
void send_fetch(Raft& self, Random& random, Outbox& out) {
  std::optional<ReplicaId> to = self.leader;
  if (!to) {
    std::vector<ReplicaId> others = self.config.voters;
    std::erase(others, self.config.self);
    if (others.empty()) return;
    to = others[random.below(others.size())];
  }
  send(out, *to, Kind::fetch,
       Fetch{.epoch = self.epoch(), .offset = self.log().end(), .last_fetched_epoch = self.log().last_epoch(),
             .high_watermark = self.commit});
  arm(self, {Timer::request, 0}, self.config.request_timeout, out);
}

void answer_parked(Raft& self, Outbox& out) {
  for (auto it = self.parked.begin(); it != self.parked.end();) {
    if (!has_news(self, it->second)) {
      ++it;
      continue;
    }
    answer(self, it->first, it->second, out);
    cancel(self, {Timer::fetch_wait, it->first}, out);
    it = self.parked.erase(it);
  }
}

void refuse_parked(Raft& self, Outbox& out) {
  for (const auto& [peer, fetch] : self.parked) {
    FetchReply reply = reply_to(self, fetch, FetchError::not_leader);
    if (reply.leader == self.config.self) reply.leader = std::nullopt;
    send(out, peer, Kind::fetch_reply, std::move(reply));
  }
  self.parked.clear();
}

// Sent until every voter has answered or fetched; LeaderState.beginQuorumEpochTimer is half a fetch timeout.
void begin_epoch(Raft& self, Outbox& out) {
  bool all = true;
  for (const ReplicaId voter : self.config.voters) {
    if (voter == self.config.self || self.progress[voter].acknowledged) continue;
    send(out, voter, Kind::begin_epoch, BeginEpoch{.epoch = self.epoch()});
    all = false;
  }
  if (!all) arm(self, {Timer::begin_epoch, 0}, self.config.fetch_timeout / 2, out);
}

void on_begin_epoch(Raft& self, ReplicaId from, const BeginEpoch& m, Random& random, Outbox& out) {
  if (m.epoch >= self.epoch()) {
    observe_epoch(self, m.epoch, from, random, out);
    if (self.role == Role::prospective) become_follower(self, m.epoch, from, random, out);
  }
  send(out, from, Kind::begin_epoch_reply, BeginEpochReply{.epoch = self.epoch(), .leader = self.leader});
}

// A follower asks for entries and thereby acknowledges all it already holds. Both must be in the same epoch before
// an offset means anything, and the offset counts only where the logs agree up to it.
void on_fetch(Raft& self, ReplicaId from, const Fetch& m, Outbox& out) {
  const auto refuse = [&](FetchError error) { send(out, from, Kind::fetch_reply, reply_to(self, m, error)); };
  if (m.epoch < self.epoch()) return refuse(FetchError::fenced_epoch);
  if (m.epoch > self.epoch()) return refuse(FetchError::unknown_epoch);
  if (!self.is_leader()) return refuse(FetchError::not_leader);

  if (self.parked.erase(from) > 0) cancel(self, {Timer::fetch_wait, from}, out);
  heard_from(self, from, out);
  if (compare(self, m) == Match::valid) {
    self.progress[from].match = m.offset;
    advance_commit(self, out);  // counts voters only
  }
  if (has_news(self, m)) return answer(self, from, m, out);
  self.parked[from] = m;
  arm(self, {Timer::fetch_wait, from}, self.config.fetch_wait_max, out);
}

void on_fetch_reply(Raft& self, ReplicaId from, const FetchReply& m, Random& random, Outbox& out) {
  observe_epoch(self, m.epoch, m.leader, random, out);
  const bool mine = m.epoch == self.epoch() && (self.role == Role::follower || self.role == Role::unattached);
  if (m.error != FetchError::none) {
    const bool asked_this_one = !self.leader || *self.leader == from;
    if (mine && asked_this_one) arm(self, {Timer::request, 0}, self.config.retry_backoff, out);
    return;
  }
  if (!mine || self.leader != from) return;
  // An answer to an earlier question: the log has moved on since.
  if (m.offset != self.log().end() || m.last_fetched_epoch != self.log().last_epoch()) return;

  self.heard_from_leader = true;
  arm(self, {Timer::fetch, 0}, self.config.fetch_timeout, out);
  if (m.diverging) {
    truncate(self, truncation_point(self.log(), *m.diverging), out);  // the logs may still differ: no commit yet
  } else if (m.snapshot) {
    install(self, *m.snapshot, out);
  } else {
    for (const Entry& entry : m.entries) self.durable.log.append(entry);
    if (!m.entries.empty()) log_changed(self, out);
    learn_commit(self, m.high_watermark);
  }
  send_fetch(self, random, out);
}

// No good answer for fetch_timeout: a voter tries to replace the leader, an observer looks for another one.
void on_fetch_due(Raft& self, Random& random, Outbox& out) {
  if (self.role != Role::follower) return;
  if (!self.is_voter()) return become_unattached(self, self.epoch(), random, out);
  start_election(self, random, out);
}

void on_fetch_wait_due(Raft& self, ReplicaId peer, Outbox& out) {
  const auto waiting = self.parked.find(peer);
  if (waiting == self.parked.end()) return;
  answer(self, peer, waiting->second, out);
  self.parked.erase(waiting);
}

}  // namespace mqlab::raft
