// gui/core/palette.h: which colour an ink is, theme by theme.
//
// The hues are those of Okabe and Ito, which people with any colour vision tell apart, made darker for light paper and
// lighter for dark paper: as published, its yellow is at 1.3:1 on white.
//
// Always true, and tested: 1. against the background and the panel of its theme, text of any kind and the ink of every state,
// verdict and gesture has a contrast of 4.5:1 or more; edges and hues have 3:1 or more. In a high contrast theme these are 7:1
// and 4.5:1. 2. Any two hues of a theme differ by 0.09 or more in OKLab. 3. Panel, grid and fault_band are surfaces: what is
// written on them can be read.
// Elsewhere: what an ink means (scene.h).
//
//     Rgba c = colour(Ink::hue0, Theme::dark);
//     contrast(c, colour(Ink::background, Theme::dark));   // 5.3
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gui/core/scene.h"

namespace mqlab::gui {

struct Rgba {
  std::uint8_t r = 0, g = 0, b = 0, a = 255;
  bool operator==(const Rgba&) const = default;
};

enum class Theme : std::uint8_t { light, dark, high_contrast_light, high_contrast_dark };
inline constexpr std::array all_themes = {Theme::light, Theme::dark, Theme::high_contrast_light, Theme::high_contrast_dark};

// "light", "dark", "high-contrast-light", "high-contrast-dark": in settings and on the command line.
std::string_view word(Theme theme);
std::optional<Theme> theme_of(std::string_view word);
constexpr bool is_dark(Theme theme) { return theme == Theme::dark || theme == Theme::high_contrast_dark; }

// "hue0", "fault_band": the names of inks, for classes in SVG and for messages of tests.
std::string_view word(Ink ink);

Rgba colour(Ink ink, Theme theme);
// "#0072b2", without opacity.
std::string hexadecimal(Rgba c);
// One over the other, as a screen shows it. Requires: `under` is opaque.
Rgba over(Rgba c, Rgba under);
// Black or white: what can be read on a surface of that colour.
Rgba readable_on(Rgba surface);

// How far apart in lightness two colours are, from 1 to 21 (WCAG 2: 4.5 for text, 3 for lines and symbols).
double contrast(Rgba a, Rgba b);
// How different two colours look: the distance in OKLab. 0.02 is just seen.
double difference(Rgba a, Rgba b);

}  // namespace mqlab::gui
