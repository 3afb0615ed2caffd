#include "gui/canvas/png.h"

#include <png.h>

#include <cstdio>
#include <stdexcept>

namespace mqlab::gui {

void write_png(const Picture& picture, const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width());
  image.height = static_cast<png_uint_32>(picture.height());
  image.format = PNG_FORMAT_RGBA;
  const std::string beside = path + ".part";
  if (png_image_write_to_file(&image, beside.c_str(), 0, picture.pixels().data(), 0, nullptr) == 0) {
    std::remove(beside.c_str());
    throw std::runtime_error(path + ": no PNG could be written: " + image.message);
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    std::remove(beside.c_str());
    throw std::runtime_error(path + ": cannot be written");
  }
}

Picture read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) throw std::runtime_error(path + ": " + image.message);
  constexpr png_uint_32 side_max = 1U << 15U;
  if (image.width > side_max || image.height > side_max) {
    png_image_free(&image);
    throw std::runtime_error(path + ": a picture of more than 32,768 pixels a side");
  }
  image.format = PNG_FORMAT_RGBA;
  Picture out(static_cast<int>(image.width), static_cast<int>(image.height));
  if (png_image_finish_read(&image, nullptr, out.pixels().data(), 0, nullptr) == 0) throw std::runtime_error(path + ": " + image.message);
  return out;
}

}  // namespace mqlab::gui
