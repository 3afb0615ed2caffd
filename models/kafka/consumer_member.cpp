// A member of a group by KIP-848: heartbeats in the background carry everything; the application's thread takes places up
// and gives them up, inside polls.
//
// Told of a new assignment, the member commits (if it does so by itself), tells the application what goes, gives it up
// when the application polls again, takes what comes, and says so in a heartbeat of its own. Partitions that stay are
// read on all the while. A member that is put out has lost all, and joins anew under its old id when the application
// knows it. Sources: AbstractMembershipManager, ConsumerMembershipManager, AbstractHeartbeatRequestManager,
// ConsumerHeartbeatRequestManager (Java client 4.3.1).
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client.h"

namespace mqlab::kafka {

void Client::work_consumer_member(Context& c) {
  Membership& g = group_;
  ConsumerMember& k = g.consumer;
  if (in_poll(c)) k.waits_for_poll = false;
  // While no coordinator is known, nobody can be told (AbstractHeartbeatRequestManager.poll).
  if (g.state != Membership::State::outside && !in_poll(c) && g.poll_deadline <= c.now() && g.coordinator != no_broker) leave_for_lack_of_polls(c);
  if (g.lost && in_poll(c)) {
    give_up(c, true);
    g.lost = false;
  }
  if (g.state == Membership::State::outside) {
    if (g.lost || k.waits_for_poll) return;
    if (g.member.empty()) g.member = fmt::format("{}-{:08x}", c.name(c.self()), c.random().next() >> 32);
    g.state = Membership::State::joining;
    c.mark("group_join", consumer_.group, fmt::format("{} joins", g.member));
  }
  if (!in_poll(c) && g.poll_deadline > c.now()) wake_at(c, g.poll_deadline);
  reconcile_member(c);
  send_consumer_heartbeat(c);
}

// ---------------------------------------------------------------------------------------------
// From what it has to what it was told (maybeReconcile, revokeAndAssign). A newer target waits until this one is reached.

void Client::reconcile_member(Context& c) {
  using Step = ConsumerMember::Step;
  Membership& g = group_;
  ConsumerMember& k = g.consumer;
  if (!g.in()) return;
  if (k.step == Step::none) {
    if (!in_poll(c) || k.target == k.current || k.acknowledges) return;
    k.under_way = k.target;
    k.step = Step::commits;
    for (Assigned& a : assigned_) a.revoking = std::find(k.under_way.partitions.begin(), k.under_way.partitions.end(), a.partition) == k.under_way.partitions.end();
  }
  if (k.step == Step::commits) {
    if (!commit_before_giving_up(c)) return;
    k.step = Step::committed;
  }
  if (!in_poll(c)) return;
  if (k.step == Step::committed) {
    k.step = Step::gives_up;
    for (const Assigned& a : assigned_)
      if (a.revoking) g.news.revoked.push_back(a.place);
    if (!g.news.revoked.empty()) return;  // the application is told by this poll's answer, and does what it wants
  }
  give_up(c, false);
  take_assignment(c, k.under_way.partitions);
  k.current = k.under_way;
  k.step = Step::none;
  k.acknowledges = true;
  g.rejoin = k.target != k.current;
  g.auto_commit_due = c.now() + consumer_.auto_commit_interval;
}

// ---------------------------------------------------------------------------------------------
// Heartbeats. What has not changed since the last one that was heard is not said again.

void Client::send_consumer_heartbeat(Context& c) {
  Membership& g = group_;
  ConsumerMember& k = g.consumer;
  if (k.word != 0) return;
  const bool joins = g.state == Membership::State::joining;
  // In the product who joins or answers for an assignment does not wait after a failure either.
  const Time due = std::max(joins || k.acknowledges ? 0 : g.heartbeat_due, g.retry_at);
  if (due > c.now()) return wake_at(c, due);
  if (!coordinator_ready(c)) return;
  const bool all = joins || k.tells_all;
  ConsumerGroupHeartbeat m;
  m.group = consumer_.group;
  m.member = g.member;
  m.instance = consumer_.instance;
  m.epoch = joins ? 0 : g.generation;
  if (all) {
    m.rebalance_timeout = consumer_.max_poll_interval;
    // group.remote.assignor; without it the group's majority, or the default, decides.
    if (consumer_.assignors.size() == 1 && server_assignor_named(consumer_.assignors.front())) m.assignor = consumer_.assignors.front();
  }
  m.tells_topics = all || k.said_topics != g.topics;
  if (m.tells_topics) m.topics = g.topics;
  m.tells_owned = all || k.said != k.current;
  if (m.tells_owned) m.owned = k.current.partitions;
  k.tells_all = k.acknowledges = false;
  k.said = k.current;
  k.said_topics = g.topics;
  k.word = next_word_;
  g.heartbeat_due = c.now() + k.interval;
  group_request(c, Kind::consumer_group_heartbeat, make_payload<ConsumerGroupHeartbeat>(std::move(m)), consumer_.request_timeout);
}

void Client::on_consumer_heartbeat_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  Membership& g = group_;
  ConsumerMember& k = g.consumer;
  if (payload_as<ConsumerGroupHeartbeat>(r.payload).epoch < 0) {
    if (g.leave_sent) left(c);
    return;
  }
  if (r.word != k.word) return;  // of a membership that has ended meanwhile
  k.word = 0;
  const auto& reply = payload_as<ConsumerGroupHeartbeatReply>(m.payload);
  if (reply.error == Error::none) {
    g.session_deadline = c.now() + consumer_.session_timeout;
    g.attempts = 0;
    g.generation = reply.epoch;
    if (k.interval != reply.interval) {
      k.interval = reply.interval;
      g.heartbeat_due = c.now() + k.interval;
    }
    if (reply.tells_assignment && (k.target.number < 0 || k.target.partitions != reply.assignment)) k.target = {k.target.number + 1, reply.assignment};
    if (!g.in()) c.mark("group_joined", consumer_.group, fmt::format("{} is in epoch {}", g.member, g.generation));
    g.state = Membership::State::member;
    g.rejoin = k.target != k.current;
    return;
  }
  k.tells_all = true;
  g.heartbeat_due = c.now();
  if (coordinator_refused(c, reply.error)) {
    if (reply.error == Error::coordinator_load_in_progress) back_off(c);
    return;
  }
  if (reply.error == Error::fenced_member_epoch || reply.error == Error::unknown_member_id) {
    c.mark("member_put_out", consumer_.group, fmt::format("{}: {}", g.member, name(reply.error)));
    return out_of_group(c, false);
  }
  out_of_group(c, false);
  g.fatal = reply.error;
  while (!assigned_.empty()) drop_assignment(c, assigned_.back().partition);
}

