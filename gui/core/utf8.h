// gui/core/utf8.h: text of any origin, one character at a time.
//
// Bytes that are no UTF-8 (cut off, overlong, surrogates, beyond U+10FFFF) become U+FFFD, one for each byte, and reading goes on:
// what is shown may come from a file of anybody.
#pragma once

#include <string_view>

namespace mqlab::gui {

// Takes the first character off `text`. Requires: `text` is not empty.
inline char32_t next_character(std::string_view& text) {
  constexpr char32_t replacement = 0xFFFD;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  std::size_t length = 1;
  char32_t c = first, smallest = 0;
  if (first >= 0x80) {
    if (first >= 0xC2 && first <= 0xDF) length = 2, c = first & 0x1FU, smallest = 0x80;
    else if (first >= 0xE0 && first <= 0xEF) length = 3, c = first & 0x0FU, smallest = 0x800;
    else if (first >= 0xF0 && first <= 0xF4) length = 4, c = first & 0x07U, smallest = 0x10000;
    else length = 0;
    bool good = length != 0 && length <= text.size();
    for (std::size_t i = 1; good && i < length; ++i) {
      good = (byte(i) & 0xC0U) == 0x80U;
      c = c << 6U | (byte(i) & 0x3FU);
    }
    if (!good || c < smallest || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) length = 1, c = replacement;
  }
  text.remove_prefix(length);
  return c;
}

}  // namespace mqlab::gui
