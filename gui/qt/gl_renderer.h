// gui/qt/gl_renderer.h: draw data of ImGui becomes pixels, by OpenGL.
//
// The same triangles that the rasteriser paints (gui/canvas/soft_raster.h), by its rules: a row of the picture is a row of texels, text at
// its own size takes the texel under each pixel's centre, stretched text is interpolated, nothing is multisampled since edges fade by
// themselves. Small differences stay, since a card rounds otherwise.
//
// One context for all canvases; the picture of each is kept in a GlPicture on the card, and shown from there as often as a window asks.
// OpenGL 3.3 core, or OpenGL ES 3.0.
// Always true: 1. no context is current between two calls. 2. When the context is lost (another driver, a card that was reset), the next
// draw() makes a new one; pictures of the old one are gone: holds() says so. 3. A failure is an answer, never an end.
// Not for several threads.
//
//     QString why;
//     if (auto gl = GlRenderer::make(why)) {
//       GlPicture p;
//       if (gl->draw(canvas.frame_as_triangles(dt), canvas.fonts(), 800, 600, paper, p)) gl->show(p, window, paper, {});
//       gl->release(p);
//     }
#pragma once

#include <QColor>
#include <QRect>
#include <QString>

#include <cstdint>
#include <memory>
#include <vector>

#include "gui/canvas/fonts.h"
#include "gui/canvas/picture.h"

class QWindow;
struct ImDrawData;

namespace mqlab::gui {

// A picture on the card. Belongs to the renderer that drew it.
struct GlPicture {
  unsigned int frame_buffer = 0, store = 0;
  int width = 0, height = 0;
  std::uint64_t context = 0;   // the number of the context that has it
};

// A rectangle over the picture whose edge is drawn inside it, in pixels of the screen.
struct GlFrame {
  QRect at{};
  int width = 1;
  int dash = 0;   // length of a dash and of a gap; 0: without gaps
  QColor colour{};
  bool operator==(const GlFrame&) const = default;
};

class GlRenderer {
 public:
  // None, and why, when there is no context that can do it. Requires: a platform with windows on a screen (renderer.h).
  static std::shared_ptr<GlRenderer> make(QString& why);
  ~GlRenderer();
  GlRenderer(const GlRenderer&) = delete;
  GlRenderer& operator=(const GlRenderer&) = delete;

  // As the driver names itself: "llvmpipe (LLVM 15.0.6, 256 bits)".
  const QString& name() const { return name_; }

  // A window that shows pictures must be of this kind.
  void prepare(QWindow& window) const;

  // False: failure() says why.
  bool draw(const ImDrawData& data, const Fonts& fonts, int width, int height, Rgba paper, GlPicture& into);
  // What is beyond the picture becomes paper. Requires: window.isExposed().
  bool show(const GlPicture& picture, QWindow& window, Rgba paper, const std::vector<GlFrame>& frames);
  bool holds(const GlPicture& picture) const;
  // The pixels of it; empty when it is gone.
  Picture read(const GlPicture& picture);
  void release(GlPicture& picture);
  const QString& failure() const { return failure_; }

  // As when the driver takes the context away; `for_good`: and gives no other. For tests.
  void lose_context(bool for_good = false);

 private:
  struct Context;

  GlRenderer();
  bool begin_context();
  bool current(QWindow* window);

  std::unique_ptr<Context> context_;
  std::uint64_t contexts_made_ = 0;
  QString name_, failure_;
  bool lost_for_good_ = false;
};

}  // namespace mqlab::gui
