// Isolation: what a transaction wrote and somebody saw who must not, and where its sends stand.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

bool at_read_committed(const Step& s) { return (s.op.flags & op_flag::read_committed) != 0; }

// ---- precommitted-read

class OwnRead : public CheckerOf<OwnRead> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.transaction == no_index || s.message == no_index || !at_read_committed(s)) return;
    const TransactionFact& t = ledger.transactions()[s.transaction];
    if (t.last_send == no_index) return;
    ++looked_at_;
    if (s.source == no_index || ledger.sends()[s.source].transaction != s.transaction) return;
    if (t.asked != no_op || t.closed != no_op) return;
    found_.add(s.journal, s.index, s.op.message, s.op.place, {ledger.sends()[s.source].invoke, s.index}, [&] {
      return words::transaction(s.journal, t) + " got its own " + s.journal.message_name(s.op.message) + " from " +
             words::at(s.journal, s.op) + " at read-committed before it asked to commit";
    });
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "deliveries at read-committed inside a transaction that had sent something"));
  }

 private:
  FindingList found_{"precommitted-read"};
  std::uint64_t looked_at_ = 0;
};

// ---- zombie-write-accepted

// A send is a zombie's when its transaction was overtaken (ledger.h), or when it ended with the error by which brokers
// fence producers.
class Zombie : public CheckerOf<Zombie> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    for (std::uint32_t n = s.overtakes; n != no_index; n = ledger.transactions()[n].next_overtaken) overtaken(s, ledger, n);
    if (s.message == no_index) return;
    if (s.op.kind == OpKind::deliver) {
      delivered(s, ledger);
    } else if (s.op.kind == OpKind::send && s.op.outcome == Outcome::fail && s.send != no_index) {
      const std::string& error = s.journal.names.text(s.op.error);
      if (error != "PRODUCER_FENCED" && error != "INVALID_PRODUCER_EPOCH") return;
      fenced_[s.send] = true;
      ++looked_at_;
      const OpIndex delivery = ledger.messages()[s.message].first_delivery;
      if (delivery != no_op) refused(s, ledger, s.send, delivery);
    }
  }
  void finish(const Journal&, const Ledger& ledger, std::vector<Report>& out) const override {
    std::uint64_t looked_at = looked_at_;
    for (const TransactionFact& t : ledger.transactions()) {
      if (t.superseded == no_op) continue;
      for (std::uint32_t n = t.last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) ++looked_at;
    }
    out.push_back(found_.report(looked_at, "sends of fenced or superseded producers"));
  }

 private:
  void delivered(const Step& s, const Ledger& ledger) {
    if (s.source == no_index) return;
    const SendFact& f = ledger.sends()[s.source];
    if (fenced_.size() > 0 && fenced_.find(s.source)) refused(s, ledger, s.source, s.index);
    if (f.transaction == no_index || !at_read_committed(s)) return;
    const TransactionFact& t = ledger.transactions()[f.transaction];
    if (t.overtaken != no_op) seen(s, ledger, s.source, s.index);
  }

  void overtaken(const Step& s, const Ledger& ledger, std::uint32_t transaction) {
    for (std::uint32_t n = ledger.transactions()[transaction].last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {
      if (ledger.sends()[n].seen != no_op) seen(s, ledger, n, ledger.sends()[n].seen);
    }
  }

  void seen(const Step& s, const Ledger& ledger, std::uint32_t send, OpIndex delivery) {
    if (!first_of(send)) return;
    const SendFact& f = ledger.sends()[send];
    const TransactionFact& t = ledger.transactions()[f.transaction];
    const TransactionFact& by = ledger.transactions()[t.overtaken_by];
    const Op& d = s.journal.ops[delivery];
    found_.add(s.journal, s.index, d.message, d.place, {f.invoke, by.begun, t.overtaken, delivery}, [&] {
      const Journal& j = s.journal;
      return j.process_name(d.process) + " got " + j.message_name(d.message) + " from " + words::at(j, d) + " of " +
             words::transaction(j, t) + ", though " + words::transaction(j, by) + " had taken over the transactional id " +
             j.names.text(t.id) + " before " + j.process_name(t.process) + " asked to commit";
    });
  }

  // Told to be fenced: nothing of it may be seen, at any isolation. Other sends of the message may explain the sight.
  void refused(const Step& s, const Ledger& ledger, std::uint32_t send, OpIndex delivery) {
    const SendFact& f = ledger.sends()[send];
    if (f.invoke > delivery) return;
    for (std::uint32_t n = ledger.messages()[f.message].last_send; n != no_index; n = ledger.sends()[n].previous) {
      if (ledger.sends()[n].invoke < delivery && !ledger.dead(ledger.sends()[n])) return;
    }
    if (!first_of(send)) return;
    const Op& d = s.journal.ops[delivery];
    found_.add(s.journal, s.index, d.message, d.place, {f.end, delivery}, [&] {
      const Journal& j = s.journal;
      return j.process_name(d.process) + " got " + j.message_name(d.message) + " from " + words::at(j, d) + ", though " +
             j.process_name(f.producer) + " had been fenced when it sent it (" + j.names.text(j.ops[f.end].error) + ")";
    });
  }

  bool first_of(std::uint32_t send) {
    bool& told = told_[send];
    const bool first = !told;
    told = true;
    return first;
  }

  FindingList found_{"zombie-write-accepted"};
  FlatMap<bool> fenced_;  // sends
  FlatMap<bool> told_;
  std::uint64_t looked_at_ = 0;
};

