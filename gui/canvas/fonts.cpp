#include "gui/canvas/fonts.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include <imgui.h>

#include "gui/canvas/font_files.h"
#include "gui/core/utf8.h"

namespace mqlab::gui {

namespace {

constexpr ImWchar all_characters[] = {
    0x0020, 0x017F,                  // Latin
    0x0370, 0x03FF,                  // Greek
    0x0400, 0x045F,                  // Cyrillic
    0x2010, 0x205E, 0x2070, 0x209C,  // punctuation, raised and lowered digits
    0x2100, 0x214F, 0x2150, 0x218F,  // letterlike, fractions
    0x2190, 0x21FF, 0x2200, 0x22FF,  // arrows, mathematics
    0x2300, 0x23FF, 0x2500, 0x25FF,  // technical, boxes, blocks, geometric shapes
    0x2600, 0x26FF, 0x2700, 0x27BF,  // symbols, ticks and crosses
    0xFFFD, 0xFFFD, 0};
constexpr ImWchar letters_only[] = {0x0020, 0x00FF, 0x0370, 0x03FF, 0x2010, 0x2027, 0x2190, 0x2195, 0xFFFD, 0xFFFD, 0};  // of headlines

std::size_t index(Mono mono) { return mono == Mono::yes ? 1 : 0; }

}  // namespace

Fonts::Fonts() {
  bake({{static_cast<int>(normal_line), Mono::no}, {static_cast<int>(normal_line), Mono::yes}});
}

Fonts::~Fonts() = default;

int Fonts::pixels(float size, float scale) {
  const float wanted = normal_line * size * scale;
  if (!(wanted > 5)) return 5;
  return static_cast<int>(std::min(wanted, 128.0F) + 0.5F);
}

bool Fonts::bake(const std::set<std::pair<int, Mono>>& sizes) {
  bool fresh = false;
  for (const auto& s : sizes)
    if (sizes_.size() < sizes_max) fresh |= sizes_.insert({std::clamp(s.first, 5, 128), s.second}).second;
  if (fresh) build();
  return fresh;
}

void Fonts::build() {
  if (atlas_ == nullptr) atlas_ = std::make_unique<ImFontAtlas>();
  atlas_->Clear();
  atlas_->Flags = ImFontAtlasFlags_NoMouseCursors | ImFontAtlasFlags_NoBakedLines;
  baked_.clear();
  for (const auto& [pixels, mono] : sizes_) {
    const std::span<const unsigned char> file = mono == Mono::yes ? font_file_mono() : font_file_sans();
    ImFontConfig config;
    config.FontData = const_cast<unsigned char*>(file.data());  // it is only read
    config.FontDataSize = static_cast<int>(file.size());
    config.FontDataOwnedByAtlas = false;
    config.SizePixels = static_cast<float>(pixels);
    config.OversampleH = pixels <= 32 ? 4 : pixels <= 64 ? 2 : 1;  // phases of a pixel at which a character may start
    config.OversampleV = 1;
    config.GlyphRanges = pixels <= 48 ? all_characters : letters_only;
    baked_.push_back({{pixels, mono}, atlas_->AddFont(&config)});
  }
  unsigned char* coverage = nullptr;
  int width = 0, height = 0;
  atlas_->GetTexDataAsAlpha8(&coverage, &width, &height);
  texture_ = {width, height, coverage};
  static std::atomic<std::uint64_t> textures_made{0};
  texture_number_ = ++textures_made;
  atlas_->SetTexID(&texture_);
  for (const Mono mono : {Mono::no, Mono::yes}) {
    if (!advances_[index(mono)].empty()) continue;
    const ImFont& f = *font(static_cast<int>(normal_line), mono);
    for (const float a : f.IndexAdvanceX) advances_[index(mono)].push_back((a < 0 ? f.FallbackAdvanceX : a) / f.FontSize);
    advance_of_missing_[index(mono)] = f.FallbackAdvanceX / f.FontSize;
  }
}

ImFont* Fonts::font(int pixels, Mono mono) const {
  ImFont* largest = nullptr;
  for (const auto& [size, font] : baked_) {
    if (size.second != mono) continue;
    largest = font;
    if (size.first >= pixels) break;
  }
  return largest;
}

float Fonts::advance(char32_t c, Mono mono) const {
  const std::vector<float>& a = advances_[index(mono)];
  return c < a.size() ? a[c] : advance_of_missing_[index(mono)];
}

float Fonts::width(std::string_view text, Mono mono) const {
  float sum = 0;
  while (!text.empty()) sum += advance(next_character(text), mono);
  return sum;
}

float FontMeasure::width(std::string_view text, float size, Mono mono) const {
  return fonts_->width(text, mono) * static_cast<float>(Fonts::pixels(size, dpr_ * text_scale_)) / dpr_;
}

float FontMeasure::line_height(float size) const { return static_cast<float>(Fonts::pixels(size, dpr_ * text_scale_)) / dpr_; }

}  // namespace mqlab::gui
