// A node of 3.x among others: who is connected, who is partitioned from whom, and what is done about it.
//
// Nodes are connected or not (Erlang); on each the application runs or not. Two whose applications ran and that lost
// each other are partitioned once they are connected again: neither tells the other anything, for each has written down
// that the other is gone. A node whose application begins takes over the metadata of one that runs, and with it that
// one's side. autoheal: autoheal.cpp. Sources: docs 3.13 partitions; rabbit_node_monitor, rabbit_mnesia.
#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {
namespace {

constexpr Duration look_again = 1'000'000'000;  // RABBIT_DOWN_PING_INTERVAL
constexpr int ticks_missed = 4;                 // net_kernel: a connection without data for so many ticks is closed

}  // namespace

std::set<std::size_t> Broker::split_from() const {
  std::set<std::size_t> out;
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i].split) out.insert(i);
  return out;
}

std::map<std::size_t, std::uint64_t> Broker::together() const {
  std::map<std::size_t, std::uint64_t> out;
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i].up) out[i] = peers_[i].life;
  return out;
}

// alive_nodes: who is connected counts, whether its application runs or not.
bool Broker::sees_majority() const {
  const auto connected = std::count_if(peers_.begin(), peers_.end(), [](const Peer& p) { return p.connected; });
  return 2 * (static_cast<std::size_t>(connected) + 1) > peers_.size();
}

bool Broker::sees_all() const {
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (i != index_ && !peers_[i].connected) return false;
  return true;
}

// ---------------------------------------------------------------------------------------------
// Meeting.

void Broker::say_hello(Context& c, std::size_t peer, bool asks) {
  Peer& p = peers_[peer];
  if (p.connection == no_connection || !c.is_open(p.connection)) {
    p.connection = c.connect(cluster_->brokers[peer], Traffic::control);
    p.opened = c.now();
  }
  ClusterHello h;
  h.asks = asks;
  h.process = started_at_;
  h.opened = p.opened;
  h.life = app_ == App::runs || app_ == App::boots ? life_ : 0;
  h.booting = app_ == App::boots;
  h.first = first_life_;
  h.knows = p.life;
  h.parted = p.seen_down;
  h.with = together();
  c.send(p.connection, cluster_hello_kind, framed(h), 64);
}

// Two nodes have one connection. Of two that they open at a time the later one stays, and of two at once that of the first
// node: so both choose the same.
void Broker::on_hello(Context& c, std::size_t from, ConnId connection, const ClusterHello& h) {
  Peer& p = peers_[from];
  if (connection != p.connection) {
    const bool later = h.opened > p.opened || (h.opened == p.opened && from < index_);
    const bool has_one = p.connection != no_connection && c.is_open(p.connection);
    if (has_one && !later) return c.close(connection);
    if (std::exchange(p.connected, false)) node_down(c, from, "it connected anew");
    if (has_one) c.close(p.connection);
    p.connection = connection;
    p.opened = h.opened;
  }
  p.connected = p.tried = p.greeted = true;
  p.missed = 0;
  p.booting = h.booting;
  if (h.asks) say_hello(c, from, false);
  if (h.life == 0 || (app_ != App::runs && app_ != App::boots)) {
    if (p.up) peer_down(c, from, "its application stopped");
    return maybe_boot(c);
  }
  bool parted = h.parted && h.knows == life_;
  if (p.life != h.life) {
    if (p.up) peer_down(c, from, "it began anew");
    // It began, and neither by asking this node nor with those that this one is together with: it went its own way.
    const bool with_ours = std::any_of(h.with.begin(), h.with.end(), [&](const auto& w) { return w.first != index_ && peers_[w.first].up && peers_[w.first].life == w.second; });
    parted = app_ == App::runs && !h.booting && !(h.first && first_life_) && !with_ours;
    p.life = h.life;
    p.seen_down = p.split = false;
  } else {
    parted = parted || p.seen_down;
  }
  if (parted) {
    if (p.up) peer_down(c, from, "it has seen this node go");
    p.seen_down = true;
    if (!std::exchange(p.split, true)) c.mark("partitioned", {}, c.name(cluster_->brokers[from]));
    if (!h.parted) say_hello(c, from, false);  // it may not know
    return maybe_autoheal(c);
  }
  if (!std::exchange(p.up, true)) c.mark("node_up", {}, c.name(cluster_->brokers[from]));
  durable_.running.insert(from);
  if (h.booting) {
    c.send(p.connection, cluster_metadata_kind, framed(metadata()), 1024);
    for (const auto& [queue, q] : durable_.queues)
      if (leads(queue)) want_mirrors(c, queue);
  }
  maybe_boot(c);
}

