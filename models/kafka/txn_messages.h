// models/kafka/txn_messages.h: what producers, transaction coordinators and partition leaders say to each other.
//
// One struct per message, in the order of a normal transaction; names as in the wire protocol, kinds are in messages.h.
// Who ends a transaction is told when the decision is written, not when its markers are: what follows may meet
// CONCURRENT_TRANSACTIONS for a while.
//
// Elsewhere: the coordinator (txn_coordinator.h), the leader's side (txn_partition.cpp), the client's (transactions.cpp).
// Sources: KIP-98, KIP-447, KIP-890, KIP-1228; InitProducerIdRequest.json and its kin.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/kafka/group_messages.h"
#include "models/kafka/messages.h"

namespace mqlab::kafka {

// Who a transactional request says it is from.
struct TxnIdentity {
  std::string transactional_id{};
  ProducerId id = no_producer_id;
  ProducerEpoch epoch = no_producer_epoch;
};

// From a client at TV0 and TV1, before it sends to the partitions. From a broker: `verify_only` at TV1, a real addition
// at TV2, both while the first batch of a producer waits there.
struct AddPartitionsToTxn : Payload {
  TxnIdentity from{};
  bool verify_only = false;
  bool of_broker = false;       // the leader of the partitions asks
  std::vector<PartitionId> partitions{};
};
struct AddPartitionsToTxnReply : Payload {
  AddPartitionsToTxnReply() = default;
  explicit AddPartitionsToTxnReply(Error e) : error(e) {}
  Error error{};                                              // of the whole request
  std::vector<std::pair<PartitionId, Error>> partitions{};    // verify_only: of each
};

// The group's partition of __consumer_offsets takes part.
struct AddOffsetsToTxn : Payload {
  TxnIdentity from{};
  std::string group{};
};
struct AddOffsetsToTxnReply : Payload {
  AddOffsetsToTxnReply() = default;
  explicit AddOffsetsToTxnReply(Error e) : error(e) {}
  Error error{};
};

// To the coordinator of the group.
struct TxnOffsetCommit : Payload {
  TxnIdentity from{};
  std::string group{};
  std::int32_t generation = -1;   // KIP-447: who the consumer is; -1 with an empty member = not told, and not checked
  std::string member{};
  std::string instance{};
  bool adds_group = false;        // TV2: the broker adds the group's partition to the transaction itself
  std::vector<CommittedOffset> offsets{};
};
struct TxnOffsetCommitReply : Payload {
  TxnOffsetCommitReply() = default;
  explicit TxnOffsetCommitReply(Error e) : error(e) {}
  Error error{};  // of all partitions alike
};

struct EndTxn : Payload {
  TxnIdentity from{};
  bool commit = false;
  TxnVersion version = TxnVersion::tv0;  // what the client speaks: TV2 from request version 5
};
struct EndTxnReply : Payload {
  EndTxnReply() = default;
  explicit EndTxnReply(Error e) : error(e) {}
  Error error{};
  ProducerId id = no_producer_id;              // TV2: what the next transaction is to use
  ProducerEpoch epoch = no_producer_epoch;
};

// From the coordinator to the leaders of the partitions that took part.
struct TxnMarker {
  ProducerId id = no_producer_id;
  ProducerEpoch epoch = no_producer_epoch;     // TV2: one more than that of the transaction's records
  bool commit = false;
  std::int32_t coordinator_epoch = -1;         // leader epoch of the coordinator's partition of __transaction_state
  TxnVersion version = TxnVersion::tv0;        // of the transaction (KIP-1228 tells it)
  std::vector<PartitionId> partitions{};
};
struct WriteTxnMarkers : Payload {
  std::vector<TxnMarker> markers{};
};
struct WriteTxnMarkersReply : Payload {
  struct Result {
    ProducerId id = no_producer_id;
    PartitionId partition{};
    Error error{};
  };
  std::vector<Result> results{};
};

// Every kind with its name, traffic class and one-line text (describe_txn.cpp).
const std::vector<MessageDecl>& txn_message_declarations();

}  // namespace mqlab::kafka
