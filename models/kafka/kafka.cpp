// The model's declaration, deployment and claims.
#include "models/kafka/kafka.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "models/kafka/broker.h"
#include "models/kafka/client.h"
#include "models/kafka/controller.h"
#include "models/kafka/ledger.h"
#include "sim/lab/load.h"

namespace mqlab::kafka {
namespace {

Value t(const char* text) { return Value{std::string(text)}; }

ModelDecl declare() {
  ModelDecl d;
  d.name = "kafka";
  d.family = "partitioned log";
  d.sentence = "Apache Kafka: partitioned logs, fetch replication, KRaft, idempotent producers.";
  d.default_profile = "4.3";
  d.options = declared_options();
  const std::vector<std::pair<std::string, Value>> before_4 = {{"elr", Value{false}}, {"timestamp_after_max", Value{time_max}}};
  ProfileDecl p43{"4.3", "KRaft with eligible leader replicas, every rule as it is now."};
  ProfileDecl p39{"3.9", "KRaft without eligible leader replicas; linger is 0."};
  p39.cluster = before_4;
  p39.producer = {{"linger", Value{std::int64_t{0}}}};
  ProfileDecl p2{"2.x", "Truncation by KIP-279, epochs in fetches (KIP-320), no broker epoch in the ISR; producers default to acks=1."};
  p2.cluster = before_4;
  p2.cluster.insert(p2.cluster.end(), {{"truncation", t("kip279")}, {"isr_broker_epoch", Value{false}}, {"strict_min_isr", Value{false}}});
  p2.producer = {{"linger", Value{std::int64_t{0}}}, {"acks", t("1")}, {"idempotence", Value{false}}, {"sticky", t("batch")}};
  ProfileDecl p011{"0.11", "Truncation by KIP-101, no epoch checks, the ISR joined at the high watermark; producers default to acks=1."};
  p011.cluster = before_4;
  p011.cluster.insert(p011.cluster.end(), {{"truncation", t("kip101")}, {"fetch_epoch_check", Value{false}}, {"isr_join", t("hw")}, {"hw_isr", t("eager")},
                                           {"isr_broker_epoch", Value{false}}, {"strict_min_isr", Value{false}}, {"list_offsets_kip207", Value{false}},
                                           {"evict_with_records", Value{true}}});
  p011.producer = p2.producer;
  p011.consumer = {{"position_validation", Value{false}}};
  d.profiles = {p43, p39, p2, p011};
  d.roles = {{"broker", "Keeps partitions and leads some of them."}, {"controller", "A voter of the KRaft quorum."},
             {"client", "An application with Kafka's client library."}};
  d.calls = {{"send", "topic, {key=, body=, partition=, size=, timestamp=}", "Hands a record to the producer."},
             {"poll", "timeout[, max]", "Takes what was fetched."},
             {"assign", "place[, position]", "Reads a topic or one partition."},
             {"seek", "place, position", "Moves the position."},
             {"end_offset", "place", "Asks where a partition ends."},
             {"subscribe", "topics", "Reads for the group, what the group gives it."}, {"unsubscribe", "", "Leaves the group."},
             {"commit", "[place[, position]]", "Stores positions for the group."}, {"pause", "place", "Fetches nothing from a partition for a while."},
             {"resume", "place", "Fetches from it again."}, {"close", "", "Commits, as far as it does so by itself, and leaves."},
             {"ack", "message", "A share group with explicit_acks: the record is done."},
             {"release", "message", "... it is given back, for somebody else or for later."}, {"reject", "message", "... it is good for nobody."},
             {"store_offset", "\"orders/0 43\"", "librdkafka: a position that automatic commits may commit (auto_offset_store = false)."}};
  d.marks = {{"controller_elected", "A controller became active."}, {"controller_resigned", "A controller lost its lead."},
             {"broker_fenced", "A broker's session ended."}, {"broker_unfenced", "A broker may lead and join ISRs."},
             {"leader_elected", "A partition has a new leader."}, {"unclean_election", "... who was not in the ISR."},
             {"partition_offline", "A partition has no leader."}, {"isr_shrunk", "A replica left the ISR."}, {"isr_expanded", "A replica joined the ISR."},
             {"log_truncated", "A follower cut its log."}, {"log_recovered", "A log ended at a corrupt batch after a restart."},
             {"log_restarted", "A follower began anew at its leader's log start."}, {"corrupt_batch", "A follower got a batch that does not match its checksum."},
             {"not_enough_replicas", "A produce with acks=all was refused: the ISR is too small."},
             {"produce_timed_out", "A produce was answered before every in-sync replica had it."},
             {"duplicate_recognised", "A batch came a second time and was not written again."},
             {"out_of_order_sequence", "A batch was refused by its sequence number."}, {"records_deleted", "The beginning of a log was deleted."},
             {"segment_rolled", "A segment was closed and a new one begun."}, {"segment_deleted", "An old segment was deleted."},
             {"cleanup_policy_changed", "An operator changed what becomes of a topic's old records."},
             {"invalid_record", "A batch for a compacted topic was refused: a record without a key."},
             {"invalid_timestamp", "A batch was refused by its time."},
             {"throttled", "A client was over its quota, and its channel is not read for a while."},
             {"log_compacted", "The cleaner rewrote a log's closed segments."},
             {"log_start_fell_back", "A log began earlier again after a crash: deleted records reappear."},
             {"partitions_added", "A topic has more partitions."}, {"command_refused", "An operator's verb could not be carried out."},
             {"producer_retry", "A batch is sent again."}, {"producer_epoch_bumped", "A producer goes on in a new epoch."},
             {"request_timed_out", "A client gave up waiting and closed the connection."}, {"position_reset", "A consumer's position was reset."},
             {"log_truncation_detected", "A consumer learned that what it had read was cut off."},
             {"coordinator_loaded", "A broker coordinates the groups of a partition of __consumer_offsets."},
             {"member_joined", "A new member joined its group."}, {"member_left", "A member left its group."},
             {"member_expired", "A member was put out: it had sent no heartbeat."}, {"member_dropped", "A member did not come back in time when its group rebalanced."},
             {"static_member_returned", "A static member took its place again under a new id."},
             {"rebalance_started", "A group stops: its members must join again."}, {"generation_began", "All members have joined: a new generation."},
             {"commit_refused", "A commit came from somebody who may not, or in an old generation."}, {"offset_expired", "A committed position was dropped: nobody used it."},
             {"group_join", "A consumer asks to join."}, {"group_joined", "A consumer is in a generation and knows its partitions."},
             {"group_epoch_bumped", "A group of KIP-848 or a share group has a new epoch: members, subscriptions or partitions are others."},
             {"partition_revoking", "The coordinator tells a member to give partitions up."}, {"partition_assigned", "The coordinator gives partitions to a member."},
             {"member_fenced", "A member was put out: it did not give up in time what it was told to."},
             {"max_poll_interval_exceeded", "An application did not poll for too long: its library leaves the group."},
             {"member_put_out", "A consumer learned that it is out of its group."},
             {"share_partition_loaded", "A leader has read what a share group did with a partition."},
             {"record_lock_expired", "A member of a share group held a record too long: it is given to another."},
             {"record_archived", "A share group is done with a record that nobody accepted: rejected, or delivered too often."},
             {"share_partition_full", "A share group has as much of a partition under way as may be: nothing new is given out."}};
  d.verbs = {{"elect", "\"orders/0 [B2]\" to the controller", "Makes an ISR member the leader; without a name the preferred one."},
             {"elect_unclean", "\"orders/0\" to the controller", "Elects anybody alive when nobody else can lead."},
             {"add_partitions", "\"orders 8\" to the controller", "Grows a topic up to its partitions_max."},
             {"delete_records", "\"orders/0 10\" to the leader", "Deletes the records before an offset."},
             {"cleanup_policy", "\"orders compact\" to all brokers", "Changes a topic's cleanup.policy: delete, compact, or compact,delete."}};
  d.not_modelled = {"transactions", "sessions of share fetches, read_committed share groups, the renewal of a record's lock by clients, state of share groups in snapshots and updates", "compaction of what aborted transactions wrote, and of their markers",
                    "request and controller quotas, quotas of users and of replication", "tiered storage, fetch from followers", "regular expressions in subscriptions, racks in assignors, a live change from the classic protocol to KIP-848",
                    "ZooKeeper: the older profiles run their data-plane rules under a KRaft controller", "metadata snapshots, reassignment, several log directories",
                    "compression, authentication, the wire format itself"};
  d.ledger = declared_ledger();
  return d;
}

const std::vector<NodeId> nodes_of_role(const World& w, std::string_view role) {
  std::vector<NodeId> out;
  for (NodeId n = 0; n < w.node_count(); ++n)
    if (w.node_options(n).role == role) out.push_back(n);
  return out;
}

const Controller* active_controller(const World& w) {
  const Controller* best = nullptr;
  for (NodeId n : nodes_of_role(w, "controller")) {
    const auto& x = w.node_as<Controller>(n);
    if (w.running(n) && x.active() && (!best || x.quorum().epoch() > best->quorum().epoch())) best = &x;
  }
  return best;
}

const ClusterRef* cluster_of(const World& w) {
  const auto brokers = nodes_of_role(w, "broker");
  return brokers.empty() ? nullptr : &w.node_as<Broker>(brokers.front()).cluster();
}

std::vector<NodeId> resolve(const World& w, std::string_view role, std::string_view argument) {
  const ClusterRef* cluster = cluster_of(w);
  const Controller* controller = active_controller(w);
  if (!cluster || !controller) return {};
  if (role == "controller") {
    for (NodeId n : nodes_of_role(w, "controller"))
      if (&w.node_as<Controller>(n) == controller) return {n};
    return {};
  }
  PartitionId p = 0;
  if (!(*cluster)->partition(argument, p)) return {};
  const PartitionState& s = controller->committed().partitions[p];
  std::vector<NodeId> out;
  for (BrokerId b : s.replicas)
    if ((role == "leader" && b == s.leader) || (role == "follower" && b != s.leader)) out.push_back((*cluster)->node_of(b));
  return out;
}

bool find_file(const World& w, NodeId n, std::string_view place, FileId& out) {
  const ClusterRef* cluster = cluster_of(w);
  PartitionId p = 0;
  if (!cluster || w.node_options(n).role != "broker" || !(*cluster)->partition(place, p)) return false;
  out = Broker::file_of(p);
  return true;
}

// Brokers that ended uncleanly, when one of them lost what it had not flushed; none when all of them kept their page
// cache. A kill counts along: its replica leaves the ISR, and after KIP-966 the controller trusts it no more than one
// whose machine lost power. Where all of a run's losses lie within one window is not known here, so all count. With
// log.flush.interval.messages=1 a record is synced before it counts as held, and power takes no more than a kill does.
std::size_t brokers_lost(const FaultSummary& f, bool every_record_synced) {
  std::vector<std::string> brokers;
  bool data = false;
  for (const FaultSummary::Lost& loss : f.losses) {
    if (loss.role != "broker") continue;
    data = data || (loss.power && !every_record_synced) || loss.wipe;
    brokers.push_back(loss.node);
  }
  std::sort(brokers.begin(), brokers.end());
  brokers.erase(std::unique(brokers.begin(), brokers.end()), brokers.end());
  return data ? brokers.size() : 0;
}

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

void add_topic(Cluster& cluster, TopicSettings topic) {
  topic.first = static_cast<PartitionId>(cluster.partitions.size());
  for (std::int32_t n = 0; n < topic.partitions_max; ++n) {
    PartitionSettings p;
    p.topic = static_cast<std::int32_t>(cluster.topics.size());
    p.number = n;
    p.place = fmt::format("{}/{}", topic.name, n);
    for (std::int32_t r = 0; r < topic.replicas; ++r)
      p.assignment.push_back(1 + (static_cast<std::int32_t>(cluster.partitions.size()) + r) % cluster.settings.brokers);
    p.min_insync = std::min(topic.min_insync > 0 ? topic.min_insync : cluster.settings.min_insync, topic.replicas);
    cluster.partitions.push_back(std::move(p));
  }
  cluster.topics.push_back(std::move(topic));
}

// What reading for a group adds: where a position may get ahead of the work, or fall behind it.
void claim_for_groups(const Deployment& d, const FaultSummary& f, const ClusterSettings& c, std::vector<Claim>& out) {
  std::string ahead;  // why a committed position may pass what is not done; empty = it may not
  bool held_up = false, groups = false, programs = false, shared = false, careless = false, modern = false;
  for (const ClientSpec& spec : d.clients) {
    if (spec.role == "producer") continue;
    const ConsumerSettings s = consumer_settings(spec.role == "consumer" ? spec.options : spec.consumer_options);
    if (s.group.empty()) continue;
    groups = true;
    shared = shared || s.protocol == GroupProtocol::share;
    modern = modern || s.protocol == GroupProtocol::consumer;
    if (spec.app) {
      programs = true;
      continue;
    }
    const auto text = [&](const char* name) { return spec.options.has(name) ? spec.options.text(name) : std::string(); };
    const bool handed_on = spec.options.has("workers") && (spec.options.integer("workers") > 0 || spec.options.boolean("pause_while_working"));
    const std::string commit = text("commit");
    if (s.protocol == GroupProtocol::share) {
      if (text("ack") == "accept") ahead = "what failed is accepted all the same";
      else if (!s.explicit_acks && handed_on) ahead = "the next poll accepts what workers have not done yet";
    } else if (commit == "before") ahead = "positions are committed before the work";
    else if (handed_on && commit == "highest") ahead = "workers finish out of order, and the highest position is committed";
    else if (!text("poison").empty() && text("on_failure") == "skip") ahead = "a record that always fails is passed over";
    else if (s.auto_commit == AutoCommit::librdkafka && s.auto_offset_store) ahead = "the background commit counts what was only handed out";
    else if (s.auto_commit == AutoCommit::java && handed_on) ahead = "the next poll commits what workers have not done yet";
    if (!text("poison").empty() && text("on_failure") == "block") held_up = true;
    careless = careless || (spec.options.has("finish_revoked") && spec.options.boolean("finish_revoked"));
  }
  if (!groups) return;
  if (programs && ahead.empty()) ahead = "a program commits when it likes";
  const auto withdraw = [&](const char* name, const std::string& why) {
    for (Claim& claim : out)
      if (claim.anomaly == name && claim.claimed) claim = {name, false, why};
  };
  withdraw("duplicate-delivery", "a group delivers again what was not committed when a member went");
  if (shared) {
    for (const char* name : {"lost-message", "lost-write"}) withdraw(name, "a share group gives up a record that was delivered too often");
    withdraw("fifo-violation", "a share group hands out records in no order");
  }
  if (held_up) withdraw("lost-message", "a record that always fails holds up those behind it");
  if (!ahead.empty()) {
    withdraw("lost-message", ahead);
    withdraw("lost-write", ahead);
  }
  const auto replicas = std::min<std::int64_t>(d.cluster.integer("offsets_replicas"), c.brokers);
  const std::int64_t own = d.cluster.integer("offsets_min_insync");
  const std::int64_t copies = std::min(own > 0 ? own : std::int64_t{c.min_insync}, replicas);
  std::string no;
  if (copies < 2) no = "one copy of a committed position is enough: it may be lost";
  else if (c.unclean_election) no = "unclean elections are allowed";
  else if (f.disk_faults) no = "a disk broke its promise";
  else if (brokers_lost(f, c.flush_messages == 1) > static_cast<std::size_t>(copies - 1)) no = "more brokers were lost than hold a position for certain";
  else if (programs) no = "a program commits what it likes";
  // The coordinator compares nothing: a commit that its sender has given up, and that is still under way, counts when it
  // comes, although a later one has been confirmed.
  const std::string back = !no.empty()        ? no
                           : careless         ? "a member commits for places that it has no longer, and nobody asks whose they are"
                           : f.network_faults ? "a commit given up may still arrive, and the last one counts"
                                              : "";
  out.push_back({"position-regression", back.empty(), back.empty() ? "positions have two copies, and members commit forward" : back});
  out.push_back({"commit-ahead-of-processing", ahead.empty(), ahead.empty() ? "positions are committed after the work" : ahead});
  if (no.empty() && modern && f.network_faults) no = "a member whose late request was answered to nobody is not told again what it was given";
  out.push_back({"group-starvation", no.empty(), no.empty() ? "after heal each partition has an owner" : no});
}

class KafkaModel : public Model {
 public:
  const ModelDecl& decl() const override { return decl_; }

