// What queues and streams hold, and who reads them, for whoever draws it (sim/lab/contents.h).
//
// The rule: a queue's place is that of its topic ("orders/0"), and the queue stands in its kind ("quorum queue orders.g"),
// so that the queues of two subscriptions to one place stay apart. A position is the message's own number in the queue
// (classic: its sequence number; quorum: its index in the Raft log), and an offset in a stream.
// Of a queue a group's `committed` is what lets `end - committed` be the messages that wait or are with consumers.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/model_parts.h"

namespace mqlab::rabbitmq {
namespace {

// A channel stands for its client.
struct Owner {
  NodeId client = nobody;
  const Channel* channel = nullptr;
};
using Owners = std::map<ChannelId, Owner>;

Owners owners_of(const World& w, const Cluster& cluster) {
  Owners out;
  for (const NodeId n : cluster.brokers)
    for (const auto& [id, connection] : w.node_as<Broker>(n).connections())
      for (const auto& [number, channel] : connection.channels) out[channel.id] = {connection.peer, &channel};
  return out;
}
NodeId client_of(const Owners& owners, ChannelId channel) {
  const auto it = owners.find(channel);
  return it == owners.end() ? nobody : it->second.client;
}

std::string priority_text(std::uint8_t priority) { return priority > 0 ? fmt::format("priority {}", priority) : std::string(); }
void add_word(std::string& text, const std::string& word) {
  if (!word.empty()) text += (text.empty() ? "" : ", ") + word;
}

std::string counted(std::int64_t n, const char* one, const char* many) { return fmt::format("{} {}", n, n == 1 ? one : many); }
std::string consumers(std::int64_t n) { return counted(n, "consumer", "consumers"); }
std::string messages(std::size_t n) { return counted(static_cast<std::int64_t>(n), "message", "messages"); }

RecordMoment record_of(std::int64_t position, const Content& c, mqlab::RecordState state) {
  RecordMoment r;
  r.position = position;
  r.message = c.message;
  r.key = c.key;
  r.state = state;
  if (!c.deaths.empty()) add_word(r.text, fmt::format("{} in {}", name(c.deaths.entries.front().reason), c.deaths.entries.front().queue));
  return r;
}

// Ascending, the first `records_shown`.
void finish(PlaceContents& p) {
  std::stable_sort(p.records.begin(), p.records.end(), [](const RecordMoment& a, const RecordMoment& b) { return a.position < b.position; });
  if (p.records.size() > records_shown) p.records.erase(p.records.begin() + static_cast<std::ptrdiff_t>(records_shown), p.records.end());
}

std::string limits(const QueueOptions& o) {
  std::string out;
  if (o.max_length) add_word(out, fmt::format("max-length {}, {}", *o.max_length, name(o.overflow)));
  if (o.message_ttl) add_word(out, "ttl " + format_duration(*o.message_ttl));
  if (o.delivery_limit) add_word(out, fmt::format("delivery limit {}", *o.delivery_limit));
  if (o.dead_letter_exchange) add_word(out, "dead letters to '" + *o.dead_letter_exchange + "'");
  return out;
}

// What a queue tells in numbers; what waits is what nobody has and what nobody has settled.
void count(PlaceContents& p, std::size_t ready, std::size_t unacked, std::size_t consumers) {
  const auto n = [](std::size_t v) { return static_cast<std::int64_t>(v); };
  p.numbers = {{"backlog", n(ready + unacked)}, {"ready", n(ready)}, {"unacked", n(unacked)}, {"consumers", n(consumers)}};
}

void fill(PlaceContents& p, const ClassicQueue& q, const Owners& owners, bool records) {
  p.queue = true;
  p.end = static_cast<std::int64_t>(q.next_seq());
  p.first = p.end;
  count(p, q.ready_count(), q.unacked_count(), q.consumer_count());
  const auto add = [&](const ClassicQueue::Message& m, mqlab::RecordState state, NodeId holder) {
    if (!records) return;
    RecordMoment r = record_of(static_cast<std::int64_t>(m.seq), *m.content, state);
    r.holder = holder;
    r.attempts = m.delivered && state == mqlab::RecordState::ready ? 1 : 0;
    add_word(r.text, priority_text(m.priority));
    if (!m.content->properties.persistent()) add_word(r.text, "transient");
    p.first = std::min(p.first, r.position);
    p.records.push_back(std::move(r));
  };
  for (const ClassicQueue::Message& m : q.ready()) add(m, mqlab::RecordState::ready, nobody);
  for (const auto& [id, u] : q.unacked()) add(u.message, mqlab::RecordState::unacked, client_of(owners, u.channel));
  p.facts = fmt::format("{} ready, {} unacked, {}", q.ready_count(), q.unacked_count(), consumers(q.consumer_count()));
  add_word(p.facts, limits(q.options()));
  finish(p);
}

void fill(PlaceContents& p, const QueueMirror& mirror, bool records) {
  p.queue = true;
  p.numbers = {{"backlog", static_cast<std::int64_t>(mirror.messages().size())}};
  if (!records) return;
  for (const auto& [seq, m] : mirror.messages()) {
    RecordMoment r = record_of(static_cast<std::int64_t>(seq), *m.content, mqlab::RecordState::ready);
    r.attempts = m.delivered ? 1 : 0;
    add_word(r.text, priority_text(m.priority));
    p.records.push_back(std::move(r));
  }
  p.first = p.records.empty() ? 0 : p.records.front().position;
  p.end = p.records.empty() ? 0 : p.records.back().position + 1;
  p.facts = messages(mirror.messages().size());
  add_word(p.facts, mirror.synchronised() ? "synchronised" : fmt::format("not synchronised: lacks {}", mirror.lacks()));
  finish(p);
}

// What the file of a queue without a process would give back: published and not acknowledged.
void fill(PlaceContents& p, const std::vector<StoreRecord>& store) {
  p.queue = true;
  std::map<std::uint64_t, const Content*> kept;
  std::uint64_t last = 0;
  for (const StoreRecord& r : store) {
    last = std::max(last, r.seq);
    if (r.kind == StoreRecord::Kind::publish) kept[r.seq] = r.content.get();
    else kept.erase(r.seq);
  }
  for (const auto& [seq, content] : kept) p.records.push_back(record_of(static_cast<std::int64_t>(seq), *content, mqlab::RecordState::uncommitted));
  p.first = p.records.empty() ? static_cast<std::int64_t>(last) : p.records.front().position;
  p.end = static_cast<std::int64_t>(last) + 1;
  p.facts = messages(kept.size()) + " in its file";
  finish(p);
}

void fill(PlaceContents& p, const QuorumQueue& q, const raft::Raft& raft, const Owners& owners, bool records) {
  p.queue = true;
  count(p, q.ready_count(), q.unacked_count(), q.consumer_count());
  p.numbers.insert(p.numbers.end(), {{"delayed", static_cast<std::int64_t>(q.delayed_count())}, {"epoch", static_cast<std::int64_t>(raft.epoch())},
                                     {"term", static_cast<std::int64_t>(raft.epoch())}, {"committed", raft.commit_offset() + 1}, {"end", raft.log().end() + 1}});
  p.end = raft.log().end() + 1;
  p.first = p.end;
  if (!records) return;
  const auto add = [&](const QuorumQueue::Message& m, mqlab::RecordState state, NodeId holder) {
    RecordMoment r = record_of(static_cast<std::int64_t>(m.index), *m.content, state);
    r.holder = holder;
    r.attempts = static_cast<std::uint32_t>(std::max(m.acquired, m.failed));
    if (m.failed > 0) add_word(r.text, fmt::format("x-delivery-count {}", m.failed));
    p.records.push_back(std::move(r));
  };
  for (const QuorumQueue::Message& m : q.ready()) add(m, mqlab::RecordState::ready, nobody);
  for (const auto& [key, consumer] : q.consumers())
    for (const auto& [id, held] : consumer.checked_out) add(held.message, mqlab::RecordState::unacked, client_of(owners, key.channel));
  // What is in this log and not applied here: numbers are those that it will have.
  for (raft::Offset at = std::max(raft.commit_offset(), raft.log().start()); at < raft.log().end(); ++at) {
    const raft::Entry& e = raft.log().at(at);
    if (e.control || !e.command) continue;
    if (const auto* enqueue = std::get_if<Enqueue>(&payload_as<QuorumEntry>(e.command).command)) {
      RecordMoment r = record_of(at + 1, *enqueue->content, mqlab::RecordState::uncommitted);
      r.epoch = static_cast<std::uint32_t>(e.epoch);
      p.records.push_back(std::move(r));
    }
  }
  finish(p);
  if (!p.records.empty()) p.first = p.records.front().position;
  p.markers.push_back({"committed", raft.commit_offset() + 1, "a majority has all entries of the Raft log before it, as this member knows"});
  p.markers.push_back({"log end", p.end, "the next entry of the Raft log gets it; settlements are entries too"});
  p.facts = fmt::format("term {}, {} ready, {} unacked, {}", raft.epoch(), q.ready_count(), q.unacked_count(), consumers(q.consumer_count()));
  if (q.delayed_count() > 0) add_word(p.facts, fmt::format("{} delayed", q.delayed_count()));
  if (q.dead_letter_count() > 0) add_word(p.facts, fmt::format("{} dead letters to hand on", q.dead_letter_count()));
  add_word(p.facts, limits(q.options()));
}

void fill(PlaceContents& p, std::span<const StreamChunk> chunks, std::int64_t committed, std::int64_t next, bool records) {
  for (auto chunk = chunks.rbegin(); records && chunk != chunks.rend() && p.records.size() < records_shown; ++chunk)
    for (std::size_t i = chunk->messages.size(); i-- > 0 && p.records.size() < records_shown;) {
      const std::int64_t at = chunk->first + static_cast<std::int64_t>(i);
      p.records.push_back(record_of(at, *chunk->messages[i], at < committed ? mqlab::RecordState::committed : mqlab::RecordState::uncommitted));
    }
  std::reverse(p.records.begin(), p.records.end());
  p.first = chunks.empty() ? next : chunks.front().first;
  p.end = next;
}
void fill(PlaceContents& p, const StreamQueue& s, bool records) {
  fill(p, s.chunks(), s.committed(), s.next(), records);
  p.numbers = {{"committed", s.committed()}, {"next", s.next()}, {"consumers", static_cast<std::int64_t>(s.consumer_count())}};
  p.markers.push_back({"committed", s.committed(), "a majority has all before it: readers see no more"});
  p.markers.push_back({"next", s.next(), "the next message gets this offset"});
  p.facts = consumers(s.consumer_count());
}

// --- the queues of one broker ---

struct Site {
  const World& w;
  const Cluster& cluster;
  const Owners& owners;
  NodeId node = nobody;
  std::size_t index = 0;
  const Broker& broker;
  bool records = true;
};

std::optional<PlaceContents> copy_of(const Site& s, const std::string& queue, const QueueRecord& record) {
  PlaceContents p;
  const QueuePlan* plan = s.cluster.queue(queue);
  const TopicPlan* topic = plan ? s.cluster.topic(plan->topic) : nullptr;
  p.place = topic ? topic->place(plan->partition) : queue;
  p.node = s.node;
  const QueueType type = queue_type(record.spec);
  p.kind = fmt::format("{}{} {}", topic && topic->dead_letters ? "dead-letter " : "", type == QueueType::stream ? "stream" : type == QueueType::quorum ? "quorum queue" : "classic queue", queue);
  const bool up = s.w.running(s.node);
  if (type == QueueType::quorum) {
    const QuorumQueue* q = s.broker.quorum().machine(queue);
    const raft::Raft* raft = s.broker.quorum().raft(queue);
    if (!raft) return std::nullopt;  // no member
    p.queue = true;
    if (!q || !up) {
      p.role = up ? "not started" : "on disk";
      p.facts = "this member does not run";
      return p;
    }
    p.leads = s.broker.quorum().leads(queue);
    p.role = p.leads ? "leader" : std::string(raft::name(raft->role));
    fill(p, *q, *raft, s.owners, s.records);
    return p;
  }
  const QueueProcess* process = s.broker.process(queue);
  const MirrorRole* role = s.broker.mirror_role(queue);
  if (up && process) {
    if (record.copies.term > 0) {
      p.leads = s.broker.leads(queue);
      p.role = "leader";
    }
    if (const auto* q = std::get_if<ClassicQueue>(&process->machine)) fill(p, *q, s.owners, s.records);
    else fill(p, std::get<StreamQueue>(process->machine), s.records);
    if (!process->mailbox.empty()) add_word(p.facts, fmt::format("{} in its mailbox", process->mailbox.size()));
    return p;
  }
  if (up && role && role->mirror) {
    p.role = "mirror";
    fill(p, *role->mirror, s.records);
    return p;
  }
  if (up || (record.broker != s.index && record.store.empty())) return std::nullopt;  // it lives elsewhere
  p.role = "on disk";
  if (type == QueueType::stream) {
    fill(p, record.chunks, 0, record.chunks.empty() ? 0 : record.chunks.back().end(), s.records);
  } else {
    fill(p, record.store);
  }
  return p;
}

// --- who reads ---

// The queues of one subscription, and the consumers on them.
class Groups {
 public:
  Groups(const World& w, const Owners& owners) : w_(w), owners_(owners) {}

