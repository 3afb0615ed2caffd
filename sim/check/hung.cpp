// hung-transaction: readers at read-committed stand still in a place though committed messages lie before
// them and nobody owns a transaction that is open there.
//
// Of each place three numbers are kept: how far readers at read-committed have come, how far acknowledged
// and committed sends reach, and when the last transaction that wrote there left its owner's hands. Who stored a
// position there, or was told that the place ends there, has come so far as well: what is hidden before that is lost, and
// holds nobody back. A
// transaction is owned from its first row until its client was told any end of it (unknown, too), began its
// next one, or lost its transactional id. The place hangs when committed sends reach further than the
// reads, somebody is entitled to them, no owned transaction has written there, and that has lasted for
// longer than `hung_bound`, or until a drain. Only places where transactions wrote are judged; elsewhere
// what is missing is late or lost.
//
// Where the model tells the stable position itself (a mark `stable_position` whose text is the offset), the
// sentence repeats it; the verdict never depends on it.
#include <algorithm>
#include <utility>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

class Hung : public CheckerOf<Hung> {
 public:
  explicit Hung(Duration bound) : bound_(bound) {}

  void on(const Step& s, const Ledger& ledger) override {
    if (next_due_ != never && s.op.time > next_due_) due(s, ledger);
    switch (s.op.kind) {
      case OpKind::begin: began(s, ledger); break;
      case OpKind::send: sent(s, ledger); break;
      case OpKind::end_commit:
      case OpKind::end_abort: ended(s, ledger); break;
      case OpKind::deliver: delivered(s, ledger); break;
      case OpKind::poll: tell_isolation(s); break;
      case OpKind::commit: if (s.process < careful_process_.size() && careful_process_[s.process]) came_to(s, s.position - 1); break;
      case OpKind::end_offset: if (s.op.flags & op_flag::read_committed) came_to(s, s.op.position - 1); break;
      case OpKind::assign:
        tell_isolation(s);
        if (s.place != no_index) set_due(place(s.place), s.op.time);
        break;
      case OpKind::drained:
        if (is_drain(s.op)) {
          for (std::uint32_t p = 0; p < places_.size(); ++p) {
            if (drains_place(s.op, ledger, p)) judge(s, ledger, p, s.op.subscription);
          }
        }
        break;
      default: break;
    }
  }

  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    std::uint64_t looked_at = 0;
    std::uint64_t waiting = 0;
    std::uint32_t first_owned = no_index;
    const std::vector<bool> careful = careful_claims(ledger);
    for (std::uint32_t p = 0; p < places_.size(); ++p) {
      if (!places_[p].transactional || entitled(ledger, careful, p, 0) == no_op) continue;
      ++looked_at;
      if (!places_[p].stuck() || places_[p].told) continue;
      ++waiting;
      if (const std::uint32_t t = owned_writer(ledger, p); first_owned == no_index) first_owned = t;
    }
    Report r = found_.report(looked_at, "places that transactions wrote and that are read at read-committed");
    r.pending = waiting;
    if (r.verdict == Verdict::holds && waiting > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(waiting, " place holds", " places hold") + " committed messages that nobody got at read-committed, and ";
      r.reason += first_owned != no_index ? words::transaction(journal, ledger.transactions()[first_owned]) + " is open there"
                                          : "no drain or bound says that this is too long";
    }
    out.push_back(std::move(r));
  }

 private:
  static constexpr Time never = -1;

  struct Place {
    bool transactional = false;
    bool told = false;               // of this stand: it hangs
    bool blocked = false;            // judged late already: an owned transaction explains it
    std::int64_t read = -1;          // readers at read-committed have come so far
    OpIndex read_at = no_op;
    std::int64_t committed = -1;     // the furthest position of a send that certainly counts
    OpIndex stands_since = no_op;    // when committed sends came to lie beyond what is read, or more was read
    OpIndex freed = no_op;           // when the last transaction that wrote here left its owner
    bool stuck() const { return committed > read; }
  };

  Place& place(std::uint32_t n) {
    if (places_.size() <= n) places_.resize(n + 1);
    return places_[n];
  }

  // ---- who reads how

  void tell_isolation(const Step& s) {
    if (!(s.op.flags & op_flag::read_committed)) return;
    if (!std::exchange(at(careful_process_, s.process), true)) {
      for (const Place& p : places_) set_due(p, s.op.time);
    }
    if (s.subscription != no_index) at(careful_subscription_, s.subscription) = true;
  }

  std::vector<bool> careful_claims(const Ledger& ledger) const {
    std::vector<bool> careful(ledger.claims().size());
    const auto marked = [](const std::vector<char>& marks, std::uint32_t n) { return n < marks.size() && marks[n]; };
    for (std::uint32_t c = 0; c < careful.size(); ++c) careful[c] = marked(careful_subscription_, ledger.claims()[c].subscription);
    for (const Reader& r : ledger.readers()) {
      if (marked(careful_process_, ledger.find_process(r.process))) careful[r.claim] = true;
    }
    return careful;
  }
  // The row since which somebody who reads at read-committed is entitled to the place; no_op = nobody.
  OpIndex entitled(const Ledger& ledger, const std::vector<bool>& careful, std::uint32_t p, std::uint32_t subscription) const {
    OpIndex since = no_op;
    for (std::uint32_t c = 0; c < ledger.claims().size(); ++c) {
      const ClaimFact& claim = ledger.claims()[c];
      if (claim.place != p || claim.entitled == no_op || claim.from > places_[p].committed) continue;
      if (subscription != 0 && ledger.subscriptions()[claim.subscription].name != subscription) continue;
      if (careful[c]) since = std::min(since, claim.entitled);
    }
    return since;
  }

  void delivered(const Step& s, const Ledger&) {
    tell_isolation(s);
    if (s.op.flags & op_flag::read_committed) came_to(s, s.position);
  }

  void came_to(const Step& s, std::int64_t position) {
    if (s.place == no_index || position < 0) return;
    Place& p = place(s.place);
    if (position <= p.read) return;
    p.read = position;
    p.read_at = p.stands_since = s.index;
    p.told = p.blocked = false;
    set_due(p, s.op.time);
  }

  // ---- what is written

  void sent(const Step& s, const Ledger& ledger) {
    if (s.send == no_index && s.op.outcome == Outcome::invoke) return;
    if (s.transaction != no_index && s.op.outcome == Outcome::invoke) took(s, ledger);
    if (s.send == no_index || s.op.outcome != Outcome::ok) return;
    const SendFact& f = ledger.sends()[s.send];
    if (f.place == no_index) return;
    if (f.transaction != no_index && !place(f.place).transactional) {
      place(f.place).transactional = true;
      set_due(place(f.place), s.op.time);
    }
    if (f.position >= 0 && ledger.certain(f)) reached(s, place(f.place), f.position);
  }

  void reached(const Step& s, Place& p, std::int64_t position) {
    if (position <= p.committed) return;
    const bool was_stuck = p.stuck();
    p.committed = position;
    if (was_stuck || !p.stuck()) return;
    p.stands_since = s.index;
    p.told = p.blocked = false;
    set_due(p, s.op.time);
  }

  // ---- who owns a transaction

  void began(const Step& s, const Ledger& ledger) {
    if (s.transaction == no_index || s.op.outcome == Outcome::fail) return;
    took(s, ledger);
    // What it took over is nobody's any more.
    const auto gone = [&](std::uint32_t n) { return ledger.transactions()[n].superseded != no_op; };
    if (s.op.outcome == Outcome::ok) free_if(s, ledger, gone);
  }

  // The process is at work on this transaction, so it has left its earlier ones.
  void took(const Step& s, const Ledger& ledger) {
    const std::uint32_t mine = s.transaction;
    const TransactionFact& t = ledger.transactions()[mine];
    if (t.closed != no_op || t.superseded != no_op || std::find(owned_.begin(), owned_.end(), mine) != owned_.end()) return;
    free_if(s, ledger, [&](std::uint32_t n) { return ledger.transactions()[n].process == t.process; });
    owned_.push_back(mine);
  }

  void ended(const Step& s, const Ledger& ledger) {
    if (s.transaction == no_index || s.op.outcome == Outcome::invoke) return;
    const TransactionFact& t = ledger.transactions()[s.transaction];
    if (t.end == s.index && t.state == TransactionState::committed) {
      for (std::uint32_t n = t.last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
        const SendFact& f = ledger.sends()[n];
        if (f.outcome == Outcome::ok && f.place != no_index && f.position >= 0) reached(s, place(f.place), f.position);
      }
    }
    free_if(s, ledger, [&](std::uint32_t n) { return n == s.transaction; });
  }

  template <class Which>
  void free_if(const Step& s, const Ledger& ledger, Which&& which) {
    const auto gone = std::stable_partition(owned_.begin(), owned_.end(), [&](std::uint32_t n) { return !which(n); });
    for (auto it = gone; it != owned_.end(); ++it) {
      for (std::uint32_t n = ledger.transactions()[*it].last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
        const SendFact& f = ledger.sends()[n];
        const std::uint32_t at = f.place != no_index ? f.place : f.target;
        if (at == no_index || f.outcome == Outcome::fail) continue;
        if (!ledger.places()[at].bare) {
          freed(s, place(at));
          continue;
        }
        for (std::uint32_t p = 0; p < places_.size(); ++p) {
          if (ledger.covers(at, p)) freed(s, places_[p]);
        }
      }
    }
    owned_.erase(gone, owned_.end());
  }

  void freed(const Step& s, Place& p) {
    p.freed = s.index;
    p.blocked = false;
    set_due(p, s.op.time);
  }

  // An owned transaction that may hold something in this place; no_index = none.
  std::uint32_t owned_writer(const Ledger& ledger, std::uint32_t p) const {
    for (const std::uint32_t t : owned_) {
      for (std::uint32_t n = ledger.transactions()[t].last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
        const SendFact& f = ledger.sends()[n];
        if (f.outcome == Outcome::fail) continue;
        if (f.place == p || (f.place == no_index && f.target != no_index && ledger.covers(f.target, p))) return t;
      }
    }
    return no_index;
  }

  // ---- the verdict

  void set_due(const Place& p, Time now) {
    if (bound_ < 0 || !p.transactional || !p.stuck() || p.told) return;
    if (next_due_ == never || now + bound_ < next_due_) next_due_ = now + bound_;
  }

  void due(const Step& s, const Ledger& ledger) {
    next_due_ = never;
    const std::vector<bool> careful = careful_claims(ledger);
    for (std::uint32_t p = 0; p < places_.size(); ++p) {
      const Place& here = places_[p];
      if (!here.stuck() || here.told || here.blocked || !here.transactional) continue;
      OpIndex since = here.stands_since;
      if (here.freed != no_op) since = std::max(since, here.freed);
      const OpIndex reader = entitled(ledger, careful, p, 0);
      if (reader == no_op) continue;
      since = std::max(since, reader);
      const Time at = s.journal.ops[since].time;
      if (s.op.time - at > bound_) judge(s, ledger, p, 0);
      else set_due(here, at);
    }
  }

  void judge(const Step& s, const Ledger& ledger, std::uint32_t p, std::uint32_t subscription) {
    Place& here = places_[p];
    if (!here.transactional || !here.stuck() || here.told || entitled(ledger, careful_claims(ledger), p, subscription) == no_op) return;
    if (owned_writer(ledger, p) != no_index) {
      here.blocked = true;
      return;
    }
    const std::uint32_t send = stuck_send(ledger, p);
    if (send == no_index) return;
    here.told = true;
    const SendFact& f = ledger.sends()[send];
    const std::uint32_t name = ledger.places()[p].name;
    found_.add(s.journal, s.index, ledger.messages()[f.message].id, name,
               {ledger.certain_since(f), here.read_at, here.freed == no_op ? s.index : here.freed, s.index}, [&] {
      const Journal& j = s.journal;
      std::string text = words::stored(j, ledger, f);
      if (f.transaction != no_index) text += " and committed";
      text += ", yet since " + format_time(j.ops[here.stands_since].time) + " nobody gets anything at read-committed from " + words::place(j, name);
      text += here.read < 0 ? " at all" : " beyond @" + std::to_string(here.read);
      text += stable_position(j, name, s.op.time);
      return text + ", and nobody owns an open transaction there";
    });
  }

  // The lowest committed send beyond what is read.
  std::uint32_t stuck_send(const Ledger& ledger, std::uint32_t p) const {
    std::uint32_t best = no_index;
    for (std::uint32_t n = 0; n < ledger.sends().size(); ++n) {
      const SendFact& f = ledger.sends()[n];
      if (f.place != p || f.position <= places_[p].read || !ledger.certain(f) || excused(ledger.messages()[f.message])) continue;
      if (best == no_index || f.position < ledger.sends()[best].position) best = n;
    }
    return best;
  }

  // What the model itself told of it last.
  static std::string stable_position(const Journal& j, std::uint32_t place, Time now) {
    const std::uint32_t name = j.names.find("stable_position");
    if (name == 0) return "";
    const auto later = std::lower_bound(j.marks.begin(), j.marks.end(), now, [](const Mark& m, Time t) { return m.time < t; });
    for (auto it = later; it != j.marks.begin();) {
      --it;
      if (it->name == name && it->place == place)
        return " (the broker's stable position stands at " + it->text + " since " + format_time(it->time) + ")";
    }
    return "";
  }

  Duration bound_;
  FindingList found_{"hung-transaction"};
  std::vector<Place> places_;
  std::vector<std::uint32_t> owned_;  // transactions
  std::vector<char> careful_process_;       // by dense process
  std::vector<char> careful_subscription_;
  Time next_due_ = never;  // no place can hang before
};

}  // namespace

std::unique_ptr<Checker> make_hung(const CheckOptions& o) { return std::make_unique<Hung>(o.hung_bound); }

}  // namespace mqlab