void Broker::tick_members(Context& c) {
  c.set_timer(cluster_->settings.net_ticktime / 4, timer_tick);
  std::vector<std::size_t> gone;
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (i != index_ && peers_[i].connected && peers_[i].missed++ >= ticks_missed) gone.push_back(i);
  // All that are silent at this tick are gone at once: whether it is a majority is judged by those that remain.
  for (const std::size_t i : gone) peers_[i].connected = false;
  for (const std::size_t i : gone) {
    c.close(peers_[i].connection);
    peers_[i].connection = no_connection;
    node_down(c, i, "nothing was heard of it");
    c.set_timer(look_again, timer_greet, i);
  }
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (i != index_ && peers_[i].connected) c.send(peers_[i].connection, cluster_tick_kind, nullptr, 16);
}

// True: it was a connection of the cluster.
bool Broker::member_closed(Context& c, ConnId connection, std::size_t peer, CloseReason reason) {
  Peer& p = peers_[peer];
  if (connection != p.connection) return true;
  p.connection = no_connection;
  p.tried = p.tried || reason == CloseReason::refused || reason == CloseReason::timeout;
  if (std::exchange(p.connected, false)) node_down(c, peer, "the connection broke");
  c.set_timer(look_again, timer_greet, peer);
  maybe_boot(c);
  return true;
}

// nodedown. In a minority nothing more is confirmed (pause_partition_guard), so it stops before anything else.
void Broker::node_down(Context& c, std::size_t peer, const char* why) {
  Peer& p = peers_[peer];
  if (p.life != 0 && (p.up || p.split)) p.seen_down = true;
  p.split = false;
  const bool pauses = cluster_->settings.partition_handling == PartitionHandling::pause_minority;
  if (pauses && app_ == App::runs && !sees_majority()) {
    c.mark("node_down", {}, fmt::format("{}: {}", c.name(cluster_->brokers[peer]), why));
    return pause_app(c, false);
  }
  const std::uint64_t life = p.up ? p.life : 0;
  peer_down(c, peer, why);
  if (life != 0)
    for (std::size_t i = 0; i < peers_.size(); ++i)
      if (peers_[i].up) tell_partial(c, i, {PartialPartition::Step::check, peer, life, index_});
  if (healing_) heal_step(c);
}

// ---------------------------------------------------------------------------------------------
// Partial partitions.

void Broker::tell_partial(Context& c, std::size_t to, const PartialPartition& m) {
  const Peer& p = peers_[to];
  if (p.connected && c.is_open(p.connection)) c.send(p.connection, cluster_partial_kind, framed(m), 64);
}

void Broker::on_partial(Context& c, std::size_t from, const PartialPartition& m) {
  using Step = PartialPartition::Step;
  PartialPartition next = m;
  switch (m.step) {
    case Step::check:  // not having heard of it is not enough: it must answer
      next.step = Step::probe;
      if (m.node != index_ && peers_[m.node].up && peers_[m.node].life == m.life) tell_partial(c, m.node, next);
      return;
    case Step::probe:
      next.step = Step::probe_answer;
      if (app_ == App::runs && life_ == m.life) tell_partial(c, from, next);
      return;
    case Step::probe_answer:
      next.step = Step::found;
      if (peers_[m.node].up) tell_partial(c, m.reporter, next);
      return;
    case Step::found:
      if (app_ != App::runs || !peers_[from].up || peers_[m.node].up || peers_[m.node].life != m.life) return;
      c.mark("partial_partition", {}, fmt::format("{} is seen by {}", c.name(cluster_->brokers[m.node]), c.name(cluster_->brokers[from])));
      if (cluster_->settings.partition_handling == PartitionHandling::pause_minority) return pause_app(c, true);
      next.step = Step::disconnect;
      tell_partial(c, from, next);
      return disconnect(c, from);
    case Step::disconnect:
      if (app_ == App::runs) disconnect(c, from);
      return;
  }
}

