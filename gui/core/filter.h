// gui/core/filter.h: which events exist for the views: chips that the user puts on and takes off.
//
// Messages that never arrived are no events, and pass or not by the same chips.
//
// The rule: chips of one kind widen each other (B1 or B2), chips of different kinds narrow each other, and a chip that
// excludes takes away whatever the others let in. Zooming is not filtering: a filter knows nothing of the viewport.
//
// Always true: rows() are ascending, and those for which a loop that asks passes() for each event says yes.
//
//     Filter f;
//     f.chips = {Chip::hide(Traffic::heartbeat), Chip::node(b1)};
//     const std::vector<std::uint32_t> rows = f.rows(recording);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gui/core/recording.h"

namespace mqlab::gui {

struct Chip {
  enum class Kind : std::uint8_t {
    node,          // number: NodeId; its line, and messages from it; `nobody` is the world; another that is not there matches nothing
    message_kind,  // number: MessageKind
    traffic,       // number: Traffic; of messages
    event_kind,    // number: EventKind
    place,         // text: "orders/0", or "orders" for all its partitions; events during which a client did or saw something there, or a mark names it
    message,       // number: MessageId; events during which a client did or saw something with it
    told,          // events during which a client did or saw something, or a mark was made
    dropped        // messages that never arrived
  };
  Kind kind{};
  bool excludes = false;
  std::uint64_t number = 0;
  std::string text{};
  bool operator==(const Chip&) const = default;

  static Chip node(NodeId n) { return {Kind::node, false, n, {}}; }
  static Chip message_kind(MessageKind k) { return {Kind::message_kind, false, k, {}}; }
  static Chip traffic(Traffic t) { return {Kind::traffic, false, static_cast<std::uint64_t>(t), {}}; }
  static Chip hide(Traffic t) { return {Kind::traffic, true, static_cast<std::uint64_t>(t), {}}; }
  static Chip event_kind(EventKind k) { return {Kind::event_kind, false, static_cast<std::uint64_t>(k), {}}; }
  static Chip place(std::string name) { return {Kind::place, false, 0, std::move(name)}; }
  static Chip message(MessageId m) { return {Kind::message, false, m, {}}; }
  static Chip told() { return {Kind::told, false, 0, {}}; }
  static Chip dropped() { return {Kind::dropped, false, 0, {}}; }

  // "node B1", "no heartbeat messages": what stands on it.
  std::string label(const Journal& j) const;
};

struct Filter {
  std::vector<Chip> chips{};
  bool operator==(const Filter&) const = default;

  bool everything() const { return chips.empty(); }
  // The same for another run: nodes and messages go by their names. Who is not there stands for no event.
  Filter in_other_run(const Journal& here, const Journal& there) const;
  // The events that pass, ascending.
  std::vector<std::uint32_t> rows(const Recording& r) const;
  // The same as a set, by event; empty: all pass.
  std::vector<bool> passing(const Recording& r) const;
  // The messages that never arrived and pass, in Journal::drops, ascending. They have a node at either end, a kind and traffic; no
  // client saw anything of them.
  std::vector<std::uint32_t> drops(const Recording& r) const;
};

}  // namespace mqlab::gui
