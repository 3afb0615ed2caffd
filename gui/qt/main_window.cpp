#include "gui/qt/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QFileInfo>
#include <QHeaderView>
#include <QKeyEvent>
#include <QStatusBar>
#include <QTimer>
#include <QUrlQuery>

#include <algorithm>

#include "gui/core/labels.h"
#include "gui/qt/renderer.h"

namespace mqlab::gui {

MainWindow::MainWindow(WindowSettings* settings, const WindowOptions& options, QWidget* parent)
    : QMainWindow(parent), settings_(settings), workspace_(new Workspace(this, {.checkpoint_bytes = static_cast<std::size_t>(settings->memory()) << 20})), actions_(this), theme_(settings->theme()), scale_(settings->scale()) {
  qApp->installEventFilter(this);
  setDockNestingEnabled(true);
  setDockOptions(AnimatedDocks | AllowNestedDocks | AllowTabbedDocks);
  setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
  start_ = new PageBrowser(this);
  start_->setAccessibleName(tr("Start page"));
  setCentralWidget(start_);
  make_panes();
  make_menus();
  time_bar_ = new TimeBar(workspace_, actions_, this);
  addToolBar(Qt::TopToolBarArea, time_bar_);
  addToolBarBreak(Qt::TopToolBarArea);
  run_bar_ = new RunBar(workspace_, actions_, this);
  addToolBar(Qt::TopToolBarArea, run_bar_);
  addToolBarBreak(Qt::TopToolBarArea);
  chip_bar_ = new ChipBar(workspace_, this);
  addToolBar(Qt::TopToolBarArea, chip_bar_);
  make_status_bar();
  connect_actions();
  connect_workspace();
  set_theme(theme_);
  set_scale(scale_);
  resize(1280, 800);
  if (!settings_->geometry().isEmpty()) restoreGeometry(settings_->geometry());
  start_->hide();
  const QString wanted = layout_names().contains(options.layout) ? options.layout : settings_->layout();
  apply_layout(layout_names().contains(wanted) ? wanted : layout_names().first());
  begin(options);
}

// Panes that go tell that they are not seen any more.
MainWindow::~MainWindow() {
  for (auto& [name, d] : docks_) d->disconnect(this);
}

void MainWindow::begin(const WindowOptions& options) {
  if (!options.scenario.isEmpty()) {
    const QString path = find_scenario(options.scenario);
    const bool came_back = scenario_->recover(path.isEmpty() ? options.scenario : path);
    if (came_back) {
      workspace_->open(scenario_->path(), scenario_->text());
      QTimer::singleShot(0, this, [this] { emit workspace_->told(tr("Text of this file that was not saved is back. Ctrl+S saves it.")); });
    }
    if (came_back || open_scenario(path.isEmpty() ? options.scenario : path, false)) {
      workspace_->set_design(options.design);
      if (!options.case_name.isEmpty()) workspace_->set_case(options.case_name);
      workspace_->set_seed(options.seed);
      for (const QString& s : options.settings) {
        const QString wrong = workspace_->set_option(s.section('=', 0, 0).trimmed(), s.section('=', 1).trimmed());
        if (!wrong.isEmpty()) scenario_->show_error(0, wrong);
      }
      go_when_ready_ = options.at;
      break_when_ready_ = options.breaks;
      run();
      look_at_run();
    } else {
      show_start_page(true);
    }
  } else if (scenario_->recover()) {
    workspace_->open(scenario_->path(), scenario_->text());
    show_start_page(false);
    dock("scenario")->show();
    dock("scenario")->raise();
    emit workspace_->told(tr("Text that was not saved is back. Ctrl+R runs it, Ctrl+S saves it."));
  } else {
    show_start_page(true);
  }
}

void MainWindow::show_lesson(const QString& id) {
  show_start_page(false);
  dock("lesson")->show();
  dock("lesson")->raise();
  lessons_->show_lesson(id);
}

void MainWindow::look_at_run() {
  if (!pictures_.empty()) pictures_.front()->canvas()->setFocus();
}

QDockWidget* MainWindow::add_pane(const QString& name, const QString& title, QWidget* widget) {
  auto* d = new QDockWidget(title, this);
  d->setObjectName(name);
  d->setWidget(widget);
  d->setAllowedAreas(Qt::AllDockWidgetAreas);
  addDockWidget(Qt::LeftDockWidgetArea, d);
  docks_[name] = d;
  order_.push_back(name);
  // A pane below another one keeps the focus, as far as Qt knows: what is typed would go into a text that nobody sees.
  connect(d, &QDockWidget::visibilityChanged, this, [this, d](bool visible) {
    if (!visible && focusWidget() && d->isAncestorOf(focusWidget())) look_at_run();
  });
  return d;
}

void MainWindow::make_panes() {
  scenario_ = new ScenarioPane(settings_->folder(), this);
  lessons_ = new LessonPane(settings_, this);
  console_ = new ConsolePane(workspace_, this);
  events_ = new EventPane(workspace_, this);
  verdicts_ = new VerdictPane(workspace_, this);
  inspector_ = new InspectorPane(workspace_, this);
  branches_ = new BranchPane(workspace_, this);
  faults_ = new FaultPalette(workspace_, this);
  notebook_ = new NotebookPane(workspace_, settings_->folder() + "/notes.json", this);
  install_canvas_accessibility();
  facts_ = new RunFacts(workspace_);
  topology_ = new TopologyPane(workspace_, facts_, this);
  auto* spacetime = new SpacetimePane(workspace_, facts_, this);
  auto* logs = new LogsPane(workspace_, facts_, this);
  auto* groups = new GroupsPane(workspace_, facts_, this);
  auto* plots = new PlotsPane(workspace_, facts_, this);
  pictures_ = {topology_, spacetime, logs, groups, plots};
  const auto redraw = [this] {
    for (PicturePane* p : pictures_) p->canvas()->invalidate();
  };
  const ThingMenu things(workspace_, actions_, facts_, redraw);
  for (PicturePane* p : pictures_) p->menu = [things](QMenu& menu, EntityId e) { things.fill(menu, e); };
  auto* other = new OtherFuture(workspace_, facts_);
  auto* beside_topology = new BesideTopologyPane(workspace_, facts_, other, this);
  beside_topology->left_free = [this] { return topology_->canvas()->canvas().strip_height(); };
  auto* beside = new BesideSpacetimePane(workspace_, facts_, other, this);
  pictures_.push_back(beside_topology);
  pictures_.push_back(beside);
  add_pane("lesson", tr("Lesson"), lessons_);
  add_pane("scenario", tr("Scenario"), scenario_);
  add_pane("faults", tr("Faults"), faults_);
  add_pane("topology", tr("Topology"), topology_);
  add_pane("logs", tr("Logs and queues"), logs);
  add_pane("groups", tr("Groups"), groups);
  add_pane("spacetime", tr("Space-time"), spacetime);
  add_pane("beside_topology", tr("Topology beside"), beside_topology);
  add_pane("beside", tr("Space-time beside"), beside);
  add_pane("plots", tr("Plots"), plots);
  add_pane("events", tr("Events"), events_);
  add_pane("branches", tr("Futures"), branches_);
  add_pane("notebook", tr("Notebook"), notebook_);
  add_pane("console", tr("Console"), console_);
  add_pane("verdicts", tr("Verdicts"), verdicts_);
  add_pane("inspector", tr("Inspector"), inspector_);
}

void MainWindow::make_status_bar() {
  outcome_ = new QLabel(this);
  events_label_ = new QLabel(this);
  fingerprint_ = new QLabel(this);
  fingerprint_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  fingerprint_->setToolTip(tr("The fingerprint of the run: `mqlab run` with the same scenario, case, settings and seed prints the same"));
  renderer_ = new QLabel(this);
  const auto name_renderer = [this] {
    renderer_->setText(RendererInUse::instance().name());
    renderer_->setToolTip(RendererInUse::instance().sentence());
  };
  name_renderer();
  connect(&RendererInUse::instance(), &RendererInUse::changed, this, name_renderer);
  for (QLabel* l : {outcome_, events_label_, fingerprint_, renderer_}) {
    l->setContentsMargins(6, 0, 6, 0);
    statusBar()->addPermanentWidget(l);
  }
  auto* hint = new QLabel(tr("Ctrl+K commands   ? keys "), this);
  statusBar()->addPermanentWidget(hint);
  // What is told for a while comes first: what always stands there makes room for it.
  connect(statusBar(), &QStatusBar::messageChanged, this, [this, hint](const QString& said) {
    const std::initializer_list<QLabel*> may_go = {hint, renderer_, fingerprint_};
    int room = statusBar()->width() - statusBar()->fontMetrics().horizontalAdvance(said) - 40;
    for (QLabel* l : {outcome_, events_label_, fingerprint_, renderer_, hint}) room -= l->sizeHint().width() + 6;
    for (QLabel* l : may_go) {
      const bool stays = said.isEmpty() || room >= 0;
      if (!stays) room += l->sizeHint().width() + 6;
      l->setVisible(stays);
    }
  });
}

void MainWindow::connect_workspace() {
  Workspace* w = workspace_;
  connect(w, &Workspace::told, this, [this](const QString& s) { statusBar()->showMessage(s, 8000); });
  connect(w, &Workspace::scenario_changed, this, &MainWindow::show_title);
  connect(run_bar_, &RunBar::run_asked, this, &MainWindow::run);
  connect(run_bar_, &RunBar::refused, this, [this](const QString& wrong) {
    scenario_->show_error(0, wrong);
    emit workspace_->told(wrong);
  });
  connect(w, &Workspace::run_began, this, [this] {
    scenario_->clear_error();
    show_start_page(false);
    show_status();
  });
  connect(w, &Workspace::progress_changed, this, &MainWindow::show_status);
  connect(w, &Workspace::run_refused, this, [this](const QString& file, int line, const QString& text) {
    scenario_->show_error(line, text);
    dock("scenario")->show();
    dock("scenario")->raise();
    statusBar()->showMessage(line > 0 ? tr("%1, line %2: %3").arg(QFileInfo(file).fileName()).arg(line).arg(text) : text, 15000);
    show_status();
  });
  connect(w, &Workspace::run_changed, this, [this] {
    show_status();
    const auto r = workspace_->recording();
    if (r) lessons_->run_ended(*r);
    // The chapter that a scenario belongs to, while nothing else is read.
    if (const QString chapter = r ? QString::fromStdString(r->scenario().chapter) : QString(); lessons_->lesson().isEmpty() && chapter.startsWith("docs/")) lessons_->show_lesson(chapter.mid(5));
    if (!break_when_ready_.isEmpty() && workspace_->has_events()) {
      const QString wrong = break_by_hand(*workspace_, break_when_ready_.takeFirst());
      if (wrong.isEmpty()) return;  // the rest when its future is there
      break_when_ready_.clear();
      emit workspace_->told(wrong);
    }
    if (!go_when_ready_.isEmpty()) {
      const QString wrong = workspace_->go_to(go_when_ready_);
      if (!wrong.isEmpty()) emit workspace_->told(wrong);
      go_when_ready_.clear();
    }
  });
  connect(w, &Workspace::event_changed, this, &MainWindow::show_line_of_focus);
  connect(w, &Workspace::entity_changed, this, &MainWindow::show_line_of_focus);
  connect(scenario_, &ScenarioPane::text_changed, this, [this] { workspace_->set_text(scenario_->text()); });
  connect(scenario_, &ScenarioPane::modified_changed, this, &MainWindow::show_title);
  connect(lessons_, &LessonPane::run_asked, this, &MainWindow::run_step);
  connect(lessons_, &LessonPane::scenario_asked, this, [this](const QString& path) { if (may_leave_text()) open_scenario(path); });
  connect(lessons_, &LessonPane::go_asked, this, [this](const QString& words, qint64 around) {
    if (const QString wrong = workspace_->go_to(words); !wrong.isEmpty()) return emit workspace_->told(wrong);
    if (around < 0) facts_->show_focus();
    else if (around > 0) facts_->show({workspace_->time() - around / 2, workspace_->time() + around / 2});
  });
  connect(lessons_, &LessonPane::told, workspace_, &Workspace::told);
  connect(notebook_, &NotebookPane::return_to, this, &MainWindow::return_to);
  connect(start_, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
    if (link.path() == "new") return actions_["file.new"]->trigger();
    if (link.path() == "library") return actions_["file.library"]->trigger();
    if (link.path() == "lesson") return show_lesson(QUrlQuery(link).queryItemValue("id"));
    lessons_->follow(link);
  });
}

