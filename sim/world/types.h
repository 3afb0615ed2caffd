// sim/world/types.h: the small words that all of the world shares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/time.h"
#include "sim/world/tree.h"

namespace mqlab {

// A node of the world, dense from 0 in the order added.
using NodeId = std::uint32_t;
inline constexpr NodeId nobody = 0xffffffff;

// What a message is, as the model that sends it numbers it (World::declare_message).
using MessageKind = std::uint16_t;
// What a timer is for, as its node numbers it. From `application_timer` on it belongs to the
// application rather than to the client library, and waits while the application is paused.
using TimerKind = std::uint16_t;
inline constexpr TimerKind application_timer = 0x8000;

// One connection; 0 is none. Never means another connection later.
using ConnId = std::uint32_t;
inline constexpr ConnId no_connection = 0;

// Traffic classes: a fault may act on some of them alone (a bit each in a mask).
enum class Traffic : std::uint8_t { client, replication, control, heartbeat };
inline constexpr std::uint16_t all_traffic = 0xffff;
constexpr std::uint16_t traffic_bit(Traffic t) { return static_cast<std::uint16_t>(1U << static_cast<unsigned>(t)); }
const char* traffic_name(Traffic t);

// What an event of the world is (Event::kind).
enum class EventKind : std::uint8_t {
  none,
  data,      // a message arrives over a stream: source, target, channel = connection, type = MessageKind
  datagram,  // a message arrives by itself
  timer,     // type = TimerKind, body[0] = the node's own argument
  open,      // a connection asks to be opened
  opened,    // ... and was
  closed,    // the other end closed it, or its process died
  reset,     // the other end does not know it
  wake,      // a node goes on with what waited for it (a free worker, an end of a pause)
  disk,      // a write or sync is done: body[0] = file, body[1] = position, body[2] = DiskResult
  fault,     // body[0] = number of the fault
  retry,     // held-back traffic of a connection is tried again
  start,     // a node's process begins
  window     // the other end of a connection takes no more (body[0] = 0), or takes again (1)
};
inline constexpr std::size_t event_kind_count = 14;
const char* event_kind_name(EventKind k);

}  // namespace mqlab
