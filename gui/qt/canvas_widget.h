// gui/qt/canvas_widget.h: a canvas (gui/canvas) as a widget: pictures in, input out, and a face for screen readers.
//
// The owner says how a scene is built and what becomes of wishes; this widget draws when something has changed, a few frames after each
// input, and then no more. Keys, menus and text entry stay with Qt.
//
// Always true: 1. a scene is built at most once a frame, however often invalidate() is called. 2. What can be pointed at can be walked to
// with the arrow keys, opened with the menu key, and is a child in the accessible tree (Scene::named). 3. Knobs are children there too,
// after the things of the scene: sliders with a name and a value, that can be set.
//
//     CanvasWidget c;
//     c.build = [&](float w, float h, const TextMeasure& m) { return topology(..., w, h, m); };
//     c.wish = [&](const CanvasWishes& w) { if (w.clicked) focus(w.clicked->entity); };
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include <functional>
#include <memory>

#include "gui/canvas/canvas.h"

namespace mqlab::gui {

class GlSurface;

// One for all canvases of the process: a font is baked once.
std::shared_ptr<Fonts> shared_fonts();

class CanvasWidget : public QWidget {
  Q_OBJECT

 public:
  explicit CanvasWidget(const QString& name, QWidget* parent = nullptr);
  ~CanvasWidget() override;

  std::function<Scene(float width, float height, const TextMeasure& measure)> build;
  std::function<void(const CanvasWishes&)> wish;
  // Something was clicked, or reached by keyboard and taken with Enter; none: empty ground.
  std::function<void(EntityId, Point)> chosen;

  Canvas& canvas() { return *canvas_; }
  const Scene& scene() const { return canvas_->scene(); }
  // The scene is built anew before the next frame.
  void invalidate();
  void set_theme(Theme t);
  void set_text_scale(float scale);
  // As Canvas::set_knobs; who hears them is told which have turned.
  void set_knobs(std::vector<Knob> knobs);
  // As if it had been turned by hand, and let go.
  void turn_knob(std::size_t knob, double value);
  // Draws what is due now, without waiting: for pictures and tests.
  void settle();
  bool settled() const { return !dirty_ && !canvas_->needs_frame(); }
  // The pixels on the screen, by whichever renderer: what OpenGL drew is read back from it.
  Picture pixels();
  // None: drawn by the processor.
  GlSurface* opengl() { return opengl_.get(); }
  // Where the keyboard is, in Scene::named(); -1: nowhere.
  int walked_to() const { return walked_to_; }

  QSize sizeHint() const override { return {480, 260}; }
  QSize minimumSizeHint() const override { return {160, 90}; }

 signals:
  void menu_asked(EntityId entity, const QPoint& global);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void showEvent(QShowEvent* event) override;
  bool event(QEvent* event) override;

 private:
  void push(InputEvent e);
  void modifiers(Qt::KeyboardModifiers m);
  void wake();
  void draw_frame();
  void walk(int by);
  void fit();
  QRectF keyboard_frame(bool& dashed) const;
  void frame_opengl();

  std::unique_ptr<Canvas> canvas_;
  std::unique_ptr<GlSurface> opengl_;
  QTimer frames_;
  QElapsedTimer since_;
  Modifiers held_{};
  bool dirty_ = true;
  int walked_to_ = -1;
};

// Once, before the first window: makes canvases speak to screen readers.
void install_canvas_accessibility();

}  // namespace mqlab::gui
