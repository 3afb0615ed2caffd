// gui/qt/main_window_layout.cpp: which panes are in sight and where: the four layouts, the start page, going from pane to pane.
#include <QApplication>
#include <QStatusBar>
#include <QTimer>

#include "gui/qt/main_window.h"
#include "gui/qt/start_page.h"

namespace mqlab::gui {

const QStringList& layout_names() {
  static const QStringList all = {QStringLiteral("learn"), QStringLiteral("debug"), QStringLiteral("compare"), QStringLiteral("present")};
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
  for (auto& [n, d] : docks_) {
    d->setFloating(false);
    removeDockWidget(d);
  }
  // Columns from left to right; in a column panes from top to bottom; in a pane tabs, the first one on top.
  using Column = std::vector<std::vector<const char*>>;
  std::vector<Column> columns;
  if (name == "debug") columns = {{{"scenario", "lesson"}, {"faults", "console"}}, {{"topology", "logs", "groups"}, {"spacetime", "plots"}, {"events", "notebook", "branches"}}, {{"verdicts"}, {"inspector"}}};
  else if (name == "compare") columns = {{{"branches"}, {"events", "faults", "console", "scenario", "notebook"}}, {{"topology", "logs", "groups"}, {"spacetime", "plots"}, {"beside"}}, {{"verdicts"}, {"inspector", "lesson"}}};
  else if (name == "present") columns = {{{"topology", "logs", "groups"}, {"spacetime", "plots", "events"}}, {{"verdicts", "inspector"}}};
  else columns = {{{"lesson", "scenario"}}, {{"topology", "logs", "groups"}, {"spacetime", "plots"}, {"events", "notebook", "branches"}}, {{"verdicts"}, {"inspector", "faults", "console"}}};
  QDockWidget* head_before = nullptr;
  std::vector<std::pair<QDockWidget*, std::vector<std::vector<QDockWidget*>>>> placed;
  for (const Column& column : columns) {
    std::vector<std::vector<QDockWidget*>> cells;
    for (const auto& tabs : column) {
      std::vector<QDockWidget*> cell;
      for (const char* t : tabs)
        if (QDockWidget* d = dock(QString::fromLatin1(t))) cell.push_back(d);
      if (!cell.empty()) cells.push_back(std::move(cell));
    }
    if (cells.empty()) continue;
    QDockWidget* head = cells.front().front();
    if (!head_before) addDockWidget(Qt::LeftDockWidgetArea, head);
    else splitDockWidget(head_before, head, Qt::Horizontal);
    head->show();
    head_before = head;
    placed.emplace_back(head, std::move(cells));
  }
  // Both futures lie side by side, their times below each other.
  const auto beside_it = [&](QDockWidget* d) {
    if (name != "compare" || d != dock("topology")) return;
    splitDockWidget(d, dock("beside_topology"), Qt::Horizontal);
    dock("beside_topology")->setTitleBarWidget(nullptr);
    dock("beside_topology")->show();
  };
  for (auto& [head, cells] : placed) {
    QDockWidget* above = head;
    for (auto& cell : cells) {
      if (cell.front() != head) {
        splitDockWidget(above, cell.front(), Qt::Vertical);
        cell.front()->show();
      }
      above = cell.front();
    }
    for (auto& cell : cells) beside_it(cell.front());
    for (auto& cell : cells) {
      // Tabs are titles enough.
      for (QDockWidget* d : cell) {
        if (QWidget* old = d->titleBarWidget()) {
          d->setTitleBarWidget(nullptr);
          old->deleteLater();
        }
        if (cell.size() > 1) d->setTitleBarWidget(new QWidget(d));
      }
      for (std::size_t i = 1; i < cell.size(); ++i) {
        tabifyDockWidget(cell[i - 1], cell[i]);
        cell[i]->show();
      }
      cell.front()->raise();
    }
  }
  apply_sizes();
  QTimer::singleShot(0, this, &MainWindow::apply_sizes);
}

void MainWindow::apply_sizes() {
  if (start_page_shown()) return;
  const int w = width(), h = height();
  const auto sizes = [&](std::initializer_list<std::pair<const char*, int>> wanted, Qt::Orientation o) {
    QList<QDockWidget*> docks;
    QList<int> pixels;
    for (const auto& [name, percent] : wanted)
      if (QDockWidget* d = dock(QString::fromLatin1(name))) {
        docks << d;
        pixels << (o == Qt::Horizontal ? w : h) * percent / 100;
      }
    resizeDocks(docks, pixels, o);
  };
  const bool pictures = dock("topology");
  const char* middle = pictures ? "topology" : "events";
  if (layout_ == "debug") {
    sizes({{"scenario", 30}, {middle, 42}, {"verdicts", 28}}, Qt::Horizontal);
    sizes({{"scenario", 56}, {"faults", 34}}, Qt::Vertical);
    sizes({{"topology", 32}, {"spacetime", 34}, {"events", 24}}, Qt::Vertical);
  } else if (layout_ == "compare") {
    sizes({{"branches", 24}, {middle, 25}, {"beside_topology", 25}, {"verdicts", 26}}, Qt::Horizontal);
    sizes({{"branches", 48}, {"events", 42}}, Qt::Vertical);
    sizes({{"topology", 28}, {"spacetime", 31}, {"beside", 33}}, Qt::Vertical);
  } else if (layout_ == "present") {
    sizes({{middle, 68}, {"verdicts", 32}}, Qt::Horizontal);
    sizes({{"topology", 45}, {"spacetime", 45}}, Qt::Vertical);
  } else {
    sizes({{"lesson", 30}, {middle, 42}, {"verdicts", 28}}, Qt::Horizontal);
    sizes({{"topology", 36}, {"spacetime", 32}, {"events", 22}}, Qt::Vertical);
  }
  if (layout_ == "compare") sizes({{"verdicts", 66}, {"inspector", 24}}, Qt::Vertical);
  else sizes({{"verdicts", 52}, {"inspector", 38}}, Qt::Vertical);
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
