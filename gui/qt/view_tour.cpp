#include "gui/qt/view_tour.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDialog>
#include <QDir>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QPixmap>
#include <QSaveFile>
#include <QScrollBar>
#include <QStyle>
#include <QStyleOptionComboBox>
#include <QTabBar>
#include <QTableView>
#include <QTextDocument>
#include <QToolBar>
#include <QToolButton>

#include "gui/core/flaws.h"
#include "gui/core/topology.h"
#include "gui/qt/fault_palette.h"
#include "gui/qt/main_window.h"

namespace mqlab::gui {
namespace {

constexpr int look_ms = 20, calm_looks = 8, patience_ms = 300'000;

std::vector<QWidget*> open_above(QWidget* window) {
  std::vector<QWidget*> out;
  for (QWidget* w : QApplication::topLevelWidgets())
    if (w != window && w->isVisible() && qobject_cast<QDialog*>(w)) out.push_back(w);
  return out;
}

QString place_of(const QWidget* w) {
  for (const QWidget* p = w; p; p = p->parentWidget())
    if (qobject_cast<const QDockWidget*>(p) || qobject_cast<const QToolBar*>(p) || p->isWindow()) return p->objectName().isEmpty() ? p->windowTitle() : p->objectName();
  return {};
}

bool in_sight(const QWidget* w) { return w->isVisible() && !w->visibleRegion().isNull(); }

}  // namespace

QPixmap picture_of_window(QWidget* window) {
  QPixmap picture = window->grab();
  QPainter p(&picture);
  for (QWidget* d : open_above(window)) {
    const QPixmap above = d->grab();
    const QPoint at((window->width() - d->width()) / 2, (window->height() - d->height()) / 2);
    p.fillRect(QRect(at - QPoint(1, 1), d->size() + QSize(2, 2)), QColor(90, 90, 90));
    p.drawPixmap(at, above);
  }
  return picture;
}

QStringList flaws_of_widgets(QWidget* window) {
  QStringList out;
  const auto say = [&](const QWidget* w, const QString& text, int wanted, int there) {
    out << QStringLiteral("%1: `%2` wants %3 pixels and has %4").arg(place_of(w), text.simplified()).arg(wanted).arg(there);
  };
  const auto plain = [](const QString& text) {
    QTextDocument d;
    d.setHtml(text);
    return d.toPlainText();
  };
  for (const QLabel* l : window->findChildren<QLabel*>()) {
    if (!in_sight(l) || l->text().isEmpty()) continue;
    if (l->wordWrap()) {
      const int wanted = l->heightForWidth(l->width());
      if (wanted > l->height() + 2) say(l, plain(l->text()).left(60), wanted, l->height());
    } else if (l->sizeHint().width() > l->width() + 1) {
      say(l, plain(l->text()).left(60), l->sizeHint().width(), l->width());
    }
  }
  const auto has_words = [](const QAbstractButton* b) {
    const auto* tool = qobject_cast<const QToolButton*>(b);
    return !b->text().isEmpty() && (!tool || tool->toolButtonStyle() != Qt::ToolButtonIconOnly || tool->icon().isNull());
  };
  for (const QAbstractButton* b : window->findChildren<QAbstractButton*>())
    if (in_sight(b) && has_words(b) && b->fontMetrics().horizontalAdvance(b->text()) > b->width()) say(b, b->text(), b->fontMetrics().horizontalAdvance(b->text()), b->width());
  for (const QComboBox* c : window->findChildren<QComboBox*>()) {
    if (!in_sight(c)) continue;
    QStyleOptionComboBox option;
    option.initFrom(c);
    const int room = c->style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, c).width(), wanted = c->fontMetrics().horizontalAdvance(c->currentText());
    if (wanted > room) say(c, c->currentText(), wanted, room);
  }
  for (const QLineEdit* e : window->findChildren<QLineEdit*>())
    if (in_sight(e) && e->text().isEmpty() && e->fontMetrics().horizontalAdvance(e->placeholderText()) > e->width() - 6) say(e, e->placeholderText(), e->fontMetrics().horizontalAdvance(e->placeholderText()), e->width() - 6);
  for (const QTabBar* t : window->findChildren<QTabBar*>()) {
    if (!in_sight(t)) continue;
    for (int i = 0; i < t->count(); ++i)
      if (const int wanted = t->fontMetrics().horizontalAdvance(t->tabText(i)) + t->style()->pixelMetric(QStyle::PM_TabBarTabHSpace, nullptr, t); wanted > t->tabRect(i).width()) say(t, t->tabText(i), wanted, t->tabRect(i).width());
  }
  for (const QTableView* v : window->findChildren<QTableView*>()) {
    if (!in_sight(v)) continue;
    for (int c = 0; c < v->model()->columnCount(); ++c) {
      if (v->isColumnHidden(c) || v->columnWidth(c) == 0) continue;
      const QString head = v->model()->headerData(c, Qt::Horizontal).toString();
      const int wanted = v->horizontalHeader()->fontMetrics().horizontalAdvance(head) + 12;
      if (!head.isEmpty() && wanted > v->columnWidth(c)) say(v, head, wanted, v->columnWidth(c));
      if (v->rowHeight(0) > 0 && v->rowHeight(0) < v->fontMetrics().height()) say(v, QStringLiteral("a row"), v->fontMetrics().height(), v->rowHeight(0));
    }
  }
  for (const QToolBar* b : window->findChildren<QToolBar*>()) {
    const auto* more = b->findChild<QWidget*>(QStringLiteral("qt_toolbar_ext_button"));
    if (more && more->isVisible()) say(b, b->windowTitle(), b->sizeHint().width(), b->width());
  }
  return out;
}

