// When a cluster is at rest: logs alike, everything sent and read, every partition with an owner. Who reads committed
// records may be held up for ever by a transaction that no coordinator knows; that is rest too.
#include <algorithm>
#include <map>
#include <set>

#include "models/kafka/broker.h"
#include "models/kafka/client.h"
#include "models/kafka/controller.h"
#include "models/kafka/model_parts.h"

namespace mqlab::kafka {
namespace {

// KIP-848 has a gap: an answer tells of partitions only if they changed by the very request (hasAssignedPartitionsChanged).
// If a late request of a member, given up long ago, made the coordinator give it some, nobody hears that answer, and the
// member's next ones say nothing of it. It lasts until a heartbeat fails or the group changes.
bool given_but_never_told(const World& w, const Cluster& cluster, const Controller& controller, const std::string& group, PartitionId p) {
  const auto log = cluster.internal_partition(offsets_topic, group);
  const NodeId leader = log ? cluster.node_of(controller.committed().partitions[*log].leader) : nobody;
  const GroupCoordinator* coordinator = leader == nobody ? nullptr : w.node_as<Broker>(leader).coordinator(*log);
  if (!coordinator || !coordinator->modern().count(group)) return false;
  for (const auto& [id, member] : coordinator->modern().at(group).members) {
    if (!member.assigned.count(p) || member.state != MemberState::stable) continue;
    for (NodeId n = 0; n < w.node_count(); ++n) {
      const std::string& role = w.node_options(n).role;
      if ((role != "consumer" && role != "client") || !w.running(n)) continue;
      const Membership& m = w.node_as<Client>(n).membership();
      if (m.in() && m.member == id && m.generation == member.epoch && m.consumer.target == m.consumer.current) return true;
    }
  }
  return false;
}

// Of each topic that a running member of a group reads, some running member has each partition.
bool every_place_has_an_owner(const World& w, const Cluster& cluster, const Controller& controller) {
  std::map<std::string, std::set<std::int32_t>> topics;
  std::map<std::string, std::set<PartitionId>> owned;
  std::set<std::string> stuck;  // groups with a member that will leave for this, and come back, for ever
  for (NodeId n = 0; n < w.node_count(); ++n) {
    const std::string& role = w.node_options(n).role;
    if ((role != "consumer" && role != "client") || !w.running(n)) continue;
    const Client& client = w.node_as<Client>(n);
    if (client.group().empty() || !client.membership().subscribed || client.membership().fatal != Error::none) continue;
    if (client.app() && client.app()->stuck()) stuck.insert(client.group());
    topics[client.group()].insert(client.membership().topics.begin(), client.membership().topics.end());
    for (const Assigned& a : client.assigned()) owned[client.group()].insert(a.partition);
  }
  for (const auto& [group, read] : topics)
    for (const std::int32_t t : read) {
      if (stuck.count(group)) break;
      const TopicSettings& topic = cluster.topics[static_cast<std::size_t>(t)];
      for (std::int32_t i = 0; i < topic.partitions_max; ++i) {
        const PartitionId p = topic.first + static_cast<PartitionId>(i);
        if (!controller.committed().partitions[p].replicas.empty() && !owned[group].count(p) && !given_but_never_told(w, cluster, controller, group, p)) return false;
      }
    }
  return true;
}

// This member's group is done with all that stands in its partitions.
bool shared_to_the_end(const World& w, const Cluster& cluster, const Client& client, const std::vector<Offset>& ends, const Controller& controller) {
  if (!client.share().buffer.empty() || !client.share().acks.empty()) return false;
  for (const Assigned& a : client.assigned()) {
    const NodeId leader = cluster.node_of(controller.committed().partitions[a.partition].leader);
    const SharePartition* window = leader == nobody ? nullptr : w.node_as<Broker>(leader).share_window(client.group(), a.partition);
    if (!window || window->start() < ends[a.partition]) return false;
  }
  return true;
}

// Some coordinator has this transaction under way, or nobody can be asked: so it will end, by its timeout at the latest. But
// in an epoch behind the last one it cannot (rotate_when_fenced).
bool will_end(const World& w, const Cluster& cluster, const Controller& controller, ProducerId producer, PartitionId p) {
  const auto has = [&](const TransactionRecord& t) { return t.id == producer && std::binary_search(t.partitions.begin(), t.partitions.end(), p); };
  for (PartitionId home = 0; home < cluster.partitions.size(); ++home) {
    if (cluster.topics[static_cast<std::size_t>(cluster.partitions[home].topic)].name != transaction_topic) continue;
    const NodeId leader = cluster.node_of(controller.committed().partitions[home].leader);
    const TxnCoordinator* coordinator = leader == nobody || !w.running(leader) ? nullptr : w.node_as<Broker>(leader).transactions(home);
    if (!coordinator) return true;
    for (const auto& [id, t] : coordinator->ids()) {
      const bool open = (t.now.state == TxnState::ongoing && t.now.epoch <= cluster.settings.transactions.epoch_max) || t.now.state == TxnState::prepare_commit || t.now.state == TxnState::prepare_abort;
      if ((open && has(t.now)) || (t.pending && has(t.pending->next))) return true;
    }
  }
  return false;
}

// A reader of committed records gets no further than this if the transaction that it waits for is nobody's.
Offset end_for_readers(const World& w, const Cluster& cluster, const Controller& controller, PartitionId p) {
  const Broker& b = w.node_as<Broker>(cluster.node_of(controller.committed().partitions[p].leader));
  const auto open = b.log(p).producers().open();
  const auto first = std::min_element(open.begin(), open.end(), [](const OpenTxn& x, const OpenTxn& y) { return x.first < y.first; });
  if (first == open.end() || will_end(w, cluster, controller, first->id, p)) return b.log(p).end();
  return b.log(p).last_stable(b.replica(p).high_watermark);
}

}  // namespace

bool at_rest(const World& w) {
  const ClusterRef* cluster = cluster_of(w);
  const Controller* controller = active_controller(w);
  if (!cluster || !controller) return false;
  std::vector<Offset> ends((*cluster)->partitions.size(), 0);
  for (PartitionId p = 0; p < ends.size(); ++p) {
    const PartitionState& s = controller->committed().partitions[p];
    if (s.replicas.empty()) continue;
    // Positions are committed again and again: what lies in there is never at rest.
    if ((*cluster)->topics[static_cast<std::size_t>((*cluster)->partitions[p].topic)].internal) continue;
    const NodeId leader = (*cluster)->node_of(s.leader);
    if (leader == nobody || !w.running(leader)) return false;
    const Broker& b = w.node_as<Broker>(leader);
    if (b.replica(p).role != Role::leader || b.replica(p).epoch != s.leader_epoch || b.replica(p).high_watermark != b.log(p).end()) return false;
    ends[p] = b.log(p).end();
    for (BrokerId r : s.replicas) {
      const NodeId n = (*cluster)->node_of(r);
      if (w.running(n) && w.node_as<Broker>(n).log(p).end() != ends[p]) return false;
    }
  }
  for (NodeId n = 0; n < w.node_count(); ++n) {
    const std::string& role = w.node_options(n).role;
    if (role != "producer" && role != "consumer" && role != "client") continue;
    if (!w.running(n)) continue;
    const Client& client = w.node_as<Client>(n);
    if (client.produces() && (!client.producer_idle() || (client.app() && role == "producer" && !client.app()->done()))) return false;
    if (const bool reads = role == "consumer" || client.membership().subscribed; reads && client.app()) {
      if (client.app()->stuck()) continue;  // it will never catch up
      if (!client.app()->done()) return false;
    }
    if (client.buffered() > 0) return false;
    if (client.in_share_group()) {
      if (!shared_to_the_end(w, **cluster, client, ends, *controller)) return false;
    } else {
      for (const Assigned& a : client.assigned()) {
        // Who was elected controller a moment ago may not have read of the partition yet.
        if (controller->committed().partitions[a.partition].replicas.empty()) return false;
        if (a.failed || a.position == ends[a.partition]) continue;
        if (!client.reads_committed() || a.position != end_for_readers(w, **cluster, *controller, a.partition)) return false;
      }
    }
    if (role == "consumer" && client.group().empty() && client.assigned().empty()) return false;
    if (!client.group_at_rest()) return false;
  }
  return every_place_has_an_owner(w, **cluster, *controller);
}

}  // namespace mqlab::kafka
