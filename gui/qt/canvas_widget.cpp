#include "gui/qt/canvas_widget.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <QBackingStore>
#include <QContextMenuEvent>
#include <QFocusEvent>
#include <QImage>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPaintEngine>
#include <QPainter>
#include <QPointer>

#include <algorithm>
#include <cmath>
#include <map>

#include "gui/qt/gl_surface.h"
#include "gui/qt/renderer.h"

namespace mqlab::gui {
namespace {

constexpr int frame_ms = 16;
constexpr int settle_frames_max = 20;

Point point_of(const QPointF& p) { return {static_cast<float>(p.x()), static_cast<float>(p.y())}; }

std::optional<Button> button_of(Qt::MouseButton b) {
  if (b == Qt::LeftButton) return Button::left;
  if (b == Qt::RightButton) return Button::right;
  if (b == Qt::MiddleButton) return Button::middle;
  return std::nullopt;
}

}  // namespace

std::shared_ptr<Fonts> shared_fonts() {
  static const auto fonts = std::make_shared<Fonts>();
  return fonts;
}

CanvasWidget::CanvasWidget(const QString& name, QWidget* parent) : QWidget(parent), canvas_(std::make_unique<Canvas>(shared_fonts())) {
  install_canvas_accessibility();
  setAccessibleName(name);
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAttribute(Qt::WA_OpaquePaintEvent);
  frames_.setInterval(frame_ms);
  connect(&frames_, &QTimer::timeout, this, &CanvasWidget::draw_frame);
  since_.start();
  if (const auto& renderer = RendererInUse::instance().opengl()) {
    opengl_ = std::make_unique<GlSurface>(renderer, this);
    opengl_->lost = [this] { invalidate(); };
  }
}

CanvasWidget::~CanvasWidget() = default;

void CanvasWidget::invalidate() {
  dirty_ = true;
  wake();
}

void CanvasWidget::set_theme(Theme t) {
  canvas_->set_theme(t);
  invalidate();
}

void CanvasWidget::set_text_scale(float scale) {
  canvas_->set_text_scale(scale);
  invalidate();
}

void CanvasWidget::set_knobs(std::vector<Knob> knobs) {
  const std::vector<Knob> before = canvas_->knobs();
  canvas_->set_knobs(std::move(knobs));
  const std::vector<Knob>& now = canvas_->knobs();
  for (std::size_t i = 0; i < now.size() && i < before.size(); ++i) {
    if (now[i].value == before[i].value) continue;
    QAccessibleValueChangeEvent turned(this, QString::fromStdString(now[i].value_text()));
    turned.setChild(static_cast<int>(canvas_->scene().named().size() + i));
    QAccessible::updateAccessibility(&turned);
  }
  invalidate();
}

void CanvasWidget::turn_knob(std::size_t knob, double value) {
  const std::vector<Knob>& all = canvas_->knobs();
  if (knob >= all.size() || !wish || !std::isfinite(value)) return;
  CanvasWishes w;
  w.knobs.push_back({all[knob].id, std::clamp(value, all[knob].min, all[knob].max), true});
  wish(w);
}

void CanvasWidget::wake() {
  if (isVisible() && !frames_.isActive()) frames_.start();
}

void CanvasWidget::draw_frame() {
  if (!isVisible()) return frames_.stop();
  if (dirty_ && build) {
    dirty_ = false;
    const FontMeasure measure = canvas_->measure();
    canvas_->set_scene(build(static_cast<float>(width()), static_cast<float>(height()), measure));
    walked_to_ = std::min(walked_to_, static_cast<int>(canvas_->scene().named().size()) - 1);
  }
  if (!canvas_->needs_frame()) return frames_.stop();
  const double seconds = static_cast<double>(since_.restart()) / 1000;
  if (opengl_ == nullptr) {
    canvas_->frame(seconds);
  } else {
    const ImDrawData& triangles = canvas_->frame_as_triangles(seconds);
    if (!opengl_->draw(triangles, canvas_->fonts(), canvas_->pixel_width(), canvas_->pixel_height(), colour(Ink::background, canvas_->theme()))) {
      opengl_.reset();
      dirty_ = true;  // the next frame is of the processor
    }
  }
  const CanvasWishes& w = canvas_->wishes();
  switch (w.cursor) {
    case CursorShape::hand: setCursor(Qt::PointingHandCursor); break;
    case CursorShape::move: setCursor(Qt::ClosedHandCursor); break;
    case CursorShape::cross: setCursor(Qt::CrossCursor); break;
    default: unsetCursor(); break;
  }
  if (wish) wish(w);
  if (w.clicked && chosen) chosen(w.clicked->entity, w.clicked->at);
  if (w.right_clicked) emit menu_asked(w.right_clicked->entity, mapToGlobal(QPoint(static_cast<int>(w.right_clicked->at.x), static_cast<int>(w.right_clicked->at.y))));
  update();
}

void CanvasWidget::settle() {
  for (int i = 0; i < settle_frames_max && (dirty_ || canvas_->needs_frame()); ++i) draw_frame();
}

Picture CanvasWidget::pixels() { return opengl_ != nullptr ? opengl_->read() : canvas_->picture(); }

// What shows where the keyboard is: the thing it walked to, or the edge of the canvas. Empty: elsewhere.
QRectF CanvasWidget::keyboard_frame(bool& dashed) const {
  const auto& named = canvas_->scene().named();
  dashed = walked_to_ >= 0 && static_cast<std::size_t>(walked_to_) < named.size();
  if (!hasFocus()) return {};
  if (!dashed) return rect();
  const Rect r = named[static_cast<std::size_t>(walked_to_)].bounds;
  return {r.x - 2, r.y - 2, r.w + 4, r.h + 4};
}

void CanvasWidget::frame_opengl() {
  bool dashed = false;
  const QRectF at = keyboard_frame(dashed);
  const double dpr = devicePixelRatioF();
  const auto pixels = [&](double logical) { return std::max(1, static_cast<int>(logical * dpr + 0.5)); };
  std::vector<GlFrame> frames;
  if (!at.isEmpty())
    frames.push_back({QRect(static_cast<int>(at.x() * dpr), static_cast<int>(at.y() * dpr), pixels(at.width()), pixels(at.height())), dashed ? pixels(2) : pixels(1), dashed ? pixels(6) : 0,
                      palette().color(QPalette::Highlight)});
  opengl_->set_frames(std::move(frames));
}

void CanvasWidget::paintEvent(QPaintEvent*) {
  QPainter p(this);
  Picture shown;
  if (opengl_ != nullptr) {
    frame_opengl();
    // On the screen the window of OpenGL lies over it; only a picture of the widget (grab) asks for pixels.
    QBackingStore* store = backingStore();
    if (store != nullptr && p.paintEngine() != nullptr && p.paintEngine()->paintDevice() == store->paintDevice()) return;
    shown = opengl_->read();
  } else if (canvas_->picture().width() <= 1 || dirty_) {  // the first frame is not waited for
    fit();
    draw_frame();
  }
  const Picture& picture = opengl_ != nullptr ? shown : canvas_->picture();
  if (picture.width() > 0 && picture.height() > 0) {
    QImage image(reinterpret_cast<const uchar*>(picture.pixels().data()), picture.width(), picture.height(), picture.width() * 4, QImage::Format_RGBX8888);
    image.setDevicePixelRatio(devicePixelRatioF());
    p.drawImage(0, 0, image);
  }
  bool dashed = false;
  const QRectF at = keyboard_frame(dashed);
  if (at.isEmpty()) return;
  p.setPen(dashed ? QPen(palette().color(QPalette::Highlight), 2, Qt::DashLine) : QPen(palette().color(QPalette::Highlight), 1));
  p.drawRect(dashed ? at : at.adjusted(0, 0, -1, -1));
}

void CanvasWidget::fit() {
  canvas_->resize(static_cast<float>(width()), static_cast<float>(height()), static_cast<float>(devicePixelRatioF()));
  if (opengl_ != nullptr) opengl_->fit();
}

void CanvasWidget::resizeEvent(QResizeEvent*) {
  fit();
  invalidate();
}

void CanvasWidget::showEvent(QShowEvent*) {
  fit();
  invalidate();
}

void CanvasWidget::push(InputEvent e) {
  canvas_->push(std::move(e));
  wake();
}

void CanvasWidget::modifiers(Qt::KeyboardModifiers m) {
  const Modifiers now{m.testFlag(Qt::ControlModifier), m.testFlag(Qt::ShiftModifier), m.testFlag(Qt::AltModifier), m.testFlag(Qt::MetaModifier)};
  if (now == held_) return;
  held_ = now;
  push(ModifierChange{now});
}

void CanvasWidget::mousePressEvent(QMouseEvent* event) {
  walked_to_ = -1;
  modifiers(event->modifiers());
  push(MouseMove{point_of(event->position())});
  if (const auto b = button_of(event->button())) push(MouseButton{*b, true});
}

void CanvasWidget::mouseDoubleClickEvent(QMouseEvent* event) { mousePressEvent(event); }

void CanvasWidget::mouseReleaseEvent(QMouseEvent* event) {
  modifiers(event->modifiers());
  push(MouseMove{point_of(event->position())});
  if (const auto b = button_of(event->button())) push(MouseButton{*b, false});
}

void CanvasWidget::mouseMoveEvent(QMouseEvent* event) {
  modifiers(event->modifiers());
  push(MouseMove{point_of(event->position())});
}

void CanvasWidget::wheelEvent(QWheelEvent* event) {
  modifiers(event->modifiers());
  push(MouseMove{point_of(event->position())});
  push(MouseWheel{static_cast<float>(event->angleDelta().x()) / 120.0F, static_cast<float>(event->angleDelta().y()) / 120.0F});
  event->accept();
}

void CanvasWidget::leaveEvent(QEvent*) { push(MouseLeave{}); }

void CanvasWidget::focusInEvent(QFocusEvent* event) {
  push(FocusChange{true});
  QWidget::focusInEvent(event);
}

void CanvasWidget::focusOutEvent(QFocusEvent* event) {
  // A menu that opened over it takes the focus for a while only.
  if (event->reason() != Qt::PopupFocusReason) push(FocusChange{false});
  QWidget::focusOutEvent(event);
}

void CanvasWidget::walk(int by) {
  const auto& named = canvas_->scene().named();
  if (named.empty()) return;
  const int n = static_cast<int>(named.size());
  walked_to_ = walked_to_ < 0 ? (by > 0 ? 0 : n - 1) : (walked_to_ + by + n) % n;
  setAccessibleDescription(QString::fromStdString(named[static_cast<std::size_t>(walked_to_)].text));
  QAccessibleEvent focus(this, QAccessible::Focus);
  focus.setChild(walked_to_);
  QAccessible::updateAccessibility(&focus);
  update();
}

void CanvasWidget::keyPressEvent(QKeyEvent* event) {
  const auto& named = canvas_->scene().named();
  const bool there = walked_to_ >= 0 && static_cast<std::size_t>(walked_to_) < named.size();
  switch (event->key()) {
    case Qt::Key_Right:
    case Qt::Key_Down: return walk(1);
    case Qt::Key_Left:
    case Qt::Key_Up: return walk(-1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (there && chosen) {
        const Rect r = named[static_cast<std::size_t>(walked_to_)].bounds;
        chosen(named[static_cast<std::size_t>(walked_to_)].entity, {r.x + r.w / 2, r.y + r.h / 2});
      }
      return;
    default: QWidget::keyPressEvent(event);
  }
}

void CanvasWidget::contextMenuEvent(QContextMenuEvent* event) {
  event->accept();
  if (event->reason() != QContextMenuEvent::Keyboard) return;  // the mouse asks through the canvas, which knows what is under it
  const auto& named = canvas_->scene().named();
  if (walked_to_ < 0 || static_cast<std::size_t>(walked_to_) >= named.size()) return;
  const Rect r = named[static_cast<std::size_t>(walked_to_)].bounds;
  emit menu_asked(named[static_cast<std::size_t>(walked_to_)].entity, mapToGlobal(QPoint(static_cast<int>(r.x + r.w / 2), static_cast<int>(r.y + r.h / 2))));
}

bool CanvasWidget::event(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) wake();
  return QWidget::event(event);
}

// --- for screen readers ---

namespace {

class CanvasFace;

// What is drawn in a canvas and is no widget: it has no children.
class PartFace : public QAccessibleInterface {
 public:
  explicit PartFace(CanvasWidget* canvas) : canvas_(canvas) {}
  QObject* object() const override { return nullptr; }
  QWindow* window() const override { return nullptr; }
  QAccessibleInterface* childAt(int, int) const override { return nullptr; }
  QAccessibleInterface* parent() const override { return canvas_ ? QAccessible::queryAccessibleInterface(canvas_) : nullptr; }
  QAccessibleInterface* child(int) const override { return nullptr; }
  int childCount() const override { return 0; }
  int indexOfChild(const QAccessibleInterface*) const override { return -1; }
  void setText(QAccessible::Text, const QString&) override {}

