// gui/canvas/picture.h: pixels.
//
// Always true: pixels has width * height entries, row by row from the top; each is red, green, blue, alpha, in that order in
// memory on a little-endian machine (0xAABBGGRR): what ImGui calls IM_COL32 and Qt calls RGBA8888.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gui/core/palette.h"

namespace mqlab::gui {

constexpr std::uint32_t packed(Rgba c) {
  return static_cast<std::uint32_t>(c.a) << 24U | static_cast<std::uint32_t>(c.b) << 16U | static_cast<std::uint32_t>(c.g) << 8U | c.r;
}

class Picture {
 public:
  Picture() = default;
  Picture(int width, int height, Rgba paper = {255, 255, 255, 255})
      : width_(width), height_(height), pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), packed(paper)) {}

  int width() const { return width_; }
  int height() const { return height_; }
  std::uint32_t* row(int y) { return pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_); }
  const std::uint32_t* row(int y) const { return pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_); }
  // Requires: 0 <= x < width(), 0 <= y < height().
  std::uint32_t at(int x, int y) const { return row(y)[x]; }
  std::vector<std::uint32_t>& pixels() { return pixels_; }
  const std::vector<std::uint32_t>& pixels() const { return pixels_; }
  // The memory stays when the size does.
  void reset(int width, int height, Rgba paper) {
    width_ = width;
    height_ = height;
    pixels_.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), packed(paper));
  }
  bool operator==(const Picture&) const = default;

 private:
  int width_ = 0, height_ = 0;
  std::vector<std::uint32_t> pixels_;
};

}  // namespace mqlab::gui
