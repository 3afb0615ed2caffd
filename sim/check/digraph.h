// sim/check/digraph.h: directed graphs and their strong components, for the search for cycles.
//
// A graph is a list of arcs; who walks over it asks for its Adjacency first. Its one rule: all orders follow the numbers of
// vertices and arcs, so equal graphs give equal answers.
//
//     for (const Component& c : strong_components_of(graph)) ...
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/check/ledger.h"

namespace mqlab {

// One step from vertex to vertex.
struct Arc {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t edge = no_index;  // what it stands for; no_index: the order of barriers
};

// Nodes 0 to n-1, then barriers: vertices that stand for nothing but order.
struct Graph {
  std::size_t nodes = 0;
  std::size_t vertices = 0;
  std::vector<Arc> arcs{};
};

// Arcs by the vertex they leave.
class Adjacency {
 public:
  struct Hop {
    std::uint32_t to;
    std::uint32_t arc;
  };
  explicit Adjacency(const Graph& g) : first_(g.vertices + 2), hops_(g.arcs.size()) {
    // Counted one further on, so that filling in moves each first to where it belongs.
    for (const Arc& a : g.arcs) ++first_[a.from + 2];
    for (std::size_t v = 0; v < g.vertices; ++v) first_[v + 2] += first_[v + 1];
    for (std::uint32_t a = 0; a < g.arcs.size(); ++a) hops_[first_[g.arcs[a].from + 1]++] = {g.arcs[a].to, a};
  }
  std::uint32_t begin(std::uint32_t v) const { return first_[v]; }
  std::uint32_t end(std::uint32_t v) const { return first_[v + 1]; }
  const Hop& operator[](std::uint32_t i) const { return hops_[i]; }

 private:
  std::vector<std::uint32_t> first_;
  std::vector<Hop> hops_;
};

using Component = std::vector<std::uint32_t>;  // vertices, ascending; of the nodes among them there are two or more

// Tarjan 1972, without recursion: each vertex gets a number when it is first seen, and the lowest number of an open
// vertex that it reaches. Who reaches none lower than itself closes a component.
inline std::vector<Component> strong_components_of(const Graph& g) {
  constexpr std::uint32_t closed = no_index;
  const Adjacency out(g);
  std::vector<Component> all;
  std::vector<std::uint32_t> number(g.vertices);  // from 1; 0 = not seen
  std::vector<std::uint32_t> low(g.vertices);
  std::vector<std::uint32_t> next(g.vertices);    // the arc to follow
  std::vector<std::uint32_t> path;
  std::vector<std::uint32_t> open;                // in the order seen
  std::uint32_t seen = 0;
  const auto see = [&](std::uint32_t v) {
    number[v] = low[v] = ++seen;
    next[v] = out.begin(v);
    path.push_back(v);
    open.push_back(v);
  };
  const auto close = [&](std::uint32_t root) {
    auto first = open.end();
    std::size_t nodes = 0;
    do {
      --first;
      number[*first] = closed;
      nodes += *first < g.nodes ? 1 : 0;
    } while (*first != root);
    if (nodes > 1) {
      all.emplace_back(first, open.end());
      std::sort(all.back().begin(), all.back().end());
    }
    open.erase(first, open.end());
  };
  for (std::uint32_t start = 0; start < g.vertices; ++start) {
    if (number[start] != 0) continue;
    see(start);
    while (!path.empty()) {
      const std::uint32_t v = path.back();
      if (next[v] < out.end(v)) {
        const std::uint32_t to = out[next[v]++].to;
        if (number[to] == 0) see(to);
        else low[v] = std::min(low[v], number[to]);
        continue;
      }
      path.pop_back();
      if (!path.empty()) low[path.back()] = std::min(low[path.back()], low[v]);
      if (low[v] == number[v]) close(v);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace mqlab