void Broker::disconnect(Context& c, std::size_t peer) {
  Peer& p = peers_[peer];
  if (!std::exchange(p.connected, false)) return;
  c.close(p.connection);
  p.connection = no_connection;
  c.set_timer(look_again, timer_greet, peer);
  node_down(c, peer, "to make a partial partition a whole one");
}

// ---------------------------------------------------------------------------------------------
// The application begins and stops.

void Broker::start_app(Context& c, bool first) {
  life_ = ++durable_.channels;
  first_life_ = first;
  app_ = first ? App::runs : App::boots;
  host_.start(c, channel_id(c.self(), durable_.channels + 1));
  if (first) {
    define_topics(c);
  } else if (!durable_.defined) {
    // An empty disk: what there is it learns from the others.
    durable_.defined = true;
    for (std::size_t i = 0; i < peers_.size(); ++i)
      if (i != index_) durable_.running.insert(i);
  } else {
    start_queues(c);
    durable_.ended_well = false;
  }
  c.mark("broker_up", {}, first ? "" : "it asks the others what there is");
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (i != index_) say_hello(c, i, true);
}

// As rabbitmqctl stop_app: in good order, and the node stays.
void Broker::stop_app(Context& c) {
  close_clients(c);
  write_recovery_terms();
  for (auto& [name, p] : processes_) {
    if (p.timer != no_event) c.cancel_timer(p.timer);
    if (p.busy != no_event) c.cancel_timer(p.busy);
  }
  processes_.clear();
  mirrors_.clear();
  dlx_workers_.clear();
  tickets_.clear();
  host_.stop(c);
  limiter_ = {};
  ops_.clear();
  events_.clear();
  to_confirm_.clear();
  slowed_.clear();
  to_read_.clear();
  memory_alarm_ = alarm_by_command_ = false;
  boot_answers_.clear();
  forget_transient();
  durable_.ended_well = true;
  for (Peer& p : peers_) {
    if (p.connected && p.connection != no_connection && c.is_open(p.connection)) c.send(p.connection, cluster_app_down_kind, nullptr, 32);
    p.up = p.split = p.seen_down = p.booting = p.greeted = false;
    p.life = 0;
  }
}

void Broker::pause_app(Context& c, bool until_all) {
  c.mark("paused_in_minority", {}, until_all ? "a node that it does not see is there: until all are back" : "it sees at most half of the nodes");
  stop_app(c);
  until_all_ = until_all;
  app_ = App::paused;
  c.set_timer(look_again, timer_paused);
}

void Broker::on_pause_timer(Context& c) {
  if (app_ != App::paused) return;
  if (until_all_ ? sees_all() : sees_majority()) {
    c.mark("pause_over");
    return start_app(c, false);
  }
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (i != index_ && peers_[i].connection == no_connection) say_hello(c, i, true);
  c.set_timer(look_again, timer_paused);
}

// ---------------------------------------------------------------------------------------------
// What there is.

ClusterMetadata Broker::metadata() const {
  ClusterMetadata all;
  all.routing = durable_.routing;
  for (const auto& [name, q] : durable_.queues) all.queues[name] = {q.spec, q.broker, q.created, q.copies};
  all.booting = app_ == App::boots;
  all.with = together();
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i].split) all.split_from[i] = peers_[i].life;
  return all;
}

