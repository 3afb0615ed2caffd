// tests/check/oracle.h: the predicates once more, slow and plain: loops over rows and nothing else.
//
// Each function gives, for every breach, the row at which it is certain, in ascending order. They
// share no code with the checkers.
#pragma once

#include <algorithm>
#include <optional>
#include <set>

#include "sim/world/journal.h"

namespace mqlab::test {

class Oracle {
 public:
  explicit Oracle(const Journal& journal) : j(journal), ops(journal.ops) {}
  virtual ~Oracle() = default;

  using Rows = std::vector<OpIndex>;

  // ---- delivery

  Rows lost_message() const {
    Rows out;
    for (const MessageId m : all_messages()) {
      const std::optional<OpIndex> ok = acknowledged(m, end());
      if (!ok || excused(m)) continue;
      const Op& send_ok = ops[*ok];
      const OpIndex since = std::max(*ok, transaction_end(send_of(*ok), end()).value_or(0));
      for (const std::uint32_t sub : all_subscriptions()) {
        std::optional<OpIndex> entitled;
        for (OpIndex r = 0; r < ops.size() && !entitled; ++r) {
          const Op& op = ops[r];
          if (op.subscription != sub || op.place != send_ok.place) continue;
          if ((op.kind == OpKind::assign && took_effect(op)) || is_delivery(r)) entitled = r;
        }
        if (!entitled || got(sub, m) || !owed(sub, send_ok.place, send_ok.position)) continue;
        for (OpIndex r = std::max(since, *entitled) + 1; r < ops.size(); ++r) {
          if (ops[r].kind != OpKind::drained) continue;
          out.push_back(r);
          break;
        }
      }
    }
    return sorted(out);
  }

  Rows lost_write() const {
    Rows out;
    for (const MessageId m : all_messages()) {
      const std::optional<OpIndex> ok = acknowledged(m, end());
      if (!ok || excused(m) || ops[*ok].position < 0) continue;
      bool read = false;
      for (OpIndex r = 0; r < ops.size(); ++r) read = read || (is_delivery(r) && ops[r].message == m);
      if (read) continue;
      const OpIndex since = std::max(*ok, transaction_end(send_of(*ok), end()).value_or(0));
      bool passed = false;
      for (OpIndex r = 0; r < ops.size(); ++r) {
        passed = passed || (is_delivery(r) && ops[r].place == ops[*ok].place && ops[r].position >= ops[*ok].position);
        if (ops[r].kind == OpKind::drained && r > since && passed) {
          out.push_back(r);
          break;
        }
      }
    }
    return sorted(out);
  }

  Rows phantom() const {
    Rows out;
    for (const MessageId m : all_messages()) {
      // The breach is certain at the first row from which, for some delivery, all sends before it had failed.
      for (OpIndex now = 0; now < ops.size(); ++now) {
        bool breach = false;
        for (OpIndex d = 0; d <= now; ++d) {
          if (!is_delivery(d) || ops[d].message != m) continue;
          bool explained = false;
          for (const OpIndex s : sends(m, d)) explained = explained || ops[s].transaction != 0 || !failed(s, now);
          breach = breach || !explained;
        }
        if (breach) {
          out.push_back(now);
          break;
        }
      }
    }
    return sorted(out);
  }