  void add(const Site& s, const std::string& queue, const PlaceContents& copy) {
    const QueuePlan* plan = s.cluster.queue(queue);
    const QueueType type = queue_type(s.broker.queues().at(queue).spec);
    if (type == QueueType::stream) return add_stream(s, std::get<StreamQueue>(s.broker.process(queue)->machine), copy);
    GroupContents& g = group(plan && !plan->subscription.empty() ? plan->subscription : queue, s.node, "competing consumers");
    const auto waiting = static_cast<std::int64_t>(s.broker.ready_count(queue) + s.broker.unacked_count(queue));
    g.progress.push_back({copy.place, copy.end - waiting, copy.end});
    if (type == QueueType::quorum) {
      const QuorumQueue& q = *s.broker.quorum().machine(queue);
      if (q.options().single_active_consumer) g.state = "a single active consumer";
      for (const auto& [key, consumer] : q.consumers()) {
        const bool active = !q.options().single_active_consumer || q.active_consumer() == key;
        member(g, key, copy.place, active, consumer.checked_out.size(), consumer.suspected() ? "suspected" : "");
      }
      for (const QuorumQueue::Consumer& consumer : q.waiting()) member(g, consumer.spec.key, {}, false, consumer.checked_out.size(), "waits its turn");
      return;
    }
    const auto& classic = std::get<ClassicQueue>(s.broker.process(queue)->machine);
    const auto active = classic.active_consumer();
    if (classic.options().single_active_consumer) g.state = "a single active consumer";
    for (const ConsumerKey& key : classic.consumers()) {
      std::size_t held = 0;
      for (const auto& [id, u] : classic.unacked()) held += u.channel == key.channel && u.tag == key.tag;
      member(g, key, !active || *active == key ? copy.place : std::string(), !active || *active == key, held, "");
    }
  }
  std::vector<GroupContents> take() {
    for (GroupContents& g : groups_) {
      if (g.members.empty()) g.state = "nobody consumes";
      for (GroupMember& m : g.members) {
        const Facts& f = facts_[{g.name, m.name}];
        if (f.prefetch > 0) m.facts = fmt::format("prefetch {}, ", f.prefetch);
        m.facts += fmt::format("has {}", f.held);
        add_word(m.facts, f.word);
      }
    }
    return std::move(groups_);
  }

