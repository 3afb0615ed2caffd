// tests/record/journals.h: journals to try readers and writers on, small and by hand or random.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rapidcheck.h>

#include "sim/world/journal.h"

namespace mqlab::test {

// A row with all that it says by name: two journals tell the same iff these texts are equal.
inline std::string row_by_name(const Journal& j, const Op& op) {
  const auto number = [](OpIndex of) { return of == no_op ? std::string("-") : std::to_string(of); };
  const auto who = [&](NodeId n) { return n == nobody ? std::string("-") : fmt::format("{}/{}", n, j.process_name(n)); };
  return fmt::format("{} {} {} {} of={} place={} key={} msg={}{} pos={} sub={} att={} flags={} tx={} err={}\n", op.time,
                     who(op.process), op_kind_name(op.kind), outcome_name(op.outcome), number(op.of), j.names.text(op.place),
                     j.names.text(op.key), op.message & named_message_bit ? "named " : "", j.message_name(op.message),
                     op.position, j.names.text(op.subscription), op.attempt, op.flags, op.transaction, j.names.text(op.error));
}

inline std::string ops_by_name(const Journal& j) {
  std::string text;
  for (const Op& op : j.ops) text += row_by_name(j, op);
  return text;
}

inline std::string marks_by_name(const Journal& j) {
  std::string text;
  for (const Mark& m : j.marks)
    text += fmt::format("{} {} {} {} {} {}\n", m.time, m.during, m.node, j.names.text(m.name), j.names.text(m.place), m.text);
  return text;
}

// Enough numbers for some dozens of rows.
inline rc::Gen<std::vector<std::uint32_t>> drawn_numbers() {
  return rc::gen::scale(15.0, rc::gen::arbitrary<std::vector<std::uint32_t>>());
}

// Numbers that a property drew; when they are used up, the rest is zero, so shorter is simpler.
class Dice {
 public:
  explicit Dice(const std::vector<std::uint32_t>& numbers) : numbers_(numbers) {}
  std::uint32_t below(std::uint32_t n) { return next() % n; }
  bool empty() const { return at_ >= numbers_.size(); }

 private:
  std::uint32_t next() { return at_ < numbers_.size() ? numbers_[at_++] : 0; }
  const std::vector<std::uint32_t>& numbers_;
  std::size_t at_ = 0;
};

// Names that hurt: quotes, controls, other scripts, names that look like numbers or messages.
inline std::string nasty_name(Dice& d, bool may_be_empty) {
  static const std::vector<std::string> names = {"orders/0", "orders",  "P1",    "P1-3", "a\"b\\c",     "\n\t\x01", "Größe", "😀",
                                                 "5",        ":x",      "nil",   "x-07", "{\"named\":1}", "[1 2]",    "-",     "P1-"};
  const std::uint32_t n = d.below(static_cast<std::uint32_t>(names.size() + (may_be_empty ? 1 : 0)));
  return n < names.size() ? names[n] : std::string();
}

// Any journal that keeps the journal's rules (sim/world/journal.h).
inline Journal any_journal(const std::vector<std::uint32_t>& numbers) {
  Dice d(numbers);
  Journal j;
  const std::uint32_t processes = 1 + d.below(4);
  for (std::uint32_t i = 0; i < processes; ++i) j.processes.push_back(nasty_name(d, true));
  Time time = 0;
  std::vector<OpIndex> open, polls, deliveries;
  const auto id = [&] { return d.below(2) ? j.names.id(nasty_name(d, true)) : 0; };
  while (!d.empty()) {
    time += d.below(3) ? d.below(1000) : 0;
    Op op;
    op.time = time;
    op.process = d.below(processes);
    op.kind = static_cast<OpKind>(d.below(op_kind_count));
    op.outcome = static_cast<Outcome>(d.below(4));
    if (op.kind == OpKind::deliver) op.outcome = Outcome::ok;
    if (op.kind == OpKind::drained && d.below(2)) op.process = nobody;
    const OpIndex row = j.ops.size();
    if (op.kind == OpKind::deliver && !polls.empty() && d.below(2)) {
      op.of = polls[d.below(static_cast<std::uint32_t>(polls.size()))];
      op.process = j.ops[op.of].process;
    } else if (op.kind != OpKind::deliver && op.outcome != Outcome::invoke && !open.empty() && d.below(4)) {
      const std::size_t n = d.below(static_cast<std::uint32_t>(open.size()));
      op.of = open[n];
      op.kind = j.ops[op.of].kind;
      op.process = j.ops[op.of].process;
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(n));
    }
    if (op.kind == OpKind::process && op.of == no_op && op.outcome != Outcome::invoke && !deliveries.empty()) {
      op.of = deliveries[d.below(static_cast<std::uint32_t>(deliveries.size()))];
      op.process = j.ops[op.of].process;
    }
    op.place = id();
    op.key = id();
    op.subscription = id();
    op.error = id();
    op.flags = static_cast<std::uint8_t>(d.below(256));
    op.attempt = static_cast<std::uint8_t>(d.below(256));
    op.position = static_cast<std::int64_t>(d.below(10)) - 1;
    op.transaction = d.below(3);
    switch (d.below(4)) {
      case 0: break;
      case 1: op.message = named_message(j.names.id(nasty_name(d, true))); break;
      case 2: op.message = numbered_message(d.below(processes), d.below(20)); break;
      default: op.message = numbered_message(d.below(processes + 2), (std::uint64_t{1} << 40) - 1 - d.below(2)); break;
    }
    if (op.outcome == Outcome::invoke && op.kind != OpKind::deliver) open.push_back(row);
    if (op.kind == OpKind::poll) polls.push_back(row);
    if (op.kind == OpKind::deliver) deliveries.push_back(row);
    j.ops.push_back(op);
    if (d.below(4) == 0) {
      Mark mark;
      mark.time = time;
      mark.during = d.below(3) ? d.below(1000) : ~std::uint64_t{0};
      mark.node = d.below(2) ? d.below(processes) : nobody;
      mark.name = j.names.id(nasty_name(d, true));
      mark.place = id();
      mark.text = nasty_name(d, true);
      j.marks.push_back(mark);
    }
  }
  return j;
}

