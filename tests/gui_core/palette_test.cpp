#include "gui/core/palette.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

namespace mqlab::gui {
namespace {

constexpr Ink surfaces[] = {Ink::background, Ink::panel, Ink::grid, Ink::fault_band};
constexpr Ink hues[] = {Ink::hue0, Ink::hue1, Ink::hue2, Ink::hue3, Ink::hue4, Ink::hue5, Ink::hue6, Ink::hue7};

bool is_one_of(Ink ink, std::span<const Ink> list) { return std::find(list.begin(), list.end(), ink) != list.end(); }
bool is_high_contrast(Theme t) { return t == Theme::high_contrast_light || t == Theme::high_contrast_dark; }

// WCAG 2, 1.4.3 and 1.4.11: 4.5:1 for text, 3:1 for lines and symbols; 1.4.6: 7:1 for text that must be read by all.
TEST(Palette, EveryInkCanBeSeenOnItsPaper) {
  for (const Theme theme : all_themes)
    for (std::size_t i = 0; i < ink_count; ++i) {
      const Ink ink = static_cast<Ink>(i);
      if (is_one_of(ink, surfaces)) continue;
      const bool line = is_one_of(ink, hues) || ink == Ink::edge;
      const double wanted = is_high_contrast(theme) ? (line || ink == Ink::uncommitted ? 4.5 : 7.0) : (line ? 3.0 : 4.5);
      for (const Ink paper : {Ink::background, Ink::panel})
        EXPECT_GE(contrast(colour(ink, theme), colour(paper, theme)), line && paper == Ink::panel ? wanted * 0.92 : wanted)
            << word(ink) << " on " << word(paper) << ", " << word(theme);
    }
}

TEST(Palette, TextIsReadOnGridAndFaultBands) {
  for (const Theme theme : all_themes)
    for (const Ink paper : {Ink::fault_band, Ink::panel, Ink::background})
      for (const Ink ink : {Ink::text, Ink::strong, Ink::faint, Ink::fault})
        EXPECT_GE(contrast(colour(ink, theme), colour(paper, theme)), 4.5) << word(ink) << " on " << word(paper) << ", " << word(theme);
}

TEST(Palette, HuesAreToldApart) {
  for (const Theme theme : all_themes)
    for (const Ink a : hues)
      for (const Ink b : hues)
        if (a < b) {
          EXPECT_GE(difference(colour(a, theme), colour(b, theme)), 0.09) << word(a) << " and " << word(b) << ", " << word(theme);
        }
}

TEST(Palette, SurfacesAreQuieterThanEdges) {
  for (const Theme theme : all_themes) {
    const Rgba paper = colour(Ink::background, theme);
    for (const Ink surface : {Ink::panel, Ink::grid, Ink::fault_band}) {
      EXPECT_GT(contrast(colour(surface, theme), paper), 1.05) << word(surface) << ", " << word(theme);
      EXPECT_LT(contrast(colour(surface, theme), paper), contrast(colour(Ink::edge, theme), paper)) << word(surface) << ", " << word(theme);
    }
  }
}

TEST(Palette, ContrastIsThatOfTheStandard) {
  EXPECT_NEAR(contrast({0, 0, 0}, {255, 255, 255}), 21.0, 1e-9);
  EXPECT_NEAR(contrast({0x77, 0x77, 0x77}, {255, 255, 255}), 4.48, 0.01);
  EXPECT_DOUBLE_EQ(contrast({10, 20, 30}, {10, 20, 30}), 1.0);
  EXPECT_NEAR(difference({0, 0, 0}, {255, 255, 255}), 1.0, 1e-3);
}

TEST(Palette, WordsGoBothWays) {
  for (const Theme theme : all_themes) EXPECT_EQ(theme_of(word(theme)), theme);
  EXPECT_EQ(theme_of("gloomy"), std::nullopt);
  EXPECT_EQ(word(Ink::fault_band), "fault_band");
  EXPECT_EQ(hexadecimal({0, 0x72, 0xB2}), "#0072b2");
}

TEST(Palette, OverIsWhatAScreenShows) {
  EXPECT_EQ(over({200, 100, 0, 255}, {0, 0, 0}), (Rgba{200, 100, 0, 255}));
  EXPECT_EQ(over({200, 100, 0, 0}, {1, 2, 3}), (Rgba{1, 2, 3, 255}));
  EXPECT_EQ(over({255, 255, 255, 51}, {0, 0, 0}), (Rgba{51, 51, 51, 255}));
  EXPECT_EQ(readable_on({255, 255, 0}), (Rgba{0, 0, 0, 255}));
  EXPECT_EQ(readable_on({0, 0, 128}), (Rgba{255, 255, 255, 255}));
}

}  // namespace
}  // namespace mqlab::gui
