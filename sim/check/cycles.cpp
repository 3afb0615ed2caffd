// G0, G1c and their process and realtime forms: cycles among what took effect, as Elle and Jepsen's tests.kafka
// have them (Adya 1999, section 4.2; Kingsbury and Alvaro 2020).
//
// Nodes: committed transactions, also those that somebody saw at read-committed before any end of them was known;
// sends outside a transaction, if they ended ok or were seen before they failed; polls outside one. Edges:
//
//     ww         both wrote one place, one at the next known position after the other's
//     wr         one got what the other sent (at read-committed, if that was sent in a transaction)
//     process    of one process, one had ended before the other began
//     realtime   one had ended before the other began (this holds the process edges)
//
// G0 is a cycle of ww edges, G1c one with a wr edge as well; the other forms add process or realtime edges. A
// component is told under a name only if no weaker name has a cycle in it, so that one cause is told once; a
// cycle of wr edges alone is always told as G1c, since interleaved writes can't excuse it.
//
// Worked out from the rows that matter when a report is asked for, in time linear in them. Order goes from what began
// earlier to what began later, so every cycle has a data edge that goes back, and only what began between the two ends of
// such edges is searched. There "ended before" goes over a chain of barriers, one after each run of ends.
#include <algorithm>
#include <deque>

#include "sim/check/checkers.h"
#include "sim/check/digraph.h"

namespace mqlab {
namespace {

enum class Link : std::uint8_t { ww, wr, order };
enum class Order : std::uint8_t { none, process, realtime };

// One that took effect.
struct Node {
  OpIndex begin = no_op;
  OpIndex end = no_op;  // no_op: unknown, so nothing comes after it for certain
  OpIndex counts = 0;   // from this row on it has taken effect for certain
  NodeId process = nobody;
  std::uint32_t transaction = no_index;  // one of the three
  std::uint32_t send = no_index;
  std::uint32_t reader = no_index;
};

struct Edge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  OpIndex from_row = no_op;  // what shows it
  OpIndex to_row = no_op;
  Link link{};
};

// A poll outside transactions, or a delivery that came by itself.
struct ReaderFact {
  OpIndex begin = no_op;
  OpIndex end = no_op;
  NodeId process = nobody;
};
struct ReadFact {
  OpIndex row = no_op;
  std::uint32_t send = no_index;
  std::uint32_t reader = no_index;       // one of the two
  std::uint32_t transaction = no_index;
};

// A node begins or ends.
struct Moment {
  std::uint32_t node = no_index;
  bool end = false;
};

// The data edges of a history.
class Dependencies {
 public:
  Dependencies(const Journal& journal, const Ledger& ledger, const std::vector<ReaderFact>& readers, const std::vector<ReadFact>& reads)
      : journal_(journal), ledger_(ledger) {
    add_nodes(readers);
    write_read(reads);
    write_write();
  }
  std::vector<Node> nodes{};
  std::vector<Edge> edges{};
  std::vector<Moment> timeline{};  // once it is asked for

  // Leaves who wrote beside another, read one or was read, and began from the begin of a target to that of its source,
  // where an edge goes back.
  void keep_what_goes_back() {
    std::vector<std::int32_t> back(journal_.ops.size() + 1);  // by row: how many more edges span it than the row before
    for (const Edge& e : edges) {
      if (nodes[e.from].begin < nodes[e.to].begin) continue;
      ++back[nodes[e.to].begin];
      --back[nodes[e.from].begin + 1];
    }
    for (std::size_t row = 1; row < back.size(); ++row) back[row] += back[row - 1];
    std::vector<std::uint32_t> marks(nodes.size(), no_index);
    for (const Edge& e : edges) {
      for (const std::uint32_t n : {e.from, e.to}) marks[n] = back[nodes[n].begin] > 0 ? 0 : no_index;
    }
    keep(marks);
  }

  // At most one node begins at a row, and one ends.
  void set_timeline() {
    struct Row {
      std::uint32_t begins = no_index;
      std::uint32_t ends = no_index;
    };
    std::vector<Row> of_row(journal_.ops.size());
    for (std::uint32_t n = 0; n < nodes.size(); ++n) {
      of_row[nodes[n].begin].begins = n;
      if (nodes[n].end != no_op) of_row[nodes[n].end].ends = n;
    }
    timeline.reserve(2 * nodes.size());
    for (const Row& r : of_row) {
      if (r.begins != no_index) timeline.push_back({r.begins, false});
      if (r.ends != no_index) timeline.push_back({r.ends, true});
    }
  }

