#include "gui/qt/time_bar.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QHelpEvent>
#include <QIcon>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "gui/core/go_to.h"

namespace mqlab::gui {
namespace {

constexpr int margin = 8;
constexpr int near_pixels = 4;

QString text_of(Time t) { return QString::fromStdString(format_time(t)); }

}  // namespace

TimeSlider::TimeSlider(Workspace* w, QWidget* parent) : QWidget(parent), workspace_(w) {
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setAccessibleName(tr("Time line"));
  setMouseTracking(true);
  connect(w, &Workspace::run_changed, this, [this] { read_run(); });
  connect(w, &Workspace::time_changed, this, [this] { update(); });
  connect(w, &Workspace::branches_changed, this, [this] { update(); });
  read_run();
}

void TimeSlider::set_theme(Theme l) {
  theme_ = l;
  update();
}

void TimeSlider::read_run() {
  timeline_ = {};
  violations_.clear();
  if (const auto r = workspace_->recording()) {
    timeline_ = workspace_->facts()->spacetime.timeline;
    violations_ = violations_of(*r);
  }
  update();
}

double TimeSlider::x_of(Time t) const {
  const auto r = workspace_->recording();
  const double end = r ? std::max<double>(1, static_cast<double>(r->end())) : 1;
  return margin + (width() - 2 * margin) * std::clamp(static_cast<double>(t) / end, 0.0, 1.0);
}

Time TimeSlider::time_at(double x) const {
  const auto r = workspace_->recording();
  if (!r) return 0;
  const double part = std::clamp((x - margin) / std::max(1, width() - 2 * margin), 0.0, 1.0);
  return static_cast<Time>(part * static_cast<double>(r->end()));
}

void TimeSlider::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  const double middle = height() / 2.0;
  const QRectF groove(margin, middle - 5, width() - 2 * margin, 10);
  p.setPen(QPen(palette().color(QPalette::Mid), 1));
  p.setBrush(palette().color(QPalette::Base));
  p.drawRoundedRect(groove, 3, 3);
  if (!workspace_->has_events()) return;
  // What lasts is a hatched band, so that it is told by more than its colour.
  const QColor fault = fault_ink(theme_);
  for (const FaultBand& b : timeline_.faults) {
    const double from = x_of(b.from), to = x_of(b.to);
    if (b.at_once()) {
      p.setPen(QPen(fault, 2));
      p.drawLine(QPointF(from, middle - 8), QPointF(from, middle + 8));
      continue;
    }
    const QRectF band(from, middle - 5, std::max(2.0, to - from), 10);
    QColor paper = fault;
    paper.setAlpha(60);
    p.setPen(Qt::NoPen);
    p.fillRect(band, paper);
    p.fillRect(band, QBrush(fault, Qt::BDiagPattern));
  }
  p.setBrush(bad_ink(theme_));
  p.setPen(Qt::NoPen);
  double last = -100;
  for (const std::size_t e : violations_) {  // a triangle that points down, above the groove
    const double x = x_of(workspace_->recording()->time_of(e));
    if (x - last < 1) continue;
    last = x;
    p.drawPolygon(QPolygonF({{x - 4, middle - 13}, {x + 4, middle - 13}, {x, middle - 5}}));
  }
  const Session& s = workspace_->session();
  if (s.has(s.current())) {  // pins: what was done by hand, below the groove
    p.setBrush(palette().color(QPalette::Link));
    for (const Intervention& i : s.branch(s.current()).spec.interventions) {
      const double x = x_of(i.fault.trigger.after);
      p.drawEllipse(QPointF(x, middle + 10), 4, 4);
    }
  }
  const double x = x_of(workspace_->time());
  p.setPen(QPen(palette().color(QPalette::Highlight), 2));
  p.drawLine(QPointF(x, 2), QPointF(x, height() - 2));
  p.setBrush(palette().color(QPalette::Highlight));
  p.drawEllipse(QPointF(x, middle), 5, 5);
  if (hasFocus()) {
    p.setPen(QPen(palette().color(QPalette::Highlight), 1, Qt::DotLine));
    p.setBrush(Qt::NoBrush);
    p.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

void TimeSlider::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  workspace_->play(false);
  workspace_->set_time(time_at(event->position().x()));
}

void TimeSlider::mouseMoveEvent(QMouseEvent* event) {
  if (event->buttons() & Qt::LeftButton) workspace_->set_time(time_at(event->position().x()));
}

void TimeSlider::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton && workspace_->has_events()) workspace_->set_event(workspace_->event());
}

