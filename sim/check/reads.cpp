// What reads, questions for the end, and commits say over time. Each is compared with what was
// complete when it was asked: answers to questions that overlap may come in any order.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// A number and the row that told it.
struct Told {
  std::int64_t position = -1;
  OpIndex row = no_op;
  void raise(std::int64_t p, OpIndex at) {
    if (p > position) *this = {p, at};
  }
};

// ---- stale-read and end-regression

class Reads : public CheckerOf<Reads> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::deliver) {
      if (s.place != no_index && s.position >= 0) seen(s);
      return;
    }
    const bool end = s.op.kind == OpKind::end_offset;
    if (s.op.outcome == Outcome::invoke) {
      if (s.place == no_index || (!end && s.op.position < 0)) return;
      const Place& p = place_of(s.place);
      asked_[s.index] = {s.place, s.op.position, end ? p.end[committed(s.op)] : Told{}, seen_before(p, s.op), no_op, 0};
    } else if (s.op.outcome == Outcome::ok) {
      Asked* asked = asked_.find(s.op.of);
      if (end) {
        answered(s, ledger, asked);
      } else if (asked) {
        if (asked->from < 0) return;  // an imported row may end a question of another kind
        ++looked_at_;
        if (asked->deliveries == 0 && asked->seen.position >= asked->from) empty_.push_back(s.index);
      }
    }
  }
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    FindingList stale = stale_;
    for (const OpIndex row : empty_) {  // its deliveries may be written after its end
      const Asked& a = *asked_.find(journal.ops[row].of);
      if (a.deliveries > 0) continue;
      missed(journal, ledger, stale, row, a.place, a.seen, [&] {
        return " read from @" + std::to_string(a.from) + " and got nothing";
      });
    }
    out.push_back(stale.report(looked_at_, "reads that name a position, and questions for the end"));
    out.push_back(back_.report(ends_, "answers to questions for the end"));
  }

 private:
  struct Place {
    Told end[2];   // the furthest end told: at read-uncommitted, at read-committed
    Told seen[2];  // the furthest position read, likewise
  };
  struct Asked {
    std::uint32_t place = no_index;
    std::int64_t from = -1;
    Told end;
    Told seen;
    OpIndex answer = no_op;
    std::uint64_t deliveries = 0;
  };

  static std::size_t committed(const Op& op) { return op.flags & op_flag::read_committed ? 1 : 0; }
  // The stable position may lie below what others read: only reads at the same isolation bind it.
  static Told seen_before(const Place& p, const Op& op) {
    if (committed(op)) return p.seen[1];
    return p.seen[0].position >= p.seen[1].position ? p.seen[0] : p.seen[1];
  }
  Place& place_of(std::uint32_t place) {
    if (places_.size() <= place) places_.resize(place + 1);
    return places_[place];
  }

  void seen(const Step& s) {
    place_of(s.place).seen[committed(s.op)].raise(s.position, s.index);
    if (s.op.of == no_op || asked_.size() == 0) return;
    if (Asked* asked = asked_.find(s.op.of)) ++asked->deliveries;
  }

  void answered(const Step& s, const Ledger& ledger, const Asked* asked) {
    const std::uint32_t place = s.place != no_index ? s.place : asked ? asked->place : no_index;
    if (place == no_index || s.op.position < 0) return;
    Place& p = place_of(place);
    const Told end = asked ? asked->end : p.end[committed(s.op)];
    const Told read = asked ? asked->seen : seen_before(p, s.op);
    ++looked_at_;
    ++ends_;
    if (s.op.position < end.position) {
      const Journal& j = s.journal;
      const std::uint32_t name = ledger.places()[place].name;
      back_.add(j, s.index, no_message, name, {end.row, s.op.of, s.index}, [&] {
        return j.process_name(s.op.process) + " was told that " + words::place(j, name) + " ends at " +
               std::to_string(s.op.position) + ", after " + j.process_name(j.ops[end.row].process) + " had been told " +
               std::to_string(end.position);
      });
    }
    if (s.op.position <= read.position) {
      missed(s.journal, ledger, stale_, s.index, place, read, [&] {
        return " was told that it ends at " + std::to_string(s.op.position);
      });
    }
    p.end[committed(s.op)].raise(s.op.position, s.index);
  }

  template <class What>
  static void missed(const Journal& j, const Ledger& ledger, FindingList& list, OpIndex row, std::uint32_t place, const Told& read,
                     What&& what) {
    const Op& op = j.ops[row];
    const Op& earlier = j.ops[read.row];
    const std::uint32_t name = ledger.places()[place].name;
    list.add(j, row, earlier.message, name, {read.row, op.of, row}, [&] {
      return j.process_name(op.process) + " asked for " + words::place(j, name) + " and" + what() + ", after " +
             j.process_name(earlier.process) + " had read " + j.message_name(earlier.message) + " at @" + std::to_string(read.position);
    });
  }

  FindingList stale_{"stale-read"};
  FindingList back_{"end-regression"};
  std::vector<Place> places_;
  FlatMap<Asked> asked_;        // by the row of the question
  std::vector<OpIndex> empty_;  // ends of reads that should have got something, and had not when they ended
  std::uint64_t looked_at_ = 0;
  std::uint64_t ends_ = 0;
};

