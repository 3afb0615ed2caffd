// sim/kernel/schedule.h: the one clock and the one queue of a world.
//
// Holds what has not happened yet and gives it back in the order (due time, order added). There
// is no third rule; ties are never broken by content or address.
//
// Always true: 1. now() never goes back. 2. Nothing runs before it is due. 3. An id is never reused.
// Elsewhere: what an event means (sim/world/world.h).
//
//     Schedule s;
//     EventId id = s.add(s.now() + 5_ms, event);
//     s.cancel(id);
//     for (Event e; s.pop(10_ms, e);) handle(e);
#pragma once

#include <cassert>
#include <cstdint>
#include <vector>

#include "sim/kernel/event.h"
#include "sim/kernel/queue.h"
#include "sim/kernel/time.h"

namespace mqlab {

enum class QueueKind : std::uint8_t { heap, radix };

class Schedule {
 public:
  explicit Schedule(QueueKind kind = QueueKind::heap) : kind_(kind) {}

  Time now() const { return now_; }
  std::size_t pending() const { return queue_size() - dead_; }
  std::uint64_t added() const { return sequence_ - 1; }

  // Adds an event; a due time in the past counts as now. Returns its id, never 0.
  EventId add(Time due, const Event& event) {
    const std::uint32_t slot = take_slot();
    assert(sequence_ < (std::uint64_t{1} << 40) && slot < (1U << 24));
    const EventId id = (sequence_++ << 24) | slot;
    Event& record = slab_[slot];
    record = event;
    record.id = id;
    const Key key{id, static_cast<std::uint64_t>(due < now_ ? now_ : due)};
    if (kind_ == QueueKind::heap) heap_.push(key);
    else radix_.push(key);
    return id;
  }

  // True iff the event was still to come; it will not come then.
  bool cancel(EventId id) {
    const auto slot = static_cast<std::uint32_t>(id & slot_mask);
    if (id == no_event || slot >= slab_.size() || slab_[slot].id != id) return false;
    free_slot(slot);
    ++dead_;
    if (dead_ > 256 && dead_ * 2 > queue_size()) purge();
    return true;
  }

  // The event with this id, or null when it has happened or was cancelled.
  Event* find(EventId id) {
    const auto slot = static_cast<std::uint32_t>(id & slot_mask);
    return id != no_event && slot < slab_.size() && slab_[slot].id == id ? &slab_[slot] : nullptr;
  }

  // The due time of the next event, or time_max when there is none.
  Time next_due() {
    skip_dead();
    return queue_size() == 0 ? time_max : static_cast<Time>(top().time);
  }

  // Takes the next event due at or before `until` and moves the clock to it. False when there is none.
  bool pop(Time until, Event& out) {
    while (queue_size() != 0) {
      const Key key = top();
      const auto slot = static_cast<std::uint32_t>(key.low & slot_mask);
      if (slab_[slot].id != key.low) {
        drop();
        --dead_;
        continue;
      }
      if (static_cast<Time>(key.time) > until) return false;
      drop();
      now_ = static_cast<Time>(key.time);
      out = slab_[slot];
      free_slot(slot);
      return true;
    }
    return false;
  }

  // Moves the clock forward over a time in which nothing happens. Requires: no event due before t.
  void advance(Time t) {
    if (t > now_) now_ = t;
  }

  // Each event that is still to come, in no particular order: for inspection only.
  template <class Visit>
  void each_pending(Visit visit) const {
    for (const Event& e : slab_)
      if (e.id != no_event) visit(e);
  }

 private:
  static constexpr std::uint64_t slot_mask = (1ULL << 24) - 1;
  static constexpr std::uint32_t no_slot = 0xffffffff;

  std::size_t queue_size() const { return kind_ == QueueKind::heap ? heap_.size() : radix_.size(); }
  Key top() { return kind_ == QueueKind::heap ? heap_.top() : radix_.top(); }
  void drop() {
    if (kind_ == QueueKind::heap) heap_.pop();
    else radix_.pop();
  }

  void skip_dead() {
    while (queue_size() != 0 && slab_[static_cast<std::size_t>(top().low & slot_mask)].id != top().low) {
      drop();
      --dead_;
    }
  }

  std::uint32_t take_slot() {
    if (free_ == no_slot) {
      slab_.emplace_back();
      return static_cast<std::uint32_t>(slab_.size() - 1);
    }
    const std::uint32_t slot = free_;
    free_ = slab_[slot].target;
    return slot;
  }

  void free_slot(std::uint32_t slot) {
    slab_[slot].id = no_event;
    slab_[slot].target = free_;
    free_ = slot;
  }

  // Keys of cancelled events stay behind; once they are the majority, they go. The order does not notice.
  void purge() {
    const auto dead = [this](const Key& k) { return slab_[static_cast<std::size_t>(k.low & slot_mask)].id != k.low; };
    if (kind_ == QueueKind::heap) heap_.purge(dead);
    else radix_.purge(dead);
    dead_ = 0;
  }

  QueueKind kind_;
  HeapQueue heap_;
  RadixQueue radix_;
  std::vector<Event> slab_;
  std::uint32_t free_ = no_slot;
  std::size_t dead_ = 0;
  Time now_ = 0;
  std::uint64_t sequence_ = 1;
};

}  // namespace mqlab
