// head-of-line-stall: one message is tried again and again, and what stands behind it waits.
//
// An attempt is a delivery, an attempt that the broker counts, or a `process` row that ended `fail` (the
// application tried and failed). A message is stuck when it was tried more often than the budget and
// nobody finished it; it holds others back when, since it was last tried, nothing else of its place was
// finished, and an acknowledged message behind it was not yet tried. Where nobody reports processing,
// finished means delivered.
#include <algorithm>
#include <limits>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

class Stall : public CheckerOf<Stall> {
 public:
  Stall(std::uint32_t budget, Duration bound) : budget_(budget), bound_(bound) {}

  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::drained) {
      if (is_drain(s.op)) drained(s, ledger);
      return;
    }
    if (s.claim == no_index || s.message == no_index) return;
    if (s.op.kind == OpKind::deliver) {
      ++deliveries_;
      if (s.first_here) {
        progress(s.claim).delivered = s.index;
        if (s.op.attempt <= 1) return;  // most messages come once
      }
      Tried& t = tried(s);
      ++t.deliveries;
      t.told = std::max<std::uint32_t>(t.told, s.op.attempt);
      attempted(s, ledger, t);
    } else if (s.op.outcome == Outcome::ok) {
      progress(s.claim).processed = s.index;
    } else if (s.op.outcome == Outcome::fail) {
      Tried& t = tried(s);
      ++t.failures;
      attempted(s, ledger, t);
    }
  }

  void finish(const Journal&, const Ledger& ledger, std::vector<Report>& out) const override {
    Report r = found_.report(deliveries_, "deliveries from a named place");
    for (const std::uint32_t n : stuck_) {
      const Tried& t = tried_[n];
      if (!over(ledger, t) && (t.judged == no_op || t.judged < t.last)) ++r.pending;
    }
    if (r.verdict == Verdict::holds && r.pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(r.pending, " message was", " messages were") + " tried more than " + std::to_string(budget_) +
                 " times, and no drain says that what is behind waits";
    } else if (r.verdict == Verdict::holds && tried_.empty()) {
      r.reason = "nothing was tried twice";
    }
    out.push_back(std::move(r));
  }

 private:
  // One message under one claim, tried more than once.
  struct Tried {
    std::uint32_t claim = no_index;
    std::uint32_t message = no_index;
    std::uint32_t deliveries = 0;
    std::uint32_t told = 0;  // attempts as the broker counts them
    std::uint32_t failures = 0;
    std::int64_t position = -1;
    OpIndex first = no_op;
    OpIndex last = no_op;
    OpIndex judged = no_op;  // the latest drain
    bool listed = false;   // in stuck_
    bool found = false;
    std::uint32_t attempts() const { return std::max({deliveries, told, failures}); }
  };
  // The latest row at which a place got further.
  struct Progress {
    OpIndex delivered = no_op;
    OpIndex processed = no_op;
  };

  Progress& progress(std::uint32_t claim) {
    if (progress_.size() <= claim) progress_.resize(claim + 1);
    return progress_[claim];
  }

  Tried& tried(const Step& s) {
    std::uint32_t& n = number_[pair_key(s.claim, s.message)];
    if (n == 0) {
      Tried t;
      t.claim = s.claim;
      t.message = s.message;
      t.first = s.index;
      t.position = s.position;
      if (s.received_before.count > 0 && s.received_before.first_place == s.place) {  // the ledger kept the first delivery
        t.deliveries = 1;
        t.first = s.received_before.first;
        t.position = s.received_before.first_position;
      }
      tried_.push_back(t);
      n = static_cast<std::uint32_t>(tried_.size());
    }
    return tried_[n - 1];
  }

  void attempted(const Step& s, const Ledger& ledger, Tried& t) {
    t.last = s.index;
    if (t.attempts() <= budget_ || t.found) return;
    if (!t.listed) stuck_.push_back(static_cast<std::uint32_t>(&t - tried_.data()));
    t.listed = true;
    // Under a bound, what waits must have waited as long.
    if (bound_ >= 0 && s.op.time - s.journal.ops[t.first].time > bound_) judge(s, ledger, t, t.first);
  }

  // Finished, or taken away by a policy.
  static bool over(const Ledger& ledger, const Tried& t) {
    const std::uint32_t subscription = ledger.claims()[t.claim].subscription;
    return ledger.subscriptions()[subscription].received.find(t.message)->processed != no_op || excused(ledger.messages()[t.message]);
  }

  void drained(const Step& s, const Ledger& ledger) {
    std::erase_if(stuck_, [&](std::uint32_t n) {
      Tried& t = tried_[n];
      const ClaimFact& claim = ledger.claims()[t.claim];
      if (!drains_subscription(s.op, ledger.subscriptions()[claim.subscription]) || !drains_place(s.op, ledger, claim.place)) return false;
      t.judged = s.index;
      if (!t.found) judge(s, ledger, t, s.index);
      return t.found || over(ledger, t);
    });
  }

  void judge(const Step& s, const Ledger& ledger, Tried& t, OpIndex acknowledged_before) {
    const ClaimFact& claim = ledger.claims()[t.claim];
    const bool reports = ledger.subscriptions()[claim.subscription].processings > 0;
    const Progress& p = progress(t.claim);
    const OpIndex latest = reports ? p.processed : p.delivered;
    if (t.position < 0 || over(ledger, t) || (latest != no_op && latest > t.last)) return;
    const std::uint32_t waiting = first_waiting(ledger, claim, t, reports, acknowledged_before);
    if (waiting == no_index) return;
    t.found = true;
    const Journal& j = s.journal;
    const std::uint32_t place = ledger.places()[claim.place].name;
    const SendFact& send = ledger.sends()[ledger.messages()[waiting].acknowledged];
    found_.add(j, s.index, ledger.messages()[t.message].id, place, {t.first, t.last, ledger.certain_since(send), s.index}, [&] {
      return words::subscription(j, ledger.subscriptions()[claim.subscription]) + " tried " + words::message(j, ledger, t.message) +
             " (" + words::at(j, place, t.position) + ") " + std::to_string(t.attempts()) + " times and never finished it, while " +
             words::message(j, ledger, waiting) + " waits behind it at @" + std::to_string(send.position);
    });
  }

  std::uint32_t first_waiting(const Ledger& ledger, const ClaimFact& claim, const Tried& t, bool reports, OpIndex before) const {
    const PlaceFact& place = ledger.places()[claim.place];
    std::int64_t low = t.position;
    while ((low = place.known.between(low, std::numeric_limits<std::int64_t>::max())) >= 0) {
      const PositionFact* at = place.positions.find(static_cast<std::uint64_t>(low));
      if (!at || at->message == no_index) continue;
      const MessageFact& m = ledger.messages()[at->message];
      if (m.acknowledged == no_index || excused(m)) continue;
      const SendFact& send = ledger.sends()[m.acknowledged];
      if (send.place != claim.place || send.position != low || ledger.certain_since(send) >= before || !owes(claim, send)) continue;
      const Received* got = ledger.subscriptions()[claim.subscription].received.find(at->message);
      if (!got) return at->message;
      if (reports ? got->processed != no_op : got->count > 0) continue;
      const std::uint32_t* n = number_.find(pair_key(t.claim, at->message));
      if (n && *n != 0 && tried_[*n - 1].failures > 0) continue;  // it has had its own turn
      return at->message;
    }
    return no_index;
  }

  FindingList found_{"head-of-line-stall"};
  std::uint32_t budget_;
  Duration bound_;
  FlatMap<std::uint32_t> number_;      // (claim, message) -> into tried_, + 1
  std::vector<Tried> tried_;
  std::vector<std::uint32_t> stuck_;   // into tried_: over the budget, not decided yet
  std::vector<Progress> progress_;     // by claim
  std::uint64_t deliveries_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_stall(const CheckOptions& o) { return std::make_unique<Stall>(o.stall_attempts, o.stall_bound); }

}  // namespace mqlab
