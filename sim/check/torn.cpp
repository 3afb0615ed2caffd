// torn-transaction: part of a transaction is visible and part is not, with all faults healed. However the
// transaction ended, and also when nobody knows how: either all of it shows or nothing.
//
// A subscription that got one send of a transaction at read-committed, and is entitled to another that
// was acknowledged, must get that too. Judged per transaction and subscription, at the first drain after
// the delivery, the acknowledgement, the entitlement and, where it is known, the end.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

class Torn : public CheckerOf<Torn> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.source == no_index || !(s.op.flags & op_flag::read_committed)) return;
    const std::uint32_t t = ledger.sends()[s.source].transaction;
    if (t == no_index) return;
    char& known = at(known_, s.subscription)[t];
    if (!known) seen_.push_back({t, s.subscription, s.index});
    known = true;
  }

  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    std::uint64_t looked_at = 0;
    std::uint64_t pending = 0;
    std::vector<Tear> tears;
    for (const Seen& seen : seen_) {
      const TransactionFact& t = ledger.transactions()[seen.transaction];
      std::uint32_t parts = 0;
      Tear tear;
      bool late = false;
      for (std::uint32_t n = t.last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
        if (ledger.sends()[n].outcome == Outcome::fail) continue;
        ++parts;
        const OpIndex since = missed_since(ledger, seen.subscription, n);
        if (since == no_op) continue;
        const std::size_t drain = ledger.drain_after(std::max({since, seen.row, t.end == no_op ? 0 : t.end}), seen.subscription,
                                                     place_of(ledger.sends()[n]));
        late = late || drain == no_index;
        if (drain != no_index && ledger.drained()[drain].at <= tear.certain) tear = {ledger.drained()[drain].at, &seen, n};
      }
      looked_at += parts > 1 ? 1 : 0;
      if (tear.certain != no_op) tears.push_back(tear);
      else if (late) ++pending;
    }
    // The first torn at each drain first; of one transaction the send that was made first.
    std::stable_sort(tears.begin(), tears.end(), [](const Tear& a, const Tear& b) { return a.certain < b.certain; });
    FindingList found("torn-transaction");
    for (const Tear& tear : tears) add(journal, ledger, found, tear);
    Report r = found.report(looked_at, "times that a subscription saw a transaction of several sends at read-committed");
    r.pending = pending;
    if (r.verdict == Verdict::holds && pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(pending, " transaction was", " transactions were") +
                 " seen in part, and no drain says that the rest will not arrive";
    }
    out.push_back(std::move(r));
  }

 private:
  struct Seen {
    std::uint32_t transaction;
    std::uint32_t subscription;
    OpIndex row;  // its first sight of the transaction
  };
  struct Tear {
    OpIndex certain = no_op;
    const Seen* seen = nullptr;
    std::uint32_t missed = no_index;
  };

  static std::uint32_t place_of(const SendFact& f) { return f.place != no_index ? f.place : f.target; }

  // From which row on the subscription has owed itself this send and not got it; no_op = it has, or need not.
  static OpIndex missed_since(const Ledger& ledger, std::uint32_t subscription, std::uint32_t send) {
    const SendFact& f = ledger.sends()[send];
    if (f.outcome != Outcome::ok) return no_op;
    const Received* got = ledger.subscriptions()[subscription].received.find(f.message);
    if (got && got->count > 0) return no_op;
    if (place_of(f) == no_index || excused(ledger.messages()[f.message])) return no_op;
    const std::uint32_t c = ledger.find_claim(subscription, place_of(f));
    if (c == no_index || ledger.claims()[c].entitled == no_op || !owes(ledger.claims()[c], f)) return no_op;
    return std::max(f.end, ledger.claims()[c].entitled);
  }

  static void add(const Journal& journal, const Ledger& ledger, FindingList& found, const Tear& tear) {
    const SendFact& f = ledger.sends()[tear.missed];
    const TransactionFact& t = ledger.transactions()[f.transaction];
    const Op& seen = journal.ops[tear.seen->row];
    found.add(journal, tear.certain, ledger.messages()[f.message].id, ledger.places()[place_of(f)].name,
              {f.end, tear.seen->row, t.end, tear.certain}, [&] {
                const char* how = t.state == TransactionState::committed ? ", which was committed"
                                  : t.state == TransactionState::aborted ? ", which was aborted"
                                  : t.closed != no_op                    ? ", whose outcome its client never learned"
                                                                         : ", which its client never ended";
                return words::subscription(journal, ledger.subscriptions()[tear.seen->subscription]) + " got " +
                       journal.message_name(seen.message) + " (" + words::at(journal, seen) + ") of " + words::transaction(journal, t) +
                       how + ", and never " + words::message(journal, ledger, f.message) + " (" +
                       words::at(journal, ledger.places()[place_of(f)].name, f.position) + ") of the same";
              });
  }

  std::vector<PagedMap<char>> known_;  // by subscription: transactions
  std::vector<Seen> seen_;
};

}  // namespace

std::unique_ptr<Checker> make_torn(const CheckOptions&) { return std::make_unique<Torn>(); }

}  // namespace mqlab
