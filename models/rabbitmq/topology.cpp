// What the topics of a deployment become: exchanges, queues, bindings.
#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/model_parts.h"
#include "sim/lab/nearest.h"

namespace mqlab::rabbitmq {
namespace {

// Whether this client reads that topic. Of a program nobody knows: it reads what it likes.
bool may_read(const ClientSpec& s, const TopicPlan& topic) {
  const Options* o = consumer_options_of(s);
  if (!o) return false;
  if (s.app) return true;
  for (const std::string& name : o->list("topics")) {
    if (name == topic.name) return true;
    for (std::int32_t n = 0; n < topic.partitions; ++n)
      if (name == topic.place(n)) return true;
  }
  return false;
}

// Who reads a topic: a queue for each (settings.h).
std::vector<std::string> subscriptions_of(const Deployment& d, const TopicPlan& topic) {
  std::vector<std::string> out;
  for (const ClientSpec& s : d.clients) {
    if (!may_read(s, topic)) continue;
    const std::string& group = consumer_options_of(s)->text("group");
    const std::string name = group.empty() ? s.name : group;
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

// Lists that belong together, by their place in them: each is as long as the longest, or has one item for all, or none.
const std::string* item(const std::vector<std::string>& list, std::size_t n) { return list.empty() ? nullptr : &list[list.size() == 1 ? 0 : n]; }

constexpr const char* of_sources[] = {"sources", "source_keys", "source_arguments"};

std::size_t longest(const Options& topic) {
  std::size_t n = 0;
  for (const char* option : of_sources) n = std::max(n, topic.list(option).size());
  return n;
}

Table table_of(const std::string& text) {
  Table t;
  read_table(text, t);
  return t;
}

// The keys with which everything of a source comes, where the topic names none.
std::vector<std::string> keys_of_all(const TopicPlan& source) {
  switch (source.exchange) {
    case ExchangeType::direct: {
      std::vector<std::string> keys;
      for (std::int32_t n = 0; n < source.partitions; ++n) keys.push_back(std::to_string(n));
      return keys;
    }
    case ExchangeType::topic: return {"#"};
    case ExchangeType::consistent_hash: return {"1"};
    default: return {std::string()};
  }
}

// exchange.bind, as the topic asks for it.
void add_source_bindings(Cluster& cluster, const TopicSpec& spec) {
  const std::vector<std::string> sources = spec.options.list("sources"), keys = spec.options.list("source_keys"), arguments = spec.options.list("source_arguments");
  for (std::size_t n = 0; n < longest(spec.options); ++n) {
    const std::string& source = *item(sources, n);
    const std::string* key = item(keys, n);
    const std::string* args = item(arguments, n);
    for (const std::string& k : key ? std::vector<std::string>{*key} : keys_of_all(*cluster.topic(source)))
      cluster.exchange_bindings.push_back({.source = source, .destination = spec.name, .to_exchange = true, .key = k, .args = args ? table_of(*args) : Table()});
  }
}

void add_queues(Cluster& cluster, const Deployment& d, const TopicSpec& spec, const TopicPlan& t) {
  const std::int64_t bound = spec.options.integer("bound");
  std::vector<std::string> readers = subscriptions_of(d, t);
  // An exchange that hands all on to others, and that nobody reads, needs no queue to keep its messages.
  const bool hands_on = std::any_of(d.topics.begin(), d.topics.end(), [&](const TopicSpec& o) {
    const std::vector<std::string> sources = o.options.list("sources");
    return std::find(sources.begin(), sources.end(), t.name) != sources.end();
  });
  if (t.type == QueueType::stream || (readers.empty() && !hands_on)) readers = {std::string()};
  for (const std::string& reader : readers)
    for (std::int32_t n = 0; n < t.partitions; ++n) {
      QueuePlan q;
      q.topic = t.name;
      q.partition = n;
      q.subscription = reader;
      q.spec = queue_spec(spec.options);
      q.ha = ha_policy(spec.options);
      q.bound = bound < 0 || n < bound;
      q.spec.name = t.name + (reader.empty() ? "" : "." + reader) + (t.partitions > 1 ? fmt::format(".{}", n) : "");
      q.broker = cluster.queues.size() % static_cast<std::size_t>(cluster.settings.brokers);
      cluster.queues.push_back(std::move(q));
    }
}

// All that the definitions hold; the first thing that a broker would refuse, and of which topic.
std::optional<std::string> fill(Routing& routing, const Cluster& cluster) {
  std::optional<std::string> first;
  const auto note = [&](const std::string& topic, const MaybeError& e) {
    if (e && !first) first = fmt::format("topic `{}`: {}", topic, e->text);
  };
  for (const TopicPlan& t : cluster.topics) {
    Exchange x;
    x.name = t.name;
    x.type = t.exchange;
    x.durable = true;
    if (!t.alternate.empty()) x.args.set("alternate-exchange", t.alternate);
    note(t.name, routing.declare_exchange(x));
  }
  for (const QueuePlan& q : cluster.queues) {
    if (!cluster.topic(q.topic)->declared) continue;
    routing.add_queue(q.spec.name, q.spec.durable);
    if (q.bound) note(q.topic, routing.bind(binding_of(cluster, q)));
  }
  for (const Binding& b : cluster.exchange_bindings) note(b.destination, routing.bind(b));
  return first;
}

}  // namespace

const Options* consumer_options_of(const ClientSpec& s) { return s.role == "consumer" ? &s.options : s.role == "producer" ? nullptr : &s.consumer_options; }

// A consistent hash reads the key of a binding as its weight.
Binding binding_of(const Cluster& cluster, const QueuePlan& q) {
  const TopicPlan& t = *cluster.topic(q.topic);
  const auto n = static_cast<std::size_t>(q.partition);
  Binding b{.source = q.topic, .destination = q.spec.name, .key = std::to_string(q.partition)};
  if (t.exchange == ExchangeType::consistent_hash) b.key = "1";
  if (t.exchange == ExchangeType::topic) b.key = n < t.binding_keys.size() ? t.binding_keys[n] : "#";
  if (t.exchange == ExchangeType::headers) {
    b.key.clear();
    if (n < t.binding_arguments.size()) b.args = t.binding_arguments[n];
  }
  return b;
}

Routing routing_of(const Cluster& cluster) {
  Routing routing;
  fill(routing, cluster);
  return routing;
}

std::optional<std::string> check_topology(const Deployment& d) {
  std::vector<std::string> names;
  for (const TopicSpec& t : d.topics) names.push_back(t.name);
  for (const TopicSpec& t : d.topics) {
    for (const std::string& source : t.options.list("sources"))
      if (std::find(names.begin(), names.end(), source) == names.end())
        return fmt::format("topic `{}`: sources names `{}`, which is no topic of this cluster{}", t.name, source, did_you_mean(source, names));
    const std::size_t many = longest(t.options);
    if (many > 0 && t.options.list("sources").empty()) return fmt::format("topic `{}` says how sources are bound and names none: which topic's exchange hands its messages on?", t.name);
    for (const char* option : of_sources)
      if (const std::size_t have = t.options.list(option).size(); have > 1 && have != many)
        return fmt::format("topic `{}`: {} has {} items where another list has {}: one for each binding, or one for all", t.name, option, have, many);
    for (const char* option : {"binding_arguments", "source_arguments"})
      for (const std::string& text : t.options.list(option)) {
        Table ignored;
        if (const auto error = read_table(text, ignored)) return fmt::format("topic `{}`: {}: {}", t.name, option, *error);
      }
  }
  Routing routing;
  return fill(routing, *plan_cluster(d));
}

std::shared_ptr<Cluster> plan_cluster(const Deployment& d) {
  auto cluster = std::make_shared<Cluster>();
  cluster->settings = broker_settings(d.cluster, d.profile);
  for (const TopicSpec& spec : d.topics) {
    TopicPlan t;
    t.name = spec.name;
    t.partitions = static_cast<std::int32_t>(spec.options.integer("partitions"));
    const std::string& type = spec.options.text("queue_type");
    t.type = type == "quorum" ? QueueType::quorum : type == "stream" ? QueueType::stream : QueueType::classic;
    t.exchange = *exchange_type_of(spec.options.text("exchange"));
    t.binding_keys = spec.options.list("binding_keys");
    for (const std::string& text : spec.options.list("binding_arguments")) t.binding_arguments.push_back(table_of(text));
    t.alternate = spec.options.text("alternate");
    t.declared = spec.options.boolean("declared");
    t.dead_letters = std::any_of(d.topics.begin(), d.topics.end(), [&](const TopicSpec& o) { return o.options.text("dead_letter") == spec.name; });
    add_queues(*cluster, d, spec, t);
    cluster->topics.push_back(std::move(t));
  }
  for (const TopicSpec& spec : d.topics) add_source_bindings(*cluster, spec);
  return cluster;
}

}  // namespace mqlab::rabbitmq
