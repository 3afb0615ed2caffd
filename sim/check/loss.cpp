// Loss: what was acknowledged and never arrived. All of it is decided after a drain; before it a
// message is late. Computed from the ledger at the time of the report, since every later delivery
// may still clear a message.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// Decided entirely from the ledger.
template <class Self>
class AtReport : public CheckerOf<Self> {
 public:
  void on(const Step&, const Ledger&) override {}
};

// ---- lost-message

class Loss : public AtReport<Loss> {
 public:
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    const Claims claims(ledger);
    FindingList lost("lost-message");
    std::uint64_t late = 0;
    std::uint64_t unclaimed = 0;
    std::uint32_t first_unclaimed = no_index;
    for (std::uint32_t n = 0; n < ledger.messages().size(); ++n) {
      const MessageFact& m = ledger.messages()[n];
      if (m.acknowledged == no_index || excused(m)) continue;
      const SendFact& s = ledger.sends()[m.acknowledged];
      const std::vector<std::uint32_t>& entitled = claims.of(s.place != no_index ? s.place : s.target);
      if (entitled.empty() && m.first_delivery == no_op) {
        ++unclaimed;
        if (first_unclaimed == no_index) first_unclaimed = n;
      }
      std::uint32_t judged = no_index;  // claims of one subscription lie side by side
      for (const std::uint32_t c : entitled) {
        const ClaimFact& claim = ledger.claims()[c];
        if (claim.subscription == judged || !owes(claim, s)) continue;
        judged = claim.subscription;
        const Received* got = ledger.subscriptions()[claim.subscription].received.find(n);
        if (got && got->count > 0) continue;
        const std::size_t drain =
            ledger.drain_after(std::max(ledger.certain_since(s), claim.entitled), claim.subscription, claim.place);
        if (drain == no_index) {
          ++late;
        } else {
          add(journal, ledger, lost, m, s, claim, drain);
        }
      }
    }
    Report r = lost.report(ledger.acknowledged(), "acknowledged sends");
    r.pending = late;
    if (r.verdict == Verdict::holds && late + unclaimed > 0) {
      r.verdict = Verdict::unknown;
      if (late > 0) {
        r.reason = words::count(late, " delivery is late, and", " deliveries are late, and") + " no drain says that nothing more arrives";
      } else {
        r.reason = "nobody is entitled to " + words::count(unclaimed, " acknowledged message, ", " acknowledged messages, the first ") +
                   words::message(journal, ledger, first_unclaimed);
      }
    }
    out.push_back(std::move(r));
  }

 private:
  // The claims on each place that are in force, by subscription.
  class Claims {
   public:
    explicit Claims(const Ledger& l) : ledger_(l), of_place_(l.places().size()), of_topic_(l.places().size()) {
      for (std::uint32_t c = 0; c < l.claims().size(); ++c) {
        const ClaimFact& claim = l.claims()[c];
        if (claim.entitled == no_op) continue;
        of_place_[claim.place].push_back(c);
        of_topic_[l.places()[claim.place].topic].push_back(c);  // never more topics than places
      }
      for (auto& list : of_topic_) {
        std::stable_sort(list.begin(), list.end(), [&l](std::uint32_t a, std::uint32_t b) {
          return l.claims()[a].subscription < l.claims()[b].subscription;
        });
      }
    }
    // A message whose place is known by topic only is owed to whoever reads any of the topic.
    const std::vector<std::uint32_t>& of(std::uint32_t place) const {
      static const std::vector<std::uint32_t> nobody_entitled;
      if (place == no_index) return nobody_entitled;
      if (!of_place_[place].empty() || !ledger_.places()[place].bare) return of_place_[place];
      return of_topic_[ledger_.places()[place].topic];
    }

   private:
    const Ledger& ledger_;
    std::vector<std::vector<std::uint32_t>> of_place_;
    std::vector<std::vector<std::uint32_t>> of_topic_;
  };

  static void add(const Journal& journal, const Ledger& ledger, FindingList& lost, const MessageFact& m, const SendFact& s,
                  const ClaimFact& claim, std::size_t drain) {
    const OpIndex certain = ledger.drained()[drain].at;
    lost.add(journal, certain, m.id, ledger.places()[claim.place].name,
             {ledger.certain_since(s), claim.entitled, certain}, [&] {
               const bool anybody = m.first_delivery != no_op;
               std::string text = words::stored(journal, ledger, s) + ", yet ";
               text += anybody ? words::subscription(journal, ledger.subscriptions()[claim.subscription]) + " never got it"
                               : "no reader ever got it";
               const ReadMark read = ledger.read_at_drain(claim.place, drain);
               if (anybody) {
                 text += ", though " + journal.process_name(journal.ops[m.first_delivery].process) + " did";
               } else if (s.place == claim.place && s.position >= 0 && read.furthest > s.position) {
                 text += ", though " + journal.process_name(journal.ops[read.at].process) + " read on to " +
                         std::to_string(read.furthest);
               }
               return text;
             });
  }
};

