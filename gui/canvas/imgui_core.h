// gui/canvas/imgui_core.h: Dear ImGui without a window: input and time go in, draw data comes out.
//
// One unit is one pixel of the screen: on a dense screen fonts and spaces are larger, nothing is stretched, all is sharp.
//
// Always true: 1. the context is current during frame() and never else: several canvases, and other users of ImGui, live in one
// process. 2. The same sequence of inputs, sizes and times gives the same draw data. 3. No file is read or written. 4. Input
// reaches ImGui through the queue only (input_queue.h).
// Not for several threads: ImGui keeps its current context in a global.
//
//     ImGuiCore core;
//     core.input().push(MouseMove{{10, 10}});
//     const ImDrawData& data = core.frame(800, 600, 1 / 60.0F, [] { ImGui::Begin("x"); ImGui::End(); });
//     raster(data, picture);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "gui/canvas/fonts.h"
#include "gui/canvas/input_queue.h"
#include "gui/core/palette.h"

struct ImDrawData;
struct ImGuiContext;

namespace mqlab::gui {

class ImGuiCore {
 public:
  // Fonts of its own when none are given.
  explicit ImGuiCore(std::shared_ptr<Fonts> fonts = nullptr);
  ~ImGuiCore();
  ImGuiCore(const ImGuiCore&) = delete;
  ImGuiCore& operator=(const ImGuiCore&) = delete;

  void set_theme(Theme theme);
  // Pixels for one logical pixel, 0.5 to 8; and how much larger than normal text is, 0.5 to 4.
  void set_scale(float dpr, float text_scale = 1);
  Theme theme() const { return theme_; }
  float dpr() const { return dpr_; }
  float text_scale() const { return text_scale_; }

  InputQueue& input() { return input_; }
  bool input_waits() const { return input_.more(); }
  // The window went out of focus in the last frame, or in the one under way.
  bool lost_focus() const { return lost_focus_; }
  Fonts& fonts() { return *fonts_; }
  const std::shared_ptr<Fonts>& shared_fonts() const { return fonts_; }

  // One frame of width x height pixels, `dt` seconds after the last one. Takes from the queue what one frame may take. The data is
  // good until the next frame. Requires: `draw` ends what it begins, and throws nothing: ImGui asserts, in each kind of build.
  const ImDrawData& frame(int width, int height, float dt, const std::function<void()>& draw, bool with_input = true);

 private:
  void restyle();

  std::shared_ptr<Fonts> fonts_;
  ImGuiContext* context_;
  InputQueue input_;
  Theme theme_ = Theme::light;
  float dpr_ = 1, text_scale_ = 1;
  bool restyle_ = true;
  bool lost_focus_ = false;
};

// A number for all that draw data says: corners, colours, order, clip rectangles. Equal for equal frames of any context.
std::uint64_t draw_data_hash(const ImDrawData& data);

}  // namespace mqlab::gui