 private:
  struct Facts {
    std::uint32_t prefetch = 0;
    std::size_t held = 0;
    std::string word;
  };
  GroupContents& group(const std::string& name, NodeId node, const char* state) {
    const auto [it, fresh] = at_.try_emplace(name, groups_.size());
    if (fresh) {
      groups_.emplace_back();
      groups_.back().name = name;
      groups_.back().node = node;
      groups_.back().state = state;
    }
    return groups_[it->second];
  }
  // Who reads a stream under one name, and the offset that is stored under it.
  void add_stream(const Site& s, const StreamQueue& stream, const PlaceContents& copy) {
    for (const ConsumerKey& key : stream.consumers()) {
      const ChannelConsumer* consumer = nullptr;
      const auto owner = owners_.find(key.channel);
      if (owner != owners_.end())
        if (const auto it = owner->second.channel->consumers.find(key.tag); it != owner->second.channel->consumers.end()) consumer = &it->second;
      const std::string* name = consumer ? group_of(consumer->spec.args) : nullptr;
      GroupContents& g = group(name ? *name : member_name(key), s.node, name ? "one active reader a partition" : "a reader of its own");
      member(g, key, copy.place, true, 0, "");
      if (std::any_of(g.progress.begin(), g.progress.end(), [&](const GroupProgress& p) { return p.place == copy.place; })) continue;
      const auto stored = name ? stream.stored_offset(*name) : std::optional<std::int64_t>();
      g.progress.push_back({copy.place, stored ? *stored + 1 : -1, stream.committed()});
    }
  }
  std::string member_name(const ConsumerKey& key) const {
    const NodeId client = client_of(owners_, key.channel);
    return client == nobody ? "consumer " + key.tag : w_.name(client);
  }
  void member(GroupContents& g, const ConsumerKey& key, const std::string& place, bool active, std::size_t held, const std::string& word) {
    const auto owner = owners_.find(key.channel);
    const std::string name = member_name(key);
    auto m = std::find_if(g.members.begin(), g.members.end(), [&](const GroupMember& x) { return x.name == name; });
    if (m == g.members.end()) m = g.members.insert(m, GroupMember{name, {}, {}});
    if (!place.empty() && active && std::find(m->places.begin(), m->places.end(), place) == m->places.end()) m->places.push_back(place);
    Facts& f = facts_[{g.name, name}];
    f.held += held;
    if (!active && f.word.empty()) f.word = "not active";
    if (!word.empty()) f.word = word;
    if (owner == owners_.end()) return;
    const auto consumer = owner->second.channel->consumers.find(key.tag);
    if (consumer != owner->second.channel->consumers.end()) f.prefetch = std::max(f.prefetch, consumer->second.spec.prefetch);
  }