  // Leaves the nodes that have a mark, in the same order, and the edges among them.
  void keep(const std::vector<std::uint32_t>& marks) {
    std::vector<std::uint32_t> now(nodes.size(), no_index);
    std::uint32_t kept = 0;
    for (std::uint32_t n = 0; n < nodes.size(); ++n) {
      if (marks[n] == no_index) continue;
      now[n] = kept;
      nodes[kept++] = nodes[n];
    }
    nodes.resize(kept);
    auto end = edges.begin();
    for (Edge e : edges) {
      e.from = now[e.from];
      e.to = now[e.to];
      if (e.from != no_index && e.to != no_index) *end++ = e;
    }
    edges.erase(end, edges.end());
    auto last = timeline.begin();
    for (Moment m : timeline) {
      m.node = now[m.node];
      if (m.node != no_index) *last++ = m;
    }
    timeline.erase(last, timeline.end());
  }

 private:
  struct Written {
    std::int64_t position;
    OpIndex row;    // that shows it there
    OpIndex since;  // it is shown, and its node counts
    std::uint32_t node;
  };

  void add_nodes(const std::vector<ReaderFact>& readers) {
    const auto& sends = ledger_.sends();
    const auto& transactions = ledger_.transactions();
    of_send_.assign(sends.size(), no_index);
    of_transaction_.assign(transactions.size(), no_index);
    of_reader_.assign(readers.size(), no_index);
    nodes.reserve(transactions.size() + sends.size() + readers.size());
    for (std::uint32_t n = 0; n < transactions.size(); ++n) {
      const TransactionFact& t = transactions[n];
      const bool committed = t.state == TransactionState::committed;
      if (!committed && (t.shown == no_op || t.shown > t.end)) continue;
      of_transaction_[n] = static_cast<std::uint32_t>(nodes.size());
      nodes.push_back({t.begin, committed ? t.end : no_op, std::min(t.end, t.shown), t.process, n, no_index, no_index});
    }
    for (std::uint32_t n = 0; n < sends.size(); ++n) {
      const SendFact& f = sends[n];
      if (f.transaction != no_index) {
        of_send_[n] = of_transaction_[f.transaction];
      } else if (f.outcome == Outcome::ok || seen_alive(n)) {
        of_send_[n] = static_cast<std::uint32_t>(nodes.size());
        nodes.push_back({f.invoke, f.outcome == Outcome::ok ? f.end : no_op, 0, f.producer, no_index, n, no_index});
      }
    }
    for (std::uint32_t n = 0; n < readers.size(); ++n) {
      of_reader_[n] = static_cast<std::uint32_t>(nodes.size());
      nodes.push_back({readers[n].begin, readers[n].end, 0, readers[n].process, no_index, no_index, n});
    }
  }

  void write_read(const std::vector<ReadFact>& reads) {
    edges.reserve(reads.size());
    for (const ReadFact& r : reads) {
      const std::uint32_t from = of_send_[r.send];
      const std::uint32_t to = r.transaction != no_index ? of_transaction_[r.transaction] : of_reader_[r.reader];
      if (from == no_index || to == no_index || from == to) continue;
      // One of many messages is enough to show it.
      if (!edges.empty() && edges.back().from == from && edges.back().to == to) continue;
      edges.push_back({from, to, ledger_.sends()[r.send].invoke, r.row, Link::wr});
    }
  }

  bool seen_alive(std::uint32_t send) const {
    const SendFact& f = ledger_.sends()[send];
    return f.seen != no_op && (f.outcome != Outcome::fail || f.seen < f.end);
  }

  // Where the send put its message: as its acknowledgement or a read of it said first.
  void write_write() {
    std::vector<std::vector<Written>> written(ledger_.places().size());
    const auto put = [&](std::uint32_t place, std::int64_t position, OpIndex row, std::uint32_t node) {
      written[place].push_back({position, row, std::max(row, nodes[node].counts), node});
    };
    for (std::uint32_t n = 0; n < ledger_.sends().size(); ++n) {
      if (of_send_[n] == no_index) continue;
      const SendFact& f = ledger_.sends()[n];
      const bool told = f.outcome == Outcome::ok && f.place != no_index && f.position >= 0;
      if (told && f.end < f.seen) {
        put(f.place, f.position, f.end, of_send_[n]);
      } else if (seen_alive(n)) {
        const Op& read = journal_.ops[f.seen];
        const std::uint32_t place = ledger_.find_place(read.place);
        const std::int64_t position = read.position < std::int64_t{1} << 62 ? read.position : -1;
        if (place != no_index && position >= 0) put(place, position, f.seen, of_send_[n]);
      }
    }
    const auto before = [](const Written& a, const Written& b) { return a.position != b.position ? a.position < b.position : a.since < b.since; };
    for (std::vector<Written>& w : written) {
      if (!std::is_sorted(w.begin(), w.end(), before)) std::sort(w.begin(), w.end(), before);
      // Of two at one position (`inconsistent-offsets`) the one that counted there first has it, so that what was
      // told stays: one shown there earlier, in a transaction that commits later, takes nothing away.
      w.erase(std::unique(w.begin(), w.end(), [](const Written& a, const Written& b) { return a.position == b.position; }), w.end());
      for (std::size_t i = 1; i < w.size(); ++i) {
        if (w[i - 1].node != w[i].node) edges.push_back({w[i - 1].node, w[i].node, w[i - 1].row, w[i].row, Link::ww});
      }
    }
  }

