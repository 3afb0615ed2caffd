// Positions: committed by hand or by the library, and asked for when a place is given.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/kafka/client.h"

namespace mqlab::kafka {

// All that polls have returned so far (SubscriptionState.allConsumed).
std::vector<CommittedOffset> Client::consumed() const {
  std::vector<CommittedOffset> out;
  for (const Assigned& a : assigned_)
    if (a.position != no_offset && !a.wants_committed && !a.failed) out.push_back({a.partition, a.position, a.position_epoch, {}});
  return out;
}

// c:commit(): all places; c:commit("orders/0"): one, as far as it was read; c:commit("orders/0", 17): by hand.
void Client::commit_call(Context& c, const Call& call) {
  if (consumer_.group.empty()) return complete(c, call.id, outcome(c, Outcome::fail, Error::invalid_request));
  if (shares()) return share_commit_call(c, call);
  std::vector<CommittedOffset> offsets;
  if (call.place == 0) {
    offsets = consumed();
  } else {
    PartitionId p = 0;
    if (!cluster_->partition(c.names().text(call.place), p)) return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
    const Assigned* a = find_assigned(p);
    const Offset position = call.position >= 0 ? call.position : a ? a->position : no_offset;
    if (position == no_offset) return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
    offsets.push_back({p, position, a ? a->position_epoch : no_leader_epoch, {}});
  }
  if (offsets.empty()) return complete(c, call.id, Answer{});
  queue_commit(c, call.id, call.once, consumer_.api_timeout, std::move(offsets));
}

std::uint64_t Client::queue_commit(Context& c, CallId call, bool once, Duration timeout, std::vector<CommittedOffset> offsets) {
  PendingCommit commit;
  commit.number = next_commit_++;
  commit.call = call;
  commit.once = once;
  commit.deadline = c.now() + timeout;
  for (CommittedOffset& o : offsets) {
    const OpIndex row = record_commit(c, c.names().id(place(o.partition)), o.offset);
    commit.parts.push_back({std::move(o), row});
  }
  commits_.push_back(std::move(commit));
  return commits_.back().number;
}

bool Client::committed(std::uint64_t number) const {
  return std::none_of(commits_.begin(), commits_.end(), [&](const PendingCommit& p) { return p.number == number; });
}

// Java: due inside a poll only, so that what is committed was handled before that poll. librdkafka: whenever it is due,
// and what was handed out counts as handled (INTRODUCTION.md, "At-least-once processing").
void Client::auto_commit(Context& c) {
  Membership& g = group_;
  if (consumer_.auto_commit == AutoCommit::off || assigned_.empty()) return;
  if (g.subscribed && (!g.in() || g.commits)) return;
  if (g.auto_commit_due > c.now()) {
    wake_at(c, g.auto_commit_due);
    return;
  }
  if (consumer_.auto_commit == AutoCommit::java && !in_poll(c)) return;
  g.auto_commit_due = c.now() + consumer_.auto_commit_interval;
  wake_at(c, g.auto_commit_due);
  commit_by_itself(c, Why::time);
}

// Queues what automatic commits would commit now; the commit's number, 0 if there is nothing to commit. At the end it is
// repeated when it fails for a while (maybeAutoCommitOffsetsSync); before a rebalance a new one is made then (onJoinPrepare).
std::uint64_t Client::commit_by_itself(Context& c, Why why) {
  Membership& g = group_;
  if (consumer_.auto_commit == AutoCommit::off) return 0;
  std::vector<CommittedOffset> offsets = consumer_.auto_commit == AutoCommit::librdkafka && !consumer_.auto_offset_store ? stored_ : consumed();
  if (consumer_.auto_commit == AutoCommit::librdkafka) {
    // It never commits a lower offset than the last, nor the same one twice.
    std::erase_if(offsets, [&](const CommittedOffset& o) {
      return !find_assigned(o.partition) || std::any_of(g.auto_committed.begin(), g.auto_committed.end(), [&](const CommittedOffset& b) { return b.partition == o.partition && o.offset <= b.offset; });
    });
    for (const CommittedOffset& o : offsets) {
      std::erase_if(g.auto_committed, [&](const CommittedOffset& b) { return b.partition == o.partition; });
      g.auto_committed.push_back(o);
    }
  }
  const Duration timeout = why == Why::rebalance ? consumer_.max_poll_interval : consumer_.api_timeout;
  return offsets.empty() ? 0 : queue_commit(c, 0, why != Why::close, timeout, std::move(offsets));
}

// What was not committed is tried again: soon, if the coordinator was away (autoCommitOffsetsAsync), else when it is time.
void Client::own_commit_failed(Context& c, const PendingCommit& commit, Error e) {
  for (const PendingCommit::Part& part : commit.parts)
    std::erase_if(group_.auto_committed, [&](const CommittedOffset& o) { return o.partition == part.offset.partition && o.offset == part.offset.offset; });
  const bool away = e == Error::coordinator_load_in_progress || e == Error::coordinator_not_available || e == Error::not_coordinator || e == Error::network_exception;
  // KIP-848: the member's epoch has moved on, and with the next heartbeat it knows the new one. Only the commit before a
  // partition is given up is made anew for that (CommitRequestManager.maybeAutoCommitSyncBeforeRebalance); an
  // application's own fails (commitSyncExceptionForError), and one of the timer's waits for its next time.
  const bool stale = e == Error::stale_member_epoch && group_.in();
  if (commit.number == group_.last_commit && group_.commits && (away || stale)) {
    group_.commit_again = true;
    group_.retry_at = c.now() + consumer_.retry_backoff;
    return;
  }
  if (commit.once && away) group_.auto_commit_due = std::min(group_.auto_commit_due, c.now() + consumer_.retry_backoff);
}

void Client::store_offset_call(Context& c, const Call& call) {
  const std::size_t space = call.argument.rfind(' ');
  PartitionId p = 0;
  if (space == std::string::npos || !cluster_->partition(call.argument.substr(0, space), p) || !find_assigned(p))
    return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
  Offset offset = 0;
  for (const char ch : call.argument.substr(space + 1)) {
    if (ch < '0' || ch > '9' || offset > 1'000'000'000'000) return complete(c, call.id, outcome(c, Outcome::fail, Error::invalid_request));
    offset = offset * 10 + (ch - '0');
  }
  std::erase_if(stored_, [&](const CommittedOffset& o) { return o.partition == p; });
  stored_.push_back({p, offset, find_assigned(p)->position_epoch, {}});
  complete(c, call.id, Answer{});
}

void Client::send_commits(Context& c) {
  for (std::size_t i = 0; i < commits_.size();) {
    PendingCommit& commit = commits_[i];
    if (commit.word != 0) {
      ++i;
      continue;
    }
    if (commit.deadline <= c.now()) {
      commit_done(c, i, commit.sent ? Outcome::info : Outcome::fail, Error::request_timed_out);
      continue;
    }
    if (commit.retry_at > c.now()) {
      wake_at(c, commit.retry_at);
      ++i;
      continue;
    }
    if (!coordinator_ready(c)) {
      wake_at(c, commit.deadline);
      return;
    }
    OffsetCommit m;
    m.group = consumer_.group;
    if (group_.subscribed) {
      m.member = group_.member;
      m.generation = group_.generation;
      m.instance = consumer_.instance;
      // Out of the group, or on the way into its next generation: the library does not even ask
      // (AbstractCoordinator.generationIfStable). A member by KIP-848 does, without an epoch (CommitRequestManager): that
      // is taken if nobody is in the group any more.
      const bool classic = consumer_.protocol == GroupProtocol::classic;
      const bool joins = classic && !group_.in() && (m.generation >= 0 || group_.state != Membership::State::outside);
      if (joins || (classic && m.generation < 0)) {
        commit_done(c, i, Outcome::fail, joins ? Error::rebalance_in_progress : Error::commit_failed);
        continue;
      }
    }
    for (const PendingCommit::Part& part : commit.parts) m.offsets.push_back(part.offset);
    commit.word = next_word_;
    group_request(c, Kind::offset_commit, make_payload<OffsetCommit>(std::move(m)), consumer_.request_timeout);
    ++i;
  }
}

void Client::commit_done(Context& c, std::size_t i, Outcome o, Error e) {
  const PendingCommit commit = std::move(commits_[i]);
  commits_.erase(commits_.begin() + static_cast<std::ptrdiff_t>(i));
  for (const PendingCommit::Part& part : commit.parts)
    record_commit_end(c, part.row, c.names().id(place(part.offset.partition)), part.offset.offset, o, e == Error::none ? 0 : c.names().id(name(e)));
  if (commit.call == 0 && e != Error::none) own_commit_failed(c, commit, e);
  if (commit.call == 0) return;
  Answer a = outcome(c, o, e);
  if (commit.parts.size() == 1) a.position = commit.parts.front().offset.offset;
  complete(c, commit.call, std::move(a));
}

void Client::on_commit_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  const Error e = payload_as<OffsetCommitReply>(m.payload).error;
  const auto it = std::find_if(commits_.begin(), commits_.end(), [&](const PendingCommit& p) { return p.word == r.word; });
  if (it == commits_.end()) return;
  const auto i = static_cast<std::size_t>(it - commits_.begin());
  it->word = 0;
  switch (e) {
    case Error::none: return commit_done(c, i, Outcome::ok, e);
    case Error::coordinator_load_in_progress:
    case Error::coordinator_not_available:
    case Error::not_coordinator:
      coordinator_refused(c, e);
      // Refused while it loads is refused; else the record may be in the log already.
      it->sent |= e != Error::coordinator_load_in_progress;
      if (it->once) return commit_done(c, i, it->sent ? Outcome::info : Outcome::fail, e);
      it->retry_at = c.now() + consumer_.retry_backoff;
      return;
    case Error::rebalance_in_progress:
      if (group_.in()) group_.rejoin = true;
      return commit_done(c, i, Outcome::fail, e);
    default: {
      const bool same = payload_as<OffsetCommit>(r.payload).generation == group_.generation;
      commit_done(c, i, Outcome::fail, e);
      if (same && (e == Error::unknown_member_id || e == Error::illegal_generation || e == Error::fenced_instance_id)) put_out(c, e);
      return;
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Where the group stands.

void Client::fetch_committed(Context& c) {
  OffsetFetch m;
  for (const Assigned& a : assigned_) {
    if (!a.wants_committed || a.asked_committed) continue;
    if (a.retry_at > c.now()) wake_at(c, a.retry_at);
    else m.partitions.push_back(a.partition);
  }
  if (m.partitions.empty() || !coordinator_ready(c)) return;
  for (const PartitionId p : m.partitions) find_assigned(p)->asked_committed = true;
  m.group = consumer_.group;
  m.require_stable = consumer_.require_stable;
  if (group_.subscribed && consumer_.protocol == GroupProtocol::consumer) {
    m.member = group_.member;
    m.member_epoch = group_.generation;
  }
  group_request(c, Kind::offset_fetch, make_payload<OffsetFetch>(std::move(m)), consumer_.request_timeout);
}

void Client::on_offset_fetch_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  const auto& reply = payload_as<OffsetFetchReply>(m.payload);
  for (const PartitionId p : payload_as<OffsetFetch>(r.payload).partitions)
    if (Assigned* a = find_assigned(p)) {
      a->asked_committed = false;
      if (reply.error != Error::none) a->retry_at = c.now() + consumer_.retry_backoff;
    }
  if (reply.error != Error::none) {
    coordinator_refused(c, reply.error);
    return;
  }
  for (const CommittedOffset& o : reply.offsets) {
    Assigned* a = find_assigned(o.partition);
    if (!a || !a->wants_committed) continue;
    a->wants_committed = false;
    a->position = o.offset;
    a->position_epoch = o.offset == no_offset ? no_leader_epoch : o.leader_epoch;
    a->validated = no_leader_epoch;
    // Whoever committed knew a later leader than this member does: nobody is asked until metadata tells of that one
    // (initWithCommittedOffsetsIfNeeded: Metadata.updateLastSeenEpochIfNewer).
    if (PartitionMetadata& known = metadata_[o.partition]; consumer_.position_validation && known.exists && o.leader_epoch > known.leader_epoch) {
      known.leader_epoch = o.leader_epoch;
      known.leader = no_broker;
      want_metadata(c);
    }
    if (!std::exchange(a->sought, false)) record_assignment(c, a->place, true, o.offset, a->of_group ? 0 : op_flag::assigned);
  }
}

}  // namespace mqlab::kafka
