// Scenes as pictures: every pixel.
#include <gtest/gtest.h>

#include "gui/canvas/imgui_core.h"
#include "gui/canvas/paint.h"
#include "gui/canvas/png.h"
#include "tests/gui_canvas/every_shape.h"
#include "tests/gui_canvas/golden.h"

namespace mqlab::gui {
namespace {

TEST(Pictures, EveryShapeInEveryTheme) {
  const auto fonts = std::make_shared<Fonts>();
  for (const Theme theme : all_themes) expect_picture(picture_of(every_shape(), {theme, 1, 1}, fonts), "every-shape-" + std::string(word(theme)));
}

TEST(Pictures, EveryShapeOnDenseScreens) {
  const auto fonts = std::make_shared<Fonts>();
  for (const Theme theme : {Theme::light, Theme::dark}) {
    expect_picture(picture_of(every_shape(), {theme, 1.5F, 1}, fonts), "every-shape-" + std::string(word(theme)) + "-1.5");
    expect_picture(picture_of(every_shape(), {theme, 2, 1}, fonts), "every-shape-" + std::string(word(theme)) + "-2");
  }
}

}  // namespace
}  // namespace mqlab::gui
