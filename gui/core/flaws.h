// gui/core/flaws.h: what is wrong with a picture and can be told without eyes.
//
// Two texts on each other; a text that is cut off at an edge; a picture that shows nothing and does not say why. What a later,
// filled area covers does not count: it is not seen.
//
// Elsewhere: what is wrong with widgets (gui/qt/view_tour.h), texts that are made to fit (labels.h).
//
//     for (const Flaw& f : flaws(scene, measure)) fmt::print("{}\n", f.sentence);
#pragma once

#include <string>
#include <vector>

#include "gui/core/scene.h"

namespace mqlab::gui {

struct Flaw {
  enum class Kind : std::uint8_t { overlap, cut_off, silent };
  Kind kind{};
  Rect where{};
  bool across = false;     // a cut goes through its width, not only its height
  std::string sentence{};  // "`orders/0` lies on `B1`"
};

// By kind, in the order of the shapes.
std::vector<Flaw> flaws(const Scene& s, const TextMeasure& measure);

// Where a text of a scene stands, whether it is seen or not. Requires: a text.
Rect bounds_of_text(const Shape& text, const TextMeasure& measure);

}  // namespace mqlab::gui
