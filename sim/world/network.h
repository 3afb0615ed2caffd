// sim/world/network.h: links and connections, as values.
//
// A link is one direction between two nodes: latency, loss, what is cut. A connection is a
// TCP-like stream over two links: in order, no duplicates, no gaps, until it breaks; loss shows
// as delay, a cut as silence, a crash as a reset. Datagrams use links alone.
//
// Always true: the items of one direction of one connection arrive in the order sent.
// Elsewhere: who sends and receives (world.h), what changes a link (fault.h).
// Sources: RFC 9293 (TCP), RFC 6298 (retransmission timer), Linux tcp(7) for the times.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/kernel/event.h"
#include "sim/kernel/random.h"
#include "sim/kernel/time.h"
#include "sim/world/fault.h"
#include "sim/world/types.h"

namespace mqlab {

// What a pair of places in the world is apart, one way.
struct LinkOptions {
  Duration latency = 200'000;             // the least
  Duration spread = 50'000;               // width (uniform), mean of the tail (exponential), the slow mode (bimodal)
  LatencyShape shape = LatencyShape::exponential;
  Ratio slow_share{1, 100};               // bimodal: how often the slow mode
  Ratio loss{0, 1};
  Ratio duplicate{0, 1};                  // datagrams only
  Ratio reorder{0, 1};                    // datagrams only: held back by up to twice `latency + spread` more
  std::uint64_t bytes_per_second = 0;     // 0 = not limited
};

// What a link can have besides latency, loss and duplication (Link::unusual).
namespace unusual {
inline constexpr std::uint8_t reorder = 1;
inline constexpr std::uint8_t bandwidth = 2;
inline constexpr std::uint8_t clog = 4;
inline constexpr std::uint8_t burst = 8;
inline constexpr std::uint8_t credit = 16;  // a fault changed its speed, and no message has met that yet
}  // namespace unusual

struct Link {
  Duration latency{};
  Duration spread{};
  std::uint32_t loss{};       // of 2^32
  std::uint32_t duplicate{};  // of 2^32
  std::uint16_t cut{};        // traffic classes that do not pass
  LatencyShape shape{};
  std::uint8_t unusual{};     // look into `more`: reorder, bandwidth, clog, bursts
  std::uint32_t reorder{};    // of 2^32
};
static_assert(sizeof(Link) == 40 || sizeof(Link) == 32);

// What few links have.
struct LinkMore {
  std::uint64_t bytes_per_second{};
  Time free_at{};         // the wire is busy until then
  Duration burst{};       // burst loss: length of a burst
  std::uint32_t burst_loss{};
  std::uint32_t slow_share{};
};

struct StreamOptions {
  Duration retransmit_min = 200'000'000;       // Linux TCP_RTO_MIN
  Duration retransmit_max = 2'000'000'000;     // Linux allows 120 s; shorter keeps stories short (docs/internals/world.md)
  Duration timeout = 924'600'000'000;          // Linux tcp_retries2 = 15
  Duration connect_timeout = 10'000'000'000;   // Kafka socket.connection.setup.timeout.ms
};

// Event::flags of a datagram or an item of a connection that a message fault has met.
inline constexpr std::uint8_t held_bit = 8;       // kept back
inline constexpr std::uint8_t delayed_bit = 16;   // takes longer
inline constexpr std::uint8_t twice_bit = 32;     // a copy follows
inline constexpr std::uint8_t copy_bit = 64;      // this is that copy, on a connection: outside the order, and nobody's loss

// One direction of a connection.
struct Direction {
  Time last_due{};                // nothing may overtake this
  std::vector<Event> waiting{};   // not on the wire: behind a cut, a loss, a fault, a handshake under way; in order
  std::uint32_t returned{};       // so many of `waiting`, at its front, came back since the last attempt
  std::uint32_t on_wire{};        // under way, in order
  std::uint32_t attempts{};       // how often something was sent again
  bool stalled = false;           // waiting for the network
  bool clogged = false;           // ... because of a clog: goes on as soon as that ends
  bool held = false;              // a fault holds one of those that wait, and what is behind it
  bool swallowed = false;         // a fault dropped one: nothing new passes any more
  bool full = false;              // the receiver takes no more: what is sent waits here (a closed TCP window)
  bool retry_wanted = false;      // as soon as all that is on the wire has come back
  Time stalled_since{};
  EventId retry = no_event;       // the retransmission timer
  EventId patience = no_event;    // the transport gives up then
};

struct Connection {
  std::array<NodeId, 2> end{nobody, nobody};       // [0] opened it
  std::array<std::uint32_t, 2> incarnation{};
  std::array<bool, 2> open{false, false};
  std::array<bool, 2> lost{false, false};          // this end's machine lost power: it sends nothing again
  std::array<Direction, 2> way{};                  // way[0]: from end[0] to end[1]
  bool established = false;                        // end[1] has accepted
  bool ready = false;                              // ... and end[0] knows
  bool used = false;
  Traffic traffic{};
  std::uint16_t generation{};
  std::uint32_t in_flight{};
  EventId patience = no_event;                     // the handshake must be over by then
};

}  // namespace mqlab
