// gui/core/svg.h: a scene as SVG, to print, to put on a page, to read without a script.
//
// The document stands alone: no font, style sheet or script from elsewhere. Colours are those of a theme. What can be pointed at
// carries data-entity ("node 3", "record 5 17") and says its name when pointed at and to a screen reader.
//
// Always true: 1. the same scene and options give the same bytes, in every locale. 2. The text is well-formed XML in UTF-8, whatever
// labels hold: markup is escaped, bytes that are no UTF-8 and characters that XML forbids become U+FFFD. 3. A shape with a number
// that is none is left out.
// Elsewhere: pixels (gui/canvas/paint.h). The looks are the same; letters are as wide as the reader's fonts make them.
//
//     std::ofstream("x.svg") << svg_of(scene, {.title = "orders/0 at 130 ms", .theme = Theme::light});
#pragma once

#include <string>
#include <string_view>

#include "gui/core/palette.h"
#include "gui/core/scene.h"

namespace mqlab::gui {

struct SvgOptions {
  std::string title{};      // said first by a screen reader
  std::string description{};
  Theme theme = Theme::light;
  bool remarks = true;      // what the picture assumes, as lines below it
  bool alone = true;        // with an XML declaration and a namespace; false: as an element of an HTML page
  std::string ids{};        // what ids begin with: for several pictures in one page. Letters and digits
};

std::string svg_of(const Scene& scene, const SvgOptions& options = {});

// "node 3", "link 1 2", "record 5 17"; empty for no entity.
std::string word(EntityId entity);
// For text and for attributes in double quotes.
std::string xml_escaped(std::string_view text);

}  // namespace mqlab::gui
