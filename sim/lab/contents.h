// sim/lab/contents.h: what logs and queues hold at a moment, in one form for all models.
//
// A model that wants its logs, queues and groups drawn tells them here: what stands at which position, what is known of
// it, where the product's own markers are (high watermark, last stable offset, acknowledged so far), and who reads.
// It is a view for eyes: nothing is decided by it.
//
// The rule: words are the product's own ("ISR", "HW", "unacked"); numbers are what the node itself knows, so that two
// replicas may tell two things.
// Elsewhere: the same as free text (Node::state).
//
//     if (const auto* teller = dynamic_cast<const TellsContents*>(&model)) teller->contents(world, out);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/world/world.h"

namespace mqlab {

// What is known of a message in a place.
enum class RecordState : std::uint8_t {
  uncommitted,  // there, and may still be lost or taken back
  committed,    // there for good, as the product says it
  ready,        // of a queue: nobody has it
  unacked,      // of a queue: a consumer has it and has not settled it
  aborted,      // of a transaction that was given up
  open,         // of a transaction that is not decided
  control       // no message of an application: a marker, a batch of the protocol's own
};

struct RecordMoment {
  std::int64_t position = 0;
  MessageId message = no_message;   // no_message: a control record
  std::uint32_t key{};              // names
  RecordState state{};
  std::uint32_t epoch{};            // of the leader that wrote it; 0 = the model has none
  std::uint32_t attempts{};         // deliveries before this one: it is redelivered when above 0
  NodeId holder = nobody;           // unacked: who has it
  std::string text{};               // a word of the model: "abort marker", "expired"
};

// A named position: "HW" at 5 stands before the record 5.
struct MarkerMoment {
  std::string name{};
  std::int64_t position = 0;
  std::string sentence{};
};

// One copy of one place.
struct PlaceContents {
  std::string place{};              // "orders/0", as histories name it
  NodeId node = nobody;             // on which
  std::string kind{};               // "replica", "quorum queue", "classic queue", "stream"
  std::string role{};               // "leader", "follower", "mirror"; empty: the only copy
  std::string facts{};              // "epoch 3, ISR {1,2}": one line
  bool leads = false;
  bool queue = false;               // a queue gives messages away; a log keeps them
  std::int64_t first = 0;           // position of the first that is there
  std::int64_t end = 0;             // after the last
  std::vector<RecordMoment> records{};   // ascending; at most `records_shown`: the last of a log, the first of a queue
  std::vector<MarkerMoment> markers{};
};
inline constexpr std::size_t records_shown = 512;

// A group, a subscription: who has which places, and how far they are.
struct GroupMember {
  std::string name{};
  std::vector<std::string> places{};
  std::string facts{};              // "generation 4", "prefetch 5, has 3"
};
struct GroupProgress {
  std::string place{};
  std::int64_t committed = -1;      // the next to read; -1 = never told
  std::int64_t end = 0;             // where the place ends for readers: lag = end - committed
};
struct GroupContents {
  std::string name{};
  NodeId node = nobody;             // who keeps it: a coordinator, a queue's node
  std::string state{};              // "Stable"
  std::vector<GroupMember> members{};
  std::vector<GroupProgress> progress{};
};

struct Contents {
  std::vector<PlaceContents> places{};
  std::vector<GroupContents> groups{};
};

// Of a Model too, where it has something to tell.
struct TellsContents {
  virtual ~TellsContents() = default;
  virtual Contents contents(const World& world) const = 0;
};

}  // namespace mqlab