// --- what is shown ---

void MainWindow::show_line_of_focus() {
  const auto r = workspace_->recording();
  int line = 0;
  if (workspace_->has_events()) {
    const auto& faults = r->result().world->faults();
    const EntityId e = workspace_->entity();
    const Event& event = r->journal().deliveries[workspace_->event()].event;
    if (e.kind == EntityId::Kind::fault && e.a < faults.size()) line = faults[e.a].fault.line;
    else if (static_cast<EventKind>(event.kind) == EventKind::fault && event.body[0] < faults.size()) line = faults[event.body[0]].fault.line;
    if (line == 0) {
      const NodeId n = workspace_->node_in_focus();
      if (n != nobody)
        for (const ClientSpec& c : r->result().deployment.clients)
          if (c.name == r->line_name(n)) line = c.line;
    }
  }
  scenario_->editor()->set_current_line(line);
}

void MainWindow::show_title() {
  const QString name = scenario_->path().isEmpty() ? QString::fromStdString(workspace_->wanted().path) : QFileInfo(scenario_->path()).fileName();
  QString title = name.isEmpty() ? QStringLiteral("mqlab") : QStringLiteral("%1[*] — mqlab").arg(name);
  if (!workspace_->title().isEmpty() && !name.isEmpty()) title = QStringLiteral("%1[*]: %2 — mqlab").arg(name, workspace_->title());
  if (!title.contains("[*]")) title += "[*]";
  setWindowTitle(title);
  setWindowModified(scenario_->modified());
}

