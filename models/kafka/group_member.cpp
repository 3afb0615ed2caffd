// A member of a group, by the classic protocol: join, sync, heartbeats apart from the application, leaving.
//
// Joining and giving up places happen inside a poll, on the application's thread; heartbeats go on without it, until it
// has not polled for max.poll.interval. Sources: AbstractCoordinator, ConsumerCoordinator (Java client).
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client.h"

namespace mqlab::kafka {
namespace {

bool has(const std::vector<PartitionId>& v, PartitionId p) { return std::find(v.begin(), v.end(), p) != v.end(); }

}  // namespace

void Client::subscribe_call(Context& c, const Call& call) {
  if (!consumes_ || consumer_.group.empty()) return complete(c, call.id, outcome(c, Outcome::fail, Error::invalid_request));
  std::vector<std::int32_t> topics;
  std::string_view rest = call.argument;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const TopicSettings* t = cluster_->topic(rest.substr(0, comma));
    if (!t || t->internal) return complete(c, call.id, outcome(c, Outcome::fail, Error::unknown_topic_or_partition));
    topics.push_back(static_cast<std::int32_t>(t - cluster_->topics.data()));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  group_.topics = std::move(topics);
  group_.subscribed = group_.rejoin = true;
  group_.auto_commit_due = c.now() + consumer_.auto_commit_interval;
  group_.poll_deadline = c.now() + consumer_.max_poll_interval;
  complete(c, call.id, Answer{});
}

void Client::work_group(Context& c) {
  if (consumer_.group.empty()) return;
  if (in_poll(c)) group_.poll_deadline = c.now() + consumer_.max_poll_interval;
  if (group_.subscribed || !commits_.empty() || std::any_of(assigned_.begin(), assigned_.end(), [](const Assigned& a) { return a.wants_committed; }))
    find_coordinator(c);
  if (group_.exits && !group_.leaving && (in_poll(c) || !app() || !group_.subscribed)) {
    commit_by_itself(c, Why::close);
    group_.leaving = true;
  }
  if (group_.leaving) {
    send_commits(c);
    leave_for_good(c);
    return;
  }
  auto_commit(c);
  if (group_.subscribed && group_.fatal == Error::none) {
    if (consumer_.protocol == GroupProtocol::classic) work_classic(c);
    else if (shares()) work_share_member(c);
    else work_consumer_member(c);
  }
  send_commits(c);
  fetch_committed(c);
}

// ---------------------------------------------------------------------------------------------
// The coordinator.

void Client::find_coordinator(Context& c) {
  Membership& g = group_;
  if (g.coordinator != no_broker || g.coordinator_asked) return;
  if (g.coordinator_retry_at > c.now()) {
    wake_at(c, g.coordinator_retry_at);
    return;
  }
  const auto n = static_cast<BrokerId>(cluster_->brokers.size());
  for (BrokerId i = 0; i < n; ++i) {
    const BrokerId b = 1 + (next_broker_ - 1 + i) % n;
    if (!can_connect(c, Purpose::metadata, b)) continue;
    next_broker_ = 1 + b % n;
    g.coordinator_asked = true;
    FindCoordinator m;
    m.group = consumer_.group;
    request(c, Purpose::metadata, b, Kind::find_coordinator, make_payload<FindCoordinator>(std::move(m)), 64, consumer_.request_timeout);
    return;
  }
}

void Client::on_coordinator(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  const auto& reply = payload_as<FindCoordinatorReply>(m.payload);
  group_.coordinator_asked = false;
  if (reply.error == Error::none) {
    group_.coordinator = reply.broker;
    group_.session_deadline = c.now() + consumer_.session_timeout;
  } else {
    group_.coordinator_retry_at = c.now() + consumer_.retry_backoff;
  }
}

void Client::coordinator_lost(Context& c) {
  group_.coordinator = no_broker;
  group_.coordinator_retry_at = c.now() + consumer_.retry_backoff;
  group_.heartbeat_in_flight = false;
  wake_at(c, group_.coordinator_retry_at);
}

bool Client::coordinator_ready(Context& c) { return group_.coordinator != no_broker && can_connect(c, Purpose::group, group_.coordinator); }

// True when the error says that somebody else, or nobody yet, coordinates.
bool Client::coordinator_refused(Context& c, Error e) {
  if (e == Error::not_coordinator || e == Error::coordinator_not_available) coordinator_lost(c);
  return e == Error::not_coordinator || e == Error::coordinator_not_available || e == Error::coordinator_load_in_progress;
}

void Client::group_request(Context& c, Kind k, PayloadRef payload, Duration timeout) {
  request(c, Purpose::group, group_.coordinator, k, std::move(payload), 128, timeout);
}

// A request of the group that will never be answered. True if it was one.
bool Client::group_failed(Context& c, const Request& r) {
  Membership& g = group_;
  switch (r.kind) {
    case Kind::find_coordinator:
      g.coordinator_asked = false;
      g.coordinator_retry_at = c.now() + consumer_.retry_backoff;
      return true;
    case Kind::join_group:
    case Kind::sync_group:
      coordinator_lost(c);
      join_failed(c, Error::network_exception);
      return true;
    case Kind::group_heartbeat: coordinator_lost(c); return true;
    case Kind::consumer_group_heartbeat:
      coordinator_lost(c);
      if (shares()) share_heartbeat_failed(c);
      else consumer_heartbeat_failed(c, r);
      return true;
    case Kind::leave_group: left(c); return true;
    case Kind::offset_commit:
      coordinator_lost(c);
      for (std::size_t i = 0; i < commits_.size(); ++i) {
        if (commits_[i].word != r.word) continue;
        commits_[i].word = 0;
        commits_[i].sent = true;
        if (commits_[i].once) commit_done(c, i, Outcome::info, Error::network_exception);
        else commits_[i].retry_at = c.now() + consumer_.retry_backoff;
        break;
      }
      return true;
    case Kind::offset_fetch:
      coordinator_lost(c);
      for (const PartitionId p : payload_as<OffsetFetch>(r.payload).partitions)
        if (Assigned* a = find_assigned(p)) {
          a->asked_committed = false;
          a->retry_at = c.now() + consumer_.retry_backoff;
        }
      return true;
    default: return false;
  }
}

// ---------------------------------------------------------------------------------------------
// Joining.

void Client::work_classic(Context& c) {
  Membership& g = group_;
  beat(c);
  if (!in_poll(c) || g.state == Membership::State::joining || g.state == Membership::State::syncing) return;
  // The leader watches the topics: other partitions, another assignment.
  if (g.in() && g.member == g.leader && !g.counts.empty() && g.counts != counts_of_topics()) g.rejoin = true;
  if (g.told) {
    if (!g.news.revoked.empty()) return;  // this poll will tell it
    // The application has been told, has done what it wanted, and polls again.
    g.told = false;
    give_up(c, false);
  }
  if (g.in() && !g.rejoin) return;
  if (!prepare_to_join(c)) return;
  if (g.retry_at > c.now()) {
    wake_at(c, g.retry_at);
    return;
  }
  if (coordinator_ready(c)) send_join(c);
}

// ConsumerCoordinator.onJoinPrepare. False: not yet.
bool Client::prepare_to_join(Context& c) {
  Membership& g = group_;
  if (g.prepared) return true;
  if (g.lost || g.generation < 0) {
    // Out of the group already: what it had is not its own any more, and nothing can be committed for it.
    if (!assigned_.empty()) give_up(c, true);
    g.lost = g.commits = g.commit_again = false;
    g.prepared = true;
    return g.news.lost.empty();
  }
  // KAFKA-14196: nothing is handed out of them while the commit is under way, or the next owner would read it again.
  if (!cooperative())
    for (Assigned& a : assigned_) a.revoking = true;
  if (!commit_before_giving_up(c)) return false;
  if (!cooperative() && !assigned_.empty()) {
    for (const Assigned& a : assigned_) g.news.revoked.push_back(a.place);
    g.told = true;
    g.prepared = true;
    return false;
  }
  g.prepared = true;
  return true;
}

// What automatic commits have to say before a rebalance, again while the coordinator is away. False: not yet.
bool Client::commit_before_giving_up(Context& c) {
  Membership& g = group_;
  if (!g.commits) {
    g.commits = true;
    g.commit_until = c.now() + consumer_.max_poll_interval;
    g.last_commit = commit_by_itself(c, Why::rebalance);
    send_commits(c);
  }
  if (!committed(g.last_commit)) return false;
  if (g.commit_again) {
    // The coordinator was away: once more, with what has been handed out by now. Repeating the old commit beside newer
    // ones would take the position back.
    if (g.retry_at > c.now()) {
      wake_at(c, g.retry_at);
      return false;
    }
    g.commit_again = false;
    if (c.now() < g.commit_until) {
      g.last_commit = commit_by_itself(c, Why::rebalance);
      send_commits(c);
      if (!committed(g.last_commit)) return false;
    }
  }
  g.commits = false;
  return true;
}

// Places leave this consumer: those it was told to give up, or all at once when it was put out.
void Client::give_up(Context& c, bool lost) {
  std::vector<PartitionId> gone;
  for (const Assigned& a : assigned_)
    if (lost || a.revoking) gone.push_back(a.partition);
  for (const PartitionId p : gone) {
    if (lost) group_.news.lost.push_back(find_assigned(p)->place);
    drop_assignment(c, p);
  }
}

void Client::drop_assignment(Context& c, PartitionId p) {
  const auto it = std::find_if(assigned_.begin(), assigned_.end(), [&](const Assigned& a) { return a.partition == p; });
  if (it == assigned_.end()) return;
  if (!it->wants_committed && !shares()) record_assignment(c, it->place, false, it->position, it->of_group ? 0 : op_flag::assigned);
  assigned_.erase(it);
  std::erase_if(buffer_, [&](const BufferedRecord& r) { return r.partition == p; });
  std::erase_if(group_.auto_committed, [&](const CommittedOffset& o) { return o.partition == p; });
  std::erase_if(stored_, [&](const CommittedOffset& o) { return o.partition == p; });
}

std::vector<std::int32_t> Client::counts_of_topics() const {
  std::vector<std::int32_t> out;
  for (const std::int32_t t : group_.topics) out.push_back(partition_count(cluster_->topics[static_cast<std::size_t>(t)]));
  return out;
}

void Client::send_join(Context& c) {
  Membership& g = group_;
  JoinGroup m;
  m.group = consumer_.group;
  m.member = g.member;
  m.instance = consumer_.instance;
  m.session_timeout = consumer_.session_timeout;
  m.rebalance_timeout = consumer_.max_poll_interval;
  m.protocols = consumer_.assignors;
  m.topics = g.topics;
  // Sticky tells of its last assignment, the cooperative one of what it has now (userData, ownedPartitions).
  if (cooperative())
    for (const Assigned& a : assigned_) m.owned.push_back(a.partition);
  else m.owned = g.last_assigned;
  m.owned_generation = g.generation;
  g.state = Membership::State::joining;
  c.mark("group_join", consumer_.group, fmt::format("{} joins{}", g.member.empty() ? "a new member" : g.member, g.generation < 0 ? "" : fmt::format(", generation {} ends", g.generation)));
  // The coordinator answers when all have come: this may take as long as the slowest member may (JOIN_GROUP_TIMEOUT_LAPSE).
  group_request(c, Kind::join_group, make_payload<JoinGroup>(std::move(m)), std::max(consumer_.request_timeout, consumer_.max_poll_interval + 5'000'000'000));
}

void Client::on_join_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  Membership& g = group_;
  if (g.state != Membership::State::joining) return;
  const auto& reply = payload_as<JoinGroupReply>(m.payload);
  if (reply.error != Error::none) {
    if (reply.error == Error::member_id_required) g.member = reply.member;
    return join_failed(c, reply.error);
  }
  g.member = reply.member;
  g.generation = reply.generation;
  g.protocol = reply.protocol;
  g.leader = reply.leader;
  // A commit that was refused meanwhile has shown that another coordinates (AbstractCoordinator.sendSyncGroupRequest).
  if (g.coordinator == no_broker) return join_failed(c, Error::coordinator_not_available);
  g.state = Membership::State::syncing;
  g.session_deadline = c.now() + consumer_.session_timeout;
  SyncGroup sync;
  sync.group = consumer_.group;
  sync.generation = g.generation;
  sync.member = g.member;
  sync.instance = consumer_.instance;
  g.counts.clear();
  if (g.member == g.leader) {
    g.counts = counts_of_topics();
    if (!reply.skip_assignment) {
      std::vector<std::int32_t> topics;
      for (const MemberSubscription& s : reply.members) topics.insert(topics.end(), s.topics.begin(), s.topics.end());
      std::sort(topics.begin(), topics.end());
      topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
      std::vector<TopicPartitions> partitions;
      for (const std::int32_t t : topics) {
        const TopicSettings& s = cluster_->topics[static_cast<std::size_t>(t)];
        partitions.push_back({t, s.name, s.first, partition_count(s)});
      }
      sync.assignments = assign(client_assignor_named(g.protocol).value_or(AssignorKind::range), reply.members, partitions);
    }
  }
  group_request(c, Kind::sync_group, make_payload<SyncGroup>(std::move(sync)), consumer_.request_timeout);
}

void Client::on_sync_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  Membership& g = group_;
  if (g.state != Membership::State::syncing) return;
  const auto& reply = payload_as<SyncGroupReply>(m.payload);
  if (reply.error != Error::none) return join_failed(c, reply.error);
  g.state = Membership::State::member;
  g.rejoin = g.prepared = false;
  g.attempts = 0;
  g.heartbeat_due = c.now() + consumer_.group_heartbeat;
  g.session_deadline = c.now() + consumer_.session_timeout;
  g.auto_commit_due = c.now() + consumer_.auto_commit_interval;
  c.mark("group_joined", consumer_.group, fmt::format("{} is in generation {} with {} partition{}", g.member, g.generation, reply.assigned.size(), reply.assigned.size() == 1 ? "" : "s"));
  take_assignment(c, reply.assigned);
}

// Another attempt: soon, later, under another name, or never.
void Client::join_failed(Context& c, Error e) {
  Membership& g = group_;
  g.state = Membership::State::outside;
  g.rejoin = true;
  switch (e) {
    case Error::member_id_required:
    case Error::rebalance_in_progress: return;  // at once
    case Error::unknown_member_id:
    case Error::illegal_generation:
      // At once too, and whatever it still had is lost (resetStateAndRejoin, joinGroupIfNeeded). An id that the
      // coordinator knows is kept, or its owner would have to be waited for.
      if (e == Error::unknown_member_id) g.member.clear();
      g.generation = -1;
      g.prepared = false;
      return;
    case Error::fenced_instance_id:
    case Error::inconsistent_group_protocol:
      g.fatal = e;
      g.generation = -1;
      return;
    default: coordinator_refused(c, e); break;
  }
  g.retry_at = c.now() + retry_backoff(c, ++g.attempts, consumer_.retry_backoff, consumer_.retry_backoff_max);
}

// ConsumerCoordinator.onJoinComplete. In the eager protocol nothing is owned here; in the cooperative one the rest is
// kept, and what is gone is given up first, after which the group is joined once more.
void Client::take_assignment(Context& c, std::vector<PartitionId> assigned) {
  if (shares()) return share_assignment(c, assigned);
  Membership& g = group_;
  g.last_assigned = assigned;
  for (Assigned& a : assigned_)
    if (!has(assigned, a.partition)) {
      a.revoking = true;
      g.news.revoked.push_back(a.place);
    }
  if (!g.news.revoked.empty()) g.told = g.rejoin = true;
  for (const PartitionId p : assigned) {
    if (find_assigned(p)) continue;
    Assigned a;
    a.partition = p;
    a.place = c.names().id(place(p));
    a.reset = consumer_.reset;
    a.of_group = a.wants_committed = true;
    g.news.assigned.push_back(a.place);
    assigned_.push_back(a);
  }
  if (std::any_of(assigned.begin(), assigned.end(), [&](PartitionId p) { return leader_of(p) == no_broker; })) want_metadata(c);
}

// ---------------------------------------------------------------------------------------------
// Life signs, on a thread of their own.

void Client::beat(Context& c) {
  Membership& g = group_;
  if (!g.in()) return;
  if (!in_poll(c) && g.poll_deadline <= c.now()) {
    // AbstractCoordinator.maybeLeaveGroup: the application is stuck. It may still be working on what it has.
    c.mark("max_poll_interval_exceeded", consumer_.group, fmt::format("{} has not polled for too long and leaves", g.member));
    if (consumer_.instance.empty() && coordinator_ready(c)) {
      LeaveGroup m;
      m.group = consumer_.group;
      m.member = g.member;
      group_request(c, Kind::leave_group, make_payload<LeaveGroup>(std::move(m)), consumer_.request_timeout);
    }
    g.member.clear();
    g.generation = -1;
    g.state = Membership::State::outside;
    g.rejoin = g.lost = true;
    return;
  }
  wake_at(c, g.poll_deadline);
  if (g.session_deadline <= c.now()) {
    coordinator_lost(c);
    g.session_deadline = c.now() + consumer_.session_timeout;
  }
  wake_at(c, g.session_deadline);
  if (g.heartbeat_in_flight) return;
  if (g.heartbeat_due > c.now()) {
    wake_at(c, g.heartbeat_due);
    return;
  }
  if (!coordinator_ready(c)) return;
  GroupHeartbeat m;
  m.group = consumer_.group;
  m.generation = g.generation;
  m.member = g.member;
  m.instance = consumer_.instance;
  g.heartbeat_in_flight = true;
  g.heartbeat_due = c.now() + consumer_.group_heartbeat;
  group_request(c, Kind::group_heartbeat, make_payload<GroupHeartbeat>(std::move(m)), std::min(consumer_.request_timeout, consumer_.session_timeout));
}

void Client::on_group_heartbeat_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  Membership& g = group_;
  g.heartbeat_in_flight = false;
  const auto& sent = payload_as<GroupHeartbeat>(r.payload);
  const Error e = payload_as<GroupHeartbeatReply>(m.payload).error;
  if (e == Error::none) g.session_deadline = c.now() + consumer_.session_timeout;
  else if (e == Error::rebalance_in_progress) {
    g.session_deadline = c.now() + consumer_.session_timeout;
    if (g.in()) g.rejoin = true;
  } else if (!coordinator_refused(c, e) && sent.generation == g.generation && sent.member == g.member) {
    put_out(c, e);
  }
}