// From the first that runs it takes all; with those that one is partitioned from it is partitioned too.
void Broker::on_metadata(Context& c, std::size_t from, const ClusterMetadata& all) {
  if (app_ != App::boots || !peers_[from].up) return;
  if (all.booting) {
    boot_answers_[from] = all;
    return maybe_boot(c);
  }
  adopt(c, all);
  for (const auto& [i, life] : all.with)
    if (i != index_ && peers_[i].life == 0) peers_[i].life = life;
  for (const auto& [i, life] : all.split_from) {
    if (i == index_) continue;
    Peer& p = peers_[i];
    if (p.up) peer_down(c, i, "it is on the other side");
    p.life = life;
    p.seen_down = p.split = true;
    if (p.connected) say_hello(c, i, true);
  }
  now_runs(c);
}

void Broker::adopt(Context& c, const ClusterMetadata& all) {
  take_over(c, all);
  for (const auto& [name, home] : all.queues)
    if (const auto q = durable_.queues.find(name); q != durable_.queues.end() && home.copies.term > 0) take_copies(c, name, home);
}

// A mirrored queue as others know it. What this node has of it in its file counts only where it leads; a leader that has
// mirrors which live is followed by one of them.
void Broker::take_copies(Context& c, const std::string& queue, const QueueHome& home) {
  QueueRecord& r = durable_.queues.at(queue);
  r.broker = home.broker;
  r.copies = home.copies;
  std::erase(r.copies.mirrors, index_);  // of an earlier life
  r.copies.synced.erase(index_);
  if (home.broker == index_ && !home.copies.mirrors.empty()) r.broker = home.copies.mirrors.front();
  if (r.broker != index_) mirror_done(c, queue);
}

// Nobody runs: the node knows enough when all have answered that ran when it did, and all that can be reached.
void Broker::maybe_boot(Context& c) {
  if (app_ != App::boots) return;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (i == index_ || boot_answers_.count(i)) continue;
    const Peer& p = peers_[i];
    if (durable_.running.count(i) || !p.tried || p.up || (p.connected && !p.greeted)) return;
  }
  for (const auto& [from, all] : boot_answers_)
    for (const auto& [name, home] : all.queues)
      if (const auto q = durable_.queues.find(name); q != durable_.queues.end() && home.copies.term > q->second.copies.term) {
        q->second.broker = home.broker;
        q->second.copies = home.copies;
      }
  for (auto& [name, q] : durable_.queues) {
    q.copies.mirrors.clear();
    q.copies.synced.clear();
    if (q.copies.term > 0 && q.broker != index_) mirror_done(c, name);
  }
  now_runs(c);
}

void Broker::now_runs(Context& c) {
  app_ = App::runs;
  boot_answers_.clear();
  std::vector<std::string> led;
  for (auto& [name, q] : durable_.queues)
    if (q.copies.term > 0 && q.broker == index_ && !processes_.count(name)) led.push_back(name);
  for (const std::string& name : led) {
    ++durable_.queues.at(name).copies.term;
    start_queue(c, name, durable_.at_rest.count(name) > 0);
    durable_.at_rest.erase(name);
  }
  c.mark("joined", {}, "it serves clients");
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i].up && peers_[i].booting) c.send(peers_[i].connection, cluster_metadata_kind, framed(metadata()), 1024);
  for (const std::string& name : led) {
    tell_peers(c, CopiesChanged{name, index_, durable_.queues.at(name).copies});
    want_mirrors(c, name);
  }
  maybe_autoheal(c);
}

void Broker::forget_transient() {
  // Transient things do not come back, nor what belonged to a connection.
  std::vector<std::string> gone;
  for (const auto& [name, r] : durable_.queues)
    if (!r.spec.durable || r.spec.exclusive) gone.push_back(name);
  for (const std::string& name : gone) {
    durable_.queues.erase(name);
    durable_.routing.remove_queue(name);
  }
  durable_.routing.restart();
}

}  // namespace mqlab::rabbitmq
