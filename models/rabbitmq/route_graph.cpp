// The routes as a graph, its text, and its loops.
#include "models/rabbitmq/route_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <functional>
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

const char* arrow(RouteEdge::Kind k) {
  switch (k) {
    case RouteEdge::Kind::binding: return "->";
    case RouteEdge::Kind::alternate: return "-alternate->";
    case RouteEdge::Kind::dead_letter: return "-dead-letter->";
  }
  return "";
}

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

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
    if (!own || used.count(name) != 0) b.node(Kind::exchange, name, fmt::format("{} ({})", shown(name), rabbitmq::name(x.type)));
  }
  for (const auto& [name, durable] : routing.queues()) b.node(Kind::queue, name, name);

  const auto exchange = [&](const std::string& name) { return b.node(Kind::exchange, name, shown(name) + " (missing)", true); };
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

std::string to_dot(const RouteGraph& g) {
  std::string out = "digraph routes {\n  rankdir=LR;\n";
  const auto id = [&](std::size_t i) { return fmt::format("{}{}", g.nodes[i].kind == Kind::exchange ? "x" : "q", i); };
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const RouteNode& n = g.nodes[i];
    out += fmt::format("  {} [label={}, shape={}{}];\n", id(i), quoted(n.label), n.kind == Kind::exchange ? "ellipse" : "box",
                       n.missing ? ", style=dashed" : "");
  }
  for (const RouteEdge& e : g.edges) {
    const char* style = e.kind == RouteEdge::Kind::dead_letter ? "dashed" : e.kind == RouteEdge::Kind::alternate ? "dotted" : "solid";
    out += fmt::format("  {} -> {} [label={}, style={}];\n", id(e.from), id(e.to), quoted(e.label), style);
  }
  return out + "}\n";
}

// Only within a strongly connected part can there be a loop; in each, every elementary loop is walked from its
// smallest node, through nodes that are not smaller.
std::vector<RouteLoop> route_loops(const RouteGraph& g, std::size_t limit) {
  using Boost = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
  Boost graph(g.nodes.size());
  for (const RouteEdge& e : g.edges) boost::add_edge(e.from, e.to, graph);
  std::vector<std::size_t> part(g.nodes.size());
  if (!g.nodes.empty()) boost::strong_components(graph, boost::make_iterator_property_map(part.begin(), boost::get(boost::vertex_index, graph)));

  std::vector<RouteLoop> loops;
  std::vector<const RouteEdge*> way;
  std::vector<bool> on_way(g.nodes.size(), false);
  const auto note = [&] {
    RouteLoop loop;
    loop.text = shown(g.nodes[way.front()->from].name);
    for (const RouteEdge* e : way) {
      loop.nodes.push_back(e->from);
      if (e->kind == RouteEdge::Kind::dead_letter) loop.kind = RouteLoop::Kind::dead_letters;
      loop.text += fmt::format(" {} {}", arrow(e->kind), shown(g.nodes[e->to].name));
    }
    const bool known = std::any_of(loops.begin(), loops.end(), [&](const RouteLoop& l) { return l.text == loop.text; });
    if (!known) loops.push_back(std::move(loop));
  };
  const std::function<void(std::size_t, std::size_t)> walk = [&](std::size_t root, std::size_t at) {
    on_way[at] = true;
    for (const RouteEdge& e : g.edges) {
      if (e.from != at || e.to < root || part[e.to] != part[root] || loops.size() >= limit) continue;
      if (e.to != root && on_way[e.to]) continue;
      way.push_back(&e);
      if (e.to == root) note();
      else walk(root, e.to);
      way.pop_back();
    }
    on_way[at] = false;
  };
  for (std::size_t root = 0; root < g.nodes.size(); ++root) walk(root, root);
  return loops;
}

}  // namespace mqlab::rabbitmq
