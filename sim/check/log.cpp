// The log: which message stands where, and what the answers about it say over time.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// ---- duplicate

class Duplicate : public CheckerOf<Duplicate> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (!s.position_known) return;
    ++looked_at_;
    if (!ledger.second_position(s)) return;
    bool& reported = reported_[s.message];
    if (reported) return;
    reported = true;
    const MessageFact& m = ledger.messages()[s.message];
    const std::uint32_t here = ledger.places()[s.place].name;
    found_.add(s.journal, s.index, m.id, here, {m.held_since, s.index}, [&] {
      return s.journal.message_name(m.id) + " stands at " +
             words::at(s.journal, ledger.places()[m.held_place].name, m.held_position) + " and again at " +
             words::at(s.journal, here, s.position) +
             (m.sends == 1 ? ", sent once" : ", sent " + std::to_string(m.sends) + " times by the application");
    });
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "positions seen"));
  }

 private:
  FindingList found_{"duplicate"};
  FlatMap<bool> reported_;  // by message
  std::uint64_t looked_at_ = 0;
};

// ---- dedup-miss and dedup-window-expiry

// Which of the two it was shows once all sends of the message have ended, so it is decided at the report.
class Dedup : public CheckerOf<Dedup> {
 public:
  explicit Dedup(Duration window) : window_(window) {}

  void on(const Step& s, const Ledger& ledger) override {
    if (window_ < 0 || !s.position_known) return;
    ++looked_at_;
    if (!ledger.second_position(s)) return;
    bool& known = known_[s.message];
    if (!known) stored_twice_.push_back({s.message, s.index});
    known = true;
  }
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    FindingList miss("dedup-miss");
    FindingList expiry("dedup-window-expiry");
    std::uint64_t undecided = 0;
    for (const auto& [message, row] : stored_twice_) {
      const Span span = sends_of(journal, ledger, message);
      if (span.ended && span.last - span.first <= window_) {
        add(journal, ledger, miss, message, row, span, " inside the window");
      } else if (span.apart > window_) {
        add(journal, ledger, expiry, message, row, span, " with the window passed between its sends");
      } else {
        ++undecided;
      }
    }
    for (const FindingList* list : {&miss, &expiry}) {
      Report r = list->report(looked_at_, "positions seen");
      if (window_ < 0) {
        r.reason = "no deduplication window is promised";
      } else if (r.verdict == Verdict::holds && undecided > 0) {
        r.verdict = Verdict::unknown;
        r.pending = undecided;
        r.reason = words::count(undecided, " message was", " messages were") + " stored twice, inside or outside the window";
      }
      out.push_back(std::move(r));
    }
  }

 private:
  struct Span {
    Time first = 0;
    Time last = 0;       // the latest end
    Duration apart = 0;  // the shortest pause between two sends
    OpIndex last_end = 0;
    bool ended = true;
  };
  static Span sends_of(const Journal& journal, const Ledger& ledger, std::uint32_t message) {
    Span span;
    OpIndex later = no_op;
    for (std::uint32_t n = ledger.messages()[message].last_send; n != no_index; n = ledger.sends()[n].previous) {
      const SendFact& f = ledger.sends()[n];
      span.first = journal.ops[f.invoke].time;
      if (f.end == no_op || f.outcome == Outcome::info) span.ended = false;
      if (f.end != no_op) {
        span.last = std::max(span.last, journal.ops[f.end].time);
        span.last_end = std::max(span.last_end, f.end);
      }
      if (later != no_op) {
        const Duration pause = f.end == no_op ? 0 : journal.ops[later].time - journal.ops[f.end].time;
        span.apart = span.apart == 0 ? pause : std::min(span.apart, pause);
      }
      later = f.invoke;
    }
    return span;
  }
  static void add(const Journal& j, const Ledger& ledger, FindingList& list, std::uint32_t message, OpIndex row, const Span& span,
                  const char* how) {
    const MessageFact& m = ledger.messages()[message];
    const Op& op = j.ops[row];
    list.add(j, std::max(row, span.last_end), m.id, op.place, {m.held_since, row}, [&] {
      return j.message_name(m.id) + " was stored at " + words::at(j, ledger.places()[m.held_place].name, m.held_position) +
             " and again at " + words::at(j, op) + how;
    });
  }

  struct Twice {
    std::uint32_t message;
    OpIndex row;
  };
  Duration window_;
  std::vector<Twice> stored_twice_;
  FlatMap<bool> known_;
  std::uint64_t looked_at_ = 0;
};

