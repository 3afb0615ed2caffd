// models/kafka/txn_check.h: what a leader remembers while it asks whether a transaction may begin in its partition.
//
// KIP-890: the first batch of a transaction in a partition is written only with the coordinator's knowledge, so that no
// transaction can be open here that nobody will end. One rule: the answer counts only if nothing has happened to the
// producer here since it was asked for, which the guard tells; a marker, or another first batch, takes the guard away.
//
// Always true of Verifications: ascending by producer, one each; a guard is never used twice.
// Elsewhere: asking (txn_partition.cpp); what an append makes of it (Admission in producer_state.h).
// Sources: VerificationGuard, VerificationStateEntry, AddPartitionsToTxnManager; KAFKA-14904 (the lowest sequence).
//
//     const std::uint64_t guard = r.verifications.begin(batch, true, next_guard_, c.wall());
//     ... the coordinator says yes ...
//     admission.verified = r.verifications.holds(batch.producer_id, guard);
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "models/kafka/txn_messages.h"
#include "models/kafka/waiting.h"

namespace mqlab::kafka {

// The last word was not heard yet of this producer's transaction.
struct Verification {
  ProducerId id = no_producer_id;
  std::uint64_t guard = 0;
  ProducerEpoch epoch = no_producer_epoch;
  Sequence lowest = no_sequence;  // seen in that epoch: no higher one may be written first
  bool of_tv2 = false;
  Time since{};
};

class Verifications {
 public:
  // The guard of this producer, old or new.
  std::uint64_t begin(ProducerId id, ProducerEpoch epoch, Sequence sequence, bool of_tv2, std::uint64_t& next_guard, Time now) {
    const auto at = place(id);
    if (at == all_.end() || at->id != id) return all_.insert(at, {id, next_guard++, epoch, sequence, of_tv2, now})->guard;
    if (epoch == at->epoch) at->lowest = std::min(at->lowest, sequence);
    if (epoch > at->epoch) {
      at->epoch = epoch;
      at->lowest = sequence;
    }
    return at->guard;
  }
  const Verification* find(ProducerId id) const {
    const auto at = std::find_if(all_.begin(), all_.end(), [&](const Verification& v) { return v.id == id; });
    return at == all_.end() ? nullptr : &*at;
  }
  // Whether `guard` is this producer's still. 0 is nobody's.
  bool holds(ProducerId id, std::uint64_t guard) const {
    const Verification* v = find(id);
    return v && guard != 0 && v->guard == guard;
  }
  void forget(ProducerId id) {
    std::erase_if(all_, [&](const Verification& v) { return v.id == id; });
  }
  void expire(Time now, Duration limit) {
    std::erase_if(all_, [&](const Verification& v) { return now - v.since >= limit; });
  }

 private:
  std::vector<Verification>::iterator place(ProducerId id) {
    return std::lower_bound(all_.begin(), all_.end(), id, [](const Verification& v, ProducerId p) { return v.id < p; });
  }
  std::vector<Verification> all_{};
};

// A partition of a request, and what the coordinator says of it.
struct TxnCheck {
  PartitionId partition{};
  Sequence sequence = no_sequence;
  std::uint64_t guard = 0;  // 0: the transaction is open here already, or nobody need be asked
  Error error = Error::none;
};

// A request that goes on when the coordinator has been heard (Broker::go_on).
struct TxnQuestion {
  Waiting to{};
  Kind kind{};
  PayloadRef request;
  std::uint32_t bytes{};
  TxnIdentity from{};
  TxnVersion version = TxnVersion::tv0;  // what the client speaks: at TV2 the partition is added, else it is looked up
  std::vector<TxnCheck> checks{};
  bool waited = false;                   // its connection is muted
  Time began{};
  std::uint64_t number{};                // of the ask under way, or of the rest before the next
};

}  // namespace mqlab::kafka