 protected:
  // In logical pixels of the canvas, on the screen.
  QRect on_screen(const Rect& r) const {
    return {canvas_->mapToGlobal(QPoint(static_cast<int>(r.x), static_cast<int>(r.y))), QSize(static_cast<int>(std::ceil(r.w)), static_cast<int>(std::ceil(r.h)))};
  }
  QPointer<CanvasWidget> canvas_;
};

// One thing of a scene.
class ThingFace : public PartFace {
 public:
  ThingFace(CanvasWidget* canvas, int number) : PartFace(canvas), number_(number) {}
  bool isValid() const override { return canvas_ && thing(); }
  QString text(QAccessible::Text t) const override {
    const Named* n = thing();
    return n && (t == QAccessible::Name || t == QAccessible::Description) ? QString::fromStdString(n->text) : QString();
  }
  QRect rect() const override {
    const Named* n = thing();
    return n ? on_screen(n->bounds) : QRect();
  }
  QAccessible::Role role() const override { return QAccessible::ListItem; }
  QAccessible::State state() const override {
    QAccessible::State s;
    s.focusable = s.selectable = true;
    s.focused = canvas_ && canvas_->hasFocus() && canvas_->walked_to() == number_;
    return s;
  }
  int number() const { return number_; }

 private:
  const Named* thing() const {
    if (!canvas_) return nullptr;
    const auto& all = canvas_->scene().named();
    return static_cast<std::size_t>(number_) < all.size() ? &all[static_cast<std::size_t>(number_)] : nullptr;
  }
  int number_;
};

// One knob.
class KnobFace : public PartFace, public QAccessibleValueInterface, public QAccessibleActionInterface {
 public:
  KnobFace(CanvasWidget* canvas, std::size_t number) : PartFace(canvas), number_(number) {}
  bool isValid() const override { return knob(); }
  QString text(QAccessible::Text t) const override {
    const Knob* k = knob();
    if (!k) return {};
    if (t == QAccessible::Name) return QString::fromStdString(k->name.empty() ? k->label : k->name);
    return t == QAccessible::Value ? QString::fromStdString(k->value_text()) : QString();
  }
  QRect rect() const override {
    const Rect r = knob() ? canvas_->canvas().knob_area(number_) : Rect{};
    return r.w > 0 ? on_screen(r) : QRect();
  }
  QAccessible::Role role() const override { return QAccessible::Slider; }
  QAccessible::State state() const override {
    QAccessible::State s;
    s.offscreen = rect().isEmpty();  // where the picture has no room for it, it can be turned all the same
    return s;
  }
  void* interface_cast(QAccessible::InterfaceType t) override {
    if (t == QAccessible::ValueInterface) return static_cast<QAccessibleValueInterface*>(this);
    if (t == QAccessible::ActionInterface) return static_cast<QAccessibleActionInterface*>(this);
    return nullptr;
  }

