// tests/check/group_oracle.h: the predicates on groups, processing and effects once more, as loops over
// rows. As in oracle.h each gives the row at which a breach is certain, ascending, and shares no code
// with the checkers. Requires: histories as group_history.h makes them (no transactions, no seeks).
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "sim/world/journal.h"

namespace mqlab::test {

class GroupOracle {
 public:
  explicit GroupOracle(const Journal& journal) : j(journal), ops(journal.ops) {}
  using Rows = std::vector<OpIndex>;

  Rows commit_ahead() const {
    Rows out;
    std::set<std::pair<std::uint32_t, MessageId>> decided;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (ops[d].kind != OpKind::drained) continue;
      for (const std::uint32_t sub : subscriptions()) {
        for (const MessageId m : messages()) {
          const auto first = first_delivery(sub, m, d);
          if (!first || !speaks_of(d, sub, ops[*first].place) || !reports(sub, d) || decided.count({sub, m})) continue;
          bool passed = false;
          for (OpIndex r = 0; r < d; ++r) {
            if (ops[r].outcome != Outcome::ok) continue;
            if (ops[r].kind == OpKind::ack) passed |= ops[r].subscription == sub && ops[r].message == m;
            if (ops[r].kind != OpKind::commit || ops[r].subscription != sub) continue;
            const Op& asked = ops[r].place == 0 ? ops[ops[r].of] : ops[r];
            passed |= asked.place == ops[*first].place && asked.position > ops[*first].position;
          }
          const bool done = processed(sub, m, d);
          if (passed || done) decided.insert({sub, m});
          if (passed && !done && !excused(m, d) && !sent_on(sub, m, *first, d)) out.push_back(d);
        }
      }
    }
    return out;
  }

