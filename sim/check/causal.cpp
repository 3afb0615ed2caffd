// Causal order: a message must not come before one that happened before it (Lamport 1978; the
// receiver's rule is that of Birman, Schiper and Stephenson 1991, turned into a test).
//
// A process knows, of each sender, how many of its sends happened before now. A send carries that
// knowledge. What only sends, or only reads, costs nothing beyond a number: the whole vector is
// written down when a process sends after it has read, and merged once by each that reads it.
#include <algorithm>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

class Causal : public CheckerOf<Causal> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::send) {
      if (s.send != no_index && ledger.sends()[s.send].invoke == s.index) sent(s);
    } else if (s.op.kind == OpKind::seek) {
      if (s.op.outcome == Outcome::ok || s.op.outcome == Outcome::info) ++process_of(s).seeks;
    } else if (s.message != no_index && s.first_here && !(s.op.flags & op_flag::dead_letter)) {
      delivered(s, ledger);
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    Report r = found_.report(looked_at_, "first deliveries");
    if (r.verdict == Verdict::holds && over_budget_) {
      r.verdict = Verdict::unknown;
      r.reason = "the budget of " + std::to_string(cells_max) + " clock entries is spent";
    }
    out.push_back(std::move(r));
  }

 private:
  static constexpr std::size_t cells_max = std::size_t{1} << 24;

  // Of one sender: the number of its sends that happened before, and the delivery that told so.
  struct Entry {
    std::uint64_t sends = 0;
    OpIndex row = no_op;
  };
  struct Process {
    std::uint64_t sends = 0;
    std::vector<std::uint64_t> known{};     // by dense process: sends in its past
    std::vector<std::uint32_t> merged{};    // by dense process: the newest snapshot of that sender it has merged
    std::uint32_t snapshot = 0;             // of `known`, as of its last send; 0 = it knows nothing of others
    bool fresh = false;                     // it has read since that snapshot
    std::uint32_t seeks = 0;
    std::uint32_t last_subscription = no_index;  // it got something for, and its view there
    std::uint32_t last_view = 0;
  };
  // Of `known`, as it was at some send: cells_ from `begin` on.
  struct Snapshot {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  // What one process got for one subscription.
  struct View {
    std::vector<Entry> delivered{};       // by dense process: sends in the past of what it got, since its last seek
    std::vector<std::uint32_t> merged{};  // as above
    std::uint32_t seeks = 0;
  };
  // What a send carries.
  struct Stamp {
    std::uint32_t process = 0;
    std::uint64_t number = 0;  // from 1
    std::uint32_t snapshot = 0;
  };

  // Only who sends or gets something is in a clock.
  Process& process_of(const Step& s) {
    std::uint32_t& n = at(dense_, s.process);
    if (n == 0) {
      processes_.emplace_back();
      n = static_cast<std::uint32_t>(processes_.size());
    }
    return processes_[n - 1];
  }

  void sent(const Step& s) {
    Process& p = process_of(s);
    ++p.sends;
    if (p.fresh && cells_.size() + p.known.size() <= cells_max) {
      snapshots_.push_back({cells_.size(), p.known.size()});
      cells_.insert(cells_.end(), p.known.begin(), p.known.end());
      p.snapshot = static_cast<std::uint32_t>(snapshots_.size());
      p.fresh = false;
    } else if (p.fresh) {
      over_budget_ = true;
    }
    at(stamps_, s.send) = {dense_[s.process] - 1, p.sends, p.snapshot};
  }

  void delivered(const Step& s, const Ledger& ledger) {
    std::uint32_t first = no_index;  // the earliest send that may have had an effect
    OpIndex told = no_op;            // a delivery whose message has every send of this one in its past
    bool all_before = true;
    Process& p = process_of(s);
    View& v = view_of(p, s);
    if (v.seeks != p.seeks) v = View{{}, {}, p.seeks};
    for (std::uint32_t n = ledger.messages()[s.message].last_send; n != no_index; n = ledger.sends()[n].previous) {
      if (ledger.sends()[n].outcome == Outcome::fail) continue;
      first = n;
      const Stamp& stamp = stamps_[n];
      const Entry* e = stamp.process < v.delivered.size() ? &v.delivered[stamp.process] : nullptr;
      if (!e || e->sends < stamp.number) {
        all_before = false;
      } else if (told == no_op) {
        told = e->row;
      }
    }
    if (first == no_index) return;
    ++looked_at_;
    if (all_before) add(s, ledger, first, told);
    learn(p, stamps_[first]);
    see(v, stamps_[first], s.index);
  }

  View& view_of(Process& p, const Step& s) {
    if (p.last_subscription != s.subscription) {
      std::uint32_t& number = view_index_[pair_key(s.process, s.subscription)];
      if (number == 0) {
        views_.emplace_back();
        number = static_cast<std::uint32_t>(views_.size());
      }
      p.last_subscription = s.subscription;
      p.last_view = number - 1;
    }
    return views_[p.last_view];
  }

  void learn(Process& p, const Stamp& stamp) {
    if (p.known.size() <= stamp.process) p.known.resize(stamp.process + 1);
    p.known[stamp.process] = std::max(p.known[stamp.process], stamp.number);
    p.fresh = true;
    const Snapshot past = unmerged(p.merged, stamp);
    if (p.known.size() < past.size) p.known.resize(past.size);
    for (std::size_t n = 0; n < past.size; ++n) p.known[n] = std::max(p.known[n], cells_[past.begin + n]);
  }

  void see(View& v, const Stamp& stamp, OpIndex row) {
    if (v.delivered.size() <= stamp.process) v.delivered.resize(stamp.process + 1);
    if (stamp.number > v.delivered[stamp.process].sends) v.delivered[stamp.process] = {stamp.number, row};
    const Snapshot past = unmerged(v.merged, stamp);
    if (v.delivered.size() < past.size) v.delivered.resize(past.size);
    for (std::size_t n = 0; n < past.size; ++n) {
      if (cells_[past.begin + n] > v.delivered[n].sends) v.delivered[n] = {cells_[past.begin + n], row};
    }
  }

  // A sender's later snapshot holds all of its earlier ones, so each is merged once at most: empty when it was.
  Snapshot unmerged(std::vector<std::uint32_t>& merged, const Stamp& stamp) const {
    if (stamp.snapshot == 0) return {};
    std::uint32_t& newest = at(merged, stamp.process);
    if (stamp.snapshot <= newest) return {};
    newest = stamp.snapshot;
    return snapshots_[stamp.snapshot - 1];
  }

  void add(const Step& s, const Ledger& ledger, std::uint32_t send, OpIndex told) {
    const Journal& j = s.journal;
    const SendFact& f = ledger.sends()[send];
    const std::uint32_t later = ledger.find_message(j.ops[told].message);
    const OpIndex later_send = later == no_index ? no_op : span_of(ledger, later).first;
    found_.add(j, s.index, s.op.message, s.op.place, {f.invoke, later_send, told, s.index}, [&] {
      return j.process_name(s.op.process) + " got " + j.message_name(j.ops[told].message) + " from " + words::at(j, j.ops[told]) +
             " before " + j.message_name(s.op.message) + " from " + words::at(j, s.op) + ", though " + j.process_name(f.producer) +
             " had sent the latter before the former was sent";
    });
  }

  FindingList found_{"causal-violation"};
  std::vector<std::uint32_t> dense_;  // by process, + 1
  std::vector<Process> processes_;
  std::vector<View> views_;
  FlatMap<std::uint32_t> view_index_;  // (process, subscription), + 1
  std::vector<Snapshot> snapshots_;
  std::vector<std::uint64_t> cells_;
  std::vector<Stamp> stamps_;  // by dense send
  std::uint64_t looked_at_ = 0;
  bool over_budget_ = false;
};

}  // namespace

std::unique_ptr<Checker> make_causal(const CheckOptions&) { return std::make_unique<Causal>(); }

}  // namespace mqlab
