// sim/world/journal.h: what a world writes down while it runs.
//
// Five lists, each append-only: operations (what clients did and saw: the history), marks (what
// happened inside, by name: "leader_elected"), deliveries (every event, from the full level on),
// drops (every message that nobody will ever take, from the full level on) and changes (what each
// delivery changed in a node's state, at the state level). The world appends; sim/record reads,
// exports and imports; sim/check judges operations.
//
// Always true: 1. times never go back within a list; of drops, Drop::after does not. 2. An `ok`, `fail`
// or `info` names its `invoke` in `of`, or stands alone (a delivery). 3. A number in a row is resolved by `names`.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/event.h"
#include "sim/kernel/time.h"
#include "sim/world/payload.h"
#include "sim/world/types.h"

namespace mqlab {

// Text kept once, named by number; 0 is the empty text. Numbers follow the order of first use.
class Names {
 public:
  std::uint32_t id(std::string_view text) {
    if (const auto it = index_.find(text); it != index_.end()) return it->second;
    const auto n = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(text);
    index_.emplace(std::string(text), n);
    return n;
  }
  // The number of a text already known, or 0.
  std::uint32_t find(std::string_view text) const {
    const auto it = index_.find(text);
    return it == index_.end() ? 0 : it->second;
  }
  const std::string& text(std::uint32_t id) const { return texts_[id < texts_.size() ? id : 0]; }
  std::size_t size() const { return texts_.size(); }

