// gui/core/labels.h: text that fits and does not overlap.
//
// Always true: 1. fit() never gives a text wider than asked for, but for a single "…". 2. Occupancy never gives one place
// twice; asked in one order, it answers the same.
//
//     Occupancy taken(scene.width(), scene.height());
//     if (taken.take({x, y, measure.width(name), 14})) scene.text({x, y}, name, Ink::text);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gui/core/scene.h"

namespace mqlab::gui {

// The text, or as much of its beginning as fits with "…" after it; empty where not even that fits.
std::string fit(std::string_view text, float width, const TextMeasure& measure, float size = 1, Mono mono = Mono::no);

// Which parts of a picture have a label already: a grid of small cells.
class Occupancy {
 public:
  Occupancy(float width, float height);
  // True, and it is taken now: nothing is there, and all of it is in the picture.
  bool take(Rect r);
  bool is_free(Rect r) const;
  // Taken whatever is there.
  void block(Rect r);

 private:
  static constexpr float cell = 7;
  struct Cells {
    int left, top, right, bottom;  // the ends are out
  };
  Cells cells_of(Rect r) const;

  float width_, height_;
  int columns_, rows_;
  std::vector<bool> taken_;
};

// "orders/2" before "orders/10": numbers within texts count as numbers.
bool natural_less(std::string_view a, std::string_view b);

// 1234567 -> "1,234,567".
std::string with_commas(std::uint64_t n);

}  // namespace mqlab::gui
