// The routes of a virtual host as a graph.
#include "models/rabbitmq/route_graph.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace mqlab::rabbitmq {
namespace {

using Kind = RouteNode::Kind;

struct Builder {
  RouteGraph g;
  std::map<std::pair<Kind, std::string>, std::size_t> index;

  std::size_t node(Kind kind, const std::string& name, const std::string& label, bool missing = false) {
    const auto [it, fresh] = index.try_emplace({kind, name}, g.nodes.size());
    if (fresh) g.nodes.push_back({.kind = kind, .name = name, .label = label, .missing = missing});
    return it->second;
  }
  void edge(RouteEdge::Kind kind, std::size_t from, std::size_t to, std::string label) { g.edges.push_back({kind, from, to, std::move(label)}); }
};

const std::string* text_arg(const QueueSpec& q, const char* name) {
  const FieldValue* v = q.args.find(name);
  return v != nullptr && v->is_text() ? &v->text : nullptr;
}

std::string shown(const std::string& exchange) { return exchange.empty() ? "(default)" : exchange; }

}  // namespace

RouteGraph route_graph(const Routing& routing, const std::vector<QueueSpec>& queues) {
  Builder b;
  // The virtual host's own exchanges show only where something hangs on them.
  std::set<std::string> used;
  for (const Binding& x : routing.bindings()) {
    used.insert(x.source);
    if (x.to_exchange) used.insert(x.destination);
  }
  for (const auto& [name, x] : routing.exchanges())
    if (const std::string* a = x.alternate()) used.insert({name, *a});
  for (const QueueSpec& q : queues)
    if (const std::string* dlx = text_arg(q, "x-dead-letter-exchange")) used.insert(*dlx);
  for (const auto& [name, x] : routing.exchanges()) {
    const bool own = name.empty() || name.compare(0, 4, "amq.") == 0;
    if (!own || used.count(name) != 0) b.node(Kind::router, name, fmt::format("{} ({})", shown(name), rabbitmq::name(x.type)));
  }
  for (const auto& [name, durable] : routing.queues()) b.node(Kind::queue, name, name);

  const auto exchange = [&](const std::string& name) { return b.node(Kind::router, name, shown(name) + " (missing)", true); };
  for (const Binding& x : routing.bindings())
    b.edge(RouteEdge::Kind::binding, exchange(x.source), x.to_exchange ? exchange(x.destination) : b.node(Kind::queue, x.destination, x.destination),
           x.args.empty() ? x.key : x.key.empty() ? describe(x.args) : x.key + " " + describe(x.args));
  for (const auto& [name, x] : routing.exchanges())
    if (const std::string* a = x.alternate()) b.edge(RouteEdge::Kind::alternate, exchange(name), exchange(*a), "");

  for (const QueueSpec& q : queues) {
    const std::string* dlx = text_arg(q, "x-dead-letter-exchange");
    const std::string* key = text_arg(q, "x-dead-letter-routing-key");
    if (dlx == nullptr) continue;
    const std::size_t from = b.node(Kind::queue, q.name, q.name);
    // Through the default exchange the way is known: to the queue that the key names, or back into the queue itself,
    // whose name was the key when it was published by it.
    if (dlx->empty()) {
      const std::string& target = key != nullptr ? *key : q.name;
      b.edge(RouteEdge::Kind::dead_letter, from, b.node(Kind::queue, target, target, !routing.has_queue(target)), "by name");
      continue;
    }
    b.edge(RouteEdge::Kind::dead_letter, from, exchange(*dlx), key != nullptr ? *key : "");
  }
  return b.g;
}

}  // namespace mqlab::rabbitmq
