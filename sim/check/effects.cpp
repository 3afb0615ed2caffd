// Effects: what the application did to the world outside, counted there, whatever the broker says. An
// effect row names what was done and for which message; the same name for the same message is the same
// business operation.
#include <algorithm>
#include <map>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// What was done: the row's place is its name. 0 = not told.
std::uint32_t effect_name(const Step& s) {
  const Op* invoke = Ledger::invoke_of(s.op, s.index, s.journal);
  return s.op.place != 0 ? s.op.place : invoke && invoke->kind == OpKind::effect ? invoke->place : 0;
}

// ---- effect-duplicate and effect-lost

class Effects : public CheckerOf<Effects> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    const std::uint32_t name = effect_name(s);
    if (s.op.outcome != Outcome::ok || s.message == no_index || name == 0) return;
    ++looked_at_;
    OpIndex& first = first_[pair_key(name, s.message)];
    if (first == 0) {
      first = s.index + 1;
      done_.push_back({name, s.message, s.subscription});
      return;
    }
    const OpIndex before = first - 1;
    twice_.add(s.journal, s.index, ledger.messages()[s.message].id, 0, {before, s.index}, [&] {
      const Journal& j = s.journal;
      const std::string again = j.ops[before].process == s.op.process ? " again, and had done it before" : ", after " + j.process_name(j.ops[before].process) + " had done it";
      return j.process_name(s.op.process) + " did \"" + j.names.text(name) + "\" for " + words::message(j, ledger, s.message) + again;
    });
  }

  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    out.push_back(twice_.report(looked_at_, "effects for a message"));
    FindingList lost("effect-lost");
    Tally tally;
    const Kinds kinds = kinds_of(ledger, tally);
    for (std::uint32_t n = 0; n < ledger.messages().size(); ++n) {
      const MessageFact& m = ledger.messages()[n];
      if (m.acknowledged == no_index || excused(m)) continue;
      const SendFact& s = ledger.sends()[m.acknowledged];
      const std::uint32_t place = s.place != no_index ? s.place : s.target;
      if (place == no_index) continue;
      const auto of_topic = kinds.find(ledger.places()[place].topic);
      if (of_topic == kinds.end()) continue;
      for (const auto& [name, kind] : of_topic->second) {
        const OpIndex* first = first_.find(pair_key(name, n));
        if (first && *first != 0) {
          ++tally.asked_for;
        } else {
          missing(journal, ledger, lost, tally, s, place, name, kind);
        }
      }
    }
    Report r = lost.report(tally.asked_for, "effects that acknowledged messages ask for");
    r.pending = tally.late;
    if (r.verdict == Verdict::holds && tally.late > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(tally.late, " effect is late, and", " effects are late, and") + " no drain says that nothing more is done";
    } else if (r.verdict == Verdict::holds && tally.beyond) {
      r.verdict = Verdict::unknown;
      r.reason = "more than " + std::to_string(kinds_max) + " different effects are done for one topic, and the others were not looked for";
    }
    out.push_back(std::move(r));
  }

 private:
  static constexpr std::size_t kinds_max = 64;  // names of effects of one topic
  struct Done {
    std::uint32_t name;
    std::uint32_t message;
    std::uint32_t subscription;
  };
  struct Kind {
    std::uint32_t example = no_index;            // a message it was done for
    std::vector<std::uint32_t> subscriptions{};  // who does it
  };
  using Kinds = std::map<std::uint32_t, std::map<std::uint32_t, Kind>>;  // topic -> name
  struct Tally {
    std::uint64_t asked_for = 0;
    std::uint64_t late = 0;
    bool beyond = false;
  };

  // Which effects the messages of a topic ask for: those that were done for any of them.
  Kinds kinds_of(const Ledger& ledger, Tally& tally) const {
    Kinds kinds;
    for (const Done& d : done_) {
      for (std::uint32_t n = ledger.messages()[d.message].last_send; n != no_index; n = ledger.sends()[n].previous) {
        const SendFact& s = ledger.sends()[n];
        const std::uint32_t place = s.place != no_index ? s.place : s.target;
        if (place == no_index || ledger.dead(s)) continue;
        auto& names = kinds[ledger.places()[place].topic];
        if (names.size() >= kinds_max && !names.count(d.name)) {
          tally.beyond = true;
          continue;
        }
        Kind& kind = names[d.name];
        if (kind.example == no_index) kind.example = d.message;
        auto& by = kind.subscriptions;
        if (std::find(by.begin(), by.end(), d.subscription) == by.end()) by.push_back(d.subscription);
      }
    }
    return kinds;
  }

  // A subscription that does this effect owes it for what it is entitled to, or got. Whoever reads nothing
  // (the world outside, counting by itself) counts for all.
  static void missing(const Journal& journal, const Ledger& ledger, FindingList& lost, Tally& tally, const SendFact& s,
                      std::uint32_t place, std::uint32_t name, const Kind& kind) {
    OpIndex since = ledger.certain_since(s);
    std::uint32_t owing = no_index;
    for (const std::uint32_t n : kind.subscriptions) {
      const std::uint32_t c = ledger.find_claim(n, place);
      const Received* got = ledger.subscriptions()[n].received.find(s.message);
      if (got && got->count > 0) {
        since = std::max(since, got->first);
      } else if (c != no_index && ledger.claims()[c].entitled != no_op && owes(ledger.claims()[c], s)) {
        since = std::max(since, ledger.claims()[c].entitled);
      } else if (ledger.subscriptions()[n].reads) {
        continue;
      }
      owing = n;
      break;
    }
    if (owing == no_index) return;
    ++tally.asked_for;
    const std::size_t drain = ledger.drain_after(since, owing, place);
    if (drain == no_index) {
      ++tally.late;
      return;
    }
    const OpIndex certain = ledger.drained()[drain].at;
    lost.add(journal, certain, ledger.messages()[s.message].id, ledger.places()[place].name, {ledger.certain_since(s), since, certain}, [&] {
      return words::stored(journal, ledger, s) + ", yet nobody did \"" + journal.names.text(name) + "\" for it, as was done for " +
             words::message(journal, ledger, kind.example);
    });
  }

  FindingList twice_{"effect-duplicate"};
  FlatMap<OpIndex> first_;  // (name, message) -> its first row + 1
  std::vector<Done> done_;  // in the order of their first rows
  std::uint64_t looked_at_ = 0;
};

