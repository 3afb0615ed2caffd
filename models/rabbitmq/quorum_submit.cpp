// Commands to quorum queues from any node, and effects on their way to the channels they are for.
#include <algorithm>
#include <utility>

#include "models/rabbitmq/quorum_host.h"

namespace mqlab::rabbitmq {
namespace {

// Whom an effect is for; no_channel: the leader's node itself.
struct ChannelOf {
  ChannelId operator()(const Deliver& e) const { return e.consumer.channel; }
  ChannelId operator()(const GetEmpty& e) const { return e.channel; }
  ChannelId operator()(const Confirm& e) const { return e.publish.channel; }
  ChannelId operator()(const Reject& e) const { return e.publish.channel; }
  ChannelId operator()(const DeadLetter&) const { return no_channel; }
  ChannelId operator()(const Dropped&) const { return no_channel; }
  ChannelId operator()(const CancelConsumer& e) const { return e.consumer.channel; }
  ChannelId operator()(const ActiveConsumer&) const { return no_channel; }
  ChannelId operator()(const ConsumerUpdate& e) const { return e.consumer.channel; }
  ChannelId operator()(const DeleteQueue&) const { return no_channel; }
  ChannelId operator()(const PublisherStatus& e) const { return e.channel; }
  ChannelId operator()(const DlxDeliver&) const { return no_channel; }
  ChannelId operator()(const TimedOut& e) const { return e.consumer.channel; }
  ChannelId operator()(const WriteStore&) const { return no_channel; }
  ChannelId operator()(const Replicate&) const { return no_channel; }
};

std::uint32_t content_size(const ContentRef& c) { return c ? c->size : 0; }

std::uint32_t size_of(const QuorumCommand& command) {
  const auto* e = std::get_if<Enqueue>(&command);
  return 64 + (e != nullptr ? content_size(e->content) : 0);
}

}  // namespace

void QuorumHost::submit(Context& c, const std::string& queue, ChannelId owner, QuorumCommand command, std::uint64_t ticket) {
  const auto it = routes_.find(queue);
  if (it == routes_.end()) return;
  Route& route = it->second;
  const std::uint64_t number = route.next++;
  route.pending.emplace(number, Route::Pending{owner, std::move(command), ticket});
  if (route.timer == no_event) set_route_timer(c, route, times_.resend_after);
  // Behind something that waits to be sent again, this waits too: order is kept.
  if (!route.stalled) send(c, queue, route, number);
}

void QuorumHost::forget(const std::string& queue, ChannelId owner) {
  const auto it = routes_.find(queue);
  if (it != routes_.end()) std::erase_if(it->second.pending, [&](const auto& p) { return p.second.owner == owner; });
}

bool QuorumHost::pending(const std::string& queue, ChannelId owner, std::size_t at_least) const {
  const auto it = routes_.find(queue);
  if (it == routes_.end()) return false;
  std::size_t n = 0;
  for (const auto& [number, p] : it->second.pending)
    if (p.owner == owner && ++n >= at_least) return true;
  return false;
}

// --- to the leader ---

void QuorumHost::send(Context& c, const std::string& queue, Route& route, std::uint64_t number) {
  const auto it = route.pending.find(number);
  if (it == route.pending.end()) return;
  it->second.sent_at = c.now();
  NodeId to = route.leader;
  if (to == nobody) {
    stall(c, route);
    if (replicas_.count(queue) != 0) return;  // its replica here will hear of a leader
    to = route.members[route.guess % route.members.size()];
  }
  const QuorumCommand command = it->second.command;
  if (to == c.self()) {
    if (!propose(c, queue, replicas_.at(queue), command, {c.self(), first_channel_, number})) stall(c, route);
    return;
  }
  const std::uint32_t bytes = size_of(command);
  c.send(connection_to(c, to), quorum_request_kind, std::make_shared<const QuorumRequest>(queue, first_channel_, number, command), bytes);
}

void QuorumHost::send_all(Context& c, const std::string& queue, Route& route) {
  route.stalled = false;
  if (route.leader == nobody) ++route.guess;
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, p] : route.pending) numbers.push_back(number);
  for (const std::uint64_t number : numbers) {
    send(c, queue, route, number);
    if (route.stalled) return;  // the rest behind it, later
  }
}

void QuorumHost::stall(Context& c, Route& route) {
  if (route.stalled || route.pending.empty()) return;
  route.stalled = true;
  set_route_timer(c, route, times_.retry);
}

void QuorumHost::set_route_timer(Context& c, Route& route, Duration delay) {
  if (route.timer != no_event) c.cancel_timer(route.timer);
  route.timer = c.set_timer(delay, timer_quorum_retry, route.file);
}

void QuorumHost::on_route_timer(Context& c, const std::string& queue, Route& route) {
  route.timer = no_event;
  if (route.pending.empty()) {
    route.stalled = false;
    return;
  }
  if (!route.resends) return;
  const Time due = saturating_add(route.pending.begin()->second.sent_at, times_.resend_after);
  if (!route.stalled && due > c.now()) return set_route_timer(c, route, due - c.now());
  set_route_timer(c, route, times_.resend_after);
  send_all(c, queue, route);
}

