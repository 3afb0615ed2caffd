#include "gui/core/palette.h"

#include <algorithm>
#include <cmath>

namespace mqlab::gui {

namespace {

struct InkRow {
  Ink ink;
  std::string_view word;
  std::uint32_t colours[all_themes.size()];  // light, dark, high contrast light, high contrast dark
};

constexpr InkRow ink_rows[] = {
    {Ink::background, "background", {0xFFFFFF, 0x15181D, 0xFFFFFF, 0x000000}},
    {Ink::panel, "panel", {0xF4F6F8, 0x1E232A, 0xF2F2F2, 0x141414}},
    {Ink::grid, "grid", {0xD9DEE4, 0x2E353F, 0x9A9A9A, 0x6A6A6A}},
    {Ink::edge, "edge", {0x5F6B7A, 0x8C98A8, 0x262626, 0xE0E0E0}},
    {Ink::faint, "faint", {0x5F6875, 0x95A0AF, 0x3A3A3A, 0xC8C8C8}},
    {Ink::text, "text", {0x22282F, 0xD6DCE4, 0x000000, 0xFFFFFF}},
    {Ink::strong, "strong", {0x000000, 0xFFFFFF, 0x000000, 0xFFFFFF}},
    // Okabe-Ito: blue, orange, bluish green, reddish purple, sky blue, vermillion, yellow, and grey for black.
    {Ink::hue0, "hue0", {0x0072B2, 0x3D8FE0, 0x004E9E, 0x5AA5FF}},
    {Ink::hue1, "hue1", {0xC07600, 0xE69F00, 0xA85D00, 0xFFB000}},
    {Ink::hue2, "hue2", {0x00856A, 0x12B886, 0x006B52, 0x20D39C}},
    {Ink::hue3, "hue3", {0xC0569A, 0xD98ABF, 0xA3257A, 0xF08CCB}},
    {Ink::hue4, "hue4", {0x3592CC, 0x7CCBF7, 0x1F78B4, 0x9BDDFF}},
    {Ink::hue5, "hue5", {0xC94A00, 0xF0743A, 0xB02A00, 0xFF7A3D}},
    {Ink::hue6, "hue6", {0x857D00, 0xF0E442, 0x645F00, 0xFFF04D}},
    {Ink::hue7, "hue7", {0x4D4D4D, 0xA7ADB6, 0x262626, 0xB8B8B8}},
    {Ink::committed, "committed", {0x2F5D8A, 0x7FB2E5, 0x003B73, 0x9CCBFF}},
    {Ink::uncommitted, "uncommitted", {0x666F7B, 0x939DAB, 0x454545, 0xB8B8B8}},
    {Ink::leader, "leader", {0x815400, 0xF2C14E, 0x5E3B00, 0xFFD24D}},
    {Ink::follower, "follower", {0x4F6478, 0x9DB0C4, 0x2F4356, 0xC4D6E8}},
    {Ink::down, "down", {0xB3261E, 0xFF8A80, 0x8C0000, 0xFFA099}},
    {Ink::paused, "paused", {0x7A5B00, 0xE3C26B, 0x574000, 0xFFE08A}},
    {Ink::fault, "fault", {0xB3261E, 0xFF8A80, 0x8C0000, 0xFFA099}},
    {Ink::fault_band, "fault_band", {0xFBE3E1, 0x3E2023, 0xFFD9D6, 0x4A0000}},
    {Ink::violated, "violated", {0xB3261E, 0xFF8A80, 0x8C0000, 0xFFA099}},
    {Ink::holds, "holds", {0x1B6E3C, 0x6FD39A, 0x00502B, 0x7BF0AE}},
    {Ink::unknown, "unknown", {0x7A5B00, 0xE3C26B, 0x574000, 0xFFE08A}},
    {Ink::selection, "selection", {0x0B57D0, 0x8AB4F8, 0x0033A0, 0x9CC4FF}},
    {Ink::hover, "hover", {0x3B6FB5, 0xA9C7FF, 0x1C3F7A, 0xC4DAFF}},
    {Ink::cursor, "cursor", {0x111111, 0xFFFFFF, 0x000000, 0xFFFFFF}},
    {Ink::witness, "witness", {0xA8006D, 0xFF7AC6, 0x7A004F, 0xFF9AD5}},
    {Ink::pin, "pin", {0x6A3FB5, 0xC3A6FF, 0x43208A, 0xD8C4FF}},
};
static_assert(std::size(ink_rows) == ink_count);

const InkRow& row(Ink ink) {
  const std::size_t i = static_cast<std::size_t>(ink);
  return ink_rows[i < ink_count ? i : static_cast<std::size_t>(Ink::text)];
}

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < ink_count; ++i)
    if (static_cast<std::size_t>(ink_rows[i].ink) != i) return false;
  return true;
}
static_assert(rows_in_order());

double linear(std::uint8_t channel) {
  const double c = channel / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

double luminance(Rgba c) { return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b); }

std::array<double, 3> oklab(Rgba c) {
  const double r = linear(c.r), g = linear(c.g), b = linear(c.b);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s, 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

constexpr std::string_view theme_words[] = {"light", "dark", "high-contrast-light", "high-contrast-dark"};

}  // namespace

std::string_view word(Theme theme) { return theme_words[static_cast<std::size_t>(theme)]; }

std::optional<Theme> theme_of(std::string_view word) {
  for (const Theme t : all_themes)
    if (theme_words[static_cast<std::size_t>(t)] == word) return t;
  return std::nullopt;
}

std::string_view word(Ink ink) { return row(ink).word; }

Rgba colour(Ink ink, Theme theme) {
  const std::uint32_t c = row(ink).colours[static_cast<std::size_t>(theme)];
  return {static_cast<std::uint8_t>(c >> 16U), static_cast<std::uint8_t>(c >> 8U), static_cast<std::uint8_t>(c), 255};
}

std::string hexadecimal(Rgba c) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "#";
  for (const std::uint8_t v : {c.r, c.g, c.b}) {
    out += digits[v >> 4U];
    out += digits[v & 15U];
  }
  return out;
}

Rgba over(Rgba c, Rgba under) {
  const auto mix = [&](std::uint8_t top, std::uint8_t below) { return static_cast<std::uint8_t>((top * c.a + below * (255 - c.a) + 127) / 255); };
  return {mix(c.r, under.r), mix(c.g, under.g), mix(c.b, under.b), 255};
}

Rgba readable_on(Rgba surface) {
  const Rgba black{0, 0, 0, 255}, white{255, 255, 255, 255};
  return contrast(surface, black) >= contrast(surface, white) ? black : white;
}

double contrast(Rgba a, Rgba b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

double difference(Rgba a, Rgba b) {
  const auto x = oklab(a), y = oklab(b);
  return std::hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

}  // namespace mqlab::gui
