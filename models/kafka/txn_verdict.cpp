// What becomes of a transactional producer after an error, by client library.
#include "models/kafka/transactions.h"

namespace mqlab::kafka {
namespace {

TxnVerdict java_verdict(bool tv2, Kind k, Error e) {
  using V = TxnVerdict;
  const bool offsets = k == Kind::txn_offset_commit;
  const bool init = k == Kind::init_producer_id;
  const bool find = k == Kind::find_coordinator;
  if (!find && (e == Error::not_coordinator || e == Error::coordinator_not_available)) return V::refresh;
  if (offsets && e == Error::request_timed_out) return V::refresh;
  if (retriable(e)) return V::again;
  switch (e) {
    case Error::transaction_abortable: return V::abortable;
    case Error::unknown_producer_id: return init || find || offsets ? V::fatal : V::abortable_with_bump;
    // KIP-1050 (4.0): the coordinator has forgotten the id, and so will this producer be forgotten.
    case Error::invalid_producer_id_mapping: return init || find || offsets || tv2 ? V::fatal : V::abortable_with_bump;
    case Error::fenced_instance_id:
    case Error::unknown_member_id:
    case Error::illegal_generation: return offsets ? V::abortable : V::fatal;
    case Error::invalid_producer_epoch:
    case Error::producer_fenced:
    case Error::invalid_txn_state: return V::fatal;
    default: return k == Kind::add_partitions_to_txn ? V::abortable : V::fatal;
  }
}

// rd_kafka_txn_handle_AddPartitionsToTxn, .._AddOffsetsToTxn, .._TxnOffsetCommit, .._EndTxn; what they do not name is permanent.
TxnVerdict librdkafka_verdict(Kind k, Error e) {
  using V = TxnVerdict;
  const bool offsets = k == Kind::txn_offset_commit;
  if (k == Kind::init_producer_id || k == Kind::find_coordinator) return java_verdict(false, k, e);
  switch (e) {
    case Error::not_coordinator:
    case Error::coordinator_not_available: return V::refresh;
    case Error::request_timed_out: return offsets || k == Kind::add_offsets_to_txn ? V::refresh : V::abortable;
    case Error::coordinator_load_in_progress:
    case Error::concurrent_transactions: return V::again;
    case Error::unknown_topic_or_partition: return k == Kind::end_txn ? V::abortable : V::again;
    case Error::unknown_producer_id: return offsets ? V::abortable : V::abortable_with_bump;
    case Error::invalid_producer_id_mapping: return offsets ? V::fatal : V::abortable_with_bump;
    case Error::producer_fenced: return offsets || k == Kind::add_offsets_to_txn ? V::abortable : V::fatal;
    case Error::invalid_producer_epoch:
    case Error::invalid_txn_state: return V::fatal;
    default: return V::abortable;
  }
}

}  // namespace

const char* name(TxnPhase p) {
  switch (p) {
    case TxnPhase::uninitialized: return "UNINITIALIZED";
    case TxnPhase::initializing: return "INITIALIZING";
    case TxnPhase::ready: return "READY";
    case TxnPhase::in_transaction: return "IN_TRANSACTION";
    case TxnPhase::committing: return "COMMITTING_TRANSACTION";
    case TxnPhase::aborting: return "ABORTING_TRANSACTION";
    case TxnPhase::abortable_error: return "ABORTABLE_ERROR";
    case TxnPhase::fatal_error: return "FATAL_ERROR";
  }
  return "";
}

TxnVerdict txn_verdict(ClientLibrary library, bool tv2, Kind request, Error e) {
  if (e == Error::none) return TxnVerdict::done;
  return library == ClientLibrary::java ? java_verdict(tv2, request, e) : librdkafka_verdict(request, e);
}

TxnVerdict batch_verdict(ClientLibrary library, bool tv2, Error e, bool head) {
  if (library == ClientLibrary::librdkafka) {
    // rd_kafka_handle_Produce_error, rd_kafka_handle_idempotent_Produce_error.
    if (e == Error::invalid_producer_epoch || (e == Error::out_of_order_sequence_number && head)) return TxnVerdict::fatal;
    const bool bump = e == Error::out_of_order_sequence_number || e == Error::unknown_producer_id;
    return bump ? TxnVerdict::abortable_with_bump : TxnVerdict::abortable;
  }
  // TransactionManager.maybeTransitionToErrorState. An old epoch alone is abortable (KIP-588): the abort will tell whether
  // the producer was fenced.
  const bool fatal = e == Error::producer_fenced || e == Error::unsupported_version || (tv2 && e == Error::invalid_producer_id_mapping);
  return fatal ? TxnVerdict::fatal : TxnVerdict::abortable_with_bump;
}

}  // namespace mqlab::kafka
