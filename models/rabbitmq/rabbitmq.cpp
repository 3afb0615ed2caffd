// The model: what a deployment may be, what its topics become, and who is who in a running world.
#include "models/rabbitmq/rabbitmq.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/client.h"
#include "models/rabbitmq/model_parts.h"
#include "models/rabbitmq/route_graph.h"
#include "sim/lab/load.h"

namespace mqlab::rabbitmq {

std::vector<NodeId> brokers_of(const World& w) {
  std::vector<NodeId> out;
  for (NodeId n = 0; n < w.node_count(); ++n)
    if (w.node_options(n).role == "broker") out.push_back(n);
  return out;
}

ClusterRef cluster_of(const World& w) {
  const auto brokers = brokers_of(w);
  return brokers.empty() ? nullptr : w.node_as<Broker>(brokers.front()).cluster();
}

// Of those who believe to lead it, the one of the newest term; nobody where there is none.
NodeId quorum_leader(const World& w, const Cluster& cluster, const std::string& queue) {
  NodeId best = nobody;
  for (const NodeId n : cluster.brokers) {
    const QuorumHost& host = w.node_as<Broker>(n).quorum();
    if (!w.running(n) || !host.leads(queue)) continue;
    if (best == nobody || host.raft(queue)->epoch() > w.node_as<Broker>(best).quorum().raft(queue)->epoch()) best = n;
  }
  return best;
}

// Of those who believe to lead a mirrored queue, the one of the latest term; where nobody does, its first home.
NodeId classic_home(const World& w, const Cluster& cluster, const QueuePlan& queue) {
  NodeId best = nobody;
  std::uint64_t term = 0;
  for (const NodeId n : cluster.brokers) {
    const Broker& b = w.node_as<Broker>(n);
    if (!w.running(n) || !b.leads(queue.spec.name) || b.queues().at(queue.spec.name).copies.term <= term) continue;
    best = n;
    term = b.queues().at(queue.spec.name).copies.term;
  }
  return best == nobody ? cluster.brokers[queue.broker] : best;
}

namespace {

// "queue orders.g": the broker that it lives on or who leads it; "leader orders/0": of the first queue of that place;
// "follower orders/0": the others.
std::vector<NodeId> resolve(const World& w, std::string_view role, std::string_view argument) {
  const ClusterRef cluster = cluster_of(w);
  if (!cluster || (role != "queue" && role != "leader" && role != "follower")) return {};
  for (const QueuePlan& q : cluster->queues) {
    if (q.spec.name != argument && (role == "queue" || cluster->topic(q.topic)->place(q.partition) != argument)) continue;
    const NodeId home = queue_type(q.spec) == QueueType::quorum ? quorum_leader(w, *cluster, q.spec.name) : classic_home(w, *cluster, q);
    std::vector<NodeId> out;
    for (const NodeId n : cluster->brokers)
      if ((n == home) != (role == "follower") && home != nobody) out.push_back(n);
    return out;
  }
  return {};
}

bool find_file(const World& w, NodeId n, std::string_view place, FileId& out) {
  const ClusterRef cluster = cluster_of(w);
  if (!cluster || w.node_options(n).role != "broker") return false;
  const auto& queues = w.node_as<Broker>(n).queues();
  for (const auto& [name, record] : queues) {
    const QueuePlan* plan = cluster->queue(name);
    if (name != place && (!plan || cluster->topic(plan->topic)->place(plan->partition) != place)) continue;
    out = record.file;
    return true;
  }
  return false;
}

// What a broker would say when the consumer comes, and close the connection. Of a program nobody knows what it reads.
std::optional<std::string> check_channel_prefetch(const Deployment& d, const ClientSpec& client, const ConsumerSettings& s, const Rules& rules) {
  if (client.app || s.channel_prefetch == 0 || !rules.shared_prefetch) return std::nullopt;
  for (const TopicSpec& t : d.topics) {
    const std::string& type = t.options.text("queue_type");
    for (const std::string& read : client.options.list("topics"))
      if (type != "classic" && read.substr(0, read.find('/')) == t.name)
        return fmt::format("consumer `{}`: channel_prefetch is a global basic.qos, and a {} queue (topic `{}`) does not support that (540 NOT_IMPLEMENTED); use prefetch", client.name, type, t.name);
  }
  return std::nullopt;
}

class RabbitModel : public Model, public ConformanceOffer, public HasRoutes, public TellsContents {
 public:
  const ModelDecl& decl() const override { return decl_; }

