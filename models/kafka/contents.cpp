// What logs hold and how far groups are, for whoever draws it (sim/lab/contents.h): each copy as its own broker has it.
//
// The rule: a broker's words about its own copy are its own, so that a leader and its follower may tell two high
// watermarks. Of a broker that does not run, what its disk would give back is told, and nothing of it is called committed.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "models/kafka/broker.h"
#include "models/kafka/client.h"
#include "models/kafka/controller.h"
#include "models/kafka/model_parts.h"

namespace mqlab::kafka {
namespace {

using Known = mqlab::RecordState;

// What transactions make of the records of one log.
struct TransactionWords {
  std::span<const OpenTxn> open;
  std::span<const AbortedRange> aborted;

  bool is_open(const Batch& b, Offset at) const {
    return std::any_of(open.begin(), open.end(), [&](const OpenTxn& t) { return t.id == b.producer_id && t.first <= at; });
  }
  bool is_aborted(const Batch& b, Offset at) const {
    return std::any_of(aborted.begin(), aborted.end(), [&](const AbortedRange& t) { return t.id == b.producer_id && t.first <= at && at <= t.last; });
  }
};

std::string control_text(const Batch& b, std::int32_t i, const Cluster& cluster) {
  if (b.control == Control::commit) return "COMMIT marker";
  if (b.control == Control::abort) return "ABORT marker";
  if (b.state && static_cast<std::size_t>(i) < b.state->size()) return describe((*b.state)[static_cast<std::size_t>(i)], &cluster);
  return {};
}

// The last `records_shown` of a log, ascending.
std::vector<RecordMoment> records_of(const PartitionLog& log, Offset high_watermark, const Cluster& cluster) {
  const TransactionWords words{log.producers().open(), log.aborted()};
  std::vector<RecordMoment> out;
  const auto batches = log.batches();
  for (std::size_t n = batches.size(); n-- > 0 && out.size() < records_shown;) {
    const Batch& b = batches[n];
    const bool control = b.control != Control::none || b.state || b.held() == 0;
    const std::int32_t held = control && b.held() == 0 ? b.count() : b.held();
    for (std::int32_t i = held; i-- > 0 && out.size() < records_shown;) {
      RecordMoment r;
      r.position = control && b.held() == 0 ? b.base_offset + i : b.offset_of(i);
      if (r.position < log.start()) break;
      r.epoch = static_cast<std::uint32_t>(std::max(b.leader_epoch, 0));
      r.state = r.position < high_watermark ? Known::committed : Known::uncommitted;
      if (control) {
        r.text = control_text(b, i, cluster);
        if (r.state == Known::committed) r.state = Known::control;
      } else {
        const Record& record = b.record(i);
        r.message = record.message;
        r.key = static_cast<std::uint32_t>(record.key);
        if (record.tombstone) r.text = "tombstone";
        if (b.transactional && words.is_aborted(b, r.position)) r.state = Known::aborted;
        else if (b.transactional && words.is_open(b, r.position)) r.state = Known::open;
      }
      if (b.corrupt) r.text += r.text.empty() ? "corrupt" : ", corrupt";
      out.push_back(std::move(r));
    }
  }
  std::reverse(out.begin(), out.end());
  return out;
}

// Of whom a member of a group is the name: the client that goes by it now; nobody: none does.
NodeId client_of(const World& w, const Cluster& cluster, const std::string& member) {
  for (const auto& [node, name] : cluster.clients)
    if (w.node_as<Client>(node).membership().member == member) return node;
  return nobody;
}

// What share groups did with the records of a partition that this broker leads.
void add_share_windows(const World& w, const Broker& broker, PartitionId p, PlaceContents& out) {
  for (const ShareLead& lead : broker.share_desk().leads) {
    if (lead.partition != p || !lead.window) continue;
    const SharePartition& window = *lead.window;
    out.markers.push_back({lead.group + " SPSO", window.start(), "the share group " + lead.group + " is done with all before it (share-partition start offset)"});
    out.markers.push_back({lead.group + " SPEO", window.end(), "the share group " + lead.group + " has acquired nothing from here on (share-partition end offset)"});
    for (RecordMoment& r : out.records) {
      if (r.position < window.start() || r.position >= window.end() || r.message == no_message) continue;
      const std::int32_t deliveries = window.deliveries_of(r.position);
      const kafka::RecordState state = window.state_of(r.position);
      r.text += fmt::format("{}{}: {}", r.text.empty() ? "" : ", ", lead.group, name(state));
      r.attempts = static_cast<std::uint32_t>(std::max(deliveries - 1, 0));
      if (state != kafka::RecordState::acquired) continue;
      r.state = Known::unacked;
      r.holder = client_of(w, *broker.cluster(), window.holder_of(r.position));
      if (r.holder == nobody) r.text += " by " + window.holder_of(r.position);
    }
  }
}

bool hosts(const Cluster& cluster, const Controller* controller, BrokerId b, PartitionId p) {
  return contains(controller ? controller->committed().partitions[p].replicas : cluster.partitions[p].assignment, b);
}

std::optional<PlaceContents> copy_of(const World& w, const Cluster& cluster, const Controller* controller, BrokerId id, PartitionId p, const ContentsWish& wish) {
  const NodeId node = cluster.node_of(id);
  const Broker& broker = w.node_as<Broker>(node);
  const Replica& replica = broker.replica(p);
  const PartitionLog& log = broker.log(p);
  const bool up = w.running(node) && replica.role != Role::none;
  if (!up && log.end() == 0 && !hosts(cluster, controller, id, p)) return std::nullopt;
  PlaceContents out;
  out.place = cluster.partitions[p].place;
  out.node = node;
  out.kind = cluster.holds_dead_letters(p) ? "dead-letter replica" : "replica";
  out.first = log.start();
  out.end = log.end();
  const Offset high_watermark = up ? replica.high_watermark : 0;
  if (wish.records) out.records = records_of(log, high_watermark, cluster);
  if (!up) {
    out.role = w.running(node) ? "not yet told" : "on disk";
    return out;
  }
  out.leads = replica.role == Role::leader;
  out.role = out.leads ? "leader" : "follower";
  out.facts = fmt::format("epoch {}", replica.epoch);
  out.numbers = {{"epoch", replica.epoch}, {"hw", high_watermark}, {"leo", log.end()}, {"lso", log.last_stable(high_watermark)}, {"start", log.start()}};
  if (out.leads) out.numbers.push_back({"isr", static_cast<std::int64_t>(replica.isr.size())});
  out.markers.push_back({"HW", high_watermark, "high watermark: all before it is on every in-sync replica, as this broker knows"});
  out.markers.push_back({"LEO", log.end(), "log end offset: the next record gets it"});
  if (const Offset stable = log.last_stable(high_watermark); stable != high_watermark)
    out.markers.push_back({"LSO", stable, "last stable offset: readers of committed records end here"});
  if (out.leads) {
    out.facts += ", ISR " + describe(replica.isr);
    if (!replica.proposed.empty()) out.facts += ", proposed " + describe(replica.proposed);
    for (const FollowerState& f : replica.followers)
      if (f.end != no_offset) out.markers.push_back({fmt::format("B{}", f.broker), f.end, fmt::format("B{} has all before it, as its last fetch said", f.broker)});
    add_share_windows(w, broker, p, out);
  } else if (replica.leader != no_broker) {
    out.facts += fmt::format(", follows B{}{}", replica.leader, replica.truncating ? ", asks where to truncate" : "");
  } else {
    out.facts += ", no leader";
  }
  return out;
}

// --- groups ---

std::vector<std::string> places_of(const std::vector<PartitionId>& partitions, const Cluster& cluster) {
  std::vector<std::string> out;
  for (const PartitionId p : partitions) out.push_back(cluster.partitions[p].place);
  return out;
}

// Where a partition ends for readers, as its leader knows; -1: it has none now.
Offset readable_end(const World& w, const Cluster& cluster, PartitionId p) {
  const Broker* best = nullptr;
  for (const NodeId n : cluster.brokers) {
    const Broker& b = w.node_as<Broker>(n);
    if (w.running(n) && b.replica(p).role == Role::leader && (!best || b.replica(p).epoch > best->replica(p).epoch)) best = &b;
  }
  return best ? best->replica(p).high_watermark : -1;
}

void add_progress(const World& w, const GroupCoordinator& coordinator, const Cluster& cluster, GroupContents& out) {
  const auto add = [&](PartitionId p, Offset committed) {
    const std::string& place = cluster.partitions[p].place;
    if (std::any_of(out.progress.begin(), out.progress.end(), [&](const GroupProgress& g) { return g.place == place; })) return;
    out.progress.push_back({place, committed, std::max(readable_end(w, cluster, p), Offset{0})});
  };
  const auto& all = coordinator.positions().all();
  if (const auto it = all.find(out.name); it != all.end())
    for (const auto& [p, position] : it->second) add(p, position.commit.offset);
  for (const GroupMember& m : out.members)
    for (const std::string& place : m.places) {
      PartitionId p = 0;
      if (cluster.partition(place, p)) add(p, -1);
    }
  std::sort(out.progress.begin(), out.progress.end(), [](const GroupProgress& a, const GroupProgress& b) { return a.place < b.place; });
}

void add_groups(const World& w, const Cluster& cluster, NodeId node, PartitionId seat, std::vector<GroupContents>& out) {
  const GroupCoordinator* coordinator = w.node_as<Broker>(node).coordinator(seat);
  if (!coordinator) return;
  const auto begin = [&](const std::string& name) -> GroupContents& {
    GroupContents& g = out.emplace_back();
    g.name = name;
    g.node = node;
    return g;
  };
  for (const auto& [group_name, group] : coordinator->classic()) {
    GroupContents& g = begin(group_name);
    g.state = fmt::format("{}, generation {}", name(group.state), group.generation);
    for (const auto& [id, member] : group.members)
      g.members.push_back({id, places_of(member.about.assigned, cluster),
                           fmt::format("{}{}", id == group.leader ? "leads the group" : "", member.joining() ? ", joining" : member.syncing() ? ", syncing" : "")});
    for (GroupMember& m : g.members)
      if (m.facts.rfind(", ", 0) == 0) m.facts.erase(0, 2);
    add_progress(w, *coordinator, cluster, g);
  }
  for (const auto& [group_name, group] : coordinator->modern()) {
    GroupContents& g = begin(group_name);
    g.state = fmt::format("{}, epoch {}{}", group.share ? "share group" : "consumer group", group.epoch,
                          group.assignment_epoch == group.epoch ? "" : fmt::format(", assigned for {}", group.assignment_epoch));
    for (const auto& [id, member] : group.members) {
      GroupMember m{id, {}, fmt::format("{}, epoch {}", name(member.state), member.epoch)};
      if (group.share) m.places = places_of(member.target, cluster);
      for (const auto& [p, epoch] : member.assigned)
        if (!group.share) m.places.push_back(cluster.partitions[p].place);
      if (!member.revoking.empty()) m.facts += fmt::format(", gives up {}", member.revoking.size());
      g.members.push_back(std::move(m));
    }
    if (!group.share) add_progress(w, *coordinator, cluster, g);
    for (const NodeId n : cluster.brokers)
      for (const ShareLead& lead : w.node_as<Broker>(n).share_desk().leads)
        if (group.share && w.running(n) && lead.group == group_name && lead.window)
          g.progress.push_back({cluster.partitions[lead.partition].place, lead.window->start(), w.node_as<Broker>(n).replica(lead.partition).high_watermark});
  }
  for (const auto& [group_name, positions] : coordinator->positions().all())
    if (!coordinator->classic().count(group_name) && !coordinator->modern().count(group_name)) {
      GroupContents& g = begin(group_name);
      g.state = "positions only";
      add_progress(w, *coordinator, cluster, g);
    }
}

}  // namespace

Contents contents_of(const World& w, const ContentsWish& wish) {
  Contents out;
  const ClusterRef* ref = cluster_of(w);
  if (!ref) return out;
  const Cluster& cluster = **ref;
  const Controller* controller = active_controller(w);
  for (const bool internal : {false, true})  // what applications read comes first
    for (PartitionId p = 0; p < cluster.partitions.size(); ++p) {
      if (cluster.topics[static_cast<std::size_t>(cluster.partitions[p].topic)].internal != internal || !wish.wants(cluster.partitions[p].place)) continue;
      for (BrokerId b = 1; b <= static_cast<BrokerId>(cluster.brokers.size()); ++b)
        if (auto copy = copy_of(w, cluster, controller, b, p, wish); copy && !(internal && copy->end == 0)) out.places.push_back(std::move(*copy));
    }
  for (const NodeId n : cluster.brokers) {
    if (!wish.groups || !w.running(n)) continue;
    for (PartitionId p = 0; p < cluster.partitions.size(); ++p)
      if (cluster.topics[static_cast<std::size_t>(cluster.partitions[p].topic)].name == offsets_topic) add_groups(w, cluster, n, p, out.groups);
  }
  // Where groups are: on the lane of whoever leads.
  for (const GroupContents& g : out.groups)
    for (const GroupProgress& progress : g.progress)
      for (PlaceContents& place : out.places)
        if (place.leads && place.place == progress.place && progress.committed >= 0 &&
            std::none_of(place.markers.begin(), place.markers.end(), [&](const MarkerMoment& m) { return m.name == g.name + " SPSO"; }))
          place.markers.push_back({g.name, progress.committed, "the group " + g.name + " goes on from here: its committed position"});
  return out;
}

}  // namespace mqlab::kafka
