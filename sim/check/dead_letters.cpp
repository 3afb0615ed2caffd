// Dead letters: what a policy was to put aside, and did not, or should not have.
//
// A row `ack ok` with the flags by_policy and dead_letter says that a message left its place for a dead-letter place, and
// why, in `error`; a send that ended ok with the flag dead_letter says that an application put it there itself.
#include <utility>

#include "sim/check/checkers.h"

namespace mqlab {
namespace {

bool is(const Op& op, OpKind kind) { return op.kind == kind && op.outcome == Outcome::ok; }
bool leaves_for_dead_letters(const Op& op) {
  if (is(op, OpKind::send)) return (op.flags & op_flag::dead_letter) != 0;
  return is(op, OpKind::ack) && (op.flags & op_flag::by_policy) && (op.flags & op_flag::dead_letter);
}

// ---- dlq-loss

// Copies of one message are not told apart: what arrives last clears all that left before.
class DlqLoss : public CheckerOf<DlqLoss> {
 public:
  void on(const Step& s, const Ledger&) override {
    if (s.message == no_index) return;
    if (leaves_for_dead_letters(s.op)) {
      ++looked_at_;
      at(left_, s.message, no_op) = s.index;
    } else if (s.message < left_.size()) {
      const bool arrived = is(s.op, OpKind::deliver) && (s.op.flags & op_flag::dead_letter);
      const bool taken = is(s.op, OpKind::ack) && (s.op.flags & op_flag::by_policy);  // by a policy of the dead-letter place
      if (arrived || taken) left_[s.message] = no_op;
    }
  }
  void finish(const Journal& journal, const Ledger& ledger, std::vector<Report>& out) const override {
    FindingList lost("dlq-loss");
    std::uint64_t pending = 0;
    for (std::uint32_t n = 0; n < left_.size(); ++n) {
      if (left_[n] == no_op) continue;
      const std::size_t drain = ledger.drain_after(left_[n], no_index, no_index);
      if (drain == no_index) {
        ++pending;
        continue;
      }
      const Op& op = journal.ops[left_[n]];
      const OpIndex certain = ledger.drained()[drain].at;
      lost.add(journal, certain, ledger.messages()[n].id, op.place, {left_[n], certain}, [&] {
        const std::string& why = journal.names.text(op.error);
        return words::message(journal, ledger, n) + " left " + words::place(journal, op.place) + " for the dead letters" +
               (why.empty() ? std::string() : " (" + why + ")") + ", and nobody found it there";
      });
    }
    Report r = lost.report(looked_at_, "messages that left for dead letters");
    r.pending = pending;
    if (r.verdict == Verdict::holds && pending > 0) {
      r.verdict = Verdict::unknown;
      r.reason = words::count(pending, " dead letter is", " dead letters are") + " on the way, and no drain says that nothing more arrives";
    }
    out.push_back(std::move(r));
  }

 private:
  std::vector<OpIndex> left_;  // by message: the row by which it left last, when nothing has shown it since
  std::uint64_t looked_at_ = 0;
};

// ---- dlq-misroute

class DlqMisroute : public CheckerOf<DlqMisroute> {
 public:
  void on(const Step& s, const Ledger& ledger) override {
    if (s.message == no_index || s.subscription == no_index) return;
    if (s.op.kind == OpKind::process) {
      if (s.op.outcome == Outcome::fail) blamed_[pair_key(s.subscription, s.message)] = true;
      return;
    }
    if (!is(s.op, OpKind::ack) || !(s.op.flags & op_flag::by_policy)) return;
    if (!(s.op.flags & op_flag::dead_letter)) {
      blamed_[pair_key(s.subscription, s.message)] = true;  // the application refused it
      return;
    }
    const std::string& why = s.journal.names.text(s.op.error);
    if (why != "delivery_limit" && why != "rejected") return;  // age and length blame nobody
    ++looked_at_;
    const bool* blamed = blamed_.find(pair_key(s.subscription, s.message));
    if (blamed && *blamed) return;
    found_.add(s.journal, s.index, s.op.message, s.op.place, {last_delivery(s, ledger), s.index}, [&] {
      return words::message(s.journal, ledger, s.message) + " was put aside from " + words::place(s.journal, s.op.place) + " (" + why +
             "), though " + words::subscription(s.journal, ledger.subscriptions()[s.subscription]) + " had neither failed on it nor refused it";
    });
  }
  void finish(const Journal&, const Ledger&, std::vector<Report>& out) const override {
    out.push_back(found_.report(looked_at_, "messages put aside as failed"));
  }

 private:
  static OpIndex last_delivery(const Step& s, const Ledger& ledger) {
    const Received* got = ledger.subscriptions()[s.subscription].received.find(s.message);
    return got ? got->last : no_op;
  }

  FindingList found_{"dlq-misroute"};
  FlatMap<bool> blamed_;  // (subscription, message)
  std::uint64_t looked_at_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_dlq_loss(const CheckOptions&) { return std::make_unique<DlqLoss>(); }
std::unique_ptr<Checker> make_dlq_misroute(const CheckOptions&) { return std::make_unique<DlqMisroute>(); }

}  // namespace mqlab
