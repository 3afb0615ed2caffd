// Order of sends and reads by position: what successive operations of one client must keep.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// ---- nonmonotonic-send

class SendOrder : public CheckerOf<SendOrder> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.outcome != Outcome::ok || s.send == no_index) return;
    const SendFact& f = ledger.sends()[s.send];
    if (f.place == no_index || f.position < 0 || repeats_answer(ledger, f)) return;
    std::vector<std::uint32_t>& known = known_[pair_key(f.producer, f.place)];
    const auto it = std::lower_bound(known.begin(), known.end(), s.send);
    if (it != known.begin()) judge(s, ledger, *(it - 1), s.send);
    if (it != known.end()) judge(s, ledger, s.send, *it);
    known.insert(it, s.send);
    if (known.size() >= 2 * window) known.erase(known.begin(), known.begin() + window);
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(pairs_, "pairs of successive acknowledged sends"));
    out.push_back(inside_.report(pairs_inside_, "pairs of successive acknowledged sends in one transaction"));
  }

 private:
  // Only this many sends of one producer to one place may be waiting behind a late acknowledgement.
  static constexpr std::ptrdiff_t window = 1024;

  // A send answered with the position of an earlier copy took no position of its own.
  static bool repeats_answer(const Ledger& l, const SendFact& f) {
    for (std::uint32_t n = f.previous; n != no_index; n = l.sends()[n].previous) {
      if (l.sends()[n].place == f.place && l.sends()[n].position == f.position) return true;
    }
    return false;
  }

  void judge(const Step& s, const Ledger& ledger, std::uint32_t first, std::uint32_t second) {
    const SendFact& a = ledger.sends()[first];
    const SendFact& b = ledger.sends()[second];
    const bool inside = a.transaction != no_index && a.transaction == b.transaction;
    ++(inside ? pairs_inside_ : pairs_);
    if (a.position <= b.position) return;
    const std::uint32_t place = ledger.places()[a.place].name;
    (inside ? inside_ : found_)
        .add(s.journal, s.index, ledger.messages()[a.message].id, place, {a.invoke, b.invoke, a.end, b.end}, [&] {
          const Journal& j = s.journal;
          return j.process_name(a.producer) + " sent " + words::message(j, ledger, a.message) + " and then " +
                 words::message(j, ledger, b.message) + (inside ? " in one transaction" : "") + ", but they stand at " +
                 words::at(j, place, a.position) + " and @" + std::to_string(b.position);
        });
  }

  FindingList found_{"nonmonotonic-send"};
  FindingList inside_{"int-nonmonotonic-send"};
  FlatMap<std::vector<std::uint32_t>> known_;  // (producer, place) -> acknowledged sends, as they were made
  std::uint64_t pairs_ = 0;
  std::uint64_t pairs_inside_ = 0;
};

// ---- nonmonotonic-poll and poll-skip

