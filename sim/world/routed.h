// sim/world/routed.h: the eighth flag of a row of the history, for the few who set or read it; the others are in journal.h.
//
// Of a delivery: the message itself says that it was sent to another place, and routes that the broker declares led here: a
// binding between exchanges, an alternate exchange. An AMQP client knows it (basic.deliver has the exchange that was published
// to). Such a delivery is not misdelivered.
#pragma once

#include <cstdint>

namespace mqlab::op_flag {

inline constexpr std::uint8_t routed = 128;

}  // namespace mqlab::op_flag
