// gui/core/labels.h: text that fits and does not overlap.
//
// Always true: 1. fit(), fit_name(), wrap() and flow() never give a text wider than asked for. 2. Occupancy never gives one place
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

// For names, which often begin alike and end in a number: what does not fit is left out of the middle, "warehou…west-02".
std::string fit_name(std::string_view text, float width, const TextMeasure& measure, float size = 1);

// The words in as many lines as it takes, each no wider than asked for; a word wider than that is cut as fit() cuts it.
std::vector<std::string> wrap(std::string_view text, float width, const TextMeasure& measure, float size = 1);
// Remarks (Scene::remarks) in few lines: several share one where there is room, with " · " between.
std::vector<std::string> flow(const std::vector<std::string>& remarks, float width, const TextMeasure& measure, float size = 1);

// In place of a picture: a sentence in its middle, in as many lines as it takes, and for a screen reader.
void say_instead(Scene& s, const std::string& sentence, const TextMeasure& measure);

// How much larger than usual its text makes a picture: rows, boxes and cells grow with it. Never below 1.
float growth(const TextMeasure& measure);

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
// "1 event", "2,759 events".
std::string counted(std::uint64_t n, std::string_view what);

}  // namespace mqlab::gui