// ---- silent-drop

class SilentDrop : public AtReport<SilentDrop> {
 public:
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    FindingList dropped("silent-drop");
    std::uint64_t pending = 0;
    for (const MessageFact& m : ledger.messages()) {
      if (m.acknowledged == no_index || m.policy == no_op || m.dead_letter != no_op || m.first_delivery != no_op) continue;
      const SendFact& s = ledger.sends()[m.acknowledged];
      const std::uint32_t place = s.place != no_index ? s.place : s.target;
      const std::size_t drain = ledger.drain_after(std::max(ledger.certain_since(s), m.policy), no_index, place);
      if (drain == no_index) {
        ++pending;
        continue;
      }
      const OpIndex certain = ledger.drained()[drain].at;
      dropped.add(journal, certain, m.id, place == no_index ? 0 : ledger.places()[place].name,
                  {ledger.certain_since(s), m.policy, certain}, [&] {
                    const std::string& policy = journal.names.text(journal.ops[m.policy].error);
                    return words::stored(journal, ledger, s) + ", then a policy dropped it" +
                           (policy.empty() ? std::string() : " (" + policy + ")") + ", and nobody got it";
                  });
    }
    Report r = dropped.report(ledger.acknowledged(), "acknowledged sends");
    r.pending = pending;
    if (r.verdict == Verdict::holds && pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(pending, " message was", " messages were") + " dropped by a policy, and no drain says that nothing more arrives";
    }
    out.push_back(std::move(r));
  }
};

// ---- lost-write

class LostWrite : public AtReport<LostWrite> {
 public:
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    FindingList lost("lost-write");
    std::uint64_t pending = 0;
    std::uint64_t looked_at = 0;
    for (const MessageFact& m : ledger.messages()) {
      if (m.acknowledged == no_index || excused(m)) continue;
      const SendFact& s = ledger.sends()[m.acknowledged];
      if (s.place == no_index || s.position < 0) continue;
      const PlaceFact& place = ledger.places()[s.place];
      if (s.position > place.furthest_read) continue;
      ++looked_at;
      if (m.first_delivery != no_op) continue;
      // The drains are few; reading only ever gets further, so the first that fits is the earliest.
      std::size_t drain = ledger.drain_after(ledger.certain_since(s), no_index, s.place);
      while (drain != no_index && ledger.read_at_drain(s.place, drain).furthest < s.position) {
        drain = ledger.drain_after(ledger.drained()[drain].at, no_index, s.place);
      }
      if (drain == no_index) {
        ++pending;
        continue;
      }
      const ReadMark read = ledger.read_at_drain(s.place, drain);
      const OpIndex certain = ledger.drained()[drain].at;
      lost.add(journal, certain, m.id, place.name, {ledger.certain_since(s), read.at, certain}, [&] {
        return words::stored(journal, ledger, s) + ", but " + journal.process_name(journal.ops[read.at].process) + " read on to " +
               std::to_string(read.furthest) + " and nobody read it";
      });
    }
    Report r = lost.report(looked_at, "acknowledged sends at or below a position read");
    r.pending = pending;
    if (r.verdict == Verdict::holds && pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(pending, " send was", " sends were") + " passed over, and no drain says that nobody will read them";
    }
    out.push_back(std::move(r));
  }
};

}  // namespace

std::unique_ptr<Checker> make_loss(const CheckOptions&) { return std::make_unique<Loss>(); }
std::unique_ptr<Checker> make_silent_drop(const CheckOptions&) { return std::make_unique<SilentDrop>(); }
std::unique_ptr<Checker> make_lost_write(const CheckOptions&) { return std::make_unique<LostWrite>(); }

}  // namespace mqlab