// Text that is a payload, for messages of kind 1 ("Fetch"), 2 ("Beat", a heartbeat) and the undeclared 3.
struct TextPayload : Payload {
  explicit TextPayload(std::string t) : text(std::move(t)) {}
  std::string text;
};

inline void declare_messages(Journal& j) {
  const auto describe = [](const Payload& p) { return static_cast<const TextPayload&>(p).text; };
  j.messages.resize(3);
  j.messages[1] = {.kind = 1, .name = "Fetch", .traffic = Traffic::replication, .describe = describe};
  j.messages[2] = {.kind = 2, .name = "Beat", .traffic = Traffic::heartbeat, .describe = nullptr};
}

inline Delivery delivery(EventId id, Time time, EventKind kind, NodeId source, NodeId target, EventId cause, Time sent = 0,
                         std::uint16_t type = 1, std::string text = {}) {
  Delivery d;
  d.event.id = id;
  d.event.cause = cause;
  d.event.source = source;
  d.event.target = target;
  d.event.kind = static_cast<std::uint8_t>(kind);
  d.event.type = type;
  d.event.body[2] = static_cast<std::uint64_t>(sent);
  d.time = time;
  if (!text.empty()) d.payload = make_payload<TextPayload>(std::move(text));
  return d;
}

inline Drop drop(const Delivery& d, std::size_t after, DropReason why) { return {d.event, d.time, after, why, d.payload}; }

// Any trace that a world could record, and some that it could not: causes that are missing, later
// or on another node, ids that are there twice.
inline Journal any_trace(const std::vector<std::uint32_t>& numbers) {
  Dice d(numbers);
  Journal j;
  declare_messages(j);
  const std::uint32_t nodes = 1 + d.below(4);
  for (std::uint32_t i = 0; i < nodes; ++i) j.processes.push_back(nasty_name(d, true));
  Time time = 0;
  EventId id = 0;
  while (!d.empty()) {
    time += d.below(3) ? d.below(5'000) : 0;
    id += d.below(8) ? 1 + d.below(3) : 0;
    const auto kind = static_cast<EventKind>(d.below(3) ? 1 + d.below(3) : d.below(event_kind_count));
    const EventId cause = id > 3 && d.below(5) ? id - d.below(4) : d.below(6);
    Delivery row = delivery(id, time, kind, d.below(nodes), d.below(nodes), cause, 0, static_cast<std::uint16_t>(d.below(4)));
    row.event.body[0] = d.below(3);
    row.event.body[2] = d.below(4) ? static_cast<std::uint64_t>(time) - std::min<std::uint64_t>(d.below(3'000), static_cast<std::uint64_t>(time))
                                   : ~std::uint64_t{0} - d.below(3);
    row.payload = d.below(2) ? make_payload<TextPayload>(nasty_name(d, true) + " ; # <b> %% } end") : nullptr;
    j.deliveries.push_back(row);
    if (d.below(4) == 0) {
      Delivery other = row;
      other.event.kind = static_cast<std::uint8_t>(d.below(2) ? EventKind::data : EventKind::datagram);
      other.event.type = static_cast<std::uint16_t>(d.below(4));
      if (d.below(4) == 0) other.event.target = nobody;
      other.event.cause = d.below(4) ? id - d.below(2) : no_event;
      other.time += d.below(2) ? d.below(4'000) : 0;  // lost when it would have come
      j.drops.push_back(drop(other, j.deliveries.size(), static_cast<DropReason>(d.below(drop_reason_count))));
    }
    if (d.below(4) == 0) {
      Mark mark;
      mark.time = time;
      mark.during = d.below(2) ? id : d.below(20);
      mark.node = d.below(3) ? d.below(nodes) : nobody;
      mark.name = j.names.id("leader_elected");
      mark.place = j.names.id(nasty_name(d, true));
      mark.text = nasty_name(d, true);
      j.marks.push_back(mark);
    }
    if (d.below(4) == 0) {
      Op op;
      op.time = time;
      op.process = d.below(nodes);
      op.kind = OpKind::send;
      op.outcome = static_cast<Outcome>(d.below(4));
      if (op.outcome != Outcome::invoke && !j.ops.empty() && j.ops.back().outcome == Outcome::invoke) {
        op.of = j.ops.size() - 1;
        op.process = j.ops.back().process;
      }
      op.message = named_message(j.names.id(nasty_name(d, false)));
      j.ops.push_back(op);
    }
  }
  return j;
}

}  // namespace mqlab::test
