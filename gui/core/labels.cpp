#include "gui/core/labels.h"

#include <algorithm>
#include <cmath>

namespace mqlab::gui {

namespace {

// Where characters end, after 0.
std::vector<std::size_t> ends_of_characters(std::string_view text) {
  std::vector<std::size_t> ends{0};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0U) != 0x80U) ends.push_back(i + 1);
  return ends;
}

// The most characters with which it fits, of 0 to `most`; widths grow with the text.
template <class Fits>
std::size_t as_many(std::size_t most, Fits fits) {
  std::size_t low = 0, high = most;
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

const std::string dots = "…";

}  // namespace

std::string fit(std::string_view text, float width, const TextMeasure& measure, float size, Mono mono) {
  if (measure.width(text, size, mono) <= width) return std::string(text);
  if (measure.width(dots, size, mono) > width) return {};
  const std::vector<std::size_t> ends = ends_of_characters(text);
  const std::size_t kept = as_many(ends.size() - 1, [&](std::size_t n) { return measure.width(std::string(text.substr(0, ends[n])) + dots, size, mono) <= width; });
  std::string out(text.substr(0, ends[kept]));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out + dots;
}

std::string fit_name(std::string_view text, float width, const TextMeasure& measure, float size) {
  if (measure.width(text, size) <= width) return std::string(text);
  if (measure.width(dots, size) > width) return {};
  const std::vector<std::size_t> ends = ends_of_characters(text);
  const std::size_t characters = ends.size() - 1;
  const auto with = [&](std::size_t n) { return std::string(text.substr(0, ends[(n + 1) / 2])) + dots + std::string(text.substr(ends[characters - n / 2])); };
  return with(as_many(characters, [&](std::size_t n) { return measure.width(with(n), size) <= width; }));
}

std::vector<std::string> wrap(std::string_view text, float width, const TextMeasure& measure, float size) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word(text.substr(at, end - at));
    at = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && measure.width(line + ' ' + word, size) <= width) {
      line += ' ' + word;
      continue;
    }
    if (!line.empty()) lines.push_back(std::move(line));
    line = fit(word, width, measure, size);
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> flow(const std::vector<std::string>& remarks, float width, const TextMeasure& measure, float size) {
  std::vector<std::string> lines;
  for (const std::string& r : remarks) {
    if (!lines.empty() && measure.width(lines.back() + " · " + r, size) <= width) {
      lines.back() += " · " + r;
      continue;
    }
    for (std::string& l : wrap(r, width, measure, size)) lines.push_back(std::move(l));
  }
  return lines;
}

void say_instead(Scene& s, const std::string& sentence, const TextMeasure& measure) {
  const std::vector<std::string> lines = wrap(sentence, std::min(s.width() - 24, 460.0F * growth(measure)), measure);
  float y = std::max((s.height() - measure.line_height() * static_cast<float>(lines.size())) / 2, 0.0F);
  for (const std::string& l : lines) {
    s.text({s.width() / 2, y}, l, Ink::faint, Anchor::centre);
    y += measure.line_height();
  }
  s.name({}, {0, 0, s.width(), s.height()}, sentence);
}

float growth(const TextMeasure& measure) { return std::max(1.0F, measure.line_height() / 16); }

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

std::string counted(std::uint64_t n, std::string_view what) { return with_commas(n) + ' ' + std::string(what) + (n == 1 ? "" : "s"); }

}  // namespace mqlab::gui
