// gui/core/event_index.h: what a view asks of a run of any length, without reading all of it.
//
// Always true: each answer equals that of a loop over all events (tests/gui).
//
//     EventIndex index(recording);
//     index.in_flight(now, [&](const Flight& f) { draw(f); });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gui/core/recording.h"

namespace mqlab::gui {

// A message on its way; a datagram or a part of a stream.
struct Flight {
  std::uint32_t event = 0;     // of its arrival, in Journal::deliveries
  NodeId from{}, to{};
  Time sent{}, arrived{};      // arrived: handled by its receiver
  MessageKind kind{};
  Traffic traffic{};
};

// A message on its way that never arrived.
struct LostFlight {
  std::uint32_t drop = 0;      // in Journal::drops
  NodeId from{}, to{};         // to: nobody, where it was sent to a connection that is long forgotten
  Time sent{}, over{};
  MessageKind kind{};
  Traffic traffic{};
  float part = 0;              // how far of its way it came
};

// A little of the way: what waits at its sender, for a cut to heal or a connection to open.
inline constexpr float waits_at = 0.12F;
// How far a message came that is dropped for this reason: to its receiver, half the way, or not from its sender.
float part_of_way(DropReason why);

// Events of one line in a stretch of time.
struct Density {
  std::uint32_t events = 0;
  std::uint32_t messages = 0;  // of these: arrivals
};

class EventIndex {
 public:
  explicit EventIndex(std::shared_ptr<const Recording> r);

  const Recording& recording() const { return *recording_; }
  // All messages with an arrival, in the order of their arrival.
  const std::vector<Flight>& flights() const { return flights_; }
  // Those with sent <= t < arrived.
  void in_flight(Time t, const std::function<void(const Flight&)>& visit) const;
  // Those whose time on the way touches [from, to]; at most `most`, and how many there are.
  std::size_t flights_between(Time from, Time to, std::size_t most, const std::function<void(const Flight&)>& visit) const;
  // All messages without an arrival, by the time at which they were over: as Journal::drops.
  const std::vector<LostFlight>& lost() const { return lost_; }
  // Those whose time on the way touches [from, to].
  void lost_between(Time from, Time to, const std::function<void(const LostFlight&)>& visit) const;
  // The event during which a message was sent that never arrived; events() when it was not recorded.
  std::size_t cause_of_drop(std::size_t drop) const;
  // Those that were answers to, or came of, what an event made happen, and were over before another one, or with it (it closed the connection); for, or of, its node:
  // what somebody waited for in vain. At most `most`, ascending.
  std::vector<std::uint32_t> lost_because_of(std::size_t event, std::size_t before, std::size_t most = 4) const;
  // Events of a line in each of `columns` equal parts of [from, to).
  std::vector<Density> density(NodeId line, Time from, Time to, std::size_t columns) const;
  // The events of one line, ascending.
  const std::vector<std::uint32_t>& events_of(NodeId line) const;
  // The next and the one before on the same line; events() when there is none.
  std::size_t next_on_line(std::size_t event) const;
  std::size_t previous_on_line(std::size_t event) const;
  // What made an event happen, and what it made happen: the event that added it; those that it added (up to `most`).
  std::size_t cause_of(std::size_t event) const;
  std::vector<std::uint32_t> effects_of(std::size_t event, std::size_t most = 64) const;
  // Rows and events in which a message of the application occurs.
  std::vector<OpIndex> ops_of(MessageId m) const;
  // The marks that were made during an event, ascending: (event, number of the mark). All of them are marks().
  using EventMark = std::pair<std::uint32_t, std::uint32_t>;
  std::span<const EventMark> marks_of(std::size_t event) const;
  std::span<const EventMark> marks() const { return marks_; }

 private:
  static constexpr std::size_t block = 256;
  std::size_t line_number(NodeId line) const;

  std::shared_ptr<const Recording> recording_;
  std::vector<Flight> flights_;
  std::vector<Time> earliest_;                        // the earliest sent of each block of flights
  std::vector<LostFlight> lost_;
  std::vector<Time> lost_earliest_;
  std::vector<std::vector<std::uint32_t>> lines_;     // by NodeId, the world's own last
  std::vector<std::vector<Time>> times_;              // as lines_: when each was, beside each other for density()
  std::vector<std::vector<std::uint32_t>> messages_;  // as lines_: so many messages are before each
  std::vector<std::uint32_t> place_on_line_;          // by event
  std::vector<std::pair<std::uint32_t, std::uint32_t>> effects_;  // (cause, effect), sorted
  std::vector<std::pair<MessageId, OpIndex>> ops_;    // sorted
  std::vector<EventMark> marks_;                      // sorted
};

}  // namespace mqlab::gui