void QuorumHost::peer_lost(Context& c, NodeId peer) {
  for (auto& [queue, route] : routes_)
    if ((route.leader == peer && route.resends) || route.leader == nobody) stall(c, route);
}

// rabbit_fifo_client: after a change of leader all that is unanswered goes again, in its order.
void QuorumHost::set_leader(Context& c, const std::string& queue, NodeId leader) {
  const auto it = routes_.find(queue);
  if (it == routes_.end() || it->second.leader == leader) return;
  Route& route = it->second;
  route.leader = leader;
  news_.push_back(QuorumLeader{queue, leader});
  if (leader == nobody) return;
  const bool elected = std::exchange(route.last_leader, leader) != leader;
  if (elected || route.resends) send_all(c, queue, route);
  else route.stalled = false;  // what comes next goes out, behind a gap
}

bool QuorumHost::on_cluster_message(Context& c, const Message& m) {
  if (m.kind == quorum_effect_kind) {
    const auto& e = payload_as<QuorumEffectMessage>(m.payload);
    news_.push_back(QuorumEffect{e.queue, e.effect});
    return true;
  }
  if (m.kind == quorum_request_kind) {
    const auto& r = payload_as<QuorumRequest>(m.payload);
    // What an earlier process of that node had sent may arrive when the node is back: nobody waits for it.
    if (const auto life = lives_.find(m.from); life != lives_.end() && r.life < life->second) return true;
    const auto it = replicas_.find(r.queue);
    if (it != replicas_.end() && propose(c, r.queue, it->second, r.command, {m.from, r.life, r.number})) return true;
    auto redirect = std::make_shared<QuorumResponse>();
    redirect->queue = r.queue;
    redirect->life = r.life;
    redirect->number = r.number;
    redirect->leader = leader(r.queue) == c.self() ? nobody : leader(r.queue);
    c.send(m.connection, quorum_redirect_kind, std::move(redirect), 48);
    return true;
  }
  const auto& r = payload_as<QuorumResponse>(m.payload);
  if (r.life != first_channel_) return true;
  // Where there is a replica it knows who leads; elsewhere whoever answers leads, and others may know.
  const bool told = replicas_.count(r.queue) == 0;
  if (m.kind == quorum_answer_kind) {
    answered(r.queue, r.number, r.reply);
    if (told) set_leader(c, r.queue, m.from);
    return true;
  }
  const auto route = routes_.find(r.queue);
  if (route == routes_.end() || route->second.pending.count(r.number) == 0) return true;
  if (told) set_leader(c, r.queue, r.leader);
  if (!told || r.leader == nobody) stall(c, route->second);
  return true;
}

// --- back from it ---

void QuorumHost::answer(Context& c, const std::string& queue, const QuorumAsker& asked, const QuorumReply& reply) {
  if (asked.node == c.self()) return answered(queue, asked.number, reply);
  auto response = std::make_shared<QuorumResponse>();
  response->queue = queue;
  response->life = asked.life;
  response->number = asked.number;
  response->reply = reply;
  c.send(connection_to(c, asked.node), quorum_answer_kind, std::move(response), 48);
}

// A message that was not enqueued, because one before it is missing, stays pending for a later resend
// (rabbit_fifo_client:seq_applied).
void QuorumHost::answered(const std::string& queue, std::uint64_t number, const QuorumReply& reply) {
  const auto route = routes_.find(queue);
  if (route == routes_.end()) return;
  const auto it = route->second.pending.find(number);
  if (it == route->second.pending.end()) return;
  if (reply.kind == QuorumReply::Kind::not_enqueued) return;
  if (it->second.ticket != 0) news_.push_back(QuorumAnswer{queue, it->second.ticket, reply});
  route->second.pending.erase(it);
}

// Deliveries are told by the member beside the channel, where there is one; the rest, and answers to basic.get, by
// the leader alone (ra: the `local` option of send_msg).
void QuorumHost::tell(Context& c, const std::string& queue, Replica& r, QueueEffects effects) {
  const auto& members = r.plan.members;
  for (QueueEffect& e : effects) {
    const ChannelId channel = std::visit(ChannelOf{}, e);
    const NodeId node = channel == no_channel ? c.self() : node_of(channel);
    const auto* d = std::get_if<Deliver>(&e);
    const bool by_member = d != nullptr && d->left < 0 && std::find(members.begin(), members.end(), node) != members.end();
    if (by_member ? node != c.self() : !r.raft.is_leader()) continue;
    if (node == c.self()) {
      news_.push_back(QuorumEffect{queue, std::move(e)});
    } else {
      const std::uint32_t bytes = 64 + (d != nullptr ? content_size(d->content) : 0);
      c.send(connection_to(c, node), quorum_effect_kind, std::make_shared<const QuorumEffectMessage>(queue, std::move(e)), bytes);
    }
  }
}

}  // namespace mqlab::rabbitmq
