#include "gui/qt/gl_surface.h"

#include <QCoreApplication>
#include <QEvent>

#include "gui/qt/renderer.h"

namespace mqlab::gui {
namespace {

constexpr int failures_max = 3;  // in a row: the context is made anew, and still no window can be drawn into

}  // namespace

class GlSurface::Window : public QWindow {
 public:
  explicit Window(GlSurface* surface) : surface_(surface) {}
  void forget() { surface_ = nullptr; }

 protected:
  void exposeEvent(QExposeEvent*) override {
    if (surface_ != nullptr) surface_->show();
  }
  bool event(QEvent* e) override {
    switch (e->type()) {
      case QEvent::UpdateRequest:
        if (surface_ != nullptr) surface_->show();
        return true;
      // A window system that lets no input through gives it here: it is the canvas's all the same, at the same place.
      case QEvent::MouseButtonPress:
      case QEvent::MouseButtonRelease:
      case QEvent::MouseButtonDblClick:
      case QEvent::MouseMove:
      case QEvent::Wheel:
        if (surface_ == nullptr || surface_->canvas_ == nullptr) return false;
        if (e->type() == QEvent::MouseButtonPress) surface_->canvas_->setFocus(Qt::MouseFocusReason);
        return QCoreApplication::sendEvent(surface_->canvas_, e);
      case QEvent::KeyPress:
      case QEvent::KeyRelease:
      case QEvent::Leave:
        if (surface_ == nullptr || surface_->canvas_ == nullptr) return false;
        return QCoreApplication::sendEvent(surface_->canvas_, e);
      default: return QWindow::event(e);
    }
  }

 private:
  GlSurface* surface_;
};

GlSurface::GlSurface(std::shared_ptr<GlRenderer> renderer, QWidget* canvas) : renderer_(std::move(renderer)), canvas_(canvas), window_(new Window(this)) {
  renderer_->prepare(*window_);
  window_->setFlags(window_->flags() | Qt::WindowTransparentForInput | Qt::WindowDoesNotAcceptFocus);
  container_ = QWidget::createWindowContainer(window_, canvas);
  container_->setAttribute(Qt::WA_TransparentForMouseEvents);
  container_->setFocusPolicy(Qt::NoFocus);
  fit();
  container_->show();
}

GlSurface::~GlSurface() {
  if (container_ != nullptr) {
    window_->forget();
    delete container_;
  }
  renderer_->release(picture_);
}

void GlSurface::fit() {
  if (container_ != nullptr && canvas_ != nullptr) container_->setGeometry(canvas_->rect());
}

bool GlSurface::draw(const ImDrawData& data, const Fonts& fonts, int width, int height, Rgba paper) {
  paper_ = paper;
  if (failures_ >= failures_max || !renderer_->draw(data, fonts, width, height, paper, picture_)) {
    RendererInUse::instance().fail(renderer_->failure());
    return false;
  }
  show();
  return true;
}

void GlSurface::set_frames(std::vector<GlFrame> frames) {
  if (frames == frames_) return;
  frames_ = std::move(frames);
  show();
}

void GlSurface::show() {
  if (container_ == nullptr || !window_->isExposed()) return;
  if (renderer_->show(picture_, *window_, paper_, frames_)) {
    failures_ = 0;
    return;
  }
  ++failures_;
  if (lost) lost();
}

}  // namespace mqlab::gui