  Rows resurrected() const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!is_delivery(d) || (ops[d].flags & op_flag::dead_letter) || own_will(d)) continue;
      std::uint64_t acks = 0, deliveries = 0, unflagged = 0, asked = 0;
      for (OpIndex a = 0; a < d; ++a) {
        if (ops[a].message != ops[d].message || ops[a].subscription != ops[d].subscription) continue;
        const bool left = (ops[a].flags & op_flag::by_policy) && (ops[a].flags & op_flag::dead_letter);
        acks += ops[a].kind == OpKind::ack && !left ? 1 : 0;
        deliveries += is_delivery(a) ? 1 : 0;
        unflagged += is_delivery(a) && !(ops[a].flags & op_flag::redelivered) ? 1 : 0;
      }
      for (const OpIndex s : sends(ops[d].message, d)) asked += failed(s, d) ? 0 : 1;
      if (acks > 0 && (asked <= 1 || (unflagged >= asked && acks >= deliveries))) out.push_back(d);
    }
    return out;
  }

  Rows dlq_loss() const {
    Rows out;
    for (const MessageId m : all_messages()) {
      OpIndex left = end();
      for (OpIndex r = 0; r < ops.size(); ++r) {
        if (ops[r].message != m || ops[r].outcome != Outcome::ok) continue;
        const bool policy = ops[r].flags & op_flag::by_policy, dead = ops[r].flags & op_flag::dead_letter;
        if (ops[r].kind == OpKind::ack && policy && dead) left = r;
        else if ((is_delivery(r) && dead) || (ops[r].kind == OpKind::ack && policy)) left = end();
      }
      for (OpIndex r = left; r < ops.size(); ++r) {
        if (ops[r].kind != OpKind::drained) continue;
        out.push_back(r);
        break;
      }
    }
    return sorted(out);
  }

  // Requires: no transactions matter to it.
  Rows unavailable(Duration bound) const {
    Rows out;
    std::set<std::string> topics;
    for (const Op& op : ops)
      if (op.kind == OpKind::send && op.outcome == Outcome::invoke) topics.insert(topic(op.place));
    for (const std::string& t : topics) {
      Rows open;  // since the last acknowledgement
      OpIndex since = 0;
      for (OpIndex r = 0; r < ops.size(); ++r)
        if (ends_send(r) && ops[r].outcome == Outcome::ok && topic(send_of(r).place) == t) since = r;
      for (OpIndex r = since; r < ops.size(); ++r) {
        if (ops[r].kind != OpKind::send || ops[r].outcome != Outcome::invoke || topic(ops[r].place) != t) continue;
        bool known = false;
        for (OpIndex e = r; e < ops.size(); ++e) known = known || (ends_send(e) && ops[e].of == r && ops[e].outcome != Outcome::info);
        if (!known) open.push_back(r);
      }
      if (open.size() < 3 || ops[open.back()].time - ops[open.front()].time < bound) continue;
      for (OpIndex r = open.back(); r < ops.size(); ++r) {
        if (ops[r].kind != OpKind::drained) continue;
        out.push_back(r);
        break;
      }
    }
    return sorted(out);
  }

  Rows dlq_misroute() const {
    Rows out;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      const bool policy = ops[r].flags & op_flag::by_policy, dead = ops[r].flags & op_flag::dead_letter;
      if (ops[r].kind != OpKind::ack || !policy || !dead || j.names.text(ops[r].error) != "delivery_limit") continue;
      bool blamed = false;
      for (OpIndex b = 0; b < r; ++b) {
        if (ops[b].message != ops[r].message || ops[b].subscription != ops[r].subscription) continue;
        const bool refused = ops[b].kind == OpKind::ack && (ops[b].flags & op_flag::by_policy) && !(ops[b].flags & op_flag::dead_letter);
        blamed = blamed || refused || (ops[b].kind == OpKind::process && ops[b].outcome == Outcome::fail);
      }
      if (!blamed) out.push_back(r);
    }
    return out;
  }

  Rows duplicate_delivery() const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!is_delivery(d) || (ops[d].flags & op_flag::dead_letter) || own_will(d)) continue;
      std::uint64_t times = 1;
      bool any_before = false;
      bool same_position = false;
      for (OpIndex e = 0; e < d; ++e) {
        if (!is_delivery(e) || ops[e].message != ops[d].message || ops[e].subscription != ops[d].subscription) continue;
        const bool first = !any_before;
        any_before = true;
        times += own_will(e) ? 0 : 1;
        const bool remembered = first || !(ops[e].flags & op_flag::dead_letter);
        same_position = same_position || (remembered && ops[d].position >= 0 && ops[e].position == ops[d].position &&
                                          ops[e].place == ops[d].place);
      }
      std::uint64_t asked = 0;
      for (const OpIndex s : sends(ops[d].message, d)) asked += failed(s, d) ? 0 : 1;
      if (any_before && (same_position || times > std::max<std::uint64_t>(asked, 1))) out.push_back(d);
    }
    return out;
  }

  // ---- order

  Rows nonmonotonic_poll(bool inside) const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      const std::optional<OpIndex> e = previous_read(d);
      if (!e || ops[d].position > ops[*e].position || (ops[d].flags & op_flag::redelivered)) continue;
      if (one_operation(d) == inside) out.push_back(d);
    }
    return out;
  }

  Rows poll_skip(bool inside) const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      const std::optional<OpIndex> e = previous_read(d);
      if (!e || one_operation(d) != inside) continue;
      for (OpIndex now = d; now < ops.size(); ++now) {
        std::optional<MessageId> there;  // the message at the lowest known position that was jumped
        bool aged = false;
        for (std::int64_t p = ops[*e].position + 1; p < ops[d].position && !there; ++p) {
          if (const auto m = readable_at(ops[d].place, p, now)) there = m;
        }
        if (!there) continue;
        for (OpIndex r = 0; r <= now; ++r) {
          aged = aged || (ops[r].message == *there && (ops[r].flags & op_flag::by_policy));
        }
        if (!aged && !(shares(d, now) && !exclusive(d))) out.push_back(now);
        break;
      }
    }
    return sorted(out);
  }

  Rows fifo() const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!first_delivery(d)) continue;
      const Rows now = effective_sends(d);
      if (now.empty() || !one_producer(now)) continue;
      bool breach = false;
      for (OpIndex e = 0; e < d; ++e) {
        if (!first_delivery(e) || !same_reader(d, e) || cut_between(e, d)) continue;
        const Rows then = effective_sends(e);
        if (then.empty() || !one_producer(then) || ops[then[0]].process != ops[now[0]].process) continue;
        breach = breach || now.back() < then.front();
      }
      if (breach) out.push_back(d);
    }
    return out;
  }

  Rows causal() const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!first_delivery(d)) continue;
      const Rows now = effective_sends(d);
      bool all = !now.empty();
      for (const OpIndex s : now) {
        bool told = false;
        for (OpIndex e = 0; e < d; ++e) {
          if (!first_delivery(e) || ops[e].process != ops[d].process || ops[e].subscription != ops[d].subscription) continue;
          if (sought_between(ops[d].process, e, d)) continue;
          const Rows then = effective_sends(e);
          told = told || (!then.empty() && happened_before(s, then.front()));
        }
        all = all && told;
      }
      if (all) out.push_back(d);
    }
    return out;
  }

  // Requires: a history without moves.
  Rows total_order() const {
    Rows out;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (!first_delivery(d)) continue;
      std::set<std::pair<NodeId, std::uint32_t>> disagree;  // one breach for each other reader
      for (OpIndex r = 0; r < d; ++r) {
        if (!first_delivery(r) || ops[r].message != ops[d].message || ops[r].place != ops[d].place) continue;
        for (OpIndex mine = 0; mine < d; ++mine) {
          if (!first_delivery(mine) || !same_reader(mine, d)) continue;
          for (OpIndex theirs = r + 1; theirs < d; ++theirs) {
            if (!first_delivery(theirs) || !same_reader(theirs, r) || ops[theirs].message != ops[mine].message) continue;
            disagree.insert({ops[r].process, ops[r].subscription});
          }
        }
      }
      out.insert(out.end(), disagree.size(), d);
    }
    return out;
  }

  // ---- log

  Rows duplicate() const {
    Rows out;
    for (const MessageId m : all_messages()) {
      std::optional<std::pair<std::uint32_t, std::int64_t>> held;
      for (OpIndex r = 0; r < ops.size(); ++r) {
        if (!shows_position(r) || ops[r].message != m || (ops[r].flags & op_flag::dead_letter)) continue;
        const std::pair<std::uint32_t, std::int64_t> here{ops[r].place, ops[r].position};
        if (!held) held = here;
        const bool counts = !(ops[r].flags & op_flag::by_policy) && topic(held->first) == topic(here.first);
        if (counts && *held != here) {
          out.push_back(r);
          break;
        }
      }
    }
    return sorted(out);
  }

  Rows inconsistent_offsets() const {
    Rows out;
    std::set<std::pair<std::uint32_t, std::int64_t>> done;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      for (OpIndex e = 0; e < r && shows_position(r); ++e) {
        if (!shows_position(e) || ops[e].place != ops[r].place || ops[e].position != ops[r].position) continue;
        if (ops[e].message != ops[r].message && done.insert({ops[r].place, ops[r].position}).second) out.push_back(r);
      }
    }
    return out;
  }

  Rows end_regression() const {
    Rows out;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (ops[r].kind != OpKind::end_offset || ops[r].outcome != Outcome::ok) continue;
      bool back = false;
      for (OpIndex e = 0; e < ops[r].of; ++e) {
        back = back || (ops[e].kind == OpKind::end_offset && ops[e].outcome == Outcome::ok && ops[e].place == ops[r].place &&
                        ops[e].flags == ops[r].flags && ops[e].position > ops[r].position);
      }
      if (back) out.push_back(r);
    }
    return out;
  }

  Rows stale_read() const {
    Rows out;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (ops[r].kind != OpKind::end_offset || ops[r].outcome != Outcome::ok) continue;
      bool missed = false;
      for (OpIndex e = 0; e < ops[r].of; ++e) {
        const bool counts = !(ops[r].flags & op_flag::read_committed) || (ops[e].flags & op_flag::read_committed);
        missed = missed || (is_delivery(e) && counts && ops[e].place == ops[r].place && ops[e].position >= ops[r].position);
      }
      if (missed) out.push_back(r);
    }
    return out;
  }

  // The first only. Requires: a history without moves.
  Rows first_position_regression() const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (ops[r].kind != OpKind::commit || ops[r].outcome != Outcome::ok) continue;
      for (OpIndex e = 0; e < ops[r].of; ++e) {
        if (ops[e].kind == OpKind::commit && ops[e].outcome == Outcome::ok && ops[e].place == ops[r].place &&
            ops[e].subscription == ops[r].subscription && ops[e].position > ops[r].position) {
          return {r};
        }
      }
    }
    return {};
  }

 protected:
  OpIndex end() const { return ops.size(); }
  static Rows sorted(Rows r) {
    std::sort(r.begin(), r.end());
    return r;
  }
  static bool took_effect(const Op& op) { return op.outcome == Outcome::ok || op.outcome == Outcome::info; }
  bool is_delivery(OpIndex r) const { return ops[r].kind == OpKind::deliver; }
  bool ends_send(OpIndex r) const { return ops[r].kind == OpKind::send && ops[r].outcome != Outcome::invoke; }
  const Op& send_of(OpIndex end_row) const { return ops[ops[end_row].of]; }
  bool shows_position(OpIndex r) const {
    return ops[r].position >= 0 && (is_delivery(r) || (ends_send(r) && ops[r].outcome == Outcome::ok));
  }
  std::string topic(std::uint32_t place) const {
    const std::string& t = j.names.text(place);
    return t.substr(0, t.find('/'));
  }
  std::set<MessageId> all_messages() const {
    std::set<MessageId> out;
    for (const Op& op : ops) {
      if (op.message != no_message) out.insert(op.message);
    }
    return out;
  }
  std::set<std::uint32_t> all_subscriptions() const {
    std::set<std::uint32_t> out;
    for (const Op& op : ops) {
      if (op.subscription != 0) out.insert(op.subscription);
    }
    return out;
  }
  // Invokes of the message before a row.
  Rows sends(MessageId m, OpIndex before) const {
    Rows out;
    for (OpIndex r = 0; r < before; ++r) {
      if (ops[r].kind == OpKind::send && ops[r].outcome == Outcome::invoke && ops[r].message == m) out.push_back(r);
    }
    return out;
  }
  bool failed(OpIndex invoke, OpIndex now) const {
    for (OpIndex r = 0; r <= now && r < ops.size(); ++r) {
      if (ends_send(r) && ops[r].of == invoke) return ops[r].outcome == Outcome::fail;
    }
    return false;
  }
  // The row that decided a transaction, up to `now`.
  std::optional<OpIndex> transaction_end(const Op& send, OpIndex now) const {
    for (OpIndex r = 0; send.transaction != 0 && r < ops.size() && r <= now; ++r) {
      if ((ops[r].kind == OpKind::end_commit || ops[r].kind == OpKind::end_abort) && ops[r].transaction == send.transaction &&
          ops[r].process == send.process)
        return r;
    }
    return std::nullopt;
  }
  // The row that ended a send, before `now`.
  std::optional<OpIndex> send_end(OpIndex s, OpIndex now) const {
    for (OpIndex r = s + 1; r < now; ++r) {
      if (ends_send(r) && ops[r].of == s) return r;
    }
    return std::nullopt;
  }
  // Before `now` it failed, or its transaction was aborted.
  virtual bool dead_send(OpIndex s, OpIndex now) const {
    return failed(s, now - 1) || (transaction_end(ops[s], now - 1) && !committed(ops[s], now - 1));
  }
  // Which send a delivery shows.
  std::optional<OpIndex> source(OpIndex d) const {
    Rows open;
    std::optional<OpIndex> named;  // the newest whose acknowledgement named the position
    for (const OpIndex s : sends(ops[d].message, d)) {
      const auto e = send_end(s, d);
      if (e && ops[*e].outcome == Outcome::ok && ops[*e].position >= 0) {
        if (ops[*e].place == ops[d].place && ops[*e].position == ops[d].position) named = s;
        continue;
      }
      open.push_back(s);
    }
    if (named) return named;
    Rows alive;
    for (const OpIndex s : open) {
      if (!dead_send(s, d)) alive.push_back(s);
    }
    if (!alive.empty()) return alive.size() == 1 ? std::optional(alive[0]) : std::nullopt;
    return open.size() == 1 ? std::optional(open[0]) : std::nullopt;
  }
  bool committed(const Op& send, OpIndex now) const {
    const auto r = transaction_end(send, now);
    return send.transaction == 0 || (r && ops[*r].kind == OpKind::end_commit);
  }
  // The end row of the send that was the first known to have taken effect. Of the sends of one
  // transaction, the newest.
  std::optional<OpIndex> acknowledged(MessageId m, OpIndex now) const {
    std::optional<OpIndex> best;
    OpIndex best_since = 0;
    for (OpIndex r = 0; r < ops.size() && r <= now; ++r) {
      if (!ends_send(r) || ops[r].outcome != Outcome::ok || ops[r].message != m || !committed(send_of(r), now)) continue;
      const OpIndex since = std::max(r, transaction_end(send_of(r), now).value_or(0));
      if (!best || since < best_since || (since == best_since && ops[r].of > ops[*best].of)) {
        best = r;
        best_since = since;
      }
    }
    return best;
  }
  bool excused(MessageId m) const {
    return std::any_of(ops.begin(), ops.end(), [m](const Op& op) {
      return op.message == m && (op.flags & (op_flag::by_policy | op_flag::dead_letter));
    });
  }
  bool got(std::uint32_t sub, MessageId m) const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (is_delivery(r) && ops[r].subscription == sub && ops[r].message == m) return true;
    }
    return false;
  }

  // ---- readers and their moves

  bool same_reader(OpIndex a, OpIndex b) const {
    return ops[a].process == ops[b].process && ops[a].subscription == ops[b].subscription && ops[a].place == ops[b].place;
  }
  static bool moves(const Op& op) {
    return (op.kind == OpKind::assign || op.kind == OpKind::revoke || op.kind == OpKind::seek) && took_effect(op);
  }
  static bool concerns(const Op& op, NodeId process, std::uint32_t sub, std::uint32_t place) {
    return op.process == process && (op.place == 0 || (op.place == place && op.subscription == sub));
  }
  static bool by_own_will(const Op& op) {
    return (op.kind == OpKind::seek && !(op.flags & op_flag::by_policy)) || (op.kind == OpKind::assign && (op.flags & op_flag::assigned));
  }
  bool cut_between(OpIndex a, OpIndex b) const {
    for (OpIndex r = a + 1; r < b; ++r) {
      if (moves(ops[r]) && concerns(ops[r], ops[b].process, ops[b].subscription, ops[b].place)) return true;
    }
    return false;
  }
  bool sought_between(NodeId process, OpIndex a, OpIndex b) const {
    for (OpIndex r = a + 1; r < b; ++r) {
      if (ops[r].kind == OpKind::seek && ops[r].process == process) return true;
    }
    return false;
  }
  // The last read with a position by the same reader, since its last cut.
  std::optional<OpIndex> previous_read(OpIndex d) const {
    if (!is_delivery(d) || ops[d].position < 0) return std::nullopt;
    for (OpIndex e = d; e-- > 0;) {
      if (is_delivery(e) && same_reader(d, e) && ops[e].position >= 0) return cut_between(e, d) ? std::nullopt : std::optional(e);
    }
    return std::nullopt;
  }
  // With the reader's delivery before it, positioned or not.
  bool one_operation(OpIndex d) const {
    for (OpIndex e = d; e-- > 0;) {
      if (is_delivery(e) && same_reader(d, e)) return ops[d].of != no_op && ops[d].of == ops[e].of;
    }
    return false;
  }
  // A reader of this place that was there before the row, whether it read or was only sent there.
  bool was_reader(NodeId process, std::uint32_t sub, std::uint32_t place, OpIndex now) const {
    for (OpIndex r = 0; r <= now; ++r) {
      const Op& op = ops[r];
      if (op.process == process && op.subscription == sub && op.place == place && (is_delivery(r) || moves(op))) return true;
    }
    return false;
  }
  bool shares(OpIndex d, OpIndex now) const {
    for (NodeId n = 0; n < j.processes.size(); ++n) {
      if (n != ops[d].process && was_reader(n, ops[d].subscription, ops[d].place, now)) return true;
    }
    return false;
  }
  bool exclusive(OpIndex d) const {
    bool given = false;
    for (OpIndex r = 0; r < d; ++r) {
      if (!moves(ops[r]) || !concerns(ops[r], ops[d].process, ops[d].subscription, ops[d].place)) continue;
      if (ops[r].place == 0 && !was_reader(ops[d].process, ops[d].subscription, ops[d].place, r)) continue;
      if (ops[r].kind == OpKind::assign) given = true;
      if (ops[r].kind == OpKind::revoke) given = false;
    }
    return given;
  }
  // The message first seen at a position, when by `now` some row said that anybody may read it there: it showed the message
  // there, of a send that was no transaction's or a committed one's; or it committed such a send.
  std::optional<MessageId> readable_at(std::uint32_t place, std::int64_t position, OpIndex now) const {
    std::optional<MessageId> m;
    for (OpIndex r = 0; r <= now; ++r) {
      if (shows_position(r) && ops[r].place == place && ops[r].position == position) {
        if (!m) m = ops[r].message;
        if (ops[r].message == *m && open_to_all(r)) return m;
      }
      for (OpIndex e = 0; m && e < r; ++e) {
        if (!shows_position(e) || !ends_send(e) || ops[e].message != *m || ops[e].place != place || ops[e].position != position) continue;
        if (transaction_end(send_of(e), r) == r && committed(send_of(e), r)) return m;
      }
    }
    return std::nullopt;
  }
  bool open_to_all(OpIndex r) const {
    if (ends_send(r)) return committed(send_of(r), r);
    if (const auto s = source(r)) return committed(ops[*s], r);
    const Rows all = sends(ops[r].message, r);
    return std::all_of(all.begin(), all.end(), [&](OpIndex s) { return committed(ops[s], r); });
  }
  // The consumer went back over this position by itself, and has not read it since.
  bool own_will(OpIndex d) const {
    if (ops[d].position < 0) return false;
    for (OpIndex r = d; r-- > 0;) {
      const Op& op = ops[r];
      if (!moves(op) || !concerns(op, ops[d].process, ops[d].subscription, ops[d].place)) continue;
      if (op.place == 0 && !was_reader(ops[d].process, ops[d].subscription, ops[d].place, r)) continue;
      if (!by_own_will(op)) return false;
      std::int64_t furthest = -1;
      for (OpIndex e = 0; e < r; ++e) {
        if (is_delivery(e) && ops[e].subscription == ops[d].subscription && ops[e].place == ops[d].place) {
          furthest = std::max(furthest, ops[e].position);
        }
      }
      // It reads on from the target; every position it has reached again is spent, with those before it.
      std::int64_t from = std::max<std::int64_t>(op.position, 0);
      for (OpIndex e = r + 1; e < d; ++e) {
        if (is_delivery(e) && same_reader(d, e) && ops[e].position >= from && ops[e].position <= furthest) from = ops[e].position + 1;
      }
      return ops[d].position >= from && ops[d].position <= furthest;
    }
    return false;
  }
  // The subscription began at or before the position, and nobody jumped it by their own will.
  bool owed(std::uint32_t sub, std::uint32_t place, std::int64_t position) const {
    if (position < 0) return true;
    std::int64_t from = 0;
    bool entitled = false;
    bool started = false;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      const Op& op = ops[r];
      if (is_delivery(r) && op.subscription == sub && op.place == place) entitled = started = true;
      if (!moves(op)) continue;
      const bool here = op.place == place && op.subscription == sub;
      if (here && op.kind == OpKind::assign) entitled = true;
      if (here && op.kind != OpKind::revoke && op.position >= 0) {
        from = started ? std::min(from, op.position) : op.position;
        started = true;
      }
      if (!entitled || !by_own_will(op) || !concerns(op, op.process, sub, place)) continue;
      if (op.place == 0 && !was_reader(op.process, sub, place, r)) continue;
      std::int64_t next = from;
      for (OpIndex e = r; e-- > 0;) {
        const bool same = ops[e].process == op.process;
        if (same && moves(ops[e]) && concerns(ops[e], op.process, sub, place)) break;
        if (same && is_delivery(e) && ops[e].subscription == sub && ops[e].place == place && ops[e].position >= 0) {
          next = ops[e].position + 1;
          break;
        }
      }
      if (position >= next && position < op.position) return false;
    }
    return position >= from;
  }

  // ---- sequences

  bool first_delivery(OpIndex d) const {
    if (!is_delivery(d) || (ops[d].flags & op_flag::dead_letter)) return false;
    for (OpIndex e = 0; e < d; ++e) {
      if (is_delivery(e) && ops[e].message == ops[d].message && ops[e].subscription == ops[d].subscription) return false;
    }
    return true;
  }
  // Sends of a delivery's message before it that have not failed so far.
  Rows effective_sends(OpIndex d) const {
    Rows out;
    for (const OpIndex s : sends(ops[d].message, d)) {
      if (!failed(s, d)) out.push_back(s);
    }
    return out;
  }
  bool one_producer(const Rows& r) const {
    return std::all_of(r.begin(), r.end(), [&](OpIndex s) { return ops[s].process == ops[r[0]].process; });
  }
  // Program order and reads-from: what a process got before it sent, and what came before that.
  bool happened_before(OpIndex s, OpIndex t) const {
    if (s > t) return false;
    if (ops[s].process == ops[t].process) return true;
    for (OpIndex d = 0; d < t; ++d) {
      if (!first_delivery(d) || ops[d].process != ops[t].process) continue;
      const Rows u = effective_sends(d);
      if (!u.empty() && happened_before(s, u.front())) return true;
    }
    return false;
  }

  const Journal& j;
  const std::vector<Op>& ops;
};

}  // namespace mqlab::test
