// Mirrors of classic queues on the nodes of a cluster: who has one, who leads next, what channels notice of it.
#include "models/rabbitmq/mirror_host.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

template <class M>
const M& as(const Payload& p) {
  return static_cast<const Frame<M>&>(p).method;
}

std::string begins_text(const Payload& p) {
  const auto& m = as<MirrorBegins>(p);
  return fmt::format("'{}' empty, lacks {}", m.queue, m.lacks);
}
std::string records_text(const Payload& p) {
  const auto& m = as<MirrorRecords>(p);
  std::string out = fmt::format("'{}'", m.queue);
  for (const NumberedMirrorRecord& r : m.records) {
    static constexpr const char* what[] = {"publish", "deliver", "remove"};
    out += fmt::format(" {}: {} {}", r.number, what[static_cast<std::size_t>(r.record.kind)], r.record.seq);
  }
  return out;
}
std::string sync_text(const Payload& p) { return fmt::format("'{}' {} messages", as<MirrorSync>(p).queue, as<MirrorSync>(p).messages.size()); }
std::string ack_text(const Payload& p) {
  const auto& m = as<MirrorAck>(p);
  return fmt::format("'{}' up to {}{}", m.queue, m.number, m.synced ? ", synchronised" : "");
}
std::string follows_text(const Payload& p) { return fmt::format("'{}' {} messages", as<MirrorFollows>(p).queue, as<MirrorFollows>(p).messages.size()); }
std::string stops_text(const Payload& p) { return fmt::format("'{}'", as<MirrorStops>(p).queue); }

std::uint32_t bytes_of(const std::vector<MirroredMessage>& messages) {
  std::uint32_t bytes = 64;
  for (const MirroredMessage& m : messages) bytes += 64 + m.content->size;
  return bytes;
}

}  // namespace

const std::vector<MessageDecl>& mirror_message_declarations() {
  static const std::vector<MessageDecl> all = {
      {mirror_begins_kind, "mirror.begins", Traffic::replication, begins_text}, {mirror_records_kind, "mirror.records", Traffic::replication, records_text},
      {mirror_sync_kind, "mirror.sync", Traffic::replication, sync_text},       {mirror_ack_kind, "mirror.ack", Traffic::replication, ack_text},
      {mirror_follows_kind, "mirror.follows", Traffic::replication, follows_text}, {mirror_stops_kind, "mirror.stops", Traffic::replication, stops_text}};
  return all;
}

// ---------------------------------------------------------------------------------------------
// Looking.

const HaPolicy& Broker::ha(const std::string& queue) const {
  static const HaPolicy none{};
  const QueuePlan* plan = cluster_->queue(queue);
  return plan && mnesia() ? plan->ha : none;
}

bool Broker::leads(const std::string& queue) const {
  const auto q = durable_.queues.find(queue);
  return q != durable_.queues.end() && q->second.copies.term > 0 && q->second.broker == index_ && processes_.count(queue) > 0;
}

const MirrorRole* Broker::mirror_role(const std::string& queue) const {
  const auto it = mirrors_.find(queue);
  return it == mirrors_.end() ? nullptr : &it->second;
}

MirrorRole* Broker::leader_role(const std::string& queue) {
  const auto it = mirrors_.find(queue);
  return it == mirrors_.end() || it->second.mirror ? nullptr : &it->second;
}

// suggested_queue_nodes: on those that run, until there are enough. (The product draws them, here they come in turn.)
QueueCopies Broker::first_copies(const std::string& queue, std::size_t broker) const {
  QueueCopies out;
  out.term = 1;
  const std::size_t n = cluster_->brokers.size();
  for (std::size_t i = 1; i < n && static_cast<std::int64_t>(out.mirrors.size()) + 1 < ha(queue).copies; ++i) {
    const std::size_t at = (broker + i) % n;
    if (at != index_ && peers_[at].tried && !peers_[at].up) continue;
    out.mirrors.push_back(at);
    out.synced.insert(at);
  }
  return out;
}

