// models/kafka/txn_desk.h: what a broker keeps as a transaction coordinator. All of it is lost with the process.
//
// Elsewhere: the work (txn_seat.cpp), the state machine (txn_coordinator.h).
// Sources: TransactionStateManager, TransactionMarkerChannelManager.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/kafka/txn_coordinator.h"

namespace mqlab::kafka {

// A transaction coordinator, while this broker leads its partition of __transaction_state.
struct TxnSeat {
  PartitionId partition{};
  bool loading = true;
  TxnCoordinator coordinator;
  struct Write {
    std::string id{};
    Offset required = 0;  // it counts when the high watermark is here
    std::uint64_t number{};
    EventId timer = no_event;
  };
  std::vector<Write> writes{};  // in the order of the log
};

// Markers and the coordinator that sends them. Another one, of a later epoch, does not know of them.
struct TxnMarkersDue {
  PartitionId seat{};
  std::int32_t epoch = -1;
  TxnMarkersOf what{};
};

// All that goes to one broker at once. It ends by its answer, or is lost and rests.
struct TxnMarkerAsk {
  std::uint64_t number{};
  std::vector<TxnMarkersDue> markers{};
};

struct TxnDesk {
  std::vector<TxnSeat> seats{};
  std::vector<TxnMarkerAsk> asks{};
  std::vector<TxnMarkersDue> rests{};
  bool due_armed = false;    // timer_txn_marker
  bool looks_armed = false;  // timer_txn_timeout, timer_txn_expiry
};

}  // namespace mqlab::kafka
