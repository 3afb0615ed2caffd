// gui/canvas/fonts.h: the two fonts of the canvases, at whatever sizes are in use.
//
// DejaVu Sans and DejaVu Sans Mono are part of the binary: text looks the same on each machine, and nothing is looked up at run
// time. A size is baked for the pixels of the screen it is for, so text is sharp at any scale. Canvases may share one Fonts.
//
// The rule: text of relative size s is baked at round(15 s x scale) pixels, between 5 and 128; 15 is the height of a normal line
// in logical pixels. A character that the fonts lack is shown as U+FFFD.
// Always true: 1. widths do not depend on which sizes are baked. 2. What is drawn does not depend on when a size was baked.
// Elsewhere: who asks for widths (TextMeasure in gui/core/scene.h).
//
//     auto fonts = std::make_shared<Fonts>();
//     FontMeasure measure(fonts, 1.5F);          // a screen with three device pixels for two logical ones
//     measure.width("producer-1");               // logical pixels
#pragma once

#include <array>
#include <memory>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "gui/canvas/soft_raster.h"
#include "gui/core/scene.h"

struct ImFont;
struct ImFontAtlas;

namespace mqlab::gui {

inline constexpr float normal_line = 15;     // logical pixels
inline constexpr std::size_t sizes_max = 24;  // baked at once; a further size is shown stretched from the nearest larger one

class Fonts {
 public:
  Fonts();
  ~Fonts();
  Fonts(const Fonts&) = delete;
  Fonts& operator=(const Fonts&) = delete;

  // The height in pixels at which text of a relative size is baked. `scale`: pixels of the screen for one logical pixel, times
  // how much larger the user wants text.
  static int pixels(float size, float scale);

  // Bakes what is not yet baked; true when something was. Requires: no frame of a canvas with these fonts is under way.
  bool bake(const std::set<std::pair<int, Mono>>& sizes);
  // The font of that height, else the nearest larger one, else the largest.
  ImFont* font(int pixels, Mono mono) const;

  // In parts of the height of a line.
  float advance(char32_t c, Mono mono) const;
  float width(std::string_view text, Mono mono) const;

  ImFontAtlas& atlas() { return *atlas_; }
  const CoverageTexture& texture() const { return texture_; }
  // Another one whenever the texture was made anew, and no two in a process are alike. Draw data is good for the texture of its own time only.
  std::uint64_t texture_number() const { return texture_number_; }

 private:
  void build();

  std::unique_ptr<ImFontAtlas> atlas_;
  CoverageTexture texture_{};
  std::uint64_t texture_number_ = 0;
  std::set<std::pair<int, Mono>> sizes_;
  std::vector<std::pair<std::pair<int, Mono>, ImFont*>> baked_;   // by size
  std::array<std::vector<float>, 2> advances_;                    // by character, for each of Mono
  std::array<float, 2> advance_of_missing_{};
};

// Widths for builders of scenes. `scale` as above; the answers are in logical pixels of a screen with `dpr` pixels each.
class FontMeasure : public TextMeasure {
 public:
  explicit FontMeasure(std::shared_ptr<const Fonts> fonts, float dpr = 1, float text_scale = 1)
      : fonts_(std::move(fonts)), dpr_(dpr), text_scale_(text_scale) {}
  float width(std::string_view text, float size = 1, Mono mono = Mono::no) const override;
  float line_height(float size = 1) const override;

 private:
  std::shared_ptr<const Fonts> fonts_;
  float dpr_, text_scale_;
};

}  // namespace mqlab::gui
