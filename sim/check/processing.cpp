// Processing: what the application finished against what was confirmed, and one message under work
// in two hands. Both need `process` rows; a subscription that reports none is not judged.
#include <algorithm>
#include <set>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

// ---- commit-ahead-of-processing

// Judged at a drain, and then for good: what is processed, or handed on, before it is in order however
// early the position was committed.
class CommitAhead : public CheckerOf<CommitAhead> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.op.kind == OpKind::deliver) {
      if (s.message == no_index || s.subscription == no_index) return;
      if (s.first_here) {
        if (open_.size() <= s.subscription) open_.resize(s.subscription + 1);
        open_[s.subscription].push_back(s.message);
      }
      if (s.reader == no_index || s.reader_before.deliveries == 0) member_[pair_key(s.op.process, s.subscription)] = true;
    } else if (s.op.kind == OpKind::commit) {
      committed(s);
    } else if (is_drain(s.op)) {
      drained(s, ledger);
    }
  }

  void finish(const Journal&, const Ledger& ledger, std::vector<Report>& out) const override {
    std::uint64_t looked_at = looked_at_;
    std::uint64_t pending = 0;
    for (std::uint32_t n = 0; n < open_.size(); ++n) {
      if (ledger.subscriptions()[n].processings == 0) continue;
      for (const std::uint32_t m : open_[n]) {
        const Received& got = *ledger.subscriptions()[n].received.find(m);
        if (passed_by(n, got) == no_op) continue;
        ++looked_at;
        pending += got.processed != no_op || answered_for(ledger, n, m, got) ? 0 : 1;
      }
    }
    Report r = found_.report(looked_at, "messages passed by a commit or an acknowledgement, where processing is reported");
    r.pending = pending;
    if (r.verdict == Verdict::holds && pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(pending, " message was", " messages were") +
                 " passed and not processed so far, and no drain says that nobody will";
    }
    out.push_back(std::move(r));
  }

 private:
  struct Commit {
    std::int64_t position;
    OpIndex row;
  };

  void committed(const Step& s) {
    // Inside a transaction a position counts when that is committed; atomicity has its own names.
    if (s.op.outcome != Outcome::ok || s.transaction != no_index || s.place == no_index || s.position < 0) return;
    std::vector<Commit>& furthest = commits_[pair_key(s.subscription, s.place)];
    if (furthest.empty() || s.position > furthest.back().position) furthest.push_back({s.position, s.index});
  }

  // The row that passed what the subscription first got there; no_op = none.
  OpIndex passed_by(std::uint32_t subscription, const Received& got) const {
    OpIndex row = got.acked;
    if (got.first_place == no_index || got.first_position < 0) return row;
    const std::vector<Commit>* commits = commits_.find(pair_key(subscription, got.first_place));
    if (!commits) return row;
    const auto it = std::upper_bound(commits->begin(), commits->end(), got.first_position,
                                     [](std::int64_t p, const Commit& c) { return p < c.position; });
    return it == commits->end() ? row : std::min(row, it->row);
  }

  // A policy or a dead-letter place took it, or a member sent it on: then whoever reads there answers for it.
  bool answered_for(const Ledger& ledger, std::uint32_t subscription, std::uint32_t message, const Received& got) const {
    const MessageFact& m = ledger.messages()[message];
    if (excused(m)) return true;
    for (std::uint32_t n = m.last_send; n != no_index && ledger.sends()[n].invoke > got.first; n = ledger.sends()[n].previous) {
      const SendFact& f = ledger.sends()[n];
      if (ledger.certain(f) && member_.find(pair_key(f.producer, subscription))) return true;
    }
    return false;
  }

  void drained(const Step& s, const Ledger& ledger) {
    for (std::uint32_t n = 0; n < open_.size(); ++n) {
      const SubscriptionFact& sub = ledger.subscriptions()[n];
      if (sub.processings == 0 || !drains_subscription(s.op, sub)) continue;
      std::vector<std::uint32_t>& open = open_[n];
      const auto decided = [&](std::uint32_t m) {
        const Received& got = *sub.received.find(m);
        if (!drains_place(s.op, ledger, got.first_place)) return false;
        const OpIndex by = passed_by(n, got);
        if (by != no_op) {
          ++looked_at_;
          if (got.processed == no_op && !answered_for(ledger, n, m, got)) add(s, ledger, n, m, got, by);
        }
        return by != no_op || got.processed != no_op;
      };
      open.erase(std::remove_if(open.begin(), open.end(), decided), open.end());
    }
  }

  void add(const Step& s, const Ledger& ledger, std::uint32_t subscription, std::uint32_t message, const Received& got, OpIndex by) {
    const Journal& j = s.journal;
    const std::uint32_t place = got.first_place == no_index ? 0 : ledger.places()[got.first_place].name;
    found_.add(j, s.index, ledger.messages()[message].id, place, {got.first, by, s.index}, [&] {
      const std::string who = words::subscription(j, ledger.subscriptions()[subscription]);
      const std::string what = words::message(j, ledger, message) + " (" + words::at(j, place, got.first_position) + ")";
      const std::string did = j.ops[by].kind == OpKind::ack ? " acknowledged " : " committed a position past ";
      return j.process_name(j.ops[by].process) + did + what + ", which " + j.process_name(j.ops[got.first].process) +
             " got and nobody of " + who + " finished processing";
    });
  }

  FindingList found_{"commit-ahead-of-processing"};
  std::vector<std::vector<std::uint32_t>> open_;  // by subscription: messages it got, not decided yet
  FlatMap<std::vector<Commit>> commits_;          // (subscription, place) -> ever further positions
  FlatMap<bool> member_;                          // (process, subscription): it got something for it
  std::uint64_t looked_at_ = 0;
};

