// models/kafka/share_desk.h: what a broker keeps for share groups: as the leader of partitions that they read, and as
// a share coordinator. All of it is lost with the process.
//
// Elsewhere: the leader's work (share_leader.cpp), the coordinator's (share_seat.cpp), the window itself
// (share_partition.h). Sources: SharePartitionManager, DelayedShareFetch, PersisterStateManager (4.3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/kafka/messages.h"
#include "models/kafka/share_messages.h"
#include "models/kafka/share_state.h"
#include "models/kafka/waiting.h"

namespace mqlab::kafka {

// A share coordinator, while this broker leads its partition of __share_group_state.
struct ShareSeat {
  PartitionId partition{};
  bool loading = true;
  ShareStates states{};
  struct Write {
    Offset required = 0;  // its answer leaves when the high watermark is here
    Waiting to;
    Kind reply{};
    PayloadRef payload;
    std::uint64_t number{};
    EventId timer = no_event;
    bool gave_up = false;
  };
  std::vector<Write> writes{};
  Offset loaded = 0;  // the end of the log when it was read
};

// A partition that this broker leads, as one share group sees it.
struct ShareLead {
  std::string group;
  PartitionId partition{};
  LeaderEpoch epoch{};
  std::optional<SharePartition> window{};  // not before the state is read
  EventId timer = no_event;                // of the first lock that ends
  Time timer_due = time_max;
  bool told_full = false;
};

// A question to a share coordinator, asked until it is answered for good.
struct ShareAsk {
  std::uint64_t number{};
  Kind kind{};  // write_share_state or read_share_state
  PayloadRef payload;
  std::string group;
  PartitionId partition{};
  std::uint64_t change = 0;  // a write: of the window; 0 = nobody waits for it
  std::vector<Archived> archived{};
  BrokerId to = no_broker;   // in flight there; else it rests
  EventId timer = no_event;  // patience, or the end of the rest
  std::int32_t attempts = 0;
};

// A member's connection. What it holds goes back when it breaks.
struct ShareSession {
  ConnId connection = no_connection;
  std::string group;
  std::string member;
};

// A ShareFetch or ShareAcknowledge that is not answered yet.
struct ShareWait {
  Waiting to;
  Kind kind{};
  PayloadRef request;
  std::uint64_t number{};
  EventId timer = no_event;
  bool due = false;       // it has waited long enough for records
  bool acquired = false;
  ShareFetchReply reply;
  struct Ack {
    PartitionError result;
    std::uint64_t change = 0;  // not written yet
  };
  std::vector<Ack> acks{};
};

struct ShareDesk {
  std::vector<ShareSeat> seats{};
  std::vector<ShareLead> leads{};
  std::vector<ShareAsk> asks{};
  std::vector<ShareSession> sessions{};
  std::vector<ShareWait> waits{};
  std::vector<ConnId> links{};  // to share coordinators, by broker
  // What this broker's own coordinator has answered its own leader; it does not pass over the network.
  struct Local {
    std::uint64_t number{};
    Kind kind{};
    PayloadRef payload;
  };
  std::vector<Local> local{};
};

}  // namespace mqlab::kafka