// The coordinator does not know this member, or not in this generation.
void Client::put_out(Context& c, Error why) {
  Membership& g = group_;
  if (g.lost || !g.subscribed) return;
  if (consumer_.protocol != GroupProtocol::classic) return;  // its next heartbeat will learn of it
  c.mark("member_put_out", consumer_.group, fmt::format("{}: {}", g.member, name(why)));
  if (why == Error::fenced_instance_id) g.fatal = why;
  if (why != Error::illegal_generation) g.member.clear();
  g.generation = -1;
  g.state = Membership::State::outside;
  g.rejoin = g.lost = true;
  // A join may be under way that was prepared as a member: what it meant to keep is lost too (resetStateAndRejoin).
  g.prepared = false;
}

// ---------------------------------------------------------------------------------------------
// The end: commit, leave, and only then stop (ConsumerCoordinator.close).

void Client::leave_for_good(Context& c) {
  Membership& g = group_;
  if (share_closing()) return;
  if (!g.leave_sent && !commits_.empty() && g.session_deadline > c.now()) {
    wake_at(c, g.session_deadline);
    return;
  }
  if (g.leave_sent) return;
  g.leave_sent = true;
  // A static member keeps its place, for it means to come back (KIP-345).
  const bool classic = consumer_.protocol == GroupProtocol::classic;
  const bool says_so = g.subscribed && (classic ? consumer_.instance.empty() && !g.member.empty() && g.state != Membership::State::outside : shares() ? g.in() : g.state != Membership::State::outside);
  g.state = Membership::State::outside;
  if (!says_so || !coordinator_ready(c)) return left(c);
  if (consumer_.protocol == GroupProtocol::classic) {
    LeaveGroup m;
    m.group = consumer_.group;
    m.member = g.member;
    group_request(c, Kind::leave_group, make_payload<LeaveGroup>(std::move(m)), consumer_.request_timeout);
  } else {
    ConsumerGroupHeartbeat m;
    m.group = consumer_.group;
    m.share = consumer_.protocol == GroupProtocol::share;
    m.member = g.member;
    m.instance = consumer_.instance;
    m.epoch = shares() || consumer_.instance.empty() ? leave_epoch : leave_for_a_while_epoch;  // a share group knows no static members
    group_request(c, Kind::consumer_group_heartbeat, make_payload<ConsumerGroupHeartbeat>(std::move(m)), consumer_.request_timeout);
  }
}

void Client::left(Context& c) {
  Membership& g = group_;
  if (!g.leaving) return;
  const CallId call = g.close_call;
  const bool exits = g.exits;
  while (!assigned_.empty()) drop_assignment(c, assigned_.back().partition);
  const BrokerId coordinator = g.coordinator;
  g = Membership{};
  g.coordinator = coordinator;
  if (call != 0) complete(c, call, Answer{});
  if (exits) c.exit();
}

}  // namespace mqlab::kafka