void TimeSlider::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Left) return workspace_->step(-1);
  if (event->key() == Qt::Key_Right) return workspace_->step(1);
  const auto r = workspace_->recording();
  if (r && (event->key() == Qt::Key_PageUp || event->key() == Qt::Key_PageDown)) {
    const Time jump = std::max<Time>(1, r->end() / 20);
    return workspace_->set_time(workspace_->time() + (event->key() == Qt::Key_PageDown ? jump : -jump));
  }
  QWidget::keyPressEvent(event);
}

void TimeSlider::wheelEvent(QWheelEvent* event) {
  if (event->angleDelta().y() == 0) return;
  workspace_->step(event->angleDelta().y() > 0 ? -1 : 1);
  event->accept();
}

bool TimeSlider::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip || !workspace_->has_events()) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const auto r = workspace_->recording();
  const double x = help->pos().x();
  QStringList lines{text_of(time_at(x))};
  for (const FaultBand& b : timeline_.faults)
    if (x >= x_of(b.from) - near_pixels && x <= x_of(b.to) + near_pixels && lines.size() < 6) lines << tr("fault: %1").arg(QString::fromStdString(b.text));
  for (const VerdictRow& v : r->result().verdicts)
    if (v.report.verdict == Verdict::violated)
      for (const Finding& f : v.report.worst)
        if (std::abs(x_of(f.at) - x) <= near_pixels && lines.size() < 8) lines << QStringLiteral("%1: %2").arg(QLatin1String(v.report.anomaly->name), QString::fromStdString(f.sentence));
  QToolTip::showText(help->globalPos(), lines.join('\n'), this);
  return true;
}

TimeBar::TimeBar(Workspace* w, const ActionSet& actions, QWidget* parent) : QToolBar(tr("Time"), parent), workspace_(w) {
  setObjectName(QStringLiteral("time"));
  setMovable(false);
  setToolButtonStyle(Qt::ToolButtonIconOnly);
  for (const char* id : {"run.first", "run.back", "run.play", "run.forward", "run.last"}) addAction(actions[id]);
  play_ = actions["run.play"];
  buttons_ = {actions["run.first"], actions["run.back"], play_, actions["run.forward"], actions["run.last"]};
  connect(w, &Workspace::playing_changed, this, [this](bool on) {
    play_->setChecked(on);
    show_icons();
  });
  slider_ = new TimeSlider(w, this);
  addWidget(slider_);
  place_ = new QLabel(this);
  place_->setAccessibleName(tr("Place in the run"));
  addWidget(place_);
  speed_ = new QComboBox(this);
  speed_->setAccessibleName(tr("Speed"));
  speed_->setToolTip(tr("How much virtual time passes in a second of play (+ and - change it)"));
  speed_->setFocusPolicy(Qt::TabFocus);
  for (const PlaySpeed& s : play_speeds()) speed_->addItem(QString::fromUtf8(s.text), s.speed);
  connect(speed_, &QComboBox::activated, this, [this](int i) { workspace_->set_speed(speed_->itemData(i).toDouble()); });
  addWidget(speed_);
  go_to_ = new QLineEdit(this);
  go_to_->setObjectName(QStringLiteral("go_to"));
  go_to_->setPlaceholderText(tr("go to: 130ms  #87  lag g > 9"));
  go_to_->setToolTip(tr("A time (130ms, 2s), a distance (+2ms), an event (#87), or: next violation, next fault, next dropped, first, last.\n"
                        "Or a sentence about the state, and the run goes to where it is true: isr orders/0 < 3, leader orders/0 = B2,\n"
                        "lag billing > 100, backlog orders.billing > 50, state B1 = down, time > 15s and not members billing = 2.\n"
                        "`previous` before it searches backward; Esc calls a search off."));
  go_to_->setAccessibleName(tr("Go to"));
  fit_fields();
  go_to_->setClearButtonEnabled(true);
  connect(go_to_, &QLineEdit::returnPressed, this, [this] {
    const QString wrong = workspace_->go_to(go_to_->text());
    if (wrong.isEmpty()) {
      go_to_->clear();
      go_to_->clearFocus();
    } else {
      emit workspace_->told(wrong);
      go_to_->selectAll();
    }
  });
  addWidget(go_to_);
  auto* completer = new QCompleter(suggestions_ = new QStringListModel(this), this);
  completer->setFilterMode(Qt::MatchContains);
  completer->setCaseSensitivity(Qt::CaseInsensitive);
  completer->setMaxVisibleItems(14);
  completer->popup()->setMinimumWidth(fontMetrics().averageCharWidth() * 44);
  go_to_->setCompleter(completer);
  go_to_->installEventFilter(this);
  // While a search is under way the field says how far it is.
  connect(w, &Workspace::progress_changed, this, [this] {
    const SearchProgress p = workspace_->session().search();
    if (p.under_way && p.all > 0) emit workspace_->told(tr("Searching: %1 of %2 events looked at (Esc calls it off)").arg(p.done).arg(p.all));
  });
  connect(w, &Workspace::time_changed, this, &TimeBar::show_place);
  connect(w, &Workspace::run_changed, this, &TimeBar::show_place);
  connect(w, &Workspace::speed_changed, this, &TimeBar::show_speed);
  show_place();
  show_speed();
}

