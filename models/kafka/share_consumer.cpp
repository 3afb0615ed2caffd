// A member of a share group: it fetches what leaders acquire for it, and says of each record what becomes of it.
//
// With implicit acknowledgement the next poll, or a commit, accepts all that the last poll returned; with explicit the
// application says it, record by record, and may not poll before it has. One request at a time goes to a broker; what
// the application says meanwhile goes along with the next.
// Sources: ShareConsumerImpl, ShareConsumeRequestManager (Java client 4.3). In the product an acknowledgement leaves
// with the next poll or commit; here, when nothing else is on the way to that broker, so that a program can wait for
// its answer (as acknowledge() and commitSync() of one record).
#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/client.h"
#include "models/kafka/client_timers.h"

namespace mqlab::kafka {

// ---------------------------------------------------------------------------------------------
// The application's calls.

void Client::share_poll_call(Context& c, const Call& call) {
  ShareConsumer& s = share_;
  if (!consumes_ || poll_ != 0) return complete(c, call.id, outcome(c, Outcome::fail, Error::invalid_request));
  // "All records must be acknowledged in explicit acknowledgement mode."
  if (consumer_.explicit_acks && std::any_of(s.in_hand.begin(), s.in_hand.end(), [](const ShareConsumer::InHand& r) { return !r.answered; }))
    return complete(c, call.id, outcome(c, Outcome::fail, Error::invalid_request));
  accept_in_hand(c);
  s.in_hand.clear();
  poll_ = call.id;
  poll_count_ = call.count;
  group_.poll_deadline = c.now() + consumer_.max_poll_interval;
  poll_timer_ = c.set_timer(call.timeout, timer_poll, call.id);
}

// Of a record in hand: accept, release or reject. Only with explicit_acks.
void Client::share_ack_call(Context& c, const Call& call) {
  const auto refuse = [&](Error e) { complete(c, call.id, outcome(c, Outcome::fail, e)); };
  PartitionId p = 0;
  if (!consumer_.explicit_acks) return refuse(Error::invalid_request);
  if (!cluster_->partition(c.names().text(call.place), p)) return refuse(Error::unknown_topic_or_partition);
  const auto it = std::find_if(share_.in_hand.begin(), share_.in_hand.end(), [&](const ShareConsumer::InHand& r) { return r.partition == p && r.offset == call.position; });
  if (it == share_.in_hand.end()) return refuse(Error::invalid_record_state);
  const AckType type = call.kind == CallKind::ack ? AckType::accept : call.kind == CallKind::release ? AckType::release : AckType::reject;
  queue_ack(c, *it, type, call.id);
}

// commitSync: all that was said until now, and in the implicit mode that the last poll's records are accepted.
void Client::share_commit_call(Context& c, const Call& call) {
  accept_in_hand(c);
  share_.commits.push_back(call);
}

void Client::accept_in_hand(Context& c) {
  if (consumer_.explicit_acks) return;
  for (ShareConsumer::InHand& r : share_.in_hand)
    if (!r.answered) queue_ack(c, r, AckType::accept, 0);
}

void Client::queue_ack(Context& c, ShareConsumer::InHand& r, AckType type, CallId call) {
  ShareConsumer::Ack ack;
  ack.partition = r.partition;
  ack.offset = r.offset;
  ack.to = r.from;
  ack.type = type;
  ack.call = call;
  ack.message = r.record.message;
  if (call == 0 && type == AckType::accept) {
    Op op;
    op.kind = OpKind::ack;
    op.outcome = Outcome::invoke;
    op.place = c.names().id(place(r.partition));
    op.message = r.record.message;
    op.position = r.offset;
    op.subscription = subscription_name(c);
    ack.row = c.record(op);
  }
  // An answered one may be answered again while its first answer is on the way: the last word is the leader's.
  r.answered = true;
  share_.acks.push_back(ack);
}

// ---------------------------------------------------------------------------------------------
// Polls.

void Client::share_answer_poll(Context& c, bool timed_out) {
  ShareConsumer& s = share_;
  std::erase_if(s.buffer, [&](const ShareConsumer::InHand& r) { return !find_assigned(r.partition); });
  if (group_.fatal != Error::none && poll_error_ == Error::none) poll_error_ = group_.fatal;
  if (s.buffer.empty() && !timed_out && poll_error_ == Error::none) return;
  if (poll_timer_ != no_event) c.cancel_timer(poll_timer_);
  poll_timer_ = no_event;
  const CallId id = poll_;
  poll_ = 0;
  if (poll_error_ != Error::none) {
    const Error e = poll_error_;
    poll_error_ = Error::none;
    return complete(c, id, outcome(c, Outcome::fail, e));
  }
  Answer answer;
  // Places that come and go mean nothing to it: it takes records from wherever it is sent to.
  group_.news = Rebalance{};
  const auto most = static_cast<std::size_t>(poll_count_ > 0 ? std::min<std::int64_t>(poll_count_, consumer_.max_poll_records) : consumer_.max_poll_records);
  while (!s.buffer.empty() && answer.messages.size() < most) {
    s.in_hand.push_back(s.buffer.front());
    s.buffer.pop_front();
    const ShareConsumer::InHand& r = s.in_hand.back();
    PolledMessage m;
    m.place = c.names().id(place(r.partition));
    m.key = static_cast<std::uint32_t>(r.record.key);
    m.message = r.record.message;
    m.position = r.offset;
    m.tombstone = r.record.tombstone;
    m.attempt = static_cast<std::uint8_t>(std::min(r.deliveries, 255));
    m.flags = op_flag::shared | (r.deliveries > 1 ? op_flag::redelivered : 0);
    answer.messages.push_back(m);
  }
  complete(c, id, std::move(answer));
}

// ---------------------------------------------------------------------------------------------
// Requests.

std::vector<PartitionAcks> Client::acks_for(BrokerId b, std::uint64_t word) {
  std::vector<PartitionAcks> out;
  for (ShareConsumer::Ack& a : share_.acks) {
    if (a.to != b || a.word != 0) continue;
    a.word = word;
    auto it = std::find_if(out.begin(), out.end(), [&](const PartitionAcks& p) { return p.partition == a.partition; });
    if (it == out.end()) it = out.insert(out.end(), PartitionAcks{a.partition, {}});
    if (!it->acks.empty() && it->acks.back().last + 1 == a.offset && it->acks.back().type == a.type) it->acks.back().last = a.offset;
    else it->acks.push_back({a.offset, a.offset, a.type});
  }
  return out;
}

void Client::share_work(Context& c) {
  ShareConsumer& s = share_;
  if (group_.leaving && !s.closing) {
    s.closing = true;
    s.buffer.clear();
    s.in_hand.clear();
    for (BrokerId b = 1; b <= static_cast<BrokerId>(cluster_->brokers.size()); ++b)
      if (const Peer& x = peer(Purpose::fetch, b); x.connection != no_connection && c.is_open(x.connection)) s.to_close.push_back(b);
  }
  // A leader that has changed does not know what the one before it had given out (NodeAcknowledgements).
  for (std::size_t i = 0; i < s.acks.size();) {
    if (s.acks[i].word == 0 && leader_of(s.acks[i].partition) != s.acks[i].to) ack_done(c, i, Error::not_leader_or_follower, false);
    else ++i;
  }
  for (BrokerId b = 1; b <= static_cast<BrokerId>(cluster_->brokers.size()); ++b) {
    if (in_flight(Purpose::fetch, b)) continue;
    const bool says = std::any_of(s.acks.begin(), s.acks.end(), [&](const ShareConsumer::Ack& a) { return a.to == b && a.word == 0; });
    const bool closes = std::find(s.to_close.begin(), s.to_close.end(), b) != s.to_close.end();
    ShareFetch fetch;
    if (poll_ != 0 && s.buffer.empty() && group_.in() && !s.closing)
      for (Assigned& a : assigned_) {
        if (leader_of(a.partition) == no_broker) want_metadata(c);
        if (leader_of(a.partition) != b || a.paused) continue;
        if (a.retry_at > c.now()) wake_at(c, a.retry_at);
        else fetch.partitions.push_back(a.partition);
      }
    if (!says && !closes && fetch.partitions.empty()) continue;
    if (!can_connect(c, Purpose::fetch, b)) continue;
    if (fetch.partitions.empty()) {
      ShareAcknowledge m;
      m.group = consumer_.group;
      m.member = group_.member;
      m.closes = closes;
      m.acks = acks_for(b, next_word_);
      std::erase(s.to_close, b);
      request(c, Purpose::fetch, b, Kind::share_acknowledge, make_payload<ShareAcknowledge>(std::move(m)), 96, consumer_.request_timeout);
    } else {
      fetch.group = consumer_.group;
      fetch.member = group_.member;
      fetch.max_wait = consumer_.fetch_wait;
      fetch.max_records = poll_count_ > 0 ? std::min<std::int64_t>(poll_count_, consumer_.max_poll_records) : consumer_.max_poll_records;
      fetch.exactly = consumer_.share_exactly;
      fetch.acks = acks_for(b, next_word_);
      request(c, Purpose::fetch, b, Kind::share_fetch, make_payload<ShareFetch>(std::move(fetch)), 96, consumer_.request_timeout);
    }
  }
  if (!s.acks.empty()) return;
  std::vector<Call> done;
  done.swap(s.commits);
  for (const Call& call : done) complete(c, call.id, outcome(c, s.commit_error == Error::none ? Outcome::ok : Outcome::fail, s.commit_error));
  s.commit_error = Error::none;
}

// True while the library still has to say something before it may leave its group.
bool Client::share_closing() const {
  if (!shares()) return false;
  const bool asked = std::any_of(requests_.begin(), requests_.end(), [](const Request& r) { return r.kind == Kind::share_acknowledge; });
  return !share_.closing || asked || !share_.to_close.empty() || std::any_of(share_.acks.begin(), share_.acks.end(), [](const ShareConsumer::Ack& a) { return a.word == 0; });
}

void Client::on_share_fetch_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  const auto& reply = payload_as<ShareFetchReply>(m.payload);
  for (const AcquiredPartition& got : reply.partitions) {
    Assigned* a = find_assigned(got.partition);
    if (got.error != Error::none) {
      want_metadata(c);
      if (a) a->retry_at = c.now() + consumer_.retry_backoff;
      continue;
    }
    for (const Acquired& range : got.acquired) {
      Offset next = range.first;
      const auto gap_to = [&](Offset end) {
        // Nothing is there, compaction or a marker: said to the leader, or it would be given out for ever.
        for (; next < end; ++next) {
          ShareConsumer::InHand nothing{got.partition, next, r.broker, range.deliveries, {}, false};
          queue_ack(c, nothing, AckType::gap, 0);
        }
      };
      for (const Batch& b : got.batches) {
        if (b.control != Control::none) continue;
        for (std::int32_t k = 0; k < b.held(); ++k) {
          const Offset o = b.offset_of(k);
          if (o < next || o > range.last) continue;
          gap_to(o);
          share_.buffer.push_back({got.partition, o, r.broker, range.deliveries, b.record(k), false});
          next = o + 1;
        }
      }
      gap_to(range.last + 1);
    }
  }
  share_acks_answered(c, r.word, reply.acks);
}

