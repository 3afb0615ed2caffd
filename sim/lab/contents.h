// sim/lab/contents.h: what logs and queues hold at a moment, in one form for all models.
//
// A model that wants its logs, queues and groups drawn tells them here: what stands at which position, what is known of
// it, where the product's own markers are (high watermark, last stable offset, acknowledged so far), and who reads.
// It is a view for eyes: nothing is decided by it.
//
// The rule: words are the product's own ("ISR", "HW", "unacked"); numbers are what the node itself knows, so that two
// replicas may tell two things. A copy tells the same numbers by name at all times, so that they can be asked for.
// Elsewhere: the same as free text (Node::state).
//
//     if (const auto* teller = dynamic_cast<const TellsContents*>(&model)) teller->contents(world, out);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

// A number with a name of one word, in small letters: "isr" 3, "unacked" 12.
struct NumberMoment {
  std::string name{};
  std::int64_t value = 0;
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
  std::vector<NumberMoment> numbers{};
};
std::optional<std::int64_t> number_in(const PlaceContents& p, std::string_view name);
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

// How far a group is behind, in all or at one place (empty: in all): the sum over where it has told a position. Nothing: nowhere.
std::optional<std::int64_t> lag_of(const GroupContents& g, std::string_view place = {});

struct Contents {
  std::vector<PlaceContents> places{};
  std::vector<GroupContents> groups{};
};

// What is wanted of them: less is told faster.
struct ContentsWish {
  bool records = true;                 // what stands in places, and marks on them that groups set
  bool groups = true;
  bool all_places = true;              // false: only ...
  std::vector<std::string> places{};   // ... these, by the name of the place or of the queue
  bool wants(std::string_view place, std::string_view queue = {}) const;
};

// Of a Model too, where it has something to tell.
struct TellsContents {
  virtual ~TellsContents() = default;
  virtual Contents contents(const World& world, const ContentsWish& wish = {}) const = 0;
};

}  // namespace mqlab