// ---- inconsistent-offsets, truncated-commit, log-divergence

class Positions : public CheckerOf<Positions> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (!s.position_known) return;
    ++looked_at_;
    const PositionFact& first = s.position_before;
    if (first.message == no_index) return;
    const bool read = s.op.kind == OpKind::deliver;
    if (first.message != s.message) {
      differs(s, ledger, conflicts_[s.place][static_cast<std::uint64_t>(s.position)], read);
    } else if (read && first.read != no_op) {
      const FlatMap<Conflict>* there = conflicts_.find(s.place);
      if (there && there->find(static_cast<std::uint64_t>(s.position))) {
        again(s, ledger, conflicts_[s.place][static_cast<std::uint64_t>(s.position)]);
      }
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(inconsistent_.report(looked_at_, "positions seen"));
    out.push_back(truncated_.report(looked_at_, "positions seen"));
    out.push_back(divergent_.report(looked_at_, "positions seen"));
  }

 private:
  // A position where a second message was seen.
  struct Conflict {
    OpIndex read = no_op;  // the first read that saw another message than the first one
    bool inconsistent = false;
    bool truncated = false;
    bool divergent = false;
  };

  void differs(const Step& s, const Ledger& ledger, Conflict& c, bool read) {
    const PositionFact& first = s.position_before;
    if (read && c.read == no_op) c.read = s.index;
    const auto both = [&](const char* link, OpIndex earlier) {
      const Journal& j = s.journal;
      return words::at(j, ledger.places()[s.place].name, s.position) + " held " + words::message(j, ledger, first.message) + " (" +
             sight(s, earlier) + ")" + link + words::message(j, ledger, s.message) + " (" + sight(s, s.index) + ")";
    };
    if (!c.inconsistent) {
      c.inconsistent = true;
      add(s, ledger, inconsistent_, {first.since, s.index}, [&] { return both(" and ", first.since); });
    }
    // An acknowledgement may arrive late; it speaks of a later state only when its send came after the read.
    const bool later = read || (first.read != no_op && s.send != no_index && ledger.sends()[s.send].invoke > first.read);
    if (first.read == no_op || !later) return;
    if (!c.truncated) {
      c.truncated = true;
      add(s, ledger, truncated_, {first.read, s.index}, [&] { return both(", which is gone: it now holds ", first.read); });
    }
    if (read && !c.divergent && ledger.drain_before(first.read)) {
      c.divergent = true;
      add(s, ledger, divergent_, {first.read, s.index}, [&] { return both(" and, with all faults healed, ", first.read); });
    }
  }

  void again(const Step& s, const Ledger& ledger, Conflict& c) {
    if (c.divergent || c.read == no_op || c.read < s.position_before.read) return;
    c.divergent = true;
    add(s, ledger, divergent_, {s.position_before.read, c.read, s.index}, [&] {
      const Journal& j = s.journal;
      return words::at(j, ledger.places()[s.place].name, s.position) + " held " + words::message(j, ledger, s.message) + " (" +
             sight(s, s.position_before.read) + "), then " + j.message_name(j.ops[c.read].message) + " (" + sight(s, c.read) +
             "), then the first again (" + sight(s, s.index) + ")";
    });
  }

  static std::string sight(const Step& s, OpIndex row) {
    const Op& op = s.journal.ops[row];
    return (op.kind == OpKind::deliver ? "read by " : "told to ") + s.journal.process_name(op.process);
  }
  template <class Sentence>
  static void add(const Step& s, const Ledger& ledger, FindingList& list, std::initializer_list<OpIndex> witness, Sentence&& sentence) {
    list.add(s.journal, s.index, ledger.messages()[s.position_before.message].id, ledger.places()[s.place].name, witness, sentence);
  }

  FindingList inconsistent_{"inconsistent-offsets"};
  FindingList truncated_{"truncated-commit"};
  FindingList divergent_{"log-divergence"};
  FlatMap<FlatMap<Conflict>> conflicts_;  // place -> position
  std::uint64_t looked_at_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_duplicate(const CheckOptions&) { return std::make_unique<Duplicate>(); }
std::unique_ptr<Checker> make_dedup(const CheckOptions& o) { return std::make_unique<Dedup>(o.dedup_window); }
std::unique_ptr<Checker> make_positions(const CheckOptions&) { return std::make_unique<Positions>(); }

}  // namespace mqlab
