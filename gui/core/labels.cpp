#include "gui/core/labels.h"

#include <algorithm>
#include <cmath>

namespace mqlab::gui {

std::string fit(std::string_view text, float width, const TextMeasure& measure, float size, Mono mono) {
  if (measure.width(text, size, mono) <= width) return std::string(text);
  const std::string dots = "…";
  if (measure.width(dots, size, mono) > width) return {};
  std::vector<std::size_t> ends{0};  // of characters
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0U) != 0x80U) ends.push_back(i + 1);
  // The longest beginning that fits; widths grow with the text.
  std::size_t low = 0, high = ends.size() - 1;
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (measure.width(std::string(text.substr(0, ends[middle])) + dots, size, mono) <= width) low = middle;
    else high = middle - 1;
  }
  std::string out(text.substr(0, ends[low]));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out + dots;
}

Occupancy::Occupancy(float width, float height)
    : width_(width), height_(height), columns_(std::max(1, static_cast<int>(std::ceil(width / cell)))), rows_(std::max(1, static_cast<int>(std::ceil(height / cell)))),
      taken_(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_)) {}

Occupancy::Cells Occupancy::cells_of(Rect r) const {
  const auto clamp = [](float v, int most) { return static_cast<int>(std::clamp(v, 0.0F, static_cast<float>(most))); };
  return {clamp(std::floor(r.x / cell), columns_), clamp(std::floor(r.y / cell), rows_), clamp(std::ceil(r.right() / cell), columns_), clamp(std::ceil(r.bottom() / cell), rows_)};
}

bool Occupancy::is_free(Rect r) const {
  if (!(r.x >= 0 && r.y >= 0 && r.right() <= width_ && r.bottom() <= height_)) return false;
  const Cells c = cells_of(r);
  for (int y = c.top; y < c.bottom; ++y)
    for (int x = c.left; x < c.right; ++x)
      if (taken_[static_cast<std::size_t>(y) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(x)]) return false;
  return true;
}

void Occupancy::block(Rect r) {
  if (!(r.w > 0 && r.h > 0)) return;
  const Cells c = cells_of(r);
  for (int y = c.top; y < c.bottom; ++y)
    for (int x = c.left; x < c.right; ++x) taken_[static_cast<std::size_t>(y) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(x)] = true;
}

bool Occupancy::take(Rect r) {
  if (!is_free(r)) return false;
  block(r);
  return true;
}

bool natural_less(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, k = 0;
  while (i < a.size() && k < b.size()) {
    if (!digit(a[i]) || !digit(b[k])) {
      if (a[i] != b[k]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[k]);
      ++i, ++k;
      continue;
    }
    const auto number = [&](std::string_view text, std::size_t& at) {
      while (at < text.size() && text[at] == '0') ++at;
      const std::size_t from = at;
      while (at < text.size() && digit(text[at])) ++at;
      return text.substr(from, at - from);
    };
    const std::string_view x = number(a, i), y = number(b, k);
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
  }
  if (i == a.size() && k == b.size()) return a < b;  // "01" and "1"
  return i == a.size();
}

std::string with_commas(std::uint64_t n) {
  const std::string digits = std::to_string(n);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace mqlab::gui
