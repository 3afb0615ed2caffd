#include "gui/core/flaws.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab::gui {
namespace {

constexpr float letters_begin = 0.15F, letters_end = 0.82F;  // of the height of a line: between are the letters
constexpr float touch = 1.5F;                                // pixels that do not count
constexpr std::uint8_t covers_from = 200;                    // opacity of an area that hides what is below

Rect common(Rect a, Rect b) {
  const float x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  return {x, y, std::max(std::min(a.right(), b.right()) - x, 0.0F), std::max(std::min(a.bottom(), b.bottom()) - y, 0.0F)};
}

bool holds(Rect outer, Rect inner) { return inner.x >= outer.x && inner.right() <= outer.right() && inner.y >= outer.y && inner.bottom() <= outer.bottom(); }

struct Text {
  std::size_t shape = 0;
  Rect whole{}, seen{};
};

}  // namespace

Rect bounds_of_text(const Shape& text, const TextMeasure& measure) {
  const float w = measure.width(text.label, text.width, text.mono);
  const float left = text.anchor == Anchor::left ? 0 : text.anchor == Anchor::centre ? w / 2 : w;
  return {text.from.x - left, text.from.y, w, measure.line_height(text.width)};
}

std::vector<Flaw> flaws(const Scene& s, const TextMeasure& measure) {
  std::vector<Flaw> overlaps, cuts, out;
  std::vector<Text> texts;
  std::vector<std::pair<std::size_t, Rect>> covers;  // areas that hide what is below
  const auto& shapes = s.shapes();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Shape& x = shapes[i];
    if (x.kind == ShapeKind::rectangle && x.filled && x.opacity >= covers_from) covers.emplace_back(i, common({x.from.x, x.from.y, x.to.x - x.from.x, x.to.y - x.from.y}, s.clips()[x.clip]));
    if (x.kind != ShapeKind::text || x.label.empty()) continue;
    Text t{i, bounds_of_text(x, measure), {}};
    t.whole.y += t.whole.h * letters_begin;
    t.whole.h *= letters_end - letters_begin;
    t.seen = common(common(t.whole, s.clips()[x.clip]), {0, 0, s.width(), s.height()});
    if (t.seen.w > 0 && t.seen.h > 0) texts.push_back(t);
  }
  const auto hidden = [&](const Text& t) { return std::any_of(covers.begin(), covers.end(), [&](const auto& c) { return c.first > t.shape && holds(c.second, t.seen); }); };
  std::erase_if(texts, hidden);
  // Against those to the left that reach so far.
  std::stable_sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) { return a.seen.x < b.seen.x; });
  std::vector<const Text*> open;
  for (const Text& t : texts) {
    std::erase_if(open, [&](const Text* o) { return o->seen.right() < t.seen.x + touch; });
    for (const Text* o : open) {
      const Rect both = common(o->seen, t.seen);
      if (both.w > touch && both.h > touch) overlaps.push_back({Flaw::Kind::overlap, both, true, fmt::format("`{}` lies on `{}`", shapes[t.shape].label, shapes[o->shape].label)});
    }
    open.push_back(&t);
    const float cut_x = t.whole.w - t.seen.w, cut_y = t.whole.h - t.seen.h;
    if (cut_x > touch || cut_y > touch + 1) cuts.push_back({Flaw::Kind::cut_off, t.seen, cut_x > touch, fmt::format("`{}` is cut off by {:.0f} x {:.0f} pixels", shapes[t.shape].label, std::max(cut_x, 0.0F), std::max(cut_y, 0.0F))});
  }
  out.insert(out.end(), overlaps.begin(), overlaps.end());
  out.insert(out.end(), cuts.begin(), cuts.end());
  if (texts.empty()) out.push_back({Flaw::Kind::silent, {0, 0, s.width(), s.height()}, true, "not a word stands in the picture"});
  return out;
}

}  // namespace mqlab::gui
