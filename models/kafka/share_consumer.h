// models/kafka/share_consumer.h: what a member of a share group has in its hands.
//
// It has no positions. Each record was acquired for it by a leader, for a while; what it says of the record goes back
// to that leader. Elsewhere: the protocol (share_consumer.cpp), membership (consumer_member.cpp).
#pragma once

#include <deque>
#include <vector>

#include "models/kafka/share_messages.h"
#include "sim/lab/app.h"

namespace mqlab::kafka {

struct ShareConsumer {
  struct InHand {
    PartitionId partition{};
    Offset offset{};
    BrokerId from = no_broker;   // the leader that acquired it: nobody else knows of it
    std::int32_t deliveries{};
    Record record{};
    bool answered = false;       // the application has said what becomes of it
  };
  struct Ack {
    PartitionId partition{};
    Offset offset{};
    BrokerId to = no_broker;
    AckType type = AckType::accept;
    CallId call = 0;             // 0: the library's own
    OpIndex row = no_op;         // ... whose row it writes itself
    MessageId message = no_message;
    std::uint64_t word = 0;      // of the request in flight, 0 = not sent yet
  };
  std::deque<InHand> buffer{};   // acquired, and not polled yet: the lock runs
  std::vector<InHand> in_hand{}; // of the last poll
  std::vector<Ack> acks{};       // not answered yet
  std::vector<Call> commits{};   // wait until there are none
  Error commit_error = Error::none;  // the first that came meanwhile
  bool tells_all = true;         // the next heartbeat is a full one: then the coordinator says all again
  bool closing = false;          // sessions are being ended
  std::vector<BrokerId> to_close{};
};

}  // namespace mqlab::kafka
