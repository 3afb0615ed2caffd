// gui/canvas/canvas.h: a scene on screen, and what the user wants of it.
//
// A Canvas is given scenes and input, makes pictures, and tells wishes: what is hovered, clicked, dragged, zoomed at. It changes
// nothing itself; whoever owns it moves its view, builds the next scene, and gives it back. No window system is needed: a test
// pushes input, draws frames and reads wishes, as a window does.
//
// The rule of the mouse: a press and release within 4 logical pixels is a click, farther is a drag. A left drag that begins on an
// entity for which draggable() says yes drags it; any other left drag pans, or draws a rubber band when `drag_selects` or Shift
// is held (with both: pans). The middle button always pans. The wheel zooms at the mouse; with Shift, or sideways, it pans.
// Always true: 1. no click of a burst is lost (input_queue.h). 2. After input or a change, needs_frame() holds for a few frames and
// then no longer: an idle canvas costs nothing. 3. Wishes are those of the last frame only; a press that lost the focus wishes nothing.
// Elsewhere: the window that shows it (gui/qt), how scenes are painted (paint.h).
//
//     Canvas canvas;
//     canvas.resize(800, 600, 1.5F);
//     canvas.set_scene(topology(moment, view, canvas.measure()));
//     canvas.push(MouseMove{{10, 10}});
//     while (canvas.needs_frame()) show(canvas.frame(elapsed), canvas.wishes());
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gui/canvas/imgui_core.h"
#include "gui/canvas/picture.h"
#include "gui/core/scene.h"

namespace mqlab::gui {

// A number that can be turned while looking: drawn as a slider, in the upper right corner one below the other, or in a strip along the
// lower edge (Canvas::knobs_in_strip).
struct Knob {
  std::string id;      // of the change; unique
  std::string label;   // what it is: "latency"
  double min = 0, max = 1, value = 0;
  double step = 0;     // values are multiples of it, counted from min; 0: any value
  std::string unit{};  // shown after the value: "ms"
  // Where it can stand, in words; then min is 0, max the last one's number, step 1, and the words are shown for the value.
  std::vector<std::string> stops{};
  std::string name{};  // for who hears it alone; empty: the label
  // As it is shown: "20 ms".
  std::string value_text() const;
  bool operator==(const Knob&) const = default;
};

struct CanvasClick {
  Point at{};            // logical pixels
  EntityId entity{};     // none: on empty ground
  Modifiers modifiers{};
};

struct CanvasDrag {
  EntityId entity{};
  Point from{}, to{};
  bool done = false;     // the button was released
  Modifiers modifiers{};
};

struct CanvasZoom {
  float factor = 1;      // above 1: nearer
  Point at{};            // what is here stays here
  Modifiers modifiers{};
};

struct CanvasBand {
  Rect area{};
  bool done = false;
  Modifiers modifiers{};
};

struct KnobChange {
  std::string id;
  double value = 0;
  bool done = false;     // the slider was let go
};

enum class CursorShape : std::uint8_t { arrow, hand, move, cross };

// What the user did in the last frame.
struct CanvasWishes {
  std::optional<Point> pointer{};   // where the mouse is; none: not over the scene
  EntityId hovered{};
  std::optional<CanvasClick> clicked{}, double_clicked{}, right_clicked{};
  Point panned_by{};                // how far what is seen shall move
  std::optional<CanvasZoom> zoomed{};
  std::optional<CanvasBand> band{};
  std::optional<CanvasDrag> dragged{};
  std::vector<KnobChange> knobs{};
  CursorShape cursor = CursorShape::arrow;
};

class Canvas {
 public:
  explicit Canvas(std::shared_ptr<Fonts> fonts = nullptr);
  ~Canvas();

  // Size in logical pixels; `dpr` device pixels for each.
  void resize(float width, float height, float dpr = 1);
  void set_theme(Theme theme);
  void set_text_scale(float scale);
  void set_scene(Scene scene);
  // Knobs that are being turned keep the value under the hand.
  void set_knobs(std::vector<Knob> knobs);
  const std::vector<Knob>& knobs() const { return knobs_; }
  // The slider of a knob, logical pixels; empty: it has no room.
  Rect knob_area(std::size_t knob) const { return knob < knob_areas_.size() ? knob_areas_[knob] : Rect{}; }

  // The text shown beside the mouse for what it is over; empty: none. At first: what the scene says by Scene::name. Throws nothing.
  std::function<std::string(EntityId)> tip;
  std::function<bool(EntityId)> draggable;   // at first: nothing is
  // Knobs stand beside each other below the scene, as many as have room; what is built is that much less high.
  bool knobs_in_strip = false;
  float strip_height() const;                // logical pixels; 0: no strip, or no room for a knob
  bool drag_selects = false;
  bool show_remarks = true;                  // what the picture assumes or leaves out, in the lower right corner

  void push(InputEvent event);

  bool needs_frame() const;
  // `seconds` since the last frame, as they really passed: they tell a double click from two. The picture is good until the next frame.
  const Picture& frame(double seconds);
  // The same frame as triangles, for another presenter than the rasteriser: picture() stays what it was. Good until the next frame
  // of this canvas, or until a canvas with the same fonts bakes a further size.
  const ImDrawData& frame_as_triangles(double seconds);
  const CanvasWishes& wishes() const { return wishes_; }
  const Picture& picture() const { return picture_; }

  const Scene& scene() const { return scene_; }
  Theme theme() const { return core_.theme(); }
  const Fonts& fonts() { return core_.fonts(); }
  float width() const { return width_; }
  float height() const { return height_; }
  float dpr() const { return core_.dpr(); }
  // The size of a frame in pixels of the screen.
  int pixel_width() const { return std::max(1, static_cast<int>(width_ * core_.dpr() + 0.5F)); }
  int pixel_height() const { return std::max(1, static_cast<int>(height_ * core_.dpr() + 0.5F)); }
  // For builders of scenes: widths of text as it will be drawn.
  FontMeasure measure() const { return FontMeasure(core_.shared_fonts(), core_.dpr(), core_.text_scale()); }
  // How many frames were drawn, and the triangles of the last: for tests of what is done when.
  std::uint64_t frames() const { return frames_; }
  std::size_t triangles() const { return triangles_; }

 private:
  struct Press {
    Button button{};
    Point at{}, last{};
    EntityId entity{};
    bool moved = false;    // it is a drag
    enum class Means : std::uint8_t { pan, band, drag } means = Means::pan;
  };

  void draw(bool seen);
  void read_mouse(bool over_scene);
  void draw_knobs();
  void draw_knob_strip();
  // The slider of a knob, where ImGui's cursor is.
  void draw_slider(Knob& k, float width);
  std::size_t knobs_with_room() const;

  ImGuiCore core_;
  Scene scene_;
  float width_ = 1, height_ = 1;
  Picture picture_;
  CanvasWishes wishes_;
  std::optional<Press> press_;
  std::vector<Knob> knobs_;
  std::vector<Rect> knob_areas_;
  std::string turning_;   // id of the knob under the hand
  int settle_ = 3;
  bool laid_out_ = false;   // ImGui knows where its windows are
  std::uint64_t frames_ = 0;
  std::size_t triangles_ = 0;
};

}  // namespace mqlab::gui
