// sim/kernel/shared_vector.h: a row that grows at its end, and of which copies share what they have in common.
//
// For what a world keeps for ever and copies often: a log. A copy costs nothing and holds nothing of its own; both go on, and
// what one of them appends the other does not see. Elements lie side by side, so that a stretch is a span.
//
// The rule: elements lie in a block that all copies share, each with a length of its own. Whoever is as long as the block is
// full appends in place: nobody else looks there. Whoever is shorter shares the next element if it is the same as the one to be
// appended (a run that is run again appends what was appended), and else takes a block of its own.
//
// Always true: 1. what one copy does changes nothing in another. 2. copies may be used in different threads, one thread each.
//
//     SharedVector<Batch> log;       log.push_back(b);
//     SharedVector<Batch> then = log;  log.push_back(c);      // then.size() == 1
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace mqlab {

template <class T>
class SharedVector {
 public:
  using value_type = T;
  using const_iterator = const T*;

  SharedVector() = default;
  explicit SharedVector(std::vector<T> items) : block_(items.empty() ? nullptr : new Block(items.size())), size_(items.size()) {
    if (!block_) return;
    std::uninitialized_move(items.begin(), items.end(), block_->items);
    block_->fill(size_);
  }
  SharedVector(const SharedVector& o) : block_(o.block_), size_(o.size_) {
    if (block_) block_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SharedVector(SharedVector&& o) noexcept : block_(std::exchange(o.block_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  SharedVector& operator=(SharedVector o) noexcept {
    std::swap(block_, o.block_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~SharedVector() { leave(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* data() const { return block_ ? block_->items : nullptr; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  const T& operator[](std::size_t i) const { return block_->items[i]; }
  const T& front() const { return block_->items[0]; }
  const T& back() const { return block_->items[size_ - 1]; }

  // `same(a, b)`: a can stand for b in every respect.
  template <class Same>
  void push_back(T item, const Same& same) {
    if (block_ && size_ < block_->capacity) {
      if (sole()) return place(std::move(item));
      if (size_ < block_->written.load(std::memory_order_acquire)) {
        if (same(std::as_const(block_->items[size_]), std::as_const(item))) {
          ++size_;
          return;
        }
      } else if (std::size_t here = size_; block_->claimed.compare_exchange_strong(here, size_ + 1)) {
        std::construct_at(block_->items + size_, std::move(item));
        block_->written.store(++size_, std::memory_order_release);
        return;
      }
    }
    take_block(std::max<std::size_t>(least_capacity, size_ * 2));
    place(std::move(item));
  }
  void push_back(T item) {
    push_back(std::move(item), [](const T&, const T&) { return false; });
  }

  // Keeps the first n. Requires: n <= size().
  void truncate(std::size_t n) { size_ = n; }
  // Forgets the first n. Requires: n <= size().
  void drop(std::size_t n) {
    if (n > 0) *this = SharedVector(std::vector<T>(begin() + n, end()));
  }
  void clear() { *this = SharedVector(); }
  // Changes one element, here only. Requires: i < size().
  template <class Change>
  void change(std::size_t i, const Change& change) {
    if (!sole()) take_block(block_->capacity);
    change(block_->items[i]);
  }

  bool operator==(const SharedVector& o) const { return size_ == o.size_ && (block_ == o.block_ || std::equal(begin(), end(), o.begin())); }
  // They lie in one block: for tests of what copies cost.
  bool shares_with(const SharedVector& o) const { return block_ && block_ == o.block_; }

 private:
  static constexpr std::size_t least_capacity = 8;

  struct Block {
    explicit Block(std::size_t n) : items(std::allocator<T>().allocate(n)), capacity(n) {}
    ~Block() {
      std::destroy_n(items, written.load(std::memory_order_relaxed));
      std::allocator<T>().deallocate(items, capacity);
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    void fill(std::size_t n) {
      claimed.store(n, std::memory_order_relaxed);
      written.store(n, std::memory_order_relaxed);
    }

    T* const items;
    const std::size_t capacity;
    std::atomic<std::size_t> claimed{0};  // somebody appends up to here ...
    std::atomic<std::size_t> written{0};  // ... and up to here it is done
    std::atomic<std::size_t> owners{1};
  };

  bool sole() const { return block_->owners.load(std::memory_order_acquire) == 1; }
  // Requires: sole(), and there is room.
  void place(T item) {
    if (const std::size_t n = block_->written.load(std::memory_order_relaxed); n != size_) std::destroy(block_->items + size_, block_->items + n);
    std::construct_at(block_->items + size_, std::move(item));
    block_->fill(++size_);
  }
  void take_block(std::size_t capacity) {
    auto own = std::make_unique<Block>(capacity);
    if (block_ && sole()) std::uninitialized_move_n(block_->items, size_, own->items);
    else if (block_) std::uninitialized_copy_n(block_->items, size_, own->items);
    own->fill(size_);
    leave();
    block_ = own.release();
  }
  void leave() {
    if (block_ && block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete block_;
    block_ = nullptr;
  }

  Block* block_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mqlab
