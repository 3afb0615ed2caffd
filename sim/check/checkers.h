// sim/check/checkers.h: what the checkers' own files share. Outside sim/check use checker.h.
#pragma once

#include <algorithm>

#include "sim/check/checker.h"
#include "sim/check/words.h"

namespace mqlab {

// Gives a checker its clone.
template <class Self>
class CheckerOf : public Checker {
 public:
  std::unique_ptr<Checker> clone() const override { return std::make_unique<Self>(static_cast<const Self&>(*this)); }
};

// The element of a dense number; those before it are made as well.
template <class T>
T& at(std::vector<T>& of, std::uint32_t number, const T& fresh = T{}) {
  if (of.size() <= number) of.resize(std::max<std::size_t>(number + 1, of.size() + of.size() / 2), fresh);
  return of[number];
}

// When the sends of one message were made that may have had an effect.
struct SendSpan {
  OpIndex first = no_op;       // invoke of the earliest
  OpIndex last = no_op;        // invoke of the latest
  NodeId producer = nobody;
  OpIndex acknowledged = no_op;  // all of them were, by this row
  std::uint32_t key = 0;
  bool one_producer = true;
};

inline SendSpan span_of(const Ledger& l, std::uint32_t message) {
  SendSpan s;
  bool open = false;
  for (std::uint32_t n = l.messages()[message].last_send; n != no_index; n = l.sends()[n].previous) {
    const SendFact& f = l.sends()[n];
    if (f.outcome == Outcome::fail) continue;
    s.first = f.invoke;
    if (s.last == no_op) {
      s.last = f.invoke;
      s.producer = f.producer;
      s.key = f.key;
    }
    s.one_producer = s.one_producer && f.producer == s.producer;
    if (f.outcome != Outcome::ok) open = true;
    if (s.acknowledged == no_op || f.end > s.acknowledged) s.acknowledged = f.end;
  }
  if (open) s.acknowledged = no_op;
  return s;
}

// Gone, or put elsewhere, by a policy that says so.
inline bool excused(const MessageFact& m) { return m.policy != no_op || m.dead_letter != no_op; }

// The claim reaches to the position of this send: it started before it, and did not jump it by its own will.
inline bool owes(const ClaimFact& claim, const SendFact& s) {
  if (s.place != claim.place || s.position < 0) return true;
  if (s.position < claim.from) return false;
  return std::none_of(claim.jumped.begin(), claim.jumped.end(),
                      [&s](const auto& j) { return s.position >= j.first && s.position < j.second; });
}

// A drain that names a subscription or a place speaks of that one only; 0 in the row means all.
inline bool drains_subscription(const Op& drained, const SubscriptionFact& s) {
  return drained.subscription == 0 || drained.subscription == s.name;
}
inline bool drains_place(const Op& drained, const Ledger& l, std::uint32_t place) {
  return drained.place == 0 || (place != no_index && drained.place == l.places()[place].name);
}
// The row says that all is done, as far as it speaks.
inline bool is_drain(const Op& op) {
  return op.kind == OpKind::drained && op.outcome != Outcome::fail && op.outcome != Outcome::invoke;
}

std::unique_ptr<Checker> make_loss(const CheckOptions&);
std::unique_ptr<Checker> make_silent_drop(const CheckOptions&);
std::unique_ptr<Checker> make_lost_write(const CheckOptions&);
std::unique_ptr<Checker> make_unseen(const CheckOptions&);
std::unique_ptr<Checker> make_duplicate_delivery(const CheckOptions&);
std::unique_ptr<Checker> make_phantom(const CheckOptions&);
std::unique_ptr<Checker> make_aborted_read(const CheckOptions&);
std::unique_ptr<Checker> make_dirty_read(const CheckOptions&);
std::unique_ptr<Checker> make_resurrected(const CheckOptions&);
std::unique_ptr<Checker> make_misdelivered(const CheckOptions&);
std::unique_ptr<Checker> make_unroutable(const CheckOptions&);
std::unique_ptr<Checker> make_dlq_misroute(const CheckOptions&);
std::unique_ptr<Checker> make_dlq_loss(const CheckOptions&);
std::unique_ptr<Checker> make_dedup(const CheckOptions&);
std::unique_ptr<Checker> make_send_order(const CheckOptions&);
std::unique_ptr<Checker> make_poll_order(const CheckOptions&);
std::unique_ptr<Checker> make_fifo(const CheckOptions&);
std::unique_ptr<Checker> make_key_order(const CheckOptions&);
std::unique_ptr<Checker> make_redelivery(const CheckOptions&);
std::unique_ptr<Checker> make_causal(const CheckOptions&);
std::unique_ptr<Checker> make_total_order(const CheckOptions&);
std::unique_ptr<Checker> make_duplicate(const CheckOptions&);
std::unique_ptr<Checker> make_positions(const CheckOptions&);
std::unique_ptr<Checker> make_reads(const CheckOptions&);
std::unique_ptr<Checker> make_commits(const CheckOptions&);
std::unique_ptr<Checker> make_commit_ahead(const CheckOptions&);
std::unique_ptr<Checker> make_double_processing(const CheckOptions&);
std::unique_ptr<Checker> make_double_ownership(const CheckOptions&);
std::unique_ptr<Checker> make_group_starvation(const CheckOptions&);
std::unique_ptr<Checker> make_effects(const CheckOptions&);
std::unique_ptr<Checker> make_stale_effect(const CheckOptions&);
std::unique_ptr<Checker> make_stall(const CheckOptions&);
std::unique_ptr<Checker> make_load(const CheckOptions&);
std::unique_ptr<Checker> make_unavailable(const CheckOptions&);
std::unique_ptr<Checker> make_own_read(const CheckOptions&);
std::unique_ptr<Checker> make_zombie(const CheckOptions&);
std::unique_ptr<Checker> make_send_skip(const CheckOptions&);
std::unique_ptr<Checker> make_torn(const CheckOptions&);
std::unique_ptr<Checker> make_atomicity(const CheckOptions&);
std::unique_ptr<Checker> make_hung(const CheckOptions&);
std::unique_ptr<Checker> make_cycles(const CheckOptions&);

}  // namespace mqlab
