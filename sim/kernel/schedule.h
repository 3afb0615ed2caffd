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

#include <cstdint>
#include <stdexcept>
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
  // Keys in the queue, those of cancelled events included: never more than twice the pending ones and 257.
  std::size_t keys() const { return queue_size(); }
  std::uint64_t added() const { return sequence_ - 1; }

  // Adds an event; a due time in the past counts as now. Returns its id, never 0.
  EventId add(Time due, const Event& event) {
    const std::uint32_t slot = take_slot();
    const EventId id = (sequence_++ << 24) | slot;
    Event& record = slab_[slot];
    record = event;
    record.id = id;
    const Key key{id, static_cast<std::uint64_t>(due < now_ ? now_ : due)};
    if (kind_ == QueueKind::heap) heap_.push(key, [this](const Key& next) { __builtin_prefetch(&slab_[slot_of(next)]); });
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
    return kind_ == QueueKind::heap ? pop_from(heap_, until, out) : pop_from(radix_, until, out);
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
  static std::size_t slot_of(const Key& key) { return static_cast<std::size_t>(key.low & slot_mask); }

  template <class Queue>
  bool pop_from(Queue& queue, Time until, Event& out) {
    while (!queue.empty()) {
      const Key key = queue.top();
      if (static_cast<Time>(key.time) > until) return false;
      queue.pop();
      Event& record = slab_[slot_of(key)];
      if (record.id != key.low) {
        --dead_;
        continue;
      }
      now_ = static_cast<Time>(key.time);
      out = record;
      free_slot(static_cast<std::uint32_t>(slot_of(key)));
      return true;
    }
    return false;
  }

  void drop() {
    if (kind_ == QueueKind::heap) heap_.pop();
    else radix_.pop();
  }

  void skip_dead() {
    while (queue_size() != 0 && slab_[slot_of(top())].id != top().low) {
      drop();
      --dead_;
    }
  }

  std::uint32_t take_slot() {
    if (free_ == no_slot) {
      // 16.7 M events at once: the key has no room for more, and no machine much joy of it.
      if (slab_.size() > slot_mask) throw std::length_error("more than 2^24 events are pending at once");
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
    const auto dead = [this](const Key& k) { return slab_[slot_of(k)].id != k.low; };
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