// ---- stale-effect

// For each effect, place and key: the effect for the furthest position so far, and the furthest by
// any other process than that one's. Whoever acts for less than another process did comes too late.
class StaleEffect : public CheckerOf<StaleEffect> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    const std::uint32_t name = effect_name(s);
    if (s.op.outcome != Outcome::ok || s.message == no_index || name == 0) return;
    const MessageFact& m = ledger.messages()[s.message];
    const std::uint32_t key = s.op.key != 0 ? s.op.key : span_of(ledger, s.message).key;
    if (key == 0 || m.held_place == no_index) return;
    ++looked_at_;
    std::uint32_t& resource = resources_[pair_key(name, m.held_place)];
    if (resource == 0) resource = ++resource_count_;
    Furthest& f = furthest_[pair_key(resource, key)];
    const Done now{s.op.process, m.held_position, s.index};
    const Done& other = f.best.row != no_op && f.best.process != now.process ? f.best : f.second;
    if (other.row != no_op && other.position > now.position) add(s, ledger, m, key, name, other);
    if (f.best.row == no_op || f.best.process == now.process) {
      if (f.best.row == no_op || now.position >= f.best.position) f.best = now;
    } else if (now.position > f.best.position) {
      f.second = f.best;
      f.best = now;
    } else if (f.second.row == no_op || now.position >= f.second.position) {
      f.second = now;
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "effects for a message with a key and a known position"));
  }

 private:
  struct Done {
    NodeId process = nobody;
    std::int64_t position = -1;
    OpIndex row = no_op;
  };
  struct Furthest {
    Done best;
    Done second;  // by another process than best's
  };

  void add(const Step& s, const Ledger& ledger, const MessageFact& m, std::uint32_t key, std::uint32_t name, const Done& other) {
    const Journal& j = s.journal;
    const std::uint32_t place = ledger.places()[m.held_place].name;
    found_.add(j, s.index, m.id, place, {other.row, s.index}, [&] {
      return j.process_name(s.op.process) + " did \"" + j.names.text(name) + "\" with key " + j.names.text(key) + " for " +
             j.message_name(m.id) + " (" + words::at(j, place, m.held_position) + ") after " + j.process_name(other.process) +
             " had done it for the newer " + newer(j, ledger, other.row) + " (@" + std::to_string(other.position) + ")";
    });
  }
  // The row may leave the message to the row it names.
  static std::string newer(const Journal& j, const Ledger&, OpIndex row) {
    const Op* of = Ledger::invoke_of(j.ops[row], row, j);
    return j.message_name(j.ops[row].message != no_message || !of ? j.ops[row].message : of->message);
  }

  FindingList found_{"stale-effect"};
  FlatMap<std::uint32_t> resources_;  // (name, place) -> dense, from 1
  FlatMap<Furthest> furthest_;        // (that, key)
  std::uint32_t resource_count_ = 0;
  std::uint64_t looked_at_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_effects(const CheckOptions&) { return std::make_unique<Effects>(); }
std::unique_ptr<Checker> make_stale_effect(const CheckOptions&) { return std::make_unique<StaleEffect>(); }

}  // namespace mqlab
