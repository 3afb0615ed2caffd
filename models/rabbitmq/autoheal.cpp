// cluster_partition_handling = autoheal: once all nodes see each other again, all sides of a partition but one restart.
//
// The first node decides, for it asks all what they see; the winner, a node of the side that stays, tells the losers to stop,
// waits until all have, and lets them start again. Whoever loses one that it waits for goes on without it. (In the product
// the winner also tells the first node when it is done.) Source: rabbit_autoheal.
#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"

namespace mqlab::rabbitmq {

void Broker::tell_autoheal(Context& c, std::size_t to, Autoheal m) {
  if (to == index_) return on_autoheal(c, index_, m);
  const Peer& p = peers_[to];
  if (p.connected && p.connection != no_connection && c.is_open(p.connection)) c.send(p.connection, cluster_autoheal_kind, framed(std::move(m)), 128);
}

// It acts when the partition is over: all are connected, and somebody is still partitioned.
void Broker::maybe_autoheal(Context& c) {
  if (cluster_->settings.partition_handling != PartitionHandling::autoheal || app_ != App::runs || healing_) return;
  if (split_from().empty() || !sees_all()) return;
  tell_autoheal(c, 0, {.step = Autoheal::Step::request_start});
}

void Broker::on_autoheal(Context& c, std::size_t from, const Autoheal& m) {
  using Step = Autoheal::Step;
  switch (m.step) {
    case Step::request_start:
      if (healing_ || app_ != App::runs || !sees_all()) return;
      healing_ = Healing{};
      for (std::size_t i = 0; i < peers_.size(); ++i) tell_autoheal(c, i, {.step = Step::status_wanted});
      return;
    case Step::status_wanted:
      return tell_autoheal(c, from, {.step = Step::status, .nodes = split_from(), .connections = static_cast<std::int64_t>(connections_.size()), .sees_all = sees_all() && app_ == App::runs});
    case Step::status:
      if (!healing_ || !healing_->losers.empty()) return;
      healing_->status[from] = m;
      return decide_autoheal(c);
    case Step::become_winner:
      if (app_ != App::runs) return;
      healing_ = Healing{};
      healing_->losers = healing_->waits_for = m.nodes;
      for (const std::size_t i : m.nodes) tell_autoheal(c, i, {.step = Step::winner_is});
      return;
    case Step::winner_is: {
      if (app_ != App::runs) return;
      c.mark("healing", {}, fmt::format("it restarts; {} stays", c.name(cluster_->brokers[from])));
      const bool decides = healing_.has_value();
      stop_app(c);
      app_ = App::heals;
      if (!decides) healing_ = Healing{};
      healing_->losers.clear();
      healing_->waits_for = {from};
      healing_->winner = from;
      return;
    }
    case Step::safe_to_start:
      if (app_ != App::heals) return;
      healing_.reset();
      return start_app(c, false);
  }
}

// all_partitions, make_decision: most clients, then most nodes; the rest is nobody's promise.
void Broker::decide_autoheal(Context& c) {
  if (healing_->status.size() < peers_.size()) return;
  std::vector<std::set<std::size_t>> sides(1);
  for (std::size_t i = 0; i < peers_.size(); ++i) sides[0].insert(i);
  bool all = true;
  for (const auto& [node, status] : healing_->status) {
    all = all && status.sees_all;
    for (std::size_t s = 0; s < sides.size(); ++s) {
      if (!sides[s].count(node)) continue;
      std::set<std::size_t> here, there;
      for (const std::size_t i : sides[s]) (status.nodes.count(i) ? there : here).insert(i);
      if (here.empty() || there.empty()) break;
      sides[s] = std::move(here);
      sides.push_back(std::move(there));
      break;
    }
  }
  if (!all || sides.size() < 2) return healing_.reset();
  const auto value = [&](const std::set<std::size_t>& side) {
    std::int64_t connections = 0;
    for (const std::size_t i : side) connections += healing_->status.at(i).connections;
    return std::pair{connections, side.size()};
  };
  const auto best = std::max_element(sides.begin(), sides.end(), [&](const auto& a, const auto& b) { return value(a) < value(b); });
  const std::size_t winner = *best->begin();
  Autoheal m{.step = Autoheal::Step::become_winner};
  for (const auto& side : sides)
    if (&side != &*best) m.nodes.insert(side.begin(), side.end());
  healing_.reset();
  tell_autoheal(c, winner, std::move(m));
}

// The winner: all losers have stopped, or cannot be waited for. A loser: its winner is gone.
void Broker::heal_step(Context& c) {
  std::erase_if(healing_->waits_for, [&](std::size_t i) { return !peers_[i].connected || (app_ == App::runs && !peers_[i].split && !peers_[i].up); });
  if (app_ == App::heals) {
    if (!healing_->waits_for.empty()) return;
    healing_.reset();
    return start_app(c, false);
  }
  if (healing_->losers.empty()) return healing_.reset();  // of who decides: a node went meanwhile
  if (!healing_->waits_for.empty()) return;
  const std::set<std::size_t> losers = std::exchange(healing_->losers, {});
  healing_.reset();
  for (const std::size_t i : losers) tell_autoheal(c, i, {.step = Autoheal::Step::safe_to_start});
}

}  // namespace mqlab::rabbitmq
