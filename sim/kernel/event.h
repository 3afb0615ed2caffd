// sim/kernel/event.h: what the queue holds.
//
// An event is a record of 64 bytes and never a closure, so that a world can be copied with what
// is still to happen in it. The kernel reads `id` only; all else belongs to the layer above.
#pragma once

#include <array>
#include <cstdint>

namespace mqlab {

// Names an event for ever: a number is never used twice, so a stale handle can cancel nothing else.
using EventId = std::uint64_t;
inline constexpr EventId no_event = 0;

struct alignas(64) Event {
  EventId id = no_event;
  EventId cause = no_event;     // the event during which this one was added
  std::uint32_t target{};       // who it happens to
  std::uint32_t source{};       // who sent it
  std::uint32_t incarnation{};  // of the target, for timers; of the source, for messages
  std::uint16_t type{};         // kind of message or timer
  std::uint8_t kind{};          // what the layer above does with it
  std::uint8_t flags{};
  std::uint32_t channel{};  // connection
  std::uint32_t payload{};  // slot of the payload in the world's pool, 0 = none
  std::array<std::uint64_t, 3> body{};
};
static_assert(sizeof(Event) == 64);

}  // namespace mqlab