QStringList flaws_of_canvases(MainWindow* window) {
  QStringList out;
  for (const PicturePane* p : window->pictures()) {
    CanvasWidget* c = p->canvas();
    if (!in_sight(c)) continue;
    // What is scrolled is cut at its upper and lower edge.
    const auto* bar = p->findChild<QScrollBar*>();
    const bool scrolls = bar && bar->isVisible();
    for (const Flaw& f : flaws(c->scene(), c->canvas().measure()))
      if (f.kind != Flaw::Kind::cut_off || f.across || !scrolls) out << QStringLiteral("%1, %2x%3: %4").arg(c->accessibleName()).arg(c->width()).arg(c->height()).arg(QString::fromStdString(f.sentence));
  }
  return out;
}

ViewTour::ViewTour(MainWindow* window, ViewTourOptions options) : QObject(window), window_(window), options_(std::move(options)) {
  add_views();
  connect(&timer_, &QTimer::timeout, this, &ViewTour::look);
  waited_.start();
  timer_.start(look_ms);
}

QStringList ViewTour::names() const {
  QStringList out;
  for (const View& v : views_) out << v.name;
  return out;
}

void ViewTour::add_views() {
  MainWindow* w = window_;
  const auto pane = [w](const char* layout, const char* name) {
    return [w, layout, name] {
      if (w->layout_name() != QLatin1String(layout)) w->apply_layout(QLatin1String(layout));
      w->dock(QLatin1String(name))->show();
      w->dock(QLatin1String(name))->raise();
    };
  };
  for (const QString& name : layout_names()) views_.push_back({name, [w, name] { w->apply_layout(name); }});
  for (const char* name : {"scenario", "lesson", "faults", "console", "topology", "logs", "groups", "spacetime", "plots", "events", "notebook", "branches", "inspector"})
    views_.push_back({QStringLiteral("debug-%1").arg(QLatin1String(name)), pane("debug", name)});
  views_.push_back({QStringLiteral("by-order"), [w, show = pane("debug", "spacetime")] {
                      show();
                      w->facts().set_by_order(true);
                    }});
  views_.push_back({QStringLiteral("witness"), [w] {
                      w->facts().set_by_order(false);
                      w->apply_layout(QStringLiteral("learn"));
                      w->verdict_pane()->go_to_witness();
                    }});
  views_.push_back({QStringLiteral("near"), [w, show = pane("present", "spacetime")] {
                      show();
                      w->facts().show_focus();
                    }});
  views_.push_back({QStringLiteral("filtered"), [w, show = pane("debug", "events")] {
                      w->facts().show_all();
                      show();
                      w->workspace().set_hides_routine(true);
                      if (w->workspace().node_in_focus() != nobody) w->workspace().add_chip(Chip::node(w->workspace().node_in_focus()));
                    }});
  views_.push_back({QStringLiteral("futures"), [w] {
                      Workspace& s = w->workspace();
                      s.clear_filter();
                      w->apply_layout(QStringLiteral("compare"));
                      if (s.session().branches().size() > 1) return;
                      const auto r = s.recording();
                      for (NodeId n = 0; r && n < r->result().world->node_count(); ++n)
                        if (side_of(r->result().world->node_options(n).role) == Side::middle) {
                          break_by_hand(s, QStringLiteral("kill %1 for 5s").arg(QString::fromStdString(r->line_name(n))));
                          break;
                        }
                    }});
  for (const auto& [name, action] : {std::pair("keys", "help.keys"), {"commands", "help.commands"}, {"library", "file.library"}})
    views_.push_back({QLatin1String(name), [w, action = action] { w->actions()[action]->trigger(); }});
  views_.push_back({QStringLiteral("start"), [w] { w->show_start_page(true); }});
}