  std::optional<std::string> check(const Deployment& d) const override {
    const std::int64_t brokers = d.cluster.integer("brokers");
    std::int64_t partitions = 0;
    for (const TopicSpec& topic : d.topics) {
      if (topic.options.integer("replicas") > brokers)
        return fmt::format("topic `{}` wants {} replicas, but there are {} brokers", topic.name, topic.options.integer("replicas"), brokers);
      partitions += std::max(topic.options.integer("partitions"), topic.options.integer("partitions_max"));
    }
    if (partitions > 10'000) return fmt::format("{} partitions are more than the 10,000 that a world takes", partitions);
    for (const ClientSpec& client : d.clients) {
      if (client.role == "producer" && client.options.text("topic").empty() && !client.app) return fmt::format("producer `{}` has no topic", client.name);
      if (client.role == "producer" && !client.app) {
        const std::string& topic = client.options.text("topic");
        if (std::none_of(d.topics.begin(), d.topics.end(), [&](const TopicSpec& s) { return s.name == topic; }))
          return fmt::format("producer `{}` sends to `{}`, which is no topic of this cluster", client.name, topic);
      }
      if (client.role != "consumer" && client.options.boolean("idempotence") && client.options.given("idempotence")) {
        // ConfigException in the product: an explicit wish is not silently dropped.
        if (client.options.text("acks") != "all") return fmt::format("`{}`: idempotence needs acks = \"all\"", client.name);
      }
      if (client.role == "consumer" && !client.app) {
        if (const auto error = check_consumer_loop(client.options)) return fmt::format("consumer `{}` {}", client.name, *error);
        const std::string beyond = consumer_loop_sends_to(client.options);
        if (!beyond.empty() && std::none_of(d.topics.begin(), d.topics.end(), [&](const TopicSpec& s) { return s.name == beyond; }))
          return fmt::format("consumer `{}` sends failed messages to `{}`, which is no topic of this cluster", client.name, beyond);
      }
    }
    return std::nullopt;
  }

  void deploy(World& w, const Deployment& d) const override {
    for (const auto* all : {&message_declarations(), &group_message_declarations()})
      for (const MessageDecl& m : *all) w.declare_message(m);
    w.set_resolver(&resolve);
    w.set_file_finder(&find_file);
    auto cluster = std::make_shared<Cluster>();
    cluster->settings = cluster_settings(d.cluster);
    const auto first = static_cast<NodeId>(w.node_count());
    for (std::int32_t i = 0; i < cluster->settings.controllers; ++i) cluster->controllers.push_back(first + static_cast<NodeId>(i));
    for (std::int32_t i = 0; i < cluster->settings.brokers; ++i) cluster->brokers.push_back(first + static_cast<NodeId>(cluster->settings.controllers + i));
    for (const TopicSpec& spec : d.topics) {
      TopicSettings topic = topic_settings(spec.name, spec.options, cluster->settings);
      topic.dead_letters = std::any_of(d.clients.begin(), d.clients.end(), [&](const ClientSpec& c) {
        const Options& o = c.role == "client" ? c.consumer_options : c.options;
        return o.has("dead_letter_topic") && o.text("dead_letter_topic") == spec.name;
      });
      add_topic(*cluster, std::move(topic));
    }
    // Topics of the brokers' own, where a client asks for what they hold (the product makes them at the first request).
    const auto internal = [&](const char* name, std::int64_t partitions) {
      TopicSettings topic;
      topic.name = name;
      topic.partitions = topic.partitions_max = static_cast<std::int32_t>(partitions);
      topic.replicas = static_cast<std::int32_t>(std::min<std::int64_t>(d.cluster.integer("offsets_replicas"), cluster->settings.brokers));
      topic.min_insync = static_cast<std::int32_t>(d.cluster.integer("offsets_min_insync"));
      topic.log = cluster->settings.log;
      topic.log.compacts = true;
      topic.log.deletes = false;
      topic.internal = true;
      add_topic(*cluster, std::move(topic));
    };
    const auto of_group = [](const ClientSpec& s) -> const Options* {
      const Options* o = s.role == "consumer" ? &s.options : s.role == "producer" ? nullptr : &s.consumer_options;
      return o && !o->text("group").empty() ? o : nullptr;
    };
    const auto shares = [&](const ClientSpec& s) { return of_group(s) && of_group(s)->text("group_protocol") == "share"; };
    if (std::any_of(d.clients.begin(), d.clients.end(), of_group)) internal(offsets_topic, d.cluster.integer("offsets_partitions"));
    if (std::any_of(d.clients.begin(), d.clients.end(), shares)) internal(share_state_topic, d.cluster.integer("offsets_partitions"));
    for (std::size_t i = 0; i < d.clients.size(); ++i)
      cluster->clients.emplace_back(first + static_cast<NodeId>(cluster->controllers.size() + cluster->brokers.size() + i), d.clients[i].name);
    raft::Config quorum;
    for (NodeId n : cluster->controllers) quorum.voters.push_back(static_cast<raft::ReplicaId>(n));
    quorum.election_timeout = d.cluster.duration("election_timeout");
    quorum.fetch_timeout = d.cluster.duration("quorum_fetch_timeout");
    quorum.check_quorum_timeout = quorum.fetch_timeout + quorum.fetch_timeout / 2;
    quorum.high_watermark_in_fetch = true;
    DiskOptions disk;
    disk.sync_latency = d.cluster.duration("sync_latency");
    disk.writeback_after = d.cluster.duration("writeback_after");
    for (std::int32_t i = 0; i < cluster->settings.controllers; ++i) {
      NodeOptions o;
      o.name = fmt::format("C{}", i + 1);
      o.role = "controller";
      o.disk = disk;
      w.add_node(std::make_unique<Controller>(cluster, quorum), std::move(o));
    }
    raft::Config observer = quorum;
    observer.sync_before_ack = false;
    for (std::int32_t i = 0; i < cluster->settings.brokers; ++i) {
      NodeOptions o;
      o.name = fmt::format("B{}", i + 1);
      o.role = "broker";
      o.disk = disk;
      o.workers = static_cast<std::uint32_t>(d.cluster.integer("io_threads"));
      o.service = d.cluster.duration("broker_service");
      o.service_ps_per_byte = 1'000;  // 1 GB/s
      if (d.cluster.boolean("shared_power")) o.machine = "brokers";
      w.add_node(std::make_unique<Broker>(cluster, i + 1, observer), std::move(o));
    }
    for (const ClientSpec& spec : d.clients) {
      const bool sends_on = spec.role == "consumer" && !spec.app && !consumer_loop_sends_to(spec.options).empty();  // to a retry or dead-letter topic
      const bool produces = spec.role != "consumer" || sends_on;
      const bool consumes = spec.role != "producer";
      std::unique_ptr<App> app = spec.app ? spec.app->clone() : nullptr;
      if (!app && spec.role == "producer") app = std::make_unique<ProducerLoad>(spec.options);
      if (!app && spec.role == "consumer") app = std::make_unique<ConsumerLoop>(spec.options);
      NodeOptions o;
      o.name = spec.name;
      o.role = spec.role;
      o.zone = spec.zone;
      o.rack = spec.rack;
      o.region = spec.region;
      w.add_node(std::make_unique<Client>(cluster, std::move(app), produces,
                                          produces ? producer_settings(sends_on ? *profile_defaults(decl_, d.profile, "producer") : spec.options) : ProducerSettings{}, consumes,
                                          consumes ? consumer_settings(spec.role == "consumer" ? spec.options : spec.consumer_options) : ConsumerSettings{}),
                 std::move(o));
    }
  }

  NodeId add_reader(World& w, const Deployment& d, const std::string& name) const override {
    Options o = *profile_defaults(decl_, d.profile, "consumer");
    std::string topics;
    for (const TopicSpec& spec : d.topics) topics += (topics.empty() ? "" : ",") + spec.name;
    o.set_default("topics", Value{topics});
    o.set_default("auto_offset_reset", t("earliest"));
    NodeOptions options;
    options.name = name;
    options.role = "consumer";
    return w.add_node(std::make_unique<Client>(*cluster_of(w), std::make_unique<ConsumerLoop>(o), false, ProducerSettings{}, true, consumer_settings(o)), std::move(options));
  }

  bool settled(const World& w) const override {
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
        for (const Assigned& a : client.assigned())
          if (!a.failed && a.position != ends[a.partition]) return false;
      }
      if (role == "consumer" && client.group().empty() && client.assigned().empty()) return false;
      if (!client.group_at_rest()) return false;
    }
    return every_place_has_an_owner(w, **cluster, *controller);
  }

