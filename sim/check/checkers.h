// sim/check/checkers.h: what the checkers' own files share. Outside sim/check use checker.h.
#pragma once

#include "sim/check/checker.h"
#include "sim/check/words.h"

namespace mqlab {

// Gives a checker its clone.
template <class Self>
class CheckerOf : public Checker {
 public:
  std::unique_ptr<Checker> clone() const override { return std::make_unique<Self>(static_cast<const Self&>(*this)); }
};

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

std::unique_ptr<Checker> make_loss(const CheckOptions&);
std::unique_ptr<Checker> make_silent_drop(const CheckOptions&);
std::unique_ptr<Checker> make_lost_write(const CheckOptions&);
std::unique_ptr<Checker> make_unseen(const CheckOptions&);
std::unique_ptr<Checker> make_duplicate_delivery(const CheckOptions&);
std::unique_ptr<Checker> make_phantom(const CheckOptions&);
std::unique_ptr<Checker> make_aborted_read(const CheckOptions&);
std::unique_ptr<Checker> make_resurrected(const CheckOptions&);
std::unique_ptr<Checker> make_misdelivered(const CheckOptions&);
std::unique_ptr<Checker> make_unroutable(const CheckOptions&);
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

}  // namespace mqlab
