// sim/check/flat_map.h: small maps keyed by 64-bit numbers, for the checkers' hot path.
//
// FlatMap is open addressing with linear probing over one vector; PagedMap adds pages of sixteen
// cells, so that keys that lie close together (positions, numbered messages) lie close in memory.
// Their one rule: nobody walks over them, so their inner order can decide nothing.
//
// Always true: 1. a copy shares nothing.  2. Pointers and references die with the next insertion.
//
//     FlatMap<int> m;
//     m[42] = 7;
//     if (const int* v = m.find(42)) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/kernel/random.h"

namespace mqlab {

template <class V>
class FlatMap {
 public:
  const V* find(std::uint64_t key) const { return const_cast<FlatMap*>(this)->find(key); }
  V* find(std::uint64_t key) {
    if (key == empty_key) return has_extreme_ ? &extreme_ : nullptr;
    if (slots_.empty()) return nullptr;
    for (std::size_t i = splitmix64(key) & mask();; i = (i + 1) & mask()) {
      if (slots_[i].key == key) return &slots_[i].value;
      if (slots_[i].key == empty_key) return nullptr;
    }
  }

  // The value of `key`, made with V{} when it is new.
  V& operator[](std::uint64_t key) {
    if (key == empty_key) {
      size_ += has_extreme_ ? 0 : 1;
      has_extreme_ = true;
      return extreme_;
    }
    if ((size_ + 1) * 8 > slots_.size() * 5) grow();
    for (std::size_t i = splitmix64(key) & mask();; i = (i + 1) & mask()) {
      if (slots_[i].key == key) return slots_[i].value;
      if (slots_[i].key != empty_key) continue;
      slots_[i].key = key;
      ++size_;
      return slots_[i].value;
    }
  }

  // Forgets the key. What was behind it in its run moves up, so that no grave is left.
  void erase(std::uint64_t key) {
    if (key == empty_key) {
      size_ -= has_extreme_ ? 1 : 0;
      has_extreme_ = false;
      extreme_ = V{};
      return;
    }
    if (slots_.empty()) return;
    std::size_t hole = splitmix64(key) & mask();
    while (slots_[hole].key != key) {
      if (slots_[hole].key == empty_key) return;
      hole = (hole + 1) & mask();
    }
    for (std::size_t i = (hole + 1) & mask(); slots_[i].key != empty_key; i = (i + 1) & mask()) {
      const std::size_t home = splitmix64(slots_[i].key) & mask();
      if (((i - home) & mask()) < ((i - hole) & mask())) continue;  // it is at home between the hole and here
      slots_[hole] = std::move(slots_[i]);
      hole = i;
    }
    slots_[hole] = Slot{};
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  // The one key that marks a free slot is kept beside the table.
  static constexpr std::uint64_t empty_key = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = empty_key;
    V value{};
  };

  std::size_t mask() const { return slots_.size() - 1; }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& s : old) {
      if (s.key == empty_key) continue;
      std::size_t i = splitmix64(s.key) & mask();
      while (slots_[i].key != empty_key) i = (i + 1) & mask();
      slots_[i] = std::move(s);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  bool has_extreme_ = false;
  V extreme_{};
};

// A sparse array: every cell exists and is T{} until written. Small keys find their page by number, others by hash.
template <class T>
class PagedMap {
 public:
  // The cell, or nullptr when nothing near it was ever written.
  const T* find(std::uint64_t key) const {
    const std::uint32_t n = number_of(key >> page_bits);
    return n != 0 ? &cells_[(std::size_t{n} - 1) * page_size + (key & page_mask)] : nullptr;
  }

  T& operator[](std::uint64_t key) {
    std::uint32_t n = number_of(key >> page_bits);
    if (n == 0) n = add(key >> page_bits);
    return cells_[(std::size_t{n} - 1) * page_size + (key & page_mask)];
  }

 private:
  static constexpr unsigned page_bits = 4;
  static constexpr std::size_t page_size = std::size_t{1} << page_bits;
  static constexpr std::uint64_t page_mask = page_size - 1;

  // The page's number among the cells, from 1; 0 = there is none.
  std::uint32_t number_of(std::uint64_t page) const {
    if (page < near_.size()) return near_[page];
    const std::uint32_t* n = far_.find(page);
    return n ? *n : 0;
  }
  std::uint32_t add(std::uint64_t page) {
    cells_.resize(cells_.size() + page_size);
    const std::size_t number = cells_.size() / page_size;
    // A table of near pages, as long as it stays small beside the cells.
    const std::size_t near_end = 64 + 4 * number;
    if (page >= near_.size() && page < near_end) {
      std::size_t p = near_.size();
      near_.resize(near_end);
      for (; p < near_end && far_.size() > 0; ++p) {
        if (const std::uint32_t* n = far_.find(p)) near_[p] = *n;
      }
    }
    return (page < near_.size() ? near_[page] : far_[page]) = static_cast<std::uint32_t>(number);
  }

  std::vector<std::uint32_t> near_;  // by page
  FlatMap<std::uint32_t> far_;
  std::vector<T> cells_;
};

// The key of a pair of dense numbers.
constexpr std::uint64_t pair_key(std::uint32_t a, std::uint32_t b) { return std::uint64_t{a} << 32 | b; }

}  // namespace mqlab