// ---------------------------------------------------------------------------------------------
// The leader.

void Broker::begin_copies(Context&, const std::string& queue, QueueRecord& r) {
  MirrorRole role{.leader = {r.copies.term, index_}};
  for (const std::size_t m : r.copies.mirrors) role.copies.join(cluster_->brokers[m]);
  mirrors_[queue] = std::move(role);
}

void Broker::pass_on(Context& c, const std::string& queue, MirrorRole& role, const QueueEffects& effects) {
  QueueEffects out;
  MirrorRecords m{.queue = queue, .leader = role.leader};
  role.copies.pass(effects, out, m.records);
  if (!m.records.empty()) {
    std::uint32_t bytes = 32;
    for (const NumberedMirrorRecord& r : m.records) bytes += 32 + (r.record.content ? r.record.content->size : 0);
    const PayloadRef payload = framed(std::move(m));
    for (const std::size_t at : durable_.queues.at(queue).copies.mirrors) c.send(peers_[at].connection, mirror_records_kind, payload, bytes);
  }
  perform(c, queue, out);
}

void Broker::want_mirrors(Context& c, const std::string& queue) {
  if (!leads(queue)) return;
  const QueueCopies& copies = durable_.queues.at(queue).copies;
  const std::size_t n = cluster_->brokers.size();
  for (std::size_t i = 1; i < n && static_cast<std::int64_t>(copies.mirrors.size()) + 1 < ha(queue).copies; ++i) {
    const std::size_t at = (index_ + i) % n;
    if (peers_[at].up && std::find(copies.mirrors.begin(), copies.mirrors.end(), at) == copies.mirrors.end()) add_mirror(c, queue, at);
  }
}

// It begins empty, whatever it had.
void Broker::add_mirror(Context& c, const std::string& queue, std::size_t peer) {
  QueueRecord& r = durable_.queues.at(queue);
  MirrorRole& role = mirrors_.at(queue);
  const auto& q = std::get<ClassicQueue>(processes_.at(queue).machine);
  role.copies.join(cluster_->brokers[peer]);
  r.copies.mirrors.push_back(peer);
  const std::int64_t lacks = q.ready_count() + q.unacked_count();
  if (lacks == 0) r.copies.synced.insert(peer);
  c.send(peers_[peer].connection, mirror_begins_kind, framed(MirrorBegins{queue, role.leader, lacks, q.next_seq()}), 64);
  c.mark("mirror_added", queue, fmt::format("{}{}", c.name(cluster_->brokers[peer]), lacks > 0 ? fmt::format(" lacks {} messages", lacks) : ""));
  tell_peers(c, CopiesChanged{queue, index_, r.copies});
  if (lacks > 0 && ha(queue).sync_automatic) synchronise(c, queue);
}

void Broker::lose_mirror(Context& c, const std::string& queue, std::size_t peer) {
  QueueRecord& r = durable_.queues.at(queue);
  if (std::erase(r.copies.mirrors, peer) == 0) return;
  r.copies.synced.erase(peer);
  c.mark("mirror_lost", queue, c.name(cluster_->brokers[peer]));
  tell_peers(c, CopiesChanged{queue, index_, r.copies});
  QueueEffects out;
  mirrors_.at(queue).copies.leave(cluster_->brokers[peer], out);  // nobody waits for it any more
  perform(c, queue, out);
  want_mirrors(c, queue);
}

// rabbitmqctl sync_queue, or ha-sync-mode = automatic. (The product sends batches, and the queue does nothing meanwhile.)
void Broker::synchronise(Context& c, const std::string& queue) {
  if (!leads(queue)) return;
  const QueueRecord& r = durable_.queues.at(queue);
  MirrorSync m{queue, mirrors_.at(queue).leader, mirrored_messages(std::get<ClassicQueue>(processes_.at(queue).machine))};
  const std::uint32_t bytes = bytes_of(m.messages);
  const PayloadRef payload = framed(std::move(m));
  for (const std::size_t at : r.copies.mirrors)
    if (!r.copies.synced.count(at)) c.send(peers_[at].connection, mirror_sync_kind, payload, bytes);
}

