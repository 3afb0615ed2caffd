// When a cluster is at rest: all is sent, confirmed and settled, or held by somebody who will never settle it.
#include <algorithm>
#include <set>
#include <string>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/client.h"
#include "models/rabbitmq/model_parts.h"

namespace mqlab::rabbitmq {
namespace {

bool is_client(const std::string& role) { return role == "producer" || role == "consumer" || role == "client"; }

// Somebody who reads this queue takes no more and gives nothing back by itself.
bool held_up(const World& w, const std::string& queue, std::int64_t ready) {
  for (NodeId n = 0; n < w.node_count(); ++n) {
    if (!is_client(w.node_options(n).role) || !w.running(n)) continue;
    const Client& client = w.node_as<Client>(n);
    if (!client.reads(queue)) continue;
    if (client.app() && client.app()->stuck()) return true;
    const bool full = client.holds_its_prefetch();
    if (client.settles_itself() && client.app() && client.app()->done() && client.in_hand() > 0 && (ready == 0 || full)) return true;
    // A program that does not poll any more.
    if (w.node_options(n).role == "client" && client.app() && client.app()->done() && client.buffered() > 0) return true;
  }
  return false;
}

// Queues that an operator deleted. Who goes on asking for one asks for ever; and where a broker was lost in the midst of it, the queue
// has no members any more and is still known.
std::set<std::string> deleted_by_operator(const World& w) {
  const Journal& j = w.journal;
  const std::uint32_t deleted = j.names.find("queue_deleted");
  std::set<std::string> gone;
  if (deleted == 0) return gone;
  for (const Mark& m : j.marks)
    if (m.name == deleted && m.text == by_operator) gone.insert(j.names.text(m.place));
  return gone;
}

bool at_rest_but(const World& w, const std::set<std::string>& gone) {
  const ClusterRef cluster = cluster_of(w);
  if (!cluster) return false;
  const auto brokers = brokers_of(w);
  for (NodeId n : brokers)
    if (!w.running(n) || !w.node_as<Broker>(n).idle(gone)) return false;
  bool reader_done = false;
  for (NodeId n = 0; n < w.node_count(); ++n) {
    const std::string& role = w.node_options(n).role;
    if (!is_client(role) || !w.running(n)) continue;
    const Client& client = w.node_as<Client>(n);
    if (client.last_reader()) {
      reader_done = client.last_reader_done() && client.buffered() == 0;
      continue;
    }
    if (client.produces() && (!client.publisher_idle() || (client.app() && role == "producer" && !client.app()->done()))) return false;
    if (!client.consumes()) continue;
    if (!client.receiver_ready(gone)) return false;
    if (!client.app() || client.app()->stuck() || role == "client") continue;
    if (!client.app()->done() || client.buffered() > 0) return false;
  }
  if (!reader_done) return false;
  for (std::size_t i = 0; i < brokers.size(); ++i) {
    const Broker& b = w.node_as<Broker>(brokers[i]);
    for (const auto& [queue, record] : b.queues()) {
      if (gone.count(queue)) continue;
      const QueueType type = queue_type(record.spec);
      if (const QueueProcess* p = b.process(queue); p && type == QueueType::stream && !std::get<StreamQueue>(p->machine).caught_up()) return false;
      if (type == QueueType::stream || (type == QueueType::classic && record.broker != i)) continue;
      if (type == QueueType::quorum) {
        const NodeId leader = quorum_leader(w, *cluster, queue);
        if (leader == nobody) return false;
        if (leader != brokers[i]) continue;
      }
      // What waits for a mirror is confirmed late, and a mirror that waits for its leader has no queue yet.
      if (record.copies.term > 0 && !b.leads(queue)) return false;
      const std::int64_t ready = b.ready_count(queue);
      if ((ready > 0 || b.unacked_count(queue) > 0) && !held_up(w, queue, ready)) return false;
    }
  }
  return true;
}

}  // namespace

bool at_rest(const World& w) {
  if (at_rest_but(w, {})) return true;
  const std::set<std::string> gone = deleted_by_operator(w);
  return !gone.empty() && at_rest_but(w, gone);
}

}  // namespace mqlab::rabbitmq
