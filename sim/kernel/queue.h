// sim/kernel/queue.h: two priority queues of 16-byte keys, behind the same calls.
//
// A key is (due time, order added, slot) as one 128-bit number; keys are unique, so every correct
// queue gives the same order, and a run must have one fingerprint on both. HeapQueue, a 4-ary
// implicit heap, is the default; RadixQueue wins from some ten thousand pending events on
// (docs/internals/kernel.md has the measurement).
//
// Always true: pop() gives the least key. RadixQueue takes any push, but one that is due before its
// last pop costs a rebuild; the schedule does that only after it has thrown cancelled keys away.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace mqlab {

struct Key {
  std::uint64_t low{};   // order added << 24 | slot
  std::uint64_t time{};  // nanoseconds

  __extension__ using Wide = unsigned __int128;
  constexpr Wide wide() const { return (static_cast<Wide>(time) << 64) | low; }
  friend constexpr bool operator<(const Key& a, const Key& b) { return a.wide() < b.wide(); }
  friend constexpr bool operator==(const Key&, const Key&) = default;
};

// Storage that starts at a cache line, so that four sibling keys share one.
template <class T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }
  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }
};

// 4-ary implicit heap. A pop leaves a hole at the root, which the next push fills: an event
// usually schedules another, and then half of the work is saved.
class HeapQueue {
 public:
  HeapQueue() : keys_(offset) {}

  bool empty() const { return size() == 0; }
  std::size_t size() const { return keys_.size() - offset - (hole_ ? 1 : 0); }

  // `touch` is called with the key that comes next as soon as that is known, so that its record can be
  // fetched from memory while the rest of the path is walked; only when a hole was filled.
  template <class Touch>
  void push(Key key, Touch touch) {
    if (hole_) {
      hole_ = false;
      sift_down(0, key, touch);
      return;
    }
    keys_.push_back(key);
    Key* const k = keys_.data() + offset;
    std::size_t at = keys_.size() - offset - 1;
    while (at > 0) {
      const std::size_t parent = (at - 1) / 4;
      if (!(key < k[parent])) break;
      k[at] = k[parent];
      at = parent;
    }
    k[at] = key;
  }
  void push(Key key) {
    push(key, [](const Key&) {});
  }

  // Requires: not empty.
  const Key& top() {
    settle();
    return keys_[offset];
  }

  // Requires: not empty.
  Key pop() {
    settle();
    hole_ = true;
    return keys_[offset];
  }

  // Drops every key for which `dead(key)`; the order of the others does not change.
  template <class Dead>
  void purge(Dead dead) {
    settle();
    keys_.erase(std::remove_if(keys_.begin() + offset, keys_.end(), dead), keys_.end());
    // Floyd's heapify: from the last parent up.
    const std::size_t n = keys_.size() - offset;
    for (std::size_t at = n < 2 ? 0 : (n - 2) / 4 + 1; at-- > 0;) sift_down(at, keys_[offset + at], [](const Key&) {});
  }

 private:
  static constexpr std::size_t offset = 3;  // children of i are 4i+1 .. 4i+4: index 4i+4 in storage, one cache line

  void settle() {
    if (!hole_) return;
    hole_ = false;
    const Key last = keys_.back();
    keys_.pop_back();
    if (keys_.size() > offset) sift_down(0, last, [](const Key&) {});
  }

  struct Placed {
    Key key{};
    std::size_t at = 0;
  };

  // The one with the lesser key, chosen by a mask: a branch here would be mispredicted half of the time, and an
  // index alone would have its key loaded once more before the next comparison can start.
  static Placed lesser(const Placed& a, const Placed& b) {
    const std::uint64_t second = 0 - static_cast<std::uint64_t>(b.key < a.key);
    const auto chosen = [second](std::uint64_t x, std::uint64_t y) { return x ^ ((x ^ y) & second); };
    return {{chosen(a.key.low, b.key.low), chosen(a.key.time, b.key.time)}, chosen(a.at, b.at)};
  }