void MainWindow::show_status() {
  const auto r = workspace_->recording();
  if (workspace_->running()) {
    const Progress p = workspace_->session().progress();
    outcome_->setText((p.over ? tr("looking through: %1, %2") : tr("running: %1, %2")).arg(QString::fromStdString(counted(p.events, "event")), QString::fromStdString(format_time(p.now))));
  } else if (r) {
    outcome_->setText(r->stopped() ? tr("stopped") : r->result().as_expected ? tr("✓ as expected") : tr("✗ not as expected"));
  } else {
    outcome_->clear();
  }
  events_label_->setText(r ? QString::fromStdString(counted(r->events(), "event")) : QString());
  events_label_->setToolTip(r ? tr("%1, %2 MB: from the one before it each moment is made again (--memory changes how much they may take)").arg(QString::fromStdString(counted(r->checkpoints(), "checkpoint"))).arg(r->checkpoint_bytes() >> 20) : QString());
  fingerprint_->setText(r ? QStringLiteral("fingerprint %1 · seed %2").arg(QString::fromStdString(r->result().fingerprint.text())).arg(r->seed()) : QString());
}

void MainWindow::set_theme(Theme l) {
  theme_ = l;
  settings_->set_theme(l);
  apply_theme(*qApp, l, scale_);
  size_titles();
  scenario_->editor()->set_dark(is_dark(l));
  lessons_->set_theme(l);
  events_->set_theme(l);
  verdicts_->set_theme(l);
  inspector_->set_theme(l);
  branches_->set_theme(l);
  time_bar_->set_theme(l);
  start_->set_theme(l);
  for (PicturePane* p : pictures_) p->set_theme(l);
  // Links keep the colour of the time when their text was set, and the same text set again is no other.
  for (QLabel* label : findChildren<QLabel*>())
    if (const QString text = label->text(); text.contains(QLatin1String("<a "))) {
      label->clear();
      label->setText(text);
    }
}

