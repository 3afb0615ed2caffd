// Loops, text and picture of a graph of routes.
#include "sim/lab/routes.h"
#include "sim/record/markup.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <functional>

namespace mqlab {
namespace {

std::string shown(const std::string& router) { return router.empty() ? "(default)" : router; }

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

// The rank of a node is one more than the highest of those that lead to it, but for the ways back.
std::vector<std::size_t> ranks(const RouteGraph& g, std::vector<bool>& back) {
  std::vector<std::size_t> rank(g.nodes.size(), 0);
  std::vector<std::uint8_t> seen(g.nodes.size(), 0);  // 1: on the way, 2: done
  std::vector<std::size_t> done;
  back.assign(g.edges.size(), false);
  const std::function<void(std::size_t)> visit = [&](std::size_t n) {
    seen[n] = 1;
    for (std::size_t e = 0; e < g.edges.size(); ++e) {
      if (g.edges[e].from != n) continue;
      if (seen[g.edges[e].to] == 1) back[e] = true;
      else if (seen[g.edges[e].to] == 0) visit(g.edges[e].to);
    }
    seen[n] = 2;
    done.push_back(n);
  };
  for (std::size_t n = 0; n < g.nodes.size(); ++n)
    if (seen[n] == 0) visit(n);
  for (auto n = done.rbegin(); n != done.rend(); ++n)
    for (std::size_t e = 0; e < g.edges.size(); ++e)
      if (g.edges[e].from == *n && !back[e]) rank[g.edges[e].to] = std::max(rank[g.edges[e].to], rank[*n] + 1);
  return rank;
}

}  // namespace

std::string to_dot(const RouteGraph& g) {
  std::string out = "digraph routes {\n  rankdir=LR;\n";
  const auto id = [&](std::size_t i) { return fmt::format("{}{}", g.nodes[i].kind == RouteNode::Kind::router ? "x" : "q", i); };
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const RouteNode& n = g.nodes[i];
    out += fmt::format("  {} [label={}, shape={}{}];\n", id(i), quoted(n.label), n.kind == RouteNode::Kind::router ? "ellipse" : "box",
                       n.missing ? ", style=dashed" : "");
  }
  for (const RouteEdge& e : g.edges) {
    const char* style = e.kind == RouteEdge::Kind::dead_letter ? "dashed" : e.kind == RouteEdge::Kind::alternate ? "dotted" : "solid";
    out += fmt::format("  {} -> {} [label={}, style={}];\n", id(e.from), id(e.to), quoted(e.label), style);
  }
  return out + "}\n";
}

std::string to_svg(const RouteGraph& g) {
  constexpr int width = 180, height = 36, across = 300, down = 64, margin = 20;
  std::vector<bool> back;
  const std::vector<std::size_t> rank = ranks(g, back);
  std::vector<int> rows(g.nodes.size() + 1, 0);
  std::vector<std::pair<int, int>> at(g.nodes.size());
  int right = 0, bottom = 0;
  for (std::size_t n = 0; n < g.nodes.size(); ++n) {
    at[n] = {margin + static_cast<int>(rank[n]) * across, margin + rows[rank[n]]++ * down};
    right = std::max(right, at[n].first + width);
    bottom = std::max(bottom, at[n].second + height);
  }
  const int turns = static_cast<int>(std::count(back.begin(), back.end(), true));
  const int full = bottom + (turns > 0 ? 30 + 18 * turns : 0) + margin;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      right + margin, full);
  int turn = 0;
  for (std::size_t e = 0; e < g.edges.size(); ++e) {
    const RouteEdge& edge = g.edges[e];
    const auto [x1, y1] = at[edge.from];
    const auto [x2, y2] = at[edge.to];
    const char* dash = edge.kind == RouteEdge::Kind::dead_letter ? " stroke-dasharray=\"6 4\"" : edge.kind == RouteEdge::Kind::alternate ? " stroke-dasharray=\"2 3\"" : "";
    const char* colour = edge.kind == RouteEdge::Kind::dead_letter ? "#d55e00" : edge.kind == RouteEdge::Kind::alternate ? "#0072b2" : "#444";
    const int half = height / 2;
    std::string path;
    int label_x = (x1 + width + x2) / 2, label_y = (y1 + y2) / 2 + half - 5;
    if (back[e]) {
      const int low = bottom + 24 + 18 * turn++;
      path = fmt::format("M{} {} C{} {} {} {} {} {} S{} {} {} {}", x1 + width, y1 + half, x1 + width + 60, y1 + half, x1 + width + 40, low, (x1 + width + x2) / 2, low, x2 - 60, y2 + half, x2, y2 + half);
      label_y = low - 4;
    } else {
      path = fmt::format("M{} {} C{} {} {} {} {} {}", x1 + width, y1 + half, x1 + width + 50, y1 + half, x2 - 50, y2 + half, x2, y2 + half);
    }
    out += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\"{} marker-end=\"url(#tip)\"/>\n", path, colour, dash);
    if (!edge.label.empty()) out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n", label_x, label_y, colour, as_markup(edge.label));
  }
  for (std::size_t n = 0; n < g.nodes.size(); ++n) {
    const RouteNode& node = g.nodes[n];
    const auto [x, y] = at[n];
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{}\" stroke=\"#444\"{}/>\n", x, y, width, height, node.kind == RouteNode::Kind::router ? height / 2 : 4,
                       node.kind == RouteNode::Kind::router ? "#e8f1fa" : "#fdf3d8", node.missing ? " stroke-dasharray=\"4 3\"" : "");
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x + width / 2, y + height / 2 + 4, as_markup(node.label));
  }
  return out + "</svg>\n";
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

}  // namespace mqlab
