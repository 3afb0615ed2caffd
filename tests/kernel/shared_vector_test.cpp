// Copies that share, against vectors that do not.
#include "sim/kernel/shared_vector.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "sim/kernel/random.h"

namespace mqlab {
namespace {

using Item = std::shared_ptr<const int>;
Item item(int n) { return std::make_shared<const int>(n); }
bool same(const Item& a, const Item& b) { return *a == *b; }
std::vector<int> numbers(const SharedVector<Item>& v) {
  std::vector<int> out;
  for (const Item& i : v) out.push_back(*i);
  return out;
}

TEST(SharedVector, ACopyDoesNotSeeWhatIsAppendedLater) {
  SharedVector<int> a;
  for (int i = 0; i < 5; ++i) a.push_back(i);
  const SharedVector<int> b = a;
  a.push_back(5);
  EXPECT_TRUE(a.shares_with(b));
  EXPECT_EQ(b.size(), 5U);
  EXPECT_EQ(std::span<const int>(a).back(), 5);
}

TEST(SharedVector, TwoThatAppendPartWays) {
  SharedVector<int> a;
  for (int i = 0; i < 3; ++i) a.push_back(i);
  SharedVector<int> b = a;
  a.push_back(7);
  b.push_back(8);
  EXPECT_FALSE(a.shares_with(b));
  EXPECT_EQ(a.back(), 7);
  EXPECT_EQ(b.back(), 8);
}

// What a run appends that is run again was appended before.
TEST(SharedVector, WhoAppendsTheSameSharesIt) {
  SharedVector<Item> a;
  for (int i = 0; i < 3; ++i) a.push_back(item(i));
  SharedVector<Item> again = a;
  a.push_back(item(3), same);
  a.push_back(item(4), same);
  again.push_back(item(3), same);
  EXPECT_TRUE(again.shares_with(a));
  EXPECT_EQ(again.back(), a[3]);
  again.push_back(item(9), same);
  EXPECT_FALSE(again.shares_with(a));
  EXPECT_EQ(numbers(a), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(numbers(again), (std::vector<int>{0, 1, 2, 3, 9}));
}

TEST(SharedVector, NothingIsKeptThatNobodyHolds) {
  std::weak_ptr<const int> seen;
  SharedVector<Item> a;
  {
    const Item i = item(1);
    seen = i;
    a.push_back(i);
  }
  SharedVector<Item> b = a;
  a.clear();
  EXPECT_FALSE(seen.expired());
  b.truncate(0);
  b.push_back(item(2));
  EXPECT_TRUE(seen.expired());
}

// Four copies of each other do what comes into their heads; a vector each says what must be in them.
TEST(SharedVector, IsAVectorWhateverIsDone) {
  Random random(3, Stream::workload);
  std::vector<SharedVector<Item>> shared(4);
  std::vector<std::vector<int>> plain(4);
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t i = random.below(4), j = random.below(4);
    const int n = static_cast<int>(random.below(3));
    const std::size_t size = plain[i].size();
    switch (random.below(20)) {
      case 0:
        shared[i] = shared[j];
        plain[i] = plain[j];
        break;
      case 1:
        shared[i].truncate(size - size / 3);
        plain[i].resize(size - size / 3);
        break;
      case 2:
        shared[i].drop(size / 4);
        plain[i].erase(plain[i].begin(), plain[i].begin() + static_cast<std::ptrdiff_t>(size / 4));
        break;
      case 3:
        if (size == 0) break;
        shared[i].change(size / 2, [&](Item& x) { x = item(n); });
        plain[i][size / 2] = n;
        break;
      case 4:
        if (random.below(20) > 0) break;
        shared[i].clear();
        plain[i].clear();
        break;
      default:
        shared[i].push_back(item(n), same);
        plain[i].push_back(n);
        break;
    }
    for (std::size_t k = 0; k < 4; ++k) ASSERT_EQ(shared[k].size(), plain[k].size());
    for (std::size_t k = 0; k < 4 && step % 50 == 0; ++k) ASSERT_EQ(numbers(shared[k]), plain[k]) << step;
  }
  EXPECT_EQ(shared[0] == shared[1], plain[0] == plain[1]);
}

TEST(SharedVector, CopiesGoOnInThreadsOfTheirOwn) {
  SharedVector<Item> base;
  for (int i = 0; i < 100; ++i) base.push_back(item(i));
  std::vector<SharedVector<Item>> copies(8, base);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&copies, t] {
      // Half of them append the same, the others each what is theirs.
      for (int i = 0; i < 3'000; ++i) copies[static_cast<std::size_t>(t)].push_back(item(t < 4 ? i : i * 8 + t), same);
    });
  for (std::thread& t : threads) t.join();
  for (int t = 0; t < 8; ++t) {
    const std::vector<int> all = numbers(copies[static_cast<std::size_t>(t)]);
    ASSERT_EQ(all.size(), 3'100U);
    for (int i = 0; i < 3'000; ++i) ASSERT_EQ(all[static_cast<std::size_t>(100 + i)], t < 4 ? i : i * 8 + t);
  }
  EXPECT_EQ(base.size(), 100U);
}

}  // namespace
}  // namespace mqlab