void MainWindow::set_scale(int percent) {
  scale_ = std::clamp(percent, scale_min, scale_max);
  settings_->set_scale(scale_);
  apply_theme(*qApp, theme_, scale_);
  // A widget hears of a new font before some of what is in it has it; those that measure by their fields are told once more.
  QEvent fonts_are_there(QEvent::FontChange);
  for (QWidget* w : std::initializer_list<QWidget*>{time_bar_, run_bar_, events_, verdicts_, branches_}) QApplication::sendEvent(w, &fonts_are_there);
  size_titles();
  hold_least_widths();
  for (QTableView* v : findChildren<QTableView*>()) v->verticalHeader()->setDefaultSectionSize(v->fontMetrics().height() + 5);
  for (PicturePane* p : pictures_) p->set_text_scale(static_cast<float>(scale_) / 100);
  QFont mono = scenario_->editor()->font();
  mono.setPointSizeF(qApp->font().pointSizeF());
  scenario_->editor()->setFont(mono);
  console_->set_text_size(mono.pointSizeF());
}

bool MainWindow::settled() const {
  for (const PicturePane* p : pictures_)
    if (in_sight(qobject_cast<QDockWidget*>(p->parentWidget())) && !p->settled()) return false;
  return workspace_->at_rest() && (!workspace_->has_events() || (workspace_->moment() && workspace_->moment()->event == workspace_->event()));
}

// Text fields take Ctrl+K for themselves, to delete to the end of the line; here it finds commands wherever the keyboard is.
bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::ShortcutOverride) {
    const auto* key = static_cast<QKeyEvent*>(event);
    if (key->key() == Qt::Key_K && key->modifiers() == Qt::ControlModifier) {
      event->ignore();
      return true;
    }
  }
  return QMainWindow::eventFilter(watched, event);
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  QTimer::singleShot(0, this, &MainWindow::apply_sizes);
}

void MainWindow::closeEvent(QCloseEvent* event) {
  workspace_->stop();
  scenario_->keep();  // what was not saved comes back
  settings_->set_geometry(saveGeometry());
  settings_->sync();
  event->accept();
}

}  // namespace mqlab::gui