// ---- int-send-skip

class SendSkip : public CheckerOf<SendSkip> {
 public:
  void on(const Step&, const Ledger&) override {}
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    std::uint64_t pairs = 0;
    std::vector<Skip> skips;
    std::vector<Later> later;  // of one transaction
    for (const TransactionFact& t : ledger.transactions()) {
      later.clear();
      for (std::uint32_t n = t.last_send; n != no_index; n = ledger.sends()[n].next_in_transaction) {  // newest first
        const SendFact& a = ledger.sends()[n];
        const bool placed = a.outcome == Outcome::ok && a.place != no_index && a.position >= 0;
        // One that is open may yet come to stand between: then the two are no successive ones.
        for (auto it = later.begin(); it != later.end();) {
          const bool elsewhere = a.target == no_index || !ledger.covers(a.target, it->place) || (placed && a.place == it->place);
          if (!elsewhere && a.outcome == Outcome::invoke) {
            it = later.erase(it);
            continue;
          }
          if (!elsewhere) it->settled = std::max(it->settled, a.end);
          ++it;
        }
        if (!placed) continue;
        const auto there = std::find_if(later.begin(), later.end(), [&](const Later& l) { return l.place == a.place; });
        if (there == later.end()) {
          later.push_back({a.place, n, 0});
          continue;
        }
        ++pairs;
        const SendFact& b = ledger.sends()[there->send];
        if (const Between other = between(ledger, a, b); other.since != no_op)
          skips.push_back({std::max({a.end, b.end, there->settled, other.since}), n, there->send, other});
        *there = {a.place, n, 0};
      }
    }
    std::sort(skips.begin(), skips.end(), [](const Skip& x, const Skip& y) { return x.certain != y.certain ? x.certain < y.certain : x.first < y.first; });
    FindingList found("int-send-skip");
    for (const Skip& k : skips) {
      const SendFact& a = ledger.sends()[k.first];
      const SendFact& b = ledger.sends()[k.second];
      const std::uint32_t place = ledger.places()[a.place].name;
      found.add(journal, k.certain, ledger.messages()[b.message].id, place, {a.end, b.end, k.other.since}, [&] {
        return words::transaction(journal, ledger.transactions()[a.transaction]) + " sent " + words::message(journal, ledger, a.message) +
               " and next " + words::message(journal, ledger, b.message) + ", which stand at " + words::at(journal, place, a.position) +
               " and @" + std::to_string(b.position) + ", and " + words::message(journal, ledger, k.other.message) + " stands between";
      });
    }
    out.push_back(found.report(pairs, "pairs of successive acknowledged sends to one place in one transaction"));
  }

 private:
  struct Between {
    OpIndex since = no_op;
    std::uint32_t message = no_index;
  };
  // The next acknowledged send to a place, and the row by which all between had ended.
  struct Later {
    std::uint32_t place;
    std::uint32_t send;
    OpIndex settled;
  };
  struct Skip {
    OpIndex certain;
    std::uint32_t first;
    std::uint32_t second;
    Between other;
  };
  static constexpr std::int64_t looked_through = 4096;  // positions of a wide gap

  // The message that was first known to stand between the two.
  static Between between(const Ledger& ledger, const SendFact& a, const SendFact& b) {
    Between best;
    const PlaceFact& place = ledger.places()[a.place];
    for (std::int64_t p = a.position + 1; p < b.position && p - a.position <= looked_through; ++p) {
      const PositionFact* there = place.positions.find(static_cast<std::uint64_t>(p));
      if (!there || there->message == no_index || there->message == a.message || there->message == b.message) continue;
      if (best.since == no_op || there->since < best.since) best = {there->since, there->message};
    }
    return best;
  }
};

}  // namespace

std::unique_ptr<Checker> make_own_read(const CheckOptions&) { return std::make_unique<OwnRead>(); }
std::unique_ptr<Checker> make_zombie(const CheckOptions&) { return std::make_unique<Zombie>(); }
std::unique_ptr<Checker> make_send_skip(const CheckOptions&) { return std::make_unique<SendSkip>(); }

}  // namespace mqlab