// ---- visibility-double-processing

// One delivery of a message was still under work when another process of the subscription got the
// message from the same place and position. Told when the first one ends its work.
class DoubleProcessing : public CheckerOf<DoubleProcessing> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.message == no_index || s.subscription == no_index) return;
    if (s.op.kind == OpKind::deliver) {
      if (s.first_here) return;  // the ledger keeps it; most messages come once
      std::vector<Work>& works = works_[pair_key(s.subscription, s.message)];
      if (works.empty()) {
        const Received& first = s.received_before;
        begin(works, {s.journal.ops[first.first].process, first.first_place, first.first_position, first.first});
      }
      begin(works, {s.op.process, s.place, s.position, s.index});
    } else if (s.op.outcome == Outcome::ok) {
      ++processed_;
      if (s.received_before.count > 1) ended(s, ledger);
    }
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    Report r = found_.report(processed_, "messages processed");
    if (r.verdict == Verdict::holds && works_.size() == 0) r.reason = "nothing was delivered twice";
    out.push_back(std::move(r));
  }

 private:
  struct Work {
    NodeId process = nobody;
    std::uint32_t place = no_index;
    std::int64_t position = -1;
    OpIndex delivery = no_op;  // the latest
    bool same_copy(const Work& o) const { return place == o.place && position == o.position; }
  };

  static void begin(std::vector<Work>& works, const Work& w) {
    for (Work& old : works) {
      if (old.process == w.process && old.same_copy(w)) {
        old.delivery = w.delivery;
        return;
      }
    }
    works.push_back(w);
  }

  void ended(const Step& s, const Ledger& ledger) {
    const std::vector<Work>* works = works_.find(pair_key(s.subscription, s.message));
    if (!works) return;
    Work mine;
    const Op* of = Ledger::invoke_of(s.op, s.index, s.journal);
    for (const Work& w : *works) {
      if (w.process == s.op.process && (mine.delivery == no_op || w.delivery > mine.delivery)) mine = w;
    }
    if (mine.delivery == no_op) return;
    // The row may name an earlier delivery of the same copy to the same process.
    if (of && of->kind == OpKind::deliver && of->process == s.op.process && of->message == ledger.messages()[s.message].id &&
        of->place == s.journal.ops[mine.delivery].place && of->position == s.journal.ops[mine.delivery].position) {
      mine.delivery = s.op.of;
    }
    for (const Work& other : *works) {
      if (other.process == mine.process || !other.same_copy(mine) || other.delivery < mine.delivery) continue;
      if (!told_.insert(mine.delivery).second) return;
      found_.add(s.journal, s.index, ledger.messages()[s.message].id, mine.place == no_index ? 0 : ledger.places()[mine.place].name,
                 {mine.delivery, other.delivery, s.index}, [&] {
        const Journal& j = s.journal;
        return j.process_name(mine.process) + " was still at work on " + words::message(j, ledger, s.message) + " from " +
               words::at(j, j.ops[mine.delivery]) + " when " + j.process_name(other.process) + " got it for " +
               words::subscription(j, ledger.subscriptions()[s.subscription]) + " too";
      });
      return;
    }
  }

  FindingList found_{"visibility-double-processing"};
  FlatMap<std::vector<Work>> works_;  // (subscription, message), of those delivered more than once
  std::set<OpIndex> told_;            // deliveries
  std::uint64_t processed_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_commit_ahead(const CheckOptions&) { return std::make_unique<CommitAhead>(); }
std::unique_ptr<Checker> make_double_processing(const CheckOptions&) { return std::make_unique<DoubleProcessing>(); }

}  // namespace mqlab