  // Puts the key where it belongs at or below the empty place `at`.
  template <class Touch>
  void sift_down(std::size_t at, Key key, Touch touch) {
    Key* const k = keys_.data() + offset;
    const std::size_t n = keys_.size() - offset;
    const std::size_t top = at;
    for (;;) {
      const std::size_t child = 4 * at + 1;
      Placed least;
      if (child + 3 < n) {
        // The four groups below are four cache lines in a row; one of them is next.
        const auto below = reinterpret_cast<std::uintptr_t>(k) + (4 * child + 1) * sizeof(Key);
        for (std::uintptr_t line = 0; line < 256; line += 64) __builtin_prefetch(reinterpret_cast<const void*>(below + line));
        least = lesser(lesser({k[child], child}, {k[child + 1], child + 1}), lesser({k[child + 2], child + 2}, {k[child + 3], child + 3}));
      } else {
        if (child >= n) break;
        least = {k[child], child};
        for (std::size_t c = child + 1; c < n; ++c) least = lesser(least, {k[c], c});
      }
      if (!(least.key < key)) break;
      if (at == top) touch(least.key);
      k[at] = least.key;
      at = least.at;
    }
    k[at] = key;
  }

  std::vector<Key, CacheLineAllocator<Key>> keys_;
  bool hole_ = false;
};

// Radix heap (Ahuja, Mehlhorn, Orlin, Tarjan 1990) on the time; keys of one time stay in the order
// added. The least of each bucket is kept at push, so that top() does not move the base: a push
// between now and the next event must stay legal.
class RadixQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  void push(Key key) {
    if (key.time < base_) [[unlikely]] rebase(key.time);
    put(key);
    ++size_;
  }

  // Requires: not empty.
  Key top() const {
    const Bucket& b = buckets_[lowest()];
    return &b == &buckets_[0] ? b.keys[head_] : b.least;
  }

  // Requires: not empty.
  Key pop() {
    const std::size_t from = lowest();
    if (from != 0) refill(from);
    Bucket& now = buckets_[0];
    const Key key = now.keys[head_++];
    if (head_ == now.keys.size()) {
      now.keys.clear();
      head_ = 0;
      used_ &= ~1ULL;
    }
    --size_;
    return key;
  }

  template <class Dead>
  void purge(Dead dead) {
    buckets_[0].keys.erase(buckets_[0].keys.begin(), buckets_[0].keys.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
    size_ = 0;
    used_ = 0;
    used_high_ = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
      Bucket& b = buckets_[i];
      std::erase_if(b.keys, dead);
      if (b.keys.empty()) continue;
      size_ += b.keys.size();
      mark(i);
      b.least = b.keys[0];
      for (const Key& k : b.keys)
        if (k < b.least) b.least = k;
    }
  }

 private:
  static constexpr std::size_t bucket_count = 65;
  struct Bucket {
    std::vector<Key> keys;
    Key least{};
  };

  void mark(std::size_t i) {
    if (i < 64) used_ |= 1ULL << i;
    else used_high_ = 1;
  }
  std::size_t lowest() const { return used_ ? static_cast<std::size_t>(std::countr_zero(used_)) : 64; }

  void put(Key key) {
    const auto i = static_cast<std::size_t>(std::bit_width(key.time ^ base_));
    Bucket& b = buckets_[i];
    if (b.keys.empty() || key < b.least) b.least = key;
    b.keys.push_back(key);
    mark(i);
  }

  void refill(std::size_t from) {
    Bucket& b = buckets_[from];
    base_ = b.least.time;
    if (from < 64) used_ &= ~(1ULL << from);
    else used_high_ = 0;
    spare_.swap(b.keys);
    for (const Key& k : spare_) put(k);
    spare_.clear();
    if (b.keys.capacity() == 0) spare_.swap(b.keys);
  }

  // Starts again from an earlier base. Every key is put again in the order added, which its low word tells.
  void rebase(std::uint64_t base) {
    std::vector<Key> all;
    all.reserve(size_);
    buckets_[0].keys.erase(buckets_[0].keys.begin(), buckets_[0].keys.begin() + static_cast<std::ptrdiff_t>(head_));
    for (Bucket& b : buckets_) {
      all.insert(all.end(), b.keys.begin(), b.keys.end());
      b.keys.clear();
    }
    std::sort(all.begin(), all.end(), [](const Key& a, const Key& b) { return a.low < b.low; });
    head_ = 0;
    used_ = used_high_ = 0;
    base_ = base;
    for (const Key& k : all) put(k);
  }

  std::vector<Bucket> buckets_{bucket_count};
  std::vector<Key> spare_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t used_high_ = 0;
};

}  // namespace mqlab
