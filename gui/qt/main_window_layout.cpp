// gui/qt/main_window_layout.cpp: which panes are in sight and where: the four layouts, the start page, going from pane to pane.
#include <QApplication>
#include <QPointer>
#include <QStatusBar>
#include <QTimer>

#include <algorithm>

#include "gui/qt/main_window.h"
#include "gui/qt/start_page.h"
#include "gui/qt/window_layout.h"

namespace mqlab::gui {

const QStringList& layout_names() {
  static const QStringList all = [] {
    QStringList out;
    for (const WindowLayout& l : window_layouts()) out << QLatin1String(l.name);
    return out;
  }();
  return all;
}

QDockWidget* MainWindow::dock(const QString& name) const {
  const auto it = docks_.find(name);
  return it == docks_.end() ? nullptr : it->second;
}

bool MainWindow::start_page_shown() const { return start_shown_; }

void MainWindow::show_start_page(bool on) {
  if (on) start_->show_html(start_page(*settings_));
  if (on == start_shown_) return;
  start_shown_ = on;
  if (on) {
    for (auto& [name, d] : docks_) d->hide();
    start_->show();
    time_bar_->hide();
    run_bar_->hide();
    chip_bar_->set_in_use(false);
  } else {
    start_->hide();
    time_bar_->show();
    run_bar_->show();
    chip_bar_->set_in_use(true);
    apply_layout(layout_);
  }
}

void MainWindow::apply_layout(const QString& name) {
  layout_ = name;
  settings_->set_layout(name);
  if (start_shown_ && isVisible()) return show_start_page(false);
  const QPointer<QWidget> typed_into = focusWidget();
  for (auto& [n, d] : docks_) {
    d->setFloating(false);
    removeDockWidget(d);
  }
  const WindowLayout& layout = window_layout(name);
  const auto first = [&](const LayoutCell& c) { return dock(QLatin1String(c.panes.front())); };
  // Columns, then cells below the first of each, then what shares a cell: Qt splits what stands already.
  QDockWidget* before = nullptr;
  for (const LayoutColumn& c : layout.columns) {
    QDockWidget* head = first(c.cells.front());
    if (before) splitDockWidget(before, head, Qt::Horizontal);
    else addDockWidget(Qt::LeftDockWidgetArea, head);
    head->show();
    before = head;
  }
  for (const LayoutColumn& c : layout.columns)
    for (std::size_t i = 1; i < c.cells.size(); ++i) {
      splitDockWidget(first(c.cells[i - 1]), first(c.cells[i]), Qt::Vertical);
      first(c.cells[i])->show();
    }
  for (const LayoutColumn& c : layout.columns)
    for (const LayoutCell& cell : c.cells) share_cell(cell);
  apply_sizes();
  for (auto& [n, d] : docks_)
    if (typed_into && d->isAncestorOf(typed_into) && in_sight(d)) typed_into->setFocus();
  QTimer::singleShot(0, this, &MainWindow::apply_sizes);
}

void MainWindow::share_cell(const LayoutCell& cell) {
  const bool tabs = cell.panes.size() > 1 && !cell.side_by_side;
  for (std::size_t i = 0; i < cell.panes.size(); ++i) {
    QDockWidget* d = dock(QLatin1String(cell.panes[i]));
    // Tabs are titles enough.
    if (QWidget* old = d->titleBarWidget()) {
      d->setTitleBarWidget(nullptr);
      old->deleteLater();
    }
    if (tabs) d->setTitleBarWidget(new QWidget(d));
    if (i == 0) continue;
    QDockWidget* last = dock(QLatin1String(cell.panes[i - 1]));
    if (cell.side_by_side) splitDockWidget(last, d, Qt::Horizontal);
    else tabifyDockWidget(last, d);
    d->show();
  }
  dock(QLatin1String(cell.panes.front()))->raise();
}

void MainWindow::apply_sizes() {
  if (start_page_shown()) return;
  const WindowLayout& layout = window_layout(layout_);
  QList<QDockWidget*> columns;
  QList<int> widths;
  for (const LayoutColumn& c : layout.columns) {
    QList<QDockWidget*> cells;
    QList<int> heights;
    for (const LayoutCell& cell : c.cells) {
      cells << dock(QLatin1String(cell.panes.front()));
      heights << height() * cell.percent / 100;
    }
    resizeDocks(cells, heights, Qt::Vertical);
    // Those side by side share the width of their column evenly.
    const auto wide = std::find_if(c.cells.begin(), c.cells.end(), [](const LayoutCell& cell) { return cell.side_by_side; });
    const int parts = wide == c.cells.end() ? 1 : static_cast<int>(wide->panes.size());
    for (int i = 0; i < parts; ++i) {
      columns << dock(QLatin1String(wide == c.cells.end() ? c.cells.front().panes.front() : wide->panes[static_cast<std::size_t>(i)]));
      widths << width() * c.percent / 100 / parts;
    }
  }
  resizeDocks(columns, widths, Qt::Horizontal);
}

void MainWindow::hold_least_widths() {
  constexpr int grows_until = 150;  // percent; with larger text a window of 1280 would not hold all columns
  const int letter = QFontMetrics(qApp->font()).averageCharWidth();
  for (auto& [name, d] : docks_) d->widget()->setMinimumWidth(least_letters(name) * letter * std::min(scale_, grows_until) / scale_);
}

// Titles of panes are drawn in a font of the platform's, of one size, as long as panes have no other than all have; a new style sheet takes
// it away again.
void MainWindow::size_titles() {
  QFont of_panes = qApp->font();
  of_panes.setStyleHint(QFont::SansSerif);
  for (auto& [name, d] : docks_) d->setFont(of_panes);
}

// Behind other tabs Qt puts panes beside the window, and calls them visible.
bool MainWindow::in_sight(const QDockWidget* d) const { return d && d->isVisible() && (d->isFloating() || rect().intersects(d->geometry())); }

std::vector<QDockWidget*> MainWindow::panes() const {
  std::vector<QDockWidget*> out;
  for (const QString& name : order_)
    if (QDockWidget* d = docks_.at(name); in_sight(d)) out.push_back(d);
  return out;
}

void MainWindow::next_pane(int direction) {
  const auto all = panes();
  if (all.empty()) return;
  std::ptrdiff_t now = -1;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (QWidget* f = QApplication::focusWidget(); f && all[i]->isAncestorOf(f)) now = static_cast<std::ptrdiff_t>(i);
  const auto n = static_cast<std::ptrdiff_t>(all.size());
  const auto to = now < 0 ? (direction > 0 ? 0 : n - 1) : (now + direction + n) % n;
  QDockWidget* d = all[static_cast<std::size_t>(to)];
  d->raise();
  QWidget* w = d->widget();
  while (w->focusProxy()) w = w->focusProxy();
  w->setFocus(Qt::ShortcutFocusReason);
  statusBar()->showMessage(d->windowTitle(), 1500);
}

}  // namespace mqlab::gui