void Client::on_share_acknowledge_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  share_acks_answered(c, r.word, payload_as<ShareAcknowledgeReply>(m.payload).acks);
}

void Client::share_acks_answered(Context& c, std::uint64_t word, const std::vector<PartitionError>& answers) {
  for (std::size_t i = 0; i < share_.acks.size();) {
    const ShareConsumer::Ack& a = share_.acks[i];
    const auto it = std::find_if(answers.begin(), answers.end(), [&](const PartitionError& e) { return e.partition == a.partition; });
    if (a.word == word) ack_done(c, i, it == answers.end() ? Error::unknown_server_error : it->error, true);
    else ++i;
  }
}

// A refused acknowledgement had no effect, unless the leader was at a loss itself: then it may be written all the same.
void Client::ack_done(Context& c, std::size_t i, Error e, bool sent) {
  const ShareConsumer::Ack a = share_.acks[i];
  share_.acks.erase(share_.acks.begin() + static_cast<std::ptrdiff_t>(i));
  const bool refused = !sent || e == Error::invalid_record_state || e == Error::invalid_request || e == Error::unknown_topic_or_partition;
  const Outcome o = e == Error::none ? Outcome::ok : refused ? Outcome::fail : Outcome::info;
  if (e != Error::none && share_.commit_error == Error::none) share_.commit_error = e;
  if (e == Error::not_leader_or_follower) want_metadata(c);
  if (a.call != 0) {
    Answer answer = outcome(c, o, e);
    answer.position = a.offset;
    complete(c, a.call, std::move(answer));
  } else if (a.row != no_op) {
    Op op;
    op.kind = OpKind::ack;
    op.outcome = o;
    op.of = a.row;
    op.place = c.names().id(place(a.partition));
    op.message = a.message;
    op.position = a.offset;
    op.error = e == Error::none ? 0 : c.names().id(name(e));
    op.subscription = subscription_name(c);
    c.record(op);
  }
}

