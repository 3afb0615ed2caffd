// unavailable: sends to a topic are acknowledged no more, although at the drain all faults are healed and all processes run.
// They must have been made over some time: a history shows no faults, and a network that was away for a while says nothing.
#include "sim/check/checkers.h"

namespace mqlab {
namespace {

constexpr std::uint64_t fewest = 3;  // fewer may be chance

struct Stretch {
  OpIndex since = no_op;  // the last acknowledgement; no_op: there was none
  OpIndex first = no_op;  // the first send behind it without a known outcome
  OpIndex last = no_op;
  std::uint64_t count = 0;
  std::uint32_t place = no_index;
};

class Unavailable : public CheckerOf<Unavailable> {
 public:
  explicit Unavailable(Duration bound) : bound_(bound) {}
  void on(const Step&, const Ledger&) override {}
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    std::vector<Stretch> of_topic;
    for (const SendFact& f : ledger.sends()) {
      if (f.target == no_index || f.outcome != Outcome::ok) continue;
      Stretch& t = at(of_topic, ledger.places()[f.target].topic, Stretch{});
      if (t.since == no_op || f.end > t.since) t.since = f.end;
    }
    for (const SendFact& f : ledger.sends()) {
      if (f.target == no_index || (f.outcome != Outcome::info && f.outcome != Outcome::invoke)) continue;
      Stretch& t = at(of_topic, ledger.places()[f.target].topic, Stretch{});
      if (t.since != no_op && f.invoke < t.since) continue;
      if (t.first == no_op) t.first = f.invoke;
      t.last = f.invoke;
      t.place = f.target;
      ++t.count;
    }
    FindingList found("unavailable");
    std::uint64_t pending = 0;
    for (const Stretch& t : of_topic) {
      if (t.count < fewest || journal.ops[t.last].time - journal.ops[t.first].time < bound_) continue;
      const std::size_t drain = ledger.drain_after(t.last, no_index, t.place);
      if (drain == no_index) {
        ++pending;
        continue;
      }
      const OpIndex certain = ledger.drained()[drain].at;
      found.add(journal, certain, no_message, ledger.places()[t.place].name, {t.since, t.first, certain}, [&] {
        return "the last " + std::to_string(t.count) + " sends to " + words::place(journal, ledger.places()[t.place].name) + ", from " +
               format_time(journal.ops[t.first].time) + " on, were not acknowledged" +
               (t.since == no_op ? ", nor any before" : ", the one before at " + format_time(journal.ops[t.since].time) + " was");
      });
    }
    Report r = found.report(ledger.sends().size(), "sends");
    r.pending = pending;
    if (r.verdict == Verdict::holds && pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = "the last sends were not acknowledged, and no drain says that all are well";
    }
    out.push_back(std::move(r));
  }

 private:
  Duration bound_;
};

}  // namespace

std::unique_ptr<Checker> make_unavailable(const CheckOptions& o) { return std::make_unique<Unavailable>(o.unavailable_bound); }

}  // namespace mqlab