  Rows double_ownership() const {
    Rows out;
    for (OpIndex b = 0; b < ops.size(); ++b) {
      for (OpIndex a = 0; a < b; ++a) {
        if (!grant(a) || !grant(b) || ops[a].process == ops[b].process) continue;
        if (ops[a].place != ops[b].place || ops[a].subscription != ops[b].subscription) continue;
        if (ends(a, b)) continue;
        bool by_a = false, by_b = false;
        for (OpIndex r = b + 1; r < ops.size() && !ends(a, r) && !ends(b, r); ++r) {
          by_a |= handles(r, a);
          by_b |= handles(r, b);
          if (!by_a || !by_b) continue;
          out.push_back(r);
          break;
        }
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  Rows double_processing() const {
    Rows out;
    std::set<OpIndex> told;
    for (OpIndex p = 0; p < ops.size(); ++p) {
      if (ops[p].kind != OpKind::process || ops[p].outcome != Outcome::ok) continue;
      std::optional<OpIndex> mine;
      for (OpIndex d = 0; d < p; ++d) {
        if (gives(d, sub_of(p), ops[p].message) && ops[d].process == ops[p].process) mine = d;
      }
      if (!mine) continue;
      if (ops[p].of != no_op && ops[ops[p].of].place == ops[*mine].place && ops[ops[p].of].position == ops[*mine].position) mine = ops[p].of;
      bool other = false;
      for (OpIndex d = *mine + 1; d < p; ++d) {
        other |= gives(d, sub_of(p), ops[p].message) && ops[d].process != ops[p].process && ops[d].place == ops[*mine].place &&
                 ops[d].position == ops[*mine].position;
      }
      if (other && told.insert(*mine).second) out.push_back(p);
    }
    return out;
  }

  Rows effect_duplicate() const {
    Rows out;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      bool before = false;
      for (OpIndex e = 0; e < r && effect(r); ++e) before |= effect(e) && ops[e].place == ops[r].place && ops[e].message == ops[r].message;
      if (before) out.push_back(r);
    }
    return out;
  }

  Rows effect_lost() const {
    Rows out;
    std::set<std::uint32_t> names;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (effect(r) && sent_somewhere(ops[r].message)) names.insert(ops[r].place);  // there is one topic
    }
    for (const MessageId m : messages()) {
      const auto ok = acknowledged(m, ops.size());
      if (!ok || excused(m, ops.size())) continue;
      for (const std::uint32_t name : names) {
        bool done = false;
        std::vector<std::uint32_t> subs;  // in the order in which they first did it for a new message
        std::set<MessageId> seen;
        for (OpIndex r = 0; r < ops.size(); ++r) {
          if (!effect(r) || ops[r].place != name) continue;
          done |= ops[r].message == m;
          if (!seen.insert(ops[r].message).second || !sent_somewhere(ops[r].message)) continue;
          if (std::find(subs.begin(), subs.end(), ops[r].subscription) == subs.end()) subs.push_back(ops[r].subscription);
        }
        if (done) continue;
        for (const std::uint32_t sub : subs) {
          OpIndex since = *ok;
          const auto got = first_delivery(sub, m, ops.size());
          if (got) {
            since = std::max(since, *got);
          } else if (const auto entitled = entitled_since(sub, ops[*ok].place); entitled && owed(sub, *ok, ops.size())) {
            since = std::max(since, *entitled);
          } else if (reads(sub)) {
            continue;
          }
          for (OpIndex d = since + 1; d < ops.size(); ++d) {
            if (ops[d].kind != OpKind::drained || !speaks_of(d, sub, ops[*ok].place)) continue;
            out.push_back(d);
            break;
          }
          break;
        }
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  Rows stale_effect() const {
    Rows out;
    for (OpIndex r = 0; r < ops.size(); ++r) {
      bool stale = false;
      for (OpIndex e = 0; e < r && effect(r); ++e) {
        if (!effect(e) || ops[e].place != ops[r].place || ops[e].process == ops[r].process) continue;
        const auto mine = held(ops[r].message, r);
        const auto theirs = held(ops[e].message, e);
        if (!mine || !theirs || mine->first != theirs->first || theirs->second <= mine->second) continue;
        stale |= key(r) != 0 && key(r) == key(e);
      }
      if (stale) out.push_back(r);
    }
    return out;
  }

  Rows stall(std::uint64_t budget) const {
    Rows out;
    std::set<std::tuple<std::uint32_t, std::uint32_t, MessageId>> told;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (ops[d].kind != OpKind::drained) continue;
      for (const std::uint32_t sub : subscriptions()) {
        for (const std::uint32_t place : places()) {
          if (!speaks_of(d, sub, place)) continue;
          for (const MessageId m : messages()) {
            if (!told.count({sub, place, m}) && stalled(sub, place, m, budget, d)) {
              told.insert({sub, place, m});
              out.push_back(d);
            }
          }
        }
      }
    }
    return out;
  }

  Rows group_starvation() const {
    Rows out;
    std::set<std::pair<std::uint32_t, std::uint32_t>> told;
    for (OpIndex d = 0; d < ops.size(); ++d) {
      if (grant(d)) told.erase({ops[d].subscription, ops[d].place});
      if (ops[d].kind != OpKind::drained) continue;
      for (const std::uint32_t sub : subscriptions()) {
        bool group = false;
        for (OpIndex r = 0; r < d; ++r) group |= grant(r) && ops[r].subscription == sub;
        for (const std::uint32_t place : places()) {
          if (!group || !speaks_of(d, sub, place) || told.count({sub, place})) continue;
          bool held_by_any = false;
          for (NodeId n = 0; n < j.processes.size(); ++n) held_by_any |= holds(n, sub, place, d);
          std::int64_t furthest = -1;
          for (OpIndex r = 0; r < d; ++r) {
            if (delivery(r) && ops[r].subscription == sub && ops[r].place == place) furthest = std::max(furthest, ops[r].position);
          }
          bool waits = false;
          for (const MessageId m : messages()) {
            const auto ok = acknowledged(m, d);
            waits |= ok && ops[*ok].place == place && ops[*ok].position > furthest && !excused(m, d) && owed(sub, *ok, d) &&
                     !first_delivery(sub, m, d);
          }
          if (held_by_any || !waits) continue;
          told.insert({sub, place});
          out.push_back(d);
        }
      }
    }
    return out;
  }

 private:
  bool delivery(OpIndex r) const { return ops[r].kind == OpKind::deliver; }
  bool gives(OpIndex r, std::uint32_t sub, MessageId m) const { return delivery(r) && ops[r].subscription == sub && ops[r].message == m; }
  bool effect(OpIndex r) const { return ops[r].kind == OpKind::effect && ops[r].outcome == Outcome::ok; }
  bool grant(OpIndex r) const { return ops[r].kind == OpKind::assign && !(ops[r].flags & op_flag::assigned); }
  // Rows of group_history.h name their subscription, or the delivery that does.
  std::uint32_t sub_of(OpIndex r) const { return ops[r].subscription != 0 ? ops[r].subscription : ops[ops[r].of].subscription; }
  std::set<std::uint32_t> subscriptions() const { return {j.names.find("g1"), j.names.find("g2")}; }
  std::set<std::uint32_t> places() const { return {j.names.find("orders/0"), j.names.find("orders/1")}; }
  std::set<MessageId> messages() const {
    std::set<MessageId> out;
    for (const Op& op : ops) {
      if (op.message != no_message) out.insert(op.message);
    }
    return out;
  }
  bool speaks_of(OpIndex drained, std::uint32_t sub, std::uint32_t place) const {
    return (ops[drained].subscription == 0 || ops[drained].subscription == sub) && (ops[drained].place == 0 || ops[drained].place == place);
  }
  std::optional<OpIndex> first_delivery(std::uint32_t sub, MessageId m, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if (gives(r, sub, m)) return r;
    }
    return std::nullopt;
  }
  bool is_processing(OpIndex r, std::uint32_t sub) const { return ops[r].kind == OpKind::process && sub_of(r) == sub; }
  bool reports(std::uint32_t sub, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if (is_processing(r, sub)) return true;
    }
    return false;
  }
  bool processed(std::uint32_t sub, MessageId m, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if (is_processing(r, sub) && ops[r].outcome == Outcome::ok && ops[r].message == m) return true;
    }
    return false;
  }
  bool excused(MessageId m, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if (ops[r].message == m && (ops[r].flags & (op_flag::by_policy | op_flag::dead_letter))) return true;
    }
    return false;
  }
  bool sent_on(std::uint32_t sub, MessageId m, OpIndex after, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if (ops[r].kind != OpKind::send || ops[r].outcome != Outcome::ok || ops[r].message != m || ops[r].of < after) continue;
      for (OpIndex g = 0; g < now; ++g) {
        if (delivery(g) && ops[g].subscription == sub && ops[g].process == ops[r].process) return true;
      }
    }
    return false;
  }
  std::optional<OpIndex> acknowledged(MessageId m, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if (ops[r].kind == OpKind::send && ops[r].outcome == Outcome::ok && ops[r].message == m) return r;
    }
    return std::nullopt;
  }
  bool sent_somewhere(MessageId m) const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (ops[r].kind != OpKind::send || ops[r].outcome != Outcome::invoke || ops[r].message != m) continue;
      bool failed = false;
      for (OpIndex e = r; e < ops.size(); ++e) failed |= ops[e].kind == OpKind::send && ops[e].of == r && ops[e].outcome == Outcome::fail;
      if (!failed) return true;
    }
    return false;
  }
  bool reads(std::uint32_t sub) const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if (delivery(r) && ops[r].subscription == sub) return true;
      if ((ops[r].kind == OpKind::assign || ops[r].kind == OpKind::revoke) && ops[r].place != 0 && ops[r].subscription == sub) return true;
    }
    return false;
  }
  std::optional<OpIndex> entitled_since(std::uint32_t sub, std::uint32_t place) const {
    for (OpIndex r = 0; r < ops.size(); ++r) {
      if ((delivery(r) || ops[r].kind == OpKind::assign) && ops[r].subscription == sub && ops[r].place == place) return r;
    }
    return std::nullopt;
  }
  // The lowest position from which the subscription began; without a told one it began with the first.
  bool owed(std::uint32_t sub, OpIndex ok, OpIndex now) const {
    std::int64_t from = 0;
    bool started = false;
    for (OpIndex r = 0; r < now; ++r) {
      if (ops[r].subscription != sub || ops[r].place != ops[ok].place) continue;
      if (ops[r].kind == OpKind::assign && ops[r].position >= 0) {
        from = started ? std::min(from, ops[r].position) : ops[r].position;
        started = true;
      }
      started |= delivery(r);
    }
    return ops[ok].position < 0 || ops[ok].position >= from;
  }
  // Place and position at which the message was first seen.
  std::optional<std::pair<std::uint32_t, std::int64_t>> held(MessageId m, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      const bool shows = (delivery(r) && !(ops[r].flags & op_flag::dead_letter)) || (ops[r].kind == OpKind::send && ops[r].outcome == Outcome::ok);
      if (shows && ops[r].message == m && ops[r].position >= 0) return {{ops[r].place, ops[r].position}};
    }
    return std::nullopt;
  }
  // The effect's own key, or that of the last send that did not fail.
  std::uint32_t key(OpIndex r) const {
    if (ops[r].key != 0) return ops[r].key;
    for (OpIndex s = r; s-- > 0;) {
      if (ops[s].kind != OpKind::send || ops[s].outcome != Outcome::invoke || ops[s].message != ops[r].message) continue;
      bool failed = false;
      for (OpIndex e = s; e < r; ++e) failed |= ops[e].kind == OpKind::send && ops[e].of == s && ops[e].outcome == Outcome::fail;
      if (!failed) return ops[s].key;
    }
    return 0;
  }

  // ---- who holds what

  bool revokes(OpIndex r, NodeId process, std::uint32_t sub, std::uint32_t place) const {
    return ops[r].kind == OpKind::revoke && ops[r].process == process &&
           (ops[r].place == 0 || (ops[r].place == place && ops[r].subscription == sub));
  }
  // What was granted at `a` has ended by `r`: taken away, or granted anew.
  bool ends(OpIndex a, OpIndex r) const {
    for (OpIndex e = a + 1; e <= r && e < ops.size(); ++e) {
      if (revokes(e, ops[a].process, ops[a].subscription, ops[a].place)) return true;
      if (grant(e) && ops[e].process == ops[a].process && ops[e].subscription == ops[a].subscription && ops[e].place == ops[a].place) return true;
    }
    return false;
  }
  // The place of a processing: told, or that of its delivery, or where the subscription first got the message.
  std::uint32_t place_of(OpIndex r) const {
    if (ops[r].place != 0) return ops[r].place;
    if (ops[r].of != no_op) return ops[ops[r].of].place;
    const auto first = first_delivery(sub_of(r), ops[r].message, r);
    return first ? ops[*first].place : 0;
  }
  bool handles(OpIndex r, OpIndex a) const {
    const bool work = delivery(r) || (ops[r].kind == OpKind::process && ops[r].outcome != Outcome::info);
    return work && ops[r].process == ops[a].process && sub_of(r) == ops[a].subscription && place_of(r) == ops[a].place;
  }
  // In its own view, or by what it reads.
  bool holds(NodeId n, std::uint32_t sub, std::uint32_t place, OpIndex now) const {
    bool holding = false;
    for (OpIndex r = 0; r < now; ++r) {
      if (revokes(r, n, sub, place)) holding = false;
      if (ops[r].process != n || ops[r].subscription != sub || ops[r].place != place) continue;
      holding |= delivery(r) || ops[r].kind == OpKind::assign;
    }
    return holding;
  }
  bool known_to(std::uint32_t sub, std::uint32_t place, OpIndex now) const {
    for (OpIndex r = 0; r < now; ++r) {
      if ((delivery(r) || ops[r].kind == OpKind::assign || ops[r].kind == OpKind::revoke) && ops[r].subscription == sub && ops[r].place == place) {
        return true;
      }
    }
    return false;
  }

  // ---- one message that holds back others

  bool attempt(OpIndex r, std::uint32_t sub, std::uint32_t place, MessageId m) const {
    if (gives(r, sub, m)) return ops[r].place == place;
    return is_processing(r, sub) && ops[r].outcome == Outcome::fail && ops[r].message == m && place_of(r) == place && known_to(sub, place, r);
  }
  bool stalled(std::uint32_t sub, std::uint32_t place, MessageId m, std::uint64_t budget, OpIndex now) const {
    std::uint64_t deliveries = 0, told = 0, failures = 0;
    std::optional<OpIndex> first, last;
    for (OpIndex r = 0; r < now; ++r) {
      if (!attempt(r, sub, place, m)) continue;
      if (!first) first = r;
      last = r;
      deliveries += delivery(r) ? 1 : 0;
      failures += delivery(r) ? 0 : 1;
      told = std::max<std::uint64_t>(told, ops[r].attempt);
    }
    if (!last || std::max({deliveries, told, failures}) <= budget || processed(sub, m, now) || excused(m, now)) return false;
    // Where it stands: as it was first got there.
    std::int64_t position = -1;
    for (OpIndex r = 0; r < now && position < 0; ++r) {
      if (gives(r, sub, m) && ops[r].place == place) position = ops[r].position;
    }
    if (position < 0) return false;
    for (OpIndex r = *last + 1; r < now; ++r) {
      const bool finished = reports(sub, now) ? is_processing(r, sub) && ops[r].outcome == Outcome::ok && place_of(r) == place
                                              : delivery(r) && ops[r].place == place && first_delivery(sub, ops[r].message, now) == r;
      if (finished) return false;
    }
    for (const MessageId x : messages()) {
      const auto ok = acknowledged(x, now);
      if (!ok || ops[*ok].place != place || ops[*ok].position <= position || excused(x, now) || !owed(sub, *ok, now)) continue;
      if (reports(sub, now) ? processed(sub, x, now) : first_delivery(sub, x, now).has_value()) continue;
      bool own_turn = false;
      for (OpIndex r = 0; r < now; ++r) own_turn |= attempt(r, sub, place, x) && !delivery(r);
      if (own_turn) continue;
      return true;
    }
    return false;
  }

  const Journal& j;
  const std::vector<Op>& ops;
};

}  // namespace mqlab::test
