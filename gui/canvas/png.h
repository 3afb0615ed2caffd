// gui/canvas/png.h: pictures as PNG files, without a window system.
//
// Always true: what write_png wrote, read_png gives back, pixel by pixel. A file is written beside its name and then renamed: there
// is never half a picture. The bytes depend on libpng and zlib; compare pictures, not files.
#pragma once

#include <string>

#include "gui/canvas/picture.h"

namespace mqlab::gui {

// Both throw std::runtime_error with the path and the reason.
void write_png(const Picture& picture, const std::string& path);
Picture read_png(const std::string& path);

}  // namespace mqlab::gui
