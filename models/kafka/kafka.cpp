// The model: what a deployment may be, how it becomes nodes of a world, and who is who in it.
#include "models/kafka/kafka.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/kafka/broker.h"
#include "models/kafka/client.h"
#include "models/kafka/controller.h"
#include "models/kafka/model_parts.h"
#include "models/kafka/txn_messages.h"
#include "sim/lab/conformance.h"
#include "sim/lab/load.h"

namespace mqlab::kafka {

std::vector<NodeId> nodes_of_role(const World& w, std::string_view role) {
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

namespace {

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

bool transacts(const ClientSpec& s) { return s.role != "consumer" && !s.options.text("transactional_id").empty(); }

class KafkaModel : public Model, public ConformanceOffer, public TellsContents {
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
      if (transacts(client) && !producer_settings(client.options).idempotence)
        // ProducerConfig: a transactional id asks for idempotence, and that for acks=all.
        return fmt::format("`{}`: a transactional_id needs idempotence, and that acks = \"all\", retries, and at most 5 requests in flight", client.name);
      if (client.role != "consumer" && client.options.boolean("idempotence") && client.options.given("idempotence")) {
        // ConfigException in the product: an explicit wish is not silently dropped.
        if (client.options.text("acks") != "all") return fmt::format("`{}`: idempotence needs acks = \"all\"", client.name);
      }
      if (const Options& o = client.role == "consumer" ? client.options : client.consumer_options;
          client.role != "producer" && !o.text("client_rack").empty() && d.cluster.list("racks").empty())
        return fmt::format("`{}` is in rack `{}`, but no broker has a rack: say which by `racks`", client.name, o.text("client_rack"));
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
    for (const auto* all : {&message_declarations(), &group_message_declarations(), &txn_message_declarations()})
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
    const auto internal = [&](const char* name, std::int64_t partitions, const char* replicas = "offsets_replicas", const char* min_insync = "offsets_min_insync") {
      TopicSettings topic;
      topic.name = name;
      topic.partitions = topic.partitions_max = static_cast<std::int32_t>(partitions);
      topic.replicas = static_cast<std::int32_t>(std::min<std::int64_t>(d.cluster.integer(replicas), cluster->settings.brokers));
      topic.min_insync = static_cast<std::int32_t>(d.cluster.integer(min_insync));
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
    if (std::any_of(d.clients.begin(), d.clients.end(), transacts))
      internal(transaction_topic, d.cluster.integer("transaction_partitions"), "transaction_replicas", "transaction_min_insync");
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
      o.rack = cluster->rack_of(i + 1);
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
    o.set_default("auto_offset_reset", Value{std::string("earliest")});
    // What is aborted was not lost; to read it nobody asked.
    if (std::any_of(d.clients.begin(), d.clients.end(), transacts)) o.set_default("isolation", Value{std::string("read_committed")});
    NodeOptions options;
    options.name = name;
    options.role = "consumer";
    return w.add_node(std::make_unique<Client>(*cluster_of(w), std::make_unique<ConsumerLoop>(o), false, ProducerSettings{}, true, consumer_settings(o)), std::move(options));
  }

  bool settled(const World& w) const override { return at_rest(w); }
  Contents contents(const World& w, const ContentsWish& wish) const override { return contents_of(w, wish); }

  std::vector<Claim> claims(const Deployment& d, const FaultSummary& f) const override { return claims_of(d, f); }
  std::unique_ptr<ConformanceDriver> conformance(std::string_view system, const std::vector<Setting>& settings) const override { return conformance_of(system, settings); }

 private:
  ModelDecl decl_ = declare_model();
};

}  // namespace

std::unique_ptr<Model> make_model() { return std::make_unique<KafkaModel>(); }

}  // namespace mqlab::kafka