  const Journal& journal_;
  const Ledger& ledger_;
  std::vector<std::uint32_t> of_send_;
  std::vector<std::uint32_t> of_transaction_;
  std::vector<std::uint32_t> of_reader_;
};

// "Ended before it began", as arcs over barriers.
void add_order(Graph& g, const Dependencies& d, Order order) {
  struct Chain {
    std::uint32_t barrier = no_index;  // all that ended so far comes before it
    bool open = false;                 // nothing began since, so the next end may join
  };
  Chain everybody;
  FlatMap<Chain> by_process;
  for (const Moment& m : d.timeline) {
    Chain& c = order == Order::realtime ? everybody : by_process[d.nodes[m.node].process];
    if (!m.end) {
      c.open = false;
      if (c.barrier != no_index) g.arcs.push_back({c.barrier, m.node, no_index});
      continue;
    }
    if (!c.open) {
      const auto fresh = static_cast<std::uint32_t>(g.vertices++);
      if (c.barrier != no_index) g.arcs.push_back({c.barrier, fresh, no_index});
      c = {fresh, true};
    }
    g.arcs.push_back({m.node, c.barrier, no_index});
  }
}

// The graph of some kinds of edges.
Graph graph_of(const Dependencies& d, bool ww, bool wr, Order order) {
  Graph g{d.nodes.size(), d.nodes.size(), {}};
  g.arcs.reserve(d.edges.size() + 2 * d.timeline.size());
  for (std::uint32_t e = 0; e < d.edges.size(); ++e) {
    if (d.edges[e].link == Link::ww ? ww : wr) g.arcs.push_back({d.edges[e].from, d.edges[e].to, e});
  }
  if (order != Order::none) add_order(g, d, order);
  return g;
}

// The part of a graph that is one component, its vertices numbered anew in the same order.
Graph part_of(const Graph& g, const Component& component) {
  std::vector<std::uint32_t> local(g.vertices, no_index);
  Graph part{0, component.size(), {}};
  for (std::uint32_t n = 0; n < component.size(); ++n) {
    local[component[n]] = n;
    if (component[n] < g.nodes) part.nodes = n + 1;
  }
  for (const Arc& a : g.arcs) {
    if (local[a.from] != no_index && local[a.to] != no_index) part.arcs.push_back({local[a.from], local[a.to], a.edge});
  }
  return part;
}

// The shortest cycle in a component: edges from node to node. From each of the first so many nodes the shortest way
// back to it is searched; barriers cost nothing.
std::vector<Edge> shortest_cycle(const Dependencies& d, const Graph& whole, const Component& component) {
  constexpr std::uint32_t starts_max = 256;
  const Graph g = part_of(whole, component);
  const Adjacency out(g);
  std::vector<Arc> best;  // one for each stretch between two nodes
  std::vector<std::uint32_t> distance(g.vertices);
  std::vector<std::uint32_t> by(g.vertices);
  for (std::uint32_t start = 0; start < g.nodes && start < starts_max; ++start) {
    std::fill(distance.begin(), distance.end(), no_index);
    std::deque<std::uint32_t> queue{start};
    distance[start] = 0;
    std::uint32_t closing = no_index;
    std::uint32_t length = best.empty() ? no_index : static_cast<std::uint32_t>(best.size());
    while (!queue.empty()) {
      const std::uint32_t v = queue.front();
      queue.pop_front();
      if (distance[v] + 1 >= length) break;
      for (std::uint32_t i = out.begin(v); i < out.end(v); ++i) {
        const std::uint32_t to = out[i].to;
        if (to == start) {
          if (distance[v] + 1 >= length) continue;
          length = distance[v] + 1;
          closing = out[i].arc;
          continue;
        }
        const bool barrier = to >= g.nodes;
        const std::uint32_t far = distance[v] + (barrier ? 0 : 1);
        if (far >= distance[to]) continue;
        distance[to] = far;
        by[to] = out[i].arc;
        if (barrier) queue.push_front(to);
        else queue.push_back(to);
      }
    }
    if (closing == no_index) continue;
    // Back along the way.
    best.clear();
    std::uint32_t last = closing;
    while (true) {
      Arc arc = g.arcs[last];
      while (arc.from >= g.nodes) arc.from = g.arcs[by[arc.from]].from;
      best.push_back(arc);
      if (arc.from == start) break;
      last = by[arc.from];
    }
    std::reverse(best.begin(), best.end());
  }
  std::vector<Edge> cycle;
  for (const Arc& a : best) {
    if (a.edge != no_index) {
      cycle.push_back(d.edges[a.edge]);
    } else {
      const std::uint32_t from = component[a.from];
      const std::uint32_t to = component[a.to];
      cycle.push_back({from, to, d.nodes[from].end, d.nodes[to].begin, Link::order});
    }
  }
  return cycle;
}

class Cycles : public CheckerOf<Cycles> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::poll) {
      if (s.op.outcome == Outcome::invoke || s.op.of >= s.index) return;
      const std::uint32_t* n = reader_of_.find(s.op.of);
      if (n && readers_[*n].end == no_op) readers_[*n].end = s.index;
      return;
    }
    if (s.source == no_index) return;
    const bool isolated = ledger.sends()[s.source].transaction != no_index;
    if (isolated && !(s.op.flags & op_flag::read_committed)) return;
    if (s.transaction != no_index) {
      reads_.push_back({s.index, s.source, no_index, s.transaction});
    } else {
      reads_.push_back({s.index, s.source, reader(s), no_index});
    }
  }

  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    std::vector<FindingList> found;
    for (const char* name : {"G0", "G0-process", "G0-realtime", "G1c", "G1c-process", "G1c-realtime"}) found.emplace_back(name);
    Dependencies d(journal, ledger, readers_, reads_);
    const std::size_t all = d.edges.size();
    const auto ww = static_cast<std::uint64_t>(std::count_if(d.edges.begin(), d.edges.end(), [](const Edge& e) { return e.link == Link::ww; }));
    search(journal, ledger, d, found);
    for (std::size_t i = 0; i < found.size(); ++i) {
      out.push_back(i < 3 ? found[i].report(ww, "writes next to one another by two") : found[i].report(all, "dependencies"));
    }
  }

 private:
  std::uint32_t reader(const Step& s) {
    const Op* poll = Ledger::invoke_of(s.op, s.index, s.journal);
    if (!poll || poll->kind != OpKind::poll) {
      readers_.push_back({s.index, s.index, s.op.process});
      return static_cast<std::uint32_t>(readers_.size() - 1);
    }
    if (s.op.of == last_poll_) return last_reader_;
    const std::uint32_t* known = reader_of_.find(s.op.of);
    last_poll_ = s.op.of;
    last_reader_ = known ? *known : static_cast<std::uint32_t>(readers_.size());
    if (!known) {
      reader_of_[s.op.of] = last_reader_;
      // A poll of one row has ended there; it began no later.
      readers_.push_back({s.op.of, poll->outcome == Outcome::invoke ? no_op : s.op.of, s.op.process});
    }
    return last_reader_;
  }

  static void search(const Journal& journal, const Ledger& ledger, Dependencies& d, std::vector<FindingList>& found) {
    d.keep_what_goes_back();
    if (d.nodes.empty()) return;
    d.set_timeline();
    keep_open_questions(journal, ledger, d, found);
    // By class: nodes that are in a cycle of a weaker one.
    std::vector<bool> weaker[6];
    for (auto& w : weaker) w.assign(d.nodes.size(), false);
    std::vector<bool> hidden(d.nodes.size());
    static constexpr Order orders[] = {Order::none, Order::process, Order::realtime};
    for (std::size_t c = 0; c < 6; ++c) {
      const Graph g = graph_of(d, true, c >= 3, orders[c % 3]);
      for (const Component& component : strong_components_of(g)) {
        if (!touches(component, weaker[c])) {
          if (c > 0) add(journal, ledger, d, found[c], g, component);
        } else if (c == 3) {
          for (const std::uint32_t n : component) hidden[n] = true;
        }
        for (std::size_t stronger = c + 1; stronger < 6; ++stronger) {
          if (stronger % 3 < c % 3) continue;
          for (const std::uint32_t n : component) {
            if (n < d.nodes.size()) weaker[stronger][n] = true;
          }
        }
      }
    }
    // A component of reads and writes that holds a cycle of writes was not told; cycles of its reads alone are.
    const Graph reads = graph_of(d, false, true, Order::none);
    for (const Component& component : strong_components_of(reads)) {
      if (touches(component, hidden)) add(journal, ledger, d, found[3], reads, component);
    }
  }

  // Tells all G0. Then keeps what lies in a cycle of any kind: but not where each node is in one of writes already, and
  // none in one of reads, since that has nothing more to tell.
  static void keep_open_questions(const Journal& journal, const Ledger& ledger, Dependencies& d, std::vector<FindingList>& found) {
    std::vector<std::uint32_t> component_of(d.nodes.size(), no_index);
    std::uint32_t components = 0;
    for (const Component& component : strong_components_of(graph_of(d, true, true, Order::realtime))) {
      for (auto n = component.begin(); n != component.end() && *n < d.nodes.size(); ++n) component_of[*n] = components;
      ++components;
    }
    d.keep(component_of);
    std::erase(component_of, no_index);
    std::vector<char> settled(d.nodes.size());
    const Graph writes = graph_of(d, true, false, Order::none);
    for (const Component& component : strong_components_of(writes)) {
      add(journal, ledger, d, found[0], writes, component);
      for (const std::uint32_t n : component) settled[n] = true;
    }
    for (const Component& component : strong_components_of(graph_of(d, false, true, Order::none))) {
      for (const std::uint32_t n : component) settled[n] = false;
    }
    std::vector<char> open(components);
    for (std::uint32_t n = 0; n < settled.size(); ++n) open[component_of[n]] |= !settled[n];
    for (std::uint32_t& c : component_of) c = open[c] ? c : no_index;
    d.keep(component_of);
  }

  static bool touches(const Component& component, const std::vector<bool>& nodes) {
    return std::any_of(component.begin(), component.end(), [&](std::uint32_t n) { return n < nodes.size() && nodes[n]; });
  }

  static std::string name(const Journal& j, const Ledger& l, const Node& n) {
    if (n.transaction != no_index) return words::transaction(j, l.transactions()[n.transaction]);
    const std::string who = j.process_name(n.process);
    return n.send != no_index ? who + "'s send of " + words::message(j, l, l.sends()[n.send].message) : who + "'s poll (row " + std::to_string(n.begin) + ")";
  }

  static void add(const Journal& journal, const Ledger& ledger, const Dependencies& d, FindingList& found, const Graph& g,
                  const Component& component) {
    if (found.full()) {
      found.count_one();
      return;
    }
    const std::vector<Edge> cycle = shortest_cycle(d, g, component);
    std::vector<OpIndex> witness;
    const auto shows = [&](OpIndex row) {
      if (row != no_op) witness.push_back(row);
    };
    for (const Edge& e : cycle) {
      const Node& from = d.nodes[e.from];
      shows(e.from_row);
      shows(e.to_row);
      if (from.transaction != no_index) {
        const TransactionFact& t = ledger.transactions()[from.transaction];
        shows(t.state == TransactionState::committed ? t.end : t.shown);
      }
    }
    const OpIndex certain = *std::max_element(witness.begin(), witness.end());
    const Edge& first = cycle.front();
    const Op& op = journal.ops[first.to_row];
    found.add_rows(journal, certain, op.message, op.place, witness, [&] {
      std::string text;
      for (const Edge& e : cycle) {
        const std::string a = name(journal, ledger, d.nodes[e.from]);
        const std::string b = name(journal, ledger, d.nodes[e.to]);
        if (!text.empty()) text += &e == &cycle.back() ? ", and " : ", ";
        switch (e.link) {
          case Link::ww:
            text += a + " wrote " + words::at(journal, journal.ops[e.from_row]) + " before " + b + " wrote @" +
                    std::to_string(journal.ops[e.to_row].position);
            break;
          case Link::wr: text += b + " read " + journal.message_name(journal.ops[e.to_row].message) + " of " + a; break;
          case Link::order: text += a + " had ended before " + b + " began"; break;
        }
      }
      return text;
    });
  }

  std::vector<ReaderFact> readers_;
  std::vector<ReadFact> reads_;
  FlatMap<std::uint32_t> reader_of_;  // poll -> reader
  OpIndex last_poll_ = no_op;
  std::uint32_t last_reader_ = no_index;
};

}  // namespace

std::unique_ptr<Checker> make_cycles(const CheckOptions&) { return std::make_unique<Cycles>(); }

}  // namespace mqlab