  std::optional<std::string> check(const Deployment& d) const override {
    const Rules rules = broker_settings(d.cluster, d.profile).rules;
    const auto is_topic = [&](const std::string& name) { return std::any_of(d.topics.begin(), d.topics.end(), [&](const TopicSpec& t) { return t.name == name; }); };
    for (const TopicSpec& t : d.topics) {
      QueueSpec spec = queue_spec(t.options);
      spec.name = t.name;
      if (const MaybeError e = check_declare(spec, rules)) return fmt::format("topic `{}`: {}", t.name, e->text);
      if (ha_policy(t.options).mirrored()) {
        if (!rules.mirrored) return fmt::format("topic `{}`: ha_mode = `{}`: classic queues have no mirrors since 4.0; profiles 3.13 and 3.10 have them, and quorum queues replicate", t.name, t.options.text("ha_mode"));
        if (queue_type(spec) != QueueType::classic) return fmt::format("topic `{}`: ha_mode is for classic queues; a {} queue has replicas of its own", t.name, name(queue_type(spec)));
      }
      for (const char* option : {"dead_letter", "alternate"})
        if (const std::string& other = t.options.text(option); !other.empty() && !is_topic(other) && option == std::string("alternate"))
          return fmt::format("topic `{}`: {} = `{}` is no topic of this cluster", t.name, option, other);
    }
    if (const auto error = check_topology(d)) return error;
    for (const ClientSpec& client : d.clients) {
      if (client.role != "consumer")
        for (const std::string& header : client.options.list("headers")) {
          Table ignored;
          if (const auto error = read_table(header, ignored)) return fmt::format("`{}`: headers: {}", client.name, *error);
        }
      if (client.role == "producer" && !client.app) {
        const std::string& topic = client.options.text("topic");
        if (topic.empty()) return fmt::format("producer `{}` has no topic", client.name);
        if (!is_topic(topic)) return fmt::format("producer `{}` sends to `{}`, which is no topic of this cluster", client.name, topic);
      }
      if (client.role != "producer") {
        const ConsumerSettings s = consumer_settings(*consumer_options_of(client));
        if (const auto error = check_channel_prefetch(d, client, s, rules)) return error;
        if (s.auto_ack && (s.explicit_acks || s.early_ack)) return fmt::format("`{}`: with auto_ack there is nothing to acknowledge", client.name);
      }
      if (client.role == "consumer" && !client.app) {
        if (const auto error = check_consumer_loop(client.options)) return fmt::format("consumer `{}` {}", client.name, *error);
        const std::string beyond = consumer_loop_sends_to(client.options);
        if (!beyond.empty() && !is_topic(beyond)) return fmt::format("consumer `{}` sends failed messages to `{}`, which is no topic of this cluster", client.name, beyond);
      }
    }
    return std::nullopt;
  }

  void deploy(World& w, const Deployment& d) const override {
    for (const auto* all : {&message_declarations(), &cluster_message_declarations(), &mirror_message_declarations(), &quorum_message_declarations()})
      for (const MessageDecl& m : *all) w.declare_message(m);
    w.set_resolver(&resolve);
    w.set_file_finder(&find_file);
    const auto cluster = plan_cluster(d);
    const auto first = static_cast<NodeId>(w.node_count());
    cluster->created = WorldOptions{}.wall_epoch;
    for (std::int32_t i = 0; i < cluster->settings.brokers; ++i) {
      cluster->brokers.push_back(first + static_cast<NodeId>(i));
      cluster->broker_names.push_back(fmt::format("B{}", i + 1));
    }
    for (std::int32_t i = 0; i < cluster->settings.brokers; ++i) {
      NodeOptions o;
      o.name = cluster->broker_names[static_cast<std::size_t>(i)];
      o.role = "broker";
      o.disk.sync_latency = d.cluster.duration("sync_latency");
      o.disk.writeback_after = d.cluster.duration("writeback_after");
      o.service = d.cluster.duration("broker_service");
      o.service_ps_per_byte = 1'000;  // 1 GB/s
      if (d.cluster.boolean("shared_power")) o.machine = "brokers";
      w.add_node(std::make_unique<Broker>(cluster, static_cast<std::size_t>(i)), std::move(o));
    }
    for (const ClientSpec& spec : d.clients) add_client(w, d, cluster, spec);
  }

  NodeId add_reader(World& w, const Deployment& d, const std::string& name) const override {
    Client::Setup setup;
    setup.last_reader = true;
    setup.consumes = true;
    setup.link = link_settings(*profile_defaults(decl_, d.profile, "consumer"));
    NodeOptions options;
    options.name = name;
    options.role = "consumer";
    return w.add_node(std::make_unique<Client>(cluster_of(w), nullptr, std::move(setup)), std::move(options));
  }

  bool settled(const World& w) const override { return at_rest(w); }
  Contents contents(const World& w, const ContentsWish& wish) const override { return contents_of(w, wish); }
  RouteGraph routes(const Deployment& d) const override {
    const auto cluster = plan_cluster(d);
    std::vector<QueueSpec> queues;
    for (const QueuePlan& q : cluster->queues) queues.push_back(q.spec);
    return route_graph(routing_of(*cluster), queues);
  }
  std::vector<Claim> claims(const Deployment& d, const FaultSummary& f) const override { return claims_of(d, f); }
  std::unique_ptr<ConformanceDriver> conformance(std::string_view system, const std::vector<Setting>& settings) const override { return conformance_of(system, settings); }

 private:
  void add_client(World& w, const Deployment& d, const ClusterRef& cluster, const ClientSpec& spec) const {
    const bool sends_on = spec.role == "consumer" && !spec.app && !consumer_loop_sends_to(spec.options).empty();
    Client::Setup setup;
    setup.produces = spec.role != "consumer" || sends_on;
    setup.consumes = spec.role != "producer";
    setup.link = link_settings(spec.options);
    if (setup.produces) setup.producer = producer_settings(sends_on ? *profile_defaults(decl_, d.profile, "producer") : spec.options);
    if (setup.consumes) setup.consumer = consumer_settings(*consumer_options_of(spec));
    std::unique_ptr<App> app = spec.app ? spec.app->clone() : nullptr;
    if (!app && spec.role == "producer") app = std::make_unique<ProducerLoad>(spec.options);
    if (!app && spec.role == "consumer") app = std::make_unique<ConsumerLoop>(spec.options);
    NodeOptions o;
    o.name = spec.name;
    o.role = spec.role;
    o.zone = spec.zone;
    o.rack = spec.rack;
    o.region = spec.region;
    w.add_node(std::make_unique<Client>(cluster, std::move(app), std::move(setup)), std::move(o));
  }

  ModelDecl decl_ = declare_model();
};

}  // namespace

std::unique_ptr<Model> make_model() { return std::make_unique<RabbitModel>(); }

}  // namespace mqlab::rabbitmq