class PollOrder : public CheckerOf<PollOrder> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::end_commit) {
      learn_of_commit(s, ledger);
      return;
    }
    if (s.learned >= 0) revisit(s, ledger, s.place, s.learned);
    if (s.op.kind == OpKind::deliver && s.reader != no_index && s.position >= 0) read(s, ledger);
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    static const char* const pairs = "pairs of successive reads";
    static const char* const inside = "pairs of successive reads in one poll or transaction";
    out.push_back(back_.report(pairs_, pairs));
    out.push_back(skip_.report(pairs_, pairs));
    out.push_back(back_inside_.report(pairs_inside_, inside));
    out.push_back(skip_inside_.report(pairs_inside_, inside));
  }

 private:
  // Positions that a reader jumped: nothing is known to stand there, but that may still come out.
  struct Gap {
    std::int64_t low;
    std::int64_t high;
    OpIndex low_row;
    OpIndex high_row;
    std::uint32_t claim;
    bool exclusive;
    bool inside;
  };
  struct Gaps {
    std::vector<Gap> list;
    std::int64_t highest = -1;
  };
  static constexpr std::size_t gaps_max = 4096;  // a place; the oldest are forgotten

  void read(const Step& s, const Ledger& ledger) {
    const LastRead& before = s.reader_before;
    if (before.last_position < 0) return;
    const bool one_poll = s.op.of != no_op && s.op.of == before.last_poll;
    const bool inside = one_poll || (s.transaction != no_index && s.transaction == before.last_transaction);
    ++(inside ? pairs_inside_ : pairs_);
    if (s.position <= before.last_position) {
      if ((s.op.flags & op_flag::redelivered) || s.op.attempt > 1) return;
      (inside ? back_inside_ : back_).add(s.journal, s.index, s.op.message, s.op.place, {before.last, s.index}, [&] {
        return s.journal.process_name(s.op.process) + " read " + words::at(s.journal, s.op.place, before.last_position) +
               " and next @" + std::to_string(s.position) + " (" + s.journal.message_name(s.op.message) + ")";
      });
      return;
    }
    if (s.position == before.last_position + 1) return;
    const Gap gap{before.last_position, s.position, before.last, s.index, s.claim, ledger.readers()[s.reader].exclusive, inside};
    const std::int64_t p = ledger.places()[s.place].known.between(gap.low, gap.high);
    if (p >= 0) {
      skipped(s, ledger, s.place, gap, p);
      return;
    }
    Gaps& gaps = gaps_[s.place];
    if (gaps.list.size() >= gaps_max) gaps.list.erase(gaps.list.begin(), gaps.list.begin() + gaps_max / 2);
    gaps.list.push_back(gap);
    gaps.highest = std::max(gaps.highest, gap.high);
  }

  // A position turns out to hold a message: whoever jumped it, skipped it.
  void revisit(const Step& s, const Ledger& ledger, std::uint32_t place, std::int64_t position) {
    Gaps* gaps = gaps_.find(place);
    if (!gaps || position >= gaps->highest) return;
    auto keep = gaps->list.begin();
    for (const Gap& g : gaps->list) {
      if (position > g.low && position < g.high) {
        skipped(s, ledger, place, g, position);
      } else {
        *keep++ = g;
      }
    }
    gaps->list.erase(keep, gaps->list.end());
  }

  void learn_of_commit(const Step& s, const Ledger& ledger) {
    if (s.transaction == no_index) return;
    const TransactionFact& t = ledger.transactions()[s.transaction];
    if (t.end != s.index || t.state != TransactionState::committed) return;
    for (std::uint32_t n = t.last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
      const SendFact& f = ledger.sends()[n];
      if (f.outcome != Outcome::ok || f.place == no_index || f.position < 0) continue;
      const PositionFact* there = ledger.places()[f.place].positions.find(static_cast<std::uint64_t>(f.position));
      if (there && there->message == f.message) revisit(s, ledger, f.place, f.position);
    }
  }

  void skipped(const Step& s, const Ledger& ledger, std::uint32_t place, const Gap& gap, std::int64_t position) {
    // Consumers that share a place each see a part of it.
    if (!gap.exclusive && ledger.claims()[gap.claim].readers > 1) return;
    const PositionFact* there = ledger.places()[place].positions.find(static_cast<std::uint64_t>(position));
    if (!there || there->message == no_index || ledger.messages()[there->message].policy != no_op) return;
    const Journal& j = s.journal;
    const std::uint32_t name = ledger.places()[place].name;
    const OpIndex since = there->since;
    (gap.inside ? skip_inside_ : skip_)
        .add(j, s.index, ledger.messages()[there->message].id, name, {gap.low_row, gap.high_row, since}, [&] {
          return j.process_name(j.ops[gap.high_row].process) + " read " + words::at(j, name, gap.low) + " and next @" +
                 std::to_string(gap.high) + ", though " + words::message(j, ledger, there->message) + " stands at @" +
                 std::to_string(position);
        });
  }

  FindingList back_{"nonmonotonic-poll"};
  FindingList skip_{"poll-skip"};
  FindingList back_inside_{"int-nonmonotonic-poll"};
  FindingList skip_inside_{"int-poll-skip"};
  FlatMap<Gaps> gaps_;  // by place
  std::uint64_t pairs_ = 0;
  std::uint64_t pairs_inside_ = 0;
};

// ---- redelivery-reorder

class Redelivery : public CheckerOf<Redelivery> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.reader == no_index) return;
    const std::uint32_t cuts = ledger.readers()[s.reader].cuts;
    if (furthest_.size() <= s.reader) furthest_.resize(s.reader + 1);
    Furthest& f = furthest_[s.reader];
    if (f.cuts != cuts) f = {};
    f.cuts = cuts;
    // A message stands where its position says or, in a queue without positions, where it first came out.
    const std::int64_t rank = s.position >= 0 ? s.position
                              : static_cast<std::int64_t>(s.first_here ? s.index : s.received_before.first);
    const bool again = !s.first_here || (s.op.flags & op_flag::redelivered) || s.op.attempt > 1;
    redelivered_ += again ? 1 : 0;
    if (again && !s.own_will && rank < f.rank) {
      found_.add(s.journal, s.index, s.op.message, s.op.place, {s.first_here ? no_op : s.received_before.last, f.row, s.index}, [&] {
        const Journal& j = s.journal;
        return j.process_name(s.op.process) + " got " + j.message_name(s.op.message) + " again from " + words::at(j, s.op) +
               " after its successor " + j.message_name(j.ops[f.row].message);
      });
    }
    ++deliveries_;
    if (rank > f.rank) {
      f.rank = rank;
      f.row = s.index;
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    Report r = found_.report(deliveries_, "deliveries from a named place");
    if (r.verdict == Verdict::holds && redelivered_ == 0) r.reason = "nothing was redelivered";
    out.push_back(std::move(r));
  }

 private:
  struct Furthest {
    std::int64_t rank = -1;
    OpIndex row = no_op;
    std::uint32_t cuts = 0;
  };
  FindingList found_{"redelivery-reorder"};
  std::vector<Furthest> furthest_;  // by reader
  std::uint64_t redelivered_ = 0;
  std::uint64_t deliveries_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_send_order(const CheckOptions&) { return std::make_unique<SendOrder>(); }
std::unique_ptr<Checker> make_poll_order(const CheckOptions&) { return std::make_unique<PollOrder>(); }
std::unique_ptr<Checker> make_redelivery(const CheckOptions&) { return std::make_unique<Redelivery>(); }

}  // namespace mqlab