// Drawn here in the colour of the text: the style's own are black on any paper.
void TimeBar::show_icons() {
  const auto icon = [&](int which) {
    QPixmap picture(40, 40);
    picture.fill(Qt::transparent);
    QPainter p(&picture);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(Qt::NoPen);
    p.setBrush(palette_of(theme_).color(QPalette::ButtonText));
    const auto triangle = [&](qreal x, qreal w) { p.drawPolygon(QPolygonF({{x, 8}, {x + w, 20}, {x, 32}})); };
    switch (which) {
      case 0:
        p.drawRect(QRectF(6, 8, 5, 24));
        triangle(33, -20);
        break;
      case 1:
        p.drawRect(QRectF(28, 8, 5, 24));
        triangle(25, -17);
        break;
      case 2:
        if (workspace_->playing()) {
          p.drawRect(QRectF(9, 8, 8, 24));
          p.drawRect(QRectF(23, 8, 8, 24));
        } else {
          triangle(10, 22);
        }
        break;
      case 3:
        p.drawRect(QRectF(7, 8, 5, 24));
        triangle(15, 17);
        break;
      default:
        triangle(7, 20);
        p.drawRect(QRectF(29, 8, 5, 24));
        break;
    }
    picture.setDevicePixelRatio(2);
    return QIcon(picture);
  };
  for (std::size_t i = 0; i < buttons_.size(); ++i) buttons_[i]->setIcon(icon(static_cast<int>(i)));
}

void TimeBar::set_theme(Theme l) {
  theme_ = l;
  slider_->set_theme(l);
  show_icons();
}

// What can be typed is asked of the run when somebody is about to type.
bool TimeBar::eventFilter(QObject* watched, QEvent* event) {
  if (watched == go_to_ && event->type() == QEvent::FontChange) fit_fields();
  if (watched == go_to_ && event->type() == QEvent::FocusIn && suggestions_->stringList() != workspace_->go_to_suggestions()) suggestions_->setStringList(workspace_->go_to_suggestions());
  return QToolBar::eventFilter(watched, event);
}

void TimeBar::focus_go_to() {
  go_to_->setFocus(Qt::ShortcutFocusReason);
  go_to_->selectAll();
}

QString TimeBar::place_text() const {
  const auto r = workspace_->recording();
  if (!r) return tr("no run");
  if (r->events() == 0) return tr("no events");
  return QStringLiteral("%1 of %2   #%3 of %4").arg(text_of(workspace_->time()), text_of(r->end())).arg(workspace_->event()).arg(r->events() - 1);
}

void TimeBar::show_place() {
  place_->setText(QStringLiteral(" %1 ").arg(place_text()));
  // As wide as the widest place, so that nothing jumps while it plays.
  place_->setMinimumWidth(std::max(place_->minimumWidth(), place_->sizeHint().width()));
}

// By the size of the text.
void TimeBar::fit_fields() {
  go_to_->setFixedWidth(go_to_->fontMetrics().horizontalAdvance(go_to_->placeholderText()) + 24);
  speed_->setMinimumContentsLength(7);
}

void TimeBar::changeEvent(QEvent* event) {
  QToolBar::changeEvent(event);
  if (event->type() != QEvent::FontChange || !go_to_) return;
  place_->setMinimumWidth(0);
  fit_fields();
  show_place();
}

void TimeBar::show_speed() {
  int best = 0;
  for (int i = 0; i < speed_->count(); ++i)
    if (std::abs(std::log(speed_->itemData(i).toDouble() / workspace_->speed())) < std::abs(std::log(speed_->itemData(best).toDouble() / workspace_->speed()))) best = i;
  speed_->setCurrentIndex(best);
  const double exact = speed_->itemData(best).toDouble();
  speed_->setItemText(best, QString::fromUtf8(play_speeds()[static_cast<std::size_t>(best)].text));
  if (std::abs(exact - workspace_->speed()) > exact * 0.01) speed_->setItemText(best, QStringLiteral("× %1").arg(workspace_->speed(), 0, 'g', 3));
}

}  // namespace mqlab::gui
