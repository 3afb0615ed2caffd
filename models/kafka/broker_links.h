// models/kafka/broker_links.h: requests of one broker to others, for transactions: markers, and questions to coordinators.
//
// One connection to each broker, opened when it is needed; what is asked carries a number, which comes back with the
// answer. One rule: an ask ends once, by its answer (answered), or because its link broke or stayed silent (lost).
// The broker's own coordinator and partitions are not asked through here.
//
// Elsewhere: who asks again, and when (txn_desk.h).
//
//     links.ask(c, node, Kind::write_txn_markers, payload, 128, number, timeout);
//     for (std::uint64_t number : links.closed(c, connection)) ask_later(number);
#pragma once

#include <algorithm>
#include <vector>

#include "models/kafka/broker_timers.h"
#include "models/kafka/messages.h"
#include "sim/world/world.h"

namespace mqlab::kafka {

class BrokerLinks {
 public:
  // Sends to that node. After `timeout` without an answer the link is closed, as on_timer says.
  void ask(Context& c, NodeId to, Kind k, PayloadRef payload, std::uint32_t size, std::uint64_t number, Duration timeout) {
    auto link = std::find_if(links_.begin(), links_.end(), [&](const Link& l) { return l.to == to; });
    if (link == links_.end()) link = links_.insert(links_.end(), {to, no_connection});
    if (link->connection == no_connection || !c.is_open(link->connection)) link->connection = c.connect(to, Traffic::replication);
    asked_.push_back({number, link->connection, c.set_timer(timeout, timer_txn_link, number)});
    c.send(link->connection, kind(k), std::move(payload), size, number);
  }

  // The answer to this number is here. False: nobody waits for it any more.
  bool answered(Context& c, std::uint64_t number) {
    const auto it = find(number);
    if (it == asked_.end()) return false;
    c.cancel_timer(it->timer);
    asked_.erase(it);
    return true;
  }

  // The numbers that will have no answer, now that this connection is closed; none if it is not one of these links.
  std::vector<std::uint64_t> closed(Context& c, ConnId connection) {
    std::vector<std::uint64_t> lost;
    for (Link& l : links_)
      if (connection != no_connection && l.connection == connection) l.connection = no_connection;
    std::erase_if(asked_, [&](const Asked& a) {
      if (a.connection != connection) return false;
      c.cancel_timer(a.timer);
      lost.push_back(a.number);
      return true;
    });
    return lost;
  }

  // timer_txn_link: an ask has waited too long; its link is closed, and all that were asked over it are lost.
  std::vector<std::uint64_t> on_timer(Context& c, std::uint64_t number) {
    const auto it = find(number);
    if (it == asked_.end()) return {};
    const ConnId silent = it->connection;
    std::vector<std::uint64_t> lost = closed(c, silent);
    c.close(silent);
    return lost;
  }

 private:
  struct Link {
    NodeId to = nobody;
    ConnId connection = no_connection;
  };
  struct Asked {
    std::uint64_t number{};
    ConnId connection = no_connection;
    EventId timer = no_event;
  };
  std::vector<Asked>::iterator find(std::uint64_t number) {
    return std::find_if(asked_.begin(), asked_.end(), [&](const Asked& a) { return a.number == number; });
  }

  std::vector<Link> links_;
  std::vector<Asked> asked_;  // in the order asked
};

}  // namespace mqlab::kafka
