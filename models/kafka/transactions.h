// models/kafka/transactions.h: what the library of a transactional producer keeps (rules: transactions.cpp, txn_requests.cpp, txn_verdict.cpp).
//
// As TransactionManager (Java): a state, and a queue of requests to coordinators of which one is under way at a time.
// What the application asked ends once; who was told that it took too long may ask the same again and nothing else.
//
// Always true: 1. EndTxn leaves when no batch is open any more. 2. In fatal_error nothing is sent, for ever: the
// application needs a new producer. 3. A partition's batches leave only when it takes part in the transaction.
// Elsewhere: who answers (txn_coordinator.h), batches and sequences (producer.cpp).
// Sources: TransactionManager, Sender (Java), rdkafka_txnmgr.c; KIP-98, KIP-360, KIP-447, KIP-588, KIP-890.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "models/kafka/txn_messages.h"
#include "sim/lab/app.h"

namespace mqlab::kafka {

enum class TxnPhase : std::uint8_t { uninitialized, initializing, ready, in_transaction, committing, aborting, abortable_error, fatal_error };
const char* name(TxnPhase p);  // "IN_TRANSACTION"

// What an answer to a request of a transaction leads to.
enum class TxnVerdict : std::uint8_t {
  done,
  refresh,             // somebody else coordinates: find out who, and ask again
  again,               // the same request, after a rest
  abortable,           // the transaction can only be aborted
  abortable_with_bump, // ... and before TV2 the producer asks for a new epoch after that (KIP-360)
  fatal                // this producer is of no use any more
};
// The rules of each library, error by error. `tv2`: the producer speaks TV2.
TxnVerdict txn_verdict(ClientLibrary library, bool tv2, Kind request, Error e);
// The same for a batch that failed for good. `head`: no earlier batch of its partition is open.
TxnVerdict batch_verdict(ClientLibrary library, bool tv2, Error e, bool head);

// A request to a coordinator, or for one.
struct TxnRequest {
  Kind kind{};
  bool of_group = false;   // find_coordinator: of the consumer's group
  bool retry = false;      // the sender rests before it leaves
  bool commit = false;     // end_txn
  bool bumps = false;      // init_producer_id: by who it has been so far (KIP-360)
  bool ends = false;       // its end is the end of the call that the application waits in
  Duration backoff = 0;
  TxnIdentity from{};
  std::vector<PartitionId> partitions{};  // add_partitions_to_txn
  std::uint64_t offsets = 0;              // add_offsets_to_txn, txn_offset_commit: number of the TxnOffsets

  // TransactionManager.Priority: the lowest leaves first.
  int priority() const {
    if (kind == Kind::find_coordinator) return 0;
    if (kind == Kind::init_producer_id) return bumps ? 4 : 1;
    return kind == Kind::end_txn ? 3 : 2;
  }
};

// Positions on their way into a transaction (sendOffsetsToTransaction).
struct TxnOffsets {
  std::uint64_t number{};
  CallId call = 0;                   // 0: nobody waits any more; the library goes on
  Time deadline{};
  bool ambiguous = false;            // an attempt may have been executed
  std::uint64_t transaction = 0;     // in the history
  std::int32_t generation = -1;      // who the consumer was when the application asked (KIP-447)
  std::string member{};
  std::string instance{};
  struct Part {
    CommittedOffset offset;
    OpIndex row = no_op;
  };
  std::vector<Part> parts{};
};

// The call that moves the producer from one state to another: initTransactions, commitTransaction, abortTransaction.
struct TxnTransition {
  enum class Of : std::uint8_t { init, commit, abort } of{};
  CallId call = 0;      // 0: nobody waits any more; the same call again takes the result
  bool begins = false;  // it is `begin`, which goes on when the producer is ready
  Time deadline{};
  bool done = false;
  Outcome outcome = Outcome::ok;
  Error error{};
};

struct TransactionalProducer {
  TxnPhase phase = TxnPhase::uninitialized;
  Error error{};                        // why it is in an error state
  bool started = false;                 // the coordinator knows, or will know, of the transaction
  bool bump_required = false;           // after the abort a new epoch must be asked for
  bool end_ambiguous = false;           // an EndTxn may have been executed, or may yet be
  BrokerId coordinator = no_broker;
  BrokerId group_coordinator = no_broker;
  std::vector<PartitionId> fresh{};     // written to, and not asked for yet
  std::vector<PartitionId> asked{};     // AddPartitionsToTxn is under way
  std::vector<PartitionId> partitions{};  // take part
  std::vector<TxnRequest> requests{};   // in the order asked
  std::optional<TxnRequest> held{};     // chosen; it leaves when the sender has rested and the broker can be reached
  Time asleep_until = 0;
  std::optional<TxnRequest> in_flight{};
  std::uint64_t word = 0;               // its number; 0 = none
  std::optional<TxnTransition> transition{};
  std::vector<TxnOffsets> offsets{};
  std::uint64_t next_offsets = 1;

  bool failed() const { return phase == TxnPhase::abortable_error || phase == TxnPhase::fatal_error; }
  bool completing() const { return phase == TxnPhase::committing || phase == TxnPhase::aborting; }
  // Nothing is under way that could change anything.
  bool idle() const { return phase == TxnPhase::fatal_error || (requests.empty() && !held && word == 0 && offsets.empty() && (!transition || transition->done)); }
};

// Partitions in ascending order, each once.
inline bool holds(const std::vector<PartitionId>& v, PartitionId p) { return std::binary_search(v.begin(), v.end(), p); }
inline void insert(std::vector<PartitionId>& v, PartitionId p) {
  const auto at = std::lower_bound(v.begin(), v.end(), p);
  if (at == v.end() || *at != p) v.insert(at, p);
}

}  // namespace mqlab::kafka
