// sim/record/markup.h: text as HTML and SVG take it.
#pragma once

#include <string>
#include <string_view>

namespace mqlab {

// The four characters that would be markup are named instead, and control characters, which XML knows none of, are blanks.
std::string as_markup(std::string_view text);

}  // namespace mqlab