// A request that will never be answered. True if it was one of a share group's.
bool Client::share_failed(Context& c, const Request& r) {
  if (r.kind != Kind::share_fetch && r.kind != Kind::share_acknowledge) return false;
  for (std::size_t i = 0; i < share_.acks.size();) {
    if (share_.acks[i].word == r.word) ack_done(c, i, Error::network_exception, true);
    else ++i;
  }
  if (r.kind == Kind::share_fetch)
    for (const PartitionId p : payload_as<ShareFetch>(r.payload).partitions)
      if (Assigned* a = find_assigned(p)) a->retry_at = c.now() + consumer_.retry_backoff;
  return true;
}

// What the coordinator says that this member may read. Others may read it too; nothing is owned.
void Client::share_assignment(Context& c, const std::vector<PartitionId>& partitions) {
  const auto has = [&](PartitionId p) { return std::find(partitions.begin(), partitions.end(), p) != partitions.end(); };
  std::erase_if(assigned_, [&](const Assigned& a) { return !has(a.partition); });
  for (const PartitionId p : partitions) {
    if (find_assigned(p)) continue;
    Assigned a;
    a.partition = p;
    a.place = c.names().id(place(p));
    a.of_group = true;
    assigned_.push_back(a);
  }
  if (std::any_of(partitions.begin(), partitions.end(), [&](PartitionId p) { return leader_of(p) == no_broker; })) want_metadata(c);
}

