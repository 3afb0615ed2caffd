// models/kafka/aborted_filter.h: which batches of one answer to a fetch a read_committed consumer hides.
//
// The answer names the aborted transactions in it: producer and first offset, ascending. From its first offset on a
// producer's transactional batches are hidden, up to its ABORT marker; it may abort many times in one answer.
// Elsewhere: who makes that list (log.h), that nothing beyond the last stable offset is fetched (leader.cpp).
// Source: CompletedFetch.nextFetchedRecord (consumeAbortedTransactionsUpTo, isBatchAborted, containsAbortMarker).
//
//     AbortedFilter aborted(answer.aborted);
//     for (const Batch& b : answer.batches)
//       if (!aborted.hides(b)) show(b);
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "models/kafka/messages.h"

namespace mqlab::kafka {

class AbortedFilter {
 public:
  // `ends`: as it should be; else a filter that never takes a producer out again.
  explicit AbortedFilter(std::span<const AbortedTxn> aborted, bool ends = true) : rest_(aborted), ends_(ends) {}

  // Requires: batches come in the order of their offsets.
  bool hides(const Batch& b) {
    if (b.producer_id == no_producer_id) return false;
    for (; !rest_.empty() && rest_.front().first_offset <= b.last_offset(); rest_ = rest_.subspan(1))
      if (!open(rest_.front().id)) producers_.push_back(rest_.front().id);
    if (b.control == Control::abort && ends_) std::erase(producers_, b.producer_id);
    return b.control == Control::none && b.transactional && open(b.producer_id);
  }

 private:
  bool open(ProducerId id) const { return std::find(producers_.begin(), producers_.end(), id) != producers_.end(); }

  std::span<const AbortedTxn> rest_;
  bool ends_;
  std::vector<ProducerId> producers_;
};

}  // namespace mqlab::kafka