  std::vector<Claim> claims(const Deployment& d, const FaultSummary& f) const override {
    bool all_acks = true, idempotent = true, numbered = false, ordered = true, resend = false;
    const ClusterSettings c = cluster_settings(d.cluster);
    // Idempotence rests on a memory: the leader must know the very batch that comes again.
    const ProducerOptions& memory = c.log.producers;
    std::string forgets;
    if (!memory.replicated) forgets = "a new leader does not know what producers wrote";
    else if (memory.evict_with_records) forgets = "a producer is forgotten with its records";
    else if (f.clock_faults) forgets = "a clock that jumps ends a producer's time early";
    for (const ClientSpec& spec : d.clients) {
      if (spec.role == "consumer") continue;
      const ProducerSettings p = producer_settings(spec.options);
      all_acks = all_acks && p.acks == -1;
      idempotent = idempotent && p.idempotence;
      numbered = numbered || p.idempotence;
      if (p.idempotence && p.split_on_retry) forgets = "a retry that is cut in two is another batch";
      else if (p.idempotence && p.max_in_flight > memory.window) forgets = "more batches on the wire than a leader remembers";
      else if (p.idempotence && p.delivery_timeout >= memory.expiration) forgets = "a producer is forgotten while it still retries";
      ordered = ordered && (p.idempotence || p.max_in_flight == 1 || p.retries == 0);
      resend = resend || (!spec.app && spec.options.boolean("resend"));
    }
    std::int32_t min_insync = 100;
    for (const TopicSpec& spec : d.topics) {
      const TopicSettings topic = topic_settings(spec.name, spec.options);
      min_insync = std::min(min_insync, std::min(topic.min_insync > 0 ? topic.min_insync : c.min_insync, topic.replicas));
    }
    const Switches& s = c.switches;
    const bool right_rules = s.truncation == Truncation::fetch && s.fetch_epoch_check && s.isr_join == IsrJoin::leader_epoch_start &&
                             s.hw_isr == HwIsr::maximal && s.isr_broker_epoch && s.elr && s.strict_min_isr;
    const auto budget = static_cast<std::uint32_t>(std::max(0, min_insync - 1));
    std::string no;
    if (!all_acks) no = "acks is not all: who acknowledges alone may lose alone";
    else if (min_insync < 2) no = "min_insync is 1: an acknowledged record may have one copy";
    else if (c.unclean_election) no = "unclean elections are allowed";
    else if (!right_rules) no = "an older rule is switched on";
    else if (f.disk_faults) no = "a disk broke its promise";
    else if (const std::size_t lost = brokers_lost(f, c.flush_messages == 1); lost > budget)
      no = fmt::format("{} brokers ended uncleanly, and power or a disk was lost: more than the {} that min_insync={} endures", lost, budget, min_insync);
    const std::string yes = fmt::format("acks=all, min_insync={}, at most {} broker{} lost", min_insync, budget, budget == 1 ? "" : "s");
    std::vector<Claim> out;
    for (const char* name : {"lost-message", "lost-write", "inconsistent-offsets", "truncated-commit"}) out.push_back({name, no.empty(), no.empty() ? yes : no});
    // A lost, late or doubled message on the way is what sequence numbers are for: it excuses nothing.
    const std::string twice = !idempotent      ? "without idempotence a retry may be written twice"
                              : resend         ? "the application sends again on its own"
                              : f.client_kills ? "idempotence ends with the producer's session"
                              : !no.empty()    ? no
                                               : forgets;
    for (const char* name : {"duplicate", "duplicate-delivery"})
      out.push_back({name, twice.empty(), twice.empty() ? "idempotent producers, one session each" : twice});
    const bool in_order = ordered && !resend && !f.client_kills && no.empty() && (!numbered || forgets.empty());
    for (const char* name : {"nonmonotonic-send", "fifo-violation"})
      out.push_back({name, in_order, in_order ? "sequence numbers or one request at a time keep order" : "retries may overtake"});
    // Retention and compaction take records whether somebody has read them or not.
    const bool compacts = std::any_of(d.topics.begin(), d.topics.end(), [](const TopicSpec& t) { return t.options.text("cleanup_policy") != "delete"; });
    out.push_back({"silent-drop", false, compacts ? "of a key that is written again only the last record stays" : "what is old is deleted, read or not"});
    out.push_back({"phantom", no.empty(), no.empty() ? yes : no});
    claim_for_groups(d, f, c, out);
    return out;
  }

 private:
  ModelDecl decl_ = declare();
};

}  // namespace

std::unique_ptr<Model> make_model() { return std::make_unique<KafkaModel>(); }

}  // namespace mqlab::kafka