void Broker::on_mirror_ack(Context& c, std::size_t from, const MirrorAck& m) {
  MirrorRole* role = leader_role(m.queue);
  if (!role || !(role->leader == m.leader)) return;
  QueueRecord& r = durable_.queues.at(m.queue);
  if (std::find(r.copies.mirrors.begin(), r.copies.mirrors.end(), from) == r.copies.mirrors.end()) return;
  if (m.synced && r.copies.synced.insert(from).second) {
    c.mark("mirror_synchronised", m.queue, c.name(cluster_->brokers[from]));
    tell_peers(c, CopiesChanged{m.queue, index_, r.copies});
  }
  QueueEffects out;
  role->copies.acknowledged(cluster_->brokers[from], m.number, out);
  perform(c, m.queue, out);
}

// The node is stopped in good order. Without a synchronised mirror none is to lead: all of them end, and the queue waits
// for this node (ha-promote-on-shutdown).
void Broker::release_mirrors(Context& c) {
  for (auto& [queue, role] : mirrors_) {
    if (role.mirror || ha(queue).promote_unsynced_on_shutdown) continue;
    QueueCopies& copies = durable_.queues.at(queue).copies;
    if (copies.mirrors.empty() || !copies.synced.empty()) continue;
    for (const std::size_t at : copies.mirrors) c.send(peers_[at].connection, mirror_stops_kind, framed(MirrorStops{queue, role.leader}), 64);
    copies.mirrors.clear();
    tell_peers(c, CopiesChanged{queue, index_, copies});
  }
}

// ---------------------------------------------------------------------------------------------
// A mirror.

void Broker::on_mirror(Context& c, std::size_t from, const Message& m) {
  switch (m.kind) {
    case mirror_begins_kind: return on_mirror_begins(c, method_as<MirrorBegins>(m.payload));
    case mirror_follows_kind: return on_mirror_follows(c, method_as<MirrorFollows>(m.payload));
    case mirror_ack_kind: return on_mirror_ack(c, from, method_as<MirrorAck>(m.payload));
    default: break;
  }
  const std::string& queue = m.kind == mirror_records_kind ? method_as<MirrorRecords>(m.payload).queue : m.kind == mirror_sync_kind ? method_as<MirrorSync>(m.payload).queue : method_as<MirrorStops>(m.payload).queue;
  const auto it = mirrors_.find(queue);
  if (m.kind == mirror_sync_kind && leads(queue)) return synchronise(c, queue);  // an operator asked another node
  if (it == mirrors_.end() || !it->second.mirror) return;
  MirrorRole& role = it->second;
  const auto answer = [&](bool news) {
    if (news) c.send(peers_[from].connection, mirror_ack_kind, framed(MirrorAck{queue, role.leader, role.number, role.mirror->synchronised()}), 32);
  };
  if (m.kind == mirror_records_kind) {
    const auto& records = method_as<MirrorRecords>(m.payload);
    if (!(records.leader == role.leader)) return;
    for (const NumberedMirrorRecord& r : records.records) {
      role.mirror->apply(r.record);
      role.number = r.number;
    }
    answer(true);
  } else if (m.kind == mirror_sync_kind) {
    const auto& sync = method_as<MirrorSync>(m.payload);
    if (!(sync.leader == role.leader)) return;
    role.mirror->synchronise(sync.messages);
    answer(true);
  } else if (method_as<MirrorStops>(m.payload).leader == role.leader) {
    mirror_done(c, queue);
  }
}

// What this node had of the queue does not count any more.
void Broker::mirror_done(Context& c, const std::string& queue) {
  if (const auto p = processes_.find(queue); p != processes_.end()) {
    if (p->second.timer != no_event) c.cancel_timer(p->second.timer);
    if (p->second.busy != no_event) c.cancel_timer(p->second.busy);
    for (QueueOp& op : p->second.mailbox) ask(std::move(op));  // for whoever leads now
    processes_.erase(p);
  }
  mirrors_.erase(queue);
  durable_.at_rest.erase(queue);
  QueueRecord& r = durable_.queues.at(queue);
  if (!r.store.empty()) c.remove(r.file);
  r.store.clear();
}

