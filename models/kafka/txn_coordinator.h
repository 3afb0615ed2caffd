// models/kafka/txn_coordinator.h: the transactional ids of one partition of __transaction_state.
//
// A replicated state machine without a world: it is given requests and what became of its writes and markers, and says
// what is to be written, answered and sent (TxnEffects). One rule: a transition counts when its record is on all in-sync
// replicas, and until then every other request for that id gets CONCURRENT_TRANSACTIONS.
//
//     Empty -> Ongoing -> PrepareCommit -> CompleteCommit -> Ongoing ...
//                      -> PrepareAbort  -> CompleteAbort
//
// Who ends a transaction is answered when Prepare is written: from then on the outcome is settled, whoever coordinates.
// Markers follow, and Complete when every partition has its own.
//
// Always true: 1. no answer tells of a record that is not written. 2. (producer id, epoch) has one outcome; from TV2 on
// each transaction has an epoch of its own (KIP-890), before that a session has.
// Elsewhere: the log below and the markers' way (txn_seat.cpp), messages (txn_messages.h), the record (group_records.h).
// Sources: TransactionCoordinator, TransactionMetadata, TransactionStateManager (4.x); KIP-98, KIP-360, KIP-890.
//
//     TxnCoordinator t(cluster, coordinator_epoch);
//     TxnEffects e{.wall = wall, .ids = {1000, 1000}};
//     t.handle(waiting, Kind::end_txn, request, e);
//     // append e.writes, and for each of them, when it is known what became of it:
//     t.on_written("transfers-1", Error::none, later);
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/group_records.h"
#include "models/kafka/txn_messages.h"
#include "models/kafka/waiting.h"
#include "sim/world/node.h"

namespace mqlab::kafka {

// A marker on its way to the leaders of its partitions.
struct TxnMarkersOf {
  std::string transactional_id{};
  TxnMarker marker{};
};

struct TxnEffects {
  Time wall{};
  // What is left of the broker's block of producer ids.
  struct Ids {
    ProducerId next{};
    std::int32_t left{};
  } ids{};
  bool wants_ids = false;  // there was none left
  struct Reply {
    Waiting to;
    Kind kind{};
    PayloadRef payload;
  };
  std::vector<Reply> replies{};
  struct Write {
    GroupRecord record;
    Duration timeout{};  // then it is given up: COORDINATOR_NOT_AVAILABLE
  };
  std::vector<Write> writes{};
  std::vector<TxnMarkersOf> markers{};    // to be sent
  std::vector<TxnMarkersOf> rests{};      // ... again, after a rest, to whoever leads then
  bool again = false;                     // write_again() is due after a rest
  struct Mark {
    const char* name = "";
    std::string id;
    std::string text;
  };
  std::vector<Mark> marks{};
};

// What a write is for: who is told when it is there.
enum class TxnStep : std::uint8_t {
  init,         // a producer begins
  fence,        // ... and finds a transaction open: it is aborted first
  add,
  add_offsets,
  end,
  time_out,
  complete,     // all markers are written
  forget        // the id expires
};

class TxnCoordinator {
 public:
  struct Entry {
    TransactionRecord now{};
    struct Pending {
      TransactionRecord next{};
      TxnStep step{};
      Waiting to{};
      bool rewrite = false;  // complete: it could not be written
    };
    std::optional<Pending> pending{};
    std::vector<PartitionId> owed{};  // Prepare*: partitions that have not confirmed their marker
    bool failed_fence = false;        // TV1: the epoch was bumped for an abort that could not be written; it is not bumped again
    bool cancelled = false;           // a partition knows a newer producer or coordinator: nobody waits for these markers
  };

  // Requires: epoch is the leader epoch of the partition.
  TxnCoordinator(ClusterRef cluster, std::int32_t epoch) : cluster_(std::move(cluster)), epoch_(epoch) {}

  // Reads back what a coordinator wrote. After the last record: what was decided is completed, what is open stays open.
  void replay(const GroupRecord& r);
  void loaded(TxnEffects& e);

  // Requires: k is init_producer_id with a transactional id, add_partitions_to_txn, add_offsets_to_txn or end_txn.
  void handle(const Waiting& from, Kind k, const PayloadRef& request, TxnEffects& e);
  // The write of this id is on all in-sync replicas (none), or it was given up.
  void on_written(const std::string& id, Error error, TxnEffects& e);
  // What leaders answered to these markers.
  void on_marker_results(const TxnMarkersOf& sent, const std::vector<WriteTxnMarkersReply::Result>& results, TxnEffects& e);
  // Completions that could not be written.
  void write_again(TxnEffects& e);

  // Transactions that are open for too long are aborted, and their producers fenced.
  void abort_timed_out(TxnEffects& e);
  // Ids that nobody used for transactional.id.expiration.ms are forgotten.
  void expire(TxnEffects& e);
  // Another broker leads now: who waits is told.
  void resign(TxnEffects& e);

  std::int32_t epoch() const { return epoch_; }
  const std::map<std::string, Entry>& ids() const { return ids_; }
  void add_state(Tree& transactions) const;

 private:
  const TransactionSettings& settings() const { return cluster_->settings.transactions; }
  bool exhausted(ProducerEpoch epoch) const { return epoch >= settings().epoch_max; }
  std::string where(const std::vector<PartitionId>& partitions) const;
  void init(const Waiting& from, const InitProducerId& m, TxnEffects& e);
  void add(const Waiting& from, TxnStep step, const TxnIdentity& who, const std::vector<PartitionId>& partitions, TxnEffects& e);
  void verify(const Waiting& from, const AddPartitionsToTxn& m, TxnEffects& e);
  void end(const Waiting& from, const EndTxn& m, TxnEffects& e);
  // What becomes of an EndTxn: an error, an answer at once (`prepare` is false), or a transition.
  struct Verdict {
    Error error{};
    bool prepare = false;
    bool empty = false;  // TV2: an abort of a transaction that no partition knows
  };
  Verdict judge_end(const Entry& t, const EndTxn& m, bool tv2) const;
  void refuse_end(const Waiting& from, const EndTxn& m, Error error, const Entry* t, TxnEffects& e) const;
  Error prepare_end(const std::string& id, Entry& t, bool commit, bool empty, TxnVersion version, TxnStep step, const Waiting& from, TxnEffects& e);
  // The open transaction is aborted in a newer epoch. An error: there is no producer id, or no epoch, to go on with.
  Error fence_and_abort(const std::string& id, Entry& t, TxnStep step, const Waiting& from, TxnEffects& e);
  void begin_completion(const std::string& id, Entry& t, TxnEffects& e);
  void write(const std::string& id, Entry& t, TransactionRecord next, TxnStep step, const Waiting& from, TxnEffects& e) const;
  static bool take_id(TxnEffects& e, ProducerId& out);
  static void refuse(TxnStep step, const Waiting& to, Error error, TxnEffects& e);
  void fenced(const std::string& id, const Entry& t, const char* what, const TxnIdentity& who, TxnEffects& e) const;

  ClusterRef cluster_;
  std::int32_t epoch_;
  std::map<std::string, Entry> ids_;
};

}  // namespace mqlab::kafka