// ---- position-regression

class Commits : public CheckerOf<Commits> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::seek) {
      sought(s);
    } else if (s.op.kind == OpKind::assign) {
      assigned(s, ledger);
    } else if (s.op.outcome == Outcome::invoke) {
      if (s.place == no_index || s.op.position < 0) return;
      Group& g = groups_[pair_key(s.subscription, s.place)];
      asked_[s.index] = {s.subscription, s.place, s.op.position, g.seeks, g.committed};
    } else {
      if (s.op.outcome == Outcome::ok) committed(s, ledger);
      if (s.op.of != no_op) asked_.erase(s.op.of);
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "committed positions"));
  }

 private:
  struct Group {
    Told committed;
    std::uint64_t seeks = 0;
  };
  struct Asked {
    std::uint32_t subscription = no_index;
    std::uint32_t place = no_index;
    std::int64_t position = -1;
    std::uint64_t seeks = 0;
    Told before;  // what was committed, and told so, when it was asked
  };

  void committed(const Step& s, const Ledger& ledger) {
    const Asked* found = asked_.find(s.op.of);
    if (!found && (s.place == no_index || s.op.position < 0)) return;
    const Asked asked = found ? *found : Asked{s.subscription, s.place, s.op.position, 0, {}};
    Group& g = groups_[pair_key(asked.subscription, asked.place)];
    const Told before = !found ? g.committed : asked.seeks == g.seeks ? asked.before : Told{};
    ++looked_at_;
    if (asked.position < before.position) {
      add(s, ledger, asked.subscription, asked.place, before, " committed @" + std::to_string(asked.position));
      g.committed = {asked.position, s.index};
      ++g.seeks;  // what overlapped with this is judged no more
    } else {
      g.committed.raise(asked.position, s.index);
    }
  }

  // A group begins where it committed. A consumer that assigns itself begins where it likes.
  void assigned(const Step& s, const Ledger& ledger) {
    if (s.op.outcome != Outcome::ok || (s.op.flags & op_flag::assigned) || s.place == no_index || s.op.position < 0) return;
    if (s.subscription == no_index) return;
    Group* g = groups_.find(pair_key(s.subscription, s.place));
    if (!g || g->committed.row == no_op) return;
    ++looked_at_;
    if (s.op.position >= g->committed.position) return;
    add(s, ledger, s.subscription, s.place, g->committed, " was assigned it from @" + std::to_string(s.op.position));
    g->committed = {s.op.position, s.index};
    ++g->seeks;
  }

  void sought(const Step& s) {
    if (s.claim == no_index || (s.op.flags & op_flag::by_policy)) return;
    Group* g = groups_.find(pair_key(s.subscription, s.place));
    if (!g) return;
    const std::int64_t target = std::max<std::int64_t>(s.position, 0);
    if (target >= g->committed.position) return;
    g->committed = {target, s.index};
    ++g->seeks;
  }

  void add(const Step& s, const Ledger& ledger, std::uint32_t subscription, std::uint32_t place, const Told& before,
           const std::string& what) {
    const Journal& j = s.journal;
    const std::uint32_t name = ledger.places()[place].name;
    found_.add(j, s.index, no_message, name, {before.row, s.op.of, s.index}, [&] {
      return words::subscription(j, ledger.subscriptions()[subscription]) + " stood at " + words::at(j, name, before.position) +
             " by the commit of " + j.process_name(j.ops[before.row].process) + ", then " + j.process_name(s.op.process) + what;
    });
  }

  FindingList found_{"position-regression"};
  FlatMap<Group> groups_;  // (subscription, place)
  FlatMap<Asked> asked_;   // by the row of the invoke
  std::uint64_t looked_at_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_reads(const CheckOptions&) { return std::make_unique<Reads>(); }
std::unique_ptr<Checker> make_commits(const CheckOptions&) { return std::make_unique<Commits>(); }

}  // namespace mqlab