void Broker::follow(Context& c, const std::string& queue, const Leadership& leader) {
  QueueRecord& r = durable_.queues.at(queue);
  const bool other = r.broker != leader.broker || r.copies.term != leader.term;
  r.broker = leader.broker;
  r.copies.term = leader.term;
  if (other) failed_over(c, queue);
}

void Broker::on_mirror_begins(Context& c, const MirrorBegins& m) {
  const auto q = durable_.queues.find(m.queue);
  if (q == durable_.queues.end() || q->second.copies.term > m.leader.term) return;
  mirror_done(c, m.queue);
  mirrors_[m.queue] = {.leader = m.leader, .mirror = QueueMirror(m.lacks, m.next)};
  follow(c, m.queue, m.leader);
}

void Broker::on_mirror_follows(Context& c, const MirrorFollows& m) {
  const auto q = durable_.queues.find(m.queue);
  if (q == durable_.queues.end() || q->second.copies.term > m.leader.term) return;
  if (leads(m.queue) && q->second.copies.term == m.leader.term && index_ < m.leader.broker) return;  // two at once: the first node's stays
  MirrorRole& role = mirrors_[m.queue];
  if (!role.mirror || !(role.leader == m.before)) {
    mirror_done(c, m.queue);
    mirrors_[m.queue] = {.leader = m.leader, .mirror = QueueMirror(static_cast<std::int64_t>(m.messages.size()), m.promoted_at)};
  } else {
    role.leader = m.leader;
    role.number = 0;
    role.mirror->follow(m.messages, m.promoted_at);
  }
  follow(c, m.queue, m.leader);
  const QueueMirror& mirror = *mirrors_.at(m.queue).mirror;
  if (mirror.synchronised()) c.send(peers_[m.leader.broker].connection, mirror_ack_kind, framed(MirrorAck{m.queue, m.leader, 0, true}), 32);
}

// ---------------------------------------------------------------------------------------------
// A node is gone.

void Broker::copies_down(Context& c, std::size_t peer) {
  std::vector<std::string> led, followed;
  for (auto& [name, q] : durable_.queues) {
    if (q.copies.term == 0) continue;
    if (leads(name)) {
      led.push_back(name);
      continue;
    }
    // Whoever sees a mirror go writes it down: when it is back it has nothing.
    const bool mirrored_there = std::erase(q.copies.mirrors, peer) > 0;
    q.copies.synced.erase(peer);
    if (q.broker == peer || (q.broker != index_ && !peers_[q.broker].up && mirrored_there)) followed.push_back(name);
  }
  for (const std::string& name : led) lose_mirror(c, name, peer);
  for (const std::string& name : followed) leader_gone(c, name);
}

// remove_from_queue: the oldest mirror that lives leads, synchronised or not; with ha-promote-on-failure = when-synced
// none does if none is.
void Broker::leader_gone(Context& c, const std::string& queue) {
  QueueRecord& r = durable_.queues.at(queue);
  if (r.broker == index_) return;
  const auto gone = [&](std::size_t i) { return i != index_ && !peers_[i].up; };
  std::erase_if(r.copies.mirrors, gone);
  std::erase_if(r.copies.synced, gone);
  if (r.copies.mirrors.empty()) return queue_unreachable(c, queue);
  if (r.copies.synced.empty() && !ha(queue).promote_unsynced) {
    if (mirrors_.count(queue)) c.mark("mirror_not_promoted", queue, "no mirror is synchronised: the queue waits for its leader");
    r.copies.mirrors.clear();
    mirror_done(c, queue);
    return queue_unreachable(c, queue);
  }
  if (r.copies.mirrors.front() != index_) return;
  if (mirrors_.count(queue)) return promote(c, queue);
  // It is written down for what an earlier life of this node had: the next one leads.
  std::erase(r.copies.mirrors, index_);
  r.copies.synced.erase(index_);
  tell_peers(c, CopiesChanged{queue, r.broker, r.copies});
  if (r.copies.mirrors.empty()) queue_unreachable(c, queue);
}

