#include "gui/core/focus.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mqlab::gui {
namespace {

Focus at(std::size_t event) {
  Focus f;
  f.event = event;
  return f;
}

TEST(Focus, BackLeadsToWhereOneWas) {
  FocusHistory h;
  h.go(at(10));
  h.go(at(20));
  EXPECT_FALSE(h.can_go_forward());
  ASSERT_TRUE(h.back());
  EXPECT_EQ(h.now().event, 10U);
  ASSERT_TRUE(h.forward());
  EXPECT_EQ(h.now().event, 20U);
  h.back();
  h.go(at(30));
  EXPECT_FALSE(h.forward()) << "a new focus ends what was ahead";
}

TEST(Focus, StepsAreOnePlace) {
  FocusHistory h;
  h.go(at(10));
  for (std::size_t i = 11; i <= 50; ++i) h.step(at(i));
  EXPECT_EQ(h.now().event, 50U);
  h.back();
  EXPECT_EQ(h.now().event, 10U);
}

TEST(Focus, TheSameAgainIsNoNewPlace) {
  FocusHistory h;
  h.go(at(3));
  const std::size_t size = h.size();
  h.go(at(3));
  EXPECT_EQ(h.size(), size);
}

// Against a plain list and a position.
RC_GTEST_PROP(Focus, IsAListAndAPosition, (const std::vector<std::uint8_t>& wishes)) {
  FocusHistory h;
  std::vector<Focus> list{Focus{}};
  std::size_t place = 0;
  for (const std::uint8_t w : wishes) {
    if (w % 4 == 0) {
      RC_ASSERT(h.back() == (place > 0));
      if (place > 0) --place;
    } else if (w % 4 == 1) {
      RC_ASSERT(h.forward() == (place + 1 < list.size()));
      if (place + 1 < list.size()) ++place;
    } else {
      const Focus f = at(w);
      h.go(f);
      if (f == list[place]) continue;
      list.resize(place + 1);
      list.push_back(f);
      ++place;
    }
    RC_ASSERT(h.now() == list[place]);
  }
}

}  // namespace
}  // namespace mqlab::gui