  const World& w_;
  const Owners& owners_;
  std::vector<GroupContents> groups_;
  std::map<std::string, std::size_t> at_;
  std::map<std::pair<std::string, std::string>, Facts> facts_;
};

}  // namespace

Contents contents_of(const World& w, const ContentsWish& wish) {
  Contents out;
  const ClusterRef cluster = cluster_of(w);
  if (!cluster) return out;
  const Owners owners = owners_of(w, *cluster);
  Groups groups(w, owners);
  // By queue, in the order of the topics; queues that clients declared come after them.
  std::vector<std::string> names;
  for (const QueuePlan& q : cluster->queues) names.push_back(q.spec.name);
  std::set<std::string> others;
  for (const NodeId n : cluster->brokers)
    for (const auto& [name, record] : w.node_as<Broker>(n).queues())
      if (!cluster->queue(name)) others.insert(name);
  names.insert(names.end(), others.begin(), others.end());
  for (const std::string& name : names) {
    const QueuePlan* plan = cluster->queue(name);
    const TopicPlan* topic = plan ? cluster->topic(plan->topic) : nullptr;
    const bool wanted = wish.wants(topic ? topic->place(plan->partition) : name, name);
    if (!wanted && !wish.groups) continue;
    const PlaceContents* told = nullptr;
    std::optional<Site> teller;
    const std::size_t before = out.places.size();
    std::vector<Site> sites;
    for (std::size_t i = 0; i < cluster->brokers.size(); ++i) {
      const NodeId n = cluster->brokers[i];
      const Broker& broker = w.node_as<Broker>(n);
      const auto record = broker.queues().find(name);
      if (record == broker.queues().end()) continue;
      const Site site{w, *cluster, owners, n, i, broker, wish.records};
      auto copy = copy_of(site, name, record->second);
      if (!copy) continue;
      out.places.push_back(std::move(*copy));
      sites.push_back(site);
    }
    // Who reads: as the leader knows, of several the one of the latest term; without mirrors, the one home.
    std::uint64_t term = 0;
    for (std::size_t i = before; i < out.places.size(); ++i) {
      const PlaceContents& p = out.places[i];
      const Site& s = sites[i - before];
      const bool quorum = s.broker.quorum().has(name);
      if (quorum ? !p.leads : !s.broker.process(name)) continue;
      if (!w.running(s.node)) continue;
      const std::uint64_t its = quorum ? static_cast<std::uint64_t>(s.broker.quorum().raft(name)->epoch()) : s.broker.queues().at(name).copies.term;
      if (told && its <= term) continue;
      told = &p;
      term = its;
      teller.emplace(s);
    }
    if (told && wish.groups) groups.add(*teller, name, *told);
    if (!wanted) out.places.resize(before);
  }
  out.groups = groups.take();
  return out;
}

}  // namespace mqlab::rabbitmq