 private:
  std::vector<std::string> texts_{std::string()};
  std::map<std::string, std::uint32_t, std::less<>> index_{{std::string(), 0}};
};

// A message's identity, as the application sees it: two sends of one body are one message.
// Declared load numbers its messages (producer, n); a body given as text is a name.
using MessageId = std::uint64_t;
inline constexpr MessageId no_message = 0;
inline constexpr MessageId named_message_bit = std::uint64_t{1} << 63;
constexpr MessageId numbered_message(NodeId producer, std::uint64_t n) { return (std::uint64_t{producer} + 1) << 40 | n; }
constexpr MessageId named_message(std::uint32_t name) { return named_message_bit | name; }

enum class OpKind : std::uint8_t {
  send,     // the application hands a message to the client library
  deliver,  // one message reaches the application (a row of its own, outcome ok)
  poll,     // a read: its deliveries name it in `of`
  ack,      // the application confirms one message
  commit,   // a group's position is stored
  begin, end_commit, end_abort,  // transactions
  assign, revoke,  // a place is given to, taken from, a consumer
  seek,     // a consumer moves its position by its own will
  end_offset,  // a client asks where a place ends
  process,  // the application has finished with a message
  effect,   // the application did something to the world outside
  drained   // faults healed, clients caught up: from here `late` is `lost`
};
inline constexpr std::size_t op_kind_count = 15;
const char* op_kind_name(OpKind k);

enum class Outcome : std::uint8_t {
  invoke,  // asked
  ok,      // done
  fail,    // certainly had no effect
  info     // unknown: it stays possible for ever
};
const char* outcome_name(Outcome o);

using OpIndex = std::uint64_t;
inline constexpr OpIndex no_op = ~std::uint64_t{0};

namespace op_flag {
inline constexpr std::uint8_t redelivered = 1;     // the broker said so
inline constexpr std::uint8_t dead_letter = 2;     // the place is a dead-letter place
inline constexpr std::uint8_t transactional = 4;   // inside a transaction (`transaction`)
inline constexpr std::uint8_t read_committed = 8;  // a read at read-committed
inline constexpr std::uint8_t by_policy = 16;      // gone or moved by a declared policy
inline constexpr std::uint8_t assigned = 32;       // the consumer chose its places itself (no group)
inline constexpr std::uint8_t shared = 64;         // of a delivery: others get messages of this place too, each a part, in no order
}  // namespace op_flag

struct Op {
  Time time{};
  OpIndex of = no_op;              // the invoke that this row ends; of a delivery: its poll
  NodeId process = nobody;         // who did or saw it
  OpKind kind{};
  Outcome outcome{};
  std::uint8_t flags{};            // op_flag
  std::uint8_t attempt{};          // delivery attempt as the broker counts it, 0 = not told
  std::uint32_t place{};           // names: "orders/0": where order lives; of a send without a choice: the topic
  std::uint32_t key{};             // names: the business key, 0 = none
  std::uint32_t subscription{};    // names: who is entitled: a group, a queue's consumers, one reader
  std::uint32_t error{};           // names: "REQUEST_TIMED_OUT"
  MessageId message = no_message;
  std::int64_t position = -1;      // in the place; of a commit and a seek: the next to read
  std::uint64_t transaction{};     // 0 = none
};

// What happened inside, by name; `text` is for people.
struct Mark {
  Time time{};
  EventId during = no_event;
  NodeId node = nobody;
  std::uint32_t name{};   // names
  std::uint32_t place{};  // names, 0 = none
  std::string text;
};

// One event as it was delivered.
struct Delivery {
  Event event;
  Time time{};
  PayloadRef payload;
};

// Why nobody will ever take a message.
enum class DropReason : std::uint8_t {
  cut,              // by itself (a datagram), it met a cut
  lost,             // the link lost it, and nobody sends it again
  fault,            // a fault took it out by name (`drop`)
  behind_fault,     // ... took one before it on its connection, on which nothing passes since
  cut_off,          // its connection ended while a cut held it back
  gave_up,          // its connection ended before it got through
  closed,           // its sender had no connection any more
  sender_ended,     // its sender's process, or machine, ended before it got through
  receiver_down,    // nobody runs there
  receiver_new,     // another process runs there than the one that it was for
  receiver_closed,  // the receiver has closed the connection
  receiver_ended,   // it had arrived, and the receiver ended before it came to it
  unfinished        // it still waited when the record ended
};
inline constexpr std::size_t drop_reason_count = 13;
// A sentence without its end: "its receiver has closed the connection".
const char* drop_reason_text(DropReason r);

// A message that never reached its receiver, or reached a machine on which nobody took it. A second copy that a fault made of
// a message is none.
struct Drop {
  Event event;            // as in a delivery: source, target, type, cause; body[2] = when it was sent
  Time time{};            // when it was over; not before it was sent
  std::size_t after{};    // so many deliveries were before; the last of them is the event during or after which it was dropped
  DropReason why{};
  PayloadRef payload;
};

// A kind of message, as its model declares it once.
struct MessageDecl {
  MessageKind kind{};
  const char* name = "";
  Traffic traffic{};
  std::string (*describe)(const Payload&) = nullptr;  // the fields in one line, without the name
};

// One difference in what World::state tells of a node.
struct StateChange {
  std::size_t delivery{};  // during which of `deliveries`
  NodeId node = nobody;
  std::uint32_t path{};    // state_paths: the names from the node's own tree down, as path_text has them
  TreeChange change;
};

enum class TraceLevel : std::uint8_t { off, spans, full, state };

struct Journal {
  Names names;
  std::vector<Op> ops;
  std::vector<Mark> marks;
  std::vector<Delivery> deliveries;
  std::vector<Drop> drops;
  std::vector<StateChange> changes;
  Names state_paths;                   // apart from `names`, whose numbers messages are made of
  std::vector<std::string> step_paths;  // what of the state is worth telling step by step (sim/record/state_filter.h)
  std::vector<std::string> processes;  // NodeId -> name
  std::vector<MessageDecl> messages;   // by MessageKind; the name is empty where none is declared

  const char* kind_name(MessageKind k) const { return k < messages.size() && *messages[k].name ? messages[k].name : "?"; }

  std::string process_name(NodeId n) const { return n < processes.size() ? processes[n] : std::string("?"); }
  // "P1-17" for the seventeenth message of P1; a named message is its name.
  std::string message_name(MessageId m) const;
};

}  // namespace mqlab
