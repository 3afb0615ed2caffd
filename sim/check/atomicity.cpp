// atomicity-gap: consume-transform-produce, where what was read and what was written must count together.
//
// The inputs of a transaction are positions of a place that its process got for a group: those delivered
// inside it, and those delivered since the process last stored a position there (or was given the place, or
// sought) when the transaction stores one beyond them. Its outputs are its sends that did not fail; of an aborted one
// all sends, since none of them counts. Only transactions with both are judged. A transaction shows when its commit ended ok, or when one of its sends was
// got at read-committed. A position of the group counts when it was stored ok, outside a transaction or in one that
// shows, or when a member was given the place at it. Three ways to break:
//
//     twice    the transaction shows, and the first transaction that showed with one of its inputs is an earlier one.
//              Excused: the consumer sought back by its own will, and the earlier one's commit ended ok.
//     skipped  it was aborted, or its end is unknown and nobody got an acknowledged output that somebody is
//              entitled to; and an input of it, taken by no transaction that shows, lies before a position that
//              counts and was stored after it had begun. Judged at the first drain after all of these.
//     silent   it was committed, and nobody got an acknowledged output that somebody is entitled to. Likewise.
#include <algorithm>
#include <functional>
#include <map>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

class Atomicity : public CheckerOf<Atomicity> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::deliver) delivered(s, ledger);
    else if (s.op.kind == OpKind::commit) stored(s, ledger);
    else given(s, ledger);
  }

  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    Judgement j{journal, ledger, *this, FindingList("atomicity-gap")};
    j.run();
    Report r = j.found.report(j.looked_at, "transactions that read and wrote, and ended or were seen");
    r.pending = j.pending;
    if (r.verdict == Verdict::holds && j.pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(j.pending, " transaction", " transactions") + " may still turn out whole, and no drain says that nothing more arrives";
    }
    out.push_back(std::move(r));
  }

 private:
  // Positions that follow one another, as one process got them.
  struct Run {
    std::int64_t from = 0;
    std::int64_t to = 0;    // exclusive
    OpIndex first = no_op;  // the row that showed the first of them
    bool own_will = false;
  };
  struct Pending {
    std::uint32_t cuts = 0;
    std::vector<Run> runs{};
  };
  struct Input {
    std::uint32_t transaction;
    std::uint32_t claim;
    Run run;
  };
  struct Stored {
    std::int64_t position;
    OpIndex row;
    std::uint32_t transaction;  // no_index: outside, or a place given
  };

  static void append(std::vector<Run>& runs, const Step& s) {
    if (!runs.empty() && runs.back().to == s.position && runs.back().own_will == s.own_will) {
      runs.back().to = s.position + 1;
    } else {
      runs.push_back({s.position, s.position + 1, s.index, s.own_will});
    }
  }

  void delivered(const Step& s, const Ledger& ledger) {
    if (s.reader == no_index || s.position < 0) return;
    if (s.transaction != no_index) {
      if (!inputs_.empty() && inputs_.back().transaction == s.transaction && inputs_.back().claim == s.claim &&
          inputs_.back().run.to == s.position && inputs_.back().run.own_will == s.own_will) {
        inputs_.back().run.to = s.position + 1;
      } else {
        inputs_.push_back({s.transaction, s.claim, {s.position, s.position + 1, s.index, s.own_will}});
      }
      return;
    }
    if (pending_.size() <= s.reader) pending_.resize(s.reader + 1);
    Pending& p = pending_[s.reader];
    if (p.cuts != ledger.readers()[s.reader].cuts) p = {ledger.readers()[s.reader].cuts, {}};
    append(p.runs, s);
    // Who never stores a position needs no memory of all that it got.
    if (p.runs.size() > runs_max) p.runs.erase(p.runs.begin(), p.runs.begin() + runs_max / 2);
  }

  void stored(const Step& s, const Ledger& ledger) {
    if ((s.op.outcome != Outcome::ok && s.op.outcome != Outcome::info) || s.place == no_index || s.position < 0) return;
    const std::uint32_t claim = ledger.find_claim(s.subscription, s.place);
    if (claim == no_index) return;
    if (s.transaction != no_index || s.op.outcome == Outcome::ok) counts(claim, {s.position, s.index, s.transaction});
    const std::uint32_t reader = ledger.find_reader(s.op.process, claim);
    if (reader == no_index || reader >= pending_.size()) return;
    Pending& p = pending_[reader];
    if (p.cuts != ledger.readers()[reader].cuts) p = {ledger.readers()[reader].cuts, {}};
    std::vector<Run> left;
    for (const Run& r : p.runs) {
      Run before = r;
      before.to = std::min(r.to, s.position);
      if (before.from < before.to && s.transaction != no_index) inputs_.push_back({s.transaction, claim, before});
      Run after = r;
      after.from = std::max(r.from, s.position);
      if (after.from < after.to) left.push_back(after);
    }
    p.runs = std::move(left);
  }

  // A group's member is given the place at a position: so far, the group believes, all is done.
  void given(const Step& s, const Ledger&) {
    if (s.claim == no_index || s.position < 0 || (s.op.flags & op_flag::assigned)) return;
    counts(s.claim, {s.position, s.index, no_index});
  }

  void counts(std::uint32_t claim, const Stored& stored) {
    if (stored_.size() <= claim) stored_.resize(claim + 1);
    stored_[claim].push_back(stored);
  }

  // All of it, at one report.
  struct Judgement {
    const Journal& journal;
    const Ledger& ledger;
    const Atomicity& all;
    FindingList found;
    std::uint64_t looked_at = 0;
    std::uint64_t pending = 0;

    struct Piece {
      std::int64_t to;
      std::uint32_t input;
    };
    using Taken = std::map<std::int64_t, Piece>;  // from -> which input of a transaction that shows took it first
    std::vector<Taken> taken{};                   // by claim
    struct Gap {
      OpIndex certain;
      std::vector<OpIndex> witness;
      std::function<std::string()> sentence;
      MessageId message;
      std::uint32_t place;
    };
    std::vector<Gap> gaps{};
    std::vector<std::vector<Stored>> effective{};  // by claim: what counts, in the order of rows
    std::vector<std::vector<std::int64_t>> furthest{};  // from there on

    void run() {
      std::vector<std::vector<std::uint32_t>> of_transaction(ledger.transactions().size());
      for (std::uint32_t i = 0; i < all.inputs_.size(); ++i) of_transaction[all.inputs_[i].transaction].push_back(i);
      taken.resize(ledger.claims().size());
      index_claims();
      for (std::uint32_t t = 0; t < of_transaction.size(); ++t) {
        if (!of_transaction[t].empty() && shows(t) && writes(t)) show(t, of_transaction[t]);
      }
      what_counts();
      for (std::uint32_t t = 0; t < of_transaction.size(); ++t) {
        if (!of_transaction[t].empty() && meant_to_write(t)) judge(t, of_transaction[t]);
      }
      std::stable_sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.certain < b.certain; });
      for (const Gap& g : gaps) {
        found.add_rows(journal, g.certain, g.message, g.place, g.witness, g.sentence);
      }
    }

    const TransactionFact& fact(std::uint32_t t) const { return ledger.transactions()[t]; }
    bool committed(std::uint32_t t) const { return fact(t).state == TransactionState::committed; }
    bool shows(std::uint32_t t) const { return committed(t) || fact(t).shown != no_op; }
    OpIndex shown_since(std::uint32_t t) const { return committed(t) ? std::min(fact(t).end, fact(t).shown) : fact(t).shown; }
    bool writes(std::uint32_t t) const {
      for (std::uint32_t n = fact(t).last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
        if (ledger.sends()[n].outcome != Outcome::fail) return true;
      }
      return false;
    }

    bool meant_to_write(std::uint32_t t) const {
      return writes(t) || (fact(t).state == TransactionState::aborted && fact(t).last_send != no_index);
    }

    // ---- twice

    void show(std::uint32_t t, const std::vector<std::uint32_t>& inputs) {
      ++looked_at;
      bool told = false;
      for (const std::uint32_t i : inputs) {
        const Input& mine = all.inputs_[i];
        Taken& of_claim = taken[mine.claim];
        std::int64_t at = mine.run.from;
        auto it = of_claim.upper_bound(at);
        if (it != of_claim.begin() && std::prev(it)->second.to > at) --it;
        while (at < mine.run.to) {
          if (it == of_claim.end() || it->first >= mine.run.to) {
            of_claim.emplace_hint(it, at, Piece{mine.run.to, i});
            break;
          }
          if (it->first > at) {
            of_claim.emplace_hint(it, at, Piece{it->first, i});
            at = it->first;
          }
          const Input& theirs = all.inputs_[it->second.input];
          if (theirs.transaction != t && !told && !replayed(theirs, mine)) {
            told = true;
            twice(theirs, mine, at);
          }
          at = it->second.to;
          ++it;
        }
      }
    }
    bool replayed(const Input& theirs, const Input& mine) const {
      return mine.run.own_will && committed(theirs.transaction);
    }
    void twice(const Input& theirs, const Input& mine, std::int64_t position) {
      const OpIndex a = shown_since(theirs.transaction);
      const OpIndex b = shown_since(mine.transaction);
      const OpIndex certain = std::max({a, b, theirs.run.first, mine.run.first});
      add(mine, certain, {a, b, theirs.run.first, mine.run.first}, [=, this] {
        return input(mine, position) + " went into " + words::transaction(journal, fact(theirs.transaction)) + " and again into " +
               words::transaction(journal, fact(mine.transaction)) + ", and the outputs of both count";
      });
    }

    // ---- skipped and silent

    void what_counts() {
      effective.resize(all.stored_.size());
      furthest.resize(all.stored_.size());
      for (std::uint32_t c = 0; c < all.stored_.size(); ++c) {
        for (const Stored& s : all.stored_[c]) {
          if (s.transaction == no_index || shows(s.transaction)) effective[c].push_back(s);
        }
        furthest[c].resize(effective[c].size());
        std::int64_t far = -1;
        for (std::size_t i = effective[c].size(); i-- > 0;) furthest[c][i] = far = std::max(far, effective[c][i].position);
      }
    }

    void judge(std::uint32_t t, const std::vector<std::uint32_t>& inputs) {
      const TransactionFact& fact_of = fact(t);
      if (fact_of.state == TransactionState::committed) {
        const Missing m = missing(t);
        if (m.send == no_index) return;
        if (m.drain == no_op) {
          ++pending;
          return;
        }
        const Input& mine = all.inputs_[inputs.front()];
        add(mine, m.drain, {fact_of.end, ledger.sends()[m.send].end, m.drain}, [=, this] {
          return words::transaction(journal, fact_of) + " counts with " + input(mine, mine.run.from) + " as read, yet nobody got its output " +
                 output(m.send);
        });
        return;
      }
      if (fact_of.shown != no_op) return;
      const bool aborted = fact_of.state == TransactionState::aborted;
      if (aborted || fact_of.closed != no_op) ++looked_at;
      Missing m;
      if (!aborted) {
        m = missing(t);
        if (m.send == no_index) return;
      }
      // Of its inputs, the one that is certain first.
      OpIndex certain = no_op;
      const Input* best = nullptr;
      OpIndex got = no_op;
      const Stored* best_by = nullptr;
      bool late = false;
      for (const std::uint32_t i : inputs) {
        const Input& mine = all.inputs_[i];
        const std::int64_t position = untaken(mine);
        const Stored* by = position < 0 ? nullptr : passed_by(mine, position);
        if (!by) continue;
        const ClaimFact& claim = ledger.claims()[mine.claim];
        const OpIndex row = got_at(mine, position);
        const std::size_t drain = ledger.drain_after(std::max({by->row, row, aborted ? fact_of.end : 0}), claim.subscription, claim.place);
        if (drain == no_index || (!aborted && m.drain == no_op)) {
          late = true;
          continue;
        }
        const OpIndex then = std::max(ledger.drained()[drain].at, aborted ? 0 : m.drain);
        if (then >= certain) continue;
        certain = then;
        best = &mine;
        got = row;
        best_by = by;
      }
      if (!best) {
        pending += late ? 1 : 0;
        return;
      }
      const OpIndex decided = aborted ? fact_of.end : ledger.sends()[m.send].end;
      add(*best, certain, {got, best_by->row, decided, certain}, [=, this] {
        const Op& row = journal.ops[best_by->row];
        return input(*best, untaken(*best)) + " went into " + words::transaction(journal, fact(t)) +
               (aborted ? ", which was aborted" : ", of which nobody got " + output(m.send)) + ", and into no other, yet " +
               words::subscription(journal, ledger.subscriptions()[ledger.claims()[best->claim].subscription]) +
               (row.kind == OpKind::commit ? " stored the position " : " went on at ") + std::to_string(best_by->position) + " (" +
               journal.process_name(row.process) + ")";
      });
    }

    struct Missing {
      std::uint32_t send = no_index;
      OpIndex since = no_op;
      OpIndex drain = no_op;  // the row
    };
    // The acknowledged output that nobody got, though somebody is entitled to it, decided first.
    Missing missing(std::uint32_t t) const {
      Missing best;
      for (std::uint32_t n = fact(t).last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
        const SendFact& f = ledger.sends()[n];
        const MessageFact& m = ledger.messages()[f.message];
        const std::uint32_t place = f.place != no_index ? f.place : f.target;
        if (f.outcome != Outcome::ok || place == no_index || m.first_delivery != no_op || excused(m)) continue;
        for (std::uint32_t c = first_claim(place); c != no_index; c = next_claim(c)) {
          const ClaimFact& claim = ledger.claims()[c];
          if (claim.entitled == no_op || !owes(claim, f)) continue;
          const OpIndex since = std::max({f.end, claim.entitled, fact(t).end == no_op ? f.end : fact(t).end});
          const std::size_t d = ledger.drain_after(since, claim.subscription, place);
          const OpIndex row = d == no_index ? no_op : ledger.drained()[d].at;
          if (best.send == no_index || row < best.drain) best = {n, since, row};
        }
      }
      return best;
    }

    // Claims of one place, as lists.
    std::vector<std::uint32_t> first_of_place{};
    std::vector<std::uint32_t> next_of_place{};
    void index_claims() {
      first_of_place.assign(ledger.places().size(), no_index);
      next_of_place.assign(ledger.claims().size(), no_index);
      for (auto c = static_cast<std::uint32_t>(ledger.claims().size()); c-- > 0;) {
        next_of_place[c] = first_of_place[ledger.claims()[c].place];
        first_of_place[ledger.claims()[c].place] = c;
      }
    }
    std::uint32_t first_claim(std::uint32_t place) const { return first_of_place[place]; }
    std::uint32_t next_claim(std::uint32_t c) const { return next_of_place[c]; }

    // The row that showed this position of its run.
    OpIndex got_at(const Input& mine, std::int64_t position) const {
      const Op& first = journal.ops[mine.run.first];
      OpIndex row = mine.run.first;
      for (; row < journal.ops.size(); ++row) {
        const Op& op = journal.ops[row];
        if (op.kind == OpKind::deliver && op.position == position && op.process == first.process && op.place == first.place &&
            op.subscription == first.subscription)
          return row;
      }
      return mine.run.first;
    }

    // The lowest of its positions that no transaction that shows took; -1 = none.
    std::int64_t untaken(const Input& mine) const {
      const Taken& of_claim = taken[mine.claim];
      std::int64_t at = mine.run.from;
      auto it = of_claim.upper_bound(at);
      if (it != of_claim.begin()) --it;
      for (; it != of_claim.end() && at < mine.run.to; ++it) {
        if (it->first > at) break;
        at = std::max(at, it->second.to);
      }
      return at < mine.run.to ? at : -1;
    }

    // The first position that counts, stored after the transaction had begun, and beyond this one.
    const Stored* passed_by(const Input& mine, std::int64_t position) const {
      if (mine.claim >= effective.size()) return nullptr;
      const std::vector<Stored>& list = effective[mine.claim];
      const auto first = std::upper_bound(list.begin(), list.end(), fact(mine.transaction).begin, [](OpIndex row, const Stored& s) { return row < s.row; });
      for (auto it = first; it != list.end(); ++it) {
        if (furthest[mine.claim][static_cast<std::size_t>(it - list.begin())] <= position) return nullptr;
        if (it->position > position) return &*it;
      }
      return nullptr;
    }

    // ---- words

    std::string input(const Input& i, std::int64_t position) const {
      return words::at(journal, ledger.places()[ledger.claims()[i.claim].place].name, position);
    }
    std::string output(std::uint32_t send) const {
      const SendFact& f = ledger.sends()[send];
      return words::message(journal, ledger, f.message) + " (" +
             words::at(journal, ledger.places()[f.place != no_index ? f.place : f.target].name, f.position) + ")";
    }
    template <class Sentence>
    void add(const Input& i, OpIndex certain, std::vector<OpIndex> witness, Sentence&& sentence) {
      gaps.push_back({certain, std::move(witness), std::forward<Sentence>(sentence), journal.ops[i.run.first].message,
                      ledger.places()[ledger.claims()[i.claim].place].name});
    }
  };

  static constexpr std::ptrdiff_t runs_max = 4096;  // a reader's, not stored yet
  std::vector<Pending> pending_;                    // by reader
  std::vector<Input> inputs_;
  std::vector<std::vector<Stored>> stored_;         // by claim, in the order of rows
};

}  // namespace

std::unique_ptr<Checker> make_atomicity(const CheckOptions&) { return std::make_unique<Atomicity>(); }

}  // namespace mqlab
