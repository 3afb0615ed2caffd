#include "gui/qt/teller.h"

#include <QApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QMenu>
#include <QSaveFile>
#include <QStatusBar>
#include <QToolBar>

#include <cstdio>

#include "gui/qt/main_window.h"

namespace mqlab::gui {
namespace {

constexpr int look_ms = 40;

QJsonArray rectangle(const QWidget* w, double x, double y, double width, double height) {
  const QPoint corner = w->mapToGlobal(QPoint(0, 0));
  return {corner.x() + x, corner.y() + y, width, height};
}

QJsonArray rectangle(const QWidget* w) { return rectangle(w, 0, 0, w->width(), w->height()); }

const char* kind_word(EntityId::Kind k) {
  switch (k) {
    case EntityId::Kind::none: return "none";
    case EntityId::Kind::node: return "node";
    case EntityId::Kind::link: return "link";
    case EntityId::Kind::event: return "event";
    case EntityId::Kind::drop: return "drop";
    case EntityId::Kind::mark: return "mark";
    case EntityId::Kind::op: return "op";
    case EntityId::Kind::message: return "message";
    case EntityId::Kind::place: return "place";
    case EntityId::Kind::record: return "record";
    case EntityId::Kind::fault: return "fault";
    case EntityId::Kind::verdict: return "verdict";
    case EntityId::Kind::series: return "series";
    case EntityId::Kind::time: return "time";
    case EntityId::Kind::control: return "control";
  }
  return "none";
}

QJsonObject entity(EntityId e) {
  return {{"kind", kind_word(e.kind)}, {"a", QString::number(e.a)}, {"b", QString::number(e.b)}};
}

const char* state_word(Branch::State s) {
  switch (s) {
    case Branch::State::recording: return "recording";
    case Branch::State::ready: return "ready";
    case Branch::State::refused: return "refused";
    case Branch::State::called_off: return "called off";
  }
  return "";
}

QJsonArray branches(const Session& s) {
  QJsonArray out;
  for (const Branch& b : s.branches()) {
    QJsonObject o{{"id", b.id}, {"parent", b.parent}, {"label", QString::fromStdString(b.label)}, {"state", state_word(b.state)}};
    if (b.recorded.recording) o["fingerprint"] = QString::fromStdString(b.recorded.recording->result().fingerprint.text());
    out.append(o);
  }
  return out;
}

QJsonArray verdicts(const Recording& r) {
  QJsonArray out;
  for (const VerdictRow& v : r.result().verdicts)
    out.append(QJsonObject{{"anomaly", QLatin1String(v.report.anomaly->name)}, {"verdict", QLatin1String(verdict_name(v.report.verdict))}});
  return out;
}

QJsonObject canvas(const CanvasWidget& c) {
  QJsonArray things;
  for (const Named& n : c.scene().named()) {
    QJsonObject o = entity(n.entity);
    o["text"] = QString::fromStdString(n.text);
    o["rectangle"] = rectangle(&c, n.bounds.x, n.bounds.y, n.bounds.w, n.bounds.h);
    things.append(o);
  }
  return {{"rectangle", rectangle(&c)}, {"things", things}};
}

// The menu that is open, if one is.
QJsonArray open_menu() {
  QJsonArray out;
  const auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
  if (!menu) return out;
  for (QAction* a : menu->actions()) {
    if (a->isSeparator() || !a->isVisible()) continue;
    const QRect r = menu->actionGeometry(a);
    out.append(QJsonObject{{"text", a->text()}, {"rectangle", rectangle(menu, r.x(), r.y(), r.width(), r.height())}});
  }
  return out;
}

}  // namespace

QJsonObject told_of(MainWindow& window) {
  Workspace& w = window.workspace();
  const Session& s = w.session();
  QJsonObject o{{"format", "mqlab-window/1"}};
  const auto r = w.recording();
  if (r) {
    o["fingerprint"] = QString::fromStdString(r->result().fingerprint.text());
    o["seed"] = QString::number(r->seed());
    o["case"] = QString::fromStdString(r->spec().case_name);
    o["design"] = QString::fromStdString(r->spec().design);
    o["events"] = static_cast<qint64>(r->events());
    o["end"] = static_cast<qint64>(r->end());
    o["as_expected"] = r->result().as_expected;
    o["verdicts"] = verdicts(*r);
  }
  o["event"] = static_cast<qint64>(w.event());
  o["time"] = static_cast<qint64>(w.has_events() ? w.time() : 0);
  o["entity"] = entity(w.entity());
  o["branch"] = s.current();
  o["branches"] = branches(s);
  o["playing"] = w.playing();
  o["notes"] = static_cast<qint64>(window.notebook()->notes().size());
  o["scenario"] = QJsonObject{{"path", window.scenario_pane()->path()}, {"changed", window.scenario_pane()->modified()}, {"text", window.scenario_pane()->text()}, {"error_line", window.scenario_pane()->editor()->error_line()}};
  const TimeRange range = window.facts().view().range;
  o["view"] = QJsonObject{{"from", static_cast<qint64>(range.from)}, {"to", static_cast<qint64>(range.to)}};
  o["message"] = window.statusBar()->currentMessage();
  o["start_page"] = window.start_page_shown();
  o["layout"] = window.layout_name();
  QJsonObject panes;
  for (const QDockWidget* d : window.panes()) panes[d->objectName()] = rectangle(d->widget());
  o["panes"] = panes;
  QJsonObject parts{{"window", rectangle(&window)}};
  if (window.scenario_pane()->editor()->isVisible()) parts["editor"] = rectangle(window.scenario_pane()->editor());
  for (const TimeSlider* t : window.findChildren<TimeSlider*>())
    if (t->isVisible()) parts["time_slider"] = rectangle(t);
  o["parts"] = parts;
  QJsonObject buttons;  // of the tool bars, by the name of the action
  for (const QToolBar* bar : window.findChildren<QToolBar*>())
    for (QAction* a : bar->actions())
      if (const QWidget* b = bar->widgetForAction(a); b && b->isVisible() && !a->objectName().isEmpty()) buttons[a->objectName()] = rectangle(b);
  o["buttons"] = buttons;
  QJsonObject canvases;
  for (PicturePane* p : window.pictures())
    for (const QDockWidget* d : window.panes())
      if (d->widget() == p) canvases[d->objectName()] = canvas(*p->canvas());
  o["canvases"] = canvases;
  o["menu"] = open_menu();
  const QWidget* dialog = QApplication::activeModalWidget();
  o["dialog"] = dialog ? dialog->windowTitle() : QString();
  const QWidget* keyboard = QApplication::focusWidget();
  o["keyboard"] = !keyboard ? QString() : keyboard->accessibleName().isEmpty() ? QString::fromLatin1(keyboard->metaObject()->className()) : keyboard->accessibleName();
  return o;
}

Teller::Teller(MainWindow* window, const QString& file) : QObject(window), window_(window), file_(file) {
  connect(&timer_, &QTimer::timeout, this, &Teller::look);
  timer_.start(look_ms);
}

void Teller::look() {
  if (!window_->settled()) return seen_.clear();
  const QByteArray now = QJsonDocument(told_of(*window_)).toJson();
  const bool rests = now == seen_;
  seen_ = now;
  if (!rests || now == last_) return;
  QSaveFile f(file_);
  if (f.open(QIODevice::WriteOnly) && f.write(now) == now.size() && f.commit()) {
    last_ = now;
    return;
  }
  timer_.stop();
  std::fprintf(stderr, "mqlab-gui: %s could not be written: %s\n", file_.toUtf8().constData(), f.errorString().toUtf8().constData());
}

}  // namespace mqlab::gui