// There will be no answer. It is not known what was heard, so the next heartbeat says all.
void Client::consumer_heartbeat_failed(Context& c, const Request& r) {
  Membership& g = group_;
  if (payload_as<ConsumerGroupHeartbeat>(r.payload).epoch < 0 && g.leave_sent) return left(c);
  if (r.word != g.consumer.word) return;
  g.consumer.word = 0;
  g.consumer.tells_all = true;
  g.heartbeat_due = c.now();
  back_off(c);
}

void Client::back_off(Context& c) {
  Membership& g = group_;
  g.retry_at = c.now() + retry_backoff(c, ++g.attempts, consumer_.retry_backoff, consumer_.retry_backoff_max);
}

// ---------------------------------------------------------------------------------------------
// Out of the group.

// max.poll.interval.ms is over. The library leaves; the application may still work on what it has (a stale member).
void Client::leave_for_lack_of_polls(Context& c) {
  Membership& g = group_;
  c.mark("max_poll_interval_exceeded", consumer_.group, fmt::format("{} has not polled for too long and leaves", g.member));
  if (coordinator_ready(c)) {
    ConsumerGroupHeartbeat m;
    m.group = consumer_.group;
    m.member = g.member;
    m.instance = consumer_.instance;
    m.epoch = consumer_.instance.empty() ? leave_epoch : leave_for_a_while_epoch;
    group_request(c, Kind::consumer_group_heartbeat, make_payload<ConsumerGroupHeartbeat>(std::move(m)), consumer_.request_timeout);
  }
  out_of_group(c, true);
}

// All is lost: nothing more is handed out, and the application hears of it in its next poll.
void Client::out_of_group(Context&, bool until_next_poll) {
  Membership& g = group_;
  for (Assigned& a : assigned_) a.revoking = true;
  g.state = Membership::State::outside;
  g.generation = -1;
  g.rejoin = true;
  g.lost = !assigned_.empty();
  g.commits = g.commit_again = false;
  g.retry_at = 0;
  g.news.assigned.clear();
  g.consumer = ConsumerMember{};
  g.consumer.waits_for_poll = until_next_poll;
}

}  // namespace mqlab::kafka
