// gui/canvas/font_files.h: the font files, as bytes of the binary.
#pragma once

#include <span>

namespace mqlab::gui {

std::span<const unsigned char> font_file_sans();  // DejaVuSans.ttf
std::span<const unsigned char> font_file_mono();  // DejaVuSansMono.ttf

}  // namespace mqlab::gui