void Broker::promote(Context& c, const std::string& queue) {
  QueueRecord& r = durable_.queues.at(queue);
  const Leadership before = mirrors_.at(queue).leader;
  const QueueMirror mirror = *mirrors_.at(queue).mirror;
  c.mark("mirror_promoted", queue, mirror.synchronised() ? "it is synchronised" : fmt::format("it lacks {} messages", mirror.lacks()));
  mirror_done(c, queue);
  r.broker = index_;
  r.copies.term = std::max(before.term, r.copies.term) + 1;
  std::erase(r.copies.mirrors, index_);
  if (r.copies.synced.erase(index_) == 0) r.copies.synced.clear();
  begin_copies(c, queue, r);
  QueueOptions options = queue_options(r.spec, cluster_->settings.rules);
  options.mirrored = true;
  QueueEffects out;
  ClassicQueue q = mirror.promote(queue, options, c.wall(), out);
  MirrorFollows m{.queue = queue, .leader = mirrors_.at(queue).leader, .before = before, .promoted_at = q.next_seq(), .messages = mirrored_messages(q)};
  processes_.insert_or_assign(queue, QueueProcess{std::move(q)});
  const std::uint32_t bytes = bytes_of(m.messages);
  const PayloadRef payload = framed(std::move(m));
  for (const std::size_t at : r.copies.mirrors) c.send(peers_[at].connection, mirror_follows_kind, payload, bytes);
  tell_peers(c, CopiesChanged{queue, index_, r.copies});
  carry_out(c, queue, out);
  set_queue_timer(c, queue);
  failed_over(c, queue);
  want_mirrors(c, queue);
}

void Broker::apply_copies(Context& c, const CopiesChanged& m) {
  const auto q = durable_.queues.find(m.name);
  if (q == durable_.queues.end() || m.copies.term < q->second.copies.term) return;
  QueueRecord& r = q->second;
  const bool other = r.broker != m.broker || r.copies.term != m.copies.term;
  if (other && r.broker == index_ && processes_.count(m.name)) mirror_done(c, m.name);  // another leads, of a later term
  r.broker = m.broker;
  r.copies = m.copies;
  if (other) failed_over(c, m.name);
  else if (r.broker != index_ && !peers_[r.broker].up) leader_gone(c, m.name);
}

// What the channels of this node notice of a new leader: what they hold, nobody waits for; what was not confirmed, nobody
// knows of; consumers consume again, unless they asked to be cancelled (x-cancel-on-ha-failover).
void Broker::failed_over(Context& c, const std::string& queue) {
  for (auto& [id, conn] : connections_)
    for (auto& [number, ch] : conn.channels) {
      for (UnackedDelivery& u : ch.unacked) u.lost = u.lost || u.queue == queue;
      std::vector<std::uint64_t> open;
      for (const auto& [publish, queues] : ch.unconfirmed)
        if (queues.count(queue)) open.push_back(publish);
      for (const std::uint64_t publish : open) confirm(ch, publish, queue, true);
      for (const auto& [tag, consumer] : ch.consumers) {
        if (consumer.queue != queue) continue;
        const FieldValue* cancel = consumer.spec.args.find("x-cancel-on-ha-failover");
        if (cancel && cancel->type == FieldType::boolean && cancel->number != 0) events_.push_back({ch.id, queue, CancelConsumer{{ch.id, tag}}});
        else ask({.kind = QueueOp::Kind::consume, .queue = queue, .channel = ch.id, .consumer = consumer.spec, .again = true});
      }
      if (ch.awaits && ch.awaits->queue == queue) events_.push_back({ch.id, queue, QueueAnswer{.of = QueueOp::Kind::status, .error = home_is_down(queue)}});
    }
  forget_credit(queue);
  (void)c;
}

}  // namespace mqlab::rabbitmq
