// gui/qt/gl_surface.h: a window of OpenGL that covers a canvas and shows its picture.
//
// A native window below a QWidget (QWidget::createWindowContainer) rather than a QOpenGLWidget: that one makes every repaint of the whole
// main window dearer. It takes no input and no focus: the mouse goes through it to the canvas, so clicks, menus, cursors,
// keys and screen readers are those of the canvas, with either renderer.
//
// Always true: 1. what was drawn last is shown again whenever the window system asks. 2. What a lost context took along is wished for
// again by `lost`. 3. A failure is told to RendererInUse, and draw() says false.
//
//     GlSurface s(renderer, canvas_widget);
//     s.lost = [&] { canvas_widget->invalidate(); };
//     s.draw(canvas.frame_as_triangles(dt), canvas.fonts(), canvas.pixel_width(), canvas.pixel_height(), paper);
#pragma once

#include <QPointer>
#include <QWidget>
#include <QWindow>

#include <functional>
#include <memory>
#include <vector>

#include "gui/qt/gl_renderer.h"

namespace mqlab::gui {

class GlSurface {
 public:
  GlSurface(std::shared_ptr<GlRenderer> renderer, QWidget* canvas);
  ~GlSurface();
  GlSurface(const GlSurface&) = delete;
  GlSurface& operator=(const GlSurface&) = delete;

  // The picture has to be drawn anew.
  std::function<void()> lost;

  // Covers the canvas again, after its size changed.
  void fit();
  // Draws, and shows it when the window is on the screen. False: OpenGL is of no more use.
  bool draw(const ImDrawData& data, const Fonts& fonts, int width, int height, Rgba paper);
  // What is drawn over the picture from now on: where the keyboard is.
  void set_frames(std::vector<GlFrame> frames);
  Picture read() { return renderer_->read(picture_); }
  GlRenderer& renderer() { return *renderer_; }

 private:
  class Window;

  void show();

  std::shared_ptr<GlRenderer> renderer_;
  QPointer<QWidget> canvas_, container_;   // the container is the canvas's child, and has the window
  Window* window_;
  GlPicture picture_;
  Rgba paper_{255, 255, 255, 255};
  std::vector<GlFrame> frames_;
  int failures_ = 0;
};

}  // namespace mqlab::gui