  QVariant currentValue() const override { return knob() ? knob()->value : QVariant(); }
  void setCurrentValue(const QVariant& value) override {
    if (canvas_) canvas_->turn_knob(number_, value.toDouble());
  }
  QVariant maximumValue() const override { return knob() ? knob()->max : QVariant(); }
  QVariant minimumValue() const override { return knob() ? knob()->min : QVariant(); }
  QVariant minimumStepSize() const override { return knob() ? step() : QVariant(); }

  QStringList actionNames() const override { return {increaseAction(), decreaseAction()}; }
  void doAction(const QString& name) override {
    if (knob() && actionNames().contains(name)) canvas_->turn_knob(number_, knob()->value + (name == increaseAction() ? step() : -step()));
  }
  QStringList keyBindingsForAction(const QString&) const override { return {}; }
  std::size_t number() const { return number_; }

 private:
  const Knob* knob() const { return canvas_ && number_ < canvas_->canvas().knobs().size() ? &canvas_->canvas().knobs()[number_] : nullptr; }
  double step() const { return knob()->step > 0 ? knob()->step : (knob()->max - knob()->min) / 100; }
  std::size_t number_;
};

class CanvasFace : public QAccessibleWidget {
 public:
  explicit CanvasFace(CanvasWidget* canvas) : QAccessibleWidget(canvas, QAccessible::Chart), canvas_(canvas) {}
  ~CanvasFace() override {
    for (const auto& all : {children_, knobs_})
      for (const auto& [number, id] : all) QAccessible::deleteAccessibleInterface(id);
  }
  int childCount() const override { return things() + static_cast<int>(canvas_->canvas().knobs().size()); }
  QAccessibleInterface* child(int number) const override {
    if (number < 0 || number >= childCount()) return nullptr;
    if (number >= things()) {
      const int knob = number - things();
      if (const auto it = knobs_.find(knob); it != knobs_.end()) return QAccessible::accessibleInterface(it->second);
      auto* face = new KnobFace(canvas_, static_cast<std::size_t>(knob));
      knobs_[knob] = QAccessible::registerAccessibleInterface(face);
      return face;
    }
    const auto it = children_.find(number);
    if (it != children_.end()) return QAccessible::accessibleInterface(it->second);
    auto* face = new ThingFace(canvas_, number);
    children_[number] = QAccessible::registerAccessibleInterface(face);
    return face;
  }
  int indexOfChild(const QAccessibleInterface* child) const override {
    for (const auto& [number, id] : children_)
      if (QAccessible::accessibleInterface(id) == child) return number;
    for (const auto& [knob, id] : knobs_)
      if (QAccessible::accessibleInterface(id) == child) return things() + knob;
    return -1;
  }
  QAccessibleInterface* childAt(int x, int y) const override {
    const QPoint p = canvas_->mapFromGlobal(QPoint(x, y));
    for (std::size_t i = 0; i < canvas_->canvas().knobs().size(); ++i)
      if (canvas_->canvas().knob_area(i).contains({static_cast<float>(p.x()), static_cast<float>(p.y())})) return child(things() + static_cast<int>(i));
    const auto& all = canvas_->scene().named();
    for (std::size_t i = all.size(); i-- > 0;)
      if (all[i].bounds.contains({static_cast<float>(p.x()), static_cast<float>(p.y())})) return child(static_cast<int>(i));
    return nullptr;
  }
  QAccessibleInterface* focusChild() const override { return canvas_->walked_to() >= 0 ? child(canvas_->walked_to()) : nullptr; }

 private:
  int things() const { return static_cast<int>(canvas_->scene().named().size()); }
  CanvasWidget* canvas_;
  mutable std::map<int, QAccessible::Id> children_, knobs_;  // by number among the things, among the knobs
};

QAccessibleInterface* make_face(const QString& type, QObject* object) {
  if (type != QLatin1String("mqlab::gui::CanvasWidget")) return nullptr;
  auto* canvas = qobject_cast<CanvasWidget*>(object);
  return canvas ? new CanvasFace(canvas) : nullptr;
}

}  // namespace

void install_canvas_accessibility() {
  static bool done = false;
  if (done) return;
  done = true;
  QAccessible::installFactory(make_face);
}

}  // namespace mqlab::gui
