// tests/check/transaction_oracle.h: the predicates of the transactions class once more, slow and plain. They share no
// code with the checkers. Cycles are found by closing the whole relation, pair by pair.
#pragma once

#include <map>
#include <tuple>

#include "tests/check/oracle.h"

namespace mqlab::test {

class TransactionOracle : public Oracle {
 public:
  explicit TransactionOracle(const Journal& journal) : Oracle(journal) {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      const Tx t = tx(r);
      if (t.second != 0 && std::find(transactions.begin(), transactions.end(), t) == transactions.end()) transactions.push_back(t);
    }
  }

  Rows precommitted_read() const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!careful_read(d) || tx(d).second == 0) continue;
      const auto s = source(d);
      if (!s || tx(*s) != tx(d)) continue;
      bool ending = false;
      for (OpIndex r = 0; r < d; ++r) ending = ending || asks_to_end(r, tx(d));
      if (!ending) out.push_back(d);
    }
    return out;
  }

  Rows zombie() const {
    Rows out;
    for (OpIndex s = 0; s < ops.size(); ++s) {
      if (!invokes_send(s)) continue;
      const auto taken = overtaken(tx(s));
      const auto e = send_end(s, end());
      const bool fenced = e && ops[*e].outcome == Outcome::fail && j.names.text(ops[*e].error) == "PRODUCER_FENCED";
      std::optional<OpIndex> breach;
      for (OpIndex d = s; d < ops.size() && !breach; ++d) {
        if (!is_delivery(d) || ops[d].message != ops[s].message) continue;
        if (taken && careful_read(d) && source(d) == s) breach = std::max(*taken, d);
        if (fenced && *e < d && source(d) == s && all_dead(ops[s].message, d, d)) breach = d;
      }
      // Seen first, told to be fenced later.
      for (OpIndex d = 0; fenced && d < *e; ++d) {
        if (!is_delivery(d) || ops[d].message != ops[s].message) continue;
        if (s < d && all_dead(ops[s].message, d, *e)) breach = std::min(breach.value_or(end()), *e);
        break;
      }
      if (breach) out.push_back(*breach);
    }
    return sorted(out);
  }

  Rows send_skip() const {
    Rows out;
    for (const Tx& t : transactions) {
      for (OpIndex a = 0; a < ops.size(); ++a) {
        const auto ea = placed(a, t);
        if (!ea) continue;
        for (OpIndex b = a + 1; b < ops.size(); ++b) {
          const auto eb = placed(b, t);
          if (!eb || ops[*eb].place != ops[*ea].place) continue;
          // What may yet come to stand between them must have ended.
          std::optional<OpIndex> settled = 0;
          for (OpIndex x = a + 1; x < b && settled; ++x) {
            if (!invokes_send(x) || tx(x) != t || !(ops[x].place == ops[*ea].place || (j.names.text(ops[x].place) == topic(ops[*ea].place)))) continue;
            const auto e = send_end(x, end());
            settled = e ? std::optional(std::max(*settled, *e)) : std::nullopt;
          }
          if (!settled) break;
          std::optional<OpIndex> since;
          for (std::int64_t p = ops[*ea].position + 1; p < ops[*eb].position; ++p) {
            const auto r = first_sight(ops[*ea].place, p);
            if (!r || ops[*r].message == ops[a].message || ops[*r].message == ops[b].message) continue;
            since = std::min(since.value_or(end()), *r);
          }
          if (since) out.push_back(std::max({*ea, *eb, *settled, *since}));
          break;
        }
      }
    }
    return sorted(out);
  }

  Rows torn() const {
    Rows out;
    for (const Tx& t : transactions) {
      for (const std::uint32_t sub : all_subscriptions()) {
        std::optional<OpIndex> seen;
        for (OpIndex d = 0; d < ops.size() && !seen; ++d) {
          if (careful_read(d) && ops[d].subscription == sub && source(d) && tx(*source(d)) == t) seen = d;
        }
        std::optional<OpIndex> certain;
        for (OpIndex s = 0; seen && s < ops.size(); ++s) {
          const auto e = send_end(s, end());
          if (!invokes_send(s) || tx(s) != t || !e || ops[*e].outcome != Outcome::ok || got(sub, ops[s].message)) continue;
          const auto since = entitled(sub, ops[s].place);
          if (!since) continue;
          const auto d = drain_after(std::max({*e, *since, *seen, decided(t, end()).value_or(0)}));
          if (d) certain = std::min(certain.value_or(end()), *d);
        }
        if (certain) out.push_back(*certain);
      }
    }
    return sorted(out);
  }

  // At drains only.
  Rows hung() const {
    Rows out;
    for (const std::uint32_t place : all_places()) {
      bool told = false;
      std::int64_t read = -1;
      for (OpIndex now = 0; now < ops.size(); ++now) {
        const std::int64_t to = came_to(now, place);
        if (to > read) {
          read = to;
          told = false;
        }
        if (ops[now].kind != OpKind::drained || told) continue;
        std::int64_t reach = -1;
        bool transactional = false;
        for (OpIndex s = 0; s < now; ++s) {
          const auto e = send_end(s, now);
          if (!invokes_send(s) || !e || ops[*e].outcome != Outcome::ok || ops[*e].place != place) continue;
          transactional = transactional || tx(s).second != 0;
          if (tx(s).second == 0 || commits(tx(s), now)) reach = std::max(reach, ops[*e].position);
        }
        if (!transactional || reach <= read || !careful_reader_of(place, now) || owned_writer(place, now)) continue;
        told = true;
        out.push_back(now);
      }
    }
    return sorted(out);
  }

  Rows atomicity() const {
    Rows out;
    for (std::size_t t = 0; t < transactions.size(); ++t) {
      const Tx& me = transactions[t];
      const auto mine = inputs(me);
      const auto over = decided(me, end());
      const bool in_vain = over && !commits(me, end()) && sends_any(me);  // of an aborted one, what failed counts too
      if (mine.empty() || !(writes(me) || in_vain)) continue;
      const auto seen = shown(me);
      if (seen && writes(me)) {
        for (const Input& x : mine) {
          bool twice = false;
          for (std::size_t u = 0; u < t; ++u) {
            if (!shown(transactions[u]) || !writes(transactions[u]) || !has(inputs(transactions[u]), x)) continue;
            twice = !(x.own_will && commits(transactions[u], end()));
            break;
          }
          if (!twice) continue;
          out.push_back(0);
          break;
        }
      }
      const bool committed = over && commits(me, end());
      const bool aborted = over && !committed;
      const auto never = missing(me);
      if (committed && never) out.push_back(0);
      if (seen || (!aborted && !never)) continue;
      for (const Input& x : mine) {
        bool taken = false;
        for (const Tx& u : transactions) taken = taken || (shown(u) && writes(u) && has(inputs(u), x));
        const auto by = taken ? std::nullopt : passed(x, me);
        if (!by || !drain_after(std::max({*by, x.row, aborted ? *over : 0}))) continue;
        out.push_back(0);
        break;
      }
    }
    return out;
  }

  // How many components each class has that no weaker one explains: G0, -process, -realtime, G1c, -process, -realtime.
  std::vector<std::uint64_t> cycles() const {
    struct Node {
      OpIndex begin;
      std::optional<OpIndex> end;
      NodeId process;
      OpIndex counts = 0;  // from this row on
    };
    std::vector<Node> nodes;
    std::map<Tx, std::size_t> of_tx;
    std::map<OpIndex, std::size_t> of_send;
    std::map<OpIndex, std::size_t> of_poll;
    for (const Tx& t : transactions) {
      const auto ended = decided(t, end());
      std::optional<OpIndex> first_seen;
      for (OpIndex d = 0; d < ops.size() && !first_seen; ++d) {
        if (careful_read(d) && source(d) && tx(*source(d)) == t) first_seen = d;
      }
      const bool committed = ended && commits(t, end());
      if (!committed && (!first_seen || (ended && *first_seen > *ended))) continue;
      OpIndex begin = 0;
      while (tx(begin) != t) ++begin;
      of_tx[t] = nodes.size();
      nodes.push_back({begin, committed ? ended : std::nullopt, t.first, std::min(committed ? *ended : end(), first_seen.value_or(end()))});
    }
    const auto read_of = [&](OpIndex s) {
      for (OpIndex d = s; d < ops.size(); ++d) {
        if (is_delivery(d) && source(d) == s && (tx(s).second == 0 || careful_read(d))) return d;
      }
      return end();
    };
    for (OpIndex s = 0; s < ops.size(); ++s) {
      if (!invokes_send(s)) continue;
      if (tx(s).second != 0) {
        if (of_tx.count(tx(s))) of_send[s] = of_tx[tx(s)];
        continue;
      }
      const auto e = send_end(s, end());
      const bool ok = e && ops[*e].outcome == Outcome::ok;
      if (!ok && (read_of(s) == end() || (e && ops[*e].outcome == Outcome::fail && *e < read_of(s)))) continue;
      of_send[s] = nodes.size();
      nodes.push_back({s, ok ? e : std::nullopt, ops[s].process});
    }
    std::vector<std::pair<std::size_t, std::size_t>> wr, ww;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!is_delivery(d) || !source(d) || (tx(*source(d)).second != 0 && !careful_read(d))) continue;
      std::size_t to = nodes.size();
      if (tx(d).second != 0) {
        if (!of_tx.count(tx(d))) continue;
        to = of_tx[tx(d)];
      } else {
        const OpIndex poll = ops[d].of == no_op ? d : ops[d].of;
        if (!of_poll.count(poll)) {
          of_poll[poll] = nodes.size();
          Node n{poll, ops[d].of == no_op ? std::optional(d) : std::nullopt, ops[d].process};
          for (OpIndex r = poll + 1; r < ops.size(); ++r) {
            if (ops[r].kind == OpKind::poll && ops[r].of == poll) n.end = r;
          }
          nodes.push_back(n);
        }
        to = of_poll[poll];
      }
      if (of_send.count(*source(d)) && of_send[*source(d)] != to) wr.push_back({of_send[*source(d)], to});
    }
    // Who holds which position: the send that was the first to be shown there and count.
    std::map<std::pair<std::uint32_t, std::int64_t>, std::pair<OpIndex, std::size_t>> holds;
    for (const auto& [s, node] : of_send) {
      const auto e = send_end(s, end());
      const OpIndex read = read_of(s);
      std::optional<OpIndex> shows;
      if (e && ops[*e].outcome == Outcome::ok && ops[*e].position >= 0 && *e < read) shows = *e;
      else if (read != end() && !(e && ops[*e].outcome == Outcome::fail && *e < read)) shows = read;
      if (!shows || ops[*shows].position < 0) continue;
      const std::pair at{ops[*shows].place, ops[*shows].position};
      const OpIndex since = std::max(*shows, nodes[node].counts);
      if (!holds.count(at) || holds[at].first > since) holds[at] = {since, node};
    }
    for (const auto& [a, x] : holds) {
      for (const auto& [b, y] : holds) {
        if (a.first == b.first && a.second < b.second && x.second != y.second) ww.push_back({x.second, y.second});
      }
    }
    // All classes, by the closure of their relation.
    const std::size_t n = nodes.size();
    using Matrix = std::vector<std::vector<bool>>;
    const auto closed = [&](bool with_ww, bool with_wr, int order) {
      Matrix m(n, std::vector<bool>(n));
      if (with_ww) for (const auto& [a, b] : ww) m[a][b] = true;
      if (with_wr) for (const auto& [a, b] : wr) m[a][b] = true;
      for (std::size_t a = 0; a < n; ++a) {
        for (std::size_t b = 0; b < n; ++b) {
          const bool before = nodes[a].end && *nodes[a].end < nodes[b].begin;
          if (before && (order == 2 || (order == 1 && nodes[a].process == nodes[b].process))) m[a][b] = true;
        }
      }
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t a = 0; a < n; ++a) {
          for (std::size_t b = 0; m[a][k] && b < n; ++b) m[a][b] = m[a][b] || m[k][b];
        }
      }
      return m;
    };
    const auto components = [&](const Matrix& m) {
      std::set<std::set<std::size_t>> all;
      for (std::size_t a = 0; a < n; ++a) {
        std::set<std::size_t> c;
        for (std::size_t b = 0; b < n; ++b) {
          if (m[a][b] && m[b][a]) c.insert(b);
        }
        if (c.size() > 1) all.insert(c);
      }
      return all;
    };
    const auto meets = [](const std::set<std::size_t>& a, const std::set<std::set<std::size_t>>& others) {
      return std::any_of(others.begin(), others.end(), [&](const auto& o) { return std::any_of(o.begin(), o.end(), [&](std::size_t x) { return a.count(x) != 0; }); });
    };
    std::vector<std::set<std::set<std::size_t>>> of_class;
    for (int c = 0; c < 6; ++c) of_class.push_back(components(closed(true, c >= 3, c % 3)));
    static const std::vector<std::vector<int>> weaker = {{}, {0}, {0, 1}, {0}, {0, 1, 3}, {0, 1, 2, 3, 4}};
    std::vector<std::uint64_t> counts(6);
    std::set<std::set<std::size_t>> hidden;
    for (int c = 0; c < 6; ++c) {
      for (const auto& component : of_class[static_cast<std::size_t>(c)]) {
        const bool explained = std::any_of(weaker[static_cast<std::size_t>(c)].begin(), weaker[static_cast<std::size_t>(c)].end(), [&](int w) {
          return meets(component, of_class[static_cast<std::size_t>(w)]);
        });
        if (!explained) ++counts[static_cast<std::size_t>(c)];
        else if (c == 3) hidden.insert(component);
      }
    }
    for (const auto& component : components(closed(false, true, 0))) counts[3] += meets(component, hidden) ? 1 : 0;
    return counts;
  }

 private:
  using Tx = std::pair<NodeId, std::uint64_t>;
  struct Input {
    std::uint32_t group;
    std::uint32_t place;
    std::int64_t position;
    bool own_will;
    OpIndex row;
  };

  Tx tx(OpIndex r) const {
    const Op& op = ops[r];
    if (op.transaction != 0 || op.of >= r) return {op.process, op.transaction};
    const Op& of = ops[op.of];
    const bool tells = of.kind == op.kind || (op.kind == OpKind::deliver && of.kind == OpKind::poll);
    return {op.process, tells ? of.transaction : 0};
  }
  bool careful_read(OpIndex d) const { return is_delivery(d) && (ops[d].flags & op_flag::read_committed); }
  bool invokes_send(OpIndex r) const { return ops[r].kind == OpKind::send && ops[r].outcome == Outcome::invoke; }
  static bool is_end(const Op& op) { return op.kind == OpKind::end_commit || op.kind == OpKind::end_abort; }
  // Its commit was asked for, or its client was told any end.
  bool asks_to_end(OpIndex r, const Tx& t) const {
    return is_end(ops[r]) && tx(r) == t && (ops[r].kind == OpKind::end_commit || ops[r].outcome != Outcome::invoke);
  }
  std::optional<OpIndex> decided(const Tx& t, OpIndex now) const {
    bool unsure = false;
    for (OpIndex r = 0; r < now; ++r) {
      if (!is_end(ops[r]) || tx(r) != t) continue;
      unsure = unsure || (ops[r].outcome == Outcome::info && ops[r].kind == OpKind::end_commit);
      if (ops[r].outcome == Outcome::ok || (ops[r].outcome == Outcome::fail && ops[r].kind == OpKind::end_commit && !unsure)) return r;
    }
    return std::nullopt;
  }
  bool commits(const Tx& t, OpIndex now) const {
    const auto r = decided(t, now);
    return r && ops[*r].kind == OpKind::end_commit && ops[*r].outcome == Outcome::ok;
  }
  bool dead_send(OpIndex s, OpIndex now) const override {
    const auto e = send_end(s, now);
    if (e && ops[*e].outcome == Outcome::fail) return true;
    return tx(s).second != 0 && decided(tx(s), now) && !commits(tx(s), now);
  }
  bool all_dead(MessageId m, OpIndex before, OpIndex now) const {
    const Rows made = sends(m, before);
    return std::all_of(made.begin(), made.end(), [&](OpIndex s) { return dead_send(s, now + 1); });
  }
  std::optional<OpIndex> superseded(const Tx& t) const {
    std::uint32_t id = 0;
    for (OpIndex r = 0; t.second != 0 && r < ops.size(); ++r) {
      if (ops[r].kind == OpKind::begin && tx(r) == t) {
        id = ops[r].key;
        continue;
      }
      if (id == 0) continue;
      if (asks_to_end(r, t)) return std::nullopt;
      if (ops[r].kind == OpKind::begin && ops[r].outcome == Outcome::ok && ops[r].key == id) return r;
    }
    return std::nullopt;
  }
  std::uint32_t begin_id(OpIndex r) const { return ops[r].key != 0 || ops[r].of >= r ? ops[r].key : ops[ops[r].of].key; }
  std::optional<OpIndex> begun(const Tx& t) const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (ops[r].kind == OpKind::begin && ops[r].outcome == Outcome::ok && tx(r) == t && begin_id(r) != 0) return r;
    }
    return std::nullopt;
  }
  // Another began with its id, before its end was asked for or told, and was told that it had committed what it wrote.
  std::optional<OpIndex> overtaken(const Tx& t) const {
    std::optional<OpIndex> first;
    const auto mine = begun(t);
    for (const Tx& u : transactions) {
      const auto theirs = begun(u);
      if (u == t || !mine || !theirs || *theirs < *mine || begin_id(*theirs) != begin_id(*mine) || !commits(u, end())) continue;
      const OpIndex told = *decided(u, end());
      bool ending = told < *theirs;
      for (OpIndex r = 0; r < told; ++r) ending = ending || (is_end(ops[r]) && tx(r) == u && ops[r].outcome != Outcome::invoke);
      for (OpIndex r = 0; r < *theirs; ++r) ending = ending || asks_to_end(r, t);
      bool wrote = false;
      for (OpIndex s = 0; s < told; ++s) {
        const auto e = invokes_send(s) && tx(s) == u ? send_end(s, told) : std::nullopt;
        wrote = wrote || (e && ops[*e].outcome == Outcome::ok);
      }
      if (!ending && wrote) first = std::min(first.value_or(end()), told);
    }
    return first;
  }
  // The end of a send of this transaction that names a position.
  std::optional<OpIndex> placed(OpIndex s, const Tx& t) const {
    if (!invokes_send(s) || tx(s) != t) return std::nullopt;
    const auto e = send_end(s, end());
    return e && ops[*e].outcome == Outcome::ok && ops[*e].position >= 0 ? e : std::nullopt;
  }
  std::optional<OpIndex> first_sight(std::uint32_t place, std::int64_t position) const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (shows_position(r) && ops[r].place == place && ops[r].position == position) return r;
    }
    return std::nullopt;
  }
  std::optional<OpIndex> entitled(std::uint32_t sub, std::uint32_t place) const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (ops[r].subscription == sub && ops[r].place == place && (is_delivery(r) || ops[r].kind == OpKind::assign)) return r;
    }
    return std::nullopt;
  }
  std::optional<OpIndex> drain_after(OpIndex row) const {
    for (OpIndex r = row + 1; r < ops.size(); ++r) {
      if (ops[r].kind == OpKind::drained) return r;
    }
    return std::nullopt;
  }
  std::set<std::uint32_t> all_places() const {
    std::set<std::uint32_t> out;
    for (const Op& op : ops) {
      if (op.place != 0) out.insert(op.place);
    }
    return out;
  }
  bool careful_reader_of(std::uint32_t place, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if (ops[r].place != place || (!is_delivery(r) && ops[r].kind != OpKind::assign)) continue;
      for (OpIndex d = 0; d < now; ++d) {
        if (careful_read(d) && (ops[d].process == ops[r].process || ops[d].subscription == ops[r].subscription)) return true;
      }
    }
    return false;
  }
  // How far the row says that a reader at read-committed has come; -1 = nothing.
  std::int64_t came_to(OpIndex r, std::uint32_t place) const {
    const Op& op = ops[r];
    if (op.place != place || op.outcome != Outcome::ok) return -1;
    if (op.kind == OpKind::end_offset && (op.flags & op_flag::read_committed)) return op.position - 1;
    if (op.kind != OpKind::commit) return careful_read(r) ? op.position : -1;
    for (OpIndex d = 0; d < r; ++d) {
      if (careful_read(d) && ops[d].process == op.process) return op.position - 1;
    }
    return -1;
  }
  // The transaction that a process is at work on wrote there.
  bool owned_writer(std::uint32_t place, OpIndex now) const {
    for (const Tx& t : transactions) {
      bool owned = false;
      for (OpIndex r = 0; r < now; ++r) {
        if (is_end(ops[r]) && tx(r) == t && ops[r].outcome != Outcome::invoke) owned = false;
        if (ops[r].process == t.first && ops[r].kind == OpKind::begin) owned = tx(r) == t;
      }
      const auto taken = superseded(t);
      if (!owned || (taken && *taken < now)) continue;
      for (OpIndex s = 0; s < now; ++s) {
        if (!invokes_send(s) || tx(s) != t || ops[s].place != place) continue;
        const auto e = send_end(s, now);
        if (!e || ops[*e].outcome != Outcome::fail) return true;
      }
    }
    return false;
  }

  // ---- consume, transform, produce

  bool writes(const Tx& t) const {
    for (OpIndex s = 0; s < ops.size(); ++s) {
      const auto e = invokes_send(s) && tx(s) == t ? send_end(s, end()) : std::nullopt;
      if (invokes_send(s) && tx(s) == t && !(e && ops[*e].outcome == Outcome::fail)) return true;
    }
    return false;
  }
  bool sends_any(const Tx& t) const {
    for (OpIndex s = 0; s < ops.size(); ++s) {
      if (invokes_send(s) && tx(s) == t) return true;
    }
    return false;
  }
  bool shown(const Tx& t) const {
    if (commits(t, end())) return true;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (careful_read(d) && source(d) && tx(*source(d)) == t) return true;
    }
    return false;
  }
  std::vector<Input> inputs(const Tx& t) const {
    std::vector<Input> out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!is_delivery(d) || ops[d].process != t.first) continue;
      const Input x{ops[d].subscription, ops[d].place, ops[d].position, own_will(d), d};
      if (tx(d).second != 0) {
        if (tx(d) == t) out.push_back(x);
        continue;
      }
      for (OpIndex r = d + 1; r < ops.size(); ++r) {
        const Op& op = ops[r];
        if (op.process != t.first || op.place != x.place || op.subscription != x.group) continue;
        if (moves(op)) break;
        if (op.kind != OpKind::commit || op.outcome == Outcome::fail || op.position <= x.position) continue;
        if (tx(r) == t) out.push_back(x);
        break;
      }
    }
    return out;
  }
  static bool has(const std::vector<Input>& all, const Input& x) {
    return std::any_of(all.begin(), all.end(), [&](const Input& o) { return std::tie(o.group, o.place, o.position) == std::tie(x.group, x.place, x.position); });
  }
  // The row of the first position that counts, stored after the transaction had begun.
  std::optional<OpIndex> passed(const Input& x, const Tx& t) const {
    OpIndex r = 0;
    while (tx(r) != t) ++r;
    for (++r; r < ops.size(); ++r) {
      const Op& op = ops[r];
      if (op.place != x.place || op.subscription != x.group || op.position <= x.position) continue;
      if (op.kind == OpKind::assign) return r;
      if (op.kind != OpKind::commit || !entitled_before(x.group, x.place, r)) continue;
      if (tx(r).second == 0 ? op.outcome == Outcome::ok : op.outcome != Outcome::fail && shown(tx(r))) return r;
    }
    return std::nullopt;
  }
  // A position of a place that the group does not read yet is nobody's.
  bool entitled_before(std::uint32_t sub, std::uint32_t place, OpIndex row) const {
    const auto since = entitled(sub, place);
    return since && *since < row;
  }
  // It has an acknowledged output that nobody got, though somebody should have by the drain.
  bool missing(const Tx& t) const {
    for (OpIndex s = 0; s < ops.size(); ++s) {
      const auto e = invokes_send(s) && tx(s) == t ? send_end(s, end()) : std::nullopt;
      if (!e || ops[*e].outcome != Outcome::ok) continue;
      bool anybody = false;
      for (OpIndex d = 0; d < ops.size(); ++d) anybody = anybody || (is_delivery(d) && ops[d].message == ops[s].message);
      if (anybody) continue;
      for (const std::uint32_t sub : all_subscriptions()) {
        const auto since = entitled(sub, ops[s].place);
        if (since && drain_after(std::max({*e, *since, decided(t, end()).value_or(0)}))) return true;
      }
    }
    return false;
  }

  std::vector<Tx> transactions;  // in the order of their first rows
};

}  // namespace mqlab::test