// ---------------------------------------------------------------------------------------------
// Membership (ShareHeartbeatRequestManager, ShareMembershipManager): the member takes what it is told, at once.

void Client::work_share_member(Context& c) {
  Membership& g = group_;
  if (g.in() && !in_poll(c) && g.poll_deadline <= c.now()) {
    // It may still be at work on what it holds, and say so to the leaders: they ask for no membership.
    c.mark("max_poll_interval_exceeded", consumer_.group, fmt::format("{} has not polled for too long and leaves", g.member));
    g.state = Membership::State::outside;
    g.rejoin = true;
    share_assignment(c, {});
    if (coordinator_ready(c)) share_heartbeat(c, leave_epoch);
    return;
  }
  if (g.in()) wake_at(c, g.poll_deadline);
  if (!g.in() && !in_poll(c)) return;
  if (g.heartbeat_in_flight) return;
  const Time due = g.in() ? g.heartbeat_due : g.retry_at;
  if (due > c.now()) return wake_at(c, due);
  if (!coordinator_ready(c)) return;
  if (g.member.empty()) g.member = fmt::format("{}-{:08x}", c.name(c.self()), c.random().next() >> 32);
  if (!g.in()) c.mark("group_join", consumer_.group, fmt::format("{} joins", g.member));
  share_heartbeat(c, g.in() ? g.generation : 0);
}

void Client::share_heartbeat(Context& c, std::int32_t epoch) {
  ConsumerGroupHeartbeat m;
  m.group = consumer_.group;
  m.share = true;
  m.member = group_.member;
  m.epoch = epoch;
  m.rebalance_timeout = consumer_.max_poll_interval;
  m.tells_topics = epoch == 0 || share_.tells_all;
  if (m.tells_topics) m.topics = group_.topics;
  group_.heartbeat_in_flight = true;
  group_request(c, Kind::consumer_group_heartbeat, make_payload<ConsumerGroupHeartbeat>(std::move(m)), consumer_.request_timeout);
}

void Client::on_share_heartbeat_reply(Context& c, const Message& m) {
  const Request r = take_request(c, m.word);
  if (r.word == 0) return;
  peer(r.purpose, r.broker).backoff = 0;
  Membership& g = group_;
  g.heartbeat_in_flight = false;
  const auto& reply = payload_as<ConsumerGroupHeartbeatReply>(m.payload);
  const bool left_by_this = payload_as<ConsumerGroupHeartbeat>(r.payload).epoch < 0;
  if (left_by_this) return left(c);
  if (reply.error == Error::none) {
    const bool joined = !g.in();
    g.state = Membership::State::member;
    g.rejoin = false;
    g.attempts = 0;
    share_.tells_all = false;
    g.generation = reply.epoch;
    g.heartbeat_due = c.now() + reply.interval;
    if (joined) c.mark("group_joined", consumer_.group, fmt::format("{} is in epoch {}", g.member, g.generation));
    if (reply.tells_assignment) share_assignment(c, reply.assignment);
    return;
  }
  if (coordinator_refused(c, reply.error)) return share_heartbeat_failed(c);
  if (reply.error == Error::unknown_member_id || reply.error == Error::fenced_member_epoch) {
    // It joins anew under the same id. What it holds stays its own until the locks end.
    c.mark("member_put_out", consumer_.group, fmt::format("{}: {}", g.member, name(reply.error)));
    g.state = Membership::State::outside;
    g.rejoin = true;
    share_assignment(c, {});
    return;
  }
  g.fatal = reply.error;
}

// Another attempt, a little later; a member stays one meanwhile.
void Client::share_heartbeat_failed(Context& c) {
  Membership& g = group_;
  g.heartbeat_in_flight = false;
  share_.tells_all = true;  // the answer that was lost may have brought an assignment
  if (g.leaving) return left(c);
  const Time again = c.now() + retry_backoff(c, ++g.attempts, consumer_.retry_backoff, consumer_.retry_backoff_max);
  (g.in() ? g.heartbeat_due : g.retry_at) = again;
}

}  // namespace mqlab::kafka