void ViewTour::look() {
  calm_ = window_->settled() ? calm_ + 1 : 0;
  if (waited_.elapsed() > patience_ms) {
    timer_.stop();
    return emit done(tr("%1 did not come to rest").arg(views_[view_].name));
  }
  if (calm_ < calm_looks) return;
  calm_ = 0;
  waited_.restart();
  if (!shown_) {
    if (view_ == 0) {
      window_->set_theme(options_.themes[theme_]);
      window_->resize(options_.sizes[size_]);
      window_->show_start_page(false);
    }
    views_[view_].show();
    shown_ = true;
    return;
  }
  next();
}

void ViewTour::next() {
  const QSize size = options_.sizes[size_];
  const QString set = QStringLiteral("%1x%2-%3").arg(size.width()).arg(size.height()).arg(theme_words()[static_cast<int>(options_.themes[theme_])]);
  const QDir folder(options_.folder);
  const QString file = folder.filePath(QStringLiteral("%1/%2-%3.png").arg(set).arg(view_, 2, 10, QLatin1Char('0')).arg(views_[view_].name));
  if (!folder.mkpath(set) || !picture_of_window(window_).save(file)) {
    timer_.stop();
    return emit done(tr("%1 could not be written").arg(file));
  }
  for (const QString& f : flaws_of_canvases(window_) + flaws_of_widgets(window_)) flaws_ << QStringLiteral("%1/%2: %3").arg(set, views_[view_].name, f);
  for (QWidget* d : open_above(window_)) {
    for (const QString& f : flaws_of_widgets(d)) flaws_ << QStringLiteral("%1/%2: %3").arg(set, views_[view_].name, f);
    d->close();
  }
  shown_ = false;
  if (++view_ < views_.size()) return;
  view_ = 0;
  if (++theme_ < options_.themes.size()) return;
  theme_ = 0;
  if (++size_ < options_.sizes.size()) return;
  timer_.stop();
  QSaveFile told(folder.filePath(QStringLiteral("flaws.txt")));
  const QByteArray text = flaws_.isEmpty() ? QByteArray() : flaws_.join('\n').toUtf8() + '\n';
  emit done(told.open(QIODevice::WriteOnly) && told.write(text) == text.size() && told.commit() ? QString() : tr("%1 could not be written").arg(told.fileName()));
}

}  // namespace mqlab::gui
